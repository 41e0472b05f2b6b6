/* base/text: what is accepted has one form, and nothing hostile reaches a screen. */
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"base/shown", NULL}, .runs = 300000};

/* What makes text look like another: U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F, U+FEFF. */
static bool is_invisible(const uint8_t *at)
{
    if (at[0] == 0xef)
        return at[1] == 0xbb && at[2] == 0xbf;
    return at[0] == 0xe2 &&
           ((at[1] == 0x80 && at[2] >= 0x8b && at[2] <= 0x8f) || (at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
            (at[1] == 0x81 && at[2] >= 0xa0 && at[2] <= 0xaf));
}

static void check_shown(struct span text, bool lines)
{
    struct buffer shown = {0};

    text_put_shown(&shown, text, lines);
    HOLD(!buffer_failed(&shown) && fuzz_is_shown(buffer_span(&shown), lines));
    HOLD(shown.size <= text.size * 8); /* "<U+0000>" for one byte */
    for (size_t i = 0; i + 2 < shown.size; i++)
        HOLD(!is_invisible(shown.data + i));
    buffer_free(&shown);
}

static void check_base64(struct span text)
{
    struct buffer bytes = {0}, again = {0};
    uint8_t exact[32];

    buffer_put_u8(&bytes, 7);
    if (text_from_base64(text, &bytes)) {
        text_put_base64(&again, span_from(buffer_span(&bytes), 1));
        HOLD(BASE64_SIZE(bytes.size - 1) == text.size);
        fuzz_same(&again, text);
    } else {
        HOLD(bytes.size == 1);
    }
    if (text_from_base64_exactly(text, exact, sizeof exact)) {
        text_put_base64(&again, span_of(exact, sizeof exact));
        fuzz_same(&again, text);
    }
    buffer_free(&bytes);
}

static void check_hex(struct span text)
{
    uint8_t *bytes = malloc(text.size / 2 + 1);
    struct buffer again = {0};

    HOLD(bytes != NULL);
    if (text_from_hex(text, bytes, text.size / 2)) {
        text_put_hex(&again, span_of(bytes, text.size / 2));
        HOLD(again.size == text.size);
        for (size_t i = 0; i < text.size; i++)
            HOLD(again.data[i] == (text.data[i] | (text.data[i] >= 'A' ? 0x20 : 0)));
    }
    buffer_free(&again);
    free(bytes);
}

static void check_number(struct span text, uint64_t max)
{
    uint64_t number = 0;
    struct buffer again = {0};

    if (!text_to_number(text, max, &number))
        return;
    HOLD(number <= max);
    buffer_print(&again, "%llu", (unsigned long long)number);
    fuzz_same(&again, text);
}

static void check_names(struct span text)
{
    bool party = text_is_party_name(text), line = text_is_line_name(text), tag = text_is_language_tag(text);

    HOLD(!party || (text.size >= 1 && text.size < NAME_SIZE && !span_equal(text, span_of_string("none"))));
    HOLD(!line || (text.size >= 1 && text.size <= 32));
    HOLD(!tag || (text.size >= 1 && text.size <= 35));
    for (size_t i = 0; i < text.size && (party || line || tag); i++) {
        bool letter = (text.data[i] | 0x20) >= 'a' && (text.data[i] | 0x20) <= 'z';
        bool lower = letter && text.data[i] >= 'a';
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';

        HOLD(!party || lower || digit || text.data[i] == '-' || text.data[i] == '.');
        HOLD(!line || lower || digit || text.data[i] == '-');
        HOLD(!tag || letter || digit || text.data[i] == '-');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    json_t *other = json_stringn((const char *)data, size); /* jansson has its own idea of UTF-8 */

    HOLD(text_is_utf8(text) == (other != NULL));
    json_decref(other);
    check_shown(text, false);
    check_shown(text, true);
    check_base64(text);
    check_hex(text);
    check_number(text, UINT64_MAX);
    check_number(text, 65535);
    check_names(text);
    return 0;
}
