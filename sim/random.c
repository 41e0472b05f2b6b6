#include "random.h"

static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void random_start(struct random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;

    state = split_mix(&state) ^ stream;
    for (size_t i = 0; i < 4; i++)
        random->state[i] = split_mix(&state);
}

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t below)
{
    /* The bias is below / 2^64: nothing that a run could show. */
    return below == 0 ? 0 : random_next(random) % below;
}

uint64_t random_between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_below(random, most - least + 1);
}

bool random_happens(struct random *random, uint32_t millionths)
{
    return millionths > 0 && random_below(random, 1000000) < millionths;
}

void random_turn_bit(struct random *random, void *bytes, size_t size)
{
    uint8_t *byte = (uint8_t *)bytes + random_below(random, size);

    *byte ^= (uint8_t)(1u << random_below(random, 8));
}

void random_fill(struct random *random, void *out, size_t size)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(random_next(random) >> 32);
}
