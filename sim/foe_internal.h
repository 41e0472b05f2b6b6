/*
 * What the files of the foe share:
 *   foe.c    which message is changed, and the seams
 *   lies.c   the changes of one message or entry
 *   fork.c   the second history
 */
#ifndef LIAISON_SIM_FOE_INTERNAL_H
#define LIAISON_SIM_FOE_INTERNAL_H

#include "foe.h"
#include "random.h"
#include "sync/engine.h"

#define FOE_KEPT 64      /* messages that may be replayed */
#define FOE_WAITING 512  /* messages to be sent besides */
#define FOE_LEAVES 16384 /* of its own log */

struct fork {
    bool shown[SYNC_LINKS_MAX]; /* of this link's member it is known that the second history is shown to it */
    uint64_t from;              /* the first entry that differs; UINT64_MAX: not yet */
    uint64_t known;             /* leaves below this are known */
    uint8_t leaf[FOE_LEAVES][HASH_SIZE];
};

struct foe {
    unsigned party, parties;
    unsigned tricks;
    struct random random;
    struct trace *trace;
    uint64_t played[TRICK_COUNT];
    bool signs, receipts; /* it knows these secrets */
    char origin[ORIGIN_SIZE];
    uint8_t log_secret[SIGN_SECRET_SIZE], receipt_secret[SIGN_SECRET_SIZE];
    uint64_t stalls_until; /* true time */
    struct buffer kept[FOE_KEPT];
    unsigned kept_next;
    struct {
        const struct sync *sync;
        unsigned link;
        bool urgent;
        struct buffer message;
    } waiting[FOE_WAITING]; /* a ring */
    unsigned waiting_first, waiting_count;
    struct message *message; /* the one looked at */
    struct fork fork;
};

/* Whether the trick is in the plan, and the moment is right: once in n times. It is counted as played. */
bool foe_plays(struct foe *foe, enum trick trick, uint64_t n);

/* lies.c: each may put another message in the place of this one. */
void lie_garble(struct foe *foe, struct buffer *message);
void lie_sizes(struct foe *foe, const struct sync *sync, struct buffer *message);
void lie_heads(struct foe *foe, const struct sync *sync, struct buffer *message);
void lie_receipts(struct foe *foe, const struct sync *sync, struct buffer *message);
void lie_claims(struct foe *foe, struct entry_header *header);
/* The sealed entry is [start, end) of `out`. */
void lie_commitment(struct foe *foe, struct buffer *out, size_t start, const uint8_t secret[static EPOCH_SECRET_SIZE],
                    const struct entry_place *place);

/* fork.c */
/* A message leaves for a link, or came from it; false if it is not to be seen. */
bool fork_output(struct foe *foe, const struct sync *sync, unsigned link, struct buffer *message);
bool fork_input(struct foe *foe, const struct sync *sync, unsigned link, const struct span *message,
                struct buffer *changed);

#endif
