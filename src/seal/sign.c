#include "seal/sign.h"

#include <sodium.h>

void sign_keypair(uint8_t public_key[static SIGN_PUBLIC_SIZE], uint8_t secret[static SIGN_SECRET_SIZE],
                  const uint8_t seed[static SIGN_SEED_SIZE])
{
    (void)crypto_sign_ed25519_seed_keypair(public_key, secret, seed);
}

bool sign_key_is_valid(const uint8_t public_key[static SIGN_PUBLIC_SIZE])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

void sign(uint8_t signature[static SIGNATURE_SIZE], const uint8_t secret[static SIGN_SECRET_SIZE], struct span message)
{
    (void)crypto_sign_ed25519_detached(signature, NULL, message.data, message.size, secret);
}

/* The key's order is not checked again here: that costs as much as the verification, and whoever takes a key
 * in calls sign_key_is_valid() once. */
bool sign_verify(const uint8_t signature[static SIGNATURE_SIZE], const uint8_t public_key[static SIGN_PUBLIC_SIZE],
                 struct span message)
{
    return crypto_sign_ed25519_verify_detached(signature, message.data, message.size, public_key) == 0;
}
