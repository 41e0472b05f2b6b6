#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void trace_start(struct trace *trace, bool print)
{
    *trace = (struct trace){.print = print, .digest = UINT64_C(0xcbf29ce484222325)};
}

void trace_note(struct trace *trace, const char *format, ...)
{
    char text[512];
    va_list arguments;
    int size = snprintf(text, sizeof text, "%" PRIu64 " ", trace->time);

    va_start(arguments, format);
    (void)vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    for (const char *at = text; *at != 0; at++)
        trace->digest = (trace->digest ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    trace->events++;
    if (trace->print)
        (void)printf("%s\n", text);
}
