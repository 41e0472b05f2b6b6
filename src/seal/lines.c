#include "seal/lines.h"

#include "base/text.h"

/* Whether `line` is `first` with another number. */
static bool is_other_version(struct span line, const char *first)
{
    size_t prefix = (size_t)(strrchr(first, '/') - first) + 2;
    uint64_t version = 0;

    return line.size > prefix && memcmp(line.data, first, prefix) == 0 &&
           text_to_number(span_from(line, prefix), UINT32_MAX, &version);
}

int lines_first(struct lines *lines, const char *first)
{
    struct span line = {0};

    lines->number = 1;
    lines->name = first;
    if (lines->cursor->left == 0)
        return error_set(lines->error, ERROR_INVALID, "there is no %s: nothing is left to read", lines->what);
    line = cursor_line(lines->cursor);
    if (span_equal(line, span_of_string(first)))
        return 0;
    if (is_other_version(line, first))
        return error_set(lines->error, ERROR_VERSION,
                         "this %s is of another version: its first line is \"%.*s\", not \"%s\"", lines->what,
                         (int)line.size, (const char *)line.data, first);
    if (line.size == strlen(first) + 1 && line.data[line.size - 1] == '\r' &&
        memcmp(line.data, first, line.size - 1) == 0)
        return error_set(lines->error, ERROR_INVALID,
                         "the lines of this %s end in CR LF: a mail program or an editor has changed it", lines->what);
    return error_set(lines->error, ERROR_INVALID, "this is no %s: its first line is not \"%s\"", lines->what, first);
}

int lines_value(struct lines *lines, const char *name, struct span *value)
{
    size_t size = strlen(name);
    struct span line = {0};

    lines->number++;
    lines->name = name;
    if (lines->cursor->left == 0)
        return lines_fail(lines, "missing; the text was cut short");
    line = cursor_line(lines->cursor);
    if (lines->cursor->failed)
        return lines_fail(lines, "without its end; the text was cut short");
    if (line.size < size + 1 || memcmp(line.data, name, size) != 0 || line.data[size] != ' ')
        return lines_fail(lines, "another line stands in its place");
    *value = span_from(line, size + 1);
    return 0;
}

int lines_end(struct lines *lines)
{
    if (cursor_done(lines->cursor))
        return 0;
    return error_set(lines->error, ERROR_INVALID, "the %s goes on after its last line, %s: something was added to it",
                     lines->what, lines->name);
}

int lines_fail(const struct lines *lines, const char *why)
{
    return error_set(lines->error, ERROR_INVALID, "line %u of the %s, %s: %s", lines->number, lines->what, lines->name,
                     why);
}
