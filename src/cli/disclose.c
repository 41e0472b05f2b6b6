/*
 * liaison record disclose: one entry or a range for somebody who is no member, all in one file or nothing.
 */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/file.h"

#include <inttypes.h>
#include <string.h>

#define RANGE_MAX 1024
#define FILE_MAX (16u << 20) /* what liaison-verify takes: DISCLOSURE_FILE_MAX of desk/disclosure.h */

/* The entries PARTY/first to PARTY/last. */
struct range {
    struct span party;
    uint64_t first, last;
};

struct disclosing {
    struct cli *cli;
    struct daemon daemon;
    struct buffer text;
    uint64_t count;
    json_t *left_out; /* names of those without sealed text */
};

/* A/N or A/N-M. A party's name may hold '-' and no '/', a number neither. */
static bool read_range(const char *text, struct range *range)
{
    const char *slash = strrchr(text, '/');
    const char *dash = slash != NULL ? strchr(slash, '-') : NULL;
    struct span first = {0};

    if (slash == NULL)
        return false;
    range->party = span_of(text, (size_t)(slash - text));
    first = dash != NULL ? span_of(slash + 1, (size_t)(dash - slash) - 1) : span_of_string(slash + 1);
    if (!text_is_party_name(range->party) || !text_to_number(first, INT64_MAX, &range->first))
        return false;
    range->last = range->first;
    return dash == NULL ||
           (text_to_number(span_of_string(dash + 1), INT64_MAX, &range->last) && range->last >= range->first);
}

static enum exit_code too_large(struct error *error)
{
    (void)error_set(error, ERROR_REFUSED,
                    "what is disclosed would be more than the %u MiB that liaison-verify takes; disclose it in parts",
                    FILE_MAX >> 20);
    return EXIT_REFUSED;
}

/* Of a range, what has no sealed text is left out. */
static enum exit_code take_entry(struct disclosing *disclosing, const struct range *range, uint64_t number,
                                 struct error *error)
{
    char name[128];
    enum exit_code exit = EXIT_DONE;
    struct error cause = {0};
    const json_t *text = NULL;
    json_t *result = NULL;

    (void)snprintf(name, sizeof name, "%.*s/%" PRIu64, (int)range->party.size, (const char *)range->party.data, number);
    disclosing->daemon.deadline_us = monotonic_us() + CALL_TIMEOUT_US;
    result = daemon_call(&disclosing->daemon, "record.disclose",
                         json_pack("{s:s, s:s}", "line", disclosing->cli->operand[0], "entry", name), &exit, &cause);
    if (result == NULL) {
        if (cause.code == ERROR_INVALID && range->last > range->first) {
            (void)json_array_append_new(disclosing->left_out, json_string(name));
            return EXIT_DONE;
        }
        *error = cause;
        return exit;
    }
    text = json_object_get(result, "disclosure");
    buffer_put(&disclosing->text, json_string_value(text), json_string_length(text));
    disclosing->count++;
    json_decref(result);
    if (buffer_failed(&disclosing->text)) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
        return EXIT_REFUSED;
    }
    return disclosing->text.size > FILE_MAX ? too_large(error) : EXIT_DONE;
}

static enum exit_code take_range(struct disclosing *disclosing, const struct range *range, struct error *error)
{
    enum exit_code exit = daemon_open(&disclosing->daemon, disclosing->cli, error);

    for (uint64_t number = range->first; exit == EXIT_DONE && number <= range->last; number++)
        exit = take_entry(disclosing, range, number, error);
    daemon_close(&disclosing->daemon);
    if (exit == EXIT_DONE && disclosing->count == 0) {
        (void)error_set(error, ERROR_REFUSED, "none of these entries has a sealed text to disclose");
        exit = EXIT_REFUSED;
    }
    return exit;
}

static enum exit_code write_file(const struct disclosing *disclosing, const char *path, struct error *error)
{
    struct replacement file = {0};

    if (replacement_open(&file, path, 0600, error) != 0)
        return EXIT_REFUSED;
    (void)fwrite(disclosing->text.data, 1, disclosing->text.size, file.stream);
    return replacement_commit(&file, error) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

/* What is written to standard output is all that stands there. */
static void say_disclosed(const struct disclosing *disclosing, const char *path)
{
    size_t left_out = json_array_size(disclosing->left_out);
    json_t *facts = json_pack("{s:s, s:I, s:O}", "file", path, "entries", (json_int_t)disclosing->count, "left_out",
                              disclosing->left_out);
    char note[96] = "";

    if (left_out > 0)
        (void)snprintf(note, sizeof note, ". %zu %s no sealed text and %s left out", left_out,
                       left_out == 1 ? "entry has" : "entries have", left_out == 1 ? "is" : "are");
    output_done(disclosing->cli, facts,
                "%s discloses %" PRIu64 " %s%s. Whoever has it can read and show this, and nothing else, for good. "
                "Anyone checks it: liaison-verify %s --policy POLICY, or --line ID",
                path, disclosing->count, disclosing->count == 1 ? "entry" : "entries", note, path);
}

enum exit_code command_record_disclose(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison record disclose",
        .synopsis = "LINE A/N|A/N-M -o F",
        .help =
            "Writes what entry N of A says, or what the entries N to M say, in the clear, with the proof of who wrote\n"
            "it, at which number, who held it and when. liaison-verify checks it without this office. It opens these\n"
            "entries and nothing else, and cannot be taken back once F is given away.\n",
        .operands_min = 2,
        .operands_max = 2,
    };
    struct disclosing disclosing = {.cli = cli};
    struct range range = {0};
    struct error error = {0};
    const char *path = NULL;

    if (!arguments_read_output(cli, argc, argv, &usage, &path))
        return cli->exit;
    if (!read_range(cli->operand[1], &range))
        return output_usage(cli, usage.command, "\"%s\" is not of the form A/N or A/N-M, like washington/17-21",
                            cli->operand[1]);
    if (range.last - range.first >= RANGE_MAX)
        return output_usage(cli, usage.command, "a range has at most %d entries", RANGE_MAX);
    disclosing.left_out = json_array();
    cli->exit = take_range(&disclosing, &range, &error);
    if (cli->exit == EXIT_DONE)
        cli->exit = write_file(&disclosing, path, &error);
    if (cli->exit != EXIT_DONE)
        (void)output_error(cli, cli->exit, &error);
    else if (strcmp(path, "-") != 0)
        say_disclosed(&disclosing, path);
    json_decref(disclosing.left_out);
    buffer_free(&disclosing.text);
    return cli->exit;
}
