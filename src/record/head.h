/*
 * Heads and receipts. A head is the author's checkpoint (C2SP tlog-checkpoint v1.0.0) signed as a note (C2SP
 * signed-note v1.0.0, type 0x01); a receipt is another member's cosignature on it (C2SP tlog-cosignature
 * v1.0.1, type 0x04). Both are kept and sent without the texts that follow from the charter.
 */
#ifndef LIAISON_RECORD_HEAD_H
#define LIAISON_RECORD_HEAD_H

#include "record/charter.h"
#include "record/tree.h"

struct head {
    uint64_t size;
    uint8_t root[HASH_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};

struct receipt {
    unsigned by;   /* the member that holds the entries */
    uint64_t time; /* seconds since 1970, by its own clock */
    uint8_t signature[SIGNATURE_SIZE];
};

/* The checkpoint's body: origin, size and root, each with its line feed. */
void head_body(const char *origin, uint64_t size, const uint8_t root[static HASH_SIZE], struct buffer *body);
/* Signs size and root, which are already in `head`. */
void head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE]);
bool head_verify(const struct head *head, const char *origin, const uint8_t log_key[static SIGN_PUBLIC_SIZE]);

void receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                  const uint8_t receipt_secret[static SIGN_SECRET_SIZE]);
/* False, too, for a time of 2^63 or later. */
bool receipt_verify(const struct receipt *receipt, const struct head *head, const char *origin,
                    const uint8_t receipt_key[static SIGN_PUBLIC_SIZE]);

#define NOTE_ED25519 0x01
#define NOTE_COSIGNATURE 0x04
/* The first four bytes of SHA-256(name | "\n" | type | key). */
uint32_t note_key_id(struct span name, uint8_t type, const uint8_t key[static SIGN_PUBLIC_SIZE]);
/* A verifier key as text: name+hex id+base64(type | key). */
void note_verifier_key_print(struct buffer *text, const char *name, uint8_t type, const uint8_t key[static SIGN_PUBLIC_SIZE]);
/* The checkpoint as a signed note: body, blank line, the author's signature, the receipts. */
void head_note(struct buffer *note, const struct charter *charter, unsigned author, unsigned incarnation,
               const struct head *head, const struct receipt *receipts, size_t count);

#endif
