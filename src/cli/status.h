/*
 * Finding things in the daemon's status.
 */
#ifndef LIAISON_CLI_STATUS_H
#define LIAISON_CLI_STATUS_H

#include <jansson.h>

/* The line of that name, in the memory of `status`; NULL if there is none. */
const json_t *status_line(const json_t *status, const char *name);
/* The names of a line's members, a new array; empty for NULL. */
json_t *status_parties(const json_t *line);

#endif
