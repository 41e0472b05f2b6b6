#include "base/cbor.h"

#include "base/text.h"
#include "test.h"

/* The bytes of a hexadecimal string, in a buffer the caller frees. */
static struct buffer bytes_of(const char *hex)
{
    struct buffer bytes = {0};
    uint8_t *to = buffer_extend(&bytes, strlen(hex) / 2);

    if (to == NULL || !text_from_hex(span_of_string(hex), to, strlen(hex) / 2))
        abort();
    return bytes;
}

static bool reads_any(const char *hex)
{
    struct buffer bytes = bytes_of(hex);
    struct cursor cursor = cursor_of(buffer_span(&bytes));
    struct span item = cbor_read_any(&cursor);
    bool ok = cursor_done(&cursor) && item.size == bytes.size;

    buffer_free(&bytes);
    return ok;
}

static bool writes(const struct buffer *written, const char *hex)
{
    struct buffer wanted = bytes_of(hex);
    bool ok = !buffer_failed(written) && span_equal(buffer_span(written), buffer_span(&wanted));

    buffer_free(&wanted);
    return ok;
}

/* RFC 8949 appendix A, the rows of the types that this subset has. */
static void rfc8949_appendix_a_numbers(void)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } rows[] = {
        {0, "00"},
        {1, "01"},
        {10, "0a"},
        {23, "17"},
        {24, "1818"},
        {25, "1819"},
        {100, "1864"},
        {1000, "1903e8"},
        {1000000, "1a000f4240"},
        {1000000000000, "1b000000e8d4a51000"},
        {UINT64_MAX, "1bffffffffffffffff"},
        /* the edges of each width */
        {255, "18ff"},
        {256, "190100"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {UINT32_MAX, "1affffffff"},
        {UINT64_C(1) << 32, "1b0000000100000000"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer written = {0};
        struct buffer bytes = bytes_of(rows[i].hex);
        struct cursor cursor = cursor_of(buffer_span(&bytes));

        cbor_put_uint(&written, rows[i].value);
        CHECK(writes(&written, rows[i].hex));
        CHECK(cbor_read_uint(&cursor) == rows[i].value && cursor_done(&cursor));
        if (rows[i].value > 0) {
            cursor = cursor_of(buffer_span(&bytes));
            (void)cbor_read_uint_max(&cursor, rows[i].value - 1);
            CHECK(cursor.failed);
        }
        buffer_free(&bytes);
        buffer_free(&written);
    }
}

static void rfc8949_appendix_a_strings(void)
{
    static const struct {
        bool text;
        const char *content;
        const char *hex;
    } rows[] = {
        {false, "", "40"},
        {false, "\x01\x02\x03\x04", "4401020304"},
        {true, "", "60"},
        {true, "a", "6161"},
        {true, "IETF", "6449455446"},
        {true, "\"\\", "62225c"},
        {true, "\u00fc", "62c3bc"},
        {true, "\u6c34", "63e6b0b4"},
        {true, "\U00010151", "64f0908591"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span content = span_of_string(rows[i].content);
        struct buffer written = {0};
        struct buffer bytes = bytes_of(rows[i].hex);
        struct cursor cursor = cursor_of(buffer_span(&bytes));
        struct span read = {0};

        if (rows[i].text)
            cbor_put_text(&written, content);
        else
            cbor_put_bytes(&written, content.data, content.size);
        CHECK(writes(&written, rows[i].hex));
        read = rows[i].text ? cbor_read_text(&cursor, 0, 10) : cbor_read_bytes(&cursor, 0, 10);
        CHECK(cursor_done(&cursor) && span_equal(read, content));
        buffer_free(&bytes);
        buffer_free(&written);
    }
}

static void rfc8949_appendix_a_structures(void)
{
    static const char *const good[] = {
        "80", "83010203",   "8301820203820405",
        "a0", "a201020304", "98190102030405060708090a0b0c0d0e0f101112131415161718181819"};
    /* Valid CBOR of appendix A that this subset does not have: negative numbers, floats, simple values, tags,
     * indefinite lengths, maps with text keys. */
    static const char *const other[] = {
        "20",
        "29",
        "3863",
        "3903e7",
        "3bffffffffffffffff",
        "f90000",
        "f98000",
        "f93c00",
        "fb3ff199999999999a",
        "f97c00",
        "f97e00",
        "fa47c35000",
        "f4",
        "f5",
        "f6",
        "f7",
        "f0",
        "f8ff",
        "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0",
        "d74401020304",
        "d818456449455446",
        "c249010000000000000000",
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "83018202039f0405ff",
        "bf61610161629f0203ffff",
        "a26161016162820203",
        "826161a161626163",
        "a56161614161626142616361436164614461656145",
    };
    struct buffer written = {0};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(reads_any(good[i]));
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        CHECK(!reads_any(other[i]));
    cbor_put_array(&written, 3);
    cbor_put_uint(&written, 1);
    cbor_put_map(&written, 1);
    cbor_put_uint(&written, 2);
    cbor_put_uint(&written, 3);
    cbor_put_array(&written, 0);
    CHECK(writes(&written, "8301a1020380"));
    buffer_free(&written);
}

static void refuses_what_is_not_canonical(void)
{
    static const char *const bad[] = {
        "", /* nothing */
        "1800",
        "1817", /* one byte where none is needed */
        "190000",
        "1900ff", /* two where one would do */
        "1a00000000",
        "1a0000ffff", /* four where two would do */
        "1b0000000000000000",
        "1b00000000ffffffff",
        "580161",
        "5900016100",
        "780161", /* the same in lengths */
        "9800",
        "980101",
        "b800",
        "b8010102",
        "1c",
        "1d",
        "1e",
        "1f",
        "5c",
        "7d",
        "9e",
        "bc", /* reserved */
        "5f",
        "7f",
        "9f",
        "bf",
        "ff", /* indefinite, break */
        "18",
        "19ff",
        "1affffff",
        "1bffffffffffffff", /* cut off */
        "41",
        "4261",
        "61",
        "8201",
        "a101",
        "a1",
        "61ff",
        "62c080",
        "63eda080",
        "64f4908080", /* not UTF-8 */
        "a201020102", /* a key twice */
        "a202010101", /* keys falling */
        "a218180118170"
        "2", /* keys falling, and not shortest */
        "a14001",
        "a16001",
        "a18001",
        "a1a001", /* keys of another type */
        "0000",
        "8000",
        "a000",
        "4000", /* trailing bytes */
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "bb8000000000000000", /* giants */
        "818181818181818180"
        "80",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!reads_any(bad[i]));
        if (reads_any(bad[i]))
            printf("# accepted: %s\n", bad[i]);
    }
}

static void depth_is_bounded(void)
{
    CHECK(reads_any("8181818181818101"));   /* seven */
    CHECK(reads_any("818181818181818101")); /* eight */
    CHECK(!reads_any("81818181818181818101"));
    CHECK(!reads_any("818181818181818180")); /* the ninth may not even be empty */
}

static void typed_reads_refuse_other_types_and_sizes(void)
{
    uint8_t out[4] = {1, 1, 1, 1};
    struct buffer three = bytes_of("43010203");
    struct buffer text = bytes_of("6161");
    struct cursor cursor = cursor_of(buffer_span(&three));

    cbor_copy_bytes(&cursor, out, 4);
    CHECK(cursor.failed && out[0] == 0 && out[3] == 0);
    cursor = cursor_of(buffer_span(&three));
    CHECK(cbor_read_bytes(&cursor, 4, 9).size == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&three));
    CHECK(cbor_read_bytes(&cursor, 0, 2).size == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&three));
    CHECK(cbor_read_text(&cursor, 0, 9).size == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&text));
    CHECK(cbor_read_bytes(&cursor, 0, 9).size == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&text));
    CHECK(cbor_read_array(&cursor, 9) == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&text));
    CHECK(cbor_read_map(&cursor, 9) == 0 && cursor.failed);
    cursor = cursor_of(buffer_span(&text));
    CHECK(cbor_read_uint(&cursor) == 0 && cursor.failed);
    cursor = cursor_of(span_of("\x02", 1));
    cbor_read_key(&cursor, 1);
    CHECK(cursor.failed);
    buffer_free(&text);
    buffer_free(&three);
}

/* A generator that repeats itself from a seed; splitmix64. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The first generator: values first. It writes random items through the writer. */
static void put_random(struct buffer *out, uint64_t *state, unsigned depth)
{
    static const char *const texts[] = {
        "", "a", "\u0645\u0631\u062d\u0628\u0627", "\uc548\ub155", "\u4f60\u597d", "\U0001f54a"};
    uint8_t bytes[300];
    uint64_t key = draw(state) % 30;
    size_t size = draw(state) % 5;

    switch (draw(state) % (depth < CBOR_DEPTH_MAX - 1 ? 5 : 3)) {
    case 0:
        cbor_put_uint(out, draw(state) >> draw(state) % 64);
        break;
    case 1:
        size = draw(state) % sizeof bytes;
        memset(bytes, (int)(draw(state) & 0xff), sizeof bytes);
        cbor_put_bytes(out, bytes, size);
        break;
    case 2:
        cbor_put_text(out, span_of_string(texts[draw(state) % 6]));
        break;
    case 3:
        cbor_put_array(out, size);
        for (size_t i = 0; i < size; i++)
            put_random(out, state, depth + 1);
        break;
    default:
        cbor_put_map(out, size);
        for (size_t i = 0; i < size; i++, key += 1 + draw(state) % 300) {
            cbor_put_uint(out, key);
            put_random(out, state, depth + 1);
        }
    }
}

/* Reads an item with the typed calls and writes what was read. */
static void read_and_write(struct cursor *cursor, struct buffer *out)
{
    struct span string = {0};
    size_t count = 0;
    uint8_t major = cursor->left > 0 ? *cursor->at >> 5 : 7;

    switch (major) {
    case 0:
        cbor_put_uint(out, cbor_read_uint(cursor));
        return;
    case 2:
        string = cbor_read_bytes(cursor, 0, SIZE_MAX);
        cbor_put_bytes(out, string.data, string.size);
        return;
    case 3:
        cbor_put_text(out, cbor_read_text(cursor, 0, SIZE_MAX));
        return;
    case 4:
        count = cbor_read_array(cursor, 1000);
        cbor_put_array(out, count);
        for (size_t i = 0; i < count && !cursor->failed; i++)
            read_and_write(cursor, out);
        return;
    case 5:
        count = cbor_read_map(cursor, 1000);
        cbor_put_map(out, count);
        for (size_t i = 0; i < count && !cursor->failed; i++) {
            cbor_put_uint(out, cbor_read_uint(cursor));
            read_and_write(cursor, out);
        }
        return;
    default:
        (void)cursor_fail(cursor);
    }
}

static bool round_trips(struct span item)
{
    struct cursor cursor = cursor_of(item);
    struct buffer again = {0};
    bool ok = false;

    read_and_write(&cursor, &again);
    ok = cursor_done(&cursor) && span_equal(buffer_span(&again), item);
    buffer_free(&again);
    return ok;
}

static void written_values_read_back_the_same(void)
{
    uint64_t state = 1;

    for (int i = 0; i < 20000; i++) {
        struct buffer item = {0};
        struct cursor cursor = {0};

        put_random(&item, &state, 0);
        cursor = cursor_of(buffer_span(&item));
        (void)cbor_read_any(&cursor);
        CHECK(cursor_done(&cursor));
        CHECK(round_trips(buffer_span(&item)));
        buffer_free(&item);
    }
}

/* The second generator: bytes first. It knows nothing of the writer; it draws bytes that like to look like CBOR, and
 * whatever of them is accepted must be what the writer would have written. */
static void accepted_bytes_are_what_the_writer_writes(void)
{
    static const uint8_t liked[] = {0x00, 0x01, 0x02, 0x17, 0x18, 0x19, 0x1a, 0x40, 0x41, 0x42, 0x58, 0x60, 0x61, 0x62,
                                    0x78, 0x80, 0x81, 0x82, 0x83, 0x98, 0xa0, 0xa1, 0xa2, 0xb8, 0xc3, 0xbc, 0xff, 0xf6};
    uint64_t state = 2;
    unsigned accepted = 0;
    unsigned with_maps = 0;

    for (int i = 0; i < 400000; i++) {
        uint8_t bytes[12];
        struct cursor cursor = {0};
        struct span item = {0};

        for (size_t k = 0; k < sizeof bytes; k++) {
            uint64_t r = draw(&state);

            bytes[k] = r % 8 == 0 ? (uint8_t)(r >> 32) : liked[(r >> 8) % sizeof liked];
        }
        cursor = cursor_of(span_of(bytes, 1 + draw(&state) % sizeof bytes));
        item = cbor_read_any(&cursor);
        if (cursor.failed)
            continue;
        accepted++;
        with_maps += item.data[0] >> 5 == 5 && item.size > 4;
        CHECK(round_trips(item));
    }
    CHECK(accepted > 50000 && with_maps > 200);
}

static void text_that_is_no_utf8_is_refused(void)
{
    static const char *const rows[] = {"61ff", "62c3c3", "63e28022", "64f4908080"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bytes = bytes_of(rows[i]);
        struct cursor cursor = cursor_of(buffer_span(&bytes));

        CHECK(cbor_read_text(&cursor, 0, 9).size == 0 && cursor.failed);
        buffer_free(&bytes);
    }
}

int main(void)
{
    RUN(rfc8949_appendix_a_numbers);
    RUN(rfc8949_appendix_a_strings);
    RUN(rfc8949_appendix_a_structures);
    RUN(refuses_what_is_not_canonical);
    RUN(depth_is_bounded);
    RUN(typed_reads_refuse_other_types_and_sizes);
    RUN(written_values_read_back_the_same);
    RUN(accepted_bytes_are_what_the_writer_writes);
    RUN(text_that_is_no_utf8_is_refused);
    return test_end();
}
