/*
 * The quotas of the charter, at the author and at the receiver.
 */
#include "world.h"

#define DAY_US (24 * 3600 * SECOND_US)

static struct world *world;
static struct site *here, *there;

static void begin(uint64_t entries, uint64_t bytes)
{
    world = world_empty(2, 1);
    world->quota = (struct amount){.entries = entries, .bytes = bytes};
    world_found(world, true);
    world_link(world);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static uint64_t own_size(const struct site *site)
{
    return sync_durable(site_line(site)->sync, site->me);
}

static const struct office_member_status *status_of(const struct site *site, unsigned member)
{
    static struct office_line_status status;

    office_line_status(site->office, 0, &status);
    return &status.member[member];
}

/* As many as are let through, one after the other. */
static unsigned send_all(struct site *site, unsigned precedence)
{
    unsigned count = 0;

    for (uint64_t request = 0; count < 2000; count++) {
        request = site_send(site, "a text", precedence, NULL);
        world_turn(world);
        if (!succeeded(world, request))
            break;
    }
    return count;
}

/* With the charter, the first prekeys and an epoch it writes sixteen entries; the last is kept for what is urgent. */
static void what_is_beyond_it_is_refused_and_leaves_nothing(void)
{
    uint64_t request = 0;
    uint64_t size = 0;

    begin(16, 0);
    CHECK(send_all(here, PRECEDENCE_PRIORITY) == 12 && own_size(here) == 15);
    request = site_send(here, "one too many", PRECEDENCE_ROUTINE, "token");
    world_turn(world);
    CHECK(refused(world, request, ERROR_REFUSED,
                  "a member of the line talks may write 16 entries a day; 15 are used, and 1 kept for what is urgent: "
                  "there is room for this in 90 minutes. Nothing was recorded"));
    CHECK(own_size(here) == 15 && status_of(here, 0)->used.entries == 15 && status_of(here, 0)->most.entries == 16);
    request = site_send(here, "urgent", PRECEDENCE_FLASH, NULL);
    world_turn(world);
    CHECK(succeeded(world, request) && own_size(here) == 16);
    request = site_send(here, "urgent, too", PRECEDENCE_FLASH, NULL);
    world_turn(world);
    CHECK(refused(world, request, ERROR_REFUSED, "may write 16 entries a day; 16 are used: there is room"));
    /* Nobody else is hindered, and all that was recorded is there. */
    CHECK(send_all(there, PRECEDENCE_ROUTINE) == 12);
    world_run(world, SECOND_US);
    CHECK(sync_durable(site_line(there)->sync, 0) == 16 && sync_durable(site_line(here)->sync, 1) == 15);
    /* It leaks evenly. */
    here->wall_us += (int64_t)(3 * 3600 * SECOND_US);
    size = own_size(here);
    request = site_send(here, "one too many", PRECEDENCE_ROUTINE, "token");
    world_turn(world);
    CHECK(succeeded(world, request) && own_size(here) == size + 1);
    CHECK(!succeeded(world,
                     (request = site_send(here, "another", PRECEDENCE_ROUTINE, NULL), world_turn(world), request)));
    world_free(world);
}

static void an_immediate_and_an_acknowledgement_use_what_is_kept(void)
{
    uint64_t request = 0;

    begin(32, 0);
    CHECK(succeeded(world, (request = site_send(there, "see this", 0, NULL), world_run(world, SECOND_US), request)));
    CHECK(send_all(here, PRECEDENCE_ROUTINE) == 27 && own_size(here) == 30);
    request = site_acknowledge(here, "pyongyang/3");
    world_turn(world);
    CHECK(succeeded(world, request) && own_size(here) == 31);
    CHECK(send_all(here, PRECEDENCE_IMMEDIATE) == 1 && own_size(here) == 32);
    request = site_acknowledge(here, "pyongyang/3"); /* it is acknowledged */
    world_turn(world);
    CHECK(succeeded(world, request));
    CHECK(succeeded(world, (request = site_send(there, "and this", 0, NULL), world_run(world, SECOND_US), request)));
    request = site_acknowledge(here, "pyongyang/4");
    world_turn(world);
    CHECK(refused(world, request, ERROR_REFUSED, "32 are used"));
    world_free(world);
}

static uint64_t send_several(const char *text, size_t count, unsigned first_token)
{
    struct office_message message[OFFICE_APPEND_MAX];
    static uint8_t token[OFFICE_APPEND_MAX][16];
    uint64_t request = world_request(world);

    for (size_t i = 0; i < count; i++) {
        put_u32_be(token[i], (uint32_t)(first_token + i));
        message[i] = (struct office_message){.text = span_of_string(text), .token = span_of(token[i], 16)};
    }
    office_append(here->office, request, line_name(), message, count, site_now(here));
    world_turn(world);
    return request;
}

static void a_request_is_taken_whole_or_not_at_all(void)
{
    begin(32, 0);
    CHECK(refused(world, send_several("text", 31, 1), ERROR_REFUSED, "there is never room for so much at once"));
    CHECK(own_size(here) == 2);
    CHECK(refused(world, send_several("text", 29, 1), ERROR_REFUSED, "there is room for this in"));
    CHECK(own_size(here) == 2);
    CHECK(succeeded(world, send_several("text", 20, 1)) && own_size(here) == 23);
    CHECK(succeeded(world, send_several("text", 20, 1)) && own_size(here) == 23); /* those it knows cost nothing */
    CHECK(refused(world, send_several("text", 28, 1), ERROR_REFUSED, "23 are used"));
    CHECK(succeeded(world, send_several("text", 27, 1)) && own_size(here) == 30);
    CHECK(succeeded(world, send_several("text", 27, 1)) && own_size(here) == 30);
    world_free(world);
}

static void bytes_are_counted_too(void)
{
    static char large[TEXT_SIZE_MAX + 1];
    uint64_t bytes = 0;
    unsigned count = 0;

    begin(0, QUOTA_BYTES_MIN);
    memset(large, 'x', sizeof large - 1);
    for (uint64_t request = 0; count < 10; count++) {
        request = site_send(here, large, PRECEDENCE_ROUTINE, NULL);
        world_turn(world);
        if (!succeeded(world, request)) {
            CHECK(refused(world, request, ERROR_REFUSED, "may write 131072 bytes a day"));
            break;
        }
    }
    CHECK(count == 1); /* prekeys and an epoch took some */
    bytes = status_of(here, 0)->used.bytes;
    CHECK(bytes > TEXT_SIZE_MAX && bytes < QUOTA_BYTES_MIN && status_of(here, 0)->most.bytes == QUOTA_BYTES_MIN);
    CHECK(send_all(here, PRECEDENCE_ROUTINE) > 50);
    CHECK(status_of(here, 0)->used.bytes <= QUOTA_BYTES_MIN);
    world_free(world);
}

/* What is asked for is counted before its bytes are made: never as fewer than they will be. */
static void no_entry_is_larger_than_it_was_taken_for(void)
{
    static char text[TEXT_SIZE_MAX + 1];

    begin(0, 0);
    for (size_t size = 1; size <= TEXT_SIZE_MAX; size = size < 600 ? size + 7 : size + size / 3) {
        uint64_t request = 0;

        (void)site_send(there, "seen", 0, NULL);
        world_run(world, SECOND_US);
        (void)site_send(here, "an epoch, if one is due", 0, NULL);
        world_run(world, SECOND_US);
        (void)site_send(there, "seen", 0, NULL);
        world_run(world, SECOND_US);
        memset(text, 'x', size);
        text[size] = 0;
        request = size % 2 == 0 ? site_send(here, text, 3, NULL) : site_answer(here, text, "pyongyang/3");
        world_turn(world);
        CHECK(succeeded(world, request));
        {
            struct store_query query = {.kind = STORE_ENTRY,
                                        .n = {PLACE(LOG_NUMBER(site_line(here), 0), own_size(here) - 1)}};
            struct store_result result = {0};
            struct error error = {0};

            world_must(store_read(here->store, &query, &result, &error) == 0 && result.count == 1, &error);
            CHECK(result.row[0].b[1].size <= append_size(size, size % 2) + append_seen_size(site_line(here)));
            CHECK(result.row[0].b[1].size + 200 >= append_size(size, size % 2));
            store_result_free(&result);
        }
    }
    world_free(world);
}

static void a_restart_is_no_way_around_it(void)
{
    static const enum crash crashes[] = {CRASH_NONE, CRASH_MARK_ONLY, CRASH_DATABASE_ONLY, CRASH_COMMITTED};

    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        uint64_t request = 0;

        begin(16, 0);
        CHECK(send_all(here, PRECEDENCE_ROUTINE) == 12);
        (void)site_send(here, "the last", PRECEDENCE_FLASH, NULL);
        if (crashes[i] == CRASH_NONE)
            world_turn(world);
        else
            site_work_to_commit(here);
        site_crash(here, crashes[i]);
        site_start(here);
        world_run(world, SECOND_US);
        CHECK(own_size(here) == 16 && status_of(here, 0)->used.entries == 16);
        request = site_send(here, "more", PRECEDENCE_FLASH, NULL);
        world_turn(world);
        CHECK(refused(world, request, ERROR_REFUSED, "16 are used"));
        world_free(world);
    }
}

/* What was staged is not there after a crash, and is not counted; nor is what a full disk refused. */
static void what_was_not_recorded_is_not_counted(void)
{
    uint64_t request = 0;

    begin(16, 0);
    CHECK(send_all(here, PRECEDENCE_ROUTINE) == 12);
    (void)site_send(here, "lost", PRECEDENCE_FLASH, NULL);
    site_work_to_commit(here);
    site_crash(here, CRASH_STAGED);
    site_start(here);
    world_run(world, SECOND_US);
    CHECK(own_size(here) == 15 && status_of(here, 0)->used.entries == 15);
    world_free(world);

    begin(16, 0);
    CHECK(send_all(here, PRECEDENCE_ROUTINE) == 12);
    world_run(world, 10 * SECOND_US);
    world_full_disk = here->database;
    request = site_send(here, "no room on the disk", PRECEDENCE_FLASH, NULL);
    world_turn(world);
    CHECK(refused(world, request, ERROR_FULL, "the disk is full"));
    world_full_disk = NULL;
    CHECK(status_of(here, 0)->used.entries == 15);
    CHECK(send_all(here, PRECEDENCE_FLASH) == 1);
    world_free(world);
}

static void what_the_office_must_write_itself_is_counted_and_never_refused(void)
{
    struct error error = {0};
    uint64_t request = 0;

    begin(16, 0);
    CHECK(send_all(here, PRECEDENCE_FLASH) == 13 && own_size(here) == 16);
    for (unsigned i = 0; i < 5; i++)
        CHECK(append_prekeys(here->office, site_line(here), &error) == 0);
    (void)site_send(there, "a text makes a turn", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(own_size(here) == 21 && status_of(here, 0)->used.entries == 21);
    CHECK(sync_durable(site_line(there)->sync, 0) == 21);
    request = world_request(world);
    office_line_leave(here->office, request, line_name(), site_now(here));
    world_run(world, SECOND_US);
    CHECK(succeeded(world, request) && own_size(here) == 22);
    world_free(world);
}

/* One that keeps no quota of its own: what it has used is forgotten before each request. */
static void flood(unsigned requests)
{
    for (unsigned i = 0; i < requests; i++) {
        site_line(here)->spent = (struct spent){0};
        CHECK(succeeded(world, send_several("a flood", 500, 500 * i)));
    }
}

static bool was_told_early(const struct site *site, const char *text)
{
    for (size_t i = 0; i < site->told_count; i++)
        if (strcmp(site->told[i].text, text) == 0 && site->told[i].early)
            return true;
    return false;
}

/* Sixty days' worth, or as many as a message may have, is taken at once. */
#define TAKEN 4096

static void others_take_no_more_of_a_flood_than_it_allows_and_in_the_end_all(void)
{
    struct office_event event;
    uint64_t request = 0;
    uint64_t size = 0;

    begin(0, 0);
    office_watch(here->office, false);
    office_watch(there->office, false);
    /* The receiver's charter says less: as if the author had written for months. */
    site_line(there)->charter->quota_entries = 16;
    flood(9);
    world_run(world, 10 * SECOND_US);
    size = sync_durable(site_line(there)->sync, 0);
    CHECK(own_size(here) > TAKEN && size <= TAKEN && size > TAKEN - 1100);
    CHECK(site_alarmed(there, "more came of the log of washington on the line talks than its quota allows"));
    CHECK(status_of(there, 0)->delayed && !status_of(here, 1)->delayed);
    CHECK(status_of(there, 0)->used.entries <= TAKEN && status_of(there, 0)->most.entries == 960);
    /* The other direction, and what is urgent, go on. */
    CHECK(succeeded(world, (request = site_send(there, "and here", 0, NULL), world_run(world, SECOND_US), request)));
    CHECK(sync_durable(site_line(here)->sync, 1) == own_size(there));
    site_line(here)->spent = (struct spent){0};
    office_watch(there->office, true);
    CHECK(succeeded(
        world, (request = site_send(here, "at once", PRECEDENCE_FLASH, NULL), world_run(world, SECOND_US), request)));
    CHECK(was_told_early(there, "at once"));
    office_watch(there->office, false);
    /* Nor does a restart help the flood. */
    site_drop(there);
    site_start(there);
    office_watch(there->office, false);
    site_line(there)->charter->quota_entries = 16;
    world_run(world, 10 * SECOND_US);
    CHECK(sync_durable(site_line(there)->sync, 0) >= size && sync_durable(site_line(there)->sync, 0) <= TAKEN);
    CHECK(status_of(there, 0)->delayed);
    CHECK(status_of(there, 0)->used.entries <= TAKEN && status_of(there, 0)->used.entries >= size);
    /* Days pass. */
    for (unsigned day = 0; day < 100 && sync_durable(site_line(there)->sync, 0) < own_size(here); day++) {
        uint64_t most = TAKEN + 16 * (uint64_t)(day + 2);

        there->wall_us += (int64_t)DAY_US;
        world_run(world, 3601 * SECOND_US);
        CHECK(sync_durable(site_line(there)->sync, 0) <= most);
    }
    world_run(world, 5 * SECOND_US);
    CHECK(sync_durable(site_line(there)->sync, 0) == own_size(here));
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == own_size(here));
    CHECK(!site_alarmed(there, "than its quota allows") && !status_of(there, 0)->delayed);
    while (office_event(there->office, &event))
        office_event_free(&event);
    world_free(world);
}

static void quotas_that_are_too_small_found_no_line(void)
{
    struct span card;

    world = world_empty(2, 1);
    here = site_of(world, 0);
    card = buffer_span(&world->site[1].card);
    for (unsigned i = 0; i < 2; i++) {
        struct amount quota = {.entries = i == 0 ? QUOTA_ENTRIES_MIN - 1 : 0,
                               .bytes = i == 0 ? 0 : QUOTA_BYTES_MIN - 1};
        uint64_t request = world_request(world);

        office_line_found(here->office, request, line_name(), &card, 1, true, quota, site_now(here));
        world_turn(world);
        CHECK(refused(world, request, ERROR_INVALID, "at least 16 entries and 131072 bytes a day"));
        CHECK(office_line_count(here->office) == 0);
    }
    world_free(world);
}

static void a_level_that_cannot_be_is_damage(void)
{
    struct error error = {0};

    begin(16, 0);
    site_drop(here);
    site_change(here, "UPDATE logs SET spent_entries = -1 WHERE member = 1");
    CHECK(!site_try_open(here, &error) && error.code == ERROR_STORAGE);
    CHECK(strstr(error.message, "what is used of a quota") != NULL);
    world_free(world);
}

int main(void)
{
    RUN(what_is_beyond_it_is_refused_and_leaves_nothing);
    RUN(an_immediate_and_an_acknowledgement_use_what_is_kept);
    RUN(a_request_is_taken_whole_or_not_at_all);
    RUN(bytes_are_counted_too);
    RUN(no_entry_is_larger_than_it_was_taken_for);
    RUN(a_restart_is_no_way_around_it);
    RUN(what_was_not_recorded_is_not_counted);
    RUN(what_the_office_must_write_itself_is_counted_and_never_refused);
    RUN(others_take_no_more_of_a_flood_than_it_allows_and_in_the_end_all);
    RUN(quotas_that_are_too_small_found_no_line);
    RUN(a_level_that_cannot_be_is_damage);
    scratch_clean();
    return test_end();
}
