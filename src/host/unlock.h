/*
 * Unlocking with a passphrase. Argon2id takes a second and much memory on purpose, so a thread of the pool does it, and
 * until it is done nothing else touches the office.
 */
#ifndef LIAISON_HOST_UNLOCK_H
#define LIAISON_HOST_UNLOCK_H

#include "host/host.h"

#define UNLOCK_PASSPHRASE_MAX 1024

/* Answers `request` when it is done. Copies the passphrase. */
void unlock_begin(struct host *host, uint64_t request, struct span passphrase);

#endif
