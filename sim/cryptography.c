#include "cryptography.h"

#include "random.h"
#include "seal/aead.h"
#include "seal/secret.h"
#include "seal/sign.h"

/* The order of the field whose multiplication stands in for X25519's: 2^61 - 1; 37 generates all of it. */
#define FIELD ((UINT64_C(1) << 61) - 1)
#define GENERATOR 37
#define NONCE_SIZE (VAULT_OVERHEAD - AEAD_TAG_SIZE)

__extension__ typedef unsigned __int128 wide;

static bool stands_in;

void cryptography_choose(bool stand_in)
{
    stands_in = stand_in;
}

/* --- one keyed hash for everything: SipHash's round, one for each word, and words drawn from it as one needs --------
 */

struct sponge {
    uint64_t word[4];
};

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void stir(struct sponge *sponge)
{
    uint64_t *v = sponge->word;

    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* Every step can be undone, so two inputs that differ in one word leave different sponges. */
static void absorb_word(struct sponge *sponge, uint64_t word)
{
    sponge->word[3] ^= word;
    stir(sponge);
    sponge->word[0] ^= word;
}

static uint64_t word_of(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static void absorb(struct sponge *sponge, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    absorb_word(sponge, size);
    for (; size >= 8; bytes += 8, size -= 8)
        absorb_word(sponge, word_of(bytes, 8));
    if (size > 0)
        absorb_word(sponge, word_of(bytes, size));
}

/* What it is for comes first, so that nothing of one kind passes for another. */
static struct sponge sponge_for(char use)
{
    struct sponge sponge = {{UINT64_C(0x736f6d6570736575), UINT64_C(0x646f72616e646f6d), UINT64_C(0x6c7967656e657261),
                             UINT64_C(0x7465646279746573)}};

    absorb_word(&sponge, (uint64_t)use);
    return sponge;
}

static uint64_t draw_word(struct sponge *sponge)
{
    absorb_word(sponge, UINT64_MAX);
    stir(sponge);
    stir(sponge);
    stir(sponge);
    return sponge->word[0] ^ sponge->word[1] ^ sponge->word[2] ^ sponge->word[3];
}

static void draw(struct sponge *sponge, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = draw_word(sponge);

        for (size_t k = i; k < size && k < i + 8; k++, word >>= 8)
            out[k] = (uint8_t)word;
    }
}

/* A stream as long as one needs it: the simulator's generator, started by the sponge. */
static void stream_xor(struct sponge *sponge, uint8_t *out, const uint8_t *in, size_t size)
{
    struct random random;

    for (size_t i = 0; i < 4; i++)
        random.state[i] = draw_word(sponge);
    for (size_t i = 0; i < size; i += 8) {
        size_t count = size - i < 8 ? size - i : 8;
        uint64_t word = word_of(in + i, count) ^ random_next(&random);

        for (size_t k = 0; k < count; k++, word >>= 8)
            out[i + k] = (uint8_t)word;
    }
}

/* --- signatures ------------------------------------------------------------------------------------------------------
 */

void __real_sign_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed);
bool __real_sign_key_is_valid(const uint8_t *public_key);
void __real_sign(uint8_t *signature, const uint8_t *secret, struct span message);
bool __real_sign_verify(const uint8_t *signature, const uint8_t *public_key, struct span message);
void __wrap_sign_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed);
bool __wrap_sign_key_is_valid(const uint8_t *public_key);
void __wrap_sign(uint8_t *signature, const uint8_t *secret, struct span message);
bool __wrap_sign_verify(const uint8_t *signature, const uint8_t *public_key, struct span message);

/* The second half of a public key follows from the first: by that the stand-in's own are known. */
static void end_signer(uint8_t public_key[static SIGN_PUBLIC_SIZE])
{
    struct sponge sponge = sponge_for('e');

    absorb(&sponge, public_key, SIGN_PUBLIC_SIZE / 2);
    draw(&sponge, public_key + SIGN_PUBLIC_SIZE / 2, SIGN_PUBLIC_SIZE / 2);
}

static void make_signer(uint8_t public_key[static SIGN_PUBLIC_SIZE], const uint8_t seed[static SIGN_SEED_SIZE])
{
    struct sponge sponge = sponge_for('s');

    absorb(&sponge, seed, SIGN_SEED_SIZE);
    draw(&sponge, public_key, SIGN_PUBLIC_SIZE / 2);
    end_signer(public_key);
}

static bool is_own_signer(const uint8_t public_key[static SIGN_PUBLIC_SIZE])
{
    uint8_t expected[SIGN_PUBLIC_SIZE];

    memcpy(expected, public_key, sizeof expected);
    end_signer(expected);
    return memcmp(expected, public_key, sizeof expected) == 0;
}

static void make_signature(uint8_t signature[static SIGNATURE_SIZE], const uint8_t public_key[static SIGN_PUBLIC_SIZE],
                           struct span message)
{
    struct sponge sponge = sponge_for('m');

    absorb(&sponge, public_key, SIGN_PUBLIC_SIZE);
    absorb(&sponge, message.data, message.size);
    draw(&sponge, signature, SIGNATURE_SIZE);
}

void __wrap_sign_keypair(uint8_t *public_key, uint8_t *secret, const uint8_t *seed)
{
    if (!stands_in) {
        __real_sign_keypair(public_key, secret, seed);
        return;
    }
    make_signer(public_key, seed);
    memmove(secret, seed, SIGN_SEED_SIZE);
    memcpy(secret + SIGN_SEED_SIZE, public_key, SIGN_PUBLIC_SIZE);
}

bool __wrap_sign_key_is_valid(const uint8_t *public_key)
{
    return (stands_in && is_own_signer(public_key)) || __real_sign_key_is_valid(public_key);
}

void __wrap_sign(uint8_t *signature, const uint8_t *secret, struct span message)
{
    uint8_t public_key[SIGN_PUBLIC_SIZE];

    if (!stands_in || !is_own_signer(secret + SIGN_SEED_SIZE)) {
        __real_sign(signature, secret, message);
        return;
    }
    make_signer(public_key, secret);
    make_signature(signature, public_key, message);
}

bool __wrap_sign_verify(const uint8_t *signature, const uint8_t *public_key, struct span message)
{
    uint8_t expected[SIGNATURE_SIZE];

    if (!stands_in || !is_own_signer(public_key))
        return __real_sign_verify(signature, public_key, message);
    make_signature(expected, public_key, message);
    return memcmp(expected, signature, sizeof expected) == 0;
}

/* --- agreement -------------------------------------------------------------------------------------------------------
 */

void __real_dh_public(uint8_t *public_key, const uint8_t *secret);
bool __real_dh(uint8_t *out, const uint8_t *secret, const uint8_t *public_key);
bool __real_dh_key_is_valid(const uint8_t *public_key);
void __wrap_dh_public(uint8_t *public_key, const uint8_t *secret);
bool __wrap_dh(uint8_t *out, const uint8_t *secret, const uint8_t *public_key);
bool __wrap_dh_key_is_valid(const uint8_t *public_key);

/* Modulo a number of the form 2^61 - 1, the upper bits count once. */
static uint64_t times(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    uint64_t sum = ((uint64_t)product & FIELD) + (uint64_t)(product >> 61);

    return sum >= FIELD ? sum - FIELD : sum;
}

static uint64_t power_of(uint64_t base, const uint8_t secret[static DH_SIZE])
{
    struct sponge sponge = sponge_for('x');
    uint64_t exponent = 0;
    uint64_t result = 1;

    absorb(&sponge, secret, DH_SIZE);
    exponent = draw_word(&sponge) % (FIELD - 1);
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0)
            result = times(result, base);
        base = times(base, base);
    }
    return result;
}

/* The element, and 24 bytes that follow from it: below the real field's prime, like any key that is valid. */
static void make_public(uint8_t public_key[static DH_SIZE], uint64_t element)
{
    struct sponge sponge = sponge_for('p');

    absorb_word(&sponge, element);
    for (size_t i = 0; i < 8; i++)
        public_key[i] = (uint8_t)(element >> 8 * i);
    draw(&sponge, public_key + 8, DH_SIZE - 8);
    public_key[DH_SIZE - 1] &= 0x3f;
}

static bool is_own_public(const uint8_t public_key[static DH_SIZE])
{
    uint64_t element = word_of(public_key, 8);
    uint8_t expected[DH_SIZE];

    make_public(expected, element);
    return element > 1 && element < FIELD && memcmp(expected, public_key, sizeof expected) == 0;
}

void __wrap_dh_public(uint8_t *public_key, const uint8_t *secret)
{
    if (stands_in)
        make_public(public_key, power_of(GENERATOR, secret));
    else
        __real_dh_public(public_key, secret);
}

bool __wrap_dh(uint8_t *out, const uint8_t *secret, const uint8_t *public_key)
{
    struct sponge sponge = sponge_for('d');

    if (!stands_in || !is_own_public(public_key))
        return __real_dh(out, secret, public_key);
    absorb_word(&sponge, power_of(word_of(public_key, 8), secret));
    draw(&sponge, out, DH_SIZE);
    return true;
}

bool __wrap_dh_key_is_valid(const uint8_t *public_key)
{
    return (stands_in && is_own_public(public_key)) || __real_dh_key_is_valid(public_key);
}

/* --- sealing ---------------------------------------------------------------------------------------------------------
 */

void __real_aead_seal(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span plain);
bool __real_aead_open(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span cipher);
void __wrap_aead_seal(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span plain);
bool __wrap_aead_open(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span cipher);

static void make_tag(uint8_t tag[static AEAD_TAG_SIZE], const uint8_t *key, struct span nonce, struct span additional,
                     struct span cipher)
{
    struct sponge sponge = sponge_for('t');

    absorb(&sponge, key, AEAD_KEY_SIZE);
    absorb(&sponge, nonce.data, nonce.size);
    absorb(&sponge, additional.data, additional.size);
    absorb(&sponge, cipher.data, cipher.size);
    draw(&sponge, tag, AEAD_TAG_SIZE);
}

static void encipher(uint8_t *out, const uint8_t *key, struct span nonce, const uint8_t *in, size_t size)
{
    struct sponge sponge = sponge_for('c');

    absorb(&sponge, key, AEAD_KEY_SIZE);
    absorb(&sponge, nonce.data, nonce.size);
    stream_xor(&sponge, out, in, size);
}

static void seal_bytes(uint8_t *out, const uint8_t *key, struct span nonce, struct span additional, struct span plain)
{
    size_t size = plain.size;

    encipher(out, key, nonce, plain.data, size);
    make_tag(out + size, key, nonce, additional, span_of(out, size));
}

static bool open_bytes(uint8_t *out, const uint8_t *key, struct span nonce, struct span additional, struct span cipher)
{
    uint8_t tag[AEAD_TAG_SIZE];
    size_t size = cipher.size - AEAD_TAG_SIZE;

    if (cipher.size < AEAD_TAG_SIZE)
        return false;
    make_tag(tag, key, nonce, additional, span_of(cipher.data, size));
    if (memcmp(tag, cipher.data + size, sizeof tag) != 0)
        return false;
    encipher(out, key, nonce, cipher.data, size);
    return true;
}

void __wrap_aead_seal(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span plain)
{
    uint8_t bytes[8];

    put_u64_be(bytes, nonce);
    if (stands_in)
        seal_bytes(out, key, span_of(bytes, sizeof bytes), additional, plain);
    else
        __real_aead_seal(out, key, nonce, additional, plain);
}

bool __wrap_aead_open(uint8_t *out, const uint8_t *key, uint64_t nonce, struct span additional, struct span cipher)
{
    uint8_t bytes[8];

    put_u64_be(bytes, nonce);
    return stands_in ? open_bytes(out, key, span_of(bytes, sizeof bytes), additional, cipher)
                     : __real_aead_open(out, key, nonce, additional, cipher);
}

/* --- randomness, and what is sealed at rest --------------------------------------------------------------------------
 */

void __real_entropy_stir(struct entropy *entropy, struct span fresh);
void __real_entropy_fill(struct entropy *entropy, void *out, size_t size);
void __real_vault_seal(struct buffer *sealed, const uint8_t *office_key, struct span context, struct span secret,
                       struct entropy *entropy);
int __real_vault_open(void *out, size_t size, const uint8_t *office_key, struct span context, struct span sealed,
                      struct error *error);
void __wrap_entropy_stir(struct entropy *entropy, struct span fresh);
void __wrap_entropy_fill(struct entropy *entropy, void *out, size_t size);
void __wrap_vault_seal(struct buffer *sealed, const uint8_t *office_key, struct span context, struct span secret,
                       struct entropy *entropy);
int __wrap_vault_open(void *out, size_t size, const uint8_t *office_key, struct span context, struct span sealed,
                      struct error *error);

void __wrap_entropy_stir(struct entropy *entropy, struct span fresh)
{
    struct sponge sponge = sponge_for('f');

    if (!stands_in) {
        __real_entropy_stir(entropy, fresh);
        return;
    }
    absorb(&sponge, entropy->key, sizeof entropy->key);
    absorb(&sponge, fresh.data, fresh.size);
    draw(&sponge, entropy->key, sizeof entropy->key);
}

void __wrap_entropy_fill(struct entropy *entropy, void *out, size_t size)
{
    struct sponge sponge = sponge_for('r');

    if (!stands_in) {
        __real_entropy_fill(entropy, out, size);
        return;
    }
    absorb(&sponge, entropy->key, sizeof entropy->key);
    draw(&sponge, entropy->key, sizeof entropy->key);
    if (size > 0)
        memset(out, 0, size);
    stream_xor(&sponge, out, out, size);
}

void __wrap_vault_seal(struct buffer *sealed, const uint8_t *office_key, struct span context, struct span secret,
                       struct entropy *entropy)
{
    uint8_t *to = NULL;

    if (!stands_in) {
        __real_vault_seal(sealed, office_key, context, secret, entropy);
        return;
    }
    to = buffer_extend(sealed, VAULT_OVERHEAD + secret.size);
    if (to == NULL)
        return;
    __wrap_entropy_fill(entropy, to, NONCE_SIZE);
    seal_bytes(to + NONCE_SIZE, office_key, span_of(to, NONCE_SIZE), context, secret);
}

int __wrap_vault_open(void *out, size_t size, const uint8_t *office_key, struct span context, struct span sealed,
                      struct error *error)
{
    if (!stands_in)
        return __real_vault_open(out, size, office_key, context, sealed, error);
    if (sealed.size < VAULT_OVERHEAD || sealed.size - VAULT_OVERHEAD != size)
        return error_set(error, ERROR_INVALID, "a sealed secret has %zu bytes instead of %zu", sealed.size,
                         size + VAULT_OVERHEAD);
    if (!open_bytes(out, office_key, span_of(sealed.data, NONCE_SIZE), context, span_from(sealed, NONCE_SIZE)))
        return error_set(error, ERROR_MISMATCH, "the office key does not open a sealed secret");
    return 0;
}
