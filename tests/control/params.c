#include "control/params.h"
#include "test.h"

static struct control_request request;
static struct error error;

static struct params params_from(const char *text)
{
    json_decref(request.params);
    request.method = "append";
    request.params = json_loads(text, JSON_ALLOW_NUL, NULL);
    error = (struct error){0};
    return params_of(&request, &error);
}

static bool says(const char *sentence)
{
    if (strcmp(error.message, sentence) != 0)
        printf("# %s\n", error.message);
    return error.code == ERROR_USAGE && strcmp(error.message, sentence) == 0;
}

static void values_are_read(void)
{
    struct params params = params_from("{\"line\":\"talks\",\"limit\":256,\"exercise\":true,\"text\":\"a\\u0000b\","
                                       "\"answers\":null,\"cards\":[\"x\",\"y\"]}");

    CHECK(strcmp(params_string(&params, "line"), "talks") == 0);
    CHECK(params_string_or(&params, "answers", NULL) == NULL);
    CHECK(strcmp(params_string_or(&params, "order", "rising"), "rising") == 0);
    CHECK(params_number_or(&params, "limit", 1, 256, 1) == 256);
    CHECK(params_number_or(&params, "after", 0, 9, 5) == 5);
    CHECK(params_flag_or(&params, "exercise", false));
    CHECK(span_equal(params_text(&params, "text", 1, 3), span_of("a\0b", 3)));
    CHECK(params_array(&params, "cards", 1, 2) == 2);
    CHECK(strcmp(params_array_string(&params, "cards", 1), "y") == 0);
    CHECK(params_done(&params));
}

static void what_is_wrong_is_said_with_its_place(void)
{
    struct params params = params_from("{\"entries\":[{},{\"text\":3}]}");
    struct params inner;

    CHECK(params_array(&params, "entries", 1, 1024) == 2);
    inner = params_array_object(&params, "entries", 0);
    CHECK(params_text(&inner, "text", 1, 60000).size == 0);
    CHECK(!params_done(&inner));
    CHECK(says("append: entries[0].text is missing"));
    error = (struct error){0};
    inner = params_array_object(&params, "entries", 1);
    (void)params_text(&inner, "text", 1, 60000);
    CHECK(!params_done(&inner));
    CHECK(says("append: entries[1].text is not a string"));
    params = params_from("{\"entries\":[3]}");
    (void)params_array(&params, "entries", 1, 1024);
    inner = params_array_object(&params, "entries", 0);
    CHECK(!params_done(&inner) && !params_done(&params));
    CHECK(says("append: entries[0] is not an object"));
}

static void each_kind_of_value_is_checked(void)
{
    struct params params = params_from("{\"line\":\"a\\u0000\"}");

    CHECK(strcmp(params_string(&params, "line"), "") == 0);
    CHECK(says("append: line holds a zero byte"));
    params = params_from("{\"limit\":257}");
    CHECK(params_number_or(&params, "limit", 1, 256, 1) == 1);
    CHECK(says("append: limit is not a whole number from 1 to 256"));
    params = params_from("{\"limit\":-1}");
    (void)params_number_or(&params, "limit", 0, UINT64_MAX, 1);
    CHECK(!params_done(&params));
    params = params_from("{\"limit\":\"1\"}");
    (void)params_number_or(&params, "limit", 0, 256, 1);
    CHECK(!params_done(&params));
    params = params_from("{\"exercise\":1}");
    (void)params_flag_or(&params, "exercise", false);
    CHECK(says("append: exercise is neither true nor false"));
    params = params_from("{\"text\":\"abcd\"}");
    CHECK(params_text(&params, "text", 1, 3).size == 0);
    CHECK(says("append: text has 4 bytes; 1 to 3 are allowed"));
    params = params_from("{\"entries\":[]}");
    CHECK(params_array(&params, "entries", 1, 1024) == 0);
    CHECK(says("append: entries has 0 items; 1 to 1024 are allowed"));
    params = params_from("{\"entries\":{}}");
    CHECK(params_array(&params, "entries", 0, 1024) == 0);
    CHECK(says("append: entries is not an array"));
    params = params_from("{\"cards\":[1]}");
    CHECK(strcmp(params_array_string(&params, "cards", 0), "") == 0);
    CHECK(says("append: cards[0] is not a string"));
}

static void a_parameter_nobody_asked_for_is_refused(void)
{
    struct params params = params_from("{\"line\":\"talks\",\"langauge\":\"en\"}");

    (void)params_string(&params, "line");
    (void)params_string_or(&params, "language", NULL);
    CHECK(!params_done(&params));
    CHECK(says("append: langauge is not a parameter of this method"));
}

static void the_first_failure_is_kept(void)
{
    struct params params = params_from("{}");

    (void)params_string(&params, "line");
    (void)params_string(&params, "party");
    CHECK(!params_fail(&params, "party", "is no member"));
    CHECK(!params_done(&params));
    CHECK(says("append: line is missing"));
}

int main(void)
{
    RUN(values_are_read);
    RUN(what_is_wrong_is_said_with_its_place);
    RUN(each_kind_of_value_is_checked);
    RUN(a_parameter_nobody_asked_for_is_refused);
    RUN(the_first_failure_is_kept);
    json_decref(request.params);
    return test_end();
}
