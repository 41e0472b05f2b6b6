#include "test.h"

#include "host/spawner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int spawner = -1;

/* A command with our ends of its files. */
struct command {
    int file[COMMAND_FILES];
};

static struct command run(const char *text)
{
    struct command command = {{-1, -1, -1, -1}};
    int theirs[COMMAND_FILES] = {-1, -1, -1, -1};

    for (size_t i = 0; i < COMMAND_FILES; i++) {
        int pair[2] = {-1, -1};

        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        command.file[i] = pair[0];
        theirs[i] = pair[1];
    }
    CHECK(spawner_run(spawner, text, theirs) == 0);
    for (size_t i = 0; i < COMMAND_FILES; i++)
        (void)close(theirs[i]);
    return command;
}

/* Reads until there is no more; what did not come in 5 s does not come. */
static size_t read_all(int fd, void *out, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t have = 0;
    ssize_t got = 1;

    while (have < size && got > 0 && poll(&ready, 1, 5000) == 1) {
        got = read(fd, (char *)out + have, size - have);
        have += got > 0 ? (size_t)got : 0;
    }
    return have;
}

static int exit_status(const struct command *command)
{
    int status = -1;

    CHECK(read_all(command->file[3], &status, sizeof status) == sizeof status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void end(struct command *command)
{
    for (size_t i = 0; i < COMMAND_FILES; i++)
        (void)close(command->file[i]);
}

static bool is_gone(pid_t pid, int milliseconds)
{
    for (; milliseconds > 0 && kill(pid, 0) == 0; milliseconds -= 10)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static pid_t read_pid(const struct command *command)
{
    char text[16] = "";
    struct pollfd ready = {.fd = command->file[1], .events = POLLIN};

    CHECK(poll(&ready, 1, 5000) == 1 && read(command->file[1], text, sizeof text - 1) > 0);
    return (pid_t)atoi(text);
}

static void its_files_are_the_commands(void)
{
    struct command command = run("read word; echo \"got $word\"; echo wrong >&2; exit 7");
    char out[32] = "";

    CHECK(write(command.file[0], "this\n", 5) == 5);
    CHECK(read_all(command.file[1], out, 9) == 9 && strcmp(out, "got this\n") == 0);
    CHECK(read_all(command.file[2], out, 6) == 6 && memcmp(out, "wrong\n", 6) == 0);
    CHECK(exit_status(&command) == 7);
    end(&command);
}

/* The output of ls goes to grep: stdin and stderr are left. */
static void no_other_file_is_open(void)
{
    struct command command = run("ls -l /proc/self/fd | grep -c socket:; exit 0");
    char out[8] = "";

    CHECK(read_all(command.file[1], out, 2) == 2 && strcmp(out, "2\n") == 0);
    CHECK(exit_status(&command) == 0);
    end(&command);
}

static void signals_reach_it_as_ever(void)
{
    struct command command = run("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d 'SigBlkIn:\\t0\\n'; exit 0");
    char out[8] = "";

    CHECK(exit_status(&command) == 0);
    (void)shutdown(command.file[1], SHUT_RD);
    CHECK(read_all(command.file[1], out, sizeof out - 1) == 0);
    end(&command);
}

static void it_ends_with_its_lifeline(void)
{
    struct command command = run("sleep 300 & echo $!; wait");
    pid_t pid = read_pid(&command);

    CHECK(pid > 1 && kill(pid, 0) == 0);
    (void)close(command.file[3]);
    CHECK(is_gone(pid, 5000));
    command.file[3] = -1;
    end(&command);
}

static void one_that_does_not_listen_is_killed(void)
{
    struct command command = run("trap '' TERM; echo $$; while :; do sleep 1; done");
    pid_t pid = read_pid(&command);

    end(&command);
    CHECK(!is_gone(pid, COMMAND_END_MS / 2));
    CHECK(is_gone(pid, COMMAND_END_MS + 1000));
}

static void what_is_no_request_is_passed_over(void)
{
    char long_command[600];
    struct command command;

    memset(long_command, 'x', sizeof long_command);
    long_command[sizeof long_command - 1] = '\0';
    CHECK(spawner_run(spawner, long_command, (int[COMMAND_FILES]){0, 1, 2, 2}) == EINVAL);
    CHECK(spawner_run(spawner, "", (int[COMMAND_FILES]){0, 1, 2, 2}) == EINVAL);
    CHECK(send(spawner, "touch nothing", 13, MSG_NOSIGNAL) == 13);
    command = run("exit 3");
    CHECK(exit_status(&command) == 3);
    end(&command);
}

/* Its commands have lifelines of their own, and are not its children. */
static void the_spawner_ends_with_its_socket(void)
{
    int status = -1;

    (void)close(spawner);
    CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    struct error error = {0};

    (void)signal(SIGPIPE, SIG_IGN);
    spawner = spawner_start(&error);
    if (spawner < 0)
        return 1;
    RUN(its_files_are_the_commands);
    RUN(no_other_file_is_open);
    RUN(signals_reach_it_as_ever);
    RUN(it_ends_with_its_lifeline);
    RUN(one_that_does_not_listen_is_killed);
    RUN(what_is_no_request_is_passed_over);
    RUN(the_spawner_ends_with_its_socket);
    return test_end();
}
