/*
 * A machine's life: it starts, dies, and turns; and what its office says meanwhile.
 */
#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TURNS_MAX 1000 /* of an office, until it has nothing to do */

uint64_t world_draw(struct world *world, uint64_t least, uint64_t most)
{
    return random_between(world->chance, least, most);
}

uint64_t world_draw_time(struct world *world, uint64_t least, uint64_t most, uint64_t limit)
{
    uint64_t us = world_draw(world, least, most) * world->pace.times;

    return us < limit ? us : limit;
}

bool world_one_in(struct world *world, uint64_t n)
{
    return random_below(world->chance, n) == 0;
}

struct now world_now_of(struct world *world, struct party *party)
{
    oracle_acts(world->oracle, party->number);
    return party_now(party, world->time);
}

static uint64_t troubles_of(const struct party *party)
{
    const struct disk_counts *database = disk_counts(party->database);
    const struct disk_counts *marks = disk_counts(party->marks);

    return database->calls_failed + database->refused + marks->calls_failed + marks->refused;
}

/* --- starting and dying --------------------------------------------------------------------------------------------
 */

/* How long a machine is down. */
static uint64_t draw_pause(struct world *world)
{
    if (world->pace.storm || world_one_in(world, 2))
        return world_draw(world, 1, 100000);
    if (world_one_in(world, 2))
        return world_draw_time(world, 1, 500000, DAY_US);
    return world_draw_time(world, 1, 20000000, 30 * DAY_US);
}

static void note_end(struct world *world, struct party *party, bool silently, const char *how)
{
    trace_note(&world->trace, "%u %s", party->number, how);
    network_die(world->network, party->number, silently, world->time);
    party_end(party);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        struct request *request = &world->request[i];

        if (request->kind != REQUEST_SAY || request->party != party->number)
            continue;
        for (size_t k = 0; k < request->count; k++)
            world->text[request->text[k]].is_out = false;
        free(request->text);
        *request = (struct request){0};
    }
    world->start_at[party->number] = world->time + draw_pause(world);
}

void world_lose_power(struct world *world, struct party *party)
{
    note_end(world, party, world_one_in(world, 2), "loses its power");
    world->result->power_cuts++;
    disk_crash(party->database);
    disk_crash(party->marks);
    party->power = (struct power){.calls = party->power.calls};
    oracle_inspect(world->oracle, party->number);
}

void world_kill_office(struct world *world, struct party *party)
{
    note_end(world, party, false, "is killed");
    world->result->kills++;
    disk_abandon(party->database);
    disk_abandon(party->marks);
}

/* Whether something befell its disks that an office may blame. */
static bool may_stop(const struct world *world, const struct party *party)
{
    return troubles_of(party) != world->troubles[party->number] || oracle_excused(world->oracle, party->number);
}

/* How long people wait before they start an office again that has stopped. */
static uint64_t draw_patience(struct world *world)
{
    return world->faults_fall ? world_draw_time(world, 100000, 3000000, DAY_US / 8)
                              : world_draw(world, 100000, 3000000);
}

void world_start(struct world *world, struct party *party)
{
    struct error error = {0};

    oracle_acts(world->oracle, party->number);
    oracle_started(world->oracle, party->number);
    world->start_at[party->number] = UINT64_MAX;
    world->troubles[party->number] = troubles_of(party);
    world->said_stopped[party->number] = false;
    if (world->faults_fall && world->recovery_cuts[party->number] > 0) {
        world->recovery_cuts[party->number]--;
        party->power.cut_at = party->power.calls + world_draw(world, 1, 150);
    }
    if (party->clock.started == 0 || world_one_in(world, 2))
        party->clock.started = world->time;
    if (party_start(party, world->time, &error)) {
        trace_note(&world->trace, "%u starts", party->number);
        network_listen(world->network, party->number, true);
        office_watch(party->office, true);
        world_turn(world, party);
        return;
    }
    trace_note(&world->trace, "%u cannot start: %s", party->number, error.message);
    if (party->power.off) {
        world_lose_power(world, party);
        return;
    }
    if (!may_stop(world, party))
        oracle_condemn(world->oracle, "party %u cannot start, and nothing befell it: %s", party->number, error.message);
    world->start_at[party->number] = world->time + draw_patience(world);
    if (!world->faults_fall && oracle_excused(world->oracle, party->number)) {
        world->stays_stopped[party->number] = true;
        world->start_at[party->number] = UINT64_MAX;
        (void)snprintf(world->result->stopped, sizeof world->result->stopped, "%s", error.message);
    }
}

/* The copy that was put back is older than the line: people join it again, and dial whom they know. */
static void join_again(struct world *world, struct party *party)
{
    struct request *request = world_new_request(world, REQUEST_JOIN, party->number);

    trace_note(&world->trace, "%u joins again", party->number);
    office_line_join(party->office, world_number_of(world, request), buffer_span(&world->charter),
                     buffer_span(&world->courier), span_of_string(LINE), world_now_of(world, party));
    for (unsigned i = 0; i < world->count; i++) {
        char address[32];

        if (i == party->number)
            continue;
        (void)snprintf(address, sizeof address, "tcp://party-%u:1", i);
        request = world_new_request(world, REQUEST_LINK, party->number);
        office_link_add(party->office, world_number_of(world, request), span_of_string(LINE),
                        span_of_string(world->party[i].name), span_of_string(address), world_now_of(world, party));
    }
    world_turn(world, party);
}

static void look_at_state(struct world *world, struct party *party)
{
    const char *reason = NULL;
    enum office_state state = office_state(party->office, &reason);

    if (!oracle_distrusts(world->oracle, party->number))
        world_look_at_alarms(world, party);
    if (state == OFFICE_ASKING && !oracle_excused(world->oracle, party->number))
        oracle_condemn(world->oracle, "party %u asks for its own log, and nothing befell it: %s", party->number,
                       reason);
    if (state == OFFICE_ASKING && office_line_count(party->office) == 0) {
        join_again(world, party);
        return;
    }
    if (state != OFFICE_STOPPED || world->said_stopped[party->number])
        return;
    world->said_stopped[party->number] = true;
    trace_note(&world->trace, "%u has stopped: %s", party->number, reason == NULL ? "" : reason);
    if (reason == NULL || reason[0] == 0)
        oracle_condemn(world->oracle, "party %u has stopped and does not say why", party->number);
    else if (!may_stop(world, party))
        oracle_condemn(world->oracle, "party %u has stopped, and nothing befell it: %s", party->number, reason);
    if (troubles_of(party) != world->troubles[party->number]) {
        world->start_at[party->number] = world->time + draw_patience(world);
        return;
    }
    world->stays_stopped[party->number] = true;
    (void)snprintf(world->result->stopped, sizeof world->result->stopped, "%s", reason == NULL ? "" : reason);
}

/* --- what an office says -------------------------------------------------------------------------------------------
 */

struct request *world_new_request(struct world *world, enum request_kind kind, unsigned party)
{
    size_t i = 0;

    while (i < REQUESTS_MAX && world->request[i].kind != REQUEST_NONE)
        i++;
    if (i == REQUESTS_MAX)
        abort();
    world->request[i] = (struct request){.kind = kind, .party = party};
    return &world->request[i];
}

uint64_t world_number_of(const struct world *world, const struct request *request)
{
    return (uint64_t)(request - world->request) + 1;
}

static unsigned party_named(const char *name)
{
    return (unsigned)strtoul(name + sizeof "party-" - 1, NULL, 10);
}

static void take_said(struct world *world, const struct request *request, const struct office_event *event)
{
    trace_note(&world->trace, "%u answers %" PRIu64 ": %s %" PRIu64, request->party, event->request,
               error_code_name(event->error.code), event->number);
    for (size_t i = 0; i < request->count; i++) {
        struct text *text = &world->text[request->text[i]];

        text->is_out = false;
        if (event->error.code != ERROR_NONE)
            continue;
        oracle_recorded(world->oracle, request->party, request->text[i],
                        event->numbers != NULL ? event->numbers[i] : event->number + i);
        text->recorded = true;
    }
}

static void take_view(struct world *world, unsigned party, const struct office_view *view, bool in_the_end)
{
    unsigned author = party_named(view->author);

    if (!view->readable && !oracle_excused(world->oracle, party) && !oracle_excused(world->oracle, author))
        oracle_condemn(world->oracle, "party %u cannot read %u/%" PRIu64, party, author, view->number);
    if (!view->readable || strcmp(view->kind, "message") != 0)
        return;
    if (in_the_end)
        oracle_shown(world->oracle, party, author, view->number, view->text);
    else
        oracle_told(world->oracle, party, author, view->number, view->text, view->precedence == PRECEDENCE_FLASH,
                    view->early && omitted() != CONTROL_GAP);
}

static void take_reply(struct world *world, const struct office_event *event)
{
    struct request *request = &world->request[event->request - 1];
    enum request_kind kind = request->kind;

    if (kind == REQUEST_SAY)
        take_said(world, request, event);
    free(request->text);
    *request = (struct request){.party = request->party};
    if (kind == REQUEST_SAY)
        return;
    if (event->error.code == ERROR_STORAGE && oracle_excused(world->oracle, request->party))
        return; /* it has stopped */
    if (event->error.code != ERROR_NONE)
        oracle_condemn(world->oracle, "party %u refuses: %s", request->party, event->error.message);
    if (kind == REQUEST_FOUND) {
        buffer_put_span(&world->charter, buffer_span(&event->text));
        buffer_put_span(&world->courier, buffer_span(&event->text2));
    }
    buffer_reset(&world->position);
    for (size_t i = 0; kind == REQUEST_SHOW && i < event->view_count; i++)
        take_view(world, request->party, &event->view[i], true);
    if (kind == REQUEST_SHOW && event->view_count > 0)
        buffer_put_span(&world->position, buffer_span(&event->text));
    world->shown += kind == REQUEST_SHOW ? event->view_count : 0;
}

static void take_event(struct world *world, struct party *party, const struct office_event *event)
{
    switch (event->kind) {
    case OFFICE_REPLY:
        take_reply(world, event);
        break;
    case OFFICE_DIAL:
        party_open_link(party, event->link,
                        network_dial(world->network, party->number, party_named(event->address.host), world->time));
        break;
    case OFFICE_CLOSE:
        party_close_link(party, event->link, world->time);
        break;
    case OFFICE_ENTRY:
        trace_note(&world->trace, "%u tells of %s/%" PRIu64, party->number, event->view->author, event->view->number);
        take_view(world, party->number, event->view, false);
        break;
    case OFFICE_STORED:
        trace_note(&world->trace, "%u hears that %s keeps %s to %" PRIu64, party->number, event->outcome, event->party,
                   event->size);
        oracle_stored(world->oracle, party_named(event->party), party_named(event->outcome), event->size);
        break;
    case OFFICE_LOG:
        trace_note(&world->trace, "%u logs: %s", party->number, event->reason);
        break;
    case OFFICE_LINK:
        trace_note(&world->trace, "%u link to %s %s: %s", party->number, event->party, event->up ? "up" : "down",
                   event->reason);
        break;
    case OFFICE_STATE:
        break;
    }
}

/* What came in is acted on until there is nothing more to do. */
void world_turn(struct world *world, struct party *party)
{
    bool more = true;

    oracle_acts(world->oracle, party->number);
    for (int i = 0; more && i < TURNS_MAX; i++) {
        struct office_event event;

        more = false;
        if (party->power.off) {
            world_lose_power(world, party);
            return;
        }
        party_send(party, world->network, world->time);
        party_take_job(party, world->time);
        while (office_event(party->office, &event)) {
            take_event(world, party, &event);
            office_event_free(&event);
            more = true;
        }
    }
    if (more)
        oracle_condemn(world->oracle, "party %u never comes to rest", party->number);
    look_at_state(world, party);
}
