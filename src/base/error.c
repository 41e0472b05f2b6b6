#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;

    if (error == NULL || error->code != ERROR_NONE)
        return -1;
    error->code = code;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return -1;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {
        [ERROR_NONE] = "none",           [ERROR_INVALID] = "invalid", [ERROR_REFUSED] = "refused",
        [ERROR_NOT_FOUND] = "not-found", [ERROR_EXISTS] = "exists",   [ERROR_LOCKED] = "locked",
        [ERROR_MISMATCH] = "mismatch",   [ERROR_FULL] = "full",       [ERROR_STORAGE] = "storage",
        [ERROR_STOPPED] = "stopped",     [ERROR_SYSTEM] = "system",   [ERROR_VERSION] = "version",
        [ERROR_USAGE] = "usage",
    };
    size_t count = sizeof names / sizeof names[0];

    return (size_t)code < count && names[code] != NULL ? names[code] : "unknown";
}
