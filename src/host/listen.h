/*
 * Listening sockets. Bound at the start, so that what is wrong with an address is said before there is a ready line;
 * accepting once the office has its key.
 */
#ifndef LIAISON_HOST_LISTEN_H
#define LIAISON_HOST_LISTEN_H

#include "host/host.h"

/* A unix socket in the office's directory, mode 0600. The caller owns the office, so what is there is stale. */
int listen_own(struct host *host, enum listener_kind kind, const char *path, struct error *error);
/* An address of --listen. A unix socket that nobody serves is replaced. */
int listen_address(struct host *host, const struct address *address, struct error *error);
/* Starts accepting on every socket of that kind. */
int listen_start(struct host *host, enum listener_kind kind, struct error *error);
/* Strangers took the time from `begun_ns` (uv_hrtime()) until now. Nobody else is let in before several times as much
 * has passed, so that those who work keep most of it, however many strangers come and however slow the machine is. */
void listen_charge(struct host *host, uint64_t begun_ns);
/* No descriptors are left: pauses accepting for a second. */
void listen_pause(struct host *host);
/* Closes all and removes unix sockets. */
void listen_stop(struct host *host);

#endif
