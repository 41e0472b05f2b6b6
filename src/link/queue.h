/*
 * A queue of bytes: appended at the end, read and dropped at the front, at a cost in proportion to what passes,
 * however much waits. Memory it gives back is wiped first, which realloc() would not do. A zeroed struct is an
 * empty queue.
 */
#ifndef LIAISON_LINK_QUEUE_H
#define LIAISON_LINK_QUEUE_H

#include "base/span.h"

#define QUEUE_KEEP 65536 /* bytes of memory an empty queue may keep */

struct queue {
    uint8_t *data;
    size_t start, end; /* what waits is data[start..end) */
    size_t capacity;
};

void queue_free(struct queue *queue);
/* Appends `size` uninitialised bytes and returns where they start; NULL, and nothing changed, without memory.
 * Spans taken before are no longer valid. */
uint8_t *queue_extend(struct queue *queue, size_t size);
/* Drops the first `size` bytes, of which there must be that many. Spans are no longer valid. */
void queue_drop(struct queue *queue, size_t size);
/* Drops the last `size` bytes, of which there must be that many. */
void queue_cut(struct queue *queue, size_t size);
static inline size_t queue_size(const struct queue *queue)
{
    return queue->end - queue->start;
}
static inline struct span queue_span(const struct queue *queue)
{
    return queue->data == NULL ? span_of(NULL, 0) : span_of(queue->data + queue->start, queue_size(queue));
}

#endif
