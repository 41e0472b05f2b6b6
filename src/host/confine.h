/*
 * Confinement: once the daemon has its office, its key and its sockets, it gives up what it will not need again, so
 * that whoever takes it over gets no more than it has. Nothing is given back.
 *
 *   capabilities   all are dropped
 *   new rights     no program that is started could gain any (no_new_privs)
 *   files          Landlock: the office's folder may be written; what names are looked up with may be read: /etc,
 *                  libraries. Nothing else can be opened, made or removed, no TCP port bound, no process outside
 *                  signalled, no abstract socket outside spoken to.
 *   system calls   seccomp (calls.h)
 *   memory         as much as all secrets take can be locked, or it is said that it cannot
 *
 * So a unix socket that lies elsewhere stays when the daemon ends, and the next one takes its place: the right to
 * remove it would be one to remove all files in its folder and below.
 *
 * A kernel that does less is no reason to leave two sides without a line. What is lacking is said: in the log, and by
 * `status` for as long as the daemon runs.
 */
#ifndef LIAISON_HOST_CONFINE_H
#define LIAISON_HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#define CONFINE_LACKS_MAX 8
/* Bytes: three pages for each of OFFICE_LINKS_MAX links, and the rest in a fourth. */
#define CONFINE_LOCKED (4u << 20)

struct confine_reach {
    const char *office; /* its folder */
    bool abstract;      /* an abstract socket outside is spoken to: systemd's, in a container */
};

/* What is not as it should be, as sentences without a full stop. */
struct confinement {
    char lack[CONFINE_LACKS_MAX][240];
    size_t lack_count;
};

/* All of it. There may be no second thread yet. */
void confine(struct confinement *confinement, const struct confine_reach *reach);
/* Says that the daemon is not confined, and why. */
void confine_not(struct confinement *confinement, const char *why);

/* The parts, for the tests. */
void confine_privileges(struct confinement *confinement);
void confine_files(struct confinement *confinement, const struct confine_reach *reach);
void confine_memory(struct confinement *confinement);

#endif
