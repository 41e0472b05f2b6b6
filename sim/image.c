/* The low-level SHA-256 calls of OpenSSL 3.0 are deprecated and fast: everything is hashed again after each crash. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "image.h"

#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOT_SIZE (2u << 20)
#define SLOT_HEAD 64

static void unreadable(struct image *image, const char *what, sqlite3 *connection)
{
    image->readable = false;
    (void)snprintf(image->why, sizeof image->why, "%s: %s", what, sqlite3_errmsg(connection));
}

static void add_entry(struct image_log *log, uint64_t index, const void *bytes, size_t size)
{
    SHA256_CTX hash;
    const uint8_t zero = 0;

    if (index != log->first + log->count) {
        log->has_gap = true;
        return;
    }
    if ((log->count & (log->count - 1)) == 0)
        log->leaf = reallocarray(log->leaf, log->count == 0 ? 1 : 2 * log->count, sizeof log->leaf[0]);
    if (log->leaf == NULL)
        abort();
    (void)SHA256_Init(&hash);
    (void)SHA256_Update(&hash, &zero, 1);
    (void)SHA256_Update(&hash, bytes, size);
    (void)SHA256_Final(log->leaf[log->count++], &hash);
}

static void read_log(struct image *image, sqlite3 *connection, int64_t log, int64_t member)
{
    static const char entries[] = "SELECT place & 1099511627775, bytes FROM entries WHERE place >= ?1 AND place < ?2 "
                                  "ORDER BY place";
    struct image_log *out = &image->log[member];
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, entries, -1, &statement, NULL);

    (void)sqlite3_bind_int64(statement, 1, (log << 40) + (int64_t)out->first);
    (void)sqlite3_bind_int64(statement, 2, (log + 1) << 40);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        add_entry(out, (uint64_t)sqlite3_column_int64(statement, 0), sqlite3_column_blob(statement, 1),
                  (size_t)sqlite3_column_bytes(statement, 1));
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE)
        unreadable(image, "its entries cannot be read", connection);
    (void)sqlite3_finalize(statement);
}

static void read_rows(struct image *image, sqlite3 *connection)
{
    static const char logs[] = "SELECT log, member FROM logs ORDER BY log";
    static const char batch[] = "SELECT hex(value) FROM meta WHERE key = 'batch'";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, batch, -1, &statement, NULL);

    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        image->batch = strtoull((const char *)sqlite3_column_text(statement, 0), NULL, 16);
    (void)sqlite3_finalize(statement);
    code = sqlite3_prepare_v2(connection, logs, -1, &statement, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t member = sqlite3_column_int64(statement, 1);

        if (member >= 0 && member < IMAGE_MEMBERS_MAX)
            read_log(image, connection, sqlite3_column_int64(statement, 0), member);
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE)
        unreadable(image, "its rows cannot be read", connection);
    (void)sqlite3_finalize(statement);
}

void image_read(struct image *image, unsigned disk, const uint64_t first[IMAGE_MEMBERS_MAX])
{
    sqlite3 *connection = NULL;
    char path[64];

    *image = (struct image){.readable = true};
    for (size_t i = 0; i < IMAGE_MEMBERS_MAX && first != NULL; i++)
        image->log[i].first = first[i];
    (void)snprintf(path, sizeof path, "/view/%u/liaison.db", disk);
    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(connection, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
        unreadable(image, "it cannot be opened", connection);
    else
        read_rows(image, connection);
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(connection);
}

void image_free(struct image *image)
{
    for (size_t i = 0; i < IMAGE_MEMBERS_MAX; i++)
        free(image->log[i].leaf);
    *image = (struct image){0};
}

/* --- the mark: [office, batch, [[line, member, incarnation, size, root], ...], operations] ------------------------ */

static uint64_t big_endian(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

/* The head of one CBOR item; 0 in `*at` when there is none. */
static uint64_t item(const uint8_t **at, const uint8_t *end)
{
    unsigned kind = *at != NULL && *at < end ? **at & 31 : 0;
    unsigned size = kind < 24 ? 0 : kind < 28 ? 1u << (kind - 24) : 16;
    uint64_t value = kind < 24 ? kind : 0;

    if (*at == NULL || size > 8 || (size_t)(end - *at) < 1 + size) {
        *at = NULL;
        return 0;
    }
    for (unsigned i = 1; i <= size; i++)
        value = value << 8 | (*at)[i];
    *at += 1 + size;
    return value;
}

static void skip_bytes(const uint8_t **at, const uint8_t *end)
{
    uint64_t size = item(at, end);

    if (*at != NULL)
        *at = size > (uint64_t)(end - *at) ? NULL : *at + size;
}

static void read_content(struct image_mark *mark, const uint8_t *at, const uint8_t *end)
{
    (void)item(&at, end);
    skip_bytes(&at, end);
    mark->batch = item(&at, end);
    for (uint64_t count = item(&at, end); count > 0 && at != NULL; count--) {
        uint64_t member = 0;

        (void)item(&at, end);
        skip_bytes(&at, end);
        member = item(&at, end);
        (void)item(&at, end);
        mark->size[member % IMAGE_MEMBERS_MAX] = item(&at, end);
        skip_bytes(&at, end);
    }
    mark->readable = at != NULL;
}

void image_read_mark(struct image_mark *mark, const struct disk *disk, const char *name)
{
    static uint8_t slot[SLOT_SIZE];
    uint64_t newest = 0;

    *mark = (struct image_mark){0};
    for (uint64_t number = 0; number < 2; number++) {
        uint8_t found[32];
        SHA256_CTX hash;
        uint64_t size = 0;

        if (disk_truth(disk, name, true, slot, SLOT_HEAD, number * SLOT_SIZE) != SLOT_HEAD)
            continue;
        size = big_endian(slot + 24);
        if (size > SLOT_SIZE - SLOT_HEAD || big_endian(slot + 16) <= newest ||
            disk_truth(disk, name, true, slot + SLOT_HEAD, size, number * SLOT_SIZE + SLOT_HEAD) != size)
            continue;
        (void)SHA256_Init(&hash);
        (void)SHA256_Update(&hash, slot, 32);
        (void)SHA256_Update(&hash, slot + SLOT_HEAD, size);
        (void)SHA256_Final(found, &hash);
        if (memcmp(found, slot + 32, sizeof found) != 0)
            continue;
        newest = big_endian(slot + 16);
        *mark = (struct image_mark){0};
        read_content(mark, slot + SLOT_HEAD, slot + SLOT_HEAD + size);
    }
}
