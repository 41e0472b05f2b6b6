#include "oracle.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "foe.h"
#include "image.h"
#include "keys.h"
#include "omit.h"
#include "quotas.h"
#include "record/head.h"
#include "system.h"

#define LOG_MAX (UINT64_C(1) << 20)
#define UNKNOWN UINT64_MAX
#define WHOLE_EVERY 16 /* so often an inspection reads everything again */

struct text {
    unsigned party;
    uint64_t index; /* UNKNOWN: nobody said yet */
    bool recorded;
    bool shown[ORACLE_PARTIES_MAX]; /* by whom, when asked in the end */
    char *text;
};

/* An entry of a log, and the root of the log up to it. */
struct kept {
    bool known, is_signed;
    bool early[ORACLE_PARTIES_MAX]; /* told before its turn, since that party started */
    uint8_t hash[32];
    uint8_t root[32];
    uint64_t text; /* its number + 1; 0: not known */
};

/* One author's log, as it must be. */
struct log {
    bool has_origin;
    char origin[ORIGIN_SIZE];
    struct kept *entry;
    uint64_t capacity;
    uint64_t largest;                      /* size signed */
    uint64_t promised[ORACLE_PARTIES_MAX]; /* entries that party must keep */
    uint64_t durable[ORACLE_PARTIES_MAX];  /* entries seen in its durable image */
    uint64_t checked[ORACLE_PARTIES_MAX];  /* of these, compared with what was signed */
    uint64_t told[ORACLE_PARTIES_MAX];     /* entries below this were told, since it started */
    bool told_early[ORACLE_PARTIES_MAX];
};

struct oracle {
    unsigned parties;
    unsigned acting;
    struct trace *trace;
    bool excused[ORACLE_PARTIES_MAX];
    bool spoilt[ORACLE_PARTIES_MAX]; /* what is on its platters */
    bool distrusted[ORACLE_PARTIES_MAX], forked[ORACLE_PARTIES_MAX];
    uint64_t inspections[ORACLE_PARTIES_MAX];
    uint64_t seen[ORACLE_PARTIES_MAX],
        seen_whole[ORACLE_PARTIES_MAX];        /* the digest of its disk, with the heads, then */
    uint64_t receipted_at[ORACLE_PARTIES_MAX]; /* time of its last receipt, seconds */
    uint64_t heads, receipts;
    struct log *log[ORACLE_PARTIES_MAX];
    struct text *text;
    size_t text_count, text_capacity;
    const char *wrong; /* the verdict's form */
    char verdict[400];
};

/* Signatures come to whoever judges now: the linker hands head_sign() and receipt_sign() to this file. */
static struct oracle *judge;

void __real_head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE]);
void __wrap_head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE]);
void __real_receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                         const uint8_t receipt_secret[static SIGN_SECRET_SIZE]);
void __wrap_receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                         const uint8_t receipt_secret[static SIGN_SECRET_SIZE]);

struct oracle *oracle_new(unsigned parties, struct trace *trace)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);

    for (unsigned i = 0; oracle != NULL && i < parties; i++)
        if ((oracle->log[i] = calloc(1, sizeof *oracle->log[i])) == NULL)
            abort();
    if (oracle == NULL)
        abort();
    oracle->parties = parties;
    oracle->trace = trace;
    judge = oracle;
    keys_start(oracle);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    if (oracle == NULL)
        return;
    for (unsigned i = 0; i < oracle->parties; i++) {
        free(oracle->log[i]->entry);
        free(oracle->log[i]);
    }
    for (size_t i = 0; i < oracle->text_count; i++)
        free(oracle->text[i].text);
    free(oracle->text);
    judge = NULL;
    keys_start(NULL);
    free(oracle);
}

const char *oracle_verdict(const struct oracle *oracle)
{
    return oracle->verdict[0] == 0 ? NULL : oracle->verdict;
}

void oracle_condemn(struct oracle *oracle, const char *format, ...)
{
    va_list arguments;

    if (oracle->verdict[0] != 0)
        return;
    oracle->wrong = format;
    va_start(arguments, format);
    (void)vsnprintf(oracle->verdict, sizeof oracle->verdict, format, arguments);
    va_end(arguments);
    trace_note(oracle->trace, "WRONG: %s", oracle->verdict);
}

const char *oracle_wrong(const struct oracle *oracle)
{
    return oracle->wrong;
}

void oracle_acts(struct oracle *oracle, unsigned party)
{
    oracle->acting = party;
    foe_acting(party);
    omit_acting(party);
}

void oracle_excuse(struct oracle *oracle, unsigned party, bool spoilt)
{
    oracle->spoilt[party] |= spoilt;
    oracle->excused[party] = true;
}

bool oracle_spoilt(const struct oracle *oracle, unsigned party)
{
    return oracle->spoilt[party];
}

bool oracle_excused(const struct oracle *oracle, unsigned party)
{
    return oracle->excused[party];
}

void oracle_distrust(struct oracle *oracle, unsigned party)
{
    oracle->excused[party] = true;
    oracle->distrusted[party] = true;
}

bool oracle_distrusts(const struct oracle *oracle, unsigned party)
{
    return oracle->distrusted[party];
}

bool oracle_saw_fork(const struct oracle *oracle, unsigned party)
{
    return oracle->forked[party];
}

/* --- what is on the platters ------------------------------------------------------------------------------------- */

/* The entry `index`, which must be below LOG_MAX. */
static struct kept *kept_of(struct log *log, uint64_t index)
{
    uint64_t capacity = log->capacity == 0 ? 64 : log->capacity;

    while (capacity <= index)
        capacity *= 2;
    if (capacity > log->capacity) {
        log->entry = reallocarray(log->entry, capacity, sizeof log->entry[0]);
        if (log->entry == NULL)
            abort();
        memset(log->entry + log->capacity, 0, (capacity - log->capacity) * sizeof log->entry[0]);
        log->capacity = capacity;
    }
    return &log->entry[index];
}

static void inspect_entry(struct oracle *oracle, unsigned party, unsigned author, uint64_t index,
                          const uint8_t leaf[static 32])
{
    const struct log *log = oracle->log[author];
    struct kept *entry = kept_of(oracle->log[author], index);
    bool differs = entry->known && memcmp(entry->hash, leaf, 32) != 0;

    if (differs && oracle->distrusted[author])
        oracle->forked[author] |= !oracle->distrusted[party];
    else if (differs && !oracle->spoilt[party])
        oracle_condemn(oracle, "entry %u/%" PRIu64 " has other bytes at party %u", author, index, party);
    /* What nobody signed may be forgotten, and its number given again. */
    if (!entry->known && !oracle->spoilt[party] &&
        (index < log->largest || (oracle->distrusted[author] && party != author))) {
        entry->known = true;
        memcpy(entry->hash, leaf, 32);
    }
}

static void inspect_log(struct oracle *oracle, unsigned party, unsigned author, const struct image_log *image)
{
    struct log *log = oracle->log[author];
    uint64_t end = image->first + image->count;

    if (image->has_gap && !oracle->excused[party]) /* a rotten page may have held what is between */
        oracle_condemn(oracle, "party %u keeps the log of %u with a gap after %" PRIu64, party, author, end);
    for (uint64_t i = image->first; i < end && i < LOG_MAX; i++)
        inspect_entry(oracle, party, author, i, image->leaf[i - image->first]);
    log->durable[party] = end;
    quotas_kept(party, author, end);
    log->checked[party] = end < log->largest || oracle->distrusted[author] ? end : log->largest;
}

static void check_promises(struct oracle *oracle, unsigned party, unsigned author)
{
    const struct log *log = oracle->log[author];

    if (log->durable[party] < log->promised[party] && !oracle->excused[party])
        oracle_condemn(oracle, "party %u promised to keep %" PRIu64 " entries of %u and has %" PRIu64, party,
                       log->promised[party], author, log->durable[party]);
}

/* Reads what was not compared yet, and the entry before it; or everything. */
static void inspect(struct oracle *oracle, unsigned party, bool whole)
{
    uint64_t first[IMAGE_MEMBERS_MAX] = {0};
    struct image image;
    const char *name = NULL;
    char path[16];
    uint64_t digest = 0;

    if (oracle->distrusted[party])
        return;
    for (unsigned author = 0; author < oracle->parties && !whole; author++)
        if (oracle->log[author]->checked[party] > 0)
            first[author] = oracle->log[author]->checked[party] - 1;
    (void)snprintf(path, sizeof path, "/%u/", 2 * party);
    digest = disk_digest(system_disk(path, &name)) + oracle->heads;
    if (digest !=
        (whole ? oracle->seen_whole : oracle->seen)[party]) { /* else it is as it was, and no more was signed */
        image_read(&image, 2 * party, first);
        if (!image.readable && !oracle->excused[party])
            oracle_condemn(oracle, "the durable database of party %u: %s", party, image.why);
        for (unsigned author = 0; author < oracle->parties && image.readable; author++)
            inspect_log(oracle, party, author, &image.log[author]);
        oracle->seen[party] = digest;
        if (whole)
            oracle->seen_whole[party] = digest;
        image_free(&image);
    }
    for (unsigned author = 0; author < oracle->parties; author++)
        check_promises(oracle, party, author);
}

void oracle_inspect(struct oracle *oracle, unsigned party)
{
    inspect(oracle, party, true);
}

/* From now on `party` must keep so many entries of `author`, and it must have them now. */
static void promise(struct oracle *oracle, unsigned party, unsigned author, uint64_t size)
{
    struct log *log = oracle->log[author];

    if (oracle->distrusted[party])
        return;
    if (size > log->promised[party])
        log->promised[party] = size;
    if (size > log->durable[party])
        inspect(oracle, party, oracle->excused[party] || oracle->inspections[party]++ % WHOLE_EVERY == 0);
}

/* --- signatures -------------------------------------------------------------------------------------------------- */

static int author_of(const struct oracle *oracle, const char *origin)
{
    for (unsigned i = 0; i < oracle->parties; i++)
        if (oracle->log[i]->has_origin && strcmp(oracle->log[i]->origin, origin) == 0)
            return (int)i;
    return -1;
}

/* What is signed must stand in the durable mark, too. */
static void check_mark(struct oracle *oracle, unsigned party, unsigned author, uint64_t size)
{
    struct image_mark mark;
    const char *name = NULL;
    const struct disk *disk = NULL;
    char path[16];

    (void)snprintf(path, sizeof path, "/%u/mark", 2 * party + 1);
    disk = system_disk(path, &name);
    image_read_mark(&mark, disk, name);
    if ((!mark.readable || mark.size[author] < size) && !oracle->excused[party])
        oracle_condemn(oracle, "party %u signs size %" PRIu64 " of %u while its durable mark says %" PRIu64, party,
                       size, author, mark.size[author]);
}

static void take_head(struct oracle *oracle, const char *origin, const struct head *head)
{
    unsigned party = oracle->acting;
    struct log *log = oracle->log[party];
    struct kept *last = NULL;

    oracle->heads++;
    if (!log->has_origin) {
        log->has_origin = true;
        (void)snprintf(log->origin, sizeof log->origin, "%s", origin);
    }
    if (oracle->distrusted[party])
        return;
    if (strcmp(log->origin, origin) != 0 || head->size == 0 || head->size >= LOG_MAX) {
        oracle_condemn(oracle, "party %u signs a head of size %" PRIu64 " for %s", party, head->size, origin);
        return;
    }
    last = kept_of(log, head->size - 1);
    if (last->is_signed && memcmp(last->root, head->root, 32) != 0)
        oracle_condemn(oracle, "party %u signs two roots for size %" PRIu64, party, head->size);
    if (head->size < log->largest)
        oracle_condemn(oracle, "party %u signs size %" PRIu64 " after size %" PRIu64, party, head->size, log->largest);
    last->is_signed = true;
    memcpy(last->root, head->root, 32);
    log->largest = head->size > log->largest ? head->size : log->largest;
    promise(oracle, party, party, head->size);
    check_mark(oracle, party, party, head->size);
}

static bool was_signed(const struct log *log, const struct head *head)
{
    const struct kept *last = NULL;

    if (head->size == 0 || head->size > log->largest)
        return false;
    last = &log->entry[head->size - 1];
    return last->is_signed && memcmp(last->root, head->root, 32) == 0;
}

static void take_receipt(struct oracle *oracle, const char *origin, const struct head *head, uint64_t time)
{
    unsigned party = oracle->acting;
    int author = author_of(oracle, origin);

    oracle->receipts++;
    if (oracle->distrusted[party])
        return;
    if (author < 0 || (!oracle->distrusted[author] && !was_signed(oracle->log[author], head)))
        oracle_condemn(oracle, "party %u gives a receipt for a head that nobody signed, of size %" PRIu64, party,
                       head->size);
    if (time < oracle->receipted_at[party] && !oracle->excused[party])
        oracle_condemn(oracle, "party %u gives a receipt of the time %" PRIu64 " after one of %" PRIu64, party, time,
                       oracle->receipted_at[party]);
    oracle->receipted_at[party] = time;
    if (author < 0)
        return;
    promise(oracle, party, (unsigned)author, head->size);
    check_mark(oracle, party, (unsigned)author, head->size);
}

void __wrap_head_sign(struct head *head, const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE])
{
    __real_head_sign(head, origin, log_secret);
    foe_signs_head(origin, log_secret);
    if (judge != NULL)
        take_head(judge, origin, head);
}

void __wrap_receipt_sign(struct receipt *receipt, const struct head *head, const char *origin,
                         const uint8_t receipt_secret[static SIGN_SECRET_SIZE])
{
    __real_receipt_sign(receipt, head, origin, receipt_secret);
    foe_signs_receipt(receipt_secret);
    if (judge != NULL)
        take_receipt(judge, origin, head, receipt->time);
}

/* --- what is said to people -------------------------------------------------------------------------------------- */

void oracle_handed_in(struct oracle *oracle, unsigned party, uint64_t number, const char *text)
{
    if (number != oracle->text_count)
        abort();
    if (oracle->text_count == oracle->text_capacity) {
        oracle->text_capacity = oracle->text_capacity == 0 ? 256 : 2 * oracle->text_capacity;
        oracle->text = reallocarray(oracle->text, oracle->text_capacity, sizeof oracle->text[0]);
    }
    if (oracle->text == NULL)
        abort();
    oracle->text[number] = (struct text){.party = party, .index = UNKNOWN, .text = strdup(text)};
    oracle->text_count++;
    if (oracle->text[number].text == NULL)
        abort();
}

/* A text has one number, and a number one text. */
static void place(struct oracle *oracle, unsigned author, uint64_t number, uint64_t index)
{
    struct text *text = &oracle->text[number];
    struct kept *entry = index < LOG_MAX ? kept_of(oracle->log[author], index) : NULL;

    if (text->index != UNKNOWN && text->index != index)
        oracle_condemn(oracle, "text %" PRIu64 " of party %u stands at %" PRIu64 " and at %" PRIu64, number, author,
                       text->index, index);
    if (entry == NULL)
        oracle_condemn(oracle, "text %" PRIu64 " of party %u stands at %" PRIu64, number, author, index);
    else if (entry->text != 0 && entry->text != number + 1)
        oracle_condemn(oracle, "entry %u/%" PRIu64 " is text %" PRIu64 " and text %" PRIu64, author, index,
                       entry->text - 1, number);
    text->index = index;
    if (entry != NULL)
        entry->text = number + 1;
}

void oracle_recorded(struct oracle *oracle, unsigned party, uint64_t number, uint64_t index)
{
    if (oracle->distrusted[party])
        return;
    place(oracle, party, number, index);
    if (!oracle->text[number].recorded)
        quotas_recorded(party, strlen(oracle->text[number].text));
    oracle->text[number].recorded = true;
    promise(oracle, party, party, index + 1);
}

void oracle_stored(struct oracle *oracle, unsigned party, unsigned by, uint64_t size)
{
    if (!oracle->distrusted[party])
        promise(oracle, by, party, size);
}

/* The text that was handed in by that author; NULL if there was none such. */
static struct text *find_text(struct oracle *oracle, unsigned party, unsigned author, uint64_t index, struct span said)
{
    char start[24] = {0};
    uint64_t number = 0;
    struct text *text = NULL;

    memcpy(start, said.data, said.size < sizeof start - 1 ? said.size : sizeof start - 1);
    number = strtoull(start, NULL, 10);
    text = number < oracle->text_count ? &oracle->text[number] : NULL;
    if (text == NULL || text->party != author || !span_equal(said, span_of_string(text->text))) {
        oracle_condemn(oracle, "party %u tells of %u/%" PRIu64 " what its author never said", party, author, index);
        return NULL;
    }
    place(oracle, author, number, index);
    return text;
}

void oracle_told(struct oracle *oracle, unsigned party, unsigned author, uint64_t index, struct span said, bool urgent,
                 bool early)
{
    struct log *log = oracle->log[author];
    struct kept *entry = NULL;

    if (oracle->distrusted[party] || oracle->distrusted[author])
        return;
    (void)find_text(oracle, party, author, index, said);
    if (index >= LOG_MAX)
        return;
    if (!early && index > log->durable[party])
        inspect(oracle, party, oracle->excused[party]);
    if (!early && index > log->durable[party] && !oracle->excused[party])
        oracle_condemn(oracle, "party %u tells of %u/%" PRIu64 " before its turn, and does not say so", party, author,
                       index);
    entry = kept_of(log, index);
    if (index < log->told[party] || entry->early[party])
        oracle_condemn(oracle, "party %u tells of %u/%" PRIu64 " twice or out of order", party, author, index);
    if (urgent)
        log->told_early[party] = entry->early[party] = true;
    else
        log->told[party] = index + 1;
}

void oracle_started(struct oracle *oracle, unsigned party)
{
    for (unsigned author = 0; author < oracle->parties; author++) {
        struct log *log = oracle->log[author];

        log->told[party] = 0;
        for (uint64_t i = 0; i < log->capacity && log->told_early[party]; i++)
            log->entry[i].early[party] = false;
        log->told_early[party] = false;
    }
}

void oracle_shown(struct oracle *oracle, unsigned party, unsigned author, uint64_t index, struct span said)
{
    struct text *text = NULL;

    if (oracle->distrusted[party] || oracle->distrusted[author])
        return;
    text = find_text(oracle, party, author, index, said);
    if (text == NULL)
        return;
    if (text->shown[party])
        oracle_condemn(oracle, "party %u shows %u/%" PRIu64 " twice", party, author, index);
    text->shown[party] = true;
}

void oracle_shown_all(struct oracle *oracle, unsigned party)
{
    if (oracle->spoilt[party])
        return;
    for (size_t i = 0; i < oracle->text_count; i++) {
        const struct text *text = &oracle->text[i];

        if (text->recorded && !text->shown[party] && !oracle->distrusted[text->party] &&
            text->index < oracle->log[text->party]->durable[party])
            oracle_condemn(oracle, "party %u does not show text %zu, which party %u recorded as %" PRIu64, party, i,
                           text->party, text->index);
    }
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void join(uint8_t out[static 32], const uint8_t left[static 32], const uint8_t right[static 32])
{
    uint8_t both[65] = {1};

    memcpy(both + 1, left, 32);
    memcpy(both + 33, right, 32);
    (void)crypto_hash_sha256(out, both, sizeof both);
}

/* RFC 6962, by adding one leaf after the other: peak[i] is the root of 2^i leaves. */
static void check_roots(struct oracle *oracle, unsigned author)
{
    struct log *log = oracle->log[author];
    uint8_t peak[64][32];

    for (uint64_t size = 1; size <= log->largest && log->entry[size - 1].known; size++) {
        const struct kept *last = &log->entry[size - 1];
        uint8_t node[32];
        unsigned level = 0;

        memcpy(node, last->hash, 32);
        for (; (size - 1) >> level & 1; level++)
            join(node, peak[level], node);
        memcpy(peak[level], node, 32);
        for (unsigned above = level + 1; above < 63; above++)
            if (size >> above & 1)
                join(node, peak[above], node);
        if (last->is_signed && memcmp(node, last->root, 32) != 0)
            oracle_condemn(oracle, "the root that party %u signed for size %" PRIu64 " is not that of its entries",
                           author, size);
    }
}

void oracle_conclude(struct oracle *oracle, const bool *party)
{
    for (unsigned i = 0; i < oracle->parties; i++) {
        oracle_inspect(oracle, i);
        if (party[i] && !oracle->distrusted[i])
            keys_inspect(i, oracle->parties);
    }
    for (unsigned author = 0; author < oracle->parties; author++) {
        uint64_t size = UNKNOWN;

        if (!oracle->distrusted[author])
            check_roots(oracle, author);
        for (unsigned i = 0; i < oracle->parties; i++) {
            if (!party[i] || oracle->distrusted[i] || oracle->spoilt[i]) /* its platters may have lost what it shows */
                continue;
            if (size != UNKNOWN && !oracle->distrusted[author] && !oracle->spoilt[author] &&
                oracle->log[author]->durable[i] != size)
                oracle_condemn(oracle, "party %u has %" PRIu64 " entries of %u, another %" PRIu64, i,
                               oracle->log[author]->durable[i], author, size);
            size = oracle->log[author]->durable[i];
        }
    }
}

uint64_t oracle_promised(const struct oracle *oracle, unsigned party, unsigned author)
{
    return oracle->log[author]->promised[party];
}

uint64_t oracle_heads(const struct oracle *oracle)
{
    return oracle->heads;
}

uint64_t oracle_receipts(const struct oracle *oracle)
{
    return oracle->receipts;
}

uint64_t oracle_entries(const struct oracle *oracle)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < oracle->parties; i++)
        count += oracle->log[i]->largest;
    return count;
}
