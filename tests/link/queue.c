#include "link/queue.h"
#include "memory.h"
#include "test.h"

/* Bytes go in and come out in order, whatever the sizes, and the memory stays in proportion. */
static void bytes_come_out_in_order(void)
{
    struct queue queue = {0};
    uint32_t state = 1;
    uint8_t in = 0, out = 0;
    size_t most = 0;

    for (int round = 0; round < 20000; round++) {
        size_t size = (state = state * 1664525 + 1013904223) >> 16 & 1023;
        uint8_t *to = queue_extend(&queue, size);

        CHECK(to != NULL);
        for (size_t i = 0; i < size; i++)
            to[i] = in++;
        most = queue_size(&queue) > most ? queue_size(&queue) : most;
        size = (state = state * 1664525 + 1013904223) >> 16 & (queue_size(&queue) > 20000 ? 2047 : 1023);
        size = size < queue_size(&queue) ? size : queue_size(&queue);
        for (size_t i = 0; i < size; i++)
            CHECK(queue_span(&queue).data[i] == out++);
        queue_drop(&queue, size);
        CHECK(queue.capacity <= 4 * (most + 1024));
    }
    queue_free(&queue);
}

/* A queue that stays nearly full, as a busy link's does, must not move all that waits for each few bytes. */
static void a_full_queue_moves_seldom(void)
{
    static const size_t waiting[] = {700, 1000, 49000, 65000, 97000, 130000, 131000};

    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
        struct queue queue = {0};
        size_t moved = 0;

        CHECK(queue_extend(&queue, waiting[i]) != NULL);
        for (size_t passed = 0; passed < 10 * waiting[i]; passed += 10) {
            size_t start = queue.start;

            CHECK(queue_extend(&queue, 10) != NULL);
            moved += queue.start < start ? waiting[i] : 0;
            queue_drop(&queue, 10);
        }
        CHECK(moved <= 4 * 10 * waiting[i]);
        CHECK(queue.capacity <= 4 * (waiting[i] + 10));
        queue_free(&queue);
    }
}

static void an_empty_queue_gives_large_memory_back(void)
{
    struct queue queue = {0};

    CHECK(queue_extend(&queue, 10 * QUEUE_KEEP) != NULL);
    queue_drop(&queue, 10 * QUEUE_KEEP - 1);
    CHECK(queue.capacity >= 10 * QUEUE_KEEP);
    queue_drop(&queue, 1);
    CHECK(queue.capacity <= QUEUE_KEEP && queue_size(&queue) == 0);
    queue_free(&queue);
}

static void what_is_cut_is_gone_and_the_rest_stays(void)
{
    struct queue queue = {0};

    memcpy(queue_extend(&queue, 6), "abcdef", 6);
    queue_drop(&queue, 1);
    queue_cut(&queue, 3);
    CHECK(span_equal(queue_span(&queue), span_of("bc", 2)));
    queue_free(&queue);
    queue_free(&queue);
    queue_free(NULL);
}

static void no_memory_changes_nothing(void)
{
    struct queue queue = {0};

    memcpy(queue_extend(&queue, 3), "abc", 3);
    CHECK(queue_extend(&queue, SIZE_MAX) == NULL);
    CHECK(span_equal(queue_span(&queue), span_of("abc", 3)));
    queue_free(&queue);
}

static void a_queue_that_cannot_grow_keeps_what_it_holds(void)
{
    struct queue queue = {0};
    uint8_t *to = queue_extend(&queue, 700);

    CHECK(to != NULL);
    if (to == NULL)
        return;
    memset(to, 7, 700);
    memory_fail(1);
    CHECK(queue_extend(&queue, 5000) == NULL);
    CHECK(memory_ran_out());
    CHECK(queue_size(&queue) == 700 && queue_span(&queue).data[0] == 7 && queue_span(&queue).data[699] == 7);
    CHECK(queue_extend(&queue, 5000) != NULL && queue_size(&queue) == 5700);
    queue_free(&queue);
}

int main(void)
{
    RUN(bytes_come_out_in_order);
    RUN(a_full_queue_moves_seldom);
    RUN(an_empty_queue_gives_large_memory_back);
    RUN(what_is_cut_is_gone_and_the_rest_stays);
    RUN(no_memory_changes_nothing);
    RUN(a_queue_that_cannot_grow_keeps_what_it_holds);
    return test_end();
}
