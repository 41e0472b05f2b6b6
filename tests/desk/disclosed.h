/*
 * A small log of the first member of a line, for tests of disclosures: sealed messages, a head, receipts, proofs.
 */
#ifndef LIAISON_TESTS_DESK_DISCLOSED_H
#define LIAISON_TESTS_DESK_DISCLOSED_H

#include "desk/disclosure.h"
#include "record/line.h"

#define DISCLOSED_ENTRIES 5

struct disclosed {
    struct test_line line;
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct buffer entry[DISCLOSED_ENTRIES];
    struct head head;
};

static inline void disclosed_range(const struct disclosed *log, struct tree_range range, uint8_t out[static HASH_SIZE])
{
    struct tree_frontier frontier = {0};

    for (uint64_t i = range.start; i < range.end; i++) {
        uint8_t leaf[HASH_SIZE];

        tree_leaf(leaf, buffer_span(&log->entry[i]));
        tree_append(&frontier, leaf);
    }
    tree_root(&frontier, out);
}

/* Signs over what the entries are now. */
static inline void disclosed_sign(struct disclosed *log)
{
    char origin[ORIGIN_SIZE];

    log->head.size = DISCLOSED_ENTRIES;
    disclosed_range(log, (struct tree_range){0, DISCLOSED_ENTRIES}, log->head.root);
    charter_origin(&log->line.charter, 0, 0, origin);
    head_sign(&log->head, origin, log->line.identity[0].log_secret);
}

/* Puts a body in the place of an entry. */
static inline void disclosed_seal(struct disclosed *log, uint64_t index, const struct entry_header *header,
                                  struct span body)
{
    struct entry_place place;

    entry_place_of(&place, &log->line.charter, 0, 0, index);
    buffer_reset(&log->entry[index]);
    if (entry_seal(&log->entry[index], header, body, log->secret, &place, NULL) != 0)
        abort();
}

static inline struct entry_header disclosed_header(uint64_t index)
{
    struct entry_header header = {.class = ENTRY_SEALED, .epoch = 1, .precedence = PRECEDENCE_FLASH};

    memset(header.salt, (int)index, SALT_SIZE);
    return header;
}

static inline void disclosed_say(struct disclosed *log, uint64_t index, struct span text, bool exercise)
{
    struct entry_header header = disclosed_header(index);
    struct body body = {
        .kind = BODY_MESSAGE, .time = 1795462048, .exercise = exercise, .text = text, .language = span_of_string("en")};
    struct buffer bytes = {0};

    body_put(&bytes, &body);
    disclosed_seal(log, index, &header, buffer_span(&bytes));
    buffer_free(&bytes);
}

/* Of 2 or more members. Each entry says "This is number N." */
static inline void disclosed_make(struct disclosed *log, unsigned members, const char *seed)
{
    memset(log, 0, sizeof *log);
    test_line_found(&log->line, members, seed);
    memset(log->secret, 0x5e, sizeof log->secret);
    for (uint64_t i = 0; i < DISCLOSED_ENTRIES; i++) {
        char text[32];

        (void)snprintf(text, sizeof text, "This is number %llu.", (unsigned long long)i);
        disclosed_say(log, i, span_of_string(text), false);
    }
    disclosed_sign(log);
}

static inline void disclosed_free(struct disclosed *log)
{
    for (size_t i = 0; i < DISCLOSED_ENTRIES; i++)
        buffer_free(&log->entry[i]);
    test_line_free(&log->line);
}

/* The proof of an entry with the receipts of the members whose bits are set. */
static inline void disclosed_proof(const struct disclosed *log, uint64_t index, unsigned by, struct buffer *text)
{
    struct tree_range range[TREE_PROOF_MAX];
    struct tree_proof path = {.count = tree_inclusion_ranges(index, log->head.size, range)};
    struct receipt receipt[MEMBERS_MAX];
    size_t count = 0;
    struct buffer note = {0};
    char origin[ORIGIN_SIZE];

    for (size_t i = 0; i < path.count; i++)
        disclosed_range(log, range[i], path.hash[i]);
    charter_origin(&log->line.charter, 0, 0, origin);
    for (unsigned i = 0; i < log->line.charter.member_count; i++) {
        if ((by >> i & 1) == 0)
            continue;
        receipt[count] = (struct receipt){.by = i, .time = 1795462050 + i};
        receipt_sign(&receipt[count++], &log->head, origin, log->line.identity[i].receipt_secret);
    }
    head_note(&note, &log->line.charter, 0, 0, &log->head, receipt, count);
    proof_print(text, buffer_span(&log->entry[index]), index, &path, buffer_span(&note));
    buffer_free(&note);
}

static inline void disclosed_key(const struct disclosed *log, uint64_t index, uint8_t key[static ENTRY_KEY_SIZE])
{
    struct entry_place place;
    struct entry entry;

    entry_place_of(&place, &log->line.charter, 0, 0, index);
    if (entry_parse(&entry, buffer_span(&log->entry[index]), 0, log->line.charter.member_count, NULL) != 0)
        abort();
    entry_key(key, &entry, log->secret, &place);
}

/* The disclosure of an entry, with all receipts. 0 or -1. */
static inline int disclosed_write(const struct disclosed *log, uint64_t index, struct buffer *text, struct error *error)
{
    struct buffer proof = {0};
    uint8_t key[ENTRY_KEY_SIZE];
    int result = -1;

    disclosed_proof(log, index, (1u << log->line.charter.member_count) - 2, &proof);
    disclosed_key(log, index, key);
    result = disclosure_write(text, buffer_span(&log->line.text), buffer_span(&proof), key, error);
    buffer_free(&proof);
    return result;
}

#endif
