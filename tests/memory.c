#include "memory.h"

#include <stdlib.h>

/* Calls until the one that fails; 0: none does. */
static size_t left;
static bool ran_out;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

void memory_fail(size_t n)
{
    left = n;
    ran_out = false;
}

bool memory_ran_out(void)
{
    bool did = ran_out;

    left = 0;
    ran_out = false;
    return did;
}

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    ran_out = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}
