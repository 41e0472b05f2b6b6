#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_free(struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    uint8_t *start = NULL;

    if (buffer->failed)
        return NULL;
    if (buffer->data == NULL || size > buffer->capacity - buffer->size) {
        size_t wanted = buffer->capacity < 64 ? 64 : buffer->capacity;
        uint8_t *grown = NULL;

        if (size > SIZE_MAX / 4 - buffer->size)
            goto failed;
        while (wanted < buffer->size + size)
            wanted *= 2;
        grown = realloc(buffer->data, wanted);
        if (grown == NULL)
            goto failed;
        buffer->data = grown;
        buffer->capacity = wanted;
    }
    start = buffer->data + buffer->size;
    buffer->size += size;
    return start;
failed:
    buffer->failed = true;
    return NULL;
}

void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    uint8_t *to = NULL;

    if (size == 0)
        return;
    to = buffer_extend(buffer, size);
    if (to != NULL)
        memcpy(to, data, size);
}

void buffer_put_span(struct buffer *buffer, struct span span)
{
    buffer_put(buffer, span.data, span.size);
}

void buffer_put_u8(struct buffer *buffer, uint8_t value)
{
    buffer_put(buffer, &value, 1);
}

void buffer_put_u16(struct buffer *buffer, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    buffer_put(buffer, bytes, sizeof bytes);
}

void buffer_put_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];

    put_u32_be(bytes, value);
    buffer_put(buffer, bytes, sizeof bytes);
}

void buffer_put_u64(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];

    put_u64_be(bytes, value);
    buffer_put(buffer, bytes, sizeof bytes);
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int length = 0;
    uint8_t *to = NULL;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    to = buffer_extend(buffer, (size_t)length + 1);
    if (to == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf((char *)to, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size--;
}

void buffer_drop(struct buffer *buffer, size_t size)
{
    if (size > buffer->size)
        size = buffer->size;
    if (size == 0)
        return;
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

const char *buffer_string(struct buffer *buffer)
{
    uint8_t *end = buffer_extend(buffer, 1);

    if (end == NULL)
        return "";
    *end = 0;
    buffer->size--;
    return (const char *)buffer->data;
}
