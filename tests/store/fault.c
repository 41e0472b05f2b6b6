/*
 * A store whose calls fail, one after the other: every call of SQLite, and every one for memory, of a short life is
 * made to fail in its turn, alone or with all that follow it. What fails says so and why, and what was said to be
 * committed is there when the store is opened again.
 */
#include <errno.h>

#include "memory.h"
#include "scratch.h"

/* Nothing here is about a power cut. */
int fdatasync(int fd)
{
    return fd < 0 ? -1 : 0;
}

int fsync(int fd)
{
    return fd < 0 ? -1 : 0;
}

/* --- the wraps --------------------------------------------------------------------------------------------- */

static size_t calls;     /* of SQLite, so far */
static size_t failing;   /* the number of the call that fails; 0: none */
static bool from_then;   /* and all after it */
static int failure_code; /* how it fails */
static bool failed;      /* one did */
static bool uncounted;   /* what is alike many times over */

static bool call_fails(void)
{
    bool fails = false;

    if (uncounted)
        return false;
    fails = ++calls == failing || (from_then && failing != 0 && calls > failing);

    failed |= fails;
    return fails;
}

static void sqlite_fail(size_t n, int code, bool and_after)
{
    calls = 0;
    failing = n;
    failure_code = code;
    from_then = and_after;
    failed = false;
}

/* A wrap is made of the call's type, its name, its parameters, and their names. */
#define WRAP(name, parameters, arguments)                                                                              \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters                                                                                       \
    {                                                                                                                  \
        return call_fails() ? failure_code : __real_##name arguments;                                                  \
    }

WRAP(sqlite3_open_v2, (const char *path, sqlite3 **connection, int flags, const char *vfs),
     (path, connection, flags, vfs))
WRAP(sqlite3_exec,
     (sqlite3 * connection, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **message),
     (connection, sql, row, context, message))
WRAP(sqlite3_prepare_v2, (sqlite3 * connection, const char *sql, int size, sqlite3_stmt **statement, const char **tail),
     (connection, sql, size, statement, tail))
WRAP(sqlite3_prepare_v3,
     (sqlite3 * connection, const char *sql, int size, unsigned flags, sqlite3_stmt **statement, const char **tail),
     (connection, sql, size, flags, statement, tail))
WRAP(sqlite3_bind_int64, (sqlite3_stmt * statement, int at, sqlite3_int64 value), (statement, at, value))
WRAP(sqlite3_bind_text, (sqlite3_stmt * statement, int at, const char *text, int size, void (*free_text)(void *)),
     (statement, at, text, size, free_text))
WRAP(sqlite3_bind_blob64,
     (sqlite3_stmt * statement, int at, const void *data, sqlite3_uint64 size, void (*free_data)(void *)),
     (statement, at, data, size, free_data))
WRAP(sqlite3_step, (sqlite3_stmt * statement), (statement))
WRAP(sqlite3_wal_checkpoint_v2, (sqlite3 * connection, const char *name, int mode, int *pages, int *moved),
     (connection, name, mode, pages, moved))
WRAP(sqlite3_file_control, (sqlite3 * connection, const char *name, int what, void *argument),
     (connection, name, what, argument))
WRAP(sqlite3_db_config, (sqlite3 * connection, int what, int value, int *now), (connection, what, value, now))

/* --- a short life -------------------------------------------------------------------------------------------- */

static bool ran_out; /* of memory, within one of the calls below */
static size_t memory_at;

/* What a life's calls may do: succeed, or fail with a code and a sentence, and fail if anything beneath them did. */
static bool held(int status, const struct error *error)
{
    CHECK((status == 0) == (error->code == ERROR_NONE) && (status == 0 || error->message[0] != 0));
    return status == 0;
}

struct life {
    uint64_t committed; /* batches that were said to be */
    bool unknown;       /* a commit ended with an error that leaves it open */
    bool whole;         /* nothing failed */
};

static void put_entry(struct store_batch *batch, unsigned log, unsigned number)
{
    char text[40], leaf[HASH_SIZE] = {0};

    (void)snprintf(text, sizeof text, "entry %u of log %u", number, log);
    (void)snprintf(leaf, sizeof leaf, "leaf %u", number);
    put(batch, OP(STORE_PUT_ENTRY, (PLACE(log, number), 1, 0, 1, 5), (span_of(leaf, sizeof leaf), bytes_of(text))));
}

/* Of the first log so many that a hash over 256 of them is kept. */
static unsigned entries_of(unsigned log)
{
    return log == 1 ? 300 : 3;
}

/* Writes one batch, the entries of a log, reads it back before it is committed, and commits it. */
static bool live_batch(struct store *store, struct life *life)
{
    unsigned log = (unsigned)life->committed + 1;
    unsigned entries = entries_of(log);
    uint8_t node[HASH_SIZE] = {3}, hash[HASH_SIZE];
    struct store_batch batch = {0};
    struct store_query query = QUERY(STORE_ENTRIES, (log, 0, entries), ({0}));
    struct store_result result = {0};
    struct error stage = {0}, read = {0}, range = {0}, commit = {0};
    bool good = false;

    query.limit = 2;
    put(&batch, OP(STORE_PUT_LOG, (log, 1, 0, 0), ({0})));
    for (unsigned i = 0; i < entries; i++)
        put_entry(&batch, log, i);
    if (log == 1)
        put(&batch, OP(STORE_PUT_NODE, (PLACE(log, UINT64_C(1) << 36)), (span_of(node, sizeof node))));
    put(&batch, OP(STORE_PUT_OFFERED, (1, 2, 7), (bytes_of("key"))));
    put(&batch, OP(STORE_DROP_OFFERED, (1, 2, 7), ({0})));
    if (!held(store_stage(store, &batch, &stage), &stage))
        goto out;
    if (!held(store_read(store, &query, &result, &read), &read))
        goto out;
    CHECK(result.count == 2 && result.more && result.row[1].b[1].size == strlen("entry 1 of log 1") &&
          memcmp(result.row[1].b[1].data, "entry 1 of log", 14) == 0);
    if (!held(store_range_hash(store, 1, (struct tree_range){0, 300}, hash, &range), &range))
        goto out;
    good = held(store_commit(store, life->committed + 1, &commit), &commit);
    life->committed += good;
    life->unknown |= commit.code == ERROR_STORAGE;
    if (commit.code == ERROR_STORAGE) { /* nobody knows what is on the disk: nothing is built on it */
        stage = (struct error){0};
        CHECK(store_stage(store, &batch, &stage) == -1 && stage.code == ERROR_STORAGE);
        CHECK(store_checkpoint_all(store, NULL) == -1);
    }
out:
    store_abandon(store);
    store_result_free(&result);
    store_batch_free(&batch);
    return good;
}

/* The store of a life, from its making to its end. */
static struct life live(const char *path)
{
    struct life life = {0};
    struct error open = {0}, some = {0}, all = {0};
    struct store *store = NULL;

    (void)unlink(path);
    store = store_open(path, true, &open);
    CHECK((store != NULL) == (open.code == ERROR_NONE) && (store != NULL || open.message[0] != 0));
    if (store == NULL) {
        CHECK(access(path, F_OK) != 0); /* nothing half is left */
        return life;
    }
    if (failing == calls + 1 || failing % 32 == 1) /* it writes much */
        store_lengthen_wal(store);
    uncounted = true;
    life.whole = live_batch(store, &life);
    uncounted = false;
    life.whole = life.whole && live_batch(store, &life) && held(store_checkpoint_some(store, &some), &some) &&
                 live_batch(store, &life) && held(store_checkpoint_all(store, &all), &all);
    ran_out = memory_ran_out();
    store_close(store);
    return life;
}

/* What was said to be committed is there, and nothing but whole batches. */
static void check_kept(const char *path, const struct life *life)
{
    struct error error = {0};
    struct store *store = store_open(path, false, &error);
    struct store_result result = {0};
    uint64_t number = 0;

    if (store == NULL) {
        printf("# %s\n", error.message);
        CHECK(store != NULL);
        return;
    }
    number = store_batch_number(store);
    CHECK(number == life->committed || (life->unknown && number == life->committed + 1));
    result = ask(store, QUERY(STORE_ALL_LOGS, (0), ({0})));
    CHECK(result.count == number);
    store_result_free(&result);
    for (unsigned log = 1; log <= number; log++) {
        result = ask(store, QUERY(STORE_ENTRIES, (log, 0, 500), ({0})));
        CHECK(result.count == (log == 1 ? STORE_ROWS_MAX : entries_of(log)) && result.more == (log == 1));
        CHECK(memcmp(result.row[2].b[1].data, "entry 2 of log", 14) == 0);
        store_result_free(&result);
    }
    store_close(store);
}

static void fail_each(int code, bool and_after)
{
    const char *path = scratch("life");
    size_t tried = 0;

    for (size_t n = 1;; n += TEST_SHARE) {
        struct life life;
        bool did = false;

        sqlite_fail(n, code, and_after);
        life = live(path);
        did = failed;
        sqlite_fail(0, 0, false);
        if (access(path, F_OK) == 0)
            check_kept(path, &life);
        if (!did) {
            CHECK(life.whole && life.committed == 3);
            break;
        }
        tried++;
    }
    CHECK(tried > 150 / TEST_SHARE);
}

static void each_call_of_sqlite_may_fail(void)
{
    fail_each(SQLITE_IOERR, false);
}

static void each_call_may_find_the_disk_full(void)
{
    fail_each(SQLITE_FULL, false);
}

static void each_call_may_be_the_first_of_many_that_fail(void)
{
    fail_each(SQLITE_IOERR, true);
}

static void each_call_for_memory_may_fail(void)
{
    const char *path = scratch("memory");

    for (memory_at = 1;; memory_at++) {
        struct life life;

        memory_fail(memory_at);
        ran_out = false;
        life = live(path);
        ran_out |= memory_ran_out();
        CHECK(life.whole == !ran_out && !life.unknown);
        if (access(path, F_OK) == 0)
            check_kept(path, &life);
        if (!ran_out)
            break;
        CHECK(memory_at < 1000);
    }
    CHECK(memory_at > 10);
}

/* What is read is whole or not read, also where there is more of it. */
static void a_read_without_memory_gives_nothing(void)
{
    struct store *store = make("read");
    struct store_batch batch = {0};

    for (unsigned i = 0; i < 20; i++)
        put_entry(&batch, 1, i);
    CHECK(commit(store, &batch));
    for (size_t n = 1;; n++) {
        struct store_query query = QUERY(STORE_ENTRIES, (1, 0, 20), ({0}));
        struct store_result result = {0};
        struct error error = {0};
        int status = 0;
        bool none = false;

        query.limit = 9;
        memory_fail(n);
        status = store_read(store, &query, &result, &error);
        none = memory_ran_out();
        CHECK(status == (none ? -1 : 0) && (error.code != ERROR_NONE) == none && result.count == (none ? 0 : 9));
        for (size_t i = 0; status == 0 && i < result.count; i++)
            CHECK(result.row[i].b[1].size == 16 && memcmp(result.row[i].b[1].data, "entry", 5) == 0);
        store_result_free(&result);
        if (!none)
            break;
        CHECK(n < 100);
    }
    store_batch_free(&batch);
    store_close(store);
}

int main(void)
{
    RUN(each_call_of_sqlite_may_fail);
    RUN(each_call_may_find_the_disk_full);
    RUN(each_call_may_be_the_first_of_many_that_fail);
    RUN(each_call_for_memory_may_fail);
    RUN(a_read_without_memory_gives_nothing);
    scratch_clean();
    return test_end();
}
