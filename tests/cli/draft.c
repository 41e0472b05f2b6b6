#include "cli/draft.h"

#include "test.h"

static struct draft draft;

static void begin(void)
{
    draft_free(&draft);
    draft = (struct draft){0};
    draft_clear(&draft);
}

static void lines_are_joined_by_line_feeds(void)
{
    begin();
    CHECK(draft_is_empty(&draft) && draft_text(&draft).size == 0);
    draft_add(&draft, span_of_string("one"));
    draft_add(&draft, span_of_string(""));
    draft_add(&draft, span_of_string("three"));
    CHECK(span_equal(draft_text(&draft), span_of_string("one\n\nthree")));
}

static void the_last_line_is_taken_back(void)
{
    struct buffer line = {0};

    begin();
    CHECK(!draft_take_back(&draft, &line));
    draft_add(&draft, span_of_string("one"));
    draft_add(&draft, span_of_string(""));
    CHECK(draft_take_back(&draft, &line) && line.size == 0);
    CHECK(draft_take_back(&draft, &line) && strcmp(buffer_string(&line), "one") == 0);
    CHECK(draft_is_empty(&draft) && !draft_take_back(&draft, &line));
    buffer_free(&line);
}

static void only_what_can_be_recorded_may_be_sent(void)
{
    static char long_line[DRAFT_TEXT_MAX + 1];
    struct error error = {0};

    begin();
    CHECK(draft_check(&draft, NULL) != 0);
    draft_add(&draft, span_of_string(""));
    CHECK(draft_check(&draft, NULL) != 0);
    begin();
    memset(long_line, 'x', sizeof long_line);
    draft_add(&draft, span_of(long_line, DRAFT_TEXT_MAX));
    CHECK(draft_check(&draft, NULL) == 0);
    draft_add(&draft, span_of_string("y"));
    CHECK(draft_check(&draft, &error) != 0 && strstr(error.message, "2 bytes too long") != NULL);
    begin();
    draft_add(&draft, span_of_string("\xff"));
    CHECK(draft_check(&draft, NULL) != 0);
}

static void precedences_are_words_in_either_case(void)
{
    CHECK(draft_precedence("flash") == draft_precedence("FLASH") && draft_precedence("flash") != NULL);
    CHECK(draft_precedence("flas") == NULL && draft_precedence("") == NULL && draft_precedence("flashy") == NULL);
}

static void a_request_says_what_the_review_said(void)
{
    struct buffer review = {0};
    json_t *params = NULL;
    const json_t *entry = NULL;

    begin();
    draft_add(&draft, span_of_string("abc"));
    draft.precedence = draft_precedence("flash");
    draft.exercise = true;
    strcpy(draft.language, "ko");
    strcpy(draft.answers, "pyongyang/5");
    memset(draft.token, 0xab, sizeof draft.token);
    draft_put_review(&draft, &review);
    CHECK(strcmp(buffer_string(&review),
                 "3 bytes, precedence FLASH, language ko, answers pyongyang/5, EXERCISE\n"
                 "SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n") == 0);
    params = draft_params(&draft, "talks");
    entry = json_array_get(json_object_get(params, "entries"), 0);
    CHECK(strcmp(json_string_value(json_object_get(params, "line")), "talks") == 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "text")), "abc") == 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "token")), "abababababababababababababababab") == 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "precedence")), "flash") == 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "language")), "ko") == 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "answers")), "pyongyang/5") == 0);
    CHECK(json_is_true(json_object_get(entry, "exercise")));
    json_decref(params);
    buffer_free(&review);
}

static void only_language_and_exercise_outlive_a_message(void)
{
    json_t *params = NULL;
    const json_t *entry = NULL;

    begin();
    draft_add(&draft, span_of_string("abc"));
    draft.precedence = draft_precedence("flash");
    draft.exercise = true;
    strcpy(draft.language, "ru");
    strcpy(draft.answers, "pyongyang/5");
    draft_clear(&draft);
    CHECK(draft_is_empty(&draft) && draft.exercise && strcmp(draft.language, "ru") == 0);
    draft.exercise = false;
    draft.language[0] = '\0';
    draft_add(&draft, span_of_string("x"));
    params = draft_params(&draft, "talks");
    entry = json_array_get(json_object_get(params, "entries"), 0);
    CHECK(strcmp(json_string_value(json_object_get(entry, "precedence")), "routine") == 0);
    CHECK(json_object_get(entry, "answers") == NULL && json_object_get(entry, "language") == NULL);
    json_decref(params);
}

int main(void)
{
    RUN(lines_are_joined_by_line_feeds);
    RUN(the_last_line_is_taken_back);
    RUN(only_what_can_be_recorded_may_be_sent);
    RUN(precedences_are_words_in_either_case);
    RUN(a_request_says_what_the_review_said);
    RUN(only_language_and_exercise_outlive_a_message);
    draft_free(&draft);
    draft_free(NULL);
    return test_end();
}
