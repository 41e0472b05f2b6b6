/*
 * Evidence that one member signed two histories of its log: two of its heads that cannot both be true. It is a text for
 * people and for liaison-verify, which needs public keys alone; spec/record.md has its form.
 *
 * Of heads of one size it is enough that their roots differ. Of others a path shows what the first entries of the
 * larger head's tree come to: if that is not what the smaller head says, its author signed two histories.
 *
 * Invariants:
 * 1. Of one log no evidence can be made against an author who only ever signed one history of it, by whomever.
 * 2. There is one encoding: no bit of it can be changed, and the heads stand in one order.
 * 3. Everything is checked with the keys of the charter that it brings. Whether that charter is the parties' own it
 *    cannot say: trust comes from outside, by a policy or by the line's id.
 */
#ifndef LIAISON_RECORD_EVIDENCE_H
#define LIAISON_RECORD_EVIDENCE_H

#include "record/head.h"
#include "record/proof.h"

#define EVIDENCE_SIZE_MAX 65536 /* bytes */

struct evidence {
    struct charter charter;
    unsigned author;     /* the member that signed both */
    struct head head[2]; /* the smaller first; of one size, the one whose root is lower as bytes */
    /* If the sizes differ: the root of the first head[0].size entries of head[1]'s tree, and the proof of that
     * (RFC 6962, section 2.1.2) */
    uint8_t root[HASH_SIZE];
    struct tree_proof path;
    struct buffer words; /* what people read */
};

/* Whether a file is evidence, of whatever version. */
bool evidence_is_one(struct span text);
/* Reads all of a file and checks all of it; `evidence` is to be freed in any case. ERROR_MISMATCH: it is well-formed
 * and proves nothing. */
int evidence_read(struct evidence *evidence, struct span file, struct error *error);
/* Whether it holds under a policy that the reader trusts: the log is one of it, and called as in the charter. */
int evidence_check_policy(const struct evidence *evidence, const struct policy *policy, struct error *error);
/* Whether it is of the line that the reader trusts. */
int evidence_check_line(const struct evidence *evidence, const uint8_t line_id[static HASH_SIZE], struct error *error);
void evidence_free(struct evidence *evidence);

/*
 * Appends the evidence of two heads, in either order. `root` and `path` are as in the struct, and not read for heads of
 * one size, where they may be NULL. Refuses what evidence_read() would refuse.
 */
int evidence_write(struct buffer *text, struct span charter, unsigned author, const struct head *one,
                   const struct head *other, const uint8_t *root, const struct tree_proof *path, struct error *error);

#endif
