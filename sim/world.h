/*
 * A world: a few parties on one line, what they say to each other, and what befalls them; all of it from one number.
 *
 * The seed draws a mix of faults, most of them absent in most worlds. Two phases: *safety*, in which faults fall and
 * nothing may be wrong; then *liveness*, in which they stop, every office starts again, and everything that was handed
 * in must be recorded, delivered and receipted everywhere. An office that a fault beyond the model has stopped (disk.h)
 * may stay stopped, with a reason; the others must still come to an end.
 */
#ifndef LIAISON_SIM_WORLD_H
#define LIAISON_SIM_WORLD_H

#include "party.h"

struct world_result {
    char plan[600];    /* what the seed drew */
    char verdict[400]; /* "" if nothing is wrong */
    char stopped[400]; /* why an office stays stopped, if one does */
    uint64_t digest, events;
    uint64_t time_us;
    uint64_t parties, texts, entries, heads, receipts;
    uint64_t power_cuts, kills, cuts, blocks, jumps, beyond;
    uint64_t syncs, syncs_failed, calls_failed, refused;
};

/* Runs one world to its end. */
void world_run(uint64_t seed, enum control control, bool print_events, struct world_result *result);

#endif
