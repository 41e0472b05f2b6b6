/*
 * Charters.
 */
#include "record/charter.h"

#include "lines.h"
#include "record/line.h"

static int feed_charter(void *context, struct span input, struct error *error)
{
    static struct charter charter;

    (void)context;
    return charter_parse(&charter, input, error);
}

static const struct interface charter_in = {"charter", feed_charter, NULL, NULL};

/* The lines of one of two members; those of a card are numbered from 1, as the card alone would be. */
static const char *const names[] = {
    "the first line",
    "name",
    "random",
    "courier-key",
    "quota-entries",
    "quota-bytes",
    "succeeds",
    "members",
    "the first card's first line",
    "the first card's name",
    "the first card's languages",
    "the first card's log-key",
    "the first card's receipt-key",
    "the first card's link-key",
    "the first card's sealing-key",
    "the first card's log-signature",
    "the first card's receipt-signature",
    "the second card's first line",
    "the second card's name",
    "the second card's languages",
    "the second card's log-key",
    "the second card's receipt-key",
    "the second card's link-key",
    "the second card's sealing-key",
    "the second card's log-signature",
    "the second card's receipt-signature",
};
static const char *const fragments[] = {
    "\"liaison-charter/v1\"|there is no charter",
    "\"name\"|the charter's name",
    "\"random\"",
    "\"courier-key\"",
    "\"quota-entries\"",
    "\"quota-bytes\"",
    "\"succeeds\"",
    "\"members\"|2 to 16 members",
    "of member 0: ",
    "of member 0: line 2 of the card, name",
    "of member 0: line 3 of the card, languages",
    "of member 0: line 4 of the card, log-key",
    "of member 0: line 5 of the card, receipt-key",
    "of member 0: line 6 of the card, link-key",
    "of member 0: line 7 of the card, sealing-key",
    "of member 0: line 8 of the card, log-signature",
    "of member 0: line 9 of the card, receipt-signature",
    "of member 1: ",
    "of member 1: line 2 of the card, name",
    "of member 1: line 3 of the card, languages",
    "of member 1: line 4 of the card, log-key",
    "of member 1: line 5 of the card, receipt-key",
    "of member 1: line 6 of the card, link-key",
    "of member 1: line 7 of the card, sealing-key",
    "of member 1: line 8 of the card, log-signature",
    "of member 1: line 9 of the card, receipt-signature",
};
enum { FIRST, NAME, RANDOM, COURIER, ENTRIES, BYTES, SUCCEEDS, COUNT };

static struct test_line line;
static struct text_specimen charter;

static void forms(void)
{
    charter = (struct text_specimen){.on = &charter_in,
                                     .text = buffer_span(&line.text),
                                     .name = "of two",
                                     .end = "after the last member's card the charter goes on"};
    text_note(&charter, names, fragments);
    family_begin("charters with a line out of its place");
    good(&charter_in, charter.text, "of two");
    bad_places(&charter);
    family_end();
    family_begin("charters with a line that is written otherwise");
    bad_writing(&charter);
    family_end();
    family_begin("charters with base64 that is not canonical");
    bad_base64(&charter, RANDOM);
    bad_base64(&charter, COURIER);
    for (size_t i = COUNT + 4; i < COUNT + 10; i++)
        bad_base64(&charter, i);
    family_end();
    family_begin("charters with numbers that are none");
    bad_decimal(&charter, ENTRIES, UINT64_MAX);
    bad_decimal(&charter, BYTES, UINT64_MAX);
    bad_decimal(&charter, COUNT, MEMBERS_MAX);
    family_end();
    family_begin("charters cut short");
    catalogue.cut = true;
    bad(&charter_in, span_of(NULL, 0), ERROR_INVALID, "there is no charter: nothing is left to read", "of no bytes");
    bad_text_cuts(&charter);
    family_end();
    family_begin("charters with something behind");
    bad_text_tails(&charter);
    family_end();
}

static void values(void)
{
    static const char *const lines_names[] = {"",
                                              "Talks",
                                              "talks.example",
                                              "-talks",
                                              "talks-",
                                              "talks talks",
                                              "t\u00e4lks",
                                              "a_b",
                                              "talks/2",
                                              "..",
                                              "012345678901234567890123456789012",
                                              "%s",
                                              "talks\u200b",
                                              "*",
                                              "$(talks)",
                                              "talks;",
                                              "<talks>",
                                              "\"talks\"",
                                              "a.b",
                                              "+"};
    static const char *const counts[] = {"0", "1", "17", "255", "256", "65536", "2147483647", "4294967298"};
    static const unsigned versions[] = {0, 2, 3, 10, 99, 65536, 4294967295u};
    static const char *const firsts[] = {
        "liaison-card/v1",        "liaison-charter/v",  "liaison-charter/v01",         "liaison-charter/v1.0",
        "liaison-charter",        "liaison-charter v1", "liaison-charter/v4294967296", "{}",
        "liaison-courier-key/v1", "#!/bin/sh"};
    struct buffer out = {0};
    char how[80];

    family_begin("charters of a name that is no line's");
    for (size_t i = 0; i < sizeof lines_names / sizeof lines_names[0]; i++) {
        (void)snprintf(how, sizeof how, "that is \"%s\"", lines_names[i]);
        bad_value(&charter, NAME, span_of_string(lines_names[i]), how);
    }
    family_end();
    family_begin("charters of another number of members");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        (void)snprintf(how, sizeof how, "that says %s", counts[i]);
        bad_value(&charter, COUNT, span_of_string(counts[i]), how);
    }
    for (unsigned count = 3; count <= MEMBERS_MAX; count++) {
        buffer_reset(&out);
        buffer_print(&out, "members %u\n", count);
        (void)snprintf(how, sizeof how, "%u, of whom two follow", count);
        {
            struct buffer whole = {0};

            lines_replaced(&charter, COUNT, COUNT + 1, buffer_span(&out), &whole);
            bad(&charter_in, buffer_span(&whole), ERROR_INVALID, "in the charter, of member 2: there is no card",
                "of %s", how);
            buffer_free(&whole);
        }
    }
    family_end();
    family_begin("charters of other versions, and what is none");
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct buffer whole = {0};

        buffer_reset(&out);
        buffer_print(&out, "liaison-charter/v%u\n", versions[i]);
        lines_replaced(&charter, FIRST, FIRST + 1, buffer_span(&out), &whole);
        bad(&charter_in, buffer_span(&whole), ERROR_VERSION, "this charter is of another version", "of version %u",
            versions[i]);
        buffer_free(&whole);
    }
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        struct buffer whole = {0};

        buffer_reset(&out);
        buffer_print(&out, "%s\n", firsts[i]);
        lines_replaced(&charter, FIRST, FIRST + 1, buffer_span(&out), &whole);
        bad(&charter_in, buffer_span(&whole), ERROR_INVALID, "this is no charter: its first line is not",
            "with the first line %s", firsts[i]);
        buffer_free(&whole);
    }
    buffer_reset(&out);
    buffer_put_span(&out, charter.text);
    while (out.size <= CHARTER_SIZE_MAX)
        buffer_print(&out, "liaison-card/v1\n");
    out.size = CHARTER_SIZE_MAX + 1;
    bad(&charter_in, buffer_span(&out), ERROR_INVALID, "it is longer than 40960 bytes", "of 40961 bytes");
    family_end();
    buffer_free(&out);
}

/* --- what it succeeds -------------------------------------------------------------------------------------------- */

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void bad_succeeds(const char *by, const char *fragment, const char *how)
{
    struct buffer out = {0};

    lines_replaced(&charter, SUCCEEDS, SUCCEEDS + 1, span_of_string(by), &out);
    bad(&charter_in, buffer_span(&out), ERROR_INVALID, fragment, "that succeeds %s", how);
    buffer_free(&out);
}

static void predecessors(void)
{
    static const char *const wrong_lines[][2] = {
        {"liaison/1/" HASH "/0 17", "a log without a root"},
        {"liaison/1/" HASH "/0 17 ", "a log with an empty root"},
        {"liaison/1/" HASH "/0", "a log without a size"},
        {"liaison/1/" HASH " 17 " ROOT, "a log without an incarnation"},
        {"liaison/1/" HASH "/ 17 " ROOT, "a log with an empty incarnation"},
        {"liaison/1/" HASH "/00 17 " ROOT, "an incarnation with a leading zero"},
        {"liaison/1/" HASH "/-1 17 " ROOT, "the incarnation -1"},
        {"liaison/1/" HASH "/4294967296 17 " ROOT, "the incarnation 2^32"},
        {"liaison/1/" HASH "/99999999999999999999 17 " ROOT, "an incarnation above 2^64"},
        {"liaison/1/" HASH "/0/1 17 " ROOT, "two incarnations"},
        {"liaison/2/" HASH "/0 17 " ROOT, "a log of another form"},
        {"Liaison/1/" HASH "/0 17 " ROOT, "a log in a capital"},
        {"/1/" HASH "/0 17 " ROOT, "a log of nobody's form"},
        {HASH " 17 " ROOT, "a bare hash"},
        {"liaison/1/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef/0 17 " ROOT, "a hash in capitals"},
        {"liaison/1/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/0 17 " ROOT, "a hash of 63 digits"},
        {"liaison/1/" HASH "0/0 17 " ROOT, "a hash of 65 digits"},
        {"liaison/1/g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/0 17 " ROOT, "a hash with a g"},
        {"liaison/1/ 123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/0 17 " ROOT,
         "a hash with a space"},
        {"liaison/1/" HASH "/0  17 " ROOT, "with two spaces before the size"},
        {"liaison/1/" HASH "/0 17  " ROOT, "with two spaces before the root"},
        {"liaison/1/" HASH "/0\t17 " ROOT, "with a tab"},
        {"liaison/1/" HASH "/0 017 " ROOT, "a size with a leading zero"},
        {"liaison/1/" HASH "/0 -17 " ROOT, "a size below nothing"},
        {"liaison/1/" HASH "/0 +17 " ROOT, "a size with a sign"},
        {"liaison/1/" HASH "/0 0x11 " ROOT, "a hexadecimal size"},
        {"liaison/1/" HASH "/0 1e3 " ROOT, "a size with an exponent"},
        {"liaison/1/" HASH "/0 17.0 " ROOT, "a size with a point"},
        {"liaison/1/" HASH "/0 1099511627777 " ROOT, "the size 2^40+1"},
        {"liaison/1/" HASH "/0 9223372036854775807 " ROOT, "the size 2^63-1"},
        {"liaison/1/" HASH "/0 9223372036854775808 " ROOT, "the size 2^63"},
        {"liaison/1/" HASH "/0 18446744073709551615 " ROOT, "the size 2^64-1"},
        {"liaison/1/" HASH "/0 18446744073709551616 " ROOT, "the size 2^64"},
        {"liaison/1/" HASH "/0 17 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "a root of 31 bytes"},
        {"liaison/1/" HASH "/0 17 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a root of 33 bytes"},
        {"liaison/1/" HASH "/0 17 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", "a root with bits to spare"},
        {"liaison/1/" HASH "/0 17 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a root without padding"},
        {"liaison/1/" HASH "/0 17 " HASH, "a root in hexadecimal"},
        {"liaison/1/" HASH "/0 17 " ROOT " ", "with a space behind it"},
        {"liaison/1/" HASH "/0 17 " ROOT " more", "with a word more"},
        {"None", "None"},
        {"none none", "none none"},
        {"nothing", "nothing"},
        {"-", "a hyphen"},
        {"*", "a star"},
        {"0", "a number"},
    };
    struct buffer out = {0};

    family_begin("charters that succeed what is no log");
    for (size_t i = 0; i < sizeof wrong_lines / sizeof wrong_lines[0]; i++) {
        buffer_reset(&out);
        buffer_print(&out, "succeeds %s\n", wrong_lines[i][0]);
        bad_succeeds(buffer_string(&out), "a line \"succeeds\" of the charter is not ORIGIN SIZE ROOT",
                     wrong_lines[i][1]);
        buffer_reset(&out);
        buffer_print(&out, "succeeds liaison/1/%064x/0 4 %s\nsucceeds %s\n", 5, ROOT, wrong_lines[i][0]);
        {
            char how[120];

            (void)snprintf(how, sizeof how, "a log, and %s", wrong_lines[i][1]);
            bad_succeeds(buffer_string(&out), "a line \"succeeds\" of the charter is not ORIGIN SIZE ROOT", how);
        }
    }
    bad_succeeds("succeeds liaison/1/" HASH "/0 17 " ROOT "\nsucceeds liaison/1/" HASH "/0 17 " ROOT "\n",
                 "names a log again", "a log twice");
    bad_succeeds("succeeds liaison/1/" HASH "/0 17 " ROOT "\nsucceeds liaison/1/" HASH "/0 18 " ROOT "\n",
                 "names a log again", "a log at two sizes");
    bad_succeeds("succeeds liaison/1/" HASH "/0 17 " ROOT "\nsucceeds none\n", "is not ORIGIN SIZE ROOT",
                 "a log, and none");
    bad_succeeds("succeeds none\nsucceeds liaison/1/" HASH "/0 17 " ROOT "\n", "\"members\"", "none, and a log");
    for (unsigned count = MEMBERS_MAX + 1; count < MEMBERS_MAX + 4; count++) {
        char how[80];

        buffer_reset(&out);
        for (unsigned i = 0; i < count; i++)
            buffer_print(&out, "succeeds liaison/1/%064x/0 17 " ROOT "\n", i);
        (void)snprintf(how, sizeof how, "%u logs", count);
        bad_succeeds(buffer_string(&out), "the charter succeeds more than 16 logs", how);
    }
    family_end();
    buffer_free(&out);
}

/* --- who is in it ------------------------------------------------------------------------------------------------ */

static void bad_members(struct test_line *changed, const char *fragment, const char *name)
{
    struct buffer out = {0};

    charter_print(&changed->charter, &out);
    bad(&charter_in, buffer_span(&out), ERROR_INVALID, fragment, "%s", name);
    buffer_free(&out);
}

static void members(void)
{
    static struct test_line changed;
    struct error error = {0};
    char name[80];

    family_begin("charters whose members are not distinct");
    for (unsigned count = 2; count <= MEMBERS_MAX; count++)
        for (unsigned twice = 1; twice < count; twice += count < 5 ? 1 : 7) {
            test_line_found(&changed, count, "twice in it");
            changed.charter.members[twice] = changed.charter.members[0];
            (void)snprintf(name, sizeof name, "of %u, the first again as number %u", count, twice);
            bad_members(&changed, "the charter names washington.example twice", name);
            buffer_free(&changed.text);
        }
    /* A party can make a card of another's name with keys of its own, or of a key that it has under two names. */
    test_line_found(&changed, 3, "other keys");
    if (card_make(&changed.charter.members[2], "pyongyang.example", "ko", &changed.identity[2], &error) != 0)
        abort();
    bad_members(&changed, "the charter names pyongyang.example twice", "two of one name with other keys");
    for (unsigned key = 0; key < 4; key++) {
        static const char *const keys[] = {"log key", "receipt key", "link key", "sealing key"};
        struct identity identity = changed.identity[2];

        if (key == 0)
            memcpy(identity.log_secret, changed.identity[0].log_secret, sizeof identity.log_secret);
        if (key == 1)
            memcpy(identity.receipt_secret, changed.identity[0].receipt_secret, sizeof identity.receipt_secret);
        if (key == 2)
            memcpy(identity.link_secret, changed.identity[0].link_secret, DH_SIZE);
        if (key == 3)
            memcpy(identity.sealing_secret, changed.identity[0].sealing_secret, DH_SIZE);
        if (card_make(&changed.charter.members[2], "beijing.example", "zh", &identity, &error) != 0)
            abort();
        (void)snprintf(name, sizeof name, "two with the same %s", keys[key]);
        bad_members(&changed, "two keys in the charter are equal: one of washington.example and one of beijing.example",
                    name);
        identity = changed.identity[2];
        if (key == 0)
            memcpy(identity.log_secret, changed.identity[0].receipt_secret, sizeof identity.log_secret);
        if (key == 1)
            memcpy(identity.receipt_secret, changed.identity[0].log_secret, sizeof identity.receipt_secret);
        if (key == 2)
            memcpy(identity.link_secret, changed.identity[0].sealing_secret, DH_SIZE);
        if (key == 3)
            memcpy(identity.sealing_secret, changed.identity[0].link_secret, DH_SIZE);
        if (card_make(&changed.charter.members[2], "beijing.example", "zh", &identity, &error) != 0)
            abort();
        (void)snprintf(name, sizeof name, "one's %s is another's of the other use", keys[key]);
        bad_members(&changed, "two keys in the charter are equal: one of washington.example and one of beijing.example",
                    name);
    }
    family_end();
    buffer_free(&changed.text);
}

int main(int argc, char **argv)
{
    catalogue_begin(argc, argv);
    test_line_found(&line, 2, "bad charters");
    forms();
    values();
    predecessors();
    members();
    test_line_free(&line);
    return catalogue_end();
}
