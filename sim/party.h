/*
 * One party: a machine with two disks, a clock and an office on it, driven as liaisond drives it (host/host.c and
 * host/worker.c), but in steps. A job of the store is run and its batch committed, its mark is written before, between
 * or after these, and each of these is an event of its own, so that anything may happen between two of them.
 */
#ifndef LIAISON_SIM_PARTY_H
#define LIAISON_SIM_PARTY_H

#include "clock.h"
#include "disk.h"
#include "network.h"
#include "office/office.h"
#include "omit.h"
#include "oracle.h"

enum job_step { STEP_NONE, STEP_RUN, STEP_MARK, STEP_COMMIT, STEP_DONE };

struct party {
    unsigned number;
    char name[32];
    struct disk *database, *marks;
    struct power power;
    struct clock clock;
    struct random random;
    enum control control;
    struct office_config config;
    uint64_t disk_us;          /* what a step of a job takes at most */
    enum job_step mark_always; /* before which step marks are written; STEP_NONE: as chance has it */
    struct buffer card;
    uint8_t key[OFFICE_KEY_SIZE];

    /* while it runs */
    struct store *store;
    struct mark *mark;
    struct office *office;
    struct buffer content; /* what the mark holds, but for a job that is out */
    struct office_job *job;
    enum job_step mark_before;   /* this job's mark is written before that step */
    bool ran, marked, committed; /* its steps that are over */
    bool tried;                  /* it is to be committed */
    struct error mark_error;
    enum job_step step;
    uint64_t step_at;
    int links;                          /* none beyond was used since it started */
    int end[OFFICE_LINKS_MAX];          /* of the network, by the office's number; -1: none */
    uint64_t ends_at[OFFICE_LINKS_MAX]; /* to be closed, then at the latest; 0: not to be closed */
};

/* Makes the machine and, on faultless disks, the office, as `liaison init` does. */
void party_make(struct party *party, unsigned number, uint64_t seed, const struct office_config *config,
                enum control control);
/* Frees it; it may run or not. */
void party_free(struct party *party);

/* Starts the office as liaisond does; false if it could not be opened, with the reason. */
bool party_start(struct party *party, uint64_t now, struct error *error);
/* The process is gone, at once. What it had open is closed without touching a disk. */
void party_end(struct party *party);
/* Ends it in good order, once its office is not busy: what is open is closed properly. */
void party_stop(struct party *party);
bool party_runs(const struct party *party);

struct now party_now(struct party *party, uint64_t time);
/* When the party must be stepped; UINT64_MAX: never. */
uint64_t party_next(const struct party *party);
/* The office's timer and the next step of its job, as far as they are due. The power may be off afterwards. */
void party_step(struct party *party, uint64_t now);
/* Takes a new job from the office if there is one. */
void party_take_job(struct party *party, uint64_t now);
/* The office's link has this end of the network. */
void party_open_link(struct party *party, int link, int end);
/* OFFICE_CLOSE: the wire goes once its last bytes are sent. */
void party_close_link(struct party *party, int link, uint64_t now);
/* Sends what the office has for its links. */
void party_send(struct party *party, struct network *network, uint64_t now);
/* What the network has for the party: its office is told, if it runs. The event's bytes stay the caller's. */
void party_take(struct party *party, struct network *network, const struct network_event *event, uint64_t time,
                struct now now);

#endif
