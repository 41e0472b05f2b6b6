/*
 * What is said while memory is short: a call of malloc fails at every place in turn.
 */
#include "memory.h"
#include "victim.h"

static struct victim victim;

/* One thing that another may say, made beforehand: what is said about it comes while memory is short. */
enum spoken {
    ENTRIES,
    GREETING,
    SETTLED,
    RECEIPT,
    EARLY_RECEIPT,
    OVERTAKING,
    FETCHED,
    MENDED,
    FORKED,
    UNTRUE,
    GAP,
    SPOKEN
};

static void put_spoken(struct buffer *out, enum spoken what)
{
    struct head head = truth_head(victim.truth[1], what == EARLY_RECEIPT || what == GREETING ? 10 : 5);
    struct receipt receipt = truth_receipt(victim.truth[1], &head, 2);
    struct hello_log logs[3] = {{.size = 0}, {.size = 10, .has_head = true, .head = head}, {.size = 0}};
    struct truth *other = fork_of(victim.truth[1], 2, 10);
    struct tree_proof none = {0};

    switch (what) {
    case ENTRIES:
        head = truth_head(victim.truth[1], 10);
        truth_entries(out, victim.truth[1], 5, 10, &head, true, &none);
        break;
    case GREETING:
        message_put_hello(out, logs, 3);
        break;
    case SETTLED:
        message_put_settle(out, 1, &head);
        break;
    case RECEIPT:
    case EARLY_RECEIPT:
        message_put_receipt(out, 1, head.size, head.root, &receipt);
        break;
    case OVERTAKING:
        truth_overtake(out, victim.truth[1], 8, 10, 5);
        break;
    case FETCHED:
        message_put_size(out, MESSAGE_FETCH, 1, 3);
        break;
    case MENDED:
        truth_overtake(out, victim.truth[1], 3, 5, 0);
        break;
    case FORKED:
        head = truth_head(other, 5);
        message_put_settle(out, 1, &head);
        break;
    case UNTRUE:
        head = truth_head(victim.truth[1], 10);
        truth_entries(out, other, 5, 10, &head, false, &none);
        break;
    case GAP:
        head = truth_head(victim.truth[1], 10);
        truth_entries(out, victim.truth[1], 7, 10, &head, false, &none);
        break;
    case SPOKEN:
        abort();
    }
    truth_free(other);
}

/* Says it while the n-th call for memory fails; false if there is no n-th. */
static bool say_without_memory(enum spoken what, unsigned link, size_t n)
{
    struct buffer message = {0};
    struct error error = {0};
    int status = 0;
    bool ran_out = false;

    put_spoken(&message, what);
    memory_fail(n);
    status = sync_input(victim.sync, link, buffer_span(&message), victim_now(&victim), &error);
    ran_out = memory_ran_out();
    CHECK(ran_out || status == 0);
    CHECK((status == 0) == (error.code == ERROR_NONE));
    buffer_free(&message);
    victim_events(&victim);
    return ran_out;
}

/* Where there is no memory a link may end. Nobody is accused, and what was said is taken when it is said again. */
static void without_memory_nothing_is_lost_and_nobody_accused(void)
{
    for (enum spoken what = ENTRIES; what < SPOKEN; what++) {
        unsigned link = what == ENTRIES || what == EARLY_RECEIPT ? 1 : 2;
        unsigned expected = what == FORKED || what == UNTRUE ? 1 : 0; /* alarms, once it could be said */
        size_t failed = 0;

        for (size_t n = 1;; n++) {
            victim_begin(&victim);
            if (what == GREETING) {
                sync_link_down(victim.sync, link, victim_now(&victim));
                sync_link_up(victim.sync, link, 2, victim_now(&victim));
            }
            if (what == MENDED)
                sync_mend(victim.sync, 1, 3);
            if (what == EARLY_RECEIPT) /* the receipt waits for its entries: these find no memory */
                (void)say_without_memory(EARLY_RECEIPT, 2, 0);
            if (!say_without_memory(what == EARLY_RECEIPT ? ENTRIES : what, link, n)) {
                victim_free(&victim);
                break;
            }
            failed++;
            CHECK(victim.count[SYNC_ALARM] <= expected);
            CHECK(holds_truth(&victim, 1));
            if (what == UNTRUE) {
                victim_free(&victim);
                continue;
            }
            sync_link_down(victim.sync, link, victim_now(&victim));
            link_up(&victim, link);
            if (what != GREETING)
                (void)say_without_memory(what == EARLY_RECEIPT ? ENTRIES : what, link, 0);
            CHECK(victim.count[SYNC_ALARM] == expected);
            CHECK(what != MENDED || victim.count[SYNC_MENDED] == 1);
            CHECK(what != FETCHED || victim.count[SYNC_OVERTAKE] == 1);
            CHECK(what != SETTLED || victim.count[SYNC_SETTLE] == 1);
            CHECK(what != RECEIPT || sync_receipted(victim.sync, 1, 2) == 5);
            CHECK((what != ENTRIES && what != EARLY_RECEIPT) || sync_durable(victim.sync, 1) == 10);
            CHECK(what != OVERTAKING || victim.count[SYNC_PENDING] == 1);
            if (what == FORKED || what == ENTRIES || what == EARLY_RECEIPT)
                victim_free(&victim);
            else
                victim_end(&victim);
            CHECK(n < 100);
        }
        CHECK(failed > 0 || what == GREETING); /* which needs none */
    }
}

static void a_chunk_without_memory_is_none(void)
{
    for (size_t n = 1;; n++) {
        struct sync_chunk *chunk = NULL;
        int added = 0;
        bool ran_out = false;

        memory_fail(n);
        chunk = sync_chunk_new(1, 0, 1);
        for (unsigned i = 0; chunk != NULL && i < 3 && added == 0; i++)
            added = sync_chunk_add(chunk, span_of_string("entry"));
        ran_out = memory_ran_out();
        CHECK((chunk != NULL && added == 0) == !ran_out);
        for (size_t i = 0; chunk != NULL && i < chunk->count; i++)
            CHECK(span_equal(sync_chunk_entry(chunk, i), span_of_string("entry")));
        sync_chunk_free(chunk);
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
    sync_chunk_free(NULL);
    for (size_t n = 1; n <= 2; n++) {
        memory_fail(n);
        CHECK(sync_new(&victim.line.charter, 0) == NULL);
        CHECK(memory_ran_out());
    }
}

int main(void)
{
    RUN(without_memory_nothing_is_lost_and_nobody_accused);
    RUN(a_chunk_without_memory_is_none);
    return test_end();
}
