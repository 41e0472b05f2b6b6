#include "keys.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "record/epoch.h"

#define DERIVED_MAX 16
#define USED_MAX 4096

struct derived {
    uint8_t key[32];
    const char *label;
};

struct used {
    unsigned author, member;
    uint64_t number;
};

/* What the linker hands over concerns the one world that runs. */
static struct {
    struct oracle *oracle;
    struct derived derived[DERIVED_MAX];
    size_t derived_count;
} watch;

void keys_start(struct oracle *oracle)
{
    memset(&watch, 0, sizeof watch);
    watch.oracle = oracle;
}

/* spec/seal.md: K = HMAC(S, "entry" | origin hash | epoch | index | t | 1); the commitment is SHA-256(label | K). */
void keys_opened(const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
                 const struct entry_place *place)
{
    static const uint8_t one = 1;
    uint8_t numbers[16], key[HASH_SIZE], commitment[HASH_SIZE];
    const struct span parts[] = {span_of_string("entry"), span_of(place->origin_hash, HASH_SIZE),
                                 span_of(numbers, sizeof numbers), entry->tag, span_of(&one, 1)};
    const struct span commit[] = {span_of_string("liaison/commit/v1"), span_of(key, HASH_SIZE)};

    put_u64_be(numbers, entry->header.epoch);
    put_u64_be(numbers + 8, place->index);
    hmac_parts(key, span_of(secret, EPOCH_SECRET_SIZE), parts, 5);
    hash_parts(commitment, commit, 2);
    if (watch.oracle != NULL && memcmp(commitment, entry->commitment.data, HASH_SIZE) != 0)
        oracle_condemn(watch.oracle, "entry %" PRIu64 " was opened with a key that it does not commit to",
                       place->index);
}

void keys_derived(const uint8_t key[static 32], const char *label)
{
    for (size_t i = 0; i < watch.derived_count; i++)
        if (memcmp(watch.derived[i].key, key, 32) == 0) {
            if (strcmp(watch.derived[i].label, label) != 0)
                oracle_condemn(watch.oracle, "one key serves as %s and as %s", watch.derived[i].label, label);
            return;
        }
    if (watch.oracle == NULL || watch.derived_count == DERIVED_MAX)
        return;
    memcpy(watch.derived[watch.derived_count].key, key, 32);
    watch.derived[watch.derived_count++].label = label;
}

/* --- prekeys --------------------------------------------------------------------------------------------------------
 */

static size_t add_wraps(struct used *used, size_t count, unsigned author, unsigned parties, struct span bytes)
{
    struct entry entry;
    static struct epoch epoch;

    if (entry_parse(&entry, bytes, author, parties, NULL) != 0 || entry.header.class != ENTRY_EPOCH ||
        epoch_read(&epoch, entry.body, author, parties, NULL) != 0)
        return count;
    for (unsigned i = 0; i < epoch.wrap_count; i++) {
        const struct wrap *wrap = &epoch.wrap[i];

        if (wrap->source != WRAP_PREKEY || count == USED_MAX)
            continue;
        for (size_t k = 0; k < count; k++)
            if (used[k].author == author && used[k].member == wrap->member && used[k].number == wrap->number)
                oracle_condemn(watch.oracle, "party %u seals two epochs to prekey %" PRIu64 " of party %u", author,
                               wrap->number, wrap->member);
        used[count++] = (struct used){.author = author, .member = wrap->member, .number = wrap->number};
    }
    return count;
}

/* Its own secrets of prekeys that others used. */
static void look_for_secrets(sqlite3 *connection, unsigned party, const struct used *used, size_t count)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(connection, "SELECT author, id FROM prekeys WHERE secret <> x''", -1, &statement, NULL) !=
        SQLITE_OK)
        return;
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (size_t i = 0; i < count; i++)
            if (used[i].member == party && used[i].author == (unsigned)sqlite3_column_int64(statement, 0) &&
                used[i].number == (uint64_t)sqlite3_column_int64(statement, 1) &&
                !oracle_excused(watch.oracle, party) && !oracle_distrusts(watch.oracle, used[i].author))
                oracle_condemn(watch.oracle, "party %u still has the secret of prekey %" PRIu64 ", which party %u used",
                               party, used[i].number, used[i].author);
    (void)sqlite3_finalize(statement);
}

void keys_inspect(unsigned party, unsigned parties)
{
    static const char epochs[] = "SELECT l.member, e.bytes FROM entries e JOIN logs l ON l.log = e.place >> 40 "
                                 "WHERE e.class = 2 ORDER BY e.place";
    static struct used used[USED_MAX];
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    char path[64];

    (void)snprintf(path, sizeof path, "/view/%u/liaison.db", 2 * party);
    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
        sqlite3_exec(connection, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(connection, epochs, -1, &statement, NULL) == SQLITE_OK)
        while (sqlite3_step(statement) == SQLITE_ROW)
            if (!oracle_distrusts(watch.oracle, (unsigned)sqlite3_column_int64(statement, 0)))
                count =
                    add_wraps(used, count, (unsigned)sqlite3_column_int64(statement, 0), parties,
                              span_of(sqlite3_column_blob(statement, 1), (size_t)sqlite3_column_bytes(statement, 1)));
    (void)sqlite3_finalize(statement);
    if (connection != NULL)
        look_for_secrets(connection, party, used, count);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(connection);
}
