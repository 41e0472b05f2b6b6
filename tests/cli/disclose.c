/* liaison record disclose: what it asks for, what it writes, and that a failure leaves nothing behind. */
#include <sys/stat.h>

#include "fake.h"

static struct captured captured;
static char directory[] = "/tmp/liaison-test-XXXXXX";
static char file[96];

static enum exit_code run_with(const struct step *steps, const char *entries, const char *more)
{
    struct fake fake;
    enum exit_code exit;
    char words[192];

    (void)snprintf(words, sizeof words, "record disclose talks %s -o %s%s", entries, file, more);
    fake_start(&fake, steps);
    exit = run_command(command_record, fake.directory, words, &captured);
    CHECK(fake_end(&fake));
    return exit;
}

static const char *content(void)
{
    static char text[256];
    FILE *stream = fopen(file, "re");
    size_t size = stream != NULL ? fread(text, 1, sizeof text - 1, stream) : 0;

    text[size] = 0;
    return stream != NULL && fclose(stream) == 0 ? text : "none";
}

#define ONE                                                                                                            \
    {                                                                                                                  \
        "\"record.disclose\",\"params\":{\"line\":\"talks\",\"entry\":\"a-b/3\"}",                                     \
            RESULT("{\"disclosure\":\"three\\n\\u0000\",\"receipts\":1}")                                              \
    }

static void one_entry_is_written_for_its_owner_alone(void)
{
    static const struct step steps[] = {ONE, {0}};
    struct stat status;

    CHECK(run_with(steps, "a-b/3", "") == EXIT_DONE);
    CHECK(strstr(captured.out,
                 " discloses 1 entry. Whoever has it can read and show this, and nothing else, for good.") != NULL);
    CHECK(strcmp(content(), "three\n") == 0 && stat(file, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(status.st_size == 7);
    CHECK(unlink(file) == 0);
}

static void a_range_leaves_out_what_has_no_text(void)
{
    static const struct step steps[] = {
        ONE,
        {"\"entry\":\"a-b/4\"", FAILURE("invalid", "a-b/4 is prekeys")},
        {"\"entry\":\"a-b/5\"", RESULT("{\"disclosure\":\"five\\n\",\"receipts\":1}")},
        {0},
    };

    CHECK(run_with(steps, "a-b/3-5", "") == EXIT_DONE);
    CHECK(strstr(captured.out, "discloses 2 entries. 1 entry has no sealed text and is left out. Whoever") != NULL);
    CHECK(unlink(file) == 0);
    CHECK(run_with(steps, "a-b/3-5", " --json") == EXIT_DONE);
    CHECK(strstr(captured.out, "\"entries\": 2, \"left_out\": [\"a-b/4\"]") != NULL ||
          strstr(captured.out, "\"entries\":2,\"left_out\":[\"a-b/4\"]") != NULL);
    CHECK(unlink(file) == 0);
}

static void a_failure_leaves_nothing(void)
{
    static const struct step later[] = {ONE, {"\"a-b/4\"", FAILURE("refused", "only 1 of 2 others have")}, {0}};
    static const struct step single[] = {{"\"a-b/4\"", FAILURE("invalid", "a-b/4 is prekeys")}, {0}};
    static const struct step all[] = {
        {"\"a-b/0\"", FAILURE("invalid", "the charter")}, {"\"a-b/1\"", FAILURE("invalid", "prekeys")}, {0}};

    CHECK(run_with(later, "a-b/3-4", "") == EXIT_REFUSED && strstr(captured.err, "only 1 of 2") != NULL);
    CHECK(run_with(single, "a-b/4", "") == EXIT_REFUSED && strstr(captured.err, "is prekeys") != NULL);
    CHECK(run_with(all, "a-b/0-1", "") == EXIT_REFUSED && strstr(captured.err, "none of these entries") != NULL);
    CHECK(strcmp(content(), "none") == 0 && captured.out[0] == 0);
}

static void wrong_usage_asks_nobody(void)
{
    static const char *const wrong[] = {"a",       "a/",   "/3",       "a/3-",    "a/-3", "a/3-2",
                                        "a/3-4-5", "a/03", "a/0-1024", "a/3 b/4", "A/3",  "a/9223372036854775808"};
    char words[192];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(words, sizeof words, "record disclose talks %s -o %s", wrong[i], file);
        CHECK(run_command(command_record, "/none", words, &captured) == EXIT_USAGE);
    }
    CHECK(run_command(command_record, "/none", "record disclose talks a/3", &captured) == EXIT_USAGE);
    CHECK(run_command(command_record, "/none", "record disclose --help", &captured) == EXIT_DONE);
}

int main(void)
{
    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(file, sizeof file, "%s/file", directory);
    RUN(one_entry_is_written_for_its_owner_alone);
    RUN(a_range_leaves_out_what_has_no_text);
    RUN(a_failure_leaves_nothing);
    RUN(wrong_usage_asks_nobody);
    CHECK(rmdir(directory) == 0);
    return test_end();
}
