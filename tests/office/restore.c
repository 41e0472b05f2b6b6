/*
 * Restores: an office whose database was put back from a copy gets its own log from the others, and goes on; it never
 * signs two things for one place.
 */
#include "copies.h"

static struct world *world;
static struct site *site, *other;

/* Something is said on both sides; a copy is made of a running office; more is said; the copy is put back. */
static void say(struct site *from, const char *text)
{
    (void)site_send(from, text, 0, NULL);
    world_run(world, 3 * SECOND_US);
}

static void begin(unsigned count)
{
    world = world_new(count, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    say(site, "before");
    say(other, "theirs before");
    keep(site, OLD);
}

static void put_back(void)
{
    keep(site, NEW);
    put_back_at(site, OLD, NEW);
}

static bool is(enum office_state state, const char *words)
{
    const char *reason = NULL;
    bool good = office_state(site->office, &reason) == state &&
                (words == NULL ? reason == NULL : reason != NULL && strstr(reason, words) != NULL);

    if (!good)
        printf("# state %d: %s\n", (int)site->office->state, reason != NULL ? reason : "no reason");
    return good;
}

static uint64_t own_size(void)
{
    return site_line(site)->second.size;
}

static void root_of(const struct site *at, unsigned member, uint8_t root[static HASH_SIZE])
{
    tree_root(sync_frontier(site_line(at)->sync, member), root);
}

static void no_alarms(void)
{
    for (unsigned i = 0; i < world->count; i++)
        CHECK(office_alarm_count(site_of(world, i)->office) == 0);
}

static void its_own_log_comes_back(void)
{
    struct buffer text = {0};
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    uint64_t size = 0;

    begin(2);
    for (unsigned i = 0; i < 20; i++)
        say(site, "lost");
    say(other, "theirs after");
    size = own_size();
    root_of(site, 0, before);
    site_drop(site);
    put_back();
    site_start(site);
    CHECK(is(OFFICE_ASKING, "restored from a copy") && own_size() < size);
    CHECK(site->office->counter_received[0][1] >= site_now(site).wall.us); /* nothing recorded before is answered */
    world_run(world, 20 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL));
    CHECK(own_size() > size); /* and the prekeys after it */
    CHECK(sync_receipted(site_line(site)->sync, 0, 1) == own_size());
    say(site, "after");
    say(other, "theirs again");
    world_check_settled(world);
    site_read(site, &text);
    CHECK(times(&text, "before") == 2 && times(&text, "lost") == 20 && times(&text, "theirs after") == 1 &&
          times(&text, "theirs again") == 1 && times(&text, "after") == 2);
    no_alarms();
    buffer_reset(&text);
    site_read(other, &text);
    CHECK(times(&text, "lost") == 20);
    root_of(other, 0, after);
    CHECK(memcmp(before, after, HASH_SIZE) != 0);
    site_drop(site);
    site_start(site);
    CHECK(is(OFFICE_READY, NULL));
    buffer_free(&text);
    world_free(world);
}

/* What its last batch held was carried to nobody: it is in the mark, and the sizes between come from the others. */
static void what_only_the_mark_has_comes_back(void)
{
    uint64_t size = 0, sent = 0;

    begin(2);
    say(site, "lost");
    world->blocked[0][1] = world->blocked[1][0] = true;
    for (unsigned i = 0; i < WIRES_MAX; i++)
        wire_cut(&world->wire[i]);
    sent = site_send(site, "in the mark alone", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, sent));
    size = own_size();
    CHECK(sync_durable(site_line(other)->sync, 0) < size);
    site_drop(site);
    put_back();
    site_start(site);
    CHECK(is(OFFICE_ASKING, "restored"));
    world->blocked[0][1] = world->blocked[1][0] = false;
    world_run(world, 60 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL) && own_size() > size);
    world_check_settled(world);
    no_alarms();
    world_free(world);
}

static void it_signs_nothing_while_it_asks(void)
{
    uint64_t sent = 0, left = 0, token[2];
    uint64_t held = 0;

    begin(2);
    say(site, "lost");
    say(site, "lost");
    site_drop(site);
    put_back();
    world->blocked[0][1] = world->blocked[1][0] = true;
    site_start(site);
    held = own_size();
    sent = site_send(site, "now", 0, "t");
    left = world_request(world);
    office_line_leave(site->office, left, line_name(), site_now(site));
    world_run(world, 3600 * SECOND_US);
    CHECK(is(OFFICE_ASKING, "restored") && own_size() == held && site_line(site)->first.size == held);
    CHECK(world->reply[sent]->error.code == ERROR_ASKING && world->reply[left]->error.code == ERROR_ASKING);
    for (unsigned i = 0; i < 2; i++) { /* nor after other starts, and marks of other batches */
        uint64_t linked = site_link(site, 1, i == 0 ? "unix:8" : "unix:9");

        world_run(world, 3 * SECOND_US);
        CHECK(succeeded(world, linked));
        site_drop(site);
        site_start(site);
        CHECK(is(OFFICE_ASKING, "restored"));
        world_run(world, 60 * SECOND_US);
    }
    world->blocked[0][1] = world->blocked[1][0] = false;
    world_run(world, 60 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL));
    for (unsigned i = 0; i < 2; i++) {
        token[i] = site_send(site, "now", 0, "t");
        world_run(world, 3 * SECOND_US);
        CHECK(succeeded(world, token[i]));
    }
    CHECK(world->reply[token[0]]->numbers[0] == world->reply[token[1]]->numbers[0]);
    world_check_settled(world);
    no_alarms();
    world_free(world);
}

/* Its peer is away; a third member has it. */
static void a_third_member_gives_it(void)
{
    begin(3);
    for (unsigned i = 0; i < 5; i++)
        say(site, "lost");
    site_drop(site);
    put_back();
    site_drop(other);
    site_start(site);
    world_run(world, 30 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL));
    site_start(other);
    world_run(world, 30 * SECOND_US);
    world_check_settled(world);
    no_alarms();
    world_free(world);
}

/* Crashes at every batch on the way. */
static void crashes_on_the_way_change_nothing(void)
{
    unsigned crashes = 0;

    for (enum crash crash = CRASH_NONE; crash <= CRASH_COMMITTED; crash++) {
        begin(2);
        for (unsigned i = 0; i < 6; i++)
            say(site, "lost");
        site_drop(site);
        put_back();
        for (unsigned k = 0; k < 12; k++) {
            site_start(site);
            for (unsigned i = 0; i < k && site->office != NULL; i++)
                world_step(world, 200000);
            site_crash(site, crash);
            crashes++;
        }
        site_start(site);
        world_run(world, 60 * SECOND_US);
        CHECK(is(OFFICE_READY, NULL) && !site_line(site)->prekeys_void);
        say(other, "theirs again");
        world_check_settled(world);
        no_alarms();
        world_free(world);
    }
    CHECK(crashes > 20);
}

/* Epochs opened since the copy: their secrets are gone, and what was published since is void; both go on anew. */
static void what_secrets_were_lost_is_not_used_again(void)
{
    const struct member *theirs = NULL;
    uint64_t epoch = 0, next = 0;

    begin(2);
    for (unsigned i = 0; i < 3; i++) {
        site_drop(site);
        site_start(site);
        say(site, "in an epoch that is lost");
        site_drop(other);
        site_start(other);
        say(other, "theirs");
    }
    site_line(site)->member[1].prekey_stock = 0;
    site_line(site)->prekeys_due = true;
    append_due_prekeys(site->office, site_line(site));
    world_run(world, 5 * SECOND_US);
    epoch = site_line(site)->epoch;
    next = site_line(site)->member[1].prekey_next;
    site_drop(site);
    put_back();
    site_start(site);
    world_run(world, 30 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL));
    say(site, "anew");
    say(other, "theirs anew");
    world_run(world, 10 * SECOND_US);
    CHECK(site_line(site)->epoch > epoch);
    theirs = &site_line(other)->member[0];
    CHECK(theirs->offered_count > 0 && theirs->offered[0].id >= next);
    CHECK(site_line(site)->member[1].prekey_next >= next + PREKEY_BATCH);
    no_alarms();
    world_free(world);
}

/* The copy is from before the line was joined: it is joined again, by the charter, and its log comes back. */
static void a_line_that_was_lost_is_joined_again(void)
{
    struct buffer charter = {0}, key = {0};
    struct store_op any = {.kind = STORE_PUT_META, .n = {META_LAST_WALL}, .b = {span_of("\0\0\0\0\0\0\0", 8)}};
    uint64_t size = 0, joined = 0, batch = 0;
    uint8_t secret[COURIER_KEY_SIZE];

    world = world_empty(2, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    keep(site, OLD);
    world_found(world, true);
    world_link(world);
    say(site, "lost");
    size = own_size();
    buffer_put_span(&charter, buffer_span(&site_line(site)->charter_text));
    memcpy(secret, site_line(site)->secret->courier, sizeof secret);
    courier_key_print(&key, site_line(site)->charter->line_id, secret);
    site_drop(site);
    put_back();
    site_start(site);
    CHECK(is(OFFICE_ASKING, "join it again") && site->office->line_count == 0);
    batch = site->office->batch;
    core_lazy(site->office, &any);
    world_run(world, 10 * SECOND_US);
    CHECK(site->office->batch > batch);
    site_drop(site); /* the mark still knows it after other batches */
    site_start(site);
    joined = world_request(world);
    office_line_join(site->office, joined, buffer_span(&charter), buffer_span(&key), span_of_string(""),
                     site_now(site));
    world_run(world, 10 * SECOND_US);
    CHECK(succeeded(world, joined));
    (void)site_link(site, 1, "unix:1");
    world_run(world, 60 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL) && own_size() > size);
    say(site, "after");
    no_alarms();
    CHECK(sync_durable(site_line(other)->sync, 0) == own_size());
    buffer_free(&charter);
    buffer_free(&key);
    world_free(world);
}

/* Where the mark is a copy too, nobody knows how far this office went. */
static void a_mark_that_is_a_copy_stops_it(void)
{
    begin(2);
    keep(site, ONE_BEHIND);
    say(site, "lost");
    site_drop(site);
    put_back_at(site, OLD, OLD);
    site_start(site);
    world_run(world, 20 * SECOND_US);
    CHECK(is(OFFICE_STOPPED, "this office signed"));
    world_free(world);
}

static void a_mark_between_the_two_stops_it(void)
{
    begin(2);
    for (unsigned i = 0; i < 3; i++)
        say(site, "lost");
    keep(site, ONE_BEHIND);
    say(site, "lost, and not in the mark");
    site_drop(site);
    put_back_at(site, OLD, ONE_BEHIND);
    site_start(site);
    CHECK(is(OFFICE_ASKING, "restored"));
    world_run(world, 20 * SECOND_US);
    CHECK(is(OFFICE_STOPPED, "Nothing"));
    world_free(world);
}

/* A crash between the last own entry that came back, and the prekeys that void the others. */
static void what_is_void_is_void_after_a_crash(void)
{
    const struct member *theirs = NULL;
    uint64_t epoch = 0, next = 0, used = 0;

    begin(2);
    site_line(site)->member[1].prekey_stock = 0;
    site_line(site)->prekeys_due = true;
    append_due_prekeys(site->office, site_line(site));
    for (unsigned i = 0; i < 3; i++) {
        site_drop(site);
        site_start(site);
        say(site, "in an epoch that is lost");
    }
    epoch = site_line(site)->epoch;
    next = site_line(site)->member[1].prekey_next;
    used = site_line(site)->member[1].offered_used;
    site_drop(site);
    put_back();
    site_start(site);
    for (unsigned i = 0; i < 60000 && site_line(site)->asking; i++)
        if (!world_round(world))
            world_step(world, 1000);
    CHECK(own_size() == site_line(site)->known[0].size);
    site_crash(site, CRASH_NONE);
    site_start(site);
    CHECK(is(OFFICE_READY, NULL) && own_size() == site_line(site)->known[0].size);
    CHECK(site_line(site)->epoch == epoch && site_line(site)->member[1].prekey_next >= next &&
          site_line(site)->member[1].offered_used == used);
    world_run(world, 20 * SECOND_US);
    theirs = &site_line(other)->member[0];
    CHECK(own_size() > site_line(site)->known[0].size);
    CHECK(theirs->offered_count > 0 && theirs->offered[0].id >= next);
    no_alarms();
    world_free(world);
}

/* What it named before it was restored it names again only when it is here again: less would be void. */
static void what_it_names_does_not_go_down(void)
{
    uint64_t held = 0;

    begin(3);
    for (unsigned i = 0; i < 5; i++)
        say(other, "theirs");
    say(site, "names them");
    held = sync_durable(site_line(site)->sync, 1);
    site_drop(site);
    put_back();
    site_drop(other);
    site_drop(site_of(world, 2));
    site_start(site_of(world, 2)); /* it gives what is this office's, and nothing else */
    site_of(world, 2)->held = false;
    site_start(site);
    for (unsigned i = 0; i < 60000 && site_line(site)->asking; i++) {
        world_step(world, 1000);
        world_turn(world);
    }
    CHECK(is(OFFICE_READY, NULL));
    for (unsigned i = 0; i < site_line(site)->charter->member_count; i++)
        CHECK(site_line(site)->seen[i] == 0 || site_line(site)->seen[i] >= site_line(site)->known[i].size);
    CHECK(sync_durable(site_line(site)->sync, 1) <= held);
    site_start(other);
    world_run(world, 30 * SECOND_US);
    say(site, "after");
    for (unsigned i = 0; i < 3; i++)
        CHECK(!site_said(site_of(world, i), "void"));
    world_check_settled(world);
    no_alarms();
    world_free(world);
}

/* A member that shows another log than this office has receipted before is found out, though it was forgotten here. */
static void what_was_receipted_is_awaited(void)
{
    begin(2);
    for (unsigned i = 0; i < 3; i++)
        say(other, "theirs");
    say(site, "lost");
    say(site, "lost");
    site_drop(site);
    put_back();
    site_open(site);
    CHECK(site_line(site)->known[1].size > sync_durable(site_line(site)->sync, 1));
    site_line(site)->known[1].root[0] ^= 1; /* as if it had receipted something else */
    CHECK(site_unlock(site, NULL) == 0);
    world_run(world, 20 * SECOND_US);
    CHECK(site_alarmed(site, "two histories"));
    world_free(world);
}

/* Who left does not come back by a copy. */
static void who_had_left_has_left(void)
{
    uint64_t left = 0, sent = 0;

    begin(2);
    left = world_request(world);
    office_line_leave(site->office, left, line_name(), site_now(site));
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, left));
    site_drop(site);
    put_back();
    site_start(site);
    world_run(world, 20 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL) && site_line(site)->left);
    sent = site_send(site, "again", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(world->reply[sent]->error.code == ERROR_REFUSED);
    world_free(world);
}

/* What a stranger recorded since the copy draws no byte, though the office ended before that was durable. */
static void counters_are_passed_after_a_crash(void)
{
    begin(2);
    say(site, "lost");
    say(site, "lost");
    site_drop(site);
    put_back();
    site_start(site);
    site_crash(site, CRASH_STAGED);
    site_start(site);
    CHECK(is(OFFICE_ASKING, "restored") && site->office->counter_received[0][1] >= site_now(site).wall.us);
    world_free(world);
}

/* The clock is two years ahead when the copy is put back, and then set right: who dials this office gets in. */
static void a_clock_ahead_keeps_nobody_out_for_years(void)
{
    begin(2);
    other = site;
    site = site_of(world, 1);
    say(site, "before");
    keep(site, OLD);
    say(site, "lost");
    say(site, "lost");
    site_drop(site);
    put_back();
    site->wall_us = (int64_t)2 * 365 * 86400 * SECOND_US;
    site_start(site);
    world_run(world, SECOND_US);
    site_drop(site);
    site->wall_us = 0;
    site_start(site);
    CHECK(is(OFFICE_ASKING, "restored"));
    world_run(world, 3600 * SECOND_US);
    CHECK(is(OFFICE_READY, NULL));
    world_free(world);
}

int main(void)
{
    RUN(its_own_log_comes_back);
    RUN(what_only_the_mark_has_comes_back);
    RUN(it_signs_nothing_while_it_asks);
    RUN(a_third_member_gives_it);
    RUN(crashes_on_the_way_change_nothing);
    RUN(what_secrets_were_lost_is_not_used_again);
    RUN(a_line_that_was_lost_is_joined_again);
    RUN(a_mark_that_is_a_copy_stops_it);
    RUN(a_mark_between_the_two_stops_it);
    RUN(what_is_void_is_void_after_a_crash);
    RUN(what_it_names_does_not_go_down);
    RUN(what_was_receipted_is_awaited);
    RUN(who_had_left_has_left);
    RUN(counters_are_passed_after_a_crash);
    RUN(a_clock_ahead_keeps_nobody_out_for_years);
    return test_end();
}
