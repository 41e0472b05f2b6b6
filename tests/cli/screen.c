#include "cli/screen.h"

#include "test.h"

static struct screen screen;
static struct frame frame;
static struct buffer out;

static void put(size_t row, const char *text)
{
    frame_put(&frame, row, ROW_PLAIN, span_of_string(text));
}

static const char *painted(void)
{
    buffer_reset(&out);
    screen_paint(&screen, &frame, &out);
    return buffer_string(&out);
}

static void begin(size_t rows)
{
    screen_free(&screen);
    frame_free(&frame);
    screen = (struct screen){0};
    screen_resize(&screen, rows, 80);
}

static void the_first_paint_writes_everything(void)
{
    begin(3);
    put(0, "one");
    frame_put(&frame, 2, ROW_REVERSED, span_of_string("three"));
    frame.cursor_row = 2;
    frame.cursor_column = 4;
    CHECK(strcmp(painted(), "\033[?25l\033[0m\033[H\033[2J\033[1;1H\033[Kone\033[3;1H\033[K\033[7mthree\033[0m"
                            "\033[3;5H\033[?25h") == 0);
}

static void then_only_what_differs_is_written(void)
{
    begin(3);
    put(0, "one");
    put(1, "two");
    (void)painted();
    CHECK(strcmp(painted(), "\033[?25l\033[1;1H\033[?25h") == 0);
    put(1, "TWO");
    CHECK(strstr(painted(), "\033[2;1H\033[KTWO") != NULL && strstr(painted(), "one") == NULL);
    frame_put(&frame, 0, ROW_BOLD, span_of_string("one"));
    CHECK(strstr(painted(), "\033[1mone\033[0m") != NULL);
}

static void what_is_scrolled_is_not_written_again(void)
{
    begin(3);
    put(0, "one");
    put(1, "two");
    put(2, "three");
    (void)painted();
    buffer_reset(&out);
    screen_scroll(&screen, 2, &out);
    CHECK(strcmp(buffer_string(&out), "\033[3;1H\n\n") == 0);
    put(0, "three");
    put(1, "");
    put(2, "four");
    CHECK(strcmp(painted(), "\033[?25l\033[3;1H\033[Kfour\033[1;1H\033[?25h") == 0);
    buffer_reset(&out);
    screen_scroll(&screen, 1000, &out);
    CHECK(strcmp(buffer_string(&out), "\033[3;1H\n\n\n") == 0);
}

static void a_resize_writes_everything_again(void)
{
    begin(3);
    put(0, "one");
    (void)painted();
    screen_resize(&screen, 2, 60);
    CHECK(strstr(painted(), "\033[2J\033[1;1H\033[Kone") != NULL);
}

static void sizes_are_bounded(void)
{
    begin(3);
    screen_resize(&screen, 0, 0);
    CHECK(screen.rows == 1 && screen.columns == 1);
    screen_resize(&screen, 100000, 100000);
    CHECK(screen.rows == SCREEN_ROWS_MAX);
    put(SCREEN_ROWS_MAX, "beyond");
    (void)painted();
    screen_scroll(&screen, 5, &out);
}

static void the_terminal_is_left_as_it_was(void)
{
    begin(3);
    buffer_reset(&out);
    screen_begin(&out);
    CHECK(strstr(buffer_string(&out), "\033[?2004h") != NULL && strstr(buffer_string(&out), "\033[?7l") != NULL);
    buffer_reset(&out);
    screen_end(&screen, &out);
    CHECK(strstr(buffer_string(&out), "\033[?2004l") != NULL && strstr(buffer_string(&out), "\033[?7h") != NULL);
}

int main(void)
{
    RUN(the_first_paint_writes_everything);
    RUN(then_only_what_differs_is_written);
    RUN(what_is_scrolled_is_not_written_again);
    RUN(a_resize_writes_everything_again);
    RUN(sizes_are_bounded);
    RUN(the_terminal_is_left_as_it_was);
    screen_free(&screen);
    frame_free(&frame);
    frame_free(NULL);
    screen_free(NULL);
    buffer_free(&out);
    return test_end();
}
