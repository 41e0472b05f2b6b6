/*
 * liaison-verify, run on a file in a folder of its own, as somebody would who has no office.
 */
#ifndef LIAISON_TEST_VERIFY_PROGRAM_H
#define LIAISON_TEST_VERIFY_PROGRAM_H

#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/text.h"
#include "test.h"
#include "vectors.h"

static char *program; /* its absolute path */
static char folder[] = "/tmp/liaison-verify-XXXXXX";
static char line[65];      /* the id that goes with the case */
static char output[16384]; /* of the last run, stdout and stderr */

/* The program is the first argument. */
static inline bool program_found(int argc, char **argv)
{
    program = argc == 2 ? realpath(argv[1], NULL) : NULL;
    return program != NULL && mkdtemp(folder) != NULL;
}

static inline void program_done(void)
{
    char command[64];

    free(program);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
}

/* Runs it on the file with these arguments and returns its exit status. */
static inline int run(const char *arguments)
{
    char command[4096];
    FILE *pipe = NULL;
    int status = 0;

    (void)snprintf(command, sizeof command, "cd %s && '%s' file %s 2>&1", folder, program, arguments);
    pipe = popen(command, "re");
    if (pipe == NULL)
        return -1;
    output[fread(output, 1, sizeof output - 1, pipe)] = 0;
    status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int run_for_line(const char *more)
{
    char arguments[128];

    (void)snprintf(arguments, sizeof arguments, "--line %s %s", line, more);
    return run(arguments);
}

static inline bool says(const char *text)
{
    if (strstr(output, text) != NULL)
        return true;
    printf("# it said: %s\n", output);
    return false;
}

#endif
