/*
 * Disclosing: what one member shows of another's log is checked without either; what cannot be opened, is not there, is
 * no text or is not receipted enough is refused.
 */
#include "desk/disclosure.h"

#include "world.h"

static struct world *world;
static struct site *site;

static void begin(void)
{
    world = world_new(3, 1);
    site = site_of(world, 0);
    for (unsigned i = 0; i < 3; i++)
        (void)site_send(site_of(world, i), "one", 0, NULL);
    world_run(world, 5 * SECOND_US);
}

static uint64_t disclose(const char *entry)
{
    uint64_t request = world_request(world);

    office_record_disclose(site->office, request, line_name(), span_of_string(entry));
    world_turn(world);
    return request;
}

/* Whether the answer is a disclosure that says so of the line's own. */
static bool shows(uint64_t request, unsigned author, uint64_t number, const char *text)
{
    struct disclosure *disclosure = world_memory(1, sizeof *disclosure);
    const struct office_event *reply = world->reply[request];
    struct error error = {0};
    bool result = false;

    if (succeeded(world, request)) {
        struct cursor input = cursor_of(buffer_span(&reply->text));

        result = disclosure_read(disclosure, &input, &error) == 0 && cursor_done(&input) &&
                 disclosure_check_line(disclosure, site_line(site)->charter->line_id, &error) == 0 &&
                 disclosure->author == author && disclosure->proof.index == number &&
                 span_equal(disclosure->body.text, span_of_string(text)) && disclosure->verdict.holder_count == 2;
        disclosure_free(disclosure);
    }
    if (!result)
        printf("# %s\n", error.message);
    free(disclosure);
    return result;
}

static void own_and_others_texts_are_disclosed(void)
{
    begin();
    for (unsigned i = 0; i < 3; i++) {
        site = site_of(world, i);
        CHECK(shows(disclose("washington/3"), 0, 3, "one"));
        CHECK(shows(disclose("pyongyang.example/3"), 1, 3, "one"));
    }
    CHECK(site_said(site, "pyongyang/3 of the line talks was disclosed"));
    world_free(world);
}

/* The secret of the epoch, which would open all of it, is in no answer. */
static void the_epochs_secret_stays_here(void)
{
    uint8_t secret[EPOCH_SECRET_SIZE];
    struct buffer hidden = {0};
    uint64_t request = 0;
    const struct line *line = NULL;

    begin();
    line = site_line(site);
    memcpy(secret, line->secret->epoch, sizeof secret);
    request = disclose("washington/3");
    text_put_base64(&hidden, span_of(secret, sizeof secret));
    CHECK(succeeded(world, request) &&
          strstr(buffer_string(&world->reply[request]->text), buffer_string(&hidden)) == NULL);
    buffer_free(&hidden);
    world_free(world);
}

static void what_has_no_text_is_named(void)
{
    begin();
    CHECK(refused(world, disclose("pyongyang/0"), ERROR_INVALID, "is the line's charter: it has no sealed text"));
    CHECK(refused(world, disclose("pyongyang/1"), ERROR_INVALID, "is prekeys"));
    CHECK(refused(world, disclose("pyongyang/2"), ERROR_INVALID, "is the beginning of an epoch"));
    CHECK(refused(world, disclose("pyongyang/4"), ERROR_NOT_FOUND, "is not in the record"));
    CHECK(refused(world, disclose("pyongyang"), ERROR_USAGE, "an entry is named"));
    world_free(world);
}

static void what_does_not_open_here_is_not_disclosed(void)
{
    begin();
    site_drop(site);
    site_change(site, "DELETE FROM epochs WHERE log = 2");
    site_change(site, "UPDATE epochs SET secret = zeroblob(72) WHERE log = 3");
    site_start(site);
    CHECK(refused(world, disclose("pyongyang/3"), ERROR_REFUSED, "cannot be opened by this office"));
    CHECK(refused(world, disclose("beijing/3"), ERROR_REFUSED, "cannot be opened by this office"));
    CHECK(shows(disclose("washington/3"), 0, 3, "one"));
    world_free(world);
}

/* Its author sealed for nobody: with another secret than the one that it gave the others. It counts and is receipted.
 */
static void what_was_sealed_for_nobody_is_not_disclosed(void)
{
    begin();
    site_line(site_of(world, 1))->secret->epoch[0] ^= 1;
    (void)site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    for (unsigned i = 0; i < 3; i++) {
        site = site_of(world, i);
        CHECK(refused(world, disclose("pyongyang/4"), ERROR_REFUSED, "cannot be opened by this office"));
        CHECK(shows(disclose("pyongyang/3"), 1, 3, "one"));
    }
    world_free(world);
}

/* As the line's policy names: all the others. */
static void what_some_have_not_receipted_waits(void)
{
    begin();
    site_of(world, 2)->held = true;
    (void)site_send(site, "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    CHECK(refused(world, disclose("washington/4"), ERROR_REFUSED, "only 1 of 2 others have receipted washington/4"));
    CHECK(!site_said(site, "washington/4 of the line talks was disclosed"));
    site_of(world, 2)->held = false;
    world_run(world, 5 * SECOND_US);
    CHECK(shows(disclose("washington/4"), 0, 4, "two"));
    world_free(world);
}

static void what_is_broken_on_the_disk_is_not_disclosed(void)
{
    begin();
    for (unsigned k = 1; k < 3; k++)
        site_drop(site_of(world, k)); /* who would mend it */
    site_drop(site);
    site_change(site, "UPDATE entries SET bytes = zeroblob(400) WHERE place = %lld", (long long)PLACE(2, 3));
    site_start(site);
    CHECK(refused(world, disclose("pyongyang/3"), ERROR_MISMATCH, "is broken on the disk"));
    world_free(world);
}

int main(void)
{
    RUN(own_and_others_texts_are_disclosed);
    RUN(the_epochs_secret_stays_here);
    RUN(what_has_no_text_is_named);
    RUN(what_does_not_open_here_is_not_disclosed);
    RUN(what_was_sealed_for_nobody_is_not_disclosed);
    RUN(what_some_have_not_receipted_waits);
    RUN(what_is_broken_on_the_disk_is_not_disclosed);
    scratch_clean();
    return test_end();
}
