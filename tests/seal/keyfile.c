#include "seal/keyfile.h"

#include "memory.h"
#include "test.h"

static const uint8_t key[32] = {1, 2, 3, 250}, line_id[HASH_SIZE] = {0xab, 0xcd, 0xef};

static int parse_office(struct span text, struct error *error)
{
    uint8_t out[OFFICE_KEY_SIZE];
    int result = office_key_parse(out, text, error);

    CHECK(result != 0 || memcmp(out, key, sizeof out) == 0);
    return result;
}

static int parse_courier(struct span text, struct error *error)
{
    uint8_t out[COURIER_KEY_SIZE], id[HASH_SIZE];
    int result = courier_key_parse(id, out, text, error);

    CHECK(result != 0 || (memcmp(out, key, sizeof out) == 0 && memcmp(id, line_id, sizeof id) == 0));
    return result;
}

static void print_office(struct buffer *text)
{
    office_key_print(text, key);
}

static void print_courier(struct buffer *text)
{
    courier_key_print(text, line_id, key);
}

static const struct {
    void (*print)(struct buffer *text);
    int (*parse)(struct span text, struct error *error);
    const char *sum_line;
} kinds[] = {{print_office, parse_office, "line 3 of the office key, checksum: "},
             {print_courier, parse_courier, "line 4 of the courier key, checksum: "}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void a_key_file_comes_back_as_it_was(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct buffer text = {0}, offset = {0};

        kinds[i].print(&text);
        CHECK(!buffer_failed(&text) && kinds[i].parse(buffer_span(&text), NULL) == 0);
        buffer_put(&offset, "before", 6);
        kinds[i].print(&offset);
        CHECK(span_equal(span_from(buffer_span(&offset), 6), buffer_span(&text)));
        buffer_free(&text);
        buffer_free(&offset);
    }
}

static void a_key_file_with_any_bit_changed_is_refused(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct buffer text = {0};

        kinds[i].print(&text);
        for (size_t bit = 0; bit < text.size * 8; bit++) {
            text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK(kinds[i].parse(buffer_span(&text), NULL) != 0);
            text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        buffer_free(&text);
    }
}

static void a_key_file_cut_or_lengthened_anywhere_is_refused(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct buffer text = {0};

        kinds[i].print(&text);
        for (size_t size = 0; size < text.size; size++)
            CHECK(kinds[i].parse(span_of(text.data, size), NULL) != 0);
        for (size_t at = 0; at <= text.size; at++) {
            struct buffer longer = {0};

            buffer_put(&longer, text.data, at);
            buffer_put_u8(&longer, '\n');
            buffer_put(&longer, text.data + at, text.size - at);
            CHECK(kinds[i].parse(buffer_span(&longer), NULL) != 0);
            buffer_free(&longer);
        }
        buffer_free(&text);
    }
}

/* A typing error that leaves the base64 well-formed is the checksum's to find. */
static void a_mistyped_key_is_found_by_the_checksum(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct error error = {0};
        struct buffer text = {0};
        char *digit = NULL;

        kinds[i].print(&text);
        digit = strstr(buffer_string(&text), "\nkey ") + 5;
        *digit = *digit == 'A' ? 'B' : 'A';
        CHECK(kinds[i].parse(buffer_span(&text), &error) != 0 && error.code == ERROR_INVALID);
        CHECK(strstr(error.message, kinds[i].sum_line) != NULL);
        buffer_free(&text);
    }
}

/* Refused for their form, not for their checksum, which is made to fit. */
static void wrong_lines_are_named(void)
{
    static const struct {
        bool courier;
        const char *text;
        const char *says;
    } cases[] = {
        {false, "liaison-office-key/v1\n", "line 2 of the office key, key: missing"},
        {false, "liaison-office-key/v1\nkey AQID\n", "line 2 of the office key, key: not 32 bytes of base64"},
        {false, "liaison-courier-key/v1\n", "this is no office key"},
        {true, "liaison-office-key/v1\n", "this is no courier key"},
        {true, "liaison-courier-key/v1\nline abcd\n", "line 2 of the courier key, line: not 64 hexadecimal digits"},
        {true, "liaison-courier-key/v1\nline ABcd\n", "line 2 of the courier key, line: not in lower case"},
        {true, "liaison-courier-key/v1\nkey AQID\n", "line 2 of the courier key, line: another line"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct buffer text = {0};

        buffer_print(&text, "%s", cases[i].text);
        CHECK((cases[i].courier ? parse_courier : parse_office)(buffer_span(&text), &error) != 0);
        if (strstr(error.message, cases[i].says) == NULL)
            printf("# instead of \"%s\": %s\n", cases[i].says, error.message);
        CHECK(strstr(error.message, cases[i].says) != NULL);
        buffer_free(&text);
    }
}

static void a_refused_file_leaves_no_key_behind(void)
{
    static const uint8_t zeros[OFFICE_KEY_SIZE];
    uint8_t out[OFFICE_KEY_SIZE] = {9}, id[HASH_SIZE];
    struct buffer text = {0};

    office_key_print(&text, key);
    text.data[text.size - 2] ^= 1;
    CHECK(office_key_parse(out, buffer_span(&text), NULL) != 0 && memcmp(out, zeros, sizeof out) == 0);
    buffer_reset(&text);
    courier_key_print(&text, line_id, key);
    text.data[text.size - 2] ^= 1;
    CHECK(courier_key_parse(id, out, buffer_span(&text), NULL) != 0 && memcmp(out, zeros, sizeof out) == 0);
    buffer_free(&text);
}

static void subkeys_are_hkdf_of_the_label(void)
{
    uint8_t link[32], wrap[32], expected[32], none[32];
    static const uint8_t zeros[COURIER_KEY_SIZE];

    courier_subkey(link, key, LABEL_COURIER_LINK);
    courier_subkey(wrap, key, LABEL_COURIER_WRAP);
    courier_subkey(none, zeros, LABEL_COURIER_LINK);
    hkdf(expected, 32, span_of(NULL, 0), span_of(key, 32), span_of_string("liaison/courier-link/v1"));
    CHECK(memcmp(link, expected, 32) == 0);
    CHECK(memcmp(link, wrap, 32) != 0 && memcmp(link, none, 32) != 0);
}

/* The value of the line `name` in a sheet, which must be there. */
static void sheet_secret(const char *sheet, const char *name, uint8_t out[static 32])
{
    const char *line = strstr(sheet, name);

    CHECK(line != NULL && text_from_base64_exactly(span_of(line + strlen(name) + 1, BASE64_SIZE(32)), out, 32));
}

static void a_recovery_sheet_holds_what_makes_the_card_again(void)
{
    static const char head[] = "liaison-recovery-sheet/v1\nname seoul.example\nlanguages ko,en\nlog-seed ";
    struct entropy entropy = {{4}};
    struct identity identity, again;
    struct card card, card_again;
    struct buffer sheet = {0};
    uint8_t seed[SIGN_SEED_SIZE], unused[SIGN_PUBLIC_SIZE], sum[HASH_SIZE];
    struct span parts[2] = {span_of_string("liaison/checksum/v1")};
    const char *text = NULL, *last = NULL;
    char expected[32];

    identity_generate(&identity, &entropy);
    CHECK(card_make(&card, "seoul.example", "ko,en", &identity, NULL) == 0);
    recovery_sheet_print(&sheet, &card, &identity);
    text = buffer_string(&sheet);
    CHECK(strncmp(text, head, strlen(head)) == 0);
    sheet_secret(text, "\nlog-seed", seed);
    sign_keypair(unused, again.log_secret, seed);
    sheet_secret(text, "\nreceipt-seed", seed);
    sign_keypair(unused, again.receipt_secret, seed);
    sheet_secret(text, "\nlink-secret", again.link_secret);
    sheet_secret(text, "\nsealing-secret", again.sealing_secret);
    CHECK(card_make(&card_again, "seoul.example", "ko,en", &again, NULL) == 0);
    CHECK(memcmp(&card, &card_again, sizeof card) == 0);

    last = strstr(text, "\nchecksum ") + 1;
    parts[1] = span_of(text, (size_t)(last - text));
    hash_parts(sum, parts, 2);
    (void)snprintf(expected, sizeof expected, "checksum %02x%02x%02x%02x%02x%02x%02x%02x\n", sum[0], sum[1], sum[2],
                   sum[3], sum[4], sum[5], sum[6], sum[7]);
    CHECK(strcmp(last, expected) == 0);
    buffer_free(&sheet);
}

static void a_key_file_without_memory_says_so(void)
{
    struct buffer whole = {0};

    print_office(&whole);
    for (size_t n = 1;; n++) {
        struct buffer text = {0};
        bool ran_out = false;

        memory_fail(n);
        print_office(&text);
        ran_out = memory_ran_out();
        CHECK(buffer_failed(&text) == ran_out && (ran_out || span_equal(buffer_span(&text), buffer_span(&whole))));
        buffer_free(&text);
        if (!ran_out)
            break;
        CHECK(n < 20);
    }
    buffer_free(&whole);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(a_key_file_comes_back_as_it_was);
    RUN(a_key_file_with_any_bit_changed_is_refused);
    RUN(a_key_file_cut_or_lengthened_anywhere_is_refused);
    RUN(a_mistyped_key_is_found_by_the_checksum);
    RUN(wrong_lines_are_named);
    RUN(a_refused_file_leaves_no_key_behind);
    RUN(subkeys_are_hkdf_of_the_label);
    RUN(a_recovery_sheet_holds_what_makes_the_card_again);
    RUN(a_key_file_without_memory_says_so);
    return test_end();
}
