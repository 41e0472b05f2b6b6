/*
 * One's own entries. They are sealed and numbered here, and wait in `pending` for the next batch; if that fails with a
 * full disk they are forgotten whole, and their numbers are given again.
 */
#include <stdlib.h>

#include "base/cbor.h"
#include "office/engine.h"
#include "seal/aead.h"

/* At most, in CBOR: a header without seen and references, one of these, and what a body has beside its text. */
#define HEADER_SIZE 48
#define REFERENCE_SIZE 48
#define BODY_OVERHEAD 32

void pending_free(struct pending *pending)
{
    if (pending == NULL)
        return;
    sync_chunk_free(pending->chunk);
    store_batch_free(&pending->operations);
    while (pending->waiting != NULL) {
        struct waiting *waiting = pending->waiting;

        pending->waiting = waiting->next;
        waiting_free(waiting);
    }
    free(pending);
}

void waiting_free(struct waiting *waiting)
{
    if (waiting == NULL)
        return;
    buffer_free(&waiting->text);
    if (waiting->text2.data != NULL)
        secret_wipe(waiting->text2.data, waiting->text2.capacity);
    buffer_free(&waiting->text2);
    free(waiting);
}

void append_forget(struct line *line, const struct pending *pending)
{
    for (size_t i = 0; i < pending->operations.count; i++) {
        const struct store_op *op = &pending->operations.op[i];

        if (op->kind == STORE_PUT_META) {
            line->prekeys_void = line->prekeys_due = true;
        } else if (op->kind == STORE_PUT_PREKEY) {
            line->member[op->n[1]].prekey_stock--;
            line->prekeys_due = true;
        } else if (op->kind == STORE_SET_LINE) {
            line->left = false;
        }
    }
}

/* The entry that named what was seen was not made, or is forgotten. */
static void name_all_again(struct line *line)
{
    memset(line->seen, 0, sizeof line->seen);
}

void append_say_again(struct line *line)
{
    name_all_again(line);
    for (unsigned i = 0; i < line->charter->member_count; i++)
        line->member[i].has_unreadable |=
            line->member[i].unreadable_said >= line->second.size && line->member[i].unreadable_said > 0;
}

/* The run that takes the next entry of `size` bytes: the last one, or a new one if that is full. */
static struct pending *pending_for(struct line *line, size_t size)
{
    struct pending *last = line->pending_last;

    if (last != NULL && last->chunk->count < BATCH_ENTRIES_MAX && last->chunk->bytes.size + size <= BATCH_BYTES_MAX)
        return last;
    last = calloc(1, sizeof *last);
    if (last == NULL)
        return NULL;
    last->urgent = UINT64_MAX;
    last->chunk = sync_chunk_new(line->me, line->first.size, 1);
    if (last->chunk == NULL) {
        free(last);
        return NULL;
    }
    if (line->pending_last != NULL)
        line->pending_last->next = last;
    else
        line->pending_first = last;
    line->pending_last = last;
    return last;
}

int append_no_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "there is no memory left");
}

static int add_entry(const struct office *office, struct line *line, struct span bytes, unsigned precedence,
                     struct error *error)
{
    struct pending *pending = pending_for(line, bytes.size);

    if (pending == NULL || sync_chunk_add(pending->chunk, bytes) != 0)
        return append_no_memory(error);
    if (line->first.size < line->appended) /* what was pending has been forgotten */
        buffer_reset(&line->tokens);
    if (precedence == PRECEDENCE_FLASH)
        pending->urgent = line->first.size;
    tree_append(&line->first, pending->chunk->leaf[pending->chunk->count - 1]);
    pending->chunk->after = line->first;
    quota_spend(&line->spent, line->charter, (struct amount){.entries = 1, .bytes = bytes.size}, office->now.wall);
    pending->chunk->spent = line->spent;
    line->appended = line->first.size;
    return 0;
}

void append_operation(struct line *line, const struct store_op *op)
{
    struct store_op own = *op;

    own.own = true;
    store_batch_put(&line->pending_last->operations, &own);
}

/* Names the logs that grew since the last own entry, with their roots. */
static void fill_seen(struct line *line, struct entry_header *header)
{
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        const struct tree_frontier *durable = sync_frontier(line->sync, i);
        struct seen *seen = &header->seen[header->seen_count];

        /* Less than was named before the office was restored would be void. */
        if (i == line->me || durable->size <= line->seen[i] || durable->size < line->known[i].size)
            continue;
        seen->member = (uint8_t)i;
        seen->size = durable->size;
        tree_root(durable, seen->root);
        line->seen[i] = durable->size;
        header->seen_count++;
    }
}

int append_clear(struct office *office, struct line *line, unsigned class, struct span body, struct error *error)
{
    struct entry_header header = {.class = class, .epoch = class == ENTRY_EPOCH ? line->epoch : 0};
    struct buffer bytes = {0};
    int result = -1;

    fill_seen(line, &header);
    entropy_fill(&office->entropy, header.salt, sizeof header.salt);
    entry_clear(&bytes, &header, body);
    result = buffer_failed(&bytes) ? append_no_memory(error) : add_entry(office, line, buffer_span(&bytes), 0, error);
    if (result != 0)
        name_all_again(line);
    buffer_free(&bytes);
    return result;
}

size_t append_size(size_t text, size_t references)
{
    return HEADER_SIZE + references * REFERENCE_SIZE + ENTRY_TAG_SIZE + HASH_SIZE +
           entry_padded_size(BODY_OVERHEAD + text) + AEAD_TAG_SIZE;
}

size_t append_seen_size(const struct line *line)
{
    return (line->charter->member_count - 1) * REFERENCE_SIZE;
}

static void put_prekey(struct office *office, struct line *line, unsigned author, uint64_t id,
                       uint8_t public_key[static DH_SIZE], struct store_batch *operations)
{
    uint8_t secret[DH_SIZE];
    struct buffer sealed = {0};
    struct vault_context context;
    struct store_op op = {.kind = STORE_PUT_PREKEY, .own = true, .n = {line->number, author, (int64_t)id}};

    entropy_fill(&office->entropy, secret, sizeof secret);
    dh_public(public_key, secret);
    vault_seal(&sealed, office->master,
               vault_context(&context, office->id, VAULT_PREKEY, line->charter->line_id, author, id, 0),
               span_of(secret, sizeof secret), &office->entropy);
    op.b[0] = buffer_span(&sealed);
    store_batch_put(operations, &op);
    operations->failed |= buffer_failed(&sealed);
    secret_wipe(secret, sizeof secret);
    buffer_free(&sealed);
}

/* Publishes 64 more for every member that runs low, in one entry. */
int append_prekeys(struct office *office, struct line *line, struct error *error)
{
    struct prekeys *prekeys = calloc(1, sizeof *prekeys);
    struct store_batch operations = {0};
    struct store_op restored = {.kind = STORE_PUT_META, .n = {META_RESTORED}};
    struct buffer still_void = {0};
    struct buffer body = {0};
    int result = -1;

    if (prekeys == NULL)
        return append_no_memory(error);
    restore_put_void(office, line, &still_void);
    restored.b[0] = buffer_span(&still_void);
    prekeys->voids = line->prekeys_void;
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct member *member = &line->member[i];
        unsigned b = prekeys->count;

        if (line->prekeys_void)
            member->prekey_stock = 0;
        if (i == line->me || member->prekey_stock >= PREKEY_LOW)
            continue;
        prekeys->batch[b].author = (uint8_t)i;
        prekeys->batch[b].first = member->prekey_next;
        prekeys->batch[b].keys = PREKEY_BATCH;
        for (unsigned k = 0; k < PREKEY_BATCH; k++)
            put_prekey(office, line, i, member->prekey_next + k, prekeys->batch[b].key[k], &operations);
        prekeys->count++;
        member->prekey_next += PREKEY_BATCH;
        member->prekey_stock += PREKEY_BATCH;
    }
    prekeys_put(prekeys, &body);
    if (buffer_failed(&body) || buffer_failed(&still_void) || operations.failed) {
        (void)append_no_memory(error);
        goto out;
    }
    if (append_clear(office, line, ENTRY_PREKEYS, buffer_span(&body), error) != 0)
        goto out;
    store_batch_append(&line->pending_last->operations, &operations);
    if (line->prekeys_void)
        append_operation(line, &restored);
    line->prekeys_void = false;
    result = 0;
out:
    store_batch_free(&operations);
    buffer_free(&body);
    buffer_free(&still_void);
    free(prekeys);
    return result;
}

void append_due_prekeys(struct office *office, struct line *line)
{
    struct error error = {0};

    if (!line->prekeys_due || line->left || line->asking)
        return;
    line->prekeys_due = append_prekeys(office, line, &error) != 0;
    if (line->prekeys_due)
        core_log(office, "no new prekeys could be published yet: %s", error.message);
}

int append_start(struct office *office, struct line *line, struct error *error)
{
    struct buffer body = {0};
    int result = -1;

    cbor_put_bytes(&body, line->charter_text.data, line->charter_text.size);
    if (buffer_failed(&body))
        (void)append_no_memory(error);
    else if (append_clear(office, line, ENTRY_CHARTER, buffer_span(&body), error) == 0)
        result = append_prekeys(office, line, error);
    buffer_free(&body);
    return result;
}

/* Wraps the epoch's secret to one member: to its oldest prekey at hand, else to its standing key. */
static bool wrap_to(struct office *office, struct line *line, struct wrap *wrap, struct store_batch *operations)
{
    struct member *member = &line->member[wrap->member];
    struct wrap_context context = {.charter = line->charter,
                                   .origin_hash = line->member[line->me].origin_hash,
                                   .courier_key = line->secret->courier,
                                   .author = line->me,
                                   .epoch = line->epoch};
    const uint8_t *key = line->charter->members[wrap->member].sealing_key;
    uint8_t ephemeral[DH_SIZE];
    bool ok = false;

    wrap->source = WRAP_STANDING;
    wrap->number = 0;
    if (member->offered_count > 0) {
        struct store_op op = {.kind = STORE_DROP_OFFERED, .own = true};

        wrap->source = WRAP_PREKEY;
        wrap->number = member->offered[0].id;
        key = member->offered[0].key;
        op.n[0] = line->number;
        op.n[1] = wrap->member;
        op.n[2] = (int64_t)wrap->number;
        store_batch_put(operations, &op);
    }
    entropy_fill(&office->entropy, ephemeral, sizeof ephemeral);
    ok = wrap_seal(wrap, &context, key, office->identity->sealing_secret, ephemeral, line->secret->epoch);
    secret_wipe(ephemeral, sizeof ephemeral);
    member->forward = wrap->source == WRAP_PREKEY;
    if (member->offered_count > 0)
        member->offered_used = member->offered[0].id + 1;
    if (member->offered_count > 0)
        memmove(&member->offered[0], &member->offered[1], --member->offered_count * sizeof member->offered[0]);
    return ok;
}

static void keep_epoch(struct office *office, struct line *line, struct store_batch *operations)
{
    struct buffer sealed = {0};
    struct vault_context context;
    bool forward = true;
    struct store_op op = {.kind = STORE_PUT_EPOCH, .own = true};

    for (unsigned i = 0; i < line->charter->member_count; i++)
        forward = forward && (i == line->me || line->member[i].forward);
    vault_seal(&sealed, office->master,
               vault_context(&context, office->id, VAULT_EPOCH, line->charter->line_id, line->me, 0, line->epoch),
               span_of(line->secret->epoch, EPOCH_SECRET_SIZE), &office->entropy);
    op.n[0] = LOG_NUMBER(line, line->me);
    op.n[1] = (int64_t)line->epoch;
    op.n[2] = (int64_t)line->first.size;
    op.n[3] = forward;
    op.b[0] = buffer_span(&sealed);
    store_batch_put(operations, &op);
    operations->failed |= buffer_failed(&sealed);
    buffer_free(&sealed);
}

/* A new epoch daily, at each start, and per 2^20 entries. */
static int ensure_epoch(struct office *office, struct line *line, struct error *error)
{
    uint64_t day = office->now.wall.us / SECOND_US / EPOCH_SECONDS;
    struct epoch epoch = {0};
    struct store_batch operations = {0};
    struct buffer body = {0};
    int result = -1;

    if (line->has_epoch && line->epoch_day == day && line->first.size - line->epoch_entry < EPOCH_ENTRIES_MAX)
        return 0;
    line->has_epoch = false;
    line->epoch++;
    entropy_fill(&office->entropy, line->secret->epoch, EPOCH_SECRET_SIZE);
    epoch_commitment(epoch.commitment, line->member[line->me].origin_hash, line->epoch, line->secret->epoch);
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct wrap *wrap = &epoch.wrap[epoch.wrap_count];

        if (i == line->me)
            continue;
        wrap->member = (uint8_t)i;
        if (!wrap_to(office, line, wrap, &operations)) {
            (void)error_set(error, ERROR_SYSTEM, "the epoch's secret could not be wrapped to %s", line->member[i].name);
            goto out;
        }
        epoch.wrap_count++;
    }
    keep_epoch(office, line, &operations);
    epoch_put(&epoch, &body);
    if (buffer_failed(&body) || operations.failed) {
        (void)append_no_memory(error);
        goto out;
    }
    line->epoch_entry = line->first.size;
    if (append_clear(office, line, ENTRY_EPOCH, buffer_span(&body), error) != 0)
        goto out;
    store_batch_append(&line->pending_last->operations, &operations);
    line->epoch_day = day;
    line->has_epoch = true;
    result = 0;
out:
    store_batch_free(&operations);
    buffer_free(&body);
    return result;
}

int append_sealed(struct office *office, struct line *line, const struct body *body, unsigned precedence,
                  const struct reference *references, size_t reference_count, uint64_t *index, struct error *error)
{
    struct entry_header header = {.class = ENTRY_SEALED, .precedence = precedence};
    struct entry_place place;
    struct buffer plain = {0};
    struct buffer bytes = {0};
    int result = -1;

    if (ensure_epoch(office, line, error) != 0)
        return -1;
    header.epoch = line->epoch;
    header.reference_count = (unsigned)reference_count;
    if (reference_count > 0)
        memcpy(header.references, references, reference_count * sizeof *references);
    fill_seen(line, &header);
    entropy_fill(&office->entropy, header.salt, sizeof header.salt);
    memcpy(place.origin_hash, line->member[line->me].origin_hash, HASH_SIZE);
    place.index = line->first.size;
    body_put(&plain, body);
    if (buffer_failed(&plain)) {
        (void)append_no_memory(error);
        goto out;
    }
    if (entry_seal(&bytes, &header, buffer_span(&plain), line->secret->epoch, &place, error) != 0)
        goto out;
    *index = place.index;
    result = add_entry(office, line, buffer_span(&bytes), precedence, error);
out:
    if (result != 0)
        name_all_again(line);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.size);
    buffer_free(&plain);
    buffer_free(&bytes);
    return result;
}

struct waiting *append_wait(struct office *office, struct line *line, uint64_t request, uint64_t first, uint64_t count)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (waiting == NULL || line->pending_last == NULL) {
        free(waiting);
        core_exhausted(office); /* the entries go their way: "refused" would be untrue */
        return NULL;
    }
    waiting->request = request;
    waiting->first = first;
    waiting->count = count;
    waiting->next = line->pending_last->waiting;
    line->pending_last->waiting = waiting;
    return waiting;
}

void append_unreadable(struct office *office, struct line *line)
{
    struct body body = {.kind = BODY_UNREADABLE, .time = office->now.wall.us / SECOND_US};
    struct error error = {0};
    uint64_t index = 0;

    for (unsigned i = 0; i < line->charter->member_count; i++) {
        if (!line->member[i].has_unreadable)
            continue;
        body.unreadable[body.unreadable_count++] = line->member[i].unreadable;
    }
    if (body.unreadable_count == 0 || line->left || line->asking)
        return;
    if (append_sealed(office, line, &body, 0, NULL, 0, &index, &error) != 0) {
        core_log(office, "cannot say yet which entries are unreadable: %s", error.message);
        return;
    }
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        if (line->member[i].has_unreadable)
            line->member[i].unreadable_said = index;
        line->member[i].has_unreadable = false;
    }
}
