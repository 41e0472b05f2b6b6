/*
 * Confinement: once the daemon has its office, its key and its sockets, it gives up what it will not need again, so
 * that whoever takes it over gets no more than it has. Nothing is given back.
 *
 *   capabilities   all are dropped
 *   new rights     no program that is started could gain any (no_new_privs)
 *   files          Landlock: the office's folder may be written; what names are looked up with (/etc, libraries) may be
 *                  read; in the folders of its own sockets, files may be removed. Nothing else can be opened, no TCP
 * port bound, no process outside signalled, no abstract socket outside spoken to system calls   seccomp (calls.h)
 *   memory         as much as all secrets take can be locked, or it is said that it cannot
 *
 * A kernel that does less is no reason to leave two sides without a line. What is lacking is said: in the log, and by
 * `status` for as long as the daemon runs.
 */
#ifndef LIAISON_HOST_CONFINE_H
#define LIAISON_HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#define CONFINE_SOCKETS_MAX 32
#define CONFINE_LACKS_MAX 8
#define CONFINE_LOCKED                                                                                                 \
    (4u << 20) /* bytes: three pages for each of OFFICE_LINKS_MAX links, and the rest in a fourth                      \
                */

struct confine_reach {
    const char *office;                       /* its folder */
    const char *sockets[CONFINE_SOCKETS_MAX]; /* the paths of those that are removed at the end */
    size_t socket_count;
    bool abstract; /* an abstract socket outside is spoken to: systemd's, in a container */
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
