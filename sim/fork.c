/*
 * The second history. From one entry on, the entries of the foe's log have another last byte for the members it is
 * shown to; the heads over them are signed. What these members say of that log is kept from the foe's own office, which
 * would stop.
 */
#include "foe_internal.h"

#define FORK_CHANCE 60 /* once in so many messages of entries it begins */

static bool is_shown(struct foe *foe, const struct sync *sync, unsigned link)
{
    return sync->peer[link].member % 2 != sync->me % 2 && (foe->tricks >> TRICK_FORK & 1) != 0;
}

/* Notes the honest leaves that pass. */
static void note_leaves(struct foe *foe, const struct message *message)
{
    struct message again = *message;

    for (size_t i = 0; i < message->count && message->first + i < FOE_LEAVES; i++) {
        uint64_t index = message->first + i;
        struct span entry = message_entry(&again);

        if (index == foe->fork.known) {
            struct buffer changed = {0};

            buffer_put_span(&changed, entry);
            if (index >= foe->fork.from)
                changed.data[changed.size - 1] ^= 0x55;
            tree_leaf(foe->fork.leaf[index], buffer_span(&changed));
            foe->fork.known++;
            buffer_free(&changed);
        }
    }
}

/* The head of the second history at that size; false if not all of it is known. */
static bool second_head(struct foe *foe, uint64_t size, struct head *head)
{
    struct tree_frontier frontier = {0};

    if (size == 0 || size > foe->fork.known || !foe->signs)
        return false;
    for (uint64_t i = 0; i < size; i++)
        tree_append(&frontier, foe->fork.leaf[i]);
    *head = (struct head){.size = size};
    tree_root(&frontier, head->root);
    head_sign(head, foe->origin, foe->log_secret);
    return true;
}

static bool second_entries(struct foe *foe, struct buffer *message)
{
    struct message *read = foe->message;
    struct span entry[ENTRIES_MAX];
    struct buffer bytes = {0};
    size_t end[ENTRIES_MAX];
    const struct tree_proof none = {0};
    struct head head;
    uint64_t first = read->first;
    size_t count = read->count;
    bool settle = read->settle && read->head.size == first + count;

    if (!second_head(foe, first + count, &head))
        return false;
    for (size_t i = 0; i < count; i++) {
        buffer_put_span(&bytes, message_entry(read));
        if (first + i >= foe->fork.from)
            bytes.data[bytes.size - 1] ^= 0x55;
        end[i] = bytes.size;
    }
    for (size_t i = 0; i < count; i++)
        entry[i] = span_of(bytes.data + (i == 0 ? 0 : end[i - 1]), end[i] - (i == 0 ? 0 : end[i - 1]));
    buffer_reset(message);
    message_put_entries(message, read->member, first, entry, count, &head, settle, &none);
    buffer_free(&bytes);
    foe->played[TRICK_FORK]++;
    return true;
}

bool fork_output(struct foe *foe, const struct sync *sync, unsigned link, struct buffer *message)
{
    struct message *read = foe->message;
    struct head head;

    if (message_read(read, buffer_span(message), sync->charter->member_count, NULL) != 0)
        return true;
    if (read->type == MESSAGE_ENTRIES && read->member == sync->me) {
        if (foe->fork.from == UINT64_MAX && read->first >= foe->fork.known &&
            random_below(&foe->random, FORK_CHANCE) == 0) {
            foe->fork.from = read->first;
            trace_note(foe->trace, "the foe's log has two histories from %llu on", (unsigned long long)read->first);
        }
        note_leaves(foe, read);
    }
    if (!is_shown(foe, sync, link) || foe->fork.from == UINT64_MAX)
        return true;
    if (read->type == MESSAGE_HELLO) {
        struct hello_log *own = &read->hello[sync->me];

        own->has_head = own->has_head && second_head(foe, own->head.size, &own->head);
        buffer_reset(message);
        message_put_hello(message, read->hello, sync->charter->member_count);
        return true;
    }
    if (read->member != sync->me)
        return true;
    if (read->type == MESSAGE_ENTRIES)
        return second_entries(foe, message);
    if (read->type == MESSAGE_SETTLE && second_head(foe, read->head.size, &head)) {
        buffer_reset(message);
        message_put_settle(message, sync->me, &head);
        return true;
    }
    return read->type != MESSAGE_SETTLE && read->type != MESSAGE_RECEIPT && read->type != MESSAGE_OVERTAKE;
}

bool fork_input(struct foe *foe, const struct sync *sync, unsigned link, const struct span *message,
                struct buffer *changed)
{
    struct message *read = foe->message;

    if ((foe->tricks & (1u << TRICK_FORK | 1u << TRICK_HEADS)) == 0 || sync->peer[link].member == sync->me ||
        message_read(read, *message, sync->charter->member_count, NULL) != 0)
        return true;
    if (read->type == MESSAGE_HELLO) {
        read->hello[sync->me].has_head = false;
        message_put_hello(changed, read->hello, sync->charter->member_count);
        return true;
    }
    return read->member != sync->me ||
           (read->type != MESSAGE_RECEIPT && read->type != MESSAGE_SETTLE && read->type != MESSAGE_ENTRIES);
}
