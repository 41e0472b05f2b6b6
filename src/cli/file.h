/*
 * Files: read whole and bounded, made anew and never over another, or replaced in one step; and undone together
 * where a command makes several and the last one fails.
 */
#ifndef LIAISON_CLI_FILE_H
#define LIAISON_CLI_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdio.h>
#include <sys/types.h>

#define FILE_TEXT_MAX 65536 /* cards, charters and keys are far smaller */

/* Appends a file's bytes, at most `max`; "-" is stdin. A failure's sentence names the file. */
int file_read(const char *path, size_t max, struct buffer *content, struct error *error);
/* The same for a text of at most FILE_TEXT_MAX bytes of UTF-8. */
int file_read_text(const char *path, struct buffer *content, struct error *error);
/* The same for a secret, which neither group nor world may be able to read. ERROR_NOT_FOUND if there is none. */
int file_read_secret(const char *path, size_t max, struct buffer *content, struct error *error);
/* Makes a file that does not exist, writes, and syncs it and its directory. Leaves nothing behind on failure. */
int file_create(const char *path, mode_t mode, struct span content, struct error *error);
/* Makes an empty file that does not exist, with room for `size` bytes; its descriptor, or -1. */
int file_reserve(const char *path, mode_t mode, size_t size, struct error *error);
/* Writes all from the start, cuts off the rest, syncs. */
int file_fill(int file, struct span content, const char *path, struct error *error);
/* Syncs a directory, so that the names in it last. */
int file_sync_directory(const char *path, struct error *error);
/* Syncs the directory that `path` is in. */
int file_sync_parent(const char *path, struct error *error);

/* A file being replaced: written under another name beside it, synced and renamed at the end. */
struct replacement {
    FILE *stream; /* NULL when not open */
    char *path;
    char *temporary; /* NULL for stdout */
};
/* "-" is stdout. What is there and no ordinary file, such as a device or a symbolic link, is refused. */
int replacement_open(struct replacement *replacement, const char *path, mode_t mode, struct error *error);
/* Syncs and renames; frees on success and failure. */
int replacement_commit(struct replacement *replacement, struct error *error);
/* Removes what was written, if it was not committed. */
void replacement_abandon(struct replacement *replacement);

/* What a command has made. Paths are copied. */
#define UNDO_MAX 24
struct undo {
    char *path[UNDO_MAX];
    size_t count;
};
void undo_note(struct undo *undo, const char *path);
/* Removes files and empty directories, the last first. */
void undo_all(struct undo *undo);
/* Forgets them: they stay. */
void undo_forget(struct undo *undo);

#endif
