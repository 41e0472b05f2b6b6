/*
 * A slice of the fold: what the store's thread looks up (lookup.c), and what is then made of it (fold.c).
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

/* Per entry of the slice. */
struct slice_entry {
    uint64_t index;
    uint64_t received;
    size_t first_claim;
    struct span bytes; /* in the result's memory */
    struct span leaf;
    size_t secret_at;   /* sealed secret in `secrets`: of an epoch entry the prekey, of a sealed one the epoch's */
    size_t secret_size; /* 0: none */
    bool opened_before; /* of an epoch entry: its secret is in the store already */
};

struct fold_job {
    struct office_job job;
    struct line *line;
    unsigned member;
    bool overtaken; /* the entries came before their turn */
    uint64_t from;
    uint64_t durable[MEMBERS_MAX];
    struct store_result rows;
    struct buffer given; /* overtaken: the entries' bytes */
    size_t count;
    struct slice_entry entry[FOLD_ROWS];
    struct buffer claims; /* of struct claim */
    struct buffer secrets;
};

/* The job's run(): reads the slice's entries, unless they were given, and all that opening and ordering them needs. */
int fold_look_up(struct office_job *job, struct store *store);
/* The wrap for a member; NULL if there is none. */
const struct wrap *fold_wrap_for(const struct epoch *epoch, unsigned member);

#endif
