#include "control/codec.h"

static int put_chunk(const char *bytes, size_t size, void *buffer)
{
    buffer_put(buffer, bytes, size);
    return buffer_failed(buffer) ? -1 : 0;
}

void control_put_json(struct buffer *out, const json_t *value)
{
    if (value == NULL ||
        json_dump_callback(value, put_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) != 0)
        out->failed = true;
}

static int refuse(struct error *error, enum control_number number, const char *sentence)
{
    (void)error_set(error, ERROR_USAGE, "%s", sentence);
    return (int)number;
}

int control_parse(struct control_request *request, struct span line, struct error *error)
{
    json_error_t where = {0};
    json_t *id = NULL;
    json_t *version = NULL;
    json_t *params = NULL;
    json_t *method = NULL;

    *request = (struct control_request){0};
    request->root = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (request->root == NULL) {
        (void)error_set(error, ERROR_USAGE, "the line is not JSON: %s at byte %d", where.text, where.position);
        return CONTROL_NOT_JSON;
    }
    if (json_is_array(request->root))
        return refuse(error, CONTROL_NOT_A_REQUEST, "batches are not supported; append takes an array of entries");
    id = json_object_get(request->root, "id");
    if (!json_is_integer(id) && !json_is_string(id))
        return refuse(error, CONTROL_NOT_A_REQUEST, "the request has no id that is an integer or a string");
    request->id = json_incref(id);
    version = json_object_get(request->root, "jsonrpc");
    if (!json_is_string(version) ||
        !span_equal(span_of(json_string_value(version), json_string_length(version)), span_of_string("2.0")))
        return refuse(error, CONTROL_NOT_A_REQUEST, "jsonrpc is not \"2.0\"");
    method = json_object_get(request->root, "method");
    if (!json_is_string(method) || strlen(json_string_value(method)) != json_string_length(method))
        return refuse(error, CONTROL_NOT_A_REQUEST, "method is not a string");
    params = json_object_get(request->root, "params");
    if (params != NULL && !json_is_object(params))
        return refuse(error, CONTROL_BAD_PARAMS, "params is not an object; parameters are passed by name");
    request->params = params == NULL ? json_object() : json_incref(params);
    if (request->params == NULL)
        return refuse(error, CONTROL_FAILED, "out of memory");
    request->method = json_string_value(method);
    return 0;
}

void control_request_free(struct control_request *request)
{
    if (request == NULL)
        return;
    json_decref(request->id);
    json_decref(request->params);
    json_decref(request->root);
    *request = (struct control_request){0};
}

static void put_id(struct buffer *line, const json_t *id)
{
    if (id == NULL)
        buffer_put(line, "null", 4);
    else
        control_put_json(line, id);
}

static void put_text(struct buffer *line, const char *text)
{
    buffer_put_span(line, span_of_string(text));
}

void control_put_result(struct buffer *line, const json_t *id, json_t *result)
{
    put_text(line, "{\"jsonrpc\":\"2.0\",\"id\":");
    put_id(line, id);
    put_text(line, ",\"result\":");
    control_put_json(line, result);
    put_text(line, "}\n");
    json_decref(result);
}

void control_put_failure(struct buffer *line, const json_t *id, enum control_number number, const struct error *error)
{
    const char *word = error_code_name(error->code);
    json_t *body =
        json_pack("{s:i, s:s, s:{s:s}}", "code", (int)number, "message", error->message, "data", "code", word);

    put_text(line, "{\"jsonrpc\":\"2.0\",\"id\":");
    put_id(line, id);
    put_text(line, ",\"error\":");
    control_put_json(line, body);
    put_text(line, "}\n");
    json_decref(body);
}

void control_put_error(struct buffer *line, const json_t *id, const struct error *error)
{
    control_put_failure(line, id, error->code == ERROR_USAGE ? CONTROL_BAD_PARAMS : CONTROL_FAILED, error);
}

void control_put_event(struct buffer *line, json_t *params)
{
    put_text(line, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":");
    control_put_json(line, params);
    put_text(line, "}\n");
    json_decref(params);
}

void control_put_request(struct buffer *line, uint64_t id, const char *method, json_t *params)
{
    buffer_print(line, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"%s\",\"params\":", (unsigned long long)id,
                 method);
    control_put_json(line, params);
    put_text(line, "}\n");
    json_decref(params);
}

enum error_code control_code(const char *word)
{
    for (unsigned code = ERROR_INVALID; code <= ERROR_USAGE; code++)
        if (strcmp(word, error_code_name((enum error_code)code)) == 0)
            return (enum error_code)code;
    return ERROR_INVALID;
}

void control_error(const json_t *answer, struct error *error)
{
    const char *word = json_string_value(json_object_get(json_object_get(answer, "data"), "code"));
    const char *message = json_string_value(json_object_get(answer, "message"));

    (void)error_set(error, control_code(word != NULL ? word : ""), "%s",
                    message != NULL ? message : "the daemon gave an error without a sentence");
}
