/*
 * Preloaded into a daemon by durable.py: fdatasync() and fsync() that leave out or delay the sync of some files. What
 * is left out makes no system call, as if the line of code were not there.
 *
 *   SYNC_SKIP=PART  files whose path ends with PART are not synced
 *   SYNC_SLOW=MS    a sync begins up to that many milliseconds late, another time for each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int is_skipped(int fd)
{
    const char *part = getenv("SYNC_SKIP");
    char link[64];
    char path[4096];
    ssize_t size = 0;
    size_t length = part != NULL ? strlen(part) : 0;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = part != NULL ? readlink(link, path, sizeof path) : -1;
    return size >= (ssize_t)length && memcmp(path + size - (ssize_t)length, part, length) == 0;
}

static void wait_a_little(void)
{
    const char *slow = getenv("SYNC_SLOW");
    unsigned short random = 0;

    if (slow != NULL && getrandom(&random, sizeof random, 0) == (ssize_t)sizeof random)
        (void)nanosleep(&(struct timespec){.tv_nsec = strtol(slow, NULL, 10) * 1000000 / 65536 * random}, NULL);
}

static int sync_file(int fd, long call)
{
    if (is_skipped(fd))
        return 0;
    wait_a_little();
    return (int)syscall(call, fd);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}
