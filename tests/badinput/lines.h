/*
 * Bad text made from a good specimen of lines "name value": each line in turn is missing, doubled, out of its place,
 * misspelt, or holds what its value may not hold. Each change is named by the line's name.
 */
#ifndef LIAISON_TESTS_BADINPUT_LINES_H
#define LIAISON_TESTS_BADINPUT_LINES_H

#include "catalogue.h"

#define LINES_MAX 96

struct text_line {
    struct span bytes; /* with its line feed */
    size_t value;      /* where its value begins */
    const char *name;  /* as cases call it */
    const char *fragment;
};

struct text_specimen {
    const struct interface *on;
    struct span text;
    const char *name;
    const char *end; /* fragment where something follows the last line */
    size_t count;
    struct text_line line[LINES_MAX];
};

/* `names` and `fragments` are of the lines, in their order. */
static inline void text_note(struct text_specimen *text, const char *const *names, const char *const *fragments)
{
    struct cursor cursor = cursor_of(text->text);

    text->count = 0;
    while (cursor.left > 0) {
        struct text_line *line = &text->line[text->count];
        struct span bytes = cursor_line(&cursor);
        const uint8_t *space = bytes.size > 0 ? memchr(bytes.data, ' ', bytes.size) : NULL;

        if (cursor.failed || text->count == LINES_MAX)
            abort();
        line->bytes = span_of(bytes.data, bytes.size + 1);
        line->value = space != NULL ? (size_t)(space - bytes.data) + 1 : 0;
        line->name = names[text->count];
        line->fragment = fragments[text->count];
        text->count++;
    }
}

/* The specimen with the lines from `first` to before `last` replaced. */
static inline void lines_replaced(const struct text_specimen *text, size_t first, size_t last, struct span by,
                                  struct buffer *out)
{
    buffer_reset(out);
    for (size_t i = 0; i < first; i++)
        buffer_put_span(out, text->line[i].bytes);
    buffer_put_span(out, by);
    for (size_t i = last; i < text->count; i++)
        buffer_put_span(out, text->line[i].bytes);
}

static inline const char *line_fragment(const struct text_specimen *text, size_t i)
{
    return i < text->count ? text->line[i].fragment : text->end;
}

/* Line i becomes `by`, and line `at` is found wrong. */
static inline void bad_line(const struct text_specimen *text, size_t i, struct span by, size_t at, const char *how)
{
    struct buffer out = {0};

    lines_replaced(text, i, i + 1, by, &out);
    bad(text->on, buffer_span(&out), ERROR_INVALID, line_fragment(text, at), "%s, line %s %s", text->name,
        text->line[i].name, how);
    buffer_free(&out);
}

/* Line i has another value. */
static inline void bad_value(const struct text_specimen *text, size_t i, struct span value, const char *how)
{
    const struct text_line *line = &text->line[i];
    struct buffer out = {0};

    buffer_put(&out, line->bytes.data, line->value);
    buffer_put_span(&out, value);
    buffer_put_u8(&out, '\n');
    bad_line(text, i, buffer_span(&out), i, how);
    buffer_free(&out);
}

/* Lines that are missing, there twice, or in another's place. */
static inline void bad_places(const struct text_specimen *text)
{
    struct buffer out = {0};

    for (size_t i = 0; i < text->count; i++) {
        const struct text_line *line = &text->line[i];

        bad_line(text, i, span_of(NULL, 0), i, "missing");
        lines_replaced(text, i, i, line->bytes, &out);
        bad(text->on, buffer_span(&out), ERROR_INVALID, line_fragment(text, i + 1), "%s, line %s twice", text->name,
            line->name);
        lines_replaced(text, i, i, span_of("\n", 1), &out);
        bad(text->on, buffer_span(&out), ERROR_INVALID, line->fragment, "%s, an empty line before %s", text->name,
            line->name);
        if (i + 1 == text->count)
            continue;
        buffer_reset(&out);
        buffer_put_span(&out, text->line[i + 1].bytes);
        buffer_put_span(&out, line->bytes);
        {
            struct buffer exchanged = out;

            out = (struct buffer){0};
            lines_replaced(text, i, i + 2, buffer_span(&exchanged), &out);
            buffer_free(&exchanged);
        }
        bad(text->on, buffer_span(&out), ERROR_INVALID, line->fragment, "%s, line %s behind the next", text->name,
            line->name);
    }
    buffer_free(&out);
}

/* Line i by a format of the old one: its name up to the space, and its value. */
static inline void bad_written(const struct text_specimen *text, size_t i, const char *before, const char *between,
                               const char *behind, const char *how)
{
    const struct text_line *line = &text->line[i];
    struct buffer out = {0};
    size_t name = line->value > 0 ? line->value - 1 : 0;

    buffer_print(&out, "%s", before);
    buffer_put(&out, line->bytes.data, name);
    buffer_print(&out, "%s", between);
    buffer_put(&out, line->bytes.data + line->value, line->bytes.size - 1 - line->value);
    buffer_print(&out, "%s\n", behind);
    bad_line(text, i, buffer_span(&out), i, how);
    buffer_free(&out);
}

/* Lines written otherwise, and values with what no value holds. */
static inline void bad_writing(const struct text_specimen *text)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *how;
    } strange[] = {
        {"\0", 1, "with a zero byte"},
        {"\t", 1, "with a tab"},
        {"\r", 1, "with a carriage return"},
        {"\033[2J", 4, "with an escape sequence"},
        {"\x7f", 1, "with a delete character"},
        {"\x80", 1, "with a continuation byte alone"},
        {"\xff", 1, "with the byte 0xff"},
        {"\xc0\xaf", 2, "with an overlong slash"},
        {"\xed\xa0\x80", 3, "with half a surrogate pair"},
        {"\xe2\x80\xae", 3, "with a character that turns the writing round"},
        {"\xe2\x80\x8b", 3, "with a space of no width"},
        {"\xef\xbb\xbf", 3, "with a byte order mark"},
        {"\xc2\xa0", 2, "with a space that does not break"},
    };
    struct buffer out = {0};

    for (size_t i = 0; i < text->count; i++) {
        const struct text_line *line = &text->line[i];

        bad_written(text, i, " ", line->value > 0 ? " " : "", "", "with a space before it");
        bad_written(text, i, "#", line->value > 0 ? " " : "", "", "with a # before it");
        bad_written(text, i, "", line->value > 0 ? " " : "", " ", "with a space behind it");
        if (line->value > 0) {
            bad_written(text, i, "", "  ", "", "with two spaces");
            bad_written(text, i, "", "\t", "", "with a tab for its space");
            bad_written(text, i, "", "", "", "without its space");
            bad_written(text, i, "", "=", "", "with an equals sign");
            bad_written(text, i, "", ": ", "", "with a colon");
            bad_value(text, i, span_of(NULL, 0), "without a value");
        }
        for (size_t k = 0; k < sizeof strange / sizeof strange[0]; k++)
            for (unsigned end = 0; end < 2; end++) {
                size_t at = end > 0 ? line->bytes.size - 1 : line->value;
                char how[80];

                buffer_reset(&out);
                buffer_put(&out, line->bytes.data, at);
                buffer_put(&out, strange[k].bytes, strange[k].size);
                buffer_put_span(&out, span_from(line->bytes, at));
                (void)snprintf(how, sizeof how, "%s %s its value", strange[k].how, end > 0 ? "behind" : "before");
                if (end == 0 || strange[k].bytes[0] != '\r' || i > 0)
                    bad_line(text, i, buffer_span(&out), i, how);
            }
        buffer_reset(&out);
        for (size_t k = 0; k < line->bytes.size; k++)
            buffer_put_u8(&out, line->value == 0 || k < line->value ? (uint8_t)toupper(line->bytes.data[k])
                                                                    : line->bytes.data[k]);
        bad_line(text, i, buffer_span(&out), i, "in capitals");
    }
    buffer_free(&out);
}

/* A value of base64 that is not written as it must be, or means too few or too many bytes where not `any_size` will do.
 */
static inline void bad_base64_of(const struct text_specimen *text, size_t i, bool any_size)
{
    const struct text_line *line = &text->line[i];
    const char *value = (const char *)line->bytes.data + line->value;
    int size = (int)(line->bytes.size - 1 - line->value);
    int padding = value[size - 2] == '=' ? 2 : value[size - 1] == '=' ? 1 : 0;
    struct buffer out = {0};

#define BASE64_CASE(how, ...)                                                                                          \
    do {                                                                                                               \
        buffer_reset(&out);                                                                                            \
        buffer_print(&out, __VA_ARGS__);                                                                               \
        bad_value(text, i, buffer_span(&out), how);                                                                    \
    } while (0)
    BASE64_CASE("without its last character", "%.*s", size - 1, value);
    BASE64_CASE("without its first character", "%.*s", size - 1, value + 1);
    BASE64_CASE("with a character more", "%.*sA", size, value);
    BASE64_CASE("with an equals sign more", "%.*s=", size, value);
    BASE64_CASE("with four equals signs more", "%.*s====", size, value);
    BASE64_CASE("with an equals sign in front", "=%.*s", size - 1, value + 1);
    BASE64_CASE("with a space within", "%.*s %.*s", size / 2, value, size - size / 2, value + size / 2);
    BASE64_CASE("with a space for a character", "%.8s %.*s", value, size - 9, value + 9);
    BASE64_CASE("with a hyphen", "%.8s-%.*s", value, size - 9, value + 9);
    BASE64_CASE("with an underscore", "%.8s_%.*s", value, size - 9, value + 9);
    BASE64_CASE("with a comma", "%.8s,%.*s", value, size - 9, value + 9);
    BASE64_CASE("with a dot", "%.8s.%.*s", value, size - 9, value + 9);
    BASE64_CASE("with an equals sign within", "%.8s=%.*s", value, size - 9, value + 9);
    BASE64_CASE("with a letter that is not ASCII", "%.8s\u00e4%.*s", value, size - 10, value + 10);
    BASE64_CASE("as one character", "A");
    BASE64_CASE("as four equals signs", "====");
    BASE64_CASE("twice over", "%.*s%.*s", size, value, size, value);
    if (padding > 0) {
        BASE64_CASE("without its padding", "%.*s", size - padding, value);
        BASE64_CASE("with a letter for its padding", "%.*sA", size - 1, value);
        BASE64_CASE("with bits to spare", "%.*s%c%.*s", size - padding - 1, value,
                    value[size - padding - 1] == '/' ? 'z' : value[size - padding - 1] + 1, padding, "==");
    }
    if (any_size)
        goto out;
    BASE64_CASE("without its last group", "%.*s", size - 4, value);
    BASE64_CASE("without its first group", "%.*s", size - 4, value + 4);
    BASE64_CASE("with a group more", "AAAA%.*s", size, value);
    BASE64_CASE("as hexadecimal", "%064x", 17);
out:
#undef BASE64_CASE
    buffer_free(&out);
}

static inline void bad_base64(const struct text_specimen *text, size_t i)
{
    bad_base64_of(text, i, false);
}

/* A value that is a decimal number of at most `most`, or is not. */
static inline void bad_decimal(const struct text_specimen *text, size_t i, uint64_t most)
{
    static const char *const numbers[] = {
        "00",
        "01",
        "+1",
        "-1",
        "-0",
        "0x10",
        "1e3",
        "1.0",
        "1,000",
        "1_000",
        "1 000",
        " 1",
        "1 ",
        "one",
        "1a",
        "a1",
        "\u0661",
        "\uff11",
        "\u00b2",
        "inf",
        "nan",
        "~1",
        "1;",
        "1\t",
        "''",
        "18446744073709551616",
        "18446744073709551617",
        "36893488147419103232",
        "99999999999999999999",
        "340282366920938463463374607431768211456",
        "000000000000000000000000000000000000001",
    };
    struct buffer above = {0};

    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        char how[80];

        (void)snprintf(how, sizeof how, "with the number \"%s\"",
                       numbers[k][0] == '1' && numbers[k][1] == '\t' ? "1 and a tab" : numbers[k]);
        bad_value(text, i, span_of_string(numbers[k]), how);
    }
    if (most < UINT64_MAX) {
        buffer_print(&above, "%llu", (unsigned long long)most + 1);
        bad_value(text, i, buffer_span(&above), "with a number one above the most");
        buffer_reset(&above);
        buffer_print(&above, "%llu", (unsigned long long)UINT64_MAX);
        bad_value(text, i, buffer_span(&above), "with the number 2^64-1");
    }
    buffer_free(&above);
}

/* Cut within each line, and between lines. */
static inline void bad_text_cuts(const struct text_specimen *text)
{
    size_t at = 0;

    catalogue.cut = true;
    for (size_t i = 0; i < text->count; i++) {
        const struct text_line *line = &text->line[i];

        for (size_t k = 0; k < line->bytes.size; k += k < 4 || k + 4 > line->bytes.size ? 1 : 7)
            bad(text->on, span_of(text->text.data, at + k), ERROR_INVALID, line->fragment,
                "%s cut after byte %zu of %zu, in line %s", text->name, at + k, text->text.size, line->name);
        at += line->bytes.size;
    }
    catalogue.cut = false;
}

static inline void bad_text_tails(const struct text_specimen *text)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *how;
    } tails[] = {{"\n", 1, "an empty line"}, {" ", 1, "a space"},          {"\0", 1, "a zero byte"},
                 {"x\n", 2, "a line more"},  {"x", 1, "a letter"},         {"\032", 1, "a DOS end of file"},
                 {"\r\n", 2, "a DOS line"},  {"\xff", 1, "the byte 0xff"}, {"# remark\n", 9, "a remark"}};
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        buffer_reset(&out);
        buffer_put_span(&out, text->text);
        buffer_put(&out, tails[i].bytes, tails[i].size);
        bad(text->on, buffer_span(&out), ERROR_INVALID, text->end, "%s with %s behind it", text->name, tails[i].how);
    }
    buffer_reset(&out);
    buffer_put_span(&out, text->text);
    buffer_put_span(&out, text->text);
    bad(text->on, buffer_span(&out), ERROR_INVALID, text->end, "%s twice", text->name);
    buffer_free(&out);
}

#endif
