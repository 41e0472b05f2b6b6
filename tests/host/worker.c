/*
 * The worker on a real store and mark in a temporary directory. The calls that write are wrapped by the linker: a case
 * can make them fail, and sees their order.
 */
#include "test.h"

#include "host/clock.h"
#include "host/worker.h"

#include <stdatomic.h>
#include <unistd.h>

/* --- the wraps --------------------------------------------------------------------------------------------- */

int __real_store_commit(struct store *store, uint64_t number, struct error *error);
int __wrap_store_commit(struct store *store, uint64_t number, struct error *error);
int __real_mark_write(struct mark *mark, struct span content, struct error *error);
int __wrap_mark_write(struct mark *mark, struct span content, struct error *error);

static enum error_code commit_fails, mark_fails; /* how the next calls end; set while all is idle */
static atomic_uint commits, marks;               /* calls so far */
static atomic_bool commit_hangs, mark_hangs;     /* a disk that does not answer */

static void nap(void)
{
    (void)usleep(1000);
}

static int call(atomic_uint *calls, const atomic_bool *hangs, enum error_code fails, struct error *error)
{
    (*calls)++;
    while (*hangs)
        nap();
    return fails == ERROR_NONE ? 0 : error_set(error, fails, "this was made to fail");
}

int __wrap_store_commit(struct store *store, uint64_t number, struct error *error)
{
    return call(&commits, &commit_hangs, commit_fails, error) == 0 ? __real_store_commit(store, number, error) : -1;
}

int __wrap_mark_write(struct mark *mark, struct span content, struct error *error)
{
    return call(&marks, &mark_hangs, mark_fails, error) == 0 ? __real_mark_write(mark, content, error) : -1;
}

/* --- a worker with its surroundings -------------------------------------------------------------------------- */

struct bench {
    char directory[64], database[96], mark_path[96];
    uv_loop_t loop;
    uv_async_t completed;
    struct store *store;
    struct mark *mark;
    struct worker *worker;
    unsigned wakes;
};

static void completed(uv_async_t *async)
{
    struct bench *bench = async->data;

    bench->wakes++;
    uv_stop(&bench->loop);
}

static void encode(struct buffer *content, uint64_t batch)
{
    const uint8_t office[OFFICE_ID_SIZE] = {1};
    const struct store_batch none = {0};

    CHECK(mark_encode(content, office, batch, NULL, 0, &none, NULL) == 0);
}

static void open_bench(struct bench *bench)
{
    struct mark_state state = {.office = {1}};
    struct buffer content = {0};
    struct error error = {0};

    *bench = (struct bench){.directory = "/tmp/liaison-worker-XXXXXX"};
    commit_fails = mark_fails = ERROR_NONE;
    commit_hangs = mark_hangs = false;
    commits = marks = 0;
    CHECK(mkdtemp(bench->directory) != NULL);
    (void)snprintf(bench->database, sizeof bench->database, "%s/liaison.db", bench->directory);
    (void)snprintf(bench->mark_path, sizeof bench->mark_path, "%s/mark", bench->directory);
    CHECK(uv_loop_init(&bench->loop) == 0);
    CHECK(uv_async_init(&bench->loop, &bench->completed, completed) == 0);
    bench->completed.data = bench;
    bench->store = store_open(bench->database, true, &error);
    state.batch = store_batch_number(bench->store);
    bench->mark = mark_create(bench->mark_path, &state, &error);
    encode(&content, state.batch);
    bench->worker = worker_start(&bench->completed, bench->store, bench->mark, buffer_span(&content), &error);
    CHECK(bench->worker != NULL && error.code == ERROR_NONE);
    buffer_free(&content);
}

static void close_bench(struct bench *bench)
{
    static const char *const names[] = {"liaison.db", "liaison.db-wal", "mark"};
    char path[128];

    worker_stop(bench->worker);
    uv_close((uv_handle_t *)&bench->completed, NULL);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&bench->loop) == 0);
    mark_close(bench->mark);
    store_close(bench->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", bench->directory, names[i]);
        (void)unlink(path);
    }
    CHECK(rmdir(bench->directory) == 0);
}

/* What the mark says now, read from the file by another mark. */
static uint64_t marked_batch(struct bench *bench)
{
    struct mark_state state = {0};
    struct mark *mark = NULL;
    uint64_t batch = 0;

    mark_close(bench->mark);
    mark = mark_open(bench->mark_path, &state, NULL);
    batch = state.batch;
    mark_state_free(&state);
    bench->mark = mark;
    return batch;
}

/* --- jobs ------------------------------------------------------------------------------------------------------ */

static int run_nothing(struct office_job *job, struct store *store)
{
    (void)job;
    (void)store;
    return 0;
}

static int run_staging(struct office_job *job, struct store *store)
{
    struct store_batch batch = {0};
    struct store_op op = {.kind = STORE_PUT_META, .n = {META_LAST_WALL}};
    uint8_t value[8] = {0};
    int status = 0;

    put_u64_be(value, job->number);
    op.b[0] = span_of(value, sizeof value);
    store_batch_put(&batch, &op);
    status = store_stage(store, &batch, &job->error);
    store_batch_free(&batch);
    return status;
}

/* As when what is read back is not what was written. */
static int run_failing(struct office_job *job, struct store *store)
{
    (void)run_staging(job, store);
    return error_set(&job->error, ERROR_MISMATCH, "what was read back is not what was written");
}

static struct office_job commit_job(const struct bench *bench)
{
    struct office_job job = {.run = run_staging, .commits = true, .number = store_batch_number(bench->store) + 1};

    encode(&job.mark, job.number);
    return job;
}

static struct office_job *take(struct bench *bench)
{
    struct office_job *job = NULL;

    while ((job = worker_take(bench->worker)) == NULL)
        (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    return job;
}

static void run_one(struct bench *bench, struct office_job *job)
{
    worker_submit(bench->worker, job);
    CHECK(!worker_is_idle(bench->worker));
    CHECK(take(bench) == job);
    CHECK(worker_is_idle(bench->worker));
}

/* --- cases ------------------------------------------------------------------------------------------------------ */

static void jobs_come_back_in_order(void)
{
    static struct office_job jobs[WORKER_JOBS_MAX];
    struct bench bench;

    open_bench(&bench);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < WORKER_JOBS_MAX; i++) {
            jobs[i] = (struct office_job){.run = run_nothing};
            CHECK(worker_has_room(bench.worker));
            worker_submit(bench.worker, &jobs[i]);
        }
        CHECK(!worker_has_room(bench.worker));
        for (size_t i = 0; i < WORKER_JOBS_MAX; i++) {
            struct office_job *job = take(&bench);

            CHECK(job == &jobs[i]);
            CHECK(job->error.code == ERROR_NONE && job->space > 0);
        }
    }
    CHECK(worker_take(bench.worker) == NULL);
    CHECK(bench.wakes > 0);
    close_bench(&bench);
}

static void a_commit_is_in_both_when_it_comes_back(void)
{
    struct bench bench;
    struct office_job job = {0};
    uint64_t before = 0;

    open_bench(&bench);
    before = store_batch_number(bench.store);
    job = commit_job(&bench);
    run_one(&bench, &job);
    CHECK(job.error.code == ERROR_NONE);
    CHECK(store_batch_number(bench.store) == before + 1);
    worker_stop(bench.worker);
    bench.worker = NULL;
    CHECK(marked_batch(&bench) == before + 1);
    buffer_free(&job.mark);
    close_bench(&bench);
}

/* The job is not done before both are there, whichever of them takes longer. */
static void nothing_is_done_while_one_of_both_hangs(atomic_bool *hangs)
{
    struct bench bench;
    struct office_job job = {0};

    open_bench(&bench);
    job = commit_job(&bench);
    *hangs = true;
    worker_submit(bench.worker, &job);
    while (commits == 0 || marks == 0)
        nap();
    for (int i = 0; i < 50; i++, nap())
        CHECK(worker_take(bench.worker) == NULL);
    *hangs = false;
    CHECK(take(&bench) == &job && job.error.code == ERROR_NONE);
    buffer_free(&job.mark);
    close_bench(&bench);
}

static void nothing_is_done_while_the_mark_hangs(void)
{
    nothing_is_done_while_one_of_both_hangs(&mark_hangs);
}

static void nothing_is_done_while_the_commit_hangs(void)
{
    nothing_is_done_while_one_of_both_hangs(&commit_hangs);
}

static int run_once_the_mark_is_written(struct office_job *job, struct store *store)
{
    for (int i = 0; i < 10000 && marks == 0; i++)
        nap();
    return marks > 0 ? run_staging(job, store) : error_set(&job->error, ERROR_SYSTEM, "the mark was not begun");
}

static void the_mark_is_begun_with_the_job(void)
{
    struct bench bench;
    struct office_job job = {0};

    open_bench(&bench);
    job = commit_job(&bench);
    job.run = run_once_the_mark_is_written;
    run_one(&bench, &job);
    CHECK(job.error.code == ERROR_NONE);
    buffer_free(&job.mark);
    close_bench(&bench);
}

/* What was staged is gone, and the mark says what it said. */
static void a_job_that_failed_is_not_committed(void)
{
    struct bench bench;
    struct office_job first = {0}, second = {0}, third = {0};
    uint64_t before = 0;

    open_bench(&bench);
    first = commit_job(&bench);
    run_one(&bench, &first);
    before = store_batch_number(bench.store);
    second = commit_job(&bench);
    second.run = run_failing;
    run_one(&bench, &second);
    CHECK(second.error.code == ERROR_MISMATCH);
    CHECK(commits == 1 && marks == 3);
    CHECK(store_batch_number(bench.store) == before);
    third = commit_job(&bench);
    run_one(&bench, &third);
    CHECK(third.error.code == ERROR_NONE);
    buffer_free(&second.mark);
    second = commit_job(&bench);
    second.run = run_failing;
    run_one(&bench, &second);
    worker_stop(bench.worker);
    bench.worker = NULL;
    CHECK(marked_batch(&bench) == before + 1);
    buffer_free(&first.mark);
    buffer_free(&second.mark);
    buffer_free(&third.mark);
    close_bench(&bench);
}

static void after_a_full_disk_the_mark_says_what_it_said(void)
{
    struct bench bench;
    struct office_job first = {0}, second = {0};
    uint64_t before = 0;

    open_bench(&bench);
    first = commit_job(&bench);
    run_one(&bench, &first);
    before = store_batch_number(bench.store);
    second = commit_job(&bench);
    commit_fails = ERROR_FULL;
    run_one(&bench, &second);
    CHECK(second.error.code == ERROR_FULL);
    CHECK(commits == 2 && marks == 3);
    worker_stop(bench.worker);
    bench.worker = NULL;
    CHECK(marked_batch(&bench) == before);
    buffer_free(&first.mark);
    buffer_free(&second.mark);
    close_bench(&bench);
}

static void an_unknown_outcome_leaves_the_mark_ahead(void)
{
    struct bench bench;
    struct office_job job = {0};
    uint64_t before = 0;

    open_bench(&bench);
    before = store_batch_number(bench.store);
    job = commit_job(&bench);
    commit_fails = ERROR_STORAGE;
    run_one(&bench, &job);
    CHECK(job.error.code == ERROR_STORAGE);
    worker_stop(bench.worker);
    bench.worker = NULL;
    CHECK(marked_batch(&bench) == before + 1);
    buffer_free(&job.mark);
    close_bench(&bench);
}

static void a_mark_that_fails_is_the_jobs_error(void)
{
    struct bench bench;
    struct office_job job = {0};

    open_bench(&bench);
    job = commit_job(&bench);
    mark_fails = ERROR_STORAGE;
    run_one(&bench, &job);
    CHECK(job.error.code == ERROR_STORAGE);
    buffer_free(&job.mark);
    close_bench(&bench);
}

static void without_a_mark_nothing_is_committed(void)
{
    struct bench bench;
    struct office_job job = {0};
    struct error error = {0};
    uint64_t before = 0;

    open_bench(&bench);
    worker_stop(bench.worker);
    bench.worker = worker_start(&bench.completed, bench.store, NULL, span_of(NULL, 0), &error);
    before = store_batch_number(bench.store);
    job = commit_job(&bench);
    run_one(&bench, &job);
    CHECK(job.error.code == ERROR_STORAGE);
    CHECK(store_batch_number(bench.store) == before);
    buffer_free(&job.mark);
    close_bench(&bench);
}

static void what_was_submitted_is_run_before_the_end(void)
{
    struct bench bench;
    struct office_job job = {0};
    uint64_t before = 0;

    open_bench(&bench);
    before = store_batch_number(bench.store);
    job = commit_job(&bench);
    worker_submit(bench.worker, &job);
    worker_stop(bench.worker);
    bench.worker = NULL;
    CHECK(store_batch_number(bench.store) == before + 1);
    buffer_free(&job.mark);
    close_bench(&bench);
}

/* Not a case: how much a hop to the store's thread and back costs, and a commit with its mark. */
static void measure(void)
{
    enum { HOPS = 500, COMMITS = 100 };
    struct bench bench;
    struct office_job job = {.run = run_nothing};
    uint64_t start = 0, hops = 0;

    open_bench(&bench);
    start = clock_now().monotonic.us;
    for (int i = 0; i < HOPS; i++)
        run_one(&bench, &job);
    hops = clock_now().monotonic.us - start;
    start = clock_now().monotonic.us;
    for (int i = 0; i < COMMITS; i++) {
        struct office_job committed = commit_job(&bench);

        run_one(&bench, &committed);
        buffer_free(&committed.mark);
    }
    printf("# a hop there and back %.1f us, a commit with its mark %.1f us\n", (double)hops / HOPS,
           (double)(clock_now().monotonic.us - start) / COMMITS);
    close_bench(&bench);
}

int main(void)
{
    RUN(jobs_come_back_in_order);
    RUN(a_commit_is_in_both_when_it_comes_back);
    RUN(nothing_is_done_while_the_mark_hangs);
    RUN(nothing_is_done_while_the_commit_hangs);
    RUN(the_mark_is_begun_with_the_job);
    RUN(a_job_that_failed_is_not_committed);
    RUN(after_a_full_disk_the_mark_says_what_it_said);
    RUN(an_unknown_outcome_leaves_the_mark_ahead);
    RUN(a_mark_that_fails_is_the_jobs_error);
    RUN(without_a_mark_nothing_is_committed);
    RUN(what_was_submitted_is_run_before_the_end);
    measure();
    return test_end();
}
