#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* The size of the character at the front; 0 if there is none. */
static size_t character_size(struct span text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (text_is_utf8(span_of(text.data, size)))
            return size;
    return 0;
}

/* A sentence may quote bytes of others, and may have been cut within a character. */
static void make_text(char *message, bool cut)
{
    size_t end = strlen(message);
    size_t at = 0;

    while (at < end) {
        size_t size = character_size(span_of(message + at, end - at));

        if (size == 0)
            message[at] = cut && end - at < 4 ? 0 : '?';
        at += size > 0 ? size : 1;
    }
}

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;
    int size = 0;

    if (error == NULL || error->code != ERROR_NONE)
        return -1;
    error->code = code;
    va_start(arguments, format);
    size = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    make_text(error->message, size >= (int)sizeof error->message);
    return -1;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {
        [ERROR_NONE] = "none",           [ERROR_INVALID] = "invalid", [ERROR_REFUSED] = "refused",
        [ERROR_NOT_FOUND] = "not-found", [ERROR_EXISTS] = "exists",   [ERROR_LOCKED] = "locked",
        [ERROR_MISMATCH] = "mismatch",   [ERROR_FULL] = "full",       [ERROR_STORAGE] = "storage",
        [ERROR_ASKING] = "asking",       [ERROR_STOPPED] = "stopped", [ERROR_SYSTEM] = "system",
        [ERROR_VERSION] = "version",     [ERROR_USAGE] = "usage",
    };
    size_t count = sizeof names / sizeof names[0];

    return (size_t)code < count && names[code] != NULL ? names[code] : "unknown";
}
