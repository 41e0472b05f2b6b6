#include "host/spawner.h"

#include "office/office.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for the descriptors of one request. */
union ancillary {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(COMMAND_FILES * sizeof(int))];
};

/* --- the process of one command -------------------------------------------------------------------------------- */

static _Noreturn void become(const char *command, const int files[static COMMAND_FILES])
{
    sigset_t none;

    (void)setsid(); /* what the command starts ends with it */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)dup2(files[fd], fd);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Whether the command ended within the time, -1 being any. It returns earlier if the lifeline is closed. */
static bool await_end(int command, int lifeline, int timeout_ms)
{
    struct pollfd files[] = {{.fd = command, .events = POLLIN}, {.fd = lifeline, .events = POLLIN}};
    int ready = -1;

    do
        ready = poll(files, 2, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return files[0].revents != 0;
}

/* Lives a little longer than its command. */
static _Noreturn void attend(const char *command, const int files[static COMMAND_FILES])
{
    int lifeline = files[COMMAND_FILES - 1];
    int fd = -1;
    int status = 0;
    pid_t pid = -1;

    (void)signal(SIGCHLD, SIG_DFL);
    pid = fork();
    if (pid == 0)
        become(command, files);
    for (int i = 0; i < COMMAND_FILES - 1; i++)
        (void)close(files[i]);
    if (pid < 0)
        _exit(1);
    fd = pidfd_open(pid, 0);
    if (fd < 0 || !await_end(fd, lifeline, -1)) {
        (void)kill(-pid, SIGTERM);
        if (fd < 0 || !await_end(fd, -1, COMMAND_END_MS))
            (void)kill(-pid, SIGKILL);
    }
    if (waitpid(pid, &status, 0) == pid)
        (void)send(lifeline, &status, sizeof status, MSG_NOSIGNAL);
    _exit(0);
}

/* --- the spawner --------------------------------------------------------------------------------------------- */

static void take_files(struct msghdr *message, int files[static COMMAND_FILES], size_t *count)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    *count = 0;
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return;
    *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (*count > COMMAND_FILES)
        *count = COMMAND_FILES;
    memcpy(files, CMSG_DATA(header), *count * sizeof(int));
}

/* False once there is nobody left to ask. */
static bool serve_one(int requests)
{
    char command[ADDRESS_SIZE + 1] = "";
    union ancillary ancillary = {0};
    struct iovec text = {.iov_base = command, .iov_len = ADDRESS_SIZE};
    struct msghdr message = {
        .msg_iov = &text, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};
    int files[COMMAND_FILES];
    size_t count = 0;
    ssize_t size = recvmsg(requests, &message, MSG_CMSG_CLOEXEC);

    if (size <= 0)
        return size < 0 && errno == EINTR;
    take_files(&message, files, &count);
    if (count == COMMAND_FILES && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && fork() == 0) {
        (void)close(requests);
        attend(command, files);
    }
    for (size_t i = 0; i < count; i++)
        (void)close(files[i]);
    return true;
}

static _Noreturn void serve(int requests)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)prctl(PR_SET_NAME, "liaisond-spawn", 0L, 0L, 0L);
    /* Nothing of the daemon's is kept open; what a terminal or systemd sends to all of the group ends the daemon, and
     * with it this. */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)dup2(null, fd);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN); /* who attends a command is not waited for */
    while (serve_one(requests)) {
    }
    _exit(0);
}

int spawner_start(struct error *error)
{
    int pair[2] = {-1, -1};
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no socket for commands: %s", strerror(errno));
    pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        serve(pair[1]);
    }
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return error_set(error, ERROR_SYSTEM, "there is no process for commands: %s", strerror(errno));
    }
    return pair[0];
}

int spawner_run(int spawner, const char *command, const int files[static COMMAND_FILES])
{
    union ancillary ancillary = {.header = {.cmsg_len = CMSG_LEN(COMMAND_FILES * sizeof(int)),
                                            .cmsg_level = SOL_SOCKET,
                                            .cmsg_type = SCM_RIGHTS}};
    size_t size = strlen(command);
    char text[ADDRESS_SIZE];
    struct iovec bytes = {.iov_base = text, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};

    if (size == 0 || size > sizeof text)
        return EINVAL;
    memcpy(text, command, size);
    memcpy(CMSG_DATA(&ancillary.header), files, COMMAND_FILES * sizeof(int));
    return sendmsg(spawner, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}
