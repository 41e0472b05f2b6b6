#include "cli/arguments.h"
#include "cli/daemon.h"

#include <stdio.h>

static const struct usage usage = {
    .command = "liaison ack",
    .synopsis = "LINE A/N... [--as duty-officer|principal]",
    .help = "Acknowledges messages: says to the others, signed, that a person has seen them. Prints the number of the\n"
            "acknowledgement itself.\n",
    .operands_min = 2,
    .operands_max = 65,
};

enum exit_code command_acknowledge(struct cli *cli, int argc, char **argv)
{
    static const char *const roles[] = {"duty-officer", "principal", NULL};
    const char *as = roles[0];
    const struct argument options[] = {{"as", 0, ARGUMENT_TEXT, &as}, {0}};
    json_t *entries = NULL;
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (!word_is_one_of(as, roles))
        return output_usage(cli, usage.command, "--as is duty-officer or principal, not \"%s\"", as);
    for (int i = 1; i < cli->operand_count; i++)
        if (!entry_name_is_valid(cli->operand[i]))
            return output_usage(cli, usage.command, "\"%s\" is not of the form A/N, like washington/17",
                                cli->operand[i]);
    entries = json_array();
    for (int i = 1; i < cli->operand_count; i++)
        (void)json_array_append_new(entries, json_string(cli->operand[i]));
    result = daemon_ask(cli, "acknowledge",
                        json_pack("{s:s, s:o, s:s}", "line", cli->operand[0], "entries", entries, "as", as));
    if (result != NULL)
        output_entry_name(cli, result);
    json_decref(result);
    return cli->exit;
}
