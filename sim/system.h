/*
 * The seam: what the store asks of the operating system, answered by virtual disks. There is none in the source. SQLite
 * is given a virtual file system (vfs.h), and the linker gives the names of the C library that the store uses beside it
 * to system.c (--wrap), in this program only: what runs here is, object for object, what is shipped.
 * tests/structure/purity.py sees to it that the store uses no other names.
 *
 * Paths: "/NUMBER/NAME", the file NAME of the disk mounted as NUMBER. Any other is a mistake, and ends the program.
 */
#ifndef LIAISON_SIM_SYSTEM_H
#define LIAISON_SIM_SYSTEM_H

#include "disk.h"

#define SYSTEM_DISKS_MAX 32

/* NULL: unmounts. */
void system_mount(unsigned number, struct disk *disk);
/* The disk of a path, and where its file's name begins ("" for the directory itself). */
struct disk *system_disk(const char *path, const char **name);

#endif
