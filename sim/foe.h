/*
 * A member that lies. Its office is one like all others and has that party's keys; but what the office says to other
 * members, signs and seals passes through here before it leaves, and the foe says something else. All that it sends is
 * authentic, then: link, frames and signatures are a member's. The linker hands the office's calls to this file.
 *
 * The foe is the adversary of the oracle's promises: whatever one member does, the others keep, tell and receipt what
 * they say to each other, raise no alarm against each other, and none of them stops.
 */
#ifndef LIAISON_SIM_FOE_H
#define LIAISON_SIM_FOE_H

#include "record/head.h"
#include "trace.h"

enum trick {
    TRICK_WITHHOLD,   /* messages are left out */
    TRICK_STALL,      /* nothing is said for a while, on links that are up */
    TRICK_REPLAY,     /* messages of earlier, and of other links, once more */
    TRICK_FLOOD,      /* the same message, hundreds of times */
    TRICK_GARBLE,     /* bytes are changed in a message */
    TRICK_SIZES,      /* other numbers stand in it */
    TRICK_HEADS,      /* its own log's heads, signed over roots that no entries have */
    TRICK_RECEIPTS,   /* receipts, signed, for what it does not hold or nobody has */
    TRICK_CLAIMS,     /* entries that name what never was, as seen or answered */
    TRICK_COMMITMENT, /* sealed entries that commit to another key than theirs */
    TRICK_FORK,       /* two histories of its own log: some members are shown the one, some the other */
    TRICK_COUNT
};

struct foe;
/* `tricks`: bit i is trick i. There is one foe at a time, or none. */
struct foe *foe_new(unsigned party, unsigned parties, unsigned tricks, uint64_t seed, struct trace *trace);
void foe_free(struct foe *foe);
const char *trick_name(enum trick trick);
/* Who acts from now on. */
void foe_acting(unsigned party);
/* How often each trick was played. */
uint64_t foe_played(const struct foe *foe, enum trick trick);

/* A head is being signed: the foe learns the secret if it is its own. */
void foe_signs_head(const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE]);
void foe_signs_receipt(const uint8_t receipt_secret[static SIGN_SECRET_SIZE]);

#endif
