/*
 * Quotas of others' logs: what does not fit into the buckets is not refused, it comes later. Nobody is asked for the
 * log until then, who sends it is told to stop, and what is on its way is void.
 */
#include "sync/engine.h"

#define LOOK_AGAIN_US (3600 * SECOND_US) /* at the latest: the wall clock may be set ahead */

/* A message that fits nowhere else is taken once the buckets are empty. */
static struct amount most_of(const struct charter *charter)
{
    struct amount most = quota_for_others(charter);

    if (most.entries < ENTRIES_MAX)
        most.entries = ENTRIES_MAX;
    if (most.bytes < ENTRIES_BYTES_MAX)
        most.bytes = ENTRIES_BYTES_MAX;
    return most;
}

/* Whether what was put off still has to wait. */
static bool waits(const struct sync *sync, struct log *log, struct now now)
{
    uint64_t us = quota_wait(&log->spent, sync->charter, most_of(sync->charter), log->put_off, now.wall);

    us = us < LOOK_AGAIN_US ? us : LOOK_AGAIN_US;
    log->delayed_until = monotonic_after(now.monotonic, us < SECOND_US ? SECOND_US : us);
    return us > 0;
}

static int tell(struct sync *sync, unsigned member, bool delayed)
{
    struct sync_event event = {.kind = SYNC_DELAYED, .member = member, .first = delayed};

    if (sync->log[member].told_delayed == delayed)
        return 0;
    if (engine_event(sync, &event) != 0)
        return -1;
    sync->log[member].told_delayed = delayed;
    return 0;
}

int engine_spend(struct sync *sync, const struct sync_chunk *chunk, struct now now, struct error *error)
{
    struct log *log = &sync->log[chunk->member];
    struct amount amount = {.entries = chunk->count, .bytes = chunk->bytes.size};

    if (chunk->member == sync->me)
        return 0; /* it comes back, and was counted when it was written */
    log->put_off = amount;
    log->delayed = waits(sync, log, now);
    if (log->delayed)
        return tell(sync, chunk->member, true) == 0 ? 0 : error_set(error, ERROR_SYSTEM, "there is no memory left");
    quota_spend(&log->spent, sync->charter, amount, now.wall);
    /* Over, for people, once all that is known of is here. */
    if (log->has_head && chunk->after.size >= log->head.size && tell(sync, chunk->member, false) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    return 0;
}

void engine_put_off(struct peer *peer, unsigned member)
{
    if (!peer->stopped[member])
        engine_end_want(peer, member);
    peer->stopped[member] = true;
}

/* Its author goes on where it stopped; of others whoever has more is asked. */
static void go_on(struct sync *sync, unsigned member)
{
    struct log *log = &sync->log[member];
    bool asked = false;

    log->delayed = false;
    for (unsigned link = 0; link < SYNC_LINKS_MAX; link++) {
        struct peer *peer = &sync->peer[link];

        if (peer->up && peer->stopped[member] && peer->member == member && !asked) {
            engine_ask(peer, member, log->staged.size);
            asked = true;
        }
        peer->stopped[member] = false;
    }
}

struct monotonic engine_next_delayed(const struct sync *sync)
{
    struct monotonic next = NEVER;

    for (unsigned member = 0; member < sync->charter->member_count; member++)
        if (sync->log[member].delayed)
            next = monotonic_earlier(next, sync->log[member].delayed_until);
    return next;
}

void engine_step_delayed(struct sync *sync, struct now now)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        struct log *log = &sync->log[member];

        if (log->delayed && log->delayed_until.us <= now.monotonic.us && !waits(sync, log, now))
            go_on(sync, member);
    }
}

void sync_load_spent(struct sync *sync, unsigned member, const struct spent *spent)
{
    sync->log[member].spent = *spent;
    sync->log[member].spent_durable = *spent;
}

const struct spent *sync_spent(const struct sync *sync, unsigned member)
{
    return &sync->log[member].spent;
}

bool sync_is_delayed(const struct sync *sync, unsigned member)
{
    return sync->log[member].delayed;
}
