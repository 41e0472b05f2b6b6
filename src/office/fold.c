/*
 * The fold: after entries are durable and receipted they are opened, ordered and told, a slice at a time. What it
 * writes is a cache. It never delays a receipt: an entry that cannot be opened counts like any other.
 */
#include <stdlib.h>

#include "base/cbor.h"
#include "office/fold.h"

static void fold_release(struct office_job *job)
{
    struct fold_job *fold = (struct fold_job *)job;

    store_result_free(&fold->rows);
    buffer_free(&fold->given);
    buffer_free(&fold->claims);
    buffer_free(&fold->secrets);
    buffer_free(&job->mark);
    free(fold);
}

static struct span secret_of(const struct fold_job *fold, const struct slice_entry *slice)
{
    return span_of(fold->secrets.data + slice->secret_at, slice->secret_size);
}

int open_secret(const struct office *office, const struct line *line, unsigned author, uint64_t epoch,
                struct span sealed, uint8_t secret[static EPOCH_SECRET_SIZE])
{
    struct vault_context context;

    return vault_open(secret, EPOCH_SECRET_SIZE, office->master,
                      vault_context(&context, office->id, VAULT_EPOCH, line->charter->line_id, author, 0, epoch),
                      sealed, NULL);
}

static void take_prekeys(struct office *office, struct line *line, unsigned author, const struct entry *entry)
{
    struct prekeys *prekeys = malloc(sizeof *prekeys);
    struct member *member = &line->member[author];

    if (prekeys == NULL || prekeys_read(prekeys, entry->body, author, line->charter->member_count, NULL) != 0)
        goto out;
    if (prekeys->voids && member->offered_count > 0) {
        uint64_t last = member->offered[member->offered_count - 1].id;
        struct store_op op = {.kind = STORE_DROP_OFFERED, .n = {line->number, author, (int64_t)last}};

        core_lazy(office, &op);
        member->offered_used = last + 1;
        member->offered_count = 0;
    }
    for (unsigned i = 0; i < prekeys->count; i++) {
        if (prekeys->batch[i].author != line->me)
            continue;
        for (unsigned k = 0; k < prekeys->batch[i].keys && member->offered_count < OFFERED_MAX; k++) {
            uint64_t id = prekeys->batch[i].first + k;
            struct store_op op = {.kind = STORE_PUT_OFFERED, .n = {line->number, author, (int64_t)id}};

            /* Ids rise; a key that cannot be used is passed over. */
            if (id < member->offered_used ||
                (member->offered_count > 0 && id <= member->offered[member->offered_count - 1].id) ||
                !dh_key_is_valid(prekeys->batch[i].key[k]))
                continue;
            op.b[0] = span_of(prekeys->batch[i].key[k], DH_SIZE);
            core_lazy(office, &op);
            office->hurry = true; /* it is in the store before it is used, and then dropped */
            member->offered[member->offered_count].id = id;
            memcpy(member->offered[member->offered_count++].key, prekeys->batch[i].key[k], DH_SIZE);
        }
    }
out:
    free(prekeys);
}

/* The prekey's secret is deleted with the same batch that stores the epoch's. */
static void keep_epoch(struct office *office, struct line *line, unsigned author, const struct entry *entry,
                       uint64_t index, const struct wrap *wrap, const uint8_t secret[static EPOCH_SECRET_SIZE])
{
    struct buffer sealed = {0};
    struct vault_context context;
    struct store_op op = {.kind = STORE_PUT_EPOCH};
    struct store_op drop = {.kind = STORE_DROP_PREKEY};

    vault_seal(&sealed, office->master,
               vault_context(&context, office->id, VAULT_EPOCH, line->charter->line_id, author, 0, entry->header.epoch),
               span_of(secret, EPOCH_SECRET_SIZE), &office->entropy);
    op.n[0] = LOG_NUMBER(line, author);
    op.n[1] = (int64_t)entry->header.epoch;
    op.n[2] = (int64_t)index;
    op.n[3] = wrap->source == WRAP_PREKEY;
    op.b[0] = buffer_span(&sealed);
    core_lazy(office, &op);
    buffer_free(&sealed);
    if (wrap->source != WRAP_PREKEY)
        return;
    drop.n[0] = line->number;
    drop.n[1] = author;
    drop.n[2] = (int64_t)wrap->number;
    core_lazy(office, &drop);
    if (line->member[author].prekey_stock > 0)
        line->member[author].prekey_stock--;
    line->prekeys_due |= line->member[author].prekey_stock < PREKEY_LOW;
    if (!office->truncate)
        office->truncate_at = monotonic_after(office->now.monotonic, 30 * SECOND_US);
    office->truncate = true;
}

/* Opens an epoch entry's wrap. False if this office cannot. */
static bool take_epoch(struct office *office, struct fold_job *fold, const struct slice_entry *slice,
                       const struct entry *entry)
{
    struct line *line = fold->line;
    struct epoch epoch;
    const struct wrap *wrap = NULL;
    uint8_t key[DH_SIZE];
    uint8_t secret[EPOCH_SECRET_SIZE];
    uint8_t commitment[HASH_SIZE];
    struct vault_context context;
    struct wrap_context wrap_context = {.charter = line->charter,
                                        .origin_hash = line->member[fold->member].origin_hash,
                                        .courier_key = line->secret->courier,
                                        .author = fold->member,
                                        .epoch = entry->header.epoch};
    bool ok = false;

    if (slice->opened_before)
        return true;
    if (epoch_read(&epoch, entry->body, fold->member, line->charter->member_count, NULL) != 0)
        return false;
    wrap = fold_wrap_for(&epoch, line->me);
    if (wrap == NULL || wrap->courier_slot != 0)
        return false;
    if (wrap->source == WRAP_STANDING)
        memcpy(key, office->identity->sealing_secret, DH_SIZE);
    else if (slice->secret_size == 0 || vault_open(key, DH_SIZE, office->master,
                                                   vault_context(&context, office->id, VAULT_PREKEY,
                                                                 line->charter->line_id, fold->member, wrap->number, 0),
                                                   secret_of(fold, slice), NULL) != 0)
        return false;
    ok = wrap_open(secret, wrap, &wrap_context, key);
    if (ok) {
        epoch_commitment(commitment, wrap_context.origin_hash, entry->header.epoch, secret);
        ok = memcmp(commitment, epoch.commitment, HASH_SIZE) == 0;
    }
    if (ok)
        keep_epoch(office, line, fold->member, entry, slice->index, wrap, secret);
    secret_wipe(key, sizeof key);
    secret_wipe(secret, sizeof secret);
    return ok;
}

/* Epochs rise: one that was said, or is below it, is not said again, whatever else its author makes of the order. */
static void note_unreadable(struct line *line, unsigned author, uint64_t index, uint64_t epoch)
{
    struct member *member = &line->member[author];

    if (author == line->me || index < member->announced || member->unreadable_epoch > epoch)
        return;
    member->unreadable_epoch = epoch + 1;
    member->has_unreadable = true;
    member->unreadable = (struct unreadable){.member = (uint8_t)author, .first = index, .last = index};
}

/* Somebody cannot open what we sealed: begin anew, to its standing key. */
static void take_notice(struct office *office, struct line *line, unsigned author, const struct body *body)
{
    for (unsigned i = 0; i < body->unreadable_count; i++) {
        if (body->unreadable[i].member != line->me)
            continue;
        line->has_epoch = false;
        line->member[author].offered_count = 0;
        /* One alarm, whatever it names: alarms of many numbers would leave no room for others. */
        core_alarm(office,
                   "%s cannot open entries of ours on the line %s; the log names them: send again what mattered",
                   line->charter->members[author].name, line->name);
        core_log(office, "%s cannot open our entry %llu on the line %s and perhaps later ones",
                 line->charter->members[author].name, (unsigned long long)body->unreadable[i].first, line->name);
        return;
    }
}

static void put_inbox(struct office *office, struct line *line, unsigned author, uint64_t index)
{
    struct store_op op = {.kind = STORE_PUT_INBOX};

    op.n[0] = PLACE(LOG_NUMBER(line, author), index);
    op.n[1] = line->number;
    core_lazy(office, &op);
    line->inbox++;
}

/* One's own acknowledgement or answer takes what it names out of the inbox. */
static void drop_inbox(struct office *office, struct line *line, const struct entry *entry)
{
    for (unsigned i = 0; i < entry->header.reference_count; i++) {
        const struct reference *reference = &entry->header.references[i];
        struct store_op op = {.kind = STORE_DROP_INBOX};

        if (reference->member == line->me)
            continue;
        op.n[0] = PLACE(LOG_NUMBER(line, reference->member), reference->index);
        core_lazy(office, &op);
    }
    line->inbox_stale = true;
}

static void announce(struct office *office, struct fold_job *fold, const struct slice_entry *slice,
                     const uint8_t *secret)
{
    struct office_event event = {.kind = OFFICE_ENTRY, .view_count = 1};

    if (!office->watched)
        return;
    event.view = calloc(1, sizeof *event.view);
    if (event.view == NULL)
        return;
    event.line = fold->line->name;
    if (view_entry(event.view, fold->line, fold->member, slice->index, slice->bytes, slice->received, secret) != 0) {
        office_event_free(&event);
        return;
    }
    core_event(office, &event);
}

/* Opens a sealed entry; what kind it turns out to be. */
static enum fold_kind take_sealed(struct office *office, struct fold_job *fold, const struct slice_entry *slice,
                                  const struct entry *entry, uint8_t secret[static EPOCH_SECRET_SIZE], bool *readable)
{
    struct line *line = fold->line;
    struct buffer plain = {0};
    struct body body = {0};
    struct entry_place place = {.index = slice->index};
    enum fold_kind kind = FOLD_UNREADABLE;
    bool first_time =
        slice->index >= line->member[fold->member].announced && !overtaken_was_shown(line, fold->member, slice->index);

    memcpy(place.origin_hash, line->member[fold->member].origin_hash, HASH_SIZE);
    if (slice->secret_size == 0 ||
        open_secret(office, line, fold->member, entry->header.epoch, secret_of(fold, slice), secret) != 0 ||
        entry_open(&plain, entry, secret, &place, NULL) != 0) {
        note_unreadable(line, fold->member, slice->index, entry->header.epoch);
        goto out;
    }
    *readable = true;
    if (body_read(&body, buffer_span(&plain)) != 0) {
        kind = FOLD_UNKNOWN;
        goto out;
    }
    kind = body.kind <= BODY_UNREADABLE ? (enum fold_kind)body.kind : FOLD_UNKNOWN;
    if (fold->member == line->me &&
        (kind == FOLD_ACKNOWLEDGEMENT || (kind == FOLD_MESSAGE && entry->header.reference_count > 0)))
        drop_inbox(office, line, entry);
    if (fold->member != line->me && kind == FOLD_MESSAGE && first_time)
        put_inbox(office, line, fold->member, slice->index);
    if (fold->member != line->me && kind == FOLD_NOTICE && first_time)
        take_notice(office, line, fold->member, &body);
out:
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buffer_free(&plain);
    return kind;
}

/* The depth of an entry that is folded, though the store may not have it yet. */
static bool recent_depth(const struct line *line, const struct claim *claim, uint64_t *depth)
{
    const struct member *member = &line->member[claim->member];

    if (member->recent[claim->index % RECENT_DEPTHS].index != claim->index || claim->index >= member->folded)
        return false;
    *depth = member->recent[claim->index % RECENT_DEPTHS].depth;
    return true;
}

static void note_late_claim(struct office *office, struct fold_job *fold, const struct claim *claim, uint64_t index)
{
    struct line *line = fold->line;
    struct late_claim *late = &line->claim[line->claim_count];
    struct store_op op = {.kind = STORE_PUT_CLAIM};

    op.n[0] = PLACE(LOG_NUMBER(line, claim->member), claim->index);
    op.n[1] = PLACE(LOG_NUMBER(line, fold->member), index);
    core_lazy(office, &op);
    if (line->claim_count == CLAIMS_MAX)
        return; /* found again in the store at the next start */
    line->claim_count++;
    late->member = claim->member;
    late->index = claim->index;
    late->by = op.n[1];
    for (unsigned i = 0; i < line->charter->member_count; i++)
        late->folded[i] = line->member[i].folded;
}

/* The log reached an entry that others named before it came: fold again from where that was. */
static void settle_late_claims(struct office *office, struct line *line, unsigned member)
{
    for (size_t c = 0; c < line->claim_count;) {
        struct late_claim late = line->claim[c];
        struct store_op op = {.kind = STORE_DROP_CLAIM};

        if (late.member != member || line->member[member].folded <= late.index) {
            c++;
            continue;
        }
        line->claim[c] = line->claim[--line->claim_count];
        op.n[0] = PLACE(LOG_NUMBER(line, late.member), late.index);
        op.n[1] = late.by;
        core_lazy(office, &op);
        for (unsigned i = 0; i < line->charter->member_count; i++) {
            struct member *m = &line->member[i];
            uint64_t from = late.folded[i];

            if (from >= m->folded)
                continue;
            if (from > 0 && m->recent[(from - 1) % RECENT_DEPTHS].index == from - 1)
                m->depth = m->recent[(from - 1) % RECENT_DEPTHS].depth;
            else
                from = 0; /* long ago: the whole log again */
            m->folded = from;
            m->waits = m->in_ring = false;
        }
        core_log(office, "%s: an entry that was named before it came is here; the order is computed again", line->name);
    }
}

/*
 * An entry's `re` may name one that is not made yet in its log: leaves do not hang on each other, so that false members
 * can let entries name each other in a ring. (By `seen` they can't: a root hangs on all entries below it.) Where the
 * logs of a ring wait for each other, the first of its members goes on without what it names.
 */
static void break_ring(struct line *line, unsigned from)
{
    unsigned first = MEMBERS_MAX;
    unsigned at = from;

    for (unsigned steps = 0; steps < line->charter->member_count; steps++) {
        const struct member *member = &line->member[at];

        if (!member->waits || line->member[member->awaited].folded > member->awaited_index)
            return;
        if (member->waits_by_reference && at < first)
            first = at;
        at = member->awaited;
        if (at == from)
            break;
    }
    if (at == from && first < MEMBERS_MAX)
        line->member[first].in_ring = true;
}

/* The next entry of a log waits until another one is folded. False if it is not to wait. */
static bool wait_for(struct line *line, unsigned number, const struct claim *claim)
{
    struct member *member = &line->member[number];

    member->waits = true;
    member->waits_by_reference = claim->is_reference;
    member->awaited = claim->member;
    member->awaited_index = claim->index;
    break_ring(line, number);
    return !claim->is_reference || !member->in_ring;
}

/* depth = 1 + the largest of its predecessor's and of those that valid claims rest on. False if one of them is not
 * folded yet: then this log waits for the other. */
static bool compute_depth(struct office *office, struct fold_job *fold, size_t i, uint64_t *depth)
{
    const struct claim *claims = (const struct claim *)(const void *)fold->claims.data;
    size_t end = i + 1 < fold->count ? fold->entry[i + 1].first_claim : fold->claims.size / sizeof *claims;
    struct member *member = &fold->line->member[fold->member];

    *depth = fold->entry[i].index == 0 ? 0 : member->depth + 1;
    for (size_t c = fold->entry[i].first_claim; c < end; c++) {
        const struct claim *claim = &claims[c];
        uint64_t rest = claim->depth;

        if (claim->held && claim->true_ && !claim->folded && !recent_depth(fold->line, claim, &rest)) {
            if (wait_for(fold->line, fold->member, claim))
                return false;
            continue;
        }
        if (claim->held && claim->true_ && rest + 1 > *depth)
            *depth = rest + 1;
        if (!claim->held)
            note_late_claim(office, fold, claim, fold->entry[i].index);
        else if (!claim->true_)
            core_log(office, "%s/%llu names another entry %llu of %s than is held here; that claim is void",
                     fold->line->charter->members[fold->member].name, (unsigned long long)fold->entry[i].index,
                     (unsigned long long)claim->index, fold->line->charter->members[claim->member].name);
    }
    return true;
}

static void put_fold(struct office *office, struct fold_job *fold, const struct slice_entry *slice,
                     const struct entry *entry, uint64_t depth, int kind)
{
    struct line *line = fold->line;
    int64_t place = PLACE(LOG_NUMBER(line, fold->member), slice->index);
    struct store_op op = {.kind = STORE_PUT_FOLD};

    op.n[0] = place;
    op.n[1] = line->number;
    op.n[2] = (int64_t)depth;
    op.n[3] = fold->member;
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

/* What an entry means to this office. Returns its kind. */
static int take_entry(struct office *office, struct fold_job *fold, const struct slice_entry *slice,
                      const struct entry *entry)
{
    struct line *line = fold->line;
    struct member *member = &line->member[fold->member];
    uint8_t secret[EPOCH_SECRET_SIZE];
    bool readable = false;
    int kind = FOLD_CLASS + (int)entry->header.class;

    switch (entry->header.class) {
    case ENTRY_PREKEYS:
        /* Once only: when the fold is made again, some of them are used. */
        if (fold->member != line->me && !fold->overtaken && slice->index >= member->announced)
            take_prekeys(office, line, fold->member, entry);
        break;
    case ENTRY_EPOCH:
        if (fold->member != line->me && !take_epoch(office, fold, slice, entry))
            note_unreadable(line, fold->member, slice->index, entry->header.epoch);
        break;
    case ENTRY_LEAVE:
        member->left = true;
        break;
    case ENTRY_SEALED:
        kind = (int)take_sealed(office, fold, slice, entry, secret, &readable);
        break;
    default:
        break;
    }
    if (slice->index >= member->announced && !overtaken_was_shown(line, fold->member, slice->index))
        announce(office, fold, slice, readable ? secret : NULL);
    secret_wipe(secret, sizeof secret);
    return kind;
}

static bool epoch_is_new(const struct entry *entry)
{
    return entry->header.class == ENTRY_EPOCH;
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

/* In order. An epoch entry ends the slice: the next one finds its secret in the store. */
static void take_slice(struct office *office, struct fold_job *fold)
{
    struct member *member = &fold->line->member[fold->member];

    for (size_t i = 0; i < fold->count; i++) {
        const struct slice_entry *slice = &fold->entry[i];
        struct entry entry;
        bool formed = entry_parse(&entry, slice->bytes, fold->member, fold->line->charter->member_count, NULL) == 0;
        uint64_t depth = 0;
        int kind = FOLD_UNKNOWN;

        if (!compute_depth(office, fold, i, &depth)) {
            member->wait_batch = core_next_batch(office);
            office->hurry = true;
            break;
        }
        if (formed)
            kind = take_entry(office, fold, slice, &entry);
        put_fold(office, fold, slice, formed ? &entry : NULL, depth, kind);
        member->recent[slice->index % RECENT_DEPTHS].index = slice->index;
        member->recent[slice->index % RECENT_DEPTHS].depth = depth;
        member->depth = depth;
        member->folded = slice->index + 1;
        member->waits = member->in_ring = false;
        if (member->announced < member->folded)
            member->announced = member->folded;
        if (formed && epoch_is_new(&entry) && fold->member != fold->line->me) {
            member->wait_batch = core_next_batch(office);
            office->hurry = true;
            open_closed(fold->line, fold->member);
            break;
        }
    }
    overtaken_reached(office, fold->line, fold->member, member->folded);
    settle_late_claims(office, fold->line, fold->member);
    member->folded_noted = true;
    core_note(office);
}

/* Shown before its turn, and said to be held. Where its epoch is not open yet it waits for that: the epoch's entry may
 * be durable and not folded, or come with the next flash. */
static void take_overtaken(struct office *office, struct fold_job *fold)
{
    struct line *line = fold->line;

    for (size_t i = 0; i < fold->count; i++) {
        const struct slice_entry *slice = &fold->entry[i];
        struct reference held = {.member = (uint8_t)fold->member, .index = slice->index};
        struct buffer body = {0};
        struct error error = {0};
        enum overtaken_state state = OVERTAKEN_SHOWN;
        bool said = false;
        struct entry entry;

        if (slice->index < line->member[fold->member].folded)
            continue; /* its turn came meanwhile */
        if (entry_parse(&entry, slice->bytes, fold->member, line->charter->member_count, NULL) == 0) {
            if (entry.header.class == ENTRY_SEALED && slice->secret_size == 0)
                state = OVERTAKEN_CLOSED;
            else
                (void)take_entry(office, fold, slice, &entry);
            if (epoch_is_new(&entry)) {
                line->member[fold->member].wait_batch = core_next_batch(office);
                open_closed(line, fold->member);
            }
        }
        for (struct overtaken *o = line->overtaken; o != NULL; o = o->next)
            if (o->member == fold->member && o->index == slice->index) {
                o->state = state;
                said = o->said;
                o->said = true;
            }
        if (said)
            continue;
        memcpy(held.leaf, slice->leaf.data, HASH_SIZE);
        held_put(&body, &held, 1);
        if (!line->left && !buffer_failed(&body) &&
            append_clear(office, line, ENTRY_HELD, buffer_span(&body), &error) != 0)
            core_log(office, "cannot say that an entry is held: %s", error.message);
        buffer_free(&body);
        office->hurry = true;
    }
}

static void fold_done(struct office *office, struct office_job *job, struct now now)
{
    struct fold_job *fold = (struct fold_job *)job;
    struct line *line = fold->line;
    struct error error = {0};

    (void)now;
    if (!fold->overtaken)
        line->member[fold->member].folding = false;
    if (job->error.code != ERROR_NONE) {
        core_stop(office, ERROR_STORAGE, "%s", job->error.message);
        return;
    }
    if (office->state != OFFICE_READY)
        return;
    if (fold->overtaken)
        take_overtaken(office, fold);
    else if (fold->from == line->member[fold->member].folded) /* else the fold was set back meanwhile */
        take_slice(office, fold);
    append_unreadable(office, line);
    if (line->prekeys_due && !line->left) {
        line->prekeys_due = false;
        if (append_prekeys(office, line, &error) != 0)
            core_log(office, "no new prekeys could be published: %s", error.message);
    }
}

static struct fold_job *new_fold(struct line *line, unsigned member)
{
    struct fold_job *fold = calloc(1, sizeof *fold);

    if (fold == NULL)
        return NULL;
    fold->job.run = fold_look_up;
    fold->job.done = fold_done;
    fold->job.release = fold_release;
    fold->line = line;
    fold->member = member;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        fold->durable[i] = sync_durable(line->sync, i);
    return fold;
}

/* The prekey of an overtaking epoch and the flash under it are opened by two jobs in turn: the first stores the secret.
 */
static void fold_one_overtaken(struct office *office, struct line *line)
{
    for (struct overtaken *o = line->overtaken; o != NULL; o = o->next) {
        struct fold_job *fold = NULL;

        if (o->state != OVERTAKEN_DURABLE)
            continue;
        if (o->folding || line->member[o->member].wait_batch > office->batch)
            return;
        fold = new_fold(line, o->member);
        if (fold == NULL)
            return;
        fold->overtaken = true;
        fold->count = 1;
        buffer_put_span(&fold->given, sync_chunk_entry(o->chunk, 0));
        buffer_put(&fold->given, o->chunk->leaf[0], HASH_SIZE);
        if (buffer_failed(&fold->given)) {
            fold_release(&fold->job);
            return;
        }
        fold->entry[0].index = o->index;
        fold->entry[0].received = office->now.wall.us / SECOND_US;
        fold->entry[0].bytes = span_of(fold->given.data, fold->given.size - HASH_SIZE);
        fold->entry[0].leaf = span_from(buffer_span(&fold->given), fold->given.size - HASH_SIZE);
        o->folding = true;
        core_job(office, &fold->job);
        return;
    }
}

void fold_some(struct office *office)
{
    for (size_t l = 0; l < office->line_count; l++) {
        struct line *line = office->line[l];

        for (unsigned i = 0; i < line->charter->member_count; i++) {
            struct member *member = &line->member[i];
            struct fold_job *fold = NULL;

            if (member->folding || member->wait_batch > office->batch || member->folded >= sync_durable(line->sync, i))
                continue;
            fold = new_fold(line, i);
            if (fold == NULL)
                return;
            fold->from = member->folded;
            member->folding = true;
            core_job(office, &fold->job);
        }
        fold_one_overtaken(office, line);
        if (line->inbox_stale)
            inbox_count(office, line);
    }
}
