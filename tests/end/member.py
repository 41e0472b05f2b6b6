#!/usr/bin/python3
"""A member at the door under another member's name, and a stranger who has all that is no member's secret.

One member of a line of three knows its courier key, and another's name and card. It says first messages to the third in
that name, with a counter far ahead. The third must answer none and remember none, and that member's links go on. The same
on a line without a courier key, from somebody who has its charter. The messages are made by dissononce, and one that a
member makes in its own name draws the second message: so it was the proof that the others lacked.
"""
import base64
import os
import re
import socket
import sqlite3
import sys
import time

from offices import Office, Wire, case, finish, found, path, read, same, skip, until

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers"))
try:
    from link import Link, keypair  # tests/peers/link.py
except ImportError:
    skip("a member in another's name", "python3-dissononce is not installed")
    finish()

AHEAD = 2**63 - 1  # the highest counter that an office takes
ANSWER = 256
OWN = "a member in its own name is answered"
OPEN = "and on the line without a courier key"


def field(text, name):
    return base64.b64decode(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


class Line:
    """What somebody who is to make first messages knows of a line."""

    def __init__(self, office, name, courier):
        shown = office.ask("line.show", line=name)
        self.id, self.courier = bytes.fromhex(shown["id"]), courier
        self.members = re.findall(r"^liaison-card/v1\nname (\S+)$", shown["charter"], re.M)
        self.keys = [base64.b64decode(key) for key in re.findall(r"^link-key (\S+)$", shown["charter"], re.M)]

    def first(self, named, to, own, counter=AHEAD):
        """A first message to office `to` in the name of `named`, an office's name or a number."""
        member = named if isinstance(named, int) else self.members.index(named)
        other = type(own.public)(self.keys[self.members.index(to)])
        return Link(self.id, self.courier, True, own, other).first(member, counter)[1]

    def pretender(self, named, own):
        """The key pair of somebody who has not the secret for the key that it shows."""
        return type(own)(type(own.public)(self.keys[self.members.index(named)]), own.private)


def secrets_of(office):
    with open(office.sheet, encoding="ascii") as sheet:
        return keypair(field(sheet.read(), "link-secret"))


def answers(port, messages):
    """What each of the messages draws until the office closes its connection."""
    streams = {}
    for name, message in messages.items():
        streams[name] = socket.create_connection(("127.0.0.1", port), 15)
        streams[name].sendall(message)
    drawn = {}
    for name, stream in streams.items():
        drawn[name] = 0
        while data := stream.recv(65536):
            drawn[name] += len(data)
        stream.close()
    return drawn


def counter(office):
    """The highest that it remembers of anybody; it is not running."""
    database = sqlite3.connect(os.path.join(office.directory, "liaison.db"))
    highest, = database.execute("SELECT max(received) FROM counters").fetchone()
    database.close()
    return highest


def reaches(office, other, line, what):
    sent = office.run("send", line, "-m", what)
    case(what, sent.code == 0 and until(lambda: what in [entry["text"] for entry in other.messages(line)], 10), sent)


def main():
    a, b, c = (Office(f"{name}.example", name[0]).start() for name in ("athens", "berne", "cairo"))
    found(a, b, c, line="three")
    found(a, b, line="open", key=False)
    wire = Wire(b.port())
    for line in ("three", "open"):
        a.run("link", "add", line, "berne", wire.address)
    c.run("link", "add", "three", "berne", f"tcp://127.0.0.1:{b.port()}")
    c.run("link", "add", "three", "athens", f"tcp://127.0.0.1:{a.port()}")
    case("the lines are up", until(lambda: a.is_settled("three") and a.is_settled("open") and c.is_settled("three")))
    three = Line(a, "three", field(read("three.key").decode(), "key"))
    open_line = Line(a, "open", bytes(32))
    cairo, stranger = secrets_of(c), keypair(os.urandom(32))
    now = int(time.time() * 1000000)
    drawn = answers(b.port(), {
        "in another's name": three.first(a.name, b.name, cairo),
        "showing another's key": three.first(a.name, b.name, three.pretender(a.name, cairo)),
        "in the name of who is called": three.first(b.name, b.name, cairo),
        "in the name of no member": three.first(3, b.name, cairo),
        "a stranger with the courier key, in a member's name": three.first(c.name, b.name, stranger),
        "a stranger with a charter that has none": open_line.first(a.name, b.name, stranger),
        "a stranger with that charter, showing a member's key":
            open_line.first(a.name, b.name, open_line.pretender(a.name, stranger)),
        OWN: three.first(c.name, b.name, cairo, now),
        OPEN: open_line.first(a.name, b.name, secrets_of(a), now),
    })
    for name in OWN, OPEN:
        same(name, drawn.pop(name), ANSWER)
    for name, size in drawn.items():
        same(f"no byte: {name}", size, 0)
    same("told to end, the third ends with 0", c.stop(), 0)  # so that nothing goes by it
    wire.cut()
    reaches(a, b, "three", "the link of who was named comes back")
    reaches(a, b, "open", "so does that without a courier key")
    b.kill()
    case("no counter was moved", now <= counter(b) < AHEAD, counter(b))
    b.start()
    wire.target = b.port()
    reaches(a, b, "three", "the link of who was named comes back after a crash")
    same("told to end, both end with 0", [office.stop() for office in (a, b)], [0, 0])
    finish()


main()
