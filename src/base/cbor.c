#include "base/cbor.h"

#include "base/text.h"

enum major { MAJOR_UINT = 0, MAJOR_BYTES = 2, MAJOR_TEXT = 3, MAJOR_ARRAY = 4, MAJOR_MAP = 5 };

/* RFC 8949 section 3: the initial byte and its argument, which must be in its shortest form. */
static uint64_t read_head(struct cursor *cursor, uint8_t *major)
{
    uint8_t initial = cursor_u8(cursor);
    uint8_t info = initial & 0x1f;
    uint64_t argument = info;

    *major = initial >> 5;
    switch (info) {
    case 24:
        argument = cursor_u8(cursor);
        if (argument < 24)
            (void)cursor_fail(cursor);
        break;
    case 25:
        argument = cursor_u16(cursor);
        if (argument <= UINT8_MAX)
            (void)cursor_fail(cursor);
        break;
    case 26:
        argument = cursor_u32(cursor);
        if (argument <= UINT16_MAX)
            (void)cursor_fail(cursor);
        break;
    case 27:
        argument = cursor_u64(cursor);
        if (argument <= UINT32_MAX)
            (void)cursor_fail(cursor);
        break;
    default:
        if (info > 27)
            (void)cursor_fail(cursor);
    }
    return cursor->failed ? 0 : argument;
}

static uint64_t read_of(struct cursor *cursor, enum major wanted, uint64_t max)
{
    uint8_t major = 0;
    uint64_t argument = read_head(cursor, &major);

    if (major != wanted || argument > max)
        (void)cursor_fail(cursor);
    return cursor->failed ? 0 : argument;
}

uint64_t cbor_read_uint(struct cursor *cursor)
{
    return read_of(cursor, MAJOR_UINT, UINT64_MAX);
}

uint64_t cbor_read_uint_max(struct cursor *cursor, uint64_t max)
{
    return read_of(cursor, MAJOR_UINT, max);
}

static struct span read_string(struct cursor *cursor, enum major major, size_t min, size_t max)
{
    uint64_t size = read_of(cursor, major, max);

    if (size < min)
        (void)cursor_fail(cursor);
    return cursor_span(cursor, cursor->failed ? 0 : (size_t)size);
}

struct span cbor_read_bytes(struct cursor *cursor, size_t min, size_t max)
{
    return read_string(cursor, MAJOR_BYTES, min, max);
}

void cbor_copy_bytes(struct cursor *cursor, void *out, size_t size)
{
    struct span bytes = cbor_read_bytes(cursor, size, size);

    if (bytes.size == size && size > 0)
        memcpy(out, bytes.data, size);
    else
        memset(out, 0, size);
}

struct span cbor_read_text(struct cursor *cursor, size_t min, size_t max)
{
    struct span text = read_string(cursor, MAJOR_TEXT, min, max);

    if (!text_is_utf8(text))
        (void)cursor_fail(cursor);
    return cursor->failed ? span_of(NULL, 0) : text;
}

size_t cbor_read_array(struct cursor *cursor, size_t max)
{
    return (size_t)read_of(cursor, MAJOR_ARRAY, max);
}

size_t cbor_read_map(struct cursor *cursor, size_t max)
{
    return (size_t)read_of(cursor, MAJOR_MAP, max);
}

void cbor_read_key(struct cursor *cursor, uint64_t key)
{
    if (cbor_read_uint(cursor) != key)
        (void)cursor_fail(cursor);
}

/* Walks one item without recursion: `left` counts the items still to come at each depth. */
struct span cbor_read_any(struct cursor *cursor)
{
    const uint8_t *start = cursor->at;
    struct {
        uint64_t left;
        bool map;
        bool has_key; /* a key was read before, and it was last_key */
        uint64_t last_key;
    } stack[CBOR_DEPTH_MAX];
    size_t depth = 0;

    do {
        uint8_t major = 0;
        uint64_t argument = read_head(cursor, &major);
        bool opened = false;

        if (depth > 0 && stack[depth - 1].map && stack[depth - 1].left % 2 == 0) {
            if (major != MAJOR_UINT || (stack[depth - 1].has_key && argument <= stack[depth - 1].last_key))
                (void)cursor_fail(cursor);
            stack[depth - 1].has_key = true;
            stack[depth - 1].last_key = argument;
        }
        switch (major) {
        case MAJOR_UINT:
            break;
        case MAJOR_BYTES:
        case MAJOR_TEXT: {
            struct span string = cursor_span(cursor, argument > cursor->left ? SIZE_MAX : (size_t)argument);

            if (major == MAJOR_TEXT && !text_is_utf8(string))
                (void)cursor_fail(cursor);
            break;
        }
        case MAJOR_ARRAY:
        case MAJOR_MAP:
            if (depth == CBOR_DEPTH_MAX || argument > cursor->left) {
                (void)cursor_fail(cursor);
                break;
            }
            stack[depth].map = major == MAJOR_MAP;
            stack[depth].left = stack[depth].map ? argument * 2 : argument;
            stack[depth].has_key = false;
            stack[depth].last_key = 0;
            depth++;
            opened = true;
            break;
        default:
            (void)cursor_fail(cursor);
        }
        if (!opened && depth > 0)
            stack[depth - 1].left--;
        while (depth > 0 && stack[depth - 1].left == 0) {
            depth--;
            if (depth > 0)
                stack[depth - 1].left--;
        }
    } while (depth > 0 && !cursor->failed);
    return cursor->failed ? span_of(NULL, 0) : span_of(start, (size_t)(cursor->at - start));
}

static void put_head(struct buffer *buffer, enum major major, uint64_t argument)
{
    uint8_t initial = (uint8_t)(major << 5);

    if (argument < 24) {
        buffer_put_u8(buffer, (uint8_t)(initial | argument));
    } else if (argument <= UINT8_MAX) {
        buffer_put_u8(buffer, initial | 24);
        buffer_put_u8(buffer, (uint8_t)argument);
    } else if (argument <= UINT16_MAX) {
        buffer_put_u8(buffer, initial | 25);
        buffer_put_u16(buffer, (uint16_t)argument);
    } else if (argument <= UINT32_MAX) {
        buffer_put_u8(buffer, initial | 26);
        buffer_put_u32(buffer, (uint32_t)argument);
    } else {
        buffer_put_u8(buffer, initial | 27);
        buffer_put_u64(buffer, argument);
    }
}

void cbor_put_uint(struct buffer *buffer, uint64_t value)
{
    put_head(buffer, MAJOR_UINT, value);
}

void cbor_put_bytes(struct buffer *buffer, const void *data, size_t size)
{
    put_head(buffer, MAJOR_BYTES, size);
    buffer_put(buffer, data, size);
}

void cbor_put_text(struct buffer *buffer, struct span text)
{
    put_head(buffer, MAJOR_TEXT, text.size);
    buffer_put_span(buffer, text);
}

void cbor_put_array(struct buffer *buffer, size_t items)
{
    put_head(buffer, MAJOR_ARRAY, items);
}

void cbor_put_map(struct buffer *buffer, size_t pairs)
{
    put_head(buffer, MAJOR_MAP, pairs);
}
