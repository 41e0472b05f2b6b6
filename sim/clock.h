/*
 * The two clocks of one machine, made of the world's true time: the monotonic one starts anew with the machine and runs
 * a little fast or slow; the wall clock is off by anything, and jumps. Times are microseconds.
 */
#ifndef LIAISON_SIM_CLOCK_H
#define LIAISON_SIM_CLOCK_H

#include "base/time.h"

struct clock {
    uint64_t started;  /* true time at which the machine started */
    int32_t drift;     /* parts in a million by which its second is short or long */
    int64_t wall_off;  /* of the wall clock from the truth */
    uint64_t wall_was; /* true time 0 in microseconds since 1970 */
};

struct now clock_read(const struct clock *clock, uint64_t time);
/* The first true time at which the monotonic clock shows at least this; UINT64_MAX for NEVER. */
uint64_t clock_when(const struct clock *clock, struct monotonic monotonic);

#endif
