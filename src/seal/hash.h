/*
 * SHA-256 (FIPS 180-4) from libcrypto, and HMAC (RFC 2104) and HKDF (RFC 5869) composed over it.
 */
#ifndef LIAISON_SEAL_HASH_H
#define LIAISON_SEAL_HASH_H

#include "base/span.h"

#define HASH_SIZE 32

/* The hash of the parts as if they stood in one piece. */
void hash_parts(uint8_t out[static HASH_SIZE], const struct span *parts, size_t count);
void hash_bytes(uint8_t out[static HASH_SIZE], const void *data, size_t size);
void hmac_parts(uint8_t out[static HASH_SIZE], struct span key, const struct span *parts, size_t count);
/* RFC 5869; `size` at most 255 * 32. An empty salt is RFC 5869's default. */
void hkdf(void *out, size_t size, struct span salt, struct span secret, struct span info);

/* Whether two hashes or tags are equal, in time that does not depend on where they differ. */
bool hash_equal(const uint8_t a[static HASH_SIZE], const uint8_t b[static HASH_SIZE]);

/*
 * Domain labels. Everything signed, hashed or derived starts with one of these; none is the beginning
 * of another. The entries' own keys (spec/seal.md) and the tree (RFC 6962) have theirs.
 */
#define LABEL_CARD "liaison/card/v1"
#define LABEL_CHARTER "liaison/charter/v1"
#define LABEL_ORIGIN "liaison/origin/v1"
#define LABEL_RECEIPT_NAME "liaison/receipt-name/v1"
#define LABEL_COURIER_HASH "liaison/courier-hash/v1"
#define LABEL_COURIER_LINK "liaison/courier-link/v1"
#define LABEL_COURIER_WRAP "liaison/courier-wrap/v1"
#define LABEL_FINGERPRINT "liaison/fingerprint/v1"
#define LABEL_LINK "liaison/link/v1"
#define LABEL_LINK_FIRST "liaison/link-first/v1"
#define LABEL_WRAP "liaison/wrap/v1"
#define LABEL_COMMIT "liaison/commit/v1"
#define LABEL_EPOCH_COMMIT "liaison/epoch-commit/v1"
#define LABEL_CHECKSUM "liaison/checksum/v1"
#define LABEL_VAULT "liaison/vault/v1"
#define LABEL_TOKEN "liaison/token/v1"
#define LABEL_ACKNOWLEDGED "liaison/acknowledged/v1"

#endif
