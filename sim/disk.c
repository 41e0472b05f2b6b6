#include "disk.h"

#include <errno.h>
#include <stdlib.h>

#define NAME_MAX_SIZE 32
#define NAMES_MAX 16
#define OPERATIONS_MAX 64
#define OVERLAYS_MAX 64
#define PAGE_SECTORS 8

enum { DIRTY = 1, LOOSE = 2 }; /* a sync will write it; it differs from the durable image */

struct image {
    uint8_t *bytes; /* `capacity` of the file; zero beyond `size` */
    uint64_t size;
};

/* What reads see instead of a sector. */
struct overlay {
    uint64_t sector;
    bool after_crash; /* only then: until now the cache hides that the platter has it not */
    uint8_t bytes[DISK_SECTOR];
};

struct disk_file {
    struct image cached, durable;
    uint64_t capacity;  /* bytes, in whole sectors */
    uint64_t longest;   /* it never was longer */
    uint8_t *state;     /* of each sector */
    uint64_t low, high; /* those outside [low, high) have none */
    bool cut;           /* it was cut off since the last sync, at `cut_to` at the least */
    uint64_t cut_to;
    struct overlay *overlay;
    size_t overlay_count;
    unsigned open;
    bool locked;
    struct disk_file *next;
};

struct name {
    char text[NAME_MAX_SIZE];
    struct disk_file *file;
};

struct names {
    size_t count;
    struct name name[NAMES_MAX];
};

enum operation_kind { MADE, REMOVED, RENAMED };
struct operation {
    enum operation_kind kind;
    char name[NAME_MAX_SIZE];
    char to[NAME_MAX_SIZE];
    struct disk_file *file;
};

struct disk {
    struct random random;
    struct power *power;
    struct disk_faults faults;
    struct disk_counts counts;
    struct names now, then;                     /* cached and durable */
    struct operation operation[OPERATIONS_MAX]; /* what leads from `then` to `now` */
    size_t operation_count;
    struct disk_file *files;
};

/* --- names ------------------------------------------------------------------------------------------------------ */

/* NULL if there is no such file. */
static struct disk_file *find(const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i].text, text) == 0)
            return names->name[i].file;
    return NULL;
}

static struct disk_file *file_of(const struct disk *disk, const char *text, bool durable)
{
    return find(durable ? &disk->then : &disk->now, text);
}

static void copy_name(char out[static NAME_MAX_SIZE], const char *text)
{
    size_t size = strlen(text);

    if (size >= NAME_MAX_SIZE)
        abort();
    memset(out, 0, NAME_MAX_SIZE);
    memcpy(out, text, size);
}

static void remove_name(struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i].text, text) == 0)
            names->name[i] = names->name[--names->count];
}

static void put_name(struct names *names, const char *text, struct disk_file *file)
{
    remove_name(names, text);
    if (names->count == NAMES_MAX)
        abort();
    copy_name(names->name[names->count].text, text);
    names->name[names->count++].file = file;
}

static void apply(struct names *names, const struct operation *operation)
{
    struct disk_file *file = find(names, operation->name);

    if (operation->kind == MADE) {
        put_name(names, operation->name, operation->file);
    } else if (operation->kind == REMOVED) {
        remove_name(names, operation->name);
    } else if (file != NULL) {
        remove_name(names, operation->name);
        put_name(names, operation->to, file);
    }
}

static void note(struct disk *disk, enum operation_kind kind, const char *name, const char *to, struct disk_file *file)
{
    struct operation *operation = &disk->operation[disk->operation_count];

    if (disk->operation_count++ == OPERATIONS_MAX)
        abort();
    *operation = (struct operation){.kind = kind, .file = file};
    copy_name(operation->name, name);
    copy_name(operation->to, to);
    apply(&disk->now, operation);
}

static bool is_named(const struct disk *disk, const struct disk_file *file)
{
    for (size_t i = 0; i < disk->now.count; i++)
        if (disk->now.name[i].file == file)
            return true;
    for (size_t i = 0; i < disk->then.count; i++)
        if (disk->then.name[i].file == file)
            return true;
    for (size_t i = 0; i < disk->operation_count; i++)
        if (disk->operation[i].file == file)
            return true;
    return false;
}

static void free_file(struct disk_file *file)
{
    free(file->cached.bytes);
    free(file->durable.bytes);
    free(file->state);
    free(file->overlay);
    free(file);
}

/* Frees what has no name and is not open. */
static void sweep(struct disk *disk)
{
    struct disk_file **at = &disk->files;

    while (*at != NULL) {
        struct disk_file *file = *at;

        if (file->open > 0 || is_named(disk, file)) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        free_file(file);
    }
}

/* --- images ----------------------------------------------------------------------------------------------------- */

static void *get_zeros(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void *grow_zeros(void *memory, size_t before, size_t size)
{
    uint8_t *grown = get_zeros(size);

    if (before > 0)
        memcpy(grown, memory, before);
    free(memory);
    return grown;
}

static struct disk_file *new_file(struct disk *disk)
{
    struct disk_file *file = get_zeros(sizeof *file);

    file->next = disk->files;
    disk->files = file;
    return file;
}

static void reserve(struct disk_file *file, uint64_t size)
{
    uint64_t capacity = file->capacity == 0 ? 65536 : file->capacity;

    while (capacity < size)
        capacity *= 2;
    if (capacity == file->capacity)
        return;
    file->cached.bytes = grow_zeros(file->cached.bytes, file->capacity, capacity);
    file->durable.bytes = grow_zeros(file->durable.bytes, file->capacity, capacity);
    file->state = grow_zeros(file->state, file->capacity / DISK_SECTOR, capacity / DISK_SECTOR);
    file->capacity = capacity;
}

static uint64_t sectors(uint64_t bytes)
{
    return (bytes + DISK_SECTOR - 1) / DISK_SECTOR;
}

static void copy_sector(struct image *to, const struct image *from, uint64_t sector)
{
    memcpy(to->bytes + sector * DISK_SECTOR, from->bytes + sector * DISK_SECTOR, DISK_SECTOR);
}

static void lift(struct disk_file *file, uint64_t sector)
{
    for (size_t i = file->overlay_count; i > 0; i--)
        if (file->overlay[i - 1].sector == sector)
            file->overlay[i - 1] = file->overlay[--file->overlay_count];
}

static void lay_over(struct disk_file *file, uint64_t sector, const uint8_t bytes[static DISK_SECTOR], bool after_crash)
{
    if (file->overlay == NULL)
        file->overlay = get_zeros(OVERLAYS_MAX * sizeof file->overlay[0]);
    lift(file, sector);
    if (file->overlay_count == OVERLAYS_MAX)
        return;
    file->overlay[file->overlay_count].sector = sector;
    file->overlay[file->overlay_count].after_crash = after_crash;
    memcpy(file->overlay[file->overlay_count++].bytes, bytes, DISK_SECTOR);
}

static void make_dirty(struct disk_file *file, uint64_t sector)
{
    if (file->low == file->high)
        file->low = file->high = sector;
    file->low = sector < file->low ? sector : file->low;
    file->high = sector >= file->high ? sector + 1 : file->high;
    file->state[sector] |= DIRTY | LOOSE;
}

static void narrow(struct disk_file *file)
{
    while (file->low < file->high && file->state[file->low] == 0)
        file->low++;
    while (file->low < file->high && file->state[file->high - 1] == 0)
        file->high--;
}

/* Writes to the cache and makes it dirty. */
static void put(struct disk_file *file, const uint8_t *data, size_t size, uint64_t at)
{
    reserve(file, at + size);
    memcpy(file->cached.bytes + at, data, size);
    if (file->cached.size < at + size)
        file->cached.size = at + size;
    if (file->longest < file->cached.size)
        file->longest = file->cached.size;
    for (uint64_t sector = at / DISK_SECTOR; sector < sectors(at + size); sector++) {
        make_dirty(file, sector);
        if (file->overlay_count > 0)
            lift(file, sector);
    }
}

/* --- the power and the faults ----------------------------------------------------------------------------------- */

static bool call(struct disk *disk, bool *cut)
{
    *cut = false;
    if (disk->power->off)
        return false;
    disk->power->calls++;
    if (disk->power->calls == disk->power->cut_at) {
        disk->power->off = true;
        *cut = true;
    }
    return true;
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
    struct disk *disk = get_zeros(sizeof *disk);

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
        free_file(file);
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

    if (!call(disk, &cut) || cut)
        return -EIO;
    *file = file_of(disk, name, false);
    if (*file != NULL && (flags & DISK_EXCLUSIVE) != 0)
        return -EEXIST;
    if (*file == NULL && (flags & DISK_CREATE) == 0)
        return -ENOENT;
    if (*file == NULL && disk->faults.read_only)
        return fail(disk, -EROFS);
    if (*file == NULL) {
        *file = new_file(disk);
        note(disk, MADE, name, "", *file);
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
    sweep(disk);
}

static void see_overlay(const struct overlay *overlay, uint8_t *out, uint64_t at, uint64_t end)
{
    uint64_t start = overlay->sector * DISK_SECTOR;
    uint64_t from = start > at ? start : at;
    uint64_t to = start + DISK_SECTOR < end ? start + DISK_SECTOR : end;

    if (!overlay->after_crash && from < to)
        memcpy(out + (from - at), overlay->bytes + (from - start), to - from);
}

int64_t disk_read(struct disk *disk, struct disk_file *file, void *out, size_t size, uint64_t at)
{
    bool cut = false;
    uint64_t end = at + size < file->cached.size ? at + size : file->cached.size;

    if (!call(disk, &cut) || cut)
        return -EIO;
    if (random_happens(&disk->random, disk->faults.read_fails))
        return fail(disk, -EIO);
    if (at >= end)
        return 0;
    memcpy(out, file->cached.bytes + at, end - at);
    for (size_t i = 0; i < file->overlay_count; i++)
        see_overlay(&file->overlay[i], out, at, end);
    return (int64_t)(end - at);
}

/* The data lands somewhere else, and reads of the right place see what was there before. */
static void put_astray(struct disk *disk, struct disk_file *file, const uint8_t *data, size_t size, uint64_t at)
{
    uint64_t there = random_below(&disk->random, sectors(file->cached.size)) * DISK_SECTOR;
    uint8_t before[DISK_SECTOR];
    size_t whole = size < 4096 ? size / DISK_SECTOR * DISK_SECTOR : 4096;

    for (size_t i = 0; i + DISK_SECTOR <= whole; i += DISK_SECTOR) {
        memcpy(before, file->cached.bytes + at + i, DISK_SECTOR);
        put(file, data + i, DISK_SECTOR, at + i);
        lay_over(file, (at + i) / DISK_SECTOR, before, false);
        if (there + i + DISK_SECTOR <= file->cached.size)
            lay_over(file, (there + i) / DISK_SECTOR, data + i, false);
    }
    put(file, data + whole, size - whole, at + whole);
    disk->counts.beyond++;
}

int64_t disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at)
{
    bool cut = false;
    uint64_t grown = at + size > file->cached.size ? at + size - file->cached.size : 0;

    if (!call(disk, &cut))
        return -EIO;
    if (cut || random_happens(&disk->random, disk->faults.write_fails)) {
        size_t part = random_below(&disk->random, sectors(size) + 1) * DISK_SECTOR;

        put(file, data, part < size ? part : size, at);
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
        put(file, data, size, at);
    if (random_happens(&disk->random, disk->faults.bit_turns) && size >= DISK_SECTOR) {
        uint64_t sector = at / DISK_SECTOR + random_below(&disk->random, size / DISK_SECTOR);
        uint8_t turned[DISK_SECTOR];

        memcpy(turned, file->cached.bytes + sector * DISK_SECTOR, DISK_SECTOR);
        random_turn_bit(&disk->random, turned, DISK_SECTOR);
        lay_over(file, sector, turned, false);
        disk->counts.beyond++;
    }
    return (int64_t)size;
}

static void cut_off(struct disk_file *file, uint64_t size)
{
    reserve(file, size);
    for (uint64_t sector = sectors(size); sector < sectors(file->cached.size); sector++) {
        file->state[sector] = 0;
        lift(file, sector);
    }
    if (size % DISK_SECTOR != 0 && size < file->cached.size) {
        make_dirty(file, size / DISK_SECTOR);
        lift(file, size / DISK_SECTOR);
    }
    if (size < file->cached.size) {
        memset(file->cached.bytes + size, 0, file->cached.size - size);
        file->cut_to = !file->cut || size < file->cut_to ? size : file->cut_to;
        file->cut = true;
    }
    file->cached.size = size;
    if (file->longest < size)
        file->longest = size;
}

/* The cut is on the platter, where nothing of what was beyond it remains. */
static void cut_durable(struct disk_file *file)
{
    uint64_t from = sectors(file->cut_to) * DISK_SECTOR;

    if (file->cut && from < file->capacity)
        memset(file->durable.bytes + from, 0, file->capacity - from);
    if (file->cut && file->durable.size > file->cut_to)
        file->durable.size = file->cut_to;
    file->cut = false;
}

/* It is not, and so neither is what was written to other sectors after it. */
static void undo_cut(struct disk_file *file)
{
    for (uint64_t sector = sectors(file->cut_to); sector < sectors(file->capacity); sector++) {
        copy_sector(&file->cached, &file->durable, sector);
        file->state[sector] = 0;
    }
    file->cached.size = file->durable.size;
    file->cut = false;
}

int disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    bool cut = false;

    if (!call(disk, &cut))
        return -EIO;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    if (!cut || random_below(&disk->random, 2) == 0)
        cut_off(file, size);
    return cut ? -EIO : 0;
}

static void write_out(struct disk *disk, struct disk_file *file, uint64_t sector)
{
    if (random_happens(&disk->random, disk->faults.write_lost)) {
        lay_over(file, sector, file->durable.bytes + sector * DISK_SECTOR, true);
        disk->counts.beyond++;
    }
    copy_sector(&file->durable, &file->cached, sector);
    file->state[sector] = 0;
}

/* Of the dirty pages: all are written, or none is and they are kept, or they are dropped. */
static void fail_sync(struct disk *disk, struct disk_file *file)
{
    uint64_t fate = random_below(&disk->random, 3);

    if (fate == 0)
        cut_durable(file);
    for (uint64_t sector = file->low; sector < file->high; sector++) {
        if ((file->state[sector] & DIRTY) == 0)
            continue;
        file->state[sector] &= (uint8_t)~DIRTY;
        if (fate == 1)
            continue;
        copy_sector(fate == 0 ? &file->durable : &file->cached, fate == 0 ? &file->cached : &file->durable, sector);
        file->state[sector] = 0;
    }
    if (fate == 0)
        file->durable.size = file->cached.size;
}

int disk_sync(struct disk *disk, struct disk_file *file)
{
    bool cut = false;

    if (!call(disk, &cut))
        return -EIO;
    if (!cut && random_happens(&disk->random, disk->faults.sync_fails)) {
        fail_sync(disk, file);
        disk->counts.syncs_failed++;
        return fail(disk, -EIO);
    }
    cut_durable(file);
    for (uint64_t sector = file->low; sector < file->high; sector++)
        if ((file->state[sector] & DIRTY) != 0 && (!cut || random_below(&disk->random, 2) == 0))
            write_out(disk, file, sector);
    narrow(file);
    if (cut)
        return -EIO;
    file->durable.size = file->cached.size;
    disk->counts.syncs++;
    return 0;
}

int disk_sync_directory(struct disk *disk)
{
    bool cut = false;

    if (!call(disk, &cut) || cut)
        return -EIO;
    if (random_happens(&disk->random, disk->faults.sync_fails)) {
        disk->counts.syncs_failed++;
        return fail(disk, -EIO);
    }
    disk->then = disk->now;
    disk->operation_count = 0;
    disk->counts.syncs++;
    sweep(disk);
    return 0;
}

int disk_remove(struct disk *disk, const char *name)
{
    bool cut = false;

    if (!call(disk, &cut) || cut)
        return -EIO;
    if (find(&disk->now, name) == NULL)
        return -ENOENT;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    note(disk, REMOVED, name, "", NULL);
    sweep(disk);
    return 0;
}

int disk_rename(struct disk *disk, const char *from, const char *to)
{
    bool cut = false;

    if (!call(disk, &cut) || cut)
        return -EIO;
    if (find(&disk->now, from) == NULL)
        return -ENOENT;
    if (disk->faults.read_only)
        return fail(disk, -EROFS);
    note(disk, RENAMED, from, to, NULL);
    sweep(disk);
    return 0;
}

int64_t disk_size_of(struct disk *disk, const char *name)
{
    bool cut = false;
    const struct disk_file *file = file_of(disk, name, false);

    if (!call(disk, &cut) || cut)
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

/* --- after the power came back ---------------------------------------------------------------------------------- */

/* Which units survive: none, all, any, or the first so many. */
static bool survives(struct random *random, uint64_t fate, uint64_t unit, uint64_t last)
{
    return fate == 1 || (fate == 2 && random_below(random, 2) == 0) || (fate == 3 && unit < last);
}

static void settle(struct disk *disk, struct disk_file *file)
{
    uint64_t unit = random_below(&disk->random, 2) == 0 ? 1 : PAGE_SECTORS;
    uint64_t fate = random_below(&disk->random, 4);
    uint64_t last = random_below(&disk->random, sectors(file->capacity) / unit + 1);
    bool new_size = fate == 1 || (fate != 0 && random_below(&disk->random, 2) == 0);

    if (file->cut && !new_size)
        undo_cut(file);
    cut_durable(file);
    for (uint64_t start = file->low / unit * unit; start < file->high; start += unit) {
        bool kept = false;
        bool drawn = false;

        for (uint64_t sector = start; sector < start + unit && sector < sectors(file->capacity); sector++) {
            if ((file->state[sector] & LOOSE) == 0)
                continue;
            kept = drawn ? kept : survives(&disk->random, fate, start / unit, last);
            drawn = true;
            if (kept)
                copy_sector(&file->durable, &file->cached, sector);
            else
                copy_sector(&file->cached, &file->durable, sector);
            file->state[sector] = 0;
        }
    }
    if (new_size)
        file->durable.size = file->cached.size;
    file->cached.size = file->durable.size;
    memset(file->durable.bytes + file->durable.size, 0, file->longest - file->durable.size);
    memset(file->cached.bytes + file->durable.size, 0, file->longest - file->durable.size);
    file->low = file->high = 0;
    for (size_t i = 0; i < file->overlay_count; i++)
        file->overlay[i].after_crash = false;
}

void disk_crash(struct disk *disk)
{
    for (struct disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->capacity > 0)
            settle(disk, file);
    for (size_t i = 0; i < disk->operation_count; i++)
        if (random_below(&disk->random, 2) == 0)
            apply(&disk->then, &disk->operation[i]);
    disk->now = disk->then;
    disk->operation_count = 0;
    disk->counts.crashes++;
    disk_abandon(disk);
}

void disk_abandon(struct disk *disk)
{
    for (struct disk_file *file = disk->files; file != NULL; file = file->next)
        if (file->open > 0)
            abort();
    sweep(disk);
}

/* --- for others than the office --------------------------------------------------------------------------------- */

size_t disk_truth(const struct disk *disk, const char *name, bool durable, void *out, size_t size, uint64_t at)
{
    const struct disk_file *file = file_of(disk, name, durable);
    const struct image *image = file == NULL ? NULL : durable ? &file->durable : &file->cached;
    uint64_t end = image == NULL ? 0 : at + size < image->size ? at + size : image->size;

    if (at >= end)
        return 0;
    memcpy(out, image->bytes + at, end - at);
    return end - at;
}

uint64_t disk_truth_size(const struct disk *disk, const char *name, bool durable)
{
    const struct disk_file *file = file_of(disk, name, durable);

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

    remove_name(&disk->now, name);
    disk->operation_count = 0;
    if (copy.size > 0) {
        file = new_file(disk);
        put(file, copy.data, copy.size, 0);
        memcpy(file->durable.bytes, file->cached.bytes, copy.size);
        file->durable.size = copy.size;
        memset(file->state, 0, sectors(file->capacity));
        file->low = file->high = 0;
        put_name(&disk->now, name, file);
    }
    disk->then = disk->now;
    disk->counts.beyond++;
    sweep(disk);
}

void disk_rot(struct disk *disk, const char *name)
{
    struct disk_file *file = file_of(disk, name, false);
    uint64_t count = file == NULL ? 0 : sectors(file->cached.size);
    uint64_t start = random_below(&disk->random, count);

    for (uint64_t i = 0; i < count; i++) {
        uint64_t sector = (start + i) % count;
        uint8_t turned[DISK_SECTOR];

        memcpy(turned, file->cached.bytes + sector * DISK_SECTOR, DISK_SECTOR);
        if (turned[0] == 0 && memcmp(turned, turned + 1, DISK_SECTOR - 1) == 0)
            continue;
        random_turn_bit(&disk->random, turned, DISK_SECTOR);
        lay_over(file, sector, turned, false);
        disk->counts.beyond++;
        return;
    }
}
