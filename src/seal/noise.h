/*
 * The Noise protocol framework, revision 34, for 25519, ChaChaPoly and SHA256, driven by a table of
 * patterns, so that the published vectors of XK, XKpsk3, K and Kpsk0 test the code that runs XKpsk0.
 *
 * A handshake has no pointers into itself: copying the struct clones it. Wipe it with secret_wipe().
 *
 * Invariants:
 * 1. After a failed read the handshake is `dead`; every later call fails.
 * 2. Messages are written and read in the pattern's order only; a call out of turn fails.
 * 3. noise_split() succeeds once, after the last message.
 */
#ifndef LIAISON_SEAL_NOISE_H
#define LIAISON_SEAL_NOISE_H

#include "base/buffer.h"
#include "seal/aead.h"
#include "seal/hash.h"

enum noise_pattern { NOISE_XK, NOISE_XKPSK0, NOISE_XKPSK3, NOISE_K, NOISE_KPSK0 };
#define NOISE_MESSAGE_MAX 65535

struct noise_cipher {
    uint8_t key[AEAD_KEY_SIZE];
    uint64_t nonce;
    bool has_key;
};

struct noise_handshake {
    enum noise_pattern pattern;
    bool initiator;
    bool dead;
    unsigned message;   /* index of the next message */
    uint8_t h[HASH_SIZE];
    uint8_t ck[HASH_SIZE];
    struct noise_cipher cipher;
    uint8_t static_secret[DH_SIZE], static_public[DH_SIZE];
    bool has_ephemeral;
    uint8_t ephemeral_secret[DH_SIZE], ephemeral_public[DH_SIZE];
    uint8_t remote_static[DH_SIZE], remote_ephemeral[DH_SIZE];
    uint8_t psk[32];
    bool has_es;           /* es was computed beforehand: see noise_set_es() */
    uint8_t es[DH_SIZE];
};

struct noise_config {
    enum noise_pattern pattern;
    bool initiator;
    struct span prologue;
    const uint8_t *static_secret;    /* 32 bytes, one's own */
    const uint8_t *static_public;    /* of the same, where the caller has it at hand; NULL: it is computed */
    const uint8_t *remote_static;    /* 32 bytes, where the pattern knows it beforehand, else NULL */
    const uint8_t *psk;              /* 32 bytes for a psk pattern, else NULL */
    const uint8_t *ephemeral_secret; /* 32 fresh random bytes, used for this handshake alone; NULL for a responder
                                        that is given them by noise_set_ephemeral(), or writes nothing */
};

void noise_start(struct noise_handshake *handshake, const struct noise_config *config);
/* For a responder of XKpsk0 that tries several psks on one first message: es = DH(own static, the e in
 * the message), computed once by the caller, is used instead of computing it again. */
void noise_set_es(struct noise_handshake *handshake, const uint8_t es[static DH_SIZE]);
/* For a responder that was started without: before it writes its first message. Who draws none has none drawn or
 * computed for it. */
void noise_set_ephemeral(struct noise_handshake *handshake, const uint8_t secret[static DH_SIZE]);
/* Appends the next message to `message`. False if out of turn, too long, or a DH result is zero. */
bool noise_write(struct noise_handshake *handshake, struct span payload, struct buffer *message);
/* Reads the next message and appends its payload to `payload`. False, and the handshake dead, if it is
 * not authentic or malformed; nothing is appended then. */
bool noise_read(struct noise_handshake *handshake, struct span message, struct buffer *payload);
/* Whether all messages of the pattern have passed. */
bool noise_finished(const struct noise_handshake *handshake);
/* The two ciphers of the transport; `receive` is unused after a one-way pattern. `hash` is the
 * handshake hash, for binding. */
bool noise_split(struct noise_handshake *handshake, struct noise_cipher *send, struct noise_cipher *receive,
                 uint8_t hash[static HASH_SIZE]);

/* One transport message; `out` has room for plain.size + AEAD_TAG_SIZE, and may be plain.data.
 * False when the nonces are used up. */
bool noise_encrypt(struct noise_cipher *cipher, struct span additional, struct span plain, uint8_t *out);
/* A failure does not advance the nonce. */
bool noise_decrypt(struct noise_cipher *cipher, struct span additional, struct span message, uint8_t *out);
/* Noise section 11.3. The nonce goes on. */
void noise_rekey(struct noise_cipher *cipher);

#endif
