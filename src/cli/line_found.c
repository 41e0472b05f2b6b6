/*
 * liaison line found. The courier key is told once, so the files it goes into are made, with room for it, before the
 * daemon is asked.
 */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/daemon.h"
#include "cli/file.h"
#include "cli/handed.h"
#include "record/charter.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct usage usage = {
    .command = "liaison line found",
    .synopsis = "NAME --with CARD... [--charter F] [--key F | --no-courier-key] [--quota-entries N]\n"
                "                          [--quota-bytes N]",
    .help = "Founds the line NAME, one label like talks, with the parties whose cards are in the files CARD. Writes\n"
            "NAME.charter, which the others join by, and NAME.key, the courier key; never over an existing file.\n"
            "\n"
            "  --with CARD       a file with another party's card; may stand more than once\n"
            "  --charter F       write the charter to F\n"
            "  --key F           write the courier key to F\n"
            "  --no-courier-key  found a line without protection from a future quantum computer\n"
            "  --quota-entries N  entries that each member may write a day, 16 to 2^53; else 268,435,456\n"
            "  --quota-bytes N    bytes that these may have, 131,072 to 2^53; else 68,719,476,736\n",
    .operands_min = 1,
    .operands_max = 16,
};

struct founding {
    const char *name;
    const char *charter_path, *key_path; /* as given, or made from the name */
    char charter_default[64], key_default[64];
    bool no_key;
    uint64_t quota_entries, quota_bytes; /* 0: the daemon's default */
    int charter, key;                    /* descriptors, or -1 */
    struct undo undo;
    json_t *cards;
    struct buffer files; /* their names */
    json_t *founded;     /* the daemon's answer */
};

static int read_cards(struct founding *founding, const struct argument_list *with, char **more, int more_count,
                      struct error *error)
{
    founding->cards = json_array();
    for (size_t i = 0; i < with->count + (size_t)more_count; i++) {
        const char *path = i < with->count ? with->item[i] : more[i - with->count];
        struct buffer card = {0};
        int result = handed_card(path, &card, error);

        if (result == 0)
            result = json_array_append_new(founding->cards, json_stringn(buffer_string(&card), card.size));
        buffer_free(&card);
        buffer_print(&founding->files, "%s%s", i > 0 ? ", " : "", path);
        if (result != 0)
            return error_set(error, ERROR_SYSTEM, "out of memory");
    }
    return 0;
}

static int reserve_files(struct founding *founding, struct error *error)
{
    founding->charter = file_reserve(founding->charter_path, 0644, FILE_TEXT_MAX, error);
    if (founding->charter < 0)
        return -1;
    undo_note(&founding->undo, founding->charter_path);
    if (founding->no_key)
        return 0;
    founding->key = file_reserve(founding->key_path, S_IRUSR | S_IWUSR, 4096, error);
    if (founding->key < 0)
        return -1;
    undo_note(&founding->undo, founding->key_path);
    return 0;
}

static int fill_files(const struct founding *founding, struct error *error)
{
    const json_t *charter = json_object_get(founding->founded, "charter");
    const json_t *key = json_object_get(founding->founded, "key");
    int result = file_fill(founding->charter, span_of(json_string_value(charter), json_string_length(charter)),
                           founding->charter_path, error);

    if (founding->key >= 0 && result == 0)
        result = file_fill(founding->key, span_of(json_string_value(key), json_string_length(key)), founding->key_path,
                           error);
    if (result == 0)
        result = file_sync_parent(founding->charter_path, error);
    if (founding->key >= 0 && result == 0)
        result = file_sync_parent(founding->key_path, error);
    return result;
}

static void say_what_next(struct cli *cli, const struct founding *founding)
{
    json_t *shown = daemon_ask(cli, "line.show", json_pack("{s:s}", "line", founding->name));
    const json_t *fingerprint = json_object_get(shown, "fingerprint");
    struct buffer text = {0};
    json_t *value = NULL;

    if (cli->json) {
        value = json_pack("{s:s, s:s, s:s?, s:O?}", "name", founding->name, "charter", founding->charter_path, "key",
                          founding->no_key ? NULL : founding->key_path, "fingerprint", fingerprint);
        output_json(value);
    } else {
        buffer_print(&text, "%s may travel by any way.", founding->charter_path);
        if (!founding->no_key)
            buffer_print(&text,
                         " %s is SECRET: carry it by hand, never with the charter, never by a network; delete it once "
                         "both sides show the same number.",
                         founding->key_path);
        else
            buffer_print(&text, " There is no courier key: a future quantum computer could read what passes today, and "
                                "find out that there is an office.");
        buffer_print(&text, "\nThe number: ");
        output_put_shown(&text, fingerprint);
        buffer_print(&text,
                     "\nNext, at the other side: liaison line join %s %s%s\nWhen it shows the same number, at both: "
                     "liaison line confirm %s DIGITS\n",
                     founding->charter_path, founding->no_key ? "--no-courier-key" : "--key ",
                     founding->no_key ? "" : founding->key_path, founding->name);
        output_text(&text);
    }
    buffer_free(&text);
    json_decref(value);
    json_decref(shown);
}

/* A number that the charter may have; 0 where none was given. */
static int read_quota(const char *option, const char *text, uint64_t least, uint64_t *quota, struct error *error)
{
    if (text == NULL || (text_to_number(span_of_string(text), QUOTA_MAX, quota) && *quota >= least))
        return 0;
    return error_set(error, ERROR_USAGE, "--%s takes a number from %llu to %llu, and \"%s\" is none", option,
                     (unsigned long long)least, (unsigned long long)QUOTA_MAX, text);
}

/* With the files there: asks the daemon, and fills them. */
static enum exit_code found(struct cli *cli, struct founding *founding)
{
    struct error error = {0};

    json_t *params = json_pack("{s:s, s:O, s:b}", "name", founding->name, "cards", founding->cards, "courier_key",
                               (int)!founding->no_key);

    if (founding->quota_entries != 0)
        (void)json_object_set_new(params, "quota_entries", json_integer((json_int_t)founding->quota_entries));
    if (founding->quota_bytes != 0)
        (void)json_object_set_new(params, "quota_bytes", json_integer((json_int_t)founding->quota_bytes));
    founding->founded = daemon_ask_about(cli, buffer_string(&founding->files), "line.found", params);
    if (founding->founded == NULL)
        return cli->exit;
    undo_forget(&founding->undo);
    if (fill_files(founding, &error) != 0)
        return output_failure(cli, EXIT_UNKNOWN, "system",
                              "%s. The line %s is founded, but its files are not whole: leave it, and found another",
                              error.message, founding->name);
    say_what_next(cli, founding);
    return cli->exit;
}

enum exit_code command_line_found(struct cli *cli, int argc, char **argv)
{
    struct founding founding = {.charter = -1, .key = -1};
    struct argument_list with = {0};
    const char *entries = NULL;
    const char *bytes = NULL;
    const struct argument options[] = {
        {"with", 0, ARGUMENT_LIST, &with},
        {"charter", 0, ARGUMENT_TEXT, &founding.charter_path},
        {"key", 0, ARGUMENT_TEXT, &founding.key_path},
        {"no-courier-key", 0, ARGUMENT_FLAG, &founding.no_key},
        {"quota-entries", 0, ARGUMENT_TEXT, &entries},
        {"quota-bytes", 0, ARGUMENT_TEXT, &bytes},
        {0},
    };
    struct error error = {0};

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (with.count == 0)
        return output_usage(cli, usage.command, "--with is missing: a line has at least two parties");
    if (founding.no_key && founding.key_path != NULL)
        return output_usage(cli, usage.command, "--key and --no-courier-key cannot both be given");
    if (read_quota("quota-entries", entries, QUOTA_ENTRIES_MIN, &founding.quota_entries, &error) != 0 ||
        read_quota("quota-bytes", bytes, QUOTA_BYTES_MIN, &founding.quota_bytes, &error) != 0)
        return output_usage(cli, usage.command, "%s", error.message);
    founding.name = cli->operand[0];
    if (!text_is_line_name(span_of_string(founding.name)))
        return output_failure(cli, EXIT_REFUSED, "invalid",
                              "\"%s\" is no line's name: a-z, 0-9 and inner -, at most 32 bytes", founding.name);
    (void)snprintf(founding.charter_default, sizeof founding.charter_default, "%s.charter", founding.name);
    (void)snprintf(founding.key_default, sizeof founding.key_default, "%s.key", founding.name);
    if (founding.charter_path == NULL)
        founding.charter_path = founding.charter_default;
    if (founding.key_path == NULL)
        founding.key_path = founding.key_default;
    if (read_cards(&founding, &with, cli->operand + 1, cli->operand_count - 1, &error) != 0 ||
        reserve_files(&founding, &error) != 0)
        cli->exit = output_error(cli, EXIT_REFUSED, &error);
    else
        cli->exit = found(cli, &founding);
    undo_all(&founding.undo);
    if (founding.charter >= 0)
        (void)close(founding.charter);
    if (founding.key >= 0)
        (void)close(founding.key);
    buffer_free(&founding.files);
    json_decref(founding.cards);
    json_decref(founding.founded);
    return cli->exit;
}
