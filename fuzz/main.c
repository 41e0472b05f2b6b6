/*
 * Drives a fuzzer without libFuzzer: over its seeds, which are the files of fuzz/corpus/TARGET/ and the inputs of its
 * formats in vectors/, and over mutations of them. Each run draws from the seed and its own number, so a run can be
 * repeated alone.
 *
 * usage: fuzz-TARGET [--run NUMBER | --seeds DIRECTORY | FILE...]
 */
#include "fuzz.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../sim/random.h"
#include "../tests/vectors.h"

#define SEED 1
#define INPUT_MAX 70000
#define CHANGES_MAX 5

struct seeds {
    struct buffer *input;
    size_t count;
};

static struct buffer *seeds_add(struct seeds *seeds)
{
    seeds->input = reallocarray(seeds->input, seeds->count + 1, sizeof *seeds->input);
    if (seeds->input == NULL)
        abort();
    seeds->input[seeds->count] = (struct buffer){0};
    return &seeds->input[seeds->count++];
}

static void seeds_free(struct seeds *seeds)
{
    for (size_t i = 0; i < seeds->count; i++)
        buffer_free(&seeds->input[i]);
    free(seeds->input);
}

static bool read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    char bytes[4096];
    size_t got = 0;

    if (file == NULL)
        return false;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_put(out, bytes, got);
    return fclose(file) == 0;
}

static void load_corpus(struct seeds *seeds)
{
    glob_t files = {0};

    if (glob(SOURCE_ROOT "/fuzz/corpus/" TARGET "/*", 0, NULL, &files) == 0)
        for (size_t i = 0; i < files.gl_pathc; i++)
            HOLD(read_file(files.gl_pathv[i], seeds_add(seeds)));
    globfree(&files);
}

static void load_vectors(struct seeds *seeds)
{
    bool several = fuzz_target.formats[0] != NULL && fuzz_target.formats[1] != NULL;

    for (unsigned format = 0; fuzz_target.formats[format] != NULL; format++) {
        json_t *cases = vectors_cases(fuzz_target.formats[format]), *one = NULL;
        size_t index = 0;

        json_array_foreach(cases, index, one)
        {
            struct buffer *seed = seeds_add(seeds);

            if (several)
                buffer_put_u8(seed, (uint8_t)format);
            (void)vector_bytes(one, "input_hex", seed);
        }
        json_decref(cases);
    }
}

/* Puts `part` where `erased` bytes at `at` were. */
static void replace(struct buffer *input, size_t at, size_t erased, struct span part)
{
    struct buffer whole = {0};

    buffer_put(&whole, input->data, at);
    buffer_put_span(&whole, part);
    buffer_put_span(&whole, span_from(buffer_span(input), at + erased));
    buffer_free(input);
    *input = whole;
}

static size_t draw_size(struct random *random, size_t most)
{
    size_t size = (size_t)random_below(random, random_below(random, 4) == 0 ? 300 : 12);

    return size < most ? size : most;
}

/* A part of any seed, or bytes of which many parsers think much. */
static struct span draw_part(struct random *random, const struct seeds *seeds, uint8_t bytes[static 32])
{
    static const uint8_t edges[] = {0,    1,    0x17, 0x18, 0x19, 0x1b, 0x40, 0x58, 0x7f, 0x80, 0x9f, 0xa0, 0xbf,
                                    0xc2, 0xff, '\n', ' ',  '"',  '-',  '.',  '/',  '0',  '9',  ':',  '='};
    const struct buffer *from = &seeds->input[random_below(random, seeds->count)];
    size_t at = (size_t)random_below(random, from->size + 1);

    if (random_below(random, 3) == 0)
        return span_of(from->data + at, draw_size(random, from->size - at));
    for (size_t i = 0; i < 32; i++)
        bytes[i] =
            random_below(random, 2) == 0 ? (uint8_t)random_next(random) : edges[random_below(random, sizeof edges)];
    return span_of(bytes, 1 + draw_size(random, 8));
}

static void change(struct random *random, const struct seeds *seeds, struct buffer *input)
{
    size_t at = (size_t)random_below(random, input->size + 1);
    size_t left = input->size - at;
    uint8_t bytes[32];

    switch (random_below(random, 7)) {
    case 0:
        if (left > 0)
            input->data[at] ^= (uint8_t)(1u << random_below(random, 8));
        break;
    case 1:
        if (left > 0)
            input->data[at] = (uint8_t)(input->data[at] + random_between(random, 0, 2) - 1);
        break;
    case 2:
        replace(input, at, draw_size(random, left), span_of(NULL, 0));
        break;
    case 3:
        replace(input, at, 0, draw_part(random, seeds, bytes));
        break;
    case 4:
        if (input->size > 0) /* the first byte often says what the rest is */
            input->data[0] = (uint8_t)random_below(random, 8);
        break;
    case 5:
        if (random_below(random, 8) == 0)
            input->size = at;
        break;
    default: {
        struct span part = draw_part(random, seeds, bytes);

        replace(input, at, part.size < left ? part.size : left, part);
    }
    }
}

static void run_one(struct span input)
{
    /* Exactly as large as the input, so that a sanitizer sees a byte read behind it. */
    uint8_t *copy = malloc(input.size > 0 ? input.size : 1);

    if (copy == NULL)
        abort();
    if (input.size > 0)
        memcpy(copy, input.data, input.size);
    (void)LLVMFuzzerTestOneInput(copy, input.size);
    free(copy);
}

/* Runs below the number of seeds are these themselves, the others mutations. */
static void run_numbered(const struct seeds *seeds, unsigned number)
{
    struct random random;
    struct buffer input = {0};

    random_start(&random, SEED, number);
    buffer_put_span(&input, buffer_span(&seeds->input[number % seeds->count]));
    for (uint64_t left = number < seeds->count ? 0 : random_between(&random, 1, CHANGES_MAX); left > 0; left--)
        change(&random, seeds, &input);
    HOLD(!buffer_failed(&input));
    run_one(span_of(input.data, input.size < INPUT_MAX ? input.size : INPUT_MAX));
    buffer_free(&input);
}

static int write_seeds(const struct seeds *seeds, const char *directory)
{
    for (size_t i = 0; i < seeds->count; i++) {
        char path[PATH_MAX];
        FILE *file = NULL;

        (void)snprintf(path, sizeof path, "%s/seed-%zu", directory, i);
        file = fopen(path, "wb");
        if (file == NULL || fwrite(seeds->input[i].data, 1, seeds->input[i].size, file) != seeds->input[i].size ||
            fclose(file) != 0)
            return 1;
    }
    return 0;
}

/* A child runs, so that what ends it can be named, be it a promise, a signal or a sanitizer. */
static int run_all(const struct seeds *seeds)
{
    unsigned count = (unsigned)seeds->count + fuzz_target.runs;
    volatile unsigned *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 1;
    pid_t child = -1;

    if (at == MAP_FAILED || (child = fork()) < 0)
        return 1;
    if (child == 0) {
        for (*at = 0; *at < count; (*at)++)
            run_numbered(seeds, *at);
        exit(0);
    }
    if (waitpid(child, &status, 0) != child)
        status = 1;
    if (status != 0)
        printf("# run %u of %u; again: fuzz-" TARGET " --run %u\n", *at, count, *at);
    printf("%s - fuzz/" TARGET ": %zu seeds, %u mutations\n", status == 0 ? "ok" : "not ok", seeds->count,
           fuzz_target.runs);
    return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct seeds seeds = {0};
    int status = 0;

    if (argc > 1 && argv[1][0] == '-' &&
        (argc != 3 || (strcmp(argv[1], "--run") != 0 && strcmp(argv[1], "--seeds") != 0))) {
        (void)fprintf(stderr, "usage: %s [--run NUMBER | --seeds DIRECTORY | FILE...]\n", argv[0]);
        return 2;
    }
    load_corpus(&seeds);
    load_vectors(&seeds);
    HOLD(seeds.count > 0);
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        status = write_seeds(&seeds, argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "--run") == 0) {
        run_numbered(&seeds, (unsigned)strtoul(argv[2], NULL, 10));
    } else if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            struct buffer input = {0};

            HOLD(read_file(argv[i], &input));
            run_one(buffer_span(&input));
            buffer_free(&input);
        }
    } else {
        status = run_all(&seeds);
    }
    seeds_free(&seeds);
    return status;
}
