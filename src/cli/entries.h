/*
 * A line's entries, fetched page by page and written as `read` and `record export` write them.
 */
#ifndef LIAISON_CLI_ENTRIES_H
#define LIAISON_CLI_ENTRIES_H

#include "cli/daemon.h"
#include "cli/show.h"

#include <stdio.h>

#define PAGE_ENTRIES 256

struct pages {
    struct daemon *daemon;
    const char *line;
    const char *from; /* an entry's name, or NULL: from the start */
    bool falling;     /* from the end backwards, then */
    json_t *after;    /* where the next page starts; owned */
    bool ended;
};
/* The next entries in the line's order, or against it, an array that is the caller's; NULL at the end (then `exit` is EXIT_DONE) and
 * on failure. */
json_t *pages_next(struct pages *pages, enum exit_code *exit, struct error *error);
void pages_free(struct pages *pages);

struct entry_writer {
    FILE *stream;
    bool json;
    bool all;     /* what the machinery wrote too */
    bool escaped; /* JSON in ASCII: for a terminal */
    struct show show;
    struct buffer text;
};
void entry_writer_put(struct entry_writer *writer, const json_t *entry);
/* Writes what was held back to be folded. */
void entry_writer_flush(struct entry_writer *writer);
void entry_writer_free(struct entry_writer *writer);

#endif
