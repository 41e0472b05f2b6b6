/*
 * What the files of the virtual disk share:
 *   disk.c        calls, and the faults within them
 *   disk_names.c  names, cached and durable
 *   disk_image.c  bytes, cached and durable, and what hides them
 *   disk_crash.c  what a power cut leaves; what checkers and careful people do
 */
#ifndef LIAISON_SIM_DISK_INTERNAL_H
#define LIAISON_SIM_DISK_INTERNAL_H

#include "disk.h"

#define NAME_MAX_SIZE 32
#define NAMES_MAX 16
#define OPERATIONS_MAX 64
#define OVERLAYS_MAX 64
#define PAGE_SECTORS 8

/* A sync will write it; it differs from the durable image; it does since the file was cut off before it, and goes as
 * its length goes. */
enum { DIRTY = 1, LOOSE = 2, CUT = 4 };

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
    uint8_t *state;     /* of each sector */
    uint64_t low, high; /* sectors whose state is not 0 are from `low` on and below `high` */
    bool *written;      /* each sector: something else than zeros was put there once */
    struct overlay *overlay;
    size_t overlay_count;
    unsigned number; /* in the order of making */
    unsigned open;
    bool locked;
    bool sync_failed, sync_owes; /* once; the next one fails */
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
    unsigned file_count; /* made so far */
    uint64_t digest;
};

/* NULL if there is no such file. */
struct disk_file *disk_find(const struct names *names, const char *text);
struct disk_file *disk_file_of(const struct disk *disk, const char *text, bool durable);
void disk_remove_name(struct names *names, const char *text);
void disk_put_name(struct names *names, const char *text, struct disk_file *file);
void disk_apply(struct names *names, const struct operation *operation);
/* Does it to the cached names, and remembers it. */
void disk_note(struct disk *disk, enum operation_kind kind, const char *name, const char *to, struct disk_file *file);
/* Frees what has no name and is not open. */
void disk_sweep(struct disk *disk);
void disk_free_file(struct disk_file *file);
void *disk_zeros(size_t size);
struct disk_file *disk_new_file(struct disk *disk);
/* How many hold so many bytes. */
uint64_t disk_sectors(uint64_t bytes);
void disk_copy_sector(struct image *to, const struct image *from, uint64_t sector);
/* What is on the platter has changed: into the digest. */
void disk_mix(struct disk *disk, uint64_t what, uint64_t first, uint64_t second);
/* From the cache to the platter. */
void disk_store_sector(struct disk *disk, struct disk_file *file, uint64_t sector);
void disk_store_size(struct disk *disk, struct disk_file *file);
void disk_store_names(struct disk *disk);
/* Of a sector: its overlay goes, or comes. */
void disk_lift(struct disk_file *file, uint64_t sector);
void disk_lay_over(struct disk_file *file, uint64_t sector, const uint8_t bytes[static DISK_SECTOR], bool after_crash);
/* Writes to the cache. */
void disk_put(struct disk_file *file, const uint8_t *data, size_t size, uint64_t at);
void disk_reserve(struct disk_file *file, uint64_t size);
/* Of a sector. Whoever has set many to 0 calls the second one. */
void disk_set_state(struct disk_file *file, uint64_t sector, uint8_t state);
void disk_narrow(struct disk_file *file);

#endif
