"""Entries and their bodies, and the logs that they make. spec/record.md, "Entries"; spec/desk.md."""

import dataclasses
import os

import cbor
import note
import tree
from crypto import Refused, check_x25519_key
from texts import TAG

CHARTER, PREKEYS, EPOCH, SEALED, HELD, LEAVE = range(6)
CLASS_NAMES = ('charter', 'prekeys', 'epoch', 'sealed', 'held', 'leave')
MESSAGE, ACKNOWLEDGEMENT, UNREADABLE = 1, 2, 3
PRECEDENCES = ('routine', 'priority', 'immediate', 'flash')
MOST = 2 ** 40


def is_number(value, most=2 ** 63 - 1):
    return isinstance(value, int) and 0 <= value <= most


def is_bytes(value, length):
    return isinstance(value, bytes) and len(value) == length


def has_keys(value, count):
    return isinstance(value, dict) and list(value) == list(range(count))


def is_array(value, least=0, most=MOST):
    return isinstance(value, list) and least <= len(value) <= most


@dataclasses.dataclass
class Entry:
    """What could be read of an entry. `body` is None where it is sealed, malformed or unknown."""
    data: bytes
    header_size: int = 0
    class_: int = None
    epoch: int = 0
    precedence: int = 0
    seen: list = dataclasses.field(default_factory=list)
    re: list = dataclasses.field(default_factory=list)
    body: object = None
    fault: str = None

    def kind(self):
        return 'unknown' if self.fault or self.class_ > LEAVE else CLASS_NAMES[self.class_]


def header(class_, epoch=0, precedence=0, seen=(), references=(), salt=None):
    return cbor.encode({0: 1, 1: class_, 2: epoch, 3: precedence, 4: list(seen), 5: list(references),
                        6: salt or os.urandom(16)})


def read_entry(data, author, members):
    """An entry that is not as it should be is kept and counted all the same: it says so in `fault`."""
    entry = Entry(data)
    try:
        read_header(entry, author, members)
        read_body(entry, author, members)
    except (Refused, cbor.Malformed) as fault:
        entry.fault = str(fault)
    return entry


def read_header(entry, author, members):
    head, entry.header_size = cbor.decode_first(entry.data)
    if not has_keys(head, 7) or head[0] != 1 or not is_number(head[1], 63) or not is_number(head[2]) \
            or not is_number(head[3], 3) or not is_bytes(head[6], 16):
        raise Refused('its header is not well-formed')
    if head[2] and head[1] <= LEAVE and head[1] not in (EPOCH, SEALED):
        raise Refused('its header is not well-formed: an epoch in a clear class')
    check_seen(head[4], author, members)
    check_references(head[5], members, 0)
    entry.class_, entry.epoch, entry.precedence, entry.seen, entry.re = head[1], head[2], head[3], head[4], head[5]


def check_seen(seen, author, members):
    last = -1
    for claim in seen if is_array(seen) else [None]:
        if not is_array(claim, 3, 3) or not is_number(claim[0], members - 1) or claim[0] <= last or claim[0] == author \
                or not is_number(claim[1], MOST) or claim[1] == 0 or not is_bytes(claim[2], 32):
            raise Refused('its header is not well-formed: seen')
        last = claim[0]


def check_references(references, members, least, most=64):
    if not is_array(references, least, most):
        raise Refused('not well-formed: references')
    for place in references:
        if not is_array(place, 3, 3) or not is_number(place[0], members - 1) or not is_number(place[1], MOST - 1) \
                or not is_bytes(place[2], 32):
            raise Refused('not well-formed: references')


def read_body(entry, author, members):
    rest = entry.data[entry.header_size:]
    if entry.class_ == SEALED:
        if len(rest) < 16 + 32 + 256 + 16:
            raise Refused('too short to be sealed')
        return
    entry.body = body = cbor.decode(rest)
    if entry.class_ == CHARTER and not isinstance(body, bytes) or entry.class_ == LEAVE and body != {}:
        raise Refused('its body is not well-formed')
    if entry.class_ == PREKEYS:
        check_prekeys(body, author, members)
    elif entry.class_ == EPOCH:
        check_epoch(body, author, members)
    elif entry.class_ == HELD:
        check_references(body, members, 1, MOST)


def check_prekeys(body, author, members):
    if not has_keys(body, 2) or not is_number(body[0], 1) or not is_array(body[1]):
        raise Refused('prekeys are not well-formed')
    last = -1
    for group in body[1]:
        if not is_array(group, 3, 3) or not is_number(group[0], members - 1) or group[0] <= last or group[0] == author \
                or not is_number(group[1], 2 ** 63 - 65) or not isinstance(group[2], bytes) \
                or len(group[2]) % 32 or not 32 <= len(group[2]) <= 64 * 32:
            raise Refused('prekeys are not well-formed')
        last = group[0]
        for at in range(0, len(group[2]), 32):
            check_x25519_key(group[2][at:at + 32])


def check_epoch(body, author, members):
    others = [member for member in range(members) if member != author]
    if not has_keys(body, 2) or not is_bytes(body[0], 32) or not is_array(body[1], len(others), len(others)):
        raise Refused('an epoch is not well-formed')
    for member, wrap in zip(others, body[1]):
        if not is_array(wrap, 5, 5) or wrap[0] != member or not is_number(wrap[1], 1) or not is_number(wrap[2]) \
                or wrap[3] != 0 or not is_bytes(wrap[4], 80):
            raise Refused('an epoch is not well-formed')


def is_language(tag):
    """seal.md, "Text files"; or none."""
    return not tag or len(tag) <= 35 and TAG.fullmatch(tag) is not None


def sealed_kind(body, members):
    """What a body that was sealed is shown as; spec/desk.md, "Bodies"."""
    if not has_keys(body, 4) or not is_number(body[0]) or not is_number(body[1]) or not is_number(body[2], 1):
        return 'unknown'
    fields = body[3]
    if body[0] == MESSAGE and has_keys(fields, 2) and isinstance(fields[0], str) and isinstance(fields[1], str) \
            and 1 <= len(fields[0].encode()) <= 60000 and is_language(fields[1]):
        return 'message'
    if body[0] == ACKNOWLEDGEMENT and has_keys(fields, 1) and fields[0] in (1, 2):
        return 'acknowledgement'
    if body[0] == UNREADABLE and has_keys(fields, 1) and is_array(fields[0], 1, 64) and all(
            is_array(part, 3, 3) and is_number(part[0], members - 1) and is_number(part[1], MOST - 1)
            and is_number(part[2], MOST - 1) and part[1] <= part[2] for part in fields[0]):
        return 'unreadable'
    return 'unknown'


class Log:
    """One member's log as it is held: entries, their tree, heads and receipts."""

    def __init__(self, origin, key):
        self.origin, self.key = origin, key
        self.entries, self.leaves = [], []
        self.heads = {}         # size: (root, signature), all verified
        self.settled = set()    # the sizes of settle heads
        self.receipts = {}      # (by, size): (time, signature), all verified
        self.kept = {}          # (by, size): (root, time, signature), receipts for more than is held
        self.early = {}         # index: entry, what overtook

    def size(self):
        return len(self.entries)

    def append(self, entry):
        self.entries.append(entry)
        self.leaves.append(tree.leaf_hash(entry.data))

    def root(self, size=None):
        return tree.root(self.leaves if size is None else self.leaves[:size])

    def take_head(self, size, root, signature):
        """Whether the head is the author's. Refused if it contradicts what is held or was shown."""
        if not note.verify_head(self.key, self.origin, size, root, signature):
            return False
        known = self.heads.get(size)
        if known and known[0] != root or size <= self.size() and self.root(size) != root:
            raise Refused('a head that contradicts another')
        self.heads.setdefault(size, (root, signature))
        return True

    def newest_head(self, sizes=None):
        """The largest head that is held to, as [size, root, signature], or []."""
        size = max((size for size in (self.heads if sizes is None else sizes) if size <= self.size()), default=None)
        return [] if size is None else [size, *self.heads[size]]

    def take_kept(self):
        """The receipts that were kept until the log reached them."""
        for place in [place for place in self.kept if place[1] <= self.size()]:
            root, time, signature = self.kept.pop(place)
            if root == self.root(place[1]):
                self.receipts[place] = (time, signature)

    def newest_end(self):
        """Up to where the log can be sent: entries that a head covers."""
        head = self.newest_head()
        return head[0] if head else 0

    def newest_receipt(self, by):
        """[size, root, by, time, signature] of a member's newest receipt that is held to, or None."""
        size = max((size for who, size in self.receipts if who == by), default=None)
        return None if size is None else [size, self.root(size), by, *self.receipts[by, size]]
