/*
 * The system calls that the running daemon makes, and those that nobody makes but who has taken it over.
 *
 * What is on neither list fails with ENOSYS, as on an older kernel: the C library falls back by itself when it tries
 * something newer, and a hotline is not cut by an update of it. What could only be an attack (starting a program or a
 * process, looking into another one, loading code into the kernel) ends the daemon at once: what is durable is durable,
 * and it is started again with another layout of memory.
 */
#ifndef LIAISON_HOST_CALLS_H
#define LIAISON_HOST_CALLS_H

/* For all threads, those to come too. Returns 0, or below 0 if the kernel does not filter. */
int calls_restrict(void);

#endif
