/*
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256, with the verification of RFC 9162 section 2.1.3 and
 * 2.1.4. Sizes and indices are 64 bits.
 *
 * A frontier is the list of roots of the complete subtrees that make up a tree of `size` leaves: enough to
 * append to it and to know its root.
 */
#ifndef LIAISON_RECORD_TREE_H
#define LIAISON_RECORD_TREE_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "seal/hash.h"

#define TREE_SIZE_MAX (UINT64_C(1) << 40) /* leaves a log may have; the store's keys leave room for no more */
#define TREE_PROOF_MAX 64                 /* hashes in a proof, inclusion or consistency */

void tree_leaf(uint8_t out[static HASH_SIZE], struct span entry);
void tree_node(uint8_t out[static HASH_SIZE], const uint8_t left[static HASH_SIZE], const uint8_t right[static HASH_SIZE]);

struct tree_frontier {
    uint64_t size;                   /* leaves */
    uint8_t hash[41][HASH_SIZE];     /* hash[i] is set where bit i of size is */
};

void tree_append(struct tree_frontier *frontier, const uint8_t leaf[static HASH_SIZE]);
/* The same, noting the hashes of the complete subtrees of 2^8, 2^16 and 2^24 leaves that end with this leaf, which
 * are kept so that proofs need not read every leaf. Returns how many: note[i] is of 2^(8 * (i + 1)) leaves. */
#define TREE_NOTES 3
unsigned tree_append_noting(struct tree_frontier *frontier, const uint8_t leaf[static HASH_SIZE],
                            uint8_t note[TREE_NOTES][HASH_SIZE]);
/* The root; of the empty tree, SHA-256 of nothing. */
void tree_root(const struct tree_frontier *frontier, uint8_t out[static HASH_SIZE]);
/* As stored: size as 8 bytes, then the set hashes from the lowest bit up. */
void tree_frontier_put(const struct tree_frontier *frontier, struct buffer *buffer);
int tree_frontier_read(struct tree_frontier *frontier, struct span stored);

/*
 * Which hashes make a proof: ranges of leaves [start, end) whose subtree hash is wanted, in the order of the
 * proof. Whoever keeps the leaves computes them. start is a multiple of the range's length rounded up to a
 * power of two.
 */
struct tree_range {
    uint64_t start, end;
};
/* RFC 6962 section 2.1.1; index < size. Returns how many. */
size_t tree_inclusion_ranges(uint64_t index, uint64_t size, struct tree_range out[static TREE_PROOF_MAX]);
/* RFC 6962 section 2.1.2; 0 < old_size <= new_size. Empty when they are equal. */
size_t tree_consistency_ranges(uint64_t old_size, uint64_t new_size, struct tree_range out[static TREE_PROOF_MAX]);

struct tree_proof {
    size_t count;
    uint8_t hash[TREE_PROOF_MAX][HASH_SIZE];
};
/* False for surplus or missing hashes, index >= size, or another root. */
bool tree_verify_inclusion(const uint8_t leaf[static HASH_SIZE], uint64_t index, uint64_t size,
                           const struct tree_proof *proof, const uint8_t root[static HASH_SIZE]);
/* Of equal sizes the proof is empty and the roots are equal; an old size of 0 is refused. */
bool tree_verify_consistency(uint64_t old_size, const uint8_t old_root[static HASH_SIZE], uint64_t new_size,
                             const uint8_t new_root[static HASH_SIZE], const struct tree_proof *proof);

#endif
