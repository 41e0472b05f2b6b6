#include "desk/disclosure.h"

#include <stdlib.h>

#include "base/time.h"

/* No line of what stands above it begins like this, so it ends that. */
static const char closing[] =
    "That it was held does not say that anybody read it. What follows is for liaison-verify, which checks all of the\n"
    "above: the key of this one entry, which opens no other, its proof, and the charter of the line.\n";

/* --- what people read -------------------------------------------------------------------------------------------- */

/* Each line of the author's text stands behind a bar, so that none can be taken for a line of ours. */
static void put_text(struct buffer *head, struct span text)
{
    const uint8_t *end = NULL;

    do {
        struct span line = text;

        end = text.size > 0 ? memchr(text.data, '\n', text.size) : NULL;
        if (end != NULL) {
            line.size = (size_t)(end - text.data);
            text = span_from(text, line.size + 1);
        }
        buffer_print(head, line.size > 0 ? "| " : "|");
        text_put_shown(head, line, false);
        buffer_put_u8(head, '\n');
    } while (end != NULL);
}

static void put_references(struct disclosure *disclosure, const char *before, const char *after)
{
    const struct entry_header *header = &disclosure->entry.header;

    for (unsigned i = 0; i < header->reference_count; i++)
        buffer_print(&disclosure->head, "%s%s/%llu%s", before,
                     disclosure->charter.members[header->references[i].member].name,
                     (unsigned long long)header->references[i].index, after);
}

static int put_unreadable(struct disclosure *disclosure, struct error *error)
{
    const struct body *body = &disclosure->body;

    for (unsigned i = 0; i < body->unreadable_count; i++) {
        if (body->unreadable[i].member >= disclosure->charter.member_count)
            return error_set(error, ERROR_INVALID, "the entry names a member that the line does not have");
        buffer_print(&disclosure->head, "| %s/%llu to %llu\n",
                     disclosure->charter.members[body->unreadable[i].member].name,
                     (unsigned long long)body->unreadable[i].first, (unsigned long long)body->unreadable[i].last);
    }
    return 0;
}

/* What the author says, behind bars. */
static int put_saying(struct disclosure *disclosure, struct error *error)
{
    struct buffer *head = &disclosure->head;

    switch (disclosure->body.kind) {
    case BODY_MESSAGE:
        buffer_print(head, ":\n\n");
        put_text(head, disclosure->body.text);
        return 0;
    case BODY_ACKNOWLEDGEMENT:
        buffer_print(head, ", that a person, the %s, has seen:\n\n", acknowledged_as_name(disclosure->body.as));
        put_references(disclosure, "| ", "\n");
        return 0;
    case BODY_UNREADABLE:
        buffer_print(head, ", that it holds and cannot open:\n\n");
        return put_unreadable(disclosure, error);
    default:
        return error_set(error, ERROR_INVALID, "what the entry says is in no form that this program knows");
    }
}

static int put_head(struct disclosure *disclosure, struct error *error)
{
    struct buffer *head = &disclosure->head;
    const struct body *body = &disclosure->body;
    char at[RFC3339_SIZE];

    buffer_print(head, "%s wrote, as entry %llu of its log on the line %s%s",
                 disclosure->charter.members[disclosure->author].name, (unsigned long long)disclosure->proof.index,
                 disclosure->charter.name, body->exercise ? ", in an EXERCISE and not as meant" : "");
    if (put_saying(disclosure, error) != 0)
        return -1;
    time_rfc3339(at, body->time);
    buffer_print(head, "\nWritten at %s by its author's clock. Precedence %s.", at,
                 precedence_name(disclosure->entry.header.precedence));
    if (body->kind == BODY_MESSAGE && body->language.size > 0) {
        buffer_print(head, " Language ");
        buffer_put_span(head, body->language);
        buffer_put_u8(head, '.');
    }
    buffer_put_u8(head, '\n');
    if (body->kind == BODY_MESSAGE)
        put_references(disclosure, "It answers ", ".\n");
    for (size_t i = 0; i < disclosure->verdict.holder_count; i++) {
        time_rfc3339(at, disclosure->verdict.holder[i].time);
        buffer_print(head, "%s signed at %s, by its own clock, that it held this entry.\n",
                     disclosure->verdict.holder[i].witness->party, at);
    }
    buffer_print(head, "The line is ");
    text_put_hex(head, span_of(disclosure->charter.line_id, HASH_SIZE));
    buffer_print(head, ".\n");
    return buffer_failed(head) ? error_set(error, ERROR_SYSTEM, "there is no memory left") : 0;
}

/* --- what proves it ---------------------------------------------------------------------------------------------- */

static int take_charter(struct disclosure *disclosure, struct span charter, struct error *error)
{
    struct buffer text = {0};
    int result = -1;

    if (charter_parse(&disclosure->charter, charter, error) != 0)
        return -1;
    policy_print(&text, &disclosure->charter);
    result = buffer_failed(&text) ? error_set(error, ERROR_SYSTEM, "there is no memory left")
                                  : policy_parse(&disclosure->policy, buffer_span(&text), error);
    buffer_free(&text);
    return result;
}

/* A signature by a stranger is refused here: nothing in a disclosure stands unchecked. */
static int take_proof(struct disclosure *disclosure, struct span text, struct error *error)
{
    struct policy *policy = &disclosure->policy;
    bool asked = policy->quorum_none;
    int result = proof_parse(&disclosure->proof, text, error);
    int author = -1;

    if (result != 0)
        return result;
    policy->quorum_none = true;
    result = proof_verify(&disclosure->verdict, &disclosure->proof, policy, error);
    policy->quorum_none = asked;
    if (result != 0)
        return result;
    if (disclosure->proof.signature_count != 1 + disclosure->verdict.holder_count)
        return error_set(error, ERROR_MISMATCH, "the proof has a signature that is neither its author's nor a receipt");
    author = charter_member(&disclosure->charter, span_of_string(disclosure->verdict.log->party));
    if (author < 0)
        return error_set(error, ERROR_MISMATCH, "the author is no member of the line");
    disclosure->author = (unsigned)author;
    return 0;
}

static int open_entry(struct disclosure *disclosure, const uint8_t key[static ENTRY_KEY_SIZE], struct error *error)
{
    struct entry *entry = &disclosure->entry;

    if (entry_parse(entry, buffer_span(&disclosure->proof.extra), disclosure->author, disclosure->charter.member_count,
                    error) != 0)
        return -1;
    if (entry->header.class != ENTRY_SEALED)
        return error_set(error, ERROR_INVALID, "the entry is a machine's and holds no sealed text");
    if (entry_open_disclosed(&disclosure->plain, entry, key, error) != 0)
        return -1;
    if (body_read(&disclosure->body, buffer_span(&disclosure->plain)) != 0)
        return error_set(error, ERROR_INVALID, "what the entry says is in no form that this program knows");
    return 0;
}

static int examine(struct disclosure *disclosure, struct span charter, struct span proof,
                   const uint8_t key[static ENTRY_KEY_SIZE], struct error *error)
{
    if (take_charter(disclosure, charter, error) != 0 || take_proof(disclosure, proof, error) != 0 ||
        open_entry(disclosure, key, error) != 0)
        return -1;
    return put_head(disclosure, error);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* The lines up to a blank one, which is consumed and not returned. */
static struct span read_paragraph(struct cursor *input)
{
    const uint8_t *start = input->at;
    struct span line = {0};

    do
        line = cursor_line(input);
    while (!input->failed && line.size > 0);
    return input->failed ? span_of(NULL, 0) : span_of(start, (size_t)(input->at - start) - 1);
}

/* A proof is three paragraphs: entry and path, the checkpoint, its signatures. */
static struct span read_proof(struct cursor *input)
{
    const uint8_t *start = input->at;

    for (int i = 0; i < 3; i++)
        (void)read_paragraph(input);
    return input->failed ? span_of(NULL, 0) : span_of(start, (size_t)(input->at - start) - 1);
}

static bool read_key(struct cursor *input, uint8_t key[static ENTRY_KEY_SIZE])
{
    struct cursor line = cursor_of(read_paragraph(input));

    return cursor_skip_text(&line, "key ") && text_from_base64_exactly(cursor_line(&line), key, ENTRY_KEY_SIZE) &&
           cursor_done(&line);
}

/* What people are shown, with the blank line after it; it goes on to the closing words. */
static struct span read_head(struct cursor *input)
{
    const uint8_t *end = memmem(input->at, input->left, closing, sizeof closing - 1);

    return end == NULL ? span_of(NULL, 0) : cursor_span(input, (size_t)(end - input->at));
}

bool disclosure_is_one(struct span text)
{
    struct cursor cursor = cursor_of(text);

    return cursor_skip_text(&cursor, "liaison-disclosure/v");
}

int disclosure_read(struct disclosure *disclosure, struct cursor *input, struct error *error)
{
    struct span head = {0}, proof = {0}, charter = {0};
    uint8_t key[ENTRY_KEY_SIZE];

    memset(disclosure, 0, sizeof *disclosure);
    if (!cursor_skip_text(input, DISCLOSURE_FIRST_LINE))
        return disclosure_is_one(span_of(input->at, input->left))
                   ? error_set(error, ERROR_VERSION, "this disclosure is of another version than 1")
                   : error_set(error, ERROR_INVALID,
                               "this is not a disclosure: its first line is not \"liaison-disclosure/v1\"");
    if (!cursor_skip_text(input, "\n"))
        return error_set(error, ERROR_INVALID, "after the first line there is no blank line");
    head = read_head(input);
    if (!cursor_skip_text(input, closing) || !cursor_skip_text(input, "\n"))
        return error_set(error, ERROR_INVALID, "the words that end what people read are not there");
    if (!read_key(input, key))
        return error_set(error, ERROR_INVALID, "after what people read there is no line \"key\" with 32 bytes");
    proof = read_proof(input);
    charter = read_paragraph(input);
    if (input->failed)
        return error_set(error, ERROR_INVALID, "the disclosure ends before the blank line after its charter");
    if (examine(disclosure, charter, proof, key, error) != 0)
        return -1;
    buffer_put_u8(&disclosure->head, '\n');
    if (buffer_failed(&disclosure->head))
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    if (!span_equal(head, buffer_span(&disclosure->head)))
        return error_set(error, ERROR_MISMATCH, "what people read in it is not what the entry and its receipts say");
    disclosure->head.size--;
    return 0;
}

int disclosure_check_policy(const struct disclosure *disclosure, const struct policy *policy, struct error *error)
{
    const char *name = disclosure->charter.members[disclosure->author].name;
    struct verdict verdict;

    if (proof_verify(&verdict, &disclosure->proof, policy, error) != 0)
        return -1;
    if (verdict.log->party[0] != 0 && strcmp(verdict.log->party, name) != 0)
        return error_set(error, ERROR_MISMATCH, "the policy calls its author %.70s, and the line's charter %s",
                         verdict.log->party, name);
    return 0;
}

int disclosure_check_line(const struct disclosure *disclosure, const uint8_t line_id[static HASH_SIZE],
                          struct error *error)
{
    struct verdict verdict;

    if (memcmp(disclosure->charter.line_id, line_id, HASH_SIZE) != 0)
        return error_set(error, ERROR_MISMATCH, "it is of another line than the one asked for");
    return proof_verify(&verdict, &disclosure->proof, &disclosure->policy, error);
}

void disclosure_free(struct disclosure *disclosure)
{
    if (disclosure == NULL)
        return;
    proof_free(&disclosure->proof);
    buffer_free(&disclosure->plain);
    buffer_free(&disclosure->head);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

int disclosure_write(struct buffer *text, struct span charter, struct span proof,
                     const uint8_t key[static ENTRY_KEY_SIZE], struct error *error)
{
    struct disclosure *disclosure = calloc(1, sizeof *disclosure);
    int result = -1;

    if (disclosure == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    if (examine(disclosure, charter, proof, key, error) != 0 ||
        disclosure_check_line(disclosure, disclosure->charter.line_id, error) != 0)
        goto out;
    buffer_print(text, "%s\n", DISCLOSURE_FIRST_LINE);
    buffer_put_span(text, buffer_span(&disclosure->head));
    buffer_print(text, "\n%s\nkey ", closing);
    text_put_base64(text, span_of(key, ENTRY_KEY_SIZE));
    buffer_print(text, "\n\n");
    buffer_put_span(text, proof);
    buffer_put_u8(text, '\n');
    buffer_put_span(text, charter);
    buffer_put_u8(text, '\n');
    result = buffer_failed(text) ? error_set(error, ERROR_SYSTEM, "there is no memory left") : 0;
out:
    disclosure_free(disclosure);
    free(disclosure);
    return result;
}
