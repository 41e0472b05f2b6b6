#!/usr/bin/python3
"""Bad input, each kind of it: a sentence, the right exit code, and nothing changed.

What people hand in (cards, charters, keys, proofs, policies, names, addresses, texts) is given to two offices in the
middle of a line; after each group their status and the roots of their records are what they were. What lies on the disk
is changed in copies of an office: its daemon says what is wrong, is stopped, or finds it in `record verify`; it never
crashes, and never signs on after a mark that is gone.
"""
import base64
import ctypes
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess

from offices import (LIAISON_VERIFY, LONG, ROOT, SEED, Lost, Office, Refused, case, finish, found, is_error, note,
                     path, read, run, same, skip, until, write)

dice = random.Random(SEED)


def picture(*offices):
    """What may not change."""
    def still(value):
        if isinstance(value, dict):
            return {name: still(part) for name, part in value.items() if name not in ("since", "observed", "links")}
        return [still(part) for part in value] if isinstance(value, list) else value

    return [[still(office.status()), [line["name"] for line in office.status()["lines"]],
             [office.verify(line["name"]).out for line in office.status()["lines"]]] for office in offices]


def changed(content):
    """Every damage to a file: cut, grown, each byte with one bit changed (each bit, if there is time)."""
    lines = content.splitlines(keepends=True)
    yield from ((f"cut after line {i}", b"".join(lines[:i])) for i in range(len(lines)))
    yield "without its last line feed", content[:-1]
    yield "with a line more", content + b"more\n"
    yield "twice", content + content
    yield "with DOS line ends", content.replace(b"\n", b"\r\n")
    yield "of zeros", bytes(len(content))
    yield "of noise", dice.randbytes(len(content))
    for at in range(len(content)):
        for bit in range(8) if LONG else [dice.randrange(8)]:
            bad = bytearray(content)
            bad[at] ^= 1 << bit
            yield f"with bit {bit} of byte {at} changed", bytes(bad)


def all_refused(name, content, ask, codes):
    """`ask` is called with each damaged content; it must raise Refused with one of the codes."""
    wrong = []
    count = 0
    for damage, bad in changed(content):
        count += 1
        try:
            wrong.append((damage, ask(bad.decode("utf-8", "replace").replace("\0", "\ufffd"))))
        except Refused as error:
            if error.code not in codes or len(str(error)) < 12:
                wrong.append((damage, error.code, str(error)))
    case(f"{name}: {count} damaged ones are refused", not wrong, wrong[:5])


# --- what people hand in ---------------------------------------------------------------------------------------------


def sign(seed, text):
    """An Ed25519 signature, by libsodium."""
    sodium = ctypes.CDLL("libsodium.so.23")
    public, secret, signature = (ctypes.create_string_buffer(size) for size in (32, 64, 64))
    sodium.crypto_sign_seed_keypair(public, secret, seed)
    sodium.crypto_sign_detached(signature, None, text, ctypes.c_ulonglong(len(text)), secret)
    return base64.b64encode(signature.raw).decode()


def renamed(card, sheet, name):
    """A card of the same keys under another name, rightly signed: what a party can make that has those keys."""
    lines = card.splitlines(True)[:7]
    lines[1] = f"name {name}\n"
    seeds = dict(line.split(" ", 1) for line in sheet.splitlines() if " " in line)
    signed = b"liaison/card/v1" + "".join(lines).encode()
    return "".join(lines) + "".join(f"{which}-signature {sign(base64.b64decode(seeds[which + '-seed']), signed)}\n"
                                    for which in ("log", "receipt"))


def cards(w, p, s):
    line = w.control()
    own, other, third = (office.run("card").out for office in (w, p, s))
    before = picture(w)
    all_refused("a card", other.encode(), lambda text: line.ask("line.found", name="bad", cards=[text]),
                ("invalid", "mismatch", "version", "refused", "usage"))
    for name, given in (("one's own", [own]), ("the same twice", [other, other]), ("a charter", [read("talks.charter")
                                                                                                 .decode()]),
                        ("a newer version", [other.replace("liaison-card/v1", "liaison-card/v2")]),
                        ("two joined", [other.replace("name pyongyang.example", "name stranger.example")]),
                        ("another's keys under one's name", ["".join(
                            mine if i < 2 else theirs for i, (mine, theirs) in enumerate(
                                zip(other.splitlines(True), third.splitlines(True))))])):
        for i, text in enumerate(given):
            write(f"bad{i}.card", text)
        files = [word for i in range(len(given)) for word in ("--with", f"bad{i}.card")]
        is_error(f"a card: {name}", lambda *more: w.run("line", "found", "bad", *files, *more), 1,
                 ("invalid", "mismatch", "version", "refused", "exists"), re.compile(
                     r"^(liaison: )?bad0\.card(, bad1\.card)?: .{10,}\. Nothing was changed"))
    run("init", "geneva.example", "--key-file", "g.key", "--office", "g", "--recovery-sheet", "g.sheet")
    geneva = run("card", "--office", "g").out
    write("geneva.card", geneva)
    write("bern.card", renamed(geneva, read("g.sheet").decode(), "bern.example"))
    case("a card of the same keys under another name is one", run("card", "--office", "g").out == renamed(
        geneva, read("g.sheet").decode(), "geneva.example"))
    is_error("two cards with equal keys", lambda *more: w.run("line", "found", "bad", "--with", "geneva.card", "--with",
                                                              "bern.card", *more), 1, "invalid", "are equal")
    for kind in ("charter", "key"):
        is_error(f"a {kind} in the place of a card", lambda *more: w.run("line", "found", "bad", "--with",
                                                                        f"talks.{kind}", *more), 1, "invalid",
                 f"talks.{kind}: this is no card")
    write("half.card", other[:len(other) // 2])
    is_error("half a card", lambda *more: w.run("line", "found", "bad", "--with", "half.card", *more), 1, "invalid",
             "half.card: ")
    is_error("a card that is not there", lambda *more: w.run("line", "found", "bad", "--with", "no.card", *more), 1,
             ("system", "not-found"), "no.card")
    is_error("a card in a directory", lambda *more: w.run("line", "found", "bad", "--with", ROOT, *more), 1,
             ("system", "invalid"))
    same("no files are left", [name for name in os.listdir(ROOT) if name.startswith("bad.")], [])
    same("nothing changed", picture(w), before)


def courier_key(line_id, key):
    """A courier key file with a right checksum."""
    text = f"liaison-courier-key/v1\nline {line_id}\nkey {key}\n"
    return text + "checksum " + hashlib.sha256(b"liaison/checksum/v1" + text.encode()).hexdigest()[:16] + "\n"


def charters(w, p, s):
    found(w, s, line="theirs")
    w.run("line", "found", "second", "--with", "pyongyang.example.card")
    line = p.control()
    charter, key = read("second.charter").decode(), read("second.key").decode()
    fields = dict(each.split(" ", 1) for each in key.splitlines() if " " in each)
    before = picture(p)
    all_refused("a charter", charter.encode(), lambda text: line.ask("line.join", charter=text, key=key),
                ("invalid", "mismatch", "version", "refused", "not-found", "exists", "usage"))
    all_refused("a courier key", key.encode(), lambda text: line.ask("line.join", charter=charter, key=text),
                ("invalid", "mismatch", "version", "refused", "usage"))
    same("the checksum is computed here as there", courier_key(fields["line"], fields["key"]), key)
    write("other.key", courier_key(fields["line"], read("theirs.key").decode().splitlines()[2].split()[1]))
    for name, file, secret, words in (
            ("with another line's courier key", "second.charter", "theirs.key", ("mismatch",)),
            ("with another key for this line", "second.charter", "other.key", ("mismatch",)),
            ("with itself as the key", "second.charter", "second.charter", ("invalid",)),
            ("a card", "pyongyang.example.card", "second.key", ("invalid",)),
            ("of a line of others", "theirs.charter", "theirs.key", ("refused", "not-found", "mismatch")),
            ("of a line that exists", "talks.charter", "talks.key", ("exists",)),
            ("that is not there", "no.charter", "second.key", ("system", "not-found"))):
        is_error(f"a charter: {name}", lambda *more: p.run("line", "join", file, "--key", secret, *more), 1, words)
    is_error("a charter with a courier key, joined without", lambda *more: p.run("line", "join", "second.charter",
                                                                                 "--no-courier-key", *more), 1,
             ("mismatch", "refused", "invalid"))
    twice = charter.replace("\nmembers 2\n", "\nmembers 3\n") + charter[charter.index("liaison-card/v1"):].split(
        "liaison-card/v1")[1].join(["liaison-card/v1", ""])
    write("twice.charter", twice)
    is_error("a charter that names a party twice", lambda *more: p.run("line", "join", "twice.charter", "--key",
                                                                       "second.key", *more), 1, "invalid",
             "twice.charter: the charter names washington.example twice. Nothing was changed")
    double = charter.replace("\nmembers 2\n", "\nmembers 4\n") + read("bern.card").decode() + read(
        "geneva.card").decode()
    write("double.charter", double)
    is_error("a charter with two equal keys", lambda *more: p.run("line", "join", "double.charter", "--key",
                                                                  "second.key", *more), 1, "invalid",
             "double.charter: two keys in the charter are equal: one of ")
    write("half.charter", charter[:len(charter) // 2])
    is_error("half a charter", lambda *more: p.run("line", "join", "half.charter", "--key", "second.key", *more), 1,
             "invalid", "half.charter: ")
    write("half.key", key[:len(key) // 2])
    is_error("half a courier key", lambda *more: p.run("line", "join", "second.charter", "--key", "half.key", *more), 1,
             "invalid", "half.key: ")
    # Another hash in the charter makes another line; a key that names that line is still not its key.
    hashed = next(each for each in charter.splitlines() if each.startswith("courier-key "))
    wrong = charter.replace(hashed, "courier-key " + base64.b64encode(bytes(32)).decode())
    write("wrong.charter", wrong)
    line_id = hashlib.sha256(b"liaison/charter/v1" + wrong.encode()).hexdigest()
    write("wrong.key", courier_key(line_id, fields["key"]))
    is_error("a charter with another courier key hash", lambda *more: p.run("line", "join", "wrong.charter", "--key",
                                                                            "second.key", *more), 1, "mismatch",
             "wrong.charter with second.key: that courier key belongs to another line")
    is_error("and with a key that names that line", lambda *more: p.run("line", "join", "wrong.charter", "--key",
                                                                        "wrong.key", *more), 1, "mismatch",
             "wrong.charter with wrong.key: that is not the courier key that the charter names. Nothing was changed")
    is_error("a charter without one's own card", lambda *more: p.run("line", "join", "theirs.charter", "--key",
                                                                     "theirs.key", *more), 1, "refused",
             "theirs.charter with theirs.key: this office, pyongyang.example, is not a member of that charter")
    newer = charter.replace("liaison-charter/v1", "liaison-charter/v2")
    write("newer.charter", newer)
    is_error("a charter of a newer version", lambda *more: p.run("line", "join", "newer.charter", "--key", "second.key",
                                                                 *more), 1, ("version", "invalid"))
    same("nothing changed", picture(p), before)
    joined = p.run("line", "join", "second.charter", "--key", "second.key")
    case("what was refused does not stand in the way of the right one", joined.code == 0, joined)


def command_lines(w):
    """Every subcommand with words it does not take: empty stdout, one sentence or one JSON object, a right exit code."""
    def titles(*words):
        found_here = re.findall(r"^  (\w[\w-]*) ", run(*words, "--help").out, re.M)
        sub = "SUBCOMMAND" in run(*words, "--help").out
        return [words] + [each for name in found_here for each in titles(*words, name)] if sub else [words]

    before = picture(w)
    wrong, count = [], 0
    for words in titles():
        for more in ([], ["--nonsense"], ["-?"], ["--office"], ["--office", ""], ["--office", "/nonexistent"], ["nothing"],
                     ["nothing", "x/1"], ["nothing", "x", "y"], list("abcdefghijkl") * 6, [b"\xff"], ["\x1b[2J"],
                     ["talks", "pyongyang/99999", "-o", "/proc/x"]):
            arguments = [*words, *more] if "--office" in more else [*words, "--office", w.directory, *more]
            plain, machine = run(*arguments), run("--json", *arguments)
            count += 1
            if plain.code == 0 and machine.code == 0:
                continue  # it takes those words
            try:
                error = json.loads(machine.err)
                right = list(error) == ["error"] and list(error["error"]) == ["code", "message"]
            except ValueError:
                right = False
            if not (right and plain.code == machine.code in (1, 2, 4) and plain.out == machine.out == ""
                    and re.fullmatch(r"liaison: [^\n\x1b]{10,}\n", plain.err)):
                wrong.append((plain, machine))
    case(f"{count} wrong command lines are each refused as they should be", not wrong and count > 250, wrong[:3])
    same("nothing changed", picture(w), before)


def names(w):
    before = picture(w)
    for name in ("", "Geneva.example", "geneva..example", ".geneva", "geneva.", "-geneva", "geneva-.example", "ge neva",
                 "genève", "a/b", "../x", "g" * 64, "geneva\n", "\x1b[1m", "%s%n", "$(id)"):
        usage = name.startswith("-")
        result = run("init", name, "--key-file", "n.key", "--office", "n")
        case(f"no party's name: {name[:16]!r}", result.code == 1 + usage and result.err.startswith("liaison: ")
             and not os.path.exists(path("n")) and not os.path.exists(path("n.key")), result)
        result = w.run("line", "found", name, "--with", "pyongyang.example.card")
        case(f"no line's name: {name[:16]!r}", result.code == 1 + usage and result.err.startswith("liaison: "), result)
    is_error("a line that exists", lambda *more: w.run("line", "found", "talks", "--with", "pyongyang.example.card",
                                                       "--charter", "t.charter", "--key", "t.key", *more), 1, "exists")
    is_error("a party that is not on the line", lambda *more: w.run("link", "add", "talks", "bonn", "unix:/x", *more),
             1, "not-found")
    is_error("a link to oneself", lambda *more: w.run("link", "add", "talks", "washington", "unix:/x", *more), 1,
             "not-found")
    same("nothing changed", picture(w), before)


def addresses(w):
    before = picture(w)
    for address in ("", "tcp", "tcp:", "tcp://", "tcp://host", "tcp://host:", "tcp://:1", "tcp://host:0",
                    "tcp://host:00", "tcp://host:65536",
                    "tcp://host:1x", "tcp://host:-1", "tcp://host:1/path", "tcp://::1:80", "tcp://[::1]", "tcp://[::1",
                    "tcp://ho st:1", "tcp://" + "h" * 300 + ":1", "udp://host:1", "http://host:1", "TCP://host:1",
                    "unix:",
                    "unix:" + "p" * 200, "exec:", "exec:" + "x" * 600, "host:1", "tcp://host:1?frame=512",
                    "tcp://host:1?frame=", "tcp://host:1?fame=256", "tcp://ho\x01st:1"):
        for verb in ("add", "test"):
            result = w.run("link", verb, "talks", "pyongyang", address)
            case(f"link {verb}: {address[:24]!r}", result.code in (1, 2) and result.out == ""
                 and re.fullmatch(r"liaison: [^\n]{10,}\n", result.err), result)
    same("nothing changed", picture(w), before)


def texts(w):
    before = picture(w)
    write("empty", b"")
    write("long", b"x" * 60001)
    write("latin", "déjà".encode("latin-1"))
    for name, content in (("that is empty", b""), ("of 60,001 bytes", b"x" * 60001), ("of 1 MB", b"x" * 1000000),
                          ("in Latin-1", "déjà".encode("latin-1")), ("overlong", b"\xc0\xaf"),
                          ("with a surrogate", b"\xed\xa0\x80"), ("above U+10FFFF", b"\xf4\x90\x80\x80"),
                          ("cut in a character", "예".encode()[:2])):
        write("bad.text", content)
        is_error(f"a text {name}", lambda *more: w.run("send", "talks", "bad.text", *more), 1, "invalid")
        is_error(f"a text {name}, from stdin", lambda *more: w.run("send", "talks", *more, stdin=content), 1, "invalid")
    for name, text in (("that is empty", b""), ("in Latin-1", "déjà".encode("latin-1")), ("of 60,001 bytes",
                                                                                           b"x" * 60001)):
        is_error(f"a text {name}, from -m", lambda *more: run(b"send", b"talks", b"-m", text, "--office", w.directory,
                                                              *more), 1, "invalid", "the text of -m")
    for name, file in (("that is empty", "empty"), ("of 60,001 bytes", "long"), ("in Latin-1", "latin")):
        is_error(f"a text {name} names its file", lambda *more: w.run("send", "talks", file, *more), 1, "invalid", file)
    is_error("a text that is not there", lambda *more: w.run("send", "talks", "no.text", *more), 1,
             ("system", "not-found"), "no.text")
    for option, value in (("--precedence", "urgent"), ("--language", "en_GB"), ("--answers", "washington"),
                          ("--wait", "seen"),
                          ("--timeout", "30"), ("--token", "12"), ("--nonsense", "1")):
        is_error(f"send {option} {value}", lambda *more: w.run("send", "talks", "-m", "x", option, value, *more), 2,
                 "usage")
    is_error("send --answers what is not there", lambda *more: w.run("send", "talks", "-m", "x", "--answers",
                                                                     "washington/99999", *more), 1, "not-found")
    line = w.control()
    for name, entry in (("no text", {}), ("empty", {"text": ""}), ("long", {"text": "x" * 60001}),
                        ("number", {"text": 1}),
                        ("unknown member", {"text": "x", "txet": "x"}), ("token", {"text": "x", "token": "00"}),
                        ("surrogate", {"text": "\ud800"}), ("precedence", {"text": "x", "precedence": 1}),
                        ("language", {"text": "x", "language": "-"}), ("answers", {"text": "x", "answers": "x/y"})):
        try:
            got = line.ask("append", line="talks", entries=[entry])
            case(f"append: {name}", False, got)
        except Refused as error:
            case(f"append: {name}", error.code in ("usage", "invalid"), error.code)
        except Lost:  # after an answer: a lone surrogate is no JSON
            case(f"append: {name}, the connection is closed", name == "surrogate")
            line = w.control()
    same("nothing changed", picture(w), before)


def proofs(w, s):
    number = w.messages()[0]["number"]
    w.run("record", "prove", "talks", f"washington/{number}", "-o", path("one.proof"))
    w.run("record", "policy", "talks", "-o", path("one.policy"))
    w.run("record", "policy", "theirs", "-o", path("foreign.policy"))

    def verify(proof, policy):
        return run(proof, "--policy", policy, program=LIAISON_VERIFY)

    case("the proof as it is", verify("one.proof", "one.policy").code == 0)
    write("half.proof", read("one.proof")[:200])
    write("half.policy", read("one.policy")[:100])
    write("latin.proof", read("one.proof").replace(b"extra", b"extr\xe9"))
    edited = read("one.proof").decode().splitlines(True)
    edited[2] = "index 0\n"
    write("edited.proof", "".join(edited))
    for name, proof, policy, code, sentence in (
            ("under another line's policy", "one.proof", "foreign.policy", 1, "one.proof: no log of the policy"),
            ("a policy as proof", "one.policy", "one.policy", 1, "one.policy: this is not a proof"),
            ("a proof as policy", "one.proof", "one.proof", 1, "one.proof: line 1 of the policy"),
            ("half a proof", "half.proof", "one.policy", 1, "half.proof: "),
            ("half a policy", "one.proof", "half.policy", 1, "half.policy: "),
            ("a proof that is no text", "latin.proof", "one.policy", 1, "latin.proof: "),
            ("an edited proof", "edited.proof", "one.policy", 1, "edited.proof: "),
            ("a proof that is not there", "no.proof", "one.policy", 2, "no.proof"),
            ("a policy that is not there", "one.proof", "no.policy", 2, "no.policy")):
        plain = verify(proof, policy)
        machine = run(proof, "--policy", policy, "--json", program=LIAISON_VERIFY)
        error = json.loads(machine.err)["error"]
        case(f"{name}: the file is named", plain.code == code and plain.out == "" and re.fullmatch(
            r"liaison-verify: [^\n]+\n", plain.err) and sentence in plain.err, plain)
        case(f"{name}: in JSON", machine.code == code and machine.out == "" and sentence in error["message"], machine)
        if code == 1:
            case(f"{name}: nothing is proved", "Nothing is proved; " in plain.err, plain)
    for kind in ("proof", "policy"):
        wrong = []
        content = read("one." + kind)
        for damage, bad in changed(content):
            write("bad." + kind, bad)
            result = verify(*(["bad.proof", "one.policy"] if kind == "proof" else ["one.proof", "bad.policy"]))
            if result.code == 0 and kind == "policy":
                continue  # names and comments of a policy are its owner's
            if result.code != 1 or result.out or not re.fullmatch(r"liaison-verify: [^\n]+\n", result.err):
                wrong.append((damage, result))
        case(f"a damaged {kind} is refused, or no damage", not wrong, wrong[:3])
    case("the stranger's office lives", s.status()["state"] == "ready")


# --- what lies on the disk -------------------------------------------------------------------------------------------


class Copy(Office):
    """A copy of an office that does not run, to be damaged."""

    def __init__(self, office):  # pylint: disable=super-init-not-called
        self.__dict__.update(office.__dict__)
        self.directory, self.mark, self.errors = path("copy"), path("copy.mark"), path("copy.err")
        self.secret = path("copy.key")
        self.unlocks = ["--key-file", self.secret]
        self.original = office
        self.database = os.path.join(self.directory, "liaison.db")

    def fresh(self):
        """As the original was when it was stopped."""
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.copytree(self.original.directory, self.directory)
        for mine, theirs in ((self.mark, self.original.mark), (self.secret, self.original.secret)):
            shutil.copyfile(theirs, mine)
            os.chmod(mine, 0o600)
        open(self.errors, "wb").close()

    def outcome(self):
        """(state or None, exit code, what it said); the daemon has ended then. A crash has a negative exit code."""
        self.launch()
        state = self.await_state()
        verified = self.verify().code if state == "ready" else None
        reason = self.status()["reason"] if state in ("ready", "stopped") else None
        code = self.stop() if state else self.process.wait(10)
        self.process = None
        return state, code, self.said(), reason, verified


def damage(copy, name, allowed, change, sentence=""):
    """Damages a fresh copy and starts it. `allowed`: which of refused, stopped, found (by record verify), ready."""
    copy.fresh()
    change()
    state, code, said, reason, verified = copy.outcome()
    got = {"stopped": "stopped", None: "refused"}.get(state, "ready" if verified == 0 else "found")
    right = code == (1 if state is None else 0) and (state is not None or re.match(r"liaisond: [^\n]{12,}", said)) and (
        state != "stopped" or (reason or "") != "") and (verified in (None, 0, 6))
    passed = right and got in allowed and sentence in said
    if name:
        case(f"{name}: {' or '.join(allowed)}", passed, f"{got}, exit {code}, {reason}, {said}")
    return passed, got, said


def cut(file, size):
    with open(file, "r+b") as opened:
        opened.truncate(size)


def flip(file, at, mask):
    with open(file, "r+b") as opened:
        opened.seek(at)
        byte = opened.read(1)[0]
        opened.seek(at)
        opened.write(bytes([byte ^ mask]))


def disk(w, s):
    """w and s are stopped."""
    copy = Copy(w)
    size = os.path.getsize(os.path.join(w.directory, "liaison.db"))
    damage(copy, "a copy as it is", ["ready"], lambda: None)

    def newer():
        database = sqlite3.connect(copy.database)
        database.execute("PRAGMA user_version = 99")
        database.commit()
        database.close()

    damage(copy, "an office of a newer version", ["refused"], newer, "newer")
    damage(copy, "no database", ["refused"], lambda: os.unlink(copy.database), copy.directory)
    damage(copy, "an empty database", ["refused"], lambda: cut(copy.database, 0), copy.database)
    damage(copy, "half a database", ["refused"], lambda: cut(copy.database, size // 2), copy.database)
    damage(copy, "a database cut by a byte", ["refused", "stopped"], lambda: cut(copy.database, size - 1))
    damage(copy, "noise as the database", ["refused"], lambda: write(copy.database, dice.randbytes(8192)),
           copy.database)
    damage(copy, "another party's database", ["refused"],
           lambda: shutil.copyfile(os.path.join(s.directory, "liaison.db"), copy.database), "copy.key")
    damage(copy, "a database that is a directory", ["refused"], lambda: (os.unlink(copy.database),
                                                                         os.mkdir(copy.database)), copy.database)
    damage(copy, "no mark", ["stopped"], lambda: os.unlink(copy.mark), copy.mark)
    damage(copy, "an empty mark", ["stopped"], lambda: cut(copy.mark, 0), "mark")
    damage(copy, "half a mark", ["stopped"], lambda: cut(copy.mark, os.path.getsize(copy.mark) // 2), "mark")
    damage(copy, "a mark of zeros", ["stopped"], lambda: write(copy.mark, bytes(os.path.getsize(w.mark))), "mark")
    damage(copy, "another party's mark", ["stopped"], lambda: shutil.copyfile(s.mark, copy.mark), "mark")
    damage(copy, "no key file", ["refused"], lambda: os.unlink(copy.secret), "copy.key")
    damage(copy, "an empty key file", ["refused"], lambda: cut(copy.secret, 0), "copy.key")
    damage(copy, "half a key file", ["refused"], lambda: cut(copy.secret, 40), "copy.key")
    damage(copy, "a card as the key file", ["refused"], lambda: shutil.copyfile(os.path.join(w.directory, "card"),
                                                                                copy.secret), "copy.key")
    damage(copy, "another party's key file", ["refused"], lambda: shutil.copyfile(s.secret, copy.secret), "copy.key")
    damage(copy, "a key file for everybody", ["refused"], lambda: os.chmod(copy.secret, 0o644), "copy.key")
    damage(copy, "a directory for everybody", ["refused"], lambda: os.chmod(copy.directory, 0o755), copy.directory)
    secret = read(w.secret)
    wrong = []
    for at in range(0, len(secret), 1 if LONG else 7):
        mask = 1 << dice.randrange(8)
        passed, got, said = damage(copy, None, ["refused"], lambda: flip(copy.secret, at, mask))
        if not passed:
            wrong.append((at, mask, got, said))
    case("a key file with one bit changed: refused", not wrong, wrong[:3])
    for name, file, allowed in (("database", lambda: copy.database, ["refused", "stopped", "found", "ready"]),
                                ("mark", lambda: copy.mark, ["stopped", "ready"])):
        wrong, counts = [], {}
        whole = read({"database": os.path.join(w.directory, "liaison.db"), "mark": w.mark}[name])
        used = [at for at, byte in enumerate(whole) if byte]
        for _ in range(400 if LONG else 60):
            at, mask = dice.choice(used), 1 << dice.randrange(8)
            passed, got, said = damage(copy, None, allowed, lambda: flip(file(), at, mask))
            counts[got] = counts.get(got, 0) + 1
            if not passed:
                wrong.append((at, mask, got, said))
        case(f"a {name} with one bit changed never ends in a crash", not wrong, wrong[:3])
        note(f"a bit of the {name}: {counts}")


# --- the machine ---------------------------------------------------------------------------------------------------


def unwritable(w):
    for name, arguments in (
            ("init into a directory that cannot be made", ("init", "x.example", "--key-file", "x.key", "--office",
                                                           "/proc/office")),
            ("init with a key file that cannot be made", ("init", "x.example", "--key-file", "/proc/x.key", "--office",
                                                          "x")),
            ("a charter that cannot be written", ("line", "found", "fresh", "--with", "pyongyang.example.card",
                                                  "--charter",
                                                  "/proc/x.charter", "--key", "/proc/x.key", "--office", w.directory)),
            ("a policy that cannot be written", ("record", "policy", "talks", "-o", "/proc/x", "--office",
                                                 w.directory)),
            ("an export that cannot be written", ("record", "export", "talks", "--format", "json", "-o", "/proc/x",
                                                  "--office", w.directory))):
        before = picture(w)
        is_error(name, lambda *more: run(*arguments, *more), 1, ("system", "refused", "not-found"), "/proc/")
        same(f"{name}: nothing changed", (picture(w), os.path.exists(path("x")), os.path.exists(path("x.mark"))),
             (before, False, False))


def small_file_system(name, what):
    """One of 24 MiB, mounted; None, and the case skipped, where that cannot be."""
    mounted = path(name)
    os.mkdir(mounted)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", mounted], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode == 0:
        return mounted
    skip(what, "a small file system cannot be mounted here")
    return None


def read_only(w):
    """An office on a file system that cannot be written; root may write everywhere else."""
    mounted = small_file_system("fixed", "an unwritable directory")
    if mounted is None:
        return
    try:
        copy = Copy(w)
        copy.directory, copy.mark = path("fixed/copy"), path("fixed/copy.mark")
        copy.database = os.path.join(copy.directory, "liaison.db")
        copy.fresh()
        subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
        copy.launch()
        case("an office in an unwritable directory does not start", copy.await_state() is None
             and copy.process.wait(10) == 1, copy.said())
        case("and says which", re.fullmatch(rf"liaisond: {copy.database}: it cannot be written: [^\n]+\n", copy.said()), copy.said())
        copy.process = None
        is_error("an office is not made in one", lambda *more: run("init", "x.example", "--key-file", "x.key", "--office",
                                                                   "fixed/x", *more), 1, "system", "fixed/x")
        case("and no key file is left", not os.path.exists(path("x.key")))
    finally:
        subprocess.run(["umount", "-l", mounted], check=False)


def full():
    """A file system of 24 MiB, filled."""
    mounted = small_file_system("small", "a full disk")
    if mounted is None:
        return
    try:
        w, p = Office("washington.example", "small/w"), Office("pyongyang.example", "large")
        w.start()
        p.start()
        found(w, p, line="full")
        w.run("link", "add", "full", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
        case("before the disk is full", w.run("send", "full", "-m", "Room", "--wait", "stored").code == 0)

        def fill(left):
            with open(os.path.join(mounted, "fill"), "ab") as file:
                room = os.statvfs(mounted)
                file.write(bytes(max(0, room.f_bavail * room.f_bsize - left)))

        fill(2 << 20)
        w.run("send", "full", "-m", "This one may still pass")  # only a commit looks at the disk
        until(lambda: w.is_settled("full") and p.is_settled("full"))
        before = picture(w, p)
        is_error("an almost full disk", lambda *more: w.run("send", "full", "-m", "No room", *more), 1, "full")
        same("an almost full disk: nothing changed", picture(w, p), before)
        sent = p.run("send", "full", "-m", "Receipts still fit", "--wait", "stored", "--timeout", "5s")
        case("what others write is still received and receipted", sent.code == 0, sent)
        fill(0)
        for _ in range(3):
            p.ask("append", line="full", entries=[{"text": "x" * 50000}] * 16)
        is_error("a full disk", lambda *more: w.run("send", "full", "-m", "No room at all", *more), 1, "full")
        for name, arguments in (("a policy", ("record", "policy", "full")), ("an export", ("record", "export", "full",
                                                                                         "--format", "json"))):
            write("small/kept", "")
            is_error(f"{name} onto a full disk", lambda *more: w.run(*arguments, "-o", "small/kept", *more), 1,
                     ("system", "full"), "small/kept")
            same(f"{name} onto a full disk: the file there is as it was", read("small/kept"), b"")
        is_error("an office on a full disk", lambda *more: run("init", "x.example", "--key-file", "x.key", "--office",
                                                               "small/x", *more), 1, ("system", "full", "storage"),
                 "small/x")
        same("an office on a full disk: nothing is left", [os.path.exists(path(each)) for each in
                                                           ("small/x", "small/x.mark", "x.key")], [False] * 3)
        case("a full disk does not end the daemon", until(lambda: w.process.poll() is None and w.status()), w.said())
        os.unlink(os.path.join(mounted, "fill"))
        case("with room again it goes on by itself", until(lambda: w.is_settled("full") and p.is_settled("full"), 30),
             [w.status(), p.status()])
        sent = w.run("send", "full", "-m", "Room again", "--wait", "stored", "--timeout", "10s")
        case("and sends", sent.code == 0, sent)
        roots = [office.verify("full") for office in (w, p)]
        case("the records are whole and the same", roots[0].code == 0 and roots[0].out.splitlines()[:2]
             == roots[1].out.splitlines()[:2], roots)
        same("no alarm is left", w.status()["alarms"], [])
        w.stop()
        p.stop()
    finally:
        subprocess.run(["umount", "-l", mounted], check=False)


def main():
    note(f"seed {SEED}")
    w, p, s = Office("washington.example", "w"), Office("pyongyang.example", "p"), Office("stranger.example", "s")
    for office in (w, p, s):
        office.start()
    found(w, p)
    w.run("link", "add", "talks", "pyongyang", f"tcp://127.0.0.1:{p.port()}")
    for office in (w, p):
        for text in ("one", "two", "three"):
            office.run("send", "talks", "-m", text, "--wait", "stored")
    case("the line is up", until(lambda: w.is_settled() and p.is_settled()))
    cards(w, p, s)
    charters(w, p, s)
    command_lines(w)
    names(w)
    addresses(w)
    texts(w)
    proofs(w, s)
    unwritable(w)
    case("the line still works", w.run("send", "talks", "-m", "four", "--wait", "stored").code == 0)
    for office in (w, p, s):
        same(f"{office.name} ends as it should", office.stop(), 0)
    disk(w, s)
    read_only(w)
    full()
    finish()


main()
