/*
 * A mark on a disk, and in a machine, that does not do what it is asked for. The mark's calls of the system pass
 * through here; memory runs out in tests/memory.h.
 */
#include "store/mark.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "memory.h"
#include "scratch.h"

/* --- the calls --------------------------------------------------------------------------------------------- */

static bool in_pieces;   /* each read and write is interrupted once, and then does a part */
static bool interrupted; /* the last one was */
static int write_error;  /* errno of writes once writes_left is 0 */
static int read_error;   /* errno of reads */
static unsigned writes_left;
static bool locks_fail, directories_fail;

static bool interrupts(void)
{
    if (in_pieces)
        interrupted = !interrupted;
    errno = EINTR;
    return in_pieces && interrupted;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset);
int __wrap_flock(int fd, int operation);
int __wrap_open64(const char *path, int flags, ...);

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    if (interrupts())
        return -1;
    if (write_error != 0 && writes_left == 0) {
        errno = write_error;
        return -1;
    }
    writes_left -= write_error != 0;
    return syscall(SYS_pwrite64, fd, data, in_pieces && size > 1000 ? size / 2 : size, offset);
}

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset)
{
    if (interrupts())
        return -1;
    if (read_error != 0) {
        errno = read_error;
        return -1;
    }
    return syscall(SYS_pread64, fd, data, in_pieces && size > 10 ? size / 2 : size, offset);
}

int __wrap_flock(int fd, int operation)
{
    errno = EWOULDBLOCK;
    return locks_fail ? -1 : (int)syscall(SYS_flock, fd, operation);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    unsigned mode = 0;

    if (directories_fail && (flags & O_DIRECTORY) != 0) {
        errno = EMFILE;
        return -1;
    }
    va_start(arguments, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(arguments, unsigned);
    va_end(arguments);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* --- the mark ------------------------------------------------------------------------------------------------ */

static struct mark_state state_of(uint64_t batch)
{
    struct mark_state state = {.office = {1, 2, 3}, .batch = batch, .log_count = 1};
    struct store_op mine = OP(STORE_PUT_ENTRY, (PLACE(1, 7), 1, 2, 3, 4), (bytes_of("leaf"), bytes_of("mine")));

    state.log = calloc(1, sizeof *state.log);
    if (state.log == NULL)
        abort();
    state.log[0].size = batch;
    mine.own = true;
    put(&state.operations, mine);
    return state;
}

static struct mark *create(const char *path, uint64_t batch, struct error *error)
{
    struct mark_state state = state_of(batch);
    struct mark *mark = NULL;

    (void)unlink(path);
    mark = mark_create(path, &state, error);
    mark_state_free(&state);
    return mark;
}

/* Encodes and writes; the n-th call for memory fails, if n is not 0. */
static int write_state(struct mark *mark, uint64_t batch, size_t n, struct error *error)
{
    struct mark_state state = state_of(batch);
    struct buffer content = {0};
    int status = -1;

    memory_fail(n);
    status = mark_encode(&content, state.office, batch, state.log, 1, &state.operations, error);

    if (status == 0)
        status = mark_write(mark, buffer_span(&content), error);
    buffer_free(&content);
    mark_state_free(&state);
    return status;
}

/* The batch that a mark tells when it is opened; 0: it cannot be. */
static uint64_t opened(const char *path, struct error *error)
{
    struct mark_state state = {0};
    struct mark *mark = mark_open(path, &state, error);
    uint64_t batch = mark != NULL ? state.batch : 0;

    CHECK((mark != NULL) == (error->code == ERROR_NONE));
    CHECK(mark == NULL || (state.operations.count == 1 && state.log_count == 1 && state.log[0].size == batch));
    mark_state_free(&state);
    mark_close(mark);
    return batch;
}

static void interrupted_and_short_calls_change_nothing(void)
{
    const char *path = scratch("pieces");
    struct error error = {0};
    struct mark *mark = NULL;

    in_pieces = true;
    mark = create(path, 1, &error);
    CHECK(mark != NULL && write_state(mark, 2, 0, &error) == 0 && write_state(mark, 3, 0, &error) == 0);
    mark_close(mark);
    CHECK(opened(path, &error) == 3);
    in_pieces = false;
    CHECK(opened(path, &error) == 3);
}

static void a_mark_that_finds_no_room_is_not_made(void)
{
    static const struct {
        int error;
        enum error_code code;
    } rows[] = {{ENOSPC, ERROR_FULL}, {EIO, ERROR_SYSTEM}};
    const char *path = scratch("room");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned left = 0;; left++) {
            struct error error = {0};
            struct mark *mark = NULL;

            write_error = rows[i].error;
            writes_left = left;
            mark = create(path, 1, &error);
            write_error = 0;
            if (mark != NULL) {
                CHECK(left > 2); /* the zeros, and either slot */
                mark_close(mark);
                break;
            }
            CHECK(error.code == rows[i].code && strstr(error.message, strerror(rows[i].error)) != NULL);
            CHECK(access(path, F_OK) != 0 && left < 10000);
        }
}

static void a_mark_that_somebody_took_while_it_was_made_is_refused(void)
{
    struct error error = {0};

    locks_fail = true;
    CHECK(create(scratch("taken"), 1, &error) == NULL);
    locks_fail = false;
    CHECK(error.code == ERROR_REFUSED && strstr(error.message, "in use") != NULL);
}

static void a_mark_whose_directory_cannot_be_opened_is_not_made(void)
{
    const char *path = scratch("directory");
    struct error error = {0}, file_error = {0};

    directories_fail = true;
    CHECK(create(path, 1, &error) == NULL);
    CHECK(store_open(path, true, &file_error) == NULL);
    directories_fail = false;
    CHECK(error.code == ERROR_SYSTEM && strstr(error.message, strerror(EMFILE)) != NULL);
    CHECK(file_error.code == ERROR_SYSTEM && access(path, F_OK) != 0);
}

static void a_mark_that_cannot_be_read_is_damaged(void)
{
    const char *path = scratch("unread");
    struct error error = {0};

    mark_close(create(path, 1, &error));
    read_error = EIO;
    CHECK(opened(path, &error) == 0 && error.code == ERROR_STORAGE);
    read_error = 0;
    error = (struct error){0};
    CHECK(opened(path, &error) == 1);
}

/* What opening writes is what makes it certain that the mark is on the disk. */
static void a_mark_that_cannot_be_written_again_is_not_opened(void)
{
    const char *path = scratch("unwritten");
    struct error error = {0};

    mark_close(create(path, 1, &error));
    write_error = EIO;
    writes_left = 0;
    CHECK(opened(path, &error) == 0 && error.code == ERROR_STORAGE);
    write_error = 0;
    error = (struct error){0};
    CHECK(opened(path, &error) == 1);
}

static void a_mark_without_memory_is_not_made(void)
{
    const char *path = scratch("memory");
    struct mark_state state = state_of(1);

    for (size_t n = 1;; n++) {
        struct error error = {0};
        struct mark *mark = NULL;
        bool ran_out = false;

        (void)unlink(path);
        memory_fail(n);
        mark = mark_create(path, &state, &error);
        ran_out = memory_ran_out();
        CHECK((mark == NULL) == ran_out && (error.code == ERROR_SYSTEM) == ran_out);
        CHECK(!ran_out || access(path, F_OK) != 0);
        mark_close(mark);
        if (!ran_out)
            break;
        CHECK(n < 100);
    }
    mark_state_free(&state);
}

/* The newest state, or an error: never the one before it, on which a batch would be taken for new. */
static void a_mark_opened_without_memory_never_tells_an_older_state(void)
{
    const char *path = scratch("newest");
    struct error error = {0};
    struct mark *mark = create(path, 1, &error);

    CHECK(write_state(mark, 2, 0, &error) == 0);
    mark_close(mark);
    for (size_t n = 1;; n++) {
        uint64_t batch = 0;
        bool ran_out = false;

        error = (struct error){0};
        memory_fail(n);
        batch = opened(path, &error);
        ran_out = memory_ran_out();
        CHECK(batch == (ran_out ? 0 : 2));
        if (!ran_out)
            break;
        CHECK(n < 100);
    }
    error = (struct error){0};
    CHECK(opened(path, &error) == 2);
}

static void a_mark_written_without_memory_has_failed(void)
{
    const char *path = scratch("write");
    struct error error = {0};
    struct mark *mark = NULL;
    struct mark_state state = {0};

    mark_close(create(path, 1, &error));
    mark = mark_open(path, &state, &error);
    mark_state_free(&state);
    CHECK(mark != NULL);
    if (mark == NULL)
        return;
    for (size_t n = 1;; n++) { /* what there is to write needs memory, and mark_write() has its own */
        bool ran_out = false;

        error = (struct error){0};
        (void)write_state(mark, 2, n, &error);
        ran_out = memory_ran_out();
        CHECK((error.code != ERROR_NONE) == ran_out);
        if (!ran_out)
            break;
        CHECK(n < 100);
    }
    mark_close(mark);
    error = (struct error){0};
    CHECK(opened(path, &error) == 2);
}

int main(void)
{
    RUN(interrupted_and_short_calls_change_nothing);
    RUN(a_mark_that_finds_no_room_is_not_made);
    RUN(a_mark_that_somebody_took_while_it_was_made_is_refused);
    RUN(a_mark_whose_directory_cannot_be_opened_is_not_made);
    RUN(a_mark_that_cannot_be_read_is_damaged);
    RUN(a_mark_that_cannot_be_written_again_is_not_opened);
    RUN(a_mark_without_memory_is_not_made);
    RUN(a_mark_opened_without_memory_never_tells_an_older_state);
    RUN(a_mark_written_without_memory_has_failed);
    scratch_clean();
    return test_end();
}
