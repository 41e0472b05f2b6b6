/*
 * The office's own parts, shared by its files:
 *   open.c    from store and mark to an office, or to a stop with an explanation
 *   restore.c  an office whose database is older than its mark, and asks the others for its own logs
 *   lines.c   founding, joining, showing, confirming, leaving
 *   append.c  one's own entries: charter, prekeys, epochs, and those that are sealed
 *   request.c  messages and acknowledgements that people ask for, with their tokens
 *   commit.c  batches, re-reading, and what the mark holds of them
 *   heads.c   heads, receipts, settle heads: signed, and stored lazily
 *   links.c   connections, dialling, handshake counters
 *   route.c   the addresses that are dialled: added, removed, tested
 *   carry.c   between links and sync: messages, what sync needs from the store
 *   fold.c, lookup.c, order.c, unseal.c  opening entries, prekeys and epochs of others, order, inbox
 *   inbox.c   how much waits for a person
 *   view.c    entries as people see them
 *   overtake.c  entries that came before their turn
 *   scrub.c   reading everything again and again, mending what broke
 *   prove.c   verification, policies, proofs
 *   quota.c   what the charter lets one's own log take
 *   disclose.c  one entry for somebody who is no member
 *   evidence.c  what shows that a member signed two histories
 *   status.c  facts
 */
#ifndef LIAISON_OFFICE_ENGINE_H
#define LIAISON_OFFICE_ENGINE_H

#include "office/office.h"
#include "record/epoch.h"
#include "record/proof.h"
#include "store/vault.h"

#define LEAD_DOUBLINGS_MAX 25 /* of a second: more than a year, which a counter may lead the clock */
#define COUNTER_LEAD_MAX_US (SECOND_US << LEAD_DOUBLINGS_MAX)
#define LOG_NUMBER(line, member) ((line)->number * MEMBERS_MAX + (member) + 1)
#define OFFERED_MAX 192
#define PREKEY_LOW (PREKEY_BATCH / 2) /* below this many unused, the next batch is published */
#define EPOCH_ENTRIES_MAX (UINT64_C(1) << 20)
#define EPOCH_SECONDS 86400
#define BATCH_ENTRIES_MAX ENTRIES_MAX
#define BATCH_BYTES_MAX (900u << 10) /* of one's own entries in a batch: it must fit the mark and a message */
#define LAZY_US SECOND_US            /* how long what need not be durable at once may wait */
#define SETTLE_US SECOND_US
#define ALARMS_MAX 32
#define AGES_MAX 1024
#define FOLD_ROWS 256
#define FOLD_CLAIMS 512 /* looked up for a slice, but for its first entry's */
#define RECENT_DEPTHS 8192

struct offered {
    uint64_t id;
    uint8_t key[DH_SIZE];
};

/* A receipt on a head that is no settle head: the next one takes its place, mostly before it is stored. */
struct noted_receipt {
    uint64_t size; /* 0: none */
    struct receipt receipt;
};

/* What the office knows of one member's log on one line; of its own too. */
struct member {
    char name[NAME_SIZE]; /* as sentences call it: its first label where that is unique */
    char origin[ORIGIN_SIZE];
    uint8_t origin_hash[HASH_SIZE];
    uint64_t folded;     /* entries below this were opened and ordered */
    uint64_t announced;  /* entries below this were told to people */
    uint64_t depth;      /* of entry folded - 1 */
    uint64_t settle;     /* size of its newest settle head known */
    uint64_t wait_batch; /* the fold needs what that batch will hold, an epoch's secret */
    /* its next entry rests on one that is not folded yet */
    bool waits;
    bool waits_by_reference;
    bool in_ring; /* and that one on it: it goes on */
    unsigned awaited;
    uint64_t awaited_index;
    /* or on one that is not here yet */
    bool misses;
    unsigned missing;
    uint64_t missing_index;
    struct monotonic missing_since;
    uint64_t missing_below; /* its entries below this were here when it began to wait, at missing_first */
    struct monotonic missing_first;
    bool waited_in_vain;    /* what it names and is not here is waited for no more */
    struct monotonic grown; /* when entries of it became durable last */
    struct {
        uint64_t end; /* index + 1; 0: none */
        uint64_t depth;
    } recent[RECENT_DEPTHS]; /* of entries folded lately, by index: the store may not have them yet */
    bool left;
    bool evident;    /* there is evidence that it signed two histories */
    bool evidencing; /* a job that makes it is out */
    /* what is to be stored, and may wait: heads.c makes operations of it */
    bool folded_noted;
    uint64_t newest_head; /* 0: none; one's own is stored, and of all the passing ones before it go */
    struct noted_receipt noted[MEMBERS_MAX]; /* the newest of each member */
    /* of another member */
    uint64_t prekey_next;   /* id of the next prekey to publish for it */
    unsigned prekey_stock;  /* published for it and not used */
    bool forward;           /* one's own current epoch was wrapped to a prekey of it */
    uint64_t offered_used;  /* ids below this were used, or are void */
    unsigned offered_count; /* its prekeys for us */
    struct offered offered[OFFERED_MAX];
    /* entries held and not readable: its author is told once an epoch, coalesced */
    bool has_unreadable;
    uint64_t unreadable_epoch; /* the last epoch + 1 it was told of */
    uint64_t unreadable_said;  /* the own entry that told it last; 0: none */
    struct unreadable unreadable;
};

/* An entry that came before its turn, on its way to being durable and shown. */
enum overtaken_state {
    OVERTAKEN_NEW,
    OVERTAKEN_WRITING,
    OVERTAKEN_DURABLE,
    OVERTAKEN_CLOSED, /* held, and its epoch is still to come */
    OVERTAKEN_SHOWN
};
struct overtaken {
    enum overtaken_state state;
    unsigned member;
    uint64_t index;
    bool folding;             /* a job that opens it is out */
    bool said;                /* that it is held */
    struct sync_chunk *chunk; /* one entry */
    struct head head;
    struct overtaken *next;
};

/* What one member's entries name that is not here: void for now. When the least of it comes in some log, everything
 * since is ordered again. */
struct late {
    bool any;
    uint64_t least[MEMBERS_MAX];                      /* index, by log; UINT64_MAX: none */
    uint64_t folded[MEMBERS_MAX], depth[MEMBERS_MAX]; /* where the fold stood */
    struct monotonic not_before;
};

/* What the fold makes of an entry: the column `kind`. */
enum fold_kind {
    FOLD_UNKNOWN = 0,
    FOLD_MESSAGE = BODY_MESSAGE,
    FOLD_ACKNOWLEDGEMENT = BODY_ACKNOWLEDGEMENT,
    FOLD_NOTICE = BODY_UNREADABLE,
    FOLD_UNREADABLE = 99, /* sealed, and not to be opened here */
    FOLD_CLASS = 100,     /* + class of a clear entry */
};

/* When runs of one's own entries became durable: for the age of what waits. */
struct age {
    uint64_t end;
    uint64_t seconds;
};

struct line_secrets {
    uint8_t courier[COURIER_KEY_SIZE]; /* zeros on a line without one */
    uint8_t link_psk[32];
    uint8_t epoch[EPOCH_SECRET_SIZE]; /* one's own current one */
};

/* Requests that wait for a run of own entries to become durable. */
struct waiting {
    uint64_t request;
    uint64_t first, count;
    bool numbered; /* `numbers` says which entries answer it: some tokens were known */
    uint64_t numbers[OFFICE_APPEND_MAX];
    size_t number_count;
    const char *line; /* of a founding or joining: what the answer holds besides */
    struct buffer text, text2;
    struct waiting *next;
};

/* A run of own entries on the way to the store. */
struct pending {
    struct sync_chunk *chunk;
    struct store_batch operations; /* tokens, epochs, prekeys that belong to it */
    struct waiting *waiting;
    uint64_t urgent; /* index of a flash in it; UINT64_MAX if none */
    struct pending *next;
};

/* The size and root of a log that the mark knew at the start: it is never forgotten, and of one's own log nothing is
 * signed before it is reached. */
struct known {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

struct line {
    uint32_t number;
    char name[NAME_SIZE];
    bool confirmed;
    bool left;   /* this office closed its own log here */
    bool asking; /* its own log is older here than the mark: nothing is signed, the others are asked for it */
    struct known known[MEMBERS_MAX];
    struct sync_chunk *tail; /* own entries that only the mark may have, while asking; NULL: none */
    bool prekeys_void;       /* after that: the next prekeys void all that were published before */
    unsigned me;
    struct charter *charter;
    struct buffer charter_text;
    struct buffer courier_sealed; /* empty on a line without a courier key */
    struct line_secrets *secret;  /* NULL while locked */
    struct sync *sync;
    struct member member[MEMBERS_MAX];
    struct tree_frontier first;  /* of one's own log with everything pending */
    struct tree_frontier second; /* of what was read back and hashed anew */
    struct spent spent;          /* of one's own quota, with everything pending */
    struct spent spent_durable;  /* with what is durable */
    bool has_epoch;
    uint64_t epoch;
    uint64_t epoch_entry;       /* index */
    uint64_t epoch_day;         /* wall clock day it began on */
    uint64_t seen[MEMBERS_MAX]; /* sizes last named in an own entry */
    struct pending *pending_first, *pending_last;
    uint64_t appended;    /* size of `first` after the last own entry: it is smaller once that was forgotten */
    struct buffer tokens; /* request.c's, of entries that are not in the store yet, in their order */
    struct sync_chunk *accepted_first, *accepted_last;
    struct overtaken *overtaken;
    bool folding; /* a fold job is out */
    struct late late[MEMBERS_MAX];
    bool prekeys_due;
    bool settle_due;
    struct monotonic settle_at; /* when the newest head is flagged, if settle_due */
    struct monotonic last_settle;
    uint64_t inbox;
    bool inbox_stale;         /* something was taken out: it is counted again */
    struct age age[AGES_MAX]; /* a ring, oldest first */
    unsigned age_first, age_count;
    uint64_t age_before; /* when the oldest entry before the ring became durable; 0 if unknown */
};

enum connection_state { CONNECTION_FREE, CONNECTION_DIALLING, CONNECTION_HANDSHAKE, CONNECTION_UP, CONNECTION_CLOSING };

struct connection {
    enum connection_state state;
    unsigned generation; /* tells a reused slot from the one a job was started for */
    struct channel *channel;
    bool incoming;
    struct monotonic opened;
    bool offered; /* its first message was authentic; it waits for the counter to be durable */
    int line;     /* -1 before an offer */
    unsigned member;
    int sync_link; /* -1 unless UP */
    int route;     /* index into routes; -1 if incoming or a test */
    uint64_t since;
    /* link test */
    bool test;
    uint64_t request;
    struct monotonic test_until; /* no answer by then: the next attempt, or the verdict */
    uint64_t test_started_us;
    bool jumped; /* the test's second attempt, with a counter far ahead */
    struct address address;
    char address_text[ADDRESS_SIZE];
};

/* An address that this office dials. */
struct route {
    bool used;
    uint32_t number; /* in the store */
    int line;
    unsigned member;
    char text[ADDRESS_SIZE];
    struct address address;
    int connection;    /* -1 */
    unsigned failures; /* to be connected, in a row */
    unsigned silences; /* among them: connected, and no answer came */
    struct monotonic next;
    uint64_t since;
};

struct queued {
    struct office_event event;
    struct queued *next;
};

/* A job that waits: first for the fold to reach these sizes, then for a batch. */
struct gated {
    struct office_job *job;
    struct line *line;
    uint64_t folded[MEMBERS_MAX];
    uint64_t batch; /* 0 while the fold is waited for */
    struct gated *next;
};

struct deferred {
    struct office_event event;
    uint64_t batch;
    struct deferred *next;
};

struct office {
    struct office_config config;
    enum office_state state;
    struct error stop;  /* why */
    bool restored;      /* at this start the database was older than the mark */
    bool restore_noted; /* and an earlier start has recorded what follows from that */
    char asking[320];   /* what is asked for, as a sentence; empty: nothing */
    uint8_t id[OFFICE_ID_SIZE];
    struct card card;
    bool passphrase;
    uint8_t passphrase_salt[PASSPHRASE_SALT_SIZE];
    struct passphrase_limits passphrase_limits;
    struct buffer master_sealed, identity_sealed;
    uint8_t *master;           /* NULL while locked */
    struct identity *identity; /* NULL while locked */
    struct entropy entropy;
    uint64_t batch; /* number of the last durable one */
    uint64_t last_receipt_time;
    uint64_t space; /* free bytes of disk as last seen */
    struct now now; /* of the call being served */
    size_t line_count;
    struct line *line[OFFICE_LINES_MAX];
    struct mark_log *lost; /* logs of lines that the mark knows and this database does not */
    size_t lost_count;
    struct channel_door *door; /* where incoming connections knock; NULL while locked */
    struct connection connection[OFFICE_LINKS_MAX];
    int connection_end; /* none beyond was ever used */
    size_t route_count;
    struct route route[OFFICE_LINKS_MAX];
    uint64_t counter_known[OFFICE_LINES_MAX][MEMBERS_MAX]; /* the last one sent, as it was durable at the start */
    uint64_t counter_sent[OFFICE_LINES_MAX][MEMBERS_MAX];
    uint64_t counter_received[OFFICE_LINES_MAX][MEMBERS_MAX];
    struct store_batch lazy; /* operations that wait: until lazy_at, until somebody hurries, until they are many */
    bool noted;              /* something is marked in a line as to be stored; it waits with them */
    struct monotonic lazy_at;
    bool hurry;       /* the lazy operations must become durable now */
    bool lazy_failed; /* the disk was full for some of them: they go with the next batch */
    bool truncate;    /* secrets were deleted: checkpoint within a minute */
    struct monotonic truncate_at;
    /* Of the last batch with own entries, these: every mark has them, until others hold all of one's own logs. */
    struct store_batch last_own;
    bool committing;           /* a batch is out */
    struct deferred *deferred; /* answers that wait for a batch, in order */
    struct gated *gated;       /* jobs that wait until what was recorded before them can be read */
    size_t jobs_out;           /* taken by the driver or waiting */
    struct office_job *job_first, *job_last;
    struct queued *event_first, *event_last;
    bool scrubbing; /* a scrub job is out */
    size_t scrub_line;
    unsigned scrub_member;
    uint64_t scrub_index;
    struct monotonic scrub_at; /* not before: a slice a second, and only when awake anyway */
    bool watched;              /* somebody wants OFFICE_ENTRY */
    bool exhausted;            /* core_exhausted() */
    size_t alarm_count;
    char alarm[ALARMS_MAX][300];
};

/* --- shared by all --------------------------------------------------------------------------------------- */
void core_stop(struct office *office, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void core_alarm(struct office *office, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The cause of an alarm is gone: the one whose sentence is the same. */
void core_alarm_over(struct office *office, const char *format, ...) __attribute__((format(printf, 2, 3)));
void core_log(struct office *office, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For want of memory somebody will not be told what they must be: the driver ends the process. */
void core_exhausted(struct office *office);
/* For want of memory what waits to be recorded is not what it should be: the next batch fails whole, and the office
 * stops. */
void core_spoil(struct office *office);
/* Queues an event (copied, ownership taken). */
void core_event(struct office *office, const struct office_event *event);
void core_reply_error(struct office *office, uint64_t request, const struct error *error);
/* Queues a job. Takes it. */
void core_job(struct office *office, struct office_job *job);
/* Queues a job that reads a line, once everything durable on it now is folded and the fold is in the store. */
void core_job_after_fold(struct office *office, struct line *line, struct office_job *job);
/* Answers once the operations put to `lazy` so far are durable, which is hurried. */
void core_reply_when_durable(struct office *office, const struct office_event *event);
void core_batch_is_durable(struct office *office);
void core_refuse_deferred(struct office *office, const struct error *error);
/* The batch that was out found no room: the next has its number and takes all that is lazy, so nobody waits for one
 * behind it. */
void core_batch_failed(struct office *office);
/* The batch that will hold what is lazy now, if somebody hurries. */
uint64_t core_next_batch(const struct office *office);
/* The line of that name, or NULL with an error. Also refuses while locked or (if `writes`) stopped. */
struct line *core_line(struct office *office, struct span name, bool writes, struct error *error);
/* The same, for who wants to append: refuses while one's own log is asked for. */
struct line *core_line_to_append(struct office *office, struct span name, struct error *error);
int core_line_index(const struct office *office, const struct line *line);
/* Adds an operation that may wait. */
void core_lazy(struct office *office, const struct store_op *op);
/* Something was marked in a line as to be stored; it may wait. */
void core_note(struct office *office);
/* Whether anything waits. */
bool core_is_lazy(const struct office *office);
/* Runs the parts that may have something to do now. Called at the end of every public function. */
void core_turn(struct office *office);
/* "A/N" of a line; -1 with an error. */
int core_parse_entry(const struct line *line, struct span text, unsigned *member, uint64_t *index, struct error *error);

/* --- append.c ---------------------------------------------------------------------------------------------- */
/* The first two entries of one's own log. */
int append_start(struct office *office, struct line *line, struct error *error);
int append_prekeys(struct office *office, struct line *line, struct error *error);
/* Publishes new ones where they run low, if that is due; what fails is due still. */
void append_due_prekeys(struct office *office, struct line *line);
/* One entry of a clear class. */
int append_clear(struct office *office, struct line *line, unsigned class, struct span body, struct error *error);
/* One sealed entry; returns its index through `index`. */
int append_sealed(struct office *office, struct line *line, const struct body *body, unsigned precedence,
                  const struct reference *references, size_t reference_count, uint64_t *index, struct error *error);
/* Bytes that an entry takes at most, with so much text and so many references; and those that name what was seen, which
 * of several that are appended at once only the first does. */
size_t append_size(size_t text, size_t references);
size_t append_seen_size(const struct line *line);
/* A request waits for what was appended last; NULL, and the request refused, when there is no memory. */
struct waiting *append_wait(struct office *office, struct line *line, uint64_t request, uint64_t first, uint64_t count);
/* An operation that belongs to the entry appended last, and is replayed with it. */
void append_operation(struct line *line, const struct store_op *op);
/* A run will not be recorded: what was believed because of it is no more. */
void append_forget(struct line *line, const struct pending *pending);
/* All runs are forgotten: what was seen, and what cannot be read, is named by the entries that come next. */
void append_say_again(struct line *line);
/* Says that there is no memory left; -1. */
int append_no_memory(struct error *error);
void waiting_free(struct waiting *waiting);
void pending_free(struct pending *pending);
/* Tells authors, in one entry, what cannot be opened. */
void append_unreadable(struct office *office, struct line *line);

/* --- quota.c --- */
/* Whether so much more of what people ask for fits into one's own quota; else -1, with a sentence that says when. */
int quota_check(struct office *office, struct line *line, struct amount more, bool urgent, struct error *error);
/* The log of another member is delayed by its quota, or no more. */
void quota_alarm(struct office *office, const struct line *line, unsigned member, bool is_delayed);
void quota_status(const struct office *office, const struct line *line, unsigned member,
                  struct office_member_status *status);

/* --- commit.c --- */
void commit_some(struct office *office);
/* The office has stopped: forgets the entries that wait, and answers whoever waits for the disk. */
void commit_abandon(struct office *office);
int commit_mark_logs(const struct office *office, struct mark_log **logs, size_t *count);

/* --- heads.c --- */
/* Signs the head of a line's own log, over what was read back. */
void heads_sign(struct office *office, struct line *line, struct head *head);
/* The same at the start, where there is a log, and tells sync. */
void heads_begin(struct office *office, struct line *line);
/* Flags the newest head as a settle head, or does so a second after the last one. */
void heads_settle(struct office *office, struct line *line);
void heads_plan_settle(struct office *office, struct line *line);
/* The newest settle head of a member's log is now that of this size, which is in the store or in a batch; or this one,
 * which is to be stored. */
void heads_set_settle(struct office *office, struct line *line, unsigned member, uint64_t size);
void heads_keep_settle(struct office *office, struct line *line, unsigned member, const struct head *head);
/* Signs a receipt for a head of another member's log that is durable, and tells sync. */
void heads_give_receipt(struct office *office, struct line *line, unsigned member, const struct head *head,
                        bool settle);
/* Receipts what is held of the others' logs and was not, or whose receipt was not stored before the end (at start). */
void heads_receipt_again(struct office *office, struct line *line);
/* A receipt on a member's log, given or taken, is to be stored. */
void heads_note_receipt(struct office *office, struct line *line, unsigned member, uint64_t size,
                        const struct receipt *receipt);
/* What was noted of all lines becomes operations among those that may wait. */
void heads_take_notes(struct office *office);
/* Puts a head into a batch; and the time of the receipts that will be given for it, which never falls. */
void heads_put(struct store_batch *batch, uint32_t log, const struct head *head, bool settle);
void heads_put_receipt_time(struct office *office, struct store_batch *batch);

/* --- restore.c --- */
/* Keeps of a batch what every later mark repeats. */
void restore_keep(struct office *office, const struct store_batch *batch);
/* The database is more than one batch older than its mark: takes from the mark what is of use, and goes on behind it.
 */
int restore_from_mark(struct office *office, struct store *store, const struct mark_state *mark, struct error *error);
/* Compares what is held with what the mark knows: what lacks of one's own logs is asked for. */
int restore_compare(struct office *office, struct store *store, const struct mark_state *mark, struct error *error);
/* The office is unlocked: begins to ask, on the lines whose own log is older than the mark. */
void restore_begin(struct office *office);
/* The same for a line that was joined again. */
void restore_ask(struct office *office, struct line *line);
/* Something came while asking: stops where it shows that the mark is a copy, too. */
void restore_check(struct office *office, struct line *line);
/* Own entries came back: adds to their batch what they say of secrets that were lost. */
void restore_put(struct line *line, const struct sync_chunk *chunk, struct store_batch *batch);
/* ... and are durable. */
void restore_took(struct office *office, struct line *line, const struct sync_chunk *chunk);
/* A line is joined that the mark knows, and the database did not: its own log is asked for. */
bool restore_is_lost(const struct office *office, const uint8_t line_id[static HASH_SIZE]);
void restore_found_again(struct office *office, struct line *line);
/* The lines whose prekeys are still to be voided, as META_RESTORED has them, but for `except` (NULL: all). */
void restore_put_void(const struct office *office, const struct line *except, struct buffer *out);

/* --- lines.c --- */
struct line *line_new(struct office *office, uint32_t number, struct span name, struct span charter,
                      struct error *error);
void line_free(struct line *line);
/* Opens the line's courier key and derives what hangs on it; the office is unlocked. */
int line_unlock(struct office *office, struct line *line, struct error *error);
/* Forgets the newest line, whose first batch could not be recorded. */
void lines_forget_unrecorded(struct office *office);

/* --- links.c --- */
void links_start(struct office *office);
/* The office has other lines than before: these may be spoken of by those who connect. It is unlocked. */
void links_know_lines(struct office *office);
/* Begins a connection to an address of a member; `text` is the address as it was given. Its number, or -1 where there
 * is no place for one. */
int links_dial(struct office *office, int line, unsigned member, const struct address *address, const char *text);
/* Ends a connection: the wire is closed once its output is written, if there is one. `reason` is a sentence's end. */
void links_end(struct office *office, int number, const char *reason, bool wire_open);
void links_turn(struct office *office);
struct monotonic links_next(const struct office *office);
void links_step(struct office *office);
void links_accept_offers(struct office *office, const int *connections, const unsigned *generations, size_t count);
void links_close_all(struct office *office, const char *reason);
/* The connection that is sync's link `link` of a line. */
void links_close_sync(struct office *office, const struct line *line, unsigned link, const char *reason);
size_t links_waiting_offers(const struct office *office, int *connections, unsigned *generations, size_t max);

/* --- carry.c --- */
void carry_events(struct office *office, struct line *line);

/* --- evidence.c --- */
/* Makes evidence against a member of which two histories are known, if there is none, and it can be made now. */
void evidence_due(struct office *office, struct line *line, unsigned member);
/* At the start: there is evidence in the store. */
void evidence_known(struct office *office, struct line *line, unsigned member);

/* --- overtake.c --- */
void overtaken_free(struct line *line);
/* Puts the new ones into a batch; afterwards, and when the batch has become durable or was rolled back. */
void overtaken_put(struct line *line, struct store_batch *batch);
void overtaken_written(struct line *line, bool durable);
/* Whether an entry was shown before its turn; forgets those the log has reached. */
bool overtaken_was_shown(const struct line *line, unsigned member, uint64_t index);
void overtaken_reached(struct office *office, struct line *line, unsigned member, uint64_t folded);
bool overtaken_waiting(const struct line *line);
/* An entry that overtook and is held beyond the gap; NULL if there is none there. */
const struct overtaken *overtaken_find(const struct line *line, unsigned member, uint64_t index);

/* --- inbox.c --- */
void inbox_count(struct office *office, struct line *line);

/* --- scrub.c --- */
void scrub_some(struct office *office);
/* Whether a row of STORE_ENTRY or STORE_ENTRIES is still what was recorded; else notes it in the job. */
bool scrub_is_whole(struct office_job *job, const struct store_row *row);
/* The job is done: raises the alarm for what it has noted, and asks the other members for it. */
void scrub_noted(struct office *office, const struct office_job *job);
void scrub_mend(struct office *office, struct line *line, const struct sync_event *event);

/* --- fold.c --- */
/* An entry beyond a gap came: make it durable, show it, and say that it is held. */
void pending_entry(struct office *office, struct line *line, const struct sync_event *event);
void fold_some(struct office *office);
/* Nothing of the line can be folded now, though there may be more: it rests on what is not here. */
bool fold_waits(const struct office *office, const struct line *line);
struct monotonic fold_next(const struct office *office);

/* --- lookup.c --- */
/* On the store's thread. Of an entry's `re` those that are not void, a bit each: what is held in that place, here and
 * now, has that leaf. -1 if the store cannot be read. */
int lookup_true_references(struct store *store, const struct line *line, const struct entry *entry,
                           uint64_t *true_references, struct error *error);

/* --- order.c --- */
/* How many entries of a log have their place for good. */
uint64_t order_is_final(const struct line *line, unsigned member);
struct monotonic order_next(const struct office *office, const struct line *line);

/* --- view.c --- */
/* Fills a view from an entry's bytes; opens it with `secret` if not NULL. Of its `re` those alone are shown that are in
 * `true_references`, a bit each. */
int view_entry(struct office_view *view, const struct line *line, unsigned author, uint64_t index, struct span bytes,
               uint64_t true_references, uint64_t received, const uint8_t *secret);
int open_secret(const struct office *office, const struct line *line, unsigned author, uint64_t epoch,
                struct span sealed, uint8_t secret[static EPOCH_SECRET_SIZE]);

#endif
