#include "record/epoch.h"

#include "base/cbor.h"
#include "memory.h"
#include "record/line.h"
#include "test.h"

static struct test_line line;
static uint8_t prekey_secret[DH_SIZE], prekey[DH_SIZE], ephemeral[DH_SIZE], secret[EPOCH_SECRET_SIZE];
static struct entry_place place;

static struct prekeys good_prekeys(void)
{
    struct prekeys prekeys = {.voids = true, .count = 2};

    for (unsigned i = 0; i < 2; i++) {
        prekeys.batch[i].author = (uint8_t)(i == 0 ? 0 : 2);
        prekeys.batch[i].first = 64;
        prekeys.batch[i].keys = i == 0 ? PREKEY_BATCH : 1;
        for (unsigned k = 0; k < prekeys.batch[i].keys; k++) {
            uint8_t seed[DH_SIZE] = {(uint8_t)(i + 1), (uint8_t)k};

            dh_public(prekeys.batch[i].key[k], seed);
        }
    }
    return prekeys;
}

static bool reads_prekeys(struct span body)
{
    struct prekeys read = {0};
    struct error error = {0};
    bool ok = prekeys_read(&read, body, 1, 3, &error) == 0;

    CHECK(ok == (error.code == ERROR_NONE));
    return ok;
}

static void prekeys_read_back(void)
{
    struct prekeys prekeys = good_prekeys(), read = {0};
    struct buffer body = {0};

    prekeys_put(&prekeys, &body);
    CHECK(prekeys_read(&read, buffer_span(&body), 1, 3, NULL) == 0);
    CHECK(read.voids && read.count == 2 && memcmp(&read, &prekeys, sizeof read) == 0);
    for (size_t size = 0; size < body.size; size++)
        CHECK(!reads_prekeys(span_of(body.data, size)));
    buffer_put_u8(&body, 0);
    CHECK(!reads_prekeys(buffer_span(&body)));
    buffer_free(&body);
}

static void bad_prekeys_are_refused(void)
{
    enum {
        GOOD,
        FOR_ONESELF,
        STRANGER,
        FALLING,
        TWICE,
        NO_KEYS,
        ID_HUGE,
        KEY_ZERO,
        KEY_LOW_ORDER,
        KEY_NOT_CANONICAL,
        NONE_AT_ALL,
        ROWS
    };

    for (int row = GOOD; row < ROWS; row++) {
        struct prekeys prekeys = good_prekeys();
        struct buffer body = {0};

        switch (row) {
        case FOR_ONESELF:
            prekeys.batch[1].author = 1;
            break;
        case STRANGER:
            prekeys.batch[1].author = 3;
            break;
        case FALLING:
            prekeys.batch[0].author = 2;
            prekeys.batch[1].author = 0;
            break;
        case TWICE:
            prekeys.batch[1].author = 0;
            break;
        case NO_KEYS:
            prekeys.batch[1].keys = 0;
            break;
        case ID_HUGE:
            prekeys.batch[1].first = INT64_MAX - PREKEY_BATCH + 1;
            break;
        case KEY_ZERO:
            memset(prekeys.batch[1].key[0], 0, DH_SIZE);
            break;
        case KEY_LOW_ORDER:
            memset(prekeys.batch[0].key[63], 0, DH_SIZE);
            prekeys.batch[0].key[63][0] = 1;
            break;
        case KEY_NOT_CANONICAL:
            memset(prekeys.batch[0].key[5], 0xff, DH_SIZE);
            break;
        case NONE_AT_ALL: /* voiding all of them without new ones is allowed */
            prekeys.count = 0;
            break;
        default:
            break;
        }
        prekeys_put(&prekeys, &body);
        if (reads_prekeys(buffer_span(&body)) != (row == GOOD || row == NONE_AT_ALL)) {
            printf("# row %d\n", row);
            CHECK(false);
        }
        buffer_free(&body);
    }
}

static void malformed_prekeys_are_refused(void)
{
    uint8_t keys[(PREKEY_BATCH + 1) * DH_SIZE];

    for (size_t i = 0; i <= PREKEY_BATCH; i++)
        memcpy(keys + i * DH_SIZE, prekey, DH_SIZE);
    for (int row = 0; row < 5; row++) {
        struct buffer body = {0};

        cbor_put_map(&body, 2);
        cbor_put_uint(&body, 0);
        cbor_put_uint(&body, row == 1 ? 2 : 1); /* voids is 0 or 1 */
        cbor_put_uint(&body, 1);
        cbor_put_array(&body, 1);
        cbor_put_array(&body, row == 2 ? 2 : 3);
        cbor_put_uint(&body, 0);
        cbor_put_uint(&body, 0);
        cbor_put_bytes(&body, keys, row == 3 ? 65 * DH_SIZE : row == 4 ? 33 : 32);
        CHECK(reads_prekeys(buffer_span(&body)) == (row == 0));
        buffer_free(&body);
    }
}

static struct wrap_context context_of(unsigned author)
{
    return (struct wrap_context){.charter = &line.charter,
                                 .origin_hash = place.origin_hash,
                                 .courier_key = line.courier_key,
                                 .author = author,
                                 .epoch = 3};
}

static struct wrap sealed_wrap(enum wrap_source source)
{
    struct wrap wrap = {.member = 2, .source = source, .number = source == WRAP_PREKEY ? 17 : 0};
    struct wrap_context context = context_of(1);
    const uint8_t *key = source == WRAP_PREKEY ? prekey : line.charter.members[2].sealing_key;

    CHECK(wrap_seal(&wrap, &context, key, line.identity[1].sealing_secret, ephemeral, secret));
    return wrap;
}

static bool opens(const struct wrap *wrap, const struct wrap_context *context, const uint8_t *recipient)
{
    uint8_t opened[EPOCH_SECRET_SIZE] = {0};
    bool ok = wrap_open(opened, wrap, context, recipient);

    CHECK(!ok || memcmp(opened, secret, sizeof opened) == 0);
    return ok;
}

static void wraps_open(void)
{
    struct wrap_context context = context_of(1);
    struct wrap to_prekey = sealed_wrap(WRAP_PREKEY), standing = sealed_wrap(WRAP_STANDING);

    CHECK(opens(&to_prekey, &context, prekey_secret));
    CHECK(opens(&standing, &context, line.identity[2].sealing_secret));
    CHECK(!opens(&to_prekey, &context, line.identity[2].sealing_secret));
    CHECK(!opens(&standing, &context, prekey_secret));
}

/* Everything that a wrap is bound to, one at a time. */
static void a_wrap_opens_in_its_own_context_only(void)
{
    struct wrap wrap = sealed_wrap(WRAP_PREKEY);

    for (int what = 0; what < 10; what++) {
        struct wrap changed = wrap;
        struct wrap_context context = context_of(1);
        struct entry_place other;
        struct charter charter = line.charter;
        uint8_t courier[COURIER_KEY_SIZE];

        entry_place_of(&other, &line.charter, 1, 1, 0);
        memcpy(courier, line.courier_key, sizeof courier);
        courier[0] ^= 1;
        context.charter = &charter;
        switch (what) {
        case 1:
            context.origin_hash = other.origin_hash;
            break;
        case 2:
            context.courier_key = courier;
            break;
        case 3:
            context.author = 0;
            break;
        case 4:
            context.epoch++;
            break;
        case 5:
            changed.member = 0;
            break;
        case 6:
            changed.source = WRAP_STANDING;
            break;
        case 7:
            changed.number++;
            break;
        case 8:
            charter.line_id[0] ^= 1;
            break;
        case 9:
            charter.members[2].languages[0] = 'z'; /* another card of the recipient */
            break;
        default:
            break;
        }
        if (opens(&changed, &context, prekey_secret) != (what == 0)) {
            printf("# %d\n", what);
            CHECK(false);
        }
    }
}

static void no_flipped_bit_of_a_wrap_opens(void)
{
    struct wrap wrap = sealed_wrap(WRAP_PREKEY);
    struct wrap_context context = context_of(1);

    for (size_t bit = 0; bit < WRAP_SIZE * 8; bit++) {
        wrap.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!opens(&wrap, &context, prekey_secret));
        wrap.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void an_unusable_key_is_not_wrapped_to(void)
{
    static const uint8_t zero[DH_SIZE];
    struct wrap wrap = {.member = 2, .source = WRAP_PREKEY};
    struct wrap_context context = context_of(1);

    CHECK(!wrap_seal(&wrap, &context, zero, line.identity[1].sealing_secret, ephemeral, secret));
}

static struct epoch good_epoch(void)
{
    struct epoch epoch = {.wrap_count = 2};

    epoch_commitment(epoch.commitment, place.origin_hash, 3, secret);
    epoch.wrap[0] = (struct wrap){.member = 0, .source = WRAP_STANDING};
    epoch.wrap[1] = sealed_wrap(WRAP_PREKEY);
    return epoch;
}

static bool reads_epoch(struct span body, unsigned author)
{
    struct epoch read = {0};
    struct error error = {0};
    bool ok = epoch_read(&read, body, author, 3, &error) == 0;

    CHECK(ok == (error.code == ERROR_NONE));
    return ok;
}

static void epochs_read_back(void)
{
    struct epoch epoch = good_epoch(), read = {0};
    struct buffer body = {0};

    epoch_put(&epoch, &body);
    CHECK(epoch_read(&read, buffer_span(&body), 1, 3, NULL) == 0);
    CHECK(memcmp(&read, &epoch, sizeof read) == 0);
    for (size_t size = 0; size < body.size; size++)
        CHECK(!reads_epoch(span_of(body.data, size), 1));
    CHECK(!reads_epoch(buffer_span(&body), 0) && !reads_epoch(buffer_span(&body), 2)); /* another's wraps */
    buffer_put_u8(&body, 0);
    CHECK(!reads_epoch(buffer_span(&body), 1));
    buffer_free(&body);
}

static void bad_epochs_are_refused(void)
{
    enum { GOOD, FALLING, TWICE, FOR_ONESELF, ONE_MISSING, SOURCE, NUMBER_HUGE, SLOT_HUGE, ROWS };

    for (int row = GOOD; row < ROWS; row++) {
        struct epoch epoch = good_epoch();
        struct buffer body = {0};

        switch (row) {
        case FALLING:
            epoch.wrap[0].member = 2;
            epoch.wrap[1].member = 0;
            break;
        case TWICE:
            epoch.wrap[1].member = 0;
            break;
        case FOR_ONESELF:
            epoch.wrap[1].member = 1;
            break;
        case ONE_MISSING:
            epoch.wrap_count = 1;
            break;
        case SOURCE:
            epoch.wrap[0].source = (enum wrap_source)(WRAP_PREKEY + 1);
            break;
        case NUMBER_HUGE:
            epoch.wrap[0].number = (uint64_t)INT64_MAX + 1;
            break;
        case SLOT_HUGE:
            epoch.wrap[0].courier_slot = (uint64_t)INT64_MAX + 1;
            break;
        default:
            break;
        }
        epoch_put(&epoch, &body);
        if (reads_epoch(buffer_span(&body), 1) != (row == GOOD)) {
            printf("# row %d\n", row);
            CHECK(false);
        }
        buffer_free(&body);
    }
}

static void commitments_are_of_origin_epoch_and_secret(void)
{
    uint8_t a[HASH_SIZE], b[HASH_SIZE], other[HASH_SIZE];

    epoch_commitment(a, place.origin_hash, 3, secret);
    epoch_commitment(b, place.origin_hash, 3, secret);
    CHECK(memcmp(a, b, HASH_SIZE) == 0);
    epoch_commitment(b, place.origin_hash, 4, secret);
    CHECK(memcmp(a, b, HASH_SIZE) != 0);
    epoch_commitment(b, secret, 3, secret);
    CHECK(memcmp(a, b, HASH_SIZE) != 0);
    epoch_commitment(b, place.origin_hash, 3, place.origin_hash);
    CHECK(memcmp(a, b, HASH_SIZE) != 0);
    hash_parts(other,
               (struct span[]){span_of_string("liaison/epoch-commit/v1"), span_of(place.origin_hash, HASH_SIZE),
                               span_of("\0\0\0\0\0\0\0\3", 8), span_of(secret, sizeof secret)},
               4);
    CHECK(memcmp(a, other, HASH_SIZE) == 0);
}

static void without_memory_nothing_is_wrapped_and_nothing_opens(void)
{
    struct wrap_context context = context_of(1);
    struct wrap good = sealed_wrap(WRAP_PREKEY);

    for (size_t n = 1;; n++) {
        struct wrap wrap = good;
        uint8_t opened[EPOCH_SECRET_SIZE];
        bool seals = false, opens_ = false, ran_out = false;

        memory_fail(n);
        seals = wrap_seal(&wrap, &context, prekey, line.identity[1].sealing_secret, ephemeral, secret);
        ran_out = memory_ran_out();
        CHECK(seals == !ran_out && memcmp(wrap.message, good.message, WRAP_SIZE) == 0);
        memory_fail(n);
        opens_ = wrap_open(opened, &good, &context, prekey_secret);
        CHECK(opens_ == !memory_ran_out());
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
}

int main(void)
{
    test_line_found(&line, 3, "epoch");
    entry_place_of(&place, &line.charter, 1, 0, 0);
    entropy_fill(&line.entropy, prekey_secret, sizeof prekey_secret);
    entropy_fill(&line.entropy, ephemeral, sizeof ephemeral);
    entropy_fill(&line.entropy, secret, sizeof secret);
    dh_public(prekey, prekey_secret);
    RUN(prekeys_read_back);
    RUN(bad_prekeys_are_refused);
    RUN(malformed_prekeys_are_refused);
    RUN(wraps_open);
    RUN(a_wrap_opens_in_its_own_context_only);
    RUN(no_flipped_bit_of_a_wrap_opens);
    RUN(an_unusable_key_is_not_wrapped_to);
    RUN(epochs_read_back);
    RUN(bad_epochs_are_refused);
    RUN(commitments_are_of_origin_epoch_and_secret);
    RUN(without_memory_nothing_is_wrapped_and_nothing_opens);
    test_line_free(&line);
    return test_end();
}
