/* base/cbor: what the reader accepts is exactly what the writer writes. */
#include "fuzz.h"

#include "base/cbor.h"
#include "base/text.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"base/cbor", NULL}, .runs = 800000};

/* Reads one item by the typed readers and writes what was read. */
static void copy(struct cursor *cursor, struct buffer *out, unsigned depth)
{
    size_t count = 0;

    HOLD(cursor->left > 0 && depth <= CBOR_DEPTH_MAX);
    switch (*cursor->at >> 5) {
    case 0:
        cbor_put_uint(out, cbor_read_uint(cursor));
        break;
    case 2: {
        struct span bytes = cbor_read_bytes(cursor, 0, SIZE_MAX);

        cbor_put_bytes(out, bytes.data, bytes.size);
        break;
    }
    case 3: {
        struct span text = cbor_read_text(cursor, 0, SIZE_MAX);

        HOLD(text_is_utf8(text));
        cbor_put_text(out, text);
        break;
    }
    case 4:
        count = cbor_read_array(cursor, SIZE_MAX);
        cbor_put_array(out, count);
        for (; count > 0; count--)
            copy(cursor, out, depth + 1);
        break;
    case 5:
        count = cbor_read_map(cursor, SIZE_MAX);
        cbor_put_map(out, count);
        for (; count > 0; count--) {
            cbor_put_uint(out, cbor_read_uint(cursor));
            copy(cursor, out, depth + 1);
        }
        break;
    default:
        fuzz_broken(__FILE__, __LINE__, "a type of CBOR that is not used");
    }
    HOLD(!cursor->failed);
}

/* The limits that a caller sets are kept. */
static void check_limits(struct span input, uint64_t limit)
{
    struct cursor number = cursor_of(input), bytes = cursor_of(input), array = cursor_of(input), key = cursor_of(input);

    HOLD(cbor_read_uint_max(&number, limit) <= limit);
    HOLD(cbor_read_bytes(&bytes, 2, (size_t)limit).size <= limit);
    HOLD(cbor_read_array(&array, (size_t)limit) <= limit);
    cbor_read_key(&key, limit);
    if (!key.failed) {
        struct cursor again = cursor_of(input);

        HOLD(cbor_read_uint(&again) == limit);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    struct span item = cbor_read_any(&cursor);
    struct buffer again = {0};

    check_limits(span_of(data, size), size > 0 ? data[size - 1] : 0);
    if (cursor.failed) {
        HOLD(item.size == 0 && cbor_read_any(&cursor).size == 0 && cbor_read_uint(&cursor) == 0);
        return 0;
    }
    HOLD(item.data == data && item.size + cursor.left == size);
    cursor = cursor_of(item);
    copy(&cursor, &again, 0);
    HOLD(cursor_done(&cursor));
    fuzz_same(&again, item);
    return 0;
}
