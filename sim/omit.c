#include "omit.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "quotas.h"
#include "record/entry.h"
#include "record/quota.h"
#include "seal/keyfile.h"
#include "store/store.h"

#define PARTIES_MAX 8
#define BROKEN_MAX 64

static const char *const names[CONTROL_COUNT] = {
    "",        "wal-sync",   "mark",   "commit", "deduplication", "reading-back",
    "prekeys", "commitment", "labels", "gap",    "quota",         "delay"};

/* An entry that the store was given with one byte changed. */
struct broken {
    unsigned party;
    int64_t place;
    size_t at;
    uint8_t turned;
};

/* The linker hands the calls to this file, so the state is its own. */
static struct {
    enum control control;
    unsigned acting;
    bool breaks[PARTIES_MAX], broke[PARTIES_MAX];
    struct broken broken[BROKEN_MAX];
    size_t broken_count;
    bool opening;
} seam;

int __real_store_stage(struct store *store, const struct store_batch *batch, struct error *error);
int __wrap_store_stage(struct store *store, const struct store_batch *batch, struct error *error);
int __real_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error);
int __wrap_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error);
bool __real_hash_equal(const uint8_t a[static HASH_SIZE], const uint8_t b[static HASH_SIZE]);
bool __wrap_hash_equal(const uint8_t a[static HASH_SIZE], const uint8_t b[static HASH_SIZE]);
int __real_entry_open(struct buffer *body, const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
                      const struct entry_place *place, struct error *error);
int __wrap_entry_open(struct buffer *body, const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
                      const struct entry_place *place, struct error *error);
uint64_t __real_quota_wait(struct spent *spent, const struct charter *charter, struct amount most, struct amount more,
                           struct wall now);
uint64_t __wrap_quota_wait(struct spent *spent, const struct charter *charter, struct amount most, struct amount more,
                           struct wall now);
void __real_courier_subkey(uint8_t out[static 32], const uint8_t key[static COURIER_KEY_SIZE], const char *label);
void __wrap_courier_subkey(uint8_t out[static 32], const uint8_t key[static COURIER_KEY_SIZE], const char *label);

const char *control_name(enum control control)
{
    return names[control];
}

void omit(enum control control)
{
    memset(&seam, 0, sizeof seam);
    seam.control = control;
}

enum control omitted(void)
{
    return seam.control;
}

void omit_acting(unsigned party)
{
    seam.acting = party;
}

void omit_break_memory(unsigned party)
{
    seam.breaks[party] = true;
    seam.broke[party] = false;
}

bool omit_memory_broke(unsigned party)
{
    return seam.broke[party];
}

/* --- what the store is told -----------------------------------------------------------------------------------------
 */

static bool leaves_out(const struct store_op *op)
{
    return seam.control == CONTROL_PREKEYS && (op->kind == STORE_DROP_OFFERED || op->kind == STORE_DROP_PREKEY);
}

/* Puts the entry with its last byte changed; the leaf's column too, as it would be computed from what the memory holds.
 */
static void put_broken(struct store_batch *batch, const struct store_op *op)
{
    struct store_op changed = *op;
    struct buffer bytes = {0};
    uint8_t leaf[HASH_SIZE];

    buffer_put_span(&bytes, op->b[1]);
    bytes.data[bytes.size - 1] ^= 1;
    tree_leaf(leaf, buffer_span(&bytes));
    changed.b[0] = span_of(leaf, HASH_SIZE);
    changed.b[1] = buffer_span(&bytes);
    store_batch_put(batch, &changed);
    if (seam.broken_count < BROKEN_MAX)
        seam.broken[seam.broken_count++] =
            (struct broken){.party = seam.acting, .place = op->n[0], .at = bytes.size - 1, .turned = 1};
    seam.breaks[seam.acting] = false;
    seam.broke[seam.acting] = true;
    buffer_free(&bytes);
}

int __wrap_store_stage(struct store *store, const struct store_batch *batch, struct error *error)
{
    struct store_batch changed = {0};
    int status = 0;

    if (seam.control != CONTROL_PREKEYS && !seam.breaks[seam.acting])
        return __real_store_stage(store, batch, error);
    for (size_t i = 0; i < batch->count; i++)
        if (seam.breaks[seam.acting] && batch->op[i].kind == STORE_PUT_ENTRY)
            put_broken(&changed, &batch->op[i]);
        else if (!leaves_out(&batch->op[i]))
            store_batch_put(&changed, &batch->op[i]);
    status = __real_store_stage(store, &changed, error);
    store_batch_free(&changed);
    return status;
}

/* --- what it answers ------------------------------------------------------------------------------------------------
 */

static void restore(struct store_row *row)
{
    for (size_t i = 0; i < seam.broken_count; i++) {
        const struct broken *broken = &seam.broken[i];

        if (broken->party == seam.acting && broken->place == row->n[0] && broken->at < row->b[1].size)
            ((uint8_t *)(uintptr_t)row->b[1].data)[broken->at] ^= broken->turned; /* the result's own memory */
    }
}

int __wrap_store_read(struct store *store, const struct store_query *query, struct store_result *result,
                      struct error *error)
{
    int status = __real_store_read(store, query, result, error);

    if (status == 0 && seam.control == CONTROL_DEDUPLICATION && query->kind == STORE_TOKEN)
        result->count = 0;
    for (size_t i = 0;
         status == 0 && seam.control == CONTROL_READING_BACK && query->kind == STORE_ENTRIES && i < result->count; i++)
        restore(&result->row[i]);
    return status;
}

/* --- keys -----------------------------------------------------------------------------------------------------------
 */

bool __wrap_hash_equal(const uint8_t a[static HASH_SIZE], const uint8_t b[static HASH_SIZE])
{
    return __real_hash_equal(a, b) || (seam.opening && seam.control == CONTROL_COMMITMENT);
}

int __wrap_entry_open(struct buffer *body, const struct entry *entry, const uint8_t secret[static EPOCH_SECRET_SIZE],
                      const struct entry_place *place, struct error *error)
{
    int status = 0;

    seam.opening = true;
    status = __real_entry_open(body, entry, secret, place, error);
    seam.opening = false;
    if (status == 0)
        keys_opened(entry, secret, place);
    return status;
}

void __wrap_courier_subkey(uint8_t out[static 32], const uint8_t key[static COURIER_KEY_SIZE], const char *label)
{
    __real_courier_subkey(out, key, seam.control == CONTROL_LABELS ? "" : label);
    keys_derived(out, label);
}

/* --- quotas ---------------------------------------------------------------------------------------------------------
 */

/* Who asks for more than a day's is one who receives. */
uint64_t __wrap_quota_wait(struct spent *spent, const struct charter *charter, struct amount most, struct amount more,
                           struct wall now)
{
    bool receives = most.entries > charter->quota_entries;

    if (receives ? seam.control == CONTROL_DELAY : seam.control == CONTROL_QUOTA || seam.acting == quotas_careless())
        return 0;
    return __real_quota_wait(spent, charter, most, more, now);
}
