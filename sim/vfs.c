#include "vfs.h"

#include <errno.h>
#include <sqlite3.h>

#include "system.h"

#define PATH_SIZE_MAX 64
#define VIEW "/view"

struct open_file {
    sqlite3_file base;
    struct disk *disk;
    struct disk_file *file; /* NULL: a view */
    const char *name;       /* SQLite keeps it as long as the file is open */
    bool is_wal;
    bool holds; /* the lock, until it is closed */
};

static struct random randomness;
static bool drop_wal_syncs;

/* Seconds and so on since the beginning of the Julian period, at 2026-01-01. */
#define JULIAN_MS (INT64_C(2461041) * 86400000 + 43200000)

static int code_of(int64_t code, int otherwise)
{
    return code >= 0 ? SQLITE_OK : code == -ENOSPC ? SQLITE_FULL : code == -EROFS ? SQLITE_READONLY : otherwise;
}

static int close_file(sqlite3_file *base)
{
    struct open_file *open = (struct open_file *)base;

    disk_close(open->disk, open->file);
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *out, int size, sqlite3_int64 at)
{
    struct open_file *open = (struct open_file *)base;
    int64_t got = open->file != NULL
                      ? disk_read(open->disk, open->file, out, (size_t)size, (uint64_t)at)
                      : (int64_t)disk_truth(open->disk, open->name, true, out, (size_t)size, (uint64_t)at);

    if (got < 0)
        return SQLITE_IOERR_READ;
    memset((uint8_t *)out + got, 0, (size_t)(size - got));
    return got == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *data, int size, sqlite3_int64 at)
{
    struct open_file *open = (struct open_file *)base;

    if (open->file == NULL)
        return SQLITE_READONLY;
    return code_of(disk_write(open->disk, open->file, data, (size_t)size, (uint64_t)at), SQLITE_IOERR_WRITE);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    struct open_file *open = (struct open_file *)base;

    if (open->file == NULL)
        return SQLITE_READONLY;
    return code_of(disk_truncate(open->disk, open->file, (uint64_t)size), SQLITE_IOERR_TRUNCATE);
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct open_file *open = (struct open_file *)base;

    (void)flags;
    if (open->file == NULL || (open->is_wal && drop_wal_syncs))
        return SQLITE_OK;
    return disk_sync(open->disk, open->file) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    const struct open_file *open = (struct open_file *)base;

    *size = (sqlite3_int64)(open->file != NULL ? disk_size(open->file) : disk_truth_size(open->disk, open->name, true));
    return SQLITE_OK;
}

/* Whoever is about to write keeps others out, readers too, for as long as it has the file open. */
static int lock_file(sqlite3_file *base, int level)
{
    struct open_file *open = (struct open_file *)base;

    if (open->file == NULL || open->holds)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED)
        return disk_is_locked(open->file) ? SQLITE_BUSY : SQLITE_OK;
    open->holds = disk_lock(open->file) == 0;
    return open->holds ? SQLITE_OK : SQLITE_BUSY;
}

static int unlock_file(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int is_reserved(sqlite3_file *base, int *reserved)
{
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

/* As SQLite's own for unix says. */
static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static bool is_view(const char *path)
{
    return strncmp(path, VIEW, sizeof VIEW - 1) == 0;
}

static int open_path(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *flags_out)
{
    struct open_file *open = (struct open_file *)base;
    bool view = is_view(path);
    int code = 0;

    (void)vfs;
    *open = (struct open_file){.is_wal = (flags & SQLITE_OPEN_WAL) != 0};
    open->disk = system_disk(view ? path + sizeof VIEW - 1 : path, &open->name);
    if (!view)
        code = disk_open(open->disk, open->name, (flags & SQLITE_OPEN_CREATE) != 0 ? DISK_CREATE : 0, &open->file);
    if (code != 0)
        return code_of(code, SQLITE_CANTOPEN);
    open->base.pMethods = &methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int remove_path(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    const char *name = NULL;
    struct disk *disk = is_view(path) ? NULL : system_disk(path, &name);
    int code = disk == NULL ? 0 : disk_remove(disk, name);

    (void)vfs;
    if (code == -ENOENT)
        return SQLITE_IOERR_DELETE_NOENT;
    if (code == 0 && disk != NULL && sync_directory != 0)
        code = disk_sync_directory(disk);
    return code_of(code, SQLITE_IOERR_DELETE);
}

static int access_path(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    bool view = is_view(path);
    const char *name = NULL;
    struct disk *disk = system_disk(view ? path + sizeof VIEW - 1 : path, &name);
    int64_t size = view ? (int64_t)disk_truth_size(disk, name, true) : disk_size_of(disk, name);

    (void)vfs;
    (void)flags;
    if (size < 0 && size != -ENOENT)
        return SQLITE_IOERR_ACCESS;
    *result = size > 0; /* an empty journal is none */
    return SQLITE_OK;
}

static int full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    (void)vfs;
    (void)sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
}

static int draw(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    random_fill(&randomness, out, (size_t)size);
    return size;
}

static int sleep_for(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
    (void)vfs;
    *ms = JULIAN_MS;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

void vfs_register(uint64_t seed)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct open_file),
        .mxPathname = PATH_SIZE_MAX,
        .zName = "simulated",
        .xOpen = open_path,
        .xDelete = remove_path,
        .xAccess = access_path,
        .xFullPathname = full_path,
        .xRandomness = draw,
        .xSleep = sleep_for,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = time_ms,
    };

    random_start(&randomness, seed, 1);
    drop_wal_syncs = false;
    (void)sqlite3_vfs_register(&vfs, 1);
    /* SQLite's generator asks its file system once; this makes it ask again. */
    sqlite3_randomness(0, NULL);
}

void vfs_drop_wal_syncs(bool drop)
{
    drop_wal_syncs = drop;
}
