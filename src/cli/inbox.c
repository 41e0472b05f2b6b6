#include "cli/arguments.h"
#include "cli/entries.h"
#include "cli/status.h"

#include <unistd.h>

static const struct usage usage = {
    .command = "liaison inbox",
    .synopsis = "LINE [--json]",
    .help = "Shows what waits for a person: messages nobody here has acknowledged or answered, the oldest first.\n",
    .operands_min = 1,
    .operands_max = 1,
};

enum exit_code command_inbox(struct cli *cli, int argc, char **argv)
{
    struct entry_writer writer = {.stream = stdout, .all = true, .escaped = isatty(STDOUT_FILENO) != 0};
    json_t *status = NULL;
    json_t *parties = NULL;
    json_t *result = NULL;
    const json_t *entries = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    writer.json = cli->json;
    status = daemon_ask(cli, "status", json_object());
    if (status != NULL)
        result = daemon_ask(cli, "inbox", json_pack("{s:s}", "line", cli->operand[0]));
    if (result != NULL) {
        parties = status_parties(status_line(status, cli->operand[0]));
        writer.show.parties = parties;
        writer.show.me = json_string_value(json_object_get(status, "office"));
        output_not_compared(cli, status_line(status, cli->operand[0]));
        entries = json_object_get(result, "entries");
        for (size_t i = 0; i < json_array_size(entries); i++)
            entry_writer_put(&writer, json_array_get(entries, i));
    }
    entry_writer_free(&writer);
    json_decref(parties);
    json_decref(result);
    json_decref(status);
    return cli->exit;
}
