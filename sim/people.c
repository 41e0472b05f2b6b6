/*
 * What people do: they say something, and hand it in again with the same token until it is recorded.
 */
#include "world_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXTS_AT_ONCE 64 /* handed in again with one request */
#define FLOOD 6000       /* texts: more than others take at once */
#define EAGER_DAYS 10    /* so many days' texts are handed in at first, where the quota is small */

/* --- what people do ------------------------------------------------------------------------------------------------
 */

static void new_text(struct world *world, unsigned party)
{
    struct text *text = &world->text[world->text_count];
    char said[ORACLE_TEXT_MAX] = {0};
    size_t size = world_one_in(world, 8) ? world_draw(world, 500, ORACLE_TEXT_MAX - 1) : world_draw(world, 12, 200);
    int start = snprintf(said, sizeof said, "%zu ", world->text_count);

    memset(said + start, 'a' + (int)(world->text_count % 26), size > (size_t)start ? size - (size_t)start : 0);
    text->party = party;
    text->precedence = (unsigned)(world_one_in(world, 6) ? PRECEDENCE_FLASH : world_draw(world, 0, 2));
    random_fill(world->chance, text->token, sizeof text->token);
    text->text = strdup(said);
    if (text->text == NULL)
        abort();
    oracle_handed_in(world->oracle, party, world->text_count, said);
    world->open[world->open_count++] = world->text_count;
    world->text_count++;
    world->result->texts++;
}

/* Hands in texts of one party. */
static void hand_in(struct world *world, unsigned number, const size_t *texts, size_t count)
{
    struct office_message message[REQUEST_TEXTS_MAX];
    struct party *party = &world->party[number];
    struct request *request = world_new_request(world, REQUEST_SAY, number);

    request->text = calloc(count, sizeof request->text[0]);
    if (request->text == NULL)
        abort();
    memcpy(request->text, texts, count * sizeof texts[0]);
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        struct text *text = &world->text[texts[i]];

        message[i] = (struct office_message){.text = span_of_string(text->text),
                                             .language = span_of_string("en"),
                                             .token = span_of(text->token, TOKEN_SIZE),
                                             .precedence = text->precedence};
        text->is_out = true;
    }
    trace_note(&world->trace, "%u is handed %zu from %zu on", number, count, texts[0]);
    office_append(party->office, world_number_of(world, request), span_of_string(LINE), message, count,
                  world_now_of(world, party));
    world_turn(world, party);
}

/* Where the quota is small, no more is handed in at once than has room soon. */
static size_t at_once(const struct world *world, unsigned party, size_t most)
{
    size_t least = world->quota.entries / 4;

    return world->quota.entries == 0 || party == world->careless || least > most ? most : least;
}

/* What people want to say and could not yet. */
static size_t open_of(const struct world *world, unsigned party)
{
    size_t count = 0;

    for (size_t i = 0; i < world->open_count; i++)
        count += world->text[world->open[i]].party == party && !world->text[world->open[i]].recorded;
    return count;
}

/* Of one party, as many as go into one request. */
static void hand_in_again(struct world *world, unsigned party)
{
    size_t texts[TEXTS_AT_ONCE] = {0};
    size_t count = 0;

    if (!party_runs(&world->party[party]) || world->said_stopped[party])
        return;
    for (size_t i = 0; i < world->open_count && count < at_once(world, party, TEXTS_AT_ONCE); i++) {
        const struct text *text = &world->text[world->open[i]];

        if (text->party == party && !text->recorded && !text->is_out)
            texts[count++] = world->open[i];
    }
    if (count > 0)
        hand_in(world, party, texts, count);
}

/* What was not answered is handed in again, with the token it had. */
void world_hand_in_again(struct world *world)
{
    size_t kept = 0;

    for (size_t i = 0; i < world->open_count; i++)
        if (!world->text[world->open[i]].recorded)
            world->open[kept++] = world->open[i];
    world->open_count = kept;
    for (unsigned party = 0; party < world->count; party++)
        hand_in_again(world, party);
}

static void say(struct world *world, unsigned party, size_t count)
{
    size_t texts[REQUEST_TEXTS_MAX] = {0};

    if (!party_runs(&world->party[party]) || world->text_count + count > TEXTS_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        texts[i] = world->text_count;
        new_text(world, party);
    }
    hand_in(world, party, texts, count);
}

/* Where the quota is small everybody begins with more than it allows; an office that keeps none, with more than the
 * others take. */
static void flood(struct world *world, unsigned party)
{
    bool careless = party == world->careless;
    size_t count = careless ? FLOOD : EAGER_DAYS * world->quota.entries;
    size_t part = at_once(world, party, REQUEST_TEXTS_MAX);

    world->flooded[party] = true;
    for (size_t said = 0; said < count; said += part)
        say(world, party, part);
}

void world_say(struct world *world)
{
    unsigned party = (unsigned)world_draw(world, 0, world->count - 1);
    size_t count = world_one_in(world, 2) ? world_draw(world, 1, world->pace.burst) : 1;

    world_hand_in_again(world);
    if (world->quota.entries != 0 && !world->flooded[party])
        flood(world, party);
    else if (world->quota.entries == 0 || open_of(world, party) < world->quota.entries)
        say(world, party, at_once(world, party, count));
}
