#include "pair.h"

#include <unistd.h>

#include "vectors.h"

/* What a responder that has seen the counter `highest` says to `input`; it is closed afterwards. */
static struct seen answer_above(uint64_t highest, struct span input, uint8_t accept, struct buffer *out)
{
    struct channel *responder = new_example_responder();
    struct seen seen = {.highest = highest};

    channel_input(responder, input, at_us(0));
    take(responder, &seen, accept, at_us(0));
    (void)channel_output(responder, out, SIZE_MAX, at_us(0));
    CHECK(channel_next(responder).us == START + CHANNEL_HANDSHAKE_US);
    channel_step(responder, at_us(CHANNEL_HANDSHAKE_US));
    take(responder, &seen, accept, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(seen.closed == 1);
    channel_free(responder);
    return seen;
}

static struct seen answer(struct span input, uint8_t accept, struct buffer *out)
{
    return answer_above(0, input, accept, out);
}

/* The three messages of the example. */
static void record_handshake(struct buffer message[3])
{
    struct pair pair = {0};

    pair_open(&pair, FRAME_256);
    (void)channel_output(pair.initiator, &message[0], SIZE_MAX, at_us(0));
    channel_input(pair.responder, buffer_span(&message[0]), at_us(0));
    take(pair.responder, &pair.by_responder, INITIATOR_SECRET, at_us(0));
    (void)channel_output(pair.responder, &message[1], SIZE_MAX, at_us(0));
    channel_input(pair.initiator, buffer_span(&message[1]), at_us(0));
    (void)channel_output(pair.initiator, &message[2], SIZE_MAX, at_us(0));
    for (int i = 0; i < 3; i++)
        CHECK(message[i].size == HANDSHAKE_FRAME);
    pair_close(&pair);
}

static void forget(struct buffer message[3])
{
    for (int i = 0; i < 3; i++)
        buffer_free(&message[i]);
}

static void the_specification_holds(void)
{
    json_t *cases = vectors_cases("link/handshake");
    struct buffer bytes = {0}, out = {0};
    size_t index = 0;
    json_t *one = NULL;

    CHECK(json_array_size(cases) > 40);
    json_array_foreach(cases, index, one)
    {
        struct seen seen;

        buffer_reset(&bytes);
        buffer_reset(&out);
        seen = answer(vector_bytes(one, "input_hex", &bytes), INITIATOR_SECRET, &out);
        buffer_reset(&bytes);
        if (!span_equal(buffer_span(&out), vector_bytes(one, "output_hex", &bytes)) ||
            strcmp(seen.reason, vector_text(one, "reason")) != 0 ||
            (seen.identified == 1) != json_is_true(json_object_get(one, "ok"))) {
            CHECK(false);
            printf("# %s: %s\n", vector_text(one, "name"), seen.reason);
        }
    }
    json_decref(cases);
    buffer_free(&bytes);
    buffer_free(&out);
}

static void both_are_established_in_every_frame_class(void)
{
    static const size_t pieces[] = {0, 1, 255, 257};

    for (int frame_class = FRAME_256; frame_class <= FRAME_16384; frame_class++)
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            struct pair pair = {.piece = pieces[i]};

            pair_establish(&pair, (enum frame_class)frame_class);
            CHECK(pair.by_responder.offers == 1 && pair.by_initiator.offers == 0);
            CHECK(pair.by_responder.offer.line == 0 && pair.by_responder.offer.member == MEMBER);
            CHECK(pair.by_responder.identified == 1 && pair.by_responder.counter == COUNTER);
            CHECK(channel_room(pair.initiator, false) == CHANNEL_QUEUE &&
                  channel_room(pair.responder, false) == CHANNEL_QUEUE);
            pair_close(&pair);
        }
}

static void nobody_may_send_before(void)
{
    struct pair pair = {0};

    pair_open(&pair, FRAME_1024);
    for (int urgent = 0; urgent < LANES; urgent++) {
        CHECK(channel_room(pair.initiator, urgent) == 0 && channel_room(pair.responder, urgent) == 0);
        CHECK(channel_send(pair.initiator, span_of("x", 1), urgent) == -1);
        CHECK(channel_send(pair.responder, span_of("x", 1), urgent) == -1);
    }
    CHECK(!channel_has_output(pair.responder));
    channel_ping(pair.responder, at_us(0));
    CHECK(!channel_has_output(pair.responder));
    pair_close(&pair);
}

static void data_right_behind_the_third_message_is_read(void)
{
    struct pair pair = {0};

    pair_open(&pair, FRAME_1024);
    (void)channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0));
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    (void)channel_output(pair.responder, &pair.to_initiator, SIZE_MAX, at_us(0));
    arrive(&pair, pair.initiator, &pair.by_initiator, &pair.to_initiator, at_us(0));
    CHECK(pair.by_initiator.established == 1 && pair.by_responder.established == 0);
    CHECK(channel_send(pair.initiator, span_of("at once", 7), false) == 0);
    CHECK(channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME + 1024);
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    CHECK(span_equal(buffer_span(&pair.by_responder.content), span_of("at once", 7)));
    pair_close(&pair);
}

static void each_of_many_lines_is_found(void)
{
    struct channel_line lines[CHANNEL_LINES_MAX];

    for (size_t i = 0; i < CHANNEL_LINES_MAX; i++)
        lines[i] = line_of((uint8_t)(0x80 + i), (uint8_t)(i / 2)); /* two lines may share a courier key */
    for (size_t i = 0; i < CHANNEL_LINES_MAX; i += 9) {
        struct pair pair = {.initiator = new_initiator(FRAME_256, lines[i], RESPONDER_SECRET),
                            .responder = new_responder(lines, CHANNEL_LINES_MAX)};

        carry(&pair, at_us(0));
        CHECK(pair.by_responder.established == 1 && pair.by_responder.offer.line == i);
        pair_close(&pair);
    }
}

static void expect_silence(struct pair *pair)
{
    struct buffer out = {0};

    carry(pair, at_us(0));
    CHECK(pair->by_responder.established == 0);
    CHECK(channel_output(pair->responder, &out, SIZE_MAX, at_us(0)) == 0 && !channel_has_output(pair->responder));
    channel_step(pair->responder, at_us(CHANNEL_HANDSHAKE_US - 1));
    take(pair->responder, &pair->by_responder, 0, at_us(CHANNEL_HANDSHAKE_US - 1));
    CHECK(pair->by_responder.closed == 0);
    channel_step(pair->responder, at_us(CHANNEL_HANDSHAKE_US));
    take(pair->responder, &pair->by_responder, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(pair->by_responder.closed == 1);
    pair_close(pair);
    buffer_free(&out);
}

static void wrong_keys_and_lines_meet_silence(void)
{
    struct channel_line other_courier = line_of(LINE_ID, COURIER + 1);
    struct channel_line none = line_of(LINE_ID, 0);
    struct channel_line other_line = line_of(LINE_ID + 1, COURIER);
    struct channel_line line = line_of(LINE_ID, COURIER);
    const struct channel_line wrong[] = {other_courier, none, other_line};
    struct pair pair = {0};

    for (size_t i = 0; i < 3; i++) {
        pair = (struct pair){.initiator = new_initiator(FRAME_256, wrong[i], RESPONDER_SECRET),
                             .responder = new_example_responder()};
        expect_silence(&pair);
    }
    pair = (struct pair){.initiator = new_initiator(FRAME_256, line, RESPONDER_SECRET + 1),
                         .responder = new_example_responder()};
    expect_silence(&pair);
    pair = (struct pair){.initiator = new_example_initiator(FRAME_256), .responder = new_responder(NULL, 0)};
    expect_silence(&pair);
}

/* It has message 1 of the member, and message 3 proves another. */
static void another_member_than_it_claims_is_not_established(void)
{
    static const uint8_t zeros[192];
    struct channel *responder = new_example_responder();
    struct stranger stranger;
    struct seen seen = {0};
    struct buffer first = {0};
    uint8_t payload[INNER_PAYLOAD];

    inner_payload(payload);
    stranger_start(&stranger, true, INITIATOR_SECRET + 1);
    stranger_first(&stranger, INITIATOR_SECRET, payload, &first);
    channel_input(responder, buffer_span(&first), at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    stranger_third(&stranger, responder, span_of(zeros, sizeof zeros));
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.identified == 1 && seen.established == 0 && seen.closed == 0 && !channel_has_output(responder));
    channel_step(responder, at_us(CHANNEL_HANDSHAKE_US));
    take(responder, &seen, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(strstr(seen.reason, "another link key") != NULL);
    channel_free(responder);
    buffer_free(&first);
}

/* Another member has the courier key as well, and would have the member's counter be the highest there is. */
static void another_member_does_not_move_the_counter(void)
{
    struct buffer first = {0}, out = {0};
    struct stranger stranger;
    uint8_t payload[INNER_PAYLOAD];
    struct seen seen;
    struct pair pair = {0};

    inner_payload(payload);
    put_u64_be(payload + 1, INT64_MAX);
    stranger_start(&stranger, true, INITIATOR_SECRET + 1);
    stranger_first(&stranger, INITIATOR_SECRET + 1, payload, &first);
    seen = answer(buffer_span(&first), INITIATOR_SECRET, &out);
    CHECK(seen.offers == 1 && seen.offer.member == MEMBER && seen.identified == 0 && seen.counter == 0);
    CHECK(out.size == 0 && strstr(seen.reason, "does not prove the link key of the member") != NULL);
    seen = answer(buffer_span(&first), INITIATOR_SECRET + 1, &out);
    CHECK(seen.identified == 1 && seen.counter == INT64_MAX && out.size == HANDSHAKE_FRAME); /* as who it is */
    pair_establish(&pair, FRAME_256);
    pair_close(&pair);
    buffer_free(&first);
    buffer_free(&out);
}

static void a_replayed_first_message_is_identified_and_refused_in_silence(void)
{
    struct buffer message[3] = {{0}};
    struct buffer out = {0};
    struct seen seen;

    record_handshake(message);
    seen = answer_above(COUNTER, buffer_span(&message[0]), INITIATOR_SECRET, &out);
    CHECK(seen.identified == 1 && seen.counter == COUNTER && out.size == 0);
    CHECK(strstr(seen.reason, "counter is not new") != NULL);
    seen = answer_above(COUNTER - 1, buffer_span(&message[0]), INITIATOR_SECRET, &out);
    CHECK(seen.identified == 1 && out.size == HANDSHAKE_FRAME);
    forget(message);
    buffer_free(&out);
}

static void an_unknown_member_is_refused_in_silence(void)
{
    struct buffer message[3] = {{0}};
    struct buffer out = {0};
    struct seen seen;

    record_handshake(message);
    seen = answer(buffer_span(&message[0]), 0, &out);
    CHECK(seen.offers == 1 && seen.identified == 0 && out.size == 0);
    CHECK(strstr(seen.reason, "member is unknown") != NULL);
    forget(message);
    buffer_free(&out);
}

/* Everything that was recorded, played to a new responder with other ephemeral keys. */
static void a_replayed_conversation_is_not_established(void)
{
    struct buffer message[3] = {{0}};
    struct channel *responder = NULL;
    struct seen seen = {0};
    struct buffer out = {0};

    record_handshake(message);
    responder = new_example_responder();
    door_entropy.key[0] = 9;
    channel_input(responder, buffer_span(&message[0]), at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(channel_output(responder, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
    CHECK(!span_equal(buffer_span(&out), buffer_span(&message[1])));
    channel_input(responder, buffer_span(&message[2]), at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(seen.offers == 1 && seen.established == 0);
    channel_free(responder);
    buffer_free(&out);
    forget(message);
}

static void reflected_messages_meet_silence(void)
{
    struct buffer message[3] = {{0}};
    struct channel *initiator = new_example_initiator(FRAME_256);
    struct channel *responder = new_example_responder();
    struct seen by_initiator = {0}, by_responder = {0};
    struct buffer out = {0};

    record_handshake(message);
    CHECK(channel_output(initiator, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
    channel_input(initiator, buffer_span(&out), at_us(0));
    take(initiator, &by_initiator, 0, at_us(0));
    CHECK(by_initiator.established == 0 && !channel_has_output(initiator));
    channel_input(responder, buffer_span(&message[0]), at_us(0));
    take(responder, &by_responder, INITIATOR_SECRET, at_us(0));
    buffer_reset(&out);
    CHECK(channel_output(responder, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
    channel_input(responder, buffer_span(&out), at_us(0));
    take(responder, &by_responder, 0, at_us(0));
    CHECK(by_responder.established == 0 && !channel_has_output(responder));
    channel_free(initiator);
    channel_free(responder);
    buffer_free(&out);
    forget(message);
}

/* The example, with `bit` of byte `at` of message `which` flipped on the way. */
static void expect_flip_harmless(struct buffer message[3], int which, size_t at, uint8_t bit)
{
    struct channel *channel = which == 1 ? new_example_initiator(FRAME_256) : new_example_responder();
    struct seen seen = {0};
    struct buffer out = {0};

    if (which > 0) {
        if (which == 2)
            channel_input(channel, buffer_span(&message[0]), at_us(0));
        take(channel, &seen, INITIATOR_SECRET, at_us(0));
        CHECK(channel_output(channel, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
        buffer_reset(&out);
    }
    message[which].data[at] ^= bit;
    channel_input(channel, buffer_span(&message[which]), at_us(0));
    message[which].data[at] ^= bit;
    take(channel, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(channel_output(channel, &out, SIZE_MAX, at_us(0)) == 0 && !channel_has_output(channel));
    CHECK(seen.offers == (which == 2 ? 1 : 0) && seen.established == 0 && seen.closed == 0);
    channel_free(channel);
    buffer_free(&out);
}

/* X25519 ignores the top bit of a public key; that the message is refused even so is the handshake hash's work. */
static void every_flipped_byte_of_every_message_meets_silence(void)
{
    struct buffer message[3] = {{0}};

    record_handshake(message);
    for (int which = 0; which < 3; which++)
        for (size_t at = 0; at < HANDSHAKE_FRAME; at++)
            expect_flip_harmless(message, which, at, (uint8_t)(1u << at % 8));
    for (int which = 0; which < 2; which++)
        expect_flip_harmless(message, which, 31, 0x80);
    forget(message);
}

static void truncated_messages_meet_silence(void)
{
    struct buffer message[3] = {{0}};
    struct buffer out = {0};

    record_handshake(message);
    for (size_t size = 0; size < HANDSHAKE_FRAME; size++) {
        struct seen seen = answer(span_of(message[0].data, size), INITIATOR_SECRET, &out);

        CHECK(seen.offers == 0 && out.size == 0);
    }
    for (size_t size = 0; size < HANDSHAKE_FRAME; size += 15) {
        struct channel *initiator = new_example_initiator(FRAME_256);
        struct seen seen = {0};

        CHECK(channel_output(initiator, &out, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
        channel_input(initiator, span_of(message[1].data, size), at_us(0));
        take(initiator, &seen, 0, at_us(0));
        CHECK(seen.established == 0 && !channel_has_output(initiator));
        channel_free(initiator);
    }
    forget(message);
    buffer_free(&out);
}

static void garbage_meets_silence(void)
{
    static const char *const talk[] = {"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "\x16\x03\x01\x02",
                                       "\r\n"};
    /* Points of low order, and p, p + 1, p - 1: canonical or not, DH with them gives zero. */
    static const char *const low[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                      "0100000000000000000000000000000000000000000000000000000000000000",
                                      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    uint8_t bytes[4 * HANDSHAKE_FRAME];
    struct buffer out = {0};
    uint64_t state = 7;

    for (int fill = 0; fill < 256; fill += 51) {
        memset(bytes, fill, sizeof bytes);
        CHECK(answer(span_of(bytes, sizeof bytes), INITIATOR_SECRET, &out).offers == 0 && out.size == 0);
    }
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)draw(&state, 256);
        CHECK(answer(span_of(bytes, (size_t)draw(&state, sizeof bytes)), INITIATOR_SECRET, &out).offers == 0);
        CHECK(out.size == 0);
    }
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        CHECK(text_from_hex(span_of_string(low[i]), bytes, DH_SIZE));
        CHECK(answer(span_of(bytes, HANDSHAKE_FRAME), INITIATOR_SECRET, &out).offers == 0 && out.size == 0);
    }
    for (size_t i = 0; i < sizeof talk / sizeof talk[0]; i++) {
        memset(bytes, ' ', sizeof bytes);
        memcpy(bytes, talk[i], strlen(talk[i]));
        CHECK(answer(span_of(bytes, sizeof bytes), INITIATOR_SECRET, &out).offers == 0 && out.size == 0);
    }
    buffer_free(&out);
}

/* A first message by one who holds all keys and still does not follow the format. */
static void malformed_payloads_meet_silence(void)
{
    for (size_t at = 0; at < INNER_PAYLOAD; at++) {
        struct stranger stranger;
        struct buffer first = {0}, out = {0};
        uint8_t payload[INNER_PAYLOAD];
        bool counter = at >= 1 && at < 9;
        struct seen seen;

        inner_payload(payload);
        payload[at] = 3;
        stranger_start(&stranger, true, INITIATOR_SECRET);
        stranger_first(&stranger, INITIATOR_SECRET, payload, &first);
        seen = answer(buffer_span(&first), INITIATOR_SECRET, &out);
        CHECK(seen.identified == (counter ? 1 : 0) && out.size == (counter ? HANDSHAKE_FRAME : 0));
        buffer_free(&first);
        buffer_free(&out);
    }
}

static void a_third_message_that_carries_something_meets_silence(void)
{
    struct channel *responder = new_example_responder();
    struct stranger stranger;
    struct seen seen = {0};
    struct buffer first = {0};
    uint8_t payload[INNER_PAYLOAD], third[192] = {[191] = 1};

    inner_payload(payload);
    stranger_start(&stranger, true, INITIATOR_SECRET);
    stranger_first(&stranger, INITIATOR_SECRET, payload, &first);
    channel_input(responder, buffer_span(&first), at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    stranger_third(&stranger, responder, span_of(third, sizeof third));
    take(responder, &seen, 0, at_us(0));
    CHECK(seen.offers == 1 && seen.established == 0 && !channel_has_output(responder));
    channel_free(responder);
    buffer_free(&first);
}

static void a_second_message_that_carries_something_meets_silence(void)
{
    for (int nonzero = 0; nonzero < 2; nonzero++) {
        struct channel *initiator = new_example_initiator(FRAME_256);
        struct stranger stranger;
        struct seen seen = {0};
        struct buffer wire = {0}, first = {0};
        uint8_t second[208] = {[207] = (uint8_t)nonzero};

        stranger_start(&stranger, false, RESPONDER_SECRET);
        (void)channel_output(initiator, &wire, SIZE_MAX, at_us(0));
        CHECK(noise_read(&stranger.handshake, buffer_span(&wire), &first));
        buffer_reset(&wire);
        CHECK(noise_write(&stranger.handshake, span_of(second, sizeof second), &wire));
        channel_input(initiator, buffer_span(&wire), at_us(0));
        take(initiator, &seen, 0, at_us(0));
        CHECK(seen.established == 1u - (unsigned)nonzero);
        CHECK(channel_has_output(initiator) == (nonzero == 0));
        channel_free(initiator);
        buffer_free(&wire);
        buffer_free(&first);
    }
}

static void expect_more_too_early(bool identified)
{
    struct buffer message[3] = {{0}};
    struct channel *responder = new_example_responder();
    struct seen seen = {0};
    uint8_t key[DH_SIZE];
    uint64_t counter = 0;
    struct channel_event event;

    record_handshake(message);
    public_of(key, INITIATOR_SECRET);
    channel_input(responder, buffer_span(&message[0]), at_us(0));
    CHECK(channel_event(responder, &event) && event.kind == CHANNEL_OFFER);
    if (identified)
        CHECK(channel_identify(responder, key, &counter));
    channel_input(responder, span_of(message[0].data, 1), at_us(0));
    CHECK(!channel_identify(responder, key, &counter));
    channel_accept(responder, at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(seen.offers == 0 && !channel_has_output(responder));
    channel_input(responder, buffer_span(&message[2]), at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(seen.established == 0);
    channel_free(responder);
    forget(message);
}

static void more_before_the_answer_is_silence_and_one_offer_at_most(void)
{
    expect_more_too_early(false);
    expect_more_too_early(true);
}

static void an_answer_without_an_offer_or_twice_changes_nothing(void)
{
    struct pair pair = {0};
    uint8_t other[DH_SIZE];
    uint64_t counter = 0;

    pair_open(&pair, FRAME_256);
    public_of(other, INITIATOR_SECRET + 1);
    CHECK(!channel_identify(pair.responder, other, &counter));
    channel_accept(pair.responder, at_us(0));
    channel_refuse(pair.responder);
    (void)channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0));
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    CHECK(!channel_identify(pair.responder, other, &counter) && counter == 0);
    channel_accept(pair.responder, at_us(0));
    channel_refuse(pair.responder);
    carry(&pair, at_us(0));
    CHECK(pair.by_responder.established == 1 && pair.by_initiator.established == 1);
    pair_close(&pair);
}

/* To accept is to accept somebody. */
static void nobody_is_answered_unidentified(void)
{
    struct buffer message[3] = {{0}};
    struct channel *responder = new_example_responder();
    struct channel_event event;
    uint8_t key[DH_SIZE];
    uint64_t counter = 0;

    record_handshake(message);
    channel_input(responder, buffer_span(&message[0]), at_us(0));
    CHECK(channel_event(responder, &event) && event.kind == CHANNEL_OFFER && event.member == MEMBER);
    channel_accept(responder, at_us(0));
    CHECK(!channel_has_output(responder));
    public_of(key, INITIATOR_SECRET);
    CHECK(channel_identify(responder, key, &counter) && counter == COUNTER && !channel_has_output(responder));
    CHECK(!channel_identify(responder, key, &counter));
    channel_accept(responder, at_us(0));
    CHECK(channel_has_output(responder));
    channel_free(responder);
    forget(message);
}

static void what_waited_is_not_sent_after_something_wrong_came(void)
{
    struct pair pair = {0};
    uint8_t garbage[HANDSHAKE_FRAME] = {1};

    pair_open(&pair, FRAME_256);
    (void)channel_output(pair.initiator, &pair.to_responder, SIZE_MAX, at_us(0));
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    CHECK(channel_has_output(pair.responder));
    channel_input(pair.responder, span_of(garbage, sizeof garbage), at_us(0));
    CHECK(!channel_has_output(pair.responder));
    CHECK(channel_output(pair.responder, &pair.to_initiator, SIZE_MAX, at_us(0)) == 0);
    pair_close(&pair);
}

static void the_deadline_closes_exactly_once(void)
{
    struct channel *both[] = {new_example_initiator(FRAME_256), new_example_responder()};

    for (int i = 0; i < 2; i++) {
        struct seen seen = {0};

        CHECK(channel_next(both[i]).us == START + CHANNEL_HANDSHAKE_US);
        channel_input(both[i], span_of("x", 1), at_us(CHANNEL_HANDSHAKE_US - 1));
        channel_step(both[i], at_us(CHANNEL_HANDSHAKE_US - 1));
        take(both[i], &seen, 0, at_us(CHANNEL_HANDSHAKE_US - 1));
        CHECK(seen.closed == 0);
        for (uint64_t us = CHANNEL_HANDSHAKE_US; us < 3 * CHANNEL_HANDSHAKE_US; us += SECOND_US) {
            channel_input(both[i], span_of("x", 1), at_us(us));
            channel_step(both[i], at_us(us));
            channel_close(both[i], "again");
            take(both[i], &seen, 0, at_us(us));
        }
        CHECK(seen.closed == 1 && strstr(seen.reason, "no handshake within 10 s") == seen.reason);
        CHECK(channel_next(both[i]).us == UINT64_MAX && !channel_has_output(both[i]));
        channel_free(both[i]);
    }
}

/* A good first message that comes too late is too late, even if nobody called channel_step(). */
static void a_late_first_message_is_not_offered(void)
{
    struct buffer message[3] = {{0}};
    struct channel *responder = new_example_responder();
    struct seen seen = {0};

    record_handshake(message);
    channel_input(responder, buffer_span(&message[0]), at_us(CHANNEL_HANDSHAKE_US));
    take(responder, &seen, INITIATOR_SECRET, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(seen.offers == 0 && seen.closed == 1 && !channel_has_output(responder));
    channel_free(responder);
    forget(message);
}

static size_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%lu %lu", &total, &resident) != 2)
        CHECK(false);
    if (file != NULL)
        (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_thousand_silent_channels_keep_little(void)
{
    static struct channel *channels[1000];
    static uint8_t garbage[65536];
    size_t before = 0;

    memset(garbage, 0x5a, sizeof garbage);
    before = resident_bytes();
    for (size_t i = 0; i < 1000; i++) {
        channels[i] = new_example_responder();
        for (int round = 0; round < 16; round++)
            channel_input(channels[i], span_of(garbage, sizeof garbage), at_us(0));
    }
    CHECK(resident_bytes() - before < 32 * 1024 * 1024);
    for (size_t i = 0; i < 1000; i++)
        channel_free(channels[i]);
}

/* A link key that no secret belongs to: nothing is sent, and the channel says what is wrong. */
static void an_unusable_link_key_is_not_dialled(void)
{
    static const uint8_t zeros[DH_SIZE];
    const uint8_t secret[DH_SIZE] = {1};
    struct channel_line line = line_of(LINE_ID, COURIER);
    struct entropy entropy = {0};
    struct channel_config config = {.link_secret = secret,
                                    .keepalive_us = KEEPALIVE,
                                    .line = &line,
                                    .remote_link_key = zeros,
                                    .member = MEMBER,
                                    .counter = COUNTER};
    struct channel *channel = channel_new(&config, &entropy, at_us(0));
    struct buffer out = {0};
    struct seen seen = {0};

    CHECK(channel != NULL);
    if (channel == NULL)
        return;
    CHECK(channel_output(channel, &out, 65536, at_us(0)) == 0);
    channel_step(channel, at_us(CHANNEL_HANDSHAKE_US));
    take(channel, &seen, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(seen.closed == 1 && strstr(seen.reason, "unusable") != NULL);
    seen_free(&seen);
    buffer_free(&out);
    channel_free(channel);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(the_specification_holds);
    RUN(both_are_established_in_every_frame_class);
    RUN(nobody_may_send_before);
    RUN(data_right_behind_the_third_message_is_read);
    RUN(each_of_many_lines_is_found);
    RUN(wrong_keys_and_lines_meet_silence);
    RUN(another_member_than_it_claims_is_not_established);
    RUN(another_member_does_not_move_the_counter);
    RUN(a_replayed_first_message_is_identified_and_refused_in_silence);
    RUN(an_unknown_member_is_refused_in_silence);
    RUN(a_replayed_conversation_is_not_established);
    RUN(reflected_messages_meet_silence);
    RUN(every_flipped_byte_of_every_message_meets_silence);
    RUN(truncated_messages_meet_silence);
    RUN(garbage_meets_silence);
    RUN(malformed_payloads_meet_silence);
    RUN(a_third_message_that_carries_something_meets_silence);
    RUN(a_second_message_that_carries_something_meets_silence);
    RUN(more_before_the_answer_is_silence_and_one_offer_at_most);
    RUN(an_answer_without_an_offer_or_twice_changes_nothing);
    RUN(nobody_is_answered_unidentified);
    RUN(what_waited_is_not_sent_after_something_wrong_came);
    RUN(the_deadline_closes_exactly_once);
    RUN(a_late_first_message_is_not_offered);
    RUN(a_thousand_silent_channels_keep_little);
    RUN(an_unusable_link_key_is_not_dialled);
    return test_end();
}
