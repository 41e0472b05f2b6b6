#include "record/charter.h"

#include <stdio.h>

#include "record/tree.h"
#include "seal/lines.h"

static const char first_line[] = "liaison-charter/v1";
static const char origin_prefix[] = "liaison/1/";

void charter_print(const struct charter *charter, struct buffer *text)
{
    buffer_print(text, "%s\nname %s\nrandom ", first_line, charter->name);
    text_put_base64(text, span_of(charter->random, sizeof charter->random));
    buffer_print(text, "\ncourier-key ");
    if (charter->has_courier_key)
        text_put_base64(text, span_of(charter->courier_hash, HASH_SIZE));
    else
        buffer_print(text, "none");
    buffer_print(text, "\nquota-entries %llu\nquota-bytes %llu\n", (unsigned long long)charter->quota_entries,
                 (unsigned long long)charter->quota_bytes);
    if (charter->predecessor_count == 0)
        buffer_print(text, "succeeds none\n");
    for (size_t i = 0; i < charter->predecessor_count; i++) {
        const struct predecessor *p = &charter->predecessors[i];

        buffer_print(text, "succeeds %s %llu ", p->origin, (unsigned long long)p->size);
        text_put_base64(text, span_of(p->root, HASH_SIZE));
        buffer_put_u8(text, '\n');
    }
    buffer_print(text, "members %u\n", charter->member_count);
    for (unsigned i = 0; i < charter->member_count; i++)
        card_print(&charter->members[i], text);
}

/* The value of the line "name value"; fails the cursor, with an error, if the next line is another. */
static struct span read_value(struct cursor *cursor, const char *name, struct error *error)
{
    struct span line = cursor_line(cursor);
    size_t size = strlen(name);

    if (cursor->failed || line.size < size + 2 || memcmp(line.data, name, size) != 0 || line.data[size] != ' ') {
        (void)cursor_fail(cursor);
        (void)error_set(error, ERROR_INVALID,
                        "the charter is not whole: where its line \"%s\" should stand there is something else", name);
        return span_of(NULL, 0);
    }
    return span_from(line, size + 1);
}

static int read_number(struct cursor *cursor, const char *name, uint64_t max, uint64_t *number, struct error *error)
{
    struct span value = read_value(cursor, name, error);

    if (cursor->failed)
        return -1;
    if (!text_to_number(value, max, number))
        return error_set(error, ERROR_INVALID, "the charter's line \"%s\" does not hold a number of at most %llu", name,
                         (unsigned long long)max);
    return 0;
}

/* Splits at the first space; `rest` is empty where there is none. */
static struct span first_word(struct span text, struct span *rest)
{
    const uint8_t *space = text.size > 0 ? memchr(text.data, ' ', text.size) : NULL;
    size_t size = space != NULL ? (size_t)(space - text.data) : text.size;

    *rest = span_from(text, size + 1);
    return span_of(text.data, size);
}

/* "liaison/1/", 64 lower-case hexadecimal digits, "/", a number. */
static bool is_origin(struct span text)
{
    struct cursor cursor = cursor_of(text);
    uint64_t incarnation = 0;
    struct span hash = {0};

    if (text.size >= ORIGIN_SIZE || !cursor_skip_text(&cursor, origin_prefix))
        return false;
    hash = cursor_span(&cursor, (size_t)HASH_SIZE * 2);
    for (size_t i = 0; i < hash.size; i++)
        if (memchr("0123456789abcdef", hash.data[i], 16) == NULL)
            return false;
    return cursor_skip_text(&cursor, "/") && text_to_number(cursor_rest(&cursor), UINT32_MAX, &incarnation);
}

static bool is_named_before(const struct charter *charter, struct span origin)
{
    for (size_t i = 0; i < charter->predecessor_count; i++)
        if (span_equal(origin, span_of_string(charter->predecessors[i].origin)))
            return true;
    return false;
}

static int read_predecessors(struct charter *charter, struct cursor *cursor, struct error *error)
{
    struct span value = read_value(cursor, "succeeds", error);

    if (cursor->failed)
        return -1;
    if (span_equal(value, span_of_string("none")))
        return 0;
    for (;;) {
        struct span rest = {0};
        struct span origin = first_word(value, &rest);
        struct span size = first_word(rest, &rest);
        struct predecessor *p = &charter->predecessors[charter->predecessor_count];

        if (charter->predecessor_count == MEMBERS_MAX)
            return error_set(error, ERROR_INVALID, "the charter succeeds more than %d logs", MEMBERS_MAX);
        if (!is_origin(origin) || is_named_before(charter, origin) || !text_to_number(size, TREE_SIZE_MAX, &p->size) ||
            !text_from_base64_exactly(rest, p->root, HASH_SIZE))
            return error_set(error, ERROR_INVALID,
                             "a line \"succeeds\" of the charter is not ORIGIN SIZE ROOT, or names a log again");
        memcpy(p->origin, origin.data, origin.size);
        p->origin[origin.size] = 0;
        charter->predecessor_count++;
        if (cursor->left < 9 || memcmp(cursor->at, "succeeds ", 9) != 0)
            return 0;
        value = read_value(cursor, "succeeds", error);
        if (cursor->failed)
            return -1;
    }
}

static int read_members(struct charter *charter, struct cursor *cursor, struct error *error)
{
    struct error why = {0};
    uint64_t count = 0;

    if (read_number(cursor, "members", MEMBERS_MAX, &count, error) != 0)
        return -1;
    if (count < 2)
        return error_set(error, ERROR_INVALID, "a charter has 2 to %d members, this one has %u", MEMBERS_MAX,
                         (unsigned)count);
    charter->member_count = (unsigned)count;
    for (unsigned i = 0; i < charter->member_count; i++)
        if (card_read(&charter->members[i], cursor, &why) != 0)
            return error_set(error, why.code, "in the charter, of member %u: %s", i, why.message);
    if (!cursor_done(cursor))
        return error_set(error, ERROR_INVALID,
                         "after the last member's card the charter goes on; it was edited or joined to another file");
    return 0;
}

/* A cosignature does not commit to a name, so a key that stood in two places would speak for both. */
static int check_distinct(const struct charter *charter, struct error *error)
{
    const uint8_t *key[4 * MEMBERS_MAX];
    size_t keys = 0;

    for (unsigned i = 0; i < charter->member_count; i++) {
        const struct card *card = &charter->members[i];

        for (unsigned j = 0; j < i; j++)
            if (strcmp(card->name, charter->members[j].name) == 0)
                return error_set(error, ERROR_INVALID, "the charter names %s twice", card->name);
        key[keys++] = card->log_key;
        key[keys++] = card->receipt_key;
        key[keys++] = card->link_key;
        key[keys++] = card->sealing_key;
    }
    for (size_t i = 0; i < keys; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(key[i], key[j], 32) == 0)
                return error_set(error, ERROR_INVALID, "two keys in the charter are equal: one of %s and one of %s",
                                 charter->members[j / 4].name, charter->members[i / 4].name);
    return 0;
}

static int read_fields(struct charter *charter, struct cursor *cursor, struct error *error)
{
    struct lines lines = {.cursor = cursor, .what = "charter", .error = error};
    struct span value = {0};

    if (lines_first(&lines, first_line) != 0)
        return -1;
    value = read_value(cursor, "name", error);
    if (cursor->failed)
        return -1;
    if (!text_is_line_name(value))
        return error_set(error, ERROR_INVALID,
                         "the charter's name is not a line's name: a-z, 0-9 and inner '-', at most 32");
    memcpy(charter->name, value.data, value.size);
    value = read_value(cursor, "random", error);
    if (!cursor->failed && !text_from_base64_exactly(value, charter->random, sizeof charter->random))
        return error_set(error, ERROR_INVALID, "the charter's line \"random\" does not hold 32 bytes of base64");
    value = read_value(cursor, "courier-key", error);
    charter->has_courier_key = !span_equal(value, span_of_string("none"));
    if (!cursor->failed && charter->has_courier_key &&
        !text_from_base64_exactly(value, charter->courier_hash, HASH_SIZE))
        return error_set(error, ERROR_INVALID,
                         "the charter's line \"courier-key\" holds neither 32 bytes of base64 nor \"none\"");
    if (read_number(cursor, "quota-entries", UINT64_MAX, &charter->quota_entries, error) != 0 ||
        read_number(cursor, "quota-bytes", UINT64_MAX, &charter->quota_bytes, error) != 0 ||
        read_predecessors(charter, cursor, error) != 0)
        return -1;
    return read_members(charter, cursor, error);
}

int charter_parse(struct charter *charter, struct span text, struct error *error)
{
    struct cursor cursor = cursor_of(text);
    struct buffer again = {0};
    struct span parts[] = {span_of_string(LABEL_CHARTER), text};
    int result = -1;

    memset(charter, 0, sizeof *charter);
    if (text.size > CHARTER_SIZE_MAX) {
        (void)error_set(error, ERROR_INVALID, "this is no charter: it is longer than %d bytes", CHARTER_SIZE_MAX);
        goto out;
    }
    if (read_fields(charter, &cursor, error) != 0 || check_distinct(charter, error) != 0)
        goto out;
    charter_print(charter, &again);
    if (buffer_failed(&again)) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory to read a charter");
        goto out;
    }
    if (!span_equal(buffer_span(&again), text)) {
        (void)error_set(error, ERROR_INVALID, "the charter is not written in its one form");
        goto out;
    }
    hash_parts(charter->line_id, parts, 2);
    result = 0;
out:
    buffer_free(&again);
    return result;
}

void courier_hash(uint8_t out[static HASH_SIZE], const uint8_t key[static COURIER_KEY_SIZE])
{
    struct span parts[] = {span_of_string(LABEL_COURIER_HASH), span_of(key, COURIER_KEY_SIZE)};

    hash_parts(out, parts, 2);
}

int charter_member(const struct charter *charter, struct span name)
{
    int found = -1;

    for (unsigned i = 0; i < charter->member_count; i++) {
        const char *full = charter->members[i].name;

        if (span_equal(name, span_of_string(full)))
            return (int)i;
        if (name.size > 0 && name.size < strlen(full) && memcmp(full, name.data, name.size) == 0 &&
            full[name.size] == '.')
            found = found == -1 ? (int)i : -2;
    }
    return found < 0 ? -1 : found;
}

struct span charter_short_name(const struct charter *charter, unsigned member)
{
    const char *full = charter->members[member].name;
    const char *dot = strchr(full, '.');
    struct span label = span_of(full, dot != NULL ? (size_t)(dot - full) : strlen(full));

    return charter_member(charter, label) == (int)member ? label : span_of_string(full);
}

/* Without memory that could fail: a head signed under half a name would speak for no log. */
static char *print_hash(char out[static ORIGIN_SIZE], const uint8_t hash[static HASH_SIZE])
{
    int length = snprintf(out, ORIGIN_SIZE, "%s", origin_prefix);
    char *at = out + length;

    for (size_t i = 0; i < HASH_SIZE; i++)
        at += snprintf(at, 3, "%02x", hash[i]);
    return at;
}

void charter_origin(const struct charter *charter, unsigned member, unsigned incarnation, char out[static ORIGIN_SIZE])
{
    struct span parts[] = {span_of_string(LABEL_ORIGIN), span_of(charter->line_id, HASH_SIZE),
                           span_of(charter->members[member].log_key, SIGN_PUBLIC_SIZE)};
    uint8_t hash[HASH_SIZE];
    char *at = NULL;

    hash_parts(hash, parts, 3);
    at = print_hash(out, hash);
    (void)snprintf(at, (size_t)(out + ORIGIN_SIZE - at), "/%u", incarnation);
}

void charter_receipt_name(const struct charter *charter, unsigned member, char out[static ORIGIN_SIZE])
{
    struct span parts[] = {span_of_string(LABEL_RECEIPT_NAME), span_of(charter->line_id, HASH_SIZE),
                           span_of(charter->members[member].receipt_key, SIGN_PUBLIC_SIZE)};
    uint8_t hash[HASH_SIZE];

    hash_parts(hash, parts, 3);
    (void)print_hash(out, hash);
}

void charter_fingerprint(const struct charter *charter, const uint8_t key[static COURIER_KEY_SIZE],
                         char out[static FINGERPRINT_SIZE])
{
    struct span parts[] = {span_of_string(LABEL_FINGERPRINT), span_of(charter->line_id, HASH_SIZE)};
    uint8_t digest[HASH_SIZE];
    struct cursor cursor = cursor_of(span_of(digest, sizeof digest));

    hmac_parts(digest, span_of(key, COURIER_KEY_SIZE), parts, 2);
    for (unsigned group = 0; group < 8; group++) {
        uint32_t number = cursor_u32(&cursor) % 100000;
        char *at = out + (size_t)group * 6;

        for (int digit = 4; digit >= 0; digit--, number /= 10)
            at[digit] = (char)('0' + number % 10);
        at[5] = group < 7 ? ' ' : 0;
    }
}
