#include "store/connection.h"

#include <errno.h>
#include <sys/syscall.h>

#include "scratch.h"

static bool directories_fail;

/* SQLite ignores a directory that cannot be synced. */
static int sync_through(int fd, long call)
{
    struct stat status = {0};

    if (directories_fail && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_through(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_through(fd, SYS_fdatasync);
}

static int64_t pragma(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    if (sqlite3_prepare_v2(store->connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* The code and sentence of an opening that must fail. */
static struct error refusal(const char *path)
{
    struct error error = {0};
    struct store *store = store_open(path, false, &error);

    CHECK(store == NULL && error.message[0] != 0);
    store_close(store);
    return error;
}

static void the_connection_is_set_as_the_specification_says(void)
{
    struct store *store = make("set");
    int extensions = -1;

    CHECK(pragma(store, "PRAGMA synchronous") == 2);
    CHECK(pragma(store, "PRAGMA page_size") == STORE_PAGE_SIZE);
    CHECK(pragma(store, "PRAGMA cache_size") == -4096);
    CHECK(pragma(store, "PRAGMA temp_store") == 2);
    CHECK(pragma(store, "PRAGMA secure_delete") == 1);
    CHECK(pragma(store, "PRAGMA cell_size_check") == 1);
    CHECK(pragma(store, "PRAGMA trusted_schema") == 0);
    CHECK(pragma(store, "PRAGMA mmap_size") <= 0);
    CHECK(pragma(store, "PRAGMA wal_autocheckpoint") == 0);
    CHECK(pragma(store, "SELECT 1 FROM pragma_journal_mode WHERE journal_mode = 'wal'") == 1);
    CHECK(pragma(store, "SELECT 1 FROM pragma_locking_mode WHERE locking_mode = 'exclusive'") == 1);
    CHECK(pragma(store, "PRAGMA application_id") == STORE_APPLICATION_ID);
    CHECK(pragma(store, "PRAGMA user_version") == STORE_VERSION);
    CHECK(sqlite3_db_config(store->connection, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1, &extensions) == SQLITE_OK);
    CHECK(extensions == 0);
    CHECK(sqlite3_exec(store->connection, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema", NULL, NULL, NULL) !=
          SQLITE_OK);
    store_close(store);
}

static void the_files_are_for_their_owner_alone_and_there_is_no_shared_memory(void)
{
    mode_t before = umask(0);
    struct store *store = make("mode");
    struct stat status = {0};

    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    umask(before);
    CHECK(stat(scratch("mode"), &status) == 0 && (status.st_mode & 07777) == 0600);
    CHECK(stat(scratch("mode-wal"), &status) == 0 && (status.st_mode & 07777) == 0600 && status.st_size > 4096);
    CHECK(stat(scratch("mode-shm"), &status) != 0);
    store_close(store);
    CHECK(stat(scratch("mode-wal"), &status) != 0);
}

static void a_database_is_made_once_and_opened_again(void)
{
    struct error error = {0};
    struct store *store = make("again");

    CHECK(store_batch_number(store) == 0);
    CHECK_SHOWN(store, QUERY(STORE_GET_META, (META_VERSION), ({0})), 0, 0, "; ");
    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    store_close(store);
    CHECK(store_open(scratch("again"), true, &error) == NULL && error.code == ERROR_EXISTS);
    error = (struct error){0};
    store = store_open(scratch("again"), false, &error);
    CHECK(store != NULL && store_batch_number(store) == 1);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "1 ; ");
    store_close(store);
    CHECK(refusal(scratch("missing")).code == ERROR_NOT_FOUND);
    error = (struct error){0};
    CHECK(store_open(scratch("missing/database"), true, &error) == NULL && error.code == ERROR_SYSTEM);
    store_close(NULL);
}

static void a_directory_that_cannot_be_synced_is_an_error(void)
{
    struct error error = {0};

    directories_fail = true;
    CHECK(store_open(scratch("unsynced"), true, &error) == NULL && error.code == ERROR_STORAGE);
    CHECK(access(scratch("unsynced"), F_OK) != 0);
    directories_fail = false;
    store_close(make("unsynced"));
    directories_fail = true;
    CHECK(refusal(scratch("unsynced")).code == ERROR_STORAGE);
    directories_fail = false;
}

/* A WAL that was left behind must not become part of a new database. */
static void a_stale_wal_beside_a_new_database_is_ignored(void)
{
    struct store *store = make("old");
    struct buffer wal = {0};

    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    file_read(scratch("old-wal"), &wal);
    CHECK(wal.size > 4096);
    store_close(store);
    file_write(scratch("new-wal"), buffer_span(&wal));
    store = make("new");
    CHECK(store_batch_number(store) == 0);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "");
    store_close(store);
    buffer_free(&wal);
}

static int open_in_use(void *path)
{
    struct error error = {0};

    return store_open(path, false, &error) == NULL && error.code == ERROR_REFUSED ? 0 : 1;
}

static void a_second_process_is_refused_at_once(void)
{
    struct store *store = make("use");
    char path[300];
    struct error error = {0};

    snprintf(path, sizeof path, "%s", scratch("use"));
    CHECK(in_child(open_in_use, path) == 0);
    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    CHECK(in_child(open_in_use, path) == 0);
    /* The same process too, and the first one keeps its lock. */
    CHECK(store_open(path, false, &error) == NULL && error.code == ERROR_REFUSED);
    CHECK(in_child(open_in_use, path) == 0);
    store_close(store);
    CHECK(in_child(open_in_use, path) == 1);
}

static void what_is_no_database_of_ours_is_refused_with_a_sentence(void)
{
    sqlite3 *foreign = NULL;
    struct buffer before = {0};
    struct buffer after = {0};

    file_write(scratch("nothing"), span_of("", 0));
    CHECK(refusal(scratch("nothing")).code == ERROR_STORAGE);
    CHECK(strstr(refusal(scratch("nothing")).message, "empty") != NULL);
    CHECK(strstr(refusal(scratch("nothing")).message, scratch("nothing")) != NULL);
    file_write(scratch("text"), bytes_of("This is a text that somebody put in the place of the database.\n"));
    CHECK(refusal(scratch("text")).code == ERROR_STORAGE);
    CHECK(mkdir(scratch("directory"), 0700) == 0 && refusal(scratch("directory")).code == ERROR_STORAGE);
    CHECK(strstr(refusal(scratch("directory")).message, "not a file") != NULL);
    CHECK(sqlite3_open(scratch("foreign"), &foreign) == SQLITE_OK);
    CHECK(sqlite3_exec(foreign, "CREATE TABLE meta (key TEXT PRIMARY KEY, value)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(foreign);
    file_read(scratch("foreign"), &before);
    CHECK(strstr(refusal(scratch("foreign")).message, "another application") != NULL);
    file_read(scratch("foreign"), &after);
    CHECK(span_equal(buffer_span(&before), buffer_span(&after)));
    buffer_free(&before);
    buffer_free(&after);
}

/* Changed by `sql` behind the store's back; then what opening it says. */
static struct error after_sql(const char *name, const char *sql)
{
    sqlite3 *connection = NULL;

    CHECK(sqlite3_open(scratch(name), &connection) == SQLITE_OK);
    CHECK(sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(connection);
    return refusal(scratch(name));
}

static struct error after_change(const char *name, const char *sql)
{
    store_close(make(name));
    return after_sql(name, sql);
}

static void a_changed_database_is_refused_with_a_sentence(void)
{
    struct error newer = after_change("newer", "PRAGMA user_version = 4");

    CHECK(newer.code == ERROR_VERSION && strstr(newer.message, "newer") != NULL);
    CHECK(after_change("older", "PRAGMA user_version = 0").code == ERROR_STORAGE);
    CHECK(after_change("table", "CREATE TABLE more (x)").code == ERROR_STORAGE);
    CHECK(after_change("index", "DROP INDEX fold_order").code == ERROR_STORAGE);
    CHECK(after_change("column", "ALTER TABLE inbox RENAME COLUMN line TO lines").code == ERROR_STORAGE);
    CHECK(after_change("meta", "DELETE FROM meta WHERE key = 'batch'").code == ERROR_STORAGE);
    CHECK(after_change("number", "UPDATE meta SET value = x'00' WHERE key = 'batch'").code == ERROR_STORAGE);
}

/* What version 1 made. */
static const char logs_of_version_1[] =
    "CREATE TABLE logs (log INTEGER PRIMARY KEY, line INTEGER NOT NULL, member INTEGER NOT NULL, "
    "incarnation INTEGER NOT NULL, size INTEGER NOT NULL, folded INTEGER NOT NULL, "
    "ordered INTEGER NOT NULL, frontier BLOB NOT NULL) STRICT";

static void put_back_to_version_1(const char *name)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;

    CHECK(sqlite3_open(scratch(name), &connection) == SQLITE_OK);
    CHECK(sqlite3_exec(connection,
                       "DROP TABLE evidence; ALTER TABLE logs DROP COLUMN spent_at; ALTER TABLE logs DROP COLUMN spent_bytes;"
                       "ALTER TABLE logs DROP COLUMN spent_entries; PRAGMA user_version = 1;"
                       "UPDATE meta SET value = x'00000001' WHERE key = 'version'",
                       NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(connection, "SELECT sql FROM sqlite_schema WHERE name = 'logs'", -1, &statement, NULL) ==
          SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(strcmp((const char *)sqlite3_column_text(statement, 0), logs_of_version_1) == 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
}

static void a_database_of_version_1_becomes_one_of_this_version(void)
{
    struct error error = {0};
    struct store *store = make("old");

    CHECK(commit_one(store, OP(STORE_PUT_LOG, (3, 1, 2, 0), ({0}))));
    CHECK(commit_one(store, OP(STORE_SET_LOG, (3, 40), (bytes_of("frontier")))));
    store_close(store);
    put_back_to_version_1("old");
    for (int i = 0; i < 2; i++) {
        store = store_open(scratch("old"), false, &error);
        CHECK(store != NULL);
        if (store == NULL) {
            printf("# %s\n", error.message);
            return;
        }
        CHECK(pragma(store, "PRAGMA user_version") == 3);
        CHECK(pragma(store, "SELECT value = x'00000003' FROM meta WHERE key = 'version'") == 1);
        CHECK(store_batch_number(store) == (uint64_t)(2 + i));
        CHECK_SHOWN(store, QUERY(STORE_ALL_LOGS, (3), ({0})), 7, 1, "3 1 2 0 40 0 0 |frontier; ");
        CHECK_SHOWN(store, QUERY(STORE_SPENT, (3), ({0})), 3, 0, i == 0 ? "0 0 0 ; " : "5 6 7 ; ");
        CHECK_SHOWN(store, QUERY(STORE_ALL_EVIDENCE, (0), ({0})), 1, 1, "");
        CHECK(commit_one(store, OP(STORE_SET_SPENT, (3, 5, 6, 7), ({0}))));
        store_close(store);
    }
}

static void a_database_of_version_2_becomes_one_of_this_version(void)
{
    struct error error = {0};
    struct store *store = make("second");
    sqlite3 *connection = NULL;

    CHECK(commit_one(store, OP(STORE_PUT_LOG, (3, 1, 2, 0), ({0}))));
    CHECK(commit_one(store, OP(STORE_SET_SPENT, (3, 5, 6, 7), ({0}))));
    store_close(store);
    CHECK(sqlite3_open(scratch("second"), &connection) == SQLITE_OK);
    CHECK(sqlite3_exec(connection,
                       "DROP TABLE evidence; PRAGMA user_version = 2;"
                       "UPDATE meta SET value = x'00000002' WHERE key = 'version'",
                       NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(connection);
    store = store_open(scratch("second"), false, &error);
    CHECK(store != NULL);
    if (store == NULL) {
        printf("# %s\n", error.message);
        return;
    }
    CHECK(pragma(store, "PRAGMA user_version") == 3);
    CHECK(pragma(store, "SELECT value = x'00000003' FROM meta WHERE key = 'version'") == 1);
    CHECK_SHOWN(store, QUERY(STORE_SPENT, (3), ({0})), 3, 0, "5 6 7 ; ");
    CHECK(commit_one(store, OP(STORE_PUT_EVIDENCE, (3), (bytes_of("evidence")))));
    CHECK_SHOWN(store, QUERY(STORE_ALL_EVIDENCE, (0), ({0})), 1, 1, "3 |evidence; ");
    store_close(store);
}

/* What is there is never half of the one and half of the other: it is the old one as long as it is not the new one. */
static void an_upgrade_that_fails_changes_nothing(void)
{
    struct buffer before = {0};
    struct buffer after = {0};

    store_close(make("half"));
    put_back_to_version_1("half");
    CHECK(after_sql("half", "ALTER TABLE logs ADD COLUMN spent_bytes INTEGER NOT NULL DEFAULT 0").code ==
          ERROR_STORAGE);
    file_read(scratch("half"), &before);
    CHECK(refusal(scratch("half")).code == ERROR_STORAGE);
    file_read(scratch("half"), &after);
    CHECK(before.size > 0 && span_equal(buffer_span(&before), buffer_span(&after)));
    buffer_free(&before);
    buffer_free(&after);
}

static void file_of_entries(const char *name, struct buffer *content)
{
    struct store *store = make(name);
    struct store_batch batch = {0};
    static uint8_t bytes[3000];

    for (int i = 0; i < 40; i++)
        put(&batch, OP(STORE_PUT_ENTRY, (i, 1), (span_of(bytes, 32), span_of(bytes, sizeof bytes))));
    put(&batch, OP(STORE_PUT_PREKEY, (1, 1, 1), (span_of(bytes, 100))));
    CHECK(commit(store, &batch));
    CHECK(commit_one(store, OP(STORE_DROP_PREKEYS, (1), ({0}))));
    store_batch_free(&batch);
    store_close(store);
    file_read(scratch(name), content);
}

static void a_database_of_another_length_is_refused(void)
{
    struct buffer content = {0};

    file_of_entries("whole", &content);
    CHECK(content.size > 100000);
    for (size_t size = 1; size < content.size; size += size < 5000 ? 97 : 1024) {
        file_write(scratch("cut"), span_of(content.data, size));
        CHECK(refusal(scratch("cut")).code == ERROR_STORAGE);
    }
    buffer_print(&content, "%4096d", 0);
    file_write(scratch("longer"), buffer_span(&content));
    CHECK(refusal(scratch("longer")).code == ERROR_STORAGE);
    buffer_free(&content);
}

/* A bit of the first page, which holds the header and the schema's root: refused, or without effect on what is read. */
static void a_flipped_bit_in_the_first_page_is_refused_or_harmless(void)
{
    struct buffer content = {0};
    unsigned refused = 0;

    file_of_entries("bits", &content);
    for (size_t bit = 0; bit < (size_t)STORE_PAGE_SIZE * 8; bit += bit < 1000 ? 1 : 37) {
        struct error error = {0};
        struct store *store = NULL;

        content.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        file_write(scratch("flipped"), buffer_span(&content));
        unlink(scratch("flipped-wal"));
        store = store_open(scratch("flipped"), false, &error);
        refused += store == NULL;
        CHECK(store != NULL || ((error.code == ERROR_STORAGE || error.code == ERROR_VERSION) && error.message[0] != 0));
        if (store != NULL) {
            CHECK(store_batch_number(store) == 2);
            CHECK_SHOWN(store, QUERY(STORE_ENTRY, (39), ({0})), 2, 0, "39 1 ; ");
            store_close(store);
        }
        content.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    printf("# %u refused\n", refused);
    CHECK(refused > 300);
    buffer_free(&content);
}

int main(void)
{
    RUN(the_connection_is_set_as_the_specification_says);
    RUN(the_files_are_for_their_owner_alone_and_there_is_no_shared_memory);
    RUN(a_database_is_made_once_and_opened_again);
    RUN(a_directory_that_cannot_be_synced_is_an_error);
    RUN(a_stale_wal_beside_a_new_database_is_ignored);
    RUN(a_second_process_is_refused_at_once);
    RUN(what_is_no_database_of_ours_is_refused_with_a_sentence);
    RUN(a_changed_database_is_refused_with_a_sentence);
    RUN(a_database_of_version_1_becomes_one_of_this_version);
    RUN(a_database_of_version_2_becomes_one_of_this_version);
    RUN(an_upgrade_that_fails_changes_nothing);
    RUN(a_database_of_another_length_is_refused);
    RUN(a_flipped_bit_in_the_first_page_is_refused_or_harmless);
    scratch_clean();
    return test_end();
}
