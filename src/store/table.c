#include "store/table.h"

/*
 * Tables that are appended to in the order of their one integer key keep their rowid; those with a key of several
 * columns are WITHOUT ROWID, so that a row lies in one place. Long columns stand last: SQLite then reads those
 * before them without touching overflow pages. The two partial indexes hold what DROP_HEADS and DROP_RECEIPTS may
 * delete, so that they do not walk over the settle heads, of which a line gathers millions.
 */
#define STORE_SPENT_ENTRIES "spent_entries INTEGER NOT NULL DEFAULT 0"
#define STORE_SPENT_BYTES "spent_bytes INTEGER NOT NULL DEFAULT 0"
#define STORE_SPENT_AT "spent_at INTEGER NOT NULL DEFAULT 0"
#define STORE_EVIDENCE "CREATE TABLE evidence (log INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"

const char *const store_schema[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE lines (line INTEGER PRIMARY KEY, me INTEGER NOT NULL, confirmed INTEGER NOT NULL, "
    "left INTEGER NOT NULL, name TEXT NOT NULL, id BLOB NOT NULL, courier BLOB NOT NULL, charter TEXT NOT NULL) STRICT",
    "CREATE TABLE logs (log INTEGER PRIMARY KEY, line INTEGER NOT NULL, member INTEGER NOT NULL, "
    "incarnation INTEGER NOT NULL, size INTEGER NOT NULL, folded INTEGER NOT NULL, "
    "ordered INTEGER NOT NULL, frontier BLOB NOT NULL, " STORE_SPENT_ENTRIES ", " STORE_SPENT_BYTES ", " STORE_SPENT_AT
    ") STRICT",
    "CREATE TABLE entries (place INTEGER PRIMARY KEY, class INTEGER NOT NULL, precedence INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, received INTEGER NOT NULL, leaf BLOB NOT NULL, bytes BLOB NOT NULL) STRICT",
    "CREATE TABLE nodes (node INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE heads (log INTEGER, size INTEGER, settle INTEGER NOT NULL, root BLOB NOT NULL, "
    "signature BLOB NOT NULL, PRIMARY KEY (log, size)) STRICT, WITHOUT ROWID",
    "CREATE INDEX heads_passing ON heads (log, size) WHERE settle = 0",
    "CREATE TABLE receipts (log INTEGER, by INTEGER, size INTEGER, settle INTEGER NOT NULL, time INTEGER NOT NULL, "
    "signature BLOB NOT NULL, PRIMARY KEY (log, by, size)) STRICT, WITHOUT ROWID",
    "CREATE INDEX receipts_size ON receipts (log, size, by)",
    "CREATE INDEX receipts_passing ON receipts (log, by, size) WHERE settle = 0",
    "CREATE TABLE epochs (log INTEGER, epoch INTEGER, \"index\" INTEGER NOT NULL, forward INTEGER NOT NULL, "
    "secret BLOB NOT NULL, PRIMARY KEY (log, epoch)) STRICT, WITHOUT ROWID",
    "CREATE TABLE prekeys (line INTEGER, author INTEGER, id INTEGER, secret BLOB NOT NULL, "
    "PRIMARY KEY (line, author, id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE offered (line INTEGER, member INTEGER, id INTEGER, key BLOB NOT NULL, "
    "PRIMARY KEY (line, member, id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE tokens (line INTEGER, token BLOB, first INTEGER NOT NULL, count INTEGER NOT NULL, "
    "digest BLOB NOT NULL, PRIMARY KEY (line, token)) STRICT, WITHOUT ROWID",
    "CREATE TABLE links (link INTEGER PRIMARY KEY, line INTEGER NOT NULL, member INTEGER NOT NULL, "
    "address TEXT NOT NULL) STRICT",
    "CREATE TABLE counters (line INTEGER, member INTEGER, sent INTEGER NOT NULL, received INTEGER NOT NULL, "
    "PRIMARY KEY (line, member)) STRICT, WITHOUT ROWID",
    "CREATE TABLE fold (place INTEGER PRIMARY KEY, line INTEGER NOT NULL, depth INTEGER NOT NULL, "
    "member INTEGER NOT NULL, kind INTEGER NOT NULL) STRICT",
    "CREATE INDEX fold_order ON fold (line, depth, member, place)",
    "CREATE TABLE refs (target INTEGER, by INTEGER, PRIMARY KEY (target, by)) STRICT, WITHOUT ROWID",
    "CREATE TABLE inbox (place INTEGER PRIMARY KEY, line INTEGER NOT NULL) STRICT",
    "CREATE INDEX inbox_line ON inbox (line, place)",
    "CREATE TABLE pending (place INTEGER PRIMARY KEY, size INTEGER NOT NULL, said INTEGER NOT NULL DEFAULT 0, "
    "shown INTEGER NOT NULL DEFAULT 0, root BLOB NOT NULL, "
    "signature BLOB NOT NULL, path BLOB NOT NULL, bytes BLOB NOT NULL) STRICT",
    STORE_EVIDENCE,
    NULL,
};

/* Version 1 knew no quotas: its logs begin with all of them. Version 2 knew no evidence. */
const char *const store_upgrade[] = {
    NULL,
    "ALTER TABLE logs ADD COLUMN " STORE_SPENT_ENTRIES "; ALTER TABLE logs ADD COLUMN " STORE_SPENT_BYTES
    "; ALTER TABLE logs ADD COLUMN " STORE_SPENT_AT,
    STORE_EVIDENCE,
};

const char *const store_meta_names[META_COUNT] = {
    [META_BATCH] = "batch",   [META_VERSION] = "version",   [META_OFFICE] = "office",
    [META_CARD] = "card",     [META_KEY_KIND] = "key-kind", [META_PASSPHRASE] = "passphrase",
    [META_MASTER] = "master", [META_IDENTITY] = "identity", [META_LAST_WALL] = "last-wall",
    [META_RESTORED] = "restored",
};

/* clang-format off */
const struct store_op_form store_op_forms[STORE_OP_COUNT] = {
    [STORE_PUT_META] = {1, 1, true, "REPLACE INTO meta (key, value) VALUES (?1, ?2)", NULL},
    [STORE_PUT_LINE] = {4, 4, false,
        "REPLACE INTO lines (line, me, confirmed, left, name, id, charter, courier) "
        "VALUES (?1, ?2, ?3, ?4, CAST(?5 AS TEXT), ?6, CAST(?7 AS TEXT), ?8)", NULL},
    [STORE_SET_LINE] = {3, 0, false, "UPDATE lines SET confirmed = ?2, left = ?3 WHERE line = ?1", NULL},
    [STORE_PUT_LOG] = {4, 0, false,
        "INSERT INTO logs (log, line, member, incarnation, size, folded, ordered, frontier) "
        "VALUES (?1, ?2, ?3, ?4, 0, 0, 0, x'') ON CONFLICT DO NOTHING", NULL},
    [STORE_SET_LOG] = {2, 1, false, "UPDATE logs SET size = ?2, frontier = ?3 WHERE log = ?1", NULL},
    [STORE_SET_FOLDED] = {3, 0, false, "UPDATE logs SET folded = ?2, ordered = ?3 WHERE log = ?1", NULL},
    /* An entry is never updated: the same one again changes nothing, another one fails on NOT NULL. */
    [STORE_PUT_ENTRY] = {5, 2, false,
        "INSERT INTO entries (place, class, precedence, epoch, received, leaf, bytes) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
        "ON CONFLICT (place) DO UPDATE SET leaf = NULL WHERE leaf <> excluded.leaf", NULL},
    [STORE_PUT_NODE] = {1, 1, false, "REPLACE INTO nodes (node, hash) VALUES (?1, ?2)", NULL},
    [STORE_PUT_HEAD] = {3, 2, false,
        "INSERT INTO heads (log, size, settle, root, signature) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (log, size) DO UPDATE SET settle = max(settle, excluded.settle), root = excluded.root, "
        "signature = excluded.signature",
        "UPDATE receipts INDEXED BY receipts_size SET settle = 1 WHERE log = ?1 AND size = ?2 AND ?3 AND settle = 0"},
    [STORE_DROP_HEADS] = {2, 0, false,
        "DELETE FROM heads INDEXED BY heads_passing WHERE log = ?1 AND size < ?2 AND settle = 0", NULL},
    [STORE_PUT_RECEIPT] = {4, 1, false,
        "REPLACE INTO receipts (log, by, size, time, signature, settle) VALUES (?1, ?2, ?3, ?4, ?5, "
        "EXISTS (SELECT 1 FROM heads WHERE log = ?1 AND size = ?3 AND settle <> 0))", NULL},
    [STORE_DROP_RECEIPTS] = {3, 0, false,
        "DELETE FROM receipts INDEXED BY receipts_passing WHERE log = ?1 AND by = ?2 AND size < ?3 AND settle = 0",
        NULL},
    [STORE_PUT_EPOCH] = {4, 1, false,
        "REPLACE INTO epochs (log, epoch, \"index\", forward, secret) VALUES (?1, ?2, ?3, ?4, ?5)", NULL},
    [STORE_PUT_PREKEY] = {3, 1, false, "REPLACE INTO prekeys (line, author, id, secret) VALUES (?1, ?2, ?3, ?4)", NULL},
    /* The last one used stays as a row with an empty secret: ids never begin again. */
    [STORE_DROP_PREKEY] = {3, 0, false,
        "UPDATE prekeys SET secret = x'' WHERE line = ?1 AND author = ?2 AND id = ?3",
        "DELETE FROM prekeys WHERE line = ?1 AND author = ?2 AND id < ?3 AND secret = x''"},
    [STORE_DROP_PREKEYS] = {1, 0, false, "DELETE FROM prekeys WHERE line = ?1", NULL},
    /* What is used stays as a row with an empty key, so that a put that comes later, or again, does not undo it. */
    [STORE_PUT_OFFERED] = {3, 1, false,
        "INSERT INTO offered (line, member, id, key) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS "
        "(SELECT 1 FROM offered WHERE line = ?1 AND member = ?2 AND id >= ?3 AND key = x'') "
        "ON CONFLICT (line, member, id) DO UPDATE SET key = excluded.key", NULL},
    [STORE_DROP_OFFERED] = {3, 0, false, "DELETE FROM offered WHERE line = ?1 AND member = ?2 AND id <= ?3",
        "INSERT INTO offered (line, member, id, key) SELECT ?1, ?2, ?3, x'' WHERE NOT EXISTS "
        "(SELECT 1 FROM offered WHERE line = ?1 AND member = ?2 AND id > ?3 AND key = x'') "
        "ON CONFLICT (line, member, id) DO UPDATE SET key = x''"},
    [STORE_PUT_TOKEN] = {3, 2, false,
        "REPLACE INTO tokens (line, first, count, token, digest) VALUES (?1, ?2, ?3, ?4, ?5)", NULL},
    [STORE_PUT_LINK] = {3, 1, false,
        "REPLACE INTO links (link, line, member, address) VALUES (?1, ?2, ?3, CAST(?4 AS TEXT))", NULL},
    [STORE_DROP_LINK] = {1, 0, false, "DELETE FROM links WHERE link = ?1", NULL},
    [STORE_PUT_COUNTER] = {4, 0, false,
        "INSERT INTO counters (line, member, sent, received) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (line, member) "
        "DO UPDATE SET sent = max(sent, excluded.sent), received = max(received, excluded.received)", NULL},
    [STORE_PUT_FOLD] = {5, 0, false,
        "REPLACE INTO fold (place, line, depth, member, kind) VALUES (?1, ?2, ?3, ?4, ?5)", NULL},
    [STORE_PUT_REF] = {2, 0, false, "REPLACE INTO refs (target, by) VALUES (?1, ?2)", NULL},
    [STORE_PUT_INBOX] = {2, 0, false, "REPLACE INTO inbox (place, line) VALUES (?1, ?2)", NULL},
    [STORE_DROP_INBOX] = {1, 0, false, "DELETE FROM inbox WHERE place = ?1", NULL},
    [STORE_PUT_PENDING] = {2, 4, false,
        "REPLACE INTO pending (place, size, bytes, root, signature, path) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", NULL},
    [STORE_DROP_PENDING] = {2, 0, false,
        "DELETE FROM pending WHERE place >= ?1 << 40 AND place < (?1 << 40) + ?2", NULL},
    [STORE_MEND_ENTRY] = {1, 2, false, "UPDATE entries SET leaf = ?2, bytes = ?3 WHERE place = ?1", NULL},
    [STORE_SAY_PENDING] = {2, 0, false, "UPDATE pending SET said = 1, shown = ?2 WHERE place = ?1", NULL},
    [STORE_SET_SPENT] = {4, 0, false,
        "UPDATE logs SET spent_entries = ?2, spent_bytes = ?3, spent_at = ?4 WHERE log = ?1", NULL},
    [STORE_PUT_EVIDENCE] = {1, 1, false,
        "INSERT INTO evidence (log, text) VALUES (?1, CAST(?2 AS TEXT)) ON CONFLICT DO NOTHING", NULL},
};

/* A member's number is 0 to 15 (MEMBERS_MAX). Asking for each of them is a seek; GROUP BY would read every receipt. */
#define MEMBERS "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15))"
#define ENTRY "place, class, precedence, epoch, received, leaf, bytes FROM entries WHERE place "

const struct store_query_form store_query_forms[STORE_FORM_COUNT] = {
    [STORE_GET_META] = {1, 0, 0, 1, true, "SELECT value FROM meta WHERE key = ?1"},
    [STORE_ALL_LINES] = {1, 0, 4, 4, false,
        "SELECT line, me, confirmed, left, name, id, charter, courier FROM lines WHERE line >= ?1 ORDER BY line"},
    [STORE_ALL_LOGS] = {1, 0, 7, 1, false,
        "SELECT log, line, member, incarnation, size, folded, ordered, frontier FROM logs WHERE log >= ?1 ORDER BY log"},
    [STORE_SPENT] = {1, 0, 3, 0, false,
        "SELECT spent_entries, spent_bytes, spent_at FROM logs WHERE log = ?1"},
    [STORE_ALL_LINKS] = {1, 0, 3, 1, false,
        "SELECT link, line, member, address FROM links WHERE link >= ?1 ORDER BY link"},
    [STORE_ALL_COUNTERS] = {1, 0, 4, 0, false,
        "SELECT line, member, sent, received FROM counters WHERE line >= ?1 ORDER BY line, member"},
    [STORE_ALL_PENDING] = {1, 0, 4, 4, false,
        "SELECT place, size, said, shown, bytes, root, signature, path FROM pending WHERE place >= ?1 ORDER BY place"},
    [STORE_ALL_EVIDENCE] = {1, 0, 1, 1, false, "SELECT log, text FROM evidence WHERE log >= ?1 ORDER BY log"},
    [STORE_LAST_HEAD] = {1, 0, 2, 2, false,
        "SELECT size, settle, root, signature FROM heads WHERE log = ?1 ORDER BY size DESC LIMIT 1"},
    [STORE_HEADS] = {2, 0, 2, 2, false,
        "SELECT size, settle, root, signature FROM heads WHERE log = ?1 AND size >= ?2 ORDER BY size"},
    [STORE_LAST_RECEIPTS] = {1, 0, 3, 1, false,
        "SELECT by, size, time, signature FROM " MEMBERS " CROSS JOIN receipts ON log = ?1 AND by = column1 AND size = "
        "(SELECT max(size) FROM receipts WHERE log = ?1 AND by = column1) ORDER BY column1"},
    [STORE_RECEIPTS_FROM] = {2, 0, 3, 1, false,
        "SELECT by, size, time, signature FROM receipts WHERE log = ?1 AND size >= ?2 ORDER BY size, by"},
    [STORE_RECEIPTS_AT] = {2, 0, 3, 1, false,
        "SELECT by, size, time, signature FROM receipts INDEXED BY receipts_size WHERE log = ?1 AND size = ?2 "
        "ORDER BY by"},
    [STORE_COVERING] = {2, 0, 3, 1, false,
        "SELECT by, size, time, signature FROM " MEMBERS " CROSS JOIN receipts ON log = ?1 AND by = column1 AND size = "
        "(SELECT min(size) FROM receipts WHERE log = ?1 AND by = column1 AND size > ?2) ORDER BY column1"},
    [STORE_LAST_EPOCH] = {1, 0, 3, 1, false,
        "SELECT epoch, \"index\", forward, secret FROM epochs WHERE log = ?1 ORDER BY epoch DESC LIMIT 1"},
    [STORE_EPOCH] = {2, 0, 3, 1, false,
        "SELECT epoch, \"index\", forward, secret FROM epochs WHERE log = ?1 AND epoch = ?2"},
    [STORE_EPOCH_LOST] = {1, 0, 3, 0, false,
        "SELECT epoch, \"index\", forward FROM epochs WHERE log = ?1 AND forward = 0 ORDER BY epoch DESC"},
    [STORE_PREKEY] = {3, 0, 0, 1, false, "SELECT secret FROM prekeys WHERE line = ?1 AND author = ?2 AND id = ?3 AND secret <> x''"},
    [STORE_PREKEY_STOCK] = {1, 0, 3, 0, false,
        "SELECT author, sum(secret <> x''), max(id) FROM prekeys WHERE line = ?1 GROUP BY author ORDER BY author"},
    [STORE_OFFERED] = {3, 0, 1, 1, false,
        "SELECT id, key FROM offered WHERE line = ?1 AND member = ?2 AND id >= ?3 ORDER BY id"},
    [STORE_TOKEN] = {1, 1, 2, 1, false, "SELECT first, count, digest FROM tokens WHERE line = ?1 AND token = ?2"},
    [STORE_ENTRIES] = {3, 0, 5, 2, false,
        "SELECT " ENTRY ">= (?1 << 40) + ?2 AND place < (?1 << 40) + ?3 ORDER BY place"},
    [STORE_ENTRY] = {1, 0, 5, 2, false, "SELECT " ENTRY "= ?1"},
    [STORE_FOLDS] = {2, 0, 3, 0, false,
        "SELECT place, depth, kind FROM fold WHERE place >= ?1 AND place < ?2 ORDER BY place"},
    [STORE_FOLD] = {1, 0, 3, 0, false, "SELECT place, depth, kind FROM fold WHERE place = ?1"},
    [STORE_ORDER] = {4, 0, 4, 0, false,
        "SELECT place, depth, member, kind FROM fold WHERE line = ?1 AND (depth, member, place) > (?2, ?3, ?4) "
        "ORDER BY depth, member, place"},
    [STORE_ORDER_BACK] = {4, 0, 4, 0, false,
        "SELECT place, depth, member, kind FROM fold WHERE line = ?1 AND (depth, member, place) < (?2, ?3, ?4) "
        "ORDER BY depth DESC, member DESC, place DESC"},
    [STORE_REFS] = {2, 0, 1, 0, false, "SELECT by FROM refs WHERE target = ?1 AND by >= ?2 ORDER BY by"},
    [STORE_INBOX] = {2, 0, 1, 0, false, "SELECT place FROM inbox WHERE line = ?1 AND place >= ?2 ORDER BY place"},
    [STORE_INBOX_COUNT] = {1, 0, 1, 0, false, "SELECT count(*) FROM inbox WHERE line = ?1"},
    /* A log's entries have no gaps, so the last place tells how many there are. */
    [STORE_TOTALS] = {1, 0, 2, 0, false,
        "SELECT coalesce(sum((SELECT coalesce(max(place) - (log << 40) + 1, 0) FROM entries "
        "WHERE place >= log << 40 AND place < log + 1 << 40)), 0), coalesce(sum(size), 0) FROM logs WHERE line = ?1"},
    [STORE_NODE] = {1, 0, 0, 1, false, "SELECT hash FROM nodes WHERE node = ?1"},
    [STORE_LEAVES] = {2, 0, 1, 1, false,
        "SELECT place, leaf FROM entries WHERE place >= ?1 AND place < ?2 ORDER BY place"},
};
