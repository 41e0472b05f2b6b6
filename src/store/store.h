/*
 * The store: SQLite behind one struct. Writes are batches of operations, reads are queries; both are plain data,
 * so that the office can build them without touching a file, the host can run them on a thread of their own,
 * and a simulator can run them in line.
 *
 * One connection, in one process, exclusive, WAL, synchronous=FULL, no automatic checkpoints (Debian 12's
 * SQLite 3.40.1 can corrupt a WAL database that two connections share; fixed upstream in 3.51.3).
 *
 * Tables. A log has a small number; the place of an entry is log << 40 | index, so that a log's entries lie
 * together in order. Everything marked (cache) can be computed again from the rest.
 *
 *   meta      key TEXT PK, value                 the office's own facts: see enum store_meta
 *   lines     line PK, name, id, charter, me, courier (sealed), confirmed, left
 *   logs      log PK, line, member, incarnation, size, frontier (cache), folded (cache: how far the fold has come),
 *             ordered (cache: how far the order will not change), spent_entries, spent_bytes, spent_at (what is used of
 *             the line's quotas: struct spent; since version 2)
 *   entries   place PK, class, precedence, epoch, received (seconds), leaf, bytes      never updated but to mend
 *   nodes     node PK, hash (cache)   hashes of complete subtrees of 256, 65,536 and 16,777,216 leaves;
 *             node = log << 40 | level << 36 | number, level 1, 2, 3
 *   heads     log, size PK, root, signature, settle
 *   receipts  log, by, size PK, time, signature, settle (cache: the head is a settle head)
 *   epochs    log, epoch PK, index, secret (sealed), forward (1: this member's wrap was to a prekey)
 *   prekeys   line, author, id PK, secret (sealed)       one's own, published for that author and not used
 *   offered   line, member, id PK, key        what the others published for this office, not used; key empty: used up to here
 *   tokens    line, token PK, first, count, digest        which entries a client's token made
 *   links     link PK, line, member, address
 *   counters  line, member PK, sent, received             handshake counters (design: link)
 *   fold      place PK, line, depth, member, kind, BY_ORDER(line, depth, member, place)        (cache)
 *   refs      target, by PK                                 entries that name another in `re` (cache)
 *   inbox     place PK, line                                what waits for a person (cache)
 *   pending   place PK, bytes, size, root, signature, path    overtaking entries beyond a gap, with their head
 *   evidence  log PK, text          that its author signed two histories: the first that was found; since version 3
 *
 * Invariants:
 * 1. A batch is one transaction; after store_commit() returns 0 it is on the disk.
 * 2. meta `batch` holds the number of the last committed batch; each is one more, but after store_skip_to().
 * 3. Every operation may be run again with the same result (the mark replays batches).
 */
#ifndef LIAISON_STORE_STORE_H
#define LIAISON_STORE_STORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "record/tree.h"

#define STORE_VERSION 3 /* an older one is made this one when it is opened */
#define STORE_INTEGERS 7
#define STORE_BLOBS 4
#define PLACE(log, index) ((int64_t)((uint64_t)(log) << 40 | (uint64_t)(index)))
#define PLACE_LOG(place) ((uint32_t)((uint64_t)(place) >> 40))
#define PLACE_INDEX(place) ((uint64_t)(place) & ((UINT64_C(1) << 40) - 1))

/* Comments give the integers, then the blobs, in the order of n[] and b[]. Text is passed as blobs of UTF-8. The
 * numbers stand in the mark: new kinds come last. */
enum store_op_kind {
    STORE_PUT_META,    /* key (enum store_meta) | value */
    STORE_PUT_LINE,    /* line, me, confirmed, left | name, id, charter, courier */
    STORE_SET_LINE,    /* line, confirmed, left */
    STORE_PUT_LOG,     /* log, line, member, incarnation | (all else 0 or empty; no change if it exists) */
    STORE_SET_LOG,     /* log, size | frontier */
    STORE_SET_FOLDED,  /* log, folded, ordered */
    STORE_PUT_ENTRY,   /* place, class, precedence, epoch, received | leaf, bytes; another leaf at that place fails */
    STORE_PUT_NODE,    /* node | hash */
    STORE_PUT_HEAD,    /* log, size, settle | root, signature (settle once set is never cleared) */
    STORE_DROP_HEADS,  /* log, size: deletes heads below size that are not settle heads */
    STORE_PUT_RECEIPT, /* log, by, size, time | signature */
    STORE_DROP_RECEIPTS, /* log, by, size: deletes receipts of `by` below size on heads that are not settle heads */
    STORE_PUT_EPOCH,   /* log, epoch, index, forward | secret */
    STORE_PUT_PREKEY,  /* line, author, id | secret */
    STORE_DROP_PREKEY, /* line, author, id */
    STORE_DROP_PREKEYS, /* line: all of one's own, on that line */
    STORE_PUT_OFFERED, /* line, member, id | key */
    STORE_DROP_OFFERED, /* line, member, id: that one and all with a smaller id; it stays as a row with an empty key,
                           and nothing is put at or below it again */
    STORE_PUT_TOKEN,   /* line, first, count | token (16), digest (32) */
    STORE_PUT_LINK,    /* link, line, member | address */
    STORE_DROP_LINK,   /* link */
    STORE_PUT_COUNTER, /* line, member, sent, received (each becomes the larger of old and new) */
    STORE_PUT_FOLD,    /* place, line, depth, member, kind */
    STORE_PUT_REF,     /* target place, by place */
    STORE_PUT_INBOX,   /* place, line */
    STORE_DROP_INBOX,  /* place */
    STORE_PUT_PENDING, /* place, size | bytes, root, signature, path */
    STORE_DROP_PENDING, /* log, index: all pending of that log below index */
    STORE_MEND_ENTRY,   /* place | leaf, bytes: what the scrub found broken, as another member has it */
    STORE_SAY_PENDING,  /* place, shown: it was said to be held; whether it was shown */
    STORE_SET_SPENT,    /* log, entries, bytes, at: what is used of its quotas */
    STORE_PUT_EVIDENCE, /* log | text; no change if there is one */
    STORE_OP_COUNT
};

struct store_op {
    enum store_op_kind kind;
    bool own; /* belongs to this office's own log: the mark keeps it for replay */
    int64_t n[STORE_INTEGERS];
    struct span b[STORE_BLOBS];
};

enum store_meta {
    META_BATCH,    /* 8 bytes, big-endian */
    META_VERSION,  /* 4 bytes: STORE_VERSION */
    META_OFFICE,   /* 16 random bytes: which office this is; the mark carries the same */
    META_CARD,     /* text */
    META_KEY_KIND, /* "file" or "passphrase" */
    META_PASSPHRASE, /* salt (16) | operations (4) | memory KiB (4) */
    META_MASTER,     /* the master key, sealed: store/vault.h */
    META_IDENTITY,   /* struct identity, sealed: store/vault.h */
    META_LAST_WALL, /* 8 bytes: seconds; no receipt has an earlier time from the last batch with others' entries on */
    META_RESTORED,  /* 4 bytes for each line whose prekeys are still to be voided, after the office was restored */
    META_COUNT
};

/* Queries. Comments: parameters n | b -> columns of a row, integers | blobs. Rows come in the order named, and
 * `from` is where they start (0: at the first), so that what `more` announces can be asked for. */
enum store_query_kind {
    STORE_GET_META,     /* key -> | value */
    STORE_ALL_LINES,    /* from line -> line, me, confirmed, left | name, id, charter, courier */
    STORE_ALL_LOGS,     /* from log -> log, line, member, incarnation, size, folded, ordered | frontier */
    STORE_SPENT,        /* log -> entries, bytes, at */
    STORE_ALL_LINKS,    /* from link -> link, line, member | address */
    STORE_ALL_COUNTERS, /* from line -> line, member, sent, received */
    STORE_ALL_PENDING,  /* from place -> place, size, said, shown | bytes, root, signature, path */
    STORE_ALL_EVIDENCE, /* from log -> log | text */
    STORE_LAST_HEAD,    /* log -> size, settle | root, signature: the largest */
    STORE_HEADS,        /* log, from size -> size, settle | root, signature: rising size >= from */
    STORE_LAST_RECEIPTS, /* log -> by, size, time | signature: the largest size of each member */
    STORE_RECEIPTS_FROM, /* log, from size -> by, size, time | signature: rising (size, by), size >= from */
    STORE_RECEIPTS_AT,   /* log, size -> by, size, time | signature */
    STORE_COVERING,      /* log, index -> by, size, time | signature: each member's smallest with size > index */
    STORE_LAST_EPOCH,    /* log -> epoch, index, forward | secret: the largest */
    STORE_EPOCH,         /* log, epoch -> epoch, index, forward | secret */
    STORE_EPOCH_LOST,    /* log -> epoch, index, forward: epochs with forward = 0, newest first */
    STORE_PREKEY,        /* line, author, id -> | secret */
    STORE_PREKEY_STOCK,  /* line -> author, count, largest id: per author */
    STORE_OFFERED,       /* line, member, from id -> id | key: rising id */
    STORE_TOKEN,         /* line | token -> first, count | digest */
    STORE_ENTRIES,       /* log, from, below -> place, class, precedence, epoch, received | leaf, bytes: rising place */
    STORE_ENTRY,         /* place -> place, class, precedence, epoch, received | leaf, bytes */
    STORE_FOLDS,         /* place from, place below -> place, depth, kind: rising place */
    STORE_FOLD,          /* place -> place, depth, kind */
    STORE_ORDER,         /* line, depth, member, place -> place, depth, member, kind: rising, after that position */
    STORE_ORDER_BACK,    /* line, depth, member, place -> the same, falling, before that position */
    STORE_REFS,          /* target place, from place -> by place: rising */
    STORE_INBOX,         /* line, from place -> place: rising */
    STORE_INBOX_COUNT,   /* line -> count */
    STORE_TOTALS,        /* line -> count of entries, sum of log sizes, of the whole line */
    STORE_QUERY_COUNT
};

#define STORE_ROWS_MAX 256
#define STORE_ROWS_BYTES (1u << 20)

struct store_row {
    int64_t n[STORE_INTEGERS];
    struct span b[STORE_BLOBS]; /* in the result's memory */
};

struct store_query {
    enum store_query_kind kind;
    int64_t n[STORE_INTEGERS];
    struct span b[STORE_BLOBS];
    size_t limit; /* rows; 0 means STORE_ROWS_MAX, which is also the most */
};

/* Rows of one query. More may exist than `limit` rows or STORE_ROWS_BYTES allow: `more` says so. */
struct store_result {
    size_t count;
    struct store_row *row;
    bool more;
    struct buffer memory;
};
void store_result_free(struct store_result *result);

/* A batch being built. Blobs are copied into the batch. A zeroed struct is an empty batch. */
struct store_batch {
    struct store_op *op;
    size_t count, capacity;
    size_t bytes; /* of blobs */
    bool failed;  /* no memory */
    struct store_block *blocks; /* blob memory, never moved */
};
void store_batch_free(struct store_batch *batch);
/* Forgets the operations, keeps memory for reuse. */
void store_batch_reset(struct store_batch *batch);
/* Appends a copy of `op`. */
void store_batch_put(struct store_batch *batch, const struct store_op *op);
/* Appends all operations of `from`. */
void store_batch_append(struct store_batch *batch, const struct store_batch *from);

struct store;
/* Opens an existing database, or makes one if `create` (then the file must not exist). Completes a TRUNCATE
 * checkpoint before it returns. A database of a newer version: ERROR_VERSION; one that is in use by another
 * process: ERROR_REFUSED; one that is damaged, empty or not ours: ERROR_STORAGE with a sentence. */
struct store *store_open(const char *path, bool create, struct error *error);
void store_close(struct store *store);
uint64_t store_batch_number(const struct store *store);
/* The next batch is `number`, above the last one: those between were lost, and nobody has them. */
void store_skip_to(struct store *store, uint64_t number);

/* Begins a transaction and runs the batch's operations in it. On failure the transaction is rolled back:
 * ERROR_FULL if the disk is full, ERROR_STORAGE otherwise. */
int store_stage(struct store *store, const struct store_batch *batch, struct error *error);
/* Reads rows, also between stage and commit: then it sees what was staged, through SQLite. */
int store_read(struct store *store, const struct store_query *query, struct store_result *result, struct error *error);
/* Commits what was staged, as batch `number`, the next one. ERROR_FULL: rolled back, nothing has changed.
 * ERROR_STORAGE: the outcome is unknown; the store refuses everything from then on. */
int store_commit(struct store *store, uint64_t number, struct error *error);
/* Rolls back what is staged, if anything is: it was never there. */
void store_abandon(struct store *store);

/* The hash of the subtree over leaves [start, end) of a log, from nodes and leaves; see tree_range. ERROR_NOT_FOUND
 * if an entry is not there. */
int store_range_hash(struct store *store, uint32_t log, struct tree_range range, uint8_t out[static HASH_SIZE],
                     struct error *error);

/* Checkpoints if the WAL has grown past 4 MiB (between batches; takes milliseconds). */
int store_checkpoint_some(struct store *store, struct error *error);
/* A TRUNCATE checkpoint: what was deleted is gone from the WAL too. */
int store_checkpoint_all(struct store *store, struct error *error);
/* Gives an empty WAL (after store_open() or store_checkpoint_all()) its length beforehand: overwriting costs half of
 * appending, since the file's length need not be made durable with each commit. Where there is no room it is left short. */
void store_lengthen_wal(struct store *store);
/* Free bytes of the file system; UINT64_MAX if unknown. */
uint64_t store_space(const struct store *store);

#endif
