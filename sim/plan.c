/*
 * What a seed draws before anything happens.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "cryptography.h"
#include "world_internal.h"

#define REAL_EVERY 8                           /* so many seeds, and one of them has real cryptography */
#define KEEPALIVE_MOST (24 * 3600 * SECOND_US) /* what liaisond takes */
#define STREAM_TIMERS 1000
#define STREAM_QUOTAS 3000
#define QUOTA_TIMES_LEAST 1000000 /* the quickest pace with quotas that matter */
#define FOE_TIMES_MOST 2000       /* the slowest pace with a foe */

static const char *const names[BEFALLS_COUNT] = {"say",  "power-cut", "kill", "cut",     "block", "swizzle",
                                                 "flap", "island",    "jump", "trouble", "full",  "beyond"};

static void print(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(struct world *world, const char *format, ...)
{
    size_t size = strlen(world->result->plan);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(world->result->plan + size, sizeof world->result->plan - size, format, arguments);
    va_end(arguments);
}

/* --- the pace --------------------------------------------------------------------------------------------------------
 */

/* Half of the worlds live for seconds; of the others some for hours, some for weeks, and some for years. */
static uint64_t draw_times(struct world *world)
{
    uint64_t which = world_draw(world, 0, 9);

    if (which < 5)
        return 1;
    if (which < 7)
        return world_draw(world, 10, 2000);
    return which == 7 ? world_draw(world, 5000, 100000) : world_draw(world, 1000000, 3000000);
}

static uint64_t draw_patience(struct world *world)
{
    static const uint64_t usual[] = {SECOND_US / 2, 5 * SECOND_US, 5 * SECOND_US, 30 * SECOND_US};
    uint64_t us = world->pace.safety_us / world_draw(world, 50, 500);

    if (world->pace.times == 1)
        return usual[world_draw(world, 0, 3)];
    return us < SECOND_US ? SECOND_US : us > KEEPALIVE_MOST ? KEEPALIVE_MOST : us;
}

static void make_network(struct world *world)
{
    static const uint64_t latencies[] = {100, 1000, 20000, 300000};
    static const uint64_t rates[] = {100000000, 1000000, 30000};
    struct network_plan plan = {.latency_us = latencies[world_draw(world, 0, 3)],
                                .bytes_per_second = rates[world_draw(world, 0, 2)]};

    plan.jitter_us = plan.latency_us * world_draw(world, 0, 2);
    plan.splits = world_one_in(world, 2) ? (uint32_t)world_draw(world, 1000, 700000) : 0;
    world->network = network_new(world->orders->seed, &plan);
    print(world, " latency=%" PRIu64 "us rate=%" PRIu64 " splits=%u", plan.latency_us, plan.bytes_per_second,
          plan.splits);
}

void world_plan_pace(struct world *world)
{
    /* After each crash everything is read again, so where they are many there is not so much. */
    static const uint64_t bursts[2][6] = {
        {1, 64, REQUEST_TEXTS_MAX, REQUEST_TEXTS_MAX, REQUEST_TEXTS_MAX, REQUEST_TEXTS_MAX}, {1, 1, 8, 8, 8, 64}};
    struct pace *pace = &world->pace;

    world->result->real = world->orders->seed % REAL_EVERY == 0;
    cryptography_choose(!world->result->real);
    pace->times = draw_times(world);
    pace->storm = world_one_in(world, 5);
    pace->burst = bursts[pace->storm][world_draw(world, 0, 5)];
    pace->safety_us = world_draw(world, 5, 30) * SECOND_US * pace->times;
    pace->config.keepalive_us = draw_patience(world);
    pace->config.redial_max_us = draw_patience(world);
    print(world,
          "parties=%u crypto=%s pace=%" PRIu64 " safety=%" PRIu64 "s keepalive=%" PRIu64 "ms redial=%" PRIu64
          "ms burst=%" PRIu64,
          world->count, world->result->real ? "real" : "fast", pace->times, pace->safety_us / SECOND_US,
          pace->config.keepalive_us / 1000, pace->config.redial_max_us / 1000, pace->burst);
    make_network(world);
}

/* Of a stream of its own, so that worlds without are what they were. */
void world_plan_quotas(struct world *world)
{
    enum control control = world->orders->control;
    struct random random;

    random_start(&random, world->orders->seed, STREAM_QUOTAS);
    world->careless = CARELESS_NONE;
    if (world->pace.times >= QUOTA_TIMES_LEAST &&
        (random_below(&random, 2) == 0 || control == CONTROL_QUOTA || control == CONTROL_DELAY)) {
        world->quota.entries = random_between(&random, QUOTA_ENTRIES_MIN, 68);
        if (random_below(&random, 2) == 0)
            world->quota.bytes = random_between(&random, QUOTA_BYTES_MIN, 2 * QUOTA_BYTES_MIN);
        if (random_below(&random, 2) == 0 || control == CONTROL_DELAY)
            world->careless = (unsigned)random_below(&random, world->count);
        print(world, " quota=%" PRIu64 "/%" PRIu64, world->quota.entries, world->quota.bytes);
    }
    if (world->careless != CARELESS_NONE)
        print(world, " careless=%u", world->careless);
    quotas_start(world->oracle, world->quota.entries, world->quota.bytes, world->careless);
}

/* --- the mix of faults -----------------------------------------------------------------------------------------------
 */

static void plan_timer(struct world *world, enum befalls which, uint64_t likely, uint64_t least, uint64_t most)
{
    struct timer *timer = &world->timer[which];

    timer->at = UINT64_MAX;
    if (!world_one_in(world, likely))
        return;
    random_start(&timer->random, world->orders->seed, STREAM_TIMERS + which);
    timer->mean = world_draw(world, least, most) * world->pace.times;
    timer->at = world->time + random_below(&timer->random, 2 * timer->mean);
    print(world, " %s=%" PRIu64 "ms", names[which], timer->mean / 1000);
}

/* One member may be false, with a few tricks. Not for weeks: an office looks every five seconds for what a member says
 * to have and does not give, so that a year of that takes minutes, in which nothing else happens. */
static void plan_foe(struct world *world)
{
    bool commitment = world->orders->control == CONTROL_COMMITMENT;

    if (!commitment && (world->pace.times > FOE_TIMES_MOST || !world_one_in(world, 3)))
        return;
    world->false_party = (unsigned)random_below(&world->random, world->count);
    world->tricks = 1u << (commitment ? TRICK_COMMITMENT : random_below(&world->random, TRICK_COUNT));
    for (unsigned i = 0; i < TRICK_COUNT; i++)
        world->tricks |= (unsigned)world_one_in(world, 6) << i;
    world->foe = foe_new(world->false_party, world->count, world->tricks, random_next(&world->random), &world->trace);
    oracle_distrust(world->oracle, world->false_party);
    print(world, " foe=%u", world->false_party);
    for (unsigned i = 0; i < TRICK_COUNT; i++)
        if (world->tricks >> i & 1)
            print(world, ":%s", trick_name((enum trick)i));
}

void world_plan_faults(struct world *world)
{
    bool storm = world->pace.storm;
    enum control control = world->orders->control;

    plan_timer(world, SAY, 1, 20000, storm ? 300000 : 1500000);
    plan_timer(world, POWER_CUT, storm ? 1 : 2, storm ? 50000 : 1000000, storm ? 300000 : 8000000);
    plan_timer(world, KILL, 3, storm ? 50000 : 1000000, storm ? 300000 : 8000000);
    plan_timer(world, CUT, 3, 500000, 8000000);
    plan_timer(world, BLOCK, 4, 1000000, 10000000);
    plan_timer(world, SWIZZLE, 5, 2000000, 10000000);
    plan_timer(world, FLAP, 5, 2000000, 10000000);
    plan_timer(world, ISLAND, 5, 2000000, 10000000);
    plan_timer(world, JUMP, 4, 1000000, 10000000);
    plan_timer(world, TROUBLE, 3, 2000000, 10000000);
    plan_timer(world, FULL, 5, 3000000, 15000000);
    /* Whoever looks for what the mark or reading back prevents need not look at worlds without such faults. */
    plan_timer(world, BEYOND, control == CONTROL_MARK || control == CONTROL_READING_BACK ? 1 : 5, 2000000, 10000000);
    plan_foe(world);
    world->faults_fall = true;
}

const char *world_name_of(enum befalls which)
{
    return names[which];
}
