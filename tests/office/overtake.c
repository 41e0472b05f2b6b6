/*
 * A flash that overtakes: durable as pending before it is shown, shown once, and in its place in the end.
 */
#include "sync/engine.h"
#include "world.h"

#define BEFORE 1000 /* messages that it overtakes */

static struct world *world;
static struct site *here, *there;
static uint64_t flash; /* the request */
static uint64_t place; /* the number it has */

static unsigned told(const char *text)
{
    unsigned count = 0;

    for (size_t i = 0; i < there->told_count; i++)
        count += strcmp(there->told[i].text, text) == 0;
    return count;
}

/* The flash, before its turn; NULL if it is not there. The entry of its epoch overtakes with it. */
static const struct overtaken *waiting(void)
{
    const struct overtaken *overtaken = site_line(there)->overtaken;

    while (overtaken != NULL && overtaken->index != place)
        overtaken = overtaken->next;
    return overtaken;
}

/* The wire moves a little, and no disk does anything. */
static void move_a_little(void)
{
    for (unsigned i = 0; i < WIRES_MAX; i++)
        for (unsigned end = 0; end < 2 && world->wire[i].used; end++)
            (void)wire_move(world, &world->wire[i], end);
}

/* Much is on the way on a slow wire, then a flash. Ends when it has come, before anything of it is written. */
static void begin_with(bool epoch_is_known)
{
    static char text[2000];
    struct office_message message[BEFORE];

    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < BEFORE; i++)
        message[i] = (struct office_message){.text = span_of(text, sizeof text)};
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
    place = 3 + epoch_is_known + BEFORE;
    if (epoch_is_known)
        (void)site_send(here, "before", 0, NULL);
    world_run(world, 3 * SECOND_US);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) /* its links have carried much, and take whole messages */
        site_line(here)->sync->peer[i].landed = ENTRIES_BYTES_MAX;
    office_append(here->office, world_request(world), line_name(), message, BEFORE, site_now(here));
    while (site_work(here))
        ;
    world->rough = true;
    for (unsigned i = 0; i < 3; i++)
        move_a_little();
    flash = site_send(here, "now", PRECEDENCE_FLASH, NULL);
    while (site_work(here))
        ;
    for (unsigned i = 0; i < 10000 && waiting() == NULL; i++) {
        move_a_little();
        while (site_work(here)) /* it reads what is sent */
            ;
    }
    world->rough = false;
    CHECK(waiting() != NULL);
    CHECK(sync_durable(site_line(there)->sync, 0) < place);
}

/* The entry of its epoch overtakes with it. */
static void begin(void)
{
    begin_with(false);
}

static void take_events(void)
{
    struct office_event event;

    while (office_event(there->office, &event))
        site_take(there, &event);
}

static void it_is_durable_before_it_is_shown(void)
{
    begin();
    site_work_to_commit(there);
    take_events();
    CHECK(there->jobs > 0 && told("now") == 0 && overtaken_find(site_line(there), 0, place) == NULL);
    while (told("now") == 0 && site_work(there))
        take_events();
    CHECK(told("now") == 1 && sync_durable(site_line(there)->sync, 0) < place);
    CHECK(site_said(there, "came before"));
    for (size_t i = 0; i < there->told_count; i++)
        CHECK(there->told[i].early == (strcmp(there->told[i].text, "now") == 0));
    world_free(world);
}

/* All that it came before may have come while it was on the way. */
static void what_overtook_nothing_is_not_said_to_have(void)
{
    struct sync_event event = {0};

    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
    (void)site_send(here, "before", 0, NULL);
    world_run(world, 3 * SECOND_US);
    event.first = sync_durable(site_line(there)->sync, 0);
    CHECK(event.first > 1);
    pending_entry(there->office, site_line(there), &event);
    take_events();
    CHECK(site_said(there, "came ahead of its turn, and all entries of its author before it are here"));
    CHECK(!site_said(there, "came before"));
    event.first += 2;
    pending_entry(there->office, site_line(there), &event);
    take_events();
    CHECK(site_said(there, "came before 2 entries of its author that are not recorded here yet"));
    world_free(world);
}

/* Shown among the entries behind the last in order, and marked. */
static void it_is_shown_as_early_and_waits_for_a_person(void)
{
    struct buffer order = {0};
    uint64_t read = 0;
    const struct office_event *reply = NULL;

    begin();
    while (told("now") == 0 && site_work(there))
        take_events();
    CHECK(site_line(there)->inbox == 1);
    read = site_entries(there, "", 256);
    while (!replied(world, read) && site_work(there))
        take_events();
    reply = world->reply[read];
    CHECK(succeeded(world, read) && reply->view_count > 0);
    if (succeeded(world, read) && reply->view_count > 0 && reply->text.size == 0) {
        const struct office_view *last = &reply->view[reply->view_count - 1];

        CHECK(last->early && last->number == place && last->precedence == PRECEDENCE_FLASH);
        CHECK(span_equal(last->text, span_of_string("now")));
    }
    world_run(world, 20 * SECOND_US);
    site_read(there, &order);
    CHECK(times(&order, "message now") == 1 && strstr(buffer_string(&order), "early") == NULL);
    CHECK(told("now") == 1 && site_line(there)->inbox == 1 + BEFORE);
    buffer_free(&order);
    world_check_settled(world);
    world_free(world);
}

/* It is held, though beyond the gap: who acknowledges it names what is there. */
static void it_is_acknowledged_before_its_turn(void)
{
    char name[64];
    uint64_t request = 0;

    begin();
    while (told("now") == 0 && site_work(there))
        take_events();
    CHECK(site_line(there)->inbox == 1);
    (void)snprintf(name, sizeof name, "washington/%llu", (unsigned long long)place);
    request = site_acknowledge(there, name);
    while (site_line(there)->inbox > 0 && site_work(there))
        take_events();
    CHECK(succeeded(world, request) && site_line(there)->inbox == 0);
    CHECK(sync_durable(site_line(there)->sync, 0) < place);
    CHECK(there->told_count > 0 && there->told[there->told_count - 1].names == 1);
    world_run(world, 20 * SECOND_US);
    CHECK(site_line(there)->inbox == BEFORE);
    world_check_settled(world);
    world_free(world);
}

/* It is not broken: a proof would need what is still to come. */
static void it_is_not_proved_before_its_turn(void)
{
    char name[64];
    uint64_t request = 0;

    begin();
    while (told("now") == 0 && site_work(there))
        take_events();
    (void)snprintf(name, sizeof name, "washington/%llu", (unsigned long long)place);
    request = world_request(world);
    office_record_prove(there->office, request, line_name(), span_of_string(name));
    while (!replied(world, request) && site_work(there))
        take_events();
    take_events();
    CHECK(refused(world, request, ERROR_REFUSED, "came before its turn"));
    CHECK(office_alarm_count(there->office) == 0);
    world_free(world);
}

/* Its holder says so in an entry of its own: the author has that before the gap is filled. */
static void it_is_said_to_be_held(void)
{
    struct buffer order = {0};

    begin();
    world_run(world, 20 * SECOND_US);
    site_read(here, &order);
    CHECK(strstr(buffer_string(&order), "pyongyang.example/2 held") != NULL);
    CHECK(strstr(buffer_string(&order), "pyongyang.example/4") == NULL);
    CHECK(waiting() == NULL);
    buffer_free(&order);
    world_free(world);
}

static void it_is_not_lost_in_a_crash(void)
{
    begin();
    site_work_to_commit(there);
    site_crash(there, CRASH_COMMITTED);
    site_start(there);
    CHECK(waiting() != NULL && waiting()->state == OVERTAKEN_DURABLE);
    while (told("now") == 0 && site_work(there))
        take_events();
    CHECK(told("now") == 1 && sync_durable(site_line(there)->sync, 0) < place);
    world_run(world, 30 * SECOND_US);
    CHECK(waiting() == NULL);
    world_check_settled(world);
    world_free(world);
}

/* Who starts again while the gap lasts says it no second time, and asks nobody to look again who has seen it. */
static void a_restart_does_not_begin_anew_with_it(void)
{
    char named[60];
    struct buffer order = {0};
    unsigned held = 0;

    begin();
    snprintf(named, sizeof named, "washington.example/%llu", (unsigned long long)place);
    while (told("now") == 0 && site_work(there))
        take_events();
    (void)site_acknowledge(there, named);
    while (site_work(there))
        take_events();
    CHECK(site_line(there)->inbox == 0 && sync_durable(site_line(there)->sync, 0) < place);
    site_drop(there);
    site_start(there);
    for (unsigned i = 0; i < 200 && site_work(there); i++)
        take_events();
    CHECK(waiting() != NULL && waiting()->state == OVERTAKEN_SHOWN);
    CHECK(site_line(there)->inbox == 0 && told("now") == 0);
    world_run(world, 30 * SECOND_US);
    CHECK(site_line(there)->inbox == BEFORE);
    site_read(here, &order);
    for (const char *at = buffer_string(&order); (at = strstr(at, " held ")) != NULL; at++)
        held++;
    CHECK(held == 2); /* its epoch's entry, and it */
    buffer_free(&order);
    world_check_settled(world);
    world_free(world);
}

/* One may answer what one was shown, though its log is not there yet. */
static void it_may_be_answered_before_its_turn(void)
{
    char named[60];
    uint64_t answer = 0, acknowledge = 0;

    begin();
    snprintf(named, sizeof named, "washington.example/%llu", (unsigned long long)place);
    while (told("now") == 0 && site_work(there))
        take_events();
    answer = site_answer(there, "understood", named);
    acknowledge = site_acknowledge(there, named);
    while (site_work(there))
        take_events();
    CHECK(succeeded(world, answer) && succeeded(world, acknowledge));
    CHECK(sync_durable(site_line(there)->sync, 0) < place);
    world_run(world, 30 * SECOND_US);
    CHECK(site_line(there)->inbox == BEFORE);
    world_check_settled(world);
    world_free(world);
}

/* A full disk forgets it, and it is not shown; it comes in its turn. */
static void a_full_disk_does_not_lose_it(void)
{
    unsigned jobs = 0;

    begin_with(true);
    world_full_disk = there->database;
    for (; jobs < 100 && site_work(there); jobs++)
        take_events();
    CHECK(jobs < 100); /* it is not tried without end */
    CHECK(told("now") == 0 && site_alarmed(there, "the disk is full"));
    world_full_disk = NULL;
    world_run(world, 30 * SECOND_US);
    CHECK(told("now") == 1 && waiting() == NULL);
    world_check_settled(world);
    world_free(world);
}

int main(void)
{
    RUN(it_is_durable_before_it_is_shown);
    RUN(what_overtook_nothing_is_not_said_to_have);
    RUN(it_is_shown_as_early_and_waits_for_a_person);
    RUN(it_is_acknowledged_before_its_turn);
    RUN(it_is_not_proved_before_its_turn);
    RUN(it_is_said_to_be_held);
    RUN(it_is_not_lost_in_a_crash);
    RUN(a_restart_does_not_begin_anew_with_it);
    RUN(it_may_be_answered_before_its_turn);
    RUN(a_full_disk_does_not_lose_it);
    scratch_clean();
    return test_end();
}
