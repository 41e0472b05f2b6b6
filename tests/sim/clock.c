/*
 * The clocks: steady and turned back into true time whatever the drift; the wall clock alone jumps.
 */
#include "clock.h"

#include "test.h"

static void a_time_is_found_again(void)
{
    for (int32_t drift = -500; drift <= 500; drift += 250) {
        struct clock clock = {.started = 7000000, .drift = drift};

        for (uint64_t time = clock.started; time < 5000 * SECOND_US; time += 333333333) {
            struct monotonic now = clock_read(&clock, time).monotonic;
            uint64_t when = clock_when(&clock, now);

            CHECK(when <= time && clock_read(&clock, when).monotonic.us == now.us);
            CHECK(when == clock.started || clock_read(&clock, when - 1).monotonic.us < now.us);
        }
    }
}

static void it_drifts(void)
{
    struct clock fast = {.drift = 500};
    struct clock slow = {.drift = -500};
    uint64_t hour = 3600 * SECOND_US;

    CHECK(clock_read(&fast, hour).monotonic.us - clock_read(&slow, hour).monotonic.us == 3600000);
}

static void it_never_comes(void)
{
    struct clock clock = {0};

    CHECK(clock_when(&clock, NEVER) == UINT64_MAX);
}

static void the_wall_jumps_and_stops_at_1970(void)
{
    struct clock clock = {.wall_was = 10 * SECOND_US};
    struct now before = clock_read(&clock, SECOND_US);

    clock.wall_off = -(int64_t)SECOND_US;
    CHECK(before.wall.us == 11 * SECOND_US && clock_read(&clock, SECOND_US).wall.us == 10 * SECOND_US);
    CHECK(clock_read(&clock, SECOND_US).monotonic.us == before.monotonic.us);
    clock.wall_off = -(int64_t)(100 * SECOND_US);
    CHECK(clock_read(&clock, SECOND_US).wall.us == 0);
}

int main(void)
{
    RUN(a_time_is_found_again);
    RUN(it_drifts);
    RUN(it_never_comes);
    RUN(the_wall_jumps_and_stops_at_1970);
    return test_end();
}
