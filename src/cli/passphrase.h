/*
 * Where a passphrase comes from: the first line of a file, or a person.
 */
#ifndef LIAISON_CLI_PASSPHRASE_H
#define LIAISON_CLI_PASSPHRASE_H

#include "base/buffer.h"
#include "base/error.h"
#include "seal/secret.h"

#define PASSPHRASE_SIZE_MIN 8
#define PASSPHRASE_SIZE_MAX 1024

/* Checks and appends the first line of a passphrase file. ERROR_NOT_FOUND if there is no file. */
int passphrase_read(const char *path, struct buffer *passphrase, struct error *error);
/* Asks on the terminal, twice if `new`. */
int passphrase_ask(bool new, struct buffer *passphrase, struct error *error);
/* Appends a fresh one of 150 random bits: six groups of five letters and digits. */
void passphrase_make(struct entropy *entropy, struct buffer *passphrase);
/* Wipes, then frees. */
void passphrase_free(struct buffer *passphrase);

#endif
