#include "vectors_each.h"

#include "seal/keyfile.h"
#include "seal/noise.h"

/* What is accepted must also be what is written. */
static int run_card(struct span input, struct buffer *output, struct error *error)
{
    struct buffer again = {0};
    struct card card;

    if (card_parse(&card, input, error) != 0)
        return -1;
    card_print(&card, &again);
    CHECK(span_equal(buffer_span(&again), input));
    buffer_free(&again);
    buffer_put(output, card.log_key, SIGN_PUBLIC_SIZE);
    buffer_put(output, card.receipt_key, SIGN_PUBLIC_SIZE);
    buffer_put(output, card.link_key, DH_SIZE);
    buffer_put(output, card.sealing_key, DH_SIZE);
    return 0;
}

static int run_office_key(struct span input, struct buffer *output, struct error *error)
{
    struct buffer again = {0};
    uint8_t key[OFFICE_KEY_SIZE];

    if (office_key_parse(key, input, error) != 0)
        return -1;
    office_key_print(&again, key);
    CHECK(span_equal(buffer_span(&again), input));
    buffer_free(&again);
    buffer_put(output, key, sizeof key);
    return 0;
}

static int run_courier_key(struct span input, struct buffer *output, struct error *error)
{
    uint8_t line_id[HASH_SIZE], key[COURIER_KEY_SIZE];
    struct buffer again = {0};

    if (courier_key_parse(line_id, key, input, error) != 0)
        return -1;
    courier_key_print(&again, line_id, key);
    CHECK(span_equal(buffer_span(&again), input));
    buffer_free(&again);
    buffer_put(output, line_id, sizeof line_id);
    buffer_put(output, key, sizeof key);
    return 0;
}

static int run_subkey(struct span input, struct buffer *output, struct error *error)
{
    (void)error;
    courier_subkey(buffer_extend(output, 32), input.data, LABEL_COURIER_LINK);
    courier_subkey(buffer_extend(output, 32), input.data, LABEL_COURIER_WRAP);
    return 0;
}

static int run_vault(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct span office_key = cursor_span(&cursor, OFFICE_KEY_SIZE);
    struct span context = cursor_span(&cursor, cursor_u8(&cursor));
    struct span sealed = cursor_rest(&cursor);
    size_t size = sealed.size - VAULT_OVERHEAD;

    return vault_open(buffer_extend(output, size), size, office_key.data, context, sealed, error);
}

/* Two handshakes of empty payloads; their messages go to `wire`. */
static bool shake_hands(struct noise_handshake side[static 2], struct buffer *wire)
{
    struct buffer payload = {0};
    bool ok = true;

    for (unsigned number = 0; ok && !noise_finished(&side[0]); number++) {
        size_t before = wire->size;

        ok = noise_write(&side[number % 2], span_of(NULL, 0), wire) &&
             noise_read(&side[1 - number % 2], span_from(buffer_span(wire), before), &payload);
    }
    buffer_free(&payload);
    return ok;
}

static int run_noise(enum noise_pattern pattern, struct span input, struct buffer *output)
{
    const uint8_t *secrets[2] = {input.data, input.data + 64}; /* static, ephemeral */
    uint8_t hash[2][HASH_SIZE], public_key[2][DH_SIZE];
    struct noise_cipher send[2], receive[2];
    struct noise_handshake side[2];

    for (unsigned i = 0; i < 2; i++)
        dh_public(public_key[i], secrets[i]);
    for (unsigned i = 0; i < 2; i++)
        noise_start(&side[i], &(struct noise_config){.pattern = pattern,
                                                     .initiator = i == 0,
                                                     .prologue = span_from(input, 160),
                                                     .static_secret = secrets[i],
                                                     .remote_static = public_key[1 - i],
                                                     .psk = input.data + 128,
                                                     .ephemeral_secret = secrets[i] + 32});
    if (!shake_hands(side, output) || !noise_split(&side[0], &send[0], &receive[0], hash[0]) ||
        !noise_split(&side[1], &send[1], &receive[1], hash[1]))
        return -1;
    CHECK(memcmp(hash[0], hash[1], HASH_SIZE) == 0 && memcmp(send[0].key, receive[1].key, AEAD_KEY_SIZE) == 0);
    buffer_put(output, hash[0], HASH_SIZE);
    buffer_put(output, send[0].key, AEAD_KEY_SIZE);
    if (receive[0].has_key)
        buffer_put(output, receive[0].key, AEAD_KEY_SIZE);
    return 0;
}

static int run_xkpsk0(struct span input, struct buffer *output, struct error *error)
{
    (void)error;
    return run_noise(NOISE_XKPSK0, input, output);
}

static int run_kpsk0(struct span input, struct buffer *output, struct error *error)
{
    (void)error;
    return run_noise(NOISE_KPSK0, input, output);
}

static void cards(void)
{
    each_case("seal/card", run_card);
}

static void office_keys(void)
{
    each_case("seal/office-key", run_office_key);
}

static void courier_keys(void)
{
    each_case("seal/courier-key", run_courier_key);
}

static void subkeys(void)
{
    each_case("seal/subkey", run_subkey);
}

static void vault(void)
{
    each_case("seal/vault", run_vault);
}

static void handshakes(void)
{
    each_case("seal/noise-xkpsk0", run_xkpsk0);
    each_case("seal/noise-kpsk0", run_kpsk0);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(cards);
    RUN(office_keys);
    RUN(courier_keys);
    RUN(subkeys);
    RUN(vault);
    RUN(handshakes);
    return test_end();
}
