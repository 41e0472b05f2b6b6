/*
 * The engine's own parts, shared by sync.c (what is known), input.c (what comes) and output.c (what goes).
 */
#ifndef LIAISON_SYNC_ENGINE_H
#define LIAISON_SYNC_ENGINE_H

#include "sync/sync.h"

#define RECENT_MAX 512 /* sizes whose roots are remembered */

/* A size of a log and its root, as passed lately. */
struct point {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

struct log {
    struct tree_frontier durable;
    struct tree_frontier staged;
    size_t staged_bytes; /* accepted and not durable */
    bool has_head;
    struct head head; /* the largest verified */
    uint64_t receipted[MEMBERS_MAX];
    struct point recent[RECENT_MAX]; /* a ring */
    unsigned recent_next;
    struct head awaited[SYNC_PENDING_MAX];
    unsigned awaited_count;
    /* of another's log: one's own newest receipt */
    bool has_receipt;
    struct point receipt_point;
    struct receipt receipt;
    bool mending; /* entry `mend` is broken here, and asked for */
    uint64_t mend;
    /* of another's log: whom it was asked of, since its author is out of reach */
    bool wanted;
    unsigned want_link;
    struct monotonic want_again;
};

/* Entries sent on a link and not yet known to be durable at its other end. */
struct flight {
    unsigned member;
    uint64_t end;
    size_t bytes;
};

struct peer {
    bool up;
    bool hello_sent;
    bool greeted;  /* its HELLO came */
    bool fetching; /* it asked for an entry, and the answer is being read */
    bool active;   /* of all links to that member, the one that one's own log goes out on */
    unsigned member;
    uint64_t have[MEMBERS_MAX]; /* durable there */
    uint64_t sent[MEMBERS_MAX];
    bool serving[MEMBERS_MAX]; /* it asked for this log */
    bool needing[MEMBERS_MAX]; /* SYNC_NEED is out */
    bool receipt_due[MEMBERS_MAX];
    bool have_due[MEMBERS_MAX];
    struct flight flight[SYNC_FLIGHTS_MAX]; /* a ring */
    unsigned flight_first, flight_count;
    size_t flight_bytes;
    struct lane {
        struct buffer queue; /* messages, each behind its length in four bytes */
        size_t at;
    } lane[2]; /* 1: urgent */
};

struct queued_event {
    struct sync_event event;
    struct queued_event *next;
};

struct sync {
    const struct charter *charter;
    unsigned me;
    struct log log[MEMBERS_MAX];
    struct peer peer[SYNC_LINKS_MAX];
    struct sync_chunk *cache_first, *cache_last; /* one's own newest entries */
    size_t cache_bytes;
    struct queued_event *event_first, *event_last;
    struct message *message; /* the one being read; large, so kept */
};

/* Queues an event; the engine gives up a link rather than an event when there is no memory: -1. */
int engine_event(struct sync *sync, const struct sync_event *event);
/* Remembers that the log has `root` at `size`. */
void engine_remember(struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE]);
/* Whether the log is known to have that root at that size; false also if it was forgotten. */
bool engine_has_root(const struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE]);
/* Verifies a head of a log, unless it is the newest one known. */
bool engine_verify_head(const struct sync *sync, unsigned member, const struct head *head);
void engine_note_head(struct log *log, const struct head *head);
/* Puts a message at the end of a lane of a link. */
void engine_enqueue(struct peer *peer, bool urgent, const struct buffer *message);
/* The other end of a link holds `size` entries of the log. */
void engine_peer_has(struct sync *sync, struct peer *peer, unsigned member, uint64_t size);
/* Asks the best link for logs whose authors are out of reach. */
void engine_want(struct sync *sync, struct monotonic now);
/* Chooses the active link of a member. */
void engine_choose_active(struct sync *sync, unsigned member);

#endif
