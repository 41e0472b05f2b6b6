/*
 * Databases that say what no office writes: each is refused with a sentence that names what is wrong, or what is wrong
 * is only a cache and is made again.
 */
#include "world.h"

static struct world *world;
static struct site *site;

/* Opens the office of a site that is down, to see whether that can be done, and closes it. */
static enum error_code opens(struct error *error)
{
    struct mark_state state = {0};
    struct error mark_error = {0};
    bool rewrite = false;
    struct store *store = store_open(site->database, false, error);
    struct mark *mark = mark_open(site->mark_path, &state, &mark_error);
    struct office *office = NULL;

    if (store != NULL)
        office = office_open(store, mark != NULL ? &state : NULL, &mark_error, &site->config, &rewrite, error);
    CHECK((office != NULL) == (error->code == ERROR_NONE));
    office_free(office);
    mark_state_free(&state);
    mark_close(mark);
    store_close(store);
    return error->code;
}

/* A copy of the site's database, so that one world serves all. */
static void copy(const char *from, const char *to)
{
    struct buffer content = {0};

    file_read(from, &content);
    file_write(to, buffer_span(&content));
    buffer_free(&content);
}

static void begin(void)
{
    world = world_new(2, 1);
    site = site_of(world, 0);
    (void)site_send(site, "one", 0, NULL);
    (void)site_send(site_of(world, 1), "two", 0, NULL);
    world_run(world, 5 * SECOND_US);
    site_drop(site);
    copy(site->database, scratch("whole.db"));
}

#define PENDING(place, root, signature)                                                                                \
    "INSERT INTO pending (place, size, bytes, root, signature, path) VALUES (" #place ", 9, x'00', zeroblob(" #root    \
    "), zeroblob(" #signature "), x'')"

static void what_no_office_writes_is_not_opened(void)
{
    static const struct {
        const char *change, *says;
        enum error_code code;
    } rows[] = {
        {"UPDATE meta SET value = x'00' WHERE key = 'office'", "what the office knows of itself", ERROR_STORAGE},
        {"UPDATE meta SET value = x'00' WHERE key = 'master'", "what the office knows of itself", ERROR_STORAGE},
        {"DELETE FROM meta WHERE key = 'identity'", "what the office knows of itself", ERROR_STORAGE},
        {"UPDATE meta SET value = x'00' WHERE key = 'card'", "card", ERROR_STORAGE},
        {"UPDATE meta SET value = CAST('passphrase' AS BLOB) WHERE key = 'key-kind'", "the passphrase is stretched",
         ERROR_STORAGE},
        {"UPDATE lines SET charter = 'none'", "this is no charter", ERROR_INVALID},
        {"UPDATE logs SET line = 9", "the list of logs", ERROR_STORAGE},
        {"UPDATE logs SET member = 9 WHERE log = 2", "the list of logs", ERROR_STORAGE},
        {"UPDATE logs SET member = -1 WHERE log = 2", "the list of logs", ERROR_STORAGE},
        {"UPDATE logs SET member = 1 WHERE log = 1", "the list of logs", ERROR_STORAGE},
        {"UPDATE logs SET incarnation = 1", "the list of logs", ERROR_STORAGE},
        {"UPDATE logs SET size = size + 1", "the frontier of a log", ERROR_STORAGE},
        {"UPDATE logs SET frontier = x'01'", "the frontier of a log", ERROR_STORAGE},
        {"DELETE FROM entries WHERE place = (SELECT min(place) FROM entries)", "is not there", ERROR_NOT_FOUND},
        {"UPDATE links SET line = 9", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET link = 0", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET link = 100000", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET member = -1", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET member = 2", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET address = CAST(zeroblob(5000) AS TEXT)", "the list of links", ERROR_STORAGE},
        {"UPDATE links SET address = 'nowhere'", "", ERROR_USAGE},
        {"UPDATE counters SET line = 9", "the list of counters", ERROR_STORAGE},
        {"UPDATE counters SET member = -1", "the list of counters", ERROR_STORAGE},
        {"UPDATE counters SET member = 2", "the list of counters", ERROR_STORAGE},
        {PENDING(9, 32, 64), "the list of overtaking entries", ERROR_STORAGE},
        {PENDING(16 << 40, 32, 64), "the list of overtaking entries", ERROR_STORAGE},
        {PENDING((2 << 40) + 9, 31, 64), "the list of overtaking entries", ERROR_STORAGE},
        {PENDING((2 << 40) + 9, 32, 63), "the list of overtaking entries", ERROR_STORAGE},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};

        copy(scratch("whole.db"), site->database);
        site_change(site, "%s", rows[i].change);
        if (opens(&error) != rows[i].code || strstr(error.message, rows[i].says) == NULL) {
            printf("# %s: %d %s\n", rows[i].change, (int)error.code, error.message);
            CHECK(false);
        }
    }
    copy(scratch("whole.db"), site->database);
    site_start(site);
    world_run(world, 5 * SECOND_US);
    world_check_settled(world);
    world_free(world);
}

/* What can be computed again is, and what a row says of somebody who is no member is nothing. */
static void what_is_only_kept_at_hand_is_made_again(void)
{
    static const char *const rows[] = {
        "DELETE FROM fold",
        "UPDATE receipts SET by = 9 WHERE log = 2",
        "UPDATE receipts SET signature = x'00' WHERE log = 1",
        "UPDATE prekeys SET author = 9",
        "UPDATE offered SET key = x'00'",
        "UPDATE heads SET signature = x'00' WHERE log = 1",
        "UPDATE heads SET root = x'00' WHERE log = 1",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *reason = NULL;

        begin();
        site_change(site, "%s", rows[i]);
        site_start(site);
        world_run(world, 5 * SECOND_US);
        if (office_state(site->office, &reason) != OFFICE_READY) {
            printf("# %s: %s\n", rows[i], reason);
            CHECK(false);
        }
        world_check_settled(world);
        world_free(world);
    }
}

/* Opened with the right key, and still not what it was. */
static void secrets_that_were_changed_do_not_unlock(void)
{
    static const struct {
        const char *change, *says;
    } rows[] = {
        {"UPDATE meta SET value = zeroblob(length(value)) WHERE key = 'master'", "does not open this office"},
        {"UPDATE meta SET value = zeroblob(length(value)) WHERE key = 'identity'", "sealed secret"},
        {"UPDATE lines SET courier = zeroblob(length(courier))", "sealed secret"},
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        const char *reason = NULL;

        copy(scratch("whole.db"), site->database);
        site_change(site, "%s", rows[i].change);
        site_open(site);
        CHECK(site_unlock(site, &error) == -1 && office_state(site->office, &reason) == OFFICE_LOCKED);
        if (error.code != ERROR_MISMATCH || strstr(error.message, rows[i].says) == NULL) {
            printf("# %s: %s\n", rows[i].change, error.message);
            CHECK(false);
        }
        site_drop(site);
    }
    copy(scratch("whole.db"), site->database);
    site_start(site);
    world_free(world);
}

/* The card of another identity of the same name: neither the office's keys nor the charter's are its own. */
static void a_card_of_other_keys_is_not_taken(void)
{
    struct world *other = world_empty(1, 2);
    struct error error = {0};
    struct store *store = NULL;
    struct store_batch batch = {0};

    for (unsigned lines = 0; lines < 2; lines++) {
        if (lines == 0) {
            world = world_empty(2, 1);
            site = site_of(world, 0);
            site_drop(site);
        } else {
            begin();
        }
        store = store_open(site->database, false, &error);
        put_fact(&batch, META_CARD, buffer_span(&other->site[0].card));
        CHECK(store != NULL && store_stage(store, &batch, &error) == 0 &&
              store_commit(store, store_batch_number(store) + 1, &error) == 0);
        store_batch_reset(&batch);
        store_close(store);
        if (lines == 1) {
            CHECK(opens(&error) == ERROR_MISMATCH && strstr(error.message, "other keys") != NULL);
        } else {
            site_open(site);
            CHECK(site_unlock(site, &error) == -1 && error.code == ERROR_STORAGE);
            CHECK(strstr(error.message, "the card is not of the keys") != NULL);
        }
        error = (struct error){0};
        world_free(world);
    }
    store_batch_free(&batch);
    world_free(other);
}

/* An office that a passphrase opens, as `liaison init` makes one. */
static void a_passphrase_opens_its_own_office_alone(void)
{
    const struct passphrase_limits limits = {.operations = 1, .memory_kib = 8};
    uint8_t key[OFFICE_KEY_SIZE], stretched[PASSPHRASE_SALT_SIZE + 8] = {7, 7, 7};
    struct entropy entropy = {0};
    struct vault_context context;
    struct buffer sealed = {0};
    struct store_batch batch = {0};
    struct error error = {0};
    const char *reason = NULL;

    world = world_empty(1, 1);
    site = site_of(world, 0);
    CHECK(office_unlock_passphrase(site->office, span_of_string("open"), site_now(site), &error) == -1 &&
          error.code == ERROR_REFUSED);
    put_u32_be(stretched + PASSPHRASE_SALT_SIZE, limits.operations);
    put_u32_be(stretched + PASSPHRASE_SALT_SIZE + 4, limits.memory_kib);
    CHECK(passphrase_key(key, span_of_string("open"), stretched, limits, NULL) == 0);
    vault_seal(&sealed, key, vault_context(&context, site->office->id, VAULT_MASTER, NULL, 0, 0, 0),
               span_of(site->office->master, OFFICE_KEY_SIZE), &entropy);
    site_drop(site);
    site->store = store_open(site->database, false, NULL);
    put_fact(&batch, META_KEY_KIND, span_of_string("passphrase"));
    put_fact(&batch, META_PASSPHRASE, span_of(stretched, sizeof stretched));
    put_fact(&batch, META_MASTER, buffer_span(&sealed));
    CHECK(store_stage(site->store, &batch, NULL) == 0 &&
          store_commit(site->store, store_batch_number(site->store) + 1, NULL) == 0);
    store_close(site->store);
    site_open(site);
    office_finish(site->office, site_now(site)); /* what is locked has nothing to bring to an end */
    error = (struct error){0};
    CHECK(office_unlock_passphrase(site->office, span_of_string("shut"), site_now(site), &error) == -1);
    CHECK(error.code == ERROR_MISMATCH && strstr(error.message, "that passphrase") != NULL);
    CHECK(office_unlock_passphrase(site->office, span_of_string("open"), site_now(site), NULL) == 0);
    CHECK(office_state(site->office, &reason) == OFFICE_READY);
    CHECK(office_unlock_passphrase(site->office, span_of_string("open"), site_now(site), &error) == -1);
    store_batch_free(&batch);
    buffer_free(&sealed);
    world_free(world);
}

int main(void)
{
    RUN(what_no_office_writes_is_not_opened);
    RUN(what_is_only_kept_at_hand_is_made_again);
    RUN(secrets_that_were_changed_do_not_unlock);
    RUN(a_card_of_other_keys_is_not_taken);
    RUN(a_passphrase_opens_its_own_office_alone);
    scratch_clean();
    return test_end();
}
