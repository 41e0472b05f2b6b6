/*
 * liaison hotline: a conversation (conversation.h) on a terminal. Whatever waits, waits here: the keyboard, the daemon,
 * signals, the bell, the next attempt to reach a daemon that is gone. Each turn takes a bounded piece of each, keys
 * first.
 */
#include "cli/arguments.h"
#include "cli/columns.h"
#include "cli/conversation.h"
#include "cli/daemon.h"
#include "cli/keyboard.h"
#include "cli/keys.h"

#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_US UINT64_C(500000)
#define PAINT_US UINT64_C(40000) /* at most so often, but for keys */
#define PIECE 16384              /* bytes of the daemon that are taken before keys are looked for again */

static const struct usage usage = {
    .command = "liaison hotline",
    .synopsis = "LINE [--language TAG] [--exercise]",
    .help = "A conversation on a terminal: what the others say as it comes, and what you write below it.\n"
            "\n"
            "Type text, as many lines as you like. A line that is only . shows what would be sent; then send releases\n"
            "it, and anything else goes back to editing. Commands begin with /, and /help names them. Ctrl-D ends.\n"
            "\n"
            "  --language TAG  the language you write in, like en or ko\n"
            "  --exercise      all that you send is marked as an exercise\n",
    .operands_min = 1,
    .operands_max = 1,
};

struct hotline {
    const struct cli *cli;
    struct conversation conversation;
    struct daemon daemon;
    struct keyboard *keyboard;
    struct keys keys;
    bool pasted; /* the line that just ended */
    int signals;
    int ended_by;        /* a signal, or 0 */
    uint64_t retry_us;   /* when a daemon that is gone is sought again */
    uint64_t painted_us; /* when the screen was last drawn */
    bool dirty, typed;   /* something has changed; a key did it */
    struct buffer typing, output;
};

static void write_all(const struct buffer *output)
{
    size_t written = 0;

    while (written < output->size) {
        ssize_t size = write(STDOUT_FILENO, output->data + written, output->size - written);

        if (size < 0 && errno != EINTR)
            return; /* the terminal is gone; reading it says so */
        written += size > 0 ? (size_t)size : 0;
    }
}

static void paint(struct hotline *hotline)
{
    size_t cursor = 0;

    buffer_reset(&hotline->typing);
    buffer_reset(&hotline->output);
    cursor = keyboard_shown(hotline->keyboard, &hotline->typing);
    conversation_paint(&hotline->conversation, buffer_span(&hotline->typing), cursor, &hotline->output);
    write_all(&hotline->output);
    hotline->painted_us = monotonic_us();
    hotline->dirty = hotline->typed = false;
}

static void take_size(struct hotline *hotline)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        conversation_resize(&hotline->conversation, size.ws_row, size.ws_col);
    hotline->dirty = true;
}

/* --- the daemon -------------------------------------------------------------------------------------------------- */

static void lose_daemon(struct hotline *hotline)
{
    daemon_close(&hotline->daemon);
    conversation_lost(&hotline->conversation, monotonic_us());
    hotline->retry_us = monotonic_us() + RETRY_US;
    hotline->dirty = true;
}

static void seek_daemon(struct hotline *hotline)
{
    if (hotline->daemon.socket >= 0 || monotonic_us() < hotline->retry_us)
        return;
    if (daemon_open(&hotline->daemon, hotline->cli, NULL) != EXIT_DONE) {
        daemon_close(&hotline->daemon);
        hotline->retry_us = monotonic_us() + RETRY_US;
        return;
    }
    conversation_connected(&hotline->conversation, monotonic_us());
    hotline->dirty = true;
}

static void hear_daemon(struct hotline *hotline)
{
    uint8_t bytes[PIECE];
    ssize_t size = recv(hotline->daemon.socket, bytes, sizeof bytes, MSG_DONTWAIT);

    hotline->dirty = true;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0 || conversation_input(&hotline->conversation, span_of(bytes, (size_t)size), monotonic_us()) != 0)
        lose_daemon(hotline);
}

static void tell_daemon(struct hotline *hotline)
{
    struct buffer *output = &hotline->conversation.client.output;
    ssize_t sent = 0;

    if (hotline->daemon.socket < 0 || output->size == 0)
        return;
    sent = send(hotline->daemon.socket, output->data, output->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        buffer_drop(output, (size_t)sent);
    else if (errno != EAGAIN && errno != EINTR)
        lose_daemon(hotline);
}

/* --- the person -------------------------------------------------------------------------------------------------- */

/* False if the terminal is gone. */
static bool hear_keys(struct hotline *hotline)
{
    uint8_t bytes[4096];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);

    if (size > 0)
        keys_input(&hotline->keys, span_of(bytes, (size_t)size));
    hotline->dirty = hotline->typed = true;
    return size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN));
}

static void hear_signal(struct hotline *hotline)
{
    struct signalfd_siginfo signal;

    if (read(hotline->signals, &signal, sizeof signal) != (ssize_t)sizeof signal)
        return;
    if (signal.ssi_signo == SIGWINCH) {
        keyboard_resize(hotline->keyboard);
        take_size(hotline);
    } else if (signal.ssi_signo == SIGINT) {
        buffer_reset(&hotline->typing);
        (void)keyboard_shown(hotline->keyboard, &hotline->typing);
        conversation_interrupted(&hotline->conversation, hotline->typing.size > 0, monotonic_us());
        hotline->dirty = hotline->typed = true;
    } else {
        hotline->ended_by = (int)signal.ssi_signo;
    }
}

/* A character for the editor, if one is there; what is not for it is done here. */
static bool next_key(struct hotline *hotline, wchar_t *character)
{
    while (keys_next(&hotline->keys, character)) {
        if (hotline->conversation.question != QUESTION_NONE) {
            char key = *character < 128 ? (char)*character : '?';

            if (!conversation_answered(&hotline->conversation, key, monotonic_us()))
                continue;
            keys_restart(&hotline->keys);
            *character = KEYBOARD_EMPTY_LINE;
            return true;
        }
        if (*character == L'\f') {
            hotline->conversation.screen.known = false;
            continue;
        }
        if (*character == L'\n') {
            hotline->pasted = hotline->keys.line_pasted;
            keys_restart(&hotline->keys);
        }
        return true;
    }
    return false;
}

/* --- waiting ----------------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until when nothing need be done, in milliseconds for poll(). */
static int wait_ms(const struct hotline *hotline)
{
    uint64_t now = monotonic_us();
    uint64_t until = conversation_next(&hotline->conversation);

    if (hotline->daemon.socket < 0)
        until = earlier(until, hotline->retry_us);
    if (hotline->dirty)
        until = earlier(until, hotline->painted_us + PAINT_US);
    if (until <= now)
        return 0;
    return until - now > 60000000 ? 60000 : (int)((until - now + 999) / 1000);
}

/* One turn: waits until there is something, and takes a piece of it. False if the terminal is gone. */
static bool turn(struct hotline *hotline)
{
    short wanted = hotline->conversation.client.output.size > 0 ? POLLIN | POLLOUT : POLLIN;
    struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = hotline->signals, .events = POLLIN},
                              {.fd = hotline->daemon.socket, .events = wanted}};

    if (poll(polled, 3, wait_ms(hotline)) < 0 && errno != EINTR)
        return false;
    /* What was typed after Ctrl-C answers the question that this asks. */
    if (polled[1].revents != 0) {
        hear_signal(hotline);
        return true;
    }
    if (polled[0].revents != 0)
        return hear_keys(hotline);
    if ((polled[2].revents & ~POLLOUT) != 0)
        hear_daemon(hotline);
    tell_daemon(hotline);
    seek_daemon(hotline);
    if (monotonic_us() >= conversation_next(&hotline->conversation)) {
        conversation_step(&hotline->conversation, monotonic_us());
        hotline->dirty = true;
    }
    return true;
}

static bool wait_for_key(void *context, wchar_t *character)
{
    struct hotline *hotline = context;

    while (!next_key(hotline, character)) {
        if (hotline->conversation.ended || hotline->ended_by != 0)
            return false;
        if (hotline->typed || (hotline->dirty && monotonic_us() >= hotline->painted_us + PAINT_US))
            paint(hotline);
        if (!turn(hotline))
            return false;
    }
    hotline->dirty = hotline->typed = true;
    return true;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* One line after the other. */
static void talk(struct hotline *hotline)
{
    struct conversation *conversation = &hotline->conversation;
    struct buffer line = {0};
    struct buffer start = {0};
    uint8_t token[DRAFT_TOKEN_SIZE];

    while (!conversation->ended && hotline->ended_by == 0) {
        buffer_reset(&line);
        buffer_reset(&start);
        buffer_put_span(&start, buffer_span(&conversation->recall));
        buffer_reset(&conversation->recall);
        if (keyboard_line(hotline->keyboard, buffer_span(&start), &line)) {
            if (getrandom(token, sizeof token, 0) != (ssize_t)sizeof token)
                break;
            conversation_typed(conversation, buffer_span(&line), hotline->pasted, token, monotonic_us());
        } else if (keyboard_ended(hotline->keyboard)) {
            break;
        } else {
            conversation_quit(conversation);
        }
    }
    buffer_free(&start);
    buffer_free(&line);
}

/* From now on these signals make a descriptor readable. A hotline is not put to sleep. */
static int catch_signals(void)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    sigset_t signals;

    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        (void)sigaddset(&signals, caught[i]);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGTSTP, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Whoever ends the program from outside does not throw the draft away: it is left on the terminal. */
static void leave_draft(const struct hotline *hotline)
{
    struct span text = draft_text(&hotline->conversation.draft);

    if (hotline->ended_by == 0 || text.size == 0)
        return;
    (void)fprintf(stderr, "liaison: ended by a signal. This draft was not sent:\n");
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        struct buffer line = {0};

        (void)columns_put_shown(&line, span_of(text.data, size));
        (void)fprintf(stderr, "%s\n", buffer_string(&line));
        buffer_free(&line);
        text = span_from(text, size + 1);
    }
}

/* Finds the line, so that what is wrong is said before the screen is taken. */
static enum exit_code find_line(struct hotline *hotline, struct error *error)
{
    const char *line = hotline->cli->operand[0];
    enum exit_code exit = daemon_open(&hotline->daemon, hotline->cli, error);
    json_t *status = NULL;

    if (exit == EXIT_DONE)
        status = daemon_call(&hotline->daemon, "status", json_object(), &exit, error);
    if (exit == EXIT_DONE && !conversation_open(&hotline->conversation, line, status)) {
        const char *state = json_string_value(json_object_get(status, "state"));
        const char *reason = json_string_value(json_object_get(status, "reason"));

        if (json_array_size(json_object_get(status, "lines")) == 0 && reason != NULL)
            (void)error_set(error, ERROR_REFUSED, "the office is %s: %s", state != NULL ? state : "not ready", reason);
        (void)error_set(error, ERROR_NOT_FOUND, "there is no line %s here", line);
        exit = EXIT_REFUSED;
    }
    json_decref(status);
    daemon_close(&hotline->daemon);
    return exit;
}

static enum exit_code check_terminal(const struct cli *cli)
{
    const char *terminal = getenv("TERM");

    if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return output_usage(cli, usage.command,
                            "the hotline is for a person at a terminal; programs use liaison send and liaison read");
    if (terminal == NULL || strcmp(terminal, "") == 0 || strcmp(terminal, "dumb") == 0)
        return output_usage(cli, usage.command, "this terminal cannot move its cursor, says the environment's TERM");
    if (!columns_locale())
        return output_failure(cli, EXIT_REFUSED, "system", "there is no locale of UTF-8 on this machine");
    return EXIT_DONE;
}

/* On the terminal, until the person or a signal ends it. */
static enum exit_code run(struct hotline *hotline)
{
    struct error error = {0};

    hotline->signals = catch_signals();
    hotline->keyboard = keyboard_open(wait_for_key, hotline, &error);
    if (hotline->signals < 0 || hotline->keyboard == NULL) {
        keyboard_close(hotline->keyboard);
        (void)error_set(&error, ERROR_SYSTEM, "signals cannot be waited for");
        return output_error(hotline->cli, EXIT_REFUSED, &error);
    }
    screen_begin(&hotline->output);
    write_all(&hotline->output);
    take_size(hotline);
    seek_daemon(hotline);
    talk(hotline);
    buffer_reset(&hotline->output);
    screen_end(&hotline->conversation.screen, &hotline->output);
    write_all(&hotline->output);
    keyboard_close(hotline->keyboard);
    (void)close(hotline->signals);
    leave_draft(hotline);
    return EXIT_DONE;
}

enum exit_code command_hotline(struct cli *cli, int argc, char **argv)
{
    struct hotline *hotline = NULL;
    struct error error = {0};
    const char *language = NULL;
    bool exercise = false;
    const struct argument options[] = {
        {"language", 0, ARGUMENT_TEXT, &language}, {"exercise", 0, ARGUMENT_FLAG, &exercise}, {0}};
    enum exit_code exit = EXIT_DONE;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (language != NULL && !text_is_language_tag(span_of_string(language)))
        return output_usage(cli, usage.command, "\"%s\" is no language tag, like en or zh-Hans", language);
    hotline = calloc(1, sizeof *hotline);
    if (hotline == NULL)
        return output_failure(cli, EXIT_REFUSED, "system", "out of memory");
    hotline->cli = cli;
    hotline->daemon.socket = hotline->signals = -1;
    if (language != NULL)
        (void)snprintf(hotline->conversation.draft.language, sizeof hotline->conversation.draft.language, "%s",
                       language);
    hotline->conversation.draft.exercise = exercise;
    exit = find_line(hotline, &error);
    if (exit != EXIT_DONE)
        (void)output_error(cli, exit, &error);
    else if ((exit = check_terminal(cli)) == EXIT_DONE)
        exit = run(hotline);
    conversation_free(&hotline->conversation);
    daemon_close(&hotline->daemon);
    keys_free(&hotline->keys);
    buffer_free(&hotline->typing);
    buffer_free(&hotline->output);
    free(hotline);
    return exit;
}
