#!/usr/bin/python3
"""SIGKILLs either daemon and cuts the link at random moments of a two-way exchange: nothing is lost, doubled or moved.

Two offices; a person at each appends messages of mixed precedences, and after a lost connection asks again with the
same tokens until there is an answer. In the end both offices hold what was answered, once, under the number that was
answered, in the same order, and compute the same roots.
"""
import random
import signal
import threading
import time

from offices import (LONG, SEED, Lost, Office, Refused, Wire, case, finish, found, note, run, same, until)

COUNT = 200 if LONG else 40
PRECEDENCES = ("routine", "routine", "priority", "immediate", "flash")
CUTS = ("reset", "half-open", "byte by byte", "black hole", "stopped peer")


class Writer(threading.Thread):
    """A person at one office: appends without end, never gives up, keeps what was answered."""

    def __init__(self, office, dice):
        super().__init__(daemon=True)
        self.office = office
        self.dice = dice
        self.stop = False
        self.failure = None
        self.control = None
        self.recorded = {}  # number: (text, precedence)
        self.asked = 0
        self.again = 0

    def entry(self):
        self.asked += 1
        size = self.dice.choice((0, 40, 200, 200, 2000, 20000))
        text = f"{self.office.name} {self.asked} " + "".join(self.dice.choices("abc 가나다", k=size))
        return {"text": text, "precedence": self.dice.choice(PRECEDENCES),
                "token": f"{self.dice.getrandbits(128):032x}"}

    def append(self, entries):
        """Asks until there is an answer."""
        while True:
            try:
                if self.control is None:
                    self.control = self.office.control(timeout=10.0)
                return self.control.ask("append", line="talks", entries=entries)["entries"]
            except Lost:
                self.again += 1
                if self.control is not None:
                    self.control.close()
                self.control = None
                time.sleep(0.01)

    def run(self):
        last = -1
        try:
            while not self.stop:
                entries = [self.entry() for _ in range(self.dice.choice((1, 1, 1, 3, 8)))]
                answer = self.append(entries)
                numbers = [each["number"] for each in answer]
                if {each["author"] for each in answer} != {self.office.name}:
                    raise ValueError(f"the answer names another author: {answer}")
                if numbers != list(range(numbers[0], numbers[0] + len(entries))) or numbers[0] <= last:
                    raise ValueError(f"after {last} came {numbers}")
                if self.dice.random() < 0.05 and [each["number"] for each in self.append(entries)] != numbers:
                    raise ValueError("the same tokens got other numbers")
                last = numbers[-1]
                for number, entry in zip(numbers, entries):
                    self.recorded[number] = (entry["text"], entry["precedence"])
                time.sleep(self.dice.choice((0, 0, 0.005, 0.03)))
        except (Refused, ValueError) as error:
            self.failure = repr(error)


def restart(office, dice):
    """Starts a killed daemon; sometimes kills it again before or just after it is ready. Returns the kills."""
    kills = 0
    office.launch()
    while dice.random() < 0.3:
        time.sleep(dice.random() * 0.05)
        office.kill()
        kills += 1
        office.launch()
    if office.await_state() != "ready":
        raise SystemExit(f"Bail out! {office.name} is {office.state}: {office.said()}")
    return kills


def disturb(offices, wires, writers, dice):
    """Kills and cuts until each was done COUNT times or a writer failed."""
    kills = cuts = 0
    deeds = {}
    while (kills < COUNT or cuts < COUNT) and not any(writer.failure for writer in writers):
        time.sleep(dice.choice((0.001, 0.02, 0.1, 0.3)) * dice.random())
        if kills < COUNT and (cuts >= COUNT or dice.random() < 0.5):
            office = dice.choice(offices)
            office.kill()
            kills += 1 + restart(office, dice)
            for wire, served in zip(wires, offices):
                wire.target = served.port()
            continue
        wire = dice.choice(wires)
        cut = dice.choice(CUTS)
        deeds[cut] = deeds.get(cut, 0) + 1
        cuts += 1
        if cut == "reset":
            wire.cut()
        elif cut == "half-open":
            wire.half_open()
        elif cut == "byte by byte":
            wire.slow = True
            time.sleep(0.2 * dice.random())
            wire.slow = False
        elif cut == "black hole":
            wire.dead = True
            time.sleep(1.2 * dice.random())
            wire.dead = False
        else:
            process = dice.choice(offices).process
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.2 * dice.random())
            process.send_signal(signal.SIGCONT)
    note(f"{kills} kills, {cuts} cuts: {deeds}")


def check(offices, writers):
    settled = until(lambda: all(office.is_settled() for office in offices), 60)
    case("everything is receipted at last", settled, [office.status() for office in offices])
    views = [office.entries() for office in offices]
    orders = [[(entry["author"], entry["number"], entry["leaf"]) for entry in view] for view in views]
    case("both show the same entries in the same order", orders[0] == orders[1],
         f"{len(orders[0])} and {len(orders[1])}, {len(set(orders[0]) ^ set(orders[1]))} at one only")
    for office, view in zip(offices, views):
        for writer in writers:
            author = writer.office.name
            messages = [entry for entry in view if entry["author"] == author and entry["kind"] == "message"]
            there = {entry["number"]: (entry["text"], entry["precedence"]) for entry in messages}
            name = f"at {office.name}: what {author} was told is recorded is there"
            wrong = [number for number in writer.recorded if there.get(number) != writer.recorded[number]]
            case(f"{name}, under its number", not wrong, f"{len(wrong)} wrong: {wrong[:10]}")
            case(f"{name} once, and nothing else", len(messages) == len(writer.recorded),
                 f"{len(messages)} of {len(writer.recorded)}")
            numbers = [entry["number"] for entry in messages]
            case(f"{name} in order", numbers == sorted(set(numbers)))
        case(f"at {office.name}: every entry can be read", all(entry["readable"] for entry in view))
        same(f"at {office.name}: no alarms", office.status()["alarms"], [])
    verified = [office.verify() for office in offices]
    case("record verify finds nothing wrong", all(each.code == 0 for each in verified), verified)
    roots = [each.out.splitlines()[:2] for each in verified]
    same("the roots are identical", roots[0], roots[1])


def main():
    note(f"seed {SEED}, {COUNT} kills and {COUNT} cuts")
    dice = random.Random(SEED)
    offices = [Office("washington.example", "w"), Office("pyongyang.example", "p")]
    for office in offices:
        office.start()
    wires = [Wire(office.port()) for office in offices]
    found(*offices)
    offices[0].run("link", "add", "talks", "pyongyang", wires[1].address)
    # In every second run both dial, so that there are two links at once.
    if SEED % 2:
        offices[1].run("link", "add", "talks", "washington", wires[0].address)
    case("the line is up", until(lambda: all(office.is_settled() for office in offices)))
    writers = [Writer(office, random.Random(dice.getrandbits(64))) for office in offices]
    for writer in writers:
        writer.start()
    disturb(offices, wires, writers, dice)
    for writer in writers:
        writer.stop = True
    for writer in writers:
        writer.join(60)
    note(", ".join(f"{writer.office.name} {len(writer.recorded)} recorded, asked again {writer.again} times"
                   for writer in writers))
    case("every request was answered, the same token with the same number",
         not any(writer.is_alive() or writer.failure for writer in writers), [writer.failure for writer in writers])
    check(offices, writers)
    same("told to end, both end with 0", [office.stop() for office in offices], [0, 0])
    finish()


main()
