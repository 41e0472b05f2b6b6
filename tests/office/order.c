/*
 * The order: what rests on what is not folded, not here, or never comes; and entries that name each other in a ring.
 * The entries of three logs are made up here: of each, what it claims. An oracle says each one's depth, from all of
 * them at once; the office gets them in any order, and must come to the same.
 */
#include "../../src/office/lookup.c"

#include "../../src/office/order.c" /* its parts that wait for nothing outside are tried alone */

#include "test.h"

#define MEMBERS 3
#define ENTRIES 60
#define CLAIMS 3
#define ME 0
#define CHECKED 0 /* precedence: routine */

struct made {
    size_t count;
    struct claim claim[CLAIMS];
    unsigned precedence;
    uint64_t depth; /* by the oracle; 0 for none yet but of the first */
};

static struct office office;
static struct line line;
static struct charter charter;
static struct made made[MEMBERS][ENTRIES];
static uint64_t depths[MEMBERS][ENTRIES]; /* as folded */

static void put_durable(unsigned member, uint64_t size)
{
    static const uint8_t leaf[HASH_SIZE];
    struct tree_frontier frontier = {0};

    while (frontier.size < size)
        tree_append(&frontier, leaf);
    sync_load(line.sync, member, &frontier, NULL);
    line.member[member].grown = office.now.monotonic;
}

static void forget_events(void)
{
    struct office_event event;

    while (office_event(&office, &event))
        office_event_free(&event);
}

static void begin(void)
{
    forget_events();
    sync_free(line.sync);
    memset(&line, 0, sizeof line);
    memset(made, 0, sizeof made);
    charter.member_count = MEMBERS;
    for (unsigned i = 0; i < MEMBERS; i++)
        (void)snprintf(charter.members[i].name, sizeof charter.members[i].name, "member-%u.example", i);
    line.charter = &charter;
    line.me = ME;
    line.sync = sync_new(&charter, ME);
    office.now.monotonic.us = 1000 * SECOND_US;
}

static void pass(uint64_t us)
{
    office.now.monotonic = monotonic_after(office.now.monotonic, us);
}

static void name(unsigned member, uint64_t at, bool is_reference, unsigned named, uint64_t index)
{
    struct made *entry = &made[member][at];

    entry->claim[entry->count++] =
        (struct claim){.is_reference = is_reference, .member = named, .index = index, .true_ = true};
}

/* Tries a member's next entry, as a slice would that was looked up now. */
static bool fold_next_of(unsigned member)
{
    uint64_t at = line.member[member].folded;
    struct made *entry = &made[member][at];
    struct fold_entry found = {.member = member, .index = at, .claim_count = entry->count};
    struct fold_job fold = {.line = &line};
    uint64_t depth = 0;
    bool goes = false;

    for (size_t i = 0; i < entry->count; i++) {
        struct claim claim = entry->claim[i];

        claim.held = sync_durable(line.sync, claim.member) > claim.index;
        buffer_put(&fold.claims, &claim, sizeof claim);
    }
    goes = order_depth(&office, &fold, &found, entry->precedence, &depth);
    buffer_free(&fold.claims);
    if (!goes)
        return false;
    order_take(&line, &found, depth);
    depths[member][at] = depth;
    return true;
}

/* As far as it goes now. */
static void fold_all(void)
{
    bool more = true;

    order_again(&office, &line);
    while (more) {
        more = false;
        for (unsigned i = 0; i < MEMBERS; i++)
            while (line.member[i].folded < sync_durable(line.sync, i) && order_may_go_on(&office, &line, i) &&
                   fold_next_of(i))
                more = true;
    }
    forget_events();
}

static bool all_folded(void)
{
    for (unsigned i = 0; i < MEMBERS; i++)
        if (line.member[i].folded < sync_durable(line.sync, i))
            return false;
    return true;
}

/* --- waiting for a fold, and rings --- */

static void one_waits_for_what_it_names(void)
{
    begin();
    put_durable(1, 1);
    put_durable(2, 1);
    name(1, 0, true, 2, 0);
    CHECK(!fold_next_of(1) && !fold_next_of(1));
    CHECK(!order_may_go_on(&office, &line, 1));
    CHECK(fold_next_of(2));
    CHECK(order_may_go_on(&office, &line, 1) && fold_next_of(1));
    CHECK(depths[2][0] == 0 && depths[1][0] == 1);
}

static void a_ring_is_broken_at_its_first_member(void)
{
    begin();
    put_durable(1, 6);
    put_durable(2, 1);
    name(2, 0, true, 1, 5);
    name(1, 0, true, 2, 0);
    CHECK(!fold_next_of(2));
    CHECK(fold_next_of(1)); /* which needs 2, whose next needs what is behind this one: without it */
    CHECK(line.member[1].folded == 1 && !line.member[2].in_ring);
    CHECK(!fold_next_of(2));
    fold_all();
    CHECK(all_folded() && depths[2][0] == 6);
}

static void a_ring_is_broken_where_one_names_and_not_where_one_has_seen(void)
{
    begin();
    for (unsigned i = 0; i < MEMBERS; i++)
        put_durable(i, 9);
    name(1, 0, true, 2, 0);
    name(2, 0, false, 0, 7);
    name(0, 0, false, 1, 3); /* it rests on 1, which waits for 2, which waits for this */
    CHECK(!fold_next_of(1) && !fold_next_of(2) && !fold_next_of(0));
    CHECK(!line.member[0].in_ring && line.member[1].in_ring);
    CHECK(fold_next_of(1));
}

/* What else it names may be folded here and not yet there: then its place must not hang on that. */
static void where_a_ring_is_broken_nothing_that_is_named_counts(void)
{
    for (unsigned folded_first = 0; folded_first < 2; folded_first++) {
        begin();
        put_durable(0, 3);
        put_durable(1, 1);
        put_durable(2, 1);
        name(1, 0, true, 2, 0);
        name(1, 0, true, 0, 2);
        name(2, 0, true, 1, 0);
        while (folded_first == 1 && line.member[0].folded < 3)
            CHECK(fold_next_of(0));
        CHECK(!fold_next_of(1) && !fold_next_of(2));
        CHECK(fold_next_of(1) && depths[1][0] == 0);
        fold_all();
        CHECK(all_folded() && depths[2][0] == 1);
    }
}

static void who_waits_for_whom_is_found_again_when_the_order_is(void)
{
    begin();
    for (unsigned i = 0; i < MEMBERS; i++)
        put_durable(i, 9);
    name(1, 0, true, 2, 0);
    name(2, 0, true, 1, 0);
    CHECK(!fold_next_of(1) && !fold_next_of(2));
    CHECK(line.member[1].in_ring && line.member[2].waits);
    set_back(&office, &line, &(struct late){0});
    CHECK(!line.member[1].in_ring && !line.member[2].waits);
}

/* The store is not even asked. */
static void nothing_rests_on_a_later_entry_of_ones_own(void)
{
    struct reference later = {.member = 1, .index = 9};
    struct fold_job fold = {.line = &line};

    begin();
    fold.durable[1] = 10;
    CHECK(look_up_reference(&fold, NULL, 1, &later, true) == 0 && fold.claims.size == 0);
}

/* --- what is not here --- */

static void what_is_missing_is_waited_for(void)
{
    begin();
    put_durable(1, 1);
    name(1, 0, false, 2, 4);
    fold_all();
    CHECK(line.member[1].folded == 0 && order_waits(&office, &line, 1));
    CHECK(order_next(&office, &line).us == office.now.monotonic.us + MISSING_QUIET_US);
    put_durable(2, 5);
    fold_all();
    CHECK(all_folded() && depths[1][0] == 5);
    CHECK(!line.member[1].waited_in_vain && !line.late[1].any);
}

static void waiting_ends_when_the_log_is_quiet(void)
{
    begin();
    put_durable(1, 2);
    put_durable(2, 1);
    name(1, 0, false, 2, 4);
    name(1, 1, false, 2, 5);
    fold_all();
    pass(MISSING_QUIET_US - 1);
    fold_all();
    CHECK(line.member[1].folded == 0);
    pass(1);
    fold_all();
    CHECK(line.member[1].folded == 2 && line.member[1].waited_in_vain); /* the second one was not waited for */
}

static void a_log_that_grows_is_waited_for_and_not_for_ever(void)
{
    uint64_t waited = 0;

    begin();
    put_durable(1, 1);
    name(1, 0, false, 2, 59);
    fold_all();
    for (uint64_t size = 1; line.member[1].folded == 0 && size < 50; size++) {
        pass(MISSING_QUIET_US - 1);
        waited += MISSING_QUIET_US - 1;
        fold_all();
        if (line.member[1].folded == 0)
            put_durable(2, size);
        fold_all();
    }
    CHECK(waited >= MISSING_MAX_US && waited < MISSING_MAX_US + MISSING_QUIET_US);
}

/* A log each of whose entries names what comes just in time: all that rests on it would be late without limit. */
static void what_is_here_is_waited_for_together(void)
{
    uint64_t waited = 0;

    begin();
    put_durable(1, 5);
    for (uint64_t i = 0; i < 5; i++)
        name(1, i, true, 2, 10 * i + 9);
    fold_all();
    for (uint64_t size = 1; line.member[1].folded < 5 && size < 55; size++) {
        pass(MISSING_QUIET_US - 1);
        waited += MISSING_QUIET_US - 1;
        put_durable(2, size);
        fold_all();
    }
    CHECK(line.member[1].folded == 5 && waited >= 40 * SECOND_US && waited < MISSING_MAX_US + MISSING_QUIET_US);
    CHECK(line.member[1].waited_in_vain);
}

static void what_comes_later_has_a_time_of_its_own(void)
{
    begin();
    put_durable(1, 1);
    name(1, 0, true, 2, 0);
    name(1, 1, true, 2, 1);
    fold_all();
    put_durable(2, 1);
    fold_all();
    pass(MISSING_MAX_US);
    put_durable(1, 2);
    fold_all();
    CHECK(line.member[1].folded == 1 && order_waits(&office, &line, 1));
}

static unsigned events(void)
{
    struct office_event event;
    unsigned count = 0;

    for (; office_event(&office, &event); count++)
        office_event_free(&event);
    return count;
}

/* Who has others order again draws no line for each claim each time. */
static void a_void_claim_is_reported_once(void)
{
    begin();
    put_durable(1, 1);
    put_durable(2, 1);
    name(1, 0, true, 2, 0);
    made[1][0].claim[0].true_ = false;
    CHECK(fold_next_of(1) && events() == 1);
    line.member[1].announced = 1;
    line.member[1].folded = 0;
    CHECK(fold_next_of(1) && events() == 0);
}

static void a_flash_and_ones_own_do_not_wait(void)
{
    begin();
    put_durable(1, 1);
    put_durable(ME, 1);
    name(1, 0, false, 2, 4);
    name(ME, 0, true, 2, 4);
    made[1][0].precedence = PRECEDENCE_FLASH;
    fold_all();
    CHECK(all_folded());
    CHECK(!line.member[1].waited_in_vain && line.late[1].any && line.late[ME].any);
}

static void what_came_late_is_ordered_again(void)
{
    begin();
    put_durable(1, 3);
    name(1, 1, false, 2, 4);
    made[1][1].precedence = PRECEDENCE_FLASH;
    fold_all();
    CHECK(depths[1][1] == 1 && depths[1][2] == 2);
    CHECK(order_is_final(&line, 1) == 1 && order_is_final(&line, 2) == 0);
    put_durable(2, 4);
    fold_all();
    CHECK(line.late[1].any);
    put_durable(2, 5);
    fold_all();
    fold_all();
    CHECK(all_folded() && depths[1][1] == 5 && depths[1][2] == 6);
    CHECK(order_is_final(&line, 1) == 3 && order_is_final(&line, 2) == 5);
}

/* Who claims too much makes others order again and again: after each time it is left for longer. */
static void ordering_again_is_put_off_by_what_it_costs(void)
{
    begin();
    put_durable(1, 40);
    for (uint64_t i = 1; i < 4; i++) {
        name(1, i, false, 2, i);
        made[1][i].precedence = PRECEDENCE_FLASH;
    }
    fold_all();
    put_durable(2, 2);
    fold_all(); /* folds it */
    fold_all(); /* sets 1 back, and it claims the others again */
    CHECK(line.late[1].any && depths[1][1] == 2);
    put_durable(2, 3);
    fold_all();
    fold_all();
    CHECK(line.member[1].folded == 40 && depths[1][2] == 3 && line.late[1].any);
    CHECK(order_next(&office, &line).us == line.late[1].not_before.us);
    CHECK(line.late[1].not_before.us >= office.now.monotonic.us + 40 * AGAIN_US);
    put_durable(2, 9);
    fold_all();
    CHECK(depths[1][3] == 4);
    pass(100 * AGAIN_US);
    fold_all();
    fold_all();
    CHECK(all_folded() && !line.late[1].any);
}

/* --- against the oracle --- */

static uint64_t oracle_depth(unsigned member, uint64_t at)
{
    struct made *entry = &made[member][at];
    uint64_t depth = at == 0 ? 0 : oracle_depth(member, at - 1) + 1;

    if (entry->depth > 0)
        return entry->depth;
    for (size_t i = 0; i < entry->count; i++) {
        uint64_t rest = oracle_depth(entry->claim[i].member, entry->claim[i].index) + 1;

        if (rest > depth)
            depth = rest;
    }
    return entry->depth = depth;
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

/* Entries made in turn by members who each hold some of what the others have written. */
static void make_entries(uint64_t *seed)
{
    uint64_t size[MEMBERS] = {0};
    uint64_t seen[MEMBERS][MEMBERS] = {{0}};

    for (unsigned left = MEMBERS * ENTRIES; left > 0;) {
        unsigned by = (unsigned)draw(seed, MEMBERS);

        if (size[by] == ENTRIES)
            continue;
        for (unsigned of = 0; of < MEMBERS; of++) {
            if (of == by || size[of] == seen[by][of] || draw(seed, 2) == 0)
                continue;
            seen[by][of] += 1 + draw(seed, size[of] - seen[by][of]);
            name(by, size[by], draw(seed, 8) == 0, of, seen[by][of] - 1);
        }
        made[by][size[by]].precedence = draw(seed, 10) == 0 ? PRECEDENCE_FLASH : CHECKED;
        size[by]++;
        left--;
    }
}

/* Whatever comes when: with pauses so long that nothing is waited for any more, too. */
static void the_order_does_not_depend_on_what_came_when(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t state = seed;
        uint64_t held[MEMBERS] = {0};
        uint64_t wrong = 0;

        begin();
        make_entries(&state);
        while (held[0] + held[1] + held[2] < (uint64_t)MEMBERS * ENTRIES) {
            unsigned of = (unsigned)draw(&state, MEMBERS);

            if (held[of] == ENTRIES)
                continue;
            held[of] += 1 + draw(&state, ENTRIES - held[of] < 9 ? ENTRIES - held[of] : 9);
            put_durable(of, held[of]);
            pass(draw(&state, 4) == 0 ? draw(&state, 3 * SECOND_US) : 1000);
            fold_all();
        }
        for (unsigned i = 0; i < 20 && order_next(&office, &line).us != NEVER.us; i++) {
            office.now.monotonic = monotonic_after(order_next(&office, &line), 1);
            fold_all();
        }
        fold_all();
        for (unsigned m = 0; m < MEMBERS; m++)
            for (uint64_t i = 0; i < ENTRIES; i++)
                wrong += depths[m][i] != oracle_depth(m, i);
        if (wrong > 0 || !all_folded())
            printf("# seed %llu: %llu wrong\n", (unsigned long long)seed, (unsigned long long)wrong);
        CHECK(wrong == 0 && all_folded());
    }
}

int main(void)
{
    RUN(one_waits_for_what_it_names);
    RUN(a_ring_is_broken_at_its_first_member);
    RUN(a_ring_is_broken_where_one_names_and_not_where_one_has_seen);
    RUN(where_a_ring_is_broken_nothing_that_is_named_counts);
    RUN(who_waits_for_whom_is_found_again_when_the_order_is);
    RUN(nothing_rests_on_a_later_entry_of_ones_own);
    RUN(what_is_missing_is_waited_for);
    RUN(waiting_ends_when_the_log_is_quiet);
    RUN(a_log_that_grows_is_waited_for_and_not_for_ever);
    RUN(what_is_here_is_waited_for_together);
    RUN(what_comes_later_has_a_time_of_its_own);
    RUN(a_void_claim_is_reported_once);
    RUN(a_flash_and_ones_own_do_not_wait);
    RUN(what_came_late_is_ordered_again);
    RUN(ordering_again_is_put_off_by_what_it_costs);
    RUN(the_order_does_not_depend_on_what_came_when);
    begin();
    sync_free(line.sync);
    return test_end();
}
