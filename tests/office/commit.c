/*
 * Batches: nothing leaves before its batch is durable and was read back; what a full or broken disk does.
 */
#include "../../src/office/commit.c" /* its job is looked into */

#include "world.h"

static struct world *world;
static struct site *here, *there;

static void begin(void)
{
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static void end(void)
{
    world_full_disk = NULL;
    world_free(world);
}

static uint64_t size_at(const struct site *site, unsigned member)
{
    return sync_durable(site_line(site)->sync, member);
}

/* The commit job among those that are taken; NULL if there is none. */
static struct commit_job *commit_out(const struct site *site)
{
    for (size_t i = 0; i < site->jobs; i++)
        if (site->job[i]->commits)
            return (struct commit_job *)site->job[i];
    return NULL;
}

static size_t routes_of(const struct site *site)
{
    size_t count = 0;

    for (size_t i = 0; i < site->office->route_count; i++)
        count += site->office->route[i].used;
    return count;
}

static void nothing_is_answered_or_sent_before_the_batch_is_done(void)
{
    uint64_t sent = 0, trace = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    here->held = true;
    sent = site_send(here, "one", PRECEDENCE_FLASH, NULL);
    world_turn(world);
    trace = world->trace;
    world_turn(world);
    CHECK(commit_out(here) != NULL && !replied(world, sent) && world->trace == trace);
    CHECK(size_at(here, 0) == 2 && size_at(there, 0) == 2);
    site_run(here, here->job[0], CRASH_NONE); /* written and synced: the office has not been told */
    world_turn(world);
    CHECK(!replied(world, sent) && world->trace == trace);
    office_job_done(here->office, site_next_job(here), site_now(here));
    here->held = false;
    world_turn(world);
    CHECK(succeeded(world, sent) && world->trace != trace && size_at(there, 0) == 4);
    end();
}

static void what_comes_while_a_batch_is_out_goes_with_the_next(void)
{
    uint64_t sent[40], batch = 0;

    begin();
    (void)site_send(here, "an epoch", 0, NULL);
    world_run(world, 10 * SECOND_US);
    batch = here->office->batch;
    here->held = true;
    for (unsigned i = 0; i < 40; i++)
        sent[i] = site_send(here, "one", 0, NULL);
    world_turn(world);
    CHECK(here->jobs == 1);
    here->held = false;
    for (unsigned i = 0; i < 40; i++)
        CHECK(!replied(world, sent[i]));
    site_work(here);
    here->held = true;
    world_turn(world);
    CHECK(replied(world, sent[0]) && !replied(world, sent[1]));
    here->held = false;
    world_turn(world);
    CHECK(replied(world, sent[1]) && replied(world, sent[39]) && here->office->batch == batch + 2);
    end();
}

/* --- what was read back --- */

/* Changes a byte of an entry between the office and the disk. */
static bool spoil(struct commit_job *commit, unsigned member)
{
    for (size_t i = 0; i < commit->batch.count; i++) {
        struct store_op *op = &commit->batch.op[i];

        if (op->kind == STORE_PUT_ENTRY && PLACE_LOG(op->n[0]) == member + 1) {
            ((uint8_t *)(uintptr_t)op->b[1].data)[op->b[1].size - 1] ^= 1;
            return true;
        }
    }
    return false;
}

static void check_stopped(struct site *site, const char *words)
{
    const char *reason = NULL;

    CHECK(office_state(site->office, &reason) == OFFICE_STOPPED);
    CHECK(reason != NULL && strstr(reason, words) != NULL);
}

static void own_entries_that_read_back_otherwise_stop_the_office(void)
{
    uint64_t sent = 0;

    begin();
    here->held = true;
    sent = site_send(here, "one", 0, NULL);
    site_take_jobs(here);
    CHECK(commit_out(here) != NULL && spoil(commit_out(here), 0));
    here->held = false;
    world_run(world, 10 * SECOND_US);
    check_stopped(here, "what was read back is not what was written");
    CHECK(refused(world, sent, ERROR_STORAGE, "read back"));
    CHECK(size_at(there, 0) == 2 && sync_head(site_line(there)->sync, 0)->size == 2);
    site_drop(here);
    site_start(here);
    CHECK(size_at(here, 0) == 2); /* the batch was not committed */
    end();
}

static void accepted_entries_that_read_back_otherwise_stop_the_office(void)
{
    begin();
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_turn(world);
    CHECK(commit_out(there) != NULL && spoil(commit_out(there), 0));
    there->held = false;
    world_run(world, 10 * SECOND_US);
    check_stopped(there, "what was read back is not what was written");
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 2);
    end();
}

/* --- a disk that is full, or fails --- */

static void a_full_disk_takes_nothing_and_gives_the_numbers_again(void)
{
    uint64_t lost = 0, sent = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    world_full_disk = here->database;
    lost = site_send(here, "lost", 0, "t");
    world_run(world, SECOND_US);
    CHECK(refused(world, lost, ERROR_FULL, "the disk is full; nothing was recorded"));
    CHECK(site_alarmed(here, "the disk is full") && size_at(here, 0) == 2 && size_at(there, 0) == 2);
    world_full_disk = NULL;
    sent = site_send(here, "kept", 0, "t");
    world_run(world, 20 * SECOND_US);
    CHECK(succeeded(world, sent) && world->reply[sent]->numbers[0] == 3);
    CHECK(!site_alarmed(here, "the disk is full") && site_said(here, "over: the disk is full"));
    world_check_settled(world);
    end();
}

/* The next batch has the number of the one that failed, and what that one held goes with it. */
static void what_found_no_room_is_not_answered_before_it_is_kept(void)
{
    uint64_t linked = 0, sent = 0;
    size_t routes = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    routes = here->office->route_count;
    world_full_disk = here->database;
    linked = site_link(here, 1, "unix:another");
    world_run(world, SECOND_US / 20);
    CHECK(site_alarmed(here, "the disk is full") && !replied(world, linked));
    world_full_disk = NULL;
    sent = site_send(here, "one", 0, NULL);
    world_run(world, SECOND_US / 20);
    CHECK(succeeded(world, sent) && succeeded(world, linked));
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(here->office->route_count == routes + 1);
    end();
}

/* What comes while a batch is out that finds no room goes behind what that one held, and waits for the next one. */
static void what_comes_while_a_disk_fills_keeps_its_turn(void)
{
    uint64_t added = 0, removed = 0;
    size_t routes = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    routes = routes_of(here);
    here->held = true;
    added = site_link(here, 1, "unix:another");
    world_turn(world);
    CHECK(commit_out(here) != NULL && commit_out(here)->lazy_count > 0);
    removed = world_request(world);
    office_link_remove(here->office, removed, line_name(), span_of_string(there->name), span_of_string("unix:another"),
                       site_now(here));
    world_full_disk = here->database;
    here->held = false;
    (void)site_work(here);
    CHECK(site_alarmed(here, "the disk is full") && !replied(world, added) && !replied(world, removed));
    world_full_disk = NULL;
    world_turn(world);
    CHECK(succeeded(world, added) && succeeded(world, removed));
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(routes_of(here) == routes);
    end();
}

/* How much of the other's log an own entry says was seen; 0: nothing. */
static uint64_t seen_in(const struct site *site, uint64_t index)
{
    struct store_result result = ask(site->store, QUERY(STORE_ENTRY, (PLACE(1, index)), ({0})));
    struct entry entry = {0};
    uint64_t size = 0;

    CHECK(result.count == 1 && entry_parse(&entry, result.row[0].b[1], 0, 2, NULL) == 0);
    if (entry.header.seen_count > 0)
        size = entry.header.seen[0].size;
    store_result_free(&result);
    return size;
}

/* What was forgotten named what was seen; so the next one does. */
static void after_a_full_disk_all_that_was_seen_is_named(void)
{
    uint64_t sent = 0;

    begin();
    world_run(world, 3 * SECOND_US);
    (void)site_send(there, "one", 0, NULL);
    world_run(world, 3 * SECOND_US);
    CHECK(size_at(here, 1) == 4);
    world_full_disk = here->database;
    (void)site_send(here, "lost", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(site_alarmed(here, "the disk is full") && size_at(here, 0) == 2);
    world_full_disk = NULL;
    sent = site_send(here, "kept", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(succeeded(world, sent) && size_at(here, 0) == 4);
    CHECK(seen_in(here, 2) == 4);
    end();
}

static void after_a_full_disk_the_mark_is_what_it_was(void)
{
    begin();
    world_run(world, 3 * SECOND_US);
    world_full_disk = here->database;
    (void)site_send(here, "lost", 0, NULL);
    world_run(world, SECOND_US / 2);
    site_crash(here, CRASH_NONE);
    world_full_disk = NULL;
    site_start(here);
    CHECK(here->office->state == OFFICE_READY && size_at(here, 0) == 2);
    (void)site_send(here, "kept", 0, NULL);
    world_run(world, 20 * SECOND_US);
    world_check_settled(world);
    end();
}

static void what_others_sent_to_a_full_disk_comes_again(void)
{
    begin();
    world_full_disk = there->database;
    (void)site_send(here, "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(size_at(there, 0) == 2 && sync_receipted(site_line(here)->sync, 0, 1) == 2);
    CHECK(site_alarmed(there, "the disk is full") && there->office->state == OFFICE_READY);
    world_full_disk = NULL;
    world_run(world, 30 * SECOND_US);
    CHECK(size_at(there, 0) == 4);
    world_check_settled(world);
    end();
}

static void a_storage_error_is_an_unknown_outcome(void)
{
    uint64_t sent = 0, later = 0, waiting = 0, link = 0;

    begin();
    here->held = true;
    sent = site_send(here, "one", 0, NULL);
    site_take_jobs(here);
    link = site_link(here, 1, "unix:9");
    waiting = site_send(here, "two", 0, NULL); /* for the next batch */
    (void)error_set(&here->job[0]->error, ERROR_STORAGE, "the disk failed");
    here->held = false;
    world_run(world, SECOND_US);
    check_stopped(here, "may or may not be");
    CHECK(refused(world, sent, ERROR_STORAGE, "the disk failed"));
    CHECK(refused(world, waiting, ERROR_STORAGE, "the disk failed"));
    CHECK(refused(world, link, ERROR_STORAGE, "the disk failed"));
    later = site_send(here, "three", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(refused(world, later, ERROR_STOPPED, "records nothing") && size_at(there, 0) == 2);
    end();
}

/* Each request has an answer, also when the office stops for another reason: nobody knows what became of it, which is
 * what ERROR_STORAGE says and "stopped" does not. */
static void who_waits_when_the_office_stops_is_told(void)
{
    uint64_t out = 0, waiting = 0;

    begin();
    here->held = true;
    out = site_send(here, "one", 0, NULL);
    site_take_jobs(here);
    waiting = site_send(here, "two", 0, NULL);
    core_stop(here->office, ERROR_STOPPED, "a peer shows more");
    here->held = false;
    world_run(world, SECOND_US);
    CHECK(refused(world, out, ERROR_STORAGE, "may or may not be"));
    CHECK(refused(world, waiting, ERROR_STORAGE, ""));
    CHECK(size_at(there, 0) == 2);
    end();
}

int main(void)
{
    RUN(nothing_is_answered_or_sent_before_the_batch_is_done);
    RUN(what_comes_while_a_batch_is_out_goes_with_the_next);
    RUN(own_entries_that_read_back_otherwise_stop_the_office);
    RUN(accepted_entries_that_read_back_otherwise_stop_the_office);
    RUN(a_full_disk_takes_nothing_and_gives_the_numbers_again);
    RUN(what_found_no_room_is_not_answered_before_it_is_kept);
    RUN(what_comes_while_a_disk_fills_keeps_its_turn);
    RUN(after_a_full_disk_all_that_was_seen_is_named);
    RUN(after_a_full_disk_the_mark_is_what_it_was);
    RUN(what_others_sent_to_a_full_disk_comes_again);
    RUN(a_storage_error_is_an_unknown_outcome);
    RUN(who_waits_when_the_office_stops_is_told);
    scratch_clean();
    return test_end();
}
