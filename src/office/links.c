/*
 * Connections: dialling with patience, answering only who is proved and fresh, and testing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "office/engine.h"

#define REDIAL_FIRST_US (SECOND_US / 4)
#define DOUBLINGS_MAX 20      /* more than a day, which is the longest pause that liaisond takes */
#define SILENCE_US (CHANNEL_HANDSHAKE_US / 2) /* without an answer, so long: the first message was read */
#define TEST_FIRST_US (10 * SECOND_US)
#define NO_ANSWER "no answer came in 10 s"
#define TEST_SECOND_US (3 * SECOND_US)
#define SILENT_MAX (OFFICE_LINKS_MAX / 2) /* incoming connections that prove no member */
#define MEMBER_LINKS_MAX 4                /* that one member may have opened on a line */
#define MEMBER_CONNECTIONS_MAX 12         /* the same, with those that are on their way up or down */
#define OUTPUT_CHUNK 65536

static struct line *line_of(const struct office *office, const struct connection *connection)
{
    return connection->line < 0 ? NULL : office->line[connection->line];
}

static int new_connection(struct office *office)
{
    for (int i = 0; i < OFFICE_LINKS_MAX; i++) {
        struct connection *connection = &office->connection[i];
        unsigned generation = connection->generation;

        if (connection->state != CONNECTION_FREE)
            continue;
        if (i >= office->connection_end)
            office->connection_end = i + 1;
        *connection = (struct connection){.generation = generation + 1, .line = -1, .sync_link = -1, .route = -1};
        return i;
    }
    return -1;
}

static void tell_link(struct office *office, const struct connection *connection, bool up, const char *reason)
{
    const struct line *line = line_of(office, connection);
    struct office_event event = {.kind = OFFICE_LINK, .up = up};

    if (line == NULL || connection->test)
        return;
    event.line = line->name;
    event.party = line->charter->members[connection->member].name;
    (void)snprintf(event.address_text, sizeof event.address_text, "%s",
                   connection->incoming ? "incoming" : connection->address_text);
    (void)snprintf(event.reason, sizeof event.reason, "%s", reason);
    core_event(office, &event);
}

/* When to dial again: doubling to the maximum, between half and all of that. */
static void plan_redial(struct office *office, struct route *route, bool silent)
{
    unsigned doublings = route->failures < DOUBLINGS_MAX ? route->failures : DOUBLINGS_MAX;
    uint64_t wait = REDIAL_FIRST_US << doublings;
    uint8_t random[8];
    struct cursor cursor = cursor_of(span_of(random, sizeof random));

    if (wait > office->config.redial_max_us)
        wait = office->config.redial_max_us;
    entropy_fill(&office->entropy, random, sizeof random);
    wait = wait / 2 + cursor_u64(&cursor) % (wait / 2 + 1);
    route->failures++;
    route->silences += silent;
    route->connection = -1;
    route->since = office->now.wall.us / SECOND_US;
    route->next = monotonic_after(office->now.monotonic, wait);
}

static void reply_test(struct office *office, struct connection *connection, const char *outcome, uint64_t us,
                       const char *detail)
{
    struct office_event event = {.kind = OFFICE_REPLY, .request = connection->request, .outcome = outcome, .at = us};

    if (!connection->test || connection->request == 0)
        return;
    (void)snprintf(event.reason, sizeof event.reason, "%s", detail);
    core_event(office, &event);
    connection->request = 0;
}

/* Whether the other side has read our first message and says nothing. */
static bool was_silent(const struct office *office, const struct connection *connection)
{
    return connection->state == CONNECTION_HANDSHAKE &&
           office->now.monotonic.us >= monotonic_after(connection->opened, SILENCE_US).us;
}

/* Ends a connection: the wire is closed once its output is written. The slot is freed by office_link_broken(). */
void links_end(struct office *office, int number, const char *reason, bool wire_open)
{
    struct connection *connection = &office->connection[number];
    struct office_event event = {.kind = OFFICE_CLOSE, .link = number};

    if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_CLOSING)
        return;
    if (connection->state == CONNECTION_UP) {
        if (connection->sync_link >= 0)
            sync_link_down(line_of(office, connection)->sync, (unsigned)connection->sync_link, office->now);
        tell_link(office, connection, false, reason);
    } else if (connection->route >= 0) {
        core_log(office, "%s: %s", connection->address_text, reason);
    }
    connection->sync_link = -1;
    connection->offered = false;
    if (connection->route >= 0)
        plan_redial(office, &office->route[connection->route], was_silent(office, connection));
    connection->route = -1;
    connection->state = CONNECTION_CLOSING;
    if (wire_open)
        core_event(office, &event);
}

static void free_connection(struct connection *connection)
{
    channel_free(connection->channel);
    connection->channel = NULL;
    connection->state = CONNECTION_FREE;
}

/* --- dialling ------------------------------------------------------------------------------------------------------
 */

int links_dial(struct office *office, int line, unsigned member, const struct address *address, const char *text)
{
    int number = new_connection(office);
    struct connection *connection = NULL;
    struct office_event event = {.kind = OFFICE_DIAL, .link = number, .address = *address};

    if (number < 0)
        return -1;
    connection = &office->connection[number];
    connection->state = CONNECTION_DIALLING;
    connection->line = line;
    connection->member = member;
    connection->address = *address;
    (void)snprintf(connection->address_text, sizeof connection->address_text, "%s", text);
    (void)snprintf(event.address_text, sizeof event.address_text, "%s", text);
    core_event(office, &event);
    return number;
}

/* Silence may mean that our counter is behind: the last ones were not durable when the machine died, and the clock went
 * back. Each silence in a row doubles the lead. Who refuses a connection, or ends it at once, has read no counter. */
static uint64_t counter_lead(const struct office *office, const struct connection *connection)
{
    unsigned silences = connection->route >= 0 ? office->route[connection->route].silences : 0;

    if (connection->jumped)
        return COUNTER_LEAD_MAX_US;
    if (silences == 0)
        return 0;
    return silences < LEAD_DOUBLINGS_MAX ? SECOND_US << silences : COUNTER_LEAD_MAX_US;
}

/* counter = max(last + 1, max(known at the start, wall clock in microseconds) + lead). What was told since is no ground
 * for a lead, so that years of silence do not use up the counters. */
static uint64_t next_counter(struct office *office, const struct connection *connection)
{
    uint64_t *last = &office->counter_sent[connection->line][connection->member];
    uint64_t known = office->counter_known[connection->line][connection->member];
    uint64_t wall = office->now.wall.us;
    uint64_t ahead = (known > wall ? known : wall) + counter_lead(office, connection);
    struct store_op op = {.kind = STORE_PUT_COUNTER};

    *last = *last + 1 > ahead ? *last + 1 : ahead;
    op.n[0] = office->line[connection->line]->number;
    op.n[1] = connection->member;
    op.n[2] = (int64_t)*last;
    core_lazy(office, &op);
    return *last;
}

static void spoken_line(struct channel_line *spoken, const struct line *line)
{
    memcpy(spoken->line_id, line->charter->line_id, HASH_SIZE);
    memcpy(spoken->psk, line->secret->link_psk, sizeof spoken->psk);
}

void office_link_connected(struct office *office, int number, struct now now)
{
    struct connection *connection = &office->connection[number];
    struct line *line = line_of(office, connection);
    struct channel_line spoken;
    struct channel_config config = {.line = &spoken};

    office->now = now;
    if (connection->state != CONNECTION_DIALLING || office->state != OFFICE_READY)
        return;
    spoken_line(&spoken, line);
    config.link_secret = office->identity->link_secret;
    config.keepalive_us = office->config.keepalive_us;
    config.remote_link_key = line->charter->members[connection->member].link_key;
    config.member = (uint8_t)line->me;
    config.counter = next_counter(office, connection);
    config.frame_class = connection->address.frame_class;
    connection->channel = channel_new(&config, &office->entropy, now);
    secret_wipe(&spoken, sizeof spoken);
    connection->state = CONNECTION_HANDSHAKE;
    connection->opened = now.monotonic;
    if (connection->test)
        connection->test_until = monotonic_after(now.monotonic, connection->jumped ? TEST_SECOND_US : TEST_FIRST_US);
    if (connection->channel == NULL)
        links_end(office, number, "there is no memory left", true);
    core_turn(office);
}

/* Whoever holds connections that prove no member holds at most half of them: then the oldest makes room, so that
 * members still get in, and one's own dialling always finds a place. Who was proved stays until its third message had
 * its time, which may be longer than strangers need to come by the hundred. */
static void make_room(struct office *office)
{
    int oldest = -1;
    size_t silent = 0;

    for (int i = 0; i < OFFICE_LINKS_MAX; i++) {
        const struct connection *connection = &office->connection[i];

        if (connection->state != CONNECTION_HANDSHAKE || !connection->incoming || connection->line >= 0)
            continue;
        silent++;
        if (oldest < 0 || connection->opened.us < office->connection[oldest].opened.us)
            oldest = i;
    }
    if (silent >= SILENT_MAX)
        links_end(office, oldest, "too many connections said nothing", true);
}

void links_know_lines(struct office *office)
{
    struct channel_line lines[OFFICE_LINES_MAX];

    for (size_t i = 0; i < office->line_count; i++)
        spoken_line(&lines[i], office->line[i]);
    channel_door_set_lines(office->door, lines, office->line_count);
    secret_wipe(lines, sizeof lines);
}

int office_link_accepted(struct office *office, struct now now)
{
    struct connection *connection = NULL;
    int number = -1;

    office->now = now;
    if (office->state != OFFICE_READY)
        return -1;
    make_room(office);
    number = new_connection(office);
    if (number < 0)
        return -1;
    connection = &office->connection[number];
    connection->incoming = true;
    connection->opened = now.monotonic;
    connection->channel = channel_answer(office->door, office->config.keepalive_us, now);
    if (connection->channel == NULL)
        return -1;
    connection->state = CONNECTION_HANDSHAKE;
    return number;
}

/* A test that found no answer tries once more with a counter far ahead: only a member can, and only a clock or a
 * restored office makes a difference then. */
static bool retry_test(struct office *office, struct connection *connection)
{
    int number = 0;
    struct connection *again = NULL;

    if (!connection->test || connection->jumped || connection->request == 0 || office->state != OFFICE_READY)
        return false;
    number = links_dial(office, connection->line, connection->member, &connection->address, connection->address_text);
    if (number < 0)
        return false;
    again = &office->connection[number];
    again->test = true;
    again->jumped = true;
    again->request = connection->request;
    connection->request = 0;
    return true;
}

/* `happened` stands behind "connected, but". */
static void end_test(struct office *office, struct connection *connection, const char *happened)
{
    char detail[300];

    if (retry_test(office, connection))
        return;
    (void)snprintf(
        detail, sizeof detail,
        "connected, but %s: it is not a liaison office, or it has stopped, or its line or courier key differs",
        happened);
    reply_test(office, connection, "no-answer", 0, detail);
}

/* A connection takes its place until its last bytes are written, which its other end may put off: a member that opens
 * one after the other would soon hold all of them. */
static bool holds_enough(const struct office *office, int line, unsigned member)
{
    unsigned count = 0;

    for (int i = 0; i < office->connection_end; i++) {
        const struct connection *connection = &office->connection[i];

        count += connection->state != CONNECTION_FREE && connection->incoming && connection->line == line &&
                 connection->member == member;
    }
    return count >= MEMBER_CONNECTIONS_MAX;
}

/* --- what a channel says ---------------------------------------------------------------------------------------------
 */

static void take_offer(struct office *office, int number, const struct channel_event *event)
{
    struct connection *connection = &office->connection[number];
    int index = (int)event->line;
    const struct line *line = office->line[index];
    struct store_op op = {.kind = STORE_PUT_COUNTER};
    uint64_t counter = 0;

    if (event->member >= line->charter->member_count || event->member == line->me) {
        channel_refuse(connection->channel);
        return;
    }
    if (!channel_identify(connection->channel, line->charter->members[event->member].link_key, &counter))
        return;
    if (counter <= office->counter_received[index][event->member] || counter > INT64_MAX ||
        holds_enough(office, index, event->member)) {
        channel_refuse(connection->channel);
        return;
    }
    office->counter_received[index][event->member] = counter;
    connection->line = index;
    connection->member = event->member;
    connection->offered = true;
    op.n[0] = line->number;
    op.n[1] = event->member;
    op.n[3] = (int64_t)counter;
    core_lazy(office, &op);
    office->hurry = true;
}

size_t links_waiting_offers(const struct office *office, int *connections, unsigned *generations, size_t max)
{
    size_t count = 0;

    for (int i = 0; i < office->connection_end && count < max; i++)
        if (office->connection[i].offered) {
            connections[count] = i;
            generations[count++] = office->connection[i].generation;
        }
    return count;
}

/* The counters are durable: message 2 may leave. */
void links_accept_offers(struct office *office, const int *connections, const unsigned *generations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &office->connection[connections[i]];

        if (connection->generation != generations[i] || !connection->offered)
            continue;
        connection->offered = false;
        channel_accept(connection->channel, office->now);
    }
}

static int free_sync_link(const struct office *office, int line)
{
    for (int link = 0; link < SYNC_LINKS_MAX; link++) {
        bool taken = false;

        for (int i = 0; i < office->connection_end; i++)
            taken |= office->connection[i].state == CONNECTION_UP && office->connection[i].line == line &&
                     office->connection[i].sync_link == link;
        if (!taken)
            return link;
    }
    return -1;
}

/* A member has so many links on a line that it opened; the newest makes the oldest go, since that may be dead. */
static void limit_links(struct office *office, const struct connection *newest)
{
    unsigned count = 0;
    int oldest = -1;

    for (int i = 0; i < OFFICE_LINKS_MAX; i++) {
        const struct connection *connection = &office->connection[i];

        if (connection->state != CONNECTION_UP || !connection->incoming || connection->line != newest->line ||
            connection->member != newest->member)
            continue;
        count++;
        if (oldest < 0 || connection->opened.us < office->connection[oldest].opened.us)
            oldest = i;
    }
    if (count < MEMBER_LINKS_MAX)
        return;
    channel_close(office->connection[oldest].channel, "you opened a newer link");
    links_end(office, oldest, "it opened a newer link", true);
}

static void take_established(struct office *office, int number)
{
    struct connection *connection = &office->connection[number];

    if (connection->test) {
        connection->state = CONNECTION_UP;
        channel_ping(connection->channel, office->now);
        return;
    }
    if (connection->incoming)
        limit_links(office, connection);
    connection->sync_link = free_sync_link(office, connection->line);
    if (connection->sync_link < 0) {
        channel_close(connection->channel, "too many links of this line are open");
        return;
    }
    connection->state = CONNECTION_UP;
    connection->since = office->now.wall.us / SECOND_US;
    if (connection->route >= 0) {
        office->route[connection->route].failures = 0;
        office->route[connection->route].silences = 0;
        office->route[connection->route].since = connection->since;
    }
    sync_link_up(line_of(office, connection)->sync, (unsigned)connection->sync_link, connection->member, office->now);
    tell_link(office, connection, true, "");
}

static void take_pong(struct office *office, int number, uint64_t round_trip_us)
{
    struct connection *connection = &office->connection[number];

    if (!connection->test)
        return;
    if (connection->jumped)
        reply_test(
            office, connection, "counter", round_trip_us,
            "it answers only to a counter far ahead of ours: the clock of this machine was set back, or this office "
            "was restored from a copy. The counter was moved ahead; the link will work now");
    else
        reply_test(office, connection, "ok", round_trip_us, "the link works");
    channel_close(connection->channel, "this was a test");
}

static void take_closed(struct office *office, int number, const char *reason)
{
    struct connection *connection = &office->connection[number];

    if (connection->state == CONNECTION_HANDSHAKE)
        end_test(office, connection, NO_ANSWER);
    else
        reply_test(office, connection, "no-answer", 0, reason);
    links_end(office, number, reason, true);
}

static void take_channel_events(struct office *office, int number)
{
    struct connection *connection = &office->connection[number];
    struct channel_event event;

    while (connection->channel != NULL && connection->state != CONNECTION_CLOSING &&
           channel_event(connection->channel, &event)) {
        struct error error = {0};

        switch (event.kind) {
        case CHANNEL_NOTHING:
            break;
        case CHANNEL_OFFER:
            take_offer(office, number, &event);
            break;
        case CHANNEL_ESTABLISHED:
            take_established(office, number);
            break;
        case CHANNEL_MESSAGE:
            if (connection->sync_link >= 0 &&
                sync_input(line_of(office, connection)->sync, (unsigned)connection->sync_link, event.message,
                           office->now, &error) != 0) {
                core_log(office, "%s: %s", line_of(office, connection)->member[connection->member].name, error.message);
                channel_close(connection->channel, error.message);
            }
            break;
        case CHANNEL_PONG:
            take_pong(office, number, event.round_trip_us);
            break;
        case CHANNEL_CLOSED:
            take_closed(office, number, event.reason);
            break;
        }
    }
}

void office_link_input(struct office *office, int number, struct span bytes, struct now now)
{
    struct connection *connection = &office->connection[number];

    office->now = now;
    if (connection->channel == NULL || connection->state == CONNECTION_CLOSING)
        return;
    channel_input(connection->channel, bytes, now);
    take_channel_events(office, number);
    core_turn(office);
}

static void pump_lane(struct office *office, struct connection *connection, bool urgent)
{
    struct buffer message = {0};

    while (channel_room(connection->channel, urgent) > 0 &&
           sync_output(line_of(office, connection)->sync, (unsigned)connection->sync_link, urgent, &message)) {
        if (buffer_failed(&message) || channel_send(connection->channel, buffer_span(&message), urgent) != 0) {
            channel_close(connection->channel, "there is no memory left");
            break;
        }
        buffer_reset(&message);
    }
    buffer_free(&message);
}

static void pump(struct office *office, struct connection *connection)
{
    if (connection->state != CONNECTION_UP || connection->sync_link < 0)
        return;
    pump_lane(office, connection, true);
    pump_lane(office, connection, false);
}

size_t office_link_output(struct office *office, int number, struct buffer *out, size_t max, struct now now)
{
    struct connection *connection = &office->connection[number];
    size_t given = 0;

    office->now = now;
    if (connection->channel == NULL)
        return 0;
    while (given < max) {
        size_t more = 0;

        pump(office, connection);
        more = channel_output(connection->channel, out, max - given < OUTPUT_CHUNK ? max - given : OUTPUT_CHUNK, now);
        given += more;
        if (more == 0)
            break;
    }
    if (connection->state == CONNECTION_UP && connection->sync_link >= 0)
        carry_events(office, line_of(office, connection));
    take_channel_events(office, number);
    return given;
}

void office_link_broken(struct office *office, int number, const char *reason, struct now now)
{
    struct connection *connection = &office->connection[number];
    char happened[150];

    office->now = now;
    if (connection->state == CONNECTION_FREE)
        return;
    (void)snprintf(happened, sizeof happened, "it ended before it answered (%s)", reason);
    if (connection->state == CONNECTION_DIALLING)
        reply_test(office, connection, "cannot-connect", 0, reason);
    else
        end_test(office, connection, happened);
    links_end(office, number, reason, false);
    free_connection(connection);
    core_turn(office);
}

void links_close_all(struct office *office, const char *reason)
{
    for (int i = 0; i < office->connection_end; i++) {
        struct connection *connection = &office->connection[i];

        if (connection->channel != NULL)
            channel_close(connection->channel, reason);
        links_end(office, i, reason, true);
    }
}

void links_close_sync(struct office *office, const struct line *line, unsigned link, const char *reason)
{
    for (int i = 0; i < OFFICE_LINKS_MAX; i++) {
        struct connection *connection = &office->connection[i];

        if (connection->state == CONNECTION_UP && line_of(office, connection) == line &&
            connection->sync_link == (int)link) {
            channel_close(connection->channel, reason);
            links_end(office, i, reason, true);
        }
    }
}

/* --- time -----------------------------------------------------------------------------------------------------------
 */

void links_turn(struct office *office)
{
    for (size_t i = 0; i < office->line_count; i++)
        carry_events(office, office->line[i]);
    for (int i = 0; i < office->connection_end; i++)
        pump(office, &office->connection[i]);
    for (size_t i = 0; i < office->line_count; i++)
        carry_events(office, office->line[i]);
}

struct monotonic links_next(const struct office *office)
{
    struct monotonic next = NEVER;

    for (int i = 0; i < office->connection_end; i++) {
        const struct connection *connection = &office->connection[i];

        if (connection->state == CONNECTION_FREE || connection->state == CONNECTION_CLOSING ||
            connection->channel == NULL)
            continue;
        next = monotonic_earlier(next, channel_next(connection->channel));
        if (connection->test)
            next = monotonic_earlier(next, connection->test_until);
    }
    for (size_t i = 0; i < office->route_count; i++)
        if (office->route[i].used && office->route[i].connection < 0)
            next = monotonic_earlier(next, office->route[i].next);
    return next;
}

static void step_connection(struct office *office, int number)
{
    struct connection *connection = &office->connection[number];

    if (connection->channel == NULL || connection->state == CONNECTION_CLOSING)
        return;
    if (channel_next(connection->channel).us <= office->now.monotonic.us)
        channel_step(connection->channel, office->now);
    take_channel_events(office, number);
    if (!connection->test || connection->state == CONNECTION_CLOSING ||
        connection->test_until.us > office->now.monotonic.us)
        return;
    end_test(office, connection, NO_ANSWER);
    links_end(office, number, "the test is over", true);
}

void links_step(struct office *office)
{
    for (int i = 0; i < office->connection_end; i++)
        step_connection(office, i);
    for (size_t i = 0; i < office->route_count; i++) {
        struct route *route = &office->route[i];

        if (!route->used || route->connection >= 0 || route->next.us > office->now.monotonic.us)
            continue;
        route->connection = links_dial(office, route->line, route->member, &route->address, route->text);
        if (route->connection >= 0)
            office->connection[route->connection].route = (int)i;
        else
            plan_redial(office, route, false);
    }
}

void links_start(struct office *office)
{
    for (size_t i = 0; i < office->route_count; i++)
        office->route[i].next = office->now.monotonic;
}
