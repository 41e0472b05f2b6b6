/*
 * store/mark: what stands in a slot, whose checksum the harness makes right. The file lies in memory: the linker hands
 * the mark's open() to us.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/mark.h"

#define PATH "the mark"
#define HEAD 64 /* of a slot */

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 8000};

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

static int mark_file(void)
{
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("mark", MFD_CLOEXEC);
        HOLD(fd >= 0 && ftruncate(fd, 2 * MARK_SLOT_SIZE) == 0);
    }
    return fd;
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    int mode = 0;

    if (strcmp(path, PATH) == 0)
        return dup(mark_file());
    va_start(arguments, flags);
    if (flags & (O_CREAT | O_TMPFILE))
        mode = va_arg(arguments, int);
    va_end(arguments);
    return __real_open64(path, flags, mode);
}

static void put_slot(unsigned slot, uint64_t generation, struct span content)
{
    struct buffer bytes = {0};
    uint8_t hash[HASH_SIZE];
    struct span parts[2] = {{0}};
    off_t at = (off_t)slot * MARK_SLOT_SIZE;

    buffer_put(&bytes, "liaison-mark/1\n", 16);
    buffer_put_u64(&bytes, generation);
    buffer_put_u64(&bytes, content.size);
    parts[0] = buffer_span(&bytes);
    parts[1] = content;
    hash_parts(hash, parts, 2);
    buffer_put(&bytes, hash, HASH_SIZE);
    HOLD(bytes.size == HEAD);
    buffer_put_span(&bytes, content);
    HOLD(pwrite(mark_file(), bytes.data, bytes.size, at) == (ssize_t)bytes.size);
    buffer_free(&bytes);
}

/* The first byte says which slot is the newer one, and whether the other is whole; then comes the newer one's content.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    unsigned what = cursor_u8(&cursor);
    struct span content = cursor_rest(&cursor);
    struct mark_state state;
    struct error error = {0};
    struct buffer again = {0};
    struct mark *mark = NULL;
    static const uint8_t nothing[HEAD];
    uint64_t generation = 8 + what % 2;

    HOLD(pwrite(mark_file(), nothing, HEAD, 0) == HEAD && pwrite(mark_file(), nothing, HEAD, MARK_SLOT_SIZE) == HEAD);
    put_slot(what % 2, generation, content);
    if (what & 2)
        put_slot((what + 1) % 2, generation - 1, span_of_string("what is older is not read"));
    mark = mark_open(PATH, &state, &error);
    if (mark == NULL) {
        fuzz_refused(&error);
        HOLD(error.code == ERROR_STORAGE && state.log == NULL && state.operations.count == 0);
        return 0;
    }
    HOLD(mark_encode(&again, state.office, state.batch, state.log, state.log_count, &state.operations, NULL) == 0);
    fuzz_same(&again, content);
    mark_state_free(&state);
    mark_close(mark);
    return 0;
}
