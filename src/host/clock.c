#include "host/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TRIES_MAX 100

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time = {0};

    (void)clock_gettime(clock, &time);
    /* A wall clock before 1970 is one that was never set. */
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * SECOND_US + (uint64_t)time.tv_nsec / 1000;
}

struct now clock_now(void)
{
    return (struct now){.monotonic = {read_clock(CLOCK_MONOTONIC)}, .wall = {read_clock(CLOCK_REALTIME)}};
}

int clock_random(void *out, size_t size, struct error *error)
{
    ssize_t got = -1;

    /* Up to 256 bytes come whole or not at all; a signal can only interrupt it before the pool was ever full, or where
     * a tracer says so: getrandom(2). */
    for (int tries = 0; tries < TRIES_MAX && got < 0 && (tries == 0 || errno == EINTR); tries++)
        got = getrandom(out, size, 0);
    if (got == (ssize_t)size)
        return 0;
    return error_set(error, ERROR_SYSTEM, "the kernel gives no random bytes: %s", strerror(errno));
}
