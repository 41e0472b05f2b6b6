#include "host/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the lists ------------------------------------------------------------------------------------------------ */

static const char *const allowed[] = {
    /* files, as far as Landlock lets them be opened */
    "access", "close", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fdatasync", "flock",
    "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "lseek", "lstat", "newfstatat", "open", "openat", "pread64",
    "preadv", "pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv", "stat", "statfs", "statx", "unlink",
    "unlinkat", "write", "writev",
    /* sockets that are there, or that socket() below makes */
    "accept", "accept4", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmmsg",
    "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    /* waiting */
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_wait", "eventfd2", "gettimeofday", "nanosleep", "pipe2", "poll", "ppoll", "pselect6", "select", "setitimer",
    "time",
    /* memory */
    "brk", "madvise", "mlock", "mlock2", "mremap", "munlock", "munmap",
    /* threads and signals */
    "exit", "exit_group", "futex", "get_robust_list", "gettid", "membarrier", "restart_syscall", "rseq", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack",
    /* what it is and where */
    "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrlimit", "getrusage", "getuid", "sysinfo",
    "uname"};

static const char *const deadly[] = {
    /* other programs and processes */
    "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
    "process_madvise", "memfd_create",
    /* the kernel */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "add_key", "request_key", "keyctl", "reboot", "swapon", "swapoff", "acct",
    "quotactl", "personality",
    /* other roots, other users */
    "mount", "umount2", "move_mount", "open_tree", "fsopen", "pivot_root", "chroot", "unshare", "setns",
    "open_by_handle_at", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid",
    "setfsgid", "capset"};

/* --- the filter ------------------------------------------------------------------------------------------------- */

/* A call that this libseccomp or this processor does not know stays on neither list. */
static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    int status = 0;

    for (size_t i = 0; i < count && status == 0; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);

        if (call >= 0)
            status = seccomp_rule_add(filter, action, call, 0);
    }
    return status;
}

#define INT 0xffffffffu /* what the kernel sees of an argument that is an int */

static struct scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* Where the bits of one argument under the mask have that value. */
static int add_masked(scmp_filter_ctx filter, uint32_t action, int call, unsigned argument, scmp_datum_t mask,
                      scmp_datum_t value)
{
    const struct scmp_arg_cmp condition = masked(argument, mask, value);

    return seccomp_rule_add_array(filter, action, call, 1, &condition);
}

/* Streams and datagrams, the latter to ask for names. No netlink, no raw or packet sockets. */
static int allow_sockets(scmp_filter_ctx filter)
{
    static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6};
    static const unsigned types[] = {SOCK_STREAM, SOCK_DGRAM};
    const unsigned flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    int status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 0, INT, AF_UNIX);

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (size_t j = 0; j < sizeof types / sizeof types[0] && status == 0; j++) {
            const struct scmp_arg_cmp conditions[] = {masked(0, INT, families[i]), masked(1, INT & ~flags, types[j])};

            status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, conditions);
        }
    return status;
}

/* Never writable and executable at once, and no memory that was written is made executable. Libraries, of which name
 * lookups may load one, are private copies of files: a shared one would change with the file. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp library[] = {masked(2, PROT_WRITE | PROT_EXEC, PROT_EXEC),
                                           masked(3, MAP_TYPE | MAP_ANONYMOUS, MAP_PRIVATE)};
    int status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);

    if (status == 0)
        status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
    if (status == 0)
        status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, library);
    return status;
}

/* Threads, which share all memory; a process of its own is none. The C library tries clone3 first, whose flags a filter
 * cannot see: it is told that there is none. */
static int allow_threads(scmp_filter_ctx filter)
{
    const unsigned thread = CLONE_THREAD | CLONE_VM;
    int status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, thread, thread);

    if (status == 0)
        status = add_masked(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 0, CLONE_THREAD, 0);
    if (status == 0) /* abort() */
        status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, INT, (scmp_datum_t)getpid());
    if (status == 0) /* the size of stacks is asked; no limit is set */
        status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0);
    return status;
}

/* Not F_SETOWN and F_SETSIG: with them the kernel sends any signal to any process of the user, when bytes come. */
static int allow_control(scmp_filter_ctx filter)
{
    static const unsigned requests[] = {FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TCGETS};
    static const unsigned commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
                                        F_SETFL, F_GETLK,         F_SETLK, F_SETLKW};
    int status = 0;

    for (size_t i = 0; i < sizeof requests / sizeof requests[0] && status == 0; i++)
        status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, INT, requests[i]);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && status == 0; i++)
        status = add_masked(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, INT, commands[i]);
    return status;
}

int calls_restrict(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int status = -1;

    if (filter == NULL)
        return -1;
    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
        add_all(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof allowed[0]) == 0 &&
        add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof deadly[0]) == 0 &&
        allow_sockets(filter) == 0 && allow_memory(filter) == 0 && allow_threads(filter) == 0 &&
        allow_control(filter) == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    return status;
}
