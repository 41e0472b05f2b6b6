#include "cli/arguments.h"

#include <stdio.h>
#include <string.h>

static enum exit_code print_commands(const char *title, const struct command *table)
{
    (void)printf("usage: %s [--office DIR] [--json] SUBCOMMAND ...\n\n", title);
    for (; table->name != NULL; table++)
        (void)printf("  %-12s %s\n", table->name, table->help);
    (void)printf(
        "\n  --office DIR the office's directory; else LIAISON_OFFICE, /var/lib/liaison if it exists, or the user's\n"
        "               data folder + \"/liaison\"\n"
        "  --json       facts and errors as JSON\n"
        "  --version    print the version\n"
        "\nEach has --help; liaison(1) has the rest.\n");
    return EXIT_DONE;
}

enum exit_code cli_dispatch(struct cli *cli, const char *title, const struct command *table, int argc, char **argv)
{
    bool help = false;
    bool version = false;
    int taken = arguments_read_leading(cli, title, argc, argv, &help, &version);

    if (taken < 0)
        return cli->exit;
    if (version) {
        (void)printf("liaison %s\n", LIAISON_VERSION);
        return EXIT_DONE;
    }
    if (help)
        return print_commands(title, table);
    if (taken == argc)
        return output_usage(cli, title, "a subcommand is missing");
    for (const struct command *command = table; command->name != NULL; command++)
        if (strcmp(command->name, argv[taken]) == 0)
            return command->run(cli, argc - taken, argv + taken);
    return output_usage(cli, title, "\"%s\" is no subcommand of %s", argv[taken], title);
}
