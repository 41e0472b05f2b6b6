#include "host/serve.h"

#include "host/json.h"
#include "host/log.h"
#include "host/methods.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- connections --------------------------------------------------------------------------------------------- */

static void closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    control_reader_free(&client->reader);
    buffer_free(&client->output);
    buffer_free(&client->sending);
    free(client);
}

static void close_client(struct client *client)
{
    struct serve *serve = client->host->serve;

    if (client->is_closing)
        return;
    client->is_closing = true;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (serve->client[i] == client)
            serve->client[i] = NULL;
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (serve->asked[i].client == client)
            serve->asked[i].client = NULL;
    uv_close((uv_handle_t *)&client->pipe, closed);
}

static void give_memory(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct client *client = handle->data;

    (void)size;
    *buffer = uv_buf_init((char *)client->host->read, READ_SIZE);
}

static bool may_ask(const struct client *client)
{
    return !client->is_closing && !client->is_last && client->asked < CLIENT_REQUESTS_MAX &&
           client->output.size < CLIENT_OUTPUT_MAX;
}

/* Takes lines while the client may ask more. Returns whether there was one. */
static bool take_lines(struct client *client)
{
    bool taken = false;

    while (may_ask(client)) {
        struct control_request request;
        struct error error = {0};
        struct span line;
        int status = control_reader_next(&client->reader, &line);
        int number = 0;

        if (status == 0)
            return taken;
        taken = true;
        if (status < 0) {
            (void)error_set(&error, ERROR_USAGE, "the line is longer than %u bytes", CONTROL_REQUEST_MAX);
            control_put_failure(&client->output, NULL, CONTROL_NOT_JSON, &error);
            client->is_last = true;
            return true;
        }
        number = control_parse(&request, line, &error);
        if (number == 0)
            methods_call(client, &request);
        else
            control_put_failure(&client->output, request.id, (enum control_number)number, &error);
        client->is_last |= number == CONTROL_NOT_JSON;
        /* A passphrase was in it. jansson's copies are wiped when they are freed (main.c). */
        if (number == 0 && strcmp(request.method, "unlock") == 0)
            secret_wipe(client->reader.bytes.data, client->reader.taken);
        control_request_free(&request);
    }
    return taken;
}

static void take_bytes(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct client *client = stream->data;

    if (size == UV_EOF)
        client->has_ended = true;
    else if (size < 0)
        close_client(client);
    if (size <= 0)
        return;
    control_reader_input(&client->reader, span_of(buffer->base, (size_t)size));
    (void)take_lines(client);
    secret_wipe(buffer->base, (size_t)size); /* it may have been a passphrase */
    /* A full read means more is there, and libuv would go on with this connection. */
    if (!client->is_closing && (size == READ_SIZE || !may_ask(client))) {
        (void)uv_read_stop(stream);
        client->is_paused = true;
    }
}

static struct client *new_client(struct host *host)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (host->serve->client[i] == NULL) {
            host->serve->client[i] = calloc(1, sizeof(struct client));
            return host->serve->client[i];
        }
    return NULL;
}

void serve_accept(struct host *host, int fd)
{
    static const char full[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"too many "
                               "connections are open\",\"data\":{\"code\":\"refused\"}}}\n";
    struct client *client = host->stopping ? NULL : new_client(host);

    if (client == NULL) {
        (void)send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)close(fd);
        return;
    }
    client->host = host;
    client->reader.max = CONTROL_REQUEST_MAX;
    client->pipe.data = client;
    (void)uv_pipe_init(&host->loop, &client->pipe, 0);
    if (uv_pipe_open(&client->pipe, fd) != 0) {
        (void)close(fd);
        close_client(client);
        return;
    }
    (void)uv_read_start((uv_stream_t *)&client->pipe, give_memory, take_bytes);
}

bool serve_read_on(struct host *host)
{
    bool taken = false;

    for (size_t i = 0; i < CLIENTS_MAX && !host->stopping; i++) {
        struct client *client = host->serve->client[i];

        if (client == NULL)
            continue;
        taken |= take_lines(client);
        if (!client->is_paused || client->has_ended || !may_ask(client))
            continue;
        client->is_paused = false;
        (void)uv_read_start((uv_stream_t *)&client->pipe, give_memory, take_bytes);
    }
    return taken;
}

/* --- output -------------------------------------------------------------------------------------------------- */

static void written(uv_write_t *write, int status)
{
    struct client *client = write->data;

    client->is_writing = false;
    if (status != 0)
        close_client(client);
}

static void send_bytes(struct client *client)
{
    struct buffer swap = client->sending;
    uv_buf_t bytes;
    int sent = 0;

    client->sending = client->output;
    client->output = swap;
    buffer_reset(&client->output);
    bytes = uv_buf_init((char *)client->sending.data, (unsigned)client->sending.size);
    sent = uv_try_write((uv_stream_t *)&client->pipe, &bytes, 1);
    if (sent == (int)client->sending.size)
        return;
    if (sent > 0) {
        bytes.base += sent;
        bytes.len -= (size_t)sent;
    }
    client->write.data = client;
    client->is_writing = true;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, written) != 0) {
        client->is_writing = false;
        close_client(client);
    }
}

/* A connection that is closed halfway stays for the answers it waits for, and for events until it is gone. */
static bool is_over(const struct client *client)
{
    struct pollfd poll_fd = {.fd = -1};

    if (client->is_last)
        return true;
    if (!client->has_ended || client->asked > 0)
        return false;
    if (!client->is_subscribed)
        return true;
    (void)uv_fileno((const uv_handle_t *)&client->pipe, &poll_fd.fd);
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLHUP | POLLERR)) != 0;
}

static void flush_client(struct client *client)
{
    size_t waiting = client->output.size + (client->is_writing ? client->sending.size : 0);

    if (client->has_lost && waiting < CLIENT_EVENTS_MAX / 2) {
        control_put_event(&client->output, json_pack("{s:s}", "event", "lost"));
        client->has_lost = false;
    }
    if (client->is_writing && waiting > CLIENT_OUTPUT_MAX)
        close_client(client);
    if (buffer_failed(&client->output))
        close_client(client);
    if (client->is_closing || client->is_writing)
        return;
    if (client->output.size > 0)
        send_bytes(client);
    if (!client->is_writing && client->output.size == 0 && is_over(client))
        close_client(client);
}

void serve_flush(struct host *host)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (host->serve->client[i] != NULL)
            flush_client(host->serve->client[i]);
}

bool serve_is_writing(const struct host *host)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (host->serve->client[i] != NULL && host->serve->client[i]->is_writing)
            return true;
    return false;
}

/* --- requests and events -------------------------------------------------------------------------------------- */

uint64_t serve_ask(struct client *client, unsigned method, json_t *id)
{
    struct serve *serve = client->host->serve;

    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        struct asked *asked = &serve->asked[i];

        if (asked->used)
            continue;
        *asked = (struct asked){.used = true, .generation = asked->generation + 1, .client = client, .method = method};
        asked->id = json_incref(id);
        client->asked++;
        return (uint64_t)asked->generation << 32 | i;
    }
    return 0; /* of REQUESTS_MAX, each client has at most its part, unless those gone have left theirs */
}

struct asked *serve_answered(struct host *host, uint64_t request)
{
    size_t place = (size_t)(request & UINT32_MAX);
    struct asked *asked = place < REQUESTS_MAX ? &host->serve->asked[place] : NULL;

    if (asked == NULL || !asked->used || asked->generation != (uint32_t)(request >> 32))
        return NULL;
    asked->used = false;
    if (asked->client != NULL)
        asked->client->asked--;
    return asked;
}

void serve_reply(struct host *host, const struct office_event *event)
{
    struct asked *asked = serve_answered(host, event->request);

    if (asked == NULL)
        return;
    if (asked->client != NULL && event->error.code != ERROR_NONE)
        control_put_error(&asked->client->output, asked->id, &event->error);
    else if (asked->client != NULL)
        control_put_result(&asked->client->output, asked->id, methods_result(host, asked->method, event));
    json_decref(asked->id);
    asked->id = NULL;
}

static bool wants(const struct client *client, const struct office_event *event)
{
    return client != NULL && client->is_subscribed &&
           (event->line == NULL || client->subscribed[0] == '\0' || strcmp(client->subscribed, event->line) == 0);
}

void serve_event(struct host *host, const struct office_event *event)
{
    struct buffer line = {0};
    json_t *params = NULL;

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = host->serve->client[i];

        if (!wants(client, event))
            continue;
        if (params == NULL) {
            params = json_event(host->office, event);
            if (params == NULL)
                break;
            control_put_event(&line, params);
        }
        if (client->has_lost ||
            client->output.size + (client->is_writing ? client->sending.size : 0) > CLIENT_EVENTS_MAX ||
            buffer_failed(&line))
            client->has_lost = true;
        else
            buffer_put_span(&client->output, buffer_span(&line));
    }
    buffer_free(&line);
}

bool serve_has_subscribers(const struct host *host)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (host->serve->client[i] != NULL && host->serve->client[i]->is_subscribed)
            return true;
    return false;
}

void serve_stop(struct host *host)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (host->serve->client[i] != NULL)
            close_client(host->serve->client[i]);
}

void serve_free(struct serve *serve)
{
    if (serve == NULL)
        return;
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        json_decref(serve->asked[i].id);
    json_decref(serve->unlocking_status);
    free(serve);
}
