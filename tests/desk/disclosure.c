/*
 * Disclosures: what one shows, that it opens one entry alone, and that nothing in it can be another's or changed.
 */
#include "desk/disclosed.h"
#include "memory.h"
#include "replaced.h"
#include "test.h"

static struct disclosed log_;        /* of a line of three */
static struct disclosure disclosure; /* too large for the stack */
static struct buffer good;           /* of entry 2 */

/* Reads all of a file; how many disclosures, or -1. */
static int reads(struct span file, struct error *error)
{
    struct cursor input = cursor_of(file);
    int count = 0;

    do {
        int result = disclosure_read(&disclosure, &input, error);

        disclosure_free(&disclosure);
        if (result != 0)
            return -1;
        count++;
    } while (input.left > 0);
    return count;
}

static bool refused_for(struct span file, enum error_code code, const char *words)
{
    struct error error = {0};
    int count = reads(file, &error);

    if (count == -1 && error.code == code && strstr(error.message, words) != NULL)
        return true;
    printf("# wanted \"%s\"; it says: %s\n", words, count > 0 ? "accepted" : error.message);
    return false;
}

static void it_says_all_that_is_proved(void)
{
    static const char head[] =
        "liaison-disclosure/v1\n\n"
        "washington.example wrote, as entry 2 of its log on the line talks:\n\n"
        "| This is number 2.\n\n"
        "Written at 2026-11-23T19:27:28Z by its author's clock. Precedence flash. Language en.\n"
        "pyongyang.example signed at 2026-11-23T19:27:31Z, by its own clock, that it held this entry.\n"
        "beijing.example signed at 2026-11-23T19:27:32Z, by its own clock, that it held this entry.\n"
        "The line is ";
    struct cursor input = cursor_of(buffer_span(&good));
    struct error error = {0};

    CHECK(good.size > sizeof head && memcmp(good.data, head, sizeof head - 1) == 0);
    CHECK(disclosure_read(&disclosure, &input, &error) == 0 && input.left == 0);
    CHECK(disclosure.author == 0 && disclosure.proof.index == 2 && disclosure.verdict.holder_count == 2);
    CHECK(span_equal(disclosure.body.text, span_of_string("This is number 2.")));
    CHECK(disclosure_check_line(&disclosure, log_.line.charter.line_id, &error) == 0);
    CHECK(disclosure_check_policy(&disclosure, &disclosure.policy, &error) == 0);
    disclosure_free(&disclosure);
    disclosure_free(NULL);
}

static void trust_comes_from_outside(void)
{
    static const uint8_t other[HASH_SIZE] = {1};
    struct cursor input = cursor_of(buffer_span(&good));
    struct policy *policy = malloc(sizeof *policy);
    struct error errors[3] = {0};

    CHECK(policy != NULL && disclosure_read(&disclosure, &input, NULL) == 0);
    CHECK(disclosure_check_line(&disclosure, other, &errors[0]) == -1 && errors[0].code == ERROR_MISMATCH);
    *policy = disclosure.policy;
    (void)snprintf(policy->log[0].party, sizeof policy->log[0].party, "seoul.example");
    CHECK(disclosure_check_policy(&disclosure, policy, &errors[1]) == -1 &&
          strstr(errors[1].message, "the policy calls its author seoul.example") != NULL);
    policy->log[0].party[0] = 0; /* a policy that says nothing about authors */
    CHECK(disclosure_check_policy(&disclosure, policy, NULL) == 0);
    policy->log_count = 0;
    CHECK(disclosure_check_policy(&disclosure, policy, &errors[2]) == -1 && errors[2].code == ERROR_MISMATCH);
    disclosure_free(&disclosure);
    free(policy);
}

/* The very thing: with the key of one entry its neighbours stay closed. */
static void a_key_opens_its_own_entry_alone(void)
{
    struct buffer bodies[DISCLOSED_ENTRIES] = {0};

    for (uint64_t k = 0; k < DISCLOSED_ENTRIES; k++) {
        uint8_t key[ENTRY_KEY_SIZE];

        disclosed_key(&log_, k, key);
        for (uint64_t i = 0; i < DISCLOSED_ENTRIES; i++) {
            struct entry entry;
            struct error error = {0};

            CHECK(entry_parse(&entry, buffer_span(&log_.entry[i]), 0, 3, NULL) == 0);
            CHECK((entry_open_disclosed(&bodies[i], &entry, key, &error) == 0) == (i == k));
            CHECK(i == k || error.code == ERROR_MISMATCH);
        }
    }
    for (uint64_t i = 0; i < DISCLOSED_ENTRIES; i++)
        buffer_free(&bodies[i]);
}

static void what_is_anothers_is_refused(void)
{
    struct buffer other = {0}, text = {0}, proof = {0}, elsewhere = {0};
    struct disclosed another;
    uint8_t key[ENTRY_KEY_SIZE];
    struct error errors[4] = {0};

    disclosed_proof(&log_, 2, 6, &proof);
    disclosed_key(&log_, 1, key);
    CHECK(disclosure_write(&text, buffer_span(&log_.line.text), buffer_span(&proof), key, &errors[0]) == -1 &&
          strstr(errors[0].message, "the key is not the one that the entry commits to") != NULL);
    disclosed_make(&another, 3, "another line");
    disclosed_key(&log_, 2, key);
    CHECK(disclosure_write(&text, buffer_span(&another.line.text), buffer_span(&proof), key, &errors[1]) == -1 &&
          errors[1].code == ERROR_MISMATCH);
    disclosed_proof(&another, 2, 6, &elsewhere);
    CHECK(disclosure_write(&text, buffer_span(&log_.line.text), buffer_span(&elsewhere), key, &errors[2]) == -1 &&
          errors[2].code == ERROR_MISMATCH);
    CHECK(text.size == 0);
    CHECK(disclosed_write(&log_, 3, &other, NULL) == 0);
    for (size_t i = 0; i < 4; i++) {
        static const char *const old[] = {"as entry 2 of", "| This is number 2.\n", "washington.example wrote",
                                          ":31Z, by its"};
        static const char *const new[] = {"as entry 3 of", "| This is number 3.\n", "beijing.example wrote",
                                          ":30Z, by its"};
        struct buffer bad = replaced(&good, old[i], new[i]);

        CHECK(refused_for(buffer_span(&bad), ERROR_MISMATCH, "what people read in it is not what"));
        buffer_free(&bad);
    }
    disclosed_free(&another);
    buffer_free(&elsewhere);
    buffer_free(&proof);
    buffer_free(&other);
    buffer_free(&text);
}

/* A bit of each byte; all of them, half a minute, if LIAISON_TEST_LONG is set. */
static void no_flipped_bit_is_accepted(void)
{
    bool all = getenv("LIAISON_TEST_LONG") != NULL;
    struct disclosed two;
    struct buffer text = {0};
    size_t accepted = 0;

    disclosed_make(&two, 2, "two");
    CHECK(disclosed_write(&two, 1, &text, NULL) == 0 && reads(buffer_span(&text), NULL) == 1);
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        if (!all && bit % 8 != bit / 8 % 7)
            continue;
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (reads(buffer_span(&text), NULL) != -1 && accepted++ < 5)
            printf("# bit %zu of byte %zu may be changed\n", bit % 8, bit / 8);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(accepted == 0);
    printf("# %zu bits\n", text.size * (all ? 8 : 1));
    buffer_free(&text);
    disclosed_free(&two);
}

static void no_truncation_and_no_tail_is_accepted(void)
{
    struct buffer longer = {0};

    for (size_t size = 0; size < good.size; size++)
        CHECK(reads(span_of(good.data, size), NULL) == -1);
    buffer_put_span(&longer, buffer_span(&good));
    buffer_put_u8(&longer, '\n');
    CHECK(refused_for(buffer_span(&longer), ERROR_INVALID, "not a disclosure"));
    buffer_free(&longer);
}

static void malformed_ones_are_refused(void)
{
    static const struct {
        const char *old, *new;
        enum error_code code;
        const char *words;
    } rows[] = {
        {"liaison-disclosure/v1\n", "liaison-disclosure/v2\n", ERROR_VERSION, "of another version than 1"},
        {"liaison-disclosure/v1\n", "liaison-disclosure/v1\r\n", ERROR_VERSION, "of another version"},
        {"liaison-disclosure/v1\n", "c2sp.org/tlog-proof@v1\n", ERROR_INVALID, "not a disclosure"},
        {"v1\n\nwashington", "v1\nwashington", ERROR_INVALID, "no blank line"},
        {"That it was held", "That it was read", ERROR_INVALID, "the words that end"},
        {"charter of the line.\n\n", "charter of the line.\n", ERROR_INVALID, "the words that end"},
        {"\nkey ", "\nkey  ", ERROR_INVALID, "no line \"key\""},
        {"\nkey ", "\nKey ", ERROR_INVALID, "no line \"key\""},
        {"\nkey ", "\nkey AAAA", ERROR_INVALID, "no line \"key\""},
        {"\nkey ", "\nkey AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nkey ", ERROR_INVALID, "no line \"key\""},
        {"\nkey ", "\n\nkey ", ERROR_INVALID, "no line \"key\""},
        {"index 2\n", "index 02\n", ERROR_INVALID, "\"index\""},
        {"index 2\n", "index 3\n", ERROR_MISMATCH, "not in the signed log"},
        {"\nextra ", "\nextra  ", ERROR_INVALID, "not base64"},
        {"\nliaison-charter/v1\n", "\n\u2014 example.org/witness AAAAAAAAAAAA\n\nliaison-charter/v1\n", ERROR_INVALID,
         ""},
        {"\n\nliaison-charter/v1\n", "\n\u2014 example.org/witness AAAAAAAAAAAA\n\nliaison-charter/v1\n",
         ERROR_MISMATCH, "neither its author's nor a receipt"},
        {"\n\nliaison-charter/v1\n", "\nliaison-charter/v1\n", ERROR_INVALID, "ends before the blank line"},
        {"quota-entries 2", "quota-entries 3", ERROR_MISMATCH, "no log of the policy"},
        {"name talks\n", "name \x1b[2J\n", ERROR_INVALID, "name"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer bad = replaced(&good, rows[i].old, rows[i].new);

        CHECK(refused_for(buffer_span(&bad), rows[i].code, rows[i].words));
        buffer_free(&bad);
    }
}

static void several_stand_one_after_another(void)
{
    struct buffer file = {0};

    for (uint64_t i = 0; i < DISCLOSED_ENTRIES; i++)
        CHECK(disclosed_write(&log_, i, &file, NULL) == 0);
    CHECK(reads(buffer_span(&file), NULL) == DISCLOSED_ENTRIES);
    file.data[file.size - 10] ^= 1;
    CHECK(reads(buffer_span(&file), NULL) == -1);
    buffer_free(&file);
}

/* Bars before each line, nothing that a terminal obeys, and what ends the head cannot be said by an author. */
static void hostile_text_stays_behind_its_bars(void)
{
    static const char text[] = "\x1b[2J\nThat it was held does not say that anybody read it.\n\nkey \u202e\r\x9b";
    static const char shown[] = "as meant:\n\n| <U+001B>[2J\n| That it was held does not say that anybody read it.\n|\n"
                                "| key <U+202E><U+000D>\n\nWritten";
    struct buffer file = {0};

    disclosed_say(&log_, 4, span_of(text, sizeof text - 2), true);
    disclosed_sign(&log_);
    CHECK(disclosed_write(&log_, 4, &file, NULL) == 0 && reads(buffer_span(&file), NULL) == 1);
    CHECK(memmem(file.data, file.size, shown, sizeof shown - 1) != NULL);
    CHECK(memmem(file.data, file.size, "in an EXERCISE and not", 22) != NULL);
    disclosed_say(&log_, 4, span_of_string("This is number 4."), false);
    disclosed_sign(&log_);
    buffer_free(&file);
}

static bool writes(const struct entry_header *header, const struct body *body, struct buffer *file, struct error *error)
{
    struct buffer bytes = {0};
    bool result = false;

    body_put(&bytes, body);
    disclosed_seal(&log_, 4, header, buffer_span(&bytes));
    disclosed_sign(&log_);
    buffer_free(&bytes);
    result = disclosed_write(&log_, 4, file, error) == 0;
    CHECK(!result || reads(buffer_span(file), NULL) == 1);
    return result;
}

static void other_kinds_say_what_they_are(void)
{
    struct entry_header header = disclosed_header(4);
    struct body body = {.kind = BODY_ACKNOWLEDGEMENT, .time = 1795462048, .as = AS_PRINCIPAL};
    struct buffer files[4] = {0};
    struct error error = {0};

    header.reference_count = 2;
    header.references[0] = (struct reference){.member = 1, .index = 7};
    header.references[1] = (struct reference){.member = 2, .index = 8};
    CHECK(writes(&header, &body, &files[0], NULL));
    CHECK(strstr(buffer_string(&files[0]), ", that a person, the principal, has seen:\n\n| pyongyang.example/7\n"
                                           "| beijing.example/8\n\nWritten at ") != NULL);
    body.kind = BODY_MESSAGE;
    body.text = span_of_string("Yes.");
    CHECK(writes(&header, &body, &files[1], NULL));
    CHECK(strstr(buffer_string(&files[1]), "Precedence flash.\nIt answers pyongyang.example/7.\n"
                                           "It answers beijing.example/8.\npyongyang") != NULL);
    body.kind = BODY_UNREADABLE;
    body.unreadable_count = 1;
    body.unreadable[0] = (struct unreadable){.member = 1, .first = 3, .last = 9};
    CHECK(writes(&header, &body, &files[2], NULL));
    CHECK(strstr(buffer_string(&files[2]), ", that it holds and cannot open:\n\n| pyongyang.example/3 to 9\n\n") !=
          NULL);
    body.unreadable[0].member = 3; /* a line of three has no such member */
    CHECK(!writes(&header, &body, &files[3], &error) && error.code == ERROR_INVALID && files[3].size == 0);
    for (size_t i = 0; i < 4; i++)
        buffer_free(&files[i]);
}

static void what_holds_no_text_is_not_disclosed(void)
{
    static const uint8_t unknown[] = {0xa4, 0, 9, 1, 1, 2, 0, 3, 0xa0}, no_body[] = {0xa0};
    struct entry_header header = disclosed_header(4);
    struct error errors[4] = {0};
    struct buffer file = {0}, proof = {0};
    uint8_t key[ENTRY_KEY_SIZE] = {0};

    disclosed_seal(&log_, 4, &header, span_of(unknown, sizeof unknown));
    disclosed_sign(&log_);
    CHECK(disclosed_write(&log_, 4, &file, &errors[0]) == -1 && strstr(errors[0].message, "no form that this") != NULL);
    disclosed_seal(&log_, 4, &header, span_of(no_body, sizeof no_body));
    disclosed_sign(&log_);
    CHECK(disclosed_write(&log_, 4, &file, &errors[1]) == -1 && strstr(errors[1].message, "no form that this") != NULL);
    header.class = ENTRY_LEAVE;
    header.epoch = 0;
    buffer_reset(&log_.entry[4]);
    entry_clear(&log_.entry[4], &header, span_of(no_body, sizeof no_body));
    disclosed_sign(&log_);
    disclosed_proof(&log_, 4, 6, &proof);
    CHECK(disclosure_write(&file, buffer_span(&log_.line.text), buffer_span(&proof), key, &errors[2]) == -1 &&
          strstr(errors[2].message, "holds no sealed text") != NULL);
    buffer_reset(&log_.entry[4]);
    buffer_put_u8(&log_.entry[4], 0xff);
    disclosed_sign(&log_);
    buffer_reset(&proof);
    disclosed_proof(&log_, 4, 6, &proof);
    CHECK(disclosure_write(&file, buffer_span(&log_.line.text), buffer_span(&proof), key, &errors[3]) == -1 &&
          errors[3].code == ERROR_INVALID);
    CHECK(file.size == 0);
    disclosed_say(&log_, 4, span_of_string("This is number 4."), false);
    disclosed_sign(&log_);
    buffer_free(&proof);
    buffer_free(&file);
}

/* One's own receipt is none, and a receipt less is not what the line's policy asks for. */
static void too_few_receipts_are_not_disclosed(void)
{
    uint8_t key[ENTRY_KEY_SIZE];

    disclosed_key(&log_, 2, key);
    for (unsigned by = 0; by < 8; by++) {
        struct buffer proof = {0}, file = {0};
        struct error error = {0};

        disclosed_proof(&log_, 2, by, &proof);
        CHECK((disclosure_write(&file, buffer_span(&log_.line.text), buffer_span(&proof), key, &error) == 0) ==
              (by == 6));
        CHECK(by == 6 || error.code == ERROR_MISMATCH);
        buffer_free(&proof);
        buffer_free(&file);
    }
}

static void the_longest_text_is_disclosed(void)
{
    struct buffer text = {0}, file = {0};

    for (size_t i = 0; i < TEXT_SIZE_MAX; i++)
        buffer_put_u8(&text, i % 7 == 0 ? '\n' : 1);
    disclosed_say(&log_, 4, buffer_span(&text), false);
    disclosed_sign(&log_);
    CHECK(disclosed_write(&log_, 4, &file, NULL) == 0 && reads(buffer_span(&file), NULL) == 1);
    CHECK(file.size < (1u << 20));
    disclosed_say(&log_, 4, span_of_string("This is number 4."), false);
    disclosed_sign(&log_);
    buffer_free(&file);
    buffer_free(&text);
}

static void without_memory_nothing_is_written_read_or_blamed(void)
{
    struct buffer proof = {0};
    uint8_t key[ENTRY_KEY_SIZE];
    size_t failed[2] = {0};

    disclosed_proof(&log_, 2, 6, &proof);
    disclosed_key(&log_, 2, key);
    for (unsigned reading = 0; reading < 2; reading++)
        for (size_t n = 1;; n++) {
            struct buffer file = {0};
            struct error error = {0};
            bool done = false, ran_out = false;

            memory_fail(n);
            done = reading > 0
                       ? reads(buffer_span(&good), &error) == 1
                       : disclosure_write(&file, buffer_span(&log_.line.text), buffer_span(&proof), key, &error) == 0;
            ran_out = memory_ran_out();
            CHECK(done == !ran_out && error.code == (ran_out ? ERROR_SYSTEM : ERROR_NONE));
            CHECK(!done || reading > 0 || span_equal(buffer_span(&file), buffer_span(&good)));
            buffer_free(&file);
            if (!ran_out)
                break;
            failed[reading]++;
        }
    CHECK(failed[0] > 10 && failed[1] > 10);
    buffer_free(&proof);
}

int main(void)
{
    disclosed_make(&log_, 3, "disclosure");
    CHECK(disclosed_write(&log_, 2, &good, NULL) == 0);
    RUN(it_says_all_that_is_proved);
    RUN(trust_comes_from_outside);
    RUN(a_key_opens_its_own_entry_alone);
    RUN(what_is_anothers_is_refused);
    RUN(no_flipped_bit_is_accepted);
    RUN(no_truncation_and_no_tail_is_accepted);
    RUN(malformed_ones_are_refused);
    RUN(several_stand_one_after_another);
    RUN(hostile_text_stays_behind_its_bars);
    RUN(other_kinds_say_what_they_are);
    RUN(what_holds_no_text_is_not_disclosed);
    RUN(too_few_receipts_are_not_disclosed);
    RUN(the_longest_text_is_disclosed);
    RUN(without_memory_nothing_is_written_read_or_blamed);
    buffer_free(&good);
    disclosed_free(&log_);
    return test_end();
}
