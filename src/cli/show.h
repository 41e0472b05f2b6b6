/*
 * Entries as people read them. One block a message; what the machinery wrote, one after the other by one author, is
 * folded into a line:
 *
 *     washington/17  FLASH  2026-11-23T19:27:08Z  acknowledged
 *         Are you in the room?
 *     washington/18-20  service (keys)
 *
 * Lines of a text are indented, so that no text can look like the block of another message.
 */
#ifndef LIAISON_CLI_SHOW_H
#define LIAISON_CLI_SHOW_H

#include "base/buffer.h"

#include <jansson.h>

struct show {
    bool all;              /* do not fold */
    const json_t *parties; /* an array of the members' names, borrowed; for short names. May be NULL */
    const char *me;        /* this office, borrowed; NULL if it is not known */
    char folded[64];       /* the author of the service entries being folded; "" for none */
    json_int_t first, last;
    unsigned kinds; /* of those, as bits */
};

/* Whether nobody but a machine has written the entry. */
bool show_is_service(const json_t *entry);
/* Appends one entry, in the form of entries of spec/control.md; a service entry may be held back to be folded. */
void show_entry(struct show *show, const json_t *entry, struct buffer *out);
/* Appends what was held back. */
void show_flush(struct show *show, struct buffer *out);

#endif
