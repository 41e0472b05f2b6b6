/*
 * liaisond: the daemon of one office. What can be wrong before there is an office is found here.
 */
#include "host/host.h"
#include "host/log.h"
#include "host/process.h"
#include "host/spawner.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define EXIT_USAGE 2

static const char help[] =
    "usage: liaisond [--office DIR] [--key-file F] [--mark F] [--listen tcp://HOST:PORT|unix:PATH]...\n"
    "                [--keepalive 5s] [--redial-max 30s] [--no-commands] [--no-confinement]\n"
    "\n"
    "Runs an office in the foreground: keeps its record, its links, and its control socket DIR/control.sock.\n"
    "\n"
    "  --office DIR       the office's directory; else LIAISON_OFFICE, /var/lib/liaison if it exists, or the\n"
    "                     user's data folder + \"/liaison\"\n"
    "  --key-file F       the office key; an office with a passphrase waits for `liaison unlock` instead\n"
    "  --mark F           the mark, outside DIR and best on another device; else DIR.mark\n"
    "  --listen ADDRESS   takes links there; may be repeated; port 0 is a free one\n"
    "  --keepalive 5s     asks after a silent peer; dead after three\n"
    "  --redial-max 30s   the longest pause before a peer is dialled again\n"
    "  --no-commands      no exec: link is dialled, and no process is kept that could run its command\n"
    "  --no-confinement   keeps all rights of its user, to be debugged; `status` says so\n"
    "\n"
    "When ready it prints: ready NAME control=PATH listen=ADDRESS. SIGTERM ends it.\n";

/* Passphrases and messages pass through jansson. */
static void free_wiped(void *memory)
{
    if (memory != NULL)
        secret_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

int main(int argc, char **argv)
{
    char directory[PATH_MAX];
    const char *looked = NULL;
    struct options options;
    struct error error = {0};
    int spawner = -1;

    if (options_read(&options, argc, argv, &error) != 0) {
        log_line("%s; see liaisond --help", error.message);
        return EXIT_USAGE;
    }
    if (options.help || options.version) {
        (void)fputs(options.help ? help : "liaisond " LIAISON_VERSION "\n", stdout);
        return 0;
    }
    json_set_alloc_funcs(malloc, free_wiped);
    if (process_prepare(&error) != 0 || seal_init(&error) != 0 ||
        options_directory(&options, directory, &looked, &error) != 0 ||
        process_check_directory(directory, looked, &error) != 0) {
        log_line("%s", error.message);
        return error.code == ERROR_USAGE ? EXIT_USAGE : 1;
    }
    /* Before a key is in memory. */
    if (!options.no_commands && (spawner = spawner_start(&error)) < 0) {
        log_line("%s", error.message);
        return 1;
    }
    return host_run(&options, directory, spawner);
}
