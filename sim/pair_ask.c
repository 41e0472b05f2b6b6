#include "pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define VIEWS_MAX 256

/* --- requests -----------------------------------------------------------------------------------------------------
 */

static struct pair_request *ask_of(struct pair *pair, unsigned party, enum pair_asked asked, unsigned address)
{
    struct pair_request *request = &pair->request[party];

    if (request->asked != ASKED_NOTHING || !party_runs(&pair->party[party]))
        abort();
    *request = (struct pair_request){.asked = asked, .address = address};
    if (party == pair->victim && address < PAIR_ADDRESSES_MAX)
        pair->promised[address] = ASKED_NOTHING; /* until it is answered */
    pair->asked++;
    pair_mix(pair, 3, party, asked);
    return request;
}

static struct pair_request *ask(struct pair *pair, unsigned party, enum pair_asked asked)
{
    return ask_of(pair, party, asked, PAIR_ADDRESSES_MAX);
}

/* The numbers of requests mean nothing here: a party is asked one thing at a time. */
#define NUMBER 1

static struct office *office_of(const struct pair *pair, unsigned party)
{
    return pair->party[party].office;
}

void pair_found(struct pair *pair, unsigned party, bool courier_key)
{
    struct span card = buffer_span(&pair->party[1 - party].card);

    (void)ask(pair, party, ASKED_TO_FOUND);
    office_line_found(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), &card, 1, courier_key,
                      (struct amount){0}, pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_join(struct pair *pair, unsigned party)
{
    (void)ask(pair, party, ASKED_TO_JOIN);
    office_line_join(office_of(pair, party), NUMBER, buffer_span(&pair->charter), buffer_span(&pair->courier),
                     span_of_string(PAIR_LINE), pair_now(pair, party));
    pair_turn(pair, party);
}

static void print_address(char out[static 32], unsigned party, unsigned address)
{
    (void)snprintf(out, 32, "tcp://party-%u:%u", 1 - party, address + 1);
}

void pair_link(struct pair *pair, unsigned party, unsigned address)
{
    char text[32];

    print_address(text, party, address);
    (void)ask_of(pair, party, ASKED_TO_LINK, address);
    office_link_add(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE),
                    span_of_string(pair->party[1 - party].name), span_of_string(text), pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_unlink(struct pair *pair, unsigned party, unsigned address)
{
    char text[32];

    print_address(text, party, address);
    (void)ask_of(pair, party, ASKED_TO_UNLINK, address);
    office_link_remove(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE),
                       span_of_string(pair->party[1 - party].name), span_of_string(text), pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_ask_number(struct pair *pair, unsigned party)
{
    (void)ask(pair, party, ASKED_THE_NUMBER);
    office_line_show(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE));
    pair_turn(pair, party);
}

void pair_confirm(struct pair *pair, unsigned party)
{
    (void)ask(pair, party, ASKED_TO_CONFIRM);
    office_line_confirm(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), buffer_span(&pair->number),
                        pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_leave(struct pair *pair, unsigned party)
{
    (void)ask(pair, party, ASKED_TO_LEAVE);
    office_line_leave(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_acknowledge(struct pair *pair, unsigned party, uint64_t index)
{
    char name[64];
    struct span entry = {0};

    (void)snprintf(name, sizeof name, "%s/%" PRIu64, pair->party[1 - party].name, index);
    entry = span_of_string(name);
    (void)ask(pair, party, ASKED_TO_ACKNOWLEDGE);
    office_acknowledge(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), &entry, 1, 0, pair_now(pair, party));
    pair_turn(pair, party);
}

static void hand_in(struct pair *pair, unsigned party, uint64_t first, size_t count)
{
    struct office_message message[PAIR_SAY_MAX];
    uint8_t token[PAIR_SAY_MAX][16];
    struct pair_request *request = ask(pair, party, ASKED_TO_SAY);

    request->first = first;
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        struct pair_text *text = &pair->text[first + i];

        memset(token[i], 0xab, sizeof token[i]);
        put_u64_be(token[i], first + i);
        message[i] = (struct office_message){.text = span_of_string(text->text),
                                             .language = span_of_string("en"),
                                             .token = span_of(token[i], sizeof token[i]),
                                             .precedence = text->precedence};
        text->is_out = true;
    }
    office_append(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), message, count, pair_now(pair, party));
    pair_turn(pair, party);
}

void pair_say(struct pair *pair, unsigned party, size_t count, unsigned precedence, size_t size)
{
    uint64_t first = pair->text_count;

    if (count > PAIR_SAY_MAX || first + count > PAIR_TEXTS_MAX)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct pair_text *text = &pair->text[pair->text_count];

        *text = (struct pair_text){.party = party, .precedence = precedence};
        (void)snprintf(text->text, sizeof text->text, "%zu %0*u", pair->text_count, (int)size, party);
        oracle_handed_in(pair->oracle, party, pair->text_count++, text->text);
    }
    hand_in(pair, party, first, count);
}

bool pair_say_again(struct pair *pair, unsigned party)
{
    for (size_t i = 0; i < pair->text_count; i++)
        if (pair->text[i].party == party && !pair->text[i].recorded && !pair->text[i].is_out) {
            hand_in(pair, party, i, 1);
            return true;
        }
    return false;
}

/* --- what is so ---------------------------------------------------------------------------------------------------
 */

static struct office_line_status *line_of(const struct pair *pair, unsigned party)
{
    static struct office_line_status status[2];

    if (!party_runs(&pair->party[party]) || office_line_count(office_of(pair, party)) == 0)
        return NULL;
    office_line_status(office_of(pair, party), 0, &status[party]);
    return &status[party];
}

bool pair_has_line(const struct pair *pair, unsigned party)
{
    return line_of(pair, party) != NULL;
}

bool pair_has_left(const struct pair *pair, unsigned party)
{
    const struct office_line_status *line = line_of(pair, party);

    return line != NULL && line->left;
}

bool pair_has_confirmed(const struct pair *pair, unsigned party)
{
    const struct office_line_status *line = line_of(pair, party);

    return line != NULL && line->confirmed;
}

bool pair_is_up(const struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct office_line_status *line = line_of(pair, i);
        const struct office_member_status *member = line == NULL ? NULL : &line->member[1 - i];
        bool up = false;

        for (size_t k = 0; member != NULL && k < member->link_count; k++)
            up |= member->link[k].up;
        if (!up)
            return false;
    }
    return true;
}

bool pair_has_address(const struct pair *pair, unsigned party, unsigned address)
{
    const struct office_line_status *line = line_of(pair, party);
    const struct office_member_status *member = line == NULL ? NULL : &line->member[1 - party];
    char text[32];

    print_address(text, party, address);
    for (size_t k = 0; member != NULL && k < member->link_count; k++)
        if (strcmp(member->link[k].address, text) == 0)
            return true;
    return false;
}

bool pair_is_answered(const struct pair *pair)
{
    return pair->request[0].asked == ASKED_NOTHING && pair->request[1].asked == ASKED_NOTHING;
}

bool pair_is_recorded(const struct pair *pair, unsigned party)
{
    for (size_t i = 0; i < pair->text_count; i++)
        if (pair->text[i].party == party && !pair->text[i].recorded)
            return false;
    return true;
}

bool pair_is_receipted(const struct pair *pair, unsigned party)
{
    const struct office_line_status *line = line_of(pair, party);

    return line != NULL && line->member[1 - party].waiting == 0;
}

uint64_t pair_heard(const struct pair *pair)
{
    const struct office_line_status *line = line_of(pair, pair->victim);

    return line == NULL ? 0 : line->member[1 - pair->victim].size;
}

bool pair_is_even(const struct pair *pair)
{
    const struct office_line_status *line[] = {line_of(pair, 0), line_of(pair, 1)};

    if (line[0] == NULL || line[1] == NULL)
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (line[0]->member[i].size != line[1]->member[i].size || line[i]->member[1 - i].waiting != 0)
            return false;
    return true;
}

/* --- the end ------------------------------------------------------------------------------------------------------
 */

static void replace(struct buffer *buffer, const struct buffer *from)
{
    buffer_reset(buffer);
    buffer_put_span(buffer, buffer_span(from));
}

static void show_all(struct pair *pair, unsigned party)
{
    struct buffer after = {0};

    buffer_reset(&pair->position);
    do {
        replace(&after, &pair->position);
        (void)ask(pair, party, ASKED_TO_SHOW);
        office_entries(office_of(pair, party), NUMBER, span_of_string(PAIR_LINE), buffer_span(&after), span_of(NULL, 0),
                       VIEWS_MAX, false);
        pair_turn(pair, party);
        pair_await(pair, pair_is_answered, 10 * SECOND_US, "an answer");
    } while (pair->position.size > 0 && oracle_verdict(pair->oracle) == NULL);
    oracle_shown_all(pair->oracle, party);
    buffer_free(&after);
}

/* Nothing that the victim said it had done is undone. */
static void check_promises(struct pair *pair)
{
    if (pair->confirmed && !pair_has_confirmed(pair, pair->victim))
        oracle_condemn(pair->oracle, "the line was confirmed, and is not");
    if (pair->left && !pair_has_left(pair, pair->victim))
        oracle_condemn(pair->oracle, "the line was left, and is not");
    for (unsigned i = 0; i < PAIR_ADDRESSES_MAX; i++)
        if (pair->promised[i] != ASKED_NOTHING &&
            pair_has_address(pair, pair->victim, i) != (pair->promised[i] == ASKED_TO_LINK))
            oracle_condemn(pair->oracle, "link %u was %s, and is not", i,
                           pair->promised[i] == ASKED_TO_LINK ? "added" : "removed");
}

void pair_conclude(struct pair *pair)
{
    const bool all[] = {!pair->restored || pair->victim != 0, !pair->restored || pair->victim != 1};

    pair->party[pair->victim].power.falls = NULL;
    for (unsigned i = 0; i < 2; i++)
        if (all[i] && office_alarm_count(office_of(pair, i)) > 0)
            oracle_condemn(pair->oracle, "party %u raises an alarm: %s", i, office_alarm(office_of(pair, i), 0));
    if (!pair->restored)
        check_promises(pair);
    for (unsigned i = 0; i < 2; i++) {
        oracle_inspect(pair->oracle, i);
        if (all[i])
            show_all(pair, i);
    }
    oracle_conclude(pair->oracle, all);
}
