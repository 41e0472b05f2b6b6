/* The subcommands that ask one question each: what they send, and what they print. */
#include "fake.h"

static struct captured captured;

static enum exit_code run_with(const struct step *steps, enum exit_code (*command)(struct cli *, int, char **),
                               const char *words)
{
    struct fake fake;
    enum exit_code exit;

    fake_start(&fake, steps);
    exit = run_command(command, fake.directory, words, &captured);
    CHECK(fake_end(&fake));
    return exit;
}

static void messages_are_acknowledged(void)
{
    static const struct step steps[] = {{"\"acknowledge\",\"params\":{\"line\":\"talks\",\"entries\":[\"pyongyang/"
                                         "2\",\"pyongyang/3\"],\"as\":\"principal\"}",
                                         RESULT("{\"author\":\"washington.example\",\"number\":18}")},
                                        {0}};
    static const struct step before[] = {
        {"\"acknowledge\"", RESULT("{\"author\":\"washington.example\",\"number\":18,\"recorded\":false}")},
        {"\"from\":\"washington.example/18\",\"limit\":1",
         RESULT("{\"entries\":[{\"written\":\"2026-11-23T19:28:00Z\"}]}")},
        {"\"status\"", STATUS("true")},
        {0}};

    CHECK(run_with(steps, command_acknowledge, "ack talks pyongyang/2 pyongyang/3 --as principal") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example/18\n") == 0);
    CHECK(run_with(before, command_acknowledge, "ack talks pyongyang/2") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example/18\n") == 0);
    CHECK(strcmp(captured.err, "liaison: pyongyang/2 was acknowledged before by washington as duty-officer, at "
                               "2026-11-23T19:28:00Z, in its entry 18; nothing was recorded\n") == 0);
    CHECK(run_command(command_acknowledge, "/none", "ack talks pyongyang/2 --as boss", &captured) == EXIT_USAGE);
    CHECK(run_command(command_acknowledge, "/none", "ack talks pyongyang", &captured) == EXIT_USAGE);
}

static void links_are_added_tested_and_listed(void)
{
    static const struct step add[] = {
        {"\"link.add\",\"params\":{\"line\":\"talks\",\"party\":\"pyongyang\",\"address\":\"tcp://h:1\"}",
         RESULT("{}")},
        {0}};
    static const struct step wrong[] = {{"\"link.remove\"", FAILURE("invalid", "\\\"x\\\" is no address")}, {0}};
    static const struct step list[] = {{"\"status\"", STATUS("true")}, {0}};
    static const struct step good[] = {
        {"\"link.test\"", RESULT("{\"outcome\":\"ok\",\"milliseconds\":2.25,\"detail\":\"\"}")}, {0}};
    static const struct step silent[] = {
        {"\"link.test\"",
         RESULT("{\"outcome\":\"no-answer\",\"milliseconds\":null,\"detail\":\"nothing came in 10 s\"}")},
        {0}};

    CHECK(run_with(add, command_link, "link add talks pyongyang tcp://h:1") == EXIT_DONE);
    CHECK(strcmp(captured.out,
                 "talks: pyongyang is dialled at tcp://h:1 from now on. Whether it answers: liaison status\n") == 0);
    CHECK(run_with(add, command_link, "link add talks pyongyang tcp://h:1 --json") == EXIT_DONE);
    CHECK(strcmp(captured.out, "{\"line\":\"talks\",\"party\":\"pyongyang\",\"address\":\"tcp://h:1\"}\n") == 0);
    CHECK(run_with(wrong, command_link, "link remove talks pyongyang x") == EXIT_REFUSED);
    CHECK(strcmp(captured.err, "liaison: \"x\" is no address\n") == 0);
    CHECK(run_with(list, command_link, "link list peace") == EXIT_REFUSED);
    CHECK(captured.out[0] == '\0' && strstr(captured.err, "there is no line peace here") != NULL);
    CHECK(run_with(list, command_link, "link list talks") == EXIT_DONE);
    CHECK(strcmp(captured.out, "talks pyongyang.example tcp://127.0.0.1:7001 up\n") == 0);
    CHECK(run_with(good, command_link, "link test talks pyongyang tcp://h:1") == EXIT_DONE);
    CHECK(strcmp(captured.out, "ok 2.2 ms\n") == 0 || strcmp(captured.out, "ok 2.3 ms\n") == 0);
    CHECK(run_with(silent, command_link, "link test talks pyongyang tcp://h:1 --json") == EXIT_REFUSED);
    CHECK(strcmp(captured.err,
                 "{\"error\":{\"code\":\"no-answer\",\"message\":\"no-answer: nothing came in 10 s\"}}\n") == 0);
}

static void lines_are_listed_with_what_was_not_compared(void)
{
    static const struct step compared[] = {{"\"status\"", STATUS("true")}, {0}};
    static const struct step not_compared[] = {{"\"status\"", STATUS("false")}, {0}};

    CHECK(run_with(compared, command_line, "line list") == EXIT_DONE);
    CHECK(strcmp(captured.out, "talks washington.example pyongyang.example\n") == 0);
    CHECK(run_with(not_compared, command_line, "line list") == EXIT_DONE);
    CHECK(strcmp(captured.out, "talks washington.example pyongyang.example  NOT COMPARED\n") == 0);
}

static void the_record_is_verified(void)
{
    static const struct step good[] = {
        {"\"record.verify\"",
         RESULT("{\"members\":[{\"party\":\"washington.example\",\"size\":18,\"root\":\"6b86\"},{\"party\":"
                "\"pyongyang.example\",\"size\":3,\"root\":\"d473\"}],\"entries\":21,\"receipts\":4}")},
        {0}};
    static const struct step bad[] = {{"\"record.verify\"", FAILURE("mismatch", "entry 3 does not hash to its leaf")},
                                      {0}};

    CHECK(run_with(good, command_record, "record verify talks") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington.example 18 6b86\npyongyang.example 3 d473\n"
                               "verified 21 entries, 4 receipts\n") == 0);
    CHECK(run_with(bad, command_record, "record verify talks") == EXIT_UNVERIFIED);
    CHECK(captured.out[0] == '\0');
}

static void status_says_what_people_must_know(void)
{
    static const struct step steps[] = {{"\"status\"", STATUS("false")}, {0}};

    CHECK(run_with(steps, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "washington.example: ready\n") == captured.out);
    CHECK(strstr(captured.out, "NOT COMPARED: someone may sit between") != NULL);
    CHECK(strstr(captured.out, "ALARM: a clock runs backwards") != NULL);
    CHECK(strstr(captured.out, "tcp://127.0.0.1:7001  up since 2026-11-23T19:27:08Z") != NULL);
    CHECK(strstr(captured.out, "NO FORWARD SECRECY") != NULL);
    CHECK(run_with(steps, command_status, "status --json") == EXIT_DONE);
    CHECK(strstr(captured.out, "{\"office\":\"washington.example\",\"state\":\"ready\"") == captured.out);
}

#define NEW_MEMBER(size, links)                                                                                        \
    RESULT("{\"office\":\"washington.example\",\"state\":\"ready\",\"reason\":null,\"lines\":[{\"name\":\"talks\","    \
           "\"confirmed\":"                                                                                            \
           "true,\"courier_key\":true,\"members\":[{\"party\":\"washington.example\",\"me\":true,\"size\":2,"          \
           "\"links\":[]},"                                                                                            \
           "{\"party\":\"pyongyang.example\",\"me\":false,\"size\":" size                                              \
           ",\"forward_secrecy\":false,\"links\":[" links "]}]}],\"alarms\":[]}")

static void what_is_new_does_not_look_broken(void)
{
    static const struct step empty[] = {
        {"\"status\"",
         RESULT("{\"office\":\"a.example\",\"state\":\"ready\",\"reason\":null,\"lines\":[],\"alarms\":[]}")},
        {0}};
    static const struct step new[] = {{"\"status\"", NEW_MEMBER("0", "")}, {0}};
    static const struct step stopped[] = {
        {"\"status\"",
         RESULT("{\"office\":\"a.example\",\"state\":\"stopped\",\"reason\":\"restored\",\"lines\":[{\"name\":"
                "\"talks\",\"members\":[{\"party\":\"b.example\",\"me\":false,\"links\":[]}]}]}")},
        {0}};
    static const struct step met[] = {
        {"\"status\"",
         NEW_MEMBER("3", "{\"address\":\"tcp://h:1\",\"stated\":\"open\",\"observed\":\"down\",\"since\":null}")},
        {0}};

    CHECK(run_with(empty, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "No line yet. Found one: liaison line found LINE --with CARD") != NULL);
    CHECK(run_with(new, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "not met yet: what is sent before the first link has no forward secrecy\n") != NULL);
    CHECK(strstr(captured.out, "no link: it dials here, or say where it is: liaison link add talks pyongyang "
                               "tcp://HOST:PORT\n") != NULL);
    CHECK(strstr(captured.out, "NO FORWARD SECRECY") == NULL);
    CHECK(run_with(met, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out,
                 "\n    NO FORWARD SECRECY until the next day's keys, if its own have arrived by then\n") != NULL);
    CHECK(strstr(captured.out, "tcp://h:1  down  stated: open\n") != NULL);
    CHECK(run_with(stopped, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "a.example: stopped: restored\n") == captured.out);
    CHECK(strstr(captured.out, "b.example") != NULL && strstr(captured.out, "link add") == NULL);
    CHECK(strstr(captured.out, "no link") == NULL);
}

#define WITH_QUOTA(own, other)                                                                                         \
    RESULT("{\"office\":\"a.example\",\"state\":\"ready\",\"reason\":null,\"lines\":[{\"name\":\"talks\","             \
           "\"confirmed\":true,\"courier_key\":true,\"members\":[{\"party\":\"a.example\",\"me\":true,\"quota\":{" own \
           "}},{\"party\":\"b.example\",\"me\":false,\"quota\":{" other "},\"links\":[]}]}],\"alarms\":[]}")

static void a_quota_is_shown_where_it_is_nearly_used_up(void)
{
    static const struct step little[] = {
        {"\"status\"",
         WITH_QUOTA("\"entries\":74,\"entries_most\":100,\"bytes\":0,\"bytes_most\":9007199254740992",
                    "\"entries\":0,\"entries_most\":6000,\"bytes\":0,\"bytes_most\":7,\"delayed\":false")},
        {0}};
    static const struct step much[] = {
        {"\"status\"",
         WITH_QUOTA("\"entries\":75,\"entries_most\":100,\"bytes\":9007199254740992,\"bytes_most\":9007199254740992",
                    "\"entries\":5999,\"entries_most\":6000,\"bytes\":1,\"bytes_most\":9,\"delayed\":true")},
        {0}};

    CHECK(run_with(little, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "quota") == NULL && strstr(captured.out, "QUOTA") == NULL);
    CHECK(run_with(much, command_status, "status") == EXIT_DONE);
    CHECK(strstr(captured.out, "    quota: 75 of 100 entries used, of one day\n") != NULL);
    CHECK(strstr(captured.out, "    quota: 9007199254740992 of 9007199254740992 bytes used, of one day\n") != NULL);
    CHECK(strstr(captured.out, "    quota: 5999 of 6000 entries used, of 60 days\n") != NULL);
    CHECK(strstr(captured.out, "1 of 9 bytes") == NULL);
    CHECK(strstr(captured.out, "    DELAYED BY ITS QUOTA: more of its entries came than it allows; the rest comes "
                               "later\n") != NULL);
}

static void fingerprints_are_compared(void)
{
    static const struct step show[] = {{"\"line.show\"", RESULT("{\"fingerprint\":\"12345 67890\"}")}, {0}};
    static const struct step same[] = {
        {"\"line.confirm\",\"params\":{\"line\":\"talks\",\"digits\":\"12345 67890\"}", RESULT("{}")}, {0}};
    static const struct step other[] = {{"\"line.confirm\"", FAILURE("mismatch", "the digits differ")}, {0}};

    CHECK(run_with(show, command_line, "line fingerprint talks") == EXIT_DONE);
    CHECK(strcmp(captured.out, "12345 67890\n") == 0);
    CHECK(run_with(same, command_line, "line confirm talks 12345 67890") == EXIT_DONE);
    CHECK(run_with(other, command_line, "line confirm talks 12345_67891") == EXIT_REFUSED);
    CHECK(run_command(command_line, "/none", "line leave talks", &captured) == EXIT_USAGE);
    CHECK(run_command(command_line, "/none", "line join charter", &captured) == EXIT_USAGE);
}

static void exports_are_whole_or_not_there(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("true")},
        {"\"entries\"", RESULT("{\"entries\":[{\"line\":\"talks\",\"author\":\"washington.example\",\"number\":0,"
                               "\"kind\":\"charter\"}],\"next\":null}")},
        {0}};
    static const struct step refused[] = {
        {"\"status\"", STATUS("true")}, {"\"entries\"", FAILURE("locked", "locked")}, {0}};
    static const struct step policy[] = {{"\"record.policy\"", RESULT("{\"policy\":\"the policy\\n\"}")}, {0}};
    char directory[] = "/tmp/liaison-test-XXXXXX";
    char words[96];

    CHECK(run_with(steps, command_record, "record export talks --format text -o -") == EXIT_DONE);
    CHECK(strcmp(captured.out, "washington/0  service (charter)\n") == 0);
    CHECK(run_with(steps, command_record, "record export talks --format json -o -") == EXIT_DONE);
    CHECK(strcmp(captured.out, "{\"author\":\"washington.example\",\"number\":0,\"kind\":\"charter\"}\n") == 0);
    CHECK(run_with(policy, command_record, "record policy talks -o -") == EXIT_DONE);
    CHECK(strcmp(captured.out, "the policy\n") == 0);
    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(words, sizeof words, "record export talks --format json -o %s/none", directory);
    CHECK(run_with(refused, command_record, words) == EXIT_REFUSED);
    CHECK(rmdir(directory) == 0);
}

/* A proof that the policy of its line would refuse is not said to prove. */
static void a_proof_is_worth_what_the_policy_asks(void)
{
    static const char three[] = RESULT("{\"lines\":[{\"name\":\"talks\",\"members\":[{\"party\":\"a.example\"},"
                                       "{\"party\":\"b.example\"},{\"party\":\"c.example\"}]}]}");
    static const char *const sentences[] = {"but nobody else has receipted that yet", "but only 1 of 2 others have",
                                            " proves a/3. Anyone"};
    char directory[] = "/tmp/liaison-test-XXXXXX";
    char words[96];
    char proof[96];

    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(words, sizeof words, "record prove talks a/3 -o %s/proof", directory);
    for (int receipts = 0; receipts < 3; receipts++) {
        char answer[96];
        const struct step steps[] = {{"\"status\"", three}, {"\"record.prove\"", answer}, {0}};

        (void)snprintf(answer, sizeof answer, RESULT("{\"proof\":\"the proof\",\"receipts\":%d}"), receipts);
        CHECK(run_with(steps, command_record, words) == EXIT_DONE);
        CHECK(strstr(captured.out, sentences[receipts]) != NULL);
    }
    (void)snprintf(proof, sizeof proof, "%s/proof", directory);
    CHECK(unlink(proof) == 0 && rmdir(directory) == 0);
}

static void what_waits_is_shown(void)
{
    static const struct step steps[] = {
        {"\"status\"", STATUS("false")},
        {"\"inbox\",\"params\":{\"line\":\"talks\"}",
         RESULT("{\"entries\":[{\"line\":\"talks\",\"author\":\"pyongyang.example\",\"number\":2,\"kind\":\"message\","
                "\"text\":\"Yes.\",\"precedence\":\"flash\",\"written\":\"T\",\"state\":\"stored\"}]}")},
        {0}};

    CHECK(run_with(steps, command_inbox, "inbox talks") == EXIT_DONE);
    CHECK(strcmp(captured.out, "pyongyang/2  FLASH  T  stored\n    Yes.\n") == 0);
    CHECK(strstr(captured.err, "NOT COMPARED") != NULL);
}

static void what_a_daemon_says_is_made_harmless(void)
{
    static const struct step steps[] = {{"\"status\"", FAILURE("refused", "a\\u001b[2Jb\\n\\u202ec")}, {0}};

    CHECK(run_with(steps, command_status, "status") == EXIT_REFUSED);
    CHECK(strcmp(captured.err, "liaison: a<U+001B>[2Jb<U+000A><U+202E>c\n") == 0);
    CHECK(run_with(steps, command_status, "status --json") == EXIT_REFUSED);
    CHECK(strchr(captured.err, '\x1b') == NULL && strchr(captured.err, '\n') == strrchr(captured.err, '\n'));
}

static void the_card_is_printed(void)
{
    static const struct step card[] = {{"\"card\"", RESULT("{\"card\":\"liaison-card/v1\\n\"}")}, {0}};

    CHECK(run_with(card, command_card, "card") == EXIT_DONE);
    CHECK(strcmp(captured.out, "liaison-card/v1\n") == 0);
    CHECK(run_command(command_card, "/nonexistent", "card", &captured) == EXIT_NO_DAEMON);
    CHECK(strstr(captured.err, "/nonexistent") != NULL && captured.out[0] == '\0');
}

int main(void)
{
    RUN(messages_are_acknowledged);
    RUN(links_are_added_tested_and_listed);
    RUN(lines_are_listed_with_what_was_not_compared);
    RUN(the_record_is_verified);
    RUN(status_says_what_people_must_know);
    RUN(what_is_new_does_not_look_broken);
    RUN(a_quota_is_shown_where_it_is_nearly_used_up);
    RUN(fingerprints_are_compared);
    RUN(exports_are_whole_or_not_there);
    RUN(a_proof_is_worth_what_the_policy_asks);
    RUN(what_waits_is_shown);
    RUN(what_a_daemon_says_is_made_harmless);
    RUN(the_card_is_printed);
    return test_end();
}
