/*
 * The list of operations. An office writes for three reasons: it was asked, a link brought something, or time passed.
 *
 * Asked (office/office.h, "requests"): found, join, link, unlink, confirm, leave, append (say, flash, array) and
 * acknowledge write; show, entries, inbox, verify, policy and prove only read, and a link's test writes what each
 * contact does. Brought by a link (office/links.c, office/sync events): entries (hear, hear-flash), one before its turn
 * (early), receipts and settle heads (after each say), handshake counters and prekeys (meet, contact). By time: what
 * may wait, the log emptied (idle). By people: an orderly end and a process killed, each with the start that follows;
 * and a database put back from yesterday, after which an office must say nothing. `both` lets own and others' entries
 * meet in one batch.
 */
#include "workload.h"

#include <stdio.h>

#define PATIENCE_US (120 * SECOND_US)
#define IDLE_US (65 * SECOND_US)
#define LONG_ARRAYS                                                                                                    \
    116 /* recorded, and then some: SQLite's log is nearly so long that it is moved into the database                  \
         */
#define TEXT_SIZE 20
#define RUNS_BEFORE 6
#define LONG_TEXT_SIZE 1700 /* it takes long enough for a flash to overtake */

/* --- when they make sense -----------------------------------------------------------------------------------------
 */

static bool victim_runs(const struct pair *pair)
{
    return party_runs(&pair->party[pair->victim]);
}

static bool nobody_has_line(const struct pair *pair)
{
    return !pair_has_line(pair, 0) && !pair_has_line(pair, 1);
}

static bool is_offered(const struct pair *pair)
{
    return !pair_has_line(pair, pair->victim) && pair_has_line(pair, 1 - pair->victim);
}

static bool has_line(const struct pair *pair)
{
    return pair_has_line(pair, pair->victim) && !pair_has_left(pair, pair->victim);
}

static bool has_not_met(const struct pair *pair)
{
    return has_line(pair) && !pair_has_address(pair, 1 - pair->victim, 0);
}

static bool has_met(const struct pair *pair)
{
    return has_line(pair) && pair_has_address(pair, 1 - pair->victim, 0);
}

static unsigned next_address(const struct pair *pair)
{
    unsigned address = 0;

    while (address < PAIR_ADDRESSES_MAX && pair_has_address(pair, pair->victim, address))
        address++;
    return address;
}

static bool has_link(const struct pair *pair)
{
    return has_met(pair) && next_address(pair) > 0;
}

static bool has_heard(const struct pair *pair)
{
    uint64_t heard = pair_heard(pair);

    for (size_t i = 0; has_line(pair) && i < pair->text_count; i++)
        if (pair->text[i].party != pair->victim && pair->text[i].recorded && pair->text[i].index < heard)
            return true;
    return false;
}

static bool has_yesterday(const struct pair *pair)
{
    return has_met(pair) && pair->yesterday.size > 0;
}

/* --- what they are ------------------------------------------------------------------------------------------------
 */

static void found(struct pair *pair, struct begun *begun)
{
    (void)begun;
    if (!pair_has_line(pair, pair->victim))
        pair_found(pair, pair->victim, false); /* a courier key is shown once, and a crash may fall before that */
}

static void join(struct pair *pair, struct begun *begun)
{
    (void)begun;
    if (!pair_has_line(pair, pair->victim))
        pair_join(pair, pair->victim);
}

static bool is_on_line(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_answered(pair) && pair_has_line(pair, pair->victim);
}

static void meet(struct pair *pair, struct begun *begun)
{
    unsigned other = 1 - pair->victim;

    (void)begun;
    if (!pair_has_line(pair, other) && pair->charter.size == 0)
        pair_ask_number(pair, pair->victim);
    else if (!pair_has_line(pair, other))
        pair_join(pair, other);
    else if (!pair_has_address(pair, other, 0))
        pair_link(pair, other, 0);
    else if (!pair_has_address(pair, pair->victim, 0))
        pair_link(pair, pair->victim, 0);
}

static bool have_met(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_answered(pair) && pair_has_address(pair, 1 - pair->victim, 0) && pair_is_up(pair);
}

static void say(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_say(pair, pair->victim, 1, PRECEDENCE_ROUTINE, TEXT_SIZE);
}

static void say_flash(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_say(pair, pair->victim, 1, PRECEDENCE_FLASH, TEXT_SIZE);
}

static void say_array(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_say(pair, pair->victim, 3, PRECEDENCE_ROUTINE, TEXT_SIZE);
}

static void say_again(struct pair *pair, struct begun *begun)
{
    (void)begun;
    (void)pair_say_again(pair, pair->victim);
}

static bool is_recorded(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_recorded(pair, pair->victim);
}

static void hear(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_say(pair, 1 - pair->victim, 1, PRECEDENCE_ROUTINE, TEXT_SIZE);
}

static void hear_flash(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_say(pair, 1 - pair->victim, 1, PRECEDENCE_FLASH, TEXT_SIZE);
}

static bool is_heard(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_recorded(pair, 1 - pair->victim) && pair_is_receipted(pair, 1 - pair->victim);
}

static void say_and_hear(struct pair *pair, struct begun *begun)
{
    hear(pair, begun);
    say(pair, begun);
}

static bool is_recorded_and_heard(const struct pair *pair, const struct begun *begun)
{
    return is_recorded(pair, begun) && is_heard(pair, begun);
}

/* While nothing gets through, the other one says more than a wire holds, then a flash: it goes first when there is a
 * way, before what is not on the wire yet. */
static void keep_waiting(struct pair *pair, struct begun *begun)
{
    unsigned other = 1 - pair->victim;

    (void)begun;
    network_block(pair->network, other, pair->victim, UINT64_MAX);
    network_block(pair->network, pair->victim, other, UINT64_MAX);
    (void)network_cut(pair->network, 0, 1, false, pair->time);
}

static void let_overtake(struct pair *pair, struct begun *begun)
{
    unsigned other = 1 - pair->victim;

    if (!pair_is_recorded(pair, other) || begun->phase > RUNS_BEFORE)
        return;
    begun->phase++;
    if (begun->phase <= RUNS_BEFORE)
        pair_say(pair, other, PAIR_SAY_MAX, PRECEDENCE_ROUTINE, LONG_TEXT_SIZE);
    else
        pair_say(pair, other, 1, PRECEDENCE_FLASH, TEXT_SIZE);
}

static void let_through(struct pair *pair, struct begun *begun)
{
    let_overtake(pair, begun);
    if (begun->phase > RUNS_BEFORE && pair_is_recorded(pair, 1 - pair->victim))
        network_heal(pair->network);
}

static bool is_all_heard(const struct pair *pair, const struct begun *begun)
{
    return begun->phase > RUNS_BEFORE && is_heard(pair, begun);
}

/* The newest text that it holds. */
static void choose_entry(struct pair *pair, struct begun *begun)
{
    uint64_t heard = pair_heard(pair);

    for (size_t i = 0; i < pair->text_count; i++)
        if (pair->text[i].party != pair->victim && pair->text[i].recorded && pair->text[i].index < heard)
            begun->entry = pair->text[i].index;
}

static void acknowledge(struct pair *pair, struct begun *begun)
{
    begun->phase = 1;
    pair_acknowledge(pair, pair->victim, begun->entry);
}

static bool is_answered(const struct pair *pair, const struct begun *begun)
{
    return begun->phase == 1 && pair_is_answered(pair) && pair->request[pair->victim].answered;
}

static void choose_new_link(struct pair *pair, struct begun *begun)
{
    begun->address = next_address(pair);
}

static void choose_link(struct pair *pair, struct begun *begun)
{
    begun->address = next_address(pair) - 1;
}

static void add_link(struct pair *pair, struct begun *begun)
{
    if (!pair_has_address(pair, pair->victim, begun->address))
        pair_link(pair, pair->victim, begun->address);
}

static bool has_new_link(const struct pair *pair, const struct begun *begun)
{
    return pair_is_answered(pair) && pair_has_address(pair, pair->victim, begun->address);
}

static void remove_link(struct pair *pair, struct begun *begun)
{
    if (pair_has_address(pair, pair->victim, begun->address))
        pair_unlink(pair, pair->victim, begun->address);
}

static bool has_link_no_more(const struct pair *pair, const struct begun *begun)
{
    return pair_is_answered(pair) && victim_runs(pair) && !pair_has_address(pair, pair->victim, begun->address);
}

static void confirm(struct pair *pair, struct begun *begun)
{
    (void)begun;
    if (pair->number.size == 0)
        pair_ask_number(pair, pair->victim);
    else
        pair_confirm(pair, pair->victim);
}

static bool is_confirmed(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_answered(pair) && pair_has_confirmed(pair, pair->victim) && pair->number.size > 0;
}

static void leave(struct pair *pair, struct begun *begun)
{
    (void)begun;
    if (!pair_has_left(pair, pair->victim))
        pair_leave(pair, pair->victim);
}

static bool has_left(const struct pair *pair, const struct begun *begun)
{
    (void)begun;
    return pair_is_answered(pair) && pair_has_left(pair, pair->victim);
}

static void cut_links(struct pair *pair, struct begun *begun)
{
    (void)begun;
    (void)network_cut(pair->network, 0, 1, false, pair->time);
}

static void note_links_down(struct pair *pair, struct begun *begun)
{
    if (!pair_is_up(pair))
        begun->phase = 1;
}

static bool is_up_again(const struct pair *pair, const struct begun *begun)
{
    return begun->phase == 1 && pair_is_up(pair);
}

static bool time_has_passed(const struct pair *pair, const struct begun *begun)
{
    return pair->time >= begun->time + IDLE_US && victim_runs(pair);
}

static void stop(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_stop(pair);
}

static void die(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_kill(pair);
}

static void restore(struct pair *pair, struct begun *begun)
{
    (void)begun;
    pair_restore(pair);
}

static bool has_started(const struct pair *pair, const struct begun *begun)
{
    return pair->lives > begun->lives && (victim_runs(pair) || pair->restored);
}

const struct operation operations[] = {
    {"found", false, false, nobody_has_line, NULL, found, is_on_line},
    {"join", false, false, is_offered, NULL, join, is_on_line},
    {"meet", true, false, has_not_met, NULL, meet, have_met},
    {"say", true, false, has_line, say, say_again, is_recorded},
    {"flash", false, false, has_line, say_flash, say_again, is_recorded},
    {"array", false, false, has_line, say_array, say_again, is_recorded},
    {"hear", true, false, has_met, hear, NULL, is_heard},
    {"hear-flash", false, false, has_met, hear_flash, NULL, is_heard},
    {"early", false, false, has_met, keep_waiting, let_through, is_all_heard},
    {"both", false, false, has_met, say_and_hear, say_again, is_recorded_and_heard},
    {"acknowledge", true, false, has_heard, choose_entry, acknowledge, is_answered},
    {"link", false, false, has_met, choose_new_link, add_link, has_new_link},
    {"unlink", false, false, has_link, choose_link, remove_link, has_link_no_more},
    {"confirm", false, false, has_line, NULL, confirm, is_confirmed},
    {"contact", true, false, has_met, cut_links, note_links_down, is_up_again},
    {"idle", true, false, has_line, NULL, NULL, time_has_passed},
    {"stop", true, false, has_line, stop, NULL, has_started},
    {"kill", false, false, has_line, die, NULL, has_started},
    {"leave", false, true, has_met, NULL, leave, has_left},
    {"restore", false, true, has_yesterday, restore, NULL, has_started},
    {0},
};

void operation_perform(struct pair *pair, const struct operation *operation)
{
    uint64_t until = pair->time + PATIENCE_US;
    struct begun begun = {.time = pair->time};
    const struct party *victim = &pair->party[pair->victim];

    pair_await(pair, victim_runs, SECOND_US, "a start");
    begun.lives = pair->lives;
    if (oracle_verdict(pair->oracle) != NULL)
        return;
    trace_note(&pair->trace, "--- %s", operation->name);
    if (operation->begin != NULL)
        operation->begin(pair, &begun);
    while (!operation->done(pair, &begun) && pair->time < until && oracle_verdict(pair->oracle) == NULL) {
        uint64_t asked = pair->asked;

        if (operation->advance != NULL && party_runs(victim) && pair_is_answered(pair))
            operation->advance(pair, &begun);
        /* What is answered at once may be followed by more, for which nothing need happen. */
        if (!operation->done(pair, &begun) && (pair->asked == asked || !pair_is_answered(pair)))
            pair_go_on(pair, until);
    }
    if (!operation->done(pair, &begun))
        oracle_condemn(pair->oracle, "\"%s\" is not done after two minutes", operation->name);
}

static const struct operation *operation_named(const char *name)
{
    const struct operation *operation = operations;

    while (strcmp(operation->name, name) != 0)
        operation++;
    return operation;
}

/* --- where workloads begin, and how they end ----------------------------------------------------------------------
 */

const char *const basis_names[BASIS_COUNT] = {"empty", "offered", "line", "long"};

static void keep_yesterday(struct pair *pair)
{
    const struct party *victim = &pair->party[pair->victim];

    disk_copy(victim->database, "liaison.db", &pair->yesterday);
    disk_copy(victim->database, "liaison.db-wal", &pair->yesterday_wal);
}

void basis_make(struct pair *pair, enum basis basis, enum control control, bool print_events)
{
    pair_make(pair, basis == BASIS_OFFERED ? 1 : 0, control, print_events);
    if (basis == BASIS_EMPTY)
        return;
    pair_found(pair, 0, true);
    pair_await(pair, pair_is_answered, SECOND_US, "an answer");
    if (basis == BASIS_OFFERED)
        return;
    operation_perform(pair, operation_named("meet"));
    operation_perform(pair, operation_named("hear"));
    operation_perform(pair, operation_named("say"));
    for (int i = 0; basis == BASIS_LONG && i < LONG_ARRAYS; i++)
        operation_perform(pair, operation_named("array"));
    keep_yesterday(pair);
    operation_perform(pair, operation_named("say"));
    operation_perform(pair, operation_named("array"));
    pair_pass(pair, 3 * SECOND_US);
}

static bool is_even(const struct pair *pair)
{
    return pair_is_recorded(pair, 0) && pair_is_recorded(pair, 1) && pair_is_even(pair);
}

static bool is_recorded_by_other(const struct pair *pair)
{
    return pair_is_recorded(pair, 1 - pair->victim);
}

/* Put back from yesterday, an office has its own log again from the other one, and from its mark. */
static bool is_whole(const struct pair *pair)
{
    const char *reason = NULL;

    return office_state(pair->party[pair->victim].office, &reason) != OFFICE_ASKING;
}

void workload_finish(struct pair *pair)
{
    const struct party *victim = &pair->party[pair->victim];
    const char *reason = NULL;
    bool stopped = false;

    if (!pair->restored)
        pair_await(pair, victim_runs, SECOND_US, "a start");
    if (oracle_verdict(pair->oracle) != NULL)
        return;
    stopped = !party_runs(victim) || office_state(victim->office, &reason) == OFFICE_STOPPED;
    if (!stopped)
        pair_await(pair, is_whole, PATIENCE_US, "the own log of who was restored");
    if (!stopped && has_not_met(pair))
        operation_perform(pair, operation_named("meet"));
    if (!stopped && has_line(pair))
        operation_perform(pair, operation_named("say"));
    pair_say(pair, 1 - pair->victim, 1, PRECEDENCE_ROUTINE, TEXT_SIZE);
    if (stopped)
        pair_await(pair, is_recorded_by_other, PATIENCE_US, "what the other one says");
    else
        pair_await(pair, is_even, PATIENCE_US, "that both have the same and know it");
    if (oracle_verdict(pair->oracle) == NULL)
        pair_conclude(pair);
}
