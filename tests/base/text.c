#include "base/text.h"

#include "memory.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Unicode table 3-7: each edge of each row, and one beyond it. */
static void utf8_edges(void)
{
    static const struct {
        const char *bytes;
        bool valid;
    } rows[] = {
        {"", true},
        {"\x7f", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xc2\x80", true},
        {"\xc2", false},
        {"\xc2\x7f", false},
        {"\xc2\xc0", false},
        {"\xdf\xbf", true},
        {"\xe0\x80\x80", false},
        {"\xe0\x9f\xbf", false},
        {"\xe0\xa0\x80", true},
        {"\xe0\xa0", false},
        {"\xe1\x80\x80", true},
        {"\xec\xbf\xbf", true},
        {"\xed\x80\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xed\xa0\x80", false},
        {"\xed\xbf\xbf", false},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x80\x80\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf0\x90\x80\x80", true},
        {"\xf3\xbf\xbf\xbf", true},
        {"\xf4\x80\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xf8\x88\x80\x80\x80", false},
        {"\xff", false},
        {"a\xe2\x82", false},
        {"a\xe2\x82\xac z", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        bool valid = text_is_utf8(span_of_string(rows[i].bytes));

        CHECK(valid == rows[i].valid);
        if (valid != rows[i].valid)
            printf("# row %zu\n", i);
    }
    CHECK(text_is_utf8(span_of("\0", 1)));
}

static void numbers(void)
{
    static const char *const bad[] = {"",
                                      "00",
                                      "01",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1a",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "184467440737095516150",
                                      "\xd9\xa1"};
    uint64_t number = 7;

    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!text_to_number(span_of_string(bad[i]), UINT64_MAX, &number) && number == 7);
    CHECK(text_to_number(span_of_string("0"), 0, &number) && number == 0);
    CHECK(text_to_number(span_of_string("18446744073709551615"), UINT64_MAX, &number) && number == UINT64_MAX);
    CHECK(!text_to_number(span_of_string("101"), 100, &number));
    CHECK(text_to_number(span_of_string("100"), 100, &number) && number == 100);
}

static void party_names(void)
{
    static const char *const good[] = {"a",
                                       "washington.example",
                                       "a-b.c",
                                       "1.2",
                                       "xn--3e0b707e",
                                       "none.example",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 63 */};
    static const char *const bad[] = {
        "",       "none",  ".",
        "a.",     ".a",    "a..b",
        "-a",     "a-",    "a.-b",
        "A",      "a_b",   "a b",
        "a\n",    "a/b",   "a+b",
        "\u0430", "a\x1b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 64 */};

    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(text_is_party_name(span_of_string(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!text_is_party_name(span_of_string(bad[i])));
    CHECK(!text_is_party_name(span_of("a\0b", 3)));
}

static void line_names(void)
{
    CHECK(text_is_line_name(span_of_string("talks")));
    CHECK(text_is_line_name(span_of_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));   /* 32 */
    CHECK(!text_is_line_name(span_of_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))); /* 33 */
    CHECK(!text_is_line_name(span_of_string("")));
    CHECK(!text_is_line_name(span_of_string("a.b")));
    CHECK(!text_is_line_name(span_of_string("../x")));
    CHECK(!text_is_line_name(span_of_string("-a")));
}

static void language_tags(void)
{
    static const char *const good[] = {"en", "ko-KR", "zh-Hant-TW", "de-CH-1996", "x-private", "ru"};
    static const char *const bad[] = {"",
                                      "-",
                                      "en-",
                                      "-en",
                                      "en--US",
                                      "e1",
                                      "123",
                                      "en_US",
                                      "abcdefghi",
                                      "en-abcdefghi",
                                      "en ",
                                      "\u0435\u043d",
                                      "en-a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q" /* 36 */};

    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(text_is_language_tag(span_of_string(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!text_is_language_tag(span_of_string(bad[i])));
}

static void hexadecimal(void)
{
    uint8_t out[2] = {0};
    struct buffer text = {0};

    text_put_hex(&text, span_of("\x00\xff\x1a", 3));
    CHECK(strcmp(buffer_string(&text), "00ff1a") == 0);
    buffer_free(&text);
    CHECK(text_from_hex(span_of_string("aBcD"), out, 2) && out[0] == 0xab && out[1] == 0xcd);
    CHECK(!text_from_hex(span_of_string("abc"), out, 2));
    CHECK(!text_from_hex(span_of_string("abcde"), out, 2));
    CHECK(!text_from_hex(span_of_string("abcg"), out, 2));
    CHECK(!text_from_hex(span_of_string("0x12"), out, 2));
}

/* RFC 4648 section 10, and every form that decodes elsewhere to the same bytes. */
static void base64(void)
{
    static const struct {
        const char *plain;
        const char *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff", "+/8="}};
    static const char *const bad[] = {
        "Zg",    "Zg=",  "Zh==", "Zm9=", "Zm8", "Z===",   "====",  "=Zg=",     "Zg==Zg==",   "Zm9v\n",
        "Zm 9v", "Zm9-", "Zm9_", "Zg=v", "Z",   "Zg==\n", "Zm9vZ", "Zm9vZh==", "\xc3\xa9gg", "Zg==="};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = {0};
        struct buffer plain = {0};
        uint8_t exact[6];

        text_put_base64(&text, span_of_string(rows[i].plain));
        CHECK(strcmp(buffer_string(&text), rows[i].text) == 0);
        buffer_put(&plain, "kept", 4);
        CHECK(text_from_base64(span_of_string(rows[i].text), &plain));
        CHECK(span_equal(span_from(buffer_span(&plain), 4), span_of_string(rows[i].plain)));
        CHECK(text_from_base64_exactly(span_of_string(rows[i].text), exact, strlen(rows[i].plain)));
        CHECK(memcmp(exact, rows[i].plain, strlen(rows[i].plain)) == 0);
        CHECK(!text_from_base64_exactly(span_of_string(rows[i].text), exact, strlen(rows[i].plain) + 1));
        CHECK(strlen(rows[i].plain) == 0 ||
              !text_from_base64_exactly(span_of_string(rows[i].text), exact, strlen(rows[i].plain) - 1));
        buffer_free(&plain);
        buffer_free(&text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buffer plain = {0};

        buffer_put(&plain, "kept", 4);
        CHECK(!text_from_base64(span_of_string(bad[i]), &plain));
        CHECK(plain.size == 4);
        buffer_free(&plain);
    }
}

/* Every text of four characters over a small alphabet: what is accepted is what the writer writes. */
static void base64_has_one_form(void)
{
    static const char alphabet[] = "AQgwZz+/8=\n-";
    unsigned accepted = 0;

    for (size_t i = 0; i < 12 * 12 * 12 * 12; i++) {
        char four[5] = {alphabet[i % 12], alphabet[i / 12 % 12], alphabet[i / 144 % 12], alphabet[i / 1728], 0};
        struct buffer plain = {0};
        struct buffer again = {0};

        if (text_from_base64(span_of_string(four), &plain)) {
            accepted++;
            text_put_base64(&again, buffer_span(&plain));
            CHECK(strcmp(buffer_string(&again), four) == 0);
        }
        buffer_free(&again);
        buffer_free(&plain);
    }
    CHECK(accepted > 6000);
}

static bool shows(const char *text, bool lines, const char *wanted)
{
    struct buffer shown = {0};
    bool ok = false;

    text_put_shown(&shown, span_of_string(text), lines);
    ok = strcmp(buffer_string(&shown), wanted) == 0;
    if (!ok)
        printf("# shown: %s\n# wanted: %s\n", buffer_string(&shown), wanted);
    buffer_free(&shown);
    return ok;
}

static void hostile_text_is_made_visible(void)
{
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"\x1b[31mred\x1b[0m", "<U+001B>[31mred<U+001B>[0m"},
        {"\x1b]0;title\x07", "<U+001B>]0;title<U+0007>"},
        {"\xc2\x9b"
         "31m",
         "<U+009B>31m"}, /* CSI as one C1 control */
        {"a\x9b"
         "31m",
         "a<0x9B>31m"},
        {"over\rwritten", "over<U+000D>written"},
        {"a\bb\tc", "a<U+0008>b<U+0009>c"},
        {"\x7f", "<U+007F>"},
        {"abc\u202egpj.exe", "abc<U+202E>gpj.exe"},
        {"\u2066a\u2069", "<U+2066>a<U+2069>"},
        {"\u200e\u200f\u061c", "<U+200E><U+200F><U+061C>"},
        {"pay\u200bpal", "pay<U+200B>pal"},
        {"\ufeff", "<U+FEFF>"},
        {"\u00ad\u2060\u3164\uffa0\u115f", "<U+00AD><U+2060><U+3164><U+FFA0><U+115F>"},
        {"\U000e0041", "<U+E0041>"},
        {"\ufe0f", "<U+FE0F>"},
        {"\u2028", "<U+2028>"},
        {"\ue000", "<U+E000>"},
        {"\U0001bca0\U0001d173", "<U+1BCA0><U+1D173>"},
        {"\xff\xfe", "<0xFF><0xFE>"},
        {"\xed\xa0\x80", "<0xED><0xA0><0x80>"},
        {"\xf0\x9f\x98", "<0xF0><0x9F><0x98>"},
        {"a\u0301\u0301\u0301\u0301\u0301"
         "b",
         "a\u0301\u0301\u0301\u0301<U+0301>b"},
        {"\u0643\u06e1\u06e1\u06e1\u06e1\u06e1", "\u0643\u06e1\u06e1\u06e1\u06e1<U+06E1>"}, /* Arabic */
        {"\u0f40\u0f74\u0f74\u0f74\u0f74\u0f74", "\u0f40\u0f74\u0f74\u0f74\u0f74<U+0F74>"}, /* Tibetan */
        {"\u0e01\u0e49\u0e49\u0e49\u0e49\u0e49", "\u0e01\u0e49\u0e49\u0e49\u0e49<U+0E49>"}, /* Thai */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(shows(rows[i].text, false, rows[i].shown));
        CHECK(shows(rows[i].text, true, rows[i].shown));
    }
    CHECK(shows("a\nb", false, "a<U+000A>b"));
    CHECK(shows("a\nb", true, "a\nb"));
}

static void the_languages_of_the_desks_stay_as_they_are(void)
{
    static const char *const texts[] = {
        "Are you in the room? \u2013 Yes; \u201cfrom 09:00\u201d.",
        "\ud68c\uc758\uc2e4\uc5d0 \uacc4\uc2ed\ub2c8\uae4c?",
        "\u1112\u116e\u110b\u1174", /* conjoining jamo */
        "\u60a8\u5728\u4f1a\u8bae\u5ba4\u5417\uff1f\u300c\u662f\u300d",
        "\u0412\u044b \u0432 \u0437\u0430\u043b\u0435? \u0419\u043e\u0434, \u0438\u0306",
        "\u0647\u0644 \u0623\u0646\u062a\u0645 \u0641\u064a \u0627\u0644\u063a\u0631\u0641\u0629\u061f",
        "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
        "Ti\u1ebfng Vi\u1ec7t, Tie\u0302\u0301ng",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u3053\u3093\u306b\u3061\u306f \u304b\u3099",
        "\U00020000\U0001f54a \ufffd \u00a0",
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        CHECK(shows(texts[i], false, texts[i]));
}

/* Whatever the bytes are, what is shown is UTF-8 without a control character. */
static void shown_text_holds_no_control(void)
{
    uint64_t state = 3;

    for (int i = 0; i < 50000; i++) {
        uint8_t bytes[24];
        struct buffer shown = {0};

        for (size_t k = 0; k < sizeof bytes; k++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[k] = (uint8_t)(state >> 56);
        }
        text_put_shown(&shown, span_of(bytes, sizeof bytes), false);
        CHECK(text_is_utf8(buffer_span(&shown)));
        for (size_t k = 0; k < shown.size; k++)
            CHECK(shown.data[k] >= 0x20 && shown.data[k] != 0x7f);
        buffer_free(&shown);
    }
}

static void base64_without_memory_gives_nothing(void)
{
    struct buffer plain = {0};

    memory_fail(1);
    CHECK(!text_from_base64(span_of_string("Zm9v"), &plain) && plain.size == 0);
    CHECK(memory_ran_out());
    CHECK(buffer_failed(&plain) && !text_from_base64(span_of_string(""), &plain));
    buffer_free(&plain);
}

int main(void)
{
    RUN(utf8_edges);
    RUN(numbers);
    RUN(party_names);
    RUN(line_names);
    RUN(language_tags);
    RUN(hexadecimal);
    RUN(base64);
    RUN(base64_has_one_form);
    RUN(hostile_text_is_made_visible);
    RUN(the_languages_of_the_desks_stay_as_they_are);
    RUN(shown_text_holds_no_control);
    RUN(base64_without_memory_gives_nothing);
    return test_end();
}
