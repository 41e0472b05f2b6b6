/*
 * Evidence: each line missing, twice, misplaced or cut; honest heads with whatever path; sizes that nobody has.
 */
#include "record/forked.h"

#include "specimen.h"

static struct test_line line_;
/* `text`: 13 entries of another history beside 23 */

static int feed_evidence(void *context, struct span input, struct error *error)
{
    static struct evidence evidence;
    int result = evidence_read(&evidence, input, error);

    (void)context;
    if (result == 0)
        result = evidence_check_line(&evidence, line_.charter.line_id, error);
    evidence_free(&evidence);
    return result;
}

static const struct interface evidence_in = {"evidence", feed_evidence, NULL, NULL};

/* All that may be said; which of them, the unit test says. */
#define ANY                                                                                                            \
    "this is no evidence|of another version|no blank line|the words that end|no line \"path\"|within its path|"        \
    "of its path|its path has more|head is not well-formed|ends before|charter|card|of two logs|of no log|by another " \
    "key|their order|it has a path|not its author's|one history|does not lead|what people read|longer than|line "

static void bad_one(struct span input, const char *what, size_t number)
{
    specimen_bad(&evidence_in, ANY, input, what, number);
}

static void lines_of_it(void)
{
    static const char *const strange[] = {" ", "\r", "\xff", "\u202e", "\x1b[2J", "=", "A"};
    struct cursor cursor = cursor_of(buffer_span(&text));
    struct buffer out = {0};

    family_begin("the lines of evidence");
    good(&evidence_in, buffer_span(&text), "the specimen");
    for (unsigned number = 1; cursor.left > 0; number++) {
        size_t at = text.size - cursor.left, end = at + cursor_line(&cursor).size + 1;

        changed(at, end, span_of(NULL, 0), &out);
        bad_one(buffer_span(&out), "evidence, missing: line", number);
        changed(at, at, span_of(text.data + at, end - at), &out);
        bad_one(buffer_span(&out), "evidence, twice: line", number);
        changed(at, at, span_of("\n", 1), &out);
        bad_one(buffer_span(&out), "evidence, an empty line before line", number);
        changed(end - 1, end, span_of(NULL, 0), &out);
        bad_one(buffer_span(&out), "evidence, joined to the next: line", number);
        changed(end - 1, end - 1, span_of("\0", 1), &out);
        bad_one(buffer_span(&out), "evidence, a zero byte behind line", number);
        for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
            char what[64];

            changed(end - 1, end - 1, span_of_string(strange[i]), &out);
            (void)snprintf(what, sizeof what, "evidence, strange bytes (%zu) behind line", i + 1);
            bad_one(buffer_span(&out), what, number);
        }
        if (end - at == 1)
            continue;
        changed(at, end - 1, span_of_string("x"), &out);
        bad_one(buffer_span(&out), "evidence, is another: line", number);
    }
    family_end();
    buffer_free(&out);
}

/* Two heads with the lines of a path between them, whether they are evidence or not. */
static void compose(const struct head *first, const struct head *second, const uint8_t *root,
                    const struct tree_proof *path, struct buffer *out)
{
    size_t closing = place_of("\nWhat follows"), path_at = place_of("\npath\n") + 6;
    size_t charter = place_of("liaison-charter/v1\n");

    buffer_reset(out);
    buffer_print(out, "liaison-evidence/v1\n\n%s signed two histories of its log on the line %s:\n",
                 line_.charter.members[0].name, line_.charter.name);
    for (int i = 0; i < 2; i++) {
        const struct head *head = i == 0 ? first : second;

        buffer_print(out, "of %llu %s with root ", (unsigned long long)head->size,
                     head->size == 1 ? "entry" : "entries");
        text_put_hex(out, span_of(head->root, HASH_SIZE));
        buffer_print(out, i == 0 ? ", and\n" : "; both cannot be true.\nThe line is ");
    }
    text_put_hex(out, span_of(line_.charter.line_id, HASH_SIZE));
    buffer_print(out, ".\n");
    buffer_put(out, text.data + closing, path_at - closing);
    for (size_t i = 0; root != NULL && i <= path->count; i++) {
        text_put_base64(out, span_of(i == 0 ? root : path->hash[i - 1], HASH_SIZE));
        buffer_put_u8(out, '\n');
    }
    buffer_put_u8(out, '\n');
    head_note(out, &line_.charter, 0, 0, first, NULL, 0);
    buffer_put_u8(out, '\n');
    head_note(out, &line_.charter, 0, 0, second, NULL, 0);
    buffer_put_u8(out, '\n');
    buffer_put_span(out, span_from(buffer_span(&text), charter));
}

/* Whoever has heads of an author who never signed but one history. */
static void honest_pairs(void)
{
    struct head small, large;
    uint8_t root[HASH_SIZE];
    struct tree_proof path;
    struct buffer out = {0};

    family_begin("honest heads in evidence");
    forked_head(&line_, 5, 13, &small);
    forked_head(&line_, FORKED_MAX, 23, &large);
    forked_path(FORKED_MAX, 13, 23, root, &path);
    compose(&small, &large, root, &path, &out);
    good(&evidence_in, buffer_span(&out), "the specimen composed");
    for (uint64_t size = 1; size < 23; size++) {
        forked_head(&line_, FORKED_MAX, size, &small);
        forked_path(FORKED_MAX, size, 23, root, &path);
        compose(&small, &large, root, &path, &out);
        bad(&evidence_in, buffer_span(&out), ERROR_MISMATCH, "that is one history", "an older head of %u",
            (unsigned)size);
        compose(&large, &small, root, &path, &out);
        bad(&evidence_in, buffer_span(&out), ERROR_INVALID, "their order", "an older head of %u as the second",
            (unsigned)size);
        compose(&small, &small, NULL, NULL, &out);
        bad(&evidence_in, buffer_span(&out), ERROR_MISMATCH, "both heads say the same", "a head of %u twice",
            (unsigned)size);
        compose(&small, &large, NULL, NULL, &out);
        bad(&evidence_in, buffer_span(&out), ERROR_INVALID, "it has a path", "an older head of %u without a path",
            (unsigned)size);
        for (uint64_t fork = 0; fork < size; fork += 3) {
            forked_path(fork, size, 23, root, &path);
            compose(&small, &large, root, &path, &out);
            bad(&evidence_in, buffer_span(&out), ERROR_MISMATCH, "does not lead",
                "an older head of %u with the path of a log that parts at %u", (unsigned)size, (unsigned)fork);
        }
        for (uint64_t other = 1; other < 23; other += 2) {
            forked_path(FORKED_MAX, other, 23, root, &path);
            compose(&small, &large, root, &path, &out);
            if (other != size)
                bad(&evidence_in, buffer_span(&out), ERROR_MISMATCH, "does not lead",
                    "an older head of %u with the path of %u", (unsigned)size, (unsigned)other);
        }
    }
    family_end();
    buffer_free(&out);
}

static void numbers(void)
{
    static const char *const sizes[] = {"0",    "013",           "-13", "+13",      "13 ",
                                        "0x0d", "1099511627777", "1e1", "thirteen", "18446744073709551629"};
    size_t at = place_of("\n13\n") + 1;
    struct buffer out = {0};

    family_begin("numbers in evidence");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        changed(at, at + 2, span_of_string(sizes[i]), &out);
        bad(&evidence_in, buffer_span(&out), ERROR_INVALID, "its first head is not well-formed", "of %s entries",
            sizes[i]);
    }
    for (unsigned count = 66; count < 70; count++) {
        buffer_reset(&out);
        buffer_put(&out, text.data, place_of("\npath\n") + 6);
        for (unsigned i = 0; i < count; i++)
            buffer_print(&out, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        buffer_put_span(&out, span_from(buffer_span(&text), place_of("\nliaison/1/")));
        bad(&evidence_in, buffer_span(&out), ERROR_INVALID, "more than 65 hashes", "a path of %u hashes", count);
    }
    family_end();
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    struct head small, large;
    uint8_t root[HASH_SIZE];
    struct tree_proof path;

    catalogue_begin(argc, argv);
    test_line_found(&line_, 2, "bad evidence");
    forked_head(&line_, 5, 13, &small);
    forked_head(&line_, FORKED_MAX, 23, &large);
    forked_path(FORKED_MAX, 13, 23, root, &path);
    if (evidence_write(&text, buffer_span(&line_.text), 0, &small, &large, root, &path, NULL) != 0)
        abort();
    lines_of_it();
    honest_pairs();
    numbers();
    buffer_free(&text);
    test_line_free(&line_);
    return catalogue_end();
}
