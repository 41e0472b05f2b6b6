/*
 * Whole offices in one process, as far as sync can tell: each has its own engine and a store in memory, and does with
 * sync's events what an office does. Links break at random and lose what is on the way; a link delivers in order in
 * each lane, after a delay. A run is a seed.
 */
#ifndef LIAISON_TESTS_SYNC_WORLD_H
#define LIAISON_TESTS_SYNC_WORLD_H

#include "truth.h"

#define OFFICES_MAX 5
#define WIRES_MAX 24
#define WIRE_ROOM 200000 /* bytes on the way in one lane before sync is asked for no more */
#define SETTLE_US SECOND_US

struct letter {
    struct letter *next;
    uint64_t at;
    struct buffer bytes;
};

struct lane_of_wire {
    struct letter *first, *last;
    size_t bytes;
};

/* A link between two offices; end 0 and 1. */
struct wire {
    bool up;
    unsigned office[2];
    unsigned link[2];
    struct lane_of_wire lane[2][2]; /* [to which end][urgent] */
    uint64_t delay;
    unsigned used;     /* entries messages that came over it */
    size_t life, left; /* bytes that it delivers before it breaks; 0: any number */
};

struct kept_head {
    uint64_t size;
    bool settle;
};

/* One office's copy of a log: that the entries are the author's own was checked when they came. */
struct copy {
    uint64_t size;
    uint64_t accepted; /* and what is accepted but not yet durable */
    struct kept_head head[TRUTH_MAX];
    size_t head_count;
    uint64_t settle;
    uint64_t receipted[OFFICES_MAX];        /* told by SYNC_RECEIPT */
    uint64_t settle_receipted[OFFICES_MAX]; /* the same, on a settle head known as such */
    bool pending[TRUTH_MAX];                /* shown before its turn */
};

struct job {
    struct job *next;
    uint64_t at;
    struct sync_event event;
};

struct office {
    struct world *world;
    unsigned me;
    struct sync *sync;
    struct copy copy[OFFICES_MAX];
    struct sync_chunk *accepted_first, *accepted_last;
    uint64_t commit_at;
    struct job *jobs;
    bool settle_due;
    uint64_t settle_at;
    unsigned alarms, own_ahead, closed; /* links that sync wanted closed */
    size_t most_flight;
    uint64_t urgent;
};

struct world {
    struct test_line line;
    unsigned count;
    uint64_t random;
    uint64_t us;
    uint64_t commit_us; /* how long a commit takes at most */
    struct truth *truth[OFFICES_MAX];
    struct office office[OFFICES_MAX];
    struct wire wire[WIRES_MAX];
    unsigned wires;
};

static inline uint64_t world_random(struct world *world, uint64_t below)
{
    uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static inline struct now world_now(const struct world *world)
{
    return (struct now){.monotonic = {world->us}, .wall = {UINT64_C(1800000000) * SECOND_US + world->us}};
}

static inline struct world *world_new(unsigned count, uint64_t seed)
{
    struct world *world = test_new(1, sizeof *world);

    test_line_found(&world->line, count, "sync");
    world->count = count;
    world->random = seed;
    world->us = 1;
    world->commit_us = 20000;
    for (unsigned i = 0; i < count; i++) {
        world->truth[i] = truth_new(&world->line, i);
        world->office[i].world = world;
        world->office[i].me = i;
        world->office[i].sync = sync_new(&world->line.charter, i);
        world->office[i].urgent = UINT64_MAX;
        if (world->office[i].sync == NULL)
            abort();
    }
    return world;
}

static inline void lane_empty(struct lane_of_wire *lane)
{
    while (lane->first != NULL) {
        struct letter *letter = lane->first;

        lane->first = letter->next;
        buffer_free(&letter->bytes);
        free(letter);
    }
    *lane = (struct lane_of_wire){0};
}

static inline void wire_cut(struct world *world, struct wire *wire)
{
    if (!wire->up)
        return;
    wire->up = false;
    for (unsigned end = 0; end < 2; end++) {
        lane_empty(&wire->lane[end][0]);
        lane_empty(&wire->lane[end][1]);
        sync_link_down(world->office[wire->office[end]].sync, wire->link[end], world_now(world));
    }
}

static inline unsigned free_link(const struct world *world, unsigned office)
{
    for (unsigned link = 0;; link++) {
        bool used = false;

        for (unsigned i = 0; i < world->wires; i++)
            for (unsigned end = 0; end < 2; end++)
                used |= world->wire[i].up && world->wire[i].office[end] == office && world->wire[i].link[end] == link;
        if (!used)
            return link;
    }
}

static inline void wire_join(struct world *world, struct wire *wire)
{
    if (wire->up)
        return;
    wire->link[0] = free_link(world, wire->office[0]);
    wire->link[1] = free_link(world, wire->office[1]);
    wire->up = true;
    wire->left = wire->life;
    wire->delay = 100 + world_random(world, 80000);
    for (unsigned end = 0; end < 2; end++)
        sync_link_up(world->office[wire->office[end]].sync, wire->link[end], wire->office[1 - end], world_now(world));
}

static inline struct wire *world_wire(struct world *world, unsigned a, unsigned b)
{
    struct wire *wire = &world->wire[world->wires++];

    wire->office[0] = a;
    wire->office[1] = b;
    wire_join(world, wire);
    return wire;
}

/* All that an office has in memory is gone. */
static inline void office_drop(struct office *office)
{
    while (office->jobs != NULL) {
        struct job *job = office->jobs;

        office->jobs = job->next;
        free(job);
    }
    while (office->accepted_first != NULL) {
        struct sync_chunk *chunk = office->accepted_first;

        office->accepted_first = chunk->next;
        sync_chunk_free(chunk);
    }
    office->accepted_last = NULL;
    office->commit_at = 0;
    sync_free(office->sync);
    office->sync = NULL;
}

static inline void world_free(struct world *world)
{
    for (unsigned i = 0; i < world->wires; i++)
        wire_cut(world, &world->wire[i]);
    for (unsigned i = 0; i < world->count; i++) {
        office_drop(&world->office[i]);
        truth_free(world->truth[i]);
    }
    test_line_free(&world->line);
    free(world);
}

/* --- what an office does with events --------------------------------------------------------------------------- */

static inline void keep_head(struct copy *copy, uint64_t size, bool settle)
{
    size_t at = copy->head_count;

    while (at > 0 && copy->head[at - 1].size >= size)
        at--;
    if (at < copy->head_count && copy->head[at].size == size) {
        copy->head[at].settle |= settle;
        return;
    }
    memmove(&copy->head[at + 1], &copy->head[at], (copy->head_count++ - at) * sizeof copy->head[0]);
    copy->head[at] = (struct kept_head){size, settle};
}

static inline void check_entry(const struct office *office, unsigned member, uint64_t index, struct span bytes)
{
    const struct truth *truth = office->world->truth[member];

    CHECK(index < truth->size && span_equal(bytes, buffer_span(&truth->entry[index])));
}

static inline void take_accepted(struct office *office, struct sync_chunk *chunk)
{
    struct copy *copy = &office->copy[chunk->member];

    CHECK(chunk->member != office->me && chunk->count > 0 && chunk->first == copy->accepted);
    CHECK(chunk->after.size == chunk->first + chunk->count && chunk->head.size >= chunk->after.size);
    for (size_t i = 0; i < chunk->count; i++)
        check_entry(office, chunk->member, chunk->first + i, sync_chunk_entry(chunk, i));
    copy->accepted = chunk->after.size;
    chunk->next = NULL;
    if (office->accepted_last != NULL)
        office->accepted_last->next = chunk;
    else
        office->accepted_first = chunk;
    office->accepted_last = chunk;
    if (office->commit_at == 0)
        office->commit_at = office->world->us + 1 + world_random(office->world, office->world->commit_us);
}

static inline void take_settle(struct office *office, const struct sync_event *event)
{
    struct copy *copy = &office->copy[event->member];

    if (copy->settle >= event->head.size)
        return;
    copy->settle = event->head.size;
    keep_head(copy, event->head.size, true);
    sync_forward_settle(office->sync, event->member, &event->head, event->link);
    sync_forward_own_receipt(office->sync, event->member, event->head.size);
}

static inline void take_receipt(struct office *office, const struct sync_event *event)
{
    struct copy *copy = &office->copy[event->member];
    struct head head = truth_head(office->world->truth[event->member], event->head.size);

    CHECK(memcmp(head.root, event->head.root, HASH_SIZE) == 0);
    CHECK(event->receipt.by != office->me);
    /* A receipt is the truth about what the other office holds durably. */
    CHECK(office->world->office[event->receipt.by].copy[event->member].size >= event->head.size);
    if (event->head.size > copy->receipted[event->receipt.by])
        copy->receipted[event->receipt.by] = event->head.size;
    if (event->head.size == copy->settle && event->head.size > copy->settle_receipted[event->receipt.by])
        copy->settle_receipted[event->receipt.by] = event->head.size;
    if (event->head.size == copy->settle)
        sync_forward_receipt(office->sync, event->member, &event->head, &event->receipt, event->link);
}

static inline void take_pending(struct office *office, const struct sync_event *event)
{
    struct copy *copy = &office->copy[event->member];

    CHECK(event->first >= copy->size && event->chunk->count == 1);
    check_entry(office, event->member, event->first, sync_chunk_entry(event->chunk, 0));
    copy->pending[event->first] = true;
    sync_chunk_free(event->chunk);
}

static inline void take_job(struct office *office, const struct sync_event *event)
{
    struct job *job = test_new(1, sizeof *job);

    job->event = *event;
    job->at = office->world->us + 1 + world_random(office->world, 10000);
    job->next = office->jobs;
    office->jobs = job;
}

static inline void office_events(struct office *office)
{
    struct sync_event event;

    while (sync_event(office->sync, &event)) {
        switch (event.kind) {
        case SYNC_ACCEPTED:
            take_accepted(office, event.chunk);
            break;
        case SYNC_SETTLE:
            take_settle(office, &event);
            break;
        case SYNC_RECEIPT:
            take_receipt(office, &event);
            break;
        case SYNC_PENDING:
            take_pending(office, &event);
            break;
        case SYNC_OWN_AHEAD:
            office->own_ahead++;
            break;
        case SYNC_ALARM:
            office->alarms++;
            break;
        default:
            take_job(office, &event);
            break;
        }
    }
}

/* --- reading for others ------------------------------------------------------------------------------------------ */

/* As an office reads: up to the next settle head, else the newest; at most 64 entries at a time. */
static inline void serve(struct office *office, const struct sync_event *event)
{
    const struct copy *copy = &office->copy[event->member];
    const struct truth *truth = office->world->truth[event->member];
    const struct kept_head *head = NULL;
    uint64_t end = event->first + 1 + world_random(office->world, 64);
    struct sync_chunk *chunk = NULL;
    struct tree_proof proof = {0};

    for (size_t i = 0; i < copy->head_count && (head == NULL || !head->settle); i++)
        if (copy->head[i].size > event->first && copy->head[i].size <= copy->size)
            head = &copy->head[i];
    if (head != NULL) {
        end = truth_end(truth, event->first, end > head->size ? head->size : end, event->most);
        chunk = truth_chunk(truth, event->first, end, head->size);
        chunk->settle = head->settle;
        proof = truth_consistency(truth, end, head->size);
    }
    sync_serve(office->sync, event->link, event->member, chunk, &proof);
}

static inline void overtake(struct office *office, const struct sync_event *event)
{
    struct buffer message = {0};

    if (event->base > event->first)
        return;
    truth_overtake(&message, office->world->truth[office->me], event->first, office->copy[office->me].size,
                   event->base);
    sync_overtake(office->sync, event->link, buffer_span(&message));
    buffer_free(&message);
}

static inline void office_jobs(struct office *office)
{
    for (struct job **at = &office->jobs; *at != NULL;) {
        struct job *job = *at;

        if (job->at > office->world->us) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        if (job->event.kind == SYNC_NEED)
            serve(office, &job->event);
        else
            overtake(office, &job->event);
        free(job);
        at = &office->jobs;
    }
}

/* --- commits ----------------------------------------------------------------------------------------------------- */

static inline bool newest_exact(const struct sync_chunk *chunk)
{
    for (const struct sync_chunk *later = chunk->next; later != NULL; later = later->next)
        if (later->member == chunk->member && later->head.size == later->after.size)
            return false;
    return true;
}

static inline void stored(struct office *office, struct sync_chunk *chunk)
{
    struct copy *copy = &office->copy[chunk->member];
    bool exact = chunk->head.size == chunk->after.size;
    bool settle = exact && (chunk->settle || copy->settle == chunk->head.size);
    struct receipt receipt = truth_receipt(office->world->truth[chunk->member], &chunk->head, office->me);

    sync_stored(office->sync, chunk);
    if (exact)
        keep_head(copy, chunk->head.size, settle);
    if (settle && chunk->head.size > copy->settle)
        copy->settle = chunk->head.size;
    if (exact && (settle || newest_exact(chunk)))
        sync_receipt(office->sync, chunk->member, &chunk->head, &receipt, settle);
    if (settle)
        sync_forward_settle(office->sync, chunk->member, &chunk->head, SYNC_LINKS_MAX);
}

static inline void office_commit(struct office *office)
{
    if (office->commit_at == 0 || office->commit_at > office->world->us)
        return;
    office->commit_at = 0;
    for (const struct sync_chunk *chunk = office->accepted_first; chunk != NULL; chunk = chunk->next)
        office->copy[chunk->member].size = chunk->after.size; /* durable, then told */
    while (office->accepted_first != NULL) {
        struct sync_chunk *chunk = office->accepted_first;

        stored(office, chunk);
        office->accepted_first = chunk->next;
        sync_chunk_free(chunk);
    }
    office->accepted_last = NULL;
}

/* Appends `count` entries of `size` bytes to the office's own log, durably. */
static inline void office_append(struct office *office, size_t count, size_t size, bool urgent)
{
    struct truth *truth = office->world->truth[office->me];
    struct copy *own = &office->copy[office->me];
    uint64_t first = truth->size;

    truth_grow(truth, count, size);
    own->size = truth->size;
    keep_head(own, truth->size, false);
    office->urgent = urgent ? truth->size - 1 : UINT64_MAX;
    sync_append(office->sync, truth_chunk(truth, first, truth->size, truth->size), office->urgent);
    if (!office->settle_due)
        office->settle_at = office->world->us + world_random(office->world, SETTLE_US);
    office->settle_due = true;
}

static inline void office_settle(struct office *office)
{
    struct copy *own = &office->copy[office->me];
    struct head head;

    if (!office->settle_due || office->settle_at > office->world->us)
        return;
    office->settle_due = false;
    own->settle = own->size;
    keep_head(own, own->size, true);
    head = truth_head(office->world->truth[office->me], own->size);
    sync_settle(office->sync, &head);
}

/* --- time -------------------------------------------------------------------------------------------------------- */

static inline void wire_send(struct world *world, struct wire *wire, unsigned from, bool urgent)
{
    struct office *office = &world->office[wire->office[from]];
    struct lane_of_wire *lane = &wire->lane[1 - from][urgent];

    while (lane->bytes < WIRE_ROOM) {
        struct letter *letter = test_new(1, sizeof *letter);
        uint64_t before = lane->last != NULL ? lane->last->at : 0;

        if (!sync_output(office->sync, wire->link[from], urgent, &letter->bytes)) {
            buffer_free(&letter->bytes);
            free(letter);
            return;
        }
        letter->at = world->us + wire->delay + letter->bytes.size / 10;
        letter->at = letter->at < before ? before : letter->at;
        lane->bytes += letter->bytes.size;
        if (lane->last != NULL)
            lane->last->next = letter;
        else
            lane->first = letter;
        lane->last = letter;
    }
}

/* False if the receiver wants the link closed, or if it breaks: what it had of a message by then is lost. */
static inline bool wire_deliver(struct world *world, struct wire *wire, unsigned to, bool urgent)
{
    struct office *office = &world->office[wire->office[to]];
    struct lane_of_wire *lane = &wire->lane[to][urgent];

    while (lane->first != NULL && lane->first->at <= world->us) {
        struct letter *letter = lane->first;
        struct error error = {0};
        int result = 0;

        if (wire->life > 0 && letter->bytes.size > wire->left)
            return false;
        wire->left -= wire->life > 0 ? letter->bytes.size : 0;
        lane->first = letter->next;
        if (lane->first == NULL)
            lane->last = NULL;
        lane->bytes -= letter->bytes.size;
        if (letter->bytes.size > 1 && letter->bytes.data[1] == MESSAGE_ENTRIES)
            wire->used++;
        result = sync_input(office->sync, wire->link[to], buffer_span(&letter->bytes), world_now(world), &error);
        buffer_free(&letter->bytes);
        free(letter);
        office_events(office);
        if (result != 0) {
            printf("# %s closes a link: %s\n", world->line.charter.members[office->me].name, error.message);
            office->closed++;
            return false;
        }
    }
    return true;
}

static inline void world_step(struct world *world, uint64_t us)
{
    world->us += us;
    for (unsigned i = 0; i < world->wires; i++)
        for (unsigned end = 0; end < 2 && world->wire[i].up; end++)
            if (!wire_deliver(world, &world->wire[i], end, true) || !wire_deliver(world, &world->wire[i], end, false))
                wire_cut(world, &world->wire[i]);
    for (unsigned i = 0; i < world->count; i++) {
        struct office *office = &world->office[i];

        office_jobs(office);
        office_commit(office);
        office_settle(office);
        if (sync_next(office->sync).us <= world->us)
            sync_step(office->sync, world_now(world));
        office_events(office);
    }
    for (unsigned i = 0; i < world->wires; i++)
        for (unsigned end = 0; end < 2 && world->wire[i].up; end++) {
            wire_send(world, &world->wire[i], end, true);
            wire_send(world, &world->wire[i], end, false);
        }
    for (unsigned i = 0; i < world->count; i++)
        office_events(&world->office[i]);
}

static inline void world_run(struct world *world, uint64_t us)
{
    for (uint64_t until = world->us + us; world->us < until;)
        world_step(world, 1000);
}

/* Every log is everywhere, whole and the same, and nothing was said that is not so. */
static inline void world_check_complete(const struct world *world)
{
    for (unsigned i = 0; i < world->count; i++) {
        const struct office *office = &world->office[i];

        CHECK(office->alarms == 0 && office->own_ahead == 0 && office->closed == 0);
        for (unsigned m = 0; m < world->count; m++) {
            struct head truth = truth_head(world->truth[m], world->truth[m]->size);
            uint8_t durable[HASH_SIZE], staged[HASH_SIZE];

            tree_root(sync_frontier(office->sync, m), durable);
            tree_root(sync_staged(office->sync, m), staged);
            if (sync_durable(office->sync, m) != world->truth[m]->size)
                printf("# %u has %zu of the %zu entries of %u\n", i, (size_t)sync_durable(office->sync, m),
                       world->truth[m]->size, m);
            CHECK(office->copy[m].size == world->truth[m]->size);
            CHECK(sync_durable(office->sync, m) == world->truth[m]->size);
            CHECK(memcmp(durable, truth.root, HASH_SIZE) == 0 && memcmp(staged, truth.root, HASH_SIZE) == 0);
            CHECK(office->copy[m].settle == office->copy[m].size);
        }
    }
}

#endif
