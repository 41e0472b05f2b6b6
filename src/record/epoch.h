/*
 * Epochs: how the secret under which a span of a log is sealed reaches the other members.
 *
 * An epoch entry wraps one fresh secret to every other member by Noise_Kpsk0_25519_ChaChaPoly_SHA256, from the
 * author's sealing key to a one-time prekey of that member, or to its standing sealing key where none is at
 * hand. Prekeys are published per author, so that two authors never take the same.
 *
 *     prekeys body: {0: voids (0 or 1), 1: [[author, first id, keys (32 bytes each, 1 to 64)], ...]}
 *     epoch body:   {0: commitment (32), 1: [[member, source, number, courier slot, message (80)], ...]}
 *
 * voids = 1: every prekey this log published before is void. source: 0 the standing key in slot `number`,
 * 1 the prekey with id `number`. The wraps stand in the order of the members and leave out the author.
 * commitment = SHA-256(LABEL_EPOCH_COMMIT | origin hash | epoch | secret).
 */
#ifndef LIAISON_RECORD_EPOCH_H
#define LIAISON_RECORD_EPOCH_H

#include "record/entry.h"

#define PREKEY_BATCH 64 /* keys published at a time for one author */
#define WRAP_SIZE 80    /* e (32) | sealed secret (32 + 16) */

struct prekeys {
    bool voids;
    unsigned count; /* batches */
    struct {
        uint8_t author; /* the member who may wrap to these */
        uint64_t first; /* id of the first key; the others follow */
        unsigned keys;
        uint8_t key[PREKEY_BATCH][DH_SIZE];
    } batch[MEMBERS_MAX - 1];
};
void prekeys_put(const struct prekeys *prekeys, struct buffer *body);
/* `publisher` is the log's author; a batch for itself, out of order or with a bad key is refused. */
int prekeys_read(struct prekeys *prekeys, struct span body, unsigned publisher, unsigned member_count,
                 struct error *error);

enum wrap_source { WRAP_STANDING = 0, WRAP_PREKEY = 1 };
struct wrap {
    uint8_t member;
    enum wrap_source source;
    uint64_t number;
    uint64_t courier_slot; /* 0: the key the line was founded with */
    uint8_t message[WRAP_SIZE];
};
struct epoch {
    uint8_t commitment[HASH_SIZE];
    unsigned wrap_count;
    struct wrap wrap[MEMBERS_MAX - 1];
};
void epoch_put(const struct epoch *epoch, struct buffer *body);
int epoch_read(struct epoch *epoch, struct span body, unsigned author, unsigned member_count, struct error *error);

void epoch_commitment(uint8_t out[static HASH_SIZE], const uint8_t origin_hash[static HASH_SIZE], uint64_t epoch,
                      const uint8_t secret[static EPOCH_SECRET_SIZE]);

/* What one wrap is bound to: the prologue is LABEL_WRAP, line id, origin hash, epoch, wrap index, the
 * SHA-256 of both cards, source and number. */
struct wrap_context {
    const struct charter *charter;
    const uint8_t *origin_hash; /* 32 bytes, of the author's log */
    const uint8_t *courier_key; /* 32 bytes, zeros on a line without one */
    unsigned author;
    uint64_t epoch;
};
/* Fills wrap->message. `recipient_key` is the prekey or standing key that source and number name. False if
 * that key is unusable. */
bool wrap_seal(struct wrap *wrap, const struct wrap_context *context, const uint8_t recipient_key[static DH_SIZE],
               const uint8_t author_sealing_secret[static DH_SIZE], const uint8_t ephemeral_secret[static DH_SIZE],
               const uint8_t secret[static EPOCH_SECRET_SIZE]);
/* False if it is not authentic. The caller checks the commitment. */
bool wrap_open(uint8_t secret[static EPOCH_SECRET_SIZE], const struct wrap *wrap, const struct wrap_context *context,
               const uint8_t recipient_secret[static DH_SIZE]);

#endif
