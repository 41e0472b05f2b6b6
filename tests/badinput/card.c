/*
 * What people carry: cards, the office's key, a courier key, and the texts that messages are made of.
 */
#include "seal/card.h"

#include "desk/message.h"
#include "lines.h"
#include "record/line.h"
#include "seal/keyfile.h"

static struct test_line line;
static struct buffer text; /* the specimen at hand */
static struct text_specimen specimen;

/* --- cards ------------------------------------------------------------------------------------------------------- */

static int feed_card(void *context, struct span input, struct error *error)
{
    struct card card;

    (void)context;
    return card_parse(&card, input, error);
}

static const struct interface card_in = {"card", feed_card, NULL, NULL};

static const char *const card_names[] = {"the first line", "name",          "languages",
                                         "log-key",        "receipt-key",   "link-key",
                                         "sealing-key",    "log-signature", "receipt-signature"};
static const char *const card_fragments[] = {
    "its first line is not \"liaison-card/v1\"", "line 2 of the card, name: ",
    "line 3 of the card, languages: ",           "line 4 of the card, log-key: ",
    "line 5 of the card, receipt-key: ",         "line 6 of the card, link-key: ",
    "line 7 of the card, sealing-key: ",         "line 8 of the card, log-signature: ",
    "line 9 of the card, receipt-signature: "};

static void take(const struct interface *on, const char *name, const char *const *names, const char *const *fragments,
                 const char *end)
{
    specimen = (struct text_specimen){.on = on, .text = buffer_span(&text), .name = name, .end = end};
    text_note(&specimen, names, fragments);
}

static void take_card(void)
{
    buffer_reset(&text);
    card_print(&line.charter.members[0], &text);
    take(&card_in, "Washington's", card_names, card_fragments, "goes on after its last line");
}

static void cards(void)
{
    take_card();
    family_begin("cards with a line out of its place");
    good(&card_in, specimen.text, "Washington's");
    bad_places(&specimen);
    family_end();
    family_begin("cards with a line that is written otherwise");
    bad_writing(&specimen);
    family_end();
    family_begin("cards with base64 that is not canonical");
    for (size_t i = 3; i < 9; i++)
        bad_base64(&specimen, i);
    family_end();
    family_begin("cards with something behind");
    bad_text_tails(&specimen);
    family_end();
    family_begin("cards cut short");
    catalogue.cut = true;
    bad(&card_in, span_of(NULL, 0), ERROR_INVALID, "there is no card: nothing is left to read", "of no bytes");
    bad_text_cuts(&specimen);
    family_end();
}

static void card_names_table(void)
{
    static const char *const party[] = {
        "Washington.example",
        "washington..example",
        ".washington",
        "washington.",
        "-washington",
        "washington-",
        "wash-.example",
        "a_b",
        "a b",
        "none",
        "\u00e4.example",
        "xn--\u00e4",
        "a/b",
        "a+b",
        "a\\b",
        "*",
        "..",
        "-",
        "'",
        "$(id)",
        "`id`",
        "%s%n",
        "a;b",
        "a,b",
        "\"a\"",
        "<b>",
        "a@b",
        "a:b",
        "[::1]",
        "../../etc/passwd",
        "a'--",
        "~",
        "!",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };
    static const char *const languages[] = {
        ",",
        "en,",
        ",en",
        "en,,ko",
        "en;ko",
        "en, ko",
        "en ko",
        "e-",
        "-en",
        "en--US",
        "123",
        "en_US",
        "123456789",
        "englishes",
        "en-123456789",
        "zh-Hans!",
        "*",
        "en\u00e4",
        "k\u00f6",
        "%n",
        "en,-",
        "en-\u200b",
        "en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,en,"
        "en,en,"
        "en,en,en,en,en",
        "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd",
    };
    char how[CASE_NAME_SIZE];

    take_card();
    family_begin("cards with a name that is none");
    for (size_t i = 0; i < sizeof party / sizeof party[0]; i++) {
        (void)snprintf(how, sizeof how, "of a party called %s", party[i]);
        bad_value(&specimen, 1, span_of_string(party[i]), how);
    }
    family_end();
    family_begin("cards with languages that are none");
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        (void)snprintf(how, sizeof how, "of the languages %s", languages[i]);
        bad_value(&specimen, 2, span_of_string(languages[i]), how);
    }
    family_end();
}

static void bad_key(size_t i, const char *hex, const char *fragment, const char *how)
{
    uint8_t key[32];
    struct buffer value = {0}, out = {0};

    if (!text_from_hex(span_of_string(hex), key, sizeof key))
        abort();
    text_put_base64(&value, span_of(key, sizeof key));
    buffer_print(&out, "%s %.*s\n", card_names[i], (int)value.size, (const char *)value.data);
    buffer_reset(&value);
    lines_replaced(&specimen, i, i + 1, buffer_span(&out), &value);
    bad(&card_in, buffer_span(&value), ERROR_INVALID, fragment, "%s, the %s is %s", specimen.name, card_names[i], how);
    buffer_free(&value);
    buffer_free(&out);
}

static void card_keys(void)
{
    static const struct {
        const char *hex;
        const char *how;
    } ed25519[] =
        {
            {"0100000000000000000000000000000000000000000000000000000000000000", "the neutral point"},
            {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "of order 2"},
            {"0000000000000000000000000000000000000000000000000000000000000000", "of order 4"},
            {"0000000000000000000000000000000000000000000000000000000000000080", "of order 4, the other"},
            {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "of order 8"},
            {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "of order 8, another"},
            {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "of order 8, a third"},
            {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "of order 8, the fourth"},
            {"0100000000000000000000000000000000000000000000000000000000000080", "the neutral point with a sign"},
            {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p"},
            {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p + 1"},
            {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "of ones"},
            {"0200000000000000000000000000000000000000000000000000000000000000", "no point"},
        },
      x25519[] = {
          {"0000000000000000000000000000000000000000000000000000000000000000", "zero"},
          {"0100000000000000000000000000000000000000000000000000000000000000", "of order 1"},
          {"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "of order 8"},
          {"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "of order 8, the other"},
          {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p - 1"},
          {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p"},
          {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "p + 1"},
          {"0900000000000000000000000000000000000000000000000000000000000080", "with its top bit set"},
      };

    take_card();
    family_begin("cards with keys that cannot be used");
    for (size_t i = 3; i < 5; i++)
        for (size_t k = 0; k < sizeof ed25519 / sizeof ed25519[0]; k++)
            bad_key(i, ed25519[k].hex, "not a valid Ed25519 key", ed25519[k].how);
    for (size_t i = 5; i < 7; i++)
        for (size_t k = 0; k < sizeof x25519 / sizeof x25519[0]; k++)
            bad_key(i, x25519[k].hex, "not a valid X25519 key", x25519[k].how);
    family_end();
}

/* Another party's line in this one's card: each is valid by itself. */
static void card_mixtures(void)
{
    struct buffer other = {0}, out = {0};
    struct text_specimen theirs;

    take_card();
    card_print(&line.charter.members[1], &other);
    theirs = specimen;
    theirs.text = buffer_span(&other);
    text_note(&theirs, card_names, card_fragments);
    family_begin("cards of lines of two parties");
    for (size_t i = 1; i < 9; i++) {
        lines_replaced(&specimen, i, i + 1, theirs.line[i].bytes, &out);
        bad(&card_in, buffer_span(&out), ERROR_INVALID,
            i < 8 ? "log-signature: does not verify" : "receipt-signature: does", "%s, with Pyongyang's %s",
            specimen.name, card_names[i]);
        lines_replaced(&theirs, i, i + 1, specimen.line[i].bytes, &out);
        bad(&card_in, buffer_span(&out), ERROR_INVALID,
            i < 8 ? "log-signature: does not verify" : "receipt-signature: does", "Pyongyang's, with Washington's %s",
            card_names[i]);
    }
    for (size_t i = 3; i < 7; i++)
        for (size_t k = 3; k < 7; k++) {
            struct buffer value = {0};
            bool kind = i < 5 ? k < 5 : k >= 5;

            if (k >= i || !kind)
                continue;
            buffer_print(&value, "%s ", card_names[i]);
            buffer_put_span(&value, span_from(specimen.line[k].bytes, specimen.line[k].value));
            lines_replaced(&specimen, i, i + 1, buffer_span(&value), &out);
            bad(&card_in, buffer_span(&out), ERROR_INVALID, "the same key stands in a line above", "%s, the %s as %s",
                specimen.name, card_names[k], card_names[i]);
            buffer_free(&value);
        }
    family_end();
    buffer_free(&other);
    buffer_free(&out);
}

/* Of a version that is not known; of something else. */
static void bad_first(const struct interface *on, const char *first, const char *what)
{
    static const unsigned versions[] = {0, 2, 3, 10, 11, 99, 65536, 4294967295u};
    static const char *const firsts[] = {
        "liaison-charter/v1",
        "liaison-card/v",
        "liaison-card/v01",
        "liaison-card/v-1",
        "liaison-card/v1.0",
        "liaison-card/1",
        "liaison-card v1",
        "liaison-card/v4294967296",
        "liaison_card/v1",
        "lialson-card/v1",
        "#!/bin/sh",
        "{}",
        "c2sp.org/tlog-proof@v1",
        "liaison-office-key/v1 ",
        "liaison-recovery-sheet/v1",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "<?xml version=\"1.0\"?>",
        "%PDF-1.7",
    };
    struct buffer out = {0};
    char fragment[100];

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        buffer_reset(&out);
        buffer_print(&out, "%.*s%u\n", (int)strlen(first) - 1, first, versions[i]);
        (void)snprintf(fragment, sizeof fragment, "this %s is of another version", what);
        {
            struct buffer whole = {0};

            lines_replaced(&specimen, 0, 1, buffer_span(&out), &whole);
            bad(on, buffer_span(&whole), ERROR_VERSION, fragment, "%s, of version %u", specimen.name, versions[i]);
            buffer_free(&whole);
        }
    }
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        buffer_reset(&out);
        buffer_print(&out, "%s\n", firsts[i]);
        (void)snprintf(fragment, sizeof fragment, "this is no %s: its first line is not \"%s\"", what, first);
        {
            struct buffer whole = {0};

            lines_replaced(&specimen, 0, 1, buffer_span(&out), &whole);
            bad(on, buffer_span(&whole), ERROR_INVALID, fragment, "%s, with the first line %s", specimen.name,
                firsts[i]);
            buffer_free(&whole);
        }
    }
    buffer_free(&out);
}

static void card_firsts(void)
{
    struct buffer out = {0};

    take_card();
    family_begin("cards of other versions, and what is no card");
    bad_first(&card_in, "liaison-card/v1", "card");
    for (size_t i = 0; i < specimen.count; i++) {
        buffer_put(&out, specimen.line[i].bytes.data, specimen.line[i].bytes.size - 1);
        buffer_print(&out, "\r\n");
    }
    bad(&card_in, buffer_span(&out), ERROR_INVALID, "end in CR LF", "with DOS lines");
    buffer_reset(&out);
    buffer_put_span(&out, specimen.text);
    while (out.size <= CARD_SIZE_MAX)
        buffer_put_u8(&out, '\n');
    bad(&card_in, buffer_span(&out), ERROR_INVALID, "it has more than 2048 bytes", "of 2049 bytes");
    family_end();
    buffer_free(&out);
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

static struct {
    uint8_t line_id[HASH_SIZE];
    uint8_t key[COURIER_KEY_SIZE];
} kept;

/* The key is wiped when its file is refused, so of a secret nothing stays. What stayed shows in one case alone. */
static void picture_key(void *context, struct buffer *out)
{
    (void)context;
    buffer_put(out, kept.key, sizeof kept.key);
    memset(kept.key, 0, sizeof kept.key);
}

static int key_fed(int result)
{
    if (result == 0)
        memset(kept.key, 0, sizeof kept.key);
    return result;
}

static int feed_office_key(void *context, struct span input, struct error *error)
{
    (void)context;
    memset(kept.key, 0xaa, sizeof kept.key);
    return key_fed(office_key_parse(kept.key, input, error));
}

static int feed_courier_key(void *context, struct span input, struct error *error)
{
    (void)context;
    memset(kept.key, 0xaa, sizeof kept.key);
    return key_fed(courier_key_parse(kept.line_id, kept.key, input, error));
}

static const struct interface office_key_in = {"office key", feed_office_key, picture_key, NULL};
static const struct interface courier_key_in = {"courier key", feed_courier_key, picture_key, NULL};

/* Every character that makes a secret is under the checksum. */
static void bad_characters(size_t from, const char *fragment)
{
    struct buffer out = {0};

    for (size_t i = from; i + 1 < specimen.count; i++)
        for (size_t at = specimen.line[i].value; at + 3 < specimen.line[i].bytes.size; at += 2) {
            size_t offset = (size_t)(specimen.line[i].bytes.data - specimen.text.data) + at;
            uint8_t *byte = NULL;

            buffer_reset(&out);
            buffer_put_span(&out, specimen.text);
            byte = out.data + offset;
            *byte = *byte == 'a' ? 'b' : 'a';
            bad(specimen.on, buffer_span(&out), ERROR_INVALID, fragment, "%s, character %zu of %s mistyped",
                specimen.name, at - specimen.line[i].value, specimen.line[i].name);
        }
    buffer_free(&out);
}

static void bad_checksums(size_t i)
{
    static const char *const sums[] = {"0000000000000000", "ffffffffffffffff", "0123456789abcdef"};
    static const char *const forms[] = {"0123456789ABCDEF", "0123456789abcde",  "0123456789abcdef0", "",
                                        "0x23456789abcdef", "0123456789abcdeg", "01 23 45 67 89 a",  "none"};

    for (size_t k = 0; k < sizeof sums / sizeof sums[0]; k++)
        bad_value(&specimen, i, span_of_string(sums[k]), sums[k]);
    for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
        bad_value(&specimen, i, span_of_string(forms[k]), forms[k][0] == 0 ? "of nothing" : forms[k]);
}

static void bad_key_file(const char *first, const char *what, size_t key)
{
    family_begin(key == 1 ? "files of an office's key" : "files of a courier key");
    good(specimen.on, specimen.text, specimen.name);
    bad_places(&specimen);
    bad_writing(&specimen);
    bad_base64(&specimen, key);
    bad_text_tails(&specimen);
    bad_checksums(key + 1);
    bad_first(specimen.on, first, what);
    bad_characters(key, "does not fit the lines above; a character was changed");
    family_end();
    family_begin(key == 1 ? "files of an office's key cut short" : "files of a courier key cut short");
    catalogue.cut = true;
    bad(specimen.on, span_of(NULL, 0), ERROR_INVALID, "nothing is left to read", "of no bytes");
    bad_text_cuts(&specimen);
    family_end();
}

static void keys(void)
{
    static const char *const office_names[] = {"the first line", "key", "checksum"};
    static const char *const office_fragments[] = {
        "this is no office key", "line 2 of the office key, key: ", "line 3 of the office key, checksum: "};
    static const char *const courier_names[] = {"the first line", "line", "key", "checksum"};
    static const char *const courier_fragments[] = {
        "this is no courier key", "line 2 of the courier key, line: ", "line 3 of the courier key, key: ",
        "line 4 of the courier key, checksum: "};
    static const char *const ids[] = {"0",
                                      "",
                                      "zz",
                                      "none",
                                      "00000000000000000000000000000000000000000000000000000000000000",
                                      "000000000000000000000000000000000000000000000000000000000000000g",
                                      "00000000000000000000000000000000000000000000000000000000000000000000",
                                      "ABCDEF0000000000000000000000000000000000000000000000000000000000"};
    uint8_t key[32];

    memset(key, 0x5a, sizeof key);
    buffer_reset(&text);
    office_key_print(&text, key);
    take(&office_key_in, "one", office_names, office_fragments, "goes on after its last line");
    bad_key_file("liaison-office-key/v1", "office key", 1);
    buffer_reset(&text);
    courier_key_print(&text, line.charter.line_id, key);
    take(&courier_key_in, "one", courier_names, courier_fragments, "goes on after its last line");
    bad_key_file("liaison-courier-key/v1", "courier key", 2);
    family_begin("files of a courier key for no line");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        bad_value(&specimen, 1, span_of_string(ids[i]), ids[i][0] == 0 ? "that is empty" : ids[i]);
    bad_characters(1, "does not fit the lines above; a character was changed");
    family_end();
}

/* --- texts ------------------------------------------------------------------------------------------------------- */

static int feed_text(void *context, struct span input, struct error *error)
{
    (void)context;
    return message_check(input, span_of(NULL, 0), error);
}

static int feed_language(void *context, struct span input, struct error *error)
{
    (void)context;
    return message_check(span_of_string("Text."), input, error);
}

static const struct interface text_in = {"text to send", feed_text, NULL, NULL};
static const struct interface language_in = {"language of a text", feed_language, NULL, NULL};

static void texts(void)
{
    static const struct {
        const char *bytes;
        const char *name;
    } broken[] = {
        {"\x80", "a continuation byte"},
        {"\xbf", "the last continuation byte"},
        {"\xc0\x80", "an overlong zero"},
        {"\xc0\xaf", "an overlong slash"},
        {"\xc1\xbf", "an overlong delete"},
        {"\xe0\x80\xaf", "an overlong slash of three bytes"},
        {"\xe0\x9f\xbf", "the last overlong form of three bytes"},
        {"\xf0\x80\x80\xaf", "an overlong slash of four bytes"},
        {"\xf0\x8f\xbf\xbf", "the last overlong form of four bytes"},
        {"\xed\xa0\x80", "the first surrogate"},
        {"\xed\xbf\xbf", "the last surrogate"},
        {"\xed\xa0\xbd\xed\xb8\x80", "a surrogate pair"},
        {"\xf4\x90\x80\x80", "U+110000"},
        {"\xf5\x80\x80\x80", "the byte 0xf5"},
        {"\xf8\x88\x80\x80\x80", "five bytes"},
        {"\xfc\x84\x80\x80\x80\x80", "six bytes"},
        {"\xfe", "the byte 0xfe"},
        {"\xff", "the byte 0xff"},
        {"\xff\xfeH\x01", "UTF-16"},
        {"\xc3", "half a letter"},
        {"\xe2\x82", "two thirds of a sign"},
        {"\xf0\x9f\x98", "three quarters of a face"},
        {"\xc3(", "a letter for a continuation byte"},
        {"\xe2(\xa1", "a letter in a character's middle"},
        {"\xe2\x82(", "a letter at a character's end"},
        {"\xe4", "Latin-1"},
        {"\xb0\xa1\xb3\xaa", "EUC-KR"},
        {"\x83\x65\x83\x58", "Shift JIS"},
        {"\xcf\xf0\xe8\xe2\xe5\xf2", "Windows-1251"},
    };
    static const char *const places[] = {"%s", "Text %s", "%s text", "Text\n%s\ntext"};
    static const char *const where[] = {"alone", "at the end", "at the front", "in a line of its own"};
    static const char *const tags[] = {"e-",
                                       "-",
                                       "en-",
                                       "-en",
                                       "en_US",
                                       "en US",
                                       "1en",
                                       "en--us",
                                       "englishes",
                                       "en-123456789",
                                       "\u00e4",
                                       "en\n",
                                       "*",
                                       "zh-Hans-CN-x-aaaaaaaa-bbbbbbbb-cccccccc",
                                       "en,ko",
                                       "<en>",
                                       "en\033",
                                       "%s",
                                       "\xff",
                                       "\xe2\x80\xaezh",
                                       "123",
                                       "e n",
                                       "x/y",
                                       "en.UTF-8"};
    static const size_t sizes[] = {TEXT_SIZE_MAX + 1, 60002, 65535, 65536, 100000, 1 << 20};
    struct buffer out = {0};
    char how[100];

    family_begin("texts that are not UTF-8");
    good(&text_in, span_of_string("We have read your note.\n\xe2\x80\xae\033[2J"), "a text that is only strange");
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        for (size_t k = 0; k < sizeof places / sizeof places[0]; k++) {
            const char *gap = strstr(places[k], "%s");

            buffer_reset(&out);
            buffer_put(&out, places[k], (size_t)(gap - places[k]));
            buffer_put_span(&out, span_of_string(broken[i].bytes));
            buffer_put_span(&out, span_of_string(gap + 2));
            bad(&text_in, buffer_span(&out), ERROR_INVALID, "the text is not valid UTF-8", "%s %s", broken[i].name,
                where[k]);
        }
    family_end();
    family_begin("texts of a size that cannot be sent");
    bad(&text_in, span_of(NULL, 0), ERROR_INVALID, "there is no text to send", "none");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        buffer_reset(&out);
        memset(buffer_extend(&out, sizes[i]), 'x', sizes[i]);
        (void)snprintf(how, sizeof how, "the text has %zu bytes", sizes[i]);
        bad(&text_in, buffer_span(&out), ERROR_INVALID, how, "%zu bytes", sizes[i]);
    }
    family_end();
    family_begin("languages that are no tags");
    good(&language_in, span_of_string("zh-Hans"), "simplified Chinese");
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        bad(&language_in, span_of_string(tags[i]), ERROR_INVALID, "the language is not a tag", "tag %zu, %s", i,
            tags[i][0] == '\xff'                           ? "the byte 0xff"
            : strchr(tags[i], '\n') || strchr(tags[i], 27) ? "with a control"
                                                           : tags[i]);
    family_end();
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    test_line_found(&line, 3, "bad cards");
    cards();
    card_names_table();
    card_keys();
    card_mixtures();
    card_firsts();
    keys();
    texts();
    buffer_free(&text);
    test_line_free(&line);
    return catalogue_end();
}
