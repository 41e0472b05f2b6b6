#include "record/proof.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1\n";

void proof_print(struct buffer *text, struct span entry, uint64_t index, const struct tree_proof *path,
                 struct span note)
{
    buffer_print(text, "%sextra ", first_line);
    text_put_base64(text, entry);
    buffer_print(text, "\nindex %llu\n", (unsigned long long)index);
    for (size_t i = 0; i < path->count; i++) {
        text_put_base64(text, span_of(path->hash[i], HASH_SIZE));
        buffer_put_u8(text, '\n');
    }
    buffer_put_u8(text, '\n');
    buffer_put_span(text, note);
}

static int read_path(struct proof *proof, struct cursor *cursor, struct error *error)
{
    for (;;) {
        struct span line = cursor_line(cursor);

        if (cursor->failed)
            return error_set(error, ERROR_INVALID, "the proof ends before its checkpoint");
        if (line.size == 0)
            return 0;
        if (proof->path.count == TREE_PROOF_MAX)
            return error_set(error, ERROR_INVALID, "the proof's path has more than %d hashes", TREE_PROOF_MAX);
        if (!text_from_base64_exactly(line, proof->path.hash[proof->path.count++], HASH_SIZE))
            return error_set(error, ERROR_INVALID, "hash %zu of the proof's path is not 32 bytes of base64",
                             proof->path.count);
    }
}

/* tlog-checkpoint: origin, size, root; further lines would be signed too, but we neither write nor know any. */
static int read_body(struct proof *proof, struct cursor *cursor, struct error *error)
{
    const uint8_t *start = cursor->at;
    struct span size = {0};
    struct span root = {0};

    proof->origin = cursor_line(cursor);
    size = cursor_line(cursor);
    root = cursor_line(cursor);
    if (cursor->failed || proof->origin.size == 0 || !text_to_number(size, INT64_MAX, &proof->size) ||
        !text_from_base64_exactly(root, proof->root, HASH_SIZE))
        return error_set(error, ERROR_INVALID, "the checkpoint in the proof is not origin, size and root");
    proof->body = span_of(start, (size_t)(cursor->at - start));
    if (cursor_line(cursor).size != 0 || cursor->failed)
        return error_set(error, ERROR_INVALID, "after the checkpoint's root there is no blank line");
    return 0;
}

/* "— NAME BASE64": key id and signature. Decoded bytes go to storage, whose memory is reserved beforehand so that it
 * does not move. */
static int read_signature(struct proof *proof, struct cursor *cursor, struct error *error)
{
    struct note_signature *signature = &proof->signature[proof->signature_count];
    struct cursor line = cursor_of(cursor_line(cursor));
    const uint8_t *space = NULL;
    size_t before = proof->storage.size;
    struct cursor blob = {0};

    if (cursor->failed || !cursor_skip_text(&line, "\u2014 ") || line.left == 0)
        goto refused;
    space = memchr(line.at, ' ', line.left);
    if (space == NULL || space == line.at)
        goto refused;
    signature->name = cursor_span(&line, (size_t)(space - line.at));
    (void)cursor_span(&line, 1);
    if (memchr(signature->name.data, '+', signature->name.size) != NULL ||
        !text_from_base64(cursor_rest(&line), &proof->storage))
        goto refused;
    blob = cursor_of(span_from(buffer_span(&proof->storage), before));
    signature->key_id = cursor_u32(&blob);
    signature->bytes = cursor_rest(&blob);
    if (blob.failed || signature->bytes.size == 0)
        goto refused;
    proof->signature_count++;
    return 0;
refused:
    return error_set(error, ERROR_INVALID, "signature line %zu of the checkpoint is not well-formed",
                     proof->signature_count + 1);
}

static bool is_note_text(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 && text.data[i] != '\n')
            return false;
    return text_is_utf8(text);
}

static int read_signatures(struct proof *proof, struct cursor *cursor, struct error *error)
{
    /* Reserve once: decoded signatures are shorter than their text. */
    if (buffer_extend(&proof->storage, cursor->left + 1) == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    proof->storage.size = 0;
    do {
        if (proof->signature_count == NOTE_SIGNATURES_MAX)
            return error_set(error, ERROR_INVALID, "the checkpoint has more than %d signatures", NOTE_SIGNATURES_MAX);
        if (read_signature(proof, cursor, error) != 0)
            return -1;
    } while (cursor->left > 0);
    return 0;
}

int proof_parse(struct proof *proof, struct span text, struct error *error)
{
    struct cursor cursor = cursor_of(text);
    struct span line = {0};

    memset(proof, 0, sizeof *proof);
    if (text.size > PROOF_SIZE_MAX)
        return error_set(error, ERROR_INVALID, "this is not a proof: it is longer than %d bytes", PROOF_SIZE_MAX);
    if (!cursor_skip_text(&cursor, first_line))
        return error_set(error, ERROR_INVALID, "this is not a proof: its first line is not \"c2sp.org/tlog-proof@v1\"");
    if (!is_note_text(text))
        return error_set(error, ERROR_INVALID, "the proof holds bytes that are not UTF-8 text");
    line = cursor_line(&cursor);
    if (line.size >= 6 && memcmp(line.data, "extra ", 6) == 0) {
        if (!text_from_base64(span_from(line, 6), &proof->extra))
            return buffer_failed(&proof->extra)
                       ? error_set(error, ERROR_SYSTEM, "there is no memory left")
                       : error_set(error, ERROR_INVALID, "the proof's line \"extra\" is not base64");
        line = cursor_line(&cursor);
    }
    if (line.size < 6 || memcmp(line.data, "index ", 6) != 0 ||
        !text_to_number(span_from(line, 6), INT64_MAX, &proof->index))
        return error_set(error, ERROR_INVALID, "the proof has no line \"index\" with a number");
    if (read_path(proof, &cursor, error) != 0 || read_body(proof, &cursor, error) != 0)
        return -1;
    return read_signatures(proof, &cursor, error);
}

void proof_free(struct proof *proof)
{
    if (proof == NULL)
        return;
    buffer_free(&proof->extra);
    buffer_free(&proof->storage);
}

static const struct policy_key *find_key(const struct policy_key *keys, size_t count,
                                         const struct note_signature *signature)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].key_id == signature->key_id && span_equal(signature->name, span_of_string(keys[i].name)))
            return &keys[i];
    return NULL;
}

static int verify_log_signature(struct verdict *verdict, const struct proof *proof, const struct policy_key *log,
                                const struct note_signature *signature, struct error *error)
{
    if (!span_equal(proof->origin, span_of_string(log->name)))
        return 0; /* a known log's key under another log's checkpoint says nothing */
    if (signature->bytes.size != SIGNATURE_SIZE || !sign_verify(signature->bytes.data, log->key, proof->body))
        return error_set(error, ERROR_MISMATCH, "the author's signature on the head does not verify");
    verdict->log = log;
    return 0;
}

static int verify_cosignature(struct verdict *verdict, const struct proof *proof, const struct policy_key *witness,
                              const struct note_signature *signature, struct error *error)
{
    struct cursor blob = cursor_of(signature->bytes);
    uint64_t time = cursor_u64(&blob);
    struct span bytes = cursor_span(&blob, SIGNATURE_SIZE);
    struct buffer message = {0};
    bool whole = false, ok = false;

    buffer_print(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    buffer_put_span(&message, proof->body);
    whole = !buffer_failed(&message);
    ok = whole && cursor_done(&blob) && time <= INT64_MAX &&
         sign_verify(bytes.data, witness->key, buffer_span(&message));
    buffer_free(&message);
    if (!whole)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    if (!ok)
        return error_set(error, ERROR_MISMATCH, "the receipt of %s does not verify", witness->party);
    for (size_t i = 0; i < verdict->holder_count; i++)
        if (verdict->holder[i].witness == witness)
            return 0;
    if (strcmp(witness->party, verdict->log->party) == 0)
        return 0; /* an author is no witness of its own log */
    verdict->holder[verdict->holder_count].witness = witness;
    verdict->holder[verdict->holder_count++].time = time;
    return 0;
}

static bool counts(const struct verdict *verdict, const struct policy *policy, uint8_t number)
{
    const struct policy_group *group = NULL;
    unsigned met = 0;

    if (number < POLICY_WITNESSES_MAX) {
        for (size_t i = 0; i < verdict->holder_count; i++)
            if (verdict->holder[i].witness == &policy->witness[number])
                return true;
        return false;
    }
    /* Groups name only earlier ones, so this ends. */
    group = &policy->group[number - POLICY_WITNESSES_MAX];
    for (unsigned i = 0; i < group->member_count; i++)
        met += counts(verdict, policy, group->member[i]);
    return met >= group->threshold;
}

int proof_verify(struct verdict *verdict, const struct proof *proof, const struct policy *policy, struct error *error)
{
    memset(verdict, 0, sizeof *verdict);
    for (size_t i = 0; i < proof->signature_count; i++) {
        const struct note_signature *signature = &proof->signature[i];
        const struct policy_key *log = find_key(policy->log, policy->log_count, signature);

        if (log != NULL && verify_log_signature(verdict, proof, log, signature, error) != 0)
            return -1;
    }
    if (verdict->log == NULL)
        return error_set(error, ERROR_MISMATCH, "no log of the policy has signed this head");
    for (size_t i = 0; i < proof->signature_count; i++) {
        const struct note_signature *signature = &proof->signature[i];
        const struct policy_key *witness = find_key(policy->witness, policy->witness_count, signature);

        if (witness != NULL && verify_cosignature(verdict, proof, witness, signature, error) != 0)
            return -1;
    }
    if (proof->extra.size == 0)
        return error_set(error, ERROR_INVALID, "the proof does not hold the entry it is about");
    tree_leaf(verdict->leaf, buffer_span(&proof->extra));
    if (!tree_verify_inclusion(verdict->leaf, proof->index, proof->size, &proof->path, proof->root))
        return error_set(error, ERROR_MISMATCH, "the entry is not in the signed log at number %llu",
                         (unsigned long long)proof->index);
    if (!policy->quorum_none && !counts(verdict, policy, policy->quorum))
        return error_set(error, ERROR_MISMATCH, "too few receipts: %zu hold it, and the policy asks for more",
                         verdict->holder_count);
    return 0;
}
