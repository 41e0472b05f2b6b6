/*
 * The real store and the real mark on a virtual disk: every call fails once, the power is cut at every call, and what
 * was committed is there.
 */
#include "vfs.h"

#include "store/mark.h"
#include "system.h"
#include "test.h"

#define PATH "/0/liaison.db"
#define BATCHES 3
#define MORE 6

static struct power power;
static struct disk *disk;

static void begin(uint64_t seed)
{
    vfs_register(seed);
    power = (struct power){0};
    disk = disk_new(seed, 0, &power);
    system_mount(0, disk);
}

static void end(void)
{
    system_mount(0, NULL);
    disk_free(disk);
}

static int put(struct store *store, uint64_t number, struct error *error)
{
    struct store_batch batch = {0};
    struct store_op op = {.kind = STORE_PUT_ENTRY, .n = {PLACE(1, number), 1, 2, 3, 4}};
    uint8_t leaf[HASH_SIZE] = {(uint8_t)number};
    uint8_t bytes[9000] = {(uint8_t)number};
    int status = -1;

    op.b[0] = span_of(leaf, sizeof leaf);
    op.b[1] = span_of(bytes, sizeof bytes);
    store_batch_put(&batch, &op);
    if (store_stage(store, &batch, error) == 0)
        status = store_commit(store, number, error);
    store_batch_free(&batch);
    return status;
}

/* How many batches said that they are durable. */
static uint64_t run(bool lengthen)
{
    struct error error = {0};
    struct store *store = store_open(PATH, false, &error);
    uint64_t done = store == NULL ? 0 : store_batch_number(store);

    if (store != NULL && lengthen)
        store_lengthen_wal(store);
    while (store != NULL && done < BATCHES && put(store, done + 1, &error) == 0)
        done++;
    if (store != NULL && error.code == ERROR_NONE)
        (void)store_checkpoint_all(store, &error);
    store_close(store);
    return done;
}

static void make(void)
{
    struct error error = {0};
    struct store *store = store_open(PATH, true, &error);

    CHECK(store != NULL);
    store_close(store);
    CHECK(disk_sync_directory(disk) == 0);
}

static bool is_whole(uint64_t batches)
{
    struct error error = {0};
    struct store *store = store_open(PATH, false, &error);
    struct store_query query = {.kind = STORE_ENTRIES, .n = {1, 0, 100}};
    struct store_result result = {0};
    bool whole = false;

    if (store == NULL)
        printf("# %s\n", error.message);
    if (store != NULL && store_read(store, &query, &result, NULL) == 0)
        whole = store_batch_number(store) >= batches && result.count == store_batch_number(store);
    store_result_free(&result);
    store_close(store);
    return whole;
}

static void the_store_runs_on_it(void)
{
    begin(1);
    make();
    CHECK(run(true) == BATCHES && is_whole(BATCHES));
    CHECK(disk_truth_size(disk, "liaison.db", true) > 4096);
    end();
}

/* Returns whether the cut fell before the end. */
static bool cut_at(uint64_t at, uint64_t seed)
{
    uint64_t done = 0;
    bool was_cut = false;

    begin(seed);
    make();
    power.cut_at = power.calls + at;
    done = run(false);
    was_cut = power.off;
    disk_crash(disk);
    power = (struct power){0};
    CHECK(is_whole(done));
    CHECK(run(false) == BATCHES && is_whole(BATCHES));
    end();
    return was_cut;
}

static void no_power_cut_takes_what_was_committed(void)
{
    uint64_t at = 1;

    while (cut_at(at, at) && cut_at(at, at + 1000))
        at++;
    CHECK(at > 60);
}

/* The same with a disk that forgets to sync the WAL: some cut must take what was committed. */
static void without_the_sync_of_the_wal_one_does(void)
{
    bool lost = false;

    for (uint64_t seed = 1; seed < 40 && !lost; seed++) {
        begin(seed);
        make();
        vfs_drop_wal_syncs(true);
        power.cut_at = power.calls + 20 + seed * 3;
        lost = run(false) > 0;
        disk_crash(disk);
        power = (struct power){0};
        vfs_drop_wal_syncs(false);
        lost = lost && !is_whole(1);
        end();
    }
    CHECK(lost);
}

static struct mark_state mark_of(uint64_t batch)
{
    return (struct mark_state){.office = {7}, .batch = batch};
}

static void the_mark_runs_on_it(void)
{
    struct error error = {0};
    struct mark_state state = mark_of(1);
    struct mark_state other = {0};
    struct mark *mark = NULL;
    struct mark *second = NULL;

    begin(2);
    mark = mark_create("/0/office.mark", &state, &error);
    CHECK(mark != NULL);
    mark_close(mark);
    disk_crash(disk);
    mark = mark_open("/0/office.mark", &state, &error);
    CHECK(mark != NULL && state.batch == 1);
    second = mark_open("/0/office.mark", &other, &error);
    CHECK(second == NULL && error.code == ERROR_REFUSED);
    mark_close(mark);
    mark_state_free(&state);
    end();
}

static bool write_mark(struct mark *mark, uint64_t batch)
{
    struct mark_state state = mark_of(batch);
    struct store_batch none = {0};
    struct buffer content = {0};
    bool written = mark_encode(&content, state.office, batch, NULL, 0, &none, NULL) == 0 &&
                   mark_write(mark, buffer_span(&content), NULL) == 0;

    buffer_free(&content);
    return written;
}

/* The batch that the mark knows; 0 if it cannot be opened. */
static uint64_t open_mark(void)
{
    struct mark_state state = {0};
    struct mark *mark = mark_open("/0/office.mark", &state, NULL);
    uint64_t batch = mark == NULL ? 0 : state.batch;

    mark_close(mark);
    mark_state_free(&state);
    return batch;
}

/* The failed sync left it in the cache alone, where the next start reads it. */
static void a_mark_that_was_read_is_on_the_disk(void)
{
    bool newer = false;
    bool older = false;

    for (uint64_t seed = 0; seed < 30; seed++) {
        struct mark_state state = mark_of(1);
        struct mark *mark = NULL;
        uint64_t batch = 0;

        begin(seed);
        mark = mark_create("/0/office.mark", &state, NULL);
        CHECK(mark != NULL && write_mark(mark, 2));
        disk_faults(disk)->sync_fails = 1000000;
        CHECK(!write_mark(mark, 3));
        disk_faults(disk)->sync_fails = 0;
        mark_close(mark);
        batch = open_mark();
        disk_crash(disk);
        CHECK(batch >= 2 && open_mark() == batch);
        newer |= batch == 3;
        older |= batch == 2;
        end();
    }
    CHECK(newer && older);
}

/* SQLite cuts its log off and does not sync that. Made long again it must not bring back the beginning of what it was:
 * older pages, over a database that is newer. */
static void making_the_log_long_takes_nothing_back(void)
{
    bool over = false;

    for (uint64_t at = 1; !over; at++) {
        struct error error = {0};
        struct store *store = NULL;

        begin(at);
        make();
        CHECK(run(true) == BATCHES);
        store = store_open(PATH, false, &error);
        CHECK(store != NULL);
        for (uint64_t more = 1; more <= MORE; more++)
            CHECK(put(store, BATCHES + more, &error) == 0);
        power.off = true; /* the process dies, and leaves a log to be moved */
        store_close(store);
        power = (struct power){.cut_at = at};
        disk_abandon(disk);
        disk_faults(disk)->survival = DISK_LAST;
        store = store_open(PATH, false, &error);
        if (store != NULL)
            store_lengthen_wal(store);
        over = !power.off;
        power.off = true;
        store_close(store);
        power = (struct power){0};
        disk_crash(disk);
        CHECK(is_whole(BATCHES + MORE));
        end();
    }
}

/* Two processes on the files of one office: the second opens neither, and does not disturb the first. */
static void a_second_process_is_refused(void)
{
    struct error error = {0};
    struct mark_state state = mark_of(1);
    struct mark *mark = NULL;
    struct store *first = NULL;
    struct store *second = NULL;

    begin(4);
    make();
    mark = mark_create("/0/office.mark", &state, NULL);
    first = store_open(PATH, false, &error);
    CHECK(mark != NULL && first != NULL && put(first, 1, &error) == 0);
    CHECK(store_open(PATH, false, &error) == NULL && error.code == ERROR_REFUSED);
    error = (struct error){0};
    CHECK(mark_open("/0/office.mark", &state, &error) == NULL && error.code == ERROR_REFUSED);
    error = (struct error){0};
    CHECK(put(first, 2, &error) == 0 && write_mark(mark, 2));
    store_close(first);
    mark_close(mark);
    second = store_open(PATH, false, &error);
    CHECK(second != NULL && store_batch_number(second) == 2 && open_mark() == 2);
    store_close(second);
    end();
}

int main(void)
{
    RUN(the_store_runs_on_it);
    RUN(no_power_cut_takes_what_was_committed);
    RUN(without_the_sync_of_the_wal_one_does);
    RUN(the_mark_runs_on_it);
    RUN(a_mark_that_was_read_is_on_the_disk);
    RUN(making_the_log_long_takes_nothing_back);
    RUN(a_second_process_is_refused);
    return test_end();
}
