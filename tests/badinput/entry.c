/*
 * Entries, the bodies of those of a clear class, and wraps of an epoch's secret.
 */
#include "record/epoch.h"

#include "items.h"
#include "record/line.h"

#define MEMBERS 3
#define AUTHOR 0

static struct test_line line;

/* --- entries in the clear ---------------------------------------------------------------------------------------- */

static int feed_entry(void *context, struct span input, struct error *error)
{
    struct entry entry;

    (void)context;
    return entry_parse(&entry, input, AUTHOR, MEMBERS, error);
}

static const struct interface entry_in = {"entry", feed_entry, NULL, NULL};

static const struct part entry_parts[] = {
    {"the version", "at its version"},
    {"the class", "at its class"},
    {"the epoch", "at its epoch"},
    {"the precedence", "at its precedence"},
    {"seen", "at its list of what its author had seen"},
    {"re", "at its list of what it refers to"},
    {"the salt", "at its salt"},
};

static struct entry_header header_of(unsigned class)
{
    struct entry_header header = {
        .class = class, .precedence = PRECEDENCE_FLASH, .seen_count = 2, .reference_count = 2};

    header.epoch = class == ENTRY_SEALED ? 300 : 0;
    for (unsigned i = 0; i < 2; i++) {
        header.seen[i] = (struct seen){.member = (uint8_t)(1 + i), .size = 1000 + i};
        memset(header.seen[i].root, 0x30 + (int)i, HASH_SIZE);
        header.references[i] = (struct reference){.member = (uint8_t)(2 * i), .index = 17 + i};
        memset(header.references[i].leaf, 0x40 + (int)i, HASH_SIZE);
    }
    memset(header.salt, 0x50, SALT_SIZE);
    return header;
}

static const uint8_t empty_map = 0xa0;

/* The specimens: an entry of departure, and its header by itself, to whose end a body may be put. */
static struct buffer leave, header_bytes;
static struct specimen leave_items;

static void entries_begin(void)
{
    struct entry_header header = header_of(ENTRY_LEAVE);

    entry_clear(&leave, &header, span_of(&empty_map, 1));
    entry_clear(&header_bytes, &header, span_of(NULL, 0));
    leave_items = (struct specimen){.on = &entry_in,
                                    .bytes = buffer_span(&leave),
                                    .name = "one of the class leave",
                                    .part = entry_parts,
                                    .whole = "the entry's header is not well-formed at its map of seven",
                                    .any = "the entry's "};
    specimen_note(&leave_items);
}

static void entry_forms(void)
{
    family_begin("entries with numbers in forms that are not the shortest");
    good(&entry_in, buffer_span(&leave), "one of the class leave");
    bad_forms(&leave_items);
    family_end();
    family_begin("entries with an item of another type");
    bad_types(&leave_items);
    family_end();
    family_begin("entries with a length or count that is not what follows");
    bad_lengths(&leave_items);
    family_end();
    family_begin("entries with another key");
    bad_keys(&leave_items);
    family_end();
    family_begin("entries with a part missing, doubled or exchanged");
    bad_order(&leave_items);
    family_end();
    family_begin("entries cut short");
    bad_cuts(&leave_items, 1);
    family_end();
    family_begin("entries with something behind");
    bad_tails(&leave_items, "the entry's body is not one canonical item");
    family_end();
}

static void entry_numbers(void)
{
    family_begin("entries with numbers out of bounds");
    bad_numbers(&leave_items, "the class", ENTRY_CLASS_MAX);
    bad_numbers(&leave_items, "the epoch", INT64_MAX);
    bad_numbers(&leave_items, "the precedence", PRECEDENCE_FLASH);
    bad_numbers(&leave_items, "seen[0][0]", MEMBERS - 1);
    bad_numbers(&leave_items, "seen[0][1]", TREE_SIZE_MAX);
    bad_numbers(&leave_items, "seen[1][0]", MEMBERS - 1);
    bad_numbers(&leave_items, "seen[1][1]", TREE_SIZE_MAX);
    bad_numbers(&leave_items, "re[0][0]", MEMBERS - 1);
    bad_numbers(&leave_items, "re[0][1]", TREE_SIZE_MAX - 1);
    bad_numbers(&leave_items, "re[1][0]", MEMBERS - 1);
    bad_numbers(&leave_items, "re[1][1]", TREE_SIZE_MAX - 1);
    family_end();
}

static void bad_version(uint64_t version)
{
    uint8_t head[9];
    size_t size = put_head(head, UINT, shortest(version), version);
    struct buffer out = {0};
    char fragment[64];

    replaced(&leave_items, 2, 1, span_of(head, size), &out);
    (void)snprintf(fragment, sizeof fragment, "the entry is of version %llu", (unsigned long long)version);
    bad(&entry_in, buffer_span(&out), ERROR_VERSION, fragment, "of version %llu", (unsigned long long)version);
    buffer_free(&out);
}

static void bad_header(const struct entry_header *header, const char *fragment, const char *name)
{
    struct buffer out = {0};

    entry_clear(&out, header, span_of(&empty_map, 1));
    bad(&entry_in, buffer_span(&out), ERROR_INVALID, fragment, "%s", name);
    buffer_free(&out);
}

static void entry_meanings(void)
{
    static const uint64_t versions[] = {0,   2,     3,          23,         24,        255,
                                        256, 65536, UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX};
    static const char *const clear[] = {"charter", "prekeys", NULL, NULL, "held", "leave"};
    const char *seen = entry_parts[4].fragment;
    struct entry_header header;
    char name[80];

    family_begin("entries of another version");
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        bad_version(versions[i]);
    family_end();
    family_begin("entries whose header contradicts itself");
    for (unsigned class = 0; class <= ENTRY_LEAVE; class ++) {
        if (clear[class] == NULL)
            continue;
        header = header_of(class);
        for (header.epoch = 1; header.epoch != 0; header.epoch = header.epoch == 1 ? INT64_MAX : 0) {
            (void)snprintf(name, sizeof name, "the class %s in epoch %llu", clear[class],
                           (unsigned long long)header.epoch);
            bad_header(&header, "at its epoch", name);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        header = header_of(ENTRY_LEAVE);
        header.seen[i].member = AUTHOR;
        (void)snprintf(name, sizeof name, "seen[%u] names the author", i);
        bad_header(&header, seen, name);
        header = header_of(ENTRY_LEAVE);
        header.seen[i].size = 0;
        (void)snprintf(name, sizeof name, "seen[%u] is of size 0", i);
        bad_header(&header, seen, name);
    }
    header = header_of(ENTRY_LEAVE);
    header.seen[1].member = 1;
    bad_header(&header, seen, "seen names a member twice");
    header.seen[0].member = 2;
    bad_header(&header, seen, "seen falls");
    header = header_of(ENTRY_LEAVE);
    header.seen_count = 3;
    header.seen[2] = header.seen[1];
    bad_header(&header, seen, "seen names three of three members");
    header = header_of(ENTRY_LEAVE);
    header.reference_count = REFERENCES_MAX;
    for (unsigned i = 2; i < REFERENCES_MAX; i++)
        header.references[i] = header.references[0];
    header.references[REFERENCES_MAX - 1].member = MEMBERS;
    bad_header(&header, entry_parts[5].fragment, "the last of 64 references names no member");
    family_end();
}

static void bad_sealed_body(const void *body, size_t size, const char *name);

/* In the clear and sealed; but behind a sealed body are zeros, which may make it whole. */
static void bad_body(const void *body, size_t size, const char *name)
{
    struct buffer out = {0};

    buffer_put_span(&out, buffer_span(&header_bytes));
    buffer_put(&out, body, size);
    bad(&entry_in, buffer_span(&out), ERROR_INVALID, "the entry's body is not one canonical item", "a body of %s",
        name);
    buffer_free(&out);
    if (strcmp(name, "two items") != 0 && strstr(name, " without its item") == NULL &&
        strstr(name, " no value") == NULL)
        bad_sealed_body(body, size, name);
}

static void entry_bodies(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } bodies[] = {
        {"\x20", 1, "minus one"},
        {"\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9, "minus 2^64"},
        {"\xc0\x00", 2, "a tagged number"},
        {"\xf4", 1, "false"},
        {"\xf5", 1, "true"},
        {"\xf6", 1, "null"},
        {"\xf7", 1, "undefined"},
        {"\xf9\x00\x00", 3, "a half float"},
        {"\xfa\x7f\xc0\x00\x00", 5, "a float that is no number"},
        {"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", 9, "an infinite double"},
        {"\xff", 1, "a break"},
        {"\x5f\x41\x00\xff", 4, "bytes in pieces"},
        {"\x7f\x61x\xff", 4, "text in pieces"},
        {"\x9f\xff", 2, "an array without a count"},
        {"\xbf\xff", 2, "a map without a count"},
        {"\xa2\x00\x00\x00\x00", 5, "a map with a key twice"},
        {"\xa2\x01\x00\x00\x00", 5, "a map with falling keys"},
        {"\xa1\x60\x00", 3, "a map with a key of text"},
        {"\xa1\x40\x00", 3, "a map with a key of bytes"},
        {"\xa1\x80\x00", 3, "a map with a key that is an array"},
        {"\xa1\x00", 2, "a map with a key and no value"},
        {"\x81", 1, "an array without its item"},
        {"\x61\xff", 2, "text with the byte 0xff"},
        {"\x61\x80", 2, "text with a continuation byte alone"},
        {"\x62\xc0\x80", 3, "text with an overlong zero"},
        {"\x62\xc1\xbf", 3, "text with an overlong letter"},
        {"\x63\xe0\x80\xaf", 4, "text with an overlong slash of three bytes"},
        {"\x64\xf0\x80\x80\xaf", 5, "text with an overlong slash of four bytes"},
        {"\x63\xed\xa0\x80", 4, "text with half a surrogate pair"},
        {"\x66\xed\xa0\xbd\xed\xb8\x80", 7, "text with a surrogate pair"},
        {"\x64\xf4\x90\x80\x80", 5, "text beyond U+10FFFF"},
        {"\x65\xf8\x88\x80\x80\x80", 6, "text with a character of five bytes"},
        {"\x61\xc3", 2, "text that ends within a character"},
        {"\x18\x17", 2, "23 in two bytes"},
        {"\x19\x00\xff", 3, "255 in three bytes"},
        {"\x1a\x00\x00\xff\xff", 5, "65535 in five bytes"},
        {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9, "2^32-1 in nine bytes"},
        {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9, "2^64-1 bytes that do not follow"},
        {"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", 9, "2^63-1 items that do not follow"},
        {"\xbb\x80\x00\x00\x00\x00\x00\x00\x00", 9, "2^63 pairs that do not follow"},
        {"\x1c", 1, "the reserved number 28"},
        {"\x00\x00", 2, "two items"},
    };
    uint8_t nest[64];
    char name[80];

    family_begin("entries whose body is not canonical");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        bad_body(bodies[i].bytes, bodies[i].size, bodies[i].name);
    for (size_t depth = CBOR_DEPTH_MAX + 1; depth <= 60; depth += depth < 12 ? 1 : 16) {
        memset(nest, 0x81, depth);
        nest[depth] = 0;
        (void)snprintf(name, sizeof name, "%zu arrays within each other", depth);
        bad_body(nest, depth + 1, name);
    }
    for (size_t depth = CBOR_DEPTH_MAX + 1; depth <= 24; depth += 5) {
        for (size_t i = 0; i < depth; i++)
            memcpy(nest + 2 * i, "\xa1\x00", 2);
        nest[2 * depth] = 0;
        (void)snprintf(name, sizeof name, "%zu maps within each other", depth);
        bad_body(nest, 2 * depth + 1, name);
    }
    family_end();
}

static void entry_sizes(void)
{
    static const size_t sizes[] = {ENTRY_SIZE_MAX + 1, 65537, 100000, 1 << 20};
    struct buffer out = {0};

    family_begin("entries that are too long");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t body = sizes[i] - header_bytes.size - 5;
        char fragment[64];

        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&header_bytes));
        cbor_put_bytes(&out, NULL, 0);
        out.size--;
        buffer_put_u8(&out, 0x5a);
        buffer_put_u32(&out, (uint32_t)body);
        memset(buffer_extend(&out, body), 'x', body);
        (void)snprintf(fragment, sizeof fragment, "the entry has %zu bytes", sizes[i]);
        bad(&entry_in, buffer_span(&out), ERROR_INVALID, fragment, "of %zu bytes", sizes[i]);
    }
    buffer_free(&out);
    family_end();
}

/* --- sealed entries ---------------------------------------------------------------------------------------------- */

static struct {
    struct entry_place place;
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct buffer entry; /* good */
    struct buffer body;  /* what was opened */
    size_t header;       /* bytes */
} sealed;

static int feed_sealed(void *context, struct span input, struct error *error)
{
    struct entry entry;
    size_t before = sealed.body.size;

    (void)context;
    if (entry_parse(&entry, input, AUTHOR, MEMBERS, error) != 0 ||
        entry_open(&sealed.body, &entry, sealed.secret, &sealed.place, error) != 0)
        return -1;
    sealed.body.size = before;
    return 0;
}

/* Nothing is appended when an entry does not open. */
static void picture_sealed(void *context, struct buffer *out)
{
    (void)context;
    buffer_put_span(out, buffer_span(&sealed.body));
}

static const struct interface sealed_in = {"sealed entry", feed_sealed, picture_sealed, NULL};

static void seal_into(struct buffer *out, const struct entry_header *header, const struct entry_place *place,
                      uint8_t secret, const char *text)
{
    uint8_t key[EPOCH_SECRET_SIZE];
    struct buffer body = {0};
    struct error error = {0};

    memset(key, secret, sizeof key);
    cbor_put_text(&body, span_of_string(text));
    buffer_reset(out);
    if (entry_seal(out, header, buffer_span(&body), key, place, &error) != 0)
        abort();
    buffer_free(&body);
}

static void sealed_begin(void)
{
    struct entry_header header = header_of(ENTRY_SEALED);
    struct buffer alone = {0};

    memset(sealed.secret, 9, sizeof sealed.secret);
    buffer_print(&sealed.body, "what was there before");
    entry_place_of(&sealed.place, &line.charter, AUTHOR, 0, 41);
    seal_into(&sealed.entry, &header, &sealed.place, 9, "We have read your note of yesterday.");
    entry_clear(&alone, &header, span_of(NULL, 0));
    sealed.header = alone.size;
    buffer_free(&alone);
}

static void bad_sealed_body(const void *body, size_t size, const char *name)
{
    struct entry_header header = header_of(ENTRY_SEALED);
    struct buffer out = {0};

    if (entry_seal(&out, &header, span_of(body, size), sealed.secret, &sealed.place, NULL) != 0)
        abort();
    bad(&sealed_in, buffer_span(&out), ERROR_INVALID, "opens, but its tag, body or padding is not as the format says",
        "a body of %s", name);
    buffer_free(&out);
}

static void bad_place(const struct entry_place *place, unsigned class_epoch, uint8_t secret, const char *name)
{
    struct entry_header header = header_of(ENTRY_SEALED);
    struct buffer out = {0};

    header.epoch = class_epoch;
    seal_into(&out, &header, place, secret, "We have read your note of yesterday.");
    bad(&sealed_in, buffer_span(&out), ERROR_MISMATCH, "commits to another key than its epoch gives", "%s", name);
    buffer_free(&out);
}

static void sealed_places(void)
{
    static const uint64_t indexes[] = {0, 40, 42, UINT32_MAX, UINT64_MAX};
    struct entry_place place;
    char name[80];

    family_begin("sealed entries that stand elsewhere than they were sealed for");
    good(&sealed_in, buffer_span(&sealed.entry), "the specimen");
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        place = sealed.place;
        place.index = indexes[i];
        (void)snprintf(name, sizeof name, "sealed as number %llu, found as 41", (unsigned long long)indexes[i]);
        bad_place(&place, 300, 9, name);
    }
    for (unsigned member = 1; member < MEMBERS; member++) {
        entry_place_of(&place, &line.charter, member, 0, 41);
        (void)snprintf(name, sizeof name, "sealed for the log of member %u", member);
        bad_place(&place, 300, 9, name);
    }
    entry_place_of(&place, &line.charter, AUTHOR, 1, 41);
    bad_place(&place, 300, 9, "sealed for the log's next incarnation");
    for (unsigned secret = 0; secret < 4; secret++) {
        (void)snprintf(name, sizeof name, "sealed under the secret of 32 times %u", secret);
        bad_place(&sealed.place, 300, (uint8_t)secret, name);
    }
    family_end();
}

/* Where a byte of a sealed entry lies. */
static const char *region(size_t at)
{
    size_t behind = at - sealed.header;

    if (at < sealed.header)
        return "the header";
    return behind < ENTRY_TAG_SIZE               ? "the tag"
           : behind < ENTRY_TAG_SIZE + HASH_SIZE ? "the commitment"
           : at < sealed.entry.size - 16         ? "the sealed body"
                                                 : "the AEAD tag";
}

static void sealed_bits(void)
{
    struct buffer out = {0};

    family_begin("sealed entries with a bit changed");
    for (size_t at = sealed.header - SALT_SIZE; at < sealed.entry.size; at += at < sealed.header + 48 ? 1 : 7) {
        bool opens = at < sealed.header || at >= sealed.header + ENTRY_TAG_SIZE + HASH_SIZE;

        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&sealed.entry));
        out.data[at] ^= (uint8_t)(1u << at % 8);
        bad(&sealed_in, buffer_span(&out), ERROR_MISMATCH,
            opens ? "does not open under its own key" : "commits to another key", "bit %zu of byte %zu changed, in %s",
            at % 8, at, region(at));
    }
    buffer_free(&out);
    family_end();
}

static void sealed_sizes(void)
{
    size_t before = sealed.header + ENTRY_TAG_SIZE + HASH_SIZE;
    struct buffer out = {0};

    family_begin("sealed entries of a length that no padding gives");
    for (size_t size = 0; size < sealed.entry.size - before + 80; size += size < 8 ? 1 : 3) {
        if (before + size == sealed.entry.size || entry_padded_size(size - 16) == size - 16)
            continue;
        buffer_reset(&out);
        buffer_put(&out, sealed.entry.data, before);
        memset(buffer_extend(&out, size), 7, size);
        bad(&sealed_in, buffer_span(&out), ERROR_INVALID, "length is none that padding gives",
            "a sealed body of %zu bytes", size);
    }
    buffer_free(&out);
    catalogue.cut = true;
    for (size_t at = sealed.header; at < before; at += 4)
        bad(&sealed_in, span_of(sealed.entry.data, at), ERROR_INVALID, "length is none that padding gives",
            "cut after byte %zu of %zu, in %s", at, sealed.entry.size, region(at));
    family_end();
}

/* --- bodies ------------------------------------------------------------------------------------------------------ */

static int feed_prekeys(void *context, struct span input, struct error *error)
{
    static struct prekeys prekeys;

    (void)context;
    return prekeys_read(&prekeys, input, AUTHOR, MEMBERS, error);
}

static int feed_epoch(void *context, struct span input, struct error *error)
{
    struct epoch epoch;

    (void)context;
    return epoch_read(&epoch, input, AUTHOR, MEMBERS, error);
}

static const struct interface prekeys_in = {"prekeys", feed_prekeys, NULL, NULL};
static const struct interface epoch_in = {"epoch", feed_epoch, NULL, NULL};

static void bad_specimen(struct specimen *specimen, const char *tail)
{
    specimen_note(specimen);
    good(specimen->on, specimen->bytes, specimen->name);
    bad_forms(specimen);
    bad_types(specimen);
    bad_lengths(specimen);
    bad_keys(specimen);
    bad_order(specimen);
    bad_tails(specimen, tail);
    bad_cuts(specimen, 5);
}

static void prekeys_fill(struct prekeys *prekeys)
{
    *prekeys = (struct prekeys){.count = 2};
    for (unsigned i = 0; i < 2; i++) {
        prekeys->batch[i].author = (uint8_t)(1 + i);
        prekeys->batch[i].first = 1000 * i;
        prekeys->batch[i].keys = 2 - i;
        for (unsigned k = 0; k < 2 - i; k++) {
            uint8_t secret[DH_SIZE];

            memset(secret, (int)(1 + 2 * i + k), sizeof secret);
            dh_public(prekeys->batch[i].key[k], secret);
        }
    }
}

static void bad_prekeys(const struct prekeys *prekeys, const char *name)
{
    struct buffer out = {0};

    prekeys_put(prekeys, &out);
    bad(&prekeys_in, buffer_span(&out), ERROR_INVALID, "the entry of prekeys is not well-formed at its batches of keys",
        "%s", name);
    buffer_free(&out);
}

static void prekeys_table(void)
{
    static const struct part parts[] = {{"voids", "at its word on earlier prekeys"},
                                        {"batches", "at its batches of keys"}};
    static const struct {
        const char *name;
        const char *key;
    } keys[] = {
        {"of zeros", "0000000000000000000000000000000000000000000000000000000000000000"},
        {"of order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
        {"of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
        {"of order 8, the other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
        {"of p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
        {"of p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
        {"of p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
        {"with its top bit set", "0900000000000000000000000000000000000000000000000000000000000080"},
        {"of ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    };
    static struct prekeys prekeys;
    struct buffer bytes = {0};
    struct specimen specimen = {.on = &prekeys_in,
                                .name = "two batches",
                                .part = parts,
                                .whole = "at its map of two",
                                .any = "the entry of prekeys is not well-formed at "};
    char name[80];

    prekeys_fill(&prekeys);
    prekeys_put(&prekeys, &bytes);
    specimen.bytes = buffer_span(&bytes);
    family_begin("bodies of prekeys that are not well-formed");
    bad_specimen(&specimen, "at its end, after which something follows");
    family_end();
    family_begin("bodies of prekeys with numbers out of bounds");
    bad_numbers(&specimen, "voids", 1);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "batches[%u][0]", i);
        bad_numbers(&specimen, name, MEMBERS - 1);
        (void)snprintf(name, sizeof name, "batches[%u][1]", i);
        bad_numbers(&specimen, name, INT64_MAX - PREKEY_BATCH);
    }
    family_end();
    family_begin("bodies of prekeys with keys or authors that cannot be");
    for (unsigned i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            prekeys_fill(&prekeys);
            (void)text_from_hex(span_of_string(keys[k].key), prekeys.batch[i].key[prekeys.batch[i].keys - 1], DH_SIZE);
            (void)snprintf(name, sizeof name, "the last key of batch %u is %s", i, keys[k].name);
            bad_prekeys(&prekeys, name);
        }
    for (unsigned i = 0; i < 2; i++) {
        prekeys_fill(&prekeys);
        prekeys.batch[i].author = AUTHOR;
        (void)snprintf(name, sizeof name, "batch %u is for the publisher", i);
        bad_prekeys(&prekeys, name);
        prekeys_fill(&prekeys);
        prekeys.batch[i].author = prekeys.batch[1 - i].author;
        (void)snprintf(name, sizeof name, "batch %u is for the other batch's author", i);
        bad_prekeys(&prekeys, name);
        prekeys_fill(&prekeys);
        prekeys.batch[i].keys = 0;
        (void)snprintf(name, sizeof name, "batch %u has no key", i);
        bad_prekeys(&prekeys, name);
    }
    prekeys_fill(&prekeys);
    prekeys.count = 3;
    prekeys.batch[2] = prekeys.batch[1];
    bad_prekeys(&prekeys, "a third batch");
    family_end();
    buffer_free(&bytes);
}

static void epoch_fill(struct epoch *epoch)
{
    *epoch = (struct epoch){.wrap_count = 2};
    memset(epoch->commitment, 0x77, HASH_SIZE);
    for (unsigned i = 0; i < 2; i++) {
        epoch->wrap[i] = (struct wrap){.member = (uint8_t)(1 + i), .source = i == 0 ? WRAP_STANDING : WRAP_PREKEY};
        epoch->wrap[i].number = 30 * i;
        memset(epoch->wrap[i].message, 0x60 + (int)i, WRAP_SIZE);
    }
}

static void epoch_table(void)
{
    static const struct part parts[] = {{"the commitment", "at its commitment"}, {"wraps", "at its wraps"}};
    struct epoch epoch;
    struct buffer bytes = {0}, out = {0};
    struct specimen specimen = {.on = &epoch_in,
                                .name = "two wraps",
                                .part = parts,
                                .whole = "at its map of two",
                                .any = "the epoch entry is not well-formed at "};
    char name[80];

    epoch_fill(&epoch);
    epoch_put(&epoch, &bytes);
    specimen.bytes = buffer_span(&bytes);
    family_begin("bodies of epochs that are not well-formed");
    bad_specimen(&specimen, "at its end, after which something follows");
    family_end();
    family_begin("bodies of epochs with numbers out of bounds");
    for (unsigned i = 0; i < 2; i++) {
        static const uint64_t most[] = {MEMBERS - 1, WRAP_PREKEY, INT64_MAX, INT64_MAX};

        for (unsigned k = 0; k < 4; k++) {
            (void)snprintf(name, sizeof name, "wraps[%u][%u]", i, k);
            bad_numbers(&specimen, name, most[k]);
        }
    }
    family_end();
    family_begin("bodies of epochs with the wrong wraps");
    for (unsigned i = 0; i < 2; i++)
        for (unsigned member = 0; member < MEMBERS; member++) {
            epoch_fill(&epoch);
            if (epoch.wrap[i].member == member)
                continue;
            epoch.wrap[i].member = (uint8_t)member;
            buffer_reset(&out);
            epoch_put(&epoch, &out);
            bad(&epoch_in, buffer_span(&out), ERROR_INVALID, "the epoch entry is not well-formed at its wraps",
                "wrap %u is for member %u", i, member);
        }
    for (unsigned count = 0; count < 4; count++) {
        epoch_fill(&epoch);
        epoch.wrap[2] = epoch.wrap[1];
        epoch.wrap_count = count;
        buffer_reset(&out);
        epoch_put(&epoch, &out);
        if (count != 2)
            bad(&epoch_in, buffer_span(&out), ERROR_INVALID, "the epoch entry is not well-formed at its wraps",
                "%u wraps for two members", count);
    }
    family_end();
    buffer_free(&bytes);
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    test_line_found(&line, MEMBERS, "bad entries");
    entries_begin();
    sealed_begin();
    entry_forms();
    entry_numbers();
    entry_meanings();
    entry_bodies();
    entry_sizes();
    sealed_places();
    sealed_bits();
    sealed_sizes();
    prekeys_table();
    epoch_table();
    buffer_free(&leave);
    buffer_free(&header_bytes);
    buffer_free(&sealed.entry);
    buffer_free(&sealed.body);
    test_line_free(&line);
    return catalogue_end();
}
