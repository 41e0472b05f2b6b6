#include "foe_internal.h"

#include <stdlib.h>

static const char *const names[TRICK_COUNT] = {"withhold", "stall",    "replay", "flood",      "garble", "sizes",
                                               "heads",    "receipts", "claims", "commitment", "fork"};

/* The one there is; the linker hands the office's calls to this file. */
static struct foe *foe;
static unsigned acting;

bool __real_sync_output(struct sync *sync, unsigned link, bool urgent, struct buffer *message);
bool __wrap_sync_output(struct sync *sync, unsigned link, bool urgent, struct buffer *message);
int __real_sync_input(struct sync *sync, unsigned link, struct span message, struct now now, struct error *error);
int __wrap_sync_input(struct sync *sync, unsigned link, struct span message, struct now now, struct error *error);
void __real_entry_clear(struct buffer *out, const struct entry_header *header, struct span body);
void __wrap_entry_clear(struct buffer *out, const struct entry_header *header, struct span body);
int __real_entry_seal(struct buffer *out, const struct entry_header *header, struct span body,
                      const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place,
                      struct error *error);
int __wrap_entry_seal(struct buffer *out, const struct entry_header *header, struct span body,
                      const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place,
                      struct error *error);

struct foe *foe_new(unsigned party, unsigned parties, unsigned tricks, uint64_t seed, struct trace *trace)
{
    foe = calloc(1, sizeof *foe);
    if (foe == NULL || (foe->message = calloc(1, sizeof *foe->message)) == NULL)
        abort();
    foe->party = party;
    foe->parties = parties;
    foe->tricks = tricks;
    foe->trace = trace;
    foe->fork.from = UINT64_MAX;
    random_start(&foe->random, seed, 7);
    return foe;
}

void foe_free(struct foe *gone)
{
    if (gone == NULL)
        return;
    for (size_t i = 0; i < FOE_KEPT; i++)
        buffer_free(&gone->kept[i]);
    for (size_t i = 0; i < FOE_WAITING; i++)
        buffer_free(&gone->waiting[i].message);
    free(gone->message);
    free(gone);
    foe = NULL;
}

const char *trick_name(enum trick trick)
{
    return names[trick];
}

void foe_acting(unsigned party)
{
    acting = party;
}

uint64_t foe_played(const struct foe *one, enum trick trick)
{
    return one == NULL ? 0 : one->played[trick];
}

static bool acts(void)
{
    return foe != NULL && acting == foe->party;
}

bool foe_plays(struct foe *one, enum trick trick, uint64_t n)
{
    if ((one->tricks >> trick & 1) == 0 || random_below(&one->random, n) != 0)
        return false;
    one->played[trick]++;
    return true;
}

/* --- secrets --------------------------------------------------------------------------------------------------------
 */

void foe_signs_head(const char *origin, const uint8_t log_secret[static SIGN_SECRET_SIZE])
{
    if (!acts() || foe->signs)
        return;
    foe->signs = true;
    memcpy(foe->origin, origin, sizeof foe->origin);
    memcpy(foe->log_secret, log_secret, sizeof foe->log_secret);
}

void foe_signs_receipt(const uint8_t receipt_secret[static SIGN_SECRET_SIZE])
{
    if (!acts() || foe->receipts)
        return;
    foe->receipts = true;
    memcpy(foe->receipt_secret, receipt_secret, sizeof foe->receipt_secret);
}

/* --- what it says ---------------------------------------------------------------------------------------------------
 */

static void keep(const struct buffer *message)
{
    struct buffer *kept = &foe->kept[foe->kept_next++ % FOE_KEPT];

    buffer_reset(kept);
    buffer_put_span(kept, buffer_span(message));
}

/* To be sent on a link besides what the office has. */
static void say_later(const struct sync *sync, unsigned link, bool urgent, struct span message)
{
    unsigned at = (foe->waiting_first + foe->waiting_count) % FOE_WAITING;

    if (foe->waiting_count == FOE_WAITING || message.size == 0)
        return;
    foe->waiting_count++;
    foe->waiting[at].sync = sync;
    foe->waiting[at].link = link;
    foe->waiting[at].urgent = urgent;
    buffer_reset(&foe->waiting[at].message);
    buffer_put_span(&foe->waiting[at].message, message);
}

/* What waits for another link, which may be gone, waits no longer. */
static bool say_waiting(const struct sync *sync, unsigned link, bool urgent, struct buffer *message)
{
    while (foe->waiting_count > 0) {
        unsigned at = foe->waiting_first;

        if (foe->waiting[at].sync == sync && (foe->waiting[at].link != link || foe->waiting[at].urgent != urgent))
            return false;
        foe->waiting_first = (at + 1) % FOE_WAITING;
        foe->waiting_count--;
        if (foe->waiting[at].sync != sync)
            continue;
        buffer_put_span(message, buffer_span(&foe->waiting[at].message));
        return true;
    }
    return false;
}

static void plan_more(const struct sync *sync, unsigned link, bool urgent, const struct buffer *message)
{
    if (foe_plays(foe, TRICK_REPLAY, 20))
        say_later(sync, link, urgent, buffer_span(&foe->kept[random_below(&foe->random, FOE_KEPT)]));
    if (foe_plays(foe, TRICK_FLOOD, 60))
        for (uint64_t i = random_between(&foe->random, 10, 300); i > 0; i--)
            say_later(sync, link, urgent, buffer_span(message));
}

/* Whether the message is to be said at all. */
static bool twist(const struct sync *sync, unsigned link, struct buffer *message)
{
    if (!fork_output(foe, sync, link, message) || foe_plays(foe, TRICK_WITHHOLD, 8))
        return false;
    if (foe_plays(foe, TRICK_SIZES, 25))
        lie_sizes(foe, sync, message);
    if (foe_plays(foe, TRICK_HEADS, 40))
        lie_heads(foe, sync, message);
    if (foe_plays(foe, TRICK_RECEIPTS, 20))
        lie_receipts(foe, sync, message);
    if (foe_plays(foe, TRICK_GARBLE, 40))
        lie_garble(foe, message);
    return true;
}

bool __wrap_sync_output(struct sync *sync, unsigned link, bool urgent, struct buffer *message)
{
    if (!acts())
        return __real_sync_output(sync, link, urgent, message);
    if (foe->stalls_until > foe->trace->time)
        return false;
    if (foe_plays(foe, TRICK_STALL, 300)) {
        foe->stalls_until = foe->trace->time + random_between(&foe->random, 100000, 30000000);
        return false;
    }
    if (say_waiting(sync, link, urgent, message))
        return true;
    while (__real_sync_output(sync, link, urgent, message)) {
        keep(message);
        plan_more(sync, link, urgent, message);
        if (twist(sync, link, message) && message->size > 0)
            return true;
        buffer_reset(message);
    }
    return false;
}

int __wrap_sync_input(struct sync *sync, unsigned link, struct span message, struct now now, struct error *error)
{
    struct buffer changed = {0};
    int status = 0;

    if (!acts())
        return __real_sync_input(sync, link, message, now, error);
    if (fork_input(foe, sync, link, &message, &changed))
        status = __real_sync_input(sync, link, changed.size > 0 ? buffer_span(&changed) : message, now, error);
    buffer_free(&changed);
    return status;
}

/* --- what it writes -------------------------------------------------------------------------------------------------
 */

void __wrap_entry_clear(struct buffer *out, const struct entry_header *header, struct span body)
{
    struct entry_header other = *header;

    if (acts() && foe_plays(foe, TRICK_CLAIMS, 3))
        lie_claims(foe, &other);
    __real_entry_clear(out, &other, body);
}

int __wrap_entry_seal(struct buffer *out, const struct entry_header *header, struct span body,
                      const uint8_t secret[static EPOCH_SECRET_SIZE], const struct entry_place *place,
                      struct error *error)
{
    struct entry_header other = *header;
    size_t start = out->size;
    int status = 0;

    if (acts() && foe_plays(foe, TRICK_CLAIMS, 3))
        lie_claims(foe, &other);
    status = __real_entry_seal(out, &other, body, secret, place, error);
    if (status == 0 && acts() && foe_plays(foe, TRICK_COMMITMENT, 3))
        lie_commitment(foe, out, start, secret, place);
    return status;
}
