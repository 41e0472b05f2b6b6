/*
 * Two offices on one line in a world without chance: what a crash is compared with. The *victim* is the one whose power
 * is cut; the *other* one never fails. Times, bytes and secrets are the same in each run; so is what befalls the
 * victim, which the caller chooses through its `power` (disk.h).
 *
 * When the victim's power is off it loses it within the call that notices: the disks are settled, `lost` is called, the
 * oracle looks at what is left, and the office starts again. That office must be ready: there is nothing here that may
 * stop one, but for a database put back from a copy.
 */
#ifndef LIAISON_SIM_PAIR_H
#define LIAISON_SIM_PAIR_H

#include "party.h"

#define PAIR_LINE "hotline"
#define PAIR_TEXTS_MAX 600
#define PAIR_TEXT_SIZE 1800
#define PAIR_SAY_MAX 8
#define PAIR_ADDRESSES_MAX 8

struct pair_text {
    unsigned party;
    unsigned precedence;
    bool is_out, recorded;
    uint64_t index; /* if recorded: of its entry */
    char text[PAIR_TEXT_SIZE];
};

enum pair_asked {
    ASKED_NOTHING,
    ASKED_TO_FOUND,
    ASKED_TO_JOIN,
    ASKED_TO_LINK,
    ASKED_TO_UNLINK,
    ASKED_THE_NUMBER,
    ASKED_TO_CONFIRM,
    ASKED_TO_LEAVE,
    ASKED_TO_ACKNOWLEDGE,
    ASKED_TO_SAY,
    ASKED_TO_SHOW
};

/* What one party is asked, one thing at a time. */
struct pair_request {
    enum pair_asked asked; /* and not answered yet */
    bool answered;         /* the last one, without an error */
    uint64_t first;        /* texts */
    size_t count;
    unsigned address;
};

struct pair {
    unsigned victim; /* 0: it founds the line; 1: it joins */
    struct trace trace;
    struct oracle *oracle;
    struct network *network;
    uint64_t time;
    struct party party[2];
    struct pair_request request[2];
    uint64_t asked;    /* requests so far */
    unsigned rounds;   /* since time went on */
    uint64_t start_at; /* when the victim starts again; UINT64_MAX: it runs, or stays stopped */
    bool restored;     /* the victim's database was put back: it may stop */
    uint64_t lives;    /* how often the victim started */
    uint64_t digest;   /* of what others than the victim saw of it, and of what it was asked */
    uint64_t early;    /* entries that overtook others on their way to the victim */
    struct buffer charter, courier, number, position;
    struct buffer yesterday, yesterday_wal; /* the victim's database as it was */
    size_t text_count;
    struct pair_text text[PAIR_TEXTS_MAX];
    /* What the victim was told to have done, and must not forget. */
    bool confirmed, left;
    enum pair_asked promised[PAIR_ADDRESSES_MAX]; /* of links: ASKED_TO_LINK, ASKED_TO_UNLINK */
    /* Called with the disks settled; may be NULL. */
    void (*lost)(void *context, struct pair *pair);
    /* Called before the victim starts; may be NULL. */
    void (*starting)(void *context, struct pair *pair);
    void *context;
};

/* Makes both offices and starts them; there is no line yet. */
void pair_make(struct pair *pair, unsigned victim, enum control control, bool print_events);
void pair_free(struct pair *pair);

/* Goes on to what comes next, but not beyond `until`. */
void pair_go_on(struct pair *pair, uint64_t until);
/* Goes on by so much time, or until something is wrong. */
void pair_pass(struct pair *pair, uint64_t us);
/* Goes on until `done`; it is condemned if that takes longer than `us`. */
void pair_await(struct pair *pair, bool (*done)(const struct pair *pair), uint64_t us, const char *what);

/* Requests of a party, which must run and not be asked anything else. Answers are taken while time passes; an error is
 * wrong. Addresses have numbers, from 0 on. */
void pair_found(struct pair *pair, unsigned party, bool courier_key);
void pair_join(struct pair *pair, unsigned party);
void pair_link(struct pair *pair, unsigned party, unsigned address);
void pair_unlink(struct pair *pair, unsigned party, unsigned address);
/* Also brings the charter, for those who lost it. */
void pair_ask_number(struct pair *pair, unsigned party);
void pair_confirm(struct pair *pair, unsigned party);
void pair_leave(struct pair *pair, unsigned party);
/* An entry of the other one. */
void pair_acknowledge(struct pair *pair, unsigned party, uint64_t index);
/* New texts of so many bytes or a few more, at most PAIR_SAY_MAX, handed in together. */
void pair_say(struct pair *pair, unsigned party, size_t count, unsigned precedence, size_t size);
/* A text that was not recorded is handed in again; false if there is none. */
bool pair_say_again(struct pair *pair, unsigned party);

/* The process of the victim dies and begins anew; or ends in good order, does that. */
void pair_kill(struct pair *pair);
void pair_stop(struct pair *pair);
/* The power is lost, and the database comes back as it was when `yesterday` was copied. */
void pair_restore(struct pair *pair);

bool pair_has_line(const struct pair *pair, unsigned party);
bool pair_has_left(const struct pair *pair, unsigned party);
bool pair_has_confirmed(const struct pair *pair, unsigned party);
bool pair_has_address(const struct pair *pair, unsigned party, unsigned address);
/* Nothing is asked that is not answered. */
bool pair_is_answered(const struct pair *pair);
/* All that it was to say is recorded. */
bool pair_is_recorded(const struct pair *pair, unsigned party);
/* It has receipts for all that it recorded. */
bool pair_is_receipted(const struct pair *pair, unsigned party);
/* Each knows that there is a link. */
bool pair_is_up(const struct pair *pair);
/* Both have the same, and know of each other that they have it. */
bool pair_is_even(const struct pair *pair);
/* Entries that the other one wrote and the victim holds. */
uint64_t pair_heard(const struct pair *pair);

/* What the files of a pair share: time and life are in pair.c, requests and what is so in pair_ask.c. */
void pair_mix(struct pair *pair, uint64_t first, uint64_t second, uint64_t third);
/* That party acts. */
struct now pair_now(struct pair *pair, unsigned party);
/* Everything that its office has to do or say now. */
void pair_turn(struct pair *pair, unsigned number);

/* The power does not fail any more. Looks at both: what is shown, what is on the platters, that no alarm was raised and
 * nothing promised forgotten. */
void pair_conclude(struct pair *pair);

#endif
