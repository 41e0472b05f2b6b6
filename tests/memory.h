/*
 * Memory that runs out: in programs that are linked with memory_dep of tests/meson.build, one call of malloc, calloc,
 * realloc or reallocarray answers NULL. Only the project's own calls are counted, not those within the libraries it
 * uses.
 *
 *     for (size_t n = 1;; n++) {
 *         memory_fail(n);
 *         ... what must end with an error, lose nothing and leak nothing ...
 *         if (!memory_ran_out())
 *             break;
 *         CHECK(...);
 *     }
 */
#ifndef LIAISON_TESTS_MEMORY_H
#define LIAISON_TESTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the call number n, from 1 on, fails, and no other. */
void memory_fail(size_t n);

/* Whether that call was made. Ends it: nothing fails after this. */
bool memory_ran_out(void);

#endif
