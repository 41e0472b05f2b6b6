/*
 * The fold in slices: none of them keeps the loop or the store's thread for long, whatever a member has written.
 */
#include "../../src/office/fold.c"

#include "../../src/office/lookup.c"

#include <stdio.h>
#include <unistd.h>

#include "seal/aead.h"
#include "test.h"

#define ENTRIES 20

static struct office office;
static struct line line;
static struct charter charter = {.member_count = 2};

static void begin(void)
{
    memset(&office, 0, sizeof office);
    memset(&line, 0, sizeof line);
    line.charter = &charter;
    line.sync = sync_new(&charter, 0);
    office.line[office.line_count++] = &line;
}

static void end(void)
{
    sync_free(line.sync);
    store_batch_free(&office.lazy);
}

static void prekeys_are_taken_one_entry_at_a_time(void)
{
    static struct prekeys prekeys = {.count = 1, .batch = {{.keys = PREKEY_BATCH}}};
    struct entry_header header = {.class = ENTRY_PREKEYS};
    struct buffer body = {0};
    struct buffer bytes = {0};
    struct fold_job *fold = NULL;

    begin();
    for (unsigned k = 0; k < PREKEY_BATCH; k++) {
        const uint8_t secret[DH_SIZE] = {(uint8_t)k};

        dh_public(prekeys.batch[0].key[k], secret);
    }
    prekeys_put(&prekeys, &body);
    entry_clear(&bytes, &header, buffer_span(&body));
    fold = new_fold(&line, 1);
    fold->slice[0] = (struct fold_slice){.member = 1, .count = 3, .entry = calloc(3, sizeof(struct fold_entry))};
    for (unsigned i = 0; i < 3; i++)
        fold->slice[0].entry[i] = (struct fold_entry){.member = 1, .index = i, .bytes = buffer_span(&bytes)};
    take_slices(&office, fold);
    CHECK(line.member[1].folded == 1 && line.member[1].offered_count == PREKEY_BATCH);
    /* When the order is made again they are not checked again. */
    line.member[1].folded = 0;
    line.member[1].announced = 3;
    fold->slice[0].next = 0;
    fold->slice[0].count = 3;
    take_slices(&office, fold);
    CHECK(line.member[1].folded == 3);
    fold_release(&fold->job);
    buffer_free(&body);
    buffer_free(&bytes);
    end();
}

static void put_entries_with_claims(struct store *store)
{
    struct entry_header header = {.class = ENTRY_LEAVE, .reference_count = REFERENCES_MAX};
    static const uint8_t leaf[HASH_SIZE], empty_map[] = {0xa0};
    struct store_batch batch = {0};
    struct buffer bytes = {0};

    entry_clear(&bytes, &header, span_of(empty_map, sizeof empty_map));
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct store_op op = {.kind = STORE_PUT_ENTRY, .n = {PLACE(LOG_NUMBER(&line, 1), i), ENTRY_LEAVE}};

        op.b[0] = span_of(leaf, sizeof leaf);
        op.b[1] = buffer_span(&bytes);
        store_batch_put(&batch, &op);
    }
    CHECK(store_stage(store, &batch, NULL) == 0 && store_commit(store, 1, NULL) == 0);
    store_batch_free(&batch);
    buffer_free(&bytes);
}

static void a_slice_ends_where_its_claims_are_many(void)
{
    char directory[] = "/tmp/liaison-fold-XXXXXX";
    char path[64];
    struct store *store = NULL;
    struct fold_job *fold = NULL;
    struct fold_slice *slice = NULL;

    begin();
    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(path, sizeof path, "%s/db", directory);
    store = store_open(path, true, NULL);
    CHECK(store != NULL);
    put_entries_with_claims(store);
    fold = new_fold(&line, 1);
    slice = &fold->slice[0];
    slice->member = 1;
    fold->durable[1] = ENTRIES;
    CHECK(fold_look_up(&fold->job, store) == 0);
    CHECK(slice->rows.count == ENTRIES && slice->count == FOLD_CLAIMS / REFERENCES_MAX);
    CHECK(slice->entry[slice->count - 1].claim_count == REFERENCES_MAX);
    fold_release(&fold->job);
    store_close(store);
    (void)unlink(path);
    (void)rmdir(directory);
    end();
}

/* Else the loop would wake without end until the job is done. */
static void nothing_is_due_while_a_job_is_out(void)
{
    begin();
    office.now.monotonic.us = 5;
    line.late[1].any = true;
    line.member[0].folded = 1;
    CHECK(fold_next(&office).us == 0);
    line.folding = true;
    CHECK(fold_next(&office).us == NEVER.us);
    end();
}

int main(void)
{
    RUN(prekeys_are_taken_one_entry_at_a_time);
    RUN(a_slice_ends_where_its_claims_are_many);
    RUN(nothing_is_due_while_a_job_is_out);
    return test_end();
}
