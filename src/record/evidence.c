#include "record/evidence.h"

#include <stdlib.h>

#define FIRST_LINE "liaison-evidence/v1\n"

static const char closing[] =
    "What follows is for liaison-verify, which checks all of the above: the path between the two heads, the heads as\n"
    "their author signed them, and the charter of the line.\n";

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "there is no memory left");
}

/* --- what it says --------------------------------------------------------------------------------------------------
 */

static void put_history(struct buffer *words, const struct head *head)
{
    buffer_print(words, "of %llu %s with root ", (unsigned long long)head->size, head->size == 1 ? "entry" : "entries");
    text_put_hex(words, span_of(head->root, HASH_SIZE));
}

static int put_words(struct evidence *evidence, struct error *error)
{
    struct buffer *words = &evidence->words;

    buffer_print(words, "%s signed two histories of its log on the line %s:\n",
                 evidence->charter.members[evidence->author].name, evidence->charter.name);
    put_history(words, &evidence->head[0]);
    buffer_print(words, ", and\n");
    put_history(words, &evidence->head[1]);
    buffer_print(words, "; both cannot be true.\nThe line is ");
    text_put_hex(words, span_of(evidence->charter.line_id, HASH_SIZE));
    buffer_print(words, ".\n");
    return buffer_failed(words) ? no_memory(error) : 0;
}

/* Below 0 if they stand in their order, 0 if they say the same. */
static int compare(const struct head *one, const struct head *other)
{
    if (one->size != other->size)
        return one->size < other->size ? -1 : 1;
    return memcmp(one->root, other->root, HASH_SIZE);
}

/* --- whether it is true --------------------------------------------------------------------------------------------
 */

static int check_signatures(const struct evidence *evidence, struct error *error)
{
    char origin[ORIGIN_SIZE];

    charter_origin(&evidence->charter, evidence->author, 0, origin);
    for (int i = 0; i < 2; i++)
        if (!head_verify(&evidence->head[i], origin, evidence->charter.members[evidence->author].log_key))
            return error_set(error, ERROR_MISMATCH, "the signature on the %s head is not its author's",
                             i == 0 ? "first" : "second");
    return 0;
}

static int check_histories(const struct evidence *evidence, struct error *error)
{
    const struct head *first = &evidence->head[0], *second = &evidence->head[1];

    if (first->size == second->size) {
        if (memcmp(first->root, second->root, HASH_SIZE) == 0)
            return error_set(error, ERROR_MISMATCH, "both heads say the same: that is one history");
        return 0;
    }
    if (!tree_verify_consistency(first->size, evidence->root, second->size, second->root, &evidence->path))
        return error_set(error, ERROR_MISMATCH, "the path does not lead to the second head");
    if (memcmp(first->root, evidence->root, HASH_SIZE) == 0)
        return error_set(error, ERROR_MISMATCH, "the first head is a beginning of the second: that is one history");
    return 0;
}

static int examine(struct evidence *evidence, struct error *error)
{
    if (check_signatures(evidence, error) != 0 || check_histories(evidence, error) != 0)
        return -1;
    return put_words(evidence, error);
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

/* What people are shown, with the blank line after it; it goes on to the closing words. */
static struct span read_words(struct cursor *input)
{
    const uint8_t *end = memmem(input->at, input->left, closing, sizeof closing - 1);

    return end == NULL ? span_of(NULL, 0) : cursor_span(input, (size_t)(end - input->at));
}

static int read_path(struct evidence *evidence, struct cursor *input, struct error *error)
{
    size_t count = 0;

    if (!cursor_skip_text(input, "path\n"))
        return error_set(error, ERROR_INVALID, "after what people read there is no line \"path\"");
    for (;; count++) {
        struct span line = cursor_line(input);
        uint8_t *to = evidence->root;

        if (input->failed)
            return error_set(error, ERROR_INVALID, "it ends within its path");
        if (line.size == 0)
            break;
        if (count > TREE_PROOF_MAX)
            return error_set(error, ERROR_INVALID, "its path has more than %d hashes", TREE_PROOF_MAX + 1);
        if (count > 0)
            to = evidence->path.hash[count - 1];
        if (!text_from_base64_exactly(line, to, HASH_SIZE))
            return error_set(error, ERROR_INVALID, "hash %zu of its path is not 32 bytes of base64", count + 1);
    }
    evidence->path.count = count > 0 ? count - 1 : 0;
    return (int)count;
}

/* The head as a note that its author alone has signed. Whose log it is of stands in `origin`. */
static bool read_head(struct head *head, struct span *origin, uint32_t *key_id, struct cursor *input)
{
    struct span size = {0}, root = {0};
    struct cursor line = {0}, blob = {0};
    uint8_t bytes[4 + SIGNATURE_SIZE];

    *origin = cursor_line(input);
    size = cursor_line(input);
    root = cursor_line(input);
    if (!text_to_number(size, TREE_SIZE_MAX, &head->size) || head->size == 0 ||
        !text_from_base64_exactly(root, head->root, HASH_SIZE) || cursor_line(input).size != 0)
        return false;
    line = cursor_of(cursor_line(input));
    if (!cursor_skip_text(&line, "\u2014 ") || !span_equal(cursor_span(&line, origin->size), *origin) ||
        !cursor_skip_text(&line, " ") || !text_from_base64_exactly(cursor_rest(&line), bytes, sizeof bytes))
        return false;
    blob = cursor_of(span_of(bytes, sizeof bytes));
    *key_id = cursor_u32(&blob);
    cursor_copy(&blob, head->signature, SIGNATURE_SIZE);
    return cursor_line(input).size == 0 && !input->failed;
}

static int find_author(struct evidence *evidence, struct span origin, struct error *error)
{
    for (unsigned i = 0; i < evidence->charter.member_count; i++) {
        char name[ORIGIN_SIZE];

        charter_origin(&evidence->charter, i, 0, name);
        evidence->author = i;
        if (span_equal(origin, span_of_string(name)))
            return 0;
    }
    return error_set(error, ERROR_MISMATCH, "the heads are of no log of the line whose charter it holds");
}

/* The path, the heads, and the charter that says whose they are. */
static int read_parts(struct evidence *evidence, struct cursor *input, struct error *error)
{
    struct span origin[2] = {0};
    uint32_t key_id[2] = {0};
    int hashes = read_path(evidence, input, error);
    struct span charter = {0};

    if (hashes < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (!read_head(&evidence->head[i], &origin[i], &key_id[i], input))
            return error_set(error, ERROR_INVALID, "its %s head is not well-formed", i == 0 ? "first" : "second");
    charter = cursor_rest(input);
    if (charter.size == 0 || charter.data[charter.size - 1] != '\n')
        return error_set(error, ERROR_INVALID, "it ends before the blank line after its charter");
    charter.size--;
    if (charter_parse(&evidence->charter, charter, error) != 0)
        return -1;
    if (!span_equal(origin[0], origin[1]))
        return error_set(error, ERROR_MISMATCH, "the two heads are of two logs");
    if (find_author(evidence, origin[0], error) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (key_id[i] != note_key_id(origin[i], NOTE_ED25519, evidence->charter.members[evidence->author].log_key))
            return error_set(error, ERROR_MISMATCH, "the signature on the %s head is by another key",
                             i == 0 ? "first" : "second");
    if (compare(&evidence->head[0], &evidence->head[1]) > 0)
        return error_set(error, ERROR_INVALID, "the two heads do not stand in their order");
    if ((hashes == 0) != (evidence->head[0].size == evidence->head[1].size))
        return error_set(error, ERROR_INVALID, "it has a path, and none is due, or none, and one is");
    return 0;
}

bool evidence_is_one(struct span text)
{
    struct cursor cursor = cursor_of(text);

    return cursor_skip_text(&cursor, "liaison-evidence/v");
}

int evidence_read(struct evidence *evidence, struct span file, struct error *error)
{
    struct cursor input = cursor_of(file);
    struct span words = {0};

    memset(evidence, 0, sizeof *evidence);
    if (!cursor_skip_text(&input, FIRST_LINE))
        return evidence_is_one(file) ? error_set(error, ERROR_VERSION, "this evidence is of another version than 1")
                                     : error_set(error, ERROR_INVALID,
                                                 "this is no evidence: its first line is not \"liaison-evidence/v1\"");
    if (file.size > EVIDENCE_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "it is longer than %d bytes", EVIDENCE_SIZE_MAX);
    if (!cursor_skip_text(&input, "\n"))
        return error_set(error, ERROR_INVALID, "after the first line there is no blank line");
    words = read_words(&input);
    if (!cursor_skip_text(&input, closing) || !cursor_skip_text(&input, "\n"))
        return error_set(error, ERROR_INVALID, "the words that end what people read are not there");
    if (read_parts(evidence, &input, error) != 0 || examine(evidence, error) != 0)
        return -1;
    buffer_put_u8(&evidence->words, '\n');
    if (buffer_failed(&evidence->words))
        return no_memory(error);
    if (!span_equal(words, buffer_span(&evidence->words)))
        return error_set(error, ERROR_MISMATCH, "what people read in it is not what the two heads say");
    evidence->words.size--;
    return 0;
}

int evidence_check_policy(const struct evidence *evidence, const struct policy *policy, struct error *error)
{
    const struct card *card = &evidence->charter.members[evidence->author];
    char origin[ORIGIN_SIZE];

    charter_origin(&evidence->charter, evidence->author, 0, origin);
    for (size_t i = 0; i < policy->log_count; i++) {
        const struct policy_key *log = &policy->log[i];

        if (strcmp(log->name, origin) != 0 || memcmp(log->key, card->log_key, SIGN_PUBLIC_SIZE) != 0)
            continue;
        if (log->party[0] != 0 && strcmp(log->party, card->name) != 0)
            return error_set(error, ERROR_MISMATCH, "the policy calls its author %.70s, and the line's charter %s",
                             log->party, card->name);
        return 0;
    }
    return error_set(error, ERROR_MISMATCH, "its log is no log of the policy");
}

int evidence_check_line(const struct evidence *evidence, const uint8_t line_id[static HASH_SIZE], struct error *error)
{
    if (memcmp(evidence->charter.line_id, line_id, HASH_SIZE) != 0)
        return error_set(error, ERROR_MISMATCH, "it is of another line than the one asked for");
    return 0;
}

void evidence_free(struct evidence *evidence)
{
    if (evidence != NULL)
        buffer_free(&evidence->words);
}

/* --- writing -------------------------------------------------------------------------------------------------------
 */

static void put_hash(struct buffer *text, const uint8_t hash[static HASH_SIZE])
{
    text_put_base64(text, span_of(hash, HASH_SIZE));
    buffer_put_u8(text, '\n');
}

static void put_parts(struct buffer *text, const struct evidence *evidence)
{
    buffer_print(text, "path\n");
    if (evidence->head[0].size < evidence->head[1].size)
        put_hash(text, evidence->root);
    for (size_t i = 0; i < evidence->path.count; i++)
        put_hash(text, evidence->path.hash[i]);
    for (int i = 0; i < 2; i++) {
        buffer_put_u8(text, '\n');
        head_note(text, &evidence->charter, evidence->author, 0, &evidence->head[i], NULL, 0);
    }
    buffer_put_u8(text, '\n');
    charter_print(&evidence->charter, text);
    buffer_put_u8(text, '\n');
}

int evidence_write(struct buffer *text, struct span charter, unsigned author, const struct head *one,
                   const struct head *other, const uint8_t *root, const struct tree_proof *path, struct error *error)
{
    struct evidence *evidence = calloc(1, sizeof *evidence);
    bool in_order = compare(one, other) <= 0;
    int result = -1;

    if (evidence == NULL)
        return no_memory(error);
    if (charter_parse(&evidence->charter, charter, error) != 0)
        goto out;
    if (author >= evidence->charter.member_count || one->size == 0 || other->size == 0 || one->size > TREE_SIZE_MAX ||
        other->size > TREE_SIZE_MAX) {
        (void)error_set(error, ERROR_INVALID, "no member of the line signs such heads");
        goto out;
    }
    evidence->author = author;
    evidence->head[0] = in_order ? *one : *other;
    evidence->head[1] = in_order ? *other : *one;
    if (one->size != other->size) {
        memcpy(evidence->root, root, HASH_SIZE);
        evidence->path = *path;
    }
    if (examine(evidence, error) != 0)
        goto out;
    buffer_print(text, "%s\n", FIRST_LINE);
    buffer_put_span(text, buffer_span(&evidence->words));
    buffer_print(text, "\n%s\n", closing);
    put_parts(text, evidence);
    result = buffer_failed(text) ? no_memory(error) : 0;
out:
    evidence_free(evidence);
    free(evidence);
    return result;
}
