/*
 * What a foe makes of one message or entry.
 */
#include "foe_internal.h"

#include "seal/aead.h"

/* Numbers at which programs break. */
static uint64_t odd_number(struct foe *foe, uint64_t honest)
{
    uint64_t more = honest + random_between(&foe->random, 2, 300);
    uint64_t fewer = random_below(&foe->random, honest + 1);
    const uint64_t odd[] = {0,
                            1,
                            honest - 1,
                            honest + 1,
                            more,
                            fewer,
                            UINT64_C(1) << 31,
                            UINT64_C(1) << 32,
                            TREE_SIZE_MAX - 1,
                            TREE_SIZE_MAX,
                            TREE_SIZE_MAX + 1,
                            INT64_MAX,
                            UINT64_MAX};

    return odd[random_below(&foe->random, sizeof odd / sizeof odd[0])];
}

void lie_garble(struct foe *foe, struct buffer *message)
{
    uint64_t changes = random_between(&foe->random, 1, 4);

    for (uint64_t i = 0; i < changes && message->size > 0; i++)
        random_turn_bit(&foe->random, message->data, message->size);
    if (random_happens(&foe->random, 250000))
        message->size = random_below(&foe->random, message->size) + 1;
}

static void put_entries_again(struct foe *foe, struct buffer *message)
{
    struct message *read = foe->message;
    struct span entry[ENTRIES_MAX];
    struct buffer out = {0};
    uint64_t first = read->first;
    size_t count = read->count;

    for (size_t i = 0; i < count; i++)
        entry[i] = message_entry(read);
    if (random_happens(&foe->random, 500000))
        first = odd_number(foe, first);
    else if (count > 1)
        count--;
    else
        read->head.size = odd_number(foe, read->head.size);
    if (read->proof.count > 0 && random_happens(&foe->random, 300000))
        read->proof.count--;
    message_put_entries(&out, read->member, first, entry, count, &read->head, read->settle, &read->proof);
    buffer_reset(message);
    buffer_put_span(message, buffer_span(&out));
    buffer_free(&out);
}

static void put_hello_again(struct foe *foe, unsigned member_count, struct buffer *message)
{
    struct hello_log *log = &foe->message->hello[random_below(&foe->random, member_count)];

    if (random_happens(&foe->random, 500000))
        log->size = odd_number(foe, log->size);
    else if (log->has_head && random_happens(&foe->random, 500000))
        log->head.size = odd_number(foe, log->head.size);
    else
        log->has_head = false;
    buffer_reset(message);
    message_put_hello(message, foe->message->hello, member_count);
}

void lie_sizes(struct foe *foe, const struct sync *sync, struct buffer *message)
{
    struct message *read = foe->message;

    if (message_read(read, buffer_span(message), sync->charter->member_count, NULL) != 0)
        return;
    if (read->type == MESSAGE_HELLO) {
        put_hello_again(foe, sync->charter->member_count, message);
    } else if (read->type == MESSAGE_ENTRIES) {
        put_entries_again(foe, message);
    } else if (read->type == MESSAGE_HAVE || read->type == MESSAGE_WANT || read->type == MESSAGE_FETCH) {
        unsigned member = (unsigned)random_below(&foe->random, sync->charter->member_count);

        buffer_reset(message);
        message_put_size(message, read->type, member, odd_number(foe, read->first));
    }
}

/* In the place of a message it says that its log has a size and root of its fancy, signed. */
void lie_heads(struct foe *foe, const struct sync *sync, struct buffer *message)
{
    const struct log *log = &sync->log[sync->me];
    struct head head = {.size = random_between(&foe->random, 1, log->durable.size + 3)};

    if (!foe->signs)
        return;
    if (random_happens(&foe->random, 100000))
        head.size = odd_number(foe, head.size);
    if (head.size == 0)
        return;
    random_fill(&foe->random, head.root, sizeof head.root);
    head_sign(&head, foe->origin, foe->log_secret);
    buffer_reset(message);
    message_put_settle(message, sync->me, &head);
}

/* In the place of a message it gives a receipt for a log of anybody's, of a size and perhaps a root of its fancy. */
void lie_receipts(struct foe *foe, const struct sync *sync, struct buffer *message)
{
    unsigned member = (unsigned)random_below(&foe->random, sync->charter->member_count);
    const struct log *log = &sync->log[member];
    struct head head = log->head;
    struct receipt receipt = {.by = sync->me, .time = odd_number(foe, UINT64_C(1800000000)) & INT64_MAX};
    char origin[ORIGIN_SIZE];

    if (!foe->receipts || !log->has_head)
        return;
    if (random_happens(&foe->random, 500000))
        head.size = odd_number(foe, head.size);
    if (random_happens(&foe->random, 500000))
        random_fill(&foe->random, head.root, sizeof head.root);
    if (head.size == 0 || head.size > TREE_SIZE_MAX)
        return;
    charter_origin(sync->charter, member, 0, origin);
    receipt_sign(&receipt, &head, origin, foe->receipt_secret);
    buffer_reset(message);
    message_put_receipt(message, member, head.size, head.root, &receipt);
}

/* The entry says that its author had seen more than there is, or answers what never came. */
void lie_claims(struct foe *foe, struct entry_header *header)
{
    if (header->seen_count > 0) {
        struct seen *seen = &header->seen[random_below(&foe->random, header->seen_count)];

        if (random_happens(&foe->random, 500000))
            seen->size = odd_number(foe, seen->size) % TREE_SIZE_MAX + 1;
        else
            random_fill(&foe->random, seen->root, sizeof seen->root);
    }
    for (unsigned i = 0; i < header->reference_count; i++)
        header->references[i].index = odd_number(foe, header->references[i].index) % TREE_SIZE_MAX;
}

/* The entry is sealed anew, in all as the format says but for the commitment, which names another key. */
void lie_commitment(struct foe *foe, struct buffer *out, size_t start, const uint8_t secret[static EPOCH_SECRET_SIZE],
                    const struct entry_place *place)
{
    static const uint8_t one = 1;
    struct entry entry;
    uint8_t numbers[16], key[HASH_SIZE], encryption[HASH_SIZE];
    const struct span enc = span_of_string("enc");
    struct span parts[] = {span_of_string("entry"), span_of(place->origin_hash, HASH_SIZE),
                           span_of(numbers, sizeof numbers), span_of(NULL, 0), span_of(&one, 1)};
    struct span additional;
    uint8_t *ciphertext = NULL;

    if (entry_parse(&entry, span_of(out->data + start, out->size - start), foe->party, foe->parties, NULL) != 0)
        return;
    put_u64_be(numbers, entry.header.epoch);
    put_u64_be(numbers + 8, place->index);
    parts[3] = entry.tag;
    hmac_parts(key, span_of(secret, EPOCH_SECRET_SIZE), parts, 5);
    hmac_parts(encryption, span_of(key, HASH_SIZE), &enc, 1);
    additional = span_of(entry.header_bytes.data, entry.header_bytes.size + ENTRY_TAG_SIZE + HASH_SIZE);
    ciphertext = out->data + (entry.ciphertext.data - out->data);
    if (!aead_open(ciphertext, encryption, 0, additional, entry.ciphertext))
        return;
    out->data[entry.commitment.data - out->data] ^= 1;
    aead_seal(ciphertext, encryption, 0, additional, span_of(ciphertext, entry.ciphertext.size - AEAD_TAG_SIZE));
}
