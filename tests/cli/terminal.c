#include "cli/terminal.h"

#include "person.h"

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

#define TYPED(...) ((const char *const[]){__VA_ARGS__, NULL})

static char screen[2048];

static void a_secret_is_read_and_not_shown(void)
{
    CHECK(at_terminal(ask_secret, TYPED("hidden words\n"), screen) == 0);
    CHECK(strstr(screen, "Passphrase: ") != NULL && strstr(screen, "hidden") == NULL);
}

static void an_interrupt_gives_the_terminal_back(void)
{
    CHECK(at_terminal(ask_secret_in_vain, TYPED("hid\x03"), screen) == 0);
    CHECK(at_terminal(ask_secret_in_vain, TYPED("\x04"), screen) == 0);
}

static void only_yes_is_yes(void)
{
    CHECK(at_terminal(ask_yes, TYPED("y\n"), screen) == 0);
    CHECK(at_terminal(ask_yes, TYPED("YES\n"), screen) == 0);
    CHECK(at_terminal(ask_yes, TYPED("\n"), screen) == 1);
    CHECK(at_terminal(ask_yes, TYPED("no\n"), screen) == 1);
    CHECK(at_terminal(ask_yes, TYPED("\x04"), screen) == 1);
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
