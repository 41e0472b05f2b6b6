#include "test.h"

#include "host/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[64];

static void write_file(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0 && close(fd) == 0);
}

static void secrets_are_kept_in(void)
{
    struct rlimit limit = {1, 1};
    struct error error = {0};

    CHECK(process_prepare(&error) == 0 && error.code == ERROR_NONE);
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
    CHECK(umask(0) == 0077);
    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
    CHECK(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) == 0);
#endif
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && (limit.rlim_cur >= 4096 || limit.rlim_cur == limit.rlim_max));
}

static void standard_files_are_open(void)
{
    int kept = dup(STDIN_FILENO);

    (void)close(STDIN_FILENO);
    CHECK(process_prepare(NULL) == 0);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    (void)dup2(kept, STDIN_FILENO);
    (void)close(kept);
}

/* In a process of its own: a limit that was lowered stays low. */
static void too_few_open_files_are_refused(void)
{
    for (rlim_t files = 31; files <= 32; files++) {
        pid_t pid = fork();
        int status = -1;

        if (pid == 0) {
            struct rlimit limit = {files, files};
            struct error error = {0};
            int result = setrlimit(RLIMIT_NOFILE, &limit) == 0 ? process_prepare(&error) : 1;

            _exit(files < 32 ? result != -1 || strstr(error.message, "only 31 files") == NULL : result != 0);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    }
}

static void an_office_is_ones_own_and_closed(void)
{
    struct error error = {0};

    CHECK(process_check_directory("w", "from --office", &error) == -1 && error.code == ERROR_NOT_FOUND);
    CHECK(strstr(error.message, "from --office") != NULL);
    CHECK(mkdir("w", 0700) == 0);
    error = (struct error){0};
    CHECK(process_check_directory("w", "", &error) == -1 && strstr(error.message, "liaison.db") != NULL);
    write_file("w/liaison.db", "", 0600);
    CHECK(process_check_directory("w", "", NULL) == 0);
    for (mode_t bit = 1; bit <= S_IRGRP; bit <<= 1) {
        CHECK(chmod("w", 0700 | bit) == 0);
        error = (struct error){0};
        CHECK(process_check_directory("w", "", &error) == -1 && error.code == ERROR_REFUSED);
    }
    CHECK(chmod("w", 0700) == 0);
    error = (struct error){0};
    CHECK(process_check_directory("w/liaison.db", "", &error) == -1 && error.code == ERROR_REFUSED);
    if (geteuid() == 0) {
        error = (struct error){0};
        CHECK(chown("w", 1, 1) == 0);
        CHECK(process_check_directory("w", "", &error) == -1 && error.code == ERROR_REFUSED);
    }
    CHECK(unlink("w/liaison.db") == 0 && rmdir("w") == 0);
}

static void a_key_file_is_read(void)
{
    uint8_t key[OFFICE_KEY_SIZE] = {1, 2, 3};
    uint8_t again[OFFICE_KEY_SIZE] = {0};
    struct buffer text = {0};
    struct error error = {0};

    office_key_print(&text, key);
    write_file("key", buffer_string(&text), 0600);
    CHECK(process_read_key(again, "key", &error) == 0 && memcmp(key, again, sizeof key) == 0);
    for (mode_t bit = 1; bit <= S_IRGRP; bit <<= 1) {
        CHECK(chmod("key", 0600 | bit) == 0);
        error = (struct error){0};
        CHECK(process_read_key(again, "key", &error) == -1 && error.code == ERROR_REFUSED);
    }
    CHECK(unlink("key") == 0);
    buffer_free(&text);
}

static void what_is_no_key_file_is_refused(void)
{
    uint8_t key[OFFICE_KEY_SIZE];
    static char long_text[10000];
    struct error error = {0};

    memset(long_text, 'x', sizeof long_text - 1);
    CHECK(process_read_key(key, "nothing", &error) == -1 && error.code == ERROR_SYSTEM);
    error = (struct error){0};
    CHECK(process_read_key(key, ".", &error) == -1 && error.code == ERROR_REFUSED);
    write_file("key", "", 0600);
    error = (struct error){0};
    CHECK(process_read_key(key, "key", &error) == -1 && strncmp(error.message, "key: ", 5) == 0);
    write_file("key", long_text, 0600);
    error = (struct error){0};
    CHECK(process_read_key(key, "key", &error) == -1 && error.code != ERROR_NONE);
    CHECK(unlink("key") == 0);
    /* Opening a fifo must not wait for who writes into it. */
    CHECK(mkfifo("key", 0600) == 0);
    (void)alarm(5);
    CHECK(process_read_key(key, "key", NULL) == -1);
    (void)alarm(0);
    CHECK(unlink("key") == 0);
    if (geteuid() != 0)
        return;
    write_file("theirs", "liaison-office-key/v1\n", 0600);
    CHECK(chown("theirs", 65534, 65534) == 0);
    error = (struct error){0};
    CHECK(process_read_key(key, "theirs", &error) == -1 && strstr(error.message, "belongs to another user") != NULL);
    CHECK(unlink("theirs") == 0);
}

int main(void)
{
    (void)snprintf(scratch, sizeof scratch, "/tmp/liaison-process-XXXXXX");
    if (seal_init(NULL) != 0 || mkdtemp(scratch) == NULL || chdir(scratch) != 0)
        return 1;
    RUN(an_office_is_ones_own_and_closed);
    RUN(a_key_file_is_read);
    RUN(what_is_no_key_file_is_refused);
    RUN(too_few_open_files_are_refused);
    RUN(standard_files_are_open);
    RUN(secrets_are_kept_in);
    if (chdir("/") != 0 || rmdir(scratch) != 0)
        return 1;
    return test_end();
}
