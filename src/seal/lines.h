/*
 * The text form that cards and key files share: a first line that says what it is and of which version, and
 * lines "name value" in a fixed order. Errors name the line by its number and its name.
 */
#ifndef LIAISON_SEAL_LINES_H
#define LIAISON_SEAL_LINES_H

#include "base/cursor.h"
#include "base/error.h"

struct lines {
    struct cursor *cursor;
    const char *what;    /* for errors: "card" */
    unsigned number;     /* of the line read last, from 1 */
    const char *name;    /* of the line read last */
    struct error *error; /* may be NULL */
};

/* Reads the first line, which must be `first`, a name ending in "/v" and a number. All return 0 or -1. */
int lines_first(struct lines *lines, const char *first);
/* Reads the line "name value"; `value` is in the memory of the input. */
int lines_value(struct lines *lines, const char *name, struct span *value);
/* Nothing may follow the last line. */
int lines_end(struct lines *lines);
/* The line read last is wrong: `why` ends the sentence. Always -1. */
int lines_fail(const struct lines *lines, const char *why);

#endif
