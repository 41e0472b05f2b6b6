/*
 * The keyboard half of a terminal: libedit edits one line, keystroke by keystroke, and shows nothing; who draws the
 * screen asks for the line as it stands. Between keystrokes a function of the caller's waits, for whatever else there
 * is to wait for.
 */
#ifndef LIAISON_CLI_KEYBOARD_H
#define LIAISON_CLI_KEYBOARD_H

#include "base/buffer.h"
#include "base/error.h"

#include <wchar.h>

#define KEYBOARD_EMPTY_LINE L'\025' /* the character that empties the line */

struct keyboard;

/* Waits for the next character; false ends the editing. */
typedef bool (*keyboard_wait)(void *context, wchar_t *character);

/* Takes the terminal of standard input; NULL and `error` if that cannot be had. */
struct keyboard *keyboard_open(keyboard_wait wait, void *context, struct error *error);
/* Leaves the terminal as it was. */
void keyboard_close(struct keyboard *keyboard);
/* Edits a line, which begins as `start`, until Return; `line` is then what it holds, without a line feed. False at
 * Ctrl-D in an empty line, and where waiting ended the editing. */
bool keyboard_line(struct keyboard *keyboard, struct span start, struct buffer *line);
/* Whether waiting has ended the editing. */
bool keyboard_ended(const struct keyboard *keyboard);
/* Appends the line as it stands now, and returns before which byte of it the cursor is. */
size_t keyboard_shown(struct keyboard *keyboard, struct buffer *line);
/* The terminal's size has changed. */
void keyboard_resize(struct keyboard *keyboard);

#endif
