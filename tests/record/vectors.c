/* Runs vectors/record/, which a second program wrote. What the inputs are made of stands in its generate.py. */
#include "vectors_each.h"

#include "record/epoch.h"
#include "record/evidence.h"
#include "record/proof.h"
#include "seal/secret.h"

/* A case that is malformed as a case, not as the thing it tests. */
static void broken_case(void)
{
    printf("# a vector is cut off\n");
    exit(1);
}

static int run_charter(struct span input, struct buffer *output, struct error *error)
{
    struct charter charter;
    uint8_t courier_key[COURIER_KEY_SIZE];
    char name[ORIGIN_SIZE], fingerprint[FINGERPRINT_SIZE];

    if (charter_parse(&charter, input, error) != 0)
        return -1;
    memset(courier_key, 7, sizeof courier_key);
    charter_fingerprint(&charter, courier_key, fingerprint);
    buffer_put(output, charter.line_id, HASH_SIZE);
    buffer_print(output, "%s\n", fingerprint);
    for (unsigned i = 0; i < charter.member_count; i++) {
        charter_origin(&charter, i, 0, name);
        buffer_print(output, "%s\n", name);
        charter_receipt_name(&charter, i, name);
        buffer_print(output, "%s\n", name);
    }
    return 0;
}

static int run_entry_header(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    unsigned author = cursor_u8(&cursor), members = cursor_u8(&cursor);
    struct entry entry = {0};

    if (entry_parse(&entry, cursor_rest(&cursor), author, members, error) != 0)
        return -1;
    entry_clear(output, &entry.header, entry.body);
    return 0;
}

static int run_entry_sealed(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    unsigned author = cursor_u8(&cursor), members = cursor_u8(&cursor);
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct entry_place place;
    struct entry entry = {0};
    struct span bytes = {0};
    struct buffer again = {0};

    cursor_copy(&cursor, secret, sizeof secret);
    cursor_copy(&cursor, place.origin_hash, HASH_SIZE);
    place.index = cursor_u64(&cursor);
    if (cursor.failed)
        broken_case();
    bytes = cursor_rest(&cursor);
    if (entry_parse(&entry, bytes, author, members, error) != 0 ||
        entry_open(output, &entry, secret, &place, error) != 0)
        return -1;
    CHECK(entry_seal(&again, &entry.header, buffer_span(output), secret, &place, NULL) == 0);
    CHECK(span_equal(buffer_span(&again), bytes));
    buffer_free(&again);
    return 0;
}

static int run_prekeys(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    unsigned publisher = cursor_u8(&cursor), members = cursor_u8(&cursor);
    struct prekeys prekeys = {0};

    if (prekeys_read(&prekeys, cursor_rest(&cursor), publisher, members, error) != 0)
        return -1;
    prekeys_put(&prekeys, output);
    return 0;
}

static int run_epoch(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    unsigned author = cursor_u8(&cursor), members = cursor_u8(&cursor);
    struct epoch epoch = {0};

    if (epoch_read(&epoch, cursor_rest(&cursor), author, members, error) != 0)
        return -1;
    epoch_put(&epoch, output);
    return 0;
}

static int run_wrap(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    uint8_t author_secret[DH_SIZE], recipient_secret[DH_SIZE], recipient_key[DH_SIZE], ephemeral[DH_SIZE];
    uint8_t courier_key[COURIER_KEY_SIZE], secret[EPOCH_SECRET_SIZE], opened[EPOCH_SECRET_SIZE], origin_hash[HASH_SIZE];
    struct charter charter;
    struct wrap_context context = {.charter = &charter, .origin_hash = origin_hash, .courier_key = courier_key};
    struct wrap wrap = {0};

    cursor_copy(&cursor, author_secret, sizeof author_secret);
    cursor_copy(&cursor, recipient_secret, sizeof recipient_secret);
    cursor_copy(&cursor, ephemeral, sizeof ephemeral);
    cursor_copy(&cursor, courier_key, sizeof courier_key);
    cursor_copy(&cursor, secret, sizeof secret);
    context.author = cursor_u8(&cursor);
    wrap.member = cursor_u8(&cursor);
    wrap.source = (enum wrap_source)cursor_u8(&cursor);
    wrap.number = cursor_u64(&cursor);
    context.epoch = cursor_u64(&cursor);
    cursor_copy(&cursor, origin_hash, sizeof origin_hash);
    if (cursor.failed || charter_parse(&charter, cursor_rest(&cursor), error) != 0)
        broken_case();
    dh_public(recipient_key, recipient_secret);
    CHECK(wrap_seal(&wrap, &context, recipient_key, author_secret, ephemeral, secret));
    CHECK(wrap_open(opened, &wrap, &context, recipient_secret) && memcmp(opened, secret, sizeof secret) == 0);
    buffer_put(output, wrap.message, WRAP_SIZE);
    return 0;
}

static int parse_policy(struct policy **policy, struct span text, struct error *error)
{
    *policy = calloc(1, sizeof **policy);
    if (*policy == NULL)
        abort();
    return policy_parse(*policy, text, error);
}

/* A note is read where notes are read, at the end of a proof. This proof holds no entry, and is refused for that alone
 * if the note is good. */
static int run_note(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct span key = cursor_line(&cursor);
    struct buffer rules = {0}, text = {0};
    struct policy *policy = NULL;
    struct proof proof = {0};
    struct verdict verdict = {0};
    int result = -1;

    buffer_print(&rules, "log %.*s\nquorum none\n", (int)key.size, (const char *)key.data);
    if (parse_policy(&policy, buffer_span(&rules), error) != 0)
        broken_case();
    buffer_print(&text, "c2sp.org/tlog-proof@v1\nindex 0\n\n");
    buffer_put_span(&text, cursor_rest(&cursor));
    if (proof_parse(&proof, buffer_span(&text), error) == 0 && proof_verify(&verdict, &proof, policy, error) != 0 &&
        strstr(error->message, "does not hold the entry") != NULL) {
        buffer_put_u64(output, proof.size);
        buffer_put(output, proof.root, HASH_SIZE);
        result = 0;
    }
    proof_free(&proof);
    free(policy);
    buffer_free(&text);
    buffer_free(&rules);
    return result;
}

static int run_proof(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct span policy_text = cursor_span(&cursor, cursor_u32(&cursor));
    struct policy *policy = NULL;
    struct proof proof = {0};
    struct verdict verdict = {0};
    int result = -1;

    if (parse_policy(&policy, policy_text, error) != 0)
        broken_case();
    if (proof_parse(&proof, cursor_rest(&cursor), error) == 0 && proof_verify(&verdict, &proof, policy, error) == 0) {
        buffer_put(output, verdict.leaf, HASH_SIZE);
        result = 0;
    }
    proof_free(&proof);
    free(policy);
    return result;
}

static int run_policy(struct span input, struct buffer *output, struct error *error)
{
    struct policy *policy = NULL;
    int result = parse_policy(&policy, input, error);

    if (result == 0) {
        buffer_put_u8(output, (uint8_t)policy->log_count);
        buffer_put_u8(output, (uint8_t)policy->witness_count);
        buffer_put_u8(output, (uint8_t)policy->group_count);
    }
    free(policy);
    return result;
}

static int run_evidence(struct span input, struct buffer *output, struct error *error)
{
    struct cursor cursor = cursor_of(input);
    struct span line_id = cursor_span(&cursor, HASH_SIZE), file = {0};
    struct evidence evidence;
    struct buffer again = {0}, charter = {0};
    int result = -1;

    if (cursor.failed)
        broken_case();
    file = cursor_rest(&cursor);
    if (evidence_read(&evidence, file, error) == 0 && evidence_check_line(&evidence, line_id.data, error) == 0) {
        buffer_put_span(output, buffer_span(&evidence.words));
        charter_print(&evidence.charter, &charter);
        CHECK(evidence_write(&again, buffer_span(&charter), evidence.author, &evidence.head[1], &evidence.head[0],
                             evidence.root, &evidence.path, NULL) == 0);
        CHECK(span_equal(buffer_span(&again), file));
        result = 0;
    }
    evidence_free(&evidence);
    buffer_free(&charter);
    buffer_free(&again);
    return result;
}

static void charter_vectors(void)
{
    each_case("record/charter", run_charter);
}

static void entry_header_vectors(void)
{
    each_case("record/entry-header", run_entry_header);
}

static void entry_sealed_vectors(void)
{
    each_case("record/entry-sealed", run_entry_sealed);
}

static void prekeys_vectors(void)
{
    each_case("record/prekeys", run_prekeys);
}

static void epoch_vectors(void)
{
    each_case("record/epoch", run_epoch);
}

static void wrap_vectors(void)
{
    each_case("record/wrap", run_wrap);
}

static void note_vectors(void)
{
    each_case("record/note", run_note);
}

static void proof_vectors(void)
{
    each_case("record/proof", run_proof);
}

static void policy_vectors(void)
{
    each_case("record/policy", run_policy);
}

static void evidence_vectors(void)
{
    each_case("record/evidence", run_evidence);
}

int main(void)
{
    if (seal_init(NULL) != 0)
        return 1;
    RUN(charter_vectors);
    RUN(entry_header_vectors);
    RUN(entry_sealed_vectors);
    RUN(prekeys_vectors);
    RUN(epoch_vectors);
    RUN(wrap_vectors);
    RUN(note_vectors);
    RUN(proof_vectors);
    RUN(policy_vectors);
    RUN(evidence_vectors);
    return test_end();
}
