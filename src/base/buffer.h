/*
 * A growing buffer to write into. A failure to grow is remembered, later writes do nothing, and the
 * writer asks once at the end: buffer_failed(). A zeroed struct is an empty buffer.
 */
#ifndef LIAISON_BASE_BUFFER_H
#define LIAISON_BASE_BUFFER_H

#include "base/span.h"

struct buffer {
    uint8_t *data;
    size_t size;     /* bytes written */
    size_t capacity; /* bytes allocated */
    bool failed;     /* an allocation failed: data is incomplete */
};

/* Frees the bytes and zeroes the struct; NULL is accepted. */
void buffer_free(struct buffer *buffer);
/* Forgets the content, keeps the memory, clears a failure. */
void buffer_reset(struct buffer *buffer);
/* Appends `size` uninitialised bytes and returns where they start; NULL if that failed. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);
void buffer_put(struct buffer *buffer, const void *data, size_t size);
void buffer_put_span(struct buffer *buffer, struct span span);
void buffer_put_u8(struct buffer *buffer, uint8_t value);
void buffer_put_u16(struct buffer *buffer, uint16_t value); /* big-endian, as all below */
void buffer_put_u32(struct buffer *buffer, uint32_t value);
void buffer_put_u64(struct buffer *buffer, uint64_t value);
/* Appends printf output without a terminating zero. */
void buffer_print(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `size` bytes, moving the rest to the front. */
void buffer_drop(struct buffer *buffer, size_t size);
static inline bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}
static inline struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->data, buffer->size);
}
/* Appends a zero that is not counted, and returns the content as a C string; "" if writing failed. */
const char *buffer_string(struct buffer *buffer);

/* Big-endian integers at a fixed place. */
static inline void put_u32_be(uint8_t out[static 4], uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}
static inline void put_u64_be(uint8_t out[static 8], uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

#endif
