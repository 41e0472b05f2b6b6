/*
 * The fold: after entries are durable and receipted they are opened, ordered and told, a slice at a time. What it
 * writes is a cache; it never delays a receipt. Its parts:
 *   lookup.c  on the store's thread: slices of the logs, and all that opening and ordering them needs
 *   fold.c    merges the slices and takes one entry after the other
 *   order.c   the depth of an entry; what waits, and what is ordered again
 *   unseal.c  what an entry means to this office
 */
#ifndef LIAISON_OFFICE_FOLD_H
#define LIAISON_OFFICE_FOLD_H

#include "office/engine.h"

/* One entry of `seen` or `re`, looked up on the store's thread. */
struct claim {
    bool is_reference; /* of `re` */
    unsigned member;
    uint64_t index; /* the entry it rests on: the last of a seen size, or the one named */
    bool held;
    bool true_; /* the root or leaf is the one here */
    bool folded;
    uint64_t depth;
};

struct fold_entry {
    unsigned member;
    uint64_t index;
    uint64_t received;
    size_t first_claim, claim_count;
    uint64_t true_references; /* lookup_true_references() */
    struct span bytes;        /* in the memory of the slice */
    struct span leaf;
    size_t secret_at;   /* sealed secret in `secrets`: of an epoch entry the prekey, of a sealed one the epoch's */
    size_t secret_size; /* 0: none */
    bool opened_before; /* of an epoch entry: its secret is in the store already */
};

/* A run of one log, from where its fold stands. */
struct fold_slice {
    unsigned member;
    uint64_t from;
    struct store_result rows;
    size_t count, next; /* entries; the first that is not taken yet */
    struct fold_entry *entry;
};

struct fold_job {
    struct office_job job;
    struct line *line;
    bool overtaken; /* one entry came before its turn, and is `given` */
    struct buffer given;
    uint64_t durable[MEMBERS_MAX];
    struct buffer claims; /* of struct claim */
    size_t looked_up;     /* of `seen` and `re`, also what is no claim */
    struct buffer secrets;
    size_t slice_count;
    struct fold_slice slice[];
};

/* The job's run(): reads the slices' entries, unless they were given, and all that opening and ordering them needs. */
int fold_look_up(struct office_job *job, struct store *store);
/* The wrap for a member; NULL if there is none. */
const struct wrap *fold_wrap_for(const struct epoch *epoch, unsigned member);
/* What an entry means to this office. Returns its kind, an enum fold_kind. */
int fold_take_entry(struct office *office, struct fold_job *fold, const struct fold_entry *found,
                    const struct entry *entry);

/* The entry's depth: true. False if it is not its turn: it rests on one that is not folded, or not here yet. */
bool order_depth(struct office *office, struct fold_job *fold, const struct fold_entry *found, unsigned precedence,
                 uint64_t *depth);
/* The entry was folded at that depth. */
void order_take(struct line *line, const struct fold_entry *found, uint64_t depth);
/* Whether a member's next entry waits for one that is not here, and what it waits for may still come. */
bool order_waits(const struct office *office, const struct line *line, unsigned member);
/* Whether a member's next entry may be taken now, if it is here. */
bool order_may_go_on(const struct office *office, const struct line *line, unsigned member);
/* Sets the fold back to where entries were ordered without one that is here by now. */
void order_again(struct office *office, struct line *line);

#endif
