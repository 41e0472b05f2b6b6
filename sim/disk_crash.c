#include "disk_internal.h"

#include <stdlib.h>

/* --- after the power came back ---------------------------------------------------------------------------------- */

/* What is left of one file, of which `loose` units may have survived. */
struct fate {
    enum disk_survival survival;
    uint64_t unit; /* sectors */
    uint64_t loose, seen;
    uint64_t last; /* DISK_DRAWN's first so many: units below it */
    bool new_size;
};

static bool survives(struct disk *disk, struct fate *fate, uint64_t unit)
{
    fate->seen++;
    switch (fate->survival) {
    case DISK_NOTHING:
        return false;
    case DISK_EVERYTHING:
        return true;
    case DISK_FIRST:
        return fate->last > 0 ? unit < fate->last : 2 * fate->seen <= fate->loose;
    case DISK_LAST:
        return 2 * fate->seen > fate->loose;
    default:
        return random_below(&disk->random, 2) == 0;
    }
}

static bool is_loose(const struct disk_file *file, uint64_t start, uint64_t unit)
{
    for (uint64_t sector = start; sector < start + unit && sector < file->high; sector++)
        if ((file->state[sector] & LOOSE) != 0)
            return true;
    return false;
}

/* Where the first unit begins that something may have happened to. */
static uint64_t first_unit(const struct disk_file *file, uint64_t unit)
{
    return file->low / unit * unit;
}

static struct fate draw_fate(struct disk *disk, const struct disk_file *file)
{
    static const enum disk_survival drawn[] = {DISK_NOTHING, DISK_EVERYTHING, DISK_SECTORS, DISK_FIRST};
    struct fate fate = {.survival = disk->faults.survival, .unit = 1};

    if (fate.survival == DISK_DRAWN) {
        fate.unit = random_below(&disk->random, 2) == 0 ? 1 : PAGE_SECTORS;
        fate.survival = drawn[random_below(&disk->random, 4)];
        fate.last = 1 + random_below(&disk->random, disk_sectors(file->capacity) / fate.unit + 1);
        fate.new_size =
            fate.survival == DISK_EVERYTHING || (fate.survival != DISK_NOTHING && random_below(&disk->random, 2) == 0);
        return fate;
    }
    fate.unit = fate.survival == DISK_PAGES ? PAGE_SECTORS : 1;
    fate.new_size =
        fate.survival == DISK_EVERYTHING || fate.survival == DISK_LAST ||
        (fate.survival >= DISK_SECTORS && fate.survival <= DISK_PAGES && random_below(&disk->random, 2) == 0);
    for (uint64_t start = first_unit(file, fate.unit); start < file->high; start += fate.unit)
        fate.loose += is_loose(file, start, fate.unit);
    return fate;
}

static void settle(struct disk *disk, struct disk_file *file)
{
    struct fate fate = draw_fate(disk, file);
    uint64_t longest = file->cached.size > file->durable.size ? file->cached.size : file->durable.size;

    for (uint64_t start = first_unit(file, fate.unit); start < file->high; start += fate.unit) {
        bool kept = is_loose(file, start, fate.unit) && survives(disk, &fate, start / fate.unit);

        for (uint64_t sector = start; sector < start + fate.unit && sector < file->high; sector++) {
            if ((file->state[sector] & (LOOSE | CUT)) == 0)
                continue;
            if ((file->state[sector] & CUT) != 0 ? fate.new_size : kept)
                disk_store_sector(disk, file, sector);
            else
                disk_copy_sector(&file->cached, &file->durable, sector);
            file->state[sector] = 0;
        }
    }
    disk_narrow(file);
    if (fate.new_size)
        disk_store_size(disk, file);
    for (uint64_t at = file->durable.size; at < longest; at++)
        file->durable.bytes[at] = file->cached.bytes[at] = 0;
    file->cached.size = file->durable.size;
    for (size_t i = 0; i < file->overlay_count; i++)
        file->overlay[i].after_crash = false;
}

static void settle_names(struct disk *disk)
{
    size_t count = disk->operation_count;

    for (size_t i = 0; i < count; i++) {
        enum disk_survival survival = disk->faults.survival;
        bool kept = survival == DISK_EVERYTHING || (survival == DISK_FIRST && 2 * i < count) ||
                    (survival == DISK_LAST && 2 * i >= count);

        if (survival == DISK_DRAWN || survival == DISK_SECTORS || survival == DISK_PAGES)
            kept = random_below(&disk->random, 2) == 0;
        if (!kept)
            continue;
        disk_mix(disk, 3, disk->operation[i].kind, i);
        disk_apply(&disk->then, &disk->operation[i]);
    }
    disk->now = disk->then;
    disk->operation_count = 0;
}

void disk_crash(struct disk *disk)
{
    for (struct disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->capacity > 0)
            settle(disk, file);
    settle_names(disk);
    disk->counts.crashes++;
    disk_abandon(disk);
}

void disk_abandon(struct disk *disk)
{
    for (struct disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->open > 0)
            abort();
    disk_sweep(disk);
}

/* --- for others than the office --------------------------------------------------------------------------------- */

uint64_t disk_digest(const struct disk *disk)
{
    return disk->digest;
}

/* Cut off and made longer again. */
static bool is_cut(const struct disk_file *file)
{
    for (uint64_t sector = file->low; sector < file->high; sector++)
        if ((file->state[sector] & CUT) != 0)
            return true;
    return false;
}

bool disk_is_loose(const struct disk *disk)
{
    for (const struct disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->cached.size != file->durable.size || is_cut(file) ||
            is_loose(file, file->low, file->high - file->low))
            return true;
    return disk->operation_count > 0;
}

size_t disk_truth(const struct disk *disk, const char *name, bool durable, void *out, size_t size, uint64_t at)
{
    const struct disk_file *file = disk_file_of(disk, name, durable);
    const struct image *image = file == NULL ? NULL : durable ? &file->durable : &file->cached;
    uint64_t end = image == NULL ? 0 : at + size < image->size ? at + size : image->size;

    if (at >= end)
        return 0;
    memcpy(out, image->bytes + at, end - at);
    return end - at;
}

uint64_t disk_truth_size(const struct disk *disk, const char *name, bool durable)
{
    const struct disk_file *file = disk_file_of(disk, name, durable);

    return file == NULL ? 0 : durable ? file->durable.size : file->cached.size;
}

void disk_copy(const struct disk *disk, const char *name, struct buffer *copy)
{
    uint64_t size = disk_truth_size(disk, name, false);
    uint8_t *out = NULL;

    buffer_reset(copy);
    out = buffer_extend(copy, size);
    if (out == NULL && size > 0)
        abort();
    (void)disk_truth(disk, name, false, out, size, 0);
}

void disk_put_back(struct disk *disk, const char *name, struct span copy)
{
    struct disk_file *file = NULL;

    disk_remove_name(&disk->now, name);
    disk->operation_count = 0;
    if (copy.size > 0) {
        file = disk_new_file(disk);
        disk_put(file, copy.data, copy.size, 0);
        memcpy(file->durable.bytes, file->cached.bytes, copy.size);
        file->durable.size = copy.size;
        disk_mix(disk, 4, file->number, copy.size);
        memset(file->state, 0, disk_sectors(file->capacity));
        disk_narrow(file);
        disk_put_name(&disk->now, name, file);
    }
    disk->then = disk->now;
    disk->counts.beyond++;
    disk_sweep(disk);
}

void disk_rot(struct disk *disk, const char *name)
{
    struct disk_file *file = disk_file_of(disk, name, false);
    uint64_t count = file == NULL ? 0 : disk_sectors(file->cached.size);
    uint64_t start = random_below(&disk->random, count);

    for (uint64_t i = 0; i < count; i++) {
        uint64_t sector = (start + i) % count;
        uint8_t turned[DISK_SECTOR];

        memcpy(turned, file->cached.bytes + sector * DISK_SECTOR, DISK_SECTOR);
        if (turned[0] == 0 && memcmp(turned, turned + 1, DISK_SECTOR - 1) == 0)
            continue;
        turned[random_below(&disk->random, DISK_SECTOR)] ^= (uint8_t)(1u << random_below(&disk->random, 8));
        disk_lay_over(file, sector, turned, false);
        disk->counts.beyond++;
        return;
    }
}
