/*
 * What the store's tests share: a directory of their own, short ways to write operations and queries, and a dump of
 * a database through a connection that knows nothing of the store.
 */
#ifndef LIAISON_TESTS_STORE_SCRATCH_H
#define LIAISON_TESTS_STORE_SCRATCH_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "test.h"

static char scratch_directory[200];

/* The path of `name` in the scratch directory, which is made at the first call; eight of them stay valid. */
static inline const char *scratch(const char *name)
{
    static char path[8][300];
    static unsigned next;
    char *out = path[next++ % 8];

    if (scratch_directory[0] == 0) {
        const char *base = getenv("TMPDIR");

        snprintf(scratch_directory, sizeof scratch_directory, "%.100s/liaison-test-XXXXXX",
                 base != NULL ? base : "/tmp");
        if (mkdtemp(scratch_directory) == NULL)
            abort();
    }
    snprintf(out, sizeof path[0], "%s/%s", scratch_directory, name);
    return out;
}

static inline void scratch_clean(void)
{
    char command[400];

    snprintf(command, sizeof command, "rm -rf '%s'", scratch_directory);
    if (scratch_directory[0] != 0 && system(command) != 0)
        abort();
    scratch_directory[0] = 0;
}

static inline struct span bytes_of(const char *text)
{
    return span_of(text, strlen(text));
}

/* Operations and queries: kind, (integers), (blobs). CALL() is the initialiser of either. */
#define UNPACK(...) __VA_ARGS__
#define CALL(k, integers, blobs)                                                                                       \
    {                                                                                                                  \
        .kind = (k), .n = {UNPACK integers}, .b = { UNPACK blobs }                                                     \
    }
#define OP(k, integers, blobs) ((struct store_op)CALL(k, integers, blobs))
#define QUERY(k, integers, blobs) ((struct store_query)CALL(k, integers, blobs))

static inline void put(struct store_batch *batch, struct store_op op)
{
    store_batch_put(batch, &op);
}

/* Stages and commits a batch, forgets its operations, and says whether all went well. */
static inline bool commit(struct store *store, struct store_batch *batch)
{
    struct error error = {0};
    int status = store_stage(store, batch, &error);

    if (status == 0)
        status = store_commit(store, store_batch_number(store) + 1, &error);
    if (status != 0)
        printf("# %s\n", error.message);
    store_batch_reset(batch);
    return status == 0;
}

static inline bool commit_one(struct store *store, struct store_op op)
{
    struct store_batch batch = {0};
    bool done = false;

    put(&batch, op);
    done = commit(store, &batch);
    store_batch_free(&batch);
    return done;
}

static inline struct store *make(const char *name)
{
    struct error error = {0};
    struct store *store = NULL;

    unlink(scratch(name));
    store = store_open(scratch(name), true, &error);
    if (store == NULL) {
        printf("# %s\n", error.message);
        abort();
    }
    return store;
}

static inline struct store_result ask(struct store *store, struct store_query query)
{
    struct store_result result = {0};
    struct error error = {0};

    if (store_read(store, &query, &result, &error) != 0) {
        test_case_failed = true;
        printf("# %s\n", error.message);
    }
    return result;
}

/* A result as text: "1 2 |blob|blob; 3 4 |...; " and "more" at the end if there is more. */
static inline const char *shown(struct store *store, struct store_query query, int integers, int blobs)
{
    static struct buffer text;
    struct store_result result = ask(store, query);

    buffer_reset(&text);
    for (size_t i = 0; i < result.count; i++) {
        for (int k = 0; k < integers; k++)
            buffer_print(&text, "%lld ", (long long)result.row[i].n[k]);
        for (int k = 0; k < blobs; k++)
            buffer_print(&text, "|%.*s", (int)result.row[i].b[k].size, (const char *)result.row[i].b[k].data);
        buffer_print(&text, "; ");
    }
    if (result.more)
        buffer_print(&text, "more");
    store_result_free(&result);
    return buffer_string(&text);
}

#define CHECK_SHOWN(store, query, integers, blobs, expected)                                                           \
    do {                                                                                                               \
        const char *shown_now = shown(store, query, integers, blobs);                                                  \
        if (strcmp(shown_now, expected) != 0) {                                                                        \
            test_case_failed = true;                                                                                   \
            printf("# %s:%d: %s, not %s\n", __FILE__, __LINE__, shown_now, expected);                                  \
        }                                                                                                              \
    } while (0)

/* Everything in every table but the batch number, as text. Through SQLite's own statements. */
static inline void dump(sqlite3 *connection, struct buffer *text)
{
    sqlite3_stmt *tables = NULL;

    buffer_reset(text);
    if (sqlite3_prepare_v2(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", -1, &tables,
                           NULL) != SQLITE_OK)
        abort();
    while (sqlite3_step(tables) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        char sql[200];
        sqlite3_stmt *rows = NULL;

        snprintf(sql, sizeof sql, "SELECT * FROM %s%s ORDER BY 1, 2", name,
                 strcmp(name, "meta") == 0 ? " WHERE key <> 'batch'" : "");
        if (sqlite3_prepare_v2(connection, sql, -1, &rows, NULL) != SQLITE_OK)
            abort();
        buffer_print(text, "%s\n", name);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(rows); i++) {
                int size = sqlite3_column_bytes(rows, i);

                buffer_print(text, " %d:", sqlite3_column_type(rows, i));
                buffer_put(text, sqlite3_column_blob(rows, i), (size_t)size);
            }
            buffer_print(text, "\n");
        }
        sqlite3_finalize(rows);
    }
    sqlite3_finalize(tables);
}

/* The whole of a file. */
static inline void file_read(const char *path, struct buffer *content)
{
    FILE *file = fopen(path, "rb");
    char part[65536];
    size_t got = 0;

    buffer_reset(content);
    while (file != NULL && (got = fread(part, 1, sizeof part, file)) > 0)
        buffer_put(content, part, got);
    if (file != NULL)
        fclose(file);
}

static inline void file_write(const char *path, struct span content)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || (content.size > 0 && fwrite(content.data, 1, content.size, file) != content.size) ||
        fclose(file) != 0)
        abort();
}

/* Runs `child` in a process of its own that ends without closing anything; its exit status. */
static inline int in_child(int (*child)(void *), void *context)
{
    int status = -1;
    pid_t pid = 0;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(child(context));
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
