"""Lines with real offices: founded by them and by the stranger, dialled both ways, spoken on both ways."""

import audit
import note
import order
import store
import texts
from crypto import sha256
from member import Member
from real import RealOffice
from record import EPOCH
from sync import Office

LONG = '말' * 20000          # 60,000 bytes
FRAME_CLASSES = range(3)


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
    tap.equal(texts.read_courier_key(office.load('talks.key'))[0], member.charter.id, 'the courier key names the same line')
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
    tap.ok(stranger.pump(lambda: member.newest_receipt(0) > shortest), 'the real office receipts what the stranger says')
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
    tap.ok(stranger.pump(lambda: any(session.greeted for session in stranger.sessions)), 'the real office dials the stranger')
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


def among_three(tap, programs, folder):
    """The stranger founds, and stands between two real offices that have no link to each other."""
    offices = [RealOffice(programs, folder, name) for name in ('washington.example', 'pyongyang.example')]
    stranger = None
    try:
        for office in offices:
            office.start()
        stranger = found_with(tap, offices)
        relay(tap, offices, stranger)
        compare(tap, offices, stranger)
        prove(tap, offices, stranger)
        read_files(tap, offices, stranger)
    finally:
        if stranger:
            stranger.close()
        for office in offices:
            office.stop()


def found_with(tap, offices):
    identity, key = texts.new_identity('stranger.example'), sha256(offices[0].folder.encode())
    cards = [texts.read_card(offices[0].run('card')), identity.card(), texts.read_card(offices[1].run('card'))]
    charter = texts.found('talks', cards, key)
    stranger = Office(Member(identity, charter, key))
    for office in offices:
        key_file = office.save('talks.key', texts.write_courier_key(stranger.member.charter.id, key))
        office.run('line', 'join', office.save('talks.charter', charter), '--key', key_file)
        digits = stranger.member.charter.fingerprint(key)
        tap.equal(office.run('line', 'fingerprint', 'talks').strip(), digits, 'a real office joins the line of the stranger')
    return stranger


def relay(tap, offices, stranger):
    member = stranger.member
    washington, pyongyang = offices
    member.consent()
    newest = member.publish_prekeys(voids=1)
    washington.run('link', 'add', 'talks', 'stranger', f'tcp://127.0.0.1:{stranger.port}')
    stranger.dial(pyongyang.port, 2)
    tap.ok(stranger.pump(lambda: all(log.size() > 1 for log in member.logs) and is_settled(stranger)),
           'the three consent, over a link that the stranger opened and one that it was asked for')
    one = send(washington, 'Washington speaks')
    tap.ok(stranger.pump(lambda: (2, 1) in [place[:2] for place in texts_of_all(pyongyang)] or (0, one) in member.shown),
           'one office speaks')
    two = member.say('The stranger speaks')
    tap.ok(stranger.pump(lambda: (washington.name, one) in texts_of(pyongyang)), 'the stranger carries it to the other')
    three = send(pyongyang, 'Pyongyang answers', '--answers', f'washington/{one}')
    tap.ok(stranger.pump(lambda: row_of(washington, washington.name, one)['state'] == 'answered'), 'and the answer back')
    tap.equal(texts_of(washington), texts_of(pyongyang), 'both show the same')
    tap.equal([member.shown[place].text() for place in ((0, one), (1, two), (2, three))],
              ['Washington speaks', 'The stranger speaks', 'Pyongyang answers'], 'and so does the stranger')
    tap.ok(member.sources[0, 1] == 1 and not any(number < 8 for _, number in member.prekeys),
           'its prekeys from before entry %d, which it called void, are not used' % newest)
    tap.ok(stranger.pump(lambda: is_settled(stranger)), "the settle heads and everybody's receipts go round")


def texts_of_all(office):
    return [(row['author'], row['number']) for row in office.read('talks', '--all')]


def compare(tap, offices, stranger):
    member = stranger.member
    here = rows_here(member)
    for office in offices:
        tap.equal(rows_of(office), here, 'a real office shows the line in the order that the stranger finds')
        verified = office.run('record', 'verify', 'talks').splitlines()
        tap.equal(verified[:3], [f'{card.name} {log.size()} {log.root().hex()}'
                                 for card, log in zip(member.charter.cards, member.logs)], 'and has the same roots')
    tap.equal(audit.audit(member.logs, member.charter), [], 'entries, heads and receipts that came are proved')


def prove(tap, offices, stranger):
    member, office = stranger.member, offices[0]
    office.run('record', 'policy', 'talks', '-o', office.path('policy'))
    office.run('record', 'prove', 'talks', 'stranger/3', '-o', office.path('proof'))
    policy, proof = note.Policy(office.load('policy')), office.load('proof')
    author, index, entry, held = note.check_proof(proof, policy)
    tap.equal((author, index, entry, set(held)), (member.identity.name, 3, member.log.entries[3].data,
                                                  {office.name for office in offices}), "an office's proof holds")
    cut = proof.find('extra ') + 40
    forged = proof[:cut] + ('A' if proof[cut] != 'A' else 'B') + proof[cut + 1:]
    tap.refused(lambda: note.check_proof(forged, policy), texts.Refused, 'and with one byte changed it does not')
    size = max(size for size in member.logs[0].settled)
    made = note.write_proof(member.charter, 0, member.logs[0], 2, size)
    words = office.save('made.proof', made), office.save('made.policy', note.write_policy(member.charter))
    tap.equal(offices[0].verify_proof(*words), 0, "liaison-verify takes the stranger's proof and policy")
    words = office.save('made.proof', made.replace('index 2', 'index 1')), words[1]
    tap.equal(offices[0].verify_proof(*words), 1, 'and refuses it under another number')


def read_files(tap, offices, stranger):
    """The database and the mark of an office that has ended."""
    member, office = stranger.member, offices[0]
    office.stop()
    logs, wrong = store.audit(office.path('office/liaison.db'), member.charter)
    tap.equal(wrong, [], 'in its database every entry, head and receipt holds')
    tap.equal([log.root() for log in logs], [log.root() for log in member.logs], 'and the trees are the same')
    mark = store.read_mark(office.path('office.mark'))
    tap.equal(sorted(mark[2]), [[member.charter.id, number, 0, log.size(), log.root()]
                                for number, log in enumerate(logs)], 'and its mark says so')


def overtaking(tap, programs, folder):
    """A flash before its turn, both ways."""
    office = RealOffice(programs, folder, 'washington.example')
    stranger = None
    try:
        office.start()
        (stranger,), _ = found_by(office, [texts.new_identity('stranger.example')])
        stranger.member.consent()
        stranger.dial(office.port, 0)
        stranger.member.say('the first')
        stranger.pump(lambda: is_settled(stranger))
        overtake(tap, office, stranger)
        be_overtaken(tap, office, stranger)
    finally:
        if stranger:
            stranger.close()
        office.stop()


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
    tap.ok(stranger.pump(lambda: is_settled(stranger)) and rows_of(office) == rows_here(member), 'and the order is the same')


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
    tap.ok(stranger.pump(lambda: is_settled(stranger)) and rows_of(office) == rows_here(member), 'and the order is the same')
