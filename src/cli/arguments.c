#include "cli/arguments.h"

#include "base/text.h"
#include "base/time.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 16
#define OPTION_FIRST 256 /* what getopt_long() returns for long options: beyond any letter */

static struct argument *common_arguments(struct cli *cli, bool *help, struct argument out[static 3])
{
    out[0] = (struct argument){"office", 0, ARGUMENT_TEXT, &cli->office};
    out[1] = (struct argument){"json", 0, ARGUMENT_FLAG, &cli->json};
    out[2] = (struct argument){"help", 'h', ARGUMENT_FLAG, help};
    return out;
}

static bool store(const struct argument *argument, const char *text)
{
    struct argument_list *list = argument->value;

    switch (argument->kind) {
    case ARGUMENT_FLAG:
        *(bool *)argument->value = true;
        return true;
    case ARGUMENT_TEXT:
        *(const char **)argument->value = text;
        return true;
    default:
        if (list->count == ARGUMENT_LIST_MAX)
            return false;
        list->item[list->count++] = text;
        return true;
    }
}

/* Runs getopt_long() over a table of arguments; `mode` is "" or "+" (stop at the first operand). */
static bool read_options(struct cli *cli, const char *command, const char *mode, int argc, char **argv,
                         const struct argument *all, int count)
{
    struct option options[OPTIONS_MAX + 1] = {0};
    char letters[2 + OPTIONS_MAX * 2 + 1] = "";
    size_t at = (size_t)snprintf(letters, sizeof letters, "%s:", mode);
    int found = 0;

    for (int i = 0; i < count; i++) {
        bool takes_value = all[i].kind != ARGUMENT_FLAG;

        options[i] = (struct option){.name = all[i].name, .has_arg = takes_value, .val = OPTION_FIRST + i};
        if (all[i].letter != 0)
            at += (size_t)snprintf(letters + at, sizeof letters - at, "%c%s", all[i].letter, takes_value ? ":" : "");
    }
    opterr = 0;
    optind = 0; /* GNU: start anew */
    while ((found = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        int index = found - OPTION_FIRST;

        for (int i = 0; i < count && index < 0; i++)
            if (all[i].letter != 0 && all[i].letter == found)
                index = i;
        if (found == ':')
            cli->exit = output_usage(cli, command, "%s needs a value", word);
        else if (found == '?' && optopt > 0 && optopt < OPTION_FIRST)
            cli->exit = output_usage(cli, command, "there is no option -%c", optopt);
        else if (found == '?' && optopt >= OPTION_FIRST)
            cli->exit = output_usage(cli, command, "--%s takes no value", all[optopt - OPTION_FIRST].name);
        else if (found == '?')
            cli->exit = output_usage(cli, command, "there is no option %s, or it is the start of several", word);
        else if (!store(&all[index], optarg))
            cli->exit = output_usage(cli, command, "--%s is given too often", all[index].name);
        else
            continue;
        return false;
    }
    return true;
}

bool arguments_read(struct cli *cli, int argc, char **argv, const struct usage *usage, const struct argument *table)
{
    struct argument all[OPTIONS_MAX];
    struct argument common[3];
    bool help = false;
    int count = 3;

    memcpy(all, common_arguments(cli, &help, common), sizeof common);
    for (; table != NULL && table->name != NULL && count < OPTIONS_MAX; table++)
        all[count++] = *table;
    if (!read_options(cli, usage->command, "", argc, argv, all, count))
        return false;
    if (help) {
        (void)printf("usage: %s%s%s\n\n%s", usage->command, usage->synopsis[0] != '\0' ? " " : "", usage->synopsis,
                     usage->help);
        (void)printf("\nAll subcommands take --office DIR, --json and --help; liaison(1) has the rest.\n");
        cli->exit = EXIT_DONE;
        return false;
    }
    cli->operand = argv + optind;
    cli->operand_count = argc - optind;
    if (cli->operand_count >= usage->operands_min && cli->operand_count <= usage->operands_max)
        return true;
    if (cli->operand_count < usage->operands_min)
        cli->exit = output_usage(cli, usage->command, "something is missing after `%s`", usage->command);
    else
        cli->exit = output_usage(cli, usage->command, "\"%s\" is one word too many for `%s`",
                                 cli->operand[usage->operands_max], usage->command);
    return false;
}

int arguments_read_leading(struct cli *cli, const char *command, int argc, char **argv, bool *help, bool *version)
{
    struct argument all[4];

    (void)common_arguments(cli, help, all);
    all[3] = (struct argument){"version", 'V', ARGUMENT_FLAG, version};
    return read_options(cli, command, "+", argc, argv, all, 4) ? optind : -1;
}

bool duration_parse(const char *text, uint64_t *us)
{
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"ms", 1000}, {"s", SECOND_US}, {"m", 60 * SECOND_US}, {"h", 3600 * SECOND_US}};
    const uint64_t year = UINT64_C(8760) * 3600 * SECOND_US;
    size_t digits = strspn(text, "0123456789");
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].name) != 0 ||
            !text_to_number(span_of(text, digits), year / units[i].us, &number))
            continue;
        *us = number * units[i].us;
        return true;
    }
    return false;
}

bool arguments_read_output(struct cli *cli, int argc, char **argv, const struct usage *usage, const char **path)
{
    const struct argument options[] = {{"output", 'o', ARGUMENT_TEXT, path}, {0}};

    if (!arguments_read(cli, argc, argv, usage, options))
        return false;
    if (*path == NULL)
        cli->exit = output_usage(cli, usage->command, "-o F is missing; -o - is standard output");
    return *path != NULL;
}

bool entry_name_is_valid(const char *text)
{
    const char *slash = strrchr(text, '/');
    uint64_t number = 0;

    return slash != NULL && text_is_party_name(span_of(text, (size_t)(slash - text))) &&
           text_to_number(span_of_string(slash + 1), INT64_MAX, &number);
}

bool word_is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}
