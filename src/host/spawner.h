/*
 * Commands of exec: links run beside the daemon, not in it: the daemon confines itself (confine.h), a child would
 * inherit that, and a daemon that could start programs would be confined to little. So a process is forked before there
 * is any key in memory. It runs what it is asked to, unconfined, and knows nothing.
 *
 * A command lives as long as its lifeline, one end of a stream socket: when the other end is closed, be it by a daemon
 * that was killed, the command's process group gets SIGTERM and, COMMAND_END_MS later, SIGKILL. When the command ends
 * first, its exit status is written there: 4 bytes, an int as waitpid(2) has it.
 */
#ifndef LIAISON_HOST_SPAWNER_H
#define LIAISON_HOST_SPAWNER_H

#include "base/error.h"

#define COMMAND_END_MS 2000
#define COMMAND_FILES 4 /* stdin, stdout, stderr, and the spawner's end of the lifeline */

/* Forks the spawner, in a process of one thread. Returns a socket to it, which is closed to end it, or -1. */
int spawner_start(struct error *error);
/* Has /bin/sh -c run the command, which is at most ADDRESS_SIZE bytes. The files stay the caller's, who closes them.
 * Returns 0, or an error of errno.h; it does not wait. */
int spawner_run(int spawner, const char *command, const int files[static COMMAND_FILES]);

#endif
