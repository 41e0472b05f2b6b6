#include "sync/sync.h"

#include <stdlib.h>

#include "sync/engine.h"

struct sync *sync_new(const struct charter *charter, unsigned me)
{
    struct sync *sync = calloc(1, sizeof *sync);

    if (sync == NULL)
        return NULL;
    sync->message = calloc(1, sizeof *sync->message);
    if (sync->message == NULL) {
        free(sync);
        return NULL;
    }
    sync->charter = charter;
    sync->me = me;
    sync->own = me;
    return sync;
}

static void free_lanes(struct peer *peer)
{
    for (int urgent = 0; urgent < 2; urgent++) {
        buffer_free(&peer->lane[urgent].queue);
        peer->lane[urgent].at = 0;
    }
}

void sync_free(struct sync *sync)
{
    struct sync_event event;

    if (sync == NULL)
        return;
    while (sync_event(sync, &event))
        sync_chunk_free(event.chunk);
    while (sync->cache_first != NULL) {
        struct sync_chunk *chunk = sync->cache_first;

        sync->cache_first = chunk->next;
        sync_chunk_free(chunk);
    }
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        free_lanes(&sync->peer[i]);
    free(sync->message);
    free(sync);
}

int engine_event(struct sync *sync, const struct sync_event *event)
{
    struct queued_event *queued = calloc(1, sizeof *queued);

    if (queued == NULL)
        return -1;
    queued->event = *event;
    if (sync->event_last != NULL)
        sync->event_last->next = queued;
    else
        sync->event_first = queued;
    sync->event_last = queued;
    return 0;
}

/* A link whose other end does not take what is sent to it is told once. */
static bool choked_event(struct sync *sync, struct sync_event *event)
{
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (!peer->up || !peer->choked || peer->choked_told)
            continue;
        peer->choked_told = true;
        *event = (struct sync_event){.kind = SYNC_CHOKED, .link = i, .member = peer->member};
        return true;
    }
    return false;
}

bool sync_event(struct sync *sync, struct sync_event *event)
{
    struct queued_event *queued = sync->event_first;

    if (queued == NULL)
        return choked_event(sync, event);
    *event = queued->event;
    sync->event_first = queued->next;
    if (sync->event_first == NULL)
        sync->event_last = NULL;
    free(queued);
    return true;
}

void engine_enqueue(struct peer *peer, bool urgent, const struct buffer *message)
{
    struct lane *lane = &peer->lane[urgent];
    uint8_t *to = NULL;

    if (buffer_failed(message) || lane->queue.size - lane->at > SYNC_LANE_MAX) {
        peer->choked = true; /* it takes nothing: the link is given up, and said again is all on the next one */
        return;
    }
    if (lane->at >= lane->queue.size / 2) { /* so a byte is moved once at most, and the lane need never be empty */
        buffer_drop(&lane->queue, lane->at);
        lane->at = 0;
    }
    to = buffer_extend(&lane->queue, 4 + message->size);
    if (to == NULL) {
        peer->choked = true; /* nothing of it is queued, and the next one finds no place either */
        return;
    }
    put_u32_be(to, (uint32_t)message->size);
    memcpy(to + 4, message->data, message->size);
}

/* What every member on a link holds need not be at hand: who comes later is served from the store. */
static uint64_t held_by_all(const struct sync *sync)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (sync->peer[i].up && sync->peer[i].have[sync->own] < least)
            least = sync->peer[i].have[sync->own];
    return least == UINT64_MAX ? 0 : least;
}

/* A chunk of one small entry takes far more than its bytes. */
static size_t chunk_memory(const struct sync_chunk *chunk)
{
    return sizeof *chunk + chunk->bytes.size + chunk->count * (sizeof *chunk->end + sizeof *chunk->leaf);
}

static void drop_old_cache(struct sync *sync)
{
    uint64_t held = held_by_all(sync);

    while (sync->cache_first != sync->cache_last &&
           (sync->cache_bytes > SYNC_CACHE || sync->cache_first->first + sync->cache_first->count <= held)) {
        struct sync_chunk *oldest = sync->cache_first;

        for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
            if (sync->peer[i].cached == oldest)
                sync->peer[i].cached = NULL;
        sync->cache_first = oldest->next;
        sync->cache_bytes -= chunk_memory(oldest);
        sync_chunk_free(oldest);
    }
}

/* What is at the front of the flights and is known to be held has landed. */
static void land(struct peer *peer)
{
    while (peer->flight_count > 0) {
        const struct flight *oldest = &peer->flight[peer->flight_first];

        if (oldest->end > peer->have[oldest->member])
            return;
        peer->landed += oldest->bytes;
        peer->flight_bytes -= oldest->bytes;
        peer->flight_first = (peer->flight_first + 1) % SYNC_FLIGHTS_MAX;
        peer->flight_count--;
    }
}

void engine_peer_has(struct sync *sync, struct peer *peer, unsigned member, uint64_t size)
{
    if (member == sync->own) {
        if (size > sync->log[member].durable.size)
            size = sync->log[member].durable.size; /* nobody has more than there is */
        if (size > sync->carried)
            sync->carried = size;
    }
    /* What one link learns holds for the member's other links too: it may not be said again on each. */
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *each = &sync->peer[i];

        if (!each->up || each->member != peer->member)
            continue;
        if (size > each->have[member])
            each->have[member] = size;
        land(each);
    }
    if (member == sync->own)
        drop_old_cache(sync);
}

void engine_choose_active(struct sync *sync, unsigned member)
{
    struct peer *best = NULL;

    if (sync->own == NO_LOG)
        return;
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (!peer->up || !peer->greeted || peer->member != member)
            continue;
        if (peer->active)
            return;
        if (best == NULL)
            best = peer;
    }
    if (best == NULL)
        return;
    best->active = true;
    best->serving[sync->own] = true;
    best->sent[sync->own] = best->have[sync->own];
    engine_say_settle(sync, best, sync->own);
}

void engine_say_settle(struct sync *sync, struct peer *peer, unsigned member)
{
    const struct log *log = &sync->log[member];
    struct buffer message = {0};

    if (!log->has_settle || peer->member == member || (member == sync->own && peer->sent[member] < log->settle.size))
        return; /* one's own goes with its entries */
    message_put_settle(&message, member, &log->settle);
    engine_enqueue(peer, false, &message);
    buffer_free(&message);
}

void sync_load(struct sync *sync, unsigned member, const struct tree_frontier *frontier, const struct head *head)
{
    struct log *log = &sync->log[member];
    uint8_t root[HASH_SIZE];

    log->durable = *frontier;
    log->staged = *frontier;
    log->want_again = NEVER;
    tree_root(frontier, root);
    engine_remember(log, frontier->size, root);
    if (head == NULL)
        return;
    engine_note_head(log, head);
    engine_await(log, head, AWAITED_MAX);
}

void sync_await(struct sync *sync, unsigned member, const struct head *head)
{
    engine_await(&sync->log[member], head, AWAITED_MAX);
}

void sync_ask(struct sync *sync, const struct head *head)
{
    sync->own = NO_LOG;
    engine_note_head(&sync->log[sync->me], head);
    sync_await(sync, sync->me, head);
}

int sync_found(struct sync *sync, struct sync_chunk *chunk)
{
    struct sync_event event = {.kind = SYNC_ACCEPTED, .link = SYNC_LINKS_MAX, .member = chunk->member, .chunk = chunk};

    return engine_stage(sync, &event);
}

void sync_resume(struct sync *sync)
{
    sync->own = sync->me;
    engine_end_wants(sync, sync->me);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (!peer->up)
            continue;
        if (peer->have[sync->me] > sync->log[sync->me].durable.size)
            peer->have[sync->me] = sync->log[sync->me].durable.size; /* nobody has more than there is */
        engine_peer_has(sync, peer, sync->me, peer->have[sync->me]);
        engine_choose_active(sync, peer->member);
    }
}

void sync_link_up(struct sync *sync, unsigned link, unsigned member, struct now now)
{
    struct peer *peer = &sync->peer[link];

    sync->clock = now.monotonic;
    free_lanes(peer);
    memset(peer, 0, sizeof *peer);
    peer->up = true;
    peer->member = member;
}

void sync_link_down(struct sync *sync, unsigned link, struct now now)
{
    struct peer *peer = &sync->peer[link];

    peer->up = false;
    peer->active = false;
    free_lanes(peer);
    engine_choose_active(sync, peer->member);
    engine_want(sync, now.monotonic);
}

const struct sync_chunk *engine_cached(const struct sync *sync, const struct peer *peer)
{
    uint64_t from = peer->sent[sync->own];
    const struct sync_chunk *chunk = sync->cache_first;

    if (peer->cached != NULL && peer->cached->first <= from)
        chunk = peer->cached;
    for (; chunk != NULL && chunk->first <= from; chunk = chunk->next)
        if (from < chunk->first + chunk->count)
            return engine_fits(peer, chunk, (size_t)(from - chunk->first)) ? chunk : NULL;
    return NULL;
}

/* A flash goes out on every link at once: on the active one it overtakes what would go before it, or what is not wanted
 * there for now. */
void engine_ask_overtakes(struct sync *sync, unsigned link, uint64_t from)
{
    struct peer *peer = &sync->peer[link];
    const struct sync_chunk *next = NULL;
    unsigned oldest = sync->urgent_count > SYNC_PENDING_MAX ? sync->urgent_count - SYNC_PENDING_MAX : 0;

    if (sync->own == NO_LOG || !peer->up || !peer->greeted || peer->have[sync->own] == 0)
        return;
    next = engine_cached(sync, peer);
    for (unsigned i = oldest; i < sync->urgent_count; i++) {
        uint64_t index = sync->urgent[i % SYNC_PENDING_MAX];
        struct sync_event event = {.kind = SYNC_OVERTAKE, .link = link, .member = sync->own, .first = index};

        if (index < from || (peer->serving[sync->me] && next != NULL && index < next->first + next->count))
            continue;
        event.base = peer->have[sync->own];
        (void)engine_event(sync, &event);
    }
}

void sync_append(struct sync *sync, struct sync_chunk *chunk, uint64_t urgent)
{
    struct log *log = &sync->log[sync->own];

    log->durable = chunk->after;
    log->staged = chunk->after;
    engine_note_head(log, &chunk->head);
    engine_remember(log, chunk->head.size, chunk->head.root);
    if (sync->cache_last != NULL)
        sync->cache_last->next = chunk;
    else
        sync->cache_first = chunk;
    sync->cache_last = chunk;
    sync->cache_bytes += chunk_memory(chunk);
    if (urgent != UINT64_MAX) {
        sync->urgent[sync->urgent_count++ % SYNC_PENDING_MAX] = urgent;
        for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
            engine_ask_overtakes(sync, i, urgent);
    }
    drop_old_cache(sync);
}

void sync_settle(struct sync *sync, const struct head *head)
{
    for (struct sync_chunk *chunk = sync->cache_first; chunk != NULL; chunk = chunk->next)
        if (chunk->head.size == head->size)
            chunk->settle = true;
    sync_forward_settle(sync, sync->own, head, SYNC_LINKS_MAX);
}

void sync_forward_settle(struct sync *sync, unsigned member, const struct head *head, unsigned except_link)
{
    struct log *log = &sync->log[member];

    if (!log->has_settle || head->size > log->settle.size)
        log->settle = *head;
    log->has_settle = true;
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (i != except_link && peer->up && peer->greeted)
            engine_say_settle(sync, peer, member);
    }
    engine_forward_receipts(sync, member, head, except_link);
}

void sync_stored(struct sync *sync, const struct sync_chunk *chunk)
{
    struct log *log = &sync->log[chunk->member];
    bool exact = chunk->head.size == chunk->after.size;

    log->durable = chunk->after;
    log->spent_durable = chunk->spent;
    log->staged_bytes -= engine_staged_size(chunk);
    log->staged_chunks--;
    engine_drop_awaited(log);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        /* To the author a receipt says it, wherever there is a head to receipt. Who is being greeted is told after. */
        if (peer->up && peer->hello_sent && (peer->member != chunk->member || !exact))
            peer->have_due[chunk->member] = true;
    }
}

void sync_forget_staged(struct sync *sync)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        sync->log[member].staged = sync->log[member].durable;
        sync->log[member].spent = sync->log[member].spent_durable;
        sync->log[member].staged_bytes = 0;
        sync->log[member].staged_chunks = 0;
    }
    for (struct queued_event **at = &sync->event_first; *at != NULL;) {
        struct queued_event *queued = *at;

        if (queued->event.kind != SYNC_ACCEPTED) {
            sync->event_last = queued;
            at = &queued->next;
            continue;
        }
        *at = queued->next;
        sync_chunk_free(queued->event.chunk);
        free(queued);
    }
    if (sync->event_first == NULL)
        sync->event_last = NULL;
}

void sync_mend(struct sync *sync, unsigned member, uint64_t index)
{
    struct buffer message = {0};

    sync->log[member].mending = true;
    sync->log[member].mend = index;
    message_put_size(&message, MESSAGE_FETCH, member, index);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (sync->peer[i].up && sync->peer[i].greeted)
            engine_enqueue(&sync->peer[i], true, &message);
    buffer_free(&message);
}

uint64_t sync_durable(const struct sync *sync, unsigned member)
{
    return sync->log[member].durable.size;
}

uint64_t sync_receipted(const struct sync *sync, unsigned member, unsigned by)
{
    return sync->log[member].receipted[by];
}

uint64_t sync_carried(const struct sync *sync)
{
    return sync->carried;
}

const struct tree_frontier *sync_staged(const struct sync *sync, unsigned member)
{
    return &sync->log[member].staged;
}

const struct tree_frontier *sync_frontier(const struct sync *sync, unsigned member)
{
    return &sync->log[member].durable;
}

const struct head *sync_head(const struct sync *sync, unsigned member)
{
    return sync->log[member].has_head ? &sync->log[member].head : NULL;
}
