/*
 * What the four files of the channel share: its state, and which file does what.
 */
#ifndef LIAISON_LINK_CHANNEL_INTERNAL_H
#define LIAISON_LINK_CHANNEL_INTERNAL_H

#include "base/cursor.h"
#include "link/channel.h"
#include "link/queue.h"

#define INNER_SIZE (HANDSHAKE_FRAME - DH_SIZE - AEAD_TAG_SIZE - 1) /* the message within message 1 */
#define CLOSE_REASON_MAX 200
#define PING_SIZE 8
#define SIZE_FIELD 4 /* before each message in a queue */
#define KEEPALIVES_UNTIL_DEAD 3

enum stage {
    STAGE_FIRST,       /* responder: waits for message 1 */
    STAGE_OFFERED,     /* responder: message 1 is made for a line, the caller looks its member up */
    STAGE_IDENTIFIED,  /* responder: the member made message 1, the caller decides */
    STAGE_SECOND,      /* initiator: waits for message 2 */
    STAGE_THIRD,       /* responder: waits for message 3 */
    STAGE_SILENT,      /* something was wrong: discards everything until the deadline */
    STAGE_ESTABLISHED, /* frames pass */
    STAGE_CLOSING,     /* our reason waits to be sent */
    STAGE_CLOSED,
};

enum { BULK, URGENT, LANES };

/* Messages of one lane, each with its size (4 bytes) before it. The first outgoing one has lost its size and
 * `outgoing_left` says what is left of it; the last incoming one may be unfinished. */
struct lane {
    struct queue outgoing, incoming;
    size_t outgoing_left;
    size_t incoming_unfinished; /* bytes so far; 0: there is none */
    size_t handed_out;          /* bytes of `incoming` that the last event lent to the caller */
};

/* What of a channel is secret, in locked memory: an initiator's from the beginning, a responder's once its first
 * message is made with the courier key of a line, so that strangers have none. */
struct channel_keys {
    /* The handshake. Wiped when it is over, one way or the other. */
    struct noise_handshake handshake;
    struct channel_line line;  /* the one spoken of */
    uint8_t inner[INNER_SIZE]; /* responder, STAGE_OFFERED: what the member has to be identified by */
    /* Frames */
    struct noise_cipher send, receive;
};

struct channel {
    enum stage stage;
    struct channel_door *door; /* a responder's; NULL: an initiator */
    struct channel_keys *keys; /* NULL: there are none, or none any more */
    enum frame_class frame_class;
    uint64_t keepalive_us;
    struct monotonic opened, last_sent, last_received;

    uint8_t remote_link_key[DH_SIZE];
    struct buffer handshake_output; /* a message of ours that has not left */
    const char *silence;            /* what was wrong: for the reason at the deadline, never for the other side */

    /* What has come of the next message of the handshake, or frame, or the plain text of the one being read. */
    uint8_t *frame;
    size_t frame_size, frame_filled;

    struct lane lane[LANES];

    /* What the next frame has to say besides messages. */
    bool keepalive_due, ping_due, pong_due;
    uint8_t pong[PING_SIZE];             /* of the newest ping alone, so that a flood of pings costs nothing */
    uint64_t ping_newest, ping_answered; /* see frame.c */
    char close_reason[CLOSE_REASON_MAX + 1];

    /* What channel_event() has to say. */
    bool offer_waits, established_waits, pong_waits, closed_waits;
    struct channel_event offer;
    uint64_t round_trip_us;
    struct buffer reason;
};

static inline size_t lane_message_max(bool urgent)
{
    return urgent ? CHANNEL_URGENT_MAX : CHANNEL_MESSAGE_MAX;
}

static inline bool span_is_zero(struct span bytes)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < bytes.size; i++)
        seen |= bytes.data[i];
    return seen == 0;
}

static inline bool handshake_awaits_answer(const struct channel *channel)
{
    return channel->stage == STAGE_OFFERED || channel->stage == STAGE_IDENTIFIED;
}

size_t frame_size_of(enum frame_class frame_class);

/* channel.c */
/* Wipes and gives back the keys, if there are any. */
void channel_forget_keys(struct channel *channel);
/* Over; `ours` is our words, `theirs` the other's own or empty, shown behind them. Gives back all but
 * the complete messages: channel->frame is gone afterwards. */
void channel_end(struct channel *channel, const char *ours, struct span theirs);

/* door.c */
#define DOOR_NO_LINE SIZE_MAX
/* Zeroed locked memory; NULL if there is none. Given back by door_take_back(). */
struct channel_keys *door_lend(struct channel_door *door);
void door_take_back(struct channel_door *door, struct channel_keys *keys);
/* Which line's courier key opens a first message. Then its payload is appended to `payload`, and the keys hold the line
 * and the handshake that goes on, which has no ephemeral secret yet; else DOOR_NO_LINE, and the keys are to be wiped.
 */
size_t door_find_line(const struct channel_door *door, struct channel_keys *keys, struct span message,
                      struct buffer *payload);
/* Gives such a handshake a fresh ephemeral secret. */
void door_draw(const struct channel_door *door, struct noise_handshake *handshake);

/* handshake.c */
/* Starts the outer handshake on a line; `config` holds the keys of its owner's side. */
void handshake_start(struct noise_handshake *handshake, struct noise_config config, const struct channel_line *line);
/* Initiator: writes message 1. */
void handshake_begin(struct channel *channel, const struct channel_config *config, struct entropy *entropy);
/* One whole message of the handshake, in channel->frame. */
void handshake_read(struct channel *channel, struct now now);
/* Whatever was wrong: from now on nothing is said and nothing listened to. */
void handshake_silence(struct channel *channel, const char *why);

/* frame.c */
/* One whole frame from the wire, which may lie in channel->frame. */
void frame_read(struct channel *channel, struct span wire, struct now now);
/* Writes the next frame, frame_size bytes; false if there are no more nonces. */
bool frame_write(struct channel *channel, uint8_t *wire, struct now now);

#endif
