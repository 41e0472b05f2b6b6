/*
 * What an office does that writes, as operations of which workloads are made, and where they begin.
 */
#ifndef LIAISON_SIM_WORKLOAD_H
#define LIAISON_SIM_WORKLOAD_H

#include "pair.h"

/* Filled by an operation's beginning. */
struct begun {
    uint64_t lives, time, entry;
    unsigned address, phase;
};

struct operation {
    const char *name;
    bool core; /* one of the few of which the longest workloads of every ./check are made */
    bool last; /* nothing comes after it */
    /* Whether it makes sense now. */
    bool (*fits)(const struct pair *pair);
    /* May be NULL. */
    void (*begin)(struct pair *pair, struct begun *begun);
    /* Called until it is done, whenever the victim runs and everything asked is answered; also after a crash, when
     * what was asked is forgotten. May be NULL. */
    void (*advance)(struct pair *pair, struct begun *begun);
    bool (*done)(const struct pair *pair, const struct begun *begun);
};

/* Ends with one without a name. */
extern const struct operation operations[];

/* Does it, whatever befalls the victim. */
void operation_perform(struct pair *pair, const struct operation *operation);

enum basis {
    BASIS_EMPTY,   /* there is no line */
    BASIS_OFFERED, /* the other one has founded it */
    BASIS_LINE,    /* both have it, linked both ways, and have talked */
    BASIS_LONG,    /* the same, and the database's log is about to be moved into the database */
    BASIS_COUNT
};
extern const char *const basis_names[BASIS_COUNT];
void basis_make(struct pair *pair, enum basis basis, enum control control, bool print_events);

/* The line goes on: it is met on if it was not, both say something, and all of it comes to be known to be held. */
void workload_finish(struct pair *pair);

#endif
