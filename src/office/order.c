/*
 * The order of a line (spec/record.md): depth = 1 + the largest of the predecessor's and of those an entry rests on.
 *
 * What an author had seen may come here after what it wrote, from another side. Then its log waits, so that the order
 * is right at once; but not for ever, since it may have claimed what never comes. Whose claim was waited for in vain is
 * not waited for again: its entries are ordered as if they had not made such claims, and once what they name is here,
 * everything since is ordered again. So the order is a function of the entries alone and not of when they came.
 */
#include <stdlib.h>

#include "office/fold.h"

#define MISSING_QUIET_US (2 * SECOND_US) /* waited for as long as its log grows at least so often, */
#define MISSING_MAX_US (60 * SECOND_US)  /* and at most so long */
#define AGAIN_US                                                                                                       \
    2000 /* an entry that was ordered again puts the next such time off by this: a small share of the time */

/* --- what has not come yet ------------------------------------------------------------------------------------- */

static struct monotonic missing_until(const struct line *line, const struct member *member)
{
    struct monotonic since = member->missing_since;
    struct monotonic grown = line->member[member->missing].grown;
    struct monotonic quiet = monotonic_after(grown.us > since.us ? grown : since, MISSING_QUIET_US);

    return monotonic_earlier(quiet, monotonic_after(member->missing_first, MISSING_MAX_US));
}

bool order_waits(const struct office *office, const struct line *line, unsigned number)
{
    const struct member *member = &line->member[number];

    return member->misses && sync_durable(line->sync, member->missing) <= member->missing_index &&
           office->now.monotonic.us < missing_until(line, member).us;
}

/* What was here when the waiting began shares its end: else each entry of a log could name what comes just in time, and
 * all that rests on that log would be late without limit. */
static void begin_to_miss(const struct office *office, struct line *line, const struct fold_entry *found,
                          const struct claim *claim)
{
    struct member *member = &line->member[found->member];

    member->misses = true;
    member->missing = claim->member;
    member->missing_index = claim->index;
    member->missing_since = office->now.monotonic;
    if (found->index < member->missing_below)
        return;
    member->missing_below = sync_durable(line->sync, found->member);
    member->missing_first = office->now.monotonic;
}

/* Whether an entry is to wait for one that is not here. A flash does not, nor what this office wrote itself. */
static bool wait_for_missing(struct office *office, struct line *line, const struct fold_entry *found,
                             unsigned precedence, const struct claim *claim)
{
    struct member *member = &line->member[found->member];

    if (sync_durable(line->sync, claim->member) > claim->index)
        return true; /* it came meanwhile: the next slice knows */
    if (found->member == line->me || precedence == PRECEDENCE_FLASH || member->waited_in_vain)
        return false;
    if (!member->misses || member->missing != claim->member || member->missing_index != claim->index) {
        begin_to_miss(office, line, found, claim);
        return office->now.monotonic.us < missing_until(line, member).us;
    }
    if (office->now.monotonic.us < missing_until(line, member).us)
        return true;
    member->waited_in_vain = true;
    core_log(office, "%s names %s/%llu on the line %s, which does not come; it is not waited for any longer",
             line->member[found->member].name, line->member[claim->member].name, (unsigned long long)claim->index,
             line->name);
    return false;
}

/* --- what is here and not folded ------------------------------------------------------------------------------- */

/*
 * An entry's `re` may name one that is not made yet in its log: leaves do not hang on each other, so that false members
 * can let entries name each other in a ring. (By `seen` they can't: a root hangs on all entries below it.) Where the
 * logs of a ring wait for each other, the first of its members goes on without what it names.
 */
static void break_ring(struct line *line, unsigned from)
{
    unsigned first = MEMBERS_MAX;
    unsigned at = from;

    for (unsigned steps = 0; steps < line->charter->member_count; steps++) {
        const struct member *member = &line->member[at];

        if (!member->waits || line->member[member->awaited].folded > member->awaited_index)
            return;
        if (member->waits_by_reference && at < first)
            first = at;
        at = member->awaited;
        if (at == from)
            break;
    }
    if (at == from && first < MEMBERS_MAX)
        line->member[first].in_ring = true;
}

/* The next entry of a log waits until another one is folded. False if it is not to wait. */
static bool wait_for_fold(struct line *line, unsigned number, const struct claim *claim)
{
    struct member *member = &line->member[number];

    member->waits = true;
    member->waits_by_reference = claim->is_reference;
    member->awaited = claim->member;
    member->awaited_index = claim->index;
    break_ring(line, number);
    return !claim->is_reference || !member->in_ring;
}

/* The depth of an entry that is folded, though the store may not have it yet. */
static bool known_depth(const struct line *line, const struct claim *claim, uint64_t *depth)
{
    const struct member *member = &line->member[claim->member];

    *depth = claim->depth;
    if (member->recent[claim->index % RECENT_DEPTHS].end != claim->index + 1)
        return claim->folded;
    *depth = member->recent[claim->index % RECENT_DEPTHS].depth;
    return true;
}

bool order_may_go_on(const struct office *office, const struct line *line, unsigned number)
{
    const struct member *member = &line->member[number];

    return member->wait_batch <= office->batch && !order_waits(office, line, number) &&
           (!member->waits || member->in_ring || line->member[member->awaited].folded > member->awaited_index);
}

/* --- depth ----------------------------------------------------------------------------------------------------- */

/* In a ring none of what an entry names counts, held or not: else its depth would hang on what was folded when. */
static bool is_left_out(const struct line *line, const struct fold_entry *found, const struct claim *claim)
{
    return claim->is_reference && line->member[found->member].in_ring;
}

static bool is_settled(struct office *office, struct line *line, const struct fold_entry *found, unsigned precedence,
                       const struct claim *claim)
{
    uint64_t depth = 0;

    if (is_left_out(line, found, claim))
        return true;
    if (!claim->held)
        return !wait_for_missing(office, line, found, precedence, claim);
    if (!claim->true_)
        return true;
    if (claim->index >= line->member[claim->member].folded)
        return !wait_for_fold(line, found->member, claim);
    if (known_depth(line, claim, &depth))
        return true;
    line->member[found->member].wait_batch = core_next_batch(office);
    office->hurry = true;
    return false;
}

/* Begin again here at the latest. */
static void lower(const struct line *line, struct late *late)
{
    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (line->member[i].folded <= late->folded[i]) {
            late->folded[i] = line->member[i].folded;
            late->depth[i] = line->member[i].depth;
        }
}

/* Where to begin again once what was claimed is here. */
static void note_late(struct line *line, unsigned author, const struct claim *claim)
{
    struct late *late = &line->late[author];

    for (unsigned i = 0; i < line->charter->member_count && !late->any; i++)
        late->least[i] = late->folded[i] = UINT64_MAX;
    late->any = true;
    lower(line, late);
    if (claim->index < late->least[claim->member])
        late->least[claim->member] = claim->index;
}

/* What a settled claim adds to the depth: 0 if it is void. */
static uint64_t weigh(struct office *office, struct line *line, const struct fold_entry *found,
                      const struct claim *claim)
{
    uint64_t depth = 0;

    if (!claim->held) {
        note_late(line, found->member, claim);
        return 0;
    }
    if (is_left_out(line, found, claim))
        return 0;
    if (!claim->true_) {
        if (found->index < line->member[found->member].announced)
            return 0; /* it was said when it was ordered first */
        core_log(office, "%s/%llu names another entry %llu of %s than is held here; that claim is void",
                 line->member[found->member].name, (unsigned long long)found->index, (unsigned long long)claim->index,
                 line->member[claim->member].name);
        return 0;
    }
    return known_depth(line, claim, &depth) ? depth + 1 : 0;
}

bool order_depth(struct office *office, struct fold_job *fold, const struct fold_entry *found, unsigned precedence,
                 uint64_t *depth)
{
    const struct claim *claims = (const struct claim *)(const void *)fold->claims.data;
    struct line *line = fold->line;

    for (size_t c = 0; c < found->claim_count; c++)
        if (!is_settled(office, line, found, precedence, &claims[found->first_claim + c]))
            return false;
    *depth = found->index == 0 ? 0 : line->member[found->member].depth + 1;
    for (size_t c = 0; c < found->claim_count; c++) {
        uint64_t rest = weigh(office, line, found, &claims[found->first_claim + c]);

        if (rest > *depth)
            *depth = rest;
    }
    return true;
}

void order_take(struct line *line, const struct fold_entry *found, uint64_t depth)
{
    struct member *member = &line->member[found->member];

    member->recent[found->index % RECENT_DEPTHS].end = found->index + 1;
    member->recent[found->index % RECENT_DEPTHS].depth = depth;
    member->depth = depth;
    member->folded = found->index + 1;
    member->waits = member->in_ring = member->misses = false;
}

/* --- again ----------------------------------------------------------------------------------------------------- */

static bool has_come(const struct line *line, const struct late *late)
{
    for (unsigned i = 0; late->any && i < line->charter->member_count; i++)
        if (line->member[i].folded > late->least[i])
            return true;
    return false;
}

static void set_back(struct office *office, struct line *line, struct late *late)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < line->charter->member_count; i++) {
        struct member *member = &line->member[i];

        member->waits = member->in_ring = false; /* who waits for whom may be otherwise now */
        if (late->folded[i] >= member->folded)
            continue;
        count += member->folded - late->folded[i];
        member->folded = late->folded[i];
        member->depth = late->depth[i];
        member->misses = false;
    }
    late->any = false;
    for (unsigned i = 0; i < line->charter->member_count; i++)
        lower(line, &line->late[i]); /* the depths it knows may change */
    late->not_before = monotonic_after(office->now.monotonic, count * AGAIN_US);
    core_log(office, "%s: an entry that was named before it came is here; %llu are put in order again", line->name,
             (unsigned long long)count);
}

void order_again(struct office *office, struct line *line)
{
    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (has_come(line, &line->late[i]) && line->late[i].not_before.us <= office->now.monotonic.us)
            set_back(office, line, &line->late[i]);
}

uint64_t order_is_final(const struct line *line, unsigned member)
{
    uint64_t size = line->member[member].folded;

    for (unsigned i = 0; i < line->charter->member_count; i++)
        if (line->late[i].any && line->late[i].folded[member] < size)
            size = line->late[i].folded[member];
    return size;
}

struct monotonic order_next(const struct office *office, const struct line *line)
{
    struct monotonic next = NEVER;

    for (unsigned i = 0; i < line->charter->member_count; i++) {
        if (order_waits(office, line, i))
            next = monotonic_earlier(next, missing_until(line, &line->member[i]));
        if (has_come(line, &line->late[i]))
            next = monotonic_earlier(next, line->late[i].not_before);
    }
    return next;
}
