/*
 * What the tests of the channel share: the keys of the worked example, two channels with a wire between them,
 * and an initiator made by hand that can say what no channel would.
 */
#ifndef LIAISON_TESTS_LINK_PAIR_H
#define LIAISON_TESTS_LINK_PAIR_H

#include "link/channel_internal.h"
#include "seal/keyfile.h"
#include "test.h"

#define KEEPALIVE (20 * SECOND_US)
#define START (1000 * SECOND_US)
#define MEMBER 1
#define COUNTER UINT64_C(1764000000000000)

/* The secrets of the example, each 32 times the same byte; the entropy gives the ephemeral keys of spec/link.md. */
enum { INITIATOR_SECRET = 0x11, RESPONDER_SECRET = 0x22, COURIER = 0x33, LINE_ID = 0x44 };
enum { INITIATOR_ENTROPY = 0x51, RESPONDER_ENTROPY = 0x52 };

/* A small generator for the tests' choices, so that a failure can be run again. */
static inline uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

static inline struct now at_us(uint64_t us)
{
    return (struct now){.monotonic = {START + us}, .wall = {COUNTER + us}};
}

static inline struct channel_line line_of(uint8_t id, uint8_t courier)
{
    struct channel_line line;
    uint8_t key[COURIER_KEY_SIZE];

    memset(line.line_id, id, sizeof line.line_id);
    memset(key, courier, sizeof key);
    courier_subkey(line.psk, key, LABEL_COURIER_LINK);
    return line;
}

static inline void public_of(uint8_t out[DH_SIZE], uint8_t secret_byte)
{
    uint8_t secret[DH_SIZE];

    memset(secret, secret_byte, sizeof secret);
    dh_public(out, secret);
}

static inline struct channel *new_initiator(enum frame_class frame_class, struct channel_line line,
                                            uint8_t responder_secret)
{
    uint8_t secret[DH_SIZE], remote[DH_SIZE];
    struct entropy entropy;
    struct channel_config config = {.link_secret = secret,
                                    .keepalive_us = KEEPALIVE,
                                    .line = &line,
                                    .remote_link_key = remote,
                                    .member = MEMBER,
                                    .counter = COUNTER,
                                    .frame_class = frame_class};

    memset(secret, INITIATOR_SECRET, sizeof secret);
    memset(entropy.key, INITIATOR_ENTROPY, sizeof entropy.key);
    public_of(remote, responder_secret);
    return channel_new(&config, &entropy, at_us(0));
}

/* The office's at whose port all responders of this test stand. Its entropy begins anew with each of them. */
static struct entropy door_entropy;
static struct channel_door *door;

static inline struct channel *new_responder(const struct channel_line *lines, size_t count)
{
    uint8_t secret[DH_SIZE];

    memset(secret, RESPONDER_SECRET, sizeof secret);
    memset(door_entropy.key, RESPONDER_ENTROPY, sizeof door_entropy.key);
    if (door == NULL)
        door = channel_door_new(secret, &door_entropy);
    if (door == NULL)
        return NULL;
    channel_door_set_lines(door, lines, count);
    return channel_answer(door, KEEPALIVE, at_us(0));
}

static inline struct channel *new_example_initiator(enum frame_class frame_class)
{
    return new_initiator(frame_class, line_of(LINE_ID, COURIER), RESPONDER_SECRET);
}

static inline struct channel *new_example_responder(void)
{
    struct channel_line line = line_of(LINE_ID, COURIER);

    return new_responder(&line, 1);
}

/* What has come of a channel, as its events told. */
struct seen {
    unsigned offers, identified, established, messages, pongs, closed;
    struct channel_event offer;
    uint64_t counter; /* of who was identified */
    uint64_t highest; /* a counter that is not above it is refused */
    uint64_t round_trip_us;
    struct buffer content;     /* of the messages, one behind the other */
    struct buffer lane[LANES]; /* the same, of each lane */
    char reason[2048];
};

/* Answers an offer: identifies the member by the secret byte `accept`, and refuses all if that is 0. */
static inline void take_offer(struct channel *channel, struct seen *seen, uint8_t accept, struct now now)
{
    uint8_t key[DH_SIZE];
    uint64_t counter = 0;

    public_of(key, accept);
    if (accept == 0) {
        channel_refuse(channel);
    } else if (channel_identify(channel, key, &counter)) {
        seen->identified++;
        seen->counter = counter;
        if (counter > seen->highest)
            channel_accept(channel, now);
        else
            channel_refuse(channel);
    }
}

/* Takes all events. */
static inline void take(struct channel *channel, struct seen *seen, uint8_t accept, struct now now)
{
    struct channel_event event;

    while (channel_event(channel, &event)) {
        CHECK(seen->closed == 0);
        switch (event.kind) {
        case CHANNEL_OFFER:
            seen->offers++;
            seen->offer = event;
            take_offer(channel, seen, accept, now);
            break;
        case CHANNEL_ESTABLISHED:
            seen->established++;
            break;
        case CHANNEL_MESSAGE:
            seen->messages++;
            buffer_put_span(&seen->content, event.message);
            buffer_put_span(&seen->lane[event.urgent], event.message);
            break;
        case CHANNEL_PONG:
            seen->pongs++;
            seen->round_trip_us = event.round_trip_us;
            break;
        case CHANNEL_CLOSED:
            seen->closed++;
            (void)snprintf(seen->reason, sizeof seen->reason, "%s", event.reason);
            break;
        case CHANNEL_NOTHING:
            CHECK(false);
        }
    }
}

/* Two channels and a wire each way. */
struct pair {
    struct channel *initiator, *responder;
    struct seen by_initiator, by_responder;
    struct buffer to_responder, to_initiator; /* under way */
    uint64_t chance;                          /* not 0: pieces of random sizes */
    size_t piece;                             /* otherwise the size of a piece; 0: everything at once */
};

/* Hands what is under way to `channel`, in pieces. */
static inline void arrive(struct pair *pair, struct channel *channel, struct seen *seen, struct buffer *wire,
                          struct now now)
{
    size_t at = 0;

    while (at < wire->size) {
        size_t piece =
            pair->chance != 0 ? 1 + (size_t)draw(&pair->chance, draw(&pair->chance, 2) != 0 ? 3 : 40000) : pair->piece;

        if (piece == 0 || piece > wire->size - at)
            piece = wire->size - at;
        channel_input(channel, span_of(wire->data + at, piece), now);
        take(channel, seen, INITIATOR_SECRET, now);
        at += piece;
    }
    buffer_reset(wire);
}

/* Carries both ways until nobody has anything to say. */
static inline void carry(struct pair *pair, struct now now)
{
    do {
        (void)channel_output(pair->initiator, &pair->to_responder, 65536, now);
        arrive(pair, pair->responder, &pair->by_responder, &pair->to_responder, now);
        (void)channel_output(pair->responder, &pair->to_initiator, 65536, now);
        arrive(pair, pair->initiator, &pair->by_initiator, &pair->to_initiator, now);
    } while (channel_has_output(pair->initiator) || channel_has_output(pair->responder));
    take(pair->initiator, &pair->by_initiator, INITIATOR_SECRET, now);
    take(pair->responder, &pair->by_responder, INITIATOR_SECRET, now);
}

static inline void pair_open(struct pair *pair, enum frame_class frame_class)
{
    pair->initiator = new_example_initiator(frame_class);
    pair->responder = new_example_responder();
}

static inline void pair_establish(struct pair *pair, enum frame_class frame_class)
{
    pair_open(pair, frame_class);
    carry(pair, at_us(0));
    CHECK(pair->by_initiator.established == 1 && pair->by_responder.established == 1);
}

static inline void seen_reset(struct seen *seen)
{
    buffer_reset(&seen->content);
    for (size_t i = 0; i < LANES; i++)
        buffer_reset(&seen->lane[i]);
}

static inline void seen_free(struct seen *seen)
{
    buffer_free(&seen->content);
    for (size_t i = 0; i < LANES; i++)
        buffer_free(&seen->lane[i]);
}

static inline void pair_close(struct pair *pair)
{
    channel_free(pair->initiator);
    channel_free(pair->responder);
    seen_free(&pair->by_initiator);
    seen_free(&pair->by_responder);
    buffer_free(&pair->to_initiator);
    buffer_free(&pair->to_responder);
    *pair = (struct pair){0};
}

/* One end made by hand from the handshake itself. */
struct stranger {
    struct noise_handshake handshake;
    struct noise_cipher send, receive;
    uint64_t sent; /* frames */
};

#define INNER_PAYLOAD 159

static inline void inner_payload(uint8_t payload[INNER_PAYLOAD])
{
    memset(payload, 0, INNER_PAYLOAD);
    put_u64_be(payload + 1, COUNTER);
}

static inline void stranger_start(struct stranger *stranger, bool initiator, uint8_t static_secret)
{
    struct channel_line line = line_of(LINE_ID, COURIER);
    uint8_t secret[DH_SIZE], remote[DH_SIZE], ephemeral[DH_SIZE];
    uint8_t prologue[sizeof LABEL_LINK - 1 + HASH_SIZE];
    struct noise_config config = {.pattern = NOISE_XKPSK0,
                                  .initiator = initiator,
                                  .prologue = span_of(prologue, sizeof prologue),
                                  .static_secret = secret,
                                  .remote_static = initiator ? remote : NULL,
                                  .psk = line.psk,
                                  .ephemeral_secret = ephemeral};

    *stranger = (struct stranger){.sent = 0};
    memset(secret, static_secret, sizeof secret);
    memset(ephemeral, 0x61, sizeof ephemeral);
    public_of(remote, RESPONDER_SECRET);
    memcpy(prologue, LABEL_LINK, sizeof LABEL_LINK - 1);
    memcpy(prologue + sizeof LABEL_LINK - 1, line.line_id, HASH_SIZE);
    noise_start(&stranger->handshake, &config);
}

/* Writes message 1, which names MEMBER; its inner message is made with the secret of `static_secret`. */
static inline void stranger_first(struct stranger *stranger, uint8_t static_secret,
                                  const uint8_t payload[INNER_PAYLOAD], struct buffer *wire)
{
    struct channel_line line = line_of(LINE_ID, COURIER);
    uint8_t secret[DH_SIZE], remote[DH_SIZE], ephemeral[DH_SIZE];
    struct buffer prologue = {0}, first = {0};
    struct noise_handshake inner;

    memset(secret, static_secret, sizeof secret);
    memset(ephemeral, 0x62, sizeof ephemeral);
    public_of(remote, RESPONDER_SECRET);
    buffer_print(&prologue, "%s", LABEL_LINK_FIRST);
    buffer_put(&prologue, line.line_id, HASH_SIZE);
    buffer_put_u8(&prologue, MEMBER);
    buffer_put(&prologue, stranger->handshake.ephemeral_public, DH_SIZE);
    noise_start(&inner, &(struct noise_config){.pattern = NOISE_KPSK0,
                                               .initiator = true,
                                               .prologue = buffer_span(&prologue),
                                               .static_secret = secret,
                                               .remote_static = remote,
                                               .psk = line.psk,
                                               .ephemeral_secret = ephemeral});
    buffer_put_u8(&first, MEMBER);
    CHECK(noise_write(&inner, span_of(payload, INNER_PAYLOAD), &first));
    CHECK(noise_write(&stranger->handshake, buffer_span(&first), wire));
    CHECK(wire->size == HANDSHAKE_FRAME);
    buffer_free(&prologue);
    buffer_free(&first);
}

/* Reads the responder's second message and says the third, with `payload`. */
static inline void stranger_third(struct stranger *stranger, struct channel *responder, struct span payload)
{
    struct buffer wire = {0}, zeros = {0};
    uint8_t hash[HASH_SIZE];

    CHECK(channel_output(responder, &wire, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
    CHECK(noise_read(&stranger->handshake, buffer_span(&wire), &zeros));
    buffer_reset(&wire);
    CHECK(noise_write(&stranger->handshake, payload, &wire));
    CHECK(wire.size == HANDSHAKE_FRAME);
    channel_input(responder, buffer_span(&wire), at_us(0));
    CHECK(noise_split(&stranger->handshake, &stranger->send, &stranger->receive, hash));
    buffer_free(&wire);
    buffer_free(&zeros);
}

/* A frame of 256 bytes that says `plain`, filled up with zeros. */
static inline void stranger_say(struct stranger *stranger, struct channel *responder, struct span plain)
{
    uint8_t frame[256] = {0};

    memcpy(frame, plain.data, plain.size);
    CHECK(noise_encrypt(&stranger->send, span_of(NULL, 0), span_of(frame, 240), frame));
    if (++stranger->sent % CHANNEL_REKEY == 0)
        noise_rekey(&stranger->send);
    channel_input(responder, span_of(frame, sizeof frame), at_us(0));
}

/* A responder established with a stranger who behaves so far. */
static inline struct channel *stranger_establish(struct stranger *stranger, struct seen *seen)
{
    static const uint8_t zeros[192];
    struct channel *responder = new_example_responder();
    struct buffer first = {0};
    uint8_t payload[INNER_PAYLOAD];

    inner_payload(payload);
    stranger_start(stranger, true, INITIATOR_SECRET);
    stranger_first(stranger, INITIATOR_SECRET, payload, &first);
    channel_input(responder, buffer_span(&first), at_us(0));
    take(responder, seen, INITIATOR_SECRET, at_us(0));
    stranger_third(stranger, responder, span_of(zeros, sizeof zeros));
    take(responder, seen, 0, at_us(0));
    CHECK(seen->established == 1);
    buffer_free(&first);
    return responder;
}

#endif
