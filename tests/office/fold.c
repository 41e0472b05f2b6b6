/*
 * The order under false members: entries that name each other in a ring, or one that is not made yet.
 */
#include "../../src/office/lookup.c"

#include "../../src/office/fold.c" /* its parts that wait for nothing outside are tried alone */

#include "test.h"

static struct office office;
static struct line line;
static struct charter charter;

static void begin(void)
{
    memset(&line, 0, sizeof line);
    charter.member_count = 3;
    line.charter = &charter;
}

/* Whether the next entry of a member's log, which names another one, finds its depth. */
static bool folds(unsigned member, bool is_reference, unsigned named, uint64_t index)
{
    struct claim claim = {.is_reference = is_reference, .member = named, .index = index, .held = true, .true_ = true};
    static struct fold_job fold;
    uint64_t depth = 0;

    memset(&fold, 0, sizeof fold);
    fold.line = &line;
    fold.member = member;
    fold.count = 1;
    fold.entry[0].index = line.member[member].folded;
    buffer_put(&fold.claims, &claim, sizeof claim);
    if (compute_depth(&office, &fold, 0, &depth)) {
        line.member[member].folded++;
        line.member[member].waits = line.member[member].in_ring = false;
        buffer_free(&fold.claims);
        return true;
    }
    buffer_free(&fold.claims);
    return false;
}

static void one_waits_for_what_it_names(void)
{
    begin();
    CHECK(!folds(1, true, 2, 0) && !folds(1, true, 2, 0));
    CHECK(!folds(1, false, 2, 0));
    CHECK(!line.member[1].in_ring && !line.member[2].in_ring);
}

static void a_ring_is_broken_at_its_first_member(void)
{
    begin();
    CHECK(!folds(2, true, 1, 5));
    CHECK(folds(1, true, 2, 0)); /* which needs 2, whose next needs what is behind this one: without it */
    CHECK(line.member[1].folded == 1 && !line.member[2].in_ring);
    CHECK(!folds(2, true, 1, 5));
}

static void a_ring_is_broken_where_one_names_and_not_where_one_has_seen(void)
{
    begin();
    CHECK(!folds(1, true, 2, 0));
    CHECK(!folds(2, false, 0, 7));
    CHECK(!folds(0, false, 1, 3)); /* it rests on 1, which waits for 2, which waits for this */
    CHECK(!line.member[0].in_ring && line.member[1].in_ring);
    CHECK(folds(1, true, 2, 0));
}

/* The store is not even asked. */
static void nothing_rests_on_a_later_entry_of_ones_own(void)
{
    struct reference later = {.member = 1, .index = 9};
    struct fold_job *fold = calloc(1, sizeof *fold);

    begin();
    fold->line = &line;
    fold->member = 1;
    fold->durable[1] = 10;
    CHECK(look_up_reference(fold, NULL, &later) == 0 && fold->claims.size == 0);
    free(fold);
}

/* An author that goes back and forth between epochs, or an order made again, draws no second notice. */
static void an_epoch_is_said_to_be_unreadable_once(void)
{
    static const uint64_t epoch[] = {1, 2, 1, 2};
    unsigned said = 0;

    begin();
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
    RUN(nothing_rests_on_a_later_entry_of_ones_own);
    RUN(one_waits_for_what_it_names);
    RUN(a_ring_is_broken_at_its_first_member);
    RUN(a_ring_is_broken_where_one_names_and_not_where_one_has_seen);
    RUN(an_epoch_is_said_to_be_unreadable_once);
    return test_end();
}
