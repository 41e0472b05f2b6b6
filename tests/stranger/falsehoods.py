"""What is false is refused: by the stranger, byte by byte, and by a real office, which shows nothing of it."""

import contextlib
import copy
import socket
import time

import audit
import cbor
import link
import lines
import messages
import noise
import note
import record
import sealing
import texts
import tree
from crypto import Refused, sha256
from member import Member, Shown
from real import RealOffice
from sync import Office, Session


class NoWire:
    """In place of a link: what came over one is told again, with changes."""

    def __init__(self, member):
        self.member = member

    def send(self, lane, message):
        pass


class Alone:
    """An office of one session."""

    def __init__(self, member):
        self.member, self.sessions = member, []

    def grew(self, number, head, settle):
        if settle:
            self.member.logs[number].settled.add(head[0])

    def settled(self, *_):
        pass

    def tell_others(self, *_):
        pass


@contextlib.contextmanager
def line_with(programs, folder):
    """A real office, and a stranger that is linked to it."""
    office = RealOffice(programs, folder, 'washington.example')
    stranger = None
    try:
        office.start()
        (stranger,), _ = lines.found_by(office, [texts.new_identity('stranger.example')])
        stranger.member.consent()
        stranger.real = office
        yield office, stranger
    finally:
        if stranger:
            stranger.close()
        office.stop()


# Taken from an office.

def taken_from_an_office(tap, programs, folder):
    with line_with(programs, folder) as (office, stranger):
        member = stranger.member
        before = copy.deepcopy(member)
        session = stranger.dial(office.port, 0)
        stranger.pump(lambda: lines.is_settled(stranger))
        index = lines.send(office, 'What is true')
        member.say('What we say')
        stranger.pump(lambda: lines.is_settled(stranger))
        change_each(tap, before, member, session.received)
        change_sealed(tap, member, index)
        change_held(tap, member)
        change_frames(tap)


def change_each(tap, before, member, received):
    told = tell(before, member, received)
    tap.equal(told.logs[0].root(), member.logs[0].root(), 'what came is taken when it is told again')
    counts, known = {}, set()
    for at, items in enumerate(received):
        for what, false in changes(items, known):
            counts.setdefault(what, [0, 0])[0] += 1
            counts[what][1] += is_refused(before, member, received[:at], false)
    for what, (tried, refused) in sorted(counts.items()):
        tap.ok(tried == refused, f'one bit changed in {what}: all {tried} are refused here', f'{refused} are')


def tell(before, member, received):
    """A member that heard only this."""
    again = copy.deepcopy(before)
    again.logs[again.me] = again.log = copy.deepcopy(member.log)
    again.log.receipts.clear()
    session = Session(Alone(again), NoWire(0))
    for items in received:
        session.take(items)
    again.session = session
    return again


def is_refused(before, member, received, false):
    again = tell(before, member, received)
    held, shown = [log.size() for log in again.logs], dict(again.shown)
    try:
        again.session.take(messages.read(cbor.encode(false), again.count))
    except Refused:
        return held == [log.size() for log in again.logs] and shown == again.shown
    return False


def changes(items, known):
    """Pairs of what was changed, and the message with one bit changed there."""
    if items[0] == messages.ENTRIES:
        for number, entry in enumerate(items[4]):
            for at in (0, len(entry) // 2, -1):
                yield 'an entry', put(items, (4, number), audit.changed(entry, at))
        yield "a head's root", put(items, (5, 1), audit.changed(items[5][1], 7))
        yield "a head's signature", put(items, (5, 2), audit.changed(items[5][2], 7))
    elif items[0] == messages.SETTLE:
        yield "a settle head's root", put(items, (3, 1), audit.changed(items[3][1], 7))
        yield "a settle head's signature", put(items, (3, 2), audit.changed(items[3][2], 60))
    elif items[0] == messages.HELLO:
        yield "a greeting's head", put(items, (2, 0, 3, 2), audit.changed(items[2][0][3][2], 7))
    elif items[0] == messages.RECEIPT and (items[5], items[3]) not in known:
        known.add((items[5], items[3]))
        yield "a receipt's time", put(items, (6,), items[6] ^ 1)
        yield "a receipt's root", put(items, (4,), audit.changed(items[4], 7))
        yield "a receipt's signature", put(items, (7,), audit.changed(items[7], 7))


def put(items, path, value):
    false = copy.deepcopy(items)
    place = false
    for at in path[:-1]:
        place = place[at]
    place[path[-1]] = value
    return false


def change_sealed(tap, member, index):
    """Were the entry signed as it is, it would not open."""
    log, place = member.logs[0], (member.charter.origin_hashes[0], 1, index)
    entry, secret = log.entries[index], member.secrets[0, 1]
    places = list(range(0, len(entry.data), 5)) + [len(entry.data) - 1]
    refused = 0
    for at in places:
        try:
            sealing.open_entry(secret, *place, audit.changed(entry.data, at), entry.header_size)
        except Refused:
            refused += 1
    tap.equal(refused, len(places), f'one bit changed in a sealed entry, at {len(places)} places: it does not open')
    for change in ((place[0], 1, index + 1), (place[0], 2, index), (sha256(b''), 1, index)):
        tap.refused(lambda p=change: sealing.open_entry(secret, *p, entry.data, entry.header_size), Refused,
                    'nor at another place')


def change_held(tap, member):
    tap.equal(audit.audit(member.logs, member.charter), [], 'the record is proved')
    for what, change in (('an entry', change_entry), ('a head', change_head), ('a receipt', change_receipt)):
        logs = copy.deepcopy(member.logs)
        change(logs[0])
        tap.ok(audit.audit(logs, member.charter), f'and is not with one bit changed in {what}')


def change_entry(log):
    log.leaves[1] = tree.leaf_hash(audit.changed(log.entries[1].data, 100))


def change_head(log):
    size = max(log.heads)
    log.heads[size] = (log.heads[size][0], audit.changed(log.heads[size][1], 40))


def change_receipt(log):
    place = max(log.receipts)
    log.receipts[place] = (log.receipts[place][0] + 1, log.receipts[place][1])


def change_frames(tap):
    frames = noise.Direction(bytes(32)).encrypt(bytes(240))
    events = [link.Reader(noise.Direction(bytes(32)), 256).feed(audit.changed(frames, at)) for at in range(256)]
    tap.ok(all(event == [('fault', 'a frame is not authentic')] for event in events), 'nor is a frame, at any byte')


# Told to an office.

def told_to_an_office(tap, programs, folder):
    with line_with(programs, folder) as (office, stranger):
        office.run('link', 'add', 'talks', 'stranger', f'tcp://127.0.0.1:{stranger.port}')
        stranger.pump(lambda: any(session.greeted for session in stranger.sessions))
        stranger.member.say('What is true')
        stranger.pump(lambda: lines.is_settled(stranger))
        silent(tap, office, stranger)
        for name, sentence, falsehood in FALSEHOODS:
            tell_false(tap, office, stranger, name, sentence, falsehood)
        unopened(tap, office, stranger)
        void_claims(tap, office, stranger)
        tap.equal(audit.audit(stranger.member.logs, stranger.member.charter), [], 'what both hold is proved after all')
        fork(tap, office, stranger)


def silent(tap, office, stranger):
    """Before the handshake is through nobody is told anything."""
    member = stranger.member
    stranger_keys = copy.copy(member.link_keys)
    stranger_keys.psk = bytes(32)
    for what, keys, secret in (('another courier key', stranger_keys, member.identity.link),
                               ('another link secret', member.link_keys, bytes(range(32)))):
        with socket.create_connection(('127.0.0.1', office.port)) as stream:
            initiator = link.Initiator(keys, member.me, secret, keys.link_keys[0])
            stream.sendall(initiator.message_1(1, member.next_counter()))
            stream.settimeout(1)
            tap.refused(lambda s=stream: s.recv(1), TimeoutError, f'{what} is met with silence')


def tell_false(tap, office, stranger, name, sentence, falsehood):
    member = stranger.member
    shown = lines.rows_of(office)
    if not stranger.pump(lambda: any(session.greeted for session in stranger.sessions)):
        tap.ok(False, f'{name}: the real office links again')
        return
    stranger.ended.clear()
    falsehood(stranger, stranger.sessions[0])
    stranger.pump(lambda: stranger.ended)
    tap.ok(any(sentence in reason for reason in stranger.ended), f'{name}: the real office ends the link', stranger.ended)
    stranger.sessions.clear()
    own = [row for row in shown if row[0] == member.identity.name]
    tap.equal([row for row in lines.rows_of(office) if row[0] == member.identity.name], own, 'and shows nothing of it')


def next_entry(member):
    """An entry that was never said, with the root of the log that it would make."""
    data = sealing.seal_entry(member.secrets[member.me, member.epoch], member.charter.origin_hashes[member.me], member.epoch,
                              member.log.size(), record.header(record.SEALED, member.epoch), {
                                  0: 1, 1: int(time.time()), 2: 0, 3: {0: 'What is false', 1: 'en'}})
    return data, tree.root(member.log.leaves + [tree.leaf_hash(data)])


def send_next(session, data, root, signature):
    member = session.member
    size = member.log.size()
    session.send(messages.ENTRIES, member.me, 0, size, [data], [size + 1, root, signature], 0, [])


def head_signature(member, size, root):
    return note.sign_head(member.identity.log, member.log.origin, size, root)


def unsigned_head(_, session):
    data, root = next_entry(session.member)
    send_next(session, data, root, audit.changed(head_signature(session.member, session.member.log.size() + 1, root), 3))


def changed_entry(_, session):
    data, root = next_entry(session.member)
    send_next(session, audit.changed(data, -1), root, head_signature(session.member, session.member.log.size() + 1, root))


def head_of_another(_, session):
    member = session.member
    data, root = next_entry(member)
    signature = note.sign_head(member.identity.log, member.logs[0].origin, member.log.size() + 1, root)
    send_next(session, data, root, signature)


def false_proof(_, session):
    """Entries below a head that they do not lead to."""
    member = session.member
    data, root = next_entry(member)
    size = member.log.size()
    session.send(messages.ENTRIES, member.me, 0, size, [data], [size + 2, root, head_signature(member, size + 2, root)], 0,
                 [root])


def false_receipt(stranger, session):
    member, log = session.member, session.member.logs[0]
    session.mute = True
    index = lines.send(session.office.real, 'What has no receipt yet')
    stranger.pump(lambda: log.size() > index)
    time_ = int(time.time())
    signature = note.sign_receipt(member.identity.receipt, log.origin, log.size(), log.root(), time_)
    session.send(messages.RECEIPT, 0, 0, log.size(), log.root(), member.me, time_ + 1, signature)


def malformed(_, session):
    session.wire.send('bulk', cbor.encode([messages.HAVE, 0, 0, 2 ** 40 + 1]))


def greeting_again(_, session):
    session.send(messages.HELLO, 1, [[0, 0, 0, []], [1, 0, 0, []]])


def false_frame(_, session):
    session.wire.send_bytes(bytes(1024))


def false_overtaking(_, session):
    member = session.member
    data, root = next_entry(member)
    size = member.log.size() + 1
    session.send(messages.OVERTAKE, member.me, 0, size, data, [size + 1, root, head_signature(member, size + 1, root)], [root],
                 member.log.size(), [root])


FALSEHOODS = (
    ('a head with a false signature', 'it sent a head that its author did not sign', unsigned_head),
    ("a head signed under another log's origin", 'it sent a head that its author did not sign', head_of_another),
    ('a receipt with another time than was signed', 'it sent a receipt that does not verify', false_receipt),
    ('a message out of its limits', 'a HAVE message is not well-formed', malformed),
    ('a second greeting', 'it greeted twice', greeting_again),
    ('a frame of zeros', 'the stream ended', false_frame),
    ('an overtaking entry with a false proof', 'it sent an overtaking entry whose proof does not hold', false_overtaking),
    ('an entry with one bit changed', 'the entries it sent are not those its head commits to', changed_entry),
    ('entries with a false proof', 'the entries it sent are not those its head commits to', false_proof),
)


def seal_falsely(member, text, change):
    """Appends a message whose padded body or sealed entry was changed, as its author alone can."""
    place = member.charter.origin_hashes[member.me], member.epoch, member.log.size()
    body = cbor.encode({0: 1, 1: int(time.time()), 2: 0, 3: {0: text, 1: 'en'}})
    secret = member.secrets[member.me, member.epoch]
    return member.write(record.SEALED, lambda header: change(secret, place, header, body), member.epoch)


def more_padding(secret, place, header, body):
    return sealing.seal_padded(secret, *place, header, body.ljust(512, b'\x00'))


def padding_of_ones(secret, place, header, body):
    return sealing.seal_padded(secret, *place, header, body.ljust(256, b'\x01'))


def false_commitment(secret, place, header, body):
    data = sealing.seal_padded(secret, *place, header, body.ljust(256, b'\x00'))
    return audit.changed(data, len(header) + 16)


def at_another_place(secret, place, header, body):
    return sealing.seal_padded(secret, place[0], place[1], place[2] + 1, header, body.ljust(256, b'\x00'))


def unopened(tap, office, stranger):
    """Signed, so it counts; but it does not open, and nothing of it is shown."""
    member = stranger.member
    for name, change in (('more padding than is due', more_padding), ('padding that is not zero', padding_of_ones),
                         ('a false key commitment', false_commitment), ('sealed for another place', at_another_place)):
        member.begin_epoch()
        index = seal_falsely(member, 'What is false', change)
        stranger.pump(lambda i=index: member.newest_receipt(0) > i and member.epoch is None)
        row = lines.row_of(office, member.identity.name, index)
        tap.equal((row['kind'], row['readable'], row.get('text')), ('sealed', False, None), f'{name}: it is shown as sealed')
        tap.ok(kinds_about(member, index), 'and the real office says in the line that it cannot read it')
    tap.ok('What is false' not in office.run('read', 'talks', '--all'), 'nothing of what is false is shown')


def kinds_about(member, index):
    return [shown for (author, _), shown in member.shown.items()
            if author == 0 and shown.kind == 'unreadable' and [member.me, index, index] in shown.body[3][0]]


def void_claims(tap, office, stranger):
    """False claims in `seen` and `re` are void: the entry stands, and the order is as if they were not there."""
    member, log = stranger.member, stranger.member.logs[0]
    stranger.pump(lambda: lines.is_settled(stranger))
    named = log.size() - 1
    index = member.say('before')
    claims = (([[0, log.size(), bytes(32)]], []), ([], [[0, named, bytes(32)]]), ([[0, 1, log.root(1)]], []))
    for seen, references in claims:
        index = member.seal_body(record.MESSAGE, {0: 'claims what is false', 1: 'en'}, references=references, seen=seen)
    tap.ok(stranger.pump(lambda: member.newest_receipt(0) > index and lines.is_settled(stranger)),
           'entries with a false root, a false leaf and a falling size in their claims stand')
    tap.equal(lines.rows_of(office), lines.rows_here(member), 'and are ordered as if these were not there')
    row = lines.row_of(office, office.name, named)
    tap.ok(row['state'] != 'answered', 'what they name falsely is not answered')
    # Of a void `re` the real office shows the place all the same, as if that entry had been named.
    shown = lines.row_of(office, member.identity.name, index - 1)['answers']
    tap.ok(shown is None, 'nor shown as what is answered # TODO a void claim counts as if it were not there')
    tap.ok('that claim is void' in office.load('log'), 'and the real office reports it')


def fork(tap, office, stranger):
    """Two heads of one size, both signed."""
    member, session = stranger.member, stranger.sessions[0]
    size = member.log.size()
    session.send(messages.SETTLE, member.me, 0, [size, bytes(32), head_signature(member, size, bytes(32))])
    tap.ok(stranger.pump(lambda: any('two histories' in sentence for sentence in office.status()['alarms'])),
           'two heads of one size raise an alarm')


# A ring of references.

def in_a_ring(tap, programs, folder):
    """spec/record.md, "Order": false members let their entries name each other in a ring."""
    office = RealOffice(programs, folder, 'washington.example')
    strangers = []
    try:
        office.start()
        strangers = found_among_false(office)
        for stranger in strangers:
            stranger.member.consent()
        name_in_a_ring([stranger.member for stranger in strangers])
        for stranger in strangers:
            stranger.dial(office.port, 3)
        tap.ok(pump_all(strangers, lambda: all(log.size() >= 6 for log in strangers[0].member.logs[:3])
                        and lines.is_settled(strangers[0])), 'three false members let their entries name each other')
        tap.equal(lines.rows_of(office), lines.rows_here(strangers[0].member), 'the order is what the page says')
    finally:
        for stranger in strangers:
            stranger.close()
        office.stop()


def found_among_false(office):
    identities, key = [texts.new_identity(f'{name}.example') for name in ('anne', 'bob', 'carl')], sha256(b'key')
    charter = texts.found('talks', [identity.card() for identity in identities] + [texts.read_card(office.run('card'))], key)
    strangers = [Office(Member(identity, charter, key)) for identity in identities]
    key_file = office.save('talks.key', texts.write_courier_key(strangers[0].member.charter.id, key))
    office.run('line', 'join', office.save('talks.charter', charter), '--key', key_file)
    return strangers


# Of each false member what its entries from number 2 on name: ([(member, size), ...] in `seen`, [(member, index), ...] in
# `re`). First anne waits for a ring of bob and carl, whose entry names bob before anne; then anne and bob are a ring, since
# anne waits for what it has seen before what it names.
NOTHING = ((), ())
RINGS = (
    (((), ((1, 3),)), NOTHING, (((1, 6),), ((2, 5),)), NOTHING),
    (((), ((2, 3),)), NOTHING, ((), ((0, 5),)), NOTHING),
    (((), ((1, 3), (0, 3))), NOTHING, ((), ((1, 5),)), NOTHING),
)


def name_in_a_ring(members):
    """Leaves do not hang on each other, so the entries that are named are made first."""
    entries = {(member.me, index): entry.data for member in members for index, entry in enumerate(member.log.entries)}

    def leaf(member, index):
        if (member, index) not in entries:
            entries[member, index] = make(*RINGS[member][index - 2])
        return tree.leaf_hash(entries[member, index])

    def make(seen, references):
        claims = [[member, size, tree.root([leaf(member, index) for index in range(size)])] for member, size in seen]
        places = [[member, index, leaf(member, index)] for member, index in references]
        return record.header(63, seen=claims, references=places) + cbor.encode({})

    for member in members:
        for index in range(2, 2 + len(RINGS[member.me])):
            leaf(member.me, index)
            member.log.append(record.read_entry(entries[member.me, index], member.me, member.count))
            member.sign_head(member.log.size())
            member.shown[member.me, index] = Shown('unknown')


def pump_all(strangers, until, seconds=20):
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        for stranger in strangers:
            stranger.step()
    return True
