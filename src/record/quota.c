#include "record/quota.h"

#define DAY_NS UINT64_C(86400000000000)
#define RESERVE 16 /* of the author's bucket one part in so many is kept for what is urgent */

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t times(uint64_t number, uint64_t by)
{
    return number > UINT64_MAX / by ? UINT64_MAX : number * by;
}

/* number * by / divisor, which may have 128 bits in between, bit by bit from the highest of `number` on; UINT64_MAX
 * where it is more. *rest: what is left over. */
static uint64_t share(uint64_t number, uint64_t by, uint64_t divisor, uint64_t *rest)
{
    const uint64_t left = by % divisor;
    uint64_t result = 0;

    *rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
        bool more = *rest >= divisor - *rest;

        result = plus(plus(result, result), more);
        *rest = more ? *rest - (divisor - *rest) : *rest + *rest;
        if ((number >> bit & 1) == 0)
            continue;
        more = left >= divisor - *rest;
        result = plus(plus(result, by / divisor), more);
        *rest = more ? *rest - (divisor - left) : *rest + left;
    }
    return result;
}

/* Nanoseconds in which so much of a quota leaks out. */
static uint64_t level_of(uint64_t amount, uint64_t quota)
{
    uint64_t rest = 0;
    uint64_t level = quota == 0 ? QUOTA_LEVEL_MAX : share(amount, DAY_NS, quota, &rest);

    if (amount == 0)
        return 0;
    return level < QUOTA_LEVEL_MAX ? level : QUOTA_LEVEL_MAX;
}

static uint64_t amount_of(uint64_t level, uint64_t quota)
{
    uint64_t rest = 0;
    uint64_t amount = share(level, quota, DAY_NS, &rest);

    return plus(amount, rest > 0);
}

static uint64_t less(uint64_t level, uint64_t by)
{
    return level > by ? level - by : 0;
}

static struct spent leaked(const struct spent *spent, struct wall now)
{
    uint64_t ns = now.us > spent->at ? times(now.us - spent->at, 1000) : 0;

    return (struct spent){.entries = less(spent->entries, ns), .bytes = less(spent->bytes, ns), .at = now.us};
}

struct amount quota_for_urgent(const struct charter *charter)
{
    return (struct amount){.entries = charter->quota_entries, .bytes = charter->quota_bytes};
}

struct amount quota_for_routine(const struct charter *charter)
{
    struct amount most = quota_for_urgent(charter);

    most.entries -= most.entries / RESERVE;
    most.bytes -= most.bytes / RESERVE;
    return most;
}

struct amount quota_for_others(const struct charter *charter)
{
    struct amount most = quota_for_urgent(charter);

    most.entries = times(most.entries, QUOTA_OTHERS_DAYS);
    most.bytes = times(most.bytes, QUOTA_OTHERS_DAYS);
    return most;
}

static uint64_t fuller(uint64_t level, uint64_t by)
{
    return level > QUOTA_LEVEL_MAX || by > QUOTA_LEVEL_MAX - level ? QUOTA_LEVEL_MAX : level + by;
}

void quota_spend(struct spent *spent, const struct charter *charter, struct amount amount, struct wall now)
{
    *spent = leaked(spent, now);
    spent->entries = fuller(spent->entries, level_of(amount.entries, charter->quota_entries));
    spent->bytes = fuller(spent->bytes, level_of(amount.bytes, charter->quota_bytes));
}

/* Nanoseconds until `more` fits above `level`. */
static uint64_t wait_for(uint64_t level, uint64_t quota, uint64_t most, uint64_t more)
{
    uint64_t room = level_of(most, quota);
    uint64_t needed = level_of(more, quota);

    if (more > most || quota == 0)
        return more == 0 ? 0 : UINT64_MAX;
    return less(level, room - needed);
}

uint64_t quota_wait(struct spent *spent, const struct charter *charter, struct amount most, struct amount more,
                    struct wall now)
{
    uint64_t entries = 0, bytes = 0, ns = 0;

    *spent = leaked(spent, now);
    entries = wait_for(spent->entries, charter->quota_entries, most.entries, more.entries);
    bytes = wait_for(spent->bytes, charter->quota_bytes, most.bytes, more.bytes);
    ns = entries > bytes ? entries : bytes;
    return ns == UINT64_MAX ? ns : ns / 1000 + (ns % 1000 != 0);
}

struct amount quota_used(const struct spent *spent, const struct charter *charter, struct wall now)
{
    struct spent level = leaked(spent, now);

    return (struct amount){.entries = amount_of(level.entries, charter->quota_entries),
                           .bytes = amount_of(level.bytes, charter->quota_bytes)};
}
