#include "seal/card.h"

#include "memory.h"
#include "seal/hash.h"
#include "test.h"

#define LINES 9

static void make_identity(struct identity *identity, const char *seed)
{
    struct entropy entropy = {0};

    entropy_stir(&entropy, span_of_string(seed));
    identity_generate(identity, &entropy);
}

static void make_card(struct card *card)
{
    struct identity identity;

    make_identity(&identity, "washington");
    CHECK(card_make(card, "washington.example", "en,fr-CA", &identity, NULL) == 0);
}

static void make_text(struct buffer *text)
{
    struct card card;

    make_card(&card);
    card_print(&card, text);
    CHECK(!buffer_failed(text) && text->size < CARD_SIZE_MAX);
}

/* Where line `number`, from 1, starts; the end of the text for the line after the last. */
static size_t line_start(const struct buffer *text, unsigned number)
{
    size_t at = 0;

    for (unsigned line = 1; line < number; line++)
        at = (size_t)((uint8_t *)memchr(text->data + at, '\n', text->size - at) - text->data) + 1;
    return at;
}

/* Signs a card that somebody changed, with keys that are its own, and prints it: what a party could send. */
static void print_signed(struct card *card, const struct identity *identity, struct buffer *text)
{
    struct buffer signed_text = {0}, whole = {0};

    card_print(card, &whole);
    buffer_print(&signed_text, "liaison/card/v1");
    buffer_put(&signed_text, whole.data, line_start(&whole, 8));
    sign(card->log_signature, identity->log_secret, buffer_span(&signed_text));
    sign(card->receipt_signature, identity->receipt_secret, buffer_span(&signed_text));
    card_print(card, text);
    buffer_free(&signed_text);
    buffer_free(&whole);
}

static bool is_refused(struct span text, const char *says)
{
    struct error error = {0};
    struct card card;
    bool refused = card_parse(&card, text, &error) != 0;

    if (refused && (error.code != ERROR_INVALID || strstr(error.message, says) == NULL)) {
        printf("# instead of \"%s\": %s\n", says, error.message);
        return false;
    }
    return refused;
}

static void a_card_comes_back_as_it_was(void)
{
    struct buffer text = {0}, again = {0};
    struct card card, read;

    make_card(&card);
    make_text(&text);
    CHECK(card_parse(&read, buffer_span(&text), NULL) == 0);
    CHECK(memcmp(&card, &read, sizeof card) == 0);
    card_print(&read, &again);
    CHECK(span_equal(buffer_span(&text), buffer_span(&again)));
    CHECK(strcmp(read.name, "washington.example") == 0 && strcmp(read.languages, "en,fr-CA") == 0);
    buffer_free(&text);
    buffer_free(&again);
}

static void a_card_belongs_to_one_identity(void)
{
    struct identity identity, other, mixed;
    struct card card;

    make_card(&card);
    make_identity(&identity, "washington");
    make_identity(&other, "pyongyang");
    CHECK(card_is_of(&card, &identity) && !card_is_of(&card, &other));
    mixed = identity;
    memcpy(mixed.log_secret, other.log_secret, SIGN_SECRET_SIZE);
    CHECK(!card_is_of(&card, &mixed));
    mixed = identity;
    memcpy(mixed.receipt_secret, other.receipt_secret, SIGN_SECRET_SIZE);
    CHECK(!card_is_of(&card, &mixed));
    mixed = identity;
    memcpy(mixed.link_secret, other.link_secret, DH_SIZE);
    CHECK(!card_is_of(&card, &mixed));
    mixed = identity;
    memcpy(mixed.sealing_secret, other.sealing_secret, DH_SIZE);
    CHECK(!card_is_of(&card, &mixed));
}

static void names_and_languages_are_checked_when_a_card_is_made(void)
{
    static const char *const names[] = {
        "",     "Washington", "a b", "-a",
        "a..b", "a\n",        "é",   "a123456789012345678901234567890123456789012345678901234567890123"};
    static const char *const languages[] = {"", ",", "en,", ",en", "en,,fr", "en fr", "en_US", "en\nlog-key x"};
    char many[LANGUAGES_SIZE + 4] = "en";
    struct identity identity;
    struct card card;

    make_identity(&identity, "washington");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(card_make(&card, names[i], "en", &identity, NULL) != 0);
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        CHECK(card_make(&card, "washington.example", languages[i], &identity, NULL) != 0);
    while (strlen(many) + 3 < LANGUAGES_SIZE)
        strcat(many, ",fr");
    CHECK(card_make(&card, "washington.example", many, &identity, NULL) == 0);
    strcat(many, ",fr");
    CHECK(card_make(&card, "washington.example", many, &identity, NULL) != 0);
}

static void a_card_with_any_bit_changed_is_refused(void)
{
    struct buffer text = {0};

    make_text(&text);
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        struct card card;

        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(card_parse(&card, buffer_span(&text), NULL) != 0);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_free(&text);
}

static void a_card_cut_or_lengthened_anywhere_is_refused(void)
{
    struct buffer text = {0};
    struct card card;

    make_text(&text);
    for (size_t size = 0; size < text.size; size++)
        CHECK(card_parse(&card, span_of(text.data, size), NULL) != 0);
    for (size_t at = 0; at <= text.size; at++) {
        static const char added[] = "\n\r \0=aZ";

        for (size_t i = 0; i < sizeof added - 1; i++) {
            struct buffer longer = {0};

            buffer_put(&longer, text.data, at);
            buffer_put_u8(&longer, (uint8_t)added[i]);
            buffer_put(&longer, text.data + at, text.size - at);
            CHECK(card_parse(&card, buffer_span(&longer), NULL) != 0);
            buffer_free(&longer);
        }
    }
    CHECK(is_refused(span_of(text.data, line_start(&text, 9)), "line 9 of the card, receipt-signature: missing"));
    buffer_put_u8(&text, '\n');
    CHECK(is_refused(buffer_span(&text), "goes on after its last line, receipt-signature"));
    buffer_reset(&text);
    for (size_t i = 0; i <= CARD_SIZE_MAX; i++)
        buffer_put_u8(&text, 'x');
    CHECK(is_refused(buffer_span(&text), "more than 2048 bytes"));
    buffer_free(&text);
}

static void a_line_removed_repeated_or_exchanged_is_named(void)
{
    static const char *const says[LINES] = {"this is no card",
                                            "line 2 of the card, name: another line",
                                            "line 3 of the card, languages: another",
                                            "line 4 of the card, log-key: another",
                                            "line 5 of the card, receipt-key: another",
                                            "line 6 of the card, link-key: another",
                                            "line 7 of the card, sealing-key: another",
                                            "line 8 of the card, log-signature: another",
                                            "line 9 of the card, receipt-signature: missing"};
    struct buffer text = {0};
    struct card card;

    make_text(&text);
    for (unsigned line = 1; line <= LINES; line++) {
        size_t from = line_start(&text, line), to = line_start(&text, line + 1);
        struct buffer without = {0}, twice = {0}, swapped = {0};

        buffer_put(&without, text.data, from);
        buffer_put(&without, text.data + to, text.size - to);
        CHECK(is_refused(buffer_span(&without), says[line - 1]));
        buffer_put(&twice, text.data, to);
        buffer_put(&twice, text.data + from, text.size - from);
        CHECK(card_parse(&card, buffer_span(&twice), NULL) != 0);
        if (line < LINES) {
            size_t next = line_start(&text, line + 2);

            buffer_put(&swapped, text.data, from);
            buffer_put(&swapped, text.data + to, next - to);
            buffer_put(&swapped, text.data + from, to - from);
            buffer_put(&swapped, text.data + next, text.size - next);
            CHECK(is_refused(buffer_span(&swapped), says[line - 1]));
        }
        buffer_free(&without);
        buffer_free(&twice);
        buffer_free(&swapped);
    }
    buffer_free(&text);
}

/* A party may sign what it likes; these cards verify but for the key. */
static void bad_keys_are_refused_though_they_are_signed(void)
{
    static const uint8_t neutral[32] = {1}, order_four[32] = {0}, twist_order_two[32] = {0};
    static const struct {
        size_t offset;
        const uint8_t *key; /* NULL: the key at `as` */
        size_t as;
        const char *says;
    } cases[] = {
        {offsetof(struct card, log_key), neutral, 0, "line 4 of the card, log-key: not a valid Ed25519 key"},
        {offsetof(struct card, receipt_key), order_four, 0, "line 5 of the card, receipt-key: not a valid Ed25519 key"},
        {offsetof(struct card, link_key), twist_order_two, 0, "line 6 of the card, link-key: not a valid X25519 key"},
        {offsetof(struct card, sealing_key), neutral, 0, "line 7 of the card, sealing-key: not a valid X25519 key"},
        {offsetof(struct card, receipt_key), NULL, offsetof(struct card, log_key),
         "line 5 of the card, receipt-key: the same"},
        {offsetof(struct card, link_key), NULL, offsetof(struct card, log_key),
         "line 6 of the card, link-key: the same"},
        {offsetof(struct card, sealing_key), NULL, offsetof(struct card, log_key),
         "line 7 of the card, sealing-key: the same"},
        {offsetof(struct card, sealing_key), NULL, offsetof(struct card, link_key),
         "line 7 of the card, sealing-key: the same"},
    };
    struct identity identity;

    make_identity(&identity, "washington");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer text = {0};
        struct card card;

        make_card(&card);
        memcpy((uint8_t *)&card + cases[i].offset,
               cases[i].key != NULL ? cases[i].key : (const uint8_t *)&card + cases[i].as, 32);
        print_signed(&card, &identity, &text);
        CHECK(is_refused(buffer_span(&text), cases[i].says));
        buffer_free(&text);
    }
}

static void both_keys_must_have_signed(void)
{
    struct buffer text = {0};
    struct card card, good;

    make_card(&good);
    card = good;
    memcpy(card.log_signature, good.receipt_signature, SIGNATURE_SIZE);
    card_print(&card, &text);
    CHECK(is_refused(buffer_span(&text), "line 8 of the card, log-signature: does not verify"));
    buffer_reset(&text);
    card = good;
    memcpy(card.receipt_signature, good.log_signature, SIGNATURE_SIZE);
    card_print(&card, &text);
    CHECK(is_refused(buffer_span(&text), "line 9 of the card, receipt-signature: does not verify"));
    buffer_reset(&text);
    card = good;
    memcpy(card.name, "washingtom", 10);
    card_print(&card, &text);
    CHECK(is_refused(buffer_span(&text), "line 8 of the card, log-signature: does not verify"));
    buffer_free(&text);
}

static void names_and_languages_are_checked_when_a_card_is_read(void)
{
    struct identity identity;
    struct buffer text = {0};
    struct card card;

    make_identity(&identity, "washington");
    make_card(&card);
    memcpy(card.name, "W", 1);
    print_signed(&card, &identity, &text);
    CHECK(is_refused(buffer_span(&text), "line 2 of the card, name: not a party's name"));
    buffer_reset(&text);
    make_card(&card);
    memcpy(card.languages, "en;", 3);
    print_signed(&card, &identity, &text);
    CHECK(is_refused(buffer_span(&text), "line 3 of the card, languages: not language tags"));
    buffer_free(&text);
}

static void a_card_is_read_from_the_front_of_a_longer_text(void)
{
    struct buffer text = {0};
    struct cursor cursor = {0};
    struct card first, second;

    make_text(&text);
    make_text(&text);
    buffer_put(&text, "rest", 4);
    cursor = cursor_of(buffer_span(&text));
    CHECK(card_read(&first, &cursor, NULL) == 0 && card_read(&second, &cursor, NULL) == 0);
    CHECK(memcmp(&first, &second, sizeof first) == 0);
    CHECK(span_equal(cursor_rest(&cursor), span_of_string("rest")));
    cursor = cursor_of(span_of_string("rest"));
    CHECK(card_read(&first, &cursor, NULL) != 0 && cursor.failed);
    text.data[line_start(&text, 9) - 5] ^= 1; /* in the log's signature */
    cursor = cursor_of(buffer_span(&text));
    CHECK(card_read(&first, &cursor, NULL) != 0 && cursor.failed);
    buffer_free(&text);
}

static void a_card_without_memory_is_neither_made_nor_read(void)
{
    struct identity identity;
    struct buffer text = {0};

    make_identity(&identity, "washington");
    make_text(&text);
    for (size_t n = 1;; n++) {
        struct card card, again;
        struct error make_error = {0}, read_error = {0};
        int made = 0, read = 0;
        bool ran_out = false;

        memory_fail(n);
        made = card_make(&card, "washington.example", "en,fr-CA", &identity, &make_error);
        ran_out = memory_ran_out();
        CHECK(made == (ran_out ? -1 : 0) && make_error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        memory_fail(n);
        read = card_parse(&again, buffer_span(&text), &read_error);
        CHECK(memory_ran_out() == ran_out);
        CHECK(read == (ran_out ? -1 : 0) && read_error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
    buffer_free(&text);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(a_card_comes_back_as_it_was);
    RUN(a_card_belongs_to_one_identity);
    RUN(names_and_languages_are_checked_when_a_card_is_made);
    RUN(a_card_with_any_bit_changed_is_refused);
    RUN(a_card_cut_or_lengthened_anywhere_is_refused);
    RUN(a_line_removed_repeated_or_exchanged_is_named);
    RUN(bad_keys_are_refused_though_they_are_signed);
    RUN(both_keys_must_have_signed);
    RUN(names_and_languages_are_checked_when_a_card_is_read);
    RUN(a_card_is_read_from_the_front_of_a_longer_text);
    RUN(a_card_without_memory_is_neither_made_nor_read);
    return test_end();
}
