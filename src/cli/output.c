#include "cli/output.h"

#include "base/text.h"
#include "cli/cli.h"
#include "control/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum exit_code output_exit_of(const struct error *error)
{
    switch (error->code) {
    case ERROR_USAGE:
        return EXIT_USAGE;
    case ERROR_STORAGE:
        return EXIT_UNKNOWN;
    default:
        return EXIT_REFUSED;
    }
}

/* One line on stderr, in one write, so that lines of several processes do not mix. */
static void __attribute__((format(printf, 4, 0)))
say(const struct cli *cli, const char *kind, const char *word, const char *format, va_list arguments)
{
    char *sentence = NULL;
    struct buffer shown = {0};
    struct buffer line = {0};
    json_t *value = NULL;

    if (vasprintf(&sentence, format, arguments) < 0)
        return;
    text_put_shown(&shown, span_of_string(sentence), false);
    if (cli->json) {
        value = json_pack("{s:{s:s, s:s}}", kind, "code", word, "message", buffer_string(&shown));
        control_put_json(&line, value);
        buffer_put(&line, "\n", 1);
        json_decref(value);
    } else {
        buffer_print(&line, "liaison: %s\n", buffer_string(&shown));
    }
    (void)fflush(stdout);
    (void)fputs(buffer_string(&line), stderr);
    buffer_free(&line);
    buffer_free(&shown);
    free(sentence);
}

enum exit_code output_failure(const struct cli *cli, enum exit_code exit, const char *word, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(cli, "error", word, format, arguments);
    va_end(arguments);
    return exit;
}

enum exit_code output_error(const struct cli *cli, enum exit_code exit, const struct error *error)
{
    const char *word = exit == EXIT_NO_DAEMON ? "no-daemon" : error_code_name(error->code);

    return output_failure(cli, exit, word, "%s", error->message);
}

enum exit_code output_usage(const struct cli *cli, const char *command, const char *format, ...)
{
    char sentence[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return output_failure(cli, EXIT_USAGE, "usage", "%s (see: %s --help)", sentence, command);
}

void output_note(const struct cli *cli, const char *word, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(cli, "note", word, format, arguments);
    va_end(arguments);
}

void output_done(const struct cli *cli, json_t *facts, const char *format, ...)
{
    char *sentence = NULL;
    struct buffer shown = {0};
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&sentence, format, arguments) < 0)
        sentence = NULL;
    va_end(arguments);
    if (cli->json) {
        output_json(facts);
    } else if (sentence != NULL) {
        text_put_shown(&shown, span_of_string(sentence), false);
        buffer_print(&shown, "\n");
        output_text(&shown);
    }
    buffer_free(&shown);
    free(sentence);
    json_decref(facts);
}

void output_not_compared(const struct cli *cli, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "name"));

    if (name != NULL && !json_is_true(json_object_get(line, "confirmed")))
        output_note(cli, "not-compared",
                    "%s: NOT COMPARED: someone may sit between (compare: liaison line fingerprint %s)", name, name);
}

void output_text(struct buffer *text)
{
    (void)fwrite(buffer_string(text), 1, text->size, stdout);
    buffer_reset(text);
}

void output_json(const json_t *value)
{
    size_t flags =
        JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6) | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0u);

    (void)json_dumpf(value, stdout, flags);
    (void)fputc('\n', stdout);
}

void output_put_shown(struct buffer *text, const json_t *string)
{
    if (json_is_string(string))
        text_put_shown(text, span_of(json_string_value(string), json_string_length(string)), false);
    else
        buffer_put(text, "-", 1);
}

void output_entry_name(const struct cli *cli, const json_t *result)
{
    struct buffer text = {0};

    if (cli->json) {
        output_json(result);
        return;
    }
    output_put_shown(&text, json_object_get(result, "author"));
    buffer_print(&text, "/%lld\n", (long long)json_integer_value(json_object_get(result, "number")));
    output_text(&text);
    buffer_free(&text);
}
