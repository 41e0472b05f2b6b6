#include "store/store.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "scratch.h"

/* SQLite's syncs and writes pass through here, to be counted and to fail. */
static unsigned syncs;
static int sync_error;  /* errno of the next syncs; 0: they work */
static int write_error; /* errno of writes once writes_left is 0 */
static unsigned writes_left = UINT32_MAX;

static int sync_counted(int fd, long call)
{
    syncs++;
    if (sync_error != 0) {
        errno = sync_error;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fdatasync(int fd)
{
    return sync_counted(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_counted(fd, SYS_fsync);
}

static ssize_t pwrite_counted(int fd, const void *data, size_t size, off_t offset)
{
    if (write_error != 0 && writes_left == 0) {
        errno = write_error;
        return -1;
    }
    writes_left -= write_error != 0;
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

static void intercept_writes(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    (void)vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)(void (*)(void))pwrite_counted);
    (void)vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)(void (*)(void))pwrite_counted);
}

static void what_is_staged_is_seen_and_what_is_committed_stays(void)
{
    struct store *store = make("staged");
    struct store_batch batch = {0};
    struct error error = {0};

    put(&batch, OP(STORE_PUT_INBOX, (1, 1), ({0})));
    CHECK(store_stage(store, &batch, &error) == 0);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "1 ; ");
    CHECK(store_batch_number(store) == 0);
    store_close(store);
    store = store_open(scratch("staged"), false, &error);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "");
    CHECK(store_batch_number(store) == 0);
    CHECK(store_stage(store, &batch, &error) == 0 && store_commit(store, 1, &error) == 0);
    CHECK(store_batch_number(store) == 1);
    store_close(store);
    store = store_open(scratch("staged"), false, &error);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "1 ; ");
    CHECK(store_batch_number(store) == 1);
    store_batch_reset(&batch);
    CHECK(commit(store, &batch) && store_batch_number(store) == 2);
    store_batch_free(&batch);
    store_close(store);
}

static void a_batch_that_fails_leaves_nothing(void)
{
    struct store *store = make("fails");
    struct store_batch batch = {0};
    struct error error = {0};

    put(&batch, OP(STORE_PUT_INBOX, (1, 1), ({0})));
    put(&batch, OP(STORE_OP_COUNT, (1, 1), ({0})));
    CHECK(store_stage(store, &batch, &error) == -1 && error.code == ERROR_STORAGE);
    store_batch_reset(&batch);
    put(&batch, OP(STORE_PUT_INBOX, (2, 1), ({0})));
    put(&batch, OP(STORE_PUT_META, (META_COUNT), ({0})));
    CHECK(store_stage(store, &batch, &error) == -1);
    store_batch_reset(&batch);
    batch.failed = true;
    error = (struct error){0};
    CHECK(store_stage(store, &batch, &error) == -1 && error.code == ERROR_SYSTEM);
    store_batch_reset(&batch);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "");
    put(&batch, OP(STORE_PUT_INBOX, (3, 1), ({0})));
    CHECK(commit(store, &batch) && store_batch_number(store) == 1);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "3 ; ");
    store_batch_free(&batch);
    store_close(store);
}

static void calls_in_the_wrong_order_are_refused(void)
{
    struct store *store = make("wrong");
    struct store_batch batch = {0};
    struct error error = {0};

    put(&batch, OP(STORE_PUT_INBOX, (1, 1), ({0})));
    CHECK(store_commit(store, 1, &error) == -1 && error.code == ERROR_USAGE);
    CHECK(store_stage(store, &batch, NULL) == 0);
    CHECK(store_commit(store, 2, NULL) == -1 && store_batch_number(store) == 0);
    CHECK(store_commit(store, 1, NULL) == -1);
    CHECK(store_stage(store, &batch, NULL) == 0);
    CHECK(store_checkpoint_all(store, NULL) == -1 && store_checkpoint_some(store, NULL) == -1);
    CHECK(store_stage(store, &batch, NULL) == -1);
    CHECK(store_commit(store, 1, NULL) == -1);
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "");
    CHECK(commit(store, &batch) && store_checkpoint_all(store, NULL) == 0);
    store_batch_free(&batch);
    store_close(store);
}

static void a_commit_is_one_sync(void)
{
    struct store *store = make("sync");

    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    for (int i = 2; i < 50; i++) {
        syncs = 0;
        CHECK(commit_one(store, OP(STORE_PUT_INBOX, (i, 1), ({0}))));
        CHECK(syncs == 1);
    }
    store_close(store);
}

/* A failed sync at a commit: whatever is called then is refused, and the files are left as they are. */
static void after_a_failed_sync_nothing_is_touched(void)
{
    struct store *store = make("poison");
    struct store_batch batch = {0};
    struct store_result result = {0};
    struct store_query query = QUERY(STORE_INBOX, (1), ({0}));
    struct error error = {0};
    uint8_t hash[HASH_SIZE];
    struct buffer before = {0};
    struct buffer after = {0};

    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    put(&batch, OP(STORE_PUT_INBOX, (2, 1), ({0})));
    CHECK(store_stage(store, &batch, &error) == 0);
    sync_error = EIO;
    CHECK(store_commit(store, 2, &error) == -1 && error.code == ERROR_STORAGE);
    sync_error = 0;
    error = (struct error){0};
    CHECK(store_stage(store, &batch, &error) == -1 && error.code == ERROR_STORAGE);
    CHECK(store_read(store, &query, &result, NULL) == -1);
    CHECK(store_commit(store, 2, NULL) == -1 && store_commit(store, 3, NULL) == -1);
    CHECK(store_range_hash(store, 1, (struct tree_range){0, 0}, hash, NULL) == -1);
    CHECK(store_checkpoint_all(store, NULL) == -1 && store_checkpoint_some(store, NULL) == -1);
    file_read(scratch("poison-wal"), &before);
    syncs = 0;
    store_close(store);
    file_read(scratch("poison-wal"), &after);
    CHECK(before.size > 0 && span_equal(buffer_span(&before), buffer_span(&after)) && syncs == 0);
    /* The outcome was unknown; the next start finds out. */
    store = store_open(scratch("poison"), false, &error);
    CHECK(store != NULL && (store_batch_number(store) == 1 || store_batch_number(store) == 2));
    buffer_free(&before);
    buffer_free(&after);
    store_batch_free(&batch);
    store_close(store);
}

static void a_checkpoint_that_cannot_sync_stops_the_store(void)
{
    struct store *store = make("checkpoint");
    struct error error = {0};

    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    sync_error = EIO;
    CHECK(store_checkpoint_all(store, &error) == -1 && error.code == ERROR_STORAGE);
    sync_error = 0;
    CHECK(store_checkpoint_all(store, NULL) == -1);
    store_close(store);
}

static void fill_batch(struct store_batch *batch, int64_t first, int entries, size_t size)
{
    static uint8_t bytes[65536];

    for (int i = 0; i < entries; i++)
        put(batch, OP(STORE_PUT_ENTRY, (first + i, 1), (span_of(bytes, 32), span_of(bytes, size))));
}

/* The disk is full after so many writes, at any place of the commit or before it: nothing has changed, and the store
 * goes on when there is room. */
static void a_full_disk_changes_nothing_wherever_it_strikes(void)
{
    struct store *store = make("full");
    struct store_batch batch = {0};
    unsigned struck = 0;
    unsigned staging = 0;

    fill_batch(&batch, 0, 3, 10000);
    CHECK(commit(store, &batch));
    for (unsigned writes = 0; writes < 3000; writes += writes < 40 ? TEST_SHARE : 61 * TEST_SHARE) {
        struct error error = {0};
        uint64_t number = store_batch_number(store);
        int64_t first = (int64_t)(10 + number * 1000);
        int status = 0;

        fill_batch(&batch, first, writes < 40 ? 3 : 150, 40000);
        writes_left = writes;
        write_error = ENOSPC;
        status = store_stage(store, &batch, &error);
        staging += status != 0;
        if (status == 0)
            status = store_commit(store, number + 1, &error);
        write_error = 0;
        store_batch_reset(&batch);
        if (status != 0) {
            struck++;
            CHECK(error.code == ERROR_FULL && store_batch_number(store) == number);
            CHECK_SHOWN(store, QUERY(STORE_ENTRIES, (0, first, INT64_C(1) << 39), ({0})), 1, 0, "");
        }
        CHECK(commit_one(store, OP(STORE_PUT_INBOX, (writes, 1), ({0}))));
    }
    printf("# %u full disks, %u of them while staging\n", struck, staging);
    CHECK(struck > 50 / TEST_SHARE && staging > 5 / TEST_SHARE);
    store_batch_free(&batch);
    store_close(store);
}

static void a_full_disk_at_a_checkpoint_leaves_the_store_usable(void)
{
    struct store *store = make("checkpoint-full");
    struct store_batch batch = {0};
    struct error error = {0};

    fill_batch(&batch, 0, 30, 10000);
    CHECK(commit(store, &batch));
    write_error = ENOSPC;
    writes_left = 5;
    CHECK(store_checkpoint_all(store, &error) == -1 && error.code == ERROR_FULL);
    write_error = 0;
    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    CHECK(store_checkpoint_all(store, NULL) == 0);
    store_close(store);
    store = store_open(scratch("checkpoint-full"), false, &error);
    CHECK(store != NULL && store_batch_number(store) == 2);
    store_batch_free(&batch);
    store_close(store);
}

#define TMPFS_NAME "a_really_full_file_system"

static void a_really_full_file_system(void)
{
    struct store *store = make("tmpfs/database");
    struct store_batch batch = {0};
    struct error error = {0};
    uint64_t number = 0;
    int code = 0;
    char path[300];
    struct buffer zeros = {0};

    snprintf(path, sizeof path, "%s", scratch("tmpfs/ballast"));
    buffer_print(&zeros, "%65536d", 0);
    file_write(path, buffer_span(&zeros));
    CHECK(store_space(store) > 0 && store_space(store) < (1 << 20));
    while (code == 0 && number < 1000) {
        number = store_batch_number(store);
        fill_batch(&batch, (int64_t)number * 10, 10, 1000);
        code = store_stage(store, &batch, &error);
        if (code == 0)
            code = store_commit(store, number + 1, &error);
        store_batch_reset(&batch);
    }
    CHECK(code == -1 && error.code == ERROR_FULL && store_batch_number(store) == number && number > 5);
    CHECK(unlink(path) == 0);
    CHECK(commit_one(store, OP(STORE_PUT_INBOX, (1, 1), ({0}))));
    CHECK(store_batch_number(store) == number + 1);
    store_close(store);
    /* There is no room for the checkpoint at the start either, until somebody makes some. */
    error = (struct error){0};
    CHECK(store_open(scratch("tmpfs/database"), false, &error) == NULL && error.code == ERROR_FULL);
    CHECK(mount("none", scratch("tmpfs"), "tmpfs", MS_REMOUNT, "size=4m") == 0);
    error = (struct error){0};
    store = store_open(scratch("tmpfs/database"), false, &error);
    CHECK(store != NULL && store_batch_number(store) == number + 1);
    store_batch_free(&batch);
    store_close(store);
    buffer_free(&zeros);
}

static void run_on_a_small_file_system(void)
{
    char path[300];

    snprintf(path, sizeof path, "%s", scratch("tmpfs"));
    if (mkdir(path, 0700) != 0 || mount("none", path, "tmpfs", 0, "size=640k") != 0) {
        SKIP(TMPFS_NAME, "a tmpfs cannot be mounted");
        return;
    }
    RUN(a_really_full_file_system);
    if (umount2(path, MNT_DETACH) != 0)
        abort();
}

static bool contains(const char *name, struct span secret)
{
    struct buffer content = {0};
    bool found = false;

    file_read(scratch(name), &content);
    found = content.size > 0 && memmem(content.data, content.size, secret.data, secret.size) != NULL;
    buffer_free(&content);
    return found;
}

static void secret_of(uint8_t secret[static 48], int author, int id)
{
    uint8_t seed[2] = {(uint8_t)author, (uint8_t)id};

    hash_bytes(secret, seed, sizeof seed);
    memcpy(secret + HASH_SIZE, secret, 16);
}

/* Any 16 bytes of a deleted secret would be too much: pages split and merge while prekeys come and go. */
static void a_deleted_secret_is_nowhere(void)
{
    struct store *store = make("secrets");
    struct store_batch batch = {0};
    uint8_t secret[48];
    unsigned traces = 0;
    struct buffer database = {0};
    struct buffer wal = {0};

    for (int author = 0; author < 15; author++) {
        for (int id = 0; id < 64; id++) {
            secret_of(secret, author, id);
            put(&batch, OP(STORE_PUT_PREKEY, (1, author, id), (span_of(secret, sizeof secret))));
        }
        CHECK(commit(store, &batch));
    }
    secret_of(secret, 3, 5);
    CHECK(contains("secrets-wal", span_of(secret, sizeof secret)));
    CHECK(store_checkpoint_all(store, NULL) == 0);
    CHECK(contains("secrets", span_of(secret, sizeof secret)));
    for (int id = 0; id < 60; id++) {
        for (int author = 0; author < 15; author++)
            put(&batch, OP(STORE_DROP_PREKEY, (1, author, id), ({0})));
        CHECK(commit(store, &batch));
    }
    CHECK(contains("secrets", span_of(secret, sizeof secret)));
    CHECK(store_checkpoint_all(store, NULL) == 0);
    file_read(scratch("secrets"), &database);
    file_read(scratch("secrets-wal"), &wal);
    CHECK(wal.size == 0 && database.size > 0);
    for (int author = 0; author < 15; author++) {
        for (int id = 0; id < 60; id++) {
            secret_of(secret, author, id);
            for (size_t at = 0; at <= 32; at += 8)
                traces += memmem(database.data, database.size, secret + at, 16) != NULL;
        }
    }
    CHECK(traces == 0);
    secret_of(secret, 3, 61);
    CHECK(memmem(database.data, database.size, secret, sizeof secret) != NULL);
    buffer_free(&database);
    buffer_free(&wal);
    store_batch_free(&batch);
    store_close(store);
}

static void the_wal_is_used_again_once_it_is_long(void)
{
    struct store *store = make("wal");
    struct store_batch batch = {0};
    struct stat status = {0};
    off_t largest = 0;

    for (int i = 0; i < 60; i++) {
        fill_batch(&batch, i * 20, 20, 50000);
        CHECK(commit(store, &batch));
        CHECK(store_checkpoint_some(store, NULL) == 0);
        CHECK(stat(scratch("wal-wal"), &status) == 0);
        largest = status.st_size > largest ? status.st_size : largest;
        CHECK(i != 2 || largest > 2 << 20); /* not at every batch */
    }
    CHECK(largest > 4 << 20 && largest < 8 << 20);
    store_batch_free(&batch);
    store_close(store);
}

#define PAGE_BYTES 4096

/* More than the cache holds, and all of it in the database file; then that file is changed, or cut, behind its back. */
static enum error_code code_after(const char *name, bool cut)
{
    struct store *store = make(name);
    struct store_batch batch = {0};
    struct store_query query = {.kind = STORE_ENTRIES, .n = {0, 0, 2000}};
    struct store_result result = {0};
    struct error error = {0};
    struct buffer content = {0};

    for (int i = 0; i < 8; i++) {
        fill_batch(&batch, i * 20, 20, 50000);
        CHECK(commit(store, &batch));
    }
    CHECK(store_checkpoint_all(store, &error) == 0);
    file_read(scratch(name), &content);
    CHECK(content.size > 7 << 20);
    if (cut)
        CHECK(truncate(scratch(name), 2 * PAGE_BYTES) == 0);
    for (size_t at = PAGE_BYTES; at < content.size; at++)
        content.data[at] = (uint8_t)(at * 7 + at / 251);
    if (!cut)
        file_write(scratch(name), buffer_span(&content));
    while (error.code == ERROR_NONE && store_read(store, &query, &result, &error) == 0 && result.more) {
        query.n[1] += (int64_t)result.count;
        store_result_free(&result);
    }
    CHECK(strstr(error.message, "damaged") != NULL);
    store_result_free(&result);
    buffer_free(&content);
    store_batch_free(&batch);
    store_close(store);
    return error.code;
}

static void a_file_that_breaks_while_it_is_open_is_not_read(void)
{
    CHECK(code_after("changed", false) == ERROR_STORAGE);
    CHECK(code_after("shorter", true) == ERROR_STORAGE);
}

/* Batch k puts the entries (k - 1) * 3 up to k * 3 and moves the log's size there. */
static void number_batch(struct store_batch *batch, int64_t number)
{
    put(batch, OP(STORE_PUT_LOG, (0, 1), ({0})));
    fill_batch(batch, (number - 1) * 3, 3, 700);
    put(batch, OP(STORE_SET_LOG, (0, number * 3), (bytes_of("frontier"))));
}

/* Whether the database holds exactly the batches up to its own number, which is at least `least`. */
static bool holds_its_batches(const char *path, uint64_t least, uint64_t most)
{
    struct error error = {0};
    struct store *store = store_open(path, false, &error);
    uint64_t number = store == NULL ? 0 : store_batch_number(store);
    struct store_result totals = {0};
    bool right = store != NULL && number >= least && number <= most;

    if (store == NULL) {
        printf("# %s\n", error.message);
        return false;
    }
    totals = ask(store, QUERY(STORE_TOTALS, (1), ({0})));
    right = right && totals.count == 1 && totals.row[0].n[0] == (int64_t)number * 3 &&
            totals.row[0].n[1] == (int64_t)number * 3;
    store_result_free(&totals);
    store_close(store);
    return right;
}

/* A process that commits batches and ends without closing: after the last one, or at its n-th write. */
struct crash {
    char path[300];
    int acknowledge; /* a pipe that gets each batch number once it is committed */
    unsigned batches;
    unsigned writes; /* 0: no limit */
    bool checkpoints;
};

static ssize_t pwrite_until_the_end(int fd, const void *data, size_t size, off_t offset)
{
    if (writes_left == 0) {
        (void)syscall(SYS_pwrite64, fd, data, size / 2, offset); /* torn */
        _exit(0);
    }
    writes_left--;
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

static int commit_until_the_end(void *context)
{
    struct crash *crash = context;
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct store_batch batch = {0};
    struct error error = {0};
    struct store *store = store_open(crash->path, false, &error);

    if (store == NULL)
        return 1;
    if (crash->writes > 0) {
        writes_left = crash->writes;
        (void)vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)(void (*)(void))pwrite_until_the_end);
        (void)vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)(void (*)(void))pwrite_until_the_end);
    }
    for (unsigned i = 0; i < crash->batches; i++) {
        uint64_t number = store_batch_number(store) + 1;

        number_batch(&batch, (int64_t)number);
        if (!commit(store, &batch) || write(crash->acknowledge, &number, sizeof number) != sizeof number)
            return 1;
        if (crash->checkpoints && i % 3 == 2 && store_checkpoint_all(store, NULL) != 0)
            return 1;
    }
    return 0;
}

/* The last batch that was acknowledged. */
static uint64_t run_crash(struct crash *crash)
{
    int ends[2];
    uint64_t acknowledged = 0;
    uint64_t number = 0;

    if (pipe(ends) != 0)
        abort();
    crash->acknowledge = ends[1];
    CHECK(in_child(commit_until_the_end, crash) == 0);
    close(ends[1]);
    while (read(ends[0], &number, sizeof number) == sizeof number)
        acknowledged = number;
    close(ends[0]);
    return acknowledged;
}

static void a_process_that_ends_at_any_write_keeps_what_it_committed(void)
{
    struct crash crash = {.batches = 7, .checkpoints = true};
    unsigned middle = 0;

    snprintf(crash.path, sizeof crash.path, "%s", scratch("crash"));
    for (crash.writes = 1; crash.writes < 200; crash.writes += 3) {
        uint64_t acknowledged = 0;

        unlink(scratch("crash-wal"));
        store_close(make("crash"));
        acknowledged = run_crash(&crash);
        middle += acknowledged > 0 && acknowledged < crash.batches;
        CHECK(holds_its_batches(crash.path, acknowledged, acknowledged + 1));
        CHECK(holds_its_batches(crash.path, acknowledged, acknowledged + 1));
    }
    CHECK(middle > 10);
}

/* A power cut leaves any beginning of what was written after the last sync, and perhaps a damaged end. */
static void a_wal_cut_anywhere_gives_back_whole_batches(void)
{
    struct crash crash = {.batches = 6};
    struct buffer database = {0};
    struct buffer wal = {0};
    uint64_t reached = 0;

    store_close(make("power"));
    snprintf(crash.path, sizeof crash.path, "%s", scratch("power"));
    CHECK(run_crash(&crash) == 6);
    file_read(scratch("power"), &database);
    file_read(scratch("power-wal"), &wal);
    for (size_t size = 0; size <= wal.size; size += size == wal.size        ? 1
                                                    : wal.size - size < 500 ? wal.size - size
                                                                            : 499) {
        struct error error = {0};
        struct store *store = NULL;

        file_write(scratch("cut"), buffer_span(&database));
        file_write(scratch("cut-wal"), span_of(wal.data, size));
        CHECK(holds_its_batches(scratch("cut"), reached, reached + 1));
        store = store_open(scratch("cut"), false, &error);
        reached = store == NULL ? 0 : store_batch_number(store);
        store_close(store);
    }
    CHECK(reached == 6);
    for (size_t at = 0; at < wal.size; at += 3001) {
        wal.data[at] ^= 1;
        file_write(scratch("cut"), buffer_span(&database));
        file_write(scratch("cut-wal"), buffer_span(&wal));
        CHECK(holds_its_batches(scratch("cut"), 0, 5));
        wal.data[at] ^= 1;
    }
    buffer_free(&database);
    buffer_free(&wal);
}

int main(void)
{
    intercept_writes();
    RUN(what_is_staged_is_seen_and_what_is_committed_stays);
    RUN(a_batch_that_fails_leaves_nothing);
    RUN(calls_in_the_wrong_order_are_refused);
    RUN(a_commit_is_one_sync);
    RUN(after_a_failed_sync_nothing_is_touched);
    RUN(a_checkpoint_that_cannot_sync_stops_the_store);
    RUN(a_full_disk_changes_nothing_wherever_it_strikes);
    RUN(a_full_disk_at_a_checkpoint_leaves_the_store_usable);
    run_on_a_small_file_system();
    RUN(a_deleted_secret_is_nowhere);
    RUN(the_wal_is_used_again_once_it_is_long);
    RUN(a_file_that_breaks_while_it_is_open_is_not_read);
    RUN(a_process_that_ends_at_any_write_keeps_what_it_committed);
    RUN(a_wal_cut_anywhere_gives_back_whole_batches);
    scratch_clean();
    return test_end();
}
