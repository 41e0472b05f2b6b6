#include "fake.h"

static struct captured captured;

/* Runs `send` against a script. */
static enum exit_code sent(const struct step *steps, const char *words)
{
    struct fake fake;
    enum exit_code exit;

    fake_start(&fake, steps);
    exit = run_command(command_send, fake.directory, words, &captured);
    CHECK(fake_end(&fake));
    return exit;
}

#define RECORDED RESULT("{\"entries\":[{\"author\":\"washington.example\",\"number\":17}]}")
#define ENTRY(stored, acknowledged)                                                                                    \
    RESULT("{\"entries\":[{\"author\":\"washington.example\",\"number\":17,\"kind\":\"message\",\"stored\":[" stored   \
           "],\"acknowledged\":[" acknowledged "]}],\"next\":null}")
#define BY "{\"by\":\"pyongyang.example\",\"at\":\"2026-11-23T19:27:08Z\"}"

static void what_was_recorded_is_named(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"append\",\"params\":{\"line\":\"talks\",\"entries\":[{\"text\":\"Are you there?\",\"token\":\"", RECORDED},
        {0}};

    CHECK(sent(steps, "send talks -m Are_you_there?") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example/17\n") == 0);
    CHECK(captured.err[0] == '\0');
}

static void everything_that_is_said_of_a_message_is_sent(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"token\":\"00112233445566778899aabbccddeeff\",\"precedence\":\"flash\",\"language\":\"en\",\"answers\":"
         "\"pyongyang/2\",\"exercise\":true}",
         RECORDED},
        {0}};

    CHECK(sent(steps, "send talks -m x --token 00112233445566778899aabbccddeeff --precedence flash --yes --language en "
                      "--answers pyongyang/2 --exercise --json") == EXIT_DONE);
    CHECK(sent(steps, "send talks -m x --token 00112233445566778899aabbccddeeff --precedence FLASH --yes --language en "
                      "--answers pyongyang/2 --exercise --json") == EXIT_DONE);
    CHECK(strcmp(captured.out, "{\"author\":\"washington.example\",\"number\":17}\n") == 0);
}

static void a_line_not_compared_is_said_to_be_so(void)
{
    static const struct step steps[] = {{"\"status\"", STATUS("false")}, {"\"append\"", RECORDED}, {0}};

    CHECK(sent(steps, "send talks -m x") == EXIT_DONE);
    CHECK(strstr(captured.err, "NOT COMPARED: someone may sit between") != NULL);
    CHECK(strcmp(captured.out, "washington.example/17\n") == 0);
}

static void a_wait_ends_when_all_the_others_have_it(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"subscribe\"", RESULT("{}")},
        {"\"append\"", RECORDED},
        {"\"entries\",\"params\":{\"line\":\"talks\",\"from\":\"washington.example/17\",\"limit\":1}",
         ENTRY("", "") EVENT("{\"event\":\"stored\"}")},
        {"\"entries\"", ENTRY(BY, "")},
        {0}};

    CHECK(sent(steps, "send talks -m x --wait stored") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example/17\n") == 0 && captured.err[0] == '\0');
}

static void a_wait_that_ends_before_says_not_to_send_again(void)
{
    static const struct step steps[] = {{"\"status\"", STATUS("true")},
                                        {"\"subscribe\"", RESULT("{}")},
                                        {"\"append\"", RECORDED},
                                        {"\"entries\"", ENTRY("", "")},
                                        {0}};
    static const struct step acknowledged[] = {{"\"status\"", STATUS("true")},
                                               {"\"subscribe\"", RESULT("{}")},
                                               {"\"append\"", RECORDED},
                                               {"\"entries\"", ENTRY(BY, "")},
                                               {0}};
    static const struct step nowhere[] = {{"\"status\"", STATUS("true")},
                                          {"\"subscribe\"", RESULT("{}")},
                                          {"\"append\"", RECORDED},
                                          {"\"entries\"", ENTRY("", "")},
                                          {0}};

    CHECK(sent(steps, "send talks -m x --wait stored --timeout 100ms") == EXIT_WAITING);
    CHECK(strcmp(captured.out, "washington.example/17\n") == 0);
    CHECK(strcmp(captured.err, "liaison: Recorded as washington/17. Not stored at pyongyang yet; it goes by "
                               "itself. Do not send it again.\n") == 0);
    CHECK(sent(acknowledged, "send talks -m x --wait acknowledged --timeout 0s --json") == EXIT_WAITING);
    CHECK(strstr(captured.err,
                 "{\"error\":{\"code\":\"waiting\",\"message\":\"Recorded as washington/17. Not "
                 "acknowledged at pyongyang yet; it is stored there. Do not send it again.\"}}\n") == captured.err);
    CHECK(sent(nowhere, "send talks -m x --wait acknowledged --timeout 0s") == EXIT_WAITING);
    CHECK(strcmp(captured.err, "liaison: Recorded as washington/17. Not acknowledged at pyongyang yet; it goes by "
                               "itself. Do not send it again.\n") == 0);
}

static void a_lost_connection_is_followed_by_the_same_request(void)
{
    static const char token[] = "\"token\":\"00112233445566778899aabbccddeeff\"";
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")}, {token, NULL}, {"\"status\"", STATUS("true")}, {token, RECORDED}, {0}};

    CHECK(sent(steps, "send talks -m x --token 00112233445566778899aabbccddeeff") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example/17\n") == 0);
}

static void a_connection_lost_twice_is_unknown(void)
{
    static const struct step steps[] = {{"\"status\"", STATUS("true")},
                                        {"\"append\"", NULL},
                                        {"\"status\"", STATUS("true")},
                                        {"\"append\"", NULL},
                                        {0}};
    static const struct step locked[] = {{"\"status\"", STATUS("true")},
                                         {"\"append\"", NULL},
                                         {"\"status\"", STATUS("true")},
                                         {"\"append\"", FAILURE("locked", "the office is locked")},
                                         {0}};

    CHECK(sent(steps, "send talks -m x") == EXIT_UNKNOWN);
    CHECK(captured.out[0] == '\0' && strstr(captured.err, "--token ") != NULL);
    CHECK(sent(locked, "send talks -m x") == EXIT_UNKNOWN);
}

static void a_refusal_leaves_stdout_empty(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("false")}, {"\"append\"", FAILURE("refused", "the quota is used up")}, {0}};

    CHECK(sent(steps, "send talks -m x") == EXIT_REFUSED);
    CHECK(captured.out[0] == '\0');
    CHECK(strcmp(captured.err, "liaison: the quota is used up\n") == 0);
}

static void a_text_that_cannot_be_sent_is_refused_before_anything(void)
{
    char path[] = "/tmp/liaison-test-XXXXXX";
    char words[64];
    int file = mkstemp(path);
    char *big = malloc(60001);

    memset(big, 'a', 60001);
    snprintf(words, sizeof words, "send talks %s", path);
    CHECK(run_command(command_send, "/nonexistent", words, &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, path) != NULL && strstr(captured.err, " is empty; nothing was sent\n") != NULL);
    CHECK(write(file, "\xff", 1) == 1);
    CHECK(run_command(command_send, "/nonexistent", words, &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, path) != NULL && strstr(captured.err, " is not a text in UTF-8") != NULL);
    CHECK(pwrite(file, big, 60001, 0) == 60001);
    CHECK(run_command(command_send, "/nonexistent", words, &captured) == EXIT_REFUSED);
    CHECK(strstr(captured.err, "more than 60000 bytes") != NULL);
    CHECK(ftruncate(file, 60000) == 0);
    CHECK(run_command(command_send, "/nonexistent", words, &captured) == EXIT_NO_DAEMON);
    CHECK(captured.out[0] == '\0');
    free(big);
    close(file);
    unlink(path);
}

int main(void)
{
    RUN(what_was_recorded_is_named);
    RUN(everything_that_is_said_of_a_message_is_sent);
    RUN(a_line_not_compared_is_said_to_be_so);
    RUN(a_wait_ends_when_all_the_others_have_it);
    RUN(a_wait_that_ends_before_says_not_to_send_again);
    RUN(a_lost_connection_is_followed_by_the_same_request);
    RUN(a_connection_lost_twice_is_unknown);
    RUN(a_refusal_leaves_stdout_empty);
    RUN(a_text_that_cannot_be_sent_is_refused_before_anything);
    return test_end();
}
