#include "office/office.h"

static bool take_suffix(struct span *text, const char *suffix)
{
    size_t size = strlen(suffix);

    if (text->size < size || memcmp(text->data + text->size - size, suffix, size) != 0)
        return false;
    text->size -= size;
    return true;
}

static bool copy_text(char *out, size_t size, struct span text)
{
    if (text.size == 0 || text.size >= size || memchr(text.data, 0, text.size) != NULL)
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = 0;
    return true;
}

static bool parse_tcp(struct address *address, struct span rest)
{
    const uint8_t *colon = rest.size > 0 ? memrchr(rest.data, ':', rest.size) : NULL;
    struct span host = {0};
    struct span port = {0};
    uint64_t number = 0;

    if (colon == NULL)
        return false;
    host = span_of(rest.data, (size_t)(colon - rest.data));
    port = span_from(rest, host.size + 1);
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = span_of(host.data + 1, host.size - 2);
    else if (host.size > 0 && memchr(host.data, ':', host.size) != NULL)
        return false; /* an IPv6 address stands in brackets */
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] <= ' ' || host.data[i] >= 0x7f || host.data[i] == '/')
            return false;
    return text_to_number(port, 65535, &number) && copy_text(address->port, sizeof address->port, port) &&
           copy_text(address->host, sizeof address->host, host);
}

int address_parse(struct address *address, struct span text, struct error *error)
{
    struct cursor cursor = {0};

    memset(address, 0, sizeof *address);
    if (text.size >= ADDRESS_SIZE)
        return error_set(error, ERROR_USAGE, "the address has %zu bytes; the most is %d", text.size, ADDRESS_SIZE - 1);
    if (!text_is_utf8(text))
        return error_set(error, ERROR_USAGE, "the address is not valid UTF-8");
    address->frame_class = FRAME_1024;
    if (take_suffix(&text, "?frame=256"))
        address->frame_class = FRAME_256;
    else if (take_suffix(&text, "?frame=16384"))
        address->frame_class = FRAME_16384;
    else
        (void)take_suffix(&text, "?frame=1024");
    cursor = cursor_of(text);
    if (cursor_skip_text(&cursor, "tcp://")) {
        address->kind = ADDRESS_TCP;
        if (parse_tcp(address, cursor_rest(&cursor)))
            return 0;
        return error_set(error, ERROR_USAGE, "a tcp address is tcp://HOST:PORT, with an IPv6 address in brackets");
    }
    if (cursor_skip_text(&cursor, "unix:")) {
        address->kind = ADDRESS_UNIX;
        if (cursor.left < 108 && copy_text(address->path, sizeof address->path, cursor_rest(&cursor)))
            return 0;
        return error_set(error, ERROR_USAGE, "a unix address is unix:PATH, with a path of 1 to 107 bytes");
    }
    if (cursor_skip_text(&cursor, "exec:")) {
        address->kind = ADDRESS_EXEC;
        if (copy_text(address->path, sizeof address->path, cursor_rest(&cursor)))
            return 0;
        return error_set(error, ERROR_USAGE, "an exec address is exec:COMMAND");
    }
    return error_set(error, ERROR_USAGE, "an address is tcp://HOST:PORT, unix:PATH or exec:COMMAND");
}
