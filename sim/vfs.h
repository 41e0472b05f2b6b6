/*
 * SQLite's files on virtual disks. vfs_register() makes this the default, so that the store finds it without being
 * told. Paths are those of system.h; "/view/NUMBER/NAME" is the durable image of a file alone, without faults and not
 * to be written: what the oracle reads.
 *
 * One connection owns a database and keeps its lock from the first write until it closes, so another one is refused,
 * and there is no shared memory: the store sets locking_mode = EXCLUSIVE before the first access. Randomness comes
 * from a seed, time stands still.
 */
#ifndef LIAISON_SIM_VFS_H
#define LIAISON_SIM_VFS_H

#include <stdbool.h>
#include <stdint.h>

void vfs_register(uint64_t seed);
/* A negative control: syncs of the WAL do nothing and say that all went well. */
void vfs_drop_wal_syncs(bool drop);

#endif
