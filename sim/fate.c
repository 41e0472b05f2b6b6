/*
 * What befalls a world, one thing after the other.
 */
#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define STREAM_BEFALLS 100000

/* --- the ways between parties --------------------------------------------------------------------------------------
 */

static void plan_clog(struct world *world, unsigned from, unsigned to, uint64_t at, uint64_t until)
{
    if (world->clog_count < CLOGS_MAX)
        world->clog[world->clog_count++] = (struct clog){.at = at, .until = until, .from = from, .to = to};
}

uint64_t world_next_clog(const struct world *world)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < world->clog_count; i++)
        next = world->clog[i].at < next ? world->clog[i].at : next;
    return next;
}

void world_clog(struct world *world)
{
    for (size_t i = world->clog_count; i > 0; i--) {
        const struct clog clog = world->clog[i - 1];

        if (clog.at > world->time)
            continue;
        trace_note(&world->trace, "from %u to %u nothing gets through for %" PRIu64 " us", clog.from, clog.to,
                   clog.until - clog.at);
        network_block(world->network, clog.from, clog.to, clog.until);
        world->clog[i - 1] = world->clog[--world->clog_count];
        world->result->blocks++;
    }
}

/* Some directions clog one by one, and open one by one, in an order that has nothing to do with the first. */
static void swizzle(struct world *world)
{
    uint64_t length = world_draw_time(world, 200000, 8000000, 10 * DAY_US);

    world->result->partitions++;
    for (unsigned from = 0; from < world->count; from++)
        for (unsigned to = 0; to < world->count; to++)
            if (from != to && world_one_in(world, 2)) {
                uint64_t at = world->time + world_draw(world, 0, length);

                plan_clog(world, from, to, at, world->time + length + world_draw(world, 1, length));
            }
}

static void flap(struct world *world, unsigned a, unsigned b)
{
    uint64_t at = world->time;

    for (uint64_t times = world_draw(world, 2, 20); times > 0; times--) {
        uint64_t until = at + world_draw_time(world, 1000, 500000, DAY_US);

        plan_clog(world, a, b, at, until);
        if (world_one_in(world, 2))
            plan_clog(world, b, a, at, until);
        at = until + world_draw_time(world, 1000, 500000, DAY_US);
    }
}

/* Those within and those without do not reach each other. */
static void cut_island_off(struct world *world)
{
    uint64_t within = world_draw(world, 1, (UINT64_C(1) << world->count) - 2);
    uint64_t until = world->time + world_draw_time(world, 500000, 20000000, 60 * DAY_US);

    world->result->partitions++;
    for (unsigned from = 0; from < world->count; from++)
        for (unsigned to = 0; to < world->count; to++)
            if ((within >> from & 1) != (within >> to & 1))
                plan_clog(world, from, to, world->time, until);
}

/* --- what befalls them ---------------------------------------------------------------------------------------------
 */

static void trouble(struct world *world, struct party *party)
{
    struct disk *disk = world_one_in(world, 2) ? party->database : party->marks;
    struct disk_faults *faults = disk_faults(disk);

    switch (world_draw(world, 0, 4)) {
    case 0:
        faults->sync_fails = (uint32_t)world_draw(world, 50000, 1000000);
        faults->sync_sticks = world_one_in(world, 2);
        break;
    case 4:
        faults->cut_short = (uint32_t)world_draw(world, 10000, 500000);
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
    world->trouble_until[party->number] = world->time + world_draw_time(world, 10000, 2000000, DAY_US);
    trace_note(&world->trace, "%u has trouble with its disk", party->number);
}

static void fill_disk(struct world *world, struct party *party)
{
    struct disk *disk = world_one_in(world, 4) ? party->marks : party->database;
    struct disk_faults *faults = disk_faults(disk);
    uint64_t used = faults->room - disk_space(disk);

    faults->room = used + world_draw(world, 0, 100000);
    world->trouble_until[party->number] = world->time + world_draw_time(world, 1000000, 6000000, 3600 * SECOND_US);
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

/* From now on, until somebody looks after it. */
static void spoil_disk(struct party *party, uint64_t which)
{
    struct disk_faults *faults = disk_faults(party->database);

    if (which == 3)
        faults->write_lost = 100000;
    else if (which == 4)
        faults->write_astray = 100000;
    else if (which == 5)
        faults->read_astray = 50000;
    else if (which == 6)
        faults->read_turns = 50000;
    else
        faults->sync_late = 100000;
}

#define MEMORY 8 /* of what befalls beyond the model: it breaks between an office and its store */

/* An old copy is put back, whole or without its WAL; bits turn, on the disk or on the way to it; writes get lost or go
 * astray, so do reads; syncs lie. */
static void befall_beyond(struct world *world)
{
    struct party *party = &world->party[world->victim];
    uint64_t which = world->orders->control == CONTROL_READING_BACK ? MEMORY : world_draw(world, 0, MEMORY);

    if (world->yesterday.size == 0) {
        disk_copy(party->database, "liaison.db", &world->yesterday);
        disk_copy(party->database, "liaison.db-wal", &world->yesterday_wal);
        return;
    }
    oracle_excuse(world->oracle, party->number, which != MEMORY);
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
    } else if (which == MEMORY) {
        omit_break_memory(party->number);
    } else {
        spoil_disk(party, which);
    }
}

void world_look_at_alarms(struct world *world, struct party *party)
{
    for (size_t i = office_alarm_count(party->office); i-- > 0;) {
        const char *alarm = office_alarm(party->office, i);
        unsigned author = 0, by = 0;
        int end = 0;

        if (sscanf(alarm, "on the line %*[^,], what party-%u passes on of the log of party-%u does%n", &by, &author,
                   &end) != 2 ||
            end == 0) {
            if (sscanf(alarm, "party-%u on the line%n", &author, &end) != 1 || end == 0)
                continue;
            by = author;
        }
        world->alarmed[party->number] = true;
        if (author >= world->count || by >= world->count ||
            (!oracle_excused(world->oracle, author) && !oracle_excused(world->oracle, by)))
            oracle_condemn(world->oracle, "party %u raises an alarm against an honest party: %s", party->number, alarm);
    }
}

static void jump(struct world *world, struct party *party)
{
    uint64_t most = world_one_in(world, 4) ? 30 * DAY_US : 3600 * SECOND_US;

    world->result->jumps++;
    party->clock.wall_off = (int64_t)world_draw(world, 0, 2 * most) - (int64_t)most;
}

/* The power goes now, or in the midst of what the disks are asked soon; it may go again while the office recovers. */
static void cut_power(struct world *world, struct party *party)
{
    world->recovery_cuts[party->number] = world_one_in(world, 3) ? (unsigned)world_draw(world, 1, 3) : 0;
    if (world_one_in(world, 3))
        world_lose_power(world, party);
    else
        party->power.cut_at = party->power.calls + world_draw(world, 1, 60);
}

static void befall(struct world *world, enum befalls which)
{
    unsigned a = (unsigned)world_draw(world, 0, world->count - 1);
    unsigned b = (a + (unsigned)world_draw(world, 1, world->count - 1)) % world->count;
    struct party *party = &world->party[a];

    if (which == SAY) {
        world_say(world);
    } else if (which == POWER_CUT && party_runs(party)) {
        cut_power(world, party);
    } else if (which == KILL && party_runs(party)) {
        world_kill_office(world, party);
    } else if (which == CUT) {
        world->result->cuts += network_cut(world->network, a, b, world_one_in(world, 2), world->time);
    } else if (which == BLOCK) {
        plan_clog(world, a, b, world->time, world->time + world_draw_time(world, 100000, 20000000, 30 * DAY_US));
    } else if (which == SWIZZLE) {
        swizzle(world);
    } else if (which == FLAP) {
        flap(world, a, b);
    } else if (which == ISLAND) {
        cut_island_off(world);
    } else if (which == JUMP) {
        jump(world, party);
    } else if (which == TROUBLE) {
        trouble(world, party);
    } else if (which == FULL) {
        fill_disk(world, party);
    } else if (which == BEYOND) {
        befall_beyond(world);
    }
}

static bool is_left_out(const struct world_orders *orders, uint64_t number)
{
    for (size_t i = 0; i < orders->count; i++)
        if (orders->number[i] == number)
            return false;
    return orders->only;
}

void world_befall(struct world *world, enum befalls which)
{
    struct timer *timer = &world->timer[which];
    uint64_t number = ++world->befall_count;

    timer->at = world->time + 1 + random_below(&timer->random, 2 * timer->mean);
    if (is_left_out(world->orders, number) || number > BEFALLEN_MAX)
        return;
    world->result->befallen[world->result->befallen_count++] =
        (struct world_befallen){.number = number, .time_us = world->time, .what = world_name_of(which)};
    trace_note(&world->trace, "%" PRIu64 " befalls: %s", number, world_name_of(which));
    random_start(&world->befall, world->orders->seed, STREAM_BEFALLS + number);
    world->chance = &world->befall;
    befall(world, which);
    world->chance = &world->random;
}
