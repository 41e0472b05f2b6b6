/*
 * A text with some words of it replaced.
 */
#ifndef LIAISON_TEST_REPLACED_H
#define LIAISON_TEST_REPLACED_H

#include "base/buffer.h"
#include "test.h"

static inline struct buffer replaced(const struct buffer *text, const char *old, const char *new)
{
    struct buffer out = {0};
    const char *at = memmem(text->data, text->size, old, strlen(old));
    size_t before = at != NULL ? (size_t)(at - (const char *)text->data) : 0;

    CHECK(at != NULL);
    if (at == NULL)
        return out;
    buffer_put(&out, text->data, before);
    buffer_print(&out, "%s", new);
    buffer_put_span(&out, span_from(buffer_span(text), before + strlen(old)));
    return out;
}

#endif
