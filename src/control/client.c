#include "control/client.h"

void control_message_free(struct control_message *message)
{
    if (message == NULL)
        return;
    json_decref(message->content);
    *message = (struct control_message){0};
}

void control_client_free(struct control_client *client)
{
    if (client == NULL)
        return;
    buffer_free(&client->output);
    control_reader_free(&client->input);
    *client = (struct control_client){0};
}

uint64_t control_client_request(struct control_client *client, const char *method, json_t *params)
{
    control_put_request(&client->output, ++client->last_id, method, params);
    return client->last_id;
}

void control_client_input(struct control_client *client, struct span bytes)
{
    client->input.max = CONTROL_ANSWER_MAX;
    control_reader_input(&client->input, bytes);
}

static int read_message(struct control_message *message, const json_t *root, struct error *error)
{
    const char *method = json_string_value(json_object_get(root, "method"));
    const json_t *id = json_object_get(root, "id");
    const json_t *failure = json_object_get(root, "error");

    message->is_event = method != NULL;
    message->content = json_incref(json_object_get(root, method != NULL ? "params" : "result"));
    if (method != NULL)
        return json_is_object(message->content) ? 1 : error_set(error, ERROR_INVALID, "the daemon sent an empty event");
    message->id = json_integer_value(id) > 0 ? (uint64_t)json_integer_value(id) : 0;
    if (json_is_object(failure))
        control_error(failure, &message->error);
    else if (message->content == NULL)
        return error_set(error, ERROR_INVALID, "the daemon sent an answer without a result");
    return 1;
}

int control_client_next(struct control_client *client, struct control_message *message, struct error *error)
{
    struct span line = {0};
    json_t *root = NULL;
    int result = control_reader_next(&client->input, &line);

    *message = (struct control_message){0};
    if (result == 0)
        return 0;
    if (result < 0)
        return error_set(error, ERROR_INVALID, "the daemon sent a line of more than %u bytes", CONTROL_ANSWER_MAX);
    root = json_loadb((const char *)line.data, line.size, JSON_ALLOW_NUL, NULL);
    if (root == NULL)
        return error_set(error, ERROR_INVALID, "the daemon sent a line that is not JSON");
    result = read_message(message, root, error);
    json_decref(root);
    if (result < 0)
        control_message_free(message);
    return result;
}
