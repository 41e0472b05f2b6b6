/*
 * How liaison-verify answers: what others wrote is made harmless, and JSON is ASCII, so that it can be shown anywhere.
 */
#ifndef LIAISON_VERIFY_ANSWER_H
#define LIAISON_VERIFY_ANSWER_H

#include <jansson.h>
#include <stdio.h>

#include "record/proof.h"

/* Whom the reader of a file that brings its line's keys trusts: a policy, a line, or both; what is NULL is not asked.
 */
struct trusted {
    const struct policy *policy;
    const uint8_t *line_id; /* HASH_SIZE bytes */
};

/* Names in the files are their writer's; nothing of them reaches the terminal unfiltered. */
void put_shown_string(struct buffer *out, const char *text);
/* New references, NULL without memory, as json_pack() takes them. */
json_t *json_shown(const char *text);
json_t *json_hash(const uint8_t hash[static HASH_SIZE]);
/* Who held it: [{"by", "at"}, ...]. */
json_t *json_held(const struct verdict *verdict);
/* Writes one line and takes the object, which may be NULL. 0 or -1. */
int write_json(FILE *stream, json_t *object);
/* The same for a text. */
int write_text(FILE *stream, const struct buffer *text);

#endif
