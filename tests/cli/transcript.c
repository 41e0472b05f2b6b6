#include "cli/transcript.h"

#include "cli/columns.h"
#include "test.h"

#define SECOND 1000000

static struct transcript transcript;
static struct buffer rows;

static void begin(const char *const *members, size_t count, size_t columns)
{
    json_t *line = json_pack("{s:s, s:[]}", "name", "talks", "members");

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(json_object_get(line, "members"),
                                    json_pack("{s:s, s:i}", "party", members[i], "size", 3));
    transcript_free(&transcript);
    CHECK(transcript_members(&transcript, line, members[0]));
    transcript_resize(&transcript, columns);
    json_decref(line);
}

static void begin_two(size_t columns)
{
    static const char *const members[] = {"washington.example", "pyongyang.example"};

    begin(members, 2, columns);
}

struct made {
    const char *author;
    int number;
    const char *text, *precedence, *answers;
    bool early;
};

static json_t *make(struct made made)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:s?, s:b, s:s, s:[], s:[]}", "author", made.author, "number",
                     made.number, "kind", "message", "text", made.text != NULL ? made.text : "x", "precedence",
                     made.precedence != NULL ? made.precedence : "routine", "written", "T", "exercise", false,
                     "answers", made.answers, "early", made.early, "state", "waiting", "stored", "acknowledged");
}

static enum transcript_came say(struct made made, uint64_t now_us)
{
    json_t *entry = make(made);
    enum transcript_came came = transcript_entry(&transcript, entry, now_us);

    json_decref(entry);
    return came;
}

static enum transcript_came said(const char *author, int number, const char *text, uint64_t now_us)
{
    return say((struct made){.author = author, .number = number, .text = text}, now_us);
}

static enum transcript_came early(const char *author, int number)
{
    return say((struct made){.author = author, .number = number, .text = "flash", .early = true}, 0);
}

static enum transcript_came answer(const char *author, int number, const char *answers)
{
    return say((struct made){.author = author, .number = number, .answers = answers}, 0);
}

static enum transcript_came flash(const char *author, int number)
{
    return say((struct made){.author = author, .number = number, .precedence = "flash"}, 0);
}

static void acknowledge(const char *author, int number, const char *what)
{
    json_t *entry = json_pack("{s:s, s:i, s:s, s:[s], s:s, s:s}", "author", author, "number", number, "kind",
                              "acknowledgement", "acknowledges", what, "as", "duty-officer", "written", "T");

    (void)transcript_entry(&transcript, entry, 0);
    json_decref(entry);
}

static void keys(const char *author, int number)
{
    json_t *entry = json_pack("{s:s, s:i, s:s}", "author", author, "number", number, "kind", "epoch");

    CHECK(transcript_entry(&transcript, entry, 0) == TRANSCRIPT_KNOWN);
    json_decref(entry);
}

/* All rows there are, each with a line feed. */
static const char *shown(void)
{
    uint64_t count = transcript_rows(&transcript);

    buffer_reset(&rows);
    for (uint64_t i = 0; i < count; i++) {
        const struct row *row = transcript_row(&transcript, i);

        if (row == NULL)
            continue;
        buffer_put_span(&rows, buffer_span(&row->text));
        buffer_put(&rows, "\n", 1);
    }
    return buffer_string(&rows);
}

static bool is_shown(const char *expected)
{
    bool same = strcmp(shown(), expected) == 0;

    if (!same)
        printf("# %s\n", shown());
    return same;
}

#define W "washington.example"
#define P "pyongyang.example"

static void messages_stand_as_read_shows_them(void)
{
    begin_two(80);
    CHECK(said(P, 3, "안녕\nand a second line", 0) == TRANSCRIPT_NEW);
    CHECK(said(W, 3, "hello", 0) == TRANSCRIPT_NEW);
    CHECK(is_shown("pyongyang/3  ROUTINE  T  received\n    안녕\n    and a second line\n"
                   "washington/3  ROUTINE  T  waiting\n    hello\n"));
    CHECK(transcript_row(&transcript, 0)->style == ROW_BOLD && transcript_row(&transcript, 1)->style == ROW_PLAIN);
    CHECK(transcript_row(&transcript, 5) == NULL);
}

static void states_change_in_place(void)
{
    begin_two(80);
    (void)said(W, 3, "hello", 0);
    transcript_stored(&transcript, W, 3, P);
    CHECK(strstr(shown(), "waiting") != NULL);
    transcript_stored(&transcript, W, 4, P);
    CHECK(is_shown("washington/3  ROUTINE  T  stored\n    hello\n"));
    acknowledge(P, 3, W "/3");
    CHECK(is_shown("washington/3  ROUTINE  T  acknowledged\n    hello\n"
                   "pyongyang/3  acknowledges washington/3 (duty-officer)  T\n"));
    (void)answer(P, 4, W "/3");
    CHECK(strstr(shown(), "washington/3  ROUTINE  T  answered\n") != NULL);
    /* Its own author cannot acknowledge or answer it. */
    (void)said(W, 4, "more", 0);
    acknowledge(W, 5, W "/4");
    (void)answer(W, 6, W "/4");
    CHECK(strstr(shown(), "washington/4  ROUTINE  T  waiting\n") != NULL);
    /* A receipt that came before the entry. */
    transcript_stored(&transcript, W, 20, P);
    (void)said(W, 7, "known already", 0);
    CHECK(strstr(shown(), "washington/7  ROUTINE  T  stored\n") != NULL);
}

static void of_three_members_each_counts(void)
{
    static const char *const members[] = {W, P, "geneva.example"};

    begin(members, 3, 80);
    (void)said(W, 3, "hello", 0);
    transcript_stored(&transcript, W, 4, P);
    CHECK(strstr(shown(), "stored at 1 of 2\n") != NULL);
    transcript_stored(&transcript, W, 4, "geneva.example");
    CHECK(strstr(shown(), "  stored\n") != NULL);
    acknowledge("geneva.example", 3, W "/3");
    CHECK(strstr(shown(), "acknowledged by 1 of 2\n") != NULL);
    acknowledge(P, 3, W "/3");
    CHECK(strstr(shown(), "  acknowledged\n") != NULL);
    transcript_stored(&transcript, "unknown.example", 4, P);
    transcript_stored(&transcript, NULL, 4, NULL);
}

static void a_gap_is_a_line_until_it_closes(void)
{
    begin_two(80);
    (void)said(P, 3, "before", 0);
    CHECK(early(P, 7) == TRANSCRIPT_NEW);
    CHECK(
        is_shown("pyongyang/3  ROUTINE  T  received\n    before\n... pyongyang/4-6 to come: what follows overtook it\n"
                 "pyongyang/7  ROUTINE  T  received  EARLY: entries of its author before it are\n    still to come\n"
                 "    flash\n"));
    CHECK(early(P, 7) == TRANSCRIPT_KNOWN);
    keys(P, 4);
    CHECK(strstr(shown(), "... pyongyang/5-6 to come") != NULL);
    (void)said(P, 5, "five", 0);
    CHECK(strstr(shown(), "... pyongyang/6 to come") != NULL);
    (void)said(P, 6, "six", 0);
    CHECK(strstr(shown(), "... pyongyang/4-6 came after what follows") != NULL);
    /* The one that overtook comes again, in its turn, and is shown once. */
    CHECK(said(P, 7, "flash", 0) == TRANSCRIPT_KNOWN);
    CHECK(strstr(shown(), "EARLY") == NULL && strstr(strstr(shown(), "    flash") + 1, "    flash") == NULL);
    CHECK(said(P, 8, "eight", 0) == TRANSCRIPT_NEW && strstr(shown(), "more;") == NULL);
}

static void a_gap_before_anything_was_seen_begins_where_the_record_ends(void)
{
    begin_two(80);
    (void)early(P, 9);
    CHECK(strstr(shown(), "... pyongyang/3-8 to come") != NULL);
}

static void many_gaps_cannot_overflow(void)
{
    begin_two(80);
    for (int i = 0; i < 2000; i++)
        (void)early(P, 10 + 2 * i);
    CHECK(transcript.item_count <= TRANSCRIPT_ITEMS_MAX);
    (void)said(P, 6000, "in turn", 0);
    CHECK(transcript.member[1].next == 6001);
}

static void what_was_lost_is_counted(void)
{
    begin_two(80);
    (void)said(P, 3, "before", 0);
    (void)said(P, 1004, "after", 0);
    CHECK(strstr(shown(), "... 1,000 more; liaison read talks shows them\n") != NULL);
}

static void a_flood_is_a_line_that_counts(void)
{
    uint64_t now = 5 * SECOND;
    uint64_t total = 0;

    begin_two(80);
    for (int i = 0; i < 10000; i++, now += 100)
        (void)said(P, 3 + i, "flood", now);
    CHECK(strstr(shown(), "... 9,955 more; liaison read talks shows them\n") != NULL);
    CHECK(strstr(shown(), "pyongyang/10002  ") != NULL && strstr(shown(), "pyongyang/9997  ") == NULL);
    total = transcript_rows(&transcript);
    for (int i = 10000; i < 20000; i++, now += 100)
        (void)said(P, 3 + i, "flood", now);
    /* Nothing has scrolled meanwhile. */
    CHECK(transcript_rows(&transcript) == total && transcript.item_count < 60);
    /* When it is over, all is shown again. */
    now += 3 * SECOND;
    for (int i = 20000; i < 20010; i++, now += SECOND / 2)
        (void)said(P, 3 + i, "calm", now);
    CHECK(strstr(shown(), "... 19,955 more;") != NULL && strstr(shown(), "pyongyang/20003  ") != NULL);
    CHECK(transcript_rows(&transcript) == total + 20);
}

static void what_is_old_is_forgotten_and_rows_keep_their_numbers(void)
{
    begin_two(80);
    for (int i = 0; i < 1000; i++)
        (void)said(P, 3 + i, "text", 0);
    CHECK(transcript_rows(&transcript) == 2000 && transcript.item_count == TRANSCRIPT_ITEMS_MAX);
    CHECK(transcript_row(&transcript, 0) == NULL && transcript_row(&transcript, 1487) == NULL);
    CHECK(memcmp(transcript_row(&transcript, 1488)->text.data, "pyongyang/747  ", 15) == 0);
    CHECK(memcmp(transcript_row(&transcript, 1998)->text.data, "pyongyang/1002  ", 16) == 0);
}

static void hostile_text_is_marked_and_stays_in_its_place(void)
{
    begin_two(40);
    (void)said(P, 3, "\033[31m\u202e\nwashington/9  ROUTINE  T  stored", 0);
    CHECK(
        is_shown("pyongyang/3  ROUTINE  T  received\n    MARKED\n    <U+001B>[31m<U+202E>\n    washington/9  ROUTINE  T"
                 "  stored\n"));
    (void)said(P, 4, "harmless", 0);
    CHECK(strstr(strstr(shown(), "pyongyang/4"), "MARKED") == NULL);
}

static void rows_fit_whatever_the_width(void)
{
    for (size_t columns = 0; columns < 100; columns += 3) {
        begin_two(columns);
        (void)said(P, 3,
                   "한국어로 된 긴 글입니다 中文的文字也很长 и по-русски тоже, e\u0301e\u0301e\u0301 "
                   "averyveryverylongwordindeed",
                   0);
        for (uint64_t i = 0; i < transcript_rows(&transcript); i++) {
            size_t wide = columns_of(buffer_span(&transcript_row(&transcript, i)->text));

            if (wide > (columns < 8 ? 8 : columns)) {
                printf("# %zu columns in a row of %zu\n", wide, columns);
                CHECK(false);
            }
        }
    }
    begin_two(80);
    (void)said(P, 3, "kept", 0);
    transcript_resize(&transcript, 20);
    CHECK(is_shown("pyongyang/3  ROUTINE\n    T  received\n    kept\n"));
}

static void a_flash_stands_out_until_it_is_acknowledged(void)
{
    char name[96];

    begin_two(80);
    CHECK(!transcript_waiting(&transcript, name));
    (void)flash(P, 3);
    CHECK(transcript_row(&transcript, 0)->style == ROW_REVERSED);
    CHECK(transcript_waiting(&transcript, name) && strcmp(name, P "/3") == 0);
    CHECK(transcript_find(&transcript, P "/3") != NULL && transcript_find(&transcript, P "/4") == NULL);
    acknowledge(W, 3, P "/3");
    CHECK(transcript_rows(&transcript) == 3 && transcript_row(&transcript, 0)->style == ROW_BOLD);
    CHECK(!transcript_waiting(&transcript, name));
    (void)flash(W, 4);
    CHECK(transcript_row(&transcript, 3)->style == ROW_BOLD);
}

static void notes_about_the_same_take_each_others_place(void)
{
    begin_two(80);
    transcript_note(&transcript, 0, 1, "down");
    transcript_note(&transcript, 0, 1, "up %s", "\033[2J");
    CHECK(is_shown("* up <U+001B>[2J\n"));
    transcript_note(&transcript, 0, 2, "other");
    transcript_note(&transcript, 0, 0, "a");
    transcript_note(&transcript, 0, 0, "a");
    CHECK(is_shown("* up <U+001B>[2J\n* other\n* a\n* a\n"));
}

static void nonsense_changes_nothing(void)
{
    static const char *const entries[] = {
        "{}",
        "[]",
        "{\"author\":1,\"number\":2}",
        "{\"author\":\"washington.example\",\"number\":-1,\"kind\":\"message\"}",
        "{\"author\":\"someone.example\",\"number\":1,\"kind\":\"message\"}",
        "null",
    };
    json_t *line = json_pack("{s:s, s:[{s:s}]}", "name", "talks", "members", "party", W);
    json_t *bad = json_pack("{s:s, s:[{s:i}]}", "name", "talks", "members", "party", 7);

    begin_two(80);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        json_t *entry = json_loads(entries[i], JSON_DECODE_ANY, NULL);

        CHECK(transcript_entry(&transcript, entry, 1) == TRANSCRIPT_KNOWN);
        json_decref(entry);
    }
    CHECK(transcript_rows(&transcript) == 0);
    CHECK(transcript_find(&transcript, "") == NULL && transcript_find(&transcript, "x/") == NULL &&
          transcript_find(&transcript, NULL) == NULL && transcript_find(&transcript, W "/3x") == NULL);
    transcript_free(&transcript);
    CHECK(!transcript_members(&transcript, NULL, W));
    CHECK(!transcript_members(&transcript, line, P));
    CHECK(!transcript_members(&transcript, bad, W));
    json_decref(line);
    json_decref(bad);
}

int main(void)
{
    CHECK(columns_locale());
    RUN(messages_stand_as_read_shows_them);
    RUN(states_change_in_place);
    RUN(of_three_members_each_counts);
    RUN(a_gap_is_a_line_until_it_closes);
    RUN(a_gap_before_anything_was_seen_begins_where_the_record_ends);
    RUN(many_gaps_cannot_overflow);
    RUN(what_was_lost_is_counted);
    RUN(a_flood_is_a_line_that_counts);
    RUN(what_is_old_is_forgotten_and_rows_keep_their_numbers);
    RUN(hostile_text_is_marked_and_stays_in_its_place);
    RUN(rows_fit_whatever_the_width);
    RUN(a_flash_stands_out_until_it_is_acknowledged);
    RUN(notes_about_the_same_take_each_others_place);
    RUN(nonsense_changes_nothing);
    transcript_free(&transcript);
    transcript_free(NULL);
    buffer_free(&rows);
    return test_end();
}
