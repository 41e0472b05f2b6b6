/*
 * Receipts: each is checked once, kept while it is its member's newest, and said again after every break.
 */
#include "sync/engine.h"

static bool is_known(const struct receipts *receipts, uint64_t size)
{
    for (unsigned i = 0; i < RECEIPTS_KNOWN; i++)
        if (receipts->known[i] == size)
            return true;
    return false;
}

static void keep(struct log *log, uint64_t size, const uint8_t root[static HASH_SIZE], const struct receipt *receipt)
{
    struct receipts *receipts = &log->receipts[receipt->by];

    if (receipts->has_newest && size < receipts->point.size)
        return;
    receipts->has_newest = true;
    receipts->point.size = size;
    memcpy(receipts->point.root, root, HASH_SIZE);
    receipts->newest = *receipt;
}

void sync_load_receipt(struct sync *sync, unsigned member, uint64_t size, const uint8_t root[static HASH_SIZE],
                       const struct receipt *receipt)
{
    struct log *log = &sync->log[member];

    if (size > log->receipted[receipt->by])
        log->receipted[receipt->by] = size;
    if (receipt->by == sync->me || engine_has_root(log, size, root))
        keep(log, size, root, receipt);
}

/* A verified receipt of a head that is held. */
static int note(struct sync *sync, unsigned link, unsigned member, const struct point *point,
                const struct receipt *receipt)
{
    struct log *log = &sync->log[member];
    struct receipts *receipts = &log->receipts[receipt->by];
    struct sync_event event = {.kind = SYNC_RECEIPT, .link = link, .member = member, .receipt = *receipt};

    receipts->known[receipts->known_next++ % RECEIPTS_KNOWN] = point->size;
    keep(log, point->size, point->root, receipt);
    if (point->size > log->receipted[receipt->by])
        log->receipted[receipt->by] = point->size;
    event.head.size = point->size;
    memcpy(event.head.root, point->root, HASH_SIZE);
    return engine_event(sync, &event);
}

int engine_take_receipt(struct sync *sync, unsigned link, const struct message *message, struct error *error)
{
    struct peer *peer = &sync->peer[link];
    struct log *log = &sync->log[message->member];
    const struct receipt *receipt = &message->receipt;
    struct receipts *receipts = &log->receipts[receipt->by];
    struct point point = {.size = message->head.size};
    bool early = point.size > log->staged.size && message->member != sync->own;
    char origin[ORIGIN_SIZE];
    bool forgotten = false;

    memcpy(point.root, message->head.root, HASH_SIZE);
    forgotten = receipt->by == sync->me || is_known(receipts, point.size) ||
                (!early && !engine_has_root(log, point.size, point.root)); /* a newer one covers it */
    charter_origin(sync->charter, message->member, 0, origin);
    if (!forgotten && !receipt_verify(receipt, &message->head, origin, sync->charter->members[receipt->by].receipt_key))
        return error_set(error, ERROR_MISMATCH, "it sent a receipt that does not verify");
    /* It tells what HAVE would, which need not come besides: even if nothing else is taken from it. */
    if (receipt->by == peer->member)
        engine_peer_has(sync, peer, message->member, point.size);
    if (forgotten)
        return 0;
    if (early) {
        receipts->has_early = true;
        receipts->early_point = point;
        receipts->early = *receipt;
        return 0;
    }
    return note(sync, link, message->member, &point, receipt) == 0
               ? 0
               : error_set(error, ERROR_SYSTEM, "there is no memory left");
}

int engine_early_receipts(struct sync *sync, unsigned member, struct error *error)
{
    struct log *log = &sync->log[member];

    for (unsigned by = 0; by < sync->charter->member_count; by++) {
        struct receipts *receipts = &log->receipts[by];

        if (!receipts->has_early || receipts->early_point.size > log->staged.size)
            continue;
        receipts->has_early = false;
        if (engine_has_root(log, receipts->early_point.size, receipts->early_point.root) &&
            note(sync, SYNC_LINKS_MAX, member, &receipts->early_point, &receipts->early) != 0)
            return error_set(error, ERROR_SYSTEM, "there is no memory left");
    }
    return 0;
}

void engine_all_receipts(struct sync *sync, struct peer *peer)
{
    for (unsigned member = 0; member < sync->charter->member_count; member++)
        for (unsigned by = 0; by < sync->charter->member_count; by++)
            if (sync->log[member].receipts[by].has_newest && by != peer->member)
                peer->receipt_due[member] |= (uint16_t)(1u << by);
}

void sync_receipt(struct sync *sync, unsigned member, const struct head *head, const struct receipt *receipt,
                  bool settle)
{
    struct buffer message = {0};

    sync_load_receipt(sync, member, head->size, head->root, receipt);
    message_put_receipt(&message, member, head->size, head->root, receipt);
    for (unsigned i = 0; i < SYNC_LINKS_MAX; i++) {
        struct peer *peer = &sync->peer[i];

        if (!peer->up || !peer->greeted)
            continue;
        if (settle)
            engine_enqueue(peer, peer->member == member, &message);
        else if (peer->member == member)
            peer->receipt_due[member] |= (uint16_t)(1u << sync->me);
    }
    buffer_free(&message);
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
    const struct receipts *own = &sync->log[member].receipts[sync->me];
    struct head head = {.size = size};

    if (!own->has_newest || own->point.size != size)
        return;
    memcpy(head.root, own->point.root, HASH_SIZE);
    sync_forward_receipt(sync, member, &head, &own->newest, SYNC_LINKS_MAX);
}

void engine_forward_receipts(struct sync *sync, unsigned member, const struct head *head, unsigned except_link)
{
    for (unsigned by = 0; by < sync->charter->member_count; by++) {
        const struct receipts *receipts = &sync->log[member].receipts[by];

        if (by != sync->me && receipts->has_newest && receipts->point.size == head->size)
            sync_forward_receipt(sync, member, head, &receipts->newest, except_link);
    }
}
