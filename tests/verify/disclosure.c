/* Runs liaison-verify, whose path is the first argument, on disclosures, as somebody would who has no office. */
#include "program.h"

static char path[64];
static json_t *cases;

/* Adds the disclosure of a case of vectors/desk/disclosure.*.json to the file. */
static void add(const json_t *one, bool anew)
{
    struct buffer memory = {0}, id = {0};
    struct cursor cursor = cursor_of(vector_bytes(one, "input_hex", &memory));
    FILE *file = fopen(path, anew ? "we" : "ae");
    struct span rest = {0};

    text_put_hex(&id, cursor_span(&cursor, 32));
    (void)snprintf(line, sizeof line, "%s", buffer_string(&id));
    rest = cursor_rest(&cursor);
    CHECK(file != NULL && (rest.size == 0 || fwrite(rest.data, 1, rest.size, file) == rest.size) && fclose(file) == 0);
    buffer_free(&memory);
    buffer_free(&id);
}

static const json_t *named(const char *name)
{
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(cases, i, one)
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
        const char *name = vector_text(one, "name");
        struct buffer head = {0};
        bool is_one = strcmp(name, "a proof") != 0 && strcmp(name, "nothing") != 0; /* else it wants a policy */

        add(one, true);
        CHECK(run_for_line("") == (ok ? 0 : is_one ? 1 : 2));
        if (ok)
            (void)vector_bytes(one, "output_hex", &head);
        CHECK(says(ok ? buffer_string(&head) : is_one ? vector_text(one, "reason") : "--line is for disclosures"));
        CHECK(ok == (strstr(output, "PROVED with the keys of the line: 1 entry.") != NULL));
        CHECK(ok ||
              (strncmp(output, "liaison-verify: ", 16) == 0 && strchr(output, '\n') == output + strlen(output) - 1));
        buffer_free(&head);
    }
    CHECK(json_array_size(cases) >= 30);
}

static void several_hold_together_or_not_at_all(void)
{
    add(named("a message"), true);
    add(named("an acknowledgement"), false);
    add(named("a flash in Korean that answers"), false);
    CHECK(run_for_line("") == 0 && says("PROVED with the keys of the line: 3 entries."));
    add(named("another text for people"), false);
    CHECK(run_for_line("") == 1 && says("disclosure 4: what people read") && strstr(output, "wrote, as entry") == NULL);
}

static void it_answers_in_json(void)
{
    json_t *answer = NULL;
    const json_t *one = NULL;

    add(named("a flash in Korean that answers"), true);
    add(named("an unreadable"), false);
    add(named("hostile text in an exercise"), false);
    CHECK(run_for_line("--json") == 0);
    for (const char *at = output; *at != 0; at++)
        CHECK((unsigned char)*at < 0x7f);
    answer = json_loads(output, 0, NULL);
    CHECK(json_is_true(json_object_get(answer, "proved")));
    one = json_array_get(json_object_get(answer, "disclosed"), 0);
    CHECK(strcmp(vector_text(one, "id"), line) == 0 && strcmp(vector_text(one, "line"), "talks") == 0);
    CHECK(strcmp(vector_text(one, "author"), "washington.example") == 0 &&
          strcmp(vector_text(one, "kind"), "message") == 0);
    CHECK(strcmp(vector_text(one, "text"),
                 "\xec\x98\x88, \xeb\xb0\xa9\xec\x97\x90 \xec\x9e\x88\xec\x8a\xb5\xeb\x8b\x88\xeb\x8b\xa4.") == 0);
    CHECK(strcmp(vector_text(one, "precedence"), "flash") == 0 && json_is_false(json_object_get(one, "exercise")));
    CHECK(json_array_size(json_object_get(one, "answers")) == 2 && json_array_size(json_object_get(one, "held")) == 2);
    one = json_array_get(json_object_get(answer, "disclosed"), 1);
    CHECK(json_integer_value(json_object_get(json_array_get(json_object_get(one, "cannot_read"), 0), "last")) == 9);
    one = json_array_get(json_object_get(answer, "disclosed"), 2);
    CHECK(json_is_true(json_object_get(one, "exercise")) && vector_text(one, "text")[0] == 0x1b);
    json_decref(answer);
}

static void the_readers_trust_is_asked_for(void)
{
    add(named("a message"), true);
    CHECK(run("") == 2 && says("without one nobody's word counts"));
    CHECK(run("--line 00") == 2 && says("64 hexadecimal digits"));
    CHECK(run("--line") == 2 && run_for_line("another") == 2 && run_for_line("--policy missing") == 2);
    CHECK(run("--line 0000000000000000000000000000000000000000000000000000000000000000") == 1 &&
          says("of another line"));
}

int main(int argc, char **argv)
{
    if (!program_found(argc, argv))
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    cases = vectors_cases("desk/disclosure");
    RUN(every_vector_is_judged);
    RUN(several_hold_together_or_not_at_all);
    RUN(it_answers_in_json);
    RUN(the_readers_trust_is_asked_for);
    json_decref(cases);
    program_done();
    return test_end();
}
