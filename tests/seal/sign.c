#include "seal/sign.h"

#include <sodium.h>

#include "test.h"
#include "vectors.h"

static void from_hex(const char *hex, uint8_t *out, size_t size)
{
    CHECK(text_from_hex(span_of_string(hex), out, size));
}

/* RFC 8032, section 7.1, tests 1 to 3. */
static void signatures_are_as_in_rfc_8032(void)
{
    static const struct {
        const char *seed, *public_key, *message, *signature;
    } cases[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bb"
         "e24"
         "655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
         "aee"
         "b00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed"
         "28d"
         "c027beceea1ec40a"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t seed[SIGN_SEED_SIZE], key[SIGN_PUBLIC_SIZE], expected_key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];
        uint8_t signature[SIGNATURE_SIZE], expected[SIGNATURE_SIZE], message[2];
        struct span text = span_of(message, strlen(cases[i].message) / 2);

        from_hex(cases[i].seed, seed, sizeof seed);
        from_hex(cases[i].public_key, expected_key, sizeof expected_key);
        from_hex(cases[i].signature, expected, sizeof expected);
        from_hex(cases[i].message, message, text.size);
        sign_keypair(key, secret, seed);
        sign(signature, secret, text);
        CHECK(memcmp(key, expected_key, sizeof key) == 0);
        CHECK(memcmp(signature, expected, sizeof signature) == 0);
        CHECK(memcmp(secret, seed, sizeof seed) == 0 && memcmp(secret + 32, key, sizeof key) == 0);
        CHECK(sign_key_is_valid(key) && sign_verify(signature, key, text));
    }
}

static void a_signature_with_any_bit_changed_is_refused(void)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {7};
    uint8_t key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE], signature[SIGNATURE_SIZE];
    struct span message = span_of_string("a message");

    sign_keypair(key, secret, seed);
    sign(signature, secret, message);
    for (size_t bit = 0; bit < (size_t)SIGNATURE_SIZE * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!sign_verify(signature, key, message));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(sign_verify(signature, key, message));
    CHECK(!sign_verify(signature, key, span_of_string("a massage")));
}

/* S + L signs the same (RFC 8032, section 5.1.7 wants S < L). */
static void a_signature_with_s_above_the_order_is_refused(void)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    static const uint8_t seed[SIGN_SEED_SIZE] = {8};
    uint8_t key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE], signature[SIGNATURE_SIZE];
    unsigned carry = 0;

    sign_keypair(key, secret, seed);
    sign(signature, secret, span_of(NULL, 0));
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!sign_verify(signature, key, span_of(NULL, 0)));
}

static void keys_that_are_not_canonical_or_not_of_prime_order_are_refused(void)
{
    static const struct {
        const char *hex, *what;
    } bad[] = {
        {"0100000000000000000000000000000000000000000000000000000000000000", "the neutral point"},
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "order 2"},
        {"0000000000000000000000000000000000000000000000000000000000000000", "order 4"},
        {"0000000000000000000000000000000000000000000000000000000000000080", "order 4, the other sign"},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "order 8"},
        {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "order 8"},
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "y = p + 1, not canonical"},
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "y = p, not canonical"},
        {"0100000000000000000000000000000000000000000000000000000000000080", "-0, not canonical"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "not canonical"},
        {"0200000000000000000000000000000000000000000000000000000000000000", "not on the curve"},
    };
    uint8_t key[SIGN_PUBLIC_SIZE];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        from_hex(bad[i].hex, key, sizeof key);
        if (sign_key_is_valid(key))
            printf("# %s\n", bad[i].what);
        CHECK(!sign_key_is_valid(key));
    }
}

/* A point of prime order plus the point of order 2: (x, y) becomes (-x, -y). It is on the curve and not of low
 * order, and what verifies under it depends on how one verifies. */
static void a_key_of_mixed_order_is_refused(void)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {9};
    uint8_t key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];
    unsigned borrow = 0;

    sign_keypair(key, secret, seed);
    CHECK(sign_key_is_valid(key));
    for (size_t i = 0; i < sizeof key; i++) {
        unsigned prime = i == 0 ? 0xed : i == 31 ? 0x7f : 0xff;
        unsigned value = (i == 31 ? key[i] & 0x7fu : key[i]) + borrow;
        uint8_t sign_bit = i == 31 ? (uint8_t)(~key[i] & 0x80) : 0;

        borrow = value > prime;
        key[i] = (uint8_t)((prime - value) & 0xff) | sign_bit;
    }
    CHECK(!sign_key_is_valid(key));
    CHECK(crypto_core_ed25519_add(secret, key, key) == 0); /* it is a point */
}

/* R = the neutral point and S = 0 under a key of order 4 verify anything, without the rule. */
static void a_signature_of_low_order_is_refused(void)
{
    uint8_t signature[SIGNATURE_SIZE] = {1};
    uint8_t key[SIGN_PUBLIC_SIZE] = {1};

    CHECK(!sign_verify(signature, key, span_of_string("anything")));
}

static void verification_agrees_with_wycheproof(void)
{
    json_t *root = vectors_load("wycheproof/ed25519_test.json");
    size_t index = 0, number = 0;
    json_t *group = NULL, *test = NULL;

    CHECK(json_integer_value(json_object_get(root, "numberOfTests")) > 0);
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        struct buffer key = {0};

        (void)vector_bytes(json_object_get(group, "publicKey"), "pk", &key);
        CHECK(key.size == SIGN_PUBLIC_SIZE);
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct buffer memory[2] = {0};
            struct span message = vector_bytes(test, "msg", &memory[0]);
            struct span signature = vector_bytes(test, "sig", &memory[1]);
            bool ok = signature.size == SIGNATURE_SIZE && sign_key_is_valid(key.data) &&
                      sign_verify(signature.data, key.data, message);

            if (ok != (strcmp(vector_text(test, "result"), "valid") == 0))
                printf("# case %d: %s\n", (int)json_integer_value(json_object_get(test, "tcId")),
                       vector_text(test, "comment"));
            CHECK(ok == (strcmp(vector_text(test, "result"), "valid") == 0));
            buffer_free(&memory[0]);
            buffer_free(&memory[1]);
        }
        buffer_free(&key);
    }
    json_decref(root);
}

int main(void)
{
    json_t *root = vectors_load("wycheproof/ed25519_test.json");

    RUN(signatures_are_as_in_rfc_8032);
    RUN(a_signature_with_any_bit_changed_is_refused);
    RUN(a_signature_with_s_above_the_order_is_refused);
    RUN(keys_that_are_not_canonical_or_not_of_prime_order_are_refused);
    RUN(a_key_of_mixed_order_is_refused);
    RUN(a_signature_of_low_order_is_refused);
    if (root != NULL)
        RUN(verification_agrees_with_wycheproof);
    else
        SKIP("verification_agrees_with_wycheproof", "the public vectors are not here");
    json_decref(root);
    return test_end();
}
