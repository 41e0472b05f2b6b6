/*
 * The client half of the control protocol as an engine: request lines out, bytes in, answers and events out. It
 * knows no socket. A zeroed struct is a client without a request.
 */
#ifndef LIAISON_CONTROL_CLIENT_H
#define LIAISON_CONTROL_CLIENT_H

#include "control/codec.h"
#include "control/reader.h"

struct control_client {
    uint64_t last_id;
    struct buffer output; /* bytes to be sent; the caller drops what it sent */
    struct control_reader input;
};

/* What came from the daemon. */
struct control_message {
    bool is_event;
    uint64_t id;        /* of an answer: the request's; 0 if the daemon could not tell whose it is */
    json_t *content;    /* owned: a result, an event's params, or NULL for an error */
    struct error error; /* of an answer that is one */
};
void control_message_free(struct control_message *message);

void control_client_free(struct control_client *client);
/* Appends a request to `output` and returns its id, from 1. */
uint64_t control_client_request(struct control_client *client, const char *method, json_t *params);
void control_client_input(struct control_client *client, struct span bytes);
/* 1: a message. 0: nothing whole has come. -1: what came is not the protocol; the connection is of no more use. */
int control_client_next(struct control_client *client, struct control_message *message, struct error *error);

#endif
