/*
 * The entry: what a log is made of. spec/record.md has the bytes.
 *
 *     entry = header                                        canonical CBOR map, in the clear
 *           | body                                          of a clear class, canonical CBOR
 *     or    | tag (16) | commitment (32) | ciphertext       of the class ENTRY_SEALED
 *
 * Everybody who holds the line's logs can read headers and clear bodies; they are what machines need in
 * order to count, receipt and order entries that they cannot open.
 *
 * Invariants:
 * 1. An entry has at most ENTRY_SIZE_MAX bytes: C2SP tiles count an entry in 16 bits.
 * 2. `seen` is sorted by member, names no member twice, and never the author.
 * 3. entry_parse() accepts exactly what entry_seal() and entry_clear() write.
 */
#ifndef LIAISON_RECORD_ENTRY_H
#define LIAISON_RECORD_ENTRY_H

#include "base/error.h"
#include "record/charter.h"
#include "record/tree.h"

#define ENTRY_VERSION 1
#define ENTRY_SIZE_MAX 65535
#define BODY_SIZE_MAX 61440 /* after padding */
#define SALT_SIZE 16
#define ENTRY_TAG_SIZE 16
#define REFERENCES_MAX 64

enum entry_class {
    ENTRY_CHARTER = 0, /* body: the charter's text as a byte string */
    ENTRY_PREKEYS = 1, /* record/epoch.h */
    ENTRY_EPOCH = 2,   /* record/epoch.h */
    ENTRY_SEALED = 3,
    ENTRY_HELD = 4,  /* body: array of [member, index, leaf]: "I hold these durably, though not all before" */
    ENTRY_LEAVE = 5, /* body: empty map; the author's last entry */
    ENTRY_CLASS_MAX = 63, /* others are kept, counted and shown as unknown */
};

enum precedence { PRECEDENCE_ROUTINE, PRECEDENCE_PRIORITY, PRECEDENCE_IMMEDIATE, PRECEDENCE_FLASH };
const char *precedence_name(unsigned precedence);
/* -1 if it is none. */
int precedence_from_name(struct span name);

struct seen {
    uint8_t member;
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

struct reference {
    uint8_t member;
    uint64_t index;
    uint8_t leaf[HASH_SIZE];
};

struct entry_header {
    unsigned class;
    uint64_t epoch; /* the epoch a sealed entry is sealed under, or that an epoch entry opens; else 0 */
    unsigned precedence;
    unsigned seen_count;
    struct seen seen[MEMBERS_MAX - 1];
    unsigned reference_count;
    struct reference references[REFERENCES_MAX];
    uint8_t salt[SALT_SIZE];
};

struct entry {
    struct entry_header header;
    struct span header_bytes; /* in the memory of the input, as are the following */
    struct span body;         /* of a clear class */
    struct span tag, commitment, ciphertext; /* of ENTRY_SEALED */
};

/* Where an entry stands: what its sealing is bound to. */
struct entry_place {
    uint8_t origin_hash[HASH_SIZE]; /* SHA-256 of the origin */
    uint64_t index;
};
void entry_place_of(struct entry_place *place, const struct charter *charter, unsigned author, unsigned incarnation,
                    uint64_t index);

/* Parses an entry of a log of `author` on a line of `member_count`. Checks form, not truth. */
int entry_parse(struct entry *entry, struct span bytes, unsigned author, unsigned member_count, struct error *error);
/* Appends an entry of a clear class. `body` is one canonical CBOR item. */
void entry_clear(struct buffer *out, const struct entry_header *header, struct span body);

#define EPOCH_SECRET_SIZE 32
/* Seals: pads `body` (one canonical CBOR item, which fits), and appends the entry. Deterministic. */
int entry_seal(struct buffer *out, const struct entry_header *header, struct span body,
               const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place, struct error *error);
/* Opens a parsed sealed entry and appends the body without its padding. The key, tag, commitment,
 * ciphertext and padding are all checked. */
int entry_open(struct buffer *body, const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
               const struct entry_place *place, struct error *error);

/*
 * Disclosure: the key K of one sealed entry opens that entry and no other, and gives nothing of the epoch's secret. Who
 * has only K cannot compute the tag anew; that the header, the tag and the commitment belong to the text is what the
 * AEAD says, and that no other key opens the entry is what the commitment says. K itself need not come of the epoch's
 * secret: an author may have sealed for nobody. Whoever discloses looks that entry_open() opens it too.
 */
#define ENTRY_KEY_SIZE 32
void entry_key(uint8_t key[static ENTRY_KEY_SIZE], const struct entry *entry,
               const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place);
/* As entry_open(). ERROR_MISMATCH for every other key. */
int entry_open_disclosed(struct buffer *body, const struct entry *entry, const uint8_t key[static ENTRY_KEY_SIZE],
                         struct error *error);

/* Padmé (Nikitin et al., 2019) with a floor of 256: the padded length of `size` bytes. */
size_t entry_padded_size(size_t size);

/* The body of ENTRY_HELD: 1 to `max` of them. Whether a member is one of the line is the caller's to check. */
void held_put(struct buffer *body, const struct reference *held, size_t count);
int held_read(struct span body, struct reference *held, size_t max, size_t *count);

#endif
