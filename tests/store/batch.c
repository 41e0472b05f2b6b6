#include "scratch.h"

static void an_operation_is_copied_with_its_blobs(void)
{
    struct store_batch batch = {0};
    char text[] = "first";

    put(&batch, OP(STORE_PUT_LINK, (1, 2, 3), (bytes_of(text))));
    text[0] = 'X';
    CHECK(batch.count == 1 && batch.op[0].kind == STORE_PUT_LINK && batch.op[0].n[2] == 3);
    CHECK(span_equal(batch.op[0].b[0], bytes_of("first")));
    CHECK(batch.op[0].b[1].size == 0 && batch.bytes == 5 && !batch.failed);
    store_batch_free(&batch);
    CHECK(batch.op == NULL && batch.count == 0);
    store_batch_free(NULL);
}

static void blobs_stay_where_they_are_while_the_batch_grows(void)
{
    struct store_batch batch = {0};
    static uint8_t blob[70000];
    const uint8_t *first = NULL;

    for (unsigned i = 0; i < 200; i++) {
        memset(blob, (int)i, sizeof blob);
        put(&batch, OP(STORE_PUT_NODE, (i), (span_of(blob, i * 350))));
        if (i == 1)
            first = batch.op[1].b[0].data;
    }
    CHECK(batch.op[1].b[0].data == first);
    for (unsigned i = 0; i < 200; i++) {
        memset(blob, (int)i, sizeof blob);
        CHECK(batch.op[i].n[0] == i && span_equal(batch.op[i].b[0], span_of(blob, i * 350)));
    }
    CHECK(batch.bytes == 350 * 199 * 200 / 2);
    store_batch_free(&batch);
}

static void a_batch_used_again_and_again_does_not_grow(void)
{
    struct store_batch batch = {0};
    static uint8_t blob[1000];
    struct store_block *block = NULL;

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 1000; i++)
            put(&batch, OP(STORE_PUT_NODE, (i), (span_of(blob, sizeof blob))));
        if (round == 2)
            block = batch.blocks;
        CHECK(round < 2 || batch.blocks == block);
        CHECK(batch.count == 1000 && batch.bytes == 1000000);
        store_batch_reset(&batch);
        CHECK(batch.count == 0 && batch.bytes == 0);
    }
    store_batch_free(&batch);
}

static void a_batch_can_be_appended_to_another(void)
{
    struct store_batch from = {0};
    struct store_batch to = {0};

    put(&to, OP(STORE_PUT_INBOX, (1, 1), ({0})));
    put(&from, OP(STORE_PUT_LINK, (7, 8, 9), (bytes_of("tcp:x"))));
    from.op[0].own = true;
    store_batch_append(&to, &from);
    store_batch_free(&from);
    CHECK(to.count == 2 && to.op[1].own && !to.op[0].own && span_equal(to.op[1].b[0], bytes_of("tcp:x")));
    from.failed = true;
    store_batch_append(&to, &from);
    CHECK(to.failed);
    put(&to, OP(STORE_PUT_INBOX, (2, 1), ({0})));
    CHECK(to.count == 2);
    store_batch_reset(&to);
    CHECK(!to.failed);
    store_batch_free(&to);
}

static void no_memory_is_remembered(void)
{
    struct store_batch batch = {0};
    static const uint8_t byte;

    put(&batch, OP(STORE_PUT_NODE, (1), (span_of(&byte, SIZE_MAX / 2))));
    CHECK(batch.failed && batch.count == 0);
    store_batch_free(&batch);
}

int main(void)
{
    RUN(an_operation_is_copied_with_its_blobs);
    RUN(blobs_stay_where_they_are_while_the_batch_grows);
    RUN(a_batch_used_again_and_again_does_not_grow);
    RUN(a_batch_can_be_appended_to_another);
    RUN(no_memory_is_remembered);
    return test_end();
}
