/*
 * The office's facts as JSON, as spec/control.md says. Each returns a new reference; NULL if there is no memory.
 */
#ifndef LIAISON_HOST_JSON_H
#define LIAISON_HOST_JSON_H

#include "host/confine.h"
#include "office/office.h"

#include <jansson.h>

/* Text of others: what is no UTF-8 is shown as visible marks, so that one entry cannot spoil an answer. */
json_t *json_text(struct span text);
json_t *json_hex(struct span bytes);
/* Seconds since 1970 as RFC 3339. */
json_t *json_time(uint64_t seconds);
const char *json_state_name(enum office_state state);

json_t *json_entry(const struct office_view *view);
json_t *json_entries(const struct office_view *views, size_t count);
json_t *json_status(const struct office *office, const struct confinement *confinement);
/* The line of that name; false if there is none. `status` is large: keep it off the stack of what calls deeply. */
bool json_find_line(const struct office *office, const char *name, struct office_line_status *status);
json_t *json_line(const struct office_line_status *line, struct span charter, struct span fingerprint);
/* The params of an `event` notification; NULL if this event is not told, too. */
json_t *json_event(const struct office *office, const struct office_event *event);

#endif
