#include "record/proof.h"

#include "memory.h"
#include "record/line.h"
#include "replaced.h"
#include "test.h"

#define ENTRIES 5

static struct test_line line;
static struct policy policy; /* too large for the stack */
static struct buffer entries[ENTRIES];
static struct head head; /* of member 0's log of ENTRIES entries */

static void make_log(void)
{
    struct tree_frontier frontier = {0};
    char origin[ORIGIN_SIZE];

    for (unsigned i = 0; i < ENTRIES; i++) {
        struct entry_header header = {.class = ENTRY_SEALED, .epoch = 1};
        struct entry_place place;
        uint8_t leaf[HASH_SIZE];
        uint8_t secret[EPOCH_SECRET_SIZE] = {1};
        uint8_t number = (uint8_t)i;

        entry_place_of(&place, &line.charter, 0, 0, i);
        CHECK(entry_seal(&entries[i], &header, span_of(&number, 1), secret, &place, NULL) == 0);
        tree_leaf(leaf, buffer_span(&entries[i]));
        tree_append(&frontier, leaf);
    }
    head.size = ENTRIES;
    tree_root(&frontier, head.root);
    charter_origin(&line.charter, 0, 0, origin);
    head_sign(&head, origin, line.identity[0].log_secret);
}

static void hash_range(uint8_t out[static HASH_SIZE], struct tree_range range)
{
    struct tree_frontier frontier = {0};

    for (uint64_t i = range.start; i < range.end; i++) {
        uint8_t leaf[HASH_SIZE];

        tree_leaf(leaf, buffer_span(&entries[i]));
        tree_append(&frontier, leaf);
    }
    tree_root(&frontier, out);
}

static struct tree_proof path_of(uint64_t index)
{
    struct tree_range range[TREE_PROOF_MAX];
    struct tree_proof path = {.count = tree_inclusion_ranges(index, ENTRIES, range)};

    for (size_t i = 0; i < path.count; i++)
        hash_range(path.hash[i], range[i]);
    return path;
}

/* A proof of one entry with receipts by the members whose bits are set. */
static struct buffer proof_of(uint64_t index, unsigned by)
{
    struct receipt receipts[MEMBERS_MAX];
    size_t count = 0;
    struct tree_proof path = path_of(index);
    struct buffer note = {0}, text = {0};
    char origin[ORIGIN_SIZE];

    charter_origin(&line.charter, 0, 0, origin);
    for (unsigned i = 0; i < line.charter.member_count; i++) {
        if ((by >> i & 1) == 0)
            continue;
        receipts[count] = (struct receipt){.by = i, .time = 1795462028 + i};
        receipt_sign(&receipts[count++], &head, origin, line.identity[i].receipt_secret);
    }
    head_note(&note, &line.charter, 0, 0, &head, receipts, count);
    proof_print(&text, buffer_span(&entries[index]), index, &path, buffer_span(&note));
    buffer_free(&note);
    return text;
}

static bool proves(struct span text, struct verdict *verdict, struct error *error)
{
    struct proof proof;
    bool ok = proof_parse(&proof, text, error) == 0 && proof_verify(verdict, &proof, &policy, error) == 0;

    proof_free(&proof);
    return ok;
}

static bool is_proof(struct span text)
{
    struct verdict verdict;
    struct error error = {0};
    bool ok = proves(text, &verdict, &error);

    CHECK(ok == (error.code == ERROR_NONE));
    return ok;
}

static void take_the_lines_policy(void)
{
    struct buffer text = {0};

    policy_print(&text, &line.charter);
    CHECK(policy_parse(&policy, buffer_span(&text), NULL) == 0);
    buffer_free(&text);
}

static void every_entry_is_proved(void)
{
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct buffer text = proof_of(i, 6);
        struct verdict verdict;
        uint8_t leaf[HASH_SIZE];

        tree_leaf(leaf, buffer_span(&entries[i]));
        CHECK(proves(buffer_span(&text), &verdict, NULL));
        CHECK(strcmp(verdict.log->party, "washington.example") == 0 && memcmp(verdict.leaf, leaf, HASH_SIZE) == 0);
        CHECK(verdict.holder_count == 2 && strcmp(verdict.holder[0].witness->party, "pyongyang.example") == 0 &&
              verdict.holder[0].time == 1795462029 && verdict.holder[1].time == 1795462030);
        buffer_free(&text);
    }
}

/* The quorum is all the others, and a receipt of the author is none of theirs. */
static void only_the_others_receipts_count(void)
{
    for (unsigned by = 0; by < 8; by++) {
        struct buffer text = proof_of(1, by);
        struct verdict verdict;

        CHECK(proves(buffer_span(&text), &verdict, NULL) == ((by & 6) == 6));
        CHECK(verdict.holder_count == (by >> 1 & 1) + (by >> 2 & 1));
        buffer_free(&text);
    }
}

static void thresholds_and_groups(void)
{
    static const char *const quorums[] = {
        "quorum none\n",
        "quorum pyongyang.example\n",
        "group g any pyongyang.example beijing.example\nquorum g\n",
        "group g any washington.example\nquorum g\n",
        "group g 2 pyongyang.example beijing.example\nquorum g\n",
        "group g all washington.example pyongyang.example\nquorum g\n",
        "group g any beijing.example\ngroup h all g pyongyang.example\nquorum h\n",
        "group g any washington.example beijing.example\ngroup h 1 g pyongyang.example\nquorum h\n",
    };
    static const bool wanted[][4] = {
        /* receipts by nobody, pyongyang, beijing, both; washington's, the author's, is always there */
        {true, true, true, true},     {false, true, false, true},  {false, true, true, true},
        {false, false, false, false}, {false, false, false, true}, {false, false, false, false},
        {false, false, false, true},  {false, true, true, true},
    };

    for (size_t i = 0; i < sizeof quorums / sizeof quorums[0]; i++) {
        struct buffer text = {0};

        policy_print(&text, &line.charter);
        text.size = (size_t)(strstr(buffer_string(&text), "group ") - (char *)text.data);
        buffer_print(&text, "%s", quorums[i]);
        CHECK(policy_parse(&policy, buffer_span(&text), NULL) == 0);
        for (unsigned by = 0; by < 4; by++) {
            struct buffer proof = proof_of(2, by << 1 | 1);

            if (is_proof(buffer_span(&proof)) != wanted[i][by]) {
                printf("# %s# receipts %u\n", quorums[i], by);
                CHECK(false);
            }
            buffer_free(&proof);
        }
        buffer_free(&text);
    }
    take_the_lines_policy();
}

static void no_truncation_and_no_tail_proves(void)
{
    struct buffer text = proof_of(3, 6);

    for (size_t size = 0; size < text.size; size++)
        CHECK(!is_proof(span_of(text.data, size)));
    buffer_put_u8(&text, '\n');
    CHECK(!is_proof(buffer_span(&text)));
    buffer_free(&text);
}

static void no_flipped_bit_proves(void)
{
    struct buffer text = proof_of(3, 6);

    CHECK(is_proof(buffer_span(&text)));
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!is_proof(buffer_span(&text)));
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_free(&text);
}

#define HASH_LINE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void malformed_proofs_are_refused(void)
{
    static const struct {
        const char *old, *new;
    } rows[] = {
        {"c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n"},
        {"c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\r\n"},
        {"extra ", "extra"},
        {"extra ", "extra  "},
        {"extra ", "extra \n#"},
        {"index 3\n", "index 2\n"},
        {"index 3\n", "index 03\n"},
        {"index 3\n", "index -3\n"},
        {"index 3\n", "index 5\n"},
        {"index 3\n", "index 9223372036854775808\n"},
        {"index 3\n", "Index 3\n"},
        {"index 3\n", ""},
        {"index 3\n", "index 3\n" HASH_LINE}, /* a surplus hash */
        {"\n\n", "\n" HASH_LINE "\n"},
        {"\n\n", "\n"}, /* no blank line before the checkpoint */
        {"\n\n", "\n\n\n"},
        {"/0\n5\n", "/0\n4\n"},
        {"/0\n5\n", "/0\n05\n"},
        {"/0\n5\n", "/0\n\n"},
        {"/0\n5\n", "/1\n5\n"},
        {"/0\n5\n", "/0\n5\nextension\n"},
        {"\u2014 ", "- "},
        {"\u2014 ", "\u2014"},
        {"\u2014 ", "\u2014  "},
        {"\u2014 ", "\n\u2014 "},
        {"/0 ", "/0  "},
        {"/0 ", "/0+"},
        {"/0\n", "/0\x1b\n"},
    };
    struct buffer text = proof_of(3, 6);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bad = replaced(&text, rows[i].old, rows[i].new);

        if (is_proof(buffer_span(&bad))) {
            printf("# accepted: %s\n", rows[i].new);
            CHECK(false);
        }
        buffer_free(&bad);
    }
    buffer_free(&text);
}

static void signatures_of_strangers_are_ignored(void)
{
    struct buffer text = proof_of(3, 6);

    buffer_print(&text, "\u2014 example.org/witness AAAAAAAAAAAA\n");
    CHECK(is_proof(buffer_span(&text)));
    buffer_free(&text);
}

/* C2SP signed-note: a signature that names a known key and is wrong refuses the note. */
static void a_wrong_signature_of_a_known_key_refuses_everything(void)
{
    struct buffer text = proof_of(3, 6);
    struct error error = {0};
    struct verdict verdict;
    uint8_t blob[76] = {0};
    char name[ORIGIN_SIZE];

    charter_receipt_name(&line.charter, 2, name);
    put_u32_be(blob, note_key_id(span_of_string(name), NOTE_COSIGNATURE, line.charter.members[2].receipt_key));
    buffer_print(&text, "\u2014 %s ", name);
    text_put_base64(&text, span_of(blob, sizeof blob));
    buffer_put_u8(&text, '\n');
    CHECK(!proves(buffer_span(&text), &verdict, &error) && error.code == ERROR_MISMATCH);
    buffer_free(&text);
}

static void one_receipt_twice_counts_once(void)
{
    struct buffer text = proof_of(3, 2);
    const char *last = NULL;
    struct verdict verdict;

    last = strrchr(buffer_string(&text), ' ');
    while (strncmp(last, "\u2014", 3) != 0)
        last--;
    buffer_print(&text, "%s", strdupa(last));
    CHECK(!proves(buffer_span(&text), &verdict, NULL) && verdict.holder_count == 1);
    buffer_free(&text);
}

static void sixteen_signatures_are_taken_and_seventeen_refused(void)
{
    struct buffer text = proof_of(3, 6);

    for (unsigned i = 3; i < 16; i++)
        buffer_print(&text, "\u2014 example.org/%u AAAAAAAAAAAA\n", i);
    CHECK(is_proof(buffer_span(&text)));
    buffer_print(&text, "\u2014 example.org/16 AAAAAAAAAAAA\n");
    CHECK(!is_proof(buffer_span(&text)));
    buffer_free(&text);
}

/* The head is another's: signed by a log of the policy, under another log's name. */
static void a_log_speaks_only_under_its_own_origin(void)
{
    struct head other = head;
    struct tree_proof path = path_of(0);
    struct buffer note = {0}, text = {0};
    char origin[ORIGIN_SIZE];
    struct error error = {0};
    struct verdict verdict;

    charter_origin(&line.charter, 1, 0, origin);
    head_sign(&other, origin, line.identity[0].log_secret); /* not the key of member 1's log */
    head_note(&note, &line.charter, 1, 0, &other, NULL, 0);
    proof_print(&text, buffer_span(&entries[0]), 0, &path, buffer_span(&note));
    CHECK(!proves(buffer_span(&text), &verdict, &error) && error.code == ERROR_MISMATCH);
    buffer_free(&text);
    buffer_free(&note);
}

static void a_proof_without_the_entry_proves_nothing(void)
{
    struct buffer text = proof_of(0, 6);
    struct buffer without = {0};
    struct proof proof;
    const char *index = strstr(buffer_string(&text), "index ");
    struct error error = {0};
    struct verdict verdict;

    buffer_print(&without, "c2sp.org/tlog-proof@v1\n%s", index);
    CHECK(proof_parse(&proof, buffer_span(&without), NULL) == 0 && proof.extra.size == 0);
    proof_free(&proof);
    CHECK(!proves(buffer_span(&without), &verdict, &error) && error.code == ERROR_INVALID);
    proof_free(NULL);
    buffer_free(&without);
    buffer_free(&text);
}

/* A good proof is not called bad, nor a receipt false, because memory ran out. */
static void without_memory_nothing_is_proved_and_nobody_blamed(void)
{
    struct buffer text = proof_of(1, 6);
    size_t failed = 0;

    take_the_lines_policy();
    for (size_t n = 1;; n++) {
        struct verdict verdict;
        struct error error = {0};
        bool proved = false, ran_out = false;

        memory_fail(n);
        proved = proves(buffer_span(&text), &verdict, &error);
        ran_out = memory_ran_out();
        CHECK(proved == !ran_out && error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
        if (!ran_out)
            break;
        failed++;
        CHECK(n < 100);
    }
    CHECK(failed >= 4); /* the extra line, the signatures, the author's head, two receipts */
    buffer_free(&text);
}

int main(void)
{
    test_line_found(&line, 3, "proof");
    make_log();
    take_the_lines_policy();
    RUN(every_entry_is_proved);
    RUN(only_the_others_receipts_count);
    RUN(thresholds_and_groups);
    RUN(no_truncation_and_no_tail_proves);
    RUN(no_flipped_bit_proves);
    RUN(malformed_proofs_are_refused);
    RUN(signatures_of_strangers_are_ignored);
    RUN(a_wrong_signature_of_a_known_key_refuses_everything);
    RUN(one_receipt_twice_counts_once);
    RUN(sixteen_signatures_are_taken_and_seventeen_refused);
    RUN(a_log_speaks_only_under_its_own_origin);
    RUN(a_proof_without_the_entry_proves_nothing);
    RUN(without_memory_nothing_is_proved_and_nobody_blamed);
    for (unsigned i = 0; i < ENTRIES; i++)
        buffer_free(&entries[i]);
    test_line_free(&line);
    return test_end();
}
