#include "link/channel_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static struct channel *make(uint64_t keepalive_us, struct now now)
{
    struct channel *channel = calloc(1, sizeof *channel);

    assert(keepalive_us > 0);
    if (channel == NULL)
        return NULL;
    channel->keepalive_us = keepalive_us;
    channel->opened = now.monotonic;
    channel->silence = "the first message did not come";
    channel->frame_size = HANDSHAKE_FRAME;
    channel->frame = malloc(HANDSHAKE_FRAME);
    if (channel->frame != NULL)
        return channel;
    free(channel);
    return NULL;
}

struct channel *channel_new(const struct channel_config *config, struct entropy *entropy, struct now now)
{
    struct channel *channel = make(config->keepalive_us, now);

    if (channel == NULL)
        return NULL;
    channel->keys = secret_new(sizeof *channel->keys);
    if (channel->keys == NULL) {
        channel_free(channel);
        return NULL;
    }
    channel->frame_class = config->frame_class;
    channel->keys->line = *config->line;
    memcpy(channel->remote_link_key, config->remote_link_key, DH_SIZE);
    handshake_begin(channel, config, entropy);
    return channel;
}

struct channel *channel_answer(struct channel_door *door, uint64_t keepalive_us, struct now now)
{
    struct channel *channel = make(keepalive_us, now);

    if (channel != NULL)
        channel->door = door;
    return channel;
}

void channel_forget_keys(struct channel *channel)
{
    if (channel->keys != NULL && channel->door != NULL)
        door_take_back(channel->door, channel->keys);
    else
        secret_free(channel->keys);
    channel->keys = NULL;
}

/* Wipes and gives back what only a channel that goes on needs. */
static void release(struct channel *channel)
{
    channel_forget_keys(channel);
    if (channel->frame != NULL)
        secret_wipe(channel->frame, channel->frame_size);
    free(channel->frame);
    channel->frame = NULL;
    buffer_free(&channel->handshake_output);
    for (size_t i = 0; i < LANES; i++)
        queue_free(&channel->lane[i].outgoing);
}

void channel_free(struct channel *channel)
{
    if (channel == NULL)
        return;
    release(channel);
    for (size_t i = 0; i < LANES; i++)
        queue_free(&channel->lane[i].incoming);
    buffer_free(&channel->reason);
    free(channel);
}

/* No message follows, so what there is of one is worth nothing. */
static void drop_unfinished(struct lane *lane)
{
    if (lane->incoming_unfinished > 0)
        queue_cut(&lane->incoming, SIZE_FIELD + lane->incoming_unfinished);
    lane->incoming_unfinished = 0;
}

void channel_end(struct channel *channel, const char *ours, struct span theirs)
{
    if (channel->stage == STAGE_CLOSED)
        return;
    channel->stage = STAGE_CLOSED;
    buffer_put_span(&channel->reason, span_of_string(ours));
    text_put_shown(&channel->reason, theirs, false);
    for (size_t i = 0; i < LANES; i++)
        drop_unfinished(&channel->lane[i]);
    channel->offer_waits = false;
    channel->closed_waits = true;
    release(channel);
}

static bool in_handshake(const struct channel *channel)
{
    return channel->stage < STAGE_ESTABLISHED;
}

static struct monotonic handshake_deadline(const struct channel *channel)
{
    return monotonic_after(channel->opened, CHANNEL_HANDSHAKE_US);
}

static struct monotonic dead_deadline(const struct channel *channel)
{
    struct monotonic at = channel->last_received;

    for (int i = 0; i < KEEPALIVES_UNTIL_DEAD; i++)
        at = monotonic_after(at, channel->keepalive_us);
    return at;
}

/* Whether the handshake's time is over: then whatever comes comes too late. */
static bool handshake_late(struct channel *channel, struct now now)
{
    char reason[160];

    if (!in_handshake(channel) || now.monotonic.us < handshake_deadline(channel).us)
        return false;
    (void)snprintf(reason, sizeof reason, "no handshake within %u s: %s", (unsigned)(CHANNEL_HANDSHAKE_US / SECOND_US),
                   channel->silence);
    channel_end(channel, reason, span_of(NULL, 0));
    return true;
}

/* Forgets the message that the last event lent. */
static void take_back(struct channel *channel)
{
    for (size_t i = 0; i < LANES; i++) {
        queue_drop(&channel->lane[i].incoming, channel->lane[i].handed_out);
        channel->lane[i].handed_out = 0;
    }
}

/* One piece of the input: a frame where it lies, if it is whole, else as much of one as there is. */
static void input_piece(struct channel *channel, struct cursor *cursor, struct now now)
{
    size_t missing = channel->frame_size - channel->frame_filled;
    struct span piece = cursor_span(cursor, cursor->left < missing ? cursor->left : missing);

    if (channel->stage == STAGE_ESTABLISHED && piece.size == channel->frame_size) {
        frame_read(channel, piece, now);
        return;
    }
    memcpy(channel->frame + channel->frame_filled, piece.data, piece.size);
    channel->frame_filled += piece.size;
    if (channel->frame_filled < channel->frame_size)
        return;
    channel->frame_filled = 0;
    if (channel->stage == STAGE_ESTABLISHED)
        frame_read(channel, span_of(channel->frame, channel->frame_size), now);
    else
        handshake_read(channel, now);
}

void channel_input(struct channel *channel, struct span bytes, struct now now)
{
    struct cursor cursor = cursor_of(bytes);

    take_back(channel);
    if (handshake_late(channel, now))
        return;
    while (cursor.left > 0 && channel->stage != STAGE_SILENT && channel->stage < STAGE_CLOSING) {
        if (handshake_awaits_answer(channel))
            handshake_silence(channel, "more came before the first message was answered");
        else
            input_piece(channel, &cursor, now);
    }
}

bool channel_has_output(const struct channel *channel)
{
    if (channel->stage == STAGE_CLOSED)
        return false;
    return channel->handshake_output.size > 0 || channel->stage == STAGE_CLOSING ||
           (channel->stage == STAGE_ESTABLISHED &&
            (channel->ping_due || channel->pong_due || channel->keepalive_due ||
             queue_size(&channel->lane[URGENT].outgoing) > 0 || queue_size(&channel->lane[BULK].outgoing) > 0));
}

static void output_frame(struct channel *channel, struct buffer *out, struct now now)
{
    uint8_t *wire = buffer_extend(out, channel->frame_size);

    if (wire == NULL)
        return;
    if (!frame_write(channel, wire, now)) {
        out->size -= channel->frame_size;
        channel_end(channel, "the channel has used up its nonces", span_of(NULL, 0));
    } else if (channel->stage == STAGE_CLOSING) {
        channel_end(channel, channel->close_reason, span_of(NULL, 0));
    }
}

size_t channel_output(struct channel *channel, struct buffer *out, size_t max, struct now now)
{
    size_t before = out->size;

    if (handshake_late(channel, now))
        return 0;
    while (out->size - before < max && channel_has_output(channel) && !buffer_failed(out)) {
        if (channel->handshake_output.size > 0) {
            buffer_put_span(out, buffer_span(&channel->handshake_output));
            if (!buffer_failed(out))
                buffer_free(&channel->handshake_output);
        } else {
            output_frame(channel, out, now);
        }
    }
    return out->size - before;
}

static bool message_event(struct channel *channel, struct channel_event *event, bool urgent)
{
    struct lane *lane = &channel->lane[urgent];
    size_t unfinished = lane->incoming_unfinished > 0 ? SIZE_FIELD + lane->incoming_unfinished : 0;
    struct cursor cursor = cursor_of(queue_span(&lane->incoming));

    if (cursor.left == unfinished)
        return false;
    event->kind = CHANNEL_MESSAGE;
    event->message = cursor_span(&cursor, cursor_u32(&cursor));
    event->urgent = urgent;
    lane->handed_out = SIZE_FIELD + event->message.size;
    return true;
}

/* The order is the order things can happen in; a pong may overtake messages, which does no harm. */
bool channel_event(struct channel *channel, struct channel_event *event)
{
    take_back(channel);
    *event = (struct channel_event){.kind = CHANNEL_NOTHING};
    if (channel->offer_waits) {
        channel->offer_waits = false;
        *event = channel->offer;
    } else if (channel->established_waits) {
        channel->established_waits = false;
        event->kind = CHANNEL_ESTABLISHED;
    } else if (channel->pong_waits) {
        channel->pong_waits = false;
        event->kind = CHANNEL_PONG;
        event->round_trip_us = channel->round_trip_us;
    } else if (message_event(channel, event, true) || message_event(channel, event, false)) {
        return true;
    } else if (channel->closed_waits) {
        channel->closed_waits = false;
        event->kind = CHANNEL_CLOSED;
        event->reason = buffer_string(&channel->reason);
    }
    return event->kind != CHANNEL_NOTHING;
}

size_t channel_room(const struct channel *channel, bool urgent)
{
    size_t waiting = queue_size(&channel->lane[urgent].outgoing);

    return channel->stage == STAGE_ESTABLISHED && waiting < CHANNEL_QUEUE ? CHANNEL_QUEUE - waiting : 0;
}

int channel_send(struct channel *channel, struct span message, bool urgent)
{
    uint8_t *to = NULL;

    if (channel->stage != STAGE_ESTABLISHED || message.size == 0 || message.size > lane_message_max(urgent))
        return -1;
    to = queue_extend(&channel->lane[urgent].outgoing, SIZE_FIELD + message.size);
    if (to == NULL)
        return -1;
    put_u32_be(to, (uint32_t)message.size);
    memcpy(to + SIZE_FIELD, message.data, message.size);
    return 0;
}

void channel_ping(struct channel *channel, struct now now)
{
    (void)now;
    channel->ping_due = true;
}

/* Copies at most CLOSE_REASON_MAX bytes, not cutting a character in two. */
static void copy_reason(char out[static CLOSE_REASON_MAX + 1], const char *reason)
{
    size_t size = strlen(reason);

    if (size > CLOSE_REASON_MAX) {
        size = CLOSE_REASON_MAX;
        while (size > 0 && ((uint8_t)reason[size] & 0xc0) == 0x80)
            size--;
    }
    memcpy(out, reason, size);
    out[size] = 0;
}

void channel_close(struct channel *channel, const char *reason)
{
    if (channel->stage >= STAGE_CLOSING)
        return;
    copy_reason(channel->close_reason, reason);
    if (channel->stage == STAGE_ESTABLISHED) {
        channel->stage = STAGE_CLOSING;
    } else {
        channel_end(channel, channel->close_reason, span_of(NULL, 0));
    }
    for (size_t i = 0; i < LANES; i++) {
        queue_free(&channel->lane[i].incoming);
        queue_free(&channel->lane[i].outgoing);
        channel->lane[i] = (struct lane){0};
    }
    channel->pong_waits = false;
}

/* While something waits to be sent, its sending is the sign of life. */
struct monotonic channel_next(const struct channel *channel)
{
    if (channel->stage == STAGE_CLOSED)
        return NEVER;
    if (in_handshake(channel))
        return handshake_deadline(channel);
    if (channel_has_output(channel))
        return dead_deadline(channel);
    return monotonic_earlier(dead_deadline(channel), monotonic_after(channel->last_sent, channel->keepalive_us));
}

void channel_step(struct channel *channel, struct now now)
{
    char reason[64];

    if (channel->stage == STAGE_CLOSED || handshake_late(channel, now))
        return;
    if (channel->stage >= STAGE_ESTABLISHED && now.monotonic.us >= dead_deadline(channel).us) {
        (void)snprintf(reason, sizeof reason, "no sign of life for %llu s",
                       (unsigned long long)((dead_deadline(channel).us - channel->last_received.us) / SECOND_US));
        channel_end(channel, channel->stage == STAGE_CLOSING ? channel->close_reason : reason, span_of(NULL, 0));
    } else if (channel->stage == STAGE_ESTABLISHED &&
               now.monotonic.us >= monotonic_after(channel->last_sent, channel->keepalive_us).us) {
        channel->keepalive_due = true;
    }
}
