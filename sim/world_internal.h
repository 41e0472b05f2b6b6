/*
 * What the files of a world share:
 *   world.c   time, and a world from its beginning to its end
 *   life.c    a machine starts, dies, and turns; what its office says
 *   fate.c    the mix of faults that the seed draws, and each as it falls
 *   people.c  what people say, and hand in until it is recorded
 */
#ifndef LIAISON_SIM_WORLD_INTERNAL_H
#define LIAISON_SIM_WORLD_INTERNAL_H

#include "foe.h"
#include "world.h"

#define LINE "hotline"
#define TEXTS_MAX 1000
#define REQUESTS_MAX 2000 /* under way */
#define TOKEN_SIZE 16

enum befalls { SAY, POWER_CUT, KILL, CUT, BLOCK, JUMP, TROUBLE, FULL, BEYOND, BEFALLS_COUNT };

struct timer {
    uint64_t mean; /* microseconds between two; 0: never */
    uint64_t at;
};

enum request_kind { REQUEST_NONE, REQUEST_FOUND, REQUEST_JOIN, REQUEST_LINK, REQUEST_SAY, REQUEST_SHOW };
struct request {
    enum request_kind kind;
    unsigned party;
    uint64_t text; /* the first */
    size_t count;
};

/* What a person wants to be said, until it is recorded. */
struct text {
    unsigned party;
    bool is_out; /* a request is under way */
    bool recorded;
    unsigned precedence;
    uint8_t token[TOKEN_SIZE];
    char text[ORACLE_TEXT_MAX];
};

struct world {
    struct random random;
    enum control control;
    struct trace trace;
    struct oracle *oracle;
    struct network *network;
    struct world_result *result;
    uint64_t time;
    unsigned rounds; /* since time went on */
    unsigned count;
    struct party party[NETWORK_PARTIES_MAX];
    uint64_t start_at[NETWORK_PARTIES_MAX]; /* when it starts again; UINT64_MAX: it runs */
    uint64_t trouble_until[NETWORK_PARTIES_MAX];
    uint64_t troubles[NETWORK_PARTIES_MAX]; /* what its disks had refused when it started */
    bool said_stopped[NETWORK_PARTIES_MAX];
    bool stays_stopped[NETWORK_PARTIES_MAX];
    struct timer timer[BEFALLS_COUNT];
    unsigned victim;                        /* of faults beyond the model */
    struct foe *foe;                        /* NULL: all are honest */
    unsigned false_party, tricks;           /* the foe's, if there is one */
    bool alarmed[NETWORK_PARTIES_MAX];      /* that office has raised an alarm that names a party */
    struct buffer yesterday, yesterday_wal; /* its database as it was */
    uint64_t safety_us, quiet_us;
    bool faults_fall;
    struct buffer charter, courier;
    size_t text_count, recorded;
    struct text text[TEXTS_MAX];
    struct request request[REQUESTS_MAX];
    struct buffer position; /* of what is shown in the end */
    uint64_t shown;
};

/* life.c */
/* Once in n times. */
bool world_one_in(struct world *world, uint64_t n);
/* From now on this party acts: the oracle is told. */
struct now world_now_of(struct world *world, struct party *party);
struct request *world_new_request(struct world *world, enum request_kind kind, unsigned party);
/* Between two numbers, both included. */
uint64_t world_draw(struct world *world, uint64_t least, uint64_t most);
uint64_t world_number_of(const struct world *world, const struct request *request);
/* The process ends; what the system has in its cache stays. */
void world_kill_office(struct world *world, struct party *party);
/* At once, in the midst of whatever it does. */
void world_lose_power(struct world *world, struct party *party);
/* Opens the office from what its disks have; it may stay stopped. */
void world_start(struct world *world, struct party *party);
/* Everything that an office has to do or say now. */
void world_turn(struct world *world, struct party *party);

/* fate.c */
/* It happens now, to somebody. */
void world_befall(struct world *world, enum befalls which);
void world_make_network(struct world *world, uint64_t seed);
/* Draws which faults fall, and how often. */
void world_plan_faults(struct world *world);
/* An alarm may name the foe alone, or a party whose machine was struck. */
void world_look_at_alarms(struct world *world, struct party *party);
/* What troubles a party ends. */
void world_relieve(struct world *world, unsigned number);

/* people.c */
/* Texts whose request came to nothing, with the same token. */
void world_hand_in_again(struct world *world);
/* Somebody says something. */
void world_say(struct world *world);

#endif
