/*
 * Evidence: what an office finds of two histories it can show to anybody, after a restart too; against nobody else.
 */
#include "record/evidence.h"

#include "world.h"

static struct world *world;
static struct site *site, *false_one;

static void send_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)site_send(false_one, "said", 0, NULL);
        world_run(world, 3 * SECOND_US);
    }
}

static void begin(void)
{
    world = world_new(3, 1);
    site = site_of(world, 0);
    false_one = site_of(world, 1);
    send_some(3);
}

/* A settle head of the false member that another one passes on; `change` tells it from the true root. */
static void show_head(uint64_t size, uint8_t change)
{
    struct buffer message = {0};
    struct head head = {.size = size};
    int link = -1;

    memset(head.root, change, HASH_SIZE);
    head_sign(&head, site_line(site)->member[1].origin, false_one->office->identity->log_secret);
    message_put_settle(&message, 1, &head);
    for (int i = 0; i < OFFICE_LINKS_MAX; i++)
        if (site->office->connection[i].state == CONNECTION_UP && site->office->connection[i].member == 2)
            link = site->office->connection[i].sync_link;
    CHECK(link >= 0);
    CHECK(sync_input(site_line(site)->sync, (unsigned)link, buffer_span(&message), site_now(site), NULL) == 0);
    buffer_free(&message);
    office_step(site->office, site_now(site));
}

static uint64_t ask_for(const char *party)
{
    uint64_t request = world_request(world);

    office_record_evidence(site->office, request, line_name(), span_of_string(party));
    world_run(world, SECOND_US);
    return request;
}

/* Whether the answer is evidence of the line's own against the false member, of which `one` is a head's size. */
static bool shows(uint64_t request, uint64_t one)
{
    struct evidence *evidence = world_memory(1, sizeof *evidence);
    struct error error = {0};
    bool result = false;

    if (succeeded(world, request)) {
        const struct office_event *reply = world->reply[request];

        result = strcmp(reply->party, "pyongyang.example") == 0 &&
                 evidence_read(evidence, buffer_span(&reply->text), &error) == 0 &&
                 evidence_check_line(evidence, site_line(site)->charter->line_id, &error) == 0 &&
                 evidence->author == 1 && (evidence->head[0].size == one || evidence->head[1].size == one);
        evidence_free(evidence);
    }
    if (!result)
        printf("# no evidence of a head of %llu: %s\n", (unsigned long long)one,
               replied(world, request) ? world->reply[request]->error.message : error.message);
    free(evidence);
    return result;
}

static uint64_t held(void)
{
    return sync_durable(site_line(site)->sync, 1);
}

static void where_nobody_lied_there_is_none(void)
{
    begin();
    CHECK(refused(world, ask_for(""), ERROR_NOT_FOUND, "nobody was found to have signed two histories"));
    CHECK(refused(world, ask_for("pyongyang"), ERROR_NOT_FOUND, "no evidence against pyongyang on the line talks"));
    CHECK(refused(world, ask_for("paris"), ERROR_NOT_FOUND, "no member of that name"));
    world_free(world);
}

/* Of every size that is remembered: of one that a head in the store has, and of one within. */
static void a_head_of_what_is_held(void)
{
    unsigned found = 0;

    for (uint64_t back = 0; back < 4; back++) {
        uint64_t size = 0;

        begin();
        size = held() - back;
        show_head(size, 0xee);
        world_run(world, SECOND_US);
        if (!site_alarmed(site, "two histories")) { /* that size was passed within a chunk */
            CHECK(back > 0);
            world_free(world);
            continue;
        }
        found++;
        CHECK(site_alarmed(site, "pyongyang signed two histories of its log on the line talks: `liaison record "
                                 "evidence talks -o F`"));
        CHECK(shows(ask_for(""), size) && shows(ask_for("pyongyang"), size));
        CHECK(refused(world, ask_for("beijing"), ERROR_NOT_FOUND, "no evidence against beijing"));
        world_free(world);
    }
    CHECK(found > 1);
}

static void it_outlives_the_office(void)
{
    uint64_t size = 0;

    begin();
    size = held();
    show_head(size, 0xee);
    world_run(world, SECOND_US);
    site_crash(site, CRASH_NONE);
    site_open(site);
    CHECK(site_alarmed(site, "pyongyang signed two histories")); /* locked, too */
    CHECK(site_unlock(site, NULL) == 0);
    world_run(world, 20 * SECOND_US);
    CHECK(shows(ask_for(""), size));
    show_head(held(), 0xdd); /* the first is kept */
    send_some(1);
    CHECK(shows(ask_for("pyongyang"), size));
    world_free(world);
}

/* A head beyond what is held; then the log comes, and does not lead to it. */
static void a_head_that_is_not_met(void)
{
    uint64_t size = 0;

    begin();
    size = held() + 1;
    show_head(size, 0xee);
    CHECK(refused(world, ask_for(""), ERROR_NOT_FOUND, "nobody was found"));
    send_some(1);
    CHECK(held() < size && site_alarmed(site, "two histories"));
    CHECK(shows(ask_for(""), size));
    world_free(world);
}

static void send_and_hold_back(uint64_t size)
{
    (void)site_send(false_one, "held back", 0, NULL);
    for (unsigned i = 0; i < 1000 && sync_staged(site_line(site)->sync, 1)->size < size; i++) {
        world_step(world, 1000);
        world_turn(world);
    }
    CHECK(sync_staged(site_line(site)->sync, 1)->size == size);
}

/* It contradicts what is accepted and not yet durable: the evidence comes when a head of that is in the store. */
static void what_cannot_be_shown_yet_is_shown_later(void)
{
    uint64_t size = 0;

    begin();
    size = held() + 1;
    site->held = true;
    send_and_hold_back(size);
    send_and_hold_back(size + 1);
    show_head(size, 0xee);
    CHECK(held() < size && site_alarmed(site, "two histories"));
    CHECK(sync_fork(site_line(site)->sync, 1)->other.size == 0);
    site->held = false;
    send_some(2);
    CHECK(shows(ask_for(""), size));
    world_free(world);
}

int main(void)
{
    RUN(where_nobody_lied_there_is_none);
    RUN(a_head_of_what_is_held);
    RUN(it_outlives_the_office);
    RUN(a_head_that_is_not_met);
    RUN(what_cannot_be_shown_yet_is_shown_later);
    return test_end();
}
