#include "cli/office.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_given(const char *place)
{
    return place != NULL && place[0] != '\0';
}

static int take(struct office *office, const char *directory, const char *rest, struct error *error)
{
    int size = snprintf(office->directory, sizeof office->directory, "%s%s", directory, rest);

    if (size < 0 || (size_t)size >= sizeof office->directory)
        return error_set(error, ERROR_REFUSED, "the office's path is longer than the system allows");
    while (size > 1 && office->directory[size - 1] == '/')
        office->directory[--size] = '\0';
    return 0;
}

int office_choose(struct office *office, const struct office_places *places, struct error *error)
{
    *office = (struct office){0};
    if (places->given != NULL && places->given[0] == '\0')
        return error_set(error, ERROR_USAGE, "--office is empty");
    if (places->given != NULL) {
        (void)snprintf(office->looked, sizeof office->looked, "from --office");
        return take(office, places->given, "", error);
    }
    if (is_given(places->variable)) {
        (void)snprintf(office->looked, sizeof office->looked, "from LIAISON_OFFICE; there is no --office");
        return take(office, places->variable, "", error);
    }
    if (places->system != NULL) {
        (void)snprintf(office->looked, sizeof office->looked,
                       "the system's; there is no --office and no LIAISON_OFFICE");
        return take(office, places->system, "", error);
    }
    (void)snprintf(office->looked, sizeof office->looked,
                   "the user's data folder; there is no --office, no LIAISON_OFFICE and no " OFFICE_SYSTEM);
    office->in_data_folder = true;
    /* XDG Base Directory: a path that is not absolute counts as not set. */
    if (is_given(places->data_home) && places->data_home[0] == '/')
        return take(office, places->data_home, "/liaison", error);
    if (is_given(places->home))
        return take(office, places->home, "/.local/share/liaison", error);
    return error_set(error, ERROR_USAGE,
                     "there is no --office, no LIAISON_OFFICE, no " OFFICE_SYSTEM
                     " and no HOME, so it is not known where the office is");
}

int office_find(struct office *office, const char *given, struct error *error)
{
    struct office_places places = {
        .given = given,
        .variable = getenv("LIAISON_OFFICE"),
        .system = access(OFFICE_SYSTEM, F_OK) == 0 ? OFFICE_SYSTEM : NULL,
        .data_home = getenv("XDG_DATA_HOME"),
        .home = getenv("HOME"),
    };

    return office_choose(office, &places, error);
}

int office_path(const struct office *office, const char *name, char *path, size_t size, struct error *error)
{
    int written = snprintf(path, size, "%s/%s", office->directory, name);

    if (written < 0 || (size_t)written >= size)
        return error_set(error, ERROR_REFUSED, "%s/%s: the path is too long", office->directory, name);
    return 0;
}
