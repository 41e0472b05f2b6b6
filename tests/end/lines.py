#!/usr/bin/python3
"""The contract for offices, lines and links: init, card, found, join, confirm, leave, link test, unlock."""
import json
import os
import re
import socket
import sqlite3
import stat
import threading

from offices import (LIAISON, TIME, Office, Wire, case, finish, found, is_error, number_of, path, read, run, same,
                     skip, until, write)

SECRET = ("talks.charter may travel by any way. talks.key is SECRET: carry it by hand, never with the charter, "
          "never by a network; delete it once both sides show the same number.\n")
COMPARED = "NOT COMPARED: someone may sit between"


def mode(name):
    return oct(stat.S_IMODE(os.stat(path(name)).st_mode))


def founding():
    made = run("init", "geneva.example", "--key-file", "g.key", "--office", "g", "--recovery-sheet", "g.sheet",
               "--mark", "elsewhere.mark")
    case("init", made.code == 0, made)
    same("init: modes", [mode(name) for name in ("g", "g/liaison.db", "g.key", "g.sheet")],
         ["0o700", "0o600", "0o600", "0o600"])
    same("init --mark", (os.path.exists(path("elsewhere.mark")), os.path.exists(path("g.mark"))), (True, False))
    is_error("a directory that is not empty", lambda *more: run("init", "g.example", "--key-file", "h.key", "--office",
                                                                "g", *more), 1, "refused")
    os.chmod(path("g.key"), 0o640)
    is_error("a key file that the group can read", lambda *more: run("init", "g.example", "--key-file", "g.key",
                                                                     "--office", "h", *more), 1, "refused", "g.key")
    same("and no office is left", [os.path.exists(path(name)) for name in ("h", "h.mark")], [False, False])
    os.chmod(path("g.key"), 0o600)
    card = run("card", "--office", "g")
    case("card, without a daemon", card.code == 0 and card.out.startswith("liaison-card/v1\n"), card)
    same("LIAISON_OFFICE", run("card", env={**os.environ, "LIAISON_OFFICE": path("g")}).out, card.out)
    same("--office goes before it", run("card", "--office", "g", env={**os.environ, "LIAISON_OFFICE": "/nowhere"}).out,
         card.out)
    for name, environment, word in (("--office", {}, "--office"),
                                    ("LIAISON_OFFICE", {"LIAISON_OFFICE": path("none")}, "LIAISON_OFFICE"),
                                    ("the data folder", {"XDG_DATA_HOME": path("data")}, path("data/liaison"))):
        if name == "the data folder" and os.path.exists("/var/lib/liaison"):
            skip("errors say where was looked: the data folder", "this machine has a /var/lib/liaison")
            continue
        more = ["--office", path("none")] if name == "--office" else []
        looked = run("status", *more, env={**os.environ, **environment})
        case(f"errors say where was looked: {name}", looked.code == 4 and word in looked.err, looked)


def lines(w, p):
    write("p.card", p.run("card").out)
    for office in (w, p):
        same(f"modes at {office.name}", [oct(stat.S_IMODE(os.stat(os.path.join(office.directory, name)).st_mode))
                                         for name in ("control.sock", "liaison.db")], ["0o600", "0o600"])
    made = w.run("line", "found", "talks", "--with", "p.card")
    case("line found says what is secret", made.code == 0 and made.out.startswith(SECRET), made)
    same("the key's mode", mode("talks.key"), "0o600")
    is_error("line found never writes over a file", lambda *more: w.run("line", "found", "other", "--with", "p.card",
                                                                        "--charter", "talks.charter", *more),
             1, "exists")
    same("and founds nothing", w.run("line", "list").out, "talks washington.example pyongyang.example  NOT COMPARED\n")
    joined = p.run("line", "join", "talks.charter", "--key", "talks.key")
    case("line join", joined.code == 0, joined)
    number = w.run("line", "fingerprint", "talks").out
    case("the number: 8 groups of 5 digits", re.fullmatch(r"(\d{5} ){7}\d{5}\n", number), number)
    same("the same at both", p.run("line", "fingerprint", "talks").out, number)
    case("line found shows it", number.strip() in made.out)
    w.run("link", "add", "talks", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
    sent = w.run("send", "talks", "-m", "Hello", "--wait", "stored")
    case("not compared: send says so", sent.code == 0 and COMPARED in sent.err, sent)
    shown = p.run("read", "talks")
    case("not compared: read says so", "Hello" in shown.out and COMPARED in shown.err, shown)
    case("not compared: status says so", COMPARED in p.run("status").out)
    same("and --json", p.status()["lines"][0]["confirmed"], False)
    digits = number.split()
    wrong = digits[:7] + [f"{(int(digits[7]) + 1) % 100000:05}"]
    is_error("line confirm with wrong digits", lambda *more: p.run("line", "confirm", "talks", " ".join(wrong), *more),
             1, "mismatch")
    is_error("with too few", lambda *more: p.run("line", "confirm", "talks", " ".join(digits[:7]), *more), 1,
             "mismatch")
    is_error("with letters", lambda *more: p.run("line", "confirm", "talks", "x" * 40, *more), 1, "mismatch")
    same("changes nothing", p.status()["lines"][0]["confirmed"], False)
    case("line confirm", p.run("line", "confirm", "talks", number.strip()).code == 0)
    case("line confirm, group by group", w.run("line", "confirm", "talks", *digits).code == 0)
    case("compared: nobody says so any more", COMPARED not in p.run("read", "talks").err + p.run("status").out
         and COMPARED not in w.run("send", "talks", "-m", "Again").err)
    p.kill()
    p.start()
    same("confirming outlives the daemon", p.status()["lines"][0]["confirmed"], True)
    shown = json.loads(p.run("line", "show", "talks", "--json").out)
    same("line show --json", (shown["name"], shown["fingerprint"], shown["confirmed"], shown["courier_key"]),
         ("talks", number.strip(), True, True))
    same("it shows the charter", shown["charter"], read("talks.charter").decode())
    same("line list --json", [line["name"] for line in json.loads(p.run("line", "list", "--json").out)], ["talks"])
    same("line list says no more that it was not compared", p.run("line", "list").out,
         "talks washington.example pyongyang.example\n")
    w.run("link", "remove", "talks", "pyongyang", w.member(p.name)["links"][0]["address"])


def link_list(office):
    return [tuple(line.split()[2:]) for line in office.run("link", "list").out.splitlines()]


def links(w, p):
    address = f"tcp://127.0.0.1:{p.port()}"
    w.run("link", "add", "talks", "pyongyang", address)
    w.kill()
    w.start()
    same("link add is durable once it is answered", [each[0] for each in link_list(w)], [address])
    case("link list: up", until(lambda: link_list(w) == [(address, "up")]), link_list(w))
    case("the other side's is incoming", until(lambda: link_list(p) == [("incoming", "up")]), link_list(p))
    same("link add again is the same link", (w.run("link", "add", "talks", "pyongyang", address).code,
                                             len(link_list(w))), (0, 1))
    w.run("link", "add", "talks", "pyongyang", "tcp://127.0.0.1:1")
    same("a party may have several", until(lambda: sorted(link_list(w)) == sorted(
        [(address, "up"), ("tcp://127.0.0.1:1", "down")])), True)
    case("link remove", w.run("link", "remove", "talks", "pyongyang", address).code == 0)
    same("and it is gone at both", until(lambda: (link_list(w), link_list(p)) == ([("tcp://127.0.0.1:1", "down")], [])),
         True)
    is_error("link remove what is not there", lambda *more: w.run("link", "remove", "talks", "pyongyang", address,
                                                                  *more),
             1, "not-found")
    w.run("link", "remove", "talks", "pyongyang", "tcp://127.0.0.1:1")
    w.kill()
    w.start()
    same("link remove is durable", link_list(w), [])


def carries(name, w, p, address, far="pyongyang"):
    """Both ways over one link, and only over it."""
    added = w.run("link", "add", "talks", far, address)
    sent = w.run("send", "talks", "-m", name, "--wait", "stored", "--timeout", "10s")
    back = p.run("send", "talks", "-m", name, "--wait", "stored", "--timeout", "10s")
    case(name, (added.code, sent.code, back.code) == (0, 0, 0), f"{added}\n{sent}\n{back}")
    w.run("link", "remove", "talks", far, address)
    case(f"{name}: closed when it is removed", until(lambda: link_list(p) == []), link_list(p))


def kinds(w, p):
    carries("a link over tcp", w, p, f"tcp://127.0.0.1:{p.port()}")
    carries("a link over a unix socket", w, p, f"unix:{path('p.link')}")
    carries("a link through a command: link stdio", w, p, f"exec:{LIAISON} link stdio --office {p.directory}")
    for frame in (256, 1024, 16384):
        carries(f"a link in frames of {frame} bytes", w, p, f"tcp://127.0.0.1:{p.port()}?frame={frame}")


def tests(w, p, stranger):
    """Every outcome of `link test`, at once, since some take 10 s."""
    silent = socket.create_server(("127.0.0.1", 0))
    closed = socket.create_server(("127.0.0.1", 0))
    free = closed.getsockname()[1]
    closed.close()
    # w's handshake counter at p lies ahead of w's clock, as after a restore with a clock that ran fast.
    ahead = Office("bonn.example", "b")
    ahead.start()
    found(w, ahead, line="ahead")
    ahead.stop()
    database = sqlite3.connect(os.path.join(ahead.directory, "liaison.db"))
    line, = database.execute("SELECT line FROM lines").fetchone()
    database.execute("INSERT OR REPLACE INTO counters (line, member, sent, received) "
                     "SELECT ?, 0, 0, (strftime('%s', 'now') + 86400) * 1000000", (line,))
    database.commit()
    database.close()
    ahead.start()
    asked = {
        "cannot-connect": ("talks", "pyongyang", f"tcp://127.0.0.1:{free}"),
        "ok": ("talks", "pyongyang", f"tcp://127.0.0.1:{p.port()}"),
        "no-answer, silence": ("talks", "pyongyang", f"tcp://127.0.0.1:{silent.getsockname()[1]}"),
        "no-answer, another office": ("talks", "pyongyang", f"tcp://127.0.0.1:{stranger.port()}"),
        "counter": ("ahead", "bonn", f"tcp://127.0.0.1:{ahead.port()}"),
    }
    answers = {}
    threads = [threading.Thread(target=lambda name=name, words=words: answers.update(
        {name: w.run("link", "test", *words, "--json")})) for name, words in asked.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ok = answers.pop("ok")
    case("link test: ok, with milliseconds", ok.code == 0 and json.loads(ok.out)["outcome"] == "ok"
         and 0 < json.loads(ok.out)["milliseconds"] < 5000, ok)
    plain = w.run("link", "test", *asked["ok"])
    case("link test: ok, in words", plain.code == 0 and re.fullmatch(r"ok \d+\.\d ms\n", plain.out), plain)
    sentences = {"cannot-connect": "cannot", "no-answer": "it has stopped, or its line or courier key differs",
                 "counter": "clock"}
    for name, answer in answers.items():
        outcome = name.split(",")[0]
        error = json.loads(answer.err)["error"]
        case(f"link test: {name}", answer.code == 1 and answer.out == "" and error["code"] == outcome
             and sentences[outcome] in error["message"], answer)
    plain = w.run("link", "test", *asked["cannot-connect"])
    case("link test: cannot connect, in words", plain.code == 1 and "cannot" in plain.err, plain)
    w.run("link", "add", "ahead", "bonn", asked["counter"][2])
    case("after the counter was moved ahead the link works", until(lambda: w.is_settled("ahead")), w.status())
    ahead.stop()
    silent.close()


def two_lines(w, p):
    """Two lines of the same two offices on one port."""
    port = f"tcp://127.0.0.1:{p.port()}"
    found(w, p, line="hotline")
    for line in ("talks", "hotline"):
        w.run("link", "add", line, "pyongyang", port)
    for line in ("hotline", "talks"):
        sent = w.run("send", line, "-m", f"On {line}", "--wait", "stored", "--timeout", "10s")
        case(f"two lines on one port: {line}", sent.code == 0, sent)
    same("each has its own messages", [entry["text"] for entry in p.messages("hotline")], ["On hotline"])
    for line in ("talks", "hotline"):
        w.run("link", "remove", line, "pyongyang", port)


def no_courier_key(w, p):
    made = w.run("line", "found", "open", "--with", "p.card", "--no-courier-key")
    case("--no-courier-key is said plainly", "a future quantum computer could read what passes today" in made.out, made)
    same("no key is written", os.path.exists(path("open.key")), False)
    is_error("join with a key where there is none", lambda *more: p.run("line", "join", "open.charter", "--key",
                                                                        "talks.key", *more), 1, "mismatch")
    joined = p.run("line", "join", "open.charter", "--no-courier-key")
    case("line join --no-courier-key", joined.code == 0, joined)
    case("status says it, too",
         "no courier key: a future quantum computer could read what passes today" in p.run("status").out)
    same("and --json", [line["courier_key"] for line in p.status()["lines"] if line["name"] == "open"], [False])
    w.run("link", "add", "open", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
    sent = w.run("send", "open", "-m", "Hello", "--wait", "stored", "--timeout", "10s")
    case("and the line works", sent.code == 0, sent)


def three():
    a, b, c = (Office(f"{name}.example", name[0] + "3").start() for name in ("athens", "berne", "cairo"))
    found(a, b, c, line="three")
    a.run("link", "add", "three", "berne", f"tcp://127.0.0.1:{b.port()}")
    a.run("link", "add", "three", "cairo", f"tcp://127.0.0.1:{c.port()}")
    b.run("link", "add", "three", "cairo", f"tcp://127.0.0.1:{c.port()}")
    everybody = (a, b, c)
    case("three members: up", until(lambda: all(office.is_settled("three") for office in everybody)))
    for office in everybody:
        sent = office.run("send", "three", "-m", f"From {office.name}", "--wait", "stored", "--timeout", "10s")
        case(f"three members: {office.name} reaches both others", sent.code == 0, sent)
    stored = a.messages("three")[0]["stored"]
    same("three members: a receipt of each", sorted(each["by"] for each in stored), ["berne.example", "cairo.example"])
    case("with its time", all(re.fullmatch(TIME, each["at"]) for each in stored), stored)
    number = b.run("line", "fingerprint", "three").out
    same("three members: the same number at all", [office.run("line", "fingerprint", "three").out
                                                   for office in everybody], [number] * 3)
    c.kill()
    late = a.run("send", "three", "-m", "Without Cairo", "--wait", "stored", "--timeout", "500ms")
    case("three members: who has not stored it", late.code == 3 and "Not stored at cairo yet" in late.err, late)
    members = a.status()["lines"][0]["members"]
    same("three members: waiting, per member and over the furthest behind", [each["waiting"] for each in members],
         [1, 0, 1])
    text = a.run("status").out
    case("and in words", re.search(r"berne\.example +\d+ +0 ", text) and re.search(r"cairo\.example +\d+ +1 ", text),
         text)
    c.start()
    for office in (a, b):
        office.run("link", "add", "three", "cairo", f"tcp://127.0.0.1:{c.port()}")
    case("three members: it goes by itself", until(lambda: all(office.is_settled("three") for office in everybody)),
         [office.status() for office in everybody])
    roots = [office.verify("three").out.splitlines()[:3] for office in everybody]
    case("three members: the same roots at all", roots[0] == roots[1] == roots[2] and len(roots[0]) == 3, roots)
    orders = [[(entry["author"], entry["number"]) for entry in office.entries("three")] for office in everybody]
    case("three members: the same order at all", orders[0] == orders[1] == orders[2], orders)
    for office in everybody:
        office.stop()


def leaving(w, p):
    port = f"tcp://127.0.0.1:{p.port()}"
    w.run("link", "add", "talks", "pyongyang", port)
    is_error("line leave asks on a terminal", lambda *more: p.run("line", "leave", "talks", *more), 2, "usage")
    left = p.run("line", "leave", "talks", "--yes")
    case("line leave --yes", number_of(left) > 0, left)
    case("the others see it", until(lambda: w.member(p.name)["links"][0]["stated"] == "left"), w.status())
    is_error("nothing is sent on it any more", lambda *more: p.run("send", "talks", "-m", "x", *more), 1, "refused")
    case("what was said can still be read", p.messages())
    case("and checked", p.verify().code == 0)
    sent = w.run("send", "talks", "-m", "Goodbye", "--wait", "stored", "--timeout", "5s")
    case("who left still receipts what the others write", sent.code == 0, sent)


def locked():
    u = Office("ulm.example", "u", passphrase=True).start()
    same("init --passphrase-file makes the file where there is none", mode("u.key"), "0o600")
    same("an office with a passphrase starts locked", (u.state, u.status()["state"]), ("locked", "locked"))
    write("wrong.phrase", "incorrect horse battery\n")
    os.chmod(path("wrong.phrase"), 0o600)
    is_error("unlock with a wrong passphrase", lambda *more: u.run("unlock", "--passphrase-file", "wrong.phrase",
                                                                   *more),
             1, "mismatch")
    same("it stays locked", u.status()["state"], "locked")
    is_error("a locked office founds nothing", lambda *more: u.run("line", "found", "talks", "--with", "p.card",
                                                                   "--charter", "u.charter", "--key", "u.line.key",
                                                                   *more),
             1, "locked")
    case("and leaves no files", not os.path.exists(path("u.charter")) and not os.path.exists(path("u.line.key")))
    opened = u.run("unlock", "--passphrase-file", u.secret)
    case("unlock", opened.code == 0, opened)
    case("then it is ready, and says so", until(lambda: u.await_state() == "ready") and u.status()["state"] == "ready")
    u.stop()


def main():
    founding()
    w, p = Office("washington.example", "w"), Office("pyongyang.example", "p", "--listen", f"unix:{path('p.link')}")
    stranger = Office("stranger.example", "s")
    for office in (w, p, stranger):
        office.start()
    lines(w, p)
    links(w, p)
    kinds(w, p)
    tests(w, p, stranger)
    two_lines(w, p)
    no_courier_key(w, p)
    three()
    leaving(w, p)
    locked()
    finish()


main()
