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

static bool put_due(struct sync *sync, struct peer *peer, struct buffer *out)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        const struct log *log = &sync->log[member];

        if (peer->receipt_due[member]) {
            peer->receipt_due[member] = false;
            message_put_receipt(out, member, log->receipt_point.size, log->receipt_point.root, &log->receipt);
            return true;
        }
        if (peer->have_due[member]) {
            peer->have_due[member] = false;
            message_put_size(out, MESSAGE_HAVE, member, log->durable.size);
            return true;
        }
    }
    return false;
}

static bool window_is_open(const struct peer *peer)
{
    return peer->flight_bytes < SYNC_WINDOW && peer->flight_count < SYNC_FLIGHTS_MAX;
}

static void fly(struct peer *peer, unsigned member, uint64_t end, size_t bytes)
{
    struct flight *flight = &peer->flight[(peer->flight_first + peer->flight_count++) % SYNC_FLIGHTS_MAX];

    *flight = (struct flight){.member = member, .end = end, .bytes = bytes};
    peer->flight_bytes += bytes;
    peer->sent[member] = end;
}

static bool put_chunk(struct peer *peer, const struct sync_chunk *chunk, const struct tree_proof *proof,
                      struct buffer *out)
{
    size_t skip = (size_t)(peer->sent[chunk->member] - chunk->first);
    size_t count = chunk->count - skip;
    struct span *entry = calloc(count, sizeof *entry);
    size_t before = out->size;

    if (entry == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        entry[i] = sync_chunk_entry(chunk, skip + i);
    message_put_entries(out, chunk->member, chunk->first + skip, entry, count, &chunk->head, chunk->settle, proof);
    free(entry);
    fly(peer, chunk->member, chunk->first + chunk->count, out->size - before);
    return true;
}

static bool put_cached(struct sync *sync, struct peer *peer, struct buffer *out)
{
    static const struct tree_proof none;
    uint64_t from = peer->sent[sync->me];

    for (struct sync_chunk *chunk = sync->cache_first; chunk != NULL; chunk = chunk->next)
        if (chunk->first <= from && from < chunk->first + chunk->count)
            return put_chunk(peer, chunk, &none, out);
    return false;
}

static bool put_entries(struct sync *sync, unsigned link, struct buffer *out)
{
    struct peer *peer = &sync->peer[link];

    if (!window_is_open(peer))
        return false;
    for (unsigned i = 0; i < sync->charter->member_count; i++) {
        unsigned member = (sync->me + i) % sync->charter->member_count; /* one's own first */
        struct sync_event event = {.kind = SYNC_NEED, .link = link, .member = member, .first = peer->sent[member]};

        if (!peer->serving[member] || peer->sent[member] >= sync->log[member].durable.size)
            continue;
        if (member == sync->me && put_cached(sync, peer, out))
            return true;
        if (!peer->needing[member])
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
    if (chunk == NULL || chunk->first > peer->sent[member] || chunk->first + chunk->count <= peer->sent[member])
        goto out;
    if (put_chunk(peer, chunk, proof, &message))
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
