/* host/json: text, bytes and times of others become JSON, whatever they are. */
#include "fuzz.h"

#include "base/text.h"
#include "host/json.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"base/shown", NULL}, .runs = 300000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size), written = {0};
    struct cursor cursor = cursor_of(text);
    json_t *shown = json_text(text), *hex = json_hex(text), *time = json_time(cursor_u64(&cursor));

    HOLD(shown != NULL && hex != NULL && time != NULL);
    written = span_of(json_string_value(shown), json_string_length(shown));
    HOLD(text_is_utf8(written));
    HOLD(!text_is_utf8(text) || span_equal(text, written)); /* what is text stays as it is */
    HOLD(json_string_length(hex) == size * 2 && json_string_length(time) == 20);
    json_decref(shown);
    json_decref(hex);
    json_decref(time);
    return 0;
}
