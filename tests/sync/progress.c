/*
 * Nothing waits for what does not come: once links are up and nothing is held back, everything is everywhere within
 * seconds, whatever was sent, lost, accepted or said before.
 */
#include "world.h"

#define SECONDS_MAX 3 /* of 80 ms there and back again, and some MiB */

static void hold_back(struct world *world, uint64_t us)
{
    world->commit_us = us;
    for (unsigned i = 0; i < world->count; i++)
        if (world->office[i].commit_at > world->us + us)
            world->office[i].commit_at = world->us + us;
}

/* What a database remembers of a log. */
static void load(struct office *office, unsigned member)
{
    const struct truth *truth = office->world->truth[member];
    struct copy *copy = &office->copy[member];
    struct head head = {0};
    struct receipt receipt;
    size_t newest = copy->head_count;

    copy->accepted = copy->size;
    while (newest > 0 && copy->head[newest - 1].size > copy->size)
        newest--;
    if (newest > 0)
        head = truth_head(truth, copy->head[newest - 1].size);
    sync_load(office->sync, member, &truth->frontier[copy->size], newest > 0 ? &head : NULL);
    if (member == office->me || newest == 0 || head.size != copy->size)
        return;
    receipt = truth_receipt(truth, &head, office->me);
    sync_load_receipt(office->sync, member, head.size, head.root, &receipt);
}

/* An office dies and starts again: what was not durable is gone, and nothing is at hand. */
static void restart(struct office *office)
{
    struct world *world = office->world;

    for (unsigned i = 0; i < world->wires; i++)
        if (world->wire[i].office[0] == office->me || world->wire[i].office[1] == office->me)
            wire_cut(world, &world->wire[i]);
    office_drop(office);
    office->sync = sync_new(&world->line.charter, office->me);
    if (office->sync == NULL)
        abort();
    for (unsigned member = 0; member < world->count; member++)
        load(office, member);
}

/* Whether everything is everywhere, and each author knows it. */
static bool is_complete(const struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        for (unsigned m = 0; m < world->count; m++)
            if (sync_durable(world->office[i].sync, m) != world->truth[m]->size ||
                (i != m && sync_receipted(world->office[m].sync, m, i) != world->truth[m]->size))
                return false;
    return true;
}

static void show(const struct world *world)
{
    for (unsigned i = 0; i < world->count; i++)
        for (unsigned m = 0; m < world->count; m++)
            printf("# %u has %zu of the %zu entries of %u, who has its receipt for %zu\n", i,
                   (size_t)sync_durable(world->office[i].sync, m), world->truth[m]->size, m,
                   (size_t)sync_receipted(world->office[m].sync, m, i));
}

/* All links are up and nothing is held back: the microseconds that all that is left takes, at most `us`. */
static uint64_t finish(struct world *world, uint64_t us)
{
    uint64_t start = world->us;

    hold_back(world, 20000);
    for (unsigned i = 0; i < world->wires; i++)
        wire_join(world, &world->wire[i]);
    while (world->us < start + us && !is_complete(world))
        world_step(world, 1000);
    if (!is_complete(world))
        show(world);
    CHECK(is_complete(world));
    for (unsigned i = 0; i < world->count; i++)
        CHECK(world->office[i].closed == 0 && world->office[i].alarms == 0 && world->office[i].own_ahead == 0);
    return world->us - start;
}

static void append_something(struct world *world)
{
    struct office *office = &world->office[world_random(world, world->count)];
    bool large = world_random(world, 30) == 0;
    size_t count = 1 + world_random(world, large ? 60 : 3);
    size_t size = 1 + world_random(world, large ? 20000 : 1000);

    if (count * size > ENTRIES_BYTES_MAX)
        count = ENTRIES_BYTES_MAX / size;
    if (world->truth[office->me]->size + count <= TRUTH_MAX / 2)
        office_append(office, count, size, world_random(world, 20) == 0);
}

static void disturb(struct world *world)
{
    static const uint64_t holds[] = {20000, 300000, 4000000};
    struct wire *wire = &world->wire[world_random(world, world->wires)];

    if (world_random(world, 8) == 0)
        append_something(world);
    if (world_random(world, 300) == 0) {
        if (wire->up)
            wire_cut(world, wire);
        else
            wire_join(world, wire);
    }
    if (world_random(world, 1000) == 0)
        restart(&world->office[world_random(world, world->count)]);
    if (world_random(world, 1000) == 0)
        hold_back(world, holds[world_random(world, 3)]);
}

/* Links break between any two messages, offices die, disks are slow; again and again there must be an end. */
static void rough(unsigned count, unsigned wires_each, bool in_a_row, uint64_t seeds, uint64_t seconds)
{
    uint64_t most = 0;

    for (uint64_t seed = 1; seed <= (seeds + TEST_SHARE - 1) / TEST_SHARE; seed++) {
        struct world *world = world_new(count, seed);

        for (unsigned a = 0; a < count; a++)
            for (unsigned b = a + 1; b < (in_a_row ? a + 2 : count) && b < count; b++)
                for (unsigned i = 0; i < wires_each; i++)
                    (void)world_wire(world, a, b);
        for (unsigned round = 0; round < 4 && !test_case_failed; round++) {
            uint64_t us = 0;

            for (uint64_t until = world->us + 3 * SECOND_US; world->us < until; world_step(world, 1000))
                disturb(world);
            us = finish(world, seconds * SECOND_US);
            most = us > most ? us : most;
        }
        if (test_case_failed)
            printf("# with seed %u\n", (unsigned)seed);
        world_free(world);
    }
    printf("# at most %u ms\n", (unsigned)(most / 1000));
}

static void two_members_come_to_an_end(void)
{
    rough(2, 1, false, 6, SECONDS_MAX);
}

static void two_members_over_three_links_come_to_an_end(void)
{
    rough(2, 3, false, 6, SECONDS_MAX);
}

static void three_members_come_to_an_end(void)
{
    rough(3, 1, false, 4, SYNC_WANT_AGAIN_US / SECOND_US + SECONDS_MAX);
}

static void members_in_a_row_come_to_an_end(void)
{
    rough(3, 2, true, 4, SYNC_WANT_AGAIN_US / SECOND_US + SECONDS_MAX);
}

/* Each of many settle heads is receipted; after a restart the author does not remember one of them. */
static void an_author_that_forgot_its_heads_goes_on(void)
{
    struct world *world = world_new(2, 1);
    struct wire *wire = world_wire(world, 0, 1);

    wire_cut(world, wire);
    for (unsigned i = 0; i < 2 * SYNC_FLIGHTS_MAX; i++) {
        office_append(&world->office[0], 1, 100, false);
        world->office[0].settle_at = 0;
        world_step(world, 1000);
    }
    restart(&world->office[0]);
    (void)finish(world, SECONDS_MAX * SECOND_US);
    world_free(world);
}

/* The same, forgotten since there were too many: what goes out lies far behind what is appended. */
static void an_author_far_ahead_of_its_receipts_goes_on(void)
{
    struct world *world = world_new(2, 1);
    struct wire *wire = world_wire(world, 0, 1);

    wire_cut(world, wire);
    for (unsigned i = 0; i < 1500; i++)
        office_append(&world->office[0], 1, 100, false);
    (void)finish(world, SECONDS_MAX * SECOND_US);
    world_free(world);
}

/* What the other holds is said on all links to it; the fastest is not the one that the entries go out on. */
static void receipts_may_come_over_another_link(void)
{
    struct world *world = world_new(2, 1);
    struct wire *active = world_wire(world, 0, 1);
    struct wire *other = NULL;

    active->delay = 80000;
    world_run(world, SECOND_US);
    other = world_wire(world, 0, 1);
    other->delay = 1000;
    world_run(world, SECOND_US);
    for (unsigned i = 0; i < 2 * SYNC_FLIGHTS_MAX; i++) {
        office_append(&world->office[0], 1, 100, false);
        world_step(world, 1000);
    }
    (void)finish(world, SECONDS_MAX * SECOND_US);
    CHECK(active->used > SYNC_FLIGHTS_MAX / 2 && other->used == 0);
    world_free(world);
}

/* What becomes durable between a greeting and the other's is in neither. */
static void what_is_stored_while_greetings_cross_is_told(void)
{
    struct world *world = world_new(3, 1);
    struct wire *to_author = world_wire(world, 0, 1);
    struct wire *to_third = NULL;

    world_run(world, SECOND_US);
    world->office[0].settle_at = UINT64_MAX;
    world->office[0].settle_due = true;
    office_append(&world->office[0], 10, 100, false);
    hold_back(world, 60 * SECOND_US);
    while (sync_staged(world->office[1].sync, 0)->size < 10)
        world_step(world, 1000);
    wire_cut(world, to_author);
    to_third = world_wire(world, 1, 2);
    to_third->delay = 50000;
    world_run(world, 20000); /* both have greeted, and neither has heard it */
    CHECK(sync_durable(world->office[1].sync, 0) == 0);
    world->office[1].commit_at = world->us;
    world_run(world, 2000);
    CHECK(sync_durable(world->office[1].sync, 0) == 10);
    hold_back(world, 20000);
    world_run(world, 2 * SECOND_US);
    CHECK(sync_durable(world->office[2].sync, 0) == 10);
    world_free(world);
}

/* A line that is cut whenever it has carried so much. */
static void over_short_lives(size_t life, size_t count, size_t size, bool at_hand, bool urgent)
{
    struct world *world = world_new(3, 1);
    struct wire *wire = world_wire(world, 0, 1);
    struct wire *onward = world_wire(world, 1, 2);
    unsigned lives = 0;
    size_t total = 0;

    wire_cut(world, wire);
    wire_cut(world, onward);
    wire->life = onward->life = life;
    for (unsigned i = 0; i < 3; i++)
        office_append(&world->office[0], count, size, urgent);
    total = 3 * count * size;
    world_run(world, 2 * SECOND_US);
    if (!at_hand)
        restart(&world->office[0]);
    for (uint64_t until = world->us + 120 * SECOND_US; world->us < until && !is_complete(world);) {
        lives += !wire->up;
        wire_join(world, wire);
        wire_join(world, onward);
        world_run(world, 100000);
    }
    printf("# %zu bytes over links that live for %zu: %u lives\n", total, life, lives);
    CHECK(is_complete(world) && lives > 1 && lives <= 4 * total / life + 4);
    world_free(world);
}

static void a_link_that_lives_for_less_than_a_message_makes_progress(void)
{
    over_short_lives(300000, 900, 1000, true, false);
    over_short_lives(300000, 900, 1000, false, false);
    over_short_lives(150000, 15, 60000, true, false);
    over_short_lives(70000, 600, 100, true, false);
}

int main(void)
{
    RUN(an_author_that_forgot_its_heads_goes_on);
    RUN(an_author_far_ahead_of_its_receipts_goes_on);
    RUN(receipts_may_come_over_another_link);
    RUN(what_is_stored_while_greetings_cross_is_told);
    RUN(a_link_that_lives_for_less_than_a_message_makes_progress);
    RUN(two_members_come_to_an_end);
    RUN(two_members_over_three_links_come_to_an_end);
    RUN(three_members_come_to_an_end);
    RUN(members_in_a_row_come_to_an_end);
    return test_end();
}
