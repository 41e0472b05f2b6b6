#include "store/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/file.h"

static int step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Ends the transaction without a trace. SQLite has done so itself after some errors. */
static void roll_back(struct store *store)
{
    if (sqlite3_get_autocommit(store->connection) == 0)
        (void)step(store->control[ROLLBACK]);
    if (sqlite3_get_autocommit(store->connection) == 0)
        store->failed = true;
    store->staged = false;
}

/* The last committed batch, as meta has it. */
static int read_batch(struct store *store, struct error *error)
{
    struct store_query query = {.kind = STORE_GET_META, .n = {META_BATCH}};
    struct store_result result = {0};
    struct cursor cursor = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0) {
        cursor = cursor_of(result.count == 1 ? result.row[0].b[0] : span_of(NULL, 0));
        store->batch = cursor_u64(&cursor);
        if (!cursor_done(&cursor))
            status = error_set(error, ERROR_STORAGE, "the database is damaged: it does not know its last batch");
    }
    store_result_free(&result);
    return status;
}

static int make_file(const char *path, struct error *error)
{
    int fd = file_make(path, error);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0 ? 0 : -1;
}

struct store *store_open(const char *path, bool create, struct error *error)
{
    static const char left_alone[] =
        ". It was left as it is; check the disk, and put back no older copy: what the others "
        "have receipted is safe with them";
    struct store *store = calloc(1, sizeof *store);
    struct error cause = {0};
    bool made = false;
    bool opened = false;

    if (store == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "no memory");
        return NULL;
    }
    store->directory = file_directory(path, error);
    if (store->directory < 0)
        goto out;
    made = create && make_file(path, error) == 0;
    if (create && !made)
        goto out;
    opened = connection_open(store, path, create, &cause) == 0 && connection_prepare(store, &cause) == 0 &&
             read_batch(store, &cause) == 0;
    if (!opened)
        (void)error_set(error, cause.code, "%.120s: %s%s", path, cause.message,
                        cause.code == ERROR_STORAGE && !create ? left_alone : "");
out:
    if (opened)
        return store;
    store_close(store);
    if (made)
        (void)unlink(path);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_abandon(store);
    connection_close(store);
    if (store->directory >= 0)
        (void)close(store->directory);
    free(store);
}

uint64_t store_batch_number(const struct store *store)
{
    return store->batch;
}

void store_skip_to(struct store *store, uint64_t number)
{
    if (number > store->batch)
        store->batch = number - 1;
}

static int run_op(struct store *store, const struct store_op *op)
{
    const struct store_op_form *form = &store_op_forms[op->kind];
    sqlite3_stmt *statement = store->op[op->kind];
    sqlite3_stmt *then = store->then[op->kind];
    int code = connection_bind(statement, form->meta_key, form->integers, op->n, form->blobs, op->b);

    if (code == SQLITE_OK)
        code = step(statement);
    if (code == SQLITE_OK && then != NULL)
        code = connection_bind(then, false, form->integers, op->n, 0, NULL);
    if (code == SQLITE_OK && then != NULL)
        code = step(then);
    return code;
}

int store_stage(struct store *store, const struct store_batch *batch, struct error *error)
{
    int code = SQLITE_OK;

    if (!connection_usable(store, error))
        return -1;
    if (store->staged) {
        roll_back(store);
        return error_set(error, ERROR_USAGE, "a batch was staged before the one before it was committed");
    }
    if (batch->failed)
        return error_set(error, ERROR_SYSTEM, "no memory for a batch");
    code = step(store->control[BEGIN]);
    if (code != SQLITE_OK)
        return connection_error(code, "the batch cannot be begun", error);
    store->staged = true;
    for (size_t i = 0; i < batch->count && code == SQLITE_OK; i++)
        code = batch->op[i].kind < STORE_OP_COUNT ? run_op(store, &batch->op[i]) : SQLITE_RANGE;
    if (code == SQLITE_OK)
        return 0;
    roll_back(store);
    return connection_error(code, "the batch cannot be written", error);
}

int store_commit(struct store *store, uint64_t number, struct error *error)
{
    uint8_t stored[8];
    struct store_op op = {.kind = STORE_PUT_META, .n = {META_BATCH}, .b = {span_of(stored, sizeof stored)}};
    int code = SQLITE_OK;

    if (!connection_usable(store, error))
        return -1;
    if (!store->staged)
        return error_set(error, ERROR_USAGE, "nothing was staged that could be committed");
    if (number != store->batch + 1) {
        roll_back(store);
        return error_set(error, ERROR_USAGE, "batch %llu does not follow batch %llu", (unsigned long long)number,
                         (unsigned long long)store->batch);
    }
    put_u64_be(stored, number);
    code = run_op(store, &op);
    if (code == SQLITE_OK)
        code = step(store->control[COMMIT]);
    if (code == SQLITE_OK) {
        store->staged = false;
        store->batch = number;
        return 0;
    }
    roll_back(store);
    /* SQLite reports a full disk when it writes, before the commit's last page; whatever else it reports may have
     * come from the sync, after which nobody knows what is on the disk. */
    if ((code & 0xff) != SQLITE_FULL)
        store->failed = true;
    return connection_error(code, "the batch cannot be committed", error);
}

void store_abandon(struct store *store)
{
    if (store->staged)
        roll_back(store);
}

/* A failed sync of the database is as bad as one of the WAL: a second try would succeed without having written. */
static int checkpointed(struct store *store, int status, const struct error *cause, struct error *error)
{
    if (status != 0) {
        store->failed = cause->code != ERROR_FULL;
        (void)error_set(error, cause->code, "%s", cause->message);
    }
    return status;
}

static int checkpoint_ready(const struct store *store, struct error *error)
{
    if (!connection_usable(store, error))
        return -1;
    return store->staged ? error_set(error, ERROR_USAGE, "a checkpoint was asked for within a batch") : 0;
}

int store_checkpoint_some(struct store *store, struct error *error)
{
    struct error cause = {0};
    int pages = 0;
    int moved = 0;
    int code = SQLITE_OK;
    int status = 0;

    if (checkpoint_ready(store, error) != 0)
        return -1;
    if (store->wal_pages <= WAL_PAGES)
        return 0;
    /* The WAL keeps its length: the next commit starts over in it, and overwriting is half the price of appending. */
    code = sqlite3_wal_checkpoint_v2(store->connection, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (code != SQLITE_OK)
        status = connection_error(code, "the checkpoint failed", &cause);
    else if (moved == pages)
        store->wal_pages = 0;
    return checkpointed(store, status, &cause, error);
}

int store_checkpoint_all(struct store *store, struct error *error)
{
    struct error cause = {0};

    if (checkpoint_ready(store, error) != 0)
        return -1;
    return checkpointed(store, connection_truncate(store, &cause), &cause, error);
}

/* The zeros are to SQLite the end of what was written. It cut the WAL off and did not sync that: until it is, zeros
 * over the one that was may leave its beginning, older pages that would be taken for newer than the database. */
void store_lengthen_wal(struct store *store)
{
    static const uint8_t zeros[65536];
    sqlite3_file *wal = NULL;
    int code = store->failed || store->staged || store->wal_pages > 0
                   ? SQLITE_MISUSE
                   : sqlite3_file_control(store->connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);

    if (code != SQLITE_OK || wal == NULL || wal->pMethods == NULL)
        return;
    code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    for (sqlite3_int64 at = 0; at < WAL_LENGTH && code == SQLITE_OK; at += (sqlite3_int64)sizeof zeros)
        code = wal->pMethods->xWrite(wal, zeros, (int)sizeof zeros, at);
    if (code == SQLITE_OK)
        code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK)
        (void)wal->pMethods->xTruncate(wal, 0);
}

uint64_t store_space(const struct store *store)
{
    struct statvfs status = {0};

    if (fstatvfs(store->directory, &status) != 0)
        return UINT64_MAX;
    return (uint64_t)status.f_bavail * status.f_frsize;
}
