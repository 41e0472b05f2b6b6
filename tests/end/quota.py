#!/usr/bin/python3
"""Quotas, with real daemons: what a member writes beyond them is refused; what another wrote beyond them comes later."""
import os
import re
import sqlite3
import time

from offices import Office, case, finish, found, is_error, number_of, path, run, same, until, write

ENTRIES = 50
KEPT = ENTRIES // 16
ENTRY_NS = 24 * 3600 * 10**9 // ENTRIES
MESSAGE = 4096  # entries in one message, which others take even where 60 days' quota is less


def founding():
    w, p = Office("washington.example", "w").start(), Office("pyongyang.example", "p").start()
    card = write("p.card", p.run("card").out)
    for option, value in (("--quota-entries", "15"), ("--quota-bytes", "100000"), ("--quota-entries", "x")):
        is_error(f"line found refuses {option} {value}", lambda *more, o=option, v=value: w.run(
            "line", "found", "talks", "--with", card, o, v, *more), 2, "usage", f"{option} takes a number from")
    case("nothing was made", not os.path.exists(path("talks.charter")))
    made = w.run("line", "found", "talks", "--with", card, "--charter", path("talks.charter"), "--key", path("talks.key"),
                 "--quota-entries", ENTRIES, "--quota-bytes", 10**6)
    with open(path("talks.charter"), encoding="utf-8") as charter:
        text = charter.read()
    case("the charter has the quotas", made.code == 0 and f"\nquota-entries {ENTRIES}\nquota-bytes 1000000\n" in text, text)
    joined = p.run("line", "join", path("talks.charter"), "--key", path("talks.key"))
    case("the other joins", joined.code == 0, joined)
    w.run("link", "add", "talks", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
    until(w.is_settled)
    return w, p


def used(office, party):
    return office.member(party)["quota"]


def the_author(w, p):
    case("little use is not shown", "quota" not in w.run("status").out)
    sent = 0
    while number_of(w.run("send", "talks", "-m", f"text {sent}")) > 0:
        sent += 1
    size = w.member(w.name)["size"]
    same("as many are recorded as the quota allows, but for what is kept", size, ENTRIES - KEPT)
    is_error("what is beyond it is refused", lambda *more: w.run("send", "talks", "-m", "too much", *more), 1, "refused",
             f"a member of the line talks may write {ENTRIES} entries a day; {ENTRIES - KEPT} are used, and {KEPT} kept for "
             "what is urgent: there is room for this in 29 minutes. Nothing was recorded")
    token = ["--token", "00112233445566778899aabbccddeeff"]
    case("also with a token", w.run("send", "talks", "-m", "too much", *token).code == 1)
    flash = [number_of(w.run("send", "talks", "-m", "urgent", "--precedence", "flash")) for _ in range(KEPT + 1)]
    case("a flash uses what is kept, and no more", all(number > 0 for number in flash[:KEPT]) and flash[KEPT] == -1, flash)
    same("nothing else was recorded", w.member(w.name)["size"], ENTRIES)
    status = w.run("status").out
    case("status shows it", f"    quota: {ENTRIES} of {ENTRIES} entries used, of one day\n" in status, status)
    quota = used(w, w.name)
    same("status --json, of ourselves", [quota["entries"], quota["entries_most"], quota["bytes_most"], quota["delayed"]],
         [ENTRIES, ENTRIES, 10**6, False])
    case("and the bytes", 0 < quota["bytes"] < 10**6, quota)
    until(w.is_settled)
    quota = used(p, w.name)
    same("and at the other", [quota["entries"], quota["entries_most"], quota["delayed"]], [ENTRIES, 60 * ENTRIES, False])
    case("the other writes as ever", number_of(p.run("send", "talks", "-m", "unhindered", "--wait", "stored")) > 0)
    case("a person's acknowledgement is refused too", re.search(f"{ENTRIES} are used: there is room", w.run(
        "ack", "talks", f"pyongyang/{p.member(p.name)['size'] - 1}").err))
    for how in (w.stop, w.kill):
        how()
        w.start()
        case("a restart is no way around it", "are used" in w.run("send", "talks", "-m", "again", "--precedence",
                                                                  "flash").err)
    same("what was recorded is whole", w.run("record", "verify", "talks").code, 0)


def at_rest(office, statement, *values):
    """Changes the database of an office that is stopped."""
    database = sqlite3.connect(os.path.join(office.directory, "liaison.db"))
    database.execute(statement, values)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def the_receiver(w, p):
    """As if the author had written for months: the receiver's bucket has room again in eight seconds."""
    held = p.member(w.name)["size"]
    p.stop()
    w.stop()
    at_rest(w, "UPDATE logs SET spent_entries = 0 WHERE member = 0")
    w.start()
    for i in range(5):
        w.run("send", "talks", "-m", f"later {i}")
    size = w.member(w.name)["size"]
    w.stop()
    w.start()  # what is read from its database goes in one message
    now = time.time_ns()
    at_rest(p, "UPDATE logs SET spent_entries = ?, spent_at = ? WHERE member = 0",
            (MESSAGE - (size - held)) * ENTRY_NS + 8 * 10**9, now // 1000)
    p.start()
    w.run("link", "add", "talks", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
    case("what does not fit is delayed", until(lambda: used(p, w.name)["delayed"]), p.status())
    same("and not taken", p.member(w.name)["size"], held)
    status = p.run("status").out
    case("status says so", "    DELAYED BY ITS QUOTA: more of its entries came than it allows; the rest comes later\n"
         in status and "ALARM: more came of the log of washington on the line talks than its quota allows" in status, status)
    case("its author waits for receipts", w.member(p.name)["waiting"] > 0)
    case("the other direction goes on", number_of(p.run("send", "talks", "-m", "hm", "--wait", "stored")) > 0)
    case("once it fits it comes", until(lambda: p.member(w.name)["size"] == size, 40), p.status())
    case("not earlier", time.time_ns() - now > 7 * 10**9, time.time_ns() - now)
    until(w.is_settled)
    status = p.run("status").out
    case("and that is over", "QUOTA" not in status and "ALARM" not in status, status)
    same("and whole", [entry["text"] for entry in p.messages() if "later" in entry["text"]] + [p.verify().code],
         [f"later {i}" for i in range(5)] + [0])


washington, pyongyang = founding()
the_author(washington, pyongyang)
the_receiver(washington, pyongyang)
finish()
