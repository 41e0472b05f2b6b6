#include "cli/arguments.h"

#include "fake.h"

static const char *text;
static bool flag;
static struct argument_list list;
static int operands;
static char operand[3][32];

static enum exit_code command(struct cli *cli, int argc, char **argv)
{
    static const struct usage usage = {
        .command = "liaison try", .synopsis = "ONE [TWO]", .help = "Tries.\n", .operands_min = 1, .operands_max = 2};
    const struct argument table[] = {
        {"text", 't', ARGUMENT_TEXT, &text}, {"flag", 0, ARGUMENT_FLAG, &flag}, {"list", 0, ARGUMENT_LIST, &list}, {0}};

    text = NULL;
    flag = false;
    list.count = 0;
    if (!arguments_read(cli, argc, argv, &usage, table))
        return cli->exit;
    operands = cli->operand_count;
    for (int i = 0; i < operands; i++)
        snprintf(operand[i], sizeof operand[i], "%s", cli->operand[i]);
    snprintf(operand[2], sizeof operand[2], "%s", text != NULL ? text : "");
    return EXIT_DONE;
}

static struct captured captured;

static void options_stand_before_or_after_operands(void)
{
    static const char *const forms[] = {
        "try --flag -t x one two",
        "try one -t x two --flag",
        "try one two --flag --text=x",
        "try -tx --flag one two",
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        CHECK(run_command(command, NULL, forms[i], &captured) == EXIT_DONE);
        CHECK(flag && strcmp(operand[2], "x") == 0);
        CHECK(operands == 2 && strcmp(operand[0], "one") == 0 && strcmp(operand[1], "two") == 0);
    }
    CHECK(run_command(command, NULL, "try one --list a --list b", &captured) == EXIT_DONE);
    CHECK(list.count == 2);
    CHECK(run_command(command, NULL, "try -- --flag", &captured) == EXIT_DONE);
    CHECK(!flag && strcmp(operand[0], "--flag") == 0);
    CHECK(run_command(command, NULL, "try -", &captured) == EXIT_DONE);
    CHECK(strcmp(operand[0], "-") == 0);
}

static void what_is_wrong_is_a_usage_error(void)
{
    static const struct {
        const char *words, *sentence;
    } cases[] = {
        {"try", "something is missing"},
        {"try one two three", "\"three\" is one word too many"},
        {"try one --bogus", "there is no option --bogus"},
        {"try one -z", "there is no option -z"},
        {"try one --text", "--text needs a value"},
        {"try one -t", "-t needs a value"},
        {"try one --flag=yes", "--flag takes no value"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(run_command(command, NULL, cases[i].words, &captured) == EXIT_USAGE);
        if (strstr(captured.err, cases[i].sentence) == NULL)
            printf("# %s: %s", cases[i].words, captured.err);
        CHECK(strstr(captured.err, cases[i].sentence) != NULL);
        CHECK(strncmp(captured.err, "liaison: ", 9) == 0);
        CHECK(captured.out[0] == '\0');
    }
}

static void help_is_printed_and_is_no_error(void)
{
    CHECK(run_command(command, NULL, "try --help", &captured) == EXIT_DONE);
    CHECK(strstr(captured.out, "usage: liaison try ONE [TWO]") != NULL);
    CHECK(captured.err[0] == '\0');
}

static void errors_are_json_where_json_is_asked_for(void)
{
    CHECK(run_command(command, NULL, "try --json", &captured) == EXIT_USAGE);
    CHECK(strstr(captured.err, "{\"error\":{\"code\":\"usage\",\"message\":\"") == captured.err);
    CHECK(captured.out[0] == '\0');
}

static void durations_have_a_unit(void)
{
    static const struct {
        const char *text;
        uint64_t us;
    } good[] = {{"0s", 0},
                {"1ms", 1000},
                {"500ms", 500000},
                {"30s", 30000000},
                {"2m", 120000000},
                {"1h", 3600000000},
                {"8760h", UINT64_C(31536000000000)}};
    static const char *const bad[] = {
        "",   "30", "s", "-1s", "+1s", "1.5s", "1 s", "1s ", "01s", "1S", "1d", "8761h", "99999999999999999999999s",
        "1ss"};
    uint64_t us = 0;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(duration_parse(good[i].text, &us) && us == good[i].us);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!duration_parse(bad[i], &us));
}

static void names_of_entries_are_checked(void)
{
    static const char *const good[] = {"washington/17", "washington.example/0", "a/9223372036854775807"};
    static const char *const bad[] = {
        "",     "washington", "washington/", "/17",  "washington/017",       "washington/-1",
        "W/17", "a/b/17",     "a/1 ",        "a//1", "a/9223372036854775808"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(entry_name_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!entry_name_is_valid(bad[i]));
}

int main(void)
{
    RUN(options_stand_before_or_after_operands);
    RUN(what_is_wrong_is_a_usage_error);
    RUN(help_is_printed_and_is_no_error);
    RUN(errors_are_json_where_json_is_asked_for);
    RUN(durations_have_a_unit);
    RUN(names_of_entries_are_checked);
    return test_end();
}
