#include "cli/columns.h"

#include "test.h"

static struct buffer out;

static bool shown(const char *text, size_t size, const char *expected, bool marked)
{
    bool same = false;

    buffer_reset(&out);
    same = columns_put_shown(&out, span_of(text, size)) == marked && strcmp(buffer_string(&out), expected) == 0;
    if (!same)
        printf("# %s\n", buffer_string(&out));
    return same;
}
#define SHOWN(text, expected, marked) CHECK(shown(text, sizeof text - 1, expected, marked))

static void letters_of_every_script_stay(void)
{
    SHOWN("Are you there?", "Are you there?", false);
    SHOWN("예, 방에 있습니다.", "예, 방에 있습니다.", false);
    SHOWN("我在这里。", "我在这里。", false);
    SHOWN("Да, я здесь, ё и й", "Да, я здесь, ё и й", false);
    SHOWN("", "", false);
}

static void what_hides_or_moves_is_marked(void)
{
    SHOWN("\033[2J", "<U+001B>[2J", true);
    SHOWN("a\nb", "a<U+000A>b", true);
    SHOWN("\u202egnp", "<U+202E>gnp", true);
    SHOWN("a\u200bb", "a<U+200B>b", true);
    SHOWN("\xc3(", "<0xC3>(", true);
    SHOWN("a\0b", "a<U+0000>b", true);
}

static void what_has_no_width_does_not_pile_up(void)
{
    /* Trailing consonants of old Korean are no combining marks, and take no column either. */
    SHOWN("\u11a8\u11a8\u11a8\u11a8\u11a8", "\u11a8\u11a8\u11a8\u11a8<U+11A8>", true);
    SHOWN("e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301<U+0301>", true);
    SHOWN("e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301x", "e\u0301\u0301\u0301\u0301<U+0301 4 times>x", true);
    SHOWN("\u202e\u202e\u202e\u202e\u202d\u202d", "<U+202E 4 times><U+202D><U+202D>", true);
    SHOWN("\xff\xff\xff\xff", "<0xFF 4 times>", true);
    /* A syllable in its parts is not a flood. */
    SHOWN("\u1112\u1161\u11ab", "\u1112\u1161\u11ab", false);
}

static void what_the_library_does_not_know_is_marked(void)
{
    SHOWN("\u0378", "<U+0378>", true);
}

static void columns_are_counted(void)
{
    CHECK(columns_of(span_of_string("abc")) == 3);
    CHECK(columns_of(span_of_string("한국어")) == 6);
    CHECK(columns_of(span_of_string("中文")) == 4);
    CHECK(columns_of(span_of_string("привет")) == 6);
    CHECK(columns_of(span_of_string("e\u0301")) == 1);
    CHECK(columns_of(span_of_string("")) == 0);
    CHECK(columns_of(span_of_string("\xff\xff")) == 2);
}

static void rows_are_filled_and_not_more(void)
{
    CHECK(columns_fit(span_of_string("한국어"), 5) == 6);
    CHECK(columns_fit(span_of_string("한국어"), 6) == 9);
    CHECK(columns_fit(span_of_string("한"), 1) == 3);
    CHECK(columns_fit(span_of_string("abe\u0301c"), 3) == 5);
    CHECK(columns_fit(span_of_string(""), 10) == 0);
    CHECK(columns_fit(span_of_string("ab"), 0) == 1);
}

static void rows_are_broken_at_spaces(void)
{
    CHECK(columns_break(span_of_string("hello world again"), 12) == 12);
    CHECK(columns_break(span_of_string("hello world again"), 13) == 12);
    CHECK(columns_break(span_of_string("hello world again"), 11) == 11);
    CHECK(columns_break(span_of_string("hello world"), 11) == 11);
    CHECK(columns_break(span_of_string("a veryverylongword"), 10) == 10);
    CHECK(columns_break(span_of_string("    longlonglonglong"), 10) == 10);
}

int main(void)
{
    CHECK(columns_locale());
    RUN(letters_of_every_script_stay);
    RUN(what_hides_or_moves_is_marked);
    RUN(what_has_no_width_does_not_pile_up);
    RUN(what_the_library_does_not_know_is_marked);
    RUN(columns_are_counted);
    RUN(rows_are_filled_and_not_more);
    RUN(rows_are_broken_at_spaces);
    buffer_free(&out);
    return test_end();
}
