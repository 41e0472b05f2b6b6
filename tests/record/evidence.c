/*
 * Evidence: there is some for every fork, and none against an author who signed one history, whatever the sizes.
 */
#include "memory.h"
#include "record/forked.h"
#include "test.h"

#define SIZES 40
#define TRUE FORKED_MAX

static struct test_line line;
static struct evidence evidence;
static struct buffer good; /* 7 entries of another history beside 11 */

static bool reads(struct span file, struct error *error)
{
    bool result = evidence_read(&evidence, file, error) == 0;

    evidence_free(&evidence);
    return result;
}

static bool refused_for(struct span file, enum error_code code, const char *words)
{
    struct error error = {0};

    if (!reads(file, &error) && error.code == code && strstr(error.message, words) != NULL)
        return true;
    printf("# wanted \"%s\"; it says: %s\n", words, error.code == ERROR_NONE ? "accepted" : error.message);
    return false;
}

/* The evidence of two heads that stand in their order, with the path between them in the larger one's history. */
static int put(struct buffer *text, const struct head *small, const struct head *large, uint64_t fork_of_path,
               struct error *error)
{
    uint8_t root[HASH_SIZE];
    struct tree_proof path = {0};

    forked_path(fork_of_path, small->size, large->size, root, &path);
    return evidence_write(text, buffer_span(&line.text), 0, small, large, root, &path, error);
}

static void it_says_what_was_signed(void)
{
    static const char begins[] = "liaison-evidence/v1\n\n"
                                 "washington.example signed two histories of its log on the line talks:\n"
                                 "of 7 entries with root ";
    struct head small, large;
    struct buffer hex = {0};

    forked_head(&line, 3, 7, &small);
    forked_head(&line, TRUE, 11, &large);
    CHECK(good.size > sizeof begins && memcmp(good.data, begins, sizeof begins - 1) == 0);
    text_put_hex(&hex, span_of(small.root, HASH_SIZE));
    buffer_print(&hex, ", and\nof 11 entries with root ");
    text_put_hex(&hex, span_of(large.root, HASH_SIZE));
    buffer_print(&hex, "; both cannot be true.\nThe line is ");
    text_put_hex(&hex, span_of(line.charter.line_id, HASH_SIZE));
    buffer_print(&hex, ".\n\nWhat follows");
    CHECK(memmem(good.data, good.size, hex.data, hex.size) != NULL);
    CHECK(evidence_read(&evidence, buffer_span(&good), NULL) == 0);
    CHECK(evidence.author == 0 && evidence.head[0].size == 7 && evidence.head[1].size == 11);
    CHECK(evidence.words.size > 0 && evidence.words.data[evidence.words.size - 1] == '\n');
    evidence_free(&evidence);
    evidence_free(NULL);
    buffer_free(&hex);
}

static void trust_comes_from_outside(void)
{
    static const uint8_t other[HASH_SIZE] = {1};
    struct policy *policy = calloc(1, sizeof *policy);
    struct buffer text = {0};
    struct error errors[4] = {0};

    CHECK(policy != NULL && evidence_read(&evidence, buffer_span(&good), NULL) == 0);
    CHECK(evidence_check_line(&evidence, line.charter.line_id, &errors[0]) == 0);
    CHECK(evidence_check_line(&evidence, other, &errors[0]) == -1 && errors[0].code == ERROR_MISMATCH);
    policy_print(&text, &line.charter);
    CHECK(policy_parse(policy, buffer_span(&text), NULL) == 0 && evidence_check_policy(&evidence, policy, NULL) == 0);
    (void)snprintf(policy->log[0].party, sizeof policy->log[0].party, "seoul.example");
    CHECK(evidence_check_policy(&evidence, policy, &errors[1]) == -1 &&
          strstr(errors[1].message, "the policy calls its author seoul.example") != NULL);
    policy->log[0].party[0] = 0; /* a policy that says nothing about authors */
    CHECK(evidence_check_policy(&evidence, policy, NULL) == 0);
    policy->log[0].key[0] ^= 1;
    CHECK(evidence_check_policy(&evidence, policy, &errors[2]) == -1 &&
          strstr(errors[2].message, "no log of the policy") != NULL);
    policy->log_count = 0;
    CHECK(evidence_check_policy(&evidence, policy, &errors[3]) == -1 && errors[3].code == ERROR_MISMATCH);
    evidence_free(&evidence);
    buffer_free(&text);
    free(policy);
}

static bool is_evidence(const struct head *one, const struct head *other, uint64_t fork_of_path)
{
    struct buffer text = {0};
    struct error error = {0};
    bool ok = put(&text, one, other, fork_of_path, &error) == 0 && reads(buffer_span(&text), &error);

    if (!ok)
        printf("# %llu beside %llu: %s\n", (unsigned long long)one->size, (unsigned long long)other->size,
               error.message);
    buffer_free(&text);
    return ok;
}

/* All sizes. The histories part with the first entry or, where the larger size is odd, with the smaller head's last;
 * anywhere, half a minute, if LIAISON_TEST_LONG is set. */
static void there_is_evidence_for_every_fork(void)
{
    bool all = getenv("LIAISON_TEST_LONG") != NULL;
    static struct head true_head[SIZES + 1];
    size_t forks = 0;

    for (uint64_t size = 1; size <= SIZES; size++)
        forked_head(&line, TRUE, size, &true_head[size]);
    for (uint64_t small = 1; small <= SIZES; small++)
        for (uint64_t fork = 0; fork < small; fork++) {
            struct head head;

            if (!all && fork != 0 && fork != small - 1)
                continue;
            forked_head(&line, fork, small, &head);
            for (uint64_t large = small; large <= SIZES; large++) {
                if (!all && fork != (large % 2 == 0 ? 0 : small - 1))
                    continue;
                CHECK(is_evidence(&head, &true_head[large], TRUE));
                forks++;
                if (large == small)
                    CHECK(is_evidence(&true_head[large], &head, TRUE));
            }
        }
    printf("# %zu forks\n", forks);
}

/* An honest pair with whatever path: the true one, one of another log, of another size, one that was tampered with. */
static bool is_refused(const struct head *small, const struct head *large, const uint8_t *root,
                       const struct tree_proof *path, const char *words)
{
    struct buffer text = {0};
    struct error error = {0};
    bool refused = evidence_write(&text, buffer_span(&line.text), 0, small, large, root, path, &error) == -1 &&
                   error.code == ERROR_MISMATCH && strstr(error.message, words) != NULL && text.size == 0;

    if (!refused)
        printf("# %llu beside %llu: %s\n", (unsigned long long)small->size, (unsigned long long)large->size,
               error.code == ERROR_NONE ? "accepted" : error.message);
    buffer_free(&text);
    return refused;
}

static void there_is_none_for_an_honest_pair(void)
{
    static struct head head[SIZES + 1];
    uint8_t root[HASH_SIZE];
    struct tree_proof path;
    size_t tried = 0;

    for (uint64_t size = 1; size <= SIZES; size++)
        forked_head(&line, TRUE, size, &head[size]);
    for (uint64_t small = 1; small <= SIZES; small++) {
        CHECK(is_refused(&head[small], &head[small], NULL, NULL, "both heads say the same"));
        for (uint64_t large = small + 1; large <= SIZES; large++) {
            forked_path(TRUE, small, large, root, &path);
            CHECK(is_refused(&head[small], &head[large], root, &path, "that is one history"));
            forked_path(small - 1, small, large, root, &path);
            CHECK(is_refused(&head[small], &head[large], root, &path, "does not lead to the second"));
            forked_path(TRUE, small, large, root, &path);
            root[small % HASH_SIZE] ^= 1;
            CHECK(is_refused(&head[small], &head[large], root, &path, "does not lead to the second"));
            tried += 3;
        }
    }
    printf("# %zu\n", tried);
}

/* The path of every other pair of sizes, and each hash of the true one changed, left out or doubled. */
static void no_other_path_makes_an_honest_pair_evidence(void)
{
    static struct head head[14];
    uint8_t root[HASH_SIZE];
    struct tree_proof path, changed;

    for (uint64_t size = 1; size < 14; size++)
        forked_head(&line, TRUE, size, &head[size]);
    for (uint64_t large = 2; large < 14; large++)
        for (uint64_t small = 1; small < large; small++) {
            for (uint64_t other = 1; other < large; other++) {
                forked_path(TRUE, other, large, root, &path);
                if (other != small)
                    CHECK(is_refused(&head[small], &head[large], root, &path, "does not lead"));
            }
            forked_path(TRUE, small, large, root, &path);
            for (size_t i = 0; i < path.count; i++) {
                changed = path;
                changed.hash[i][7] ^= 4;
                CHECK(is_refused(&head[small], &head[large], root, &changed, "does not lead"));
                changed = path;
                changed.count--;
                memmove(changed.hash[i], path.hash[i + 1], (path.count - i - 1) * HASH_SIZE);
                CHECK(is_refused(&head[small], &head[large], root, &changed, "does not lead"));
                changed = path;
                changed.count++;
                memmove(changed.hash[i + 1], path.hash[i], (path.count - i) * HASH_SIZE);
                CHECK(is_refused(&head[small], &head[large], root, &changed, "does not lead"));
            }
        }
}

static void what_its_author_did_not_sign_is_refused(void)
{
    struct head small, large, forged;
    struct tree_proof path;
    uint8_t root[HASH_SIZE];
    char origin[ORIGIN_SIZE];

    forked_head(&line, 3, 7, &small);
    forked_head(&line, TRUE, 11, &large);
    forked_path(TRUE, 7, 11, root, &path);
    forged = small;
    charter_origin(&line.charter, 0, 0, origin);
    head_sign(&forged, origin, line.identity[1].log_secret); /* by who shows it */
    CHECK(is_refused(&forged, &large, root, &path, "the signature on the first head is not its author's"));
    forged = large;
    charter_origin(&line.charter, 0, 1, origin);
    head_sign(&forged, origin, line.identity[0].log_secret); /* of another incarnation of the log */
    CHECK(is_refused(&small, &forged, root, &path, "the signature on the second head is not its author's"));
    forged = large;
    charter_origin(&line.charter, 1, 0, origin);
    head_sign(&forged, origin, line.identity[1].log_secret); /* of another member's log */
    CHECK(is_refused(&small, &forged, root, &path, "the signature on the second head is not its author's"));
    forged = small;
    forged.signature[9] ^= 1;
    CHECK(is_refused(&forged, &large, root, &path, "the signature on the first head is not its author's"));
}

static void heads_that_nobody_signs_are_refused(void)
{
    struct head small, large;
    struct tree_proof path = {0};
    uint8_t root[HASH_SIZE] = {0};
    struct buffer text = {0};
    struct error error = {0};

    forked_head(&line, TRUE, 0, &small);
    forked_head(&line, TRUE, 11, &large);
    CHECK(evidence_write(&text, buffer_span(&line.text), 0, &small, &large, root, &path, &error) == -1 &&
          error.code == ERROR_INVALID);
    CHECK(evidence_write(&text, buffer_span(&line.text), 2, &large, &large, root, &path, &error) == -1);
    large.size = TREE_SIZE_MAX + 1;
    CHECK(evidence_write(&text, buffer_span(&line.text), 0, &large, &large, root, &path, &error) == -1);
    CHECK(evidence_write(&text, span_of_string("liaison-charter/v1\n"), 0, &large, &large, root, &path, &error) == -1);
    CHECK(text.size == 0);
}

/* A bit of each byte; all of them if LIAISON_TEST_LONG is set. */
static void no_flipped_bit_is_accepted(void)
{
    bool all = getenv("LIAISON_TEST_LONG") != NULL;
    size_t accepted = 0;

    for (size_t bit = 0; bit < good.size * 8; bit++) {
        if (!all && bit % 8 != bit / 8 % 7)
            continue;
        good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (reads(buffer_span(&good), NULL) && accepted++ < 5)
            printf("# bit %zu of byte %zu may be changed\n", bit % 8, bit / 8);
        good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(accepted == 0);
    printf("# %zu bits\n", good.size * (all ? 8 : 1));
}

static void no_truncation_and_no_tail_is_accepted(void)
{
    struct buffer longer = {0};

    for (size_t size = 0; size < good.size; size++)
        CHECK(!reads(span_of(good.data, size), NULL));
    buffer_put_span(&longer, buffer_span(&good));
    buffer_put_span(&longer, buffer_span(&good));
    CHECK(refused_for(buffer_span(&longer), ERROR_INVALID, "goes on"));
    CHECK(buffer_extend(&longer, EVIDENCE_SIZE_MAX) != NULL);
    CHECK(refused_for(buffer_span(&longer), ERROR_INVALID, "longer than 65536 bytes"));
    buffer_free(&longer);
}

/* True evidence is not called false because memory ran out. */
static void without_memory_nothing_is_said(void)
{
    struct head small, large;
    size_t failed = 0;

    forked_head(&line, 3, 7, &small);
    forked_head(&line, TRUE, 11, &large);
    for (size_t n = 1;; n++) {
        struct buffer text = {0};
        struct error error = {0};
        bool done = false, ran_out = false;

        memory_fail(n);
        done = put(&text, &small, &large, TRUE, &error) == 0 && reads(buffer_span(&text), &error);
        ran_out = memory_ran_out();
        CHECK(done == !ran_out && error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        buffer_free(&text);
        if (!ran_out)
            break;
        failed++;
        CHECK(n < 200);
    }
    CHECK(failed >= 4);
}

int main(void)
{
    struct head small, large;

    test_line_found(&line, 2, "evidence");
    forked_head(&line, 3, 7, &small);
    forked_head(&line, TRUE, 11, &large);
    if (put(&good, &small, &large, TRUE, NULL) != 0)
        return 1;
    RUN(it_says_what_was_signed);
    RUN(trust_comes_from_outside);
    RUN(there_is_evidence_for_every_fork);
    RUN(there_is_none_for_an_honest_pair);
    RUN(no_other_path_makes_an_honest_pair_evidence);
    RUN(what_its_author_did_not_sign_is_refused);
    RUN(heads_that_nobody_signs_are_refused);
    RUN(no_flipped_bit_is_accepted);
    RUN(no_truncation_and_no_tail_is_accepted);
    RUN(without_memory_nothing_is_said);
    buffer_free(&good);
    test_line_free(&line);
    return test_end();
}
