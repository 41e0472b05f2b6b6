/*
 * What the fold needs from the store, read on the store's thread: entries, the depths of those that others rest on,
 * roots, and sealed secrets. It touches the job's memory only.
 */
#include "office/fold.h"

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

static int look_up_reference(struct fold_job *fold, struct store *store, const struct reference *reference)
{
    struct claim claim = {.is_reference = true,
                          .member = reference->member,
                          .index = reference->index,
                          .held = reference->index < fold->durable[reference->member]};
    int64_t place = PLACE(LOG_NUMBER(fold->line, reference->member), reference->index);
    struct store_query query = {.kind = STORE_ENTRY, .n = {place}};
    struct store_result result = {0};

    if (reference->member == fold->member)
        return 0; /* one's own earlier entries come before by themselves, and on a later one nothing can rest */
    if (claim.held) {
        if (store_read(store, &query, &result, &fold->job.error) != 0 ||
            look_up_depth(store, &claim, place, &fold->job.error) != 0) {
            store_result_free(&result);
            return -1;
        }
        claim.true_ = result.count > 0 && span_equal(result.row[0].b[0], span_of(reference->leaf, HASH_SIZE));
        store_result_free(&result);
    }
    buffer_put(&fold->claims, &claim, sizeof claim);
    return 0;
}

static int keep_secret(struct fold_job *fold, struct store *store, const struct store_query *query,
                       struct slice_entry *entry)
{
    struct store_result result = {0};
    int status = store_read(store, query, &result, &fold->job.error);

    if (status == 0 && result.count > 0) {
        entry->secret_at = fold->secrets.size;
        entry->secret_size = result.row[0].b[0].size;
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

/* Of an epoch entry, the prekey that its wrap for us names; of a sealed one, its epoch's secret. */
static int look_up_secret(struct fold_job *fold, struct store *store, const struct entry *entry,
                          struct slice_entry *slice)
{
    const struct line *line = fold->line;
    struct store_query epoch_query = {.kind = STORE_EPOCH,
                                      .n = {LOG_NUMBER(line, fold->member), (int64_t)entry->header.epoch}};
    struct epoch epoch;
    const struct wrap *wrap = NULL;

    if (entry->header.class == ENTRY_SEALED) {
        /* Entries in a row are mostly of one epoch. */
        if (slice > fold->entry && slice[-1].secret_size > 0 && !slice[-1].opened_before) {
            struct entry before;

            if (entry_parse(&before, slice[-1].bytes, fold->member, line->charter->member_count, NULL) == 0 &&
                before.header.class == ENTRY_SEALED && before.header.epoch == entry->header.epoch) {
                slice->secret_at = slice[-1].secret_at;
                slice->secret_size = slice[-1].secret_size;
                return 0;
            }
        }
        return keep_secret(fold, store, &epoch_query, slice);
    }
    if (entry->header.class != ENTRY_EPOCH || fold->member == line->me)
        return 0;
    if (keep_secret(fold, store, &epoch_query, slice) != 0)
        return -1;
    slice->opened_before = slice->secret_size > 0;
    if (slice->opened_before || epoch_read(&epoch, entry->body, fold->member, line->charter->member_count, NULL) != 0)
        return 0;
    wrap = fold_wrap_for(&epoch, line->me);
    if (wrap != NULL && wrap->source == WRAP_PREKEY) {
        struct store_query query = {.kind = STORE_PREKEY, .n = {line->number, fold->member, (int64_t)wrap->number}};

        return keep_secret(fold, store, &query, slice);
    }
    return 0;
}

static int look_up(struct fold_job *fold, struct store *store, struct slice_entry *slice)
{
    struct entry entry;

    slice->first_claim = fold->claims.size / sizeof(struct claim);
    if (entry_parse(&entry, slice->bytes, fold->member, fold->line->charter->member_count, NULL) != 0)
        return 0;
    for (unsigned i = 0; i < entry.header.seen_count && !fold->overtaken; i++)
        if (look_up_seen(fold, store, &entry.header.seen[i]) != 0)
            return -1;
    for (unsigned i = 0; i < entry.header.reference_count && !fold->overtaken; i++)
        if (look_up_reference(fold, store, &entry.header.references[i]) != 0)
            return -1;
    return look_up_secret(fold, store, &entry, slice);
}

int fold_look_up(struct office_job *job, struct store *store)
{
    struct fold_job *fold = (struct fold_job *)job;
    struct store_query query = {.kind = STORE_ENTRIES, .limit = FOLD_ROWS};

    if (!fold->overtaken) {
        query.n[0] = LOG_NUMBER(fold->line, fold->member);
        query.n[1] = (int64_t)fold->from;
        query.n[2] = (int64_t)fold->durable[fold->member];
        if (store_read(store, &query, &fold->rows, &job->error) != 0)
            return -1;
        fold->count = fold->rows.count;
        for (size_t i = 0; i < fold->count; i++) {
            const struct store_row *row = &fold->rows.row[i];

            fold->entry[i].index = PLACE_INDEX(row->n[0]);
            fold->entry[i].received = (uint64_t)row->n[4];
            fold->entry[i].leaf = row->b[0];
            fold->entry[i].bytes = row->b[1];
        }
    }
    for (size_t i = 0; i < fold->count; i++)
        if (look_up(fold, store, &fold->entry[i]) != 0)
            return -1;
    return buffer_failed(&fold->claims) || buffer_failed(&fold->secrets)
               ? error_set(&job->error, ERROR_SYSTEM, "there is no memory left")
               : 0;
}
