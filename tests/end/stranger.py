#!/usr/bin/python3
"""Strangers at the door: whatever they send, they get no byte, leave no trace, and the line goes on.

A real link is recorded and played back in every way: again, in part, changed, backwards, to the wrong office, late.
Then come silence, garbage, slow bytes and thousands of connections. The office must answer none, write nothing to its
disk, keep its memory, and go on with the line.
"""
import contextlib
import os
import random
import resource
import select
import socket
import struct
import time

from offices import LONG, SEED, Office, Wire, case, finish, found, note, same, until

CONNECTS = 20000 if LONG else 2000
AT_ONCE = 100  # connections: of 128 without a handshake an office lets the oldest make room, unheard
DEADLINE = 15  # seconds after which a stranger's connection is closed at the latest: the handshake's 10, and some
dice = random.Random(SEED)


class Stranger:
    """A connection to an office's port, made by the first step(), and what came back."""

    def __init__(self, name, port, *parts, slow=0.0, then=None):
        """Sends `parts` one by one, `slow` seconds apart; `then` is done with the socket afterwards."""
        self.name, self.parts, self.slow, self.then = name, list(parts), slow, then
        self.port, self.socket = port, None
        self.answer = b""
        self.closed = None

    def connect(self):
        self.begun = self.next = time.monotonic()
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def step(self):
        """Sends what is due, and reads what came."""
        if self.socket is None:
            self.connect()
        try:
            while self.parts and time.monotonic() >= self.next:
                self.socket.send(self.parts.pop(0))
                self.next = time.monotonic() + self.slow
                if not self.parts and self.then:
                    self.then(self.socket)
        except BlockingIOError:
            pass
        except OSError:
            self.parts = []
        try:
            data = self.socket.recv(65536)
            self.answer += data
            if not data:
                self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self):
        self.closed = time.monotonic() - self.begun
        self.socket.close()


def attend(strangers, seconds):
    """Lets them all do what they do, some at once, until the office has closed every one."""
    for first in range(0, len(strangers), AT_ONCE):
        some = strangers[first:first + AT_ONCE]
        end = time.monotonic() + seconds
        while any(each.closed is None for each in some) and time.monotonic() < end:
            for each in some:
                if each.closed is None:
                    each.step()
            time.sleep(0.005)


def memory(office):
    """KiB resident now."""
    with open(f"/proc/{office.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def descriptors(office):
    return len(os.listdir(f"/proc/{office.process.pid}/fd"))


def traces(office):
    """What a stranger could have left on the disk."""
    database = os.path.join(office.directory, "liaison.db-wal")
    return os.stat(office.mark).st_mtime_ns, os.stat(database).st_size, os.stat(database).st_mtime_ns


def bytes_of(record, number, from_dialler):
    return [data for pair, dialler, data in record if pair == number and dialler == from_dialler and data]


def reset(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def held_back(w, p):
    """A first message that the network kept; the office has had a newer one since."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    w.run("link", "add", "talks", "pyongyang", address)
    caught, _ = listener.accept()
    caught.settimeout(10)
    message = caught.recv(65536)
    w.run("link", "remove", "talks", "pyongyang", address)
    caught.close()
    listener.close()
    wire.cut()
    case("a newer link", w.run("send", "talks", "-m", "Newer", "--wait", "stored").code == 0)
    return message


def replays(w, p):
    """Everything that can be done with a recording, at once."""
    until(lambda: any(not dialler for _, dialler, _ in wire.record))
    calls = bytes_of(wire.record, 0, True)
    answers = bytes_of(wire.record, 0, False)
    first = calls[0]
    late = held_back(w, p)
    newest = bytes_of(wire.record, wire.count - 1, True)
    note(f"the first message has {len(first)} bytes; the recording has {sum(map(len, calls))} and "
         f"{sum(map(len, answers))}")
    port, own = p.port(), w.port()
    strangers = [
        Stranger("a whole link again", port, b"".join(calls)),
        Stranger("a whole link again, part by part", port, *calls, slow=0.05),
        Stranger("a whole link again, byte by byte", port, *(bytes([byte]) for byte in b"".join(calls[:3])),
                 slow=0.002),
        Stranger("the first message again", port, first),
        Stranger("the first message twice", port, first, first),
        Stranger("the newest link's first message", port, newest[0]),
        Stranger("the newest link", port, *newest, slow=0.05),
        Stranger("a first message held back, after a newer one", port, late),
        Stranger("the office's own answers", port, *answers),
        Stranger("the first message and then garbage", port, first, dice.randbytes(1000)),
        Stranger("without the first message", port, *calls[1:]),
        Stranger("reflected to who sent it", own, first),
        Stranger("the answers to who was answered", own, *answers),
        Stranger("the first message and half a close", port, first, then=lambda s: s.shutdown(socket.SHUT_WR)),
        Stranger("the first message and a reset", port, first, then=reset),
        Stranger("urgent data", port, first[:-1], then=lambda s: s.send(first[-1:], socket.MSG_OOB)),
    ]
    for size in range(1, len(first), 1 if LONG else 8):
        strangers.append(Stranger(f"the first {size} bytes", port, first[:size],
                                  then=lambda s: s.shutdown(socket.SHUT_WR)))
    for at in range(0, len(first), 1 if LONG else 8):
        changed = bytearray(first)
        changed[at] ^= 1 << dice.randrange(8)
        strangers.append(Stranger(f"with byte {at} changed", port, bytes(changed)))
    return strangers


def noise(p):
    port = p.port()
    sizes = (1, 31, 32, 33, 47, 48, 64, 96, 97, 255, 256, 1024, 16384, 65535, 65536, 1 << 20)
    yield Stranger("silence", port)
    yield Stranger("silence, half closed", port, b"", then=lambda s: s.shutdown(socket.SHUT_WR))
    for size in sizes:
        yield Stranger(f"{size} bytes of noise", port, dice.randbytes(size))
        yield Stranger(f"{size} zeros", port, bytes(size))
        yield Stranger(f"{size} ones", port, b"\xff" * size)
    yield Stranger("a browser", port, b"GET / HTTP/1.1\r\nHost: office\r\n\r\n")
    yield Stranger("TLS", port, bytes.fromhex("16030100c8010000c40303") + dice.randbytes(189))
    yield Stranger("ssh", port, b"SSH-2.0-OpenSSH_9.2\r\n")
    yield Stranger("JSON", port, b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
    yield Stranger("slow noise", port, *(bytes([byte]) for byte in dice.randbytes(400)), slow=0.05)
    yield Stranger("very slow noise", port, *(bytes([byte]) for byte in dice.randbytes(20)), slow=1.0)
    for i in range(8):
        yield Stranger(f"a key that is no point, {i}", port, bytes([i]) + bytes(31) + dice.randbytes(65))


def judge(strangers, what):
    answered = [(each.name, len(each.answer)) for each in strangers if each.answer]
    case(f"{what}: {len(strangers)} get no byte", not answered, answered[:10])
    still = [each.name for each in strangers if each.closed is None]
    case(f"{what}: each is closed within {DEADLINE} s", not still, still[:10])
    for each in strangers:
        each.socket.close()


def one_more(w, p, what):
    sent = w.run("send", "talks", "-m", what, "--wait", "stored", "--timeout", "5s")
    back = p.run("send", "talks", "-m", what, "--wait", "stored", "--timeout", "5s")
    case(f"{what}: the line goes on", (sent.code, back.code) == (0, 0), f"{sent}\n{back}")


def quick_connects(w, p, ways):
    """Many, one after the other."""
    answered = 0
    for i in range(CONNECTS):
        stream = socket.create_connection(("127.0.0.1", p.port()))
        way = ways[i % len(ways)]
        if way:
            stream.send(way)
        if i % 3 == 0:
            reset(stream)
        else:
            answered += bool(select.select([stream], [], [], 0)[0] and stream.recv(1, socket.MSG_DONTWAIT))
            stream.close()
    same(f"{CONNECTS} connects, one after the other: no byte", answered, 0)
    one_more(w, p, f"after {CONNECTS} connects")


def in_pieces(w, p):
    """A member whose first message comes slowly is no stranger, and is read as it speaks from then on."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    w.run("link", "add", "talks", "pyongyang", address)
    caught, _ = listener.accept()
    office = socket.create_connection(("127.0.0.1", p.port()))
    for stream in (caught, office):
        stream.settimeout(10)
    first, answer, more = caught.recv(65536), b"", b""
    for at in range(0, len(first), 64):
        office.sendall(first[at:at + 64])
        time.sleep(0.02)
    try:
        answer = office.recv(65536)
        caught.sendall(answer)
        office.sendall(caught.recv(65536))
        more = office.recv(65536)
    except OSError as error:
        note(f"no more came: {error}")
    case("a member's first message may come in pieces", len(answer) == 256, len(answer))
    case("what a member says then is heard", len(more) > 0)
    w.run("link", "remove", "talks", "pyongyang", address)
    for stream in (caught, office, listener):
        stream.close()


def a_flood(p):
    """Is taken by the spoonful."""
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    stream.connect(("127.0.0.1", p.port()))
    stream.setblocking(False)
    water, sent, end = bytes(65536), 0, time.monotonic() + 2
    while time.monotonic() < end:
        select.select([], [stream], [], 0.1)
        try:
            sent += stream.send(water)
        except BlockingIOError:
            pass
    stream.close()
    case("of a flood little is read", sent < 4 << 20, sent)
    note(f"{sent} bytes in 2 s")


def a_burst(p, first):
    """Those who come at once are let in one after the other, and between them there is time for those who work."""
    def connect():
        stream = socket.socket()
        stream.setblocking(False)
        stream.connect_ex(("127.0.0.1", p.port()))
        return stream

    def worked():
        """Seconds that the office's first thread, its loop, has had of a processor."""
        with open(f"/proc/{p.process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def burst():
        """How many came in, for how many seconds the office worked on them, and how many that took."""
        there = []
        for _ in range(2):
            there += [connect() for _ in range(64)]
            time.sleep(0.1)
        poll = select.poll()
        for stream in there:
            poll.register(stream, select.POLLIN)
        before, begun, gone, count = worked(), time.monotonic(), 0, 120
        for _ in range(count):  # for each of them one who was there has to go
            there.append(connect())
            with contextlib.suppress(OSError):
                there[-1].send(first)
        while gone < count and time.monotonic() < begun + 5:
            for descriptor, _ in poll.poll(1000):
                poll.unregister(descriptor)
                gone += 1
        took, work = time.monotonic() - begun, worked() - before
        for stream in there:
            stream.close()
        return gone, work, took

    bursts = [burst() for _ in range(3)]
    case("a burst is let in", all(gone == 120 for gone, _, _ in bursts), bursts)
    case("a burst leaves time to others", all(took > 2 * work for _, work, took in bursts), bursts)
    note("ms of work: " + ", ".join(f"{work * 1000:.1f} of {took * 1000:.1f}" for _, work, took in bursts))


def held_connects(w, p):
    """As many at once as this process may have, or as were asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    count = min(2000, min(hard, 8192) - 100)
    streams = []
    for _ in range(count):
        stream = socket.socket()
        stream.setblocking(False)
        stream.connect_ex(("127.0.0.1", p.port()))
        streams.append(stream)
    time.sleep(0.5)
    one_more(w, p, f"while {count} connections are held")
    wire.cut()
    begun = time.monotonic()
    sent = w.run("send", "talks", "-m", "After the cut", "--wait", "stored", "--timeout", "40s")
    case("a link that is cut meanwhile comes back", sent.code == 0, sent)
    note(f"after {time.monotonic() - begun:.1f} s")
    answered = 0
    for stream in streams:
        try:
            answered += bool(stream.recv(1))
        except OSError:
            pass
        stream.close()
    same(f"{count} connections at once: no byte", answered, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def after_a_crash(w, p):
    """What was seen is remembered by an office that was killed and knows only its disk."""
    p.kill()
    p.start()  # on another port, which the wire does not know yet
    again = [Stranger(f"link {number}'s first message, after a crash", p.port(), bytes_of(wire.record, number, True)[0])
             for number in range(wire.count) if bytes_of(wire.record, number, True)]
    attend(again, DEADLINE)
    judge(again, "every link's first message, after a crash")
    wire.target = p.port()
    one_more(w, p, "after a crash")


note(f"seed {SEED}")
w, p = Office("washington.example", "w"), Office("pyongyang.example", "p")
for office in (w, p):
    office.start()
wire = Wire(p.port(), record=[])
found(w, p)
w.run("link", "add", "talks", "pyongyang", wire.address)
case("the line is up", until(lambda: w.is_settled() and p.is_settled()))
w.run("send", "talks", "-m", "Something to record", "--wait", "stored")
recorded = replays(w, p)
time.sleep(35 if LONG else 2)  # what is lazily recorded is; after long, the database's log is emptied, too
before = {each: (traces(each), memory(each), descriptors(each)) for each in (w, p)}
said = len(p.said())
attend(recorded, DEADLINE)
judge(recorded, "a recorded link")
strangers = list(noise(p))
attend(strangers, DEADLINE)
judge(strangers, "silence and noise")
for office in (w, p):
    same(f"strangers leave nothing on the disk of {office.name}", traces(office), before[office][0])
one_more(w, p, "after strangers")
quick_connects(w, p, [b"", dice.randbytes(97), bytes_of(wire.record, 0, True)[0]])
in_pieces(w, p)
a_flood(p)
a_burst(p, bytes_of(wire.record, 0, True)[0])
held_connects(w, p)
one_more(w, p, "at last")
case("the memory is what it was", all(until(lambda office=office: memory(office) < before[office][1] + 4096, 20)
                                      for office in (w, p)),
     [(office.name, before[office][1], memory(office)) for office in (w, p)])
note(f"memory of {p.name}: {before[p][1]} KiB before, {memory(p)} KiB after")
case("so are the open files", until(lambda: descriptors(p) <= before[p][2] + 2, 20),
     f"{before[p][2]} before, {descriptors(p)} after")
case("the log is not full of strangers", os.path.getsize(p.errors) < 32768, os.path.getsize(p.errors))
after_a_crash(w, p)
same("told to end, both end with 0", [office.stop() for office in (w, p)], [0, 0])
finish()
