#include "store/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"

#define TEXT_OF(number) #number
#define NUMBER_TEXT(number) TEXT_OF(number)
#define VERSION_TEXT NUMBER_TEXT(STORE_VERSION)

int connection_error(int code, const char *what, struct error *error)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return error_set(error, ERROR_FULL, "%s: the disk is full", what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(error, ERROR_REFUSED,
                         "%s: another process is using it, most likely another liaisond that runs this office", what);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return error_set(error, ERROR_STORAGE, "%s: the file is damaged (%s)", what, sqlite3_errstr(code));
    default:
        return error_set(error, ERROR_STORAGE, "%s: %s", what, sqlite3_errstr(code));
    }
}

bool connection_usable(const struct store *store, struct error *error)
{
    if (store->failed)
        (void)error_set(error, ERROR_STORAGE, "the database failed before and is not touched until the next start");
    return !store->failed;
}

int connection_bind(sqlite3_stmt *statement, bool meta_key, size_t integers, const int64_t *n, size_t blobs,
                    const struct span *b)
{
    int parameter = 0;
    int code = SQLITE_OK;

    for (size_t i = 0; i < integers && code == SQLITE_OK; i++) {
        parameter++;
        if (!meta_key || i > 0)
            code = sqlite3_bind_int64(statement, parameter, n[i]);
        else if (n[i] >= 0 && n[i] < META_COUNT)
            code = sqlite3_bind_text(statement, parameter, store_meta_names[n[i]], -1, SQLITE_STATIC);
        else
            code = SQLITE_RANGE;
    }
    for (size_t i = 0; i < blobs && code == SQLITE_OK; i++) {
        /* A NULL pointer would bind NULL, not an empty blob. */
        const void *data = b[i].size == 0 ? "" : (const void *)b[i].data;

        parameter++;
        code = sqlite3_bind_blob64(statement, parameter, data, b[i].size, SQLITE_STATIC);
    }
    return code;
}

/* The first column of the first row as a number; -1 if there is none. */
static int64_t ask(struct store *store, const char *sql, int *code)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    *code = sqlite3_prepare_v2(store->connection, sql, -1, &statement, NULL);
    if (*code == SQLITE_OK)
        *code = sqlite3_step(statement);
    if (*code == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
        *code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return number;
}

static int run(struct store *store, const char *sql, const char *what, struct error *error)
{
    int code = sqlite3_exec(store->connection, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : connection_error(code, what, error);
}

/* Switches that do not touch the file. */
static int set_switches(struct store *store, struct error *error)
{
    static const struct {
        int name, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int now = -1;

        if (sqlite3_db_config(store->connection, switches[i].name, switches[i].value, &now) != SQLITE_OK ||
            now != switches[i].value)
            return error_set(error, ERROR_SYSTEM, "this SQLite cannot be configured safely");
    }
    /* EXCLUSIVE comes before the first access: SQLite then keeps the WAL's index in memory, without a shm file. */
    return run(store,
               "PRAGMA locking_mode = EXCLUSIVE;"
               "PRAGMA page_size = " NUMBER_TEXT(STORE_PAGE_SIZE) ";"
                                                                  "PRAGMA mmap_size = 0;"
                                                                  "PRAGMA cache_size = -4096;"
                                                                  "PRAGMA temp_store = MEMORY;"
                                                                  "PRAGMA cell_size_check = ON;",
               "the database cannot be set up", error);
}

/* The first access, which takes the lock. Nothing is written to what may be another application's file. */
static int check_owner(struct store *store, struct error *error)
{
    int code = SQLITE_OK;
    int64_t application = ask(store, "PRAGMA application_id", &code);
    int64_t version = -1;

    if (code == SQLITE_OK)
        version = ask(store, "PRAGMA user_version", &code);
    if (code != SQLITE_OK)
        return connection_error(code, "the database cannot be opened", error);
    if (application != STORE_APPLICATION_ID)
        return error_set(error, ERROR_STORAGE, "it is a database of another application");
    if (version > STORE_VERSION)
        return error_set(error, ERROR_VERSION,
                         "it was written by a newer liaison (database version %lld, this one knows %d)",
                         (long long)version, STORE_VERSION);
    if (version < 1)
        return error_set(error, ERROR_STORAGE, "it is damaged: there is no database version %lld", (long long)version);
    return 0;
}

static int set_writing(struct store *store, struct error *error)
{
    return run(store,
               "PRAGMA journal_mode = WAL;"
               "PRAGMA synchronous = FULL;"
               "PRAGMA wal_autocheckpoint = 0;"
               "PRAGMA secure_delete = ON;",
               "the database cannot be opened", error);
}

static int make_schema(struct store *store, struct error *error)
{
    const char *what = "the database cannot be made";

    if (run(store, "BEGIN", what, error) != 0)
        return -1;
    for (size_t i = 0; store_schema[i] != NULL; i++)
        if (run(store, store_schema[i], what, error) != 0)
            return -1;
    return run(store,
               "PRAGMA application_id = " NUMBER_TEXT(
                   STORE_APPLICATION_ID) ";"
                                         "PRAGMA user_version = " VERSION_TEXT ";"
                                         "INSERT INTO meta (key, value) VALUES ('batch', zeroblob(8)), ('version', "
                                         "x'0000000" VERSION_TEXT "');"
                                         "COMMIT",
               what, error);
}

/* All of it or nothing, whenever it is interrupted. */
static int upgrade(struct store *store, struct error *error)
{
    const char *what = "the database of an older version cannot be made one of this";
    int code = SQLITE_OK;
    int64_t version = ask(store, "PRAGMA user_version", &code);

    if (code != SQLITE_OK)
        return connection_error(code, what, error);
    if (version == STORE_VERSION)
        return 0;
    if (run(store, "BEGIN IMMEDIATE", what, error) != 0)
        return -1;
    for (; version < STORE_VERSION; version++)
        if (run(store, store_upgrade[version], what, error) != 0)
            return -1;
    return run(store,
               "PRAGMA user_version = " VERSION_TEXT ";"
               "UPDATE meta SET value = x'0000000" VERSION_TEXT "' WHERE key = 'version';"
               "COMMIT",
               what, error);
}

static int check_schema(struct store *store, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    bool same = true;
    size_t count = 0;
    int code = sqlite3_prepare_v2(
        store->connection, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    for (; code == SQLITE_ROW && same; code = sqlite3_step(statement)) {
        const char *sql = (const char *)sqlite3_column_text(statement, 0);

        same = sql != NULL && store_schema[count] != NULL && strcmp(sql, store_schema[count]) == 0;
        count += same;
    }
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return connection_error(code, "the database cannot be opened", error);
    if (!same || store_schema[count] != NULL)
        return error_set(error, ERROR_STORAGE, "it is damaged: its tables are not those of database version %d",
                         STORE_VERSION);
    return 0;
}

/* After a complete checkpoint the file is exactly as long as its header says. */
static int check_length(struct store *store, const char *path, struct error *error)
{
    struct stat status = {0};
    int code = SQLITE_OK;
    int64_t pages = ask(store, "PRAGMA page_count", &code);

    if (code != SQLITE_OK)
        return connection_error(code, "the database cannot be opened", error);
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "%s", strerror(errno));
    if (status.st_size != pages * STORE_PAGE_SIZE)
        return error_set(error, ERROR_STORAGE, "it is damaged: it has %lld bytes where %lld belong",
                         (long long)status.st_size, (long long)(pages * STORE_PAGE_SIZE));
    return 0;
}

/* SQLite is the only one to open an existing file: closing another descriptor of it would give up its lock. */
static int check_file(const char *path, struct error *error)
{
    struct stat status = {0};

    if (lstat(path, &status) != 0)
        return error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_STORAGE, "it is not a file");
    if (status.st_size == 0)
        return error_set(error, ERROR_STORAGE, "it is empty: making it was interrupted, or it was cut off");
    if (access(path, R_OK | W_OK) != 0)
        return error_set(error, ERROR_SYSTEM, "it cannot be written: %s", strerror(errno));
    return 0;
}

static int page_count_of_wal(void *context, sqlite3 *connection, const char *database, int pages)
{
    struct store *store = context;

    (void)connection;
    (void)database;
    store->wal_pages = pages;
    return SQLITE_OK;
}

int connection_truncate(struct store *store, struct error *error)
{
    int pages = -1;
    int moved = -1;
    int code = sqlite3_wal_checkpoint_v2(store->connection, "main", SQLITE_CHECKPOINT_TRUNCATE, &pages, &moved);

    if (code != SQLITE_OK)
        return connection_error(code, "the checkpoint failed", error);
    if (pages != 0 || moved != 0)
        return error_set(error, ERROR_STORAGE, "the checkpoint did not complete: %d of %d pages", moved, pages);
    store->wal_pages = 0;
    return 0;
}

int connection_open(struct store *store, const char *path, bool create, struct error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = SQLITE_OK;

    if (!create && check_file(path, error) != 0)
        return -1;
    code = sqlite3_open_v2(path, &store->connection, flags, NULL);
    if (code != SQLITE_OK)
        return connection_error(code, "the database cannot be opened", error);
    if (set_switches(store, error) != 0)
        return -1;
    if (!create && check_owner(store, error) != 0)
        return -1;
    if (set_writing(store, error) != 0)
        return -1;
    if (create && make_schema(store, error) != 0)
        return -1;
    if (!create && upgrade(store, error) != 0)
        return -1;
    if (connection_truncate(store, error) != 0)
        return -1;
    /* SQLite ignores a failure to sync the directory when it makes its WAL. */
    if (fsync(store->directory) != 0)
        return error_set(error, ERROR_STORAGE, "its directory cannot be synced: %s", strerror(errno));
    if (check_schema(store, error) != 0 || check_length(store, path, error) != 0)
        return -1;
    (void)sqlite3_wal_hook(store->connection, page_count_of_wal, store);
    return 0;
}

static int prepare(struct store *store, const char *sql, sqlite3_stmt **statement, struct error *error)
{
    int code = sqlite3_prepare_v3(store->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);

    if (code == SQLITE_OK)
        return 0;
    if ((code & 0xff) == SQLITE_ERROR)
        return error_set(error, ERROR_STORAGE, "the database cannot be used: %s", sqlite3_errmsg(store->connection));
    return connection_error(code, "the database cannot be used", error);
}

int connection_prepare(struct store *store, struct error *error)
{
    static const char *const control[CONTROL_COUNT] = {
        [BEGIN] = "BEGIN IMMEDIATE", [COMMIT] = "COMMIT", [ROLLBACK] = "ROLLBACK"};

    for (size_t i = 0; i < CONTROL_COUNT; i++)
        if (prepare(store, control[i], &store->control[i], error) != 0)
            return -1;
    for (size_t i = 0; i < STORE_OP_COUNT; i++) {
        if (prepare(store, store_op_forms[i].sql, &store->op[i], error) != 0)
            return -1;
        if (store_op_forms[i].then != NULL && prepare(store, store_op_forms[i].then, &store->then[i], error) != 0)
            return -1;
    }
    for (size_t i = 0; i < STORE_FORM_COUNT; i++)
        if (prepare(store, store_query_forms[i].sql, &store->query[i], error) != 0)
            return -1;
    return 0;
}

static void finalize(sqlite3_stmt **statements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)sqlite3_finalize(statements[i]);
}

void connection_close(struct store *store)
{
    finalize(store->control, CONTROL_COUNT);
    finalize(store->op, STORE_OP_COUNT);
    finalize(store->then, STORE_OP_COUNT);
    finalize(store->query, STORE_FORM_COUNT);
    /* After a failure the files stay as they are, for the next start to look at. */
    if (store->connection != NULL && store->failed)
        (void)sqlite3_db_config(store->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(store->connection);
    store->connection = NULL;
}
