/*
 * Our side of the conversation with Go's golang.org/x/mod/sumdb (tests/peers/tlog.go). Each line is one JSON
 * object:
 *
 *     {"kind": "inclusion", "ok", "leaf", "index", "size", "root", "proof": [...]}
 *     {"kind": "consistency", "ok", "old_size", "old_root", "size", "root", "proof": [...]}
 *     {"kind": "proof", "ok", "policy", "proof"}      a tlog-proof file and the policy it is proved under
 *
 * Hashes are base64. "ok" says whether the other side is to accept it. `emit` writes such lines; `check` reads them.
 */
#include <jansson.h>

#include "desk/disclosed.h"
#include "record/proof.h"

#define LEAVES 130

static uint8_t leaves[LEAVES][HASH_SIZE];
static struct buffer entries[LEAVES];

static void root_of(uint8_t out[static HASH_SIZE], struct tree_range range)
{
    struct tree_frontier frontier = {0};

    for (uint64_t i = range.start; i < range.end; i++)
        tree_append(&frontier, leaves[i]);
    tree_root(&frontier, out);
}

static struct tree_proof proof_of(const struct tree_range *range, size_t count)
{
    struct tree_proof proof = {.count = count};

    for (size_t i = 0; i < count; i++)
        root_of(proof.hash[i], range[i]);
    return proof;
}

static json_t *json_base64(const uint8_t hash[static HASH_SIZE])
{
    struct buffer text = {0};
    json_t *string = NULL;

    text_put_base64(&text, span_of(hash, HASH_SIZE));
    string = json_string(buffer_string(&text));
    buffer_free(&text);
    return string;
}

static json_t *json_proof(const struct tree_proof *proof)
{
    json_t *array = json_array();

    for (size_t i = 0; i < proof->count; i++)
        (void)json_array_append_new(array, json_base64(proof->hash[i]));
    return array;
}

static void say(json_t *object)
{
    if (json_dumpf(object, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        exit(1);
    json_decref(object);
}

static void say_inclusion(bool ok, uint64_t index, uint64_t size, const struct tree_proof *proof)
{
    uint8_t root[HASH_SIZE];

    root_of(root, (struct tree_range){0, size});
    say(json_pack("{s:s,s:b,s:o,s:I,s:I,s:o,s:o}", "kind", "inclusion", "ok", ok, "leaf", json_base64(leaves[index]),
                  "index", (json_int_t)index, "size", (json_int_t)size, "root", json_base64(root), "proof",
                  json_proof(proof)));
}

static void say_consistency(bool ok, uint64_t old_size, uint64_t size, const struct tree_proof *proof)
{
    uint8_t old_root[HASH_SIZE], root[HASH_SIZE];

    root_of(old_root, (struct tree_range){0, old_size});
    root_of(root, (struct tree_range){0, size});
    say(json_pack("{s:s,s:b,s:I,s:o,s:I,s:o,s:o}", "kind", "consistency", "ok", ok, "old_size", (json_int_t)old_size,
                  "old_root", json_base64(old_root), "size", (json_int_t)size, "root", json_base64(root), "proof",
                  json_proof(proof)));
}

static void say_trees(void)
{
    struct tree_range range[TREE_PROOF_MAX];

    for (uint64_t size = 1; size <= LEAVES; size += size < 34 ? 1 : 16) {
        for (uint64_t index = 0; index < size; index++) {
            struct tree_proof proof = proof_of(range, tree_inclusion_ranges(index, size, range));

            say_inclusion(true, index, size, &proof);
            if (proof.count > 0) {
                proof.hash[index % proof.count][0] ^= 1;
                say_inclusion(false, index, size, &proof);
            }
        }
        for (uint64_t old_size = 1; old_size <= size; old_size++) {
            struct tree_proof proof = proof_of(range, tree_consistency_ranges(old_size, size, range));

            say_consistency(true, old_size, size, &proof);
            if (proof.count > 0) {
                proof.hash[old_size % proof.count][0] ^= 1;
                say_consistency(false, old_size, size, &proof);
            }
        }
    }
}

static void say_proof(bool ok, struct span policy, struct span proof)
{
    say(json_pack("{s:s,s:b,s:s%,s:s%}", "kind", "proof", "ok", ok, "policy", policy.data, policy.size, "proof",
                  proof.data, proof.size));
}

/* Heads by member 0, receipts by the others. */
static void say_proofs(const struct test_line *line, uint64_t size)
{
    struct head head = {.size = size};
    struct receipt receipts[2];
    struct buffer policy = {0}, note = {0};
    struct tree_range range[TREE_PROOF_MAX];
    char origin[ORIGIN_SIZE];

    policy_print(&policy, &line->charter);
    charter_origin(&line->charter, 0, 0, origin);
    root_of(head.root, (struct tree_range){0, size});
    head_sign(&head, origin, line->identity[0].log_secret);
    for (unsigned i = 0; i < 2; i++) {
        receipts[i] = (struct receipt){.by = i + 1, .time = 1795462028 + i};
        receipt_sign(&receipts[i], &head, origin, line->identity[i + 1].receipt_secret);
    }
    head_note(&note, &line->charter, 0, 0, &head, receipts, 2);
    for (uint64_t index = 0; index < size; index += 7) {
        struct tree_proof path = proof_of(range, tree_inclusion_ranges(index, size, range));
        struct buffer text = {0};

        proof_print(&text, buffer_span(&entries[index]), index, &path, buffer_span(&note));
        say_proof(true, buffer_span(&policy), buffer_span(&text));
        /* Another letter in the last signature's base64, before its padding. */
        text.data[text.size - 10] = text.data[text.size - 10] == 'A' ? 'B' : 'A';
        say_proof(false, buffer_span(&policy), buffer_span(&text));
        buffer_free(&text);
    }
    buffer_free(&note);
    buffer_free(&policy);
}

/* The proof stands in a disclosure as it is: whoever cuts it out can check it with any program. */
static void say_disclosed(void)
{
    struct disclosed log;
    struct buffer policy = {0};

    disclosed_make(&log, 3, "peers");
    policy_print(&policy, &log.line.charter);
    for (uint64_t index = 0; index < DISCLOSED_ENTRIES; index++) {
        struct buffer text = {0};
        char *start = NULL, *end = NULL;

        if (disclosed_write(&log, index, &text, NULL) != 0)
            exit(1);
        start = strstr(buffer_string(&text), "\n\nc2sp.org/");
        end = start != NULL ? strstr(start, "\n\nliaison-charter/v1\n") : NULL;
        if (end == NULL)
            exit(1);
        say_proof(true, buffer_span(&policy), span_of(start + 2, (size_t)(end - start) - 1));
        start[40] = start[40] == 'A' ? 'B' : 'A'; /* in the entry */
        say_proof(false, buffer_span(&policy), span_of(start + 2, (size_t)(end - start) - 1));
        buffer_free(&text);
    }
    buffer_free(&policy);
    disclosed_free(&log);
}

static int emit(void)
{
    struct test_line line;

    test_line_found(&line, 3, "peers");
    for (unsigned i = 0; i < LEAVES; i++) {
        buffer_print(&entries[i], "entry %u", i);
        tree_leaf(leaves[i], buffer_span(&entries[i]));
    }
    say_trees();
    for (uint64_t size = 1; size <= LEAVES; size += 43)
        say_proofs(&line, size);
    say_disclosed();
    for (unsigned i = 0; i < LEAVES; i++)
        buffer_free(&entries[i]);
    test_line_free(&line);
    return 0;
}

static void read_hash(const json_t *value, uint8_t out[static HASH_SIZE])
{
    const char *text = json_string_value(value);

    if (text == NULL || !text_from_base64_exactly(span_of_string(text), out, HASH_SIZE)) {
        printf("# the peer wrote something that is no hash\n");
        exit(1);
    }
}

static uint64_t read_number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct tree_proof read_proof(const json_t *object)
{
    const json_t *array = json_object_get(object, "proof");
    struct tree_proof proof = {.count = json_array_size(array)};

    if (proof.count > TREE_PROOF_MAX)
        exit(1);
    for (size_t i = 0; i < proof.count; i++)
        read_hash(json_array_get(array, i), proof.hash[i]);
    return proof;
}

static bool holds_inclusion(const json_t *object)
{
    struct tree_proof proof = read_proof(object);
    uint8_t leaf[HASH_SIZE], root[HASH_SIZE];

    read_hash(json_object_get(object, "leaf"), leaf);
    read_hash(json_object_get(object, "root"), root);
    return tree_verify_inclusion(leaf, read_number(object, "index"), read_number(object, "size"), &proof, root);
}

static bool holds_consistency(const json_t *object)
{
    struct tree_proof proof = read_proof(object);
    uint8_t old_root[HASH_SIZE], root[HASH_SIZE];

    read_hash(json_object_get(object, "old_root"), old_root);
    read_hash(json_object_get(object, "root"), root);
    return tree_verify_consistency(read_number(object, "old_size"), old_root, read_number(object, "size"), root,
                                   &proof);
}

static bool holds_proof(const json_t *object, struct policy *policy)
{
    struct span rules = span_of_string(json_string_value(json_object_get(object, "policy")));
    struct span text = span_of_string(json_string_value(json_object_get(object, "proof")));
    struct error error = {0};
    struct verdict verdict;
    struct proof proof = {0};
    bool ok = policy_parse(policy, rules, &error) == 0 && proof_parse(&proof, text, &error) == 0 &&
              proof_verify(&verdict, &proof, policy, &error) == 0;

    if (!ok && json_is_true(json_object_get(object, "ok")))
        printf("# %s\n", error.message);
    proof_free(&proof);
    return ok;
}

static int check(void)
{
    static const char *const kinds[] = {"inclusion", "consistency", "proof"};
    struct policy *policy = calloc(1, sizeof *policy);
    unsigned seen[3] = {0}, wrong[3] = {0};
    int failures = 0;
    json_t *object = NULL;

    if (policy == NULL)
        return 1;
    while ((object = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        const char *kind = json_string_value(json_object_get(object, "kind"));
        int number = strcmp(kind, kinds[0]) == 0 ? 0 : strcmp(kind, kinds[1]) == 0 ? 1 : 2;
        bool ok = number == 0   ? holds_inclusion(object)
                  : number == 1 ? holds_consistency(object)
                                : holds_proof(object, policy);

        seen[number]++;
        wrong[number] += ok != json_is_true(json_object_get(object, "ok"));
        json_decref(object);
    }
    for (int i = 0; i < 3; i++) {
        bool fine = seen[i] > 0 && wrong[i] == 0;

        failures += !fine;
        printf("%s - peers/tlog: we judge as Go says: %s (%u, %u wrong)\n", fine ? "ok" : "not ok", kinds[i], seen[i],
               wrong[i]);
    }
    free(policy);
    return failures > 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "emit") == 0)
        return emit();
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        return check();
    (void)fprintf(stderr, "usage: peer-tlog emit|check\n");
    return 2;
}
