#include "link/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "seal/secret.h"

#define SMALLEST 1024

void queue_free(struct queue *queue)
{
    if (queue == NULL)
        return;
    if (queue->data != NULL)
        secret_wipe(queue->data, queue->capacity);
    free(queue->data);
    *queue = (struct queue){0};
}

/* A quarter of the memory is free after each move, so that a byte is moved three times on average at most. */
static bool fits(size_t used, size_t capacity)
{
    return used <= capacity / 4 * 3;
}

static bool make_room(struct queue *queue, size_t size)
{
    size_t used = queue_size(queue);
    struct queue grown = {.capacity = SMALLEST};

    if (size > SIZE_MAX / 4 - used)
        return false;
    if (fits(used + size, queue->capacity)) {
        memmove(queue->data, queue->data + queue->start, used);
        queue->start = 0;
        queue->end = used;
        return true;
    }
    while (!fits(used + size, grown.capacity))
        grown.capacity *= 2;
    grown.data = malloc(grown.capacity);
    if (grown.data == NULL)
        return false;
    if (used > 0)
        memcpy(grown.data, queue->data + queue->start, used);
    grown.end = used;
    queue_free(queue);
    *queue = grown;
    return true;
}

uint8_t *queue_extend(struct queue *queue, size_t size)
{
    uint8_t *start = NULL;

    if (queue->data == NULL || size > queue->capacity - queue->end)
        if (!make_room(queue, size))
            return NULL;
    start = queue->data + queue->end;
    queue->end += size;
    return start;
}

/* One large message must not leave its memory bound to a channel that is idle afterwards. */
static void settle(struct queue *queue)
{
    if (queue->start != queue->end)
        return;
    queue->start = queue->end = 0;
    if (queue->capacity > QUEUE_KEEP)
        queue_free(queue);
}

void queue_drop(struct queue *queue, size_t size)
{
    assert(size <= queue_size(queue));
    queue->start += size;
    settle(queue);
}

void queue_cut(struct queue *queue, size_t size)
{
    assert(size <= queue_size(queue));
    queue->end -= size;
    settle(queue);
}
