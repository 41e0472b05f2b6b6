/*
 * The stand-in for cryptography: what belongs together agrees, and a changed bit anywhere is refused. What holds of it
 * holds of the real functions behind the same names, so each case is run with both.
 */
#include "cryptography.h"

#include "random.h"
#include "record/head.h"
#include "seal/noise.h"
#include "seal/secret.h"
#include "seal/sign.h"
#include "test.h"

#define MESSAGE_SIZE 77

static struct random chance;

static void fill(uint8_t *out, size_t size)
{
    random_fill(&chance, out, size);
}

static void turn(uint8_t *bytes, size_t bit)
{
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* --- each case, with whatever was chosen -----------------------------------------------------------------------------
 */

static void signatures(void)
{
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    uint8_t secret[SIGN_SECRET_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t other[SIGNATURE_SIZE];
    uint8_t message[MESSAGE_SIZE];
    struct span span = span_of(message, sizeof message);

    fill(seed, sizeof seed);
    fill(message, sizeof message);
    sign_keypair(public_key, secret, seed);
    CHECK(memcmp(secret, seed, sizeof seed) == 0 && memcmp(secret + 32, public_key, sizeof public_key) == 0);
    CHECK(sign_key_is_valid(public_key));
    sign(signature, secret, span);
    sign(other, secret, span);
    CHECK(sign_verify(signature, public_key, span) && memcmp(signature, other, sizeof other) == 0);
    CHECK(!sign_verify(signature, public_key, span_of(message, sizeof message - 1)));
    for (size_t bit = 0; bit < 8 * sizeof message; turn(message, bit++)) {
        turn(message, bit);
        CHECK(!sign_verify(signature, public_key, span));
    }
    for (size_t bit = 0; bit < 8 * sizeof signature; turn(signature, bit++)) {
        turn(signature, bit);
        CHECK(!sign_verify(signature, public_key, span));
    }
    for (size_t bit = 0; bit < 8 * sizeof public_key; turn(public_key, bit++)) {
        turn(public_key, bit);
        CHECK(!sign_verify(signature, public_key, span));
    }
    for (size_t bit = 0; bit < 8 * sizeof seed; turn(secret, bit++)) {
        turn(secret, bit);
        sign(other, secret, span);
        CHECK(!sign_verify(other, public_key, span));
    }
}

static void agreement(void)
{
    uint8_t secret[2][DH_SIZE];
    uint8_t public_key[2][DH_SIZE];
    uint8_t shared[2][DH_SIZE];
    uint8_t other[DH_SIZE];

    for (size_t i = 0; i < 2; i++) {
        fill(secret[i], DH_SIZE);
        dh_public(public_key[i], secret[i]);
        CHECK(dh_key_is_valid(public_key[i]));
    }
    CHECK(memcmp(public_key[0], public_key[1], DH_SIZE) != 0);
    CHECK(dh(shared[0], secret[0], public_key[1]) && dh(shared[1], secret[1], public_key[0]));
    CHECK(memcmp(shared[0], shared[1], DH_SIZE) == 0);
    /* X25519 ignores the highest bit of a public key, and five bits of a secret. */
    for (size_t bit = 0; bit < 8 * DH_SIZE - 1; turn(public_key[1], bit++)) {
        turn(public_key[1], bit);
        CHECK(!dh(other, secret[0], public_key[1]) || memcmp(other, shared[0], DH_SIZE) != 0);
    }
    for (size_t bit = 3; bit < 8 * DH_SIZE - 2; turn(secret[0], bit++)) {
        turn(secret[0], bit);
        CHECK(!dh(other, secret[0], public_key[1]) || memcmp(other, shared[0], DH_SIZE) != 0);
    }
}

static void low_orders(void)
{
    static const uint8_t low[][DH_SIZE] = {{0}, {1}, {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                                                      0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                                                      0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}};
    uint8_t secret[DH_SIZE];
    uint8_t out[DH_SIZE];
    uint8_t zero[SIGN_PUBLIC_SIZE] = {1};

    fill(secret, sizeof secret);
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++)
        CHECK(!dh(out, secret, low[i]) && !dh_key_is_valid(low[i]));
    CHECK(!sign_key_is_valid(zero));
}

static void sealing(void)
{
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t additional[19];
    uint8_t plain[MESSAGE_SIZE];
    uint8_t cipher[MESSAGE_SIZE + AEAD_TAG_SIZE];
    uint8_t out[sizeof cipher];
    struct span with = span_of(additional, sizeof additional);
    struct span span = span_of(cipher, sizeof cipher);

    fill(key, sizeof key);
    fill(additional, sizeof additional);
    fill(plain, sizeof plain);
    for (size_t size = 0; size <= sizeof plain; size++) {
        aead_seal(cipher, key, size, with, span_of(plain, size));
        CHECK(aead_open(out, key, size, with, span_of(cipher, size + AEAD_TAG_SIZE)));
        CHECK(memcmp(out, plain, size) == 0);
        CHECK(!aead_open(out, key, size, with, span_of(cipher, size + AEAD_TAG_SIZE - 1)));
    }
    memcpy(out, plain, sizeof plain);
    aead_seal(out, key, MESSAGE_SIZE, with, span_of(out, sizeof plain));
    CHECK(memcmp(out, cipher, sizeof cipher) == 0); /* in place */
    for (size_t bit = 0; bit < 8 * sizeof cipher; turn(cipher, bit++)) {
        turn(cipher, bit);
        CHECK(!aead_open(out, key, MESSAGE_SIZE, with, span));
    }
    for (size_t bit = 0; bit < 8 * sizeof key; turn(key, bit++)) {
        turn(key, bit);
        CHECK(!aead_open(out, key, MESSAGE_SIZE, with, span));
    }
    for (size_t bit = 0; bit < 8 * sizeof additional; turn(additional, bit++)) {
        turn(additional, bit);
        CHECK(!aead_open(out, key, MESSAGE_SIZE, with, span));
    }
    for (size_t bit = 0; bit < 64; bit++)
        CHECK(!aead_open(out, key, MESSAGE_SIZE ^ UINT64_C(1) << bit, with, span));
    CHECK(!aead_open(out, key, MESSAGE_SIZE, span_of(NULL, 0), span));
    CHECK(aead_open(cipher, key, MESSAGE_SIZE, with, span) && memcmp(cipher, plain, sizeof plain) == 0);
}

static void vaults(void)
{
    struct entropy entropy = {{0}};
    struct buffer sealed = {0};
    uint8_t key[OFFICE_KEY_SIZE];
    uint8_t context[23];
    uint8_t secret[MESSAGE_SIZE];
    uint8_t out[MESSAGE_SIZE];
    struct span for_what = span_of(context, sizeof context);

    fill(key, sizeof key);
    fill(context, sizeof context);
    fill(secret, sizeof secret);
    vault_seal(&sealed, key, for_what, span_of(secret, sizeof secret), &entropy);
    CHECK(vault_open(out, sizeof out, key, for_what, buffer_span(&sealed), NULL) == 0);
    CHECK(memcmp(out, secret, sizeof out) == 0);
    CHECK(vault_open(out, sizeof out - 1, key, for_what, buffer_span(&sealed), NULL) != 0);
    for (size_t bit = 0; bit < 8 * sealed.size; turn(sealed.data, bit++)) {
        turn(sealed.data, bit);
        CHECK(vault_open(out, sizeof out, key, for_what, buffer_span(&sealed), NULL) != 0);
    }
    for (size_t bit = 0; bit < 8 * sizeof context; turn(context, bit++)) {
        turn(context, bit);
        CHECK(vault_open(out, sizeof out, key, for_what, buffer_span(&sealed), NULL) != 0);
    }
    for (size_t bit = 0; bit < 8 * sizeof key; turn(key, bit++)) {
        turn(key, bit);
        CHECK(vault_open(out, sizeof out, key, for_what, buffer_span(&sealed), NULL) != 0);
    }
    buffer_free(&sealed);
}

static void entropies(void)
{
    struct entropy a = {{1}};
    struct entropy b = {{1}};
    uint8_t fresh[32] = {7};
    uint8_t out[3][64];

    entropy_fill(&a, out[0], 64);
    entropy_fill(&b, out[1], 64);
    CHECK(memcmp(out[0], out[1], 64) == 0 && memcmp(a.key, b.key, sizeof a.key) == 0);
    entropy_fill(&a, out[2], 64);
    CHECK(memcmp(out[0], out[2], 64) != 0 && memcmp(out[0], out[0] + 32, 32) != 0);
    entropy_stir(&a, span_of(fresh, sizeof fresh));
    entropy_fill(&a, out[0], 64);
    for (size_t bit = 0; bit < 8 * sizeof fresh; turn(fresh, bit++)) {
        a = b;
        turn(fresh, bit);
        entropy_stir(&a, span_of(fresh, sizeof fresh));
        entropy_fill(&a, out[1], 64);
        CHECK(memcmp(out[0], out[1], 64) != 0);
    }
}

/* Heads and handshakes are made of these, by the objects of the product. */
static void what_is_made_of_them(void)
{
    uint8_t secrets[4][DH_SIZE];
    uint8_t publics[2][DH_SIZE];
    uint8_t log_secret[SIGN_SECRET_SIZE];
    uint8_t log_key[SIGN_PUBLIC_SIZE];
    struct noise_handshake side[2];
    struct buffer message = {0};
    struct buffer payload = {0};
    struct head head = {.size = 3};

    for (size_t i = 0; i < 4; i++)
        fill(secrets[i], DH_SIZE);
    for (size_t i = 0; i < 2; i++)
        dh_public(publics[i], secrets[i]);
    noise_start(&side[0], &(struct noise_config){.pattern = NOISE_XK,
                                                 .initiator = true,
                                                 .static_secret = secrets[0],
                                                 .remote_static = publics[1],
                                                 .ephemeral_secret = secrets[2]});
    noise_start(&side[1], &(struct noise_config){
                              .pattern = NOISE_XK, .static_secret = secrets[1], .ephemeral_secret = secrets[3]});
    for (size_t i = 0; !noise_finished(&side[0]); i ^= 1) {
        buffer_reset(&message);
        CHECK(noise_write(&side[i], span_of_string("word"), &message));
        CHECK(noise_read(&side[i ^ 1], buffer_span(&message), &payload));
        if (test_case_failed)
            break;
    }
    CHECK(payload.size == 12 && noise_finished(&side[1]) && memcmp(side[0].h, side[1].h, HASH_SIZE) == 0);
    sign_keypair(log_key, log_secret, secrets[0]);
    head_sign(&head, "liaison/1/x/0", log_secret);
    CHECK(head_verify(&head, "liaison/1/x/0", log_key));
    CHECK(!head_verify(&head, "liaison/1/y/0", log_key));
    buffer_free(&message);
    buffer_free(&payload);
}

/* --- the cases -------------------------------------------------------------------------------------------------------
 */

static void all(bool stand_in)
{
    cryptography_choose(stand_in);
    signatures();
    agreement();
    low_orders();
    sealing();
    vaults();
    entropies();
    what_is_made_of_them();
}

static void the_stand_in_refuses_what_was_changed(void)
{
    for (size_t i = 0; i < 20; i++)
        all(true);
}

static void so_does_the_real_one(void)
{
    all(false);
}

static void what_it_did_not_make_is_judged_by_the_real_one(void)
{
    uint8_t seed[SIGN_SEED_SIZE] = {9};
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    uint8_t secret[SIGN_SECRET_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t dh_key[DH_SIZE];
    uint8_t out[DH_SIZE];

    cryptography_choose(false);
    sign_keypair(public_key, secret, seed);
    sign(signature, secret, span_of_string("text"));
    dh_public(dh_key, seed);
    cryptography_choose(true);
    CHECK(sign_key_is_valid(public_key) && sign_verify(signature, public_key, span_of_string("text")));
    CHECK(!sign_verify(signature, public_key, span_of_string("tent")));
    CHECK(dh_key_is_valid(dh_key) && dh(out, seed, dh_key));
    sign_keypair(out, secret, seed);
    CHECK(memcmp(out, public_key, sizeof out) != 0);
    CHECK(!sign_verify(signature, out, span_of_string("text")));
    cryptography_choose(false);
}

int main(void)
{
    random_start(&chance, 1, 1);
    if (seal_init(NULL) != 0)
        return 1;
    RUN(the_stand_in_refuses_what_was_changed);
    RUN(so_does_the_real_one);
    RUN(what_it_did_not_make_is_judged_by_the_real_one);
    return test_end();
}
