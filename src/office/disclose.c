/*
 * Disclosing one entry: its proof as prove.c gathers it, and the key that opens it alone. The epoch's secret stays
 * here.
 */
#include <stdlib.h>

#include "desk/disclosure.h"
#include "office/prove.h"

/* What an entry without a sealed text is. */
static const char *name_of_class(unsigned class)
{
    static const char *const names[] = {
        [ENTRY_CHARTER] = "the line's charter",      [ENTRY_PREKEYS] = "prekeys",
        [ENTRY_EPOCH] = "the beginning of an epoch", [ENTRY_HELD] = "a note of what its author holds",
        [ENTRY_LEAVE] = "its author's leave",
    };

    return class < sizeof names / sizeof names[0] && names[class] != NULL ? names[class] : "unknown to this program";
}

/* On the store's thread: the proof, and the sealed secret of the entry's epoch. */
static int disclose_run(struct office_job *job, struct store *store)
{
    struct prove_job *prove = (struct prove_job *)job;
    struct store_query query = {.kind = STORE_EPOCH, .n = {LOG_NUMBER(prove->line, prove->member)}};
    struct store_result result = {0};
    struct entry entry;
    bool formed = false;
    int status = prove_run(job, store);

    if (status != 0)
        return status;
    formed =
        entry_parse(&entry, buffer_span(&prove->entry), prove->member, prove->line->charter->member_count, NULL) == 0;
    if (!formed || entry.header.class != ENTRY_SEALED)
        return error_set(&job->error, ERROR_INVALID,
                         "%s/%llu is %s: it has no sealed text to disclose. `liaison record prove` shows who wrote it",
                         prove->line->member[prove->member].name, (unsigned long long)prove->index,
                         name_of_class(formed ? entry.header.class : ENTRY_CLASS_MAX));
    query.n[1] = (int64_t)entry.header.epoch;
    status = store_read(store, &query, &result, &job->error);
    if (status == 0 && result.count > 0)
        buffer_put_span(&prove->sealed, result.row[0].b[0]);
    if (buffer_failed(&prove->sealed)) /* to say that it cannot be opened would be untrue */
        status = error_set(&job->error, ERROR_SYSTEM, "there is no memory left");
    store_result_free(&result);
    return status;
}

/* The entry's key, if the entry opens here to what members are meant to read. */
static int find_key(const struct office *office, const struct prove_job *prove, uint8_t key[static ENTRY_KEY_SIZE],
                    struct error *error)
{
    const struct line *line = prove->line;
    uint8_t secret[EPOCH_SECRET_SIZE] = {0};
    struct entry_place place = {.index = prove->index};
    struct entry entry;
    struct buffer plain = {0};
    struct error cause = {0};
    bool opens = office->master != NULL && prove->sealed.size > 0 &&
                 entry_parse(&entry, buffer_span(&prove->entry), prove->member, line->charter->member_count, NULL) == 0;

    memcpy(place.origin_hash, line->member[prove->member].origin_hash, HASH_SIZE);
    opens = opens &&
            open_secret(office, line, prove->member, entry.header.epoch, buffer_span(&prove->sealed), secret) == 0 &&
            entry_open(&plain, &entry, secret, &place, &cause) == 0;
    if (opens)
        entry_key(key, &entry, secret, &place);
    secret_wipe(secret, sizeof secret);
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buffer_free(&plain);
    if (cause.code == ERROR_SYSTEM)
        return error_set(error, cause.code, "%s", cause.message);
    return opens ? 0
                 : error_set(error, ERROR_REFUSED,
                             "%s/%llu cannot be opened by this office, so it cannot be disclosed here",
                             line->member[prove->member].name, (unsigned long long)prove->index);
}

/* Once it is shown it cannot be taken back, so nothing is disclosed that would then prove too little. */
static int disclose(const struct office *office, const struct prove_job *prove, struct buffer *text,
                    struct error *error)
{
    unsigned others = prove->line->charter->member_count - 1;
    uint8_t key[ENTRY_KEY_SIZE];
    struct buffer proof = {0};
    struct error cause = {0};
    int result = -1;

    if (find_key(office, prove, key, error) != 0)
        return -1;
    if (prove->receipt_count < others)
        return error_set(
            error, ERROR_REFUSED,
            "only %zu of %u others have receipted %s/%llu yet, and the line's policy asks for all. Try again "
            "when they have",
            prove->receipt_count, others, prove->line->member[prove->member].name, (unsigned long long)prove->index);
    prove_print(prove, &proof);
    if (buffer_failed(&proof))
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
    else if (disclosure_write(text, buffer_span(&prove->line->charter_text), buffer_span(&proof), key, &cause) != 0)
        /* "invalid" is for what has no sealed text at all */
        (void)error_set(error, cause.code == ERROR_INVALID ? ERROR_REFUSED : cause.code, "%s/%llu: %s",
                        prove->line->member[prove->member].name, (unsigned long long)prove->index, cause.message);
    else
        result = 0;
    buffer_free(&proof);
    secret_wipe(key, sizeof key);
    return result;
}

static void disclose_done(struct office *office, struct office_job *job, struct now now)
{
    struct prove_job *prove = (struct prove_job *)job;
    struct office_event event = {.kind = OFFICE_REPLY, .request = prove->request};
    struct error error = job->error;

    (void)now;
    if (error.code != ERROR_NONE || disclose(office, prove, &event.text, &error) != 0) {
        buffer_free(&event.text);
        core_reply_error(office, prove->request, &error);
        return;
    }
    core_log(office, "%s/%llu of the line %s was disclosed", prove->line->member[prove->member].name,
             (unsigned long long)prove->index, prove->line->name);
    event.count = prove->receipt_count;
    core_event(office, &event);
}

void office_record_disclose(struct office *office, uint64_t request, struct span line, struct span entry)
{
    struct prove_job *prove = prove_new(office, request, line, entry);

    if (prove == NULL)
        return;
    prove->job.run = disclose_run;
    prove->job.done = disclose_done;
    core_job_after_fold(office, prove->line, &prove->job);
}
