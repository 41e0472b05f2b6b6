#!/usr/bin/python3
"""A flash overtakes: on a slow line it arrives, is acknowledged and answered long before what was sent ahead of it.

It is stored before it is shown, said to be held, shown with the gap before it, survives a kill, and takes its place in the
order when the gap has closed.
"""
import time

from offices import SEED, Office, Wire, case, finish, found, note, same, until

RATE = 60000  # bytes a second
BACKLOG = 60  # messages of 10,000 bytes: ten seconds


class SlowWire(Wire):
    """Carries so many bytes a second away from the dialler."""

    def carry(self, pair, source, sink):
        if source is not pair["near"]:
            super().carry(pair, source, sink)
            return
        source.setsockopt(1, 8, 4096)  # SO_RCVBUF: what waits, waits at the sender
        try:
            while data := source.recv(2048):
                sink.sendall(data)
                time.sleep(len(data) / RATE)
        except OSError:
            pass
        self.close(pair)


note(f"seed {SEED}")
washington, pyongyang = Office("washington.example", "w").start(), Office("pyongyang.example", "p", "--keepalive", "5s").start()
washington.stop()
washington.options += ["--keepalive", "5s"]
washington.start()
found(washington, pyongyang)
wire = SlowWire(pyongyang.port())
washington.run("link", "add", "talks", "pyongyang", wire.address)
washington.run("send", "talks", "-m", "first", "--wait", "stored", "--timeout", "20s")
control = washington.control()
for _ in range(BACKLOG // 20):
    control.ask("append", line="talks", entries=[{"text": "x" * 10000} for _ in range(20)])
time.sleep(1)
begun = time.monotonic()
flash = washington.run("send", "talks", "-m", "Are you in the room?", "--precedence", "flash", "--yes").out.strip()


def early():
    return [entry for entry in pyongyang.messages() if entry["early"]]


case("the flash is there before what was sent ahead of it", until(early, 5) and len(pyongyang.messages()) < BACKLOG)
note(f"{flash} after {time.monotonic() - begun:.1f} s, before {BACKLOG + 2 - len(pyongyang.messages())} others")
same("with its text", [entry["text"] for entry in early()], ["Are you in the room?"])
same("at the end, after the gap", pyongyang.messages()[-1]["early"], True)
case("it is said to be held", until(lambda: [entry for entry in pyongyang.entries() if entry["kind"] == "held"], 5))
case("it waits for a person", flash in [f"{entry['author']}/{entry['number']}"
                                        for entry in pyongyang.ask("inbox", line="talks")["entries"]])
same("it can be acknowledged", pyongyang.run("ack", "talks", flash).code, 0)
same("and answered", pyongyang.run("send", "talks", "-m", "Yes.", "--answers", flash).code, 0)
pyongyang.kill()
pyongyang.options[pyongyang.options.index("--listen") + 1] = f"tcp://127.0.0.1:{wire.target}"
pyongyang.start()
same("a kill later it is still there", [entry["text"] for entry in early()], ["Are you in the room?"])
case("the rest arrives", until(lambda: washington.is_settled() and len(pyongyang.messages()) == BACKLOG + 3, 60))
same("then none is early", early(), [])
numbers = [entry["number"] for entry in pyongyang.messages() if entry["author"] == "washington.example"]
same("every message once, in order", numbers, sorted(set(numbers)))
case("both see the same order", until(lambda: [entry["leaf"] for entry in washington.entries()] ==
                                      [entry["leaf"] for entry in pyongyang.entries()], 20))
same("it is answered", [entry["state"] for entry in washington.messages() if entry["precedence"] == "flash"], ["answered"])
case("the roots are identical", until(lambda: washington.verify().out == pyongyang.verify().out or
                                      washington.verify().out.splitlines()[:2] == pyongyang.verify().out.splitlines()[:2], 5))
finish()
