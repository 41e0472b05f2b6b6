/*
 * Verification, policies and proofs. Verifying reads every entry in slices, so that the line goes on meanwhile.
 */
#include <stdlib.h>

#include "office/prove.h"

/* --- record verify --------------------------------------------------------------------------------------------------
 */

#define HEADS_AT_ONCE 8

struct verify_job {
    struct office_job job;
    uint64_t request;
    struct line *line;
    unsigned member;
    uint64_t size[MEMBERS_MAX];    /* to be verified */
    struct tree_frontier frontier; /* of the member at hand */
    struct store_result heads;     /* from here on, during a slice */
    size_t next_head;
    uint64_t entries, receipts;
    struct mark_log log[MEMBERS_MAX];
};

static void verify_release(struct office_job *job)
{
    buffer_free(&job->mark);
    free(job);
}

static int wrong(struct verify_job *verify, uint64_t size, const char *what)
{
    return error_set(&verify->job.error, ERROR_MISMATCH, "%s at %llu entries of %s does not match what is held", what,
                     (unsigned long long)size, verify->line->member[verify->member].name);
}

/* A head must be the root here and verify; so must the receipts on it. */
static int verify_head(struct verify_job *verify, struct store *store, const struct store_row *row)
{
    struct line *line = verify->line;
    struct member *member = &line->member[verify->member];
    struct head head = {.size = (uint64_t)row->n[0]};
    struct store_query query = {.kind = STORE_RECEIPTS_AT, .n = {LOG_NUMBER(line, verify->member), row->n[0]}};
    struct store_result result = {0};
    uint8_t root[HASH_SIZE];
    int status = 0;

    if (row->b[0].size != HASH_SIZE || row->b[1].size != SIGNATURE_SIZE)
        return wrong(verify, head.size, "the head");
    memcpy(head.root, row->b[0].data, HASH_SIZE);
    memcpy(head.signature, row->b[1].data, SIGNATURE_SIZE);
    tree_root(&verify->frontier, root);
    if (memcmp(root, head.root, HASH_SIZE) != 0 ||
        !head_verify(&head, member->origin, line->charter->members[verify->member].log_key))
        return wrong(verify, head.size, "the head");
    status = store_read(store, &query, &result, &verify->job.error);
    for (size_t i = 0; status == 0 && i < result.count; i++) {
        struct receipt receipt = {.by = (unsigned)result.row[i].n[0], .time = (uint64_t)result.row[i].n[2]};

        if (receipt.by >= line->charter->member_count || result.row[i].b[0].size != SIGNATURE_SIZE) {
            status = wrong(verify, head.size, "a receipt");
            break;
        }
        memcpy(receipt.signature, result.row[i].b[0].data, SIGNATURE_SIZE);
        if (!receipt_verify(&receipt, &head, member->origin, line->charter->members[receipt.by].receipt_key))
            status = wrong(verify, head.size, "a receipt");
        else
            verify->receipts++;
    }
    store_result_free(&result);
    return status;
}

/* The next few heads from `size` on; a slice of entries meets few. */
static int read_heads(struct verify_job *verify, struct store *store, uint64_t size)
{
    struct store_query query = {.kind = STORE_HEADS, .limit = HEADS_AT_ONCE};

    query.n[0] = LOG_NUMBER(verify->line, verify->member);
    query.n[1] = (int64_t)size;
    store_result_free(&verify->heads);
    verify->next_head = 0;
    return store_read(store, &query, &verify->heads, &verify->job.error);
}

/* Folds one row; the heads that end here are checked. */
static int verify_entry(struct verify_job *verify, struct store *store, const struct store_row *row)
{
    const struct store_result *heads = &verify->heads;
    if (PLACE_INDEX(row->n[0]) != verify->frontier.size || !scrub_is_whole(&verify->job, row))
        return wrong(verify, verify->frontier.size, "an entry");
    tree_append(&verify->frontier, row->b[0].data);
    verify->entries++;
    if (verify->next_head == heads->count && heads->more && read_heads(verify, store, verify->frontier.size) != 0)
        return -1;
    while (verify->next_head < heads->count && (uint64_t)heads->row[verify->next_head].n[0] == verify->frontier.size)
        if (verify_head(verify, store, &heads->row[verify->next_head++]) != 0)
            return -1;
    return 0;
}

static int verify_run(struct office_job *job, struct store *store)
{
    struct verify_job *verify = (struct verify_job *)job;
    struct store_query query = {.kind = STORE_ENTRIES};
    struct store_result result = {0};
    int status = 0;

    if (verify->frontier.size >= verify->size[verify->member])
        return 0;
    query.n[0] = LOG_NUMBER(verify->line, verify->member);
    query.n[1] = (int64_t)verify->frontier.size;
    query.n[2] = (int64_t)verify->size[verify->member];
    status = store_read(store, &query, &result, &job->error);
    if (status == 0)
        status = read_heads(verify, store, verify->frontier.size + 1);
    if (status == 0 && result.count == 0)
        status = wrong(verify, verify->frontier.size, "the log");
    for (size_t i = 0; status == 0 && i < result.count; i++)
        status = verify_entry(verify, store, &result.row[i]);
    store_result_free(&verify->heads);
    store_result_free(&result);
    return status;
}

static void verify_finish(struct office *office, struct verify_job *verify)
{
    struct office_event event = {.kind = OFFICE_REPLY, .request = verify->request};
    unsigned members = verify->line->charter->member_count;

    event.line = verify->line->name;
    event.logs = calloc(members, sizeof *event.logs);
    if (event.logs != NULL)
        memcpy(event.logs, verify->log, members * sizeof *event.logs);
    event.log_count = members;
    event.count = verify->entries;
    event.receipts = verify->receipts;
    core_event(office, &event);
}

/* The next slice is a job of its own, behind everything that came meanwhile. */
static void verify_done(struct office *office, struct office_job *job, struct now now)
{
    struct verify_job *verify = (struct verify_job *)job;
    struct verify_job *next = NULL;
    uint8_t root[HASH_SIZE];

    (void)now;
    if (job->error.code != ERROR_NONE) {
        core_reply_error(office, verify->request, &job->error);
        return;
    }
    if (verify->frontier.size == verify->size[verify->member]) {
        struct mark_log *log = &verify->log[verify->member];

        tree_root(&verify->frontier, root);
        log->member = (uint8_t)verify->member;
        log->size = verify->frontier.size;
        memcpy(log->root, root, HASH_SIZE);
        verify->member++;
        memset(&verify->frontier, 0, sizeof verify->frontier);
    }
    if (verify->member == verify->line->charter->member_count) {
        verify_finish(office, verify);
        return;
    }
    next = malloc(sizeof *next);
    if (next == NULL) {
        struct error error = {.code = ERROR_SYSTEM, .message = "there is no memory left"};

        core_reply_error(office, verify->request, &error);
        return;
    }
    *next = *verify;
    core_job(office, &next->job);
}

void office_record_verify(struct office *office, uint64_t request, struct span name)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct verify_job *verify = line == NULL ? NULL : calloc(1, sizeof *verify);

    if (line != NULL && verify == NULL)
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (verify == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    verify->job.run = verify_run;
    verify->job.done = verify_done;
    verify->job.release = verify_release;
    verify->request = request;
    verify->line = line;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        verify->size[i] = sync_durable(line->sync, i);
    /* Heads and receipts told so far are checked too: they must be in the store. */
    core_job_after_fold(office, line, &verify->job);
}

/* --- record policy, record prove --- */

void office_record_policy(struct office *office, uint64_t request, struct span name)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct office_event event = {.kind = OFFICE_REPLY, .request = request};

    if (line == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    policy_print(&event.text, line->charter);
    core_event(office, &event);
}

void prove_release(struct office_job *job)
{
    struct prove_job *prove = (struct prove_job *)job;

    buffer_free(&prove->entry);
    buffer_free(&prove->sealed);
    buffer_free(&job->mark);
    free(prove);
}

static int read_receipts(struct prove_job *prove, struct store *store, uint64_t size, struct receipt *receipts,
                         size_t *count)
{
    struct store_query query = {.kind = STORE_RECEIPTS_AT,
                                .n = {LOG_NUMBER(prove->line, prove->member), (int64_t)size}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &prove->job.error);

    *count = 0;
    for (size_t i = 0; status == 0 && i < result.count && *count < MEMBERS_MAX - 1; i++) {
        const struct store_row *row = &result.row[i];

        if (row->b[0].size != SIGNATURE_SIZE || row->n[0] == (int64_t)prove->member)
            continue;
        receipts[*count].by = (unsigned)row->n[0];
        receipts[*count].time = (uint64_t)row->n[2];
        memcpy(receipts[(*count)++].signature, row->b[0].data, SIGNATURE_SIZE);
    }
    store_result_free(&result);
    return status;
}

/* The first head beyond the entry that every other member has receipted; else the one that most have. */
static int choose_proving_head(struct prove_job *prove, struct store *store)
{
    struct store_query query = {.kind = STORE_HEADS,
                                .n = {LOG_NUMBER(prove->line, prove->member), (int64_t)prove->index + 1}};
    struct store_result result = {0};
    bool found = false;
    int status = store_read(store, &query, &result, &prove->job.error);

    for (size_t i = 0; status == 0 && i < result.count; i++) {
        const struct store_row *row = &result.row[i];
        struct receipt receipts[MEMBERS_MAX];
        size_t count = 0;

        if ((uint64_t)row->n[0] > prove->durable || row->b[0].size != HASH_SIZE || row->b[1].size != SIGNATURE_SIZE)
            break;
        status = read_receipts(prove, store, (uint64_t)row->n[0], receipts, &count);
        if (status != 0 || (found && count <= prove->receipt_count))
            continue;
        found = true;
        prove->head.size = (uint64_t)row->n[0];
        memcpy(prove->head.root, row->b[0].data, HASH_SIZE);
        memcpy(prove->head.signature, row->b[1].data, SIGNATURE_SIZE);
        memcpy(prove->receipt, receipts, sizeof receipts);
        prove->receipt_count = count;
        if (count == prove->line->charter->member_count - 1)
            break;
    }
    store_result_free(&result);
    if (status == 0 && !found)
        return error_set(&prove->job.error, ERROR_NOT_FOUND,
                         "no signed head covers this entry yet; try again in a second");
    return status;
}

int prove_run(struct office_job *job, struct store *store)
{
    struct prove_job *prove = (struct prove_job *)job;
    uint32_t log = LOG_NUMBER(prove->line, prove->member);
    struct store_query query = {.kind = STORE_ENTRY, .n = {PLACE(log, prove->index)}};
    struct store_result result = {0};
    struct tree_range ranges[TREE_PROOF_MAX];
    int status = store_read(store, &query, &result, &job->error);

    if (status == 0 && (result.count == 0 || !scrub_is_whole(job, &result.row[0])))
        status =
            error_set(&job->error, ERROR_MISMATCH,
                      "%s/%llu is broken on the disk of this office; it is being asked of the others. Try again once "
                      "the alarm in `liaison status` is over",
                      prove->line->member[prove->member].name, (unsigned long long)prove->index);
    if (status == 0)
        buffer_put_span(&prove->entry, result.row[0].b[1]);
    if (buffer_failed(&prove->entry)) /* a proof of nothing would be well-formed */
        status = error_set(&job->error, ERROR_SYSTEM, "there is no memory left");
    store_result_free(&result);
    if (status != 0 || choose_proving_head(prove, store) != 0)
        return -1;
    prove->path.count = tree_inclusion_ranges(prove->index, prove->head.size, ranges);
    for (size_t i = 0; i < prove->path.count; i++)
        if (store_range_hash(store, log, ranges[i], prove->path.hash[i], &job->error) != 0)
            return -1;
    return 0;
}

void prove_print(const struct prove_job *prove, struct buffer *text)
{
    struct buffer note = {0};

    head_note(&note, prove->line->charter, prove->member, 0, &prove->head, prove->receipt, prove->receipt_count);
    proof_print(text, buffer_span(&prove->entry), prove->index, &prove->path, buffer_span(&note));
    if (buffer_failed(&note))
        text->failed = true;
    buffer_free(&note);
}

static void prove_done(struct office *office, struct office_job *job, struct now now)
{
    struct prove_job *prove = (struct prove_job *)job;
    struct office_event event = {.kind = OFFICE_REPLY, .request = prove->request};

    (void)now;
    if (job->error.code != ERROR_NONE) {
        core_reply_error(office, prove->request, &job->error);
        return;
    }
    prove_print(prove, &event.text);
    event.count = prove->receipt_count;
    core_event(office, &event);
}

struct prove_job *prove_new(struct office *office, uint64_t request, struct span name, struct span entry)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct prove_job *prove = line == NULL ? NULL : calloc(1, sizeof *prove);

    if (line != NULL && prove == NULL)
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (prove == NULL || core_parse_entry(line, entry, &prove->member, &prove->index, &error) != 0) {
        core_reply_error(office, request, &error);
        free(prove);
        return NULL;
    }
    prove->durable = sync_durable(line->sync, prove->member);
    if (prove->index >= prove->durable) {
        (void)error_set(&error, ERROR_REFUSED,
                        "%s/%llu came before its turn: it is proved when the entries of its author before it are here",
                        line->member[prove->member].name, (unsigned long long)prove->index);
        core_reply_error(office, request, &error);
        free(prove);
        return NULL;
    }
    prove->job.run = prove_run;
    prove->job.done = prove_done;
    prove->job.release = prove_release;
    prove->request = request;
    prove->line = line;
    return prove;
}

void office_record_prove(struct office *office, uint64_t request, struct span name, struct span entry)
{
    struct prove_job *prove = prove_new(office, request, name, entry);

    if (prove != NULL)
        core_job_after_fold(office, prove->line, &prove->job);
}
