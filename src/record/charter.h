/*
 * The charter founds a line and never changes. It is a text that people can read and carry:
 *
 *     liaison-charter/v1
 *     name talks
 *     random BASE64                 32 random bytes
 *     courier-key BASE64            SHA-256(LABEL_COURIER_HASH | key), or the word none
 *     quota-entries 16777216        entries a member may append a day
 *     quota-bytes 17179869184       bytes of entries a member may append a day
 *     succeeds none                 or ORIGIN SIZE ROOT of each log of the line it succeeds, one a line
 *     members 2
 *     (the members' cards, one after the other; a member's number is its place, from 0)
 *
 * The line's id is SHA-256(LABEL_CHARTER | text). There is one encoding: what does not re-encode to itself
 * is refused, and so is a charter with two equal keys or names anywhere in it.
 */
#ifndef LIAISON_RECORD_CHARTER_H
#define LIAISON_RECORD_CHARTER_H

#include "seal/card.h"
#include "seal/hash.h"
#include "seal/keyfile.h"

#define MEMBERS_MAX 16
#define CHARTER_SIZE_MAX 40960
#define ORIGIN_SIZE 96 /* an origin and its zero */

struct predecessor {
    char origin[ORIGIN_SIZE];
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

struct charter {
    char name[NAME_SIZE];
    uint8_t random[32];
    bool has_courier_key;
    uint8_t courier_hash[HASH_SIZE]; /* if has_courier_key */
    uint64_t quota_entries;
    uint64_t quota_bytes;
    size_t predecessor_count;
    struct predecessor predecessors[MEMBERS_MAX];
    unsigned member_count; /* 2 to MEMBERS_MAX */
    struct card members[MEMBERS_MAX];
    uint8_t line_id[HASH_SIZE];
};

#define QUOTA_ENTRIES_DEFAULT (UINT64_C(1) << 28)
#define QUOTA_BYTES_DEFAULT (UINT64_C(1) << 36)
/* A line that is founded here has at least these. */
#define QUOTA_ENTRIES_MIN 16
#define QUOTA_BYTES_MIN (1 << 17)
#define QUOTA_MAX (UINT64_C(1) << 53) /* and at most that, so that every reader of JSON can tell it */

/* Prints the charter's one encoding. line_id is not read. */
void charter_print(const struct charter *charter, struct buffer *text);
/* Parses and checks everything, and computes line_id. */
int charter_parse(struct charter *charter, struct span text, struct error *error);
/* SHA-256(LABEL_COURIER_HASH | key). */
void courier_hash(uint8_t out[static HASH_SIZE], const uint8_t key[static COURIER_KEY_SIZE]);

/* The member of that name, or of the one name that starts with `name` and a dot; -1 if there is none or
 * more than one. */
int charter_member(const struct charter *charter, struct span name);
/* The shortest form of a member's name that charter_member() takes: its first label where that is unique. */
struct span charter_short_name(const struct charter *charter, unsigned member);

/* "liaison/1/" hex SHA-256(LABEL_ORIGIN | line id | log key) "/" incarnation: a log's identity, and the note
 * name of the key that signs its heads. */
void charter_origin(const struct charter *charter, unsigned member, unsigned incarnation, char out[static ORIGIN_SIZE]);
/* "liaison/1/" hex SHA-256(LABEL_RECEIPT_NAME | line id | receipt key): the note name of a receipt key. */
void charter_receipt_name(const struct charter *charter, unsigned member, char out[static ORIGIN_SIZE]);

/* Eight groups of five digits joined by spaces, and a zero; the same at every member that has the same
 * charter and the same courier key. `key` is 32 zero bytes on a line without one. */
#define FINGERPRINT_SIZE 48
void charter_fingerprint(const struct charter *charter, const uint8_t key[static COURIER_KEY_SIZE],
                         char out[static FINGERPRINT_SIZE]);

#endif
