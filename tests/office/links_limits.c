/*
 * Who is answered at the door.
 */
#include "../../src/office/links.c"

#include "seal/aead.h"
#include "test.h"

#define ME 0
#define MEMBER 1

static struct office office;
static struct line line;
static struct charter charter = {.member_count = 2};
static const uint8_t secret[2][DH_SIZE] = {{1}, {2}};
static const struct channel_line spoken;

static void begin(void)
{
    channel_door_free(office.door);
    office = (struct office){.line_count = 1, .line = {&line}};
    office.door = channel_door_new(secret[ME], &office.entropy);
    channel_door_set_lines(office.door, &spoken, 1);
    line = (struct line){.charter = &charter, .me = ME};
    for (unsigned i = 0; i < 2; i++)
        dh_public(charter.members[i].link_key, secret[i]);
}

static struct channel *new_initiator(uint64_t counter)
{
    struct channel_config config = {.line = &spoken};

    config.link_secret = secret[MEMBER];
    config.keepalive_us = SECOND_US;
    config.remote_link_key = charter.members[ME].link_key;
    config.member = MEMBER;
    config.counter = counter;
    return channel_new(&config, &office.entropy, office.now);
}

/* A first message comes on a new connection. Whether it is to be answered. */
static bool offers(int number, uint64_t counter)
{
    struct connection *connection = &office.connection[number];
    struct channel *other = new_initiator(counter);
    struct buffer first = {0};

    *connection = (struct connection){.state = CONNECTION_HANDSHAKE,
                                      .channel = channel_answer(office.door, SECOND_US, office.now),
                                      .incoming = true,
                                      .line = -1,
                                      .sync_link = -1,
                                      .route = -1};
    if (number >= office.connection_end)
        office.connection_end = number + 1;
    CHECK(channel_output(other, &first, 1, office.now) == HANDSHAKE_FRAME);
    channel_input(connection->channel, buffer_span(&first), office.now);
    take_channel_events(&office, number);
    channel_free(connection->channel);
    connection->channel = NULL;
    channel_free(other);
    buffer_free(&first);
    return connection->offered;
}

/* However slowly the last bytes of its connections are taken. */
static void a_member_does_not_hold_all_connections(void)
{
    begin();
    for (int i = 0; i < MEMBER_CONNECTIONS_MAX; i++) {
        CHECK(offers(i, (uint64_t)i + 1));
        office.connection[i].offered = false;
        office.connection[i].state = CONNECTION_CLOSING;
    }
    CHECK(!offers(OFFICE_LINKS_MAX - 1, 100) && office.counter_received[0][MEMBER] == MEMBER_CONNECTIONS_MAX);
    office.connection[3].state = CONNECTION_FREE;
    CHECK(offers(OFFICE_LINKS_MAX - 1, 100) && office.counter_received[0][MEMBER] == 100);
    store_batch_free(&office.lazy);
}

static void a_counter_is_taken_once(void)
{
    begin();
    CHECK(offers(0, 7) && !offers(1, 7) && !offers(2, 6) && offers(3, 8));
    CHECK(!offers(4, (uint64_t)INT64_MAX + 1) && offers(5, INT64_MAX));
    store_batch_free(&office.lazy);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(a_member_does_not_hold_all_connections);
    RUN(a_counter_is_taken_once);
    return test_end();
}
