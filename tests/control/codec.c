#include "control/codec.h"
#include "test.h"

static int parse(const char *line, struct control_request *request, struct error *error)
{
    *error = (struct error){0};
    return control_parse(request, span_of_string(line), error);
}

static void a_request_is_taken_apart(void)
{
    struct control_request request;
    struct error error;

    CHECK(parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"append\",\"params\":{\"line\":\"talks\"}}", &request,
                &error) == 0);
    CHECK(json_integer_value(request.id) == 7);
    CHECK(strcmp(request.method, "append") == 0);
    CHECK(strcmp(json_string_value(json_object_get(request.params, "line")), "talks") == 0);
    control_request_free(&request);
    CHECK(parse("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"status\"}", &request, &error) == 0);
    CHECK(strcmp(json_string_value(request.id), "a") == 0);
    CHECK(json_object_size(request.params) == 0);
    control_request_free(&request);
}

static void what_is_no_request_gets_its_number(void)
{
    static const struct {
        const char *line;
        int number;
        bool has_id;
    } cases[] = {
        {"", CONTROL_NOT_JSON, false},
        {"hello", CONTROL_NOT_JSON, false},
        {"{\"id\":1", CONTROL_NOT_JSON, false},
        {"{\"id\":1}{}", CONTROL_NOT_JSON, false},
        {"{\"id\":1,\"id\":2,\"jsonrpc\":\"2.0\",\"method\":\"status\"}", CONTROL_NOT_JSON, false},
        {"{\"id\":\"\xff\"}", CONTROL_NOT_JSON, false},
        {"[]", CONTROL_NOT_A_REQUEST, false},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, false},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, true},
        {"{\"jsonrpc\":\"2.0\\u0000\",\"id\":1,\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, true},
        {"{\"id\":1,\"method\":\"status\"}", CONTROL_NOT_A_REQUEST, true},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", CONTROL_NOT_A_REQUEST, true},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":3}", CONTROL_NOT_A_REQUEST, true},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\\u0000\"}", CONTROL_NOT_A_REQUEST, true},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":[]}", CONTROL_BAD_PARAMS, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_request request;
        struct error error;
        int number = parse(cases[i].line, &request, &error);

        if (number != cases[i].number || (request.id != NULL) != cases[i].has_id)
            printf("# %s: %d\n", cases[i].line, number);
        CHECK(number == cases[i].number);
        CHECK((request.id != NULL) == cases[i].has_id);
        CHECK(request.method == NULL && request.params == NULL);
        CHECK(error.code == ERROR_USAGE && error.message[0] != '\0');
        control_request_free(&request);
    }
}

static void nesting_without_end_is_refused(void)
{
    struct buffer line = {0};
    struct control_request request;
    struct error error = {0};

    for (int i = 0; i < 500000; i++)
        buffer_put(&line, "[", 1);
    CHECK(control_parse(&request, buffer_span(&line), &error) == CONTROL_NOT_JSON);
    control_request_free(&request);
    buffer_free(&line);
}

static bool line_is(struct buffer *line, const char *expected)
{
    bool same = strcmp(buffer_string(line), expected) == 0;

    if (!same)
        printf("# %s", buffer_string(line));
    buffer_reset(line);
    return same;
}

static void lines_are_written_as_the_protocol_says(void)
{
    struct buffer line = {0};
    json_t *id = json_integer(7);
    struct error refused = {.code = ERROR_REFUSED, .message = "no"};
    struct error usage = {.code = ERROR_USAGE, .message = "a\nb"};

    control_put_result(&line, id, json_pack("{s:s}", "card", "one\ntwo"));
    CHECK(line_is(&line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"card\":\"one\\ntwo\"}}\n"));
    control_put_error(&line, id, &refused);
    CHECK(line_is(&line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"no\","
                         "\"data\":{\"code\":\"refused\"}}}\n"));
    control_put_error(&line, NULL, &usage);
    CHECK(line_is(&line, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":\"a\\nb\","
                         "\"data\":{\"code\":\"usage\"}}}\n"));
    control_put_event(&line, json_pack("{s:s}", "event", "lost"));
    CHECK(line_is(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":\"lost\"}}\n"));
    control_put_request(&line, 3, "status", json_object());
    CHECK(line_is(&line, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"status\",\"params\":{}}\n"));
    json_decref(id);
    buffer_free(&line);
}

static void memory_that_ran_out_fails_the_line(void)
{
    struct buffer line = {0};

    control_put_result(&line, NULL, NULL);
    CHECK(buffer_failed(&line));
    buffer_free(&line);
}

static void a_message_that_quotes_half_a_character_is_sent(void)
{
    struct error error = {0};
    struct buffer line = {0};

    (void)error_set(&error, ERROR_INVALID, "%s", "caf\xc3");
    control_put_error(&line, NULL, &error);
    CHECK(!buffer_failed(&line));
    CHECK(strstr(buffer_string(&line), "\"message\":\"caf?\"") != NULL);
    buffer_free(&line);
}

static void words_and_codes_map_both_ways(void)
{
    json_t *answer = json_pack("{s:i, s:s, s:{s:s}}", "code", -32000, "message", "why", "data", "code", "storage");
    struct error error = {0};

    for (unsigned code = ERROR_INVALID; code <= ERROR_USAGE; code++)
        CHECK(control_code(error_code_name((enum error_code)code)) == (enum error_code)code);
    CHECK(control_code("none") == ERROR_INVALID);
    CHECK(control_code("something new") == ERROR_INVALID);
    control_error(answer, &error);
    CHECK(error.code == ERROR_STORAGE && strcmp(error.message, "why") == 0);
    json_decref(answer);
}

int main(void)
{
    RUN(a_request_is_taken_apart);
    RUN(what_is_no_request_gets_its_number);
    RUN(nesting_without_end_is_refused);
    RUN(lines_are_written_as_the_protocol_says);
    RUN(memory_that_ran_out_fails_the_line);
    RUN(a_message_that_quotes_half_a_character_is_sent);
    RUN(words_and_codes_map_both_ways);
    return test_end();
}
