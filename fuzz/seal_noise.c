/* seal/noise: of every pattern, a message that was changed on the way is refused, and ends the handshake. */
#include "fuzz.h"

#include "seal/noise.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 2500};

struct side {
    struct noise_handshake handshake;
    uint8_t secret[DH_SIZE], public_key[DH_SIZE], ephemeral[DH_SIZE];
};

static void start(struct side side[2], enum noise_pattern pattern)
{
    static const uint8_t psk[32] = {3};
    bool one_way = pattern == NOISE_K || pattern == NOISE_KPSK0;
    bool keyed = pattern != NOISE_XK && pattern != NOISE_K;

    for (int i = 0; i < 2; i++) {
        memset(side[i].secret, 0x11 * (i + 1), DH_SIZE);
        memset(side[i].ephemeral, 0x11 * (i + 3), DH_SIZE);
        dh_public(side[i].public_key, side[i].secret);
    }
    for (int i = 0; i < 2; i++)
        noise_start(&side[i].handshake, &(struct noise_config){
                                            .pattern = pattern,
                                            .initiator = i == 0,
                                            .prologue = span_of_string("prologue"),
                                            .static_secret = side[i].secret,
                                            .remote_static = i == 0 || one_way ? side[1 - i].public_key : NULL,
                                            .psk = keyed ? psk : NULL,
                                            .ephemeral_secret = side[i].ephemeral,
                                        });
}

static void check_dead(struct noise_handshake *handshake, struct buffer *payload)
{
    struct noise_cipher send, receive;
    uint8_t hash[HASH_SIZE];

    HOLD(handshake->dead && payload->size == 0);
    HOLD(!noise_write(handshake, span_of(NULL, 0), payload) && payload->size == 0);
    HOLD(!noise_read(handshake, span_of(hash, 0), payload) && payload->size == 0);
    HOLD(!noise_split(handshake, &send, &receive, hash));
}

/* A transport message, changed as the input says, and what a failure leaves. */
static void check_transport(struct side side[2], struct cursor *cursor)
{
    struct noise_cipher send, receive, unused;
    uint8_t hash[2][HASH_SIZE], message[48 + AEAD_TAG_SIZE] = {0}, out[48];

    HOLD(noise_finished(&side[0].handshake) && noise_finished(&side[1].handshake));
    HOLD(noise_split(&side[0].handshake, &send, &unused, hash[0]));
    HOLD(noise_split(&side[1].handshake, &unused, &receive, hash[1]));
    HOLD(hash_equal(hash[0], hash[1]) && !noise_split(&side[0].handshake, &send, &unused, hash[0]));
    HOLD(noise_encrypt(&send, span_of(NULL, 0), span_of(message, 48), message));
    if (fuzz_edit(cursor, message, sizeof message)) {
        HOLD(!noise_decrypt(&receive, span_of(NULL, 0), span_of(message, sizeof message), out));
        HOLD(receive.nonce == 0);
    } else {
        HOLD(noise_decrypt(&receive, span_of(NULL, 0), span_of(message, sizeof message), out));
        HOLD(receive.nonce == 1 && out[0] == 0 && memcmp(out, out + 1, sizeof out - 1) == 0);
    }
}

/* The input: the pattern, and for each message its payload, what is cut off or added, and what is changed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    enum noise_pattern pattern = (enum noise_pattern)(cursor_u8(&cursor) % (NOISE_KPSK0 + 1));
    struct side side[2];
    struct buffer message = {0}, payload = {0};
    bool good = true;

    fuzz_start();
    start(side, pattern);
    for (unsigned i = 0; good && !noise_finished(&side[1].handshake); i++) {
        struct noise_handshake *writer = &side[i % 2].handshake, *reader = &side[1 - i % 2].handshake;
        struct span content = cursor_span(&cursor, cursor_u8(&cursor));
        size_t cut = 0;
        struct span added = {0};

        buffer_reset(&message);
        buffer_reset(&payload);
        HOLD(noise_write(writer, content, &message));
        cut = cursor_u8(&cursor) / 4;
        added = cursor_span(&cursor, cursor_u8(&cursor) / 16);
        good = cut == 0 && added.size == 0;
        message.size -= cut < message.size ? cut : message.size;
        buffer_put_span(&message, added);
        good &= !fuzz_edit(&cursor, message.data, message.size);
        /* What was cut off and put back in the same way is no change. */
        if (!good && noise_read(reader, buffer_span(&message), &payload)) {
            HOLD(cut == added.size && cut > 0);
            goto out;
        }
        if (good) {
            HOLD(noise_read(reader, buffer_span(&message), &payload));
            HOLD(span_equal(buffer_span(&payload), content));
        } else {
            check_dead(reader, &payload);
        }
    }
    if (good)
        check_transport(side, &cursor);
out:
    buffer_free(&message);
    buffer_free(&payload);
    return 0;
}
