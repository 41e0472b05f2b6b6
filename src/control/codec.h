/*
 * The lines of the control protocol, both ways: spec/control.md. A request line becomes a struct, results, errors
 * and events become lines. No I/O here: lines in, bytes out.
 *
 * Results and params are handed over: a function that takes a `json_t *` drops that reference, whatever happens,
 * and takes NULL for memory that ran out (the buffer then counts as failed).
 */
#ifndef LIAISON_CONTROL_CODEC_H
#define LIAISON_CONTROL_CODEC_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

#define CONTROL_REQUEST_MAX (1u << 20) /* bytes of a request line, its line feed not counted */
#define CONTROL_ANSWER_MAX (16u << 20) /* the same of an answer or event, as far as a client follows */

/* JSON-RPC's numbers for what is wrong. */
enum control_number {
    CONTROL_NOT_JSON = -32700,      /* the connection is closed after this answer */
    CONTROL_NOT_A_REQUEST = -32600, /* JSON, but no request */
    CONTROL_NO_METHOD = -32601,
    CONTROL_BAD_PARAMS = -32602, /* what control_put_error() writes for ERROR_USAGE */
    CONTROL_FAILED = -32000,     /* ... and for every other code */
};

struct control_request {
    json_t *id;         /* owned: an integer, a string, or null where none could be read */
    json_t *params;     /* owned: an object, empty where the request has none; NULL on failure */
    const char *method; /* in the memory of `root`; NULL on failure */
    json_t *root;       /* owned */
};

/* Parses one request line, without its line feed. Returns 0, or the number of what is wrong with `error` filled;
 * `request` is filled as far as could be read, and to be freed, either way. */
int control_parse(struct control_request *request, struct span line, struct error *error);
void control_request_free(struct control_request *request);

/* Each appends one line. `id` is borrowed; NULL stands for null. */
void control_put_result(struct buffer *line, const json_t *id, json_t *result);
void control_put_error(struct buffer *line, const json_t *id, const struct error *error);
/* The same with a number of the caller's choice. */
void control_put_failure(struct buffer *line, const json_t *id, enum control_number number, const struct error *error);
void control_put_event(struct buffer *line, json_t *params);
void control_put_request(struct buffer *line, uint64_t id, const char *method, json_t *params);

/* The code that error_code_name() calls `word`; ERROR_INVALID if there is none. */
enum error_code control_code(const char *word);
/* Fills `error` from the error member of an answer. */
void control_error(const json_t *answer, struct error *error);

/* Appends a value in compact form, without a line feed. Takes over nothing. */
void control_put_json(struct buffer *out, const json_t *value);

#endif
