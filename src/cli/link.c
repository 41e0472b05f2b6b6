#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/status.h"

#include <stdio.h>

/* What link add, remove and test ask: the address is parsed by the daemon, which must open it. */
static json_t *address_of(const struct cli *cli)
{
    return json_pack("{s:s, s:s, s:s}", "line", cli->operand[0], "party", cli->operand[1], "address", cli->operand[2]);
}

static enum exit_code add(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison link add",
        .synopsis = "LINE PARTY ADDRESS",
        .help =
            "Says by which address PARTY is reached. ADDRESS is tcp://HOST:PORT, unix:PATH, or exec:COMMAND, whose\n"
            "stdin and stdout are the link: \"exec:ssh host liaison link stdio\". A party may have several.\n",
        .operands_min = 3,
        .operands_max = 3,
    };
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "link.add", address_of(cli));
    if (result != NULL)
        output_done(cli, address_of(cli), "%s: %s is dialled at %s from now on. Whether it answers: liaison status",
                    cli->operand[0], cli->operand[1], cli->operand[2]);
    json_decref(result);
    return cli->exit;
}

static enum exit_code remove_link(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison link remove",
        .synopsis = "LINE PARTY ADDRESS",
        .help = "Forgets an address, and closes the link that was opened to it.\n",
        .operands_min = 3,
        .operands_max = 3,
    };
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "link.remove", address_of(cli));
    if (result != NULL)
        output_done(cli, address_of(cli), "%s: %s is not dialled at %s any more. It may still dial here",
                    cli->operand[0], cli->operand[1], cli->operand[2]);
    json_decref(result);
    return cli->exit;
}

static enum exit_code test(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison link test",
        .synopsis = "LINE PARTY ADDRESS",
        .help =
            "Tries an address, and says which it is: it cannot be connected to; it connects, but nothing answers in\n"
            "10 s (no liaison office, or it has stopped, or its line or courier key differs); it answers only to a\n"
            "counter far ahead of ours (a clock was set back, or this office was restored); or ok, with\n"
            "milliseconds. Exit code 0 only if ok.\n",
        .operands_min = 3,
        .operands_max = 3,
    };
    json_t *result = NULL;
    const char *outcome = NULL;
    const char *detail = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "link.test", address_of(cli));
    if (result == NULL)
        return cli->exit;
    outcome = json_string_value(json_object_get(result, "outcome"));
    detail = json_string_value(json_object_get(result, "detail"));
    if (outcome == NULL || strcmp(outcome, "ok") != 0)
        cli->exit = output_failure(cli, EXIT_REFUSED, outcome != NULL ? outcome : "system", "%s: %s",
                                   outcome != NULL ? outcome : "no outcome", detail != NULL ? detail : "");
    else if (cli->json)
        output_json(result);
    else
        (void)printf("ok %.1f ms\n", json_number_value(json_object_get(result, "milliseconds")));
    json_decref(result);
    return cli->exit;
}

static void list_links(const struct cli *cli, const json_t *line, const json_t *member, struct buffer *text,
                       json_t *all)
{
    const json_t *links = json_object_get(member, "links");

    for (size_t i = 0; i < json_array_size(links); i++) {
        json_t *link = json_array_get(links, i);

        output_put_shown(text, json_object_get(line, "name"));
        buffer_put(text, " ", 1);
        output_put_shown(text, json_object_get(member, "party"));
        buffer_put(text, " ", 1);
        output_put_shown(text, json_object_get(link, "address"));
        buffer_put(text, " ", 1);
        output_put_shown(text, json_object_get(link, "observed"));
        buffer_put(text, "\n", 1);
        if (cli->json)
            (void)json_array_append_new(
                all, json_pack("{s:O, s:O, s:O, s:O, s:O?, s:O?}", "line", json_object_get(line, "name"), "party",
                               json_object_get(member, "party"), "address", json_object_get(link, "address"),
                               "observed", json_object_get(link, "observed"), "stated", json_object_get(link, "stated"),
                               "since", json_object_get(link, "since")));
    }
}

static enum exit_code list(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison link list",
        .synopsis = "[LINE]",
        .help = "Prints the links: LINE PARTY ADDRESS and up or down. Those that the others opened are \"incoming\".\n",
        .operands_max = 1,
    };
    struct buffer text = {0};
    json_t *all = json_array();
    json_t *status = NULL;
    const json_t *lines = NULL;

    if (arguments_read(cli, argc, argv, &usage, NULL))
        status = daemon_ask(cli, "status", json_object());
    if (status != NULL && cli->operand_count > 0 && status_line(status, cli->operand[0]) == NULL) {
        cli->exit =
            output_failure(cli, EXIT_REFUSED, "not-found",
                           "there is no line %s here; `liaison line list` says which there are", cli->operand[0]);
        json_decref(status);
        status = NULL;
    }
    lines = json_object_get(status, "lines");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        const char *name = json_string_value(json_object_get(line, "name"));
        const json_t *members = json_object_get(line, "members");

        if (cli->operand_count > 0 && (name == NULL || strcmp(name, cli->operand[0]) != 0))
            continue;
        for (size_t j = 0; j < json_array_size(members); j++)
            list_links(cli, line, json_array_get(members, j), &text, all);
    }
    if (status != NULL && cli->json)
        output_json(all);
    else if (status != NULL)
        output_text(&text);
    json_decref(all);
    json_decref(status);
    buffer_free(&text);
    return cli->exit;
}

enum exit_code command_link(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {
        {"add", add, "say by which address a party is reached"},
        {"remove", remove_link, "forget an address"},
        {"test", test, "try an address"},
        {"list", list, "print the links and whether they are up"},
        {"stdio", command_link_stdio, "be the far end of exec:ssh host liaison link stdio"},
        {NULL, NULL, NULL},
    };

    return cli_dispatch(cli, "liaison link", commands, argc, argv);
}
