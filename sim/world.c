#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vfs.h"

#define LINE "hotline"
#define TEXTS_MAX 1000
#define REQUESTS_MAX 2000 /* under way */
#define AGAIN_MAX 20      /* texts handed in again at a time */
#define TOKEN_SIZE 16
#define TURNS_MAX 1000   /* of an office, until it has nothing to do */
#define ROUNDS_MAX 20000 /* without time going on */
#define LIVENESS_US (900 * SECOND_US)
#define LOOK_US (SECOND_US / 2)

enum befalls { SAY, POWER_CUT, KILL, CUT, BLOCK, JUMP, TROUBLE, FULL, BEYOND, BEFALLS_COUNT };
static const char *const befalls_names[BEFALLS_COUNT] = {"say",  "power-cut", "kill", "cut",   "block",
                                                         "jump", "trouble",   "full", "beyond"};

struct timer {
    uint64_t mean; /* microseconds between two; 0: never */
    uint64_t at;
};

enum request_kind { REQUEST_NONE, REQUEST_FOUND, REQUEST_JOIN, REQUEST_LINK, REQUEST_SAY, REQUEST_SHOW };
struct request {
    enum request_kind kind;
    unsigned party;
    uint64_t text; /* the first */
    size_t count;
};

/* What a person wants to be said, until it is recorded. */
struct text {
    unsigned party;
    bool is_out; /* a request is under way */
    bool recorded;
    unsigned precedence;
    uint8_t token[TOKEN_SIZE];
    char text[ORACLE_TEXT_MAX];
};

struct world {
    struct random random;
    enum control control;
    struct trace trace;
    struct oracle *oracle;
    struct network *network;
    struct world_result *result;
    uint64_t time;
    unsigned rounds; /* since time went on */
    unsigned count;
    struct party party[NETWORK_PARTIES_MAX];
    uint64_t start_at[NETWORK_PARTIES_MAX]; /* when it starts again; UINT64_MAX: it runs */
    uint64_t trouble_until[NETWORK_PARTIES_MAX];
    uint64_t troubles[NETWORK_PARTIES_MAX]; /* what its disks had refused when it started */
    bool said_stopped[NETWORK_PARTIES_MAX];
    bool stays_stopped[NETWORK_PARTIES_MAX];
    struct timer timer[BEFALLS_COUNT];
    unsigned victim;                        /* of faults beyond the model */
    struct buffer yesterday, yesterday_wal; /* its database as it was */
    uint64_t safety_us, quiet_us;
    bool faults_fall;
    struct buffer charter, courier;
    size_t text_count, recorded;
    struct text text[TEXTS_MAX];
    struct request request[REQUESTS_MAX];
    struct buffer position; /* of what is shown in the end */
    uint64_t shown;
};

static void turn(struct world *world, struct party *party);

static uint64_t draw(struct world *world, uint64_t least, uint64_t most)
{
    return random_between(&world->random, least, most);
}

static bool one_in(struct world *world, uint64_t n)
{
    return random_below(&world->random, n) == 0;
}

static struct now now_of(struct world *world, struct party *party)
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

/* --- the mix -------------------------------------------------------------------------------------------------------
 */

static void plan_timer(struct world *world, enum befalls which, uint64_t likely, uint64_t least, uint64_t most)
{
    struct timer *timer = &world->timer[which];
    struct buffer text = {0};

    timer->at = UINT64_MAX;
    if (!one_in(world, likely))
        return;
    timer->mean = draw(world, least, most);
    timer->at = world->time + random_below(&world->random, 2 * timer->mean);
    buffer_print(&text, " %s=%" PRIu64 "ms", befalls_names[which], timer->mean / 1000);
    if (strlen(world->result->plan) + text.size < sizeof world->result->plan)
        strcat(world->result->plan, buffer_string(&text));
    buffer_free(&text);
}

static void plan_faults(struct world *world)
{
    plan_timer(world, SAY, 1, 20000, 1500000);
    plan_timer(world, POWER_CUT, 2, 1000000, 8000000);
    plan_timer(world, KILL, 3, 1000000, 8000000);
    plan_timer(world, CUT, 3, 500000, 8000000);
    plan_timer(world, BLOCK, 4, 1000000, 10000000);
    plan_timer(world, JUMP, 4, 1000000, 10000000);
    plan_timer(world, TROUBLE, 3, 2000000, 10000000);
    plan_timer(world, FULL, 5, 3000000, 15000000);
    /* Whoever looks for what the mark prevents need not look at worlds in which nothing is put back. */
    plan_timer(world, BEYOND, world->control == CONTROL_MARK ? 1 : 5, 2000000, 10000000);
    world->faults_fall = true;
}

static void make_network(struct world *world, uint64_t seed)
{
    static const uint64_t latencies[] = {100, 1000, 20000, 300000};
    static const uint64_t rates[] = {100000000, 1000000, 30000};
    struct network_plan plan = {.latency_us = latencies[draw(world, 0, 3)],
                                .bytes_per_second = rates[draw(world, 0, 2)]};

    plan.jitter_us = plan.latency_us * draw(world, 0, 2);
    plan.splits = one_in(world, 2) ? (uint32_t)draw(world, 1000, 700000) : 0;
    world->network = network_new(seed, &plan);
    (void)snprintf(world->result->plan, sizeof world->result->plan,
                   "parties=%u latency=%" PRIu64 "us rate=%" PRIu64 " splits=%u", world->count, plan.latency_us,
                   plan.bytes_per_second, plan.splits);
}

/* --- starting and dying --------------------------------------------------------------------------------------------
 */

static void note_end(struct world *world, struct party *party, bool silently, const char *how)
{
    trace_note(&world->trace, "%u %s", party->number, how);
    network_die(world->network, party->number, silently, world->time);
    party_end(party);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (world->request[i].party == party->number && world->request[i].kind == REQUEST_SAY) {
            for (size_t k = 0; k < world->request[i].count; k++)
                world->text[world->request[i].text + k].is_out = false;
            world->request[i].kind = REQUEST_NONE;
        }
    world->start_at[party->number] =
        world->time + (one_in(world, 4) ? draw(world, 1, 20000000) : draw(world, 1, 500000));
}

static void lose_power(struct world *world, struct party *party)
{
    note_end(world, party, one_in(world, 2), "loses its power");
    world->result->power_cuts++;
    disk_crash(party->database);
    disk_crash(party->marks);
    party->power = (struct power){.calls = party->power.calls};
    oracle_inspect(world->oracle, party->number);
}

static void kill_office(struct world *world, struct party *party)
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

static void start(struct world *world, struct party *party)
{
    struct error error = {0};

    oracle_acts(world->oracle, party->number);
    oracle_started(world->oracle, party->number);
    world->start_at[party->number] = UINT64_MAX;
    world->troubles[party->number] = troubles_of(party);
    world->said_stopped[party->number] = false;
    if (world->faults_fall && world->timer[POWER_CUT].mean > 0 && one_in(world, 3))
        party->power.cut_at = party->power.calls + draw(world, 1, 150); /* while it recovers */
    if (party->clock.started == 0 || one_in(world, 2))
        party->clock.started = world->time;
    if (party_start(party, world->time, &error)) {
        trace_note(&world->trace, "%u starts", party->number);
        network_listen(world->network, party->number, true);
        office_watch(party->office, true);
        turn(world, party);
        return;
    }
    trace_note(&world->trace, "%u cannot start: %s", party->number, error.message);
    if (party->power.off) {
        lose_power(world, party);
        return;
    }
    if (!may_stop(world, party))
        oracle_condemn(world->oracle, "party %u cannot start, and nothing befell it: %s", party->number, error.message);
    world->start_at[party->number] = world->time + draw(world, 500000, 3000000);
    if (!world->faults_fall && oracle_excused(world->oracle, party->number)) {
        world->stays_stopped[party->number] = true;
        world->start_at[party->number] = UINT64_MAX;
        (void)snprintf(world->result->stopped, sizeof world->result->stopped, "%s", error.message);
    }
}

static void look_at_state(struct world *world, struct party *party)
{
    const char *reason = NULL;

    if (office_state(party->office, &reason) != OFFICE_STOPPED || world->said_stopped[party->number])
        return;
    world->said_stopped[party->number] = true;
    trace_note(&world->trace, "%u has stopped: %s", party->number, reason == NULL ? "" : reason);
    if (reason == NULL || reason[0] == 0)
        oracle_condemn(world->oracle, "party %u has stopped and does not say why", party->number);
    else if (!may_stop(world, party))
        oracle_condemn(world->oracle, "party %u has stopped, and nothing befell it: %s", party->number, reason);
    if (troubles_of(party) != world->troubles[party->number]) {
        world->start_at[party->number] = world->time + draw(world, 100000, 2000000);
        return;
    }
    world->stays_stopped[party->number] = true;
    (void)snprintf(world->result->stopped, sizeof world->result->stopped, "%s", reason == NULL ? "" : reason);
}

/* --- what an office says -------------------------------------------------------------------------------------------
 */

static struct request *new_request(struct world *world, enum request_kind kind, unsigned party)
{
    size_t i = 0;

    while (i < REQUESTS_MAX && world->request[i].kind != REQUEST_NONE)
        i++;
    if (i == REQUESTS_MAX)
        abort();
    world->request[i] = (struct request){.kind = kind, .party = party};
    return &world->request[i];
}

static uint64_t number_of(const struct world *world, const struct request *request)
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
        struct text *text = &world->text[request->text + i];

        text->is_out = false;
        if (event->error.code != ERROR_NONE)
            continue;
        oracle_recorded(world->oracle, request->party, request->text + i,
                        event->numbers != NULL ? event->numbers[i] : event->number + i);
        text->recorded = true;
        world->recorded++;
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
        oracle_told(world->oracle, party, author, view->number, view->text, view->precedence == PRECEDENCE_FLASH);
}

static void take_reply(struct world *world, const struct office_event *event)
{
    struct request *request = &world->request[event->request - 1];
    enum request_kind kind = request->kind;

    request->kind = REQUEST_NONE;
    if (kind == REQUEST_SAY) {
        take_said(world, request, event);
        return;
    }
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
        party->end[event->link] =
            network_dial(world->network, party->number, party_named(event->address.host), world->time);
        party->ends_at[event->link] = 0;
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
static void turn(struct world *world, struct party *party)
{
    bool more = true;

    oracle_acts(world->oracle, party->number);
    for (int i = 0; more && i < TURNS_MAX; i++) {
        struct office_event event;

        more = false;
        if (party->power.off) {
            lose_power(world, party);
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

/* --- what people do ------------------------------------------------------------------------------------------------
 */

static void new_text(struct world *world, unsigned party)
{
    struct text *text = &world->text[world->text_count];
    size_t size = one_in(world, 8) ? draw(world, 500, ORACLE_TEXT_MAX - 1) : draw(world, 12, 200);
    int start = snprintf(text->text, sizeof text->text, "%zu ", world->text_count);

    memset(text->text + start, 'a' + (int)(world->text_count % 26), size > (size_t)start ? size - (size_t)start : 0);
    text->party = party;
    text->precedence = (unsigned)(one_in(world, 6) ? PRECEDENCE_FLASH : draw(world, 0, 2));
    random_fill(&world->random, text->token, sizeof text->token);
    oracle_handed_in(world->oracle, party, world->text_count, text->text);
    world->text_count++;
    world->result->texts++;
}

/* Hands in texts [first, first + count), which all are of one party. */
static void hand_in(struct world *world, uint64_t first, size_t count)
{
    struct office_message message[8];
    struct party *party = &world->party[world->text[first].party];
    struct request *request = new_request(world, REQUEST_SAY, party->number);

    request->text = first;
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        struct text *text = &world->text[first + i];

        message[i] = (struct office_message){.text = span_of_string(text->text),
                                             .language = span_of_string("en"),
                                             .token = span_of(text->token, TOKEN_SIZE),
                                             .precedence = text->precedence};
        text->is_out = true;
    }
    trace_note(&world->trace, "%u is handed %" PRIu64 " to %" PRIu64, party->number, first, first + count - 1);
    office_append(party->office, number_of(world, request), span_of_string(LINE), message, count, now_of(world, party));
    turn(world, party);
}

/* What was not answered is handed in again, with the token it had. */
static void hand_in_again(struct world *world)
{
    size_t again = 0;

    for (size_t i = 0; i < world->text_count && again < AGAIN_MAX; i++) {
        const struct text *text = &world->text[i];

        if (!text->recorded && !text->is_out && party_runs(&world->party[text->party]) &&
            !world->said_stopped[text->party]) {
            hand_in(world, i, 1);
            again++;
        }
    }
}

static void say(struct world *world)
{
    unsigned party = (unsigned)random_below(&world->random, world->count);
    uint64_t first = world->text_count;
    size_t count = one_in(world, 4) ? draw(world, 2, 8) : 1;

    hand_in_again(world);
    if (!party_runs(&world->party[party]) || world->text_count + count > TEXTS_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        new_text(world, party);
    hand_in(world, first, count);
}

/* --- what befalls them ---------------------------------------------------------------------------------------------
 */

static void trouble(struct world *world, struct party *party)
{
    struct disk *disk = one_in(world, 2) ? party->database : party->marks;
    struct disk_faults *faults = disk_faults(disk);

    switch (draw(world, 0, 3)) {
    case 0:
        faults->sync_fails = (uint32_t)draw(world, 50000, 1000000);
        break;
    case 1:
        faults->write_fails = (uint32_t)draw(world, 10000, 500000);
        break;
    case 2:
        faults->read_fails = (uint32_t)draw(world, 10000, 500000);
        break;
    default:
        faults->read_only = true;
    }
    party->disk_us = draw(world, 100, 200000);
    world->trouble_until[party->number] = world->time + draw(world, 10000, 2000000);
    trace_note(&world->trace, "%u has trouble with its disk", party->number);
}

static void fill_disk(struct world *world, struct party *party)
{
    struct disk *disk = one_in(world, 4) ? party->marks : party->database;
    struct disk_faults *faults = disk_faults(disk);
    uint64_t used = faults->room - disk_space(disk);

    faults->room = used + draw(world, 0, 100000);
    world->trouble_until[party->number] = world->time + draw(world, 1000000, 6000000);
    trace_note(&world->trace, "%u has a full disk", party->number);
}

static void relieve(struct world *world, unsigned number)
{
    struct party *party = &world->party[number];
    const struct disk_faults none = {.room = UINT64_MAX};

    world->trouble_until[number] = UINT64_MAX;
    *disk_faults(party->database) = none;
    *disk_faults(party->marks) = none;
    party->disk_us = 300;
    trace_note(&world->trace, "%u has a good disk", number);
}

/* An old copy is put back, whole or without its WAL; bits turn; writes get lost or go astray. */
static void befall_beyond(struct world *world)
{
    struct party *party = &world->party[world->victim];
    uint64_t which = draw(world, 0, 4);

    if (world->yesterday.size == 0) {
        disk_copy(party->database, "liaison.db", &world->yesterday);
        disk_copy(party->database, "liaison.db-wal", &world->yesterday_wal);
        return;
    }
    oracle_excuse(world->oracle, party->number);
    world->result->beyond++;
    trace_note(&world->trace, "%u is struck by %" PRIu64, party->number, which);
    if (which <= 1) {
        if (party_runs(party))
            kill_office(world, party);
        if (which == 0)
            disk_put_back(party->database, "liaison.db", buffer_span(&world->yesterday));
        disk_put_back(party->database, "liaison.db-wal",
                      which == 0 ? buffer_span(&world->yesterday_wal) : span_of(NULL, 0));
    } else if (which == 2) {
        disk_rot(party->database, "liaison.db");
    } else if (which == 3) {
        disk_faults(party->database)->write_lost = 100000;
    } else {
        disk_faults(party->database)->write_astray = 100000;
    }
}

static void befall(struct world *world, enum befalls which)
{
    unsigned a = (unsigned)random_below(&world->random, world->count);
    unsigned b = (a + 1 + (unsigned)random_below(&world->random, world->count - 1)) % world->count;
    struct party *party = &world->party[a];

    world->timer[which].at = world->time + 1 + random_below(&world->random, 2 * world->timer[which].mean);
    if (which == SAY) {
        say(world);
    } else if (which == POWER_CUT && party_runs(party)) {
        if (one_in(world, 3))
            lose_power(world, party);
        else
            party->power.cut_at = party->power.calls + draw(world, 1, 60);
    } else if (which == KILL && party_runs(party)) {
        kill_office(world, party);
    } else if (which == CUT) {
        world->result->cuts += network_cut(world->network, a, b, one_in(world, 2), world->time);
    } else if (which == BLOCK) {
        world->result->blocks++;
        network_block(world->network, a, b, world->time + draw(world, 100000, 20000000));
    } else if (which == JUMP) {
        world->result->jumps++;
        party->clock.wall_off = (int64_t)draw(world, 0, 7200000000) - 3600000000;
    } else if (which == TROUBLE) {
        trouble(world, party);
    } else if (which == FULL) {
        fill_disk(world, party);
    } else if (which == BEYOND) {
        befall_beyond(world);
    }
}

/* --- time ----------------------------------------------------------------------------------------------------------
 */

static void take_network(struct world *world)
{
    struct network_event event;

    while (network_take(world->network, world->time, &event)) {
        struct party *party = &world->party[event.party];
        int link = party_runs(party) ? party_link_of(party, event.end) : -1;
        struct now now = now_of(world, party);

        if (event.kind == NETWORK_ACCEPTED) {
            link = party_runs(party) ? office_link_accepted(party->office, now) : -1;
            if (link < 0) {
                network_close(world->network, event.end, world->time);
            } else {
                party->end[link] = event.end;
                party->ends_at[link] = 0;
            }
        } else if (link >= 0 && event.kind == NETWORK_CONNECTED) {
            office_link_connected(party->office, link, now);
        } else if (link >= 0 && event.kind == NETWORK_BYTES) {
            trace_note(&world->trace, "%u gets %zu bytes", party->number, event.bytes.size);
            office_link_input(party->office, link, buffer_span(&event.bytes), now);
        } else if (link >= 0 && event.kind == NETWORK_BROKEN) {
            party->end[link] = -1;
            office_link_broken(party->office, link, event.reason, now);
        }
        buffer_free(&event.bytes);
        if (party_runs(party))
            turn(world, party);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_time(const struct world *world)
{
    uint64_t next = network_next(world->network);

    for (unsigned i = 0; i < world->count; i++) {
        next = earlier(next, party_next(&world->party[i]));
        next = earlier(next, world->start_at[i]);
        next = earlier(next, world->trouble_until[i]);
    }
    for (size_t i = 0; i < BEFALLS_COUNT && world->faults_fall; i++)
        next = earlier(next, world->timer[i].at);
    return next;
}

static void step_party(struct world *world, struct party *party)
{
    unsigned i = party->number;

    if (world->trouble_until[i] <= world->time)
        relieve(world, i);
    if (world->start_at[i] <= world->time) {
        if (party_runs(party))
            kill_office(world, party);
        start(world, party);
    }
    if (party_next(party) <= world->time) {
        oracle_acts(world->oracle, i);
        party_step(party, world->time);
        turn(world, party);
    }
}

/* Goes on to what comes next, but not beyond `until`. */
static void go_on(struct world *world, uint64_t until)
{
    uint64_t next = earlier(next_time(world), until);

    world->rounds = next > world->time ? 0 : world->rounds + 1;
    if (world->rounds > ROUNDS_MAX)
        oracle_condemn(world->oracle, "an office wants to be called again at once, for ever");
    world->time = next > world->time ? next : world->time;
    world->trace.time = world->time;
    take_network(world);
    for (unsigned i = 0; i < world->count; i++)
        step_party(world, &world->party[i]);
    for (size_t i = 0; i < BEFALLS_COUNT && world->faults_fall; i++)
        if (world->timer[i].at <= world->time)
            befall(world, (enum befalls)i);
}

static void pass(struct world *world, uint64_t us)
{
    uint64_t until = world->time + us;

    while (world->time < until && oracle_verdict(world->oracle) == NULL)
        go_on(world, until);
}

static void await(struct world *world, const struct request *request)
{
    uint64_t until = world->time + 60 * SECOND_US;

    while (request->kind != REQUEST_NONE && world->time < until && oracle_verdict(world->oracle) == NULL)
        go_on(world, until);
    if (request->kind != REQUEST_NONE)
        oracle_condemn(world->oracle, "party %u does not answer", request->party);
}

/* --- from the beginning to the end ---------------------------------------------------------------------------------
 */

static void found_line(struct world *world)
{
    struct span card[NETWORK_PARTIES_MAX];
    struct request *request = new_request(world, REQUEST_FOUND, 0);

    for (unsigned i = 1; i < world->count; i++)
        card[i - 1] = buffer_span(&world->party[i].card);
    office_line_found(world->party[0].office, number_of(world, request), span_of_string(LINE), card, world->count - 1,
                      one_in(world, 2), now_of(world, &world->party[0]));
    turn(world, &world->party[0]);
    await(world, request);
    for (unsigned i = 1; i < world->count; i++) {
        request = new_request(world, REQUEST_JOIN, i);
        office_line_join(world->party[i].office, number_of(world, request), buffer_span(&world->charter),
                         buffer_span(&world->courier), span_of_string(LINE), now_of(world, &world->party[i]));
        turn(world, &world->party[i]);
        await(world, request);
    }
}

static void add_link(struct world *world, unsigned from, unsigned to)
{
    struct request *request = new_request(world, REQUEST_LINK, from);
    char address[32];

    (void)snprintf(address, sizeof address, "tcp://party-%u:1", to);
    office_link_add(world->party[from].office, number_of(world, request), span_of_string(LINE),
                    span_of_string(world->party[to].name), span_of_string(address), now_of(world, &world->party[from]));
    turn(world, &world->party[from]);
    await(world, request);
}

static void begin(struct world *world, uint64_t seed)
{
    random_start(&world->random, seed, 3);
    vfs_register(seed);
    vfs_drop_wal_syncs(world->control == CONTROL_WAL_SYNC);
    trace_start(&world->trace, world->trace.print);
    world->time = SECOND_US;
    world->count = (unsigned)draw(world, 2, 5);
    world->result->parties = world->count;
    world->oracle = oracle_new(world->count, &world->trace);
    make_network(world, seed);
    for (unsigned i = 0; i < world->count; i++) {
        party_make(&world->party[i], i, seed, world->control);
        world->party[i].clock.drift = (int32_t)draw(world, 0, 1000) - 500;
        world->party[i].clock.wall_off = (int64_t)draw(world, 0, 20000000) - 10000000;
        world->trouble_until[i] = UINT64_MAX;
        start(world, &world->party[i]);
    }
    found_line(world);
    for (unsigned a = 0; a < world->count; a++)
        for (unsigned b = a + 1; b < world->count; b++) {
            bool forward = one_in(world, 2);

            if (forward || one_in(world, 4))
                add_link(world, a, b);
            if (!forward)
                add_link(world, b, a);
        }
    world->victim = (unsigned)random_below(&world->random, world->count);
    world->safety_us = draw(world, 5, 30) * SECOND_US;
}

static void stop_faults(struct world *world)
{
    world->faults_fall = false;
    network_heal(world->network);
    for (unsigned i = 0; i < world->count; i++) {
        relieve(world, i);
        world->party[i].power.cut_at = 0;
    }
    trace_note(&world->trace, "faults stop");
}

static bool is_alive(const struct world *world, unsigned party)
{
    return party_runs(&world->party[party]) && !world->said_stopped[party];
}

/* What an office lacks that another one has, or does not know that it has; "" if nothing. */
static void look_for_gaps(const struct world *world, unsigned party, char gap[static 200])
{
    struct office_line_status *own = calloc(2, sizeof *own);

    if (own == NULL)
        abort();
    gap[0] = 0;
    office_line_status(world->party[party].office, 0, &own[0]);
    for (unsigned i = 0; i < world->count && gap[0] == 0; i++) {
        if (i == party || !is_alive(world, i))
            continue;
        office_line_status(world->party[i].office, 0, &own[1]);
        if (own[0].member[i].waiting != 0)
            (void)snprintf(gap, 200, "%u has no receipt of %u for %" PRIu64 " of its %" PRIu64 " entries", party, i,
                           own[0].member[i].waiting, own[0].member[party].size);
        for (unsigned author = 0; author < world->count; author++)
            if (own[0].member[author].size != own[1].member[author].size)
                (void)snprintf(gap, 200, "%u has %" PRIu64 " entries of %u, and %u has %" PRIu64, party,
                               own[0].member[author].size, author, i, own[1].member[author].size);
    }
    free(own);
}

/* What is still to be done; "" if nothing is. */
static void look_for_rest(const struct world *world, char rest[static 200])
{
    rest[0] = 0;
    for (unsigned i = 0; i < world->count && rest[0] == 0; i++)
        if (is_alive(world, i) && office_line_count(world->party[i].office) == 0)
            (void)snprintf(rest, 200, "%u has forgotten its line", i);
    for (unsigned i = 0; i < world->count && rest[0] == 0; i++) {
        if (is_alive(world, i))
            look_for_gaps(world, i, rest);
        else if (!world->stays_stopped[i])
            (void)snprintf(rest, 200, "%u does not run", i);
    }
    for (size_t i = 0; i < world->text_count && rest[0] == 0; i++)
        if (!world->text[i].recorded && !world->stays_stopped[world->text[i].party])
            (void)snprintf(rest, 200, "text %zu of %u is not recorded", i, world->text[i].party);
}

static void show_all(struct world *world, struct party *party)
{
    struct buffer after = {0};

    do {
        struct request *request = new_request(world, REQUEST_SHOW, party->number);

        buffer_reset(&after);
        buffer_put_span(&after, buffer_span(&world->position));
        office_entries(party->office, number_of(world, request), span_of_string(LINE), buffer_span(&after),
                       span_of(NULL, 0), 256, false);
        turn(world, party);
        await(world, request);
    } while (world->position.size > 0 && oracle_verdict(world->oracle) == NULL);
    oracle_shown_all(world->oracle, party->number);
    buffer_free(&after);
}

static void come_to_an_end(struct world *world)
{
    uint64_t until = world->time + LIVENESS_US;
    bool alive[NETWORK_PARTIES_MAX] = {false};
    char rest[200] = "";

    for (look_for_rest(world, rest); rest[0] != 0 && world->time < until && oracle_verdict(world->oracle) == NULL;) {
        hand_in_again(world);
        pass(world, LOOK_US);
        look_for_rest(world, rest);
    }
    if (rest[0] != 0)
        oracle_condemn(world->oracle, "the faults stopped %" PRIu64 " s ago: %s", LIVENESS_US / SECOND_US, rest);
    for (unsigned i = 0; i < world->count && oracle_verdict(world->oracle) == NULL; i++) {
        alive[i] = is_alive(world, i);
        oracle_inspect(world->oracle, i);
        if (alive[i])
            show_all(world, &world->party[i]);
    }
    if (oracle_verdict(world->oracle) == NULL)
        oracle_conclude(world->oracle, alive);
}

static void report(struct world *world)
{
    struct world_result *result = world->result;

    if (oracle_verdict(world->oracle) != NULL)
        (void)snprintf(result->verdict, sizeof result->verdict, "%s", oracle_verdict(world->oracle));
    result->heads = oracle_heads(world->oracle);
    result->receipts = oracle_receipts(world->oracle);
    result->entries = oracle_entries(world->oracle);
    result->time_us = world->time;
    for (unsigned i = 0; i < world->count; i++) {
        const struct disk_counts *counts[] = {disk_counts(world->party[i].database),
                                              disk_counts(world->party[i].marks)};

        for (size_t k = 0; k < 2; k++) {
            result->syncs += counts[k]->syncs;
            result->syncs_failed += counts[k]->syncs_failed;
            result->calls_failed += counts[k]->calls_failed;
            result->refused += counts[k]->refused;
        }
    }
    trace_note(&world->trace, "end: %" PRIu64 " syncs", result->syncs);
    result->digest = world->trace.digest;
    result->events = world->trace.events;
}

void world_run(uint64_t seed, enum control control, bool print_events, struct world_result *result)
{
    struct world *world = calloc(1, sizeof *world);

    if (world == NULL)
        abort();
    *result = (struct world_result){0};
    world->control = control;
    world->result = result;
    world->trace.print = print_events;
    begin(world, seed);
    pass(world, SECOND_US);
    plan_faults(world);
    pass(world, world->safety_us);
    stop_faults(world);
    come_to_an_end(world);
    report(world);
    for (unsigned i = 0; i < world->count; i++)
        party_free(&world->party[i]);
    network_free(world->network);
    oracle_free(world->oracle);
    buffer_free(&world->charter);
    buffer_free(&world->courier);
    buffer_free(&world->yesterday);
    buffer_free(&world->yesterday_wal);
    buffer_free(&world->position);
    free(world);
}
