#include "store/table.h"

#include "scratch.h"
#include "store/connection.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void every_key_of_meta_has_a_name_of_its_own(void)
{
    for (size_t i = 0; i < META_COUNT; i++) {
        CHECK(store_meta_names[i] != NULL);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(store_meta_names[i], store_meta_names[k]) != 0);
    }
}

static void the_forms_say_what_the_statements_bind_and_give(void)
{
    struct store *store = make("forms");

    for (size_t i = 0; i < STORE_OP_COUNT; i++) {
        const struct store_op_form *form = &store_op_forms[i];

        CHECK(form->sql != NULL && form->integers <= STORE_INTEGERS && form->blobs <= STORE_BLOBS);
        CHECK(sqlite3_bind_parameter_count(store->op[i]) == form->integers + form->blobs);
        CHECK(form->then == NULL || sqlite3_bind_parameter_count(store->then[i]) == form->integers);
    }
    for (size_t i = 0; i < STORE_FORM_COUNT; i++) {
        const struct store_query_form *form = &store_query_forms[i];

        CHECK(form->sql != NULL && form->integer_columns <= STORE_INTEGERS && form->blob_columns <= STORE_BLOBS);
        CHECK(sqlite3_bind_parameter_count(store->query[i]) == form->integers + form->blobs);
        CHECK(sqlite3_column_count(store->query[i]) == form->integer_columns + form->blob_columns);
    }
    store_close(store);
}

static void check_plan(struct store *store, const char *sql)
{
    char explain[2000];
    sqlite3_stmt *statement = NULL;

    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    CHECK(sqlite3_prepare_v2(store->connection, explain, -1, &statement, NULL) == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(statement, 3);
        bool bad = strstr(detail, "TEMP B-TREE") != NULL || (strncmp(detail, "SCAN", 4) == 0 && strcmp(detail, "SCAN CONSTANT ROW") != 0);

        /* The numbers of the members, of which there are 16, and the table of logs, which is small. */
        if (strstr(sql, "VALUES (0), (1)") != NULL && strstr(detail, "receipts") == NULL)
            bad = false;
        if (strcmp(detail, "SCAN logs") == 0)
            bad = false;
        if (bad)
            printf("# %s: %s\n", detail, sql);
        CHECK(!bad);
    }
    sqlite3_finalize(statement);
}

static void no_statement_walks_over_a_table_or_sorts(void)
{
    struct store *store = make("plans");

    for (size_t i = 0; i < STORE_OP_COUNT; i++) {
        check_plan(store, store_op_forms[i].sql);
        if (store_op_forms[i].then != NULL)
            check_plan(store, store_op_forms[i].then);
    }
    for (size_t i = 0; i < STORE_FORM_COUNT; i++)
        check_plan(store, store_query_forms[i].sql);
    store_close(store);
}

#define S(text)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)(text), sizeof(text) - 1                                                                      \
    }

/* One operation of each kind that writes, the query that must show it, and how. */
static const struct {
    struct store_op op;
    struct store_query query;
    const char *shown;
} each[] = {
    {CALL(STORE_PUT_META, (META_CARD), (S("a card"))), CALL(STORE_GET_META, (META_CARD), ({0})), "|a card; "},
    {CALL(STORE_PUT_LINE, (1, 0, 1, 0), (S("talks"), S("ID"), S("liaison-charter/v1\n"), S("sealed"))),
     CALL(STORE_ALL_LINES, (0), ({0})), "1 0 1 0 |talks|ID|liaison-charter/v1\n|sealed; "},
    {CALL(STORE_SET_LINE, (1, 1, 1), ({0})), CALL(STORE_ALL_LINES, (1), ({0})),
     "1 0 1 1 |talks|ID|liaison-charter/v1\n|sealed; "},
    {CALL(STORE_PUT_LOG, (3, 1, 1, 2), ({0})), CALL(STORE_ALL_LOGS, (0), ({0})), "3 1 1 2 0 0 0 |; "},
    {CALL(STORE_SET_LOG, (3, 40), (S("frontier"))), CALL(STORE_ALL_LOGS, (3), ({0})), "3 1 1 2 40 0 0 |frontier; "},
    {CALL(STORE_SET_SPENT, (3, 5, 6, 7), ({0})), CALL(STORE_SPENT, (3), ({0})), "5 6 7 ; "},
    {CALL(STORE_PUT_EVIDENCE, (3), (S("first"))), CALL(STORE_ALL_EVIDENCE, (0), ({0})), "3 |first; "},
    {CALL(STORE_PUT_EVIDENCE, (3), (S("second"))), CALL(STORE_ALL_EVIDENCE, (3), ({0})), "3 |first; "},
    {CALL(STORE_PUT_EVIDENCE, (5), (S("other"))), CALL(STORE_ALL_EVIDENCE, (4), ({0})), "5 |other; "},
    {CALL(STORE_SET_FOLDED, (3, 30, 20), ({0})), CALL(STORE_ALL_LOGS, (0), ({0})), "3 1 1 2 40 30 20 |frontier; "},
    {CALL(STORE_PUT_ENTRY, (PLACE(3, 0), 1, 3, 7, 1700000000), (S("leaf"), S("bytes"))),
     CALL(STORE_ENTRIES, (3, 0, 9), ({0})), "3298534883328 1 3 7 1700000000 |leaf|bytes; "},
    {CALL(STORE_PUT_ENTRY, (PLACE(3, 1), 2, 0, 0, 1700000001), (S("leaf1"), S(""))),
     CALL(STORE_ENTRY, (PLACE(3, 1)), ({0})), "3298534883329 2 0 0 1700000001 |leaf1|; "},
    {CALL(STORE_PUT_NODE, (PLACE(3, UINT64_C(1) << 36)), (S("hash"))), CALL(STORE_TOTALS, (1), ({0})), "2 40 ; "},
    {CALL(STORE_PUT_HEAD, (3, 40, 1), (S("root"), S("signature"))), CALL(STORE_LAST_HEAD, (3), ({0})),
     "40 1 |root|signature; "},
    {CALL(STORE_PUT_HEAD, (3, 30, 0), (S("r"), S("s"))), CALL(STORE_HEADS, (3, 0), ({0})),
     "30 0 |r|s; 40 1 |root|signature; "},
    {CALL(STORE_PUT_RECEIPT, (3, 2, 40, 1700000002), (S("cosigned"))), CALL(STORE_LAST_RECEIPTS, (3), ({0})),
     "2 40 1700000002 |cosigned; "},
    {CALL(STORE_PUT_RECEIPT, (3, 2, 30, 1700000001), (S("before"))), CALL(STORE_RECEIPTS_FROM, (3, 30), ({0})),
     "2 30 1700000001 |before; 2 40 1700000002 |cosigned; "},
    {CALL(STORE_DROP_RECEIPTS, (3, 2, 100), ({0})), CALL(STORE_RECEIPTS_FROM, (3, 0), ({0})),
     "2 40 1700000002 |cosigned; "},
    {CALL(STORE_DROP_HEADS, (3, 100), ({0})), CALL(STORE_HEADS, (3, 0), ({0})), "40 1 |root|signature; "},
    {CALL(STORE_PUT_EPOCH, (3, 7, 12, 0), (S("secret"))), CALL(STORE_EPOCH, (3, 7), ({0})), "7 12 0 |secret; "},
    {CALL(STORE_PUT_EPOCH, (3, 8, 13, 1), (S("next"))), CALL(STORE_LAST_EPOCH, (3), ({0})), "8 13 1 |next; "},
    {CALL(STORE_PUT_PREKEY, (1, 2, 64), (S("prekey"))), CALL(STORE_PREKEY, (1, 2, 64), ({0})), "|prekey; "},
    {CALL(STORE_PUT_PREKEY, (1, 3, 65), (S("another"))), CALL(STORE_PREKEY_STOCK, (1), ({0})), "2 1 64 ; 3 1 65 ; "},
    {CALL(STORE_DROP_PREKEY, (1, 2, 64), ({0})), CALL(STORE_PREKEY_STOCK, (1), ({0})), "2 0 64 ; 3 1 65 ; "},
    {CALL(STORE_DROP_PREKEY, (1, 2, 64), ({0})), CALL(STORE_PREKEY, (1, 2, 64), ({0})), ""},
    {CALL(STORE_DROP_PREKEYS, (1), ({0})), CALL(STORE_PREKEY_STOCK, (1), ({0})), ""},
    {CALL(STORE_PUT_OFFERED, (1, 2, 9), (S("ninth"))), CALL(STORE_OFFERED, (1, 2), ({0})), "9 |ninth; "},
    {CALL(STORE_PUT_OFFERED, (1, 2, 8), (S("eighth"))), CALL(STORE_OFFERED, (1, 2), ({0})), "8 |eighth; 9 |ninth; "},
    {CALL(STORE_DROP_OFFERED, (1, 2, 8), ({0})), CALL(STORE_OFFERED, (1, 2), ({0})), "8 |; 9 |ninth; "},
    {CALL(STORE_PUT_OFFERED, (1, 2, 7), (S("used"))), CALL(STORE_OFFERED, (1, 2), ({0})), "8 |; 9 |ninth; "},
    {CALL(STORE_PUT_OFFERED, (1, 2, 8), (S("used"))), CALL(STORE_OFFERED, (1, 2), ({0})), "8 |; 9 |ninth; "},
    {CALL(STORE_PUT_TOKEN, (1, 17, 3), (S("0123456789abcdef"), S("digest"))),
     CALL(STORE_TOKEN, (1), (S("0123456789abcdef"))), "17 3 |digest; "},
    {CALL(STORE_PUT_LINK, (1, 1, 2), (S("tcp:a:1"))), CALL(STORE_ALL_LINKS, (0), ({0})), "1 1 2 |tcp:a:1; "},
    {CALL(STORE_DROP_LINK, (1), ({0})), CALL(STORE_ALL_LINKS, (0), ({0})), ""},
    {CALL(STORE_PUT_COUNTER, (1, 2, 100, 5), ({0})), CALL(STORE_ALL_COUNTERS, (0), ({0})), "1 2 100 5 ; "},
    {CALL(STORE_PUT_FOLD, (PLACE(3, 1), 1, 5, 1, 6), ({0})), CALL(STORE_FOLD, (PLACE(3, 1)), ({0})),
     "3298534883329 5 6 ; "},
    {CALL(STORE_PUT_REF, (5, 6), ({0})), CALL(STORE_REFS, (5, 0), ({0})), "6 ; "},
    {CALL(STORE_PUT_INBOX, (9, 1), ({0})), CALL(STORE_INBOX, (1), ({0})), "9 ; "},
    {CALL(STORE_PUT_INBOX, (8, 1), ({0})), CALL(STORE_INBOX_COUNT, (1), ({0})), "2 ; "},
    {CALL(STORE_DROP_INBOX, (9), ({0})), CALL(STORE_INBOX, (1), ({0})), "8 ; "},
    {CALL(STORE_PUT_PENDING, (PLACE(3, 50), 51), (S("bytes"), S("root"), S("sig"), S("path"))),
     CALL(STORE_ALL_PENDING, (0), ({0})), "3298534883378 51 0 0 |bytes|root|sig|path; "},
    {CALL(STORE_SAY_PENDING, (PLACE(3, 50), 1), ({0})), CALL(STORE_ALL_PENDING, (0), ({0})),
     "3298534883378 51 1 1 |bytes|root|sig|path; "},
    {CALL(STORE_DROP_PENDING, (3, 50), ({0})), CALL(STORE_ALL_PENDING, (0), ({0})),
     "3298534883378 51 1 1 |bytes|root|sig|path; "},
    {CALL(STORE_DROP_PENDING, (3, 51), ({0})), CALL(STORE_ALL_PENDING, (0), ({0})), ""},
    {CALL(STORE_MEND_ENTRY, (PLACE(3, 1)), (S("leaf1"), S("mended"))), CALL(STORE_ENTRY, (PLACE(3, 1)), ({0})),
     "3298534883329 2 0 0 1700000001 |leaf1|mended; "},
};

static void every_operation_does_what_it_says_and_may_run_again(void)
{
    struct store *store = make("puts");
    bool seen[STORE_OP_COUNT] = {false};
    bool asked[STORE_QUERY_COUNT] = {false};
    struct buffer once = {0};
    struct buffer twice = {0};

    for (size_t i = 0; i < COUNT(each); i++) {
        const struct store_query_form *form = &store_query_forms[each[i].query.kind];

        CHECK(commit_one(store, each[i].op));
        CHECK_SHOWN(store, each[i].query, form->integer_columns, form->blob_columns, each[i].shown);
        dump(store->connection, &once);
        CHECK(commit_one(store, each[i].op));
        dump(store->connection, &twice);
        CHECK(once.size > 100 && span_equal(buffer_span(&once), buffer_span(&twice)));
        seen[each[i].op.kind] = true;
        asked[each[i].query.kind] = true;
    }
    for (size_t i = 0; i < STORE_OP_COUNT; i++)
        CHECK(seen[i]);
    /* Those that are asked below. */
    asked[STORE_RECEIPTS_AT] = asked[STORE_COVERING] = asked[STORE_EPOCH_LOST] = asked[STORE_FOLDS] = true;
    asked[STORE_ORDER] = asked[STORE_ORDER_BACK] = true;
    for (size_t i = 0; i < STORE_QUERY_COUNT; i++)
        CHECK(asked[i]);
    buffer_free(&once);
    buffer_free(&twice);
    store_close(store);
}

/* The mark replays a whole batch: its end must not depend on where the database already was. */
static void a_batch_may_run_again_as_a_whole(void)
{
    struct store *store = make("again");
    struct store_batch batch = {0};
    struct buffer once = {0};
    struct buffer twice = {0};

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(each); i++)
            put(&batch, each[i].op);
        CHECK(commit(store, &batch));
        dump(store->connection, round == 0 ? &once : &twice);
    }
    CHECK(span_equal(buffer_span(&once), buffer_span(&twice)));
    buffer_free(&once);
    buffer_free(&twice);
    store_batch_free(&batch);
    store_close(store);
}

static void an_entry_is_never_replaced(void)
{
    struct store *store = make("entry");
    struct store_batch batch = {0};
    struct error error = {0};

    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (PLACE(1, 0), 1, 0, 0, 5), (S("leaf"), S("bytes")))));
    CHECK(commit_one(store, OP(STORE_PUT_ENTRY, (PLACE(1, 0), 1, 0, 0, 6), (S("leaf"), S("bytes")))));
    put(&batch, OP(STORE_PUT_INBOX, (1, 1), ({0})));
    put(&batch, OP(STORE_PUT_ENTRY, (PLACE(1, 0), 1, 0, 0, 5), (S("LEAF"), S("BYTES"))));
    CHECK(store_stage(store, &batch, &error) == -1 && error.code == ERROR_STORAGE);
    CHECK_SHOWN(store, QUERY(STORE_ENTRIES, (1, 0, 2), ({0})), 5, 2, "1099511627776 1 0 0 5 |leaf|bytes; ");
    CHECK_SHOWN(store, QUERY(STORE_INBOX, (1), ({0})), 1, 0, "");
    store_batch_free(&batch);
    store_close(store);
}

static void a_settle_head_stays_one_and_keeps_its_receipts(void)
{
    struct store *store = make("settle");

    for (int size = 10; size <= 50; size += 10) {
        CHECK(commit_one(store, OP(STORE_PUT_HEAD, (1, size, size % 20 == 0), (S("r"), S("s")))));
        CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 1, size, 7), (S("c")))));
        CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 2, size, 7), (S("d")))));
    }
    /* Without the flag a settle head stays one; with it a passing head becomes one, and so do its receipts. */
    CHECK(commit_one(store, OP(STORE_PUT_HEAD, (1, 20, 0), (S("r"), S("s")))));
    CHECK(commit_one(store, OP(STORE_PUT_HEAD, (1, 10, 1), (S("r"), S("s")))));
    CHECK(commit_one(store, OP(STORE_DROP_HEADS, (1, 50), ({0}))));
    CHECK_SHOWN(store, QUERY(STORE_HEADS, (1, 0), ({0})), 2, 0, "10 1 ; 20 1 ; 40 1 ; 50 0 ; ");
    CHECK(commit_one(store, OP(STORE_DROP_RECEIPTS, (1, 1, 50), ({0}))));
    CHECK_SHOWN(store, QUERY(STORE_RECEIPTS_FROM, (1, 0), ({0})), 2, 1,
                "1 10 |c; 2 10 |d; 1 20 |c; 2 20 |d; 2 30 |d; 1 40 |c; 2 40 |d; 1 50 |c; 2 50 |d; ");
    /* A receipt that is put again does not forget it. */
    CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 1, 20, 8), (S("e")))));
    CHECK(commit_one(store, OP(STORE_DROP_RECEIPTS, (1, 1, 50), ({0}))));
    CHECK_SHOWN(store, QUERY(STORE_RECEIPTS_AT, (1, 20), ({0})), 3, 1, "1 20 8 |e; 2 20 7 |d; ");
    store_close(store);
}

static void a_receipt_covers_an_entry_below_its_size(void)
{
    struct store *store = make("covering");

    CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 0, 5, 1), (S("a")))));
    CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 0, 9, 1), (S("b")))));
    CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (1, 15, 6, 1), (S("c")))));
    CHECK(commit_one(store, OP(STORE_PUT_RECEIPT, (2, 1, 6, 1), (S("other")))));
    CHECK_SHOWN(store, QUERY(STORE_COVERING, (1, 0), ({0})), 2, 1, "0 5 |a; 15 6 |c; ");
    CHECK_SHOWN(store, QUERY(STORE_COVERING, (1, 4), ({0})), 2, 1, "0 5 |a; 15 6 |c; ");
    CHECK_SHOWN(store, QUERY(STORE_COVERING, (1, 5), ({0})), 2, 1, "0 9 |b; 15 6 |c; ");
    CHECK_SHOWN(store, QUERY(STORE_COVERING, (1, 6), ({0})), 2, 1, "0 9 |b; ");
    CHECK_SHOWN(store, QUERY(STORE_COVERING, (1, 9), ({0})), 2, 1, "");
    CHECK_SHOWN(store, QUERY(STORE_LAST_RECEIPTS, (1), ({0})), 2, 1, "0 9 |b; 15 6 |c; ");
    store_close(store);
}

static void what_exists_is_not_reset(void)
{
    struct store *store = make("reset");

    CHECK(commit_one(store, OP(STORE_PUT_LOG, (1, 1, 0, 0), ({0}))));
    CHECK(commit_one(store, OP(STORE_SET_LOG, (1, 7), (S("f")))));
    CHECK(commit_one(store, OP(STORE_PUT_LOG, (1, 1, 0, 0), ({0}))));
    CHECK_SHOWN(store, QUERY(STORE_ALL_LOGS, (0), ({0})), 7, 1, "1 1 0 0 7 0 0 |f; ");
    CHECK(commit_one(store, OP(STORE_PUT_COUNTER, (1, 1, 10, 10), ({0}))));
    CHECK(commit_one(store, OP(STORE_PUT_COUNTER, (1, 1, 9, 11), ({0}))));
    CHECK_SHOWN(store, QUERY(STORE_ALL_COUNTERS, (0), ({0})), 4, 0, "1 1 10 11 ; ");
    store_close(store);
}

static void a_line_is_read_in_its_order_both_ways(void)
{
    struct store *store = make("order");
    static const int rows[][3] = {{0, 2, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 2}, {2, 0, 0}}; /* depth, member, index */

    for (size_t i = COUNT(rows); i-- > 0;)
        CHECK(commit_one(
            store, OP(STORE_PUT_FOLD, (PLACE(rows[i][1], rows[i][2]), 1, rows[i][0], rows[i][1], (int64_t)i), ({0}))));
    CHECK(commit_one(store, OP(STORE_PUT_FOLD, (PLACE(9, 0), 2, 1, 0, 99), ({0}))));
    struct store_query all = QUERY(STORE_ORDER, (1, -1, 0, 0), ({0}));
    struct store_query back = QUERY(STORE_ORDER_BACK, (1, INT64_MAX, 0, 0), ({0}));

    CHECK_SHOWN(store, all, 4, 0,
                "2199023255552 0 2 0 ; 1 1 0 1 ; 1099511627777 1 1 2 ; 1099511627778 1 1 3 ; 0 2 0 4 ; ");
    CHECK_SHOWN(store, back, 4, 0,
                "0 2 0 4 ; 1099511627778 1 1 3 ; 1099511627777 1 1 2 ; 1 1 0 1 ; 2199023255552 0 2 0 ; ");
    CHECK_SHOWN(store, QUERY(STORE_ORDER, (1, 1, 1, PLACE(1, 1)), ({0})), 4, 0, "1099511627778 1 1 3 ; 0 2 0 4 ; ");
    CHECK_SHOWN(store, QUERY(STORE_ORDER_BACK, (1, 1, 1, PLACE(1, 1)), ({0})), 4, 0,
                "1 1 0 1 ; 2199023255552 0 2 0 ; ");
    CHECK_SHOWN(store, QUERY(STORE_FOLDS, (PLACE(1, 0), PLACE(1, 2)), ({0})), 3, 0, "1099511627777 1 2 ; ");
    store_close(store);
}

static void lost_epochs_come_newest_first(void)
{
    struct store *store = make("lost");

    for (int epoch = 1; epoch <= 6; epoch++)
        CHECK(commit_one(store, OP(STORE_PUT_EPOCH, (1, epoch, epoch * 10, epoch % 2), (S("s")))));
    CHECK_SHOWN(store, QUERY(STORE_EPOCH_LOST, (1), ({0})), 3, 0, "6 60 0 ; 4 40 0 ; 2 20 0 ; ");
    store_close(store);
}

int main(void)
{
    RUN(every_key_of_meta_has_a_name_of_its_own);
    RUN(the_forms_say_what_the_statements_bind_and_give);
    RUN(no_statement_walks_over_a_table_or_sorts);
    RUN(every_operation_does_what_it_says_and_may_run_again);
    RUN(a_batch_may_run_again_as_a_whole);
    RUN(an_entry_is_never_replaced);
    RUN(a_settle_head_stays_one_and_keeps_its_receipts);
    RUN(a_receipt_covers_an_entry_below_its_size);
    RUN(what_exists_is_not_reset);
    RUN(a_line_is_read_in_its_order_both_ways);
    RUN(lost_epochs_come_newest_first);
    scratch_clean();
    return test_end();
}
