#include "base/text.h"
#include "cli/arguments.h"
#include "cli/entries.h"
#include "cli/status.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct usage usage = {
    .command = "liaison read",
    .synopsis = "LINE [--from A/N | --last N] [--follow] [--all] [--json]",
    .help = "Shows the line's messages, in the line's order. What the machinery writes is folded into single lines.\n"
            "\n"
            "  --from A/N  from that entry on, like washington/17\n"
            "  --last N    only the last N that people wrote, at most 10,000\n"
            "  --follow    then go on with what arrives, in order of arrival, until interrupted\n"
            "  --all       everything the machinery writes, one by one\n"
            "  --json      one object a line; only messages, unless --all\n",
    .operands_min = 1,
    .operands_max = 1,
};

/* Which entries were written already: a bit each, by author. What arrives while pages are fetched may come both as
 * an event and in a page. */
#define AUTHORS_MAX 16
#define LAST_MAX 10000 /* entries of --last */
struct written {
    struct {
        char name[64];
        struct buffer bits;
    } author[AUTHORS_MAX];
    size_t count;
};

/* Notes an entry; false if it was noted before. */
static bool note_written(struct written *written, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "author"));
    json_int_t number = json_integer_value(json_object_get(entry, "number"));
    size_t byte = (size_t)number / 8;
    uint8_t bit = (uint8_t)(1u << (number % 8));
    size_t i = 0;

    if (name == NULL || number < 0)
        return true;
    while (i < written->count && strcmp(written->author[i].name, name) != 0)
        i++;
    if (i == AUTHORS_MAX || strlen(name) >= sizeof written->author[i].name)
        return true;
    if (i == written->count) {
        memcpy(written->author[i].name, name, strlen(name) + 1);
        written->count++;
    }
    if (byte >= written->author[i].bits.size) {
        size_t more = byte + 1 - written->author[i].bits.size;
        uint8_t *at = buffer_extend(&written->author[i].bits, more);

        if (at == NULL)
            return true;
        memset(at, 0, more);
    }
    if ((written->author[i].bits.data[byte] & bit) != 0)
        return false;
    written->author[i].bits.data[byte] |= bit;
    return true;
}

static void written_free(struct written *written)
{
    for (size_t i = 0; i < written->count; i++)
        buffer_free(&written->author[i].bits);
}

struct reading {
    struct daemon daemon;
    struct entry_writer writer;
    struct written written;
    const char *line, *from;
    uint64_t last;         /* of --last; 0 without */
    const json_t *members; /* the line's, when reading began; borrowed */
    bool follow, begun;
};

static enum exit_code write_pages(struct reading *reading, struct error *error)
{
    struct pages pages = {.daemon = &reading->daemon, .line = reading->line, .from = reading->from};
    enum exit_code exit = EXIT_DONE;
    json_t *entries = NULL;

    while ((entries = pages_next(&pages, &exit, error)) != NULL) {
        for (size_t i = 0; i < json_array_size(entries); i++)
            if (!reading->follow || note_written(&reading->written, json_array_get(entries, i)))
                entry_writer_put(&reading->writer, json_array_get(entries, i));
        json_decref(entries);
    }
    entry_writer_flush(&reading->writer);
    pages_free(&pages);
    return exit;
}

/* Whether an entry was in the record when reading began, and so shown or left out then. */
static bool is_of_before(const struct reading *reading, const json_t *entry)
{
    const char *author = json_string_value(json_object_get(entry, "author"));

    for (size_t i = 0; author != NULL && i < json_array_size(reading->members); i++) {
        const json_t *member = json_array_get(reading->members, i);
        const char *party = json_string_value(json_object_get(member, "party"));

        if (party != NULL && strcmp(party, author) == 0)
            return json_integer_value(json_object_get(entry, "number")) <
                   json_integer_value(json_object_get(member, "size"));
    }
    return false;
}

/* Takes from a page that goes backwards what is to be written: at the beginning, until that is enough; later, what has
 * come since. False if nothing before it is needed. */
static bool take_last(struct reading *reading, const json_t *page, json_t *taken, uint64_t *people)
{
    bool more = !reading->begun;

    for (size_t i = 0; i < json_array_size(page); i++) {
        json_t *entry = json_array_get(page, i);

        if (!reading->begun && *people == reading->last)
            return false;
        if (reading->begun && is_of_before(reading, entry))
            continue;
        more = true;
        *people += !show_is_service(entry);
        (void)json_array_append(taken, entry);
    }
    return more;
}

/* The end of the line, and after the beginning all that has come since. */
static enum exit_code write_last(struct reading *reading, struct error *error)
{
    struct pages pages = {.daemon = &reading->daemon, .line = reading->line, .falling = true};
    enum exit_code exit = EXIT_DONE;
    json_t *taken = json_array();
    json_t *page = NULL;
    uint64_t people = 0;
    bool more = true;

    while (more && (page = pages_next(&pages, &exit, error)) != NULL) {
        more = take_last(reading, page, taken, &people);
        json_decref(page);
    }
    for (size_t i = json_array_size(taken); i-- > 0;)
        if (note_written(&reading->written, json_array_get(taken, i)))
            entry_writer_put(&reading->writer, json_array_get(taken, i));
    entry_writer_flush(&reading->writer);
    reading->begun = true;
    json_decref(taken);
    pages_free(&pages);
    return exit;
}

static enum exit_code write_record(struct reading *reading, struct error *error)
{
    return reading->last > 0 ? write_last(reading, error) : write_pages(reading, error);
}

/* Handles one event; what was lost is fetched again. */
static enum exit_code write_event(struct reading *reading, const json_t *event, struct error *error)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    const json_t *entry = json_object_get(event, "entry");

    if (kind != NULL && strcmp(kind, "lost") == 0)
        return write_record(reading, error);
    if (kind == NULL || strcmp(kind, "entry") != 0 || !note_written(&reading->written, entry))
        return EXIT_DONE;
    entry_writer_put(&reading->writer, entry);
    entry_writer_flush(&reading->writer);
    return EXIT_DONE;
}

/* Until interrupted, or nobody reads any more. */
static enum exit_code write_events(struct reading *reading, struct error *error)
{
    enum exit_code exit = EXIT_DONE;
    int result = 0;

    while (exit == EXIT_DONE && fflush(stdout) == 0) {
        json_t *event = NULL;

        reading->daemon.deadline_us = UINT64_MAX;
        result = daemon_event(&reading->daemon, &event, error);
        if (result <= 0)
            return result == 0 ? EXIT_DONE : EXIT_NO_DAEMON;
        exit = write_event(reading, event, error);
        json_decref(event);
    }
    return exit;
}

/* From now on an interrupt makes a descriptor readable; -1 if it cannot be had. */
static int catch_interrupts(void)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

static enum exit_code read_line(struct reading *reading, const struct cli *cli, struct error *error)
{
    enum exit_code exit = daemon_open(&reading->daemon, cli, error);
    json_t *status = NULL;
    json_t *parties = NULL;
    json_t *result = NULL;
    const json_t *line = NULL;
    int interrupt = -1;

    if (exit == EXIT_DONE)
        status = daemon_call(&reading->daemon, "status", json_object(), &exit, error);
    line = status_line(status, reading->line);
    parties = status_parties(line);
    reading->writer.show.parties = parties;
    reading->writer.show.me = json_string_value(json_object_get(status, "office"));
    if (exit == EXIT_DONE && reading->follow) {
        interrupt = reading->daemon.interrupt = catch_interrupts();
        result = daemon_call(&reading->daemon, "subscribe", json_pack("{s:s}", "line", reading->line), &exit, error);
    }
    if (exit == EXIT_DONE) {
        output_not_compared(cli, line);
        reading->members = json_object_get(line, "members");
        exit = write_record(reading, error);
    }
    if (exit == EXIT_DONE && reading->follow)
        exit = write_events(reading, error);
    if (interrupt >= 0)
        (void)close(interrupt);
    json_decref(result);
    json_decref(parties);
    json_decref(status);
    return exit;
}

enum exit_code command_read(struct cli *cli, int argc, char **argv)
{
    const char *last = NULL;
    struct reading reading = {.writer = {.stream = stdout, .escaped = isatty(STDOUT_FILENO) != 0}};
    const struct argument options[] = {
        {"from", 0, ARGUMENT_TEXT, &reading.from},
        {"last", 0, ARGUMENT_TEXT, &last},
        {"follow", 'f', ARGUMENT_FLAG, &reading.follow},
        {"all", 'a', ARGUMENT_FLAG, &reading.writer.all},
        {0},
    };
    struct error error = {0};
    enum exit_code exit = EXIT_DONE;

    if (!arguments_read(cli, argc, argv, &usage, options))
        return cli->exit;
    if (reading.from != NULL && !entry_name_is_valid(reading.from))
        return output_usage(cli, usage.command, "\"%s\" is not of the form A/N, like washington/17", reading.from);
    if (last != NULL && (!text_to_number(span_of_string(last), LAST_MAX, &reading.last) || reading.last == 0))
        return output_usage(cli, usage.command, "--last is a number from 1 to %d, not \"%s\"", LAST_MAX, last);
    if (last != NULL && reading.from != NULL)
        return output_usage(cli, usage.command, "where to begin is given twice: with --from and with --last");
    reading.line = cli->operand[0];
    reading.writer.json = cli->json;
    exit = read_line(&reading, cli, &error);
    if (exit != EXIT_DONE)
        (void)output_error(cli, exit, &error);
    entry_writer_free(&reading.writer);
    written_free(&reading.written);
    daemon_close(&reading.daemon);
    return exit;
}
