/*
 * How much waits for a person: counted again in the store after something was taken out.
 */
#include <stdlib.h>

#include "office/engine.h"

struct count_job {
    struct office_job job;
    struct line *line;
    uint64_t count;
};

static void count_release(struct office_job *job)
{
    buffer_free(&job->mark);
    free(job);
}

static int count_run(struct office_job *job, struct store *store)
{
    struct count_job *count = (struct count_job *)job;
    struct store_query query = {.kind = STORE_INBOX_COUNT, .n = {count->line->number}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &job->error);

    if (status == 0 && result.count > 0)
        count->count = (uint64_t)result.row[0].n[0];
    store_result_free(&result);
    return status;
}

static void count_done(struct office *office, struct office_job *job, struct now now)
{
    struct count_job *count = (struct count_job *)job;

    (void)office;
    (void)now;
    if (job->error.code == ERROR_NONE)
        count->line->inbox = count->count;
}

void inbox_count(struct office *office, struct line *line)
{
    struct count_job *count = calloc(1, sizeof *count);

    if (count == NULL)
        return;
    line->inbox_stale = false;
    count->job.run = count_run;
    count->job.done = count_done;
    count->job.release = count_release;
    count->line = line;
    core_job_after_fold(office, line, &count->job);
}
