#include "base/text.h"
#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/handed.h"
#include "cli/status.h"
#include "cli/terminal.h"

#include <stdio.h>

static json_t *line_params(const struct cli *cli)
{
    return json_pack("{s:s}", "line", cli->operand[0]);
}

static enum exit_code join_with(struct cli *cli, const char *key_file, const char *name)
{
    struct buffer charter = {0};
    struct buffer key = {0};
    struct error error = {0};
    struct buffer files = {0};
    json_t *params = NULL;
    json_t *result = NULL;

    if (handed_charter(cli->operand[0], &charter, &error) != 0 ||
        (key_file != NULL && handed_courier_key(key_file, &key, &error) != 0)) {
        cli->exit = output_error(cli, EXIT_REFUSED, &error);
        goto out;
    }
    params = json_pack("{s:s%, s:s*}", "charter", buffer_string(&charter), charter.size, "name", name);
    if (key_file != NULL)
        (void)json_object_set_new(params, "key", json_stringn(buffer_string(&key), key.size));
    buffer_print(&files, "%s%s%s", cli->operand[0], key_file != NULL ? " with " : "", key_file != NULL ? key_file : "");
    result = daemon_ask_about(cli, buffer_string(&files), "line.join", params);
    if (result != NULL && cli->json)
        output_json(result);
    else if (result != NULL)
        (void)printf("Joined %s. Next: liaison line fingerprint %s, and compare it with the others by voice.\n",
                     json_string_value(json_object_get(result, "name")),
                     json_string_value(json_object_get(result, "name")));
out:
    json_decref(result);
    buffer_free(&files);
    buffer_free(&charter);
    buffer_free(&key);
    return cli->exit;
}

static enum exit_code join(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line join",
        .synopsis = "CHARTER (--key F | --no-courier-key) [--name NAME]",
        .help = "Joins the line that the file CHARTER founds. F is the courier key that was carried by hand; say\n"
                "--no-courier-key where the line was founded without one. NAME is how the line is called here, if not\n"
                "as in its charter.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    const char *key_file = NULL;
    const char *name = NULL;
    bool no_key = false;
    const struct argument options[] = {
        {"key", 0, ARGUMENT_TEXT, &key_file},
        {"no-courier-key", 0, ARGUMENT_FLAG, &no_key},
        {"name", 0, ARGUMENT_TEXT, &name},
        {0},
    };

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if ((key_file != NULL) == no_key)
        return output_usage(cli, usage.command, "say either --key F or --no-courier-key");
    return join_with(cli, key_file, name);
}

static enum exit_code fingerprint(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line fingerprint",
        .synopsis = "LINE",
        .help =
            "Prints 8 groups of 5 digits that are the same at every member if nobody sits between. Compare them by\n"
            "voice or in person, then say so with: liaison line confirm LINE DIGITS\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    struct buffer text = {0};
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "line.show", line_params(cli));
    if (result != NULL && cli->json) {
        output_json(result);
    } else if (result != NULL) {
        output_put_shown(&text, json_object_get(result, "fingerprint"));
        buffer_print(&text, "\n");
        output_text(&text);
    }
    buffer_free(&text);
    json_decref(result);
    return cli->exit;
}

static enum exit_code confirm(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line confirm",
        .synopsis = "LINE DIGITS",
        .help = "Says that the other side has read out DIGITS and they are the same as here. Spaces do not matter.\n",
        .operands_min = 2,
        .operands_max = 9,
    };
    struct buffer digits = {0};
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    for (int i = 1; i < cli->operand_count; i++)
        buffer_print(&digits, "%s%s", i > 1 ? " " : "", cli->operand[i]);
    result = daemon_ask(cli, "line.confirm",
                        json_pack("{s:s, s:s}", "line", cli->operand[0], "digits", buffer_string(&digits)));
    if (result != NULL && cli->json)
        output_json(result);
    else if (result != NULL)
        (void)printf("%s: compared. Delete %s.key wherever it still exists.\n", cli->operand[0], cli->operand[0]);
    buffer_free(&digits);
    json_decref(result);
    return cli->exit;
}

static enum exit_code list(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line list",
        .synopsis = "",
        .help =
            "Prints the lines: their names, who is on them, and NOT COMPARED where nobody has confirmed the number.\n",
    };
    struct buffer text = {0};
    json_t *status = NULL;
    const json_t *lines = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    status = daemon_ask(cli, "status", json_object());
    lines = json_object_get(status, "lines");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *parties = status_parties(json_array_get(lines, i));

        output_put_shown(&text, json_object_get(json_array_get(lines, i), "name"));
        for (size_t j = 0; j < json_array_size(parties); j++) {
            buffer_print(&text, " ");
            output_put_shown(&text, json_array_get(parties, j));
        }
        if (!json_is_true(json_object_get(json_array_get(lines, i), "confirmed")))
            buffer_print(&text, "  NOT COMPARED");
        buffer_print(&text, "\n");
        json_decref(parties);
    }
    if (status != NULL && cli->json)
        output_json(lines);
    else if (status != NULL)
        output_text(&text);
    buffer_free(&text);
    json_decref(status);
    return cli->exit;
}

static void put_show(struct buffer *text, const json_t *shown)
{
    static const char *const names[] = {"name", "id", "fingerprint"};
    struct cursor cursor = cursor_of(span_of_string(json_string_value(json_object_get(shown, "charter")) != NULL
                                                        ? json_string_value(json_object_get(shown, "charter"))
                                                        : ""));

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        buffer_print(text, "%s ", names[i]);
        output_put_shown(text, json_object_get(shown, names[i]));
        buffer_print(text, "\n");
    }
    buffer_print(text, "%s\n",
                 json_is_true(json_object_get(shown, "confirmed")) ? "compared"
                                                                   : "NOT COMPARED: someone may sit between");
    if (!json_is_true(json_object_get(shown, "courier_key")))
        buffer_print(text, "no courier key: a future quantum computer could read what passes today, and find out that "
                           "there is an office\n");
    if (json_is_true(json_object_get(shown, "left")))
        buffer_print(text, "left\n");
    buffer_print(text, "\n");
    while (!cursor.failed && cursor.left > 0) {
        text_put_shown(text, cursor_line(&cursor), false);
        buffer_print(text, "\n");
    }
}

static enum exit_code show(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line show",
        .synopsis = "LINE",
        .help = "Shows a line: its id, its fingerprint, whether it was compared, and its charter.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    struct buffer text = {0};
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "line.show", line_params(cli));
    if (result != NULL && cli->json) {
        output_json(result);
    } else if (result != NULL) {
        put_show(&text, result);
        output_text(&text);
    }
    buffer_free(&text);
    json_decref(result);
    return cli->exit;
}

static enum exit_code leave(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison line leave",
        .synopsis = "LINE [--yes]",
        .help = "Closes this office's log on the line, for ever: its last entry says so to the others. Asks on the\n"
                "terminal; without one it must be told --yes.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    bool yes = false;
    const struct argument options[] = {{"yes", 'y', ARGUMENT_FLAG, &yes}, {0}};
    char question[128];
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (!yes && !terminal_is_attended())
        return output_usage(cli, usage.command, "there is no terminal to ask on; --yes leaves for ever");
    (void)snprintf(question, sizeof question, "Leave %.40s for ever?", cli->operand[0]);
    if (!yes && !terminal_confirm(question))
        return output_failure(cli, EXIT_REFUSED, "refused", "not left");
    result = daemon_ask(cli, "line.leave", line_params(cli));
    if (result != NULL)
        output_entry_name(cli, result);
    json_decref(result);
    return cli->exit;
}

enum exit_code command_line(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {
        {"found", command_line_found, "make a charter and a courier key for a new line"},
        {"join", join, "join a line by its charter and courier key"},
        {"fingerprint", fingerprint, "print the number to compare with the others"},
        {"confirm", confirm, "say that the number was compared"},
        {"list", list, "list the lines"},
        {"show", show, "show a line and its charter"},
        {"leave", leave, "close one's own log on a line, for ever"},
        {NULL, NULL, NULL},
    };

    return cli_dispatch(cli, "liaison line", commands, argc, argv);
}
