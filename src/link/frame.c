#include "link/channel_internal.h"

#include "base/text.h"

#define CHUNK_HEADER 3 /* type and length */

enum chunk_type {
    CHUNK_END,
    CHUNK_BULK_PART,
    CHUNK_BULK_LAST,
    CHUNK_PING,
    CHUNK_PONG,
    CHUNK_CLOSE,
    CHUNK_URGENT_PART,
    CHUNK_URGENT_LAST,
};

size_t frame_size_of(enum frame_class frame_class)
{
    return frame_class == FRAME_256 ? 256 : frame_class == FRAME_1024 ? 1024 : 16384;
}

static void rekey_if_due(struct noise_cipher *cipher)
{
    if (cipher->nonce % CHANNEL_REKEY == 0)
        noise_rekey(cipher);
}

/*
 * Pings. Those of channel_ping() carry the microseconds since the channel was opened, so that an answer says by
 * itself which ping it answers, and no list is kept; those that only keep the channel alive carry 0. The other
 * side knows when the channel was opened and learns nothing.
 */
static uint64_t elapsed_us(const struct channel *channel, struct now now)
{
    return now.monotonic.us > channel->opened.us ? now.monotonic.us - channel->opened.us : 0;
}

static uint64_t next_ping(struct channel *channel, struct now now)
{
    uint64_t elapsed = elapsed_us(channel, now);

    if (!channel->ping_due)
        return 0;
    channel->ping_newest = elapsed > channel->ping_newest ? elapsed : channel->ping_newest + 1;
    return channel->ping_newest;
}

static void read_pong(struct channel *channel, uint64_t answered, struct now now)
{
    uint64_t elapsed = elapsed_us(channel, now);

    if (answered <= channel->ping_answered || answered > channel->ping_newest)
        return;
    channel->ping_answered = answered;
    channel->round_trip_us = elapsed > answered ? elapsed - answered : 0;
    channel->pong_waits = true;
}

/* Adds to the lane's unfinished message, whose place for the size comes first. */
static void read_part(struct channel *channel, struct span data, bool urgent, bool last)
{
    struct lane *lane = &channel->lane[urgent];
    size_t header = lane->incoming_unfinished == 0 ? SIZE_FIELD : 0;
    uint8_t *to = NULL;

    if (data.size == 0) {
        channel_end(channel, "the other side sent a message part without content", span_of(NULL, 0));
        return;
    }
    if (data.size > lane_message_max(urgent) - lane->incoming_unfinished) {
        channel_end(channel, "the other side sent a message longer than allowed", span_of(NULL, 0));
        return;
    }
    to = queue_extend(&lane->incoming, header + data.size);
    if (to == NULL) {
        channel_end(channel, "no memory for a message", span_of(NULL, 0));
        return;
    }
    memcpy(to + header, data.data, data.size);
    lane->incoming_unfinished += data.size;
    if (!last)
        return;
    put_u32_be(to + header + data.size - lane->incoming_unfinished - SIZE_FIELD, (uint32_t)lane->incoming_unfinished);
    lane->incoming_unfinished = 0;
}

static void read_close(struct channel *channel, struct span reason)
{
    if (reason.size > CLOSE_REASON_MAX || !text_is_utf8(reason))
        channel_end(channel, "the other side closed with a reason that is too long or not UTF-8", span_of(NULL, 0));
    else if (reason.size == 0)
        channel_end(channel, "the other side closed without a reason", reason);
    else
        channel_end(channel, "the other side closed, in its words: ", reason);
}

/* What is wrong with a chunk; NULL if it was taken, or has ended the channel with a reason of its own. */
static const char *read_chunk(struct channel *channel, uint8_t type, struct span data, struct now now)
{
    struct cursor cursor = cursor_of(data);

    switch (type) {
    case CHUNK_BULK_PART:
    case CHUNK_BULK_LAST:
        read_part(channel, data, false, type == CHUNK_BULK_LAST);
        return NULL;
    case CHUNK_URGENT_PART:
    case CHUNK_URGENT_LAST:
        read_part(channel, data, true, type == CHUNK_URGENT_LAST);
        return NULL;
    case CHUNK_PING:
        cursor_copy(&cursor, channel->pong, PING_SIZE);
        channel->pong_due = true;
        return cursor_done(&cursor) ? NULL : "the other side sent a ping that has not 8 bytes";
    case CHUNK_PONG:
        read_pong(channel, cursor_u64(&cursor), now);
        return cursor_done(&cursor) ? NULL : "the other side sent a pong that has not 8 bytes";
    case CHUNK_CLOSE:
        read_close(channel, data);
        return NULL;
    default:
        return "the other side sent a frame with a chunk of no known type";
    }
}

static void read_plain(struct channel *channel, struct span plain, struct now now)
{
    struct cursor cursor = cursor_of(plain);
    const char *wrong = NULL;

    while (wrong == NULL && channel->stage == STAGE_ESTABLISHED && cursor.left >= CHUNK_HEADER &&
           *cursor.at != CHUNK_END) {
        uint8_t type = cursor_u8(&cursor);
        struct span data = cursor_span(&cursor, cursor_u16(&cursor));

        wrong = cursor.failed ? "the other side sent a frame with a chunk that is longer than the frame"
                              : read_chunk(channel, type, data, now);
    }
    if (channel->stage != STAGE_ESTABLISHED)
        return;
    if (wrong != NULL)
        channel_end(channel, wrong, span_of(NULL, 0));
    else if (!span_is_zero(cursor_rest(&cursor)))
        channel_end(channel, "the other side sent a frame whose padding is not zero", span_of(NULL, 0));
}

void frame_read(struct channel *channel, struct span wire, struct now now)
{
    if (!noise_decrypt(&channel->keys->receive, span_of(NULL, 0), wire, channel->frame)) {
        channel_end(channel, "a frame is not authentic: it was damaged or forged on the way", span_of(NULL, 0));
        return;
    }
    rekey_if_due(&channel->keys->receive);
    channel->last_received = now.monotonic;
    read_plain(channel, span_of(channel->frame, channel->frame_size - AEAD_TAG_SIZE), now);
}

/* The place in a frame being written. */
struct place {
    uint8_t *at;
    size_t left;
};

/* The caller has seen to it that the chunk fits. */
static void put_chunk(struct place *place, enum chunk_type type, const void *data, size_t size)
{
    place->at[0] = (uint8_t)type;
    place->at[1] = (uint8_t)(size >> 8);
    place->at[2] = (uint8_t)size;
    if (size > 0)
        memcpy(place->at + CHUNK_HEADER, data, size);
    place->at += CHUNK_HEADER + size;
    place->left -= CHUNK_HEADER + size;
}

/* As many messages of a lane, and as much of the last of them, as there is room for. */
static void put_messages(struct lane *lane, enum chunk_type part, enum chunk_type last, struct place *place)
{
    while (place->left > CHUNK_HEADER && queue_size(&lane->outgoing) > 0) {
        size_t size = place->left - CHUNK_HEADER;

        if (lane->outgoing_left == 0) {
            struct cursor cursor = cursor_of(queue_span(&lane->outgoing));

            lane->outgoing_left = cursor_u32(&cursor);
            queue_drop(&lane->outgoing, SIZE_FIELD);
        }
        size = size < lane->outgoing_left ? size : lane->outgoing_left;
        lane->outgoing_left -= size;
        put_chunk(place, lane->outgoing_left > 0 ? part : last, queue_span(&lane->outgoing).data, size);
        queue_drop(&lane->outgoing, size);
    }
}

bool frame_write(struct channel *channel, uint8_t *wire, struct now now)
{
    struct place place = {.at = wire, .left = channel->frame_size - AEAD_TAG_SIZE};
    uint8_t ping[PING_SIZE];

    if (channel->stage == STAGE_CLOSING) {
        put_chunk(&place, CHUNK_CLOSE, channel->close_reason, strlen(channel->close_reason));
    } else {
        if (channel->pong_due)
            put_chunk(&place, CHUNK_PONG, channel->pong, PING_SIZE);
        if (channel->ping_due || channel->keepalive_due) {
            put_u64_be(ping, next_ping(channel, now));
            put_chunk(&place, CHUNK_PING, ping, PING_SIZE);
        }
        channel->pong_due = channel->ping_due = channel->keepalive_due = false;
        put_messages(&channel->lane[URGENT], CHUNK_URGENT_PART, CHUNK_URGENT_LAST, &place);
        put_messages(&channel->lane[BULK], CHUNK_BULK_PART, CHUNK_BULK_LAST, &place);
    }
    memset(place.at, 0, place.left);
    if (!noise_encrypt(&channel->keys->send, span_of(NULL, 0), span_of(wire, channel->frame_size - AEAD_TAG_SIZE),
                       wire))
        return false;
    rekey_if_due(&channel->keys->send);
    channel->last_sent = now.monotonic;
    return true;
}
