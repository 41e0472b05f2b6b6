#include "base/cursor.h"

#include "test.h"

static void reads_big_endian_and_ends(void)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct cursor cursor = cursor_of(span_of(bytes, sizeof bytes));

    CHECK(cursor_u8(&cursor) == 1);
    CHECK(cursor_u16(&cursor) == 0x0203);
    CHECK(cursor_u32(&cursor) == 0x04050607);
    CHECK(!cursor_done(&cursor));
    CHECK(cursor_u64(&cursor) == UINT64_C(0x08090a0b0c0d0e0f));
    CHECK(cursor_done(&cursor));
}

static void a_read_beyond_the_end_fails_for_good(void)
{
    static const uint8_t bytes[] = {1, 2, 3};
    uint8_t out[4] = {9, 9, 9, 9};
    struct cursor cursor = cursor_of(span_of(bytes, sizeof bytes));

    CHECK(cursor_u32(&cursor) == 0 && cursor.failed);
    CHECK(cursor_u8(&cursor) == 0); /* though three bytes were there */
    CHECK(cursor_span(&cursor, 0).size == 0 && cursor_rest(&cursor).size == 0 && cursor_line(&cursor).size == 0);
    CHECK(!cursor_skip_text(&cursor, ""));
    cursor_copy(&cursor, out, sizeof out);
    CHECK(out[0] == 0 && out[3] == 0 && !cursor_done(&cursor));
}

static void a_giant_size_does_not_wrap(void)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct cursor cursor = cursor_of(span_of(bytes, sizeof bytes));

    CHECK(cursor_span(&cursor, SIZE_MAX).size == 0 && cursor.failed);
}

static void an_empty_input_is_done(void)
{
    struct cursor cursor = cursor_of(span_of(NULL, 0));

    CHECK(cursor_done(&cursor));
    CHECK(cursor_span(&cursor, 0).size == 0 && cursor_rest(&cursor).size == 0 && cursor_done(&cursor));
    CHECK(cursor_u8(&cursor) == 0 && !cursor_done(&cursor));
}

static void lines_end_with_a_line_feed(void)
{
    struct cursor cursor = cursor_of(span_of_string("one\n\nthree"));

    CHECK(span_equal(cursor_line(&cursor), span_of_string("one")) && !cursor.failed);
    CHECK(cursor_line(&cursor).size == 0 && !cursor.failed);
    CHECK(cursor_line(&cursor).size == 0 && cursor.failed);
}

static void skip_text_takes_all_or_nothing(void)
{
    struct cursor cursor = cursor_of(span_of_string("abc"));

    CHECK(!cursor_skip_text(&cursor, "abd") && cursor.left == 3);
    CHECK(!cursor_skip_text(&cursor, "abcd") && cursor.left == 3 && !cursor.failed);
    CHECK(cursor_skip_text(&cursor, "ab") && cursor.left == 1);
    CHECK(span_equal(cursor_rest(&cursor), span_of_string("c")) && cursor_done(&cursor));
}

static void fail_says_false(void)
{
    struct cursor cursor = cursor_of(span_of_string("abc"));

    CHECK(!cursor_fail(&cursor) && cursor.failed && cursor.left == 0);
}

int main(void)
{
    RUN(reads_big_endian_and_ends);
    RUN(a_read_beyond_the_end_fails_for_good);
    RUN(a_giant_size_does_not_wrap);
    RUN(an_empty_input_is_done);
    RUN(lines_end_with_a_line_feed);
    RUN(skip_text_takes_all_or_nothing);
    RUN(fail_says_false);
    return test_end();
}
