#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define DESCRIPTORS_MAX 64
#define DESCRIPTOR_FIRST 1000 /* none of the real ones */

struct descriptor {
    struct disk *disk;
    struct disk_file *file; /* NULL: its directory */
};

static struct disk *mounted[SYSTEM_DISKS_MAX];
static struct descriptor descriptors[DESCRIPTORS_MAX];

void system_mount(unsigned number, struct disk *disk)
{
    mounted[number] = disk;
}

struct disk *system_disk(const char *path, const char **name)
{
    unsigned number = 0;
    const char *at = path;

    if (*at == '/')
        for (at++; *at >= '0' && *at <= '9' && number < SYSTEM_DISKS_MAX; at++)
            number = number * 10 + (unsigned)(*at - '0');
    if (at < path + 2 || (*at != '/' && *at != 0) || number >= SYSTEM_DISKS_MAX || mounted[number] == NULL) {
        (void)fprintf(stderr, "sim: %s is on no virtual disk\n", path);
        abort();
    }
    *name = *at == '/' ? at + 1 : at;
    return mounted[number];
}

static struct descriptor *descriptor(int fd)
{
    if (fd < DESCRIPTOR_FIRST || fd >= DESCRIPTOR_FIRST + DESCRIPTORS_MAX ||
        descriptors[fd - DESCRIPTOR_FIRST].disk == NULL)
        abort();
    return &descriptors[fd - DESCRIPTOR_FIRST];
}

static int answer(int code)
{
    if (code >= 0)
        return code;
    errno = -code;
    return -1;
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_unlink(const char *path);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_flock(int fd, int operation);
int __wrap_fstat64(int fd, struct stat *status);
int __wrap_stat64(const char *path, struct stat *status);
int __wrap_lstat64(const char *path, struct stat *status);
int __wrap_fstatvfs64(int fd, struct statvfs *status);
int __wrap_access(const char *path, int mode);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at);

int __wrap_open64(const char *path, int flags, ...)
{
    const char *name = NULL;
    struct disk *disk = system_disk(path, &name);
    struct disk_file *file = NULL;
    unsigned how = ((flags & O_CREAT) != 0 ? DISK_CREATE : 0) | ((flags & O_EXCL) != 0 ? DISK_EXCLUSIVE : 0);
    int code = (flags & O_DIRECTORY) != 0 ? 0 : disk_open(disk, name, how, &file);

    if (code != 0)
        return answer(code);
    for (int i = 0; i < DESCRIPTORS_MAX; i++)
        if (descriptors[i].disk == NULL) {
            descriptors[i] = (struct descriptor){.disk = disk, .file = file};
            return DESCRIPTOR_FIRST + i;
        }
    abort();
}

int __wrap_close(int fd)
{
    struct descriptor *open = descriptor(fd);

    disk_close(open->disk, open->file);
    *open = (struct descriptor){0};
    return 0;
}

int __wrap_unlink(const char *path)
{
    const char *name = NULL;
    struct disk *disk = system_disk(path, &name);

    return answer(disk_remove(disk, name));
}

int __wrap_fsync(int fd)
{
    const struct descriptor *open = descriptor(fd);

    return answer(open->file == NULL ? disk_sync_directory(open->disk) : disk_sync(open->disk, open->file));
}

int __wrap_fdatasync(int fd)
{
    return __wrap_fsync(fd);
}

int __wrap_flock(int fd, int operation)
{
    (void)operation;
    return answer(disk_lock(descriptor(fd)->file));
}

static int fill_status(int64_t size, struct stat *status)
{
    if (size < 0)
        return answer((int)size);
    *status = (struct stat){.st_mode = S_IFREG | S_IRUSR | S_IWUSR, .st_size = size};
    return 0;
}

int __wrap_fstat64(int fd, struct stat *status)
{
    return fill_status((int64_t)disk_size(descriptor(fd)->file), status);
}

int __wrap_stat64(const char *path, struct stat *status)
{
    const char *name = NULL;
    struct disk *disk = system_disk(path, &name);

    return fill_status(disk_size_of(disk, name), status);
}

int __wrap_lstat64(const char *path, struct stat *status)
{
    return __wrap_stat64(path, status);
}

int __wrap_fstatvfs64(int fd, struct statvfs *status)
{
    *status = (struct statvfs){.f_frsize = 1, .f_bavail = disk_space(descriptor(fd)->disk)};
    return 0;
}

int __wrap_access(const char *path, int mode)
{
    const char *name = NULL;
    struct disk *disk = system_disk(path, &name);

    return answer(disk_access(disk, name, (mode & W_OK) != 0));
}

ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t at)
{
    const struct descriptor *open = descriptor(fd);
    size_t part = disk_cut_short(open->disk, size);
    int64_t got = part == 0 && size > 0 ? -EINTR : disk_read(open->disk, open->file, out, part, (uint64_t)at);

    return got < 0 ? answer((int)got) : got;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at)
{
    const struct descriptor *open = descriptor(fd);
    size_t part = disk_cut_short(open->disk, size);
    int64_t put = part == 0 && size > 0 ? -EINTR : disk_write(open->disk, open->file, data, part, (uint64_t)at);

    return put < 0 ? answer((int)put) : put;
}
