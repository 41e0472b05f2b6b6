/*
 * One engine, member 0 of three, and everything the other two might say to it: link 1 leads to member 1, link 2 to
 * member 2. What it accepts is durable at once unless a test holds it back.
 */
#ifndef LIAISON_TESTS_SYNC_VICTIM_H
#define LIAISON_TESTS_SYNC_VICTIM_H

#include "truth.h"

struct victim {
    struct test_line line;
    struct truth *truth[3];
    struct sync *sync;
    uint64_t us;
    bool hold; /* accepted chunks are not stored yet */
    struct sync_chunk *held[4096];
    size_t held_count;
    unsigned count[SYNC_ALARM + 1]; /* events of each kind */
    struct sync_event last[SYNC_ALARM + 1];
    struct error error; /* of the last message */
};

static inline struct now victim_now(const struct victim *victim)
{
    return (struct now){.monotonic = {victim->us}, .wall = {UINT64_C(1800000000) * SECOND_US + victim->us}};
}

static inline void victim_store(struct victim *victim)
{
    for (size_t i = 0; i < victim->held_count; i++) {
        sync_stored(victim->sync, victim->held[i]);
        sync_chunk_free(victim->held[i]);
    }
    victim->held_count = 0;
}

static inline void victim_drop(struct victim *victim)
{
    for (size_t i = 0; i < victim->held_count; i++)
        sync_chunk_free(victim->held[i]);
    victim->held_count = 0;
}

static inline void victim_events(struct victim *victim)
{
    struct sync_event event;

    while (sync_event(victim->sync, &event)) {
        victim->count[event.kind]++;
        victim->last[event.kind] = event;
        if (event.kind == SYNC_ACCEPTED)
            victim->held[victim->held_count++] = event.chunk;
        else
            sync_chunk_free(event.chunk);
    }
    if (!victim->hold)
        victim_store(victim);
}

static inline void victim_new(struct victim *victim)
{
    memset(victim, 0, sizeof *victim);
    test_line_found(&victim->line, 3, "victim");
    for (unsigned i = 0; i < 3; i++)
        victim->truth[i] = truth_new(&victim->line, i);
    victim->sync = sync_new(&victim->line.charter, 0);
    victim->us = 1;
    if (victim->sync == NULL)
        abort();
}

static inline void victim_free(struct victim *victim)
{
    victim_events(victim);
    victim_drop(victim);
    sync_free(victim->sync);
    for (unsigned i = 0; i < 3; i++)
        truth_free(victim->truth[i]);
    test_line_free(&victim->line);
}

/* Says a message; the buffer is emptied. */
static inline int say(struct victim *victim, unsigned link, struct buffer *message)
{
    int result = 0;

    victim->error = (struct error){0};
    result = sync_input(victim->sync, link, buffer_span(message), victim_now(victim), &victim->error);
    CHECK((result == 0) == (victim->error.code == ERROR_NONE));
    buffer_free(message);
    victim_events(victim);
    return result;
}

/* A greeting by someone who says to hold these sizes, and shows a head of one of the logs (3: of none). */
static inline int say_hello(struct victim *victim, unsigned link, const uint64_t size[static 3], unsigned member,
                            const struct head *head)
{
    struct hello_log logs[3] = {{.size = size[0]}, {.size = size[1]}, {.size = size[2]}};
    struct buffer message = {0};

    if (member < 3) {
        logs[member].has_head = true;
        logs[member].head = *head;
    }
    message_put_hello(&message, logs, 3);
    return say(victim, link, &message);
}

static inline void link_up(struct victim *victim, unsigned link)
{
    static const uint64_t nothing[3];

    sync_link_up(victim->sync, link, link, victim_now(victim));
    CHECK(say_hello(victim, link, nothing, 3, NULL) == 0);
}

static inline int say_entries(struct victim *victim, unsigned link, const struct truth *truth, uint64_t first,
                              uint64_t end, uint64_t size, bool settle)
{
    struct head head = truth_head(truth, size);
    struct tree_proof proof = truth_consistency(truth, end, size);
    struct buffer message = {0};

    truth_entries(&message, truth, first, end, &head, settle, &proof);
    return say(victim, link, &message);
}

static inline int say_settle(struct victim *victim, unsigned link, unsigned member, const struct head *head)
{
    struct buffer message = {0};

    message_put_settle(&message, member, head);
    return say(victim, link, &message);
}

static inline int say_receipt(struct victim *victim, unsigned link, unsigned member, const struct head *head,
                              const struct receipt *receipt)
{
    struct buffer message = {0};

    message_put_receipt(&message, member, head->size, head->root, receipt);
    return say(victim, link, &message);
}

static inline int say_size(struct victim *victim, unsigned link, enum message_type type, unsigned member, uint64_t size)
{
    struct buffer message = {0};

    message_put_size(&message, type, member, size);
    return say(victim, link, &message);
}

static inline int say_overtake(struct victim *victim, unsigned link, const struct truth *truth, uint64_t index,
                               uint64_t size, uint64_t base)
{
    struct buffer message = {0};

    truth_overtake(&message, truth, index, size, base);
    return say(victim, link, &message);
}

/* The next message on a lane of a link, read; false if there is none. Its spans lie in `bytes`. */
static inline bool hear(struct victim *victim, unsigned link, bool urgent, struct message *message,
                        struct buffer *bytes)
{
    struct error error = {0};

    buffer_reset(bytes);
    if (!sync_output(victim->sync, link, urgent, bytes))
        return false;
    CHECK(message_read(message, buffer_span(bytes), 3, &error) == 0);
    return true;
}

/* Everything that goes out on a lane of a link now: how many of a type, and the last of them. */
static inline unsigned hear_all(struct victim *victim, unsigned link, bool urgent, enum message_type type,
                                struct message *last)
{
    struct buffer bytes = {0};
    struct message *message = test_new(1, sizeof *message);
    unsigned count = 0;

    while (hear(victim, link, urgent, message, &bytes))
        if (message->type == type) {
            *last = *message; /* its numbers; its spans end here */
            count++;
        }
    free(message);
    buffer_free(&bytes);
    return count;
}

/* Appends to the victim's own log. */
static inline void victim_append(struct victim *victim, size_t count, size_t size, uint64_t urgent)
{
    struct truth *own = victim->truth[0];
    uint64_t first = own->size;

    truth_grow(own, count, size);
    sync_append(victim->sync, truth_chunk(own, first, own->size, own->size), urgent);
    victim_events(victim);
}

/* Whether what is accepted of a log is a beginning of the truth. */
static inline bool holds_truth(const struct victim *victim, unsigned member)
{
    const struct tree_frontier *staged = sync_staged(victim->sync, member);
    struct head head;
    uint8_t root[HASH_SIZE];

    if (staged->size > victim->truth[member]->size)
        return false;
    head = truth_head(victim->truth[member], staged->size);
    tree_root(staged, root);
    return memcmp(root, head.root, HASH_SIZE) == 0;
}

/* Both others are linked, and member 1 has ten entries, of which five are sent. */
static inline void victim_begin(struct victim *victim)
{
    victim_new(victim);
    truth_grow(victim->truth[1], 10, 50);
    link_up(victim, 1);
    link_up(victim, 2);
    CHECK(say_entries(victim, 1, victim->truth[1], 0, 5, 5, false) == 0);
    CHECK(sync_durable(victim->sync, 1) == 5);
}

/* Whatever happened: honest traffic goes on over the other link and, once it is opened anew, over the same. */
static inline void victim_end(struct victim *victim)
{
    uint64_t from = sync_staged(victim->sync, 1)->size;

    CHECK(holds_truth(victim, 1) && holds_truth(victim, 2));
    truth_grow(victim->truth[2], 3, 50);
    CHECK(say_entries(victim, 2, victim->truth[2], 0, 3, 3, false) == 0 && sync_durable(victim->sync, 2) == 3);
    sync_link_down(victim->sync, 1, victim_now(victim));
    link_up(victim, 1);
    CHECK(say_entries(victim, 1, victim->truth[1], from, 10, 10, false) == 0 && sync_durable(victim->sync, 1) == 10);
    victim_free(victim);
}

/* Another history of member 1: the same first `same` entries, then others. */
static inline struct truth *fork_of(const struct truth *truth, size_t same, size_t size)
{
    struct truth *fork = truth_new(truth->line, truth->member);

    for (size_t i = 0; i < size; i++)
        truth_append(fork, 50, i >= same);
    return fork;
}

#endif
