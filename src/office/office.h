/*
 * The office: one running instance, joining the rooms. It is itself an engine: bytes of links, answers of the store and
 * requests of people go in with the time; bytes, jobs for the store and events come out. It touches no file, socket or
 * clock, so that a simulator can run whole offices.
 *
 * How a driver (the host) turns it, after anything was put in:
 *     while (office_job(office, &job))   run it on the store's thread, later office_job_done()
 *     while (office_event(office, &e))   act on it
 *     for each open link: office_link_output() while the wire takes more
 *     call office_step() when office_next() has come
 *
 * Invariants (design rules 1 to 4):
 * 1. Nothing that this office signs leaves before the batch it asserts and the mark are both synced.
 * 2. A head is signed only over bytes that were read back through the store and hashed anew into a second frontier.
 * 3. An office that may have lost what it signed does not sign: it is `stopped` and says why.
 * 4. After a storage error it answers "unknown" and stops.
 */
#ifndef LIAISON_OFFICE_OFFICE_H
#define LIAISON_OFFICE_OFFICE_H

#include "base/time.h"
#include "desk/message.h"
#include "link/channel.h"
#include "store/mark.h"
#include "store/store.h"
#include "sync/sync.h"

#define OFFICE_LINES_MAX 64
#define OFFICE_LINKS_MAX 256 /* open connections at once, incoming and outgoing */
#define OFFICE_APPEND_MAX 1024
#define ADDRESS_SIZE 512
#define LEFT_RESERVE (4u << 20) /* free bytes of disk below which nothing of one's own is appended */

/* ASKING: ready, but on some line the office was restored and asks the others for its own log; status says on which. */
enum office_state { OFFICE_LOCKED, OFFICE_READY, OFFICE_ASKING, OFFICE_STOPPED };

struct office_config {
    uint64_t keepalive_us;
    uint64_t redial_max_us;
};

struct office; /* opaque; holds keys */

/*
 * Opens the office on its store and mark. `mark` is what mark_open() gave; NULL with `mark_error` if there was none. If
 * the database is exactly one batch behind the mark, that batch is replayed. If it is further behind, the office asks
 * the others for what lacks of its own logs. If the mark cannot be used, or is the older one, it opens `stopped`. NULL
 * only if it cannot be opened at all. Reads and writes the store during this call alone; afterwards only jobs do. If
 * `rewrite_mark` is set on return, the caller writes office_mark() before anything else.
 */
struct office *office_open(struct store *store, const struct mark_state *mark, const struct error *mark_error,
                           const struct office_config *config, bool *rewrite_mark, struct error *error);
void office_free(struct office *office);
/* The mark's content as of the last durable batch. */
int office_mark(const struct office *office, struct buffer *content, struct error *error);

const char *office_name(const struct office *office);
enum office_state office_state(const struct office *office, const char **reason);
/* "file" or "passphrase": what unlocks it. */
bool office_wants_passphrase(const struct office *office);
/* Gives the key: 32 bytes of the key file, or the passphrase (which takes a second of Argon2id). */
int office_unlock_key(struct office *office, const uint8_t key[static OFFICE_KEY_SIZE], struct now now,
                      struct error *error);
int office_unlock_passphrase(struct office *office, struct span passphrase, struct now now, struct error *error);
/* Fresh random bytes from the kernel; before every step. */
void office_stir(struct office *office, struct span fresh);

/* --- the store ------------------------------------------------------------------------------------------- */

/*
 * Work for the store's thread. run() touches the store and the job's own memory, nothing else. If `commits`, the
 * driver writes `mark` to the mark, and calls store_commit(number) once run() has succeeded; in which order does not
 * matter. It puts an error of either into `error`; both must have succeeded. Where it is certain that nothing was
 * committed, since run() failed or the commit did with ERROR_FULL, the mark is written back to what it was before the
 * job is done. One job at a time, in order.
 */
struct office_job {
    int (*run)(struct office_job *job, struct store *store);
    void (*done)(struct office *office, struct office_job *job, struct now now);
    void (*release)(struct office_job *job);
    bool commits;
    bool truncate; /* afterwards: store_checkpoint_all() */
    uint64_t number;
    struct buffer mark;
    uint64_t space; /* set by the driver after run(): store_space() */
    int64_t broken; /* place of an entry that was read and is not what was recorded; 0: none */
    struct error error;
    struct office_job *next; /* the engine's own */
};
bool office_job(struct office *office, struct office_job **job);
/* Back from the store's thread, with `error` filled if something failed. */
void office_job_done(struct office *office, struct office_job *job, struct now now);
/* Whether jobs are out or waiting: at shutdown the driver goes on until there are none. */
bool office_is_busy(const struct office *office);

/* Before an orderly end: what may wait is recorded now. Go on until office_is_busy() is false. */
void office_finish(struct office *office, struct now now);

/* --- links ------------------------------------------------------------------------------------------------ */

/* A connection was accepted: returns its number, or -1 if there are too many (close it). */
int office_link_accepted(struct office *office, struct now now);
/* The connection asked for by OFFICE_DIAL is open. */
void office_link_connected(struct office *office, int link, struct now now);
void office_link_input(struct office *office, int link, struct span bytes, struct now now);
/* Appends up to about `max` bytes for the wire. */
size_t office_link_output(struct office *office, int link, struct buffer *out, size_t max, struct now now);
/* The wire broke, ended, or could not be opened; `reason` is a sentence's end such as "connection refused". */
void office_link_broken(struct office *office, int link, const char *reason, struct now now);

enum address_kind { ADDRESS_TCP, ADDRESS_UNIX, ADDRESS_EXEC };
struct address {
    enum address_kind kind;
    char host[256]; /* tcp: a name, or an IPv4 or IPv6 address without brackets */
    char port[6];
    char path[ADDRESS_SIZE]; /* unix: path; exec: the command line, for /bin/sh -c */
    enum frame_class frame_class;
};
/* tcp://HOST:PORT, unix:PATH, exec:COMMAND, each with ?frame=256, 1024 or 16384 at its end if wanted. */
int address_parse(struct address *address, struct span text, struct error *error);

/* --- requests ---------------------------------------------------------------------------------------------- */

/* Each request is answered by one OFFICE_REPLY event with the same `request`, now or later. */

struct office_message {
    struct span text, language, answers, token; /* answers: "A/N" or empty; token: 16 bytes or empty */
    unsigned precedence;
    bool exercise;
};

/* `cards`, `charter`, `key`: the files' texts. A key of size 0: none. `quota`: of the charter, a day; 0: the default.
 */
void office_line_found(struct office *office, uint64_t request, struct span name, const struct span *cards,
                       size_t card_count, bool courier_key, struct amount quota, struct now now);
void office_line_join(struct office *office, uint64_t request, struct span charter, struct span key, struct span name,
                      struct now now);
void office_line_show(struct office *office, uint64_t request, struct span line);
void office_line_confirm(struct office *office, uint64_t request, struct span line, struct span digits, struct now now);
void office_line_leave(struct office *office, uint64_t request, struct span line, struct now now);
void office_link_add(struct office *office, uint64_t request, struct span line, struct span party, struct span address,
                     struct now now);
void office_link_remove(struct office *office, uint64_t request, struct span line, struct span party,
                        struct span address, struct now now);
void office_link_test(struct office *office, uint64_t request, struct span line, struct span party, struct span address,
                      struct now now);
void office_append(struct office *office, uint64_t request, struct span line, const struct office_message *messages,
                   size_t count, struct now now);
void office_acknowledge(struct office *office, uint64_t request, struct span line, const struct span *entries,
                        size_t count, unsigned as, struct now now);
/* `after`: a position from an earlier reply, or empty; `from`: "A/N" or empty; limit 1 to 256. */
void office_entries(struct office *office, uint64_t request, struct span line, struct span after, struct span from,
                    size_t limit, bool falling);
void office_inbox(struct office *office, uint64_t request, struct span line);
void office_record_verify(struct office *office, uint64_t request, struct span line);
void office_record_policy(struct office *office, uint64_t request, struct span line);
void office_record_prove(struct office *office, uint64_t request, struct span line, struct span entry);
/* The entry's disclosure (desk/disclosure.h). Refused while the line's policy would not accept it; ERROR_INVALID for an
 * entry without sealed text. */
void office_record_disclose(struct office *office, uint64_t request, struct span line, struct span entry);
/* The evidence (record/evidence.h) that `party` signed two histories, or whoever did if it is empty: event.text, and
 * whose in event.party. ERROR_NOT_FOUND where there is none; refused where it is against several and nobody is named. */
void office_record_evidence(struct office *office, uint64_t request, struct span line, struct span party);
/* Whether a line of that name exists. */
bool office_has_line(const struct office *office, struct span name);

/* One entry as people see it (spec/control.md). Text lies in the view's `memory`. */
#define VIEW_ACKNOWLEDGEMENTS_MAX 64
struct office_view {
    const char *line;
    const char *author;
    const struct charter *charter; /* for the names of members */
    uint64_t number;
    const char *kind;
    struct buffer memory;
    struct span text, language;
    unsigned precedence;
    bool exercise;
    bool readable;
    bool early; /* it came before its turn: entries of its author before it are still to come */
    bool has_written;
    uint64_t written, received; /* seconds */
    bool has_answers;
    struct reference answers;
    unsigned acknowledges_count;
    struct reference acknowledges[REFERENCES_MAX];
    unsigned as;
    unsigned unreadable_count;
    struct unreadable unreadable[UNREADABLE_MAX];
    enum message_state state;
    unsigned stored_count;
    struct {
        uint8_t by;
        uint64_t at;
    } stored[MEMBERS_MAX];
    unsigned acknowledged_count;
    struct {
        uint8_t by;
        unsigned as;
        uint64_t at;
    } acknowledged[VIEW_ACKNOWLEDGEMENTS_MAX];
    uint8_t leaf[HASH_SIZE];
};

enum office_event_kind {
    OFFICE_REPLY,  /* request; error, or what was asked for */
    OFFICE_DIAL,   /* link, address: open it, then office_link_connected() or _broken() */
    OFFICE_CLOSE,  /* link: close the wire once all output is written */
    OFFICE_ENTRY,  /* line, view: opened; in order of arrival */
    OFFICE_STORED, /* line, author, size, by, at */
    OFFICE_LINK,   /* line, party, address, up, reason */
    OFFICE_STATE,  /* the state changed */
    OFFICE_LOG,    /* reason: a sentence for the log */
};

struct office_event {
    enum office_event_kind kind;
    uint64_t request;
    struct error error;
    int link;
    struct address address;
    char address_text[ADDRESS_SIZE];
    const char *line;
    const char *party;
    uint64_t number, size, at;
    uint64_t count;    /* append: entries; record verify: entries */
    uint64_t receipts; /* record verify */
    bool up;
    char reason[320];
    struct buffer text;       /* a charter, a policy, a proof, a disclosure, a position; and see text2 */
    struct buffer text2;      /* a courier key file, a fingerprint */
    struct office_view *view; /* owned by the event */
    size_t view_count;
    struct mark_log *logs; /* record verify: a member each, in charter order */
    size_t log_count;
    const char *outcome; /* link test */
    uint64_t *numbers;   /* append: one per message; NULL if they are number, number + 1, ... */
};
bool office_event(struct office *office, struct office_event *event);
void office_event_free(struct office_event *event);
/* There was no memory for an event that somebody waits for: an answer, a wire to open or to close. The record is whole;
 * the driver ends the process, so that whoever asked knows that it does not know. */
bool office_is_exhausted(const struct office *office);

/* Whether anybody wants OFFICE_ENTRY events: without it entries are opened and ordered, but not told. */
void office_watch(struct office *office, bool wanted);

/* Facts for `status`. */
struct office_link_status {
    const char *address;
    bool up;
    uint64_t since; /* seconds, wall clock */
};
#define STATUS_LINKS_MAX 16
struct office_member_status {
    const char *party;
    bool me;
    uint64_t size, receipted, waiting;
    uint64_t oldest; /* seconds; 0: none */
    bool forward_secrecy;
    struct amount used, most; /* of a day's quota; of another member's, of 60 days' */
    bool delayed;             /* more of its log has to wait for that */
    const char *stated;       /* "open", "unstated", "left" */
    size_t link_count;
    struct office_link_status link[STATUS_LINKS_MAX];
};
struct office_line_status {
    const char *name;
    const struct charter *charter;
    bool confirmed, courier_key, left;
    uint64_t inbox;
    struct office_member_status member[MEMBERS_MAX];
};
size_t office_line_count(const struct office *office);
void office_line_status(const struct office *office, size_t line, struct office_line_status *status);
size_t office_alarm_count(const struct office *office);
const char *office_alarm(const struct office *office, size_t alarm);

/* When to call office_step() at the latest. */
struct monotonic office_next(const struct office *office);
void office_step(struct office *office, struct now now);

#endif
