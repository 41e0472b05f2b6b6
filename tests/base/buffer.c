#include "base/buffer.h"

#include <wchar.h>

#include "memory.h"
#include "test.h"

static void integers_are_big_endian(void)
{
    struct buffer buffer = {0};

    buffer_put_u8(&buffer, 1);
    buffer_put_u16(&buffer, 0x0203);
    buffer_put_u32(&buffer, 0x04050607);
    buffer_put_u64(&buffer, UINT64_C(0x08090a0b0c0d0e0f));
    CHECK(buffer.size == 15 && !buffer_failed(&buffer));
    for (size_t i = 0; i < buffer.size; i++)
        CHECK(buffer.data[i] == i + 1);
    buffer_free(&buffer);
    CHECK(buffer.data == NULL && buffer.size == 0);
    buffer_free(NULL);
}

static void it_grows_and_keeps_what_it_holds(void)
{
    struct buffer buffer = {0};

    for (unsigned i = 0; i < 100000; i++)
        buffer_put_u8(&buffer, (uint8_t)i);
    CHECK(buffer.size == 100000);
    for (unsigned i = 0; i < buffer.size; i++)
        CHECK(buffer.data[i] == (uint8_t)i);
    buffer_drop(&buffer, 99999);
    CHECK(buffer.size == 1 && buffer.data[0] == (uint8_t)99999);
    buffer_drop(&buffer, 5);
    CHECK(buffer.size == 0);
    buffer_free(&buffer);
}

static void nothing_is_a_place_too(void)
{
    struct buffer buffer = {0};

    CHECK(buffer_extend(&buffer, 0) != NULL);
    buffer_put(&buffer, NULL, 0);
    buffer_put_span(&buffer, span_of(NULL, 0));
    CHECK(buffer.size == 0 && !buffer_failed(&buffer) && strcmp(buffer_string(&buffer), "") == 0);
    buffer_free(&buffer);
}

static void a_failure_is_kept_until_reset(void)
{
    struct buffer buffer = {0};

    buffer_put_u8(&buffer, 1);
    CHECK(buffer_extend(&buffer, SIZE_MAX) == NULL && buffer_failed(&buffer));
    buffer_put_u8(&buffer, 2);
    buffer_print(&buffer, "%d", 3);
    CHECK(buffer.size == 1 && strcmp(buffer_string(&buffer), "") == 0);
    buffer_reset(&buffer);
    buffer_put_u8(&buffer, 4);
    CHECK(!buffer_failed(&buffer) && buffer.size == 1 && buffer.data[0] == 4);
    buffer_free(&buffer);
}

static void print_counts_no_zero(void)
{
    struct buffer buffer = {0};

    buffer_print(&buffer, "%s %d", "number", 17);
    buffer_print(&buffer, "%s", "");
    CHECK(buffer.size == 9 && strcmp(buffer_string(&buffer), "number 17") == 0 && buffer.size == 9);
    buffer_free(&buffer);
}

/* Whatever fails, what was there before is kept, and nothing behind it is taken. */
static void where_there_is_no_memory_it_fails_and_keeps_what_it_holds(void)
{
    size_t failed = 0;

    for (size_t n = 1;; n++) {
        struct buffer buffer = {0};
        bool bad = false, ran_out = false;

        memory_fail(n);
        for (unsigned i = 0; i < 500; i++)
            buffer_print(&buffer, "%03u", i);
        bad = buffer_failed(&buffer);
        ran_out = memory_ran_out();
        CHECK(bad == ran_out);
        for (unsigned i = 0; i < buffer.size / 3; i++)
            CHECK((unsigned)(buffer.data[3 * i] - '0') * 100 + (unsigned)(buffer.data[3 * i + 1] - '0') * 10 +
                      (unsigned)(buffer.data[3 * i + 2] - '0') ==
                  i);
        CHECK(buffer.size % 3 == 0 && (bad || buffer.size == 1500));
        buffer_free(&buffer);
        if (!ran_out)
            break;
        failed++;
    }
    CHECK(failed == 6); /* 64 to 2048 bytes */
}

static void what_cannot_be_printed_fails(void)
{
    struct buffer buffer = {0};

    buffer_print(&buffer, "%d", 1);
    buffer_print(&buffer, "%lc", (wint_t)0x10ffff); /* the locale C has no such character */
    CHECK(buffer_failed(&buffer) && buffer.size == 1);
    buffer_free(&buffer);
}

int main(void)
{
    RUN(integers_are_big_endian);
    RUN(it_grows_and_keeps_what_it_holds);
    RUN(nothing_is_a_place_too);
    RUN(a_failure_is_kept_until_reset);
    RUN(print_counts_no_zero);
    RUN(where_there_is_no_memory_it_fails_and_keeps_what_it_holds);
    RUN(what_cannot_be_printed_fails);
    return test_end();
}
