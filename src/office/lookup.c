/*
 * What the fold needs from the store, read on the store's thread: entries, the depths of those that others rest on,
 * roots, and sealed secrets. It touches the job's memory only.
 */
#include "office/fold.h"

#include <stdlib.h>

static int look_up_depth(struct store *store, struct claim *claim, int64_t place, struct error *error)
{
    struct store_query query = {.kind = STORE_FOLD, .n = {place}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0) {
        claim->folded = true;
        claim->depth = (uint64_t)result.row[0].n[1];
    }
    store_result_free(&result);
    return status;
}

/* A head at exactly that size says the root; else it is computed. */
static int look_up_root(struct store *store, uint32_t log, uint64_t size, uint8_t root[static HASH_SIZE],
                        struct error *error)
{
    struct store_query query = {.kind = STORE_HEADS, .n = {log, (int64_t)size}, .limit = 1};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);
    bool known =
        status == 0 && result.count > 0 && (uint64_t)result.row[0].n[0] == size && result.row[0].b[0].size == HASH_SIZE;

    if (known)
        memcpy(root, result.row[0].b[0].data, HASH_SIZE);
    store_result_free(&result);
    if (status != 0 || known)
        return status;
    return store_range_hash(store, log, (struct tree_range){0, size}, root, error);
}

static int look_up_seen(struct fold_job *fold, struct store *store, const struct seen *seen)
{
    struct claim claim = {
        .member = seen->member, .index = seen->size - 1, .held = seen->size <= fold->durable[seen->member]};
    uint32_t log = LOG_NUMBER(fold->line, seen->member);
    uint8_t root[HASH_SIZE];

    if (claim.held) {
        if (look_up_root(store, log, seen->size, root, &fold->job.error) != 0 ||
            look_up_depth(store, &claim, PLACE(log, claim.index), &fold->job.error) != 0)
            return -1;
        claim.true_ = memcmp(root, seen->root, HASH_SIZE) == 0;
    }
    buffer_put(&fold->claims, &claim, sizeof claim);
    return 0;
}

/* An entry that overtook is held, too, beyond the gap. */
static int is_true(struct store *store, const struct line *line, const struct reference *reference, bool *true_,
                   struct error *error)
{
    struct store_query query = {.kind = STORE_ENTRY,
                                .n = {PLACE(LOG_NUMBER(line, reference->member), reference->index)}};
    struct store_result result = {0};
    uint8_t leaf[HASH_SIZE] = {0};
    bool held = false;
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0) {
        held = true;
        *true_ = span_equal(result.row[0].b[0], span_of(reference->leaf, HASH_SIZE));
    }
    store_result_free(&result);
    if (status != 0 || held)
        return status;
    query.kind = STORE_ALL_PENDING;
    query.limit = 1;
    status = store_read(store, &query, &result, error);
    if (status == 0 && result.count > 0 && result.row[0].n[0] == query.n[0]) {
        tree_leaf(leaf, result.row[0].b[0]);
        *true_ = memcmp(leaf, reference->leaf, HASH_SIZE) == 0;
    }
    store_result_free(&result);
    return status;
}

int lookup_true_references(struct store *store, const struct line *line, const struct entry *entry,
                           uint64_t *true_references, struct error *error)
{
    int status = 0;

    *true_references = 0;
    for (unsigned i = 0; i < entry->header.reference_count && status == 0; i++) {
        bool true_ = false;

        status = is_true(store, line, &entry->header.references[i], &true_, error);
        *true_references |= (uint64_t)true_ << i;
    }
    return status;
}

static int look_up_reference(struct fold_job *fold, struct store *store, unsigned author,
                             const struct reference *reference, bool true_)
{
    struct claim claim = {.is_reference = true,
                          .member = reference->member,
                          .index = reference->index,
                          .held = reference->index < fold->durable[reference->member],
                          .true_ = true_};
    int64_t place = PLACE(LOG_NUMBER(fold->line, reference->member), reference->index);

    if (reference->member == author)
        return 0; /* one's own earlier entries come before by themselves, and on a later one nothing can rest */
    if (claim.held && look_up_depth(store, &claim, place, &fold->job.error) != 0)
        return -1;
    buffer_put(&fold->claims, &claim, sizeof claim);
    return 0;
}

static int look_up_references(struct fold_job *fold, struct store *store, const struct entry *entry,
                              struct fold_entry *found)
{
    int status = lookup_true_references(store, fold->line, entry, &found->true_references, &fold->job.error);

    for (unsigned i = 0; i < entry->header.reference_count && status == 0 && !fold->overtaken; i++)
        status = look_up_reference(fold, store, found->member, &entry->header.references[i],
                                   (found->true_references >> i & 1) != 0);
    return status;
}

static int keep_secret(struct fold_job *fold, struct store *store, const struct store_query *query,
                       struct fold_entry *found)
{
    struct store_result result = {0};
    int status = store_read(store, query, &result, &fold->job.error);

    if (status == 0 && result.count > 0) {
        found->secret_at = fold->secrets.size;
        found->secret_size = result.row[0].b[0].size;
        buffer_put_span(&fold->secrets, result.row[0].b[0]);
    }
    store_result_free(&result);
    return status;
}

const struct wrap *fold_wrap_for(const struct epoch *epoch, unsigned member)
{
    for (unsigned i = 0; i < epoch->wrap_count; i++)
        if (epoch->wrap[i].member == member)
            return &epoch->wrap[i];
    return NULL;
}

/* Of an epoch entry, the prekey that its wrap for us names. */
static int look_up_prekey(struct fold_job *fold, struct store *store, const struct entry *entry,
                          struct fold_entry *found)
{
    const struct line *line = fold->line;
    struct epoch epoch;
    const struct wrap *wrap = NULL;

    if (epoch_read(&epoch, entry->body, found->member, line->charter->member_count, NULL) != 0)
        return 0;
    wrap = fold_wrap_for(&epoch, line->me);
    if (wrap != NULL && wrap->source == WRAP_PREKEY) {
        struct store_query query = {.kind = STORE_PREKEY, .n = {line->number, found->member, (int64_t)wrap->number}};

        return keep_secret(fold, store, &query, found);
    }
    return 0;
}

/* Entries in a row are mostly of one epoch: then the secret is that of the one before. */
static bool same_secret(const struct fold_job *fold, const struct entry *entry, const struct fold_entry *before,
                        struct fold_entry *found)
{
    struct entry other;

    if (before == NULL || before->secret_size == 0 ||
        entry_parse(&other, before->bytes, before->member, fold->line->charter->member_count, NULL) != 0 ||
        other.header.class != ENTRY_SEALED || other.header.epoch != entry->header.epoch)
        return false;
    found->secret_at = before->secret_at;
    found->secret_size = before->secret_size;
    return true;
}

static int look_up_secret(struct fold_job *fold, struct store *store, const struct entry *entry,
                          const struct fold_entry *before, struct fold_entry *found)
{
    const struct line *line = fold->line;
    struct store_query query = {.kind = STORE_EPOCH,
                                .n = {LOG_NUMBER(line, found->member), (int64_t)entry->header.epoch}};

    if (entry->header.class == ENTRY_SEALED)
        return same_secret(fold, entry, before, found) ? 0 : keep_secret(fold, store, &query, found);
    if (entry->header.class != ENTRY_EPOCH || found->member == line->me)
        return 0;
    if (keep_secret(fold, store, &query, found) != 0)
        return -1;
    found->opened_before = found->secret_size > 0;
    return found->opened_before ? 0 : look_up_prekey(fold, store, entry, found);
}

static int look_up(struct fold_job *fold, struct store *store, const struct fold_entry *before,
                   struct fold_entry *found)
{
    struct entry entry;

    found->first_claim = fold->claims.size / sizeof(struct claim);
    if (entry_parse(&entry, found->bytes, found->member, fold->line->charter->member_count, NULL) != 0)
        return 0;
    fold->looked_up += entry.header.seen_count + entry.header.reference_count;
    for (unsigned i = 0; i < entry.header.seen_count && !fold->overtaken; i++)
        if (look_up_seen(fold, store, &entry.header.seen[i]) != 0)
            return -1;
    if (look_up_references(fold, store, &entry, found) != 0)
        return -1;
    found->claim_count = fold->claims.size / sizeof(struct claim) - found->first_claim;
    return look_up_secret(fold, store, &entry, before, found);
}

static int read_slice(struct fold_job *fold, struct store *store, struct fold_slice *slice)
{
    struct store_query query = {.kind = STORE_ENTRIES, .limit = FOLD_ROWS};

    query.n[0] = LOG_NUMBER(fold->line, slice->member);
    query.n[1] = (int64_t)slice->from;
    query.n[2] = (int64_t)fold->durable[slice->member];
    if (store_read(store, &query, &slice->rows, &fold->job.error) != 0)
        return -1;
    slice->entry = calloc(slice->rows.count + 1, sizeof slice->entry[0]);
    if (slice->entry == NULL)
        return error_set(&fold->job.error, ERROR_SYSTEM, "there is no memory left");
    slice->count = slice->rows.count;
    for (size_t i = 0; i < slice->count; i++) {
        const struct store_row *row = &slice->rows.row[i];

        slice->entry[i].member = slice->member;
        slice->entry[i].index = PLACE_INDEX(row->n[0]);
        slice->entry[i].received = (uint64_t)row->n[4];
        slice->entry[i].leaf = row->b[0];
        slice->entry[i].bytes = row->b[1];
    }
    return 0;
}

/* Where claims are many the slice ends early: batches wait for this job. */
static int look_up_slice(struct fold_job *fold, struct store *store, struct fold_slice *slice)
{
    size_t before = fold->looked_up;

    for (size_t i = 0; i < slice->count; i++) {
        if (fold->looked_up - before >= FOLD_CLAIMS)
            slice->count = i;
        else if (look_up(fold, store, i > 0 ? &slice->entry[i - 1] : NULL, &slice->entry[i]) != 0)
            return -1;
    }
    return 0;
}

int fold_look_up(struct office_job *job, struct store *store)
{
    struct fold_job *fold = (struct fold_job *)job;

    for (size_t s = 0; s < fold->slice_count; s++) {
        struct fold_slice *slice = &fold->slice[s];

        if ((!fold->overtaken && read_slice(fold, store, slice) != 0) || look_up_slice(fold, store, slice) != 0)
            return -1;
    }
    return buffer_failed(&fold->claims) || buffer_failed(&fold->secrets)
               ? error_set(&job->error, ERROR_SYSTEM, "there is no memory left")
               : 0;
}
