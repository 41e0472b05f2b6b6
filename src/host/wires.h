/*
 * Wires: what carries a link's bytes, be it a socket or a command's stdin and stdout. The office says what to open and
 * what to send; it is told what came and what broke. At most LINK_OUTPUT bytes are in flight on a wire, and the office
 * is asked for more only when those were taken, so that what is urgent can still overtake.
 *
 * Who connected is a stranger until the office answers, whatever came and however much: few bytes are read at a time,
 * and seldom. So nobody learns from it what the office made of them, and a flood costs no more than a drop.
 */
#ifndef LIAISON_HOST_WIRES_H
#define LIAISON_HOST_WIRES_H

#include "host/host.h"

#define LINK_OUTPUT 32768

struct wire {
    struct host *host;
    int link;        /* the office's number; -1 once the office was told that it broke */
    bool is_open;    /* bytes pass */
    bool ending;     /* close it once all output is written */
    bool paused;     /* it had its bytes in this turn */
    bool is_strange; /* it was accepted, and nothing was said to it yet */
    bool is_writing;
    unsigned uses; /* handles not closed and look-ups not ended: what libuv still knows of it */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } input; /* also the output, but of a command */
    bool has_input;
    uv_timer_t timer; /* how long opening, or closing, may take; when a stranger's is read on */
    struct buffer output;
    uv_write_t write;
    /* being opened */
    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    uv_connect_t connect;
    int failure;                 /* of the address tried last */
    struct addrinfo *addresses;  /* what was found */
    const struct addrinfo *next; /* what to try next */
    /* a command */
    bool is_command;
    uv_pipe_t lifeline; /* spawner.h */
    bool has_ended;     /* its output did */
    bool has_exited;
    int exit_status; /* then; -1: a signal, or not known */
    uv_pipe_t command_input;
    uv_pipe_t command_error;
    char said[256]; /* a line of its stderr */
    size_t said_size;
    unsigned said_lines;
    struct wire *next_closing;
};

/* Makes a wire without handles but its timer; NULL if there is no memory. */
struct wire *wire_new(struct host *host, int link);
/* Counts a handle that was initialised, so that the wire lives as long as it does. */
void wire_add(struct wire *wire, uv_handle_t *handle);
/* One use less; frees the wire with the last. */
void wire_release(struct wire *wire);
/* uv_close(), once, with a wire_release() at its end. */
void wire_close_handle(uv_handle_t *handle);
/* libuv's: memory for a read. */
void wire_give_memory(uv_handle_t *handle, size_t size, uv_buf_t *buffer);
/* What a fresh TCP socket is told. */
void wire_set_tcp(const struct wire *wire);
/* Bytes may pass: tells the office if it asked for this wire, and reads. */
void wire_opened(struct wire *wire, bool dialled);
/* Tells the office, and closes. `reason` is a sentence's end. */
void wire_broke(struct wire *wire, const char *reason);
/* For output: the same as the input, or the command's stdin. */
uv_stream_t *wire_output(struct wire *wire);

/* A connection was accepted. */
void wires_accept(struct host *host, int fd, bool is_tcp);
/* OFFICE_CLOSE */
void wires_close(struct host *host, int link);
/* Sends what the office has to say on every wire, and reads on where reading was paused. */
void wires_turn(struct host *host);
/* Whether output is still on its way. */
bool wires_are_writing(const struct host *host);
/* Closes all at once. */
void wires_stop(struct host *host);

/* OFFICE_DIAL (dial.c) */
void wires_dial(struct host *host, int link, const struct address *address);
/* Lets go of the command behind a wire that is being closed, which ends it (dial.c). */
void wire_end_command(struct wire *wire);
/* Its output ended: waits a little for its exit status, and breaks the wire (dial.c). */
void wire_command_ended(struct wire *wire);

#endif
