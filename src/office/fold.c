#include "office/fold.h"

#include <stdlib.h>

#include "base/cbor.h"

static void fold_release(struct office_job *job)
{
    struct fold_job *fold = (struct fold_job *)job;

    for (size_t i = 0; i < fold->slice_count; i++) {
        store_result_free(&fold->slice[i].rows);
        free(fold->slice[i].entry);
    }
    buffer_free(&fold->given);
    buffer_free(&fold->claims);
    buffer_free(&fold->secrets);
    buffer_free(&job->mark);
    free(fold);
}

static void put_fold(struct office *office, struct line *line, const struct fold_entry *found,
                     const struct entry *entry, uint64_t depth, int kind)
{
    int64_t place = PLACE(LOG_NUMBER(line, found->member), found->index);
    struct store_op op = {.kind = STORE_PUT_FOLD};

    op.n[0] = place;
    op.n[1] = line->number;
    op.n[2] = (int64_t)depth;
    op.n[3] = found->member;
    op.n[4] = kind;
    core_lazy(office, &op);
    for (unsigned i = 0; entry != NULL && i < entry->header.reference_count; i++) {
        const struct reference *reference = &entry->header.references[i];
        struct store_op ref = {.kind = STORE_PUT_REF};

        ref.n[0] = PLACE(LOG_NUMBER(line, reference->member), reference->index);
        ref.n[1] = place;
        core_lazy(office, &ref);
    }
}

/* An epoch was opened: what came before it under its secret may be shown now. */
static void open_closed(struct line *line, unsigned member)
{
    for (struct overtaken *o = line->overtaken; o != NULL; o = o->next)
        if (o->member == member && o->state == OVERTAKEN_CLOSED) {
            o->state = OVERTAKEN_DURABLE;
            o->folding = false;
        }
}

/* Takes the slice's next entry, if it is its turn. An epoch entry ends the slice: the next one finds its secret in the
 * store. So do prekeys, since checking them takes the loop milliseconds. */
static bool take_next(struct office *office, struct fold_job *fold, struct fold_slice *slice)
{
    struct line *line = fold->line;
    struct member *member = &line->member[slice->member];
    const struct fold_entry *found = &slice->entry[slice->next];
    struct entry entry;
    bool formed = false;
    bool slow = false;
    uint64_t depth = 0;
    int kind = FOLD_UNKNOWN;

    /* The fold may have been set back since the slice was ordered. */
    if (slice->next == slice->count || found->index != member->folded || member->wait_batch > office->batch)
        return false;
    formed = entry_parse(&entry, found->bytes, found->member, line->charter->member_count, NULL) == 0;
    if (!order_depth(office, fold, found, formed ? entry.header.precedence : 0, &depth))
        return false;
    slow = formed && entry.header.class == ENTRY_PREKEYS && found->index >= member->announced;
    if (formed)
        kind = fold_take_entry(office, fold, found, &entry);
    put_fold(office, line, found, formed ? &entry : NULL, depth, kind);
    order_take(line, found, depth);
    if (member->announced < member->folded)
        member->announced = member->folded;
    if (formed && entry.header.class == ENTRY_EPOCH && found->member != line->me) {
        member->wait_batch = core_next_batch(office);
        office->hurry = true;
        open_closed(line, found->member);
    }
    slice->next++;
    if (slow)
        slice->count = slice->next;
    return true;
}

/* Each slice as far as it goes, and again, since what one waits for may have been in another. */
static void take_slices(struct office *office, struct fold_job *fold)
{
    bool more = true;

    while (more) {
        more = false;
        for (size_t i = 0; i < fold->slice_count; i++)
            while (take_next(office, fold, &fold->slice[i]))
                more = true;
    }
    for (size_t i = 0; i < fold->slice_count; i++) {
        struct member *member = &fold->line->member[fold->slice[i].member];

        overtaken_reached(office, fold->line, fold->slice[i].member, member->folded);
        member->folded_noted = true;
    }
    core_note(office);
}

/* Shown before its turn, and said to be held. Where its epoch is not open yet it waits for that: the epoch's entry may
 * be durable and not folded, or come with the next flash. */
static void take_overtaken(struct office *office, struct fold_job *fold)
{
    struct line *line = fold->line;
    const struct fold_entry *found = fold->slice[0].entry;
    struct reference held = {.member = (uint8_t)found->member, .index = found->index};
    struct buffer body = {0};
    struct error error = {0};
    struct store_op say = {.kind = STORE_SAY_PENDING};
    enum overtaken_state state = OVERTAKEN_SHOWN;
    bool said = false;
    struct entry entry;

    if (found->index < line->member[found->member].folded)
        return; /* its turn came meanwhile */
    if (entry_parse(&entry, found->bytes, found->member, line->charter->member_count, NULL) == 0) {
        if (entry.header.class == ENTRY_SEALED && found->secret_size == 0)
            state = OVERTAKEN_CLOSED;
        else
            (void)fold_take_entry(office, fold, found, &entry);
        if (entry.header.class == ENTRY_EPOCH) {
            line->member[found->member].wait_batch = core_next_batch(office);
            open_closed(line, found->member);
        }
    }
    for (struct overtaken *o = line->overtaken; o != NULL; o = o->next)
        if (o->member == found->member && o->index == found->index) {
            o->state = state;
            said = o->said;
            o->said = true;
        }
    say.n[0] = PLACE(LOG_NUMBER(line, found->member), found->index);
    say.n[1] = state == OVERTAKEN_SHOWN;
    office->hurry = true; /* that it waits for a person is stored no later than that it was shown */
    if (said || line->left || line->asking) {
        core_lazy(office, &say);
        return;
    }
    memcpy(held.leaf, found->leaf.data, HASH_SIZE);
    held_put(&body, &held, 1);
    if (buffer_failed(&body) || append_clear(office, line, ENTRY_HELD, buffer_span(&body), &error) != 0)
        core_log(office, "cannot say that an entry is held: %s", error.message);
    else
        append_operation(line, &say);
    buffer_free(&body);
}

static void fold_done(struct office *office, struct office_job *job, struct now now)
{
    struct fold_job *fold = (struct fold_job *)job;
    struct line *line = fold->line;

    (void)now;
    if (!fold->overtaken)
        line->folding = false;
    if (job->error.code != ERROR_NONE && job->error.code != ERROR_STORAGE) /* a broken store stops every office */
        core_stop(office, job->error.code, "the entries of %s cannot be shown: %s", line->name, job->error.message);
    if (job->error.code != ERROR_NONE || office->state != OFFICE_READY)
        return;
    if (fold->overtaken)
        take_overtaken(office, fold);
    else
        take_slices(office, fold);
    append_unreadable(office, line);
    append_due_prekeys(office, line);
}

static struct fold_job *new_fold(struct line *line, size_t slices)
{
    struct fold_job *fold = calloc(1, sizeof *fold + slices * sizeof fold->slice[0]);

    if (fold == NULL)
        return NULL;
    fold->job.run = fold_look_up;
    fold->job.done = fold_done;
    fold->job.release = fold_release;
    fold->line = line;
    fold->slice_count = slices;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        fold->durable[i] = sync_durable(line->sync, i);
    return fold;
}

/* The prekey of an overtaking epoch and the flash under it are opened by two jobs in turn: the first stores the secret.
 */
static void fold_one_overtaken(struct office *office, struct line *line)
{
    struct overtaken *o = line->overtaken;
    struct fold_job *fold = NULL;
    struct fold_entry *found = NULL;

    while (o != NULL && o->state != OVERTAKEN_DURABLE)
        o = o->next;
    if (o == NULL || o->folding || line->member[o->member].wait_batch > office->batch)
        return;
    fold = new_fold(line, 1);
    found = calloc(1, sizeof *found);
    if (fold == NULL || found == NULL)
        goto failed;
    fold->slice[0] = (struct fold_slice){.member = o->member, .count = 1, .entry = found};
    fold->overtaken = true;
    buffer_put_span(&fold->given, sync_chunk_entry(o->chunk, 0));
    buffer_put(&fold->given, o->chunk->leaf[0], HASH_SIZE);
    if (buffer_failed(&fold->given))
        goto failed;
    found->member = o->member;
    found->index = o->index;
    found->received = office->now.wall.us / SECOND_US;
    found->bytes = span_of(fold->given.data, fold->given.size - HASH_SIZE);
    found->leaf = span_from(buffer_span(&fold->given), fold->given.size - HASH_SIZE);
    o->folding = true;
    core_job(office, &fold->job);
    return;
failed:
    if (fold != NULL && fold->slice[0].entry != found)
        free(found);
    if (fold != NULL)
        fold_release(&fold->job);
    else
        free(found);
}

static bool has_more(const struct line *line, unsigned member)
{
    return line->member[member].folded < sync_durable(line->sync, member);
}

static bool may_go_on(const struct office *office, const struct line *line)
{
    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (has_more(line, i) && order_may_go_on(office, line, i))
            return true;
    return false;
}

bool fold_waits(const struct office *office, const struct line *line)
{
    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (has_more(line, i) && line->member[i].wait_batch > office->batch)
            return false;
    return !line->folding && !may_go_on(office, line);
}

/* One job for the logs of a line, so that those that rest on each other go on together. */
static void fold_line(struct office *office, struct line *line)
{
    struct fold_job *fold = NULL;

    if (line->folding)
        return;
    order_again(office, line);
    if (!may_go_on(office, line))
        return;
    fold = new_fold(line, line->charter->member_count);
    if (fold == NULL)
        return;
    fold->slice_count = 0;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (has_more(line, i) && line->member[i].wait_batch <= office->batch && !order_waits(office, line, i))
            fold->slice[fold->slice_count++] = (struct fold_slice){.member = i, .from = line->member[i].folded};
    line->folding = true;
    core_job(office, &fold->job);
}

void fold_some(struct office *office)
{
    for (size_t l = 0; l < office->line_count; l++) {
        struct line *line = office->line[l];

        fold_line(office, line);
        fold_one_overtaken(office, line);
        if (line->inbox_stale)
            inbox_count(office, line);
    }
}

struct monotonic fold_next(const struct office *office)
{
    struct monotonic next = NEVER;

    /* While a job is out nothing is due: when it is done what may be is looked at. */
    for (size_t l = 0; l < office->line_count; l++)
        if (!office->line[l]->folding)
            next = monotonic_earlier(next, order_next(office, office->line[l]));
    return next;
}
