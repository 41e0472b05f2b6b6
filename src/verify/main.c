/*
 * liaison-verify: what a third party runs who trusts neither side. It reads a proof, a disclosure or evidence, asks
 * src/record and src/desk whether it holds under a policy or for a line, and says so in a sentence. It opens no socket,
 * holds no key and changes no file.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "record/proof.h"
#include "seal/secret.h"
#include "verify/answer.h"
#include "verify/disclosure.h"
#include "verify/evidence.h"

enum exit_status { EXIT_PROVED = 0, EXIT_NOT_PROVED = 1, EXIT_USAGE = 2 };

static const char help[] =
    "usage: liaison-verify PROOF --policy POLICY [--json]\n"
    "       liaison-verify DISCLOSURE [--policy POLICY] [--line ID] [--json]\n"
    "       liaison-verify EVIDENCE [--policy POLICY] [--line ID] [--json]\n"
    "\n"
    "Says who wrote the entry in the file PROOF, at which number of its log, and who held it when, if all of\n"
    "that is proved under the file POLICY; of a DISCLOSURE, what the entry says as well, and of each if the file\n"
    "holds several; of EVIDENCE, who signed two histories of one log. Else it says what is wrong.\n"
    "\n"
    "  -p, --policy FILE  whose logs and receipts count (C2SP tlog-policy); `liaison record policy LINE -o F` writes "
    "one\n"
    "  -l, --line ID      the line that it must be of: 64 hexadecimal digits, `id` in `liaison status --json`.\n"
    "                     Disclosures and evidence bring the line's keys; the ID says which keys these must be\n"
    "  -j, --json         answer in JSON\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n"
    "\n"
    "Take the policy or the ID from somebody other than the one who shows the proof.\n"
    "\n"
    "exit status: 0 proved, 1 not proved, 2 wrong usage or a file that cannot be read\n";

struct options {
    const char *file;
    const char *policy;
    bool has_line;
    uint8_t line_id[HASH_SIZE];
    bool json;
    bool done; /* help or the version was all that was asked for */
};

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
    result = write_text(stdout, &text);
    buffer_free(&text);
    return result;
}

static int print_json(const struct proof *proof, const struct verdict *verdict)
{
    return write_json(stdout, json_pack("{s:b,s:o,s:I,s:o,s:I,s:o,s:o}", "proved", 1, "author",
                                        json_shown(author_name(verdict)), "number", (json_int_t)proof->index, "leaf",
                                        json_hash(verdict->leaf), "size", (json_int_t)proof->size, "root",
                                        json_hash(proof->root), "held", json_held(verdict)));
}

/* Names the file that is wrong, and says what that means. */
static int blame(const char *file, const struct error *cause, const char *remedy, struct error *error)
{
    if (cause->code == ERROR_SYSTEM)
        return error_set(error, cause->code, "%s", cause->message);
    return error_set(error, cause->code, "%.100s: %s. Nothing is proved; %s", file, cause->message, remedy);
}

static int unwritten(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "the answer could not be written: %s", strerror(errno));
}

static enum exit_status verify_proof(const struct options *options, const struct policy *policy, struct span text,
                                     struct error *error)
{
    struct proof proof = {0};
    struct verdict verdict = {0};
    struct error cause = {0};
    enum exit_status status = EXIT_NOT_PROVED;

    if (proof_parse(&proof, text, &cause) != 0)
        (void)blame(options->file, &cause, "ask for the proof again", error);
    else if (proof_verify(&verdict, &proof, policy, &cause) != 0)
        (void)blame(options->file, &cause, "ask for it again, with the policy of its line", error);
    else if ((options->json ? print_json : print_sentence)(&proof, &verdict) != 0)
        status = unwritten(error) == 0 ? EXIT_PROVED : EXIT_USAGE;
    else
        status = EXIT_PROVED;
    proof_free(&proof);
    return status;
}

/* What brings its line's keys. */
typedef int checker(struct buffer *answer, struct span file, const struct trusted *trusted, bool json,
                    struct error *error);

static enum exit_status verify_with(checker *check, const char *remedy, const struct options *options,
                                    const struct policy *policy, struct span text, struct error *error)
{
    struct trusted trusted = {.policy = options->policy != NULL ? policy : NULL,
                              .line_id = options->has_line ? options->line_id : NULL};
    struct buffer answer = {0};
    struct error cause = {0};
    enum exit_status status = EXIT_NOT_PROVED;

    if (check(&answer, text, &trusted, options->json, &cause) != 0)
        (void)blame(options->file, &cause, remedy, error);
    else if (write_text(stdout, &answer) != 0)
        status = unwritten(error) == 0 ? EXIT_PROVED : EXIT_USAGE;
    else
        status = EXIT_PROVED;
    buffer_free(&answer);
    return status;
}

/* A line's id alone does not do for a proof, which brings no keys. */
static enum exit_status verify_file(const struct options *options, const struct policy *policy, struct span text,
                                    struct error *error)
{
    if (disclosure_is_one(text))
        return verify_with(disclosures_check, "ask for the disclosure again", options, policy, text, error);
    if (evidence_is_one(text))
        return verify_with(evidence_answer, "this is evidence against nobody", options, policy, text, error);
    if (options->policy == NULL || options->has_line) {
        (void)error_set(
            error, ERROR_USAGE,
            "--line is for disclosures and evidence, and %.100s is neither: it needs --policy FILE alone; see --help",
            options->file);
        return EXIT_USAGE;
    }
    return verify_proof(options, policy, text, error);
}

/* Policies are too large for the stack. */
static enum exit_status verify(const struct options *options, struct policy *policy, struct error *error)
{
    struct buffer text = {0};
    struct buffer policy_text = {0};
    struct error cause = {0};
    enum exit_status status = EXIT_USAGE;

    if (seal_init(error) != 0 || read_file(options->file, DISCLOSURE_FILE_MAX, &text, error) != 0 ||
        (options->policy != NULL && read_file(options->policy, POLICY_SIZE_MAX, &policy_text, error) != 0))
        goto out;
    status = EXIT_NOT_PROVED;
    if (options->policy != NULL && policy_parse(policy, buffer_span(&policy_text), &cause) != 0)
        (void)blame(options->policy, &cause, "take the policy again from somebody you trust", error);
    else
        status = verify_file(options, policy, buffer_span(&text), error);
out:
    buffer_free(&policy_text);
    buffer_free(&text);
    return status;
}

static int say(const char *text, struct error *error)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
        return unwritten(error);
    return 0;
}

static int read_options(struct options *options, int argc, char **argv, struct error *error)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'}, {"line", required_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},      {0}};
    int option = 0;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "p:l:jhV", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            options->policy = optarg;
            break;
        case 'l':
            options->has_line = true;
            if (!text_from_hex(span_of_string(optarg), options->line_id, HASH_SIZE))
                return error_set(error, ERROR_USAGE, "--line is 64 hexadecimal digits; see --help");
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
        return error_set(error, ERROR_USAGE, "it takes one file, and got %d; see --help", argc - optind);
    if (options->policy == NULL && !options->has_line)
        return error_set(error, ERROR_USAGE,
                         "it needs --policy FILE, or for disclosures and evidence --line ID: without one nobody's word "
                         "counts; see --help");
    options->file = argv[optind];
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct error error = {0};
    struct policy *policy = NULL;
    enum exit_status status = EXIT_USAGE;

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
    return (int)status;
}
