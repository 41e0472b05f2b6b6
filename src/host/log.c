#include "host/log.h"

#include "base/text.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SENTENCE_SIZE 1024

void log_line(const char *format, ...)
{
    /* A pipe that can be written takes PIPE_BUF bytes without waiting. */
    struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};
    char sentence[SENTENCE_SIZE];
    struct buffer line = {0};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    buffer_print(&line, "liaisond: ");
    text_put_shown(&line, span_of_string(sentence), false);
    if (line.size > PIPE_BUF - 1)
        line.size = PIPE_BUF - 1;
    buffer_put_u8(&line, '\n');
    if (!buffer_failed(&line) && poll(&stream, 1, 0) == 1 && write(STDERR_FILENO, line.data, line.size) < 0) {
        /* There is nobody left to tell. */
    }
    buffer_free(&line);
}

void log_state(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

void log_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path != NULL ? strlen(path) : 0;
    int fd = -1;

    if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    /* An abstract address is as long as its name; systemd would start without us being heard, and time out. */
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) < 0)
        log_line("systemd cannot be told that %s: its socket does not answer", state);
    (void)close(fd);
}
