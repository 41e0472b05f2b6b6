#include "record/tree.h"

/* RFC 6962 section 2.1: a zero byte before a leaf, a one before a node, so that neither passes as the other. */
void tree_leaf(uint8_t out[static HASH_SIZE], struct span entry)
{
    static const uint8_t prefix = 0;
    struct span parts[] = {span_of(&prefix, 1), entry};

    hash_parts(out, parts, 2);
}

void tree_node(uint8_t out[static HASH_SIZE], const uint8_t left[static HASH_SIZE],
               const uint8_t right[static HASH_SIZE])
{
    uint8_t joined[1 + 2 * HASH_SIZE] = {1};

    memcpy(joined + 1, left, HASH_SIZE);
    memcpy(joined + 1 + HASH_SIZE, right, HASH_SIZE);
    hash_bytes(out, joined, sizeof joined);
}

/* As in adding one to a binary number: each set bit from below is a subtree that merges with the new one. */
unsigned tree_append_noting(struct tree_frontier *frontier, const uint8_t leaf[static HASH_SIZE],
                            uint8_t note[TREE_NOTES][HASH_SIZE])
{
    uint8_t carry[HASH_SIZE];
    unsigned level = 0;
    unsigned noted = 0;

    memcpy(carry, leaf, HASH_SIZE);
    for (; frontier->size >> level & 1; level++) {
        tree_node(carry, frontier->hash[level], carry);
        if (note != NULL && (level + 1) % 8 == 0 && noted < TREE_NOTES)
            memcpy(note[noted++], carry, HASH_SIZE);
    }
    memcpy(frontier->hash[level], carry, HASH_SIZE);
    frontier->size++;
    return noted;
}

void tree_append(struct tree_frontier *frontier, const uint8_t leaf[static HASH_SIZE])
{
    (void)tree_append_noting(frontier, leaf, NULL);
}

void tree_root(const struct tree_frontier *frontier, uint8_t out[static HASH_SIZE])
{
    bool any = false;

    if (frontier->size == 0) {
        hash_bytes(out, NULL, 0);
        return;
    }
    for (unsigned level = 0; frontier->size >> level != 0; level++) {
        if ((frontier->size >> level & 1) == 0)
            continue;
        if (any)
            tree_node(out, frontier->hash[level], out);
        else
            memcpy(out, frontier->hash[level], HASH_SIZE);
        any = true;
    }
}

void tree_frontier_put(const struct tree_frontier *frontier, struct buffer *buffer)
{
    buffer_put_u64(buffer, frontier->size);
    for (unsigned level = 0; frontier->size >> level != 0; level++)
        if (frontier->size >> level & 1)
            buffer_put(buffer, frontier->hash[level], HASH_SIZE);
}

int tree_frontier_read(struct tree_frontier *frontier, struct span stored)
{
    struct cursor cursor = cursor_of(stored);

    memset(frontier, 0, sizeof *frontier);
    frontier->size = cursor_u64(&cursor);
    if (frontier->size > TREE_SIZE_MAX)
        return -1;
    for (unsigned level = 0; frontier->size >> level != 0; level++)
        if (frontier->size >> level & 1)
            cursor_copy(&cursor, frontier->hash[level], HASH_SIZE);
    return cursor_done(&cursor) ? 0 : -1;
}

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* RFC 6962 recurses from the root down and lists the hashes from the leaf up; so the walk down fills the list
 * from its end. */
static size_t reverse(struct tree_range *range, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct tree_range swapped = range[i];

        range[i] = range[count - 1 - i];
        range[count - 1 - i] = swapped;
    }
    return count;
}

size_t tree_inclusion_ranges(uint64_t index, uint64_t size, struct tree_range out[static TREE_PROOF_MAX])
{
    uint64_t start = 0;
    uint64_t end = size;
    size_t count = 0;

    while (end - start > 1) {
        uint64_t middle = start + split(end - start);

        if (index < middle) {
            out[count++] = (struct tree_range){middle, end};
            end = middle;
        } else {
            out[count++] = (struct tree_range){start, middle};
            start = middle;
        }
    }
    return reverse(out, count);
}

size_t tree_consistency_ranges(uint64_t old_size, uint64_t new_size, struct tree_range out[static TREE_PROOF_MAX])
{
    uint64_t start = 0;
    uint64_t end = new_size;
    size_t count = 0;

    if (old_size == new_size)
        return 0;
    while (old_size != end) {
        uint64_t middle = start + split(end - start);

        if (old_size <= middle) {
            out[count++] = (struct tree_range){middle, end};
            end = middle;
        } else {
            out[count++] = (struct tree_range){start, middle};
            start = middle;
        }
    }
    /* The old tree's own root is known to the verifier unless the old tree is not a whole subtree. */
    if (start > 0)
        out[count++] = (struct tree_range){start, end};
    return reverse(out, count);
}

/* RFC 9162 section 2.1.3.2. */
bool tree_verify_inclusion(const uint8_t leaf[static HASH_SIZE], uint64_t index, uint64_t size,
                           const struct tree_proof *proof, const uint8_t root[static HASH_SIZE])
{
    uint64_t fn = index;
    uint64_t sn = size - 1;
    uint8_t r[HASH_SIZE];

    if (index >= size)
        return false;
    memcpy(r, leaf, HASH_SIZE);
    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            tree_node(r, proof->hash[i], r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            tree_node(r, r, proof->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, HASH_SIZE) == 0;
}

/* RFC 9162 section 2.1.4.2. */
bool tree_verify_consistency(uint64_t old_size, const uint8_t old_root[static HASH_SIZE], uint64_t new_size,
                             const uint8_t new_root[static HASH_SIZE], const struct tree_proof *proof)
{
    uint64_t fn = old_size - 1;
    uint64_t sn = new_size - 1;
    uint8_t fr[HASH_SIZE];
    uint8_t sr[HASH_SIZE];
    size_t next = 0;

    if (old_size == 0 || old_size > new_size)
        return false;
    if (old_size == new_size)
        return proof->count == 0 && memcmp(old_root, new_root, HASH_SIZE) == 0;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    if (fn == 0) {
        memcpy(fr, old_root, HASH_SIZE); /* the old tree is one complete subtree */
    } else {
        if (proof->count == 0)
            return false;
        memcpy(fr, proof->hash[next++], HASH_SIZE);
    }
    memcpy(sr, fr, HASH_SIZE);
    for (; next < proof->count; next++) {
        if (sn == 0)
            return false;
        if ((fn & 1) != 0 || fn == sn) {
            tree_node(fr, proof->hash[next], fr);
            tree_node(sr, proof->hash[next], sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            tree_node(sr, sr, proof->hash[next]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, old_root, HASH_SIZE) == 0 && memcmp(sr, new_root, HASH_SIZE) == 0;
}
