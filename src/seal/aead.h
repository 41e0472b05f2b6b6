/*
 * ChaCha20-Poly1305 (RFC 8439) and X25519 (RFC 7748).
 */
#ifndef LIAISON_SEAL_AEAD_H
#define LIAISON_SEAL_AEAD_H

#include "base/span.h"

#define AEAD_KEY_SIZE 32
#define AEAD_TAG_SIZE 16

/* The 96-bit nonce is four zero bytes and `nonce` in little-endian order, as Noise writes it.
 * `out` has room for plain.size + AEAD_TAG_SIZE bytes and may be plain.data. */
void aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY_SIZE], uint64_t nonce, struct span additional,
               struct span plain);
/* `out` has room for cipher.size - AEAD_TAG_SIZE bytes and may be cipher.data. False, and out
 * unspecified, if cipher is too short or not authentic. */
bool aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY_SIZE], uint64_t nonce, struct span additional,
               struct span cipher);

#define DH_SIZE 32
void dh_public(uint8_t public_key[static DH_SIZE], const uint8_t secret[static DH_SIZE]);
/* False if the result is all zero: the other's key has low order. */
bool dh(uint8_t out[static DH_SIZE], const uint8_t secret[static DH_SIZE], const uint8_t public_key[static DH_SIZE]);
/* Whether a public key is usable at all: canonical and not of low order. */
bool dh_key_is_valid(const uint8_t public_key[static DH_SIZE]);

#endif
