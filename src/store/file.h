/*
 * The directory a file stands in (inside this room only): new names in it are durable when it is synced.
 */
#ifndef LIAISON_STORE_FILE_H
#define LIAISON_STORE_FILE_H

#include "base/error.h"

/* Opens the directory that holds `path`; -1 on failure. */
int file_directory(const char *path, struct error *error);
/* Makes a new, empty file with mode 0600 and opens it for reading and writing; -1 on failure, ERROR_EXISTS if
 * anything of that name is there. */
int file_make(const char *path, struct error *error);

#endif
