/*
 * An office whose reads of the store fail, each in its turn: at the start, while it works, and while it answers people.
 * It does not open or it stops, with a reason; whoever asks is answered once; and after the next start nothing is
 * missing.
 */
#include "world.h"

/* --- the wraps --------------------------------------------------------------------------------------------- */

static size_t reads;   /* so far, of the watched store */
static size_t failing; /* the one that fails; 0: none */
static bool failed;

static int read_fails(struct error *error)
{
    if (failing == 0 || ++reads != failing)
        return 0;
    failed = true;
    return error_set(error, ERROR_STORAGE, "this read was made to fail");
}

int __real_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error);
int __wrap_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error);
int __real_store_range_hash(struct store *store, uint32_t log, struct tree_range range, uint8_t out[static HASH_SIZE],
                            struct error *error);
int __wrap_store_range_hash(struct store *store, uint32_t log, struct tree_range range, uint8_t out[static HASH_SIZE],
                            struct error *error);

static struct store *watched; /* NULL: whichever is read */

int __wrap_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error)
{
    *result = (struct store_result){0};
    if ((watched == NULL || store == watched) && read_fails(error) != 0)
        return -1;
    return __real_store_read(store, query, result, error);
}

int __wrap_store_range_hash(struct store *store, uint32_t log, struct tree_range range, uint8_t out[static HASH_SIZE],
                            struct error *error)
{
    if ((watched == NULL || store == watched) && read_fails(error) != 0)
        return -1;
    return __real_store_range_hash(store, log, range, out, error);
}

/* --- a day of an office -------------------------------------------------------------------------------------- */

static struct world *world;
static struct site *site, *other, *third;

/* As site_start() does; false if the office does not open, with the site down. */
static bool start(void)
{
    struct mark_state state = {0};
    struct error error = {0}, mark_error = {0};
    bool rewrite = false;

    watched = NULL;
    site->store = store_open(site->database, false, &error);
    if (site->store == NULL) {
        CHECK(error.code != ERROR_NONE && error.message[0] != 0);
        return false;
    }
    watched = site->store;
    site->mark = mark_open(site->mark_path, &state, &mark_error);
    site->office = office_open(site->store, &state, &mark_error, &site->config, &rewrite, &error);
    mark_state_free(&state);
    if (site->office == NULL) {
        CHECK(error.code != ERROR_NONE && error.message[0] != 0);
        site_drop(site);
        return false;
    }
    buffer_reset(&site->content);
    world_must(office_mark(site->office, &site->content, &error) == 0, &error);
    if (rewrite)
        world_must(mark_write(site->mark, buffer_span(&site->content), &error) == 0, &error);
    site->told_count = 0;
    site->log_size = 0;
    site->log[0] = 0;
    world_must(site_unlock(site, &error) == 0, &error);
    return true;
}

static uint64_t verify(void)
{
    uint64_t request = world_request(world);

    office_record_verify(site->office, request, line_name());
    return request;
}

static uint64_t prove(const char *entry)
{
    uint64_t request = world_request(world);

    office_record_prove(site->office, request, line_name(), span_of_string(entry));
    return request;
}

static uint64_t disclose(const char *entry)
{
    uint64_t request = world_request(world);

    office_record_disclose(site->office, request, line_name(), span_of_string(entry));
    return request;
}

static uint64_t inbox(void)
{
    uint64_t request = world_request(world);

    office_inbox(site->office, request, line_name());
    return request;
}

static uint64_t entries(const char *from, bool falling)
{
    uint64_t request = world_request(world);

    office_entries(site->office, request, line_name(), span_of_string(""), span_of_string(from), 4, falling);
    return request;
}

/* What people ask of the office, and what the others say to it; true if everybody was answered. */
static bool work(unsigned day)
{
    uint64_t asked[12];
    size_t count = 0;
    char token[16];
    bool answered = true;

    (void)snprintf(token, sizeof token, "t%u", day);
    (void)site_send(other, "to be read", 0, NULL);
    (void)site_send(third, "a flash", PRECEDENCE_FLASH, NULL);
    world_run(world, SECOND_US);
    asked[count++] = site_send(site, "with a token", PRECEDENCE_FLASH, token);
    asked[count++] = site_answer(site, "an answer", "pyongyang.example/4");
    asked[count++] = site_acknowledge(site, "pyongyang.example/4");
    world_run(world, SECOND_US);
    asked[count++] = site_send(site, "with a token", PRECEDENCE_FLASH, token);
    asked[count++] = site_entries(site, "", 4);
    asked[count++] = entries("pyongyang.example/4", false);
    asked[count++] = entries("pyongyang.example/4", true);
    asked[count++] = inbox();
    asked[count++] = verify();
    asked[count++] = prove("washington.example/4");
    asked[count++] = prove("pyongyang.example/4");
    asked[count++] = disclose("pyongyang.example/4");
    world_run(world, 3 * SECOND_US);
    for (size_t i = 0; i < count; i++)
        answered &= world->replies[asked[i]] == 1;
    return answered;
}

static void each_read_may_fail(void)
{
    size_t at_start = 0, at_work = 0;
    unsigned days = 0;

    world = world_new(3, 1);
    site = site_of(world, 0);
    other = site_of(world, 1);
    third = site_of(world, 2);
    (void)site_send(other, "the fourth", 0, NULL);
    (void)site_send(site, "the fourth", 0, NULL);
    world_run(world, 3 * SECOND_US);
    for (size_t n = 1;;
         n +=
         n < 60 ? 1u : (n < 500 ? 11u : 307u) * TEST_SHARE) { /* the first ones are the start's, one of each kind */
        bool did = false;

        site_drop(site);
        (void)site_send(other, "while it was away", 0, NULL);
        world_run(world, SECOND_US);
        reads = 0;
        failed = false;
        failing = n;
        if (start()) {
            const char *reason = NULL;
            bool answered = work(++days);
            enum office_state state = office_state(site->office, &reason);

            did = failed;
            CHECK(answered);
            CHECK(state == (did ? OFFICE_STOPPED : OFFICE_READY));
            CHECK(!did || (reason != NULL && strstr(reason, "made to fail") != NULL));
            at_work += did;
        } else {
            did = failed;
            CHECK(did);
            at_start++;
        }
        failing = 0;
        if (!did)
            break;
        if (site->office != NULL)
            site_drop(site);
        site_start(site);
        world_run(world, 2 * SECOND_US);
    }
    world_run(world, 20 * SECOND_US);
    printf("# %zu reads failed at the start, %zu at work\n", at_start, at_work);
    CHECK(at_start > 20 && at_work > 20);
    world_check_settled(world);
    world_free(world);
}

int main(void)
{
    RUN(each_read_may_fail);
    scratch_clean();
    return test_end();
}
