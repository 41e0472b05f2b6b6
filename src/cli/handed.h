/*
 * What one party hands to another in files: cards, charters, courier keys. Each is read and found to be what it should
 * be before the daemon is asked, which knows no files: so that a failure's sentence can name the one that is wrong, and
 * say what to do.
 */
#ifndef LIAISON_CLI_HANDED_H
#define LIAISON_CLI_HANDED_H

#include "base/buffer.h"
#include "base/error.h"

/* Each appends the file's text; "-" is stdin. */
int handed_card(const char *path, struct buffer *text, struct error *error);
int handed_charter(const char *path, struct buffer *text, struct error *error);
int handed_courier_key(const char *path, struct buffer *text, struct error *error);

#endif
