/*
 * sim SEED: one world, or with --count as many from that seed on. Prints what each drew, what happened in it, and its
 * digest; the same seed gives the same. With --without it leaves a protection out and looks for a seed that shows it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal/secret.h"
#include "world.h"

static const char usage[] =
    "usage: sim SEED [--count N] [--twice] [--events] [--tap] [--without WHAT]\n"
    "\n"
    "  --count N        the worlds of N seeds from SEED on\n"
    "  --twice          each is run again and must be the same\n"
    "  --events         everything that happens\n"
    "  --tap            a line for ./check at the end\n"
    "  --without WHAT   leaves out a protection: wal-sync, mark, commit, deduplication, reading-back, prekeys,\n"
    "                   commitment, labels, gap (omit.h); succeeds at the first seed in which that is found out\n";

struct run {
    uint64_t seed, count;
    bool twice, events, tap;
    const char *without;
    enum control control;
};

static bool read_arguments(struct run *run, int argc, char **argv)
{
    char *end = NULL;

    if (argc < 2)
        return false;
    run->seed = strtoull(argv[1], &end, 10);
    if (*argv[1] == 0 || *end != 0)
        return false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--twice") == 0) {
            run->twice = true;
        } else if (strcmp(argv[i], "--events") == 0) {
            run->events = true;
        } else if (strcmp(argv[i], "--tap") == 0) {
            run->tap = true;
        } else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            run->count = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            run->without = argv[++i];
            for (int k = 1; k < CONTROL_COUNT; k++)
                if (strcmp(run->without, control_name((enum control)k)) == 0)
                    run->control = (enum control)k;
            if (run->control == CONTROL_NONE)
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static void print(uint64_t seed, const struct world_result *result)
{
    (void)printf("seed %" PRIu64 ": %s\n", seed, result->plan);
    (void)printf("  %" PRIu64 ".%03" PRIu64 " s, %" PRIu64 " events, %" PRIu64 " texts, %" PRIu64 " entries, %" PRIu64
                 " heads, %" PRIu64 " receipts; %" PRIu64 " power cuts, %" PRIu64 " kills, %" PRIu64 " cuts, %" PRIu64
                 " blocks, %" PRIu64 " jumps, %" PRIu64 " beyond; %" PRIu64 " syncs, %" PRIu64 " failed, %" PRIu64
                 " calls failed, %" PRIu64 " refused; digest %016" PRIx64 "\n",
                 result->time_us / 1000000, result->time_us / 1000 % 1000, result->events, result->texts,
                 result->entries, result->heads, result->receipts, result->power_cuts, result->kills, result->cuts,
                 result->blocks, result->jumps, result->beyond, result->syncs, result->syncs_failed,
                 result->calls_failed, result->refused, result->digest);
    if (result->stopped[0] != 0)
        (void)printf("  stays stopped: %s\n", result->stopped);
    if (result->verdict[0] != 0)
        (void)printf("  WRONG: %s\n", result->verdict);
    (void)fflush(stdout);
}

static void add(struct world_result *sum, const struct world_result *result)
{
    sum->time_us += result->time_us;
    sum->events += result->events;
    sum->texts += result->texts;
    sum->entries += result->entries;
    sum->power_cuts += result->power_cuts;
    sum->kills += result->kills;
    sum->cuts += result->cuts;
    sum->beyond += result->beyond;
    sum->syncs += result->syncs;
    sum->syncs_failed += result->syncs_failed;
}

/* Runs one world, or twice; whether nothing is wrong. */
static bool run_seed(const struct run *run, uint64_t seed, struct world_result *result)
{
    static struct world_result again;

    world_run(seed, run->control, run->events, result);
    print(seed, result);
    if (!run->twice)
        return result->verdict[0] == 0;
    world_run(seed, run->control, false, &again);
    if (again.digest != result->digest)
        (void)printf("  WRONG: run again, seed %" PRIu64 " has the digest %016" PRIx64 "\n", seed, again.digest);
    return result->verdict[0] == 0 && again.digest == result->digest;
}

int main(int argc, char **argv)
{
    static struct world_result result, sum;
    struct run run = {.count = 1};
    uint64_t wrong = 0;
    uint64_t done = 0;
    bool good = false;

    if (!read_arguments(&run, argc, argv) || seal_init(NULL) != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    for (uint64_t i = 0; i < run.count && (wrong == 0 || run.control == CONTROL_NONE); i++) {
        wrong += !run_seed(&run, run.seed + i, &result);
        done++;
        add(&sum, &result);
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " wrong: %" PRIu64 " s, %" PRIu64 " events, %" PRIu64 " texts, %" PRIu64
                 " entries, %" PRIu64 " power cuts, %" PRIu64 " kills, %" PRIu64 " cuts, %" PRIu64 " beyond, %" PRIu64
                 " syncs, %" PRIu64 " failed\n",
                 done, wrong, sum.time_us / 1000000, sum.events, sum.texts, sum.entries, sum.power_cuts, sum.kills,
                 sum.cuts, sum.beyond, sum.syncs, sum.syncs_failed);
    good = (wrong != 0) == (run.control != CONTROL_NONE);
    if (run.tap && run.control == CONTROL_NONE)
        (void)printf("%s - sim: %" PRIu64 " worlds from seed %" PRIu64 "\n", good ? "ok" : "not ok", run.count,
                     run.seed);
    else if (run.tap)
        (void)printf("%s - sim: without %s something is wrong\n", good ? "ok" : "not ok", run.without);
    return good ? 0 : 1;
}
