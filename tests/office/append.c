/*
 * One's own entries: tokens, numbers, epochs, what is refused.
 */
#include "world.h"

static struct world *world;
static struct site *site;

static void begin(unsigned count)
{
    world = world_new(count, 1);
    site = site_of(world, 0);
}

static uint64_t number(uint64_t request)
{
    return succeeded(world, request) ? world->reply[request]->numbers[0] : UINT64_MAX;
}

static void the_same_token_gives_the_same_number(void)
{
    uint64_t first = 0, again = 0, other = 0, restarted = 0;

    begin(2);
    first = site_send(site, "one", 0, "t");
    world_run(world, SECOND_US);
    again = site_send(site, "one", 0, "t");
    other = site_send(site, "one", 0, "u");
    world_run(world, SECOND_US);
    site_crash(site, CRASH_NONE);
    site_start(site);
    restarted = site_send(site, "one", 0, "t");
    world_run(world, SECOND_US);
    CHECK(number(first) == 3 && number(again) == 3 && number(restarted) == 3 && number(other) == 4);
    CHECK(sync_durable(site_line(site)->sync, 0) == 5);
    world_free(world);
}

/* However far the first one has come: asked for, looked up, in the batch that is out. */
static void a_token_is_known_at_every_moment(void)
{
    for (unsigned jobs = 0; jobs < 4; jobs++) {
        uint64_t first = 0, again = 0;

        begin(2);
        site->held = true;
        first = site_send(site, "one", 0, "t");
        for (unsigned i = 0; i < jobs; i++)
            site_work(site);
        again = site_send(site, "one", 0, "t");
        site->held = false;
        world_run(world, 2 * SECOND_US);
        CHECK(number(first) == 3 && number(again) == 3);
        CHECK(sync_durable(site_line(site)->sync, 0) == 4);
        world_free(world);
    }
}

static void two_at_once_with_one_token_are_one(void)
{
    uint64_t first = 0, again = 0, other = 0;

    begin(2);
    first = site_send(site, "one", 0, "t");
    again = site_send(site, "one", 0, "t");
    other = site_send(site, "two", 0, "t");
    world_run(world, 2 * SECOND_US);
    CHECK(number(first) == 3 && number(again) == 3);
    CHECK(refused(world, other, ERROR_REFUSED, "this token was used before"));
    CHECK(sync_durable(site_line(site)->sync, 0) == 4);
    world_free(world);
}

/* The first one waits for the next batch when the second one comes. */
static void two_at_once_are_one_also_when_a_batch_is_out(void)
{
    uint64_t first = 0, again = 0;

    begin(2);
    first = site_send(site, "one", 0, "t");
    again = site_send(site, "one", 0, "t");
    (void)site_send(site, "before them", 0, NULL);
    world_run(world, 2 * SECOND_US);
    CHECK(number(first) == 4 && number(again) == 4);
    CHECK(sync_durable(site_line(site)->sync, 0) == 5);
    world_free(world);
}

/* The answer to a token that is on its way waits for the disk as the first one does. */
static void a_known_token_is_not_answered_before_it_is_durable(void)
{
    uint64_t first = 0, again = 0;

    begin(2);
    site->held = true;
    first = site_send(site, "one", 0, "t");
    again = site_send(site, "one", 0, "t");
    site_work(site); /* look up, twice; the batch that holds it is not run */
    site_work(site);
    world_turn(world);
    CHECK(!replied(world, first) && !replied(world, again));
    site->held = false;
    world_turn(world);
    CHECK(number(first) == 3 && number(again) == 3);
    world_free(world);
}

static uint64_t send_with(struct office_message message)
{
    static const uint8_t token[16] = "t";
    uint64_t request = world_request(world);

    message.token = span_of(token, sizeof token);
    office_append(site->office, request, line_name(), &message, 1, site_now(site));
    world_run(world, SECOND_US);
    return request;
}

static void a_token_means_one_message(void)
{
    static const char *const words = "this token was used before";
    struct office_message first = {.text = span_of_string("-us one"), .language = span_of_string("en")}, other = first;

    begin(2);
    CHECK(number(send_with(first)) == 3);
    other.text = span_of_string("onf");
    CHECK(refused(world, send_with(other), ERROR_REFUSED, words));
    other = first;
    other.text = span_of_string(" one"); /* the parts are not joined */
    other.language = span_of_string("en-us");
    CHECK(refused(world, send_with(other), ERROR_REFUSED, words));
    other = first;
    other.precedence = PRECEDENCE_FLASH;
    CHECK(refused(world, send_with(other), ERROR_REFUSED, words));
    other = first;
    other.exercise = true;
    CHECK(refused(world, send_with(other), ERROR_REFUSED, words));
    other = first;
    other.answers = span_of_string("washington.example/3");
    CHECK(refused(world, send_with(other), ERROR_REFUSED, words));
    CHECK(number(send_with(first)) == 3 && sync_durable(site_line(site)->sync, 0) == 4);
    world_free(world);
}

/* Some known, some new: each has its number, and the answer waits for the new ones. */
static void a_batch_may_repeat_some_of_its_tokens(void)
{
    static const uint8_t token[3][16] = {"a", "b", "c"};
    struct office_message message[3];
    uint64_t request = 0;
    const struct office_event *reply = NULL;

    begin(2);
    (void)site_send(site, "b", 0, "b");
    world_run(world, SECOND_US);
    for (unsigned i = 0; i < 3; i++)
        message[i] = (struct office_message){.text = span_of(token[i], 1), .token = span_of(token[i], 16)};
    request = world_request(world);
    office_append(site->office, request, line_name(), message, 3, site_now(site));
    site->held = true;
    site_work(site);
    world_turn(world);
    CHECK(!replied(world, request));
    site->held = false;
    world_turn(world);
    reply = world->reply[request];
    CHECK(succeeded(world, request) && reply->numbers[0] == 4 && reply->numbers[1] == 3 && reply->numbers[2] == 5);
    world_free(world);
}

static void many_messages_are_numbered_in_a_row(void)
{
    struct office_message *message = world_memory(OFFICE_APPEND_MAX, sizeof *message);
    uint64_t request = 0;

    begin(2);
    for (size_t i = 0; i < OFFICE_APPEND_MAX; i++)
        message[i].text = span_of_string("a row of these");
    request = world_request(world);
    office_append(site->office, request, line_name(), message, OFFICE_APPEND_MAX, site_now(site));
    world_run(world, 5 * SECOND_US);
    CHECK(succeeded(world, request) && world->reply[request]->count == OFFICE_APPEND_MAX);
    for (size_t i = 0; i < OFFICE_APPEND_MAX && succeeded(world, request); i++)
        CHECK(world->reply[request]->numbers[i] == 3 + i);
    world_check_settled(world);
    world_free(world);
    free(message);
}

static void what_is_not_sealed_is_not_answered(void)
{
    begin(2);
    (void)site_send(site, "one", 0, NULL);
    (void)site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, SECOND_US);
    for (unsigned i = 0; i < 2; i++) {
        static const char *const machinery[] = {"pyongyang.example/0", "pyongyang.example/2"};
        uint64_t answer = site_answer(site, "to what?", machinery[i]);
        uint64_t acknowledge = site_acknowledge(site, machinery[i]);

        world_turn(world);
        CHECK(refused(world, answer, ERROR_REFUSED, "only messages are answered"));
        CHECK(refused(world, acknowledge, ERROR_REFUSED, "only messages are answered"));
    }
    world_free(world);
}

static void an_entry_is_named_as_it_should_be(void)
{
    uint64_t request[6];

    begin(2);
    (void)site_send(site, "one", 0, NULL);
    world_run(world, SECOND_US);
    request[0] = site_acknowledge(site, "washington.example/3");
    request[1] = site_acknowledge(site, "pyongyang.example/9");
    request[2] = site_acknowledge(site, "moscow.example/0");
    request[3] = site_acknowledge(site, "pyongyang.example");
    request[4] = site_acknowledge(site, "pyongyang.example/");
    request[5] = site_acknowledge(site, "pyongyang.example/-1");
    world_turn(world);
    CHECK(refused(world, request[0], ERROR_REFUSED, "by oneself"));
    CHECK(refused(world, request[1], ERROR_NOT_FOUND, "is not in the record"));
    CHECK(refused(world, request[2], ERROR_NOT_FOUND, "no member of this line"));
    for (unsigned i = 3; i < 6; i++)
        CHECK(refused(world, request[i], ERROR_USAGE, "an entry is named like"));
    CHECK(sync_durable(site_line(site)->sync, 0) == 4);
    world_free(world);
}

static void some_space_is_kept_for_receipts(void)
{
    uint64_t mine = 0, theirs = 0;

    begin(2);
    site->office->space = LEFT_RESERVE - 1;
    mine = site_send(site, "one", 0, NULL);
    world_turn(world);
    CHECK(refused(world, mine, ERROR_FULL, "kept for receipts"));
    theirs = site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(succeeded(world, theirs));
    CHECK(sync_receipted(site_line(site_of(world, 1))->sync, 1, 0) == 4);
    mine = site_send(site, "three", 0, NULL);
    world_turn(world);
    CHECK(succeeded(world, mine)); /* every job looks again */
    world_free(world);
}

static uint64_t epochs(void)
{
    struct store_result result = ask(site->store, QUERY(STORE_LAST_EPOCH, (LOG_NUMBER(site_line(site), 0)), ({0})));
    uint64_t last = result.count > 0 ? (uint64_t)result.row[0].n[0] : 0;

    store_result_free(&result);
    return last;
}

static void an_epoch_begins_daily_and_at_each_start(void)
{
    uint64_t last = 0;

    begin(2);
    (void)site_send(site, "one", 0, NULL);
    world_run(world, SECOND_US);
    last = epochs();
    (void)site_send(site, "two", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(epochs() == last);
    site->wall_us = (int64_t)(EPOCH_SECONDS * SECOND_US);
    (void)site_send(site, "three", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(epochs() == last + 1);
    site_crash(site, CRASH_NONE);
    site_start(site);
    (void)site_send(site, "four", 0, NULL);
    world_run(world, 10 * SECOND_US);
    CHECK(epochs() == last + 2);
    world_check_settled(world);
    world_free(world);
}

/* Each epoch takes a prekey of the other; when half are used there are new ones. */
static void prekeys_are_published_before_they_run_out(void)
{
    struct site *other = NULL;
    unsigned least = PREKEY_BATCH;

    begin(2);
    other = site_of(world, 1);
    for (unsigned day = 1; day < PREKEY_BATCH + 8; day++) {
        site->wall_us = (int64_t)(day * EPOCH_SECONDS * SECOND_US);
        (void)site_send(site, "a day", 0, NULL);
        world_run(world, 3 * SECOND_US);
        CHECK(site_line(site)->member[1].forward);
        if (site_line(other)->member[0].prekey_stock < least)
            least = site_line(other)->member[0].prekey_stock;
    }
    CHECK(least >= PREKEY_LOW - 1);
    CHECK(site_line(other)->member[0].prekey_next == 2 * PREKEY_BATCH + 1 ||
          site_line(other)->member[0].prekey_next == 2 * PREKEY_BATCH);
    world_check_settled(world);
    world_free(world);
}

/* A full disk takes back the prekeys that were on their way: they are made again. */
static void prekeys_that_were_not_recorded_are_no_stock(void)
{
    struct error error = {0};
    unsigned stock = 0;

    begin(2);
    stock = site_line(site)->member[1].prekey_stock;
    CHECK(stock == PREKEY_BATCH);
    site_line(site)->member[1].prekey_stock = 0;
    world_full_disk = site->database;
    CHECK(append_prekeys(site->office, site_line(site), &error) == 0);
    (void)site_send(site, "one", 0, NULL);
    world_turn(world);
    CHECK(site_line(site)->member[1].prekey_stock == 0);
    world_full_disk = NULL;
    (void)site_send(site, "two", 0, NULL);
    world_run(world, 10 * SECOND_US);
    CHECK(site_line(site)->member[1].prekey_stock == PREKEY_BATCH);
    world_free(world);
}

/* Told apart before anything is recorded: the same message once, and of two that differ none. */
static void within_one_request_a_token_means_one_message_too(void)
{
    static const uint8_t token[16] = "token";
    struct office_message message[3] = {{.text = span_of_string("one"), .token = span_of(token, sizeof token)},
                                        {.text = span_of_string("without")},
                                        {.text = span_of_string("one"), .token = span_of(token, sizeof token)}};
    const struct office_event *reply = NULL;
    uint64_t request = 0;

    begin(2);
    message[2].text = span_of_string("two");
    request = world_request(world);
    office_append(site->office, request, line_name(), message, 3, site_now(site));
    world_run(world, SECOND_US);
    CHECK(refused(world, request, ERROR_REFUSED, "for another message"));
    CHECK(sync_durable(site_line(site)->sync, 0) == 2);
    message[2].text = message[0].text;
    request = world_request(world);
    office_append(site->office, request, line_name(), message, 3, site_now(site));
    world_run(world, SECOND_US);
    reply = world->reply[request];
    CHECK(succeeded(world, request) && reply->numbers[0] == 3 && reply->numbers[1] == 4 && reply->numbers[2] == 3);
    CHECK(sync_durable(site_line(site)->sync, 0) == 5);
    world_free(world);
}

/* The same entry named twice is acknowledged once. */
static void within_one_request_an_entry_is_acknowledged_once(void)
{
    struct span named[3] = {span_of_string("pyongyang.example/3"), span_of_string("pyongyang.example/3"),
                            span_of_string("pyongyang.example/4")};
    uint64_t request = 0;

    begin(2);
    (void)site_send(site_of(world, 1), "one", 0, NULL);
    (void)site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, 2 * SECOND_US);
    request = world_request(world);
    office_acknowledge(site->office, request, line_name(), named, 3, AS_DUTY_OFFICER, site_now(site));
    world_run(world, 2 * SECOND_US);
    CHECK(succeeded(world, request));
    CHECK(site_line(site)->inbox == 0);
    world_check_settled(world);
    world_free(world);
}

int main(void)
{
    RUN(the_same_token_gives_the_same_number);
    RUN(a_token_is_known_at_every_moment);
    RUN(two_at_once_with_one_token_are_one);
    RUN(two_at_once_are_one_also_when_a_batch_is_out);
    RUN(a_known_token_is_not_answered_before_it_is_durable);
    RUN(a_token_means_one_message);
    RUN(a_batch_may_repeat_some_of_its_tokens);
    RUN(many_messages_are_numbered_in_a_row);
    RUN(what_is_not_sealed_is_not_answered);
    RUN(an_entry_is_named_as_it_should_be);
    RUN(some_space_is_kept_for_receipts);
    RUN(an_epoch_begins_daily_and_at_each_start);
    RUN(prekeys_are_published_before_they_run_out);
    RUN(prekeys_that_were_not_recorded_are_no_stock);
    RUN(within_one_request_a_token_means_one_message_too);
    RUN(within_one_request_an_entry_is_acknowledged_once);
    scratch_clean();
    return test_end();
}
