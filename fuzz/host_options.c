/* host/options: whatever stands on the daemon's command line, it is read or refused with a sentence. */
#include "fuzz.h"

#include <getopt.h>

#include "host/options.h"

#define WORDS_MAX 60

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 150000};

/* The words of the command line, each ended by a zero. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct options options;
    struct buffer text = {0};
    struct error error = {0};
    char *word[WORDS_MAX + 1] = {NULL};
    size_t count = 0;

    count = fuzz_words(&text, span_of(data, size), word, WORDS_MAX);
    optind = 0; /* GNU: start anew; the daemon reads once */
    if (options_read(&options, (int)count, word, &error) != 0) {
        fuzz_refused(&error);
        HOLD(error.code == ERROR_USAGE);
    } else {
        HOLD(options.listen_count <= LISTEN_MAX);
        for (size_t i = 0; i < options.listen_count; i++)
            HOLD(options.listen[i].kind != ADDRESS_EXEC); /* nothing listens on a command */
    }
    buffer_free(&text);
    return 0;
}
