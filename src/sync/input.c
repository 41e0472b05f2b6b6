/*
 * What comes: each message is checked against what is known, and changes it or is void.
 */
#include "sync/engine.h"

/* The first frame on every link names the highest heads known. If ours is above our log, we were restored. */
static int take_own_head(struct sync *sync, unsigned link, const struct head *head)
{
    struct log *log = &sync->log[sync->me];
    struct sync_event event = {.kind = SYNC_OWN_AHEAD, .link = link, .member = sync->me, .head = *head};
    bool ahead = head->size > log->durable.size;
    bool other = log->has_head && head->size == log->head.size && memcmp(head->root, log->head.root, HASH_SIZE) != 0;

    if ((!ahead && !other) || !engine_verify_head(sync, sync->me, head))
        return 0;
    return engine_event(sync, &event);
}

/* A verified head beyond what is held must be met later. */
static void await_head(struct log *log, const struct head *head)
{
    if (head->size <= log->staged.size || log->awaited_count == SYNC_PENDING_MAX)
        return;
    for (unsigned i = 0; i < log->awaited_count; i++)
        if (log->awaited[i].size == head->size)
            return;
    log->awaited[log->awaited_count++] = *head;
}

static int take_hello(struct sync *sync, unsigned link, const struct message *message, struct now now,
                      struct error *error)
{
    struct peer *peer = &sync->peer[link];

    if (peer->greeted)
        return error_set(error, ERROR_INVALID, "it greeted twice");
    peer->greeted = true;
    for (unsigned member = 0; member < sync->charter->member_count; member++) {
        const struct hello_log *said = &message->hello[member];
        struct log *log = &sync->log[member];

        engine_peer_has(sync, peer, member, said->size);
        if (said->has_head && member == sync->me) {
            if (take_own_head(sync, link, &said->head) != 0)
                return error_set(error, ERROR_SYSTEM, "there is no memory left");
        } else if (said->has_head && said->head.size > log->staged.size &&
                   engine_verify_head(sync, member, &said->head)) {
            engine_note_head(log, &said->head);
            await_head(log, &said->head);
        }
        if (peer->member == member && log->has_receipt)
            peer->receipt_due[member] = true;
    }
    engine_choose_active(sync, peer->member);
    engine_want(sync, now.monotonic);
    return 0;
}

/* As the log passes a size for which a head was shown before, that head must be true. */
static bool meets_awaited(struct log *log, const struct tree_frontier *frontier)
{
    for (unsigned i = 0; i < log->awaited_count; i++) {
        uint8_t root[HASH_SIZE];

        if (log->awaited[i].size != frontier->size)
            continue;
        tree_root(frontier, root);
        if (memcmp(root, log->awaited[i].root, HASH_SIZE) != 0)
            return false;
        log->awaited[i--] = log->awaited[--log->awaited_count];
    }
    return true;
}

static int alarm(struct sync *sync, unsigned member, const struct head *head, const char *reason)
{
    struct sync_event event = {.kind = SYNC_ALARM, .member = member, .head = *head, .reason = reason};

    return engine_event(sync, &event);
}

/* Whether a head that its author signed proves the chunk: at its end exactly, or by consistency. */
static bool proves(const struct sync_chunk *chunk, const struct tree_proof *proof)
{
    uint8_t root[HASH_SIZE];

    tree_root(&chunk->after, root);
    return tree_verify_consistency(chunk->after.size, root, chunk->head.size, chunk->head.root, proof);
}

static int accept_chunk(struct sync *sync, unsigned link, struct message *message, struct sync_chunk *chunk,
                        struct error *error)
{
    struct log *log = &sync->log[message->member];
    struct sync_event event = {.kind = SYNC_ACCEPTED, .link = link, .member = message->member, .chunk = chunk};
    uint8_t root[HASH_SIZE];

    for (size_t i = 0; i < message->count; i++) {
        struct span entry = message_entry(message);

        if (message->first + i < log->staged.size)
            continue; /* held already */
        if (sync_chunk_add(chunk, entry) != 0)
            return error_set(error, ERROR_SYSTEM, "there is no memory left");
        tree_append(&chunk->after, chunk->leaf[chunk->count - 1]);
        if (!meets_awaited(log, &chunk->after)) {
            (void)alarm(sync, message->member, &message->head,
                        "it signed two histories: a head shown earlier is not one of the log it sends");
            return error_set(error, ERROR_MISMATCH, "its log does not lead to a head it signed before");
        }
    }
    if (!proves(chunk, &message->proof))
        return error_set(error, ERROR_MISMATCH, "the entries it sent are not those its head commits to");
    if (engine_event(sync, &event) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    log->staged = chunk->after;
    log->staged_bytes += chunk->bytes.size;
    tree_root(&chunk->after, root);
    engine_remember(log, chunk->after.size, root);
    engine_note_head(log, &chunk->head);
    await_head(log, &chunk->head);
    return 0;
}

static int take_entries(struct sync *sync, unsigned link, struct message *message, struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    uint64_t end = message->first + message->count;
    struct sync_chunk *chunk = NULL;

    if (message->member == sync->me)
        return 0;
    if (message->first > log->staged.size) { /* a gap: something was lost between links */
        struct buffer want = {0};

        message_put_size(&want, MESSAGE_WANT, message->member, log->staged.size);
        engine_enqueue(peer, true, &want);
        buffer_free(&want);
        return 0;
    }
    engine_peer_has(sync, peer, message->member, end);
    if (end <= log->staged.size) {
        peer->have_due[message->member] = true; /* it does not know yet */
        return 0;
    }
    if (log->staged_bytes > SYNC_STAGED_MAX)
        return error_set(error, ERROR_INVALID, "it sends more than was agreed without waiting");
    if (message->head.size < end || !engine_verify_head(sync, message->member, &message->head))
        return error_set(error, ERROR_MISMATCH, "it sent entries under a head that their author did not sign");
    chunk = sync_chunk_new(message->member, log->staged.size, message->count);
    if (chunk == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    chunk->head = message->head;
    chunk->settle = message->settle;
    chunk->after = log->staged;
    if (accept_chunk(sync, link, message, chunk, error) != 0) {
        sync_chunk_free(chunk);
        return -1;
    }
    return 0;
}

static int take_settle(struct sync *sync, unsigned link, const struct message *message, struct now now,
                       struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    struct sync_event event = {.kind = SYNC_SETTLE, .link = link, .member = message->member, .head = message->head};

    if (message->member == sync->me)
        return take_own_head(sync, link, &message->head);
    if (!engine_verify_head(sync, message->member, &message->head))
        return error_set(error, ERROR_MISMATCH, "it sent a head that its author did not sign");
    engine_note_head(log, &message->head);
    engine_peer_has(sync, peer, message->member, message->head.size);
    if (message->head.size > log->staged.size) {
        await_head(log, &message->head);
        engine_want(sync, now.monotonic);
        return 0;
    }
    if (!engine_has_root(log, message->head.size, message->head.root))
        return 0; /* forgotten, or passed by another way: the newest receipt covers it */
    return engine_event(sync, &event) == 0 ? 0 : error_set(error, ERROR_SYSTEM, "there is no memory left");
}

static int take_receipt(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    const struct receipt *receipt = &message->receipt;
    struct sync_event event = {
        .kind = SYNC_RECEIPT, .link = link, .member = message->member, .head = message->head, .receipt = *receipt};
    char origin[ORIGIN_SIZE];

    if (receipt->by == sync->me || !engine_has_root(log, message->head.size, message->head.root))
        return 0;
    charter_origin(sync->charter, message->member, 0, origin);
    if (!receipt_verify(receipt, &message->head, origin, sync->charter->members[receipt->by].receipt_key))
        return error_set(error, ERROR_MISMATCH, "it sent a receipt that does not verify");
    if (receipt->by == peer->member)
        engine_peer_has(sync, peer, message->member, message->head.size);
    if (message->head.size > log->receipted[receipt->by])
        log->receipted[receipt->by] = message->head.size;
    return engine_event(sync, &event) == 0 ? 0 : error_set(error, ERROR_SYSTEM, "there is no memory left");
}

static bool known_root(const struct log *log, uint64_t size, uint8_t root[static HASH_SIZE])
{
    if (size == log->staged.size) {
        tree_root(&log->staged, root);
        return true;
    }
    for (unsigned i = 0; i < RECENT_MAX; i++)
        if (log->recent[i].size == size && size > 0) {
            memcpy(root, log->recent[i].root, HASH_SIZE);
            return true;
        }
    return false;
}

/* An entry that is broken here, from another's copy: true if its path leads to a root that is ours. */
static int take_mended(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct log *log = &sync->log[message->member];
    struct sync_event event = {.kind = SYNC_MENDED, .link = link, .member = message->member, .first = message->first};
    uint8_t root[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];

    tree_leaf(leaf, message->entry);
    if (!known_root(log, message->head.size, root) || memcmp(root, message->head.root, HASH_SIZE) != 0 ||
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

    if (log->mending && log->mend == message->first)
        return take_mended(sync, link, message, error);
    /* What is held already, or cannot be tied to what is held, waits for its turn. */
    if (message->member == sync->me || message->first < log->staged.size || !known_root(log, message->base, root))
        return 0;
    tree_leaf(leaf, message->entry);
    if (!engine_verify_head(sync, message->member, &message->head) ||
        !tree_verify_inclusion(leaf, message->first, message->head.size, &message->proof, message->head.root) ||
        !tree_verify_consistency(message->base, root, message->head.size, message->head.root, &message->consistency))
        return error_set(error, ERROR_MISMATCH, "it sent an overtaking entry whose proof does not hold");
    if (log->awaited_count == SYNC_PENDING_MAX)
        return 0;
    engine_note_head(log, &message->head);
    await_head(log, &message->head);
    event.chunk = sync_chunk_new(message->member, message->first, 1);
    if (event.chunk == NULL || sync_chunk_add(event.chunk, message->entry) != 0 || engine_event(sync, &event) != 0) {
        sync_chunk_free(event.chunk);
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    }
    return 0;
}

static void take_want(struct sync *sync, unsigned link, const struct message *message)
{
    struct peer *peer = &sync->peer[link];

    if (peer->member == message->member)
        return; /* its own log: that takes a restore, and a person */
    peer->serving[message->member] = true;
    peer->sent[message->member] = message->first;
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

    if (message_read(message, bytes, sync->charter->member_count, error) != 0)
        return -1;
    if (!peer->greeted && message->type != MESSAGE_HELLO)
        return error_set(error, ERROR_INVALID, "it did not greet first");
    switch (message->type) {
    case MESSAGE_HELLO:
        return take_hello(sync, link, message, now, error);
    case MESSAGE_ENTRIES:
        return take_entries(sync, link, message, error);
    case MESSAGE_SETTLE:
        return take_settle(sync, link, message, now, error);
    case MESSAGE_RECEIPT:
        return take_receipt(sync, link, message, error);
    case MESSAGE_HAVE:
        engine_peer_has(sync, peer, message->member, message->first);
        return 0;
    case MESSAGE_WANT:
        take_want(sync, link, message);
        return 0;
    case MESSAGE_OVERTAKE:
        return take_overtake(sync, link, message, error);
    case MESSAGE_FETCH:
        return take_fetch(sync, link, message, error);
    }
    return 0;
}
