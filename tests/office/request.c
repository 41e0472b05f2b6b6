/*
 * Tokens of entries that are on their way: between the batch they wait for and the store that will know them.
 */
#include "../../src/office/append.c"

#include "../../src/office/request.c" /* its parts that wait for nothing outside are tried alone */

#include "test.h"

static struct office office;
static struct charter charter;
static struct line line;

static void begin(void)
{
    sync_chunk_free(line.pending_first != NULL ? line.pending_first->chunk : NULL);
    if (line.pending_first != NULL) {
        store_batch_free(&line.pending_first->operations);
        free(line.pending_first);
    }
    buffer_free(&line.tokens);
    memset(&line, 0, sizeof line);
    line.charter = &charter;
}

/* An own entry with a token; its number. */
static uint64_t appended(uint8_t token)
{
    struct wanted_message message = {.has_token = true, .token = {token}, .digest = {token}};
    uint64_t number = line.first.size;

    CHECK(add_entry(&office, &line, span_of("entry", 5), 0, NULL) == 0);
    keep_token(&line, &message, number);
    return number;
}

/* Everything that waited is gone, as after a full disk. */
static void forget(void)
{
    line.first = line.second;
}

static bool finds(uint8_t token, uint64_t number)
{
    struct wanted_message message = {.has_token = true, .token = {token}, .digest = {token}};
    struct error error = {0};

    find_recent_token(&line, &message, &error);
    return message.known && message.known_number == number && error.code == ERROR_NONE;
}

static void a_token_is_known_as_soon_as_its_entry_is_numbered(void)
{
    struct wanted_message other = {.has_token = true, .token = {1}, .digest = {2}};
    struct error error = {0};

    begin();
    CHECK(appended(1) == 0 && appended(2) == 1);
    CHECK(finds(1, 0) && finds(2, 1) && !finds(3, 2));
    find_recent_token(&line, &other, &error);
    CHECK(error.code == ERROR_REFUSED);
}

static void what_was_forgotten_is_not_known(void)
{
    begin();
    CHECK(appended(1) == 0);
    line.second = line.first; /* durable */
    CHECK(appended(2) == 1);
    forget();
    CHECK(!finds(2, 1));
    /* Its number is given again, to something without a token. */
    CHECK(add_entry(&office, &line, span_of("other", 5), 0, NULL) == 0 && line.first.size == 2);
    CHECK(!finds(2, 1));
    CHECK(appended(2) == 2 && finds(2, 2));
}

static void what_is_durable_is_forgotten_in_time(void)
{
    begin();
    for (uint8_t i = 0; i < 200; i++) {
        (void)appended(i);
        if (i % 10 == 9)
            line.second = line.first;
    }
    CHECK(finds(199, 199));
    CHECK(line.tokens.size < 25 * sizeof(struct token));
}

int main(void)
{
    RUN(a_token_is_known_as_soon_as_its_entry_is_numbered);
    RUN(what_was_forgotten_is_not_known);
    RUN(what_is_durable_is_forgotten_in_time);
    begin();
    return test_end();
}
