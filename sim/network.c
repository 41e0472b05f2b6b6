#include "network.h"

#include <stdlib.h>

#define WIRES_MAX 4096                /* at once */
#define BUFFERED_MAX 65536            /* bytes on the way in one direction */
#define ROOM_LEAST (BUFFERED_MAX / 2) /* less is not worth to be told of */
#define DIAL_TIMEOUT_US 3000000
#define SEGMENT_MAX 16384

enum end_state { END_FREE, END_DIALLING, END_COMING, END_OPEN, END_GONE };

struct segment {
    uint64_t due;
    struct buffer bytes;
    struct segment *next;
};

struct end {
    enum end_state state;
    unsigned party;
    uint64_t opens;  /* DIALLING, COMING: when; it may be refused then */
    uint64_t breaks; /* when it learns that the wire is gone; UINT64_MAX: never */
    const char *reason;
    bool wants_room;
    bool sends_end;      /* the stream from here ends after what is on the way */
    bool is_lost;        /* what is sent from here arrives nowhere */
    uint64_t busy_until; /* the rate of what is sent from here */
    size_t on_way;
    struct segment *first, *last; /* sent from here */
};

struct network {
    struct random random;
    struct network_plan plan;
    bool listening[NETWORK_PARTIES_MAX];
    uint64_t blocked[NETWORK_PARTIES_MAX][NETWORK_PARTIES_MAX];
    int wires; /* none beyond was ever used */
    struct end end[2 * WIRES_MAX];
};

struct network *network_new(uint64_t seed, const struct network_plan *plan)
{
    struct network *network = calloc(1, sizeof *network);

    if (network == NULL)
        abort();
    random_start(&network->random, seed, 2);
    network->plan = *plan;
    return network;
}

static void drop_segment(struct end *end)
{
    struct segment *segment = end->first;

    end->first = segment->next;
    if (end->first == NULL)
        end->last = NULL;
    end->on_way -= segment->bytes.size;
    buffer_free(&segment->bytes);
    free(segment);
}

static void forget(struct end *end)
{
    while (end->first != NULL)
        drop_segment(end);
    *end = (struct end){.state = END_FREE};
}

void network_free(struct network *network)
{
    if (network == NULL)
        return;
    for (int i = 0; i < 2 * network->wires; i++)
        forget(&network->end[i]);
    free(network);
}

void network_listen(struct network *network, unsigned party, bool listening)
{
    network->listening[party] = listening;
}

static uint64_t latency(struct network *network)
{
    return network->plan.latency_us + random_below(&network->random, network->plan.jitter_us + 1);
}

int network_dial(struct network *network, unsigned from, unsigned to, uint64_t now)
{
    int number = 0;
    struct end *end = network->end;
    uint64_t there = now + latency(network);

    while (number < WIRES_MAX && (end[2 * number].state != END_FREE || end[2 * number + 1].state != END_FREE))
        number++;
    if (number == WIRES_MAX)
        abort();
    if (number >= network->wires)
        network->wires = number + 1;
    end += 2 * number;
    end[0] = (struct end){.state = END_DIALLING, .party = from, .breaks = UINT64_MAX, .reason = "refused"};
    end[1] = (struct end){.state = END_COMING, .party = to, .breaks = UINT64_MAX, .opens = there};
    end[0].opens = there + latency(network);
    if (network->blocked[from][to] > there || network->blocked[to][from] > there) {
        end[1].state = END_GONE;
        end[0].opens = UINT64_MAX;
        end[0].breaks = now + DIAL_TIMEOUT_US;
        end[0].reason = "timed out";
    }
    return 2 * number;
}

size_t network_room(const struct network *network, int end)
{
    const struct end *from = &network->end[end];

    return from->state == END_OPEN && from->on_way < BUFFERED_MAX ? BUFFERED_MAX - from->on_way : 0;
}

bool network_is_open(const struct network *network, int end)
{
    return network->end[end].state == END_OPEN;
}

void network_send(struct network *network, int number, struct span bytes, uint64_t now)
{
    struct end *end = &network->end[number];

    while (bytes.size > 0) {
        size_t size = bytes.size < SEGMENT_MAX ? bytes.size : SEGMENT_MAX;
        struct segment *segment = calloc(1, sizeof *segment);
        uint64_t start = end->busy_until > now ? end->busy_until : now;

        if (segment == NULL)
            abort();
        buffer_put(&segment->bytes, bytes.data, size);
        end->busy_until = start + size * 1000000 / network->plan.bytes_per_second;
        segment->due = end->busy_until + latency(network);
        if (end->last != NULL && segment->due < end->last->due)
            segment->due = end->last->due;
        if (end->last != NULL)
            end->last->next = segment;
        else
            end->first = segment;
        end->last = segment;
        end->on_way += size;
        bytes = span_from(bytes, size);
    }
    end->wants_room = network_room(network, number) < ROOM_LEAST;
}

static void lose(struct end *end)
{
    end->state = END_GONE;
    end->wants_room = false;
    end->breaks = UINT64_MAX;
}

void network_close(struct network *network, int number, uint64_t now)
{
    struct end *end = &network->end[number];

    (void)now;
    lose(end);
    end->sends_end = true;
}

static void tell(struct end *end, const char *reason, uint64_t when)
{
    if (end->state == END_GONE || end->state == END_FREE || end->breaks <= when)
        return;
    end->breaks = when;
    end->reason = reason;
}

void network_die(struct network *network, unsigned party, bool silently, uint64_t now)
{
    network_listen(network, party, false);
    for (int i = 0; i < 2 * network->wires; i++) {
        struct end *end = &network->end[i];
        struct end *other = &network->end[i ^ 1];

        if (end->state == END_FREE || end->party != party)
            continue;
        lose(end);
        end->is_lost = true;
        while (end->first != NULL)
            drop_segment(end);
        if (other->state == END_DIALLING)
            tell(other, "refused", now + latency(network));
        else if (!silently)
            tell(other, "reset", now + latency(network));
    }
}

unsigned network_cut(struct network *network, unsigned a, unsigned b, bool one_end, uint64_t now)
{
    unsigned count = 0;

    for (int i = 0; i < 2 * network->wires; i += 2) {
        struct end *end = &network->end[i];
        unsigned learns = (unsigned)random_below(&network->random, 2);

        if (end[0].state != END_OPEN || end[1].state != END_OPEN ||
            !((end[0].party == a && end[1].party == b) || (end[0].party == b && end[1].party == a)))
            continue;
        for (unsigned side = 0; side < 2; side++) {
            end[side].is_lost = true;
            while (end[side].first != NULL)
                drop_segment(&end[side]);
            if (!one_end || side == learns)
                tell(&end[side], "reset", now + random_below(&network->random, 1000));
        }
        count++;
    }
    return count;
}

void network_block(struct network *network, unsigned from, unsigned to, uint64_t until)
{
    network->blocked[from][to] = until;
}

void network_heal(struct network *network)
{
    memset(network->blocked, 0, sizeof network->blocked);
}

/* --- events ------------------------------------------------------------------------------------------------------ */

/* When the first of what is sent from `end` arrives at the other. */
static uint64_t arrival(const struct network *network, const struct end *end, const struct end *other)
{
    uint64_t blocked = network->blocked[end->party][other->party];
    uint64_t due = end->first == NULL ? 0 : end->first->due;

    if (other->state != END_OPEN || end->is_lost || (end->first == NULL && !end->sends_end))
        return UINT64_MAX;
    return due > blocked ? due : blocked;
}

static uint64_t next_of(const struct network *network, int number)
{
    const struct end *end = &network->end[number];
    uint64_t next = arrival(network, &network->end[number ^ 1], end);

    if (end->state == END_FREE || end->state == END_GONE)
        return UINT64_MAX;
    if (end->wants_room && network_room(network, number) >= ROOM_LEAST)
        next = 0;
    if ((end->state == END_DIALLING || end->state == END_COMING) && end->opens < next)
        next = end->opens;
    return end->breaks < next ? end->breaks : next;
}

uint64_t network_next(const struct network *network)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < 2 * network->wires; i++) {
        uint64_t own = next_of(network, i);

        if (own < next)
            next = own;
    }
    return next;
}

static void take_bytes(struct network *network, struct end *from, struct network_event *event)
{
    struct segment *segment = from->first;
    size_t size = segment->bytes.size;

    event->kind = NETWORK_BYTES;
    if (size > 1 && random_happens(&network->random, network->plan.splits)) {
        size_t part = random_between(&network->random, 1, size - 1);

        buffer_put(&event->bytes, segment->bytes.data, part);
        buffer_drop(&segment->bytes, part);
        from->on_way -= part;
        segment->due += random_below(&network->random, 500);
    } else {
        buffer_put_span(&event->bytes, buffer_span(&segment->bytes));
        drop_segment(from);
    }
}

static void take(struct network *network, int number, uint64_t now, struct network_event *event)
{
    struct end *end = &network->end[number];
    struct end *other = &network->end[number ^ 1];

    *event = (struct network_event){.kind = NETWORK_BROKEN, .party = end->party, .end = number};
    if (end->breaks <= now) {
        event->reason = end->reason;
        lose(end);
        end->is_lost = true;
    } else if (end->state == END_COMING) {
        end->state = END_OPEN;
        event->kind = NETWORK_ACCEPTED;
    } else if (end->state == END_DIALLING) {
        end->state = END_OPEN;
        event->kind = NETWORK_CONNECTED;
    } else if (end->wants_room && network_room(network, number) >= ROOM_LEAST) {
        end->wants_room = false;
        event->kind = NETWORK_ROOM;
    } else if (other->first != NULL) {
        take_bytes(network, other, event);
    } else {
        event->reason = "the other side ended the connection";
        lose(end);
        end->is_lost = true;
    }
}

/* Nobody there: the end that came vanishes, and the one that dials learns of it. */
static bool refuse(struct network *network, int number, uint64_t now)
{
    struct end *end = &network->end[number];

    if (end->state != END_COMING || end->opens > now || network->listening[end->party])
        return false;
    tell(&network->end[number ^ 1], "refused", now + latency(network));
    network->end[number ^ 1].opens = UINT64_MAX;
    lose(end);
    return true;
}

static void forget_gone(struct network *network)
{
    for (int i = 0; i < 2 * network->wires; i += 2)
        if (network->end[i].state == END_GONE && network->end[i + 1].state == END_GONE) {
            forget(&network->end[i]);
            forget(&network->end[i + 1]);
        }
}

bool network_take(struct network *network, uint64_t now, struct network_event *event)
{
    int earliest = -1;

    forget_gone(network);
    for (int i = 0; i < 2 * network->wires; i++) {
        uint64_t due = refuse(network, i, now) ? UINT64_MAX : next_of(network, i);

        if (due <= now && (earliest < 0 || due < next_of(network, earliest)))
            earliest = i;
    }
    if (earliest < 0)
        return false;
    take(network, earliest, now, event);
    return true;
}
