"""What the scenarios share: a real office with strangers on its line, and what it says of it."""

import contextlib

import order
import texts
from member import Member
from real import RealOffice
from sync import Office


@contextlib.contextmanager
def line_with(programs, folder):
    """A real office, and a stranger that is linked to it."""
    office = RealOffice(programs, folder, 'washington.example')
    stranger = None
    try:
        office.start()
        (stranger,), _ = found_by(office, [texts.new_identity('stranger.example')])
        stranger.member.consent()
        stranger.real = office
        yield office, stranger
    finally:
        if stranger:
            stranger.close()
        office.stop()


def found_by(office, strangers, name='talks'):
    """A line that a real office founds with strangers; the strangers' offices."""
    cards = [word for stranger in strangers
             for word in ('--with', office.save(stranger.name + '.card', stranger.card().text))]
    office.run('line', 'found', name, *cards)
    key = texts.read_courier_key(office.load(name + '.key'))[1]
    return [Office(Member(stranger, office.load(name + '.charter'), key)) for stranger in strangers], key


def rows_of(office):
    return [(row['author'], row['number'], row['kind'], row['leaf']) for row in office.read('talks', '--all')]


def rows_here(member):
    """What `read --all --json` should say, by our own order of the line."""
    cards = member.charter.cards
    return [(cards[author].name, index, member.shown[author, index].kind, member.logs[author].leaves[index].hex())
            for author, index in order.order(member.logs)]


def texts_of(office):
    return {(row['author'], row['number']): row['text'] for row in office.read('talks') if row['kind'] == 'message'}


def row_of(office, author, number):
    return next(row for row in office.read('talks', '--all') if (row['author'], row['number']) == (author, number))


def send(office, text, *words):
    """The number of the message that a real office sends."""
    return int(office.run('send', 'talks', '-m', text, *words).rsplit('/', 1)[1])


def is_settled(stranger):
    """Whether everybody has receipted the newest settle head of everybody."""
    logs = stranger.member.logs
    return all(log.size() and log.size() in log.settled
               and all((by, log.size()) in log.receipts for by in range(len(logs)) if by != member)
               for member, log in enumerate(logs))
