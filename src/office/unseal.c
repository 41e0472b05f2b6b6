/*
 * What an entry means to this office: prekeys for it, the secrets of epochs, messages that wait for a person, notices.
 * An entry that cannot be opened counts like any other; its author is told.
 */
#include <stdlib.h>

#include "base/cbor.h"
#include "office/fold.h"

static struct span secret_of(const struct fold_job *fold, const struct fold_entry *found)
{
    return span_of(fold->secrets.data + found->secret_at, found->secret_size);
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

            /* Ids rise. */
            if (id < member->offered_used ||
                (member->offered_count > 0 && id <= member->offered[member->offered_count - 1].id))
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
    if (buffer_failed(&sealed)) /* with the prekey the secret would be gone for good */
        core_spoil(office);
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
static bool take_epoch(struct office *office, struct fold_job *fold, const struct fold_entry *found,
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
                                        .origin_hash = line->member[found->member].origin_hash,
                                        .courier_key = line->secret->courier,
                                        .author = found->member,
                                        .epoch = entry->header.epoch};
    bool ok = false;

    if (found->opened_before)
        return true;
    if (epoch_read(&epoch, entry->body, found->member, line->charter->member_count, NULL) != 0)
        return false;
    wrap = fold_wrap_for(&epoch, line->me);
    if (wrap == NULL || wrap->courier_slot != 0)
        return false;
    if (wrap->source == WRAP_STANDING)
        memcpy(key, office->identity->sealing_secret, DH_SIZE);
    else if (found->secret_size == 0 ||
             vault_open(key, DH_SIZE, office->master,
                        vault_context(&context, office->id, VAULT_PREKEY, line->charter->line_id, found->member,
                                      wrap->number, 0),
                        secret_of(fold, found), NULL) != 0)
        return false;
    ok = wrap_open(secret, wrap, &wrap_context, key);
    if (ok) {
        epoch_commitment(commitment, wrap_context.origin_hash, entry->header.epoch, secret);
        ok = hash_equal(commitment, epoch.commitment);
    }
    if (ok)
        keep_epoch(office, line, found->member, entry, found->index, wrap, secret);
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
                   line->member[author].name, line->name);
        core_log(office, "%s cannot open our entry %llu on the line %s and perhaps later ones",
                 line->member[author].name, (unsigned long long)body->unreadable[i].first, line->name);
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

/* One's own acknowledgement or answer takes what it names out of the inbox, and no other entry in its place. */
static void drop_inbox(struct office *office, struct line *line, const struct entry *entry, uint64_t true_references)
{
    for (unsigned i = 0; i < entry->header.reference_count; i++) {
        const struct reference *reference = &entry->header.references[i];
        struct store_op op = {.kind = STORE_DROP_INBOX};

        if (reference->member == line->me || (true_references >> i & 1) == 0)
            continue;
        op.n[0] = PLACE(LOG_NUMBER(line, reference->member), reference->index);
        core_lazy(office, &op);
    }
    line->inbox_stale = true;
}

static void announce(struct office *office, struct fold_job *fold, const struct fold_entry *found,
                     const uint8_t *secret)
{
    struct office_event event = {.kind = OFFICE_ENTRY, .view_count = 1};

    if (!office->watched)
        return;
    event.view = calloc(1, sizeof *event.view);
    event.line = fold->line->name;
    if (event.view == NULL || view_entry(event.view, fold->line, found->member, found->index, found->bytes,
                                         found->true_references, found->received, secret) != 0) {
        event.view_count = event.view != NULL;
        office_event_free(&event);
        core_exhausted(office); /* whoever follows would miss it */
        return;
    }
    event.view->early = found->index > fold->line->member[found->member].folded;
    core_event(office, &event);
}

/* Opens a sealed entry; what kind it turns out to be. */
static enum fold_kind take_sealed(struct office *office, struct fold_job *fold, const struct fold_entry *found,
                                  const struct entry *entry, uint8_t secret[static EPOCH_SECRET_SIZE], bool *readable)
{
    struct line *line = fold->line;
    struct buffer plain = {0};
    struct body body = {0};
    struct entry_place place = {.index = found->index};
    struct error error = {0};
    enum fold_kind kind = FOLD_UNREADABLE;
    bool first_time = found->index >= line->member[found->member].announced &&
                      !overtaken_was_shown(line, found->member, found->index);

    memcpy(place.origin_hash, line->member[found->member].origin_hash, HASH_SIZE);
    if (found->secret_size == 0 ||
        open_secret(office, line, found->member, entry->header.epoch, secret_of(fold, found), secret) != 0 ||
        entry_open(&plain, entry, secret, &place, &error) != 0) {
        if (error.code == ERROR_SYSTEM) /* to say that it cannot be read would be untrue */
            core_spoil(office);
        else
            note_unreadable(line, found->member, found->index, entry->header.epoch);
        goto out;
    }
    *readable = true;
    if (body_read(&body, buffer_span(&plain)) != 0) {
        kind = FOLD_UNKNOWN;
        goto out;
    }
    kind = body.kind <= BODY_UNREADABLE ? (enum fold_kind)body.kind : FOLD_UNKNOWN;
    if (found->member == line->me &&
        (kind == FOLD_ACKNOWLEDGEMENT || (kind == FOLD_MESSAGE && entry->header.reference_count > 0)))
        drop_inbox(office, line, entry, found->true_references);
    if (found->member != line->me && kind == FOLD_MESSAGE && first_time)
        put_inbox(office, line, found->member, found->index);
    if (found->member != line->me && kind == FOLD_NOTICE && first_time)
        take_notice(office, line, found->member, &body);
out:
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buffer_free(&plain);
    return kind;
}

int fold_take_entry(struct office *office, struct fold_job *fold, const struct fold_entry *found,
                    const struct entry *entry)
{
    struct line *line = fold->line;
    struct member *member = &line->member[found->member];
    uint8_t secret[EPOCH_SECRET_SIZE];
    bool readable = false;
    int kind = FOLD_CLASS + (int)entry->header.class;

    switch (entry->header.class) {
    case ENTRY_PREKEYS:
        /* Once only: when the fold is made again, some of them are used. */
        if (found->member != line->me && !fold->overtaken && found->index >= member->announced)
            take_prekeys(office, line, found->member, entry);
        break;
    case ENTRY_EPOCH:
        if (found->member != line->me && !take_epoch(office, fold, found, entry))
            note_unreadable(line, found->member, found->index, entry->header.epoch);
        break;
    case ENTRY_LEAVE:
        member->left = true;
        break;
    case ENTRY_SEALED:
        kind = (int)take_sealed(office, fold, found, entry, secret, &readable);
        break;
    default:
        break;
    }
    if (found->index >= member->announced && !overtaken_was_shown(line, found->member, found->index))
        announce(office, fold, found, readable ? secret : NULL);
    secret_wipe(secret, sizeof secret);
    return kind;
}
