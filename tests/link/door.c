/*
 * What strangers cost, and what those who answer in one office's name share.
 *
 * Locked memory is counted: the linker hands secret_new() and secret_free() to this file.
 */
#include "pair.h"

#define STRANGERS 300

static size_t asked_for, held; /* pieces of locked memory */
static bool is_out;            /* there is none left */

void *__real_secret_new(size_t size);
void __real_secret_free(void *secret);
void *__wrap_secret_new(size_t size);
void __wrap_secret_free(void *secret);

void *__wrap_secret_new(size_t size)
{
    void *secret = is_out ? NULL : __real_secret_new(size);

    asked_for++;
    held += secret != NULL;
    return secret;
}

void __wrap_secret_free(void *secret)
{
    held -= secret != NULL;
    __real_secret_free(secret);
}

/* The first message of the member that the door knows. */
static void first_message(struct buffer *message)
{
    struct channel *initiator = new_example_initiator(FRAME_256);

    CHECK(channel_output(initiator, message, SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
    channel_free(initiator);
}

static struct channel *knock(void)
{
    return channel_answer(door, KEEPALIVE, at_us(0));
}

static size_t said(struct channel *channel)
{
    struct buffer out = {0};
    size_t size = channel_output(channel, &out, SIZE_MAX, at_us(0));

    buffer_free(&out);
    return size;
}

/* Silence, garbage, slow bytes, and a first message that is refused: however many are there at once, or come one after
 * the other, one piece of memory serves all of them. */
static void strangers_hold_no_locked_memory(void)
{
    static struct channel *stranger[STRANGERS];
    uint8_t garbage[HANDSHAKE_FRAME];
    struct buffer message = {0};
    struct seen seen = {0};
    size_t before = 0;

    first_message(&message);
    memset(garbage, 0x5a, sizeof garbage);
    channel_free(new_example_responder());
    asked_for = 0;
    before = held;
    for (unsigned i = 0; i < STRANGERS; i++) {
        struct span wholes[] = {
            {0}, span_of(garbage, sizeof garbage), span_of(garbage, HANDSHAKE_FRAME - 1), buffer_span(&message)};

        stranger[i] = knock();
        channel_input(stranger[i], wholes[i % 4], at_us(0));
        take(stranger[i], &seen, 0, at_us(0)); /* whoever is offered is refused */
        CHECK(stranger[i]->keys == NULL && said(stranger[i]) == 0);
    }
    CHECK(seen.offers == STRANGERS / 4 && asked_for == 1 && held == before + 1);
    for (unsigned i = 0; i < STRANGERS; i++)
        channel_free(stranger[i]);
    CHECK(held == before + 1);
    buffer_free(&message);
    seen_free(&seen);
}

/* The memory in which a stranger's message was tried is the next member's, and holds nothing of it. */
static void what_was_tried_is_wiped(void)
{
    struct channel *stranger = new_example_responder();
    struct channel_keys *keys = door_lend(door);
    uint8_t garbage[HANDSHAKE_FRAME] = {9};

    CHECK(keys != NULL);
    door_take_back(door, keys);
    channel_input(stranger, span_of(garbage, sizeof garbage), at_us(0));
    CHECK(door_lend(door) == keys && span_is_zero(span_of((uint8_t *)keys, sizeof *keys)));
    door_take_back(door, keys);
    channel_free(stranger);
}

/* Both are members, each with a handshake of its own that goes on between the other's. */
static void members_do_not_share_keys(void)
{
    struct pair pair[2] = {0};
    struct buffer answer[2] = {0};

    for (unsigned i = 0; i < 2; i++) {
        pair_open(&pair[i], FRAME_256);
        (void)channel_output(pair[i].initiator, &pair[i].to_responder, SIZE_MAX, at_us(0));
        arrive(&pair[i], pair[i].responder, &pair[i].by_responder, &pair[i].to_responder, at_us(0));
    }
    CHECK(pair[0].responder->keys != NULL && pair[0].responder->keys != pair[1].responder->keys);
    for (unsigned i = 0; i < 2; i++)
        (void)channel_output(pair[i].responder, &answer[i], SIZE_MAX, at_us(0));
    CHECK(answer[0].size == HANDSHAKE_FRAME && answer[1].size == HANDSHAKE_FRAME);
    for (unsigned i = 0; i < 2; i++) {
        buffer_put_span(&pair[i].to_initiator, buffer_span(&answer[i]));
        carry(&pair[i], at_us(0));
        CHECK(pair[i].by_initiator.established == 1 && pair[i].by_responder.established == 1);
        pair_close(&pair[i]);
        buffer_free(&answer[i]);
    }
}

/* Those that answer at the same time draw each their own. */
static void no_two_answers_have_one_ephemeral_key(void)
{
    struct buffer message = {0}, answer[2] = {0};
    struct seen seen = {0};

    first_message(&message);
    channel_free(new_example_responder());
    for (unsigned i = 0; i < 2; i++) {
        struct channel *channel = knock();

        channel_input(channel, buffer_span(&message), at_us(0));
        take(channel, &seen, INITIATOR_SECRET, at_us(0));
        CHECK(channel_output(channel, &answer[i], SIZE_MAX, at_us(0)) == HANDSHAKE_FRAME);
        channel_free(channel);
    }
    CHECK(memcmp(answer[0].data, answer[1].data, DH_SIZE) != 0);
    for (unsigned i = 0; i < 2; i++)
        buffer_free(&answer[i]);
    buffer_free(&message);
    seen_free(&seen);
}

/* As they are when the first message is whole, not when the connection came. */
static void the_lines_are_those_of_now(void)
{
    struct channel_line line[2] = {line_of(LINE_ID + 1, COURIER), line_of(LINE_ID, COURIER)};
    struct buffer message = {0};
    struct seen seen = {0};
    struct channel *channel[3];

    first_message(&message);
    channel[0] = new_responder(line, 1);
    for (unsigned i = 1; i < 3; i++)
        channel[i] = knock();
    channel_input(channel[0], buffer_span(&message), at_us(0));
    channel_door_set_lines(door, line, 2);
    channel_input(channel[1], buffer_span(&message), at_us(0));
    channel_door_set_lines(door, line, 1);
    channel_input(channel[2], buffer_span(&message), at_us(0));
    for (unsigned i = 0; i < 3; i++) {
        take(channel[i], &seen, INITIATOR_SECRET, at_us(0));
        CHECK(seen.offers == (i > 0 ? 1 : 0) && said(channel[i]) == (i == 1 ? HANDSHAKE_FRAME : 0));
        channel_free(channel[i]);
    }
    CHECK(seen.offer.line == 1);
    buffer_free(&message);
    seen_free(&seen);
}

/* What a message under no key would be made with, where a line was taken away. */
static void a_line_that_is_gone_leaves_no_key(void)
{
    const struct channel_line none = {0};
    struct channel_line line = line_of(LINE_ID, COURIER);
    struct pair pair = {.initiator = new_initiator(FRAME_256, none, RESPONDER_SECRET),
                        .responder = new_responder(&line, 1)};

    channel_door_set_lines(door, NULL, 0);
    carry(&pair, at_us(0));
    CHECK(pair.by_responder.offers == 0 && pair.by_initiator.established == 0);
    pair_close(&pair);
}

static void without_memory_there_is_silence(void)
{
    struct buffer message = {0};
    struct seen seen = {0}, seen_other = {0};
    struct channel *channel = NULL, *other = new_example_responder();
    struct channel_keys *keys = door_lend(door);

    first_message(&message);
    channel = knock();
    is_out = true;
    CHECK(channel_door_new(keys->inner, &door_entropy) == NULL);
    channel_input(channel, buffer_span(&message), at_us(0));
    take(channel, &seen, INITIATOR_SECRET, at_us(0));
    CHECK(seen.offers == 0 && said(channel) == 0);
    channel_step(channel, at_us(CHANNEL_HANDSHAKE_US));
    take(channel, &seen, 0, at_us(CHANNEL_HANDSHAKE_US));
    CHECK(seen.closed == 1 && strstr(seen.reason, "no memory") != NULL);
    is_out = false;
    door_take_back(door, keys);
    channel_input(other, buffer_span(&message), at_us(0));
    take(other, &seen_other, INITIATOR_SECRET, at_us(0));
    CHECK(seen_other.offers == 1 && said(other) == HANDSHAKE_FRAME); /* who comes later comes in */
    channel_free(channel);
    channel_free(other);
    buffer_free(&message);
    seen_free(&seen);
    seen_free(&seen_other);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(strangers_hold_no_locked_memory);
    RUN(what_was_tried_is_wiped);
    RUN(members_do_not_share_keys);
    RUN(no_two_answers_have_one_ephemeral_key);
    RUN(the_lines_are_those_of_now);
    RUN(a_line_that_is_gone_leaves_no_key);
    RUN(without_memory_there_is_silence);
    channel_door_free(door);
    CHECK(held == 0);
    return test_end();
}
