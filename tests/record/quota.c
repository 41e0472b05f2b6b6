#include "../../src/record/quota.c" /* its arithmetic is tried alone */

#include "test.h"

#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)
#define YEAR_US (365 * DAY_US)
#define START UINT64_C(1795462028000000)

static struct charter of(uint64_t entries, uint64_t bytes)
{
    return (struct charter){.quota_entries = entries, .quota_bytes = bytes};
}

static struct wall at(uint64_t us)
{
    return (struct wall){us};
}

static struct amount entries(uint64_t count)
{
    return (struct amount){.entries = count};
}

static struct amount bytes(uint64_t count)
{
    return (struct amount){.bytes = count};
}

static uint64_t wait_urgent(struct spent *spent, const struct charter *charter, struct amount more, uint64_t now)
{
    return quota_wait(spent, charter, quota_for_urgent(charter), more, at(now));
}

static void what_fits_exactly_fits_for_every_quota(void)
{
    for (uint64_t quota = 1; quota <= 3000; quota++) {
        struct charter charter = of(quota, UINT64_MAX);
        struct spent spent = {0};
        uint64_t count = 0;

        while (count <= quota && wait_urgent(&spent, &charter, entries(1), START) == 0) {
            quota_spend(&spent, &charter, entries(1), at(START));
            count++;
        }
        if (count != quota || quota_used(&spent, &charter, at(START)).entries != quota)
            printf("# of %llu fitted %llu\n", (unsigned long long)quota, (unsigned long long)count);
        CHECK(count == quota && quota_used(&spent, &charter, at(START)).entries == quota);
    }
}

static void a_days_quota_leaks_in_a_day_evenly(void)
{
    struct charter charter = of(50, 1000000);
    struct spent spent = {0};

    quota_spend(&spent, &charter, (struct amount){.entries = 50, .bytes = 500000}, at(START));
    CHECK(wait_urgent(&spent, &charter, entries(1), START) == DAY_US / 50);
    CHECK(wait_urgent(&spent, &charter, entries(25), START) == DAY_US / 2);
    CHECK(wait_urgent(&spent, &charter, entries(50), START) == DAY_US);
    CHECK(wait_urgent(&spent, &charter, entries(51), START) == UINT64_MAX);
    CHECK(wait_urgent(&spent, &charter, bytes(500000), START) == 0);
    CHECK(wait_urgent(&spent, &charter, bytes(500001), START) > 0);
    CHECK(quota_used(&spent, &charter, at(START + DAY_US / 2 - 1)).entries == 26);
    CHECK(quota_used(&spent, &charter, at(START + DAY_US / 2)).entries == 25);
    CHECK(quota_used(&spent, &charter, at(START + DAY_US / 2)).bytes == 0);
    CHECK(quota_used(&spent, &charter, at(START + DAY_US)).entries == 0);
    CHECK(wait_urgent(&spent, &charter, entries(25), START + DAY_US / 2 - 1) == 1);
    CHECK(wait_urgent(&spent, &charter, entries(25), START + DAY_US / 2) == 0);
}

static void the_fuller_of_both_buckets_decides(void)
{
    struct charter charter = of(100, 1000);
    struct spent spent = {0};

    quota_spend(&spent, &charter, (struct amount){.entries = 10, .bytes = 1000}, at(START));
    CHECK(wait_urgent(&spent, &charter, (struct amount){.entries = 1, .bytes = 100}, START) == DAY_US / 10);
    CHECK(wait_urgent(&spent, &charter, (struct amount){.entries = 100, .bytes = 10}, START) == DAY_US / 10);
}

static void looking_changes_nothing_however_often(void)
{
    struct charter charter = of(50, 1000000);
    struct spent often = {0};
    struct spent once = {0};

    quota_spend(&often, &charter, entries(50), at(START));
    quota_spend(&once, &charter, entries(50), at(START));
    for (uint64_t us = 0; us <= HOUR_US; us += 999983)
        quota_spend(&often, &charter, (struct amount){0}, at(START + us));
    CHECK(wait_urgent(&often, &charter, entries(3), START + HOUR_US) ==
          wait_urgent(&once, &charter, entries(3), START + HOUR_US));
}

static void a_clock_set_back_leaks_nothing_and_goes_on_from_there(void)
{
    struct charter charter = of(24, 1000000);
    struct spent spent = {0};

    quota_spend(&spent, &charter, entries(24), at(START));
    CHECK(wait_urgent(&spent, &charter, entries(1), START - YEAR_US) == HOUR_US);
    CHECK(wait_urgent(&spent, &charter, entries(1), START - YEAR_US + HOUR_US) == 0);
    quota_spend(&spent, &charter, entries(0), at(0));
    CHECK(wait_urgent(&spent, &charter, entries(2), 0) == HOUR_US);
}

static void a_clock_set_ahead_empties_them_and_no_more(void)
{
    struct charter charter = of(24, 1000000);
    struct spent spent = {0};

    quota_spend(&spent, &charter, entries(24), at(START));
    for (unsigned doubled = 0; doubled < 13; doubled++) {
        CHECK(wait_urgent(&spent, &charter, entries(24), (START << doubled) + YEAR_US) == 0);
        CHECK(wait_urgent(&spent, &charter, entries(25), (START << doubled) + YEAR_US) == UINT64_MAX);
    }
    quota_spend(&spent, &charter, entries(24), at(UINT64_MAX));
    CHECK(wait_urgent(&spent, &charter, entries(1), UINT64_MAX) == HOUR_US);
    quota_spend(&spent, &charter, entries(0), at(START)); /* and back: what was written ahead is not forgotten */
    CHECK(wait_urgent(&spent, &charter, entries(1), START) == HOUR_US);
}

static void the_last_sixteenth_is_for_what_is_urgent(void)
{
    for (uint64_t quota = 1; quota < 200; quota++) {
        struct charter charter = of(quota, quota * 1000);

        CHECK(quota_for_routine(&charter).entries == quota - quota / 16);
        CHECK(quota_for_routine(&charter).bytes == quota * 1000 - quota * 1000 / 16);
        CHECK(quota_for_urgent(&charter).entries == quota && quota_for_urgent(&charter).bytes == quota * 1000);
        CHECK(quota_for_others(&charter).entries == 60 * quota && quota_for_others(&charter).bytes == 60000 * quota);
    }
}

static void the_others_take_sixty_days_at_once(void)
{
    struct charter charter = of(50, 1000000);
    struct amount most = quota_for_others(&charter);
    struct spent spent = {0};

    CHECK(quota_wait(&spent, &charter, most, entries(3000), at(START)) == 0);
    quota_spend(&spent, &charter, entries(3000), at(START));
    CHECK(quota_wait(&spent, &charter, most, entries(1), at(START)) == DAY_US / 50);
    CHECK(quota_wait(&spent, &charter, most, entries(50), at(START + DAY_US)) == 0);
    CHECK(quota_wait(&spent, &charter, most, entries(51), at(START + DAY_US)) > 0);
}

__extension__ typedef unsigned __int128 wide;

static void a_share_is_what_a_wider_number_says(void)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       7,
                                       16,
                                       50,
                                       131072,
                                       UINT64_C(86400000000000),
                                       UINT64_C(1) << 53,
                                       UINT64_C(1) << 63,
                                       INT64_MAX,
                                       UINT64_MAX - 1,
                                       UINT64_MAX};
    const size_t count = sizeof numbers / sizeof numbers[0];
    uint64_t state = 88172645463325252U;

    for (size_t i = 0; i < count * count * count + 200000; i++) {
        uint64_t number = numbers[i % count], by = numbers[i / count % count],
                 divisor = numbers[i / count / count % count];
        uint64_t rest = 0;
        wide expected = 0;

        if (i >= count * count * count) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            number = state >> (state & 63);
            by = state * 3 >> (state >> 6 & 63);
            divisor = state * 7 >> (state >> 12 & 63);
        }
        if (divisor == 0)
            continue;
        expected = (wide)number * by / divisor;
        CHECK(share(number, by, divisor, &rest) == (expected < UINT64_MAX ? (uint64_t)expected : UINT64_MAX));
        CHECK(rest == (uint64_t)((wide)number * by % divisor));
    }
}

/* Each charter's numbers, against what a person would say. */
static void no_number_of_a_charter_overflows(void)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       15,
                                       16,
                                       4096,
                                       1u << 20,
                                       UINT64_C(1) << 28,
                                       UINT64_C(1) << 36,
                                       UINT64_C(86400000000000),
                                       UINT64_C(1) << 53,
                                       INT64_MAX,
                                       UINT64_MAX - 1,
                                       UINT64_MAX};
    const size_t count = sizeof numbers / sizeof numbers[0];

    for (size_t q = 0; q < count; q++)
        for (size_t a = 0; a < count; a++)
            for (size_t t = 0; t < count; t++) {
                struct charter charter = of(numbers[q], numbers[q]);
                struct amount more = {.entries = numbers[a], .bytes = numbers[a]};
                struct spent spent = {.entries = QUOTA_LEVEL_MAX, .bytes = numbers[t] / 2, .at = numbers[t]};
                struct spent none = {0};

                for (size_t n = 0; n < count; n++) {
                    quota_spend(&spent, &charter, more, at(numbers[n]));
                    CHECK(spent.entries <= QUOTA_LEVEL_MAX && spent.bytes <= QUOTA_LEVEL_MAX);
                    CHECK(spent.at == numbers[n]);
                    (void)quota_used(&spent, &charter, at(numbers[t]));
                }
                CHECK((wait_urgent(&none, &charter, more, numbers[t]) == 0) == (numbers[a] <= numbers[q]));
                CHECK(numbers[a] <= numbers[q] || wait_urgent(&none, &charter, more, numbers[t]) == UINT64_MAX);
            }
}

/* Whatever is asked whenever: in any span of time no more than leaks in it, and a bucket, is let through. */
static void over_any_time_no_more_than_a_bucket_and_what_leaks(void)
{
    static const uint64_t quotas[] = {1, 7, 16, 50, 1000, 86400, 12345678};
    uint64_t state = 88172645463325252U;

    for (size_t q = 0; q < sizeof quotas / sizeof quotas[0]; q++) {
        struct charter charter = of(quotas[q], UINT64_MAX);
        struct spent spent = {0};
        uint64_t now = START;
        uint64_t passed = 0;
        uint64_t through = 0;

        for (int i = 0; i < 100000; i++) {
            uint64_t more = 0;

            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            more = 1 + state % (quotas[q] < 8 ? 1 : quotas[q] / 8);
            if (state >> 40 & 1)
                passed += state >> 20 & 0xffffffff, now += state >> 20 & 0xffffffff;
            else if ((state >> 41 & 31) == 0)
                now -= YEAR_US / 100; /* set back */
            if (wait_urgent(&spent, &charter, entries(more), now) != 0)
                continue;
            quota_spend(&spent, &charter, entries(more), at(now));
            through += more;
            if ((double)through > (double)quotas[q] * (1.0 + (double)passed / (double)DAY_US) + 0.001) {
                printf("# quota %llu: %llu through\n", (unsigned long long)quotas[q], (unsigned long long)through);
                CHECK(false);
                break;
            }
        }
        CHECK((double)through > (double)quotas[q] * (double)passed / (double)DAY_US / 4);
    }
}

int main(void)
{
    RUN(what_fits_exactly_fits_for_every_quota);
    RUN(a_days_quota_leaks_in_a_day_evenly);
    RUN(the_fuller_of_both_buckets_decides);
    RUN(looking_changes_nothing_however_often);
    RUN(a_clock_set_back_leaks_nothing_and_goes_on_from_there);
    RUN(a_clock_set_ahead_empties_them_and_no_more);
    RUN(the_last_sixteenth_is_for_what_is_urgent);
    RUN(the_others_take_sixty_days_at_once);
    RUN(a_share_is_what_a_wider_number_says);
    RUN(no_number_of_a_charter_overflows);
    RUN(over_any_time_no_more_than_a_bucket_and_what_leaks);
    return test_end();
}
