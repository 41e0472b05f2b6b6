/*
 * A stand-in for cryptography, so that most worlds have time for more messages: keyed hashes and streams in place of
 * Ed25519, X25519, ChaCha20-Poly1305 and of what randomness is drawn with. The linker hands the functions of
 * seal/sign.h, seal/aead.h and seal/secret.h to cryptography.c; the objects of the product are what is shipped.
 *
 * It keeps no secret from anybody who knows it, and refuses what the real one refuses: a changed bit of a message, of a
 * signature, a tag, a nonce, a key or a context. Both ends of an agreement get the same key, and nobody with another
 * secret does. A public key that the stand-in did not make is judged by the real functions. SHA-256 with what is made
 * of it stays real, so entries, roots and labels are those of the real world.
 *
 * Keys and what was sealed belong to one choice: choose before the first key of a world is made.
 */
#ifndef LIAISON_SIM_CRYPTOGRAPHY_H
#define LIAISON_SIM_CRYPTOGRAPHY_H

#include <stdbool.h>

/* From now on. At first it is the real one. */
void cryptography_choose(bool stand_in);

#endif
