#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "seal/secret.h"

#define EDITS_MAX 4

_Noreturn void fuzz_broken(const char *file, int line, const char *promise)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

void fuzz_start(void)
{
    HOLD(seal_init(NULL) == 0);
}

bool fuzz_is_made(struct cursor *cursor, uint8_t line_id[static 32])
{
    uint8_t made[32];

    fuzz_start();
    memset(made, 0xff, sizeof made);
    cursor_copy(cursor, line_id, sizeof made);
    return memcmp(line_id, made, sizeof made) == 0;
}

bool fuzz_is_shown(struct span text, bool lines)
{
    for (size_t i = 0; i < text.size; i++) {
        bool next_is_c1 = text.data[i] == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0;

        if (next_is_c1 || text.data[i] == 0x7f || (text.data[i] < ' ' && !(lines && text.data[i] == '\n')))
            return false;
    }
    return text_is_utf8(text);
}

void fuzz_refused(const struct error *error)
{
    size_t size = strnlen(error->message, sizeof error->message);

    HOLD(error->code != ERROR_NONE);
    HOLD(size > 0 && size < sizeof error->message);
    HOLD(text_is_utf8(span_of(error->message, size)));
}

void fuzz_same(struct buffer *buffer, struct span expected)
{
    HOLD(!buffer_failed(buffer));
    HOLD(span_equal(buffer_span(buffer), expected));
    buffer_free(buffer);
}

bool fuzz_edit(struct cursor *choices, uint8_t *bytes, size_t size)
{
    unsigned count = cursor_u8(choices) % (EDITS_MAX + 1);
    uint8_t before[EDITS_MAX] = {0};
    size_t place[EDITS_MAX] = {0};
    bool changed = false;

    if (size == 0)
        return false;
    for (unsigned i = 0; i < count; i++) {
        place[i] = cursor_u16(choices) % size;
        before[i] = bytes[place[i]];
        bytes[place[i]] = (uint8_t)(bytes[place[i]] + cursor_u8(choices));
    }
    /* Two edits of one place may undo each other: the earliest value of each place counts. */
    for (unsigned i = 0; i < count; i++) {
        bool first = true;

        for (unsigned j = 0; j < i; j++)
            first = first && place[j] != place[i];
        changed = changed || (first && bytes[place[i]] != before[i]);
    }
    return changed;
}

size_t fuzz_words(struct buffer *text, struct span bytes, char **word, size_t max)
{
    size_t count = 0;

    buffer_put_span(text, bytes);
    buffer_put_u8(text, 0);
    HOLD(!buffer_failed(text));
    for (size_t at = 0; at < text->size && count < max; at += strlen((char *)text->data + at) + 1)
        word[count++] = (char *)text->data + at;
    return count;
}
