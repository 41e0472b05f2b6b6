#include "record/entry.h"

#include "base/cbor.h"
#include "memory.h"
#include "record/line.h"
#include "test.h"

static struct test_line line;
static struct entry_place place;
static uint8_t secret[EPOCH_SECRET_SIZE];

/* A header that uses everything, of member 0 of 3. */
static struct entry_header full_header(void)
{
    struct entry_header header = {.class = ENTRY_SEALED, .epoch = 7, .precedence = PRECEDENCE_FLASH, .seen_count = 2};

    header.seen[0] = (struct seen){.member = 1, .size = 18, .root = {1, 2, 3}};
    header.seen[1] = (struct seen){.member = 2, .size = TREE_SIZE_MAX, .root = {4, 5, 6}};
    header.reference_count = 2;
    header.references[0] = (struct reference){.member = 1, .index = 17, .leaf = {7}};
    header.references[1] = (struct reference){.member = 0, .index = 0, .leaf = {8}};
    memset(header.salt, 0x55, SALT_SIZE);
    return header;
}

/* A body of `size` bytes: a byte string that fills it. */
static struct buffer body_of(size_t size)
{
    struct buffer body = {0};
    size_t head = size < 25 ? 1 : size < 258 ? 2 : 3;
    uint8_t *filled = calloc(1, size);

    if (filled == NULL)
        abort();
    memset(filled, 0xee, size);
    cbor_put_bytes(&body, filled, size - head);
    free(filled);
    CHECK(body.size == size);
    return body;
}

static struct buffer sealed_entry(const struct entry_header *header, size_t size)
{
    struct buffer body = body_of(size);
    struct buffer bytes = {0};

    CHECK(entry_seal(&bytes, header, buffer_span(&body), secret, &place, NULL) == 0);
    buffer_free(&body);
    return bytes;
}

static bool parses(struct span bytes)
{
    struct entry entry = {0};
    struct error error = {0};
    bool ok = entry_parse(&entry, bytes, 0, 3, &error) == 0;

    CHECK(ok == (error.code == ERROR_NONE));
    return ok;
}

/* Parses and opens; the body's size, or -1. */
static long opens(struct span bytes)
{
    struct entry entry = {0};
    struct error error = {0};
    struct buffer body = {0};
    long size = -1;

    if (entry_parse(&entry, bytes, 0, 3, NULL) != 0)
        return -1;
    buffer_put(&body, "kept", 4);
    if (entry_open(&body, &entry, secret, &place, &error) == 0)
        size = (long)body.size - 4;
    else
        CHECK(body.size == 4 && error.code != ERROR_NONE);
    buffer_free(&body);
    return size;
}

static void headers_read_back(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 100);
    struct entry entry = {0};

    CHECK(entry_parse(&entry, buffer_span(&bytes), 0, 3, NULL) == 0);
    CHECK(memcmp(&entry.header.seen, &header.seen, sizeof header.seen) == 0);
    CHECK(memcmp(&entry.header.references, &header.references, sizeof header.references) == 0);
    CHECK(memcmp(entry.header.salt, header.salt, SALT_SIZE) == 0);
    CHECK(entry.header.class == ENTRY_SEALED && entry.header.epoch == 7 && entry.header.precedence == 3);
    CHECK(entry.header.seen_count == 2 && entry.header.reference_count == 2);
    CHECK(entry.header_bytes.size + 16 + 32 + 256 + 16 == bytes.size);
    buffer_free(&bytes);
}

static void the_largest_entry_fits(void)
{
    struct entry_header header = {.class = ENTRY_SEALED, .epoch = INT64_MAX, .seen_count = MEMBERS_MAX - 1};
    struct buffer body = body_of(BODY_SIZE_MAX);
    struct buffer bytes = {0};
    struct entry entry = {0};

    for (unsigned i = 0; i < header.seen_count; i++)
        header.seen[i] = (struct seen){.member = (uint8_t)(i + 1), .size = TREE_SIZE_MAX};
    header.reference_count = REFERENCES_MAX;
    for (unsigned i = 0; i < header.reference_count; i++)
        header.references[i] = (struct reference){.member = MEMBERS_MAX - 1, .index = TREE_SIZE_MAX - 1};
    CHECK(entry_seal(&bytes, &header, buffer_span(&body), secret, &place, NULL) == 0);
    CHECK(bytes.size <= ENTRY_SIZE_MAX);
    CHECK(entry_parse(&entry, buffer_span(&bytes), 0, MEMBERS_MAX, NULL) == 0);
    buffer_free(&bytes);
    buffer_free(&body);
}

static void bodies_open_at_every_size_up_to_the_limit(void)
{
    static const size_t sizes[] = {2, 255, 256, 257, 272, 273, 1000, 4096, 61439, BODY_SIZE_MAX};
    struct entry_header header = full_header();
    struct buffer bytes = {0};
    struct buffer body = body_of(BODY_SIZE_MAX + 1);
    struct error error = {0};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buffer sealed = sealed_entry(&header, sizes[i]);

        CHECK(opens(buffer_span(&sealed)) == (long)sizes[i]);
        buffer_free(&sealed);
    }
    CHECK(entry_seal(&bytes, &header, buffer_span(&body), secret, &place, &error) != 0 && error.code == ERROR_INVALID);
    CHECK(entry_seal(&bytes, &header, span_of("", 0), secret, &place, NULL) != 0);
    CHECK(bytes.size == 0);
    buffer_free(&body);
    buffer_free(&bytes);
}

static void padding_is_padme(void)
{
    static const struct {
        size_t size, padded;
    } rows[] = {{1, 256},   {256, 256},   {257, 272},   {272, 272},     {273, 288},     {500, 512},
                {513, 544}, {1000, 1024}, {1025, 1088}, {10000, 10240}, {61440, 61440}, {61441, 63488}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(entry_padded_size(rows[i].size) == rows[i].padded);
    for (size_t size = 1; size < 70000; size++) {
        CHECK(entry_padded_size(size) >= size && entry_padded_size(entry_padded_size(size)) == entry_padded_size(size));
        CHECK(entry_padded_size(size + 1) >= entry_padded_size(size));
        CHECK(size <= 256 || (entry_padded_size(size) - size) * 100 <= size * 12);
    }
}

/* spec/record.md's sealing, written a second time, so that hostile bodies can be sealed as well. */
static struct buffer seal_by_hand(struct span header, struct span padded, const uint8_t *other_tag)
{
    struct buffer bytes = {0};
    struct buffer cipher = {0};
    uint8_t key[HASH_SIZE], tag[HASH_SIZE], numbers[16];
    uint8_t *to = NULL;

    hmac_parts(key, span_of(secret, 32), &(struct span){(const uint8_t *)"salt", 4}, 1);
    hmac_parts(tag, span_of(key, 32), (struct span[]){header, padded}, 2);
    if (other_tag != NULL)
        memcpy(tag, other_tag, 16);
    put_u64_be(numbers, 7);
    put_u64_be(numbers + 8, place.index);
    hmac_parts(key, span_of(secret, 32),
               (struct span[]){span_of("entry", 5), span_of(place.origin_hash, 32), span_of(numbers, 16),
                               span_of(tag, 16), span_of("\1", 1)},
               5);
    buffer_put_span(&bytes, header);
    buffer_put(&bytes, tag, 16);
    to = buffer_extend(&bytes, 32);
    hash_parts(to, (struct span[]){span_of_string("liaison/commit/v1"), span_of(key, 32)}, 2);
    hmac_parts(key, span_of(key, 32), &(struct span){(const uint8_t *)"enc", 3}, 1);
    aead_seal(buffer_extend(&cipher, padded.size + 16), key, 0, buffer_span(&bytes), padded);
    buffer_put_span(&bytes, buffer_span(&cipher));
    buffer_free(&cipher);
    return bytes;
}

/* Parses and opens with a key alone; the body's size, or -1. */
static long opens_with(struct span bytes, const uint8_t key[static ENTRY_KEY_SIZE], struct error *error)
{
    struct entry entry = {0};
    struct buffer body = {0};
    long size = -1;

    if (entry_parse(&entry, bytes, 0, 3, error) != 0)
        return -1;
    buffer_put(&body, "kept", 4);
    if (entry_open_disclosed(&body, &entry, key, error) == 0)
        size = (long)body.size - 4;
    else
        CHECK(body.size == 4);
    buffer_free(&body);
    return size;
}

static void key_of(const struct buffer *bytes, const struct entry_place *where, uint8_t key[static ENTRY_KEY_SIZE])
{
    struct entry entry = {0};

    CHECK(entry_parse(&entry, buffer_span(bytes), 0, 3, NULL) == 0);
    entry_key(key, &entry, secret, where);
}

static void hostile_bodies_do_not_open(void)
{
    static const struct {
        const char *what;
        const char *start; /* hexadecimal; zeros follow */
        size_t padded;
        size_t nonzero; /* index of a byte that is set to 1; 0 for none */
        bool good;
    } rows[] = {
        {"good", "a0", 256, 0, true},
        {"good, full", "58fe", 256, 255, true},
        {"padding not zero at its start", "a0", 256, 1, false},
        {"padding not zero at its end", "a0", 256, 255, false},
        {"more padding than Padme", "a0", 272, 0, false},
        {"the next size of padding", "590102", 288, 0, false},
        {"not canonical", "1801", 256, 0, false},
        {"indefinite length", "9fff", 256, 0, false},
        {"a float", "f90000", 256, 0, false},
        {"keys falling", "a202000100", 256, 0, false},
        {"longer than the padded body", "58ff", 256, 0, false},
        {"too deep", "818181818181818180", 256, 0, false},
    };
    struct entry_header header = full_header();
    struct buffer model = sealed_entry(&header, 10);
    struct span header_bytes = span_of(model.data, model.size - 16 - 32 - 256 - 16);
    uint8_t padded[512], key[ENTRY_KEY_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bytes = {0};

        memset(padded, 0, sizeof padded);
        CHECK(text_from_hex(span_of_string(rows[i].start), padded, strlen(rows[i].start) / 2));
        if (rows[i].nonzero > 0)
            padded[rows[i].nonzero] = 1;
        bytes = seal_by_hand(header_bytes, span_of(padded, rows[i].padded), NULL);
        if ((opens(buffer_span(&bytes)) >= 0) != rows[i].good) {
            printf("# %s\n", rows[i].what);
            CHECK(false);
        }
        key_of(&bytes, &place, key);
        CHECK((opens_with(buffer_span(&bytes), key, NULL) >= 0) == rows[i].good);
        buffer_free(&bytes);
    }
    buffer_free(&model);
}

static void sealing_is_as_the_specification_says(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 300);
    struct buffer body = body_of(300);
    struct buffer by_hand = {0};
    uint8_t padded[304] = {0};

    memcpy(padded, body.data, body.size);
    by_hand = seal_by_hand(span_of(bytes.data, bytes.size - 16 - 32 - 304 - 16), span_of(padded, 304), NULL);
    CHECK(span_equal(buffer_span(&bytes), buffer_span(&by_hand)));
    buffer_free(&by_hand);
    buffer_free(&body);
    buffer_free(&bytes);
}

/* Disclosure: the key of one entry opens it, and none of its neighbours, whatever they say. */
static void its_own_key_opens_an_entry_and_no_other(void)
{
    struct entry_header header = full_header();
    struct buffer bytes[4] = {0};
    struct buffer body = body_of(40);
    uint8_t key[4][ENTRY_KEY_SIZE];

    for (unsigned i = 0; i < 4; i++) {
        struct entry_place at = place;

        at.index += i / 2; /* two texts at each of two places */
        header.salt[0] = (uint8_t)i;
        CHECK(entry_seal(&bytes[i], &header, buffer_span(&body), secret, &at, NULL) == 0);
        key_of(&bytes[i], &at, key[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 4; k++) {
            struct error error = {0};

            CHECK(opens_with(buffer_span(&bytes[i]), key[k], &error) == (i == k ? 40 : -1));
            CHECK(i == k || error.code == ERROR_MISMATCH);
        }
    CHECK(opens_with(buffer_span(&bytes[0]), secret, NULL) == -1);
    for (unsigned i = 0; i < 4; i++)
        buffer_free(&bytes[i]);
    buffer_free(&body);
}

/* With the key alone the tag cannot be computed again, but it is within what the AEAD protects. */
static void nothing_changed_opens_with_its_key(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 40);
    uint8_t key[ENTRY_KEY_SIZE];

    key_of(&bytes, &place, key);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(opens_with(buffer_span(&bytes), key, NULL) < 0);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < ENTRY_KEY_SIZE * 8; bit++) {
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(opens_with(buffer_span(&bytes), key, NULL) < 0);
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(opens_with(buffer_span(&bytes), key, NULL) == 40);
    buffer_free(&bytes);
}

/* Everything authentic but the tag, which is not the text's: two texts could stand under one key so. */
static void a_tag_that_is_not_the_texts_is_refused(void)
{
    static const uint8_t other[16] = {9};
    struct entry_header header = full_header();
    struct buffer model = sealed_entry(&header, 10);
    uint8_t padded[256] = {0xa0};
    struct buffer bytes =
        seal_by_hand(span_of(model.data, model.size - 16 - 32 - 256 - 16), span_of(padded, 256), other);

    CHECK(opens(buffer_span(&bytes)) < 0);
    buffer_free(&bytes);
    buffer_free(&model);
}

static void no_truncation_opens(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 1000);

    for (size_t size = 0; size < bytes.size; size++)
        CHECK(opens(span_of(bytes.data, size)) < 0);
    buffer_put_u8(&bytes, 0);
    CHECK(opens(buffer_span(&bytes)) < 0);
    buffer_free(&bytes);
}

static void no_flipped_bit_opens(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 40);

    CHECK(opens(buffer_span(&bytes)) == 40);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(opens(buffer_span(&bytes)) < 0);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_free(&bytes);
}

/* What is parsed is what would be written: of every truncation and flipped bit of clear entries as well. */
static void what_parses_is_what_is_written(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = {0};
    unsigned accepted = 0;

    header.class = ENTRY_HELD;
    header.epoch = 0;
    entry_clear(&bytes, &header, span_of("\xa1\x01\x82\x18\x64\x61\x61", 7));
    CHECK(parses(buffer_span(&bytes)));
    for (size_t size = 0; size < bytes.size; size++)
        CHECK(!parses(span_of(bytes.data, size)));
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        struct entry entry = {0};
        struct buffer again = {0};

        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (entry_parse(&entry, buffer_span(&bytes), 0, 3, NULL) == 0 && entry.header.class != ENTRY_SEALED) {
            accepted++;
            entry_clear(&again, &entry.header, entry.body);
            CHECK(span_equal(buffer_span(&again), buffer_span(&bytes)));
            buffer_free(&again);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(accepted > 800); /* salt and hashes are free */
    buffer_put_u8(&bytes, 0);
    CHECK(!parses(buffer_span(&bytes)));
    buffer_free(&bytes);
}

static void bad_headers_are_refused(void)
{
    enum {
        GOOD,
        CLASS,
        PRECEDENCE,
        EPOCH_OF_CLEAR,
        EPOCH_HUGE,
        SEEN_AUTHOR,
        SEEN_STRANGER,
        SEEN_FALLING,
        SEEN_TWICE,
        SEEN_EMPTY,
        SEEN_HUGE,
        RE_STRANGER,
        RE_HUGE,
        UNKNOWN_CLASS,
        ROWS
    };

    for (int row = GOOD; row < ROWS; row++) {
        struct entry_header header = full_header();
        struct buffer bytes = {0};

        header.class = ENTRY_EPOCH;
        switch (row) {
        case CLASS:
            header.class = ENTRY_CLASS_MAX + 1;
            break;
        case UNKNOWN_CLASS:
            header.class = ENTRY_CLASS_MAX;
            break;
        case PRECEDENCE:
            header.precedence = PRECEDENCE_FLASH + 1;
            break;
        case EPOCH_OF_CLEAR:
            header.class = ENTRY_PREKEYS;
            break;
        case EPOCH_HUGE:
            header.epoch = (uint64_t)INT64_MAX + 1;
            break;
        case SEEN_AUTHOR:
            header.seen[0].member = 0;
            break;
        case SEEN_STRANGER:
            header.seen[1].member = 3;
            break;
        case SEEN_FALLING:
            header.seen[0].member = 2;
            header.seen[1].member = 1;
            break;
        case SEEN_TWICE:
            header.seen[1].member = 1;
            break;
        case SEEN_EMPTY:
            header.seen[0].size = 0;
            break;
        case SEEN_HUGE:
            header.seen[1].size++;
            break;
        case RE_STRANGER:
            header.references[0].member = 3;
            break;
        case RE_HUGE:
            header.references[0].index = TREE_SIZE_MAX;
            break;
        default:
            break;
        }
        entry_clear(&bytes, &header, span_of("\xa0", 1));
        if (parses(buffer_span(&bytes)) != (row == GOOD || row == UNKNOWN_CLASS)) {
            printf("# row %d\n", row);
            CHECK(false);
        }
        buffer_free(&bytes);
    }
}

/* Headers that no writer of ours could make, in hexadecimal before the salt: 06 50 and 16 bytes. */
static void malformed_headers_are_refused(void)
{
    static const struct {
        const char *hex;
        bool good;
    } rows[] = {
        {"a70001010502000300048005800650", true},
        {"a7000201050200030004800580"
         "0650",
         false},                                   /* version 2 */
        {"a60001010502000300048005800650", false}, /* another count */
        {"a80001010502000300048005800650", false},
        {"a70101000502000300048005800650", false}, /* keys in another order */
        {"a70001010502000300058004800650", false},
        {"a7000101050200030004a005800650", false}, /* seen is a map */
        {"a70001010502000300048005a00650", false},
        {"a7000118050200030004800580"
         "0650",
         false}, /* a key not in its shortest form */
        {"a700010118050200030004800580"
         "0650",
         false},
        {"a70001010502000300048005800651", false}, /* a salt of 17 bytes */
        {"a7000101050200030004800580064f", false}, /* of 15 */
        {"a70001010502000300048005800670", false}, /* as text */
        {"a70001010502200300048005800650", false}, /* a negative epoch */
        {"a70001010502000300048180"
         "05800650",
         false},                                     /* a seen of no items */
        {"a7000101050200030004818301015820", false}, /* cut off */
        {"bf0001010502000300048005800650", false},   /* indefinite length */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bytes = {0};
        size_t size = strlen(rows[i].hex) / 2;

        CHECK(text_from_hex(span_of_string(rows[i].hex), buffer_extend(&bytes, size), size));
        buffer_put(&bytes, "\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0", 16);
        buffer_put(&bytes, "\xa0", 1);
        if (parses(buffer_span(&bytes)) != rows[i].good) {
            printf("# %s\n", rows[i].hex);
            CHECK(false);
        }
        buffer_free(&bytes);
    }
}

static void a_newer_version_is_said_to_be_newer(void)
{
    struct entry entry = {0};
    struct error error = {0};

    CHECK(entry_parse(&entry, span_of("\xa7\x00\x02", 3), 0, 3, &error) != 0 && error.code == ERROR_VERSION);
}

static void lengths_that_no_padding_gives_are_refused(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, BODY_SIZE_MAX);
    size_t fixed = bytes.size - BODY_SIZE_MAX;
    size_t accepted = 0;

    for (size_t padded = 0; padded <= BODY_SIZE_MAX; padded++) {
        bool good = padded >= 256 && entry_padded_size(padded) == padded;

        CHECK(parses(span_of(bytes.data, fixed + padded)) == good);
        accepted += good;
    }
    CHECK(accepted > 50);
    buffer_put(&bytes, bytes.data, 2048);
    CHECK(!parses(buffer_span(&bytes)));
    buffer_free(&bytes);
}

static void an_entry_opens_at_its_own_place_only(void)
{
    struct entry_header header = full_header();
    struct buffer bytes = sealed_entry(&header, 40);
    struct entry entry = {0};
    struct buffer body = {0};

    CHECK(entry_parse(&entry, buffer_span(&bytes), 0, 3, NULL) == 0);
    for (int what = 0; what < 6; what++) {
        struct entry_place other = place;
        struct entry changed = entry;
        uint8_t key[EPOCH_SECRET_SIZE];

        memcpy(key, secret, sizeof key);
        if (what == 1)
            other.index++;
        if (what == 2)
            entry_place_of(&other, &line.charter, 1, 0, place.index);
        if (what == 3)
            entry_place_of(&other, &line.charter, 0, 1, place.index);
        if (what == 4)
            changed.header.epoch++;
        if (what == 5)
            key[0] ^= 1;
        CHECK((entry_open(&body, &changed, key, &other, NULL) == 0) == (what == 0));
    }
    buffer_free(&body);
    buffer_free(&bytes);
}

static void a_clear_entry_is_not_opened(void)
{
    struct entry entry = {.header.class = ENTRY_LEAVE};
    struct buffer body = {0};

    CHECK(entry_open(&body, &entry, secret, &place, NULL) != 0);
    buffer_free(&body);
}

/* A restored office seals another text at the same place, under the same secret, even with the same salt: the key,
 * and so its commitment, is another. The same text gives the same bytes. */
static void two_texts_never_stand_under_one_key(void)
{
    struct entry_header header = full_header();
    struct entry one = {0}, two = {0}, three = {0};
    struct buffer a = sealed_entry(&header, 40), b = sealed_entry(&header, 41), again = sealed_entry(&header, 40), c;

    header.precedence = PRECEDENCE_ROUTINE;
    c = sealed_entry(&header, 40);
    CHECK(span_equal(buffer_span(&a), buffer_span(&again)));
    CHECK(entry_parse(&one, buffer_span(&a), 0, 3, NULL) == 0 && entry_parse(&two, buffer_span(&b), 0, 3, NULL) == 0 &&
          entry_parse(&three, buffer_span(&c), 0, 3, NULL) == 0);
    CHECK(!span_equal(one.commitment, two.commitment) && !span_equal(one.tag, two.tag));
    CHECK(!span_equal(one.commitment, three.commitment) && !span_equal(one.tag, three.tag));
    buffer_free(&c);
    buffer_free(&again);
    buffer_free(&b);
    buffer_free(&a);
}

static void held_reads_back(void)
{
    struct reference held[3] = {{.member = 1, .index = 5, .leaf = {1}}, {.member = 2, .index = 0, .leaf = {2}}};
    struct reference read[3] = {0};
    struct buffer body = {0};
    size_t count = 0;

    held_put(&body, held, 2);
    CHECK(held_read(buffer_span(&body), read, 3, &count) == 0 && count == 2 && memcmp(held, read, sizeof held) == 0);
    CHECK(held_read(buffer_span(&body), read, 1, &count) != 0);
    for (size_t size = 0; size < body.size; size++)
        CHECK(held_read(span_of(body.data, size), read, 3, &count) != 0);
    buffer_put_u8(&body, 0);
    CHECK(held_read(buffer_span(&body), read, 3, &count) != 0);
    buffer_reset(&body);
    held_put(&body, held, 0);
    CHECK(held_read(buffer_span(&body), read, 3, &count) != 0);
    held[0].member = MEMBERS_MAX;
    buffer_reset(&body);
    held_put(&body, held, 1);
    CHECK(held_read(buffer_span(&body), read, 3, &count) != 0);
    buffer_free(&body);
}

static void precedences_have_names(void)
{
    for (unsigned i = 0; i <= PRECEDENCE_FLASH; i++)
        CHECK(precedence_from_name(span_of_string(precedence_name(i))) == (int)i);
    CHECK(precedence_from_name(span_of_string("Flash")) == -1 && precedence_from_name(span_of_string("")) == -1);
    CHECK(strcmp(precedence_name(4), "unknown") == 0);
}

static void an_entry_that_is_too_long_is_refused_unread(void)
{
    struct buffer bytes = {0};
    struct entry entry = {0};
    struct error error = {0};
    uint8_t *to = buffer_extend(&bytes, ENTRY_SIZE_MAX + 1);

    if (to == NULL)
        abort();
    memset(to, 0, ENTRY_SIZE_MAX + 1);
    CHECK(entry_parse(&entry, buffer_span(&bytes), 0, 3, &error) == -1);
    CHECK(error.code == ERROR_INVALID && strstr(error.message, "the most is") != NULL);
    buffer_free(&bytes);
}

static void without_memory_nothing_is_sealed_and_nothing_opened(void)
{
    struct entry_header header = full_header();
    struct buffer sealed = sealed_entry(&header, 1000);
    struct buffer body = body_of(1000);
    struct entry entry = {0};

    CHECK(entry_parse(&entry, buffer_span(&sealed), 0, 3, NULL) == 0);
    for (size_t n = 1;; n++) {
        struct buffer bytes = {0}, plain = {0};
        struct error seal_error = {0}, open_error = {0}, disclosed_error = {0};
        int seals = 0, opens_ = 0;
        bool ran_out = false;

        memory_fail(n);
        seals = entry_seal(&bytes, &header, buffer_span(&body), secret, &place, &seal_error);
        ran_out = memory_ran_out();
        CHECK(seals == (ran_out ? -1 : 0) && seal_error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        CHECK(ran_out || span_equal(buffer_span(&bytes), buffer_span(&sealed)));
        memory_fail(1);
        opens_ = entry_open(&plain, &entry, secret, &place, &open_error);
        CHECK(memory_ran_out());
        CHECK(opens_ == -1 && open_error.code == ERROR_SYSTEM && plain.size == 0);
        buffer_free(&plain);
        memory_fail(1);
        opens_ = entry_open_disclosed(&plain, &entry, secret, &disclosed_error);
        CHECK(memory_ran_out());
        CHECK(opens_ == -1 && disclosed_error.code == ERROR_SYSTEM && plain.size == 0);
        buffer_free(&bytes);
        buffer_free(&plain);
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
    buffer_free(&sealed);
    buffer_free(&body);
}

int main(void)
{
    test_line_found(&line, 3, "entry");
    entry_place_of(&place, &line.charter, 0, 0, 17);
    entropy_fill(&line.entropy, secret, sizeof secret);
    RUN(headers_read_back);
    RUN(the_largest_entry_fits);
    RUN(bodies_open_at_every_size_up_to_the_limit);
    RUN(padding_is_padme);
    RUN(sealing_is_as_the_specification_says);
    RUN(hostile_bodies_do_not_open);
    RUN(a_tag_that_is_not_the_texts_is_refused);
    RUN(its_own_key_opens_an_entry_and_no_other);
    RUN(nothing_changed_opens_with_its_key);
    RUN(no_truncation_opens);
    RUN(no_flipped_bit_opens);
    RUN(what_parses_is_what_is_written);
    RUN(bad_headers_are_refused);
    RUN(malformed_headers_are_refused);
    RUN(a_newer_version_is_said_to_be_newer);
    RUN(lengths_that_no_padding_gives_are_refused);
    RUN(an_entry_opens_at_its_own_place_only);
    RUN(a_clear_entry_is_not_opened);
    RUN(two_texts_never_stand_under_one_key);
    RUN(held_reads_back);
    RUN(precedences_have_names);
    RUN(an_entry_that_is_too_long_is_refused_unread);
    RUN(without_memory_nothing_is_sealed_and_nothing_opened);
    test_line_free(&line);
    return test_end();
}
