#include "base/time.h"

#include "test.h"

static bool is(uint64_t seconds, const char *wanted)
{
    char text[RFC3339_SIZE];

    time_rfc3339(text, seconds);
    return strcmp(text, wanted) == 0;
}

static void seconds_are_written_in_utc(void)
{
    (void)setenv("TZ", "Asia/Pyongyang", 1);
    CHECK(is(0, "1970-01-01T00:00:00Z"));
    CHECK(is(951782400, "2000-02-29T00:00:00Z"));
    CHECK(is(1795462028, "2026-11-23T19:27:08Z"));
    CHECK(is(4102444799, "2099-12-31T23:59:59Z"));
    CHECK(is(253402300799, "9999-12-31T23:59:59Z"));
    CHECK(is(253402300800, "9999-12-31T23:59:59Z"));
    CHECK(is(UINT64_MAX, "9999-12-31T23:59:59Z"));
}

static void never_stays_never(void)
{
    CHECK(monotonic_after(NEVER, 1).us == UINT64_MAX);
    CHECK(monotonic_after((struct monotonic){5}, UINT64_MAX).us == UINT64_MAX);
    CHECK(monotonic_after((struct monotonic){5}, 2).us == 7);
    CHECK(monotonic_earlier(NEVER, (struct monotonic){5}).us == 5);
    CHECK(monotonic_earlier((struct monotonic){5}, NEVER).us == 5);
}

int main(void)
{
    RUN(seconds_are_written_in_utc);
    RUN(never_stays_never);
    return test_end();
}
