/*
 * Reads test vectors that others published, from $LIAISON_VECTORS or from ../shared/vectors beside the
 * checkout, and the project's own from vectors/.
 */
#ifndef LIAISON_TESTS_VECTORS_H
#define LIAISON_TESTS_VECTORS_H

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* NULL where the file is missing; a file that is not JSON ends the program. */
static inline json_t *vectors_load_path(const char *path)
{
    json_error_t why;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &why);

    if (root == NULL && json_error_code(&why) != json_error_cannot_open_file) {
        printf("# %s:%d: %s\n", path, why.line, why.text);
        exit(1);
    }
    return root;
}

static inline json_t *vectors_load(const char *name)
{
    const char *folder = getenv("LIAISON_VECTORS");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : SOURCE_ROOT "/../shared/vectors", name);
    return vectors_load_path(path);
}

/* All cases of one of our formats, such as "record/charter", in the order of their files' names. A format without
 * a case, and a file that is no case, end the program: nobody would see that nothing was tested. */
static inline json_t *vectors_cases(const char *format)
{
    json_t *cases = json_array();
    char pattern[4096];
    glob_t files = {0};

    (void)snprintf(pattern, sizeof pattern, SOURCE_ROOT "/vectors/%s.*.json", format);
    if (glob(pattern, 0, NULL, &files) != 0) {
        printf("# %s: no such file\n", pattern);
        exit(1);
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        json_t *one = vectors_load_path(files.gl_pathv[i]);
        json_error_t why;

        if (json_unpack_ex(one, &why, JSON_VALIDATE_ONLY | JSON_STRICT, "{s:s, s:s, s:b, s:s, s:s}", "name",
                           "input_hex", "ok", "reason", "output_hex") != 0) {
            printf("# %s: %s\n", files.gl_pathv[i], why.text);
            exit(1);
        }
        json_array_append_new(cases, one);
    }
    globfree(&files);
    return cases;
}

static inline const char *vector_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* Appends the bytes of a member written in hexadecimal; nothing if there is no such member. Returns where
 * they are, valid until `out` grows. */
static inline struct span vector_bytes(const json_t *object, const char *key, struct buffer *out)
{
    struct span text = span_of_string(vector_text(object, key));
    uint8_t *to = buffer_extend(out, text.size / 2);

    if (!text_from_hex(text, to, text.size / 2)) {
        printf("# a vector's member %s is not hexadecimal\n", key);
        exit(1);
    }
    return span_of(to, text.size / 2);
}

#endif
