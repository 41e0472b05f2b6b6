"""What is false is told to a real office: it ends the link or says so, and shows nothing of it."""

import copy
import hashlib
import json
import os
import socket
import time

import audit
import cbor
import link
import messages
import note
import record
import sealing
import tree
from crypto import NEUTRAL, ORDER, ed25519_public, sha256
from ground import is_settled, line_with, row_of, rows_here, rows_of, send


def told_to_an_office(tap, programs, folder):
    with line_with(programs, folder) as (office, stranger):
        office.run('link', 'add', 'talks', 'stranger', f'tcp://127.0.0.1:{stranger.port}')
        stranger.pump(lambda: any(session.greeted for session in stranger.sessions))
        stranger.member.say('What is true')
        stranger.pump(lambda: is_settled(stranger))
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
    shown = rows_of(office)
    if not stranger.pump(lambda: any(session.greeted for session in stranger.sessions)):
        tap.ok(False, f'{name}: the real office links again')
        return
    stranger.ended.clear()
    falsehood(stranger, stranger.sessions[0])
    stranger.pump(lambda: stranger.ended)
    tap.ok(any(sentence in reason for reason in stranger.ended), f'{name}: the real office ends the link',
           stranger.ended)
    stranger.sessions.clear()
    own = [row for row in shown if row[0] == member.identity.name]
    tap.equal([row for row in rows_of(office) if row[0] == member.identity.name], own, 'and shows nothing of it')


def next_entry(member):
    """An entry that was never said, with the root of the log that it would make."""
    secret, origin_hash = member.secrets[member.me, member.epoch], member.charter.origin_hashes[member.me]
    body = {0: 1, 1: int(time.time()), 2: 0, 3: {0: 'What is false', 1: 'en'}}
    data = sealing.seal_entry(secret, origin_hash, member.epoch, member.log.size(),
                              record.header(record.SEALED, member.epoch), body)
    return data, tree.root(member.log.leaves + [tree.leaf_hash(data)])


def send_next(session, data, root, signature):
    member = session.member
    size = member.log.size()
    session.send(messages.ENTRIES, member.me, 0, size, [data], [size + 1, root, signature], 0, [])


def head_signature(member, size, root):
    return note.sign_head(member.identity.log, member.log.origin, size, root)


def unsigned_head(_, session):
    data, root = next_entry(session.member)
    signature = head_signature(session.member, session.member.log.size() + 1, root)
    send_next(session, data, root, audit.changed(signature, 3))


def changed_entry(_, session):
    data, root = next_entry(session.member)
    signature = head_signature(session.member, session.member.log.size() + 1, root)
    send_next(session, audit.changed(data, -1), root, signature)


def head_of_another(_, session):
    member = session.member
    data, root = next_entry(member)
    signature = note.sign_head(member.identity.log, member.logs[0].origin, member.log.size() + 1, root)
    send_next(session, data, root, signature)


def low_order_head(_, session):
    """R is the neutral point, S = k * a: OpenSSL takes it, spec/seal.md, "What is accepted", does not."""
    member = session.member
    data, root = next_entry(member)
    size = member.log.size() + 1
    signature = sign_with_neutral_r(member.identity.log, note.head_text(member.log.origin, size, root))
    assert not note.verify_head(member.log.key, member.log.origin, size, root, signature)
    send_next(session, data, root, signature)


def sign_with_neutral_r(seed, message):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], 'little') & (1 << 254) - 8 | 1 << 254
    challenge = hashlib.sha512(NEUTRAL + ed25519_public(seed) + message).digest()
    return NEUTRAL + (int.from_bytes(challenge, 'little') * scalar % ORDER).to_bytes(32, 'little')


def false_proof(_, session):
    """Entries below a head that they do not lead to."""
    member = session.member
    data, root = next_entry(member)
    size = member.log.size()
    head = [size + 2, root, head_signature(member, size + 2, root)]
    session.send(messages.ENTRIES, member.me, 0, size, [data], head, 0, [root])


def false_receipt(stranger, session):
    member, log = session.member, session.member.logs[0]
    session.mute = True
    index = send(session.office.real, 'What has no receipt yet')
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
    head = [size + 1, root, head_signature(member, size + 1, root)]
    session.send(messages.OVERTAKE, member.me, 0, size, data, head, [root], member.log.size(), [root])


FALSEHOODS = (
    ('a head with a false signature', 'it sent a head that its author did not sign', unsigned_head),
    ("a head signed under another log's origin", 'it sent a head that its author did not sign', head_of_another),
    ('a head whose signature has a neutral R', 'it sent a head that its author did not sign', low_order_head),
    ('a receipt with another time than was signed', 'it sent a receipt that does not verify', false_receipt),
    ('a message out of its limits', 'a HAVE message is not well-formed', malformed),
    ('a second greeting', 'it greeted twice', greeting_again),
    ('a frame of zeros', 'the stream ended', false_frame),
    ('an overtaking entry with a false proof', 'it sent an overtaking entry whose proof does not hold',
     false_overtaking),
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
        row = row_of(office, member.identity.name, index)
        found = row['kind'], row['readable'], row.get('text')
        tap.equal(found, ('sealed', False, None), f'{name}: it is shown as sealed')
        tap.ok(kinds_about(member, index), 'and the real office says in the line that it cannot read it')
    false_epoch(tap, office, stranger)
    tap.ok('What is false' not in office.run('read', 'talks', '--all'), 'nothing of what is false is shown')


def false_epoch(tap, office, stranger):
    """The epoch's entry commits to another secret than the wraps tell."""
    member = stranger.member
    number, secret = member.last_epoch + 1, os.urandom(32)
    member.epoch = member.last_epoch = number
    wrap = member.wrap(0, secret)
    member.write(record.EPOCH, cbor.encode({0: sha256(b'another'), 1: [wrap]}), number)
    member.secrets[member.me, number] = secret
    index = member.say('What is false')
    member.shown[member.me, index].kind = 'sealed'
    stranger.pump(lambda: member.newest_receipt(0) > index and member.epoch is None)
    row = row_of(office, member.identity.name, index)
    tap.equal((row['kind'], row['readable']), ('sealed', False), 'nor what is sealed under a secret not committed to')


def kinds_about(member, index):
    return [shown for (author, _), shown in member.shown.items()
            if author == 0 and shown.kind == 'unreadable' and [member.me, index, index] in shown.body[3][0]]


def void_claims(tap, office, stranger):
    """False claims in `seen` and `re` are void: the entry stands, and the order is as if they were not there."""
    member, log = stranger.member, stranger.member.logs[0]
    stranger.pump(lambda: is_settled(stranger))
    named = log.size() - 1
    index = member.say('before')
    claims = (([[0, log.size(), bytes(32)]], []), ([], [[0, named, bytes(32)]]), ([[0, 1, log.root(1)]], []))
    for seen, references in claims:
        index = member.seal_body(record.MESSAGE, {0: 'claims what is false', 1: 'en'}, references=references, seen=seen)
    tap.ok(stranger.pump(lambda: member.newest_receipt(0) > index and is_settled(stranger)),
           'entries with a false root, a false leaf and a falling size in their claims stand')
    tap.equal(rows_of(office), rows_here(member), 'and are ordered as if these were not there')
    row = row_of(office, office.name, named)
    tap.ok(row['state'] != 'answered', 'what they name falsely is not answered')
    shown = row_of(office, member.identity.name, index - 1)['answers']
    tap.ok(shown is None, 'nor shown as what is answered')
    tap.ok('that claim is void' in office.load('log'), 'and the real office reports it')


def fork(tap, office, stranger):
    """Two heads of one size, both signed: people are told, and entries under the second are not taken."""
    member, session = stranger.member, stranger.sessions[0]
    size = member.log.size() + 1
    session.send(messages.SETTLE, member.me, 0, [size, bytes(32), head_signature(member, size, bytes(32))])
    stranger.ended.clear()
    data, root = next_entry(member)
    send_next(session, data, root, head_signature(member, size, root))
    tap.ok(stranger.pump(lambda: 'the other side closed: it sent a head that contradicts one it signed before'
                         in stranger.ended), 'a second head of one size ends the link', stranger.ended)
    tap.ok(any('two histories' in sentence for sentence in office.status()['alarms']), 'and raises an alarm')
    tap.ok('What is false' not in office.run('read', 'talks', '--all'), 'and nothing under it is shown')
    tap.ok(has_evidence(office), 'soon there is evidence')
    evidence(tap, office, size, [bytes(32), root])
    office.stop()
    office.start()
    tap.ok(has_evidence(office), 'the alarm outlives the daemon')
    evidence(tap, office, size, [bytes(32), root])


def has_evidence(office):
    """The stranger is not asked meanwhile: of its own log it is shown what it will not hear."""
    for _ in range(100):
        if any('liaison record evidence talks' in sentence for sentence in office.status()['alarms']):
            return True
        time.sleep(0.1)
    return False


def evidence(tap, office, size, roots):
    """Anybody who knows the line's id can check it; nobody else's line has it."""
    path, status = office.path('evidence'), office.status()
    office.run('record', 'evidence', 'talks', '-o', path)
    line_id = status['lines'][0]['id']
    code, said = office.run_verify(path, '--line', line_id, '--json')
    heads = json.loads(said)['two_histories']['heads'] if code == 0 else said
    tap.equal(heads, [{'size': size, 'root': root.hex()} for root in sorted(roots)], 'and is evidence for a third party')
    office.run('record', 'policy', 'talks', '-o', office.path('policy'))
    tap.equal(office.run_verify(path, '--policy', office.path('policy'))[0], 0, 'under the policy of the line, too')
    code, said = office.run_verify(path, '--line', 64 * '0')
    tap.ok(code == 1 and 'of another line' in said, 'and for no other line', said)
    done = office.try_run('record', 'evidence', 'talks', office.name, '-o', path)
    tap.ok(done.returncode == 1 and 'no evidence against' in done.stderr, 'there is none against the honest one',
           done.stderr)
