/*
 * What went wrong, for a program (code) and for a person (message).
 *
 * Functions that can fail return 0 or -1 and fill a `struct error` handed in by the caller, who may
 * pass NULL when only the verdict matters. The first failure is kept: a caller that reports a second
 * one on the way out does not hide the cause.
 */
#ifndef LIAISON_BASE_ERROR_H
#define LIAISON_BASE_ERROR_H

enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,   /* outside input is not what its format says */
    ERROR_REFUSED,   /* understood and not done; nothing has changed */
    ERROR_NOT_FOUND, /* what was named does not exist */
    ERROR_EXISTS,    /* what was to be made exists already */
    ERROR_LOCKED,    /* the office has not been given its key */
    ERROR_MISMATCH,  /* two things that must agree do not: keys, roots, signatures */
    ERROR_FULL,      /* the disk is full; the transaction was rolled back */
    ERROR_STORAGE,   /* the store failed and the outcome is unknown */
    ERROR_STOPPED,   /* the office has stopped and says why in its status */
    ERROR_ASKING,    /* the office was restored, and asks the others for its own log */
    ERROR_SYSTEM,    /* the operating system refused: memory, files, sockets */
    ERROR_VERSION,   /* written by a newer liaison */
    ERROR_USAGE,     /* the request itself is wrong */
};

struct error {
    enum error_code code;
    char message[320]; /* one sentence of UTF-8, ends with a zero */
};

/* Fills `error` unless it is NULL or already filled. Always returns -1, so that callers may write
 * `return error_set(...)`. `format` is printf's. What it gives may quote bytes of others: those that are no
 * UTF-8 become '?', and what is too long is cut after a whole character. It is made harmless where it is shown. */
int error_set(struct error *error, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The code's name as it stands in JSON and in the specification: "invalid", "refused", ... */
const char *error_code_name(enum error_code code);

#endif
