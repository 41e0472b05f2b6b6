#include "sync/engine.h"
#include "victim.h"

static struct victim victim;
static struct message heard;

static void nobody_speaks_before_greeting(void)
{
    struct head head;
    struct receipt receipt;

    victim_begin(&victim);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    head = truth_head(victim.truth[1], 5);
    receipt = truth_receipt(victim.truth[1], &head, 2);
    sync_link_up(victim.sync, 1, 1, victim_now(&victim));
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 10, 10, false) != 0);
    CHECK(say_settle(&victim, 1, 1, &head) != 0);
    CHECK(say_receipt(&victim, 1, 1, &head, &receipt) != 0);
    CHECK(say_size(&victim, 1, MESSAGE_HAVE, 1, 5) != 0);
    CHECK(say_size(&victim, 1, MESSAGE_WANT, 2, 5) != 0);
    CHECK(say_size(&victim, 1, MESSAGE_FETCH, 1, 1) != 0);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 8, 10, 5) != 0);
    CHECK(strstr(victim.error.message, "greet") != NULL);
    CHECK(sync_staged(victim.sync, 1)->size == 5 && victim.count[SYNC_PENDING] + victim.count[SYNC_RECEIPT] == 0);
    victim_end(&victim);
}

/* Neither by its author nor by another member, whose link stays. */
static void what_is_not_proved_is_not_held_there(void)
{
    for (unsigned link = 1; link <= 2; link++) {
        struct head head;
        struct tree_proof none = {0};
        struct buffer message = {0};
        uint64_t had = 0;

        victim_begin(&victim);
        head = truth_head(victim.truth[1], 10);
        had = victim.sync->peer[link].have[1];
        truth_entries(&message, victim.truth[1], 5, 7, &head, false, &none);
        CHECK((say(&victim, link, &message) != 0) == (link == 1));
        CHECK(victim.sync->peer[link].have[1] == had);
        victim_end(&victim);
    }
}

static void nobody_greets_twice(void)
{
    static const uint64_t nothing[3];

    victim_begin(&victim);
    CHECK(say_hello(&victim, 1, nothing, 3, NULL) != 0);
    victim_end(&victim);
}

static void garbage_is_refused(void)
{
    struct buffer garbage = {0};

    victim_begin(&victim);
    CHECK(say(&victim, 1, &garbage) != 0);
    buffer_print(&garbage, "GET / HTTP/1.1\r\n\r\n");
    CHECK(say(&victim, 1, &garbage) != 0);
    victim_end(&victim);
}

static void a_head_is_its_authors(void)
{
    static const uint64_t nothing[3];
    struct head head;
    struct truth *others = NULL;

    victim_begin(&victim);
    others = truth_new(&victim.line, 2);
    truth_grow(others, 10, 50);
    for (unsigned i = 0; i < 3; i++) {
        struct tree_proof none = {0};
        struct buffer message = {0};

        head = truth_head(victim.truth[1], 10);
        if (i == 0)
            head.signature[7] ^= 1;
        if (i == 1)
            head.root[7] ^= 1;
        if (i == 2)
            head = truth_head(others, 10); /* signed by another member */
        truth_entries(&message, victim.truth[1], 5, 10, &head, false, &none);
        CHECK(say(&victim, 1, &message) != 0);
        CHECK(say_settle(&victim, 1, 1, &head) != 0);
        sync_link_down(victim.sync, 1, victim_now(&victim));
        sync_link_up(victim.sync, 1, 1, victim_now(&victim));
        CHECK(say_hello(&victim, 1, nothing, 1, &head) != 0);
        sync_link_down(victim.sync, 1, victim_now(&victim));
        link_up(&victim, 1);
    }
    CHECK(sync_staged(victim.sync, 1)->size == 5 && sync_head(victim.sync, 1)->size == 5);
    CHECK(victim.count[SYNC_ALARM] == 0 && victim.count[SYNC_SETTLE] == 0);
    truth_free(others);
    victim_end(&victim);
}

static void entries_are_those_of_the_head(void)
{
    struct truth *other = NULL;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 0, 10);
    for (uint64_t size = 10; size >= 8; size--) { /* at the head's end, and short of it */
        struct head head = truth_head(victim.truth[1], size);
        struct tree_proof proof = truth_consistency(victim.truth[1], 8, size);
        struct buffer message = {0};

        truth_entries(&message, other, 5, 8, &head, false, &proof);
        CHECK(say(&victim, 1, &message) != 0);
    }
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    /* The author signed the head and sends this: people are told, once. */
    CHECK(victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].author == 1);
    truth_free(other);
    victim_end(&victim);
}

static void proofs_are_whole(void)
{
    victim_begin(&victim);
    for (unsigned i = 0; i < 5; i++) {
        struct head head = truth_head(victim.truth[1], 10);
        struct tree_proof proof = truth_consistency(victim.truth[1], 7, 10);
        struct buffer message = {0};

        if (i == 0)
            proof.hash[0][0] ^= 1;
        if (i == 1)
            proof.hash[proof.count - 1][31] ^= 1;
        if (i == 2)
            proof.count--;
        if (i == 3)
            proof.count++;
        if (i == 4)
            proof.count = 0;
        truth_entries(&message, victim.truth[1], 5, 7, &head, false, &proof);
        CHECK(say(&victim, 1, &message) != 0 && sync_staged(victim.sync, 1)->size == 5);
    }
    victim_end(&victim);
}

static void a_head_covers_what_comes_under_it(void)
{
    struct tree_proof none = {0};
    struct head head;
    struct buffer message = {0};

    victim_begin(&victim);
    head = truth_head(victim.truth[1], 8);
    truth_entries(&message, victim.truth[1], 5, 10, &head, false, &none);
    CHECK(say(&victim, 1, &message) != 0);
    victim_end(&victim);
}

/* A third member may be honest and the author false: only that log is not taken from it any more, and people are
 * told.*/
static void a_third_member_that_is_wrong_keeps_its_link(void)
{
    struct truth *other = NULL;
    struct head head;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 0, 10);
    (void)hear_all(&victim, 2, true, MESSAGE_WANT, &heard);
    head = truth_head(victim.truth[1], 10);
    truth_entries(&message, other, 5, 10, &head, false, &none);
    CHECK(say(&victim, 2, &message) == 0);
    CHECK(victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].member == 2);
    CHECK(hear_all(&victim, 2, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == TREE_SIZE_MAX);
    truth_entries(&message, other, 5, 10, &head, false, &none);
    CHECK(say(&victim, 2, &message) == 0 && victim.count[SYNC_ALARM] == 1);
    CHECK(hear_all(&victim, 2, true, MESSAGE_WANT, &heard) == 0);
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    /* It says that it has more, and is not asked. */
    sync_link_down(victim.sync, 1, victim_now(&victim));
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 1, 10) == 0);
    CHECK(hear_all(&victim, 2, true, MESSAGE_WANT, &heard) == 0);
    truth_free(other);
    victim_end(&victim);
}

static void a_gap_is_asked_for(void)
{
    victim_begin(&victim);
    CHECK(say_entries(&victim, 1, victim.truth[1], 7, 10, 10, false) == 0);
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    CHECK(hear_all(&victim, 1, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == 5);
    victim_end(&victim);
}

static void what_is_held_is_not_taken_twice(void)
{
    victim_begin(&victim);
    (void)hear_all(&victim, 1, true, MESSAGE_HAVE, &heard);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 10, false) == 0 && victim.count[SYNC_ACCEPTED] == 1);
    CHECK(hear_all(&victim, 1, true, MESSAGE_HAVE, &heard) == 1 && heard.member == 1 && heard.first == 5);
    CHECK(say_entries(&victim, 1, victim.truth[1], 2, 8, 10, false) == 0 && victim.count[SYNC_ACCEPTED] == 2);
    CHECK(victim.last[SYNC_ACCEPTED].first == 0 && sync_durable(victim.sync, 1) == 8);
    victim_end(&victim);
}

/* Entries that are held, sent again after their head was flagged, say that it was. */
static void a_flag_is_heard_with_entries_that_are_held(void)
{
    victim_begin(&victim);
    CHECK(say_entries(&victim, 1, victim.truth[1], 0, 5, 5, true) == 0);
    CHECK(victim.count[SYNC_SETTLE] == 1 && victim.last[SYNC_SETTLE].head.size == 5);
    victim_end(&victim);
}

static void nobody_says_what_is_in_ones_own_log(void)
{
    victim_begin(&victim);
    truth_grow(victim.truth[0], 5, 50);
    CHECK(say_entries(&victim, 1, victim.truth[0], 0, 5, 5, false) == 0);
    CHECK(sync_staged(victim.sync, 0)->size == 0 && victim.count[SYNC_ACCEPTED] == 1);
    CHECK(say_overtake(&victim, 1, victim.truth[0], 4, 5, 1) == 0 && victim.count[SYNC_PENDING] == 0);
    victim_end(&victim);
}

static void receipts_verify(void)
{
    struct head head;
    struct receipt receipt;

    victim_begin(&victim);
    head = truth_head(victim.truth[1], 5);
    receipt = truth_receipt(victim.truth[1], &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0 && victim.count[SYNC_RECEIPT] == 1);
    CHECK(sync_receipted(victim.sync, 1, 2) == 5);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0 && victim.count[SYNC_RECEIPT] == 1); /* known */
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 8, 8, false) == 0);
    head = truth_head(victim.truth[1], 8);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) != 0); /* another head's */
    receipt = truth_receipt(victim.truth[1], &head, 2);
    receipt.time++;
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) != 0);
    receipt = truth_receipt(victim.truth[1], &head, 0); /* signed by the victim's key, under another's name */
    receipt.by = 2;
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) != 0);
    receipt.by = 0; /* its own, from outside */
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    CHECK(victim.count[SYNC_RECEIPT] == 1 && sync_receipted(victim.sync, 1, 2) == 5);
    victim_end(&victim);
}

static void a_receipt_of_something_else_is_void(void)
{
    struct truth *other = NULL;
    struct head head;
    struct receipt receipt;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 0, 5);
    head = truth_head(other, 5);
    receipt = truth_receipt(other, &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    head = truth_head(victim.truth[1], 3); /* a size that never was a chunk's end here */
    receipt = truth_receipt(victim.truth[1], &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    CHECK(victim.count[SYNC_RECEIPT] == 0 && sync_receipted(victim.sync, 1, 2) == 0);
    truth_free(other);
    victim_end(&victim);
}

static void a_receipt_may_come_before_its_entries(void)
{
    struct truth *other = NULL;
    struct head head;
    struct receipt receipt;

    victim_begin(&victim);
    head = truth_head(victim.truth[1], 8);
    receipt = truth_receipt(victim.truth[1], &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0 && victim.count[SYNC_RECEIPT] == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 8, 8, false) == 0 && victim.count[SYNC_RECEIPT] == 1);
    CHECK(sync_receipted(victim.sync, 1, 2) == 8);
    /* One that is not of this log is forgotten then. */
    other = fork_of(victim.truth[1], 8, 10);
    head = truth_head(other, 10);
    receipt = truth_receipt(other, &head, 2);
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 8, 10, 10, false) == 0 && victim.count[SYNC_RECEIPT] == 1);
    receipt.signature[5] ^= 1;
    head.size = 11;
    CHECK(say_receipt(&victim, 2, 1, &head, &receipt) != 0);
    truth_free(other);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    link_up(&victim, 2);
    victim_free(&victim);
}

static void a_settle_head_is_told(void)
{
    struct head head;

    victim_begin(&victim);
    head = truth_head(victim.truth[1], 5);
    CHECK(say_settle(&victim, 1, 1, &head) == 0 && victim.count[SYNC_SETTLE] == 1);
    CHECK(victim.last[SYNC_SETTLE].member == 1 && victim.last[SYNC_SETTLE].head.size == 5);
    head = truth_head(victim.truth[1], 9); /* not held yet: nothing can be said of it */
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_SETTLE] == 1);
    head = truth_head(victim.truth[1], 3); /* passed and forgotten */
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_SETTLE] == 1);
    CHECK(victim.count[SYNC_ALARM] == 0);
    victim_end(&victim);
}

static void ones_own_head_ahead_is_told(void)
{
    static const uint64_t nothing[3];
    struct head head;
    struct truth *other = NULL;

    victim_begin(&victim);
    victim_append(&victim, 5, 50, UINT64_MAX);
    head = truth_head(victim.truth[0], 5);
    CHECK(say_settle(&victim, 1, 0, &head) == 0 && victim.count[SYNC_OWN_AHEAD] == 0);
    truth_grow(victim.truth[0], 2, 50); /* signed before a restore, and not here */
    head = truth_head(victim.truth[0], 7);
    CHECK(say_settle(&victim, 1, 0, &head) == 0 && victim.count[SYNC_OWN_AHEAD] == 1);
    CHECK(victim.last[SYNC_OWN_AHEAD].member == 1 && victim.last[SYNC_OWN_AHEAD].head.size == 7);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    sync_link_up(victim.sync, 2, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 2, nothing, 0, &head) == 0 && victim.count[SYNC_OWN_AHEAD] == 2);
    CHECK(victim.last[SYNC_OWN_AHEAD].member == 2);
    other = fork_of(victim.truth[0], 4, 5); /* of a size that is held, and another root */
    head = truth_head(other, 5);
    CHECK(say_settle(&victim, 1, 0, &head) == 0 && victim.count[SYNC_OWN_AHEAD] == 3);
    head = truth_head(victim.truth[0], 7);
    head.size = 8;
    CHECK(say_settle(&victim, 1, 0, &head) != 0 && victim.count[SYNC_OWN_AHEAD] == 3);
    CHECK(victim.count[SYNC_ALARM] == 0);
    truth_free(other);
    victim_end(&victim);
}

/* Two heads of one size: the second is shown by another member, by settle or greeting, of a size held or beyond. */
static void two_heads_of_one_size_are_an_alarm(void)
{
    static const uint64_t nothing[3];

    for (unsigned i = 0; i < 4; i++) {
        struct truth *other = NULL;
        struct head head;

        victim_begin(&victim);
        CHECK(say_entries(&victim, 1, victim.truth[1], 5, 7, 7, false) == 0);
        other = fork_of(victim.truth[1], 2, 10);
        if (i >= 2) {
            head = truth_head(victim.truth[1], 9);
            CHECK(say_settle(&victim, 1, 1, &head) == 0);
            head = truth_head(victim.truth[1], 10); /* so that the other is not the newest known */
            CHECK(say_settle(&victim, 1, 1, &head) == 0);
        }
        head = truth_head(other, i < 2 ? 5 : 9);
        if (i % 2 == 1) {
            sync_link_down(victim.sync, 2, victim_now(&victim));
            sync_link_up(victim.sync, 2, 2, victim_now(&victim));
            CHECK(say_hello(&victim, 2, nothing, 1, &head) == 0);
        } else
            CHECK(say_settle(&victim, 2, 1, &head) == 0);
        CHECK(victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].member == 1);
        CHECK(victim.last[SYNC_ALARM].author == 1);
        CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_ALARM] == 1); /* once */
        truth_free(other);
        victim_end(&victim);
    }
}

static void a_head_shown_before_must_be_met(void)
{
    struct truth *other = NULL;
    struct head head;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 6, 10);
    head = truth_head(other, 8);
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_ALARM] == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 10, 10, false) != 0); /* passes 8 with another root */
    CHECK(victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].member == 1);
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 7, 7, false) == 0); /* before it, both are the same so far */
    truth_free(other);
    victim_free(&victim);
}

/* Somebody who makes entries up must not have their author accused. */
static void nobody_is_accused_by_what_another_made_up(void)
{
    struct truth *other = NULL;
    struct head head;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 5, 10);
    head = truth_head(victim.truth[1], 8);
    CHECK(say_settle(&victim, 2, 1, &head) == 0);
    head = truth_head(victim.truth[1], 10);
    truth_entries(&message, other, 5, 10, &head, false, &none);
    CHECK(say(&victim, 2, &message) == 0);
    CHECK(victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].member == 2 && victim.last[SYNC_ALARM].author == 1);
    truth_free(other);
    victim_end(&victim);
}

/* A head that was met by entries which were then refused, or forgotten, must be met still. */
static void a_head_is_met_only_by_what_is_durable(void)
{
    struct truth *other = NULL;
    struct head head;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 6, 10);
    head = truth_head(victim.truth[1], 8);
    CHECK(say_settle(&victim, 2, 1, &head) == 0);
    head = truth_head(victim.truth[1], 10);
    {
        struct truth *spoilt = fork_of(victim.truth[1], 9, 10);

        truth_entries(&message, spoilt, 5, 10, &head, false, &none); /* meets 8, and is not what it should be at 10 */
        CHECK(say(&victim, 1, &message) != 0);
        truth_free(spoilt);
    }
    CHECK(victim.count[SYNC_ALARM] == 1);
    CHECK(say_entries(&victim, 1, other, 5, 9, 9, false) != 0 && victim.count[SYNC_ALARM] == 2); /* two heads now */
    victim.hold = true;
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 9, 9, false) == 0);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_down(victim.sync, 2, victim_now(&victim));
    victim_drop(&victim);
    sync_forget_staged(victim.sync);
    victim.hold = false;
    link_up(&victim, 1);
    link_up(&victim, 2);
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    CHECK(say_entries(&victim, 1, other, 5, 8, 8, false) != 0);
    truth_free(other);
    victim_end(&victim);
}

/* The author fills the list of heads to be met with its own; one that another shows has room still. */
static void an_author_cannot_crowd_out_what_gives_it_away(void)
{
    struct truth *other = NULL;
    struct head head;

    victim_begin(&victim);
    truth_grow(victim.truth[1], 300, 50);
    other = fork_of(victim.truth[1], 6, 310);
    for (uint64_t size = 30; size < 300; size++) {
        if (size == 150)
            continue;
        head = truth_head(victim.truth[1], size);
        CHECK(say_settle(&victim, 1, 1, &head) == 0);
    }
    head = truth_head(other, 150);
    CHECK(say_settle(&victim, 2, 1, &head) == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 160, 160, false) != 0 && victim.count[SYNC_ALARM] == 1);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 210, 305, 5) == 0 && victim.count[SYNC_PENDING] == 1);
    truth_free(other);
    victim_free(&victim);
}

/* A message may say again thousands that are held to bring a single new one. */
static void a_chunk_has_room_for_what_is_new_alone(void)
{
    victim_begin(&victim);
    victim.hold = true;
    truth_grow(victim.truth[2], 1000, 10);
    CHECK(say_entries(&victim, 2, victim.truth[2], 0, 999, 999, false) == 0);
    CHECK(say_entries(&victim, 2, victim.truth[2], 0, 1000, 1000, false) == 0);
    CHECK(victim.held_count == 2 && victim.held[1]->count == 1 && victim.held[1]->room == 1);
    victim_free(&victim);
}

/* Whoever is ahead could show entries of another's log, so many that the author's own flash finds no room. */
static void others_leave_room_for_what_the_author_shows(void)
{
    victim_begin(&victim);
    truth_grow(victim.truth[1], 200, 50);
    for (uint64_t i = 0; i < SYNC_PENDING_MAX; i++)
        CHECK(say_overtake(&victim, 2, victim.truth[1], 20 + i, 200, 5) == 0);
    CHECK(victim.count[SYNC_PENDING] == SYNC_PENDING_MAX / 2);
    for (uint64_t i = 0; i < SYNC_PENDING_MAX; i++)
        CHECK(say_overtake(&victim, 1, victim.truth[1], 100 + i, 200, 5) == 0);
    CHECK(victim.count[SYNC_PENDING] == SYNC_PENDING_MAX);
    victim_free(&victim);
}

static void no_more_is_accepted_than_agreed(void)
{
    struct truth *large = NULL;
    size_t bytes = 0;

    victim_begin(&victim);
    victim.hold = true;
    large = victim.truth[2];
    truth_grow(large, 200, 60000);
    for (uint64_t at = 0; at < 200; at++) {
        if (say_entries(&victim, 2, large, at, at + 1, at + 1, false) != 0)
            break;
        bytes += 60000 + HASH_SIZE;
        CHECK(bytes <= SYNC_STAGED_MAX);
    }
    CHECK(bytes > SYNC_STAGED_MAX - 60000 - HASH_SIZE && bytes <= SYNC_STAGED_MAX);
    CHECK(strstr(victim.error.message, "more than was agreed") != NULL);
    victim_store(&victim);
    victim.hold = false;
    CHECK(say_entries(&victim, 2, large, 139, 150, 150, false) == 0 && sync_durable(victim.sync, 2) == 150);
    victim_free(&victim);
    /* And in small entries: each takes memory besides its bytes. */
    victim_begin(&victim);
    victim.hold = true;
    truth_grow(victim.truth[2], 100, 1);
    CHECK(say_entries(&victim, 2, victim.truth[2], 0, 100, 100, false) == 0);
    CHECK(victim.sync->log[2].staged_bytes == victim.held[0]->bytes.size + 100 * HASH_SIZE);
    victim_store(&victim);
    CHECK(victim.sync->log[2].staged_bytes == 0);
    truth_grow(victim.truth[2], 1, 1);
    victim.sync->log[2].staged_bytes = SYNC_STAGED_MAX - victim.truth[2]->entry[100].size - HASH_SIZE + 1;
    CHECK(say_entries(&victim, 2, victim.truth[2], 100, 101, 101, false) != 0);
    victim.sync->log[2].staged_bytes -= 1;
    CHECK(say_entries(&victim, 2, victim.truth[2], 100, 101, 101, false) == 0);
    victim_free(&victim);
    /* And in pieces: each takes memory however few bytes it has. */
    victim_begin(&victim);
    victim.hold = true;
    truth_grow(victim.truth[2], 2000, 10);
    for (uint64_t at = 0; at < 2000 && say_entries(&victim, 2, victim.truth[2], at, at + 1, at + 1, false) == 0; at++)
        ;
    CHECK(victim.held_count < 2000 && victim.held_count >= 2 * SYNC_FLIGHTS_MAX);
    victim_store(&victim);
    victim.hold = false;
    for (uint64_t at = sync_durable(victim.sync, 2); at < 2000; at++)
        CHECK(say_entries(&victim, 2, victim.truth[2], at, at + 1, at + 1, false) == 0);
    victim_free(&victim);
}

/* Everything accepted is dropped, as when the disk is full. */
static void forget(void)
{
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_down(victim.sync, 2, victim_now(&victim));
    victim_drop(&victim);
    sync_forget_staged(victim.sync);
    victim_events(&victim);
    CHECK(victim.held_count == 0 && sync_staged(victim.sync, 2)->size == sync_durable(victim.sync, 2));
    link_up(&victim, 1);
    link_up(&victim, 2);
}

/* What is forgotten comes again, as much of it as ever; and what nobody had taken from sync yet is forgotten too. */
static void what_is_forgotten_comes_again(void)
{
    struct truth *large = NULL;
    struct head head;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    large = victim.truth[2];
    truth_grow(large, 900, 50);
    truth_grow(large, 100, 60000);
    head = truth_head(large, 10);
    truth_entries(&message, large, 0, 10, &head, false, &none);
    CHECK(sync_input(victim.sync, 2, buffer_span(&message), victim_now(&victim), NULL) == 0);
    buffer_free(&message);
    victim.hold = true;
    forget();
    for (unsigned round = 0; round < 2; round++) { /* each nearly as many messages and bytes as may be */
        for (uint64_t at = 0; at < 1000; at++)
            CHECK(say_entries(&victim, 2, large, at, at + 1, at + 1, false) == 0);
        if (round == 0)
            forget();
    }
    victim_store(&victim);
    CHECK(sync_durable(victim.sync, 2) == 1000);
    victim_free(&victim);
}

static void an_overtaking_entry_is_proved(void)
{
    victim_begin(&victim);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 8, 10, 5) == 0 && victim.count[SYNC_PENDING] == 1);
    CHECK(victim.last[SYNC_PENDING].first == 8 && victim.last[SYNC_PENDING].head.size == 10);
    CHECK(sync_staged(victim.sync, 1)->size == 5);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 8, 10, 5) == 0 && victim.count[SYNC_PENDING] == 1); /* once */
    CHECK(say_overtake(&victim, 1, victim.truth[1], 3, 10, 5) == 0);                                    /* held */
    CHECK(say_overtake(&victim, 1, victim.truth[1], 9, 10, 4) == 0); /* a base that never was an end here */
    CHECK(say_overtake(&victim, 1, victim.truth[1], 9, 10, 7) == 0); /* one beyond */
    CHECK(say_overtake(&victim, 1, victim.truth[1], 9, 10, 0) == 0); /* none */
    CHECK(victim.count[SYNC_PENDING] == 1);
    for (unsigned i = 0; i < 6; i++) {
        struct head head = truth_head(victim.truth[1], 10);
        struct tree_proof inclusion = truth_inclusion(victim.truth[1], 9, 10);
        struct tree_proof consistency = truth_consistency(victim.truth[1], 5, 10);
        struct span entry = buffer_span(&victim.truth[1]->entry[9]);
        struct buffer message = {0};

        if (i == 0)
            inclusion.hash[0][0] ^= 1;
        if (i == 1)
            consistency.hash[0][0] ^= 1;
        if (i == 2)
            head.signature[0] ^= 1;
        if (i == 3)
            entry = span_from(entry, 1);
        if (i == 4)
            inclusion.count++;
        if (i == 5)
            consistency.count--;
        message_put_overtake(&message, 1, 9, entry, &head, &inclusion, 5, &consistency);
        CHECK(say(&victim, 1, &message) != 0 && victim.count[SYNC_PENDING] == 1);
    }
    victim_end(&victim);
}

/* The head under which an entry overtook must be met, and only so many may overtake. */
static void what_overtook_is_met_and_bounded(void)
{
    struct truth *other = NULL;

    victim_begin(&victim);
    truth_grow(victim.truth[1], 300, 50);
    other = fork_of(victim.truth[1], 5, 310);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 20, 30, 5) == 0 && victim.count[SYNC_PENDING] == 1);
    CHECK(say_entries(&victim, 1, other, 5, 40, 40, false) != 0 && victim.count[SYNC_ALARM] == 1);
    for (uint64_t i = 0; i < 100; i++)
        CHECK(say_overtake(&victim, 1, victim.truth[1], 100 + i, 300, 5) == 0);
    CHECK(victim.count[SYNC_PENDING] == SYNC_PENDING_MAX);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 150, 150, false) == 0);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 290, 300, 150) == 0);
    CHECK(victim.count[SYNC_PENDING] == SYNC_PENDING_MAX + 1); /* those reached have made room */
    truth_free(other);
    victim_free(&victim);
}

/* A member who says that it has more than there is keeps nobody from asking the next. */
static void who_only_claims_to_have_more_is_passed_over(void)
{
    victim_begin(&victim);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_down(victim.sync, 2, victim_now(&victim));
    /* The liar is asked first, and the other when nothing has come for a while. */
    sync_link_up(victim.sync, 4, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 4, (uint64_t[]){0, TREE_SIZE_MAX, 0}, 3, NULL) == 0);
    sync_link_up(victim.sync, 5, 2, victim_now(&victim));
    CHECK(say_hello(&victim, 5, (uint64_t[]){0, 10, 0}, 3, NULL) == 0);
    CHECK(hear_all(&victim, 4, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == 5);
    CHECK(hear_all(&victim, 5, true, MESSAGE_WANT, &heard) == 0);
    CHECK(sync_next(victim.sync).us == victim.us + SYNC_WANT_AGAIN_US);
    victim.us += SYNC_WANT_AGAIN_US - 1;
    sync_step(victim.sync, victim_now(&victim));
    CHECK(hear_all(&victim, 5, true, MESSAGE_WANT, &heard) == 0);
    victim.us++;
    sync_step(victim.sync, victim_now(&victim));
    CHECK(hear_all(&victim, 5, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == 5);
    for (int i = 0; i < 4; i++) { /* and nobody is asked twice on one link: it would send everything twice */
        victim.us += SYNC_WANT_AGAIN_US;
        sync_step(victim.sync, victim_now(&victim));
    }
    CHECK(hear_all(&victim, 4, true, MESSAGE_WANT, &heard) == 0 &&
          hear_all(&victim, 5, true, MESSAGE_WANT, &heard) == 0);
    CHECK(say_entries(&victim, 5, victim.truth[1], 5, 10, 10, false) == 0 && sync_durable(victim.sync, 1) == 10);
    victim_free(&victim);
}

/* A member who sends a log an entry at a time, just before the next one would be asked, has its turn and no more. */
static void who_sends_drop_by_drop_is_passed_over(void)
{
    unsigned drops = 0;

    victim_begin(&victim);
    truth_grow(victim.truth[1], 90, 50);
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_down(victim.sync, 2, victim_now(&victim));
    for (unsigned link = 4; link < 6; link++) {
        sync_link_up(victim.sync, link, 2, victim_now(&victim));
        CHECK(say_hello(&victim, link, (uint64_t[]){0, 100, 0}, 3, NULL) == 0);
    }
    CHECK(hear_all(&victim, 4, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == 5);
    while (drops < 90 && hear_all(&victim, 5, true, MESSAGE_WANT, &heard) == 0) {
        drops++;
        victim.us += SYNC_WANT_AGAIN_US - 1;
        CHECK(say_entries(&victim, 4, victim.truth[1], 4 + drops, 5 + drops, 100, false) == 0);
        sync_step(victim.sync, victim_now(&victim));
    }
    CHECK(drops == SYNC_TURN_US / SYNC_WANT_AGAIN_US + 1 && heard.member == 1 && heard.first == 5 + drops);
    CHECK(hear_all(&victim, 4, true, MESSAGE_WANT, &heard) == 1 && heard.first == TREE_SIZE_MAX);
    CHECK(say_entries(&victim, 5, victim.truth[1], 5 + drops, 100, 100, false) == 0);
    CHECK(sync_durable(victim.sync, 1) == 100);
    victim_free(&victim);
}

/* An author who is linked and sends nothing of what others have: they are asked for it after a while. */
static void a_silent_author_is_passed_over(void)
{
    victim_begin(&victim);
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 1, 10) == 0);
    CHECK(hear_all(&victim, 2, true, MESSAGE_WANT, &heard) == 0); /* its author may be sending it */
    victim.us += SYNC_WANT_AGAIN_US;
    sync_step(victim.sync, victim_now(&victim));
    CHECK(hear_all(&victim, 2, true, MESSAGE_WANT, &heard) == 1 && heard.member == 1 && heard.first == 5);
    victim_end(&victim);
}

static void claims_about_ones_own_log_are_bounded_by_it(void)
{
    victim_begin(&victim);
    victim_append(&victim, 5, 50, UINT64_MAX);
    CHECK(sync_carried(victim.sync) == 0);
    CHECK(say_size(&victim, 1, MESSAGE_WANT, 0, TREE_SIZE_MAX) == 0);
    CHECK(sync_carried(victim.sync) == 0);
    CHECK(say_size(&victim, 2, MESSAGE_HAVE, 0, TREE_SIZE_MAX) == 0);
    CHECK(sync_carried(victim.sync) == 5);
    CHECK(sync_receipted(victim.sync, 0, 2) == 0);
    victim_end(&victim);
}

static void one_entry_is_fetched_at_a_time(void)
{
    victim_begin(&victim);
    CHECK(say_size(&victim, 2, MESSAGE_FETCH, 1, 5) == 0 && victim.count[SYNC_OVERTAKE] == 0); /* not held */
    CHECK(say_size(&victim, 2, MESSAGE_FETCH, 1, 4) == 0 && victim.count[SYNC_OVERTAKE] == 1);
    CHECK(victim.last[SYNC_OVERTAKE].link == 2 && victim.last[SYNC_OVERTAKE].first == 4);
    CHECK(say_size(&victim, 2, MESSAGE_FETCH, 1, 3) == 0 && victim.count[SYNC_OVERTAKE] == 1);
    sync_overtake(victim.sync, 2, span_of(NULL, 0));
    CHECK(say_size(&victim, 2, MESSAGE_FETCH, 1, 3) == 0 && victim.count[SYNC_OVERTAKE] == 2);
    victim_end(&victim);
}

static void an_entry_is_mended_by_a_true_one_alone(void)
{
    struct truth *other = NULL;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 0, 10);
    sync_mend(victim.sync, 1, 3);
    CHECK(hear_all(&victim, 2, true, MESSAGE_FETCH, &heard) == 1 && heard.member == 1 && heard.first == 3);
    CHECK(hear_all(&victim, 1, true, MESSAGE_FETCH, &heard) == 1);
    CHECK(say_overtake(&victim, 2, other, 3, 5, 0) == 0 && victim.count[SYNC_MENDED] == 0);
    CHECK(say_overtake(&victim, 2, victim.truth[1], 2, 5, 0) == 0 && victim.count[SYNC_MENDED] == 0);
    CHECK(say_overtake(&victim, 2, victim.truth[1], 3, 5, 0) == 0 && victim.count[SYNC_MENDED] == 1);
    CHECK(say_overtake(&victim, 1, victim.truth[1], 3, 5, 0) == 0 && victim.count[SYNC_MENDED] == 1);
    sync_mend(victim.sync, 1, 2); /* earlier offices say the size of the head as its base */
    CHECK(say_overtake(&victim, 2, victim.truth[1], 2, 5, 5) == 0 && victim.count[SYNC_MENDED] == 2);
    truth_free(other);
    victim_end(&victim);
}

/* Everything an honest member says, with bits changed: what is accepted stays a beginning of the truth. */
static void changed_bits_do_no_harm(void)
{
    uint32_t dice = 1;

    victim_begin(&victim);
    for (unsigned round = 0; round < 20000; round++) {
        static const uint64_t sizes[3] = {0, 10, 0};
        struct head head = truth_head(victim.truth[1], 1 + round % 10);
        struct receipt receipt = truth_receipt(victim.truth[1], &head, 2);
        struct tree_proof proof = truth_consistency(victim.truth[1], 6, 10);
        struct hello_log logs[3] = {{.size = 0}, {.size = sizes[1], .has_head = true, .head = head}, {.size = 0}};
        struct buffer message = {0};

        if (round % 7 == 0) {
            head = truth_head(victim.truth[1], 10);
            truth_entries(&message, victim.truth[1], round % 6, 6, &head, round & 8, &proof);
        } else if (round % 7 == 1)
            message_put_settle(&message, 1, &head);
        else if (round % 7 == 2)
            message_put_receipt(&message, 1, head.size, head.root, &receipt);
        else if (round % 7 == 3)
            message_put_size(&message, MESSAGE_HAVE + (round / 7) % 2, 1, round % 11);
        else if (round % 7 == 4)
            truth_overtake(&message, victim.truth[1], 9, 10, 5);
        else if (round % 7 == 5)
            message_put_size(&message, MESSAGE_FETCH, 1, round % 11);
        else {
            sync_link_down(victim.sync, 1 + round % 2, victim_now(&victim));
            sync_link_up(victim.sync, 1 + round % 2, 1 + round % 2, victim_now(&victim));
            message_put_hello(&message, logs, 3);
        }
        for (unsigned flips = 1 + round % 3; flips > 0; flips--) {
            dice = dice * 1664525 + 1013904223;
            message.data[(dice >> 8) % message.size] ^= (uint8_t)(1 << (dice >> 5) % 8);
        }
        (void)say(&victim, 1 + round % 2, &message);
        (void)hear_all(&victim, 1 + round % 2, true, MESSAGE_HELLO, &heard);
        CHECK(holds_truth(&victim, 1) && sync_staged(victim.sync, 0)->size == 0 &&
              sync_staged(victim.sync, 2)->size == 0);
    }
    CHECK(victim.count[SYNC_OWN_AHEAD] == 0);
    sync_link_down(victim.sync, 2, victim_now(&victim));
    link_up(&victim, 2);
    victim_end(&victim);
}

/* What was told meanwhile is kept where accepted entries are forgotten, in its order. */
static void only_what_was_accepted_is_forgotten(void)
{
    struct buffer message = {0};
    struct head head;
    struct sync_event event;
    struct tree_proof none = {0};

    victim_begin(&victim);
    for (unsigned i = 0; i < 3; i++) { /* fetch, entries, fetch: nobody takes the events */
        if (i == 1) {
            head = truth_head(victim.truth[1], 10);
            truth_entries(&message, victim.truth[1], 5, 10, &head, false, &none);
        } else {
            message_put_size(&message, MESSAGE_FETCH, 1, 1 + i);
        }
        CHECK(sync_input(victim.sync, i == 0 ? 2 : 1, buffer_span(&message), victim_now(&victim), NULL) == 0);
        buffer_free(&message);
    }
    sync_link_down(victim.sync, 1, victim_now(&victim));
    sync_link_down(victim.sync, 2, victim_now(&victim));
    sync_forget_staged(victim.sync);
    CHECK(sync_event(victim.sync, &event) && event.kind == SYNC_OVERTAKE && event.first == 1);
    CHECK(sync_event(victim.sync, &event) && event.kind == SYNC_OVERTAKE && event.first == 3);
    CHECK(!sync_event(victim.sync, &event) && sync_staged(victim.sync, 1)->size == 5);
    link_up(&victim, 1);
    link_up(&victim, 2);
    victim_end(&victim);
}

/* What overtakes under another head than one shown before gives its author away, and is not shown. */
static void an_overtaking_entry_of_another_history_is_an_alarm(void)
{
    struct truth *other = NULL;
    struct head head;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 5, 10);
    head = truth_head(victim.truth[1], 10);
    CHECK(say_settle(&victim, 2, 1, &head) == 0);
    CHECK(say_overtake(&victim, 1, other, 8, 10, 5) != 0 && strstr(victim.error.message, "contradicts") != NULL);
    CHECK(victim.count[SYNC_PENDING] == 0 && victim.count[SYNC_ALARM] == 1 && victim.last[SYNC_ALARM].member == 1);
    truth_free(other);
    victim_end(&victim);
}

int main(void)
{
    RUN(nobody_speaks_before_greeting);
    RUN(nobody_greets_twice);
    RUN(what_is_not_proved_is_not_held_there);
    RUN(garbage_is_refused);
    RUN(a_head_is_its_authors);
    RUN(entries_are_those_of_the_head);
    RUN(proofs_are_whole);
    RUN(a_head_covers_what_comes_under_it);
    RUN(a_third_member_that_is_wrong_keeps_its_link);
    RUN(a_gap_is_asked_for);
    RUN(what_is_held_is_not_taken_twice);
    RUN(a_flag_is_heard_with_entries_that_are_held);
    RUN(nobody_says_what_is_in_ones_own_log);
    RUN(receipts_verify);
    RUN(a_receipt_of_something_else_is_void);
    RUN(a_receipt_may_come_before_its_entries);
    RUN(a_settle_head_is_told);
    RUN(ones_own_head_ahead_is_told);
    RUN(two_heads_of_one_size_are_an_alarm);
    RUN(a_head_shown_before_must_be_met);
    RUN(nobody_is_accused_by_what_another_made_up);
    RUN(a_head_is_met_only_by_what_is_durable);
    RUN(an_author_cannot_crowd_out_what_gives_it_away);
    RUN(a_chunk_has_room_for_what_is_new_alone);
    RUN(others_leave_room_for_what_the_author_shows);
    RUN(no_more_is_accepted_than_agreed);
    RUN(what_is_forgotten_comes_again);
    RUN(an_overtaking_entry_is_proved);
    RUN(what_overtook_is_met_and_bounded);
    RUN(who_only_claims_to_have_more_is_passed_over);
    RUN(who_sends_drop_by_drop_is_passed_over);
    RUN(a_silent_author_is_passed_over);
    RUN(claims_about_ones_own_log_are_bounded_by_it);
    RUN(one_entry_is_fetched_at_a_time);
    RUN(an_entry_is_mended_by_a_true_one_alone);
    RUN(changed_bits_do_no_harm);
    RUN(only_what_was_accepted_is_forgotten);
    RUN(an_overtaking_entry_of_another_history_is_an_alarm);
    return test_end();
}
