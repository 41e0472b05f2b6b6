"""A line of three that the stranger founds. It stands between two real offices that have no link to each other."""

import audit
import note
import store
import texts
from crypto import sha256
from ground import is_settled, row_of, rows_here, rows_of, send, texts_of
from member import Member
from real import RealOffice
from sync import Office


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
        tap.equal(office.run('line', 'fingerprint', 'talks').strip(), digits,
                  'a real office joins the line of the stranger')
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
    tap.ok(stranger.pump(lambda: (0, one) in member.shown), 'one office speaks')
    two = member.say('The stranger speaks')
    tap.ok(stranger.pump(lambda: (washington.name, one) in texts_of(pyongyang)), 'the stranger carries it to the other')
    three = send(pyongyang, 'Pyongyang answers', '--answers', f'washington/{one}')
    tap.ok(stranger.pump(lambda: row_of(washington, washington.name, one)['state'] == 'answered'),
           'and the answer back')
    tap.equal(texts_of(washington), texts_of(pyongyang), 'both show the same')
    tap.equal([member.shown[place].text() for place in ((0, one), (1, two), (2, three))],
              ['Washington speaks', 'The stranger speaks', 'Pyongyang answers'], 'and so does the stranger')
    tap.ok(member.sources[0, 1] == 1 and not any(number < 8 for _, number in member.prekeys),
           'its prekeys from before entry %d, which it called void, are not used' % newest)
    tap.ok(stranger.pump(lambda: is_settled(stranger)), "the settle heads and everybody's receipts go round")


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
