#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/status.h"

#include <stdio.h>

static const struct usage usage = {
    .command = "liaison ack",
    .synopsis = "LINE A/N... [--as duty-officer|principal]",
    .help = "Acknowledges messages: says to the others, signed, that a person has seen them. Prints the name of the\n"
            "acknowledgement itself. What was acknowledged before in the same role is not acknowledged again.\n"
            "\n"
            "  A/N        a message as `liaison inbox` shows it, like washington/17\n"
            "  --as WORD  who has seen them: duty-officer (the default) or principal\n",
    .operands_min = 2,
    .operands_max = 65,
};

/* Nothing was recorded: which acknowledgement there is, as far as it can be told. */
static void say_before(struct cli *cli, const json_t *result, const char *as)
{
    const char *author = json_string_value(json_object_get(result, "author"));
    json_int_t number = json_integer_value(json_object_get(result, "number"));
    const char *written = NULL;
    char name[96];
    struct daemon daemon;
    struct error error = {0};
    enum exit_code exit = EXIT_DONE;
    json_t *page = NULL;
    json_t *status = NULL;
    json_t *parties = NULL;
    struct buffer who = {0};

    (void)snprintf(name, sizeof name, "%s/%lld", author != NULL ? author : "-", (long long)number);
    exit = daemon_open(&daemon, cli, &error);
    if (exit == EXIT_DONE)
        page =
            daemon_call(&daemon, "entries",
                        json_pack("{s:s, s:s, s:i}", "line", cli->operand[0], "from", name, "limit", 1), &exit, &error);
    if (exit == EXIT_DONE)
        status = daemon_call(&daemon, "status", json_object(), &exit, &error);
    parties = status_parties(status_line(status, cli->operand[0]));
    status_put_party(parties, author != NULL ? author : "this office", &who);
    written = json_string_value(json_object_get(json_array_get(json_object_get(page, "entries"), 0), "written"));
    output_note(cli, "acknowledged",
                "%s%s acknowledged before by %s as %s, at %s, in its entry %lld; nothing was recorded", cli->operand[1],
                cli->operand_count > 2 ? " and the others were" : " was", buffer_string(&who), as,
                written != NULL ? written : "a time that cannot be read", (long long)number);
    buffer_free(&who);
    json_decref(parties);
    json_decref(status);
    json_decref(page);
    daemon_close(&daemon);
}

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
    if (json_is_false(json_object_get(result, "recorded")))
        say_before(cli, result, as);
    json_decref(result);
    return cli->exit;
}
