/*
 * Delivery with receipts, under crashes and over a bad link.
 *
 * The rules (ARCHITECTURE.md, "durable before visible"; spec/store.md, "a batch, start to end"; spec/sync.md): nothing
 * is answered, sent or receipted before its batch is synced in the database and in the mark. The two are written
 * beside each other, in either order. If it is certain that nothing was committed, the mark is written back and the
 * links are closed. An entry is accepted if it is the next one; a later one is asked for; an earlier one is held
 * already. After a break everything is said again.
 *
 * The world: an author writes N entries, a keeper receipts them. Until it is calm, which may be never, each office is
 * killed (what it wrote stays in the system's cache) or loses its power (of each file, what was not synced stays or
 * goes), its disk is full, and the link loses, doubles, swaps and is cut. A link that was meddled with is closed some
 * time later, since its frames no longer decrypt.
 *
 * Checked: what was recorded, and so may have been answered or receipted, is there at every later start; a receipt is
 * for what is on the disk; the author is shown only beginnings of its own log, so each entry was accepted once and in
 * order; once it is calm, everything is delivered, if every process that can go on at last does.
 *
 * Left out: torn writes of the mark and restores (mark.pml), more than two members, overtaking, damage, foes, windows.
 * A batch of the author has one entry. The keeper reads no further message while its batch is out.
 *
 * Without a protection it must fail: RECEIPT_BEFORE_SYNC, ACCEPT_ANYTHING, START_WITHOUT_SYNC, SILENT_AFTER_BREAK (no
 * receipt is said again), FULL_DISK_KEEPS_LINKS.
 */
#define N 2

#define AUTHOR 0
#define KEEPER 1

/* A log is a number: 1 if it is empty, and then a binary digit for each entry, which is its text. The first
 * has text 0, and the others either, also when they are tried again. */
#define ALL (1 << N)
#define BEGINS(a, b) ((a) == (b) || (a) == (b) >> 1 || (a) == (b) >> 2)
#define NEXT(a, b) ((b) >> 1 == (a) -> (b) : (b) >> 1)

mtype = {down, starting, up};                   /* offices */
mtype = {none, out, synced, failed, restoring}; /* a batch, in the database and in the mark */
mtype = {hello, entry, receipt, want};                     /* messages */

/* A file as the system has it, and as the disk has it. Batches are counted from the last that both files had. */
typedef file {
    byte number, log, disk_number, disk_log;
}
typedef office {
    mtype is = down;
    file db, mark;
    byte log = 1;   /* what is recorded, and may be answered or receipted; kept over a crash to be compared */
    byte batch = 0; /* the log after the batch that is out; 0 if none is */
    mtype db_is = none, mark_is = none;
}
office o[2];

chan to_keeper = [2] of {mtype, byte};
chan to_author = [2] of {mtype, byte};
bool link, hurt, calm;
bool hello_due, receipt_due, want_due; /* the keeper's */
bool greeted;                          /* the author's */
byte sent, known = 1;                  /* the author's: the log as far as it went, and is known to be receipted */

#define UNSYNCED(f) (f.number != f.disk_number || f.log != f.disk_log)

inline sync(f)
{
    f.disk_number = f.number;
    f.disk_log = f.log
}

inline forget(f)
{
    f.number = f.disk_number;
    f.log = f.disk_log
}

inline write(f, to_number, to_log)
{
    f.number = to_number;
    f.log = to_log
}

/* What a write that is not known to be synced has become. */
inline settle(f, to_number, to_log)
{
    if
    :: true
    :: write(f, to_number, to_log)
    :: write(f, to_number, to_log); sync(f)
    fi
}

inline cut()
{
    link = false;
    hurt = false;
    do
    :: nempty(to_keeper) -> to_keeper?_, _
    :: empty(to_keeper) && nempty(to_author) -> to_author?_, _
    :: else -> break
    od;
    hello_due = false;
    receipt_due = false;
    want_due = false;
    greeted = false;
    sent = 0
}

inline no_batch(i)
{
    o[i].batch = 0;
    o[i].db_is = none;
    o[i].mark_is = none
}

inline begin(i, to_log)
{
    o[i].batch = to_log;
    o[i].db_is = out;
    o[i].mark_is = out
}

/* It is killed; or its power goes, and what was not synced with it. */
inline die(i)
{
    if
    :: o[i].db_is == out -> settle(o[i].db, 1, o[i].batch)
    :: else
    fi;
    if
    :: o[i].mark_is == out -> settle(o[i].mark, 1, o[i].batch)
    :: o[i].mark_is == restoring -> settle(o[i].mark, 0, o[i].log)
    :: else
    fi;
    if
    :: UNSYNCED(o[i].db) -> forget(o[i].db)
    :: true
    fi;
    if
    :: UNSYNCED(o[i].mark) -> forget(o[i].mark)
    :: true
    fi;
    cut();
    no_batch(i);
    o[i].is = down;
    if
    :: i == AUTHOR -> known = 1
    :: else
    fi
}

inline sync_both(i)
{
#ifndef START_WITHOUT_SYNC
    sync(o[i].db);
    sync(o[i].mark)
#else
    skip
#endif
}

/* The database against the mark, which has nothing of others' entries: those are asked for again. */
inline compare(i)
{
    sync_both(i);
    if
    :: o[i].mark.number > o[i].db.number ->
        o[i].db.number = o[i].mark.number;
        if
        :: i == AUTHOR -> o[i].db.log = o[i].mark.log
        :: else
        fi
    :: o[i].mark.number < o[i].db.number -> write(o[i].mark, o[i].db.number, o[i].db.log)
    :: else
    fi;
    o[i].is = starting
}

inline agree(i)
{
    sync_both(i);
    o[i].db.number = 0;
    o[i].db.disk_number = 0;
    write(o[i].mark, 0, o[i].db.log);
    sync(o[i].mark)
}

inline go_up(i)
{
    agree(i);
    assert(BEGINS(o[i].log, o[i].db.log));
    o[i].log = o[i].db.log;
    o[i].is = up
}

inline finish(i)
{
    agree(i);
    o[i].log = o[i].batch;
    no_batch(i);
    if
    :: i == KEEPER -> receipt_due = link
    :: else
    fi
}

/* Nothing was recorded. What the other sent is gone, and it does not know: the links are closed. */
inline give_up(i)
{
    no_batch(i);
#ifndef FULL_DISK_KEEPS_LINKS
    hurt = link
#endif
}

/* One batch, and the start. The two files take their steps without regard to each other. */
proctype keep(byte i)
{
    do
    :: d_step { o[i].is == down -> compare(i) }
    :: d_step { o[i].is == starting -> go_up(i) }
    :: d_step { o[i].mark_is == out -> write(o[i].mark, 1, o[i].batch); sync(o[i].mark); o[i].mark_is = synced }
    :: d_step { o[i].db_is == out -> write(o[i].db, 1, o[i].batch); sync(o[i].db); o[i].db_is = synced }
    :: d_step { o[i].db_is == out && !calm -> o[i].db_is = failed }
    :: d_step { o[i].db_is == failed && o[i].mark_is == synced -> o[i].mark_is = restoring }
    :: d_step { o[i].mark_is == restoring -> write(o[i].mark, 0, o[i].log); sync(o[i].mark); give_up(i) }
    :: d_step { o[i].db_is == synced && o[i].mark_is == synced -> finish(i) }
    od
}

proctype author()
{
    byte log;
    do
    :: atomic {
        o[AUTHOR].is == up && !o[AUTHOR].batch && o[AUTHOR].log < ALL ->
        if
        :: begin(AUTHOR, o[AUTHOR].log << 1)
        :: o[AUTHOR].log > 1 -> begin(AUTHOR, o[AUTHOR].log << 1 | 1)
        fi
    }
    :: d_step {
        greeted && sent != o[AUTHOR].log && nfull(to_keeper) ->
        sent = NEXT(sent, o[AUTHOR].log);
        to_keeper!entry, sent
    }
    :: d_step {
        to_author?[hello, _] || to_author?[want, _] ->
        to_author?_, log;
        assert(BEGINS(log, o[AUTHOR].log)); /* else it holds what this office does not */
        greeted = true;
        sent = log;
        log = 0
    }
    :: d_step {
        to_author?[receipt, _] ->
        to_author?_, log;
        assert(BEGINS(log, o[AUTHOR].log));
        known = (log > known -> log : known);
        log = 0
    }
    od
}

inline take(given)
{
    if
#ifdef ACCEPT_ANYTHING
    :: o[KEEPER].log < ALL -> begin(KEEPER, o[KEEPER].log << 1 | (given & 1))
    :: else
#else
    :: given >> 1 == o[KEEPER].log -> begin(KEEPER, given)
    :: BEGINS(given, o[KEEPER].log) -> receipt_due = true
    :: else ->
        assert(BEGINS(o[KEEPER].log, given)); /* else there are two histories */
        want_due = true
#endif
    fi
}

inline say_receipt(given)
{
    assert(BEGINS(given, o[KEEPER].db.disk_log));
    to_author!receipt, given;
    receipt_due = false
}

proctype keeper()
{
    byte log;
    do
    :: d_step { hello_due && nfull(to_author) -> to_author!hello, o[KEEPER].log; hello_due = false }
    :: d_step { want_due && nfull(to_author) -> to_author!want, o[KEEPER].log; want_due = false }
    :: d_step { receipt_due && !hello_due && nfull(to_author) -> say_receipt(o[KEEPER].log) }
#ifdef RECEIPT_BEFORE_SYNC
    :: d_step { o[KEEPER].batch && nfull(to_author) -> say_receipt(o[KEEPER].batch) }
#endif
    :: d_step { !o[KEEPER].batch && nempty(to_keeper) -> to_keeper?_, log; take(log); log = 0 }
    od
}

inline greet()
{
    link = true;
    hello_due = true;
#ifndef SILENT_AFTER_BREAK
    receipt_due = o[KEEPER].log > 1
#endif
}

/* It is lost, comes twice, or comes after the one behind it. */
inline meddle(queue)
{
    hurt = true;
    queue?message, log;
    if
    :: true
    :: queue!message, log
    :: empty(queue) -> queue!message, log; queue!message, log
    fi;
    message = 0;
    log = 0
}

proctype wire()
{
    do
    :: d_step { !link && o[AUTHOR].is == up && o[KEEPER].is == up -> greet() }
    :: d_step { link && (hurt || !calm) -> cut() }
    od
}

proctype misfortune()
{
    mtype message;
    byte log, i;
    do
    :: calm = true; break
    :: atomic {
        !calm ->
        if
        :: i = AUTHOR
        :: i = KEEPER
        fi;
        die(i);
        i = 0
    }
    :: atomic { nempty(to_keeper) -> meddle(to_keeper) }
    :: atomic { nempty(to_author) -> meddle(to_author) }
    od
}

init
{
    byte i;
    for (i : 0 .. 1) {
        write(o[i].db, 0, 1);
        write(o[i].mark, 0, 1);
        sync(o[i].db);
        sync(o[i].mark)
    }
    atomic { run keep(AUTHOR); run keep(KEEPER); run author(); run keeper(); run wire(); run misfortune() }
}

ltl delivered { [] (calm -> <> (known >= ALL)) }
