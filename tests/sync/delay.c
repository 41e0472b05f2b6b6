/*
 * A log that is longer than its quota allows comes later, and all of it.
 */
#include "sync/engine.h"
#include "victim.h"

#define DAY_US (24 * 3600 * SECOND_US)
#define QUOTA 100 /* entries a day */
#define ENTRY_US (DAY_US / QUOTA)
#define MOST (QUOTA_OTHERS_DAYS * QUOTA)

static struct victim victim;

static void begin(uint64_t entries, uint64_t bytes)
{
    victim_new(&victim);
    victim.line.charter.quota_entries = entries;
    victim.line.charter.quota_bytes = bytes;
    truth_grow(victim.truth[1], 8000, 20);
    link_up(&victim, 1);
    link_up(&victim, 2);
}

/* Member 1 sends entries of its own log in runs of at most a message. */
static void say_up_to(uint64_t end)
{
    for (uint64_t at = sync_staged(victim.sync, 1)->size; at < end; at += 2000)
        CHECK(say_entries(&victim, 1, victim.truth[1], at, at + 2000 < end ? at + 2000 : end,
                          at + 2000 < end ? at + 2000 : end, false) == 0);
}

static void step(uint64_t us)
{
    victim.us += us;
    sync_step(victim.sync, victim_now(&victim));
    victim_events(&victim);
}

/* The WANT that went out on a link last, and how many did. */
static unsigned wants(unsigned link, uint64_t *from)
{
    struct message message = {0};
    unsigned count = hear_all(&victim, link, true, MESSAGE_WANT, &message);

    *from = message.first;
    return count;
}

/* Sixty days' worth is held, and one entry more came. */
static void fill(void)
{
    uint64_t from = 0;

    begin(QUOTA, UINT64_MAX);
    say_up_to(MOST);
    CHECK(sync_durable(victim.sync, 1) == MOST && victim.count[SYNC_DELAYED] == 0 && wants(1, &from) == 0);
    CHECK(sync_next(victim.sync).us == NEVER.us && !sync_is_delayed(victim.sync, 1));
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, MOST + 1, MOST + 1, false) == 0);
}

static void what_does_not_fit_is_not_taken_and_its_author_is_told_to_stop(void)
{
    uint64_t from = 0;

    fill();
    CHECK(sync_staged(victim.sync, 1)->size == MOST && sync_is_delayed(victim.sync, 1));
    CHECK(victim.count[SYNC_DELAYED] == 1 && victim.last[SYNC_DELAYED].member == 1 &&
          victim.last[SYNC_DELAYED].first == 1);
    CHECK(wants(1, &from) == 1 && from == WANT_END);
    for (uint64_t i = 1; i < 20; i++) /* which it does not mind */
        CHECK(say_entries(&victim, 1, victim.truth[1], MOST + i, MOST + i + 1, MOST + i + 1, false) == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, 8000, 8000, true) == 0);
    CHECK(sync_staged(victim.sync, 1)->size == MOST && wants(1, &from) == 0 && victim.count[SYNC_DELAYED] == 1);
    victim_free(&victim);
}

static void it_is_asked_for_again_once_it_fits(void)
{
    uint64_t from = 0;

    fill();
    (void)wants(1, &from);
    CHECK(sync_next(victim.sync).us == victim.us + ENTRY_US);
    step(ENTRY_US - SECOND_US);
    CHECK(sync_is_delayed(victim.sync, 1) && wants(1, &from) == 0);
    step(SECOND_US);
    CHECK(!sync_is_delayed(victim.sync, 1) && wants(1, &from) == 1 && from == MOST);
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, MOST + 1, MOST + 1, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == MOST + 1);
    CHECK(victim.count[SYNC_DELAYED] == 2 && victim.last[SYNC_DELAYED].first == 0); /* all that is known of */
    victim_free(&victim);
}

static void a_clock_set_ahead_is_noticed_within_an_hour(void)
{
    fill();
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, 8000, 8000, false) == 0);
    CHECK(sync_next(victim.sync).us <= victim.us + 3600 * SECOND_US);
    step(ENTRY_US);
    CHECK(!sync_is_delayed(victim.sync, 1)); /* what was put off first */
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, 8000, 8000, false) == 0);
    step(SYNC_WANT_AGAIN_US);
    CHECK(sync_is_delayed(victim.sync, 1) &&
          sync_next(victim.sync).us == victim.us + 3600 * SECOND_US - SYNC_WANT_AGAIN_US);
    for (unsigned i = 0; i < 24 * 19; i++)
        step(3600 * SECOND_US);
    CHECK(sync_is_delayed(victim.sync, 1));
    for (unsigned i = 0; i < 25; i++)
        step(3600 * SECOND_US);
    CHECK(!sync_is_delayed(victim.sync, 1));
    victim_free(&victim);
}

static void other_logs_come_as_ever(void)
{
    fill();
    truth_grow(victim.truth[2], 50, 20);
    CHECK(say_entries(&victim, 2, victim.truth[2], 0, 50, 50, false) == 0 && sync_durable(victim.sync, 2) == 50);
    victim_append(&victim, 5, 20, UINT64_MAX);
    CHECK(sync_durable(victim.sync, 0) == 5);
    victim_free(&victim);
}

static void nobody_else_is_asked_meanwhile_and_then_whoever_has_more(void)
{
    uint64_t from = 0;

    begin(QUOTA, UINT64_MAX);
    say_up_to(MOST);
    (void)wants(2, &from);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 1, 8000) == 0);
    CHECK(wants(2, &from) == 1 && from == MOST); /* it is asked */
    CHECK(say_entries(&victim, 2, victim.truth[1], MOST, MOST + 10, MOST + 10, false) == 0);
    CHECK(sync_is_delayed(victim.sync, 1) && wants(2, &from) == 1 && from == WANT_END);
    step(SYNC_WANT_AGAIN_US);
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 1, 8000) == 0 && wants(2, &from) == 0);
    step(3600 * SECOND_US);
    CHECK(wants(2, &from) == 0);
    step(3600 * SECOND_US);
    step(ENTRY_US * 10 - 2 * 3600 * SECOND_US - SYNC_WANT_AGAIN_US);
    CHECK(wants(2, &from) == 1 && from == MOST);
    CHECK(say_entries(&victim, 2, victim.truth[1], MOST, MOST + 10, MOST + 10, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == MOST + 10);
    victim_free(&victim);
}

static void a_new_link_of_the_author_is_told_too(void)
{
    uint64_t from = 0;

    fill();
    (void)wants(1, &from);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    link_up(&victim, 1);
    (void)wants(1, &from);
    CHECK(say_entries(&victim, 1, victim.truth[1], MOST, MOST + 1, MOST + 1, false) == 0);
    CHECK(wants(1, &from) == 1 && from == WANT_END && sync_durable(victim.sync, 1) == MOST);
    step(ENTRY_US);
    CHECK(wants(1, &from) == 1 && from == MOST);
    victim_free(&victim);
}

static void what_overtakes_is_shown_all_the_same(void)
{
    fill();
    CHECK(say_overtake(&victim, 1, victim.truth[1], MOST + 7, 8000, MOST) == 0 && victim.count[SYNC_PENDING] == 1);
    victim_free(&victim);
}

static void bytes_are_counted_as_entries_are(void)
{
    const uint64_t most = 60 * 20000; /* bytes: more than a message */
    uint64_t bytes = 0;
    uint64_t end = 0;

    begin(UINT64_MAX, 20000);
    truth_grow(victim.truth[2], 60, 30000);
    for (; end < 60 && !sync_is_delayed(victim.sync, 2); end++)
        CHECK(say_entries(&victim, 2, victim.truth[2], end, end + 1, end + 1, false) == 0);
    for (uint64_t i = 0; i < sync_durable(victim.sync, 2); i++)
        bytes += victim.truth[2]->entry[i].size;
    CHECK(sync_is_delayed(victim.sync, 2) && bytes <= most && bytes + 30000 > most);
    victim_free(&victim);
}

/* However small the quotas are, a log is not stuck for ever. */
static void the_largest_message_is_taken_once_the_buckets_are_empty(void)
{
    begin(1, 1);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 4096, 4096, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == 4096);
    CHECK(say_entries(&victim, 1, victim.truth[1], 4096, 8000, 8000, false) == 0);
    CHECK(sync_is_delayed(victim.sync, 1));
    victim.us += 300 * 365 * DAY_US;
    step(0);
    CHECK(!sync_is_delayed(victim.sync, 1));
    CHECK(say_entries(&victim, 1, victim.truth[1], 4096, 8000, 8000, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == 8000);
    victim_free(&victim);
}

/* What was accepted, and could not be stored, is not counted. */
static void what_is_forgotten_is_given_back(void)
{
    begin(QUOTA, UINT64_MAX);
    say_up_to(1000);
    victim.hold = true;
    CHECK(say_entries(&victim, 1, victim.truth[1], 1000, 3000, 3000, false) == 0);
    CHECK(quota_used(sync_spent(victim.sync, 1), &victim.line.charter, victim_now(&victim).wall).entries == 3000);
    CHECK(victim.held[0]->spent.entries == sync_spent(victim.sync, 1)->entries);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    victim_drop(&victim);
    sync_forget_staged(victim.sync);
    CHECK(quota_used(sync_spent(victim.sync, 1), &victim.line.charter, victim_now(&victim).wall).entries == 1000);
    victim_free(&victim);
}

static void what_was_used_before_a_restart_counts(void)
{
    struct spent spent = {0};

    begin(QUOTA, UINT64_MAX);
    quota_spend(&spent, &victim.line.charter, (struct amount){.entries = MOST - 5}, victim_now(&victim).wall);
    sync_load_spent(victim.sync, 1, &spent);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, false) == 0 && sync_durable(victim.sync, 1) == 5);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 6, 6, false) == 0 && sync_durable(victim.sync, 1) == 5);
    victim_free(&victim);
}

int main(void)
{
    RUN(what_does_not_fit_is_not_taken_and_its_author_is_told_to_stop);
    RUN(it_is_asked_for_again_once_it_fits);
    RUN(a_clock_set_ahead_is_noticed_within_an_hour);
    RUN(other_logs_come_as_ever);
    RUN(nobody_else_is_asked_meanwhile_and_then_whoever_has_more);
    RUN(a_new_link_of_the_author_is_told_too);
    RUN(what_overtakes_is_shown_all_the_same);
    RUN(bytes_are_counted_as_entries_are);
    RUN(the_largest_message_is_taken_once_the_buckets_are_empty);
    RUN(what_is_forgotten_is_given_back);
    RUN(what_was_used_before_a_restart_counts);
    return test_end();
}
