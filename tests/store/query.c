#include "scratch.h"

static void a_read_gives_at_most_256_rows_and_says_that_there_are_more(void)
{
    struct store *store = make("rows");
    struct store_batch batch = {0};
    static const size_t limits[] = {0, 1, 255, 256, 257, 1000};
    static const size_t wanted[] = {256, 1, 255, 256, 256, 256};

    for (int i = 1; i <= 256; i++)
        put(&batch, OP(STORE_PUT_INBOX, (i, 1), ({0})));
    CHECK(commit(store, &batch));
    for (int rows = 256; rows <= 257; rows++) {
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            struct store_query query = QUERY(STORE_INBOX, (1), ({0}));
            struct store_result result = {0};

            query.limit = limits[i];
            result = ask(store, query);
            CHECK(result.count == wanted[i] && result.more == ((size_t)rows > wanted[i]));
            CHECK(result.row[result.count - 1].n[0] == (int64_t)wanted[i]);
            store_result_free(&result);
        }
        CHECK(commit_one(store, OP(STORE_PUT_INBOX, (257, 1), ({0}))));
    }
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1, 257), ({0})), 1, 0, "257 ; ");
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1, 258), ({0})), 1, 0, "");
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (2, 0), ({0})), 1, 0, "");
    store_batch_free(&batch);
    store_close(store);
}

static void a_read_gives_at_most_a_mebibyte_but_always_one_row(void)
{
    struct store *store = make("bytes");
    static uint8_t half[STORE_ROWS_BYTES / 2];
    static uint8_t large[STORE_ROWS_BYTES + 1];
    struct store_result result = {0};

    memset(half, 'h', sizeof half);
    memset(large, 'l', sizeof large);
    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (0), ({0}, span_of(half, sizeof half)))));
    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (1), ({0}, span_of(half, sizeof half)))));
    result = ask(store, QUERY(STORE_ENTRIES, (0, 0, 9), ({0})));
    CHECK(result.count == 2 && !result.more && span_equal(result.row[1].b[1], span_of(half, sizeof half)));
    store_result_free(&result);
    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (2), ({0}, bytes_of("x")))));
    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (3), ({0}, span_of(large, sizeof large)))));
    result = ask(store, QUERY(STORE_ENTRIES, (0, 0, 9), ({0})));
    CHECK(result.count == 2 && result.more);
    store_result_free(&result);
    result = ask(store, QUERY(STORE_ENTRIES, (0, 2, 9), ({0})));
    CHECK(result.count == 1 && result.more && span_equal(result.row[0].b[1], bytes_of("x")));
    store_result_free(&result);
    result = ask(store, QUERY(STORE_ENTRIES, (0, 3, 9), ({0})));
    CHECK(result.count == 1 && !result.more && span_equal(result.row[0].b[1], span_of(large, sizeof large)));
    store_result_free(&result);
    store_close(store);
}

static void a_query_that_is_none_is_refused(void)
{
    struct store *store = make("none");
    struct error error = {0};
    struct store_result result = {0};
    struct store_query query = QUERY(STORE_QUERY_COUNT, (0), ({0}));

    CHECK(store_read(store, &query, &result, &error) == -1 && error.code == ERROR_USAGE);
    query = QUERY(STORE_GET_META, (META_COUNT), ({0}));
    error = (struct error){0};
    CHECK(store_read(store, &query, &result, &error) == -1 && error.code != ERROR_NONE);
    query = QUERY(STORE_GET_META, (-1), ({0}));
    error = (struct error){0};
    CHECK(store_read(store, &query, &result, &error) == -1 && error.code != ERROR_NONE);
    store_result_free(NULL);
    store_close(store);
}

/* RFC 6962 section 2.1 as it is written. */
static void naive_hash(uint64_t start, uint64_t end, uint8_t out[static HASH_SIZE])
{
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    uint64_t half = 1;

    if (start == end) {
        hash_bytes(out, NULL, 0);
        return;
    }
    if (end - start == 1) {
        tree_leaf(out, span_of(&start, sizeof start));
        return;
    }
    while (half * 2 < end - start)
        half *= 2;
    naive_hash(start, start + half, left);
    naive_hash(start + half, end, right);
    tree_node(out, left, right);
}

static void put_leaves(struct store_batch *batch, uint32_t log, uint64_t start, uint64_t end)
{
    for (uint64_t i = start; i < end; i++) {
        uint8_t leaf[HASH_SIZE];

        tree_leaf(leaf, span_of(&i, sizeof i));
        put(batch, OP(STORE_PUT_ENTRY, (PLACE(log, i)), (span_of(leaf, HASH_SIZE), bytes_of("bytes"))));
    }
}

static void put_node(struct store_batch *batch, uint32_t log, unsigned level, uint64_t number)
{
    uint8_t hash[HASH_SIZE];
    uint64_t width = UINT64_C(1) << 8 * level;

    naive_hash(number * width, (number + 1) * width, hash);
    put(batch, OP(STORE_PUT_NODE, (PLACE(log, (uint64_t)level << 36 | number)), (span_of(hash, HASH_SIZE))));
}

static bool range_is_right(struct store *store, uint32_t log, uint64_t start, uint64_t end)
{
    struct error error = {0};
    uint8_t found[HASH_SIZE];
    uint8_t expected[HASH_SIZE];

    naive_hash(start, end, expected);
    if (store_range_hash(store, log, (struct tree_range){start, end}, found, &error) != 0) {
        printf("# %s\n", error.message);
        return false;
    }
    return memcmp(found, expected, HASH_SIZE) == 0;
}

static uint64_t rounded(uint64_t length)
{
    uint64_t power = 1;

    while (power < length)
        power *= 2;
    return power;
}

static void every_range_of_a_small_log_has_the_hash_of_rfc_6962(void)
{
    struct store *store = make("small");
    struct store_batch batch = {0};
    struct error error = {0};
    uint8_t hash[HASH_SIZE];
    unsigned refused = 0;

    put_leaves(&batch, 7, 0, 70);
    put_leaves(&batch, 8, 0, 3);
    CHECK(commit(store, &batch));
    for (uint64_t end = 0; end <= 70; end++) {
        for (uint64_t start = 0; start <= end; start++) {
            if (start % rounded(end - start) == 0)
                CHECK(range_is_right(store, 7, start, end));
            else
                refused += store_range_hash(store, 7, (struct tree_range){start, end}, hash, NULL) == -1;
        }
    }
    CHECK(refused > 1000);
    CHECK(store_range_hash(store, 7, (struct tree_range){3, 2}, hash, &error) == -1 && error.code == ERROR_USAGE);
    error = (struct error){0};
    CHECK(store_range_hash(store, 7, (struct tree_range){64, 71}, hash, &error) == -1 && error.code == ERROR_NOT_FOUND);
    error = (struct error){0};
    CHECK(store_range_hash(store, 7, (struct tree_range){0, TREE_SIZE_MAX + 1}, hash, &error) == -1);
    CHECK(error.code == ERROR_USAGE);
    store_batch_free(&batch);
    store_close(store);
}

static void a_gap_in_the_log_is_found(void)
{
    struct store *store = make("gap");
    struct store_batch batch = {0};
    struct error error = {0};
    uint8_t hash[HASH_SIZE];

    put_leaves(&batch, 1, 0, 5);
    put_leaves(&batch, 1, 6, 9);
    CHECK(commit(store, &batch));
    CHECK(store_range_hash(store, 1, (struct tree_range){0, 8}, hash, &error) == -1 && error.code == ERROR_NOT_FOUND);
    store_batch_free(&batch);
    store_close(store);
}

#define LARGE (3 * 65536 + 5 * 256 + 77)

/* The leaves, then the leaves and the nodes, then the nodes alone where they suffice: the same hashes. */
static void nodes_and_leaves_give_the_same_hashes(void)
{
    struct store *store = make("large");
    struct store_batch batch = {0};
    static const struct tree_range ranges[] = {
        {0, LARGE},       {0, 256},       {0, 65536},           {65536, 131072},      {131072, LARGE},
        {196608, LARGE},  {0, 257},       {65536, 65536 + 300}, {256, 512},           {196608 + 1024, LARGE},
        {131072, 196608}, {0, 65536 + 1}, {0, 131072 + 255},    {65536 + 512, 66560},
    };

    put_leaves(&batch, 1, 0, LARGE);
    CHECK(commit(store, &batch));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
            CHECK(range_is_right(store, 1, ranges[i].start, ranges[i].end));
        for (uint64_t i = 0; i < LARGE / 256; i++)
            if (i % 7 != 3) /* some are missing */
                put_node(&batch, 1, 1, i);
        for (uint64_t i = 0; i < 3; i++)
            if (i != 1)
                put_node(&batch, 1, 2, i);
        CHECK(commit(store, &batch));
    }
    store_batch_free(&batch);
    store_close(store);
}

static void a_range_of_kept_nodes_reads_no_leaf(void)
{
    struct store *store = make("nodes");
    struct store_batch batch = {0};
    struct error error = {0};
    uint8_t hash[HASH_SIZE];
    uint8_t expected[HASH_SIZE];
    uint8_t node[3][HASH_SIZE];

    for (unsigned level = 1; level <= 3; level++) {
        memset(node[level - 1], (int)level, HASH_SIZE);
        put(&batch, OP(STORE_PUT_NODE, (PLACE(1, (uint64_t)level << 36 | (level == 3 ? 0 : 256))),
                       (span_of(node[level - 1], HASH_SIZE))));
    }
    CHECK(commit(store, &batch));
    CHECK(store_range_hash(store, 1, (struct tree_range){0, UINT64_C(1) << 24}, hash, &error) == 0);
    CHECK(memcmp(hash, node[2], HASH_SIZE) == 0);
    CHECK(store_range_hash(store, 1, (struct tree_range){UINT64_C(1) << 24, (UINT64_C(1) << 24) + 65536}, hash,
                           &error) == 0);
    CHECK(memcmp(hash, node[1], HASH_SIZE) == 0);
    CHECK(store_range_hash(store, 1, (struct tree_range){65536, 65536 + 256}, hash, &error) == 0);
    CHECK(memcmp(hash, node[0], HASH_SIZE) == 0);
    CHECK(store_range_hash(store, 1, (struct tree_range){0, (UINT64_C(1) << 24) + 65536}, hash, &error) == 0);
    tree_node(expected, node[2], node[1]);
    CHECK(memcmp(hash, expected, HASH_SIZE) == 0);
    store_batch_free(&batch);
    store_close(store);
}

static void a_node_of_another_length_is_not_used(void)
{
    struct store *store = make("short");
    struct store_batch batch = {0};
    uint8_t hash[HASH_SIZE] = {0};

    put_leaves(&batch, 1, 0, 256);
    put(&batch, OP(STORE_PUT_NODE, (PLACE(1, UINT64_C(1) << 36)), (span_of(hash, HASH_SIZE - 1))));
    CHECK(commit(store, &batch));
    CHECK(range_is_right(store, 1, 0, 256));
    store_batch_free(&batch);
    store_close(store);
}

int main(void)
{
    RUN(a_read_gives_at_most_256_rows_and_says_that_there_are_more);
    RUN(a_read_gives_at_most_a_mebibyte_but_always_one_row);
    RUN(a_query_that_is_none_is_refused);
    RUN(every_range_of_a_small_log_has_the_hash_of_rfc_6962);
    RUN(a_gap_in_the_log_is_found);
    RUN(nodes_and_leaves_give_the_same_hashes);
    RUN(a_range_of_kept_nodes_reads_no_leaf);
    RUN(a_node_of_another_length_is_not_used);
    scratch_clean();
    return test_end();
}
