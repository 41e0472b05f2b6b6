/*
 * The engine's own parts, shared by sync.c (what is known), input.c (what comes) and output.c (what goes).
 */
#ifndef LIAISON_SYNC_ENGINE_H
#define LIAISON_SYNC_ENGINE_H

#include "sync/sync.h"

#define RECENT_MAX 512         /* sizes whose roots are remembered */
#define AWAITED_OWN_MAX 32     /* heads beyond what is held: what an author shows of its own log, */
#define AWAITED_SHOWN_MAX 64   /* with what others show of it, */
#define AWAITED_MAX 128        /* and with those of what overtook */
#define STAGED_CHUNKS_MAX 1024 /* accepted and not durable, of one log */
#define RECEIPTS_KNOWN 8       /* sizes of the last receipts by one member, so that none goes round in circles */
#define NO_LOG MEMBERS_MAX
#define WANT_END TREE_SIZE_MAX /* WANT from here on: no more of this log */

/* A size of a log and its root, as passed lately. */
struct point {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

/* What one member said of one log. */
struct receipts {
    bool has_newest;
    struct point point;
    struct receipt newest;
    bool has_early; /* on a head beyond what is held */
    struct point early_point;
    struct receipt early;
    uint64_t known[RECEIPTS_KNOWN]; /* a ring of sizes */
    unsigned known_next;
};

struct log {
    struct tree_frontier durable;
    struct tree_frontier staged;
    size_t staged_bytes; /* accepted and not durable, with their leaf hashes */
    size_t staged_chunks;
    bool has_head;
    struct head head; /* the largest verified */
    bool has_settle;
    struct head settle; /* the newest flagged one that is held */
    bool forked;        /* its author signed what cannot be true; said once */
    bool has_fork;      /* two heads show it: the first two, */
    struct sync_fork fork;
    bool fork_told; /* said since */
    uint64_t receipted[MEMBERS_MAX];
    struct receipts receipts[MEMBERS_MAX];
    struct point recent[RECENT_MAX]; /* a ring */
    unsigned recent_next;
    struct head awaited[AWAITED_MAX]; /* beyond what is durable */
    unsigned awaited_count;
    uint64_t pending[SYNC_PENDING_MAX]; /* which entries overtook */
    unsigned pending_count;
    bool mending; /* entry `mend` is broken here, and asked for */
    uint64_t mend;
    struct spent spent;         /* of its quota, with all that is accepted */
    struct spent spent_durable; /* as far as it is durable */
    bool delayed;               /* what came last does not fit into it: */
    struct amount put_off;      /* so much, */
    struct monotonic delayed_until;
    bool told_delayed;
    /* of another's log, while somebody has more of it: whose turn it is to send it, and since which size */
    bool wanted;
    unsigned want_link;
    uint64_t want_size;
    struct monotonic want_again; /* when the next one's turn comes, if nothing does, */
    struct monotonic turn_over;  /* and at the latest */
};

/* Entries sent on a link and not yet known to be durable at its other end. */
struct flight {
    unsigned member;
    uint64_t end;
    size_t bytes;
};

struct peer {
    bool up;
    bool choked, choked_told;  /* a lane of it is full */
    uint64_t gap[MEMBERS_MAX]; /* it sent beyond a gap, and was asked for the entry after this many; 0: not yet */
    bool hello_sent;
    bool greeted;  /* its HELLO came */
    bool fetching; /* it asked for an entry, and the answer is being read */
    bool active;   /* of all links to that member, the one that one's own log goes out on */
    unsigned member;
    uint64_t have[MEMBERS_MAX]; /* durable there */
    uint64_t sent[MEMBERS_MAX];
    bool serving[MEMBERS_MAX];         /* it asked for this log */
    bool needing[MEMBERS_MAX];         /* SYNC_NEED is out */
    bool barren[MEMBERS_MAX];          /* nothing could be read for it: not asked again before `retry` */
    bool asked[MEMBERS_MAX];           /* for this log, by WANT */
    bool stopped[MEMBERS_MAX];         /* it was told to send no more of this log while that is delayed */
    bool refused[MEMBERS_MAX];         /* what it sends of this log cannot be proved */
    uint16_t receipt_due[MEMBERS_MAX]; /* of each log, a bit for each member whose newest receipt is to be sent */
    bool have_due[MEMBERS_MAX];
    const struct sync_chunk *cached;        /* the one of the cache that was sent last, where the next is looked for */
    struct flight flight[SYNC_FLIGHTS_MAX]; /* a ring */
    unsigned flight_first, flight_count;
    size_t flight_bytes;
    uint64_t landed; /* bytes of entries that were in flight and are durable at the other end */
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
    unsigned own; /* the log that is written here: `me`, or NO_LOG while it is asked for: then all are others' */
    struct monotonic clock; /* of the last call that came with the time */
    struct monotonic retry; /* when what is barren is asked for again; 0: nothing is */
    struct log log[MEMBERS_MAX];
    struct peer peer[SYNC_LINKS_MAX];
    struct sync_chunk *cache_first, *cache_last; /* one's own newest entries */
    size_t cache_bytes;
    uint64_t carried;                  /* how much of one's own log was handed to any link */
    uint64_t urgent[SYNC_PENDING_MAX]; /* a ring of the indices of one's own newest flashes */
    unsigned urgent_count;             /* ever */
    struct queued_event *event_first, *event_last;
    struct message *message; /* the one being read; large, so kept */
};

/* What a chunk takes of SYNC_STAGED_MAX. Of entries that are well-formed a window never takes more. */
static inline size_t engine_staged_size(const struct sync_chunk *chunk)
{
    return chunk->bytes.size + chunk->count * HASH_SIZE;
}

/* Bytes of entries in one message on a link, unless it has one entry only: no more than all that arrived before it.
 * What is on its way when a link is cut is lost; so at least half of what a link carries arrives, however short it
 * lives. */
static inline size_t engine_message_most(const struct peer *peer)
{
    if (peer->landed >= ENTRIES_BYTES_MAX)
        return ENTRIES_BYTES_MAX;
    return peer->landed > SYNC_FIRST_MAX ? (size_t)peer->landed : SYNC_FIRST_MAX;
}

/* Whether what a link lacks of a chunk, after its first `skip` entries, may go in one message. */
static inline bool engine_fits(const struct peer *peer, const struct sync_chunk *chunk, size_t skip)
{
    size_t start = skip == 0 ? 0 : chunk->end[skip - 1];

    return chunk->count - skip == 1 || chunk->bytes.size - start <= engine_message_most(peer);
}

/* Queues an event; the engine gives up a link rather than an event when there is no memory: -1. */
int engine_event(struct sync *sync, const struct sync_event *event);
/* The event's chunk follows what is staged of its log: it is staged, and the event queued. -1: there is no memory. */
int engine_stage(struct sync *sync, const struct sync_event *event);
/* Puts a message at the end of a lane of a link. */
void engine_enqueue(struct peer *peer, bool urgent, const struct buffer *message);
/* The other end of a link holds `size` entries of the log. */
void engine_peer_has(struct sync *sync, struct peer *peer, unsigned member, uint64_t size);
/* Chooses the active link of a member. */
void engine_choose_active(struct sync *sync, unsigned member);
/* Tells a link the newest settle head of a log, unless it is the other's own, or goes with entries not yet sent. */
void engine_say_settle(struct sync *sync, struct peer *peer, unsigned member);
/* Asks by SYNC_OVERTAKE for the flashes among [from, end of one's own log) that do not go out on the link at once. */
void engine_ask_overtakes(struct sync *sync, unsigned link, uint64_t from);
/* The cached chunk that holds the next entry of one's own log for a link; NULL if it is not at hand, or if what the
 * link lacks of it is too large for one message. */
const struct sync_chunk *engine_cached(const struct sync *sync, const struct peer *peer);

/* --- heads.c --- */

/* Remembers that the log has `root` at `size`. */
void engine_remember(struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE]);
/* The root at that size; false if it was forgotten, or is beyond what is accepted. */
bool engine_known_root(const struct log *log, uint64_t size, uint8_t root[static HASH_SIZE]);
/* Whether the log is known to have that root at that size; false also if it was forgotten. */
bool engine_has_root(const struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE]);
/* A head of a log comes from a link. -1: its author did not sign it. *forked: it cannot be true beside what is known;
 * then there is SYNC_ALARM. */
int engine_check_head(struct sync *sync, unsigned link, unsigned member, const struct head *head, bool *forked,
                      struct error *error);
/* The same; unless it is forked it is noted, and awaited where it is beyond what is held and fewer than `most` are. */
int engine_take_head(struct sync *sync, unsigned link, unsigned member, const struct head *head, unsigned most,
                     bool *forked, struct error *error);
void engine_note_head(struct log *log, const struct head *head);
void engine_await(struct log *log, const struct head *head, unsigned most);
/* Whether the log may have this frontier: false if a head was shown before that has another root at its size. */
bool engine_meets_awaited(const struct log *log, const struct tree_frontier *frontier);
void engine_drop_awaited(struct log *log);
/* The author signed two histories. */
int engine_alarm(struct sync *sync, unsigned member, const struct head *head, const char *reason);

/* --- fork.c --- */

/* A head, true as it is, contradicts what is known of its log. Keeps both, unless two are kept. */
void engine_fork_of_head(struct log *log, const struct head *head);
/* A chunk that its head proves by `proof`, and that follows what is staged, passes an awaited head with another root.
 * Keeps both heads and the path from the awaited one to the chunk's, unless two are kept. */
void engine_fork_in_chunk(struct log *log, const struct sync_chunk *chunk, const struct tree_proof *proof);

/* --- receipts.c --- */

int engine_take_receipt(struct sync *sync, unsigned link, const struct message *message, struct error *error);
/* The log grew: receipts that came early may be of a head that is held now. */
int engine_early_receipts(struct sync *sync, unsigned member, struct error *error);
/* Others' receipts that came for a head before its author flagged it. */
void engine_forward_receipts(struct sync *sync, unsigned member, const struct head *head, unsigned except_link);
/* Everything known of all logs is due on a link. */
void engine_all_receipts(struct sync *sync, struct peer *peer);

/* --- want.c --- */

/* Asks for logs whose authors are out of reach, or silent, those who have more of them: one after the other. */
void engine_want(struct sync *sync, struct monotonic now);
/* The log's author is there: it need not come from others any more. */
void engine_end_wants(struct sync *sync, unsigned member);
/* What a third member sends of the log cannot be proved: it is not asked again. */
void engine_refuse(struct peer *peer, unsigned member);
void engine_take_want(struct sync *sync, struct peer *peer, unsigned member, uint64_t from);
/* Says WANT on a link, whatever else is known of it; or that no more of the log is wanted. */
void engine_ask(struct peer *peer, unsigned member, uint64_t from);
void engine_end_want(struct peer *peer, unsigned member);

/* --- delay.c --- */

/* Counts a chunk, which is proved and comes next, towards its log's quota; where it does not fit the log is delayed
 * from now on, and the chunk is void. -1: no memory. */
int engine_spend(struct sync *sync, const struct sync_chunk *chunk, struct now now, struct error *error);
/* Who sends of a delayed log is told to stop. */
void engine_put_off(struct peer *peer, unsigned member);
struct monotonic engine_next_delayed(const struct sync *sync);
/* What had to wait long enough is asked for again. */
void engine_step_delayed(struct sync *sync, struct now now);

#endif
