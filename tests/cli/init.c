/* What init asks on a terminal; init.sh has the rest. */
#include "cli/cli.h"

#include "person.h"
#include "seal/secret.h"

#define TYPED(...) ((const char *const[]){__VA_ARGS__, NULL})

static char directory[] = "/tmp/liaison-test-XXXXXX";
static char screen[2048];

static int make(void)
{
    struct cli cli = {.office = "office"};
    struct error error = {0};
    char *argv[] = {(char[]){"init"}, (char[]){"osaka.example"}, NULL};
    enum exit_code exit = seal_init(&error) == 0 ? command_init(&cli, 2, argv) : EXIT_UNKNOWN;

    fflush(stdout);
    return (int)exit;
}

static void two_passphrases_that_differ_make_nothing(void)
{
    CHECK(at_terminal(make, TYPED("correct horse\n", "correct hearse\n"), screen) == EXIT_REFUSED);
    CHECK(strstr(screen, "the two passphrases differ") != NULL);
    CHECK(at_terminal(make, TYPED("short\n"), screen) == EXIT_REFUSED);
    CHECK(access("office", F_OK) != 0 && access("office.mark", F_OK) != 0);
}

static void the_passphrase_is_asked_for_twice_and_no_more(void)
{
    CHECK(at_terminal(make, TYPED("correct horse\n", "correct horse\n"), screen) == EXIT_DONE);
    CHECK(strstr(screen, "osaka.example: an office in office") != NULL);
    CHECK(strstr(screen, "correct") == NULL);
    CHECK(access("office/liaison.db", F_OK) == 0);
    CHECK(unlink("office/liaison.db") == 0 && unlink("office/card") == 0 && rmdir("office") == 0);
    CHECK(unlink("office.mark") == 0);
}

int main(void)
{
    CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
    RUN(two_passphrases_that_differ_make_nothing);
    RUN(the_passphrase_is_asked_for_twice_and_no_more);
    CHECK(chdir("/") == 0 && rmdir(directory) == 0);
    return test_end();
}
