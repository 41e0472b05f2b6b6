/*
 * Bytes that were typed, cut into characters: a pure engine. What was pasted, which the terminal puts in brackets, is
 * told from what was typed; control characters in it, but for the ends of lines, are dropped. A zeroed struct is one
 * into which nothing was typed. A locale of UTF-8 must be set.
 */
#ifndef LIAISON_CLI_KEYS_H
#define LIAISON_CLI_KEYS_H

#include "base/buffer.h"

#include <wchar.h>

struct keys {
    struct buffer bytes;
    bool pasting;
    bool started;     /* a character of this line has come */
    bool line_pasted; /* the line was pasted, its first character or its end: it is text and no command */
};

void keys_input(struct keys *keys, struct span bytes);
/* The next character; false if none is whole. A Return is a line feed, whatever the terminal sends. Bytes that are no
 * UTF-8 and the controls of U+0080 to U+009F are dropped. */
bool keys_next(struct keys *keys, wchar_t *character);
/* A new line begins. */
void keys_restart(struct keys *keys);
void keys_free(struct keys *keys);

#endif
