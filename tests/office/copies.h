/*
 * Copies of an office's files, as backups and restores make them.
 */
#ifndef LIAISON_TEST_COPIES_H
#define LIAISON_TEST_COPIES_H

#include "world.h"

enum files { NEW, ONE_BEHIND, OLD, OTHERS, MISSING, DAMAGED, AGES };

/* The files of a site under another name. */
static inline const char *kept(const char *kind, enum files age)
{
    static char name[2][40];
    static unsigned next;

    snprintf(name[next ^= 1], sizeof name[0], "%s-%d", kind, (int)age);
    return scratch(name[next]);
}

static inline void copy(const char *from, const char *to)
{
    struct buffer content = {0};

    file_read(from, &content);
    file_write(to, buffer_span(&content));
    buffer_free(&content);
}

static inline const char *wal_of(const char *database)
{
    static char name[400];

    snprintf(name, sizeof name, "%s-wal", database);
    return name;
}

/* A site may run meanwhile, if no batch is out. */
static inline void keep(const struct site *from, enum files age)
{
    copy(from->database, kept("database", age));
    copy(from->mark_path, kept("mark", age));
    unlink(kept("wal", age));
    if (access(wal_of(from->database), F_OK) == 0)
        copy(wal_of(from->database), kept("wal", age));
}

/* To a site that is down. */
static inline void put_back_at(const struct site *to, enum files database, enum files mark)
{
    unlink(wal_of(to->database));
    copy(kept("database", database), to->database);
    if (access(kept("wal", database), F_OK) == 0)
        copy(kept("wal", database), wal_of(to->database));
    if (mark == MISSING)
        unlink(to->mark_path);
    else if (mark == DAMAGED)
        file_write(to->mark_path, span_of_string("liaison-mark/1, or so"));
    else
        copy(kept("mark", mark), to->mark_path);
}

#endif
