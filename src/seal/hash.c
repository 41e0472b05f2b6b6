/* The low-level SHA-256 calls are deprecated in OpenSSL 3.0 and used on purpose: EVP allocates and fetches for
 * every hash, these work on the stack, and both reach the processor's SHA instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "seal/hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <sodium.h>

#define BLOCK_SIZE 64 /* of SHA-256, which HMAC pads its key to */

static void update(SHA256_CTX *context, const struct span *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)SHA256_Update(context, parts[i].data, parts[i].size);
}

void hash_parts(uint8_t out[static HASH_SIZE], const struct span *parts, size_t count)
{
    SHA256_CTX context;

    (void)SHA256_Init(&context);
    update(&context, parts, count);
    (void)SHA256_Final(out, &context);
    sodium_memzero(&context, sizeof context);
}

void hash_bytes(uint8_t out[static HASH_SIZE], const void *data, size_t size)
{
    struct span whole = span_of(data, size);

    hash_parts(out, &whole, 1);
}

static void start_keyed(SHA256_CTX *context, const uint8_t key[static BLOCK_SIZE], uint8_t mask)
{
    uint8_t pad[BLOCK_SIZE];

    for (size_t i = 0; i < BLOCK_SIZE; i++)
        pad[i] = key[i] ^ mask;
    (void)SHA256_Init(context);
    (void)SHA256_Update(context, pad, sizeof pad);
    sodium_memzero(pad, sizeof pad);
}

void hmac_parts(uint8_t out[static HASH_SIZE], struct span key, const struct span *parts, size_t count)
{
    uint8_t block[BLOCK_SIZE] = {0};
    uint8_t inner[HASH_SIZE];
    SHA256_CTX context;

    if (key.size > BLOCK_SIZE)
        hash_bytes(block, key.data, key.size);
    else if (key.size > 0)
        memcpy(block, key.data, key.size);
    start_keyed(&context, block, 0x36);
    update(&context, parts, count);
    (void)SHA256_Final(inner, &context);
    start_keyed(&context, block, 0x5c);
    (void)SHA256_Update(&context, inner, sizeof inner);
    (void)SHA256_Final(out, &context);
    sodium_memzero(block, sizeof block);
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(&context, sizeof context);
}

/* An empty salt needs no case of its own: HMAC pads its key with zeros, and the default salt is zeros. */
void hkdf(void *out, size_t size, struct span salt, struct span secret, struct span info)
{
    uint8_t extracted[HASH_SIZE];
    uint8_t block[HASH_SIZE];
    uint8_t *to = out;
    uint8_t counter = 0;

    assert(size <= (size_t)255 * HASH_SIZE);
    hmac_parts(extracted, salt, &secret, 1);
    while (size > 0) {
        struct span parts[] = {span_of(block, counter > 0 ? HASH_SIZE : 0), info, span_of(&counter, 1)};
        size_t taken = size < HASH_SIZE ? size : HASH_SIZE;

        counter++;
        hmac_parts(block, span_of(extracted, HASH_SIZE), parts, 3);
        memcpy(to, block, taken);
        to += taken;
        size -= taken;
    }
    sodium_memzero(extracted, sizeof extracted);
    sodium_memzero(block, sizeof block);
}

bool hash_equal(const uint8_t a[static HASH_SIZE], const uint8_t b[static HASH_SIZE])
{
    return sodium_memcmp(a, b, HASH_SIZE) == 0;
}
