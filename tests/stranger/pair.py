"""A line of two that a real office founds: all that people do on it, both ways, dialled both ways."""

import audit
import texts
from ground import found_by, is_settled, row_of, rows_here, rows_of, send, texts_of
from real import RealOffice
from record import EPOCH

LONG = '말' * 20000          # 60,000 bytes
FRAME_CLASSES = range(3)


def founded_by_an_office(tap, programs, folder):
    office = RealOffice(programs, folder, 'washington.example')
    stranger = None
    try:
        office.start()
        (stranger,), key = found_by(office, [texts.new_identity('stranger.example')])
        agree(tap, office, stranger.member, key)
        greet(tap, office, stranger)
        converse(tap, office, stranger)
        cannot_read(tap, office, stranger)
        dial_again(tap, office, stranger)
        leave(tap, office, stranger)
    finally:
        if stranger:
            stranger.close()
        office.stop()


def agree(tap, office, member, key):
    line = texts.read_courier_key(office.load('talks.key'))[0]
    tap.equal(line, member.charter.id, 'the courier key names the same line')
    digits = member.charter.fingerprint(key)
    tap.equal(office.run('line', 'fingerprint', 'talks').strip(), digits, 'the fingerprints are the same')
    tap.equal(office.try_run('line', 'confirm', 'talks', digits).returncode, 0, 'the real office takes our digits')


def greet(tap, office, stranger):
    member = stranger.member
    first = send(office, 'Before we met')
    member.consent()
    stranger.dial(office.port, 0)
    tap.ok(stranger.pump(lambda: (0, first) in member.shown), 'the stranger dials, and entries come')
    tap.equal(member.shown[0, first].text(), 'Before we met', 'what was said before the first link opens')
    tap.equal(member.sources[0, 1], 0, 'as it was wrapped to the standing key')
    tap.ok(stranger.pump(lambda: is_settled(stranger)), 'each receipts the other')


def converse(tap, office, stranger):
    member = stranger.member
    question = member.say('Are you in the room?', precedence=3)
    longest = member.say(LONG, 'ko')
    shortest = member.say('.', '')
    tap.ok(stranger.pump(lambda: member.newest_receipt(0) > shortest),
           'the real office receipts what the stranger says')
    said = texts_of(office)
    tap.equal([said.get((member.identity.name, index)) for index in (question, longest, shortest)],
              ['Are you in the room?', LONG, '.'], 'and shows it, 60,000 bytes of Korean as well as one')
    tap.equal(row_of(office, member.identity.name, question)['precedence'], 'flash', 'with its precedence')
    office.run('ack', 'talks', f'stranger/{question}')
    answer = send(office, '예, 방에 있습니다.', '--language', 'ko', '--answers', f'stranger/{question}')
    tap.ok(stranger.pump(lambda: (0, answer) in member.shown), "the office's acknowledgement and answer come")
    tap.equal(member.shown[0, answer - 1].body[3], {0: 1}, 'the acknowledgement is that of the duty officer')
    tap.equal(member.logs[0].entries[answer].re, [member.cite(member.me, question)], 'the answer names what it answers')
    tap.equal(member.shown[0, answer].text(), '예, 방에 있습니다.', 'and opens')
    answered(tap, office, stranger, answer)


def answered(tap, office, stranger, answer):
    member = stranger.member
    member.acknowledge([(0, answer)], role=2)
    tap.ok(stranger.pump(lambda: row_of(office, office.name, answer)['state'] == 'acknowledged'),
           "the office takes the stranger's acknowledgement")
    tap.equal(row_of(office, office.name, answer)['acknowledged'][0]['as'], 'principal', 'in its role')
    reply = member.say('We are, too.', answers=(0, answer))
    tap.ok(stranger.pump(lambda: row_of(office, office.name, answer)['state'] == 'answered'), 'and its answer')
    tap.equal(row_of(office, member.identity.name, reply)['answers'], f'{office.name}/{answer}', 'to that message')
    tap.ok(stranger.pump(lambda: is_settled(stranger)), 'all is receipted on settle heads')
    tap.equal(rows_of(office), rows_here(member), 'the real office shows the line in the order that the stranger finds')


def cannot_read(tap, office, stranger):
    """The stranger loses an epoch's secret, says so, and is told a new one by its standing key; and the other way."""
    member = stranger.member
    del member.secrets[0, 1]
    lost = send(office, 'What is not read')
    tap.ok(stranger.pump(lambda: (0, 2) in member.secrets or is_settled(stranger) and not member.unread
                         and kinds_of(member).count('unreadable')), 'the stranger says what it cannot open')
    tap.equal(member.shown[0, lost].kind, 'sealed', 'and shows nothing of it')
    found = send(office, 'What is read again')
    tap.ok(stranger.pump(lambda: (0, found) in member.shown), 'the real office goes on')
    tap.equal(member.shown[0, found].kind, 'message', 'under a new epoch that opens')
    tap.equal(member.sources.get((0, 2)), 0, 'by the standing key')
    member.secrets[member.me, member.epoch] = bytes(32)      # what the office does not have
    index = member.say('sealed under another secret')
    tap.ok(stranger.pump(lambda: member.epoch is None), 'the real office says what it cannot open')
    tap.equal(row_of(office, member.identity.name, index)['kind'], 'sealed', 'and shows nothing of it')
    index = member.say('sealed under a new epoch')
    wrap = next(entry for entry in reversed(member.log.entries) if entry.class_ == EPOCH).body[1][0]
    tap.ok(stranger.pump(lambda: texts_of(office).get((member.identity.name, index)) == 'sealed under a new epoch')
           and wrap[1] == 0, 'and opens what comes under a new epoch by its standing key')


def kinds_of(member):
    return [shown.kind for (author, _), shown in member.shown.items() if author == member.me]


def dial_again(tap, office, stranger):
    member = stranger.member
    for frame_class in FRAME_CLASSES:
        stranger.hang_up()
        missed = send(office, f'while the link was down, {frame_class}')
        index = member.say(f'while the link was down as well, {frame_class}' + '!' * 40000)
        stranger.dial(office.port, 0, frame_class)
        tap.ok(stranger.pump(lambda i=index, m=missed: member.newest_receipt(0) > i and (0, m) in member.shown),
               f'after a break all goes on, in frames of class {frame_class}')
    stranger.hang_up()
    office.run('link', 'add', 'talks', 'stranger', f'tcp://127.0.0.1:{stranger.port}')
    tap.ok(stranger.pump(lambda: any(session.greeted for session in stranger.sessions)),
           'the real office dials the stranger')
    index = member.say('over the link that it opened')
    tap.ok(stranger.pump(lambda: member.newest_receipt(0) > index), 'and talks over that link')


def leave(tap, office, stranger):
    member = stranger.member
    office.run('line', 'leave', 'talks', '--yes')
    tap.ok(stranger.pump(lambda: member.shown[0, member.logs[0].size() - 1].kind == 'leave'), 'the real office leaves')
    index = member.leave()
    tap.ok(stranger.pump(lambda: is_settled(stranger)), 'so does the stranger, and all is receipted')
    tap.equal(row_of(office, member.identity.name, index)['kind'], 'leave', 'the real office shows that')
    tap.equal(audit.audit(member.logs, member.charter), [], 'what the stranger holds is proved')
