#include "record/proof.h"

#include "record/line.h"
#include "test.h"

static struct test_line line;
static struct policy policy;     /* too large for the stack */
static struct buffer keys[3][2]; /* each member's log and receipt key as a verifier key */

static bool parses(struct span text)
{
    struct error error = {0};
    bool ok = policy_parse(&policy, text, &error) == 0;

    CHECK(ok == (error.code == ERROR_NONE));
    return ok;
}

/* Parses a text in which L0, L1, L2 stand for the members' log keys and W0, W1, W2 for their receipt keys. */
static bool parses_with_keys(const char *text)
{
    struct buffer out = {0};
    bool ok = false;

    for (; *text != 0; text++) {
        if ((*text == 'L' || *text == 'W') && text[1] >= '0' && text[1] <= '2') {
            buffer_put_span(&out, buffer_span(&keys[text[1] - '0'][*text == 'W']));
            text++;
        } else {
            buffer_put_u8(&out, (uint8_t)*text);
        }
    }
    ok = parses(buffer_span(&out));
    buffer_free(&out);
    return ok;
}

static void a_lines_policy_reads_back(void)
{
    struct buffer text = {0};
    char name[ORIGIN_SIZE];

    policy_print(&text, &line.charter);
    CHECK(parses(buffer_span(&text)));
    CHECK(policy.log_count == 3 && policy.witness_count == 3 && policy.group_count == 1 && !policy.quorum_none);
    CHECK(policy.group[0].threshold == 2 && policy.group[0].member_count == 3);
    CHECK(policy.quorum == POLICY_WITNESSES_MAX);
    for (unsigned i = 0; i < 3; i++) {
        charter_origin(&line.charter, i, 0, name);
        CHECK(strcmp(policy.log[i].name, name) == 0 && strcmp(policy.log[i].party, line.charter.members[i].name) == 0);
        CHECK(memcmp(policy.log[i].key, line.charter.members[i].log_key, 32) == 0);
        charter_receipt_name(&line.charter, i, name);
        CHECK(strcmp(policy.witness[i].name, name) == 0);
        CHECK(strcmp(policy.witness[i].party, line.charter.members[i].name) == 0);
        CHECK(memcmp(policy.witness[i].key, line.charter.members[i].receipt_key, 32) == 0);
    }
    buffer_free(&text);
}

static void good_policies(void)
{
    static const char *const rows[] = {
        "quorum none\n",
        "\n  # a remark \xff\n\t\nquorum\tnone \n",
        "log L0\nquorum none\n",
        "log L0 https://example.org/\nwitness a W1\nquorum a\n",
        "witness a W0 https://example.org/\nwitness b W1\ngroup g 2 a b\nquorum g\n",
        "witness a W0\nwitness b W1\nwitness c W2\ngroup g any a b\ngroup h all g c\nquorum h\n",
        "witness \xea\xb0\x80 W0\nquorum \xea\xb0\x80\n",
        "quorum none\nwitness a W0\n",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!parses_with_keys(rows[i])) {
            printf("# refused: %s\n", rows[i]);
            CHECK(false);
        }
    }
}

static void bad_policies(void)
{
    static const char *const rows[] = {
        "",
        "\n",
        "quorum none",
        "log L0\n",
        "quorum none\nquorum none\n",
        "quorum\n",
        "quorum a\n",
        "quorum none none\n",
        "Quorum none\n",
        "quorum none\r\n",
        "quorum none\x01\n",
        "quorum none\x7f\n",
        "quorum none\nunknown\n",
        "log\nquorum none\n",
        "log W0\nquorum none\n", /* a cosigner's key */
        "log L0 liaison:a more\nquorum none\n",
        "log L0\nlog L0\nquorum none\n", /* twice */
        "log xL0\nquorum none\n",        /* an id that is not of this name */
        "log x\nquorum none\n",
        "log +00000000+AAAA\nquorum none\n",
        "witness a\nquorum none\n",
        "witness a L0\nquorum none\n", /* a log's key */
        "witness a W0 x y\nquorum none\n",
        "witness a W0\nwitness a W1\nquorum a\n", /* a name twice */
        "witness a W0\nwitness b W0\nquorum a\n", /* a key twice */
        "witness none W0\nquorum none\n",
        "quorum a\nwitness a W0\n", /* before it is defined */
        "group g all g\nquorum g\n",
        "group g all a\nwitness a W0\nquorum g\n",
        "witness a W0\ngroup g all\nquorum g\n",
        "witness a W0\ngroup g 0 a\nquorum g\n",
        "witness a W0\ngroup g 2 a\nquorum g\n",
        "witness a W0\ngroup g 01 a\nquorum g\n",
        "witness a W0\ngroup g -1 a\nquorum g\n",
        "witness a W0\ngroup g most a\nquorum g\n",
        "witness a W0\ngroup g all a a\nquorum g\n",              /* a member twice */
        "witness a W0\ngroup g all a\ngroup h all a\nquorum g\n", /* in two groups */
        "witness a W0\ngroup a all a\nquorum a\n",
        "witness a W0\ngroup none all a\nquorum a\n",
        "witness a W0\ngroup g all none\nquorum g\n",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parses_with_keys(rows[i])) {
            printf("# accepted: %s\n", rows[i]);
            CHECK(false);
        }
    }
    CHECK(!parses(span_of("quorum none\0\n", 13)));
}

/* The specification asks for 32 of each at least. */
static void many_witnesses_are_taken_and_too_many_refused(void)
{
    static const unsigned counts[] = {32, POLICY_WITNESSES_MAX, POLICY_WITNESSES_MAX + 1};

    for (size_t row = 0; row < 3; row++) {
        unsigned count = counts[row];
        struct buffer text = {0};

        for (unsigned i = 0; i < count; i++) {
            uint8_t seed[SIGN_SEED_SIZE] = {(uint8_t)i}, key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];

            sign_keypair(key, secret, seed);
            buffer_print(&text, "witness w%u ", i);
            note_verifier_key_print(&text, "example.org/w", NOTE_COSIGNATURE, key);
            buffer_put_u8(&text, '\n');
        }
        buffer_print(&text, "group g any");
        for (unsigned i = 0; i < count; i++)
            buffer_print(&text, " w%u", i);
        buffer_print(&text, "\nquorum g\n");
        CHECK(parses(buffer_span(&text)) == (count <= POLICY_WITNESSES_MAX));
        buffer_free(&text);
    }
}

static void long_names_are_refused(void)
{
    for (size_t size = POLICY_NAME_SIZE - 1; size <= POLICY_NAME_SIZE; size++) {
        static const char *const rows[][2] = {{"witness ", " W0\nquorum none\n"},
                                              {"witness w W0\ngroup ", " any w\nquorum none\n"},
                                              {"log L0 liaison:", "\nquorum none\n"}};

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char name[POLICY_NAME_SIZE + 1] = "";
            char text[POLICY_NAME_SIZE + 64];

            memset(name, 'a', size);
            (void)snprintf(text, sizeof text, "%s%s%s", rows[i][0], name, rows[i][1]);
            CHECK(parses_with_keys(text) == (size < POLICY_NAME_SIZE));
        }
    }
}

static void no_flipped_bit_of_a_key_is_taken(void)
{
    struct buffer text = {0};
    size_t start = 4;

    buffer_print(&text, "log ");
    buffer_put_span(&text, buffer_span(&keys[0][0]));
    buffer_print(&text, "\nquorum none\n");
    CHECK(parses(buffer_span(&text)));
    for (size_t bit = start * 8; bit < (start + keys[0][0].size) * 8; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        /* the key id's hexadecimal may be in capitals: the same id */
        CHECK(!parses(buffer_span(&text)) || memcmp(policy.log[0].key, line.charter.members[0].log_key, 32) == 0);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_free(&text);
}

static void an_oversized_policy_is_refused(void)
{
    struct buffer text = {0};

    buffer_print(&text, "quorum none\n");
    while (text.size <= POLICY_SIZE_MAX)
        buffer_print(&text, "# a remark\n");
    CHECK(!parses(buffer_span(&text)));
    buffer_free(&text);
}

/* What a policy may hold of each: the most is taken and one more is refused, whatever the lines are. */
static void the_limits_of_a_policy_are_exact(void)
{
    for (unsigned logs = POLICY_LOGS_MAX; logs <= POLICY_LOGS_MAX + 1; logs++) {
        struct buffer text = {0};

        for (unsigned i = 0; i < logs; i++) {
            uint8_t seed[SIGN_SEED_SIZE] = {(uint8_t)i}, key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];

            sign_keypair(key, secret, seed);
            buffer_print(&text, "log ");
            note_verifier_key_print(&text, "example.org/l", NOTE_ED25519, key);
            buffer_put_u8(&text, '\n');
        }
        buffer_print(&text, "quorum none\n");
        CHECK(parses(buffer_span(&text)) == (logs <= POLICY_LOGS_MAX));
        buffer_free(&text);
    }
    for (unsigned groups = POLICY_GROUPS_MAX; groups <= POLICY_GROUPS_MAX + 1; groups++) {
        struct buffer text = {0};

        buffer_print(&text, "witness w W0\ngroup g0 any w\n");
        for (unsigned i = 1; i < groups; i++)
            buffer_print(&text, "group g%u any g%u\n", i, i - 1);
        buffer_print(&text, "quorum g%u\n", groups - 1);
        CHECK(parses_with_keys(buffer_string(&text)) == (groups <= POLICY_GROUPS_MAX));
        buffer_free(&text);
    }
}

static void a_group_of_more_names_than_there_can_be_is_refused(void)
{
    struct buffer text = {0};

    buffer_print(&text, "witness w W0\ngroup g any");
    for (unsigned i = 0; i < 2 * POLICY_GROUP_MEMBERS_MAX; i++)
        buffer_print(&text, " w");
    buffer_print(&text, "\nquorum g\n");
    CHECK(!parses_with_keys(buffer_string(&text)));
    buffer_free(&text);
}

int main(void)
{
    char name[ORIGIN_SIZE];

    test_line_found(&line, 3, "policy");
    for (unsigned i = 0; i < 3; i++) {
        charter_origin(&line.charter, i, 0, name);
        note_verifier_key_print(&keys[i][0], name, NOTE_ED25519, line.charter.members[i].log_key);
        charter_receipt_name(&line.charter, i, name);
        note_verifier_key_print(&keys[i][1], name, NOTE_COSIGNATURE, line.charter.members[i].receipt_key);
    }
    RUN(a_lines_policy_reads_back);
    RUN(good_policies);
    RUN(bad_policies);
    RUN(many_witnesses_are_taken_and_too_many_refused);
    RUN(long_names_are_refused);
    RUN(no_flipped_bit_of_a_key_is_taken);
    RUN(an_oversized_policy_is_refused);
    RUN(the_limits_of_a_policy_are_exact);
    RUN(a_group_of_more_names_than_there_can_be_is_refused);
    for (unsigned i = 0; i < 6; i++)
        buffer_free(&keys[i / 2][i % 2]);
    test_line_free(&line);
    return test_end();
}
