#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/handed.h"
#include "cli/office.h"

static const struct usage usage = {
    .command = "liaison card",
    .synopsis = "",
    .help =
        "Prints this office's card: its name and public keys, signed with each of them. It may travel by any way.\n",
};

/* The card as the office keeps it beside its store, for when no daemon runs. */
static int read_card(const struct office *office, struct buffer *text, struct error *error)
{
    char path[PATH_MAX];

    if (office_path(office, "card", path, sizeof path, error) != 0)
        return -1;
    return handed_card(path, text, error);
}

static int fetch_card(const struct cli *cli, struct buffer *text, enum exit_code *exit, struct error *error)
{
    struct daemon daemon;
    json_t *result = NULL;
    const json_t *card = NULL;

    *exit = daemon_open(&daemon, cli, error);
    if (*exit == EXIT_DONE)
        result = daemon_call(&daemon, "card", json_object(), exit, error);
    card = json_object_get(result, "card");
    buffer_put(text, json_string_value(card), json_string_length(card));
    json_decref(result);
    daemon_close(&daemon);
    return *exit == EXIT_DONE ? 0 : -1;
}

enum exit_code command_card(struct cli *cli, int argc, char **argv)
{
    struct office office;
    struct buffer text = {0};
    struct error error = {0};
    enum exit_code exit = EXIT_DONE;
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    if (office_find(&office, cli->office, &error) != 0)
        return output_error(cli, output_exit_of(&error), &error);
    if (fetch_card(cli, &text, &exit, &error) != 0 && exit == EXIT_NO_DAEMON) {
        struct error reading = {0};

        exit = read_card(&office, &text, &reading) == 0 ? EXIT_DONE : EXIT_REFUSED;
        /* Where not even a card is, the way the office was looked for is the better sentence. */
        if (reading.code == ERROR_NOT_FOUND)
            exit = EXIT_NO_DAEMON;
        else
            error = reading;
    }
    if (exit != EXIT_DONE) {
        (void)output_error(cli, exit, &error);
    } else if (cli->json) {
        result = json_pack("{s:s%}", "card", text.data, text.size);
        output_json(result);
        json_decref(result);
    } else {
        output_text(&text);
    }
    buffer_free(&text);
    return exit;
}
