#include "cli/keys.h"

#include "cli/columns.h"
#include "test.h"

static struct keys keys;

static void type(const char *bytes, size_t size)
{
    keys_input(&keys, span_of(bytes, size));
}
#define TYPE(bytes) type(bytes, sizeof bytes - 1)

/* The characters that come next are these. */
static bool next_are(const wchar_t *expected)
{
    wchar_t character = 0;

    for (; *expected != 0; expected++)
        if (!keys_next(&keys, &character) || character != *expected)
            return false;
    return true;
}

static bool nothing_next(void)
{
    wchar_t character = 0;

    return !keys_next(&keys, &character);
}

static void begin(void)
{
    keys_free(&keys);
    keys = (struct keys){0};
}

static void characters_come_whole(void)
{
    begin();
    TYPE("a\xed\x95");
    CHECK(next_are(L"a") && nothing_next());
    TYPE("\x9c");
    CHECK(next_are(L"한") && nothing_next());
    TYPE("\r\033[A");
    CHECK(next_are(L"\n\033[A") && nothing_next());
}

static void what_is_no_text_is_dropped(void)
{
    begin();
    TYPE("a\xff\xc3(\0b\xc2\x9b"
         "c");
    CHECK(next_are(L"a(bc") && nothing_next());
}

static void pasted_lines_are_told_from_typed_ones(void)
{
    begin();
    TYPE("\033[200~.\rsend\r\033[201~x\r");
    CHECK(next_are(L".\n") && keys.line_pasted);
    keys_restart(&keys);
    CHECK(next_are(L"send\n") && keys.line_pasted);
    keys_restart(&keys);
    CHECK(next_are(L"x\n") && !keys.line_pasted);
}

static void a_line_that_was_pasted_and_ended_by_hand_is_pasted(void)
{
    begin();
    TYPE("\033[200~send\033[201~\r");
    CHECK(next_are(L"send\n") && keys.line_pasted);
    keys_restart(&keys);
    /* A name pasted into a command leaves it one. */
    TYPE("/ack \033[200~pyongyang/5\033[201~\r");
    CHECK(next_are(L"/ack pyongyang/5\n") && !keys.line_pasted);
}

static void controls_in_a_paste_do_nothing(void)
{
    begin();
    TYPE("\033[200~a\x15\x04\x03\033[A\tb\x7f\033[201~");
    CHECK(next_are(L"a[A b") && nothing_next());
    CHECK(!keys.pasting);
}

static void brackets_may_come_in_pieces(void)
{
    static const char bytes[] = "\033[200~a\033[201~b";

    begin();
    for (size_t i = 0; i < 6; i++) {
        type(bytes + i, 1);
        CHECK(nothing_next());
    }
    type(bytes + 6, 5);
    CHECK(next_are(L"a") && nothing_next() && keys.pasting);
    type(bytes + 11, sizeof bytes - 1 - 11);
    CHECK(next_are(L"b") && nothing_next() && !keys.pasting);
}

int main(void)
{
    CHECK(columns_locale());
    RUN(characters_come_whole);
    RUN(what_is_no_text_is_dropped);
    RUN(pasted_lines_are_told_from_typed_ones);
    RUN(a_line_that_was_pasted_and_ended_by_hand_is_pasted);
    RUN(controls_in_a_paste_do_nothing);
    RUN(brackets_may_come_in_pieces);
    keys_free(&keys);
    keys_free(NULL);
    return test_end();
}
