"""What a real office said is told to the stranger again, with one bit changed here and there: it refuses all of it."""

import copy

import audit
import cbor
import link
import messages
import noise
import sealing
import tree
from alone import Alone, NoWire
from crypto import Refused, sha256
from ground import is_settled, line_with, send
from sync import Session


def taken_from_an_office(tap, programs, folder):
    with line_with(programs, folder) as (office, stranger):
        member = stranger.member
        before = copy.deepcopy(member)
        session = stranger.dial(office.port, 0)
        stranger.pump(lambda: is_settled(stranger))
        index = send(office, 'What is true')
        member.say('What we say')
        stranger.pump(lambda: is_settled(stranger))
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
