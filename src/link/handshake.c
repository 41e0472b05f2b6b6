#include "link/channel_internal.h"

#include <stdlib.h>

#define FIRST_PAYLOAD (HANDSHAKE_FRAME - DH_SIZE - AEAD_TAG_SIZE)
#define SECOND_PAYLOAD (HANDSHAKE_FRAME - DH_SIZE - AEAD_TAG_SIZE)
#define THIRD_PAYLOAD (HANDSHAKE_FRAME - DH_SIZE - 2 * AEAD_TAG_SIZE)
#define PROLOGUE_SIZE (sizeof LABEL_LINK - 1 + HASH_SIZE)

/* What the first message says, in its order. */
struct first_payload {
    uint8_t member;
    uint8_t frame_class;
    uint64_t counter;
};

void handshake_wipe(struct channel *channel)
{
    secret_wipe(channel->link_secret, sizeof channel->link_secret);
    secret_wipe(channel->ephemeral_secret, sizeof channel->ephemeral_secret);
    secret_wipe(&channel->handshake, sizeof channel->handshake);
    secret_free(channel->lines);
    channel->lines = NULL;
    channel->line_count = 0;
}

void handshake_silence(struct channel *channel, const char *why)
{
    handshake_wipe(channel);
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

static void start(struct noise_handshake *handshake, const struct channel *channel, const struct channel_line *line)
{
    uint8_t prologue[PROLOGUE_SIZE];
    struct noise_config config = {
        .pattern = NOISE_XKPSK0,
        .initiator = channel->initiator,
        .prologue = span_of(prologue, sizeof prologue),
        .static_secret = channel->link_secret,
        .remote_static = channel->initiator ? channel->remote_link_key : NULL,
        .psk = line->psk,
        .ephemeral_secret = channel->ephemeral_secret,
    };

    memcpy(prologue, LABEL_LINK, sizeof LABEL_LINK - 1);
    memcpy(prologue + sizeof LABEL_LINK - 1, line->line_id, HASH_SIZE);
    noise_start(handshake, &config);
}

static bool write_message(struct channel *channel, const uint8_t *payload, size_t size)
{
    return noise_write(&channel->handshake, span_of(payload, size), &channel->handshake_output) &&
           !buffer_failed(&channel->handshake_output);
}

void handshake_begin(struct channel *channel, const struct channel_config *config)
{
    uint8_t payload[FIRST_PAYLOAD] = {0};

    payload[0] = config->member;
    payload[1] = (uint8_t)config->frame_class;
    put_u64_be(payload + 8, config->counter);
    start(&channel->handshake, channel, &channel->lines[0]);
    channel->stage = STAGE_SECOND;
    channel->silence = "the second message did not come";
    if (!write_message(channel, payload, sizeof payload))
        handshake_silence(channel, "the first message could not be written: the other's link key is unusable");
}

static bool parse_first(struct first_payload *first, struct span payload)
{
    struct cursor cursor = cursor_of(payload);
    bool zero = true;

    first->member = cursor_u8(&cursor);
    first->frame_class = cursor_u8(&cursor);
    zero = span_is_zero(cursor_span(&cursor, 6));
    first->counter = cursor_u64(&cursor);
    zero = span_is_zero(cursor_rest(&cursor)) && zero;
    return cursor_done(&cursor) && zero && payload.size == FIRST_PAYLOAD && first->frame_class <= FRAME_16384;
}

/* Which line's courier key opens the message, its payload in `payload`; line_count if none does. The part that
 * costs, es, is the same for all lines. */
static size_t find_line(struct channel *channel, struct span message, struct buffer *payload)
{
    uint8_t ephemeral[DH_SIZE];
    uint8_t es[DH_SIZE];
    struct cursor cursor = cursor_of(message);
    size_t line = channel->line_count;

    cursor_copy(&cursor, ephemeral, sizeof ephemeral);
    if (!dh(es, channel->link_secret, ephemeral))
        goto out;
    for (line = 0; line < channel->line_count; line++) {
        start(&channel->handshake, channel, &channel->lines[line]);
        noise_set_es(&channel->handshake, es);
        if (noise_read(&channel->handshake, message, payload))
            break;
    }
out:
    secret_wipe(es, sizeof es);
    return line;
}

static void read_first(struct channel *channel, struct span message)
{
    struct buffer payload = {0};
    struct first_payload first = {0};
    size_t line = find_line(channel, message, &payload);

    if (line == channel->line_count) {
        handshake_silence(channel, "the first message is not made with the courier key of any line");
    } else if (!parse_first(&first, buffer_span(&payload))) {
        handshake_silence(channel, "the first message is malformed");
    } else {
        channel->frame_class = (enum frame_class)first.frame_class;
        channel->offer = (struct channel_event){
            .kind = CHANNEL_OFFER, .line = line, .member = first.member, .counter = first.counter};
        channel->offer_waits = true;
        channel->stage = STAGE_OFFERED;
        channel->silence = "the first message was not answered";
    }
    forget(&payload);
}

/* Messages 2 and 3 carry nothing but zeros. */
static bool read_zeros(struct channel *channel, struct span message, size_t size)
{
    struct buffer payload = {0};
    bool good = noise_read(&channel->handshake, message, &payload) && payload.size == size &&
                span_is_zero(buffer_span(&payload));

    forget(&payload);
    return good;
}

static void establish(struct channel *channel, struct now now)
{
    uint8_t hash[HASH_SIZE];
    size_t size = frame_size_of(channel->frame_class);
    uint8_t *frame = malloc(size);

    if (frame == NULL || !noise_split(&channel->handshake, &channel->send, &channel->receive, hash)) {
        free(frame);
        handshake_silence(channel, "no memory");
        return;
    }
    handshake_wipe(channel);
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
        handshake_silence(channel, "the second message is not authentic");
    else if (!write_message(channel, zeros, sizeof zeros))
        handshake_silence(channel, "the third message could not be written");
    else
        establish(channel, now);
}

static void read_third(struct channel *channel, struct span message, struct now now)
{
    if (!read_zeros(channel, message, THIRD_PAYLOAD))
        handshake_silence(channel, "the third message is not authentic");
    else if (!hash_equal(channel->handshake.remote_static, channel->remote_link_key))
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

void channel_accept(struct channel *channel, const uint8_t remote_link_key[static DH_SIZE], struct now now)
{
    static const uint8_t zeros[SECOND_PAYLOAD];

    (void)now;
    if (channel->stage != STAGE_OFFERED)
        return;
    memcpy(channel->remote_link_key, remote_link_key, DH_SIZE);
    channel->stage = STAGE_THIRD;
    channel->silence = "the third message did not come";
    if (!write_message(channel, zeros, sizeof zeros))
        handshake_silence(channel, "the second message could not be written");
}

void channel_refuse(struct channel *channel)
{
    if (channel->stage == STAGE_OFFERED)
        handshake_silence(channel, "the member is unknown or the counter is not new");
}
