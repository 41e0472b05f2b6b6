#include "host/wires.h"

#include "host/listen.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENDING_MS 5000   /* how long a wire may take for its last bytes */
#define UNSENT_MAX 16384 /* bytes the kernel may hold beyond what is on the way */
#define STRANGE_READ 4096
#define STRANGE_REST_MS 50 /* between two reads of a stranger's */

struct wire *wire_new(struct host *host, int link)
{
    struct wire *wire = calloc(1, sizeof *wire);

    if (wire == NULL)
        return NULL;
    wire->host = host;
    wire->link = link;
    (void)uv_timer_init(&host->loop, &wire->timer);
    wire_add(wire, (uv_handle_t *)&wire->timer);
    host->wire[link] = wire;
    return wire;
}

void wire_add(struct wire *wire, uv_handle_t *handle)
{
    handle->data = wire;
    wire->uses++;
}

void wire_release(struct wire *wire)
{
    struct wire **at = &wire->host->closing;

    wire->uses--;
    if (wire->uses > 0)
        return;
    while (*at != wire)
        at = &(*at)->next_closing;
    *at = wire->next_closing;
    uv_freeaddrinfo(wire->addresses);
    buffer_free(&wire->output);
    free(wire);
}

static void handle_closed(uv_handle_t *handle)
{
    wire_release(handle->data);
}

void wire_close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

uv_stream_t *wire_output(struct wire *wire)
{
    return wire->is_command ? (uv_stream_t *)&wire->command_input : &wire->input.stream;
}

static void close_wire(struct wire *wire)
{
    wire->is_open = false;
    wire->next_closing = wire->host->closing;
    wire->host->closing = wire;
    if (wire->is_looking_up)
        (void)uv_cancel((uv_req_t *)&wire->lookup);
    if (wire->has_input)
        wire_close_handle(&wire->input.handle);
    if (wire->is_command)
        wire_end_command(wire);
    wire_close_handle((uv_handle_t *)&wire->timer);
}

void wire_broke(struct wire *wire, const char *reason)
{
    int link = wire->link;

    if (link < 0)
        return;
    wire->link = -1;
    wire->host->wire[link] = NULL;
    close_wire(wire);
    office_link_broken(wire->host->office, link, reason, host_now(wire->host));
}

void wire_give_memory(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct wire *wire = handle->data;

    (void)size;
    *buffer = uv_buf_init((char *)wire->host->read, wire->is_strange ? STRANGE_READ : READ_SIZE);
}

static void take_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void read_on(uv_timer_t *timer)
{
    struct wire *wire = timer->data;

    (void)uv_read_start(&wire->input.stream, wire_give_memory, take_bytes);
}

/* What a stranger says is charged to all of them. */
static void hear_stranger(struct wire *wire, struct span bytes)
{
    uint64_t begun = uv_hrtime();

    (void)uv_read_stop(&wire->input.stream);
    (void)uv_timer_start(&wire->timer, read_on, STRANGE_REST_MS, 0);
    office_link_input(wire->host->office, wire->link, bytes, host_now(wire->host));
    listen_charge(wire->host, begun);
}

static void take_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct wire *wire = stream->data;

    if (size == UV_EOF && wire->is_command) {
        wire_command_ended(wire);
    } else if (size == UV_EOF) {
        wire_broke(wire, "the other side ended the connection");
    } else if (size < 0) {
        wire_broke(wire, uv_strerror((int)size));
    } else if (size > 0 && wire->is_strange) {
        hear_stranger(wire, span_of(buffer->base, (size_t)size));
    } else if (size > 0) {
        /* A full read means more is there, and libuv would go on with this wire. */
        if (size == READ_SIZE) {
            (void)uv_read_stop(stream);
            wire->paused = true;
        }
        office_link_input(wire->host->office, wire->link, span_of(buffer->base, (size_t)size), host_now(wire->host));
    }
}

void wire_opened(struct wire *wire, bool dialled)
{
    (void)uv_timer_stop(&wire->timer);
    wire->is_open = true;
    (void)uv_read_start(&wire->input.stream, wire_give_memory, take_bytes);
    if (dialled)
        office_link_connected(wire->host->office, wire->link, host_now(wire->host));
}

void wire_set_tcp(const struct wire *wire)
{
    const int on = 1;
    const int unsent = UNSENT_MAX;
    uv_os_fd_t fd = -1;

    if (uv_fileno(&wire->input.handle, &fd) != 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

void wires_accept(struct host *host, int fd, bool is_tcp)
{
    int link = host->stopping ? -1 : office_link_accepted(host->office, host_now(host));
    struct wire *wire = link < 0 ? NULL : wire_new(host, link);
    int status = -1;

    if (wire == NULL) {
        (void)close(fd);
        if (link >= 0)
            office_link_broken(host->office, link, "there is no memory left", host_now(host));
        return;
    }
    if (is_tcp) {
        (void)uv_tcp_init(&host->loop, &wire->input.tcp);
        status = uv_tcp_open(&wire->input.tcp, fd);
    } else {
        (void)uv_pipe_init(&host->loop, &wire->input.pipe, 0);
        status = uv_pipe_open(&wire->input.pipe, fd);
    }
    wire->has_input = true;
    wire_add(wire, &wire->input.handle);
    if (status != 0) {
        (void)close(fd);
        wire_broke(wire, uv_strerror(status));
        return;
    }
    if (is_tcp)
        wire_set_tcp(wire);
    wire->is_strange = true;
    wire_opened(wire, false);
}

static void ending_took_too_long(uv_timer_t *timer)
{
    wire_broke(timer->data, "closed");
}

void wires_close(struct host *host, int link)
{
    struct wire *wire = host->wire[link];

    if (wire == NULL)
        return;
    wire->ending = true;
    (void)uv_timer_start(&wire->timer, ending_took_too_long, ENDING_MS, 0);
}

static void written(uv_write_t *write, int status)
{
    struct wire *wire = write->data;

    wire->is_writing = false;
    if (status != 0)
        wire_broke(wire, uv_strerror(status));
}

/* Hands bytes to the wire, first without a detour through the loop. */
static void send_bytes(struct wire *wire)
{
    uv_buf_t bytes = uv_buf_init((char *)wire->output.data, (unsigned)wire->output.size);
    int sent = uv_try_write(wire_output(wire), &bytes, 1);
    int status = 0;

    if (sent == (int)wire->output.size) {
        if (wire->output.size >= LINK_OUTPUT)
            host_hurry(wire->host);
        return;
    }
    if (sent > 0) {
        bytes.base += sent;
        bytes.len -= (size_t)sent;
    }
    wire->write.data = wire;
    wire->is_writing = true;
    status = uv_write(&wire->write, wire_output(wire), &bytes, 1, written);
    if (status != 0) {
        wire->is_writing = false;
        wire_broke(wire, uv_strerror(status));
    }
}

/* The office answers: it is a member's, and read as it comes from now on. */
static void know(struct wire *wire)
{
    wire->is_strange = false;
    if (!wire->ending)
        (void)uv_timer_stop(&wire->timer);
    (void)uv_read_start(&wire->input.stream, wire_give_memory, take_bytes);
}

static void turn_wire(struct wire *wire, struct now now)
{
    if (wire->paused) {
        wire->paused = false;
        (void)uv_read_start(&wire->input.stream, wire_give_memory, take_bytes);
    }
    if (wire->is_writing)
        return;
    buffer_reset(&wire->output);
    if (wire->is_open)
        (void)office_link_output(wire->host->office, wire->link, &wire->output, LINK_OUTPUT, now);
    if (wire->is_strange && wire->output.size > 0)
        know(wire);
    if (buffer_failed(&wire->output))
        wire_broke(wire, "there is no memory left");
    else if (wire->output.size > 0)
        send_bytes(wire);
    else if (wire->ending)
        wire_broke(wire, "closed");
}

void wires_turn(struct host *host)
{
    struct now now = host_now(host);

    for (int link = 0; link < OFFICE_LINKS_MAX; link++) {
        if (host->wire[link] == NULL)
            continue;
        turn_wire(host->wire[link], now);
        if (host->wire[link] == NULL) /* the office was told, and what time it was */
            now = host_now(host);
    }
}

bool wires_are_writing(const struct host *host)
{
    for (int link = 0; link < OFFICE_LINKS_MAX; link++)
        if (host->wire[link] != NULL && host->wire[link]->is_writing)
            return true;
    return false;
}

void wires_stop(struct host *host)
{
    for (int link = 0; link < OFFICE_LINKS_MAX; link++)
        if (host->wire[link] != NULL)
            wire_broke(host->wire[link], "this office ends");
}
