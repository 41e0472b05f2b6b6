/* seal/card: one encoding; what a card says is what its keys signed. */
#include "fuzz.h"

#include "seal/card.h"
#include "seal/hash.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"seal/card", NULL}, .runs = 4000};

static void check(struct span text)
{
    struct card card;
    struct error error = {0};
    struct buffer again = {0};

    if (card_parse(&card, text, &error) != 0) {
        fuzz_refused(&error);
        return;
    }
    HOLD(text.size <= CARD_SIZE_MAX && text_is_party_name(span_of_string(card.name)));
    HOLD(fuzz_is_shown(span_of_string(card.languages), false));
    card_print(&card, &again);
    fuzz_same(&again, text);
}

static void put_signature(struct buffer *text, const char *name, const uint8_t secret[static SIGN_SECRET_SIZE])
{
    struct buffer message = {0};
    uint8_t signature[SIGNATURE_SIZE];
    const uint8_t *end = memmem(text->data, text->size, "\nlog-signature ", 15);

    buffer_print(&message, "%s", LABEL_CARD);
    buffer_put(&message, text->data, end != NULL ? (size_t)(end - text->data) + 1 : text->size);
    sign(signature, secret, buffer_span(&message));
    buffer_print(text, "%s ", name);
    text_put_base64(text, span_of(signature, sizeof signature));
    buffer_put_u8(text, '\n');
    buffer_free(&message);
}

/* A card whose name and languages are the two lines of the input, signed by a party that signs anything. */
static void check_signed(struct span name, struct span languages)
{
    struct entropy entropy = {.key = {1}};
    struct identity identity;
    struct buffer text = {0}, printed = {0};
    struct card card;
    const char *keys = NULL;

    identity_generate(&identity, &entropy);
    HOLD(card_make(&card, "a", "en", &identity, NULL) == 0);
    card_print(&card, &printed);
    keys = strstr(buffer_string(&printed), "log-key ");
    HOLD(keys != NULL && strstr(keys, "log-signature ") != NULL);
    buffer_print(&text, "liaison-card/v1\nname ");
    buffer_put_span(&text, name);
    buffer_print(&text, "\nlanguages ");
    buffer_put_span(&text, languages);
    buffer_print(&text, "\n%.*s", (int)(strstr(keys, "log-signature ") - keys), keys);
    put_signature(&text, "log-signature", identity.log_secret);
    put_signature(&text, "receipt-signature", identity.receipt_secret);
    check(buffer_span(&text));
    buffer_free(&text);
    buffer_free(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    struct span name = cursor_line(&cursor);

    fuzz_start();
    check(span_of(data, size));
    if (!cursor.failed && size < CARD_SIZE_MAX)
        check_signed(name, cursor_rest(&cursor));
    return 0;
}
