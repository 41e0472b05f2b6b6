#include "fake.h"

static struct captured captured;

static enum exit_code read_with(const struct step *steps, const char *words)
{
    struct fake fake;
    enum exit_code exit;

    fake_start(&fake, steps);
    exit = run_command(command_read, fake.directory, words, &captured);
    CHECK(fake_end(&fake));
    return exit;
}

#define SERVICE(number)                                                                                                \
    "{\"line\":\"talks\",\"author\":\"washington.example\",\"number\":" number ",\"kind\":\"epoch\"}"
#define MESSAGE(number, text)                                                                                          \
    "{\"line\":\"talks\",\"author\":\"washington.example\",\"number\":" number                                         \
    ",\"kind\":\"message\",\"text\":\"" text                                                                           \
    "\",\"language\":null,\"precedence\":\"routine\",\"exercise\":false,\"written\":\"T\",\"received\":\"T\","         \
    "\"answers\":null,\"state\":\"waiting\",\"stored\":[],\"acknowledged\":[],\"readable\":true,\"leaf\":\"00\"}"
#define SEALED(number)                                                                                                 \
    "{\"line\":\"talks\",\"author\":\"washington.example\",\"number\":" number                                         \
    ",\"kind\":\"sealed\",\"readable\":false}"
#define PAGE(entries, next) RESULT("{\"entries\":[" entries "],\"next\":" next "}")
#define ARRIVED(entry) EVENT("{\"event\":\"entry\",\"entry\":" entry "}")

static void pages_are_read_to_the_end_and_folded(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"entries\",\"params\":{\"line\":\"talks\",\"limit\":256}", PAGE(SERVICE("0") "," SERVICE("1"), "\"p1\"")},
        {"\"after\":\"p1\"", PAGE(SERVICE("2") "," MESSAGE("3", "Hello"), "null")},
        {0}};

    CHECK(read_with(steps, "read talks") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington/0-2  service (keys)\nwashington/3  ROUTINE  T  waiting\n    Hello\n") == 0);
    CHECK(captured.err[0] == '\0');
}

static void json_is_one_message_a_line_with_the_fields_promised(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("false")},
        {"\"from\":\"washington/1\"", PAGE(SERVICE("1") "," MESSAGE("2", "Hello") "," SEALED("3"), "null")},
        {0}};

    CHECK(read_with(steps, "read talks --json --from washington/1") == EXIT_DONE);
    CHECK(strcmp(captured.out,
                 "{\"author\":\"washington.example\",\"number\":2,\"kind\":\"message\",\"text\":\"Hello\","
                 "\"language\":null,\"precedence\":\"routine\",\"exercise\":false,\"written\":\"T\",\"received\":\"T\","
                 "\"answers\":null,\"state\":\"waiting\",\"stored\":[],\"acknowledged\":[],\"readable\":true,"
                 "\"leaf\":\"00\"}\n"
                 "{\"author\":\"washington.example\",\"number\":3,\"kind\":\"sealed\",\"readable\":false,\"text\":null,"
                 "\"language\":null}\n") == 0);
    CHECK(strstr(captured.err, "NOT COMPARED: someone may sit between") != NULL);
}

static void all_shows_what_the_machinery_wrote(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")}, {"\"entries\"", PAGE(SERVICE("1") "," MESSAGE("2", "a"), "null")}, {0}};

    CHECK(read_with(steps, "read talks --all --json") == EXIT_DONE);
    CHECK(strstr(captured.out, "\"kind\":\"epoch\"") != NULL && strstr(captured.out, "\"line\"") == NULL);
}

static void following_shows_what_arrives_once(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"subscribe\"", RESULT("{}")},
        {"\"entries\"", ARRIVED(MESSAGE("3", "in both")) PAGE(MESSAGE("3", "in both"), "null")
                            ARRIVED(MESSAGE("4", "later")) ARRIVED(SERVICE("5")) EVENT("{\"event\":\"lost\"}")},
        {"\"entries\"", PAGE(MESSAGE("4", "later") "," MESSAGE("6", "lost"), "null")},
        /* The daemon ends; so does following. */
        {0}};
    struct fake fake;
    pid_t reader = 0;
    int status = 0;

    /* Following ends with an interrupt, cleanly; it is sent when everything has been shown. */
    fake_start(&fake, steps);
    fflush(stdout);
    reader = fork();
    if (reader == 0) {
        alarm(20);
        if (fork() == 0) {
            usleep(500000);
            kill(getppid(), SIGINT);
            _exit(0);
        }
        if (run_command(command_read, fake.directory, "read talks --follow", &captured) != EXIT_DONE)
            _exit(1);
        if (strcmp(captured.out, "washington/3  ROUTINE  T  waiting\n    in both\n"
                                 "washington/4  ROUTINE  T  waiting\n    later\n"
                                 "washington/5  service (keys)\n"
                                 "washington/6  ROUTINE  T  waiting\n    lost\n") != 0) {
            printf("# %s", captured.out);
            fflush(stdout);
            _exit(2);
        }
        _exit(0);
    }
    waitpid(reader, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(fake_end(&fake));
}

static void a_daemon_that_ends_is_said_to_have(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")}, {"\"subscribe\"", RESULT("{}")}, {"\"entries\"", "nonsense\n"}, {0}};

    CHECK(read_with(steps, "read talks --follow") == EXIT_NO_DAEMON);
    CHECK(captured.err[0] != '\0');
}

static void a_refusal_is_passed_on(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")}, {"\"entries\"", FAILURE("not-found", "there is no line tallks")}, {0}};

    CHECK(read_with(steps, "read tallks") == EXIT_REFUSED);
    CHECK(strcmp(captured.err, "liaison: there is no line tallks\n") == 0 && captured.out[0] == '\0');
}

int main(void)
{
    RUN(pages_are_read_to_the_end_and_folded);
    RUN(json_is_one_message_a_line_with_the_fields_promised);
    RUN(all_shows_what_the_machinery_wrote);
    RUN(following_shows_what_arrives_once);
    RUN(a_daemon_that_ends_is_said_to_have);
    RUN(a_refusal_is_passed_on);
    return test_end();
}
