"""A two-way exchange that goes on whatever happens to the offices, and what must be true of it in the end.

A person at each office appends messages of mixed precedences, and after a lost connection asks again with the same tokens
until there is an answer. In the end both offices hold what was answered, once, under the number that was answered, in the
same order, and compute the same roots.
"""
import threading
import time

from offices import Lost, Refused, case, same, until

PRECEDENCES = ("routine", "routine", "priority", "immediate", "flash")


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


def check(offices, writers):
    settled = until(lambda: all(office.is_settled() for office in offices), 120)
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
