/*
 * Verification, policies and proofs: what is right is said to be, what was changed is not.
 */
#include "record/proof.h"

#include "world.h"

static struct world *world;
static struct site *site;

static void begin(void)
{
    world = world_new(3, 1);
    site = site_of(world, 0);
    for (unsigned i = 0; i < 3; i++)
        (void)site_send(site_of(world, i), "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
}

static uint64_t verify(void)
{
    uint64_t request = world_request(world);

    office_record_verify(site->office, request, line_name());
    world_turn(world);
    return request;
}

static uint64_t prove(const char *entry)
{
    uint64_t request = world_request(world);

    office_record_prove(site->office, request, line_name(), span_of_string(entry));
    world_turn(world);
    return request;
}

static void a_whole_record_verifies(void)
{
    const struct office_event *reply = NULL;
    uint64_t request = 0;

    begin();
    request = verify();
    reply = world->reply[request];
    CHECK(succeeded(world, request) && reply->log_count == 3 && reply->count == 12 && reply->receipts >= 6);
    for (unsigned i = 0; i < 3 && succeeded(world, request); i++) {
        uint8_t root[HASH_SIZE];

        tree_root(sync_frontier(site_line(site)->sync, i), root);
        CHECK(reply->logs[i].member == i && reply->logs[i].size == 4);
        CHECK(memcmp(reply->logs[i].root, root, HASH_SIZE) == 0);
    }
    world_free(world);
}

/* Many slices, and the line goes on between them. */
static void a_long_record_verifies_in_slices(void)
{
    struct office_message *message = world_memory(OFFICE_APPEND_MAX, sizeof *message);
    uint64_t request = 0, sent = 0;
    unsigned jobs = 0;

    begin();
    for (size_t i = 0; i < OFFICE_APPEND_MAX; i++)
        message[i].text = span_of_string("one of many");
    office_append(site->office, world_request(world), line_name(), message, OFFICE_APPEND_MAX, site_now(site));
    world_run(world, 5 * SECOND_US);
    request = world_request(world);
    site->held = true;
    office_record_verify(site->office, request, line_name());
    (void)site_work(site);
    sent = site_send(site, "meanwhile", 0, NULL);
    while (!replied(world, request) && jobs < 100) {
        struct office_event event;

        jobs += site_work(site);
        while (office_event(site->office, &event))
            site_take(site, &event);
    }
    CHECK(jobs > 6 && succeeded(world, request) && succeeded(world, sent));
    CHECK(world->reply[request]->count == 12 + OFFICE_APPEND_MAX);
    world_free(world);
    free(message);
}

static void check_changed(const char *format, const char *words)
{
    uint64_t request = 0;

    begin();
    site_drop(site);
    site_change(site, "%s", format);
    site_start(site);
    request = verify();
    CHECK(refused(world, request, ERROR_MISMATCH, words));
    world_free(world);
}

static void what_was_changed_does_not_verify(void)
{
    check_changed("UPDATE entries SET bytes = zeroblob(90) WHERE place = 2 << 40 | 1", "an entry at 1 entries of pyon");
    check_changed("UPDATE heads SET signature = zeroblob(64) WHERE log = 2 AND size = 2", "the head at 2 entries");
    check_changed("UPDATE receipts SET time = time + 1 WHERE log = 1 AND size = 4", "a receipt at 4 entries");
    check_changed("UPDATE receipts SET signature = zeroblob(64) WHERE log = 2 AND by = 2", "a receipt at");
    check_changed("UPDATE heads SET root = x'00' WHERE log = 2 AND size = 2", "the head at 2 entries");
    check_changed("UPDATE heads SET root = zeroblob(32) WHERE log = 2 AND size = 2", "the head at 2 entries");
    check_changed("UPDATE receipts SET by = 9 WHERE log = 1 AND by = 2 AND size = 4", "a receipt at 4 entries");
    check_changed("UPDATE receipts SET signature = x'00' WHERE log = 1 AND size = 4", "a receipt at 4 entries");
}

static void a_proof_holds_for_everybody(void)
{
    struct buffer policy = {0};
    uint64_t request = 0, asked = 0;

    begin();
    request = prove("pyongyang.example/3");
    asked = world_request(world);
    office_record_policy(site->office, asked, line_name());
    world_turn(world);
    CHECK(succeeded(world, request) && world->reply[request]->count == 2); /* both others' receipts */
    CHECK(succeeded(world, asked) && world->reply[asked]->text.size > 0);
    policy_print(&policy, site_line(site)->charter);
    CHECK(span_equal(buffer_span(&policy), buffer_span(&world->reply[asked]->text)));
    CHECK(world->reply[request]->text.size > 200);
    buffer_free(&policy);
    world_free(world);
}

static void what_is_not_there_is_not_proved(void)
{
    begin();
    CHECK(refused(world, prove("pyongyang.example/4"), ERROR_NOT_FOUND, "is not in the record"));
    CHECK(refused(world, prove("pyongyang"), ERROR_USAGE, "an entry is named"));
    CHECK(refused(world, prove("seoul.example/1"), ERROR_NOT_FOUND, "no member"));
    world_free(world);
}

/* The head with the receipts of all is taken, and the ones at hand where there is none. */
static void a_proof_takes_the_receipts_there_are(void)
{
    uint64_t request = 0;

    begin();
    site_of(world, 2)->held = true;
    (void)site_send(site, "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    request = prove("washington.example/4");
    CHECK(succeeded(world, request) && world->reply[request]->count == 1);
    request = prove("washington.example/3");
    CHECK(succeeded(world, request) && world->reply[request]->count == 2);
    site_of(world, 2)->held = false;
    world_run(world, 5 * SECOND_US);
    request = prove("washington.example/4");
    CHECK(succeeded(world, request) && world->reply[request]->count == 2);
    world_free(world);
}

/* Beneath a hash that is kept of many entries some may be gone unnoticed until somebody reads them. */
static void what_is_gone_is_not_proved(void)
{
    struct office_message *message = world_memory(OFFICE_APPEND_MAX, sizeof *message);

    begin();
    for (size_t i = 0; i < OFFICE_APPEND_MAX; i++)
        message[i].text = span_of_string("one of many");
    office_append(site->office, world_request(world), line_name(), message, OFFICE_APPEND_MAX, site_now(site));
    world_run(world, 5 * SECOND_US);
    site_drop(site);
    site_change(site, "DELETE FROM entries WHERE place BETWEEN %lld AND %lld", (long long)PLACE(1, 10),
                (long long)PLACE(1, 20));
    site_start(site);
    CHECK(refused(world, verify(), ERROR_MISMATCH, "an entry at 10 entries of washington"));
    CHECK(refused(world, prove("washington.example/15"), ERROR_MISMATCH, ""));
    CHECK(succeeded(world, prove("washington.example/300")));
    world_free(world);
    free(message);
}

static void without_a_head_there_is_no_proof(void)
{
    static const char *const rows[] = {"DELETE FROM heads WHERE log = 2", "UPDATE heads SET root = x'00' WHERE log = 2",
                                       "UPDATE heads SET signature = x'00' WHERE log = 2"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        for (unsigned k = 1; k < 3; k++)
            site_drop(site_of(world, k)); /* who would show it again */
        site_drop(site);
        site_change(site, "%s", rows[i]);
        site_start(site);
        CHECK(refused(world, prove("pyongyang.example/3"), ERROR_NOT_FOUND, ""));
        CHECK(succeeded(world, prove("washington.example/3")));
        world_free(world);
    }
}

int main(void)
{
    RUN(a_whole_record_verifies);
    RUN(a_long_record_verifies_in_slices);
    RUN(what_was_changed_does_not_verify);
    RUN(a_proof_holds_for_everybody);
    RUN(what_is_not_there_is_not_proved);
    RUN(a_proof_takes_the_receipts_there_are);
    RUN(what_is_gone_is_not_proved);
    RUN(without_a_head_there_is_no_proof);
    scratch_clean();
    return test_end();
}
