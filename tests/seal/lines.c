#include "seal/lines.h"

#include "test.h"

#define FIRST "liaison-thing/v1"

/* Reads a text of one line "key" and returns the error's message; NULL if there was none. */
static const char *read_thing(const char *text, struct error *error)
{
    struct cursor cursor = cursor_of(span_of_string(text));
    struct lines lines = {.cursor = &cursor, .what = "thing", .error = error};
    struct span value = {0};

    *error = (struct error){0};
    if (lines_first(&lines, FIRST) == 0 && lines_value(&lines, "key", &value) == 0) {
        CHECK(span_equal(value, span_of_string("value with spaces")));
        if (lines_end(&lines) == 0)
            return NULL;
    }
    return error->message;
}

static void errors_name_the_line_and_what_is_wrong(void)
{
    static const struct {
        const char *text;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"", ERROR_INVALID, "there is no thing"},
        {"liaison-card/v1\nkey value with spaces\n", ERROR_INVALID, "this is no thing"},
        {"\x89PNG\r\n\x1a\n", ERROR_INVALID, "this is no thing"},
        {"liaison-thing/v1", ERROR_INVALID, "this is no thing"},
        {"liaison-thing/v2\nkey x\n", ERROR_VERSION, "its first line is \"liaison-thing/v2\""},
        {"liaison-thing/v12\n", ERROR_VERSION, "\"liaison-thing/v12\""},
        {"liaison-thing/v01\n", ERROR_INVALID, "this is no thing"},
        {"liaison-thing/vx\n", ERROR_INVALID, "this is no thing"},
        {"liaison-thing/v1\r\nkey value with spaces\r\n", ERROR_INVALID, "CR LF"},
        {"liaison-thing/v1\n", ERROR_INVALID, "line 2 of the thing, key: missing"},
        {"liaison-thing/v1\nkey value with spaces", ERROR_INVALID, "line 2 of the thing, key: without its end"},
        {"liaison-thing/v1\nkeys value\n", ERROR_INVALID, "line 2 of the thing, key: another line"},
        {"liaison-thing/v1\nkey\n", ERROR_INVALID, "line 2 of the thing, key: another line"},
        {"liaison-thing/v1\n\nkey value with spaces\n", ERROR_INVALID, "line 2 of the thing, key: another line"},
        {"liaison-thing/v1\nkey value with spaces\n\n", ERROR_INVALID, "goes on after its last line, key"},
        {"liaison-thing/v1\nkey value with spaces\nx", ERROR_INVALID, "goes on after its last line, key"},
    };
    struct error error = {0};

    CHECK(read_thing(FIRST "\nkey value with spaces\n", &error) == NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *message = read_thing(cases[i].text, &error);

        CHECK(message != NULL && strstr(message, cases[i].says) != NULL);
        CHECK(error.code == cases[i].code);
        if (message == NULL || strstr(message, cases[i].says) == NULL)
            printf("# case %zu says: %s\n", i, message != NULL ? message : "nothing");
    }
}

int main(void)
{
    RUN(errors_name_the_line_and_what_is_wrong);
    return test_end();
}
