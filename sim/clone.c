/*
 * clones: a machine is copied, disks and mark and keys, and both copies run. No office can know that of itself: the
 * mark was copied, too. Three members, of whom the third one is copied; each seed draws when, who says what, and who
 * reaches whom.
 *
 * What must hold today, since a fork is found but not yet dealt with:
 *   1. what the two honest members say is recorded, told and receipted between them, whatever the copies do;
 *   2. an honest member never stops, and no alarm names another honest one alone;
 *   3. nothing is merged: of the third member's log an honest one holds a part of what the one copy wrote, or of what
 *      the other one did; and what it held once it keeps;
 *   4. it does not stay hidden: once both copies have written and have met an honest member, somebody says so: a copy
 *      stops, with the reason, or an honest member raises an alarm.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "image.h"
#include "party.h"
#include "seal/secret.h"
#include "system.h"
#include "trace.h"
#include "vfs.h"

#define HONEST 2
#define ORIGINAL 2
#define CLONE 3
#define COPIES 4 /* of offices: three members, and one twice */
#define LINE "hotline"
#define TURNS_MAX 1000
#define TALK_US (20 * SECOND_US)
#define QUIET_US (90 * SECOND_US)

static const char usage[] = "usage: clones SEED [--count N] [--events] [--tap]\n";

static const uint64_t from_the_start[IMAGE_MEMBERS_MAX];

struct scene {
    struct trace trace;
    struct random random;
    struct network *network;
    uint64_t time;
    struct party party[COPIES];
    bool asked[COPIES], says[COPIES];
    uint64_t said[COPIES];     /* messages recorded */
    uint64_t told[HONEST];     /* of the other honest one's messages */
    struct image held[HONEST]; /* what was seen in their durable images last */
    struct buffer charter, courier;
    char stopped[COPIES][400];
    bool alarmed;
    char verdict[400];
};

static void condemn(struct scene *scene, const char *what, unsigned party, const char *more)
{
    if (scene->verdict[0] == 0)
        (void)snprintf(scene->verdict, sizeof scene->verdict, "party %u %s: %s", party, what, more);
}

static bool chance(struct scene *scene, uint64_t n)
{
    return random_below(&scene->random, n) == 0;
}

static bool is_ready(const struct scene *scene, unsigned party)
{
    const char *reason = NULL;

    return party_runs(&scene->party[party]) && office_state(scene->party[party].office, &reason) == OFFICE_READY;
}

/* --- what offices say ---------------------------------------------------------------------------------------------
 */

static unsigned party_named(const char *name)
{
    return (unsigned)strtoul(name + sizeof "party-" - 1, NULL, 10);
}

static void take_reply(struct scene *scene, unsigned party, const struct office_event *event)
{
    scene->asked[party] = false;
    if (event->error.code != ERROR_NONE && party < HONEST)
        condemn(scene, "refuses", party, event->error.message);
    scene->said[party] += scene->says[party] && event->error.code == ERROR_NONE;
    scene->says[party] = false;
    if (event->text.size > 0 && event->text2.size > 0) {
        buffer_put_span(&scene->charter, buffer_span(&event->text));
        buffer_put_span(&scene->courier, buffer_span(&event->text2));
    }
}

static void take_event(struct scene *scene, unsigned number, const struct office_event *event)
{
    struct party *party = &scene->party[number];
    unsigned to = event->kind == OFFICE_DIAL ? party_named(event->address.host) : 0;

    switch (event->kind) {
    case OFFICE_REPLY:
        take_reply(scene, number, event);
        break;
    case OFFICE_DIAL:
        /* Both copies have one address: who answers there? */
        if (to == ORIGINAL && party_runs(&scene->party[CLONE]) && chance(scene, 2))
            to = CLONE;
        party_open_link(party, event->link, network_dial(scene->network, number, to, scene->time));
        break;
    case OFFICE_CLOSE:
        party_close_link(party, event->link, scene->time);
        break;
    case OFFICE_ENTRY:
        if (number < HONEST && party_named(event->view->author) == 1 - number &&
            strcmp(event->view->kind, "message") == 0)
            scene->told[number]++;
        break;
    case OFFICE_LOG:
        trace_note(&scene->trace, "%u logs: %s", number, event->reason);
        break;
    case OFFICE_STATE:
    case OFFICE_STORED:
    case OFFICE_LINK:
        break;
    }
}

static void look(struct scene *scene, unsigned number)
{
    const struct office *office = scene->party[number].office;
    const char *reason = NULL;

    if (office_state(office, &reason) == OFFICE_STOPPED && scene->stopped[number][0] == 0) {
        (void)snprintf(scene->stopped[number], sizeof scene->stopped[number], "%s", reason == NULL ? "" : reason);
        if (number < HONEST || scene->stopped[number][0] == 0)
            condemn(scene, "has stopped", number, scene->stopped[number]);
    }
    for (size_t i = 0; number < HONEST && i < office_alarm_count(office); i++) {
        scene->alarmed = true;
        /* It may name who passed something on, but not without the one who wrote it. */
        if (strstr(office_alarm(office, i), "party-2") == NULL)
            condemn(scene, "raises an alarm against somebody honest", number, office_alarm(office, i));
    }
}

static void turn(struct scene *scene, unsigned number)
{
    struct party *party = &scene->party[number];
    bool more = true;

    for (int i = 0; more && i < TURNS_MAX; i++) {
        struct office_event event;

        more = false;
        party_send(party, scene->network, scene->time);
        party_take_job(party, scene->time);
        while (office_event(party->office, &event)) {
            take_event(scene, number, &event);
            office_event_free(&event);
            more = true;
        }
    }
    look(scene, number);
}

static void start(struct scene *scene, unsigned number)
{
    struct party *party = &scene->party[number];
    struct error error = {0};

    party->clock.started = scene->time;
    if (!party_start(party, scene->time, &error)) {
        condemn(scene, "cannot start", number, error.message);
        return;
    }
    network_listen(scene->network, number, true);
    office_watch(party->office, true);
    turn(scene, number);
}

/* --- time ---------------------------------------------------------------------------------------------------------
 */

static void take_network(struct scene *scene)
{
    struct network_event event;

    while (network_take(scene->network, scene->time, &event)) {
        struct party *party = &scene->party[event.party];
        struct now now = party_now(party, scene->time);

        party_take(party, scene->network, &event, scene->time, now);
        buffer_free(&event.bytes);
        if (party_runs(party))
            turn(scene, event.party);
    }
}

static void pass(struct scene *scene, uint64_t us)
{
    uint64_t until = scene->time + us;

    while (scene->time < until && scene->verdict[0] == 0) {
        uint64_t next = network_next(scene->network) < until ? network_next(scene->network) : until;

        for (unsigned i = 0; i < COPIES; i++)
            next = party_next(&scene->party[i]) < next ? party_next(&scene->party[i]) : next;
        scene->time = next > scene->time ? next : scene->time;
        scene->trace.time = scene->time;
        take_network(scene);
        for (unsigned i = 0; i < COPIES; i++) {
            if (party_next(&scene->party[i]) > scene->time)
                continue;
            party_step(&scene->party[i], scene->time);
            turn(scene, i);
        }
    }
}

/* --- the line -----------------------------------------------------------------------------------------------------
 */

static void await(struct scene *scene, unsigned party)
{
    for (int i = 0; i < 1000 && scene->asked[party]; i++)
        pass(scene, 10000);
    if (scene->asked[party])
        condemn(scene, "does not answer", party, "in ten seconds");
}

static void link_to(struct scene *scene, unsigned from, unsigned to)
{
    char address[32];

    (void)snprintf(address, sizeof address, "tcp://party-%u:1", to);
    scene->asked[from] = true;
    office_link_add(scene->party[from].office, 1, span_of_string(LINE), span_of_string(scene->party[to].name),
                    span_of_string(address), party_now(&scene->party[from], scene->time));
    turn(scene, from);
    await(scene, from);
}

static void make_line(struct scene *scene)
{
    struct span card[] = {buffer_span(&scene->party[1].card), buffer_span(&scene->party[2].card)};

    scene->asked[0] = true;
    office_line_found(scene->party[0].office, 1, span_of_string(LINE), card, 2, true, (struct amount){0},
                      party_now(&scene->party[0], scene->time));
    turn(scene, 0);
    await(scene, 0);
    for (unsigned i = 1; i <= ORIGINAL; i++) {
        scene->asked[i] = true;
        office_line_join(scene->party[i].office, 1, buffer_span(&scene->charter), buffer_span(&scene->courier),
                         span_of_string(LINE), party_now(&scene->party[i], scene->time));
        turn(scene, i);
        await(scene, i);
    }
    link_to(scene, 0, 1);
    link_to(scene, ORIGINAL, 0);
    link_to(scene, ORIGINAL, 1);
    link_to(scene, 0, ORIGINAL);
    link_to(scene, 1, ORIGINAL);
}

static void say(struct scene *scene, unsigned party)
{
    char text[32];
    struct office_message message = {.language = span_of_string("en"),
                                     .precedence = chance(scene, 5) ? PRECEDENCE_FLASH : PRECEDENCE_ROUTINE};

    if (!is_ready(scene, party) || scene->asked[party])
        return;
    (void)snprintf(text, sizeof text, "%" PRIu64 " of copy %u", scene->said[party], party);
    message.text = span_of_string(text);
    scene->asked[party] = scene->says[party] = true;
    office_append(scene->party[party].office, 1, span_of_string(LINE), &message, 1,
                  party_now(&scene->party[party], scene->time));
    turn(scene, party);
}

static void copy_machine(struct scene *scene)
{
    static const char *const names[] = {"liaison.db", "liaison.db-wal"};
    const struct party *from = &scene->party[ORIGINAL];
    struct party *to = &scene->party[CLONE];
    struct buffer copy = {0};

    for (size_t i = 0; i < 2; i++) {
        disk_copy(from->database, names[i], &copy);
        disk_put_back(to->database, names[i], buffer_span(&copy));
    }
    disk_copy(from->marks, "mark", &copy);
    disk_put_back(to->marks, "mark", buffer_span(&copy));
    buffer_free(&copy);
    memcpy(to->name, from->name, sizeof to->name);
    memcpy(to->key, from->key, sizeof to->key);
    trace_note(&scene->trace, "--- the machine of %u is copied", ORIGINAL);
}

/* --- what must hold -----------------------------------------------------------------------------------------------
 */

static bool is_prefix(const struct image_log *log, const struct image_log *of)
{
    return log->count <= of->count && !log->has_gap && memcmp(log->leaf, of->leaf, 32 * log->count) == 0;
}

/* What an honest member held it keeps, and it is no mixture. */
static void look_at_disks(struct scene *scene)
{
    struct image copies[2];

    image_read(&copies[0], 2 * ORIGINAL, from_the_start);
    image_read(&copies[1], 2 * CLONE, from_the_start);
    for (unsigned i = 0; i < HONEST; i++) {
        struct image now;

        image_read(&now, 2 * i, from_the_start);
        for (unsigned author = 0; author <= ORIGINAL; author++)
            if (scene->held[i].log[author].count > 0 && !is_prefix(&scene->held[i].log[author], &now.log[author]))
                condemn(scene, "has lost or changed what it held", i, scene->party[author].name);
        if (now.log[ORIGINAL].count > 0 && !is_prefix(&now.log[ORIGINAL], &copies[0].log[ORIGINAL]) &&
            !is_prefix(&now.log[ORIGINAL], &copies[1].log[ORIGINAL]))
            condemn(scene, "holds a log that neither copy wrote", i, scene->party[ORIGINAL].name);
        image_free(&scene->held[i]);
        scene->held[i] = now;
    }
    image_free(&copies[0]);
    image_free(&copies[1]);
}

static void look_at_honest(struct scene *scene)
{
    static struct office_line_status status[HONEST];

    for (unsigned i = 0; i < HONEST; i++) {
        office_line_status(scene->party[i].office, 0, &status[i]);
        if (scene->asked[i])
            condemn(scene, "does not answer", i, "in the end");
    }
    for (unsigned i = 0; i < HONEST; i++) {
        if (status[i].member[1 - i].waiting != 0)
            condemn(scene, "has no receipt of the other honest member for something", i, "it said");
        if (status[i].member[1 - i].size != status[1 - i].member[1 - i].size)
            condemn(scene, "lacks entries", i, "of the other honest member");
        if (scene->told[i] != scene->said[1 - i])
            condemn(scene, "did not tell everything once", i, "that the other honest member said");
    }
}

/* Both copies wrote something of their own after they were copied. */
static bool has_forked(void)
{
    struct image copies[2];
    bool forked = false;

    image_read(&copies[0], 2 * ORIGINAL, from_the_start);
    image_read(&copies[1], 2 * CLONE, from_the_start);
    forked = !is_prefix(&copies[0].log[ORIGINAL], &copies[1].log[ORIGINAL]) &&
             !is_prefix(&copies[1].log[ORIGINAL], &copies[0].log[ORIGINAL]);
    image_free(&copies[0]);
    image_free(&copies[1]);
    return forked;
}

/* --- a scene ------------------------------------------------------------------------------------------------------
 */

static void begin(struct scene *scene, uint64_t seed, bool events)
{
    struct network_plan plan = {.latency_us = 1000, .bytes_per_second = 1000000};
    const struct office_config config = {.keepalive_us = 5 * SECOND_US, .redial_max_us = 30 * SECOND_US};

    random_start(&scene->random, seed, 3);
    vfs_register(seed);
    trace_start(&scene->trace, events);
    scene->time = SECOND_US;
    plan.jitter_us = random_below(&scene->random, 20000);
    scene->network = network_new(seed, &plan);
    for (unsigned i = 0; i < COPIES; i++) {
        party_make(&scene->party[i], i, seed, &config, CONTROL_NONE);
        if (i != CLONE)
            start(scene, i);
    }
    make_line(scene);
}

static void talk(struct scene *scene, uint64_t us)
{
    uint64_t until = scene->time + us;

    while (scene->time < until && scene->verdict[0] == 0) {
        say(scene, (unsigned)random_below(&scene->random, COPIES));
        pass(scene, random_between(&scene->random, 10000, 800000));
    }
    look_at_disks(scene);
}

/* Who reaches whom at first. */
static void block_some(struct scene *scene)
{
    for (unsigned copy = ORIGINAL; copy <= CLONE; copy++)
        for (unsigned i = 0; i < HONEST; i++) {
            uint64_t until = scene->time + random_below(&scene->random, TALK_US);

            if (!chance(scene, 3))
                continue;
            network_block(scene->network, copy, i, until);
            network_block(scene->network, i, copy, until);
            (void)network_cut(scene->network, copy, i, false, scene->time);
        }
}

static bool run(uint64_t seed, bool events, uint64_t counts[static 3])
{
    struct scene *scene = calloc(1, sizeof *scene);
    bool good = false;
    bool forked = false;
    bool noticed = false;

    if (scene == NULL)
        abort();
    begin(scene, seed, events);
    talk(scene, random_below(&scene->random, 5 * SECOND_US));
    copy_machine(scene);
    if (chance(scene, 2))
        talk(scene, random_below(&scene->random, 3 * SECOND_US));
    start(scene, CLONE);
    block_some(scene);
    for (int i = 0; i < 4; i++)
        talk(scene, TALK_US / 4);
    network_heal(scene->network);
    pass(scene, QUIET_US);
    look_at_disks(scene);
    look_at_honest(scene);
    forked = has_forked();
    noticed = scene->alarmed || scene->stopped[ORIGINAL][0] != 0 || scene->stopped[CLONE][0] != 0;
    if (forked && !noticed)
        condemn(scene, "runs twice and has said two things", ORIGINAL, "and nobody says so");
    counts[0] += forked;
    counts[1] += scene->alarmed;
    counts[2] += scene->stopped[ORIGINAL][0] != 0 || scene->stopped[CLONE][0] != 0;
    good = scene->verdict[0] == 0;
    (void)printf("seed %" PRIu64 ": said %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                 "; %s%s; original %s, clone %s\n",
                 seed, scene->said[0], scene->said[1], scene->said[2], scene->said[3], forked ? "forked" : "not forked",
                 scene->alarmed ? ", alarm" : "", scene->stopped[ORIGINAL][0] != 0 ? "stopped" : "ready",
                 scene->stopped[CLONE][0] != 0 ? "stopped" : "ready");
    if (!good)
        (void)printf("  WRONG: %s\n", scene->verdict);
    for (unsigned i = 0; i < COPIES; i++)
        party_free(&scene->party[i]);
    for (unsigned i = 0; i < HONEST; i++)
        image_free(&scene->held[i]);
    network_free(scene->network);
    buffer_free(&scene->charter);
    buffer_free(&scene->courier);
    free(scene);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t count = 1;
    uint64_t wrong = 0;
    uint64_t counts[3] = {0};
    bool events = false;
    bool tap = false;
    bool good = false;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--events") == 0)
            events = true;
        else if (strcmp(argv[i], "--tap") == 0)
            tap = true;
        else
            argc = 0;
    }
    if (argc < 2 || argv[1][0] < '0' || argv[1][0] > '9' || seal_init(NULL) != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    for (uint64_t i = 0; i < count; i++)
        wrong += !run(seed + i, events, counts);
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " wrong: %" PRIu64 " forked, %" PRIu64 " with an alarm, %" PRIu64
                 " with a copy that stopped\n",
                 count, wrong, counts[0], counts[1], counts[2]);
    good = wrong == 0 && counts[0] > 0;
    if (tap)
        (void)printf("%s - sim: a machine is copied, and both copies run\n", good ? "ok" : "not ok");
    return good ? 0 : 1;
}
