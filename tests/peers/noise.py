"""The other side of noise.c by dissononce; the arguments and bytes are described there."""
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

ROUNDS = 6


def read_exactly(size):
    data = sys.stdin.buffer.read(size)
    if len(data) != size:
        sys.exit(1)
    return data


def read_message():
    return read_exactly(int.from_bytes(read_exactly(2), "big"))


def write_message(message):
    sys.stdout.buffer.write(len(message).to_bytes(2, "big") + bytes(message))
    sys.stdout.buffer.flush()


def expect(got, want):
    if bytes(got) != want:
        sys.exit(1)


def rekey(cipher):
    """Noise sections 4.2 and 11.3. dissononce 0.34.3's own rekey() keeps 48 bytes as the key and starts again
    at nonce 0."""
    nonce, key = cipher._nonce, cipher.cipher.encrypt(cipher._key, 2**64 - 1, b"", bytes(32))[:32]
    cipher.initialize_key(key)
    cipher.set_nonce(nonce)


def main():
    pattern, role, psk, hash_path = sys.argv[1:]
    initiator, one_way = role == "initiator", pattern == "Kpsk0"
    dh = X25519DH()
    own, other = (dh.generate_keypair(PrivateKey(bytes([value]) * 32)) for value in
                  ((0x11, 0x22) if initiator else (0x22, 0x11)))
    base = KHandshakePattern() if one_way else XKHandshakePattern()
    symmetric = SymmetricState(CipherState(ChaChaPolyCipher()), SHA256Hash())
    state = HandshakeState(symmetric, dh)
    state.initialize(PSKPatternModifier(0).modify(base), initiator, b"liaison peers", s=own,
                     rs=other.public if initiator or one_way else None, psks=[bytes([int(psk)]) * 32])

    ciphers, number, writes = None, 0, initiator
    while ciphers is None:
        text, out = b"handshake %d" % number, bytearray()
        if writes:
            ciphers = state.write_message(text, out)
            write_message(out)
        else:
            ciphers = state.read_message(read_message(), out)
            expect(out, text)
        number, writes = number + 1, not writes

    send, receive = ciphers if initiator else reversed(ciphers)
    for i in range(ROUNDS):
        text = bytes([i]) * (100 * i)
        if i == ROUNDS // 2:
            rekey(send)
            rekey(receive)
        for turn in range(1 if one_way else 2):
            if initiator == (turn == 0):
                write_message(send.encrypt_with_ad(b"", text))
            else:
                expect(receive.decrypt_with_ad(b"", read_message()), text)
    with open(hash_path, "w") as file:
        file.write(symmetric.get_handshake_hash().hex() + "\n")


try:
    main()
except DecryptFailedException:
    sys.exit(3)
