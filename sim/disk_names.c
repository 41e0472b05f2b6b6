#include "disk_internal.h"

#include <stdlib.h>

/* NULL if there is no such file. */
struct disk_file *disk_find(const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i].text, text) == 0)
            return names->name[i].file;
    return NULL;
}

struct disk_file *disk_file_of(const struct disk *disk, const char *text, bool durable)
{
    return disk_find(durable ? &disk->then : &disk->now, text);
}

static void copy_name(char out[static NAME_MAX_SIZE], const char *text)
{
    size_t size = strlen(text);

    if (size >= NAME_MAX_SIZE)
        abort();
    memset(out, 0, NAME_MAX_SIZE);
    memcpy(out, text, size);
}

void disk_remove_name(struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i].text, text) == 0)
            names->name[i] = names->name[--names->count];
}

void disk_put_name(struct names *names, const char *text, struct disk_file *file)
{
    disk_remove_name(names, text);
    if (names->count == NAMES_MAX)
        abort();
    copy_name(names->name[names->count].text, text);
    names->name[names->count++].file = file;
}

void disk_apply(struct names *names, const struct operation *operation)
{
    struct disk_file *file = disk_find(names, operation->name);

    if (operation->kind == MADE) {
        disk_put_name(names, operation->name, operation->file);
    } else if (operation->kind == REMOVED) {
        disk_remove_name(names, operation->name);
    } else if (file != NULL) {
        disk_remove_name(names, operation->name);
        disk_put_name(names, operation->to, file);
    }
}

/* Nobody synced the directory for so long that the system wrote it by itself. */
static void store_oldest(struct disk *disk)
{
    disk_mix(disk, 3, disk->operation[0].kind, 0);
    disk_apply(&disk->then, &disk->operation[0]);
    disk->operation_count--;
    memmove(&disk->operation[0], &disk->operation[1], disk->operation_count * sizeof disk->operation[0]);
}

void disk_note(struct disk *disk, enum operation_kind kind, const char *name, const char *to, struct disk_file *file)
{
    struct operation *operation = NULL;

    if (disk->operation_count == OPERATIONS_MAX)
        store_oldest(disk);
    operation = &disk->operation[disk->operation_count++];
    *operation = (struct operation){.kind = kind, .file = file};
    copy_name(operation->name, name);
    copy_name(operation->to, to);
    disk_apply(&disk->now, operation);
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

void disk_free_file(struct disk_file *file)
{
    free(file->cached.bytes);
    free(file->durable.bytes);
    free(file->state);
    free(file->written);
    free(file->overlay);
    free(file);
}

/* Frees what has no name and is not open. */
void disk_sweep(struct disk *disk)
{
    struct disk_file **at = &disk->files;

    while (*at != NULL) {
        struct disk_file *file = *at;

        if (file->open > 0 || is_named(disk, file)) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        disk_free_file(file);
    }
}
