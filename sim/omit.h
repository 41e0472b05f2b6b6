/*
 * Negative controls: one protection is left out, everywhere, and the oracle must find out. And a fault that only one of
 * them can see: memory that breaks between an office and its store.
 *
 * Like all seams this is the linker's: the office's calls come here, the objects are those that are shipped.
 */
#ifndef LIAISON_SIM_OMIT_H
#define LIAISON_SIM_OMIT_H

#include <stdbool.h>
#include <stdint.h>

enum control {
    CONTROL_NONE,
    CONTROL_WAL_SYNC,      /* the WAL is not synced */
    CONTROL_MARK,          /* whatever the mark says, the database is believed */
    CONTROL_COMMIT,        /* an office goes on before its batch is committed */
    CONTROL_DEDUPLICATION, /* no token is known again */
    CONTROL_READING_BACK,  /* what is read back to be hashed anew is what was to be written, not what was */
    CONTROL_PREKEYS,       /* a prekey that was used is neither struck out nor deleted */
    CONTROL_COMMITMENT,    /* a key that an entry does not commit to opens it all the same */
    CONTROL_LABELS,        /* keys for different ends are derived without saying for which */
    CONTROL_GAP,           /* what came before its turn is shown as if its turn had come */
    CONTROL_QUOTA,         /* an author keeps no quota */
    CONTROL_DELAY,         /* a receiver takes whatever comes, however much */
    CONTROL_COUNT
};
const char *control_name(enum control control);

/* From now on. Forgets what was broken. */
void omit(enum control control);
enum control omitted(void);
/* Who acts from now on. */
void omit_acting(unsigned party);
/* In the next batch of this party that holds an entry one bit turns before the store has it. */
void omit_break_memory(unsigned party);
/* Whether that has happened since. */
bool omit_memory_broke(unsigned party);

#endif
