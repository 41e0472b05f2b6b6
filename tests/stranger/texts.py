"""The text files that people handle: identities, cards, charters, courier keys. spec/seal.md, "Text files";
spec/record.md, "Names" and "The charter"."""

import base64
import dataclasses
import os
import re

from crypto import (Refused, check_ed25519_key, check_x25519_key, ed25519_public, hkdf, hmac, sha256, sign, verify,
                    x25519_public)

LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
NAME = re.compile(rf'{LABEL}(?:\.{LABEL})*')
LINE_NAME = re.compile(LABEL)
TAG = re.compile('[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*')
NUMBER = re.compile('0|[1-9][0-9]{0,19}')
ORIGIN = re.compile('liaison/1/[0-9a-f]{64}/(?:0|[1-9][0-9]{0,18})')
KEY_NAMES = ('log', 'receipt', 'link', 'sealing')


def to_base64(data):
    return base64.b64encode(data).decode()


def from_base64(text, length=None):
    """Standard base64 with padding, of which each value has one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused('not base64') from error
    if to_base64(data) != text or length is not None and len(data) != length:
        raise Refused('not base64, or of another length')
    return data


def require(condition, sentence):
    if not condition:
        raise Refused(sentence)


def lines_of(text):
    require(text.endswith('\n') and text.isascii() and '\r' not in text, 'not ASCII lines')
    return text[:-1].split('\n')


def value_of(line, name):
    require(line.startswith(name + ' '), f'no line {name}')
    return line[len(name) + 1:]


def number_of(text, most=2 ** 64 - 1):
    require(NUMBER.fullmatch(text) and int(text) <= most, 'not a number')
    return int(text)


def check_name(name):
    require(len(name) <= 63 and NAME.fullmatch(name) and name != 'none', 'not a name')


@dataclasses.dataclass
class Card:
    text: str
    name: str
    log: bytes
    receipt: bytes
    link: bytes
    sealing: bytes

    def keys(self):
        return [self.log, self.receipt, self.link, self.sealing]

    def hash(self):
        return sha256(self.text.encode())


def read_card(text):
    require(len(text) <= 2048, 'too long')
    lines = lines_of(text)
    require(len(lines) == 9 and lines[0] == 'liaison-card/v1', 'not nine lines of a card')
    name, languages = value_of(lines[1], 'name'), value_of(lines[2], 'languages')
    check_name(name)
    require(len(languages) <= 127, 'too many languages')
    for tag in languages.split(','):
        require(len(tag) <= 35 and TAG.fullmatch(tag), 'not a language tag')
    keys = [from_base64(value_of(line, key + '-key'), 32) for line, key in zip(lines[3:7], KEY_NAMES)]
    check_ed25519_key(keys[0])
    check_ed25519_key(keys[1])
    check_x25519_key(keys[2])
    check_x25519_key(keys[3])
    require(len(set(keys)) == 4, 'two keys are equal')
    signed = b'liaison/card/v1' + ('\n'.join(lines[:7]) + '\n').encode()
    for line, key, kind in zip(lines[7:], keys, KEY_NAMES):
        signature = from_base64(value_of(line, kind + '-signature'), 64)
        require(verify(key, signed, signature), 'a signature does not verify')
    return Card(text, name, *keys)


@dataclasses.dataclass
class Identity:
    """A party's four secrets: two Ed25519 seeds, two X25519 secrets."""
    name: str
    log: bytes
    receipt: bytes
    link: bytes
    sealing: bytes
    languages: str = 'en'

    def card(self):
        publics = [ed25519_public(self.log), ed25519_public(self.receipt), x25519_public(self.link),
                   x25519_public(self.sealing)]
        text = f'liaison-card/v1\nname {self.name}\nlanguages {self.languages}\n'
        for kind, key in zip(KEY_NAMES, publics):
            text += f'{kind}-key {to_base64(key)}\n'
        signed = b'liaison/card/v1' + text.encode()
        text += f'log-signature {to_base64(sign(self.log, signed))}\n'
        text += f'receipt-signature {to_base64(sign(self.receipt, signed))}\n'
        return read_card(text)


def new_identity(name):
    return Identity(name, *(os.urandom(32) for _ in KEY_NAMES))


def check_sum(lines):
    """The last line of a key file is the checksum of all before it."""
    before = ('\n'.join(lines[:-1]) + '\n').encode()
    sum_ = sha256(b'liaison/checksum/v1' + before)[:8].hex()
    require(value_of(lines[-1], 'checksum') == sum_, 'the checksum is wrong')


def with_sum(text):
    return f'{text}checksum {sha256(b"liaison/checksum/v1" + text.encode())[:8].hex()}\n'


def read_recovery_sheet(text):
    lines = lines_of(text)
    require(len(lines) == 8 and lines[0] == 'liaison-recovery-sheet/v1', 'not a recovery sheet')
    check_sum(lines)
    names = ('log-seed', 'receipt-seed', 'link-secret', 'sealing-secret')
    secrets = [from_base64(value_of(line, name), 32) for line, name in zip(lines[3:7], names)]
    return Identity(value_of(lines[1], 'name'), *secrets, languages=value_of(lines[2], 'languages'))


def read_courier_key(text):
    """The line's id and the key."""
    lines = lines_of(text)
    require(len(lines) == 4 and lines[0] == 'liaison-courier-key/v1', 'not a courier key')
    check_sum(lines)
    line = value_of(lines[1], 'line')
    require(re.fullmatch('[0-9a-f]{64}', line), 'not the id of a line')
    return bytes.fromhex(line), from_base64(value_of(lines[2], 'key'), 32)


def write_courier_key(line, key):
    return with_sum(f'liaison-courier-key/v1\nline {line.hex()}\nkey {to_base64(key)}\n')


def courier_hash(key):
    return sha256(b'liaison/courier-hash/v1' + key)


class Charter:
    """A charter, the names that follow from it, and with the courier key the subkeys and the fingerprint."""

    def __init__(self, text):
        require(len(text) <= 40960, 'too long')
        self.text = text
        self.lines = lines_of(text)
        self.read_head()
        self.check_cards()
        self.id = sha256(b'liaison/charter/v1' + text.encode())
        self.origins = [f'liaison/1/{sha256(b"liaison/origin/v1" + self.id + card.log).hex()}/0' for card in self.cards]
        self.receipt_names = [f'liaison/1/{sha256(b"liaison/receipt-name/v1" + self.id + card.receipt).hex()}'
                              for card in self.cards]
        self.origin_hashes = [sha256(origin.encode()) for origin in self.origins]

    def read_head(self):
        lines = self.lines + [''] * 8
        require(lines[0] == 'liaison-charter/v1', 'not a charter')
        self.name = value_of(lines[1], 'name')
        require(len(self.name) <= 32 and LINE_NAME.fullmatch(self.name), 'not the name of a line')
        from_base64(value_of(lines[2], 'random'), 32)
        courier = value_of(lines[3], 'courier-key')
        self.courier_hash = None if courier == 'none' else from_base64(courier, 32)
        number_of(value_of(lines[4], 'quota-entries'))
        number_of(value_of(lines[5], 'quota-bytes'))
        at = self.read_succeeds(lines)
        count = number_of(value_of(lines[at], 'members'))
        require(2 <= count <= 16 and len(self.lines) == at + 1 + 9 * count, 'not as many cards as members')
        parts = [self.lines[at + 1 + 9 * i:at + 10 + 9 * i] for i in range(count)]
        self.cards = [read_card('\n'.join(part) + '\n') for part in parts]

    @staticmethod
    def read_succeeds(lines):
        if lines[6] == 'succeeds none':
            return 7
        at, seen = 6, set()
        while at == 6 or lines[at].startswith('succeeds '):
            parts = value_of(lines[at], 'succeeds').split(' ')
            require(len(parts) == 3 and ORIGIN.fullmatch(parts[0]) and parts[0] not in seen, 'not a log, or twice')
            number_of(parts[1], 2 ** 40)
            from_base64(parts[2], 32)
            seen.add(parts[0])
            at += 1
        require(len(seen) <= 16, 'too many')
        return at

    def check_cards(self):
        keys = [key for card in self.cards for key in card.keys()]
        require(len(set(keys)) == len(keys), 'two keys are equal')
        require(len({card.name for card in self.cards}) == len(self.cards), 'a name twice')

    def subkey(self, key, use):
        """The link or wrap subkey of the courier key; seal.md, "Courier keys"."""
        require((key and courier_hash(key)) == self.courier_hash, 'not its courier key')
        return hkdf(b'', key or bytes(32), f'liaison/courier-{use}/v1'.encode())

    def fingerprint(self, key):
        digest = hmac(key or bytes(32), b'liaison/fingerprint/v1' + self.id)
        return ' '.join(f'{int.from_bytes(digest[at:at + 4], "big") % 100000:05d}' for at in range(0, 32, 4))

    def member(self, name):
        return next(number for number, card in enumerate(self.cards) if card.name == name)


def found(name, cards, key):
    """The text of a new charter, the cards in the order of the members."""
    return (f'liaison-charter/v1\nname {name}\nrandom {to_base64(os.urandom(32))}\n'
            f'courier-key {to_base64(courier_hash(key)) if key else "none"}\nquota-entries 268435456\n'
            f'quota-bytes 68719476736\nsucceeds none\nmembers {len(cards)}\n' + ''.join(card.text for card in cards))
