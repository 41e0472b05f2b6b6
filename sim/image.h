/*
 * What lies in an office's files, read by other means than the office's: SQLite's own statements on the durable image
 * of the database, and a reader of the mark written from its page in spec/.
 */
#ifndef LIAISON_SIM_IMAGE_H
#define LIAISON_SIM_IMAGE_H

#include "disk.h"

#define IMAGE_MEMBERS_MAX 8

struct image_log {
    uint64_t first; /* of the entries that were read */
    uint64_t count; /* of them, if there are no gaps */
    bool has_gap;
    uint8_t (*leaf)[32]; /* SHA-256(0 | bytes) of each */
};

struct image {
    bool readable;
    char why[128];
    uint64_t batch;
    struct image_log log[IMAGE_MEMBERS_MAX]; /* by member of the first line */
};

/* The durable image of the database "/view/NUMBER/liaison.db": of each log what stands from `first` on; NULL: all. */
void image_read(struct image *image, unsigned disk, const uint64_t first[IMAGE_MEMBERS_MAX]);
void image_free(struct image *image);

struct image_mark {
    bool readable;
    uint64_t batch;
    uint64_t size[IMAGE_MEMBERS_MAX]; /* of the logs of the first line */
};
void image_read_mark(struct image_mark *mark, const struct disk *disk, const char *name);

#endif
