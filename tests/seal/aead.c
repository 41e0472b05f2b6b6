#include "seal/aead.h"

#include "test.h"
#include "vectors.h"

static void from_hex(const char *hex, void *out, size_t size)
{
    CHECK(text_from_hex(span_of_string(hex), out, size));
}

/* RFC 8439, appendix A.5, whose nonce begins with four zero bytes as Noise's do. */
static void aead_is_as_in_rfc_8439(void)
{
    static const char plain[] = "Internet-Drafts are draft documents valid for a maximum of six months and may be "
                                "updated, replaced, or obsoleted by "
                                "other documents at any time. It is inappropriate to use Internet-Drafts as reference "
                                "material or to cite them other "
                                "than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
    static const char cipher_hex[] =
        "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b01"
        "00d4f0"
        "3b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b35063836"
        "06907b"
        "6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047"
        "718cbc"
        "546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d"
        "361094"
        "fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38";
    uint8_t key[AEAD_KEY_SIZE], additional[12], expected[281], sealed[281], opened[265];

    CHECK(sizeof plain - 1 == 265);
    from_hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", key, sizeof key);
    from_hex("f33388860000000000004e91", additional, sizeof additional);
    from_hex(cipher_hex, expected, sizeof expected);
    aead_seal(sealed, key, UINT64_C(0x0807060504030201), span_of(additional, 12), span_of(plain, 265));
    CHECK(memcmp(sealed, expected, sizeof sealed) == 0);
    CHECK(aead_open(opened, key, UINT64_C(0x0807060504030201), span_of(additional, 12), span_of(sealed, 281)));
    CHECK(memcmp(opened, plain, 265) == 0);
}

static void any_change_is_refused(void)
{
    static const uint8_t key[AEAD_KEY_SIZE] = {1};
    uint8_t sealed[21], opened[21], additional[3] = {1, 2, 3};

    aead_seal(sealed, key, 5, span_of(additional, 3), span_of("plain", 5));
    for (size_t bit = 0; bit < sizeof sealed * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!aead_open(opened, key, 5, span_of(additional, 3), span_of(sealed, sizeof sealed)));
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < sizeof sealed; size++)
        CHECK(!aead_open(opened, key, 5, span_of(additional, 3), span_of(sealed, size)));
    CHECK(!aead_open(opened, key, 6, span_of(additional, 3), span_of(sealed, sizeof sealed)));
    CHECK(!aead_open(opened, key, 5, span_of(additional, 2), span_of(sealed, sizeof sealed)));
    CHECK(aead_open(opened, key, 5, span_of(additional, 3), span_of(sealed, sizeof sealed)));
}

static void sealing_and_opening_in_place_work(void)
{
    static const uint8_t key[AEAD_KEY_SIZE] = {2};
    uint8_t apart[100 + AEAD_TAG_SIZE], place[100 + AEAD_TAG_SIZE] = {0};
    static const uint8_t plain[100];

    aead_seal(apart, key, 0, span_of(NULL, 0), span_of(plain, sizeof plain));
    aead_seal(place, key, 0, span_of(NULL, 0), span_of(place, sizeof plain));
    CHECK(memcmp(apart, place, sizeof apart) == 0);
    CHECK(aead_open(place, key, 0, span_of(NULL, 0), span_of(place, sizeof place)));
    CHECK(memcmp(place, plain, sizeof plain) == 0);
}

/* RFC 7748, sections 5.2 and 6.1. */
static void dh_is_as_in_rfc_7748(void)
{
    uint8_t alice[DH_SIZE], bob[DH_SIZE], alice_public[DH_SIZE], bob_public[DH_SIZE], expected[DH_SIZE],
        shared[DH_SIZE];
    uint8_t u[DH_SIZE] = {9}, k[DH_SIZE] = {9};

    from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", alice, DH_SIZE);
    from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob, DH_SIZE);
    dh_public(alice_public, alice);
    from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", expected, DH_SIZE);
    CHECK(memcmp(alice_public, expected, DH_SIZE) == 0);
    dh_public(bob_public, bob);
    from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", expected, DH_SIZE);
    CHECK(memcmp(bob_public, expected, DH_SIZE) == 0);
    from_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", expected, DH_SIZE);
    CHECK(dh(shared, alice, bob_public) && memcmp(shared, expected, DH_SIZE) == 0);
    CHECK(dh(shared, bob, alice_public) && memcmp(shared, expected, DH_SIZE) == 0);

    for (int i = 0; i < 1000; i++) {
        CHECK(dh(shared, k, u));
        memcpy(u, k, DH_SIZE);
        memcpy(k, shared, DH_SIZE);
        if (i == 0) {
            from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", expected, DH_SIZE);
            CHECK(memcmp(k, expected, DH_SIZE) == 0);
        }
    }
    from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", expected, DH_SIZE);
    CHECK(memcmp(k, expected, DH_SIZE) == 0);
}

/* The points of low order on the curve and its twist, and encodings that are not canonical. */
static void unusable_public_keys_are_refused(void)
{
    static const struct {
        const char *hex;
        bool low_order;
    } bad[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", true},
        {"0100000000000000000000000000000000000000000000000000000000000000", true},
        {"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", true},
        {"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", true},
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
        {"efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
        {"0900000000000000000000000000000000000000000000000000000000000080", false},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
    };
    static const uint8_t secret[DH_SIZE] = {77};
    uint8_t key[DH_SIZE], shared[DH_SIZE];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        from_hex(bad[i].hex, key, DH_SIZE);
        CHECK(!dh_key_is_valid(key));
        CHECK(dh(shared, secret, key) == !bad[i].low_order);
    }
    from_hex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", key, DH_SIZE);
    CHECK(dh_key_is_valid(key));
    from_hex("0900000000000000000000000000000000000000000000000000000000000000", key, DH_SIZE);
    CHECK(dh_key_is_valid(key));
}

static void aead_agrees_with_wycheproof(void)
{
    json_t *root = vectors_load("wycheproof/chacha20_poly1305_test.json");
    size_t index = 0, number = 0, used = 0;
    json_t *group = NULL, *test = NULL;

    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct buffer memory[6] = {0};
            struct span nonce = vector_bytes(test, "iv", &memory[0]);
            struct span plain = vector_bytes(test, "msg", &memory[1]);
            struct span additional = vector_bytes(test, "aad", &memory[2]);
            struct span key = vector_bytes(test, "key", &memory[3]);
            struct span cipher = vector_bytes(test, "ct", &memory[4]);
            bool valid = strcmp(vector_text(test, "result"), "valid") == 0;
            uint8_t out[2048];
            uint64_t counter = 0;

            /* Other nonces cannot be asked for: ours have 64 bits. */
            if (nonce.size == 12 && memcmp(nonce.data, "\0\0\0\0", 4) == 0 &&
                plain.size + AEAD_TAG_SIZE <= sizeof out) {
                (void)vector_bytes(test, "tag", &memory[4]);
                cipher = buffer_span(&memory[4]);
                for (size_t i = 12; i > 4; i--)
                    counter = counter << 8 | nonce.data[i - 1];
                CHECK(aead_open(out, key.data, counter, additional, cipher) == valid);
                CHECK(!valid || span_equal(span_of(out, plain.size), plain));
                aead_seal(out, key.data, counter, additional, plain);
                CHECK(span_equal(span_of(out, cipher.size), cipher) == valid);
                used++;
            }
            for (size_t i = 0; i < 6; i++)
                buffer_free(&memory[i]);
        }
    }
    CHECK(used >= 10);
    json_decref(root);
}

static void dh_agrees_with_wycheproof(void)
{
    json_t *root = vectors_load("wycheproof/x25519_test.json");
    static const uint8_t zeros[DH_SIZE];
    size_t index = 0, number = 0;
    json_t *group = NULL, *test = NULL;

    CHECK(json_integer_value(json_object_get(root, "numberOfTests")) > 0);
    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct buffer memory[3] = {0};
            struct span public_key = vector_bytes(test, "public", &memory[0]);
            struct span secret = vector_bytes(test, "private", &memory[1]);
            struct span shared = vector_bytes(test, "shared", &memory[2]);
            uint8_t out[DH_SIZE];
            bool zero = memcmp(shared.data, zeros, DH_SIZE) == 0;

            CHECK(dh(out, secret.data, public_key.data) == !zero);
            CHECK(zero || memcmp(out, shared.data, DH_SIZE) == 0);
            CHECK(!zero || !dh_key_is_valid(public_key.data));
            for (size_t i = 0; i < 3; i++)
                buffer_free(&memory[i]);
        }
    }
    json_decref(root);
}

int main(void)
{
    json_t *root = vectors_load("wycheproof/x25519_test.json");

    RUN(aead_is_as_in_rfc_8439);
    RUN(any_change_is_refused);
    RUN(sealing_and_opening_in_place_work);
    RUN(dh_is_as_in_rfc_7748);
    RUN(unusable_public_keys_are_refused);
    if (root != NULL) {
        RUN(aead_agrees_with_wycheproof);
        RUN(dh_agrees_with_wycheproof);
    } else {
        SKIP("aead_agrees_with_wycheproof", "the public vectors are not here");
        SKIP("dh_agrees_with_wycheproof", "the public vectors are not here");
    }
    json_decref(root);
    return test_end();
}
