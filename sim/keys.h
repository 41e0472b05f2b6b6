/*
 * What the oracle holds keys to: an entry is opened only by the key it commits to; a key serves one end; a prekey is
 * used once, and its secret is gone afterwards.
 */
#ifndef LIAISON_SIM_KEYS_H
#define LIAISON_SIM_KEYS_H

#include "oracle.h"
#include "record/entry.h"

/* Of one world. */
void keys_start(struct oracle *oracle);
/* An office opened the entry with the secret. */
void keys_opened(const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
                 const struct entry_place *place);
/* An office derived a key for the end that the label names. */
void keys_derived(const uint8_t key[static 32], const char *label);
/* Looks through the durable database of a party, "/view/NUMBER/liaison.db", at rest. */
void keys_inspect(unsigned party, unsigned parties);

#endif
