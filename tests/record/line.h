/*
 * A line for tests: parties, a courier key and a charter, all drawn from a seed.
 */
#ifndef LIAISON_TESTS_RECORD_LINE_H
#define LIAISON_TESTS_RECORD_LINE_H

#include <stdio.h>
#include <stdlib.h>

#include "record/charter.h"

struct test_line {
    struct entropy entropy;
    struct identity identity[MEMBERS_MAX];
    uint8_t courier_key[COURIER_KEY_SIZE];
    struct charter charter;
    struct buffer text; /* the charter's */
};

static inline void test_line_free(struct test_line *line)
{
    buffer_free(&line->text);
}

/* Prints the charter and parses it again, as founding a line does. */
static inline int test_line_refound(struct test_line *line, struct error *error)
{
    struct charter printed = line->charter;

    buffer_reset(&line->text);
    charter_print(&printed, &line->text);
    return charter_parse(&line->charter, buffer_span(&line->text), error);
}

static inline void test_line_found(struct test_line *line, unsigned members, const char *seed)
{
    static const char *const names[] = {"washington.example", "pyongyang.example", "beijing.example",
                                        "moscow.example",     "seoul.example",     "tokyo.example"};
    struct error error = {0};

    memset(line, 0, sizeof *line);
    if (seal_init(&error) != 0)
        goto failed;
    entropy_stir(&line->entropy, span_of_string(seed));
    entropy_fill(&line->entropy, line->courier_key, COURIER_KEY_SIZE);
    memcpy(line->charter.name, "talks", 6);
    entropy_fill(&line->entropy, line->charter.random, sizeof line->charter.random);
    line->charter.has_courier_key = true;
    courier_hash(line->charter.courier_hash, line->courier_key);
    line->charter.quota_entries = QUOTA_ENTRIES_DEFAULT;
    line->charter.quota_bytes = QUOTA_BYTES_DEFAULT;
    line->charter.member_count = members;
    for (unsigned i = 0; i < members; i++) {
        char name[NAME_SIZE];

        (void)snprintf(name, sizeof name, "%s", i < 6 ? names[i] : "");
        if (i >= 6)
            (void)snprintf(name, sizeof name, "party-%u.example", i);
        identity_generate(&line->identity[i], &line->entropy);
        if (card_make(&line->charter.members[i], name, i == 0 ? "en" : "ko,en", &line->identity[i], &error) != 0)
            goto failed;
    }
    if (test_line_refound(line, &error) == 0)
        return;
failed:
    printf("# the test's line could not be founded: %s\n", error.message);
    exit(1);
}

#endif
