/*
 * Two histories of the first member of a line, for tests of evidence: leaves, heads, and the path between them.
 */
#ifndef LIAISON_TESTS_RECORD_FORKED_H
#define LIAISON_TESTS_RECORD_FORKED_H

#include "record/evidence.h"
#include "record/line.h"

#define FORKED_MAX 64

/* A log whose entries from `fork` on are not those of the true one; of that, fork is FORKED_MAX. */
static inline void forked_leaf(uint64_t fork, uint64_t index, uint8_t out[static HASH_SIZE])
{
    uint8_t entry[] = {(uint8_t)index, index >= fork};

    tree_leaf(out, span_of(entry, sizeof entry));
}

static inline void forked_range(uint64_t fork, struct tree_range range, uint8_t out[static HASH_SIZE])
{
    struct tree_frontier frontier = {0};

    for (uint64_t i = range.start; i < range.end; i++) {
        uint8_t leaf[HASH_SIZE];

        forked_leaf(fork, i, leaf);
        tree_append(&frontier, leaf);
    }
    tree_root(&frontier, out);
}

static inline void forked_head(const struct test_line *line, uint64_t fork, uint64_t size, struct head *head)
{
    char origin[ORIGIN_SIZE];

    head->size = size;
    forked_range(fork, (struct tree_range){0, size}, head->root);
    charter_origin(&line->charter, 0, 0, origin);
    head_sign(head, origin, line->identity[0].log_secret);
}

/* What the first `size` entries of that log come to, and the proof of it to the head of `larger` entries. */
static inline void forked_path(uint64_t fork, uint64_t size, uint64_t larger, uint8_t root[static HASH_SIZE],
                               struct tree_proof *path)
{
    struct tree_range range[TREE_PROOF_MAX];

    forked_range(fork, (struct tree_range){0, size}, root);
    path->count = tree_consistency_ranges(size, larger, range);
    for (size_t i = 0; i < path->count; i++)
        forked_range(fork, range[i], path->hash[i]);
}

#endif
