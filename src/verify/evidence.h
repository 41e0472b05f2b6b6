/*
 * What liaison-verify does with evidence (record/evidence.h): it holds for whom the reader trusts, or nothing is said.
 */
#ifndef LIAISON_VERIFY_EVIDENCE_H
#define LIAISON_VERIFY_EVIDENCE_H

#include "record/evidence.h"
#include "verify/answer.h"

/* Appends what is proved, as people read it, or as one line of JSON. */
int evidence_answer(struct buffer *answer, struct span file, const struct trusted *trusted, bool json,
                    struct error *error);

#endif
