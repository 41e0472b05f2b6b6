#include "fake.h"
#include "seal/card.h"
#include "seal/secret.h"

static struct buffer card; /* of the other party */

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

static void make_card(void)
{
    struct identity identity;
    struct entropy entropy = {0};
    struct card made;

    entropy_stir(&entropy, span_of_string("pyongyang"));
    identity_generate(&identity, &entropy);
    CHECK(card_make(&made, "pyongyang.example", "ko", &identity, NULL) == 0);
    card_print(&made, &card);
}

/* The request for a line with that card `count` times. */
static const char *asked(unsigned count, const char *courier_key)
{
    static char text[8192];
    json_t *cards = json_array();
    char *printed = NULL;

    for (unsigned i = 0; i < count; i++)
        (void)json_array_append_new(cards, json_string(buffer_string(&card)));
    printed = json_dumps(cards, JSON_COMPACT);
    (void)snprintf(text, sizeof text, "\"line.found\",\"params\":{\"name\":\"talks\",\"cards\":%s,\"courier_key\":%s}",
                   printed, courier_key);
    free(printed);
    json_decref(cards);
    return text;
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
    const struct step steps[] = {{asked(1, "true"), RESULT("{\"charter\":\"the charter\",\"key\":\"the key\"}")},
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
    CHECK(strcmp(captured.err, "liaison: card: there is a line talks. Nothing was changed\n") == 0);
    CHECK(captured.out[0] == '\0');
    CHECK(access("talks.charter", F_OK) != 0 && access("talks.key", F_OK) != 0);
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card", &captured) == EXIT_NO_DAEMON);
    CHECK(access("talks.charter", F_OK) != 0 && access("talks.key", F_OK) != 0);
}

static void a_line_may_have_no_key_and_several_cards(void)
{
    const struct step steps[] = {{asked(3, "false"), RESULT("{\"charter\":\"the charter\",\"key\":null}")},
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

static void quotas_go_into_the_request_as_they_are_given(void)
{
    static const struct step steps[] = {
        {",\"courier_key\":false,\"quota_entries\":16,\"quota_bytes\":9007199254740992}",
         RESULT("{\"charter\":\"the charter\",\"key\":null}")},
        {"\"line.show\"", RESULT("{\"fingerprint\":\"12345 67890\"}")},
        {0}};
    static const char *const wrong[] = {"--quota-entries 15",
                                        "--quota-entries 0",
                                        "--quota-entries 016",
                                        "--quota-entries -16",
                                        "--quota-entries 9007199254740993",
                                        "--quota-entries 18446744073709551632",
                                        "--quota-entries many",
                                        "--quota-bytes 131071",
                                        "--quota-bytes 1G",
                                        "--quota-bytes 1e9"};

    CHECK(found_with(steps, "found talks --with card --no-courier-key --charter c --quota-entries 16 --quota-bytes "
                            "9007199254740992") == EXIT_DONE);
    unlink("c");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char words[100];

        (void)snprintf(words, sizeof words, "found talks --with card %s", wrong[i]);
        CHECK(run_command(command_line_found, "/nonexistent", words, &captured) == EXIT_USAGE);
        CHECK(strstr(captured.err, "takes a number from ") != NULL && strstr(captured.err, "--quota-") != NULL);
        CHECK(access("talks.charter", F_OK) != 0);
    }
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
    CHECK(run_command(command_line_found, "/nonexistent", "found talks --with card --with other", &captured) ==
          EXIT_REFUSED);
    CHECK(strstr(captured.err, "liaison: other: this is no card: ") == captured.err);
    CHECK(strstr(captured.err, "Nothing was changed; ask that party") != NULL);
    CHECK(access("talks.charter", F_OK) != 0);
}

int main(void)
{
    char directory[] = "/tmp/liaison-test-XXXXXX";

    CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
    make_card();
    put_file("card", buffer_string(&card));
    put_file("other", "card of the other");
    RUN(charter_and_key_are_written_and_people_are_told);
    RUN(no_file_is_ever_replaced);
    RUN(a_refusal_leaves_no_files);
    RUN(a_line_may_have_no_key_and_several_cards);
    RUN(quotas_go_into_the_request_as_they_are_given);
    RUN(what_is_wrong_is_said_before_the_daemon_is_asked);
    unlink("card");
    unlink("other");
    buffer_free(&card);
    CHECK(chdir("/") == 0 && rmdir(directory) == 0);
    return test_end();
}
