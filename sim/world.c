#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "keys.h"
#include "vfs.h"

#define ROUNDS_MAX 20000 /* without time going on */
#define LIVENESS_US (900 * SECOND_US)
#define LOOK_US (SECOND_US / 2)
#define PATIENCE_US (150 * SECOND_US) /* for what a foe names and never comes: people are told two minutes late */

/* --- time ----------------------------------------------------------------------------------------------------------
 */

static void take_network(struct world *world)
{
    struct network_event event;

    while (network_take(world->network, world->time, &event)) {
        struct party *party = &world->party[event.party];
        int link = party_runs(party) ? party_link_of(party, event.end) : -1;
        struct now now = world_now_of(world, party);

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
            world_turn(world, party);
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
        world_relieve(world, i);
    if (world->start_at[i] <= world->time) {
        if (party_runs(party))
            world_kill_office(world, party);
        world_start(world, party);
    }
    if (party_next(party) <= world->time) {
        oracle_acts(world->oracle, i);
        party_step(party, world->time);
        world_turn(world, party);
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
            world_befall(world, (enum befalls)i);
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
    struct request *request = world_new_request(world, REQUEST_FOUND, 0);

    for (unsigned i = 1; i < world->count; i++)
        card[i - 1] = buffer_span(&world->party[i].card);
    office_line_found(world->party[0].office, world_number_of(world, request), span_of_string(LINE), card,
                      world->count - 1, world_one_in(world, 2), world_now_of(world, &world->party[0]));
    world_turn(world, &world->party[0]);
    await(world, request);
    for (unsigned i = 1; i < world->count; i++) {
        request = world_new_request(world, REQUEST_JOIN, i);
        office_line_join(world->party[i].office, world_number_of(world, request), buffer_span(&world->charter),
                         buffer_span(&world->courier), span_of_string(LINE), world_now_of(world, &world->party[i]));
        world_turn(world, &world->party[i]);
        await(world, request);
    }
}

static void add_link(struct world *world, unsigned from, unsigned to)
{
    struct request *request = world_new_request(world, REQUEST_LINK, from);
    char address[32];

    (void)snprintf(address, sizeof address, "tcp://party-%u:1", to);
    office_link_add(world->party[from].office, world_number_of(world, request), span_of_string(LINE),
                    span_of_string(world->party[to].name), span_of_string(address),
                    world_now_of(world, &world->party[from]));
    world_turn(world, &world->party[from]);
    await(world, request);
}

static void begin(struct world *world, uint64_t seed)
{
    random_start(&world->random, seed, 3);
    vfs_register(seed);
    vfs_drop_wal_syncs(world->control == CONTROL_WAL_SYNC);
    trace_start(&world->trace, world->trace.print);
    world->time = SECOND_US;
    world->count = (unsigned)world_draw(world, 2, 5);
    world->result->parties = world->count;
    world->oracle = oracle_new(world->count, &world->trace);
    omit(world->control);
    keys_start(world->oracle);
    world_make_network(world, seed);
    for (unsigned i = 0; i < world->count; i++) {
        party_make(&world->party[i], i, seed, world->control);
        world->party[i].clock.drift = (int32_t)world_draw(world, 0, 1000) - 500;
        world->party[i].clock.wall_off = (int64_t)world_draw(world, 0, 20000000) - 10000000;
        world->trouble_until[i] = UINT64_MAX;
        world_start(world, &world->party[i]);
    }
    found_line(world);
    for (unsigned a = 0; a < world->count; a++)
        for (unsigned b = a + 1; b < world->count; b++) {
            bool forward = world_one_in(world, 2);

            if (forward || world_one_in(world, 4))
                add_link(world, a, b);
            if (!forward)
                add_link(world, b, a);
        }
    world->victim = (unsigned)random_below(&world->random, world->count);
    world->safety_us = world_draw(world, 5, 30) * SECOND_US;
}

static void stop_faults(struct world *world)
{
    world->faults_fall = false;
    network_heal(world->network);
    for (unsigned i = 0; i < world->count; i++) {
        world_relieve(world, i);
        world->party[i].power.cut_at = 0;
    }
    /* The foe goes on, or is heard of no more. */
    if (world->foe != NULL && world_one_in(world, 2)) {
        if (party_runs(&world->party[world->false_party]))
            world_kill_office(world, &world->party[world->false_party]);
        world->start_at[world->false_party] = UINT64_MAX;
    }
    trace_note(&world->trace, "faults stop");
}

static bool is_alive(const struct world *world, unsigned party)
{
    return party_runs(&world->party[party]) && !world->said_stopped[party] &&
           !oracle_distrusts(world->oracle, party);
}

/* The log of a foe that signs two histories, or heads of none, ends where it contradicts itself. */
static bool may_differ(const struct world *world, unsigned author)
{
    return world->foe != NULL && author == world->false_party &&
           (world->tricks & (1u << TRICK_HEADS | 1u << TRICK_FORK)) != 0;
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
            if (!may_differ(world, author) && own[0].member[author].size != own[1].member[author].size)
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
        else if (!world->stays_stopped[i] && !oracle_distrusts(world->oracle, i))
            (void)snprintf(rest, 200, "%u does not run", i);
    }
    for (size_t i = 0; i < world->text_count && rest[0] == 0; i++)
        if (!world->text[i].recorded && !world->stays_stopped[world->text[i].party] &&
            !oracle_distrusts(world->oracle, world->text[i].party))
            (void)snprintf(rest, 200, "text %zu of %u is not recorded", i, world->text[i].party);
}

static void show_all(struct world *world, struct party *party)
{
    struct buffer after = {0};

    do {
        struct request *request = world_new_request(world, REQUEST_SHOW, party->number);

        buffer_reset(&after);
        buffer_put_span(&after, buffer_span(&world->position));
        office_entries(party->office, world_number_of(world, request), span_of_string(LINE), buffer_span(&after),
                       span_of(NULL, 0), 256, false);
        world_turn(world, party);
        await(world, request);
    } while (world->position.size > 0 && oracle_verdict(world->oracle) == NULL);
    oracle_shown_all(world->oracle, party->number);
    buffer_free(&after);
}

/* Two histories were found at honest parties that speak to each other: one of them has said so. */
static void look_for_alarm(struct world *world, const bool *alive)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world->count; i++) {
        if (world->alarmed[i])
            return;
        count += alive[i];
    }
    if (count > 1)
        oracle_condemn(world->oracle, "party %u signed two histories, and nobody raised an alarm", world->false_party);
}

static void come_to_an_end(struct world *world)
{
    uint64_t until = world->time + LIVENESS_US;
    bool alive[NETWORK_PARTIES_MAX] = {false};
    char rest[200] = "";

    for (look_for_rest(world, rest); rest[0] != 0 && world->time < until && oracle_verdict(world->oracle) == NULL;) {
        world_hand_in_again(world);
        pass(world, LOOK_US);
        look_for_rest(world, rest);
    }
    if (rest[0] != 0)
        oracle_condemn(world->oracle, "the faults stopped %" PRIu64 " s ago: %s", LIVENESS_US / SECOND_US, rest);
    if (world->foe != NULL)
        pass(world, PATIENCE_US);
    for (unsigned i = 0; i < world->count && oracle_verdict(world->oracle) == NULL; i++) {
        alive[i] = is_alive(world, i);
        oracle_inspect(world->oracle, i);
        if (alive[i])
            show_all(world, &world->party[i]);
    }
    if (oracle_verdict(world->oracle) == NULL)
        oracle_conclude(world->oracle, alive);
    if (world->foe != NULL && oracle_saw_fork(world->oracle, world->false_party))
        look_for_alarm(world, alive);
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
    world_plan_faults(world);
    pass(world, world->safety_us);
    stop_faults(world);
    come_to_an_end(world);
    report(world);
    for (unsigned i = 0; i < world->count; i++)
        party_free(&world->party[i]);
    network_free(world->network);
    oracle_free(world->oracle);
    foe_free(world->foe);
    buffer_free(&world->charter);
    buffer_free(&world->courier);
    buffer_free(&world->yesterday);
    buffer_free(&world->yesterday_wal);
    buffer_free(&world->position);
    free(world);
}
