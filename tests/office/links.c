/*
 * Connections: dialling with patience, answering only who is proved and fresh, bounds, and tests.
 */
#include "world.h"

static struct world *world;
static struct site *here, *there;

/* Founded and joined; nobody dials yet. */
static void begin(void)
{
    world = world_empty(2, 1);
    world_found(world, true);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static unsigned connections(const struct site *site, enum connection_state state)
{
    unsigned count = 0;

    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        count += site->office->connection[i].state == state;
    return count;
}

static bool is_up(void)
{
    return connections(here, CONNECTION_UP) == 1 && connections(there, CONNECTION_UP) == 1;
}

/* --- dialling --- */

/* When the next dial comes, counted from now. */
static uint64_t until_dialled(uint64_t at_most)
{
    uint64_t from = world->us;
    unsigned dialled = here->dialled;

    while (here->dialled == dialled && world->us < from + at_most) {
        uint64_t next = office_next(here->office).us;

        world_step(world, next > world->us && next < from + at_most ? next - world->us : 1000);
        world_turn(world);
    }
    return world->us - from;
}

static void redialling_waits_twice_as_long_with_jitter(void)
{
    uint64_t bound = SECOND_US / 4;
    unsigned early = 0, late = 0;

    begin();
    site_drop(there);
    (void)site_link(here, 1, "unix:1");
    world_turn(world);
    for (unsigned i = 0; i < 60; i++) {
        uint64_t waited = until_dialled(20 * SECOND_US);

        CHECK(waited >= bound / 2 && waited <= bound + 1000);
        early += i > 10 && waited < bound * 3 / 4;
        late += i > 10 && waited >= bound * 3 / 4;
        bound = bound * 2 < here->config.redial_max_us ? bound * 2 : here->config.redial_max_us;
    }
    CHECK(early > 10 && late > 10); /* it is spread */
    site_start(there);
    world_run(world, 10 * SECOND_US);
    CHECK(is_up());
    wire_cut(&world->wire[0]);
    CHECK(until_dialled(SECOND_US) <= SECOND_US / 4 + 1000); /* it was up: patience begins anew */
    world_free(world);
}

static void the_longest_pause_is_the_one_asked_for(void)
{
    const uint64_t day = 24 * 3600 * SECOND_US; /* the longest that liaisond takes */
    uint64_t waited = 0;

    begin();
    (void)site_link(here, 1, "unix:1");
    world_turn(world);
    site_drop(there);
    site_drop(here);
    here->config.redial_max_us = day;
    site_start(here);
    for (unsigned i = 0; i < 25; i++)
        waited = until_dialled(2 * day);
    CHECK(waited >= day / 2 && waited <= day + 1000);
    world_free(world);
}

static void a_link_is_added_once_and_removed_for_good(void)
{
    uint64_t request[2], removed = 0, again = 0;
    unsigned dialled = 0;

    begin();
    request[0] = site_link(here, 1, "unix:1");
    request[1] = site_link(here, 1, "unix:1");
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, request[0]) && succeeded(world, request[1]) && here->office->route_count == 1 && is_up());
    removed = world_request(world);
    office_link_remove(here->office, removed, line_name(), span_of_string(there->name), span_of_string("unix:1"),
                       site_now(here));
    world_run(world, 5 * SECOND_US);
    dialled = here->dialled;
    CHECK(succeeded(world, removed) && connections(here, CONNECTION_UP) == 0 && connections(there, CONNECTION_UP) == 0);
    again = world_request(world);
    office_link_remove(here->office, again, line_name(), span_of_string(there->name), span_of_string("unix:1"),
                       site_now(here));
    site_crash(here, CRASH_NONE);
    site_start(here);
    world_run(world, 60 * SECOND_US);
    CHECK(here->dialled == dialled);
    world_free(world);
}

static void a_link_is_not_said_to_be_kept_before_it_is(void)
{
    uint64_t request = 0;

    begin();
    here->held = true;
    request = site_link(here, 1, "unix:1");
    world_turn(world);
    CHECK(!replied(world, request));
    here->held = false;
    world_turn(world);
    CHECK(succeeded(world, request));
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(here->office->route_count == 1 && here->office->route[0].used);
    world_free(world);
}

static void what_is_no_link_is_refused(void)
{
    uint64_t request[5];

    begin();
    request[0] = site_link(here, 0, "unix:1");
    request[1] = site_link(here, 1, "tcp://h:0");
    request[2] = site_link(here, 1, "gopher://h");
    request[3] = world_request(world);
    office_link_add(here->office, request[3], span_of_string("nowhere"), span_of_string(there->name),
                    span_of_string("unix:1"), site_now(here));
    world_turn(world);
    CHECK(refused(world, request[0], ERROR_NOT_FOUND, "no other member"));
    CHECK(refused(world, request[1], ERROR_USAGE, "port 0"));
    CHECK(refused(world, request[2], ERROR_USAGE, "an address is"));
    CHECK(refused(world, request[3], ERROR_NOT_FOUND, "there is no line nowhere here"));
    for (unsigned i = 0; i <= OFFICE_LINKS_MAX / 2; i++) {
        char address[20];

        snprintf(address, sizeof address, "unix:x%u", i);
        request[4] = site_link(here, 1, address);
    }
    world_turn(world);
    CHECK(refused(world, request[4], ERROR_REFUSED, "too many links"));
    world_free(world);
}

/* --- who is answered --- */

/* The first message of a dialler, as it stands on the wire. */
static void first_message(struct buffer *message)
{
    struct office_event event;

    (void)site_link(here, 1, "unix:1");
    while (office_event(here->office, &event)) {
        if (event.kind == OFFICE_DIAL) {
            office_link_connected(here->office, event.link, site_now(here));
            (void)office_link_output(here->office, event.link, message, 65536, site_now(here));
        }
        office_event_free(&event);
    }
}

static int offer(const struct buffer *message)
{
    int link = office_link_accepted(there->office, site_now(there));

    office_link_input(there->office, link, buffer_span(message), site_now(there));
    return link;
}

static size_t answer(int link)
{
    struct buffer out = {0};
    size_t size = office_link_output(there->office, link, &out, 65536, site_now(there));

    buffer_free(&out);
    return size;
}

static void a_member_is_answered_once_its_counter_is_durable(void)
{
    struct buffer message = {0};
    int link = -1;

    begin();
    first_message(&message);
    CHECK(message.size == HANDSHAKE_FRAME);
    there->held = true;
    link = offer(&message);
    site_work_to_commit(there);
    CHECK(there->jobs == 1 && answer(link) == 0);
    there->held = false;
    site_work(there);
    CHECK(answer(link) == HANDSHAKE_FRAME);
    buffer_free(&message);
    world_free(world);
}

static void what_was_heard_once_draws_no_second_answer(void)
{
    struct buffer message = {0};
    int link = -1;

    begin();
    first_message(&message);
    link = offer(&message);
    while (site_work(there))
        ;
    CHECK(answer(link) == HANDSHAKE_FRAME);
    link = offer(&message);
    while (site_work(there))
        ;
    CHECK(answer(link) == 0);
    site_crash(there, CRASH_NONE);
    site_start(there);
    link = offer(&message);
    while (site_work(there))
        ;
    CHECK(answer(link) == 0);
    buffer_free(&message);
    world_free(world);
}

static void a_stranger_hears_nothing_and_is_closed(void)
{
    uint8_t noise[HANDSHAKE_FRAME];
    int link = -1;

    begin();
    link = office_link_accepted(there->office, site_now(there));
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)world_random(world, 256);
    office_link_input(there->office, link, span_of(noise, sizeof noise), site_now(there));
    world_run(world, 9 * SECOND_US);
    CHECK(answer(link) == 0 && connections(there, CONNECTION_HANDSHAKE) == 1);
    world_run(world, 2 * SECOND_US);
    CHECK(answer(link) == 0 && connections(there, CONNECTION_FREE) == OFFICE_LINKS_MAX);
    world_free(world);
}

/* However slowly its first message comes, and whoever comes between. */
static void a_member_is_answered_whose_first_message_comes_in_pieces(void)
{
    struct buffer message = {0};
    uint8_t noise[HANDSHAKE_FRAME] = {1};
    int link = -1;

    begin();
    first_message(&message);
    link = office_link_accepted(there->office, site_now(there));
    for (size_t i = 0; i < message.size; i++) {
        int other = office_link_accepted(there->office, site_now(there));

        CHECK(answer(link) == 0);
        office_link_input(there->office, other, span_of(noise, sizeof noise), site_now(there));
        office_link_input(there->office, link, span_of(message.data + i, 1), site_now(there));
        office_link_broken(there->office, other, "it went", site_now(there));
        world_step(world, 1000);
        while (site_work(there))
            ;
    }
    CHECK(answer(link) == HANDSHAKE_FRAME);
    buffer_free(&message);
    world_free(world);
}

/* It is as if it had come afterwards. */
static void a_connection_older_than_the_line_may_speak_of_it(void)
{
    struct buffer message = {0};
    int link = -1;

    world = world_empty(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
    link = office_link_accepted(there->office, site_now(there));
    world_found(world, true);
    first_message(&message);
    office_link_input(there->office, link, buffer_span(&message), site_now(there));
    while (site_work(there))
        ;
    CHECK(answer(link) == HANDSHAKE_FRAME);
    buffer_free(&message);
    world_free(world);
}

/* Strangers fill half of the places; the oldest of them makes room, and members come in all the same. */
static void strangers_make_room(void)
{
    begin();
    for (unsigned i = 0; i < 2 * OFFICE_LINKS_MAX; i++) {
        CHECK(office_link_accepted(there->office, site_now(there)) >= 0);
        world_step(world, 1000);
        world_turn(world);
        CHECK(connections(there, CONNECTION_HANDSHAKE) <= OFFICE_LINKS_MAX / 2);
    }
    (void)site_link(here, 1, "unix:1");
    world_run(world, SECOND_US);
    CHECK(is_up());
    world_free(world);
}

/* Its second message may be on its way for longer than strangers need to open as many connections as there are. */
static void a_member_that_was_answered_makes_no_room(void)
{
    struct buffer message = {0};
    unsigned generation = 0;
    int link = -1;

    begin();
    first_message(&message);
    link = offer(&message);
    generation = there->office->connection[link].generation;
    for (unsigned i = 0; i < 2 * OFFICE_LINKS_MAX; i++) {
        while (site_work(there))
            ;
        CHECK(office_link_accepted(there->office, site_now(there)) >= 0);
        world_step(world, 1000);
        world_turn(world);
    }
    CHECK(there->office->connection[link].state == CONNECTION_HANDSHAKE &&
          there->office->connection[link].generation == generation && answer(link) == HANDSHAKE_FRAME);
    buffer_free(&message);
    world_free(world);
}

/* Whose slots are taken up by connections that nobody ends. */
static void there_are_so_many_connections_and_no_more(void)
{
    unsigned accepted = 0;

    begin();
    for (unsigned i = 0; i < 3 * OFFICE_LINKS_MAX; i++)
        accepted += office_link_accepted(there->office, site_now(there)) >= 0;
    CHECK(accepted == OFFICE_LINKS_MAX);
    CHECK(office_link_accepted(there->office, site_now(there)) == -1);
    world_turn(world); /* those that were asked to go are gone */
    CHECK(office_link_accepted(there->office, site_now(there)) >= 0);
    world_free(world);
}

static void a_member_opens_four_links_and_the_newest_stay(void)
{
    unsigned incoming = 0;

    begin();
    here->config.redial_max_us = 3600 * SECOND_US;
    for (unsigned i = 0; i < 7; i++) {
        char address[] = {'u', 'n', 'i', 'x', ':', '1', (char)('a' + i), 0};

        (void)site_link(here, 1, address);
        world_turn(world);
        world_step(world, 10000);
    }
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        incoming += there->office->connection[i].state == CONNECTION_UP && there->office->connection[i].incoming;
    CHECK(incoming == 4);
    for (unsigned i = 0; i < 7; i++)
        CHECK((here->office->route[i].connection >= 0 &&
               here->office->connection[here->office->route[i].connection].state == CONNECTION_UP) == (i >= 3));
    world_free(world);
}

/* A wire that carries nothing and does not say so is found out, and another one is opened. */
static void a_deaf_wire_is_given_up(void)
{
    uint64_t sent = 0;

    begin();
    (void)site_link(here, 1, "unix:1");
    world_run(world, 3 * SECOND_US);
    CHECK(is_up());
    world->wire[0].deaf = true;
    sent = site_send(here, "one", 0, NULL);
    world_run(world, 60 * SECOND_US);
    CHECK(succeeded(world, sent) && is_up());
    world_check_settled(world);
    world_free(world);
}

/* --- tests --- */

static bool test_says(const char *address, const char *outcome, uint64_t within)
{
    uint64_t request = world_request(world);
    const struct office_event *reply = NULL;

    office_link_test(here->office, request, line_name(), span_of_string(there->name), span_of_string(address),
                     site_now(here));
    world_run(world, within);
    reply = world->reply[request];
    if (reply == NULL || reply->outcome == NULL || strcmp(reply->outcome, outcome) != 0)
        printf("# %s: %s\n", address, reply == NULL ? "no answer" : reply->outcome);
    world_run(world, SECOND_US);
    return reply != NULL && reply->outcome != NULL && strcmp(reply->outcome, outcome) == 0 && reply->reason[0] != 0 &&
           world->replies[request] == 1 && connections(here, CONNECTION_FREE) == OFFICE_LINKS_MAX;
}

static void a_test_says_what_is_the_matter(void)
{
    begin();
    CHECK(test_says("unix:1", "ok", SECOND_US));
    CHECK(test_says("unix:9", "cannot-connect", SECOND_US));
    there->office->counter_received[0][0] = site_now(there).wall.us + 86400 * SECOND_US; /* our clock was set back */
    CHECK(test_says("unix:1", "counter", 14 * SECOND_US));
    CHECK(test_says("unix:1", "ok", SECOND_US));
    (void)site_link(here, 1, "unix:1");
    world_run(world, SECOND_US);
    CHECK(is_up()); /* the link works now, as it said */
    world_free(world);
}

/* The last counter was lost with the power, and the clock was set back by an hour. */
static void a_counter_that_fell_behind_catches_up(void)
{
    begin();
    there->office->counter_received[0][0] = site_now(there).wall.us + 3600 * SECOND_US;
    (void)site_link(here, 1, "unix:1");
    world_run(world, 9 * 60 * SECOND_US);
    CHECK(is_up());
    world_free(world);
}

static bool test_explains(const char *sentence)
{
    const struct office_event *reply = world->reply[world->request];

    return reply != NULL && strcmp(reply->reason, sentence) == 0;
}

/* The last counter was a year ahead already when the power went: what was told since then is soon passed. */
static void a_counter_that_was_ahead_catches_up_soon(void)
{
    uint64_t ahead = 0;

    begin();
    ahead = site_now(here).wall.us + 365 * 24 * 3600 * SECOND_US;
    here->office->counter_known[0][1] = here->office->counter_sent[0][1] = ahead;
    there->office->counter_received[0][0] = ahead + SECOND_US;
    (void)site_link(here, 1, "unix:1");
    world_run(world, 60 * SECOND_US);
    CHECK(is_up());
    world_free(world);
}

/* As a forwarder does with nobody behind it: no counter was read, and none is wasted. */
static void a_connection_that_ends_at_once_makes_no_lead(void)
{
    begin();
    there->office->counter_received[0][0] = INT64_MAX;
    (void)site_link(here, 1, "unix:1");
    for (unsigned i = 0; i < 40; i++) {
        (void)until_dialled(20 * SECOND_US);
        wire_cut(&world->wire[0]);
    }
    CHECK(here->office->route[0].failures >= 40 && here->office->counter_sent[0][1] <= site_now(here).wall.us);
    there->office->counter_received[0][0] = 0;
    world_run(world, 60 * SECOND_US);
    CHECK(is_up());
    world_free(world);
}

static void a_port_that_says_nothing_is_no_office(void)
{
    begin();
    CHECK(test_says("unix:deaf", "no-answer", 14 * SECOND_US));
    CHECK(test_explains(
        "connected, but no answer came in 10 s: it is not a liaison office, or it has stopped, or its line "
        "or courier key differs"));
    world_free(world);
}

static void another_courier_key_gives_no_answer(void)
{
    begin();
    site_line(here)->secret->link_psk[0] ^= 1;
    CHECK(test_says("unix:1", "no-answer", 14 * SECOND_US));
    world_free(world);
}

static void a_test_ends_with_the_wire(void)
{
    uint64_t request = 0;

    begin();
    request = world_request(world);
    office_link_test(here->office, request, line_name(), span_of_string(there->name), span_of_string("unix:1"),
                     site_now(here));
    there->held = true; /* it never answers */
    world_turn(world);
    wire_cut(&world->wire[0]);
    world_turn(world);
    wire_cut(&world->wire[0]);
    world_turn(world);
    CHECK(replied(world, request) && strcmp(world->reply[request]->outcome, "no-answer") == 0);
    /* Nobody waited for 10 s. */
    CHECK(strstr(world->reply[request]->reason, "connected, but it ended before it answered (") != NULL);
    world_free(world);
}

/* Where every place is taken a test is refused, and a link that is up is not opened twice. */
static void what_has_no_place_is_not_dialled(void)
{
    uint64_t request = 0;
    int up = -1;

    begin();
    (void)site_link(here, 1, "unix:1");
    world_run(world, 3 * SECOND_US);
    for (int i = 0; i < OFFICE_LINKS_MAX && up < 0; i++)
        up = here->office->connection[i].state == CONNECTION_UP ? i : -1;
    CHECK(up >= 0);
    office_link_connected(here->office, up, site_now(here));
    CHECK(is_up());
    while (office_link_accepted(here->office, site_now(here)) >= 0)
        continue;
    request = world_request(world);
    office_link_test(here->office, request, line_name(), span_of_string(there->name), span_of_string("unix:1"),
                     site_now(here));
    world_turn(world);
    CHECK(refused(world, request, ERROR_REFUSED, "too many connections"));
    world_free(world);
}

int main(void)
{
    RUN(redialling_waits_twice_as_long_with_jitter);
    RUN(the_longest_pause_is_the_one_asked_for);
    RUN(a_link_is_added_once_and_removed_for_good);
    RUN(a_link_is_not_said_to_be_kept_before_it_is);
    RUN(what_is_no_link_is_refused);
    RUN(a_member_is_answered_once_its_counter_is_durable);
    RUN(what_was_heard_once_draws_no_second_answer);
    RUN(a_stranger_hears_nothing_and_is_closed);
    RUN(a_member_is_answered_whose_first_message_comes_in_pieces);
    RUN(a_connection_older_than_the_line_may_speak_of_it);
    RUN(strangers_make_room);
    RUN(a_member_that_was_answered_makes_no_room);
    RUN(there_are_so_many_connections_and_no_more);
    RUN(a_member_opens_four_links_and_the_newest_stay);
    RUN(a_deaf_wire_is_given_up);
    RUN(a_test_says_what_is_the_matter);
    RUN(a_counter_that_fell_behind_catches_up);
    RUN(a_counter_that_was_ahead_catches_up_soon);
    RUN(a_connection_that_ends_at_once_makes_no_lead);
    RUN(a_port_that_says_nothing_is_no_office);
    RUN(another_courier_key_gives_no_answer);
    RUN(a_test_ends_with_the_wire);
    RUN(what_has_no_place_is_not_dialled);
    scratch_clean();
    return test_end();
}
