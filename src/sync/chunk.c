#include <stdlib.h>

#include "sync/sync.h"

struct sync_chunk *sync_chunk_new(unsigned member, uint64_t first, size_t count)
{
    struct sync_chunk *chunk = calloc(1, sizeof *chunk);

    if (chunk == NULL)
        return NULL;
    chunk->member = member;
    chunk->first = first;
    chunk->end = calloc(count, sizeof *chunk->end);
    chunk->leaf = calloc(count, sizeof *chunk->leaf);
    if (chunk->end == NULL || chunk->leaf == NULL) {
        sync_chunk_free(chunk);
        return NULL;
    }
    return chunk;
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
