/*
 * Text in the columns of a terminal. Widths are those of the C library's wcwidth(), so a locale of UTF-8 must be set:
 * columns_locale(). A Chinese character or a syllable of Korean takes two columns, a combining mark none.
 */
#ifndef LIAISON_CLI_COLUMNS_H
#define LIAISON_CLI_COLUMNS_H

#include "base/buffer.h"

/* Sets the user's locale for characters, or C.UTF-8 where that is not of UTF-8, as over ssh; false if there is none. */
bool columns_locale(void);

/* Appends `text` in one line so that it can be placed: as text_put_shown() does, and what the C library knows no width
 * of, or more than four characters in a row without width, as visible marks, too. More than three of the same mark
 * are one that counts: <U+0301 36 times>. Returns whether anything had to be marked. */
bool columns_put_shown(struct buffer *out, struct span text);

/* The columns of a text that came from columns_put_shown(). */
size_t columns_of(struct span shown);

/* How many bytes of `shown` fit in a row of `columns` columns; always at least one character of a text that is not
 * empty. */
size_t columns_fit(struct span shown, size_t columns);
/* The same, but only up to the last space if that leaves at least half of the row filled. */
size_t columns_break(struct span shown, size_t columns);

#endif
