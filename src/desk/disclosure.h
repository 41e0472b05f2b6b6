/*
 * A disclosure shows one sealed entry to somebody who is no member: what it says, who wrote it where, and who held it.
 * It is a text for people and for liaison-verify; spec/desk.md has its form. It carries the entry's own key, which
 * opens no other entry, the proof, and the charter with everybody's public keys. A file holds one or more, one after
 * another.
 *
 * Invariants:
 * 1. What people read in it is computed again from the rest, and must be the same byte for byte: no bit of a disclosure
 *    can be changed.
 * 2. Everything is checked with the keys of the charter that it brings. Whether that charter is the parties' own it
 *    cannot say: trust comes from outside, by a policy or by the line's id.
 */
#ifndef LIAISON_DESK_DISCLOSURE_H
#define LIAISON_DESK_DISCLOSURE_H

#include "desk/message.h"
#include "record/proof.h"

#define DISCLOSURE_FIRST_LINE "liaison-disclosure/v1\n"
#define DISCLOSURE_FILE_MAX (16u << 20) /* bytes that a reader takes */

struct disclosure {
    struct charter charter;
    struct policy policy;   /* the charter's: all members but the author */
    struct proof proof;     /* spans in the memory of the input */
    struct verdict verdict; /* names are in `policy` */
    unsigned author;        /* the member who wrote it */
    struct entry entry;     /* in the memory of `proof` */
    struct buffer plain;
    struct body body;   /* of a known kind; in the memory of `plain` */
    struct buffer head; /* what people read */
};

/* Whether a file is a disclosure, of whatever version, and no proof. */
bool disclosure_is_one(struct span text);
/*
 * Reads the next disclosure of a file: `input` must outlive it, and moves behind it. `disclosure` is zeroed before the
 * first, and freed after each. Too large for the stack. Checked is everything but how many receipts there are.
 */
int disclosure_read(struct disclosure *disclosure, struct cursor *input, struct error *error);
/* Whether it holds under a policy that the reader trusts; names must be the same there. */
int disclosure_check_policy(const struct disclosure *disclosure, const struct policy *policy, struct error *error);
/* Whether it is of the line that the reader trusts, and has the receipts that the line's own policy asks for. */
int disclosure_check_line(const struct disclosure *disclosure, const uint8_t line_id[static HASH_SIZE],
                          struct error *error);
/* Wipes nothing: what it holds is made to be shown. */
void disclosure_free(struct disclosure *disclosure);

/* Appends the disclosure of the entry in `proof` (a proof's text). Refuses what disclosure_read() would refuse. */
int disclosure_write(struct buffer *text, struct span charter, struct span proof,
                     const uint8_t key[static ENTRY_KEY_SIZE], struct error *error);

#endif
