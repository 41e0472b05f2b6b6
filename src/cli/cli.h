/*
 * What all subcommands share: exit codes, the options every one of them takes, and the tables they stand in.
 *
 * A subcommand is a function that reads its own command line, does its work, and returns an exit code; it has then
 * said on stderr what went wrong. What it prints on stdout is facts, and only when it succeeds.
 */
#ifndef LIAISON_CLI_CLI_H
#define LIAISON_CLI_CLI_H

#include "base/error.h"
#include "cli/output.h"

#include <stdbool.h>
#include <stddef.h>

struct cli {
    const char *office; /* --office, or NULL */
    bool json;          /* --json */
    int operand_count;  /* from arguments_read() */
    char **operand;
    enum exit_code exit; /* why arguments_read() or daemon_ask() ended the command */
};

struct command {
    const char *name;
    enum exit_code (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the name */
    const char *help;                                              /* one line */
};

/* Finds the subcommand in argv and runs it. `title` is what stands before its name: "liaison", "liaison line".
 * The table ends with a NULL name. */
enum exit_code cli_dispatch(struct cli *cli, const char *title, const struct command *table, int argc, char **argv);

enum exit_code command_init(struct cli *cli, int argc, char **argv);
enum exit_code command_unlock(struct cli *cli, int argc, char **argv);
enum exit_code command_card(struct cli *cli, int argc, char **argv);
enum exit_code command_line(struct cli *cli, int argc, char **argv);
enum exit_code command_line_found(struct cli *cli, int argc, char **argv);
enum exit_code command_link(struct cli *cli, int argc, char **argv);
enum exit_code command_link_stdio(struct cli *cli, int argc, char **argv);
enum exit_code command_send(struct cli *cli, int argc, char **argv);
enum exit_code command_acknowledge(struct cli *cli, int argc, char **argv);
enum exit_code command_inbox(struct cli *cli, int argc, char **argv);
enum exit_code command_hotline(struct cli *cli, int argc, char **argv);
enum exit_code command_read(struct cli *cli, int argc, char **argv);
enum exit_code command_status(struct cli *cli, int argc, char **argv);
enum exit_code command_record_disclose(struct cli *cli, int argc, char **argv);
enum exit_code command_record(struct cli *cli, int argc, char **argv);

#endif
