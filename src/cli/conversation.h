/*
 * The hotline without a terminal: what a person types and what the daemon says come in, requests to the daemon and
 * what shall stand on the screen come out. It knows no socket, no clock and no randomness: times are microseconds of
 * monotonic time, tokens are handed in.
 *
 * Nothing is sent but after a review and the word `send`. What was released under a token stays outstanding until the
 * daemon has said what became of it; on every new connection it is asked for again with the same token, so that it is
 * recorded once whatever happened to the daemon.
 */
#ifndef LIAISON_CLI_CONVERSATION_H
#define LIAISON_CLI_CONVERSATION_H

#include "cli/draft.h"
#include "cli/transcript.h"
#include "control/client.h"

#define CONVERSATION_ALARMS_MAX 64
#define CONVERSATION_PENDING_MAX 16
#define CONVERSATION_HELD_MAX 20000
#define CONVERSATION_PAGE 100          /* entries shown at the beginning */
#define CONVERSATION_BELL_US 5000000   /* how often a flash rings until it is acknowledged */
#define CONVERSATION_RELOAD_US 2000000 /* how often what an office refuses is asked for again */

enum conversation_mode {
    CONVERSATION_WRITING,
    CONVERSATION_REVIEWING, /* the draft is shown; `send` releases it */
};

/* Answered by one key. */
enum conversation_question {
    QUESTION_NONE,
    QUESTION_LINE,    /* discard the line being typed? */
    QUESTION_DISCARD, /* discard the draft? */
    QUESTION_QUIT,    /* quit without it? */
};

/* What a request that is out was for. */
enum conversation_purpose {
    PURPOSE_STATUS,
    PURPOSE_WHO, /* a status that /who shows */
    PURPOSE_SUBSCRIBE,
    PURPOSE_PAGE,
    PURPOSE_INBOX,
    PURPOSE_APPEND,
    PURPOSE_ACKNOWLEDGE,
};

struct conversation_pending {
    uint64_t id;
    enum conversation_purpose purpose;
    char name[96]; /* of PURPOSE_ACKNOWLEDGE: what is acknowledged */
};

/* Of another member, as far as it is known. */
struct conversation_peer {
    bool up;
    char since[24];                                /* of the link */
    char acknowledged_as[16], acknowledged_at[24]; /* the last acknowledgement by a person; "" for none */
};

struct conversation {
    char line[64];
    char office[64];
    struct transcript transcript;
    struct conversation_peer peer[TRANSCRIPT_MEMBERS_MAX];
    struct draft draft;
    struct draft outbox; /* released, and not yet known to be recorded or refused */
    bool outstanding;    /* there is something in the outbox */
    bool unsure;         /* ... and an earlier request for it got no answer */
    enum conversation_mode mode;
    enum conversation_question question;
    struct buffer recall; /* what is to be put into the line being typed; the caller takes it */
    bool ended;           /* the person has quit */
    bool connected;
    bool loaded, loading; /* the page is here; it is being fetched */
    bool known;           /* a status is here */
    bool confirmed;       /* the line's number was compared */
    struct control_client client;
    struct conversation_pending pending[CONVERSATION_PENDING_MAX];
    size_t pending_count;
    json_t *held;                            /* events that came while the page was fetched */
    char alarm[CONVERSATION_ALARMS_MAX][96]; /* flashes that nobody here has acknowledged */
    size_t alarm_count;
    bool alarms_missing; /* there were more than can be remembered */
    bool bell;           /* ring with the next paint */
    uint64_t bell_us;    /* when it rings again; UINT64_MAX for never */
    uint64_t reload_us;  /* when what was refused is asked for again, as by a locked office; UINT64_MAX for never */
    struct screen screen;
    uint64_t pushed; /* rows of the transcript that are on the screen or have left it at the top */
    struct frame frame;
};

/* `status` is the daemon's; false if it does not know the line. */
bool conversation_open(struct conversation *conversation, const char *line, const json_t *status);
void conversation_free(struct conversation *conversation);

/* --- the daemon. Requests are in client.output; the caller drops what it sent. */
void conversation_connected(struct conversation *conversation, uint64_t now_us);
/* Bytes from the daemon. -1 if they are not the protocol: the connection is of no more use. */
int conversation_input(struct conversation *conversation, struct span bytes, uint64_t now_us);
/* The connection has ended. */
void conversation_lost(struct conversation *conversation, uint64_t now_us);

/* --- the person */
/* A line without its line feed. `pasted` text is never taken for a command. `token` is fresh random bytes. */
void conversation_typed(struct conversation *conversation, struct span line, bool pasted,
                        const uint8_t token[static DRAFT_TOKEN_SIZE], uint64_t now_us);
/* Ctrl-C, while something or nothing is being typed. */
void conversation_interrupted(struct conversation *conversation, bool typing, uint64_t now_us);
/* Ctrl-D at an empty line. */
void conversation_quit(struct conversation *conversation);
/* The key that answers conversation->question; true if the line being typed is to be discarded. */
bool conversation_answered(struct conversation *conversation, char key, uint64_t now_us);

/* --- the screen */
void conversation_resize(struct conversation *conversation, size_t rows, size_t columns);
/* Appends what makes the terminal show how things stand; `typing` is the line being typed, with the cursor before its
 * byte `cursor`. */
void conversation_paint(struct conversation *conversation, struct span typing, size_t cursor, struct buffer *out);
/* When conversation_step() must be called, whatever happens. */
uint64_t conversation_next(const struct conversation *conversation);
void conversation_step(struct conversation *conversation, uint64_t now_us);

/* --- between conversation.c and conversation_typed.c */
void conversation_request(struct conversation *conversation, enum conversation_purpose purpose, const char *method,
                          json_t *params);
/* Whether so much is being asked that nothing more should be. */
bool conversation_is_busy(const struct conversation *conversation);
/* Acknowledges a message. */
void conversation_acknowledge(struct conversation *conversation, const char *name, const char *as);
/* Asks the daemon to record what is in the outbox, if something is and that is not being asked. */
void conversation_release(struct conversation *conversation);
/* Shows what is known of who is there. */
void conversation_say_who(struct conversation *conversation, uint64_t now_us);

#endif
