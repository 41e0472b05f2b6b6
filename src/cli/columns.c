#include "cli/columns.h"

#include "base/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define NARROW_MAX 4 /* characters without width, one after the other */
#define MARKS_MAX 3  /* of the same, one after the other */

bool columns_locale(void)
{
    if (setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The first character of `text` and its bytes; 0 bytes if it is none of this locale. */
static size_t decode(struct span text, wchar_t *character)
{
    mbstate_t state = {0};
    size_t size = mbrtowc(character, (const char *)text.data, text.size, &state);

    if (size == 0)
        return 1; /* the zero character */
    return size > text.size ? 0 : size;
}

/* Whether a character stays as it is: what hides or moves others does not, nor what the library knows no width of. */
static bool is_placed(struct span bytes, wchar_t character)
{
    struct buffer shown = {0};
    bool placed = false;

    if (character >= L' ' && character <= L'~')
        return true;
    text_put_shown(&shown, bytes, false);
    placed = span_equal(buffer_span(&shown), bytes) && wcwidth(character) >= 0;
    buffer_free(&shown);
    return placed;
}

/* A mark, or how often it stands there: a thousand of the same are no thousand marks. */
static void put_marks(struct buffer *out, const char *mark, size_t count)
{
    if (count > MARKS_MAX)
        buffer_print(out, "<%s %zu times>", mark, count);
    for (; count > 0 && count <= MARKS_MAX; count--)
        buffer_print(out, "<%s>", mark);
}

bool columns_put_shown(struct buffer *out, struct span text)
{
    char last[16] = "";
    char mark[16];
    size_t count = 0; /* of marks like the last that are not yet put */
    size_t narrow = 0;
    bool marked = false;

    while (text.size > 0) {
        wchar_t character = 0;
        size_t size = decode(text, &character);
        struct span bytes = span_of(text.data, size > 0 ? size : 1);
        bool placed = size > 0 && is_placed(bytes, character);

        narrow = placed && wcwidth(character) == 0 ? narrow + 1 : placed ? 0 : narrow;
        placed = placed && narrow <= NARROW_MAX;
        (void)snprintf(mark, sizeof mark, size > 0 ? "U+%04X" : "0x%02X",
                       size > 0 ? (unsigned)character : text.data[0]);
        if (placed || strcmp(mark, last) != 0) {
            put_marks(out, last, count);
            count = 0;
        }
        if (placed)
            buffer_put_span(out, bytes);
        else
            count++;
        marked |= !placed;
        (void)snprintf(last, sizeof last, "%s", placed ? "" : mark);
        text = span_from(text, bytes.size);
    }
    put_marks(out, last, count);
    return marked;
}

/* One character's columns; what has no width counts one, so that nothing is taken for free. */
static size_t width_of(struct span text, size_t *size)
{
    wchar_t character = 0;
    int width = -1;

    *size = decode(text, &character);
    if (*size > 0)
        width = wcwidth(character);
    else
        *size = 1;
    return width < 0 ? 1 : (size_t)width;
}

size_t columns_of(struct span shown)
{
    size_t columns = 0;
    size_t size = 0;

    for (; shown.size > 0; shown = span_from(shown, size))
        columns += width_of(shown, &size);
    return columns;
}

size_t columns_fit(struct span shown, size_t columns)
{
    size_t taken = 0;
    size_t used = 0;
    size_t size = 0;

    while (taken < shown.size) {
        used += width_of(span_from(shown, taken), &size);
        if (used > columns && taken > 0)
            break;
        taken += size;
    }
    return taken;
}

size_t columns_break(struct span shown, size_t columns)
{
    size_t fits = columns_fit(shown, columns);
    size_t space = fits;

    if (fits == shown.size || shown.data[fits] == ' ')
        return fits;
    while (space > 0 && shown.data[space - 1] != ' ')
        space--;
    return space > 0 && columns_of(span_of(shown.data, space)) * 2 >= columns ? space : fits;
}
