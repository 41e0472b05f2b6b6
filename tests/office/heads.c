/*
 * Receipts and settle heads: when they are signed, what times they have, which are kept.
 */
#include "world.h"

static struct world *world;
static struct site *here, *there;

static void begin(void)
{
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static void end(void)
{
    world_free(world);
}

static uint64_t size_at(const struct site *site, unsigned member)
{
    return sync_durable(site_line(site)->sync, member);
}

/* Whether a batch is among the jobs that are taken. */
static bool commit_is_out(const struct site *site)
{
    for (size_t i = 0; i < site->jobs; i++)
        if (site->job[i]->commits)
            return true;
    return false;
}

/* --- receipts --- */

static void a_receipt_is_given_after_the_batch_is_done(void)
{
    begin();
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(commit_is_out(there) && sync_receipted(site_line(here)->sync, 0, 1) == 2);
    there->held = false;
    world_run(world, SECOND_US);
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 4);
    end();
}

/* A crash between the batch and its receipt does not leave an entry without one. */
static void what_was_held_at_the_end_is_receipted_at_the_start(void)
{
    begin();
    world_run(world, 3 * SECOND_US);
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_turn(world);
    CHECK(commit_is_out(there));
    site_crash(there, CRASH_COMMITTED);
    there->held = false;
    site_start(there);
    CHECK(size_at(there, 0) == 4);
    world_run(world, 10 * SECOND_US);
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 4);
    world_check_settled(world);
    end();
}

static uint64_t newest_receipt(void)
{
    struct store_result result = ask(here->store, QUERY(STORE_LAST_RECEIPTS, (LOG_NUMBER(site_line(here), 0)), ({0})));
    uint64_t time = 0;

    for (size_t i = 0; i < result.count; i++)
        if (result.row[i].n[0] == 1)
            time = (uint64_t)result.row[i].n[2];
    store_result_free(&result);
    return time;
}

static void receipt_times_never_fall(void)
{
    uint64_t first = 0;

    begin();
    (void)site_send(here, "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
    first = newest_receipt();
    there->wall_us = -(int64_t)(3600 * SECOND_US);
    (void)site_send(here, "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(size_at(there, 0) == 5 && first > 0 && newest_receipt() == first);
    end();
}

/* Nor when the office ends, even at once after it gave one, and its clock is set back before it starts. */
static void receipt_times_never_fall_over_a_restart(void)
{
    for (unsigned at_once = 0; at_once < 2; at_once++) {
        uint64_t first = 0;

        begin();
        (void)site_send(here, "one", 0, NULL);
        world_run(world, at_once ? 1 : 5 * SECOND_US);
        CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 4);
        site_crash(there, CRASH_NONE);
        world_run(world, 5 * SECOND_US);
        first = newest_receipt();
        there->wall_us = -(int64_t)(3600 * SECOND_US);
        site_start(there);
        (void)site_send(here, "two", 0, NULL);
        world_run(world, 20 * SECOND_US);
        CHECK(size_at(there, 0) == 5 && first > 0 && newest_receipt() >= first);
        end();
    }
}

/* Nor where the disk took long: a receipt has the time that its batch has stored. */
static void receipt_times_are_those_of_their_batch(void)
{
    uint64_t first = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_run(world, 8 * SECOND_US);
    there->held = false;
    world_run(world, 1);
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 4);
    site_crash(there, CRASH_NONE);
    world_run(world, 5 * SECOND_US);
    first = newest_receipt();
    there->wall_us = -(int64_t)(3600 * SECOND_US);
    site_start(there);
    (void)site_send(here, "two", 0, NULL);
    world_run(world, 20 * SECOND_US);
    CHECK(size_at(there, 0) == 5 && first > 0 && newest_receipt() >= first);
    end();
}

/* --- settle heads --- */

static unsigned settle_heads(const struct site *site, uint64_t *last)
{
    struct store_result result = ask(site->store, QUERY(STORE_HEADS, (LOG_NUMBER(site_line(site), 0), 0), ({0})));
    unsigned count = 0;

    for (size_t i = 0; i < result.count; i++)
        if (result.row[i].n[1] != 0) {
            count++;
            *last = (uint64_t)result.row[i].n[0];
        }
    store_result_free(&result);
    return count;
}

static void heads_settle_once_a_second_and_before_silence(void)
{
    uint64_t last = 0;
    unsigned before = 0, after = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    before = settle_heads(here, &last);
    for (unsigned i = 0; i < 50; i++) {
        (void)site_send(here, "one", 0, NULL);
        world_run(world, SECOND_US / 10);
    }
    world_run(world, 3 * SECOND_US);
    after = settle_heads(here, &last);
    CHECK(after - before >= 5 && after - before <= 7);
    CHECK(last == size_at(here, 0) && last == 53);
    CHECK(settle_heads(there, &last) >= after - before && last == 53);
    end();
}

/* A passing head goes when a newer one is stored: it is not what one proves from. */
static void only_settle_heads_and_the_newest_are_kept(void)
{
    struct store_result result;
    uint64_t last = 0;

    begin();
    for (unsigned i = 0; i < 20; i++) {
        (void)site_send(here, "one", 0, NULL);
        here->office->hurry = true; /* each head is stored */
        world_run(world, SECOND_US / 20);
    }
    world_run(world, 5 * SECOND_US);
    result = ask(here->store, QUERY(STORE_HEADS, (LOG_NUMBER(site_line(here), 0), 0), ({0})));
    CHECK(result.count == settle_heads(here, &last) && result.count < 8);
    store_result_free(&result);
    end();
}

int main(void)
{
    RUN(a_receipt_is_given_after_the_batch_is_done);
    RUN(what_was_held_at_the_end_is_receipted_at_the_start);
    RUN(receipt_times_never_fall);
    RUN(receipt_times_never_fall_over_a_restart);
    RUN(receipt_times_are_those_of_their_batch);
    RUN(heads_settle_once_a_second_and_before_silence);
    RUN(only_settle_heads_and_the_newest_are_kept);
    scratch_clean();
    return test_end();
}
