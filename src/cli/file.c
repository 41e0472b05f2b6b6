#include "cli/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int file, const char *path, size_t max, struct buffer *content, struct error *error)
{
    size_t start = content->size;
    ssize_t size = 0;

    do {
        size_t room = max - (content->size - start) + 1; /* one more, to find out that there is more */
        size_t step = room < 65536 ? room : 65536;
        uint8_t *at = buffer_extend(content, step);

        if (at == NULL)
            return error_set(error, ERROR_SYSTEM, "out of memory");
        do {
            size = read(file, at, step);
        } while (size < 0 && errno == EINTR);
        content->size -= step - (size > 0 ? (size_t)size : 0);
        if (size < 0)
            return error_set(error, ERROR_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
        if (content->size - start > max)
            return error_set(error, ERROR_INVALID, "%s has more than %zu bytes", path, max);
    } while (size > 0);
    return 0;
}

int file_read(const char *path, size_t max, struct buffer *content, struct error *error)
{
    int file = STDIN_FILENO;
    int result = -1;

    if (strcmp(path, "-") == 0)
        return read_all(file, "standard input", max, content, error);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM, "%s cannot be read: %s",
                         path[0] != 0 ? path : "a file without a name", strerror(errno));
    result = read_all(file, path, max, content, error);
    (void)close(file);
    return result;
}

int file_read_text(const char *path, struct buffer *content, struct error *error)
{
    if (file_read(path, FILE_TEXT_MAX, content, error) != 0)
        return -1;
    return text_is_utf8(buffer_span(content)) ? 0 : error_set(error, ERROR_INVALID, "%s is not a text in UTF-8", path);
}

int file_read_secret(const char *path, size_t max, struct buffer *content, struct error *error)
{
    struct stat status = {0};

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(error, ERROR_REFUSED, "%s is a secret that others can read: chmod 600 it first", path);
    return file_read(path, max, content, error);
}

int file_reserve(const char *path, mode_t mode, size_t size, struct error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int failed = 0;

    if (file < 0)
        return error_set(error, errno == EEXIST ? ERROR_EXISTS : ERROR_SYSTEM, "%s cannot be made: %s", path,
                         strerror(errno));
    failed = size > 0 ? posix_fallocate(file, 0, (off_t)size) : 0;
    if (failed == 0)
        return file;
    (void)close(file);
    (void)unlink(path);
    return error_set(error, failed == ENOSPC ? ERROR_FULL : ERROR_SYSTEM, "%s cannot be made: %s", path,
                     strerror(failed));
}

int file_fill(int file, struct span content, const char *path, struct error *error)
{
    size_t done = 0;

    while (done < content.size) {
        ssize_t written = pwrite(file, content.data + done, content.size - done, (off_t)done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_set(error, ERROR_SYSTEM, "%s cannot be written: %s", path, strerror(errno));
        done += (size_t)written;
    }
    if (ftruncate(file, (off_t)content.size) != 0 || fsync(file) != 0)
        return error_set(error, ERROR_SYSTEM, "%s cannot be written: %s", path, strerror(errno));
    return 0;
}

int file_sync_directory(const char *path, struct error *error)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = directory >= 0 ? fsync(directory) : -1;

    if (result != 0)
        (void)error_set(error, ERROR_SYSTEM, "%s cannot be synced: %s", path, strerror(errno));
    if (directory >= 0)
        (void)close(directory);
    return result;
}

int file_sync_parent(const char *path, struct error *error)
{
    char *copy = strdup(path);
    int result =
        copy != NULL ? file_sync_directory(dirname(copy), error) : error_set(error, ERROR_SYSTEM, "out of memory");

    free(copy);
    return result;
}

int file_create(const char *path, mode_t mode, struct span content, struct error *error)
{
    int file = file_reserve(path, mode, 0, error);
    int result = -1;

    if (file < 0)
        return -1;
    result = file_fill(file, content, path, error);
    if (result == 0)
        result = file_sync_parent(path, error);
    (void)close(file);
    if (result != 0)
        (void)unlink(path);
    return result;
}

int replacement_open(struct replacement *replacement, const char *path, mode_t mode, struct error *error)
{
    struct stat there = {0};
    int file = -1;

    *replacement = (struct replacement){0};
    if (strcmp(path, "-") == 0) {
        replacement->stream = stdout;
        return 0;
    }
    /* Root may rename over anything: /dev/null and /dev/stdout would be gone for the whole machine. */
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return error_set(error, ERROR_REFUSED,
                         "%s is no ordinary file and is not replaced; name another, or - for standard output", path);
    replacement->path = strdup(path);
    if (asprintf(&replacement->temporary, "%s.XXXXXX", path) < 0)
        replacement->temporary = NULL;
    if (replacement->path == NULL || replacement->temporary == NULL) {
        replacement_abandon(replacement);
        return error_set(error, ERROR_SYSTEM, "out of memory");
    }
    file = mkostemp(replacement->temporary, O_CLOEXEC);
    if (file >= 0 && fchmod(file, mode) == 0)
        replacement->stream = fdopen(file, "w");
    if (replacement->stream != NULL)
        return 0;
    (void)error_set(error, ERROR_SYSTEM, "%s cannot be made: %s", path, strerror(errno));
    if (file >= 0)
        (void)close(file);
    replacement_abandon(replacement);
    return -1;
}

void replacement_abandon(struct replacement *replacement)
{
    if (replacement->stream != NULL && replacement->stream != stdout)
        (void)fclose(replacement->stream);
    if (replacement->temporary != NULL)
        (void)unlink(replacement->temporary);
    free(replacement->temporary);
    free(replacement->path);
    *replacement = (struct replacement){0};
}

int replacement_commit(struct replacement *replacement, struct error *error)
{
    int result = 0;

    if (fflush(replacement->stream) != 0 || ferror(replacement->stream) != 0)
        result = error_set(error, ERROR_SYSTEM, "%s cannot be written: %s",
                           replacement->path != NULL ? replacement->path : "standard output", strerror(errno));
    if (result == 0 && replacement->path != NULL) {
        if (fsync(fileno(replacement->stream)) != 0 || rename(replacement->temporary, replacement->path) != 0)
            result = error_set(error, ERROR_SYSTEM, "%s cannot be written: %s", replacement->path, strerror(errno));
        else
            result = file_sync_parent(replacement->path, error);
    }
    replacement_abandon(replacement);
    return result;
}

void undo_note(struct undo *undo, const char *path)
{
    char *copy = undo->count < UNDO_MAX ? strdup(path) : NULL;

    if (copy != NULL)
        undo->path[undo->count++] = copy;
}

void undo_all(struct undo *undo)
{
    for (size_t i = undo->count; i > 0; i--)
        (void)remove(undo->path[i - 1]);
    undo_forget(undo);
}

void undo_forget(struct undo *undo)
{
    for (size_t i = 0; i < undo->count; i++)
        free(undo->path[i]);
    undo->count = 0;
}
