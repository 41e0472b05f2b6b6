/*
 * Epochs and one-time prekeys.
 *
 * The rules (spec/seal.md, "epochs"; spec/record.md, "prekeys"): a reader publishes prekeys for one author, whose ids
 * only rise. The author wraps the secret of each epoch to the oldest prekey at hand of each reader, or to its standing
 * key where none is at hand, and takes the prekey off in the transaction that records the epoch. A reader that opens
 * an epoch deletes the prekey and stores the secret in one transaction. It publishes more when few are left. What a
 * reader that was restored publishes first makes all its earlier prekeys void.
 *
 * The world: an author makes E epochs for two readers, of which each may be silent for ever. Until it is calm anybody
 * crashes at any time and comes back with what was committed; one reader is put back to an earlier moment once, and
 * the author to its first. Both have their own log back before they go on.
 *
 * Checked: no prekey is used for two epochs; the author makes all its epochs, even if readers are silent; a reader can
 * open every epoch, but for those wrapped to a prekey that a restore took from it; once the author has read what a
 * reader published since its restore, it wraps to none of those; in the end a reader that is not silent has prekeys at
 * hand.
 *
 * Left out: cryptography, the way of entries, overtaking, what the WAL still holds. A commit is one step; delivery.pml
 * and mark.pml take it apart.
 *
 * Without a protection it must fail: TWO_TRANSACTIONS (of the reader), USED_LATER (taken off in a later transaction),
 * NO_STANDING_KEY, NO_VOID, OWN_EPOCHS_FORGOTTEN (an author that was restored does not look which prekeys it named),
 * DUE_FORGOTTEN (only opening an epoch by a prekey makes a reader publish more, and a crash forgets it), IDS_AGAIN
 * (ids go on from the highest one that is still held, from 0 if none is).
 */
#define E 3     /* epochs */
#define BATCH 2 /* prekeys published at a time */

#define BIT(id) (1 << (id))
#define HELD(r, id) ((reader[r].held >> (id)) & 1)
#define AT_HAND(r) (used[r] < offered[r])
#define STOCK(r) (reader[r].held >> voided[r])

typedef database {
    byte held;   /* bits: secrets of prekeys not used yet */
    byte opened; /* bits: epochs whose secret is stored */
    byte read;   /* epochs gone through */
}
database reader[2], copy[2];
byte published[2], voided[2]; /* in the reader's log: ids below, of which these are void */
byte lost[2];                 /* bits: taken by a restore */
bool half[2]; /* TWO_TRANSACTIONS: between them */
bool silent[2], due[2], must_void[2];

/* The author's: ids below `offered` are known, those below `used` are not to be used. */
byte offered[2], used[2], used_stored[2], taken[2];
bool author_was_restored, reader_was_restored;

typedef epoch {
    byte id[2]; /* plus 1; 0 is the standing key */
}
epoch log[E];
byte epochs;
bool calm;

#define CHOICE(r) (AT_HAND(r) -> used[r] + 1 : 0)

inline use(r)
{
    log[epochs].id[r] = CHOICE(r);
    if
    :: AT_HAND(r) ->
        assert(!(taken[r] & BIT(used[r])));
        assert(!(lost[r] & BIT(used[r])) || must_void[r] || offered[r] < published[r]);
        taken[r] = taken[r] | BIT(used[r]);
        used[r]++
    :: else
    fi
}

inline store_used()
{
    used_stored[0] = used[0];
    used_stored[1] = used[1]
}

inline take(r)
{
    offered[r] = published[r];
    used[r] = (used[r] < voided[r] -> voided[r] : used[r]);
    used_stored[r] = (used_stored[r] < voided[r] -> voided[r] : used_stored[r])
}

proctype author()
{
    do
    :: d_step { offered[0] < published[0] -> take(0) }
    :: d_step { offered[1] < published[1] -> take(1) }
#ifdef NO_STANDING_KEY
    :: d_step { epochs < E && AT_HAND(0) && AT_HAND(1) -> use(0); use(1); store_used(); epochs++ }
#elif defined(USED_LATER)
    :: d_step { epochs < E -> use(0); use(1); epochs++ }
    :: d_step { used_stored[0] != used[0] || used_stored[1] != used[1] -> store_used() }
#else
    :: d_step { epochs < E -> use(0); use(1); store_used(); epochs++ }
#endif
    od
}

inline publish(r)
{
#ifndef NO_VOID
    voided[r] = (must_void[r] -> published[r] : voided[r]);
#endif
    must_void[r] = false;
    due[r] = false;
    first = published[r];
#ifdef IDS_AGAIN
    first = (reader[r].held == 0 -> 0 : published[r]);
#endif
    reader[r].held = reader[r].held | BIT(first) | BIT(first + 1);
    published[r] = (first + BATCH > published[r] -> first + BATCH : published[r]);
    first = 0
}

#define ID (log[reader[r].read].id[r] - 1)
#define OPENED(r) ((reader[r].opened >> reader[r].read) & 1)

inline store_secret(r)
{
    reader[r].opened = reader[r].opened | BIT(reader[r].read);
    reader[r].read++
}

inline open(r)
{
    if
    :: OPENED(r) || log[reader[r].read].id[r] == 0 -> store_secret(r)
    :: else ->
        if
        :: HELD(r, ID) ->
            reader[r].held = reader[r].held & ~BIT(ID);
            due[r] = STOCK(r) == 0;
#ifdef TWO_TRANSACTIONS
            half[r] = true
#else
            store_secret(r)
#endif
        :: else -> assert(lost[r] & BIT(ID)); reader[r].read++
        fi
    fi
}

proctype keep(byte r)
{
    byte first;
    if
    :: silent[r] = true
    :: d_step { must_void[r] = false; publish(r) }
    fi;
    do
    :: d_step { !silent[r] && !half[r] && reader[r].read < epochs -> open(r) }
#ifdef TWO_TRANSACTIONS
    :: d_step { half[r] -> store_secret(r); half[r] = false }
#endif
#ifdef DUE_FORGOTTEN
    :: d_step { !silent[r] && (due[r] || must_void[r]) -> publish(r) }
#else
    :: d_step { !silent[r] && (STOCK(r) == 0 || must_void[r]) -> publish(r) }
#endif
    od
}

inline assign(to, from)
{
    to.held = from.held;
    to.opened = from.opened;
    to.read = from.read
}

inline crash_reader(r)
{
    due[r] = false;
    half[r] = false
}

/* Ids below what is in its own log that the copy has no secret of are gone. */
inline restore_reader(r)
{
    crash_reader(r);
    assign(reader[r], copy[r]);
    lost[r] = (BIT(published[r]) - 1) & ~reader[r].held;
    must_void[r] = true;
    reader_was_restored = true
}

inline restore_author(r)
{
    used[r] = 0;
#ifndef OWN_EPOCHS_FORGOTTEN
    for (e : 0 .. E - 1) {
        used[r] = (log[e].id[r] > used[r] -> log[e].id[r] : used[r])
    }
    e = 0;
#endif
    used[r] = (used[r] < voided[r] && offered[r] == published[r] -> voided[r] : used[r]);
    used_stored[r] = used[r]
}

proctype misfortune()
{
    byte e;
    do
    :: calm = true; break
    :: d_step { used[0] = used_stored[0]; used[1] = used_stored[1] }
    :: d_step { !author_was_restored -> restore_author(0); restore_author(1); author_was_restored = true }
    :: d_step { !reader_was_restored -> assign(copy[0], reader[0]) }
    :: d_step { !reader_was_restored -> assign(copy[1], reader[1]) }
    :: d_step { crash_reader(0) }
    :: d_step { crash_reader(1) }
    :: d_step { !reader_was_restored && published[0] -> restore_reader(0) }
    :: d_step { !reader_was_restored && published[1] -> restore_reader(1) }
    od
}

init
{
    atomic { run author(); run keep(0); run keep(1); run misfortune() }
}

ltl served { [] (calm -> <> (epochs == E && (silent[0] || AT_HAND(0)) && (silent[1] || AT_HAND(1)))) }
