/*
 * Wires: bytes arrive in order, not before their time, or never; and what each fault does.
 */
#include "network.h"

#include "test.h"

static struct network *network;
static uint64_t now;
static struct buffer got[2]; /* by side */
static const char *broken[2];
static bool open[2], has_room;

static void begin(uint32_t splits)
{
    const struct network_plan plan = {
        .latency_us = 1000, .jitter_us = 500, .bytes_per_second = 1000000, .splits = splits};

    network = network_new(1, &plan);
    network_listen(network, 1, true);
    now = 0;
    memset(broken, 0, sizeof broken);
    memset(open, 0, sizeof open);
    has_room = false;
}

static void run(uint64_t until)
{
    struct network_event event;

    while (network_next(network) <= until) {
        now = network_next(network) > now ? network_next(network) : now;
        while (network_take(network, now, &event)) {
            unsigned side = (unsigned)event.end % 2;

            CHECK(event.party == side);
            open[side] |= event.kind == NETWORK_ACCEPTED || event.kind == NETWORK_CONNECTED;
            has_room |= event.kind == NETWORK_ROOM;
            if (event.kind == NETWORK_BROKEN)
                broken[side] = event.reason;
            buffer_put_span(&got[side], buffer_span(&event.bytes));
            buffer_free(&event.bytes);
        }
    }
    now = until;
}

static void end(void)
{
    network_free(network);
    buffer_free(&got[0]);
    buffer_free(&got[1]);
}

static int dial(void)
{
    int wire = network_dial(network, 0, 1, now);

    run(now + 10000);
    CHECK(open[0] && open[1]);
    return wire;
}

static void bytes_arrive_in_order_and_in_pieces(void)
{
    uint8_t bytes[40000];
    int wire = 0;

    begin(500000);
    wire = dial();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    network_send(network, wire, span_of(bytes, sizeof bytes), now);
    run(now + 30000);
    CHECK(got[1].size > 0 && got[1].size < sizeof bytes);
    run(now + 100000);
    CHECK(span_equal(buffer_span(&got[1]), span_of(bytes, sizeof bytes)) && got[0].size == 0);
    end();
}

static void a_full_wire_says_when_it_has_room(void)
{
    static const uint8_t bytes[60000];
    int wire = 0;

    begin(0);
    wire = dial();
    CHECK(network_room(network, wire) == 65536);
    network_send(network, wire, span_of(bytes, sizeof bytes), now);
    CHECK(network_room(network, wire) == 5536);
    run(now + 1000000);
    CHECK(has_room && network_room(network, wire) == 65536);
    end();
}

static void nobody_listens(void)
{
    begin(0);
    network_listen(network, 1, false);
    (void)network_dial(network, 0, 1, now);
    run(100000);
    CHECK(!open[0] && broken[0] != NULL && strcmp(broken[0], "refused") == 0);
    end();
}

static void the_end_of_a_stream_comes_after_its_bytes(void)
{
    int wire = 0;

    begin(0);
    wire = dial();
    network_send(network, wire, span_of_string("last"), now);
    network_close(network, wire, now);
    run(now + 100000);
    CHECK(got[1].size == 4 && broken[1] != NULL && broken[0] == NULL);
    end();
}

static void a_cut_takes_what_is_on_the_way(void)
{
    int wire = 0;

    begin(0);
    wire = dial();
    network_send(network, wire, span_of_string("lost"), now);
    CHECK(network_cut(network, 1, 0, false, now) == 1);
    run(now + 100000);
    CHECK(got[1].size == 0 && broken[0] != NULL && broken[1] != NULL);
    CHECK(network_next(network) == UINT64_MAX);
    end();
}

static void of_a_half_open_wire_one_end_knows(void)
{
    begin(0);
    (void)dial();
    CHECK(network_cut(network, 0, 1, true, now) == 1);
    run(now + 1000000);
    CHECK((broken[0] != NULL) != (broken[1] != NULL));
    end();
}

static void what_is_blocked_waits(void)
{
    int wire = 0;

    begin(0);
    wire = dial();
    network_block(network, 0, 1, now + 500000);
    network_send(network, wire, span_of_string("late"), now);
    network_send(network, wire + 1, span_of_string("other way"), now);
    run(now + 400000);
    CHECK(got[1].size == 0 && got[0].size == 9);
    run(now + 200000);
    CHECK(got[1].size == 4);
    end();
}

static void dialling_through_a_block_times_out(void)
{
    begin(0);
    network_block(network, 1, 0, 60000000);
    (void)network_dial(network, 0, 1, now);
    run(10000000);
    CHECK(!open[0] && !open[1] && broken[0] != NULL && strcmp(broken[0], "timed out") == 0);
    end();
}

static void a_machine_that_died_says_nothing(void)
{
    begin(0);
    (void)dial();
    network_die(network, 1, true, now);
    run(now + 10000000);
    CHECK(broken[0] == NULL && broken[1] == NULL);
    end();
    begin(0);
    (void)dial();
    network_die(network, 1, false, now);
    run(now + 10000000);
    CHECK(broken[0] != NULL && broken[1] == NULL);
    end();
}

int main(void)
{
    RUN(bytes_arrive_in_order_and_in_pieces);
    RUN(a_full_wire_says_when_it_has_room);
    RUN(nobody_listens);
    RUN(the_end_of_a_stream_comes_after_its_bytes);
    RUN(a_cut_takes_what_is_on_the_way);
    RUN(of_a_half_open_wire_one_end_knows);
    RUN(what_is_blocked_waits);
    RUN(dialling_through_a_block_times_out);
    RUN(a_machine_that_died_says_nothing);
    return test_end();
}
