/*
 * What shows that an author signed two histories, kept from the moment it is found: later the heads would be forgotten.
 */
#include "sync/engine.h"

/* The larger head's tree as far as it is known: what is held, what a chunk adds, and the hashes of the chunk's proof.
 */
struct known_tree {
    const struct tree_frontier *held;
    const struct sync_chunk *chunk;
    size_t count;
    struct tree_range range[TREE_PROOF_MAX];
    const struct tree_proof *proof;
};

/* The hash of a subtree that the path from a size within the chunk needs. One that ends before the chunk is one of
 * those that make up what is held; one that begins behind it is in the proof; else both of its halves are such, or
 * leaves of the chunk. */
static void subtree(const struct known_tree *tree, uint64_t start, uint64_t end, uint8_t out[static HASH_SIZE])
{
    uint8_t left[HASH_SIZE], right[HASH_SIZE];
    uint64_t half = 0;

    for (size_t i = 0; i < tree->count; i++)
        if (tree->range[i].start == start && tree->range[i].end == end) {
            memcpy(out, tree->proof->hash[i], HASH_SIZE);
            return;
        }
    if (end <= tree->held->size) {
        memcpy(out, tree->held->hash[63 - __builtin_clzll(end - start)], HASH_SIZE);
        return;
    }
    if (end - start == 1) {
        memcpy(out, tree->chunk->leaf[start - tree->held->size], HASH_SIZE);
        return;
    }
    half = start + (UINT64_C(1) << (63 - __builtin_clzll(end - start - 1)));
    subtree(tree, start, half, left);
    subtree(tree, half, end, right);
    tree_node(out, left, right);
}

void engine_fork_in_chunk(struct log *log, const struct sync_chunk *chunk, const struct tree_proof *proof)
{
    struct known_tree tree = {.held = &log->staged, .chunk = chunk, .proof = proof};
    struct tree_frontier frontier = log->staged;
    struct tree_range range[TREE_PROOF_MAX];
    struct sync_fork *fork = &log->fork;

    if (log->has_fork)
        return;
    for (size_t i = 0; i < chunk->count && engine_meets_awaited(log, &frontier); i++)
        tree_append(&frontier, chunk->leaf[i]);
    for (unsigned i = 0; i < log->awaited_count && !log->has_fork; i++) {
        if (log->awaited[i].size != frontier.size)
            continue;
        log->has_fork = true;
        fork->one = log->awaited[i];
        fork->other = chunk->head;
    }
    if (!log->has_fork || fork->one.size == fork->other.size)
        return;
    tree.count = tree_consistency_ranges(chunk->after.size, chunk->head.size, tree.range);
    tree_root(&frontier, fork->root);
    fork->path.count = tree_consistency_ranges(frontier.size, chunk->head.size, range);
    for (size_t i = 0; i < fork->path.count; i++)
        subtree(&tree, range[i].start, range[i].end, fork->path.hash[i]);
}

void engine_fork_of_head(struct log *log, const struct head *head)
{
    if (log->has_fork)
        return;
    log->has_fork = true;
    log->fork.one = *head;
    if (log->has_head && log->head.size == head->size && memcmp(log->head.root, head->root, HASH_SIZE) != 0)
        log->fork.other = log->head;
    for (unsigned i = 0; i < log->awaited_count; i++)
        if (log->awaited[i].size == head->size && memcmp(log->awaited[i].root, head->root, HASH_SIZE) != 0)
            log->fork.other = log->awaited[i];
}

const struct sync_fork *sync_fork(const struct sync *sync, unsigned member)
{
    return sync->log[member].has_fork ? &sync->log[member].fork : NULL;
}
