/*
 * A process that has a terminal, and a person who types there.
 */
#ifndef LIAISON_TESTS_CLI_PERSON_H
#define LIAISON_TESTS_CLI_PERSON_H

#include "test.h"

#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Runs `asked` in a process that has a terminal, types each of `typed` when a prompt (something that ends with ": " or
 * "] ") has come, and gives the exit code and everything that was on the screen. */
static inline int at_terminal(int (*asked)(void), const char *const *typed, char screen[static 2048])
{
    size_t size = 0;
    int terminal = -1;
    int status = 0;
    ssize_t got = 1;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);

    if (child == 0) {
        alarm(20);
        _exit(asked());
    }
    while (got > 0 && size < 2047) {
        got = read(terminal, screen + size, 2047 - size);
        size += got > 0 ? (size_t)got : 0;
        screen[size] = '\0';
        if (got <= 0 || size < 2 || *typed == NULL ||
            (strcmp(screen + size - 2, ": ") != 0 && strcmp(screen + size - 2, "] ") != 0))
            continue;
        /* The prompt comes before the echo is switched off. */
        usleep(100000);
        if (write(terminal, *typed, strlen(*typed)) > 0)
            typed++;
    }
    waitpid(child, &status, 0);
    close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
