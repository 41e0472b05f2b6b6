/*
 * A connection to the office's daemon: a blocking unix socket around control/client.h. Calls have a deadline, and
 * what a failure means for the caller (nothing changed, or nobody knows) is told as an exit code.
 */
#ifndef LIAISON_CLI_DAEMON_H
#define LIAISON_CLI_DAEMON_H

#include "cli/cli.h"
#include "control/client.h"

#define CALL_TIMEOUT_US (60 * UINT64_C(1000000))

struct daemon {
    int socket;
    int interrupt; /* a descriptor that becomes readable when waiting must end, or -1 */
    struct control_client client;
    json_t *events;       /* an array: what came while an answer was waited for */
    uint64_t deadline_us; /* on monotonic_us(); UINT64_MAX for none */
    bool lost;            /* it ended, or what came was not the protocol */
};

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t monotonic_us(void);

/* Connects to the daemon of the office; the exit code is EXIT_NO_DAEMON where there is none. Close it either way. */
enum exit_code daemon_open(struct daemon *daemon, const struct cli *cli, struct error *error);
/* The same to a unix socket by its path; -1 and `error` if nobody listens there. */
int daemon_open_path(struct daemon *daemon, const char *path, struct error *error);
void daemon_close(struct daemon *daemon);

/* Asks, and waits for the answer until the deadline; takes over `params`. NULL on failure, with `exit` and `error`
 * saying what it means. */
json_t *daemon_call(struct daemon *daemon, const char *method, json_t *params, enum exit_code *exit,
                    struct error *error);
/* The next event. 1: `event` is the caller's. 0: the deadline passed, or the interrupt came. -1: the connection ended.
 */
int daemon_event(struct daemon *daemon, json_t **event, struct error *error);

/* One call on a connection of its own, with what went wrong said on stderr; NULL then, and cli->exit to end with. */
json_t *daemon_ask(struct cli *cli, const char *method, json_t *params);
/* The same for what was read from files, which `files` names: it stands before the sentence if they are refused. */
json_t *daemon_ask_about(struct cli *cli, const char *files, const char *method, json_t *params);

#endif
