/*
 * record/entry: what is accepted is written the same way, header and body. The first byte says what the rest is: 0 an
 * entry, 1 a sealed entry with its key, 2 a body to be sealed, 3 choices for generate_entry.h, which knows the answer.
 */
#include "fuzz.h"

#include "generate_entry.h"
#include "record/entry.h"

const struct fuzz_target fuzz_target = {
    .formats = (const char *const[]){"record/entry-header", "record/entry-sealed", NULL}, .runs = 250000};

static void check_header(const struct entry_header *header, unsigned author, unsigned members)
{
    HOLD(header->class <= ENTRY_CLASS_MAX && header->precedence <= PRECEDENCE_FLASH && header->epoch <= INT64_MAX);
    HOLD(precedence_from_name(span_of_string(precedence_name(header->precedence))) == (int)header->precedence);
    HOLD(header->seen_count < members && header->reference_count <= REFERENCES_MAX);
    for (unsigned i = 0; i < header->seen_count; i++) {
        HOLD(header->seen[i].member < members && header->seen[i].member != author);
        HOLD(i == 0 || header->seen[i].member > header->seen[i - 1].member);
        HOLD(header->seen[i].size >= 1 && header->seen[i].size <= TREE_SIZE_MAX);
    }
    for (unsigned i = 0; i < header->reference_count; i++)
        HOLD(header->references[i].member < members && header->references[i].index < TREE_SIZE_MAX);
}

static void check_held(struct span body)
{
    struct reference held[MEMBERS_MAX];
    struct buffer again = {0};
    size_t count = 0;

    if (held_read(body, held, MEMBERS_MAX, &count) != 0)
        return;
    HOLD(count >= 1 && count <= MEMBERS_MAX);
    held_put(&again, held, count);
    fuzz_same(&again, body);
}

static bool check_entry(struct entry *entry, struct span bytes, unsigned author, unsigned members)
{
    struct error error = {0};
    struct buffer again = {0};

    if (entry_parse(entry, bytes, author, members, &error) != 0) {
        fuzz_refused(&error);
        return false;
    }
    HOLD(bytes.size <= ENTRY_SIZE_MAX && error.code == ERROR_NONE);
    check_header(&entry->header, author, members);
    entry_clear(&again, &entry->header, entry->body);
    HOLD(again.size == entry->header_bytes.size + entry->body.size);
    if (entry->header.class == ENTRY_SEALED) {
        HOLD(entry->body.size == 0 && entry->tag.size == ENTRY_TAG_SIZE && entry->commitment.size == HASH_SIZE);
        buffer_put_span(&again, entry->tag);
        buffer_put_span(&again, entry->commitment);
        buffer_put_span(&again, entry->ciphertext);
    } else {
        check_held(entry->body);
    }
    fuzz_same(&again, bytes);
    return true;
}

static void check_sealed(struct entry *entry, struct span bytes, const uint8_t secret[static EPOCH_SECRET_SIZE],
                         const struct entry_place *place)
{
    struct error error = {0};
    struct buffer body = {0}, again = {0};

    buffer_put_u8(&body, 7);
    if (entry_open(&body, entry, secret, place, &error) != 0) {
        fuzz_refused(&error);
        HOLD(body.size == 1);
    } else {
        HOLD(entry_seal(&again, &entry->header, span_from(buffer_span(&body), 1), secret, place, &error) == 0);
        fuzz_same(&again, bytes);
    }
    buffer_free(&body);
}

static void read_sealed(struct cursor *cursor, unsigned author, unsigned members)
{
    static struct entry entry;
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct entry_place place;
    struct span bytes = {0};

    cursor_copy(cursor, secret, sizeof secret);
    cursor_copy(cursor, place.origin_hash, HASH_SIZE);
    place.index = cursor_u64(cursor);
    bytes = cursor_rest(cursor);
    if (check_entry(&entry, bytes, author, members))
        check_sealed(&entry, bytes, secret, &place);
}

/* An author may seal anything: what is no body does not open, and its reader says so. */
static void seal_body(struct cursor *cursor)
{
    static const uint8_t secret[EPOCH_SECRET_SIZE] = {1};
    static struct entry entry;
    struct entry_place place = {.index = cursor_u8(cursor)};
    struct entry_header header = {.class = ENTRY_SEALED, .epoch = 1};
    struct span body = cursor_rest(cursor);
    struct buffer sealed = {0};
    struct error error = {0};

    if (entry_seal(&sealed, &header, body, secret, &place, &error) != 0)
        fuzz_refused(&error);
    else if (check_entry(&entry, buffer_span(&sealed), 0, 2))
        check_sealed(&entry, buffer_span(&sealed), secret, &place);
    else
        fuzz_broken(__FILE__, __LINE__, "an entry that was sealed is one");
    buffer_free(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct entry entry;
    struct cursor cursor = cursor_of(span_of(data, size));
    unsigned what = cursor_u8(&cursor) % 4;
    unsigned author = 0, members = 0;
    struct buffer generated = {0};

    fuzz_start();
    if (what == 2) {
        seal_body(&cursor);
        return 0;
    }
    author = cursor_u8(&cursor);
    members = cursor_u8(&cursor);
    if (members < 2 || members > MEMBERS_MAX || author >= members)
        return 0;
    if (what == 0) {
        (void)check_entry(&entry, cursor_rest(&cursor), author, members);
    } else if (what == 1) {
        read_sealed(&cursor, author, members);
    } else {
        bool good = generate_entry(&generated, &cursor, author, members);

        HOLD(check_entry(&entry, buffer_span(&generated), author, members) == good);
        buffer_free(&generated);
    }
    return 0;
}
