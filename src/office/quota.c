/*
 * The quotas of the charter (record/quota.h). One's own log is held to them here: what people ask for beyond them is
 * refused. What the office must write itself (epochs, prekeys, "held", "unreadable", leaving) is counted and never
 * refused, or the record would stall. Others' logs are delayed by sync.
 */
#include <stdio.h>

#include "office/engine.h"

/* "3 days", "5 hours", "28 minutes": rounded up. */
static void put_span(char out[static 24], uint64_t us)
{
    static const struct {
        uint64_t us;
        const char *one, *many;
    } units[] = {{24 * 3600 * SECOND_US, "day", "days"},
                 {3600 * SECOND_US, "hour", "hours"},
                 {60 * SECOND_US, "minute", "minutes"},
                 {SECOND_US, "second", "seconds"}};
    size_t unit = 0;
    uint64_t count = 0;

    while (unit < 3 && us < 2 * units[unit].us)
        unit++;
    count = us / units[unit].us + (us % units[unit].us != 0);
    (void)snprintf(out, 24, "%llu %s", (unsigned long long)count, count == 1 ? units[unit].one : units[unit].many);
}

/* Which quota it is, and of what. */
static int refuse(const struct line *line, bool of_bytes, struct amount used, bool urgent, uint64_t wait_us,
                  struct error *error)
{
    const struct charter *charter = line->charter;
    struct amount most = urgent ? quota_for_urgent(charter) : quota_for_routine(charter);
    uint64_t kept = of_bytes ? charter->quota_bytes - most.bytes : charter->quota_entries - most.entries;
    char until[64] = "there is never room for so much at once";
    char reserved[80] = "";
    char span[24];

    if (wait_us != UINT64_MAX) {
        put_span(span, wait_us);
        (void)snprintf(until, sizeof until, "there is room for this in %s", span);
    }
    if (kept > 0)
        (void)snprintf(reserved, sizeof reserved, ", and %llu kept for what is urgent", (unsigned long long)kept);
    return error_set(error, ERROR_REFUSED,
                     "a member of the line %s may write %llu %s a day; %llu are used%s: %s. Nothing was recorded",
                     line->name, (unsigned long long)(of_bytes ? charter->quota_bytes : charter->quota_entries),
                     of_bytes ? "bytes" : "entries", (unsigned long long)(of_bytes ? used.bytes : used.entries),
                     reserved, until);
}

int quota_check(struct office *office, struct line *line, struct amount more, bool urgent, struct error *error)
{
    const struct charter *charter = line->charter;
    struct amount most = urgent ? quota_for_urgent(charter) : quota_for_routine(charter);
    uint64_t entries =
        quota_wait(&line->spent, charter, most, (struct amount){.entries = more.entries}, office->now.wall);
    uint64_t bytes = quota_wait(&line->spent, charter, most, (struct amount){.bytes = more.bytes}, office->now.wall);

    if (entries == 0 && bytes == 0)
        return 0;
    return refuse(line, bytes > entries, quota_used(&line->spent, charter, office->now.wall), urgent,
                  bytes > entries ? bytes : entries, error);
}

static const char delayed[] = "more came of the log of %s on the line %s than its quota allows: the rest comes later";

void quota_alarm(struct office *office, const struct line *line, unsigned member, bool is_delayed)
{
    if (is_delayed)
        core_alarm(office, delayed, line->member[member].name, line->name);
    else
        core_alarm_over(office, delayed, line->member[member].name, line->name);
}

void quota_status(const struct office *office, const struct line *line, unsigned member,
                  struct office_member_status *status)
{
    bool me = member == line->me;

    status->most = me ? quota_for_urgent(line->charter) : quota_for_others(line->charter);
    status->used = quota_used(me ? &line->spent : sync_spent(line->sync, member), line->charter, office->now.wall);
    status->delayed = !me && sync_is_delayed(line->sync, member);
}
