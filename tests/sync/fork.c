/*
 * What is kept when an author is found to have signed two histories makes evidence; and nothing is kept where it was
 * not the author's signatures that were found.
 */
#include "record/evidence.h"
#include "sync/victim.h"

#define SIZES 14

static struct victim victim;

static bool is_evidence(const struct sync_fork *fork)
{
    struct buffer text = {0};
    struct error error = {0};
    bool ok = fork != NULL && evidence_write(&text, buffer_span(&victim.line.text), 1, &fork->one, &fork->other,
                                             fork->root, &fork->path, &error) == 0;

    if (!ok)
        printf("# %s\n", fork == NULL ? "there is none" : error.message);
    buffer_free(&text);
    return ok;
}

/* Of `held` entries, a head of `shown` is awaited that is of another history; then entries come up to `end`, proved by
 * a head of `size`. */
static bool is_found(const struct truth *truth, const struct truth *other, uint64_t held, uint64_t shown, uint64_t end,
                     uint64_t size)
{
    struct head head = truth_head(other, shown);
    const struct sync_fork *fork = NULL;
    bool ok = false;

    /* Another engine for the same line: its logs are large, and not needed here. */
    sync_free(victim.sync);
    victim.sync = sync_new(&victim.line.charter, 0);
    memset(victim.count, 0, sizeof victim.count);
    link_up(&victim, 1);
    link_up(&victim, 2);
    CHECK(held == 0 || say_entries(&victim, 1, truth, 0, held, held, false) == 0);
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && sync_fork(victim.sync, 1) == NULL);
    CHECK(say_entries(&victim, 1, truth, held, end, size, false) != 0 && victim.count[SYNC_ALARM] == 1);
    fork = sync_fork(victim.sync, 1);
    ok = is_evidence(fork) && fork->one.size == shown && fork->other.size == size;
    if (!ok)
        printf("# held %llu, shown %llu, up to %llu of %llu\n", (unsigned long long)held, (unsigned long long)shown,
               (unsigned long long)end, (unsigned long long)size);
    victim_events(&victim);
    return ok;
}

static void a_log_that_does_not_lead_to_a_head_shown_before(void)
{
    struct truth *truth = NULL, *other = NULL;
    size_t tried = 0;

    victim_new(&victim);
    truth = victim.truth[1];
    truth_grow(truth, SIZES, 50);
    other = fork_of(truth, 0, SIZES);
    for (uint64_t held = 0; held < 9; held += 1 + held % 2)
        for (uint64_t shown = held + 1; shown <= SIZES; shown++)
            for (uint64_t end = shown; end <= SIZES; end += 1 + shown % 2)
                for (uint64_t size = end; size <= SIZES; size += 1 + end % 3, tried++)
                    CHECK(is_found(truth, other, held, shown, end, size));
    printf("# %zu\n", tried);
    truth_free(other);
    victim_free(&victim);
}

/* Two heads of one size beyond what is held; one of a size that is held, where the other may be any that covers it. */
static void heads_of_one_size(void)
{
    struct truth *other = NULL;
    struct head head;

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 2, 10);
    head = truth_head(victim.truth[1], 9);
    CHECK(say_settle(&victim, 1, 1, &head) == 0);
    head = truth_head(victim.truth[1], 10);
    CHECK(say_settle(&victim, 1, 1, &head) == 0);
    CHECK(sync_fork(victim.sync, 1) == NULL);
    head = truth_head(other, 9);
    CHECK(say_settle(&victim, 2, 1, &head) == 0);
    CHECK(is_evidence(sync_fork(victim.sync, 1)) && sync_fork(victim.sync, 1)->other.size == 9);
    head = truth_head(other, 10); /* the first is kept */
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && sync_fork(victim.sync, 1)->one.size == 9);
    victim_end(&victim);
    truth_free(other);

    victim_begin(&victim);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 7, 7, false) == 0);
    other = fork_of(victim.truth[1], 2, 10);
    head = truth_head(other, 5);
    CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_ALARM] == 1);
    CHECK(sync_fork(victim.sync, 1) != NULL && sync_fork(victim.sync, 1)->one.size == 5 &&
          sync_fork(victim.sync, 1)->other.size == 0);
    victim_end(&victim);
    truth_free(other);
}

static void what_others_make_up_is_none(void)
{
    struct truth *other = NULL;
    struct head head, forged;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 0, 10);
    head = truth_head(victim.truth[1], 10);
    forged = truth_head(other, 10);
    memcpy(forged.signature, head.signature, SIGNATURE_SIZE);
    CHECK(say_settle(&victim, 2, 1, &forged) != 0); /* the author did not sign it */
    sync_link_down(victim.sync, 2, victim_now(&victim));
    link_up(&victim, 2);
    truth_entries(&message, other, 5, 10, &head, false, &none); /* nor are these what it signed */
    CHECK(say(&victim, 2, &message) == 0 && victim.count[SYNC_ALARM] == 1);
    CHECK(sync_fork(victim.sync, 1) == NULL);
    head = truth_head(victim.truth[1], 3); /* an older head, which may be forgotten, and one beyond: both true */
    CHECK(say_settle(&victim, 1, 1, &head) == 0);
    head = truth_head(victim.truth[1], 8);
    CHECK(say_settle(&victim, 1, 1, &head) == 0);
    CHECK(say_entries(&victim, 1, victim.truth[1], 5, 10, 10, true) == 0);
    CHECK(sync_fork(victim.sync, 1) == NULL && sync_fork(victim.sync, 2) == NULL);
    truth_free(other);
    victim_free(&victim);
}

/* An author that was told of for what it sent is told of again once there are two heads that show it. */
static void two_heads_are_told_after_a_lesser_alarm(void)
{
    struct truth *other = NULL;
    struct head head;
    struct tree_proof none = {0};
    struct buffer message = {0};

    victim_begin(&victim);
    other = fork_of(victim.truth[1], 2, 10);
    head = truth_head(victim.truth[1], 10);
    truth_entries(&message, other, 5, 10, &head, false, &none);
    CHECK(say(&victim, 1, &message) != 0 && victim.count[SYNC_ALARM] == 1 && sync_fork(victim.sync, 1) == NULL);
    head = truth_head(other, 5);
    for (unsigned i = 0; i < 3; i++)
        CHECK(say_settle(&victim, 2, 1, &head) == 0 && victim.count[SYNC_ALARM] == 2);
    CHECK(sync_fork(victim.sync, 1) != NULL && victim.last[SYNC_ALARM].author == 1);
    truth_free(other);
    victim_end(&victim);
}

int main(void)
{
    RUN(a_log_that_does_not_lead_to_a_head_shown_before);
    RUN(heads_of_one_size);
    RUN(what_others_make_up_is_none);
    RUN(two_heads_are_told_after_a_lesser_alarm);
    return test_end();
}
