/*
 * Opening wires: by name and port, one address after the other; to a unix socket; to a command's stdin and stdout.
 */
#include "host/log.h"
#include "host/spawner.h"
#include "host/wires.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_MS 10000        /* how long opening may take in all */
#define COMMAND_EXIT_MS 200  /* between the end of a command's output and its own */
#define COMMAND_LINES_MAX 32 /* of its stderr that reach the log */

static void opening_took_too_long(uv_timer_t *timer)
{
    wire_broke(timer->data, "it did not answer in 10 s");
}

/* --- tcp ------------------------------------------------------------------------------------------------- */

static void connect_next(struct wire *wire);

/* A socket that failed cannot be used again for an address of the other family. */
static void attempt_closed(uv_handle_t *handle)
{
    struct wire *wire = handle->data;

    if (wire->link < 0) {
        wire_release(wire);
        return;
    }
    wire->uses--;
    wire->has_input = false;
    connect_next(wire);
}

static void attempt_failed(struct wire *wire, int status)
{
    wire->failure = status;
    uv_close(&wire->input.handle, attempt_closed);
}

static void connected(uv_connect_t *connect, int status)
{
    struct wire *wire = connect->data;

    if (wire->link < 0)
        return;
    if (status != 0) {
        attempt_failed(wire, status);
        return;
    }
    wire_set_tcp(wire);
    wire_opened(wire, true);
}

static void connect_next(struct wire *wire)
{
    const struct addrinfo *address = wire->next;
    int status = 0;

    if (address == NULL) {
        wire_broke(wire, uv_strerror(wire->failure));
        return;
    }
    wire->next = address->ai_next;
    (void)uv_tcp_init(&wire->host->loop, &wire->input.tcp);
    wire->has_input = true;
    wire_add(wire, &wire->input.handle);
    wire->connect.data = wire;
    status = uv_tcp_connect(&wire->connect, &wire->input.tcp, address->ai_addr, connected);
    if (status != 0)
        attempt_failed(wire, status);
}

static void looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct wire *wire = lookup->data;

    wire->is_looking_up = false;
    wire->addresses = addresses;
    wire->next = addresses;
    if (wire->link < 0) {
        wire_release(wire);
        return;
    }
    wire->uses--;
    if (status != 0)
        wire_broke(wire, uv_strerror(status));
    else
        connect_next(wire);
}

static int dial_tcp(struct wire *wire, const struct address *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int status = 0;

    wire->lookup.data = wire;
    status = uv_getaddrinfo(&wire->host->loop, &wire->lookup, looked_up, address->host, address->port, &hints);
    if (status == 0) {
        wire->is_looking_up = true;
        wire->uses++;
    }
    return status;
}

/* --- unix ------------------------------------------------------------------------------------------------ */

static void pipe_connected(uv_connect_t *connect, int status)
{
    struct wire *wire = connect->data;

    if (wire->link < 0)
        return;
    if (status != 0)
        wire_broke(wire, uv_strerror(status));
    else
        wire_opened(wire, true);
}

static void dial_unix(struct wire *wire, const struct address *address)
{
    (void)uv_pipe_init(&wire->host->loop, &wire->input.pipe, 0);
    wire->has_input = true;
    wire_add(wire, &wire->input.handle);
    wire->connect.data = wire;
    uv_pipe_connect(&wire->connect, &wire->input.pipe, address->path, pipe_connected);
}

/* --- exec ------------------------------------------------------------------------------------------------ */

static void log_said(struct wire *wire)
{
    if (wire->said_size > 0 && wire->said_lines < COMMAND_LINES_MAX) {
        wire->said_lines++;
        log_line("a link's command says: %.*s", (int)wire->said_size, wire->said);
    }
    wire->said_size = 0;
}

/* Its stderr goes line by line into the log, not as it is to where ours goes: the far end may have written it. */
static void take_said(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct wire *wire = stream->data;

    if (size < 0) {
        log_said(wire);
        (void)uv_read_stop(stream);
    }
    for (ssize_t i = 0; i < size; i++) {
        if (buffer->base[i] == '\n' || wire->said_size == sizeof wire->said)
            log_said(wire);
        if (buffer->base[i] != '\n' && buffer->base[i] != '\0')
            wire->said[wire->said_size++] = buffer->base[i];
    }
}

static void break_ended(struct wire *wire)
{
    char reason[80];

    if (!wire->has_exited || wire->exit_status < 0)
        (void)snprintf(reason, sizeof reason, "the command ended its output");
    else
        (void)snprintf(reason, sizeof reason, "the command ended with status %d", wire->exit_status);
    wire_broke(wire, reason);
}

/* It has written its exit status, or the spawner is gone. */
static void exited(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct wire *wire = stream->data;
    int status = -1;

    if (size == 0)
        return;
    (void)uv_read_stop(stream);
    if (size == (ssize_t)sizeof status)
        memcpy(&status, buffer->base, sizeof status);
    wire->has_exited = true;
    wire->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (wire->has_ended)
        break_ended(wire); /* otherwise bytes may still lie in its pipe */
}

static void exit_took_too_long(uv_timer_t *timer)
{
    break_ended(timer->data);
}

void wire_command_ended(struct wire *wire)
{
    wire->has_ended = true;
    (void)uv_read_stop(&wire->input.stream);
    if (wire->has_exited)
        break_ended(wire);
    else
        (void)uv_timer_start(&wire->timer, exit_took_too_long, COMMAND_EXIT_MS, 0);
}

void wire_end_command(struct wire *wire)
{
    wire_close_handle((uv_handle_t *)&wire->command_input);
    wire_close_handle((uv_handle_t *)&wire->command_error);
    wire_close_handle((uv_handle_t *)&wire->lifeline);
}

/* A pair of sockets: our end becomes `pipe`, the command's is returned; below 0, an error of libuv. */
static int make_pipe(uv_pipe_t *pipe)
{
    uv_os_sock_t pair[2] = {-1, -1};
    int status = uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, 0);

    if (status != 0)
        return status;
    status = uv_pipe_open(pipe, pair[0]);
    if (status == 0)
        return pair[1];
    (void)close(pair[0]);
    (void)close(pair[1]);
    return status;
}

static int dial_exec(struct wire *wire, const struct address *address)
{
    uv_pipe_t *pipe[COMMAND_FILES] = {&wire->command_input, &wire->input.pipe, &wire->command_error, &wire->lifeline};
    int files[COMMAND_FILES] = {-1, -1, -1, -1};
    int status = 0;

    wire->is_command = true;
    wire->has_input = true;
    for (size_t i = 0; i < COMMAND_FILES; i++) {
        (void)uv_pipe_init(&wire->host->loop, pipe[i], 0);
        wire_add(wire, (uv_handle_t *)pipe[i]);
    }
    for (size_t i = 0; i < COMMAND_FILES && status == 0; i++) {
        files[i] = make_pipe(pipe[i]);
        status = files[i] < 0 ? files[i] : 0;
    }
    if (status == 0)
        status = uv_translate_sys_error(spawner_run(wire->host->spawner, address->path, files));
    for (size_t i = 0; i < COMMAND_FILES; i++)
        if (files[i] >= 0)
            (void)close(files[i]);
    if (status != 0)
        return status;
    (void)uv_read_start((uv_stream_t *)&wire->command_error, wire_give_memory, take_said);
    (void)uv_read_start((uv_stream_t *)&wire->lifeline, wire_give_memory, exited);
    wire_opened(wire, true);
    return 0;
}

void wires_dial(struct host *host, int link, const struct address *address)
{
    struct wire *wire = wire_new(host, link);
    int status = 0;

    if (wire == NULL) {
        office_link_broken(host->office, link, "there is no memory left", host_now(host));
        return;
    }
    (void)uv_timer_start(&wire->timer, opening_took_too_long, OPEN_MS, 0);
    if (address->kind == ADDRESS_TCP)
        status = dial_tcp(wire, address);
    else if (address->kind == ADDRESS_UNIX)
        dial_unix(wire, address);
    else if (host->spawner < 0)
        wire_broke(wire, "this daemon runs no commands (--no-commands)");
    else
        status = dial_exec(wire, address);
    if (status != 0)
        wire_broke(wire, uv_strerror(status));
}
