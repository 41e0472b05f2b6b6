#include "record/epoch.h"

#include <assert.h>

#include "base/cbor.h"
#include "seal/noise.h"
#include "seal/secret.h"

#define PROLOGUE_ROOM 192 /* a label, four hashes, two numbers of 8 bytes, two bytes */

void prekeys_put(const struct prekeys *prekeys, struct buffer *body)
{
    cbor_put_map(body, 2);
    cbor_put_uint(body, 0);
    cbor_put_uint(body, prekeys->voids);
    cbor_put_uint(body, 1);
    cbor_put_array(body, prekeys->count);
    for (unsigned i = 0; i < prekeys->count; i++) {
        cbor_put_array(body, 3);
        cbor_put_uint(body, prekeys->batch[i].author);
        cbor_put_uint(body, prekeys->batch[i].first);
        cbor_put_bytes(body, prekeys->batch[i].key, (size_t)prekeys->batch[i].keys * DH_SIZE);
    }
}

int prekeys_read(struct prekeys *prekeys, struct span body, unsigned publisher, unsigned member_count,
                 struct error *error)
{
    struct cursor cursor = cursor_of(body);

    cursor_part(&cursor, "its map of two");
    if (cbor_read_map(&cursor, 2) != 2)
        (void)cursor_fail(&cursor);
    cursor_part(&cursor, "its word on earlier prekeys");
    cbor_read_key(&cursor, 0);
    prekeys->voids = cbor_read_uint_max(&cursor, 1) == 1;
    cursor_part(&cursor, "its batches of keys");
    cbor_read_key(&cursor, 1);
    prekeys->count = (unsigned)cbor_read_array(&cursor, member_count - 1);
    for (unsigned i = 0; i < prekeys->count && !cursor.failed; i++) {
        struct span keys = {0};

        if (cbor_read_array(&cursor, 3) != 3)
            (void)cursor_fail(&cursor);
        prekeys->batch[i].author = (uint8_t)cbor_read_uint_max(&cursor, member_count - 1);
        prekeys->batch[i].first = cbor_read_uint_max(&cursor, INT64_MAX - PREKEY_BATCH);
        keys = cbor_read_bytes(&cursor, DH_SIZE, PREKEY_BATCH * DH_SIZE);
        if (keys.size % DH_SIZE != 0 || prekeys->batch[i].author == publisher ||
            (i > 0 && prekeys->batch[i].author <= prekeys->batch[i - 1].author))
            (void)cursor_fail(&cursor);
        if (cursor.failed)
            break;
        prekeys->batch[i].keys = (unsigned)(keys.size / DH_SIZE);
        memcpy(prekeys->batch[i].key, keys.data, keys.size);
        for (unsigned k = 0; k < prekeys->batch[i].keys; k++)
            if (!dh_key_is_valid(prekeys->batch[i].key[k]))
                (void)cursor_fail(&cursor);
    }
    if (!cursor_done(&cursor))
        return error_set(error, ERROR_INVALID, "the entry of prekeys is not well-formed at %s", cursor_wrong(&cursor));
    return 0;
}

void epoch_put(const struct epoch *epoch, struct buffer *body)
{
    cbor_put_map(body, 2);
    cbor_put_uint(body, 0);
    cbor_put_bytes(body, epoch->commitment, HASH_SIZE);
    cbor_put_uint(body, 1);
    cbor_put_array(body, epoch->wrap_count);
    for (unsigned i = 0; i < epoch->wrap_count; i++) {
        cbor_put_array(body, 5);
        cbor_put_uint(body, epoch->wrap[i].member);
        cbor_put_uint(body, epoch->wrap[i].source);
        cbor_put_uint(body, epoch->wrap[i].number);
        cbor_put_uint(body, epoch->wrap[i].courier_slot);
        cbor_put_bytes(body, epoch->wrap[i].message, WRAP_SIZE);
    }
}

int epoch_read(struct epoch *epoch, struct span body, unsigned author, unsigned member_count, struct error *error)
{
    struct cursor cursor = cursor_of(body);

    cursor_part(&cursor, "its map of two");
    if (cbor_read_map(&cursor, 2) != 2)
        (void)cursor_fail(&cursor);
    cursor_part(&cursor, "its commitment");
    cbor_read_key(&cursor, 0);
    cbor_copy_bytes(&cursor, epoch->commitment, HASH_SIZE);
    cursor_part(&cursor, "its wraps");
    cbor_read_key(&cursor, 1);
    epoch->wrap_count = (unsigned)cbor_read_array(&cursor, member_count - 1);
    if (epoch->wrap_count != member_count - 1)
        (void)cursor_fail(&cursor);
    for (unsigned i = 0; i < epoch->wrap_count && !cursor.failed; i++) {
        struct wrap *wrap = &epoch->wrap[i];

        if (cbor_read_array(&cursor, 5) != 5)
            (void)cursor_fail(&cursor);
        wrap->member = (uint8_t)cbor_read_uint_max(&cursor, member_count - 1);
        wrap->source = (enum wrap_source)cbor_read_uint_max(&cursor, WRAP_PREKEY);
        wrap->number = cbor_read_uint_max(&cursor, INT64_MAX);
        wrap->courier_slot = cbor_read_uint_max(&cursor, INT64_MAX);
        cbor_copy_bytes(&cursor, wrap->message, WRAP_SIZE);
        /* Every member but the author has its wrap, in order. */
        if (wrap->member != (i < author ? i : i + 1))
            (void)cursor_fail(&cursor);
    }
    if (!cursor_done(&cursor))
        return error_set(error, ERROR_INVALID, "the epoch entry is not well-formed at %s", cursor_wrong(&cursor));
    return 0;
}

void epoch_commitment(uint8_t out[static HASH_SIZE], const uint8_t origin_hash[static HASH_SIZE], uint64_t epoch,
                      const uint8_t secret[static EPOCH_SECRET_SIZE])
{
    uint8_t number[8];
    struct span parts[] = {span_of_string(LABEL_EPOCH_COMMIT), span_of(origin_hash, HASH_SIZE), span_of(number, 8),
                           span_of(secret, EPOCH_SECRET_SIZE)};

    put_u64_be(number, epoch);
    hash_parts(out, parts, 4);
}

/* All of a wrap is made and opened in place, in buffers that never grow: without memory an epoch would be said, in the
 * record and for good, to be one that cannot be opened. */
static void put_card_hash(struct buffer *out, const struct card *card)
{
    uint8_t room[CARD_SIZE_MAX];
    struct buffer text = {.data = room, .capacity = sizeof room};
    uint8_t hash[HASH_SIZE];

    card_print(card, &text);
    assert(text.data == room);
    hash_bytes(hash, text.data, text.size);
    buffer_put(out, hash, sizeof hash);
}

static void start_wrap(struct noise_handshake *handshake, const struct wrap *wrap, const struct wrap_context *context,
                       bool initiator, const uint8_t static_secret[static DH_SIZE],
                       const uint8_t remote_static[static DH_SIZE], const uint8_t *ephemeral_secret)
{
    const struct charter *charter = context->charter;
    uint8_t room[PROLOGUE_ROOM];
    struct buffer prologue = {.data = room, .capacity = sizeof room};
    uint8_t psk[32];

    buffer_print(&prologue, "%s", LABEL_WRAP);
    buffer_put(&prologue, charter->line_id, HASH_SIZE);
    buffer_put(&prologue, context->origin_hash, HASH_SIZE);
    buffer_put_u64(&prologue, context->epoch);
    buffer_put_u8(&prologue, wrap->member < context->author ? wrap->member : wrap->member - 1);
    put_card_hash(&prologue, &charter->members[context->author]);
    put_card_hash(&prologue, &charter->members[wrap->member]);
    buffer_put_u8(&prologue, (uint8_t)wrap->source);
    buffer_put_u64(&prologue, wrap->number);
    courier_subkey(psk, context->courier_key, LABEL_COURIER_WRAP);
    assert(prologue.data == room);
    noise_start(handshake, &(struct noise_config){.pattern = NOISE_KPSK0,
                                                  .initiator = initiator,
                                                  .prologue = buffer_span(&prologue),
                                                  .static_secret = static_secret,
                                                  .remote_static = remote_static,
                                                  .psk = psk,
                                                  .ephemeral_secret = ephemeral_secret});
    secret_wipe(psk, sizeof psk);
}

bool wrap_seal(struct wrap *wrap, const struct wrap_context *context, const uint8_t recipient_key[static DH_SIZE],
               const uint8_t author_sealing_secret[static DH_SIZE], const uint8_t ephemeral_secret[static DH_SIZE],
               const uint8_t secret[static EPOCH_SECRET_SIZE])
{
    struct noise_handshake handshake;
    struct buffer message = {.data = wrap->message, .capacity = WRAP_SIZE};
    bool ok = false;

    start_wrap(&handshake, wrap, context, true, author_sealing_secret, recipient_key, ephemeral_secret);
    ok = noise_write(&handshake, span_of(secret, EPOCH_SECRET_SIZE), &message) && message.size == WRAP_SIZE;
    assert(message.data == wrap->message);
    secret_wipe(&handshake, sizeof handshake);
    return ok;
}

bool wrap_open(uint8_t secret[static EPOCH_SECRET_SIZE], const struct wrap *wrap, const struct wrap_context *context,
               const uint8_t recipient_secret[static DH_SIZE])
{
    struct noise_handshake handshake;
    uint8_t room[EPOCH_SECRET_SIZE];
    struct buffer payload = {.data = room, .capacity = sizeof room};
    const struct card *author = &context->charter->members[context->author];
    bool ok = false;

    start_wrap(&handshake, wrap, context, false, recipient_secret, author->sealing_key, NULL);
    ok = noise_read(&handshake, span_of(wrap->message, WRAP_SIZE), &payload) && payload.size == EPOCH_SECRET_SIZE;
    assert(payload.data == room);
    if (ok)
        memcpy(secret, room, EPOCH_SECRET_SIZE);
    secret_wipe(room, sizeof room);
    secret_wipe(&handshake, sizeof handshake);
    return ok;
}
