/* cli/arguments: whatever stands on the command line, it is read or refused, and a terminal is not harmed. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/arguments.h"

#define WORDS_MAX 100

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){NULL}, .runs = 150000};

/* What a command says, kept from the fuzzer's own output. */
struct said {
    FILE *output, *error, *memory;
    char *text;
    size_t size;
};

static void listen(struct said *said)
{
    *said = (struct said){.output = stdout, .error = stderr};
    said->memory = open_memstream(&said->text, &said->size);
    HOLD(said->memory != NULL);
    stdout = stderr = said->memory;
}

static void check_said(struct said *said, bool wrong)
{
    stdout = said->output;
    stderr = said->error;
    HOLD(fclose(said->memory) == 0);
    HOLD(!wrong || (said->size > 0 && said->text[said->size - 1] == '\n'));
    HOLD(fuzz_is_shown(span_of(said->text, said->size), true));
    free(said->text);
}

static void read_command(int count, char **word)
{
    struct cli cli = {.exit = EXIT_UNKNOWN};
    const char *message = NULL;
    struct argument_list to = {0};
    bool all = false;
    const struct argument table[] = {{"message", 'm', ARGUMENT_TEXT, &message},
                                     {"to", 0, ARGUMENT_LIST, &to},
                                     {"all", 'a', ARGUMENT_FLAG, &all},
                                     {NULL, 0, ARGUMENT_FLAG, NULL}};
    const struct usage usage = {"liaison send", "LINE", "Sends.\n", 1, 2};
    struct said said;
    bool read = false;

    listen(&said);
    read = arguments_read(&cli, count, word, &usage, table);
    check_said(&said, !read && cli.exit == EXIT_USAGE);
    HOLD(to.count <= ARGUMENT_LIST_MAX);
    if (read)
        HOLD(cli.operand_count >= 1 && cli.operand_count <= 2 && cli.operand[cli.operand_count] == NULL);
    else
        HOLD(cli.exit == EXIT_USAGE || cli.exit == EXIT_DONE);
}

static void read_leading(int count, char **word)
{
    struct cli cli = {.exit = EXIT_UNKNOWN};
    bool help = false, version = false;
    struct said said;
    int taken = 0;

    listen(&said);
    taken = arguments_read_leading(&cli, "liaison", count, word, &help, &version);
    check_said(&said, taken < 0);
    HOLD(taken <= count && (taken >= 0 || cli.exit == EXIT_USAGE));
}

static void read_values(const char *text)
{
    uint64_t us = 0;
    const char *slash = strrchr(text, '/');

    if (duration_parse(text, &us))
        HOLD(us <= UINT64_C(8760) * 3600 * 1000000 && us % 1000 == 0 && text[0] >= '0' && text[0] <= '9');
    if (entry_name_is_valid(text))
        HOLD(slash != NULL && text_is_party_name(span_of(text, (size_t)(slash - text))));
}

/* The words of the command line, each ended by a zero. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer text = {0};
    char *word[WORDS_MAX + 1] = {NULL}, *again[WORDS_MAX + 1] = {NULL};
    size_t count = 0;

    count = fuzz_words(&text, span_of(data, size), word, WORDS_MAX);
    memcpy(again, word, sizeof word);
    for (size_t i = 0; i < count; i++)
        read_values(word[i]);
    read_command((int)count, word);
    read_leading((int)count, again);
    buffer_free(&text);
    return 0;
}
