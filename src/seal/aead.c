#include "seal/aead.h"

#include <sodium.h>

static void nonce_bytes(uint8_t out[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES], uint64_t nonce)
{
    memset(out, 0, 4);
    for (size_t i = 4; i < crypto_aead_chacha20poly1305_ietf_NPUBBYTES; i++, nonce >>= 8)
        out[i] = (uint8_t)nonce;
}

void aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY_SIZE], uint64_t nonce, struct span additional,
               struct span plain)
{
    uint8_t bytes[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

    nonce_bytes(bytes, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size, additional.data, additional.size,
                                                    NULL, bytes, key);
}

bool aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY_SIZE], uint64_t nonce, struct span additional,
               struct span cipher)
{
    uint8_t bytes[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

    nonce_bytes(bytes, nonce);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, cipher.data, cipher.size, additional.data,
                                                     additional.size, bytes, key) == 0;
}

void dh_public(uint8_t public_key[static DH_SIZE], const uint8_t secret[static DH_SIZE])
{
    (void)crypto_scalarmult_curve25519_base(public_key, secret);
}

bool dh(uint8_t out[static DH_SIZE], const uint8_t secret[static DH_SIZE], const uint8_t public_key[static DH_SIZE])
{
    return crypto_scalarmult_curve25519(out, secret, public_key) == 0;
}

/* Whether the little-endian number is below the field's prime, 2^255 - 19. */
static bool is_canonical(const uint8_t public_key[static DH_SIZE])
{
    if (public_key[31] != 0x7f)
        return public_key[31] < 0x7f;
    for (size_t i = 30; i > 0; i--)
        if (public_key[i] != 0xff)
            return true;
    return public_key[0] < 0xed;
}

/* Every X25519 scalar is a multiple of 8, so any one of them sends a point of low order to zero, and, being
 * less than the large prime orders, no other. */
bool dh_key_is_valid(const uint8_t public_key[static DH_SIZE])
{
    static const uint8_t any[DH_SIZE];
    uint8_t unused[DH_SIZE];

    return is_canonical(public_key) && dh(unused, any, public_key);
}
