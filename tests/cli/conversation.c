#include "cli/conversation.h"

#include "cli/columns.h"
#include "test.h"

#define SECOND UINT64_C(1000000)

static struct conversation talk;
static struct buffer screen;
static struct buffer output;
static uint64_t now = 100 * SECOND;
static uint8_t token;

#define STATUS                                                                                                         \
    "{\"office\":\"washington.example\",\"state\":\"ready\",\"reason\":null,\"lines\":[{\"name\":\"talks\","           \
    "\"confirmed\":true,\"members\":[{\"party\":\"washington.example\",\"me\":true,\"size\":3,\"links\":[]},"          \
    "{\"party\":\"pyongyang.example\",\"me\":false,\"size\":3,\"links\":[{\"address\":\"tcp://h:1\",\"observed\":"     \
    "\"up\",\"since\":\"S\"}]}]}],\"alarms\":[]}"

static void begin(void)
{
    json_t *status = json_loads(STATUS, 0, NULL);

    conversation_free(&talk);
    memset(&talk, 0, sizeof talk);
    CHECK(conversation_open(&talk, "talks", status));
    json_decref(status);
}

/* Says a line to the conversation, as the daemon. */
static void hear(const char *line)
{
    CHECK(conversation_input(&talk, span_of_string(line), now) == 0);
    CHECK(conversation_input(&talk, span_of_string("\n"), now) == 0);
}

/* The id of the last request for a method; 0 if it was not asked for. Earlier ones are left. */
static uint64_t asked(const char *method)
{
    char name[64];
    const char *at = buffer_string(&talk.client.output);
    uint64_t id = 0;

    snprintf(name, sizeof name, "\"method\":\"%s\"", method);
    for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        char *line = strndup(at, (size_t)(end - at));
        const char *found = strstr(line, "\"id\":");

        if (strstr(line, name) != NULL && found != NULL)
            id = strtoull(found + 5, NULL, 10);
        free(line);
    }
    return id;
}

static void answer(const char *method, const char *result)
{
    char line[8192];
    uint64_t id = asked(method);

    CHECK(id != 0);
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":%s}", (unsigned long long)id, result);
    hear(line);
}

static void refuse(const char *method, const char *word, const char *sentence)
{
    char line[1024];

    snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"error\":{\"code\":-32000,\"message\":\"%s\",\"data\":{\"code\":\"%s\"}}}",
        (unsigned long long)asked(method), sentence, word);
    hear(line);
}

/* Connected, and the page is here. */
static void connect_with(const char *entries, const char *inbox)
{
    char line[4096];

    buffer_reset(&talk.client.output);
    conversation_connected(&talk, now);
    answer("status", STATUS);
    answer("subscribe", "{}");
    snprintf(line, sizeof line, "{\"entries\":[%s],\"next\":null}", entries);
    answer("entries", line);
    snprintf(line, sizeof line, "{\"entries\":[%s]}", inbox);
    answer("inbox", line);
}

static void start(void)
{
    begin();
    connect_with("", "");
}

#define MESSAGE(author, number, precedence, text)                                                                      \
    "{\"line\":\"talks\",\"author\":\"" author ".example\",\"number\":" number                                         \
    ",\"kind\":\"message\",\"text\":\"" text "\",\"precedence\":\"" precedence                                         \
    "\",\"written\":\"T\",\"state\":\"waiting\",\"stored\":[],\"acknowledged\":[],\"early\":false}"
#define EVENT(params) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":" params "}"
#define ARRIVED(entry) EVENT("{\"event\":\"entry\",\"entry\":" entry "}")

static void type_line(const char *line)
{
    uint8_t bytes[DRAFT_TOKEN_SIZE];

    memset(bytes, ++token, sizeof bytes);
    conversation_typed(&talk, span_of_string(line), false, bytes, now);
}

static void paste_line(const char *line)
{
    static const uint8_t bytes[DRAFT_TOKEN_SIZE];

    conversation_typed(&talk, span_of_string(line), true, bytes, now);
}

/* Paints, with something being typed; gives the rows that stand there, each with a line feed. */
static const char *paint(const char *typing)
{
    buffer_reset(&output);
    buffer_reset(&screen);
    conversation_paint(&talk, span_of_string(typing), strlen(typing), &output);
    for (size_t i = 0; i < talk.screen.rows; i++) {
        buffer_put_span(&screen, buffer_span(&talk.screen.shown.row[i].text));
        buffer_put(&screen, "\n", 1);
    }
    return buffer_string(&screen);
}

static bool shows(const char *text)
{
    bool found = strstr(paint(""), text) != NULL;

    if (!found)
        printf("# not shown: %s\n# %s\n", text, paint(""));
    return found;
}

static bool requested(const char *text)
{
    return strstr(buffer_string(&talk.client.output), text) != NULL;
}

static void only_a_known_line_is_opened(void)
{
    json_t *status = json_loads(STATUS, 0, NULL);

    conversation_free(&talk);
    memset(&talk, 0, sizeof talk);
    CHECK(!conversation_open(&talk, "tallks", status));
    json_decref(status);
}

static void it_begins_with_banner_and_page(void)
{
    begin();
    connect_with(MESSAGE("pyongyang", "4", "routine", "second") "," MESSAGE("pyongyang", "3", "routine", "first"), "");
    CHECK(shows("    first\npyongyang/4  ROUTINE  T  received\n    second\n"
                "All you release is signed as washington.example and cannot be taken back"));
    CHECK(shows("talks: pyongyang up | routine | /help"));
}

static void events_wait_for_the_page(void)
{
    begin();
    conversation_connected(&talk, now);
    answer("status", STATUS);
    hear(ARRIVED(MESSAGE("pyongyang", "5", "routine", "third")));
    answer("entries", "{\"entries\":[" MESSAGE("pyongyang", "5", "routine", "third") "," MESSAGE(
                          "pyongyang", "4", "routine", "second") "],\"next\":\"more\"}");
    hear(ARRIVED(MESSAGE("pyongyang", "6", "routine", "fourth")));
    CHECK(shows("* What was said before: liaison read talks\npyongyang/4  ROUTINE  T  received\n    second\n"
                "pyongyang/5  ROUTINE  T  received\n    third\npyongyang/6  ROUTINE  T  received\n    fourth\n"));
}

static void nothing_is_sent_without_review_and_send(void)
{
    start();
    type_line("hello");
    type_line("send");
    CHECK(!requested("\"append\"") && shows("| hello\n| send\n"));
    type_line("/undo");
    CHECK(strcmp(buffer_string(&talk.recall), "send") == 0);
    type_line(".");
    CHECK(shows(
        "| hello\n5 bytes, precedence ROUTINE, language not said\nSHA-256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1"
        "fa7425e73043362938b9824\nType send to release it, for ever."));
    CHECK(!requested("\"append\""));
    type_line("SEND");
    CHECK(!requested("\"append\"") && talk.mode == CONVERSATION_WRITING);
    CHECK(strcmp(buffer_string(&talk.recall), "SEND") == 0);
    type_line(".");
    type_line("send");
    CHECK(requested("\"append\"") && requested("\"text\":\"hello\""));
    CHECK(shows("being sent"));
    answer("append", "{\"entries\":[{\"author\":\"washington.example\",\"number\":3}]}");
    CHECK(!talk.outstanding && draft_is_empty(&talk.draft));
}

static void what_is_pasted_is_text(void)
{
    start();
    paste_line("/quit");
    paste_line(".");
    paste_line("send");
    CHECK(!talk.ended && talk.mode == CONVERSATION_WRITING && !requested("\"append\""));
    CHECK(span_equal(draft_text(&talk.draft), span_of_string("/quit\n.\nsend")));
    type_line(".");
    paste_line("send");
    CHECK(!requested("\"append\"") && talk.mode == CONVERSATION_WRITING);
}

static void an_empty_or_long_draft_is_not_reviewed(void)
{
    static char text[DRAFT_TEXT_MAX + 2];

    start();
    type_line(".");
    CHECK(talk.mode == CONVERSATION_WRITING && shows("there is nothing to send yet"));
    type_line("");
    CHECK(draft_is_empty(&talk.draft));
    memset(text, 'x', sizeof text - 1);
    type_line(text);
    type_line(".");
    CHECK(talk.mode == CONVERSATION_WRITING && shows("1 bytes too long"));
}

static void lost_after_send_it_is_asked_for_again_with_the_same_token(void)
{
    char sent[40];

    start();
    type_line("hello");
    type_line(".");
    type_line("send");
    snprintf(sent, sizeof sent, "%02x%02x%02x%02x", token, token, token, token);
    CHECK(requested(sent));
    conversation_lost(&talk, now);
    CHECK(shows("The daemon is gone. It is not known whether your message was recorded"));
    CHECK(shows("NO DAEMON: your draft is kept | being sent"));
    /* What is written meanwhile is another draft. */
    type_line("and more");
    type_line(".");
    type_line("send");
    CHECK(shows("Not sent: there is no daemon.") && shows("| and more\n"));
    buffer_reset(&talk.client.output);
    conversation_connected(&talk, now);
    CHECK(requested(sent) && requested("\"text\":\"hello\"") && !requested("and more"));
    answer("append", "{\"entries\":[{\"author\":\"washington.example\",\"number\":3}]}");
    CHECK(shows("Your message is recorded as washington/3, once.") && shows("| and more\n"));
    CHECK(!talk.outstanding);
    /* The one sentence more: nothing is asked for again. */
    conversation_lost(&talk, now);
    conversation_connected(&talk, now);
    CHECK(!requested("\"append\""));
}

static void a_refused_message_is_the_draft_again(void)
{
    start();
    type_line("hello");
    type_line("/precedence immediate");
    type_line(".");
    type_line("send");
    type_line("written since");
    refuse("append", "full", "the disk is full");
    CHECK(shows("Not sent: the disk is full. It is your draft again.") && shows("| hello\n| written since\n"));
    CHECK(!talk.outstanding && strcmp(talk.draft.precedence, "immediate") == 0);
}

static void storage_that_failed_leaves_it_outstanding(void)
{
    start();
    type_line("hello");
    type_line(".");
    type_line("send");
    refuse("append", "storage", "the disk failed");
    CHECK(talk.outstanding && shows("the disk failed. It is not known whether"));
    /* The office that has stopped cannot say either. */
    conversation_lost(&talk, now);
    buffer_reset(&talk.client.output);
    conversation_connected(&talk, now);
    refuse("append", "stopped", "the office has stopped");
    CHECK(talk.outstanding);
    type_line("more");
    type_line(".");
    type_line("send");
    CHECK(shows("Not sent: it is not known yet whether your last message was recorded."));
    hear(EVENT("{\"event\":\"state\",\"state\":\"ready\",\"reason\":null}"));
    answer("append", "{\"entries\":[{\"author\":\"washington.example\",\"number\":3}]}");
    CHECK(!talk.outstanding);
}

static void what_a_locked_office_refuses_is_asked_for_again(void)
{
    begin();
    conversation_connected(&talk, now);
    answer("status", STATUS);
    refuse("subscribe", "locked", "the office is locked");
    refuse("entries", "locked", "the office is locked");
    refuse("inbox", "locked", "the office is locked");
    CHECK(shows("* the office is locked.\n") && transcript_rows(&talk.transcript) == 1);
    CHECK(conversation_next(&talk) == now + CONVERSATION_RELOAD_US);
    buffer_reset(&talk.client.output);
    now += CONVERSATION_RELOAD_US;
    conversation_step(&talk, now);
    CHECK(requested("\"subscribe\"") && requested("\"entries\"") && requested("\"inbox\""));
    CHECK(conversation_next(&talk) == UINT64_MAX);
    answer("entries", "{\"entries\":[" MESSAGE("pyongyang", "3", "routine", "unlocked") "],\"next\":null}");
    CHECK(shows("    unlocked\n"));
}

static void a_flash_rings_until_it_is_acknowledged(void)
{
    start();
    (void)paint("");
    CHECK(conversation_next(&talk) == UINT64_MAX);
    hear(ARRIVED(MESSAGE("pyongyang", "3", "flash", "Now.")));
    CHECK(shows("FLASH pyongyang/3 waits for /ack | talks"));
    hear(ARRIVED(MESSAGE("pyongyang", "4", "routine", "later")));
    for (int i = 0; i < 3; i++) {
        CHECK(conversation_next(&talk) == now + CONVERSATION_BELL_US);
        now += CONVERSATION_BELL_US;
        conversation_step(&talk, now);
        (void)paint("");
        CHECK(memchr(output.data, '\a', output.size) != NULL);
        (void)paint("");
        CHECK(memchr(output.data, '\a', output.size) == NULL);
    }
    type_line("/ack");
    CHECK(requested("\"entries\":[\"pyongyang.example/3\"]") && requested("\"as\":\"duty-officer\""));
    CHECK(talk.alarm_count == 1);
    answer("acknowledge", "{\"author\":\"washington.example\",\"number\":3,\"recorded\":true}");
    CHECK(conversation_next(&talk) == UINT64_MAX && talk.alarm_count == 0);
}

/* Who types /ack means what is on the screen, and not what comes before the line ends. */
static void what_comes_while_one_types_is_not_acknowledged(void)
{
    start();
    hear(ARRIVED(MESSAGE("pyongyang", "3", "routine", "read")));
    now += 60000000;
    hear(ARRIVED(MESSAGE("pyongyang", "4", "routine", "not read")));
    hear(ARRIVED(MESSAGE("pyongyang", "5", "flash", "not read")));
    now += 1000000;
    type_line("/ack");
    CHECK(!requested("\"acknowledge\"") && shows("Not acknowledged: pyongyang.example/5 came while you were typing"));
    type_line("/ack pyongyang/3");
    CHECK(requested("\"entries\":[\"pyongyang/3\"]"));
    answer("acknowledge", "{\"author\":\"washington.example\",\"number\":3,\"recorded\":true}");
    now += 3000000;
    type_line("/ack");
    CHECK(requested("\"entries\":[\"pyongyang.example/5\"]"));
}

static void a_flash_of_before_rings_too(void)
{
    begin();
    connect_with("", MESSAGE("pyongyang", "1", "flash", "Yesterday"));
    CHECK(shows("FLASH pyongyang/1 waits for /ack"));
    /* It was not shown here: who has not seen it cannot acknowledge it without naming it. */
    type_line("/ack");
    CHECK(!requested("\"acknowledge\"") && shows("Nothing that is shown here waits"));
    type_line("/ack pyongyang/1 principal");
    CHECK(requested("\"entries\":[\"pyongyang/1\"]") && requested("\"as\":\"principal\""));
    answer("acknowledge", "{\"author\":\"washington.example\",\"number\":1,\"recorded\":false}");
    CHECK(talk.alarm_count == 0 && shows("pyongyang/1 was acknowledged here before"));
}

static void more_flashes_than_can_be_remembered_are_asked_for_again(void)
{
    char line[512];

    start();
    for (int i = 3; i < 3 + CONVERSATION_ALARMS_MAX + 5; i++) {
        snprintf(line, sizeof line, ARRIVED(MESSAGE("pyongyang", "%d", "flash", "x")), i);
        hear(line);
    }
    CHECK(talk.alarm_count == CONVERSATION_ALARMS_MAX);
    buffer_reset(&talk.client.output);
    hear(ARRIVED("{\"author\":\"washington.example\",\"number\":3,\"kind\":\"acknowledgement\",\"as\":\"principal\","
                 "\"acknowledges\":[\"pyongyang.example/3\"],\"written\":\"T\"}"));
    CHECK(requested("\"inbox\"") && talk.alarm_count == CONVERSATION_ALARMS_MAX - 1);
}

static void commands_say_what_is_wrong_with_them(void)
{
    static const struct {
        const char *line, *shown;
    } cases[] = {
        {"/nonsense", "There is no command /nonsense"},
        {"/", "There is no command /;"},
        {"/precedence", "/precedence is flash, immediate"},
        {"/precedence soon", "/precedence is flash, immediate"},
        {"/language 77", "/language is a tag"},
        {"/answers x", "/answers is a message's name"},
        {"/ack x", "/ack takes a message's name"},
        {"/ack pyongyang/1 king", "/ack says who has seen it"},
        {"/undo", "The draft is empty."},
        {"/\033[2J", "There is no command /<U+001B>[2J"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        type_line(cases[i].line);
        CHECK(shows(cases[i].shown) && draft_is_empty(&talk.draft) && !talk.ended);
    }
}

static void options_go_with_the_message(void)
{
    start();
    type_line("//etc is text");
    type_line("/precedence FLASH");
    type_line("/language zh-Hans");
    type_line("/answers pyongyang/3");
    type_line("/exercise");
    CHECK(shows("| flash zh-Hans answers pyongyang/3 EXERCISE |"));
    type_line(".");
    type_line("send");
    CHECK(requested("\"text\":\"/etc is text\"") && requested("\"precedence\":\"flash\"") &&
          requested("\"language\":\"zh-Hans\"") && requested("\"answers\":\"pyongyang/3\"") &&
          requested("\"exercise\":true"));
    CHECK(shows("| routine zh-Hans EXERCISE |"));
    type_line("/exercise");
    type_line("/language none");
    CHECK(shows("| routine |"));
}

static void who_says_what_is_known_and_offers_to_ask(void)
{
    start();
    hear(ARRIVED("{\"author\":\"pyongyang.example\",\"number\":3,\"kind\":\"acknowledgement\",\"as\":\"principal\","
                 "\"acknowledges\":[\"washington.example/1\"],\"written\":\"2026-11-27T20:00:00Z\"}"));
    type_line("/who");
    answer("status", STATUS);
    CHECK(shows("pyongyang: link up since S; a person last acknowledged at"));
    CHECK(shows("2026-11-27T20:00:00Z, as principal."));
    type_line("/language ko");
    type_line("/who ask");
    CHECK(shows("| 책임자께서 그곳에 계십니까?"));
    CHECK(!requested("\"append\""));
    start();
    type_line("/language fr");
    type_line("/who ask");
    CHECK(shows("| Is the principal there") && strcmp(talk.draft.language, "en") == 0);
}

static void a_link_that_flaps_does_not_scroll(void)
{
    char down[sizeof STATUS];

    start();
    strcpy(down, STATUS);
    memcpy(strstr(down, "\"up\""), "\"dn\"", 4);
    for (int i = 0; i < 50; i++) {
        hear(EVENT("{\"event\":\"link\",\"line\":\"talks\"}"));
        answer("status", i % 2 == 0 ? down : STATUS);
    }
    CHECK(transcript_rows(&talk.transcript) == 1 && shows("* The link to pyongyang is up.\n"));
    hear(EVENT("{\"event\":\"link\",\"line\":\"talks\"}"));
    answer("status", down);
    CHECK(shows("talks: pyongyang DOWN"));
}

static void a_draft_is_not_thrown_away_without_asking(void)
{
    start();
    type_line("hello");
    conversation_quit(&talk);
    CHECK(!talk.ended && shows("Quit? The draft that was not sent is lost. [y/N]"));
    CHECK(!conversation_answered(&talk, 'n', now) && !talk.ended);
    type_line("/discard");
    CHECK(shows("Throw away the whole draft? [y/N]"));
    (void)conversation_answered(&talk, '\n', now);
    CHECK(!draft_is_empty(&talk.draft));
    conversation_interrupted(&talk, true, now);
    CHECK(shows("Throw away the line you are typing? [y/N]"));
    CHECK(!conversation_answered(&talk, 'n', now));
    conversation_interrupted(&talk, true, now);
    CHECK(conversation_answered(&talk, 'y', now) && !draft_is_empty(&talk.draft));
    conversation_interrupted(&talk, false, now);
    CHECK(talk.question == QUESTION_NONE && shows("/discard throws the draft away"));
    type_line("/discard");
    (void)conversation_answered(&talk, 'y', now);
    CHECK(draft_is_empty(&talk.draft));
    conversation_quit(&talk);
    CHECK(talk.ended);
}

static void every_size_of_screen_can_be_painted(void)
{
    static char text[5001];

    memset(text, 'x', sizeof text - 1);
    start();
    hear(ARRIVED(MESSAGE("pyongyang", "3", "flash", "안녕하십니까 中文 русский")));
    type_line("draft");
    type_line(text);
    for (size_t rows = 1; rows < 40; rows++) {
        for (size_t columns = 1; columns < 90; columns += 4) {
            conversation_resize(&talk, rows, columns);
            talk.mode = columns % 3 == 0 ? CONVERSATION_REVIEWING : CONVERSATION_WRITING;
            (void)paint("한국어 typing something");
            if (talk.frame.cursor_row >= rows || talk.frame.cursor_column >= columns) {
                printf("# the cursor is at %zu, %zu of %zu, %zu\n", talk.frame.cursor_row, talk.frame.cursor_column,
                       rows, columns);
                CHECK(false);
            }
            for (size_t i = 0; i < rows && columns >= 8; i++)
                CHECK(columns_of(buffer_span(&talk.screen.shown.row[i].text)) <= columns);
        }
    }
    conversation_resize(&talk, 24, 80);
    (void)paint(text);
    CHECK(talk.frame.cursor_row == 22);
}

static void a_long_line_shows_where_the_cursor_is(void)
{
    static char text[1001];

    memset(text, 'x', sizeof text - 1);
    start();
    buffer_reset(&output);
    conversation_paint(&talk, span_of_string(text), 0, &output);
    CHECK(talk.frame.cursor_column == 2 && talk.screen.shown.row[talk.frame.cursor_row].text.data[0] == '>');
    conversation_paint(&talk, span_of_string(text), 500, &output);
    CHECK(talk.frame.cursor_column == 502 % 80);
    conversation_paint(&talk, span_of_string("한국어"), 3, &output);
    CHECK(talk.frame.cursor_column == 4);
}

static void long_messages_go_over_the_screen_whole(void)
{
    static char line[40000];
    int length = 0;

    start();
    (void)paint("");
    length = snprintf(line, sizeof line,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":\"entry\",\"entry\":{"
                      "\"author\":\"pyongyang.example\",\"number\":3,\"kind\":\"message\","
                      "\"precedence\":\"routine\",\"written\":\"T\",\"text\":\"");
    for (int i = 0; i < 500; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, "row %d\\n", i);
    snprintf(line + length, sizeof line - (size_t)length, "\"}}}");
    hear(line);
    (void)paint("");
    for (int i = 0; i < 500; i++) {
        char wanted[32];

        snprintf(wanted, sizeof wanted, "    row %d\033", i);
        if (strstr(buffer_string(&output), wanted) == NULL) {
            printf("# row %d was never on the screen\n", i);
            CHECK(false);
        }
    }
}

static void nonsense_of_a_daemon_ends_the_connection_or_nothing(void)
{
    static const char *const lines[] = {
        EVENT("{}"),
        EVENT("{\"event\":\"entry\"}"),
        EVENT("{\"event\":\"entry\",\"entry\":[1]}"),
        EVENT("{\"event\":\"stored\",\"author\":7}"),
        EVENT("{\"event\":\"state\"}"),
        EVENT("{\"event\":\"lost\"}"),
        EVENT("{\"event\":7}"),
        "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{}}",
    };

    start();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        hear(lines[i]);
    (void)paint("");
    CHECK(conversation_input(&talk, span_of_string("not JSON\n"), now) != 0);
    start();
    CHECK(conversation_input(&talk, span_of_string(EVENT("7") "\n"), now) != 0);
}

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

static void type_anything(void)
{
    static const char *const lines[] = {".",
                                        "send",
                                        "",
                                        "/ack",
                                        "/who",
                                        "/who ask",
                                        "/undo",
                                        "/discard",
                                        "/exercise",
                                        "/precedence flash",
                                        "/help",
                                        "/ack pyongyang/3",
                                        "/answers washington/3",
                                        "text"};
    char bytes[64];
    unsigned size = draw(sizeof bytes);

    if (draw(4) > 0) {
        type_line(lines[draw(sizeof lines / sizeof lines[0])]);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (char)(draw(255) + 1);
    conversation_typed(&talk, span_of(bytes, size), draw(2) == 0, (const uint8_t *)"0123456789abcdef", now);
}

static void hear_anything(void)
{
    static const char *const authors[] = {"washington.example", "pyongyang.example", "someone.example"};
    static const char *const kinds[] = {"message", "message", "acknowledgement", "epoch", "sealed", "leave", "odd"};
    static const char *const texts[] = {"x", "", "\\u202e\\u0301\\u0301", "안녕\\n하십니까", "\\u0000\\u001b[2J"};
    char line[1024];

    if (draw(8) == 0) {
        snprintf(line, sizeof line, EVENT("{\"event\":\"stored\",\"author\":\"%s\",\"size\":%u,\"by\":\"%s\"}"),
                 authors[draw(3)], draw(100), authors[draw(3)]);
    } else {
        snprintf(line, sizeof line,
                 ARRIVED("{\"author\":\"%s\",\"number\":%u,\"kind\":\"%s\",\"text\":\"%s\",\"precedence\":\"%s\","
                         "\"early\":%s,\"written\":\"T\",\"answers\":\"%s/%u\",\"acknowledges\":[\"%s/"
                         "%u\"],\"as\":\"principal\"}"),
                 authors[draw(3)], draw(100), kinds[draw(7)], texts[draw(5)], draw(2) == 0 ? "flash" : "routine",
                 draw(4) == 0 ? "true" : "false", authors[draw(3)], draw(100), authors[draw(3)], draw(100));
    }
    if (talk.connected)
        hear(line);
}

#define REFUSAL(word) "\"error\":{\"code\":-32000,\"message\":\"no\",\"data\":{\"code\":\"" word "\"}}"

static void answer_anything(void)
{
    static const char *const results[] = {
        "\"result\":{\"entries\":[{\"author\":\"washington.example\",\"number\":3}]}",
        "\"result\":{}",
        "\"result\":" STATUS,
        REFUSAL("storage"),
        REFUSAL("stopped"),
        REFUSAL("refused"),
        REFUSAL("locked"),
    };
    char line[256];
    uint64_t id = talk.client.last_id > 0 ? talk.client.last_id - draw(4) % talk.client.last_id : 1;

    if (!talk.connected)
        return;
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%llu,", (unsigned long long)id);
    CHECK(conversation_input(&talk, span_of_string(line), now) == 0);
    CHECK(conversation_input(&talk, span_of_string(results[draw(7)]), now) == 0);
    CHECK(conversation_input(&talk, span_of_string("}\n"), now) == 0);
}

/* What is released is never more than once outstanding, the screen is never left, and nothing that is drawn came from
 * outside as it was. */
static void anything_may_happen_in_any_order(void)
{
    for (unsigned round = 0; round < (getenv("LIAISON_TEST_LONG") != NULL ? 2000 : 50 / TEST_SHARE); round++) {
        seed = round;
        start();
        for (unsigned i = 0; i < 200; i++) {
            unsigned what = draw(12);

            now += draw(500000);
            if (what < 3)
                type_anything();
            else if (what < 7)
                hear_anything();
            else if (what < 9)
                answer_anything();
            else if (what == 9 && draw(3) == 0)
                conversation_resize(&talk, draw(40) + 1, draw(100) + 1);
            else if (what == 10 && draw(3) == 0)
                talk.connected ? conversation_lost(&talk, now) : conversation_connected(&talk, now);
            else if (talk.question != QUESTION_NONE)
                (void)conversation_answered(&talk, draw(2) == 0 ? 'y' : 'n', now);
            conversation_step(&talk, now);
            (void)paint(draw(2) == 0 ? "typing" : "");
            if (talk.frame.cursor_row >= talk.screen.rows || strstr(buffer_string(&output), "\u202e") != NULL ||
                strstr(buffer_string(&output), "\033[2J\033[2J") != NULL || talk.transcript.item_count > 256) {
                printf("# round %u, step %u\n", round, i);
                CHECK(false);
                return;
            }
            buffer_reset(&talk.client.output);
        }
    }
}

int main(void)
{
    CHECK(columns_locale());
    RUN(only_a_known_line_is_opened);
    RUN(it_begins_with_banner_and_page);
    RUN(events_wait_for_the_page);
    RUN(nothing_is_sent_without_review_and_send);
    RUN(what_is_pasted_is_text);
    RUN(an_empty_or_long_draft_is_not_reviewed);
    RUN(lost_after_send_it_is_asked_for_again_with_the_same_token);
    RUN(a_refused_message_is_the_draft_again);
    RUN(storage_that_failed_leaves_it_outstanding);
    RUN(what_a_locked_office_refuses_is_asked_for_again);
    RUN(a_flash_rings_until_it_is_acknowledged);
    RUN(what_comes_while_one_types_is_not_acknowledged);
    RUN(a_flash_of_before_rings_too);
    RUN(more_flashes_than_can_be_remembered_are_asked_for_again);
    RUN(commands_say_what_is_wrong_with_them);
    RUN(options_go_with_the_message);
    RUN(who_says_what_is_known_and_offers_to_ask);
    RUN(a_link_that_flaps_does_not_scroll);
    RUN(a_draft_is_not_thrown_away_without_asking);
    RUN(every_size_of_screen_can_be_painted);
    RUN(a_long_line_shows_where_the_cursor_is);
    RUN(long_messages_go_over_the_screen_whole);
    RUN(nonsense_of_a_daemon_ends_the_connection_or_nothing);
    RUN(anything_may_happen_in_any_order);
    conversation_free(&talk);
    conversation_free(NULL);
    buffer_free(&screen);
    buffer_free(&output);
    return test_end();
}
