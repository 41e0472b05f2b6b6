/* base/cursor: any sequence of reads agrees with a reader that knows nothing but a place in the input. */
#include "fuzz.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"base/cbor", NULL}, .runs = 800000};

/* The next `size` bytes of the model's input, or NULL where there are fewer, now or at any read before. */
static const uint8_t *take(struct span input, size_t *at, size_t size, bool *failed)
{
    const uint8_t *from = input.data + *at;

    *failed = *failed || size > input.size - *at;
    if (*failed)
        return NULL;
    *at += size;
    return from;
}

static uint64_t number(const uint8_t *from, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; from != NULL && i < size; i++)
        value = value << 8 | from[i];
    return value;
}

static void check_line(struct span got, struct span input, size_t *at, bool *failed)
{
    size_t size = 0;
    const uint8_t *from = NULL;

    while (*at + size < input.size && input.data[*at + size] != '\n')
        size++;
    from = take(input, at, size + 1, failed);
    HOLD(from == NULL ? got.size == 0 : got.data == from && got.size == size);
}

static void check_copy(struct cursor *cursor, size_t size, struct span input, size_t *at, bool *failed)
{
    static const uint8_t zeros[16];
    uint8_t out[16];
    const uint8_t *from = NULL;

    memset(out, 0xee, sizeof out);
    cursor_copy(cursor, out, size);
    from = take(input, at, size, failed);
    HOLD(memcmp(out, from != NULL ? from : zeros, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t half = size / 2;
    struct span input = span_of(data + half, size - half), got = {0};
    struct cursor cursor = cursor_of(input);
    size_t at = 0;
    bool failed = false;

    for (size_t i = 0; i < half; i++) {
        size_t ask = data[i] >> 3;
        const uint8_t *from = NULL;

        switch (data[i] & 7) {
        case 0:
            HOLD(cursor_u8(&cursor) == number(take(input, &at, 1, &failed), 1));
            break;
        case 1:
            HOLD(cursor_u16(&cursor) == number(take(input, &at, 2, &failed), 2));
            break;
        case 2:
            HOLD(cursor_u32(&cursor) == number(take(input, &at, 4, &failed), 4));
            break;
        case 3:
            HOLD(cursor_u64(&cursor) == number(take(input, &at, 8, &failed), 8));
            break;
        case 4:
            check_copy(&cursor, ask % 17, input, &at, &failed);
            break;
        case 5:
            check_line(cursor_line(&cursor), input, &at, &failed);
            break;
        default:
            got = cursor_span(&cursor, ask);
            from = take(input, &at, ask, &failed);
            HOLD(from == NULL ? got.size == 0 : got.data == from && got.size == ask);
        }
        HOLD(cursor.failed == failed);
        HOLD(failed || cursor.left == input.size - at);
        HOLD(cursor_done(&cursor) == (!failed && at == input.size));
    }
    return 0;
}
