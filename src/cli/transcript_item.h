/*
 * One thing in a transcript, and its rows: an entry, a gap, a note, or how many a flood left out.
 */
#ifndef LIAISON_CLI_TRANSCRIPT_ITEM_H
#define LIAISON_CLI_TRANSCRIPT_ITEM_H

#include "cli/transcript.h"

enum item_kind {
    ITEM_ENTRY,
    ITEM_GAP,
    ITEM_NOTE,
    ITEM_MORE,
};

struct transcript_item {
    enum item_kind kind;
    size_t author;                 /* of an entry or gap, by place */
    uint64_t number;               /* of an entry; the first of a gap */
    uint64_t missing, last;        /* of a gap: the first that is missing now, and the last */
    uint64_t count;                /* of ITEM_MORE */
    uint64_t came_us;              /* of an entry: when, monotonic; 0: it was there before */
    bool open;                     /* of a gap: something is still missing */
    bool is_message;               /* of an entry */
    bool answered;                 /* of a message */
    unsigned stored, acknowledged; /* of an entry: by which members, a bit each */
    json_t *entry;                 /* owned */
    struct buffer note;            /* of a note */
    unsigned about;                /* of a note: transcript_note() */
    bool laid;                     /* the rows are up to date */
    struct row *row;
    size_t row_count, row_capacity;
};

/* NULL if memory ran out. */
struct transcript_item *item_new(enum item_kind kind);
void item_free(struct transcript_item *item);
/* Takes what the daemon says of the entry now. */
void item_take(struct transcript_item *item, const json_t *entry);
/* Its rows are no longer up to date. */
void item_changed(struct transcript_item *item);
/* Lays it out where that is needed; how many rows it has. */
size_t item_rows(struct transcript_item *item, const struct transcript *transcript);
const struct row *item_row(const struct transcript_item *item, size_t number);

#endif
