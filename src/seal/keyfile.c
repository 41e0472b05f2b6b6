#include "seal/keyfile.h"

#include "seal/lines.h"

static const char office_first[] = "liaison-office-key/v1";
static const char courier_first[] = "liaison-courier-key/v1";
static const char recovery_first[] = "liaison-recovery-sheet/v1";

#define CHECKSUM_SIZE 8

static void checksum(uint8_t out[static CHECKSUM_SIZE], struct span text)
{
    struct span parts[] = {span_of_string(LABEL_CHECKSUM), text};
    uint8_t hash[HASH_SIZE];

    hash_parts(hash, parts, 2);
    memcpy(out, hash, CHECKSUM_SIZE);
}

static void print_secret(struct buffer *text, const char *name, const uint8_t secret[static 32])
{
    buffer_print(text, "%s ", name);
    text_put_base64(text, span_of(secret, 32));
    buffer_put_u8(text, '\n');
}

/* The last line, over what was written since `start`. */
static void print_checksum(struct buffer *text, size_t start)
{
    uint8_t sum[CHECKSUM_SIZE];

    if (buffer_failed(text))
        return;
    checksum(sum, span_from(buffer_span(text), start));
    buffer_print(text, "checksum ");
    text_put_hex(text, span_of(sum, sizeof sum));
    buffer_put_u8(text, '\n');
}

static int read_secret(struct lines *lines, const char *name, uint8_t secret[static 32])
{
    struct span value = {0};

    if (lines_value(lines, name, &value) != 0)
        return -1;
    if (!text_from_base64_exactly(value, secret, 32))
        return lines_fail(lines, "not 32 bytes of base64");
    return 0;
}

/* Lower case only: there is one encoding of a file. */
static int read_hex(struct lines *lines, const char *name, uint8_t *out, size_t size)
{
    struct span value = {0};

    if (lines_value(lines, name, &value) != 0)
        return -1;
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] >= 'A' && value.data[i] <= 'F')
            return lines_fail(lines, "not in lower case");
    if (!text_from_hex(value, out, size))
        return lines_fail(lines, size == HASH_SIZE ? "not 64 hexadecimal digits" : "not 16 hexadecimal digits");
    return 0;
}

static int read_checksum(struct lines *lines, struct span text)
{
    struct span before = span_of(text.data, text.size - lines->cursor->left);
    uint8_t expected[CHECKSUM_SIZE];
    uint8_t found[CHECKSUM_SIZE];

    if (read_hex(lines, "checksum", found, sizeof found) != 0)
        return -1;
    checksum(expected, before);
    if (!secret_equal(found, expected, sizeof found))
        return lines_fail(lines, "does not fit the lines above; a character was changed");
    return lines_end(lines);
}

void office_key_print(struct buffer *text, const uint8_t key[static OFFICE_KEY_SIZE])
{
    size_t start = text->size;

    buffer_print(text, "%s\n", office_first);
    print_secret(text, "key", key);
    print_checksum(text, start);
}

int office_key_parse(uint8_t key[static OFFICE_KEY_SIZE], struct span text, struct error *error)
{
    struct cursor cursor = cursor_of(text);
    struct lines lines = {.cursor = &cursor, .what = "office key", .error = error};

    if (lines_first(&lines, office_first) == 0 && read_secret(&lines, "key", key) == 0 &&
        read_checksum(&lines, text) == 0)
        return 0;
    secret_wipe(key, OFFICE_KEY_SIZE);
    return -1;
}

void courier_key_print(struct buffer *text, const uint8_t line_id[static HASH_SIZE],
                       const uint8_t key[static COURIER_KEY_SIZE])
{
    size_t start = text->size;

    buffer_print(text, "%s\nline ", courier_first);
    text_put_hex(text, span_of(line_id, HASH_SIZE));
    buffer_put_u8(text, '\n');
    print_secret(text, "key", key);
    print_checksum(text, start);
}

int courier_key_parse(uint8_t line_id[static HASH_SIZE], uint8_t key[static COURIER_KEY_SIZE], struct span text,
                      struct error *error)
{
    struct cursor cursor = cursor_of(text);
    struct lines lines = {.cursor = &cursor, .what = "courier key", .error = error};

    if (lines_first(&lines, courier_first) == 0 && read_hex(&lines, "line", line_id, HASH_SIZE) == 0 &&
        read_secret(&lines, "key", key) == 0 && read_checksum(&lines, text) == 0)
        return 0;
    secret_wipe(key, COURIER_KEY_SIZE);
    return -1;
}

void courier_subkey(uint8_t out[static 32], const uint8_t key[static COURIER_KEY_SIZE], const char *label)
{
    hkdf(out, 32, span_of(NULL, 0), span_of(key, COURIER_KEY_SIZE), span_of_string(label));
}

/* The first half of an Ed25519 secret is its seed. */
void recovery_sheet_print(struct buffer *text, const struct card *card, const struct identity *identity)
{
    size_t start = text->size;

    buffer_print(text, "%s\nname %s\nlanguages %s\n", recovery_first, card->name, card->languages);
    print_secret(text, "log-seed", identity->log_secret);
    print_secret(text, "receipt-seed", identity->receipt_secret);
    print_secret(text, "link-secret", identity->link_secret);
    print_secret(text, "sealing-secret", identity->sealing_secret);
    print_checksum(text, start);
}
