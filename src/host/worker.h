/*
 * The store's thread and the mark's. Jobs of the office go in, are run in order, one at a time, and come back;
 * `completed` is sent to the loop whenever one did. A job that commits has its mark written and synced beside it from
 * the moment it is submitted, and is done when both are on the disk; if it is certain that nothing was committed, the
 * mark says again what it said before.
 *
 * Nothing here waits in the loop's thread. Queue: a ring of jobs with three counters that only grow.
 */
#ifndef LIAISON_HOST_WORKER_H
#define LIAISON_HOST_WORKER_H

#include "office/office.h"

#include <uv.h>

#define WORKER_JOBS_MAX 1024 /* submitted and not taken back; a power of two */

struct worker;
/* Takes over nothing: store and mark are the caller's again after worker_stop(). `mark` may be NULL (an office that
 * stopped because there is none), then a job that commits fails. `content` is what the mark holds now. */
struct worker *worker_start(uv_async_t *completed, struct store *store, struct mark *mark, struct span content,
                            struct error *error);
/* Whether one more job may be submitted. */
bool worker_has_room(const struct worker *worker);
/* At most one job that commits is out at a time. The job's mark is the worker's until the job is done. */
void worker_submit(struct worker *worker, struct office_job *job);
/* The next job that is done, in the order of submission; NULL if there is none now. */
struct office_job *worker_take(struct worker *worker);
/* Whether every job that was submitted was taken back. */
bool worker_is_idle(const struct worker *worker);
/* Runs what was submitted to its end, ends the threads, frees. Take what is done first; what is not taken is lost.
 * NULL is accepted. */
void worker_stop(struct worker *worker);

#endif
