#include "seal/secret.h"

#include <sodium.h>

#include "base/cursor.h"
#include "seal/hash.h"

int seal_init(struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_SYSTEM, "libsodium could not be prepared");
    return 0;
}

/* sodium_malloc() locks the pages, leaves them out of core dumps, and fences them with pages that cannot be
 * touched; it fills with a pattern, where the rest of liaison expects zeros. */
void *secret_new(size_t size)
{
    void *secret = sodium_malloc(size);

    if (secret != NULL)
        sodium_memzero(secret, size);
    return secret;
}

void secret_free(void *secret)
{
    sodium_free(secret);
}

void secret_wipe(void *memory, size_t size)
{
    sodium_memzero(memory, size);
}

bool secret_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void entropy_stir(struct entropy *entropy, struct span fresh)
{
    uint8_t next[sizeof entropy->key];

    hmac_parts(next, span_of(entropy->key, sizeof entropy->key), &fresh, 1);
    memcpy(entropy->key, next, sizeof next);
    sodium_memzero(next, sizeof next);
}

/* The next key is the keystream's first block and the output what follows it: once the old key is gone,
 * nobody who takes the machine can say what was drawn before. */
void entropy_fill(struct entropy *entropy, void *out, size_t size)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t next[sizeof entropy->key];

    (void)crypto_stream_chacha20(next, sizeof next, nonce, entropy->key);
    if (size > 0) {
        memset(out, 0, size);
        (void)crypto_stream_chacha20_xor_ic(out, out, size, nonce, 1, entropy->key);
    }
    memcpy(entropy->key, next, sizeof next);
    sodium_memzero(next, sizeof next);
}

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_Static_assert(NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES == VAULT_OVERHEAD, "the sealed form");

/* A key for each context, so that what was sealed in one place does not open in another. As additional data
 * the context would do the same and would have to be joined to its label in memory of its own. */
static void vault_key(uint8_t key[static HASH_SIZE], const uint8_t office_key[static OFFICE_KEY_SIZE],
                      struct span context)
{
    struct span parts[] = {span_of_string(LABEL_VAULT), context};

    hmac_parts(key, span_of(office_key, OFFICE_KEY_SIZE), parts, 2);
}

void vault_seal(struct buffer *sealed, const uint8_t office_key[static OFFICE_KEY_SIZE], struct span context,
                struct span secret, struct entropy *entropy)
{
    uint8_t *to = buffer_extend(sealed, VAULT_OVERHEAD + secret.size);
    uint8_t key[HASH_SIZE];

    if (to == NULL)
        return;
    vault_key(key, office_key, context);
    entropy_fill(entropy, to, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(to + NONCE_SIZE, NULL, secret.data, secret.size, NULL, 0, NULL, to,
                                                     key);
    sodium_memzero(key, sizeof key);
}

int vault_open(void *out, size_t size, const uint8_t office_key[static OFFICE_KEY_SIZE], struct span context,
               struct span sealed, struct error *error)
{
    struct cursor cursor = cursor_of(sealed);
    struct span nonce = cursor_span(&cursor, NONCE_SIZE);
    struct span cipher = cursor_rest(&cursor);
    uint8_t key[HASH_SIZE];
    int opened = -1;

    if (sealed.size < VAULT_OVERHEAD || sealed.size - VAULT_OVERHEAD != size)
        return error_set(error, ERROR_INVALID, "a sealed secret has %zu bytes instead of %zu", sealed.size,
                         size + VAULT_OVERHEAD);
    vault_key(key, office_key, context);
    opened =
        crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, cipher.data, cipher.size, NULL, 0, nonce.data, key);
    sodium_memzero(key, sizeof key);
    if (opened != 0)
        return error_set(
            error, ERROR_MISMATCH,
            "the office key does not open a sealed secret: it is another office's, or the secret was changed");
    return 0;
}

int passphrase_key(uint8_t out[static OFFICE_KEY_SIZE], struct span passphrase,
                   const uint8_t salt[static PASSPHRASE_SALT_SIZE], struct passphrase_limits limits,
                   struct error *error)
{
    if (limits.operations < 1 || limits.operations > 16 || limits.memory_kib < 8 || limits.memory_kib > 4194304)
        return error_set(error, ERROR_INVALID,
                         "the passphrase's limits are out of bounds: %u passes (1 to 16), %u KiB (8 to 4194304)",
                         limits.operations, limits.memory_kib);
    if (crypto_pwhash_argon2id(out, OFFICE_KEY_SIZE, (const char *)passphrase.data, passphrase.size, salt,
                               limits.operations, (size_t)limits.memory_kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return error_set(error, ERROR_SYSTEM, "there is no memory to work on the passphrase: %u KiB are needed",
                         limits.memory_kib);
    return 0;
}
