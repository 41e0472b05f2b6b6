/*
 * The quotas of a charter: how many entries, and how many bytes of them, a member may append a day.
 *
 * Of each log there are two leaky buckets, one for entries and one for bytes. What is appended goes in, and a day's
 * quota leaks out in a day, evenly. The author's takes a day's quota; what does not fit it refuses. The others' take
 * that of QUOTA_OTHERS_DAYS, so that what was written while they could not be reached still comes at once; what does
 * not fit they take later.
 *
 * A level is kept as the time that it takes to leak out, so that both buckets leak alike and nothing is rounded while
 * they do. Each entry or run of entries is counted as less than a nanosecond too little; what fits exactly, fits.
 *
 * The wall clock tells how long they have leaked, since it alone goes on while an office is off. Set back it leaks
 * nothing, and goes on from there; set ahead it empties them, no more.
 */
#ifndef LIAISON_RECORD_QUOTA_H
#define LIAISON_RECORD_QUOTA_H

#include "base/time.h"
#include "record/charter.h"

#define QUOTA_OTHERS_DAYS 60
#define QUOTA_LEVEL_MAX ((uint64_t)INT64_MAX) /* fuller is not told apart: 292 years */

/* What stands in the buckets of one log. A zeroed struct: nothing, ever. */
struct spent {
    uint64_t entries, bytes; /* nanoseconds until they are empty, at most QUOTA_LEVEL_MAX */
    uint64_t at;             /* microseconds: the wall clock when that was so */
};

struct amount {
    uint64_t entries, bytes;
};

/* What the buckets take: the author's for what a person asks for; the same for what is urgent, for which alone the last
 * sixteenth is kept; the others'. */
struct amount quota_for_routine(const struct charter *charter);
struct amount quota_for_urgent(const struct charter *charter);
struct amount quota_for_others(const struct charter *charter);

/* That much is in them now, too. */
void quota_spend(struct spent *spent, const struct charter *charter, struct amount amount, struct wall now);
/* Microseconds until `more` fits into buckets that take `most`; 0: now; UINT64_MAX: never. They have leaked until now:
 * a clock that was set back is noticed here too, where nothing fits any more. */
uint64_t quota_wait(struct spent *spent, const struct charter *charter, struct amount most, struct amount more,
                    struct wall now);
/* How much of the quota is used now, a part of an entry or byte counted as a whole. */
struct amount quota_used(const struct spent *spent, const struct charter *charter, struct wall now);

#endif
