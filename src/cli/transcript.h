/*
 * What was said on a line, as rows for a screen: entries as `liaison read` shows them, and between them gaps and notes.
 * Pure state: entries and events in, rows out. States change where they stand.
 *
 * A gap is shown when an entry overtook others: "washington/5-16 are still to come". Where more comes than anybody can
 * read, only the last few are shown, below a line that counts the rest.
 */
#ifndef LIAISON_CLI_TRANSCRIPT_H
#define LIAISON_CLI_TRANSCRIPT_H

#include "cli/screen.h"

#include <jansson.h>

#define TRANSCRIPT_MEMBERS_MAX 16
#define TRANSCRIPT_ITEMS_MAX 256 /* what is older is forgotten here; the record has it */
#define TRANSCRIPT_FLOOD 40      /* items a second that are more than a person can read */
#define TRANSCRIPT_FLOOD_SHOWN 5 /* how many of those are shown, the last */
#define TRANSCRIPT_EARLY_MAX 64  /* entries of one author ahead of their turn that are told apart */

struct transcript_item;

struct transcript_member {
    char name[64];
    uint64_t held;                        /* how much of its log was here at the start */
    uint64_t next;                        /* every entry below was here; 0 before the first */
    uint64_t early[TRANSCRIPT_EARLY_MAX]; /* entries above that were here, rising */
    size_t early_count;
    uint64_t stored[TRANSCRIPT_MEMBERS_MAX]; /* how much of this member's log each member holds */
};

struct transcript {
    char line[64];
    json_t *parties; /* the members' names, owned */
    size_t me;       /* this office's place among them */
    struct transcript_member member[TRANSCRIPT_MEMBERS_MAX];
    size_t member_count;
    struct transcript_item *item[TRANSCRIPT_ITEMS_MAX]; /* the oldest first */
    size_t item_count;
    uint64_t forgotten; /* rows of items that were forgotten, or of a flood, at `columns` */
    size_t columns;
    uint64_t second_us; /* when the second being counted began */
    size_t in_second;   /* what came in it */
    bool flooded;
};

enum transcript_came {
    TRANSCRIPT_NEW,   /* it was not here before */
    TRANSCRIPT_KNOWN, /* it was, or it is nothing for people */
};

/* Takes the members from a line of the daemon's status, and who this office is. False if it is not of that form. */
bool transcript_members(struct transcript *transcript, const json_t *line, const char *office);
/* Adds an entry, or brings the one that is there up to date. `now_us` is monotonic. */
enum transcript_came transcript_entry(struct transcript *transcript, const json_t *entry, uint64_t now_us);
/* A member holds every entry of an author below `size`. */
void transcript_stored(struct transcript *transcript, const char *author, uint64_t size, const char *by);
/* Adds a note of our own. If `about` is not 0 and the last thing is a note about the same, it takes its place: what
 * comes and goes does not scroll for ever. */
void transcript_note(struct transcript *transcript, uint64_t now_us, unsigned about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The newest message of another member that is shown and that nobody here has acknowledged; false if there is none. */
bool transcript_waiting(const struct transcript *transcript, char name[static 96]);
/* Whether an entry of that full name came so shortly before `now_us` that who types may not have seen it. */
bool transcript_is_fresh(const struct transcript *transcript, const char *name, uint64_t now_us);
/* Whether a message of that full name, such as washington.example/17, is held; it is then given. */
const json_t *transcript_find(const struct transcript *transcript, const char *name);

/* Lays everything out anew for rows of that width. */
void transcript_resize(struct transcript *transcript, size_t columns);
/* How many rows there have been. They are counted from 0; those at the front may be forgotten. */
uint64_t transcript_rows(const struct transcript *transcript);
/* A row; NULL if it is forgotten or not yet there. Valid until the transcript is changed. */
const struct row *transcript_row(const struct transcript *transcript, uint64_t number);
void transcript_free(struct transcript *transcript);

#endif
