#include "memory.h"
#include "victim.h"

static struct victim victim;
static struct message heard;

static void begin(void)
{
    victim_new(&victim);
    link_up(&victim, 1);
    link_up(&victim, 2);
    CHECK(hear_all(&victim, 1, true, MESSAGE_HELLO, &heard) == 1 &&
          hear_all(&victim, 2, true, MESSAGE_HELLO, &heard) == 1);
}

/* The next bulk message on a link, if it is of entries: its bytes of entries; else 0. */
static size_t next_entries(unsigned link, struct message *message)
{
    struct buffer bytes = {0};
    struct message *full = test_new(1, sizeof *full);
    size_t total = 0;

    if (hear(&victim, link, false, full, &bytes) && full->type == MESSAGE_ENTRIES) {
        *message = *full;
        for (size_t i = 0; i < message->count; i++)
            total += message_entry(full).size;
    }
    free(full);
    buffer_free(&bytes);
    victim_events(&victim);
    return total;
}

/* Answers the last SYNC_NEED as a store would. */
static void serve(uint64_t most)
{
    const struct sync_event *need = &victim.last[SYNC_NEED];
    const struct truth *truth = victim.truth[need->member];
    uint64_t end = truth_end(truth, need->first, need->first + most, need->most);
    struct tree_proof proof = truth_consistency(truth, end, truth->size);

    sync_serve(victim.sync, need->link, need->member, truth_chunk(truth, need->first, end, truth->size), &proof);
    victim_events(&victim);
}

/* A link that has carried a mebibyte of one's own log, and may have whole messages. */
static void begin_warm(unsigned link)
{
    begin();
    for (unsigned i = 0; i < 17; i++) {
        victim_append(&victim, 1, ENTRY_SIZE_MAX, UINT64_MAX);
        CHECK(next_entries(link, &heard) == ENTRY_SIZE_MAX);
    }
    CHECK(say_size(&victim, link, MESSAGE_HAVE, 0, 17) == 0);
}

static void the_greeting_comes_first_and_waits_for_the_others(void)
{
    struct buffer bytes = {0};

    victim_new(&victim);
    victim_append(&victim, 5, 50, UINT64_MAX);
    sync_link_up(victim.sync, 1, 1, victim_now(&victim));
    CHECK(!hear(&victim, 1, false, &heard, &bytes));
    CHECK(hear(&victim, 1, true, &heard, &bytes) && heard.type == MESSAGE_HELLO);
    CHECK(heard.hello[0].size == 5 && heard.hello[0].has_head && heard.hello[0].head.size == 5);
    CHECK(heard.hello[1].size == 0 && !heard.hello[1].has_head);
    CHECK(!hear(&victim, 1, true, &heard, &bytes) && !hear(&victim, 1, false, &heard, &bytes));
    CHECK(say_hello(&victim, 1, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
    CHECK(hear(&victim, 1, false, &heard, &bytes) && heard.type == MESSAGE_ENTRIES);
    sync_link_up(victim.sync, 2, 2, victim_now(&victim)); /* greeted before it greets: still its greeting comes first */
    CHECK(say_hello(&victim, 2, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
    CHECK(!hear(&victim, 2, false, &heard, &bytes));
    CHECK(hear(&victim, 2, true, &heard, &bytes) && heard.type == MESSAGE_HELLO);
    CHECK(hear(&victim, 2, false, &heard, &bytes) && heard.type == MESSAGE_ENTRIES);
    buffer_free(&bytes);
    victim_free(&victim);
}

static void ones_own_log_goes_on_where_the_other_stands(void)
{
    victim_new(&victim);
    victim_append(&victim, 5, 50, UINT64_MAX);
    victim_append(&victim, 5, 50, UINT64_MAX);
    sync_link_up(victim.sync, 1, 1, victim_now(&victim));
    CHECK(say_hello(&victim, 1, (uint64_t[]){3, 0, 0}, 3, NULL) == 0);
    (void)hear_all(&victim, 1, true, MESSAGE_HELLO, &heard);
    CHECK(next_entries(1, &heard) > 0 && heard.first == 3 && heard.count == 2 && heard.head.size == 5);
    CHECK(next_entries(1, &heard) > 0 && heard.first == 5 && heard.count == 5 && heard.head.size == 10);
    CHECK(next_entries(1, &heard) == 0);
    CHECK(sync_carried(victim.sync) == 10);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    CHECK(sync_carried(victim.sync) == 10); /* handed over is handed over */
    victim_free(&victim);
}

/* Never more than a window of entries on the way, however it is sliced. */
static void a_window_is_kept(void)
{
    static const struct {
        size_t count, size;
    } slices[] = {{1, 10}, {1, 65535}, {16, 65535}, {5, 60000}, {700, 1400}};

    for (size_t s = 0; s < sizeof slices / sizeof slices[0]; s++) {
        size_t sent = 0, size = 0;
        uint64_t end = 0;
        unsigned messages = 0;

        begin();
        for (unsigned i = 0; i < 300 && victim.truth[0]->size + slices[s].count < TRUTH_MAX; i++)
            victim_append(&victim, slices[s].count, slices[s].size, UINT64_MAX);
        while (true) {
            size = next_entries(1, &heard);
            if (size == 0 && victim.count[SYNC_NEED] > 0) {
                victim.count[SYNC_NEED] = 0;
                serve(slices[s].count);
                continue;
            }
            if (size == 0)
                break;
            sent += size;
            messages++;
            end = heard.first + heard.count;
        }
        CHECK(sent <= SYNC_WINDOW && messages <= SYNC_FLIGHTS_MAX);
        CHECK(messages == SYNC_FLIGHTS_MAX || sent > SYNC_WINDOW - ENTRIES_BYTES_MAX - 65536 ||
              end == victim.truth[0]->size);
        CHECK(end < victim.truth[0]->size);
        CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, end - 1) == 0); /* all but the last */
        if (messages > 1) {
            size = next_entries(1, &heard);
            if (size == 0)
                serve(slices[s].count);
            CHECK(size > 0 || next_entries(1, &heard) > 0);
        }
        victim_free(&victim);
    }
}

/* Several logs that are read from the store at once have one window together. */
static void what_is_being_read_has_its_place_in_the_window(void)
{
    size_t sent = 0;
    unsigned served = 0, came = 0;

    begin_warm(2);
    truth_grow(victim.truth[1], 100, 60000);
    for (uint64_t at = 0; at < 100; at += 10)
        CHECK(say_entries(&victim, 1, victim.truth[1], at, at + 10, at + 10, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 0) == 0);
    for (unsigned i = 0; i < 20; i++) {
        struct sync_event need = {0};
        size_t size = 0;

        victim.count[SYNC_NEED] = 0;
        size = next_entries(2, &heard);
        sent += size;
        came += size > 0 && heard.member == 1;
        if (victim.count[SYNC_NEED] == 0)
            continue;
        need = victim.last[SYNC_NEED];
        /* The answer comes late, when one's own log has taken all that was left. */
        for (unsigned own = 0; own < 2; own++) {
            victim_append(&victim, 15, 65535, UINT64_MAX);
            sent += next_entries(2, &heard);
        }
        victim.last[SYNC_NEED] = need;
        serve(16);
        served++;
    }
    CHECK(served > 0 && came == served); /* nothing was read in vain */
    CHECK(sent > SYNC_WINDOW / 2 && sent <= SYNC_WINDOW);
    victim_free(&victim);
}

static void try_again(void)
{
    victim.us += SYNC_RETRY_US;
    sync_step(victim.sync, victim_now(&victim));
}

static void one_need_at_a_time(void)
{
    begin();
    truth_grow(victim.truth[1], 30, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 30, 30, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 4) == 0);
    CHECK(next_entries(2, &heard) == 0 && next_entries(2, &heard) == 0);
    victim_events(&victim);
    CHECK(victim.count[SYNC_NEED] == 1 && victim.last[SYNC_NEED].link == 2 && victim.last[SYNC_NEED].member == 1 &&
          victim.last[SYNC_NEED].first == 4);
    sync_serve(victim.sync, 2, 1, NULL, NULL); /* nothing could be read: it is tried again, but not at once */
    CHECK(next_entries(2, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 1);
    try_again();
    CHECK(next_entries(2, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 2);
    serve(10);
    CHECK(next_entries(2, &heard) > 0 && heard.member == 1 && heard.first == 4 && heard.count == 10 &&
          heard.head.size == 30 && heard.proof.count > 0);
    CHECK(next_entries(2, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 3 && victim.last[SYNC_NEED].first == 14);
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 1, 20) == 0); /* it came there another way meanwhile */
    serve(5);
    (void)next_entries(2, &heard);
    (void)next_entries(2, &heard);
    CHECK(victim.count[SYNC_NEED] == 4 && victim.last[SYNC_NEED].first == 20);
    serve(5);
    CHECK(next_entries(2, &heard) > 0 && heard.first == 20);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, TREE_SIZE_MAX) == 0); /* no more */
    victim_events(&victim);
    victim.count[SYNC_NEED] = 0;
    CHECK(next_entries(2, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 0);
    victim_free(&victim);
}

/* An answer that was read for a link that is gone is not for another that has its number now. */
static void an_answer_for_a_link_that_is_gone_is_dropped(void)
{
    begin();
    truth_grow(victim.truth[1], 30, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 30, 30, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 0) == 0);
    CHECK(next_entries(2, &heard) == 0);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    serve(10);
    link_up(&victim, 2);
    (void)hear_all(&victim, 2, true, MESSAGE_HELLO, &heard);
    serve(10);
    CHECK(next_entries(2, &heard) == 0);
    victim_free(&victim);
}

/* What is on the way of a log that is wanted no more takes no room in the window. */
static void what_is_wanted_no_more_makes_room(void)
{
    begin_warm(2);
    truth_grow(victim.truth[1], 100, 60000);
    for (uint64_t at = 0; at < 100; at += 10)
        CHECK(say_entries(&victim, 1, victim.truth[1], at, at + 10, at + 10, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 0) == 0);
    for (unsigned i = 0; i < 10; i++) {
        victim.count[SYNC_NEED] = 0;
        (void)next_entries(2, &heard);
        if (victim.count[SYNC_NEED] > 0)
            serve(17);
    }
    victim_append(&victim, 1, 50, UINT64_MAX);
    CHECK(next_entries(2, &heard) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, TREE_SIZE_MAX) == 0);
    CHECK(next_entries(2, &heard) > 0 && heard.member == 0);
    victim_free(&victim);
}

/* What another link to the member tells makes room too, and so does what is said to be held twice. */
static void what_is_told_on_any_link_makes_room(void)
{
    begin();
    sync_link_up(victim.sync, 3, 1, victim_now(&victim));
    CHECK(say_hello(&victim, 3, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
    for (unsigned i = 0; i < 120; i++)
        victim_append(&victim, 1, 60000, UINT64_MAX);
    while (next_entries(1, &heard) > 0)
        continue;
    CHECK(say_size(&victim, 3, MESSAGE_HAVE, 0, heard.first) == 0);
    CHECK(next_entries(1, &heard) > 0);
    CHECK(say_size(&victim, 3, MESSAGE_HAVE, 0, 120) == 0);
    CHECK(say_size(&victim, 1, MESSAGE_WANT, 0, 10) == 0);
    while (next_entries(1, &heard) > 0 || victim.count[SYNC_NEED] > 0) {
        if (victim.count[SYNC_NEED] > 0)
            serve(1);
        victim.count[SYNC_NEED] = 0;
    }
    CHECK(heard.first < 100);
    CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, 120) == 0);
    CHECK(next_entries(1, &heard) > 0 || victim.count[SYNC_NEED] > 0);
    victim_free(&victim);
}

/* Who asks again has not taken what went beyond that: it is not waited for. */
static void what_is_asked_for_again_makes_room(void)
{
    begin();
    for (unsigned i = 0; i < 80; i++)
        victim_append(&victim, 1, 60000, UINT64_MAX);
    while (next_entries(1, &heard) > 0)
        continue;
    CHECK(heard.first > 40);
    CHECK(say_size(&victim, 1, MESSAGE_WANT, 0, 30) == 0); /* 30 are accepted there, but not durable */
    CHECK(next_entries(1, &heard) > 0 && heard.first == 30);
    while (next_entries(1, &heard) > 0)
        continue;
    CHECK(heard.first > 40 && heard.first < 60); /* and no more than a window is on the way, with those 30 */
    CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, 60) == 0);
    CHECK(next_entries(1, &heard) > 0);
    victim_free(&victim);
}

static void nobody_is_sent_its_own_log_unasked(void)
{
    begin();
    truth_grow(victim.truth[1], 5, 50);
    CHECK(say_entries(&victim, 2, victim.truth[1], 0, 5, 5, false) == 0); /* as a third member has it */
    CHECK(next_entries(1, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 0);
    CHECK(say_size(&victim, 1, MESSAGE_WANT, 1, 0) == 0); /* but who asks: it was restored */
    CHECK(next_entries(1, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 1);
    victim_free(&victim);
}

/* Of several links to a member, one carries one's own log; when it dies, another, from where the member stands. */
static void one_link_is_active(void)
{
    victim_new(&victim);
    for (unsigned link = 1; link <= 3; link++) {
        sync_link_up(victim.sync, link, 1, victim_now(&victim));
        CHECK(say_hello(&victim, link, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
        (void)hear_all(&victim, link, true, MESSAGE_HELLO, &heard);
    }
    victim_append(&victim, 5, 50, UINT64_MAX);
    CHECK(next_entries(2, &heard) == 0 && next_entries(3, &heard) == 0 && next_entries(1, &heard) > 0);
    victim_append(&victim, 5, 50, UINT64_MAX);
    CHECK(next_entries(1, &heard) > 0);
    CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, 5) == 0); /* holds for its other links too */
    sync_link_down(victim.sync, 1, victim_now(&victim));
    CHECK(next_entries(3, &heard) == 0);
    CHECK(next_entries(2, &heard) > 0 && heard.first == 5 && heard.count == 5);
    victim_free(&victim);
}

static void a_settle_head_follows_its_entries(void)
{
    struct head head;

    begin();
    victim_append(&victim, 5, 50, UINT64_MAX);
    CHECK(next_entries(1, &heard) > 0 && !heard.settle);
    head = truth_head(victim.truth[0], 5);
    sync_settle(victim.sync, &head);
    CHECK(next_entries(2, &heard) > 0 && heard.settle); /* not sent there before: flagged with the entries */
    CHECK(hear_all(&victim, 2, false, MESSAGE_SETTLE, &heard) == 0);
    CHECK(hear_all(&victim, 1, false, MESSAGE_SETTLE, &heard) == 1 && heard.head.size == 5 && heard.member == 0);
    /* And after a break again. */
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_up(victim.sync, 1, 1, victim_now(&victim));
    CHECK(say_hello(&victim, 1, (uint64_t[]){5, 0, 0}, 3, NULL) == 0);
    (void)hear_all(&victim, 1, true, MESSAGE_HELLO, &heard);
    CHECK(hear_all(&victim, 1, false, MESSAGE_SETTLE, &heard) == 1 && heard.head.size == 5);
    victim_free(&victim);
}

/* Entries may be read for a link just before their head is flagged. */
static void a_flag_goes_with_entries_read_before_it(void)
{
    struct head head;

    begin();
    truth_grow(victim.truth[1], 10, 50);
    head = truth_head(victim.truth[1], 10);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 10, 10, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 0) == 0);
    CHECK(next_entries(2, &heard) == 0);
    sync_forward_settle(victim.sync, 1, &head, 2);
    serve(10);
    CHECK(next_entries(2, &heard) > 0 && heard.member == 1 && heard.settle);
    victim_free(&victim);
}

static void receipts_go_to_the_author_at_once_and_to_all_if_settled(void)
{
    struct head head;
    struct receipt receipt;

    begin();
    truth_grow(victim.truth[1], 10, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, false) == 0);
    head = truth_head(victim.truth[1], 5);
    receipt = truth_receipt(victim.truth[1], &head, 0);
    sync_receipt(victim.sync, 1, &head, &receipt, false);
    CHECK(hear_all(&victim, 1, true, MESSAGE_RECEIPT, &heard) == 1 && heard.member == 1 && heard.head.size == 5 &&
          heard.receipt.by == 0);
    CHECK(hear_all(&victim, 2, true, MESSAGE_RECEIPT, &heard) + hear_all(&victim, 2, false, MESSAGE_RECEIPT, &heard) ==
          0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 10, 10, true) == 0);
    head = truth_head(victim.truth[1], 10);
    receipt = truth_receipt(victim.truth[1], &head, 0);
    sync_receipt(victim.sync, 1, &head, &receipt, true);
    CHECK(hear_all(&victim, 1, true, MESSAGE_RECEIPT, &heard) == 1 && heard.head.size == 10);
    CHECK(hear_all(&victim, 2, false, MESSAGE_RECEIPT, &heard) == 1 && heard.head.size == 10);
    /* After a break again, with what others said. */
    receipt = truth_receipt(victim.truth[1], &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    link_up(&victim, 1);
    CHECK(hear_all(&victim, 1, true, MESSAGE_RECEIPT, &heard) == 2);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    link_up(&victim, 2);
    CHECK(hear_all(&victim, 2, true, MESSAGE_RECEIPT, &heard) == 1 && heard.receipt.by == 0); /* not its own */
    victim_free(&victim);
}

static void what_is_forwarded_does_not_come_back(void)
{
    struct head head;
    struct receipt receipt;

    begin();
    sync_link_up(victim.sync, 3, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 3, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
    CHECK(hear_all(&victim, 3, true, MESSAGE_HELLO, &heard) == 1);
    truth_grow(victim.truth[1], 5, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, true) == 0);
    head = truth_head(victim.truth[1], 5);
    sync_forward_settle(victim.sync, 1, &head, 3);
    CHECK(hear_all(&victim, 1, false, MESSAGE_SETTLE, &heard) == 0); /* its author */
    CHECK(hear_all(&victim, 3, false, MESSAGE_SETTLE, &heard) == 0); /* where it came from */
    CHECK(hear_all(&victim, 2, false, MESSAGE_SETTLE, &heard) == 1);
    sync_link_down(victim.sync, 2, victim_now(&victim)); /* and again after a break */
    link_up(&victim, 2);
    CHECK(hear_all(&victim, 2, true, MESSAGE_HELLO, &heard) == 1);
    CHECK(hear_all(&victim, 2, false, MESSAGE_SETTLE, &heard) == 1 && heard.member == 1 && heard.head.size == 5);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    link_up(&victim, 1);
    CHECK(hear_all(&victim, 1, true, MESSAGE_HELLO, &heard) == 1);
    CHECK(hear_all(&victim, 1, false, MESSAGE_SETTLE, &heard) == 0);
    receipt = truth_receipt(victim.truth[1], &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    sync_forward_receipt(victim.sync, 1, &head, &receipt, 2);
    CHECK(hear_all(&victim, 2, false, MESSAGE_RECEIPT, &heard) == 0);
    CHECK(hear_all(&victim, 3, false, MESSAGE_RECEIPT, &heard) == 0); /* whoever gave it */
    CHECK(hear_all(&victim, 1, false, MESSAGE_RECEIPT, &heard) == 1);
    victim_free(&victim);
}

/* What is durable is told to those whom no receipt tells it. */
static void what_is_durable_is_told(void)
{
    begin();
    truth_grow(victim.truth[1], 10, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, false) == 0);
    CHECK(hear_all(&victim, 1, true, MESSAGE_HAVE, &heard) == 0); /* a receipt will */
    CHECK(hear_all(&victim, 2, true, MESSAGE_HAVE, &heard) == 1 && heard.member == 1 && heard.first == 5);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 8, 10, false) == 0);
    CHECK(hear_all(&victim, 1, true, MESSAGE_HAVE, &heard) == 1 && heard.member == 1 && heard.first == 8);
    victim.hold = true;
    CHECK(say_entries(&victim, 1, victim.truth[1], 8, 10, 10, false) == 0);
    CHECK(hear_all(&victim, 2, true, MESSAGE_HAVE, &heard) == 1 && heard.first == 8); /* not before it is */
    victim.hold = false;
    victim_events(&victim);
    CHECK(hear_all(&victim, 2, true, MESSAGE_HAVE, &heard) == 1 && heard.first == 10);
    victim_free(&victim);
}

static void a_flash_overtakes_on_every_link_but_where_it_is_next(void)
{
    begin();
    sync_link_up(victim.sync, 3, 1, victim_now(&victim));
    victim_append(&victim, 5, 50, UINT64_MAX);
    CHECK(next_entries(1, &heard) > 0 && next_entries(2, &heard) > 0);
    CHECK(say_hello(&victim, 3, (uint64_t[]){5, 0, 0}, 3, NULL) == 0);
    victim_append(&victim, 5, 50, 7);
    /* To member 2 nothing is known to be there: nothing an entry could be proved from. */
    CHECK(victim.count[SYNC_OVERTAKE] == 1 && victim.last[SYNC_OVERTAKE].link == 3);
    CHECK(victim.last[SYNC_OVERTAKE].first == 7 && victim.last[SYNC_OVERTAKE].base == 5);
    CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, 5) == 0 && say_size(&victim, 2, MESSAGE_HAVE, 0, 5) == 0);
    victim_append(&victim, 5, 50, 12); /* what is before it is not yet sent on links 1 and 2 */
    CHECK(victim.count[SYNC_OVERTAKE] == 4);
    {
        struct buffer message = {0};

        truth_overtake(&message, victim.truth[0], 12, 15, 5);
        sync_overtake(victim.sync, 1, buffer_span(&message));
        buffer_free(&message);
    }
    CHECK(hear_all(&victim, 1, true, MESSAGE_OVERTAKE, &heard) == 1 && heard.first == 12 && heard.base == 5);
    /* A link that comes up with a tail to send: what is urgent in it is asked for. */
    sync_link_down(victim.sync, 2, victim_now(&victim));
    victim.count[SYNC_OVERTAKE] = 0;
    sync_link_up(victim.sync, 2, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 2, (uint64_t[]){4, 0, 0}, 3, NULL) == 0);
    CHECK(victim.count[SYNC_OVERTAKE] == 2);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    victim.count[SYNC_OVERTAKE] = 0;
    sync_link_up(victim.sync, 2, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 2, (uint64_t[]){10, 0, 0}, 3, NULL) == 0);
    CHECK(victim.count[SYNC_OVERTAKE] == 0); /* it is in the next message anyway */
    victim_free(&victim);
}

/* One's own entries that are no longer at hand are read from the store, and no more than agreed stay at hand. */
static void old_entries_are_read_from_the_store(void)
{
    victim_new(&victim);
    for (unsigned i = 0; i < 12; i++)
        victim_append(&victim, 15, 60000, UINT64_MAX);
    sync_link_up(victim.sync, 1, 1, victim_now(&victim));
    CHECK(say_hello(&victim, 1, (uint64_t[]){0, 0, 0}, 3, NULL) == 0);
    (void)hear_all(&victim, 1, true, MESSAGE_HELLO, &heard);
    CHECK(next_entries(1, &heard) == 0);
    CHECK(victim.count[SYNC_NEED] == 1 && victim.last[SYNC_NEED].member == 0 && victim.last[SYNC_NEED].first == 0);
    for (uint64_t at = 0; at < 255;) {
        if (next_entries(1, &heard) == 0) {
            serve(15);
            continue;
        }
        CHECK(heard.first == at && heard.member == 0);
        at += heard.count;
        CHECK(say_size(&victim, 1, MESSAGE_HAVE, 0, at) == 0);
        if (at == 90) { /* and those that fall out of the cache while it is read from */
            for (unsigned i = 0; i < 5; i++)
                victim_append(&victim, 15, 60000, UINT64_MAX);
        }
    }
    CHECK(victim.count[SYNC_NEED] == 9); /* small ones first, then what is no longer at hand */
    victim_free(&victim);
}

/* A link is told once to be one whose other end takes nothing, and nothing more is kept for it. */
static void a_link_that_takes_nothing_is_given_up(void)
{
    struct buffer large = {0};
    uint8_t *to = buffer_extend(&large, 60000);

    if (to == NULL)
        abort();
    memset(to, 0, 60000);
    begin();
    for (size_t queued = 0; queued <= SYNC_LANE_MAX; queued += 60000)
        sync_overtake(victim.sync, 1, buffer_span(&large));
    victim_events(&victim);
    CHECK(victim.count[SYNC_CHOKED] == 0);
    for (unsigned i = 0; i < 3; i++)
        sync_overtake(victim.sync, 1, buffer_span(&large));
    victim_events(&victim);
    CHECK(victim.count[SYNC_CHOKED] == 1 && victim.last[SYNC_CHOKED].link == 1 && victim.last[SYNC_CHOKED].member == 1);
    sync_overtake(victim.sync, 2, buffer_span(&large));
    sync_overtake(victim.sync, 1, buffer_span(&large));
    victim_events(&victim);
    CHECK(victim.count[SYNC_CHOKED] == 1);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    link_up(&victim, 1); /* and begins anew */
    sync_overtake(victim.sync, 1, buffer_span(&large));
    victim_events(&victim);
    CHECK(victim.count[SYNC_CHOKED] == 1);
    buffer_free(&large);
    victim_free(&victim);
}

/* What there is no memory for gives the link up; what was queued before leaves whole, and nothing half. */
static void without_memory_a_link_is_given_up(void)
{
    bool given_up = false;

    for (size_t n = 1;; n++) {
        struct head head;
        struct receipt receipt;
        struct buffer bytes = {0};
        unsigned sent = 0;
        bool ran_out = false;

        begin();
        truth_grow(victim.truth[1], 5, 50);
        CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, true) == 0);
        head = truth_head(victim.truth[1], 5);
        receipt = truth_receipt(victim.truth[1], &head, 0);
        memory_fail(n);
        for (unsigned i = 0; i < 20; i++)
            sync_receipt(victim.sync, 1, &head, &receipt, true);
        ran_out = memory_ran_out();
        for (buffer_reset(&bytes); sync_output(victim.sync, 2, false, &bytes); buffer_reset(&bytes)) {
            struct message *message = test_new(1, sizeof *message);

            CHECK(message_read(message, buffer_span(&bytes), 3, NULL) == 0 && message->type == MESSAGE_RECEIPT);
            free(message);
            sent++;
        }
        victim_events(&victim);
        CHECK(victim.count[SYNC_CHOKED] <= 2 && (victim.count[SYNC_CHOKED] > 0) == ran_out);
        CHECK(sent <= 20 && (sent == 20 || ran_out));
        given_up |= sent < 20;
        buffer_free(&bytes);
        victim_free(&victim);
        if (!ran_out)
            break;
        CHECK(n < 200);
    }
    CHECK(given_up);
}

static void an_answer_without_memory_is_asked_for_again(void)
{
    begin();
    truth_grow(victim.truth[1], 10, 50);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 10, 10, false) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_WANT, 1, 0) == 0);
    CHECK(next_entries(2, &heard) == 0 && victim.count[SYNC_NEED] == 1);
    for (unsigned i = 0; i < 2; i++) {
        struct tree_proof none = {0};
        struct sync_chunk *chunk = i == 0 ? NULL : truth_chunk(victim.truth[1], 0, 10, 10);

        memory_fail(i);
        sync_serve(victim.sync, 2, 1, chunk, &none);
        CHECK(memory_ran_out() == (i == 1));
        try_again();
        CHECK(next_entries(2, &heard) == 0 && victim.count[SYNC_NEED] == 2 + i); /* again */
    }
    serve(10);
    CHECK(next_entries(2, &heard) > 0 && heard.member == 1 && heard.first == 0 && heard.count == 10);
    victim_free(&victim);
}

int main(void)
{
    RUN(the_greeting_comes_first_and_waits_for_the_others);
    RUN(ones_own_log_goes_on_where_the_other_stands);
    RUN(a_window_is_kept);
    RUN(what_is_being_read_has_its_place_in_the_window);
    RUN(one_need_at_a_time);
    RUN(an_answer_for_a_link_that_is_gone_is_dropped);
    RUN(what_is_wanted_no_more_makes_room);
    RUN(what_is_told_on_any_link_makes_room);
    RUN(what_is_asked_for_again_makes_room);
    RUN(nobody_is_sent_its_own_log_unasked);
    RUN(one_link_is_active);
    RUN(a_settle_head_follows_its_entries);
    RUN(a_flag_goes_with_entries_read_before_it);
    RUN(receipts_go_to_the_author_at_once_and_to_all_if_settled);
    RUN(what_is_forwarded_does_not_come_back);
    RUN(what_is_durable_is_told);
    RUN(a_flash_overtakes_on_every_link_but_where_it_is_next);
    RUN(old_entries_are_read_from_the_store);
    RUN(a_link_that_takes_nothing_is_given_up);
    RUN(without_memory_a_link_is_given_up);
    RUN(an_answer_without_memory_is_asked_for_again);
    return test_end();
}
