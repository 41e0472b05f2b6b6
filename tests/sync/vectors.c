/* Runs vectors/sync/, which a second program wrote. What the inputs are made of stands in its generate.py. */
#include "vectors_each.h"

#include "sync/sync.h"

static void put_again(struct buffer *out, struct message *message, unsigned members)
{
    static struct span entry[ENTRIES_MAX];

    switch (message->type) {
    case MESSAGE_HELLO:
        message_put_hello(out, message->hello, members);
        return;
    case MESSAGE_ENTRIES:
        for (size_t i = 0; i < message->count; i++)
            entry[i] = message_entry(message);
        message_put_entries(out, message->member, message->first, entry, message->count, &message->head,
                            message->settle, &message->proof);
        return;
    case MESSAGE_SETTLE:
        message_put_settle(out, message->member, &message->head);
        return;
    case MESSAGE_RECEIPT:
        message_put_receipt(out, message->member, message->head.size, message->head.root, &message->receipt);
        return;
    case MESSAGE_OVERTAKE:
        message_put_overtake(out, message->member, message->first, message->entry, &message->head, &message->proof,
                             message->base, &message->consistency);
        return;
    default:
        message_put_size(out, message->type, message->member, message->first);
    }
}

static int run_message(struct span input, struct buffer *output, struct error *error)
{
    static struct message message;
    struct cursor cursor = cursor_of(input);
    unsigned members = cursor_u8(&cursor);

    if (message_read(&message, cursor_rest(&cursor), members, error) != 0)
        return -1;
    put_again(output, &message, members);
    return 0;
}

/* The line of vectors/record/, from the case that founds it. */
static void found(struct charter *charter)
{
    json_t *founding = vectors_load_path(SOURCE_ROOT "/vectors/record/charter.three-members.json");
    struct buffer text = {0};
    struct error error = {0};

    if (charter_parse(charter, vector_bytes(founding, "input_hex", &text), &error) != 0) {
        printf("# the line of the vectors cannot be founded: %s\n", error.message);
        exit(1);
    }
    buffer_free(&text);
    json_decref(founding);
}

static void store_all(struct sync *sync)
{
    struct sync_event event;

    while (sync_event(sync, &event)) {
        if (event.kind == SYNC_ACCEPTED)
            sync_stored(sync, event.chunk);
        sync_chunk_free(event.chunk);
    }
}

static void put_state(struct buffer *out, const struct sync *sync)
{
    for (unsigned member = 0; member < 3; member++) {
        uint8_t root[HASH_SIZE];

        buffer_put_u64(out, sync_durable(sync, member));
        tree_root(sync_frontier(sync, member), root);
        buffer_put(out, root, HASH_SIZE);
        for (unsigned by = 0; by < 3; by++)
            buffer_put_u64(out, sync_receipted(sync, member, by));
    }
}

static int run_take(struct span input, struct buffer *output, struct error *error)
{
    struct charter charter;
    struct cursor cursor = cursor_of(input);
    unsigned receiver = cursor_u8(&cursor), sender = cursor_u8(&cursor);
    struct now now = {0};
    struct sync *sync = NULL;
    int result = 0;

    found(&charter);
    sync = sync_new(&charter, receiver);
    sync_link_up(sync, 0, sender, now);
    while (result == 0 && cursor.left > 0) {
        struct span message = cursor_span(&cursor, cursor_u32(&cursor));

        CHECK(!cursor.failed);
        result = sync_input(sync, 0, message, now, error);
        store_all(sync);
    }
    if (result == 0)
        put_state(output, sync);
    sync_free(sync);
    return result;
}

static void message_vectors(void)
{
    each_case("sync/message", run_message);
}

static void take_vectors(void)
{
    each_case("sync/take", run_take);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(message_vectors);
    RUN(take_vectors);
    return test_end();
}
