"""Writes the vectors of this folder from spec/seal.md and the cryptography package, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
card         a card's text; log-key | receipt-key | link-key | sealing-key
office-key   a file's text; the key
courier-key  a file's text; line id | key
subkey       a courier key; its subkey for links | its subkey for wraps
vault        office key (32) | size of the context (1) | context | sealed; the secret
noise-*      initiator's static and ephemeral secret | responder's static and ephemeral secret | psk (32 each) |
             prologue;
             the messages with empty payloads, one after the other | h | the first key of Split() | the second, if
             the responder may send
"""
import base64
import hashlib
import hmac
import os
import struct
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), "sha256").digest()


def hkdf(salt, secret, info, count):
    extracted, blocks = mac(salt, secret), [b""]
    for number in range(1, count + 1):
        blocks.append(mac(extracted, blocks[-1], info, bytes([number])))
    return blocks[1:]


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def x25519_public(secret):
    return public(X25519PrivateKey.from_private_bytes(secret))


def dh(secret, key):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(key))


def text64(data):
    return base64.b64encode(data).decode()


# Cards

LOG, RECEIPT = (Ed25519PrivateKey.from_private_bytes(bytes([value]) * 32) for value in (1, 2))
KEYS = {"log-key": public(LOG), "receipt-key": public(RECEIPT), "link-key": x25519_public(b"\3" * 32),
        "sealing-key": x25519_public(b"\4" * 32)}


def card(name="washington.example", languages="en,fr-CA", first="liaison-card/v1", end="\n", encode=text64, **keys):
    keys = {**KEYS, **{key.replace("_", "-"): value for key, value in keys.items()}}
    text = f"{first}{end}name {name}{end}languages {languages}{end}"
    text += "".join(f"{key} {encode(value)}{end}" for key, value in keys.items())
    signed = b"liaison/card/v1" + text.encode()
    return text + f"log-signature {text64(LOG.sign(signed))}{end}receipt-signature {text64(RECEIPT.sign(signed))}{end}"


def url64(data):
    return base64.urlsafe_b64encode(data).decode()


def unpadded(data):
    return text64(data).rstrip("=")


def loose(data):
    """Base64 whose two unused bits are not zero."""
    text = text64(data)
    return text[:-2] + chr(ord(text[-2]) + 1) + "="


def card_cases():
    good = card()
    lines = good.splitlines(keepends=True)
    order_four, neutral, twist = bytes(32), b"\1" + bytes(31), bytes.fromhex(
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    prime_plus_2 = (2**255 - 19 + 2).to_bytes(32, "little")
    mixed = bytearray((2**255 - 19 - (int.from_bytes(KEYS["log-key"], "little") & (2**255 - 1))).to_bytes(32, "little"))
    mixed[31] |= ~KEYS["log-key"][31] & 0x80
    names = ["", "name", "languages", *KEYS, "log-signature", "receipt-signature"]
    cases = [
        case("a card", good, True, output=b"".join(KEYS.values())),
        case("one language, shortest name", card(name="a", languages="ko"), True, output=b"".join(KEYS.values())),
        case("longest name and languages", card(name="a" * 61 + ".b", languages=",".join(["abcdefgh"] * 14)), True,
             output=b"".join(KEYS.values())),
        case("empty", "", False, "there is no card"),
        case("another version", card(first="liaison-card/v2"), False, "of another version"),
        case("a charter", card(first="liaison-charter/v1"), False, "this is no card"),
        case("CR LF", card(end="\r\n"), False, "CR LF"),
        case("without the last line feed", good[:-1], False, "line 9 of the card, receipt-signature: without its end"),
        case("a line feed more", good + "\n", False, "goes on after its last line"),
        case("two cards", good + good, False, "goes on after its last line"),
        case("name too long", card(name="a" * 62 + ".b"), False, "line 2 of the card, name: "),
        case("name in capitals", card(name="Washington"), False, "line 2 of the card, name: "),
        case("name with an empty label", card(name="washington..example"), False, "line 2 of the card, name: "),
        case("no name", card(name=""), False, "line 2 of the card, name: "),
        case("name with a zero byte", card(name="wash\0ington"), False, "line 2 of the card, name: "),
        case("no language", card(languages=""), False, "line 3 of the card, languages: "),
        case("a language with an underscore", card(languages="en_US"), False, "line 3 of the card, languages: "),
        case("languages end in a comma", card(languages="en,"), False, "line 3 of the card, languages: "),
        case("languages too long", card(languages=",".join(["abcdefgh"] * 14) + ",ab"), False,
             "line 3 of the card, languages: "),
        case("base64 of URLs", card(encode=url64), False, "line 5 of the card, receipt-key: not 32 bytes of base64"),
        case("base64 without padding", card(encode=unpadded), False,
             "line 4 of the card, log-key: not 32 bytes of base64"),
        case("base64 with bits to spare", card(encode=loose), False,
             "line 4 of the card, log-key: not 32 bytes of base64"),
        case("key too short", card(log_key=bytes(31)), False, "line 4 of the card, log-key: not 32 bytes of base64"),
        case("log key neutral", card(log_key=neutral), False, "line 4 of the card, log-key: not a valid Ed25519 key"),
        case("receipt key of order 4", card(receipt_key=order_four), False,
             "line 5 of the card, receipt-key: not a valid Ed25519 key"),
        case("log key of mixed order", card(log_key=bytes(mixed)), False,
             "line 4 of the card, log-key: not a valid Ed25519 key"),
        case("log key not canonical", card(log_key=(2**255 - 18).to_bytes(32, "little")), False,
             "line 4 of the card, log-key: not a valid Ed25519 key"),
        case("link key zero", card(link_key=bytes(32)), False, "line 6 of the card, link-key: not a valid X25519 key"),
        case("link key of low order", card(link_key=twist), False,
             "line 6 of the card, link-key: not a valid X25519 key"),
        case("sealing key not canonical", card(sealing_key=prime_plus_2), False,
             "line 7 of the card, sealing-key: not a valid X25519 key"),
        case("sealing key with its top bit", card(sealing_key=KEYS["sealing-key"][:31] +
                                                  bytes([KEYS["sealing-key"][31] | 0x80])), False,
             "line 7 of the card, sealing-key: not a valid X25519 key"),
        case("receipt key is the log key", card(receipt_key=KEYS["log-key"]), False,
             "line 5 of the card, receipt-key: the same key"),
        case("sealing key is the link key", card(sealing_key=KEYS["link-key"]), False,
             "line 7 of the card, sealing-key: the same key"),
        case("signatures exchanged", "".join(lines[:7]) + "log-signature " + lines[8].split(" ")[1] +
             "receipt-signature " + lines[7].split(" ")[1], False,
             "line 8 of the card, log-signature: does not verify"),
        case("the log's signature twice", "".join(lines[:8]) + "receipt-signature " + lines[7].split(" ")[1], False,
             "line 9 of the card, receipt-signature: does not verify"),
        case("a name changed after signing", good.replace("washington", "washingtom"), False,
             "line 8 of the card, log-signature: does not verify"),
    ]
    cases.append(case("line 1 removed", "".join(lines[1:]), False, "this is no card"))
    for number in range(2, 10):
        cases.append(case(f"line {number} removed", "".join(lines[:number - 1] + lines[number:]), False,
                          f"line {number} of the card, {names[number - 1]}: "))
    return cases


# Key files

def with_checksum(text):
    return text + f"checksum {sha256(b'liaison/checksum/v1', text.encode())[:8].hex()}\n"


KEY, LINE = bytes(range(32)), bytes(range(64, 96))


def office(value=text64(KEY), first="liaison-office-key/v1"):
    return with_checksum(f"{first}\nkey {value}\n")


def courier(line=LINE.hex(), value=text64(KEY), first="liaison-courier-key/v1"):
    return with_checksum(f"{first}\nline {line}\nkey {value}\n")


def office_key_cases():
    good = office()
    return [
        case("an office key", good, True, output=KEY),
        case("empty", "", False, "there is no office key"),
        case("another version", office(first="liaison-office-key/v2"), False, "of another version"),
        case("a courier key", courier(), False, "this is no office key"),
        case("key too short", office(text64(KEY[:31])), False, "line 2 of the office key, key: not 32 bytes of base64"),
        case("key too long", office(text64(KEY + b"\0")), False,
             "line 2 of the office key, key: not 32 bytes of base64"),
        case("key mistyped", good.replace("AAEC", "AAED"), False, "line 3 of the office key, checksum: does not fit"),
        case("checksum mistyped", good[:-2] + ("0" if good[-2] != "0" else "1") + "\n", False,
             "line 3 of the office key, checksum: does not fit"),
        case("checksum in capitals", good[:-17] + good[-17:].upper(), False,
             "line 3 of the office key, checksum: not in lower case"),
        case("without its checksum", good[:good.index("checksum")], False,
             "line 3 of the office key, checksum: missing"),
        case("cut short", good[:-1], False, "line 3 of the office key, checksum: without its end"),
        case("a line feed more", good + "\n", False, "goes on after its last line"),
    ]


def courier_key_cases():
    good = courier()
    return [
        case("a courier key", good, True, output=LINE + KEY),
        case("empty", "", False, "there is no courier key"),
        case("an office key", office(), False, "this is no courier key"),
        case("line id too short", courier(line=LINE.hex()[:-2]), False, "line 2 of the courier key, line: not 64"),
        case("line id in capitals", courier(line=LINE.hex().upper()), False,
             "line 2 of the courier key, line: not in lower"),
        case("lines exchanged", with_checksum(f"liaison-courier-key/v1\nkey {text64(KEY)}\nline {LINE.hex()}\n"), False,
             "line 2 of the courier key, line: another line"),
        case("line id changed", good.replace("line 40", "line 41"), False,
             "line 4 of the courier key, checksum: does not fit"),
        case("a line more", good + "line x\n", False, "goes on after its last line"),
    ]


def subkey_cases():
    return [case(name, key, True, output=hkdf(b"", key, b"liaison/courier-link/v1", 1)[0] +
                 hkdf(b"", key, b"liaison/courier-wrap/v1", 1)[0])
            for name, key in (("a courier key", KEY), ("a line without one", bytes(32)))]


# The vault: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), made of HChaCha20 and ChaCha20-Poly1305

def hchacha20(key, nonce):
    state = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xffffffff
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xffffffff

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    return struct.pack("<8I", *state[:4], *state[12:])


def vault(office_key, context, nonce, secret):
    key = mac(office_key, b"liaison/vault/v1", context)
    sealed = ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], secret, None)
    return office_key + bytes([len(context)]) + context + nonce + sealed


def vault_cases():
    nonce, secret = bytes(range(100, 124)), b"a secret of the office"
    good = vault(KEY, b"courier key 0", nonce, secret)
    refused = "the office key does not open a sealed secret"
    return [
        case("a secret", good, True, output=secret),
        case("an empty secret", vault(KEY, b"", nonce, b""), True),
        case("of another office", b"\1" + good[1:], False, refused),
        case("of another context", good.replace(b"key 0", b"key 1"), False, refused),
        case("nonce changed", good.replace(nonce, nonce[::-1]), False, refused),
        case("tag changed", good[:-1] + bytes([good[-1] ^ 1]), False, refused),
        case("cut short", good[:-1], False, refused),
    ]


# Noise

def noise(name, tokens, one_way, secrets, psk, prologue):
    """One handshake with empty payloads. secrets: static and ephemeral, of the initiator and of the responder."""
    s, e = (secrets[0], secrets[2]), (secrets[1], secrets[3])
    h = name.ljust(32, b"\0") if len(name) <= 32 else sha256(name)
    ck, key, nonce, wire = h, b"", 0, b""

    def mix_key(data):
        nonlocal ck, key, nonce
        (ck, key), nonce = hkdf(ck, data, b"", 2), 0

    def encrypt(plain):
        nonlocal h, nonce, wire
        cipher = ChaCha20Poly1305(key).encrypt(struct.pack("<IQ", 0, nonce), plain, h)
        h, nonce, wire = sha256(h, cipher), nonce + 1, wire + cipher

    h = sha256(h, prologue)
    for side in ((0, 1) if one_way else (1,)):
        h = sha256(h, x25519_public(s[side]))
    for number, message in enumerate(tokens):
        side = number % 2
        for token in message.split():
            if token == "psk":
                ck, middle, key = hkdf(ck, psk, b"", 3)
                h, nonce = sha256(h, middle), 0
            elif token == "e":
                own = x25519_public(e[side])
                h, wire = sha256(h, own), wire + own
                mix_key(own)
            elif token == "s":
                encrypt(x25519_public(s[side]))
            else:
                mix_key(dh((e if token[0] == "e" else s)[0], x25519_public((e if token[1] == "e" else s)[1])))
        encrypt(b"")
    return wire + h + b"".join(hkdf(ck, b"", b"", 1 if one_way else 2))


def noise_cases(name, tokens, one_way):
    secrets = [bytes([value]) * 32 for value in (0x11, 0x12, 0x21, 0x22)]  # of the initiator, of the responder
    full = f"Noise_{name}_25519_ChaChaPoly_SHA256".encode()
    return [case(f"{name}, {what}", b"".join(secrets) + psk + b"prologue", True,
                 output=noise(full, tokens, one_way, secrets, psk, b"prologue"))
            for what, psk in (("a psk", KEY), ("a psk of zeros", bytes(32)))]


def main():
    write(HERE, "card", card_cases())
    write(HERE, "office-key", office_key_cases())
    write(HERE, "courier-key", courier_key_cases())
    write(HERE, "subkey", subkey_cases())
    write(HERE, "vault", vault_cases())
    write(HERE, "noise-xkpsk0", noise_cases("XKpsk0", ("psk e es", "e ee", "s se"), False))
    write(HERE, "noise-kpsk0", noise_cases("Kpsk0", ("psk e es ss",), True))


if __name__ == "__main__":
    main()
