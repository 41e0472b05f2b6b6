/*
 * Secrets: where they live in memory, where randomness comes from, and how they are locked at rest.
 */
#ifndef LIAISON_SEAL_SECRET_H
#define LIAISON_SEAL_SECRET_H

#include "base/buffer.h"
#include "base/error.h"

/* Prepares libsodium. Call once, before anything else of this room; safe to call again. */
int seal_init(struct error *error);

/* Zeroed, guarded, locked memory that is left out of core dumps; NULL if there is none. */
void *secret_new(size_t size);
/* Wipes and frees; NULL is accepted. */
void secret_free(void *secret);
/* Overwrites memory in a way the compiler keeps. */
void secret_wipe(void *memory, size_t size);
/* Whether two pieces of memory are equal, in time that does not depend on where they differ. */
bool secret_equal(const void *a, const void *b, size_t size);

/*
 * Randomness is handed in: a generator (ChaCha20 with fast key erasure) that produces the same bytes
 * from the same seeds. The host stirs in fresh bytes from the kernel before every step, so that two
 * copies of one machine do not draw the same; a simulator does not.
 */
struct entropy {
    uint8_t key[32];
};
void entropy_stir(struct entropy *entropy, struct span fresh);
void entropy_fill(struct entropy *entropy, void *out, size_t size);

/*
 * At rest. Every stored secret is sealed under the office key, 32 bytes, with XChaCha20-Poly1305 and
 * a random nonce; `context` says what it is and is authenticated, so that no secret can be put in
 * another's place. sealed = nonce (24) | ciphertext | tag (16).
 */
#define OFFICE_KEY_SIZE 32
#define VAULT_OVERHEAD 40
void vault_seal(struct buffer *sealed, const uint8_t office_key[static OFFICE_KEY_SIZE], struct span context,
                struct span secret, struct entropy *entropy);
/* `out` must have room for sealed.size - VAULT_OVERHEAD bytes, which must equal `size`. */
int vault_open(void *out, size_t size, const uint8_t office_key[static OFFICE_KEY_SIZE], struct span context,
               struct span sealed, struct error *error);

/* Argon2id (RFC 9106) in libsodium's form. The limits are stored beside the salt and bounded when read. */
#define PASSPHRASE_SALT_SIZE 16
struct passphrase_limits {
    uint32_t operations; /* passes, 1 to 16 */
    uint32_t memory_kib; /* 8 to 4,194,304 */
};
#define PASSPHRASE_LIMITS ((struct passphrase_limits){.operations = 3, .memory_kib = 262144})
int passphrase_key(uint8_t out[static OFFICE_KEY_SIZE], struct span passphrase,
                   const uint8_t salt[static PASSPHRASE_SALT_SIZE], struct passphrase_limits limits,
                   struct error *error);

#endif
