/*
 * What leaves the program: facts on stdout, errors on stderr, and the exit code. Scripts rely on all three
 * (liaison(1)). Text that may come from outside is made harmless before a person's terminal sees it.
 */
#ifndef LIAISON_CLI_OUTPUT_H
#define LIAISON_CLI_OUTPUT_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* nothing changed */
    EXIT_USAGE = 2,
    EXIT_WAITING = 3, /* recorded, but the wait ended before what was waited for */
    EXIT_NO_DAEMON = 4,
    EXIT_UNKNOWN = 5, /* it is not known whether it was done */
    EXIT_UNVERIFIED = 6,
};

struct cli;

/* Says on stdout what was done and what comes next: the sentence, or with --json `facts`, an object, which is taken
 * over either way. */
void output_done(const struct cli *cli, json_t *facts, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The exit code for an error that a daemon answered or that came up here. */
enum exit_code output_exit_of(const struct error *error);
/* Says on stderr what is wrong, as `liaison: SENTENCE` or {"error":{"code":WORD,"message":SENTENCE}}. Returns `exit`,
 * so that a subcommand can end with it. */
enum exit_code output_failure(const struct cli *cli, enum exit_code exit, const char *word, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a filled error. */
enum exit_code output_error(const struct cli *cli, enum exit_code exit, const struct error *error);
/* A usage error; the sentence ends with where help is. `command` is "liaison send". */
enum exit_code output_usage(const struct cli *cli, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Something a person must be told, on stderr, that is no error. */
void output_note(const struct cli *cli, const char *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "NOT COMPARED", if `line` of the daemon's status has not been confirmed. */
void output_not_compared(const struct cli *cli, const json_t *line);

/* Writes to stdout; a failure is kept by stdio and reported by main(). */
void output_text(struct buffer *text);
/* One value in one line. On a terminal everything but ASCII is escaped: what others wrote stays harmless. */
void output_json(const json_t *value);

/* The number an entry got, "washington.example/17", or the result as it is if --json. */
void output_entry_name(const struct cli *cli, const json_t *result);

/* Appends a string of JSON, made harmless; "-" if it is none. */
void output_put_shown(struct buffer *text, const json_t *string);

#endif
