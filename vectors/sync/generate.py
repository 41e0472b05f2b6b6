"""Writes the vectors of this folder from spec/sync.md and spec/record.md, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
message  members (1) | a message; the same message
take     receiver (1) | sender (1) | of each message: size (4) | the message; of each of the three logs: size (8) |
         root (32) | of each of the three members: how much of it that member receipted (8)

The line of take is that of three members in vectors/record/generate.py. The receiver holds nothing before, and what it
accepts is durable at once. A case is refused if a message is: `reason` is why the link is closed.
"""
import importlib.util
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above

spec = importlib.util.spec_from_file_location("record", os.path.join(HERE, "..", "record", "generate.py"))
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)
item, sha256, node, root_of = record.item, record.sha256, record.node, record.root_of

HELLO, ENTRIES, SETTLE, RECEIPT, HAVE, WANT, OVERTAKE, FETCH = range(8)
PARTIES = record.THREE


# Trees (RFC 6962)

def leaf(entry):
    return sha256(b"\0", entry)


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:half]), root(leaves[half:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return inclusion(index, leaves[:half]) + [root(leaves[half:])]
    return inclusion(index - half, leaves[half:]) + [root(leaves[:half])]


def consistency(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= half:
        return consistency(old, leaves[:half], whole) + [root(leaves[half:])]
    return consistency(old - half, leaves[half:], False) + [root(leaves[:half])]


# Messages

class Log:
    """A member's log of so many entries. What an entry says is of no account here."""

    def __init__(self, member, size, history=""):
        self.member = member
        self.entries = [f"{member}/{index}{history if index >= 3 else ''}".encode() for index in range(size)]
        self.leaves = [leaf(entry) for entry in self.entries]

    def body(self, size):
        return record.body_of(PARTIES[self.member], size, root(self.leaves[:size])).encode()

    def head(self, size):
        return [size, root(self.leaves[:size]), PARTIES[self.member].log.sign(self.body(size))]

    def send(self, first, end, size=None, settle=0, head=None, proof=None):
        size = size or end
        return item([ENTRIES, self.member, 0, first, self.entries[first:end], head or self.head(size), settle,
                     consistency(end, self.leaves[:size]) if proof is None else proof])

    def settle(self, size):
        return item([SETTLE, self.member, 0, self.head(size)])

    def receipt(self, size, by, time=1795462028, signed=0):
        text = f"cosignature/v1\ntime {time + signed}\n".encode() + self.body(size)
        return item([RECEIPT, self.member, 0, size, root(self.leaves[:size]), by, time, PARTIES[by].receipt.sign(text)])

    def overtake(self, index, size, base, path=None):
        return item([OVERTAKE, self.member, 0, index, self.entries[index], self.head(size),
                     path or inclusion(index, self.leaves[:size]), base, consistency(base, self.leaves[:size])])


def hello(sizes=(0, 0, 0), heads=([], [], [])):
    return item([HELLO, 1, [[member, 0, size, head] for member, (size, head) in enumerate(zip(sizes, heads))]])


US, KP = Log(0, 20), Log(1, 20)
HASH, SIGNATURE = b"\5" * 32, b"\6" * 64
HEAD = [300, HASH, SIGNATURE]


def message_cases():
    cases = []
    good = (
        ("a greeting of nothing", hello()), ("a greeting", hello((20, 3, 2**40), (US.head(20), KP.head(5), []))),
        ("entries at a head's end", US.send(0, 2)), ("entries below a flagged head", US.send(2, 5, 20, 1)),
        ("4096 entries", item([ENTRIES, 2, 0, 0, [b"a"] * 4096, HEAD, 0, []])),
        ("an entry of 65535 bytes", item([ENTRIES, 0, 0, 2**40, [bytes(65535)], HEAD, 0, []])),
        ("64 hashes", item([ENTRIES, 0, 0, 24, [b"a"], HEAD, 0, [HASH] * 64])),
        ("a settle head", US.settle(20)), ("a receipt", US.receipt(2, 1)), ("have", item([HAVE, 1, 0, 2])),
        ("have all that there can be", item([HAVE, 2, 0, 2**40])), ("want", item([WANT, 0, 0, 24])),
        ("want no more", item([WANT, 0, 0, 2**40])), ("an overtaking entry", US.overtake(17, 20, 5)),
        ("fetch", item([FETCH, 0, 0, 256])))
    cases = [case(name, b"\3" + data, True, output=data) for name, data in good]
    unknown, form = "no known type", "not well-formed"
    have = item([HAVE, 1, 0, 24])
    for name, data, reason in (
            ("nothing", b"", unknown), ("no array", item(4), unknown), ("a type of 8", item([8, 0, 0, 0]), unknown),
            ("have with an item too few", item([HAVE, 1, 0]), "has 3 items, not 4"),
            ("have with an item more", item([HAVE, 1, 0, 2, 0]), "has 5 items, not 4"),
            ("a type not in its shortest form", b"\x84\x18\4" + have[2:], unknown),
            ("an array of indefinite length", b"\x9f" + have[1:] + b"\xff", unknown),
            ("an array not in its shortest form", b"\x98\4" + have[1:], unknown),
            ("a member of the fourth", item([HAVE, 3, 0, 2]), form), ("incarnation 1", item([HAVE, 1, 1, 2]), form),
            ("a size above 2^40", item([HAVE, 1, 0, 2**40 + 1]), form),
            ("a size not in its shortest form", have[:3] + b"\0\x18\2", form),
            ("a size as bytes", item([HAVE, 1, 0, b"\2"]), form), ("cut short", have[:-1], form),
            ("a byte more", have + b"\0", form), ("two messages", have + have, form),
            ("a greeting of version 2", hello().replace(b"\0\1\x83", b"\0\2\x83", 1), form),
            ("a greeting of two", item([HELLO, 1, [[0, 0, 0, []], [1, 0, 0, []]]]), form),
            ("a greeting of four", item([HELLO, 1, [[m, 0, 0, []] for m in range(4)]]), form),
            ("a greeting out of order", item([HELLO, 1, [[m, 0, 0, []] for m in (0, 2, 1)]]), form),
            ("a greeting with a head of two items", item([HELLO, 1, [[m, 0, 0, [1, HASH]] for m in range(3)]]), form),
            ("no entries", item([ENTRIES, 0, 0, 0, [], HEAD, 0, []]), form),
            ("4097 entries", item([ENTRIES, 0, 0, 0, [b"a"] * 4097, HEAD, 0, []]), form),
            ("an entry of no bytes", item([ENTRIES, 0, 0, 0, [b"a", b""], HEAD, 0, []]), form),
            ("an entry of 65536 bytes", item([ENTRIES, 0, 0, 0, [bytes(65536)], HEAD, 0, []]), form),
            ("an entry as text", item([ENTRIES, 0, 0, 0, ["a"], HEAD, 0, []]), form),
            ("entries under no head", item([ENTRIES, 0, 0, 0, [b"a"], [], 0, []]), form),
            ("a flag of 2", item([ENTRIES, 0, 0, 0, [b"a"], HEAD, 2, []]), form),
            ("65 hashes", item([ENTRIES, 0, 0, 24, [b"a"], HEAD, 0, [HASH] * 65]), form),
            ("a hash of 31 bytes", item([ENTRIES, 0, 0, 24, [b"a"], HEAD, 0, [HASH[1:]]]), form),
            ("a settle head that is none", item([SETTLE, 0, 0, []]), form),
            ("a head with a root of 31 bytes", item([SETTLE, 0, 0, [300, HASH[1:], SIGNATURE]]), form),
            ("a head with a signature of 63 bytes", item([SETTLE, 0, 0, [300, HASH, SIGNATURE[1:]]]), form),
            ("a head of 2^40 and one", item([SETTLE, 0, 0, [2**40 + 1, HASH, SIGNATURE]]), form),
            ("a receipt by the author", item([RECEIPT, 0, 0, 300, HASH, 0, 1, SIGNATURE]), form),
            ("a receipt by the fourth", item([RECEIPT, 0, 0, 300, HASH, 3, 1, SIGNATURE]), form),
            ("a receipt at 2^63 seconds", item([RECEIPT, 0, 0, 300, HASH, 1, 2**63, SIGNATURE]), form),
            ("an overtaking entry at 2^40", item([OVERTAKE, 0, 0, 2**40, b"a", HEAD, [], 1, []]), form),
            ("an overtaking entry of no bytes", item([OVERTAKE, 0, 0, 17, b"", HEAD, [], 1, []]), form),
            ("an overtaking entry under no head", item([OVERTAKE, 0, 0, 17, b"a", [], [], 1, []]), form)):
        cases.append(case(name, b"\3" + data, False, reason))
    return cases


def conversation(*messages, receiver=1, sender=0):
    return bytes([receiver, sender]) + b"".join(struct.pack(">I", len(message)) + message for message in messages)


def state(us=0, kp=0, receipts=()):
    """receipts: (log, by) and how much."""
    sizes, given = (us, kp, 0), dict(receipts)
    return b"".join(
        struct.pack(">Q", size) + root((US, KP, US)[member].leaves[:size]) +
        b"".join(struct.pack(">Q", given.get((member, by), 0)) for by in range(3)) for member, size in enumerate(sizes))


def take_cases():
    other = Log(0, 20, "!")  # the same three entries, then others
    forged, stranger = US.head(5), US.head(5)
    forged[2] = bytes([forged[2][0] ^ 1]) + forged[2][1:]
    stranger[2] = PARTIES[2].log.sign(US.body(5))
    receipt = US.receipt(5, 1)
    cases = [case(name, data, True, output=output) for name, data, output in (
        ("the worked example", conversation(hello((2, 0, 0), (US.head(2), [], [])), US.send(0, 2), US.settle(2)),
         state(2)),
        ("in two pieces", conversation(hello(), US.send(0, 3), US.send(3, 20)), state(20)),
        ("below a head", conversation(hello(), US.send(0, 3, 20), US.send(3, 20)), state(20)),
        ("twice", conversation(hello(), US.send(0, 3), US.send(0, 3)), state(3)),
        ("overlapping", conversation(hello(), US.send(0, 3), US.send(1, 8)), state(8)),
        ("beyond a gap", conversation(hello(), US.send(0, 3), US.send(5, 8)), state(3)),
        ("through a third member", conversation(hello(), US.send(0, 3, 20), sender=2), state(3)),
        ("a receipt", conversation(hello(), US.send(0, 5), receipt, receiver=2), state(5, receipts=[((0, 1), 5)])),
        ("a receipt before its entries", conversation(hello(), receipt, US.send(0, 5), receiver=2),
         state(5, receipts=[((0, 1), 5)])),
        ("a receipt of another history", conversation(hello(), US.send(0, 5), other.receipt(5, 1), receiver=2), state(5)),
        ("the receiver's own receipt", conversation(hello(), US.send(0, 5), receipt), state(5)),
        ("the receiver's own log", conversation(hello(), KP.send(0, 5)), state()),
        ("an overtaking entry", conversation(hello(), US.send(0, 5), US.overtake(17, 20, 5)), state(5)),
        ("an overtaking entry from an unknown base", conversation(hello(), US.send(0, 5), US.overtake(17, 20, 4)), state(5)),
        ("another history through a third member", conversation(hello(), US.send(0, 5), other.send(5, 8), sender=2),
         state(5)))]
    for name, data, reason in (
            ("entries before a greeting", conversation(US.send(0, 2)), "did not greet"),
            ("two greetings", conversation(hello(), hello()), "greeted twice"),
            ("entries under a forged head", conversation(hello(), US.send(0, 5, head=forged)), "did not sign"),
            ("entries under another's head", conversation(hello(), US.send(0, 5, head=stranger)), "did not sign"),
            ("a greeting with a forged head", conversation(hello((5, 0, 0), (forged, [], []))), "did not sign"),
            ("a forged settle head", conversation(hello(), item([SETTLE, 0, 0, forged])), "did not sign"),
            ("other entries than the head's", conversation(hello(), other.send(0, 5, head=US.head(5))), "commits to"),
            ("another history than what is held", conversation(hello(), US.send(0, 5), other.send(5, 8)), "commits to"),
            ("a hash too few", conversation(hello(), US.send(0, 3, 20, proof=consistency(3, US.leaves)[:-1])),
             "commits to"),
            ("a hash too many", conversation(hello(), US.send(0, 3, 3, proof=[HASH])), "commits to"),
            ("more entries than the head's", conversation(hello(), US.send(0, 5, head=US.head(4), proof=[])),
             "commits to"),
            ("not the head that was shown", conversation(hello((8, 0, 0), (other.head(8), [], [])), US.send(0, 20)),
             "a head it signed before"),
            ("a receipt at another time", conversation(hello(), US.send(0, 5), US.receipt(5, 1, signed=1), receiver=2),
             "receipt"),
            ("an overtaking entry of another history", conversation(hello(), US.send(0, 5), other.overtake(17, 20, 5)),
             "proof does not hold"),
            ("an overtaking entry elsewhere",
             conversation(hello(), US.send(0, 5), US.overtake(17, 20, 5, inclusion(16, US.leaves))),
             "proof does not hold")):
        cases.append(case(name, data, False, reason))
    return cases


def main():
    write(HERE, "message", message_cases())
    write(HERE, "take", take_cases())


if __name__ == "__main__":
    main()
