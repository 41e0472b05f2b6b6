/*
 * The scrub: whenever the office is awake and has nothing else to do, at most once a second, a slice of a log is read
 * again and hashed. What broke on the disk is asked of the other members, and taken from whoever proves it; so is what
 * anybody else finds broken who reads entries.
 */
#include <stdlib.h>

#include "office/engine.h"

#define BROKEN "%s/%llu on the line %s is broken on the disk of this office; the other members are asked for it"

struct scrub_job {
    struct office_job job;
    struct line *line;
    unsigned member;
    uint64_t from, below;
    uint64_t next; /* where to go on */
};

bool scrub_is_whole(struct office_job *job, const struct store_row *row)
{
    uint8_t leaf[HASH_SIZE];

    tree_leaf(leaf, row->b[1]);
    if (span_equal(row->b[0], span_of(leaf, HASH_SIZE)))
        return true;
    if (job->broken == 0)
        job->broken = row->n[0];
    return false;
}

void scrub_noted(struct office *office, const struct office_job *job)
{
    uint32_t log = PLACE_LOG(job->broken);

    for (size_t i = 0; i < office->line_count && job->broken != 0; i++) {
        struct line *line = office->line[i];
        unsigned member = log - LOG_NUMBER(line, 0);

        if (log < LOG_NUMBER(line, 0) || member >= line->charter->member_count)
            continue;
        core_alarm(office, BROKEN, line->member[member].name, (unsigned long long)PLACE_INDEX(job->broken), line->name);
        sync_mend(line->sync, member, PLACE_INDEX(job->broken));
    }
}

static void scrub_release(struct office_job *job)
{
    buffer_free(&job->mark);
    free(job);
}

static int scrub_run(struct office_job *job, struct store *store)
{
    struct scrub_job *scrub = (struct scrub_job *)job;
    struct store_query query = {.kind = STORE_ENTRIES};
    struct store_result result = {0};
    int status = 0;

    query.n[0] = LOG_NUMBER(scrub->line, scrub->member);
    query.n[1] = (int64_t)scrub->from;
    query.n[2] = (int64_t)scrub->below;
    status = store_read(store, &query, &result, &job->error);
    scrub->next = scrub->from;
    for (size_t i = 0; status == 0 && i < result.count && job->broken == 0; i++) {
        if (PLACE_INDEX(result.row[i].n[0]) != scrub->next)
            break; /* the next slice begins with what is missing */
        scrub->next += scrub_is_whole(job, &result.row[i]);
    }
    if (status == 0 && scrub->next == scrub->from)
        job->broken = PLACE(query.n[0], scrub->next);
    store_result_free(&result);
    return status;
}

static void scrub_done(struct office *office, struct office_job *job, struct now now)
{
    struct scrub_job *scrub = (struct scrub_job *)job;

    (void)now;
    office->scrubbing = false;
    office->scrub_index = scrub->next + (job->broken != 0);
}

/* The next log with something in it. False if there is none. */
static bool next_log(struct office *office)
{
    for (size_t tries = 0; tries <= office->line_count * MEMBERS_MAX; tries++) {
        if (office->scrub_line < office->line_count) {
            const struct line *line = office->line[office->scrub_line];

            if (office->scrub_member < line->charter->member_count &&
                office->scrub_index < sync_durable(line->sync, office->scrub_member))
                return true;
            office->scrub_index = 0;
            if (++office->scrub_member < line->charter->member_count)
                continue;
        }
        office->scrub_index = 0;
        office->scrub_member = 0;
        if (++office->scrub_line >= office->line_count)
            office->scrub_line = 0;
    }
    return false;
}

void scrub_some(struct office *office)
{
    struct scrub_job *scrub = NULL;

    if (office->scrubbing || office->jobs_out > 0 || office->scrub_at.us > office->now.monotonic.us ||
        !next_log(office))
        return;
    scrub = calloc(1, sizeof *scrub);
    if (scrub == NULL)
        return;
    scrub->job.run = scrub_run;
    scrub->job.done = scrub_done;
    scrub->job.release = scrub_release;
    scrub->line = office->line[office->scrub_line];
    scrub->member = office->scrub_member;
    scrub->from = office->scrub_index;
    scrub->below = sync_durable(scrub->line->sync, scrub->member);
    office->scrubbing = true;
    office->scrub_at = monotonic_after(office->now.monotonic, SECOND_US);
    core_job(office, &scrub->job);
}

/* Proved against a root that is ours: the bytes are those that were there. */
void scrub_mend(struct office *office, struct line *line, const struct sync_event *event)
{
    struct store_op op = {.kind = STORE_MEND_ENTRY, .n = {PLACE(LOG_NUMBER(line, event->member), event->first)}};

    op.b[0] = span_of(event->chunk->leaf[0], HASH_SIZE);
    op.b[1] = sync_chunk_entry(event->chunk, 0);
    core_lazy(office, &op);
    office->hurry = true;
    core_alarm_over(office, BROKEN, line->member[event->member].name, (unsigned long long)event->first, line->name);
    core_log(office, "%s/%llu on the line %s was mended from another member's copy", line->member[event->member].name,
             (unsigned long long)event->first, line->name);
    sync_chunk_free(event->chunk);
}
