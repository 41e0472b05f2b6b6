#include "pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cryptography.h"
#include "system.h"
#include "vfs.h"

#define SEED 7
#define TURNS_MAX 1000
#define ROUNDS_MAX 20000
#define AWAY_US 1000 /* from the loss of power to the next start */

/* --- what others saw ----------------------------------------------------------------------------------------------
 */

static void mix(struct pair *pair, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        pair->digest = (pair->digest ^ bytes[i]) * UINT64_C(0x100000001b3);
}

void pair_mix(struct pair *pair, uint64_t first, uint64_t second, uint64_t third)
{
    const uint64_t numbers[] = {first, second, third};

    mix(pair, numbers, sizeof numbers);
}

struct now pair_now(struct pair *pair, unsigned party)
{
    oracle_acts(pair->oracle, party);
    return party_now(&pair->party[party], pair->time);
}

/* --- what an office says ------------------------------------------------------------------------------------------
 */

static unsigned party_named(const char *name)
{
    return (unsigned)strtoul(name + sizeof "party-" - 1, NULL, 10);
}

static void take_texts(struct pair *pair, const struct pair_request *request, const struct office_event *event)
{
    for (size_t i = 0; i < request->count; i++) {
        struct pair_text *text = &pair->text[request->first + i];

        text->is_out = false;
        text->recorded = event->error.code == ERROR_NONE;
        text->index = event->numbers != NULL ? event->numbers[i] : event->number + i;
        if (text->recorded)
            oracle_recorded(pair->oracle, text->party, request->first + i, text->index);
    }
}

static void take_view(struct pair *pair, unsigned party, const struct office_view *view, bool in_the_end)
{
    unsigned author = party_named(view->author);

    if (!view->readable && !pair->restored) /* the secrets of epochs since yesterday are lost */
        oracle_condemn(pair->oracle, "party %u cannot read %u/%" PRIu64, party, author, view->number);
    if (!view->readable || strcmp(view->kind, "message") != 0)
        return;
    if (in_the_end)
        oracle_shown(pair->oracle, party, author, view->number, view->text);
    else
        oracle_told(pair->oracle, party, author, view->number, view->text, view->precedence == PRECEDENCE_FLASH,
                    view->early);
}

static void replace(struct buffer *buffer, const struct buffer *from)
{
    buffer_reset(buffer);
    buffer_put_span(buffer, buffer_span(from));
}

static void take_reply(struct pair *pair, unsigned party, const struct office_event *event)
{
    struct pair_request *request = &pair->request[party];
    enum pair_asked asked = request->asked;

    request->asked = ASKED_NOTHING;
    request->answered = event->error.code == ERROR_NONE;
    trace_note(&pair->trace, "%u answers: %s", party, error_code_name(event->error.code));
    pair_mix(pair, 1, party, asked);
    if (!request->answered)
        oracle_condemn(pair->oracle, "party %u refuses: %s", party, event->error.message);
    if (asked == ASKED_TO_SAY)
        take_texts(pair, request, event);
    if (!request->answered)
        return;
    if (asked == ASKED_TO_FOUND) {
        replace(&pair->charter, &event->text);
        replace(&pair->courier, &event->text2);
    } else if (asked == ASKED_THE_NUMBER) {
        replace(&pair->charter, &event->text);
        replace(&pair->number, &event->text2);
    } else if (asked == ASKED_TO_SHOW) {
        for (size_t i = 0; i < event->view_count; i++)
            take_view(pair, party, &event->view[i], true);
        replace(&pair->position, &event->text);
        if (event->view_count == 0)
            buffer_reset(&pair->position);
    }
    if (party == pair->victim) {
        pair->confirmed |= asked == ASKED_TO_CONFIRM;
        pair->left |= asked == ASKED_TO_LEAVE;
        if (asked == ASKED_TO_LINK || asked == ASKED_TO_UNLINK)
            pair->promised[request->address] = asked;
    }
}

static void take_event(struct pair *pair, unsigned number, const struct office_event *event)
{
    struct party *party = &pair->party[number];

    switch (event->kind) {
    case OFFICE_REPLY:
        take_reply(pair, number, event);
        break;
    case OFFICE_DIAL:
        party_open_link(party, event->link, network_dial(pair->network, number, party_named(event->address.host), pair->time));
        break;
    case OFFICE_CLOSE:
        party_close_link(party, event->link, pair->time);
        break;
    case OFFICE_ENTRY:
        trace_note(&pair->trace, "%u tells of %s/%" PRIu64, number, event->view->author, event->view->number);
        take_view(pair, number, event->view, false);
        break;
    case OFFICE_STORED:
        trace_note(&pair->trace, "%u hears that %s keeps %s to %" PRIu64, number, event->outcome, event->party,
                   event->size);
        oracle_stored(pair->oracle, party_named(event->party), party_named(event->outcome), event->size);
        break;
    case OFFICE_LOG:
        trace_note(&pair->trace, "%u logs: %s", number, event->reason);
        pair->early += number == pair->victim && strstr(event->reason, "came before") != NULL &&
                       strstr(event->reason, "before 0 entries") == NULL;
        break;
    case OFFICE_LINK:
        trace_note(&pair->trace, "%u link %s: %s", number, event->up ? "up" : "down", event->reason);
        break;
    case OFFICE_STATE:
        break;
    }
}

/* --- dying and starting -------------------------------------------------------------------------------------------
 */

static void forget_requests(struct pair *pair, const char *how)
{
    trace_note(&pair->trace, "%u %s", pair->victim, how);
    pair->request[pair->victim].asked = ASKED_NOTHING;
    pair->request[pair->victim].answered = false;
    for (size_t i = 0; i < pair->text_count; i++)
        pair->text[i].is_out = pair->text[i].is_out && pair->text[i].party != pair->victim;
    pair->start_at = pair->time + AWAY_US;
}

static void lose_power(struct pair *pair)
{
    struct party *victim = &pair->party[pair->victim];

    forget_requests(pair, "loses its power");
    network_die(pair->network, pair->victim, false, pair->time);
    party_end(victim);
    disk_crash(victim->database);
    disk_crash(victim->marks);
    victim->power.off = false;
    if (pair->lost != NULL)
        pair->lost(pair->context, pair);
    oracle_inspect(pair->oracle, pair->victim);
}

void pair_kill(struct pair *pair)
{
    forget_requests(pair, "is killed");
    network_die(pair->network, pair->victim, false, pair->time);
    party_end(&pair->party[pair->victim]);
    disk_abandon(pair->party[pair->victim].database);
    disk_abandon(pair->party[pair->victim].marks);
}

static void look_at_state(struct pair *pair, unsigned party)
{
    const char *reason = NULL;

    if (office_state(pair->party[party].office, &reason) != OFFICE_STOPPED)
        return;
    if (party != pair->victim || !pair->restored)
        oracle_condemn(pair->oracle, "party %u has stopped, and nothing befell it: %s", party,
                       reason == NULL ? "" : reason);
    else if (reason == NULL || reason[0] == 0)
        oracle_condemn(pair->oracle, "party %u has stopped and does not say why", party);
}

static void start(struct pair *pair, unsigned number)
{
    struct party *party = &pair->party[number];
    struct error error = {0};
    bool started = false;

    oracle_acts(pair->oracle, number);
    oracle_started(pair->oracle, number);
    if (number == pair->victim) {
        pair->start_at = UINT64_MAX;
        pair->lives++;
        if (pair->starting != NULL)
            pair->starting(pair->context, pair);
    }
    party->clock.started = pair->time;
    started = party_start(party, pair->time, &error);
    if (started) {
        trace_note(&pair->trace, "%u starts", number);
        network_listen(pair->network, number, true);
        office_watch(party->office, true);
        pair_turn(pair, number);
    } else if (party->power.off) {
        lose_power(pair);
    } else if (!pair->restored || error.message[0] == 0) {
        oracle_condemn(pair->oracle, "party %u cannot start, and nothing befell it: %s", number, error.message);
    }
}

void pair_turn(struct pair *pair, unsigned number)
{
    struct party *party = &pair->party[number];
    bool more = true;

    oracle_acts(pair->oracle, number);
    for (int i = 0; more && i < TURNS_MAX; i++) {
        struct office_event event;

        more = false;
        if (party->power.off) {
            lose_power(pair);
            return;
        }
        party_send(party, pair->network, pair->time);
        party_take_job(party, pair->time);
        while (office_event(party->office, &event)) {
            take_event(pair, number, &event);
            office_event_free(&event);
            more = true;
        }
    }
    if (more)
        oracle_condemn(pair->oracle, "party %u never comes to rest", number);
    look_at_state(pair, number);
}

void pair_stop(struct pair *pair)
{
    struct party *victim = &pair->party[pair->victim];
    uint64_t lives = pair->lives;

    office_finish(victim->office, pair_now(pair, pair->victim));
    pair_turn(pair, pair->victim);
    while (pair->lives == lives && party_runs(victim) && office_is_busy(victim->office) &&
           oracle_verdict(pair->oracle) == NULL)
        pair_pass(pair, 100);
    if (pair->lives != lives || !party_runs(victim))
        return;
    forget_requests(pair, "ends");
    network_die(pair->network, pair->victim, false, pair->time);
    party_stop(victim);
    if (victim->power.off)
        lose_power(pair);
}

void pair_restore(struct pair *pair)
{
    struct party *victim = &pair->party[pair->victim];

    pair->restored = true;
    oracle_excuse(pair->oracle, pair->victim, true);
    lose_power(pair);
    disk_put_back(victim->database, "liaison.db", buffer_span(&pair->yesterday));
    disk_put_back(victim->database, "liaison.db-wal", buffer_span(&pair->yesterday_wal));
}

/* --- time ---------------------------------------------------------------------------------------------------------
 */

static void take_network(struct pair *pair)
{
    struct network_event event;

    while (network_take(pair->network, pair->time, &event)) {
        struct party *party = &pair->party[event.party];
        struct now now = pair_now(pair, event.party);

        if (event.party != pair->victim) {
            pair_mix(pair, 2, event.kind, event.bytes.size);
            mix(pair, event.bytes.data, event.bytes.size);
        }
        party_take(party, pair->network, &event, pair->time, now);
        buffer_free(&event.bytes);
        if (party_runs(party))
            pair_turn(pair, event.party);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void pair_go_on(struct pair *pair, uint64_t until)
{
    uint64_t next = earlier(earlier(network_next(pair->network), until), pair->start_at);

    for (unsigned i = 0; i < 2; i++)
        next = earlier(next, party_next(&pair->party[i]));
    pair->rounds = next > pair->time ? 0 : pair->rounds + 1;
    if (pair->rounds > ROUNDS_MAX)
        oracle_condemn(pair->oracle, "an office wants to be called again at once, for ever");
    pair->time = next > pair->time ? next : pair->time;
    pair->trace.time = pair->time;
    take_network(pair);
    if (pair->start_at <= pair->time)
        start(pair, pair->victim);
    for (unsigned i = 0; i < 2; i++) {
        if (party_next(&pair->party[i]) > pair->time)
            continue;
        oracle_acts(pair->oracle, i);
        if (i != pair->victim)
            pair_mix(pair, 4, pair->party[i].step, 0);
        party_step(&pair->party[i], pair->time);
        pair_turn(pair, i);
    }
}

void pair_pass(struct pair *pair, uint64_t us)
{
    uint64_t until = pair->time + us;

    while (pair->time < until && oracle_verdict(pair->oracle) == NULL)
        pair_go_on(pair, until);
}

void pair_await(struct pair *pair, bool (*done)(const struct pair *pair), uint64_t us, const char *what)
{
    uint64_t until = pair->time + us;

    while (!done(pair) && pair->time < until && oracle_verdict(pair->oracle) == NULL)
        pair_go_on(pair, until);
    if (!done(pair))
        oracle_condemn(pair->oracle, "%s does not come to pass", what);
}

void pair_make(struct pair *pair, unsigned victim, enum control control, bool print_events)
{
    static const struct network_plan plan = {.latency_us = 100, .bytes_per_second = 1000000};
    static const struct office_config config = {.keepalive_us = 5 * SECOND_US, .redial_max_us = 30 * SECOND_US};

    *pair = (struct pair){.victim = victim, .time = SECOND_US, .start_at = UINT64_MAX};
    cryptography_choose(true); /* what is cut here is the power of disks */
    vfs_register(SEED);
    vfs_drop_wal_syncs(control == CONTROL_WAL_SYNC);
    trace_start(&pair->trace, print_events);
    pair->trace.time = pair->time;
    pair->oracle = oracle_new(2, &pair->trace);
    pair->network = network_new(SEED, &plan);
    for (unsigned i = 0; i < 2; i++) {
        party_make(&pair->party[i], i, SEED, &config, control);
        start(pair, i);
    }
}

void pair_free(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++)
        party_free(&pair->party[i]);
    network_free(pair->network);
    oracle_free(pair->oracle);
    buffer_free(&pair->charter);
    buffer_free(&pair->courier);
    buffer_free(&pair->number);
    buffer_free(&pair->position);
    buffer_free(&pair->yesterday);
    buffer_free(&pair->yesterday_wal);
}
