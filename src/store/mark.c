#include "store/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cbor.h"
#include "record/charter.h"
#include "store/file.h"
#include "store/table.h"

#define SLOTS 2
#define BLOCK_SIZE 4096
#define MAGIC_SIZE 16
#define VERSION_AT 13 /* of its only digit, in the magic */
#define HEAD_SIZE (MAGIC_SIZE + 8 + 8 + HASH_SIZE)
#define CONTENT_SIZE_MAX (MARK_SLOT_SIZE - HEAD_SIZE)
/* A log takes more than 64 bytes and an operation at least 5: more than these cannot fit a slot. */
#define LOGS_MAX (MARK_SLOT_SIZE / 64)
#define OPERATIONS_MAX (MARK_SLOT_SIZE / 5)

static const uint8_t magic[MAGIC_SIZE] = "liaison-mark/1\n";

struct mark {
    int fd;
    uint64_t generation;  /* of the newest slot; generation % SLOTS is its number */
    bool failed;          /* a write failed: what stands in the slots is unknown */
    struct buffer buffer; /* the slot being written */
    size_t used[SLOTS];   /* bytes of each slot, in whole blocks, that may not be zero */
};

void mark_state_free(struct mark_state *state)
{
    if (state == NULL)
        return;
    free(state->log);
    store_batch_free(&state->operations);
    *state = (struct mark_state){0};
}

static void put_log(struct buffer *content, const struct mark_log *log)
{
    cbor_put_array(content, 5);
    cbor_put_bytes(content, log->line_id, HASH_SIZE);
    cbor_put_uint(content, log->member);
    cbor_put_uint(content, log->incarnation);
    cbor_put_uint(content, log->size);
    cbor_put_bytes(content, log->root, HASH_SIZE);
}

static void put_operation(struct buffer *content, const struct store_op *op)
{
    const struct store_op_form *form = &store_op_forms[op->kind];

    cbor_put_array(content, 3);
    cbor_put_uint(content, op->kind);
    cbor_put_array(content, form->integers);
    for (size_t i = 0; i < form->integers; i++)
        cbor_put_uint(content, (uint64_t)op->n[i]);
    cbor_put_array(content, form->blobs);
    for (size_t i = 0; i < form->blobs; i++)
        cbor_put_bytes(content, op->b[i].data, op->b[i].size);
}

int mark_encode(struct buffer *content, const uint8_t office[static OFFICE_ID_SIZE], uint64_t batch,
                const struct mark_log *logs, size_t log_count, const struct store_batch *batch_operations,
                struct error *error)
{
    size_t before = content->size;
    size_t own = 0;

    for (size_t i = 0; i < batch_operations->count; i++)
        own += batch_operations->op[i].own;
    cbor_put_array(content, 4);
    cbor_put_bytes(content, office, OFFICE_ID_SIZE);
    cbor_put_uint(content, batch);
    cbor_put_array(content, log_count);
    for (size_t i = 0; i < log_count; i++)
        put_log(content, &logs[i]);
    cbor_put_array(content, own);
    for (size_t i = 0; i < batch_operations->count; i++)
        if (batch_operations->op[i].own)
            put_operation(content, &batch_operations->op[i]);
    if (buffer_failed(content) || batch_operations->failed)
        return error_set(error, ERROR_SYSTEM, "no memory for the mark");
    if (content->size - before > CONTENT_SIZE_MAX)
        return error_set(error, ERROR_USAGE, "a batch of %zu bytes does not fit the mark, whose slots hold %zu",
                         content->size - before, (size_t)CONTENT_SIZE_MAX);
    return 0;
}

static void read_log(struct cursor *cursor, struct mark_log *log)
{
    if (cbor_read_array(cursor, 5) != 5)
        (void)cursor_fail(cursor);
    cbor_copy_bytes(cursor, log->line_id, HASH_SIZE);
    log->member = (uint8_t)cbor_read_uint_max(cursor, MEMBERS_MAX - 1);
    log->incarnation = (uint32_t)cbor_read_uint_max(cursor, UINT32_MAX);
    log->size = cbor_read_uint_max(cursor, TREE_SIZE_MAX);
    cbor_copy_bytes(cursor, log->root, HASH_SIZE);
}

static void read_operation(struct cursor *cursor, struct store_batch *operations)
{
    struct store_op op = {.own = true};
    const struct store_op_form *form = NULL;

    if (cbor_read_array(cursor, 3) != 3)
        (void)cursor_fail(cursor);
    op.kind = (enum store_op_kind)cbor_read_uint_max(cursor, STORE_OP_COUNT - 1);
    form = &store_op_forms[op.kind];
    if (cbor_read_array(cursor, form->integers) != form->integers)
        (void)cursor_fail(cursor);
    for (size_t i = 0; i < form->integers; i++)
        op.n[i] = (int64_t)cbor_read_uint_max(cursor, INT64_MAX);
    if (cbor_read_array(cursor, form->blobs) != form->blobs)
        (void)cursor_fail(cursor);
    for (size_t i = 0; i < form->blobs; i++)
        op.b[i] = cbor_read_bytes(cursor, 0, MARK_SLOT_SIZE);
    if (!cursor->failed)
        store_batch_put(operations, &op);
}

static int decode(struct mark_state *state, struct span content, const char *path, struct error *error)
{
    struct cursor cursor = cursor_of(content);
    size_t count = 0;

    cursor_part(&cursor, "its array of four");
    if (cbor_read_array(&cursor, 4) != 4)
        (void)cursor_fail(&cursor);
    cursor_part(&cursor, "its office");
    cbor_copy_bytes(&cursor, state->office, OFFICE_ID_SIZE);
    cursor_part(&cursor, "its batch number");
    state->batch = cbor_read_uint(&cursor);
    cursor_part(&cursor, "its logs");
    state->log_count = cbor_read_array(&cursor, LOGS_MAX);
    state->log = calloc(state->log_count + 1, sizeof *state->log);
    if (state->log == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for the mark");
    for (size_t i = 0; i < state->log_count && !cursor.failed; i++)
        read_log(&cursor, &state->log[i]);
    cursor_part(&cursor, "its operations");
    count = cbor_read_array(&cursor, OPERATIONS_MAX);
    for (size_t i = 0; i < count && !cursor.failed; i++)
        read_operation(&cursor, &state->operations);
    if (state->operations.failed)
        return error_set(error, ERROR_SYSTEM, "no memory for the mark");
    if (!cursor_done(&cursor))
        return error_set(error, ERROR_STORAGE,
                         "the mark %s is whole and was not written by this liaison: it is wrong at %s", path,
                         cursor_wrong(&cursor));
    return 0;
}

static int write_all(int fd, struct span bytes, off_t offset)
{
    while (bytes.size > 0) {
        ssize_t written = pwrite(fd, bytes.data, bytes.size, offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes = span_from(bytes, (size_t)written);
        offset += written;
    }
    return 0;
}

/* Everything but the checksum itself. */
static void checksum(uint8_t out[static HASH_SIZE], const uint8_t head[static HEAD_SIZE], struct span content)
{
    struct span parts[] = {span_of(head, HEAD_SIZE - HASH_SIZE), content};

    hash_parts(out, parts, 2);
}

/* What the slot held before is overwritten to its end: it may be a secret that the database has deleted since. */
static int write_slot(struct mark *mark, uint64_t generation, struct span content)
{
    size_t slot = generation % SLOTS;
    size_t used = (HEAD_SIZE + content.size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
    size_t size = used > mark->used[slot] ? used : mark->used[slot];
    uint8_t *bytes = NULL;

    buffer_reset(&mark->buffer);
    bytes = buffer_extend(&mark->buffer, size);
    if (bytes == NULL) {
        errno = ENOMEM;
        return -1;
    }
    memset(bytes, 0, size);
    memcpy(bytes, magic, MAGIC_SIZE);
    put_u64_be(bytes + MAGIC_SIZE, generation);
    put_u64_be(bytes + MAGIC_SIZE + 8, content.size);
    if (content.size > 0)
        memcpy(bytes + HEAD_SIZE, content.data, content.size);
    checksum(bytes + MAGIC_SIZE + 16, bytes, content);
    mark->used[slot] = used;
    return write_all(mark->fd, buffer_span(&mark->buffer), (off_t)(slot * MARK_SLOT_SIZE));
}

int mark_write(struct mark *mark, struct span content, struct error *error)
{
    if (mark->failed)
        return error_set(error, ERROR_STORAGE, "the mark failed before and is not touched until the next start");
    if (content.size > CONTENT_SIZE_MAX)
        return error_set(error, ERROR_USAGE, "a mark of %zu bytes does not fit its slot", content.size);
    if (write_slot(mark, mark->generation + 1, content) != 0 || fdatasync(mark->fd) != 0) {
        mark->failed = true;
        return error_set(error, ERROR_STORAGE, "the mark cannot be written: %s", strerror(errno));
    }
    mark->generation++;
    return 0;
}

/* Two offices on one mark would be two copies of one office, each of them a fork of the other. */
static int lock(const struct mark *mark, const char *path, struct error *error)
{
    if (flock(mark->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return error_set(error, ERROR_REFUSED, "the mark %s is in use by another process", path);
}

/* Zeros are really written: a commit then never waits for the file system to find it blocks. */
static int fill(struct mark *mark)
{
    static const uint8_t zeros[1 << 16];
    int status = 0;

    for (size_t at = 0; at < SLOTS * MARK_SLOT_SIZE && status == 0; at += sizeof zeros)
        status = write_all(mark->fd, span_of(zeros, sizeof zeros), (off_t)at);
    return status;
}

/* Both slots get the state, so that one of them may be lost from the start. */
static int make(struct mark *mark, const char *path, struct span content, struct error *error)
{
    int directory = -1;
    int status = -1;

    if (lock(mark, path, error) != 0)
        return -1;
    if (fill(mark) != 0 || write_slot(mark, 1, content) != 0 || write_slot(mark, 2, content) != 0 ||
        fsync(mark->fd) != 0)
        return error_set(error, errno == ENOSPC ? ERROR_FULL : ERROR_SYSTEM, "the mark %s cannot be written: %s", path,
                         strerror(errno));
    mark->generation = 2;
    directory = file_directory(path, error);
    if (directory < 0)
        return -1;
    status = fsync(directory);
    if (status != 0)
        (void)error_set(error, ERROR_SYSTEM, "the directory of %s cannot be synced: %s", path, strerror(errno));
    (void)close(directory);
    return status;
}

struct mark *mark_create(const char *path, const struct mark_state *state, struct error *error)
{
    struct mark *mark = calloc(1, sizeof *mark);
    struct buffer content = {0};
    int status = -1;

    if (mark == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "no memory for the mark");
        return NULL;
    }
    mark->fd = -1;
    if (mark_encode(&content, state->office, state->batch, state->log, state->log_count, &state->operations, error) !=
        0)
        goto out;
    mark->fd = file_make(path, error);
    if (mark->fd < 0)
        goto out;
    status = make(mark, path, buffer_span(&content), error);
    if (status != 0)
        (void)unlink(path);
out:
    buffer_free(&content);
    if (status == 0)
        return mark;
    mark_close(mark);
    return NULL;
}

/* Reads exactly `size` bytes. */
static bool read_all(int fd, uint8_t *out, size_t size, off_t offset)
{
    while (size > 0) {
        ssize_t got = pread(fd, out, size, offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        out += got;
        size -= (size_t)got;
        offset += got;
    }
    return true;
}

/* Reads a slot's content; false if it is not there: never written, torn, damaged, or written for the other slot. Where
 * there was no memory nobody knows, and `content` has failed: the other slot may be an older one. */
static bool read_slot(const struct mark *mark, unsigned slot, uint64_t *generation, struct buffer *content)
{
    off_t offset = (off_t)slot * MARK_SLOT_SIZE;
    uint8_t head[HEAD_SIZE];
    uint8_t found[HASH_SIZE];
    struct cursor cursor = cursor_of(span_of(head, sizeof head));
    struct span start = {0};
    uint64_t size = 0;
    uint8_t *bytes = NULL;

    if (!read_all(mark->fd, head, sizeof head, offset))
        return false;
    start = cursor_span(&cursor, MAGIC_SIZE);
    *generation = cursor_u64(&cursor);
    size = cursor_u64(&cursor);
    if (!span_equal(start, span_of(magic, MAGIC_SIZE)) || *generation % SLOTS != slot || size == 0 ||
        size > CONTENT_SIZE_MAX)
        return false;
    bytes = buffer_extend(content, (size_t)size);
    if (bytes == NULL || !read_all(mark->fd, bytes, (size_t)size, offset + HEAD_SIZE))
        return false;
    checksum(found, head, buffer_span(content));
    return span_equal(cursor_rest(&cursor), span_of(found, HASH_SIZE));
}

/* Whether a slot begins as one of another version does. */
static bool is_of_another_version(const struct mark *mark)
{
    for (off_t slot = 0; slot < SLOTS; slot++) {
        uint8_t start[MAGIC_SIZE];

        if (read_all(mark->fd, start, sizeof start, slot * MARK_SLOT_SIZE) && memcmp(start, magic, VERSION_AT) == 0 &&
            start[VERSION_AT] != magic[VERSION_AT] && start[VERSION_AT] >= '0' && start[VERSION_AT] <= '9')
            return true;
    }
    return false;
}

static int read_newest(struct mark *mark, const char *path, struct mark_state *state, struct error *error)
{
    struct buffer content[SLOTS] = {{0}};
    uint64_t generation[SLOTS] = {0};
    int newest = -1;
    int status = -1;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        bool valid = read_slot(mark, slot, &generation[slot], &content[slot]);

        if (valid && (newest < 0 || generation[slot] > generation[newest]))
            newest = (int)slot;
    }
    /* Else the state before would pass for the newest. */
    if (buffer_failed(&content[0]) || buffer_failed(&content[1])) {
        (void)error_set(error, ERROR_SYSTEM, "no memory to read the mark %s", path);
    } else if (newest < 0 && is_of_another_version(mark)) {
        (void)error_set(error, ERROR_VERSION, "the mark %s was written by another version of liaison", path);
    } else if (newest < 0) {
        (void)error_set(error, ERROR_STORAGE, "the mark %s is damaged: neither of its two slots is whole", path);
    } else {
        mark->generation = generation[newest];
        status = decode(state, buffer_span(&content[newest]), path, error);
    }
    /* What a failed sync left may be in the page cache only: nothing is built on it before it is on the disk. */
    if (status == 0 &&
        (write_slot(mark, mark->generation, buffer_span(&content[newest])) != 0 || fdatasync(mark->fd) != 0))
        status = error_set(error, ERROR_STORAGE, "the mark %s cannot be written: %s", path, strerror(errno));
    for (unsigned slot = 0; slot < SLOTS; slot++)
        buffer_free(&content[slot]);
    return status;
}

static int open_file(struct mark *mark, const char *path, struct error *error)
{
    struct stat status = {0};

    mark->fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (mark->fd < 0 && errno == ENOENT)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no mark %s (if it was made elsewhere, say where with --mark)", path);
    if (mark->fd < 0 || fstat(mark->fd, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "the mark %s cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size != SLOTS * MARK_SLOT_SIZE)
        return error_set(error, ERROR_STORAGE, "the mark %s is damaged: it is not a file of %u bytes", path,
                         SLOTS * MARK_SLOT_SIZE);
    return lock(mark, path, error);
}

struct mark *mark_open(const char *path, struct mark_state *state, struct error *error)
{
    struct mark *mark = calloc(1, sizeof *mark);

    *state = (struct mark_state){0};
    if (mark == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "no memory for the mark");
        return NULL;
    }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        mark->used[slot] = MARK_SLOT_SIZE;
    if (open_file(mark, path, error) == 0 && read_newest(mark, path, state, error) == 0)
        return mark;
    mark_state_free(state);
    mark_close(mark);
    return NULL;
}

void mark_close(struct mark *mark)
{
    if (mark == NULL)
        return;
    if (mark->fd >= 0)
        (void)close(mark->fd);
    buffer_free(&mark->buffer);
    free(mark);
}
