"""What members say to each other over a link, and what each does with it. spec/sync.md."""

import select
import socket
import time

import cbor
import link
import messages
import note
import record
import tree
from crypto import Refused
from messages import ENTRIES, FETCH, HAVE, HELLO, NO_MORE, OVERTAKE, RECEIPT, SETTLE, WANT

TOGETHER = 16384        # bytes of several entries in one message: what a new link may always carry


class OwnHistory(Exception):
    """Others have a head of our own log that we do not hold: it must sign nothing more until a person has looked."""


class Session:
    """One link to another member."""

    def __init__(self, office, wire):
        self.office, self.member, self.wire, self.peer = office, office.member, wire, wire.member
        self.greeted = False
        self.held = [0] * self.member.count       # what the other end is known to hold
        self.sent = [None] * self.member.count    # up to where each log was sent, None if it is not sent
        self.wanted = set()                       # (log, from) that was asked for
        self.void = set()                         # logs of which a false author's entries came
        self.received = []                        # all messages, for the tests
        self.mute = False                         # says nothing of what it holds
        self.send(HELLO, 1, [[number, 0, log.size(), self.highest_head(log)]
                             for number, log in enumerate(self.member.logs)])

    @staticmethod
    def highest_head(log):
        size = max(log.heads, default=None)
        return [] if size is None else [size, *log.heads[size]]

    def send(self, type_, *items, urgent=None):
        urgent = type_ in (HELLO, HAVE, WANT, FETCH, OVERTAKE) if urgent is None else urgent
        self.wire.send('urgent' if urgent else 'bulk', cbor.encode([type_, *items]))

    def poll(self, seconds=0):
        for _, data in self.wire.poll(seconds):
            try:
                self.take(messages.read(data, self.member.count))
            except (Refused, cbor.Malformed) as refusal:
                self.wire.close(str(refusal))
                raise link.Closed(f'we closed: {refusal}') from refusal

    def take(self, items):
        self.received.append(items)
        if (items[0] == HELLO) == self.greeted:
            raise Refused('it greeted twice' if self.greeted else 'it did not greet first')
        handlers = {HELLO: self.take_hello, ENTRIES: self.take_entries, SETTLE: self.take_settle,
                    RECEIPT: self.take_receipt, HAVE: self.take_have, WANT: self.take_want,
                    OVERTAKE: self.take_overtake, FETCH: self.take_fetch}
        handlers[items[0]](*items[1:] if items[0] == HELLO else (items[1], *items[3:]))

    # The greeting.

    def take_hello(self, _, logs):
        self.greeted = True
        for number, _, size, head in logs:
            self.held[number] = size
            if head:
                self.take_head(number, head)
        for number, log in enumerate(self.member.logs):
            self.repeat(number, log)
        self.sent[self.member.me] = min(self.held[self.member.me], self.member.log.size())
        self.send_logs()
        self.ask()

    def repeat(self, number, log):
        """What the other may have missed of a log: its newest settle head and the newest receipts."""
        head = log.newest_head(log.settled)
        if head and number != self.peer and (number != self.member.me or self.held[number] >= head[0]):
            self.send(SETTLE, number, 0, head)
        if number != self.member.me and log.newest_head():
            self.member.receipt(number, log.newest_head()[0])
        for by in range(self.member.count):
            receipt = log.newest_receipt(by)
            if receipt and by != self.peer:
                self.send(RECEIPT, number, 0, *receipt, urgent=True)

    def ask(self):
        """WANT of the logs whose author is not linked and of which the other has more."""
        linked = {session.peer for session in self.office.sessions} | {self.member.me, self.peer}
        for number, log in enumerate(self.member.logs):
            asked = any(place[0] == number for place in self.wanted)
            if number not in linked and not asked and self.held[number] > log.size():
                self.want(number)

    def want(self, number):
        place = number, self.member.logs[number].size()
        if place not in self.wanted:
            self.wanted.add(place)
            self.send(WANT, number, 0, place[1])

    # What goes out.

    def send_logs(self):
        if self.greeted:
            for number, at in enumerate(self.sent):
                while at is not None and at < self.member.logs[number].newest_end():
                    at = self.sent[number] = self.send_entries(number, at)

    def send_entries(self, number, first):
        """One ENTRIES message under the newest head; where it ended."""
        log = self.member.logs[number]
        head = log.newest_head()
        end, size = first + 1, len(log.entries[first].data)
        while end < head[0] and size + len(log.entries[end].data) <= TOGETHER:
            size += len(log.entries[end].data)
            end += 1
        proof = tree.consistency_proof(log.leaves[:head[0]], end) if end < head[0] else []
        self.send(ENTRIES, number, 0, first, [entry.data for entry in log.entries[first:end]], head,
                  int(head[0] in log.settled), proof)
        return end

    def overtake(self, index):
        """Sends an entry of the own log before its turn."""
        log, base = self.member.log, self.held[self.member.me]
        size = log.size()
        self.send(OVERTAKE, self.member.me, 0, index, log.entries[index].data, log.newest_head(),
                  tree.inclusion_proof(log.leaves, index), base, tree.consistency_proof(log.leaves[:size], base))

    def tell_held(self, number):
        """Of a log that grew: a receipt to its author where a head ends with it, else HAVE."""
        log = self.member.logs[number]
        if self.mute:
            return
        if number == self.peer and log.size() in log.heads:
            self.send(RECEIPT, number, 0, *self.member.receipt(number, log.size()), urgent=True)
        else:
            self.send(HAVE, number, 0, log.size())

    def pass_receipts(self, number, head):
        """With a settle head go the receipts of others on it that are held."""
        size, root, _ = head
        for (by, at), (time_, signature) in list(self.member.logs[number].receipts.items()):
            if at == size and by not in (self.member.me, self.peer):
                self.send(RECEIPT, number, 0, size, root, by, time_, signature)

    # What comes in.

    def take_head(self, number, head):
        log = self.member.logs[number]
        size, root, signature = head
        if not note.verify_head(log.key, log.origin, size, root, signature):
            raise Refused('it sent a head that its author did not sign')
        if number == self.member.me and size > log.size():
            raise OwnHistory('this member was restored from an older copy, or runs twice')
        try:
            log.take_head(size, root, signature)
            return True
        except Refused as refusal:
            self.two_histories(number, refusal)
            return False

    def two_histories(self, number, refusal):
        self.member.alarms.append(f'{self.member.charter.cards[number].name} shows two histories: {refusal}')
        if number == self.peer:
            raise Refused(f'its log: {refusal}')
        self.void.add(number)
        self.send(WANT, number, 0, NO_MORE)

    def take_entries(self, number, first, entries, head, settle, hashes):
        log, end = self.member.logs[number], first + len(entries)
        self.held[number] = max(self.held[number], end)
        if number == self.member.me or number in self.void:
            return
        if first > log.size():
            self.want(number)
        elif end <= log.size():
            self.send(HAVE, number, 0, log.size())
            if settle:
                self.take_settle(number, head)
        else:
            self.accept(number, entries[log.size() - first:], head, settle, hashes)

    def accept(self, number, entries, head, settle, hashes):
        log = self.member.logs[number]
        if not note.verify_head(log.key, log.origin, *head):
            raise Refused('it sent a head that its author did not sign')
        leaves = log.leaves + [tree.leaf_hash(data) for data in entries]
        if not tree.is_consistent(len(leaves), tree.root(leaves), head[0], head[1], hashes):
            return self.two_histories(number, 'the entries it sent are not those its head commits to')
        for size, (root, _) in log.heads.items():
            if log.size() < size <= len(leaves) and tree.root(leaves[:size]) != root:
                return self.two_histories(number, 'it does not lead to a head it signed before')
        if not self.take_head(number, head):
            return None
        for data in entries:
            self.member.take(number, data)
        log.take_kept()
        return self.office.grew(number, head, settle)

    def take_settle(self, number, head):
        log = self.member.logs[number]
        self.held[number] = max(self.held[number], head[0])
        if self.take_head(number, head) and head[0] not in log.settled:
            log.settled.add(head[0])
            if head[0] <= log.size() and number != self.member.me:
                self.office.settled(number, head, self)

    def take_receipt(self, number, size, root, by, time_, signature):
        log = self.member.logs[number]
        if by == self.peer:
            self.held[number] = max(self.held[number], size)
        if by == self.member.me or (by, size) in log.receipts:
            return
        card, name = self.member.charter.cards[by], log.origin
        if not note.verify_receipt(card.receipt, name, size, root, time_, signature):
            raise Refused('it sent a receipt that does not verify')
        if size > log.size():
            log.kept[by, size] = (root, time_, signature)
        elif root == log.root(size):
            log.receipts[by, size] = (time_, signature)
            if log.newest_head(log.settled)[:1] == [size]:
                self.office.tell_others(self, by, RECEIPT, number, 0, size, root, by, time_, signature)

    def take_have(self, number, size):
        self.held[number] = max(self.held[number], size)
        self.ask()

    def take_want(self, number, first):
        self.sent[number] = first if first <= self.member.logs[number].size() and number != self.peer else None
        self.send_logs()

    def take_overtake(self, number, index, data, head, path, base, hashes):
        log, leaf = self.member.logs[number], tree.leaf_hash(data)
        if index < log.size() or index in log.early or not 0 < base <= log.size():
            return
        if not tree.is_included(leaf, index, head[0], path, head[1]) \
                or not tree.is_consistent(base, log.root(base), head[0], head[1], hashes):
            raise Refused('it sent an overtaking entry whose proof does not hold')
        if self.take_head(number, head):
            entry = log.early[index] = record.read_entry(data, number, self.member.count)
            self.member.show(number, index, entry, early=True)
            self.member.say_held(number, index, leaf)

    def take_fetch(self, number, index):
        log = self.member.logs[number]
        if index < log.size():
            head = log.newest_head()
            self.send(OVERTAKE, number, 0, index, log.entries[index].data, head,
                      tree.inclusion_proof(log.leaves[:head[0]], index), 0, [])


class Office:
    """A member with its links: dials, listens, and lets time pass."""

    def __init__(self, member):
        self.member, self.sessions, self.ended = member, [], []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]

    def dial(self, port, peer, frame_class=1):
        stream = socket.create_connection(('127.0.0.1', port), timeout=10)
        member = self.member
        wire = link.dial(stream, member.link_keys, member.me, member.identity.link, peer, frame_class,
                         member.next_counter())
        self.sessions.append(Session(self, wire))
        return self.sessions[-1]

    def answer(self):
        stream, member = self.listener.accept()[0], self.member
        try:
            wire = link.answer(stream, member.link_keys, member.me, member.identity.link, member.counters)
        except (Refused, link.Closed):
            stream.close()
            return
        self.sessions.append(Session(self, wire))

    def pump(self, until, seconds=15):
        """Lets the links work until something holds; whether it came to hold."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                return False
            self.step()
        return True

    def step(self):
        self.member.say_unreadable()
        self.flag()
        for session in self.sessions:
            session.send_logs()
        streams = [self.listener, *(session.wire.stream for session in self.sessions)]
        ready = select.select(streams, [], [], 0.05)[0]
        if self.listener in ready:
            self.answer()
        for session in list(self.sessions):
            try:
                session.poll()
            except link.Closed as reason:
                self.sessions.remove(session)
                self.ended.append(str(reason))

    def flag(self):
        """Flags the newest own head as settle, at most once a second."""
        log, now = self.member.log, time.monotonic()
        head = log.newest_head()
        if not head or head[0] in log.settled or now - self.member.last_settle < 1:
            return
        self.member.last_settle = now
        log.settled.add(head[0])
        for session in self.sessions:
            if session.greeted and (session.sent[self.member.me] or 0) >= head[0]:
                session.send(SETTLE, self.member.me, 0, head)
                session.pass_receipts(self.member.me, head)

    def grew(self, number, head, settle):
        """Entries of another are held now."""
        log = self.member.logs[number]
        for session in self.sessions:
            if session.greeted:
                session.tell_held(number)
        if settle:
            log.settled.add(head[0])
        for size in sorted(size for size in log.settled if size <= log.size()):
            if (self.member.me, size) not in log.receipts or size == head[0] and settle:
                self.settled(number, [size, *log.heads[size]], None)

    def settled(self, number, head, source):
        """A settle head is held to: it goes on, and everybody gets our receipt on it."""
        receipt = self.member.receipt(number, head[0])
        for session in self.sessions:
            if session.greeted and session.peer != number and session is not source:
                session.send(SETTLE, number, 0, head)
                session.pass_receipts(number, head)
        for session in self.sessions:
            if session.greeted and not session.mute:
                session.send(RECEIPT, number, 0, *receipt, urgent=session.peer == number)

    def tell_others(self, source, by, *items):
        for session in self.sessions:
            if session.greeted and session is not source and session.peer != by:
                session.send(*items)

    def hang_up(self, reason='good night'):
        for session in self.sessions:
            session.wire.close(reason)
        self.sessions.clear()

    def close(self):
        self.hang_up()
        self.listener.close()
