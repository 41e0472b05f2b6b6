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

static inline int samples_compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

/* Writes "NAME":{"p50":…,"p99":…} in microseconds. Sorts. */
static inline void samples_print(struct samples *samples, const char *name)
{
    qsort(samples->ns, samples->count, sizeof samples->ns[0], samples_compare);
    (void)printf("\"%s\":{\"p50\":%.1f,\"p99\":%.1f}", name, (double)samples->ns[samples->count / 2] / 1000,
                 (double)samples->ns[samples->count * 99 / 100] / 1000);
}

#endif
