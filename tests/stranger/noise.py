"""Noise revision 34 in the two patterns of spec/seal.md, "Noise"."""

from crypto import Refused, hkdf, seal, sha256, unseal, x25519, x25519_public

LINK = b'Noise_XKpsk0_25519_ChaChaPoly_SHA256'
WRAP = b'Noise_Kpsk0_25519_ChaChaPoly_SHA256'


class Handshake:
    """The symmetric state, and the tokens that the two patterns are made of."""

    def __init__(self, name, prologue, known_keys):
        self.chain = self.hash = sha256(name)
        self.key, self.number = None, 0
        for data in (prologue, *known_keys):
            self.mix_hash(data)

    def mix_hash(self, data):
        self.hash = sha256(self.hash + data)

    def mix_key(self, data):
        out = hkdf(self.chain, data, length=64)
        self.chain, self.key, self.number = out[:32], out[32:], 0

    def mix_psk(self, psk):
        out = hkdf(self.chain, psk, length=96)
        self.chain, self.key, self.number = out[:32], out[64:], 0
        self.mix_hash(out[32:64])

    def mix_dh(self, secret, public):
        self.mix_key(x25519(secret, public))

    def mix_ephemeral(self, public):
        """As the patterns have a psk, every e is also mixed into the key."""
        self.mix_hash(public)
        self.mix_key(public)

    def encrypt(self, text):
        sealed = seal(self.key, self.number, self.hash, text)
        self.number += 1
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed):
        text = unseal(self.key, self.number, self.hash, sealed)
        self.number += 1
        self.mix_hash(sealed)
        return text

    def split(self):
        out = hkdf(self.chain, b'', length=64)
        return Direction(out[:32]), Direction(out[32:])


class Direction:
    """The key of one direction of a link; spec/link.md, "Frames"."""

    REKEY = 65536

    def __init__(self, key):
        self.key, self.number = key, 0

    def step(self):
        self.number += 1
        if self.number % self.REKEY == 0:
            self.key = seal(self.key, 2 ** 64 - 1, b'', bytes(32))[:32]

    def encrypt(self, text):
        sealed = seal(self.key, self.number, b'', text)
        self.step()
        return sealed

    def decrypt(self, sealed):
        text = unseal(self.key, self.number, b'', sealed)
        self.step()
        return text


def write_wrap(prologue, psk, static_secret, responder, ephemeral, payload):
    """The one message of Kpsk0: psk, e, es, ss."""
    state = Handshake(WRAP, prologue, (x25519_public(static_secret), responder))
    state.mix_psk(psk)
    public = x25519_public(ephemeral)
    state.mix_ephemeral(public)
    state.mix_dh(ephemeral, responder)
    state.mix_dh(static_secret, responder)
    return public + state.encrypt(payload)


def read_wrap(prologue, psk, initiator, static_secret, message):
    if len(message) < 48:
        raise Refused('too short')
    state = Handshake(WRAP, prologue, (initiator, x25519_public(static_secret)))
    state.mix_psk(psk)
    state.mix_ephemeral(message[:32])
    state.mix_dh(static_secret, message[:32])
    state.mix_dh(static_secret, initiator)
    return state.decrypt(message[32:])
