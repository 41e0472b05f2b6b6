/*
 * What the programs of bench/ share: a clock, a row of durations, and how they end when something goes wrong.
 */
#ifndef LIAISON_BENCH_SAMPLES_H
#define LIAISON_BENCH_SAMPLES_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

static inline uint64_t clock_ns(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct samples {
    size_t count, capacity;
    uint64_t *ns;
};

static inline struct samples samples_new(size_t capacity)
{
    struct samples samples = {.capacity = capacity, .ns = calloc(capacity, sizeof(uint64_t))};

    if (samples.ns == NULL || capacity == 0)
        fail("there is no memory for %zu samples", capacity);
    return samples;
}

static inline void samples_add(struct samples *samples, uint64_t ns)
{
    if (samples->count < samples->capacity)
        samples->ns[samples->count++] = ns;
}

/* Writes "NAME":[…] in microseconds, in the order of measuring. */
static inline void samples_print(const struct samples *samples, const char *name)
{
    (void)printf("\"%s\":[", name);
    for (size_t i = 0; i < samples->count; i++)
        (void)printf("%s%.1f", i > 0 ? "," : "", (double)samples->ns[i] / 1000);
    (void)printf("]");
}

#endif
