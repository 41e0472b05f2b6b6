#include "cli/terminal.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 1024

static int open_terminal(void)
{
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool terminal_is_attended(void)
{
    int terminal = isatty(STDERR_FILENO) ? open_terminal() : -1;

    if (terminal >= 0)
        (void)close(terminal);
    return terminal >= 0;
}

static void put(int terminal, const char *text)
{
    ssize_t written = write(terminal, text, strlen(text));

    (void)written; /* a question that cannot be shown gets no answer */
}

/* Reads a line without its line feed; -1 at the end of input, at a signal, or where the line is too long. */
static int read_line(int terminal, struct buffer *line)
{
    char byte = 0;

    while (line->size < ANSWER_MAX) {
        if (read(terminal, &byte, 1) != 1)
            return -1;
        if (byte == '\n')
            return 0;
        buffer_put(line, &byte, 1);
    }
    return -1;
}

bool terminal_confirm(const char *question)
{
    struct buffer shown = {0};
    struct buffer answer = {0};
    int terminal = open_terminal();
    bool yes = false;

    if (terminal < 0)
        return false;
    text_put_shown(&shown, span_of_string(question), false);
    put(terminal, buffer_string(&shown));
    put(terminal, " [y/N] ");
    if (read_line(terminal, &answer) == 0 && answer.size > 0)
        yes = answer.data[0] == 'y' || answer.data[0] == 'Y';
    buffer_free(&shown);
    buffer_free(&answer);
    (void)close(terminal);
    return yes;
}

static void interrupt_reading(int signal)
{
    (void)signal; /* its arrival ends read() with EINTR, and the terminal is set back */
}

int terminal_secret(const char *prompt, struct buffer *secret, struct error *error)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction before[4];
    struct sigaction quiet = {.sa_handler = interrupt_reading}; /* without SA_RESTART */
    struct termios shown;
    struct termios hidden;
    int terminal = open_terminal();
    int result = -1;

    if (terminal < 0 || tcgetattr(terminal, &shown) != 0) {
        if (terminal >= 0)
            (void)close(terminal);
        return error_set(error, ERROR_USAGE,
                         "there is no terminal to ask for a passphrase on; --passphrase-file F reads it from a file");
    }
    for (int i = 0; i < 4; i++)
        (void)sigaction(ends[i], &quiet, &before[i]);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    put(terminal, prompt);
    (void)tcsetattr(terminal, TCSAFLUSH, &hidden);
    result = read_line(terminal, secret);
    (void)tcsetattr(terminal, TCSAFLUSH, &shown);
    put(terminal, "\n");
    for (int i = 0; i < 4; i++)
        (void)sigaction(ends[i], &before[i], NULL);
    (void)close(terminal);
    return result == 0 ? 0 : error_set(error, ERROR_REFUSED, "no passphrase was given");
}
