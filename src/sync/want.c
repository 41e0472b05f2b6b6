/*
 * Who is to send a log: its author of its own accord; while it is away or silent, whoever has more of it, in turn, so
 * that a member who only says that it has more, or sends it an entry at a time, keeps nobody from asking the next.
 */
#include "sync/engine.h"

void engine_ask(struct peer *peer, unsigned member, uint64_t from)
{
    struct buffer message = {0};

    message_put_size(&message, MESSAGE_WANT, member, from);
    engine_enqueue(peer, true, &message);
    buffer_free(&message);
}

void engine_end_want(struct peer *peer, unsigned member)
{
    peer->asked[member] = false;
    engine_ask(peer, member, WANT_END);
}

static bool is_ahead(const struct sync *sync, unsigned link, unsigned member)
{
    const struct peer *peer = &sync->peer[link];

    return peer->up && peer->greeted && !peer->refused[member] && peer->have[member] > sync->log[member].staged.size;
}

/* The first link from `start` on, in a circle, that has more of the log. */
static unsigned next_ahead(const struct sync *sync, unsigned member, unsigned start)
{
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (is_ahead(sync, (start + i) % SYNC_LINKS_MAX, member))
            return (start + i) % SYNC_LINKS_MAX;
    return SYNC_LINKS_MAX;
}

static bool is_author(const struct sync *sync, unsigned link, unsigned member)
{
    return sync->peer[link].up && sync->peer[link].greeted && sync->peer[link].member == member;
}

/* A link to the log's author, whose entries may be on their way even if others have said sooner that they hold them. */
static unsigned author_link(const struct sync *sync, unsigned member)
{
    for (unsigned link = 0; link < SYNC_LINKS_MAX; link++)
        if (is_author(sync, link, member))
            return link;
    return SYNC_LINKS_MAX;
}

static void turn_to(struct sync *sync, unsigned member, unsigned link, struct monotonic now)
{
    struct log *log = &sync->log[member];
    struct peer *peer = &sync->peer[link];

    if (!log->wanted || log->want_link != link)
        log->turn_over = monotonic_after(now, SYNC_TURN_US);
    log->wanted = true;
    log->want_link = link;
    log->want_size = log->staged.size;
    log->want_again = monotonic_after(now, SYNC_WANT_AGAIN_US);
    if (peer->member == member || peer->asked[member])
        return; /* it sends already, as fast as it can */
    peer->asked[member] = true;
    engine_ask(peer, member, log->staged.size);
}

/* Whoever sends nothing is left asked, since it may be the only one. Who sends is told to stop: two that send the same
 * are no faster. */
static void end_turn(struct sync *sync, unsigned member, struct monotonic now)
{
    struct log *log = &sync->log[member];
    unsigned next = next_ahead(sync, member, log->want_link + 1);

    if (next != log->want_link && sync->peer[log->want_link].asked[member])
        engine_end_want(&sync->peer[log->want_link], member);
    log->wanted = false; /* a turn begins, though it be of the same one */
    turn_to(sync, member, next, now);
}

static void want(struct sync *sync, unsigned member, struct monotonic now)
{
    struct log *log = &sync->log[member];
    unsigned ahead = next_ahead(sync, member, 0);
    unsigned author = author_link(sync, member);
    bool in_turn = log->wanted && (is_ahead(sync, log->want_link, member) || is_author(sync, log->want_link, member));

    if (ahead == SYNC_LINKS_MAX || member == sync->own || log->delayed)
        log->wanted = false;
    else if (!in_turn)
        turn_to(sync, member, author < SYNC_LINKS_MAX ? author : ahead, now);
    else if (now.us >= log->turn_over.us && !is_author(sync, log->want_link, member))
        end_turn(sync, member, now);
    else if (log->staged.size != log->want_size)
        turn_to(sync, member, log->want_link, now);
    else if (now.us >= log->want_again.us)
        turn_to(sync, member, next_ahead(sync, member, log->want_link + 1), now);
}

void engine_want(struct sync *sync, struct monotonic now)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++)
        want(sync, member, now);
}

void engine_end_wants(struct sync *sync, unsigned member)
{
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (peer->up && peer->asked[member])
            engine_end_want(peer, member);
    }
}

void engine_refuse(struct peer *peer, unsigned member)
{
    peer->refused[member] = true;
    engine_end_want(peer, member);
}

/* What is on the way of a log beyond what is held of it will never be said to be held: it is void, or wanted no more.
 */
static void forget_flights(struct peer *peer, unsigned member, uint64_t held)
{
    unsigned count = peer->flight_count;

    peer->flight_count = 0;
    peer->flight_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        struct flight flight = peer->flight[(peer->flight_first + i) % SYNC_FLIGHTS_MAX];

        if (flight.member == member && flight.end > held)
            continue;
        peer->flight[(peer->flight_first + peer->flight_count++) % SYNC_FLIGHTS_MAX] = flight;
        peer->flight_bytes += flight.bytes;
    }
}

void engine_take_want(struct sync *sync, struct peer *peer, unsigned member, uint64_t from)
{
    peer->serving[member] = from <= sync->log[member].durable.size;
    if (peer->serving[member])
        peer->sent[member] = from;
    forget_flights(peer, member, peer->serving[member] ? from : 0);
}

struct monotonic sync_next(const struct sync *sync)
{
    struct monotonic next = NEVER;

    for (unsigned member = 0; member < sync->charter->member_count; member++)
        if (sync->log[member].wanted)
            next = monotonic_earlier(next, sync->log[member].want_again);
    next = monotonic_earlier(next, engine_next_delayed(sync));
    return sync->retry.us == 0 ? next : monotonic_earlier(next, sync->retry);
}

void sync_step(struct sync *sync, struct now now)
{
    sync->clock = now.monotonic;
    if (sync->retry.us != 0 && sync->retry.us <= now.monotonic.us) {
        for (unsigned link = 0; link < SYNC_LINKS_MAX; link++)
            memset(sync->peer[link].barren, 0, sizeof sync->peer[link].barren);
        sync->retry = (struct monotonic){0};
    }
    engine_step_delayed(sync, now);
    engine_want(sync, now.monotonic);
}
