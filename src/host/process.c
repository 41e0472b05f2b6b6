#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096
#define OPEN_FILES 4096
#define OPEN_FILES_LEAST 32 /* an office, its sockets and a few connections; libuv aborts for want of its own */

/* Otherwise the database could get number 2, and a log line would be written into it. */
static int open_standard_files(struct error *error)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return error_set(error, ERROR_SYSTEM, "/dev/null cannot be opened: %s", strerror(errno));
    return 0;
}

static void raise_limit(__rlimit_resource_t resource, rlim_t wanted)
{
    struct rlimit limit = {0};

    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(resource, &limit);
}

/* After it was raised. */
static int check_open_files(struct error *error)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < OPEN_FILES_LEAST)
        return error_set(error, ERROR_SYSTEM, "only %llu files may be open here, and liaisond needs %d (see ulimit -n)",
                         (unsigned long long)limit.rlim_cur, OPEN_FILES_LEAST);
    return 0;
}

int process_prepare(struct error *error)
{
    struct rlimit none = {0, 0};

    if (open_standard_files(error) != 0)
        return -1;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(0077);
    /* Secrets are locked one by one (secret_new); mlockall() would keep every stack and cache resident as well. */
    raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
    raise_limit(RLIMIT_NOFILE, OPEN_FILES);
    if (check_open_files(error) != 0)
        return -1;
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return error_set(error, ERROR_SYSTEM, "core dumps cannot be switched off: %s", strerror(errno));
#ifndef __SANITIZE_ADDRESS__ /* its leak check attaches to the process */
    if (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
        return error_set(error, ERROR_SYSTEM, "the process cannot be closed to debuggers: %s", strerror(errno));
#endif
    return 0;
}

int process_check_directory(const char *directory, const char *looked, struct error *error)
{
    struct stat status = {0};
    char database[PATH_MAX];
    int size = snprintf(database, sizeof database, "%s/liaison.db", directory);

    if (stat(directory, &status) != 0)
        return error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM, "there is no office in %s (%s): %s",
                         directory, looked, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return error_set(error, ERROR_REFUSED, "%s (%s) is not a directory", directory, looked);
    if (status.st_uid != geteuid())
        return error_set(error, ERROR_REFUSED, "%s (%s) belongs to another user, number %u", directory, looked,
                         status.st_uid);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(error, ERROR_REFUSED, "%s (%s) is open to others: chmod 700 it first", directory, looked);
    if (size < 0 || (size_t)size >= sizeof database)
        return error_set(error, ERROR_SYSTEM, "%s: the path is too long", directory);
    if (access(database, F_OK) != 0)
        return error_set(error, ERROR_NOT_FOUND, "there is no office in %s (%s): no liaison.db; type `liaison init`",
                         directory, looked);
    return 0;
}

int process_read_key(uint8_t key[static OFFICE_KEY_SIZE], const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status = {0};
    struct error cause = {0};
    uint8_t text[KEY_FILE_MAX];
    ssize_t size = 0;
    int result = -1;

    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)error_set(error, ERROR_SYSTEM, "the key file %s cannot be read: %s", path, strerror(errno));
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        (void)error_set(error, ERROR_REFUSED, "the key file %s is not a file", path);
        goto out;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        (void)error_set(error, ERROR_REFUSED, "the key file %s belongs to another user, number %u", path,
                        status.st_uid);
        goto out;
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)error_set(error, ERROR_REFUSED, "the key file %s can be read by others: chmod 600 it first", path);
        goto out;
    }
    size = read(fd, text, sizeof text);
    if (size < 0)
        (void)error_set(error, ERROR_SYSTEM, "the key file %s cannot be read: %s", path, strerror(errno));
    else if (office_key_parse(key, span_of(text, (size_t)size), &cause) != 0)
        (void)error_set(error, cause.code, "%s: %s", path, cause.message);
    else
        result = 0;
out:
    secret_wipe(text, sizeof text);
    if (fd >= 0)
        (void)close(fd);
    return result;
}
