/*
 * The replication engine of one line: what have I, what has the other, what is most urgent. It knows nothing of
 * sockets, files or keys of one's own; messages go in and come out, and what must be written, read or signed is asked
 * of the office by events. It works over anything that carries messages in order; after a break both sides say
 * again what they have. spec/sync.md tells it from outside.
 *
 * Invariants:
 * 1. What is accepted of a log is a beginning of it: every chunk is proved against a head signed by its author.
 * 2. staged >= durable; an entry is offered to others only below durable.
 * 3. A receipt is sent only for a head whose root is the root of what is durable here at that size.
 * 4. Of every other log at most SYNC_STAGED_MAX bytes are accepted and not yet durable, their leaf hashes counted.
 * 5. A head that was verified and lies beyond what is held (awaited) must be met when the log reaches it.
 * 6. Of every other log no more is accepted than its quota allows (record/quota.h); what is beyond comes later.
 */
#ifndef LIAISON_SYNC_SYNC_H
#define LIAISON_SYNC_SYNC_H

#include "record/quota.h"
#include "sync/message.h"

#define SYNC_LINKS_MAX 64
#define SYNC_WINDOW (4u << 20)     /* bytes of entries sent on one link and not yet known to be durable there */
#define SYNC_FLIGHTS_MAX 256       /* the same, in messages */
#define SYNC_FIRST_MAX (16u << 10) /* bytes of entries in a message on a link that has carried less */
#define SYNC_STAGED_MAX (8u << 20)
#define SYNC_LANE_MAX (8u << 20) /* bytes of messages waiting on one lane of a link */
#define SYNC_CACHE (8u << 20)    /* bytes of memory for one's own newest entries at hand */
#define SYNC_PENDING_MAX 64      /* overtaking entries of one log beyond its gap */
#define SYNC_WANT_AGAIN_US (5 * SECOND_US)
#define SYNC_TURN_US (120 * SECOND_US) /* the longest turn of one who sends another's log, while others have it, too */
#define SYNC_RETRY_US SECOND_US /* after nothing could be read for a link */

/* A run of consecutive entries of one log. */
struct sync_chunk {
    unsigned member;
    uint64_t first;
    size_t count, room;
    struct buffer bytes;        /* the entries, one after the other */
    uint32_t *end;              /* [room]: where entry i ends in bytes */
    uint8_t (*leaf)[HASH_SIZE]; /* [room] */
    struct head head;           /* proves the chunk; head.size >= first + count */
    bool settle;                /* the author flagged that head */
    struct tree_frontier after; /* of the log up to the chunk's end */
    struct spent spent;         /* of its quota, with the chunk */
    struct sync_chunk *next;
};
/* A chunk with room for `count` entries, at least 1; NULL when there is no memory. */
struct sync_chunk *sync_chunk_new(unsigned member, uint64_t first, size_t count);
void sync_chunk_free(struct sync_chunk *chunk);
/* Adds the next entry, making room if need be; its leaf hash is computed. -1 when there is no memory. */
int sync_chunk_add(struct sync_chunk *chunk, struct span entry);
struct span sync_chunk_entry(const struct sync_chunk *chunk, size_t i);

struct sync;
/* `charter` must outlive the engine. */
struct sync *sync_new(const struct charter *charter, unsigned me);
void sync_free(struct sync *sync);
/* What is durable of a log at start, with the newest head known (NULL if none). */
void sync_load(struct sync *sync, unsigned member, const struct tree_frontier *frontier, const struct head *head);
/* The log must meet this root at this size, which was held before; nobody's signature is needed. Call before any link
 * is up. */
void sync_await(struct sync *sync, unsigned member, const struct head *head);
/* One's own log is not whole here: `head` is the highest that was signed. Until sync_resume() nothing is appended, and
 * the log is asked for and taken like another's: every entry is proved by heads that one signed oneself, and what does
 * not lead to `head` is refused. Call before any link is up. */
void sync_ask(struct sync *sync, const struct head *head);
/* While asking: entries of the log that follow what is staged, found elsewhere and proved by chunk->head. They come as
 * SYNC_ACCEPTED. Takes the chunk unless it returns -1: there is no memory. */
int sync_found(struct sync *sync, struct sync_chunk *chunk);
/* One's own log is whole and durable again. */
void sync_resume(struct sync *sync);
/* A receipt known at start: `by` holds `size` entries of the log. With by = me, it is kept for sending. */
void sync_load_receipt(struct sync *sync, unsigned member, uint64_t size, const uint8_t root[static HASH_SIZE],
                       const struct receipt *receipt);

/* What is used of a log's quota, with all that is durable, at start. */
void sync_load_spent(struct sync *sync, unsigned member, const struct spent *spent);

/* A link to a member came up or went down. `link` is a number below SYNC_LINKS_MAX that is free. */
void sync_link_up(struct sync *sync, unsigned link, unsigned member, struct now now);
void sync_link_down(struct sync *sync, unsigned link, struct now now);
/* A message from a link. -1: it violates the protocol, and the link is to be closed with the error's sentence. */
int sync_input(struct sync *sync, unsigned link, struct span message, struct now now, struct error *error);
/* Appends the next message for a lane of a link; false if there is none now. What is urgent (the greeting, receipts,
 * what overtakes) may go between the parts of what is not; each lane keeps its order. */
bool sync_output(struct sync *sync, unsigned link, bool urgent, struct buffer *message);

enum sync_event_kind {
    SYNC_ACCEPTED,  /* chunk: store it, then call sync_stored(); the receiver frees it */
    SYNC_SETTLE,    /* member, head: flagged by its author, and its root is ours */
    SYNC_RECEIPT,   /* member, head (size and root), receipt: verified */
    SYNC_PENDING,   /* member, first, chunk (one entry), head: an entry beyond the gap; store, then show; frees it */
    SYNC_NEED,      /* link, member, first, most (bytes, or one entry): answer with sync_serve() */
    SYNC_OVERTAKE,  /* link, member, first, base: answer with sync_overtake(); base 0: the other asked for it */
    SYNC_MENDED,    /* member, first, chunk (one entry): what sync_mend() asked for, proved; frees it */
    SYNC_OWN_AHEAD, /* member: shows `head`, signed by ourselves, that our log does not have */
    SYNC_CHOKED,    /* link: its other end takes nothing of what waits for it; close it */
    SYNC_DELAYED,   /* member: more of its log came than its quota allows, and the rest comes later (first = 1); or all
                       that is known of has come (first = 0) */
    SYNC_ALARM,     /* author, member: of the author's log two things cannot both be true. They are one: the author
                       signed both, and `reason` says how; else the author did, or what the member passes on is false */
};
struct sync_event {
    enum sync_event_kind kind;
    unsigned link;
    unsigned member;
    unsigned author; /* SYNC_ALARM */
    uint64_t first;
    uint64_t base;
    size_t most; /* SYNC_NEED */
    struct sync_chunk *chunk;
    struct head head;
    struct receipt receipt;
    const char *reason; /* a constant */
};
bool sync_event(struct sync *sync, struct sync_event *event);

/* Two heads of a log that its author signed and that cannot both be true: what record/evidence.h makes evidence of. */
struct sync_fork {
    struct head one;
    struct head other;       /* larger, or of the same size. Of size 0: any head of what is held, at or beyond `one` */
    uint8_t root[HASH_SIZE]; /* if `other` is larger: what its first one.size entries come to, */
    struct tree_proof path;  /* and the proof of that */
};
/* NULL where there are none; they may be there before SYNC_ALARM, and stay. */
const struct sync_fork *sync_fork(const struct sync *sync, unsigned member);

/* One's own log grew: `chunk` is durable and its head (exactly at its end) signed. Takes the chunk. `urgent` is the
 * index of a flash entry in it, or UINT64_MAX. */
void sync_append(struct sync *sync, struct sync_chunk *chunk, uint64_t urgent);
/* One's own newest head was flagged. */
void sync_settle(struct sync *sync, const struct head *head);
/* An accepted chunk is durable, and all before it. */
void sync_stored(struct sync *sync, const struct sync_chunk *chunk);
/* Accepted chunks could not be stored and were dropped: back to what is durable. All links must be down. */
void sync_forget_staged(struct sync *sync);
/* One's own receipt for another's log, durable and signed: tell the author, and if `settle` everybody. */
void sync_receipt(struct sync *sync, unsigned member, const struct head *head, const struct receipt *receipt,
                  bool settle);
/* Tells every other member about a receipt or settle head of a third party that was stored. */
void sync_forward_settle(struct sync *sync, unsigned member, const struct head *head, unsigned except_link);
/* The same for a receipt on a settle head; also one's own, if it is for that size. */
void sync_forward_receipt(struct sync *sync, unsigned member, const struct head *head, const struct receipt *receipt,
                          unsigned except_link);
void sync_forward_own_receipt(struct sync *sync, unsigned member, uint64_t size);
/* Answers SYNC_NEED: entries from the durable log, with the proof from their end to chunk->head. Takes the chunk, which
 * may be NULL: nothing could be read, and is asked for again SYNC_RETRY_US later. What is more than was asked for is
 * dropped, and asked for anew. */
void sync_serve(struct sync *sync, unsigned link, unsigned member, struct sync_chunk *chunk,
                const struct tree_proof *proof);
/* Answers SYNC_OVERTAKE with one or two whole messages (message_put_overtake), the epoch entry's first. */
void sync_overtake(struct sync *sync, unsigned link, struct span message);

/* An entry is broken on the disk: asks every link for it. The answer comes as SYNC_MENDED, perhaps never. */
void sync_mend(struct sync *sync, unsigned member, uint64_t index);

/* When to call sync_step() at the latest. */
struct monotonic sync_next(const struct sync *sync);
void sync_step(struct sync *sync, struct now now);

/* Facts for people. */
uint64_t sync_durable(const struct sync *sync, unsigned member);
/* How much of `member`'s log `by` has receipted. */
uint64_t sync_receipted(const struct sync *sync, unsigned member, unsigned by);
/* What is used of the quota of another's log, with all that is accepted; whether more of it has to wait for that. */
const struct spent *sync_spent(const struct sync *sync, unsigned member);
bool sync_is_delayed(const struct sync *sync, unsigned member);
/* How much of one's own log was handed to any link. */
uint64_t sync_carried(const struct sync *sync);
/* The frontier of what is accepted of a log, durable or not. */
const struct tree_frontier *sync_staged(const struct sync *sync, unsigned member);
const struct tree_frontier *sync_frontier(const struct sync *sync, unsigned member);
/* The newest head known of a log; NULL if none. */
const struct head *sync_head(const struct sync *sync, unsigned member);

#endif
