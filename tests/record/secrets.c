/*
 * No branch and no address depends on a secret: valgrind's memcheck finds each that depends on memory which was never
 * written, and here secrets are declared to be that. What is derived from them is too, until it is declassified; all
 * that is stands in the first part of this file, none of it in src/. What libsodium decides by itself, whether a tag
 * fits, is in secrets.supp.
 *
 * Run as: valgrind -q --suppressions=secrets.supp PROGRAM
 */
#include "test.h"

#include "record/epoch.h"
#include "record/line.h"
#include "seal/keyfile.h"
#include "seal/noise.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_COUNT_ERRORS 0u
#define VALGRIND_MAKE_MEM_UNDEFINED(memory, size) ((void)(memory), (void)(size))
#define VALGRIND_MAKE_MEM_DEFINED(memory, size) ((void)(memory), (void)(size))
#endif

#include <sodium.h>

static void make_secret(const void *memory, size_t size)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
}

static void declassify(const void *memory, size_t size)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
}

static void declassify_buffer(const struct buffer *buffer)
{
    if (buffer->size > 0)
        declassify(buffer->data, buffer->size);
}

/* --- what is declassified: calls that the linker sends here first ------------------------------------------------ */

#define WRAPPED(type, name, ...)                                                                                       \
    type __real_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

static bool text_is_secret;  /* base64 is of keys from here on */
static bool plain_is_public; /* what was sealed is read: an entry's body, whose reader looks at it */

/* Whether two secrets are equal, or a tag fits, decides what happens next. */
WRAPPED(int, sodium_memcmp, const void *const a, const void *const b, size_t size)
{
    int result = __real_sodium_memcmp(a, b, size);

    declassify(&result, sizeof result);
    return result;
}

WRAPPED(int, crypto_aead_chacha20poly1305_ietf_decrypt, unsigned char *plain, unsigned long long *plain_size,
        unsigned char *unused, const unsigned char *cipher, unsigned long long size, const unsigned char *additional,
        unsigned long long additional_size, const unsigned char *nonce, const unsigned char *key)
{
    int result = __real_crypto_aead_chacha20poly1305_ietf_decrypt(plain, plain_size, unused, cipher, size, additional,
                                                                  additional_size, nonce, key);

    declassify(&result, sizeof result);
    if (plain_is_public && size >= AEAD_TAG_SIZE)
        declassify(plain, size - AEAD_TAG_SIZE);
    return result;
}

WRAPPED(int, crypto_aead_xchacha20poly1305_ietf_decrypt, unsigned char *plain, unsigned long long *plain_size,
        unsigned char *unused, const unsigned char *cipher, unsigned long long size, const unsigned char *additional,
        unsigned long long additional_size, const unsigned char *nonce, const unsigned char *key)
{
    int result = __real_crypto_aead_xchacha20poly1305_ietf_decrypt(plain, plain_size, unused, cipher, size, additional,
                                                                   additional_size, nonce, key);

    declassify(&result, sizeof result);
    return result;
}

/* Whether the other's key had low order. */
WRAPPED(int, crypto_scalarmult_curve25519, unsigned char *out, const unsigned char *secret, const unsigned char *point)
{
    int result = __real_crypto_scalarmult_curve25519(out, secret, point);

    declassify(&result, sizeof result);
    return result;
}

/* Public keys and signatures are for all to see. */
WRAPPED(int, crypto_scalarmult_curve25519_base, unsigned char *public_key, const unsigned char *secret)
{
    int result = __real_crypto_scalarmult_curve25519_base(public_key, secret);

    declassify(public_key, DH_SIZE);
    return result;
}

WRAPPED(int, crypto_sign_ed25519_seed_keypair, unsigned char *public_key, unsigned char *secret,
        const unsigned char *seed)
{
    int result = __real_crypto_sign_ed25519_seed_keypair(public_key, secret, seed);

    declassify(public_key, SIGN_PUBLIC_SIZE);
    declassify(secret + SIGN_SEED_SIZE, SIGN_PUBLIC_SIZE);
    return result;
}

WRAPPED(int, crypto_sign_ed25519_detached, unsigned char *signature, unsigned long long *size,
        const unsigned char *message, unsigned long long message_size, const unsigned char *secret)
{
    int result = __real_crypto_sign_ed25519_detached(signature, size, message, message_size, secret);

    declassify(signature, SIGNATURE_SIZE);
    return result;
}

/* Whether it is base64 at all; the characters themselves are secret, but for the two that may be padding. */
WRAPPED(bool, text_from_base64_exactly, struct span text, void *out, size_t size)
{
    bool result = false;

    if (text_is_secret && text.size > 2)
        make_secret(text.data, text.size - 2);
    result = __real_text_from_base64_exactly(text, out, size);
    declassify(&result, sizeof result);
    return result;
}

/* In hexadecimal stand checksums, names of lines and fingerprints, no keys. */
WRAPPED(void, text_put_hex, struct buffer *buffer, struct span bytes)
{
    declassify(bytes.data, bytes.size);
    __real_text_put_hex(buffer, bytes);
}

/* --- cases ------------------------------------------------------------------------------------------------------ */

static struct test_line line;
static struct entry_place place;
static uint8_t secret[EPOCH_SECRET_SIZE], other[EPOCH_SECRET_SIZE];

/* A case is wrong if memcheck found something in it. */
#define RUN_SECRETLY(function)                                                                                         \
    do {                                                                                                               \
        found_before = VALGRIND_COUNT_ERRORS;                                                                          \
        RUN(function);                                                                                                 \
    } while (0)
static unsigned found_before;

static void nothing_was_found(void)
{
    unsigned found = VALGRIND_COUNT_ERRORS - found_before;

    if (found > 0)
        printf("# memcheck found %u places, above\n", found);
    CHECK(found == 0);
}

static void memcheck_sees_a_branch_on_a_secret(void)
{
    uint8_t key[32] = {1};

    make_secret(key, sizeof key);
    if (memcmp(key, secret, sizeof key) == 0)
        printf("# equal\n");
    CHECK(VALGRIND_COUNT_ERRORS != found_before);
}

static void derivations(void)
{
    struct entropy entropy = {{0}};
    uint8_t key[32] = {2}, out[96], hash[HASH_SIZE];
    struct span parts[] = {span_of(key, sizeof key), span_of_string("label")};

    make_secret(&entropy, sizeof entropy);
    make_secret(key, sizeof key);
    entropy_stir(&entropy, span_of(key, sizeof key));
    entropy_fill(&entropy, out, sizeof out);
    hkdf(out, sizeof out, span_of(key, sizeof key), span_of(out, 32), span_of_string("info"));
    hmac_parts(hash, span_of(out, sizeof out), parts, 2);
    courier_subkey(out, key, "label");
    courier_hash(hash, key);
    epoch_commitment(hash, place.origin_hash, 3, key);
    CHECK(!hash_equal(hash, out));
    CHECK(!secret_equal(hash, out, 16));
    nothing_was_found();
}

static void identities(void)
{
    struct entropy entropy = {{3}};
    struct identity *identity = secret_new(sizeof *identity);
    struct card card = {0};

    make_secret(&entropy, sizeof entropy);
    identity_generate(identity, &entropy);
    CHECK(card_make(&card, "washington.example", "en", identity, NULL) == 0);
    CHECK(card_is_of(&card, identity) && !card_is_of(&line.charter.members[1], identity));
    secret_free(identity);
    nothing_was_found();
}

static void key_files(void)
{
    uint8_t key[OFFICE_KEY_SIZE], read[OFFICE_KEY_SIZE], line_id[HASH_SIZE];
    struct buffer office = {0}, courier = {0}, sheet = {0};
    uint8_t was = 0;

    entropy_fill(&line.entropy, key, sizeof key);
    was = key[0];
    make_secret(key, sizeof key);
    office_key_print(&office, key);
    courier_key_print(&courier, line.charter.line_id, line.courier_key);
    recovery_sheet_print(&sheet, &line.charter.members[0], &line.identity[0]);
    /* Lines are looked for in it. What is a key among them becomes secret again when it is decoded. */
    declassify_buffer(&office);
    declassify_buffer(&courier);
    text_is_secret = true;
    CHECK(office_key_parse(read, buffer_span(&office), NULL) == 0);
    CHECK(courier_key_parse(line_id, read + 0, buffer_span(&courier), NULL) == 0);
    declassify_buffer(&office);
    office.data[office.size - 2] ^= 1;
    CHECK(office_key_parse(read, buffer_span(&office), NULL) == -1);
    text_is_secret = false;
    declassify(key, sizeof key);
    CHECK(key[0] == was);
    buffer_free(&office);
    buffer_free(&courier);
    buffer_free(&sheet);
    nothing_was_found();
}

static void secrets_at_rest(void)
{
    struct entropy entropy = {{4}};
    uint8_t key[OFFICE_KEY_SIZE] = {5}, wrong[OFFICE_KEY_SIZE] = {6}, opened[sizeof secret];
    struct buffer sealed = {0};

    make_secret(&entropy, sizeof entropy);
    make_secret(key, sizeof key);
    make_secret(wrong, sizeof wrong);
    vault_seal(&sealed, key, span_of_string("epoch"), span_of(secret, sizeof secret), &entropy);
    declassify_buffer(&sealed);
    CHECK(vault_open(opened, sizeof opened, key, span_of_string("epoch"), buffer_span(&sealed), NULL) == 0);
    CHECK(secret_equal(opened, secret, sizeof secret));
    CHECK(vault_open(opened, sizeof opened, wrong, span_of_string("epoch"), buffer_span(&sealed), NULL) == -1);
    buffer_free(&sealed);
    nothing_was_found();
}

static void epochs(void)
{
    struct wrap wrap = {.member = 1, .source = WRAP_STANDING};
    struct wrap_context context = {
        .charter = &line.charter, .origin_hash = place.origin_hash, .courier_key = line.courier_key, .epoch = 1};
    uint8_t ephemeral[DH_SIZE] = {7}, opened[EPOCH_SECRET_SIZE];

    make_secret(ephemeral, sizeof ephemeral);
    CHECK(wrap_seal(&wrap, &context, line.charter.members[1].sealing_key, line.identity[0].sealing_secret, ephemeral,
                    secret));
    declassify(wrap.message, sizeof wrap.message);
    CHECK(wrap_open(opened, &wrap, &context, line.identity[1].sealing_secret));
    CHECK(secret_equal(opened, secret, sizeof secret));
    wrap.message[WRAP_SIZE - 1] ^= 1;
    CHECK(!wrap_open(opened, &wrap, &context, line.identity[1].sealing_secret));
    nothing_was_found();
}

static void entries(void)
{
    struct entry_header header = {.class = ENTRY_SEALED, .epoch = 1, .salt = {8}};
    static const uint8_t text[] = {0x43, 'y', 'e', 's'};
    struct buffer sealed = {0}, body = {0};
    struct entry entry = {0};

    CHECK(entry_seal(&sealed, &header, span_of(text, sizeof text), secret, &place, NULL) == 0);
    declassify_buffer(&sealed);
    CHECK(entry_parse(&entry, buffer_span(&sealed), 0, 2, NULL) == 0);
    plain_is_public = true;
    CHECK(entry_open(&body, &entry, secret, &place, NULL) == 0);
    CHECK(span_equal(buffer_span(&body), span_of(text, sizeof text)));
    CHECK(entry_open(&body, &entry, other, &place, NULL) == -1);
    plain_is_public = false;
    buffer_free(&sealed);
    buffer_free(&body);
    nothing_was_found();
}

static void links(void)
{
    struct noise_handshake side[2];
    struct noise_cipher cipher[2][2];
    struct buffer message = {0}, payload = {0};
    uint8_t psk[32] = {9}, ephemeral[2][DH_SIZE] = {{10}, {11}}, hash[HASH_SIZE], text[16 + AEAD_TAG_SIZE] = "this";

    make_secret(psk, sizeof psk);
    make_secret(ephemeral, sizeof ephemeral);
    for (unsigned i = 0; i < 2; i++)
        noise_start(&side[i], &(struct noise_config){
                                  .pattern = NOISE_XKPSK0,
                                  .initiator = i == 0,
                                  .prologue = span_of_string("line"),
                                  .static_secret = line.identity[i].link_secret,
                                  .remote_static = i == 0 ? line.charter.members[1].link_key : NULL,
                                  .psk = psk,
                                  .ephemeral_secret = ephemeral[i],
                              });
    for (unsigned i = 0; i < 3; i++) {
        buffer_reset(&message);
        CHECK(noise_write(&side[i % 2], span_of_string("payload"), &message));
        declassify_buffer(&message);
        CHECK(noise_read(&side[1 - i % 2], buffer_span(&message), &payload));
    }
    CHECK(noise_split(&side[0], &cipher[0][0], &cipher[0][1], hash));
    CHECK(noise_split(&side[1], &cipher[1][0], &cipher[1][1], hash));
    for (unsigned i = 0; i < 2; i++) {
        make_secret(text, 16);
        CHECK(noise_encrypt(&cipher[0][0], span_of(NULL, 0), span_of(text, 16), text));
        declassify(text, sizeof text);
        CHECK(noise_decrypt(&cipher[1][1], span_of(NULL, 0), span_of(text, sizeof text), text));
        noise_rekey(&cipher[0][0]);
        noise_rekey(&cipher[1][1]);
    }
    buffer_free(&message);
    buffer_free(&payload);
    nothing_was_found();
}

int main(void)
{
    if (RUNNING_ON_VALGRIND == 0) {
        SKIP("no branch depends on a secret", "this is not run by valgrind");
        return 0;
    }
    test_line_found(&line, 2, "secrets");
    entry_place_of(&place, &line.charter, 0, 1, 9);
    entropy_fill(&line.entropy, secret, sizeof secret);
    entropy_fill(&line.entropy, other, sizeof other);
    make_secret(secret, sizeof secret);
    make_secret(other, sizeof other);
    make_secret(line.courier_key, sizeof line.courier_key);
    for (unsigned i = 0; i < 2; i++) {
        make_secret(line.identity[i].log_secret, SIGN_SEED_SIZE);
        make_secret(line.identity[i].receipt_secret, SIGN_SEED_SIZE);
        make_secret(line.identity[i].link_secret, DH_SIZE);
        make_secret(line.identity[i].sealing_secret, DH_SIZE);
    }
    RUN_SECRETLY(memcheck_sees_a_branch_on_a_secret);
    RUN_SECRETLY(derivations);
    RUN_SECRETLY(identities);
    RUN_SECRETLY(key_files);
    RUN_SECRETLY(secrets_at_rest);
    RUN_SECRETLY(epochs);
    RUN_SECRETLY(entries);
    RUN_SECRETLY(links);
    test_line_free(&line);
    return test_end();
}
