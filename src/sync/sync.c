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

bool sync_event(struct sync *sync, struct sync_event *event)
{
    struct queued_event *queued = sync->event_first;

    if (queued == NULL)
        return false;
    *event = queued->event;
    sync->event_first = queued->next;
    if (sync->event_first == NULL)
        sync->event_last = NULL;
    free(queued);
    return true;
}

void engine_remember(struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE])
{
    struct point *point = &log->recent[log->recent_next++ % RECENT_MAX];

    point->size = size;
    memcpy(point->root, root, HASH_SIZE);
}

bool engine_has_root(const struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE])
{
    for (unsigned i = 0; i < RECENT_MAX; i++)
        if (log->recent[i].size == size && size > 0)
            return memcmp(log->recent[i].root, root, HASH_SIZE) == 0;
    return false;
}

bool engine_verify_head(const struct sync *sync, unsigned member, const struct head *head)
{
    const struct log *log = &sync->log[member];
    char origin[ORIGIN_SIZE];

    if (log->has_head && memcmp(&log->head, head, sizeof *head) == 0)
        return true;
    charter_origin(sync->charter, member, 0, origin);
    return head_verify(head, origin, sync->charter->members[member].log_key);
}

void engine_note_head(struct log *log, const struct head *head)
{
    if (!log->has_head || head->size > log->head.size) {
        log->head = *head;
        log->has_head = true;
    }
}

void engine_enqueue(struct peer *peer, bool urgent, const struct buffer *message)
{
    struct lane *lane = &peer->lane[urgent];

    if (buffer_failed(message))
        return; /* as if the link had lost it: said again after the next break */
    if (lane->at == lane->queue.size) {
        buffer_reset(&lane->queue);
        lane->at = 0;
    }
    buffer_put_u32(&lane->queue, (uint32_t)message->size);
    buffer_put(&lane->queue, message->data, message->size);
}

void engine_peer_has(struct sync *sync, struct peer *peer, unsigned member, uint64_t size)
{
    if (size > peer->have[member])
        peer->have[member] = size;
    while (peer->flight_count > 0) {
        struct flight *oldest = &peer->flight[peer->flight_first];

        if (oldest->end > peer->have[oldest->member])
            break;
        peer->flight_bytes -= oldest->bytes;
        peer->flight_first = (peer->flight_first + 1) % SYNC_FLIGHTS_MAX;
        peer->flight_count--;
    }
    /* What one link learns holds for the member's other links too. */
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (sync->peer[i].up && sync->peer[i].member == peer->member && sync->peer[i].have[member] < size)
            sync->peer[i].have[member] = size;
}

void engine_choose_active(struct sync *sync, unsigned member)
{
    struct peer *best = NULL;

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
    best->serving[sync->me] = true;
    best->sent[sync->me] = best->have[sync->me];
}

void engine_want(struct sync *sync, struct monotonic now)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        struct log *log = &sync->log[member];
        struct peer *best = NULL;
        bool author_here = member == sync->me;

        for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
            struct peer *peer = &sync->peer[i];

            if (!peer->up || !peer->greeted)
                continue;
            author_here |= peer->member == member;
            if (peer->have[member] > log->staged.size && (best == NULL || peer->have[member] > best->have[member]))
                best = peer;
        }
        if (author_here || best == NULL) {
            log->wanted = false;
            log->want_again = NEVER;
            continue;
        }
        if (log->wanted && sync->peer[log->want_link].up && now.us < log->want_again.us)
            continue;
        log->wanted = true;
        log->want_link = (unsigned)(best - sync->peer);
        log->want_again = monotonic_after(now, SYNC_WANT_AGAIN_US);
        {
            struct buffer message = {0};

            message_put_size(&message, MESSAGE_WANT, member, log->staged.size);
            engine_enqueue(best, true, &message);
            buffer_free(&message);
        }
    }
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
    if (head->size > frontier->size && log->awaited_count < SYNC_PENDING_MAX)
        log->awaited[log->awaited_count++] = *head;
}

void sync_load_receipt(struct sync *sync, unsigned member, uint64_t size, const uint8_t root[static HASH_SIZE],
                       const struct receipt *receipt)
{
    struct log *log = &sync->log[member];

    if (size > log->receipted[receipt->by])
        log->receipted[receipt->by] = size;
    if (receipt->by != sync->me || size < log->receipt_point.size)
        return;
    log->has_receipt = true;
    log->receipt = *receipt;
    log->receipt_point.size = size;
    memcpy(log->receipt_point.root, root, HASH_SIZE);
}

void sync_link_up(struct sync *sync, unsigned link, unsigned member, struct now now)
{
    struct peer *peer = &sync->peer[link];

    (void)now;
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

static void drop_old_cache(struct sync *sync)
{
    while (sync->cache_bytes > SYNC_CACHE && sync->cache_first != sync->cache_last) {
        struct sync_chunk *oldest = sync->cache_first;

        sync->cache_first = oldest->next;
        sync->cache_bytes -= oldest->bytes.size;
        sync_chunk_free(oldest);
    }
}

/* A flash goes out on every link at once: on the active one it overtakes what is not yet sent. */
static void ask_overtakes(struct sync *sync, uint64_t urgent, uint64_t first)
{
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];
        struct sync_event event = {.kind = SYNC_OVERTAKE, .link = i, .member = sync->me, .first = urgent};

        if (!peer->up || !peer->greeted || peer->have[sync->me] == 0 || (peer->active && peer->sent[sync->me] >= first))
            continue;
        event.base = peer->have[sync->me];
        (void)engine_event(sync, &event);
    }
}

void sync_append(struct sync *sync, struct sync_chunk *chunk, uint64_t urgent)
{
    struct log *log = &sync->log[sync->me];

    log->durable = chunk->after;
    log->staged = chunk->after;
    engine_note_head(log, &chunk->head);
    engine_remember(log, chunk->head.size, chunk->head.root);
    if (sync->cache_last != NULL)
        sync->cache_last->next = chunk;
    else
        sync->cache_first = chunk;
    sync->cache_last = chunk;
    sync->cache_bytes += chunk->bytes.size;
    if (urgent != UINT64_MAX)
        ask_overtakes(sync, urgent, chunk->first);
    drop_old_cache(sync);
}

void sync_settle(struct sync *sync, const struct head *head)
{
    for (struct sync_chunk *chunk = sync->cache_first; chunk != NULL; chunk = chunk->next)
        if (chunk->head.size == head->size)
            chunk->settle = true;
    sync_forward_settle(sync, sync->me, head, SYNC_LINKS_MAX);
}

void sync_forward_settle(struct sync *sync, unsigned member, const struct head *head, unsigned except_link)
{
    struct buffer message = {0};

    message_put_settle(&message, member, head);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        /* One's own goes where one's own log goes, behind the entries; others' everywhere but to their author. */
        if (i == except_link || !peer->up || !peer->greeted || peer->member == member)
            continue;
        if (member == sync->me ? (peer->active && peer->sent[member] >= head->size) : true)
            engine_enqueue(peer, false, &message);
    }
    buffer_free(&message);
}

void sync_stored(struct sync *sync, const struct sync_chunk *chunk)
{
    struct log *log = &sync->log[chunk->member];
    bool exact = chunk->head.size == chunk->after.size;

    log->durable = chunk->after;
    log->staged_bytes -= chunk->bytes.size;
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        /* To the author a receipt says it, wherever there is a head to receipt. */
        if (peer->up && peer->greeted && (peer->member != chunk->member || !exact))
            peer->have_due[chunk->member] = true;
    }
}

void sync_forward_receipt(struct sync *sync, unsigned member, const struct head *head, const struct receipt *receipt,
                          unsigned except_link)
{
    struct buffer message = {0};

    message_put_receipt(&message, member, head->size, head->root, receipt);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (i != except_link && sync->peer[i].up && sync->peer[i].greeted && sync->peer[i].member != receipt->by)
            engine_enqueue(&sync->peer[i], false, &message);
    buffer_free(&message);
}

void sync_forward_own_receipt(struct sync *sync, unsigned member, uint64_t size)
{
    const struct log *log = &sync->log[member];
    struct head head = {.size = size};

    if (!log->has_receipt || log->receipt_point.size != size)
        return;
    memcpy(head.root, log->receipt_point.root, HASH_SIZE);
    sync_forward_receipt(sync, member, &head, &log->receipt, SYNC_LINKS_MAX);
}

void sync_forget_staged(struct sync *sync)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        sync->log[member].staged = sync->log[member].durable;
        sync->log[member].staged_bytes = 0;
    }
}

void sync_receipt(struct sync *sync, unsigned member, const struct head *head, const struct receipt *receipt,
                  bool settle)
{
    struct log *log = &sync->log[member];
    struct buffer message = {0};

    sync_load_receipt(sync, member, head->size, head->root, receipt);
    message_put_receipt(&message, member, head->size, head->root, receipt);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (!peer->up || !peer->greeted)
            continue;
        if (settle)
            engine_enqueue(peer, false, &message);
        else if (peer->member == member)
            peer->receipt_due[member] = log->has_receipt;
    }
    buffer_free(&message);
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

struct monotonic sync_next(const struct sync *sync)
{
    struct monotonic next = NEVER;

    for (unsigned member = 0; member < sync->charter->member_count; member++)
        if (sync->log[member].wanted)
            next = monotonic_earlier(next, sync->log[member].want_again);
    return next;
}

void sync_step(struct sync *sync, struct now now)
{
    engine_want(sync, now.monotonic);
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
    uint64_t most = 0;

    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++)
        if (sync->peer[i].up && sync->peer[i].sent[sync->me] > most)
            most = sync->peer[i].sent[sync->me];
    return most;
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
