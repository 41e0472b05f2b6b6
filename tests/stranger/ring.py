"""False members let their entries name each other in a ring. spec/record.md, "Order"."""

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
                        and is_settled(strangers[0])), 'three false members let their entries name each other')
        tap.equal(rows_of(office), rows_here(strangers[0].member), 'the order is what the page says')
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
