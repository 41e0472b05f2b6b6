#include "control/reader.h"
#include "test.h"

static bool line_is(struct control_reader *reader, const char *expected)
{
    struct span line = {0};

    return control_reader_next(reader, &line) == 1 && span_equal(line, span_of_string(expected));
}

static void lines_come_out_whole_however_they_come_in(void)
{
    const char *text = "one\n\nthree\n";
    struct span line = {0};

    for (size_t step = 1; step <= strlen(text); step++) {
        struct control_reader reader = {.max = 5};
        struct buffer seen = {0};

        for (size_t at = 0; at < strlen(text); at += step) {
            size_t left = strlen(text) - at;

            control_reader_input(&reader, span_of(text + at, left < step ? left : step));
            while (control_reader_next(&reader, &line) == 1)
                buffer_print(&seen, "[%.*s]", (int)line.size, (const char *)line.data);
        }
        CHECK(strcmp(buffer_string(&seen), "[one][][three]") == 0);
        CHECK(control_reader_next(&reader, &line) == 0);
        buffer_free(&seen);
        control_reader_free(&reader);
    }
}

static void a_line_beyond_the_limit_ends_the_stream(void)
{
    struct control_reader reader = {.max = 4};
    struct span line = {0};

    control_reader_input(&reader, span_of_string("1234\n1234"));
    CHECK(line_is(&reader, "1234"));
    CHECK(control_reader_next(&reader, &line) == 0);
    control_reader_input(&reader, span_of_string("5"));
    CHECK(control_reader_next(&reader, &line) == -1);
    control_reader_input(&reader, span_of_string("\n"));
    CHECK(control_reader_next(&reader, &line) == -1);
    control_reader_free(&reader);
}

static void a_whole_line_beyond_the_limit_is_refused_too(void)
{
    struct control_reader reader = {.max = 4};
    struct span line = {0};

    control_reader_input(&reader, span_of_string("12345\n"));
    CHECK(control_reader_next(&reader, &line) == -1);
    control_reader_free(&reader);
}

int main(void)
{
    RUN(lines_come_out_whole_however_they_come_in);
    RUN(a_line_beyond_the_limit_ends_the_stream);
    RUN(a_whole_line_beyond_the_limit_is_refused_too);
    return test_end();
}
