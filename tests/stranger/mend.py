"""A real office whose disk broke an entry asks for it, and is mended from what the stranger holds. spec/sync.md, FETCH;
spec/store.md, operation 28."""

import contextlib
import sqlite3

import messages
from audit import changed
from ground import is_settled, line_with, rows_here, rows_of, send
from store import PLACE


def mended_by_the_stranger(tap, programs, folder):
    with line_with(programs, folder) as (office, stranger):
        member = stranger.member
        stranger.dial(office.port, 0)
        member.say('What we say')
        index = send(office, 'What they say')
        stranger.pump(lambda: (0, index) in member.shown and is_settled(stranger))
        stranger.hang_up()
        office.stop()
        damage(office.path('office/liaison.db'), index)
        office.start()
        session = stranger.dial(office.port, 0)
        tap.ok(stranger.pump(lambda: asked(session) == {(0, index), (1, index)}, 25),
               'an office asks for its own entry and for the other that are damaged', asked(session))
        tap.ok(stranger.pump(lambda: office.try_run('record', 'verify', 'talks').returncode == 0),
               'and is mended by what the stranger answers')
        tap.equal(rows_of(office), rows_here(member), 'all is there again')


def asked(session):
    return {(items[1], items[3]) for items in session.received if items[0] == messages.FETCH}


def damage(path, index):
    """Flips a bit of the entry of this number in every log."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for place, data in database.execute('SELECT place, bytes FROM entries').fetchall():
            if place % PLACE == index:
                database.execute('UPDATE entries SET bytes = ? WHERE place = ?', (changed(data, -1), place))
