/*
 * sync/input: an engine, member 0 of three, to which the two others say what the input makes them say. Member 2 may
 * sign two histories; heads and receipts are signed by the harness, and bytes are changed before or after that.
 * Whatever is said, what the engine accepts of a log is a beginning of one that its author signed.
 */
#include "harness.h"

#include "../tests/sync/truth.h"

#define ENTRIES 40
#define STEPS_MAX 24
#define LOGS 4 /* the three members', and the other history of member 2 */

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 4000};

struct world {
    struct test_line line;
    struct truth *truth[LOGS];
};

/* Made once: it does not change. */
static const struct world *world(void)
{
    static struct world world;

    if (world.truth[0] != NULL)
        return &world;
    test_line_found(&world.line, 3, "fuzz");
    for (unsigned i = 0; i < LOGS; i++) {
        world.truth[i] = truth_new(&world.line, i < 3 ? i : 2);
        for (unsigned n = 0; n < ENTRIES; n++)
            truth_append(world.truth[i], 1 + n % 24, i == 3 && n >= 10);
    }
    return &world;
}

static uint64_t choose_size(struct cursor *cursor)
{
    return cursor_u8(cursor) % (ENTRIES + 1);
}

static void put_entries(struct buffer *out, const struct truth *truth, struct cursor *cursor)
{
    uint64_t first = choose_size(cursor) % ENTRIES;
    uint64_t end = first + 1 + cursor_u8(cursor) % (ENTRIES - first);
    uint64_t size = end + cursor_u8(cursor) % (ENTRIES - end + 1);
    struct head head = truth_head(truth, size);
    struct tree_proof proof = truth_consistency(truth, end, size);

    truth_entries(out, truth, first, end, &head, cursor_u8(cursor) % 2 != 0, &proof);
}

static void put_hello(struct buffer *out, struct cursor *cursor)
{
    struct hello_log logs[3] = {0};

    for (unsigned i = 0; i < 3; i++) {
        unsigned shown = cursor_u8(cursor);

        logs[i].size = choose_size(cursor);
        logs[i].has_head = shown % 2 != 0;
        if (logs[i].has_head)
            logs[i].head =
                truth_head(world()->truth[i == 2 && shown % 4 == 3 ? 3 : i], 1 + choose_size(cursor) % ENTRIES);
    }
    message_put_hello(out, logs, 3);
}

/* A head that its author signed, although its root is what the input says. */
static struct head choose_head(const struct truth *truth, struct cursor *cursor)
{
    struct head head = truth_head(truth, 1 + choose_size(cursor) % ENTRIES);
    char origin[ORIGIN_SIZE];

    if (truth->member == 2 && fuzz_edit(cursor, head.root, HASH_SIZE)) {
        charter_origin(&world()->line.charter, 2, 0, origin);
        head_sign(&head, origin, world()->line.identity[2].log_secret);
    }
    return head;
}

static void put_message(struct buffer *out, struct cursor *cursor)
{
    unsigned what = cursor_u8(cursor);
    const struct truth *truth = world()->truth[(what >> 4) % LOGS];
    struct head head;
    struct receipt receipt;
    uint64_t index = 0, end = 0;

    switch (what & 7) {
    case MESSAGE_HELLO:
        put_hello(out, cursor);
        break;
    case MESSAGE_SETTLE:
        head = choose_head(truth, cursor);
        message_put_settle(out, truth->member, &head);
        break;
    case MESSAGE_RECEIPT:
        head = choose_head(truth, cursor);
        receipt = truth_receipt(truth, &head, cursor_u8(cursor) % 3);
        message_put_receipt(out, truth->member, head.size, head.root, &receipt);
        break;
    case MESSAGE_HAVE:
    case MESSAGE_WANT:
    case MESSAGE_FETCH:
        message_put_size(out, (enum message_type)(what & 7), truth->member, choose_size(cursor));
        break;
    case MESSAGE_OVERTAKE:
        index = choose_size(cursor) % ENTRIES;
        end = index + 1 + cursor_u8(cursor) % (ENTRIES - index);
        truth_overtake(out, truth, index, end, cursor_u8(cursor) % (index + 1));
        break;
    default:
        put_entries(out, truth, cursor);
    }
    (void)fuzz_edit(cursor, out->data, out->size);
}

static bool is_beginning(const struct tree_frontier *frontier, const struct truth *truth)
{
    uint8_t root[2][HASH_SIZE];

    if (frontier->size > ENTRIES)
        return false;
    tree_root(frontier, root[0]);
    tree_root(&truth->frontier[frontier->size], root[1]);
    return hash_equal(root[0], root[1]);
}

static void check_state(const struct sync *sync)
{
    for (unsigned i = 0; i < 3; i++) {
        const struct tree_frontier *staged = sync_staged(sync, i);

        HOLD(is_beginning(staged, world()->truth[i]) || (i == 2 && is_beginning(staged, world()->truth[3])));
        HOLD(staged->size >= sync_durable(sync, i));
        for (unsigned by = 0; by < 3; by++)
            HOLD(sync_receipted(sync, i, by) <= ENTRIES);
    }
    HOLD(sync_durable(sync, 0) == 0); /* nobody tells us what we said */
}

/* Stores what was accepted, reads for the others, and takes what goes out. */
static void serve(struct sync *sync)
{
    struct sync_event event;
    struct buffer out = {0};
    static struct message message;

    while (sync_event(sync, &event)) {
        if (event.kind == SYNC_ACCEPTED)
            sync_stored(sync, event.chunk);
        if (event.kind == SYNC_ALARM)
            HOLD(event.author == event.member ? event.reason != NULL && event.reason[0] != 0 : event.reason == NULL);
        if (event.kind == SYNC_NEED)
            sync_serve(sync, event.link, event.member, NULL, NULL);
        sync_chunk_free(event.chunk);
    }
    for (unsigned link = 0; link < 4; link++)
        while (sync_output(sync, link / 2, link % 2 != 0, &out)) {
            struct error error = {0};

            HOLD(message_read(&message, buffer_span(&out), 3, &error) == 0);
            buffer_reset(&out);
        }
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    struct sync *sync = sync_new(&world()->line.charter, 0);
    struct now now = {.monotonic = {SECOND_US}, .wall = {UINT64_C(1800000000) * SECOND_US}};
    bool up[2] = {true, true};

    HOLD(sync != NULL);
    for (unsigned link = 0; link < 2; link++)
        sync_link_up(sync, link, link + 1, now);
    for (unsigned step = 0; step < STEPS_MAX && cursor.left > 0; step++) {
        unsigned link = cursor_u8(&cursor) % 2;
        struct buffer message = {0};
        struct error error = {0};

        put_message(&message, &cursor);
        if (!up[link])
            sync_link_up(sync, link, link + 1, now);
        up[link] = sync_input(sync, link, buffer_span(&message), now, &error) == 0;
        if (!up[link]) {
            fuzz_refused(&error);
            sync_link_down(sync, link, now);
        } else {
            HOLD(error.code == ERROR_NONE);
        }
        serve(sync);
        check_state(sync);
        buffer_free(&message);
        now.monotonic.us += SECOND_US;
        sync_step(sync, now);
    }
    sync_free(sync);
    return 0;
}
