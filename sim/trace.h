/*
 * What happened, as one number: a hash over every event. Two runs of a seed that differ anywhere differ here.
 */
#ifndef LIAISON_SIM_TRACE_H
#define LIAISON_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct trace {
    bool print;
    uint64_t time; /* true time of what is noted, microseconds */
    uint64_t events;
    uint64_t digest; /* FNV-1a, 64 bits */
};

void trace_start(struct trace *trace, bool print);
void trace_note(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
