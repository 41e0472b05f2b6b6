/*
 * What the fuzzers share. One file each, fuzz/ROOM_FILE.c, feeds src/ROOM/FILE.c with bytes of the outside and holds
 * it to what its header promises. Each is built twice: as a plain program in every build, which draws its inputs from
 * a seed (main.c), and as a libFuzzer program with clang and -Dfuzz=true.
 *
 * Where a signature, a root or a tag would stop every mutation, the input says what is to be made, and the harness
 * signs it.
 */
#ifndef LIAISON_FUZZ_FUZZ_H
#define LIAISON_FUZZ_FUZZ_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

struct fuzz_target {
    /* Formats of vectors/, such as "record/charter", whose inputs are seeds; NULL ends them. Where there are several,
     * an input begins with a byte that says which. */
    const char *const *formats;
    unsigned runs; /* mutations that the plain program tries: about a second of them */
};
extern const struct fuzz_target fuzz_target;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Starts a target whose input begins with 32 bytes: those of a line's id, or ff, and then what is to be made follows. */
bool fuzz_is_made(struct cursor *cursor, uint8_t line_id[static 32]);

/* A promise that must hold for every input; ends the program. */
#define HOLD(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_broken(__FILE__, __LINE__, #condition);                                                               \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* Prepares libsodium; cheap when done already. */
void fuzz_start(void);
/* What was refused says so: a code, and a sentence of UTF-8. */
void fuzz_refused(const struct error *error);
/* UTF-8 without control characters, except line feeds if `lines`. */
bool fuzz_is_shown(struct span text, bool lines);
/* A command line: `bytes` cut at each zero, in `text`, which holds the words; how many, at most `max`. */
size_t fuzz_words(struct buffer *text, struct span bytes, char **word, size_t max);
/* Frees `buffer`, which must hold `expected`: what was accepted is written the same way. */
void fuzz_same(struct buffer *buffer, struct span expected);
/* Changes the bytes as the cursor says: a count, and each time a place (2 bytes) and what to add. Returns whether any
 * byte is another than before. */
bool fuzz_edit(struct cursor *choices, uint8_t *bytes, size_t size);

#endif
