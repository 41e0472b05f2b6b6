/*
 * What is said of entries that cannot be opened.
 */
#include "../../src/office/unseal.c" /* its parts that wait for nothing outside are tried alone */

#include "test.h"

/* An author that goes back and forth between epochs, or an order made again, draws no second notice. */
static void an_epoch_is_said_to_be_unreadable_once(void)
{
    static const uint64_t epoch[] = {1, 2, 1, 2};
    static struct line line;
    unsigned said = 0;

    for (uint64_t i = 0; i < 4; i++) {
        note_unreadable(&line, 1, i, epoch[i]);
        said += line.member[1].has_unreadable;
        line.member[1].has_unreadable = false;
    }
    CHECK(said == 2);
    line.member[1].announced = 10;
    note_unreadable(&line, 1, 9, 3);
    CHECK(!line.member[1].has_unreadable);
    note_unreadable(&line, 1, 10, 3);
    CHECK(line.member[1].has_unreadable);
}

int main(void)
{
    RUN(an_epoch_is_said_to_be_unreadable_once);
    return test_end();
}
