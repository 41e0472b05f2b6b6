/*
 * Our CBOR against libcbor: it reads everything that we write as the same values, and whatever bytes we accept. It
 * accepts much that we refuse, so nothing is asked of what we refuse.
 */
#include <cbor.h>

#include "base/cbor.h"
#include "test.h"

static uint64_t state;

/* splitmix64 */
static uint64_t draw(uint64_t below)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static void put_random(struct buffer *out, unsigned depth)
{
    static const char *const texts[] = {"", "message", "\ud68c\uc758\uc2e4", "\U0001f54a"};
    uint8_t bytes[300];
    uint64_t key = draw(30);
    size_t size = draw(6);

    switch (draw(depth < CBOR_DEPTH_MAX - 1 ? 5 : 3)) {
    case 0:
        cbor_put_uint(out, draw(UINT64_MAX) >> draw(64));
        break;
    case 1:
        memset(bytes, (int)draw(256), sizeof bytes);
        cbor_put_bytes(out, bytes, draw(sizeof bytes));
        break;
    case 2:
        cbor_put_text(out, span_of_string(texts[draw(4)]));
        break;
    case 3:
        cbor_put_array(out, size);
        for (size_t i = 0; i < size; i++)
            put_random(out, depth + 1);
        break;
    default:
        cbor_put_map(out, size);
        for (size_t i = 0; i < size; i++, key += 1 + draw(300)) {
            cbor_put_uint(out, key);
            put_random(out, depth + 1);
        }
    }
}

/* Whether our reader, from the cursor on, and libcbor's item say the same. */
static bool is_same(struct cursor *cursor, const cbor_item_t *item)
{
    struct span string = {0};
    size_t count = 0;

    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        return cbor_read_uint(cursor) == cbor_get_int(item) && !cursor->failed;
    case CBOR_TYPE_BYTESTRING:
        string = cbor_read_bytes(cursor, 0, SIZE_MAX);
        return cbor_bytestring_is_definite(item) && !cursor->failed &&
               span_equal(string, span_of(cbor_bytestring_handle(item), cbor_bytestring_length(item)));
    case CBOR_TYPE_STRING:
        string = cbor_read_text(cursor, 0, SIZE_MAX);
        return cbor_string_is_definite(item) && !cursor->failed &&
               span_equal(string, span_of(cbor_string_handle(item), cbor_string_length(item)));
    case CBOR_TYPE_ARRAY:
        count = cbor_read_array(cursor, SIZE_MAX);
        if (!cbor_array_is_definite(item) || count != cbor_array_size(item))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!is_same(cursor, cbor_array_handle(item)[i]))
                return false;
        return !cursor->failed;
    case CBOR_TYPE_MAP:
        count = cbor_read_map(cursor, SIZE_MAX);
        if (!cbor_map_is_definite(item) || count != cbor_map_size(item))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!is_same(cursor, cbor_map_handle(item)[i].key) || !is_same(cursor, cbor_map_handle(item)[i].value))
                return false;
        return !cursor->failed;
    default:
        return false;
    }
}

static bool libcbor_agrees(struct span bytes)
{
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load(bytes.data, bytes.size, &result);
    struct cursor cursor = cursor_of(bytes);
    bool ok = item != NULL && result.read == bytes.size && is_same(&cursor, item) && cursor_done(&cursor);

    if (item != NULL)
        cbor_decref(&item);
    return ok;
}

static void libcbor_reads_what_we_write(void)
{
    state = 1;
    for (int i = 0; i < 20000; i++) {
        struct buffer out = {0};

        put_random(&out, 0);
        CHECK(libcbor_agrees(buffer_span(&out)));
        buffer_free(&out);
    }
}

/* Mutations of good items: what is still accepted has to mean the same to both. */
static void libcbor_reads_what_we_accept(void)
{
    unsigned accepted = 0, refused = 0;

    state = 2;
    for (int i = 0; i < 100000; i++) {
        struct buffer out = {0};
        struct cursor cursor = {0};

        put_random(&out, 0);
        for (uint64_t changes = 1 + draw(3); changes > 0; changes--)
            out.data[draw(out.size)] = draw(3) == 0 ? (uint8_t)draw(256) : (uint8_t)(out.data[draw(out.size)] + 1);
        cursor = cursor_of(buffer_span(&out));
        (void)cbor_read_any(&cursor);
        if (cursor_done(&cursor)) {
            accepted++;
            CHECK(libcbor_agrees(buffer_span(&out)));
        } else {
            refused++;
        }
        buffer_free(&out);
    }
    CHECK(accepted > 10000 && refused > 10000);
}

int main(void)
{
    RUN(libcbor_reads_what_we_write);
    RUN(libcbor_reads_what_we_accept);
    return test_end();
}
