/*
 * Two times that cannot be mixed up. Monotonic time drives timers; the wall clock is only ever
 * written down and shown as its owner's, never believed. Both are handed in: nothing here asks a clock.
 */
#ifndef LIAISON_BASE_TIME_H
#define LIAISON_BASE_TIME_H

#include <stdint.h>

struct monotonic {
    uint64_t us; /* microseconds since some moment of this process's machine */
};
struct wall {
    uint64_t us; /* microseconds since 1970-01-01T00:00:00Z, leap seconds not counted */
};
/* The two readings of one moment, frozen for the length of a call into an engine. */
struct now {
    struct monotonic monotonic;
    struct wall wall;
};

#define SECOND_US UINT64_C(1000000)
#define NEVER ((struct monotonic){UINT64_MAX})

static inline struct monotonic monotonic_after(struct monotonic start, uint64_t us)
{
    return (struct monotonic){us > UINT64_MAX - start.us ? UINT64_MAX : start.us + us};
}
static inline struct monotonic monotonic_earlier(struct monotonic a, struct monotonic b)
{
    return a.us < b.us ? a : b;
}

/* Size of "9999-12-31T23:59:59Z" and its zero. */
#define RFC3339_SIZE 21
/* Writes seconds since 1970 as RFC 3339 in UTC; later than the year 9999 as "9999-12-31T23:59:59Z". */
void time_rfc3339(char out[static RFC3339_SIZE], uint64_t seconds);

#endif
