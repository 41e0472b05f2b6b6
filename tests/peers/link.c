/*
 * One end of a link over stdin and stdout, for tests/peers/link.sh: link-peer ROLE SECRET
 *
 * ROLE is initiator or responder. The initiator is member 1 with the counter COUNTER and frames of 256 bytes; its
 * link secret is 32 times the byte SECRET, and the responder expects that of 17. It says "We begin.", the responder
 * answers "We answer.", each in one frame, and everything that passes has 256 bytes. Exit status 3: what came is not
 * authentic, or nothing came.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "link/channel.h"
#include "seal/keyfile.h"

#define COUNTER UINT64_C(0x0102030405060708)
#define MEMBER 1
#define REFUSED 3

enum { INITIATOR_SECRET = 0x11, RESPONDER_SECRET = 0x22, COURIER = 0x33, LINE_ID = 0x44 };

static const struct now now = {.monotonic = {SECOND_US}, .wall = {SECOND_US}};

static void public_of(uint8_t out[static DH_SIZE], uint8_t secret_byte)
{
    uint8_t secret[DH_SIZE];

    memset(secret, secret_byte, sizeof secret);
    dh_public(out, secret);
}

static struct entropy entropy;
static struct channel_door *door;

static struct channel *open_channel(bool initiator, uint8_t secret_byte)
{
    uint8_t secret[DH_SIZE], remote[DH_SIZE], courier[COURIER_KEY_SIZE];
    struct channel_line line;
    struct channel_config config = {.link_secret = secret,
                                    .keepalive_us = SECOND_US,
                                    .line = &line,
                                    .remote_link_key = remote,
                                    .member = MEMBER,
                                    .counter = COUNTER};

    if (getrandom(entropy.key, sizeof entropy.key, 0) != (ssize_t)sizeof entropy.key)
        return NULL;
    memset(secret, initiator ? secret_byte : RESPONDER_SECRET, sizeof secret);
    public_of(remote, RESPONDER_SECRET);
    memset(courier, COURIER, sizeof courier);
    memset(line.line_id, LINE_ID, sizeof line.line_id);
    courier_subkey(line.psk, courier, LABEL_COURIER_LINK);
    if (initiator)
        return channel_new(&config, &entropy, now);
    door = channel_door_new(secret, &entropy);
    if (door != NULL)
        channel_door_set_lines(door, &line, 1);
    return door != NULL ? channel_answer(door, SECOND_US, now) : NULL;
}

static bool answer(struct channel *channel, const struct channel_event *offer)
{
    uint8_t key[DH_SIZE];
    uint64_t counter = 0;

    public_of(key, INITIATOR_SECRET);
    if (offer->member != MEMBER || !channel_identify(channel, key, &counter) || counter != COUNTER)
        return false;
    channel_accept(channel, now);
    return true;
}

/* Takes what happened. 0 once the other's word has come, REFUSED where it cannot come any more, else -1. */
static int take_events(struct channel *channel, bool initiator)
{
    struct span ours = span_of_string(initiator ? "We begin." : "We answer.");
    struct span theirs = span_of_string(initiator ? "We answer." : "We begin.");
    struct channel_event event;
    int status = -1;

    while (status < 0 && channel_event(channel, &event)) {
        if (event.kind == CHANNEL_OFFER)
            status = answer(channel, &event) ? -1 : REFUSED;
        else if (event.kind == CHANNEL_ESTABLISHED)
            status = channel_send(channel, ours, false) == 0 ? -1 : 1;
        else if (event.kind == CHANNEL_MESSAGE)
            status = span_equal(event.message, theirs) ? 0 : 1;
        else
            status = REFUSED;
    }
    return status;
}

static bool write_output(struct channel *channel)
{
    struct buffer out = {0};
    bool good = false;

    (void)channel_output(channel, &out, SIZE_MAX, now);
    good = !buffer_failed(&out) && fwrite(out.data, 1, out.size, stdout) == out.size && fflush(stdout) == 0;
    buffer_free(&out);
    return good;
}

int main(int count, char **arguments)
{
    bool initiator = count == 3 && strcmp(arguments[1], "initiator") == 0;
    struct channel *channel = NULL;
    uint64_t secret_byte = 0;
    int status = -1;

    if (count != 3 || seal_init(NULL) != 0 || !text_to_number(span_of_string(arguments[2]), 255, &secret_byte))
        return 2;
    channel = open_channel(initiator, (uint8_t)secret_byte);
    if (channel == NULL)
        return 2;
    while (status < 0) {
        uint8_t message[HANDSHAKE_FRAME];

        if (!write_output(channel))
            status = 1;
        else if (fread(message, 1, sizeof message, stdin) != sizeof message)
            status = REFUSED;
        else
            channel_input(channel, span_of(message, sizeof message), now);
        if (status < 0)
            status = take_events(channel, initiator);
    }
    if (status == 0 && !write_output(channel))
        status = 1;
    channel_free(channel);
    channel_door_free(door);
    return status;
}
