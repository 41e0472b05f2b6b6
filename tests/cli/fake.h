/*
 * A daemon that follows a script, in a process of its own: for each step it reads one request, checks that it holds
 * certain words, and writes what it is told to, with the request's id put in place of "ID". Its exit code says
 * whether the script was followed to its end.
 */
#ifndef LIAISON_TESTS_CLI_FAKE_H
#define LIAISON_TESTS_CLI_FAKE_H

#include "cli/cli.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct step {
    const char *expect; /* what the request must hold; NULL ends a script */
    const char *reply;  /* lines; NULL: close the connection without an answer, and take the next one */
};

struct fake {
    char directory[32]; /* the office */
    pid_t process;
};

/* Everything the code under test writes goes to files, to be looked at. */
struct captured {
    char out[65536];
    char err[65536];
};

static inline void fake_answer(int connection, const char *reply, const char *request)
{
    const char *id = strstr(request, "\"id\":");
    unsigned long number = id != NULL ? strtoul(id + 5, NULL, 10) : 0;

    for (const char *at = reply; *at != '\0';) {
        const char *mark = strstr(at, "ID");
        char digits[24];

        if (write(connection, at, mark != NULL ? (size_t)(mark - at) : strlen(at)) < 0)
            return;
        if (mark == NULL)
            return;
        if (write(connection, digits, (size_t)snprintf(digits, sizeof digits, "%lu", number)) < 0)
            return;
        at = mark + 2;
    }
}

/* Reads one request; where the other side has closed, on the next connection it makes. */
static inline void fake_read(int listener, int *connection, char *request, size_t max)
{
    size_t size = 0;
    ssize_t got = 0;

    while (size < max - 1) {
        got = *connection >= 0 ? read(*connection, request + size, 1) : 0;
        if (got <= 0 && size > 0)
            break;
        if (got <= 0) {
            close(*connection);
            *connection = accept(listener, NULL, NULL);
            continue;
        }
        if (request[size] == '\n')
            break;
        size++;
    }
    request[size] = '\0';
}

static inline int fake_run(int listener, const struct step *steps)
{
    static char request[1 << 20];
    int connection = -1;

    alarm(30);
    for (; steps->expect != NULL; steps++) {
        fake_read(listener, &connection, request, sizeof request);
        if (strstr(request, steps->expect) == NULL) {
            printf("# the fake daemon waited for %s and got %s\n", steps->expect, request);
            fflush(stdout);
            return 1;
        }
        if (steps->reply != NULL) {
            fake_answer(connection, steps->reply, request);
        } else {
            close(connection);
            connection = -1;
        }
    }
    /* What the other side still asks stays without an answer. */
    while (connection >= 0 && read(connection, request, 1) > 0)
        continue;
    return 0;
}

static inline void fake_start(struct fake *fake, const struct step *steps)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(fake->directory, "/tmp/liaison-test-XXXXXX");
    CHECK(mkdtemp(fake->directory) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", fake->directory);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0);
    fflush(stdout);
    fake->process = fork();
    if (fake->process == 0)
        _exit(fake_run(listener, steps));
    close(listener);
}

/* True if the script was followed. */
static inline bool fake_end(struct fake *fake)
{
    char path[64];
    int status = 0;

    waitpid(fake->process, &status, 0);
    snprintf(path, sizeof path, "%s/control.sock", fake->directory);
    unlink(path);
    rmdir(fake->directory);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline void read_back(FILE *file, char *text, size_t size)
{
    size_t got = 0;

    rewind(file);
    got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    fclose(file);
}

/* Runs a subcommand with stdin at its end and stdout and stderr caught. `words` are split at spaces; '_' stands for a
 * space within a word. */
static inline enum exit_code run_command(enum exit_code (*command)(struct cli *, int, char **), const char *office,
                                         const char *words, struct captured *captured)
{
    struct cli cli = {.office = office, .json = strstr(words, "--json") != NULL};
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    char *argv[32];
    char *copy = strdup(words);
    char *rest = copy;
    int argc = 0;
    int saved[3] = {dup(0), dup(1), dup(2)};
    int null = open("/dev/null", O_RDONLY);
    enum exit_code exit = EXIT_DONE;

    for (char *word = strtok_r(rest, " ", &rest); word != NULL; word = strtok_r(rest, " ", &rest)) {
        for (char *at = word; *at != '\0'; at++)
            *at = *at == '_' ? ' ' : *at;
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    fflush(stdout);
    dup2(null, 0);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    exit = command(&cli, argc, argv);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    close(null);
    read_back(out, captured->out, sizeof captured->out);
    read_back(err, captured->err, sizeof captured->err);
    free(copy);
    return exit;
}

#define RESULT(value) "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":" value "}\n"
#define FAILURE(word, sentence)                                                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32000,\"message\":\"" sentence                                \
    "\",\"data\":{\"code\":\"" word "\"}}}\n"
#define EVENT(params) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":" params "}\n"
/* A status with one line of two, confirmed or not. */
#define STATUS(confirmed)                                                                                              \
    RESULT("{\"office\":\"washington.example\",\"state\":\"ready\",\"reason\":null,\"version\":\"0.1.0\",\"lines\":["  \
           "{\"name\":\"talks\",\"id\":\"00\",\"confirmed\":" confirmed ",\"courier_key\":true,\"left\":false,"        \
           "\"inbox\":1,\"members\":[{\"party\":\"washington.example\",\"me\":true,\"size\":18,\"receipted\":18,"      \
           "\"waiting\":0,\"oldest\":null,\"links\":[]},{\"party\":\"pyongyang.example\",\"me\":false,\"size\":3,"     \
           "\"receipted\":18,\"waiting\":2,\"oldest\":\"2026-11-23T19:27:08Z\",\"forward_secrecy\":false,\"links\":["  \
           "{\"address\":\"tcp://127.0.0.1:7001\",\"stated\":\"open\",\"observed\":\"up\","                            \
           "\"since\":\"2026-11-23T19:27:08Z\"}]}]}],\"alarms\":[\"a clock runs backwards\"]}")

#endif
