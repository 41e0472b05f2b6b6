#include "control/params.h"

struct params params_of(const struct control_request *request, struct error *error)
{
    return (struct params){.method = request->method, .object = request->params, .error = error};
}

bool params_fail(struct params *params, const char *name, const char *what)
{
    params->failed = true;
    (void)error_set(params->error, ERROR_USAGE, "%s: %s%s %s", params->method, params->path, name, what);
    return false;
}

/* The parameter, or NULL where it is absent or null. */
static const json_t *ask(struct params *params, const char *name)
{
    const json_t *value = json_object_get(params->object, name);

    for (size_t i = 0; i < params->asked_count; i++)
        if (strcmp(params->asked[i], name) == 0)
            return json_is_null(value) ? NULL : value;
    if (params->asked_count < PARAMS_MAX)
        params->asked[params->asked_count++] = name;
    return json_is_null(value) ? NULL : value;
}

static bool was_asked(const struct params *params, const char *key)
{
    for (size_t i = 0; i < params->asked_count; i++)
        if (strcmp(params->asked[i], key) == 0)
            return true;
    return false;
}

bool params_done(struct params *params)
{
    size_t known = 0;

    for (size_t i = 0; i < params->asked_count; i++)
        known += json_object_get(params->object, params->asked[i]) != NULL;
    if (!params->failed && known != json_object_size(params->object)) {
        const char *key = NULL;
        json_t *value = NULL;

        json_object_foreach(params->object, key, value)
        {
            if (!was_asked(params, key))
                (void)params_fail(params, key, "is not a parameter of this method");
        }
    }
    return !params->failed;
}

static const char *plain_string(struct params *params, const char *name, const json_t *value)
{
    if (!json_is_string(value))
        (void)params_fail(params, name, "is not a string");
    else if (strlen(json_string_value(value)) != json_string_length(value))
        (void)params_fail(params, name, "holds a zero byte");
    else
        return json_string_value(value);
    return "";
}

const char *params_string(struct params *params, const char *name)
{
    const json_t *value = ask(params, name);

    if (value == NULL) {
        (void)params_fail(params, name, "is missing");
        return "";
    }
    return plain_string(params, name, value);
}

const char *params_string_or(struct params *params, const char *name, const char *fallback)
{
    const json_t *value = ask(params, name);

    return value == NULL ? fallback : plain_string(params, name, value);
}

struct span params_text(struct params *params, const char *name, size_t min, size_t max)
{
    const json_t *value = ask(params, name);
    char what[80];

    if (value == NULL) {
        (void)params_fail(params, name, "is missing");
    } else if (!json_is_string(value)) {
        (void)params_fail(params, name, "is not a string");
    } else if (json_string_length(value) < min || json_string_length(value) > max) {
        (void)snprintf(what, sizeof what, "has %zu bytes; %zu to %zu are allowed", json_string_length(value), min, max);
        (void)params_fail(params, name, what);
    } else {
        return span_of(json_string_value(value), json_string_length(value));
    }
    return span_of(NULL, 0);
}

uint64_t params_number_or(struct params *params, const char *name, uint64_t min, uint64_t max, uint64_t fallback)
{
    const json_t *value = ask(params, name);
    json_int_t number = json_integer_value(value);
    char what[80];

    if (value == NULL)
        return fallback;
    if (json_is_integer(value) && number >= 0 && (uint64_t)number >= min && (uint64_t)number <= max)
        return (uint64_t)number;
    (void)snprintf(what, sizeof what, "is not a whole number from %llu to %llu", (unsigned long long)min,
                   (unsigned long long)max);
    (void)params_fail(params, name, what);
    return fallback;
}

bool params_flag_or(struct params *params, const char *name, bool fallback)
{
    const json_t *value = ask(params, name);

    if (value == NULL)
        return fallback;
    if (!json_is_boolean(value))
        (void)params_fail(params, name, "is neither true nor false");
    return json_is_true(value);
}

size_t params_array(struct params *params, const char *name, size_t min, size_t max)
{
    const json_t *value = ask(params, name);
    size_t size = json_array_size(value);
    char what[80];

    if (value == NULL) {
        (void)params_fail(params, name, "is missing");
    } else if (!json_is_array(value)) {
        (void)params_fail(params, name, "is not an array");
    } else if (size < min || size > max) {
        (void)snprintf(what, sizeof what, "has %zu items; %zu to %zu are allowed", size, min, max);
        (void)params_fail(params, name, what);
    } else {
        return size;
    }
    return 0;
}

static json_t *item(const struct params *params, const char *name, size_t index, char path[static 32])
{
    (void)snprintf(path, 32, "%.16s[%zu]", name, index);
    return json_array_get(json_object_get(params->object, name), index);
}

const char *params_array_string(struct params *params, const char *name, size_t index)
{
    char path[32];
    const json_t *value = item(params, name, index, path);

    return plain_string(params, path, value);
}

struct params params_array_object(struct params *params, const char *name, size_t index)
{
    struct params inner = {.method = params->method, .error = params->error};
    char path[32];

    inner.object = item(params, name, index, path);
    if (!json_is_object(inner.object)) {
        inner.failed = true;
        (void)params_fail(params, path, "is not an object");
    }
    (void)snprintf(inner.path, sizeof inner.path, "%.30s.", path);
    return inner;
}
