/*
 * The daemon's command line, and where the office is.
 */
#ifndef LIAISON_HOST_OPTIONS_H
#define LIAISON_HOST_OPTIONS_H

#include "office/office.h"

#include <limits.h>

#define LISTEN_MAX 16

struct options {
    const char *office;   /* --office, or NULL */
    const char *key_file; /* or NULL */
    const char *mark;     /* or NULL */
    struct address listen[LISTEN_MAX];
    size_t listen_count;
    struct office_config config;
    bool no_commands;    /* exec: links are not dialled */
    bool no_confinement; /* for debugging */
    bool help, version;
};

/* Reads the command line; ERROR_USAGE where it is wrong. */
int options_read(struct options *options, int argc, char **argv, struct error *error);
/* The office's directory without a slash at its end: --office, else LIAISON_OFFICE, else /var/lib/liaison if it
 * exists, else the user's data folder + "/liaison". `looked` says which, for sentences. */
int options_directory(const struct options *options, char directory[static PATH_MAX], const char **looked,
                      struct error *error);

#endif
