/*
 * The mark: a preallocated file outside the office's directory, on another device where there is one, that knows
 * how far this office has gone. It is on its way to the disk together with every commit, and nothing leaves the
 * office until both are synced; so a database that was restored, or lost its last batch, is found out at the next
 * start. It also holds the operations of the last batch of the own logs, so that a database exactly one batch
 * behind is brought up to date with the same bytes.
 *
 * The file: two slots of MARK_SLOT_SIZE bytes, written in turn. A slot: "liaison-mark/1\n" and a zero (16 bytes),
 * generation (8), length of the content (8), SHA-256 of all of these but itself and of the content (32), content.
 * Content, canonical CBOR: [office (16 bytes), batch number, [[line id, member, incarnation, size, root], ...],
 * operations]; an operation: [kind, [integers], [blobs]]. Only whole blocks of 4,096 bytes are written; the rest of a
 * slot is zero. The slot of generation g is slot g mod 2.
 *
 * Invariants:
 * 1. The slot not being written always holds the state before.
 * 2. A slot whose checksum is wrong is as if it were not there; if both are, the mark is damaged.
 */
#ifndef LIAISON_STORE_MARK_H
#define LIAISON_STORE_MARK_H

#include "store/store.h"

#define MARK_SLOT_SIZE (2u << 20)
#define OFFICE_ID_SIZE 16

struct mark_log {
    uint8_t line_id[HASH_SIZE];
    uint8_t member;
    uint32_t incarnation;
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

struct mark_state {
    uint8_t office[OFFICE_ID_SIZE];
    uint64_t batch;
    struct mark_log *log; /* owned */
    size_t log_count;
    struct store_batch operations; /* of the own logs, of batch `batch`; may be empty */
};
void mark_state_free(struct mark_state *state);

struct mark;
/* Makes the file, preallocated and synced, its directory synced, with `state` in it; it must not exist. */
struct mark *mark_create(const char *path, const struct mark_state *state, struct error *error);
/* Opens it, reads the newer valid slot into `state`, and sees to it that this is on the disk. ERROR_NOT_FOUND if there is
 * no file; ERROR_STORAGE if it is damaged or cannot be written, with a sentence; ERROR_VERSION if another version wrote it;
 * ERROR_REFUSED if another process has it open. */
struct mark *mark_open(const char *path, struct mark_state *state, struct error *error);
void mark_close(struct mark *mark);
/* Encodes a state for mark_write(): done where the state lives, so that the writing thread needs nothing but
 * bytes. Of the operations it takes those that are `own`. -1 if it does not fit a slot. */
int mark_encode(struct buffer *content, const uint8_t office[static OFFICE_ID_SIZE], uint64_t batch,
                const struct mark_log *logs, size_t log_count, const struct store_batch *batch_operations,
                struct error *error);
/* Writes the other slot and syncs it (fdatasync). ERROR_STORAGE: the outcome is unknown. */
int mark_write(struct mark *mark, struct span content, struct error *error);

#endif
