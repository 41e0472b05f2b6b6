/*
 * A text for people that proves something: one good one, and what is changed in it.
 */
#ifndef LIAISON_TEST_BADINPUT_SPECIMEN_H
#define LIAISON_TEST_BADINPUT_SPECIMEN_H

#include "catalogue.h"

static struct buffer text; /* the specimen */

/* The specimen with the bytes from `at` to before `end` replaced. */
static inline void changed(size_t at, size_t end, struct span by, struct buffer *out)
{
    buffer_reset(out);
    buffer_put(out, text.data, at);
    buffer_put_span(out, by);
    buffer_put_span(out, span_from(buffer_span(&text), end));
}

static inline size_t place_of(const char *words)
{
    const uint8_t *at = memmem(text.data, text.size, words, strlen(words));

    if (at == NULL)
        abort();
    return (size_t)(at - text.data);
}

/* Where a change falls says whether it is the form or the truth that is wrong: either code will do. `any` is all that
 * may be said. */
static inline void specimen_bad(const struct interface *interface, const char *any, struct span input, const char *what,
                                size_t number)
{
    struct error error = {0};
    bool is_truth = interface->feed(NULL, input, &error) != 0 && error.code == ERROR_MISMATCH;
    bool is_version = error.code == ERROR_VERSION && number == 1; /* of the first line alone */

    bad(interface, input,
        is_truth     ? ERROR_MISMATCH
        : is_version ? ERROR_VERSION
                     : ERROR_INVALID,
        any, "%s %zu", what, number);
}

#endif
