#include "cli/handed.h"

#include "record/charter.h"
#include "seal/keyfile.h"
#include "test.h"

#include <unistd.h>

static char path[] = "/tmp/liaison-test-XXXXXX";

static void put_file(struct span content)
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL && fwrite(content.data, 1, content.size, file) == content.size && fclose(file) == 0);
}

static void make_card(struct card *card, const char *name)
{
    struct identity identity;
    struct entropy entropy = {0};

    entropy_stir(&entropy, span_of_string(name));
    identity_generate(&identity, &entropy);
    CHECK(card_make(card, name, "en", &identity, NULL) == 0);
}

typedef int handed(const char *path, struct buffer *text, struct error *error);

static bool is_taken(handed *read, struct span content)
{
    struct buffer text = {0};
    struct error error = {0};
    bool taken = false;

    put_file(content);
    taken = read(path, &text, &error) == 0 && span_equal(buffer_span(&text), content);
    buffer_free(&text);
    return taken;
}

/* Refused with that code, in a sentence that names the file, says `wrong`, that nothing changed, and what to do. */
static bool is_refused(handed *read, struct span content, enum error_code code, const char *wrong)
{
    struct buffer text = {0};
    struct error error = {0};
    bool refused = false;

    put_file(content);
    refused = read(path, &text, &error) == -1 && error.code == code && strstr(error.message, path) == error.message &&
              strstr(error.message, wrong) != NULL && strstr(error.message, ". Nothing was changed; ") != NULL;
    if (!refused)
        printf("# %s\n", error.message);
    buffer_free(&text);
    return refused;
}

static void each_kind_is_taken_for_what_it_is(void)
{
    struct charter charter = {.name = "talks", .member_count = 2, .quota_entries = 1, .quota_bytes = 1};
    struct buffer card = {0}, whole = {0}, key = {0};

    make_card(&charter.members[0], "washington.example");
    make_card(&charter.members[1], "pyongyang.example");
    card_print(&charter.members[0], &card);
    charter_print(&charter, &whole);
    courier_key_print(&key, charter.random, charter.random);
    CHECK(is_taken(handed_card, buffer_span(&card)));
    CHECK(is_taken(handed_charter, buffer_span(&whole)));
    CHECK(is_taken(handed_courier_key, buffer_span(&key)));
    CHECK(is_refused(handed_card, buffer_span(&whole), ERROR_INVALID, "this is no card"));
    CHECK(is_refused(handed_card, buffer_span(&key), ERROR_INVALID, "this is no card"));
    CHECK(is_refused(handed_charter, buffer_span(&card), ERROR_INVALID, "this is no charter"));
    CHECK(is_refused(handed_courier_key, buffer_span(&whole), ERROR_INVALID, "this is no courier key"));
    CHECK(is_refused(handed_card, span_of(card.data, card.size / 2), ERROR_INVALID, "cut short"));
    CHECK(is_refused(handed_courier_key, span_of(key.data, key.size / 2), ERROR_INVALID, "cut short"));
    card.data[sizeof "liaison-card/v1" - 2] = '2';
    CHECK(is_refused(handed_card, buffer_span(&card), ERROR_VERSION, "it takes another version of liaison"));
    buffer_free(&card);
    buffer_free(&whole);
    buffer_free(&key);
}

static void what_is_not_there_or_no_text_is_named(void)
{
    struct buffer text = {0};
    struct error error = {0};

    CHECK(handed_card("/nonexistent/card", &text, &error) == -1 && error.code == ERROR_NOT_FOUND);
    CHECK(strstr(error.message, "/nonexistent/card") != NULL);
    error = (struct error){0};
    put_file(span_of("\xff", 1));
    CHECK(handed_charter(path, &text, &error) == -1 && error.code == ERROR_INVALID);
    CHECK(strstr(error.message, path) != NULL && strstr(error.message, "UTF-8") != NULL);
    buffer_free(&text);
}

int main(void)
{
    int file = mkstemp(path);

    CHECK(file >= 0 && close(file) == 0);
    RUN(each_kind_is_taken_for_what_it_is);
    RUN(what_is_not_there_or_no_text_is_named);
    unlink(path);
    return test_end();
}
