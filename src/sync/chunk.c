#include <stdlib.h>

#include "sync/sync.h"

static int make_room(struct sync_chunk *chunk, size_t count)
{
    uint32_t *end = reallocarray(chunk->end, count, sizeof *end);
    uint8_t(*leaf)[HASH_SIZE] = NULL;

    if (end == NULL)
        return -1;
    chunk->end = end;
    leaf = reallocarray(chunk->leaf, count, sizeof *leaf);
    if (leaf == NULL)
        return -1;
    chunk->leaf = leaf;
    chunk->room = count;
    return 0;
}

struct sync_chunk *sync_chunk_new(unsigned member, uint64_t first, size_t count)
{
    struct sync_chunk *chunk = calloc(1, sizeof *chunk);

    if (chunk == NULL)
        return NULL;
    chunk->member = member;
    chunk->first = first;
    if (make_room(chunk, count) == 0)
        return chunk;
    sync_chunk_free(chunk);
    return NULL;
}

void sync_chunk_free(struct sync_chunk *chunk)
{
    if (chunk == NULL)
        return;
    buffer_free(&chunk->bytes);
    free(chunk->end);
    free(chunk->leaf);
    free(chunk);
}

int sync_chunk_add(struct sync_chunk *chunk, struct span entry)
{
    if (chunk->count == chunk->room && make_room(chunk, chunk->room * 2) != 0)
        return -1;
    buffer_put_span(&chunk->bytes, entry);
    if (buffer_failed(&chunk->bytes))
        return -1;
    tree_leaf(chunk->leaf[chunk->count], entry);
    chunk->end[chunk->count++] = (uint32_t)chunk->bytes.size;
    return 0;
}

struct span sync_chunk_entry(const struct sync_chunk *chunk, size_t i)
{
    size_t start = i == 0 ? 0 : chunk->end[i - 1];

    return span_of(chunk->bytes.data + start, chunk->end[i] - start);
}
