/*
 * What befalls a world: the mix that its seed draws, and each fault as it falls.
 */
#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const befalls_names[BEFALLS_COUNT] = {"say",  "power-cut", "kill", "cut",   "block",
                                                         "jump", "trouble",   "full", "beyond"};

/* --- the mix -------------------------------------------------------------------------------------------------------
 */

static void plan_timer(struct world *world, enum befalls which, uint64_t likely, uint64_t least, uint64_t most)
{
    struct timer *timer = &world->timer[which];
    struct buffer text = {0};

    timer->at = UINT64_MAX;
    if (!world_one_in(world, likely))
        return;
    timer->mean = world_draw(world, least, most);
    timer->at = world->time + random_below(&world->random, 2 * timer->mean);
    buffer_print(&text, " %s=%" PRIu64 "ms", befalls_names[which], timer->mean / 1000);
    if (strlen(world->result->plan) + text.size < sizeof world->result->plan)
        strcat(world->result->plan, buffer_string(&text));
    buffer_free(&text);
}

/* One member may be false, with a few tricks. */
static void plan_foe(struct world *world)
{
    struct buffer text = {0};

    if (world->control != CONTROL_COMMITMENT && !world_one_in(world, 3))
        return;
    world->false_party = (unsigned)random_below(&world->random, world->count);
    world->tricks =
        1u << (world->control == CONTROL_COMMITMENT ? TRICK_COMMITMENT : random_below(&world->random, TRICK_COUNT));
    for (unsigned i = 0; i < TRICK_COUNT; i++)
        world->tricks |= (unsigned)world_one_in(world, 6) << i;
    world->foe = foe_new(world->false_party, world->count, world->tricks, random_next(&world->random), &world->trace);
    oracle_distrust(world->oracle, world->false_party);
    buffer_print(&text, " foe=%u", world->false_party);
    for (unsigned i = 0; i < TRICK_COUNT; i++)
        if (world->tricks >> i & 1)
            buffer_print(&text, ":%s", trick_name((enum trick)i));
    if (strlen(world->result->plan) + text.size < sizeof world->result->plan)
        strcat(world->result->plan, buffer_string(&text));
    buffer_free(&text);
}

void world_look_at_alarms(struct world *world, struct party *party)
{
    for (size_t i = office_alarm_count(party->office); i-- > 0;) {
        const char *alarm = office_alarm(party->office, i);
        unsigned named = 0;
        int end = 0;

        if (sscanf(alarm, "party-%u on the line%n", &named, &end) != 1 || end == 0)
            continue;
        world->alarmed[party->number] = true;
        if (named < world->count && !oracle_excused(world->oracle, named) &&
            (world->foe == NULL || strstr(alarm, "one of the two is false") == NULL))
            oracle_condemn(world->oracle, "party %u raises an alarm against an honest party: %s", party->number, alarm);
    }
}

void world_plan_faults(struct world *world)
{
    plan_timer(world, SAY, 1, 20000, 1500000);
    plan_timer(world, POWER_CUT, 2, 1000000, 8000000);
    plan_timer(world, KILL, 3, 1000000, 8000000);
    plan_timer(world, CUT, 3, 500000, 8000000);
    plan_timer(world, BLOCK, 4, 1000000, 10000000);
    plan_timer(world, JUMP, 4, 1000000, 10000000);
    plan_timer(world, TROUBLE, 3, 2000000, 10000000);
    plan_timer(world, FULL, 5, 3000000, 15000000);
    /* Whoever looks for what the mark or reading back prevents need not look at worlds without such faults. */
    plan_timer(world, BEYOND, world->control == CONTROL_MARK || world->control == CONTROL_READING_BACK ? 1 : 5, 2000000,
               10000000);
    plan_foe(world);
    world->faults_fall = true;
}

void world_make_network(struct world *world, uint64_t seed)
{
    static const uint64_t latencies[] = {100, 1000, 20000, 300000};
    static const uint64_t rates[] = {100000000, 1000000, 30000};
    struct network_plan plan = {.latency_us = latencies[world_draw(world, 0, 3)],
                                .bytes_per_second = rates[world_draw(world, 0, 2)]};

    plan.jitter_us = plan.latency_us * world_draw(world, 0, 2);
    plan.splits = world_one_in(world, 2) ? (uint32_t)world_draw(world, 1000, 700000) : 0;
    world->network = network_new(seed, &plan);
    (void)snprintf(world->result->plan, sizeof world->result->plan,
                   "parties=%u latency=%" PRIu64 "us rate=%" PRIu64 " splits=%u", world->count, plan.latency_us,
                   plan.bytes_per_second, plan.splits);
}

/* --- what befalls them ---------------------------------------------------------------------------------------------
 */

static void trouble(struct world *world, struct party *party)
{
    struct disk *disk = world_one_in(world, 2) ? party->database : party->marks;
    struct disk_faults *faults = disk_faults(disk);

    switch (world_draw(world, 0, 3)) {
    case 0:
        faults->sync_fails = (uint32_t)world_draw(world, 50000, 1000000);
        break;
    case 1:
        faults->write_fails = (uint32_t)world_draw(world, 10000, 500000);
        break;
    case 2:
        faults->read_fails = (uint32_t)world_draw(world, 10000, 500000);
        break;
    default:
        faults->read_only = true;
    }
    party->disk_us = world_draw(world, 100, 200000);
    world->trouble_until[party->number] = world->time + world_draw(world, 10000, 2000000);
    trace_note(&world->trace, "%u has trouble with its disk", party->number);
}

static void fill_disk(struct world *world, struct party *party)
{
    struct disk *disk = world_one_in(world, 4) ? party->marks : party->database;
    struct disk_faults *faults = disk_faults(disk);
    uint64_t used = faults->room - disk_space(disk);

    faults->room = used + world_draw(world, 0, 100000);
    world->trouble_until[party->number] = world->time + world_draw(world, 1000000, 6000000);
    trace_note(&world->trace, "%u has a full disk", party->number);
}

void world_relieve(struct world *world, unsigned number)
{
    struct party *party = &world->party[number];
    const struct disk_faults none = {.room = UINT64_MAX};

    world->trouble_until[number] = UINT64_MAX;
    *disk_faults(party->database) = none;
    *disk_faults(party->marks) = none;
    party->disk_us = 300;
    trace_note(&world->trace, "%u has a good disk", number);
}

/* An old copy is put back, whole or without its WAL; bits turn, on the disk or on the way to it; writes get lost or go
 * astray. */
static void befall_beyond(struct world *world)
{
    struct party *party = &world->party[world->victim];
    uint64_t which = world->control == CONTROL_READING_BACK ? 5 : world_draw(world, 0, 5);

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
            world_kill_office(world, party);
        if (which == 0)
            disk_put_back(party->database, "liaison.db", buffer_span(&world->yesterday));
        disk_put_back(party->database, "liaison.db-wal",
                      which == 0 ? buffer_span(&world->yesterday_wal) : span_of(NULL, 0));
    } else if (which == 2) {
        disk_rot(party->database, "liaison.db");
    } else if (which == 3) {
        disk_faults(party->database)->write_lost = 100000;
    } else if (which == 5) {
        omit_break_memory(party->number);
    } else {
        disk_faults(party->database)->write_astray = 100000;
    }
}

void world_befall(struct world *world, enum befalls which)
{
    unsigned a = (unsigned)random_below(&world->random, world->count);
    unsigned b = (a + 1 + (unsigned)random_below(&world->random, world->count - 1)) % world->count;
    struct party *party = &world->party[a];

    world->timer[which].at = world->time + 1 + random_below(&world->random, 2 * world->timer[which].mean);
    if (which == SAY) {
        world_say(world);
    } else if (which == POWER_CUT && party_runs(party)) {
        if (world_one_in(world, 3))
            world_lose_power(world, party);
        else
            party->power.cut_at = party->power.calls + world_draw(world, 1, 60);
    } else if (which == KILL && party_runs(party)) {
        world_kill_office(world, party);
    } else if (which == CUT) {
        world->result->cuts += network_cut(world->network, a, b, world_one_in(world, 2), world->time);
    } else if (which == BLOCK) {
        world->result->blocks++;
        network_block(world->network, a, b, world->time + world_draw(world, 100000, 20000000));
    } else if (which == JUMP) {
        world->result->jumps++;
        party->clock.wall_off = (int64_t)world_draw(world, 0, 7200000000) - 3600000000;
    } else if (which == TROUBLE) {
        trouble(world, party);
    } else if (which == FULL) {
        fill_disk(world, party);
    } else if (which == BEYOND) {
        befall_beyond(world);
    }
}
