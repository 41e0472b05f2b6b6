#include "test.h"

#include "host/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[64];
static const struct confine_reach reach = {.office = "office"};

/* Runs what follows in a process of its own; its CHECKs count here. */
static bool in_child(void (*body)(struct confinement *))
{
    struct confinement confinement = {0};
    int status = 1;
    pid_t pid = -1;

    (void)fflush(stdout);
    pid = fork();
    if (pid == 0) {
        body(&confinement);
        (void)fflush(stdout);
        _exit(test_case_failed);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int open_errno(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int code = fd < 0 ? errno : 0;

    if (fd >= 0)
        (void)close(fd);
    return code;
}

static bool lacks(const struct confinement *confinement, const char *words)
{
    for (size_t i = 0; i < confinement->lack_count; i++)
        if (strstr(confinement->lack[i], words) != NULL)
            return true;
    return false;
}

static int landlock(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u);
}

/* --- files -------------------------------------------------------------------------------------------------- */

static void try_files(struct confinement *confinement)
{
    char *const none[] = {NULL};
    int fd = -1;

    confine_files(confinement, &reach);
    CHECK(confinement->lack_count == 0 || landlock() < 6);
    /* the office's */
    fd = open("office/new", O_RDWR | O_CREAT | O_CLOEXEC, 0700);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && close(fd) == 0);
    CHECK(open_errno("office", O_RDONLY | O_DIRECTORY) == 0);
    CHECK(execve("office/new", none, none) != 0 && errno == EACCES);
    CHECK(unlink("office/new") == 0);
    CHECK(mkdir("office/folder", 0700) != 0 && errno == EACCES);
    CHECK(symlink("x", "office/link") != 0 && errno == EACCES);
    /* everybody else's */
    CHECK(open_errno("/etc/passwd", O_WRONLY) == EACCES);
    CHECK(open_errno("/etc/passwd", O_RDONLY) == 0);
    CHECK(open_errno("/etc/new", O_WRONLY | O_CREAT) == EACCES);
    CHECK(open_errno("other/file", O_RDONLY) == EACCES);
    CHECK(open_errno("other/new", O_WRONLY | O_CREAT) == EACCES);
    CHECK(unlink("other/file") != 0 && errno == EACCES);
    CHECK(open_errno("/proc/self/mem", O_RDWR) == EACCES);
    CHECK(open_errno("/proc/self/environ", O_RDONLY) == EACCES);
    CHECK(open_errno("/", O_RDONLY | O_DIRECTORY) == EACCES);
    CHECK(open_errno("/dev/urandom", O_RDONLY) == 0);
}

static void only_the_office_can_be_written(void)
{
    CHECK(in_child(try_files));
}

static void try_ports(struct confinement *confinement)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int before = socket(AF_INET, SOCK_STREAM, 0);
    int after = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(bind(before, (const struct sockaddr *)&address, sizeof address) == 0 && listen(before, 1) == 0);
    CHECK(getsockname(before, (struct sockaddr *)&address, &size) == 0);
    confine_files(confinement, &reach);
    CHECK(connect(after, (const struct sockaddr *)&address, sizeof address) == 0);
    address.sin_port = 0;
    after = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(after, (const struct sockaddr *)&address, sizeof address) != 0 && errno == EACCES);
}

static void no_port_is_taken(void)
{
    CHECK(in_child(try_ports));
}

static int abstract_socket(bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = -1;

    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", scratch);
    if (listens)
        status = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? listen(fd, 4) : -1;
    else
        status = connect(fd, (const struct sockaddr *)&address, sizeof address);
    return status == 0 ? fd : -1;
}

static void try_others(struct confinement *confinement)
{
    confine_files(confinement, &reach);
    CHECK(kill(getppid(), 0) != 0 && errno == EPERM);
    CHECK(abstract_socket(false) < 0 && errno == EPERM);
}

static void try_systemd(struct confinement *confinement)
{
    struct confine_reach with = reach;

    with.abstract = true;
    confine_files(confinement, &with);
    CHECK(abstract_socket(false) >= 0);
}

static void no_process_outside_is_reached(void)
{
    int fd = abstract_socket(true);

    CHECK(fd >= 0);
    CHECK(in_child(try_others));
    CHECK(in_child(try_systemd));
    (void)close(fd);
}

/* --- privileges and memory -------------------------------------------------------------------------------------- */

static void try_privileges(struct confinement *confinement)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {{.effective = 1}};

    confine_privileges(confinement);
    CHECK(confinement->lack_count == 0);
    CHECK(syscall(SYS_capget, &header, have) == 0);
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        CHECK((have[i].effective | have[i].permitted | have[i].inheritable) == 0);
    CHECK(chroot(".") != 0 && errno == EPERM);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) == 1);
}

static void no_privileges_are_left(void)
{
    CHECK(in_child(try_privileges));
}

static void try_memory(struct confinement *confinement)
{
    struct rlimit small = {65536, 65536};

    confine_privileges(confinement); /* root may lock whatever the limit is */
    CHECK(setrlimit(RLIMIT_MEMLOCK, &small) == 0);
    confine_memory(confinement);
    CHECK(confinement->lack_count == 1 && lacks(confinement, "keys may be written to the swap"));
}

static void memory_that_cannot_be_locked_is_said(void)
{
    CHECK(in_child(try_memory));
}

/* --- lesser kernels ------------------------------------------------------------------------------------------ */

/* From now on the kernel does not have that call. */
static void take_away(int call)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    CHECK(filter != NULL && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) == 0 &&
          seccomp_load(filter) == 0);
    seccomp_release(filter);
}

static void try_without_landlock(struct confinement *confinement)
{
    take_away(SYS_landlock_create_ruleset);
    confine(confinement, &reach);
    CHECK(lacks(confinement, "has no Landlock") && !lacks(confinement, "system calls"));
}

static void try_with_broken_landlock(struct confinement *confinement)
{
    take_away(SYS_landlock_restrict_self);
    confine(confinement, &reach);
    CHECK(lacks(confinement, "Landlock fails"));
}

static void try_without_filters(struct confinement *confinement)
{
    take_away(SYS_seccomp);
    confine(confinement, &reach);
    CHECK(lacks(confinement, "filters no system calls"));
}

static void what_a_kernel_lacks_is_said(void)
{
    CHECK(in_child(try_without_landlock));
    if (landlock() > 0)
        CHECK(in_child(try_with_broken_landlock));
    CHECK(in_child(try_without_filters));
}

static void that_it_is_off_is_said(void)
{
    struct confinement confinement = {0};

    confine_not(&confinement, "--no-confinement");
    CHECK(confinement.lack_count == 1 && lacks(&confinement, "NOT CONFINED (--no-confinement)"));
}

static bool prepare(void)
{
    (void)snprintf(scratch, sizeof scratch, "/tmp/liaison-confine-XXXXXX");
    return mkdtemp(scratch) != NULL && chdir(scratch) == 0 && mkdir("office", 0700) == 0 && mkdir("other", 0700) == 0 &&
           open_errno("other/file", O_WRONLY | O_CREAT) == 0;
}

int main(void)
{
    char command[80];
    int version = landlock();

    if (!prepare())
        return 1;
    if (version >= 1)
        RUN(only_the_office_can_be_written);
    else
        SKIP("only_the_office_can_be_written", "the kernel has no Landlock");
    if (version >= 4)
        RUN(no_port_is_taken);
    else
        SKIP("no_port_is_taken", "the kernel's Landlock is older than version 4");
    if (version >= 6)
        RUN(no_process_outside_is_reached);
    else
        SKIP("no_process_outside_is_reached", "the kernel's Landlock is older than version 6");
    RUN(no_privileges_are_left);
#ifdef LIAISON_INSTRUMENTED
    SKIP("memory_that_cannot_be_locked_is_said", "a sanitizer locks no memory");
    SKIP("what_a_kernel_lacks_is_said", "an instrumented build makes calls of its own");
#else
    RUN(memory_that_cannot_be_locked_is_said);
    RUN(what_a_kernel_lacks_is_said);
#endif
    RUN(that_it_is_off_is_said);
    (void)snprintf(command, sizeof command, "rm -r %s", scratch);
    return system(command) == 0 ? test_end() : 1;
}
