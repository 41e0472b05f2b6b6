/*
 * Cuts a stream of bytes into lines of a bounded length. A zeroed struct with a `max` is an empty reader.
 */
#ifndef LIAISON_CONTROL_READER_H
#define LIAISON_CONTROL_READER_H

#include "base/buffer.h"

struct control_reader {
    size_t max;          /* bytes of a line, its line feed not counted */
    struct buffer bytes; /* what came and was not taken */
    size_t taken;        /* bytes at its front that were returned as lines */
    size_t scanned;      /* bytes behind those that hold no line feed */
};

void control_reader_free(struct control_reader *reader);
/* Appends bytes; spans returned before are invalid from now on. */
void control_reader_input(struct control_reader *reader, struct span bytes);
/* 1: `line` is the next line without its line feed, in the reader's memory. 0: there is no whole line yet. -1: the
 * line is longer than `max`, or memory ran out; nothing more can be read. */
int control_reader_next(struct control_reader *reader, struct span *line);

#endif
