/*
 * Proofs: their form, and what in one of them is not true: entry, number, path, head, signature, receipts.
 */
#include "record/proof.h"

#include "lines.h"
#include "record/line.h"

#define LOG_SIZE 7
#define INDEX 2
#define ALL_OTHERS 0x6u /* members 1 and 2 */

static struct test_line line;
static struct policy *policy; /* too large for the stack */
static struct buffer entries[LOG_SIZE];
static struct buffer text; /* the specimen */

static int feed_proof(void *context, struct span input, struct error *error)
{
    static struct proof proof;
    struct verdict verdict;
    int result = proof_parse(&proof, input, error);

    (void)context;
    if (result == 0)
        result = proof_verify(&verdict, &proof, policy, error);
    proof_free(&proof);
    return result;
}

static const struct interface proof_in = {"proof", feed_proof, NULL, NULL};

/* --- a log and proofs of it -------------------------------------------------------------------------------------- */

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

static struct tree_proof path_of(uint64_t index, uint64_t size)
{
    struct tree_range range[TREE_PROOF_MAX];
    struct tree_proof path = {.count = tree_inclusion_ranges(index, size, range)};

    for (size_t i = 0; i < path.count; i++)
        hash_range(path.hash[i], range[i]);
    return path;
}

/* What a proof is made of; each part may be made false by itself. */
struct making {
    unsigned author, signer; /* whose log it says to be of, and whose key signs */
    uint64_t index, size;
    struct span entry;
    struct tree_proof path;
    struct head head;
    bool signed_otherwise; /* head.signature is as it is */
    unsigned by;           /* the receipts: a bit for each member */
    struct receipt receipt[MEMBERS_MAX];
    bool receipted_otherwise;
    const char *origin; /* NULL: the author's */
};

static struct making honest(void)
{
    struct making making = {.index = INDEX, .size = LOG_SIZE, .entry = buffer_span(&entries[INDEX]), .by = ALL_OTHERS};

    making.path = path_of(INDEX, LOG_SIZE);
    making.head.size = LOG_SIZE;
    hash_range(making.head.root, (struct tree_range){0, LOG_SIZE});
    return making;
}

static void make_receipts(struct making *making, const char *origin, size_t *count)
{
    *count = 0;
    for (unsigned i = 0; i < line.charter.member_count; i++) {
        if ((making->by >> i & 1) == 0)
            continue;
        making->receipt[*count].by = i;
        if (!making->receipted_otherwise) {
            making->receipt[*count].time = 1795462028 + i;
            receipt_sign(&making->receipt[*count], &making->head, origin, line.identity[i].receipt_secret);
        }
        ++*count;
    }
}

static void make(struct making *making, struct buffer *out)
{
    struct buffer note = {0};
    char origin[ORIGIN_SIZE];
    size_t count = 0;

    charter_origin(&line.charter, making->author, 0, origin);
    if (!making->signed_otherwise)
        head_sign(&making->head, origin, line.identity[making->signer].log_secret);
    make_receipts(making, origin, &count);
    head_note(&note, &line.charter, making->author, 0, &making->head, making->receipt, count);
    buffer_reset(out);
    proof_print(out, making->entry, making->index, &making->path, buffer_span(&note));
    buffer_free(&note);
}

static void bad_making(struct making making, enum error_code code, const char *fragment, const char *name)
{
    struct buffer out = {0};

    make(&making, &out);
    bad(&proof_in, buffer_span(&out), code, fragment, "%s", name);
    buffer_free(&out);
}

/* --- form -------------------------------------------------------------------------------------------------------- */

enum { FIRST, EXTRA, NUMBER, PATH, BLANK = 6, ORIGIN, SIZE, ROOT, SECOND_BLANK, SIGNATURE, RECEIPTS, LINES = 14 };
#define BODY                                                                                                           \
    "the checkpoint in the proof is not origin, size and root|after the checkpoint's root there is no blank line"
#define TEXT "|the proof holds bytes that are not UTF-8 text"
static const char *const names[LINES] = {"the first line",
                                         "extra",
                                         "index",
                                         "the path's first hash",
                                         "the path's second hash",
                                         "the path's third hash",
                                         "the blank line before the checkpoint",
                                         "the origin",
                                         "the size",
                                         "the root",
                                         "the blank line before the signatures",
                                         "the author's signature",
                                         "the first receipt",
                                         "the second receipt"};
static const char *const fragments[LINES] = {
    "this is not a proof: its first line is not" TEXT,
    "the proof's line \"extra\" is not base64|the proof has no line \"index\"" TEXT,
    "the proof has no line \"index\" with a number" TEXT,
    "hash 1 of the proof's path is not 32 bytes of base64|the proof ends before its checkpoint" TEXT,
    "hash 2 of the proof's path is not 32 bytes of base64|the proof ends before its checkpoint" TEXT,
    "hash 3 of the proof's path is not 32 bytes of base64|the proof ends before its checkpoint" TEXT,
    "hash 4 of the proof's path is not 32 bytes of base64|the proof ends before its checkpoint" TEXT,
    BODY TEXT,
    BODY TEXT,
    BODY TEXT,
    BODY TEXT,
    "signature line 1 of the checkpoint is not well-formed" TEXT,
    "signature line 2 of the checkpoint is not well-formed" TEXT,
    "signature line 3 of the checkpoint is not well-formed" TEXT,
};
static struct text_specimen specimen;

static void lines_of_it(void)
{
    struct buffer out = {0};

    family_begin("proofs with a line missing or doubled");
    good(&proof_in, specimen.text, "the specimen");
    for (size_t i = 0; i < LINES; i++) {
        /* Without its extra line, a hash or a receipt it is still a proof, of too little: see below. */
        if (i != EXTRA && (i < PATH || i >= BLANK) && i < SIGNATURE)
            bad_line(&specimen, i, span_of(NULL, 0), i, "missing");
        lines_replaced(&specimen, i, i, specimen.line[i].bytes, &out);
        if (i < PATH || (i >= BLANK && i < SIGNATURE))
            bad(&proof_in, buffer_span(&out), ERROR_INVALID, specimen.line[i + 1].fragment, "the specimen, %s twice",
                names[i]);
        lines_replaced(&specimen, i, i, span_of("\n", 1), &out);
        bad(&proof_in, buffer_span(&out), ERROR_INVALID, i >= PATH && i < BLANK ? BODY : specimen.line[i].fragment,
            "the specimen, an empty line before %s", names[i]);
        lines_replaced(&specimen, i, i, span_of("# remark\n", 9), &out);
        bad(&proof_in, buffer_span(&out), ERROR_INVALID, specimen.line[i].fragment, "the specimen, a remark before %s",
            names[i]);
    }
    family_end();
    family_begin("proofs with a line that is written otherwise");
    for (size_t i = 0; i < LINES; i++) {
        static const char *const strange[] = {"\t",   "\r",       "\033[2J",      "\x80",
                                              "\xff", "\xc0\xaf", "\xed\xa0\x80", "\x01"};

        for (size_t k = 0; k < sizeof strange / sizeof strange[0]; k++) {
            char how[80];

            buffer_reset(&out);
            buffer_put(&out, specimen.line[i].bytes.data, specimen.line[i].bytes.size - 1);
            buffer_print(&out, "%s\n", strange[k]);
            (void)snprintf(how, sizeof how, "with the byte 0x%02x at its end", (uint8_t)strange[k][0]);
            bad_line(&specimen, i, buffer_span(&out), i, how);
        }
        buffer_reset(&out);
        buffer_print(&out, " ");
        buffer_put_span(&out, specimen.line[i].bytes);
        if (i != ORIGIN)
            bad_line(&specimen, i, buffer_span(&out), i, "with a space before it");
        buffer_reset(&out);
        buffer_put(&out, specimen.line[i].bytes.data, specimen.line[i].bytes.size - 1);
        buffer_print(&out, " \n");
        if (i != ORIGIN)
            bad_line(&specimen, i, buffer_span(&out), i, "with a space behind it");
    }
    family_end();
    buffer_free(&out);
}

static void values(void)
{
    struct buffer out = {0};

    family_begin("proofs with values that are none");
    bad_base64_of(&specimen, EXTRA, true);
    bad_decimal(&specimen, NUMBER, INT64_MAX);
    for (size_t i = PATH; i < BLANK; i++)
        bad_base64(&specimen, i);
    bad_decimal(&specimen, SIZE, INT64_MAX);
    bad_base64(&specimen, ROOT);
    family_end();
    family_begin("proofs with signatures of no form");
    for (size_t i = SIGNATURE; i < LINES; i++) {
        const char *whole = (const char *)specimen.line[i].bytes.data;
        int size = (int)specimen.line[i].bytes.size - 1;
        const char *name = memchr(whole, ' ', (size_t)size);
        const char *blob = memchr(name + 1, ' ', (size_t)(whole + size - name - 1));
        int name_size = (int)(blob - name - 1), blob_size = (int)(whole + size - blob - 1);
        const struct {
            const char *dash;
            int from, name_taken, blob_from, blob_taken;
            const char *between;
            const char *how;
        } forms[] = {
            {"- ", 0, name_size, 0, blob_size, " ", "with a hyphen for its dash"},
            {"\u2013 ", 0, name_size, 0, blob_size, " ", "with a shorter dash"},
            {"\u2014", 0, name_size, 0, blob_size, " ", "without the space behind its dash"},
            {"", 0, name_size, 0, blob_size, " ", "without its dash"},
            {"\u2014  ", 0, name_size, 0, blob_size, " ", "with two spaces behind its dash"},
            {"\u2014 ", 0, 0, 0, blob_size, " ", "without a name"},
            {"\u2014 ", 0, name_size, 0, 0, "", "without what was signed"},
            {"\u2014 ", 0, name_size, 0, 0, " ", "with nothing behind its name"},
            {"\u2014 ", 0, name_size, 0, blob_size, "+", "with a plus behind its name"},
            {"\u2014 +", 0, name_size, 0, blob_size, " ", "with a plus before its name"},
            {"\u2014 ", 0, name_size, 0, blob_size, "  ", "with two spaces behind its name"},
            {"\u2014 ", 0, name_size, 0, blob_size - 1, " ", "without its last character"},
            {"\u2014 ", 0, name_size, 1, blob_size - 1, " ", "without its value's first character"},
            {"\u2014 ", 0, name_size, 0, 4, " ", "of three bytes"},
            {"\u2014 ", 0, name_size, 0, 2, " ", "of half a group"},
            {"\u2014 ", 0, name_size, 0, blob_size - 2, " ", "without its padding"},
            {"\u2014 ", 0, name_size, 0, blob_size, " =", "with an equals sign in front"},
        };

        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
            buffer_reset(&out);
            buffer_print(&out, "%s%.*s%s%.*s\n", forms[k].dash, forms[k].name_taken, name + 1, forms[k].between,
                         forms[k].blob_taken, blob + 1 + forms[k].blob_from);
            bad_line(&specimen, i, buffer_span(&out), i, forms[k].how);
        }
        buffer_reset(&out);
        buffer_print(&out, "\u2014 %.*s AAAAAA==\n", name_size, name + 1);
        bad_line(&specimen, i, buffer_span(&out), i, "of a key's id alone");
    }
    for (unsigned count = NOTE_SIGNATURES_MAX + 1; count < NOTE_SIGNATURES_MAX + 20; count += 6) {
        buffer_reset(&out);
        for (unsigned i = 3; i < count; i++)
            buffer_print(&out, "\u2014 stranger%u.example AAAAAAAA\n", i);
        {
            struct buffer whole = {0};

            buffer_put_span(&whole, specimen.text);
            buffer_put_span(&whole, buffer_span(&out));
            bad(&proof_in, buffer_span(&whole), ERROR_INVALID, "the checkpoint has more than 16 signatures",
                "with %u signatures", count);
            buffer_free(&whole);
        }
    }
    for (unsigned count = TREE_PROOF_MAX + 1; count < TREE_PROOF_MAX + 40; count += 13) {
        struct making making = honest();
        struct buffer whole = {0};

        buffer_reset(&out);
        for (unsigned i = 3; i < count; i++)
            buffer_print(&out, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        make(&making, &whole);
        lines_replaced(&specimen, BLANK, BLANK, buffer_span(&out), &whole);
        bad(&proof_in, buffer_span(&whole), ERROR_INVALID, "the proof's path has more than 64 hashes", "with %u hashes",
            count);
        buffer_free(&whole);
    }
    buffer_reset(&out);
    buffer_put_span(&out, specimen.text);
    while (out.size <= PROOF_SIZE_MAX)
        buffer_print(&out, "\u2014 stranger.example AAAAAAAA\n");
    bad(&proof_in, buffer_span(&out), ERROR_INVALID, "it is longer than 131072 bytes", "of more than 128 KiB");
    family_end();
    family_begin("proofs cut short");
    catalogue.cut = true;
    bad(&proof_in, span_of(NULL, 0), ERROR_INVALID, "this is not a proof", "of no bytes");
    for (size_t i = 0, at = 0; i < SIGNATURE + 1; at += specimen.line[i++].bytes.size)
        for (size_t k = 0; k < specimen.line[i].bytes.size; k += 5)
            bad(&proof_in, span_of(specimen.text.data, at + k), ERROR_INVALID,
                i == EXTRA ? "the proof's line \"extra\"|the proof has no line \"index\"|the proof ends before its "
                             "checkpoint" TEXT
                : i == ORIGIN || i == SIZE || i == ROOT || i == SECOND_BLANK ? BODY TEXT
                                                                             : specimen.line[i].fragment,
                "cut after byte %zu of %zu, in %s", at + k, specimen.text.size, names[i]);
    family_end();
    family_begin("proofs with something behind");
    bad_text_tails(&specimen);
    family_end();
    buffer_free(&out);
}

static void firsts(void)
{
    static const char *const first[] = {"c2sp.org/tlog-proof@v2",
                                        "c2sp.org/tlog-proof@v0",
                                        "c2sp.org/tlog-proof@v10",
                                        "c2sp.org/tlog-proof@v1 ",
                                        "c2sp.org/tlog-proof",
                                        "C2SP.org/tlog-proof@v1",
                                        "https://c2sp.org/tlog-proof@v1",
                                        "c2sp.org/tlog-checkpoint@v1",
                                        "liaison-proof/v1",
                                        "liaison-card/v1",
                                        "extra AAAA",
                                        "",
                                        "{",
                                        "-----BEGIN-----"};
    struct buffer out = {0};

    family_begin("proofs of another form");
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        struct buffer whole = {0};

        buffer_reset(&out);
        buffer_print(&out, "%s\n", first[i]);
        lines_replaced(&specimen, FIRST, FIRST + 1, buffer_span(&out), &whole);
        bad(&proof_in, buffer_span(&whole), ERROR_INVALID,
            "this is not a proof: its first line is not \"c2sp.org/tlog-proof@v1\"", "with the first line \"%s\"",
            first[i]);
        buffer_free(&whole);
    }
    family_end();
    buffer_free(&out);
}

/* --- truth ------------------------------------------------------------------------------------------------------- */

#define NOT_IN_LOG "the entry is not in the signed log at number "
#define NOT_AUTHORS "the author's signature on the head does not verify"
#define TOO_FEW "too few receipts: "

static void numbers(void)
{
    static const uint64_t sizes[] = {0, 1, 2, 3, 6, 8, 1000, 1ull << 32, 1ull << 40, INT64_MAX};
    struct making making;
    char name[100], fragment[100];

    family_begin("proofs of another number or size");
    for (uint64_t index = 0; index < 12; index++) {
        making = honest();
        making.index = index;
        (void)snprintf(name, sizeof name, "entry %d said to be number %llu", INDEX, (unsigned long long)index);
        (void)snprintf(fragment, sizeof fragment, NOT_IN_LOG "%llu", (unsigned long long)index);
        if (index != INDEX)
            bad_making(making, ERROR_MISMATCH, fragment, name);
    }
    for (unsigned shift = 8; shift < 63; shift += 6) {
        making = honest();
        making.index = (1ull << shift) + INDEX;
        (void)snprintf(name, sizeof name, "entry %d said to be number 2^%u + %d", INDEX, shift, INDEX);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    making.index = INT64_MAX;
    bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, "entry 2 said to be number 2^63 - 1");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        making = honest();
        making.head.size = sizes[i]; /* and signed */
        (void)snprintf(name, sizeof name, "under a head of %llu with the root of 7", (unsigned long long)sizes[i]);
        /* The same path may lead to one root at two sizes, but not for this entry at these. */
        if (tree_inclusion_ranges(INDEX, sizes[i] > INDEX ? sizes[i] : INDEX + 1,
                                  (struct tree_range[TREE_PROOF_MAX]){{0}}) != 3 ||
            sizes[i] <= INDEX)
            bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    for (uint64_t size = INDEX + 1; size < LOG_SIZE; size++) {
        making = honest();
        making.head.size = size;
        hash_range(making.head.root, (struct tree_range){0, size});
        (void)snprintf(name, sizeof name, "with the path of 7 under the head of %llu", (unsigned long long)size);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        making = honest();
        making.path = path_of(INDEX, size);
        (void)snprintf(name, sizeof name, "with the path of %llu under the head of 7", (unsigned long long)size);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    family_end();
}

static void paths(void)
{
    struct making making;
    char name[100];

    family_begin("proofs whose path leads elsewhere");
    for (size_t i = 0; i < 3; i++) {
        for (unsigned bit = 0; bit < 256; bit += 23) {
            making = honest();
            making.path.hash[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
            (void)snprintf(name, sizeof name, "bit %u of hash %zu of the path changed", bit, i + 1);
            bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        }
        making = honest();
        memmove(making.path.hash[i], making.path.hash[i + 1], (2 - i) * HASH_SIZE);
        making.path.count--;
        (void)snprintf(name, sizeof name, "hash %zu of the path missing", i + 1);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        making = honest();
        memmove(making.path.hash[i + 1], making.path.hash[i], (3 - i) * HASH_SIZE);
        making.path.count++;
        (void)snprintf(name, sizeof name, "hash %zu of the path twice", i + 1);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        making = honest();
        memset(making.path.hash[i], 0, HASH_SIZE);
        (void)snprintf(name, sizeof name, "hash %zu of the path zero", i + 1);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        making = honest();
        memcpy(making.path.hash[i], making.path.hash[(i + 1) % 3], HASH_SIZE);
        (void)snprintf(name, sizeof name, "hash %zu of the path as the next", i + 1);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    for (size_t count = 0; count <= TREE_PROOF_MAX; count += count < 8 ? 1 : 14) {
        making = honest();
        if (count == making.path.count)
            continue;
        for (size_t i = making.path.count; i < count; i++)
            hash_range(making.path.hash[i], (struct tree_range){0, 1 + i % LOG_SIZE});
        making.path.count = count;
        (void)snprintf(name, sizeof name, "a path of %zu hashes and not 3", count);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    for (uint64_t index = 0; index < LOG_SIZE; index++) {
        making = honest();
        making.path = path_of(index, LOG_SIZE);
        (void)snprintf(name, sizeof name, "with the path of entry %llu", (unsigned long long)index);
        if (index != INDEX)
            bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        making = honest();
        making.entry = buffer_span(&entries[index]);
        (void)snprintf(name, sizeof name, "with the bytes of entry %llu", (unsigned long long)index);
        if (index != INDEX)
            bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    family_end();
}

/* What is hashed to a node must not pass as an entry, nor an entry as a node. */
static void preimages(void)
{
    struct making making = honest();
    uint8_t node[2 * HASH_SIZE + 1] = {1};

    family_begin("proofs of an entry that is a node, or of none");
    hash_range(node + 1, (struct tree_range){0, 1});
    hash_range(node + 1 + HASH_SIZE, (struct tree_range){1, 2});
    making.index = 0;
    making.entry = span_of(node + 1, 2 * HASH_SIZE);
    making.path = path_of(INDEX, LOG_SIZE);
    memmove(making.path.hash[0], making.path.hash[1], 2 * HASH_SIZE);
    making.path.count = 2;
    bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, "two hashes as an entry");
    making.entry = span_of(node, sizeof node);
    bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, "a node's own bytes as an entry");
    making = honest();
    making.entry = span_of(NULL, 0);
    bad_making(making, ERROR_INVALID, "the proof does not hold the entry it is about", "an entry of no bytes");
    {
        struct buffer out = {0};

        lines_replaced(&specimen, EXTRA, EXTRA + 1, span_of(NULL, 0), &out);
        bad(&proof_in, buffer_span(&out), ERROR_INVALID, "the proof does not hold the entry it is about",
            "without its entry");
        buffer_free(&out);
    }
    for (size_t cut = 0; cut < entries[INDEX].size; cut += 3) {
        char name[100];

        making = honest();
        making.entry = span_of(entries[INDEX].data, cut + 1 == entries[INDEX].size ? cut : cut + 1);
        (void)snprintf(name, sizeof name, "with the first %zu bytes of its entry", making.entry.size);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
    }
    for (size_t bit = 0; bit < 8 * entries[INDEX].size; bit += 29) {
        struct buffer changed = {0};
        char name[100];

        making = honest();
        buffer_put_span(&changed, making.entry);
        changed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        making.entry = buffer_span(&changed);
        (void)snprintf(name, sizeof name, "bit %zu of its entry changed", bit);
        bad_making(making, ERROR_MISMATCH, NOT_IN_LOG, name);
        buffer_free(&changed);
    }
    family_end();
}

static void heads(void)
{
    struct making making;
    char name[100], origin[ORIGIN_SIZE];

    family_begin("proofs under a head that its author did not sign");
    for (unsigned bit = 0; bit < 512; bit += 17) {
        making = honest();
        charter_origin(&line.charter, 0, 0, origin);
        head_sign(&making.head, origin, line.identity[0].log_secret);
        making.signed_otherwise = true;
        making.head.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)snprintf(name, sizeof name, "bit %u of the author's signature changed", bit);
        bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, name);
        making = honest();
        head_sign(&making.head, origin, line.identity[0].log_secret);
        making.signed_otherwise = true;
        making.head.root[bit / 16] ^= (uint8_t)(1u << bit % 8);
        (void)snprintf(name, sizeof name, "bit %u of the root changed after it was signed", bit / 2);
        bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, name);
    }
    for (uint64_t size = 0; size < 12; size++) {
        making = honest();
        charter_origin(&line.charter, 0, 0, origin);
        head_sign(&making.head, origin, line.identity[0].log_secret);
        making.signed_otherwise = true;
        making.head.size = size;
        (void)snprintf(name, sizeof name, "a head of 7, said to be of %llu", (unsigned long long)size);
        if (size != LOG_SIZE)
            bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, name);
    }
    for (unsigned signer = 1; signer < 3; signer++) {
        making = honest();
        making.signer = signer;
        (void)snprintf(name, sizeof name, "a head of the first's log signed by member %u", signer);
        bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, name);
    }
    for (unsigned log = 0; log < 3; log++)
        for (unsigned incarnation = 0; incarnation < 3; incarnation++) {
            making = honest();
            charter_origin(&line.charter, log, incarnation, origin);
            making.signed_otherwise = true;
            head_sign(&making.head, origin, line.identity[0].log_secret);
            (void)snprintf(name, sizeof name, "the author's signature on incarnation %u of member %u's log",
                           incarnation, log);
            if (log + incarnation > 0)
                bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, name);
        }
    making = honest();
    making.signed_otherwise = true;
    memset(making.head.signature, 0, SIGNATURE_SIZE);
    bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, "a signature of zeros");
    memset(making.head.signature, 0xff, SIGNATURE_SIZE);
    bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, "a signature of ones");
    charter_origin(&line.charter, 0, 0, origin);
    head_sign(&making.head, origin, line.identity[0].receipt_secret);
    bad_making(making, ERROR_MISMATCH, NOT_AUTHORS, "signed with the author's receipt key");
    family_end();
}

static void receipts(void)
{
    struct making making;
    char name[100], origin[ORIGIN_SIZE];
    static const char *const sets[] = {"no receipt",         "the author's own alone",
                                       "the second's alone", "the author's and the second's",
                                       "the third's alone",  "the author's and the third's"};

    family_begin("proofs with too few receipts");
    for (unsigned by = 0; by < 6; by++) {
        making = honest();
        making.by = by;
        bad_making(making, ERROR_MISMATCH, TOO_FEW, sets[by]);
    }
    making = honest();
    for (unsigned i = 1; i < 3; i++) {
        struct buffer out = {0};

        making = honest();
        making.by = 1u << i;
        make(&making, &out);
        {
            struct text_specimen one = {.on = &proof_in, .text = buffer_span(&out), .name = "one"};
            struct buffer whole = {0};

            text_note(&one, names, fragments);
            lines_replaced(&one, RECEIPTS, RECEIPTS, one.line[RECEIPTS].bytes, &whole);
            bad(&proof_in, buffer_span(&whole), ERROR_MISMATCH, TOO_FEW, "member %u's receipt twice", i);
            buffer_free(&whole);
        }
        buffer_free(&out);
    }
    family_end();
    family_begin("proofs with a receipt that does not verify");
    charter_origin(&line.charter, 0, 0, origin);
    for (unsigned bit = 0; bit < 512; bit += 31)
        for (unsigned which = 0; which < 2; which++) {
            size_t count = 0;

            making = honest();
            make_receipts(&making, origin, &count);
            making.receipted_otherwise = true;
            making.receipt[which].signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            (void)snprintf(name, sizeof name, "bit %u of the signature of receipt %u changed", bit, which + 1);
            bad_making(making, ERROR_MISMATCH,
                       which == 0 ? "the receipt of pyongyang.example does not verify"
                                  : "the receipt of beijing.example does not verify",
                       name);
            making.receipt[which].signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            making.receipt[which].time ^= 1ull << bit / 8;
            (void)snprintf(name, sizeof name, "bit %u of the time of receipt %u changed", bit / 8, which + 1);
            bad_making(making, ERROR_MISMATCH,
                       which == 0 ? "the receipt of pyongyang.example does not verify"
                                  : "the receipt of beijing.example does not verify",
                       name);
        }
    for (unsigned which = 0; which < 2; which++) {
        static const uint64_t times[] = {1ull << 63, UINT64_MAX, (1ull << 63) + 1795462028};
        size_t count = 0;

        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
            making = honest();
            make_receipts(&making, origin, &count);
            making.receipted_otherwise = true;
            making.receipt[which].time = times[i];
            receipt_sign(&making.receipt[which], &making.head, origin, line.identity[1 + which].receipt_secret);
            (void)snprintf(name, sizeof name, "receipt %u of the time %llu, rightly signed", which + 1,
                           (unsigned long long)times[i]);
            bad_making(making, ERROR_MISMATCH, "does not verify", name);
        }
        for (unsigned kind = 0; kind < 5; kind++) {
            static const char *const kinds[] = {"signed by the other", "signed with the log key", "for another size",
                                                "for another root", "for another's log"};
            struct head other;
            char theirs[ORIGIN_SIZE];

            making = honest();
            make_receipts(&making, origin, &count);
            making.receipted_otherwise = true;
            other = making.head;
            other.size += kind == 2;
            other.root[0] ^= kind == 3;
            charter_origin(&line.charter, kind == 4 ? 1 + which : 0, 0, theirs);
            receipt_sign(&making.receipt[which], &other, theirs,
                         kind == 0   ? line.identity[2 - which].receipt_secret
                         : kind == 1 ? line.identity[1 + which].log_secret
                                     : line.identity[1 + which].receipt_secret);
            (void)snprintf(name, sizeof name, "receipt %u %s", which + 1, kinds[kind]);
            bad_making(making, ERROR_MISMATCH, "does not verify", name);
        }
    }
    family_end();
}

/* Signatures by keys that nobody named count as if they were not there. */
static void strangers(void)
{
    struct test_line other;
    struct making making = honest();
    struct buffer out = {0};
    struct buffer note = {0};
    char origin[ORIGIN_SIZE];

    family_begin("proofs of logs that the policy does not name");
    test_line_found(&other, 3, "strangers");
    for (unsigned author = 0; author < 3; author++) {
        buffer_reset(&note);
        charter_origin(&other.charter, author, 0, origin);
        head_sign(&making.head, origin, other.identity[author].log_secret);
        head_note(&note, &other.charter, author, 0, &making.head, NULL, 0);
        buffer_reset(&out);
        proof_print(&out, making.entry, making.index, &making.path, buffer_span(&note));
        bad(&proof_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed this head",
            "of another line's log %u", author);
    }
    for (unsigned incarnation = 1; incarnation < 4; incarnation++) {
        buffer_reset(&note);
        charter_origin(&line.charter, 0, incarnation, origin);
        head_sign(&making.head, origin, line.identity[0].log_secret);
        head_note(&note, &line.charter, 0, incarnation, &making.head, NULL, 0);
        buffer_reset(&out);
        proof_print(&out, making.entry, making.index, &making.path, buffer_span(&note));
        bad(&proof_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed this head",
            "of incarnation %u of a log", incarnation);
    }
    lines_replaced(&specimen, SIGNATURE, SIGNATURE + 1, span_of(NULL, 0), &out);
    bad(&proof_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed this head",
        "without the author's signature");
    lines_replaced(&specimen, ORIGIN, ORIGIN + 1, span_of_string("stranger.example\n"), &out);
    bad(&proof_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed this head", "of another origin");
    for (unsigned author = 1; author < 3; author++) {
        buffer_reset(&note);
        charter_origin(&line.charter, author, 0, origin);
        buffer_print(&note, "%s\n", origin);
        lines_replaced(&specimen, ORIGIN, ORIGIN + 1, buffer_span(&note), &out);
        bad(&proof_in, buffer_span(&out), ERROR_MISMATCH, "no log of the policy has signed this head",
            "of the origin of member %u", author);
    }
    family_end();
    buffer_free(&out);
    buffer_free(&note);
    test_line_free(&other);
}

int main(int argc, char **argv)
{
    struct buffer policy_text = {0};
    struct making making;

    catalogue_begin(argc, argv);
    policy = calloc(1, sizeof *policy);
    test_line_found(&line, 3, "bad proofs");
    policy_print(&policy_text, &line.charter);
    if (policy == NULL || policy_parse(policy, buffer_span(&policy_text), NULL) != 0)
        abort();
    for (unsigned i = 0; i < LOG_SIZE; i++)
        buffer_print(&entries[i], "what was said as number %u", i);
    making = honest();
    make(&making, &text);
    specimen = (struct text_specimen){.on = &proof_in,
                                      .text = buffer_span(&text),
                                      .name = "the specimen",
                                      .end = "signature line 4 of the checkpoint is not well-formed" TEXT};
    text_note(&specimen, names, fragments);
    specimen.line[ORIGIN].value = specimen.line[SIZE].value = specimen.line[ROOT].value = 0;
    lines_of_it();
    values();
    firsts();
    numbers();
    paths();
    preimages();
    heads();
    receipts();
    strangers();
    for (unsigned i = 0; i < LOG_SIZE; i++)
        buffer_free(&entries[i]);
    free(policy);
    buffer_free(&policy_text);
    buffer_free(&text);
    test_line_free(&line);
    return catalogue_end();
}
