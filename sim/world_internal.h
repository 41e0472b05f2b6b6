/*
 * What the files of a world share:
 *   world.c   time, and a world from its beginning to its end
 *   rest.c    what is still to be done when the faults have stopped
 *   life.c    a machine starts, dies, and turns; what its office says
 *   plan.c    what a seed draws: the pace, and the mix of what befalls
 *   fate.c    each of these as it falls
 *   people.c  what people say, and hand in until it is recorded
 */
#ifndef LIAISON_SIM_WORLD_INTERNAL_H
#define LIAISON_SIM_WORLD_INTERNAL_H

#include "foe.h"
#include "quotas.h"
#include "world.h"

#define LINE "hotline"
#define TEXTS_MAX 20000
#define REQUEST_TEXTS_MAX 256
#define REQUESTS_MAX 2000 /* under way */
#define TOKEN_SIZE 16
#define CLOGS_MAX 256 /* to come */
#define DAY_US (24 * 3600 * SECOND_US)

enum befalls {
    SAY,
    POWER_CUT,
    KILL,
    CUT,
    BLOCK,
    SWIZZLE, /* some directions clog one by one, and open in another order */
    FLAP,    /* a direction opens and closes */
    ISLAND,  /* some parties reach each other and not the rest */
    JUMP,
    TROUBLE,
    FULL,
    BEYOND,
    BEFALLS_COUNT
};

/* When such a thing befalls: from a stream of its own, so that leaving one out moves no other. */
struct timer {
    struct random random;
    uint64_t mean; /* microseconds between two; 0: never */
    uint64_t at;
};

/* How this world's time is spread. */
struct pace {
    uint64_t times;     /* everything that befalls is so many times rarer, and longer, than at a pace of seconds */
    bool storm;         /* crashes follow each other at once */
    uint64_t burst;     /* texts handed in together, at most */
    uint64_t safety_us; /* how long faults fall */
    struct office_config config;
};

enum request_kind { REQUEST_NONE, REQUEST_FOUND, REQUEST_JOIN, REQUEST_LINK, REQUEST_SAY, REQUEST_SHOW };
struct request {
    enum request_kind kind;
    unsigned party;
    size_t count;
    size_t *text; /* numbers; owned */
};

/* What a person wants to be said, until it is recorded. */
struct text {
    unsigned party;
    bool is_out; /* a request is under way */
    bool recorded;
    unsigned precedence;
    uint8_t token[TOKEN_SIZE];
    char *text;
};

/* A direction that will be blocked. */
struct clog {
    uint64_t at, until;
    unsigned from, to;
};

struct world {
    const struct world_orders *orders;
    struct random random;
    uint64_t befall_count; /* so far, with those that are left out */
    struct random befall;  /* of the one that befalls now */
    struct random *chance; /* what is drawn from */
    struct trace trace;
    struct oracle *oracle;
    struct network *network;
    struct world_result *result;
    uint64_t time;
    unsigned rounds; /* since time went on */
    unsigned count;
    struct pace pace;
    struct amount quota; /* of the charter; 0: the default */
    unsigned careless;   /* this party's office keeps none of its own; CARELESS_NONE: none does */
    bool flooded[NETWORK_PARTIES_MAX];
    struct party party[NETWORK_PARTIES_MAX];
    uint64_t start_at[NETWORK_PARTIES_MAX]; /* when it starts again; UINT64_MAX: it runs */
    uint64_t trouble_until[NETWORK_PARTIES_MAX];
    uint64_t troubles[NETWORK_PARTIES_MAX];      /* what its disks had refused when it started */
    unsigned recovery_cuts[NETWORK_PARTIES_MAX]; /* so often its power goes again while it starts */
    bool said_stopped[NETWORK_PARTIES_MAX];
    bool stays_stopped[NETWORK_PARTIES_MAX];
    struct timer timer[BEFALLS_COUNT];
    struct clog clog[CLOGS_MAX];
    size_t clog_count;
    unsigned victim;                        /* of faults beyond the model */
    struct foe *foe;                        /* NULL: all are honest */
    unsigned false_party, tricks;           /* the foe's, if there is one */
    bool alarmed[NETWORK_PARTIES_MAX];      /* that office has raised an alarm that names a party */
    struct buffer yesterday, yesterday_wal; /* its database as it was */
    uint64_t quiet_us;
    bool faults_fall;
    struct buffer charter, courier;
    size_t text_count;
    struct text text[TEXTS_MAX];
    size_t open[TEXTS_MAX]; /* those that may not be recorded yet, in order */
    size_t open_count;
    struct request request[REQUESTS_MAX];
    struct buffer position; /* of what is shown in the end */
    uint64_t shown;
};

/* world.c */
/* Goes on until the request is answered. */
void world_await(struct world *world, const struct request *request);

/* rest.c */
/* The faults have stopped: everything must come to its end, and be right. */
void world_come_to_an_end(struct world *world, void (*pass)(struct world *world, uint64_t us));

/* life.c */
/* Once in n times. */
bool world_one_in(struct world *world, uint64_t n);
/* From now on this party acts: the oracle is told. */
struct now world_now_of(struct world *world, struct party *party);
struct request *world_new_request(struct world *world, enum request_kind kind, unsigned party);
/* Between two numbers, both included. */
uint64_t world_draw(struct world *world, uint64_t least, uint64_t most);
/* The same for a time, at this world's pace, but never more than `limit`. */
uint64_t world_draw_time(struct world *world, uint64_t least, uint64_t most, uint64_t limit);
uint64_t world_number_of(const struct world *world, const struct request *request);
/* The process ends; what the system has in its cache stays. */
void world_kill_office(struct world *world, struct party *party);
/* At once, in the midst of whatever it does. */
void world_lose_power(struct world *world, struct party *party);
/* Opens the office from what its disks have; it may stay stopped. */
void world_start(struct world *world, struct party *party);
/* Everything that an office has to do or say now. */
void world_turn(struct world *world, struct party *party);

/* plan.c */
/* How time is spread in this world, its network, and its cryptography; with what it is made of. */
void world_plan_pace(struct world *world);
/* Draws the charter's quotas: small ones in some of the worlds that live for years, since days must go by. */
void world_plan_quotas(struct world *world);
/* Draws what befalls, and how often. */
void world_plan_faults(struct world *world);
const char *world_name_of(enum befalls which);

/* fate.c */
/* It happens now, to somebody. */
void world_befall(struct world *world, enum befalls which);
/* An alarm may name the foe alone, or a party whose machine was struck. */
void world_look_at_alarms(struct world *world, struct party *party);
/* What troubles a party ends. */
void world_relieve(struct world *world, unsigned number);
/* The clogs that are due; and when the next is. */
void world_clog(struct world *world);
uint64_t world_next_clog(const struct world *world);

/* people.c */
/* Texts whose request came to nothing, with the same token. */
void world_hand_in_again(struct world *world);
/* Somebody says something. */
void world_say(struct world *world);

#endif
