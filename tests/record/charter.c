#include "record/charter.h"

#include "memory.h"
#include "record/line.h"
#include "record/tree.h"
#include "test.h"

static bool parses(struct span text)
{
    struct charter charter;
    struct error error = {0};
    bool ok = charter_parse(&charter, text, &error) == 0;

    CHECK(ok == (error.code == ERROR_NONE) && (ok || error.message[0] != 0));
    return ok;
}

static void every_number_of_members_founds_a_line(void)
{
    for (unsigned members = 2; members <= MEMBERS_MAX; members++) {
        struct test_line line;

        test_line_found(&line, members, "members");
        CHECK(line.charter.member_count == members && line.text.size <= CHARTER_SIZE_MAX);
        test_line_free(&line);
    }
}

static void the_line_id_is_the_hash_of_the_text(void)
{
    struct test_line line;
    uint8_t id[HASH_SIZE];

    test_line_found(&line, 2, "id");
    hash_parts(id, (struct span[]){span_of_string("liaison/charter/v1"), buffer_span(&line.text)}, 2);
    CHECK(memcmp(id, line.charter.line_id, HASH_SIZE) == 0);
    test_line_free(&line);
}

static void no_truncation_and_no_tail_is_a_charter(void)
{
    struct test_line line;

    test_line_found(&line, 2, "cut");
    for (size_t size = 0; size < line.text.size; size++)
        CHECK(!parses(span_of(line.text.data, size)));
    buffer_put_u8(&line.text, '\n');
    CHECK(!parses(buffer_span(&line.text)));
    test_line_free(&line);
}

/* A flipped bit is refused, or it makes another charter in its own right: never the same line. */
static void no_flipped_bit_keeps_the_line(void)
{
    struct test_line line;
    unsigned accepted = 0;

    test_line_found(&line, 2, "flip");
    for (size_t i = 0; i < line.text.size; i++) {
        struct charter changed;

        line.text.data[i] ^= (uint8_t)(1 << i % 8);
        if (charter_parse(&changed, buffer_span(&line.text), NULL) == 0) {
            accepted++;
            CHECK(memcmp(changed.line_id, line.charter.line_id, HASH_SIZE) != 0);
        }
        line.text.data[i] ^= (uint8_t)(1 << i % 8);
    }
    CHECK(accepted > 0); /* the random bytes and the quotas are free */
    test_line_free(&line);
}

static struct buffer replaced(const struct buffer *text, const char *old, const char *new)
{
    struct buffer out = {0};
    const char *from = (const char *)text->data;
    const char *at = memmem(from, text->size, old, strlen(old));

    if (at == NULL) {
        printf("# \"%s\" is not in the charter\n", old);
        CHECK(false);
        return out;
    }
    buffer_put(&out, from, (size_t)(at - from));
    buffer_print(&out, "%s", new);
    buffer_put_span(&out, span_from(buffer_span(text), (size_t)(at - from) + strlen(old)));
    return out;
}

#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void bad_lines_are_refused(void)
{
    static const struct {
        const char *old, *new;
    } rows[] = {
        {"liaison-charter/v1\n", "liaison-charter/v2\n"},
        {"liaison-charter/v1\n", "liaison-charter/v1\r\n"},
        {"liaison-charter/v1\n", "\xef\xbb\xbfliaison-charter/v1\n"},
        {"name talks", "name Talks"},
        {"name talks", "name ../x"},
        {"name talks", "name "},
        {"name talks", "name talks "},
        {"name talks", "name  talks"},
        {"name talks\n", "name talks\nname talks\n"},
        {"name talks\n", ""},
        {"random ", "random A"},
        {"random ", "Random "},
        {"courier-key ", "courier-key none"},
        {"quota-entries 268435456", "quota-entries 0268435456"},
        {"quota-entries 268435456", "quota-entries -1"},
        {"quota-entries 268435456", "quota-entries 18446744073709551616"},
        {"quota-entries 268435456\nquota-bytes 68719476736", "quota-bytes 68719476736\nquota-entries 268435456"},
        {"succeeds none", "succeeds NONE"},
        {"succeeds none", "succeeds nothing 1 " ROOT},
        {"succeeds none", "succeeds liaison/1/" HEX " 1 " ROOT},
        {"succeeds none", "succeeds liaison/1/" HEX "/00 1 " ROOT},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 01 " ROOT},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 1099511627777 " ROOT},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 1 AAAA"},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 1"},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 1 " ROOT "\nsucceeds none"},
        {"succeeds none", "succeeds liaison/1/" HEX "/0 1 " ROOT "\nsucceeds liaison/1/" HEX "/0 2 " ROOT},
        {"succeeds none", "succeeds liaison/1/\x1b" HEX "/0 1 " ROOT},
        {"members 2", "members 1"},
        {"members 2", "members 3"},
        {"members 2", "members 0"},
        {"members 2", "members 17"},
        {"members 2", "members two"},
        {"members 2", "members 02"},
        {"liaison-card/v1", "liaison-card/v2"},
        {"name pyongyang", "name washington"}, /* the card's own signature refuses this */
    };
    struct test_line line;

    test_line_found(&line, 2, "lines");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bad = replaced(&line.text, rows[i].old, rows[i].new);

        if (parses(buffer_span(&bad))) {
            printf("# accepted: %s\n", rows[i].new);
            CHECK(false);
        }
        buffer_free(&bad);
    }
    test_line_free(&line);
}

static void predecessors_read_back(void)
{
    struct test_line line;
    struct buffer good;

    test_line_found(&line, 2, "succeeds");
    good = replaced(&line.text, "succeeds none",
                    "succeeds liaison/1/" HEX "/0 1 " ROOT "\nsucceeds liaison/1/" HEX "/1 1099511627776 " ROOT);
    CHECK(parses(buffer_span(&good)));
    buffer_free(&good);
    good = replaced(&line.text, "quota-entries 268435456", "quota-entries 18446744073709551615");
    CHECK(parses(buffer_span(&good)));
    buffer_free(&good);
    test_line_free(&line);
}

static void an_oversized_text_is_refused(void)
{
    struct buffer text = {0};
    uint8_t *to = buffer_extend(&text, CHARTER_SIZE_MAX + 1);

    if (to != NULL)
        memset(to, 'a', CHARTER_SIZE_MAX + 1);
    CHECK(!parses(buffer_span(&text)));
    buffer_free(&text);
}

/* Signs a card again after one of its keys was set by hand. */
static void resign(struct card *card, const struct identity *identity)
{
    struct buffer text = {0};
    const char *end = NULL;

    buffer_print(&text, "%s", LABEL_CARD);
    card_print(card, &text);
    end = strstr(buffer_string(&text), "log-signature ");
    text.size = (size_t)(end - (const char *)text.data);
    sign(card->log_signature, identity->log_secret, buffer_span(&text));
    sign(card->receipt_signature, identity->receipt_secret, buffer_span(&text));
    buffer_free(&text);
}

/* Any two of the eight keys of two cards. Ed25519 keys move with their secrets, so that every signature is good and
 * only the equality is wrong. */
static void two_equal_keys_are_refused(void)
{
    for (unsigned a = 0; a < 4; a++) {
        for (unsigned b = 0; b < 4; b++) {
            struct test_line line;
            struct error error = {0};
            struct card *first = NULL, *second = NULL;
            struct identity *identity = NULL;
            uint8_t *keys[2][4];

            test_line_found(&line, 3, "equal");
            first = &line.charter.members[0];
            second = &line.charter.members[2];
            identity = &line.identity[2];
            memcpy(keys,
                   (uint8_t *[2][4]){{first->log_key, first->receipt_key, first->link_key, first->sealing_key},
                                     {second->log_key, second->receipt_key, second->link_key, second->sealing_key}},
                   sizeof keys);
            if (b < 2 && a >= 2) {
                test_line_free(&line);
                continue; /* nobody can sign for a link key */
            }
            memcpy(keys[1][b], keys[0][a], 32);
            if (b == 0)
                memcpy(identity->log_secret, a == 0 ? line.identity[0].log_secret : line.identity[0].receipt_secret,
                       64);
            if (b == 1)
                memcpy(identity->receipt_secret, a == 0 ? line.identity[0].log_secret : line.identity[0].receipt_secret,
                       64);
            resign(second, identity);
            CHECK(test_line_refound(&line, &error) != 0);
            /* A log key is often no valid X25519 key at all; then the card is refused before the charter. */
            CHECK((b >= 2 && a < 2) || strstr(error.message, "equal") != NULL);
            test_line_free(&line);
        }
    }
}

static void equal_names_are_refused(void)
{
    struct test_line line;
    struct error error = {0};

    test_line_found(&line, 3, "names");
    CHECK(card_make(&line.charter.members[2], "washington.example", "en", &line.identity[2], NULL) == 0);
    CHECK(test_line_refound(&line, &error) != 0 && strstr(error.message, "twice") != NULL);
    test_line_free(&line);
}

static void members_are_found_by_name(void)
{
    struct test_line line;

    test_line_found(&line, 3, "find");
    CHECK(charter_member(&line.charter, span_of_string("washington.example")) == 0);
    CHECK(charter_member(&line.charter, span_of_string("pyongyang")) == 1);
    CHECK(charter_member(&line.charter, span_of_string("pyong")) == -1);
    CHECK(charter_member(&line.charter, span_of_string("")) == -1);
    CHECK(charter_member(&line.charter, span_of_string("washington.")) == -1);
    CHECK(span_equal(charter_short_name(&line.charter, 2), span_of_string("beijing")));
    CHECK(card_make(&line.charter.members[1], "washington.other", "en", &line.identity[1], NULL) == 0);
    CHECK(card_make(&line.charter.members[2], "washington", "en", &line.identity[2], NULL) == 0);
    CHECK(test_line_refound(&line, NULL) == 0);
    CHECK(charter_member(&line.charter, span_of_string("washington")) == 2); /* in full goes first */
    CHECK(span_equal(charter_short_name(&line.charter, 0), span_of_string("washington.example")));
    CHECK(span_equal(charter_short_name(&line.charter, 2), span_of_string("washington")));
    test_line_free(&line);
}

static void names_of_keys_differ(void)
{
    struct test_line line, other;
    char a[ORIGIN_SIZE], b[ORIGIN_SIZE];

    test_line_found(&line, 2, "origin");
    test_line_found(&other, 2, "other origin");
    charter_origin(&line.charter, 0, 0, a);
    CHECK(strlen(a) == 10 + 64 + 2 && strncmp(a, "liaison/1/", 10) == 0 && strcmp(a + 74, "/0") == 0);
    charter_origin(&line.charter, 1, 0, b);
    CHECK(strcmp(a, b) != 0);
    charter_origin(&line.charter, 0, 4294967295U, b);
    CHECK(strncmp(a, b, 74) == 0 && strcmp(b + 74, "/4294967295") == 0);
    charter_origin(&other.charter, 0, 0, b);
    CHECK(strcmp(a, b) != 0);
    charter_receipt_name(&line.charter, 0, b);
    CHECK(strlen(b) == 74 && strncmp(a, b, 74) != 0);
    test_line_free(&other);
    test_line_free(&line);
}

static void fingerprints_are_of_charter_and_key(void)
{
    struct test_line line;
    char a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];

    test_line_found(&line, 2, "fingerprint");
    charter_fingerprint(&line.charter, line.courier_key, a);
    CHECK(strlen(a) == FINGERPRINT_SIZE - 1);
    for (size_t i = 0; i < strlen(a); i++)
        CHECK(i % 6 == 5 ? a[i] == ' ' : a[i] >= '0' && a[i] <= '9');
    line.courier_key[31] ^= 1;
    charter_fingerprint(&line.charter, line.courier_key, b);
    CHECK(strcmp(a, b) != 0);
    line.courier_key[31] ^= 1;
    line.charter.quota_bytes--;
    CHECK(test_line_refound(&line, NULL) == 0);
    charter_fingerprint(&line.charter, line.courier_key, b);
    CHECK(strcmp(a, b) != 0);
    test_line_free(&line);
}

static void predecessors_that_break_off_or_are_too_many_are_refused(void)
{
    struct test_line line;

    test_line_found(&line, 2, "succeeds");
    for (unsigned count = MEMBERS_MAX; count <= MEMBERS_MAX + 1; count++) {
        struct buffer many = {0}, text = {0};

        for (unsigned i = 0; i < count; i++)
            buffer_print(&many, "%ssucceeds liaison/1/%.62s%02x/0 1 " ROOT, i > 0 ? "\n" : "", HEX, i);
        text = replaced(&line.text, "succeeds none", buffer_string(&many));
        CHECK(parses(buffer_span(&text)) == (count <= MEMBERS_MAX));
        /* The text ends within the last of them. */
        text.size = (size_t)((uint8_t *)memmem(text.data, text.size, "members", 7) - text.data) - 1;
        CHECK(!parses(buffer_span(&text)));
        buffer_free(&many);
        buffer_free(&text);
    }
    test_line_free(&line);
}

/* A good charter is not called bad because memory ran out. */
static void without_memory_a_charter_is_not_read_and_not_called_invalid(void)
{
    struct test_line line;

    test_line_found(&line, 3, "memory");
    for (size_t n = 1;; n++) {
        struct charter charter;
        struct error error = {0};
        int status = 0;
        bool ran_out = false;

        memory_fail(n);
        status = charter_parse(&charter, buffer_span(&line.text), &error);
        ran_out = memory_ran_out();
        CHECK(status == (ran_out ? -1 : 0) && error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        if (!ran_out)
            break;
        CHECK(n < 100);
    }
    test_line_free(&line);
}

int main(void)
{
    RUN(every_number_of_members_founds_a_line);
    RUN(the_line_id_is_the_hash_of_the_text);
    RUN(no_truncation_and_no_tail_is_a_charter);
    RUN(no_flipped_bit_keeps_the_line);
    RUN(bad_lines_are_refused);
    RUN(predecessors_read_back);
    RUN(an_oversized_text_is_refused);
    RUN(two_equal_keys_are_refused);
    RUN(equal_names_are_refused);
    RUN(members_are_found_by_name);
    RUN(names_of_keys_differ);
    RUN(fingerprints_are_of_charter_and_key);
    RUN(predecessors_that_break_off_or_are_too_many_are_refused);
    RUN(without_memory_a_charter_is_not_read_and_not_called_invalid);
    return test_end();
}
