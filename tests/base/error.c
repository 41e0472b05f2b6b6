#include "base/error.h"

#include "test.h"

static void the_first_failure_is_kept(void)
{
    struct error error = {0};

    CHECK(error_set(&error, ERROR_MISMATCH, "%s", "the cause") == -1);
    CHECK(error_set(&error, ERROR_SYSTEM, "on the way out") == -1);
    CHECK(error.code == ERROR_MISMATCH && strcmp(error.message, "the cause") == 0);
    CHECK(error_set(NULL, ERROR_SYSTEM, "nobody asks") == -1);
}

static void a_long_sentence_is_cut_and_ended(void)
{
    struct error error = {0};

    (void)error_set(&error, ERROR_INVALID, "%0400d", 1);
    CHECK(strlen(error.message) == sizeof error.message - 1);
}

static void what_is_quoted_of_others_becomes_text(void)
{
    struct error error = {0};

    (void)error_set(&error, ERROR_INVALID, "%s", "near '\x1b\xff\xe2\x80' and \xc3\xa9\xe2\x80\x94");
    CHECK(strcmp(error.message, "near '\x1b??"
                                "?' and \xc3\xa9\xe2\x80\x94") == 0);
}

static void a_sentence_is_cut_between_characters(void)
{
    char long_text[400] = {0};

    for (size_t size = 1; size <= 4; size++) {
        static const char *const character[] = {"a", "\xc3\xa9", "\xe2\x80\x94", "\xf0\x9f\x93\x9e"};
        size_t whole = (sizeof((struct error *)0)->message - 2) / size * size;
        struct error error = {0};

        for (size_t at = 0; at + size < sizeof long_text; at += size)
            memcpy(long_text + at, character[size - 1], size + 1);
        (void)error_set(&error, ERROR_INVALID, ".%s", long_text);
        CHECK(strlen(error.message) == 1 + whole && strncmp(error.message + 1, long_text, whole) == 0);
    }
}

static void every_code_has_its_own_name(void)
{
    for (int a = ERROR_NONE; a <= ERROR_USAGE; a++) {
        CHECK(strcmp(error_code_name((enum error_code)a), "unknown") != 0);
        for (int b = ERROR_NONE; b < a; b++)
            CHECK(strcmp(error_code_name((enum error_code)a), error_code_name((enum error_code)b)) != 0);
    }
    CHECK(strcmp(error_code_name((enum error_code)(ERROR_USAGE + 1)), "unknown") == 0);
}

int main(void)
{
    RUN(the_first_failure_is_kept);
    RUN(a_long_sentence_is_cut_and_ended);
    RUN(what_is_quoted_of_others_becomes_text);
    RUN(a_sentence_is_cut_between_characters);
    RUN(every_code_has_its_own_name);
    return test_end();
}
