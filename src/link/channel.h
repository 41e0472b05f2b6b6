/*
 * The channel engine: a sealed, framed conversation over any stream of bytes. It knows no sockets and no
 * clock: bytes go in and come out, time is an argument. spec/link.md has the bytes.
 *
 * Handshake: Noise_XKpsk0_25519_ChaChaPoly_SHA256, each message exactly HANDSHAKE_FRAME bytes.
 *   prologue  = LABEL_LINK | line id
 *   psk       = courier_subkey(LABEL_COURIER_LINK)
 *   message 1 payload: member number (1 byte), then one message of Noise_Kpsk0_25519_ChaChaPoly_SHA256, the inner
 *     message, from that member's link key to the responder's under the same psk:
 *     prologue = LABEL_LINK_FIRST | line id | member number | message 1's ephemeral key
 *     payload: frame class (1), counter (8, big-endian), zeros
 *   messages 2 and 3 payload: zeros
 * Afterwards each direction is a sequence of frames of one size, each one Noise transport message. A frame's
 * plain text is chunks, each: type (1), length (2, big-endian), data; a chunk of type 0, or fewer than three
 * bytes, ends the frame, and what follows must be zero. Types: 1 a part of a bulk message with more to follow,
 * 2 its last part, 3 ping (8 bytes), 4 pong (the same 8), 5 close (a reason, UTF-8, at most 200 bytes), 6 a part
 * of an urgent message with more to follow, 7 its last part.
 * Both directions rekey after every CHANNEL_REKEY frames.
 *
 * Two lanes, so that no urgent message waits for a bulk one: in each frame the urgent lane takes what it needs,
 * and the bulk lane what is left, in the middle of a message if need be. Bulk waits as long as urgent messages
 * come: their sender sees to it that they are few.
 *
 * Invariants:
 * 1. A responder sends nothing before message 1 has proved a line's courier key, the link secret of the member that it
 *    names, and a fresh counter. No counter is told before that member is proved.
 * 2. Whatever fails before the handshake is done is silence: the channel reads on and discards, sends nothing,
 *    and closes CHANNEL_HANDSHAKE_US after it was opened, whatever came.
 * 3. A message handed out was sent by the member the channel is established with, in the lane it is handed out
 *    in, whole, once, and in its lane's order. Between the lanes there is no order.
 * 4. Memory is bounded: in each lane at most one unfinished incoming message of the lane's maximum, and as much
 *    outgoing as channel_room() allowed plus one message; besides, what one channel_input() completed, until
 *    channel_event() has handed it out: take all events before the next input.
 * 5. An urgent message leaves with the next frame written after channel_send(), behind earlier urgent ones alone.
 */
#ifndef LIAISON_LINK_CHANNEL_H
#define LIAISON_LINK_CHANNEL_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/time.h"
#include "seal/noise.h"
#include "seal/secret.h"

#define HANDSHAKE_FRAME 256
#define CHANNEL_MESSAGE_MAX 1114112 /* bytes of one bulk message: 1 MiB of entries and 64 KiB around them */
#define CHANNEL_URGENT_MAX 131072   /* bytes of one urgent message */
#define CHANNEL_QUEUE 131072        /* bytes of messages queued in a lane before its channel_room() is 0 */
#define CHANNEL_REKEY 65536         /* frames under one key */
#define CHANNEL_HANDSHAKE_US (10 * SECOND_US)
#define CHANNEL_LINES_MAX 64 /* lines tried on one first message */

enum frame_class { FRAME_256, FRAME_1024, FRAME_16384 };

/* One line that may be spoken of over this channel. */
struct channel_line {
    uint8_t line_id[HASH_SIZE];
    uint8_t psk[32];
};

/* What an initiator is given. */
struct channel_config {
    const uint8_t *link_secret; /* 32 bytes, one's own */
    uint64_t keepalive_us;      /* silence after which a ping is sent; three of them, and the other is dead */
    const struct channel_line *line;
    const uint8_t *remote_link_key; /* 32 bytes, from the member's card */
    uint8_t member;                 /* one's own number on that line */
    uint64_t counter;               /* above every counter used towards this member before */
    enum frame_class frame_class;
};

/* What the responders of one office share: its link secret, the lines that may be spoken of, and locked memory in which
 * first messages are tried, one at a time. Opaque; holds keys, is wiped when freed. */
struct channel_door;
/* Copies the secret; `entropy` is drawn from whenever a member is answered, so it outlives the door. NULL when there is
 * no memory. There are no lines at first. */
struct channel_door *channel_door_new(const uint8_t link_secret[static DH_SIZE], struct entropy *entropy);
/* After all its channels. */
void channel_door_free(struct channel_door *door);
/* From now on first messages may speak of these lines, at most CHANNEL_LINES_MAX; copied. */
void channel_door_set_lines(struct channel_door *door, const struct channel_line *lines, size_t count);

struct channel; /* opaque; holds keys, is wiped when freed */

/* An initiator. Copies what it needs of the config. NULL when there is no memory. */
struct channel *channel_new(const struct channel_config *config, struct entropy *entropy, struct now now);
/* A responder. It costs a little plain memory, and locked memory and keys of its own only while its first message is
 * made with the courier key of a line. NULL when there is no memory. */
struct channel *channel_answer(struct channel_door *door, uint64_t keepalive_us, struct now now);
void channel_free(struct channel *channel);

/* Bytes from the wire, any number of them. Never fails: what is wrong shows as CHANNEL_CLOSED. */
void channel_input(struct channel *channel, struct span bytes, struct now now);
/* Appends up to about `max` bytes (whole frames) for the wire to `out`. Returns how many were appended. */
size_t channel_output(struct channel *channel, struct buffer *out, size_t max, struct now now);

enum channel_event_kind {
    CHANNEL_NOTHING,
    CHANNEL_OFFER,       /* responder: message 1 is made for a line and names a member, unproved: channel_identify() */
    CHANNEL_ESTABLISHED, /* the other is proved to be who it says; messages may pass */
    CHANNEL_MESSAGE,     /* one message; those of the urgent lane first */
    CHANNEL_PONG,        /* the answer to channel_ping() */
    CHANNEL_CLOSED,      /* over; `reason` says why; nothing more will come */
};
struct channel_event {
    enum channel_event_kind kind;
    size_t line;            /* OFFER: which of the door's, as they are now */
    uint8_t member;         /* OFFER: the member number it claims */
    struct span message;    /* MESSAGE: valid until the next call on this channel */
    bool urgent;            /* MESSAGE: its lane */
    uint64_t round_trip_us; /* PONG */
    const char *reason;     /* CLOSED: a sentence; valid as long as the channel. Text of the other side's is
                               shown harmless (text_put_shown) and marked as its own */
};
/* The next thing that happened; false if nothing more. */
bool channel_event(struct channel *channel, struct channel_event *event);

/* Whether the member that the OFFER names made it; `remote_link_key` is that member's, from its card, and message 3
 * has to prove it once more, with fresh keys. If so, `counter` is the counter that the member gave, to be answered by
 * channel_accept() or channel_refuse(). If not, the channel has fallen silent, and `counter` means nothing. False, too,
 * where there is no OFFER to be identified. */
bool channel_identify(struct channel *channel, const uint8_t remote_link_key[static DH_SIZE], uint64_t *counter);
/* Answers the member that was identified. Call after the counter is durable. */
void channel_accept(struct channel *channel, struct now now);
/* Treats the OFFER as silence, identified or not: an unknown member, or a counter seen before. */
void channel_refuse(struct channel *channel);

/* How many bytes of messages may be queued in that lane now; 0 before ESTABLISHED. */
size_t channel_room(const struct channel *channel, bool urgent);
/* Queues one message of 1 to CHANNEL_MESSAGE_MAX bytes, an urgent one of 1 to CHANNEL_URGENT_MAX; copied. -1 if
 * it is of another size, the channel is not established, or there is no memory. */
int channel_send(struct channel *channel, struct span message, bool urgent);
/* Sends a ping now; its answer comes as CHANNEL_PONG. */
void channel_ping(struct channel *channel, struct now now);
/* Tells the other why (at most 200 bytes) if established, and closes once that is sent. */
void channel_close(struct channel *channel, const char *reason);

/* When to call channel_step() at the latest; NEVER once closed. */
struct monotonic channel_next(const struct channel *channel);
void channel_step(struct channel *channel, struct now now);
/* Whether channel_output() has something to give. */
bool channel_has_output(const struct channel *channel);

#endif
