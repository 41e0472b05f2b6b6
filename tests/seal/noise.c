#include "seal/noise.h"

#include "memory.h"
#include "test.h"
#include "vectors.h"

static const uint8_t initiator_secret[DH_SIZE] = {1}, responder_secret[DH_SIZE] = {2};
static const uint8_t initiator_ephemeral[DH_SIZE] = {3}, responder_ephemeral[DH_SIZE] = {4};
static const uint8_t shared_psk[32] = {5};

struct pair {
    struct noise_handshake initiator, responder;
};

static void start_with_psk(struct pair *pair, enum noise_pattern pattern, const uint8_t *responder_psk)
{
    uint8_t initiator_public[DH_SIZE], responder_public[DH_SIZE];
    bool one_way = pattern == NOISE_K || pattern == NOISE_KPSK0;
    struct noise_config config = {.pattern = pattern,
                                  .initiator = true,
                                  .prologue = span_of_string("prologue"),
                                  .static_secret = initiator_secret,
                                  .remote_static = responder_public,
                                  .psk = shared_psk,
                                  .ephemeral_secret = initiator_ephemeral};

    dh_public(initiator_public, initiator_secret);
    dh_public(responder_public, responder_secret);
    noise_start(&pair->initiator, &config);
    config.initiator = false;
    config.static_secret = responder_secret;
    config.remote_static = one_way ? initiator_public : NULL;
    config.psk = responder_psk;
    config.ephemeral_secret = one_way ? NULL : responder_ephemeral;
    noise_start(&pair->responder, &config);
}

static void start(struct pair *pair, enum noise_pattern pattern)
{
    start_with_psk(pair, pattern, shared_psk);
}

/* The side that writes message `number`, and the one that reads it. */
static struct noise_handshake *writer(struct pair *pair, unsigned number)
{
    return number % 2 == 0 ? &pair->initiator : &pair->responder;
}

static struct noise_handshake *reader(struct pair *pair, unsigned number)
{
    return writer(pair, number + 1);
}

/* Passes messages 0 to count - 1. */
static bool pass(struct pair *pair, unsigned count)
{
    bool ok = true;

    for (unsigned i = 0; i < count; i++) {
        struct buffer message = {0}, payload = {0};

        ok = ok && noise_write(writer(pair, i), span_of_string("payload"), &message) &&
             noise_read(reader(pair, i), buffer_span(&message), &payload) &&
             span_equal(buffer_span(&payload), span_of_string("payload"));
        buffer_free(&message);
        buffer_free(&payload);
    }
    return ok;
}

static const struct {
    enum noise_pattern pattern;
    unsigned messages;
    const char *name;
} all[] = {
    {NOISE_XK, 3, "Noise_XK_25519_ChaChaPoly_SHA256"},
    {NOISE_XKPSK0, 3, "Noise_XKpsk0_25519_ChaChaPoly_SHA256"},
    {NOISE_XKPSK3, 3, "Noise_XKpsk3_25519_ChaChaPoly_SHA256"},
    {NOISE_K, 1, "Noise_K_25519_ChaChaPoly_SHA256"},
    {NOISE_KPSK0, 1, "Noise_Kpsk0_25519_ChaChaPoly_SHA256"},
};
#define ALL (sizeof all / sizeof all[0])

static void every_pattern_completes_and_both_sides_agree(void)
{
    for (size_t i = 0; i < ALL; i++) {
        struct noise_cipher send[2], receive[2];
        uint8_t hash[2][HASH_SIZE], cipher[4 + AEAD_TAG_SIZE], plain[4];
        struct pair pair;

        start(&pair, all[i].pattern);
        CHECK(!noise_finished(&pair.initiator) && !noise_split(&pair.initiator, &send[0], &receive[0], hash[0]));
        CHECK(pass(&pair, all[i].messages));
        CHECK(noise_finished(&pair.initiator) && noise_finished(&pair.responder));
        CHECK(memcmp(pair.initiator.remote_static, pair.responder.static_public, DH_SIZE) == 0);
        CHECK(memcmp(pair.responder.remote_static, pair.initiator.static_public, DH_SIZE) == 0);
        CHECK(noise_split(&pair.initiator, &send[0], &receive[0], hash[0]));
        CHECK(noise_split(&pair.responder, &send[1], &receive[1], hash[1]));
        CHECK(!noise_split(&pair.initiator, &send[0], &receive[0], hash[0]));
        CHECK(memcmp(hash[0], hash[1], HASH_SIZE) == 0);
        CHECK(noise_encrypt(&send[0], span_of(NULL, 0), span_of_string("text"), cipher));
        CHECK(noise_decrypt(&receive[1], span_of(NULL, 0), span_of(cipher, sizeof cipher), plain));
        CHECK(memcmp(plain, "text", 4) == 0);
        CHECK(noise_encrypt(&send[1], span_of(NULL, 0), span_of_string("back"), cipher) == (all[i].messages > 1));
        CHECK(noise_decrypt(&receive[0], span_of(NULL, 0), span_of(cipher, sizeof cipher), plain) ==
              (all[i].messages > 1));
    }
}

/* As a responder does that answers few of those who come: the public key is at hand, the ephemeral one drawn late. */
static void keys_that_come_late_or_are_at_hand_change_nothing(void)
{
    uint8_t responder_public[DH_SIZE];
    struct noise_config config = {.pattern = NOISE_XKPSK0,
                                  .prologue = span_of_string("prologue"),
                                  .static_secret = responder_secret,
                                  .static_public = responder_public,
                                  .psk = shared_psk};
    struct buffer message = {0}, payload = {0};
    struct pair pair, late;

    dh_public(responder_public, responder_secret);
    start(&pair, NOISE_XKPSK0);
    start(&late, NOISE_XKPSK0);
    noise_start(&late.responder, &config);
    CHECK(pass(&pair, 1));
    CHECK(noise_write(&late.initiator, span_of_string("payload"), &message));
    CHECK(noise_read(&late.responder, buffer_span(&message), &payload));
    noise_set_ephemeral(&late.responder, responder_ephemeral);
    CHECK(memcmp(&pair.responder, &late.responder, sizeof pair.responder) == 0);
    buffer_free(&message);
    buffer_free(&payload);
}

static void a_message_with_any_bit_changed_or_cut_kills_the_handshake(void)
{
    for (size_t i = 0; i < ALL; i++)
        for (unsigned number = 0; number < all[i].messages; number++) {
            struct buffer message = {0}, payload = {0};
            struct noise_handshake before, after;
            struct pair pair;

            start(&pair, all[i].pattern);
            CHECK(pass(&pair, number));
            CHECK(noise_write(writer(&pair, number), span_of_string("payload"), &message));
            buffer_put(&payload, "kept", 4);
            before = *reader(&pair, number);
            for (size_t bit = 0; bit < message.size * 8; bit++) {
                message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                after = before;
                CHECK(!noise_read(&after, buffer_span(&message), &payload) && after.dead && payload.size == 4);
                message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                CHECK(!noise_read(&after, buffer_span(&message), &payload));
            }
            for (size_t size = 0; size < message.size; size++) {
                after = before;
                CHECK(!noise_read(&after, span_of(message.data, size), &payload) && payload.size == 4);
            }
            after = before;
            CHECK(noise_read(&after, buffer_span(&message), &payload));
            buffer_free(&message);
            buffer_free(&payload);
        }
}

static void another_psk_or_prologue_or_key_is_refused_at_once(void)
{
    static const uint8_t other_psk[32] = {6};
    struct pair pair;

    start_with_psk(&pair, NOISE_XKPSK0, other_psk);
    CHECK(!pass(&pair, 1) && pair.responder.dead);
    start_with_psk(&pair, NOISE_KPSK0, other_psk);
    CHECK(!pass(&pair, 1));
    start_with_psk(&pair, NOISE_XKPSK3, other_psk);
    CHECK(pass(&pair, 2));
    start_with_psk(&pair, NOISE_XKPSK3, other_psk);
    CHECK(!pass(&pair, 3));
    start(&pair, NOISE_XKPSK0);
    pair.responder.h[0] ^= 1; /* as another prologue or responder key would */
    CHECK(!pass(&pair, 1));
    start(&pair, NOISE_KPSK0);
    pair.responder.remote_static[0] ^= 1;
    CHECK(!pass(&pair, 1));
}

static void calls_out_of_turn_fail(void)
{
    struct buffer message = {0}, payload = {0}, second = {0};
    struct pair pair, copy;

    start(&pair, NOISE_XKPSK0);
    CHECK(!noise_write(&pair.responder, span_of(NULL, 0), &message) && message.size == 0);
    CHECK(!pair.responder.dead);
    copy = pair;
    CHECK(noise_write(&pair.initiator, span_of(NULL, 0), &message));
    /* One's own message sent back would decrypt, were it not one's turn to write. */
    CHECK(!noise_read(&copy.initiator, buffer_span(&message), &payload) && copy.initiator.dead);
    CHECK(!noise_write(&pair.initiator, span_of(NULL, 0), &second) && second.size == 0);
    CHECK(noise_read(&pair.responder, buffer_span(&message), &payload) && payload.size == 0);
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload) && pair.responder.dead);
    CHECK(!noise_write(&pair.responder, span_of(NULL, 0), &second));
    start(&pair, NOISE_K);
    CHECK(pass(&pair, 1));
    CHECK(!noise_write(&pair.initiator, span_of(NULL, 0), &second));
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload));
    buffer_free(&message);
    buffer_free(&payload);
    buffer_free(&second);
}

static void mix(uint8_t ck[static HASH_SIZE], uint8_t key[static HASH_SIZE], const uint8_t data[static 32])
{
    uint8_t out[64];

    hkdf(out, sizeof out, span_of(ck, HASH_SIZE), span_of(data, 32), span_of(NULL, 0));
    memcpy(ck, out, HASH_SIZE);
    memcpy(key, out + HASH_SIZE, HASH_SIZE);
}

/* Message 1 of XKpsk0 as a foe who has the psk could make it, with any e, any es and any length. `fresh` lends
 * the state in which both sides start. */
static void forge(const struct noise_handshake *fresh, const uint8_t e[static DH_SIZE],
                  const uint8_t es[static DH_SIZE], struct span payload, struct buffer *message)
{
    uint8_t h[HASH_SIZE], ck[HASH_SIZE], key[HASH_SIZE], out[96];
    struct span psk_parts[] = {span_of(h, HASH_SIZE), span_of(out + 32, 32)};
    struct span e_parts[] = {span_of(h, HASH_SIZE), span_of(e, DH_SIZE)};

    memcpy(h, fresh->h, HASH_SIZE);
    hkdf(out, sizeof out, span_of(fresh->ck, HASH_SIZE), span_of(shared_psk, 32), span_of(NULL, 0));
    memcpy(ck, out, HASH_SIZE);
    hash_parts(h, psk_parts, 2);
    hash_parts(h, e_parts, 2);
    mix(ck, key, e);
    mix(ck, key, es);
    buffer_reset(message);
    buffer_put(message, e, DH_SIZE);
    aead_seal(buffer_extend(message, payload.size + AEAD_TAG_SIZE), key, 0, span_of(h, HASH_SIZE), payload);
}

static void a_longer_message_is_refused_though_it_is_authentic(void)
{
    static const uint8_t zeros[NOISE_MESSAGE_MAX - 47];
    struct buffer message = {0}, payload = {0};
    uint8_t es[DH_SIZE];
    struct pair pair;

    start(&pair, NOISE_XKPSK0);
    CHECK(dh(es, initiator_ephemeral, pair.responder.static_public));
    forge(&pair.responder, pair.initiator.ephemeral_public, es, span_of(zeros, sizeof zeros - 1), &message);
    CHECK(message.size == NOISE_MESSAGE_MAX && noise_read(&pair.responder, buffer_span(&message), &payload));
    start(&pair, NOISE_XKPSK0);
    forge(&pair.responder, pair.initiator.ephemeral_public, es, span_of(zeros, sizeof zeros), &message);
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload));
    buffer_free(&message);
    buffer_free(&payload);
}

static void a_message_has_at_most_65535_bytes(void)
{
    static const uint8_t zeros[NOISE_MESSAGE_MAX + 1];
    struct buffer message = {0}, payload = {0};
    struct pair pair;

    start(&pair, NOISE_XKPSK0);
    CHECK(!noise_write(&pair.initiator, span_of(zeros, NOISE_MESSAGE_MAX - 47), &message) && message.size == 0);
    CHECK(!noise_write(&pair.initiator, span_of(zeros, SIZE_MAX), &message) && !pair.initiator.dead);
    CHECK(noise_write(&pair.initiator, span_of(zeros, NOISE_MESSAGE_MAX - 48), &message));
    CHECK(message.size == NOISE_MESSAGE_MAX);
    CHECK(noise_read(&pair.responder, buffer_span(&message), &payload) && payload.size == NOISE_MESSAGE_MAX - 48);
    CHECK(!noise_write(&pair.responder, span_of(zeros, NOISE_MESSAGE_MAX - 47), &message));
    CHECK(noise_write(&pair.responder, span_of(NULL, 0), &message));
    CHECK(noise_read(&pair.initiator, span_of(message.data + NOISE_MESSAGE_MAX, message.size - NOISE_MESSAGE_MAX),
                     &payload));
    /* Message 3 carries a static key and two tags. */
    CHECK(!noise_write(&pair.initiator, span_of(zeros, NOISE_MESSAGE_MAX - 63), &message));
    CHECK(noise_write(&pair.initiator, span_of(zeros, NOISE_MESSAGE_MAX - 64), &message));
    CHECK(!noise_read(&pair.responder, span_of(zeros, sizeof zeros), &payload));
    buffer_free(&message);
    buffer_free(&payload);
}

/* An ephemeral key of low order makes the result known to everybody: who has the psk could then speak without
 * knowing whom to. */
static void dh_results_of_zero_are_refused(void)
{
    static const uint8_t zeros[DH_SIZE];
    struct buffer message = {0}, payload = {0};
    struct noise_config config = {.pattern = NOISE_XKPSK0,
                                  .initiator = true,
                                  .prologue = span_of_string("prologue"),
                                  .static_secret = initiator_secret,
                                  .remote_static = zeros,
                                  .psk = shared_psk,
                                  .ephemeral_secret = initiator_ephemeral};
    struct noise_handshake initiator;
    struct pair pair;

    noise_start(&initiator, &config);
    CHECK(!noise_write(&initiator, span_of(NULL, 0), &message) && message.size == 0 && initiator.dead);

    start(&pair, NOISE_XKPSK0);
    forge(&pair.responder, zeros, zeros, span_of(NULL, 0), &message);
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload));
    start(&pair, NOISE_XKPSK0);
    noise_set_es(&pair.responder, zeros);
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload));
    buffer_free(&message);
    buffer_free(&payload);
}

static void an_es_computed_beforehand_is_used(void)
{
    struct buffer message = {0}, payload = {0};
    uint8_t es[DH_SIZE];
    struct pair pair;

    start(&pair, NOISE_XKPSK0);
    CHECK(noise_write(&pair.initiator, span_of_string("payload"), &message));
    CHECK(dh(es, responder_secret, message.data));
    noise_set_es(&pair.responder, es);
    memset(pair.responder.static_secret, 0xff, DH_SIZE); /* not needed any more for this message */
    CHECK(noise_read(&pair.responder, buffer_span(&message), &payload));
    start(&pair, NOISE_XKPSK0);
    es[0] ^= 1;
    noise_set_es(&pair.responder, es);
    CHECK(!noise_read(&pair.responder, buffer_span(&message), &payload));
    buffer_free(&message);
    buffer_free(&payload);
}

static void a_copy_is_a_clone(void)
{
    struct buffer first = {0}, second = {0};
    struct pair pair, copy;

    start(&pair, NOISE_XKPSK0);
    CHECK(pass(&pair, 1));
    copy = pair;
    CHECK(noise_write(&pair.responder, span_of_string("a"), &first));
    CHECK(noise_write(&copy.responder, span_of_string("a"), &second));
    CHECK(span_equal(buffer_span(&first), buffer_span(&second)));
    buffer_free(&first);
    buffer_free(&second);
}

static void a_failed_decryption_does_not_advance_the_nonce(void)
{
    struct noise_cipher send = {.key = {1}, .has_key = true}, receive = send;
    uint8_t cipher[3 + AEAD_TAG_SIZE], plain[3];

    CHECK(noise_encrypt(&send, span_of_string("ad"), span_of_string("abc"), cipher) && send.nonce == 1);
    cipher[0] ^= 1;
    CHECK(!noise_decrypt(&receive, span_of_string("ad"), span_of(cipher, sizeof cipher), plain) && receive.nonce == 0);
    cipher[0] ^= 1;
    CHECK(!noise_decrypt(&receive, span_of_string("da"), span_of(cipher, sizeof cipher), plain));
    CHECK(noise_decrypt(&receive, span_of_string("ad"), span_of(cipher, sizeof cipher), plain) && receive.nonce == 1);
    CHECK(!noise_decrypt(&receive, span_of_string("ad"), span_of(cipher, sizeof cipher), plain));
}

static void the_last_nonce_is_never_used(void)
{
    struct noise_cipher send = {.key = {1}, .has_key = true, .nonce = UINT64_MAX - 1}, receive = send;
    uint8_t cipher[3 + AEAD_TAG_SIZE], plain[3];

    CHECK(noise_encrypt(&send, span_of(NULL, 0), span_of_string("abc"), cipher) && send.nonce == UINT64_MAX);
    CHECK(noise_decrypt(&receive, span_of(NULL, 0), span_of(cipher, sizeof cipher), plain));
    CHECK(!noise_encrypt(&send, span_of(NULL, 0), span_of_string("abc"), cipher) && send.nonce == UINT64_MAX);
    aead_seal(cipher, receive.key, UINT64_MAX, span_of(NULL, 0), span_of_string("abc"));
    CHECK(!noise_decrypt(&receive, span_of(NULL, 0), span_of(cipher, sizeof cipher), plain));
}

/* Noise section 4.2: k = the first 32 bytes of ENCRYPT(k, 2^64 - 1, empty, 32 zeros). */
static void rekeying_is_as_in_section_11_3(void)
{
    struct noise_cipher cipher = {.key = {7}, .has_key = true, .nonce = 41};
    uint8_t zeros[32] = {0}, expected[32 + AEAD_TAG_SIZE];

    aead_seal(expected, cipher.key, UINT64_MAX, span_of(NULL, 0), span_of(zeros, 32));
    noise_rekey(&cipher);
    CHECK(memcmp(cipher.key, expected, 32) == 0 && cipher.nonce == 41 && cipher.has_key);
}

static void start_from_vector(struct noise_handshake *handshake, enum noise_pattern pattern, json_t *vector,
                              bool initiator)
{
    const char *names[2][5] = {{"resp_static", "resp_remote_static", "resp_ephemeral", "resp_prologue", "resp_psks"},
                               {"init_static", "init_remote_static", "init_ephemeral", "init_prologue", "init_psks"}};
    struct buffer memory[5] = {0};
    struct noise_config config = {.pattern = pattern, .initiator = initiator};
    const char *psk = json_string_value(json_array_get(json_object_get(vector, names[initiator][4]), 0));

    config.static_secret = vector_bytes(vector, names[initiator][0], &memory[0]).data;
    config.remote_static = vector_bytes(vector, names[initiator][1], &memory[1]).data;
    config.ephemeral_secret = vector_bytes(vector, names[initiator][2], &memory[2]).data;
    config.prologue = vector_bytes(vector, names[initiator][3], &memory[3]);
    if (psk != NULL)
        CHECK(text_from_hex(span_of_string(psk), buffer_extend(&memory[4], 32), 32));
    config.psk = memory[4].data;
    noise_start(handshake, &config);
    for (size_t i = 0; i < 5; i++)
        buffer_free(&memory[i]);
}

static void check_handshake_message(struct pair *pair, unsigned number, json_t *message)
{
    struct buffer memory[2] = {0}, written = {0}, read = {0};
    struct span payload = vector_bytes(message, "payload", &memory[0]);
    struct span cipher = vector_bytes(message, "ciphertext", &memory[1]);

    CHECK(noise_write(writer(pair, number), payload, &written));
    CHECK(span_equal(buffer_span(&written), cipher));
    CHECK(noise_read(reader(pair, number), cipher, &read));
    CHECK(span_equal(buffer_span(&read), payload));
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    buffer_free(&written);
    buffer_free(&read);
}

static void check_transport_message(struct noise_cipher *send, struct noise_cipher *receive, json_t *message)
{
    struct buffer memory[2] = {0};
    struct span payload = vector_bytes(message, "payload", &memory[0]);
    struct span cipher = vector_bytes(message, "ciphertext", &memory[1]);
    uint8_t out[1024];

    CHECK(cipher.size <= sizeof out && noise_encrypt(send, span_of(NULL, 0), payload, out));
    CHECK(span_equal(span_of(out, payload.size + AEAD_TAG_SIZE), cipher));
    CHECK(noise_decrypt(receive, span_of(NULL, 0), cipher, out));
    CHECK(span_equal(span_of(out, payload.size), payload));
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
}

static void check_vector(enum noise_pattern pattern, unsigned handshake_messages, json_t *vector)
{
    struct noise_cipher send[2], receive[2];
    uint8_t hash[2][HASH_SIZE];
    struct buffer expected = {0};
    size_t number = 0;
    json_t *message = NULL;
    struct pair pair;

    start_from_vector(&pair.initiator, pattern, vector, true);
    start_from_vector(&pair.responder, pattern, vector, false);
    json_array_foreach(json_object_get(vector, "messages"), number, message)
    {
        size_t from = handshake_messages == 1 ? 0 : number % 2;

        if (number < handshake_messages)
            check_handshake_message(&pair, (unsigned)number, message);
        if (number == handshake_messages) {
            CHECK(noise_split(&pair.initiator, &send[0], &receive[0], hash[0]));
            CHECK(noise_split(&pair.responder, &send[1], &receive[1], hash[1]));
        }
        if (number >= handshake_messages)
            check_transport_message(&send[from], &receive[1 - from], message);
    }
    CHECK(number > handshake_messages);
    CHECK(span_equal(vector_bytes(vector, "handshake_hash", &expected), span_of(hash[0], HASH_SIZE)));
    CHECK(memcmp(hash[0], hash[1], HASH_SIZE) == 0);
    buffer_free(&expected);
}

static void handshakes_are_as_in_the_cacophony_vectors(void)
{
    json_t *root = vectors_load("noise/cacophony-subset.json");
    size_t index = 0, used = 0;
    json_t *vector = NULL;

    json_array_foreach(json_object_get(root, "vectors"), index,
                       vector) for (size_t i = 0; i < ALL;
                                    i++) if (strcmp(vector_text(vector, "protocol_name"), all[i].name) == 0)
    {
        check_vector(all[i].pattern, all[i].messages, vector);
        used++;
    }
    CHECK(used == 4 && index == 4);
    json_decref(root);
}

/* A message that found no room was not sent, and one that could not be read was not heard: the handshake is over. */
static void without_memory_a_handshake_dies_and_appends_nothing(void)
{
    for (size_t n = 1;; n++) {
        struct pair pair;
        struct buffer message = {0}, payload = {0};
        bool wrote = false, read = false, ran_out = false;

        start(&pair, NOISE_XKPSK0);
        memory_fail(n);
        wrote = noise_write(&pair.initiator, span_of_string("payload"), &message);
        read = wrote && noise_read(&pair.responder, buffer_span(&message), &payload);
        ran_out = memory_ran_out();
        CHECK(read == !ran_out && payload.size == (read ? 7 : 0) && (wrote || message.size == 0));
        buffer_reset(&message);
        CHECK(wrote || !noise_write(&pair.initiator, span_of_string("again"), &message));
        CHECK(read || !noise_write(&pair.responder, span_of_string("an answer"), &message));
        buffer_free(&message);
        buffer_free(&payload);
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
}

int main(void)
{
    json_t *root = vectors_load("noise/cacophony-subset.json");

    RUN(every_pattern_completes_and_both_sides_agree);
    RUN(keys_that_come_late_or_are_at_hand_change_nothing);
    RUN(a_message_with_any_bit_changed_or_cut_kills_the_handshake);
    RUN(another_psk_or_prologue_or_key_is_refused_at_once);
    RUN(calls_out_of_turn_fail);
    RUN(a_message_has_at_most_65535_bytes);
    RUN(a_longer_message_is_refused_though_it_is_authentic);
    RUN(dh_results_of_zero_are_refused);
    RUN(an_es_computed_beforehand_is_used);
    RUN(a_copy_is_a_clone);
    RUN(a_failed_decryption_does_not_advance_the_nonce);
    RUN(the_last_nonce_is_never_used);
    RUN(rekeying_is_as_in_section_11_3);
    RUN(without_memory_a_handshake_dies_and_appends_nothing);
    if (root != NULL)
        RUN(handshakes_are_as_in_the_cacophony_vectors);
    else
        SKIP("handshakes_are_as_in_the_cacophony_vectors", "the public vectors are not here");
    json_decref(root);
    return test_end();
}
