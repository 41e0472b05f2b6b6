#!/usr/bin/python3
"""A database that breaks under a running daemon: it stops signing at the first read that fails, and says so at once.

What a member's copy can mend is mended instead, with an alarm meanwhile (scrub.py); whoever reads a broken entry raises
that alarm, and does not wait for the scrub.
"""
import os
import re
import shutil
import time

from offices import Office, case, finish, found, is_error, note, number_of, path, same, spoil, until

PAGE = 4096


def large():
    """Two offices with more on the line than SQLite's cache holds."""
    w, p = Office("washington.example", "w").start(), Office("pyongyang.example", "p").start()
    found(w, p)
    w.run("link", "add", "talks", "pyongyang", p.listen[0])
    for _ in range(12):
        w.ask("append", line="talks", entries=[{"text": "x" * 60000}] * 12)
    case("everything is stored on both sides", until(lambda: w.is_settled() and p.is_settled(), 60))
    return w, p


def noise(file):
    """Everything but the first page."""
    size = os.path.getsize(file)
    with open(file, "r+b") as opened:
        opened.seek(PAGE)
        while opened.tell() < size:
            opened.write(os.urandom(min(1 << 20, size - opened.tell())))


def shortened(file):
    os.truncate(file, 4 * PAGE)


def breaks(w, p, what, damage, ask):
    """The database of w is damaged while it runs; `ask` reads it."""
    database = os.path.join(w.directory, "liaison.db")
    copies = [(database, path("copy.db")), (w.mark, path("copy.mark"))]
    w.stop()
    for original, copy in copies:
        shutil.copyfile(original, copy)
    w.start()
    case(f"{what}: the line is up", until(lambda: w.is_settled() and p.is_settled(), 30))
    size = p.member("washington.example")["size"]
    time.sleep(2.5)  # until nothing is left to be written, which would find it too
    damage(database)
    result = ask()
    case(f"{what}: whoever asks is told", result.code != 0 and result.out == "" and "damaged" in result.err, result)
    status = w.status()
    case(f"{what}: the office is stopped at once, and says why", status["state"] == "stopped"
         and re.search("damaged.*start the office again", status["reason"] or ""), status)
    case(f"{what}: it was told", re.search("liaisond: stopped: [^\\n]*damaged", w.said()), w.said())
    is_error(f"{what}: nothing more is recorded", lambda *more: w.run("send", "talks", "-m", "No", *more), 1, "stopped",
             "damaged")
    case(f"{what}: the other side sees it go", until(lambda: all(
        link["observed"] == "down" for link in p.member("washington.example")["links"])))
    time.sleep(0.5)
    same(f"{what}: nothing more came from it", p.member("washington.example")["size"], size)
    same(f"{what}: the daemon ends as it should", w.stop(), 0)
    for original, copy in copies:
        for old in (original, original + "-wal"):
            if os.path.exists(old):
                os.unlink(old)
        shutil.copyfile(copy, original)


def at_once(w, p):
    """An entry that is broken is found by whoever reads it. Nobody is there to mend it."""
    sent = number_of(p.run("send", "talks", "-m", "to be broken", "--wait", "stored"))
    for how, ask in (("read", lambda: w.run("read", "talks", "--from", f"pyongyang/{sent}")),
                     ("record verify", w.verify),
                     ("record prove", lambda: w.run("record", "prove", "talks", f"pyongyang/{sent}", "-o", "x.proof"))):
        p.stop()
        w.stop()
        spoil(w, 1, sent)
        w.start()
        # The scrub begins with the other log, and goes on after a second.
        before = w.status()["alarms"]
        result = ask()
        same(f"{how}: the alarm is there at once", (before, w.status()["alarms"]), ([], [
            f"pyongyang/{sent} on the line talks is broken on the disk of this office; the other members are asked "
            "for it"]))
        if how != "read":
            case(f"{how}: is refused", result.code == (6 if how == "record verify" else 1) and result.out == "", result)
        p.start()
        if not case(f"{how}: it is mended", until(lambda: w.verify().code == 0, 60)):
            note(w.said())
        same(f"{how}: the alarm is over", w.status()["alarms"], [])


def main():
    w, p = large()
    w.options[w.options.index("--listen") + 1] = w.listen[0]  # the same after a restart
    p.options[p.options.index("--listen") + 1] = p.listen[0]
    breaks(w, p, "noise in every page", noise, lambda: w.run("record", "verify", "talks"))
    breaks(w, p, "a file that became short", shortened, lambda: w.run("read", "talks"))
    w.start()
    case("the line is up again", until(lambda: w.is_settled() and p.is_settled(), 30))
    at_once(w, p)
    finish()


main()
