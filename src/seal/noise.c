#include "seal/noise.h"

#include <assert.h>

#include "base/cursor.h"
#include "seal/secret.h"

enum token { TOKEN_END, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE, TOKEN_SS, TOKEN_PSK };

#define MESSAGES_MAX 3
#define TOKENS_MAX 5

struct pattern {
    const char *name;
    bool knows_initiator; /* pre-message "-> s" */
    bool knows_responder; /* pre-message "<- s" */
    bool has_psk;
    unsigned messages;
    uint8_t tokens[MESSAGES_MAX][TOKENS_MAX]; /* enum token; the initiator writes the first message */
};

static const struct pattern patterns[] = {
    [NOISE_XK] = {.name = "Noise_XK_25519_ChaChaPoly_SHA256",
                  .knows_responder = true,
                  .messages = 3,
                  .tokens = {{TOKEN_E, TOKEN_ES}, {TOKEN_E, TOKEN_EE}, {TOKEN_S, TOKEN_SE}}},
    [NOISE_XKPSK0] = {.name = "Noise_XKpsk0_25519_ChaChaPoly_SHA256",
                      .knows_responder = true,
                      .has_psk = true,
                      .messages = 3,
                      .tokens = {{TOKEN_PSK, TOKEN_E, TOKEN_ES}, {TOKEN_E, TOKEN_EE}, {TOKEN_S, TOKEN_SE}}},
    [NOISE_XKPSK3] = {.name = "Noise_XKpsk3_25519_ChaChaPoly_SHA256",
                      .knows_responder = true,
                      .has_psk = true,
                      .messages = 3,
                      .tokens = {{TOKEN_E, TOKEN_ES}, {TOKEN_E, TOKEN_EE}, {TOKEN_S, TOKEN_SE, TOKEN_PSK}}},
    [NOISE_K] = {.name = "Noise_K_25519_ChaChaPoly_SHA256",
                 .knows_initiator = true,
                 .knows_responder = true,
                 .messages = 1,
                 .tokens = {{TOKEN_E, TOKEN_ES, TOKEN_SS}}},
    [NOISE_KPSK0] = {.name = "Noise_Kpsk0_25519_ChaChaPoly_SHA256",
                     .knows_initiator = true,
                     .knows_responder = true,
                     .has_psk = true,
                     .messages = 1,
                     .tokens = {{TOKEN_PSK, TOKEN_E, TOKEN_ES, TOKEN_SS}}},
};

static const struct pattern *pattern_of(const struct noise_handshake *handshake)
{
    return &patterns[handshake->pattern];
}

static bool is_writers_turn(const struct noise_handshake *handshake)
{
    return handshake->initiator == (handshake->message % 2 == 0);
}

static void mix_hash(struct noise_handshake *handshake, struct span data)
{
    struct span parts[] = {span_of(handshake->h, HASH_SIZE), data};

    hash_parts(handshake->h, parts, 2);
}

static void set_key(struct noise_cipher *cipher, const uint8_t key[static AEAD_KEY_SIZE])
{
    memcpy(cipher->key, key, AEAD_KEY_SIZE);
    cipher->nonce = 0;
    cipher->has_key = true;
}

/* Noise's HKDF is RFC 5869's with the chaining key as salt and an empty info. */
static void mix_key(struct noise_handshake *handshake, const uint8_t input[static 32])
{
    uint8_t out[2][HASH_SIZE];

    hkdf(out, sizeof out, span_of(handshake->ck, HASH_SIZE), span_of(input, 32), span_of(NULL, 0));
    memcpy(handshake->ck, out[0], HASH_SIZE);
    set_key(&handshake->cipher, out[1]);
    secret_wipe(out, sizeof out);
}

static void mix_key_and_hash(struct noise_handshake *handshake, const uint8_t input[static 32])
{
    uint8_t out[3][HASH_SIZE];

    hkdf(out, sizeof out, span_of(handshake->ck, HASH_SIZE), span_of(input, 32), span_of(NULL, 0));
    memcpy(handshake->ck, out[0], HASH_SIZE);
    mix_hash(handshake, span_of(out[1], HASH_SIZE));
    set_key(&handshake->cipher, out[2]);
    secret_wipe(out, sizeof out);
}

/* Noise lets what comes before the first key pass in the clear; in every pattern here a key comes first, and
 * without one noise_encrypt() and noise_decrypt() fail. */
static bool encrypt_and_hash(struct noise_handshake *handshake, struct span plain, struct buffer *message)
{
    size_t size = plain.size + AEAD_TAG_SIZE;
    uint8_t *to = buffer_extend(message, size);

    if (to == NULL || !noise_encrypt(&handshake->cipher, span_of(handshake->h, HASH_SIZE), plain, to))
        return false;
    mix_hash(handshake, span_of(to, size));
    return true;
}

/* `out` has room for the plain text. */
static bool decrypt_and_hash(struct noise_handshake *handshake, struct span cipher, uint8_t *out)
{
    if (!noise_decrypt(&handshake->cipher, span_of(handshake->h, HASH_SIZE), cipher, out))
        return false;
    mix_hash(handshake, cipher);
    return true;
}

static bool mix_dh(struct noise_handshake *handshake, const uint8_t secret[static DH_SIZE],
                   const uint8_t public_key[static DH_SIZE])
{
    uint8_t shared[DH_SIZE];
    bool ok = dh(shared, secret, public_key);

    if (ok)
        mix_key(handshake, shared);
    secret_wipe(shared, sizeof shared);
    return ok;
}

static bool mix_es(struct noise_handshake *handshake)
{
    static const uint8_t zeros[DH_SIZE];

    if (hash_equal(handshake->es, zeros))
        return false;
    mix_key(handshake, handshake->es);
    return true;
}

/* The tokens that put nothing on the wire. */
static bool mix_token(struct noise_handshake *handshake, enum token token)
{
    bool initiator = handshake->initiator;

    switch (token) {
    case TOKEN_EE:
        return mix_dh(handshake, handshake->ephemeral_secret, handshake->remote_ephemeral);
    case TOKEN_SS:
        return mix_dh(handshake, handshake->static_secret, handshake->remote_static);
    case TOKEN_ES:
        if (initiator)
            return mix_dh(handshake, handshake->ephemeral_secret, handshake->remote_static);
        return handshake->has_es ? mix_es(handshake)
                                 : mix_dh(handshake, handshake->static_secret, handshake->remote_ephemeral);
    case TOKEN_SE:
        return initiator ? mix_dh(handshake, handshake->static_secret, handshake->remote_ephemeral)
                         : mix_dh(handshake, handshake->ephemeral_secret, handshake->remote_static);
    default:
        break;
    }
    assert(token == TOKEN_PSK);
    mix_key_and_hash(handshake, handshake->psk);
    return true;
}

/* With a psk the public e is mixed into the key as well: psk0 encrypts before any DH, and two handshakes
 * with one psk must not do it under one key. */
static void mix_ephemeral(struct noise_handshake *handshake, const uint8_t public_key[static DH_SIZE])
{
    mix_hash(handshake, span_of(public_key, DH_SIZE));
    if (pattern_of(handshake)->has_psk)
        mix_key(handshake, public_key);
}

static bool write_token(struct noise_handshake *handshake, enum token token, struct buffer *message)
{
    switch (token) {
    case TOKEN_E:
        assert(handshake->has_ephemeral);
        buffer_put(message, handshake->ephemeral_public, DH_SIZE);
        mix_ephemeral(handshake, handshake->ephemeral_public);
        return true;
    case TOKEN_S:
        return encrypt_and_hash(handshake, span_of(handshake->static_public, DH_SIZE), message);
    default:
        return mix_token(handshake, token);
    }
}

static bool read_token(struct noise_handshake *handshake, enum token token, struct cursor *cursor)
{
    struct span cipher = {0};

    switch (token) {
    case TOKEN_E:
        cursor_copy(cursor, handshake->remote_ephemeral, DH_SIZE);
        if (cursor->failed)
            return false;
        mix_ephemeral(handshake, handshake->remote_ephemeral);
        return true;
    case TOKEN_S:
        cipher = cursor_span(cursor, DH_SIZE + AEAD_TAG_SIZE);
        return !cursor->failed && decrypt_and_hash(handshake, cipher, handshake->remote_static);
    default:
        return mix_token(handshake, token);
    }
}

/* The bytes of the next message beside its payload. */
static size_t message_overhead(const struct noise_handshake *handshake)
{
    const uint8_t *tokens = pattern_of(handshake)->tokens[handshake->message];
    size_t size = AEAD_TAG_SIZE;

    for (unsigned i = 0; i < TOKENS_MAX; i++)
        size += tokens[i] == TOKEN_E ? DH_SIZE : tokens[i] == TOKEN_S ? DH_SIZE + AEAD_TAG_SIZE : 0;
    return size;
}

static void set_ephemeral(struct noise_handshake *handshake, const uint8_t secret[static DH_SIZE])
{
    memcpy(handshake->ephemeral_secret, secret, DH_SIZE);
    dh_public(handshake->ephemeral_public, handshake->ephemeral_secret);
    handshake->has_ephemeral = true;
}

void noise_start(struct noise_handshake *handshake, const struct noise_config *config)
{
    const struct pattern *pattern = &patterns[config->pattern];
    bool knows_remote = config->initiator ? pattern->knows_responder : pattern->knows_initiator;
    struct span name = span_of_string(pattern->name);

    assert(config->static_secret != NULL);
    assert(!knows_remote || config->remote_static != NULL);
    assert(!pattern->has_psk || config->psk != NULL);
    assert(config->ephemeral_secret != NULL || !config->initiator);

    memset(handshake, 0, sizeof *handshake);
    handshake->pattern = config->pattern;
    handshake->initiator = config->initiator;
    memcpy(handshake->static_secret, config->static_secret, DH_SIZE);
    if (config->static_public != NULL)
        memcpy(handshake->static_public, config->static_public, DH_SIZE);
    else
        dh_public(handshake->static_public, handshake->static_secret);
    if (knows_remote)
        memcpy(handshake->remote_static, config->remote_static, DH_SIZE);
    if (pattern->has_psk)
        memcpy(handshake->psk, config->psk, sizeof handshake->psk);
    if (config->ephemeral_secret != NULL)
        set_ephemeral(handshake, config->ephemeral_secret);

    if (name.size <= HASH_SIZE)
        memcpy(handshake->h, name.data, name.size);
    else
        hash_bytes(handshake->h, name.data, name.size);
    memcpy(handshake->ck, handshake->h, HASH_SIZE);
    mix_hash(handshake, config->prologue);
    if (pattern->knows_initiator)
        mix_hash(handshake, span_of(config->initiator ? handshake->static_public : handshake->remote_static, DH_SIZE));
    if (pattern->knows_responder)
        mix_hash(handshake, span_of(config->initiator ? handshake->remote_static : handshake->static_public, DH_SIZE));
}

void noise_set_es(struct noise_handshake *handshake, const uint8_t es[static DH_SIZE])
{
    assert(!handshake->initiator && handshake->message == 0);
    memcpy(handshake->es, es, DH_SIZE);
    handshake->has_es = true;
}

void noise_set_ephemeral(struct noise_handshake *handshake, const uint8_t secret[static DH_SIZE])
{
    assert(!handshake->initiator && !handshake->has_ephemeral);
    set_ephemeral(handshake, secret);
}

bool noise_write(struct noise_handshake *handshake, struct span payload, struct buffer *message)
{
    const uint8_t *tokens = NULL;
    size_t before = message->size;
    bool ok = true;

    if (handshake->dead || noise_finished(handshake) || !is_writers_turn(handshake))
        return false;
    if (payload.size > NOISE_MESSAGE_MAX - message_overhead(handshake))
        return false;
    tokens = pattern_of(handshake)->tokens[handshake->message];
    for (unsigned i = 0; i < TOKENS_MAX && tokens[i] != TOKEN_END && ok; i++)
        ok = write_token(handshake, tokens[i], message);
    ok = ok && encrypt_and_hash(handshake, payload, message) && !buffer_failed(message);
    if (ok) {
        handshake->message++;
    } else {
        message->size = before;
        handshake->dead = true;
    }
    return ok;
}

static bool read_payload(struct noise_handshake *handshake, struct span cipher, struct buffer *payload)
{
    size_t before = payload->size;
    uint8_t *to = NULL;

    if (cipher.size < AEAD_TAG_SIZE)
        return false;
    to = buffer_extend(payload, cipher.size - AEAD_TAG_SIZE);
    if (!buffer_failed(payload) && decrypt_and_hash(handshake, cipher, to))
        return true;
    payload->size = before;
    return false;
}

bool noise_read(struct noise_handshake *handshake, struct span message, struct buffer *payload)
{
    struct cursor cursor = cursor_of(message);
    const uint8_t *tokens = NULL;
    bool ok = !handshake->dead && !noise_finished(handshake) && !is_writers_turn(handshake) &&
              message.size <= NOISE_MESSAGE_MAX;

    handshake->dead = true;
    if (!ok)
        return false;
    tokens = pattern_of(handshake)->tokens[handshake->message];
    for (unsigned i = 0; i < TOKENS_MAX && tokens[i] != TOKEN_END; i++)
        if (!read_token(handshake, tokens[i], &cursor))
            return false;
    if (!read_payload(handshake, cursor_rest(&cursor), payload))
        return false;
    handshake->message++;
    handshake->dead = false;
    return true;
}

bool noise_finished(const struct noise_handshake *handshake)
{
    return handshake->message == pattern_of(handshake)->messages;
}

bool noise_split(struct noise_handshake *handshake, struct noise_cipher *send, struct noise_cipher *receive,
                 uint8_t hash[static HASH_SIZE])
{
    struct noise_cipher *first = handshake->initiator ? send : receive; /* initiator to responder */
    struct noise_cipher *second = handshake->initiator ? receive : send;
    uint8_t out[2][HASH_SIZE];

    if (handshake->dead || !noise_finished(handshake))
        return false;
    hkdf(out, sizeof out, span_of(handshake->ck, HASH_SIZE), span_of(NULL, 0), span_of(NULL, 0));
    memset(send, 0, sizeof *send);
    memset(receive, 0, sizeof *receive);
    set_key(first, out[0]);
    if (pattern_of(handshake)->messages > 1)
        set_key(second, out[1]);
    memcpy(hash, handshake->h, HASH_SIZE);
    secret_wipe(out, sizeof out);
    handshake->dead = true;
    return true;
}

bool noise_encrypt(struct noise_cipher *cipher, struct span additional, struct span plain, uint8_t *out)
{
    if (!cipher->has_key || cipher->nonce == UINT64_MAX)
        return false;
    aead_seal(out, cipher->key, cipher->nonce++, additional, plain);
    return true;
}

bool noise_decrypt(struct noise_cipher *cipher, struct span additional, struct span message, uint8_t *out)
{
    if (!cipher->has_key || cipher->nonce == UINT64_MAX ||
        !aead_open(out, cipher->key, cipher->nonce, additional, message))
        return false;
    cipher->nonce++;
    return true;
}

void noise_rekey(struct noise_cipher *cipher)
{
    static const uint8_t zeros[AEAD_KEY_SIZE];
    uint8_t out[AEAD_KEY_SIZE + AEAD_TAG_SIZE];

    aead_seal(out, cipher->key, UINT64_MAX, span_of(NULL, 0), span_of(zeros, sizeof zeros));
    memcpy(cipher->key, out, AEAD_KEY_SIZE);
    secret_wipe(out, sizeof out);
}
