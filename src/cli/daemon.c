#include "cli/daemon.h"

#include "cli/arguments.h"
#include "cli/office.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t monotonic_us(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int daemon_open_path(struct daemon *daemon, const char *path, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *daemon = (struct daemon){.socket = -1, .interrupt = -1};
    daemon->deadline_us = monotonic_us() + CALL_TIMEOUT_US;
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(error, ERROR_SYSTEM, "%s: the path is too long for a unix socket", path);
    memcpy(address.sun_path, path, strlen(path));
    daemon->events = json_array();
    daemon->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (daemon->events == NULL || daemon->socket < 0)
        return error_set(error, ERROR_SYSTEM, "a socket cannot be made: %s", strerror(errno));
    if (connect(daemon->socket, (const struct sockaddr *)&address, sizeof address) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    return 0;
}

enum exit_code daemon_open(struct daemon *daemon, const struct cli *cli, struct error *error)
{
    struct office office;
    struct error cause = {0};
    char path[PATH_MAX];

    *daemon = (struct daemon){.socket = -1, .interrupt = -1};
    if (office_find(&office, cli->office, error) != 0)
        return output_exit_of(error);
    if (office_path(&office, "control.sock", path, sizeof path, error) != 0)
        return output_exit_of(error);
    if (daemon_open_path(daemon, path, &cause) == 0)
        return EXIT_DONE;
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0 && errno == EACCES)
        (void)error_set(error, ERROR_NOT_FOUND,
                        "this user may not ask the office in %s (%s): %s. Only the user that its daemon runs as may",
                        office.directory, office.looked, cause.message);
    else if (access(office.directory, F_OK) != 0)
        (void)error_set(error, ERROR_NOT_FOUND, "there is no office in %s (%s); liaison init makes one",
                        office.directory, office.looked);
    else
        (void)error_set(
            error, ERROR_NOT_FOUND,
            "no daemon answers for the office in %s (%s): %s. Start it, with the options that it had before: "
            "liaisond --office %s [--key-file F] [--mark F] --listen tcp://HOST:PORT",
            office.directory, office.looked, cause.message, office.directory);
    return EXIT_NO_DAEMON;
}

void daemon_close(struct daemon *daemon)
{
    if (daemon->socket >= 0)
        (void)close(daemon->socket);
    control_client_free(&daemon->client);
    json_decref(daemon->events);
    *daemon = (struct daemon){.socket = -1, .interrupt = -1};
}

/* Waits until the socket can be read or written (`events`). 1: it can. 0: the deadline or the interrupt came. */
static int wait_for(const struct daemon *daemon, short events)
{
    struct pollfd polled[2] = {{.fd = daemon->socket, .events = events}, {.fd = daemon->interrupt, .events = POLLIN}};

    for (;;) {
        uint64_t now = monotonic_us();
        uint64_t left_ms = daemon->deadline_us > now ? (daemon->deadline_us - now + 999) / 1000 : 0;
        int timeout = daemon->deadline_us == UINT64_MAX ? -1 : left_ms > 3600000 ? 3600000 : (int)left_ms;
        int ready = poll(polled, 2, timeout);

        if (ready > 0 && polled[0].revents != 0)
            return 1;
        if (ready > 0 || (ready == 0 && (uint64_t)timeout == left_ms) || (ready < 0 && errno != EINTR))
            return 0;
    }
}

/* 1: bytes came. 0: the deadline or the interrupt came. -1: the connection ended. */
static int receive(struct daemon *daemon, struct error *error)
{
    uint8_t bytes[65536];
    ssize_t size = 0;

    if (wait_for(daemon, POLLIN) == 0)
        return 0;
    size = recv(daemon->socket, bytes, sizeof bytes, 0);
    if (size > 0) {
        control_client_input(&daemon->client, span_of(bytes, (size_t)size));
        return 1;
    }
    daemon->lost = true;
    return error_set(error, ERROR_SYSTEM, "the daemon ended the connection");
}

/* Sends what the client half has written. A daemon that closes may have said why, so a failure is left to be
 * found when the answer is read. */
static void transmit(struct daemon *daemon)
{
    struct buffer *output = &daemon->client.output;
    ssize_t sent = 0;

    while (output->size > 0 && wait_for(daemon, POLLOUT) == 1) {
        sent = send(daemon->socket, output->data, output->size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return;
        buffer_drop(output, sent > 0 ? (size_t)sent : 0);
    }
}

/* Waits for the answer to request `id`, keeping events that come before it. As receive(). */
static int receive_answer(struct daemon *daemon, uint64_t id, struct control_message *message, struct error *error)
{
    for (;;) {
        int result = control_client_next(&daemon->client, message, error);

        if (result < 0) {
            daemon->lost = true;
            return -1;
        }
        if (result == 0) {
            result = receive(daemon, error);
            if (result <= 0)
                return result;
            continue;
        }
        if (!message->is_event && (message->id == id || message->id == 0))
            return 1;
        if (message->is_event)
            (void)json_array_append(daemon->events, message->content);
        control_message_free(message);
    }
}

/* Whether a method may have changed something by the time its answer fails to come. */
static bool changes(const char *method)
{
    static const char *const asking[] = {
        "status",        "card",          "line.show",    "link.test",       "entries",         "subscribe", "inbox",
        "record.verify", "record.policy", "record.prove", "record.disclose", "record.evidence", NULL,
    };

    return !word_is_one_of(method, asking);
}

/* That the record is not what it should be, or cannot be read, is the answer to one question; to all others it is a
 * refusal. Where nothing was to be changed, storage that fails leaves nothing unknown. */
static enum exit_code exit_of(const char *method, const struct error *error)
{
    if (strcmp(method, "record.verify") == 0 && (error->code == ERROR_MISMATCH || error->code == ERROR_STORAGE))
        return EXIT_UNVERIFIED;
    if (error->code == ERROR_STORAGE && !changes(method))
        return EXIT_REFUSED;
    return output_exit_of(error);
}

json_t *daemon_call(struct daemon *daemon, const char *method, json_t *params, enum exit_code *exit,
                    struct error *error)
{
    struct control_message message = {0};
    json_t *result = NULL;
    uint64_t id = control_client_request(&daemon->client, method, params);
    int received = 0;

    if (buffer_failed(&daemon->client.output)) {
        (void)error_set(error, ERROR_SYSTEM, "out of memory");
        *exit = EXIT_REFUSED;
        return NULL;
    }
    transmit(daemon);
    received = receive_answer(daemon, id, &message, error);
    if (received == 0)
        (void)error_set(error, ERROR_SYSTEM, "the daemon did not answer %s in time", method);
    if (received <= 0) {
        *exit = changes(method) ? EXIT_UNKNOWN : EXIT_NO_DAEMON;
        return NULL;
    }
    if (message.content != NULL) {
        result = json_incref(message.content);
        *exit = EXIT_DONE;
    } else {
        if (error != NULL && error->code == ERROR_NONE)
            *error = message.error;
        *exit = exit_of(method, &message.error);
    }
    control_message_free(&message);
    return result;
}

int daemon_event(struct daemon *daemon, json_t **event, struct error *error)
{
    struct control_message message = {0};
    int result = 0;

    for (;;) {
        if (json_array_size(daemon->events) > 0) {
            *event = json_incref(json_array_get(daemon->events, 0));
            (void)json_array_remove(daemon->events, 0);
            return 1;
        }
        result = control_client_next(&daemon->client, &message, error);
        if (result == 1 && message.is_event)
            (void)json_array_append(daemon->events, message.content);
        control_message_free(&message);
        if (result == 0)
            result = receive(daemon, error);
        if (result <= 0) {
            daemon->lost |= result < 0;
            return result;
        }
    }
}

json_t *daemon_ask(struct cli *cli, const char *method, json_t *params)
{
    return daemon_ask_about(cli, NULL, method, params);
}

/* Whether an answer finds fault with what was handed in, and not with the office or the machine. */
static bool is_about_files(const struct error *error)
{
    return error->code == ERROR_INVALID || error->code == ERROR_MISMATCH || error->code == ERROR_REFUSED ||
           error->code == ERROR_EXISTS;
}

json_t *daemon_ask_about(struct cli *cli, const char *files, const char *method, json_t *params)
{
    struct daemon daemon;
    struct error error = {0};
    json_t *result = NULL;

    cli->exit = daemon_open(&daemon, cli, &error);
    if (cli->exit != EXIT_DONE) {
        json_decref(params);
    } else {
        /* Checking a record takes as long as the record is. */
        if (strncmp(method, "record.", 7) == 0)
            daemon.deadline_us = UINT64_MAX;
        result = daemon_call(&daemon, method, params, &cli->exit, &error);
    }
    if (result == NULL && cli->exit == EXIT_UNKNOWN)
        (void)output_failure(cli, cli->exit, error_code_name(error.code), "%s; whether it was done is not known",
                             error.message);
    else if (result == NULL && files != NULL && is_about_files(&error))
        (void)output_failure(cli, cli->exit, error_code_name(error.code), "%s: %s. Nothing was changed", files,
                             error.message);
    else if (result == NULL)
        (void)output_error(cli, cli->exit, &error);
    daemon_close(&daemon);
    return result;
}
