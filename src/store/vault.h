/*
 * What the secrets in the database are sealed to: vault_seal()'s context, so that none can stand in another's place.
 *
 *   META_MASTER    the master key under the key-encryption key (key file, or Argon2id of the passphrase): VAULT_MASTER
 *   META_IDENTITY  struct identity under the master key, as all below: VAULT_IDENTITY
 *   lines.courier  VAULT_COURIER | line id
 *   epochs.secret  VAULT_EPOCH | line id | member | incarnation | epoch
 *   prekeys.secret VAULT_PREKEY | line id | author | id
 *
 * Each context starts with LABEL_VAULT and the office's 16 bytes; numbers are 8 bytes, big-endian.
 */
#ifndef LIAISON_STORE_VAULT_H
#define LIAISON_STORE_VAULT_H

#include "base/buffer.h"
#include "seal/hash.h"
#include "store/mark.h"

enum vault_kind { VAULT_MASTER = 1, VAULT_IDENTITY, VAULT_COURIER, VAULT_EPOCH, VAULT_PREKEY };

struct vault_context {
    uint8_t bytes[sizeof LABEL_VAULT - 1 + OFFICE_ID_SIZE + 1 + HASH_SIZE + 24];
};

/* `line_id` may be NULL (zeros); numbers that a kind does not have are 0. */
static inline struct span vault_context(struct vault_context *context, const uint8_t office[static OFFICE_ID_SIZE],
                                        enum vault_kind kind, const uint8_t *line_id, uint64_t a, uint64_t b, uint64_t c)
{
    uint8_t *at = context->bytes;

    memset(context, 0, sizeof *context);
    memcpy(at, LABEL_VAULT, sizeof LABEL_VAULT - 1);
    at += sizeof LABEL_VAULT - 1;
    memcpy(at, office, OFFICE_ID_SIZE);
    at += OFFICE_ID_SIZE;
    *at++ = (uint8_t)kind;
    if (line_id != NULL)
        memcpy(at, line_id, HASH_SIZE);
    at += HASH_SIZE;
    put_u64_be(at, a);
    put_u64_be(at + 8, b);
    put_u64_be(at + 16, c);
    return span_of(context->bytes, sizeof context->bytes);
}

#endif
