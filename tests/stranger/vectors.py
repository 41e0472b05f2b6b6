"""Runs the cases of vectors/ that the pages in spec/ refer to through the stranger's readers and writers."""

import glob
import json
import os
import struct

import cbor
import link
import messages
import noise
import note
import record
import sealing
import texts
from alone import Alone, NoWire
from crypto import Refused, hkdf, x25519_public
from member import Member
from sync import Session
from texts import new_identity
from tree import leaf_hash


def read_cbor(data):
    return cbor.encode(cbor.decode(data))


def read_card(data):
    return b''.join(texts.read_card(data.decode()).keys())


def read_charter(data):
    """Out come the id, then lines: the fingerprint with a courier key of 32 bytes of 07, whatever the
    charter says of one, and each member's two names."""
    charter = texts.Charter(data.decode())
    lines = [charter.fingerprint(b'\x07' * 32)]
    for names in zip(charter.origins, charter.receipt_names):
        lines += names
    return charter.id + ''.join(line + '\n' for line in lines).encode()


def read_courier_key(data):
    return b''.join(texts.read_courier_key(data.decode()))


def read_entry(data):
    """author (1) | members (1) | an entry, of whose body these cases ask only that it is one canonical item."""
    entry = record.Entry(data[2:])
    record.read_header(entry, data[0], data[1])
    return cbor.encode(cbor.decode_first(entry.data)[0]) + cbor.encode(cbor.decode(entry.data[entry.header_size:]))


def body_reader(class_):
    """author (1) | members (1) | the body of a clear class."""
    def read(data):
        entry = record.Entry(data[2:], class_=class_)
        record.read_body(entry, data[0], data[1])
        return cbor.encode(entry.body)
    return read


def read_sealed(data):
    """author (1) | members (1) | epoch secret (32) | origin hash (32) | index (8) | entry."""
    entry = record.read_entry(data[74:], data[0], data[1])
    if entry.fault:
        raise Refused(entry.fault)
    secret, origin_hash, index = data[2:34], data[34:66], int.from_bytes(data[66:74], 'big')
    return sealing.open_entry(secret, origin_hash, entry.epoch, index, entry.data, entry.header_size)


def read_note(data):
    """The log's key as in a policy, a line feed, the note."""
    key, _, text = data.decode().partition('\n')
    checkpoint, (name, public) = note.Note(text), note.read_key(key, note.HEAD)
    if '\r' in text or checkpoint.origin != name or not checkpoint.signed_by(name, public):
        raise Refused('not signed by the log')
    return struct.pack('>Q', checkpoint.size) + checkpoint.root


def read_policy(data):
    """Out come the counts of logs, witnesses and groups."""
    policy = note.Policy(data.decode(errors='replace'))
    return bytes([len(policy.logs), len(policy.witnesses), len(policy.groups)])


def read_proof(data):
    """length of the policy (4) | policy | proof. Out comes the entry's leaf."""
    length = int.from_bytes(data[:4], 'big')
    proof, policy = data[4 + length:].decode(), note.Policy(data[4:4 + length].decode())
    return leaf_hash(note.check_proof(proof, policy)[2])


def make_subkeys(data):
    """The courier key, or zeros; its link and wrap subkeys."""
    return hkdf(b'', data, b'liaison/courier-link/v1') + hkdf(b'', data, b'liaison/courier-wrap/v1')


def noise_maker(name, tokens):
    """The initiator's static and ephemeral secret, the responder's, psk: 32 each | prologue. Out come the messages,
    with empty payloads, the handshake hash, and the keys of Split: one where only one end speaks."""
    def make(data):
        secrets = [data[at:at + 32] for at in range(0, 160, 32)]
        publics = [x25519_public(secret) for secret in secrets[:4]]
        state = noise.Handshake(name, data[160:], [publics[0], publics[2]] if name == noise.WRAP else [publics[2]])
        state.mix_psk(secrets[4])
        out = b''.join(take_token(state, token, secrets, publics) for token in tokens)
        directions = state.split()[:2 if 'f' in tokens else 1]
        return out + state.hash + b''.join(direction.key for direction in directions)
    return make


def take_token(state, token, secrets, publics):
    """What a token adds to the messages. `e` and `f` are the two ephemeral keys; `.` is the end of a message."""
    if token in 'ef':
        public = publics[1 if token == 'e' else 3]
        state.mix_ephemeral(public)
        return public
    if token in 's.':
        return state.encrypt(publics[0] if token == 's' else b'')
    ours, theirs = {'es': (1, 2), 'ss': (0, 2), 'ee': (1, 3), 'se': (0, 3)}[token]
    state.mix_dh(secrets[ours], publics[theirs])
    return b''


def make_wrap(data):
    """Three secrets (author, recipient, ephemeral), courier key, S: 32 each | author | recipient | source: 1 each |
    number (8) | epoch (8) | origin hash (32) | charter."""
    secrets = [data[at:at + 32] for at in range(0, 160, 32)]
    author, recipient, source, number, epoch = struct.unpack('>BBBQQ', data[160:179])
    charter = texts.Charter(data[211:].decode())
    psk = hkdf(b'', secrets[3], b'liaison/courier-wrap/v1')
    key = x25519_public(secrets[1])
    made = sealing.wrap(charter, psk, author, secrets[0], recipient, epoch, source, number, key, secrets[4], secrets[2])
    if sealing.unwrap(charter, psk, author, recipient, epoch, source, number, secrets[1], made) != secrets[4]:
        raise Refused('it does not open')
    return made


def read_message(data):
    """count of members (1) | message."""
    return cbor.encode(messages.read(data[1:], data[0]))


# The keys of link.md's worked example.
LINK_SECRETS = (b'\x11' * 32, b'\x22' * 32)
LINK_KEYS = link.Keys(b'\x44' * 32, hkdf(b'', b'\x33' * 32, b'liaison/courier-link/v1'),
                      [x25519_public(LINK_SECRETS[0])] * 256)
EPHEMERALS = [bytes.fromhex(text) for text in (
    'ae4bea8bd721873f88c273168734d96437b35cd30786690b2c0baa2ed2853c63',
    'dfd5f14017a4be99a37c807d28fcb01313ca47e6519fdac6a6fce94774649cdd',
    'a221c25ab058021e8670f4790221c891ebeba4cfb6ac7ae65113652d94b4e448')]


def answer_handshake(data):
    """What a responder receives, all at once; what it sends. Any member and counter will do."""
    if len(data) != 256:
        raise Refused('too few bytes, or some behind message 1')
    return link.Responder(LINK_KEYS, None, LINK_SECRETS[1], None).message_2(data, EPHEMERALS[1])


def converse():
    """What both ends of the worked example send, step by step."""
    initiator = link.Initiator(LINK_KEYS, 1, LINK_SECRETS[0], x25519_public(LINK_SECRETS[1]))
    responder = link.Responder(LINK_KEYS, None, LINK_SECRETS[1], None)
    first = initiator.message_1(0, 1764000000000000, EPHEMERALS[0], EPHEMERALS[2])
    second = responder.message_2(first, EPHEMERALS[1])
    third, (sending, _) = initiator.message_3(second)
    responding = responder.read_3(third)[1]
    ours, theirs = link.Writer(sending, 256), link.Writer(responding, 256)
    ping = (250000).to_bytes(8, 'big')
    ours.control, ours.bulk = [(link.PING, ping)], [b'Are you there?']
    theirs.control, theirs.bulk = [(link.PONG, ping)], [b'We are.']
    steps = [first, second, third + ours.frames(), theirs.frames()]
    ours.control = [(link.CLOSE, b'Good night.')]
    return [*steps, ours.frames(), b'']


def check_conversation(folder):
    paths = sorted(glob.glob(os.path.join(folder, 'link/conversation.*.json')))
    wanted = [bytes.fromhex(load(path)['output_hex']) for path in paths]
    return len(paths), [] if wanted == converse() else ['the conversation differs']


def check_frames(folder):
    """The plain text of a frame of 256 bytes; whether the link goes on; what is handed out, urgent messages first."""
    paths, wrong = sorted(glob.glob(os.path.join(folder, 'link/frame.*.json'))), []
    for path in paths:
        case = load(path)
        reader = link.Reader(noise.Direction(bytes(32)), 256)
        events = reader.feed(noise.Direction(bytes(32)).encrypt(bytes.fromhex(case['input_hex'])))
        output = b''.join(data for lane in ('urgent', 'bulk') for kind, data in events if kind == lane)
        goes_on = not any(kind in ('close', 'fault') for kind, _ in events)
        if (output.hex(), goes_on) != (case['output_hex'], case['ok']):
            wrong.append(os.path.basename(path))
    return len(paths), wrong


def take_all(folder):
    """receiver (1) | sender (1) | of each message size (4) and message. Out come of each log size (8) and root (32),
    and of each other member how much of it that member receipted (8)."""
    path = os.path.join(folder, 'record/charter.three-members.json')
    charter = bytes.fromhex(load(path)['input_hex']).decode()

    def take(data):
        identity = new_identity(texts.Charter(charter).cards[data[0]].name)
        receiver = Member(identity, charter, b'\x07' * 32)
        receiver.say_held = lambda *_: None         # these cases write nothing
        session, at = Session(Alone(receiver), NoWire(data[1])), 2
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], 'big')
            session.take(messages.read(data[at + 4:at + 4 + size], receiver.count))
            at += 4 + size
        return b''.join(struct.pack('>Q', log.size()) + log.root() + b''.join(
            struct.pack('>Q', max((size for who, size in log.receipts if who == by and by != receiver.me), default=0))
            for by in range(receiver.count)) for log in receiver.logs)
    return take


READERS = {
    'base/cbor': read_cbor,
    'seal/card': read_card,
    'seal/courier-key': read_courier_key,
    'seal/subkey': make_subkeys,
    'seal/noise-kpsk0': noise_maker(noise.WRAP, ('e', 'es', 'ss', '.')),
    'seal/noise-xkpsk0': noise_maker(noise.LINK, ('e', 'es', '.', 'f', 'ee', '.', 's', 'se', '.')),
    'record/charter': read_charter,
    'record/entry-header': read_entry,
    'record/entry-sealed': read_sealed,
    'record/prekeys': body_reader(record.PREKEYS),
    'record/epoch': body_reader(record.EPOCH),
    'record/wrap': make_wrap,
    'record/note': read_note,
    'record/proof': read_proof,
    'record/policy': read_policy,
    'sync/message': read_message,
    'link/handshake': answer_handshake,
}


def load(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def differs(reader, case):
    """What is wrong with our answer to a case, or None."""
    try:
        output = reader(bytes.fromhex(case['input_hex']))
    except (ValueError, IndexError) as error:
        return f'refused: {error!r}' if case['ok'] else None
    if not case['ok']:
        return f'taken, though {case["reason"]}'
    if isinstance(output, bytes) and output.hex() != case['output_hex']:
        return 'other output'
    return None


def check(folder, format_):
    """(count of cases, sentences on those that differ)."""
    reader = READERS[format_] if format_ in READERS else take_all(folder)
    paths = sorted(glob.glob(os.path.join(folder, format_ + '.*.json')))
    wrong = []
    for path in paths:
        sentence = differs(reader, load(path))
        if sentence:
            wrong.append(f'{os.path.basename(path)}: {sentence}')
    return len(paths), wrong
