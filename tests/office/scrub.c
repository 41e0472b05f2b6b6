/*
 * The scrub: everything is read again and again, a slice a second, and what broke is taken from whoever proves it.
 */
#include "world.h"

static struct world *world;
static struct site *site, *other;

/* Two entries each, at rest; then one of them is broken on the disk of the first. */
static void begin(unsigned member, uint64_t index, bool with_other)
{
    world = world_new(2, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    (void)site_send(site, "one", 0, NULL);
    (void)site_send(other, "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    site_drop(site);
    if (!with_other)
        site_drop(other);
    site_change(site, "UPDATE entries SET bytes = zeroblob(100) WHERE place = %lld",
                (long long)PLACE(member + 1, index));
    site_start(site);
}

static bool is_whole(unsigned member, uint64_t index)
{
    struct store_result result = ask(site->store, QUERY(STORE_ENTRY, (PLACE(member + 1, index)), ({0})));
    uint8_t leaf[HASH_SIZE];
    bool whole = false;

    if (result.count == 1) {
        tree_leaf(leaf, result.row[0].b[1]);
        whole = span_equal(result.row[0].b[0], span_of(leaf, HASH_SIZE));
    }
    store_result_free(&result);
    return whole;
}

static void what_broke_is_found_and_mended(void)
{
    for (unsigned member = 0; member < 2; member++) {
        begin(member, 1, true);
        CHECK(!is_whole(member, 1));
        world_run(world, 60 * SECOND_US);
        CHECK(site_said(site, "is broken on the disk"));
        CHECK(site_said(site, "was mended from another member's copy"));
        CHECK(is_whole(member, 1) && office_alarm_count(site->office) == 0);
        world_check_settled(world);
        site_crash(site, CRASH_NONE);
        site_start(site);
        CHECK(site->office->state == OFFICE_READY && is_whole(member, 1));
        world_free(world);
    }
}

static void without_another_copy_the_alarm_stays(void)
{
    begin(1, 1, false);
    world_run(world, 60 * SECOND_US);
    CHECK(site_alarmed(site, "pyongyang/1 on the line talks is broken") && !is_whole(1, 1));
    CHECK(office_alarm_count(site->office) == 1);
    site_start(other);
    world_run(world, 60 * SECOND_US);
    CHECK(is_whole(1, 1) && office_alarm_count(site->office) == 0);
    world_free(world);
}

/* Whoever sends other bytes is not believed. */
static void what_does_not_prove_itself_mends_nothing(void)
{
    begin(1, 1, false);
    site_change(other, "UPDATE entries SET bytes = zeroblob(90) WHERE place = %lld", (long long)PLACE(2, 1));
    site_start(other);
    world_run(world, 20 * SECOND_US);
    CHECK(site_alarmed(site, "is broken") && !is_whole(1, 1));
    world_free(world);
}

/* Nobody could tell it from a lie: the others take what is before it, and talk on, and raise no alarm. */
static void what_is_broken_is_not_sent(void)
{
    world = world_new(2, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    site_drop(other);
    (void)site_send(site, "one", 0, NULL);
    (void)site_send(site, "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    site_drop(site);
    site_change(site, "UPDATE entries SET bytes = zeroblob(100) WHERE place = %lld", (long long)PLACE(1, 4));
    site_start(site);
    site_start(other);
    world_run(world, 20 * SECOND_US);
    CHECK(site_alarmed(site, "is broken on the disk") && sync_durable(site_line(other)->sync, 0) == 4);
    (void)site_send(other, "three", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(sync_durable(site_line(site)->sync, 1) == sync_durable(site_line(other)->sync, 1));
    CHECK(office_alarm_count(other->office) == 0 && !site_said(other, "two histories"));
    world_free(world);
}

static void a_slice_is_read_at_most_once_a_second(void)
{
    uint64_t last = 0;
    unsigned slices = 0;

    begin(0, 0, true);
    for (unsigned i = 0; i < 2000; i++) {
        bool was = site->office->scrubbing;

        world_step(world, 10000);
        if (site->office->scrubbing && !was) {
            CHECK(slices == 0 || world->us - last >= SECOND_US);
            last = world->us;
            slices++;
        }
        world_turn(world);
    }
    CHECK(slices >= 10);
    world_free(world);
}

static void it_waits_for_everything_else(void)
{
    begin(0, 0, true);
    world_run(world, 5 * SECOND_US);
    site->held = true;
    (void)site_send(site, "first this", 0, "t");
    world_step(world, 2 * SECOND_US);
    CHECK(!site->office->scrubbing);
    site->held = false;
    world_turn(world);
    world_step(world, SECOND_US);
    CHECK(site->office->scrubbing || site->office->scrub_at.us > world->us);
    world_free(world);
}

static void a_disk_that_cannot_be_read_stops_the_office(void)
{
    const char *reason = NULL;

    begin(0, 0, true);
    while (!site->office->scrubbing) {
        world_step(world, SECOND_US / 10);
        if (!site->office->scrubbing)
            world_turn(world);
    }
    site_take_jobs(site);
    (void)error_set(&site->job[site->jobs - 1]->error, ERROR_STORAGE, "the disk failed");
    world_turn(world);
    CHECK(office_state(site->office, &reason) == OFFICE_STOPPED && strstr(reason, "the disk failed"));
    world_free(world);
}

int main(void)
{
    RUN(what_broke_is_found_and_mended);
    RUN(without_another_copy_the_alarm_stays);
    RUN(what_does_not_prove_itself_mends_nothing);
    RUN(what_is_broken_is_not_sent);
    RUN(a_slice_is_read_at_most_once_a_second);
    RUN(it_waits_for_everything_else);
    RUN(a_disk_that_cannot_be_read_stops_the_office);
    scratch_clean();
    return test_end();
}
