#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/passphrase.h"

static const struct usage usage = {
    .command = "liaison unlock",
    .synopsis = "[--passphrase-file F]",
    .help = "Gives a running, locked office its passphrase: the first line of F, or asked on the terminal.\n",
};

enum exit_code command_unlock(struct cli *cli, int argc, char **argv)
{
    const char *file = NULL;
    const struct argument options[] = {{"passphrase-file", 0, ARGUMENT_TEXT, &file}, {0}};
    struct buffer passphrase = {0};
    struct error error = {0};
    json_t *result = NULL;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if ((file != NULL ? passphrase_read(file, &passphrase, &error) : passphrase_ask(false, &passphrase, &error)) != 0) {
        passphrase_free(&passphrase);
        return output_error(cli, output_exit_of(&error), &error);
    }
    result = daemon_ask(cli, "unlock", json_pack("{s:s%}", "passphrase", passphrase.data, passphrase.size));
    passphrase_free(&passphrase);
    if (result != NULL)
        output_done(cli, json_incref(result), "The office is unlocked");
    json_decref(result);
    return cli->exit;
}
