#include "store/connection.h"

#include <stdlib.h>

void store_result_free(struct store_result *result)
{
    if (result == NULL)
        return;
    free(result->row);
    buffer_free(&result->memory);
    *result = (struct store_result){0};
}

static struct span column_blob(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);

    return span_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

static bool add_row(struct store_result *result, size_t *capacity)
{
    size_t wanted = *capacity == 0 ? 4 : *capacity * 2;
    struct store_row *grown = NULL;

    if (result->count < *capacity)
        return true;
    grown = reallocarray(result->row, wanted, sizeof *grown);
    if (grown == NULL)
        return false;
    result->row = grown;
    *capacity = wanted;
    return true;
}

/* Copies the row the statement stands on. Its blobs get their addresses once the memory has stopped moving. */
static void copy_row(struct store_result *result, sqlite3_stmt *statement, const struct store_query_form *form)
{
    struct store_row *row = &result->row[result->count++];
    int column = 0;

    *row = (struct store_row){0};
    for (size_t i = 0; i < form->integer_columns; i++)
        row->n[i] = sqlite3_column_int64(statement, column++);
    for (size_t i = 0; i < form->blob_columns; i++) {
        struct span blob = column_blob(statement, column++);

        buffer_put_span(&result->memory, blob);
        row->b[i].size = blob.size;
    }
}

static size_t row_bytes(sqlite3_stmt *statement, const struct store_query_form *form)
{
    size_t bytes = 0;

    for (int i = 0; i < form->blob_columns; i++)
        bytes += (size_t)sqlite3_column_bytes(statement, form->integer_columns + i);
    return bytes;
}

static void address_blobs(struct store_result *result)
{
    struct span rest = buffer_span(&result->memory);

    for (size_t i = 0; i < result->count; i++) {
        for (size_t k = 0; k < STORE_BLOBS; k++) {
            struct span *blob = &result->row[i].b[k];

            blob->data = rest.data;
            rest = span_from(rest, blob->size);
        }
    }
}

/* The first row is always given, however large it is; what there is beyond the limits is only noted. */
static int read_rows(sqlite3_stmt *statement, const struct store_query_form *form, size_t limit,
                     struct store_result *result)
{
    size_t capacity = 0;
    int code = sqlite3_step(statement);

    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        if (result->count == limit ||
            (result->count > 0 && result->memory.size + row_bytes(statement, form) > STORE_ROWS_BYTES)) {
            result->more = true;
            code = SQLITE_DONE;
            break;
        }
        if (!add_row(result, &capacity))
            return SQLITE_NOMEM;
        copy_row(result, statement, form);
    }
    return buffer_failed(&result->memory) ? SQLITE_NOMEM : code;
}

int store_read(struct store *store, const struct store_query *query, struct store_result *result, struct error *error)
{
    const struct store_query_form *form = NULL;
    size_t limit = query->limit == 0 || query->limit > STORE_ROWS_MAX ? STORE_ROWS_MAX : query->limit;
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;

    *result = (struct store_result){0};
    if (!connection_usable(store, error))
        return -1;
    if (query->kind >= STORE_QUERY_COUNT)
        return error_set(error, ERROR_USAGE, "there is no query %d", (int)query->kind);
    form = &store_query_forms[query->kind];
    statement = store->query[query->kind];
    code = connection_bind(statement, form->meta_key, form->integers, query->n, form->blobs, query->b);
    if (code == SQLITE_OK)
        code = read_rows(statement, form, limit, result);
    (void)sqlite3_reset(statement);
    if (code == SQLITE_DONE) {
        address_blobs(result);
        return 0;
    }
    store_result_free(result);
    return connection_error(code, "the database cannot be read", error);
}

/* Adding a complete subtree to a frontier is adding a power of two to a binary number; see tree_append(). */
static void append_subtree(struct tree_frontier *frontier, unsigned level, const uint8_t hash[static HASH_SIZE])
{
    uint8_t carry[HASH_SIZE];
    unsigned at = level;

    memcpy(carry, hash, HASH_SIZE);
    for (; frontier->size >> at & 1; at++)
        tree_node(carry, frontier->hash[at], carry);
    memcpy(frontier->hash[at], carry, HASH_SIZE);
    frontier->size += UINT64_C(1) << level;
}

#define NODE_LEVELS 3
#define NODE_BITS 8 /* of leaves per level: a node of level k is over 2^(8 k) leaves */

/* The node over [at, at + 2^(8 level)): 0 with its hash, 1 if it is not there. */
static int read_node(struct store *store, uint32_t log, unsigned level, uint64_t at, uint8_t hash[static HASH_SIZE],
                     struct error *error)
{
    sqlite3_stmt *statement = store->query[STORE_NODE];
    int64_t node = PLACE(log, (uint64_t)level << 36 | at >> (NODE_BITS * level));
    int code = connection_bind(statement, false, 1, &node, 0, NULL);
    int status = 1;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        struct span stored = column_blob(statement, 0);

        if (stored.size == HASH_SIZE) {
            memcpy(hash, stored.data, HASH_SIZE);
            status = 0;
        }
    } else if (code != SQLITE_DONE) {
        status = connection_error(code, "the tree cannot be read", error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* Appends the leaves [at, end), each of which must be there. */
static int append_leaves(struct store *store, uint32_t log, uint64_t at, uint64_t end, struct tree_frontier *frontier,
                         struct error *error)
{
    sqlite3_stmt *statement = store->query[STORE_LEAVES];
    int64_t places[] = {PLACE(log, at), PLACE(log, end)};
    int code = connection_bind(statement, false, 2, places, 0, NULL);
    int status = 0;

    while (code == SQLITE_OK && at < end) {
        int step = sqlite3_step(statement);
        struct span leaf = {0};

        if (step != SQLITE_ROW && step != SQLITE_DONE) {
            code = step;
            break;
        }
        leaf = step == SQLITE_ROW ? column_blob(statement, 1) : leaf;
        if (leaf.size != HASH_SIZE || sqlite3_column_int64(statement, 0) != PLACE(log, at)) {
            status =
                error_set(error, ERROR_NOT_FOUND, "entry %llu of log %u is not there", (unsigned long long)at, log);
            break;
        }
        tree_append(frontier, leaf.data);
        at++;
    }
    (void)sqlite3_reset(statement);
    return code == SQLITE_OK ? status : connection_error(code, "the tree cannot be read", error);
}

/* Appends what stands at `at`: the largest node that is kept and fits before `end`, else the leaves up to where the
 * next node could start. Returns the end of what was appended; 0 is a failure. */
static uint64_t append_next(struct store *store, uint32_t log, uint64_t at, uint64_t end,
                            struct tree_frontier *frontier, struct error *error)
{
    const uint64_t width = UINT64_C(1) << NODE_BITS;
    uint64_t stop = (at | (width - 1)) + 1;

    for (unsigned level = NODE_LEVELS; level > 0; level--) {
        uint64_t leaves = UINT64_C(1) << (NODE_BITS * level);
        uint8_t hash[HASH_SIZE];
        int status = 1;

        if (at % leaves == 0 && end - at >= leaves)
            status = read_node(store, log, level, at, hash, error);
        if (status < 0)
            return 0;
        if (status == 0) {
            append_subtree(frontier, NODE_BITS * level, hash);
            return at + leaves;
        }
    }
    stop = stop < end ? stop : end;
    return append_leaves(store, log, at, stop, frontier, error) == 0 ? stop : 0;
}

/* Since a range starts at a multiple of its length rounded up to a power of two, a subtree that is aligned in the log
 * is aligned in the range, and the frontier may count from the range's start. */
int store_range_hash(struct store *store, uint32_t log, struct tree_range range, uint8_t out[static HASH_SIZE],
                     struct error *error)
{
    struct tree_frontier frontier = {0};
    uint64_t length = range.end - range.start;
    uint64_t rounded = 1;
    uint64_t at = range.start;

    if (!connection_usable(store, error))
        return -1;
    while (rounded < length && rounded < TREE_SIZE_MAX)
        rounded <<= 1;
    if (range.end < range.start || range.end > TREE_SIZE_MAX || range.start % rounded != 0)
        return error_set(error, ERROR_USAGE, "leaves %llu to %llu are not a subtree", (unsigned long long)range.start,
                         (unsigned long long)range.end);
    while (at < range.end) {
        at = append_next(store, log, at, range.end, &frontier, error);
        if (at == 0)
            return -1;
    }
    tree_root(&frontier, out);
    return 0;
}
