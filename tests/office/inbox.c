/*
 * How much waits for a person: others' messages that nobody here has acknowledged or answered.
 */
#include "world.h"

static struct world *world;
static struct site *here, *there;

static void begin(void)
{
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
    for (unsigned i = 0; i < 3; i++)
        (void)site_send(here, "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
}

/* What is counted is what is listed. */
static bool waits(struct site *site, uint64_t count)
{
    uint64_t request = world_request(world);
    struct office_line_status status;

    office_inbox(site->office, request, line_name());
    world_turn(world);
    office_line_status(site->office, 0, &status);
    if (status.inbox != count || world->reply[request]->view_count != count)
        printf("# %llu are counted, %zu listed\n", (unsigned long long)status.inbox, world->reply[request]->view_count);
    return status.inbox == count && world->reply[request]->view_count == count;
}

static void messages_of_others_wait(void)
{
    begin();
    CHECK(waits(there, 3) && waits(here, 0));
    world_free(world);
}

static void acknowledging_or_answering_takes_them_out(void)
{
    begin();
    (void)site_acknowledge(there, "washington.example/3");
    world_run(world, 2 * SECOND_US);
    CHECK(waits(there, 2) && waits(here, 0));
    (void)site_acknowledge(there, "washington.example/3"); /* once more takes no other */
    world_run(world, 2 * SECOND_US);
    CHECK(waits(there, 2));
    (void)site_answer(there, "two", "washington.example/5");
    world_run(world, 2 * SECOND_US);
    CHECK(waits(there, 1) && waits(here, 1));
    world_free(world);
}

static void it_is_the_same_after_a_crash_at_any_moment(void)
{
    for (enum crash crash = CRASH_NONE; crash <= CRASH_COMMITTED; crash++) {
        begin();
        (void)site_acknowledge(there, "washington.example/3");
        for (unsigned i = 0; i < (unsigned)crash; i++)
            (void)site_work(there);
        site_crash(there, crash);
        site_start(there);
        world_run(world, 5 * SECOND_US);
        (void)site_acknowledge(there, "washington.example/3");
        world_run(world, 5 * SECOND_US);
        CHECK(waits(there, 2));
        world_free(world);
    }
}

int main(void)
{
    RUN(messages_of_others_wait);
    RUN(acknowledging_or_answering_takes_them_out);
    RUN(it_is_the_same_after_a_crash_at_any_moment);
    scratch_clean();
    return test_end();
}
