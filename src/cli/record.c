#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/entries.h"
#include "cli/file.h"
#include "cli/status.h"

#include <unistd.h>

static enum exit_code verify(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record verify",
        .synopsis = "LINE [--json]",
        .help =
            "Checks every entry, head and receipt of the line's record, and prints AUTHOR SIZE ROOT of each member's\n"
            "log: equal at all members once everything has arrived. Exit code 6 if something is wrong.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    struct buffer text = {0};
    json_t *result = NULL;
    const json_t *members = NULL;

    if (!arguments_read(cli, argc, argv, &usage, NULL))
        return cli->exit;
    result = daemon_ask(cli, "record.verify", json_pack("{s:s}", "line", cli->operand[0]));
    members = json_object_get(result, "members");
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);

        output_put_shown(&text, json_object_get(member, "party"));
        buffer_print(&text, " %lld ", (long long)json_integer_value(json_object_get(member, "size")));
        output_put_shown(&text, json_object_get(member, "root"));
        buffer_print(&text, "\n");
    }
    buffer_print(&text, "verified %lld entries, %lld receipts\n",
                 (long long)json_integer_value(json_object_get(result, "entries")),
                 (long long)json_integer_value(json_object_get(result, "receipts")));
    if (result != NULL && cli->json)
        output_json(result);
    else if (result != NULL)
        output_text(&text);
    buffer_free(&text);
    json_decref(result);
    return cli->exit;
}

/* Writes a text of the daemon's answer to a file, or to stdout. */
static enum exit_code write_answer(struct cli *cli, const char *path, const json_t *result, const char *name)
{
    const json_t *text = json_object_get(result, name);
    struct replacement file;
    struct error error = {0};

    if (result == NULL)
        return cli->exit;
    if (replacement_open(&file, path, 0644, &error) != 0)
        return output_error(cli, EXIT_REFUSED, &error);
    (void)fwrite(json_string_value(text), 1, json_string_length(text), file.stream);
    return replacement_commit(&file, &error) == 0 ? EXIT_DONE : output_error(cli, EXIT_REFUSED, &error);
}

/* What is written to standard output is all that stands there. */
static bool is_file(const struct cli *cli, const char *path)
{
    return cli->exit == EXIT_DONE && strcmp(path, "-") != 0;
}

static enum exit_code policy(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record policy",
        .synopsis = "LINE -o F",
        .help = "Writes whom to trust for proofs of this line: public keys only, for liaison-verify --policy.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    const char *path = NULL;
    json_t *result = NULL;

    if (!arguments_read_output(cli, argc, argv, &usage, &path))
        return cli->exit;
    result = daemon_ask(cli, "record.policy", json_pack("{s:s}", "line", cli->operand[0]));
    cli->exit = write_answer(cli, path, result, "policy");
    if (is_file(cli, path))
        output_done(cli, json_pack("{s:s}", "file", path),
                    "%s says whom to trust for proofs of %s. Give it to whoever checks one: liaison-verify PROOF "
                    "--policy %s",
                    path, cli->operand[0], path);
    json_decref(result);
    return cli->exit;
}

/* What a proof on disk is worth. The policy of a line asks for the receipts of all the `others`. */
static void say_proved(const struct cli *cli, const char *path, json_int_t receipts, size_t others)
{
    json_t *facts = json_pack("{s:s, s:I}", "file", path, "receipts", receipts);

    if (receipts == 0)
        output_done(cli, facts,
                    "%s says who wrote %s, but nobody else has receipted that yet: the line's policy refuses it. Make "
                    "it again when they have",
                    path, cli->operand[1]);
    else if ((size_t)receipts < others)
        output_done(cli, facts,
                    "%s says who wrote %s, but only %lld of %zu others have receipted that yet: the line's policy "
                    "refuses it. Make it again when they have",
                    path, cli->operand[1], (long long)receipts, others);
    else
        output_done(cli, facts,
                    "%s proves %s. Anyone who has this line's policy checks it: liaison-verify %s --policy POLICY",
                    path, cli->operand[1], path);
}

static enum exit_code prove(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record prove",
        .synopsis = "LINE A/N -o F",
        .help =
            "Writes a proof of one entry: who wrote it, at which number, who held it and when. Whoever has the policy\n"
            "checks it with liaison-verify, without this office.\n",
        .operands_min = 2,
        .operands_max = 2,
    };
    const char *path = NULL;
    json_t *status = NULL;
    json_t *parties = NULL;
    json_t *result = NULL;

    if (!arguments_read_output(cli, argc, argv, &usage, &path))
        return cli->exit;
    if (!entry_name_is_valid(cli->operand[1]))
        return output_usage(cli, usage.command, "\"%s\" is not of the form A/N, like washington/17", cli->operand[1]);
    status = daemon_ask(cli, "status", json_object());
    if (status == NULL)
        return cli->exit;
    parties = status_parties(status_line(status, cli->operand[0]));
    result =
        daemon_ask(cli, "record.prove", json_pack("{s:s, s:s}", "line", cli->operand[0], "entry", cli->operand[1]));
    cli->exit = write_answer(cli, path, result, "proof");
    if (is_file(cli, path))
        say_proved(cli, path, json_integer_value(json_object_get(result, "receipts")),
                   json_array_size(parties) > 0 ? json_array_size(parties) - 1 : 0);
    json_decref(parties);
    json_decref(status);
    json_decref(result);
    return cli->exit;
}

static enum exit_code evidence(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record evidence",
        .synopsis = "LINE [PARTY] -o F",
        .help =
            "Writes the evidence that a party signed two histories of its log: two heads of it that cannot both be\n"
            "true. `liaison status` raises an alarm where there is some; liaison-verify checks it without this\n"
            "office. PARTY says against whom, where it is against several.\n",
        .operands_min = 1,
        .operands_max = 2,
    };
    const char *path = NULL;
    json_t *result = NULL;

    if (!arguments_read_output(cli, argc, argv, &usage, &path))
        return cli->exit;
    result =
        daemon_ask(cli, "record.evidence", json_pack("{s:s, s:s*}", "line", cli->operand[0], "party", cli->operand[1]));
    cli->exit = write_answer(cli, path, result, "evidence");
    if (is_file(cli, path))
        output_done(cli, json_pack("{s:s, s:O}", "file", path, "author", json_object_get(result, "author")),
                    "%s shows that %s signed two histories. Anyone who knows this line's id checks it: liaison-verify "
                    "%s --line ID",
                    path, json_string_value(json_object_get(result, "author")), path);
    json_decref(result);
    return cli->exit;
}

static enum exit_code export_pages(struct daemon *daemon, const char *line, struct entry_writer *writer, size_t *count,
                                   struct error *error)
{
    struct pages pages = {.daemon = daemon, .line = line};
    enum exit_code exit = EXIT_DONE;
    json_t *entries = NULL;
    bool attended = writer->stream != stdout && isatty(STDERR_FILENO) != 0;

    while ((entries = pages_next(&pages, &exit, error)) != NULL) {
        for (size_t i = 0; i < json_array_size(entries); i++)
            entry_writer_put(writer, json_array_get(entries, i));
        *count += json_array_size(entries);
        json_decref(entries);
        if (attended)
            (void)fprintf(stderr, "\r%zu entries", *count);
    }
    if (attended)
        (void)fprintf(stderr, "\n");
    entry_writer_flush(writer);
    pages_free(&pages);
    return exit;
}

static enum exit_code export_to(const struct cli *cli, const char *path, bool json, size_t *count, struct error *error)
{
    struct entry_writer writer = {.json = json, .all = json};
    struct replacement file = {0};
    struct daemon daemon;
    json_t *status = NULL;
    json_t *parties = NULL;
    enum exit_code exit = daemon_open(&daemon, cli, error);

    if (exit == EXIT_DONE)
        status = daemon_call(&daemon, "status", json_object(), &exit, error);
    parties = status_parties(status_line(status, cli->operand[0]));
    if (exit == EXIT_DONE && replacement_open(&file, path, 0600, error) != 0)
        exit = EXIT_REFUSED;
    if (exit == EXIT_DONE) {
        writer.stream = file.stream;
        writer.show.parties = parties;
        writer.show.me = json_string_value(json_object_get(status, "office"));
        exit = export_pages(&daemon, cli->operand[0], &writer, count, error);
    }
    if (exit == EXIT_DONE && replacement_commit(&file, error) != 0)
        exit = EXIT_REFUSED;
    replacement_abandon(&file);
    entry_writer_free(&writer);
    json_decref(parties);
    json_decref(status);
    daemon_close(&daemon);
    return exit;
}

static enum exit_code export_line(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record export",
        .synopsis = "LINE --format text|json -o F",
        .help = "Writes the whole line to a file: as text, as read shows it; or as JSON, one object a line, with "
                "what the\n"
                "machinery wrote. -o - is standard output.\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    static const char *const formats[] = {"text", "json", NULL};
    const char *format = NULL;
    const char *path = NULL;
    const struct argument options[] = {
        {"output", 'o', ARGUMENT_TEXT, &path},
        {"format", 0, ARGUMENT_TEXT, &format},
        {0},
    };
    struct error error = {0};
    size_t count = 0;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (path == NULL)
        return output_usage(cli, usage.command, "-o F is missing; -o - is standard output");
    if (format == NULL || !word_is_one_of(format, formats))
        return output_usage(cli, usage.command, "--format is text or json");
    cli->exit = export_to(cli, path, strcmp(format, "json") == 0, &count, &error);
    if (cli->exit != EXIT_DONE)
        return output_error(cli, cli->exit, &error);
    if (is_file(cli, path))
        output_done(cli, json_pack("{s:s, s:I}", "file", path, "entries", (json_int_t)count),
                    "%s holds %zu entries of %s, in the clear: keep it as you keep what was said", path, count,
                    cli->operand[0]);
    return cli->exit;
}

enum exit_code command_record(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {
        {"verify", verify, "check every entry, head and receipt"},
        {"policy", policy, "write whom to trust for proofs"},
        {"prove", prove, "write a proof of one entry, for a third party"},
        {"disclose", command_record_disclose, "show entries' texts, with their proofs, to a third party"},
        {"evidence", evidence, "write evidence that a party signed two histories"},
        {"export", export_line, "write the whole line as text or JSON"},
        {NULL, NULL, NULL},
    };

    return cli_dispatch(cli, "liaison record", commands, argc, argv);
}
