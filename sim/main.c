/*
 * sim SEED: one world, or with --count as many from that seed on. Prints what each drew, what happened in it, and its
 * digest; the same seed gives the same. With --without it leaves a protection out and looks for a seed that shows it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "seal/secret.h"
#include "shrink.h"
#include "world.h"

#define YEAR_US (UINT64_C(365) * 24 * 3600 * SECOND_US)

static const char usage[] =
    "usage: sim SEED [--count N] [--twice] [--events] [--tap] [--shrink] [--only LIST]\n"
    "                [--without WHAT]\n"
    "                [--at-least-years N] [--at-least-texts N] [--at-least-crashes N]\n"
    "\n"
    "  --count N        the worlds of N seeds from SEED on\n"
    "  --twice          each is run again and must be the same\n"
    "  --events         everything that happens\n"
    "  --tap            a line for ./check at the end\n"
    "  --shrink         if something is wrong, looks for the least that must befall for it\n"
    "  --only LIST      nothing befalls but what has these numbers, such as 3,17,40\n"
    "  --without WHAT   leaves out a protection: wal-sync, mark, commit, deduplication, reading-back, prekeys,\n"
    "                   commitment, labels, gap, quota, delay (omit.h); succeeds at the first seed in which that is "
    "found out\n"
    "  --at-least-...   fails if all worlds together come to fewer years of links, texts, or crashes\n";

struct run {
    uint64_t count;
    bool twice, tap, shrinks;
    const char *without;
    struct world_orders orders;
    uint64_t number[BEFALLEN_MAX];
    uint64_t least_years, least_texts, least_crashes;
};

static struct world_result result, other, sum;

/* --- arguments -------------------------------------------------------------------------------------------------------
 */

static bool read_without(struct run *run, const char *what)
{
    run->without = what;
    for (int k = 1; k < CONTROL_COUNT; k++)
        if (strcmp(what, control_name((enum control)k)) == 0)
            run->orders.control = (enum control)k;
    return run->orders.control != CONTROL_NONE;
}

static bool read_only(struct run *run, const char *list)
{
    char *end = NULL;

    run->orders.only = true;
    run->orders.number = run->number;
    do {
        if (run->orders.count == BEFALLEN_MAX)
            return false;
        run->number[run->orders.count++] = strtoull(list, &end, 10);
        if (end == list || (*end != ',' && *end != 0))
            return false;
        list = end + 1;
    } while (*end == ',');
    return true;
}

static bool read_flag(struct run *run, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--twice", &run->twice},
                 {"--events", &run->orders.print_events},
                 {"--tap", &run->tap},
                 {"--shrink", &run->shrinks}};

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    return false;
}

static bool read_number(struct run *run, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *number;
    } numbers[] = {{"--count", &run->count},
                   {"--at-least-years", &run->least_years},
                   {"--at-least-texts", &run->least_texts},
                   {"--at-least-crashes", &run->least_crashes}};
    char *end = NULL;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].number = strtoull(value, &end, 10);
            return *value != 0 && *end == 0;
        }
    return false;
}

static bool read_arguments(struct run *run, int argc, char **argv)
{
    char *end = NULL;

    if (argc < 2)
        return false;
    run->orders.seed = strtoull(argv[1], &end, 10);
    if (*argv[1] == 0 || *end != 0)
        return false;
    for (int i = 2; i < argc; i++) {
        bool more = i + 1 < argc;

        if (read_flag(run, argv[i]))
            continue;
        if (more && strcmp(argv[i], "--without") == 0 ? !read_without(run, argv[i + 1])
            : more && strcmp(argv[i], "--only") == 0  ? !read_only(run, argv[i + 1])
                                                      : !more || !read_number(run, argv[i], argv[i + 1]))
            return false;
        i++;
    }
    return true;
}

/* --- what is printed -------------------------------------------------------------------------------------------------
 */

static void print_counts(const struct world_result *of)
{
    (void)printf("%" PRIu64 ".%03" PRIu64 " s, %" PRIu64 ".%03" PRIu64 " link-years, %" PRIu64 " events, %" PRIu64
                 " texts, %" PRIu64 " entries, %" PRIu64 " heads, %" PRIu64 " receipts; %" PRIu64
                 " power cuts, %" PRIu64 " kills, %" PRIu64 " cuts, %" PRIu64 " blocks, %" PRIu64
                 " partitions, %" PRIu64 " jumps, %" PRIu64 " beyond; %" PRIu64 " syncs, %" PRIu64 " failed, %" PRIu64
                 " calls failed, %" PRIu64 " refused",
                 of->time_us / SECOND_US, of->time_us / 1000 % 1000, of->link_us / YEAR_US,
                 of->link_us % YEAR_US * 1000 / YEAR_US, of->events, of->texts, of->entries, of->heads, of->receipts,
                 of->power_cuts, of->kills, of->cuts, of->blocks, of->partitions, of->jumps, of->beyond, of->syncs,
                 of->syncs_failed, of->calls_failed, of->refused);
}

static void print_wrong(uint64_t seed, const struct world_result *of)
{
    if (of->verdict[0] != 0)
        (void)printf("  WRONG: %s (seed %" PRIu64 ", commit " SIM_COMMIT ", after %zu befell)\n", of->verdict, seed,
                     of->befallen_count);
}

static void print(uint64_t seed, const struct world_result *of)
{
    (void)printf("seed %" PRIu64 ": %s\n  ", seed, of->plan);
    print_counts(of);
    (void)printf("; digest %016" PRIx64 "\n", of->digest);
    if (of->stopped[0] != 0)
        (void)printf("  stays stopped: %s\n", of->stopped);
    print_wrong(seed, of);
    (void)fflush(stdout);
}

static void add(const struct world_result *of)
{
    sum.time_us += of->time_us;
    sum.link_us += of->link_us;
    sum.events += of->events;
    sum.texts += of->texts;
    sum.entries += of->entries;
    sum.heads += of->heads;
    sum.receipts += of->receipts;
    sum.power_cuts += of->power_cuts;
    sum.kills += of->kills;
    sum.cuts += of->cuts;
    sum.blocks += of->blocks;
    sum.partitions += of->partitions;
    sum.jumps += of->jumps;
    sum.beyond += of->beyond;
    sum.syncs += of->syncs;
    sum.syncs_failed += of->syncs_failed;
    sum.calls_failed += of->calls_failed;
    sum.refused += of->refused;
}

/* The least that must befall, and how to see it again. */
static void print_least(const struct run *run, const struct world_orders *orders)
{
    uint64_t worlds = shrink(orders, &result, &other);

    (void)printf("  %" PRIu64 " worlds later, of %zu that befell these are left:\n", worlds, result.befallen_count);
    for (size_t i = 0; i < other.befallen_count; i++)
        (void)printf("    %" PRIu64 " %s at %" PRIu64 ".%06" PRIu64 " s\n", other.befallen[i].number,
                     other.befallen[i].what, other.befallen[i].time_us / SECOND_US,
                     other.befallen[i].time_us % SECOND_US);
    print_wrong(orders->seed, &other);
    (void)printf("  again: sim %" PRIu64 "%s%s --only ", orders->seed, run->without == NULL ? "" : " --without ",
                 run->without == NULL ? "" : run->without);
    for (size_t i = 0; i < other.befallen_count; i++)
        (void)printf("%s%" PRIu64, i == 0 ? "" : ",", other.befallen[i].number);
    (void)printf("%s\n", other.befallen_count == 0 ? "0" : "");
}

/* --- running ---------------------------------------------------------------------------------------------------------
 */

/* Runs one world, or twice; whether nothing is wrong. */
static bool run_seed(const struct run *run, uint64_t seed)
{
    struct world_orders orders = run->orders;

    orders.seed = seed;
    world_run(&orders, &result);
    print(seed, &result);
    if (result.wrong != NULL && run->shrinks)
        print_least(run, &orders);
    if (!run->twice)
        return result.verdict[0] == 0;
    orders.print_events = false;
    world_run(&orders, &other);
    if (other.digest != result.digest)
        (void)printf("  WRONG: run again, seed %" PRIu64 " has the digest %016" PRIx64 "\n", seed, other.digest);
    return result.verdict[0] == 0 && other.digest == result.digest;
}

static bool is_enough(const char *of_what, uint64_t count, uint64_t least)
{
    if (count < least)
        (void)printf("WRONG: %" PRIu64 " %s, and at least %" PRIu64 " were to be\n", count, of_what, least);
    return count >= least;
}

int main(int argc, char **argv)
{
    static struct run run = {.count = 1};
    uint64_t wrong = 0;
    uint64_t done = 0;
    uint64_t real = 0;
    bool good = false;

    if (!read_arguments(&run, argc, argv) || seal_init(NULL) != 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    for (; done < run.count && (wrong == 0 || run.orders.control == CONTROL_NONE); done++) {
        wrong += !run_seed(&run, run.orders.seed + done);
        real += result.real;
        add(&result);
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " with real cryptography, %" PRIu64 " wrong: ", done, real, wrong);
    print_counts(&sum);
    (void)printf("\n");
    good = (wrong != 0) == (run.orders.control != CONTROL_NONE);
    good = is_enough("link-years", sum.link_us / YEAR_US, run.least_years) && good;
    good = is_enough("texts", sum.texts, run.least_texts) && good;
    good = is_enough("crashes", sum.power_cuts + sum.kills, run.least_crashes) && good;
    if (run.tap && run.orders.control == CONTROL_NONE)
        (void)printf("%s - sim: %" PRIu64 " worlds from seed %" PRIu64 "\n", good ? "ok" : "not ok", run.count,
                     run.orders.seed);
    else if (run.tap)
        (void)printf("%s - sim: without %s something is wrong\n", good ? "ok" : "not ok", run.without);
    return good ? 0 : 1;
}
