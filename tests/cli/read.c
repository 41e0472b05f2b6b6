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

static void the_last_are_written_in_the_lines_order(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"order\":\"falling\"", PAGE(MESSAGE("9", "nine") "," SERVICE("8") "," MESSAGE("7", "seven"), "\"p1\"")},
        {"\"after\":\"p1\"", PAGE(MESSAGE("6", "six") "," MESSAGE("5", "five"), "\"p2\"")},
        {0}};

    CHECK(read_with(steps, "read talks --last 3") == EXIT_DONE);
    CHECK(strcmp(captured.out,
                 "washington/6  ROUTINE  T  waiting\n    six\nwashington/7  ROUTINE  T  waiting\n    seven\n"
                 "washington/8  service (keys)\nwashington/9  ROUTINE  T  waiting\n    nine\n") == 0);
    CHECK(run_command(command_read, "/nowhere", "read talks --last 0", &captured) == EXIT_USAGE);
    CHECK(run_command(command_read, "/nowhere", "read talks --last 10001", &captured) == EXIT_USAGE);
    CHECK(run_command(command_read, "/nowhere", "read talks --last x", &captured) == EXIT_USAGE);
    CHECK(run_command(command_read, "/nowhere", "read talks --last 3 --from washington/1", &captured) == EXIT_USAGE);
}

/* In STATUS Washington has 18 entries: those are of before. */
static void what_was_lost_is_written_and_nothing_of_before(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"subscribe\"", RESULT("{}")},
        {"\"falling\"", PAGE(MESSAGE("17", "the last"), "\"p1\"")},
        {"\"falling\"", PAGE(MESSAGE("16", "before"), "\"p2\"") EVENT("{\"event\":\"lost\"}")},
        {"\"falling\"", PAGE(MESSAGE("20", "c") "," MESSAGE("19", "b"), "\"p1\"")},
        {"\"after\":\"p1\"", PAGE(MESSAGE("18", "a") "," MESSAGE("17", "the last") "," MESSAGE("15", "old"), "\"p2\"")},
        {"\"after\":\"p2\"", PAGE(MESSAGE("14", "older"), "\"p3\"") "nonsense\n"},
        {0}};

    CHECK(read_with(steps, "read talks --last 1 --follow") == EXIT_NO_DAEMON);
    CHECK(strcmp(captured.out, "washington/17  ROUTINE  T  waiting\n    the last\n"
                               "washington/18  ROUTINE  T  waiting\n    a\nwashington/19  ROUTINE  T  waiting\n    b\n"
                               "washington/20  ROUTINE  T  waiting\n    c\n") == 0);
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
    RUN(the_last_are_written_in_the_lines_order);
    RUN(what_was_lost_is_written_and_nothing_of_before);
    RUN(a_daemon_that_ends_is_said_to_have);
    RUN(a_refusal_is_passed_on);
    return test_end();
}
