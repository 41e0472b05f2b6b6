/* record/proof: proofs and the notes within them, and proofs that the harness makes and then breaks. */
#include "fuzz.h"

#include "record/proof.h"

const struct fuzz_target fuzz_target = {.formats = (const char *const[]){"record/proof", "record/note", NULL},
                                        .runs = 8000};

static void check_parsed(const struct proof *proof, struct span text)
{
    struct buffer body = {0};
    char origin[256];

    HOLD(text.size <= PROOF_SIZE_MAX && proof->path.count <= TREE_PROOF_MAX);
    HOLD(proof->signature_count <= NOTE_SIGNATURES_MAX && proof->extra.size <= ENTRY_SIZE_MAX);
    HOLD(proof->origin.size > 0 && proof->origin.size < sizeof origin);
    memcpy(origin, proof->origin.data, proof->origin.size);
    origin[proof->origin.size] = 0;
    head_body(origin, proof->size, proof->root, &body);
    HOLD(proof->body.size >= body.size && memcmp(proof->body.data, body.data, body.size) == 0);
    buffer_free(&body);
}

/* Whether the proof holds under the policy; whoever says no, says why. */
static bool check(struct span policy_text, struct span text, struct verdict *verdict)
{
    static struct policy policy;
    struct proof proof = {0};
    struct error error = {0};
    bool holds = false;

    memset(&policy, 0, sizeof policy);
    *verdict = (struct verdict){0};
    if (policy_parse(&policy, policy_text, &error) == 0 && proof_parse(&proof, text, &error) == 0) {
        check_parsed(&proof, text);
        holds = proof_verify(verdict, &proof, &policy, &error) == 0;
    }
    if (!holds)
        fuzz_refused(&error);
    else
        HOLD(verdict->log != NULL && verdict->holder_count <= NOTE_SIGNATURES_MAX);
    proof_free(&proof);
    return holds;
}

static void check_note(struct cursor *cursor)
{
    struct span key = cursor_line(cursor);
    struct buffer rules = {0}, text = {0};
    struct verdict verdict;

    buffer_print(&rules, "log ");
    buffer_put_span(&rules, key);
    buffer_print(&rules, "\nquorum none\n");
    buffer_print(&text, "c2sp.org/tlog-proof@v1\nindex 0\n\n");
    buffer_put_span(&text, cursor_rest(cursor));
    HOLD(!check(buffer_span(&rules), buffer_span(&text), &verdict)); /* it holds no entry */
    buffer_free(&rules);
    buffer_free(&text);
}

/* The root of a range of leaves of which all but one are the same. */
static void range_root(uint8_t out[static HASH_SIZE], struct tree_range range, uint64_t index,
                       uint8_t leaf[2][HASH_SIZE])
{
    struct tree_frontier frontier = {0};

    for (uint64_t i = range.start; i < range.end; i++)
        tree_append(&frontier, leaf[i != index]);
    tree_root(&frontier, out);
}

static void make_path(struct tree_proof *path, uint64_t index, uint64_t size, uint8_t leaf[2][HASH_SIZE])
{
    struct tree_range ranges[TREE_PROOF_MAX];

    path->count = tree_inclusion_ranges(index, size, ranges);
    for (size_t i = 0; i < path->count; i++)
        range_root(path->hash[i], ranges[i], index, leaf);
}

static void put_signature(struct buffer *note, const uint8_t id[static 4],
                          const uint8_t signature[static SIGNATURE_SIZE])
{
    struct buffer bytes = {0};

    buffer_put(&bytes, id, 4);
    buffer_put(&bytes, signature, SIGNATURE_SIZE);
    text_put_base64(note, buffer_span(&bytes));
    buffer_put_u8(note, '\n');
    buffer_free(&bytes);
}

/* Builds a log as the input says, and the proof of one of its entries; changed anywhere, it no longer holds. */
static void check_made(struct cursor *cursor)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {1};
    uint8_t key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE], leaf[2][HASH_SIZE], id[4];
    struct head head = {.size = 1 + cursor_u8(cursor) % 64};
    uint64_t index = cursor_u8(cursor) % head.size;
    struct tree_frontier frontier = {0};
    struct tree_proof path = {0};
    struct buffer entry = {0}, policy = {0}, note = {0}, text = {0};
    struct verdict verdict;
    bool changed = false;

    for (unsigned i = cursor_u8(cursor); i > 0; i--)
        buffer_put_u8(&entry, (uint8_t)i);
    tree_leaf(leaf[0], buffer_span(&entry));
    tree_leaf(leaf[1], span_of_string("another"));
    for (uint64_t i = 0; i < head.size; i++)
        tree_append(&frontier, leaf[i != index]);
    tree_root(&frontier, head.root);
    make_path(&path, index, head.size, leaf);
    sign_keypair(key, secret, seed);
    head_sign(&head, "a/log", secret);
    head_body("a/log", head.size, head.root, &note);
    buffer_print(&note, "\n\u2014 a/log ");
    put_u32_be(id, note_key_id(span_of_string("a/log"), NOTE_ED25519, key));
    put_signature(&note, id, head.signature);
    buffer_print(&policy, "log ");
    note_verifier_key_print(&policy, "a/log", NOTE_ED25519, key);
    buffer_print(&policy, "\nquorum none\n");
    proof_print(&text, buffer_span(&entry), index, &path, buffer_span(&note));
    changed = fuzz_edit(cursor, text.data, text.size);
    HOLD(check(buffer_span(&policy), buffer_span(&text), &verdict) == (!changed && entry.size > 0));
    HOLD(changed || entry.size == 0 || hash_equal(verdict.leaf, leaf[0]));
    buffer_free(&entry);
    buffer_free(&policy);
    buffer_free(&note);
    buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(span_of(data, size));
    unsigned what = cursor_u8(&cursor) % 3;
    struct span policy = {0}, text = {0};
    struct verdict verdict;

    fuzz_start();
    if (what == 1) {
        check_note(&cursor);
    } else if (what == 2) {
        check_made(&cursor);
    } else {
        policy = cursor_span(&cursor, cursor_u32(&cursor));
        text = cursor_rest(&cursor);
        (void)check(policy, text, &verdict);
    }
    return 0;
}
