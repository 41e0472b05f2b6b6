/*
 * An office whose database is older than its mark: it was restored from a copy. On each line where its own log is not
 * what the mark knows it signs nothing, asks the other members for that log, proves every entry against the root in the
 * mark, and goes on where it was (design rule 3). What the mark's last batch holds need not be anywhere else.
 *
 * Invariants:
 * 1. No line signs a head or an entry while it is asking, but the head that the mark knows, which it had signed.
 * 2. A line is asking exactly while its own log is shorter than `known` of it, which the mark keeps meanwhile: a
 * restart changes nothing.
 * 3. The first entry afterwards voids the prekeys published before: secrets of some are lost, of others back again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "office/engine.h"

/* --- at the start --------------------------------------------------------------------------------------------------
 */

static struct line *line_of_log(const struct office *office, int64_t place)
{
    int64_t number = (PLACE_LOG(place) - 1) / MEMBERS_MAX;

    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->number == number)
            return office->line[i];
    return NULL;
}

/* What may be put into any later state of the database, or any earlier one, without harm: own entries, which are not
 * counted by that, and what they need. */
static bool is_of_use(const struct office *office, const struct store_op *op)
{
    if (!op->own)
        return false;
    if (op->kind == STORE_PUT_ENTRY)
        return line_of_log(office, op->n[0]) != NULL;
    if (op->kind == STORE_PUT_EPOCH)
        return line_of_log(office, PLACE(op->n[0], 0)) != NULL;
    return op->kind == STORE_PUT_TOKEN && line_of_log(office, PLACE(op->n[0] * MEMBERS_MAX + 1, 0)) != NULL;
}

void restore_keep(struct office *office, const struct store_batch *batch)
{
    store_batch_free(&office->last_own);
    for (size_t i = 0; i < batch->count; i++)
        if (is_of_use(office, &batch->op[i]))
            store_batch_put(&office->last_own, &batch->op[i]);
    if (office->last_own.failed) /* the marks go without, as they would if others held it all */
        store_batch_free(&office->last_own);
}

/* The line whose log, or whose token, an operation of use puts something into. */
static struct line *line_of_op(const struct office *office, const struct store_op *op)
{
    if (op->kind == STORE_PUT_ENTRY)
        return line_of_log(office, op->n[0]);
    return line_of_log(office, op->kind == STORE_PUT_EPOCH ? PLACE(op->n[0], 0) : PLACE(op->n[0] * MEMBERS_MAX + 1, 0));
}

/* Whether a line's entries go up to the size in the mark. If not they are of another line: a copy may be of a time in
 * which its number was given to this one. */
static bool is_its_end(const struct line *line, const struct store_batch *batch, const struct mark_state *mark)
{
    uint64_t end = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->op[i].kind == STORE_PUT_ENTRY && PLACE_LOG(batch->op[i].n[0]) == LOG_NUMBER(line, line->me))
            end = PLACE_INDEX(batch->op[i].n[0]) + 1;
    for (size_t i = 0; i < mark->log_count; i++)
        if (mark->log[i].member == line->me && memcmp(mark->log[i].line_id, line->charter->line_id, HASH_SIZE) == 0)
            return mark->log[i].size == end;
    return false;
}

static void drop_other_lines(struct office *office, const struct mark_state *mark)
{
    struct store_batch kept = {0};

    for (size_t i = 0; i < office->last_own.count; i++)
        if (is_its_end(line_of_op(office, &office->last_own.op[i]), &office->last_own, mark))
            store_batch_put(&kept, &office->last_own.op[i]);
    kept.failed |= office->last_own.failed;
    store_batch_free(&office->last_own);
    office->last_own = kept;
}

int restore_from_mark(struct office *office, struct store *store, const struct mark_state *mark, struct error *error)
{
    drop_other_lines(office, mark);
    if (office->last_own.failed)
        return append_no_memory(error);
    if (store_stage(store, &office->last_own, error) != 0)
        return -1;
    office->restored = true;
    store_skip_to(store, mark->batch);
    return store_commit(store, mark->batch, error);
}

/* What lies beyond a log's size was put there by restore_from_mark(); it is of use if it goes up to the end. */
static int load_tail(struct line *line, struct store *store, struct error *error)
{
    const struct known *known = &line->known[line->me];
    struct store_query query = {.kind = STORE_ENTRIES,
                                .n = {LOG_NUMBER(line, line->me), (int64_t)line->second.size, (int64_t)known->size}};
    bool more = true;
    int status = 0;

    while (more && status == 0) {
        struct store_result result = {0};

        status = store_read(store, &query, &result, error);
        for (size_t i = 0; status == 0 && i < result.count; i++) {
            uint64_t index = PLACE_INDEX(result.row[i].n[0]);

            if (line->tail != NULL && index != line->tail->first + line->tail->count) {
                sync_chunk_free(line->tail);
                line->tail = NULL;
            }
            if (line->tail == NULL)
                line->tail = sync_chunk_new(line->me, index, 1);
            if (line->tail == NULL || sync_chunk_add(line->tail, result.row[i].b[1]) != 0)
                status = append_no_memory(error);
            query.n[1] = (int64_t)index + 1;
        }
        more = result.more;
        store_result_free(&result);
    }
    if (line->tail != NULL && line->tail->first + line->tail->count != known->size) {
        sync_chunk_free(line->tail);
        line->tail = NULL;
    }
    return status;
}

static struct line *line_with_id(const struct office *office, const uint8_t line_id[static HASH_SIZE])
{
    for (size_t i = 0; i < office->line_count; i++)
        if (memcmp(office->line[i]->charter->line_id, line_id, HASH_SIZE) == 0)
            return office->line[i];
    return NULL;
}

static int compare_own(struct office *office, struct line *line, struct store *store, struct error *error)
{
    const struct known *known = &line->known[line->me];
    uint8_t root[HASH_SIZE];

    tree_root(&line->second, root);
    if (line->second.size == known->size && memcmp(root, known->root, HASH_SIZE) != 0)
        (void)error_set(&office->stop, ERROR_STOPPED,
                        "this office's own log on the line %s is not the one its mark knows; nothing is signed",
                        line->name);
    line->asking = line->second.size < known->size;
    if (!line->asking)
        return 0;
    line->prekeys_void = line->prekeys_due = true;
    return load_tail(line, store, error);
}

int restore_compare(struct office *office, struct store *store, const struct mark_state *mark, struct error *error)
{
    if (mark == NULL || office->stop.code != ERROR_NONE)
        return 0;
    office->lost = calloc(mark->log_count + 1, sizeof *office->lost);
    if (office->lost == NULL)
        return append_no_memory(error);
    for (size_t i = 0; i < mark->log_count; i++) {
        const struct mark_log *log = &mark->log[i];
        struct line *line = line_with_id(office, log->line_id);

        if (line == NULL) {
            office->lost[office->lost_count++] = *log;
            continue;
        }
        if (log->member >= line->charter->member_count)
            return error_set(error, ERROR_STORAGE,
                             "the mark is damaged: it knows a member that the line %s does not have", line->name);
        line->known[log->member].size = log->size;
        memcpy(line->known[log->member].root, log->root, HASH_SIZE);
    }
    for (size_t i = 0; i < office->line_count; i++)
        if (compare_own(office, office->line[i], store, error) != 0)
            return -1;
    return 0;
}

/* --- lines that the database has lost altogether -------------------------------------------------------------------
 */

bool restore_is_lost(const struct office *office, const uint8_t line_id[static HASH_SIZE])
{
    for (size_t i = 0; i < office->lost_count; i++)
        if (memcmp(office->lost[i].line_id, line_id, HASH_SIZE) == 0)
            return true;
    return false;
}

void restore_found_again(struct office *office, struct line *line)
{
    size_t kept = 0;

    for (size_t i = 0; i < office->lost_count; i++) {
        const struct mark_log *log = &office->lost[i];

        if (memcmp(log->line_id, line->charter->line_id, HASH_SIZE) != 0) {
            office->lost[kept++] = *log;
            continue;
        }
        if (log->member >= line->charter->member_count)
            continue;
        line->known[log->member].size = log->size;
        memcpy(line->known[log->member].root, log->root, HASH_SIZE);
    }
    office->lost_count = kept;
    line->asking = line->known[line->me].size > 0;
    line->prekeys_void = line->prekeys_due = line->asking;
}

/* --- asking --------------------------------------------------------------------------------------------------------
 */

static void say_state(struct office *office)
{
    office->asking[0] = 0;
    for (size_t i = 0; i < office->line_count; i++) {
        const struct line *line = office->line[i];

        if (!line->asking)
            continue;
        (void)snprintf(office->asking, sizeof office->asking,
                       "it was restored from a copy and asks the other members of the line %s for its own log: %llu of "
                       "%llu entries are here. Nothing is signed on that line until it is whole; what others send is "
                       "received",
                       line->name, (unsigned long long)line->second.size,
                       (unsigned long long)line->known[line->me].size);
        return;
    }
    for (size_t i = 0; i < office->lost_count; i++)
        if (office->lost[i].size > 0)
            (void)snprintf(office->asking, sizeof office->asking,
                           "it was restored from a copy that lacks a line which this office had joined: join it again "
                           "with `liaison line join`, its charter and its courier key. Its own log is then asked for, "
                           "and no number in it is given twice");
}

static void tell_state(struct office *office)
{
    struct office_event event = {.kind = OFFICE_STATE};

    say_state(office);
    core_event(office, &event);
}

/* What was signed before: that own log had this size and root. Ed25519 gives the same signature for it. */
static void sign_known(const struct office *office, const struct line *line, struct head *head)
{
    const struct known *known = &line->known[line->me];

    *head = (struct head){.size = known->size};
    memcpy(head->root, known->root, HASH_SIZE);
    head_sign(head, line->member[line->me].origin, office->identity->log_secret);
}

/* Others' logs that this office has receipted must become again what they were. */
static void await_known(struct line *line)
{
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct head head = {.size = line->known[i].size};

        memcpy(head.root, line->known[i].root, HASH_SIZE);
        if (i != line->me)
            sync_await(line->sync, i, &head);
    }
}

/* The own log is whole: everything goes on as after any start. */
static void go_on(struct office *office, struct line *line)
{
    line->asking = false;
    sync_chunk_free(line->tail);
    line->tail = NULL;
    line->appended = line->first.size;
    line->has_epoch = false;
    sync_resume(line->sync);
    heads_begin(office, line);
    core_log(office, "the own log of this office on the line %s is whole again: %llu entries. It goes on", line->name,
             (unsigned long long)line->second.size);
    append_due_prekeys(office, line);
    append_unreadable(office, line);
    tell_state(office);
}

/* Gives sync what the mark's last batch holds, once what comes before it is here. */
static void give_tail(struct office *office, struct line *line)
{
    const struct known *known = &line->known[line->me];
    const struct tree_frontier *staged = sync_staged(line->sync, line->me);
    struct sync_chunk *chunk = NULL;
    uint8_t root[HASH_SIZE];
    bool ok = true;

    if (line->tail == NULL || line->tail->first > staged->size || staged->size >= known->size)
        return;
    chunk = sync_chunk_new(line->me, staged->size, (size_t)(known->size - staged->size));
    if (chunk == NULL)
        return; /* the next entries of others, or the next start, try again */
    chunk->after = *staged;
    for (size_t i = (size_t)(staged->size - line->tail->first); i < line->tail->count && ok; i++) {
        ok = sync_chunk_add(chunk, sync_chunk_entry(line->tail, i)) == 0;
        if (ok)
            tree_append(&chunk->after, chunk->leaf[chunk->count - 1]);
    }
    tree_root(&chunk->after, root);
    if (ok && memcmp(root, known->root, HASH_SIZE) != 0)
        core_stop(office, ERROR_STOPPED,
                  "the last entries in the mark do not lead to the root in it, on the line %s; nothing is signed",
                  line->name);
    sign_known(office, line, &chunk->head);
    if (!ok || office->state != OFFICE_READY || sync_found(line->sync, chunk) != 0)
        sync_chunk_free(chunk);
}

void restore_ask(struct office *office, struct line *line)
{
    struct store_op restored = {.kind = STORE_PUT_META, .n = {META_RESTORED}};
    struct buffer lines = {0};
    struct head head;

    /* In the store before the log can be whole: a crash then does not forget it. */
    restore_put_void(office, NULL, &lines);
    restored.b[0] = buffer_span(&lines);
    core_lazy(office, &restored);
    office->hurry = true;
    if (buffer_failed(&lines))
        core_spoil(office);
    buffer_free(&lines);
    sign_known(office, line, &head);
    sync_ask(line->sync, &head);
    await_known(line);
    core_log(
        office,
        "this office was restored from a copy: of its own log on the line %s %llu of %llu entries are here. It asks "
        "the other members for the rest, and signs nothing on that line until it is whole",
        line->name, (unsigned long long)line->second.size, (unsigned long long)head.size);
    tell_state(office);
    give_tail(office, line);
}

/* Counters up to now are passed, but no more of them than a member's lead makes good: the clock may be years ahead, and
 * nobody would get in for as long. */
static uint64_t passed_counter(const struct office *office, uint64_t received)
{
    uint64_t receipt = office->last_receipt_time * SECOND_US;
    uint64_t last = received > receipt ? received : receipt;

    return last > 0 && office->now.wall.us > last + COUNTER_LEAD_MAX_US ? last + COUNTER_LEAD_MAX_US
                                                                        : office->now.wall.us;
}

/* What was received since the copy was made is not known: no handshake from before now is answered, so that what a
 * stranger recorded draws no byte. Members whose clocks are behind get in after some attempts (spec/link.md, Counter).
 * The start before may have ended before this was durable. */
static void pass_counters(struct office *office)
{
    bool due = office->restored;

    for (size_t l = 0; l < office->line_count; l++)
        due |= office->line[l]->asking && !office->restore_noted;
    if (!due)
        return;
    office->hurry = true;
    for (size_t l = 0; l < office->line_count; l++)
        for (unsigned i = 0; i < office->line[l]->charter->member_count; i++) {
            struct store_op op = {.kind = STORE_PUT_COUNTER, .n = {office->line[l]->number, i}};
            uint64_t *received = &office->counter_received[l][i];
            uint64_t passed = passed_counter(office, *received);

            if (*received >= passed)
                continue;
            *received = passed;
            op.n[3] = (int64_t)passed;
            core_lazy(office, &op);
        }
}

void restore_begin(struct office *office)
{
    pass_counters(office);
    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->asking)
            restore_ask(office, office->line[i]);
    say_state(office);
}

void restore_check(struct office *office, struct line *line)
{
    const struct known *known = &line->known[line->me];
    const struct head *head = sync_head(line->sync, line->me);

    if (line->asking && head != NULL && head->size > known->size)
        core_stop(
            office, ERROR_STOPPED,
            "a head of %llu entries is shown that this office signed on the line %s, and its mark knows %llu: the "
            "mark was restored from a copy, too, or the office ran twice. Nothing is signed",
            (unsigned long long)head->size, line->name, (unsigned long long)known->size);
}

/* --- what the own entries say of what was lost: in the store with them, since a crash may come next ------------------
 */

/* No number of a prekey is given twice: the last one stands there without its secret, as one that was used. */
static void put_prekeys(struct line *line, const struct entry *entry, struct store_batch *batch)
{
    struct prekeys *prekeys = malloc(sizeof *prekeys);

    batch->failed |= prekeys == NULL;
    if (prekeys != NULL && prekeys_read(prekeys, entry->body, line->me, line->charter->member_count, NULL) == 0)
        for (unsigned i = 0; i < prekeys->count; i++) {
            unsigned author = prekeys->batch[i].author;
            uint64_t next = prekeys->batch[i].first + prekeys->batch[i].keys;
            struct store_op op = {.kind = STORE_PUT_PREKEY, .n = {line->number, author, (int64_t)next - 1}};

            if (next <= line->member[author].prekey_next)
                continue;
            line->member[author].prekey_next = next;
            store_batch_put(batch, &op);
        }
    free(prekeys);
}

static void put_used(struct line *line, const struct wrap *wrap, struct store_batch *batch)
{
    struct member *member = &line->member[wrap->member];
    struct store_op op = {.kind = STORE_DROP_OFFERED, .n = {line->number, wrap->member, (int64_t)wrap->number}};
    unsigned used = 0;

    if (wrap->source != WRAP_PREKEY || wrap->number < member->offered_used)
        return;
    member->offered_used = wrap->number + 1;
    while (used < member->offered_count && member->offered[used].id <= wrap->number)
        used++;
    member->offered_count -= used;
    memmove(&member->offered[0], &member->offered[used], member->offered_count * sizeof member->offered[0]);
    store_batch_put(batch, &op);
}

/* No epoch is begun twice, though its secret is lost, and no prekey of another used twice. */
static void put_epoch(struct line *line, const struct entry *entry, uint64_t index, struct store_batch *batch)
{
    struct store_op op = {.kind = STORE_PUT_EPOCH,
                          .n = {LOG_NUMBER(line, line->me), (int64_t)entry->header.epoch, (int64_t)index}};
    struct epoch epoch;

    if (entry->header.epoch > line->epoch) {
        line->epoch = entry->header.epoch;
        store_batch_put(batch, &op);
    }
    if (epoch_read(&epoch, entry->body, line->me, line->charter->member_count, NULL) == 0)
        for (unsigned i = 0; i < epoch.wrap_count; i++)
            put_used(line, &epoch.wrap[i], batch);
}

static void put_leave(struct line *line, struct store_batch *batch)
{
    struct store_op op = {.kind = STORE_SET_LINE, .n = {line->number, line->confirmed, 1}};

    line->left = line->member[line->me].left = true;
    store_batch_put(batch, &op);
}

void restore_put(struct line *line, const struct sync_chunk *chunk, struct store_batch *batch)
{
    for (size_t i = 0; i < chunk->count; i++) {
        struct entry entry;

        if (entry_parse(&entry, sync_chunk_entry(chunk, i), line->me, line->charter->member_count, NULL) != 0)
            continue;
        if (entry.header.class == ENTRY_PREKEYS)
            put_prekeys(line, &entry, batch);
        else if (entry.header.class == ENTRY_EPOCH)
            put_epoch(line, &entry, chunk->first + i, batch);
        else if (entry.header.class == ENTRY_LEAVE)
            put_leave(line, batch);
    }
}

void restore_took(struct office *office, struct line *line, const struct sync_chunk *chunk)
{
    line->first = line->second = chunk->after;
    say_state(office);
    restore_check(office, line);
    if (office->state != OFFICE_READY)
        return;
    /* Its root is that of the mark: sync awaits it. */
    if (chunk->after.size == line->known[line->me].size)
        go_on(office, line);
    else
        give_tail(office, line);
}

void restore_put_void(const struct office *office, const struct line *except, struct buffer *out)
{
    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->prekeys_void && office->line[i] != except)
            buffer_put_u32(out, office->line[i]->number);
}
