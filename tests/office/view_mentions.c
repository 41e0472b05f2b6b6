/*
 * What is gathered of an entry for people.
 */
#include "../../src/office/view.c"

#include <stdio.h>
#include <unistd.h>

#include "test.h"

#define TARGET 7

static struct charter charter = {.member_count = 3};
static struct line line = {.number = 1, .charter = &charter};

static void put_ref(struct store_batch *batch, unsigned by, uint64_t index)
{
    struct store_op op = {.kind = STORE_PUT_REF, .n = {PLACE(LOG_NUMBER(&line, 1), TARGET)}};

    op.n[1] = PLACE(LOG_NUMBER(&line, by), index);
    store_batch_put(batch, &op);
}

/* A member may name an entry thousands of times; another one acknowledges it once. */
static void nobody_crowds_out_an_acknowledgement(void)
{
    char directory[] = "/tmp/liaison-view-XXXXXX";
    char path[64];
    struct store *store = NULL;
    struct store_batch batch = {0};
    struct view_job view = {.line = &line};
    struct row row = {.author = 1, .index = TARGET};
    unsigned count[3] = {0};
    uint64_t last = 0;

    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(path, sizeof path, "%s/db", directory);
    store = store_open(path, true, NULL);
    CHECK(store != NULL);
    for (uint64_t i = 0; i < 200; i++)
        put_ref(&batch, 0, i);
    put_ref(&batch, 1, 9);
    put_ref(&batch, 2, 5);
    put_ref(&batch, 2, 6);
    CHECK(store_stage(store, &batch, NULL) == 0 && store_commit(store, 1, NULL) == 0);
    CHECK(gather_mentions(&view, store, PLACE(LOG_NUMBER(&line, 1), TARGET), &row) == 0);
    for (const struct mention *mention = row.mention; mention != NULL; mention = mention->next) {
        uint64_t place = (uint64_t)mention->author << 32 | mention->index;

        CHECK(count[0] + count[2] == 0 || place > last);
        last = place;
        count[mention->author]++;
    }
    CHECK(count[0] == VIEW_ACKNOWLEDGEMENTS_MAX / 2 && count[1] == 0 && count[2] == 2);
    free_mentions(&row);
    store_batch_free(&batch);
    store_close(store);
    (void)unlink(path);
    (void)rmdir(directory);
}

int main(void)
{
    RUN(nobody_crowds_out_an_acknowledgement);
    return test_end();
}
