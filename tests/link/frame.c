#include "pair.h"

#include "vectors.h"

static void the_specification_holds(void)
{
    json_t *cases = vectors_cases("link/frame");
    struct buffer bytes = {0};
    size_t index = 0;
    json_t *one = NULL;

    CHECK(json_array_size(cases) > 30);
    json_array_foreach(cases, index, one)
    {
        struct stranger stranger;
        struct seen seen = {0};
        struct channel *responder = stranger_establish(&stranger, &seen);

        buffer_reset(&bytes);
        stranger_say(&stranger, responder, vector_bytes(one, "input_hex", &bytes));
        take(responder, &seen, 0, at_us(0));
        buffer_reset(&bytes);
        if (!span_equal(buffer_span(&seen.content), vector_bytes(one, "output_hex", &bytes)) ||
            strcmp(seen.reason, vector_text(one, "reason")) != 0 ||
            (seen.closed == 0) != json_is_true(json_object_get(one, "ok")) ||
            (seen.closed > 0 && channel_has_output(responder))) {
            CHECK(false);
            printf("# %s: %s\n", vector_text(one, "name"), seen.reason);
        }
        seen_free(&seen);
        channel_free(responder);
    }
    json_decref(cases);
    buffer_free(&bytes);
}

/* The content of a message of the tests, so that one out of place is seen. */
static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251 + size);
}

/* Queues messages of these sizes at once, carries them over, and compares what comes out. */
static void expect_carried(struct pair *pair, const size_t *sizes, size_t count, bool urgent)
{
    struct buffer sent = {0};
    unsigned before = pair->by_responder.messages;

    for (size_t i = 0; i < count; i++) {
        uint8_t *message = buffer_extend(&sent, sizes[i]);

        fill(message, sizes[i]);
        CHECK(channel_send(pair->initiator, span_of(message, sizes[i]), urgent) == 0);
    }
    carry(pair, at_us(0));
    CHECK(pair->by_responder.messages - before == count);
    CHECK(span_equal(buffer_span(&sent), buffer_span(&pair->by_responder.lane[urgent])));
    CHECK(pair->by_responder.closed == 0);
    seen_reset(&pair->by_responder);
    buffer_free(&sent);
}

static void messages_of_all_sizes_pass(void)
{
    static const size_t frames[] = {256, 1024, 16384};

    for (int i = FRAME_256; i <= FRAME_16384; i++) {
        struct pair pair = {0};
        size_t payload = frames[i] - AEAD_TAG_SIZE - 3;
        size_t dense = payload < 2000 ? 2 * payload + 20 : 300;

        pair_establish(&pair, (enum frame_class)i);
        for (size_t size = 1; size <= dense; size++)
            expect_carried(&pair, &size, 1, size % 2 == 0);
        for (size_t whole = 1; whole * payload < CHANNEL_MESSAGE_MAX; whole = whole * 3 / 2 + 1)
            for (size_t size = whole * payload - 4; size <= whole * payload + 4; size++)
                expect_carried(&pair, &size, 1, false);
        for (size_t size = CHANNEL_MESSAGE_MAX - 3; size <= CHANNEL_MESSAGE_MAX; size++)
            expect_carried(&pair, &size, 1, false);
        for (size_t size = CHANNEL_URGENT_MAX - 3; size <= CHANNEL_URGENT_MAX; size++)
            expect_carried(&pair, &size, 1, true);
        pair_close(&pair);
    }
}

static void messages_share_frames(void)
{
    struct pair pair = {0};
    size_t sizes[100];

    pair_establish(&pair, FRAME_1024);
    for (size_t i = 0; i < 100; i++)
        sizes[i] = 1 + i % 7;
    for (size_t i = 0; i < 100; i++)
        CHECK(channel_send(pair.initiator, span_of("1234567", sizes[i]), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 1024);
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    CHECK(pair.by_responder.messages == 100);
    pair_close(&pair);
}

/* Where less than a chunk with one byte is left, the next message waits for the next frame. */
static void a_message_starts_only_where_a_byte_of_it_fits(void)
{
    struct pair pair = {0};

    pair_establish(&pair, FRAME_256);
    for (size_t size = 230; size <= 240; size++)
        expect_carried(&pair, (size_t[]){size, 5}, 2, size % 2 == 0);
    pair_close(&pair);
}

static void the_tail_of_a_big_message_shares_its_frame(void)
{
    struct pair pair = {0};
    uint8_t big[1500];

    fill(big, sizeof big);
    pair_establish(&pair, FRAME_1024);
    CHECK(channel_send(pair.initiator, span_of(big, sizeof big), false) == 0);
    CHECK(channel_send(pair.initiator, span_of(big, 400), false) == 0);
    CHECK(channel_send(pair.initiator, span_of(big, 90), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 2 * 1024);
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    CHECK(pair.by_responder.messages == 3 && pair.by_responder.content.size == 1990);
    pair_close(&pair);
}

static void random_sizes_pass_in_random_pieces_both_ways(void)
{
    for (int i = FRAME_256; i <= FRAME_16384; i++) {
        struct pair pair = {.chance = 11 + (uint64_t)i};
        struct buffer sent[2][LANES] = {{{0}}};
        uint64_t state = 5;

        pair_establish(&pair, (enum frame_class)i);
        for (int round = 0; round < 300; round++) {
            size_t size = 1 + (size_t)draw(&state, draw(&state, 8) == 0 ? 60000 : 300);
            bool forth = draw(&state, 2) == 0, urgent = draw(&state, 3) == 0;
            uint8_t *message = buffer_extend(&sent[forth][urgent], size);

            fill(message, size);
            CHECK(channel_send(forth ? pair.initiator : pair.responder, span_of(message, size), urgent) == 0);
            if (draw(&state, 6) == 0)
                carry(&pair, at_us(0));
        }
        carry(&pair, at_us(0));
        CHECK(pair.by_initiator.messages + pair.by_responder.messages == 300);
        for (size_t lane = 0; lane < LANES; lane++) {
            CHECK(span_equal(buffer_span(&sent[1][lane]), buffer_span(&pair.by_responder.lane[lane])));
            CHECK(span_equal(buffer_span(&sent[0][lane]), buffer_span(&pair.by_initiator.lane[lane])));
            buffer_free(&sent[0][lane]);
            buffer_free(&sent[1][lane]);
        }
        pair_close(&pair);
    }
}

/* Carries one frame over. */
static void pass_frame(struct pair *pair)
{
    CHECK(channel_output(pair->initiator, &pair->to_responder, 1, at_us(0)) > 0);
    arrive(pair, pair->responder, &pair->by_responder, &pair->to_responder, at_us(0));
}

/* However long the urgent message, only its own frames pass before it is there. */
static void expect_overtaken(enum frame_class frame_class, size_t urgent)
{
    struct pair pair = {0};
    uint8_t *bulk = malloc(1 << 20);
    size_t room = frame_size_of(frame_class) - AEAD_TAG_SIZE - 3;

    CHECK(bulk != NULL);
    fill(bulk, 1 << 20);
    pair_establish(&pair, frame_class);
    CHECK(channel_send(pair.initiator, span_of(bulk, 1 << 20), false) == 0);
    for (size_t sent = 0; sent < 1 << 19; sent += room)
        pass_frame(&pair);
    CHECK(channel_send(pair.initiator, span_of(bulk, urgent), true) == 0);
    for (size_t sent = 0; sent < urgent; sent += room) {
        CHECK(pair.by_responder.messages == 0);
        pass_frame(&pair);
    }
    CHECK(pair.by_responder.messages == 1);
    CHECK(span_equal(buffer_span(&pair.by_responder.lane[URGENT]), span_of(bulk, urgent)));
    carry(&pair, at_us(0));
    CHECK(pair.by_responder.messages == 2 && pair.by_responder.closed == 0);
    CHECK(span_equal(buffer_span(&pair.by_responder.lane[BULK]), span_of(bulk, 1 << 20)));
    pair_close(&pair);
    free(bulk);
}

static void an_urgent_message_overtakes_half_a_bulk_one(void)
{
    for (int i = FRAME_256; i <= FRAME_16384; i++) {
        expect_overtaken((enum frame_class)i, 1);
        expect_overtaken((enum frame_class)i, 5000);
        expect_overtaken((enum frame_class)i, CHANNEL_URGENT_MAX);
    }
}

/* The bulk message comes while an urgent one is half sent, and before another. */
static void a_bulk_message_waits_for_urgent_ones_queued_later(void)
{
    for (int i = FRAME_256; i <= FRAME_16384; i++) {
        struct pair pair = {0};
        struct buffer expected = {0};
        uint8_t *first = buffer_extend(&expected, 100000);

        memset(first, 'a', 100000);
        pair_establish(&pair, (enum frame_class)i);
        CHECK(channel_send(pair.initiator, span_of(first, 100000), true) == 0);
        pass_frame(&pair);
        CHECK(channel_send(pair.initiator, span_of_string("bulk"), false) == 0);
        pass_frame(&pair);
        CHECK(channel_send(pair.initiator, span_of_string("urgent"), true) == 0);
        carry(&pair, at_us(0));
        buffer_put(&expected, "urgentbulk", 10);
        CHECK(pair.by_responder.messages == 3);
        CHECK(span_equal(buffer_span(&pair.by_responder.content), buffer_span(&expected)));
        buffer_free(&expected);
        pair_close(&pair);
    }
}

/* As the specification says, seen by a peer that reads for itself. */
static void a_frame_holds_ping_urgent_and_bulk_in_this_order(void)
{
    static const char first[] = "\3\0\10\0\0\0\0\0\0\0\1\7\0\1u\7\0\1v\1\0\332";
    static const char second[] = "\7\0\1w\2\0\122";
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct buffer wire = {0};
    uint8_t plain[240], bulk[300];

    memset(bulk, 'b', sizeof bulk);
    CHECK(channel_send(responder, span_of(bulk, sizeof bulk), false) == 0);
    CHECK(channel_send(responder, span_of("u", 1), true) == 0);
    CHECK(channel_send(responder, span_of("v", 1), true) == 0);
    channel_ping(responder, at_us(1));
    CHECK(channel_output(responder, &wire, 1, at_us(1)) == 256);
    CHECK(noise_decrypt(&stranger.receive, span_of(NULL, 0), buffer_span(&wire), plain));
    CHECK(memcmp(plain, first, sizeof first - 1) == 0 && memcmp(plain + 22, bulk, 218) == 0);
    CHECK(channel_send(responder, span_of("w", 1), true) == 0);
    buffer_reset(&wire);
    CHECK(channel_output(responder, &wire, SIZE_MAX, at_us(1)) == 256);
    CHECK(noise_decrypt(&stranger.receive, span_of(NULL, 0), buffer_span(&wire), plain));
    CHECK(memcmp(plain, second, sizeof second - 1) == 0 && plain[7 + 82] == 0);
    channel_free(responder);
    buffer_free(&wire);
}

static void a_conversation_passes_byte_by_byte(void)
{
    struct pair pair = {.piece = 1};

    pair_establish(&pair, FRAME_256);
    expect_carried(&pair, (size_t[]){1, 2, 237, 238, 1000, 70000}, 6, false);
    pair_close(&pair);
}

/* One part of a message, of `size` bytes. */
static void say_part(struct stranger *stranger, struct channel *responder, uint8_t type, size_t size)
{
    uint8_t part[240] = {type, (uint8_t)(size >> 8), (uint8_t)size};

    stranger_say(stranger, responder, span_of(part, 3 + size));
}

/* `more` bytes above what each lane allows, both lanes unfinished side by side. */
static void expect_bounded(bool urgent, size_t more, bool allowed)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);

    for (size_t at = 0; at + 237 <= CHANNEL_MESSAGE_MAX; at += 237) {
        say_part(&stranger, responder, 1, 237);
        if (at + 237 <= CHANNEL_URGENT_MAX)
            say_part(&stranger, responder, 6, 237);
    }
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.closed == 0 && seen.messages == 0);
    if (urgent)
        say_part(&stranger, responder, 7, CHANNEL_URGENT_MAX % 237 + more);
    else
        say_part(&stranger, responder, 2, CHANNEL_MESSAGE_MAX % 237 + more);
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.messages == (allowed ? 1 : 0) && seen.closed == (allowed ? 0 : 1));
    CHECK(seen.lane[urgent].size == (!allowed ? 0u : urgent ? CHANNEL_URGENT_MAX : CHANNEL_MESSAGE_MAX));
    CHECK(allowed || strstr(seen.reason, "longer than allowed") != NULL);
    CHECK(!channel_has_output(responder));
    channel_free(responder);
    seen_free(&seen);
}

static void a_message_longer_than_its_lane_allows_closes(void)
{
    for (int urgent = 0; urgent < LANES; urgent++) {
        expect_bounded(urgent, 0, true);
        expect_bounded(urgent, 1, false);
    }
}

/* Parts of both lanes as no sender of ours would cut them. */
static void each_lane_puts_its_own_parts_together(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct buffer said[LANES] = {{0}};
    size_t complete[LANES] = {0};
    uint64_t state = 17;

    for (int frame = 0; frame < 5000; frame++) {
        uint8_t plain[240] = {0};
        size_t at = 0;

        for (size_t size = 1 + (size_t)draw(&state, 90); at + 3 + size <= sizeof plain;
             size = 1 + (size_t)draw(&state, 90)) {
            bool urgent = draw(&state, 2) == 0, last = draw(&state, 4) == 0;

            plain[at] = (uint8_t)((urgent ? 6 : 1) + last);
            plain[at + 2] = (uint8_t)size;
            for (size_t i = 0; i < size; i++)
                plain[at + 3 + i] = (uint8_t)draw(&state, 256);
            buffer_put(&said[urgent], plain + at + 3, size);
            complete[urgent] = last ? said[urgent].size : complete[urgent];
            at += 3 + size;
        }
        stranger_say(&stranger, responder, span_of(plain, at));
        take(responder, &seen, 0, at_us(0));
        for (size_t lane = 0; lane < LANES; lane++)
            CHECK(seen.lane[lane].size == complete[lane]);
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        CHECK(memcmp(said[lane].data, seen.lane[lane].data, complete[lane]) == 0);
        buffer_free(&said[lane]);
    }
    CHECK(seen.closed == 0);
    channel_free(responder);
    seen_free(&seen);
}

static void messages_too_long_or_empty_are_not_queued(void)
{
    struct pair pair = {0};
    uint8_t *big = calloc(1, CHANNEL_MESSAGE_MAX + 1);

    pair_establish(&pair, FRAME_16384);
    CHECK(big != NULL);
    CHECK(channel_send(pair.initiator, span_of(big, CHANNEL_MESSAGE_MAX + 1), false) == -1);
    CHECK(channel_send(pair.initiator, span_of(big, CHANNEL_URGENT_MAX + 1), true) == -1);
    for (int urgent = 0; urgent < LANES; urgent++) {
        CHECK(channel_send(pair.initiator, span_of(big, 0), urgent) == -1);
        CHECK(!channel_has_output(pair.initiator) && channel_room(pair.initiator, urgent) == CHANNEL_QUEUE);
    }
    free(big);
    pair_close(&pair);
}

/* What was established is over with the first frame that is not as it was sent. */
static void every_flipped_byte_of_a_frame_closes_at_once(void)
{
    for (size_t at = 0; at < 256; at++) {
        struct pair pair = {0};

        pair_establish(&pair, FRAME_256);
        CHECK(channel_send(pair.initiator, span_of("hello", 5), false) == 0);
        channel_ping(pair.initiator, at_us(0));
        CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == 256);
        pair.to_responder.data[at] ^= (uint8_t)(1u << at % 8);
        arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
        CHECK(pair.by_responder.closed == 1 && pair.by_responder.messages == 0);
        CHECK(strstr(pair.by_responder.reason, "not authentic") != NULL);
        CHECK(!channel_has_output(pair.responder) && channel_next(pair.responder).us == UINT64_MAX);
        CHECK(channel_send(pair.responder, span_of("x", 1), false) == -1 && channel_room(pair.responder, false) == 0);
        pair_close(&pair);
    }
}

static void frames_replayed_reordered_or_reflected_close(void)
{
    for (int what = 0; what < 3; what++) {
        struct pair pair = {0};
        struct buffer wire = {0};

        pair_establish(&pair, FRAME_256);
        for (int i = 0; i < 2; i++) {
            CHECK(channel_send(pair.initiator, span_of("hello", 5), false) == 0);
            CHECK(channel_output(pair.initiator, &wire, SIZE_MAX, at_us(0)) == 256);
        }
        if (what == 0) {
            channel_input(pair.responder, span_of(wire.data, 256), at_us(0));
            channel_input(pair.responder, span_of(wire.data, 256), at_us(0));
        } else {
            channel_input(what == 1 ? pair.responder : pair.initiator, span_of(wire.data + 256, 256), at_us(0));
        }
        take(pair.responder, &pair.by_responder, 0, at_us(0));
        take(pair.initiator, &pair.by_initiator, 0, at_us(0));
        CHECK(pair.by_responder.messages == (what == 0 ? 1 : 0) && pair.by_initiator.messages == 0);
        CHECK((what == 2 ? pair.by_initiator.closed : pair.by_responder.closed) == 1);
        pair_close(&pair);
        buffer_free(&wire);
    }
}

/* More frames than one key may serve, both ways, messages crossing the change. */
static void both_directions_rekey(void)
{
    struct pair pair = {0};
    uint8_t message[60000];
    unsigned count = CHANNEL_REKEY * 237u / (unsigned)sizeof message + 20;

    fill(message, sizeof message);
    pair_establish(&pair, FRAME_256);
    for (unsigned i = 0; i < count; i++) {
        CHECK(channel_send(pair.initiator, span_of(message, sizeof message), false) == 0);
        CHECK(channel_send(pair.responder, span_of(message, sizeof message), false) == 0);
        carry(&pair, at_us(0));
        CHECK(span_equal(buffer_span(&pair.by_responder.content), span_of(message, sizeof message)));
        CHECK(span_equal(buffer_span(&pair.by_initiator.content), span_of(message, sizeof message)));
        seen_reset(&pair.by_responder);
        seen_reset(&pair.by_initiator);
    }
    CHECK(pair.by_responder.messages == count && pair.by_initiator.messages == count);
    CHECK(pair.by_responder.closed == 0 && pair.by_initiator.closed == 0);
    pair_close(&pair);
}

/* The change of keys is where the specification says, seen from a peer that counts for itself. */
static void the_key_changes_after_exactly_that_many_frames(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct noise_cipher before;
    uint8_t frame[256] = {0};

    for (unsigned i = 0; i < CHANNEL_REKEY - 1; i++)
        stranger_say(&stranger, responder, span_of("", 1));
    before = stranger.send;
    stranger_say(&stranger, responder, span_of("", 1));
    stranger_say(&stranger, responder, span_of("\2\0\1x", 4));
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.messages == 1 && seen.closed == 0);
    before.nonce = stranger.send.nonce;
    CHECK(noise_encrypt(&before, span_of(NULL, 0), span_of(frame, 240), frame));
    channel_input(responder, span_of(frame, sizeof frame), at_us(0));
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.closed == 1);
    channel_free(responder);
    seen_free(&seen);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(the_specification_holds);
    RUN(messages_of_all_sizes_pass);
    RUN(messages_share_frames);
    RUN(a_message_starts_only_where_a_byte_of_it_fits);
    RUN(the_tail_of_a_big_message_shares_its_frame);
    RUN(random_sizes_pass_in_random_pieces_both_ways);
    RUN(a_conversation_passes_byte_by_byte);
    RUN(an_urgent_message_overtakes_half_a_bulk_one);
    RUN(a_bulk_message_waits_for_urgent_ones_queued_later);
    RUN(a_frame_holds_ping_urgent_and_bulk_in_this_order);
    RUN(a_message_longer_than_its_lane_allows_closes);
    RUN(each_lane_puts_its_own_parts_together);
    RUN(messages_too_long_or_empty_are_not_queued);
    RUN(every_flipped_byte_of_a_frame_closes_at_once);
    RUN(frames_replayed_reordered_or_reflected_close);
    RUN(both_directions_rekey);
    RUN(the_key_changes_after_exactly_that_many_frames);
    return test_end();
}
