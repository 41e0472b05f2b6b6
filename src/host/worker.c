#include "host/worker.h"

#include <stdatomic.h>
#include <stdlib.h>

struct worker {
    uv_async_t *completed;
    struct store *store;
    struct mark *mark;
    struct buffer content; /* what the mark holds, but for a job that is out */

    struct office_job *job[WORKER_JOBS_MAX];
    atomic_size_t submitted; /* written by the loop */
    atomic_size_t finished;  /* written by the store's thread */
    size_t taken;            /* the loop's */
    uv_sem_t work;           /* one for each job submitted, and one to end */
    uv_thread_t store_thread;

    /* The semaphores hand these over and back. */
    const struct buffer *mark_content; /* NULL: end */
    struct error mark_error;
    uv_sem_t mark_wanted, mark_done;
    uv_thread_t mark_thread;
};

static void run_mark(void *argument)
{
    struct worker *worker = argument;

    for (;;) {
        uv_sem_wait(&worker->mark_wanted);
        if (worker->mark_content == NULL)
            return;
        worker->mark_error = (struct error){0};
        if (worker->mark != NULL)
            (void)mark_write(worker->mark, buffer_span(worker->mark_content), &worker->mark_error);
        else
            (void)error_set(&worker->mark_error, ERROR_STORAGE, "there is no mark, so nothing may be recorded");
        uv_sem_post(&worker->mark_done);
    }
}

static void begin_mark(struct worker *worker, const struct buffer *content)
{
    worker->mark_content = content;
    uv_sem_post(&worker->mark_wanted);
}

/* The mark has been on its way since the job was submitted. The job is done when both are on the disk. */
static void commit(struct worker *worker, struct office_job *job)
{
    bool tried = job->error.code == ERROR_NONE && worker->mark != NULL;
    bool committed = tried && store_commit(worker->store, job->number, &job->error) == 0;
    bool unknown = tried && !committed && job->error.code != ERROR_FULL;

    if (!tried)
        store_abandon(worker->store);
    uv_sem_wait(&worker->mark_done);
    if (committed) {
        struct buffer before = worker->content;

        worker->content = job->mark;
        job->mark = before;
    } else if (!unknown && worker->mark_error.code == ERROR_NONE) {
        /* Nothing was recorded, and a mark that stays ahead would stop the office at its next start. */
        begin_mark(worker, &worker->content);
        uv_sem_wait(&worker->mark_done);
    }
    if (worker->mark_error.code != ERROR_NONE)
        job->error = worker->mark_error;
}

static void run_job(struct worker *worker, struct office_job *job)
{
    struct error error = {0};
    int status = job->run(job, worker->store);

    if (status != 0)
        (void)error_set(&job->error, ERROR_STORAGE, "the store failed and did not say why");
    job->space = store_space(worker->store);
    if (job->commits)
        commit(worker, job);
    /* The batch is durable, whatever a full disk does to the checkpoint. */
    if (job->error.code != ERROR_NONE || !job->truncate)
        return;
    if (store_checkpoint_all(worker->store, &error) == 0)
        store_lengthen_wal(worker->store);
    else if (error.code != ERROR_FULL)
        job->error = error;
}

static void run_store(void *argument)
{
    struct worker *worker = argument;

    for (;;) {
        size_t number = atomic_load_explicit(&worker->finished, memory_order_relaxed);
        bool committed = false;
        struct office_job *job = NULL;

        uv_sem_wait(&worker->work);
        if (number == atomic_load_explicit(&worker->submitted, memory_order_acquire))
            return;
        job = worker->job[number % WORKER_JOBS_MAX];
        run_job(worker, job);
        committed = job->commits;
        atomic_store_explicit(&worker->finished, number + 1, memory_order_release);
        (void)uv_async_send(worker->completed);
        /* After the answer is on its way. If this fails the store refuses what comes next, and that job says why. */
        if (committed)
            (void)store_checkpoint_some(worker->store, NULL);
    }
}

struct worker *worker_start(uv_async_t *completed, struct store *store, struct mark *mark, struct span content,
                            struct error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        goto failed;
    worker->completed = completed;
    worker->store = store;
    worker->mark = mark;
    buffer_put_span(&worker->content, content);
    if (buffer_failed(&worker->content) || uv_sem_init(&worker->work, 0) != 0 ||
        uv_sem_init(&worker->mark_wanted, 0) != 0 || uv_sem_init(&worker->mark_done, 0) != 0 ||
        uv_thread_create(&worker->mark_thread, run_mark, worker) != 0)
        goto failed;
    if (uv_thread_create(&worker->store_thread, run_store, worker) == 0)
        return worker;
    begin_mark(worker, NULL);
    (void)uv_thread_join(&worker->mark_thread);
failed:
    (void)error_set(error, ERROR_SYSTEM, "the system gives no memory or thread for the store");
    if (worker != NULL)
        buffer_free(&worker->content);
    free(worker);
    return NULL;
}

bool worker_has_room(const struct worker *worker)
{
    return atomic_load_explicit(&worker->submitted, memory_order_relaxed) - worker->taken < WORKER_JOBS_MAX;
}

void worker_submit(struct worker *worker, struct office_job *job)
{
    size_t number = atomic_load_explicit(&worker->submitted, memory_order_relaxed);

    worker->job[number % WORKER_JOBS_MAX] = job;
    if (job->commits)
        begin_mark(worker, &job->mark);
    atomic_store_explicit(&worker->submitted, number + 1, memory_order_release);
    uv_sem_post(&worker->work);
}

struct office_job *worker_take(struct worker *worker)
{
    if (worker->taken == atomic_load_explicit(&worker->finished, memory_order_acquire))
        return NULL;
    return worker->job[worker->taken++ % WORKER_JOBS_MAX];
}

bool worker_is_idle(const struct worker *worker)
{
    return worker->taken == atomic_load_explicit(&worker->submitted, memory_order_relaxed);
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL)
        return;
    uv_sem_post(&worker->work);
    (void)uv_thread_join(&worker->store_thread);
    begin_mark(worker, NULL);
    (void)uv_thread_join(&worker->mark_thread);
    uv_sem_destroy(&worker->work);
    uv_sem_destroy(&worker->mark_wanted);
    uv_sem_destroy(&worker->mark_done);
    buffer_free(&worker->content);
    free(worker);
}
