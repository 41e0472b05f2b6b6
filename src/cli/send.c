/*
 * liaison send. The message carries a token, so that a connection lost in the middle can be followed by the same
 * request: the daemon gives the same number again, and nothing is sent twice.
 */
#include "base/text.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/file.h"
#include "cli/status.h"
#include "cli/terminal.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE_MAX 60000
#define TOKEN_SIZE 16
#define RECONNECT_US (5 * SECOND_US)
/* However short the wait is to be, the daemon gets this long to answer: its disk, not the others, takes it. */
#define ANSWER_US (10 * SECOND_US)

static const struct usage usage = {
    .command = "liaison send",
    .synopsis = "LINE [-m TEXT|FILE|-] [--precedence flash|immediate|priority|routine] [--language TAG]\n"
                "                    [--answers A/N] [--exercise] [--wait recorded|stored|acknowledged]\n"
                "                    [--timeout 30s] [--token T] [--yes]",
    .help =
        "Sends a message of 1 to 60,000 bytes of UTF-8, which is kept exactly, and prints its number. Without -m and\n"
        "FILE the text is read from stdin.\n"
        "\n"
        "  -m, --message TEXT  the text itself\n"
        "  --precedence WORD   routine if not given; flash asks on a terminal\n"
        "  --language TAG      the text's language, like en or ko\n"
        "  --answers A/N       the message that this one answers, like washington/17\n"
        "  --exercise          says that this is an exercise\n"
        "  --wait WORD         recorded (the default): numbered and durable here. stored: durable at every other\n"
        "                      party. acknowledged: a person at every other party has seen it\n"
        "  --timeout TIME      how long to wait for that, like 500ms, 30s, 5m, 1h (default: 30s)\n"
        "  --token T           32 hexadecimal digits; the same token with the same text is never sent twice\n"
        "  --yes               do not ask\n",
    .operands_min = 1,
    .operands_max = 2,
};

static const char *const precedences[] = {"routine", "priority", "immediate", "flash", NULL};
static const char *const waits[] = {"recorded", "stored", "acknowledged", NULL};

struct sending {
    const struct cli *cli;
    const char *line, *message, *precedence, *language, *answers, *wait, *timeout, *token;
    bool exercise, yes;
    bool arrived; /* it is stored at all those for whom the wait goes on: what is missing is a person */
    char made_token[TOKEN_SIZE * 2 + 1];
    struct buffer text;
    uint64_t deadline_us;
    struct daemon daemon;
    json_t *status;
    json_t *parties; /* the members' names */
    json_t *number;  /* {"author", "number"}: recorded */
};

/* People write FLASH, as it is shown to them; requests and entries have it in small letters. */
static const char *precedence_of(const char *word)
{
    for (size_t i = 0; word != NULL && precedences[i] != NULL; i++) {
        const char *letter = precedences[i];
        size_t at = 0;

        while (letter[at] != 0 && (word[at] == letter[at] || word[at] == letter[at] - 'a' + 'A'))
            at++;
        if (letter[at] == 0 && word[at] == 0)
            return letter;
    }
    return word;
}

static enum exit_code check_words(const struct sending *sending)
{
    const struct cli *cli = sending->cli;
    uint8_t token[TOKEN_SIZE];
    uint64_t timeout = 0;

    if (sending->precedence != NULL && !word_is_one_of(sending->precedence, precedences))
        return output_usage(cli, usage.command, "--precedence is flash, immediate, priority or routine, not \"%s\"",
                            sending->precedence);
    if (!word_is_one_of(sending->wait, waits))
        return output_usage(cli, usage.command, "--wait is recorded, stored or acknowledged, not \"%s\"",
                            sending->wait);
    if (!duration_parse(sending->timeout, &timeout))
        return output_usage(cli, usage.command, "--timeout is a number with ms, s, m or h, like 30s, not \"%s\"",
                            sending->timeout);
    if (sending->language != NULL && !text_is_language_tag(span_of_string(sending->language)))
        return output_usage(cli, usage.command, "\"%s\" is no language tag, like en or zh-Hans", sending->language);
    if (sending->answers != NULL && !entry_name_is_valid(sending->answers))
        return output_usage(cli, usage.command, "\"%s\" is not of the form A/N, like washington/17", sending->answers);
    if (sending->token != NULL && !text_from_hex(span_of_string(sending->token), token, sizeof token))
        return output_usage(cli, usage.command, "--token is 32 hexadecimal digits, not \"%s\"", sending->token);
    if (sending->message != NULL && cli->operand_count > 1)
        return output_usage(cli, usage.command, "the text is given twice: with -m and as \"%s\"", cli->operand[1]);
    return EXIT_DONE;
}

/* `where` is how sentences call the text. */
static int check_text(const struct sending *sending, const char *where, struct error *error)
{
    struct span text = buffer_span(&sending->text);

    if (buffer_failed(&sending->text))
        return error_set(error, ERROR_SYSTEM, "out of memory");
    if (text.size == 0)
        return error_set(error, ERROR_INVALID, "%s is empty; nothing was sent", where);
    if (text.size > TEXT_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "%s has more than %d bytes; nothing was sent. Send it in parts", where,
                         TEXT_SIZE_MAX);
    if (!text_is_utf8(text))
        return error_set(error, ERROR_INVALID, "%s is not a text in UTF-8; nothing was sent", where);
    return 0;
}

static int read_text(struct sending *sending, struct error *error)
{
    const char *file = sending->cli->operand_count > 1 ? sending->cli->operand[1] : "-";
    bool typed = sending->message == NULL && strcmp(file, "-") == 0 && isatty(STDIN_FILENO) != 0;

    if (typed && terminal_is_attended())
        (void)fprintf(stderr, "Type the text; Ctrl-D at the start of a line ends it.\n");
    if (sending->message != NULL)
        buffer_put_span(&sending->text, span_of_string(sending->message));
    else if (file_read(file, TEXT_SIZE_MAX, &sending->text, error) != 0)
        return -1;
    return check_text(sending,
                      sending->message != NULL ? "the text of -m"
                      : strcmp(file, "-") == 0 ? "standard input"
                                               : file,
                      error);
}

/* Takes the token given, or makes one. */
static int choose_token(struct sending *sending, struct error *error)
{
    struct buffer text = {0};
    uint8_t random[TOKEN_SIZE];

    if (sending->token != NULL)
        return 0;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_set(error, ERROR_SYSTEM, "the system gives no random bytes: %s", strerror(errno));
    text_put_hex(&text, span_of(random, sizeof random));
    memcpy(sending->made_token, buffer_string(&text), text.size < TOKEN_SIZE * 2 ? text.size : TOKEN_SIZE * 2);
    sending->token = sending->made_token;
    buffer_free(&text);
    return 0;
}

static json_t *append_params(const struct sending *sending)
{
    json_t *entry = json_pack("{s:s%, s:s, s:s*, s:s*, s:s*}", "text", sending->text.data, sending->text.size, "token",
                              sending->token, "precedence", sending->precedence, "language", sending->language,
                              "answers", sending->answers);

    if (sending->exercise)
        (void)json_object_set_new(entry, "exercise", json_true());
    return json_pack("{s:s, s:[o]}", "line", sending->line, "entries", entry);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Connects, learns who is on the line, and subscribes where there is something to wait for. */
static enum exit_code open_line(struct sending *sending, struct error *error)
{
    enum exit_code exit = daemon_open(&sending->daemon, sending->cli, error);
    json_t *status = NULL;
    json_t *subscribed = NULL;

    sending->daemon.deadline_us = later(sending->deadline_us, monotonic_us() + ANSWER_US);
    if (exit == EXIT_DONE)
        status = daemon_call(&sending->daemon, "status", json_object(), &exit, error);
    if (exit == EXIT_DONE && strcmp(sending->wait, "recorded") != 0)
        subscribed =
            daemon_call(&sending->daemon, "subscribe", json_pack("{s:s}", "line", sending->line), &exit, error);
    json_decref(subscribed);
    json_decref(sending->status);
    sending->status = status;
    return exit;
}

/* The connection ended before the answer: once more, on a new one, as soon as there is a daemon again. Whatever goes
 * wrong now, the first request may have been recorded. */
static json_t *append_again(struct sending *sending, enum exit_code *exit, struct error *error)
{
    uint64_t limit = monotonic_us() + RECONNECT_US;
    json_t *result = NULL;

    do {
        *error = (struct error){0};
        daemon_close(&sending->daemon);
        *exit = open_line(sending, error);
        if (*exit == EXIT_NO_DAEMON)
            (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    } while (*exit == EXIT_NO_DAEMON && monotonic_us() < limit);
    if (*exit == EXIT_DONE)
        result = daemon_call(&sending->daemon, "append", append_params(sending), exit, error);
    if (result == NULL)
        *exit = EXIT_UNKNOWN;
    return result;
}

static enum exit_code append(struct sending *sending, struct error *error)
{
    enum exit_code exit = open_line(sending, error);
    json_t *result = NULL;

    if (exit != EXIT_DONE)
        return exit;
    result = daemon_call(&sending->daemon, "append", append_params(sending), &exit, error);
    if (result == NULL && sending->daemon.lost)
        result = append_again(sending, &exit, error);
    sending->number = json_incref(json_array_get(json_object_get(result, "entries"), 0));
    json_decref(result);
    return exit;
}

/* What has become of it: the entry as the daemon shows it now. */
static json_t *fetch_entry(struct sending *sending, struct error *error)
{
    enum exit_code exit = EXIT_DONE;
    char from[96];
    json_t *result = NULL;
    json_t *entry = NULL;

    sending->daemon.deadline_us = monotonic_us() + ANSWER_US;
    (void)snprintf(from, sizeof from, "%s/%lld", json_string_value(json_object_get(sending->number, "author")),
                   (long long)json_integer_value(json_object_get(sending->number, "number")));
    result = daemon_call(&sending->daemon, "entries",
                         json_pack("{s:s, s:s, s:i}", "line", sending->line, "from", from, "limit", 1), &exit, error);
    entry = json_incref(json_array_get(json_object_get(result, "entries"), 0));
    json_decref(result);
    return entry;
}

static bool is_listed(const json_t *list, const char *party)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *by = json_string_value(json_object_get(json_array_get(list, i), "by"));

        if (by != NULL && strcmp(by, party) == 0)
            return true;
    }
    return false;
}

static const char *author_of(const struct sending *sending)
{
    const char *author = json_string_value(json_object_get(sending->number, "author"));

    return author != NULL ? author : "";
}

/* Appends the names of those for whom the wait goes on, "a, b"; nothing if it is over. Notes whether they all have the
 * message on their disks. */
static void put_missing(struct sending *sending, const json_t *entry, struct buffer *missing)
{
    const json_t *list = json_object_get(entry, sending->wait);

    sending->arrived = json_array_size(sending->parties) > 0;
    for (size_t i = 0; i < json_array_size(sending->parties); i++) {
        const char *party = json_string_value(json_array_get(sending->parties, i));

        if (strcmp(party, author_of(sending)) == 0 || is_listed(list, party))
            continue;
        sending->arrived &= is_listed(json_object_get(entry, "stored"), party);
        buffer_print(missing, "%s", missing->size > 0 ? ", " : "");
        status_put_party(sending->parties, party, missing);
    }
    if (json_array_size(sending->parties) == 0)
        buffer_print(missing, "the others");
}

/* Waits for the receipts or acknowledgements of all the others. True when they are there; else `missing` says whose
 * are not. */
static bool wait_for_others(struct sending *sending, struct buffer *missing)
{
    struct error error = {0};
    int received = 1;

    while (received == 1) {
        json_t *entry = fetch_entry(sending, &error);
        json_t *event = NULL;

        /* Without an answer nothing new is known. */
        if (entry != NULL || missing->size == 0) {
            buffer_reset(missing);
            put_missing(sending, entry, missing);
        }
        json_decref(entry);
        if (missing->size == 0)
            return true;
        sending->daemon.deadline_us = sending->deadline_us;
        received = daemon_event(&sending->daemon, &event, &error);
        json_decref(event);
    }
    return false;
}

/* After it was recorded: says its number, then waits. */
static enum exit_code finish(struct sending *sending)
{
    struct buffer missing = {0};
    struct buffer author = {0};
    long long number = (long long)json_integer_value(json_object_get(sending->number, "number"));
    enum exit_code exit = EXIT_DONE;

    sending->parties = status_parties(status_line(sending->status, sending->line));
    output_entry_name(sending->cli, sending->number);
    (void)fflush(stdout);
    output_not_compared(sending->cli, status_line(sending->status, sending->line));
    status_put_party(sending->parties, author_of(sending), &author);
    if (strcmp(sending->wait, "recorded") != 0 && !wait_for_others(sending, &missing))
        exit = output_failure(sending->cli, EXIT_WAITING, "waiting",
                              "Recorded as %s/%lld. Not %s at %s yet; %s. Do not send it again.",
                              buffer_string(&author), number, sending->wait, buffer_string(&missing),
                              sending->arrived ? "it is stored there" : "it goes by itself");
    if (exit == EXIT_DONE && ferror(stdout) != 0)
        exit = output_failure(sending->cli, EXIT_UNKNOWN, "system",
                              "recorded as %s/%lld, but that could not be written to standard output. Do not send it "
                              "again",
                              buffer_string(&author), number);
    buffer_free(&missing);
    buffer_free(&author);
    return exit;
}

static bool is_confirmed_by_person(const struct sending *sending)
{
    char question[128];

    if (sending->yes || sending->precedence == NULL || strcmp(sending->precedence, "flash") != 0 ||
        !terminal_is_attended())
        return true;
    (void)snprintf(question, sizeof question, "Send this as FLASH on %.40s? It wakes people on the other side.",
                   sending->line);
    return terminal_confirm(question);
}

static enum exit_code run(struct sending *sending)
{
    struct error error = {0};
    enum exit_code exit = check_words(sending);
    uint64_t timeout = 0;

    if (exit != EXIT_DONE)
        return exit;
    if (read_text(sending, &error) != 0 || choose_token(sending, &error) != 0)
        return output_error(sending->cli, EXIT_REFUSED, &error);
    if (!is_confirmed_by_person(sending))
        return output_failure(sending->cli, EXIT_REFUSED, "refused", "not sent");
    (void)duration_parse(sending->timeout, &timeout);
    sending->deadline_us = monotonic_us() + timeout;
    exit = append(sending, &error);
    if (exit == EXIT_UNKNOWN)
        return output_failure(sending->cli, exit, error_code_name(error.code),
                              "%s; it is not known whether the message was recorded. To try again without sending it "
                              "twice, use --token %s",
                              error.message, sending->token);
    return exit == EXIT_DONE ? finish(sending) : output_error(sending->cli, exit, &error);
}

enum exit_code command_send(struct cli *cli, int argc, char **argv)
{
    struct sending sending = {.cli = cli, .wait = waits[0], .timeout = "30s", .daemon = {.socket = -1}};
    const struct argument options[] = {
        {"message", 'm', ARGUMENT_TEXT, &sending.message}, {"precedence", 0, ARGUMENT_TEXT, &sending.precedence},
        {"language", 0, ARGUMENT_TEXT, &sending.language}, {"answers", 0, ARGUMENT_TEXT, &sending.answers},
        {"exercise", 0, ARGUMENT_FLAG, &sending.exercise}, {"wait", 0, ARGUMENT_TEXT, &sending.wait},
        {"timeout", 0, ARGUMENT_TEXT, &sending.timeout},   {"token", 0, ARGUMENT_TEXT, &sending.token},
        {"yes", 'y', ARGUMENT_FLAG, &sending.yes},         {0},
    };
    enum exit_code exit = EXIT_DONE;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    sending.line = cli->operand[0];
    sending.precedence = precedence_of(sending.precedence);
    exit = run(&sending);
    daemon_close(&sending.daemon);
    buffer_free(&sending.text);
    json_decref(sending.parties);
    json_decref(sending.number);
    json_decref(sending.status);
    return exit;
}
