/*
 * crash-points: cuts the power of an office at every call of its disks, in every workload of so many operations
 * (workload.c), with all that may be left of what was not synced; then the office must start, forget nothing that it
 * promised, and the line must go on.
 *
 * How. The process runs a workload; at each call of the victim's disks it forks, and in the child the power fails
 * there. The child goes on to the end: the office starts, what was not answered is asked again, the workload's
 * operation is finished, both sides say something, and the oracle looks at everything. So the time before the crash is
 * run once for all that may happen at it. Workloads are a tree, forked in the same way; the points within an operation
 * are those of the workload that ends with it, and are not run again for those that go on.
 *
 * What is not run, since it was: a crash after which the platters are those of another one (disk_digest()), and others
 * have seen, asked and been promised the same. Nothing is sampled: within the bounds given, that is every point.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seal/secret.h"
#include "workload.h"

#define LENGTH_MAX 3
#define AGAIN_MAX 2
#define STATES_SIZE (1u << 22)
#define WRONG_MAX 10
#define SETTLE_US (3 * SECOND_US) /* after the last operation, in which the power may fail, too */
#define RECOVERY_US 5000          /* from a start on: the office has opened, and is linked again */
#define CHILD_S 300               /* of real time */

static const char usage[] =
    "usage: crash-points [--length N] [--from N] [--core] [--syncs] [--survivals N] [--again N]\n"
    "                    [--mark first|last]\n"
    "                    [--without wal-sync|mark|commit] [--only BASIS:OPERATION+...] [--point N] [--events] [--tap]\n"
    "\n"
    "  --length N     workloads of up to N operations, 1 to 3\n"
    "  --from N       of these, only those of N and more\n"
    "  --core         of a few operations only\n"
    "  --syncs        only at each sync and at the call after it\n"
    "  --survivals N  only the first N of what may survive\n"
    "  --mark WHEN    the mark is only written \"first\" or \"last\": before the database, or after it\n"
    "  --again N      also at every call while the office recovers, N times in a row\n"
    "  --without WHAT leaves out a protection: succeeds if something is wrong\n"
    "  --only ...     this workload only, or those that begin so if it ends in a plus\n"
    "  --point N      only at that call; --events: all that happens\n"
    "LIAISON_TEST_LONG=1 takes --core and --mark back, and below length 3, without --again, --syncs and\n"
    "--survivals, too.\n";

/* What survives on the database's disk, and on the mark's. */
static const enum disk_survival survivals[][2] = {
    {DISK_NOTHING, DISK_NOTHING},    {DISK_EVERYTHING, DISK_EVERYTHING}, {DISK_SECTORS, DISK_SECTORS},
    {DISK_FIRST, DISK_FIRST},        {DISK_PAGES, DISK_PAGES},           {DISK_LAST, DISK_LAST},
    {DISK_EVERYTHING, DISK_NOTHING}, {DISK_NOTHING, DISK_EVERYTHING},
};
#define SURVIVALS (sizeof survivals / sizeof survivals[0])
static const char *const survival_names[DISK_SURVIVALS] = {
    "as drawn", "nothing", "everything", "some sectors", "some pages", "the first half", "the last half"};

/* What all processes share. */
struct shared {
    uint64_t workloads, points, crashes, same, run, wrong, overtook, moved;
    uint64_t states;
    uint64_t state[STATES_SIZE];
};

struct crash_point {
    uint64_t call;
    size_t survival;
};

struct explorer {
    /* bounds */
    unsigned length, from, again;
    size_t survivals;
    bool core, syncs, events, tap;
    const char *without, *only;
    enum control control;
    uint64_t point;

    struct shared *shared;
    struct pair *pair;
    bool looks;           /* forks at the calls that come */
    uint64_t looks_until; /* in a recovery */
    bool after_sync;      /* the last call was one */
    bool fresh;           /* something was written since the last point */
    uint64_t seen;        /* the digest of others at the last point */
    unsigned left;        /* crashes in recovery that are still to be looked for */
    enum basis basis;
    enum job_step mark, mark_only;
    const struct operation *path[LENGTH_MAX];
    unsigned depth;
    struct crash_point crash[1 + AGAIN_MAX]; /* of this process */
    unsigned crash_count;
};

/* --- processes ----------------------------------------------------------------------------------------------------
 */

static void print_path(const struct explorer *explorer)
{
    (void)printf("%s:", basis_names[explorer->basis]);
    for (unsigned i = 0; i < explorer->depth; i++)
        (void)printf("%s%s", i == 0 ? "" : "+", explorer->path[i]->name);
    (void)printf(", mark written %s", explorer->mark == STEP_RUN ? "first" : "last");
    for (unsigned i = 0; i < explorer->crash_count; i++)
        (void)printf(", %s at call %" PRIu64 " of which %s and %s survive", i == 0 ? "cut" : "then",
                     explorer->crash[i].call, survival_names[survivals[explorer->crash[i].survival][0]],
                     survival_names[survivals[explorer->crash[i].survival][1]]);
}

/* The end of every process but the first. */
static _Noreturn void end(struct explorer *explorer)
{
    const char *verdict = oracle_verdict(explorer->pair->oracle);

    if (verdict != NULL) {
        (void)printf("WRONG: ");
        print_path(explorer);
        (void)printf(": %s\n", verdict);
        explorer->shared->wrong++;
    }
    (void)fflush(stdout);
    _exit(0);
}

static bool is_enough(const struct explorer *explorer)
{
    return explorer->shared->wrong >= (explorer->control == CONTROL_NONE ? WRONG_MAX : 1);
}

/* True in the child. Its parent goes on when the child has ended. */
static bool descend(struct explorer *explorer)
{
    int status = 0;
    pid_t child = -1;

    (void)fflush(stdout);
    child = fork();
    if (child < 0)
        abort();
    if (child == 0)
        return true;
    (void)waitpid(child, &status, 0);
    if (!WIFEXITED(status)) {
        (void)printf("WRONG: after ");
        print_path(explorer);
        (void)printf(": a process ended by signal %d\n", WTERMSIG(status));
        explorer->shared->wrong++;
    }
    return false;
}

/* --- points -------------------------------------------------------------------------------------------------------
 */

/* Where a state is, or belongs. */
static uint64_t *place_of(struct shared *shared, uint64_t state)
{
    uint64_t at = state % STATES_SIZE;

    while (shared->state[at] != 0 && shared->state[at] != state)
        at = (at + 1) % STATES_SIZE;
    return &shared->state[at];
}

/* Whether this state is new. */
static bool remember(struct shared *shared, uint64_t state)
{
    uint64_t *place = place_of(shared, state);

    if (*place == state)
        return false;
    if (shared->states++ > STATES_SIZE / 2)
        abort();
    *place = state;
    return true;
}

static uint64_t mix(uint64_t sum, uint64_t number)
{
    sum = (sum ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

/* What the victim will find on its disks, what others know of it, and what is still to be looked for; not 0. */
static uint64_t state_of(const struct explorer *explorer, unsigned left)
{
    const struct pair *pair = explorer->pair;
    const struct party *victim = &pair->party[pair->victim];
    uint64_t state = mix(mix(pair->digest, disk_digest(victim->database)), disk_digest(victim->marks));

    state = mix(mix(state, oracle_heads(pair->oracle)), oracle_receipts(pair->oracle));
    return mix(mix(mix(state, explorer->depth), left), explorer->basis) | 1;
}

/* The disks are settled: who has been here ends. */
static void lost(void *context, struct pair *pair)
{
    struct explorer *explorer = context;
    const struct party *victim = &pair->party[pair->victim];

    *disk_faults(victim->database) = *disk_faults(victim->marks) = (struct disk_faults){.room = UINT64_MAX};
    if (explorer->crash_count == 0) /* the database is put back, without a crash */
        return;
    if (!remember(explorer->shared, state_of(explorer, explorer->left))) {
        explorer->shared->same++;
        _exit(0);
    }
    explorer->shared->run++;
}

/* The victim starts: after a crash, what comes is its recovery. */
static void starting(void *context, struct pair *pair)
{
    struct explorer *explorer = context;

    if (explorer->crash_count == 0)
        return;
    explorer->looks = explorer->left > 0;
    explorer->looks_until = pair->time + RECOVERY_US;
    explorer->fresh = true;
}

/* Whether this call is a point of its own: one of reading is none if nothing happened since the last. */
static bool is_point(struct explorer *explorer, enum disk_call call)
{
    bool beside = call == DISK_SYNC || explorer->after_sync;
    bool point = explorer->fresh || call != DISK_READ || explorer->seen != explorer->pair->digest;

    explorer->after_sync = call == DISK_SYNC;
    explorer->fresh = call != DISK_READ;
    explorer->seen = explorer->pair->digest;
    return point && (beside || !explorer->syncs) &&
           (explorer->point == 0 || explorer->crash_count > 0 ||
            explorer->point == explorer->pair->party[explorer->pair->victim].power.calls);
}

/* Asked at every call of the victim's disks: true in the child, for which the power fails here. */
static bool falls(void *context, enum disk_call call)
{
    struct explorer *explorer = context;
    struct party *victim = &explorer->pair->party[explorer->pair->victim];
    unsigned left = explorer->left - (explorer->crash_count > 0);
    uint64_t nothing = 0;
    bool alike = false;

    if (explorer->crash_count > 0 && explorer->pair->time > explorer->looks_until)
        explorer->looks = false;
    if (!explorer->looks || !is_point(explorer, call) || is_enough(explorer))
        return false;
    alike = call == DISK_READ && !disk_is_loose(victim->database) && !disk_is_loose(victim->marks);
    nothing = state_of(explorer, left);
    explorer->shared->points++;
    for (size_t i = 0; i < (alike ? 1 : explorer->survivals); i++) {
        explorer->shared->crashes++;
        /* Where nothing survives it is known beforehand what is left. */
        if (i == 0 && *place_of(explorer->shared, nothing) == nothing) {
            explorer->shared->same++;
            continue;
        }
        if (!descend(explorer))
            continue;
        (void)alarm(left == 0 ? CHILD_S : 0);
        explorer->looks = false;
        explorer->left = left;
        explorer->crash[explorer->crash_count++] = (struct crash_point){.call = victim->power.calls, .survival = i};
        disk_faults(victim->database)->survival = survivals[i][0];
        disk_faults(victim->marks)->survival = survivals[i][1];
        explorer->pair->trace.print = explorer->events;
        return true;
    }
    return false;
}

/* --- workloads ----------------------------------------------------------------------------------------------------
 */

static void look(struct explorer *explorer, bool looks)
{
    if (explorer->crash_count == 0)
        explorer->looks = looks;
    explorer->fresh = true;
}

static bool is_wanted(const struct explorer *explorer, const struct operation *operation)
{
    char name[128] = "";

    if (explorer->core && !operation->core && !(explorer->depth == 0 && explorer->basis < BASIS_LINE))
        return false;
    if (explorer->only == NULL)
        return true;
    (void)snprintf(name, sizeof name, "%s:", basis_names[explorer->basis]);
    for (unsigned i = 0; i <= explorer->depth; i++)
        (void)snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s", i == 0 ? "" : "+",
                       i < explorer->depth ? explorer->path[i]->name : operation->name);
    /* What leads there, and what goes on from one that ends in a plus. */
    if (strlen(name) >= strlen(explorer->only))
        return strcmp(name, explorer->only) == 0 || (explorer->only[strlen(explorer->only) - 1] == '+' &&
                                                     strncmp(name, explorer->only, strlen(explorer->only)) == 0);
    return strncmp(name, explorer->only, strlen(name)) == 0 && explorer->only[strlen(name)] == '+';
}

static void explore(struct explorer *explorer);

/* Of the database without its log. */
static uint64_t sum_database(const struct pair *pair)
{
    const struct disk *disk = pair->party[pair->victim].database;
    uint64_t sum = 0;
    uint64_t word[512];

    for (uint64_t at = 0; disk_truth(disk, "liaison.db", false, word, sizeof word, at) == sizeof word;
         at += sizeof word)
        for (size_t i = 0; i < 512; i++)
            sum = mix(sum, word[i]);
    return sum;
}

/* One more operation, in a process of its own; then those that go on from there, and then the end. */
static _Noreturn void explore_operation(struct explorer *explorer, const struct operation *operation)
{
    bool counts = explorer->depth + 1 >= explorer->from;
    uint64_t before = sum_database(explorer->pair);

    explorer->path[explorer->depth++] = operation;
    explorer->shared->workloads += counts;
    look(explorer, counts);
    operation_perform(explorer->pair, operation);
    if (explorer->crash_count == 0 && !operation->last && oracle_verdict(explorer->pair->oracle) == NULL) {
        look(explorer, false);
        explore(explorer);
        look(explorer, counts);
    }
    if (!operation->last)
        pair_pass(explorer->pair, SETTLE_US);
    look(explorer, false);
    if (explorer->crash_count == 0 && counts) {
        explorer->shared->overtook += explorer->pair->early > 0;
        explorer->shared->moved += sum_database(explorer->pair) != before;
    }
    if (oracle_verdict(explorer->pair->oracle) == NULL)
        workload_finish(explorer->pair);
    end(explorer);
}

static void explore(struct explorer *explorer)
{
    if (explorer->depth == (explorer->basis == BASIS_LONG ? 1 : explorer->length))
        return;
    for (const struct operation *operation = operations; operation->name != NULL; operation++)
        if (is_wanted(explorer, operation) && operation->fits(explorer->pair) && !is_enough(explorer) &&
            descend(explorer))
            explore_operation(explorer, operation);
}

static _Noreturn void explore_basis(struct explorer *explorer)
{
    static struct pair pair;
    struct party *victim = &pair.party[0];

    explorer->pair = &pair;
    basis_make(&pair, explorer->basis, explorer->control, explorer->events);
    victim = &pair.party[pair.victim];
    victim->mark_always = explorer->mark;
    victim->power.falls = falls;
    victim->power.context = explorer;
    pair.lost = lost;
    pair.starting = starting;
    pair.context = explorer;
    if (oracle_verdict(pair.oracle) == NULL)
        explore(explorer);
    end(explorer);
}

static void explore_all(struct explorer *explorer)
{
    static const enum job_step marks[] = {STEP_RUN, STEP_DONE};

    for (unsigned basis = 0; basis < BASIS_COUNT; basis++)
        for (size_t i = 0; i < 2 && !is_enough(explorer); i++) {
            explorer->basis = (enum basis)basis;
            explorer->mark = marks[i];
            if (explorer->mark_only != STEP_NONE && explorer->mark_only != explorer->mark)
                continue;
            if (descend(explorer))
                explore_basis(explorer);
        }
}

/* --- arguments ----------------------------------------------------------------------------------------------------
 */

static bool read_control(struct explorer *explorer, const char *name)
{
    static const char *const controls[] = {"", "wal-sync", "mark", "commit"};

    explorer->without = name;
    for (size_t k = 1; k < sizeof controls / sizeof controls[0]; k++)
        if (strcmp(name, controls[k]) == 0)
            explorer->control = (enum control)k;
    return explorer->control != CONTROL_NONE;
}

static bool read_number(const char *name, const char *text, struct explorer *explorer)
{
    uint64_t number = strtoull(text, NULL, 10);

    if (strcmp(name, "--length") == 0)
        explorer->length = (unsigned)number;
    else if (strcmp(name, "--from") == 0)
        explorer->from = (unsigned)number;
    else if (strcmp(name, "--again") == 0)
        explorer->again = explorer->left = (unsigned)number;
    else if (strcmp(name, "--survivals") == 0)
        explorer->survivals = number;
    else if (strcmp(name, "--point") == 0)
        explorer->point = number;
    else
        return false;
    return explorer->length <= LENGTH_MAX && explorer->again <= AGAIN_MAX && explorer->survivals <= SURVIVALS;
}

static bool read_arguments(struct explorer *explorer, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--core") == 0) {
            explorer->core = true;
        } else if (strcmp(argv[i], "--syncs") == 0) {
            explorer->syncs = true;
        } else if (strcmp(argv[i], "--events") == 0) {
            explorer->events = true;
        } else if (strcmp(argv[i], "--tap") == 0) {
            explorer->tap = true;
        } else if (next == NULL) {
            return false;
        } else if (strcmp(argv[i], "--only") == 0) {
            explorer->only = argv[++i];
        } else if (strcmp(argv[i], "--mark") == 0) {
            explorer->mark_only = strcmp(argv[++i], "first") == 0 ? STEP_RUN : STEP_DONE;
        } else if (strcmp(argv[i], "--without") == 0) {
            if (!read_control(explorer, argv[++i]))
                return false;
        } else if (!read_number(argv[i++], next, explorer)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct explorer explorer = {.length = 1, .from = 1, .survivals = SURVIVALS};
    const struct shared *shared = NULL;
    bool good = false;

    if (!read_arguments(&explorer, argc, argv) || seal_init(NULL) != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (getenv("LIAISON_TEST_LONG") != NULL) {
        explorer.core = false;
        explorer.mark_only = STEP_NONE;
        if (explorer.length < LENGTH_MAX && explorer.again == 0) { /* else it would take a night */
            explorer.syncs = false;
            explorer.survivals = SURVIVALS;
        }
    }
    explorer.shared = mmap(NULL, sizeof *explorer.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (explorer.shared == MAP_FAILED)
        return 2;
    shared = explorer.shared;
    explore_all(&explorer);
    (void)printf("%" PRIu64 " workloads of %u to %u operations, %" PRIu64
                 " of them with an entry that overtook and %" PRIu64 " with a checkpoint; %" PRIu64 " points, %" PRIu64
                 " crashes, %" PRIu64 " of them like another, %" PRIu64 " run to the end; %" PRIu64 " wrong\n",
                 shared->workloads, explorer.from, explorer.length, shared->overtook, shared->moved, shared->points,
                 shared->crashes, shared->same, shared->run, shared->wrong);
    good = shared->points > 0 && (shared->wrong != 0) == (explorer.control != CONTROL_NONE);
    if (explorer.tap && explorer.control == CONTROL_NONE)
        (void)printf("%s - sim: the power fails at every point\n", good ? "ok" : "not ok");
    else if (explorer.tap)
        (void)printf("%s - sim: without %s something is wrong\n", good ? "ok" : "not ok", explorer.without);
    return good ? 0 : 1;
}
