"""False members let their entries name each other in a ring. spec/record.md, "Order"."""

import contextlib
import os
import random
import time

import cbor
import record
import texts
import tree
from crypto import sha256
from ground import is_settled, rows_here, rows_of
from member import Member, Shown
from real import RealOffice
from sync import Office


def in_a_ring(tap, programs, folder):
    """Two rings in which it counts what an entry waits for first."""
    with false_members(programs, folder) as (office, strangers):
        name_in_a_ring([stranger.member for stranger in strangers])
        for stranger in strangers:
            stranger.dial(office.port, 3)
        tap.ok(pump_all(strangers, lambda: all(log.size() >= 6 for log in strangers[0].member.logs[:3])
                        and is_settled(strangers[0])), 'three false members let their entries name each other')
        tap.equal(rows_of(office), rows_here(strangers[0].member), 'the order is what the page says')


def at_random(tap, programs, folder):
    """Claims of every kind, valid and void, to earlier and later entries, which come a few at a time."""
    seed = int(os.environ.get('STRANGER_SEED', random.randrange(2 ** 32)))
    source = random.Random(seed)
    with false_members(programs, folder) as (office, strangers):
        members = [stranger.member for stranger in strangers]
        left = [(member, data) for member, log in zip(members, claims_at_random(source, members)) for data in log]
        for stranger in strangers:
            stranger.dial(office.port, 3)
        while left:
            member = source.choice(left)[0]
            append(member, left.pop(next(at for at, (other, _) in enumerate(left) if other is member))[1])
            if source.random() < 0.3:
                pump_all(strangers, lambda: False, source.choice((0.02, 0.2)))
        here = strangers[0].member
        tap.ok(pump_all(strangers, lambda: all(log.size() == 2 + ENTRIES for log in here.logs[:3])
                        and rows_of(office) == rows_here(here)),
               f'claims at random (seed {seed}): once all is there the order is the same')


@contextlib.contextmanager
def false_members(programs, folder):
    office = RealOffice(programs, folder, 'washington.example')
    strangers = []
    try:
        office.start()
        strangers = found_among_false(office)
        for stranger in strangers:
            stranger.member.consent()
        yield office, strangers
    finally:
        for stranger in strangers:
            stranger.close()
        office.stop()


def found_among_false(office):
    identities, key = [texts.new_identity(f'{name}.example') for name in ('anne', 'bob', 'carl')], sha256(b'key')
    cards = [identity.card() for identity in identities] + [texts.read_card(office.run('card'))]
    charter = texts.found('talks', cards, key)
    strangers = [Office(Member(identity, charter, key)) for identity in identities]
    key_file = office.save('talks.key', texts.write_courier_key(strangers[0].member.charter.id, key))
    office.run('line', 'join', office.save('talks.charter', charter), '--key', key_file)
    return strangers


ENTRIES = 6

# Of each false member what its entries from number 2 on name: (member, size) in `seen`, (member, index) in `re`. First
# anne waits for a ring of bob and carl, whose entry names bob before anne; then anne and bob are a ring, since anne
# waits for what it has seen before it waits for what it names.
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
            append(member, entries[member.me, index])


def append(member, data):
    member.log.append(record.read_entry(data, member.me, member.count))
    member.sign_head(member.log.size())
    member.shown[member.me, member.log.size() - 1] = Shown('unknown')


def claims_at_random(source, members):
    """The entries of each member from number 2 on. They are made in an order of their own: so an entry can name a later
    one of a log, which named an earlier one of its own."""
    entries = {(member.me, index): entry.data for member in members for index, entry in enumerate(member.log.entries)}
    places = [(member.me, 2 + index) for member in members for index in range(ENTRIES)]
    for place in source.sample(places, len(places)):
        seen = [claim for other in range(len(members)) if other != place[0] and source.random() < 0.5
                for claim in [seen_at_random(source, entries, other)]]
        references = [reference_at_random(source, entries) for _ in range(source.randrange(4))]
        entries[place] = record.header(63, seen=seen, references=references) + cbor.encode({})
    return [[entries[member.me, 2 + index] for index in range(ENTRIES)] for member in members]


def seen_at_random(source, entries, other):
    if source.random() < 0.15:
        return [other, source.randrange(1, 9), bytes(32)]
    made = 2
    while (other, made) in entries:
        made += 1
    size = source.randint(1, made)
    return [other, size, tree.root([tree.leaf_hash(entries[other, index]) for index in range(size)])]


def reference_at_random(source, entries):
    place = source.choice(sorted(entries))
    return [*place, tree.leaf_hash(entries[place]) if source.random() < 0.9 else bytes(32)]


def pump_all(strangers, until, seconds=20):
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        for stranger in strangers:
            stranger.step()
    return True
