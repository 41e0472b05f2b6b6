/* record/charter: one encoding, within limits, and no name or key twice. */
#include "fuzz.h"

#include "record/charter.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"record/charter", NULL}, .runs = 10000};

static void check_members(const struct charter *charter)
{
    HOLD(charter->member_count >= 2 && charter->member_count <= MEMBERS_MAX);
    HOLD(charter->predecessor_count <= MEMBERS_MAX);
    HOLD(text_is_line_name(span_of_string(charter->name)));
    for (unsigned i = 0; i < charter->member_count; i++) {
        const struct card *card = &charter->members[i];

        HOLD(charter_member(charter, span_of_string(card->name)) == (int)i);
        HOLD(charter_member(charter, charter_short_name(charter, i)) == (int)i);
        for (unsigned j = 0; j < i; j++) {
            HOLD(strcmp(card->name, charter->members[j].name) != 0);
            HOLD(memcmp(card->log_key, charter->members[j].log_key, SIGN_PUBLIC_SIZE) != 0);
            HOLD(memcmp(card->link_key, charter->members[j].sealing_key, DH_SIZE) != 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charter charter;
    struct span text = span_of(data, size);
    struct span parts[] = {span_of_string(LABEL_CHARTER), text};
    struct buffer again = {0};
    struct error error = {0};
    uint8_t id[HASH_SIZE];

    fuzz_start();
    if (charter_parse(&charter, text, &error) != 0) {
        fuzz_refused(&error);
        return 0;
    }
    HOLD(size <= CHARTER_SIZE_MAX);
    check_members(&charter);
    hash_parts(id, parts, 2);
    HOLD(hash_equal(id, charter.line_id));
    charter_print(&charter, &again);
    fuzz_same(&again, text);
    return 0;
}
