/*
 * The command line: options before or after operands, and the small values that stand in them.
 */
#ifndef LIAISON_CLI_ARGUMENTS_H
#define LIAISON_CLI_ARGUMENTS_H

#include "base/span.h"
#include "cli/cli.h"

#define ARGUMENT_LIST_MAX 64

struct argument_list {
    const char *item[ARGUMENT_LIST_MAX];
    size_t count;
};

enum argument_kind {
    ARGUMENT_FLAG, /* sets a bool */
    ARGUMENT_TEXT, /* sets a const char * */
    ARGUMENT_LIST, /* may be given more than once; fills a struct argument_list */
};

struct argument {
    const char *name; /* without its two dashes; NULL ends a table */
    char letter;      /* a short form, or 0 */
    enum argument_kind kind;
    void *value;
};

struct usage {
    const char *command;  /* "liaison send" */
    const char *synopsis; /* "LINE [-m TEXT|FILE|-] ..." */
    const char *help;     /* what it does, in lines */
    int operands_min, operands_max;
};

/* Reads a subcommand's command line: its own options from `table`, which may be NULL, and those that all take.
 * Fills cli->operand. False if the subcommand is over, because help was asked for or the command line is wrong;
 * cli->exit says which. */
bool arguments_read(struct cli *cli, int argc, char **argv, const struct usage *usage, const struct argument *table);
/* The same for a subcommand whose one option, which must be given, says where its answer goes: -o F. */
bool arguments_read_output(struct cli *cli, int argc, char **argv, const struct usage *usage, const char **path);
/* Reads only the options that stand before the first operand, which all subcommands take. Returns the number of
 * arguments taken, or -1 as above; `help` is set if help was asked for. */
int arguments_read_leading(struct cli *cli, const char *command, int argc, char **argv, bool *help, bool *version);

/* "30s", "500ms", "2m", "1h": at most a year. */
bool duration_parse(const char *text, uint64_t *us);
/* Whether this has the form of A/N: a party's name or its first label, '/', a number. */
bool entry_name_is_valid(const char *text);
/* Whether `word` is one of the words of a NULL-ended list. */
bool word_is_one_of(const char *word, const char *const *words);

#endif
