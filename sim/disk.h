/*
 * A virtual disk: one flat directory of files, with what a real one may do to them.
 *
 * The model. Every file has two images: *cached*, which reads see, and *durable*, which is on the platter. A write
 * changes the cached image and makes its sectors dirty; a sync copies dirty sectors and the length to the durable one.
 * A name made, removed or changed is durable once the directory was synced, or many others came after it. Sectors are
 * of 512 bytes.
 *
 * Within the model, which an office must survive:
 *   - a power cut, at any call and within it: of the sectors that differ from the durable image any subset survives, in
 *     units of 512 or 4,096 bytes, or the first so many of them; the length is the old or the new one, and what a file
 *     was cut off by goes with its length; each operation on names that was not synced happened or did not;
 *   - a process that dies while the machine goes on: the cached image stays;
 *   - a sync that fails: it leaves the pages clean, so that the next one succeeds without writing them, and of the
 *     pages all reached the platter, or none did and they are kept in the cache, or they were dropped from it too;
 *     or one after which all syncs of that file fail;
 *   - a write or a read that fails, is cut short or interrupted; a disk that is full; one that is read-only.
 * Beyond the model, where an office may stop and must not lie: a write that was acknowledged and synced and is gone
 * after the next power cut; one that went to another place of the file; a bit that turned; a file put back from a copy.
 * These are overlays: both images keep the truth, so that a checker can know it, and a new write of the sector, where
 * it really lands, lifts the fault. Also beyond it, and without an overlay: a read that brings another place's bytes,
 * or one bit that turned on the way, once; and a sync that fails late: it says that all went well, nothing of it
 * reached the platter, and only the next sync of that file fails.
 *
 * Two disks of one machine share a `power`: it counts their calls, and fails at a chosen one.
 */
#ifndef LIAISON_SIM_DISK_H
#define LIAISON_SIM_DISK_H

#include "base/buffer.h"
#include "random.h"

#define DISK_SECTOR 512

enum disk_call { DISK_READ, DISK_WRITE, DISK_TRUNCATE, DISK_SYNC, DISK_NAMES };

struct power {
    uint64_t calls;  /* so far */
    uint64_t cut_at; /* this call fails and all after it; 0: none does */
    bool off;
    /* Asked at every call whether the power fails at it; NULL: `cut_at` alone says so. */
    bool (*falls)(void *context, enum disk_call call);
    void *context;
};

/* What a power cut leaves of what was not synced, and of the call that it falls into. */
enum disk_survival {
    DISK_DRAWN, /* one of the following, as chance has it; the length and each name by themselves */
    DISK_NOTHING,
    DISK_EVERYTHING,
    DISK_SECTORS, /* each sector with the chance of one half */
    DISK_PAGES,   /* each 4,096 bytes with that chance */
    DISK_FIRST,   /* the first half of the sectors, and the old length */
    DISK_LAST,    /* the other half, and the new length */
    DISK_SURVIVALS
};

/* Each in a million calls. */
struct disk_faults {
    uint32_t sync_fails, write_fails, read_fails, cut_short;
    uint32_t write_lost, write_astray, bit_turns, read_astray, read_turns, sync_late;
    uint64_t room; /* bytes of all files together */
    bool read_only;
    bool sync_sticks;            /* after one sync of a file has failed, all do */
    enum disk_survival survival; /* of the next power cut */
};

/* What happened so far; the world compares before and after to know what an office may blame. */
struct disk_counts {
    uint64_t syncs, syncs_failed, calls_failed, refused; /* refused: full or read-only */
    uint64_t beyond;                                     /* faults beyond the model */
    uint64_t crashes;
};

struct disk;
struct disk_file;

struct disk *disk_new(uint64_t seed, uint64_t stream, struct power *power);
void disk_free(struct disk *disk);
struct disk_faults *disk_faults(struct disk *disk);
const struct disk_counts *disk_counts(const struct disk *disk);

/* All of these return -errno if they fail. */
enum { DISK_CREATE = 1, DISK_EXCLUSIVE = 2 };
int disk_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **file);
/* Not a call of the disk's: it cannot fail. NULL is accepted. */
void disk_close(struct disk *disk, struct disk_file *file);
int64_t disk_read(struct disk *disk, struct disk_file *file, void *out, size_t size, uint64_t at);
/* How much of so many bytes a call of the system reads or writes: all, now and then less, or 0: it is interrupted. */
size_t disk_cut_short(struct disk *disk, size_t size);
int64_t disk_write(struct disk *disk, struct disk_file *file, const void *data, size_t size, uint64_t at);
int disk_truncate(struct disk *disk, struct disk_file *file, uint64_t size);
int disk_sync(struct disk *disk, struct disk_file *file);
int disk_sync_directory(struct disk *disk);
int disk_remove(struct disk *disk, const char *name);
int disk_rename(struct disk *disk, const char *from, const char *to);
/* The length of the file of that name. */
int64_t disk_size_of(struct disk *disk, const char *name);
/* Whether the file of that name is there, and may be written. */
int disk_access(struct disk *disk, const char *name, bool write);
uint64_t disk_size(const struct disk_file *file);
uint64_t disk_space(const struct disk *disk);
/* An advisory lock that one handle may hold; -EAGAIN if it is held. */
int disk_lock(struct disk_file *file);
bool disk_is_locked(const struct disk_file *file);

/* The machine loses its power and gets it back: nothing may be open. */
void disk_crash(struct disk *disk);
/* The process died: locks are given up, nothing may be open, the cache stays. */
void disk_abandon(struct disk *disk);

/* A hash over all changes of the durable images and names, in their order: equal ones are of equal disks. */
uint64_t disk_digest(const struct disk *disk);
/* Whether a power cut could leave more than one thing. */
bool disk_is_loose(const struct disk *disk);
/* For a checker, without faults and without being counted: the part of the durable, or of the cached, image. */
size_t disk_truth(const struct disk *disk, const char *name, bool durable, void *out, size_t size, uint64_t at);
uint64_t disk_truth_size(const struct disk *disk, const char *name, bool durable);
/* A copy of a file, as a careful person would make it; and the file put back. An empty copy removes it. */
void disk_copy(const struct disk *disk, const char *name, struct buffer *copy);
void disk_put_back(struct disk *disk, const char *name, struct span copy);
/* Turns one bit of a file's sectors that are not zero. */
void disk_rot(struct disk *disk, const char *name);

#endif
