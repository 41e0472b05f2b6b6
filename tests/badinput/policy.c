/*
 * Policies: what a third party asks for.
 */
#include "record/proof.h"

#include "lines.h"
#include "record/line.h"

static struct test_line line;
static struct policy *policy; /* too large for the stack */

static int feed_policy(void *context, struct span input, struct error *error)
{
    (void)context;
    return policy_parse(policy, input, error);
}

static const struct interface policy_in = {"policy", feed_policy, NULL, NULL};

/* The line's own: a remark, three logs, three witnesses, a group and the quorum. */
enum { REMARK, LOG, WITNESS = 4, GROUP = 7, QUORUM, LINES };
static const char *const names[] = {"the remark",        "the first log",     "the second log",
                                    "the third log",     "the first witness", "the second witness",
                                    "the third witness", "the group",         "the quorum"};
static const char *const fragments[] = {"line 1 of the policy: ", "line 2 of the policy: ", "line 3 of the policy: ",
                                        "line 4 of the policy: ", "line 5 of the policy: ", "line 6 of the policy: ",
                                        "line 7 of the policy: ", "line 8 of the policy: ", "line 9 of the policy: "};
static struct buffer text;
static struct text_specimen specimen;

/* Line i becomes `by`, without its line feed. */
static void bad_as(size_t i, const char *by, const char *what, const char *how)
{
    struct buffer out = {0}, whole = {0};
    char fragment[200];

    buffer_print(&out, "%s\n", by);
    lines_replaced(&specimen, i, i + 1, buffer_span(&out), &whole);
    (void)snprintf(fragment, sizeof fragment, "%s%s", fragments[i], what);
    bad(&policy_in, buffer_span(&whole), ERROR_INVALID, fragment, "%s %s", names[i], how);
    buffer_free(&out);
    buffer_free(&whole);
}

static void controls(void)
{
    struct buffer out = {0};
    char how[80];

    family_begin("policies with control characters");
    good(&policy_in, specimen.text, "the line's own");
    for (size_t i = 0; i < LINES; i++)
        for (unsigned control = 0; control <= 0x7f; control++) {
            const struct text_line *at = &specimen.line[i];

            if ((control >= 0x20 && control < 0x7f) || control == '\t' || control == '\n')
                continue;
            if (i > 0 && control % 9 != i % 9)
                continue;
            buffer_reset(&out);
            buffer_put(&out, at->bytes.data, at->value);
            buffer_put_u8(&out, (uint8_t)control);
            buffer_put_span(&out, span_from(at->bytes, at->value));
            (void)snprintf(how, sizeof how, "with the control character 0x%02x", control);
            bad_line(&specimen, i, buffer_span(&out), i, how);
        }
    family_end();
    buffer_free(&out);
}

static void words(void)
{
    static const char *const first[] = {"logs",       "Log",     "LOG",     "lo",   "l",       "witnes",
                                        "Witness",    "groups",  "quorums", "none", "-",       "//",
                                        ";",          "\"log\"", "log:",    "log+", "include", "\xef\xbb\xbf# remark",
                                        "\xc2\xa0log"};
    char by[600], how[120];

    family_begin("policies with lines that are none");
    for (size_t k = 0; k < sizeof first / sizeof first[0]; k++)
        for (size_t i = 1; i < LINES; i += 2) {
            const struct text_line *at = &specimen.line[i];

            (void)snprintf(by, sizeof by, "%s %.*s", first[k], (int)(at->bytes.size - 1 - at->value),
                           (const char *)at->bytes.data + at->value);
            (void)snprintf(how, sizeof how, "begins with %s", first[k]);
            bad_as(i, by, "it starts with none of log, witness, group, quorum", how);
        }
    family_end();
}

/* The words of a line, for each to be changed. */
static void word_of(size_t i, size_t word, char out[static 300])
{
    struct span rest = span_of(specimen.line[i].bytes.data, specimen.line[i].bytes.size - 1);

    for (;;) {
        const uint8_t *space = memchr(rest.data, ' ', rest.size);
        size_t size = space != NULL ? (size_t)(space - rest.data) : rest.size;

        if (word-- == 0) {
            (void)snprintf(out, 300, "%.*s", (int)size, (const char *)rest.data);
            return;
        }
        rest = span_from(rest, size + 1);
    }
}

static void bad_verifier(size_t i, const char *key, const char *how)
{
    char by[700], name[300];

    word_of(i, i < WITNESS ? 2 : 1, name);
    if (i < WITNESS)
        (void)snprintf(by, sizeof by, "log %s %s", key, name);
    else
        (void)snprintf(by, sizeof by, "witness %s %s", name, key);
    bad_as(i, by,
           i < WITNESS ? "the log's key is not a valid verifier key of type 1"
                       : "the witness's key is not a valid verifier key of type 4",
           how);
}

/* A verifier key with its id and type as they must be, for a key that may be none. */
static void print_verifier(struct buffer *out, const char *name, uint8_t type, const char *hex)
{
    uint8_t key[SIGN_PUBLIC_SIZE];

    if (!text_from_hex(span_of_string(hex), key, sizeof key))
        abort();
    buffer_reset(out);
    note_verifier_key_print(out, name, type, key);
}

static void verifier_keys(void)
{
    static const char *const points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0200000000000000000000000000000000000000000000000000000000000000",
    };
    struct buffer out = {0};
    char key[300], name[300], how[120];

    family_begin("policies with verifier keys that are none");
    for (size_t i = LOG; i < GROUP; i += 3) {
        uint8_t type = i < WITNESS ? NOTE_ED25519 : NOTE_COSIGNATURE;
        char *plus = NULL, *second = NULL;

        word_of(i, i < WITNESS ? 1 : 2, key);
        plus = strchr(key, '+');
        second = strchr(plus + 1, '+');
        for (size_t k = 0; k < 8; k++) {
            char was = plus[1 + k];

            plus[1 + k] = was == '0' ? '1' : '0';
            (void)snprintf(how, sizeof how, "digit %zu of the key's id changed", k);
            bad_verifier(i, key, how);
            plus[1 + k] = 'g';
            (void)snprintf(how, sizeof how, "digit %zu of the key's id no digit", k);
            bad_verifier(i, key, how);
            plus[1 + k] = was;
        }
        for (size_t k = 1; second[k] != 0; k += 3) {
            char was = second[k];

            second[k] = was == 'Q' ? 'R' : 'Q';
            (void)snprintf(how, sizeof how, "character %zu of the key changed", k);
            bad_verifier(i, key, how);
            second[k] = '*';
            (void)snprintf(how, sizeof how, "character %zu of the key a star", k);
            bad_verifier(i, key, how);
            second[k] = was;
        }
        for (size_t k = 0; key + k < plus; k += 4) {
            char was = key[k];

            key[k] = was == 'x' ? 'y' : 'x';
            (void)snprintf(how, sizeof how, "character %zu of the key's name changed", k);
            bad_verifier(i, key, how);
            key[k] = was;
        }
        (void)snprintf(name, sizeof name, "%s", second + 1);
        bad_verifier(i, name, "a bare key");
        bad_verifier(i, plus, "a key without a name");
        bad_verifier(i, plus + 1, "a key with no name");
        *second = 0;
        bad_verifier(i, key, "a name and an id");
        *plus = 0;
        bad_verifier(i, key, "a name alone");
        for (unsigned wrong_type = 0; wrong_type < 256;
             wrong_type = wrong_type < 8 ? wrong_type + 1 : 2 * wrong_type + 1) {
            const uint8_t *public_key =
                type == NOTE_ED25519 ? line.charter.members[0].log_key : line.charter.members[0].receipt_key;

            buffer_reset(&out);
            note_verifier_key_print(&out, key, (uint8_t)wrong_type, public_key);
            (void)snprintf(how, sizeof how, "a key of type %u", wrong_type);
            if (wrong_type != type)
                bad_verifier(i, buffer_string(&out), how);
        }
        for (size_t k = 0; k < sizeof points / sizeof points[0]; k++) {
            print_verifier(&out, key, type, points[k]);
            (void)snprintf(how, sizeof how, "a key that is the point %.8s...%s", points[k], points[k] + 62);
            bad_verifier(i, buffer_string(&out), how);
        }
    }
    family_end();
    buffer_free(&out);
}

static void counts_of_words(void)
{
    char key[300], other[300], by[900];

    family_begin("policies with lines of too few or too many words");
    word_of(LOG, 1, key);
    word_of(WITNESS, 2, other);
    bad_as(LOG, "log", "a log line is \"log KEY [URL]\"", "has no key");
    bad_as(LOG, "log \t ", "a log line is \"log KEY [URL]\"", "has only blanks");
    (void)snprintf(by, sizeof by, "log %s liaison:washington.example more", key);
    bad_as(LOG, by, "a log line is \"log KEY [URL]\"", "has a word more");
    (void)snprintf(by, sizeof by, "log %s liaison:%0128u", key, 7);
    bad_as(LOG, by, "the name of the log's party is too long", "is of a party of 128 letters");
    (void)snprintf(by, sizeof by, "log %s liaison:%0300u", key, 7);
    bad_as(LOG, by, "the name of the log's party is too long", "is of a party of 300 letters");
    bad_as(WITNESS, "witness", "a witness line is \"witness NAME KEY [URL]\"", "has no name");
    bad_as(WITNESS, "witness washington.example", "a witness line is \"witness NAME KEY [URL]\"", "has no key");
    (void)snprintf(by, sizeof by, "witness washington.example %s https://example more", other);
    bad_as(WITNESS, by, "a witness line is \"witness NAME KEY [URL]\"", "has two words more");
    (void)snprintf(by, sizeof by, "witness %0128u %s", 7, other);
    bad_as(WITNESS, by, "the witness's name is too long", "has a name of 128 letters");
    (void)snprintf(by, sizeof by, "witness none %s", other);
    bad_as(WITNESS, by, "this name is taken", "is called none");
    (void)snprintf(by, sizeof by, "witness %s washington.example", other);
    bad_as(WITNESS, by, "the witness's name is too long|the witness's key is not", "has its words exchanged");
    bad_as(GROUP, "group", "a group line is \"group NAME all|any|K MEMBER...\"", "has no name");
    bad_as(GROUP, "group all_others", "a group line is", "has no threshold");
    bad_as(GROUP, "group all_others 2", "a group line is", "has no members");
    bad_as(GROUP, "group none 2 washington.example pyongyang.example", "this name is taken", "is called none");
    bad_as(GROUP, "group washington.example 1 pyongyang.example", "this name is taken", "is called as a witness");
    (void)snprintf(by, sizeof by, "group %0128u 1 washington.example", 7);
    bad_as(GROUP, by, "the group's name is too long", "has a name of 128 letters");
    bad_as(QUORUM, "quorum", "a quorum line is \"quorum NAME\"", "has no name");
    bad_as(QUORUM, "quorum all_others all_others", "a quorum line is \"quorum NAME\"", "has its name twice");
    bad_as(QUORUM, "quorum all_others # remark", "a quorum line is \"quorum NAME\"", "has a remark behind it");
    bad_as(QUORUM, "quorum all", "the quorum is not defined above it", "names what is not there");
    bad_as(QUORUM, "quorum None", "the quorum is not defined above it", "names None");
    bad_as(QUORUM, "quorum washington", "the quorum is not defined above it", "names a party by its first label");
    bad_as(QUORUM, "quorum all_others\nquorum all_others", "|line 10 of the policy: there is a second quorum line",
           "stands there twice");
    bad_as(QUORUM, "quorum all_others\nquorum none", "|line 10 of the policy: there is a second quorum line",
           "and then none");
    bad_as(QUORUM, "quorum none\nquorum all_others", "|line 10 of the policy: there is a second quorum line",
           "after none");
    family_end();
}

static void thresholds(void)
{
    static const char *const numbers[] = {
        "0",    "4",        "-1",  "+2",      "02", "2.0", "0x2", "two", "ALL",   "All",        "Any",
        "none", "most",     "2/3", "67%",     "*",  "65",  "256", "258", "65538", "4294967298", "18446744073709551618",
        "",     "\xd9\xa2", "2a",  "all,any", "=2"};
    static const struct {
        const char *members;
        const char *what;
        const char *how;
    } lists[] = {
        {"washington.example washington.example", "a name is a member of a group twice", "names a member twice"},
        {"washington.example pyongyang.example washington.example", "a name is a member of a group twice",
         "names a member again"},
        {"all_others", "a member of the group is not defined above it", "names itself"},
        {"washington.example all_others", "a member of the group is not defined above it", "names itself among others"},
        {"washington", "a member of the group is not defined above it", "names a party by its first label"},
        {"Washington.example", "a member of the group is not defined above it", "names a party in a capital"},
        {"none", "a member of the group is not defined above it", "names none"},
        {"seoul.example", "a member of the group is not defined above it", "names a stranger"},
        {"washington.example,pyongyang.example", "a member of the group is not defined above it", "has a comma"},
        {"# remark", "a member of the group is not defined above it", "has a remark"},
    };
    char by[300], how[120];

    family_begin("policies with groups that cannot be");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)snprintf(by, sizeof by, "group all_others %s washington.example pyongyang.example beijing.example",
                       numbers[i]);
        (void)snprintf(how, sizeof how, "of the threshold \"%s\"", numbers[i]);
        bad_as(GROUP, by,
               numbers[i][0] == 0 ? "the group's threshold|a member"
                                  : "the group's threshold is not all, any, or a number",
               how);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        (void)snprintf(by, sizeof by, "group all_others 1 %s", lists[i].members);
        bad_as(GROUP, by, lists[i].what, lists[i].how);
    }
    bad_as(GROUP, "group g 1 washington.example\ngroup h 1 washington.example",
           "|line 9 of the policy: a name is a member of a group twice", "shares a member with another");
    bad_as(GROUP, "group g 1 washington.example\ngroup g 1 pyongyang.example",
           "|line 9 of the policy: this name is taken", "has another's name");
    bad_as(GROUP, "group g 1 h\ngroup h 1 washington.example", "a member of the group is not defined above it",
           "names one that comes behind it");
    family_end();
}

static void print_log(struct buffer *out, unsigned number)
{
    uint8_t seed[SIGN_SEED_SIZE], key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];
    char name[40];

    hash_bytes(seed, &number, sizeof number);
    sign_keypair(key, secret, seed);
    (void)snprintf(name, sizeof name, "log-%u", number);
    buffer_print(out, "log ");
    note_verifier_key_print(out, name, NOTE_ED25519, key);
    buffer_put_u8(out, '\n');
}

static void limits(void)
{
    struct buffer out = {0};

    family_begin("policies that are too large, and what is left out of one");
    for (unsigned i = 0; i <= POLICY_LOGS_MAX; i++)
        print_log(&out, i);
    buffer_print(&out, "quorum none\n");
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "line 65 of the policy: there are too many logs", "of 65 logs");
    buffer_reset(&out);
    for (unsigned i = 0; i <= POLICY_WITNESSES_MAX; i++) {
        uint8_t seed[SIGN_SEED_SIZE], key[SIGN_PUBLIC_SIZE], secret[SIGN_SECRET_SIZE];

        hash_bytes(seed, &i, sizeof i);
        sign_keypair(key, secret, seed);
        buffer_print(&out, "witness w%u ", i);
        note_verifier_key_print(&out, "w", NOTE_COSIGNATURE, key);
        buffer_put_u8(&out, '\n');
    }
    buffer_print(&out, "quorum none\n");
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "line 65 of the policy: there are too many witnesses",
        "of 65 witnesses");
    buffer_reset(&out);
    buffer_put(&out, specimen.line[WITNESS].bytes.data, specimen.line[WITNESS].bytes.size);
    buffer_print(&out, "group g0 1 washington.example\n");
    for (unsigned i = 1; i <= POLICY_GROUPS_MAX; i++)
        buffer_print(&out, "group g%u 1 g%u\n", i, i - 1);
    buffer_print(&out, "quorum none\n");
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "line 66 of the policy: there are too many groups",
        "of 65 groups");
    for (unsigned count = 66; count < 2000; count *= 3) {
        buffer_reset(&out);
        buffer_print(&out, "group g any");
        for (unsigned i = 0; i < count; i++)
            buffer_print(&out, " w%u", i);
        buffer_print(&out, "\nquorum none\n");
        bad(&policy_in, buffer_span(&out), ERROR_INVALID, "line 1 of the policy: it has too many words",
            "a group of %u", count);
    }
    buffer_reset(&out);
    while (out.size <= POLICY_SIZE_MAX)
        buffer_print(&out, "# A remark that is as long as others.\n");
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "it is longer than 131072 bytes", "of more than 128 KiB");
    bad(&policy_in, span_of(NULL, 0), ERROR_INVALID, "it has no quorum line", "of no bytes");
    bad(&policy_in, span_of_string("\n"), ERROR_INVALID, "it has no quorum line", "of an empty line");
    bad(&policy_in, span_of_string("\n \n\t\n# remark\n"), ERROR_INVALID, "it has no quorum line",
        "of blanks and a remark");
    lines_replaced(&specimen, QUORUM, LINES, span_of(NULL, 0), &out);
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "it has no quorum line", "without its quorum");
    for (size_t i = LOG; i < GROUP; i++) {
        lines_replaced(&specimen, i, i, specimen.line[i].bytes, &out);
        bad(&policy_in, buffer_span(&out), ERROR_INVALID,
            i < WITNESS ? "this log's key stands in the policy twice" : "this name is taken", "%s twice", names[i]);
        if (i < WITNESS)
            continue;
        lines_replaced(&specimen, i, i + 1, span_of(NULL, 0), &out);
        bad(&policy_in, buffer_span(&out), ERROR_INVALID,
            "line 7 of the policy: a member of the group is not defined above it", "%s missing", names[i]);
    }
    lines_replaced(&specimen, GROUP, GROUP + 1, span_of(NULL, 0), &out);
    bad(&policy_in, buffer_span(&out), ERROR_INVALID, "line 8 of the policy: the quorum is not defined above it",
        "the group missing");
    family_end();
    family_begin("policies cut short");
    catalogue.cut = true;
    for (size_t at = 1; at < specimen.text.size; at += 3)
        if (specimen.text.data[at - 1] != '\n')
            bad(&policy_in, span_of(specimen.text.data, at), ERROR_INVALID, "it does not end with a line feed",
                "cut after byte %zu of %zu", at, specimen.text.size);
    family_end();
    buffer_free(&out);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    policy = calloc(1, sizeof *policy);
    if (policy == NULL)
        abort();
    test_line_found(&line, 3, "bad policies");
    policy_print(&text, &line.charter);
    specimen = (struct text_specimen){
        .on = &policy_in, .text = buffer_span(&text), .name = "the line's own", .end = "line 10 of the policy: "};
    text_note(&specimen, names, fragments);
    controls();
    words();
    verifier_keys();
    counts_of_words();
    thresholds();
    limits();
    free(policy);
    buffer_free(&text);
    test_line_free(&line);
    return catalogue_end();
}
