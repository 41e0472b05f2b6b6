/*
 * A world: a few parties on one line, what they say to each other, and what befalls them; all of it from one number.
 *
 * The seed draws a pace, from seconds to years, and a mix of faults, most of them absent in most worlds. Two phases:
 * *safety*, in which faults fall and nothing may be wrong; then *liveness*, in which they stop, every office starts
 * again, and everything that was handed in must be recorded, delivered and receipted everywhere. An office that a fault
 * beyond the model (disk.h) has stopped may stay stopped, with a reason; the others must still come to an end.
 *
 * What befalls is numbered, from 1, and what is said is a kind of it. What each does is drawn from its own number, so
 * that a world goes on much the same if some of them are left out: the way to the few that matter.
 */
#ifndef LIAISON_SIM_WORLD_H
#define LIAISON_SIM_WORLD_H

#include "party.h"

#define BEFALLEN_MAX 8192 /* none beyond */

struct world_orders {
    uint64_t seed;
    enum control control;
    bool print_events;
    bool only; /* nothing befalls but the numbers in `number`, which rise */
    const uint64_t *number;
    size_t count;
};

struct world_befallen {
    uint64_t number, time_us;
    const char *what;
};

struct world_result {
    char plan[700];    /* what the seed drew */
    char verdict[400]; /* "" if nothing is wrong */
    const char *wrong; /* the form of the verdict, NULL if nothing is wrong: oracle_wrong() */
    char stopped[400]; /* why an office stays stopped, if one does */
    uint64_t digest, events;
    uint64_t time_us;
    uint64_t link_us; /* the time of each pair of parties, together */
    bool real;        /* its cryptography */
    uint64_t parties, texts, entries, heads, receipts;
    uint64_t power_cuts, kills, cuts, blocks, partitions, jumps, beyond;
    uint64_t syncs, syncs_failed, calls_failed, refused;
    size_t befallen_count;
    struct world_befallen befallen[BEFALLEN_MAX];
};

/* Runs one world to its end. */
void world_run(const struct world_orders *orders, struct world_result *result);

#endif
