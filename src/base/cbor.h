/*
 * Deterministic CBOR (RFC 8949 section 4.2.1), narrowed: unsigned integers, byte strings, text
 * strings of valid UTF-8, arrays, and maps whose keys are unsigned integers in rising order. No
 * negative numbers, floats, tags, simple values or indefinite lengths. What the reader accepts is
 * exactly what the writer writes: for every accepted x, write(read(x)) = x.
 *
 * Reading goes through the cursor, whose failure sticks; a value that is not canonical fails it.
 */
#ifndef LIAISON_BASE_CBOR_H
#define LIAISON_BASE_CBOR_H

#include "base/buffer.h"
#include "base/cursor.h"

#define CBOR_DEPTH_MAX 8 /* arrays and maps within each other that cbor_read_any() follows */

uint64_t cbor_read_uint(struct cursor *cursor);
/* An unsigned integer that must not exceed `max`. */
uint64_t cbor_read_uint_max(struct cursor *cursor, uint64_t max);
/* A byte string of min to max bytes, in the memory of the input. */
struct span cbor_read_bytes(struct cursor *cursor, size_t min, size_t max);
/* A byte string of exactly `size` bytes, copied; `out` is zeroed on failure. */
void cbor_copy_bytes(struct cursor *cursor, void *out, size_t size);
/* A text string of min to max bytes of valid UTF-8, in the memory of the input. */
struct span cbor_read_text(struct cursor *cursor, size_t min, size_t max);
/* The head of an array or a map: the number of items or pairs, at most `max`. */
size_t cbor_read_array(struct cursor *cursor, size_t max);
size_t cbor_read_map(struct cursor *cursor, size_t max);
/* A map key that must be exactly `key`. */
void cbor_read_key(struct cursor *cursor, uint64_t key);
/* Any one item, checked to be canonical; returns its encoded bytes. */
struct span cbor_read_any(struct cursor *cursor);

void cbor_put_uint(struct buffer *buffer, uint64_t value);
void cbor_put_bytes(struct buffer *buffer, const void *data, size_t size);
void cbor_put_text(struct buffer *buffer, struct span text);
void cbor_put_array(struct buffer *buffer, size_t items);
void cbor_put_map(struct buffer *buffer, size_t pairs);

#endif
