#include "link/channel_internal.h"

#include <assert.h>

struct channel_door {
    uint8_t link_secret[DH_SIZE], link_key[DH_SIZE];
    struct channel_line line[CHANNEL_LINES_MAX];
    size_t line_count;
    struct entropy *entropy;
    struct channel_keys *spare; /* where the next first message is tried */
};

struct channel_door *channel_door_new(const uint8_t link_secret[static DH_SIZE], struct entropy *entropy)
{
    struct channel_door *door = secret_new(sizeof *door);

    if (door == NULL)
        return NULL;
    memcpy(door->link_secret, link_secret, DH_SIZE);
    dh_public(door->link_key, link_secret);
    door->entropy = entropy;
    return door;
}

void channel_door_free(struct channel_door *door)
{
    if (door == NULL)
        return;
    secret_free(door->spare);
    secret_free(door);
}

void channel_door_set_lines(struct channel_door *door, const struct channel_line *lines, size_t count)
{
    assert(count <= CHANNEL_LINES_MAX);
    secret_wipe(door->line, sizeof door->line);
    if (count > 0)
        memcpy(door->line, lines, count * sizeof *lines);
    door->line_count = count;
}

struct channel_keys *door_lend(struct channel_door *door)
{
    struct channel_keys *keys = door->spare != NULL ? door->spare : secret_new(sizeof *keys);

    door->spare = NULL;
    return keys;
}

void door_take_back(struct channel_door *door, struct channel_keys *keys)
{
    secret_wipe(keys, sizeof *keys);
    if (door->spare == NULL)
        door->spare = keys;
    else
        secret_free(keys);
}

/* The part that costs, es, is the same for all lines. */
size_t door_find_line(const struct channel_door *door, struct channel_keys *keys, struct span message,
                      struct buffer *payload)
{
    const struct noise_config config = {.static_secret = door->link_secret, .static_public = door->link_key};
    uint8_t ephemeral[DH_SIZE];
    uint8_t es[DH_SIZE];
    struct cursor cursor = cursor_of(message);
    size_t line = door->line_count;

    cursor_copy(&cursor, ephemeral, sizeof ephemeral);
    if (!dh(es, door->link_secret, ephemeral))
        goto out;
    for (line = 0; line < door->line_count; line++) {
        handshake_start(&keys->handshake, config, &door->line[line]);
        noise_set_es(&keys->handshake, es);
        if (noise_read(&keys->handshake, message, payload))
            break;
    }
    if (line < door->line_count)
        keys->line = door->line[line];
out:
    secret_wipe(es, sizeof es);
    return line < door->line_count ? line : DOOR_NO_LINE;
}

void door_draw(const struct channel_door *door, struct noise_handshake *handshake)
{
    uint8_t ephemeral_secret[DH_SIZE];

    entropy_fill(door->entropy, ephemeral_secret, sizeof ephemeral_secret);
    noise_set_ephemeral(handshake, ephemeral_secret);
    secret_wipe(ephemeral_secret, sizeof ephemeral_secret);
}
