#include "host/options.h"

#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OFFICE_SYSTEM "/var/lib/liaison"
#define KEEPALIVE_DEFAULT_US (5 * SECOND_US)
#define REDIAL_MAX_DEFAULT_US (30 * SECOND_US)
#define DURATION_MAX_US (24 * 3600 * SECOND_US)

/* A whole number and a unit: 500ms, 5s, 2m, 1h. */
static int read_duration(const char *option, const char *text, uint64_t *us, struct error *error)
{
    static const struct {
        const char *unit;
        uint64_t us;
    } units[] = {{"ms", 1000}, {"s", SECOND_US}, {"m", 60 * SECOND_US}, {"h", 3600 * SECOND_US}};
    size_t digits = strspn(text, "0123456789");

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + digits, units[i].unit) == 0 &&
            text_to_number(span_of(text, digits), DURATION_MAX_US / units[i].us, us) && *us > 0) {
            *us *= units[i].us;
            return 0;
        }
    return error_set(error, ERROR_USAGE, "--%s %s is not a time such as 5s or 500ms, of at most 24h", option, text);
}

static int add_listen(struct options *options, const char *text, struct error *error)
{
    struct error cause = {0};

    if (options->listen_count == LISTEN_MAX)
        return error_set(error, ERROR_USAGE, "--listen is there more than %d times", LISTEN_MAX);
    if (address_parse(&options->listen[options->listen_count], span_of_string(text), &cause) != 0)
        return error_set(error, ERROR_USAGE, "--listen %s: %s", text, cause.message);
    if (options->listen[options->listen_count].kind == ADDRESS_EXEC)
        return error_set(error, ERROR_USAGE, "--listen %s: a command cannot be listened on", text);
    options->listen_count++;
    return 0;
}

/* What getopt_long() returns: beyond any letter, so that it is known when a letter was given, which none may be. */
enum { OFFICE = 256, KEY_FILE, MARK, LISTEN, KEEPALIVE, REDIAL_MAX, NO_COMMANDS, NO_CONFINEMENT, HELP, VERSION };

static int read_option(struct options *options, int option, struct error *error)
{
    switch (option) {
    case OFFICE:
        options->office = optarg;
        return 0;
    case KEY_FILE:
        options->key_file = optarg;
        return 0;
    case MARK:
        options->mark = optarg;
        return 0;
    case LISTEN:
        return add_listen(options, optarg, error);
    case KEEPALIVE:
        return read_duration("keepalive", optarg, &options->config.keepalive_us, error);
    case REDIAL_MAX:
        return read_duration("redial-max", optarg, &options->config.redial_max_us, error);
    case NO_COMMANDS:
        options->no_commands = true;
        return 0;
    case NO_CONFINEMENT:
        options->no_confinement = true;
        return 0;
    case HELP:
        options->help = true;
        return 0;
    default:
        options->version = true;
        return 0;
    }
}

int options_read(struct options *options, int argc, char **argv, struct error *error)
{
    static const struct option table[] = {
        {"office", required_argument, NULL, OFFICE},
        {"key-file", required_argument, NULL, KEY_FILE},
        {"mark", required_argument, NULL, MARK},
        {"listen", required_argument, NULL, LISTEN},
        {"keepalive", required_argument, NULL, KEEPALIVE},
        {"redial-max", required_argument, NULL, REDIAL_MAX},
        {"no-commands", no_argument, NULL, NO_COMMANDS},
        {"no-confinement", no_argument, NULL, NO_CONFINEMENT},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    int option = 0;

    *options = (struct options){.config = {KEEPALIVE_DEFAULT_US, REDIAL_MAX_DEFAULT_US}};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (option == ':')
            return error_set(error, ERROR_USAGE, "%s needs a value", argv[optind - 1]);
        if (option == '?' && optopt > 0 && optopt < OFFICE)
            return error_set(error, ERROR_USAGE, "-%c is no option of liaisond", optopt);
        if (option == '?')
            return error_set(error, ERROR_USAGE, "%s is no option of liaisond", argv[optind - 1]);
        if (read_option(options, option, error) != 0)
            return -1;
    }
    if (optind < argc)
        return error_set(error, ERROR_USAGE, "%s is not an option, and liaisond takes nothing else", argv[optind]);
    return 0;
}

static int take(char directory[static PATH_MAX], const char *path, const char *rest, struct error *error)
{
    int size = snprintf(directory, PATH_MAX, "%s%s", path, rest);

    if (size < 0 || size >= PATH_MAX)
        return error_set(error, ERROR_SYSTEM, "the office's path is longer than the system allows");
    while (size > 1 && directory[size - 1] == '/')
        directory[--size] = '\0';
    return 0;
}

static bool is_given(const char *path)
{
    return path != NULL && path[0] != '\0';
}

int options_directory(const struct options *options, char directory[static PATH_MAX], const char **looked,
                      struct error *error)
{
    const char *variable = getenv("LIAISON_OFFICE");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");

    if (options->office != NULL && !is_given(options->office))
        return error_set(error, ERROR_USAGE, "--office is empty");
    *looked = "from --office";
    if (options->office != NULL)
        return take(directory, options->office, "", error);
    *looked = "from LIAISON_OFFICE; there is no --office";
    if (is_given(variable))
        return take(directory, variable, "", error);
    *looked = "the system's; there is no --office and no LIAISON_OFFICE";
    if (access(OFFICE_SYSTEM, F_OK) == 0)
        return take(directory, OFFICE_SYSTEM, "", error);
    *looked = "the user's data folder; there is no --office, no LIAISON_OFFICE and no " OFFICE_SYSTEM;
    /* XDG Base Directory: a path that is not absolute counts as not set. */
    if (is_given(data) && data[0] == '/')
        return take(directory, data, "/liaison", error);
    if (is_given(home))
        return take(directory, home, "/.local/share/liaison", error);
    return error_set(error, ERROR_USAGE,
                     "there is no --office, no LIAISON_OFFICE, no " OFFICE_SYSTEM
                     " and no HOME, so it is not known where the office is");
}
