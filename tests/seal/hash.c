#include "seal/hash.h"

#include "test.h"
#include "vectors.h"

static bool is_hex(const uint8_t *bytes, const char *hex)
{
    uint8_t expected[1024];
    size_t size = strlen(hex) / 2;

    return size <= sizeof expected && text_from_hex(span_of_string(hex), expected, size) &&
           memcmp(bytes, expected, size) == 0;
}

/* FIPS 180-4 and its examples. */
static void sha256_is_as_published(void)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t out[HASH_SIZE];

    hash_bytes(out, "abc", 3);
    CHECK(is_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    hash_bytes(out, NULL, 0);
    CHECK(is_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    hash_bytes(out, two_blocks, strlen(two_blocks));
    CHECK(is_hex(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}

static void parts_hash_as_one_piece(void)
{
    static const char text[] = "one piece of text that is longer than a block of the hash, which has sixty-four bytes";
    uint8_t whole[HASH_SIZE];
    uint8_t split[HASH_SIZE];

    hash_bytes(whole, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        struct span parts[] = {span_of(text, cut), span_of(NULL, 0), span_of(text + cut, sizeof text - cut)};

        hash_parts(split, parts, 3);
        CHECK(memcmp(split, whole, HASH_SIZE) == 0);
    }
}

/* RFC 4231, sections 4.2 to 4.8; 4.6 has a truncated tag. */
static void hmac_is_as_in_rfc_4231(void)
{
    static const struct {
        uint8_t key_byte;
        size_t key_size;
        const char *key;
        const char *data;
        uint8_t data_byte;
        const char *tag;
    } cases[] = {
        {0x0b, 20, NULL, "Hi There", 0, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 0, "Jefe", "what do ya want for nothing?", 0,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {0xaa, 20, NULL, NULL, 0xdd, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {0x0c, 20, NULL, "Test With Truncation", 0, "a3b6167473100ee06e0c796c2955552b"},
        {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {0xaa, 131, NULL,
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
         "hashed before being used by the HMAC algorithm.",
         0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t key[131];
        uint8_t data[50];
        uint8_t out[HASH_SIZE];
        struct span key_span = span_of(key, cases[i].key_size);
        struct span data_span = span_of(data, sizeof data);

        memset(key, cases[i].key_byte, sizeof key);
        memset(data, cases[i].data_byte, sizeof data);
        if (cases[i].key != NULL)
            key_span = span_of_string(cases[i].key);
        if (cases[i].data != NULL)
            data_span = span_of_string(cases[i].data);
        hmac_parts(out, key_span, &data_span, 1);
        CHECK(is_hex(out, cases[i].tag));
    }
}

/* RFC 5869, appendices A.1 to A.3. */
static void hkdf_is_as_in_rfc_5869(void)
{
    uint8_t secret[80];
    uint8_t salt[80];
    uint8_t info[80];
    uint8_t out[82];

    memset(secret, 0x0b, 22);
    for (uint8_t i = 0; i < 80; i++) {
        salt[i] = i;
        info[i] = (uint8_t)(0xf0 + i);
    }
    hkdf(out, 42, span_of(salt, 13), span_of(secret, 22), span_of(info, 10));
    CHECK(is_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
    hkdf(out, 42, span_of(NULL, 0), span_of(secret, 22), span_of(NULL, 0));
    CHECK(is_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
    for (uint8_t i = 0; i < 80; i++) {
        secret[i] = i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    hkdf(out, 82, span_of(salt, 80), span_of(secret, 80), span_of(info, 80));
    CHECK(is_hex(out, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"));
}

static void hmac_agrees_with_wycheproof(json_t *root)
{
    size_t index = 0;
    size_t number = 0;
    json_t *group = NULL;
    json_t *test = NULL;

    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            struct buffer memory[3] = {0};
            struct span message = vector_bytes(test, "msg", &memory[0]);
            struct span tag = vector_bytes(test, "tag", &memory[1]);
            uint8_t out[HASH_SIZE];

            hmac_parts(out, vector_bytes(test, "key", &memory[2]), &message, 1);
            CHECK((memcmp(out, tag.data, tag.size) == 0) == (strcmp(vector_text(test, "result"), "valid") == 0));
            for (size_t i = 0; i < 3; i++)
                buffer_free(&memory[i]);
        }
    }
}

static void hkdf_agrees_with_wycheproof(json_t *root)
{
    size_t index = 0;
    size_t number = 0;
    json_t *group = NULL;
    json_t *test = NULL;

    json_array_foreach(json_object_get(root, "testGroups"), index, group)
    {
        json_array_foreach(json_object_get(group, "tests"), number, test)
        {
            size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
            struct buffer memory[4] = {0};
            static uint8_t out[255 * HASH_SIZE];

            /* The invalid ones ask for more than there is, which hkdf() asserts that nobody does. */
            if (strcmp(vector_text(test, "result"), "valid") != 0) {
                CHECK(size > sizeof out);
                continue;
            }
            hkdf(out, size, vector_bytes(test, "salt", &memory[0]), vector_bytes(test, "ikm", &memory[1]),
                 vector_bytes(test, "info", &memory[2]));
            CHECK(span_equal(span_of(out, size), vector_bytes(test, "okm", &memory[3])));
            for (size_t i = 0; i < 4; i++)
                buffer_free(&memory[i]);
        }
    }
}

static void hmac_and_hkdf_agree_with_wycheproof(void)
{
    json_t *hmac = vectors_load("wycheproof/hmac_sha256_test.json");
    json_t *hkdf_root = vectors_load("wycheproof/hkdf_sha256_test.json");

    CHECK(json_integer_value(json_object_get(hmac, "numberOfTests")) > 0);
    CHECK(json_integer_value(json_object_get(hkdf_root, "numberOfTests")) > 0);
    hmac_agrees_with_wycheproof(hmac);
    hkdf_agrees_with_wycheproof(hkdf_root);
    json_decref(hmac);
    json_decref(hkdf_root);
}

static void hashes_are_equal_only_if_every_bit_is(void)
{
    uint8_t a[HASH_SIZE] = {1, 2, 3};
    uint8_t b[HASH_SIZE] = {1, 2, 3};

    CHECK(hash_equal(a, b));
    for (size_t bit = 0; bit < (size_t)HASH_SIZE * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!hash_equal(a, b));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void no_label_begins_another(void)
{
    static const char *const labels[] = {
        LABEL_CARD,         LABEL_CHARTER,     LABEL_ORIGIN, LABEL_RECEIPT_NAME, LABEL_COURIER_HASH, LABEL_COURIER_LINK,
        LABEL_COURIER_WRAP, LABEL_FINGERPRINT, LABEL_LINK,   LABEL_LINK_FIRST,   LABEL_WRAP,         LABEL_COMMIT,
        LABEL_EPOCH_COMMIT, LABEL_CHECKSUM,    LABEL_VAULT,  LABEL_TOKEN,
    };
    size_t count = sizeof labels / sizeof labels[0];

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            CHECK(i == j || strncmp(labels[i], labels[j], strlen(labels[i])) != 0);
}

int main(void)
{
    json_t *root = vectors_load("wycheproof/hmac_sha256_test.json");

    RUN(sha256_is_as_published);
    RUN(parts_hash_as_one_piece);
    RUN(hmac_is_as_in_rfc_4231);
    RUN(hkdf_is_as_in_rfc_5869);
    if (root != NULL)
        RUN(hmac_and_hkdf_agree_with_wycheproof);
    else
        SKIP("hmac_and_hkdf_agree_with_wycheproof", "the public vectors are not here");
    RUN(hashes_are_equal_only_if_every_bit_is);
    RUN(no_label_begins_another);
    json_decref(root);
    return test_end();
}
