#include "cli/terminal.h"

#include "test.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Runs `asked` in a process that has a terminal, types `typed` when a prompt has come, and gives the exit code and
 * everything that was on the screen. */
static int at_terminal(int (*asked)(void), const char *typed, char screen[static 1024])
{
    size_t size = 0;
    int terminal = -1;
    int status = 0;
    ssize_t got = 1;
    bool has_typed = false;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);

    if (child == 0) {
        alarm(10);
        _exit(asked());
    }
    while (got > 0 && size < 1023) {
        got = read(terminal, screen + size, 1023 - size);
        size += got > 0 ? (size_t)got : 0;
        screen[size] = '\0';
        /* The prompt stands before the echo is switched off. */
        if (!has_typed && strpbrk(screen, ":]") != NULL) {
            usleep(100000);
            has_typed = write(terminal, typed, strlen(typed)) > 0;
        }
    }
    waitpid(child, &status, 0);
    close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0: it was "hidden words" and the terminal shows again what is typed. */
static int ask_secret(void)
{
    struct buffer secret = {0};
    struct error error = {0};
    struct termios settings;

    if (terminal_secret("Passphrase: ", &secret, &error) != 0)
        return 1;
    if (tcgetattr(0, &settings) != 0 || (settings.c_lflag & ECHO) == 0)
        return 2;
    return strcmp(buffer_string(&secret), "hidden words") == 0 ? 0 : 3;
}

/* 0: it gave up, with the terminal as before. */
static int ask_secret_in_vain(void)
{
    struct buffer secret = {0};
    struct error error = {0};
    struct termios settings;

    if (terminal_secret("Passphrase: ", &secret, &error) == 0 || error.code != ERROR_REFUSED)
        return 1;
    return tcgetattr(0, &settings) == 0 && (settings.c_lflag & ECHO) != 0 ? 0 : 2;
}

static int ask_yes(void)
{
    return terminal_confirm("Send?") ? 0 : 1;
}

static char screen[1024];

static void a_secret_is_read_and_not_shown(void)
{
    CHECK(at_terminal(ask_secret, "hidden words\n", screen) == 0);
    CHECK(strstr(screen, "Passphrase: ") != NULL && strstr(screen, "hidden") == NULL);
}

static void an_interrupt_gives_the_terminal_back(void)
{
    CHECK(at_terminal(ask_secret_in_vain, "hid\x03", screen) == 0);
    CHECK(at_terminal(ask_secret_in_vain, "\x04", screen) == 0);
}

static void only_yes_is_yes(void)
{
    CHECK(at_terminal(ask_yes, "y\n", screen) == 0);
    CHECK(at_terminal(ask_yes, "YES\n", screen) == 0);
    CHECK(at_terminal(ask_yes, "\n", screen) == 1);
    CHECK(at_terminal(ask_yes, "no\n", screen) == 1);
    CHECK(at_terminal(ask_yes, "\x04", screen) == 1);
}

static void without_a_terminal_nothing_is_asked(void)
{
    struct buffer secret = {0};
    struct error error = {0};
    int status = 0;

    if (fork() == 0) {
        setsid();
        _exit(!terminal_is_attended() && !terminal_confirm("Send?") &&
                      terminal_secret("Passphrase: ", &secret, &error) == -1 && error.code == ERROR_USAGE
                  ? 0
                  : 1);
    }
    wait(&status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    RUN(a_secret_is_read_and_not_shown);
    RUN(an_interrupt_gives_the_terminal_back);
    RUN(only_yes_is_yes);
    RUN(without_a_terminal_nothing_is_asked);
    return test_end();
}
