#include "disk_internal.h"

#include <stdlib.h>

void *disk_zeros(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void *grow_zeros(void *memory, size_t before, size_t size)
{
    uint8_t *grown = disk_zeros(size);

    if (before > 0)
        memcpy(grown, memory, before);
    free(memory);
    return grown;
}

/* Memory that was never written is not touched, here and below: a disk is large, and the process forks often. */
static void grow_image(const struct disk_file *file, struct image *image, uint64_t capacity)
{
    struct image grown = {.bytes = disk_zeros(capacity), .size = image->size};

    for (uint64_t sector = 0; sector < disk_sectors(file->capacity); sector++)
        if (file->written[sector])
            disk_copy_sector(&grown, image, sector);
    free(image->bytes);
    *image = grown;
}

struct disk_file *disk_new_file(struct disk *disk)
{
    struct disk_file *file = disk_zeros(sizeof *file);

    file->number = disk->file_count++;
    file->next = disk->files;
    disk->files = file;
    return file;
}

void disk_reserve(struct disk_file *file, uint64_t size)
{
    uint64_t capacity = file->capacity == 0 ? 65536 : file->capacity;

    while (capacity < size)
        capacity *= 2;
    if (capacity == file->capacity)
        return;
    grow_image(file, &file->cached, capacity);
    grow_image(file, &file->durable, capacity);
    file->state = grow_zeros(file->state, file->capacity / DISK_SECTOR, capacity / DISK_SECTOR);
    file->written = grow_zeros(file->written, file->capacity / DISK_SECTOR, capacity / DISK_SECTOR);
    file->capacity = capacity;
}

uint64_t disk_sectors(uint64_t bytes)
{
    return (bytes + DISK_SECTOR - 1) / DISK_SECTOR;
}

void disk_copy_sector(struct image *to, const struct image *from, uint64_t sector)
{
    memcpy(to->bytes + sector * DISK_SECTOR, from->bytes + sector * DISK_SECTOR, DISK_SECTOR);
}

/* FNV-1a over words; what is on the platter has changed. */
static void mix(struct disk *disk, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word = 0;

        memcpy(&word, bytes + i, 8);
        disk->digest = (disk->digest ^ word) * UINT64_C(0x100000001b3);
        disk->digest ^= disk->digest >> 29;
    }
}

void disk_mix(struct disk *disk, uint64_t what, uint64_t first, uint64_t second)
{
    const uint64_t numbers[] = {what, first, second};

    mix(disk, numbers, sizeof numbers);
}

/* The sector reaches the platter. */
void disk_store_sector(struct disk *disk, struct disk_file *file, uint64_t sector)
{
    const uint8_t *cached = file->cached.bytes + sector * DISK_SECTOR;

    if (memcmp(cached, file->durable.bytes + sector * DISK_SECTOR, DISK_SECTOR) == 0)
        return;
    disk_mix(disk, 1, file->number, sector);
    mix(disk, cached, DISK_SECTOR);
    disk_copy_sector(&file->durable, &file->cached, sector);
}

void disk_store_size(struct disk *disk, struct disk_file *file)
{
    if (file->durable.size != file->cached.size)
        disk_mix(disk, 2, file->number, file->cached.size);
    file->durable.size = file->cached.size;
}

void disk_store_names(struct disk *disk)
{
    for (size_t i = 0; i < disk->operation_count; i++)
        disk_mix(disk, 3, disk->operation[i].kind, i);
    disk->then = disk->now;
    disk->operation_count = 0;
}

void disk_lift(struct disk_file *file, uint64_t sector)
{
    for (size_t i = file->overlay_count; i > 0; i--)
        if (file->overlay[i - 1].sector == sector)
            file->overlay[i - 1] = file->overlay[--file->overlay_count];
}

void disk_lay_over(struct disk_file *file, uint64_t sector, const uint8_t bytes[static DISK_SECTOR], bool after_crash)
{
    if (file->overlay == NULL)
        file->overlay = disk_zeros(OVERLAYS_MAX * sizeof file->overlay[0]);
    disk_lift(file, sector);
    if (file->overlay_count == OVERLAYS_MAX)
        return;
    file->overlay[file->overlay_count].sector = sector;
    file->overlay[file->overlay_count].after_crash = after_crash;
    memcpy(file->overlay[file->overlay_count++].bytes, bytes, DISK_SECTOR);
}

void disk_set_state(struct disk_file *file, uint64_t sector, uint8_t state)
{
    bool none = file->low == file->high;

    file->state[sector] = state;
    file->low = none || sector < file->low ? sector : file->low;
    file->high = none || sector >= file->high ? sector + 1 : file->high;
}

void disk_narrow(struct disk_file *file)
{
    while (file->low < file->high && file->state[file->low] == 0)
        file->low++;
    while (file->low < file->high && file->state[file->high - 1] == 0)
        file->high--;
}

/* Whether the cache has these bytes of a sector. */
static bool is_there(const struct disk_file *file, uint64_t sector, uint64_t at, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[DISK_SECTOR];

    return memcmp(file->written[sector] ? file->cached.bytes + at : zeros, data, size) == 0;
}

/* Writes to the cache and makes it dirty: but for a clean sector that gets what the platter has already. */
void disk_put(struct disk_file *file, const uint8_t *data, size_t size, uint64_t at)
{
    uint64_t end = at + size;

    disk_reserve(file, end);
    for (uint64_t sector = at / DISK_SECTOR; sector < disk_sectors(end); sector++) {
        uint64_t from = sector * DISK_SECTOR > at ? sector * DISK_SECTOR : at;
        uint64_t to = (sector + 1) * DISK_SECTOR < end ? (sector + 1) * DISK_SECTOR : end;

        if (file->overlay_count > 0)
            disk_lift(file, sector);
        if (file->state[sector] == 0 && is_there(file, sector, from, data + (from - at), to - from))
            continue;
        file->written[sector] = true;
        memcpy(file->cached.bytes + from, data + (from - at), to - from);
        disk_set_state(file, sector, DIRTY | LOOSE);
    }
    if (file->cached.size < end)
        file->cached.size = end;
}
