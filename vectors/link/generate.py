"""Writes the vectors of this folder from spec/link.md and the cryptography package, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
conversation  what comes from the other side at this step of the page's worked example; what is sent in answer
handshake     what a responder with the example's keys receives, all at once, to whom every member number is that of
              the initiator's link key and every counter new; what it sends. `reason`, here and below, is why the link
              closed, also where the handshake is good
frame         the plain text of the first frame from the initiator, 240 bytes; the messages handed out, those of the
              urgent lane first, one behind the other
"""
import hashlib
import hmac
import os
import struct
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above

INITIATOR, RESPONDER, COURIER, LINE = (bytes([value]) * 32 for value in (0x11, 0x22, 0x33, 0x44))
INITIATOR_EPHEMERAL = bytes.fromhex("ae4bea8bd721873f88c273168734d96437b35cd30786690b2c0baa2ed2853c63")
INNER_EPHEMERAL = bytes.fromhex("a221c25ab058021e8670f4790221c891ebeba4cfb6ac7ae65113652d94b4e448")
RESPONDER_EPHEMERAL = bytes.fromhex("dfd5f14017a4be99a37c807d28fcb01313ca47e6519fdac6a6fce94774649cdd")
COUNTER = 1764000000000000
FRAME = 256
PAYLOAD = 208
INNER_PAYLOAD = 159


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(salt, secret, info, count):
    extracted, blocks = hmac.new(salt, secret, "sha256").digest(), [b""]
    for number in range(1, count + 1):
        blocks.append(hmac.new(extracted, blocks[-1] + info + bytes([number]), "sha256").digest())
    return blocks[1:]


def public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def dh(secret, key):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(key))


# Handshake

class Noise:
    """Noise revision 34 with a psk: what both patterns are made of."""

    def __init__(self, name, prologue, statics, courier):
        self.hash = self.chain = sha256(name)
        for data in (prologue, *statics):
            self.mix_hash(data)
        psk, = hkdf(b"", courier, b"liaison/courier-link/v1", 1)
        self.chain, middle, self.key = hkdf(self.chain, psk, b"", 3)
        self.nonce = 0
        self.mix_hash(middle)

    def mix_hash(self, data):
        self.hash = sha256(self.hash, data)

    def mix_key(self, data):
        (self.chain, self.key), self.nonce = hkdf(self.chain, data, b"", 2), 0

    def encrypt(self, plain):
        sealed = ChaCha20Poly1305(self.key).encrypt(struct.pack("<IQ", 0, self.nonce), plain, self.hash)
        self.nonce += 1
        self.mix_hash(sealed)
        return sealed

    def ephemeral(self, key):
        self.mix_hash(key)
        self.mix_key(key)
        return key


class Handshake(Noise):
    """Noise_XKpsk0_25519_ChaChaPoly_SHA256 as one who knows the secrets of both sides sees it."""

    def __init__(self, courier=COURIER, line=LINE, responder=RESPONDER):
        super().__init__(b"Noise_XKpsk0_25519_ChaChaPoly_SHA256", b"liaison/link/v1" + line, [public(responder)],
                         courier)
        self.responder = responder

    def first(self, payload):
        wire = self.ephemeral(public(INITIATOR_EPHEMERAL))
        self.mix_key(dh(INITIATOR_EPHEMERAL, public(self.responder)))
        return wire + self.encrypt(payload)

    def first_of_low_order(self, payload):
        wire = self.ephemeral(bytes(32))
        self.mix_key(bytes(32))
        return wire + self.encrypt(payload)

    def second(self):
        wire = self.ephemeral(public(RESPONDER_EPHEMERAL))
        self.mix_key(dh(RESPONDER_EPHEMERAL, public(INITIATOR_EPHEMERAL)))
        return wire + self.encrypt(bytes(PAYLOAD))

    def third(self):
        wire = self.encrypt(public(INITIATOR))
        self.mix_key(dh(INITIATOR, public(RESPONDER_EPHEMERAL)))
        return wire + self.encrypt(bytes(192))

    def split(self):
        return hkdf(self.chain, b"", b"", 2)


def inner_payload(frame_class=0, counter=COUNTER):
    return (bytes([frame_class]) + counter.to_bytes(8, "big")).ljust(INNER_PAYLOAD, b"\0")


def inner_message(payload, member=1, secret=INITIATOR, key=None, low_order=False, ss=True, courier=COURIER, line=LINE,
                  responder=RESPONDER, outer=INITIATOR_EPHEMERAL):
    """Noise_Kpsk0_25519_ChaChaPoly_SHA256 from `secret`, which may pretend to belong to another public `key`."""
    prologue = b"liaison/link-first/v1" + line + bytes([member]) + public(outer)
    noise = Noise(b"Noise_Kpsk0_25519_ChaChaPoly_SHA256", prologue, [key or public(secret), public(responder)], courier)
    wire = noise.ephemeral(bytes(32) if low_order else public(INNER_EPHEMERAL))
    noise.mix_key(bytes(32) if low_order else dh(INNER_EPHEMERAL, public(responder)))
    if ss:
        noise.mix_key(dh(secret, public(responder)))
    return wire + noise.encrypt(payload)


def first_payload(named=1, payload=inner_payload(), **choices):
    return bytes([named]) + inner_message(payload, **{"member": named, **choices})


def with_byte(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1:]


def flipped(data, at):
    return with_byte(data, at, data[at] ^ 1)


def handshake_cases():
    def over(why):
        return "no handshake within 10 s: the " + why

    def answered(name, payload):
        handshake = Handshake()
        return case(name, handshake.first(payload), True, over("third message did not come"), handshake.second())

    def malformed(name, inner, reason):
        return case(name, Handshake().first(first_payload(payload=inner)), False, over(f"first message{reason}"))

    frames = " asks for frames of a size that there is not"

    def unproved(name, payload):
        return case(name, Handshake().first(payload), False,
                    over("first message does not prove the link key of the member that it names"))

    def unopened(name, data):
        return case(name, data, False, over("first message is not made with the courier key of any line"))

    payload = first_payload()
    handshake = Handshake()
    good, second = handshake.first(payload), handshake.second()
    other = b"\x12" * 32
    browser = b"GET / HTTP/1.1\r\nHost: washington.example\r\n\r\n"
    more = "no handshake within 10 s: more came before the first message was answered"
    return [
        answered("a good first message", payload),
        answered("frame class 1", first_payload(payload=inner_payload(frame_class=1))),
        answered("frame class 2", first_payload(payload=inner_payload(frame_class=2))),
        answered("the highest member and counter", first_payload(255, inner_payload(counter=2**64 - 1))),
        malformed("frame class 3 is unknown", inner_payload(frame_class=3), frames),
        malformed("frame class 255 is unknown", inner_payload(frame_class=255), frames),
        *(malformed(f"byte {at} of the inner payload is not zero", with_byte(inner_payload(), at, value), "'s padding is not zero")
          for at, value in ((9, 1), (80, 1), (158, 0x80))),
        unproved("another member's link secret", first_payload(secret=other)),
        unproved("another member's link secret with this one's link key",
                 first_payload(secret=other, key=public(INITIATOR))),
        unproved("no link secret: ss is left out", first_payload(ss=False)),
        unproved("the inner message names another member", first_payload(2, member=1)),
        unproved("the inner message is of another first message", first_payload(outer=other)),
        unproved("the inner message is of another line", first_payload(line=b"\x45" * 32)),
        unproved("the inner message is for another responder", first_payload(responder=b"\x23" * 32)),
        unproved("the inner message has another courier key", first_payload(courier=b"\x34" * 32)),
        unproved("the inner message has no courier key", first_payload(courier=bytes(32))),
        unproved("an inner ephemeral key of low order", first_payload(low_order=True)),
        *(unproved(f"bit 0 of byte {at} of the inner message is flipped", flipped(payload, 1 + at))
          for at in (0, 31, 32, 190, 191, 206)),
        unproved("an inner message of zeros", bytes([1]) + bytes(PAYLOAD - 1)),
        unproved("a member and a counter without an inner message",
                 (bytes([1]) + bytes(7) + COUNTER.to_bytes(8, "big")).ljust(PAYLOAD, b"\0")),
        unopened("another courier key", Handshake(courier=b"\x34" * 32).first(payload)),
        unopened("no courier key on a line that has one", Handshake(courier=bytes(32)).first(payload)),
        unopened("another line", Handshake(line=b"\x45" * 32).first(payload)),
        unopened("another responder's link key", Handshake(responder=b"\x23" * 32).first(payload)),
        *(unopened(f"bit 0 of byte {at} is flipped", flipped(good, at)) for at in (0, 31, 32, 239, 240, 255)),
        unopened("an ephemeral key of low order", bytes(32) + good[32:]),
        unopened("an ephemeral key of low order, with the courier key",
                 Handshake().first_of_low_order(payload)),
        case("nothing", b"", False, over("first message did not come")),
        case("one byte short", good[:-1], False, over("first message did not come")),
        case("one byte more than the first message", good + b"\0", False, more),
        case("the first message twice", good + good, False, more),
        unopened("what a web browser says", browser.ljust(FRAME)),
        unopened("the second message where the first belongs", second),
    ]


# Frames

ROOM = FRAME - 16
PART, LAST, PING, PONG, CLOSE, URGENT_PART, URGENT_LAST = range(1, 8)


def chunk(kind, data=b""):
    return bytes([kind]) + len(data).to_bytes(2, "big") + data


def conversation_cases():
    handshake = Handshake()
    first, second, third = handshake.first(first_payload()), handshake.second(), handshake.third()
    keys = handshake.split()
    ping = (250000).to_bytes(8, "big")

    def frame(side, number, *chunks):
        plain = b"".join(chunks).ljust(ROOM, b"\0")
        return ChaCha20Poly1305(keys[side]).encrypt(struct.pack("<IQ", 0, number), plain, b"")

    asked = third + frame(0, 0, chunk(PING, ping), chunk(LAST, b"Are you there?"))
    answered = frame(1, 0, chunk(PONG, ping), chunk(LAST, b"We are."))
    closed = frame(0, 1, chunk(CLOSE, b"Good night."))
    return [
        case("1, initiator: message 1", b"", True, output=first),
        case("2, responder: message 2", first, True, output=second),
        case("3, initiator: message 3, then a frame with a ping and a message", second, True, output=asked),
        case("4, responder: a frame with the pong and a message", asked, True, output=answered),
        case("5, initiator: a frame with a close", answered, True, output=closed),
        case("6, responder: over", closed, True, "the other side closed, in its words: Good night."),
    ]


def frame_cases():
    def good(name, plain, output=b""):
        return case(name, plain.ljust(ROOM, b"\0"), True, output=output)

    def closed(name, plain, reason, output=b""):
        return case(name, plain.ljust(ROOM, b"\0"), False, "the other side " + reason, output)

    def malformed(name, plain, what):
        return closed(name, plain, f"sent a {what}")

    unknown, longer = "frame with a chunk of no known type", "frame with a chunk that is longer than the frame"

    def empty(name, plain):
        return closed(name, plain, "sent a message part without content")

    def padded(name, plain, output=b""):
        return closed(name, plain, "sent a frame whose padding is not zero", output)

    hello, now, enough = chunk(LAST, b"hello"), chunk(URGENT_LAST, b"now"), chunk(CLOSE, b"enough")
    full = b"x" * (ROOM - 3)
    words = "closed, in its words: "
    return [
        good("nothing but padding", b""),
        good("a message", hello, b"hello"),
        good("a message of one byte", chunk(LAST, b"!"), b"!"),
        good("two parts of one message", chunk(PART, b"hel") + chunk(LAST, b"lo"), b"hello"),
        good("a message that fills the frame", chunk(LAST, full), full),
        good("two bytes of padding", chunk(LAST, full[2:]), full[2:]),
        good("a ping between the parts of a message", chunk(PART, b"hel") + chunk(PING, b"12345678") +
             chunk(LAST, b"lo"), b"hello"),
        good("a part with more to follow", chunk(PART, b"hel")),
        good("a pong nobody asked for", chunk(PONG, b"12345678")),
        good("an urgent message", now, b"now"),
        good("an urgent message of one byte", chunk(URGENT_LAST, b"!"), b"!"),
        good("two parts of one urgent message", chunk(URGENT_PART, b"n") + chunk(URGENT_LAST, b"ow"), b"now"),
        good("an urgent message that fills the frame", chunk(URGENT_LAST, full), full),
        good("an urgent part with more to follow", chunk(URGENT_PART, b"n")),
        good("an urgent message before a bulk one", now + hello, b"nowhello"),
        good("an urgent message behind a bulk one", hello + now, b"nowhello"),
        good("an urgent message between the parts of a bulk one", chunk(PART, b"hel") + now + chunk(LAST, b"lo"),
             b"nowhello"),
        good("a bulk message between the parts of an urgent one", chunk(URGENT_PART, b"n") + hello +
             chunk(URGENT_LAST, b"ow"), b"nowhello"),
        good("parts of both lanes by turns", chunk(PART, b"h") + chunk(URGENT_PART, b"n") + chunk(PART, b"ell") +
             chunk(URGENT_PART, b"o") + chunk(LAST, b"o") + chunk(URGENT_LAST, b"w"), b"nowhello"),
        good("an urgent message's end does not end a bulk one", chunk(PART, b"hel") + now, b"now"),
        good("a bulk message's end does not end an urgent one", chunk(URGENT_PART, b"n") + hello, b"hello"),
        good("order within each lane", chunk(LAST, b"1") + chunk(URGENT_LAST, b"2") + chunk(LAST, b"3") +
             chunk(URGENT_LAST, b"4"), b"2413"),
        closed("a close", enough, words + "enough"),
        closed("a close after a message", hello + enough, words + "enough", b"hello"),
        closed("a close after an urgent message", now + enough, words + "enough", b"now"),
        closed("a close with a message of each lane unfinished", now + hello + chunk(PART, b"hel") +
               chunk(URGENT_PART, b"n") + enough, words + "enough", b"nowhello"),
        closed("a close without a reason", chunk(CLOSE), "closed without a reason"),
        closed("a close of 200 bytes", chunk(CLOSE, b"y" * 200), words + "y" * 200),
        closed("a close of 201 bytes", chunk(CLOSE, b"y" * 201), "closed with a reason that is too long or not UTF-8"),
        closed("a close that is not UTF-8", chunk(CLOSE, b"\xff"), "closed with a reason that is too long or not UTF-8"),
        closed("a close that would clear the screen", chunk(CLOSE, "\x1b[2J\n\u202e".encode()),
               words + "<U+001B>[2J<U+000A><U+202E>"),
        closed("what follows a close is ignored", enough + b"\xff" * 50, words + "enough"),
        empty("a message of no bytes", chunk(LAST)),
        empty("a part of no bytes", chunk(PART) + chunk(LAST, b"x")),
        empty("a last part of no bytes", chunk(PART, b"x") + chunk(LAST)),
        empty("an urgent message of no bytes", chunk(URGENT_LAST)),
        empty("an urgent part of no bytes", chunk(URGENT_PART) + chunk(URGENT_LAST, b"x")),
        empty("an urgent last part of no bytes", chunk(URGENT_PART, b"x") + chunk(URGENT_LAST)),
        malformed("chunk type 8", chunk(8, b"x"), unknown),
        malformed("chunk type 255", chunk(255), unknown),
        malformed("a length one beyond the frame", b"\2" + (ROOM - 2).to_bytes(2, "big") + full, longer),
        malformed("an urgent length one beyond the frame", b"\7" + (ROOM - 2).to_bytes(2, "big") + full, longer),
        malformed("the highest length", b"\2\xff\xff" + full, longer),
        malformed("a ping of seven bytes", chunk(PING, b"1234567"), "ping that has not 8 bytes"),
        malformed("a ping of nine bytes", chunk(PING, b"123456789"), "ping that has not 8 bytes"),
        malformed("a ping of no bytes", chunk(PING), "ping that has not 8 bytes"),
        malformed("a pong of seven bytes", chunk(PONG, b"1234567"), "pong that has not 8 bytes"),
        malformed("a pong of nine bytes", chunk(PONG, b"123456789"), "pong that has not 8 bytes"),
        padded("padding that is not zero", hello.ljust(ROOM - 1, b"\0") + b"\1", b"hello"),
        padded("an end with a length", b"\0\0\1"),
        padded("a message behind the end", b"\0" + hello),
        padded("an urgent message behind the end", b"\0" + now),
        padded("a last byte that is not zero", chunk(LAST, full[1:]) + b"\2", full[1:]),
        padded("a type in the last two bytes", chunk(LAST, full[2:]) + b"\2", full[2:]),
    ]


def main():
    write(HERE, "conversation", conversation_cases())
    write(HERE, "handshake", handshake_cases())
    write(HERE, "frame", frame_cases())


if __name__ == "__main__":
    main()
