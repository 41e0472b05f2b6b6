#include "host/listen.h"

#include "host/log.h"
#include "host/serve.h"
#include "host/wires.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512  /* who finds so many waiting calls again, in a second or more */
#define ACCEPT_MAX 8 /* connections at a time */
#define REST_MS 1    /* before it is looked again whether they may take more */
#define SHARE 4      /* strangers may take this part of the time, a quarter */
#define PAUSE_MS 1000

static struct listener *new_listener(struct host *host, enum listener_kind kind)
{
    struct listener *listener = &host->listener[host->listener_count++];

    *listener = (struct listener){.host = host, .kind = kind, .fd = -1};
    return listener;
}

static int unix_address(struct sockaddr_un *address, const char *path, struct error *error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return error_set(error, ERROR_SYSTEM, "%s: the path is too long for a unix socket; the most is %zu bytes", path,
                         sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path));
    return 0;
}

/* Whether there is a socket with nobody behind it; connecting to a file is refused in the same way. */
static bool is_stale(const char *path, const struct sockaddr_un *address, bool own)
{
    struct stat status = {0};
    bool refused = false;
    int fd = -1;

    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    if (own)
        return true;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        (void)close(fd);
    return refused;
}

static int listen_unix(struct listener *listener, const char *path, bool own, struct error *error)
{
    struct sockaddr_un address;
    int status = -1;
    int failure = 0;

    if (unix_address(&address, path, error) != 0)
        return -1;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return error_set(error, ERROR_SYSTEM, "no socket can be made: %s", strerror(errno));
    status = bind(listener->fd, (const struct sockaddr *)&address, sizeof address);
    failure = errno;
    if (status != 0 && failure == EADDRINUSE && is_stale(path, &address, own) && unlink(path) == 0)
        status = bind(listener->fd, (const struct sockaddr *)&address, sizeof address);
    if (status != 0)
        return error_set(error, ERROR_SYSTEM, "%s cannot be listened on: %s", path, strerror(failure));
    if (chmod(path, 0600) != 0)
        return error_set(error, ERROR_SYSTEM, "%s cannot be made private: %s", path, strerror(errno));
    (void)snprintf(listener->path, sizeof listener->path, "%s", path);
    (void)snprintf(listener->address, sizeof listener->address, "unix:%s", path);
    return 0;
}

int listen_own(struct host *host, enum listener_kind kind, const char *path, struct error *error)
{
    return listen_unix(new_listener(host, kind), path, true, error);
}

/* The real address, since the port may have been 0. */
static int name_tcp(struct listener *listener, struct error *error)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN];
    char port[6];

    if (getsockname(listener->fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((const struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return error_set(error, ERROR_SYSTEM, "a listening socket has no address: %s", strerror(errno));
    (void)snprintf(listener->address, sizeof listener->address,
                   bound.ss_family == AF_INET6 ? "tcp://[%s]:%s" : "tcp://%s:%s", host, port);
    return 0;
}

static int bind_tcp(struct listener *listener, const struct addrinfo *info)
{
    const int on = 1;

    listener->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return -1;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener->fd, info->ai_addr, info->ai_addrlen) == 0)
        return 0;
    (void)close(listener->fd);
    listener->fd = -1;
    return -1;
}

/* Of a name with several addresses the first that can be bound: one --listen is one address. */
static int listen_tcp(struct listener *listener, const struct address *address, struct error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(address->host, address->port, &hints, &found);

    if (code != 0)
        return error_set(error, ERROR_SYSTEM, "%s cannot be listened on: %s", address->host, gai_strerror(code));
    for (const struct addrinfo *info = found; info != NULL && listener->fd < 0; info = info->ai_next)
        (void)bind_tcp(listener, info);
    if (listener->fd < 0)
        (void)error_set(error, ERROR_SYSTEM, "tcp://%s:%s cannot be listened on: %s", address->host, address->port,
                        strerror(errno));
    freeaddrinfo(found);
    listener->is_tcp = true;
    return listener->fd < 0 ? -1 : name_tcp(listener, error);
}

int listen_address(struct host *host, const struct address *address, struct error *error)
{
    struct listener *listener = new_listener(host, LISTENER_LINK);

    if (address->kind == ADDRESS_UNIX)
        return listen_unix(listener, address->path, false, error);
    return listen_tcp(listener, address, error);
}

void listen_charge(struct host *host, uint64_t begun_ns)
{
    uint64_t now = uv_hrtime();

    if (host->owed_ns == 0)
        host->paid_at_ns = begun_ns;
    host->owed_ns += now - begun_ns;
}

/* Time pays, and what strangers took is paid once SHARE times as much has passed. */
static bool is_paid(struct host *host)
{
    uint64_t now = uv_hrtime();
    uint64_t paid = (now - host->paid_at_ns) / SHARE;

    host->owed_ns = host->owed_ns > paid ? host->owed_ns - paid : 0;
    host->paid_at_ns = now;
    return host->owed_ns == 0;
}

static void resume(uv_timer_t *timer);

/* Whoever comes next waits in the backlog. Another listener's rest, begun before, ends this one, too. */
static void rest(struct listener *listener)
{
    struct host *host = listener->host;

    (void)uv_poll_stop(&listener->poll);
    host->accept_again.data = host;
    if (!uv_is_active((uv_handle_t *)&host->accept_again))
        (void)uv_timer_start(&host->accept_again, resume, REST_MS, 0);
}

static void take_connections(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    uint64_t begun = uv_hrtime();

    (void)events;
    if (listener->kind == LISTENER_LINK && !is_paid(listener->host)) {
        rest(listener);
        return;
    }
    for (int i = 0; i < ACCEPT_MAX && status == 0; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            listen_pause(listener->host);
        if (fd < 0)
            break;
        if (listener->kind == LISTENER_CONTROL)
            serve_accept(listener->host, fd);
        else
            wires_accept(listener->host, fd, listener->is_tcp);
    }
    if (listener->kind == LISTENER_LINK)
        listen_charge(listener->host, begun);
}

int listen_start(struct host *host, enum listener_kind kind, struct error *error)
{
    for (size_t i = 0; i < host->listener_count; i++) {
        struct listener *listener = &host->listener[i];

        if (listener->kind != kind)
            continue;
        if (listen(listener->fd, BACKLOG) != 0 || uv_poll_init(&host->loop, &listener->poll, listener->fd) != 0)
            return error_set(error, ERROR_SYSTEM, "%s cannot be listened on: %s", listener->address, strerror(errno));
        listener->poll.data = listener;
        (void)uv_poll_start(&listener->poll, UV_READABLE, take_connections);
    }
    return 0;
}

static void resume(uv_timer_t *timer)
{
    struct host *host = timer->data;

    for (size_t i = 0; i < host->listener_count; i++)
        if (host->listener[i].poll.data != NULL)
            (void)uv_poll_start(&host->listener[i].poll, UV_READABLE, take_connections);
}

/* The connection stays in the backlog and would wake the loop without end. */
void listen_pause(struct host *host)
{
    log_line("no more connections can be taken now: %s", strerror(errno));
    for (size_t i = 0; i < host->listener_count; i++)
        if (host->listener[i].poll.data != NULL)
            (void)uv_poll_stop(&host->listener[i].poll);
    host->accept_again.data = host;
    (void)uv_timer_start(&host->accept_again, resume, PAUSE_MS, 0);
}

static void close_listener(uv_handle_t *handle)
{
    struct listener *listener = handle->data;

    (void)close(listener->fd);
    listener->fd = -1;
}

void listen_stop(struct host *host)
{
    (void)uv_timer_stop(&host->accept_again);
    for (size_t i = 0; i < host->listener_count; i++) {
        struct listener *listener = &host->listener[i];

        if (listener->path[0] != '\0')
            (void)unlink(listener->path);
        listener->path[0] = '\0';
        if (listener->poll.data != NULL && !uv_is_closing((uv_handle_t *)&listener->poll))
            uv_close((uv_handle_t *)&listener->poll, close_listener);
        else if (listener->poll.data == NULL && listener->fd >= 0)
            close_listener(&(uv_handle_t){.data = listener});
    }
}
