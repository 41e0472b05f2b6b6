#include "disk_internal.h"

#include <errno.h>
#include <stdlib.h>

/* --- the power and the faults ----------------------------------------------------------------------------------- */

static bool call(struct disk *disk, enum disk_call kind, bool *cut)
{
    struct power *power = disk->power;

    *cut = false;
    if (power->off)
        return false;
    power->calls++;
    if (power->calls == power->cut_at || (power->falls != NULL && power->falls(power->context, kind))) {
        power->off = true;
        *cut = true;
    }
    return true;
}

/* How many of so many units of a call are done when the power fails within it. */
static uint64_t part_of(struct disk *disk, uint64_t count)
{
    switch (disk->faults.survival) {
    case DISK_NOTHING:
    case DISK_LAST:
        return 0;
    case DISK_EVERYTHING:
        return count;
    case DISK_FIRST:
        return count / 2;
    default:
        return random_below(&disk->random, count + 1);
    }
}

static int fail(struct disk *disk, int code)
{
    disk->counts.calls_failed += code == -EIO;
    disk->counts.refused += code != -EIO;
    return code;
}

static uint64_t used(const struct disk *disk)
{
    uint64_t bytes = 0;

    for (const struct disk_file *file = disk->files; file != NULL; file = file->next)
        bytes += file->cached.size;
    return bytes;
}

struct disk *disk_new(uint64_t seed, uint64_t stream, struct power *power)
{
    struct disk *disk = disk_zeros(sizeof *disk);

    random_start(&disk->random, seed, stream);
    disk->power = power;
    disk->faults.room = UINT64_MAX;
    return disk;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    while (disk->files != NULL) {
        struct disk_file *file = disk->files;

        disk->files = file->next;
        disk_free_file(file);
    }
    free(disk);
}

struct disk_faults *disk_faults(struct disk *disk)
{
    return &disk->faults;
}

const struct disk_counts *disk_counts(const struct disk *disk)
{
    return &disk->counts;
}

uint64_t disk_space(const struct disk *disk)
{
    uint64_t bytes = used(disk);

    return bytes < disk->faults.room ? disk->faults.room - bytes : 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------ */

int disk_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **file)
{
    bool cut = false;

    if (!call(disk, DISK_NAMES, &cut) || cut)
        return -EIO;
    *file = disk_file_of(disk, name, false);
    if (*file != NULL && (flags & DISK_EXCLUSIVE) != 0)
        return -EEXIST;
    if (*file == NULL && (flags & DISK_CREATE) == 0)
        return -ENOENT;
    if (*file == NULL && disk->faults.read_only)
        return fail(disk, -EROFS);
    if (*file == NULL) {
        *file = disk_new_file(disk);
        disk_note(disk, MADE, name, "", *file);
    }
    (*file)->open++;
    return 0;
}

void disk_close(struct disk *disk, struct disk_file *file)
{
    if (file == NULL)
        return;
    file->open--;
    if (file->open == 0)
        file->locked = false;
    disk_sweep(disk);
}

static void see_overlay(const struct overlay *overlay, uint8_t *out, uint64_t at, uint64_t end)
{
    uint64_t start = overlay->sector * DISK_SECTOR;
    uint64_t from = start > at ? start : at;
    uint64_t to = start + DISK_SECTOR < end ? start + DISK_SECTOR : end;

    if (!overlay->after_crash && from < to)
        memcpy(out + (from - at), overlay->bytes + (from - start), to - from);
}

/* Another place's bytes, as far as there are any. */
static void read_astray(struct disk *disk, const struct disk_file *file, uint8_t *out, size_t size)
{
    uint64_t from = random_below(&disk->random, disk_sectors(file->cached.size)) * DISK_SECTOR;
    uint64_t rest = file->cached.size - from;

    memcpy(out, file->cached.bytes + from, rest < size ? rest : size);
    disk->counts.beyond++;
}

int64_t disk_read(struct disk *disk, struct disk_file *file, void *out, size_t size, uint64_t at)
{
    bool cut = false;
    uint64_t end = at + size < file->cached.size ? at + size : file->cached.size;

    if (!call(disk, DISK_READ, &cut) || cut)
        return -EIO;
    if (random_happens(&disk->random, disk->faults.read_fails))
        return fail(disk, -EIO);
    if (at >= end)
        return 0;
    memcpy(out, file->cached.bytes + at, end - at);
    for (size_t i = 0; i < file->overlay_count; i++)
        see_overlay(&file->overlay[i], out, at, end);
    if (random_happens(&disk->random, disk->faults.read_astray))
        read_astray(disk, file, out, end - at);
    if (random_happens(&disk->random, disk->faults.read_turns)) {
        ((uint8_t *)out)[random_below(&disk->random, end - at)] ^= (uint8_t)(1u << random_below(&disk->random, 8));
        disk->counts.beyond++;
    }
    return (int64_t)(end - at);
}

size_t disk_cut_short(struct disk *disk, size_t size)
{
    return random_happens(&disk->random, disk->faults.cut_short) ? random_below(&disk->random, size) : size;
}

/* The data lands somewhere else, and reads of the right place see what was there before. */
static void put_astray(struct disk *disk, struct disk_file *file, const uint8_t *data, size_t size, uint64_t at)
{
    uint64_t there = random_below(&disk->random, disk_sectors(file->cached.size)) * DISK_SECTOR;
    uint8_t before[DISK_SECTOR];
    size_t whole = size < 4096 ? size / DISK_SECTOR * DISK_SECTOR : 4096;

    for (size_t i = 0; i + DISK_SECTOR <= whole; i += DISK_SECTOR) {
        memcpy(before, file->cached.bytes + at + i, DISK_SECTOR);
        disk_put(file, data + i, DISK_SECTOR, at + i);
        disk_lay_over(file, (at + i) / DISK_SECTOR, before, false);
        if (there + i + DISK_SECTOR <= file->cached.size)
            disk_lay_over(file, (there + i) / DISK_SECTOR, data + i, false);
    }
    disk_put(file, data + whole, size - whole, at + whole);
    disk->counts.beyond++;
}

int64_t disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at)
{
    bool cut = false;
    uint64_t grown = at + size > file->cached.size ? at + size - file->cached.size : 0;

    if (!call(disk, DISK_WRITE, &cut))
        return -EIO;
    if (cut || random_happens(&disk->random, disk->faults.write_fails)) {
        size_t part = part_of(disk, disk_sectors(size)) * DISK_SECTOR;

        disk_put(file, data, part < size ? part : size, at);
        return cut ? -EIO : fail(disk, -EIO);
    }
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    if (grown > disk_space(disk))
        return fail(disk, -ENOSPC);
    if (size >= DISK_SECTOR && at % DISK_SECTOR == 0 && at + size <= file->cached.size &&
        random_happens(&disk->random, disk->faults.write_astray))
        put_astray(disk, file, data, size, at);
    else
        disk_put(file, data, size, at);
    if (random_happens(&disk->random, disk->faults.bit_turns) && size >= DISK_SECTOR) {
        uint64_t sector = at / DISK_SECTOR + random_below(&disk->random, size / DISK_SECTOR);
        uint8_t turned[DISK_SECTOR];

        memcpy(turned, file->cached.bytes + sector * DISK_SECTOR, DISK_SECTOR);
        turned[random_below(&disk->random, DISK_SECTOR)] ^= (uint8_t)(1u << random_below(&disk->random, 8));
        disk_lay_over(file, sector, turned, false);
        disk->counts.beyond++;
    }
    return (int64_t)size;
}

static void cut_off(struct disk_file *file, uint64_t size)
{
    static const uint8_t zeros[DISK_SECTOR];

    disk_reserve(file, size);
    for (uint64_t sector = size / DISK_SECTOR; sector < disk_sectors(file->cached.size); sector++) {
        uint64_t from = sector * DISK_SECTOR > size ? sector * DISK_SECTOR : size;
        uint64_t part = (sector + 1) * DISK_SECTOR - from;

        disk_lift(file, sector);
        if (!file->written[sector] || (file->state[sector] == 0 && memcmp(file->cached.bytes + from, zeros, part) == 0))
            continue;
        disk_set_state(file, sector, DIRTY | (from % DISK_SECTOR == 0 ? CUT : LOOSE));
        memset(file->cached.bytes + from, 0, part);
    }
    file->cached.size = size;
}

int disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    bool cut = false;

    if (!call(disk, DISK_TRUNCATE, &cut))
        return -EIO;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    if (!cut || part_of(disk, 1) == 1)
        cut_off(file, size);
    return cut ? -EIO : 0;
}

static void write_out(struct disk *disk, struct disk_file *file, uint64_t sector)
{
    if (random_happens(&disk->random, disk->faults.write_lost)) {
        disk_lay_over(file, sector, file->durable.bytes + sector * DISK_SECTOR, true);
        disk->counts.beyond++;
    }
    disk_store_sector(disk, file, sector);
    file->state[sector] = 0;
}

/* Of the dirty pages: all are written, or none is and they are kept, or they are dropped. */
static void fail_sync(struct disk *disk, struct disk_file *file)
{
    uint64_t fate = random_below(&disk->random, 3);

    for (uint64_t sector = file->low; sector < file->high; sector++) {
        if ((file->state[sector] & DIRTY) == 0)
            continue;
        file->state[sector] &= (uint8_t)~DIRTY;
        if (fate == 1)
            continue;
        if (fate == 0)
            disk_store_sector(disk, file, sector);
        else
            disk_copy_sector(&file->cached, &file->durable, sector);
        file->state[sector] = 0;
    }
    disk_narrow(file);
    if (fate == 0)
        disk_store_size(disk, file);
}

static bool sync_fails(struct disk *disk, struct disk_file *file)
{
    bool fails = file->sync_owes || (file->sync_failed && disk->faults.sync_sticks) ||
                 random_happens(&disk->random, disk->faults.sync_fails);

    file->sync_failed = file->sync_failed || fails;
    file->sync_owes = false;
    return fails;
}

/* The cache takes what is dirty for clean, and the platter has it not. */
static void forget_dirty(struct disk_file *file)
{
    for (uint64_t sector = file->low; sector < file->high; sector++)
        file->state[sector] &= (uint8_t)~DIRTY;
}

int disk_sync(struct disk *disk, struct disk_file *file)
{
    bool cut = false;

    if (!call(disk, DISK_SYNC, &cut))
        return -EIO;
    if (!cut && sync_fails(disk, file)) {
        fail_sync(disk, file);
        disk->counts.syncs_failed++;
        return fail(disk, -EIO);
    }
    if (!cut && random_happens(&disk->random, disk->faults.sync_late)) {
        forget_dirty(file);
        file->sync_owes = true;
        disk->counts.beyond++;
        return 0;
    }
    for (uint64_t sector = file->low; sector < file->high; sector++)
        if ((file->state[sector] & DIRTY) != 0 &&
            (!cut || ((file->state[sector] & CUT) == 0 && disk->faults.survival == DISK_DRAWN &&
                      random_below(&disk->random, 2) == 0)))
            write_out(disk, file, sector);
    disk_narrow(file);
    if (cut) /* what reached the platter is settled with the rest */
        return -EIO;
    disk_store_size(disk, file);
    disk->counts.syncs++;
    return 0;
}

int disk_sync_directory(struct disk *disk)
{
    bool cut = false;

    if (!call(disk, DISK_SYNC, &cut) || cut)
        return -EIO;
    if (random_happens(&disk->random, disk->faults.sync_fails)) {
        disk->counts.syncs_failed++;
        return fail(disk, -EIO);
    }
    disk_store_names(disk);
    disk->counts.syncs++;
    disk_sweep(disk);
    return 0;
}

int disk_remove(struct disk *disk, const char *name)
{
    bool cut = false;

    if (!call(disk, DISK_NAMES, &cut) || cut)
        return -EIO;
    if (disk_find(&disk->now, name) == NULL)
        return -ENOENT;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    disk_note(disk, REMOVED, name, "", NULL);
    disk_sweep(disk);
    return 0;
}

int disk_rename(struct disk *disk, const char *from, const char *to)
{
    bool cut = false;

    if (!call(disk, DISK_NAMES, &cut) || cut)
        return -EIO;
    if (disk_find(&disk->now, from) == NULL)
        return -ENOENT;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    disk_note(disk, RENAMED, from, to, NULL);
    disk_sweep(disk);
    return 0;
}

int64_t disk_size_of(struct disk *disk, const char *name)
{
    bool cut = false;
    const struct disk_file *file = disk_file_of(disk, name, false);

    if (!call(disk, DISK_READ, &cut) || cut)
        return -EIO;
    return file == NULL ? -ENOENT : (int64_t)file->cached.size;
}

int disk_access(struct disk *disk, const char *name, bool write)
{
    int64_t size = disk_size_of(disk, name);

    if (size < 0)
        return (int)size;
    return write && disk->faults.read_only ? fail(disk, -EROFS) : 0;
}

uint64_t disk_size(const struct disk_file *file)
{
    return file->cached.size;
}

int disk_lock(struct disk_file *file)
{
    if (file->locked)
        return -EAGAIN;
    file->locked = true;
    return 0;
}

bool disk_is_locked(const struct disk_file *file)
{
    return file->locked;
}
