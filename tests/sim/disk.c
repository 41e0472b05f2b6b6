/*
 * The virtual disk: what is durable, what a power cut leaves, and what each fault does.
 */
#include "disk.h"

#include <errno.h>

#include "test.h"

#define SIZE 16384

static struct power power;
static struct disk *disk;
static struct disk_file *file;

static void begin(uint64_t seed)
{
    power = (struct power){0};
    disk = disk_new(seed, 0, &power);
    CHECK(disk_open(disk, "a", DISK_CREATE, &file) == 0 && disk_sync_directory(disk) == 0);
}

static void write_all(uint8_t value)
{
    uint8_t bytes[SIZE];

    memset(bytes, value, sizeof bytes);
    CHECK(disk_write(disk, file, bytes, sizeof bytes, 0) == SIZE);
}

/* Bytes of that value; -1 if the file is not of its size. */
static int count(uint8_t value)
{
    uint8_t bytes[SIZE] = {0};
    int found = 0;

    if (disk_read(disk, file, bytes, sizeof bytes, 0) != SIZE)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        found += bytes[i] == value;
    return found;
}

static void crash(void)
{
    disk_close(disk, file);
    power.off = true;
    disk_crash(disk);
    power = (struct power){0};
    CHECK(disk_open(disk, "a", 0, &file) == 0);
}

static void end(void)
{
    disk_close(disk, file);
    disk_free(disk);
}

static void what_was_synced_survives(void)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        begin(seed);
        write_all(1);
        CHECK(disk_sync(disk, file) == 0);
        crash();
        CHECK(count(1) == SIZE);
        end();
    }
}

static void of_what_was_not_synced_any_part_survives(void)
{
    bool none = false;
    bool all = false;
    bool sectors = false;
    bool pages = false;

    for (uint64_t seed = 0; seed < 100; seed++) {
        int kept = 0;

        begin(seed);
        write_all(1);
        CHECK(disk_sync(disk, file) == 0);
        write_all(2);
        crash();
        kept = count(2);
        CHECK(kept % DISK_SECTOR == 0 && count(1) == SIZE - kept);
        none |= kept == 0;
        all |= kept == SIZE;
        sectors |= kept % 4096 != 0;
        pages |= kept % 4096 == 0 && kept != 0 && kept != SIZE;
        end();
    }
    CHECK(none && all && sectors && pages);
}

static void a_name_is_durable_with_its_directory(void)
{
    bool lost = false;
    bool kept = false;
    struct disk_file *other = NULL;

    for (uint64_t seed = 0; seed < 20; seed++) {
        begin(seed);
        CHECK(disk_open(disk, "b", DISK_CREATE, &other) == 0);
        CHECK(disk_sync(disk, other) == 0);
        disk_close(disk, other);
        crash();
        if (disk_size_of(disk, "b") == -ENOENT)
            lost = true;
        else
            kept = true;
        end();
    }
    CHECK(lost && kept);
}

static void names_become_durable_after_many_others(void)
{
    struct disk_file *other = NULL;

    for (int others = 1; others <= 100; others += 99) {
        begin(1);
        CHECK(disk_open(disk, "first", DISK_CREATE, &other) == 0);
        disk_close(disk, other);
        for (int i = 0; i < others; i++) {
            CHECK(disk_open(disk, "other", DISK_CREATE, &other) == 0);
            disk_close(disk, other);
            CHECK(disk_remove(disk, "other") == 0);
        }
        disk_faults(disk)->survival = DISK_NOTHING;
        crash();
        CHECK((disk_size_of(disk, "first") >= 0) == (others > 1));
        CHECK(disk_size_of(disk, "a") >= 0);
        end();
    }
}

static void a_rename_happens_or_does_not(void)
{
    int renamed = 0;

    for (uint64_t seed = 0; seed < 20; seed++) {
        begin(seed);
        disk_close(disk, file);
        CHECK(disk_rename(disk, "a", "b") == 0 && disk_size_of(disk, "a") == -ENOENT);
        disk_crash(disk);
        CHECK((disk_size_of(disk, "a") >= 0) != (disk_size_of(disk, "b") >= 0));
        renamed += disk_size_of(disk, "b") >= 0;
        CHECK(disk_open(disk, "c", DISK_CREATE, &file) == 0);
        end();
    }
    CHECK(renamed > 0 && renamed < 20);
}

/* The second sync succeeds and has written nothing. */
static void a_failed_sync_leaves_pages_clean(void)
{
    bool written = false;
    bool kept = false;
    bool dropped = false;

    for (uint64_t seed = 0; seed < 60; seed++) {
        int seen = 0;

        begin(seed);
        write_all(1);
        CHECK(disk_sync(disk, file) == 0);
        write_all(2);
        disk_faults(disk)->sync_fails = 1000000;
        CHECK(disk_sync(disk, file) == -EIO);
        disk_faults(disk)->sync_fails = 0;
        CHECK(disk_sync(disk, file) == 0);
        seen = count(2);
        crash();
        written |= seen == SIZE && count(2) == SIZE;
        kept |= seen == SIZE && count(2) == 0;
        dropped |= seen == 0;
        CHECK(seen > 0 || count(2) == 0);
        end();
    }
    CHECK(written && kept && dropped);
}

static void a_lost_write_is_seen_after_the_crash(void)
{
    uint8_t truth[1] = {0};

    begin(1);
    write_all(1);
    CHECK(disk_sync(disk, file) == 0);
    disk_faults(disk)->write_lost = 1000000;
    write_all(2);
    CHECK(disk_sync(disk, file) == 0 && count(2) == SIZE);
    crash();
    CHECK(count(1) == SIZE);
    CHECK(disk_truth(disk, "a", true, truth, 1, 0) == 1 && truth[0] == 2);
    CHECK(disk_counts(disk)->beyond == SIZE / DISK_SECTOR);
    end();
}

static void a_write_goes_astray_and_a_bit_turns(void)
{
    begin(3);
    write_all(1);
    disk_faults(disk)->write_astray = 1000000;
    write_all(2);
    disk_faults(disk)->write_astray = 0;
    CHECK(count(1) > 0 && count(1) <= 4096);
    write_all(2);
    CHECK(count(2) == SIZE);
    disk_rot(disk, "a");
    CHECK(count(2) == SIZE - 1);
    write_all(3);
    CHECK(count(3) == SIZE);
    end();
}

/* The next read brings what is there. */
static void a_read_goes_astray_and_a_bit_turns_on_the_way(void)
{
    uint8_t byte = 7;
    int seen = 0;

    begin(7);
    write_all(1);
    CHECK(disk_write(disk, file, &byte, 1, SIZE - 1) == 1);
    disk_faults(disk)->read_turns = 1000000;
    seen = count(1);
    CHECK(seen == SIZE - 2 || (seen == SIZE - 1 && disk_counts(disk)->beyond == 1));
    *disk_faults(disk) = (struct disk_faults){.room = UINT64_MAX};
    CHECK(count(1) == SIZE - 1 && disk_counts(disk)->beyond == 1);
    disk_faults(disk)->read_astray = 1000000;
    for (int i = 0; i < 100 && byte == 7; i++)
        CHECK(disk_read(disk, file, &byte, 1, SIZE - 1) == 1);
    CHECK(byte == 1);
    disk_faults(disk)->read_astray = 0;
    CHECK(disk_read(disk, file, &byte, 1, SIZE - 1) == 1 && byte == 7);
    end();
}

static void a_sync_fails_late(void)
{
    uint8_t truth[1] = {0};

    begin(8);
    write_all(1);
    CHECK(disk_sync(disk, file) == 0);
    write_all(2);
    disk_faults(disk)->sync_late = 1000000;
    CHECK(disk_sync(disk, file) == 0 && count(2) == SIZE);
    CHECK(disk_truth(disk, "a", true, truth, 1, 0) == 1 && truth[0] == 1);
    disk_faults(disk)->sync_late = 0;
    CHECK(disk_sync(disk, file) == -EIO && disk_counts(disk)->beyond == 1);
    CHECK(disk_sync(disk, file) == 0);
    end();
}

static void failing_syncs_stick(void)
{
    begin(9);
    disk_faults(disk)->sync_sticks = true;
    CHECK(disk_sync(disk, file) == 0);
    disk_faults(disk)->sync_fails = 1000000;
    CHECK(disk_sync(disk, file) == -EIO);
    disk_faults(disk)->sync_fails = 0;
    CHECK(disk_sync(disk, file) == -EIO);
    disk_faults(disk)->sync_sticks = false;
    CHECK(disk_sync(disk, file) == 0);
    end();
}

static void calls_are_cut_short_or_interrupted(void)
{
    bool less = false;
    bool none = false;

    begin(10);
    CHECK(disk_cut_short(disk, 4) == 4);
    disk_faults(disk)->cut_short = 1000000;
    for (int i = 0; i < 100; i++) {
        size_t part = disk_cut_short(disk, 4);

        CHECK(part < 4);
        less |= part > 0;
        none |= part == 0;
    }
    CHECK(less && none);
    end();
}

/* What is chosen to survive does, of the call that the power fails in, too. */
static void what_survives_is_as_chosen(void)
{
    static const struct {
        enum disk_survival survival;
        int least, most; /* bytes of the new value, of SIZE */
        uint64_t unit;
    } expected[] = {{DISK_NOTHING, 0, 0, SIZE},
                    {DISK_EVERYTHING, SIZE, SIZE, SIZE},
                    {DISK_FIRST, SIZE / 2, SIZE / 2, DISK_SECTOR},
                    {DISK_LAST, SIZE / 2, SIZE / 2, DISK_SECTOR},
                    {DISK_SECTORS, 0, SIZE, DISK_SECTOR},
                    {DISK_PAGES, 0, SIZE, 4096}};
    uint8_t first = 0;

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int kept = 0;

        begin(11);
        write_all(1);
        CHECK(disk_sync(disk, file) == 0 && !disk_is_loose(disk));
        write_all(2);
        CHECK(disk_is_loose(disk));
        disk_faults(disk)->survival = expected[i].survival;
        crash();
        kept = count(2);
        CHECK(kept >= expected[i].least && kept <= expected[i].most && (uint64_t)kept % expected[i].unit == 0);
        CHECK(disk_read(disk, file, &first, 1, 0) == 1);
        CHECK(expected[i].survival != DISK_FIRST || first == 2);
        CHECK(expected[i].survival != DISK_LAST || first == 1);
        end();
    }
}

/* What was cut off goes with its length, whole: it does not turn to zeros under the old one. */
static void what_was_cut_off_goes_whole(void)
{
    uint8_t bytes[DISK_SECTOR];
    bool shorter = false;
    bool mixed = false;

    memset(bytes, 2, sizeof bytes);
    for (uint64_t seed = 0; seed < 100; seed++) {
        begin(seed);
        write_all(1);
        CHECK(disk_sync(disk, file) == 0);
        CHECK(disk_truncate(disk, file, 0) == 0);
        CHECK(disk_write(disk, file, bytes, sizeof bytes, 0) == DISK_SECTOR && disk_is_loose(disk));
        crash();
        shorter |= disk_size(file) == DISK_SECTOR;
        mixed |= count(1) == SIZE - DISK_SECTOR && count(2) == DISK_SECTOR;
        CHECK(disk_size(file) == DISK_SECTOR || count(1) >= SIZE - DISK_SECTOR);
        end();
    }
    CHECK(shorter && mixed);
}

/* Equal platters have equal digests; a change that is not durable changes none. */
static void a_digest_is_of_the_platter(void)
{
    uint64_t before = 0;
    uint64_t after = 0;

    begin(12);
    write_all(1);
    before = disk_digest(disk);
    CHECK(disk_sync(disk, file) == 0 && disk_digest(disk) != before);
    before = disk_digest(disk);
    write_all(1);
    CHECK(!disk_is_loose(disk) && disk_sync(disk, file) == 0 && disk_digest(disk) == before);
    write_all(2);
    CHECK(disk_digest(disk) == before);
    disk_faults(disk)->survival = DISK_NOTHING;
    crash();
    CHECK(disk_digest(disk) == before);
    write_all(2);
    disk_faults(disk)->survival = DISK_EVERYTHING;
    crash();
    after = disk_digest(disk);
    end();
    begin(12);
    write_all(1);
    CHECK(disk_sync(disk, file) == 0);
    write_all(2);
    CHECK(disk_sync(disk, file) == 0 && disk_digest(disk) == after);
    end();
}

static bool falls_at_second_write(void *context, enum disk_call call)
{
    int *writes = context;

    *writes += call == DISK_WRITE;
    return *writes == 2;
}

static void somebody_else_may_cut_the_power(void)
{
    uint8_t byte = 1;
    int writes = 0;

    begin(13);
    power.falls = falls_at_second_write;
    power.context = &writes;
    CHECK(disk_write(disk, file, &byte, 1, 0) == 1 && disk_read(disk, file, &byte, 1, 0) == 1);
    CHECK(disk_write(disk, file, &byte, 1, 0) == -EIO && power.off);
    end();
}

static void a_full_and_a_read_only_disk_refuse(void)
{
    uint8_t byte = 9;

    begin(4);
    write_all(1);
    disk_faults(disk)->room = SIZE;
    CHECK(disk_space(disk) == 0 && disk_write(disk, file, &byte, 1, SIZE) == -ENOSPC);
    write_all(2);
    disk_faults(disk)->read_only = true;
    CHECK(disk_write(disk, file, &byte, 1, 0) == -EROFS && count(2) == SIZE);
    end();
}

static void a_cut_falls_within_a_call_and_nothing_works_afterwards(void)
{
    bool part = false;

    for (uint64_t seed = 0; seed < 20; seed++) {
        uint8_t bytes[SIZE];
        uint8_t truth[SIZE] = {0};
        int kept = 0;

        begin(seed);
        write_all(1);
        power.cut_at = power.calls + 1;
        memset(bytes, 2, sizeof bytes);
        CHECK(disk_write(disk, file, bytes, sizeof bytes, 0) == -EIO && power.off);
        CHECK(disk_sync(disk, file) == -EIO && disk_read(disk, file, bytes, 1, 0) == -EIO);
        CHECK(disk_truth(disk, "a", false, truth, SIZE, 0) == SIZE);
        for (size_t i = 0; i < SIZE; i++)
            kept += truth[i] == 2;
        part |= kept > 0 && kept < SIZE;
        end();
    }
    CHECK(part);
}

static void a_copy_is_put_back(void)
{
    struct buffer copy = {0};

    begin(5);
    write_all(1);
    disk_copy(disk, "a", &copy);
    write_all(2);
    CHECK(disk_sync(disk, file) == 0);
    disk_close(disk, file);
    disk_put_back(disk, "a", buffer_span(&copy));
    CHECK(disk_open(disk, "a", 0, &file) == 0 && count(1) == SIZE);
    crash();
    CHECK(count(1) == SIZE);
    buffer_free(&copy);
    end();
}

static void one_handle_locks(void)
{
    struct disk_file *again = NULL;

    begin(6);
    CHECK(disk_lock(file) == 0);
    CHECK(disk_open(disk, "a", 0, &again) == 0 && disk_lock(again) == -EAGAIN);
    disk_close(disk, again);
    end();
}

int main(void)
{
    RUN(what_was_synced_survives);
    RUN(of_what_was_not_synced_any_part_survives);
    RUN(a_name_is_durable_with_its_directory);
    RUN(names_become_durable_after_many_others);
    RUN(a_rename_happens_or_does_not);
    RUN(a_failed_sync_leaves_pages_clean);
    RUN(a_lost_write_is_seen_after_the_crash);
    RUN(a_write_goes_astray_and_a_bit_turns);
    RUN(a_read_goes_astray_and_a_bit_turns_on_the_way);
    RUN(a_sync_fails_late);
    RUN(failing_syncs_stick);
    RUN(calls_are_cut_short_or_interrupted);
    RUN(what_survives_is_as_chosen);
    RUN(what_was_cut_off_goes_whole);
    RUN(a_digest_is_of_the_platter);
    RUN(somebody_else_may_cut_the_power);
    RUN(a_full_and_a_read_only_disk_refuse);
    RUN(a_cut_falls_within_a_call_and_nothing_works_afterwards);
    RUN(a_copy_is_put_back);
    RUN(one_handle_locks);
    return test_end();
}
