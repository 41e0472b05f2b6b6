#include "cli/screen.h"

static void row_put(struct row *row, enum row_style style, struct span text)
{
    row->style = style;
    buffer_reset(&row->text);
    buffer_put_span(&row->text, text);
}

void frame_put(struct frame *frame, size_t row, enum row_style style, struct span text)
{
    if (row < SCREEN_ROWS_MAX)
        row_put(&frame->row[row], style, text);
}

void frame_free(struct frame *frame)
{
    if (frame == NULL)
        return;
    for (size_t i = 0; i < SCREEN_ROWS_MAX; i++)
        buffer_free(&frame->row[i].text);
    *frame = (struct frame){0};
}

void screen_resize(struct screen *screen, size_t rows, size_t columns)
{
    screen->rows = rows < 1 ? 1 : rows > SCREEN_ROWS_MAX ? SCREEN_ROWS_MAX : rows;
    screen->columns = columns < 1 ? 1 : columns;
    screen->known = false;
}

static bool row_equal(const struct row *a, const struct row *b)
{
    return a->style == b->style && span_equal(buffer_span(&a->text), buffer_span(&b->text));
}

static void put_row(const struct row *row, size_t number, struct buffer *out)
{
    static const char *const styles[] = {"", "\033[1m", "\033[7m", "\033[2m"};

    /* Erased first: behind a row that fills the width, the last character would be erased. */
    buffer_print(out, "\033[%zu;1H\033[K%s", number + 1, styles[row->style]);
    buffer_put_span(out, buffer_span(&row->text));
    if (row->style != ROW_PLAIN)
        buffer_print(out, "\033[0m");
}

void screen_paint(struct screen *screen, const struct frame *frame, struct buffer *out)
{
    struct frame *shown = &screen->shown;

    buffer_print(out, "\033[?25l");
    if (!screen->known)
        buffer_print(out, "\033[0m\033[H\033[2J");
    for (size_t i = 0; i < screen->rows; i++) {
        const struct row *row = &frame->row[i];

        if (screen->known ? row_equal(row, &shown->row[i]) : row->text.size == 0 && row->style == ROW_PLAIN) {
            row_put(&shown->row[i], row->style, buffer_span(&row->text));
            continue;
        }
        put_row(row, i, out);
        row_put(&shown->row[i], row->style, buffer_span(&row->text));
    }
    screen->known = true;
    buffer_print(out, "\033[%zu;%zuH\033[?25h", frame->cursor_row + 1, frame->cursor_column + 1);
}

void screen_scroll(struct screen *screen, size_t count, struct buffer *out)
{
    struct frame *shown = &screen->shown;

    if (count > screen->rows)
        count = screen->rows;
    buffer_print(out, "\033[%zu;1H", screen->rows);
    for (size_t i = 0; i < count; i++)
        buffer_print(out, "\n");
    /* Rows change places rather than be copied; those that leave come in empty at the bottom. */
    for (size_t step = 0; step < count; step++) {
        struct row first = shown->row[0];

        memmove(&shown->row[0], &shown->row[1], (screen->rows - 1) * sizeof first);
        buffer_reset(&first.text);
        first.style = ROW_PLAIN;
        shown->row[screen->rows - 1] = first;
    }
}

void screen_begin(struct buffer *out)
{
    /* Pasted text is told from typed text; a row that is wider than thought is cut and not wrapped. */
    buffer_print(out, "\033[?2004h\033[?7l");
}

void screen_end(const struct screen *screen, struct buffer *out)
{
    buffer_print(out, "\033[0m\033[?2004l\033[?7h\033[?25h\033[%zu;1H\r\n", screen->rows);
}

void screen_free(struct screen *screen)
{
    if (screen != NULL)
        frame_free(&screen->shown);
}
