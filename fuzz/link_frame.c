/*
 * link/frame: the plain text of frames, changed before it is sealed, so that no tag stops it. What the channel hands
 * out is what a second reading of the same bytes finds, written after spec/link.md alone.
 */
#include "harness.h"

#include <stdio.h>

#include "link/pair.h"

#define PLAIN (256 - AEAD_TAG_SIZE)

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"link/frame", NULL}, .runs = 600};

/* The second reading. */
struct reading {
    struct buffer unfinished[2], whole[2]; /* of each lane */
    unsigned messages;
    bool over;
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

/* One chunk; false if the channel is to end with it. */
static bool read_one(struct reading *reading, unsigned type, const uint8_t *bytes, size_t size)
{
    bool urgent = type >= 6, last = type == 2 || type == 7;
    struct buffer *unfinished = &reading->unfinished[urgent];

    if (type == 3 || type == 4)
        return size == 8;
    if (type == 5 || type > 7 || size == 0 || unfinished->size + size > (urgent ? 131072u : 1114112u))
        return false;
    buffer_put(unfinished, bytes, size);
    if (last) {
        buffer_put_span(&reading->whole[urgent], buffer_span(unfinished));
        buffer_reset(unfinished);
        reading->messages++;
    }
    return true;
}

static void read_again(struct reading *reading, const uint8_t plain[static PLAIN])
{
    size_t at = 0;

    while (!reading->over && PLAIN - at >= 3 && plain[at] != 0) {
        size_t size = (size_t)plain[at + 1] << 8 | plain[at + 2];

        if (size > PLAIN - at - 3 || !read_one(reading, plain[at], plain + at + 3, size))
            reading->over = true;
        at += 3 + (reading->over ? 0 : size);
    }
    reading->over = reading->over || !is_zero(plain + at, PLAIN - at);
}

static void check_frame(struct pair *pair, struct reading *reading, struct span plain)
{
    uint8_t wire[256] = {0};

    memcpy(wire, plain.data, plain.size);
    read_again(reading, wire);
    HOLD(noise_encrypt(&pair->initiator->keys->send, span_of(NULL, 0), span_of(wire, PLAIN), wire));
    channel_input(pair->responder, span_of(wire, sizeof wire), at_us(1));
    take(pair->responder, &pair->by_responder, INITIATOR_SECRET, at_us(1));
    HOLD(pair->by_responder.messages == reading->messages);
    HOLD((pair->by_responder.closed == 1) == reading->over);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    struct pair pair = {0};
    struct reading reading = {0};

    fuzz_start();
    pair_establish(&pair, FRAME_256);
    HOLD(pair.by_responder.established == 1);
    while (!reading.over && cursor.left > 0)
        check_frame(&pair, &reading, cursor_span(&cursor, cursor.left < PLAIN ? cursor.left : PLAIN));
    for (int lane = 0; lane < 2; lane++)
        HOLD(span_equal(buffer_span(&pair.by_responder.lane[lane]), buffer_span(&reading.whole[lane])));
    HOLD(!reading.over || strlen(pair.by_responder.reason) > 0);
    HOLD(fuzz_is_shown(span_of_string(pair.by_responder.reason), false));
    for (int lane = 0; lane < 2; lane++) {
        buffer_free(&reading.unfinished[lane]);
        buffer_free(&reading.whole[lane]);
    }
    pair_close(&pair);
    return 0;
}
