/*
 * Entries as people see them: opened, with their receipts, acknowledgements and answers. The store's thread gathers,
 * the office opens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "office/engine.h"

#define VIEW_BYTES_MAX (1u << 20)
#define EARLY_MAX SYNC_PENDING_MAX

/* An entry that names another one: perhaps an acknowledgement or an answer. */
struct mention {
    unsigned author;
    uint64_t index;
    uint64_t received;
    struct buffer bytes, sealed;
    struct mention *next;
};

struct row {
    unsigned author;
    uint64_t index;
    uint64_t received;
    struct buffer bytes, sealed; /* the entry; its epoch's secret, sealed */
    uint64_t true_references;    /* lookup_true_references() */
    bool early;                  /* it overtook: entries before it are still to come */
    size_t receipt_count;
    struct receipt receipt[MEMBERS_MAX];
    struct mention *mention;
};

struct view_job {
    struct office_job job;
    uint64_t request;
    struct line *line;
    bool inbox;
    bool falling;
    bool has_from;
    int64_t from;                 /* place */
    int64_t depth, member, place; /* position to go on from */
    size_t limit;
    size_t bytes;
    size_t count;
    struct row *row; /* [limit] */
    bool more;
};

static void free_mentions(struct row *row)
{
    while (row->mention != NULL) {
        struct mention *mention = row->mention;

        row->mention = mention->next;
        buffer_free(&mention->bytes);
        buffer_free(&mention->sealed);
        free(mention);
    }
}

static void view_release(struct office_job *job)
{
    struct view_job *view = (struct view_job *)job;

    for (size_t i = 0; i < view->limit + EARLY_MAX; i++) {
        buffer_free(&view->row[i].bytes);
        buffer_free(&view->row[i].sealed);
        free_mentions(&view->row[i]);
    }
    free(view->row);
    buffer_free(&job->mark);
    free(view);
}

/* --- on the store's thread -------------------------------------------------------------------------------------- */

static unsigned author_of(const struct line *line, int64_t place)
{
    return (PLACE_LOG(place) - 1 - line->number * MEMBERS_MAX) % MEMBERS_MAX;
}

/* The sealed secret of a sealed entry's epoch. */
static int gather_secret(struct store *store, uint32_t log, uint64_t epoch, struct buffer *sealed, struct error *error)
{
    struct store_query query = {.kind = STORE_EPOCH, .n = {log, (int64_t)epoch}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0)
        buffer_put_span(sealed, result.row[0].b[0]);
    store_result_free(&result);
    return status;
}

/* An entry beyond a gap: it waits among the pending. */
static int gather_pending(const struct line *line, struct store *store, int64_t place, struct buffer *bytes,
                          struct buffer *sealed, struct error *error)
{
    struct store_query query = {.kind = STORE_ALL_PENDING, .n = {place}, .limit = 1};
    struct store_result result = {0};
    struct entry entry;
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count > 0 && result.row[0].n[0] == place) {
        buffer_put_span(bytes, result.row[0].b[0]);
        if (entry_parse(&entry, result.row[0].b[0], author_of(line, place), line->charter->member_count, NULL) == 0 &&
            entry.header.class == ENTRY_SEALED)
            status = gather_secret(store, PLACE_LOG(place), entry.header.epoch, sealed, error);
    }
    store_result_free(&result);
    return status;
}

static int gather_entry(struct view_job *view, struct store *store, int64_t place, struct buffer *bytes,
                        struct buffer *sealed, uint64_t *received)
{
    struct error *error = &view->job.error;
    struct store_query query = {.kind = STORE_ENTRY, .n = {place}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    if (status == 0 && result.count == 0) {
        status = gather_pending(view->line, store, place, bytes, sealed, error);
    } else if (status == 0) {
        const struct store_row *row = &result.row[0];

        (void)scrub_is_whole(&view->job, row); /* it is shown as far as it can be opened */
        *received = (uint64_t)row->n[4];
        buffer_put_span(bytes, row->b[1]);
        if (row->n[1] == ENTRY_SEALED)
            status = gather_secret(store, PLACE_LOG(place), (uint64_t)row->n[3], sealed, error);
    }
    store_result_free(&result);
    return status;
}

static int gather_references(struct view_job *view, struct store *store, struct row *row)
{
    struct entry entry;
    bool formed =
        entry_parse(&entry, buffer_span(&row->bytes), row->author, view->line->charter->member_count, NULL) == 0;

    return formed ? lookup_true_references(store, view->line, &entry, &row->true_references, &view->job.error) : 0;
}

static int gather_receipts(struct store *store, int64_t place, struct row *row, struct error *error)
{
    struct store_query query = {.kind = STORE_COVERING, .n = {PLACE_LOG(place), (int64_t)PLACE_INDEX(place)}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, error);

    for (size_t i = 0; status == 0 && i < result.count && row->receipt_count < MEMBERS_MAX; i++) {
        row->receipt[row->receipt_count].by = (unsigned)result.row[i].n[0];
        row->receipt[row->receipt_count++].time = (uint64_t)result.row[i].n[2];
    }
    store_result_free(&result);
    return status;
}

static int gather_mention(struct view_job *view, struct store *store, int64_t by, struct row *row)
{
    struct mention *mention = calloc(1, sizeof *mention);

    if (mention == NULL)
        return error_set(&view->job.error, ERROR_SYSTEM, "there is no memory left");
    mention->author = author_of(view->line, by);
    mention->index = PLACE_INDEX(by);
    mention->next = row->mention;
    row->mention = mention;
    if (gather_entry(view, store, by, &mention->bytes, &mention->sealed, &mention->received) != 0)
        return -1;
    view->bytes += mention->bytes.size;
    return 0;
}

/* Of each other member as many, so that nobody crowds out what another one has acknowledged. */
static int gather_mentions(struct view_job *view, struct store *store, int64_t place, struct row *row)
{
    unsigned members = view->line->charter->member_count;
    int status = 0;

    for (unsigned by = members; by-- > 0 && status == 0;) { /* each goes to the head of the list */
        struct store_query query = {.kind = STORE_REFS,
                                    .n = {place, PLACE(LOG_NUMBER(view->line, by), 0)},
                                    .limit = VIEW_ACKNOWLEDGEMENTS_MAX / (members - 1)};
        struct store_result result = {0};

        if (by != row->author)
            status = store_read(store, &query, &result, &view->job.error);
        for (size_t i = result.count; i-- > 0 && status == 0;)
            if (author_of(view->line, result.row[i].n[0]) == by)
                status = gather_mention(view, store, result.row[i].n[0], row);
        store_result_free(&result);
    }
    return status;
}

static int gather(struct view_job *view, struct store *store, int64_t place)
{
    struct row *row = &view->row[view->count];
    struct error *error = &view->job.error;

    row->author = author_of(view->line, place);
    row->index = PLACE_INDEX(place);
    if (gather_entry(view, store, place, &row->bytes, &row->sealed, &row->received) != 0 ||
        gather_references(view, store, row) != 0 || gather_receipts(store, place, row, error) != 0 ||
        gather_mentions(view, store, place, row) != 0)
        return -1;
    view->bytes += row->bytes.size;
    view->count++;
    return 0;
}

/* Where to begin when the first entry wanted is named: just before it. */
static int find_from(struct view_job *view, struct store *store)
{
    struct store_query query = {.kind = STORE_FOLD, .n = {view->from}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &view->job.error);

    if (status == 0 && result.count > 0) {
        view->depth = result.row[0].n[1];
        view->member = author_of(view->line, view->from);
        view->place = view->falling ? view->from + 1 : view->from - 1;
    }
    store_result_free(&result);
    return status;
}

static int run_early(struct view_job *view, struct store *store);

static int run_order(struct view_job *view, struct store *store)
{
    struct store_query query = {.kind = view->falling ? STORE_ORDER_BACK : STORE_ORDER, .limit = view->limit};
    struct store_result result = {0};
    int status = view->has_from ? find_from(view, store) : 0;

    query.n[0] = view->line->number;
    query.n[1] = view->depth;
    query.n[2] = view->member;
    query.n[3] = view->place;
    if (status == 0)
        status = store_read(store, &query, &result, &view->job.error);
    for (size_t i = 0; status == 0 && i < result.count && view->bytes < VIEW_BYTES_MAX; i++) {
        view->place = result.row[i].n[0];
        view->depth = result.row[i].n[1];
        view->member = result.row[i].n[2];
        status = gather(view, store, view->place);
    }
    view->more = result.more || view->count < result.count || view->count == view->limit;
    store_result_free(&result);
    return status == 0 && !view->more && !view->falling ? run_early(view, store) : status;
}

/* Behind the last entry in order stand those that overtook and wait for their turn. */
static int run_early(struct view_job *view, struct store *store)
{
    struct store_query query = {.kind = STORE_ALL_PENDING, .n = {PLACE(LOG_NUMBER(view->line, 0), 0)}};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &view->job.error);

    for (size_t i = 0; status == 0 && i < result.count && view->count < view->limit + EARLY_MAX; i++) {
        if (result.row[i].n[0] >= PLACE(LOG_NUMBER(view->line, MEMBERS_MAX), 0))
            break;
        status = gather(view, store, result.row[i].n[0]);
        view->row[view->count - (status == 0)].early = true;
    }
    store_result_free(&result);
    return status;
}

static int run_inbox(struct view_job *view, struct store *store)
{
    struct store_query query = {.kind = STORE_INBOX, .n = {view->line->number}, .limit = view->limit};
    struct store_result result = {0};
    int status = store_read(store, &query, &result, &view->job.error);

    for (size_t i = 0; status == 0 && i < result.count && view->bytes < VIEW_BYTES_MAX; i++)
        status = gather(view, store, result.row[i].n[0]);
    store_result_free(&result);
    return status;
}

static int view_run(struct office_job *job, struct store *store)
{
    struct view_job *view = (struct view_job *)job;

    return view->inbox ? run_inbox(view, store) : run_order(view, store);
}

/* --- opening -------------------------------------------------------------------------------------------------------
 */

static const char *class_name(unsigned class)
{
    switch (class) {
    case ENTRY_CHARTER:
        return "charter";
    case ENTRY_PREKEYS:
        return "prekeys";
    case ENTRY_EPOCH:
        return "epoch";
    case ENTRY_HELD:
        return "held";
    case ENTRY_LEAVE:
        return "leave";
    default:
        return "unknown";
    }
}

/* What the opened body says. Its text stays in the view's memory. */
static void fill_body(struct office_view *view, const struct entry *entry, uint64_t true_references)
{
    struct reference named[REFERENCES_MAX];
    unsigned count = 0;
    struct body body;

    view->kind = "unknown";
    if (body_read(&body, buffer_span(&view->memory)) != 0)
        return;
    for (unsigned i = 0; i < entry->header.reference_count; i++)
        if ((true_references >> i & 1) != 0)
            named[count++] = entry->header.references[i];
    view->has_written = true;
    view->written = body.time;
    view->exercise = body.exercise;
    if (body.kind == BODY_MESSAGE) {
        view->kind = "message";
        view->text = body.text;
        view->language = body.language;
        view->has_answers = count > 0;
        if (count > 0)
            view->answers = named[0];
    } else if (body.kind == BODY_ACKNOWLEDGEMENT) {
        view->kind = "acknowledgement";
        view->as = body.as;
        view->acknowledges_count = count;
        memcpy(view->acknowledges, named, count * sizeof named[0]);
    } else if (body.kind == BODY_UNREADABLE) {
        view->kind = "unreadable";
        view->unreadable_count = body.unreadable_count;
        memcpy(view->unreadable, body.unreadable, sizeof view->unreadable);
    }
}

int view_entry(struct office_view *view, const struct line *line, unsigned author, uint64_t index, struct span bytes,
               uint64_t true_references, uint64_t received, const uint8_t *secret)
{
    struct entry *entry = malloc(sizeof *entry);
    struct entry_place place = {.index = index};
    struct error error = {0};
    bool formed = false;

    if (entry == NULL)
        return -1;
    formed = entry_parse(entry, bytes, author, line->charter->member_count, NULL) == 0;
    view->line = line->name;
    view->charter = line->charter;
    view->author = line->charter->members[author].name;
    view->number = index;
    view->received = received;
    view->readable = true;
    tree_leaf(view->leaf, bytes);
    memcpy(place.origin_hash, line->member[author].origin_hash, HASH_SIZE);
    if (!formed) {
        view->kind = "unknown";
    } else if (entry->header.class != ENTRY_SEALED) {
        view->kind = class_name(entry->header.class);
    } else if (secret == NULL || entry_open(&view->memory, entry, secret, &place, &error) != 0) {
        view->kind = "sealed";
        view->readable = false;
    } else {
        fill_body(view, entry, true_references);
    }
    if (formed)
        view->precedence = entry->header.precedence;
    free(entry);
    return error.code == ERROR_SYSTEM ? -1 : 0;
}

static int open_view(const struct office *office, const struct line *line, struct office_view *view, unsigned author,
                     uint64_t index, const struct buffer *bytes, const struct buffer *sealed, uint64_t true_references,
                     uint64_t received)
{
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct entry entry;
    bool open = false;
    int result = -1;

    if (sealed->size > 0 && office->master != NULL &&
        entry_parse(&entry, buffer_span(bytes), author, line->charter->member_count, NULL) == 0)
        open = open_secret(office, line, author, entry.header.epoch, buffer_span(sealed), secret) == 0;
    result = view_entry(view, line, author, index, buffer_span(bytes), true_references, received, open ? secret : NULL);
    secret_wipe(secret, sizeof secret);
    return result;
}

/* Of what a mention names, that which is this very entry, by its leaf: a bit each. */
static uint64_t naming(const struct line *line, const struct mention *mention, unsigned author,
                       const struct office_view *view)
{
    struct entry entry;
    bool formed =
        entry_parse(&entry, buffer_span(&mention->bytes), mention->author, line->charter->member_count, NULL) == 0;
    uint64_t bits = 0;

    for (unsigned i = 0; formed && i < entry.header.reference_count; i++) {
        const struct reference *reference = &entry.header.references[i];

        if (reference->member == author && reference->index == view->number &&
            memcmp(reference->leaf, view->leaf, HASH_SIZE) == 0)
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

/* Receipts, acknowledgements and answers: how the entry stands. */
static void fill_state(const struct office *office, const struct line *line, struct office_view *view, struct row *row)
{
    unsigned others = line->charter->member_count - 1;
    uint32_t acknowledged = 0; /* a bit a member */
    bool answered = false;

    for (size_t i = 0; i < row->receipt_count; i++) {
        view->stored[view->stored_count].by = (uint8_t)row->receipt[i].by;
        view->stored[view->stored_count++].at = row->receipt[i].time;
    }
    for (struct mention *mention = row->mention; mention != NULL; mention = mention->next) {
        struct office_view *other = calloc(1, sizeof *other);

        if (other == NULL)
            break;
        if (mention->author != row->author &&
            open_view(office, line, other, mention->author, mention->index, &mention->bytes, &mention->sealed,
                      naming(line, mention, row->author, view), mention->received) == 0) {
            answered |= other->has_answers;
            if (other->acknowledges_count > 0 && view->acknowledged_count < VIEW_ACKNOWLEDGEMENTS_MAX) {
                view->acknowledged[view->acknowledged_count].by = (uint8_t)mention->author;
                view->acknowledged[view->acknowledged_count].as = other->as;
                view->acknowledged[view->acknowledged_count++].at = other->written;
                acknowledged |= UINT32_C(1) << mention->author;
            }
        }
        buffer_free(&other->memory);
        free(other);
    }
    view->state = message_state(others, view->stored_count, (unsigned)__builtin_popcount(acknowledged), answered,
                                row->author != line->me || sync_carried(line->sync) > row->index);
}

static void view_done(struct office *office, struct office_job *job, struct now now)
{
    struct view_job *view = (struct view_job *)job;
    struct office_event event = {.kind = OFFICE_REPLY, .request = view->request};

    (void)now;
    if (job->error.code != ERROR_NONE) {
        core_reply_error(office, view->request, &job->error);
        return;
    }
    event.line = view->line->name;
    event.view = calloc(view->count + 1, sizeof *event.view);
    for (size_t i = 0; event.view != NULL && i < view->count; i++) {
        struct row *row = &view->row[i];

        if (open_view(office, view->line, &event.view[event.view_count], row->author, row->index, &row->bytes,
                      &row->sealed, row->true_references, row->received) != 0)
            continue;
        event.view[event.view_count].early = row->early;
        fill_state(office, view->line, &event.view[event.view_count], row);
        event.view_count++;
    }
    if (view->more && !view->inbox)
        buffer_print(&event.text, "%lld.%lld.%lld", (long long)view->depth, (long long)view->member,
                     (long long)PLACE_INDEX(view->place));
    core_event(office, &event);
}

static struct view_job *new_view(uint64_t request, struct line *line, size_t limit)
{
    struct view_job *view = calloc(1, sizeof *view);

    if (view == NULL)
        return NULL;
    view->row = calloc(limit + EARLY_MAX, sizeof *view->row);
    if (view->row == NULL) {
        free(view);
        return NULL;
    }
    view->job.run = view_run;
    view->job.done = view_done;
    view->job.release = view_release;
    view->request = request;
    view->line = line;
    view->limit = limit;
    view->depth = -1;
    return view;
}

/* "DEPTH.MEMBER.INDEX", as a reply gave it. */
static bool parse_position(struct view_job *view, struct span text)
{
    uint64_t number[3];

    for (int i = 0; i < 3; i++) {
        const uint8_t *dot = text.size > 0 && i < 2 ? memchr(text.data, '.', text.size) : NULL;
        size_t size = dot != NULL ? (size_t)(dot - text.data) : text.size;

        if ((dot == NULL) != (i == 2) || !text_to_number(span_of(text.data, size), INT64_MAX, &number[i]))
            return false;
        text = span_from(text, size + 1);
    }
    if (number[1] >= view->line->charter->member_count || number[2] >= TREE_SIZE_MAX)
        return false;
    view->depth = (int64_t)number[0];
    view->member = (int64_t)number[1];
    view->place = PLACE(LOG_NUMBER(view->line, (uint32_t)number[1]), number[2]);
    return true;
}

void office_entries(struct office *office, uint64_t request, struct span name, struct span after, struct span from,
                    size_t limit, bool falling)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct view_job *view = line == NULL ? NULL : new_view(request, line, limit);

    if (line != NULL && view == NULL)
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (view == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    view->falling = falling;
    if (falling)
        view->depth = INT64_MAX;
    if (after.size > 0 && !parse_position(view, after))
        (void)error_set(&error, ERROR_USAGE, "`after` is not a position that an earlier answer gave");
    if (from.size > 0) {
        unsigned member = 0;
        uint64_t index = 0;

        view->has_from = true;
        if (core_parse_entry(line, from, &member, &index, &error) == 0)
            view->from = PLACE(LOG_NUMBER(line, member), index);
    }
    if (error.code != ERROR_NONE) {
        core_reply_error(office, request, &error);
        view_release(&view->job);
        return;
    }
    core_job_after_fold(office, line, &view->job);
}

void office_inbox(struct office *office, uint64_t request, struct span name)
{
    struct error error = {0};
    struct line *line = core_line(office, name, false, &error);
    struct view_job *view = line == NULL ? NULL : new_view(request, line, STORE_ROWS_MAX);

    if (line != NULL && view == NULL)
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
    if (view == NULL) {
        core_reply_error(office, request, &error);
        return;
    }
    view->inbox = true;
    core_job_after_fold(office, line, &view->job);
}
