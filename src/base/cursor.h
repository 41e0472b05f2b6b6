/*
 * The one bounded cursor: every byte from outside is read through it. A read beyond the end fails,
 * the failure sticks, and every later read returns zero or an empty span; a parser therefore reads
 * straight through and asks once at the end. Trailing bytes are an error: cursor_done() is true only
 * if nothing failed and nothing is left.
 */
#ifndef LIAISON_BASE_CURSOR_H
#define LIAISON_BASE_CURSOR_H

#include "base/span.h"

struct cursor {
    const uint8_t *at;
    size_t left; /* bytes */
    bool failed;
    const char *part; /* what is being read, or was when it failed: see cursor_part() */
};

static inline struct cursor cursor_of(struct span span)
{
    return (struct cursor){.at = span.data, .left = span.size};
}
/* Marks the cursor failed, for a parser that dislikes a value. Returns false for `return`. */
bool cursor_fail(struct cursor *cursor);
static inline bool cursor_done(const struct cursor *cursor)
{
    return !cursor->failed && cursor->left == 0;
}
/* Names what is read next, as it shall stand in a sentence: "its version". A constant. Once the cursor has failed, the
 * name stays what it was. */
static inline void cursor_part(struct cursor *cursor, const char *part)
{
    if (!cursor->failed)
        cursor->part = part;
}
/* Where the input is not as it should be, of a cursor that is not done: for "... is not well-formed at %s". */
static inline const char *cursor_wrong(const struct cursor *cursor)
{
    if (!cursor->failed)
        return "its end, after which something follows";
    return cursor->part != NULL ? cursor->part : "its beginning";
}
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor); /* big-endian, as all below */
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
/* The next `size` bytes, in the memory of the input. */
struct span cursor_span(struct cursor *cursor, size_t size);
/* Copies the next `size` bytes; zeroes `out` on failure. */
void cursor_copy(struct cursor *cursor, void *out, size_t size);
/* The bytes up to the next '\n', which is consumed and not returned; fails where there is none. */
struct span cursor_line(struct cursor *cursor);
/* Consumes `text` if the input goes on with it; otherwise consumes nothing and returns false. */
bool cursor_skip_text(struct cursor *cursor, const char *text);
/* Everything that is left. */
struct span cursor_rest(struct cursor *cursor);

#endif
