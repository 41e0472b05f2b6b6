/*
 * A span is a view of bytes that somebody else owns. It is valid for as long as its owner keeps the
 * bytes where they are; who that is stands beside every function that returns one.
 */
#ifndef LIAISON_BASE_SPAN_H
#define LIAISON_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;         /* bytes */
};

static inline struct span span_of(const void *data, size_t size)
{
    return (struct span){.data = data, .size = size};
}

/* The bytes of a C string without its terminating zero. */
static inline struct span span_of_string(const char *string)
{
    return span_of(string, strlen(string));
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The part from `offset` on; empty when the span is shorter than that. */
static inline struct span span_from(struct span s, size_t offset)
{
    return offset >= s.size ? span_of(NULL, 0) : span_of(s.data + offset, s.size - offset);
}

#endif
