/*
 * The tables behind the store (inside this room only): the schema, and for each kind of operation and query its
 * SQL, how many integers and blobs it binds (?1 on: integers first, then blobs) and what a row holds.
 */
#ifndef LIAISON_STORE_TABLE_H
#define LIAISON_STORE_TABLE_H

#include "store/store.h"

#define STORE_APPLICATION_ID 0x4c494149 /* "LIAI", in the database's header */
#define STORE_PAGE_SIZE 4096

/* The CREATE statements in their order, as sqlite_schema holds them; ends with NULL. */
extern const char *const store_schema[];
/* By version, what makes it the next one; the schema is then the same, to the letter. */
extern const char *const store_upgrade[STORE_VERSION];
/* The names under which enum store_meta stands in the table. */
extern const char *const store_meta_names[META_COUNT];

struct store_op_form {
    uint8_t integers, blobs;
    bool meta_key; /* the first integer is an enum store_meta and is bound as its name */
    const char *sql;
    const char *then; /* a second statement, which binds the integers only; NULL if there is none */
};
extern const struct store_op_form store_op_forms[STORE_OP_COUNT];

/* Queries the room asks for itself. */
enum { STORE_NODE = STORE_QUERY_COUNT, STORE_LEAVES, STORE_FORM_COUNT };

struct store_query_form {
    uint8_t integers, blobs;                /* parameters */
    uint8_t integer_columns, blob_columns; /* of a row */
    bool meta_key;
    const char *sql;
};
extern const struct store_query_form store_query_forms[STORE_FORM_COUNT];

#endif
