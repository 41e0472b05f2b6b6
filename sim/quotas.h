/*
 * The charter's quotas as the oracle sees them: it counts what people were told is recorded, and what lies on the
 * platters, and holds it against the time that went by on each party's wall clock. It knows nothing of buckets.
 *
 *   an honest office records for people no more than a day's quota, and what the days since then allow;
 *   it keeps of another's log no more than sixty days' quota, or a message, and what the days since then allow.
 *
 * One party may be careless: its office keeps no quota of its own, and is honest else, so that its log must come to the
 * others all the same, in time.
 */
#ifndef LIAISON_SIM_QUOTAS_H
#define LIAISON_SIM_QUOTAS_H

#include "oracle.h"

#define CARELESS_NONE UINT32_MAX

/* From now on; 0 entries: the quotas are as large as they are by default, and nothing is looked at. */
void quotas_start(struct oracle *oracle, uint64_t entries, uint64_t bytes, unsigned careless);
unsigned quotas_careless(void);
/* A party looks at its wall clock. */
void quotas_clock(unsigned party, uint64_t wall_us);
/* It said that a text is recorded. */
void quotas_recorded(unsigned party, uint64_t size);
/* It keeps so many entries of that author. */
void quotas_kept(unsigned party, unsigned author, uint64_t count);

#endif
