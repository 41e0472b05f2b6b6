#include "sync/message.h"

#include "base/cbor.h"
#include "test.h"

#define MEMBERS 3

/* One message of each type, full of numbers that differ; the last of each kind is as large as its type allows. */
static struct head head_of(uint64_t size, uint8_t fill)
{
    struct head head = {.size = size};

    memset(head.root, fill, sizeof head.root);
    memset(head.signature, fill + 1, sizeof head.signature);
    return head;
}

static struct tree_proof proof_of(size_t count, uint8_t fill)
{
    struct tree_proof proof = {.count = count};

    for (size_t i = 0; i < count; i++)
        memset(proof.hash[i], fill + (int)i, HASH_SIZE);
    return proof;
}

static void put_hello(struct buffer *out)
{
    struct hello_log logs[MEMBERS] = {{.size = 0},
                                      {.size = 24, .has_head = true, .head = head_of(70000, 1)},
                                      {.size = TREE_SIZE_MAX, .has_head = true, .head = head_of(TREE_SIZE_MAX, 3)}};

    message_put_hello(out, logs, MEMBERS);
}

static void put_entries(struct buffer *out)
{
    struct span entry[3] = {span_of_string("a"), span_of_string("a second entry, of more than 23 bytes"),
                            span_of_string("third")};
    struct head head = head_of(300, 5);
    struct tree_proof proof = proof_of(2, 9);

    message_put_entries(out, 2, 256, entry, 3, &head, true, &proof);
}

static void put_settle(struct buffer *out)
{
    struct head head = head_of(17, 11);

    message_put_settle(out, 1, &head);
}

static void put_receipt(struct buffer *out)
{
    struct head head = head_of(65536, 13);
    struct receipt receipt = {.by = 2, .time = 1800000000};

    memset(receipt.signature, 14, sizeof receipt.signature);
    message_put_receipt(out, 0, head.size, head.root, &receipt);
}

static void put_have(struct buffer *out)
{
    message_put_size(out, MESSAGE_HAVE, 2, TREE_SIZE_MAX);
}

static void put_want(struct buffer *out)
{
    message_put_size(out, MESSAGE_WANT, 0, 23);
}

static void put_overtake(struct buffer *out)
{
    struct head head = head_of(1001, 15);
    struct tree_proof inclusion = proof_of(TREE_PROOF_MAX, 20);
    struct tree_proof consistency = proof_of(1, 99);

    message_put_overtake(out, 1, 1000, span_of_string("flash"), &head, &inclusion, 900, &consistency);
}

static void put_fetch(struct buffer *out)
{
    message_put_size(out, MESSAGE_FETCH, 1, 256);
}

static void (*const put[])(struct buffer *) = {put_hello, put_entries, put_settle,   put_receipt,
                                               put_have,  put_want,    put_overtake, put_fetch};
#define TYPES (sizeof put / sizeof put[0])

static bool reads(struct span bytes, unsigned members)
{
    static struct message message;

    return message_read(&message, bytes, members, NULL) == 0;
}

/* Writes a message again from what was read of it. */
static void put_again(struct buffer *out, struct message *message)
{
    struct span entry[8];

    switch (message->type) {
    case MESSAGE_HELLO:
        message_put_hello(out, message->hello, MEMBERS);
        return;
    case MESSAGE_ENTRIES:
        for (size_t i = 0; i < message->count && i < 8; i++)
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

static void every_type_survives_a_round_trip(void)
{
    static struct message message;

    for (size_t type = 0; type < TYPES; type++) {
        struct buffer bytes = {0}, again = {0};
        struct error error = {0};

        put[type](&bytes);
        CHECK(message_read(&message, buffer_span(&bytes), MEMBERS, &error) == 0);
        CHECK(message.type == type);
        put_again(&again, &message);
        CHECK(span_equal(buffer_span(&bytes), buffer_span(&again)));
        buffer_free(&bytes);
        buffer_free(&again);
    }
}

static void nothing_shorter_or_longer_is_read(void)
{
    for (size_t type = 0; type < TYPES; type++) {
        struct buffer bytes = {0};

        put[type](&bytes);
        for (size_t size = 0; size < bytes.size; size++) {
            /* Exactly so many bytes of memory, for the sanitizer. */
            uint8_t *cut = malloc(size + (size == 0));

            memcpy(cut, bytes.data, size);
            CHECK(!reads(span_of(cut, size), MEMBERS));
            free(cut);
        }
        buffer_put_u8(&bytes, 0);
        CHECK(!reads(buffer_span(&bytes), MEMBERS));
        buffer_free(&bytes);
    }
}

/* Whatever one changed byte makes of a message: what is still read is written as it came. */
static void what_is_read_has_one_encoding(void)
{
    static struct message message;

    for (size_t type = 0; type < TYPES; type++) {
        struct buffer bytes = {0};

        put[type](&bytes);
        for (size_t at = 0; at < bytes.size; at++)
            for (unsigned value = 1; value < 256; value++) {
                struct buffer again = {0};

                bytes.data[at] ^= (uint8_t)value;
                if (message_read(&message, buffer_span(&bytes), MEMBERS, NULL) == 0) {
                    put_again(&again, &message);
                    CHECK(span_equal(buffer_span(&bytes), buffer_span(&again)));
                }
                bytes.data[at] ^= (uint8_t)value;
                buffer_free(&again);
            }
        buffer_free(&bytes);
    }
}

/* A number that takes one byte, written in two: every number of every message in turn. */
static void numbers_are_in_their_shortest_form(void)
{
    for (size_t type = 0; type < TYPES; type++) {
        struct buffer bytes = {0}, wide = {0};

        put[type](&bytes);
        buffer_put(&wide, bytes.data, 1);
        buffer_put_u8(&wide, 24);
        buffer_put_span(&wide, span_from(buffer_span(&bytes), 1));
        CHECK(!reads(buffer_span(&wide), MEMBERS));
        buffer_free(&wide);
        wide = (struct buffer){0};
        buffer_put_u8(&wide, 0x98); /* the count of the array itself */
        buffer_put_u8(&wide, bytes.data[0] & 0x1f);
        buffer_put_span(&wide, span_from(buffer_span(&bytes), 1));
        CHECK(!reads(buffer_span(&wide), MEMBERS));
        buffer_free(&wide);
        bytes.data[0] = 0x9f; /* of indefinite length */
        buffer_put_u8(&bytes, 0xff);
        CHECK(!reads(buffer_span(&bytes), MEMBERS));
        buffer_free(&bytes);
    }
}

static void members_and_incarnations_are_bounded(void)
{
    for (unsigned members = 2; members <= MEMBERS_MAX; members++)
        for (unsigned member = 0; member < 24; member++) {
            struct buffer bytes = {0};

            message_put_size(&bytes, MESSAGE_HAVE, member, 5);
            CHECK(reads(buffer_span(&bytes), members) == (member < members));
            bytes.data[3] = 1; /* the incarnation */
            CHECK(!reads(buffer_span(&bytes), members));
            buffer_free(&bytes);
        }
}

/* A HELLO speaks of every member, in order, once. */
static void a_greeting_speaks_of_every_member(void)
{
    struct hello_log logs[MEMBERS_MAX] = {0};
    struct buffer bytes = {0};

    for (unsigned said = 1; said <= MEMBERS_MAX; said++)
        for (unsigned members = 2; members <= MEMBERS_MAX; members++) {
            buffer_reset(&bytes);
            message_put_hello(&bytes, logs, said);
            CHECK(reads(buffer_span(&bytes), members) == (said == members));
        }
    buffer_reset(&bytes);
    message_put_hello(&bytes, logs, 3);
    CHECK(bytes.size == 19 && reads(buffer_span(&bytes), 3));
    bytes.data[10] = 0; /* the second's member number */
    CHECK(!reads(buffer_span(&bytes), 3));
    bytes.data[10] = 2;
    CHECK(!reads(buffer_span(&bytes), 3));
    bytes.data[10] = 1;
    bytes.data[2] = 2; /* the version */
    CHECK(!reads(buffer_span(&bytes), 3));
    buffer_free(&bytes);
}

static void sizes_are_bounded(void)
{
    static const enum message_type types[] = {MESSAGE_HAVE, MESSAGE_WANT, MESSAGE_FETCH};

    for (size_t i = 0; i < 3; i++)
        for (int over = 0; over < 2; over++) {
            struct buffer bytes = {0};

            message_put_size(&bytes, types[i], 0, TREE_SIZE_MAX + (unsigned)over);
            CHECK(reads(buffer_span(&bytes), 2) == !over);
            buffer_free(&bytes);
        }
    for (int over = 0; over < 2; over++) {
        struct head head = head_of(TREE_SIZE_MAX + (unsigned)over, 1);
        struct receipt receipt = {.by = 1, .time = INT64_MAX};
        struct tree_proof proof = {0};
        struct buffer bytes = {0};

        message_put_settle(&bytes, 0, &head);
        CHECK(reads(buffer_span(&bytes), 2) == !over);
        buffer_reset(&bytes);
        message_put_receipt(&bytes, 0, head.size, head.root, &receipt);
        CHECK(reads(buffer_span(&bytes), 2) == !over);
        receipt.time += (unsigned)over;
        buffer_reset(&bytes);
        message_put_receipt(&bytes, 0, 5, head.root, &receipt);
        CHECK(reads(buffer_span(&bytes), 2) == !over);
        head.size = 5;
        buffer_reset(&bytes);
        message_put_overtake(&bytes, 0, TREE_SIZE_MAX - 1 + (unsigned)over, span_of_string("a"), &head, &proof, 1,
                             &proof);
        CHECK(reads(buffer_span(&bytes), 2) == !over);
        buffer_free(&bytes);
    }
}

static void no_member_receipts_its_own_log(void)
{
    struct head head = head_of(5, 1);

    for (unsigned by = 0; by < 3; by++) {
        struct receipt receipt = {.by = by, .time = 1};
        struct buffer bytes = {0};

        message_put_receipt(&bytes, 1, head.size, head.root, &receipt);
        CHECK(reads(buffer_span(&bytes), 2) == (by == 0));
        buffer_free(&bytes);
    }
}

static bool entries_read(size_t count, size_t size, size_t proof_count)
{
    static uint8_t entry_bytes[ENTRY_SIZE_MAX + 1];
    struct span *entry = calloc(count + 1, sizeof *entry);
    struct head head = head_of(5, 1);
    struct tree_proof proof = proof_of(proof_count < TREE_PROOF_MAX ? proof_count : TREE_PROOF_MAX, 1);
    struct buffer bytes = {0};
    bool read = false;

    for (size_t i = 0; i < count; i++)
        entry[i] = span_of(entry_bytes, size);
    message_put_entries(&bytes, 0, 0, entry, count, &head, false, &proof);
    if (proof_count > TREE_PROOF_MAX) { /* one more than a struct holds */
        size_t hashes = TREE_PROOF_MAX * (HASH_SIZE + 2);

        CHECK(bytes.data[bytes.size - hashes - 1] == TREE_PROOF_MAX);
        bytes.data[bytes.size - hashes - 1]++;
        cbor_put_bytes(&bytes, head.root, HASH_SIZE);
    }
    read = reads(buffer_span(&bytes), 2);
    buffer_free(&bytes);
    free(entry);
    return read;
}

static void entries_are_bounded(void)
{
    CHECK(!entries_read(0, 1, 0) && entries_read(1, 1, 0));
    CHECK(entries_read(ENTRIES_MAX, 1, 0) && !entries_read(ENTRIES_MAX + 1, 1, 0));
    CHECK(!entries_read(1, 0, 0) && entries_read(1, ENTRY_SIZE_MAX, 0) && !entries_read(1, ENTRY_SIZE_MAX + 1, 0));
    CHECK(entries_read(ENTRIES_BYTES_MAX / 1024, 1024, 0) && !entries_read(ENTRIES_BYTES_MAX / 1024 + 1, 1024, 0));
    CHECK(entries_read(1, 1, TREE_PROOF_MAX) && !entries_read(1, 1, TREE_PROOF_MAX + 1));
}

static void a_head_is_required_but_in_a_greeting(void)
{
    struct buffer bytes = {0};
    struct head head = head_of(5, 1);

    message_put_settle(&bytes, 0, &head);
    bytes.data[4] = 0x80; /* [] */
    bytes.size = 5;
    CHECK(!reads(buffer_span(&bytes), 2));
    buffer_free(&bytes);
}

static void types_are_known(void)
{
    for (unsigned items = 0; items < 12; items++)
        for (unsigned type = 0; type < 32; type++) {
            struct buffer bytes = {0};
            struct error error = {0};

            cbor_put_array(&bytes, items);
            for (unsigned i = 0; i < items; i++)
                cbor_put_uint(&bytes, i == 0 ? type : 0);
            /* Of numbers alone only HAVE, WANT and FETCH are made. */
            CHECK(message_read(&(struct message){0}, buffer_span(&bytes), 2, &error) == 0
                      ? items == 4 && (type == MESSAGE_HAVE || type == MESSAGE_WANT || type == MESSAGE_FETCH)
                      : error.code == ERROR_INVALID);
            buffer_free(&bytes);
        }
}

int main(void)
{
    RUN(every_type_survives_a_round_trip);
    RUN(nothing_shorter_or_longer_is_read);
    RUN(what_is_read_has_one_encoding);
    RUN(numbers_are_in_their_shortest_form);
    RUN(members_and_incarnations_are_bounded);
    RUN(a_greeting_speaks_of_every_member);
    RUN(sizes_are_bounded);
    RUN(no_member_receipts_its_own_log);
    RUN(entries_are_bounded);
    RUN(a_head_is_required_but_in_a_greeting);
    RUN(types_are_known);
    return test_end();
}
