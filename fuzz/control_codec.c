/* control/codec and control/params: a line in, one line of JSON out that says what was wrong with it. */
#include "fuzz.h"

#include "base/text.h"
#include "control/params.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 100000};

static void check_entry(struct params *entry)
{
    struct span text = params_text(entry, "text", 1, 100);

    HOLD(entry->failed || (text.size >= 1 && text.size <= 100 && text_is_utf8(text)));
    (void)params_string_or(entry, "language", "");
    (void)params_flag_or(entry, "exercise", false);
}

/* Reads parameters of every form. */
static bool read_params(const struct control_request *request, struct error *error)
{
    struct params params = params_of(request, error);
    const char *line = params_string(&params, "line");
    uint64_t limit = params_number_or(&params, "limit", 1, 256, 255);
    size_t count = params_array(&params, "entries", 1, 3);
    size_t cards = params_array(&params, "cards", 0, 2);
    bool good = true;

    HOLD(limit >= 1 && limit <= 256 && count <= 3 && cards <= 2);
    HOLD(text_is_utf8(span_of_string(line)));
    for (size_t i = 0; i < cards; i++)
        HOLD(text_is_utf8(span_of_string(params_array_string(&params, "cards", i))));
    for (size_t i = 0; i < count; i++) {
        struct params entry = params_array_object(&params, "entries", i);

        check_entry(&entry);
        good = params_done(&entry) && good;
    }
    return params_done(&params) && good;
}

/* The answer is one line of JSON, with the id that was asked with, and a client reads from it what was wrong. */
static void check_answer(struct buffer *line, const json_t *id, const struct error *error)
{
    json_t *answer = NULL;
    struct error read = {0};

    HOLD(!buffer_failed(line) && line->size > 0 && line->size <= CONTROL_ANSWER_MAX);
    HOLD(memchr(line->data, '\n', line->size) == line->data + line->size - 1);
    HOLD(text_is_utf8(buffer_span(line)));
    for (size_t i = 0; i + 1 < line->size; i++)
        HOLD(line->data[i] >= 0x20);
    answer = json_loadb((const char *)line->data, line->size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    HOLD(answer != NULL);
    HOLD(id == NULL ? json_is_null(json_object_get(answer, "id")) : json_equal(json_object_get(answer, "id"), id));
    if (error != NULL) {
        control_error(json_object_get(answer, "error"), &read);
        HOLD(read.code == error->code && strcmp(read.message, error->message) == 0);
    }
    json_decref(answer);
    buffer_reset(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request request;
    struct error error = {0};
    struct buffer line = {0};
    int number = control_parse(&request, span_of(data, size), &error);

    HOLD((number == 0) == (error.code == ERROR_NONE));
    if (number != 0) {
        HOLD(request.method == NULL && (number >= CONTROL_NOT_JSON && number <= CONTROL_FAILED));
        fuzz_refused(&error);
        control_put_failure(&line, request.id, (enum control_number)number, &error);
        check_answer(&line, request.id, &error);
    } else if (read_params(&request, &error)) {
        HOLD(error.code == ERROR_NONE);
        control_put_result(&line, request.id, json_incref(request.params));
        check_answer(&line, request.id, NULL);
    } else {
        HOLD(error.code == ERROR_USAGE);
        fuzz_refused(&error);
        control_put_error(&line, request.id, &error);
        check_answer(&line, request.id, &error);
    }
    control_request_free(&request);
    buffer_free(&line);
    return 0;
}
