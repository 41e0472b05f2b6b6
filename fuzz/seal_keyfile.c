/* seal/keyfile: one encoding. The first byte says which, and whether the checksum is made right. */
#include "fuzz.h"

#include "base/text.h"
#include "seal/keyfile.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"seal/office-key", "seal/courier-key", NULL},
                                        .runs = 400000};

enum { COURIER = 1, MEND = 2 };

/* Copies the text with the checksum that its last line ought to have. */
static void mend(struct buffer *out, struct span text)
{
    size_t last = text.size;
    uint8_t hash[HASH_SIZE];
    struct span parts[2] = {span_of_string(LABEL_CHECKSUM)};

    while (last > 0 && (last == text.size || text.data[last - 1] != '\n'))
        last--;
    parts[1] = span_of(text.data, last);
    hash_parts(hash, parts, 2);
    buffer_put(out, text.data, last);
    buffer_print(out, "checksum ");
    text_put_hex(out, span_of(hash, 8));
    buffer_put_u8(out, '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    unsigned what = cursor_u8(&cursor);
    struct span text = cursor_rest(&cursor);
    struct buffer mended = {0}, again = {0};
    struct error error = {0};
    uint8_t line_id[HASH_SIZE], key[32];
    int result = 0;

    fuzz_start();
    if (what & MEND) {
        mend(&mended, text);
        text = buffer_span(&mended);
    }
    result = what & COURIER ? courier_key_parse(line_id, key, text, &error) : office_key_parse(key, text, &error);
    if (result != 0) {
        fuzz_refused(&error);
    } else {
        if (what & COURIER)
            courier_key_print(&again, line_id, key);
        else
            office_key_print(&again, key);
        fuzz_same(&again, text);
    }
    buffer_free(&mended);
    return 0;
}
