#include "fake.h"

static struct captured captured;

static bool file_holds(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file != NULL)
        fclose(file);
    return file != NULL && size == strlen(expected) && strcmp(text, expected) == 0;
}

static void put_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL && fputs(content, file) >= 0 && fclose(file) == 0);
}

static enum exit_code found_with(const struct step *steps, const char *words)
{
    struct fake fake;
    enum exit_code exit;

    fake_start(&fake, steps);
    exit = run_command(command_line_found, fake.directory, words, &captured);
    CHECK(fake_end(&fake));
    return exit;
}

static void charter_and_key_are_written_and_people_are_told(void)
{
    static const struct step steps[] = {
        {"\"line.found\",\"params\":{\"name\":\"talks\",\"cards\":[\"card of the other\"],\"courier_key\":true}",
         RESULT("{\"charter\":\"the charter\",\"key\":\"the key\"}")},
        {"\"line.show\"", RESULT("{\"name\":\"talks\",\"fingerprint\":\"12345 67890\"}")},
        {0}};
    struct stat status;

    CHECK(found_with(steps, "found talks --with card") == EXIT_DONE);
    CHECK(file_holds("talks.charter", "the charter") && file_holds("talks.key", "the key"));
    CHECK(stat("talks.key", &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(strstr(captured.out,
                 "talks.charter may travel by any way. talks.key is SECRET: carry it by hand, never with "
                 "the charter, never by a network; delete it once both sides show the same number.") != NULL);
    CHECK(strstr(captured.out, "12345 67890") != NULL);
}

static void no_file_is_ever_replaced(void)
{
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card", &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, "talks.charter") != NULL);
    unlink("talks.charter");
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card", &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, "talks.key") != NULL);
    CHECK(access("talks.charter", F_OK) != 0);
    CHECK(file_holds("talks.key", "the key"));
    unlink("talks.key");
}

static void a_refusal_leaves_no_files(void)
{
    static const struct step steps[] = {{"\"line.found\"", FAILURE("exists", "there is a line talks")}, {0}};

    CHECK(found_with(steps, "found talks --with card") == EXIT_REFUSED);
    CHECK(strcmp(captured.err, "liaison: there is a line talks\n") == 0 && captured.out[0] == '\0');
    CHECK(access("talks.charter", F_OK) != 0 && access("talks.key", F_OK) != 0);
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card", &captured) == EXIT_NO_DAEMON);
    CHECK(access("talks.charter", F_OK) != 0 && access("talks.key", F_OK) != 0);
}

static void a_line_may_have_no_key_and_several_cards(void)
{
    static const struct step steps[] = {
        {"\"cards\":[\"card of the other\",\"card of the other\",\"card of the other\"],\"courier_key\":false}",
         RESULT("{\"charter\":\"the charter\",\"key\":null}")},
        {"\"line.show\"", RESULT("{\"fingerprint\":\"12345 67890\"}")},
        {0}};

    CHECK(found_with(steps, "found talks --with card card --with card --no-courier-key --charter c --json") ==
          EXIT_DONE);
    CHECK(strcmp(captured.out,
                 "{\"name\":\"talks\",\"charter\":\"c\",\"key\":null,\"fingerprint\":\"12345 67890\"}\n") == 0);
    CHECK(file_holds("c", "the charter"));
    CHECK(access("talks.key", F_OK) != 0);
    unlink("c");
}

static void what_is_wrong_is_said_before_the_daemon_is_asked(void)
{
    CHECK(run_command(command_line_found, "/nonexistent", "found talks", &captured) == EXIT_USAGE);
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card --key k --no-courier-key",
                      &captured) == EXIT_USAGE);
    CHECK(run_command(command_line_found, "/nonexistent", "found Talks --with card", &captured) == EXIT_REFUSED);
    CHECK(run_command(command_line_found, "/nonexistent", "found ../x --with card", &captured) == EXIT_REFUSED);
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with absent", &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, "absent") != NULL);
    CHECK(access("talks.charter", F_OK) != 0);
}

int main(void)
{
    char directory[] = "/tmp/liaison-test-XXXXXX";

    CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
    put_file("card", "card of the other");
    RUN(charter_and_key_are_written_and_people_are_told);
    RUN(no_file_is_ever_replaced);
    RUN(a_refusal_leaves_no_files);
    RUN(a_line_may_have_no_key_and_several_cards);
    RUN(what_is_wrong_is_said_before_the_daemon_is_asked);
    unlink("card");
    CHECK(chdir("/") == 0 && rmdir(directory) == 0);
    return test_end();
}
