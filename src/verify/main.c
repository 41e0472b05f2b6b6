/*
 * liaison-verify: what a third party runs who trusts neither side. It reads a proof and a policy, asks
 * src/record whether the one holds under the other, and says so in a sentence. It opens no socket, holds no
 * key and changes no file.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "record/proof.h"
#include "seal/secret.h"

enum { EXIT_PROVED = 0, EXIT_NOT_PROVED = 1, EXIT_USAGE = 2 };

static const char help[] =
    "usage: liaison-verify PROOF --policy POLICY [--json]\n"
    "\n"
    "Says who wrote the entry in the file PROOF, at which number of its log, and who held it when, if all of\n"
    "that is proved under the file POLICY; else says what is wrong.\n"
    "\n"
    "  -p, --policy FILE  whose logs and receipts count (C2SP tlog-policy); `liaison record policy LINE -o F` writes "
    "one\n"
    "  -j, --json         answer in JSON\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n"
    "\n"
    "exit status: 0 proved, 1 not proved, 2 wrong usage or a file that cannot be read\n";

struct options {
    const char *proof;
    const char *policy;
    bool json;
    bool done; /* help or the version was all that was asked for */
};

/* Names in the files are their writer's; nothing of them reaches the terminal unfiltered. */
static void put_shown_string(struct buffer *out, const char *text)
{
    text_put_shown(out, span_of_string(text), false);
}

static json_t *json_shown(const char *text)
{
    struct buffer shown = {0};
    json_t *string = NULL;

    put_shown_string(&shown, text);
    string = json_string(buffer_string(&shown));
    buffer_free(&shown);
    return string;
}

static json_t *json_hash(const uint8_t hash[static HASH_SIZE])
{
    struct buffer hex = {0};
    json_t *string = NULL;

    text_put_hex(&hex, span_of(hash, HASH_SIZE));
    string = json_string(buffer_string(&hex));
    buffer_free(&hex);
    return string;
}

static int write_json(FILE *stream, json_t *object)
{
    int result = object != NULL ? json_dumpf(object, stream, JSON_PRESERVE_ORDER) : -1;

    json_decref(object);
    return result == 0 && fputc('\n', stream) != EOF && fflush(stream) == 0 ? 0 : -1;
}

static void complain(const struct error *error, bool json)
{
    struct buffer shown = {0};

    if (json) {
        (void)write_json(stderr, json_pack("{s:{s:s,s:o*}}", "error", "code", error_code_name(error->code), "message",
                                           json_shown(error->message)));
        return;
    }
    put_shown_string(&shown, error->message);
    (void)fprintf(stderr, "liaison-verify: %s\n", buffer_string(&shown));
    buffer_free(&shown);
}

/* At most one byte more than `max`, so that whoever parses it sees that it is too long. */
static int read_file(const char *path, size_t max, struct buffer *content, struct error *error)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *to = NULL;
    size_t size = 0;
    int result = -1;

    if (file == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "cannot open %.200s: %s", path, strerror(errno));
        goto out;
    }
    to = buffer_extend(content, max + 1);
    if (to == NULL) {
        (void)error_set(error, ERROR_SYSTEM, "there is no memory left");
        goto out;
    }
    size = fread(to, 1, max + 1, file);
    if (ferror(file)) {
        (void)error_set(error, ERROR_SYSTEM, "cannot read %.200s: %s", path, strerror(errno));
        goto out;
    }
    content->size = size;
    result = 0;
out:
    if (file != NULL)
        (void)fclose(file);
    return result;
}

static const char *author_name(const struct verdict *verdict)
{
    return verdict->log->party[0] != 0 ? verdict->log->party : verdict->log->name;
}

/* A verifier knows no charter: it takes the entry for one of the widest line, by an author whom no header names. */
static const char *what_it_is(const struct proof *proof)
{
    struct entry entry = {0};

    if (entry_parse(&entry, buffer_span(&proof->extra), MEMBERS_MAX, MEMBERS_MAX, NULL) != 0)
        return "what it says is in no form that this program knows";
    if (entry.header.class == ENTRY_SEALED)
        return "the text itself is sealed and not shown";
    return "it is a machine's entry and holds no text";
}

static int print_sentence(const struct proof *proof, const struct verdict *verdict)
{
    struct buffer text = {0};
    int result = 0;

    put_shown_string(&text, author_name(verdict));
    buffer_print(&text, " wrote this as number %llu of its log, and ", (unsigned long long)proof->index);
    if (verdict->holder_count == 0)
        buffer_print(&text, "nobody else is shown to have held it");
    for (size_t i = 0; i < verdict->holder_count; i++) {
        char at[RFC3339_SIZE];

        time_rfc3339(at, verdict->holder[i].time);
        if (i > 0)
            buffer_print(&text, i + 1 < verdict->holder_count ? ", " : " and ");
        put_shown_string(&text, verdict->holder[i].witness->party);
        buffer_print(&text, " held it at %s", at);
    }
    buffer_print(&text, "%s; ",
                 verdict->holder_count > 1    ? ", each by its own clock"
                 : verdict->holder_count == 1 ? ", by its own clock"
                                              : "");
    buffer_print(&text, "%s.\nleaf ", what_it_is(proof));
    text_put_hex(&text, span_of(verdict->leaf, HASH_SIZE));
    buffer_put_u8(&text, '\n');
    if (buffer_failed(&text) || fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout) != 0)
        result = -1;
    buffer_free(&text);
    return result;
}

static int print_json(const struct proof *proof, const struct verdict *verdict)
{
    json_t *held = json_array();

    for (size_t i = 0; i < verdict->holder_count; i++) {
        char at[RFC3339_SIZE];

        time_rfc3339(at, verdict->holder[i].time);
        (void)json_array_append_new(
            held, json_pack("{s:o,s:s}", "by", json_shown(verdict->holder[i].witness->party), "at", at));
    }
    return write_json(stdout, json_pack("{s:b,s:o,s:I,s:o,s:I,s:o,s:o}", "proved", 1, "author",
                                        json_shown(author_name(verdict)), "number", (json_int_t)proof->index, "leaf",
                                        json_hash(verdict->leaf), "size", (json_int_t)proof->size, "root",
                                        json_hash(proof->root), "held", held));
}

/* Names the file that is wrong, and says what that means. */
static int blame(const char *file, const struct error *cause, const char *remedy, struct error *error)
{
    if (cause->code == ERROR_SYSTEM)
        return error_set(error, cause->code, "%s", cause->message);
    return error_set(error, cause->code, "%.100s: %s. Nothing is proved; %s", file, cause->message, remedy);
}

static int check(const struct options *options, struct policy *policy, struct span policy_text, struct span proof_text,
                 struct proof *proof, struct verdict *verdict, struct error *error)
{
    struct error cause = {0};

    if (policy_parse(policy, policy_text, &cause) != 0)
        return blame(options->policy, &cause, "take the policy again from somebody you trust", error);
    if (proof_parse(proof, proof_text, &cause) != 0)
        return blame(options->proof, &cause, "ask for the proof again", error);
    if (proof_verify(verdict, proof, policy, &cause) != 0)
        return blame(options->proof, &cause, "ask for it again, with the policy of its line", error);
    return 0;
}

/* Policies are too large for the stack. */
static int verify(const struct options *options, struct policy *policy, struct error *error)
{
    struct buffer proof_text = {0};
    struct buffer policy_text = {0};
    struct proof proof = {0};
    struct verdict verdict = {0};
    int status = EXIT_USAGE;

    if (seal_init(error) != 0 || read_file(options->proof, PROOF_SIZE_MAX, &proof_text, error) != 0 ||
        read_file(options->policy, POLICY_SIZE_MAX, &policy_text, error) != 0)
        goto out;
    status = EXIT_NOT_PROVED;
    if (check(options, policy, buffer_span(&policy_text), buffer_span(&proof_text), &proof, &verdict, error) != 0)
        goto out;
    if ((options->json ? print_json : print_sentence)(&proof, &verdict) != 0) {
        (void)error_set(error, ERROR_SYSTEM, "the answer could not be written: %s", strerror(errno));
        status = EXIT_USAGE;
        goto out;
    }
    status = EXIT_PROVED;
out:
    proof_free(&proof);
    buffer_free(&policy_text);
    buffer_free(&proof_text);
    return status;
}

static int say(const char *text, struct error *error)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
        return error_set(error, ERROR_SYSTEM, "the answer could not be written: %s", strerror(errno));
    return 0;
}

static int read_options(struct options *options, int argc, char **argv, struct error *error)
{
    static const struct option known[] = {{"policy", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {0}};
    int option = 0;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "p:jhV", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            options->policy = optarg;
            break;
        case 'j':
            options->json = true;
            break;
        case 'h':
            options->done = true;
            return say(help, error);
        case 'V':
            options->done = true;
            return say("liaison-verify " LIAISON_VERSION "\n", error);
        default:
            return error_set(error, ERROR_USAGE, "%.100s is no option that it knows, or lacks its value; see --help",
                             argv[optind - 1]);
        }
    }
    if (optind + 1 != argc)
        return error_set(error, ERROR_USAGE, "it takes one proof, and got %d; see --help", argc - optind);
    if (options->policy == NULL)
        return error_set(error, ERROR_USAGE, "it needs --policy FILE: without one nobody's word counts; see --help");
    options->proof = argv[optind];
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct error error = {0};
    struct policy *policy = NULL;
    int status = EXIT_USAGE;

    if (read_options(&options, argc, argv, &error) != 0)
        goto out;
    if (options.done)
        return EXIT_PROVED;
    policy = calloc(1, sizeof *policy);
    if (policy != NULL)
        status = verify(&options, policy, &error);
    else
        (void)error_set(&error, ERROR_SYSTEM, "there is no memory left");
out:
    free(policy);
    if (status != EXIT_PROVED)
        complain(&error, options.json);
    return status;
}
