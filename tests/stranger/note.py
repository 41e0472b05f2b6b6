"""Heads, receipts, proofs and policies: C2SP signed notes. spec/record.md, "Tree, heads, receipts" and "Proofs and
policies"."""

import re

from crypto import check_ed25519_key, sha256, sign, verify
from texts import from_base64, number_of, require, to_base64
from tree import inclusion_proof, is_included, leaf_hash

HEAD, RECEIPT = 1, 4


def head_text(origin, size, root):
    return f'{origin}\n{size}\n{to_base64(root)}\n'.encode()


def receipt_text(origin, size, root, time):
    return f'cosignature/v1\ntime {time}\n'.encode() + head_text(origin, size, root)


def sign_head(seed, origin, size, root):
    return sign(seed, head_text(origin, size, root))


def verify_head(key, origin, size, root, signature):
    return verify(key, head_text(origin, size, root), signature)


def sign_receipt(seed, origin, size, root, time):
    return sign(seed, receipt_text(origin, size, root, time))


def verify_receipt(key, origin, size, root, time, signature):
    return verify(key, receipt_text(origin, size, root, time), signature)


def key_id(name, kind, key):
    return sha256(name.encode() + b'\n' + bytes([kind]) + key)[:4]


def read_key(text, kind):
    """NAME+ID+BASE64 of a policy: name and key."""
    match = re.fullmatch('([!-~]+?)\\+([0-9a-f]{8})\\+([A-Za-z0-9+/=]+)', text)
    require(match, 'not a key')
    data = from_base64(match[3], 33)
    require(data[0] == kind and match[2] == key_id(match[1], kind, data[1:]).hex(), 'a key of another kind or id')
    check_ed25519_key(data[1:])
    return match[1], data[1:]


def write_key(name, kind, key):
    return f'{name}+{key_id(name, kind, key).hex()}+{to_base64(bytes([kind]) + key)}'


def signature_line(name, kind, key, data):
    return f'— {name} {to_base64(key_id(name, kind, key) + data)}\n'


def write_policy(charter):
    """A line's policy: all members but one."""
    rows = [f'log {write_key(origin, HEAD, card.log)} liaison:{card.name}'
            for origin, card in zip(charter.origins, charter.cards)]
    rows += [f'witness {card.name} {write_key(name, RECEIPT, card.receipt)}'
             for name, card in zip(charter.receipt_names, charter.cards)]
    names = ' '.join(card.name for card in charter.cards)
    return '\n'.join(rows) + f'\ngroup all_others {len(charter.cards) - 1} {names}\nquorum all_others\n'


def write_proof(charter, member, log, index, size):
    """The entry's inclusion in the head of `size`, with all receipts on it that are held."""
    root, signature = log.heads[size]
    lines = ['c2sp.org/tlog-proof@v1', f'extra {to_base64(log.entries[index].data)}', f'index {index}']
    lines += [to_base64(hash_) for hash_ in inclusion_proof(log.leaves[:size], index)]
    text = '\n'.join(lines) + '\n\n' + head_text(log.origin, size, root).decode() + '\n'
    text += signature_line(log.origin, HEAD, charter.cards[member].log, signature)
    for (by, at), (time, receipt) in sorted(log.receipts.items()):
        if at == size:
            text += signature_line(charter.receipt_names[by], RECEIPT, charter.cards[by].receipt,
                                   time.to_bytes(8, 'big') + receipt)
    return text


class Note:
    """A checkpoint of three lines and its signature lines."""

    def __init__(self, text):
        body, blank, signatures = text.partition('\n\n')
        require(blank, 'no blank line')
        lines = body.split('\n')
        require(len(lines) == 3, 'not origin, size and root')
        self.origin, self.size, self.root = lines[0], number_of(lines[1], 2 ** 63 - 1), from_base64(lines[2], 32)
        require(signatures.endswith('\n'), 'cut short')
        self.signatures = [self.read_signature(line) for line in signatures[:-1].split('\n')]
        require(len(self.signatures) <= 16, 'more than 16 signatures')

    @staticmethod
    def read_signature(line):
        match = re.fullmatch('— ([^ +]+) (\\S+)', line)
        require(match, 'not a signature line')
        data = from_base64(match[2])
        require(len(data) > 4, 'a key id alone')
        return match[1], data[:4], data[4:]

    def signed_by(self, name, key):
        """Whether the author's signature is there; one that claims the key and does not verify refuses the note."""
        there = False
        for data in self.claimed(name, HEAD, key):
            require(len(data) == 64 and verify_head(key, self.origin, self.size, self.root, data), 'does not verify')
            there = True
        return there

    def receipted_by(self, name, key):
        """The time of the receipt by this key, or None."""
        time = None
        for data in self.claimed(name, RECEIPT, key):
            time = int.from_bytes(data[:8], 'big')
            require(len(data) == 72 and verify_receipt(key, self.origin, self.size, self.root, time, data[8:]),
                    'does not verify')
        return time

    def claimed(self, name, kind, key):
        id_ = key_id(name, kind, key)
        return [data for claimed, claimed_id, data in self.signatures if (claimed, claimed_id) == (name, id_)]


class Policy:
    """A C2SP tlog-policy: logs, witnesses, groups of them, and the quorum. What is named was defined above."""

    def __init__(self, text):
        require(text.endswith('\n') and not any(char < ' ' and char not in '\t\n' or char == '\x7f' for char in text),
                'not lines, or a control character')
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        self.grouped = set()
        for line in text[:-1].split('\n'):
            words = line.split()
            if words and not words[0].startswith('#'):
                self.read(*words)
        require(self.quorum, 'no quorum')

    def read(self, word, *rest):
        readers = {'log': (self.read_log, 1, 2), 'witness': (self.read_witness, 2, 3),
                   'group': (self.read_group, 3, 64), 'quorum': (self.read_quorum, 1, 1)}
        require(word in readers and readers[word][1] <= len(rest) <= readers[word][2], 'not a line of a policy')
        readers[word][0](*rest)

    def read_log(self, key, url=None):
        name, public = read_key(key, HEAD)
        require(name not in self.logs and all(public != log[0] for log in self.logs.values()), 'a log twice')
        self.logs[name] = (public, (url or '').removeprefix('liaison:'))

    def read_witness(self, name, key, _url=None):
        self.check_new(name)
        witness = read_key(key, RECEIPT)
        require(all(witness[1] != other[1] for other in self.witnesses.values()), 'a key twice')
        self.witnesses[name] = witness

    def read_group(self, name, least, *members):
        self.check_new(name)
        for member in members:
            require(member in self.witnesses or member in self.groups, 'not defined above')
            require(member not in self.grouped, 'a member twice')
            self.grouped.add(member)
        least = {'all': len(members), 'any': 1}.get(least) or number_of(least)
        require(1 <= least <= len(members), 'a threshold that there is not')
        self.groups[name] = (least, members)

    def read_quorum(self, name):
        require(self.quorum is None and (name == 'none' or name in self.witnesses or name in self.groups),
                'a second quorum, or not defined above')
        self.quorum = name

    def check_new(self, name):
        require(name != 'none' and name not in self.witnesses and name not in self.groups, 'this name is taken')

    def is_met(self, name, held):
        if name == 'none':
            return True
        if name in self.witnesses:
            return name in held
        least, members = self.groups[name]
        return sum(self.is_met(member, held) for member in members) >= least


def check_proof(text, policy):
    """The author, the index, the entry, and who held it when, if the proof holds under the policy."""
    lines, note = text.partition('\n\n')[0].split('\n'), Note(text.partition('\n\n')[2])
    require(lines[0] == 'c2sp.org/tlog-proof@v1' and len(lines) >= 3, 'not a proof')
    require(lines[1].startswith('extra ') and lines[2].startswith('index '), 'no entry or no index')
    entry, index = from_base64(lines[1][6:]), number_of(lines[2][6:])
    require(note.origin in policy.logs, 'no log of the policy')
    key, author = policy.logs[note.origin]
    require(note.signed_by(note.origin, key), 'the author did not sign the head')
    path = [from_base64(line, 32) for line in lines[3:]]
    require(is_included(leaf_hash(entry), index, note.size, path, note.root), 'the path does not lead to the root')
    held = {name: note.receipted_by(*witness) for name, witness in policy.witnesses.items()}
    held = {name: time for name, time in held.items() if time is not None and name != author}
    require(policy.is_met(policy.quorum, held), 'the quorum is not met')
    return author, index, entry, held
