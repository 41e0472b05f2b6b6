/*
 * Ed25519 (RFC 8032). A public key is taken only if its encoding is canonical and the point has prime
 * order; a signature is refused if R has low order or S is not below the group order. Under that rule
 * libsodium, OpenSSL and Go agree on every public edge vector.
 */
#ifndef LIAISON_SEAL_SIGN_H
#define LIAISON_SEAL_SIGN_H

#include "base/span.h"

#define SIGN_PUBLIC_SIZE 32
#define SIGN_SEED_SIZE 32
#define SIGN_SECRET_SIZE 64 /* seed | public */
#define SIGNATURE_SIZE 64

void sign_keypair(uint8_t public_key[static SIGN_PUBLIC_SIZE], uint8_t secret[static SIGN_SECRET_SIZE],
                  const uint8_t seed[static SIGN_SEED_SIZE]);
bool sign_key_is_valid(const uint8_t public_key[static SIGN_PUBLIC_SIZE]);
void sign(uint8_t signature[static SIGNATURE_SIZE], const uint8_t secret[static SIGN_SECRET_SIZE], struct span message);
bool sign_verify(const uint8_t signature[static SIGNATURE_SIZE], const uint8_t public_key[static SIGN_PUBLIC_SIZE],
                 struct span message);

#endif
