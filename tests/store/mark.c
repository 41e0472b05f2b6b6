#include "store/mark.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "base/cbor.h"
#include "base/text.h"
#include "scratch.h"

static int sync_error;
static unsigned syncs;

int fdatasync(int fd)
{
    syncs++;
    errno = sync_error;
    return sync_error != 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static bool directories_fail;

int fsync(int fd)
{
    struct stat status = {0};

    errno = EIO;
    if (directories_fail && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return -1;
    return (int)syscall(SYS_fsync, fd);
}

static const uint8_t office[OFFICE_ID_SIZE] = {1, 2, 3};

/* The state after batch `number`, in memory of its own. */
static struct mark_state state_of(uint64_t number)
{
    struct mark_state state = {.batch = number, .log_count = 2};
    struct store_op theirs = OP(STORE_PUT_ENTRY, (PLACE(2, 0), 1), (bytes_of("leaf"), bytes_of("not mine")));
    struct store_op mine = OP(STORE_PUT_ENTRY, (PLACE(1, number), 1, 2, 3, 4), (bytes_of("leaf"), bytes_of("mine")));
    struct store_op head = OP(STORE_PUT_HEAD, (1, (int64_t)number + 1, 1), (bytes_of("root"), bytes_of("")));

    memcpy(state.office, office, OFFICE_ID_SIZE);
    state.log = calloc(2, sizeof *state.log);
    if (state.log == NULL)
        abort();
    memset(state.log[0].line_id, 7, HASH_SIZE);
    state.log[0].size = number + 1;
    memset(state.log[0].root, (int)number, HASH_SIZE);
    state.log[1].member = 15;
    state.log[1].incarnation = UINT32_MAX;
    state.log[1].size = TREE_SIZE_MAX;
    mine.own = head.own = true;
    put(&state.operations, mine);
    put(&state.operations, theirs);
    put(&state.operations, head);
    return state;
}

/* Whether `found` is what was written by state_of(number): with all but what was not one's own. */
static bool is_state_of(const struct mark_state *found, uint64_t number)
{
    struct mark_state wanted = state_of(number);
    bool same = memcmp(found->office, wanted.office, OFFICE_ID_SIZE) == 0 && found->batch == number &&
                found->log_count == 2 && found->operations.count == 2;

    for (size_t i = 0; i < 2 && same; i++) {
        const struct mark_log *a = &found->log[i];
        const struct mark_log *b = &wanted.log[i];
        const struct store_op *c = &found->operations.op[i];
        const struct store_op *d = &wanted.operations.op[i * 2];

        same = memcmp(a->line_id, b->line_id, HASH_SIZE) == 0 && a->member == b->member && a->size == b->size &&
               a->incarnation == b->incarnation && memcmp(a->root, b->root, HASH_SIZE) == 0 && c->own &&
               c->kind == d->kind && memcmp(c->n, d->n, sizeof c->n) == 0;
        for (size_t k = 0; k < STORE_BLOBS && same; k++)
            same = span_equal(c->b[k], d->b[k]);
    }
    mark_state_free(&wanted);
    return same;
}

static int write_state(struct mark *mark, uint64_t number, struct error *error)
{
    struct mark_state state = state_of(number);
    struct buffer content = {0};
    int status = mark_encode(&content, state.office, state.batch, state.log, state.log_count, &state.operations, error);

    if (status == 0)
        status = mark_write(mark, buffer_span(&content), error);
    buffer_free(&content);
    mark_state_free(&state);
    return status;
}

static struct mark *make_mark(const char *name, uint64_t number)
{
    struct mark_state state = state_of(number);
    struct error error = {0};
    struct mark *mark = NULL;

    unlink(scratch(name));
    mark = mark_create(scratch(name), &state, &error);
    if (mark == NULL)
        printf("# %s\n", error.message);
    mark_state_free(&state);
    return mark;
}

/* The batch of the state a mark holds; -1 if it does not open. */
static int64_t batch_of(const char *name, struct error *error)
{
    struct mark_state state = {0};
    struct mark *mark = mark_open(scratch(name), &state, error);
    int64_t batch = mark == NULL ? -1 : (int64_t)state.batch;

    if (mark != NULL && !is_state_of(&state, state.batch))
        batch = -2;
    mark_state_free(&state);
    mark_close(mark);
    return batch;
}

static void what_was_written_last_is_read(void)
{
    struct mark *mark = make_mark("mark", 0);
    struct error error = {0};

    mark_close(mark);
    CHECK(batch_of("mark", &error) == 0);
    for (uint64_t number = 1; number < 6; number++) {
        struct mark_state state = {0};

        mark = mark_open(scratch("mark"), &state, &error);
        CHECK(mark != NULL && is_state_of(&state, number - 1));
        syncs = 0;
        CHECK(write_state(mark, number, &error) == 0 && syncs == 1);
        mark_state_free(&state);
        mark_close(mark);
        CHECK(batch_of("mark", &error) == (int64_t)number);
    }
    mark_close(NULL);
    mark_state_free(NULL);
}

static void the_file_is_its_owners_alone_and_has_its_blocks(void)
{
    mode_t before = umask(0);
    struct mark *mark = make_mark("file", 0);
    struct stat status = {0};

    umask(before);
    CHECK(stat(scratch("file"), &status) == 0 && (status.st_mode & 07777) == 0600);
    CHECK(status.st_size == 2 * MARK_SLOT_SIZE && status.st_blocks * 512 >= status.st_size);
    CHECK(write_state(mark, 1, NULL) == 0 && write_state(mark, 2, NULL) == 0);
    CHECK(stat(scratch("file"), &status) == 0 && status.st_size == 2 * MARK_SLOT_SIZE);
    mark_close(mark);
}

static void a_mark_is_made_once_and_followed_through_no_link(void)
{
    struct mark_state state = state_of(0);
    struct mark_state found = {0};
    struct error error = {0};

    mark_close(make_mark("once", 0));
    CHECK(mark_create(scratch("once"), &state, &error) == NULL && error.code == ERROR_EXISTS);
    CHECK(symlink(scratch("once"), scratch("once-link")) == 0);
    error = (struct error){0};
    CHECK(mark_open(scratch("once-link"), &found, &error) == NULL && error.code == ERROR_SYSTEM);
    error = (struct error){0};
    CHECK(mark_open(scratch("never"), &found, &error) == NULL && error.code == ERROR_NOT_FOUND);
    error = (struct error){0};
    CHECK(mark_open(scratch("."), &found, &error) == NULL && error.code != ERROR_NONE);
    mark_state_free(&state);
}

static void a_mark_whose_directory_cannot_be_synced_is_not_made(void)
{
    struct mark_state state = state_of(0);
    struct error error = {0};

    directories_fail = true;
    CHECK(mark_create(scratch("unsynced"), &state, &error) == NULL && error.code == ERROR_SYSTEM);
    directories_fail = false;
    CHECK(access(scratch("unsynced"), F_OK) != 0);
    mark_state_free(&state);
}

static int open_in_use(void *path)
{
    struct mark_state state = {0};
    struct error error = {0};

    return mark_open(path, &state, &error) == NULL && error.code == ERROR_REFUSED ? 0 : 1;
}

static void a_mark_has_one_owner(void)
{
    struct mark *mark = make_mark("owner", 0);
    char path[300];

    snprintf(path, sizeof path, "%s", scratch("owner"));
    CHECK(in_child(open_in_use, path) == 0);
    mark_close(mark);
    CHECK(in_child(open_in_use, path) == 1);
}

/* Batches 1 and 2 in the two slots; the newer one is in `newer`. */
static void two_slots(const char *name, struct buffer *content, size_t *newer)
{
    struct mark *mark = make_mark(name, 0);

    CHECK(write_state(mark, 1, NULL) == 0 && write_state(mark, 2, NULL) == 0);
    mark_close(mark);
    file_read(scratch(name), content);
    CHECK(content->size == 2 * MARK_SLOT_SIZE);
    *newer = 0; /* generation 4 */
}

/* Bytes of a slot that mean something: head and content. */
static size_t used_of(const uint8_t *slot)
{
    size_t size = 0;

    for (size_t i = 24; i < 32; i++)
        size = size << 8 | slot[i];
    return 64 + size;
}

static void a_bit_flipped_anywhere_in_a_slot_gives_the_other(void)
{
    struct buffer content = {0};
    size_t newer = 0;

    two_slots("bits", &content, &newer);
    for (size_t slot = 0; slot < 2; slot++) {
        uint8_t *bytes = content.data + slot * MARK_SLOT_SIZE;
        int64_t wanted = slot == newer ? 1 : 2;

        for (size_t bit = 0; bit < used_of(bytes) * 8; bit += 3 * TEST_SHARE) {
            struct error error = {0};

            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            file_write(scratch("bits"), buffer_span(&content));
            CHECK(batch_of("bits", &error) == wanted);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    file_write(scratch("bits"), buffer_span(&content));
    CHECK(batch_of("bits", NULL) == 2);
    buffer_free(&content);
}

/* A write that stopped at any block: the slot before counts, and is not the one written next. */
static void a_torn_write_gives_the_state_before(void)
{
    struct mark_state state = {0};
    struct error error = {0};
    struct mark *mark = make_mark("torn", 0);
    struct buffer before = {0};
    struct buffer after = {0};
    size_t used = 0;

    CHECK(write_state(mark, 1, NULL) == 0);
    file_read(scratch("torn"), &before);
    CHECK(write_state(mark, 2, NULL) == 0);
    mark_close(mark);
    file_read(scratch("torn"), &after);
    used = used_of(after.data);
    /* What the last 40 bytes say is the same in both states. */
    for (size_t at = 0; at < used - 40; at += 5 * TEST_SHARE) {
        struct buffer torn = {0};

        buffer_put(&torn, after.data, at);
        buffer_put(&torn, before.data + at, before.size - at);
        file_write(scratch("torn"), buffer_span(&torn));
        CHECK(batch_of("torn", &error) == 1);
        buffer_free(&torn);
    }
    mark = mark_open(scratch("torn"), &state, &error);
    CHECK(write_state(mark, 3, NULL) == 0);
    mark_state_free(&state);
    mark_close(mark);
    CHECK(batch_of("torn", &error) == 3);
    file_read(scratch("torn"), &after);
    memset(after.data, 0, MARK_SLOT_SIZE);
    file_write(scratch("torn"), buffer_span(&after));
    CHECK(batch_of("torn", &error) == 1);
    buffer_free(&before);
    buffer_free(&after);
}

static void two_bad_slots_are_a_damaged_mark(void)
{
    struct buffer content = {0};
    struct error error = {0};
    size_t newer = 0;

    two_slots("bad", &content, &newer);
    for (size_t size = 0; size < content.size; size += 131071) {
        error = (struct error){0};
        file_write(scratch("bad"), span_of(content.data, size));
        CHECK(batch_of("bad", &error) == -1 && error.code == ERROR_STORAGE && error.message[0] != 0);
    }
    content.data[100] ^= 1;
    content.data[MARK_SLOT_SIZE + 100] ^= 1;
    file_write(scratch("bad"), buffer_span(&content));
    error = (struct error){0};
    CHECK(batch_of("bad", &error) == -1 && error.code == ERROR_STORAGE && strstr(error.message, "damaged") != NULL);
    /* A slot in the other's place is not there either. */
    content.data[100] ^= 1;
    content.data[MARK_SLOT_SIZE + 100] ^= 1;
    for (size_t i = 0; i < MARK_SLOT_SIZE; i++) {
        uint8_t byte = content.data[i];

        content.data[i] = content.data[MARK_SLOT_SIZE + i];
        content.data[MARK_SLOT_SIZE + i] = byte;
    }
    file_write(scratch("bad"), buffer_span(&content));
    error = (struct error){0};
    CHECK(batch_of("bad", &error) == -1 && error.code == ERROR_STORAGE);
    buffer_free(&content);
}

/* What a slot held is gone after two more writes, however short they are, and also after a new start. */
static void nothing_remains_of_what_was_written_before(void)
{
    for (int reopened = 0; reopened < 2; reopened++) {
        struct mark *mark = make_mark("remains", 0);
        struct mark_state state = {0};
        struct buffer content = {0};
        static char large[100000];

        memset(large, '.', sizeof large);
        memcpy(large + 90000, "a secret prekey", 15);
        CHECK(mark_write(mark, span_of(large, sizeof large), NULL) == 0);
        file_read(scratch("remains"), &content);
        CHECK(memmem(content.data, content.size, "a secret prekey", 15) != NULL);
        CHECK(write_state(mark, 1, NULL) == 0);
        if (reopened == 1) {
            mark_close(mark);
            mark = mark_open(scratch("remains"), &state, NULL);
        }
        CHECK(write_state(mark, 2, NULL) == 0);
        file_read(scratch("remains"), &content);
        CHECK(content.size == 2 * MARK_SLOT_SIZE);
        CHECK(memmem(content.data, content.size, "a secret prekey", 15) == NULL);
        buffer_free(&content);
        mark_state_free(&state);
        mark_close(mark);
    }
}

/* Its checksum is right: a slot of another version is not there for this one. */
static void a_slot_of_another_version_gives_the_other(void)
{
    struct buffer content = {0};
    struct error error = {0};
    struct span parts[2] = {{0}};
    size_t newer = 0;

    two_slots("version", &content, &newer);
    content.data[13] = '2';
    parts[0] = span_of(content.data, 32);
    parts[1] = span_of(content.data + 64, used_of(content.data) - 64);
    hash_parts(content.data + 32, parts, 2);
    file_write(scratch("version"), buffer_span(&content));
    CHECK(batch_of("version", &error) == 1);
    content.data[13] = '1';
    hash_parts(content.data + 32, parts, 2);
    file_write(scratch("version"), buffer_span(&content));
    CHECK(batch_of("version", &error) == 2);
    content.data[13] = content.data[MARK_SLOT_SIZE + 13] = '2';
    file_write(scratch("version"), buffer_span(&content));
    CHECK(batch_of("version", &error) == -1 && error.code == ERROR_VERSION);
    buffer_free(&content);
}

/* Opens a mark whose newest slot is whole and holds `content`. */
static enum error_code opened_with(struct span content)
{
    struct mark *mark = make_mark("content", 0);
    struct mark_state state = {0};
    struct error error = {0};

    CHECK(mark_write(mark, content, &error) == 0);
    mark_close(mark);
    mark = mark_open(scratch("content"), &state, &error);
    mark_state_free(&state);
    mark_close(mark);
    return error.code;
}

/* One operation of `kind` with so many integers (the last of them `last`) and blobs, in an otherwise good content. */
static enum error_code opened_with_operation(unsigned kind, unsigned integers, uint64_t last, unsigned blobs)
{
    struct buffer content = {0};
    enum error_code code = ERROR_NONE;

    cbor_put_array(&content, 4);
    cbor_put_bytes(&content, office, OFFICE_ID_SIZE);
    cbor_put_uint(&content, 1);
    cbor_put_array(&content, 0);
    cbor_put_array(&content, 1);
    cbor_put_array(&content, 3);
    cbor_put_uint(&content, kind);
    cbor_put_array(&content, integers);
    for (unsigned i = 0; i < integers; i++)
        cbor_put_uint(&content, i + 1 == integers ? last : 0);
    cbor_put_array(&content, blobs);
    for (unsigned i = 0; i < blobs; i++)
        cbor_put_bytes(&content, "blob", 4);
    code = opened_with(buffer_span(&content));
    buffer_free(&content);
    return code;
}

static void content_is_read_strictly(void)
{
    struct mark_state state = state_of(9);
    struct buffer content = {0};

    CHECK(mark_encode(&content, state.office, state.batch, state.log, state.log_count, &state.operations, NULL) == 0);
    CHECK(opened_with(buffer_span(&content)) == ERROR_NONE);
    for (size_t size = 0; size < content.size; size += 7)
        CHECK(opened_with(span_of(content.data, size)) == (size == 0 ? ERROR_NONE : ERROR_STORAGE));
    buffer_put_u8(&content, 0);
    CHECK(opened_with(buffer_span(&content)) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 2, 1, 0) == ERROR_NONE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 2, INT64_MAX, 0) == ERROR_NONE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 2, UINT64_C(1) << 63, 0) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 1, 1, 0) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 3, 1, 0) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_PUT_INBOX, 2, 1, 1) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_PUT_HEAD, 3, 1, 2) == ERROR_NONE);
    CHECK(opened_with_operation(STORE_PUT_HEAD, 3, 1, 1) == ERROR_STORAGE);
    CHECK(opened_with_operation(STORE_OP_COUNT, 2, 1, 0) == ERROR_STORAGE);
    buffer_free(&content);
    mark_state_free(&state);
}

static void a_batch_too_large_for_a_slot_is_refused(void)
{
    struct mark_state state = state_of(1);
    static uint8_t large[MARK_SLOT_SIZE];
    struct buffer content = {0};
    struct error error = {0};
    struct mark *mark = make_mark("large", 0);
    struct store_op op = OP(STORE_PUT_PENDING, (1, 1), (span_of(large, MARK_SLOT_SIZE - 400)));

    op.own = true;
    put(&state.operations, op);
    CHECK(mark_encode(&content, office, 1, state.log, 2, &state.operations, &error) == 0);
    CHECK(mark_write(mark, buffer_span(&content), &error) == 0);
    mark_close(mark);
    mark_state_free(&state);
    mark = mark_open(scratch("large"), &state, &error);
    CHECK(mark != NULL && state.operations.count == 3 && state.operations.op[2].b[0].size == MARK_SLOT_SIZE - 400);
    put(&state.operations, OP(STORE_PUT_PENDING, (1, 1), (span_of(large, 400))));
    state.operations.op[3].own = true;
    buffer_reset(&content);
    CHECK(mark_encode(&content, office, 1, state.log, 2, &state.operations, &error) == -1);
    CHECK(mark_write(mark, span_of(large, MARK_SLOT_SIZE - 63), NULL) == -1);
    CHECK(mark_write(mark, span_of(large, MARK_SLOT_SIZE - 64), NULL) == 0);
    buffer_free(&content);
    mark_state_free(&state);
    mark_close(mark);
}

static void after_a_failed_sync_the_mark_is_not_written(void)
{
    struct mark *mark = make_mark("sync", 0);
    struct error error = {0};

    sync_error = EIO;
    CHECK(write_state(mark, 1, &error) == -1 && error.code == ERROR_STORAGE);
    sync_error = 0;
    error = (struct error){0};
    CHECK(write_state(mark, 2, &error) == -1 && error.code == ERROR_STORAGE);
    mark_close(mark);
    CHECK(batch_of("sync", &error) <= 1);
}

static void *write_on_a_thread(void *context)
{
    struct mark *mark = context;
    intptr_t failures = 0;

    for (uint64_t number = 1; number <= 50; number++)
        failures += write_state(mark, number, NULL) != 0;
    return (void *)failures;
}

static void the_mark_is_written_beside_the_store(void)
{
    struct mark *mark = make_mark("thread", 0);
    struct store *store = make("store");
    pthread_t thread;
    void *failures = NULL;

    CHECK(pthread_create(&thread, NULL, write_on_a_thread, mark) == 0);
    for (int i = 0; i < 50; i++)
        CHECK(commit_one(store, OP(STORE_PUT_INBOX, (i, 1), ({0}))));
    CHECK(pthread_join(thread, &failures) == 0 && failures == NULL);
    store_close(store);
    mark_close(mark);
    CHECK(batch_of("thread", NULL) == 50);
}

/* The example of spec/store.md, which was not made by this code. */
static void the_example_of_the_specification_holds(void)
{
    static const char example[] = "6c696169736f6e2d6d61726b2f310a0000000000000000080000000000000072"
                                  "c146b4bb89f8128d91485e608151d4fb96735f3e4337e58a222ce73968e0bd5c"
                                  "8450000102030405060708090a0b0c0d0e0f1903e88185582011111111111111"
                                  "1111111111111111111111111111111111111111111111111101000358202222"
                                  "2222222222222222222222222222222222222222222222222222222222228283"
                                  "048202038142aabb83158407011901f40080";
    static uint8_t file[2 * MARK_SLOT_SIZE];
    size_t size = sizeof example / 2;
    struct mark_state state = {0};
    struct error error = {0};
    struct buffer content = {0};
    struct mark *mark = NULL;

    CHECK(text_from_hex(bytes_of(example), file, size));
    file_write(scratch("example"), span_of(file, sizeof file));
    mark = mark_open(scratch("example"), &state, &error);
    CHECK(mark != NULL && state.office[15] == 15 && state.batch == 1000 && state.log_count == 1);
    CHECK(state.log[0].line_id[0] == 0x11 && state.log[0].member == 1 && state.log[0].incarnation == 0);
    CHECK(state.log[0].size == 3 && state.log[0].root[31] == 0x22 && state.operations.count == 2);
    CHECK(state.operations.op[0].kind == STORE_SET_LOG && state.operations.op[0].b[0].size == 2);
    CHECK(state.operations.op[1].kind == STORE_PUT_COUNTER && state.operations.op[1].n[2] == 500);
    CHECK(mark_encode(&content, state.office, state.batch, state.log, 1, &state.operations, &error) == 0);
    CHECK(span_equal(buffer_span(&content), span_of(file + 64, size - 64)));
    buffer_free(&content);
    mark_state_free(&state);
    mark_close(mark);
}

/* The reason for the mark: a database one batch behind is brought up to date by what the mark kept. */
static void a_database_one_batch_behind_is_brought_up_to_date(void)
{
    struct mark_state state = state_of(5);
    struct mark_state found = {0};
    struct store *store = make("behind");
    struct error error = {0};
    struct mark *mark = NULL;

    for (int i = 1; i < 5; i++)
        CHECK(commit_one(store, OP(STORE_PUT_INBOX, (i, 1), ({0}))));
    mark_state_free(&state);
    mark_close(make_mark("behind-mark", 5));
    mark = mark_open(scratch("behind-mark"), &found, &error);
    CHECK(mark != NULL && store_batch_number(store) == found.batch - 1);
    CHECK(store_stage(store, &found.operations, &error) == 0 && store_commit(store, found.batch, &error) == 0);
    CHECK_SHOWN(store, QUERY(STORE_ENTRIES, (1, 0, 100), ({0})), 1, 2, "1099511627781 |leaf|mine; ");
    CHECK_SHOWN(store, QUERY(STORE_LAST_HEAD, (1), ({0})), 2, 1, "6 1 |root; ");
    mark_state_free(&found);
    mark_close(mark);
    store_close(store);
}

int main(void)
{
    RUN(what_was_written_last_is_read);
    RUN(the_file_is_its_owners_alone_and_has_its_blocks);
    RUN(a_mark_is_made_once_and_followed_through_no_link);
    RUN(a_mark_whose_directory_cannot_be_synced_is_not_made);
    RUN(a_mark_has_one_owner);
    RUN(a_bit_flipped_anywhere_in_a_slot_gives_the_other);
    RUN(a_torn_write_gives_the_state_before);
    RUN(two_bad_slots_are_a_damaged_mark);
    RUN(nothing_remains_of_what_was_written_before);
    RUN(a_slot_of_another_version_gives_the_other);
    RUN(content_is_read_strictly);
    RUN(a_batch_too_large_for_a_slot_is_refused);
    RUN(after_a_failed_sync_the_mark_is_not_written);
    RUN(the_mark_is_written_beside_the_store);
    RUN(the_example_of_the_specification_holds);
    RUN(a_database_one_batch_behind_is_brought_up_to_date);
    scratch_clean();
    return test_end();
}
