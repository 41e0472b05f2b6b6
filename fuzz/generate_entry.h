/*
 * A second source of entries, written after spec/record.md and not after src/: it encodes CBOR by itself, and knows of
 * what it wrote whether it is an entry. What mutations of seeds hardly ever meet, it makes at every turn: full lists,
 * numbers at their limits, and one thing wrong in an entry that is right otherwise.
 */
#ifndef LIAISON_FUZZ_GENERATE_ENTRY_H
#define LIAISON_FUZZ_GENERATE_ENTRY_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Draws an entry of `author` on a line of `members` from the bytes of `choices`; zeros follow these. Returns whether it
 * is one. */
bool generate_entry(struct buffer *out, struct cursor *choices, unsigned author, unsigned members);

#endif
