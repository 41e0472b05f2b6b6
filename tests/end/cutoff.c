/*
 * Preloaded into a daemon by cutoff.py: a disk that forgets what was not synced. Files are written as ever, so that
 * what is read is what was written; but before a sector changes for the first time since the last sync of its file,
 * what it held is put aside, in an arena that outlives the process. A sync throws that away. When the process was
 * killed, the test puts back any of the sectors, lengths and names that were not synced: that is what a power cut would
 * have left.
 *
 * No sync reaches the real disk, which need not forget anything.
 *
 *   CUTOFF_ARENA=FILE   of SLOTS slots, zeros; without it nothing is done
 *   CUTOFF_BELOW=PATH   files below that directory, and PATH.mark
 *   CUTOFF_AT=N         at the N-th sync the process kills itself; before it is done if N is odd, else after
 *   CUTOFF_SKIP=PART    files whose path ends with PART are never synced, which is what the test must find out
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR 512
#define SECTORS 524288 /* of the longest file */
#define SLOTS 6
#define DESCRIPTORS 4096
#define PATH_SIZE 512

enum { DIRTY = 1, CUT = 2 }; /* written since the last sync; cut off by a truncation since */

/* cutoff.py reads this. */
struct slot {
    char path[PATH_SIZE]; /* "": free */
    uint64_t size;        /* as of the last sync */
    uint8_t named;        /* the name is on the disk */
    uint8_t removed;      /* the file was removed, and its directory not synced since */
    uint8_t cut;          /* it was cut shorter since the last sync */
    uint8_t fill[5];
    uint64_t end; /* no sector from there on was ever written */
    uint8_t rest[4096 - PATH_SIZE - 24];
    uint8_t state[SECTORS];
    uint8_t before[SECTORS][SECTOR];
};

static struct slot *slots;
static struct slot *of_descriptor[DESCRIPTORS];
static char directory_of[DESCRIPTORS][PATH_SIZE]; /* of descriptors of directories */
static const char *below, *skipped;
static long cut_at, syncs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    const char *arena = getenv("CUTOFF_ARENA");
    const char *at = getenv("CUTOFF_AT");
    int fd = arena != NULL ? (int)syscall(SYS_openat, AT_FDCWD, arena, O_RDWR | O_CLOEXEC, 0) : -1;

    below = getenv("CUTOFF_BELOW");
    skipped = getenv("CUTOFF_SKIP");
    cut_at = at != NULL ? strtol(at, NULL, 10) : 0;
    if (fd < 0 || below == NULL)
        return;
    slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (slots == MAP_FAILED)
        abort();
    (void)syscall(SYS_close, fd);
}

static void give_up(const char *why)
{
    static const char start[] = "cutoff: ";

    (void)syscall(SYS_write, STDERR_FILENO, start, sizeof start - 1);
    (void)syscall(SYS_write, STDERR_FILENO, why, strlen(why));
    (void)syscall(SYS_write, STDERR_FILENO, "\n", 1);
    abort();
}

static int ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), length = strlen(end);

    return size >= length && strcmp(text + size - length, end) == 0;
}

static int is_ours(const char *path)
{
    size_t size = below != NULL ? strlen(below) : 0;

    return slots != NULL && strncmp(path, below, size) == 0 && strlen(path) < PATH_SIZE &&
           (path[size] == '/' || strcmp(path + size, ".mark") == 0);
}

static struct slot *slot_of(const char *path)
{
    for (int i = 0; i < SLOTS; i++)
        if (!slots[i].removed && strcmp(slots[i].path, path) == 0)
            return &slots[i];
    return NULL;
}

static struct slot *new_slot(const char *path, int is_new, uint64_t size)
{
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].path[0] == 0) {
            slots[i].size = size;
            slots[i].named = !is_new;
            slots[i].removed = slots[i].cut = 0;
            memset(slots[i].state, 0, slots[i].end);
            memcpy(slots[i].path, path, strlen(path) + 1);
            return &slots[i];
        }
    give_up("there are too many files");
    return NULL;
}

static uint64_t size_of(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        abort();
    return (uint64_t)status.st_size;
}

/* --- what changes a file ----------------------------------------------------------------------------------------- */

static void keep(struct slot *slot, int fd, uint64_t sector, uint8_t state)
{
    if (sector >= SECTORS)
        give_up("a file is too long");
    if (sector >= slot->end)
        slot->end = sector + 1;
    if (slot->state[sector] == 0) {
        memset(slot->before[sector], 0, SECTOR);
        if (syscall(SYS_pread64, fd, slot->before[sector], SECTOR, (off_t)(sector * SECTOR)) < 0)
            abort();
        __sync_synchronize();
    }
    slot->state[sector] |= state;
}

static void keep_range(struct slot *slot, int fd, uint64_t from, uint64_t end, uint8_t state)
{
    for (uint64_t sector = from / SECTOR; from < end && sector <= (end - 1) / SECTOR; sector++)
        keep(slot, fd, sector, state);
    __sync_synchronize();
}

static struct slot *held(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? of_descriptor[fd] : NULL;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    struct slot *slot = held(fd);
    ssize_t written = 0;

    (void)pthread_mutex_lock(&lock);
    if (slot != NULL)
        keep_range(slot, fd, (uint64_t)at, (uint64_t)at + size, DIRTY);
    written = syscall(SYS_pwrite64, fd, data, size, at);
    (void)pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return pwrite64(fd, data, size, at);
}

int ftruncate64(int fd, off64_t size)
{
    struct slot *slot = held(fd);
    int result = 0;

    (void)pthread_mutex_lock(&lock);
    if (slot != NULL && size_of(fd) > (uint64_t)size) {
        keep_range(slot, fd, (uint64_t)size, size_of(fd), CUT);
        slot->cut = 1;
    }
    result = (int)syscall(SYS_ftruncate, fd, size);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* What nobody here does to these files, and this disk would not see. */
int rename(const char *from, const char *to)
{
    if (is_ours(from) || is_ours(to))
        give_up("a file was renamed");
    return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (held(fd) != NULL)
        give_up("a file was written where its position was");
    return syscall(SYS_write, fd, data, size);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static int open_file(const char *path, int flags, mode_t mode)
{
    struct stat status;
    int is_new = 0;
    int fd = -1;

    if (!is_ours(path) && (flags & O_DIRECTORY) == 0)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    (void)pthread_mutex_lock(&lock);
    is_new = stat(path, &status) != 0;
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= DESCRIPTORS || strlen(path) >= PATH_SIZE)
        give_up("there are too many descriptors");
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        memcpy(directory_of[fd], path, strlen(path) + 1);
    } else if (fd >= 0 && is_ours(path)) {
        of_descriptor[fd] = slot_of(path);
        if (of_descriptor[fd] == NULL)
            of_descriptor[fd] = new_slot(path, is_new, size_of(fd));
    }
    (void)pthread_mutex_unlock(&lock);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    va_start(arguments, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_file(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    va_start(arguments, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_file(path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS) {
        of_descriptor[fd] = NULL;
        directory_of[fd][0] = 0;
    }
    return (int)syscall(SYS_close, fd);
}

/* The whole file is put aside: it may come back. */
int unlink(const char *path)
{
    struct slot *slot = NULL;
    int result = 0;

    (void)pthread_mutex_lock(&lock);
    slot = is_ours(path) ? slot_of(path) : NULL;
    if (slot != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

        if (fd >= 0) {
            keep_range(slot, fd, 0, size_of(fd), DIRTY);
            (void)syscall(SYS_close, fd);
        }
        slot->removed = 1;
    }
    result = (int)syscall(SYS_unlink, path);
    if (result != 0 && slot != NULL)
        slot->removed = 0;
    (void)pthread_mutex_unlock(&lock);
    return result;
}

/* --- syncs ------------------------------------------------------------------------------------------------------- */

static void sync_directory(const char *directory)
{
    size_t size = strlen(directory);

    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &slots[i];

        if (strncmp(slot->path, directory, size) != 0 || slot->path[size] != '/' ||
            strchr(slot->path + size + 1, '/') != NULL)
            continue;
        slot->named = 1;
        if (slot->removed)
            slot->path[0] = 0;
    }
}

/* In an order in which every moment is one that a disk may be found in while a sync goes on. */
static void sync_slot(struct slot *slot, int fd)
{
    slot->cut = 0;
    __sync_synchronize();
    slot->size = size_of(fd);
    __sync_synchronize();
    memset(slot->state, 0, slot->end);
}

static int sync_file(int fd)
{
    struct slot *slot = held(fd);
    int is_directory = slots != NULL && fd >= 0 && fd < DESCRIPTORS && directory_of[fd][0] != 0;

    if (slot == NULL && !is_directory)
        return 0;
    (void)pthread_mutex_lock(&lock);
    syncs++;
    if (syncs == cut_at && cut_at % 2 != 0)
        (void)kill(getpid(), SIGKILL);
    if (is_directory)
        sync_directory(directory_of[fd]);
    else if (skipped == NULL || !ends_with(slot->path, skipped))
        sync_slot(slot, fd);
    if (syncs == cut_at)
        (void)kill(getpid(), SIGKILL);
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

int fsync(int fd)
{
    return sync_file(fd);
}
