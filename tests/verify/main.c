/* Runs liaison-verify, whose path is the first argument, as a third party would. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "test.h"
#include "vectors.h"

static char *program; /* its absolute path */
static char folder[] = "/tmp/liaison-verify-XXXXXX";
static char proof_path[64], policy_path[64];
static json_t *cases;
static char output[4096]; /* of the last run, stdout and stderr */

static void write_file(const char *path, struct span content)
{
    FILE *file = fopen(path, "we");

    if (file == NULL || fwrite(content.data, 1, content.size, file) != content.size || fclose(file) != 0) {
        printf("# cannot write %s\n", path);
        exit(1);
    }
}

/* Runs it with these arguments and returns its exit status. */
static int run(const char *arguments)
{
    char command[4096];
    FILE *pipe = NULL;
    size_t size = 0;
    int status = 0;

    (void)snprintf(command, sizeof command, "cd %s && '%s' %s 2>&1", folder, program, arguments);
    pipe = popen(command, "re");
    if (pipe == NULL)
        return -1;
    size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = 0;
    status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool says(const char *text)
{
    if (strstr(output, text) != NULL)
        return true;
    printf("# it said: %s\n", output);
    return false;
}

/* Writes the files of one case of vectors/record/proof.*.json; NULL if there is none of that name. */
static const json_t *take_case(const char *name)
{
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(cases, i, one)
    {
        struct buffer memory = {0};
        struct cursor cursor = {0};

        if (strcmp(vector_text(one, "name"), name) != 0)
            continue;
        cursor = cursor_of(vector_bytes(one, "input_hex", &memory));
        write_file(policy_path, cursor_span(&cursor, cursor_u32(&cursor)));
        write_file(proof_path, cursor_rest(&cursor));
        buffer_free(&memory);
        return one;
    }
    return NULL;
}

static void every_vector_is_judged(void)
{
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(cases, i, one)
    {
        bool ok = json_is_true(json_object_get(one, "ok"));

        CHECK(take_case(vector_text(one, "name")) != NULL);
        CHECK(run("proof --policy policy") == (ok ? 0 : 1));
        CHECK(says(ok ? vector_text(one, "output_hex") : vector_text(one, "reason")));
        CHECK(ok || strncmp(output, "liaison-verify: ", 16) == 0);
        CHECK(ok || strchr(output, '\n') == output + strlen(output) - 1); /* one line */
    }
}

static void it_says_who_wrote_it_and_who_held_it(void)
{
    CHECK(take_case("entry 3") != NULL);
    CHECK(run("proof --policy policy") == 0);
    CHECK(says(
        "washington.example wrote this as number 3 of its log, and pyongyang.example held it at "
        "2026-11-23T19:27:09Z and beijing.example held it at 2026-11-23T19:27:10Z, each by its own clock; the text "
        "itself is sealed and not shown.\nleaf "));
    CHECK(take_case("no receipt asked for") != NULL);
    CHECK(run("-p policy proof") == 0 && says("and nobody else is shown to have held it; "));
    CHECK(take_case("the author's own receipt beside") != NULL);
    CHECK(run("-p policy proof") == 0 && strstr(output, "washington.example held") == NULL);
}

static void it_answers_in_json(void)
{
    json_t *answer = NULL;

    CHECK(take_case("entry 3") != NULL && run("proof --policy policy --json") == 0);
    answer = json_loads(output, 0, NULL);
    CHECK(json_is_true(json_object_get(answer, "proved")));
    CHECK(strcmp(vector_text(answer, "author"), "washington.example") == 0);
    CHECK(json_integer_value(json_object_get(answer, "number")) == 3);
    CHECK(json_integer_value(json_object_get(answer, "size")) == 5);
    CHECK(strlen(vector_text(answer, "leaf")) == 64 && strlen(vector_text(answer, "root")) == 64);
    CHECK(json_array_size(json_object_get(answer, "held")) == 2);
    CHECK(strcmp(vector_text(json_array_get(json_object_get(answer, "held"), 1), "by"), "beijing.example") == 0);
    CHECK(strcmp(vector_text(json_array_get(json_object_get(answer, "held"), 1), "at"), "2026-11-23T19:27:10Z") == 0);
    json_decref(answer);
    CHECK(take_case("another entry") != NULL && run("proof --policy policy --json") == 1);
    answer = json_loads(output, 0, NULL);
    CHECK(strcmp(vector_text(json_object_get(answer, "error"), "code"), "mismatch") == 0);
    json_decref(answer);
}

/* A policy's names are any bytes but control characters. */
static void hostile_names_are_shown_as_marks(void)
{
    static const char names[] = "sed -i 's/pyongyang.example/a\xe2\x80\xae\xff/g' ";
    char command[256];

    CHECK(take_case("entry 3") != NULL);
    (void)snprintf(command, sizeof command, "%s%s", names, policy_path);
    CHECK(system(command) == 0);
    CHECK(run("proof --policy policy") == 0 && says("a<U+202E><0xFF> held it at"));
    CHECK(run("proof --policy policy --json") == 0 && says("a<U+202E><0xFF>"));
}

static void wrong_usage_and_missing_files_are_told_apart_from_a_refusal(void)
{
    static const char *const wrong[] = {"",           "proof",           "--policy policy", "proof --policy",
                                        "proof -x",   "--unknown",       "a b -p policy",   "missing -p policy",
                                        "proof -p x", "proof --policy ."};

    CHECK(take_case("entry 3") != NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(run(wrong[i]) == 2);
        CHECK(strncmp(output, "liaison-verify: ", 16) == 0);
    }
    CHECK(run("--help") == 0 && says("usage: "));
    CHECK(run("--version") == 0 && says("liaison-verify "));
    CHECK(run("proof -p policy >/dev/full") == 2 && run("proof -p policy -j >/dev/full") == 2);
    CHECK(run("--help >/dev/full") == 2);
    CHECK(run("/dev/zero -p policy") == 1 && says("longer than"));
    CHECK(run("proof -p /dev/zero") == 1 && says("longer than"));
    CHECK(run("/dev/null -p policy") == 1 && run("proof -p /dev/null") == 1);
}

int main(int argc, char **argv)
{
    program = argc == 2 ? realpath(argv[1], NULL) : NULL;
    if (program == NULL || mkdtemp(folder) == NULL)
        return 2;
    (void)snprintf(proof_path, sizeof proof_path, "%s/proof", folder);
    (void)snprintf(policy_path, sizeof policy_path, "%s/policy", folder);
    cases = vectors_cases("record/proof");
    RUN(every_vector_is_judged);
    RUN(it_says_who_wrote_it_and_who_held_it);
    RUN(it_answers_in_json);
    RUN(hostile_names_are_shown_as_marks);
    RUN(wrong_usage_and_missing_files_are_told_apart_from_a_refusal);
    json_decref(cases);
    (void)unlink(proof_path);
    (void)unlink(policy_path);
    (void)rmdir(folder);
    free(program);
    return test_end();
}
