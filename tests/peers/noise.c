/*
 * One side of a Noise handshake over stdin and stdout, for tests/peers/noise.sh: noise-peer PATTERN ROLE PSK HASH
 *
 * PATTERN is XKpsk0 or Kpsk0, ROLE initiator or responder, PSK the byte that the psk consists of, HASH the file
 * that the handshake hash is written to. Messages go with their length before them, 16 bits, big-endian. After
 * the handshake the initiator sends ROUNDS messages, each of which the responder of XKpsk0 echoes; both rekey
 * both directions in the middle. Exit status 3: a message was refused.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "seal/noise.h"
#include "seal/secret.h"

#define ROUNDS 6
#define REFUSED 3

struct peer {
    struct noise_handshake handshake;
    struct noise_cipher send, receive;
    bool initiator, one_way;
};

static bool write_message(struct span message)
{
    uint8_t size[2] = {(uint8_t)(message.size >> 8), (uint8_t)message.size};

    return fwrite(size, 1, 2, stdout) == 2 && fwrite(message.data, 1, message.size, stdout) == message.size &&
           fflush(stdout) == 0;
}

static bool read_message(struct buffer *message)
{
    uint8_t head[2];
    uint8_t *to = NULL;
    size_t size = 0;

    buffer_reset(message);
    if (fread(head, 1, sizeof head, stdin) != sizeof head)
        return false;
    size = (size_t)head[0] << 8 | head[1];
    to = buffer_extend(message, size);
    return to != NULL && fread(to, 1, size, stdin) == size;
}

static int shake_hands(struct peer *peer)
{
    struct buffer message = {0}, payload = {0};
    bool writes = peer->initiator;
    int status = 0;

    for (unsigned number = 0; status == 0 && !noise_finished(&peer->handshake); number++, writes = !writes) {
        char expected[32];

        (void)snprintf(expected, sizeof expected, "handshake %u", number);
        buffer_reset(writes ? &message : &payload);
        if (writes)
            status = noise_write(&peer->handshake, span_of_string(expected), &message) &&
                             write_message(buffer_span(&message))
                         ? 0
                         : 1;
        else if (!read_message(&message))
            status = 1;
        else if (!noise_read(&peer->handshake, buffer_span(&message), &payload))
            status = REFUSED;
        else
            status = span_equal(buffer_span(&payload), span_of_string(expected)) ? 0 : 1;
    }
    buffer_free(&message);
    buffer_free(&payload);
    return status;
}

static int send_one(struct peer *peer, const uint8_t *plain, size_t size)
{
    uint8_t out[1024];

    return noise_encrypt(&peer->send, span_of(NULL, 0), span_of(plain, size), out) &&
                   write_message(span_of(out, size + AEAD_TAG_SIZE))
               ? 0
               : 1;
}

static int receive_one(struct peer *peer, const uint8_t *expected, size_t size)
{
    struct buffer message = {0};
    uint8_t out[1024];
    int status = 1;

    if (!read_message(&message) || message.size > sizeof out)
        goto out;
    status = REFUSED;
    if (noise_decrypt(&peer->receive, span_of(NULL, 0), buffer_span(&message), out))
        status = message.size == size + AEAD_TAG_SIZE && memcmp(out, expected, size) == 0 ? 0 : 1;
out:
    buffer_free(&message);
    return status;
}

/* Message i is 100 * i bytes of value i, the first therefore empty. */
static int talk(struct peer *peer)
{
    int status = 0;

    for (uint8_t i = 0; status == 0 && i < ROUNDS; i++) {
        uint8_t text[100 * ROUNDS];
        size_t size = (size_t)100 * i;

        memset(text, i, sizeof text);
        if (i == ROUNDS / 2) {
            noise_rekey(&peer->send);
            noise_rekey(&peer->receive);
        }
        status = peer->initiator ? send_one(peer, text, size) : receive_one(peer, text, size);
        if (status == 0 && !peer->one_way)
            status = peer->initiator ? receive_one(peer, text, size) : send_one(peer, text, size);
    }
    return status;
}

static int write_hash(const char *path, const uint8_t hash[static HASH_SIZE])
{
    struct buffer text = {0};
    FILE *file = fopen(path, "w");
    int status = 1;

    text_put_hex(&text, span_of(hash, HASH_SIZE));
    if (file != NULL && fprintf(file, "%s\n", buffer_string(&text)) > 0)
        status = 0;
    if (file != NULL && fclose(file) != 0)
        status = 1;
    buffer_free(&text);
    return status;
}

static bool start(struct peer *peer, char **arguments)
{
    uint8_t secret[2][DH_SIZE], public_key[2][DH_SIZE], psk[32], ephemeral[DH_SIZE];
    uint64_t psk_byte = 0;

    peer->one_way = strcmp(arguments[1], "Kpsk0") == 0;
    peer->initiator = strcmp(arguments[2], "initiator") == 0;
    if (!text_to_number(span_of_string(arguments[3]), 255, &psk_byte) ||
        getrandom(ephemeral, sizeof ephemeral, 0) != (ssize_t)sizeof ephemeral)
        return false;
    for (int i = 0; i < 2; i++) {
        memset(secret[i], i == 0 ? 0x22 : 0x11, DH_SIZE); /* responder, initiator */
        dh_public(public_key[i], secret[i]);
    }
    memset(psk, (int)psk_byte, sizeof psk);
    noise_start(&peer->handshake, &(struct noise_config){.pattern = peer->one_way ? NOISE_KPSK0 : NOISE_XKPSK0,
                                                         .initiator = peer->initiator,
                                                         .prologue = span_of_string("liaison peers"),
                                                         .static_secret = secret[peer->initiator],
                                                         .remote_static = public_key[!peer->initiator],
                                                         .psk = psk,
                                                         .ephemeral_secret = ephemeral});
    return true;
}

int main(int count, char **arguments)
{
    uint8_t hash[HASH_SIZE];
    struct peer peer = {0};
    int status = 0;

    if (count != 5 || seal_init(NULL) != 0 || !start(&peer, arguments))
        return 2;
    status = shake_hands(&peer);
    if (status == 0 && !noise_split(&peer.handshake, &peer.send, &peer.receive, hash))
        status = 1;
    if (status == 0)
        status = talk(&peer);
    if (status == 0)
        status = write_hash(arguments[4], hash);
    return status;
}
