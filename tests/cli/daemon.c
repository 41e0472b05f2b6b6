#include "cli/daemon.h"

#include "fake.h"

static json_t *ask(struct fake *fake, const char *method, enum exit_code *exit, struct error *error,
                   uint64_t timeout_us)
{
    struct cli cli = {.office = fake->directory};
    struct daemon daemon;
    json_t *result = NULL;

    *error = (struct error){0};
    *exit = daemon_open(&daemon, &cli, error);
    if (*exit == EXIT_DONE) {
        daemon.deadline_us = monotonic_us() + timeout_us;
        result = daemon_call(&daemon, method, json_object(), exit, error);
    }
    daemon_close(&daemon);
    return result;
}

static void an_answer_comes_back(void)
{
    static const struct step steps[] = {{"\"card\"", EVENT("{\"event\":\"lost\"}") RESULT("{\"card\":\"text\"}")}, {0}};
    struct fake fake;
    struct error error;
    enum exit_code exit;
    json_t *result = NULL;

    fake_start(&fake, steps);
    result = ask(&fake, "card", &exit, &error, CALL_TIMEOUT_US);
    CHECK(exit == EXIT_DONE && json_object_get(result, "card") != NULL);
    json_decref(result);
    CHECK(fake_end(&fake));
}

static void errors_become_exit_codes(void)
{
    static const struct {
        const char *method;
        struct step steps[2];
        enum exit_code exit;
    } cases[] = {
        {"append", {{"append", FAILURE("refused", "no")}, {0}}, EXIT_REFUSED},
        {"append", {{"append", FAILURE("full", "no")}, {0}}, EXIT_REFUSED},
        {"append", {{"append", FAILURE("locked", "no")}, {0}}, EXIT_REFUSED},
        {"append", {{"append", FAILURE("usage", "no")}, {0}}, EXIT_USAGE},
        {"append", {{"append", FAILURE("storage", "no")}, {0}}, EXIT_UNKNOWN},
        {"line.confirm", {{"line.confirm", FAILURE("mismatch", "no")}, {0}}, EXIT_REFUSED},
        {"record.verify", {{"record.verify", FAILURE("mismatch", "no")}, {0}}, EXIT_UNVERIFIED},
        {"record.verify", {{"record.verify", FAILURE("storage", "no")}, {0}}, EXIT_UNVERIFIED},
        {"entries", {{"entries", FAILURE("storage", "no")}, {0}}, EXIT_REFUSED},
        /* The connection ends, or what comes is not the protocol. */
        {"append", {{"append", NULL}, {0}}, EXIT_UNKNOWN},
        {"append", {{"append", "nonsense\n"}, {0}}, EXIT_UNKNOWN},
        {"status", {{"status", NULL}, {0}}, EXIT_NO_DAEMON},
        /* No answer in time. */
        {"append", {{"append", ""}, {0}}, EXIT_UNKNOWN},
        {"status", {{"status", ""}, {0}}, EXIT_NO_DAEMON},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake;
        struct error error;
        enum exit_code exit;

        fake_start(&fake, cases[i].steps);
        CHECK(ask(&fake, cases[i].method, &exit, &error, 200000) == NULL);
        if (exit != cases[i].exit)
            printf("# case %zu: %d %s\n", i, (int)exit, error.message);
        CHECK(exit == cases[i].exit && error.message[0] != '\0');
        CHECK(fake_end(&fake));
    }
}

static void where_no_daemon_is_the_sentence_says_where_was_looked(void)
{
    struct cli cli = {.office = "/nonexistent"};
    struct daemon daemon;
    struct error error = {0};

    CHECK(daemon_open(&daemon, &cli, &error) == EXIT_NO_DAEMON);
    CHECK(strstr(error.message, "/nonexistent") != NULL && strstr(error.message, "--office") != NULL);
    daemon_close(&daemon);
    cli.office = "/tmp";
    error = (struct error){0};
    CHECK(daemon_open(&daemon, &cli, &error) == EXIT_NO_DAEMON);
    CHECK(strstr(error.message, "control.sock") != NULL && strstr(error.message, "--key-file") != NULL);
    daemon_close(&daemon);
}

/* Another user is not told to start a daemon that runs. Root, who may do all, is made somebody else for a moment. */
static void who_may_not_ask_is_told_so(void)
{
    char directory[] = "/tmp/liaison-test-XXXXXX";
    struct cli cli = {.office = directory};
    struct daemon daemon;
    struct error error = {0};
    uid_t user = geteuid();

    CHECK(mkdtemp(directory) != NULL && chmod(directory, 0) == 0);
    CHECK(user != 0 || seteuid(65534) == 0);
    CHECK(daemon_open(&daemon, &cli, &error) == EXIT_NO_DAEMON);
    CHECK(seteuid(user) == 0);
    CHECK(strstr(error.message, "this user may not ask the office in /tmp/") == error.message);
    CHECK(strstr(error.message, "Start it") == NULL);
    daemon_close(&daemon);
    CHECK(rmdir(directory) == 0);
}

static void events_are_kept_in_order_until_they_are_asked_for(void)
{
    static const struct step steps[] = {{"status", EVENT("{\"event\":\"one\"}") EVENT("{\"event\":\"two\"}")
                                                       RESULT("{}") EVENT("{\"event\":\"three\"}")},
                                        {0}};
    static const char *const names[] = {"one", "two", "three"};
    struct fake fake;
    struct cli cli = {0};
    struct daemon daemon;
    struct error error = {0};
    enum exit_code exit;
    json_t *event = NULL;

    fake_start(&fake, steps);
    cli.office = fake.directory;
    CHECK(daemon_open(&daemon, &cli, &error) == EXIT_DONE);
    json_decref(daemon_call(&daemon, "status", json_object(), &exit, &error));
    CHECK(exit == EXIT_DONE);
    for (int i = 0; i < 3; i++) {
        CHECK(daemon_event(&daemon, &event, &error) == 1);
        CHECK(strcmp(json_string_value(json_object_get(event, "event")), names[i]) == 0);
        json_decref(event);
    }
    daemon.deadline_us = monotonic_us() + 20000;
    CHECK(daemon_event(&daemon, &event, &error) == 0);
    daemon_close(&daemon);
    CHECK(fake_end(&fake));
}

static void an_interrupt_ends_waiting(void)
{
    static const struct step steps[] = {{"status", RESULT("{}")}, {0}};
    struct fake fake;
    struct cli cli = {0};
    struct daemon daemon;
    struct error error = {0};
    enum exit_code exit;
    json_t *event = NULL;
    int ends[2];

    fake_start(&fake, steps);
    cli.office = fake.directory;
    CHECK(pipe(ends) == 0 && write(ends[1], "", 1) == 1);
    CHECK(daemon_open(&daemon, &cli, &error) == EXIT_DONE);
    json_decref(daemon_call(&daemon, "status", json_object(), &exit, &error));
    daemon.interrupt = ends[0];
    daemon.deadline_us = UINT64_MAX;
    CHECK(daemon_event(&daemon, &event, &error) == 0);
    daemon_close(&daemon);
    CHECK(fake_end(&fake));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    RUN(an_answer_comes_back);
    RUN(errors_become_exit_codes);
    RUN(where_no_daemon_is_the_sentence_says_where_was_looked);
    RUN(who_may_not_ask_is_told_so);
    RUN(events_are_kept_in_order_until_they_are_asked_for);
    RUN(an_interrupt_ends_waiting);
    return test_end();
}
