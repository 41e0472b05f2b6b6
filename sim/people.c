/*
 * What people do: they say something, and hand it in again with the same token until it is recorded.
 */
#include "world_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define AGAIN_MAX 20 /* texts handed in again at a time */

/* --- what people do ------------------------------------------------------------------------------------------------
 */

static void new_text(struct world *world, unsigned party)
{
    struct text *text = &world->text[world->text_count];
    size_t size = world_one_in(world, 8) ? world_draw(world, 500, ORACLE_TEXT_MAX - 1) : world_draw(world, 12, 200);
    int start = snprintf(text->text, sizeof text->text, "%zu ", world->text_count);

    memset(text->text + start, 'a' + (int)(world->text_count % 26), size > (size_t)start ? size - (size_t)start : 0);
    text->party = party;
    text->precedence = (unsigned)(world_one_in(world, 6) ? PRECEDENCE_FLASH : world_draw(world, 0, 2));
    random_fill(&world->random, text->token, sizeof text->token);
    oracle_handed_in(world->oracle, party, world->text_count, text->text);
    world->text_count++;
    world->result->texts++;
}

/* Hands in texts [first, first + count), which all are of one party. */
static void hand_in(struct world *world, uint64_t first, size_t count)
{
    struct office_message message[8];
    struct party *party = &world->party[world->text[first].party];
    struct request *request = world_new_request(world, REQUEST_SAY, party->number);

    request->text = first;
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        struct text *text = &world->text[first + i];

        message[i] = (struct office_message){.text = span_of_string(text->text),
                                             .language = span_of_string("en"),
                                             .token = span_of(text->token, TOKEN_SIZE),
                                             .precedence = text->precedence};
        text->is_out = true;
    }
    trace_note(&world->trace, "%u is handed %" PRIu64 " to %" PRIu64, party->number, first, first + count - 1);
    office_append(party->office, world_number_of(world, request), span_of_string(LINE), message, count,
                  world_now_of(world, party));
    world_turn(world, party);
}

/* What was not answered is handed in again, with the token it had. */
void world_hand_in_again(struct world *world)
{
    size_t again = 0;

    for (size_t i = 0; i < world->text_count && again < AGAIN_MAX; i++) {
        const struct text *text = &world->text[i];

        if (!text->recorded && !text->is_out && party_runs(&world->party[text->party]) &&
            !world->said_stopped[text->party]) {
            hand_in(world, i, 1);
            again++;
        }
    }
}

void world_say(struct world *world)
{
    unsigned party = (unsigned)random_below(&world->random, world->count);
    uint64_t first = world->text_count;
    size_t count = world_one_in(world, 4) ? world_draw(world, 2, 8) : 1;

    world_hand_in_again(world);
    if (!party_runs(&world->party[party]) || world->text_count + count > TEXTS_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        new_text(world, party);
    hand_in(world, first, count);
}
