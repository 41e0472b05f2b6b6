/*
 * A terminal's screen as rows: what shall stand there is compared with what does, and only rows that differ are
 * written. What leaves at the top is scrolled out by the terminal itself, which keeps it for the person to look back.
 * Rows are text without control characters that fits the width; nothing else is ever written but the sequences of
 * ECMA-48 that every terminal of today knows.
 */
#ifndef LIAISON_CLI_SCREEN_H
#define LIAISON_CLI_SCREEN_H

#include "base/buffer.h"

#define SCREEN_ROWS_MAX 400

enum row_style {
    ROW_PLAIN,
    ROW_BOLD,     /* who says something */
    ROW_REVERSED, /* what must not be overlooked */
    ROW_FAINT,    /* what is no one's word: notes, gaps */
};

struct row {
    enum row_style style;
    struct buffer text;
};

/* What shall stand on the screen. Zeroed it is empty; rows keep their memory. */
struct frame {
    struct row row[SCREEN_ROWS_MAX];
    size_t cursor_row, cursor_column; /* from 0 */
};
/* Puts a text into a row, in place of what it holds. */
void frame_put(struct frame *frame, size_t row, enum row_style style, struct span text);
void frame_free(struct frame *frame);

struct screen {
    size_t rows, columns;
    bool known;         /* what stands there is what `shown` says */
    struct frame shown; /* what stands there */
};
/* Sets the size, within 1 and SCREEN_ROWS_MAX rows; the next paint writes everything. */
void screen_resize(struct screen *screen, size_t rows, size_t columns);
/* Appends what makes the screen show the frame. */
void screen_paint(struct screen *screen, const struct frame *frame, struct buffer *out);
/* Appends what moves everything up by `count` rows, out at the top. */
void screen_scroll(struct screen *screen, size_t count, struct buffer *out);
/* Appends what sets the terminal up, and what leaves it as it was, with the cursor below everything. */
void screen_begin(struct buffer *out);
void screen_end(const struct screen *screen, struct buffer *out);
void screen_free(struct screen *screen);

#endif
