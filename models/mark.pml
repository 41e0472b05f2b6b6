/*
 * The mark against a restored database.
 *
 * The rules (spec/store.md; ARCHITECTURE.md, "a restore is a fork"): the database and the mark are written for every
 * batch, and nothing leaves before both are synced. At the start, d the database's batch and m the mark's: d = m goes
 * on; d = m - 1 runs the mark's operations; d = m + 1 writes the mark anew, without operations; anything else stops.
 * Then the own log must not be shorter than the mark says, nor another one of that length.
 *
 * The world: an office makes N batches, each with one own entry (text 1 or 2) or none. At any step, of the start too,
 * it is killed or loses its power; of each file, what was not synced stays or goes, and a slot of the mark that is
 * being written may be torn. The disk is full at times. The database is copied at any time, and put back while the
 * office is down, as often as one likes; what it is replaced by may be a batch that a power cut took afterwards.
 *
 * Checked: no two heads of one size that differ are ever let out, so no two batches under one number; without a
 * restore the office never stops, and what was said not to be recorded is not there later.
 *
 * Left out: others' entries and receipts, which are not in the mark and are asked for again; a second instance
 * (flock); damage within the database; what the other members find out.
 *
 * Without a protection it must fail: WITHOUT_MARK, WITHOUT_WAIT (for the mark), WITHOUT_SYNC (at the start),
 * WITHOUT_COMPARISON (of the own log), WITHOUT_PLACE (what is run again goes behind whatever is there), ONE_SLOT,
 * MARK_STAYS (it is not written back).
 *
 * What the mark does not cover fails too, so that this stays true: BOTH_RESTORED, the mark is put back to the moment
 * of the copy; NEWER_SLOT_DAMAGED, the mark loses its newer slot and the database is one batch old.
 */
#define N 3

/* A log is a number to the base 3: a digit for each own entry, its text. */
#define LENGTH(log) ((log) == 0 -> 0 : ((log) < 3 -> 1 : ((log) < 9 -> 2 : 3)))

mtype = {down, starting, up, stopped};          /* the office */
mtype = {none, out, synced, failed, restoring}; /* a batch, in the database and in the mark */

typedef state {
    byte batch, log;
}
/* Generations go 1, 2, 3, 1, ...; 0 is a torn slot. Text 0: no operations. */
typedef slot {
    byte generation, batch, log, text;
}
typedef slots {
    slot s[2];
}

mtype is = down, db_is = none, mark_is = none;
state next;              /* what the batch that is out makes of the database */
state db, db_disk, copy; /* as the system has it, as the disk has it, as somebody keeps it */
slots mark, mark_disk;
#ifdef BOTH_RESTORED
slots mark_copy;
#endif
byte text, kept_text;    /* of the batch that is out, and of the one before, if it would be written back */
byte newest;             /* slot of the mark */
byte refused;            /* the log as it would be, had the last batch not failed */
byte let_out[N + 1];     /* of each length, the log that was let out */
bool copied, restored;   /* somebody has a copy; somebody has put it back */

inline assign_state(to, from)
{
    to.batch = from.batch;
    to.log = from.log
}

inline assign_slot(to, from)
{
    to.generation = from.generation;
    to.batch = from.batch;
    to.log = from.log;
    to.text = from.text
}

inline assign_slots(to, from)
{
    assign_slot(to.s[0], from.s[0]);
    assign_slot(to.s[1], from.s[1])
}

inline tear(file, i)
{
    file.s[i].generation = 0;
    file.s[i].batch = 0;
    file.s[i].log = 0;
    file.s[i].text = 0
}

#ifdef ONE_SLOT
#define OTHER newest
#else
#define OTHER (1 - newest)
#endif
#define AFTER(generation) ((generation) % 3 + 1)

inline write_slot(to_batch, to_log, to_text)
{
    mark.s[OTHER].generation = AFTER(mark.s[newest].generation);
    mark.s[OTHER].batch = to_batch;
    mark.s[OTHER].log = to_log;
    mark.s[OTHER].text = to_text
}

inline find_newest()
{
    newest = 0;
    if
    :: mark.s[0].generation == 0 -> newest = mark.s[1].generation != 0
    :: else -> newest = mark.s[1].generation == AFTER(mark.s[0].generation)
    fi
}

/* A head of every length that the log has had. */
inline let_all_out()
{
    log = db.log;
    do
    :: log ->
        assert(let_out[LENGTH(log)] == 0 || let_out[LENGTH(log)] == log);
        let_out[LENGTH(log)] = log;
        log = (log - 1) / 3
    :: else -> break
    od;
    log = 0
}

/* What a write that is not known to be synced has become: of the system's part all or nothing, or a torn slot. */
inline settle_mark(to_batch, to_log, to_text)
{
    if
    :: true
    :: tear(mark, OTHER); tear(mark_disk, OTHER)
    :: write_slot(to_batch, to_log, to_text); tear(mark_disk, OTHER)
    :: write_slot(to_batch, to_log, to_text)
    :: write_slot(to_batch, to_log, to_text); assign_slot(mark_disk.s[OTHER], mark.s[OTHER])
    fi
}

inline settle_db()
{
    if
    :: true
    :: assign_state(db, next)
    :: assign_state(db, next); assign_state(db_disk, next)
    fi
}

inline no_batch()
{
    db_is = none;
    mark_is = none;
    next.batch = 0;
    next.log = 0;
    text = 0
}

inline die()
{
    if
    :: mark_is == out -> settle_mark(next.batch, next.log, text)
    :: mark_is == restoring -> settle_mark(db.batch, db.log, kept_text)
    :: else
    fi;
    if
    :: db_is == out -> settle_db()
    :: else
    fi;
    no_batch();
    kept_text = 0;
    newest = 0;
    is = down
}

inline sync_both()
{
#ifndef WITHOUT_SYNC
    assign_state(db_disk, db);
    assign_slots(mark_disk, mark)
#else
    skip
#endif
}

#define M mark.s[newest]

inline stop()
{
    assert(restored);
    is = stopped
}

inline start()
{
    sync_both();
    find_newest();
    is = starting;
#ifndef WITHOUT_MARK
    if
    :: M.generation == 0 -> stop()
    :: M.generation && M.batch == db.batch -> skip
    :: M.generation && M.batch == db.batch + 1 ->
        if
#ifdef WITHOUT_PLACE
        :: M.text -> db.batch = M.batch; db.log = db.log * 3 + M.text
#else
        :: M.text && (db.log == M.log || db.log * 3 + M.text == M.log) -> db.batch = M.batch; db.log = M.log
#endif
        :: !M.text -> db.batch = M.batch
        :: else -> stop() /* another entry is in that place */
        fi
    :: M.generation && M.batch + 1 == db.batch -> write_slot(db.batch, db.log, 0); newest = OTHER
    :: else -> stop()
    fi
#endif
}

inline go_up()
{
    sync_both();
    is = up;
    assert(restored || !refused || db.log != refused);
    refused = 0;
#if !defined(WITHOUT_MARK) && !defined(WITHOUT_COMPARISON)
    if
    :: LENGTH(db.log) < LENGTH(M.log) || (LENGTH(db.log) == LENGTH(M.log) && db.log != M.log) -> stop()
    :: else
    fi
#endif
    if
    :: is == up -> let_all_out()
    :: else
    fi
}

inline begin(its_text)
{
    text = its_text;
    next.batch = db.batch + 1;
    next.log = (text -> db.log * 3 + text : db.log);
    refused = 0;
    db_is = out;
    mark_is = out
}

inline finish()
{
    kept_text = text;
    no_batch();
    let_all_out()
}

/* Nothing was recorded, and the client is told so. */
inline give_up()
{
    refused = (text -> next.log : 0);
    no_batch()
}

proctype office()
{
    byte log;
    do
    :: d_step { is == down -> start() }
    :: d_step { is == starting -> go_up() }
    :: atomic {
        is == up && db_is == none && db.batch < N ->
        if
        :: begin(0)
        :: begin(1)
        :: begin(2)
        fi
    }
    :: d_step {
        mark_is == out ->
        write_slot(next.batch, next.log, text);
        newest = OTHER;
        assign_slots(mark_disk, mark);
        mark_is = synced
    }
    :: d_step { db_is == out -> assign_state(db, next); assign_state(db_disk, db); db_is = synced }
    :: db_is == out -> db_is = failed
#ifdef MARK_STAYS
    :: d_step { db_is == failed && mark_is == synced -> give_up() }
#else
    :: d_step { db_is == failed && mark_is == synced -> mark_is = restoring }
#endif
    :: d_step {
        mark_is == restoring ->
        write_slot(db.batch, db.log, kept_text);
        newest = OTHER;
        assign_slots(mark_disk, mark);
        give_up()
    }
#ifdef WITHOUT_WAIT
    :: d_step { db_is == synced && mark_is == out -> let_all_out() }
#endif
    :: d_step { db_is == synced && mark_is == synced -> finish() }
    od
}

/* A copy is of what the system has. While a batch is out that may be the one before or the one after. */
inline take_copy()
{
    assign_state(copy, db);
    copied = true;
#ifdef BOTH_RESTORED
    assign_slots(mark_copy, mark)
#endif
}

inline put_back()
{
    assign_state(db, copy);
    assign_state(db_disk, copy);
    restored = true;
#ifdef BOTH_RESTORED
    assign_slots(mark, mark_copy);
    assign_slots(mark_disk, mark_copy)
#endif
}

proctype world()
{
    do
    :: atomic { is != down -> die() }
    :: d_step { is == down -> assign_state(db, db_disk) }
    :: d_step { is == down -> assign_slots(mark, mark_disk) }
    :: d_step { db_is != out -> take_copy() }
    :: d_step { is == down && copied -> put_back() }
#ifdef NEWER_SLOT_DAMAGED
    :: d_step { is == down && restored -> find_newest(); tear(mark, newest); tear(mark_disk, newest); newest = 0 }
#endif
    od
}

init
{
#ifndef ONE_SLOT
    mark.s[0].generation = 1;
#endif
    mark.s[1].generation = 2;
    assign_slots(mark_disk, mark);
    atomic { run office(); run world() }
}
