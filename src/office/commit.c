/*
 * Batches. One is out at a time; what comes meanwhile goes with the next, so commits are grouped without waiting. The
 * store's thread writes a batch, reads it back, hashes it anew and compares; only then, and after both syncs, are heads
 * and receipts signed over it.
 */
#include <stdlib.h>

#include "office/engine.h"

#define ACCEPTED_MAX (4u << 20)                    /* bytes that others' entries take in a batch */
#define ACCEPTED_COST 256                          /* and each of them besides its own: operations, hashes */
#define MARKED_MAX (MARK_SLOT_SIZE - (128u << 10)) /* bytes that own entries take in a mark, beside all lines' logs */
#define MARKED_COST 128                            /* and each of them, and each operation, besides its own */
#define LAZY_MAX 4096                              /* this many go with the next batch, however young they are */

static const char disk_full[] = "the disk is full; nothing can be recorded or received until there is room";

/* What a batch holds of one line. */
struct part {
    struct line *line;
    struct pending *own; /* one run of own entries; NULL if none */
    struct sync_chunk *accepted;
    struct tree_frontier second[MEMBERS_MAX]; /* before; advanced by what is read back */
    struct sync_chunk *reread;                /* own entries as read back */
};

struct commit_job {
    struct office_job job;
    struct store_batch batch;
    size_t lazy_count;  /* the first operations were waiting, and wait again if the disk is full */
    size_t offer_count; /* connections whose handshake counters are in the batch */
    int offer[OFFICE_LINKS_MAX];
    unsigned offer_generation[OFFICE_LINKS_MAX];
    size_t accepted, marked; /* bytes, at most, of all parts */
    size_t part_count;
    struct part part[]; /* one for each line at most */
};

static void commit_release(struct office_job *job)
{
    struct commit_job *commit = (struct commit_job *)job;

    for (size_t i = 0; i < commit->part_count; i++) {
        struct part *part = &commit->part[i];

        pending_free(part->own);
        while (part->accepted != NULL) {
            struct sync_chunk *chunk = part->accepted;

            part->accepted = chunk->next;
            sync_chunk_free(chunk);
        }
        sync_chunk_free(part->reread);
    }
    store_batch_free(&commit->batch);
    buffer_free(&job->mark);
    free(commit);
}

/* --- building ------------------------------------------------------------------------------------------------ */

/* The hashes of complete subtrees that end within the chunk. */
static void put_nodes(struct store_batch *batch, const struct sync_chunk *chunk, const struct tree_frontier *before,
                      uint32_t log, bool own)
{
    struct tree_frontier frontier = *before;

    if ((chunk->first + chunk->count) >> 8 == chunk->first >> 8)
        return; /* none ends here */
    for (size_t i = 0; i < chunk->count; i++) {
        uint8_t note[TREE_NOTES][HASH_SIZE];
        unsigned noted = tree_append_noting(&frontier, chunk->leaf[i], note);

        for (unsigned k = 0; k < noted; k++) {
            struct store_op op = {.kind = STORE_PUT_NODE, .own = own};
            uint64_t number = (frontier.size >> (8 * (k + 1))) - 1;

            op.n[0] = (int64_t)((uint64_t)log << 40 | (uint64_t)(k + 1) << 36 | number);
            op.b[0] = span_of(note[k], HASH_SIZE);
            store_batch_put(batch, &op);
        }
    }
}

static void put_entries(const struct office *office, struct store_batch *batch, const struct line *line,
                        const struct sync_chunk *chunk, bool own)
{
    uint32_t log = LOG_NUMBER(line, chunk->member);

    for (size_t i = 0; i < chunk->count; i++) {
        struct span bytes = sync_chunk_entry(chunk, i);
        struct store_op op = {.kind = STORE_PUT_ENTRY, .own = own};
        struct entry entry;
        bool formed = entry_parse(&entry, bytes, chunk->member, line->charter->member_count, NULL) == 0;

        op.n[0] = PLACE(log, chunk->first + i);
        op.n[1] = formed ? entry.header.class : ENTRY_CLASS_MAX + 1;
        op.n[2] = formed ? entry.header.precedence : 0;
        op.n[3] = formed ? (int64_t)entry.header.epoch : 0;
        op.n[4] = (int64_t)(office->now.wall.us / SECOND_US);
        op.b[0] = span_of(chunk->leaf[i], HASH_SIZE);
        op.b[1] = bytes;
        store_batch_put(batch, &op);
    }
}

static void put_log(struct store_batch *batch, uint32_t log, const struct sync_chunk *chunk, bool own)
{
    struct buffer stored = {0};
    struct store_op op = {.kind = STORE_SET_LOG, .own = own, .n = {log, (int64_t)chunk->after.size}};
    struct store_op spent = {.kind = STORE_SET_SPENT, .own = own, .n = {log}};

    tree_frontier_put(&chunk->after, &stored);
    op.b[0] = buffer_span(&stored);
    store_batch_put(batch, &op);
    spent.n[1] = (int64_t)chunk->spent.entries;
    spent.n[2] = (int64_t)chunk->spent.bytes;
    spent.n[3] = (int64_t)chunk->spent.at;
    store_batch_put(batch, &spent);
    batch->failed |= buffer_failed(&stored);
    buffer_free(&stored);
}

/* A line's first run of own entries, if the mark has room for it beside those of other lines. */
static void take_own(const struct office *office, struct commit_job *commit, struct part *part,
                     const struct tree_frontier *before)
{
    struct line *line = part->line;
    struct pending *own = line->pending_first;
    uint32_t log = LOG_NUMBER(line, line->me);
    size_t marked = 0;

    if (own == NULL)
        return;
    marked = own->chunk->bytes.size + own->operations.bytes + (own->chunk->count + own->operations.count) * MARKED_COST;
    if (commit->marked > 0 && commit->marked + marked > MARKED_MAX)
        return;
    commit->marked += marked;
    part->own = own;
    line->pending_first = own->next;
    if (line->pending_first == NULL)
        line->pending_last = NULL;
    put_entries(office, &commit->batch, line, own->chunk, true);
    put_nodes(&commit->batch, own->chunk, before, log, true);
    store_batch_append(&commit->batch, &own->operations);
    put_log(&commit->batch, log, own->chunk, true);
}

/* What was accepted on a line; a chunk always, so that no line keeps another one waiting. */
static void take_accepted(const struct office *office, struct commit_job *commit, struct part *part,
                          struct tree_frontier before[static MEMBERS_MAX])
{
    struct line *line = part->line;

    for (struct sync_chunk **tail = &part->accepted;
         line->accepted_first != NULL && (part->accepted == NULL || commit->accepted < ACCEPTED_MAX);) {
        struct sync_chunk *chunk = line->accepted_first;
        uint32_t log = LOG_NUMBER(line, chunk->member);

        line->accepted_first = chunk->next;
        if (line->accepted_first == NULL)
            line->accepted_last = NULL;
        chunk->next = NULL;
        *tail = chunk;
        tail = &chunk->next;
        commit->accepted += chunk->bytes.size + chunk->count * ACCEPTED_COST;
        put_entries(office, &commit->batch, line, chunk, false);
        if (chunk->member == line->me) {
            chunk->spent = line->spent_durable;
            restore_put(line, chunk, &commit->batch);
        }
        put_nodes(&commit->batch, chunk, &before[chunk->member], log, false);
        before[chunk->member] = chunk->after;
        put_log(&commit->batch, log, chunk, false);
        heads_put(&commit->batch, log, &chunk->head, chunk->settle && chunk->head.size == chunk->after.size);
    }
}

static void take_part(const struct office *office, struct commit_job *commit, struct line *line)
{
    struct part *part = &commit->part[commit->part_count];
    struct tree_frontier before[MEMBERS_MAX];

    if (line->pending_first == NULL && line->accepted_first == NULL && !overtaken_waiting(line))
        return;
    commit->part_count++;
    overtaken_put(line, &commit->batch);
    part->line = line;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        before[i] = part->second[i] = i == line->me ? line->second : *sync_frontier(line->sync, i);
    take_own(office, commit, part, &before[line->me]);
    take_accepted(office, commit, part, before);
}

/* What a log has reached, unless the mark knows it to have been further. */
static void reach(struct mark_log *log, const struct tree_frontier *frontier)
{
    if (frontier->size <= log->size)
        return;
    log->size = frontier->size;
    tree_root(frontier, log->root);
}

int commit_mark_logs(const struct office *office, struct mark_log **logs, size_t *count)
{
    struct mark_log *log = calloc(office->line_count * MEMBERS_MAX + office->lost_count + 1, sizeof *log);

    *logs = log;
    *count = 0;
    if (log == NULL)
        return -1;
    for (size_t l = 0; l < office->line_count; l++) {
        const struct line *line = office->line[l];

        for (unsigned i = 0; i < line->charter->member_count; i++) {
            const struct tree_frontier *frontier = i == line->me ? &line->second : sync_frontier(line->sync, i);

            memcpy(log[*count].line_id, line->charter->line_id, HASH_SIZE);
            log[*count].member = (uint8_t)i;
            log[*count].size = line->known[i].size;
            memcpy(log[*count].root, line->known[i].root, HASH_SIZE);
            reach(&log[*count], frontier);
            (*count)++;
        }
    }
    if (office->lost_count > 0)
        memcpy(&log[*count], office->lost, office->lost_count * sizeof *log);
    *count += office->lost_count;
    return 0;
}

static bool has_own(const struct commit_job *commit)
{
    for (size_t i = 0; i < commit->part_count; i++)
        if (commit->part[i].own != NULL)
            return true;
    return false;
}

/* Whether this office alone may hold something it wrote. */
static bool holds_alone(const struct office *office)
{
    for (size_t l = 0; l < office->line_count; l++) {
        const struct line *line = office->line[l];
        uint64_t most = 0;

        for (unsigned i = 0; i < line->charter->member_count; i++)
            if (i != line->me && sync_receipted(line->sync, line->me, i) > most)
                most = sync_receipted(line->sync, line->me, i);
        if (most < line->second.size)
            return true;
    }
    return false;
}

static int encode_mark(struct office *office, struct commit_job *commit)
{
    struct mark_log *logs = NULL;
    size_t count = 0;
    int result = commit_mark_logs(office, &logs, &count);

    for (size_t p = 0; p < commit->part_count && result == 0; p++) {
        struct part *part = &commit->part[p];
        size_t at = 0;

        for (size_t l = 0; office->line[l] != part->line; l++)
            at += office->line[l]->charter->member_count;
        if (part->own != NULL)
            reach(&logs[at + part->line->me], &part->own->chunk->after);
        for (const struct sync_chunk *chunk = part->accepted; chunk != NULL; chunk = chunk->next)
            reach(&logs[at + chunk->member], &chunk->after);
    }
    if (result == 0)
        result = mark_encode(&commit->job.mark, office->id, commit->job.number, logs, count,
                             has_own(commit) ? &commit->batch : &office->last_own, &commit->job.error);
    free(logs);
    return result;
}

/* --- on the store's thread ------------------------------------------------------------------------------------ */

/* Reads [first, first + count) back through the store, decodes and hashes it anew, and folds it into a frontier that
 * shares nothing with the one that was written. */
static struct sync_chunk *read_back(struct store *store, uint32_t log, unsigned member, uint64_t first, size_t count,
                                    struct tree_frontier *second, unsigned member_count, struct error *error)
{
    struct sync_chunk *chunk = sync_chunk_new(member, first, count);
    struct store_result result = {0};
    struct store_query query = {.kind = STORE_ENTRIES};
    bool ok = chunk != NULL;

    while (ok && chunk->count < count) {
        query.n[0] = log;
        query.n[1] = (int64_t)(first + chunk->count);
        query.n[2] = (int64_t)(first + count);
        if (store_read(store, &query, &result, error) != 0 || result.count == 0)
            ok = false;
        for (size_t i = 0; ok && i < result.count; i++) {
            struct entry entry;
            bool formed = entry_parse(&entry, result.row[i].b[1], member, member_count, NULL) == 0;

            ok = PLACE_INDEX(result.row[i].n[0]) == first + chunk->count &&
                 sync_chunk_add(chunk, result.row[i].b[1]) == 0 &&
                 result.row[i].n[1] == (formed ? (int64_t)entry.header.class : ENTRY_CLASS_MAX + 1);
            if (ok)
                tree_append(second, chunk->leaf[chunk->count - 1]);
        }
        store_result_free(&result);
    }
    if (!ok) {
        (void)error_set(error, ERROR_STORAGE, "what was written could not be read back");
        sync_chunk_free(chunk);
        return NULL;
    }
    chunk->after = *second;
    return chunk;
}

static int same_root(const struct tree_frontier *first, const struct tree_frontier *second, struct error *error)
{
    uint8_t a[HASH_SIZE];
    uint8_t b[HASH_SIZE];

    tree_root(first, a);
    tree_root(second, b);
    if (first->size == second->size && memcmp(a, b, HASH_SIZE) == 0)
        return 0;
    return error_set(error, ERROR_STORAGE,
                     "what was read back is not what was written: the disk or the memory is broken");
}

static int read_back_part(struct store *store, struct part *part, struct error *error)
{
    struct line *line = part->line;
    unsigned members = line->charter->member_count;

    if (part->own != NULL) {
        const struct sync_chunk *own = part->own->chunk;

        part->reread = read_back(store, LOG_NUMBER(line, line->me), line->me, own->first, own->count,
                                 &part->second[line->me], members, error);
        if (part->reread == NULL || same_root(&own->after, &part->second[line->me], error) != 0)
            return -1;
    }
    for (const struct sync_chunk *chunk = part->accepted; chunk != NULL; chunk = chunk->next) {
        struct sync_chunk *again = read_back(store, LOG_NUMBER(line, chunk->member), chunk->member, chunk->first,
                                             chunk->count, &part->second[chunk->member], members, error);

        if (again == NULL)
            return -1;
        sync_chunk_free(again);
        if (same_root(&chunk->after, &part->second[chunk->member], error) != 0)
            return -1;
    }
    return 0;
}

/* The lines' structs are not touched by the office while their batch is out: number, me and charter never change. */
static int commit_run(struct office_job *job, struct store *store)
{
    struct commit_job *commit = (struct commit_job *)job;

    if (store_stage(store, &commit->batch, &job->error) != 0)
        return -1;
    for (size_t i = 0; i < commit->part_count; i++)
        if (read_back_part(store, &commit->part[i], &job->error) != 0)
            return -1;
    return 0;
}

/* --- afterwards ------------------------------------------------------------------------------------------------- */

static void remember_age(struct office *office, struct line *line, uint64_t end)
{
    unsigned last = (line->age_first + line->age_count + AGES_MAX - 1) % AGES_MAX;

    if (line->age_count == AGES_MAX ||
        (line->age_count > 0 && line->age[last].seconds == office->now.wall.us / SECOND_US)) {
        line->age[last].end = end; /* the same second, or no room: counted with the run before */
        return;
    }
    line->age[(line->age_first + line->age_count++) % AGES_MAX] =
        (struct age){.end = end, .seconds = office->now.wall.us / SECOND_US};
}

static void reply_waiting(struct office *office, struct line *line, struct pending *own)
{
    while (own->waiting != NULL) {
        struct waiting *waiting = own->waiting;
        struct office_event event = {.kind = OFFICE_REPLY, .request = waiting->request, .number = waiting->first};

        event.party = line->charter->members[line->me].name;
        event.count = waiting->count;
        if (waiting->numbered) {
            event.numbers = calloc(waiting->number_count, sizeof *event.numbers);
            for (size_t i = 0; i < waiting->number_count && event.numbers != NULL; i++)
                event.numbers[i] = waiting->numbers[i];
        }
        if (waiting->numbered && event.numbers == NULL)
            core_exhausted(office);
        event.line = waiting->line;
        event.text = waiting->text;
        event.text2 = waiting->text2;
        waiting->text = waiting->text2 = (struct buffer){0};
        if (!waiting->numbered || event.numbers != NULL)
            core_event(office, &event);
        own->waiting = waiting->next;
        waiting_free(waiting);
    }
}

/* The run is durable and verified: sign its head over what was read back, and send exactly those bytes. */
static void publish_own(struct office *office, struct part *part)
{
    struct line *line = part->line;
    struct sync_chunk *chunk = part->reread;

    part->reread = NULL;
    line->second = part->second[line->me];
    line->spent_durable = part->own->chunk->spent;
    heads_sign(office, line, &chunk->head);
    remember_age(office, line, line->second.size);
    sync_append(line->sync, chunk, part->own->urgent);
    reply_waiting(office, line, part->own);
    heads_plan_settle(office, line);
}

/* Receipts the newest head that the batch reached exactly, and every settle head among them. */
static void receipt_accepted(struct office *office, struct part *part)
{
    struct line *line = part->line;

    for (struct sync_chunk *chunk = part->accepted; chunk != NULL; chunk = chunk->next) {
        struct member *member = &line->member[chunk->member];
        bool exact = chunk->head.size == chunk->after.size;
        bool settle = exact && (chunk->settle || member->settle == chunk->head.size);
        bool newest = true;

        for (const struct sync_chunk *later = chunk->next; later != NULL; later = later->next)
            newest = newest && (later->member != chunk->member || later->head.size != later->after.size);
        sync_stored(line->sync, chunk);
        member->newest_head = chunk->head.size;
        member->grown = office->now.monotonic;
        core_note(office);
        if (settle && chunk->head.size > member->settle)
            heads_set_settle(office, line, chunk->member, chunk->head.size);
        if (chunk->member == line->me)
            restore_took(office, line, chunk);
        else if (exact && (settle || newest))
            heads_give_receipt(office, line, chunk->member, &chunk->head, settle);
        if (settle)
            sync_forward_settle(line->sync, chunk->member, &chunk->head, SYNC_LINKS_MAX);
    }
}

/* Everything pending on the line is forgotten: its numbers will be given again. */
static void forget_pending(struct office *office, struct line *line, const struct error *error)
{
    while (line->pending_first != NULL) {
        struct pending *pending = line->pending_first;

        line->pending_first = pending->next;
        for (const struct waiting *waiting = pending->waiting; waiting != NULL; waiting = waiting->next)
            core_reply_error(office, waiting->request, error);
        append_forget(line, pending);
        pending_free(pending);
    }
    line->pending_last = NULL;
    line->first = line->second;
    line->spent = line->spent_durable;
    line->has_epoch = false;
    append_say_again(line);
}

static void forget_all(struct office *office, const struct error *error)
{
    for (size_t i = 0; i < office->line_count; i++)
        forget_pending(office, office->line[i], error);
}

void commit_abandon(struct office *office)
{
    struct error error = {0};

    (void)error_set(&error, ERROR_STORAGE, "what was to be recorded may or may not be; the office has stopped: %s",
                    office->stop.message);
    forget_all(office, &error);
    core_refuse_deferred(office, &error);
}

/* The runs of own entries go back to where they waited. */
static void give_back(struct commit_job *commit)
{
    for (size_t i = 0; i < commit->part_count; i++) {
        struct part *part = &commit->part[i];

        if (part->own == NULL)
            continue;
        part->own->next = part->line->pending_first;
        part->line->pending_first = part->own;
        part->own = NULL;
    }
}

/* Before what came meanwhile: a link that was added, then removed, would be there again. */
static void put_back_lazy(struct office *office, const struct commit_job *commit)
{
    struct store_batch later = office->lazy;

    office->lazy = (struct store_batch){0};
    for (size_t i = 0; i < commit->lazy_count; i++)
        core_lazy(office, &commit->batch.op[i]);
    store_batch_append(&office->lazy, &later);
    store_batch_free(&later);
}

static bool restores(const struct commit_job *commit)
{
    for (size_t i = 0; i < commit->part_count; i++)
        for (const struct sync_chunk *chunk = commit->part[i].accepted; chunk != NULL; chunk = chunk->next)
            if (chunk->member == commit->part[i].line->me)
                return true;
    return false;
}

static void commit_failed(struct office *office, struct commit_job *commit)
{
    struct error error = commit->job.error;

    if (error.code == ERROR_FULL)
        error = (struct error){.code = ERROR_FULL, .message = "the disk is full; nothing was recorded"};
    for (size_t i = 0; i < commit->part_count; i++)
        overtaken_written(commit->part[i].line, false);
    give_back(commit);
    forget_all(office, &error);
    lines_forget_unrecorded(office);
    if (error.code == ERROR_FULL && restores(commit)) { /* what was learned from it is not in the store */
        core_stop(office, error.code,
                  "the disk is full while own entries come back. Make room, and start the office again");
        return;
    }
    if (error.code != ERROR_FULL) {
        core_stop(office, error.code,
                  "%s. What was being recorded may or may not be; start the office again to find out", error.message);
        return;
    }
    put_back_lazy(office, commit);
    core_batch_failed(office);
    core_alarm(office, "%s", disk_full);
    /* What others sent is theirs still: links are opened anew and it comes again. */
    links_close_all(office, "the disk of this office is full");
    for (size_t i = 0; i < office->line_count; i++) {
        struct line *line = office->line[i];

        while (line->accepted_first != NULL) {
            struct sync_chunk *chunk = line->accepted_first;

            line->accepted_first = chunk->next;
            sync_chunk_free(chunk);
        }
        line->accepted_last = NULL;
        sync_forget_staged(line->sync);
    }
}

static void commit_done(struct office *office, struct office_job *job, struct now now)
{
    struct commit_job *commit = (struct commit_job *)job;

    (void)now;
    office->committing = false;
    if (job->error.code != ERROR_NONE) {
        commit_failed(office, commit);
        return;
    }
    office->batch = job->number;
    if (has_own(commit)) {
        restore_keep(office, &commit->batch);
    } else if (!holds_alone(office)) {
        store_batch_free(&office->last_own);
    }
    core_batch_is_durable(office);
    core_alarm_over(office, "%s", disk_full);
    if (office->state != OFFICE_READY) { /* stopped meanwhile: it is recorded, and nothing leaves */
        give_back(commit);
        commit_abandon(office);
        return;
    }
    links_accept_offers(office, commit->offer, commit->offer_generation, commit->offer_count);
    for (size_t i = 0; i < commit->part_count; i++) {
        if (commit->part[i].own != NULL)
            publish_own(office, &commit->part[i]);
        receipt_accepted(office, &commit->part[i]);
        overtaken_written(commit->part[i].line, true);
    }
    links_turn(office);
}

/* What may wait does not go with every batch: each row of it lies on pages of its own, and a batch of one message
 * would be many times as large. */
static bool lazy_is_due(const struct office *office)
{
    return core_is_lazy(office) &&
           (office->hurry || office->lazy.count >= LAZY_MAX || office->lazy_at.us <= office->now.monotonic.us);
}

void commit_some(struct office *office)
{
    struct commit_job *commit = NULL;
    bool lazy_due = lazy_is_due(office);
    bool truncate_due = office->truncate && office->truncate_at.us <= office->now.monotonic.us;
    bool work = lazy_due || truncate_due;

    for (size_t i = 0; i < office->line_count; i++)
        work |= office->line[i]->pending_first != NULL || office->line[i]->accepted_first != NULL ||
                overtaken_waiting(office->line[i]);
    if (office->committing || !work)
        return;
    commit = calloc(1, sizeof *commit + office->line_count * sizeof commit->part[0]);
    if (commit == NULL)
        return; /* the next turn tries again */
    commit->job.run = commit_run;
    commit->job.done = commit_done;
    commit->job.release = commit_release;
    commit->job.commits = true;
    commit->job.truncate = truncate_due;
    commit->job.number = office->batch + 1;
    /* First, since what is appended now may rest on it: a prekey is offered, then used. What failed with a batch goes
     * with the next one, which has its number: somebody may wait for that. */
    if (lazy_due || office->lazy_failed) {
        office->lazy_failed = false;
        heads_take_notes(office);
        store_batch_append(&commit->batch, &office->lazy);
        commit->lazy_count = commit->batch.count;
        store_batch_reset(&office->lazy);
    }
    /* Another line first each time: where there is no room for all, each comes to it. */
    for (size_t i = 0; i < office->line_count; i++)
        take_part(office, commit, office->line[(i + office->batch) % office->line_count]);
    if (commit->accepted > 0)
        heads_put_receipt_time(office, &commit->batch);
    if (office->hurry)
        commit->offer_count = links_waiting_offers(office, commit->offer, commit->offer_generation, OFFICE_LINKS_MAX);
    office->hurry = false;
    office->truncate = office->truncate && !truncate_due;
    office->committing = true;
    if (commit->batch.failed || encode_mark(office, commit) != 0) {
        (void)error_set(&commit->job.error, ERROR_SYSTEM, "there is no memory left");
        commit_done(office, &commit->job, office->now);
        commit_release(&commit->job);
        return;
    }
    core_job(office, &commit->job);
}
