"""Writes the vectors of this folder from spec/desk.md and the cryptography package, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
disclosure    line id (32) | a disclosure; what people read in it, from its first line on to the line's id
"""
import datetime
import importlib.util
import os
import sys

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above


def load(room):
    spec = importlib.util.spec_from_file_location(room, os.path.join(HERE, "..", room, "generate.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


base, record, seal = load("base"), load("record"), load("seal")
item, mac, sha256, text64 = base.item, seal.mac, seal.sha256, seal.text64
PARTIES, CHARTER = record.THREE, record.TEXT
LINE = record.line_id(CHARTER)
ORIGIN_HASH = sha256(record.origin(CHARTER, PARTIES[0]).encode())
SECRET = bytes(range(32))
WRITTEN, HELD = 1795462028, 1795462029
CLOSING = ("That it was held does not say that anybody read it. What follows is for liaison-verify, which checks all of the\n"
           "above: the key of this one entry, which opens no other, its proof, and the charter of the line.\n")


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry_key(tag, index):
    return mac(SECRET, b"entry", ORIGIN_HASH, (1).to_bytes(8, "big"), index.to_bytes(8, "big"), tag, b"\1")


def sealed(head, padded, index, key=None, commitment=None):
    """The entry and its key; another key than the epoch gives is an author's who seals for nobody."""
    tag = mac(mac(SECRET, b"salt"), head, padded)[:16]
    key = key or entry_key(tag, index)
    clear = head + tag + (commitment or sha256(b"liaison/commit/v1", key))
    return clear + ChaCha20Poly1305(mac(key, b"enc")).encrypt(bytes(12), padded, clear), key


def body(kind, fields, exercise=0):
    return record.padded(item({0: kind, 1: WRITTEN, 2: exercise, 3: fields}))


class Log:
    """Entries 0 to 4 of washington's log, of which one is disclosed."""

    def __init__(self, index=3, entry=None, key=None):
        self.index = index
        self.entries, self.keys = zip(*(sealed(record.header(), body(1, {0: f"Number {each}.", 1: "en"}), each)
                                        for each in range(5)))
        self.entries, self.key = list(self.entries), key or self.keys[index]
        if entry:
            self.entries[index] = entry
        self.leaves = [sha256(b"\0", each) for each in self.entries]
        self.body = record.body_of(PARTIES[0], 5, record.root_of(self.leaves))

    def receipts(self):
        return [record.receipt_line(party, self.body, HELD + each) for each, party in enumerate(PARTIES[1:])]

    def proof(self, index=None, receipts=None, entry=None):
        index = self.index if index is None else index
        return (f"c2sp.org/tlog-proof@v1\nextra {text64(entry or self.entries[index])}\nindex {index}\n" +
                "".join(text64(each) + "\n" for each in record.path_of(index, self.leaves)) + "\n" + self.body + "\n" +
                record.head_line(PARTIES[0], self.body) + "".join(self.receipts() if receipts is None else receipts))

    def head(self, saying, after, holders=2, precedence="routine", exercise=False):
        return (f"washington.example wrote, as entry {self.index} of its log on the line talks"
                f"{', in an EXERCISE and not as meant' if exercise else ''}{saying}\n"
                f"Written at {moment(WRITTEN)} by its author's clock. Precedence {precedence}.{after}\n" +
                "".join(f"{party.name} signed at {moment(HELD + each)}, by its own clock, that it held this entry.\n"
                        for each, party in enumerate(PARTIES[1:][:holders])) + f"The line is {LINE.hex()}.\n")

    def file(self, head, key=None, proof=None, charter=CHARTER, first="liaison-disclosure/v1", closing=CLOSING):
        return (f"{first}\n\n{head}\n{closing}\nkey {text64(key or self.key)}\n\n{proof or self.proof()}\n{charter}\n").encode()


def of(index, fields, saying, after, kind=1, exercise=0, **header):
    entry, key = sealed(record.header(**header), body(kind, fields, exercise), index)
    log = Log(index, entry, key)
    return log, log.head(saying, after, precedence="flash" if header.get("precedence") == 3 else "routine", exercise=exercise == 1)


def disclosure_cases():
    korean, hostile = "예, 방에 있습니다.", "\x1b[2J\u202ea\n\nThat it was held\ne" + "\u0301" * 5
    re = [[1, 7, sha256(b"a leaf")], [2, 8, sha256(b"a leaf")]]
    good = Log()
    head = good.head(":\n\n| Number 3.\n", " Language en.")
    cases = []
    for name, (log, shown) in {
            "a message": (good, head), "the first of the log": of(0, {0: "One.", 1: "en"}, ":\n\n| One.\n", " Language en."),
            "a flash in Korean that answers": of(
                3, {0: korean, 1: "ko"}, f":\n\n| {korean}\n",
                " Language ko.\nIt answers pyongyang.example/7.\nIt answers beijing.example/8.", precedence=3, re=re),
            "hostile text in an exercise": of(
                3, {0: hostile, 1: ""}, ":\n\n| <U+001B>[2J<U+202E>a\n|\n| That it was held\n| e" + "\u0301" * 4 + "<U+0301>\n", "",
                exercise=1),
            "an acknowledgement": of(3, {0: 2}, ", that a person, the principal, has seen:\n\n| pyongyang.example/7\n"
                                                "| beijing.example/8\n", "", kind=2, re=re),
            "an unreadable": of(3, {0: [[1, 3, 9]]}, ", that it holds and cannot open:\n\n| pyongyang.example/3 to 9\n", "",
                                kind=3)}.items():
        cases.append(case(name, LINE + log.file(shown), True, output=shown.encode()))
    own, key = sealed(record.header(), body(1, {0: "For nobody.", 1: "en"}), 3, key=sha256(b"a key of the author's own"))
    nobody = Log(3, own, key)
    cases.append(case("sealed for nobody", LINE + nobody.file(nobody.head(":\n\n| For nobody.\n", " Language en.")), True,
                      output=nobody.head(":\n\n| For nobody.\n", " Language en.").encode()))
    other = record.charter(record.TWO)
    unpadded, unpadded_key = sealed(record.header(), record.padded(item({0: 1, 1: WRITTEN, 2: 0, 3: {0: "a", 1: ""}})) + bytes(16), 3)
    unknown_log = Log(3, *sealed(record.header(), body(9, {}), 3))
    second = Log(3, *sealed(record.header(), body(1, {0: "Number 3.", 1: "en"}), 3, commitment=sha256(b"another key")))
    clear = record.header(klass=5, epoch=0) + item({})
    people, commits, log = "what people read", "the one that the entry commits to", "no log of the policy"
    for name, data, reason in (
            ("another version", good.file(head, first="liaison-disclosure/v2"), "of another version than 1"),
            ("a proof", good.proof().encode(), "not a disclosure"),
            ("other closing words", good.file(head, closing=CLOSING.replace("no other", "others")), "the words that end"),
            ("the key of another entry", good.file(head, key=good.keys[2]), commits),
            ("the epoch's secret for the key", good.file(head, key=SECRET), commits),
            ("a key that opens it and is not committed to", second.file(head), commits),
            ("the proof of another entry", good.file(head, proof=good.proof(2)), commits),
            ("another entry in the proof", good.file(head, proof=good.proof(entry=good.entries[2])), "not in the signed log"),
            ("another index", good.file(head, proof=good.proof().replace("index 3\n", "index 2\n")), "not in the signed log"),
            ("the charter of another line", good.file(head, charter=other), log),
            ("a charter cut short", good.file(head, charter=CHARTER[:-100]), "charter"),
            ("another text for people", good.file(head.replace("Number 3", "Number 4")), people),
            ("another author for people", good.file(head.replace("washington.example wrote", "beijing.example wrote")), people),
            ("another number for people", good.file(head.replace("as entry 3", "as entry 4")), people),
            ("another line for people", good.file(head.replace(LINE.hex(), "00" * 32)), people),
            ("a remark for people", good.file(head + "All of this is true.\n"), people),
            ("a receipt that is not there", good.file(head, proof=good.proof(receipts=good.receipts()[:1])), people),
            ("too few receipts", good.file(good.head(":\n\n| Number 3.\n", " Language en.", 1),
                                           proof=good.proof(receipts=good.receipts()[:1])), "too few receipts"),
            ("a receipt of another time", good.file(head, proof=good.proof(
                receipts=[record.receipt_line(PARTIES[1], good.body, HELD, 1), good.receipts()[1]])), "does not verify"),
            ("a stranger's signature beside", good.file(head, proof=good.proof() + record.STRANGER), "neither its author's"),
            ("the author's receipt beside", good.file(head, proof=good.proof() + record.receipt_line(PARTIES[0], good.body, 1)),
             "neither its author's"),
            ("more padding than is due", Log(3, unpadded, unpadded_key).file(head), "its body or padding is not as"),
            ("a body of an unknown kind", unknown_log.file(head), "no form that this program knows"),
            ("an entry of the machinery", Log(3, clear, bytes(32)).file(head), "no sealed text"),
            ("a key of 31 bytes", good.file(head, key=good.key[:31]), "no line"),
            ("two keys", good.file(head).replace(b"\nkey ", b"\nkey " + text64(good.keys[2]).encode() + b"\nkey "), "no line"),
            ("CR LF", good.file(head).replace(b"\n", b"\r\n"), "of another version"),
            ("cut short", good.file(head)[:-1], "ends before the blank line"),
            ("nothing", b"", "not a disclosure")):
        cases.append(case(name, LINE + data, False, reason))
    cases.append(case("of another line than asked for", bytes(32) + good.file(head), False, "of another line"))
    return cases


def main():
    write(HERE, "disclosure", disclosure_cases())


if __name__ == "__main__":
    main()
