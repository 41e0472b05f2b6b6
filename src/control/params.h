/*
 * Reading a request's parameters, in the way of base/cursor.h: the first thing that is wrong is kept as a sentence
 * that says where ("append: entries[3].text is missing"), every later read returns its fallback or something
 * empty, and the reader asks once at the end: params_done(), which also refuses parameters nobody asked for, since
 * a misspelt option must not be taken for its absence.
 *
 *     struct params params = params_of(&request, error);
 *     const char *line = params_string(&params, "line");
 *     uint64_t limit = params_number_or(&params, "limit", 1, 256, 256);
 *     if (!params_done(&params))
 *         return -1;
 *
 * An absent parameter and one that is null are the same. Strings are in the memory of the request.
 */
#ifndef LIAISON_CONTROL_PARAMS_H
#define LIAISON_CONTROL_PARAMS_H

#include "control/codec.h"

#define PARAMS_MAX 16 /* parameters of one object */

struct params {
    const char *method;
    char path[32];       /* "entries[3]." or "" */
    json_t *object;      /* borrowed */
    struct error *error; /* takes ERROR_USAGE */
    bool failed;
    const char *asked[PARAMS_MAX]; /* names read so far */
    size_t asked_count;
};

struct params params_of(const struct control_request *request, struct error *error);
/* Notes that a parameter is wrong, for a check made by the caller: "append: entries[3].text " and `what`. Always
 * returns false. */
bool params_fail(struct params *params, const char *name, const char *what);
/* Whether everything was there, right, and asked for. */
bool params_done(struct params *params);

/* A string without zero bytes; "" on failure. */
const char *params_string(struct params *params, const char *name);
const char *params_string_or(struct params *params, const char *name, const char *fallback);
/* A string of min to max bytes, which may hold zero bytes; empty on failure. */
struct span params_text(struct params *params, const char *name, size_t min, size_t max);
uint64_t params_number_or(struct params *params, const char *name, uint64_t min, uint64_t max, uint64_t fallback);
bool params_flag_or(struct params *params, const char *name, bool fallback);
/* The length of an array of min to max items; 0 on failure. */
size_t params_array(struct params *params, const char *name, size_t min, size_t max);
/* Item `index` of such an array, a string without zero bytes; "" on failure. */
const char *params_array_string(struct params *params, const char *name, size_t index);
/* Item `index` of such an array, an object with parameters of its own; a failure within it must be asked for with
 * params_done() as well. */
struct params params_array_object(struct params *params, const char *name, size_t index);

#endif
