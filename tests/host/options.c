#include "test.h"

#include "host/options.h"

#include <getopt.h>

/* The words of a command line behind the program's name, up to a NULL. */
static int read_words(struct options *options, struct error *error, const char *const *words)
{
    static char copies[16][256];
    char *argv[17] = {(char[]){"liaisond"}};
    int argc = 1;

    *error = (struct error){0};
    for (; words[argc - 1] != NULL; argc++) {
        (void)snprintf(copies[argc - 1], sizeof copies[0], "%s", words[argc - 1]);
        argv[argc] = copies[argc - 1];
    }
    optind = 0; /* getopt starts over */
    return options_read(options, argc, argv, error);
}
#define READ(...) read_words(&options, &error, (const char *const[]){__VA_ARGS__, NULL})

static void what_is_not_given_has_its_default(void)
{
    struct options options;
    struct error error;

    CHECK(read_words(&options, &error, (const char *const[]){NULL}) == 0);
    CHECK(options.office == NULL && options.key_file == NULL && options.mark == NULL && options.listen_count == 0);
    CHECK(options.config.keepalive_us == 5 * SECOND_US && options.config.redial_max_us == 30 * SECOND_US);
    CHECK(!options.help && !options.version && !options.no_commands && !options.no_confinement);
}

static void all_options_are_read(void)
{
    struct options options;
    struct error error;

    CHECK(READ("--office", "w", "--key-file=k", "--mark", "m", "--listen", "tcp://[::1]:7001", "--listen", "unix:/s",
               "--keepalive", "500ms", "--redial-max=2m") == 0);
    CHECK(strcmp(options.office, "w") == 0 && strcmp(options.key_file, "k") == 0 && strcmp(options.mark, "m") == 0);
    CHECK(options.listen_count == 2);
    CHECK(options.listen[0].kind == ADDRESS_TCP && strcmp(options.listen[0].host, "::1") == 0);
    CHECK(options.listen[1].kind == ADDRESS_UNIX && strcmp(options.listen[1].path, "/s") == 0);
    CHECK(options.config.keepalive_us == 500000 && options.config.redial_max_us == 120 * SECOND_US);
    CHECK(READ("--no-commands") == 0 && options.no_commands && !options.no_confinement);
    CHECK(READ("--no-confinement") == 0 && options.no_confinement && !options.no_commands);
    CHECK(READ("--version") == 0 && options.version);
    CHECK(READ("--help") == 0 && options.help);
}

static void what_is_wrong_is_refused(void)
{
    static const char *const wrong[][4] = {
        {"--nonsense"},
        {"--office"},
        {"operand"},
        {"-x"},
        {"--listen", "exec:cat"},
        {"--listen", "tcp://host"},
        {"--listen", "nothing"},
        {"--keepalive", "5"},
        {"--keepalive", "s"},
        {"--keepalive", "0s"},
        {"--keepalive", "-1s"},
        {"--keepalive", "5 s"},
        {"--keepalive", "5ss"},
        {"--keepalive", "25h"},
        {"--keepalive", "99999999999999999999s"},
        {"--redial-max", "1.5s"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct options options;
        struct error error;

        CHECK(read_words(&options, &error, wrong[i]) == -1);
        CHECK(error.code == ERROR_USAGE && error.message[0] != '\0');
    }
}

static void what_is_wrong_is_named(void)
{
    struct options options;
    struct error error;

    CHECK(READ("--office", "w", "-qz") == -1 && strcmp(error.message, "-q is no option of liaisond") == 0);
    CHECK(READ("--office", "w", "--qz") == -1 && strcmp(error.message, "--qz is no option of liaisond") == 0);
    CHECK(READ("-h") == -1 && strcmp(error.message, "-h is no option of liaisond") == 0);
    CHECK(READ("--mark") == -1 && strcmp(error.message, "--mark needs a value") == 0);
}

static void listening_is_bounded(void)
{
    const char *words[2 * LISTEN_MAX + 3] = {0};
    struct options options;
    struct error error = {0};
    char *argv[2 * LISTEN_MAX + 4] = {(char[]){"liaisond"}};
    char option[] = "--listen=unix:s";

    (void)words;
    for (int i = 1; i <= LISTEN_MAX + 1; i++)
        argv[i] = option;
    optind = 0;
    CHECK(options_read(&options, LISTEN_MAX + 1, argv, &error) == 0 && options.listen_count == LISTEN_MAX);
    optind = 0;
    CHECK(options_read(&options, LISTEN_MAX + 2, argv, &error) == -1 && error.code == ERROR_USAGE);
}

static const char *directory_of(const char *given, const char *variable, const char *data, const char *home)
{
    static char directory[PATH_MAX];
    struct options options = {.office = given};
    const char *looked = NULL;
    const char *const names[] = {"LIAISON_OFFICE", "XDG_DATA_HOME", "HOME"};
    const char *const values[] = {variable, data, home};

    for (size_t i = 0; i < 3; i++) {
        if (values[i] != NULL)
            (void)setenv(names[i], values[i], 1);
        else
            (void)unsetenv(names[i]);
    }
    if (options_directory(&options, directory, &looked, NULL) != 0)
        return "";
    CHECK(looked != NULL && looked[0] != '\0');
    return directory;
}

static void the_office_is_looked_for_in_order(void)
{
    CHECK(strcmp(directory_of("given/", "variable", "/data", "/home"), "given") == 0);
    CHECK(strcmp(directory_of(NULL, "variable", "/data", "/home"), "variable") == 0);
    CHECK(strcmp(directory_of("/", "variable", "/data", "/home"), "/") == 0);
    CHECK(strcmp(directory_of("", "variable", "/data", "/home"), "") == 0);
    if (fopen("/var/lib/liaison", "r") != NULL) {
        SKIP("the_data_folder", "this machine has an office of the system's");
        return;
    }
    CHECK(strcmp(directory_of(NULL, NULL, "/data", "/home"), "/data/liaison") == 0);
    CHECK(strcmp(directory_of(NULL, "", "relative", "/home"), "/home/.local/share/liaison") == 0);
    CHECK(strcmp(directory_of(NULL, NULL, NULL, "/home"), "/home/.local/share/liaison") == 0);
    CHECK(strcmp(directory_of(NULL, NULL, NULL, NULL), "") == 0);
}

static void a_path_too_long_is_refused(void)
{
    static char path[PATH_MAX + 1];

    memset(path, 'x', PATH_MAX);
    CHECK(strcmp(directory_of(path, NULL, NULL, NULL), "") == 0);
}

int main(void)
{
    RUN(what_is_not_given_has_its_default);
    RUN(all_options_are_read);
    RUN(what_is_wrong_is_refused);
    RUN(what_is_wrong_is_named);
    RUN(listening_is_bounded);
    RUN(the_office_is_looked_for_in_order);
    RUN(a_path_too_long_is_refused);
    return test_end();
}
