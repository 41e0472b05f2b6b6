"""A flash before its turn, both ways. spec/sync.md, "Overtaking"."""

import messages
import note
import tree
from ground import is_settled, line_with, row_of, rows_here, rows_of, send, texts_of


def overtaking(tap, programs, folder):
    """A flash before its turn, both ways."""
    with line_with(programs, folder) as (office, stranger):
        stranger.dial(office.port, 0)
        stranger.member.say('the first')
        stranger.pump(lambda: is_settled(stranger))
        overtake(tap, office, stranger)
        be_overtaken(tap, office, stranger)
        fetch(tap, stranger)


def overtake(tap, office, stranger):
    member, session = stranger.member, stranger.sessions[0]
    session.sent[member.me] = None                           # nothing goes in its turn
    between, flash = member.say('what waits'), member.say('FLASH', precedence=3)
    session.overtake(flash)
    name = member.identity.name
    tap.ok(stranger.pump(lambda: (name, flash) in texts_of(office)), "the real office shows the stranger's flash")
    row = row_of(office, name, flash)
    tap.ok(row['early'] and row['received'] is None and (name, between) not in texts_of(office), 'before its turn', row)
    tap.ok(stranger.pump(lambda: any(entry.kind() == 'held' and entry.body == [member.cite(member.me, flash)]
                                     for entry in member.logs[0].entries)), 'and says in its log that it holds it')
    session.sent[member.me] = session.held[member.me]
    tap.ok(stranger.pump(lambda: (name, between) in texts_of(office) and not row_of(office, name, flash)['early']),
           'it takes its place when its turn comes')
    tap.ok(stranger.pump(lambda: is_settled(stranger)) and rows_of(office) == rows_here(member),
           'and the order is the same')


def be_overtaken(tap, office, stranger):
    """The stranger says nothing of what it holds: so the office may send no more than the window, but a flash."""
    member, session = stranger.member, stranger.sessions[0]
    session.mute = True
    for count in range(75):
        send(office, f'{count:060000d}')
    flash = send(office, 'FLASH', '--precedence', 'flash', '--yes')
    tap.ok(stranger.pump(lambda: (0, flash) in member.shown), 'a flash overtakes what the window holds back')
    tap.ok(member.shown[0, flash].early and member.shown[0, flash].text() == 'FLASH' and flash > member.logs[0].size(),
           'its proofs hold, and it is shown before its turn')
    session.mute = False
    session.tell_held(0)
    tap.ok(stranger.pump(lambda: member.logs[0].size() > flash) and not member.shown[0, flash].early,
           'and the rest comes once the stranger says what it holds')
    tap.ok(stranger.pump(lambda: is_settled(stranger)) and rows_of(office) == rows_here(member),
           'and the order is the same')


def fetch(tap, stranger):
    """An entry that is damaged here is asked for, and comes as one that overtakes does."""
    log, session = stranger.member.logs[0], stranger.sessions[0]
    before = len(session.received)
    session.send(messages.FETCH, 0, 0, 1)

    def answers():
        return [items[3:] for items in session.received[before:] if items[0] == messages.OVERTAKE and items[3] == 1]

    tap.ok(stranger.pump(answers), 'the real office answers FETCH')
    index, data, head, path, base, hashes = answers()[0]
    tap.ok(data == log.entries[1].data and hashes == [] and note.verify_head(log.key, log.origin, *head)
           and tree.is_included(log.leaves[1], index, head[0], path, head[1]), 'with the entry, and the proof of it')
    tap.ok(base == 0, 'and a base of 0')
