#include "base/text.h"

#include "base/marks.h"

/* One code point from the front of `text`; 0 bytes taken if it is not valid UTF-8. */
static size_t decode_utf8(struct span text, uint32_t *code)
{
    uint8_t lead = text.size > 0 ? text.data[0] : 0xff;
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);

    if (length == 0 || length > text.size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text.data[i] & 0x3fu);
    }
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return length;
}

bool text_is_utf8(struct span text)
{
    while (text.size > 0) {
        uint32_t code = 0;
        size_t length = 0;

        if (text.data[0] < 0x80)
            length = 1;
        else
            length = decode_utf8(text, &code);
        if (length == 0)
            return false;
        text = span_from(text, length);
    }
    return true;
}

bool text_to_number(struct span text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)text.data[i] - '0';

        if (text.data[i] < '0' || text.data[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *number = value;
    return true;
}

static bool is_lower_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct span label)
{
    if (label.size == 0 || label.data[0] == '-' || label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_lower_alphanumeric(label.data[i]) && label.data[i] != '-')
            return false;
    return true;
}

bool text_is_party_name(struct span name)
{
    size_t start = 0;

    if (name.size == 0 || name.size >= NAME_SIZE || span_equal(name, span_of_string("none")))
        return false;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '.')
            continue;
        if (!is_label(span_of(name.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

bool text_is_line_name(struct span name)
{
    return name.size <= 32 && is_label(name);
}

bool text_is_language_tag(struct span tag)
{
    size_t run = 0;
    bool first = true;

    if (tag.size == 0 || tag.size > 35)
        return false;
    for (size_t i = 0; i < tag.size; i++) {
        uint8_t c = tag.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (c == '-') {
            if (run == 0)
                return false;
            run = 0;
            first = false;
            continue;
        }
        if (!letter && (first || c < '0' || c > '9'))
            return false;
        if (++run > 8)
            return false;
    }
    return run > 0;
}

void text_put_hex(struct buffer *buffer, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.size; i++) {
        buffer_put_u8(buffer, (uint8_t)digits[bytes.data[i] >> 4]);
        buffer_put_u8(buffer, (uint8_t)digits[bytes.data[i] & 15]);
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_from_hex(struct span text, void *out, size_t size)
{
    uint8_t *to = out;

    if (text.size != size * 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* All bits if `first` <= n <= `last`, else none; n is below 256. */
static uint32_t in_range(uint32_t n, uint32_t first, uint32_t last)
{
    return 0u - (((first - 1 - n) & (n - last - 1)) >> 31);
}

/* Keys are written and read as base64: a table or a branch would let the time, or the cache, tell of them. */
static uint8_t base64_character(uint32_t digit)
{
    return (uint8_t)((in_range(digit, 0, 25) & (digit + 'A')) | (in_range(digit, 26, 51) & (digit - 26 + 'a')) |
                     (in_range(digit, 52, 61) & (digit - 52 + '0')) | (in_range(digit, 62, 62) & '+') |
                     (in_range(digit, 63, 63) & '/'));
}

void text_put_base64(struct buffer *buffer, struct span bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        uint8_t out[4] = {0, 0, '=', '='};

        if (left > 1)
            group |= (uint32_t)bytes.data[i + 1] << 8;
        if (left > 2)
            group |= bytes.data[i + 2];
        out[0] = base64_character(group >> 18);
        out[1] = base64_character(group >> 12 & 63);
        if (left > 1)
            out[2] = base64_character(group >> 6 & 63);
        if (left > 2)
            out[3] = base64_character(group & 63);
        buffer_put(buffer, out, sizeof out);
    }
}

/* 64 if it is none. */
static uint32_t base64_digit(uint32_t c)
{
    uint32_t upper = in_range(c, 'A', 'Z');
    uint32_t lower = in_range(c, 'a', 'z');
    uint32_t decimal = in_range(c, '0', '9');
    uint32_t plus = in_range(c, '+', '+');
    uint32_t slash = in_range(c, '/', '/');

    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (decimal & (c - '0' + 52)) | (plus & 62) | (slash & 63) |
           (~(upper | lower | decimal | plus | slash) & 64);
}

/* How many bytes the text decodes to if it is well-formed. */
static size_t base64_decoded_size(struct span text)
{
    size_t padding = 0;

    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    return text.size / 4 * 3 - padding;
}

/* Writes base64_decoded_size() bytes, through no memory but `out`: the text may be a secret. */
static bool decode_base64(struct span text, uint8_t *out)
{
    size_t left = base64_decoded_size(text);
    uint32_t wrong = 0;

    for (size_t i = 0; i < text.size; i += 4) {
        size_t taken = left < 3 ? left : 3;
        uint32_t group = 0;

        for (size_t k = 0; k < 4; k++) {
            uint32_t digit = k <= taken ? base64_digit(text.data[i + k]) : 0;

            wrong |= digit & 64;
            group = group << 6 | (digit & 63);
        }
        wrong |= group & (0xffffffu >> 8 * taken);
        for (size_t k = 0; k < taken; k++)
            *out++ = (uint8_t)(group >> (16 - 8 * k));
        left -= taken;
    }
    return wrong == 0;
}

bool text_from_base64(struct span text, struct buffer *out)
{
    size_t before = out->size;
    uint8_t *to = NULL;

    if (text.size % 4 != 0)
        return false;
    if (text.size == 0)
        return !out->failed;
    to = buffer_extend(out, base64_decoded_size(text));
    if (to == NULL)
        return false;
    if (!decode_base64(text, to)) {
        out->size = before;
        return false;
    }
    return true;
}

bool text_from_base64_exactly(struct span text, void *out, size_t size)
{
    return text.size == BASE64_SIZE(size) && base64_decoded_size(text) == size && decode_base64(text, out);
}

static bool is_combining(uint32_t c)
{
    size_t low = 0;
    size_t high = sizeof combining_marks / sizeof combining_marks[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c > combining_marks[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof combining_marks / sizeof combining_marks[0] && c >= combining_marks[low].first;
}

/* Characters that change how others are shown, or show nothing themselves. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
           c == 0x1160 || c == 0x17b4 || c == 0x17b5 || (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 || (c >= 0xfff0 && c <= 0xfffc) ||
           (c >= 0x13430 && c <= 0x1345f) || (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a) ||
           c >= 0xe0000 || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0xe000 && c <= 0xf8ff);
}

void text_put_shown(struct buffer *buffer, struct span text, bool lines)
{
    size_t marks = 0;

    while (text.size > 0) {
        uint32_t code = 0;
        size_t length = decode_utf8(text, &code);

        if (length == 0) {
            buffer_print(buffer, "<0x%02X>", text.data[0]);
            text = span_from(text, 1);
            continue;
        }
        marks = is_combining(code) ? marks + 1 : 0;
        if (code == '\n' && lines)
            buffer_put_u8(buffer, '\n');
        else if (is_hidden(code) || marks > 4)
            buffer_print(buffer, "<U+%04X>", (unsigned)code);
        else
            buffer_put(buffer, text.data, length);
        text = span_from(text, length);
    }
}
