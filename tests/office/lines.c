/*
 * Lines: founded, joined, compared, left; and what is refused.
 */
#include "seal/keyfile.h"

#include "world.h"

static struct world *world;
static struct site *here, *there;

static void begin(void)
{
    world = world_empty(3, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

static struct span card_of(unsigned number)
{
    return buffer_span(&world->site[number].card);
}

static uint64_t found(const char *name, const struct span *cards, size_t count, bool key)
{
    uint64_t request = world_request(world);

    office_line_found(here->office, request, span_of_string(name), cards, count, key, (struct amount){0},
                      site_now(here));
    return request;
}

static uint64_t found_with_there(const char *name, bool key)
{
    struct span card = card_of(1);
    uint64_t request = found(name, &card, 1, key);

    world_turn(world);
    return request;
}

static uint64_t join(struct site *site, struct span charter, struct span key, const char *name)
{
    uint64_t request = world_request(world);

    office_line_join(site->office, request, charter, key, span_of_string(name), site_now(site));
    world_turn(world);
    return request;
}

static struct span charter_of(uint64_t request)
{
    return buffer_span(&world->reply[request]->text);
}

static struct span key_of(uint64_t request)
{
    return buffer_span(&world->reply[request]->text2);
}

static void a_line_is_founded_with_good_cards_alone(void)
{
    struct span twice[2];
    struct span many[MEMBERS_MAX];
    struct span bad = span_of_string("liaison-card/v1\nname x\n"), mine;
    uint64_t request[8];

    begin();
    twice[0] = twice[1] = card_of(1);
    mine = card_of(0);
    for (unsigned i = 0; i < MEMBERS_MAX; i++)
        many[i] = card_of(1);
    request[0] = found("talks", NULL, 0, true);
    request[1] = found("talks", many, MEMBERS_MAX, true);
    request[2] = found("talks", &bad, 1, true);
    request[3] = found("talks", twice, 2, true);
    request[4] = found("talks", &mine, 1, true);
    request[5] = found("Talks", twice, 1, true);
    request[6] = found("", twice, 1, true);
    request[7] = found("a-name-of-33-letters-is-too-long-", twice, 1, true);
    world_turn(world);
    CHECK(refused(world, request[0], ERROR_USAGE, "2 to 16 members"));
    CHECK(refused(world, request[1], ERROR_USAGE, "2 to 16 members"));
    for (unsigned i = 2; i < 8; i++)
        CHECK(replied(world, request[i]) && !succeeded(world, request[i]));
    CHECK(refused(world, request[5], ERROR_INVALID, "a line's name is"));
    CHECK(office_line_count(here->office) == 0);
    CHECK(succeeded(world, found_with_there("talks", true)));
    CHECK(refused(world, found_with_there("talks", true), ERROR_EXISTS, "choose another name"));
    CHECK(office_line_count(here->office) == 1 && office_has_line(here->office, line_name()));
    world_free(world);
}

static void a_line_is_not_given_out_before_it_is_durable(void)
{
    uint64_t request = 0;

    begin();
    here->held = true;
    request = found_with_there("talks", true);
    CHECK(!replied(world, request));
    here->held = false;
    world_turn(world);
    CHECK(succeeded(world, request) && charter_of(request).size > 0 && key_of(request).size > 0);
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(office_has_line(here->office, line_name()));
    world_free(world);
}

static void a_line_that_found_no_room_was_never_there(void)
{
    uint64_t request = 0, shown = 0, read = 0;

    begin();
    world_full_disk = here->database;
    here->held = true;
    request = found_with_there("talks", true);
    read = site_entries(here, "", 256); /* of a line that is not recorded */
    (void)site_link(here, 1, "unix:1");
    shown = site_send(here, "one", 0, "t");
    here->held = false;
    world_run(world, SECOND_US);
    CHECK(refused(world, request, ERROR_FULL, "the disk is full; nothing was recorded"));
    CHECK(refused(world, shown, ERROR_NOT_FOUND, "there is no line talks here"));
    CHECK(refused(world, read, ERROR_NOT_FOUND, "there is no line talks here"));
    CHECK(office_line_count(here->office) == 0);
    world_full_disk = NULL;
    request = found_with_there("talks", true);
    CHECK(succeeded(world, request));
    CHECK(succeeded(world, join(there, charter_of(request), key_of(request), "")));
    (void)site_link(here, 1, "unix:1");
    world_run(world, 10 * SECOND_US);
    CHECK(sync_durable(site_line(there)->sync, 0) == 2);
    world_free(world);
}

static void one_joins_with_the_charter_and_its_key(void)
{
    uint64_t first = 0, second = 0, open = 0;

    begin();
    first = found_with_there("talks", true);
    second = found_with_there("more", true);
    open = found_with_there("open", false);
    CHECK(key_of(open).size == 0);
    CHECK(refused(world, join(there, span_of_string("x"), key_of(first), ""), ERROR_INVALID, ""));
    CHECK(refused(world, join(there, charter_of(first), span_of(NULL, 0), ""), ERROR_REFUSED, "has a courier key"));
    CHECK(refused(world, join(there, charter_of(first), key_of(second), ""), ERROR_MISMATCH, "another line"));
    CHECK(refused(world, join(there, charter_of(open), key_of(first), ""), ERROR_MISMATCH, "no courier key"));
    CHECK(refused(world, join(site_of(world, 2), charter_of(first), key_of(first), ""), ERROR_REFUSED,
                  "is not a member of that charter"));
    CHECK(refused(world, join(there, charter_of(first), key_of(first), "No Name"), ERROR_INVALID, "a line's name"));
    CHECK(office_line_count(there->office) == 0);
    CHECK(succeeded(world, join(there, charter_of(first), key_of(first), "")));
    CHECK(office_has_line(there->office, span_of_string("talks")));
    CHECK(refused(world, join(there, charter_of(first), key_of(first), "again"), ERROR_EXISTS, "joined that line"));
    CHECK(refused(world, join(there, charter_of(second), key_of(second), "talks"), ERROR_EXISTS, "another name"));
    CHECK(succeeded(world, join(there, charter_of(second), key_of(second), "other")));
    CHECK(succeeded(world, join(there, charter_of(open), span_of(NULL, 0), "")));
    CHECK(office_line_count(there->office) == 3);
    world_free(world);
}

static void there_are_so_many_lines_and_no_more(void)
{
    begin();
    for (unsigned i = 0; i < OFFICE_LINES_MAX; i++) {
        char name[20];

        snprintf(name, sizeof name, "line-%u", i);
        CHECK(succeeded(world, found_with_there(name, true)));
    }
    CHECK(refused(world, found_with_there("more", true), ERROR_REFUSED, "64 lines already"));
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(office_line_count(here->office) == OFFICE_LINES_MAX);
    world_free(world);
}

/* --- the number --- */

static uint64_t confirm(struct span digits)
{
    uint64_t request = world_request(world);

    office_line_confirm(here->office, request, line_name(), digits, site_now(here));
    world_turn(world);
    return request;
}

static struct span number_of(struct site *site)
{
    uint64_t request = world_request(world);

    office_line_show(site->office, request, line_name());
    world_turn(world);
    CHECK(succeeded(world, request));
    return buffer_span(&world->reply[request]->text2);
}

static void a_line_is_confirmed_with_its_number_alone(void)
{
    char digits[FINGERPRINT_SIZE + 40];
    struct span number;
    size_t size = 0;

    begin();
    world_found(world, true);
    number = number_of(here);
    CHECK(span_equal(number, number_of(there)));
    for (size_t i = 0; i < number.size; i++)
        if (number.data[i] != ' ')
            digits[size++] = (char)number.data[i];
    digits[0] = digits[0] == '9' ? '0' : (char)(digits[0] + 1);
    CHECK(refused(world, confirm(span_of(digits, size)), ERROR_MISMATCH, "someone sits between"));
    digits[0] = (char)number.data[0];
    CHECK(refused(world, confirm(span_of(digits, size - 1)), ERROR_MISMATCH, "a digit was misread"));
    CHECK(refused(world, confirm(span_of(digits, 0)), ERROR_MISMATCH, "a digit was misread"));
    digits[size] = '1';
    CHECK(refused(world, confirm(span_of(digits, size + 1)), ERROR_MISMATCH, "a digit was misread"));
    CHECK(!site_line(here)->confirmed);
    CHECK(succeeded(world, confirm(span_of(digits, size))) && site_line(here)->confirmed);
    site_crash(here, CRASH_NONE);
    site_start(here);
    CHECK(site_line(here)->confirmed && !site_line(there)->confirmed);
    CHECK(succeeded(world, confirm(number)));
    world_free(world);
}

static void another_courier_key_shows_another_number(void)
{
    uint8_t before[FINGERPRINT_SIZE];
    struct span number;

    begin();
    world_found(world, true);
    number = number_of(here);
    memcpy(before, number.data, number.size);
    site_line(here)->secret->courier[0] ^= 1;
    CHECK(!span_equal(number_of(here), span_of(before, number.size)));
    world_free(world);
}

/* --- leaving --- */

static uint64_t leave(void)
{
    uint64_t request = world_request(world);

    office_line_leave(here->office, request, line_name(), site_now(here));
    return request;
}

static void who_left_says_nothing_more_and_still_receives(void)
{
    uint64_t left = 0, again = 0, sent = 0;
    struct office_line_status status;

    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
    left = leave();
    again = leave();
    sent = site_send(here, "one", 0, NULL);
    (void)site_send(there, "two", 0, NULL);
    world_run(world, 10 * SECOND_US);
    CHECK(succeeded(world, left));
    CHECK(refused(world, again, ERROR_REFUSED, "left the line already"));
    CHECK(refused(world, sent, ERROR_REFUSED, "its log there is closed"));
    office_line_status(there->office, 0, &status);
    CHECK(strcmp(status.member[0].stated, "left") == 0 && !status.left);
    world_check_settled(world);
    site_crash(there, CRASH_NONE);
    site_start(there);
    office_line_status(there->office, 0, &status);
    CHECK(strcmp(status.member[0].stated, "left") == 0);
    site_crash(here, CRASH_NONE);
    site_start(here);
    sent = site_send(here, "one", 0, NULL);
    world_turn(world);
    CHECK(refused(world, sent, ERROR_REFUSED, "its log there is closed"));
    world_free(world);
}

static void who_could_not_leave_has_not_left(void)
{
    uint64_t left = 0, sent = 0;

    world = world_new(2, 1);
    here = site_of(world, 0);
    world_full_disk = here->database;
    left = leave();
    world_turn(world);
    CHECK(refused(world, left, ERROR_FULL, "nothing was recorded"));
    world_full_disk = NULL;
    sent = site_send(here, "one", 0, NULL);
    world_run(world, 20 * SECOND_US);
    CHECK(succeeded(world, sent));
    world_free(world);
}

/* A charter that names us with keys that are another's, and a charter whose name is taken here. */
static void a_charter_of_other_keys_or_a_taken_name_is_not_joined(void)
{
    struct world *strange = NULL;
    struct buffer charter = {0}, key = {0};
    struct span card = {0};
    uint64_t request = 0;

    world = strange = world_empty(2, 2);
    here = site_of(world, 0);
    request = found_with_there("talks", true);
    buffer_put_span(&charter, charter_of(request));
    buffer_put_span(&key, key_of(request));
    begin(); /* the same names with other keys */
    CHECK(refused(world, join(there, buffer_span(&charter), buffer_span(&key), ""), ERROR_MISMATCH, "other keys"));
    request = found_with_there("talks", true);
    card = card_of(2);
    here = there;
    CHECK(succeeded(world, found("talks", &card, 1, true)) ||
          (world_turn(world), office_line_count(there->office) == 1));
    CHECK(refused(world, join(there, charter_of(request), key_of(request), ""), ERROR_EXISTS, "another name"));
    CHECK(office_line_count(there->office) == 1);
    world_free(world);
    world_free(strange);
    buffer_free(&charter);
    buffer_free(&key);
}

static void a_key_that_is_not_the_charters_is_not_taken(void)
{
    uint8_t line_id[HASH_SIZE], key[COURIER_KEY_SIZE];
    struct buffer other = {0};
    uint64_t first = 0;

    begin();
    first = found_with_there("talks", true);
    CHECK(courier_key_parse(line_id, key, key_of(first), NULL) == 0);
    key[0] ^= 1;
    courier_key_print(&other, line_id, key);
    CHECK(refused(world, join(there, charter_of(first), buffer_span(&other), ""), ERROR_MISMATCH,
                  "not the courier key that the charter names"));
    CHECK(refused(world, join(there, charter_of(first), span_of_string("no key"), ""), ERROR_INVALID, ""));
    CHECK(office_line_count(there->office) == 0);
    buffer_free(&other);
    world_free(world);
}

/* As people type it: with what a terminal puts behind. */
static void a_number_may_be_followed_by_blanks(void)
{
    struct buffer typed = {0};

    begin();
    world_found(world, true);
    buffer_put_span(&typed, number_of(here));
    buffer_print(&typed, " \n");
    CHECK(succeeded(world, confirm(buffer_span(&typed))) && site_line(here)->confirmed);
    buffer_free(&typed);
    world_free(world);
}

int main(void)
{
    RUN(a_line_is_founded_with_good_cards_alone);
    RUN(a_line_is_not_given_out_before_it_is_durable);
    RUN(a_line_that_found_no_room_was_never_there);
    RUN(one_joins_with_the_charter_and_its_key);
    RUN(there_are_so_many_lines_and_no_more);
    RUN(a_line_is_confirmed_with_its_number_alone);
    RUN(another_courier_key_shows_another_number);
    RUN(who_left_says_nothing_more_and_still_receives);
    RUN(who_could_not_leave_has_not_left);
    RUN(a_charter_of_other_keys_or_a_taken_name_is_not_joined);
    RUN(a_key_that_is_not_the_charters_is_not_taken);
    RUN(a_number_may_be_followed_by_blanks);
    scratch_clean();
    return test_end();
}
