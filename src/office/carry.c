/*
 * Between sync and the rest: what it accepted goes to the batch, what it needs is read from the store.
 */
#include <stdlib.h>

#include "office/engine.h"

/* --- entries from the durable log, for a link that is behind --------------------------------------------------- */

struct serve_job {
    struct office_job job;
    struct line *line;
    unsigned link, member;
    uint64_t from, durable;
    size_t most;   /* bytes */
    bool has_head; /* the newest head, which need not be in the store yet */
    struct head head;
    bool settle;
    struct sync_chunk *chunk;
    struct tree_proof proof;
};

static void serve_release(struct office_job *job)
{
    struct serve_job *serve = (struct serve_job *)job;

    sync_chunk_free(serve->chunk);
    buffer_free(&job->mark);
    free(serve);
}

/* The next settle head beyond what is to be sent, so that the other meets and receipts each; else the newest. */
static int choose_head(struct serve_job *serve, struct store *store, struct error *error)
{
    struct store_query query = {.kind = STORE_HEADS, .limit = 2};
    struct store_result result = {0};
    int status = 0;

    query.n[0] = LOG_NUMBER(serve->line, serve->member);
    query.n[1] = (int64_t)serve->from + 1;
    status = store_read(store, &query, &result, error);
    for (size_t i = 0; status == 0 && i < result.count; i++) {
        const struct store_row *row = &result.row[i];
        bool settle = row->n[1] != 0;

        if ((uint64_t)row->n[0] > serve->durable || row->b[0].size != HASH_SIZE || row->b[1].size != SIGNATURE_SIZE)
            break;
        if (!settle && serve->has_head)
            continue;
        serve->has_head = true;
        serve->settle = settle;
        serve->head.size = (uint64_t)row->n[0];
        memcpy(serve->head.root, row->b[0].data, HASH_SIZE);
        memcpy(serve->head.signature, row->b[1].data, SIGNATURE_SIZE);
        if (settle)
            break;
    }
    store_result_free(&result);
    return status;
}

static int read_proof(struct store *store, uint32_t log, const struct tree_range *ranges, size_t count,
                      struct tree_proof *proof, struct error *error)
{
    proof->count = count;
    for (size_t i = 0; i < count; i++)
        if (store_range_hash(store, log, ranges[i], proof->hash[i], error) != 0)
            return -1;
    return 0;
}

static int serve_run(struct office_job *job, struct store *store)
{
    struct serve_job *serve = (struct serve_job *)job;
    struct store_query query = {.kind = STORE_ENTRIES};
    struct store_result result = {0};
    struct tree_range ranges[TREE_PROOF_MAX];
    uint32_t log = LOG_NUMBER(serve->line, serve->member);
    int status = choose_head(serve, store, &job->error);

    if (status != 0 || !serve->has_head || serve->head.size <= serve->from)
        return status;
    query.n[0] = log;
    query.n[1] = (int64_t)serve->from;
    query.n[2] = (int64_t)serve->head.size;
    status = store_read(store, &query, &result, &job->error);
    if (status == 0 && result.count > 0)
        serve->chunk = sync_chunk_new(serve->member, serve->from, result.count);
    for (size_t i = 0; serve->chunk != NULL && i < result.count && scrub_is_whole(job, &result.row[i]); i++) {
        if (i > 0 && serve->chunk->bytes.size + result.row[i].b[1].size > serve->most)
            break;
        if (sync_chunk_add(serve->chunk, result.row[i].b[1]) != 0) {
            sync_chunk_free(serve->chunk);
            serve->chunk = NULL;
        }
    }
    if (serve->chunk != NULL && serve->chunk->count == 0) {
        sync_chunk_free(serve->chunk);
        serve->chunk = NULL;
    }
    if (serve->chunk != NULL) {
        serve->chunk->head = serve->head;
        serve->chunk->settle = serve->settle;
        status = read_proof(store, log, ranges,
                            tree_consistency_ranges(serve->from + serve->chunk->count, serve->head.size, ranges),
                            &serve->proof, &job->error);
    }
    store_result_free(&result);
    return status;
}

static void serve_done(struct office *office, struct office_job *job, struct now now)
{
    struct serve_job *serve = (struct serve_job *)job;
    struct sync_chunk *chunk = serve->chunk;

    (void)now;
    serve->chunk = NULL;
    if (job->error.code != ERROR_NONE)
        core_log(office, "entries could not be read for a member: %s", job->error.message);
    if (job->error.code != ERROR_NONE) {
        sync_chunk_free(chunk);
        chunk = NULL;
    }
    /* Up to a broken entry, which is not sent: nobody could tell it from a lie. */
    scrub_noted(office, job);
    sync_serve(serve->line->sync, serve->link, serve->member, chunk, &serve->proof);
}

static void serve(struct office *office, struct line *line, const struct sync_event *event)
{
    struct serve_job *serve = calloc(1, sizeof *serve);
    const struct head *head = sync_head(line->sync, event->member);

    if (serve == NULL) {
        sync_serve(line->sync, event->link, event->member, NULL, NULL);
        return;
    }
    serve->job.run = serve_run;
    serve->job.done = serve_done;
    serve->job.release = serve_release;
    serve->line = line;
    serve->link = event->link;
    serve->member = event->member;
    serve->from = event->first;
    serve->most = event->most;
    serve->durable = sync_durable(line->sync, event->member);
    if (head != NULL && head->size <= serve->durable && head->size > serve->from) {
        serve->has_head = true;
        serve->head = *head;
        serve->settle = head->size == line->member[event->member].settle;
    }
    core_job(office, &serve->job);
}

/* --- an entry that overtakes ------------------------------------------------------------------------------------ */

struct overtake_job {
    struct office_job job;
    struct line *line;
    unsigned link, member;
    uint64_t index, base; /* base 0: the other has the head, and only the entry is to be proved */
    struct head head;
    uint64_t epoch_entry; /* index of the entry with its epoch's secret; also sent if beyond base */
    struct buffer message[2];
};

static void overtake_release(struct office_job *job)
{
    struct overtake_job *overtake = (struct overtake_job *)job;

    buffer_free(&overtake->message[0]);
    buffer_free(&overtake->message[1]);
    buffer_free(&job->mark);
    free(overtake);
}

static int overtake_message(struct overtake_job *overtake, struct store *store, uint64_t index, struct buffer *message)
{
    struct error *error = &overtake->job.error;
    uint32_t log = LOG_NUMBER(overtake->line, overtake->member);
    struct store_query query = {.kind = STORE_ENTRY, .n = {PLACE(log, index)}};
    struct store_result result = {0};
    struct tree_range ranges[TREE_PROOF_MAX];
    struct tree_proof inclusion = {0};
    struct tree_proof consistency = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count == 1)
        status = read_proof(store, log, ranges, tree_inclusion_ranges(index, overtake->head.size, ranges), &inclusion,
                            error);
    if (status == 0 && result.count == 1 && overtake->base > 0)
        status = read_proof(store, log, ranges, tree_consistency_ranges(overtake->base, overtake->head.size, ranges),
                            &consistency, error);
    if (status == 0 && result.count == 1)
        message_put_overtake(message, overtake->member, index, result.row[0].b[1], &overtake->head, &inclusion,
                             overtake->base, &consistency);
    store_result_free(&result);
    return status;
}

static int overtake_run(struct office_job *job, struct store *store)
{
    struct overtake_job *overtake = (struct overtake_job *)job;

    if (overtake->epoch_entry >= overtake->base && overtake->epoch_entry < overtake->index &&
        overtake_message(overtake, store, overtake->epoch_entry, &overtake->message[0]) != 0)
        return -1;
    return overtake_message(overtake, store, overtake->index, &overtake->message[1]);
}

static void overtake_done(struct office *office, struct office_job *job, struct now now)
{
    struct overtake_job *overtake = (struct overtake_job *)job;

    (void)now;
    if (job->error.code != ERROR_NONE)
        core_log(office, "an entry could not be sent out of its turn: %s", job->error.message);
    for (int i = 0; i < 2; i++)
        sync_overtake(overtake->line->sync, overtake->link, buffer_span(&overtake->message[i]));
}

/* A flash before its turn, or an entry that another member asks for since its own copy is broken. */
static void overtake(struct office *office, struct line *line, const struct sync_event *event)
{
    struct overtake_job *overtake = NULL;
    const struct head *head = sync_head(line->sync, event->member);

    if (head == NULL || head->size <= event->first || event->base > event->first ||
        head->size > sync_durable(line->sync, event->member) || (overtake = calloc(1, sizeof *overtake)) == NULL) {
        sync_overtake(line->sync, event->link, span_of(NULL, 0)); /* it will go, or went, in its turn */
        return;
    }
    overtake->job.run = overtake_run;
    overtake->job.done = overtake_done;
    overtake->job.release = overtake_release;
    overtake->line = line;
    overtake->link = event->link;
    overtake->member = event->member;
    overtake->index = event->first;
    overtake->base = event->base;
    overtake->head = *head;
    overtake->epoch_entry = event->base == 0 ? UINT64_MAX : line->epoch_entry;
    core_job(office, &overtake->job);
}

/* --- what sync says ---------------------------------------------------------------------------------------------- */

static void take_accepted(struct line *line, struct sync_chunk *chunk)
{
    chunk->next = NULL;
    if (line->accepted_last != NULL)
        line->accepted_last->next = chunk;
    else
        line->accepted_first = chunk;
    line->accepted_last = chunk;
}

static void take_settle(struct office *office, struct line *line, const struct sync_event *event)
{
    if (line->member[event->member].settle >= event->head.size)
        return;
    heads_keep_settle(office, line, event->member, &event->head);
    if (line->charter->member_count > 2) {
        sync_forward_settle(line->sync, event->member, &event->head, event->link);
        sync_forward_own_receipt(line->sync, event->member, event->head.size);
    }
}

/* Forgets the ages of what every other member has receipted. */
static void forget_ages(struct line *line)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (i != line->me && sync_receipted(line->sync, line->me, i) < least)
            least = sync_receipted(line->sync, line->me, i);
    while (line->age_count > 0 && line->age[line->age_first].end <= least) {
        line->age_first = (line->age_first + 1) % AGES_MAX;
        line->age_count--;
    }
}

static void take_receipt(struct office *office, struct line *line, const struct sync_event *event)
{
    struct office_event told = {.kind = OFFICE_STORED};

    heads_note_receipt(office, line, event->member, event->head.size, &event->receipt);
    if (event->member == line->me)
        forget_ages(line);
    if (event->head.size == line->member[event->member].settle && line->charter->member_count > 2)
        sync_forward_receipt(line->sync, event->member, &event->head, &event->receipt, event->link);
    told.line = line->name;
    told.party = line->charter->members[event->member].name;
    told.outcome = line->charter->members[event->receipt.by].name;
    told.size = event->head.size;
    told.at = event->receipt.time;
    core_event(office, &told);
}

/* Who only passes something on may be honest, and its author false; or the other way round. Both are named, and neither
 * is accused. */
static void raise_alarm(struct office *office, const struct line *line, const struct sync_event *event)
{
    const char *author = line->member[event->author].name;

    if (event->member == line->me && event->author == line->me)
        core_stop(
            office, ERROR_STOPPED,
            "of this office's own log on the line %s two heads are shown that cannot both be true: it was signed by "
            "two offices with one key. Nothing more is signed",
            line->name);
    else if (event->member == event->author)
        core_alarm(office, "%s on the line %s: %s", author, line->name, event->reason);
    else
        core_alarm(office,
                   "on the line %s, what %s passes on of the log of %s does not follow what is held here: its author "
                   "wrote two histories, or who passes it on says what is false",
                   line->name, line->member[event->member].name, author);
}

void carry_events(struct office *office, struct line *line)
{
    struct sync_event event;

    while (sync_event(line->sync, &event)) {
        switch (event.kind) {
        case SYNC_ACCEPTED:
            take_accepted(line, event.chunk);
            break;
        case SYNC_SETTLE:
            take_settle(office, line, &event);
            evidence_due(office, line, event.member);
            break;
        case SYNC_RECEIPT:
            take_receipt(office, line, &event);
            break;
        case SYNC_PENDING:
            pending_entry(office, line, &event);
            break;
        case SYNC_NEED:
            serve(office, line, &event);
            break;
        case SYNC_OVERTAKE:
            overtake(office, line, &event);
            break;
        case SYNC_CHOKED:
            links_close_sync(office, line, event.link, "it does not take what is sent to it");
            break;
        case SYNC_MENDED:
            scrub_mend(office, line, &event);
            break;
        case SYNC_OWN_AHEAD:
            core_stop(
                office, ERROR_STOPPED,
                "%s shows a head of %llu entries that this office signed on the line %s, but only %llu are here: the "
                "database was restored from an older copy, or this office runs twice. Nothing more is signed",
                line->member[event.member].name, (unsigned long long)event.head.size, line->name,
                (unsigned long long)sync_durable(line->sync, line->me));
            break;
        case SYNC_DELAYED:
            quota_alarm(office, line, event.member, event.first != 0);
            break;
        case SYNC_ALARM:
            raise_alarm(office, line, &event);
            evidence_due(office, line, event.author);
            break;
        }
    }
    restore_check(office, line);
}
