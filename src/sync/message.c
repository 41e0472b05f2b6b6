#include "sync/message.h"

#include "base/cbor.h"

static bool read_head(struct cursor *cursor, struct head *head)
{
    size_t items = cbor_read_array(cursor, 3);

    if (items == 0)
        return false;
    if (items != 3)
        return cursor_fail(cursor);
    head->size = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
    cbor_copy_bytes(cursor, head->root, HASH_SIZE);
    cbor_copy_bytes(cursor, head->signature, SIGNATURE_SIZE);
    return !cursor->failed;
}

static void need_head(struct cursor *cursor, struct head *head)
{
    if (!read_head(cursor, head))
        (void)cursor_fail(cursor);
}

static void read_proof(struct cursor *cursor, struct tree_proof *proof)
{
    proof->count = cbor_read_array(cursor, TREE_PROOF_MAX);
    for (size_t i = 0; i < proof->count && !cursor->failed; i++)
        cbor_copy_bytes(cursor, proof->hash[i], HASH_SIZE);
}

/* The log a message is about. There is one incarnation so far, 0. */
static unsigned read_log(struct cursor *cursor, unsigned member_count)
{
    unsigned member = (unsigned)cbor_read_uint_max(cursor, member_count - 1);

    (void)cbor_read_uint_max(cursor, 0);
    return member;
}

static void read_hello(struct cursor *cursor, struct message *message, unsigned member_count)
{
    cursor_part(cursor, "its version");
    if (cbor_read_uint(cursor) != SYNC_VERSION)
        (void)cursor_fail(cursor);
    cursor_part(cursor, "its list of logs");
    if (cbor_read_array(cursor, member_count) != member_count)
        (void)cursor_fail(cursor);
    for (unsigned i = 0; i < member_count && !cursor->failed; i++) {
        if (cbor_read_array(cursor, 4) != 4 || read_log(cursor, member_count) != i)
            (void)cursor_fail(cursor);
        message->hello[i].size = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
        message->hello[i].has_head = read_head(cursor, &message->hello[i].head);
    }
}

static void read_entries(struct cursor *cursor, struct message *message)
{
    size_t bytes = 0;

    cursor_part(cursor, "its first number");
    message->first = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
    cursor_part(cursor, "its entries");
    message->count = cbor_read_array(cursor, ENTRIES_MAX);
    message->entries = *cursor;
    for (size_t i = 0; i < message->count && !cursor->failed; i++)
        bytes += cbor_read_bytes(cursor, 1, ENTRY_SIZE_MAX).size;
    if (bytes > ENTRIES_BYTES_MAX || message->count == 0)
        (void)cursor_fail(cursor);
    cursor_part(cursor, "its head");
    need_head(cursor, &message->head);
    cursor_part(cursor, "its settle flag");
    message->settle = cbor_read_uint_max(cursor, 1) == 1;
    cursor_part(cursor, "its proof");
    read_proof(cursor, &message->proof);
}

static void read_receipt(struct cursor *cursor, struct message *message, unsigned member_count)
{
    cursor_part(cursor, "its size");
    message->head.size = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
    cursor_part(cursor, "its root");
    cbor_copy_bytes(cursor, message->head.root, HASH_SIZE);
    cursor_part(cursor, "the member that gives it");
    message->receipt.by = (unsigned)cbor_read_uint_max(cursor, member_count - 1);
    if (message->receipt.by == message->member)
        (void)cursor_fail(cursor);
    cursor_part(cursor, "its time");
    message->receipt.time = cbor_read_uint_max(cursor, INT64_MAX);
    cursor_part(cursor, "its signature");
    cbor_copy_bytes(cursor, message->receipt.signature, SIGNATURE_SIZE);
}

static void read_overtake(struct cursor *cursor, struct message *message)
{
    cursor_part(cursor, "its number");
    message->first = cbor_read_uint_max(cursor, TREE_SIZE_MAX - 1);
    cursor_part(cursor, "its entry");
    message->entry = cbor_read_bytes(cursor, 1, ENTRY_SIZE_MAX);
    cursor_part(cursor, "its head");
    need_head(cursor, &message->head);
    cursor_part(cursor, "its proof of inclusion");
    read_proof(cursor, &message->proof);
    cursor_part(cursor, "its base");
    message->base = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
    cursor_part(cursor, "its proof of consistency");
    read_proof(cursor, &message->consistency);
}

int message_read(struct message *message, struct span bytes, unsigned member_count, struct error *error)
{
    static const struct {
        const char *name;
        size_t items;
    } form[] = {{"a HELLO", 3}, {"an ENTRIES", 8}, {"a SETTLE", 4},    {"a RECEIPT", 8},
                {"a HAVE", 4},  {"a WANT", 4},     {"an OVERTAKE", 9}, {"a FETCH", 4}};
    struct cursor cursor = cursor_of(bytes);
    size_t items = cbor_read_array(&cursor, 9);

    message->type = (enum message_type)cbor_read_uint_max(&cursor, MESSAGE_FETCH);
    if (cursor.failed)
        return error_set(error, ERROR_INVALID, "a message of no known type came");
    if (items != form[message->type].items)
        return error_set(error, ERROR_INVALID, "%s message has %zu items, not %zu", form[message->type].name, items,
                         form[message->type].items);
    cursor_part(&cursor, "the log that it is about");
    if (message->type != MESSAGE_HELLO)
        message->member = read_log(&cursor, member_count);
    switch (message->type) {
    case MESSAGE_HELLO:
        read_hello(&cursor, message, member_count);
        break;
    case MESSAGE_ENTRIES:
        read_entries(&cursor, message);
        break;
    case MESSAGE_SETTLE:
        cursor_part(&cursor, "its head");
        need_head(&cursor, &message->head);
        break;
    case MESSAGE_RECEIPT:
        read_receipt(&cursor, message, member_count);
        break;
    case MESSAGE_HAVE:
    case MESSAGE_WANT:
    case MESSAGE_FETCH:
        cursor_part(&cursor, "its number");
        message->first = cbor_read_uint_max(&cursor, TREE_SIZE_MAX);
        break;
    case MESSAGE_OVERTAKE:
        read_overtake(&cursor, message);
        break;
    }
    if (!cursor_done(&cursor))
        return error_set(error, ERROR_INVALID, "%s message is not well-formed at %s", form[message->type].name,
                         cursor_wrong(&cursor));
    return 0;
}

struct span message_entry(struct message *message)
{
    return cbor_read_bytes(&message->entries, 1, ENTRY_SIZE_MAX);
}

static void put_start(struct buffer *out, size_t items, enum message_type type)
{
    cbor_put_array(out, items);
    cbor_put_uint(out, type);
}

static void put_log(struct buffer *out, unsigned member)
{
    cbor_put_uint(out, member);
    cbor_put_uint(out, 0);
}

static void put_head(struct buffer *out, const struct head *head)
{
    cbor_put_array(out, 3);
    cbor_put_uint(out, head->size);
    cbor_put_bytes(out, head->root, HASH_SIZE);
    cbor_put_bytes(out, head->signature, SIGNATURE_SIZE);
}

static void put_proof(struct buffer *out, const struct tree_proof *proof)
{
    cbor_put_array(out, proof->count);
    for (size_t i = 0; i < proof->count; i++)
        cbor_put_bytes(out, proof->hash[i], HASH_SIZE);
}

void message_put_hello(struct buffer *out, const struct hello_log *logs, unsigned member_count)
{
    put_start(out, 3, MESSAGE_HELLO);
    cbor_put_uint(out, SYNC_VERSION);
    cbor_put_array(out, member_count);
    for (unsigned i = 0; i < member_count; i++) {
        cbor_put_array(out, 4);
        put_log(out, i);
        cbor_put_uint(out, logs[i].size);
        if (logs[i].has_head)
            put_head(out, &logs[i].head);
        else
            cbor_put_array(out, 0);
    }
}

void message_put_entries(struct buffer *out, unsigned member, uint64_t first, const struct span *entries, size_t count,
                         const struct head *head, bool settle, const struct tree_proof *proof)
{
    put_start(out, 8, MESSAGE_ENTRIES);
    put_log(out, member);
    cbor_put_uint(out, first);
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        cbor_put_bytes(out, entries[i].data, entries[i].size);
    put_head(out, head);
    cbor_put_uint(out, settle);
    put_proof(out, proof);
}

void message_put_settle(struct buffer *out, unsigned member, const struct head *head)
{
    put_start(out, 4, MESSAGE_SETTLE);
    put_log(out, member);
    put_head(out, head);
}

void message_put_receipt(struct buffer *out, unsigned member, uint64_t size, const uint8_t root[static HASH_SIZE],
                         const struct receipt *receipt)
{
    put_start(out, 8, MESSAGE_RECEIPT);
    put_log(out, member);
    cbor_put_uint(out, size);
    cbor_put_bytes(out, root, HASH_SIZE);
    cbor_put_uint(out, receipt->by);
    cbor_put_uint(out, receipt->time);
    cbor_put_bytes(out, receipt->signature, SIGNATURE_SIZE);
}

void message_put_size(struct buffer *out, enum message_type type, unsigned member, uint64_t size)
{
    put_start(out, 4, type);
    put_log(out, member);
    cbor_put_uint(out, size);
}

void message_put_overtake(struct buffer *out, unsigned member, uint64_t index, struct span entry,
                          const struct head *head, const struct tree_proof *inclusion, uint64_t base,
                          const struct tree_proof *consistency)
{
    put_start(out, 9, MESSAGE_OVERTAKE);
    put_log(out, member);
    cbor_put_uint(out, index);
    cbor_put_bytes(out, entry.data, entry.size);
    put_head(out, head);
    put_proof(out, inclusion);
    cbor_put_uint(out, base);
    put_proof(out, consistency);
}
