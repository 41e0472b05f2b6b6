"""The other side of link.c by dissononce; the arguments and bytes are described there."""
import hmac
import sys

from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.XK import XKHandshakePattern
from dissononce.processing.handshakepatterns.oneway.K import KHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState
from dissononce.processing.modifiers.psk import PSKPatternModifier

SIZE = 256
MEMBER, COUNTER = 1, 0x0102030405060708


class KnownEphemeral(X25519DH):
    """The ephemeral key that a handshake will use is known before."""

    def __init__(self):
        super().__init__()
        self.ephemeral = super().generate_keypair()

    def generate_keypair(self, privatekey=None):
        return super().generate_keypair(privatekey) if privatekey else self.ephemeral


def keypair(secret):
    return X25519DH().generate_keypair(PrivateKey(secret))


class Link:
    """What both handshakes of a link are made of. `own` is a key pair, `other` a public key or None."""

    def __init__(self, line_id, courier, initiator, own, other):
        self.line_id, self.initiator, self.own, self.other = line_id, initiator, own, other
        extracted = hmac.digest(b"", courier, "sha256")
        self.psk = hmac.digest(extracted, b"liaison/courier-link/v1\1", "sha256")

    def handshake(self, pattern, prologue, dh, own, other):
        state = HandshakeState(SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash()), dh)
        state.initialize(PSKPatternModifier(0).modify(pattern), self.initiator, prologue, s=own, rs=other,
                         psks=[self.psk])
        return state

    def outer(self):
        dh = KnownEphemeral()
        other = self.other if self.initiator else None
        return self.handshake(XKHandshakePattern(), b"liaison/link/v1" + self.line_id, dh, self.own, other), dh

    def inner(self, member, ephemeral, own, other):
        prologue = b"liaison/link-first/v1" + self.line_id + bytes([member]) + ephemeral
        return self.handshake(KHandshakePattern(), prologue, X25519DH(), own, other)

    def first(self, member, counter):
        """The outer handshake, and its message 1."""
        outer, dh = self.outer()
        inner, wire = bytearray([member]), bytearray()
        payload = (bytes([0]) + counter.to_bytes(8, "big")).ljust(159, b"\0")
        self.inner(member, dh.ephemeral.public.data, self.own, self.other).write_message(payload, inner)
        outer.write_message(bytes(inner), wire)
        return outer, bytes(wire)


def read_exactly():
    data = sys.stdin.buffer.read(SIZE)
    if len(data) != SIZE:
        sys.exit(3)
    return data


def write(data):
    sys.stdout.buffer.write(bytes(data))
    sys.stdout.buffer.flush()


def frame(text):
    return (b"\2" + len(text).to_bytes(2, "big") + text).ljust(SIZE - 16, b"\0")


def expect(got, want):
    if bytes(got) != want:
        sys.exit(1)


def begin(link):
    outer, wire = link.first(MEMBER, COUNTER)
    write(wire)
    zeros, third = bytearray(), bytearray()
    outer.read_message(read_exactly(), zeros)
    expect(zeros, bytes(208))
    send, receive = outer.write_message(bytes(192), third)
    write(third + send.encrypt_with_ad(b"", frame(b"We begin.")))
    expect(receive.decrypt_with_ad(b"", read_exactly()), frame(b"We answer."))


def answer(link, initiator):
    outer, _ = link.outer()
    wire, first, payload, zeros, second = read_exactly(), bytearray(), bytearray(), bytearray(), bytearray()
    outer.read_message(wire, first)
    link.inner(first[0], wire[:32], link.own, initiator).read_message(bytes(first[1:]), payload)
    expect(first[:1] + payload, (bytes([MEMBER, 0]) + COUNTER.to_bytes(8, "big")).ljust(160, b"\0"))
    outer.write_message(bytes(208), second)
    write(second)
    receive, send = outer.read_message(read_exactly(), zeros)
    expect(zeros, bytes(192))
    expect(outer.rs.data, initiator.data)
    expect(receive.decrypt_with_ad(b"", read_exactly()), frame(b"We begin."))
    write(send.encrypt_with_ad(b"", frame(b"We answer.")))


def main():
    role, secret = sys.argv[1:]
    line_id, courier = bytes([0x44]) * 32, bytes([0x33]) * 32
    responder = keypair(bytes([0x22]) * 32)
    if role == "initiator":
        begin(Link(line_id, courier, True, keypair(bytes([int(secret)]) * 32), responder.public))
    else:
        answer(Link(line_id, courier, False, responder, None), keypair(bytes([0x11]) * 32).public)


if __name__ == "__main__":
    try:
        main()
    except DecryptFailedException:
        sys.exit(3)
