/*
 * Entries as people see them: in order, page by page, with their receipts, acknowledgements and answers.
 */
#include "world.h"

static struct world *world;
static struct site *here, *there;

static void begin(void)
{
    world = world_new(2, 1);
    here = site_of(world, 0);
    there = site_of(world, 1);
}

/* One entry, as a site sees it now; NULL if there is no such answer. */
static const struct office_view *seen(struct site *site, const char *entry)
{
    uint64_t request = world_request(world);

    office_entries(site->office, request, line_name(), span_of_string(""), span_of_string(entry), 1, false);
    world_turn(world);
    CHECK(succeeded(world, request) && world->reply[request]->view_count >= 1);
    return succeeded(world, request) && world->reply[request]->view_count >= 1 ? &world->reply[request]->view[0] : NULL;
}

static bool stands(const char *entry, enum message_state state)
{
    const struct office_view *view = seen(here, entry);

    return view != NULL && view->state == state && view->number == 3 && strcmp(view->kind, "message") == 0;
}

static void a_message_goes_from_waiting_to_answered(void)
{
    const struct office_view *view = NULL;

    begin();
    wire_cut(&world->wire[0]);
    world->blocked[0][1] = true;
    (void)site_send(here, "one", PRECEDENCE_PRIORITY, NULL);
    world_turn(world);
    CHECK(stands("washington.example/3", STATE_WAITING));
    there->held = true;
    world->blocked[0][1] = false;
    world_run(world, SECOND_US);
    there->held = false;
    (void)site_work(there);
    world_run(world, SECOND_US);
    CHECK(stands("washington.example/3", STATE_STORED));
    (void)site_acknowledge(there, "washington.example/3");
    world_run(world, 2 * SECOND_US);
    CHECK(stands("washington.example/3", STATE_ACKNOWLEDGED));
    (void)site_answer(there, "two", "washington.example/3");
    world_run(world, 2 * SECOND_US);
    CHECK(stands("washington.example/3", STATE_ANSWERED));
    view = seen(here, "washington.example/3");
    CHECK(view != NULL && view->stored_count == 1 && view->stored[0].by == 1 && view->acknowledged_count == 1 &&
          view->acknowledged[0].by == 1 && view->acknowledged[0].as == AS_DUTY_OFFICER);
    CHECK(view != NULL && view->precedence == PRECEDENCE_PRIORITY && view->has_written && view->readable);
    view = seen(here, "pyongyang.example/4");
    CHECK(view != NULL && view->has_answers && view->answers.member == 0 && view->answers.index == 3);
    world_free(world);
}

/* A false member names the place, and another entry than the one that is there. */
static void what_names_another_entry_says_nothing_of_this_one(void)
{
    struct reference named = {.member = 0, .index = 3, .leaf = {1}};
    struct body body = {.kind = BODY_ACKNOWLEDGEMENT, .as = AS_PRINCIPAL};
    struct error error = {0};
    const struct office_view *view = NULL;
    uint64_t index = 0;

    begin();
    (void)site_send(here, "one", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(append_sealed(there->office, site_line(there), &body, 0, &named, 1, &index, &error) == 0);
    (void)site_send(there, "and this", 0, NULL);
    world_run(world, 3 * SECOND_US);
    CHECK(stands("washington.example/3", STATE_STORED));
    view = seen(here, "pyongyang.example/3");
    CHECK(view != NULL && strcmp(view->kind, "acknowledgement") == 0 && view->acknowledges_count == 0);
    CHECK(site_said(here, "names another entry 3"));
    world_free(world);
}

/* The told of a text, at the other side; NULL if it was not told. */
static const struct told *told_of(const struct site *site, const char *text)
{
    for (size_t i = 0; i < site->told_count; i++)
        if (strcmp(site->told[i].text, text) == 0)
            return &site->told[i];
    return NULL;
}

static void append_naming(const char *text, const struct reference *named, size_t count)
{
    struct body body = {.kind = BODY_MESSAGE, .text = span_of_string(text)};
    struct error error = {0};
    uint64_t index = 0;

    CHECK(append_sealed(there->office, site_line(there), &body, 0, named, count, &index, &error) == 0);
    world_run(world, SECOND_US);
}

/* What is named and is not here, or is another entry here, is as if it had not been named; the rest counts. */
static void what_is_void_is_not_shown_and_takes_nothing_out_of_the_inbox(void)
{
    struct reference named[3] = {{.member = 0, .index = 3, .leaf = {1}}, {.member = 0, .index = 4}, {.member = 1}};
    const struct office_view *view = NULL;
    const struct told *told = NULL;

    begin();
    (void)site_send(here, "one", 0, NULL);
    (void)site_send(here, "two", 0, NULL);
    world_run(world, 3 * SECOND_US);
    CHECK(site_line(there)->inbox == 2);
    view = seen(there, "washington.example/4");
    if (view != NULL)
        memcpy(named[1].leaf, view->leaf, HASH_SIZE);
    append_naming("void", named, 1);
    append_naming("its own log", &named[2], 1);
    CHECK(site_line(there)->inbox == 2);
    append_naming("both", named, 2);
    (void)site_send(there, "goes", 0, NULL);
    world_run(world, 3 * SECOND_US);
    CHECK(site_line(there)->inbox == 1);
    view = seen(here, "pyongyang.example/3");
    CHECK(view != NULL && span_equal(view->text, span_of_string("void")) && !view->has_answers);
    view = seen(here, "pyongyang.example/4");
    CHECK(view != NULL && span_equal(view->text, span_of_string("its own log")) && !view->has_answers);
    view = seen(here, "pyongyang.example/5");
    CHECK(view != NULL && view->has_answers && view->answers.member == 0 && view->answers.index == 4);
    for (unsigned i = 0; i < 2; i++) {
        told = told_of(site_of(world, i), "void");
        CHECK(told != NULL && told->names == 0);
        told = told_of(site_of(world, i), "its own log");
        CHECK(told != NULL && told->names == 0);
        told = told_of(site_of(world, i), "both");
        CHECK(told != NULL && told->names == 1);
    }
    CHECK(stands("washington.example/3", STATE_STORED));
    view = seen(here, "washington.example/4");
    CHECK(view != NULL && view->state == STATE_ANSWERED);
    world_free(world);
}

/* Handed to a link, and not known to be held. */
static void what_was_carried_is_not_stored(void)
{
    begin();
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_turn(world);
    CHECK(stands("washington.example/3", STATE_CARRIED));
    world_free(world);
}

static void pages_show_all_once_in_both_directions(void)
{
    struct buffer whole = {0}, again = {0};

    begin();
    for (unsigned i = 0; i < 40; i++)
        (void)site_send(site_of(world, i % 2), "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
    site_read(here, &whole);
    for (size_t limit = 1; limit < 50; limit += 7) {
        for (unsigned falling = 0; falling < 2; falling++) {
            char after[80] = "";
            unsigned count = 0;
            bool more = true;

            buffer_reset(&again);
            while (more && count < 100) {
                uint64_t request = world_request(world);
                struct office_event *reply = NULL;

                office_entries(here->office, request, line_name(), span_of_string(after), span_of_string(""), limit,
                               falling != 0);
                world_turn(world);
                reply = world->reply[request];
                if (!succeeded(world, request))
                    break;
                CHECK(reply->view_count <= limit);
                for (size_t i = 0; i < reply->view_count; i++, count++)
                    buffer_print(&again, "%s/%llu %s %.*s\n", reply->view[i].author,
                                 (unsigned long long)reply->view[i].number, reply->view[i].kind,
                                 (int)reply->view[i].text.size, (const char *)reply->view[i].text.data);
                more = reply->text.size > 0;
                snprintf(after, sizeof after, "%.*s", (int)reply->text.size, (const char *)reply->text.data);
            }
            CHECK(count == 46);
            CHECK(falling != 0 || span_equal(buffer_span(&whole), buffer_span(&again)));
        }
    }
    buffer_free(&whole);
    buffer_free(&again);
    world_free(world);
}

static void a_position_is_one_that_was_given(void)
{
    static const char *const wrong[] = {"x", "1", "1.2", "1.0.0.0", "1.9.0", "-1.0.0", "1.0.", "1.0.99999999999999"};

    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t request = site_entries(here, wrong[i], 10);

        world_turn(world);
        CHECK(refused(world, request, ERROR_USAGE, "is not a position"));
    }
    world_free(world);
}

/* What was recorded a moment ago is in the next answer, though the fold is lazy. */
static void one_reads_what_one_wrote(void)
{
    uint64_t sent = 0;
    const struct office_view *view = NULL;

    begin();
    here->held = true;
    sent = site_send(here, "one", 0, NULL);
    site_work_to_commit(here);
    (void)site_work(here);
    here->held = false;
    view = seen(here, "washington.example/3");
    CHECK(succeeded(world, sent) && view != NULL && view->number == 3 && span_equal(view->text, span_of_string("one")));
    world_free(world);
}

/* --- what cannot be opened --- */

static unsigned notices(void)
{
    struct buffer order = {0};
    unsigned count = 0;

    site_read(here, &order);
    for (const char *at = buffer_string(&order); (at = strstr(at, " unreadable ")) != NULL; at++)
        count++;
    buffer_free(&order);
    return count;
}

static void what_cannot_be_opened_counts_and_is_told_once_an_epoch(void)
{
    const struct office_view *view = NULL;
    uint64_t epoch = 0;

    begin();
    site_drop(there);
    site_change(there, "DELETE FROM prekeys"); /* those that the next epochs are wrapped to */
    site_start(there);
    world_run(world, 5 * SECOND_US);
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    (void)site_send(here, "two", 0, NULL);
    world_turn(world);
    there->held = false;
    epoch = site_line(here)->epoch;
    world_run(world, 10 * SECOND_US);
    view = seen(there, "washington.example/3");
    CHECK(view != NULL && !view->readable && strcmp(view->kind, "sealed") == 0);
    CHECK(sync_receipted(site_line(here)->sync, 0, 1) == 5);
    CHECK(site_line(there)->inbox == 0 && notices() == 1);
    CHECK(site_alarmed(here, "cannot open entries of ours"));
    (void)site_send(here, "three", 0, NULL); /* of a new epoch, to the standing key */
    world_run(world, 10 * SECOND_US);
    CHECK(site_line(here)->epoch == epoch + 1 && !site_line(here)->member[1].forward);
    view = seen(there, "washington.example/6");
    CHECK(view != NULL && view->readable && span_equal(view->text, span_of_string("three")));
    CHECK(notices() == 1);
    world_free(world);
}

/* What was to say it found no room on the disk: it is said with what is said next. */
static void a_full_disk_does_not_swallow_the_notice(void)
{
    begin();
    site_drop(there);
    site_change(there, "DELETE FROM prekeys");
    site_start(there);
    world_run(world, 5 * SECOND_US);
    there->held = true;
    (void)site_send(here, "one", 0, NULL);
    world_turn(world);
    while (site_line(there)->member[0].unreadable_epoch == 0 && site_work(there))
        ;
    CHECK(site_line(there)->member[0].unreadable_epoch > 0);
    world_full_disk = there->database;
    there->held = false;
    world_run(world, SECOND_US);
    CHECK(site_alarmed(there, "the disk is full") && notices() == 0);
    world_full_disk = NULL;
    (void)site_send(here, "two", 0, NULL);
    world_run(world, 20 * SECOND_US);
    CHECK(notices() == 1 && site_alarmed(here, "cannot open entries of ours"));
    world_free(world);
}

int main(void)
{
    RUN(a_message_goes_from_waiting_to_answered);
    RUN(what_names_another_entry_says_nothing_of_this_one);
    RUN(what_is_void_is_not_shown_and_takes_nothing_out_of_the_inbox);
    RUN(what_was_carried_is_not_stored);
    RUN(pages_show_all_once_in_both_directions);
    RUN(a_position_is_one_that_was_given);
    RUN(one_reads_what_one_wrote);
    RUN(what_cannot_be_opened_counts_and_is_told_once_an_epoch);
    RUN(a_full_disk_does_not_swallow_the_notice);
    scratch_clean();
    return test_end();
}
