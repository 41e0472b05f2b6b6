/*
 * The files that hold secrets: an office's key, a line's courier key, the recovery sheet.
 */
#ifndef LIAISON_SEAL_KEYFILE_H
#define LIAISON_SEAL_KEYFILE_H

#include "seal/card.h"
#include "seal/hash.h"

/*
 * The files that hold secrets, all of one form: a first line that says what it is, `name value` lines,
 * and a last line `checksum` with the first 8 bytes of SHA-256(LABEL_CHECKSUM | the text before it).
 *
 * liaison-office-key/v1: key
 * liaison-courier-key/v1: line (hex line id), key
 * liaison-recovery-sheet/v1: name, languages, log-seed, receipt-seed, link-secret, sealing-secret
 */
void office_key_print(struct buffer *text, const uint8_t key[static OFFICE_KEY_SIZE]);
int office_key_parse(uint8_t key[static OFFICE_KEY_SIZE], struct span text, struct error *error);

#define COURIER_KEY_SIZE 32
void courier_key_print(struct buffer *text, const uint8_t line_id[static HASH_SIZE],
                       const uint8_t key[static COURIER_KEY_SIZE]);
int courier_key_parse(uint8_t line_id[static HASH_SIZE], uint8_t key[static COURIER_KEY_SIZE], struct span text,
                      struct error *error);
/* The subkey of a courier key for one use: LABEL_COURIER_LINK or LABEL_COURIER_WRAP, as HKDF info. A line
 * without a courier key uses 32 zero bytes in its place. */
void courier_subkey(uint8_t out[static 32], const uint8_t key[static COURIER_KEY_SIZE], const char *label);

void recovery_sheet_print(struct buffer *text, const struct card *card, const struct identity *identity);

#endif
