#include "world.h"

/* The author knows that every other member holds its whole log; a third member knows it of the last settle head. */
static void check_receipts(const struct world *world, bool third)
{
    for (unsigned m = 0; m < world->count; m++)
        for (unsigned by = 0; by < world->count; by++)
            for (unsigned i = 0; i < world->count && by != m; i++) {
                const struct office *office = &world->office[i];
                uint64_t size = world->truth[m]->size;

                if (i == m && office->copy[m].receipted[by] != size)
                    printf("# %u does not know that %u holds its %zu entries\n", m, by, (size_t)size);
                if (i == m)
                    CHECK(office->copy[m].receipted[by] == size && sync_receipted(office->sync, m, by) == size);
                else if (third && i != by)
                    CHECK(office->copy[m].receipted[by] == size);
            }
}

static void append_something(struct world *world)
{
    struct office *office = &world->office[world_random(world, world->count)];
    bool large = world_random(world, 40) == 0;
    size_t count = 1 + world_random(world, large ? 3 : 20);
    size_t size = 1 + world_random(world, large ? ENTRY_SIZE_MAX : 600);

    if (world->truth[office->me]->size + count <= TRUTH_MAX / 2)
        office_append(office, count, size, world_random(world, 10) == 0);
}

/* `us` of appends and broken links; then silence, in which all links are up. */
static void run_rough(struct world *world, uint64_t us)
{
    for (uint64_t until = world->us + us; world->us < until;) {
        struct wire *wire = &world->wire[world_random(world, world->wires)];

        if (world_random(world, 25) == 0)
            append_something(world);
        if (world_random(world, 400) == 0) {
            if (wire->up)
                wire_cut(world, wire);
            else
                wire_join(world, wire);
        }
        world_step(world, 1000);
    }
    for (unsigned i = 0; i < world->wires; i++)
        wire_join(world, &world->wire[i]);
    world_run(world, 30 * SECOND_US);
}

static void rough(unsigned count, unsigned wires_each, uint64_t seeds)
{
    for (uint64_t seed = 1; seed <= (seeds + TEST_SHARE - 1) / TEST_SHARE; seed++) {
        struct world *world = world_new(count, seed);

        for (unsigned a = 0; a < count; a++)
            for (unsigned b = a + 1; b < count; b++)
                for (unsigned i = 0; i < wires_each; i++)
                    (void)world_wire(world, a, b);
        run_rough(world, 20 * SECOND_US);
        world_check_complete(world);
        check_receipts(world, true);
        if (test_case_failed)
            printf("# with seed %u\n", (unsigned)seed);
        world_free(world);
    }
}

static void two_members_over_links_that_break(void)
{
    rough(2, 1, 10);
}

static void two_members_over_three_links(void)
{
    rough(2, 3, 5);
}

static void three_members_over_links_that_break(void)
{
    rough(3, 1, 10);
}

static void five_members_over_links_that_break(void)
{
    rough(5, 1, 3);
}

/* In a row, each but the ends linked to two others: everything passes through others' hands. */
static void members_in_a_row_fetch_from_each_other(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *world = world_new(4, seed);

        for (unsigned i = 0; i < 3; i++)
            (void)world_wire(world, i, i + 1);
        run_rough(world, 10 * SECOND_US);
        world_check_complete(world);
        check_receipts(world, true);
        world_free(world);
    }
}

/* The author is gone before one of two saw the entries; when it is back, it learns of the receipt given meanwhile. */
static void a_log_is_fetched_while_its_author_is_gone(void)
{
    struct world *world = world_new(3, 7);
    struct wire *to_author = world_wire(world, 0, 1);
    struct wire *between = NULL;

    office_append(&world->office[0], 300, 200, false);
    world_run(world, 5 * SECOND_US);
    CHECK(sync_durable(world->office[1].sync, 0) == 300 && sync_durable(world->office[2].sync, 0) == 0);
    wire_cut(world, to_author);
    between = world_wire(world, 1, 2);
    world_run(world, 5 * SECOND_US);
    CHECK(sync_durable(world->office[2].sync, 0) == 300);
    CHECK(world->office[1].copy[0].receipted[2] == 300);
    wire_cut(world, between);
    wire_join(world, to_author);
    world_run(world, 5 * SECOND_US);
    CHECK(world->office[0].copy[0].receipted[1] == 300 && world->office[0].copy[0].receipted[2] == 300);
    CHECK(world->office[0].closed + world->office[1].closed + world->office[2].closed == 0);
    world_free(world);
}

/* And what comes to the third while it is asked goes on from there without being asked again. */
static void a_third_member_hands_on_what_it_gets(void)
{
    struct world *world = world_new(3, 8);

    (void)world_wire(world, 0, 1);
    (void)world_wire(world, 1, 2);
    for (int i = 0; i < 20; i++) {
        office_append(&world->office[0], 1, 200, false);
        world_run(world, 2 * SECOND_US);
        CHECK(sync_durable(world->office[2].sync, 0) == world->truth[0]->size);
    }
    world_run(world, 3 * SECOND_US);
    world_check_complete(world);
    check_receipts(world, true);
    world_free(world);
}

/* Once its author is there again, a log does not go on coming from the third member as well. */
static void a_log_comes_once_when_its_author_is_back(void)
{
    struct world *world = world_new(3, 9);
    struct wire *author = NULL, *third = NULL;

    (void)world_wire(world, 0, 1);
    third = world_wire(world, 1, 2);
    office_append(&world->office[0], 10, 200, false);
    world_run(world, 3 * SECOND_US);
    CHECK(sync_durable(world->office[2].sync, 0) == 10 && third->used > 0);
    author = world_wire(world, 0, 2);
    world_run(world, SECOND_US);
    third->used = author->used = 0;
    for (int i = 0; i < 20; i++) {
        office_append(&world->office[0], 1, 200, false);
        world_run(world, SECOND_US);
    }
    CHECK(author->used == 20 && third->used == 0);
    world_free(world);
}

/* The link that carries the log dies with entries on the way: another takes over, and nothing is lost or doubled. */
static void another_link_takes_over(void)
{
    struct world *world = world_new(2, 10);

    for (unsigned i = 0; i < 3; i++)
        (void)world_wire(world, 0, 1);
    world_run(world, SECOND_US);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 20; k++) {
            office_append(&world->office[0], 10, 5000, false);
            office_append(&world->office[1], 10, 5000, false);
            world_run(world, 20000);
        }
        if (i < 2)
            wire_cut(world, &world->wire[i]);
    }
    world_run(world, 10 * SECOND_US);
    world_check_complete(world);
    check_receipts(world, true);
    world_free(world);
}

/* A member comes after thousands of entries, far more than is kept at hand. */
static void one_catches_up_from_far_behind(void)
{
    struct world *world = world_new(3, 11);

    for (unsigned i = 0; i < 40; i++) {
        office_append(&world->office[0], 100, 3000, false);
        office_append(&world->office[1], 10, 300, false);
        world_run(world, 100000);
    }
    (void)world_wire(world, 0, 1);
    (void)world_wire(world, 1, 2);
    (void)world_wire(world, 0, 2);
    world_run(world, 60 * SECOND_US);
    world_check_complete(world);
    check_receipts(world, true);
    world_free(world);
}

/* A flash goes before a long tail, written while the links are up or before they are. */
static void a_flash_overtakes(void)
{
    for (int before = 0; before < 2; before++) {
        struct world *world = world_new(2, 12);
        struct office *author = &world->office[0], *reader = &world->office[1];
        struct wire *wire = world_wire(world, 0, 1);
        uint64_t flash = 0;

        office_append(author, 5, 100, false);
        world_run(world, 3 * SECOND_US);
        CHECK(reader->copy[0].size == 5);
        if (before)
            wire_cut(world, wire);
        for (unsigned i = 0; i < 20; i++)
            office_append(author, 10, 60000, false);
        office_append(author, 1, 100, true);
        flash = world->truth[0]->size - 1;
        if (before)
            wire_join(world, wire);
        for (unsigned i = 0; i < 400 && !reader->copy[0].pending[flash]; i++)
            world_step(world, 1000);
        CHECK(reader->copy[0].pending[flash] && reader->copy[0].size < flash);
        world_run(world, 20 * SECOND_US);
        world_check_complete(world);
        world_free(world);
    }
}

/* Half of the messages that come are spoilt: whoever spoils them gains nothing, and the other link is not disturbed. */
static void garbage_on_one_link_does_not_disturb_another(void)
{
    struct world *world = world_new(3, 13);
    struct office *victim = &world->office[0];

    (void)world_wire(world, 0, 1);
    (void)world_wire(world, 0, 2);
    world_run(world, SECOND_US);
    for (unsigned round = 0; round < 400; round++) {
        struct wire *wire = &world->wire[0];
        struct buffer message = {0};
        struct error error = {0};

        office_append(&world->office[1 + round % 2], 1 + world_random(world, 5), 1 + world_random(world, 300), false);
        world_run(world, 5000);
        if (!sync_output(world->office[1].sync, wire->link[1], false, &message))
            (void)sync_output(world->office[1].sync, wire->link[1], true, &message);
        if (message.size > 0)
            message.data[world_random(world, message.size)] ^= (uint8_t)(1 << world_random(world, 8));
        if (sync_input(victim->sync, wire->link[0], buffer_span(&message), world_now(world), &error) != 0 ||
            round % 10 == 9) {
            wire_cut(world, wire);
            wire_join(world, wire);
        }
        office_events(victim);
        buffer_free(&message);
    }
    wire_cut(world, &world->wire[0]);
    wire_join(world, &world->wire[0]);
    world_run(world, 10 * SECOND_US);
    CHECK(world->wire[1].up);
    world_check_complete(world);
    world_free(world);
}

int main(void)
{
    RUN(two_members_over_links_that_break);
    RUN(two_members_over_three_links);
    RUN(three_members_over_links_that_break);
    RUN(five_members_over_links_that_break);
    RUN(members_in_a_row_fetch_from_each_other);
    RUN(a_log_is_fetched_while_its_author_is_gone);
    RUN(a_third_member_hands_on_what_it_gets);
    RUN(a_log_comes_once_when_its_author_is_back);
    RUN(another_link_takes_over);
    RUN(one_catches_up_from_far_behind);
    RUN(a_flash_overtakes);
    RUN(garbage_on_one_link_does_not_disturb_another);
    return test_end();
}
