#include "record/tree.h"

#include <jansson.h>

#include "base/text.h"
#include "test.h"

#define SIZES 70

static uint8_t leaves[SIZES][HASH_SIZE];

static void make_leaves(void)
{
    for (unsigned i = 0; i < SIZES; i++) {
        uint8_t data = (uint8_t)i;

        tree_leaf(leaves[i], span_of(&data, 1));
    }
}

/* RFC 6962 section 2.1, word by word. */
static void naive_root(uint8_t out[static HASH_SIZE], uint64_t start, uint64_t end)
{
    uint64_t k = 1;
    uint8_t left[HASH_SIZE], right[HASH_SIZE];

    if (end - start == 0) {
        hash_bytes(out, "", 0);
        return;
    }
    if (end - start == 1) {
        memcpy(out, leaves[start], HASH_SIZE);
        return;
    }
    while (k * 2 < end - start)
        k *= 2;
    naive_root(left, start, start + k);
    naive_root(right, start + k, end);
    tree_node(out, left, right);
}

/* Section 2.1.1: PATH(m, D[n]). */
static void naive_path(struct tree_proof *proof, uint64_t m, uint64_t start, uint64_t end)
{
    uint64_t k = 1;

    if (end - start == 1)
        return;
    while (k * 2 < end - start)
        k *= 2;
    if (m < k) {
        naive_path(proof, m, start, start + k);
        naive_root(proof->hash[proof->count++], start + k, end);
    } else {
        naive_path(proof, m - k, start + k, end);
        naive_root(proof->hash[proof->count++], start, start + k);
    }
}

/* Section 2.1.2: SUBPROOF(m, D[n], b). */
static void naive_subproof(struct tree_proof *proof, uint64_t m, uint64_t start, uint64_t end, bool whole)
{
    uint64_t k = 1;

    if (m == end - start) {
        if (!whole)
            naive_root(proof->hash[proof->count++], start, end);
        return;
    }
    while (k * 2 < end - start)
        k *= 2;
    if (m <= k) {
        naive_subproof(proof, m, start, start + k, whole);
        naive_root(proof->hash[proof->count++], start + k, end);
    } else {
        naive_subproof(proof, m - k, start + k, end, false);
        naive_root(proof->hash[proof->count++], start, start + k);
    }
}

static bool same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
    return a->count == b->count && memcmp(a->hash, b->hash, a->count * HASH_SIZE) == 0;
}

static void fill(struct tree_proof *proof, const struct tree_range *range, size_t count)
{
    proof->count = count;
    for (size_t i = 0; i < count; i++)
        naive_root(proof->hash[i], range[i].start, range[i].end);
}

static void the_empty_tree_is_the_hash_of_nothing(void)
{
    struct tree_frontier frontier = {0};
    uint8_t root[HASH_SIZE];
    struct buffer hex = {0};

    tree_root(&frontier, root);
    text_put_hex(&hex, span_of(root, HASH_SIZE));
    CHECK(strcmp(buffer_string(&hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0);
    buffer_free(&hex);
}

static void frontiers_have_the_naive_root(void)
{
    struct tree_frontier frontier = {0};

    for (uint64_t size = 0; size <= SIZES; size++) {
        struct tree_frontier again;
        struct buffer stored = {0};
        uint8_t root[HASH_SIZE], wanted[HASH_SIZE];

        tree_root(&frontier, root);
        naive_root(wanted, 0, size);
        CHECK(frontier.size == size && memcmp(root, wanted, HASH_SIZE) == 0);
        tree_frontier_put(&frontier, &stored);
        CHECK(tree_frontier_read(&again, buffer_span(&stored)) == 0);
        tree_root(&again, root);
        CHECK(again.size == size && memcmp(root, wanted, HASH_SIZE) == 0);
        for (size_t cut = 0; cut < stored.size; cut++)
            CHECK(tree_frontier_read(&again, span_of(stored.data, cut)) != 0);
        buffer_put_u8(&stored, 0);
        CHECK(tree_frontier_read(&again, buffer_span(&stored)) != 0);
        buffer_free(&stored);
        if (size < SIZES)
            tree_append(&frontier, leaves[size]);
    }
}

static void a_frontier_beyond_the_limit_is_refused(void)
{
    uint8_t stored[8 + 41 * HASH_SIZE] = {0};
    struct tree_frontier frontier;

    put_u64_be(stored, TREE_SIZE_MAX);
    CHECK(tree_frontier_read(&frontier, span_of(stored, 8 + HASH_SIZE)) == 0);
    put_u64_be(stored, TREE_SIZE_MAX + 1);
    CHECK(tree_frontier_read(&frontier, span_of(stored, 8 + 2 * HASH_SIZE)) != 0);
    put_u64_be(stored, UINT64_MAX);
    CHECK(tree_frontier_read(&frontier, span_of(stored, sizeof stored)) != 0);
}

/* What one changed, missing or surplus hash, another index or another size does to a proof: nothing good. */
static void check_inclusion_refusals(uint64_t index, uint64_t size, const struct tree_proof *proof,
                                     const uint8_t root[static HASH_SIZE])
{
    struct tree_proof bad = *proof;

    for (size_t i = 0; i < proof->count; i++) {
        bad.hash[i][i % HASH_SIZE] ^= 1;
        CHECK(!tree_verify_inclusion(leaves[index], index, size, &bad, root));
        bad = *proof;
    }
    memcpy(bad.hash[bad.count++], root, HASH_SIZE);
    CHECK(!tree_verify_inclusion(leaves[index], index, size, &bad, root));
    bad = *proof;
    if (proof->count > 0) {
        bad.count--;
        CHECK(!tree_verify_inclusion(leaves[index], index, size, &bad, root));
    }
    CHECK(!tree_verify_inclusion(leaves[index], size, size, proof, root));
    CHECK(!tree_verify_inclusion(leaves[index], index ^ 1, size, proof, root) || size == 1);
    CHECK(!tree_verify_inclusion(leaves[index], index, 0, proof, root));
    CHECK(size == 1 || !tree_verify_inclusion(leaves[index ^ 1], index, size, proof, root) || (index ^ 1) >= size);
}

static void inclusion_for_all_sizes(void)
{
    for (uint64_t size = 1; size <= SIZES; size++) {
        uint8_t root[HASH_SIZE];

        naive_root(root, 0, size);
        for (uint64_t index = 0; index < size; index++) {
            struct tree_range range[TREE_PROOF_MAX];
            struct tree_proof proof = {0}, naive = {0};

            fill(&proof, range, tree_inclusion_ranges(index, size, range));
            naive_path(&naive, index, 0, size);
            CHECK(same_proof(&proof, &naive));
            CHECK(tree_verify_inclusion(leaves[index], index, size, &proof, root));
            check_inclusion_refusals(index, size, &proof, root);
        }
    }
}

static void consistency_for_all_sizes(void)
{
    for (uint64_t size = 1; size <= SIZES; size++) {
        uint8_t new_root[HASH_SIZE];

        naive_root(new_root, 0, size);
        for (uint64_t old = 1; old <= size; old++) {
            struct tree_range range[TREE_PROOF_MAX];
            struct tree_proof proof = {0}, naive = {0}, bad;
            uint8_t old_root[HASH_SIZE];

            naive_root(old_root, 0, old);
            fill(&proof, range, tree_consistency_ranges(old, size, range));
            naive_subproof(&naive, old, 0, size, true);
            CHECK(same_proof(&proof, &naive));
            CHECK(tree_verify_consistency(old, old_root, size, new_root, &proof));
            for (size_t i = 0; i < proof.count; i++) {
                bad = proof;
                bad.hash[i][0] ^= 1;
                CHECK(!tree_verify_consistency(old, old_root, size, new_root, &bad));
            }
            bad = proof;
            memcpy(bad.hash[bad.count++], new_root, HASH_SIZE);
            CHECK(!tree_verify_consistency(old, old_root, size, new_root, &bad));
            bad = proof;
            if (bad.count > 0) {
                bad.count--;
                CHECK(!tree_verify_consistency(old, old_root, size, new_root, &bad));
            }
            CHECK(old == size || !tree_verify_consistency(size, new_root, old, old_root, &proof));
            CHECK(!tree_verify_consistency(0, old_root, size, new_root, &proof));
            old_root[0] ^= 1;
            CHECK(!tree_verify_consistency(old, old_root, size, new_root, &proof));
        }
    }
}

/* Large trees cannot be hashed here; the ranges must still cover everything but the leaf, once, aligned. */
static void ranges_of_large_trees_are_aligned_and_cover(void)
{
    static const uint64_t sizes[] = {TREE_SIZE_MAX, TREE_SIZE_MAX - 1, (UINT64_C(1) << 39) + 1, 123456789012};

    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint64_t step = 0; step < 1000; step++) {
            uint64_t index = step * (sizes[s] / 1000) + step;
            struct tree_range range[TREE_PROOF_MAX];
            size_t count = tree_inclusion_ranges(index, sizes[s], range);
            uint64_t covered = 1;

            CHECK(count <= 40);
            for (size_t i = 0; i < count; i++) {
                uint64_t length = 1;

                covered += range[i].end - range[i].start;
                CHECK(range[i].start < range[i].end && range[i].end <= sizes[s]);
                while (length < range[i].end - range[i].start)
                    length *= 2;
                CHECK(range[i].start % length == 0);
            }
            CHECK(covered == sizes[s]);
        }
    }
}

/* jansson's integers have 63 bits and the vectors' have 64: the numbers are made strings before it reads them. */
static json_t *load_with_numbers_quoted(const char *name)
{
    const char *folder = getenv("LIAISON_VECTORS");
    char path[4096];
    struct buffer text = {0};
    FILE *file = NULL;
    bool in_string = false, in_number = false;
    json_t *root = NULL;
    int c = 0;

    (void)snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : SOURCE_ROOT "/../shared/vectors", name);
    file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    while ((c = fgetc(file)) != EOF) {
        bool digit = !in_string && c >= '0' && c <= '9';

        if (digit != in_number)
            buffer_put_u8(&text, '"');
        in_number = digit;
        in_string ^= c == '"';
        buffer_put_u8(&text, (uint8_t)c);
    }
    (void)fclose(file);
    root = json_loads(buffer_string(&text), 0, NULL);
    CHECK(root != NULL);
    buffer_free(&text);
    return root;
}

static uint64_t vector_number(const json_t *vector, const char *key)
{
    return strtoull(json_string_value(json_object_get(vector, key)), NULL, 10);
}

/* The vectors hold "roots" of other sizes, and one of those is good; a shorter one is filled with zeros. */
static bool vector_hash(const json_t *value, uint8_t out[static HASH_SIZE])
{
    const char *text = json_string_value(value);
    struct buffer decoded = {0};
    bool ok = text != NULL && text_from_base64(span_of_string(text), &decoded) && decoded.size > 0 &&
              decoded.size <= HASH_SIZE;

    memset(out, 0, HASH_SIZE);
    if (ok)
        memcpy(out, decoded.data, decoded.size);
    buffer_free(&decoded);
    return ok;
}

static bool vector_proof(const json_t *vector, struct tree_proof *proof)
{
    const json_t *hashes = json_object_get(vector, "proof");

    proof->count = json_array_size(hashes);
    if (proof->count > TREE_PROOF_MAX)
        return false;
    for (size_t i = 0; i < proof->count; i++)
        if (!vector_hash(json_array_get(hashes, i), proof->hash[i]))
            return false;
    return true;
}

static bool verify_inclusion_vector(const json_t *vector)
{
    uint8_t root[HASH_SIZE], leaf[HASH_SIZE];
    struct tree_proof proof;

    return vector_hash(json_object_get(vector, "root"), root) &&
           vector_hash(json_object_get(vector, "leafHash"), leaf) && vector_proof(vector, &proof) &&
           tree_verify_inclusion(leaf, vector_number(vector, "leafIdx"), vector_number(vector, "treeSize"), &proof,
                                 root);
}

static bool verify_consistency_vector(const json_t *vector)
{
    uint8_t old_root[HASH_SIZE], new_root[HASH_SIZE];
    struct tree_proof proof;

    return vector_hash(json_object_get(vector, "root1"), old_root) &&
           vector_hash(json_object_get(vector, "root2"), new_root) && vector_proof(vector, &proof) &&
           tree_verify_consistency(vector_number(vector, "size1"), old_root, vector_number(vector, "size2"), new_root,
                                   &proof);
}

static void check_vectors(json_t *root, bool (*verify)(const json_t *))
{
    size_t i = 0, good = 0;
    json_t *vector = NULL;

    json_array_foreach(json_object_get(root, "vectors"), i, vector)
    {
        bool wanted = !json_is_true(json_object_get(vector, "wantErr"));

        good += wanted;
        if (verify(vector) == wanted)
            continue;
        printf("# %s\n", json_string_value(json_object_get(vector, "case")));
        CHECK(false);
    }
    CHECK(i == 98 && good > 0 && good < i);
}

static json_t *public_vectors;

static void public_inclusion_vectors(void)
{
    check_vectors(public_vectors, verify_inclusion_vector);
}

static void public_consistency_vectors(void)
{
    check_vectors(public_vectors, verify_consistency_vector);
}

int main(void)
{
    make_leaves();
    RUN(the_empty_tree_is_the_hash_of_nothing);
    RUN(frontiers_have_the_naive_root);
    RUN(a_frontier_beyond_the_limit_is_refused);
    RUN(inclusion_for_all_sizes);
    RUN(consistency_for_all_sizes);
    RUN(ranges_of_large_trees_are_aligned_and_cover);
    public_vectors = load_with_numbers_quoted("merkle/inclusion.json");
    if (public_vectors == NULL)
        SKIP("public_inclusion_vectors", "the public vectors are not here");
    else
        RUN(public_inclusion_vectors);
    json_decref(public_vectors);
    public_vectors = load_with_numbers_quoted("merkle/consistency.json");
    if (public_vectors == NULL)
        SKIP("public_consistency_vectors", "the public vectors are not here");
    else
        RUN(public_consistency_vectors);
    json_decref(public_vectors);
    return test_end();
}
