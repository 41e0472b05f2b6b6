/*
 * Starts: an office that cannot show that it has everything it ever signed does not sign; what is locked or stopped
 * does what its state allows and nothing else.
 */
#include "copies.h"

static struct world *world;
static struct site *site;

static bool is(enum office_state state, const char *words)
{
    const char *reason = NULL;
    bool good = office_state(site->office, &reason) == state &&
                (words == NULL ? reason == NULL : reason != NULL && strstr(reason, words) != NULL);

    if (!good)
        printf("# state %d: %s\n", (int)site->office->state, reason != NULL ? reason : "no reason");
    return good;
}

/* --- every database with every mark --- */

/* An old state, one a few batches later, and one with exactly one batch more: an entry of one's own. */
static void make_ages(uint8_t root[static HASH_SIZE])
{
    site = site_of(world, 0);
    site_drop(site);
    keep(site, OLD);
    site_start(site);
    for (unsigned i = 0; i < 3; i++) {
        (void)site_send(site, "one", 0, NULL);
        world_run(world, 5 * SECOND_US);
    }
    site_drop(site);
    keep(site, ONE_BEHIND);
    site_start(site);
    site->held = true;
    (void)site_send(site, "two", 0, "t");
    site_work_to_commit(site);
    CHECK(site->office->committing);
    site_crash(site, CRASH_COMMITTED);
    site->held = false;
    keep(site, NEW);
    site_start(site);
    tree_root(&site_line(site)->second, root);
    site_drop(site);
    site_drop(site_of(world, 1));
    keep(site_of(world, 1), OTHERS);
}

static void every_database_with_every_mark(void)
{
    static const char unusable[] = "the mark cannot be used", others[] = "the mark belongs to another office",
                      asks[] = "restored from a copy and asks", mark_older[] = "older than the database";
    /* NULL: it goes on */
    static const char *const outcome[][AGES] = {
        [NEW] = {[OLD] = mark_older, [OTHERS] = others, [MISSING] = unusable, [DAMAGED] = unusable},
        [ONE_BEHIND] = {[OLD] = mark_older, [OTHERS] = others, [MISSING] = unusable, [DAMAGED] = unusable},
        [OLD] = {[NEW] = asks, [ONE_BEHIND] = asks, [OTHERS] = others, [MISSING] = unusable, [DAMAGED] = unusable},
    };
    uint8_t newest[HASH_SIZE], root[HASH_SIZE];

    world = world_empty(2, 1);
    world_found(world, true);
    make_ages(newest);
    for (enum files database = NEW; database <= OLD; database++)
        for (enum files mark = NEW; mark < AGES; mark++) {
            const char *words = outcome[database][mark];
            bool whole = database == NEW || (database == ONE_BEHIND && mark == NEW);

            put_back_at(site, database, mark);
            site_start(site);
            tree_root(&site_line(site)->second, root);
            if (!is(words == NULL   ? OFFICE_READY
                    : words == asks ? OFFICE_ASKING
                                    : OFFICE_STOPPED,
                    words) ||
                (memcmp(root, newest, HASH_SIZE) == 0) != whole) {
                printf("# database %d, mark %d\n", (int)database, (int)mark);
                CHECK(false);
            }
            site_drop(site);
        }
    put_back_at(site, OTHERS, NEW); /* a whole office in another's place */
    site_open(site);
    CHECK(is(OFFICE_LOCKED, others));
    world_free(world);
}

/* The batch that was lost is the very same one: its token too, so that nothing is said twice. */
static void a_batch_is_replayed_with_all_that_belongs_to_it(void)
{
    uint8_t root[HASH_SIZE];
    uint64_t again = 0;

    world = world_empty(2, 1);
    world_found(world, true);
    make_ages(root);
    put_back_at(site, ONE_BEHIND, NEW);
    site_start(site);
    again = site_send(site, "two", 0, "t");
    world_run(world, SECOND_US);
    CHECK(succeeded(world, again) && world->reply[again]->numbers[0] == sync_durable(site_line(site)->sync, 0) - 1);
    site_drop(site);
    site_start(site);
    CHECK(is(OFFICE_READY, NULL));
    world_free(world);
}

/* A mark that is one behind is brought up at once: the next crash finds no gap of two. */
static void a_mark_one_behind_is_written_again(void)
{
    uint8_t root[HASH_SIZE];

    world = world_empty(2, 1);
    world_found(world, true);
    make_ages(root);
    put_back_at(site, NEW, ONE_BEHIND);
    for (unsigned i = 0; i < 3; i++) {
        site_start(site);
        CHECK(is(OFFICE_READY, NULL));
        site->held = true;
        (void)site_send(site, "three", 0, NULL);
        site_work_to_commit(site);
        site_crash(site, CRASH_DATABASE_ONLY);
        site->held = false;
    }
    world_free(world);
}

/* --- what is stored against what was signed --- */

static void begin(void)
{
    world = world_new(2, 1);
    site = site_of(world, 0);
    (void)site_send(site, "one", 0, NULL);
    (void)site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    site_drop(site);
}

static void a_leaf_that_was_changed_stops_the_office(void)
{
    for (unsigned member = 0; member < 2; member++) {
        begin();
        site_change(site, "UPDATE entries SET leaf = zeroblob(32) WHERE place = %lld", (long long)PLACE(member + 1, 2));
        site_start(site);
        CHECK(is(OFFICE_STOPPED, "does not hash to what was signed"));
        world_free(world);
    }
}

/* Facts that are there, and are not what they can be. */
static void what_the_office_knows_of_itself_is_read_strictly(void)
{
    static const char *const facts[][2] = {{"key-kind", "the word for what unlocks the office"},
                                           {"card", "the office's card"}};

    for (size_t i = 0; i < 2; i++) {
        struct error error = {0};
        struct office *office = NULL;
        bool rewrite = false;

        begin();
        site_change(site, "UPDATE meta SET value = x'66696c' WHERE key = '%s'", facts[i][0]);
        site->store = store_open(site->database, false, &error);
        office = office_open(site->store, NULL, NULL, &site->config, &rewrite, &error);
        CHECK(office == NULL && error.code == ERROR_STORAGE && strstr(error.message, facts[i][1]) != NULL);
        office_free(office);
        store_close(site->store);
        site->store = NULL;
        world_free(world);
    }
}

static void another_root_signed_than_stored_stops_the_office(void)
{
    begin();
    site_change(site, "UPDATE heads SET root = zeroblob(32) WHERE log = 1 AND size = 4");
    site_start(site);
    CHECK(is(OFFICE_STOPPED, "does not hash to what was signed"));
    world_free(world);
}

static void own_entries_never_signed_are_read_before_they_are(void)
{
    begin();
    site_start(site);
    site->held = true;
    (void)site_send(site, "three", 0, NULL);
    site_work_to_commit(site);
    site_crash(site, CRASH_COMMITTED); /* recorded, and not signed */
    site->held = false;
    site_change(site, "UPDATE entries SET bytes = zeroblob(200) WHERE place = %lld", (long long)PLACE(1, 5));
    site_start(site);
    CHECK(is(OFFICE_STOPPED, "they were never signed"));
    world_free(world);
}

static void a_mark_of_another_history_stops_the_office(void)
{
    struct buffer content = {0};
    struct mark_state state = {0};
    struct error error = {0};
    struct mark *mark = NULL;
    struct store_batch none = {0};

    begin();
    mark = mark_open(site->mark_path, &state, &error);
    world_must(mark != NULL, &error);
    for (size_t i = 0; i < state.log_count; i++)
        if (state.log[i].member == 0)
            state.log[i].root[0] ^= 1;
    world_must(mark_encode(&content, state.office, state.batch, state.log, state.log_count, &none, &error) == 0 &&
                   mark_write(mark, buffer_span(&content), &error) == 0,
               &error);
    mark_close(mark);
    mark_state_free(&state);
    buffer_free(&content);
    site_start(site);
    CHECK(is(OFFICE_STOPPED, "not the one its mark knows"));
    world_free(world);
}

/* --- locked and stopped --- */

struct answers {
    enum error_code write, read;
};

static bool all(const uint64_t *request, unsigned count, enum error_code code)
{
    bool good = true;

    for (unsigned i = 0; i < count; i++) {
        const struct office_event *reply = world->reply[request[i]];

        if (reply != NULL && reply->error.code == code)
            continue;
        printf("# request %u: %s\n", i, reply != NULL ? reply->error.message : "there is no answer");
        good = false;
    }
    return good;
}

static bool requests_are_answered(struct answers answers)
{
    struct office *office = site->office;
    struct now now = site_now(site);
    struct span none = {0}, party = span_of_string("pyongyang.example"), address = span_of_string("unix:1");
    struct span card = buffer_span(&world->site[1].card), entry = span_of_string("pyongyang.example/3");
    uint64_t write[9], read[6];
    bool written = false;

    for (unsigned i = 0; i < 9; i++)
        write[i] = world_request(world);
    for (unsigned i = 0; i < 6; i++)
        read[i] = world_request(world);
    office_line_found(office, write[0], span_of_string("other"), &card, 1, true, (struct amount){0}, now);
    office_line_join(office, write[1], span_of_string("no charter"), none, none, now);
    office_line_confirm(office, write[2], line_name(), span_of_string("1"), now);
    office_line_leave(office, write[3], line_name(), now);
    office_link_add(office, write[4], line_name(), party, address, now);
    office_link_remove(office, write[5], line_name(), party, address, now);
    office_link_test(office, write[6], line_name(), party, address, now);
    office_append(office, write[7], line_name(), &(struct office_message){.text = span_of_string("x")}, 1, now);
    office_acknowledge(office, write[8], line_name(), &entry, 1, AS_PRINCIPAL, now);
    office_line_show(office, read[0], line_name());
    office_entries(office, read[1], line_name(), none, none, 256, false);
    office_inbox(office, read[2], line_name());
    office_record_verify(office, read[3], line_name());
    office_record_policy(office, read[4], line_name());
    office_record_prove(office, read[5], line_name(), entry);
    world_turn(world);
    /* Both are looked at, so that all that is wrong shows. */
    written = all(write, 9, answers.write);
    return all(read, 6, answers.read) && written;
}

static void a_locked_office_answers_nothing_and_signs_nothing(void)
{
    struct error error = {0};

    begin();
    site_open(site);
    CHECK(is(OFFICE_LOCKED, "has not been given its key"));
    CHECK(requests_are_answered((struct answers){ERROR_LOCKED, ERROR_LOCKED}));
    CHECK(office_link_accepted(site->office, site_now(site)) == -1);
    CHECK(office_next(site->office).us == NEVER.us && !office_is_busy(site->office));
    site->key[0] ^= 1;
    CHECK(site_unlock(site, &error) != 0 && error.code == ERROR_MISMATCH && is(OFFICE_LOCKED, "liaison unlock"));
    CHECK(site->office->master == NULL && site_line(site)->secret == NULL);
    site->key[0] ^= 1;
    CHECK(office_unlock_passphrase(site->office, span_of_string("x"), site_now(site), NULL) != 0);
    error = (struct error){0};
    CHECK(site_unlock(site, &error) == 0 && is(OFFICE_READY, NULL));
    CHECK(site_unlock(site, &error) != 0 && error.code == ERROR_REFUSED);
    world_run(world, 10 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

static void a_stopped_office_answers_reads_and_refuses_writes(void)
{
    uint64_t trace = 0;

    begin();
    unlink(site->mark_path);
    site_start(site);
    trace = world->trace;
    CHECK(is(OFFICE_STOPPED, "the mark cannot be used"));
    CHECK(requests_are_answered((struct answers){ERROR_STOPPED, ERROR_NONE}));
    CHECK(office_link_accepted(site->office, site_now(site)) == -1);
    CHECK(office_next(site->office).us == NEVER.us);
    world_run(world, 10 * SECOND_US);
    CHECK(site->dialled == 1 && trace != 0);
    world_free(world);
}

static void an_office_that_stops_answers_reads_too(void)
{
    begin();
    site_start(site);
    world_run(world, 5 * SECOND_US);
    core_stop(site->office, ERROR_STOPPED, "a reason");
    CHECK(requests_are_answered((struct answers){ERROR_STOPPED, ERROR_NONE}));
    CHECK(is(OFFICE_STOPPED, "a reason"));
    world_free(world);
}

/* --- the start itself --- */

static void an_orderly_end_leaves_nothing_to_do(void)
{
    uint64_t batch = 0;

    begin();
    site_start(site);
    (void)site_send(site, "last words", 0, NULL);
    world_turn(world);
    office_finish(site->office, site_now(site));
    world_turn(world);
    CHECK(!office_is_busy(site->office) && !core_is_lazy(site->office));
    CHECK(site_line(site)->member[0].settle == sync_durable(site_line(site)->sync, 0));
    batch = site->office->batch;
    site_drop(site);
    site_open(site);
    CHECK(site->office->batch == batch);
    world_free(world);
}

/* Everything that is in memory and must outlive it. */
static void what_was_known_is_known_again(void)
{
    uint64_t confirmed = 0, shown = 0;

    begin();
    site_start(site);
    shown = world_request(world);
    confirmed = world_request(world);
    office_line_show(site->office, shown, line_name());
    world_turn(world);
    office_line_confirm(site->office, confirmed, line_name(), buffer_span(&world->reply[shown]->text2), site_now(site));
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, confirmed));
    site_drop(site);
    site_start(site);
    CHECK(site_line(site)->confirmed && site->office->route_count == 1);
    CHECK(site_line(site)->inbox == 1);
    CHECK(site->office->counter_sent[0][1] > 0);
    CHECK(site_line(site)->member[1].folded == sync_durable(site_line(site)->sync, 1));
    world_run(world, 10 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

/* All were used, and it ended before it published others: nobody would make it do so any more. */
static void prekeys_that_were_due_are_published_at_the_start(void)
{
    const struct member *published = NULL, *offered = NULL;

    world = world_new(2, 1);
    site = site_of(world, 1);
    site_drop(site);
    site_change(site, "UPDATE prekeys SET secret = x''");
    site_change(site, "DELETE FROM prekeys WHERE id < %d", PREKEY_BATCH - 1);
    site_start(site);
    world_run(world, 10 * SECOND_US);
    published = &site_line(site)->member[0];
    offered = &site_line(site_of(world, 0))->member[1];
    CHECK(published->prekey_stock == PREKEY_BATCH && published->prekey_next == 2 * PREKEY_BATCH);
    CHECK(offered->offered_count > 0 && offered->offered[offered->offered_count - 1].id == 2 * PREKEY_BATCH - 1);
    world_check_settled(world);
    world_free(world);
}

int main(void)
{
    RUN(every_database_with_every_mark);
    RUN(a_batch_is_replayed_with_all_that_belongs_to_it);
    RUN(a_mark_one_behind_is_written_again);
    RUN(a_leaf_that_was_changed_stops_the_office);
    RUN(what_the_office_knows_of_itself_is_read_strictly);
    RUN(another_root_signed_than_stored_stops_the_office);
    RUN(own_entries_never_signed_are_read_before_they_are);
    RUN(a_mark_of_another_history_stops_the_office);
    RUN(a_locked_office_answers_nothing_and_signs_nothing);
    RUN(a_stopped_office_answers_reads_and_refuses_writes);
    RUN(an_office_that_stops_answers_reads_too);
    RUN(an_orderly_end_leaves_nothing_to_do);
    RUN(what_was_known_is_known_again);
    RUN(prekeys_that_were_due_are_published_at_the_start);
    scratch_clean();
    return test_end();
}
