/*
 * What comes over a wire: first, second and third messages, frames, and what is in them. A channel has no codes: what
 * is wrong is a reason, and counts as invalid here.
 */
#include "catalogue.h"
#include "link/pair.h"

#define SILENT "no handshake within 10 s: "
#define NO_LINE SILENT "the first message is not made with the courier key of any line"
#define UNPROVED SILENT "the first message does not prove the link key of the member that it names"

/* What a channel did on account of something that it should refuse. */
static struct {
    unsigned established, messages, pongs;
    size_t said; /* bytes */
} done;

static void picture(void *context, struct buffer *out)
{
    (void)context;
    buffer_put(out, &done, sizeof done);
    memset(&done, 0, sizeof done);
}

/* Everything that still comes of a channel, up to its end. It must end with a reason, or the input was accepted. */
static int ending(struct channel *channel, struct seen *seen, struct error *error)
{
    struct now late = at_us(CHANNEL_HANDSHAKE_US);
    struct buffer out = {0};

    take(channel, seen, INITIATOR_SECRET, at_us(0));
    (void)channel_output(channel, &out, SIZE_MAX, at_us(0));
    done.said += out.size;
    channel_step(channel, late);
    take(channel, seen, INITIATOR_SECRET, late);
    done.established += seen->established;
    done.messages += seen->messages;
    done.pongs += seen->pongs;
    buffer_free(&out);
    return seen->closed > 0 ? error_set(error, ERROR_INVALID, "%s", seen->reason) : 0;
}

/* --- the first message ------------------------------------------------------------------------------------------- */

/* It is accepted if it draws an answer. */
static int feed_first(void *context, struct span input, struct error *error)
{
    struct channel *responder = new_example_responder();
    struct seen seen = {0};
    int result = 0;

    (void)context;
    channel_input(responder, input, at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    if (seen.identified == 0 || !channel_has_output(responder))
        result = ending(responder, &seen, error);
    channel_free(responder);
    seen_free(&seen);
    return result;
}

static const struct interface first_in = {"first message", feed_first, picture, NULL};

static void first_of(struct buffer *out, uint8_t static_secret, const uint8_t payload[INNER_PAYLOAD])
{
    struct stranger stranger;

    buffer_reset(out);
    stranger_start(&stranger, true, static_secret);
    stranger_first(&stranger, static_secret, payload, out);
}

static const char *first_region(size_t at)
{
    return at < 32    ? "the ephemeral key"
           : at == 32 ? "the member's number"
           : at < 65  ? "the inner ephemeral key"
           : at < 113 ? "the inner static key"
           : at < 224 ? "the inner payload"
           : at < 240 ? "the inner tag"
                      : "the tag";
}

static void first_bits(void)
{
    struct buffer specimen = {0}, out = {0};
    uint8_t payload[INNER_PAYLOAD];

    inner_payload(payload);
    first_of(&specimen, INITIATOR_SECRET, payload);
    family_begin("first messages with a bit changed");
    good(&first_in, buffer_span(&specimen), "the specimen");
    for (size_t at = 0; at < specimen.size; at += at < 40 ? 1 : 3) {
        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&specimen));
        out.data[at] ^= (uint8_t)(1u << at % 8);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, NO_LINE, "bit %zu of byte %zu changed, in %s", at % 8, at,
            first_region(at));
    }
    family_end();
    family_begin("first messages cut short");
    catalogue.cut = true;
    for (size_t at = 0; at < specimen.size; at += 3)
        bad(&first_in, span_of(specimen.data, at), ERROR_INVALID, SILENT "the first message did not come",
            "cut after byte %zu of %zu, in %s", at, specimen.size, first_region(at));
    family_end();
    family_begin("what follows a first message before it is answered");
    for (size_t size = 1; size < 2000; size = 2 * size + 5) {
        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&specimen));
        memset(buffer_extend(&out, size), 0, size);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, SILENT "more came before the first message was answered",
            "with %zu zeros behind it", size);
        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&specimen));
        for (size_t i = 0; i < size; i++)
            buffer_put_u8(&out, specimen.data[i % specimen.size]);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, SILENT "more came before the first message was answered",
            "with %zu bytes of it again", size);
    }
    family_end();
    buffer_free(&specimen);
    buffer_free(&out);
}

static void first_strangers(void)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
                                        "SSH-2.0-OpenSSH_9.2\r\n",
                                        "\x16\x03\x01\x02",
                                        "{\"jsonrpc\":\"2.0\"}",
                                        "EHLO example\r\n",
                                        "\x05\x01",
                                        "USER anonymous\r\n",
                                        "OPTIONS * RTSP/1.0\r\n",
                                        "*1\r\n$4\r\nPING\r\n",
                                        "CONNECT example:443 HTTP/1.1\r\n\r\n"};
    static const char *const points[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                         "0100000000000000000000000000000000000000000000000000000000000000",
                                         "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                         "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                         "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                         "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    struct buffer out = {0};
    uint8_t payload[INNER_PAYLOAD];

    inner_payload(payload);
    family_begin("first messages by strangers");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer_reset(&out);
        while (out.size < HANDSHAKE_FRAME)
            buffer_print(&out, "%s", texts[i]);
        out.size = HANDSHAKE_FRAME;
        bad(&first_in, buffer_span(&out), ERROR_INVALID, NO_LINE, "another protocol's words, number %zu", i);
    }
    for (unsigned fill = 0; fill < 256; fill += 15) {
        buffer_reset(&out);
        memset(buffer_extend(&out, HANDSHAKE_FRAME), (int)fill, HANDSHAKE_FRAME);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, NO_LINE, "256 times 0x%02x", fill);
    }
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        first_of(&out, INITIATOR_SECRET, payload);
        (void)text_from_hex(span_of_string(points[i]), out.data, DH_SIZE);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, NO_LINE, "with the ephemeral key %.4s...%s", points[i],
            points[i] + 60);
    }
    for (unsigned secret = 0; secret < 16; secret++) {
        first_of(&out, (uint8_t)(0x70 + secret), payload);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, UNPROVED,
            "by somebody of the link secret 0x%02x, in the member's name", 0x70 + secret);
    }
    family_end();
    buffer_free(&out);
}

/* Made by a real initiator that has another key, another line, or means another office. */
static void first_others(void)
{
    struct buffer out = {0};

    family_begin("first messages for another line or office");
    for (unsigned i = 0; i < 24; i++) {
        struct channel *initiator = i < 8    ? new_initiator(FRAME_1024, line_of(LINE_ID, (uint8_t)i), RESPONDER_SECRET)
                                    : i < 16 ? new_initiator(FRAME_1024, line_of((uint8_t)i, COURIER), RESPONDER_SECRET)
                                             : new_initiator(FRAME_1024, line_of(LINE_ID, COURIER), (uint8_t)i);

        buffer_reset(&out);
        (void)channel_output(initiator, &out, SIZE_MAX, at_us(0));
        bad(&first_in, buffer_span(&out), ERROR_INVALID, NO_LINE, "%s 0x%02x",
            i < 8    ? "made with the courier key"
            : i < 16 ? "for the line"
                     : "for the office of the link secret",
            i);
        channel_free(initiator);
    }
    family_end();
    buffer_free(&out);
}

static void first_payloads(void)
{
    struct buffer out = {0};
    uint8_t payload[INNER_PAYLOAD];

    family_begin("first messages whose payload is none");
    for (unsigned frame_class = 3; frame_class < 256; frame_class += frame_class < 20 ? 1 : 13) {
        inner_payload(payload);
        payload[0] = (uint8_t)frame_class;
        first_of(&out, INITIATOR_SECRET, payload);
        bad(&first_in, buffer_span(&out), ERROR_INVALID,
            SILENT "the first message asks for frames of a size that there is not", "the frame class %u", frame_class);
    }
    for (size_t at = 9; at < INNER_PAYLOAD; at += 3) {
        inner_payload(payload);
        payload[at] = (uint8_t)(1u << at % 8);
        first_of(&out, INITIATOR_SECRET, payload);
        bad(&first_in, buffer_span(&out), ERROR_INVALID, SILENT "the first message's padding is not zero",
            "byte %zu of the payload is not zero", at);
    }
    for (uint64_t counter = 0; counter < 4; counter++) {
        inner_payload(payload);
        payload[0] = 99;
        put_u64_be(payload + 1, counter);
        first_of(&out, INITIATOR_SECRET, payload);
        bad(&first_in, buffer_span(&out), ERROR_INVALID,
            SILENT "the first message asks for frames of a size that there is not",
            "the frame class 99 and the counter %u", (unsigned)counter);
    }
    family_end();
    buffer_free(&out);
}

/* A counter that was seen: the same message again, or one from before. */
static int feed_replay(void *context, struct span input, struct error *error)
{
    struct channel *responder = new_example_responder();
    struct seen seen = {.highest = *(const uint64_t *)context};
    int result = 0;

    channel_input(responder, input, at_us(0));
    take(responder, &seen, INITIATOR_SECRET, at_us(0));
    if (!channel_has_output(responder))
        result = ending(responder, &seen, error);
    channel_free(responder);
    seen_free(&seen);
    return result;
}

static void first_replays(void)
{
    static uint64_t highest = COUNTER;
    static const struct interface replay_in = {"first message again", feed_replay, picture, &highest};
    struct buffer out = {0};
    uint8_t payload[INNER_PAYLOAD];

    family_begin("first messages whose counter is not new");
    inner_payload(payload);
    put_u64_be(payload + 1, COUNTER + 1);
    first_of(&out, INITIATOR_SECRET, payload);
    good(&replay_in, buffer_span(&out), "a counter one higher");
    for (unsigned shift = 0; shift < 52; shift++) {
        inner_payload(payload);
        put_u64_be(payload + 1, shift == 0                                  ? COUNTER
                                : COUNTER - (1ull << (shift - 1)) > COUNTER ? 0
                                                                            : COUNTER - (1ull << (shift - 1)));
        first_of(&out, INITIATOR_SECRET, payload);
        if (shift == 0)
            bad(&replay_in, buffer_span(&out), ERROR_INVALID, SILENT "the member is unknown or the counter is not new",
                "of the same counter");
        else
            bad(&replay_in, buffer_span(&out), ERROR_INVALID, SILENT "the member is unknown or the counter is not new",
                "of a counter lower by 2^%u", shift - 1);
    }
    family_end();
    buffer_free(&out);
}

/* --- the third message, and the second --------------------------------------------------------------------------- */

/* A responder that has answered, and who it answered. */
static struct channel *answered(struct stranger *stranger, uint8_t static_secret, struct seen *seen,
                                struct buffer *second)
{
    struct channel *responder = new_example_responder();
    struct buffer first = {0};
    uint8_t payload[INNER_PAYLOAD];

    inner_payload(payload);
    stranger_start(stranger, true, static_secret);
    stranger_first(stranger, INITIATOR_SECRET, payload, &first);
    channel_input(responder, buffer_span(&first), at_us(0));
    take(responder, seen, INITIATOR_SECRET, at_us(0));
    (void)channel_output(responder, second, SIZE_MAX, at_us(0));
    buffer_free(&first);
    return responder;
}

static int feed_third(void *context, struct span input, struct error *error)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct buffer second = {0};
    struct channel *responder = answered(&stranger, INITIATOR_SECRET, &seen, &second);
    int result = 0;

    (void)context;
    channel_input(responder, input, at_us(0));
    take(responder, &seen, 0, at_us(0));
    if (seen.established == 0)
        result = ending(responder, &seen, error);
    channel_free(responder);
    buffer_free(&second);
    seen_free(&seen);
    return result;
}

static int feed_second(void *context, struct span input, struct error *error)
{
    struct channel *initiator = new_example_initiator(FRAME_256);
    struct seen seen = {0};
    struct buffer out = {0};
    int result = 0;

    (void)context;
    (void)channel_output(initiator, &out, SIZE_MAX, at_us(0));
    channel_input(initiator, input, at_us(0));
    take(initiator, &seen, 0, at_us(0));
    if (seen.established == 0)
        result = ending(initiator, &seen, error);
    channel_free(initiator);
    buffer_free(&out);
    seen_free(&seen);
    return result;
}

static const struct interface third_in = {"third message", feed_third, picture, NULL};
static const struct interface second_in = {"second message", feed_second, picture, NULL};

static void third_of(struct buffer *out, uint8_t static_secret, const uint8_t payload[192])
{
    struct stranger stranger;
    struct seen seen = {0};
    struct buffer second = {0}, zeros = {0};
    struct channel *responder = answered(&stranger, static_secret, &seen, &second);

    buffer_reset(out);
    if (!noise_read(&stranger.handshake, buffer_span(&second), &zeros) ||
        !noise_write(&stranger.handshake, span_of(payload, 192), out))
        abort();
    channel_free(responder);
    seen_free(&seen);
    buffer_free(&second);
    buffer_free(&zeros);
}

static void bad_message(const struct interface *on, const struct buffer *specimen, const char *wrong_by,
                        const char *missing)
{
    struct buffer out = {0};

    for (size_t at = 0; at < specimen->size; at += at < 32 || at > 240 ? 1 : 5) {
        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(specimen));
        out.data[at] ^= (uint8_t)(1u << at % 8);
        bad(on, buffer_span(&out), ERROR_INVALID, wrong_by, "bit %zu of byte %zu changed", at % 8, at);
    }
    for (unsigned fill = 0; fill < 256; fill += 51) {
        buffer_reset(&out);
        memset(buffer_extend(&out, HANDSHAKE_FRAME), (int)fill, HANDSHAKE_FRAME);
        bad(on, buffer_span(&out), ERROR_INVALID, wrong_by, "256 times 0x%02x", fill);
    }
    catalogue.cut = true;
    for (size_t at = 0; at < specimen->size; at += 8)
        bad(on, span_of(specimen->data, at), ERROR_INVALID, missing, "cut after byte %zu of %zu", at, specimen->size);
    catalogue.cut = false;
    buffer_free(&out);
}

static void thirds(void)
{
    uint8_t payload[192] = {0};
    struct buffer specimen = {0}, out = {0};

    third_of(&specimen, INITIATOR_SECRET, payload);
    family_begin("third messages that are not authentic, or not whole");
    good(&third_in, buffer_span(&specimen), "the specimen");
    bad_message(&third_in, &specimen, SILENT "the third message is not authentic",
                SILENT "the third message did not come");
    for (size_t at = 0; at < sizeof payload; at += 7) {
        memset(payload, 0, sizeof payload);
        payload[at] = 1;
        third_of(&out, INITIATOR_SECRET, payload);
        bad(&third_in, buffer_span(&out), ERROR_INVALID,
            SILENT "the third message is not authentic, or carries more than zeros",
            "byte %zu of the payload is not zero", at);
    }
    family_end();
    buffer_free(&specimen);
    buffer_free(&out);
}

static void seconds(void)
{
    struct pair pair = {0};
    struct buffer specimen = {0}, first = {0};

    pair_open(&pair, FRAME_256);
    (void)channel_output(pair.initiator, &first, SIZE_MAX, at_us(0));
    channel_input(pair.responder, buffer_span(&first), at_us(0));
    take(pair.responder, &pair.by_responder, INITIATOR_SECRET, at_us(0));
    (void)channel_output(pair.responder, &specimen, SIZE_MAX, at_us(0));
    pair_close(&pair);
    family_begin("second messages that are not authentic, or not whole");
    good(&second_in, buffer_span(&specimen), "the specimen");
    bad_message(&second_in, &specimen, SILENT "the second message is not authentic",
                SILENT "the second message did not come");
    bad(&second_in, buffer_span(&first), ERROR_INVALID, SILENT "the second message is not authentic",
        "one's own first message thrown back");
    family_end();
    buffer_free(&specimen);
    buffer_free(&first);
}

/* --- frames ------------------------------------------------------------------------------------------------------ */

/* The wire's bytes, and what they hold. */
static int feed_wire(void *context, struct span input, struct error *error)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    int result = 0;

    (void)context;
    seen.established = 0;
    channel_input(responder, input, at_us(0));
    take(responder, &seen, 0, at_us(0));
    if (seen.closed > 0)
        result = ending(responder, &seen, error);
    channel_free(responder);
    seen_free(&seen);
    return result;
}

static int feed_plain(void *context, struct span input, struct error *error)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    int result = 0;

    (void)context;
    seen.established = 0;
    stranger_say(&stranger, responder, input);
    take(responder, &seen, 0, at_us(0));
    if (seen.closed > 0)
        result = ending(responder, &seen, error);
    channel_free(responder);
    seen_free(&seen);
    return result;
}

static const struct interface wire_in = {"frame on the wire", feed_wire, picture, NULL};
static const struct interface frame_in = {"frame", feed_plain, picture, NULL};

#define ROOM 240 /* bytes of plain text in a frame */

static void wires(void)
{
    struct stranger stranger;
    struct seen seen = {0};
    struct channel *responder = stranger_establish(&stranger, &seen);
    struct buffer first = {0}, second = {0}, out = {0};
    uint8_t frame[256] = {2, 0, 5, 'h', 'e', 'l', 'l', 'o'};

    if (!noise_encrypt(&stranger.send, span_of(NULL, 0), span_of(frame, ROOM), buffer_extend(&first, 256)) ||
        !noise_encrypt(&stranger.send, span_of(NULL, 0), span_of(frame, ROOM), buffer_extend(&second, 256)))
        abort();
    family_begin("frames that were changed, repeated or exchanged on the way");
    good(&wire_in, buffer_span(&first), "the first frame");
    for (size_t at = 0; at < 256; at += 2) {
        buffer_reset(&out);
        buffer_put_span(&out, buffer_span(&first));
        out.data[at] ^= (uint8_t)(1u << at / 2 % 8);
        bad(&wire_in, buffer_span(&out), ERROR_INVALID, "a frame is not authentic", "bit %zu of byte %zu changed",
            at / 2 % 8, at);
    }
    bad(&wire_in, buffer_span(&second), ERROR_INVALID, "a frame is not authentic", "the second before the first");
    for (size_t shift = 1; shift < 256; shift += 15) {
        buffer_reset(&out);
        buffer_put(&out, first.data + shift, 256 - shift);
        buffer_put(&out, second.data, shift);
        bad(&wire_in, buffer_span(&out), ERROR_INVALID, "a frame is not authentic", "its first %zu bytes lost", shift);
        buffer_reset(&out);
        memset(buffer_extend(&out, shift), 0, shift);
        buffer_put(&out, first.data, 256 - shift);
        bad(&wire_in, buffer_span(&out), ERROR_INVALID, "a frame is not authentic", "%zu zeros before it", shift);
    }
    buffer_reset(&out);
    (void)channel_send(responder, span_of_string("hello"), false);
    (void)channel_output(responder, &out, SIZE_MAX, at_us(0));
    bad(&wire_in, buffer_span(&out), ERROR_INVALID, "a frame is not authentic", "the receiver's own thrown back");
    for (unsigned fill = 0; fill < 256; fill += 17) {
        memset(out.data, (int)fill, 256);
        bad(&wire_in, span_of(out.data, 256), ERROR_INVALID, "a frame is not authentic", "256 times 0x%02x", fill);
    }
    family_end();
    channel_free(responder);
    seen_free(&seen);
    buffer_free(&first);
    buffer_free(&second);
    buffer_free(&out);
}

static void bad_chunk(uint8_t type, size_t said, size_t size, uint8_t fill, const char *fragment, const char *name)
{
    uint8_t plain[ROOM] = {type, (uint8_t)(said >> 8), (uint8_t)said};

    memset(plain + 3, fill, size);
    bad(&frame_in, span_of(plain, sizeof plain), ERROR_INVALID, fragment, "%s", name);
}

static void chunks(void)
{
    static const char *const types[] = {"the end", "a bulk part", "a last bulk part", "a ping",
                                        "a pong",  "a close",     "an urgent part",   "a last urgent part"};
    static const size_t beyond[] = {ROOM - 2, ROOM - 1, ROOM,  ROOM + 1, 255,   256,   257,   511,  512,
                                    1024,     16384,    32767, 32768,    65279, 65280, 65534, 65535};
    char name[100];

    family_begin("frames with chunks that are none");
    good(&frame_in, span_of("\2\0\5hello", 8), "a message of five bytes");
    good(&frame_in, span_of("\3\0\010pingping", 11), "a ping");
    for (unsigned type = 8; type < 256; type += type < 32 ? 1 : 7)
        for (unsigned size = 0; size < 9; size += 8) {
            (void)snprintf(name, sizeof name, "a chunk of the type %u and %u bytes", type, size);
            bad_chunk((uint8_t)type, size, size, 'x', "the other side sent a frame with a chunk of no known type",
                      name);
        }
    for (uint8_t type = 1; type <= 7; type++)
        for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
            (void)snprintf(name, sizeof name, "%s of %zu bytes, in a frame of %d", types[type], beyond[i], ROOM);
            bad_chunk(type, beyond[i], ROOM - 3, 'x',
                      "the other side sent a frame with a chunk that is longer than the frame", name);
        }
    for (size_t size = 0; size <= 24; size++)
        for (uint8_t type = 3; type <= 4; type++) {
            (void)snprintf(name, sizeof name, "%s of %zu bytes", types[type], size);
            if (size != 8)
                bad_chunk(type, size, size, 'x',
                          type == 3 ? "the other side sent a ping that has not 8 bytes"
                                    : "the other side sent a pong that has not 8 bytes",
                          name);
        }
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t parts[] = {1, 2, 6, 7};

        (void)snprintf(name, sizeof name, "%s of no bytes", types[parts[i]]);
        bad_chunk(parts[i], 0, 0, 0, "the other side sent a message part without content", name);
    }
    for (size_t size = 201; size <= ROOM - 3; size += 4) {
        (void)snprintf(name, sizeof name, "a close of %zu bytes", size);
        bad_chunk(5, size, size, 'x', "the other side closed with a reason that is too long or not UTF-8", name);
    }
    family_end();
}

static void closes(void)
{
    static const char *const broken[] = {"\x80",         "\xff",         "\xc0\x80",         "\xc0\xaf",
                                         "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                                         "\xc3",         "\xe2\x82",     "\xf0\x9f\x98",     "\xc3(",
                                         "\xfe",         "\xe4",         "\xb0\xa1"};
    uint8_t plain[ROOM];

    family_begin("closes whose reason is no text");
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        for (size_t before = 0; before < 200; before += 66) {
            size_t size = strlen(broken[i]);

            memset(plain, 0, sizeof plain);
            plain[0] = 5;
            plain[2] = (uint8_t)(before + size);
            memset(plain + 3, 'a', before);
            memcpy(plain + 3 + before, broken[i], size);
            bad(&frame_in, span_of(plain, sizeof plain), ERROR_INVALID,
                "the other side closed with a reason that is too long or not UTF-8",
                "a close of %zu letters and broken bytes, number %zu", before, i);
        }
    family_end();
}

static void paddings(void)
{
    static const char *const before[] = {"nothing", "a pong", "a pong of zeros"};
    uint8_t plain[ROOM];

    family_begin("frames whose padding is not zero");
    for (unsigned kind = 0; kind < 3; kind++)
        for (size_t at = kind == 0 ? 1 : 12; at < ROOM; at += 4) {
            memset(plain, 0, sizeof plain);
            if (kind > 0)
                memcpy(plain, kind == 1 ? "\4\0\010pongpong" : "\4\0\010\0\0\0\0\0\0\0\0", 11);
            plain[at] = (uint8_t)(1u << at % 8);
            bad(&frame_in, span_of(plain, sizeof plain), ERROR_INVALID,
                "the other side sent a frame whose padding is not zero", "byte %zu is not zero, behind %s", at,
                before[kind]);
        }
    for (size_t left = 1; left < 3; left++)
        for (unsigned value = 1; value < 256; value *= 2) {
            size_t size = ROOM - 3 - 11 - left;

            /* Fewer bytes than a chunk's head has are padding, whatever they look like. */
            memset(plain, 0, sizeof plain);
            memcpy(plain, "\4\0\010pongpong", 11);
            plain[11] = 1;
            plain[12] = (uint8_t)(size >> 8);
            plain[13] = (uint8_t)size;
            memset(plain + 14, 'x', size);
            plain[ROOM - 1] = (uint8_t)value;
            bad(&frame_in, span_of(plain, sizeof plain), ERROR_INVALID,
                "the other side sent a frame whose padding is not zero",
                "the last byte is 0x%02x, with %zu left for a chunk", value, left);
        }
    family_end();
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    if (seal_init(NULL) != 0)
        abort();
    first_bits();
    first_strangers();
    first_others();
    first_payloads();
    first_replays();
    thirds();
    seconds();
    wires();
    chunks();
    closes();
    paddings();
    return catalogue_end();
}
