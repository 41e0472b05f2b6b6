/*
 * Asking a person. The controlling terminal is asked, whatever stdin and stdout are.
 */
#ifndef LIAISON_CLI_TERMINAL_H
#define LIAISON_CLI_TERMINAL_H

#include "base/buffer.h"
#include "base/error.h"

/* Whether a person sits at a terminal and sees what is asked there. */
bool terminal_is_attended(void);
/* Asks a question; true only if the answer begins with y or Y. */
bool terminal_confirm(const char *question);
/* Asks for a line without showing it. -1 if there is no terminal, or the person gives up. */
int terminal_secret(const char *prompt, struct buffer *secret, struct error *error);

#endif
