/*
 * What members say to each other over a channel: one canonical CBOR array a message (spec/sync.md).
 *
 *   HELLO    [0, 1, [[member, incarnation, size, HEAD], ...]]   first, each way: what I hold of every log, and the
 *                                                        highest head I know of it
 *   ENTRIES  [1, member, incarnation, first, [entry, ...], HEAD, settle, [hash, ...]]
 *                                                        the hashes prove first + count entries to be the head's
 * beginning SETTLE   [2, member, incarnation, HEAD]              the author flagged this head; I hold what it covers
 *   RECEIPT  [3, member, incarnation, size, root, by, time, signature]
 *   HAVE     [4, member, incarnation, size]              durable here, though perhaps not at a head
 *   WANT     [5, member, incarnation, from]              send me this log from there on
 *   OVERTAKE [6, member, incarnation, index, entry, HEAD, [hash, ...], base, [hash, ...]]
 *                                                        an entry beyond a gap: its inclusion in the head, and the
 *                                                        consistency of that head with the first `base` entries
 *   FETCH    [7, member, incarnation, index]             send me that entry with its proof: answered by OVERTAKE
 *   HEAD     [] for none, or [size, root, signature]
 */
#ifndef LIAISON_SYNC_MESSAGE_H
#define LIAISON_SYNC_MESSAGE_H

#include "record/entry.h"
#include "record/head.h"

#define SYNC_VERSION 1
#define ENTRIES_MAX 4096             /* in one message */
#define ENTRIES_BYTES_MAX (1u << 20) /* of entries in one message */

enum message_type {
    MESSAGE_HELLO,
    MESSAGE_ENTRIES,
    MESSAGE_SETTLE,
    MESSAGE_RECEIPT,
    MESSAGE_HAVE,
    MESSAGE_WANT,
    MESSAGE_OVERTAKE,
    MESSAGE_FETCH,
};

struct hello_log {
    uint64_t size;
    bool has_head;
    struct head head;
};

struct message {
    enum message_type type;
    unsigned member; /* whose log */
    struct hello_log hello[MEMBERS_MAX];
    uint64_t first;        /* ENTRIES: first index; HAVE: size; WANT: from; OVERTAKE, FETCH: index */
    struct cursor entries; /* ENTRIES: the entries, `count` byte strings still to be read with message_entry() */
    size_t count;
    struct span entry; /* OVERTAKE */
    struct head head;  /* ENTRIES, SETTLE, OVERTAKE; RECEIPT: size and root */
    bool settle;
    struct tree_proof proof;       /* ENTRIES: consistency; OVERTAKE: inclusion */
    uint64_t base;                 /* OVERTAKE */
    struct tree_proof consistency; /* OVERTAKE */
    struct receipt receipt;
};

/* Parses a message of a line of `member_count`. Spans lie in the input's memory. Checks form, not truth; of ENTRIES
 * every entry's size is checked to be 1 to ENTRY_SIZE_MAX. */
int message_read(struct message *message, struct span bytes, unsigned member_count, struct error *error);
/* The next of `count` entries. */
struct span message_entry(struct message *message);

void message_put_hello(struct buffer *out, const struct hello_log *logs, unsigned member_count);
/* `entries` are `count` spans that may be taken from anywhere. */
void message_put_entries(struct buffer *out, unsigned member, uint64_t first, const struct span *entries, size_t count,
                         const struct head *head, bool settle, const struct tree_proof *proof);
void message_put_settle(struct buffer *out, unsigned member, const struct head *head);
void message_put_receipt(struct buffer *out, unsigned member, uint64_t size, const uint8_t root[static HASH_SIZE],
                         const struct receipt *receipt);
/* HAVE, WANT or FETCH. */
void message_put_size(struct buffer *out, enum message_type type, unsigned member, uint64_t size);
void message_put_overtake(struct buffer *out, unsigned member, uint64_t index, struct span entry,
                          const struct head *head, const struct tree_proof *inclusion, uint64_t base,
                          const struct tree_proof *consistency);

#endif
