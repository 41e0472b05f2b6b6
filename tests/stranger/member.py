"""A member of a line: what it writes, receipts, opens and shows. spec/record.md, spec/desk.md. It keeps everything in
memory: a program for tests, which never outlives what it said."""

import dataclasses
import os
import time

import cbor
import note
import record
import sealing
from crypto import Refused, x25519_public
from link import Keys
from record import ACKNOWLEDGEMENT, CHARTER, EPOCH, HELD, LEAVE, MESSAGE, PREKEYS, SEALED, UNREADABLE
from texts import Charter


@dataclasses.dataclass
class Shown:
    """An entry as people see it."""
    kind: str
    body: object = None
    early: bool = False

    def text(self):
        return self.body[3][0]


class Member:
    def __init__(self, identity, charter_text, courier_key):
        self.identity, self.charter = identity, Charter(charter_text)
        self.me = self.charter.member(identity.name)
        self.count = len(self.charter.cards)
        self.logs = [record.Log(origin, card.log) for origin, card in zip(self.charter.origins, self.charter.cards)]
        self.log = self.logs[self.me]
        self.wrap_psk = self.charter.subkey(courier_key, 'wrap')
        self.link_keys = Keys(self.charter.id, self.charter.subkey(courier_key, 'link'),
                              [card.link for card in self.charter.cards])
        self.prekeys = {}       # (author, id): secret, one's own that are not used yet
        self.next_id = [0] * self.count
        self.offered = [{} for _ in range(self.count)]     # of each member: id: key, what it published for us
        self.secrets = {}       # (author, epoch): S
        self.sources = {}       # (author, epoch): whether our wrap was to a prekey
        self.epoch = None       # one's own epoch in use
        self.last_epoch = 0
        self.standing = set()   # who said that it cannot read us: its next wrap is to its standing key
        self.unread = []        # [member, first, last] that do not open, to be said
        self.unread_epochs = set()
        self.claimed = {}       # member: the size in one's own last `seen`
        self.shown = {}         # (author, index): Shown
        self.alarms = []        # sentences
        self.last_time = 0
        self.last_settle = 0.0
        self.counters = {}      # member: the highest handshake counter that came
        self.sent_counter = 0

    # What it writes.

    def consent(self):
        """Entries 0 and 1; record.md, "Consent"."""
        self.write(CHARTER, cbor.encode(self.charter.text.encode()))
        self.publish_prekeys()

    def publish_prekeys(self, voids=0, count=8):
        groups = []
        if voids:
            self.prekeys.clear()
        for author in range(self.count):
            if author != self.me:
                secrets = [os.urandom(32) for _ in range(count)]
                first = self.next_id[author]
                self.next_id[author] += count
                self.prekeys.update({(author, first + at): secret for at, secret in enumerate(secrets)})
                groups.append([author, first, b''.join(map(x25519_public, secrets))])
        return self.write(PREKEYS, cbor.encode({0: voids, 1: groups}))

    def seen(self):
        """The logs that grew since the author's last entry, with the root of what is held."""
        claims = [[member, log.size(), log.root()] for member, log in enumerate(self.logs)
                  if member != self.me and log.size() > self.claimed.get(member, 0)]
        self.claimed.update({member: size for member, size, _ in claims})
        return claims

    def write(self, class_, body, epoch=0, precedence=0, references=(), seen=None):
        """Appends an entry to the own log and signs a head. Of a sealed one `body` is called with the header."""
        seen = self.seen() if seen is None else seen
        header = record.header(class_, epoch, precedence, seen, references)
        data = body(header) if callable(body) else header + body
        entry = record.read_entry(data, self.me, self.count)
        self.log.append(entry)
        self.sign_head(self.log.size())
        self.shown[self.me, self.log.size() - 1] = Shown(entry.kind())
        return self.log.size() - 1

    def sign_head(self, size):
        root = self.log.root(size)
        self.log.heads[size] = (root, note.sign_head(self.identity.log, self.log.origin, size, root))

    def begin_epoch(self):
        """A fresh secret, wrapped to a prekey of each member that has one left, else to the standing key."""
        self.last_epoch += 1
        self.epoch, secret = self.last_epoch, os.urandom(32)
        wraps = [self.wrap(member, secret) for member in range(self.count) if member != self.me]
        self.standing.clear()
        self.secrets[self.me, self.epoch] = secret
        commitment = sealing.epoch_commitment(self.charter.origin_hashes[self.me], self.epoch, secret)
        return self.write(EPOCH, cbor.encode({0: commitment, 1: wraps}), self.epoch)

    def wrap(self, member, secret):
        source, number, key = 0, 0, self.charter.cards[member].sealing
        if self.offered[member] and member not in self.standing:
            source, number = 1, min(self.offered[member])
            key = self.offered[member].pop(number)
        message = sealing.wrap(self.charter, self.wrap_psk, self.me, self.identity.sealing, member, self.epoch, source,
                               number, key, secret)
        return [member, source, number, 0, message]

    def seal(self, kind, fields, precedence=0, references=(), exercise=0):
        if self.epoch is None:
            self.begin_epoch()
        return self.seal_body(kind, fields, precedence, references, exercise)

    def seal_body(self, kind, fields, precedence=0, references=(), exercise=0, seen=None):
        body = {0: kind, 1: int(time.time()), 2: exercise, 3: fields}
        place = self.charter.origin_hashes[self.me], self.epoch, self.log.size()
        secret = self.secrets[self.me, self.epoch]
        index = self.write(SEALED, lambda header: sealing.seal_entry(secret, *place, header, body), self.epoch,
                           precedence, references, seen)
        self.shown[self.me, index] = Shown(record.sealed_kind(body, self.count), body)
        return index

    def say(self, text, language='en', precedence=0, answers=None):
        return self.seal(MESSAGE, {0: text, 1: language}, precedence, [self.cite(*answers)] if answers else [])

    def acknowledge(self, places, role=1):
        return self.seal(ACKNOWLEDGEMENT, {0: role}, references=[self.cite(*place) for place in places])

    def say_unreadable(self):
        """Says once an epoch what does not open; desk.md, "Bodies"."""
        ranges, self.unread = self.unread, []
        if ranges:
            self.seal(UNREADABLE, {0: ranges})

    def leave(self):
        return self.write(LEAVE, cbor.encode({}))

    def say_held(self, member, index, data_leaf):
        return self.write(HELD, cbor.encode([[member, index, data_leaf]]))

    def cite(self, member, index):
        return [member, index, self.logs[member].leaves[index]]

    # What it does with the entries of others.

    def receipt(self, member, size):
        """One's own receipt on a head that is held to, [size, root, by, time, signature], made where there is none."""
        log = self.logs[member]
        if (self.me, size) not in log.receipts:
            self.last_time = max(self.last_time, int(time.time()))
            signature = note.sign_receipt(self.identity.receipt, log.origin, size, log.root(size), self.last_time)
            log.receipts[self.me, size] = (self.last_time, signature)
        return [size, log.root(size), self.me, *log.receipts[self.me, size]]

    def take(self, member, data):
        """One more entry of another's log, proved to be of it: it counts, whatever it holds."""
        log = self.logs[member]
        entry = record.read_entry(data, member, self.count)
        index = log.size()
        log.append(entry)
        log.early.pop(index, None)
        self.show(member, index, entry)

    def show(self, member, index, entry, early=False):
        shown = Shown(entry.kind(), entry.body, early)
        try:
            if shown.kind == 'prekeys':
                self.take_prekeys(member, entry.body)
            elif shown.kind == 'epoch':
                self.take_epoch(member, entry)
            elif shown.kind == 'sealed':
                shown = Shown('unknown', None, early)
                shown.body = self.open(member, index, entry)
                shown.kind = record.sealed_kind(shown.body, self.count)
                self.heed(member, shown)
        except Refused as refusal:
            if entry.class_ == SEALED:
                shown.kind = 'sealed'
                self.note_unread(member, index, entry.epoch)
            self.alarms.append(f'{self.charter.cards[member].name}/{index} does not open: {refusal}')
        self.shown[member, index] = shown

    def note_unread(self, member, index, epoch):
        if (member, epoch) not in self.unread_epochs:
            self.unread_epochs.add((member, epoch))
            self.unread.append([member, index, index])

    def heed(self, member, shown):
        """Who cannot read what we wrote gets a new epoch, by its standing key."""
        if shown.kind == 'unreadable' and any(part[0] == self.me for part in shown.body[3][0]):
            self.epoch = None
            self.standing.add(member)

    def open(self, member, index, entry):
        secret = self.secrets.get((member, entry.epoch))
        if secret is None:
            raise Refused('no secret of its epoch is held')
        place = self.charter.origin_hashes[member], entry.epoch, index
        return cbor.decode(sealing.open_entry(secret, *place, entry.data, entry.header_size))

    def take_prekeys(self, member, body):
        if body[0]:
            self.offered[member].clear()
        for author, first, keys in body[1]:
            if author == self.me:
                self.offered[member].update({first + at // 32: keys[at:at + 32] for at in range(0, len(keys), 32)})

    def take_epoch(self, member, entry):
        _, source, number, _, message = next(wrap for wrap in entry.body[1] if wrap[0] == self.me)
        secret = self.prekeys.get((member, number)) if source else self.identity.sealing
        if secret is None:
            raise Refused('it is wrapped to a prekey that is not held')
        opened = sealing.unwrap(self.charter, self.wrap_psk, member, self.me, entry.epoch, source, number, secret,
                                message)
        if sealing.epoch_commitment(self.charter.origin_hashes[member], entry.epoch, opened) != entry.body[0]:
            raise Refused('its secret is not the one committed to')
        self.secrets[member, entry.epoch] = opened
        self.sources[member, entry.epoch] = source
        if source:
            del self.prekeys[member, number]

    def newest_receipt(self, by):
        """The largest size of the own log that a member receipted."""
        return max((size for who, size in self.log.receipts if who == by), default=0)

    def next_counter(self):
        """link.md, "Counter"."""
        self.sent_counter = max(self.sent_counter + 1, time.time_ns() // 1000)
        return self.sent_counter
