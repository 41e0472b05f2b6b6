/*
 * The daemon's parts, shared by its files. One loop, one thread for everything but the store:
 *
 *   main.c      what is checked before there is an office
 *   host.c      start, the turn, stop
 *   worker.c    the store's thread and the mark's
 *   listen.c    listening sockets: made, stale ones replaced, accepting
 *   wires.c     bytes between the office and the wires
 *   dial.c      opening wires: tcp, unix, exec
 *   spawner.c   a process beside the daemon that runs commands for it
 *   confine.c   what the daemon gives up once it runs; calls.c: which system calls it keeps
 *   serve.c     the control socket's connections
 *   methods.c   requests into calls of the office, its replies into answers
 *   json.c      facts into JSON
 *
 * What comes in (bytes, jobs that are done, timers, people's requests) is given to the office at once; before the loop
 * sleeps the office is turned once: host_turn(). What came together is thus recorded together, without waiting.
 */
#ifndef LIAISON_HOST_HOST_H
#define LIAISON_HOST_HOST_H

#include "host/confine.h"
#include "host/options.h"
#include "host/worker.h"

#define READ_SIZE 65536                /* bytes of one read, and of one connection in a turn */
#define LISTENERS_MAX (LISTEN_MAX + 2) /* and control.sock, link.sock */

struct wire;
struct serve;

enum listener_kind { LISTENER_CONTROL, LISTENER_LINK };
struct listener {
    struct host *host;
    enum listener_kind kind;
    bool is_tcp;
    int fd; /* -1: none */
    uv_poll_t poll;
    char path[ADDRESS_SIZE];        /* unix: removed at the end */
    char address[ADDRESS_SIZE + 8]; /* as in the ready line */
};

struct host {
    const struct options *options;
    char control_path[PATH_MAX];
    struct buffer card; /* text */
    struct confinement confinement;
    int spawner; /* spawner.h; -1: no commands */

    struct store *store;
    struct mark *mark;
    struct office *office;
    struct worker *worker;
    struct serve *serve;

    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_idle_t hurry;      /* runs while there is more to do at once: the loop does not sleep */
    uv_timer_t step;      /* office_next() */
    uv_async_t completed; /* jobs came back */
    uv_signal_t terminate, interrupt;
    uv_work_t first_work; /* makes the pool of threads, with what they inherit */

    struct listener listener[LISTENERS_MAX];
    size_t listener_count;
    bool listening;
    uint64_t owed_ns, paid_at_ns; /* of the time strangers took: listen_charge() */
    uv_timer_t accept_again;      /* after a rest, or when there were no file descriptors left */

    struct wire *wire[OFFICE_LINKS_MAX]; /* by the office's number; NULL: none */
    struct wire *closing;                /* without a number, being closed */

    bool stirred;   /* in this turn */
    bool unlocking; /* another thread works on the office: nothing else may touch it */
    bool said_locked, said_ready, said_asking, said_stopped;
    bool stopping;
    bool finished;            /* the office knows that it ends */
    struct monotonic stop_at; /* when stopping: at the latest */
    int exit_code;
    uint8_t read[READ_SIZE];
};

/* Runs the office in `directory` until it is told to end. Returns the exit code. `spawner` runs its commands, or is -1.
 */
int host_run(const struct options *options, const char *directory, int spawner);

/* The time for a call into the office. Before the first of a turn it is given fresh randomness. */
struct now host_now(struct host *host);
/* Says that there is more to do in this turn's wake: the loop will not sleep. */
void host_hurry(struct host *host);
/* Ends the daemon in an orderly way. */
void host_stop(struct host *host, const char *why);
/* The office's state changed, or is told for the first time: says so, and listens when there is a key. */
void host_tell_state(struct host *host);

#endif
