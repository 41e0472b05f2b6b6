/*
 * Allocations that fail, for memory.c. The linker and SQLite hand them to fails(). At each one, while `armed`, the
 * process forks: in the child that one fails, and in the parent it succeeds. What a world or a virtual disk takes for
 * itself never fails. One file includes this: it defines what the linker wraps.
 */
#ifndef LIAISON_TESTS_TORTURE_SHORTAGE_H
#define LIAISON_TESTS_TORTURE_SHORTAGE_H

#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "disk.h"
#include "office/world.h"

#define CHILDREN 2
#define CHILD_SECONDS 60
#define SHORTAGE_US (8 * SECOND_US) /* how long there is no memory, where it does not come back at once */
#define FRAMES_MAX 24

/* What the children add up for their parent. */
struct sum {
    unsigned children, refused, starts_failed, stops, failures;
};

static struct {
    bool armed, child, sticky, longer;
    uint64_t from, to;    /* of which allocations */
    uint64_t count, only; /* allocations so far; the one to fail, 0: each in a child */
    uint64_t number;      /* which one failed here */
    uint64_t until_us;    /* when memory is back; 0: it is */
    struct world *world;
    struct power power;
    struct disk *disk;
    int running;
    struct sum *sum;
    jmp_buf end; /* of a run in which one failed */
    int frames;
    void *frame[FRAMES_MAX]; /* where it was asked for */
} torture;

/* --- allocations ------------------------------------------------------------------------------------------------- */

static void await_child(void)
{
    int status = 0;

    if (wait(&status) < 0)
        abort();
    torture.running--;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    torture.sum->failures++;
    if (!WIFEXITED(status))
        printf("# a child ended by signal %d\n", WTERMSIG(status));
}

static void show_failure(void)
{
    printf("# that was allocation %llu:\n", (unsigned long long)torture.number);
    fflush(stdout);
    backtrace_symbols_fd(torture.frame, torture.frames, STDOUT_FILENO);
}

static void crashed(int number)
{
    printf("# signal %d\n", number);
    show_failure();
    _exit(1);
}

static void begin_failing(void)
{
    torture.child = true;
    torture.number = torture.count;
    if (torture.sticky)
        torture.until_us = torture.world->us + SHORTAGE_US;
    torture.frames = backtrace(torture.frame, FRAMES_MAX);
}

/* Says whether this allocation fails. */
static bool fails(void)
{
    pid_t pid = 0;

    if (!torture.armed || world_own_memory > 0)
        return false;
    if (torture.child)
        return torture.world != NULL && torture.world->us < torture.until_us;
    torture.count++;
    if (torture.only > 0) {
        if (torture.count == torture.only)
            begin_failing();
        return torture.child;
    }
    if (torture.count < torture.from || torture.count > torture.to)
        return false;
    if (torture.running == CHILDREN)
        await_child();
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        abort();
    if (pid > 0) {
        torture.running++;
        torture.sum->children++;
        return false;
    }
    (void)signal(SIGABRT, crashed);
    (void)signal(SIGSEGV, crashed);
    (void)signal(SIGALRM, crashed);
    (void)alarm(CHILD_SECONDS);
    begin_failing();
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__real_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void *__wrap_sodium_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

void *__wrap_sodium_malloc(size_t size)
{
    return fails() ? NULL : __real_sodium_malloc(size);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return fails() ? NULL : sqlite_memory.xRealloc(memory, size);
}

static void take_allocators(void)
{
    sqlite3_mem_methods methods;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        abort();
    methods = sqlite_memory;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
        abort();
}

/* The virtual disk's own memory never fails. */
int __real_disk_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **file);
int64_t __real_disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at);
int __real_disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size);
int __wrap_disk_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **file);
int64_t __wrap_disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at);
int __wrap_disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size);

int __wrap_disk_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **file)
{
    int result = 0;

    world_own_memory += 1;
    result = __real_disk_open(disk, name, flags, file);
    world_own_memory -= 1;
    return result;
}

int64_t __wrap_disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at)
{
    int64_t result = 0;

    world_own_memory += 1;
    result = __real_disk_write(disk, file, data, size, at);
    world_own_memory -= 1;
    return result;
}

int __wrap_disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    int result = 0;

    world_own_memory += 1;
    result = __real_disk_truncate(disk, file, size);
    world_own_memory -= 1;
    return result;
}

/* The end of a child, or of the run in which one allocation failed. */
static void finish(void)
{
    if (test_case_failed)
        show_failure();
    fflush(stdout);
    if (torture.child && torture.only == 0)
        _exit(test_case_failed ? 1 : 0);
}

#endif
