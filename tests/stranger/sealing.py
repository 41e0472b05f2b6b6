"""The sealing of entries and the wrapping of epoch secrets. spec/seal.md, "Epochs" and "Entries"."""

import os
import struct

import cbor
from crypto import Refused, equal, hmac, seal, sha256, unseal
from noise import read_wrap, write_wrap

LARGEST = 61440


def padded_size(size):
    """Padmé with a floor of 256."""
    if size <= 256:
        return 256
    exponent = size.bit_length() - 1
    step = 1 << exponent - exponent.bit_length()
    return -(-size // step) * step


def entry_key(secret, origin_hash, epoch, index, tag):
    return hmac(secret, b'entry' + origin_hash + struct.pack('>QQ', epoch, index) + tag + b'\x01')


def text_tag(secret, header, padded):
    return hmac(hmac(secret, b'salt'), header + padded)[:16]


def seal_padded(secret, origin_hash, epoch, index, header, padded):
    """The whole entry. `padded` is the body with its zeros, which a forger may choose as it likes."""
    tag = text_tag(secret, header, padded)
    key = entry_key(secret, origin_hash, epoch, index, tag)
    commitment = sha256(b'liaison/commit/v1' + key)
    return header + tag + commitment + seal(hmac(key, b'enc'), 0, header + tag + commitment, padded)


def seal_entry(secret, origin_hash, epoch, index, header, body):
    text = cbor.encode(body)
    return seal_padded(secret, origin_hash, epoch, index, header, text.ljust(padded_size(len(text)), b'\x00'))


def open_entry(secret, origin_hash, epoch, index, data, header_size):
    """The body as it was encoded, its padding taken off and checked."""
    header, rest = data[:header_size], data[header_size:]
    tag, commitment, sealed = rest[:16], rest[16:48], rest[48:]
    key = entry_key(secret, origin_hash, epoch, index, tag)
    if not equal(commitment, sha256(b'liaison/commit/v1' + key)):
        raise Refused('the key commitment is another')
    padded = unseal(hmac(key, b'enc'), 0, header + tag + commitment, sealed)
    if not equal(tag, text_tag(secret, header, padded)):
        raise Refused('its tag is that of another text')
    try:
        size = cbor.decode_first(padded)[1]
    except cbor.Malformed as error:
        raise Refused('its body is not canonical') from error
    if any(padded[size:]) or len(padded) != padded_size(size) or len(padded) > LARGEST:
        raise Refused('its padding is not what is due')
    return padded[:size]


def epoch_commitment(origin_hash, epoch, secret):
    return sha256(b'liaison/epoch-commit/v1' + origin_hash + struct.pack('>Q', epoch) + secret)


def wrap_prologue(charter, author, recipient, epoch, source, number):
    index = recipient - (recipient > author)
    return (b'liaison/wrap/v1' + charter.id + charter.origin_hashes[author] + struct.pack('>QB', epoch, index)
            + charter.cards[author].hash() + charter.cards[recipient].hash() + struct.pack('>BQ', source, number))


def wrap(charter, psk, author, author_secret, recipient, epoch, source, number, key, secret, ephemeral=None):
    """`key` is the recipient's prekey, or its standing sealing key."""
    prologue = wrap_prologue(charter, author, recipient, epoch, source, number)
    return write_wrap(prologue, psk, author_secret, key, ephemeral or os.urandom(32), secret)


def unwrap(charter, psk, author, recipient, epoch, source, number, recipient_secret, message):
    prologue = wrap_prologue(charter, author, recipient, epoch, source, number)
    return read_wrap(prologue, psk, charter.cards[author].sealing, recipient_secret, message)
