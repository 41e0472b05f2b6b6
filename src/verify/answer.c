#include "verify/answer.h"

#include "base/time.h"

void put_shown_string(struct buffer *out, const char *text)
{
    text_put_shown(out, span_of_string(text), false);
}

json_t *json_shown(const char *text)
{
    struct buffer shown = {0};
    json_t *string = NULL;

    put_shown_string(&shown, text);
    string = json_string(buffer_string(&shown));
    buffer_free(&shown);
    return string;
}

json_t *json_hash(const uint8_t hash[static HASH_SIZE])
{
    struct buffer hex = {0};
    json_t *string = NULL;

    text_put_hex(&hex, span_of(hash, HASH_SIZE));
    string = json_string(buffer_string(&hex));
    buffer_free(&hex);
    return string;
}

json_t *json_held(const struct verdict *verdict)
{
    json_t *held = json_array();

    for (size_t i = 0; i < verdict->holder_count; i++) {
        char at[RFC3339_SIZE];

        time_rfc3339(at, verdict->holder[i].time);
        (void)json_array_append_new(
            held, json_pack("{s:o,s:s}", "by", json_shown(verdict->holder[i].witness->party), "at", at));
    }
    return held;
}

int write_json(FILE *stream, json_t *object)
{
    int result = object != NULL ? json_dumpf(object, stream, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : -1;

    json_decref(object);
    return result == 0 && fputc('\n', stream) != EOF && fflush(stream) == 0 ? 0 : -1;
}

int write_text(FILE *stream, const struct buffer *text)
{
    return !buffer_failed(text) && fwrite(text->data, 1, text->size, stream) == text->size && fflush(stream) == 0 ? 0
                                                                                                                  : -1;
}
