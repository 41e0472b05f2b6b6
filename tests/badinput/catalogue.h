/*
 * The catalogue of bad inputs: each has a name of its own, and is refused with a code and a sentence that says what is
 * wrong, and changes nothing. A program of tests/badinput is the tables of one room's interfaces; this is their driver.
 *
 *     family_begin("an entry's fields");
 *     good(&entry, specimen, "the specimen");
 *     bad(&entry, changed, ERROR_INVALID, "at its salt", "the salt has 15 bytes");
 *     family_end();
 *
 * A family is one line of TAP. Within a catalogue no two names are equal, and an input that was there before is neither
 * tried nor counted again. With --list nothing is tried: a line "KIND HASH NAME" is printed for each case, KIND being
 * "cut" for what is nothing but a specimen's beginning, else "case". tests/badinput/count.py adds up the programs.
 */
#ifndef LIAISON_TESTS_BADINPUT_CATALOGUE_H
#define LIAISON_TESTS_BADINPUT_CATALOGUE_H

#include <ctype.h>
#include <stdarg.h>

#include "base/error.h"
#include "base/text.h"
#include "seal/hash.h"
#include "test.h"

#define CASE_NAME_SIZE 240
#define SHOWN_MAX 5 /* cases that went wrong, of a family */

/* One way into a room. */
struct interface {
    const char *name; /* "entry": begins the names of its cases */
    /* Hands the input in: 0 if it was accepted. The bytes are the input's own and may not be changed. */
    int (*feed)(void *context, struct span input, struct error *error);
    /* Appends what may not change when an input is refused; NULL: the interface keeps nothing. */
    void (*picture)(void *context, struct buffer *out);
    void *context;
};

struct hash_set {
    uint8_t (*hash)[HASH_SIZE];
    size_t count, capacity;
};

static struct {
    bool list;
    struct hash_set names, inputs;
    size_t cases, cuts, repeated; /* of all families */
    const char *family;
    size_t tried, wrong; /* of this family */
    bool cut;            /* this family's cases are beginnings of specimens */
} catalogue;

/* False if it is there already. */
static inline bool hash_set_add(struct hash_set *set, const uint8_t hash[static HASH_SIZE])
{
    static const uint8_t empty[HASH_SIZE];
    struct hash_set larger = {.capacity = set->capacity > 0 ? 2 * set->capacity : 1024};
    size_t at = 0;

    if (2 * set->count >= set->capacity) {
        larger.hash = calloc(larger.capacity, HASH_SIZE);
        if (larger.hash == NULL)
            abort();
        for (size_t i = 0; i < set->capacity; i++)
            if (memcmp(set->hash[i], empty, HASH_SIZE) != 0)
                (void)hash_set_add(&larger, set->hash[i]);
        free(set->hash);
        *set = larger;
    }
    memcpy(&at, hash, sizeof at);
    for (at %= set->capacity; memcmp(set->hash[at], empty, HASH_SIZE) != 0; at = (at + 1) % set->capacity)
        if (memcmp(set->hash[at], hash, HASH_SIZE) == 0)
            return false;
    memcpy(set->hash[at], hash, HASH_SIZE);
    set->count++;
    return true;
}

static inline void family_begin(const char *name)
{
    catalogue.family = name;
    catalogue.tried = catalogue.wrong = 0;
    catalogue.cut = false;
}

/* What is wrong with a case. */
static inline void wrong(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void wrong(const char *name, const char *format, ...)
{
    va_list arguments;

    if (catalogue.wrong++ >= SHOWN_MAX)
        return;
    printf("# %s: ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static inline void family_end(void)
{
    if (catalogue.list)
        return;
    if (catalogue.tried == 0)
        wrong(catalogue.family, "no case of this family was tried");
    test_case_failed = catalogue.wrong > 0;
    test_failures += test_case_failed;
    printf("%s - %s: %zu of %s\n", test_case_failed ? "not ok" : "ok", TEST_NAME, catalogue.tried, catalogue.family);
    fflush(stdout);
}

/* Whether the sentence says one of what stands between bars: "at its size|at its root". */
static inline bool says(const char *sentence, const char *fragments)
{
    for (;;) {
        size_t size = strcspn(fragments, "|");

        if (size > 0 && memmem(sentence, strlen(sentence), fragments, size) != NULL)
            return true;
        if (fragments[size] == 0)
            return false;
        fragments += size + 1;
    }
}

/* What is wrong with a refusal's sentence; NULL if nothing. */
static inline const char *sentence_fault(const char *sentence, const char *fragment)
{
    size_t size = strlen(sentence);

    if (size < 12 || strchr(sentence, ' ') == NULL)
        return "is no sentence";
    if (!text_is_utf8(span_of(sentence, size)))
        return "is not UTF-8";
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)sentence[i] < 0x20 || sentence[i] == 0x7f)
            return "holds a control character";
    if (isupper((unsigned char)sentence[0]) || sentence[0] == ' ')
        return "begins like no sentence of the house";
    if (strchr(". :,", sentence[size - 1]) != NULL)
        return "ends like no sentence of the house";
    if (!says(sentence, fragment))
        return "does not say what is wrong";
    return NULL;
}

static inline void picture_of(const struct interface *on, uint8_t out[static HASH_SIZE])
{
    struct buffer picture = {0};

    if (on->picture != NULL)
        on->picture(on->context, &picture);
    if (buffer_failed(&picture))
        abort();
    hash_bytes(out, picture.data, picture.size);
    buffer_free(&picture);
}

/* In memory of exactly its size, so that a sanitizer sees a read beyond it. */
static inline int feed_copy(const struct interface *on, struct span input, struct error *error, bool *touched)
{
    uint8_t *copy = malloc(input.size > 0 ? input.size : 1);
    int result = 0;

    if (copy == NULL)
        abort();
    if (input.size > 0)
        memcpy(copy, input.data, input.size);
    result = on->feed(on->context, span_of(copy, input.size), error);
    *touched = input.size > 0 && memcmp(copy, input.data, input.size) != 0;
    free(copy);
    return result;
}

static inline void input_hash(uint8_t out[static HASH_SIZE], const struct interface *on, struct span input)
{
    struct span parts[] = {span_of(on->name, strlen(on->name) + 1), input};

    hash_parts(out, parts, 2);
}

/* The control of a family: the specimen that its cases are made from is accepted. */
static inline void good(const struct interface *on, struct span input, const char *name)
{
    struct error error = {0};
    uint8_t hash[HASH_SIZE];
    bool touched = false;

    input_hash(hash, on, input);
    (void)hash_set_add(&catalogue.inputs, hash);
    if (catalogue.list)
        return;
    if (feed_copy(on, input, &error, &touched) != 0 || error.code != ERROR_NONE)
        wrong(name, "it is good, and was refused: %s", error.message);
    if (touched)
        wrong(name, "the input was written to");
    picture_of(on, hash); /* what a good input changed does not show as the next case's doing */
}

static inline void try_case(const struct interface *on, struct span input, enum error_code code, const char *fragment,
                            const char *name)
{
    struct error error = {0};
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    bool touched = false;
    const char *fault = NULL;

    picture_of(on, before);
    catalogue.tried++;
    if (feed_copy(on, input, &error, &touched) == 0) {
        wrong(name, "it was accepted");
        return;
    }
    picture_of(on, after);
    fault = sentence_fault(error.message, fragment);
    if (error.code != code)
        wrong(name, "its code is %s and not %s: %s", error_code_name(error.code), error_code_name(code), error.message);
    else if (fault != NULL)
        wrong(name, "its sentence %s (%s): %s", fault, fragment, error.message);
    if (touched)
        wrong(name, "the input was written to");
    if (memcmp(before, after, HASH_SIZE) != 0)
        wrong(name, "something changed");
}

/* One case. `fragment` is a part of the sentence, or one of some with bars between; the name is printed from `format`
 * behind the interface's own. */
static inline void bad(const struct interface *on, struct span input, enum error_code code, const char *fragment,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));
static inline void bad(const struct interface *on, struct span input, enum error_code code, const char *fragment,
                       const char *format, ...)
{
    char name[CASE_NAME_SIZE];
    uint8_t hash[HASH_SIZE], name_hash[HASH_SIZE];
    int size = snprintf(name, sizeof name, "%s: ", on->name);
    va_list arguments;

    va_start(arguments, format);
    size += vsnprintf(name + size, sizeof name - (size_t)size, format, arguments);
    va_end(arguments);
    if (size >= (int)sizeof name)
        abort();
    input_hash(hash, on, input);
    if (!hash_set_add(&catalogue.inputs, hash)) {
        catalogue.repeated++;
        return;
    }
    hash_bytes(name_hash, name, (size_t)size);
    if (!hash_set_add(&catalogue.names, name_hash))
        wrong(name, "another case has this name");
    catalogue.cases++;
    catalogue.cuts += catalogue.cut;
    if (!catalogue.list) {
        try_case(on, input, code, fragment, name);
        return;
    }
    printf("%s ", catalogue.cut ? "cut" : "case");
    for (size_t i = 0; i < HASH_SIZE; i++)
        printf("%02x", hash[i]);
    printf(" %s\n", name);
}

static inline void catalogue_begin(int argc, char **argv)
{
    catalogue.list = argc == 2 && strcmp(argv[1], "--list") == 0;
    if (argc > 1 && !catalogue.list) {
        fprintf(stderr, "usage: %s [--list]\n", argv[0]);
        exit(2);
    }
}

/* The last line of the program, and its exit code. */
static inline int catalogue_end(void)
{
    if (!catalogue.list)
        printf("%s - %s: %zu bad inputs, all different, %zu of them cut short\n", catalogue.cases > 0 ? "ok" : "not ok",
               TEST_NAME, catalogue.cases, catalogue.cuts);
    test_failures += catalogue.cases == 0;
    free(catalogue.names.hash);
    free(catalogue.inputs.hash);
    return test_end();
}

#endif
