#include "link/channel_internal.h"

#include <assert.h>
#include <stdlib.h>

#define INNER_PAYLOAD (INNER_SIZE - DH_SIZE - AEAD_TAG_SIZE)
#define SECOND_PAYLOAD (HANDSHAKE_FRAME - DH_SIZE - AEAD_TAG_SIZE)
#define THIRD_PAYLOAD (HANDSHAKE_FRAME - DH_SIZE - 2 * AEAD_TAG_SIZE)
#define LABEL_SIZE (sizeof LABEL_LINK - 1)
#define INNER_LABEL_SIZE (sizeof LABEL_LINK_FIRST - 1)

void handshake_silence(struct channel *channel, const char *why)
{
    channel_forget_keys(channel);
    buffer_free(&channel->handshake_output);
    channel->offer_waits = false;
    channel->silence = why;
    channel->stage = STAGE_SILENT;
}

/* The payload tells a member's number and counter, which the wire hides. */
static void forget(struct buffer *payload)
{
    if (payload->data != NULL)
        secret_wipe(payload->data, payload->capacity);
    buffer_free(payload);
}

void handshake_start(struct noise_handshake *handshake, struct noise_config config, const struct channel_line *line)
{
    uint8_t prologue[LABEL_SIZE + HASH_SIZE];

    memcpy(prologue, LABEL_LINK, LABEL_SIZE);
    memcpy(prologue + LABEL_SIZE, line->line_id, HASH_SIZE);
    config.pattern = NOISE_XKPSK0;
    config.prologue = span_of(prologue, sizeof prologue);
    config.psk = line->psk;
    noise_start(handshake, &config);
}

/* The inner handshake is bound to the outer's ephemeral key, so that no other message 1 can carry its message. */
static void start_inner(struct noise_handshake *inner, const struct channel *channel, uint8_t member,
                        const uint8_t *ephemeral_secret)
{
    const struct noise_handshake *outer = &channel->keys->handshake;
    const struct channel_line *line = &channel->keys->line;
    uint8_t prologue[INNER_LABEL_SIZE + HASH_SIZE + 1 + DH_SIZE];
    struct noise_config config = {
        .pattern = NOISE_KPSK0,
        .initiator = outer->initiator,
        .prologue = span_of(prologue, sizeof prologue),
        .static_secret = outer->static_secret,
        .static_public = outer->static_public,
        .remote_static = channel->remote_link_key,
        .psk = line->psk,
        .ephemeral_secret = ephemeral_secret,
    };

    memcpy(prologue, LABEL_LINK_FIRST, INNER_LABEL_SIZE);
    memcpy(prologue + INNER_LABEL_SIZE, line->line_id, HASH_SIZE);
    prologue[INNER_LABEL_SIZE + HASH_SIZE] = member;
    memcpy(prologue + INNER_LABEL_SIZE + HASH_SIZE + 1,
           outer->initiator ? outer->ephemeral_public : outer->remote_ephemeral, DH_SIZE);
    noise_start(inner, &config);
}

static bool write_message(struct channel *channel, const uint8_t *payload, size_t size)
{
    return noise_write(&channel->keys->handshake, span_of(payload, size), &channel->handshake_output) &&
           !buffer_failed(&channel->handshake_output);
}

/* The payload of message 1: our member number, and the inner message, which proves that we are that member. */
static bool put_first(struct buffer *out, const struct channel *channel, const struct channel_config *config,
                      struct entropy *entropy)
{
    uint8_t ephemeral_secret[DH_SIZE];
    uint8_t payload[INNER_PAYLOAD] = {(uint8_t)config->frame_class};
    struct noise_handshake inner;
    bool good = false;

    put_u64_be(payload + 1, config->counter);
    entropy_fill(entropy, ephemeral_secret, sizeof ephemeral_secret);
    start_inner(&inner, channel, config->member, ephemeral_secret);
    buffer_put_u8(out, config->member);
    good = noise_write(&inner, span_of(payload, sizeof payload), out) && !buffer_failed(out);
    secret_wipe(&inner, sizeof inner);
    secret_wipe(ephemeral_secret, sizeof ephemeral_secret);
    return good;
}

void handshake_begin(struct channel *channel, const struct channel_config *config, struct entropy *entropy)
{
    struct buffer payload = {0};
    uint8_t ephemeral_secret[DH_SIZE];
    struct noise_config noise = {.initiator = true,
                                 .static_secret = config->link_secret,
                                 .remote_static = config->remote_link_key,
                                 .ephemeral_secret = ephemeral_secret};

    entropy_fill(entropy, ephemeral_secret, sizeof ephemeral_secret);
    handshake_start(&channel->keys->handshake, noise, &channel->keys->line);
    secret_wipe(ephemeral_secret, sizeof ephemeral_secret);
    channel->stage = STAGE_SECOND;
    channel->silence = "the second message did not come";
    if (!put_first(&payload, channel, config, entropy) || !write_message(channel, payload.data, payload.size))
        handshake_silence(channel, "the first message could not be written: the other's link key is unusable");
    forget(&payload);
}

static void take_offer(struct channel *channel, size_t line, struct span payload)
{
    struct cursor cursor = cursor_of(payload);

    channel->offer = (struct channel_event){.kind = CHANNEL_OFFER, .line = line, .member = cursor_u8(&cursor)};
    cursor_copy(&cursor, channel->keys->inner, sizeof channel->keys->inner);
    assert(cursor_done(&cursor));
    channel->offer_waits = true;
    channel->stage = STAGE_OFFERED;
    channel->silence = "the first message was not answered";
}

static void read_first(struct channel *channel, struct span message)
{
    struct buffer payload = {0};
    size_t line = DOOR_NO_LINE;

    channel->keys = door_lend(channel->door);
    if (channel->keys != NULL)
        line = door_find_line(channel->door, channel->keys, message, &payload);
    if (channel->keys == NULL)
        handshake_silence(channel, "no memory");
    else if (line == DOOR_NO_LINE)
        handshake_silence(channel, "the first message is not made with the courier key of any line");
    else
        take_offer(channel, line, buffer_span(&payload));
    forget(&payload);
}

/* What is wrong with the payload of the inner message; NULL if nothing. */
static const char *parse_inner(struct channel *channel, struct span payload, uint64_t *counter)
{
    struct cursor cursor = cursor_of(payload);
    uint8_t frame_class = cursor_u8(&cursor);

    *counter = cursor_u64(&cursor);
    if (frame_class > FRAME_16384)
        return "the first message asks for frames of a size that there is not";
    if (!span_is_zero(cursor_rest(&cursor)) || !cursor_done(&cursor))
        return "the first message's padding is not zero";
    channel->frame_class = (enum frame_class)frame_class;
    return NULL;
}

bool channel_identify(struct channel *channel, const uint8_t remote_link_key[static DH_SIZE], uint64_t *counter)
{
    struct buffer payload = {0};
    struct noise_handshake inner;
    const char *wrong = NULL;

    if (channel->stage != STAGE_OFFERED)
        return false;
    memcpy(channel->remote_link_key, remote_link_key, DH_SIZE);
    start_inner(&inner, channel, channel->offer.member, NULL);
    if (!noise_read(&inner, span_of(channel->keys->inner, sizeof channel->keys->inner), &payload))
        wrong = "the first message does not prove the link key of the member that it names";
    else
        wrong = parse_inner(channel, buffer_span(&payload), counter);
    if (wrong != NULL)
        handshake_silence(channel, wrong);
    else
        channel->stage = STAGE_IDENTIFIED;
    secret_wipe(&inner, sizeof inner);
    forget(&payload);
    return channel->stage == STAGE_IDENTIFIED;
}

/* Messages 2 and 3 carry nothing but zeros. */
static bool read_zeros(struct channel *channel, struct span message, size_t size)
{
    struct buffer payload = {0};
    bool good = noise_read(&channel->keys->handshake, message, &payload) && payload.size == size &&
                span_is_zero(buffer_span(&payload));

    forget(&payload);
    return good;
}

static void establish(struct channel *channel, struct now now)
{
    struct channel_keys *keys = channel->keys;
    uint8_t hash[HASH_SIZE];
    size_t size = frame_size_of(channel->frame_class);
    uint8_t *frame = malloc(size);

    if (frame == NULL || !noise_split(&keys->handshake, &keys->send, &keys->receive, hash)) {
        free(frame);
        handshake_silence(channel, "no memory");
        return;
    }
    secret_wipe(&keys->handshake, sizeof keys->handshake);
    secret_wipe(&keys->line, sizeof keys->line);
    secret_wipe(keys->inner, sizeof keys->inner);
    free(channel->frame);
    channel->frame = frame;
    channel->frame_size = size;
    channel->last_sent = channel->last_received = now.monotonic;
    channel->established_waits = true;
    channel->stage = STAGE_ESTABLISHED;
}

static void read_second(struct channel *channel, struct span message, struct now now)
{
    static const uint8_t zeros[THIRD_PAYLOAD];

    if (!read_zeros(channel, message, SECOND_PAYLOAD))
        handshake_silence(channel, "the second message is not authentic, or carries more than zeros");
    else if (!write_message(channel, zeros, sizeof zeros))
        handshake_silence(channel, "the third message could not be written");
    else
        establish(channel, now);
}

static void read_third(struct channel *channel, struct span message, struct now now)
{
    if (!read_zeros(channel, message, THIRD_PAYLOAD))
        handshake_silence(channel, "the third message is not authentic, or carries more than zeros");
    else if (!hash_equal(channel->keys->handshake.remote_static, channel->remote_link_key))
        handshake_silence(channel, "the third message proves another link key than the member's");
    else
        establish(channel, now);
}

void handshake_read(struct channel *channel, struct now now)
{
    struct span message = span_of(channel->frame, channel->frame_size);

    if (channel->stage == STAGE_FIRST)
        read_first(channel, message);
    else if (channel->stage == STAGE_SECOND)
        read_second(channel, message, now);
    else
        read_third(channel, message, now);
}

void channel_accept(struct channel *channel, struct now now)
{
    static const uint8_t zeros[SECOND_PAYLOAD];

    (void)now;
    if (channel->stage != STAGE_IDENTIFIED)
        return;
    door_draw(channel->door, &channel->keys->handshake);
    channel->stage = STAGE_THIRD;
    channel->silence = "the third message did not come";
    if (!write_message(channel, zeros, sizeof zeros))
        handshake_silence(channel, "the second message could not be written");
}

void channel_refuse(struct channel *channel)
{
    if (handshake_awaits_answer(channel))
        handshake_silence(channel, "the member is unknown or the counter is not new");
}
