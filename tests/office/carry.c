/*
 * Between sync and the rest: entries from the store for who is behind, by way of others too; and what stops an office.
 */
#include "../../src/office/carry.c" /* what it reads for another member is looked at before it goes */

#include "sync/message.h"
#include "world.h"

static struct world *world;

static void send_many(struct site *site, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[20];

        snprintf(text, sizeof text, "number %u", i);
        (void)site_send(site, text, 0, NULL);
        if (i % 16 == 15)
            world_run(world, SECOND_US);
    }
    world_run(world, 3 * SECOND_US);
}

static void who_was_away_gets_all_from_the_store(void)
{
    world = world_new(2, 1);
    site_drop(site_of(world, 1));
    send_many(site_of(world, 0), 100);
    site_crash(site_of(world, 0), CRASH_NONE); /* nothing is at hand in memory */
    site_start(site_of(world, 0));
    site_start(site_of(world, 1));
    world_run(world, 20 * SECOND_US);
    CHECK(sync_durable(site_line(site_of(world, 1))->sync, 0) == 103);
    world_check_settled(world);
    world_free(world);
}

/* A line that is cut whenever it has carried less than a message may have: each link carries a part. */
static void over_links_that_live_for_less_than_a_message(void)
{
    static char text[2000];
    struct office_message message[400];

    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < 400; i++)
        message[i] = (struct office_message){.text = span_of(text, sizeof text)};
    world = world_new(2, 1);
    site_drop(site_of(world, 1));
    office_append(site_of(world, 0)->office, world_request(world), line_name(), message, 400,
                  site_now(site_of(world, 0)));
    world_run(world, 3 * SECOND_US);
    world->life = 100000; /* a run in the store has more */
    site_start(site_of(world, 1));
    world_run(world, 20 * SECOND_US);
    CHECK(sync_durable(site_line(site_of(world, 1))->sync, 0) == 403);
    CHECK(world->cuts >= 8 && world->cuts <= 30);
    printf("# %u links were cut\n", world->cuts);
    world->life = 0;
    world_run(world, 5 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

/* Two that cannot reach each other do by a third, receipts and settle heads too. */
static void a_third_member_carries_between_two(void)
{
    world = world_new(3, 1);
    world->blocked[0][2] = world->blocked[2][0] = true;
    for (unsigned i = 0; i < WIRES_MAX; i++)
        if (world->wire[i].used && world->wire[i].end[0].site->me == 0 && world->wire[i].end[1].site->me == 2)
            wire_cut(&world->wire[i]);
    send_many(site_of(world, 0), 30);
    send_many(site_of(world, 2), 30);
    world_run(world, 10 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

static void who_joins_late_gets_all(void)
{
    world = world_new(3, 1);
    site_drop(site_of(world, 2));
    send_many(site_of(world, 0), 40);
    send_many(site_of(world, 1), 40);
    site_drop(site_of(world, 0));
    site_start(site_of(world, 2)); /* from the other one alone */
    world_run(world, 20 * SECOND_US);
    CHECK(sync_durable(site_line(site_of(world, 2))->sync, 0) == sync_durable(site_line(site_of(world, 1))->sync, 0));
    site_start(site_of(world, 0));
    world_run(world, 20 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

static void copy(const char *from, const char *to)
{
    struct buffer content = {0};

    file_read(from, &content);
    file_write(to, buffer_span(&content));
    buffer_free(&content);
}

/* Database and mark restored together look whole: only another member can tell. */
static void who_shows_more_of_ours_than_we_have_stops_us(void)
{
    struct site *site = NULL;
    const char *reason = NULL;
    uint64_t held = 0, sent = 0;

    world = world_new(2, 1);
    site = site_of(world, 0);
    send_many(site, 5);
    site_drop(site);
    copy(site->database, scratch("old.db"));
    copy(site->mark_path, scratch("old.mark"));
    site_start(site);
    send_many(site, 5);
    held = sync_durable(site_line(site_of(world, 1))->sync, 0);
    site_drop(site);
    copy(scratch("old.db"), site->database);
    copy(scratch("old.mark"), site->mark_path);
    site_start(site);
    CHECK(office_state(site->office, &reason) == OFFICE_READY);
    world_run(world, 10 * SECOND_US);
    CHECK(office_state(site->office, &reason) == OFFICE_STOPPED);
    CHECK(reason != NULL && strstr(reason, "restored from an older copy") != NULL);
    sent = site_send(site, "contradiction", 0, NULL);
    world_run(world, 10 * SECOND_US);
    CHECK(refused(world, sent, ERROR_STOPPED, "records nothing"));
    CHECK(sync_durable(site_line(site_of(world, 1))->sync, 0) == held);
    CHECK(office_alarm_count(site_of(world, 1)->office) == 0);
    world_free(world);
}

/* A broken entry is not passed on: the other one waits, and is told nothing false. */
static void what_is_broken_here_is_not_carried(void)
{
    struct site *site = NULL;

    world = world_new(2, 1);
    site = site_of(world, 0);
    site_drop(site_of(world, 1));
    send_many(site, 4);
    site_drop(site);
    site_change(site, "UPDATE entries SET bytes = zeroblob(80) WHERE place = %lld", (long long)PLACE(1, 4));
    site_start(site);
    site_start(site_of(world, 1));
    world_run(world, 20 * SECOND_US);
    CHECK(sync_durable(site_line(site_of(world, 1))->sync, 0) <= 4);
    world_free(world);
}

/* The link of a member that takes nothing is closed, and the next one carries everything. */
static void a_link_that_takes_nothing_is_closed(void)
{
    struct buffer large = {0};
    uint8_t *to = buffer_extend(&large, 60000);
    struct sync *sync = NULL;
    struct site *site = NULL;
    int link = -1, up = -1;

    if (to == NULL)
        abort();
    memset(to, 0, 60000);
    world = world_new(2, 1);
    site = site_of(world, 0);
    sync = site_line(site)->sync;
    for (int i = 0; i < OFFICE_LINKS_MAX && up < 0; i++)
        up = site->office->connection[i].state == CONNECTION_UP ? i : -1;
    CHECK(up >= 0);
    link = site->office->connection[up].sync_link;
    for (size_t queued = 0; queued <= SYNC_LANE_MAX + 60000; queued += 60000)
        sync_overtake(sync, (unsigned)link, buffer_span(&large));
    CHECK(site->office->connection[up].state == CONNECTION_UP);
    office_step(site->office, site_now(site));
    CHECK(site->office->connection[up].state != CONNECTION_UP); /* by ourselves: nothing was read there yet */
    (void)site_send(site, "for the next link", 0, NULL);
    world_run(world, 20 * SECOND_US);
    for (unsigned i = 0; i < 2; i++)
        CHECK(office_state(site_of(world, i)->office, &(const char *){NULL}) == OFFICE_READY);
    CHECK(sync_durable(site_line(site_of(world, 1))->sync, 0) == sync_durable(sync, 0));
    world_check_settled(world);
    buffer_free(&large);
    world_free(world);
}

/* Two heads of one size with one key: whoever signed them, people are told. */
static void two_histories_are_an_alarm(void)
{
    struct site *site = NULL, *other = NULL;
    struct buffer message = {0};
    struct head head = {0};
    int link = -1;

    world = world_new(3, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    send_many(other, 2);
    head = *sync_head(site_line(site)->sync, 1);
    head.root[0] ^= 1;
    head_sign(&head, site_line(site)->member[1].origin, other->office->identity->log_secret);
    message_put_settle(&message, 1, &head);
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        if (site->office->connection[i].state == CONNECTION_UP && site->office->connection[i].member == 2)
            link = site->office->connection[i].sync_link;
    CHECK(link >= 0 && !site_alarmed(site, "two histories"));
    CHECK(sync_input(site_line(site)->sync, (unsigned)link, buffer_span(&message), site_now(site), NULL) == 0);
    (void)site_send(site, "goes on", 0, NULL);
    world_run(world, SECOND_US);
    CHECK(site_alarmed(site, "two histories"));
    CHECK(site_alarmed(site, "pyongyang on the line talks"));
    buffer_free(&message);
    world_free(world);
}

/* Who asks for one entry has the head, or none that could be tied to it: the entry alone is proved. */
static void what_is_fetched_comes_with_a_base_of_none(void)
{
    struct site *site = NULL;
    struct line *line = NULL;
    struct buffer fetch = {0};
    struct overtake_job *answer = NULL;
    struct message *message = calloc(1, sizeof *message);
    uint8_t leaf[HASH_SIZE];
    bool read = false;

    world = world_new(2, 1);
    site = site_of(world, 0);
    line = site_line(site);
    send_many(site, 4);
    message_put_size(&fetch, MESSAGE_FETCH, 0, 4);
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        if (site->office->connection[i].state == CONNECTION_UP)
            CHECK(sync_input(line->sync, (unsigned)site->office->connection[i].sync_link, buffer_span(&fetch),
                             site_now(site), NULL) == 0);
    CHECK(site->office->job_last == NULL);
    carry_events(site->office, line);
    answer = (struct overtake_job *)site->office->job_last;
    CHECK(answer != NULL && answer->job.run == overtake_run && answer->job.run(&answer->job, site->store) == 0);
    read = answer != NULL && message != NULL && message_read(message, buffer_span(&answer->message[1]), 2, NULL) == 0;
    CHECK(read);
    if (read) {
        tree_leaf(leaf, message->entry);
        CHECK(message->type == MESSAGE_OVERTAKE && message->member == 0 && message->first == 4);
        CHECK(message->base == 0 && message->consistency.count == 0 && answer->message[0].size == 0);
        CHECK(tree_verify_inclusion(leaf, 4, message->head.size, &message->proof, message->head.root));
        buffer_reset(&answer->message[1]);
    }
    free(message);
    buffer_free(&fetch);
    world_free(world);
}

int main(void)
{
    RUN(who_was_away_gets_all_from_the_store);
    RUN(over_links_that_live_for_less_than_a_message);
    RUN(a_third_member_carries_between_two);
    RUN(who_joins_late_gets_all);
    RUN(who_shows_more_of_ours_than_we_have_stops_us);
    RUN(what_is_broken_here_is_not_carried);
    RUN(a_link_that_takes_nothing_is_closed);
    RUN(what_is_fetched_comes_with_a_base_of_none);
    RUN(two_histories_are_an_alarm);
    scratch_clean();
    return test_end();
}
