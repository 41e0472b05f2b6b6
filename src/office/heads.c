/*
 * Heads and receipts: signed over what is durable, and stored when there is time. Most are outdated before they need
 * be: of the passing ones the newest alone is noted, those of settle heads are kept.
 */
#include "office/engine.h"

/* The spans lie in the head. */
static void fill(struct store_op *op, uint32_t log, const struct head *head, bool settle)
{
    op->n[0] = log;
    op->n[1] = (int64_t)head->size;
    op->n[2] = settle;
    op->b[0] = span_of(head->root, HASH_SIZE);
    op->b[1] = span_of(head->signature, SIGNATURE_SIZE);
}

void heads_put(struct store_batch *batch, uint32_t log, const struct head *head, bool settle)
{
    struct store_op op = {.kind = STORE_PUT_HEAD};

    fill(&op, log, head, settle);
    store_batch_put(batch, &op);
}

static void put_receipt(struct store_batch *batch, uint32_t log, uint64_t size, const struct receipt *receipt)
{
    struct store_op op = {.kind = STORE_PUT_RECEIPT};
    struct store_op drop = {.kind = STORE_DROP_RECEIPTS};

    op.n[0] = log;
    op.n[1] = receipt->by;
    op.n[2] = (int64_t)size;
    op.n[3] = (int64_t)receipt->time;
    op.b[0] = span_of(receipt->signature, SIGNATURE_SIZE);
    store_batch_put(batch, &op);
    drop.n[0] = log;
    drop.n[1] = receipt->by;
    drop.n[2] = (int64_t)size;
    store_batch_put(batch, &drop);
}

/* --- stored lazily --- */

static void receipt_lazily(struct office *office, struct line *line, unsigned member, const struct noted_receipt *noted)
{
    struct store_batch operations = {0};

    put_receipt(&operations, LOG_NUMBER(line, member), noted->size, &noted->receipt);
    for (size_t i = 0; i < operations.count; i++)
        core_lazy(office, &operations.op[i]);
    store_batch_free(&operations);
}

static void store_noted(struct office *office, struct line *line, unsigned member, uint64_t below)
{
    for (unsigned by = 0; by < line->charter->member_count; by++) {
        struct noted_receipt *noted = &line->member[member].noted[by];

        if (noted->size == 0 || noted->size > below)
            continue;
        receipt_lazily(office, line, member, noted);
        noted->size = 0;
    }
}

void heads_note_receipt(struct office *office, struct line *line, unsigned member, uint64_t size,
                        const struct receipt *receipt)
{
    struct noted_receipt *noted = &line->member[member].noted[receipt->by];
    struct noted_receipt now = {.size = size, .receipt = *receipt};

    if (size <= line->member[member].settle)
        receipt_lazily(office, line, member, &now);
    else if (size > noted->size)
        *noted = now;
    core_note(office);
}

void heads_set_settle(struct office *office, struct line *line, unsigned member, uint64_t size)
{
    line->member[member].settle = size;
    store_noted(office, line, member, size);
}

void heads_keep_settle(struct office *office, struct line *line, unsigned member, const struct head *head)
{
    struct store_op op = {.kind = STORE_PUT_HEAD};

    heads_set_settle(office, line, member, head->size);
    fill(&op, LOG_NUMBER(line, member), head, true);
    core_lazy(office, &op);
}

/* What was noted of a log becomes operations among those that may wait. */
static void take_notes_of(struct office *office, struct line *line, unsigned number)
{
    struct member *member = &line->member[number];
    const struct head *head = sync_head(line->sync, number);
    int64_t log = LOG_NUMBER(line, number);
    struct store_op folded = {.kind = STORE_SET_FOLDED,
                              .n = {log, (int64_t)member->announced, (int64_t)order_is_final(line, number)}};
    struct store_op drop = {.kind = STORE_DROP_HEADS, .n = {log, (int64_t)member->newest_head}};

    if (number == line->me && member->newest_head > 0 && head != NULL)
        heads_put(&office->lazy, LOG_NUMBER(line, number), head, false);
    if (member->newest_head > 0)
        store_batch_put(&office->lazy, &drop);
    if (member->folded_noted)
        store_batch_put(&office->lazy, &folded);
    member->newest_head = 0;
    member->folded_noted = false;
    store_noted(office, line, number, UINT64_MAX);
}

void heads_take_notes(struct office *office)
{
    for (size_t l = 0; l < office->line_count && office->noted; l++)
        for (unsigned i = 0; i < office->line[l]->charter->member_count; i++)
            take_notes_of(office, office->line[l], i);
    office->noted = false;
}

/* --- signed --- */

/* What was read back is durable and verified. */
void heads_sign(struct office *office, struct line *line, struct head *head)
{
    head->size = line->second.size;
    tree_root(&line->second, head->root);
    head_sign(head, line->member[line->me].origin, office->identity->log_secret);
    line->member[line->me].newest_head = head->size;
    core_note(office);
}

/* Flags the newest head: at most one a second, and always the last before silence. */
void heads_settle(struct office *office, struct line *line)
{
    const struct head *head = sync_head(line->sync, line->me);

    line->settle_due = false;
    if (head == NULL || head->size == line->member[line->me].settle)
        return;
    line->last_settle = office->now.monotonic;
    heads_keep_settle(office, line, line->me, head);
    sync_settle(line->sync, head);
}

void heads_plan_settle(struct office *office, struct line *line)
{
    struct monotonic now = office->now.monotonic;

    line->settle_due = true;
    line->settle_at = line->last_settle.us == 0 ? now : monotonic_after(line->last_settle, SETTLE_US);
    if (line->settle_at.us <= now.us)
        heads_settle(office, line);
}

/* Of a receipt given now: never earlier than one before. */
static uint64_t receipt_time(struct office *office)
{
    uint64_t seconds = office->now.wall.us / SECOND_US;

    if (seconds > office->last_receipt_time)
        office->last_receipt_time = seconds;
    return office->last_receipt_time;
}

/* Receipts for what the batch accepts are not earlier than it, nor is any later one, also after a restart. */
void heads_put_receipt_time(struct office *office, struct store_batch *batch)
{
    struct store_op op = {.kind = STORE_PUT_META, .n = {META_LAST_WALL}};
    uint8_t seconds[8];

    put_u64_be(seconds, receipt_time(office));
    op.b[0] = span_of(seconds, sizeof seconds);
    store_batch_put(batch, &op);
}

void heads_give_receipt(struct office *office, struct line *line, unsigned member, const struct head *head, bool settle)
{
    /* Not later than what the batch has stored: after a crash, and with a clock that was set back, the next would be
     * earlier. */
    struct receipt receipt = {.by = line->me, .time = office->last_receipt_time};

    receipt_sign(&receipt, head, line->member[member].origin, office->identity->receipt_secret);
    heads_note_receipt(office, line, member, head->size, &receipt);
    sync_receipt(line->sync, member, head, &receipt, settle);
}

void heads_begin(struct office *office, struct line *line)
{
    struct head head = {0};

    if (line->second.size == 0)
        return;
    heads_sign(office, line, &head);
    sync_load(line->sync, line->me, &line->second, &head);
    heads_plan_settle(office, line);
}

void heads_receipt_again(struct office *office, struct line *line)
{
    for (unsigned i = 0; i < line->charter->member_count; i++) {
        const struct head *head = sync_head(line->sync, i);

        if (i != line->me && head != NULL && head->size > 0 && head->size == sync_durable(line->sync, i) &&
            sync_receipted(line->sync, i, line->me) < head->size)
            heads_give_receipt(office, line, i, head, line->member[i].settle == head->size);
    }
}
