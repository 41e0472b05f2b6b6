#include "office/office.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "office/engine.h"

void core_exhausted(struct office *office)
{
    office->exhausted = true;
}

void core_spoil(struct office *office)
{
    if (!core_is_lazy(office))
        office->lazy_at = office->now.monotonic;
    office->lazy.failed = true;
    office->noted = true;
    office->hurry = true;
}

bool office_is_exhausted(const struct office *office)
{
    return office->exhausted;
}

void core_event(struct office *office, const struct office_event *event)
{
    struct queued *queued = calloc(1, sizeof *queued);

    if (queued == NULL) {
        struct office_event lost = *event;

        if (event->kind != OFFICE_LOG)
            core_exhausted(office);
        office_event_free(&lost);
        return;
    }
    queued->event = *event;
    if (buffer_failed(&event->text) || buffer_failed(&event->text2)) { /* half an answer is none */
        office_event_free(&queued->event);
        queued->event.kind = event->kind;
        queued->event.request = event->request;
        (void)error_set(&queued->event.error, ERROR_SYSTEM, "there is no memory left");
    }
    if (office->event_last != NULL)
        office->event_last->next = queued;
    else
        office->event_first = queued;
    office->event_last = queued;
}

bool office_event(struct office *office, struct office_event *event)
{
    struct queued *queued = office->event_first;

    if (queued == NULL)
        return false;
    *event = queued->event;
    office->event_first = queued->next;
    if (office->event_first == NULL)
        office->event_last = NULL;
    free(queued);
    return true;
}

void office_event_free(struct office_event *event)
{
    if (event == NULL)
        return;
    for (size_t i = 0; i < event->view_count; i++)
        buffer_free(&event->view[i].memory);
    free(event->view);
    free(event->logs);
    free(event->numbers);
    buffer_free(&event->text);
    buffer_free(&event->text2);
    *event = (struct office_event){0};
}

void core_reply_error(struct office *office, uint64_t request, const struct error *error)
{
    struct office_event event = {.kind = OFFICE_REPLY, .request = request, .error = *error};

    core_event(office, &event);
}

void core_log(struct office *office, const char *format, ...)
{
    struct office_event event = {.kind = OFFICE_LOG};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(event.reason, sizeof event.reason, format, arguments);
    va_end(arguments);
    core_event(office, &event);
}

static bool has_alarm(const struct office *office, const char *text)
{
    for (size_t i = 0; i < office->alarm_count; i++)
        if (strcmp(office->alarm[i], text) == 0)
            return true;
    return false;
}

void core_alarm(struct office *office, const char *format, ...)
{
    static const char more[] = "there are more alarms than are shown here; the log has all of them";
    char text[sizeof office->alarm[0]] = {0};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (has_alarm(office, text))
        return;
    core_log(office, "ALARM: %s", text);
    if (office->alarm_count < ALARMS_MAX - 1)
        memcpy(office->alarm[office->alarm_count++], text, sizeof text);
    else if (!has_alarm(office, more))
        memcpy(office->alarm[office->alarm_count++], more, sizeof more);
}

void core_alarm_over(struct office *office, const char *format, ...)
{
    char text[sizeof office->alarm[0]];
    va_list arguments;

    if (office->alarm_count == 0)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < office->alarm_count; i++) {
        if (strcmp(office->alarm[i], text) != 0)
            continue;
        office->alarm_count--;
        memmove(office->alarm[i], office->alarm[i + 1], (office->alarm_count - i) * sizeof office->alarm[0]);
        core_log(office, "over: %s", text);
        return;
    }
}

void core_stop(struct office *office, enum error_code code, const char *format, ...)
{
    struct office_event event = {.kind = OFFICE_STATE};
    va_list arguments;

    if (office->state == OFFICE_STOPPED)
        return;
    office->state = OFFICE_STOPPED;
    office->stop.code = code;
    va_start(arguments, format);
    (void)vsnprintf(office->stop.message, sizeof office->stop.message, format, arguments);
    va_end(arguments);
    core_event(office, &event);
    core_log(office, "stopped: %s", office->stop.message);
    links_close_all(office, "this office has stopped");
    commit_abandon(office);
}

void core_job(struct office *office, struct office_job *job)
{
    job->next = NULL;
    if (office->job_last != NULL)
        office->job_last->next = job;
    else
        office->job_first = job;
    office->job_last = job;
    office->jobs_out++;
}

bool office_job(struct office *office, struct office_job **job)
{
    *job = office->job_first;
    if (*job == NULL)
        return false;
    office->job_first = (*job)->next;
    if (office->job_first == NULL)
        office->job_last = NULL;
    return true;
}

void office_job_done(struct office *office, struct office_job *job, struct now now)
{
    office->now = now;
    office->jobs_out--;
    if (job->space != 0)
        office->space = job->space;
    job->done(office, job, now);
    scrub_noted(office, job);
    if (job->error.code == ERROR_STORAGE)
        core_stop(office, ERROR_STORAGE,
                  "%s. Nothing more is signed; what the others have receipted is safe with them. Check the disk, then "
                  "start the office again; do not put back an older copy",
                  job->error.message);
    job->release(job);
    core_turn(office);
}

bool office_is_busy(const struct office *office)
{
    return office->jobs_out > 0;
}

void office_finish(struct office *office, struct now now)
{
    office->now = now;
    if (office->state != OFFICE_READY)
        return;
    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i]->settle_due)
            heads_settle(office, office->line[i]);
    office->hurry = true;
    core_turn(office);
}

void office_stir(struct office *office, struct span fresh)
{
    entropy_stir(&office->entropy, fresh);
}

void office_watch(struct office *office, bool wanted)
{
    office->watched = wanted;
}

bool core_is_lazy(const struct office *office)
{
    return office->noted || office->lazy.count > 0;
}

void core_note(struct office *office)
{
    if (!core_is_lazy(office))
        office->lazy_at = monotonic_after(office->now.monotonic, LAZY_US);
    office->noted = true;
}

void core_lazy(struct office *office, const struct store_op *op)
{
    if (!core_is_lazy(office))
        office->lazy_at = monotonic_after(office->now.monotonic, LAZY_US);
    store_batch_put(&office->lazy, op);
}

void core_reply_when_durable(struct office *office, const struct office_event *event)
{
    struct deferred *deferred = calloc(1, sizeof *deferred);
    struct deferred **tail = &office->deferred;

    if (deferred == NULL) {
        struct office_event lost = *event;

        office_event_free(&lost);
        core_exhausted(office);
        return;
    }
    deferred->event = *event;
    deferred->batch = core_next_batch(office);
    if (!core_is_lazy(office)) /* nothing waits: what is out, if anything, holds it */
        deferred->batch = office->batch + office->committing;
    office->hurry = true;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = deferred;
    core_batch_is_durable(office);
}

void core_batch_is_durable(struct office *office)
{
    while (office->deferred != NULL && office->deferred->batch <= office->batch) {
        struct deferred *deferred = office->deferred;

        office->deferred = deferred->next;
        core_event(office, &deferred->event);
        free(deferred);
    }
}

void core_refuse_deferred(struct office *office, const struct error *error)
{
    while (office->deferred != NULL) {
        struct deferred *deferred = office->deferred;

        office->deferred = deferred->next;
        core_reply_error(office, deferred->event.request, error);
        office_event_free(&deferred->event);
        free(deferred);
    }
}

static void wait_no_longer(uint64_t *batch, uint64_t than)
{
    if (*batch > than)
        *batch = than;
}

void core_batch_failed(struct office *office)
{
    uint64_t next = core_next_batch(office);

    office->lazy_failed = core_is_lazy(office);
    for (struct deferred *deferred = office->deferred; deferred != NULL; deferred = deferred->next)
        wait_no_longer(&deferred->batch, next);
    for (struct gated *gated = office->gated; gated != NULL; gated = gated->next)
        wait_no_longer(&gated->batch, next);
    for (size_t i = 0; i < office->line_count; i++)
        for (unsigned k = 0; k < MEMBERS_MAX; k++)
            wait_no_longer(&office->line[i]->member[k].wait_batch, next);
}

uint64_t core_next_batch(const struct office *office)
{
    return office->batch + (office->committing ? 2 : 1);
}

void core_job_after_fold(struct office *office, struct line *line, struct office_job *job)
{
    struct gated *gated = calloc(1, sizeof *gated);
    struct gated **tail = &office->gated;

    if (gated == NULL) {
        core_job(office, job); /* it may miss the newest, nothing else */
        return;
    }
    gated->job = job;
    gated->line = line;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        gated->folded[i] = sync_durable(line->sync, i);
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = gated;
    office->jobs_out++;
    core_turn(office);
}

static bool gate_is_open(struct office *office, struct gated *gated)
{
    if (office->state != OFFICE_READY)
        return true; /* stopped: read what there is */
    for (unsigned i = 0; i < gated->line->charter->member_count && gated->batch == 0; i++)
        if (gated->line->member[i].folded < gated->folded[i] && !fold_waits(office, gated->line))
            return false;
    if (gated->batch == 0) {
        gated->batch = core_is_lazy(office) ? core_next_batch(office) : office->batch + office->committing;
        office->hurry |= core_is_lazy(office);
    }
    return gated->batch <= office->batch;
}

static void open_gates(struct office *office)
{
    for (struct gated **at = &office->gated; *at != NULL;) {
        struct gated *gated = *at;

        if (!gate_is_open(office, gated)) {
            at = &gated->next;
            continue;
        }
        *at = gated->next;
        office->jobs_out--;
        core_job(office, gated->job);
        free(gated);
    }
}

int core_line_index(const struct office *office, const struct line *line)
{
    for (size_t i = 0; i < office->line_count; i++)
        if (office->line[i] == line)
            return (int)i;
    return -1;
}

bool office_has_line(const struct office *office, struct span name)
{
    for (size_t i = 0; i < office->line_count; i++)
        if (span_equal(name, span_of_string(office->line[i]->name)))
            return true;
    return false;
}

struct line *core_line(struct office *office, struct span name, bool writes, struct error *error)
{
    static const char of_that_name[] = "of that name";

    if (office->state == OFFICE_LOCKED) {
        (void)error_set(error, ERROR_LOCKED, "the office is locked; type `liaison unlock` first");
        return NULL;
    }
    if (writes && office->state == OFFICE_STOPPED) {
        (void)error_set(error, ERROR_STOPPED, "the office has stopped and records nothing: %s", office->stop.message);
        return NULL;
    }
    /* One whose first batch is not recorded may still be forgotten: nothing may hang on it. */
    for (size_t i = 0; i < office->line_count; i++)
        if (span_equal(name, span_of_string(office->line[i]->name)) &&
            (office->line[i]->second.size > 0 || office->line[i]->asking))
            return office->line[i];
    (void)error_set(error, ERROR_NOT_FOUND, "there is no line %.*s here; `liaison line list` says which there are",
                    text_is_line_name(name) ? (int)name.size : (int)strlen(of_that_name),
                    text_is_line_name(name) ? (const char *)name.data : of_that_name);
    return NULL;
}

struct line *core_line_to_append(struct office *office, struct span name, struct error *error)
{
    struct line *line = core_line(office, name, true, error);

    if (line == NULL || !line->asking)
        return line;
    (void)error_set(error, ERROR_ASKING,
                    "this office was restored from a copy and asks the others for its own log on the line %s: %llu of "
                    "%llu entries are here. Nothing is signed until all are; nothing was recorded",
                    line->name, (unsigned long long)line->second.size, (unsigned long long)line->known[line->me].size);
    return NULL;
}

int core_parse_entry(const struct line *line, struct span text, unsigned *member, uint64_t *index, struct error *error)
{
    const uint8_t *slash = text.size > 0 ? memrchr(text.data, '/', text.size) : NULL;
    int found = slash == NULL ? -1 : charter_member(line->charter, span_of(text.data, (size_t)(slash - text.data)));

    if (slash == NULL || !text_to_number(span_from(text, (size_t)(slash - text.data) + 1), TREE_SIZE_MAX - 1, index))
        return error_set(error, ERROR_USAGE, "an entry is named like washington.example/17");
    if (found < 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "no member of this line, or more than one, has the name before the \"/\"");
    *member = (unsigned)found;
    if (*index >= sync_durable(line->sync, *member) && overtaken_find(line, *member, *index) == NULL)
        return error_set(error, ERROR_NOT_FOUND,
                         "%s/%llu is not in the record: %llu entries of its author are held here",
                         line->member[*member].name, (unsigned long long)*index,
                         (unsigned long long)sync_durable(line->sync, *member));
    return 0;
}

void core_turn(struct office *office)
{
    open_gates(office);
    if (office->state != OFFICE_READY)
        return;
    links_turn(office);
    commit_some(office);
    fold_some(office);
    scrub_some(office);
}

struct monotonic office_next(const struct office *office)
{
    struct monotonic next = links_next(office);

    if (office->state != OFFICE_READY)
        return NEVER;
    next = monotonic_earlier(next, fold_next(office));
    /* While a batch is out no other can be made, and when it is back there is a turn. */
    if (core_is_lazy(office) && !office->committing)
        next = monotonic_earlier(next, office->lazy_at);
    if (office->truncate && !office->committing)
        next = monotonic_earlier(next, office->truncate_at);
    for (size_t i = 0; i < office->line_count; i++) {
        next = monotonic_earlier(next, sync_next(office->line[i]->sync));
        if (office->line[i]->settle_due)
            next = monotonic_earlier(next, office->line[i]->settle_at);
    }
    return next;
}

void office_step(struct office *office, struct now now)
{
    office->now = now;
    if (office->state != OFFICE_READY)
        return;
    for (size_t i = 0; i < office->line_count; i++) {
        struct line *line = office->line[i];

        if (sync_next(line->sync).us <= now.monotonic.us)
            sync_step(line->sync, now);
        if (line->settle_due && line->settle_at.us <= now.monotonic.us)
            heads_settle(office, line);
    }
    links_step(office);
    core_turn(office);
}
