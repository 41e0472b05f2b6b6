/*
 * What goes into a batch when more waits than it may hold.
 */
#include "../../src/office/commit.c"

#include <stdlib.h>

#include "test.h"

#define LINES 3

static struct office office;
static struct line line[LINES];
static struct charter charter = {.member_count = 2};

static struct commit_job *new_commit(void)
{
    return calloc(1, sizeof(struct commit_job) + LINES * sizeof(struct part));
}

static void begin(void)
{
    memset(&office, 0, sizeof office);
    for (unsigned i = 0; i < LINES; i++) {
        memset(&line[i], 0, sizeof line[i]);
        line[i].number = i + 1;
        line[i].charter = &charter;
        line[i].sync = sync_new(&charter, 0);
        office.line[office.line_count++] = &line[i];
    }
}

static void end(void)
{
    struct error none = {0};

    for (unsigned i = 0; i < LINES; i++) {
        forget_pending(&office, &line[i], &none);
        while (line[i].accepted_first != NULL) {
            struct sync_chunk *chunk = line[i].accepted_first;

            line[i].accepted_first = chunk->next;
            sync_chunk_free(chunk);
        }
        sync_free(line[i].sync);
    }
}

static struct sync_chunk *new_chunk(unsigned member, uint64_t first, size_t count, size_t size)
{
    static const uint8_t bytes[65535];
    struct sync_chunk *chunk = sync_chunk_new(member, first, count);

    for (size_t i = 0; i < count; i++) {
        CHECK(sync_chunk_add(chunk, span_of(bytes, size)) == 0);
        tree_append(&chunk->after, chunk->leaf[i]);
    }
    return chunk;
}

static void accept(struct line *to, size_t chunks, size_t count, size_t size)
{
    for (size_t i = 0; i < chunks; i++) {
        struct sync_chunk *chunk = new_chunk(1, i * count, count, size);

        chunk->next = to->accepted_first;
        to->accepted_first = chunk;
        if (chunk->next == NULL)
            to->accepted_last = chunk;
    }
}

static void append(struct line *to, size_t count, size_t size)
{
    static const uint8_t token[16], digest[HASH_SIZE];
    struct store_op op = {.kind = STORE_PUT_TOKEN, .own = true, .n = {INT64_MAX, INT64_MAX, 1}};

    op.b[0] = span_of(token, sizeof token);
    op.b[1] = span_of(digest, sizeof digest);
    to->pending_first = to->pending_last = calloc(1, sizeof *to->pending_first);
    to->pending_first->chunk = new_chunk(0, 0, count, size);
    for (size_t i = 0; i < count; i++)
        store_batch_put(&to->pending_first->operations, &op);
}

/* An entry of one byte takes far more than that. */
static void many_small_entries_are_many_batches(void)
{
    struct commit_job *commit = new_commit();

    begin();
    accept(&line[0], 20, ENTRIES_MAX, 1);
    take_part(&office, commit, &line[0]);
    CHECK(commit->batch.count > ENTRIES_MAX && commit->batch.count < (size_t)8 * ENTRIES_MAX);
    CHECK(line[0].accepted_first != NULL);
    commit_release(&commit->job);
    end();
}

static void no_line_keeps_another_waiting(void)
{
    struct commit_job *commit = new_commit();

    begin();
    accept(&line[0], 6, 16, 65535);
    accept(&line[1], 2, 1, 100);
    take_part(&office, commit, &line[0]);
    take_part(&office, commit, &line[1]);
    CHECK(line[0].accepted_first != NULL);
    CHECK(commit->part_count == 2 && commit->part[1].accepted != NULL);
    commit_release(&commit->job);
    end();
}

/* What is too much for the mark goes with the batches after it, whatever it is made of. */
static void own_entries_of_all_lines_fit_the_mark(void)
{
    static const size_t size[] = {65000, 352};

    for (unsigned s = 0; s < 2; s++) {
        unsigned batches = 0;

        begin();
        for (unsigned i = 0; i < LINES; i++)
            append(&line[i], BATCH_BYTES_MAX / size[s], size[s]);
        for (; batches < 4 * LINES && (line[0].pending_first || line[1].pending_first || line[2].pending_first);
             batches++) {
            struct commit_job *commit = new_commit();

            for (unsigned i = 0; i < LINES; i++)
                take_part(&office, commit, &line[i]);
            CHECK(encode_mark(&office, commit) == 0);
            commit_release(&commit->job);
        }
        CHECK(batches > 1 && batches <= LINES);
        end();
    }
}

/* Whoever opens many links at once must not leave others unanswered. */
static void every_offer_is_answered_with_the_batch_of_its_counter(void)
{
    struct office_job *job = NULL;

    begin();
    office.connection_end = OFFICE_LINKS_MAX;
    for (unsigned i = 0; i < OFFICE_LINKS_MAX; i++)
        office.connection[i].offered = true;
    office.hurry = office.noted = true;
    commit_some(&office);
    CHECK(office_job(&office, &job) && ((struct commit_job *)job)->offer_count == OFFICE_LINKS_MAX);
    job->release(job);
    end();
    store_batch_free(&office.lazy);
}

int main(void)
{
    RUN(many_small_entries_are_many_batches);
    RUN(no_line_keeps_another_waiting);
    RUN(own_entries_of_all_lines_fit_the_mark);
    RUN(every_offer_is_answered_with_the_batch_of_its_counter);
    return test_end();
}
