/*
 * Entries that overtook: each is stored with its head as pending before anything is shown; then opened, shown, and said
 * to be held. The log must reach that head (sync's invariant 5), and when it does the entry takes its place in order.
 */
#include <stdlib.h>

#include "base/cbor.h"
#include "office/engine.h"

static void free_one(struct overtaken *overtaken)
{
    sync_chunk_free(overtaken->chunk);
    free(overtaken);
}

void overtaken_free(struct line *line)
{
    while (line->overtaken != NULL) {
        struct overtaken *overtaken = line->overtaken;

        line->overtaken = overtaken->next;
        free_one(overtaken);
    }
}

/* What it came before may have come meanwhile, while this was on the way: then it overtook nothing. */
static void log_overtaking(struct office *office, const struct line *line, const struct sync_event *event)
{
    const char *name = line->member[event->member].name;
    uint64_t durable = sync_durable(line->sync, event->member);

    if (event->first > durable)
        core_log(office, "%s/%llu came before %llu entries of its author that are not recorded here yet", name,
                 (unsigned long long)event->first, (unsigned long long)(event->first - durable));
    else
        core_log(office, "%s/%llu came ahead of its turn, and all entries of its author before it are here", name,
                 (unsigned long long)event->first);
}

void pending_entry(struct office *office, struct line *line, const struct sync_event *event)
{
    struct overtaken **tail = &line->overtaken;
    size_t count = 0;

    for (; *tail != NULL; tail = &(*tail)->next, count++)
        if ((*tail)->member == event->member && (*tail)->index == event->first)
            break;
    if (*tail != NULL || count >= (size_t)SYNC_PENDING_MAX * MEMBERS_MAX) {
        sync_chunk_free(event->chunk);
        return;
    }
    *tail = calloc(1, sizeof **tail);
    if (*tail == NULL) {
        sync_chunk_free(event->chunk);
        return;
    }
    (*tail)->member = event->member;
    (*tail)->index = event->first;
    (*tail)->chunk = event->chunk;
    (*tail)->head = event->head;
    log_overtaking(office, line, event);
}

bool overtaken_waiting(const struct line *line)
{
    for (const struct overtaken *o = line->overtaken; o != NULL; o = o->next)
        if (o->state == OVERTAKEN_NEW)
            return true;
    return false;
}

void overtaken_put(struct line *line, struct store_batch *batch)
{
    for (struct overtaken *o = line->overtaken; o != NULL; o = o->next) {
        struct store_op op = {.kind = STORE_PUT_PENDING};

        if (o->state != OVERTAKEN_NEW)
            continue;
        o->state = OVERTAKEN_WRITING;
        op.n[0] = PLACE(LOG_NUMBER(line, o->member), o->index);
        op.n[1] = (int64_t)o->head.size;
        op.b[0] = sync_chunk_entry(o->chunk, 0);
        op.b[1] = span_of(o->head.root, HASH_SIZE);
        op.b[2] = span_of(o->head.signature, SIGNATURE_SIZE);
        op.b[3] = span_of(o->chunk->leaf[0], HASH_SIZE);
        store_batch_put(batch, &op);
    }
}

/* What found no room is forgotten, and comes in its turn: tried again at once it would be tried without end. */
void overtaken_written(struct line *line, bool durable)
{
    for (struct overtaken **at = &line->overtaken; *at != NULL;) {
        struct overtaken *o = *at;

        if (o->state == OVERTAKEN_WRITING && durable)
            o->state = OVERTAKEN_DURABLE;
        if (o->state != OVERTAKEN_WRITING) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        free_one(o);
    }
}

const struct overtaken *overtaken_find(const struct line *line, unsigned member, uint64_t index)
{
    for (const struct overtaken *o = line->overtaken; o != NULL; o = o->next)
        if (o->member == member && o->index == index && o->state >= OVERTAKEN_DURABLE)
            return o;
    return NULL;
}

bool overtaken_was_shown(const struct line *line, unsigned member, uint64_t index)
{
    for (const struct overtaken *o = line->overtaken; o != NULL; o = o->next)
        if (o->member == member && o->index == index)
            return o->state == OVERTAKEN_SHOWN;
    return false;
}

void overtaken_reached(struct office *office, struct line *line, unsigned member, uint64_t folded)
{
    bool any = false;

    for (struct overtaken **at = &line->overtaken; *at != NULL;) {
        struct overtaken *o = *at;

        if (o->member != member || o->index >= folded || o->state == OVERTAKEN_WRITING) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        free_one(o);
        any = true;
    }
    if (any) {
        struct store_op op = {.kind = STORE_DROP_PENDING};

        op.n[0] = LOG_NUMBER(line, member);
        op.n[1] = (int64_t)folded;
        core_lazy(office, &op);
    }
}
