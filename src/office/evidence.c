/*
 * Evidence that a member signed two histories: made as soon as the store has what it takes, kept for good, the first
 * of each log. The alarm that goes with it comes back at every start.
 */
#include <stdlib.h>

#include "office/engine.h"
#include "record/evidence.h"

/* --- making it -----------------------------------------------------------------------------------------------------
 */

struct evidence_job {
    struct office_job job;
    struct line *line;
    unsigned member;
    struct sync_fork fork;
    uint64_t durable; /* entries of the log that the store has */
};

static void evidence_release(struct office_job *job)
{
    buffer_free(&job->mark);
    free(job);
}

/* The first head that the author signed of what is held, at or beyond the size of the one that contradicts it. */
static int choose_other(struct evidence_job *evidence, struct store *store)
{
    struct sync_fork *fork = &evidence->fork;
    struct store_query query = {.kind = STORE_HEADS, .limit = 1};
    struct store_result result = {0};
    const struct store_row *row = NULL;
    int status = 0;

    query.n[0] = LOG_NUMBER(evidence->line, evidence->member);
    query.n[1] = (int64_t)fork->one.size;
    status = store_read(store, &query, &result, &evidence->job.error);
    row = status == 0 && result.count > 0 ? &result.row[0] : NULL;
    if (row != NULL && (uint64_t)row->n[0] <= evidence->durable && row->b[0].size == HASH_SIZE &&
        row->b[1].size == SIGNATURE_SIZE) {
        fork->other.size = (uint64_t)row->n[0];
        memcpy(fork->other.root, row->b[0].data, HASH_SIZE);
        memcpy(fork->other.signature, row->b[1].data, SIGNATURE_SIZE);
    }
    store_result_free(&result);
    return status;
}

static int evidence_run(struct office_job *job, struct store *store)
{
    struct evidence_job *evidence = (struct evidence_job *)job;
    struct sync_fork *fork = &evidence->fork;
    uint32_t log = LOG_NUMBER(evidence->line, evidence->member);
    struct tree_range ranges[TREE_PROOF_MAX];

    if (fork->other.size != 0)
        return 0;
    if (choose_other(evidence, store) != 0)
        return -1;
    if (fork->other.size <= fork->one.size) /* none yet, or of the same size */
        return 0;
    fork->path.count = tree_consistency_ranges(fork->one.size, fork->other.size, ranges);
    for (size_t i = 0; i < fork->path.count; i++)
        if (store_range_hash(store, log, ranges[i], fork->path.hash[i], &job->error) != 0)
            return -1;
    return store_range_hash(store, log, (struct tree_range){0, fork->one.size}, fork->root, &job->error);
}

/* It was made, or is in the store. */
static void announce(struct office *office, struct line *line, unsigned member)
{
    line->member[member].evident = true;
    core_alarm(
        office,
        "%s signed two histories of its log on the line %s: `liaison record evidence %s -o F` writes the evidence",
        line->member[member].name, line->name, line->name);
}

static void evidence_done(struct office *office, struct office_job *job, struct now now)
{
    struct evidence_job *evidence = (struct evidence_job *)job;
    struct line *line = evidence->line;
    struct sync_fork *fork = &evidence->fork;
    struct store_op op = {.kind = STORE_PUT_EVIDENCE, .n = {LOG_NUMBER(line, evidence->member)}};
    struct buffer text = {0};
    struct error error = job->error;

    (void)now;
    line->member[evidence->member].evidencing = false;
    if (error.code == ERROR_NONE && fork->other.size == 0)
        return; /* no head of the author's is in the store yet that covers it: its next settle head does */
    if (error.code != ERROR_NONE || evidence_write(&text, buffer_span(&line->charter_text), evidence->member,
                                                   &fork->one, &fork->other, fork->root, &fork->path, &error) != 0) {
        core_log(office, "no evidence could be made against %s on the line %s: %s", line->member[evidence->member].name,
                 line->name, error.message);
    } else {
        op.b[0] = buffer_span(&text);
        core_lazy(office, &op);
        office->hurry = true;
        announce(office, line, evidence->member);
    }
    buffer_free(&text);
}

void evidence_due(struct office *office, struct line *line, unsigned member)
{
    const struct sync_fork *fork = sync_fork(line->sync, member);
    struct evidence_job *evidence = NULL;

    if (fork == NULL || member == line->me || line->member[member].evident || line->member[member].evidencing)
        return;
    evidence = calloc(1, sizeof *evidence);
    if (evidence == NULL)
        return; /* it is due again with the next settle head */
    line->member[member].evidencing = true;
    evidence->job.run = evidence_run;
    evidence->job.done = evidence_done;
    evidence->job.release = evidence_release;
    evidence->line = line;
    evidence->member = member;
    evidence->fork = *fork;
    evidence->durable = sync_durable(line->sync, member);
    core_job_after_fold(office, line, &evidence->job);
}

void evidence_known(struct office *office, struct line *line, unsigned member)
{
    announce(office, line, member);
}

/* --- record evidence -----------------------------------------------------------------------------------------------
 */

struct show_job {
    struct office_job job;
    uint64_t request;
    struct line *line;
    int member;  /* -1: whoever it is against */
    int against; /* -1: nobody */
    struct buffer text;
};

static void show_release(struct office_job *job)
{
    struct show_job *show = (struct show_job *)job;

    buffer_free(&show->text);
    buffer_free(&job->mark);
    free(show);
}

static int show_run(struct office_job *job, struct store *store)
{
    struct show_job *show = (struct show_job *)job;
    struct line *line = show->line;
    struct store_query query = {.kind = STORE_ALL_EVIDENCE, .n = {LOG_NUMBER(line, 0)}, .limit = MEMBERS_MAX};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &job->error);

    for (size_t i = 0; status == 0 && i < result.count; i++) {
        int member = (int)(result.row[i].n[0] - LOG_NUMBER(line, 0));

        if (member >= (int)line->charter->member_count || (show->member >= 0 && member != show->member))
            continue;
        if (show->against >= 0) {
            status = error_set(&job->error, ERROR_REFUSED,
                               "on the line %s there is evidence against %s and %s: say against whom it shall be",
                               line->name, line->member[show->against].name, line->member[member].name);
            break;
        }
        show->against = member;
        buffer_put_span(&show->text, result.row[i].b[0]);
    }
    store_result_free(&result);
    if (status == 0 && buffer_failed(&show->text))
        status = error_set(&job->error, ERROR_SYSTEM, "there is no memory left");
    if (status == 0 && show->against < 0)
        status = error_set(&job->error, ERROR_NOT_FOUND,
                           "there is no evidence%s%s on the line %s: nobody was found to have signed two histories",
                           show->member >= 0 ? " against " : "",
                           show->member >= 0 ? line->member[show->member].name : "", line->name);
    return status;
}

static void show_done(struct office *office, struct office_job *job, struct now now)
{
    struct show_job *show = (struct show_job *)job;
    struct office_event event = {.kind = OFFICE_REPLY, .request = show->request};

    (void)now;
    if (job->error.code != ERROR_NONE) {
        core_reply_error(office, show->request, &job->error);
        return;
    }
    event.party = show->line->charter->members[show->against].name;
    event.text = show->text;
    show->text = (struct buffer){0};
    core_event(office, &event);
}

void office_record_evidence(struct office *office, uint64_t request, struct span name, struct span party)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    int member = line != NULL && party.size > 0 ? charter_member(line->charter, party) : -1;
    struct show_job *show = NULL;

    if (line != NULL && party.size > 0 && member < 0)
        (void)error_set(&error, ERROR_NOT_FOUND, "the line %s has no member of that name", line->name);
    else if (line != NULL && (show = calloc(1, sizeof *show)) == NULL)
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (show == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    show->job.run = show_run;
    show->job.done = show_done;
    show->job.release = show_release;
    show->request = request;
    show->line = line;
    show->member = member;
    show->against = -1;
    core_job_after_fold(office, line, &show->job);
}
