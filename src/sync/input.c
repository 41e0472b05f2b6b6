/*
 * What comes: each message is checked against what is known, and changes it or is void.
 */
#include "sync/engine.h"

/* How many heads beyond what is held are awaited at most, when one comes from this link: an author that shows many of
 * its own leaves room for those that others show of it, which are the ones that give two histories away. */
static unsigned most_awaited(const struct sync *sync, unsigned link, unsigned member)
{
    return sync->peer[link].member == member ? AWAITED_OWN_MAX : AWAITED_SHOWN_MAX;
}

static int take_hello(struct sync *sync, unsigned link, const struct message *message, struct now now,
                      struct error *error)
{
    struct peer *peer = &sync->peer[link];

    if (peer->greeted)
        return error_set(error, ERROR_INVALID, "it greeted twice");
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        const struct hello_log *said = &message->hello[member];
        bool forked = false;

        if (said->has_head && !engine_has_root(&sync->log[member], said->head.size, said->head.root) &&
            engine_take_head(sync, link, member, &said->head, most_awaited(sync, link, member), &forked, error) != 0)
            return -1;
        engine_peer_has(sync, peer, member, said->size);
    }
    peer->greeted = true;
    engine_choose_active(sync, peer->member);
    engine_end_wants(sync, peer->member);
    engine_want(sync, now.monotonic);
    /* What was said while the other was away is said again, as far as it still matters. */
    for (unsigned member = 0; member < sync->charter->member_count; member++)
        if (member != sync->own)
            engine_say_settle(sync, peer, member);
    engine_all_receipts(sync, peer);
    engine_ask_overtakes(sync, link, sync->own == NO_LOG ? 0 : peer->have[sync->own]);
    return 0;
}

/* Whether a head that its author signed proves the chunk: at its end exactly, or by consistency. */
static bool proves(const struct sync_chunk *chunk, const struct tree_proof *proof)
{
    uint8_t root[HASH_SIZE];

    tree_root(&chunk->after, root);
    return tree_verify_consistency(chunk->after.size, root, chunk->head.size, chunk->head.root, proof);
}

/* The sender is wrong about the log. Its author is put off, and cannot be honest: it signed that head, and what it sent
 * before. Another member may be honest and the author false, so that only this log is not taken from it any more.
 * Either way people are told. */
static int refuse(struct sync *sync, unsigned link, const struct message *message, struct error *error,
                  const char *reason)
{
    struct peer *peer = &sync->peer[link];
    unsigned member = message->member;
    struct sync_event event = {.kind = SYNC_ALARM, .link = link, .member = peer->member, .author = member};

    if (peer->member == member) {
        if (engine_alarm(sync, member, &message->head,
                         "it sends what does not follow what it sent before: it has two histories, or its office is "
                         "broken") != 0)
            return error_set(error, ERROR_SYSTEM, "there is no memory left");
        return error_set(error, ERROR_MISMATCH, "%s", reason);
    }
    if (engine_event(sync, &event) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    engine_refuse(peer, member);
    return 0;
}

/* Adds the entries that are not held yet. *met: every head that was shown before is one of this log. */
static int read_chunk(struct log *log, struct message *message, struct sync_chunk *chunk, bool *met,
                      struct error *error)
{
    *met = true;
    for (size_t i = 0; i < message->count; i++) {
        struct span entry = message_entry(message);

        if (message->first + i < log->staged.size)
            continue; /* held already */
        if (sync_chunk_add(chunk, entry) != 0)
            return error_set(error, ERROR_SYSTEM, "there is no memory left");
        tree_append(&chunk->after, chunk->leaf[chunk->count - 1]);
        *met = *met && engine_meets_awaited(log, &chunk->after);
    }
    return 0;
}

int engine_stage(struct sync *sync, const struct sync_event *event)
{
    struct log *log = &sync->log[event->member];
    uint8_t root[HASH_SIZE];

    if (engine_event(sync, event) != 0)
        return -1;
    log->staged = event->chunk->after;
    log->staged_bytes += engine_staged_size(event->chunk);
    log->staged_chunks++;
    tree_root(&log->staged, root);
    engine_remember(log, log->staged.size, root);
    engine_note_head(log, &event->chunk->head);
    return 0;
}

static int accept_chunk(struct sync *sync, unsigned link, struct sync_chunk **chunk, struct now now,
                        struct error *error)
{
    struct log *log = &sync->log[(*chunk)->member];
    struct sync_event event = {.kind = SYNC_ACCEPTED, .link = link, .member = (*chunk)->member, .chunk = *chunk};

    if (log->staged_bytes + engine_staged_size(*chunk) > SYNC_STAGED_MAX || log->staged_chunks == STAGED_CHUNKS_MAX)
        return error_set(error, ERROR_INVALID, "it sends more than was agreed without waiting");
    if (engine_spend(sync, *chunk, now, error) != 0)
        return -1;
    if (log->delayed) {
        engine_put_off(&sync->peer[link], event.member);
        return 0;
    }
    (*chunk)->spent = log->spent;
    if (engine_stage(sync, &event) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    engine_await(log, &(*chunk)->head, most_awaited(sync, link, event.member));
    *chunk = NULL; /* the event's */
    return engine_early_receipts(sync, event.member, error);
}

static int take_chunk(struct sync *sync, unsigned link, struct message *message, struct sync_chunk **chunk,
                      struct now now, struct error *error)
{
    bool met = false;

    (*chunk)->head = message->head;
    (*chunk)->settle = message->settle;
    (*chunk)->after = sync->log[message->member].staged;
    if (read_chunk(&sync->log[message->member], message, *chunk, &met, error) != 0)
        return -1;
    if (!proves(*chunk, &message->proof))
        return refuse(sync, link, message, error, "the entries it sent are not those its head commits to");
    if (!met) {
        engine_fork_in_chunk(&sync->log[message->member], *chunk, &message->proof);
        if (engine_alarm(sync, message->member, &message->head,
                         "it signed two histories: a head shown earlier is not one of the log it sends") != 0)
            return error_set(error, ERROR_SYSTEM, "there is no memory left");
        return refuse(sync, link, message, error, "its log does not lead to a head it signed before");
    }
    return accept_chunk(sync, link, chunk, now, error);
}

static int take_settle(struct sync *sync, unsigned link, const struct message *message, struct now now,
                       struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    struct sync_event event = {.kind = SYNC_SETTLE, .link = link, .member = message->member, .head = message->head};
    bool forked = false;

    if (engine_take_head(sync, link, message->member, &message->head, most_awaited(sync, link, message->member),
                         &forked, error) != 0)
        return -1;
    if (forked || message->member == sync->own)
        return 0;
    engine_peer_has(sync, peer, message->member, message->head.size);
    if (message->head.size > log->staged.size) {
        engine_want(sync, now.monotonic);
        return 0;
    }
    if (!engine_has_root(log, message->head.size, message->head.root))
        return 0; /* passed, and forgotten: a newer one covers it */
    return engine_event(sync, &event) == 0 ? 0 : error_set(error, ERROR_SYSTEM, "there is no memory left");
}

static int take_entries(struct sync *sync, unsigned link, struct message *message, struct now now, struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    uint64_t end = message->first + message->count;
    struct sync_chunk *chunk = NULL;
    bool forked = false;
    int result = 0;

    if (message->member == sync->own || peer->refused[message->member])
        return 0;
    if (log->delayed && end > log->staged.size) {
        engine_put_off(peer, message->member);
        return 0;
    }
    if (message->first > log->staged.size) { /* a gap: something was lost between links */
        struct buffer want = {0};

        if (peer->gap[message->member] == log->staged.size + 1)
            return 0; /* asked already */
        peer->gap[message->member] = log->staged.size + 1;
        message_put_size(&want, MESSAGE_WANT, message->member, log->staged.size);
        engine_enqueue(peer, true, &want);
        buffer_free(&want);
        return 0;
    }
    if (end <= log->staged.size) {
        engine_peer_has(sync, peer, message->member, end);
        peer->have_due[message->member] = true; /* it does not know yet */
        return message->settle ? take_settle(sync, link, message, now, error) : 0;
    }
    if (engine_check_head(sync, link, message->member, &message->head, &forked, error) != 0)
        return -1;
    if (forked)
        return refuse(sync, link, message, error, "it sent a head that contradicts one it signed before");
    chunk = sync_chunk_new(message->member, log->staged.size, (size_t)(end - log->staged.size));
    if (chunk == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    result = take_chunk(sync, link, message, &chunk, now, error);
    sync_chunk_free(chunk);
    if (result == 0 && !peer->refused[message->member])
        engine_peer_has(sync, peer, message->member, end); /* it has what it could prove */
    return result;
}

/* An entry that is broken here, from another's copy: true if its path leads to a root that is ours. */
static int take_mended(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct log *log = &sync->log[message->member];
    struct sync_event event = {.kind = SYNC_MENDED, .link = link, .member = message->member, .first = message->first};
    uint8_t root[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];

    tree_leaf(leaf, message->entry);
    if (!engine_known_root(log, message->head.size, root) ||
        !tree_verify_inclusion(leaf, message->first, message->head.size, &message->proof, root))
        return 0;
    event.chunk = sync_chunk_new(message->member, message->first, 1);
    if (event.chunk == NULL || sync_chunk_add(event.chunk, message->entry) != 0 || engine_event(sync, &event) != 0) {
        sync_chunk_free(event.chunk);
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    }
    log->mending = false;
    return 0;
}

static int take_overtake(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct log *log = &sync->log[message->member];
    struct sync_event event = {
        .kind = SYNC_PENDING, .link = link, .member = message->member, .first = message->first, .head = message->head};
    uint8_t root[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];
    unsigned most = sync->peer[link].member == message->member ? SYNC_PENDING_MAX : SYNC_PENDING_MAX / 2;
    bool forked = false;

    if (log->mending && log->mend == message->first)
        return take_mended(sync, link, message, error);
    /* What is held already, or cannot be tied to what is held, waits for its turn. */
    if (message->member == sync->me || message->first < log->staged.size ||
        !engine_known_root(log, message->base, root))
        return 0;
    tree_leaf(leaf, message->entry);
    if (!tree_verify_inclusion(leaf, message->first, message->head.size, &message->proof, message->head.root) ||
        !tree_verify_consistency(message->base, root, message->head.size, message->head.root, &message->consistency))
        return error_set(error, ERROR_MISMATCH, "it sent an overtaking entry whose proof does not hold");
    for (unsigned i = 0; i < log->pending_count; i++)
        if (log->pending[i] == message->first)
            return 0;
    /* Others leave room for the author, whose flash it may be. */
    if (log->pending_count >= most || log->awaited_count == AWAITED_MAX)
        return 0; /* shown only under a head that is remembered: else its author could take it back */
    if (engine_take_head(sync, link, message->member, &message->head, AWAITED_MAX, &forked, error) != 0)
        return -1;
    if (forked)
        return refuse(sync, link, message, error, "it sent a head that contradicts one it signed before");
    event.chunk = sync_chunk_new(message->member, message->first, 1);
    if (event.chunk == NULL || sync_chunk_add(event.chunk, message->entry) != 0 || engine_event(sync, &event) != 0) {
        sync_chunk_free(event.chunk);
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    }
    log->pending[log->pending_count++] = message->first;
    return 0;
}

static int take_fetch(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct sync_event event = {.kind = SYNC_OVERTAKE, .link = link, .member = message->member, .first = message->first};

    if (peer->fetching || message->first >= sync->log[message->member].durable.size)
        return 0;
    peer->fetching = true;
    return engine_event(sync, &event) == 0 ? 0 : error_set(error, ERROR_SYSTEM, "there is no memory left");
}

int sync_input(struct sync *sync, unsigned link, struct span bytes, struct now now, struct error *error)
{
    struct message *message = sync->message;
    struct peer *peer = &sync->peer[link];

    sync->clock = now.monotonic;
    if (message_read(message, bytes, sync->charter->member_count, error) != 0)
        return -1;
    if (!peer->greeted && message->type != MESSAGE_HELLO)
        return error_set(error, ERROR_INVALID, "it did not greet first");
    switch (message->type) {
    case MESSAGE_HELLO:
        return take_hello(sync, link, message, now, error);
    case MESSAGE_ENTRIES:
        return take_entries(sync, link, message, now, error);
    case MESSAGE_SETTLE:
        return take_settle(sync, link, message, now, error);
    case MESSAGE_RECEIPT:
        return engine_take_receipt(sync, link, message, error);
    case MESSAGE_HAVE:
        engine_peer_has(sync, peer, message->member, message->first);
        engine_want(sync, now.monotonic);
        return 0;
    case MESSAGE_WANT:
        engine_take_want(sync, peer, message->member, message->first);
        return 0;
    case MESSAGE_OVERTAKE:
        return take_overtake(sync, link, message, error);
    case MESSAGE_FETCH:
        break;
    }
    return take_fetch(sync, link, message, error);
}
