#include "store/store.h"

#include <stdlib.h>

#define BLOCK_SIZE_MIN ((size_t)64 << 10)

/* Each new block is twice the size of the one before and goes to the head of the list. */
struct store_block {
    struct store_block *next;
    size_t size, used; /* bytes */
    uint8_t data[];
};

static void blocks_free(struct store_block *block)
{
    while (block != NULL) {
        struct store_block *next = block->next;

        free(block);
        block = next;
    }
}

void store_batch_free(struct store_batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->op);
    blocks_free(batch->blocks);
    *batch = (struct store_batch){0};
}

/* The head is at least as large as all the others together, so keeping it alone is keeping enough. */
void store_batch_reset(struct store_batch *batch)
{
    if (batch->blocks != NULL) {
        blocks_free(batch->blocks->next);
        batch->blocks->next = NULL;
        batch->blocks->used = 0;
    }
    batch->count = 0;
    batch->bytes = 0;
    batch->failed = false;
}

static uint8_t *take(struct store_batch *batch, size_t size)
{
    struct store_block *block = batch->blocks;

    if (block == NULL || size > block->size - block->used) {
        size_t wanted = block == NULL ? BLOCK_SIZE_MIN : block->size * 2;

        while (wanted < size && wanted < SIZE_MAX / 4)
            wanted *= 2;
        block = wanted < size ? NULL : malloc(sizeof *block + wanted);
        if (block == NULL)
            return NULL;
        block->next = batch->blocks;
        block->size = wanted;
        block->used = 0;
        batch->blocks = block;
    }
    block->used += size;
    return block->data + block->used - size;
}

static bool grow(struct store_batch *batch)
{
    size_t wanted = batch->capacity == 0 ? 64 : batch->capacity * 2;
    struct store_op *grown = NULL;

    if (batch->count < batch->capacity)
        return true;
    grown = reallocarray(batch->op, wanted, sizeof *grown);
    if (grown == NULL)
        return false;
    batch->op = grown;
    batch->capacity = wanted;
    return true;
}

void store_batch_put(struct store_batch *batch, const struct store_op *op)
{
    struct store_op *copy = NULL;

    if (batch->failed)
        return;
    if (!grow(batch))
        goto failed;
    copy = &batch->op[batch->count];
    *copy = *op;
    for (size_t i = 0; i < STORE_BLOBS; i++) {
        uint8_t *data = NULL;

        copy->b[i].data = NULL;
        if (op->b[i].size == 0)
            continue;
        data = take(batch, op->b[i].size);
        if (data == NULL)
            goto failed;
        memcpy(data, op->b[i].data, op->b[i].size);
        copy->b[i].data = data;
        batch->bytes += op->b[i].size;
    }
    batch->count++;
    return;
failed:
    batch->failed = true;
}

void store_batch_append(struct store_batch *batch, const struct store_batch *from)
{
    for (size_t i = 0; i < from->count; i++)
        store_batch_put(batch, &from->op[i]);
    if (from->failed)
        batch->failed = true;
}
