/*
 * Facts for people: what waits, since when, which links are up, and whose forward secrecy is missing.
 */
#include "world.h"

static struct world *world;
static struct site *here, *there;
static struct office_line_status status;

static void begin(void)
{
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static const struct office_member_status *other(struct site *site)
{
    office_line_status(site->office, 0, &status);
    return &status.member[1 - site->me];
}

static void a_line_is_told_as_it_is(void)
{
    begin();
    CHECK(strcmp(office_name(here->office), "washington.example") == 0 && office_line_count(here->office) == 1);
    (void)other(here);
    CHECK(strcmp(status.name, "talks") == 0 && !status.confirmed && status.courier_key && !status.left);
    CHECK(status.member[0].me && !status.member[1].me && strcmp(status.member[1].party, "pyongyang.example") == 0);
    CHECK(status.member[0].size == 2 && status.member[1].size == 2 && strcmp(status.member[1].stated, "open") == 0);
    CHECK(!office_wants_passphrase(here->office));
    world_free(world);
}

static void what_waits_is_counted_with_its_age(void)
{
    uint64_t first = 0;

    begin();
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_turn(world);
    first = site_now(here).wall.us / SECOND_US;
    CHECK(other(here)->waiting == 2 && other(here)->receipted == 2 && other(here)->oldest == first);
    world_run(world, 5 * SECOND_US);
    (void)site_send(here, "two", 0, NULL);
    world_turn(world);
    CHECK(other(here)->waiting == 3 && other(here)->oldest == first);
    CHECK(status.member[0].waiting == 3 && status.member[0].receipted == 2);
    there->held = false;
    world_run(world, 5 * SECOND_US);
    CHECK(other(here)->waiting == 0 && other(here)->oldest == 0 && other(here)->receipted == 5);
    world_free(world);
}

static void links_are_up_or_down_since_then(void)
{
    uint64_t up = 0;

    begin();
    CHECK(other(here)->link_count == 1 && status.member[1].link[0].up);
    CHECK(strcmp(status.member[1].link[0].address, "unix:1") == 0);
    up = status.member[1].link[0].since;
    CHECK(other(there)->link_count == 1 && strcmp(status.member[0].link[0].address, "incoming") == 0);
    world_run(world, 20 * SECOND_US);
    CHECK(other(here)->link[0].since == up);
    world->blocked[0][1] = true;
    wire_cut(&world->wire[0]);
    world_turn(world);
    CHECK(other(here)->link_count == 1 && !status.member[1].link[0].up && status.member[1].link[0].since > up);
    CHECK(other(there)->link_count == 0);
    world_free(world);
}

static void a_member_that_said_nothing_has_not_stated(void)
{
    struct span card;
    uint64_t request = 0;

    world = world_empty(2, 1);
    here = site_of(world, 0);
    card = buffer_span(&world->site[1].card);
    request = world_request(world);
    office_line_found(here->office, request, line_name(), &card, 1, false, (struct amount){0}, site_now(here));
    world_turn(world);
    CHECK(strcmp(other(here)->stated, "unstated") == 0 && !status.courier_key && !status.member[1].forward_secrecy);
    world_free(world);
}

/* Wrapped to a prekey or not: that is what it says. */
static void missing_forward_secrecy_is_said(void)
{
    begin();
    CHECK(other(here)->forward_secrecy); /* prekeys are at hand */
    (void)site_send(here, "one", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(other(here)->forward_secrecy);
    site_line(here)->member[1].offered_count = 0;
    here->wall_us = (int64_t)(EPOCH_SECONDS * SECOND_US);
    (void)site_send(here, "two", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(!other(here)->forward_secrecy);
    world_free(world);
}

static void alarms_end_with_their_cause(void)
{
    begin();
    core_alarm(here->office, "a cause of %d", 1);
    core_alarm(here->office, "a cause of %d", 1);
    core_alarm(here->office, "another cause");
    CHECK(office_alarm_count(here->office) == 2);
    core_alarm_over(here->office, "a cause of %d", 1);
    core_alarm_over(here->office, "no cause");
    CHECK(office_alarm_count(here->office) == 1 && strcmp(office_alarm(here->office, 0), "another cause") == 0);
    world_turn(world);
    CHECK(site_said(here, "ALARM: another cause") && site_said(here, "over: a cause of 1") &&
          !site_said(here, "over: no cause"));
    for (unsigned i = 0; i < 2 * ALARMS_MAX; i++)
        core_alarm(here->office, "cause %u", i);
    CHECK(office_alarm_count(here->office) == ALARMS_MAX);
    CHECK(site_alarmed(here, "there are more alarms than are shown here; the log has all of them"));
    world_free(world);
}

int main(void)
{
    RUN(a_line_is_told_as_it_is);
    RUN(what_waits_is_counted_with_its_age);
    RUN(links_are_up_or_down_since_then);
    RUN(a_member_that_said_nothing_has_not_stated);
    RUN(missing_forward_secrecy_is_said);
    RUN(alarms_end_with_their_cause);
    scratch_clean();
    return test_end();
}
