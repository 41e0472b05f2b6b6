#include "vectors_each.h"

#include "base/cbor.h"

/* The reader of CBOR gives no reasons; the vectors' are for people. */
static int run_cbor(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct span item = cbor_read_any(&cursor);

    if (!cursor_done(&cursor)) {
        (void)snprintf(error->message, sizeof error->message,
                       "no item; not the shortest form; reserved; indefinite length; a type that is not used; keys do "
                       "not rise; a key that is no number; not UTF-8; cut off; too deep; bytes left");
        return -1;
    }
    buffer_put_span(output, item);
    return 0;
}

static int run_shown(struct span input, struct buffer *output, struct error *error)
{
    (void)error;
    text_put_shown(output, input, false);
    return 0;
}

static void cbor(void)
{
    each_case("base/cbor", run_cbor);
}

static void shown(void)
{
    each_case("base/shown", run_shown);
}

int main(void)
{
    RUN(cbor);
    RUN(shown);
    return test_end();
}
