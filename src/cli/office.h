/*
 * Where the office is: --office DIR, else LIAISON_OFFICE, else /var/lib/liaison if it exists, else the user's data
 * folder + "/liaison".
 */
#ifndef LIAISON_CLI_OFFICE_H
#define LIAISON_CLI_OFFICE_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define OFFICE_SYSTEM "/var/lib/liaison"

/* The places to look at, in this order; NULL for none. */
struct office_places {
    const char *given;
    const char *variable;  /* LIAISON_OFFICE */
    const char *system;    /* OFFICE_SYSTEM, if it exists */
    const char *data_home; /* XDG_DATA_HOME */
    const char *home;      /* HOME */
};

struct office {
    char directory[PATH_MAX]; /* without a slash at its end */
    bool in_data_folder;
    char looked[256]; /* how it was found, for sentences: "from --office" */
};

/* Chooses among places; reads nothing. */
int office_choose(struct office *office, const struct office_places *places, struct error *error);
/* Chooses by the command line's --office (or NULL) and the environment. */
int office_find(struct office *office, const char *given, struct error *error);
/* The path of a file in the office. */
int office_path(const struct office *office, const char *name, char *path, size_t size, struct error *error);

#endif
