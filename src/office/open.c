/*
 * From a store and a mark to an office, or to one that has stopped and says why (design rules 2 and 3).
 */
#include <stdio.h>
#include <stdlib.h>

#include "office/engine.h"

struct opening {
    struct office *office;
    struct store *store;
    const struct mark_state *mark;
    bool behind; /* the database, by more than a batch */
    struct error *error;
};

typedef int (*row_taker)(struct opening *opening, const struct store_row *row);

/* Hands every row of a query to `take`, page by page: the first parameter is where to go on. */
static int each_row(struct opening *opening, enum store_query_kind kind, row_taker take)
{
    struct store_query query = {.kind = kind};
    bool more = true;
    int status = 0;

    while (more && status == 0) {
        struct store_result result = {0};

        status = store_read(opening->store, &query, &result, opening->error);
        for (size_t i = 0; status == 0 && i < result.count; i++) {
            status = take(opening, &result.row[i]);
            query.n[0] = result.row[i].n[0] + 1;
        }
        more = result.more;
        store_result_free(&result);
    }
    return status;
}

static int damaged(struct opening *opening, const char *what)
{
    return error_set(opening->error, ERROR_STORAGE, "the database is damaged: %s is not as it should be", what);
}

/* --- the office's own facts --- */

static int get_meta(struct opening *opening, enum store_meta key, struct buffer *value)
{
    struct store_query query = {.kind = STORE_GET_META, .n = {key}};
    struct store_result result = {0};
    int status = store_read(opening->store, &query, &result, opening->error);

    if (status == 0 && result.count > 0)
        buffer_put_span(value, result.row[0].b[0]);
    store_result_free(&result);
    return status;
}

static int load_facts(struct opening *opening)
{
    struct office *office = opening->office;
    struct buffer id = {0};
    struct buffer card = {0};
    struct buffer kind = {0};
    struct buffer passphrase = {0};
    struct buffer last = {0};
    struct cursor cursor = {0};
    int result = -1;

    if (get_meta(opening, META_OFFICE, &id) != 0 || get_meta(opening, META_CARD, &card) != 0 ||
        get_meta(opening, META_KEY_KIND, &kind) != 0 || get_meta(opening, META_PASSPHRASE, &passphrase) != 0 ||
        get_meta(opening, META_MASTER, &office->master_sealed) != 0 ||
        get_meta(opening, META_IDENTITY, &office->identity_sealed) != 0 ||
        get_meta(opening, META_LAST_WALL, &last) != 0)
        goto out;
    if (id.size != OFFICE_ID_SIZE || office->master_sealed.size != OFFICE_KEY_SIZE + VAULT_OVERHEAD ||
        office->identity_sealed.size != sizeof(struct identity) + VAULT_OVERHEAD) {
        (void)damaged(opening, "what the office knows of itself");
        goto out;
    }
    memcpy(office->id, id.data, OFFICE_ID_SIZE);
    if (card_parse(&office->card, buffer_span(&card), NULL) != 0) {
        (void)damaged(opening, "the office's card");
        goto out;
    }
    office->passphrase = span_equal(buffer_span(&kind), span_of_string("passphrase"));
    if (!office->passphrase && !span_equal(buffer_span(&kind), span_of_string("file"))) {
        (void)damaged(opening, "the word for what unlocks the office");
        goto out;
    }
    cursor = cursor_of(buffer_span(&passphrase));
    if (office->passphrase) {
        cursor_copy(&cursor, office->passphrase_salt, PASSPHRASE_SALT_SIZE);
        office->passphrase_limits.operations = cursor_u32(&cursor);
        office->passphrase_limits.memory_kib = cursor_u32(&cursor);
        if (!cursor_done(&cursor)) {
            (void)damaged(opening, "how the passphrase is stretched");
            goto out;
        }
    }
    cursor = cursor_of(buffer_span(&last));
    office->last_receipt_time = last.size == 8 ? cursor_u64(&cursor) : 0;
    result = 0;
out:
    buffer_free(&id);
    buffer_free(&card);
    buffer_free(&kind);
    buffer_free(&passphrase);
    buffer_free(&last);
    return result;
}

/* --- store against mark --- */

/* Exactly one batch behind: the same bytes again, no question asked. */
static int replay(struct opening *opening)
{
    if (store_stage(opening->store, &opening->mark->operations, opening->error) != 0)
        return -1;
    return store_commit(opening->store, opening->mark->batch, opening->error);
}

static int compare_with_mark(struct opening *opening, const struct error *mark_error, bool *rewrite)
{
    struct office *office = opening->office;
    const struct mark_state *mark = opening->mark;
    uint64_t batch = store_batch_number(opening->store);

    *rewrite = false;
    if (mark == NULL) {
        (void)error_set(&office->stop, ERROR_STOPPED,
                        "the mark cannot be used: %s. Without it nobody can know whether this database is the newest; "
                        "nothing is signed",
                        mark_error != NULL ? mark_error->message : "it is missing");
    } else if (memcmp(mark->office, office->id, OFFICE_ID_SIZE) != 0) {
        (void)error_set(
            &office->stop, ERROR_STOPPED,
            "the mark belongs to another office. Put back this office's own mark; nothing is signed meanwhile");
    } else if (mark->batch == batch + 1) {
        if (replay(opening) != 0)
            return -1;
        batch = mark->batch;
    } else if (batch == mark->batch + 1) {
        *rewrite = true; /* the crash fell between the two syncs, and nothing had left */
    } else if (mark->batch > batch) {
        opening->behind = true;
        batch = mark->batch;
    } else if (batch > mark->batch) {
        (void)error_set(
            &office->stop, ERROR_STOPPED,
            "the mark is %llu batches older than the database: the mark was restored from a copy, or the office "
            "ran with another one. Nothing is signed",
            (unsigned long long)(batch - mark->batch));
    }
    office->batch = batch;
    return 0;
}

/* --- lines and logs --- */

static int take_line(struct opening *opening, const struct store_row *row)
{
    struct office *office = opening->office;
    struct line *line = NULL;

    if (office->line_count == OFFICE_LINES_MAX)
        return damaged(opening, "the number of lines");
    line = line_new(office, (uint32_t)row->n[0], row->b[0], row->b[2], opening->error);
    if (line == NULL)
        return -1;
    line->confirmed = row->n[2] != 0;
    line->left = row->n[3] != 0;
    buffer_put_span(&line->courier_sealed, row->b[3]);
    office->line[office->line_count++] = line;
    return 0;
}

static struct line *line_numbered(const struct office *office, int64_t number)
{
    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->number == number)
            return office->line[i];
    return NULL;
}

/* The newest head stored; `has_head` false if there is none. */
static int last_head(struct opening *opening, uint32_t log, struct head *head, bool *has_head)
{
    struct store_query query = {.kind = STORE_LAST_HEAD, .n = {log}};
    struct store_result result = {0};
    int status = store_read(opening->store, &query, &result, opening->error);

    *has_head = status == 0 && result.count > 0 && result.row[0].b[0].size == HASH_SIZE &&
                result.row[0].b[1].size == SIGNATURE_SIZE;
    if (*has_head) {
        head->size = (uint64_t)result.row[0].n[0];
        memcpy(head->root, result.row[0].b[0].data, HASH_SIZE);
        memcpy(head->signature, result.row[0].b[1].data, SIGNATURE_SIZE);
    }
    store_result_free(&result);
    return status;
}

/* The stored frontier must be that of the entries, and hash to the head signed last. */
static int check_log(struct opening *opening, const struct line *line, unsigned member,
                     const struct tree_frontier *frontier, const struct head *head)
{
    uint8_t root[HASH_SIZE];
    uint8_t again[HASH_SIZE];

    if (frontier->size == 0)
        return 0;
    tree_root(frontier, root);
    if (store_range_hash(opening->store, LOG_NUMBER(line, member), (struct tree_range){0, frontier->size}, again,
                         opening->error) != 0)
        return -1;
    if (memcmp(root, again, HASH_SIZE) == 0 &&
        (head == NULL || head->size != frontier->size || memcmp(root, head->root, HASH_SIZE) == 0))
        return 0;
    (void)error_set(&opening->office->stop, ERROR_STOPPED,
                    "what is stored of the log of %s on the line %s does not hash to what was signed: the disk is "
                    "broken, or the file was changed",
                    line->member[member].name, line->name);
    return 0;
}

/* Entries that may have been committed but never signed are read and hashed anew before they are. */
static int check_tail(struct opening *opening, const struct line *line, uint64_t from, uint64_t size)
{
    while (from < size) {
        struct store_query query = {.kind = STORE_ENTRIES,
                                    .n = {LOG_NUMBER(line, line->me), (int64_t)from, (int64_t)size}};
        struct store_result result = {0};
        int status = store_read(opening->store, &query, &result, opening->error);
        bool good = status == 0 && result.count > 0;

        for (size_t i = 0; good && i < result.count; i++) {
            uint8_t leaf[HASH_SIZE];

            tree_leaf(leaf, result.row[i].b[1]);
            good =
                PLACE_INDEX(result.row[i].n[0]) == from + i && span_equal(result.row[i].b[0], span_of(leaf, HASH_SIZE));
        }
        from += result.count;
        store_result_free(&result);
        if (status != 0)
            return -1;
        if (!good) {
            (void)error_set(
                &opening->office->stop, ERROR_STOPPED,
                "the last entries of this office's own log are damaged on the disk; they were never signed");
            return 0;
        }
    }
    return 0;
}

static int load_receipts(struct opening *opening, struct line *line, unsigned member,
                         const struct tree_frontier *frontier)
{
    struct store_query query = {.kind = STORE_LAST_RECEIPTS, .n = {LOG_NUMBER(line, member)}};
    struct store_result result = {0};
    int status = store_read(opening->store, &query, &result, opening->error);

    for (size_t i = 0; status == 0 && i < result.count; i++) {
        const struct store_row *row = &result.row[i];
        struct receipt receipt = {.by = (unsigned)row->n[0], .time = (uint64_t)row->n[2]};
        uint8_t root[HASH_SIZE];

        if (receipt.by >= line->charter->member_count || row->b[0].size != SIGNATURE_SIZE)
            continue;
        memcpy(receipt.signature, row->b[0].data, SIGNATURE_SIZE);
        /* One's own newest is at the end of what is durable, or it is not worth sending again. */
        if (receipt.by == line->me && (uint64_t)row->n[1] != frontier->size)
            continue;
        tree_root(frontier, root);
        sync_load_receipt(line->sync, member, (uint64_t)row->n[1], root, &receipt);
    }
    store_result_free(&result);
    return status;
}

/* Who left wrote that last. */
static int load_left(struct opening *opening, struct line *line, unsigned member, uint64_t size)
{
    struct store_query query = {.kind = STORE_ENTRY, .n = {PLACE(LOG_NUMBER(line, member), size - 1)}};
    struct store_result result = {0};
    int status = size == 0 ? 0 : store_read(opening->store, &query, &result, opening->error);

    line->member[member].left = status == 0 && result.count > 0 && result.row[0].n[1] == ENTRY_LEAVE;
    store_result_free(&result);
    return status;
}

static int load_depth(struct opening *opening, struct line *line, unsigned member)
{
    struct member *m = &line->member[member];
    struct store_query query = {.kind = STORE_FOLD};
    struct store_result result = {0};
    int status = 0;

    if (m->folded == 0)
        return 0;
    query.n[0] = PLACE(LOG_NUMBER(line, member), m->folded - 1);
    status = store_read(opening->store, &query, &result, opening->error);
    if (status == 0 && result.count > 0)
        m->depth = (uint64_t)result.row[0].n[1];
    else
        m->folded = 0; /* the cache is incomplete: it is made again */
    store_result_free(&result);
    return status;
}

/* What is used of its quota: a restart is no way around it. */
static int load_spent(struct opening *opening, struct line *line, unsigned member)
{
    struct store_query query = {.kind = STORE_SPENT, .n = {LOG_NUMBER(line, member)}};
    struct store_result result = {0};
    struct spent spent = {0};
    int status = store_read(opening->store, &query, &result, opening->error);

    if (status == 0 && result.count > 0) {
        const int64_t *n = result.row[0].n;

        spent = (struct spent){.entries = (uint64_t)n[0], .bytes = (uint64_t)n[1], .at = (uint64_t)n[2]};
        if (n[0] < 0 || n[1] < 0 || n[2] < 0)
            status = damaged(opening, "what is used of a quota");
    }
    store_result_free(&result);
    if (member == line->me)
        line->spent = line->spent_durable = spent;
    else
        sync_load_spent(line->sync, member, &spent);
    return status;
}

static int take_log(struct opening *opening, const struct store_row *row)
{
    struct line *line = line_numbered(opening->office, row->n[1]);
    unsigned member = (unsigned)row->n[2];
    struct tree_frontier frontier;
    struct head head;
    bool has_head = false;

    if (line == NULL || row->n[2] < 0 || member >= line->charter->member_count || row->n[3] != 0 ||
        row->n[0] != LOG_NUMBER(line, member))
        return damaged(opening, "the list of logs");
    memset(&frontier, 0, sizeof frontier);
    if ((row->b[0].size > 0 && tree_frontier_read(&frontier, row->b[0]) != 0) || frontier.size != (uint64_t)row->n[4])
        return damaged(opening, "the frontier of a log");
    if (last_head(opening, (uint32_t)row->n[0], &head, &has_head) != 0 ||
        check_log(opening, line, member, &frontier, has_head ? &head : NULL) != 0)
        return -1;
    if (member == line->me) {
        line->first = line->second = frontier;
        if (check_tail(opening, line, has_head && head.size <= frontier.size ? head.size : 0, frontier.size) != 0)
            return -1;
    }
    line->member[member].announced = (uint64_t)row->n[5];
    line->member[member].folded = (uint64_t)row->n[6];
    sync_load(line->sync, member, &frontier, has_head ? &head : NULL);
    if (load_spent(opening, line, member) != 0 || load_receipts(opening, line, member, &frontier) != 0 ||
        load_left(opening, line, member, frontier.size) != 0)
        return -1;
    return load_depth(opening, line, member);
}

/* --- keys and links --- */

static int take_link(struct opening *opening, const struct store_row *row)
{
    struct office *office = opening->office;
    struct line *line = line_numbered(office, row->n[1]);
    struct route *route = NULL;

    if (line == NULL || row->n[0] < 1 || row->n[0] > OFFICE_LINKS_MAX / 2 || row->n[2] < 0 ||
        row->n[2] >= (int64_t)line->charter->member_count || row->b[0].size >= ADDRESS_SIZE)
        return damaged(opening, "the list of links");
    route = &office->route[row->n[0] - 1];
    if (address_parse(&route->address, row->b[0], opening->error) != 0)
        return -1;
    route->used = true;
    route->number = (uint32_t)row->n[0];
    route->line = core_line_index(office, line);
    route->member = (unsigned)row->n[2];
    route->connection = -1;
    memcpy(route->text, row->b[0].data, row->b[0].size);
    if (office->route_count < (size_t)row->n[0])
        office->route_count = (size_t)row->n[0];
    return 0;
}

static int take_counter(struct opening *opening, const struct store_row *row)
{
    struct line *line = line_numbered(opening->office, row->n[0]);
    int index = line == NULL ? -1 : core_line_index(opening->office, line);

    if (line == NULL || row->n[1] < 0 || row->n[1] >= (int64_t)line->charter->member_count)
        return damaged(opening, "the list of counters");
    opening->office->counter_known[index][row->n[1]] = (uint64_t)row->n[2];
    opening->office->counter_sent[index][row->n[1]] = (uint64_t)row->n[2];
    opening->office->counter_received[index][row->n[1]] = (uint64_t)row->n[3];
    return 0;
}

static int take_evidence(struct opening *opening, const struct store_row *row)
{
    uint32_t log = (uint32_t)row->n[0];
    struct line *line = line_numbered(opening->office, (log - 1) / MEMBERS_MAX);
    unsigned member = (log - 1) % MEMBERS_MAX;

    if (line == NULL || member >= line->charter->member_count)
        return damaged(opening, "the list of evidence");
    evidence_known(opening->office, line, member);
    return 0;
}

static int take_pending(struct opening *opening, const struct store_row *row)
{
    uint32_t log = PLACE_LOG(row->n[0]);
    struct line *line = line_numbered(opening->office, (log - 1) / MEMBERS_MAX);
    unsigned member = (log - 1) % MEMBERS_MAX;
    struct overtaken *overtaken = calloc(1, sizeof *overtaken);

    if (overtaken == NULL)
        return error_set(opening->error, ERROR_SYSTEM, "there is no memory left");
    if (line == NULL || member >= line->charter->member_count || row->b[1].size != HASH_SIZE ||
        row->b[2].size != SIGNATURE_SIZE) {
        free(overtaken);
        return damaged(opening, "the list of overtaking entries");
    }
    overtaken->state = row->n[3] != 0 ? OVERTAKEN_SHOWN : OVERTAKEN_DURABLE;
    overtaken->said = row->n[2] != 0;
    overtaken->member = member;
    overtaken->index = PLACE_INDEX(row->n[0]);
    overtaken->head.size = (uint64_t)row->n[1];
    memcpy(overtaken->head.root, row->b[1].data, HASH_SIZE);
    memcpy(overtaken->head.signature, row->b[2].data, SIGNATURE_SIZE);
    overtaken->chunk = sync_chunk_new(overtaken->member, overtaken->index, 1);
    if (overtaken->chunk == NULL || sync_chunk_add(overtaken->chunk, row->b[0]) != 0) {
        sync_chunk_free(overtaken->chunk);
        free(overtaken);
        return error_set(opening->error, ERROR_SYSTEM, "there is no memory left");
    }
    sync_load(line->sync, overtaken->member, sync_frontier(line->sync, overtaken->member), &overtaken->head);
    overtaken->next = line->overtaken;
    line->overtaken = overtaken;
    return 0;
}

static int load_offered(struct opening *opening, struct line *line, unsigned member)
{
    struct store_query query = {.kind = STORE_OFFERED, .n = {line->number, member}};
    struct store_result result = {0};
    int status = store_read(opening->store, &query, &result, opening->error);
    struct member *m = &line->member[member];

    for (size_t i = 0; status == 0 && i < result.count && m->offered_count < OFFERED_MAX; i++) {
        if (result.row[i].b[0].size == 0)
            m->offered_used = (uint64_t)result.row[i].n[0] + 1;
        if (result.row[i].b[0].size != DH_SIZE)
            continue;
        m->offered[m->offered_count].id = (uint64_t)result.row[i].n[0];
        memcpy(m->offered[m->offered_count++].key, result.row[i].b[0].data, DH_SIZE);
    }
    store_result_free(&result);
    return status;
}

static int load_line(struct opening *opening, struct line *line)
{
    struct store_query stock = {.kind = STORE_PREKEY_STOCK, .n = {line->number}};
    struct store_query epoch = {.kind = STORE_LAST_EPOCH, .n = {LOG_NUMBER(line, line->me)}};
    struct store_query inbox = {.kind = STORE_INBOX_COUNT, .n = {line->number}};
    struct store_result result = {0};
    int status = store_read(opening->store, &stock, &result, opening->error);

    for (size_t i = 0; status == 0 && i < result.count; i++) {
        int64_t author = result.row[i].n[0];

        if (author < 0 || author >= (int64_t)line->charter->member_count)
            continue;
        line->member[author].prekey_stock = (unsigned)result.row[i].n[1];
        line->member[author].prekey_next = (uint64_t)result.row[i].n[2] + 1;
    }
    store_result_free(&result);
    for (unsigned i = 0; i < line->charter->member_count; i++) /* what was due when it ended is due again */
        line->prekeys_due |= i != line->me && line->member[i].prekey_stock < PREKEY_LOW;
    if (status == 0)
        status = store_read(opening->store, &epoch, &result, opening->error);
    if (status == 0 && result.count > 0) {
        line->epoch = (uint64_t)result.row[0].n[0];
        for (unsigned i = 0; i < line->charter->member_count; i++)
            line->member[i].forward = result.row[0].n[2] != 0;
    }
    store_result_free(&result);
    if (status == 0)
        status = store_read(opening->store, &inbox, &result, opening->error);
    if (status == 0 && result.count > 0)
        line->inbox = (uint64_t)result.row[0].n[0];
    store_result_free(&result);
    for (unsigned i = 0; i < line->charter->member_count && status == 0; i++)
        if (i != line->me)
            status = load_offered(opening, line, i);
    return status;
}

/* Lines whose prekeys are still to be voided, since the office was restored. One may be named that is not here: it was
 * being joined again when the office ended, and will be once more. */
static int load_void(struct opening *opening)
{
    struct buffer restored = {0};
    struct cursor cursor = {0};
    int status = get_meta(opening, META_RESTORED, &restored);

    opening->office->restore_noted = restored.size > 0;
    cursor = cursor_of(buffer_span(&restored));
    while (status == 0 && cursor.left > 0) {
        struct line *line = line_numbered(opening->office, cursor_u32(&cursor));

        if (cursor.failed)
            status = damaged(opening, "the list of lines that were restored");
        else if (line != NULL)
            line->prekeys_void = line->prekeys_due = true;
    }
    buffer_free(&restored);
    return status;
}

static int load_all(struct opening *opening)
{
    struct office *office = opening->office;

    if (each_row(opening, STORE_ALL_LINES, take_line) != 0 || each_row(opening, STORE_ALL_LOGS, take_log) != 0 ||
        each_row(opening, STORE_ALL_LINKS, take_link) != 0 ||
        each_row(opening, STORE_ALL_COUNTERS, take_counter) != 0 ||
        each_row(opening, STORE_ALL_PENDING, take_pending) != 0 ||
        each_row(opening, STORE_ALL_EVIDENCE, take_evidence) != 0)
        return -1;
    if (opening->mark != NULL)
        restore_keep(office, &opening->mark->operations);
    if (opening->behind && restore_from_mark(office, opening->store, opening->mark, opening->error) != 0)
        return -1;
    for (size_t i = 0; i < office->line_count; i++)
        if (load_line(opening, office->line[i]) != 0)
            return -1;
    if (load_void(opening) != 0)
        return -1;
    return restore_compare(office, opening->store, opening->mark, opening->error);
}

struct office *office_open(struct store *store, const struct mark_state *mark, const struct error *mark_error,
                           const struct office_config *config, bool *rewrite_mark, struct error *error)
{
    struct office *office = calloc(1, sizeof *office);
    struct opening opening = {.office = office, .store = store, .mark = mark, .error = error};

    if (office == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
        return NULL;
    }
    office->config = *config;
    office->space = store_space(store);
    if (load_facts(&opening) != 0 || compare_with_mark(&opening, mark_error, rewrite_mark) != 0 ||
        load_all(&opening) != 0) {
        office_free(office);
        return NULL;
    }
    office->state = OFFICE_LOCKED;
    return office;
}

void office_free(struct office *office)
{
    struct office_event event;
    struct office_job *job = NULL;

    if (office == NULL)
        return;
    while (office_job(office, &job))
        job->release(job);
    while (office->deferred != NULL) {
        struct deferred *deferred = office->deferred;

        office->deferred = deferred->next;
        office_event_free(&deferred->event);
        free(deferred);
    }
    while (office->gated != NULL) {
        struct gated *gated = office->gated;

        office->gated = gated->next;
        gated->job->release(gated->job);
        free(gated);
    }
    while (office_event(office, &event))
        office_event_free(&event);
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        channel_free(office->connection[i].channel);
    channel_door_free(office->door);
    for (size_t i = 0; i < office->line_count; i++)
        line_free(office->line[i]);
    store_batch_free(&office->lazy);
    store_batch_free(&office->last_own);
    free(office->lost);
    buffer_free(&office->master_sealed);
    buffer_free(&office->identity_sealed);
    secret_free(office->master);
    secret_free(office->identity);
    secret_wipe(office, sizeof *office);
    free(office);
}

int office_mark(const struct office *office, struct buffer *content, struct error *error)
{
    struct mark_log *logs = NULL;
    size_t count = 0;
    int result = commit_mark_logs(office, &logs, &count);

    if (result != 0)
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
    else
        result = mark_encode(content, office->id, office->batch, logs, count, &office->last_own, error);
    free(logs);
    return result;
}

/* --- unlocking --- */

static int open_vault(struct office *office, const uint8_t key[static OFFICE_KEY_SIZE], struct error *error)
{
    struct vault_context context;

    office->master = secret_new(OFFICE_KEY_SIZE);
    office->identity = secret_new(sizeof *office->identity);
    if (office->master == NULL || office->identity == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left that can be locked");
    if (vault_open(office->master, OFFICE_KEY_SIZE, key,
                   vault_context(&context, office->id, VAULT_MASTER, NULL, 0, 0, 0),
                   buffer_span(&office->master_sealed), NULL) != 0)
        return error_set(error, ERROR_MISMATCH, "%s does not open this office",
                         office->passphrase ? "that passphrase" : "that key file");
    if (vault_open(office->identity, sizeof *office->identity, office->master,
                   vault_context(&context, office->id, VAULT_IDENTITY, NULL, 0, 0, 0),
                   buffer_span(&office->identity_sealed), error) != 0)
        return -1;
    if (!card_is_of(&office->card, office->identity))
        return error_set(error, ERROR_STORAGE, "the database is damaged: the card is not of the keys");
    for (size_t i = 0; i < office->line_count; i++)
        if (line_unlock(office, office->line[i], error) != 0)
            return -1;
    office->door = channel_door_new(office->identity->link_secret, &office->entropy);
    if (office->door == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left that can be locked");
    links_know_lines(office);
    return 0;
}

static void lock_again(struct office *office)
{
    for (size_t i = 0; i < office->line_count; i++) {
        secret_free(office->line[i]->secret);
        office->line[i]->secret = NULL;
    }
    channel_door_free(office->door);
    office->door = NULL;
    secret_free(office->master);
    secret_free(office->identity);
    office->master = NULL;
    office->identity = NULL;
}

int office_unlock_key(struct office *office, const uint8_t key[static OFFICE_KEY_SIZE], struct now now,
                      struct error *error)
{
    struct office_event event = {.kind = OFFICE_STATE};

    office->now = now;
    if (office->state != OFFICE_LOCKED)
        return error_set(error, ERROR_REFUSED, "the office is not locked");
    if (open_vault(office, key, error) != 0) {
        lock_again(office);
        return -1;
    }
    office->state = office->stop.code != ERROR_NONE ? OFFICE_STOPPED : OFFICE_READY;
    core_event(office, &event);
    if (office->state != OFFICE_READY)
        return 0;
    restore_begin(office);
    for (size_t i = 0; i < office->line_count; i++) {
        if (!office->line[i]->asking)
            heads_begin(office, office->line[i]);
        heads_receipt_again(office, office->line[i]);
        append_due_prekeys(office, office->line[i]);
    }
    links_start(office);
    core_turn(office);
    return 0;
}

int office_unlock_passphrase(struct office *office, struct span passphrase, struct now now, struct error *error)
{
    uint8_t key[OFFICE_KEY_SIZE];
    int result = -1;

    if (!office->passphrase)
        return error_set(error, ERROR_REFUSED, "this office is opened by a key file, not by a passphrase");
    if (passphrase_key(key, passphrase, office->passphrase_salt, office->passphrase_limits, error) == 0)
        result = office_unlock_key(office, key, now, error);
    secret_wipe(key, sizeof key);
    return result;
}
