#include "test.h"

#include "host/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Runs with stderr or stdout going into a pipe, and returns what was written. */
static char written[8192];
static int pipe_ends[2], kept;

static void begin(int fd)
{
    (void)fflush(stdout);
    CHECK(pipe2(pipe_ends, O_NONBLOCK) == 0);
    kept = dup(fd);
    CHECK(dup2(pipe_ends[1], fd) == fd);
}

static const char *end(int fd)
{
    ssize_t size = 0;

    (void)fflush(stdout);
    (void)dup2(kept, fd);
    (void)close(kept);
    (void)close(pipe_ends[1]);
    size = read(pipe_ends[0], written, sizeof written - 1);
    written[size > 0 ? size : 0] = 0;
    (void)close(pipe_ends[0]);
    return written;
}

static void a_line_is_a_sentence_on_stderr(void)
{
    begin(STDERR_FILENO);
    log_line("%s has %d ends", "a line", 2);
    CHECK(strcmp(end(STDERR_FILENO), "liaisond: a line has 2 ends\n") == 0);
}

static void text_of_others_is_harmless(void)
{
    begin(STDERR_FILENO);
    log_line("it says: %s", "\x1b[31m red\nliaisond: forged \xff");
    (void)end(STDERR_FILENO);
    CHECK(strchr(written, '\x1b') == NULL);
    CHECK(strchr(written, '\xff') == NULL);
    CHECK(strchr(written, '\n') == written + strlen(written) - 1);
}

static void a_line_is_cut_not_split(void)
{
    char text[3000];

    memset(text, '\x1b', sizeof text - 1);
    text[sizeof text - 1] = 0;
    begin(STDERR_FILENO);
    log_line("%s", text);
    (void)end(STDERR_FILENO);
    CHECK(strlen(written) <= PIPE_BUF && strlen(written) > 1000);
    CHECK(written[strlen(written) - 1] == '\n');
}

static void a_reader_that_does_not_read_costs_no_time(void)
{
    static const char bytes[4096];
    ssize_t size = 0;

    begin(STDERR_FILENO);
    do
        size = write(pipe_ends[1], bytes, sizeof bytes);
    while (size > 0);
    /* Blocking from here on, as stderr is. */
    (void)fcntl(pipe_ends[1], F_SETFL, 0);
    (void)alarm(5);
    log_line("nobody reads this");
    (void)alarm(0);
    (void)end(STDERR_FILENO);
    CHECK(strstr(written, "nobody") == NULL);
}

static void a_state_is_a_line_on_stdout_at_once(void)
{
    begin(STDOUT_FILENO);
    log_state("ready %s", "washington.example");
    CHECK(read(pipe_ends[0], written, sizeof written) == 25);
    (void)end(STDOUT_FILENO);
}

static void systemd_is_told(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    char got[64] = {0};

    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "liaison-test-%ld", (long)getpid());
    CHECK(bind(fd, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1))) == 0);
    address.sun_path[0] = '@';
    (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
    log_notify("READY=1");
    CHECK(recv(fd, got, sizeof got - 1, 0) == 7 && strcmp(got, "READY=1") == 0);
    (void)unsetenv("NOTIFY_SOCKET");
    log_notify("READY=1");
    CHECK(recv(fd, got, sizeof got - 1, 0) == -1);
    (void)setenv("NOTIFY_SOCKET", "vsock:1:2", 1);
    log_notify("READY=1");
    (void)unsetenv("NOTIFY_SOCKET");
    (void)close(fd);
}

int main(void)
{
    RUN(a_line_is_a_sentence_on_stderr);
    RUN(text_of_others_is_harmless);
    RUN(a_line_is_cut_not_split);
    RUN(a_reader_that_does_not_read_costs_no_time);
    RUN(a_state_is_a_line_on_stdout_at_once);
    RUN(systemd_is_told);
    return test_end();
}
