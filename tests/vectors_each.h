/*
 * Runs every case of a format of vectors/, such as "record/charter".
 */
#ifndef LIAISON_TESTS_VECTORS_EACH_H
#define LIAISON_TESTS_VECTORS_EACH_H

#include "base/error.h"
#include "test.h"
#include "vectors.h"

/* Runs one case: appends the output, or fills the error and returns -1. */
typedef int run_case(struct span input, struct buffer *output, struct error *error);

static inline void each_case(const char *format, run_case *run)
{
    json_t *cases = vectors_cases(format), *one = NULL;
    size_t index = 0;

    json_array_foreach(cases, index, one)
    {
        bool expected = json_is_true(json_object_get(one, "ok"));
        struct buffer memory[2] = {0}, output = {0};
        struct error error = {0};
        bool ok = run(vector_bytes(one, "input_hex", &memory[0]), &output, &error) == 0;
        bool same = ok ? span_equal(buffer_span(&output), vector_bytes(one, "output_hex", &memory[1]))
                       : strstr(error.message, vector_text(one, "reason")) != NULL;

        if (ok != expected || !same)
            printf("# %s, %s: %s\n", format, vector_text(one, "name"), ok ? "accepted" : error.message);
        CHECK(ok == expected && same);
        buffer_free(&memory[0]);
        buffer_free(&memory[1]);
        buffer_free(&output);
    }
    json_decref(cases);
}

#endif
