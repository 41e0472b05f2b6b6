/*
 * What is still to be done when the faults have stopped, and what must be right once nothing is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "world_internal.h"

#define LIVENESS_US (900 * SECOND_US)
#define PROMPT_US (40 * SECOND_US) /* the last offices start after 20 s; then all is carried */
#define LOOK_US (SECOND_US / 2)
/* For what a foe names and never comes: people are told two minutes late. And for what broke on a disk: others are
 * asked for it every five seconds, and the whole log must have been read. */
#define PATIENCE_US (150 * SECOND_US)
#define SLICES 16 /* of all logs, of which one is read whenever an office is awake */

/* It was put back from a copy, and lacks what nobody else may have. */
static bool asks(const struct world *world, unsigned party)
{
    const char *reason = NULL;

    return party_runs(&world->party[party]) && office_state(world->party[party].office, &reason) == OFFICE_ASKING;
}

static bool is_alive(const struct world *world, unsigned party)
{
    return party_runs(&world->party[party]) && !world->said_stopped[party] && !asks(world, party) &&
           !oracle_distrusts(world->oracle, party);
}

/* Whether an office that asks for its own log has what anybody else can prove of it: what that one gave a receipt for. */
static bool is_helped(const struct world *world, unsigned party)
{
    struct office_line_status *own = calloc(1, sizeof *own);
    bool helped = office_line_count(world->party[party].office) > 0;

    if (own == NULL)
        abort();
    if (helped)
        office_line_status(world->party[party].office, 0, own);
    for (unsigned i = 0; i < world->count && helped; i++)
        helped = !is_alive(world, i) || oracle_promised(world->oracle, i, party) <= own->member[party].size;
    free(own);
    return helped;
}

/* The log of a foe ends where it contradicts itself, or with what it sent by half: entries whose head is of more than
 * it sent cannot be proved to a third. That of a party whose platter was spoilt ends where the only copy of an entry
 * is. */
static bool may_differ(const struct world *world, unsigned author)
{
    return oracle_spoilt(world->oracle, author) || (world->foe != NULL && author == world->false_party);
}

/* What an office lacks that another one has, or does not know that it has; "" if nothing. */
static void look_for_gaps(const struct world *world, unsigned party, char gap[static 200])
{
    struct office_line_status *own = calloc(2, sizeof *own);

    if (own == NULL)
        abort();
    gap[0] = 0;
    office_line_status(world->party[party].office, 0, &own[0]);
    for (unsigned i = 0; i < world->count && gap[0] == 0; i++) {
        if (i == party || !is_alive(world, i))
            continue;
        office_line_status(world->party[i].office, 0, &own[1]);
        if (own[0].member[i].waiting != 0 && !oracle_spoilt(world->oracle, party))
            (void)snprintf(gap, 200, "%u has no receipt of %u for %" PRIu64 " of its %" PRIu64 " entries", party, i,
                           own[0].member[i].waiting, own[0].member[party].size);
        for (unsigned author = 0; author < world->count; author++)
            if (!may_differ(world, author) && own[0].member[author].size != own[1].member[author].size)
                (void)snprintf(gap, 200, "%u has %" PRIu64 " entries of %u, and %u has %" PRIu64, party,
                               own[0].member[author].size, author, i, own[1].member[author].size);
    }
    free(own);
}

/* What is still to be done; "" if nothing is. */
static void look_for_rest(const struct world *world, char rest[static 200])
{
    rest[0] = 0;
    for (unsigned i = 0; i < world->count && rest[0] == 0; i++)
        if (is_alive(world, i) && office_line_count(world->party[i].office) == 0)
            (void)snprintf(rest, 200, "%u has forgotten its line", i);
    for (unsigned i = 0; i < world->count && rest[0] == 0; i++) {
        if (is_alive(world, i))
            look_for_gaps(world, i, rest);
        else if (asks(world, i) && is_helped(world, i))
            continue;
        else if (!world->stays_stopped[i] && !oracle_distrusts(world->oracle, i))
            (void)snprintf(rest, 200, "%u does not run", i);
    }
    for (size_t i = 0; i < world->open_count && rest[0] == 0; i++) {
        const struct text *text = &world->text[world->open[i]];

        if (!text->recorded && !world->stays_stopped[text->party] && !asks(world, text->party) &&
            !oracle_distrusts(world->oracle, text->party))
            (void)snprintf(rest, 200, "text %zu of %u is not recorded", world->open[i], text->party);
    }
}

static void show_all(struct world *world, struct party *party)
{
    struct buffer after = {0};

    do {
        struct request *request = world_new_request(world, REQUEST_SHOW, party->number);

        buffer_reset(&after);
        buffer_put_span(&after, buffer_span(&world->position));
        office_entries(party->office, world_number_of(world, request), span_of_string(LINE), buffer_span(&after),
                       span_of(NULL, 0), 256, false);
        world_turn(world, party);
        world_await(world, request);
    } while (world->position.size > 0 && oracle_verdict(world->oracle) == NULL);
    if (!world->said_stopped[party->number])
        oracle_shown_all(world->oracle, party->number);
    buffer_free(&after);
}

/* Two histories were found at honest parties that speak to each other: one of them has said so. */
static void look_for_alarm(struct world *world, const bool *alive)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world->count; i++) {
        if (world->alarmed[i])
            return;
        count += alive[i];
    }
    if (count > 1)
        oracle_condemn(world->oracle, "party %u signed two histories, and nobody raised an alarm", world->false_party);
}

/* What is lost is found by keep-alives, and dialled again: by each end once. Where a member is false, clocks jump or a
 * disk did what no disk may, some times over: counters must catch up, and copies be asked for. */
static uint64_t usual_patience_us(const struct world *world)
{
    const struct office_config *config = &world->pace.config;
    uint64_t again = 3 * config->keepalive_us + config->redial_max_us;

    if (world->foe == NULL && world->timer[JUMP].at == UINT64_MAX && world->result->beyond == 0)
        return PROMPT_US + 2 * again;
    return LIVENESS_US + 8 * again;
}

/* Where the quotas are small, what exceeds them comes as slowly as they allow. */
static uint64_t patience_us(const struct world *world)
{
    uint64_t most = world->open_count;

    if (world->quota.entries == 0)
        return usual_patience_us(world);
    for (size_t i = 0; i < world->text_count; i++)
        most += world->text[i].party == world->careless;
    return usual_patience_us(world) + DAY_US * (10 + 2 * most / world->quota.entries);
}

void world_come_to_an_end(struct world *world, void (*pass)(struct world *world, uint64_t us))
{
    uint64_t patience = patience_us(world);
    uint64_t until = world->time + patience;
    uint64_t look = LOOK_US;
    bool alive[NETWORK_PARTIES_MAX] = {false};
    char rest[200] = "";

    for (look_for_rest(world, rest); rest[0] != 0 && world->time < until && oracle_verdict(world->oracle) == NULL;) {
        world_hand_in_again(world);
        pass(world, look);
        look += look < patience / 200 ? look / 4 : 0;
        look_for_rest(world, rest);
    }
    if (rest[0] != 0)
        oracle_condemn(world->oracle, "the faults stopped %" PRIu64 " s ago: %s", patience / SECOND_US, rest);
    if (world->foe != NULL || world->result->beyond > 0)
        pass(world, PATIENCE_US + (world->result->beyond > 0 ? SLICES * world->pace.config.keepalive_us : 0));
    for (unsigned i = 0; i < world->count && oracle_verdict(world->oracle) == NULL; i++) {
        oracle_inspect(world->oracle, i);
        if (is_alive(world, i))
            show_all(world, &world->party[i]);
        alive[i] = is_alive(world, i);
    }
    if (oracle_verdict(world->oracle) == NULL)
        oracle_conclude(world->oracle, alive);
    if (world->foe != NULL && oracle_saw_fork(world->oracle, world->false_party))
        look_for_alarm(world, alive);
}
