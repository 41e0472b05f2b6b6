/*
 * The control socket: spec/control.md. Connections, their lines in and out, and which request of the office belongs to
 * whom. What the requests mean is in methods.c.
 */
#ifndef LIAISON_HOST_SERVE_H
#define LIAISON_HOST_SERVE_H

#include "control/codec.h"
#include "control/reader.h"
#include "host/host.h"

#define CLIENTS_MAX 64
#define CLIENT_REQUESTS_MAX 64       /* of one connection, not answered yet; its lines then wait */
#define CLIENT_OUTPUT_MAX (4u << 20) /* bytes waiting, above which a connection is closed as too slow */
#define CLIENT_EVENTS_MAX (1u << 20) /* bytes waiting, above which events are dropped */
#define REQUESTS_MAX (CLIENTS_MAX * CLIENT_REQUESTS_MAX)

struct client {
    struct host *host;
    uv_pipe_t pipe;
    struct control_reader reader;
    struct buffer output;  /* not handed over yet */
    struct buffer sending; /* being written */
    size_t sent;
    uv_write_t write;
    bool is_writing;
    bool is_paused; /* it had its bytes in this turn, or has asked too much at once */
    bool has_ended; /* it sends nothing more; answers still go to it */
    bool is_closing;
    bool is_last; /* close it once its output is written */
    bool is_subscribed;
    char subscribed[NAME_SIZE]; /* to that line's events; empty: to all */
    bool has_lost;              /* events were dropped, and it was not told yet */
    unsigned asked;             /* requests not answered yet */
};

/* A request that the office has not answered yet. Its number there is generation << 32 | place in the table. */
struct asked {
    bool used;
    uint32_t generation;
    struct client *client; /* NULL once the connection is closed */
    unsigned method;       /* methods.c's */
    json_t *id;
};

struct serve {
    struct client *client[CLIENTS_MAX];
    struct asked asked[REQUESTS_MAX];
    json_t *unlocking_status; /* what `status` answers while another thread works on the office */
};

/* A connection was accepted on the control socket. */
void serve_accept(struct host *host, int fd);
/* An event of the office for everybody who subscribed. */
void serve_event(struct host *host, const struct office_event *event);
/* OFFICE_REPLY: the answer goes to who asked. */
void serve_reply(struct host *host, const struct office_event *event);
/* Goes on reading and parsing where it was paused. Returns whether a request was taken. */
bool serve_read_on(struct host *host);
/* Sends what is to be sent. */
void serve_flush(struct host *host);
bool serve_is_writing(const struct host *host);
/* Whether anybody wants events. */
bool serve_has_subscribers(const struct host *host);
void serve_stop(struct host *host);
void serve_free(struct serve *serve);

/* --- for methods.c --- */
/* A number for a request of this client; `method` and the id are kept for the answer. */
uint64_t serve_ask(struct client *client, unsigned method, json_t *id);
/* Takes it back: it was answered. NULL if the number is unknown. The caller drops the id. */
struct asked *serve_answered(struct host *host, uint64_t request);

#endif
