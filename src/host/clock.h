/*
 * The two clocks and the kernel's randomness: what the engines are handed because they ask nothing themselves.
 */
#ifndef LIAISON_HOST_CLOCK_H
#define LIAISON_HOST_CLOCK_H

#include "base/error.h"
#include "base/time.h"

#include <stddef.h>

struct now clock_now(void);
/* Fresh bytes from the kernel, at most 256. */
int clock_random(void *out, size_t size, struct error *error);

#endif
