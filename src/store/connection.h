/*
 * The connection and its statements (inside this room only).
 */
#ifndef LIAISON_STORE_CONNECTION_H
#define LIAISON_STORE_CONNECTION_H

#include <sqlite3.h>

#include "store/table.h"

#define WAL_PAGES 1024 /* pages of 4 KiB after which a checkpoint is due */
#define WAL_LENGTH (WAL_PAGES * (4096 + 24))

enum { BEGIN, COMMIT, ROLLBACK, CONTROL_COUNT };

struct store {
    sqlite3 *connection;
    int directory; /* the one the database stands in */
    uint64_t batch;
    int wal_pages; /* in the WAL after the last commit */
    bool staged;   /* a transaction is open */
    bool failed;   /* the outcome of something is unknown: nothing is touched from then on */
    sqlite3_stmt *control[CONTROL_COUNT];
    sqlite3_stmt *op[STORE_OP_COUNT];
    sqlite3_stmt *then[STORE_OP_COUNT]; /* NULL where an operation has no second statement */
    sqlite3_stmt *query[STORE_FORM_COUNT];
};

/* Opens the file with everything set that a connection needs (spec/store.md); -1 also if it is not ours. */
int connection_open(struct store *store, const char *path, bool create, struct error *error);
int connection_prepare(struct store *store, struct error *error);
/* Finalizes the statements and closes. */
void connection_close(struct store *store);
/* A TRUNCATE checkpoint that must complete. */
int connection_truncate(struct store *store, struct error *error);

/* Binds ?1 on: `integers` of n, then `blobs` of b. The blobs are not copied. Returns SQLite's code. */
int connection_bind(sqlite3_stmt *statement, bool meta_key, size_t integers, const int64_t *n, size_t blobs,
                    const struct span *b);
/* Fills `error` for a code SQLite returned: ERROR_FULL, ERROR_REFUSED or ERROR_STORAGE. `what` begins the sentence. */
int connection_error(int code, const char *what, struct error *error);
/* False, and says so, if the store has failed before. */
bool connection_usable(const struct store *store, struct error *error);

#endif
