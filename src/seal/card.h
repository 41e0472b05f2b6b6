/*
 * A party's keys and its card: the public identity that goes into a charter.
 *
 *     liaison-card/v1
 *     name washington.example
 *     languages en,fr
 *     log-key BASE64            Ed25519: signs heads
 *     receipt-key BASE64        Ed25519: cosigns others' heads
 *     link-key BASE64           X25519: opens links
 *     sealing-key BASE64        X25519: wraps and unwraps epoch secrets; the standing key
 *     log-signature BASE64      each over LABEL_CARD and the lines above, "liaison-card/v1" to
 *     receipt-signature BASE64  "sealing-key ...\n"
 *
 * There is one encoding of a card: what does not re-encode to itself is refused.
 */
#ifndef LIAISON_SEAL_CARD_H
#define LIAISON_SEAL_CARD_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "seal/aead.h"
#include "seal/secret.h"
#include "seal/sign.h"

#define CARD_SIZE_MAX 2048
#define LANGUAGES_SIZE 128 /* language tags joined by commas, and a zero */

struct card {
    char name[NAME_SIZE];
    char languages[LANGUAGES_SIZE];
    uint8_t log_key[SIGN_PUBLIC_SIZE];
    uint8_t receipt_key[SIGN_PUBLIC_SIZE];
    uint8_t link_key[DH_SIZE];
    uint8_t sealing_key[DH_SIZE];
    uint8_t log_signature[SIGNATURE_SIZE];
    uint8_t receipt_signature[SIGNATURE_SIZE];
};

/* The secret half. Keep it in secret_new() memory. */
struct identity {
    uint8_t log_secret[SIGN_SECRET_SIZE];
    uint8_t receipt_secret[SIGN_SECRET_SIZE];
    uint8_t link_secret[DH_SIZE];
    uint8_t sealing_secret[DH_SIZE];
};

void identity_generate(struct identity *identity, struct entropy *entropy);
/* Fills and signs the card of an identity. `languages` is a comma-joined list of language tags. */
int card_make(struct card *card, const char *name, const char *languages, const struct identity *identity,
              struct error *error);
/* Whether the card holds the public halves of this identity. */
bool card_is_of(const struct card *card, const struct identity *identity);
void card_print(const struct card *card, struct buffer *text);
/* Reads one card from the front of `cursor`, leaving what follows it; every key is checked to be valid and
 * no two equal, every signature to verify. The error names the line that is wrong. */
int card_read(struct card *card, struct cursor *cursor, struct error *error);
/* The same for a text that holds nothing but a card. */
int card_parse(struct card *card, struct span text, struct error *error);

#endif
