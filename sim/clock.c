#include "clock.h"

#define BOOT_US UINT64_C(5000000) /* what the monotonic clock shows when an office can first start */
#define MILLION INT64_C(1000000)

static uint64_t monotonic_us(const struct clock *clock, uint64_t time)
{
    uint64_t passed = time - clock->started;

    return BOOT_US + passed + (uint64_t)((int64_t)passed * clock->drift / MILLION);
}

struct now clock_read(const struct clock *clock, uint64_t time)
{
    int64_t wall = (int64_t)(clock->wall_was + time) + clock->wall_off;

    return (struct now){.monotonic = {monotonic_us(clock, time)}, .wall = {wall < 0 ? 0 : (uint64_t)wall}};
}

uint64_t clock_when(const struct clock *clock, struct monotonic monotonic)
{
    uint64_t low = clock->started;
    uint64_t high = 0;

    if (monotonic.us == NEVER.us || monotonic.us > UINT64_MAX / 4)
        return UINT64_MAX;
    high = clock->started + 2 * monotonic.us + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (monotonic_us(clock, middle) >= monotonic.us)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
