/*
 * A log as its author wrote it, kept whole in memory, with proofs computed the slow way straight from RFC 6962: what
 * the tests of sync compare with, and what they forge messages from.
 */
#ifndef LIAISON_TESTS_SYNC_TRUTH_H
#define LIAISON_TESTS_SYNC_TRUTH_H

#include "record/line.h"
#include "sync/sync.h"
#include "test.h"

#define TRUTH_MAX 8192

struct truth {
    const struct test_line *line;
    unsigned member;
    size_t size;
    struct buffer entry[TRUTH_MAX];
    uint8_t leaf[TRUTH_MAX][HASH_SIZE];
    struct tree_frontier frontier[TRUTH_MAX + 1]; /* at every size */
};

static inline void *test_new(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static inline struct truth *truth_new(const struct test_line *line, unsigned member)
{
    struct truth *truth = test_new(1, sizeof *truth);

    truth->line = line;
    truth->member = member;
    return truth;
}

static inline void truth_free(struct truth *truth)
{
    for (size_t i = 0; i < truth->size; i++)
        buffer_free(&truth->entry[i]);
    free(truth);
}

/* An entry of `size` bytes that no other log has; `history` tells two histories of one author apart. */
static inline void truth_append(struct truth *truth, size_t size, unsigned history)
{
    struct buffer *entry = &truth->entry[truth->size];

    if (truth->size == TRUTH_MAX)
        abort();
    buffer_print(entry, "%u/%zu/%u ", truth->member, truth->size, history);
    while (entry->size < size)
        buffer_put_u8(entry, (uint8_t)entry->size);
    tree_leaf(truth->leaf[truth->size], buffer_span(entry));
    truth->frontier[truth->size + 1] = truth->frontier[truth->size];
    tree_append(&truth->frontier[truth->size + 1], truth->leaf[truth->size]);
    truth->size++;
}

static inline void truth_grow(struct truth *truth, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++)
        truth_append(truth, size, 0);
}

/* Where a run of entries from `first` on ends that goes to `end` at most and has so many bytes at most, or one entry.
 */
static inline uint64_t truth_end(const struct truth *truth, uint64_t first, uint64_t end, size_t most)
{
    uint64_t at = first;

    for (size_t bytes = 0; at < end && at < truth->size; at++) {
        bytes += truth->entry[at].size;
        if (at > first && bytes > most)
            break;
    }
    return at;
}

/* MTH(D[start:end]) of RFC 6962, section 2.1. */
static inline void truth_hash(const struct truth *truth, struct tree_range range, uint8_t out[static HASH_SIZE])
{
    uint64_t middle = 1;
    uint8_t left[HASH_SIZE], right[HASH_SIZE];

    if (range.end - range.start == 1) {
        memcpy(out, truth->leaf[range.start], HASH_SIZE);
        return;
    }
    while (middle * 2 < range.end - range.start)
        middle *= 2;
    truth_hash(truth, (struct tree_range){range.start, range.start + middle}, left);
    truth_hash(truth, (struct tree_range){range.start + middle, range.end}, right);
    tree_node(out, left, right);
}

static inline struct head truth_head(const struct truth *truth, uint64_t size)
{
    struct head head = {.size = size};
    char origin[ORIGIN_SIZE];

    tree_root(&truth->frontier[size], head.root);
    charter_origin(&truth->line->charter, truth->member, 0, origin);
    head_sign(&head, origin, truth->line->identity[truth->member].log_secret);
    return head;
}

static inline struct receipt truth_receipt(const struct truth *truth, const struct head *head, unsigned by)
{
    struct receipt receipt = {.by = by, .time = 1800000000};
    char origin[ORIGIN_SIZE];

    charter_origin(&truth->line->charter, truth->member, 0, origin);
    receipt_sign(&receipt, head, origin, truth->line->identity[by].receipt_secret);
    return receipt;
}

static inline struct tree_proof truth_proof_of(const struct truth *truth, const struct tree_range *ranges, size_t count)
{
    struct tree_proof proof = {.count = count};

    for (size_t i = 0; i < count; i++)
        truth_hash(truth, ranges[i], proof.hash[i]);
    return proof;
}

static inline struct tree_proof truth_consistency(const struct truth *truth, uint64_t from, uint64_t to)
{
    struct tree_range ranges[TREE_PROOF_MAX];

    return truth_proof_of(truth, ranges, tree_consistency_ranges(from, to, ranges));
}

static inline struct tree_proof truth_inclusion(const struct truth *truth, uint64_t index, uint64_t size)
{
    struct tree_range ranges[TREE_PROOF_MAX];

    return truth_proof_of(truth, ranges, tree_inclusion_ranges(index, size, ranges));
}

/* Entries [first, end) of the log, under its head of `size`. */
static inline struct sync_chunk *truth_chunk(const struct truth *truth, uint64_t first, uint64_t end, uint64_t size)
{
    struct sync_chunk *chunk = sync_chunk_new(truth->member, first, (size_t)(end - first));

    if (chunk == NULL)
        abort();
    for (uint64_t i = first; i < end; i++)
        if (sync_chunk_add(chunk, buffer_span(&truth->entry[i])) != 0)
            abort();
    chunk->after = truth->frontier[end];
    chunk->head = truth_head(truth, size);
    return chunk;
}

/* The same as a message, under any head. */
static inline void truth_entries(struct buffer *out, const struct truth *truth, uint64_t first, uint64_t end,
                                 const struct head *head, bool settle, const struct tree_proof *proof)
{
    struct span *entry = test_new((size_t)(end - first), sizeof *entry);

    for (uint64_t i = first; i < end; i++)
        entry[i - first] = buffer_span(&truth->entry[i]);
    message_put_entries(out, truth->member, first, entry, (size_t)(end - first), head, settle, proof);
    free(entry);
}

static inline void truth_overtake(struct buffer *out, const struct truth *truth, uint64_t index, uint64_t size,
                                  uint64_t base)
{
    struct head head = truth_head(truth, size);
    struct tree_proof inclusion = truth_inclusion(truth, index, size);
    struct tree_proof consistency = {0};

    if (base > 0)
        consistency = truth_consistency(truth, base, size);
    message_put_overtake(out, truth->member, index, buffer_span(&truth->entry[index]), &head, &inclusion, base,
                         &consistency);
}

#endif
