#include "test.h"

#include "host/calls.h"
#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How an attempt ends in a process that kept only its calls: its exit code, or the signal below 0. */
static int outcome(int (*attempt)(long), long argument)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(calls_restrict() == 0 ? attempt(argument) : 255);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

/* --- what ends the process ----------------------------------------------------------------------------------- */

static int bare_call(long number)
{
    return errno_of(syscall(number, 0L, 0L, 0L, 0L, 0L, 0L));
}

static int start_program(long unused)
{
    (void)unused;
    return errno_of(execl("/bin/true", "true", (char *)NULL));
}

static int start_process(long unused)
{
    pid_t pid = fork();

    (void)unused;
    if (pid == 0)
        _exit(0);
    return errno_of(pid);
}

static void only_an_attack_ends_the_process(void)
{
    static const struct {
        const char *name;
        long number;
    } calls[] = {
        {"execve", SYS_execve},
        {"execveat", SYS_execveat},
        {"ptrace", SYS_ptrace},
        {"process_vm_readv", SYS_process_vm_readv},
        {"process_vm_writev", SYS_process_vm_writev},
        {"bpf", SYS_bpf},
        {"io_uring_setup", SYS_io_uring_setup},
        {"memfd_create", SYS_memfd_create},
        {"mount", SYS_mount},
        {"unshare", SYS_unshare},
        {"setuid", SYS_setuid},
        {"keyctl", SYS_keyctl},
        {"init_module", SYS_init_module},
        {"capset", SYS_capset},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int ended = outcome(bare_call, calls[i].number);

        if (ended != -SIGSYS)
            printf("# %s ended with %d\n", calls[i].name, ended);
        CHECK(ended == -SIGSYS);
    }
    CHECK(outcome(start_program, 0) == -SIGSYS);
    CHECK(outcome(start_process, 0) == -SIGSYS);
}

/* --- what is refused ---------------------------------------------------------------------------------------- */

static int make_socket(long family)
{
    return errno_of(socket((int)family, family == AF_INET ? SOCK_RAW : SOCK_DGRAM, 0));
}

static int take_port(long unused)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)unused;
    return fd < 0 ? 254 : errno_of(bind(fd, (const struct sockaddr *)&any, sizeof any));
}

static int map(long protection)
{
    return mmap(NULL, 4096, (int)protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int make_executable(long protection)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? 254 : errno_of(mprotect(page, 4096, (int)protection));
}

static int open_to_debuggers(long unused)
{
    (void)unused;
    return errno_of(prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L));
}

static int allow_core(long unused)
{
    struct rlimit limit = {0, 0};

    (void)unused;
    return errno_of(setrlimit(RLIMIT_CORE, &limit));
}

static int signal_another(long group)
{
    return errno_of(group != 0 ? syscall(SYS_tgkill, (long)getppid(), (long)getppid(), 0L) : kill(getppid(), 0));
}

/* Whoever owns a socket's signals gets whichever was chosen. */
static int choose_signals(long command)
{
    int pair[2] = {-1, -1};

    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ? 254 : errno_of(fcntl(pair[0], (int)command, SIGKILL));
}

static int map_file(long sharing)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, (int)sharing, fd, 0) == MAP_FAILED ? errno : 0;
}

static int change_files(long how)
{
    return errno_of(how == 0 ? rename("a", "b") : how == 1 ? mkdir("a", 0700) : chmod(".", 0700));
}

static int push_input(long unused)
{
    (void)unused;
    return errno_of(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static void what_is_not_needed_is_not_there(void)
{
    CHECK(outcome(make_socket, AF_NETLINK) == ENOSYS);
    CHECK(outcome(make_socket, AF_PACKET) == ENOSYS);
    CHECK(outcome(make_socket, AF_INET) == ENOSYS); /* a raw one */
    CHECK(outcome(take_port, 0) == ENOSYS);
    CHECK(outcome(map, PROT_READ | PROT_WRITE | PROT_EXEC) == ENOSYS);
    CHECK(outcome(map, PROT_READ | PROT_EXEC) == ENOSYS);
    CHECK(outcome(map_file, MAP_SHARED) == ENOSYS);
    CHECK(outcome(make_executable, PROT_READ | PROT_EXEC) == ENOSYS);
    CHECK(outcome(open_to_debuggers, 0) == ENOSYS);
    CHECK(outcome(allow_core, 0) == ENOSYS);
    CHECK(outcome(signal_another, 0) == ENOSYS);
    CHECK(outcome(signal_another, 1) == ENOSYS);
    CHECK(outcome(choose_signals, F_SETOWN) == ENOSYS);
    CHECK(outcome(choose_signals, F_SETSIG) == ENOSYS);
    CHECK(outcome(push_input, 0) == ENOSYS);
    CHECK(outcome(bare_call, SYS_clone3) == ENOSYS);
    for (long how = 0; how < 3; how++)
        CHECK(outcome(change_files, how) == ENOSYS);
}

/* --- what goes on working ------------------------------------------------------------------------------------- */

static void *look_up(void *argument)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    (void)argument;
    if (getaddrinfo("localhost", "7001", &hints, &found) == 0)
        freeaddrinfo(found);
    return found;
}

static int use_threads(long unused)
{
    pthread_t thread;
    void *found = NULL;

    (void)unused;
    return pthread_create(&thread, NULL, look_up, NULL) != 0 || pthread_join(thread, &found) != 0 || found == NULL;
}

/* As `unlock` does. */
static int use_a_passphrase(long unused)
{
    const uint8_t salt[PASSPHRASE_SALT_SIZE] = {1};
    struct passphrase_limits limits = {.operations = 1, .memory_kib = PASSPHRASE_LIMITS.memory_kib};
    uint8_t *key = secret_new(OFFICE_KEY_SIZE);
    struct error error = {0};
    int status = key == NULL || passphrase_key(key, span_of_string("words"), salt, limits, &error) != 0;

    (void)unused;
    secret_free(key);
    return status;
}

static int use_a_socket(long unused)
{
    const struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)unused;
    return fd < 0 || (connect(fd, (const struct sockaddr *)&nobody, sizeof nobody) != 0 && errno != EINPROGRESS &&
                      errno != ECONNREFUSED);
}

static int fail_an_assertion(long unused)
{
    (void)unused;
    abort();
}

static void what_the_daemon_does_goes_on(void)
{
    CHECK(outcome(use_threads, 0) == 0);
    CHECK(outcome(use_a_passphrase, 0) == 0);
    CHECK(outcome(use_a_socket, 0) == 0);
    CHECK(outcome(map, PROT_READ | PROT_WRITE) == 0);
    CHECK(outcome(map_file, MAP_PRIVATE) == 0);
    CHECK(outcome(fail_an_assertion, 0) == -SIGABRT);
}

int main(void)
{
#ifdef LIAISON_INSTRUMENTED
    SKIP("only_an_attack_ends_the_process", "an instrumented build makes calls of its own");
    SKIP("what_is_not_needed_is_not_there", "an instrumented build makes calls of its own");
    SKIP("what_the_daemon_does_goes_on", "an instrumented build makes calls of its own");
#endif
    if (seal_init(NULL) != 0)
        return 1;
#ifndef LIAISON_INSTRUMENTED
    RUN(only_an_attack_ends_the_process);
    RUN(what_is_not_needed_is_not_there);
    RUN(what_the_daemon_does_goes_on);
#endif
    return test_end();
}
