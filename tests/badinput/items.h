/*
 * Bad CBOR made from a good specimen: every item of it in turn is written otherwise, is said to be longer or shorter
 * than it is, or is where the specimen ends. Each change is named by the item's place: "seen[1][2]: 31 bytes said to
 * follow, not 32".
 */
#ifndef LIAISON_TESTS_BADINPUT_ITEMS_H
#define LIAISON_TESTS_BADINPUT_ITEMS_H

#include "base/cbor.h"
#include "catalogue.h"

#define ITEMS_MAX 512

enum { UINT = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7 };

/* The parts of a specimen's outermost item, in their order, and what the sentence calls each. */
struct part {
    const char *name;
    const char *fragment;
};

struct item {
    size_t at, head; /* where it begins, and the size of its head */
    size_t end;      /* where it ends, with all that is within it */
    uint8_t major;
    uint64_t argument;
    const struct part *part; /* NULL: the outermost item itself */
    char path[64];
};

struct specimen {
    const struct interface *on;
    struct span bytes;
    const char *name;        /* "a RECEIPT" */
    const struct part *part; /* of the outermost array's items or the outermost map's values */
    const char *whole;       /* fragment where the outermost item is wrong */
    const char *any;         /* fragment of all: where a change shifts what is read next */
    const char *order;       /* the same where a change shifts all that is read; NULL: `any` */
    size_t count;
    struct item item[ITEMS_MAX];
};

static inline size_t put_head(uint8_t out[static 9], uint8_t major, uint8_t info, uint64_t argument)
{
    size_t size = info < 24 || info > 27 ? 0 : (size_t)1 << (info - 24);

    out[0] = (uint8_t)(major << 5 | info);
    for (size_t i = 0; i < size; i++)
        out[1 + i] = (uint8_t)(argument >> 8 * (size - 1 - i));
    return 1 + size;
}

static inline uint8_t shortest(uint64_t argument)
{
    return argument < 24            ? (uint8_t)argument
           : argument <= UINT8_MAX  ? 24
           : argument <= UINT16_MAX ? 25
           : argument <= UINT32_MAX ? 26
                                    : 27;
}

/* Notes the item at `at` and what is within it; returns where it ends. */
static inline size_t note_item(struct specimen *specimen, size_t at, const struct part *part, const char *path)
{
    struct item *item = &specimen->item[specimen->count++];
    const uint8_t *bytes = specimen->bytes.data + at;
    uint8_t info = bytes[0] & 0x1f;
    size_t size = info < 24 ? 0 : (size_t)1 << (info - 24);
    uint64_t argument = info < 24 ? info : 0;
    size_t next = 0;
    char inner[sizeof item->path];

    if (specimen->count == ITEMS_MAX || at >= specimen->bytes.size)
        abort();
    for (size_t i = 0; i < size; i++)
        argument = argument << 8 | bytes[1 + i];
    *item = (struct item){.at = at, .head = 1 + size, .major = bytes[0] >> 5, .argument = argument, .part = part};
    (void)snprintf(item->path, sizeof item->path, "%s", path);
    next = at + item->head;
    if (item->major == BYTES || item->major == TEXT)
        next += argument;
    for (uint64_t i = 0; (item->major == ARRAY || item->major == MAP) && i < argument; i++) {
        const struct part *of = part != NULL ? part : &specimen->part[i];

        if (part == NULL)
            (void)snprintf(inner, sizeof inner, "%s", of->name);
        else
            (void)snprintf(inner, sizeof inner, "%.50s[%u]", path, (unsigned)i);
        if (item->major == MAP) {
            char key[sizeof inner];

            (void)snprintf(key, sizeof key, "the key of %.50s", inner);
            next = note_item(specimen, next, of, key);
        }
        next = note_item(specimen, next, of, inner);
    }
    item->end = next;
    return next;
}

static inline void specimen_note(struct specimen *specimen)
{
    specimen->count = 0;
    (void)note_item(specimen, 0, NULL, "the whole");
}

static inline const char *fragment_of(const struct specimen *specimen, const struct item *item)
{
    return item->part != NULL ? item->part->fragment : specimen->whole;
}

/* The specimen with [at, at + size) replaced. */
static inline void replaced(const struct specimen *specimen, size_t at, size_t size, struct span by, struct buffer *out)
{
    buffer_reset(out);
    buffer_put(out, specimen->bytes.data, at);
    buffer_put_span(out, by);
    buffer_put_span(out, span_from(specimen->bytes, at + size));
}

static inline void bad_head(const struct specimen *specimen, const struct item *item, uint8_t major, uint8_t info,
                            uint64_t argument, const char *fragment, const char *how)
{
    uint8_t head[9];
    size_t size = put_head(head, major, info, argument);
    struct buffer out = {0};

    replaced(specimen, item->at, item->head, span_of(head, size), &out);
    bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s, %s: %s", specimen->name, item->path, how);
    buffer_free(&out);
}

/* Numbers and lengths in more bytes than they need, of no length, and of lengths that are reserved. */
static inline void bad_forms(const struct specimen *specimen)
{
    static const char *const wide[] = {"its number in one byte", "its number in two bytes", "its number in four bytes",
                                       "its number in eight bytes"};
    static const char *const reserved[] = {"the reserved length 28", "the reserved length 29", "the reserved length 30",
                                           "an indefinite length"};

    for (size_t i = 0; i < specimen->count; i++) {
        const struct item *item = &specimen->item[i];

        for (uint8_t info = shortest(item->argument) < 24 ? 24 : shortest(item->argument) + 1; info <= 27; info++)
            bad_head(specimen, item, item->major, info, item->argument, fragment_of(specimen, item), wide[info - 24]);
        for (uint8_t info = 28; info <= 31; info++)
            bad_head(specimen, item, item->major, info, 0, fragment_of(specimen, item), reserved[info - 28]);
    }
}

static inline void bad_types(const struct specimen *specimen)
{
    static const char *const types[] = {"a number in its place", "a negative number in its place", "bytes in its place",
                                        "text in its place",     "an array in its place",          "a map in its place",
                                        "a tag in its place",    "a simple value in its place"};

    for (size_t i = 0; i < specimen->count; i++)
        for (uint8_t major = UINT; major <= SIMPLE; major++) {
            const struct item *item = &specimen->item[i];

            if (major != item->major)
                bad_head(specimen, item, major, shortest(item->argument), item->argument, fragment_of(specimen, item),
                         types[major]);
        }
}

/* Lengths and counts that are not what follows. Content of another length shifts what is read next, so that the
 * sentence may name a later part. */
static inline void bad_lengths(const struct specimen *specimen)
{
    static const uint64_t lengths[] = {0,          1,          UINT16_MAX, UINT16_MAX + 1, INT32_MAX,
                                       UINT32_MAX, 1ull << 32, INT64_MAX,  1ull << 63,     UINT64_MAX};

    for (size_t i = 0; i < specimen->count; i++) {
        const struct item *item = &specimen->item[i];
        char how[80];

        if (item->major == UINT)
            continue;
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0] + 2; k++) {
            uint64_t length = k == 0 ? item->argument - 1 : k == 1 ? item->argument + 1 : lengths[k - 2];

            (void)snprintf(how, sizeof how, "%llu said to follow, not %llu", (unsigned long long)length,
                           (unsigned long long)item->argument);
            if (length != item->argument)
                bad_head(specimen, item, item->major, shortest(length), length, specimen->any, how);
        }
    }
}

/* A number above the most that its place may hold; `path` is as specimen_note() gave it. */
static inline void bad_numbers(const struct specimen *specimen, const char *path, uint64_t most)
{
    const uint64_t numbers[] = {most + 1,   UINT8_MAX,  UINT16_MAX,       INT32_MAX, 1ull << 31, UINT32_MAX,
                                1ull << 32, 1ull << 40, (1ull << 40) + 1, INT64_MAX, 1ull << 63, UINT64_MAX};
    bool found = false;

    for (size_t i = 0; i < specimen->count; i++) {
        const struct item *item = &specimen->item[i];
        char how[80];

        if (strcmp(item->path, path) != 0 || item->major != UINT)
            continue;
        found = true;
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            (void)snprintf(how, sizeof how, "%llu, above %llu", (unsigned long long)numbers[k],
                           (unsigned long long)most);
            if (numbers[k] > most)
                bad_head(specimen, item, UINT, shortest(numbers[k]), numbers[k], fragment_of(specimen, item), how);
        }
    }
    if (!found)
        wrong(path, "%s has no number there", specimen->name);
}

/* Another number than the one that must stand there, each from 0 to 16 and beyond: keys, types, versions. */
static inline void bad_keys(const struct specimen *specimen)
{
    for (size_t i = 0; i < specimen->count; i++)
        for (uint64_t key = 0; key <= 8; key++) {
            const struct item *item = &specimen->item[i];
            char how[80];

            (void)snprintf(how, sizeof how, "%llu, not %llu", (unsigned long long)key,
                           (unsigned long long)item->argument);
            if (strncmp(item->path, "the key of ", 11) == 0 && key != item->argument)
                bad_head(specimen, item, UINT, shortest(key), key, fragment_of(specimen, item), how);
        }
}

/* Parts that are missing, there twice, or exchanged with the next: without their count being changed. */
static inline void bad_order(const struct specimen *specimen)
{
    const char *fragment = specimen->order != NULL ? specimen->order : specimen->any;
    const struct item *before = NULL;
    struct buffer out = {0};

    for (size_t i = 1; i < specimen->count; i++) {
        const struct item *item = &specimen->item[i];
        size_t start = item->at, size = item->end - item->at;
        bool is_key = strncmp(item->path, "the key of ", 11) == 0;

        if (strchr(item->path, '[') != NULL)
            continue;
        if (is_key)
            size = specimen->item[i + 1].end - start;
        else if (specimen->bytes.data[0] >> 5 == MAP)
            continue;
        replaced(specimen, start, size, span_of(NULL, 0), &out);
        bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s, %s: missing", specimen->name, item->path);
        replaced(specimen, start, 0, span_of(specimen->bytes.data + start, size), &out);
        bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s, %s: there twice", specimen->name,
            item->path);
        if (before != NULL) {
            buffer_reset(&out);
            buffer_put(&out, specimen->bytes.data, before->at);
            buffer_put(&out, specimen->bytes.data + start, size);
            buffer_put(&out, specimen->bytes.data + before->at, start - before->at);
            buffer_put_span(&out, span_from(specimen->bytes, start + size));
            bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s, %s: before %s", specimen->name,
                item->path, before->path);
        }
        before = item;
    }
    buffer_free(&out);
}

/* The innermost item that the byte is of. */
static inline const struct item *item_at(const struct specimen *specimen, size_t at)
{
    const struct item *found = &specimen->item[0];

    for (size_t i = 0; i < specimen->count; i++)
        if (specimen->item[i].at <= at && at < specimen->item[i].end)
            found = &specimen->item[i];
    return found;
}

/* Cut at each `step`th byte, and at each item's first. */
static inline void bad_cuts(const struct specimen *specimen, size_t step)
{
    size_t size = specimen->item[0].end;

    catalogue.cut = true;
    for (size_t at = 0; at < size; at++) {
        const struct item *item = item_at(specimen, at);

        if (at % step == 0 || item->at == at)
            bad(specimen->on, span_of(specimen->bytes.data, at), ERROR_INVALID, fragment_of(specimen, item),
                "%s cut after byte %zu of %zu, in %s", specimen->name, at, specimen->bytes.size, item->path);
    }
    catalogue.cut = false;
}

/* Something follows. */
static inline void bad_tails(const struct specimen *specimen, const char *fragment)
{
    static const uint8_t tails[][4] = {{0}, {0x80}, {0xa0}, {0xf6}, {0xff}, {0x40}, {0x60}, {'\n'}, {0, 0, 0, 0}};
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        buffer_reset(&out);
        buffer_put_span(&out, specimen->bytes);
        buffer_put(&out, tails[i], i == 8 ? 4 : 1);
        bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s, with %s0x%02x behind it", specimen->name,
            i == 8 ? "four bytes of " : "a byte ", tails[i][0]);
    }
    buffer_reset(&out);
    buffer_put_span(&out, specimen->bytes);
    buffer_put_span(&out, specimen->bytes);
    bad(specimen->on, buffer_span(&out), ERROR_INVALID, fragment, "%s twice", specimen->name);
    buffer_free(&out);
}

#endif
