#include "test.h"

#include "host/clock.h"

#include <time.h>
#include <unistd.h>

static void time_goes_on(void)
{
    struct now before = clock_now();
    struct now after;

    (void)usleep(2000);
    after = clock_now();
    CHECK(after.monotonic.us >= before.monotonic.us + 2000);
    CHECK(after.monotonic.us < before.monotonic.us + 10 * SECOND_US);
}

static void the_wall_clock_is_the_systems(void)
{
    uint64_t before = (uint64_t)time(NULL);
    uint64_t now = clock_now().wall.us / SECOND_US;

    CHECK(now + 1 >= before && now <= (uint64_t)time(NULL) + 1);
}

static void random_bytes_differ(void)
{
    uint8_t a[256] = {0};
    uint8_t b[256] = {0};
    struct error error = {0};

    CHECK(clock_random(a, sizeof a, &error) == 0);
    CHECK(clock_random(b, sizeof b, &error) == 0);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(error.code == ERROR_NONE);
}

static void a_place_that_cannot_be_written_is_an_error(void)
{
    struct error error = {0};

    CHECK(clock_random(NULL, 32, &error) == -1);
    CHECK(error.code == ERROR_SYSTEM);
}

int main(void)
{
    RUN(time_goes_on);
    RUN(the_wall_clock_is_the_systems);
    RUN(random_bytes_differ);
    RUN(a_place_that_cannot_be_written_is_an_error);
    return test_end();
}
