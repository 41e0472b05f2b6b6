#include "control/client.h"
#include "test.h"

static void requests_are_numbered_from_one(void)
{
    struct control_client client = {0};

    CHECK(control_client_request(&client, "status", json_object()) == 1);
    CHECK(control_client_request(&client, "card", json_object()) == 2);
    CHECK(strcmp(buffer_string(&client.output),
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"card\",\"params\":{}}\n") == 0);
    control_client_free(&client);
}

static void answers_errors_and_events_are_told_apart(void)
{
    struct control_client client = {0};
    struct control_message message = {0};
    struct error error = {0};
    struct error full = {.code = ERROR_FULL, .message = "the disk is full"};
    struct buffer lines = {0};
    json_t *id = json_integer(2);

    control_put_event(&lines, json_pack("{s:s}", "event", "lost"));
    control_put_result(&lines, id, json_pack("{s:i}", "number", 17));
    control_put_error(&lines, id, &full);
    control_put_error(&lines, NULL, &full);
    control_client_input(&client, buffer_span(&lines));
    CHECK(control_client_next(&client, &message, &error) == 1);
    CHECK(message.is_event && json_object_get(message.content, "event") != NULL);
    control_message_free(&message);
    CHECK(control_client_next(&client, &message, &error) == 1);
    CHECK(!message.is_event && message.id == 2);
    CHECK(json_integer_value(json_object_get(message.content, "number")) == 17);
    control_message_free(&message);
    CHECK(control_client_next(&client, &message, &error) == 1);
    CHECK(message.id == 2 && message.content == NULL && message.error.code == ERROR_FULL);
    CHECK(strcmp(message.error.message, "the disk is full") == 0);
    control_message_free(&message);
    CHECK(control_client_next(&client, &message, &error) == 1);
    CHECK(message.id == 0 && message.error.code == ERROR_FULL);
    control_message_free(&message);
    CHECK(control_client_next(&client, &message, &error) == 0);
    json_decref(id);
    buffer_free(&lines);
    control_client_free(&client);
}

static void what_is_not_the_protocol_ends_it(void)
{
    static const char *const lines[] = {
        "HTTP/1.1 400 Bad Request\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\"}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":[]}\n",
        "[]\n",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct control_client client = {0};
        struct control_message message = {0};
        struct error error = {0};

        control_client_input(&client, span_of_string(lines[i]));
        CHECK(control_client_next(&client, &message, &error) == -1);
        CHECK(message.content == NULL && error.code == ERROR_INVALID);
        control_client_free(&client);
    }
}

int main(void)
{
    RUN(requests_are_numbered_from_one);
    RUN(answers_errors_and_events_are_told_apart);
    RUN(what_is_not_the_protocol_ends_it);
    return test_end();
}
