/* link/handshake: a first message that was changed in any bit brings a responder to say nothing, and to close in time.
 */
#include "harness.h"

#include <stdio.h>

#include "link/pair.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 1000};

/* What a stranger said is met with silence until the deadline. */
static void check_silence(struct channel *responder, const struct seen *seen)
{
    struct buffer wire = {0};
    struct channel_event event;

    HOLD(seen->established == 0 && seen->messages == 0 && seen->identified == 0);
    HOLD(!channel_has_output(responder) && channel_output(responder, &wire, 65536, at_us(0)) == 0 && wire.size == 0);
    HOLD(channel_room(responder, true) == 0 && channel_room(responder, false) == 0);
    channel_step(responder, at_us(CHANNEL_HANDSHAKE_US));
    while (channel_event(responder, &event))
        if (event.kind == CHANNEL_CLOSED)
            HOLD(fuzz_is_shown(span_of_string(event.reason), false) && strlen(event.reason) > 0);
    HOLD(channel_next(responder).us == NEVER.us);
    HOLD(channel_output(responder, &wire, 65536, at_us(CHANNEL_HANDSHAKE_US)) == 0);
    buffer_free(&wire);
}

/* The input: the size of the pieces, how much is cut off, what is changed, and what is said afterwards. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    struct pair pair = {.piece = cursor_u8(&cursor)};
    size_t cut = cursor_u8(&cursor);
    bool changed = false;

    fuzz_start();
    pair_open(&pair, FRAME_1024);
    (void)channel_output(pair.initiator, &pair.to_responder, 65536, at_us(0));
    HOLD(pair.to_responder.size == HANDSHAKE_FRAME);
    changed = fuzz_edit(&cursor, pair.to_responder.data, HANDSHAKE_FRAME);
    if (changed) {
        pair.to_responder.size -= cut;
        buffer_put_span(&pair.to_responder, cursor_rest(&cursor));
    }
    arrive(&pair, pair.responder, &pair.by_responder, &pair.to_responder, at_us(0));
    if (changed) {
        check_silence(pair.responder, &pair.by_responder);
    } else {
        carry(&pair, at_us(0));
        HOLD(pair.by_initiator.established == 1 && pair.by_responder.established == 1);
        HOLD(pair.by_responder.counter == COUNTER && pair.by_responder.offer.member == MEMBER);
    }
    pair_close(&pair);
    return 0;
}
