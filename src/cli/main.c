/*
 * liaison: the command. Each subcommand is one file; this is the table of them.
 */
#include "cli/cli.h"

#include "seal/secret.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"init", command_init, "make an office: its keys, its store, its card"},
    {"unlock", command_unlock, "give a running, locked office its passphrase"},
    {"card", command_card, "print this office's card, for others to found a line with"},
    {"line", command_line, "found, join, compare, list and leave lines"},
    {"link", command_link, "say by which addresses another party is reached, and test them"},
    {"send", command_send, "send a message"},
    {"ack", command_acknowledge, "acknowledge messages: a person has seen them"},
    {"inbox", command_inbox, "show what waits for a person"},
    {"read", command_read, "show a line's messages"},
    {"hotline", command_hotline, "talk on a line, at a terminal"},
    {"status", command_status, "show the office, its lines and links"},
    {"record", command_record, "verify, prove and export the record"},
    {NULL, NULL, NULL},
};

/* A usage error must know of --json before the options are read. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct cli cli = {.json = asks_for_json(argc, argv)};
    struct error error = {0};
    enum exit_code exit = EXIT_DONE;

    if (seal_init(&error) != 0)
        return (int)output_error(&cli, EXIT_REFUSED, &error);
    exit = cli_dispatch(&cli, "liaison", commands, argc, argv);
    /* What was said to have been done must also have been told. */
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && exit == EXIT_DONE)
        exit = output_failure(&cli, EXIT_UNKNOWN, "system",
                              "the answer could not be written to standard output; what was to be done is done");
    return (int)exit;
}
