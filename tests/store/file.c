#include "store/file.h"

#include <errno.h>

#include "scratch.h"

static void a_new_file_is_empty_and_for_its_owner_alone(void)
{
    struct error error = {0};
    struct stat status = {0};
    mode_t before = umask(0);
    int fd = file_make(scratch("new"), &error);

    umask(before);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    CHECK((status.st_mode & 07777) == 0600 && status.st_size == 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    CHECK(file_make(scratch("new"), &error) == -1 && error.code == ERROR_EXISTS);
}

static void a_link_is_not_followed(void)
{
    struct error error = {0};

    CHECK(symlink(scratch("elsewhere"), scratch("link")) == 0);
    CHECK(file_make(scratch("link"), &error) == -1 && error.code == ERROR_EXISTS);
    CHECK(access(scratch("elsewhere"), F_OK) != 0);
}

static void the_directory_of_a_path_is_found(void)
{
    struct error error = {0};
    struct stat here = {0};
    struct stat found = {0};
    int fd = file_directory(scratch("any"), &error);

    CHECK(fd >= 0 && fstat(fd, &found) == 0 && stat(scratch_directory, &here) == 0 && found.st_ino == here.st_ino);
    close(fd);
    fd = file_directory("bare", &error);
    CHECK(fd >= 0 && fstat(fd, &found) == 0 && stat(".", &here) == 0 && found.st_ino == here.st_ino);
    close(fd);
    fd = file_directory("/top", &error);
    CHECK(fd >= 0 && fstat(fd, &found) == 0 && stat("/", &here) == 0 && found.st_ino == here.st_ino);
    close(fd);
    CHECK(file_directory(scratch("none/any"), &error) == -1 && error.code == ERROR_SYSTEM);
}

int main(void)
{
    RUN(a_new_file_is_empty_and_for_its_owner_alone);
    RUN(a_link_is_not_followed);
    RUN(the_directory_of_a_path_is_found);
    scratch_clean();
    return test_end();
}
