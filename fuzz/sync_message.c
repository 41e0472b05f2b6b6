/* sync/message: one encoding, and limits kept. */
#include "fuzz.h"

#include "sync/message.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"sync/message", NULL}, .runs = 400000};

static void put_entries(struct buffer *out, struct message *message)
{
    static struct span entry[ENTRIES_MAX];
    size_t bytes = 0;

    HOLD(message->count >= 1 && message->count <= ENTRIES_MAX);
    for (size_t i = 0; i < message->count; i++) {
        entry[i] = message_entry(message);
        bytes += entry[i].size;
        HOLD(entry[i].size >= 1 && entry[i].size <= ENTRY_SIZE_MAX);
    }
    HOLD(bytes <= ENTRIES_BYTES_MAX);
    message_put_entries(out, message->member, message->first, entry, message->count, &message->head, message->settle,
                        &message->proof);
}

static void put_again(struct buffer *out, struct message *message, unsigned members)
{
    switch (message->type) {
    case MESSAGE_HELLO:
        message_put_hello(out, message->hello, members);
        return;
    case MESSAGE_ENTRIES:
        put_entries(out, message);
        return;
    case MESSAGE_SETTLE:
        message_put_settle(out, message->member, &message->head);
        return;
    case MESSAGE_RECEIPT:
        HOLD(message->receipt.by < members);
        message_put_receipt(out, message->member, message->head.size, message->head.root, &message->receipt);
        return;
    case MESSAGE_OVERTAKE:
        HOLD(message->entry.size >= 1 && message->entry.size <= ENTRY_SIZE_MAX);
        message_put_overtake(out, message->member, message->first, message->entry, &message->head, &message->proof,
                             message->base, &message->consistency);
        return;
    default:
        message_put_size(out, message->type, message->member, message->first);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct message message;
    struct cursor cursor = cursor_of(span_of(data, size));
    unsigned members = 2 + (cursor_u8(&cursor) + 13u) % 15; /* as the byte says, where it says 2 to 16 */
    struct span bytes = cursor_rest(&cursor);
    struct buffer again = {0};
    struct error error = {0};

    fuzz_start();
    if (message_read(&message, bytes, members, &error) != 0) {
        fuzz_refused(&error);
        return 0;
    }
    HOLD(message.type == MESSAGE_HELLO || message.member < members);
    HOLD(message.proof.count <= TREE_PROOF_MAX && message.consistency.count <= TREE_PROOF_MAX);
    put_again(&again, &message, members);
    fuzz_same(&again, bytes);
    return 0;
}
