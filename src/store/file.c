#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int file_directory(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    char *directory = NULL;
    int fd = -1;

    if (slash == NULL)
        directory = strdup(".");
    else
        directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (directory != NULL)
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        (void)error_set(error, ERROR_SYSTEM, "the directory of %s cannot be opened: %s", path, strerror(errno));
    free(directory);
    return fd;
}

int file_make(const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_set(error, errno == EEXIST ? ERROR_EXISTS : ERROR_SYSTEM, "%s cannot be made: %s", path,
                         strerror(errno));
    return fd;
}
