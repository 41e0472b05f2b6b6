#include "host/confine.h"

#include "host/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void lack(struct confinement *confinement, const char *format, ...)
{
    va_list arguments;

    if (confinement->lack_count == CONFINE_LACKS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(confinement->lack[confinement->lack_count++], sizeof confinement->lack[0], format, arguments);
    va_end(arguments);
}

void confine_not(struct confinement *confinement, const char *why)
{
    lack(confinement, "NOT CONFINED (%s): whoever takes this daemon over can do all that its user can", why);
}

/* --- privileges ------------------------------------------------------------------------------------------- */

static bool has_capabilities(struct __user_cap_header_struct *header)
{
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {{0}};
    __u32 any = 0;

    if (syscall(SYS_capget, header, have) != 0)
        return true;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        any |= have[i].effective | have[i].permitted | have[i].inheritable;
    return any != 0;
}

/* systemd's filter knows no capset; where it runs, there is nothing to drop. */
void confine_privileges(struct confinement *confinement)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (has_capabilities(&header) && syscall(SYS_capset, &header, none) != 0)
        lack(confinement, "the capabilities of its user cannot be dropped: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        lack(confinement, "the kernel does not know no_new_privs");
}

/* --- files: Landlock --------------------------------------------------------------------------------------- */

/* The kernel's own numbers, since Debian 12's headers end with version 2; the comments say which version brought what.
 */
#define FILE_EXECUTE (1ull << 0)
#define FILE_WRITE (1ull << 1)
#define FILE_READ (1ull << 2)
#define FOLDER_READ (1ull << 3)
#define REMOVE_FILE (1ull << 5)
#define MAKE_FILE (1ull << 8)
#define FILES_1 ((1ull << 13) - 1)
#define FILE_REFER (1ull << 13)     /* 2 */
#define FILE_TRUNCATE (1ull << 14)  /* 3 */
#define DEVICE_CONTROL (1ull << 15) /* 5 */
#define BIND_TCP (1ull << 0)        /* 4 */
#define SCOPE_ABSTRACT (1ull << 0)  /* 6 */
#define SCOPE_SIGNAL (1ull << 1)    /* 6 */
#define ASK_VERSION 1u
#define RULE_PATH_BENEATH 1

struct ruleset {
    uint64_t files, network, scope;
};
struct rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

static struct ruleset ruleset_of(int version, bool abstract)
{
    struct ruleset ruleset = {.files = FILES_1};

    if (version >= 2)
        ruleset.files |= FILE_REFER;
    if (version >= 3)
        ruleset.files |= FILE_TRUNCATE;
    if (version >= 4)
        ruleset.network = BIND_TCP;
    if (version >= 5)
        ruleset.files |= DEVICE_CONTROL;
    if (version >= 6)
        ruleset.scope = SCOPE_SIGNAL | (abstract ? 0 : SCOPE_ABSTRACT);
    return ruleset;
}

/* What is not there needs no rule. */
static int allow(int rules, const struct ruleset *ruleset, const char *path, uint64_t rights)
{
    struct rule rule = {.allowed = rights & ruleset->files, .folder = open(path, O_PATH | O_CLOEXEC)};
    int status = 0;

    if (rule.folder < 0)
        return 0;
    status = (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0u);
    (void)close(rule.folder);
    return status;
}

/* Names are looked up while links are dialled. A rule for a file would hold for this very file: when another takes its
 * name, as resolv.conf is replaced, it would be closed. So folders. */
static int allow_lookups(int rules, const struct ruleset *ruleset)
{
    static const char *const folders[] = {"/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64"};
    static const char *const devices[] = {"/dev/null", "/dev/urandom"};
    char resolver[PATH_MAX] = "";
    char *slash = NULL;
    int status = 0;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && status == 0; i++)
        status = allow(rules, ruleset, folders[i], FILE_READ);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0] && status == 0; i++)
        status = allow(rules, ruleset, devices[i], FILE_READ | FILE_WRITE);
    if (status == 0 && realpath("/etc/resolv.conf", resolver) != NULL && (slash = strrchr(resolver, '/')) > resolver) {
        *slash = '\0';
        status = allow(rules, ruleset, resolver, FILE_READ);
    }
    return status;
}

static int restrict_files(int version, const struct confine_reach *reach)
{
    struct ruleset ruleset = ruleset_of(version, reach->abstract);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0u);
    int status = rules < 0 ? -1 : 0;

    if (status == 0)
        status = allow(rules, &ruleset, reach->office,
                       FILE_READ | FILE_WRITE | FILE_TRUNCATE | FOLDER_READ | REMOVE_FILE | MAKE_FILE);
    if (status == 0)
        status = allow_lookups(rules, &ruleset);
    if (status == 0)
        status = (int)syscall(SYS_landlock_restrict_self, rules, 0u);
    if (rules >= 0)
        (void)close(rules);
    return status;
}

void confine_files(struct confinement *confinement, const struct confine_reach *reach)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, ASK_VERSION);

    if (version < 1) {
        lack(confinement, "the kernel has no Landlock, or lets nobody use it: files are kept from the daemon by owner "
                          "and mode alone");
        return;
    }
    if (restrict_files(version, reach) != 0)
        lack(confinement, "files are kept from the daemon by owner and mode alone: Landlock fails: %s",
             strerror(errno));
    else if (version < 4)
        lack(confinement,
             "the kernel's Landlock is version %d of 6: TCP ports, and abstract sockets of others, are not kept from "
             "the daemon by it",
             version);
    else if (version < 6)
        lack(confinement,
             "the kernel's Landlock is version %d of 6: abstract sockets of others are not kept from the daemon",
             version);
}

/* --- memory ------------------------------------------------------------------------------------------------- */

/* libsodium locks the pages of each secret, and says nothing if it cannot. So it is tried here, for as many pages as
 * all secrets of the busiest office take together. */
void confine_memory(struct confinement *confinement)
{
    void *pages = mmap(NULL, CONFINE_LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mlock(pages, CONFINE_LOCKED) != 0)
        lack(confinement,
             "keys may be written to the swap: %u KiB of memory cannot be locked (ulimit -l, LimitMEMLOCK=)",
             CONFINE_LOCKED / 1024);
    if (pages != MAP_FAILED)
        (void)munmap(pages, CONFINE_LOCKED);
}

void confine(struct confinement *confinement, const struct confine_reach *reach)
{
    confine_privileges(confinement);
    confine_memory(confinement);
    confine_files(confinement, reach);
    if (calls_restrict() != 0)
        lack(confinement, "the kernel filters no system calls: all of them are open to the daemon");
}
