#include "test.h"

#include "host/json.h"

static struct charter charter = {
    .member_count = 2,
    .members = {{.name = "washington.example"}, {.name = "pyongyang.example"}},
};

/* The view of a message with everything in it. */
static struct office_view message(void)
{
    return (struct office_view){
        .line = "talks",
        .author = "washington.example",
        .charter = &charter,
        .number = 17,
        .kind = "message",
        .text = span_of("Are you \"in\" the room?\n", 23),
        .language = span_of("en", 2),
        .precedence = PRECEDENCE_FLASH,
        .readable = true,
        .has_written = true,
        .written = 1763926028,
        .received = 1763926029,
        .has_answers = true,
        .answers = {.member = 1, .index = 3},
        .state = STATE_ACKNOWLEDGED,
        .stored_count = 1,
        .stored = {{1, 1763926030}},
        .acknowledged_count = 1,
        .acknowledged = {{1, AS_DUTY_OFFICER, 1763926080}},
        .leaf = {0x6b, 0x86},
    };
}

/* Whether a value is this text's, whatever the order of its members. */
static bool is(json_t *value, const char *expected)
{
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool same = wanted != NULL && json_equal(value, wanted);

    if (!same)
        printf("# is       %s\n# expected %s\n", text != NULL ? text : "nothing", expected);
    free(text);
    json_decref(wanted);
    json_decref(value);
    return same;
}

#define LEAF "6b86000000000000000000000000000000000000000000000000000000000000"

static void a_message_is_as_the_page_says(void)
{
    struct office_view view = message();

    CHECK(
        is(json_entry(&view),
           "{\"line\":\"talks\",\"author\":\"washington.example\",\"number\":17,\"kind\":\"message\",\"precedence\":"
           "\"flash\",\"exercise\":false,\"written\":\"2025-11-23T19:27:08Z\",\"received\":\"2025-11-23T19:27:09Z\","
           "\"answers\":\"pyongyang.example/3\",\"state\":\"acknowledged\",\"stored\":[{\"by\":\"pyongyang.example\","
           "\"at\":\"2025-11-23T19:27:10Z\"}],\"acknowledged\":[{\"by\":\"pyongyang.example\",\"as\":\"duty-officer\","
           "\"at\":\"2025-11-23T19:28:00Z\"}],\"readable\":true,\"early\":false,\"leaf\":\"" LEAF
           "\",\"text\":\"Are you \\\"in\\\" the "
           "room?\\n\",\"language\":\"en\"}"));
}

static void what_is_absent_is_null(void)
{
    struct office_view view = message();
    json_t *entry = NULL;

    view.has_written = view.has_answers = false;
    view.language = span_of(NULL, 0);
    entry = json_entry(&view);
    CHECK(json_is_null(json_object_get(entry, "written")));
    CHECK(json_is_null(json_object_get(entry, "answers")));
    CHECK(json_is_null(json_object_get(entry, "language")));
    json_decref(entry);
}

static void only_messages_have_text(void)
{
    struct office_view view = message();
    json_t *entry = NULL;

    view.kind = "sealed";
    view.readable = false;
    entry = json_entry(&view);
    CHECK(json_object_get(entry, "text") == NULL && json_object_get(entry, "language") == NULL);
    CHECK(json_is_false(json_object_get(entry, "readable")));
    json_decref(entry);
}

static void an_acknowledgement_names_what_it_acknowledges(void)
{
    struct office_view view = message();
    json_t *entry = NULL;

    view.kind = "acknowledgement";
    view.acknowledges_count = 2;
    view.acknowledges[0] = (struct reference){.member = 0, .index = 5};
    view.acknowledges[1] = (struct reference){.member = 1, .index = 6};
    view.as = AS_PRINCIPAL;
    entry = json_entry(&view);
    CHECK(
        is(json_incref(json_object_get(entry, "acknowledges")), "[\"washington.example/5\",\"pyongyang.example/6\"]"));
    CHECK(strcmp(json_string_value(json_object_get(entry, "as")), "principal") == 0);
    json_decref(entry);
}

static void what_cannot_be_read_is_named(void)
{
    struct office_view view = message();
    json_t *entry = NULL;

    view.kind = "unreadable";
    view.unreadable_count = 1;
    view.unreadable[0] = (struct unreadable){.member = 1, .first = 6, .last = 9};
    entry = json_entry(&view);
    CHECK(is(json_incref(json_object_get(entry, "cannot_read")),
             "[{\"party\":\"pyongyang.example\",\"first\":6,\"last\":9}]"));
    json_decref(entry);
}

static void strange_values_spoil_nothing(void)
{
    struct office_view view = message();
    json_t *entry = NULL;

    view.text = span_of("\xff\0z", 3);
    view.precedence = 99;
    view.acknowledged[0].as = 77;
    view.acknowledged[0].by = 200;
    view.answers.member = 15;
    entry = json_entry(&view);
    CHECK(entry != NULL);
    CHECK(json_is_string(json_object_get(entry, "text")));
    CHECK(json_is_string(json_object_get(entry, "precedence")));
    json_decref(entry);
}

static void text_may_hold_zero_bytes(void)
{
    CHECK(is(json_text(span_of("a\0b", 3)), "\"a\\u0000b\""));
    CHECK(is(json_text(span_of(NULL, 0)), "\"\""));
    CHECK(is(json_hex(span_of("\x01\xfe", 2)), "\"01fe\""));
    CHECK(is(json_time(0), "\"1970-01-01T00:00:00Z\""));
}

static void entries_are_an_array(void)
{
    struct office_view views[2] = {message(), message()};
    json_t *entries = json_entries(views, 2);

    CHECK(json_array_size(entries) == 2);
    json_decref(entries);
    CHECK(is(json_entries(NULL, 0), "[]"));
}

static void events_are_as_the_page_says(void)
{
    struct office_view view = message();
    struct office_event stored = {.kind = OFFICE_STORED,
                                  .line = "talks",
                                  .party = "washington.example",
                                  .outcome = "pyongyang.example",
                                  .size = 18,
                                  .at = 0};
    struct office_event link = {
        .kind = OFFICE_LINK, .line = "talks", .party = "pyongyang.example", .address_text = "tcp://h:1", .up = true};
    struct office_event entry = {.kind = OFFICE_ENTRY, .line = "talks", .view = &view, .view_count = 1};
    struct office_event log = {.kind = OFFICE_LOG};
    json_t *event = json_event(NULL, &entry);

    CHECK(is(json_event(NULL, &stored), "{\"event\":\"stored\",\"line\":\"talks\",\"author\":\"washington.example\","
                                        "\"size\":18,\"by\":\"pyongyang.example\",\"at\":\"1970-01-01T00:00:00Z\"}"));
    CHECK(is(json_event(NULL, &link),
             "{\"event\":\"link\",\"line\":\"talks\",\"party\":\"pyongyang.example\",\"address\":"
             "\"tcp://h:1\",\"observed\":\"up\",\"reason\":\"\"}"));
    CHECK(json_integer_value(json_object_get(json_object_get(event, "entry"), "number")) == 17);
    CHECK(json_event(NULL, &log) == NULL);
    json_decref(event);
}

int main(void)
{
    RUN(a_message_is_as_the_page_says);
    RUN(what_is_absent_is_null);
    RUN(only_messages_have_text);
    RUN(an_acknowledgement_names_what_it_acknowledges);
    RUN(what_cannot_be_read_is_named);
    RUN(strange_values_spoil_nothing);
    RUN(text_may_hold_zero_bytes);
    RUN(entries_are_an_array);
    RUN(events_are_as_the_page_says);
    return test_end();
}
