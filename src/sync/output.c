/*
 * What goes. Urgent: the greeting, what overtakes, receipts. Else: settle heads and what is forwarded, behind the
 * entries they speak of; entries, one's own before others'.
 */
#include <stdlib.h>

#include "sync/engine.h"

static void put_hello(const struct sync *sync, struct buffer *out)
{
    struct hello_log logs[MEMBERS_MAX];

    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        logs[member].size = sync->log[member].durable.size;
        logs[member].has_head = sync->log[member].has_head;
        logs[member].head = sync->log[member].head;
    }
    message_put_hello(out, logs, sync->charter->member_count);
}

static bool put_queued(struct lane *lane, struct buffer *out)
{
    struct cursor cursor = cursor_of(span_from(buffer_span(&lane->queue), lane->at));
    uint32_t size = 0;

    if (cursor.left == 0)
        return false;
    size = cursor_u32(&cursor);
    buffer_put_span(out, cursor_span(&cursor, size));
    lane->at += 4 + (size_t)size;
    return true;
}

static bool put_receipt(const struct sync *sync, struct peer *peer, unsigned member, struct buffer *out)
{
    for (unsigned by = 0; by < sync->charter->member_count; by++) {
        const struct receipts *receipts = &sync->log[member].receipts[by];

        if ((peer->receipt_due[member] & 1u << by) == 0)
            continue;
        peer->receipt_due[member] &= (uint16_t) ~(1u << by);
        message_put_receipt(out, member, receipts->point.size, receipts->point.root, &receipts->newest);
        return true;
    }
    return false;
}

static bool put_due(struct sync *sync, struct peer *peer, struct buffer *out)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        if (put_receipt(sync, peer, member, out))
            return true;
        if (peer->have_due[member]) {
            peer->have_due[member] = false;
            message_put_size(out, MESSAGE_HAVE, member, sync->log[member].durable.size);
            return true;
        }
    }
    return false;
}

/* Whether one more message of entries has room, beside those that are being read for the link. */
static bool window_is_open(const struct peer *peer)
{
    unsigned needs = 0;

    for (unsigned member = 0; member < MEMBERS_MAX; member++)
        needs += peer->needing[member];
    return peer->flight_bytes + (needs + 1) * (size_t)ENTRIES_BYTES_MAX <= SYNC_WINDOW &&
           peer->flight_count + needs < SYNC_FLIGHTS_MAX;
}

static void fly(struct peer *peer, unsigned member, uint64_t end, size_t bytes)
{
    struct flight *flight = &peer->flight[(peer->flight_first + peer->flight_count++) % SYNC_FLIGHTS_MAX];

    *flight = (struct flight){.member = member, .end = end, .bytes = bytes};
    peer->flight_bytes += bytes;
    peer->sent[member] = end;
}

static bool put_chunk(struct sync *sync, struct peer *peer, const struct sync_chunk *chunk,
                      const struct tree_proof *proof, struct buffer *out)
{
    const struct log *log = &sync->log[chunk->member];
    bool settle = chunk->settle || (log->has_settle && log->settle.size == chunk->head.size);
    size_t skip = (size_t)(peer->sent[chunk->member] - chunk->first);
    size_t count = chunk->count - skip;
    struct span *entry = calloc(count, sizeof *entry);
    size_t bytes = 0;

    if (entry == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        entry[i] = sync_chunk_entry(chunk, skip + i);
        bytes += entry[i].size;
    }
    message_put_entries(out, chunk->member, chunk->first + skip, entry, count, &chunk->head, settle, proof);
    free(entry);
    fly(peer, chunk->member, chunk->first + chunk->count, bytes);
    if (chunk->member == sync->own && peer->sent[sync->own] > sync->carried)
        sync->carried = peer->sent[sync->own];
    return true;
}

static bool put_cached(struct sync *sync, struct peer *peer, struct buffer *out)
{
    static const struct tree_proof none;
    const struct sync_chunk *chunk = engine_cached(sync, peer);

    if (chunk == NULL || !put_chunk(sync, peer, chunk, &none, out))
        return false;
    peer->cached = chunk;
    return true;
}

static bool put_entries(struct sync *sync, unsigned link, struct buffer *out)
{
    struct peer *peer = &sync->peer[link];

    for (unsigned i = 0; i < sync->charter->member_count && window_is_open(peer); i++) {
        unsigned member = (sync->me + i) % sync->charter->member_count; /* one's own first */
        struct sync_event event = {.kind = SYNC_NEED, .link = link, .member = member};

        if (!peer->serving[member] || peer->needing[member] || peer->barren[member])
            continue;
        if (member != sync->own && peer->sent[member] < peer->have[member])
            peer->sent[member] = peer->have[member]; /* it came there another way */
        if (peer->sent[member] >= sync->log[member].durable.size)
            continue;
        if (member == sync->own && put_cached(sync, peer, out))
            return true;
        event.first = peer->sent[member];
        event.most = engine_message_most(peer);
        peer->needing[member] = engine_event(sync, &event) == 0;
    }
    return false;
}

bool sync_output(struct sync *sync, unsigned link, bool urgent, struct buffer *message)
{
    struct peer *peer = &sync->peer[link];

    if (!peer->up)
        return false;
    if (urgent && !peer->hello_sent) {
        peer->hello_sent = true;
        put_hello(sync, message);
        return true;
    }
    if (!peer->greeted || !peer->hello_sent)
        return false;
    if (put_queued(&peer->lane[urgent], message))
        return true;
    return urgent ? put_due(sync, peer, message) : put_entries(sync, link, message);
}

void sync_serve(struct sync *sync, unsigned link, unsigned member, struct sync_chunk *chunk,
                const struct tree_proof *proof)
{
    struct peer *peer = &sync->peer[link];
    struct buffer message = {0};

    if (!peer->up)
        goto out; /* and perhaps another link has its number by now: what it needs it asks for itself */
    peer->needing[member] = false;
    /* Asked for on a link that had the number before, perhaps: then it may be unwanted here, and has no room. */
    if (!peer->serving[member] || !window_is_open(peer))
        goto out;
    if (chunk == NULL) { /* no head proves it, or it is broken: asked again at once, it would be for ever */
        peer->barren[member] = true;
        if (sync->retry.us == 0)
            sync->retry = monotonic_after(sync->clock, SYNC_RETRY_US);
        goto out;
    }
    if (chunk->first > peer->sent[member] || chunk->first + chunk->count <= peer->sent[member] ||
        !engine_fits(peer, chunk, (size_t)(peer->sent[member] - chunk->first)))
        goto out;
    if (put_chunk(sync, peer, chunk, proof, &message))
        engine_enqueue(peer, false, &message);
out:
    buffer_free(&message);
    sync_chunk_free(chunk);
}

void sync_overtake(struct sync *sync, unsigned link, struct span message)
{
    struct peer *peer = &sync->peer[link];
    struct buffer copy = {0};

    peer->fetching = false;
    if (!peer->up || !peer->greeted || message.size == 0)
        return;
    buffer_put_span(&copy, message);
    engine_enqueue(peer, true, &copy);
    buffer_free(&copy);
}
