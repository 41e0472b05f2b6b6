#include "memory.h"
#include "pair.h"

#include "vectors.h"

/* One step of the worked example: what came, what is said to it. */
static void follow(struct channel *channel, struct seen *seen, const json_t *step)
{
    struct buffer bytes = {0}, out = {0};
    struct span input = vector_bytes(step, "input_hex", &bytes);

    if (input.size > 0)
        channel_input(channel, input, at_us(250000));
    take(channel, seen, INITIATOR_SECRET, at_us(250000));
    if (seen->established == 1 && seen->offers == 0 && seen->messages == 0) {
        channel_ping(channel, at_us(250000));
        CHECK(channel_send(channel, span_of_string("Are you there?"), false) == 0);
    } else if (seen->offers == 1 && seen->messages == 1 && seen->closed == 0) {
        CHECK(channel_send(channel, span_of_string("We are."), false) == 0);
    } else if (seen->offers == 0 && seen->messages == 1) {
        channel_close(channel, "Good night.");
    }
    (void)channel_output(channel, &out, SIZE_MAX, at_us(250000));
    buffer_reset(&bytes);
    if (!span_equal(buffer_span(&out), vector_bytes(step, "output_hex", &bytes))) {
        CHECK(false);
        printf("# %s\n", vector_text(step, "name"));
    }
    CHECK(strcmp(seen->reason, vector_text(step, "reason")) == 0);
    buffer_free(&bytes);
    buffer_free(&out);
}

static void the_worked_example_holds(void)
{
    json_t *steps = vectors_cases("link/conversation");
    struct pair pair = {0};
    size_t index = 0;
    json_t *step = NULL;

    CHECK(json_array_size(steps) == 6);
    pair_open(&pair, FRAME_256);
    json_array_foreach(steps, index, step)
    {
        if (index % 2 == 0)
            follow(pair.initiator, &pair.by_initiator, step);
        else
            follow(pair.responder, &pair.by_responder, step);
    }
    CHECK(pair.by_initiator.pongs == 1 && pair.by_initiator.established == 1 && pair.by_responder.established == 1);
    CHECK(span_equal(buffer_span(&pair.by_initiator.content), span_of_string("We are.")));
    CHECK(span_equal(buffer_span(&pair.by_responder.content), span_of_string("Are you there?")));
    json_decref(steps);
    pair_close(&pair);
}

/* The page's hexadecimal is broken into lines; it is compared without its white space. */
static void the_page_shows_the_same_bytes(void)
{
    json_t *steps = vectors_cases("link/conversation");
    FILE *file = fopen(SOURCE_ROOT "/spec/link.md", "r");
    struct buffer page = {0};
    size_t index = 0;
    json_t *step = NULL;

    CHECK(file != NULL);
    for (int c = 0; file != NULL && (c = getc(file)) != EOF;)
        if (c != ' ' && c != '\n')
            buffer_put_u8(&page, (uint8_t)c);
    json_array_foreach(steps, index, step) CHECK(strstr(buffer_string(&page), vector_text(step, "output_hex")) != NULL);
    if (file != NULL)
        (void)fclose(file);
    json_decref(steps);
    buffer_free(&page);
}

static void output_keeps_to_its_limit(void)
{
    struct pair pair = {0};
    uint8_t message[10000] = {1};

    pair_establish(&pair, FRAME_1024);
    CHECK(channel_send(pair.initiator, span_of(message, sizeof message), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, 0, at_us(0)) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, 1, at_us(0)) == 1024);
    CHECK(channel_output(pair.initiator, &pair.to_responder, 2048, at_us(0)) == 2048);
    CHECK(pair.to_responder.size == 3 * 1024 && channel_has_output(pair.initiator));
    carry(&pair, at_us(0));
    CHECK(pair.by_responder.messages == 1);
    pair_close(&pair);
}

static void room_shrinks_with_what_waits(void)
{
    struct pair pair = {0};
    uint8_t *big = calloc(1, CHANNEL_MESSAGE_MAX);

    CHECK(big != NULL);
    pair_establish(&pair, FRAME_16384);
    CHECK(channel_send(pair.initiator, span_of(big, 1000), false) == 0);
    CHECK(channel_room(pair.initiator, false) < CHANNEL_QUEUE &&
          channel_room(pair.initiator, false) > CHANNEL_QUEUE - 1100);
    CHECK(channel_send(pair.initiator, span_of(big, CHANNEL_MESSAGE_MAX), false) == 0);
    CHECK(channel_room(pair.initiator, false) == 0);
    carry(&pair, at_us(0));
    CHECK(channel_room(pair.initiator, false) == CHANNEL_QUEUE && pair.by_responder.messages == 2);
    free(big);
    pair_close(&pair);
}

static void each_lane_has_its_own_room(void)
{
    struct pair pair = {0};
    uint8_t message[CHANNEL_QUEUE] = {1};

    pair_establish(&pair, FRAME_16384);
    for (int urgent = 0; urgent < LANES; urgent++) {
        CHECK(channel_send(pair.initiator, span_of(message, sizeof message), urgent) == 0);
        CHECK(channel_room(pair.initiator, urgent) == 0 && channel_room(pair.initiator, !urgent) == CHANNEL_QUEUE);
        carry(&pair, at_us(0));
        CHECK(channel_room(pair.initiator, urgent) == CHANNEL_QUEUE);
    }
    CHECK(pair.by_responder.messages == 2);
    pair_close(&pair);
}

/* One input brings a message of each lane. */
static void urgent_messages_are_handed_out_first(void)
{
    struct pair pair = {0};
    struct channel_event event;

    pair_establish(&pair, FRAME_256);
    CHECK(channel_send(pair.initiator, span_of_string("bulk"), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
    CHECK(channel_send(pair.initiator, span_of_string("urgent"), true) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
    channel_input(pair.responder, buffer_span(&pair.to_responder), at_us(0));
    CHECK(channel_event(pair.responder, &event) && event.kind == CHANNEL_MESSAGE && event.urgent);
    CHECK(span_equal(event.message, span_of_string("urgent")));
    CHECK(channel_event(pair.responder, &event) && event.kind == CHANNEL_MESSAGE && !event.urgent);
    CHECK(span_equal(event.message, span_of_string("bulk")));
    CHECK(!channel_event(pair.responder, &event));
    pair_close(&pair);
}

static void a_ping_overtakes_messages_and_tells_the_round_trip(void)
{
    struct pair pair = {0};
    uint8_t message[100000] = {1};

    pair_establish(&pair, FRAME_1024);
    CHECK(channel_send(pair.initiator, span_of(message, sizeof message), false) == 0);
    channel_ping(pair.initiator, at_us(SECOND_US));
    CHECK(channel_output(pair.initiator, &pair.to_responder, 1024, at_us(SECOND_US)) == 1024);
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(SECOND_US + 300));
    CHECK(channel_output(pair.responder, &pair.to_initiator, SIZE_MAX, at_us(SECOND_US + 400)) == 1024);
    arrive(&pair, pair.initiator, &pair.by_initiator, &pair.to_initiator, at_us(SECOND_US + 777));
    CHECK(pair.by_initiator.pongs == 1 && pair.by_initiator.round_trip_us == 777);
    CHECK(pair.by_responder.messages == 0 && pair.by_responder.pongs == 0);
    carry(&pair, at_us(2 * SECOND_US));
    CHECK(pair.by_responder.messages == 1 && pair.by_initiator.pongs == 1);
    pair_close(&pair);
}

static void several_pings_under_way_are_told_apart(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    for (uint64_t i = 1; i <= 3; i++) {
        channel_ping(pair.initiator, at_us(i * 100));
        CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(i * 100)) == 256);
        channel_input(pair.responder, span_of(pair.to_responder.data, 256), at_us(i * 100));
        CHECK(channel_output(pair.responder, &pair.to_initiator, SIZE_MAX, at_us(i * 100)) == 256);
        buffer_reset(&pair.to_responder);
    }
    for (uint64_t i = 0; i < 3; i++) {
        channel_input(pair.initiator, span_of(pair.to_initiator.data + i * 256, 256), at_us(1000 + i));
        take(pair.initiator, &pair.by_initiator, 0, at_us(1000 + i));
        CHECK(pair.by_initiator.pongs == i + 1 && pair.by_initiator.round_trip_us == 1000 + i - (i + 1) * 100);
    }
    buffer_reset(&pair.to_initiator);
    pair_close(&pair);
}

static void a_flood_of_pings_gets_one_pong(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct buffer out = {0};
    uint8_t plain[240];

    for (uint8_t i = 0; i < 200; i++) {
        uint8_t pings[22] = {3, 0, 8, 1, 2, 3, 4, 5, 6, 7, 0, 3, 0, 8, 1, 2, 3, 4, 5, 6, 7, i};

        stranger_say(&stranger, responder, span_of(pings, sizeof pings));
    }
    CHECK(channel_output(responder, &out, SIZE_MAX, at_us(0)) == 256 && !channel_has_output(responder));
    CHECK(noise_decrypt(&stranger.receive, span_of(NULL, 0), buffer_span(&out), plain));
    CHECK(memcmp(plain, (uint8_t[]){4, 0, 8, 1, 2, 3, 4, 5, 6, 7, 199, 0}, 12) == 0);
    channel_free(responder);
    buffer_free(&out);
}

static void pongs_nobody_asked_for_say_nothing(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct buffer out = {0};

    channel_ping(responder, at_us(1000));
    CHECK(channel_output(responder, &out, SIZE_MAX, at_us(1000)) == 256);
    stranger_say(&stranger, responder, span_of("\4\0\10\0\0\0\0\0\0\0\0", 11)); /* of a keepalive */
    stranger_say(&stranger, responder, span_of("\4\0\10\0\0\0\0\0\0\4\0", 11)); /* 1024: never sent */
    stranger_say(&stranger, responder, span_of("\4\0\10\xff\xff\xff\xff\xff\xff\xff\xff", 11));
    take(responder, &seen, 0, at_us(2000));
    CHECK(seen.pongs == 0 && seen.closed == 0);
    stranger_say(&stranger, responder, span_of("\4\0\10\0\0\0\0\0\0\3\xe8", 11)); /* 1000: this one */
    take(responder, &seen, 0, at_us(2000));
    stranger_say(&stranger, responder, span_of("\4\0\10\0\0\0\0\0\0\3\xe8", 11)); /* twice */
    take(responder, &seen, 0, at_us(2000));
    CHECK(seen.pongs == 1);
    channel_free(responder);
    buffer_free(&out);
}

static void silence_is_kept_alive_by_pings(void)
{
    struct pair pair = {0};
    uint64_t us = 0;

    pair_establish(&pair, FRAME_256);
    CHECK(channel_next(pair.initiator).us == START + KEEPALIVE);
    channel_step(pair.initiator, at_us(KEEPALIVE - 1));
    CHECK(!channel_has_output(pair.initiator));
    for (int round = 0; round < 100; round++) {
        struct monotonic next = monotonic_earlier(channel_next(pair.initiator), channel_next(pair.responder));

        CHECK(next.us > START + us);
        us = next.us - START;
        channel_step(pair.initiator, at_us(us));
        channel_step(pair.responder, at_us(us));
        CHECK(channel_has_output(pair.initiator) || channel_has_output(pair.responder));
        carry(&pair, at_us(us));
    }
    CHECK(us >= 100 * KEEPALIVE && us <= 101 * KEEPALIVE);
    CHECK(pair.by_initiator.closed == 0 && pair.by_responder.closed == 0 && pair.by_initiator.pongs == 0);
    pair_close(&pair);
}

static void no_sign_of_life_closes(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    channel_step(pair.initiator, at_us(KEEPALIVE));
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(KEEPALIVE)) == 256);
    CHECK(channel_next(pair.initiator).us == START + 2 * KEEPALIVE);
    channel_step(pair.initiator, at_us(2 * KEEPALIVE));
    CHECK(channel_next(pair.initiator).us == START + 3 * KEEPALIVE); /* the ping cannot leave: no use to wake earlier */
    channel_step(pair.initiator, at_us(3 * KEEPALIVE - 1));
    take(pair.initiator, &pair.by_initiator, 0, at_us(3 * KEEPALIVE - 1));
    CHECK(pair.by_initiator.closed == 0);
    channel_step(pair.initiator, at_us(3 * KEEPALIVE));
    channel_step(pair.initiator, at_us(4 * KEEPALIVE));
    take(pair.initiator, &pair.by_initiator, 0, at_us(4 * KEEPALIVE));
    CHECK(pair.by_initiator.closed == 1 && strcmp(pair.by_initiator.reason, "no sign of life for 60 s") == 0);
    CHECK(!channel_has_output(pair.initiator) && channel_next(pair.initiator).us == UINT64_MAX);
    pair_close(&pair);
}

/* Forged bytes are no sign of life, and neither is half a frame. */
static void half_a_frame_is_no_sign_of_life(void)
{
    struct pair pair = {0};
    uint8_t bytes[255] = {0};

    pair_establish(&pair, FRAME_256);
    channel_input(pair.initiator, span_of(bytes, sizeof bytes), at_us(2 * KEEPALIVE));
    channel_step(pair.initiator, at_us(3 * KEEPALIVE));
    take(pair.initiator, &pair.by_initiator, 0, at_us(3 * KEEPALIVE));
    CHECK(pair.by_initiator.closed == 1);
    pair_close(&pair);
}

static void a_close_overtakes_messages_and_says_why(void)
{
    struct pair pair = {0};
    uint8_t message[100000] = {1};

    pair_establish(&pair, FRAME_1024);
    CHECK(channel_send(pair.initiator, span_of(message, sizeof message), false) == 0);
    CHECK(channel_send(pair.initiator, span_of(message, sizeof message), true) == 0);
    channel_close(pair.initiator, "the office is closing");
    for (int urgent = 0; urgent < LANES; urgent++) {
        CHECK(channel_send(pair.initiator, span_of("x", 1), urgent) == -1);
        CHECK(channel_room(pair.initiator, urgent) == 0);
    }
    take(pair.initiator, &pair.by_initiator, 0, at_us(0));
    CHECK(pair.by_initiator.closed == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 1024);
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    take(pair.initiator, &pair.by_initiator, 0, at_us(0));
    CHECK(pair.by_initiator.closed == 1 && strcmp(pair.by_initiator.reason, "the office is closing") == 0);
    CHECK(pair.by_responder.closed == 1 && pair.by_responder.messages == 0);
    CHECK(strcmp(pair.by_responder.reason, "the other side closed, in its words: the office is closing") == 0);
    CHECK(!channel_has_output(pair.initiator) && !channel_has_output(pair.responder));
    pair_close(&pair);
}

static void expect_no_handshake_secrets(const struct channel *channel)
{
    const struct channel_keys *keys = channel->keys;

    if (keys == NULL)
        return;
    CHECK(span_is_zero(span_of(&keys->handshake, sizeof keys->handshake)));
    CHECK(span_is_zero(span_of(&keys->line, sizeof keys->line)));
    CHECK(span_is_zero(span_of(keys->inner, sizeof keys->inner)));
}

static void expect_nothing_kept(const struct channel *channel)
{
    CHECK(channel->keys == NULL && channel->frame == NULL);
    for (size_t i = 0; i < LANES; i++)
        CHECK(channel->lane[i].outgoing.data == NULL);
}

static void secrets_are_gone_when_they_have_served(void)
{
    struct pair pair = {0};
    uint8_t garbage[HANDSHAKE_FRAME] = {1};

    pair_establish(&pair, FRAME_256);
    expect_no_handshake_secrets(pair.initiator);
    expect_no_handshake_secrets(pair.responder);
    CHECK(!span_is_zero(span_of(pair.responder->keys->receive.key, sizeof pair.responder->keys->receive.key)));
    for (int urgent = 0; urgent < LANES; urgent++)
        CHECK(channel_send(pair.responder, span_of("x", 1), urgent) == 0);
    channel_close(pair.initiator, "enough");
    carry(&pair, at_us(0));
    expect_nothing_kept(pair.initiator);
    expect_nothing_kept(pair.responder);
    pair_close(&pair);

    pair_open(&pair, FRAME_256);
    channel_input(pair.responder, span_of(garbage, sizeof garbage), at_us(0));
    CHECK(pair.responder->keys == NULL);
    channel_step(pair.initiator, at_us(CHANNEL_HANDSHAKE_US));
    expect_nothing_kept(pair.initiator);
    pair_close(&pair);

    pair_open(&pair, FRAME_256);
    (void)channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0));
    channel_input(pair.responder, buffer_span(&pair.to_responder), at_us(0));
    CHECK(pair.responder->keys != NULL);
    take(pair.responder, &pair.by_responder, INITIATOR_SECRET + 1, at_us(0)); /* it is not that member */
    CHECK(pair.responder->keys == NULL);
    pair_close(&pair);
}

static void the_first_reason_stands(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    channel_close(pair.initiator, "first");
    channel_close(pair.initiator, "second");
    carry(&pair, at_us(0));
    CHECK(strcmp(pair.by_initiator.reason, "first") == 0);
    CHECK(strstr(pair.by_responder.reason, "words: first") != NULL);
    pair_close(&pair);
}

static void a_close_that_cannot_leave_ends_by_itself(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    channel_close(pair.initiator, "enough");
    CHECK(channel_next(pair.initiator).us == START + 3 * KEEPALIVE);
    channel_step(pair.initiator, at_us(3 * KEEPALIVE));
    take(pair.initiator, &pair.by_initiator, 0, at_us(3 * KEEPALIVE));
    CHECK(pair.by_initiator.closed == 1 && strcmp(pair.by_initiator.reason, "enough") == 0);
    pair_close(&pair);
}

static void a_close_before_the_handshake_sends_nothing(void)
{
    struct pair pair = {0};

    pair_open(&pair, FRAME_256);
    channel_close(pair.initiator, "changed our mind");
    channel_close(pair.responder, "no");
    take(pair.initiator, &pair.by_initiator, 0, at_us(0));
    take(pair.responder, &pair.by_responder, 0, at_us(0));
    CHECK(pair.by_initiator.closed == 1 && pair.by_responder.closed == 1);
    CHECK(!channel_has_output(pair.initiator) && !channel_has_output(pair.responder));
    pair_close(&pair);
}

static void a_long_reason_is_cut_between_characters(void)
{
    struct pair pair = {0};
    char reason[301] = {0};

    for (size_t i = 0; i + 3 <= 300; i += 3)
        memcpy(reason + i, "\xe2\x82\xac", 3); /* 200 is no multiple of 3 */
    pair_establish(&pair, FRAME_256);
    channel_close(pair.initiator, reason);
    carry(&pair, at_us(0));
    CHECK(pair.by_responder.closed == 1);
    CHECK(strlen(pair.by_responder.reason) == strlen("the other side closed, in its words: ") + 198);
    pair_close(&pair);
}

static void messages_before_the_close_are_handed_out(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    CHECK(channel_send(pair.initiator, span_of("one", 3), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
    channel_close(pair.initiator, "done");
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
    channel_input(pair.responder, buffer_span(&pair.to_responder), at_us(0));
    take(pair.responder, &pair.by_responder, 0, at_us(0));
    CHECK(pair.by_responder.messages == 1 && pair.by_responder.closed == 1);
    buffer_reset(&pair.to_responder);
    pair_close(&pair);
}

static void one_who_closes_hears_nothing_more(void)
{
    for (int urgent = 0; urgent < LANES; urgent++) {
        struct pair pair = {0};
        struct channel_event event;

        pair_establish(&pair, FRAME_256);
        for (int i = 0; i < 2; i++)
            CHECK(channel_send(pair.initiator, span_of("one", 3), urgent) == 0);
        CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
        channel_input(pair.responder, buffer_span(&pair.to_responder), at_us(0));
        CHECK(channel_event(pair.responder, &event) && event.kind == CHANNEL_MESSAGE);
        channel_close(pair.responder, "that is no message");
        CHECK(!channel_event(pair.responder, &event));
        CHECK(channel_output(pair.responder, &pair.to_initiator, SIZE_MAX, at_us(0)) == 256);
        CHECK(channel_event(pair.responder, &event) && event.kind == CHANNEL_CLOSED);
        CHECK(!channel_event(pair.responder, &event));
        pair_close(&pair);
    }
}

static void unfinished_messages_are_dropped_at_the_end(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);

    stranger_say(&stranger, responder, span_of("\7\0\1u\2\0\1b\6\0\2no\1\0\3hel", 19));
    for (size_t i = 0; i < LANES; i++)
        CHECK(queue_size(&responder->lane[i].incoming) > SIZE_FIELD + 1);
    stranger_say(&stranger, responder, span_of("\5\0\0", 3));
    for (size_t i = 0; i < LANES; i++)
        CHECK(queue_size(&responder->lane[i].incoming) == SIZE_FIELD + 1);
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.messages == 2 && seen.closed == 1);
    channel_free(responder);
    seen_free(&seen);
}

/*
 * A conversation of both sides, recorded; then played again with bytes changed, cut out, doubled or put in.
 * Whatever is done to it, what comes out is a beginning of what was said, and nothing is said by one who was
 * not first spoken to with the right keys.
 */
struct recording {
    struct buffer to_responder, to_initiator;
    struct buffer said; /* by the initiator */
};

static void record(struct recording *recording)
{
    struct pair pair = {0};
    uint8_t message[3000];

    pair_open(&pair, FRAME_256);
    for (int round = 0; round < 8; round++) {
        size_t before = recording->to_responder.size;

        (void)channel_output(pair.initiator, &recording->to_responder, SIZE_MAX, at_us(0));
        channel_input(pair.responder, span_from(buffer_span(&recording->to_responder), before), at_us(0));
        take(pair.responder, &pair.by_responder, INITIATOR_SECRET, at_us(0));
        before = recording->to_initiator.size;
        (void)channel_output(pair.responder, &recording->to_initiator, SIZE_MAX, at_us(0));
        channel_input(pair.initiator, span_from(buffer_span(&recording->to_initiator), before), at_us(0));
        take(pair.initiator, &pair.by_initiator, 0, at_us(0));
        if (round > 0) {
            memset(message, round, sizeof message);
            buffer_put(&recording->said, message, (size_t)round * 400);
            CHECK(channel_send(pair.initiator, span_of(message, (size_t)round * 400), false) == 0);
            channel_ping(pair.responder, at_us(0));
        }
    }
    CHECK(pair.by_responder.messages == 6);
    pair_close(&pair);
}

static void mutate(struct buffer *bytes, uint64_t *state)
{
    size_t at = (size_t)draw(state, bytes->size);
    size_t size = (size_t)draw(state, draw(state, 2) == 0 ? 4 : 600);
    size_t rest = bytes->size - at;

    size = size < rest ? size : rest;
    switch (draw(state, 4)) {
    case 0:
        bytes->data[at] ^= (uint8_t)(1 + draw(state, 255));
        break;
    case 1: /* cut out */
        memmove(bytes->data + at, bytes->data + at + size, rest - size);
        bytes->size -= size;
        break;
    case 2: /* doubled */
        CHECK(buffer_extend(bytes, size) != NULL);
        memmove(bytes->data + at + size, bytes->data + at, rest);
        break;
    default: /* the rest is something else */
        for (size_t i = at; i < bytes->size; i++)
            bytes->data[i] = (uint8_t)draw(state, 256);
    }
}

static void a_recorded_conversation_mutated_does_no_harm(void)
{
    struct recording recording = {0};
    struct buffer bytes = {0}, out = {0};
    uint64_t state = 20261123;

    record(&recording);
    for (int round = 0; round < 3000; round++) {
        bool responder = round % 4 != 0;
        struct channel *channel = responder ? new_example_responder() : new_example_initiator(FRAME_256);
        struct seen seen = {0};
        size_t at = 0;

        buffer_reset(&bytes);
        buffer_reset(&out);
        buffer_put_span(&bytes, buffer_span(responder ? &recording.to_responder : &recording.to_initiator));
        mutate(&bytes, &state);
        if (!responder)
            CHECK(channel_output(channel, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
        while (at < bytes.size) { /* the first message alone: nothing may come before its answer */
            size_t piece = at == 0 ? HANDSHAKE_FRAME : 1 + (size_t)draw(&state, 1000);

            piece = piece < bytes.size - at ? piece : bytes.size - at;
            channel_input(channel, span_of(bytes.data + at, piece), at_us(0));
            take(channel, &seen, INITIATOR_SECRET, at_us(0));
            buffer_reset(&out);
            (void)channel_output(channel, &out, SIZE_MAX, at_us(0));
            CHECK(out.size == 0 || seen.offers + seen.established > 0);
            at += piece;
        }
        if (responder) {
            CHECK(seen.content.size <= recording.said.size);
            CHECK(seen.content.size == 0 || memcmp(seen.content.data, recording.said.data, seen.content.size) == 0);
        }
        channel_step(channel, at_us(3 * KEEPALIVE));
        take(channel, &seen, 0, at_us(3 * KEEPALIVE));
        CHECK(seen.closed == 1);
        channel_free(channel);
        seen_free(&seen);
    }
    buffer_free(&bytes);
    buffer_free(&out);
    buffer_free(&recording.to_responder);
    buffer_free(&recording.to_initiator);
    buffer_free(&recording.said);
}

/* A conversation while each allocation fails in its turn. What is handed out is a beginning of what was said: a channel
 * may end, or leave something unsaid, and says nothing else. */
static void without_memory_a_channel_ends_and_invents_nothing(void)
{
    static const char said[] = "a message that is said three times over";
    bool ended = false;

    for (size_t n = 1;; n++) {
        struct pair pair = {0};
        bool ran_out = false;

        memory_fail(n);
        pair_open(&pair, FRAME_256);
        if (pair.initiator != NULL && pair.responder != NULL) {
            carry(&pair, at_us(0));
            for (unsigned i = 0; i < 3; i++)
                (void)channel_send(pair.initiator, span_of(said, sizeof said), false);
            carry(&pair, at_us(1));
            channel_close(pair.initiator, "enough");
            carry(&pair, at_us(2));
        }
        ran_out = memory_ran_out();
        CHECK(ran_out || (pair.by_responder.messages == 3 && pair.by_initiator.closed == 1));
        for (size_t at = 0; at < pair.by_responder.content.size; at++)
            CHECK(pair.by_responder.content.data[at] == (uint8_t)said[at % sizeof said]);
        CHECK(pair.by_responder.content.size % sizeof said == 0 || ran_out);
        ended |= pair.by_responder.messages == 0 && pair.initiator != NULL && pair.responder != NULL;
        pair_close(&pair);
        if (!ran_out)
            break;
        CHECK(n < 1000);
    }
    CHECK(ended);
}

static void a_channel_that_has_used_up_its_nonces_ends(void)
{
    struct pair pair = {0};
    struct buffer out = {0};

    pair_establish(&pair, FRAME_256);
    pair.initiator->keys->send.nonce = UINT64_MAX;
    CHECK(channel_send(pair.initiator, span_of("more", 4), false) == 0);
    CHECK(channel_output(pair.initiator, &out, 65536, at_us(1)) == 0 && out.size == 0);
    take(pair.initiator, &pair.by_initiator, 0, at_us(1));
    CHECK(pair.by_initiator.closed == 1 && strstr(pair.by_initiator.reason, "nonces") != NULL);
    buffer_free(&out);
    pair_close(&pair);
}

/* Nothing leaves when the handshake's time is over, whoever asks first. */
static void output_that_comes_too_late_says_nothing(void)
{
    struct pair pair = {0};

    pair_open(&pair, FRAME_256);
    CHECK(channel_has_output(pair.initiator));
    CHECK(channel_output(pair.initiator, &pair.to_responder, 65536, at_us(CHANNEL_HANDSHAKE_US)) == 0);
    take(pair.initiator, &pair.by_initiator, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(pair.by_initiator.closed == 1 && pair.to_responder.size == 0);
    channel_close(pair.initiator, "again"); /* and what is closed stays closed */
    take(pair.initiator, &pair.by_initiator, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(pair.by_initiator.closed == 1);
    pair_close(&pair);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(the_worked_example_holds);
    RUN(the_page_shows_the_same_bytes);
    RUN(output_keeps_to_its_limit);
    RUN(room_shrinks_with_what_waits);
    RUN(each_lane_has_its_own_room);
    RUN(urgent_messages_are_handed_out_first);
    RUN(a_ping_overtakes_messages_and_tells_the_round_trip);
    RUN(several_pings_under_way_are_told_apart);
    RUN(a_flood_of_pings_gets_one_pong);
    RUN(pongs_nobody_asked_for_say_nothing);
    RUN(silence_is_kept_alive_by_pings);
    RUN(no_sign_of_life_closes);
    RUN(half_a_frame_is_no_sign_of_life);
    RUN(a_close_overtakes_messages_and_says_why);
    RUN(secrets_are_gone_when_they_have_served);
    RUN(the_first_reason_stands);
    RUN(a_close_that_cannot_leave_ends_by_itself);
    RUN(a_close_before_the_handshake_sends_nothing);
    RUN(a_long_reason_is_cut_between_characters);
    RUN(messages_before_the_close_are_handed_out);
    RUN(one_who_closes_hears_nothing_more);
    RUN(unfinished_messages_are_dropped_at_the_end);
    RUN(a_recorded_conversation_mutated_does_no_harm);
    RUN(without_memory_a_channel_ends_and_invents_nothing);
    RUN(a_channel_that_has_used_up_its_nonces_ends);
    RUN(output_that_comes_too_late_says_nothing);
    return test_end();
}
