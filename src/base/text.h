/*
 * Text from and for people: UTF-8, numbers, names, base64 and hexadecimal, and how hostile text is
 * made harmless before it reaches a screen.
 */
#ifndef LIAISON_BASE_TEXT_H
#define LIAISON_BASE_TEXT_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Strictly valid UTF-8 (Unicode table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(struct span text);

/* A decimal number without sign or leading zero, all of `text`; false if it is none or exceeds `max`. */
bool text_to_number(struct span text, uint64_t max, uint64_t *number);

#define NAME_SIZE 64 /* a name and its zero */
/* A party's name: labels of a-z, 0-9 and inner '-', joined by '.', at most 63 bytes, and not "none",
 * which is a word of policies (C2SP tlog-policy). */
bool text_is_party_name(struct span name);
/* A line's name: one such label, at most 32 bytes. */
bool text_is_line_name(struct span name);
/* A language tag (RFC 5646) by its shape: subtags of 1 to 8 letters or digits joined by '-', the first
 * of letters only, at most 35 bytes in all. */
bool text_is_language_tag(struct span tag);

/* Lower-case hexadecimal. */
void text_put_hex(struct buffer *buffer, struct span bytes);
/* Exactly size * 2 hexadecimal digits of either case. */
bool text_from_hex(struct span text, void *out, size_t size);

/* Base64 (RFC 4648 section 4) with padding. */
void text_put_base64(struct buffer *buffer, struct span bytes);
#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4)
/* Decodes the canonical form only: padding present, unused bits zero, nothing else inside. Appends to
 * `out`; false, and nothing appended, if the text is not that. */
bool text_from_base64(struct span text, struct buffer *out);
/* The same for a value of known size. */
bool text_from_base64_exactly(struct span text, void *out, size_t size);

/*
 * Appends `text` so that it can be written to a terminal: printable characters of any script and
 * combining marks stay (at most four marks on one letter); line feed stays only if `lines`; every
 * control character, escape, bidirectional control, zero-width or invisible character, and every
 * byte that is not UTF-8, is shown as a visible mark such as <U+202E> or <0xFF>.
 */
void text_put_shown(struct buffer *buffer, struct span text, bool lines);

#endif
