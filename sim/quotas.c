#include "quotas.h"

#include <inttypes.h>
#include <string.h>

#define DAY UINT64_C(86400000000)
#define DAYS_AT_ONCE 60
#define MESSAGE 4096 /* entries */

static struct {
    struct oracle *oracle;
    uint64_t entries, bytes;
    unsigned careless;
    uint64_t wall[ORACLE_PARTIES_MAX];   /* as it was last */
    uint64_t passed[ORACLE_PARTIES_MAX]; /* whenever it went on */
    uint64_t texts[ORACLE_PARTIES_MAX], size[ORACLE_PARTIES_MAX];
} line;

void quotas_start(struct oracle *oracle, uint64_t entries, uint64_t bytes, unsigned careless)
{
    memset(&line, 0, sizeof line);
    line.oracle = oracle;
    line.entries = entries;
    line.bytes = bytes;
    line.careless = entries == 0 ? CARELESS_NONE : careless;
}

unsigned quotas_careless(void)
{
    return line.careless;
}

void quotas_clock(unsigned party, uint64_t wall_us)
{
    if (line.entries == 0)
        return;
    if (line.wall[party] != 0 && wall_us > line.wall[party])
        line.passed[party] += wall_us - line.wall[party];
    line.wall[party] = wall_us;
}

/* That have begun since it was first looked at. */
static uint64_t days(unsigned party)
{
    return line.passed[party] / DAY + 1;
}

void quotas_recorded(unsigned party, uint64_t size)
{
    line.texts[party]++;
    line.size[party] += size;
    if (line.entries == 0 || party == line.careless || oracle_excused(line.oracle, party))
        return;
    if (line.texts[party] > line.entries * (1 + days(party)))
        oracle_condemn(line.oracle, "party %u recorded %" PRIu64 " texts in %" PRIu64 " days, with %" PRIu64 " a day",
                       party, line.texts[party], days(party), line.entries);
    if (line.bytes != 0 && line.size[party] > line.bytes * (1 + days(party)))
        oracle_condemn(line.oracle,
                       "party %u recorded %" PRIu64 " bytes of text in %" PRIu64 " days, with %" PRIu64 " a day", party,
                       line.size[party], days(party), line.bytes);
}

void quotas_kept(unsigned party, unsigned author, uint64_t count)
{
    uint64_t at_once = line.entries * DAYS_AT_ONCE > MESSAGE ? line.entries * DAYS_AT_ONCE : MESSAGE;

    if (line.entries == 0 || party == author || oracle_excused(line.oracle, party))
        return;
    if (count > at_once + line.entries * days(party))
        oracle_condemn(line.oracle,
                       "party %u keeps %" PRIu64 " entries of %u after %" PRIu64 " days, with %" PRIu64 " a day", party,
                       count, author, days(party), line.entries);
}
