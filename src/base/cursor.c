#include "base/cursor.h"

bool cursor_fail(struct cursor *cursor)
{
    cursor->failed = true;
    cursor->left = 0;
    return false;
}

struct span cursor_span(struct cursor *cursor, size_t size)
{
    struct span taken = {0};

    if (cursor->failed || size > cursor->left) {
        (void)cursor_fail(cursor);
        return taken;
    }
    taken = span_of(cursor->at, size);
    if (size > 0)
        cursor->at += size;
    cursor->left -= size;
    return taken;
}

static uint64_t big_endian(struct cursor *cursor, size_t size)
{
    struct span taken = cursor_span(cursor, size);
    uint64_t value = 0;

    for (size_t i = 0; i < taken.size; i++)
        value = value << 8 | taken.data[i];
    return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    return (uint8_t)big_endian(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
    return (uint16_t)big_endian(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
    return (uint32_t)big_endian(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
    return big_endian(cursor, 8);
}

void cursor_copy(struct cursor *cursor, void *out, size_t size)
{
    struct span taken = cursor_span(cursor, size);

    if (taken.size == size && size > 0)
        memcpy(out, taken.data, size);
    else
        memset(out, 0, size);
}

struct span cursor_line(struct cursor *cursor)
{
    const uint8_t *end = NULL;
    struct span line = {0};

    if (!cursor->failed && cursor->left > 0)
        end = memchr(cursor->at, '\n', cursor->left);
    if (end == NULL) {
        (void)cursor_fail(cursor);
        return line;
    }
    line = cursor_span(cursor, (size_t)(end - cursor->at));
    (void)cursor_span(cursor, 1);
    return line;
}

bool cursor_skip_text(struct cursor *cursor, const char *text)
{
    size_t size = strlen(text);

    if (cursor->failed || cursor->left < size || memcmp(cursor->at, text, size) != 0)
        return false;
    (void)cursor_span(cursor, size);
    return true;
}

struct span cursor_rest(struct cursor *cursor)
{
    return cursor_span(cursor, cursor->failed ? 0 : cursor->left);
}
