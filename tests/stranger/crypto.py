"""The primitives of spec/seal.md and what is accepted of them, over Debian's python3-cryptography."""

import functools
import hashlib
import hmac as hmac_module

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIME = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, PRIME) % PRIME
ROOT_OF_MINUS_1 = pow(2, (PRIME - 1) // 4, PRIME)
NEUTRAL = b'\x01' + bytes(31)


class Refused(ValueError):
    """Something that the specification says is refused."""


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac(key, data):
    return hmac_module.new(key, data, hashlib.sha256).digest()


def equal(one, other):
    return hmac_module.compare_digest(one, other)


def hkdf(salt, secret, info=b'', length=32):
    """RFC 5869 with SHA-256."""
    key, block, out = hmac(salt, secret), b'', b''
    while len(out) < length:
        block = hmac(key, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:length]


def nonce(number):
    return bytes(4) + number.to_bytes(8, 'little')


def seal(key, number, associated, text):
    return ChaCha20Poly1305(key).encrypt(nonce(number), text, associated)


def unseal(key, number, associated, sealed):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce(number), sealed, associated)
    except InvalidTag as error:
        raise Refused('not authentic') from error


def raw(public):
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519_public(secret):
    return raw(X25519PrivateKey.from_private_bytes(secret).public_key())


def x25519(secret, public):
    """The shared secret; one of zeros is refused everywhere (seal.md, "What is accepted")."""
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Refused('a Diffie-Hellman result of zero') from error


def check_x25519_key(key):
    """A key that is written down: canonical, and not of low order."""
    if len(key) != 32 or int.from_bytes(key, 'little') >= PRIME:
        raise Refused('an X25519 key that is not canonical')
    x25519(bytes(range(32)), key)


def ed25519_public(seed):
    return raw(Ed25519PrivateKey.from_private_bytes(seed).public_key())


def sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(key, message, signature):
    """OpenSSL checks S < L and compares R's encoding; the key has prime order, so R can only be low as the neutral."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return signature[:32] != NEUTRAL


@functools.lru_cache(maxsize=None)
def check_ed25519_key(key):
    """Canonical, on the curve, and of prime order."""
    if len(key) != 32:
        raise Refused('not 32 bytes')
    point = ed25519_point(key)
    if is_neutral(point) or not is_neutral(multiply(ORDER, point)):
        raise Refused('an Ed25519 key that is not of prime order')


def ed25519_point(key):
    number = int.from_bytes(key, 'little')
    sign_bit, y = number >> 255, number & (1 << 255) - 1
    if y >= PRIME:
        raise Refused('an Ed25519 key that is not canonical')
    square = (y * y - 1) * pow(CURVE_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * ROOT_OF_MINUS_1 % PRIME
    if x * x % PRIME != square or x == 0 and sign_bit:
        raise Refused('an Ed25519 key that is not on the curve')
    if x & 1 != sign_bit:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def is_neutral(point):
    return point[0] % PRIME == 0 and (point[1] - point[2]) % PRIME == 0


def add(one, other):
    """RFC 8032 section 5.1.4, extended coordinates."""
    a = (one[1] - one[0]) * (other[1] - other[0])
    b = (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * one[3] * other[3] * CURVE_D, 2 * one[2] * other[2]
    e, f, g, h = (b - a) % PRIME, (d - c) % PRIME, (d + c) % PRIME, (b + a) % PRIME
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result
