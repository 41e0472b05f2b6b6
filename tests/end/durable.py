#!/usr/bin/python3
"""Nothing leaves before what it rests on is synced: two daemons under strace, and a checker of what they did.

SIGKILL loses no page cache, so this is what tells durable from merely written. Two things must be synced before a head,
a receipt or an answer leaves: the database's WAL and the mark. The mark's bytes say which batch it is of, and how much
of each log there is then; each batch is one sync of the WAL after frames were written to it. So at each moment the
checker knows what is durable at either office, and holds against it:

  quiet     one message at a time: no byte on the link, from the request at one office until the message is durable
            there, and from there until it is durable at the other
  answer    an `append` is answered only for entries that are durable
  head      an office marks entries of the other only when they were durable at the other
  receipt   an event `stored` is told only for entries that were durable at the one who receipted them

The last three hold while everything overlaps. A library is preloaded that delays syncs at random, so that a step taken
too early would be seen; and then one that leaves out the sync of the WAL, or of the mark: the checker must find that.

usage: durable.py LIAISON LIAISOND LIAISON_VERIFY SYNC_LIBRARY
"""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

from offices import LONG, Office, Wire, case, finish, found, note, path, same, skip, until

LIBRARY = os.path.abspath(sys.argv[4])
CALLS = "pwrite64,pwritev,fdatasync,fsync,write,writev,sendto,sendmsg"
ROUNDS = 40 if LONG else 8
LOAD_SECONDS = 20 if LONG else 2
MARK_HEAD = 64  # bytes before a slot's content: spec/store.md

LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
CALL = re.compile(r"(\w+)\((\d+)<(.*?)>(?:, (.*))?\) += (-?\d+).* <([\d.]+)>$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


# --- what strace saw ----------------------------------------------------------------------------------------------


class Call:
    """One system call on a file."""

    def __init__(self, begun, ended, name, file, content, offset):
        self.begun, self.ended, self.name, self.file = begun, ended, name, file
        self.content, self.offset = content, offset

    def is_to_socket(self):
        sends = self.name in ("write", "writev", "sendto", "sendmsg")
        return sends and not self.file.startswith(("/", "pipe:", "anon"))

    def is_to_control(self):
        return self.is_to_socket() and "TCP" not in self.file and self.content[:1] == b"{"


def read_trace(name):
    """The calls of a trace, in the order in which they began."""
    calls, unfinished = [], {}
    with open(name, encoding="ascii") as trace:
        for line in trace:
            match = LINE.match(line)
            if not match:
                continue
            thread, at, text = match.group(1), float(match.group(2)), match.group(3)
            begun = at
            if text.endswith("<unfinished ...>"):
                unfinished[thread] = (at, text[:-len("<unfinished ...>")].rstrip())
                continue
            if text.startswith("<... ") and thread in unfinished:
                begun, first = unfinished.pop(thread)
                text = first + text.split(" resumed>", 1)[1]
            call = CALL.match(text)
            if not call or int(call.group(5)) < 0:
                continue
            arguments = call.group(4) or ""
            content = b"".join(ast.literal_eval(f'b"{part}"') for part in STRING.findall(arguments))
            offset = re.search(r", (\d+)$", arguments)
            ended = at if begun != at else at + float(call.group(6))
            calls.append(Call(begun, ended, call.group(1), call.group(3), content,
                              int(offset.group(1)) if offset else 0))
    return sorted(calls, key=lambda call: call.begun)


def cbor(content, at):
    """One item of canonical CBOR: an integer, a byte string, or an array. Returns it and where it ends."""
    kind, value = content[at] >> 5, content[at] & 31
    at += 1
    if value >= 24:
        size = 1 << value - 24
        value = int.from_bytes(content[at:at + size], "big")
        at += size
    if kind == 2:
        return content[at:at + value], at + value
    if kind == 4:
        items = []
        for _ in range(value):
            item, at = cbor(content, at)
            items.append(item)
        return items, at
    return value, at


def read_mark(content):
    """The batch of a slot, and the sizes of the logs by member."""
    at = MARK_HEAD + 1
    _, at = cbor(content, at)
    batch, at = cbor(content, at)
    logs, _ = cbor(content, at)
    return batch, {log[1]: log[3] for log in logs}


class History:
    """What was durable at an office, and when."""

    def __init__(self, calls, since):
        """`since`: a moment of silence, at which batch and WAL are in step."""
        self.calls = calls
        self.marked = []  # (when the mark was being written, batch, sizes)
        marks, wal = [], []  # (when synced, batch) and when synced
        sizes = {}
        written = frames = None
        for call in calls:
            if call.file.endswith(".mark") and call.name.startswith("pwrite") and call.content[:12] == b"liaison-mark":
                batch, logs = read_mark(call.content)
                sizes[batch] = logs
                self.marked.append((call.begun, batch, logs))
                written = (call.ended, batch)
            elif call.file.endswith(".mark") and "sync" in call.name and written and call.begun >= written[0]:
                marks.append((call.ended, written[1]))
            elif call.file.endswith("-wal") and call.name.startswith("pwrite") and call.offset > 0:
                frames = call.ended
            elif call.file.endswith("-wal") and "sync" in call.name and frames and call.begun >= frames:
                wal.append(call.ended)
                frames = None
        before = [batch for at, batch in marks if at < since]
        self.base = before[-1] if before else self.marked[0][1] if self.marked else 0
        self.wal = [at for at in wal if at >= since]
        self.marks = marks
        self.sizes = sizes
        self.in_step = bool(before) and len(self.wal) == marks[-1][1] - self.base

    def size(self, member, at):
        """How much of that member's log was durable here."""
        marked = max((batch for ended, batch in self.marks if ended <= at), default=0)
        committed = self.base + sum(ended <= at for ended in self.wal)
        return self.sizes.get(min(marked, committed), {}).get(member, 0)

    def sends(self, begin, end):
        """The calls that put bytes on the link in that time."""
        return [call for call in self.calls if begin <= call.begun < end and call.is_to_socket()
                and not call.is_to_control()]

    def told(self):
        """(when, object) of what went out of the control socket."""
        for call in self.calls:
            if call.is_to_control():
                for line in call.content.splitlines():
                    try:
                        yield call.begun, json.loads(line)
                    except ValueError:
                        pass  # longer than strace was told to keep


def check(histories, rounds, since):
    """Returns what was wrong, by rule, and how often each rule was asked."""
    wrong = {"quiet": [], "answer": [], "head": [], "receipt": []}
    asked = dict.fromkeys(wrong, 0)

    def ask(rule, right, what):
        asked[rule] += 1
        if not right:
            wrong[rule].append(what)

    for author, begin, end, number in rounds:
        for office, history in enumerate(histories):
            for call in history.sends(begin, end):
                ask("quiet", history.size(author, call.begun) > number,
                    f"{author}/{number}: office {office} sent {len(call.content)} bytes {call.begun - begin:.6f} s "
                    f"after the request, with {history.size(author, call.begun)} durable")
    for me, history in enumerate(histories):
        other = histories[1 - me]
        for at, batch, sizes in history.marked:
            if at >= since:
                ask("head", sizes[1 - me] <= other.size(1 - me, at), f"office {me} has {sizes[1 - me]} of the other, "
                    f"where {other.size(1 - me, at)} are durable, in its batch {batch}")
        for at, told in history.told():
            if at < since:
                continue
            event, result = told.get("params", {}), told.get("result", {})
            if event.get("event") == "stored" and event["author"] == ("a.example", "b.example")[me]:
                ask("receipt", event["size"] <= other.size(me, at), f"{event} with {other.size(me, at)} durable there")
            for entry in result.get("entries", []) if isinstance(result, dict) else []:
                if "leaf" not in entry:
                    ask("answer", entry["number"] < history.size(me, at),
                        f"{entry} with {history.size(me, at)} durable")
    return wrong, asked


# --- the exchange -------------------------------------------------------------------------------------------------


def exchange(offices, count, load_seconds):
    """Some messages one at a time in silence, then many at once. Returns the rounds and when they began."""
    rounds = []
    lines = [office.control() for office in offices]
    time.sleep(2.5)
    since = time.time()
    for i in range(count):
        begin = time.time()
        entry = {"text": "One at a time.", "precedence": ("routine", "flash")[i // 2 % 2]}
        number = lines[i % 2].ask("append", line="talks", entries=[entry])["entries"][0]["number"]
        # Long enough for everything that may wait: a settle head and what is recorded lazily.
        time.sleep(1.5)
        rounds.append((i % 2, begin, begin + 1.0, number))
    watching = [office.control() for office in offices]
    for control in watching:
        control.ask("subscribe", line="talks")
    end = time.monotonic() + load_seconds

    def load(line):
        while time.monotonic() < end:
            line.ask("append", line="talks", entries=[{"text": "Many at once."}] * 3)

    def watch(control):
        try:
            while True:
                control.line()
        except Exception:  # pylint: disable=broad-except
            pass

    for control in watching:
        threading.Thread(target=watch, args=(control,), daemon=True).start()
    threads = [threading.Thread(target=load, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: all(office.is_settled() for office in offices), 60)
    time.sleep(2.5)
    return rounds, since


def traced(offices, name, count, load_seconds, **environment):
    """One exchange under strace. Returns the histories, the rounds and since when."""
    variables = {"LD_PRELOAD": LIBRARY, **environment} if environment else {}
    for office in offices:
        trace = path(f"{name}.{office.name}")
        before = ["strace", "-D", "-f", "-ttt", "-T", "-yy", "-s", "8192", "-e", f"trace={CALLS}", "-o", trace]
        for variable, value in variables.items():
            before += ["-E", f"{variable}={value}"]
        office.start(before)
    wire.target = offices[1].port()
    until(lambda: all(office.is_settled() for office in offices), 60)
    rounds, since = exchange(offices, count, load_seconds)
    for office in offices:
        office.stop()
    time.sleep(0.5)  # the tracers end a moment later
    return [History(read_trace(path(f"{name}.{office.name}")), since) for office in offices], rounds, since


def holds(offices, name, **environment):
    histories, rounds, since = traced(offices, name, ROUNDS, LOAD_SECONDS, **environment)
    case(f"{name}: a batch is one sync of the WAL and one of the mark", all(history.in_step for history in histories),
         [(history.base, len(history.wal), history.marks[-1:]) for history in histories])
    wrong, asked = check(histories, rounds, since)
    note(f"{name}: asked {asked}")
    for rule, found_wrong in wrong.items():
        case(f"{name}: {rule}", not found_wrong and asked[rule] >= 2 * ROUNDS,
             "\n".join(found_wrong[:5]) or f"asked only {asked[rule]} times")


def fails(offices, name, **environment):
    """The checker sees that a sync is missing, by every rule."""
    histories, rounds, since = traced(offices, name, 2, 0.5, **environment)
    wrong, _ = check(histories, rounds, since)
    for rule, found_wrong in wrong.items():
        case(f"{name}: {rule} is found broken", found_wrong)


def can_trace():
    if not shutil.which("strace"):
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    return "" if done.returncode == 0 else f"strace cannot be used: {done.stderr.decode().strip()}"


why_not = can_trace()
if why_not:
    skip("nothing leaves before what it rests on is synced", why_not)
    finish()
a, b = Office("a.example", "a"), Office("b.example", "b")
for each in (a, b):
    each.options += ["--keepalive", "1h"]
    each.start()
wire = Wire(b.port())
found(a, b)
a.run("link", "add", "talks", "b", wire.address)
case("the line is up", until(lambda: a.is_settled() and b.is_settled()))
for each in (a, b):
    same(f"{each.name} ends as it should", each.stop(), 0)
holds((a, b), "as it is")
holds((a, b), "with slow syncs", SYNC_SLOW="60")
fails((a, b), "without the WAL's sync", SYNC_SKIP="-wal")
fails((a, b), "without the mark's sync", SYNC_SKIP=".mark")
finish()
