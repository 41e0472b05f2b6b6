/*
 * Finding things in the daemon's status, and the names that sentences use.
 */
#ifndef LIAISON_CLI_STATUS_H
#define LIAISON_CLI_STATUS_H

#include "base/buffer.h"

#include <jansson.h>

/* The line of that name, in the memory of `status`; NULL if there is none. */
const json_t *status_line(const json_t *status, const char *name);
/* The names of a line's members, a new array; empty for NULL. */
json_t *status_parties(const json_t *line);
/* Appends a party's name as sentences use it: its first label where that is unique among `parties`, which may be NULL.
 */
void status_put_party(const json_t *parties, const char *name, struct buffer *out);

#endif
