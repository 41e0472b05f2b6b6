/*
 * What liaison-verify does with a file of disclosures (desk/disclosure.h): all of it must hold, or nothing is said.
 */
#ifndef LIAISON_VERIFY_DISCLOSURE_H
#define LIAISON_VERIFY_DISCLOSURE_H

#include "desk/disclosure.h"
#include "verify/answer.h"

/* Appends what is proved, as people read it, or as one line of JSON. */
int disclosures_check(struct buffer *answer, struct span file, const struct trusted *trusted, bool json,
                      struct error *error);

#endif
