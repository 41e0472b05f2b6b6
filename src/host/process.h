/*
 * What the process takes from its surroundings before it holds a secret, and the files it reads once: everything that
 * is checked before there is an office.
 */
#ifndef LIAISON_HOST_PROCESS_H
#define LIAISON_HOST_PROCESS_H

#include "base/error.h"
#include "seal/keyfile.h"

/* Files 0 to 2 open, SIGPIPE ignored, umask 0077, no core dump, nobody may attach, as much locked memory and as many
 * open files as allowed. Required to work is only what keeps secrets in, and that a few dozen files may be open. */
int process_prepare(struct error *error);
/* The office's directory must be one, one's own, and closed to everybody else; and hold a database. `looked` says where
 * the path came from. */
int process_check_directory(const char *directory, const char *looked, struct error *error);
/* Reads an office key file, which must be one's own or root's, and which group and world may not be able to read. */
int process_read_key(uint8_t key[static OFFICE_KEY_SIZE], const char *path, struct error *error);

#endif
