/*
 * Chance, all of it from one seed: xoshiro256** (Blackman, Vigna), seeded by splitmix64. Whoever draws has a stream of
 * its own, so that one more draw in one part does not change the others.
 */
#ifndef LIAISON_SIM_RANDOM_H
#define LIAISON_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* Streams of one seed with other numbers are independent. */
void random_start(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);
/* 0 to below - 1; 0 if `below` is 0. */
uint64_t random_below(struct random *random, uint64_t below);
/* Both ends are possible. */
uint64_t random_between(struct random *random, uint64_t least, uint64_t most);
/* True `millionths` times in a million; draws nothing if that is 0. */
bool random_happens(struct random *random, uint32_t millionths);
void random_fill(struct random *random, void *out, size_t size);
/* Turns one bit of so many bytes. Two draws stand in one expression nowhere: compilers differ in which comes first. */
void random_turn_bit(struct random *random, void *bytes, size_t size);

#endif
