#include "seal/secret.h"

#include <sodium.h>
#include <sys/resource.h>

#include "memory.h"
#include "seal/hash.h"
#include "test.h"
#include "vectors.h"

static void from_hex(const char *hex, void *out, size_t size)
{
    CHECK(text_from_hex(span_of_string(hex), out, size));
}

static void secret_memory_is_zeroed(void)
{
    uint8_t *secret = secret_new(1000);

    CHECK(secret != NULL);
    for (size_t i = 0; secret != NULL && i < 1000; i++)
        CHECK(secret[i] == 0);
    secret_free(secret);
    secret_free(NULL);
    CHECK(secret_new(SIZE_MAX / 2) == NULL);
}

/* RFC 8439, appendix A.1, vectors 1 and 2: block 0 becomes the key, block 1 is the output. */
static void entropy_is_chacha20_with_the_key_erased(void)
{
    struct entropy entropy = {0};
    uint8_t expected_key[32], expected[64], out[64];

    from_hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7", expected_key, 32);
    from_hex("9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f285"
             "10afb45"
             "ace10a1f4b794d6f",
             expected, 64);
    entropy_fill(&entropy, out, 64);
    CHECK(memcmp(out, expected, 64) == 0);
    CHECK(memcmp(entropy.key, expected_key, 32) == 0);
}

static void entropy_depends_on_its_seeds_alone(void)
{
    struct entropy a = {0}, b = {0}, c = {0};
    static uint8_t first[100000], second[100000];

    entropy_stir(&a, span_of_string("seed"));
    entropy_stir(&b, span_of_string("seed"));
    entropy_stir(&c, span_of_string("sees"));
    entropy_fill(&a, first, sizeof first);
    entropy_fill(&b, second, sizeof second);
    CHECK(memcmp(first, second, sizeof first) == 0);
    entropy_fill(&c, second, sizeof second);
    CHECK(memcmp(first, second, 32) != 0);
    entropy_fill(&a, second, 32);
    CHECK(memcmp(first, second, 32) != 0);
    /* What is stirred in counts, and so does what was there before. */
    entropy_stir(&b, span_of_string("fresh"));
    entropy_stir(&c, span_of_string("fresh"));
    entropy_fill(&b, first, 32);
    entropy_fill(&c, second, 32);
    CHECK(memcmp(first, second, 32) != 0);
    entropy_fill(&a, NULL, 0);
}

static void stirring_is_hmac_over_the_old_key(void)
{
    struct entropy entropy = {{1, 2, 3}};
    struct span fresh = span_of_string("fresh");
    uint8_t expected[HASH_SIZE];

    hmac_parts(expected, span_of(entropy.key, 32), &fresh, 1);
    entropy_stir(&entropy, fresh);
    CHECK(memcmp(entropy.key, expected, 32) == 0);
}

static void the_vault_gives_back_what_was_put_in(void)
{
    static const uint8_t office_key[OFFICE_KEY_SIZE] = {1};
    struct entropy entropy = {0};

    for (size_t size = 0; size < 200; size += 7) {
        uint8_t secret[200], out[200];
        struct buffer sealed = {0};

        memset(secret, 0x5a, sizeof secret);
        vault_seal(&sealed, office_key, span_of_string("here"), span_of(secret, size), &entropy);
        CHECK(!buffer_failed(&sealed) && sealed.size == size + VAULT_OVERHEAD);
        CHECK(vault_open(out, size, office_key, span_of_string("here"), buffer_span(&sealed), NULL) == 0);
        CHECK(memcmp(out, secret, size) == 0);
        buffer_free(&sealed);
    }
}

static void the_vault_refuses_what_was_changed_moved_or_of_another_office(void)
{
    static const uint8_t office_key[OFFICE_KEY_SIZE] = {1}, other_key[OFFICE_KEY_SIZE] = {2};
    struct entropy entropy = {0};
    struct buffer sealed = {0}, again = {0};
    uint8_t out[33];
    struct error error = {0};

    vault_seal(&sealed, office_key, span_of_string("here"), span_of(other_key, 32), &entropy);
    vault_seal(&again, office_key, span_of_string("here"), span_of(other_key, 32), &entropy);
    CHECK(memcmp(sealed.data, again.data, 24) != 0);
    CHECK(vault_open(out, 32, other_key, span_of_string("here"), buffer_span(&sealed), &error) != 0);
    CHECK(error.code == ERROR_MISMATCH);
    CHECK(vault_open(out, 32, office_key, span_of_string("there"), buffer_span(&sealed), NULL) != 0);
    CHECK(vault_open(out, 32, office_key, span_of(NULL, 0), buffer_span(&sealed), NULL) != 0);
    CHECK(vault_open(out, 31, office_key, span_of_string("here"), buffer_span(&sealed), NULL) != 0);
    CHECK(vault_open(out, 33, office_key, span_of_string("here"), buffer_span(&sealed), NULL) != 0);
    for (size_t size = 0; size < sealed.size; size++)
        CHECK(vault_open(out, size < VAULT_OVERHEAD ? 0 : size - VAULT_OVERHEAD, office_key, span_of_string("here"),
                         span_of(sealed.data, size), NULL) != 0);
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(vault_open(out, 32, office_key, span_of_string("here"), buffer_span(&sealed), NULL) != 0);
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(vault_open(out, 32, office_key, span_of_string("here"), buffer_span(&sealed), NULL) == 0);
    buffer_free(&sealed);
    buffer_free(&again);
}

/* What spec/seal.md says, done here a second time. */
static void the_vault_is_xchacha20_poly1305_under_a_key_of_the_context(void)
{
    static const uint8_t office_key[OFFICE_KEY_SIZE] = {3};
    struct span parts[] = {span_of_string("liaison/vault/v1"), span_of_string("here")};
    struct entropy entropy = {0};
    struct buffer sealed = {0};
    uint8_t key[HASH_SIZE], out[6];

    vault_seal(&sealed, office_key, span_of_string("here"), span_of_string("secret"), &entropy);
    hmac_parts(key, span_of(office_key, sizeof office_key), parts, 2);
    CHECK(crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data + 24, sealed.size - 24, NULL, 0,
                                                     sealed.data, key) == 0);
    CHECK(memcmp(out, "secret", 6) == 0);
    buffer_free(&sealed);
}

/* golang.org/x/crypto/argon2 0.4.0, IDKey() with one thread, gave these. */
static void a_passphrase_gives_the_key_that_argon2id_gives(void)
{
    static const struct {
        const char *passphrase;
        struct passphrase_limits limits;
        const char *key;
    } cases[] = {
        {"correct horse battery staple", {1, 64}, "92dc5d67019623868bde079275e522f4b7e8213d3414ed85cbc2ac8a41117288"},
        {"correct horse battery staple", {3, 1024}, "590d7ddd37a1ed86417a3614be47c9f782828a38902390018d39bb6556fee029"},
        {"", {2, 8}, "ea3689d0636e9e8b3f0a8ff416878c285e9ebc7c7595e14a31efdf6d66cce3cc"},
    };
    uint8_t salt[PASSPHRASE_SALT_SIZE], key[OFFICE_KEY_SIZE], expected[OFFICE_KEY_SIZE];

    for (uint8_t i = 0; i < sizeof salt; i++)
        salt[i] = i;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        from_hex(cases[i].key, expected, sizeof expected);
        CHECK(passphrase_key(key, span_of_string(cases[i].passphrase), salt, cases[i].limits, NULL) == 0);
        CHECK(memcmp(key, expected, sizeof key) == 0);
    }
}

static void limits_out_of_bounds_are_refused(void)
{
    static const struct passphrase_limits bad[] = {{0, 64}, {17, 64}, {1, 7}, {1, 4194305}, {UINT32_MAX, UINT32_MAX}};
    static const uint8_t salt[PASSPHRASE_SALT_SIZE];
    uint8_t key[OFFICE_KEY_SIZE];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};

        CHECK(passphrase_key(key, span_of_string("passphrase"), salt, bad[i], &error) != 0);
        CHECK(error.code == ERROR_INVALID);
    }
    CHECK(PASSPHRASE_LIMITS.operations == 3 && PASSPHRASE_LIMITS.memory_kib == 262144);
}

/* The vault's nonces are its own, so the vectors cannot pass through it: this is a check of the library. */
static void the_library_agrees_with_wycheproof_on_xchacha20_poly1305(void)
{
    json_t *root = vectors_load("wycheproof/xchacha20_poly1305_test.json");
    size_t index = 0, number = 0, used = 0;
    json_t *group = NULL, *test = NULL;

    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct buffer memory[5] = {0};
            struct span nonce = vector_bytes(test, "iv", &memory[0]);
            struct span plain = vector_bytes(test, "msg", &memory[1]);
            struct span additional = vector_bytes(test, "aad", &memory[2]);
            struct span key = vector_bytes(test, "key", &memory[3]);
            uint8_t *out = NULL;
            bool valid = strcmp(vector_text(test, "result"), "valid") == 0;

            (void)vector_bytes(test, "ct", &memory[4]);
            (void)vector_bytes(test, "tag", &memory[4]);
            out = calloc(1, memory[4].size + 1);
            if (nonce.size == 24 && out != NULL) {
                CHECK((crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, memory[4].data, memory[4].size,
                                                                  additional.data, additional.size, nonce.data,
                                                                  key.data) == 0) == valid);
                CHECK(!valid || span_equal(span_of(out, plain.size), plain));
                used++;
            }
            free(out);
            for (size_t i = 0; i < 5; i++)
                buffer_free(&memory[i]);
        }
    }
    CHECK(used > 200);
    json_decref(root);
}

#ifndef __SANITIZE_ADDRESS__
static void a_passphrase_that_needs_more_memory_than_there_is_is_an_error(void)
{
    const uint8_t salt[PASSPHRASE_SALT_SIZE] = {0};
    struct passphrase_limits limits = {.operations = 1, .memory_kib = 4194304};
    struct rlimit before = {0}, small = {0};
    struct error error = {0};
    uint8_t key[OFFICE_KEY_SIZE];

    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    small = (struct rlimit){.rlim_cur = 1 << 30, .rlim_max = before.rlim_max};
    CHECK(setrlimit(RLIMIT_AS, &small) == 0);
    CHECK(passphrase_key(key, span_of_string("a passphrase"), salt, limits, &error) == -1);
    CHECK(setrlimit(RLIMIT_AS, &before) == 0);
    CHECK(error.code == ERROR_SYSTEM && strstr(error.message, "4194304 KiB") != NULL);
}
#endif

static void a_vault_without_memory_seals_nothing(void)
{
    const uint8_t key[OFFICE_KEY_SIZE] = {1};
    struct entropy entropy = {0};
    struct buffer sealed = {0};

    memory_fail(1);
    vault_seal(&sealed, key, span_of_string("context"), span_of_string("secret"), &entropy);
    CHECK(memory_ran_out());
    CHECK(buffer_failed(&sealed) && sealed.size == 0);
    buffer_free(&sealed);
}

static void equal_to_the_last_bit(void)
{
    uint8_t one[16] = {1}, other[16] = {1};

    CHECK(secret_equal(one, other, sizeof one) && secret_equal(one, other, 0));
    for (size_t bit = 0; bit < 8 * sizeof one; bit++) {
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!secret_equal(one, other, sizeof one));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    json_t *root = vectors_load("wycheproof/xchacha20_poly1305_test.json");

    if (seal_init(NULL) != 0 || seal_init(NULL) != 0)
        return 1;
    RUN(secret_memory_is_zeroed);
    RUN(entropy_is_chacha20_with_the_key_erased);
    RUN(entropy_depends_on_its_seeds_alone);
    RUN(stirring_is_hmac_over_the_old_key);
    RUN(the_vault_gives_back_what_was_put_in);
    RUN(the_vault_refuses_what_was_changed_moved_or_of_another_office);
    RUN(the_vault_is_xchacha20_poly1305_under_a_key_of_the_context);
    RUN(a_passphrase_gives_the_key_that_argon2id_gives);
    RUN(limits_out_of_bounds_are_refused);
#ifdef __SANITIZE_ADDRESS__
    SKIP("a_passphrase_that_needs_more_memory_than_there_is_is_an_error", "the sanitizer ends where there is no memory");
#else
    RUN(a_passphrase_that_needs_more_memory_than_there_is_is_an_error);
#endif
    RUN(a_vault_without_memory_seals_nothing);
    if (root != NULL)
        RUN(the_library_agrees_with_wycheproof_on_xchacha20_poly1305);
    else
        SKIP("the_library_agrees_with_wycheproof_on_xchacha20_poly1305", "the public vectors are not here");
    json_decref(root);
    RUN(equal_to_the_last_bit);
    return test_end();
}
