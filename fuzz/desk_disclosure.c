/* desk/disclosure: files of disclosures, and such that the harness makes of a body and then changes. */
#include "fuzz.h"

#include "desk/disclosed.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"desk/disclosure", NULL}, .runs = 1500};

static struct disclosure disclosure; /* too large for the stack */

/* What was accepted is harmless to show, and is written the same way. */
static void check_accepted(struct span bytes, const struct disclosed *log)
{
    struct buffer again = {0}, body = {0};
    uint8_t key[ENTRY_KEY_SIZE];
    const char *line = memmem(bytes.data, bytes.size, "\n\nkey ", 6);
    struct cursor cursor = {0};
    struct span proof = {0};
    struct error error = {0};

    HOLD(fuzz_is_shown(buffer_span(&disclosure.head), true));
    HOLD(disclosure.author < disclosure.charter.member_count && disclosure.verdict.holder_count < MEMBERS_MAX);
    HOLD(line != NULL);
    cursor = cursor_of(span_from(bytes, (size_t)(line - (const char *)bytes.data) + 6));
    HOLD(text_from_base64_exactly(cursor_line(&cursor), key, ENTRY_KEY_SIZE));
    HOLD(entry_open_disclosed(&body, &disclosure.entry, key, &error) == 0);
    HOLD(span_equal(buffer_span(&body), buffer_span(&disclosure.plain)));
    buffer_free(&body);
    if (log == NULL)
        return;
    proof = span_of(cursor.at + 1, cursor.left - 1 - log->line.text.size - 2);
    HOLD(disclosure_write(&again, buffer_span(&log->line.text), proof, key, &error) == 0);
    fuzz_same(&again, bytes);
}

/* Whether all of the file was accepted. */
static bool check(struct span file, const uint8_t line_id[static HASH_SIZE], const struct disclosed *log)
{
    struct cursor input = cursor_of(file);

    do {
        struct error error = {0};
        const uint8_t *start = input.at;
        bool good = disclosure_read(&disclosure, &input, &error) == 0;

        if (good)
            check_accepted(span_of(start, (size_t)(input.at - start)), log);
        if (good && disclosure_check_line(&disclosure, line_id, &error) != 0)
            good = false;
        disclosure_free(&disclosure);
        if (!good) {
            fuzz_refused(&error);
            return false;
        }
    } while (input.left > 0);
    return true;
}

/* The input says what an author seals: a body of its choice, or bytes that are none; then it is changed anywhere. */
static void check_made(struct cursor *cursor)
{
    static struct disclosed log;
    static bool is_made;
    struct entry_header header = disclosed_header(1);
    struct buffer file = {0};
    struct error error = {0};
    struct span body = {0};
    bool changed = false;

    if (!is_made)
        disclosed_make(&log, 2, "fuzz");
    is_made = true;
    header.precedence = cursor_u8(cursor) % 4;
    header.reference_count = cursor_u8(cursor) % 3;
    header.references[0] = (struct reference){.member = 1, .index = cursor_u8(cursor)};
    header.references[1] = (struct reference){.member = 0, .index = cursor_u8(cursor)};
    body = cursor_span(cursor, cursor_u16(cursor));
    if (body.size == 0 || body.size > BODY_SIZE_MAX / 2)
        return;
    disclosed_seal(&log, 1, &header, body);
    disclosed_sign(&log);
    if (disclosed_write(&log, 1, &file, &error) != 0) {
        fuzz_refused(&error);
        HOLD(file.size == 0);
        return;
    }
    changed = fuzz_edit(cursor, file.data, file.size);
    HOLD(check(buffer_span(&file), log.line.charter.line_id, changed ? NULL : &log) == !changed);
    buffer_free(&file);
}

/* 32 bytes of the line's id, and a file; or 32 bytes ff, and what is to be made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    uint8_t line_id[32];

    if (fuzz_is_made(&cursor, line_id))
        check_made(&cursor);
    else if (!cursor.failed)
        (void)check(cursor_rest(&cursor), line_id, NULL);
    return 0;
}
