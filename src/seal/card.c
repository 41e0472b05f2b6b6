#include "seal/card.h"

#include "seal/hash.h"
#include "seal/lines.h"

static const char first_line[] = "liaison-card/v1";

/* The card's keys and signatures, in the order of their lines. */
enum kind { KEY_ED25519, KEY_X25519, SIGNATURE };
#define KEYS 4
#define VALUES 6

static const struct value {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct card */
    size_t signer; /* of a signature: the offset of its key */
} values[VALUES] = {
    {"log-key", KEY_ED25519, offsetof(struct card, log_key), 0},
    {"receipt-key", KEY_ED25519, offsetof(struct card, receipt_key), 0},
    {"link-key", KEY_X25519, offsetof(struct card, link_key), 0},
    {"sealing-key", KEY_X25519, offsetof(struct card, sealing_key), 0},
    {"log-signature", SIGNATURE, offsetof(struct card, log_signature), offsetof(struct card, log_key)},
    {"receipt-signature", SIGNATURE, offsetof(struct card, receipt_signature), offsetof(struct card, receipt_key)},
};

static size_t value_size(const struct value *value)
{
    return value->kind == SIGNATURE ? SIGNATURE_SIZE : SIGN_PUBLIC_SIZE;
}
_Static_assert(SIGN_PUBLIC_SIZE == DH_SIZE, "keys of both kinds are of one size");

static const uint8_t *value_of(const struct card *card, const struct value *value)
{
    return (const uint8_t *)card + value->offset;
}

static void print_values(const struct card *card, size_t from, size_t to, struct buffer *text)
{
    for (size_t i = from; i < to; i++) {
        buffer_print(text, "%s ", values[i].name);
        text_put_base64(text, span_of(value_of(card, &values[i]), value_size(&values[i])));
        buffer_put_u8(text, '\n');
    }
}

static void print_unsigned(const struct card *card, struct buffer *text)
{
    buffer_print(text, "%s\nname %s\nlanguages %s\n", first_line, card->name, card->languages);
    print_values(card, 0, KEYS, text);
}

/* What both signatures sign. */
static void put_signed(const struct card *card, struct buffer *text)
{
    buffer_print(text, LABEL_CARD);
    print_unsigned(card, text);
}

void card_print(const struct card *card, struct buffer *text)
{
    print_unsigned(card, text);
    print_values(card, KEYS, VALUES, text);
}

void identity_generate(struct identity *identity, struct entropy *entropy)
{
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t unused[SIGN_PUBLIC_SIZE];

    entropy_fill(entropy, seed, sizeof seed);
    sign_keypair(unused, identity->log_secret, seed);
    entropy_fill(entropy, seed, sizeof seed);
    sign_keypair(unused, identity->receipt_secret, seed);
    entropy_fill(entropy, identity->link_secret, DH_SIZE);
    entropy_fill(entropy, identity->sealing_secret, DH_SIZE);
    secret_wipe(seed, sizeof seed);
}

static void public_halves(struct card *card, const struct identity *identity)
{
    uint8_t unused[SIGN_SECRET_SIZE];

    sign_keypair(card->log_key, unused, identity->log_secret);
    sign_keypair(card->receipt_key, unused, identity->receipt_secret);
    secret_wipe(unused, sizeof unused);
    dh_public(card->link_key, identity->link_secret);
    dh_public(card->sealing_key, identity->sealing_secret);
}

static bool are_language_tags(struct span list)
{
    size_t start = 0;

    if (list.size >= LANGUAGES_SIZE)
        return false;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.data[i] != ',')
            continue;
        if (!text_is_language_tag(span_of(list.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

int card_make(struct card *card, const char *name, const char *languages, const struct identity *identity,
              struct error *error)
{
    struct buffer text = {0};
    int result = -1;

    memset(card, 0, sizeof *card);
    if (!text_is_party_name(span_of_string(name)))
        return error_set(error, ERROR_USAGE,
                         "a party's name is labels of a-z, 0-9 and inner '-', joined by '.', at most %d bytes",
                         NAME_SIZE - 1);
    if (!are_language_tags(span_of_string(languages)))
        return error_set(error, ERROR_USAGE,
                         "languages are tags such as en or fr-CA joined by commas, at most %d bytes",
                         LANGUAGES_SIZE - 1);
    memcpy(card->name, name, strlen(name));
    memcpy(card->languages, languages, strlen(languages));
    public_halves(card, identity);
    put_signed(card, &text);
    if (buffer_failed(&text)) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory to write a card");
        goto out;
    }
    sign(card->log_signature, identity->log_secret, buffer_span(&text));
    sign(card->receipt_signature, identity->receipt_secret, buffer_span(&text));
    result = 0;
out:
    buffer_free(&text);
    return result;
}

bool card_is_of(const struct card *card, const struct identity *identity)
{
    struct card own;
    bool same = true;

    public_halves(&own, identity);
    for (size_t i = 0; i < KEYS; i++)
        same = same && memcmp(value_of(card, &values[i]), value_of(&own, &values[i]), SIGN_PUBLIC_SIZE) == 0;
    return same;
}

static int read_names(struct card *card, struct lines *lines)
{
    struct span value = {0};

    if (lines_value(lines, "name", &value) != 0)
        return -1;
    if (!text_is_party_name(value))
        return lines_fail(lines, "not a party's name");
    memcpy(card->name, value.data, value.size);
    if (lines_value(lines, "languages", &value) != 0)
        return -1;
    if (!are_language_tags(value))
        return lines_fail(lines, "not language tags joined by commas");
    memcpy(card->languages, value.data, value.size);
    return 0;
}

static int read_bytes(struct card *card, const struct value *value, struct lines *lines)
{
    struct span text = {0};

    if (lines_value(lines, value->name, &text) != 0)
        return -1;
    if (!text_from_base64_exactly(text, (uint8_t *)card + value->offset, value_size(value)))
        return lines_fail(lines, value->kind == SIGNATURE ? "not 64 bytes of base64" : "not 32 bytes of base64");
    return 0;
}

static int read_key(struct card *card, size_t which, struct lines *lines)
{
    const uint8_t *key = value_of(card, &values[which]);

    if (read_bytes(card, &values[which], lines) != 0)
        return -1;
    if (values[which].kind == KEY_ED25519 && !sign_key_is_valid(key))
        return lines_fail(lines, "not a valid Ed25519 key");
    if (values[which].kind == KEY_X25519 && !dh_key_is_valid(key))
        return lines_fail(lines, "not a valid X25519 key");
    for (size_t i = 0; i < which; i++)
        if (memcmp(key, value_of(card, &values[i]), SIGN_PUBLIC_SIZE) == 0)
            return lines_fail(lines, "the same key stands in a line above");
    return 0;
}

static int read_signature(struct card *card, const struct value *value, struct span text, struct lines *lines)
{
    if (read_bytes(card, value, lines) != 0)
        return -1;
    if (!sign_verify(value_of(card, value), (const uint8_t *)card + value->signer, text))
        return lines_fail(lines, "does not verify; the card was changed after it was signed");
    return 0;
}

/* Each value is read in its one form only, so what was read here is what card_print() writes. */
static int read_card(struct card *card, struct lines *lines)
{
    struct buffer text = {0};
    int result = -1;

    memset(card, 0, sizeof *card);
    if (lines_first(lines, first_line) != 0 || read_names(card, lines) != 0)
        goto out;
    for (size_t i = 0; i < KEYS; i++)
        if (read_key(card, i, lines) != 0)
            goto out;
    put_signed(card, &text);
    if (buffer_failed(&text)) {
        (void)error_set(lines->error, ERROR_SYSTEM, "there is no memory to read a card");
        goto out;
    }
    for (size_t i = KEYS; i < VALUES; i++)
        if (read_signature(card, &values[i], buffer_span(&text), lines) != 0)
            goto out;
    result = 0;
out:
    if (result != 0)
        (void)cursor_fail(lines->cursor);
    buffer_free(&text);
    return result;
}

int card_read(struct card *card, struct cursor *cursor, struct error *error)
{
    struct lines lines = {.cursor = cursor, .what = "card", .error = error};

    return read_card(card, &lines);
}

int card_parse(struct card *card, struct span text, struct error *error)
{
    struct cursor cursor = cursor_of(text);
    struct lines lines = {.cursor = &cursor, .what = "card", .error = error};

    if (text.size > CARD_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "this is no card: it has more than %d bytes", CARD_SIZE_MAX);
    if (read_card(card, &lines) != 0)
        return -1;
    return lines_end(&lines);
}
