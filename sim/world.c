#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vfs.h"

#define ROUNDS_MAX 20000 /* without time going on */

/* --- time ----------------------------------------------------------------------------------------------------------
 */

static void take_network(struct world *world)
{
    struct network_event event;

    while (network_take(world->network, world->time, &event)) {
        struct party *party = &world->party[event.party];
        struct now now = world_now_of(world, party);

        if (event.kind == NETWORK_BYTES)
            trace_note(&world->trace, "%u gets %zu bytes", party->number, event.bytes.size);
        party_take(party, world->network, &event, world->time, now);
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
    return earlier(next, world_next_clog(world));
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
    world_clog(world);
}

static void pass(struct world *world, uint64_t us)
{
    uint64_t until = world->time + us;

    while (world->time < until && oracle_verdict(world->oracle) == NULL)
        go_on(world, until);
}

void world_await(struct world *world, const struct request *request)
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
                      world->count - 1, world_one_in(world, 2), world->quota, world_now_of(world, &world->party[0]));
    world_turn(world, &world->party[0]);
    world_await(world, request);
    for (unsigned i = 1; i < world->count; i++) {
        request = world_new_request(world, REQUEST_JOIN, i);
        office_line_join(world->party[i].office, world_number_of(world, request), buffer_span(&world->charter),
                         buffer_span(&world->courier), span_of_string(LINE), world_now_of(world, &world->party[i]));
        world_turn(world, &world->party[i]);
        world_await(world, request);
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
    world_await(world, request);
}

static void begin(struct world *world)
{
    uint64_t seed = world->orders->seed;

    random_start(&world->random, seed, 3);
    world->chance = &world->random;
    vfs_register(seed);
    vfs_drop_wal_syncs(world->orders->control == CONTROL_WAL_SYNC);
    trace_start(&world->trace, world->trace.print);
    world->time = SECOND_US;
    world->count = (unsigned)world_draw(world, 2, 5);
    world->result->parties = world->count;
    world->oracle = oracle_new(world->count, &world->trace);
    omit(world->orders->control);
    world_plan_pace(world);
    world_plan_quotas(world);
    for (unsigned i = 0; i < world->count; i++) {
        party_make(&world->party[i], i, seed, &world->pace.config, world->orders->control);
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
}

static void stop_faults(struct world *world)
{
    world->faults_fall = false;
    world->clog_count = 0;
    network_heal(world->network);
    for (unsigned i = 0; i < world->count; i++) {
        world_relieve(world, i);
        if (world->start_at[i] != UINT64_MAX)
            world->start_at[i] = earlier(world->start_at[i], world->time + 20 * SECOND_US);
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

static void report(struct world *world)
{
    struct world_result *result = world->result;

    if (oracle_verdict(world->oracle) != NULL)
        (void)snprintf(result->verdict, sizeof result->verdict, "%s", oracle_verdict(world->oracle));
    result->heads = oracle_heads(world->oracle);
    result->receipts = oracle_receipts(world->oracle);
    result->entries = oracle_entries(world->oracle);
    result->wrong = oracle_wrong(world->oracle);
    result->time_us = world->time;
    result->link_us = world->time * (world->count * (world->count - 1) / 2);
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

static void free_world(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        party_free(&world->party[i]);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        free(world->request[i].text);
    for (size_t i = 0; i < world->text_count; i++)
        free(world->text[i].text);
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

void world_run(const struct world_orders *orders, struct world_result *result)
{
    struct world *world = calloc(1, sizeof *world);

    if (world == NULL)
        abort();
    memset(result, 0, sizeof *result);
    world->orders = orders;
    world->result = result;
    world->trace.print = orders->print_events;
    begin(world);
    pass(world, SECOND_US);
    world_plan_faults(world);
    pass(world, world->pace.safety_us);
    stop_faults(world);
    world_come_to_an_end(world, pass);
    report(world);
    free_world(world);
}
