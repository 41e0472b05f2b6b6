"""A link: handshake, frames and chunks over a TCP stream. spec/link.md."""

import os
import select
import struct
import time

from crypto import Refused, equal, x25519_public
from noise import LINK, Handshake, read_wrap, write_wrap

FRAME_SIZES = (256, 1024, 16384)
MORE, LAST, PING, PONG, CLOSE, URGENT_MORE, URGENT_LAST = 1, 2, 3, 4, 5, 6, 7
LIMITS = {'bulk': 1114112, 'urgent': 131072}
SILENCE = 10


class Closed(Exception):
    """The link ended; the sentence says why."""


class Keys:
    """What both ends of a line's links know: its id, the courier key's link subkey, and the members' link keys."""

    def __init__(self, line, psk, link_keys):
        self.line, self.psk, self.link_keys = line, psk, link_keys

    def start(self, responder):
        return Handshake(LINK, b'liaison/link/v1' + self.line, (responder,))

    def inner_prologue(self, member, ephemeral):
        return b'liaison/link-first/v1' + self.line + bytes([member]) + ephemeral


class Initiator:
    """The opener's three messages of 256 bytes."""

    def __init__(self, keys, member, secret, responder):
        self.keys, self.member, self.secret, self.responder = keys, member, secret, responder

    def message_1(self, frame_class, counter, ephemeral=None, inner_ephemeral=None):
        self.ephemeral = ephemeral or os.urandom(32)
        public = x25519_public(self.ephemeral)
        inner = write_wrap(self.keys.inner_prologue(self.member, public), self.keys.psk, self.secret, self.responder,
                           inner_ephemeral or os.urandom(32), struct.pack('>BQ150x', frame_class, counter))
        self.state = self.keys.start(self.responder)
        self.state.mix_psk(self.keys.psk)
        self.state.mix_ephemeral(public)
        self.state.mix_dh(self.ephemeral, self.responder)
        return public + self.state.encrypt(bytes([self.member]) + inner)

    def message_3(self, message_2):
        """Reads message 2; gives message 3 and the keys of both directions, one's own first."""
        self.state.mix_ephemeral(message_2[:32])
        self.state.mix_dh(self.ephemeral, message_2[:32])
        if self.state.decrypt(message_2[32:]) != bytes(208):
            raise Refused('message 2 is not of zeros')
        message = self.state.encrypt(x25519_public(self.secret))
        self.state.mix_dh(self.secret, message_2[:32])
        return message + self.state.encrypt(bytes(192)), self.state.split()


class Responder:
    """The other end. `counters` is the highest counter of each member so far, None if all are taken."""

    def __init__(self, keys, me, secret, counters):
        self.keys, self.me, self.secret, self.counters = keys, me, secret, counters

    def message_2(self, message_1, ephemeral=None):
        """Reads message 1; gives message 2. Refused is to be met with silence."""
        self.state = self.keys.start(x25519_public(self.secret))
        self.state.mix_psk(self.keys.psk)
        self.state.mix_ephemeral(message_1[:32])
        self.state.mix_dh(self.secret, message_1[:32])
        payload = self.state.decrypt(message_1[32:])
        self.member = payload[0]
        if self.member >= len(self.keys.link_keys) or self.member == self.me:
            raise Refused('an unknown member')
        self.read_inner(payload[1:], message_1[:32])
        secret = ephemeral or os.urandom(32)
        public = x25519_public(secret)
        self.state.mix_ephemeral(public)
        self.state.mix_dh(secret, message_1[:32])
        self.ephemeral = secret
        return public + self.state.encrypt(bytes(208))

    def read_inner(self, inner, ephemeral):
        prologue = self.keys.inner_prologue(self.member, ephemeral)
        payload = read_wrap(prologue, self.keys.psk, self.keys.link_keys[self.member], self.secret, inner)
        self.frame_class, counter = struct.unpack('>BQ', payload[:9])
        if any(payload[9:]) or self.frame_class > 2:
            raise Refused('not zeros, or no frame class')
        if self.counters is not None:
            if not self.counters.get(self.member, -1) < counter < 2 ** 63:
                raise Refused('an old counter')
            self.counters[self.member] = counter

    def read_3(self, message_3):
        """The keys of both directions, the initiator's first."""
        static = self.state.decrypt(message_3[:48])
        self.state.mix_dh(self.ephemeral, static)
        if self.state.decrypt(message_3[48:]) != bytes(192) or not equal(static, self.keys.link_keys[self.member]):
            raise Refused('not zeros, or another member than message 1 named')
        return self.state.split()


def chunk(kind, data):
    return struct.pack('>BH', kind, len(data)) + data


def close_reason(data):
    try:
        if len(data) <= 200:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise Closed('it closed with a reason that is too long or not UTF-8')


class Writer:
    """Cuts what waits into chunks and fills frames with them: pings, pongs and a close, then urgent, then bulk."""

    def __init__(self, direction, frame_size):
        self.direction, self.room = direction, frame_size - 16
        self.control, self.urgent, self.bulk = [], [], []

    def frames(self):
        out = []
        while self.control or self.urgent or self.bulk:
            out.append(self.direction.encrypt(self.frame()))
        return b''.join(out)

    def frame(self):
        plain = b''
        while self.control and len(plain) + 3 + len(self.control[0][1]) <= self.room:
            plain += chunk(*self.control.pop(0))
        for queue, more, last in ((self.urgent, URGENT_MORE, URGENT_LAST), (self.bulk, MORE, LAST)):
            while queue and len(plain) + 4 <= self.room:
                part, rest = queue[0][:self.room - len(plain) - 3], queue[0][self.room - len(plain) - 3:]
                plain += chunk(more if rest else last, part)
                queue[:1] = [rest] if rest else []
        return plain.ljust(self.room, b'\x00')


class Reader:
    """Opens frames and puts messages together."""

    def __init__(self, direction, frame_size):
        self.direction, self.size = direction, frame_size
        self.waiting = b''
        self.parts = {'urgent': b'', 'bulk': b''}

    def feed(self, data):
        """What became complete: (lane, message), ('ping', data), ('pong', data), ('close', reason), ('fault', reason).
        Messages that were complete before a fault stand."""
        self.waiting += data
        events = []
        try:
            while len(self.waiting) >= self.size:
                frame, self.waiting = self.waiting[:self.size], self.waiting[self.size:]
                self.read(self.open(frame), events)
        except Closed as fault:
            events.append(('fault', str(fault)))
        return events

    def open(self, frame):
        try:
            return self.direction.decrypt(frame)
        except Refused as error:
            raise Closed('a frame is not authentic') from error

    def read(self, plain, events):
        at = 0
        while len(plain) - at >= 3 and plain[at] != 0:
            kind, length = struct.unpack_from('>BH', plain, at)
            if length > len(plain) - at - 3:
                raise Closed('a chunk is longer than the frame')
            self.take(kind, plain[at + 3:at + 3 + length], events)
            at += 3 + length
        if any(plain[at:]):
            raise Closed('the padding of a frame is not zero')

    def take(self, kind, data, events):
        if kind in (PING, PONG):
            if len(data) != 8:
                raise Closed('a ping or pong that has not 8 bytes')
            events.append(('ping' if kind == PING else 'pong', data))
        elif kind == CLOSE:
            events.append(('close', close_reason(data)))
        elif kind in (MORE, LAST, URGENT_MORE, URGENT_LAST):
            self.take_part('bulk' if kind < PING else 'urgent', kind in (LAST, URGENT_LAST), data, events)
        else:
            raise Closed('a chunk of no known type')

    def take_part(self, lane, last, data, events):
        self.parts[lane] += data
        if not data or len(self.parts[lane]) > LIMITS[lane]:
            raise Closed('a message part without content, or a message longer than allowed')
        if last:
            events.append((lane, self.parts[lane]))
            self.parts[lane] = b''


def receive_exactly(stream, count, deadline):
    data = b''
    while len(data) < count:
        stream.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = stream.recv(count - len(data))
        except OSError as error:
            raise Closed('met with silence') from error
        if not piece:
            raise Closed('the stream ended before the handshake did')
        data += piece
    return data


class Link:
    """An established link."""

    KEEPALIVE = 4

    def __init__(self, stream, member, frame_size, sending, receiving):
        self.stream, self.member = stream, member
        self.writer, self.reader = Writer(sending, frame_size), Reader(receiving, frame_size)
        self.sent_at = time.monotonic()
        self.ending = None

    def send(self, lane, message):
        getattr(self.writer, lane).append(message)
        self.flush()

    def flush(self):
        data = self.writer.frames()
        if data:
            self.send_bytes(data)

    def send_bytes(self, data):
        self.stream.settimeout(10)
        try:
            self.stream.sendall(data)
        except OSError as error:
            raise Closed('the stream ended') from error
        self.sent_at = time.monotonic()

    def poll(self, seconds):
        """The messages that come within the time, as pairs of lane and message."""
        if self.ending:
            raise Closed(self.ending)
        if time.monotonic() - self.sent_at > self.KEEPALIVE:
            self.writer.control.append((PING, bytes(8)))
            self.flush()
        if not select.select([self.stream], [], [], seconds)[0]:
            return []
        try:
            data = self.stream.recv(65536)
        except OSError as error:
            raise Closed('the stream ended') from error
        if not data:
            raise Closed('the stream ended')
        return self.answer(self.reader.feed(data))

    def answer(self, events):
        messages = []
        for kind, data in events:
            if kind in ('close', 'fault'):
                self.ending = f'the other side closed: {data}' if kind == 'close' else data
                return messages
            if kind == 'ping':
                self.writer.control = [(PONG, data)]
            elif kind != 'pong':
                messages.append((kind, data))
        self.flush()
        return messages

    def close(self, reason=''):
        self.writer.control.append((CLOSE, reason.encode()))
        self.flush()
        self.stream.close()


def dial(stream, keys, me, secret, member, frame_class, counter):
    """The link over a stream that one opened oneself."""
    deadline = time.monotonic() + SILENCE
    initiator = Initiator(keys, me, secret, keys.link_keys[member])
    stream.sendall(initiator.message_1(frame_class, counter))
    message_3, (sending, receiving) = initiator.message_3(receive_exactly(stream, 256, deadline))
    stream.sendall(message_3)
    return Link(stream, member, FRAME_SIZES[frame_class], sending, receiving)


def answer(stream, keys, me, secret, counters):
    """The link over a stream that the other side opened."""
    deadline = time.monotonic() + SILENCE
    responder = Responder(keys, me, secret, counters)
    stream.sendall(responder.message_2(receive_exactly(stream, 256, deadline)))
    receiving, sending = responder.read_3(receive_exactly(stream, 256, deadline))
    return Link(stream, responder.member, FRAME_SIZES[responder.frame_class], sending, receiving)
