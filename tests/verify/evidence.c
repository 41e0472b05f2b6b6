/* Runs liaison-verify, whose path is the first argument, on evidence, as somebody would who has no office. */
#include "program.h"

static json_t *cases;

static void write_file(const char *name, struct span content)
{
    char path[64];
    FILE *file = NULL;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    CHECK(file != NULL && fwrite(content.data, 1, content.size, file) == content.size && fclose(file) == 0);
}

/* Writes the file of a case of vectors/record/evidence.*.json. */
static void take(const json_t *one)
{
    struct buffer memory = {0}, id = {0};
    struct cursor cursor = cursor_of(vector_bytes(one, "input_hex", &memory));

    text_put_hex(&id, cursor_span(&cursor, 32));
    (void)snprintf(line, sizeof line, "%s", buffer_string(&id));
    write_file("file", cursor_rest(&cursor));
    buffer_free(&memory);
    buffer_free(&id);
}

static const json_t *named(json_t *among, const char *name)
{
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(among, i, one)
    {
        if (strcmp(vector_text(one, "name"), name) == 0)
            return one;
    }
    printf("# there is no case %s\n", name);
    exit(1);
}

static void every_vector_is_judged(void)
{
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(cases, i, one)
    {
        bool ok = json_is_true(json_object_get(one, "ok"));
        bool is_one = strcmp(vector_text(one, "name"), "a proof") != 0; /* that wants a policy */
        struct buffer words = {0};

        take(one);
        CHECK(run_for_line("") == (ok ? 0 : is_one ? 1 : 2));
        if (ok)
            (void)vector_bytes(one, "output_hex", &words);
        CHECK(says(ok       ? buffer_string(&words)
                   : is_one ? vector_text(one, "reason")
                            : "--line is for disclosures and evidence"));
        CHECK(ok == (strstr(output, "signed two histories of its log on the line") != NULL));
        CHECK(ok ==
              (strstr(output, "PROVED with the keys of the line: both were signed with the log key of ") != NULL));
        CHECK(ok || !is_one || says("Nothing is proved; this is evidence against nobody"));
        CHECK(ok ||
              (strncmp(output, "liaison-verify: ", 16) == 0 && strchr(output, '\n') == output + strlen(output) - 1));
        buffer_free(&words);
    }
    CHECK(json_array_size(cases) >= 45);
}

/* The policy of the same line, from the vectors of policies, and one that knows nobody. */
static void a_policy_will_do(void)
{
    json_t *policies = vectors_cases("record/policy");
    struct buffer memory[2] = {0};

    take(named(cases, "7 entries beside 11"));
    write_file("policy", vector_bytes(named(policies, "a line's"), "input_hex", &memory[0]));
    write_file("none", vector_bytes(named(policies, "nothing asked for"), "input_hex", &memory[1]));
    CHECK(run("--policy policy") == 0 && says("PROVED with the keys of the policy") && says("of 11 entries with root"));
    CHECK(run_for_line("--policy policy") == 0);
    CHECK(run("--policy none") == 1 && says("its log is no log of the policy"));
    take(named(cases, "of another line than asked for"));
    CHECK(run_for_line("--policy policy") == 1 && says("of another line"));
    take(named(cases, "an older head"));
    CHECK(run("--policy policy") == 1 && says("that is one history"));
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    json_decref(policies);
}

static void it_answers_in_json(void)
{
    json_t *answer = NULL;
    const json_t *told = NULL;

    take(named(cases, "7 entries beside 11"));
    CHECK(run_for_line("--json") == 0);
    answer = json_loads(output, 0, NULL);
    CHECK(json_is_true(json_object_get(answer, "proved")));
    told = json_object_get(answer, "two_histories");
    CHECK(strcmp(vector_text(told, "id"), line) == 0 && strcmp(vector_text(told, "line"), "talks") == 0);
    CHECK(strcmp(vector_text(told, "author"), "washington.example") == 0);
    told = json_object_get(told, "heads");
    CHECK(json_array_size(told) == 2);
    CHECK(json_integer_value(json_object_get(json_array_get(told, 0), "size")) == 7);
    CHECK(json_integer_value(json_object_get(json_array_get(told, 1), "size")) == 11);
    CHECK(strlen(vector_text(json_array_get(told, 1), "root")) == 64);
    json_decref(answer);
    take(named(cases, "an older head"));
    CHECK(run_for_line("--json") == 1 && says("\"error\"") && says("that is one history"));
}

static void the_readers_trust_is_asked_for(void)
{
    take(named(cases, "7 entries beside 11"));
    CHECK(run("") == 2 && says("without one nobody's word counts"));
    CHECK(run("--line 00") == 2 && says("64 hexadecimal digits"));
    CHECK(run("--line 0000000000000000000000000000000000000000000000000000000000000000") == 1 &&
          says("of another line"));
}

int main(int argc, char **argv)
{
    if (!program_found(argc, argv))
        return 1;
    cases = vectors_cases("record/evidence");
    RUN(every_vector_is_judged);
    RUN(a_policy_will_do);
    RUN(it_answers_in_json);
    RUN(the_readers_trust_is_asked_for);
    json_decref(cases);
    program_done();
    return test_end();
}
