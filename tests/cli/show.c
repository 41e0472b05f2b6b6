#include "cli/show.h"
#include "cli/status.h"

#include "test.h"

static struct show show;
static struct buffer out;
static json_t *parties;

static void add(const char *entry)
{
    json_t *value = json_loads(entry, 0, NULL);

    CHECK(value != NULL);
    show_entry(&show, value, &out);
    json_decref(value);
}

static bool shown(const char *expected)
{
    bool same = false;

    show_flush(&show, &out);
    same = strcmp(buffer_string(&out), expected) == 0;
    if (!same)
        printf("# %s\n", buffer_string(&out));
    buffer_reset(&out);
    return same;
}

#define SERVICE(author, number, kind)                                                                                  \
    "{\"author\":\"" author ".example\",\"number\":" number ",\"kind\":\"" kind "\",\"readable\":true}"
#define MESSAGE(author, number, text)                                                                                  \
    "{\"author\":\"" author ".example\",\"number\":" number ",\"kind\":\"message\",\"text\":\"" text                   \
    "\",\"precedence\":\"flash\",\"exercise\":false,\"written\":\"2026-11-23T19:27:08Z\",\"state\":\"stored\","        \
    "\"language\":null,\"answers\":null,\"acknowledged\":[]}"

static void a_message_is_a_block(void)
{
    add(MESSAGE("washington", "17", "Are you in the room?"));
    CHECK(shown("washington/17  FLASH  2026-11-23T19:27:08Z  stored\n    Are you in the room?\n"));
    add("{\"author\":\"pyongyang.example\",\"number\":3,\"kind\":\"message\",\"text\":\"Yes.\\nAnd you?\\n\","
        "\"precedence\":\"routine\",\"exercise\":true,\"written\":\"2026-11-23T19:28:00Z\",\"state\":\"acknowledged\","
        "\"language\":\"ko\",\"answers\":\"washington.example/17\",\"acknowledged\":[{\"by\":\"washington.example\","
        "\"as\":\"duty-officer\",\"at\":\"2026-11-23T19:29:00Z\"}]}");
    CHECK(shown("pyongyang/3  ROUTINE  2026-11-23T19:28:00Z  acknowledged  EXERCISE  ko  answers washington/17\n"
                "    Yes.\n    And you?\n"
                "  acknowledged by washington (duty-officer) 2026-11-23T19:29:00Z\n"));
}

static void what_came_before_its_turn_says_so(void)
{
    add("{\"author\":\"washington.example\",\"number\":17,\"kind\":\"message\",\"text\":\"Now\","
        "\"precedence\":\"flash\",\"exercise\":false,\"written\":\"2026-11-23T19:27:08Z\",\"state\":\"stored\","
        "\"language\":null,\"answers\":null,\"acknowledged\":[],\"early\":true}");
    CHECK(shown("washington/17  FLASH  2026-11-23T19:27:08Z  stored  EARLY: entries of its author before it are still "
                "to come\n    Now\n"));
}

/* What is shown of others is held here, whoever else lacks it; that one's own message waits is a fact. */
static void a_message_of_others_does_not_wait(void)
{
    static const char *const states[] = {"waiting", "carried"};
    char entry[160];
    char own[64];

    show.me = "washington.example";
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(entry, sizeof entry,
                       "{\"author\":\"pyongyang.example\",\"number\":3,\"kind\":\"message\",\"state\":\"%s\"}",
                       states[i]);
        add(entry);
        CHECK(shown("pyongyang/3    -  received\n    \n"));
        (void)snprintf(entry, sizeof entry,
                       "{\"author\":\"washington.example\",\"number\":3,\"kind\":\"message\",\"state\":\"%s\"}",
                       states[i]);
        add(entry);
        (void)snprintf(own, sizeof own, "washington/3    -  %s\n    \n", states[i]);
        CHECK(shown(own));
    }
    add(MESSAGE("pyongyang", "4", "x"));
    CHECK(shown("pyongyang/4  FLASH  2026-11-23T19:27:08Z  stored\n    x\n"));
    show.me = NULL;
}

static void services_in_a_row_are_folded(void)
{
    add(SERVICE("washington", "6", "prekeys"));
    add(SERVICE("washington", "7", "epoch"));
    add(SERVICE("washington", "8", "prekeys"));
    CHECK(shown("washington/6-8  service (keys)\n"));
    add(SERVICE("washington", "0", "charter"));
    add(SERVICE("washington", "1", "prekeys"));
    add(SERVICE("pyongyang", "0", "charter"));
    add(MESSAGE("washington", "2", "a"));
    add(SERVICE("washington", "3", "held"));
    CHECK(shown("washington/0-1  service (charter, keys)\npyongyang/0  service (charter)\n"
                "washington/2  FLASH  2026-11-23T19:27:08Z  stored\n    a\nwashington/3  service (held)\n"));
}

static void a_gap_is_not_folded_over(void)
{
    add(SERVICE("washington", "6", "prekeys"));
    add(SERVICE("washington", "8", "prekeys"));
    CHECK(shown("washington/6  service (keys)\nwashington/8  service (keys)\n"));
}

static void all_shows_each(void)
{
    show.all = true;
    add(SERVICE("washington", "6", "prekeys"));
    add(SERVICE("washington", "7", "held"));
    CHECK(shown("washington/6  service (keys)\nwashington/7  service (held)\n"));
    show.all = false;
}

static void what_people_do_is_never_folded(void)
{
    add("{\"author\":\"pyongyang.example\",\"number\":4,\"kind\":\"acknowledgement\",\"acknowledges\":"
        "[\"washington.example/17\",\"washington.example/18\"],\"as\":\"principal\",\"written\":\"T\"}");
    add("{\"author\":\"pyongyang.example\",\"number\":5,\"kind\":\"unreadable\",\"cannot_read\":"
        "[{\"party\":\"washington.example\",\"first\":4,\"last\":6}]}");
    add("{\"author\":\"pyongyang.example\",\"number\":6,\"kind\":\"sealed\",\"readable\":false}");
    add("{\"author\":\"pyongyang.example\",\"number\":7,\"kind\":\"leave\"}");
    CHECK(shown("pyongyang/4  acknowledges washington/17, washington/18 (principal)  T\n"
                "pyongyang/5  cannot read washington/4-6\n"
                "pyongyang/6  UNREADABLE: this office cannot open it\n"
                "pyongyang/7  left the line\n"));
}

static void no_text_looks_like_another_message(void)
{
    add(MESSAGE("washington", "17", "a\\nwashington/18  FLASH\\n\\u001b[2Jb\\u202ec\\r\\nd"));
    CHECK(shown("washington/17  FLASH  2026-11-23T19:27:08Z  stored\n    a\n    washington/18  FLASH\n"
                "    <U+001B>[2Jb<U+202E>c<U+000D>\n    d\n"));
}

static void names_are_cut_only_where_that_is_unique(void)
{
    json_t *alike = json_pack("[s, s, s]", "geneva.us.example", "geneva.dprk.example", "seoul.example");

    show.parties = alike;
    status_put_party(show.parties, "geneva.us.example", &out);
    buffer_put(&out, " ", 1);
    status_put_party(show.parties, "seoul.example", &out);
    CHECK(shown("geneva.us.example seoul"));
    json_decref(alike);
    show.parties = parties;
}

static void what_is_missing_does_not_end_it(void)
{
    add("{}");
    add("{\"kind\":\"message\"}");
    add("{\"kind\":7,\"author\":7,\"number\":\"x\",\"text\":[],\"acknowledged\":{}}");
    show_flush(&show, &out);
    CHECK(out.size > 0);
    buffer_reset(&out);
}

int main(void)
{
    parties = json_pack("[s, s]", "washington.example", "pyongyang.example");
    show.parties = parties;
    RUN(a_message_is_a_block);
    RUN(what_came_before_its_turn_says_so);
    RUN(a_message_of_others_does_not_wait);
    RUN(services_in_a_row_are_folded);
    RUN(a_gap_is_not_folded_over);
    RUN(all_shows_each);
    RUN(what_people_do_is_never_folded);
    RUN(no_text_looks_like_another_message);
    RUN(names_are_cut_only_where_that_is_unique);
    RUN(what_is_missing_does_not_end_it);
    json_decref(parties);
    buffer_free(&out);
    return test_end();
}
