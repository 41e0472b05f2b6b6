"""Writes the vectors of this folder from spec/record.md and the cryptography package, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
charter       the text; line id | fingerprint for a courier key of 32 bytes 07 | LF | of each member: origin LF receipt
              name LF
entry-header  author (1) | members (1) | an entry of a clear class; the same entry
entry-sealed  author (1) | members (1) | epoch secret (32) | origin hash (32) | index (8) | entry; the body
prekeys       publisher (1) | members (1) | body; the body
epoch         author (1) | members (1) | body; the body
wrap          author's sealing secret | recipient's secret | ephemeral secret | courier key | epoch secret (32 each) |
              author (1) | member (1) | source (1) | number (8) | epoch (8) | origin hash (32) | charter; the message
note          the log's verifier key | LF | a note; size (8) | root (32)
proof         size of the policy (4) | policy | proof; leaf (32)
policy        the text; logs (1) | witnesses (1) | groups (1)
evidence      id of the line that is trusted (32) | file; what people read
"""
import base64
import importlib.util
import os
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above


def load(room):
    spec = importlib.util.spec_from_file_location(room, os.path.join(HERE, "..", room, "generate.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


base, seal = load("base"), load("seal")
item = base.item
sha256, mac, hkdf, public, text64 = seal.sha256, seal.mac, seal.hkdf, seal.public, seal.text64


# Parties and charters

class Party:
    def __init__(self, number, name, log=None, receipt=None):
        secrets = [bytes([16 * number + role]) * 32 for role in range(1, 5)]
        self.name = name
        self.log = log or Ed25519PrivateKey.from_private_bytes(secrets[0])
        self.receipt = receipt or Ed25519PrivateKey.from_private_bytes(secrets[1])
        self.link_secret, self.sealing_secret = secrets[2], secrets[3]

    def card(self):
        text = (f"liaison-card/v1\nname {self.name}\nlanguages en\nlog-key {text64(public(self.log))}\n"
                f"receipt-key {text64(public(self.receipt))}\nlink-key {text64(seal.x25519_public(self.link_secret))}\n"
                f"sealing-key {text64(seal.x25519_public(self.sealing_secret))}\n")
        signed = b"liaison/card/v1" + text.encode()
        return (text + f"log-signature {text64(self.log.sign(signed))}\n"
                f"receipt-signature {text64(self.receipt.sign(signed))}\n")


WASHINGTON, PYONGYANG, BEIJING = (Party(number, name + ".example")
                                  for number, name in enumerate(("washington", "pyongyang", "beijing")))
COURIER = b"\7" * 32


def charter(parties, name="talks", random=text64(bytes(range(32))), courier=None, entries="268435456",
            volume="68719476736", succeeds=("none",), count=None, tail=""):
    courier = courier or text64(sha256(b"liaison/courier-hash/v1", COURIER))
    return (f"liaison-charter/v1\nname {name}\nrandom {random}\ncourier-key {courier}\nquota-entries {entries}\n"
            f"quota-bytes {volume}\n" + "".join(f"succeeds {log}\n" for log in succeeds) +
            f"members {count or len(parties)}\n" + "".join(party.card() for party in parties) + tail)


def line_id(text):
    return sha256(b"liaison/charter/v1", text.encode())


def origin(text, party, incarnation=0):
    return f"liaison/1/{sha256(b'liaison/origin/v1', line_id(text), public(party.log)).hex()}/{incarnation}"


def receipt_name(text, party):
    return f"liaison/1/{sha256(b'liaison/receipt-name/v1', line_id(text), public(party.receipt)).hex()}"


def fingerprint(text, key):
    digest = mac(key, b"liaison/fingerprint/v1", line_id(text))
    return " ".join(f"{number % 100000:05}" for number in struct.unpack(">8I", digest))


TWO, THREE = [WASHINGTON, PYONGYANG], [WASHINGTON, PYONGYANG, BEIJING]
OLD = f"liaison/1/{bytes(range(32)).hex()}/0"


def charter_output(text, parties):
    return line_id(text) + (fingerprint(text, COURIER) + "\n" + "".join(
        f"{origin(text, party)}\n{receipt_name(text, party)}\n" for party in parties)).encode()


def charter_cases():
    good = charter(TWO)
    root = text64(bytes(32))
    cases = [case(name, text, True, output=charter_output(text, parties)) for name, text, parties in (
        ("two members", good, TWO), ("three members", charter(THREE), THREE),
        ("no courier key", charter(TWO, courier="none"), TWO),
        ("succeeds two logs", charter(TWO, succeeds=(f"{OLD} 18 {root}", f"{OLD[:-1]}1 1099511627776 {root}")), TWO),
        ("largest quotas", charter(TWO, entries=str(2**64 - 1), volume=str(2**64 - 1)), TWO))]
    swapped = Party(2, "beijing.example", log=WASHINGTON.log)
    crossed = Party(2, "beijing.example", log=WASHINGTON.receipt)
    sealing, crossed_sealing = Party(2, "beijing.example"), Party(2, "beijing.example")
    sealing.sealing_secret, crossed_sealing.link_secret = PYONGYANG.sealing_secret, PYONGYANG.sealing_secret
    for name, text, reason in (
            ("empty", "", "nothing is left to read"),
            ("another version", good.replace("charter/v1", "charter/v2"), "its first line"),
            ("a card", WASHINGTON.card(), "its first line"),
            ("CR LF", good.replace("\n", "\r\n"), "end in CR LF"),
            ("cut short", good[:-1], "without its end"),
            ("a line feed more", good + "\n", "goes on"),
            ("a card more than members", charter(TWO, tail=BEIJING.card()), "goes on"),
            ("a card less than members", charter(TWO, count=3), "there is no card"),
            ("one member", charter([WASHINGTON]), "2 to 16 members"),
            ("17 members", charter(TWO, count=17), "at most 16"),
            ("members with a leading zero", charter(TWO, count="02"), "\"members\""),
            ("name in capitals", charter(TWO, name="Talks"), "not a line's name"),
            ("name with a dot", charter(TWO, name="a.b"), "not a line's name"),
            ("name of 33", charter(TWO, name="a" * 33), "not a line's name"),
            ("random of 31 bytes", charter(TWO, random=text64(bytes(31))), "\"random\""),
            ("random with bits to spare", charter(TWO, random=text64(bytes(32))[:-2] + "B="), "\"random\""),
            ("courier key in hexadecimal", charter(TWO, courier=COURIER.hex()), "\"courier-key\""),
            ("quota with a leading zero", charter(TWO, entries="01"), "\"quota-entries\""),
            ("quota of 2^64", charter(TWO, volume=str(2**64)), "\"quota-bytes\""),
            ("succeeds without a root", charter(TWO, succeeds=(f"{OLD} 18",)), "\"succeeds\""),
            ("succeeds what is no origin", charter(TWO, succeeds=(f"example.org/log 18 {root}",)), "\"succeeds\""),
            ("succeeds a log twice", charter(TWO, succeeds=(f"{OLD} 18 {root}", f"{OLD} 19 {root}")), "\"succeeds\""),
            ("succeeds a log of 2^40+1", charter(TWO, succeeds=(f"{OLD} 1099511627777 {root}",)), "\"succeeds\""),
            ("lines exchanged", charter(TWO).replace("quota-entries 268435456\nquota-bytes 68719476736",
                                                     "quota-bytes 68719476736\nquota-entries 268435456"), "quota-entries"),
            ("a name twice", charter([WASHINGTON, Party(1, "washington.example")]), "twice"),
            ("the same card twice", charter([WASHINGTON, WASHINGTON]), "twice"),
            ("two log keys equal", charter([WASHINGTON, swapped]), "two keys in the charter are equal"),
            ("a log key is another's receipt key", charter([WASHINGTON, crossed]), "two keys in the charter are equal"),
            ("two sealing keys equal", charter([PYONGYANG, sealing]), "two keys in the charter are equal"),
            ("a link key is another's sealing key", charter([PYONGYANG, crossed_sealing]),
             "two keys in the charter are equal"),
            ("a card's signature wrong", good.replace("languages en", "languages ko", 1), "does not verify"),
            ("a remark", good.replace("members", "# a remark\nmembers"), "\"members\"")):
        cases.append(case(name, text, False, reason))
    return cases


# Entries

TEXT = charter(THREE)
ORIGIN_HASH = sha256(origin(TEXT, WASHINGTON).encode())
SECRET, INDEX, SALT = bytes(range(32)), 17, bytes(range(16))


def header(version=1, klass=3, epoch=1, precedence=0, seen=(), re=(), salt=SALT):
    return item({0: version, 1: klass, 2: epoch, 3: precedence, 4: list(seen), 5: list(re), 6: salt})


FULL = {"seen": ([1, 18, b"\1" * 32], [2, 2**40, b"\2" * 32]), "re": ([1, 17, b"\3" * 32], [0, 0, b"\4" * 32])}


def header_cases():
    cases = []
    for name, head, body in (
            ("leave", header(klass=5, epoch=0), item({})), ("a full header", header(klass=4, epoch=0, **FULL), item([])),
            ("an unknown class", header(klass=63, epoch=9), item({0: "a"})),
            ("flash", header(klass=2, precedence=3), item(0))):
        cases.append(case(name, b"\0\3" + head + body, True, output=head + body))
    form, good = "header is not well-formed", header(klass=5, epoch=0)
    for name, head, body, reason in (
            ("version 2", header(version=2, klass=5, epoch=0), item({}), "of version 2"),
            ("version 0", header(version=0, klass=5, epoch=0), item({}), "of version 0"),
            ("class 64", header(klass=64), item({}), form),
            ("precedence 4", header(klass=2, precedence=4), item({}), form),
            ("an epoch in a clear class", header(klass=5, epoch=1), item({}), form),
            ("an epoch of 2^63", header(klass=2, epoch=2**63), item({}), form),
            ("seen names the author", header(klass=2, seen=([0, 1, bytes(32)],)), item({}), form),
            ("seen names a stranger", header(klass=2, seen=([3, 1, bytes(32)],)), item({}), form),
            ("seen falls", header(klass=2, seen=FULL["seen"][::-1]), item({}), form),
            ("seen names a member twice", header(klass=2, seen=(FULL["seen"][0],) * 2), item({}), form),
            ("seen with size 0", header(klass=2, seen=([1, 0, bytes(32)],)), item({}), form),
            ("seen with a size above 2^40", header(klass=2, seen=([1, 2**40 + 1, bytes(32)],)), item({}), form),
            ("seen with a root of 31 bytes", header(klass=2, seen=([1, 1, bytes(31)],)), item({}), form),
            ("seen with a fourth item", header(klass=2, seen=([1, 1, bytes(32), 0],)), item({}), form),
            ("re names a stranger", header(klass=2, re=([3, 1, bytes(32)],)), item({}), form),
            ("re with an index of 2^40", header(klass=2, re=([1, 2**40, bytes(32)],)), item({}), form),
            ("65 references", header(klass=2, re=([1, 1, bytes(32)],) * 65), item({}), form),
            ("a salt of 15 bytes", header(klass=5, epoch=0, salt=SALT[1:]), item({}), form),
            ("a salt as text", header(klass=5, epoch=0, salt="0123456789abcdef"), item({}), form),
            ("seen as a map", header(klass=5, epoch=0).replace(b"\4\x80", b"\4\xa0"), item({}), form),
            ("keys out of order", good.replace(b"\2\0\3\0", b"\3\0\2\0"), item({}), form),
            ("a key missing", b"\xa6" + good[1:].replace(b"\2\0", b"", 1), item({}), form),
            ("a key more", b"\xa8" + good[1:] + b"\7\0", item({}), form),
            ("a number not in its shortest form", good.replace(b"\1\5", b"\1\x18\5", 1), item({}), form),
            ("a map of indefinite length", b"\xbf" + good[1:] + b"\xff", item({}), form),
            ("no body", good, b"", "not one canonical item"),
            ("two bodies", good, item({}) + item({}), "not one canonical item"),
            ("a body that is not canonical", good, b"\x18\1", "not one canonical item"),
            ("a body with a float", good, b"\xf9\0\0", "not one canonical item")):
        cases.append(case(name, b"\0\3" + head + body, False, reason))
    return cases


def padded_size(size):
    if size <= 256:
        return 256
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def sealed(head, padded, tag=None, index=INDEX, epoch=1, commitment=None):
    tag = tag or mac(mac(SECRET, b"salt"), head, padded)[:16]
    key = mac(SECRET, b"entry", ORIGIN_HASH, struct.pack(">QQ", epoch, index), tag, b"\1")
    clear = head + tag + (commitment or sha256(b"liaison/commit/v1", key))
    return clear + ChaCha20Poly1305(mac(key, b"enc")).encrypt(bytes(12), padded, clear)


def padded(body):
    return body.ljust(padded_size(len(body)), b"\0")


def sealed_input(entry, index=INDEX, origin_hash=ORIGIN_HASH):
    return b"\0\3" + SECRET + origin_hash + struct.pack(">Q", index) + entry


MESSAGE = item({0: 1, 1: 1795462028, 2: 0, 3: {0: "Are you in the room?", 1: "en"}})


def sealed_cases():
    head = header()
    good = sealed(head, padded(MESSAGE))
    cases = [case(name, sealed_input(sealed(first, padded(body))), True, output=body) for name, first, body in (
        ("a message", head, MESSAGE), ("a full header", header(precedence=3, **FULL), MESSAGE),
        ("an acknowledgement", header(re=([1, 17, b"\3" * 32],)), item({0: 2, 1: 1795462080, 2: 0, 3: {0: 1}})),
        ("unreadable", head, item({0: 3, 1: 1795462080, 2: 0, 3: {0: [[1, 3, 9]]}})),
        ("an unknown kind in an exercise", head, item({0: 1000, 1: 0, 2: 1, 3: {}})),
        ("256 bytes", head, item(b"\xee" * 254)), ("257 bytes", head, item(b"\xee" * 255)))]
    key, opened, length = "another key", "opens, but", "none that padding gives"
    for name, data, reason in (
            ("another index", sealed_input(good, index=18), key),
            ("another origin", sealed_input(good, origin_hash=bytes(32)), key),
            ("another secret", b"\0\3" + bytes(32) + ORIGIN_HASH + struct.pack(">Q", INDEX) + good, key),
            ("sealed under another epoch", sealed_input(sealed(head, padded(MESSAGE), epoch=2)), key),
            ("the commitment of another key", sealed_input(sealed(head, padded(MESSAGE), commitment=bytes(32))), key),
            ("the tag of another text", sealed_input(sealed(head, padded(MESSAGE), tag=b"\1" * 16)), opened),
            ("the header changed", sealed_input(good.replace(head, header(precedence=1))), "under its own key"),
            ("the ciphertext changed", sealed_input(good[:-17] + bytes([good[-17] ^ 1]) + good[-16:]), "under its own key"),
            ("padding that is not zero", sealed_input(sealed(head, padded(MESSAGE)[:-1] + b"\1")), opened),
            ("padding begins with one", sealed_input(sealed(head, MESSAGE + b"\1" + padded(MESSAGE)[len(MESSAGE) + 1:])),
             opened),
            ("more padding than is due", sealed_input(sealed(head, MESSAGE.ljust(272, b"\0"))), opened),
            ("a length that padding does not give", sealed_input(sealed(head, MESSAGE.ljust(257, b"\0"))), length),
            ("no padding", sealed_input(sealed(head, MESSAGE)), length),
            ("a body that is not canonical", sealed_input(sealed(head, padded(b"\x18\1"))), opened),
            ("a body with keys falling", sealed_input(sealed(head, padded(b"\xa2\1\0\0\0"))), opened),
            ("cut short", sealed_input(good[:-1]), length),
            ("a byte more", sealed_input(good + b"\0"), length),
            ("nothing after the header", sealed_input(head), length)):
        cases.append(case(name, data, False, reason))
    return cases


# Prekeys and epochs

PREKEYS = [seal.x25519_public(bytes([100 + number]) * 32) for number in range(64)]


def prekeys_cases():
    good = item({0: 1, 1: [[0, 64, b"".join(PREKEYS)], [2, 0, PREKEYS[0]]]})
    only = item({0: 1, 1: []})
    cases = [case(name, b"\1\3" + body, True, output=body) for name, body in (
        ("64 and one", good), ("all before are void", only), ("none void", item({0: 0, 1: [[0, 1, PREKEYS[1]]]})))]
    for name, body in (
            ("for oneself", item({0: 0, 1: [[1, 0, PREKEYS[0]]]})),
            ("for a stranger", item({0: 0, 1: [[3, 0, PREKEYS[0]]]})),
            ("authors fall", item({0: 0, 1: [[2, 0, PREKEYS[0]], [0, 0, PREKEYS[1]]]})),
            ("an author twice", item({0: 0, 1: [[0, 0, PREKEYS[0]], [0, 1, PREKEYS[1]]]})),
            ("no keys", item({0: 0, 1: [[0, 0, b""]]})),
            ("65 keys", item({0: 0, 1: [[0, 0, b"".join(PREKEYS) + PREKEYS[0]]]})),
            ("a key of 31 bytes", item({0: 0, 1: [[0, 0, PREKEYS[0][:31]]]})),
            ("a key of zeros", item({0: 0, 1: [[0, 0, bytes(32)]]})),
            ("a key of low order", item({0: 0, 1: [[0, 0, PREKEYS[0] + b"\1" + bytes(31)]]})),
            ("a key that is not canonical", item({0: 0, 1: [[0, 0, b"\xff" * 31 + b"\x7f"]]})),
            ("voids is 2", item({0: 2, 1: []})),
            ("an id near 2^63", item({0: 0, 1: [[0, 2**63 - 64, PREKEYS[0]]]})),
            ("a byte more", good + b"\0"), ("cut short", good[:-1]), ("an array", item([1, []]))):
        cases.append(case(name, b"\1\3" + body, False, "not well-formed"))
    return cases


def epoch_cases():
    commitment = sha256(b"liaison/epoch-commit/v1", ORIGIN_HASH, struct.pack(">Q", 1), SECRET)
    first, second = [0, 0, 0, 0, b"\1" * 80], [2, 1, 17, 0, b"\2" * 80]
    good = item({0: commitment, 1: [first, second]})
    cases = [case("two wraps", b"\1\3" + good, True, output=good)]
    for name, wraps in (
            ("wraps fall", [second, first]), ("a member twice", [first, first]), ("one missing", [first]),
            ("one for the author", [first, [1, 0, 0, 0, b"\1" * 80]]), ("one more", [first, second, second]),
            ("a source of 2", [[0, 2, 0, 0, b"\1" * 80], second]), ("a message of 79 bytes", [first[:4] + [b"\1" * 79], second]),
            ("a number of 2^63", [[0, 0, 2**63, 0, b"\1" * 80], second]), ("four items", [first[:4], second])):
        cases.append(case(name, b"\1\3" + item({0: commitment, 1: wraps}), False, "not well-formed"))
    cases.append(case("a commitment of 31 bytes", b"\1\3" + item({0: commitment[1:], 1: [first, second]}), False,
                      "not well-formed"))
    cases.append(case("a byte more", b"\1\3" + good + b"\0", False, "not well-formed"))
    return cases


def wrap(author, member, recipient, source, number, epoch, ephemeral, courier=COURIER):
    """Noise_Kpsk0_25519_ChaChaPoly_SHA256 with the epoch secret as its payload."""
    sender = THREE[author].sealing_secret
    place = member if member < author else member - 1
    prologue = (b"liaison/wrap/v1" + line_id(TEXT) + ORIGIN_HASH + struct.pack(">QB", epoch, place) +
                sha256(THREE[author].card().encode()) + sha256(THREE[member].card().encode()) +
                struct.pack(">BQ", source, number))
    psk = hkdf(b"", courier, b"liaison/courier-wrap/v1", 1)[0]
    name = b"Noise_Kpsk0_25519_ChaChaPoly_SHA256"
    h = ck = sha256(name)
    h = sha256(h, prologue)
    h = sha256(sha256(h, seal.x25519_public(sender)), seal.x25519_public(recipient))
    ck, middle, key = hkdf(ck, psk, b"", 3)
    h = sha256(h, middle)
    e = seal.x25519_public(ephemeral)
    h = sha256(h, e)
    for shared in (e, seal.dh(ephemeral, seal.x25519_public(recipient)), seal.dh(sender, seal.x25519_public(recipient))):
        ck, key = hkdf(ck, shared, b"", 2)
    return e + ChaCha20Poly1305(key).encrypt(bytes(12), SECRET, h)


def wrap_cases():
    cases = []
    for name, author, member, source, number, epoch, courier in (
            ("to a prekey", 0, 2, 1, 17, 3, COURIER), ("to a standing key", 0, 1, 0, 0, 0, COURIER),
            ("a line without a courier key", 0, 1, 1, 0, 1, bytes(32))):
        recipient, ephemeral = (THREE[member].sealing_secret if source == 0 else b"\x77" * 32), b"\x66" * 32
        data = (THREE[author].sealing_secret + recipient + ephemeral + courier + SECRET +
                struct.pack(">BBBQQ", author, member, source, number, epoch) + ORIGIN_HASH + TEXT.encode())
        cases.append(case(name, data, True, output=wrap(author, member, recipient, source, number, epoch, ephemeral,
                                                        courier)))
    return cases


# Notes, proofs, policies

def key_id(name, kind, key):
    return sha256(name.encode() + b"\n", bytes([kind]), key)[:4]


def verifier_key(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{text64(bytes([kind]) + key)}"


def body_of(party, size, root):
    return f"{origin(TEXT, party)}\n{size}\n{text64(root)}\n"


def head_line(party, body, name=None):
    name = name or origin(TEXT, party)
    return f"\u2014 {name} {text64(key_id(name, 1, public(party.log)) + party.log.sign(body.encode()))}\n"


def receipt_line(party, body, time, change=0):
    name = receipt_name(TEXT, party)
    signature = party.receipt.sign(f"cosignature/v1\ntime {time}\n{body}".encode())
    return f"\u2014 {name} " + text64(key_id(name, 4, public(party.receipt)) + struct.pack(">Q", time + change) +
                                      signature) + "\n"


STRANGER = "\u2014 example.org/witness " + text64(bytes(12)) + "\n"


def note_cases():
    root = sha256(b"a root")
    body = body_of(WASHINGTON, 18, root)
    head = head_line(WASHINGTON, body)
    receipt = receipt_line(PYONGYANG, body, 1795462028)
    key = verifier_key(origin(TEXT, WASHINGTON), 1, public(WASHINGTON.log)).encode() + b"\n"
    output = struct.pack(">Q", 18) + root

    def signed(text, lines=""):
        return text + "\n" + head_line(WASHINGTON, text) + lines

    cases = [case(name, key + note.encode(), True, output=output) for name, note in (
        ("a head", signed(body)), ("a head with a receipt", signed(body, receipt)),
        ("a stranger's signature beside", signed(body, STRANGER)), ("a stranger's signature first", body + "\n" + STRANGER + head),
        ("16 signatures", signed(body, STRANGER * 15)))]
    three, blank, line = "not origin, size and root", "no blank line", "not well-formed"
    for name, note, reason in (
            ("a wrong signature", body + "\n" + head_line(WASHINGTON, body_of(WASHINGTON, 19, root)), "does not verify"),
            ("no signature of the log", body + "\n" + receipt, "no log of the policy"),
            ("signed by another log", body + "\n" + head_line(PYONGYANG, body), "no log of the policy"),
            ("another origin", signed(body_of(PYONGYANG, 18, root)), "no log of the policy"),
            ("17 signatures", signed(body, STRANGER * 16), "more than 16"),
            ("no signatures", body + "\n", line), ("no blank line", body + head, blank),
            ("a size with a leading zero", signed(body.replace("\n18\n", "\n018\n")), three),
            ("a negative size", signed(body.replace("\n18\n", "\n-18\n")), three),
            ("a size of 2^63", signed(body.replace("\n18\n", "\n9223372036854775808\n")), three),
            ("a root of 31 bytes", signed(body_of(WASHINGTON, 18, root[1:])), three),
            ("a root in hexadecimal", signed(f"{origin(TEXT, WASHINGTON)}\n18\n{root.hex()}\n"), three),
            ("an extension line", signed(body + "more\n"), blank),
            ("CR LF", signed(body).replace("\n", "\r\n"), "not UTF-8 text"),
            ("a hyphen for the dash", body + "\n" + head.replace("\u2014", "-"), line),
            ("a name with a plus", body + "\n" + head + STRANGER.replace("witness", "wit+ness"), line),
            ("a signature that is not base64", body + "\n" + head + "\u2014 example.org/witness !\n", line),
            ("a signature with a key id alone", body + "\n" + head + "\u2014 example.org/witness AAAAAA==\n", line),
            ("cut short", signed(body)[:-1], line), ("a line feed more", signed(body) + "\n", line)):
        cases.append(case(name, key + note.encode(), False, reason))
    return cases


def node(left, right):
    return sha256(b"\1", left, right)


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:half]), root_of(leaves[half:]))


def path_of(index, leaves):
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return path_of(index, leaves[:half]) + [root_of(leaves[half:])]
    return path_of(index - half, leaves[half:]) + [root_of(leaves[:half])]


def policy(quorum="group all_others 2 washington.example pyongyang.example beijing.example\nquorum all_others\n",
           parties=THREE):
    return "".join(f"log {verifier_key(origin(TEXT, party), 1, public(party.log))} liaison:{party.name}\n"
                   for party in parties) + "".join(
        f"witness {party.name} {verifier_key(receipt_name(TEXT, party), 4, public(party.receipt))}\n"
        for party in parties) + quorum


def proof_cases():
    entries = [sealed(header(), padded(item(number)), index=number) for number in range(5)]
    leaves = [sha256(b"\0", entry) for entry in entries]
    body = body_of(WASHINGTON, 5, root_of(leaves))
    head = head_line(WASHINGTON, body)
    mine, theirs, third = (receipt_line(party, body, 1795462028 + number) for number, party in enumerate(THREE))

    def proof(index=3, extra=None, path=None, signatures=head + theirs + third, text=body, first="c2sp.org/tlog-proof@v1"):
        path = path_of(index, leaves) if path is None else path
        extra = f"extra {text64(entries[index])}\n" if extra is None else extra
        return (f"{first}\n{extra}index {index}\n" + "".join(text64(one) + "\n" for one in path) + "\n" + text + "\n" +
                signatures)

    def data(text, rules=policy()):
        return struct.pack(">I", len(rules.encode())) + rules.encode() + text.encode()

    cases = [case(f"entry {index}", data(proof(index)), True, output=leaves[index]) for index in range(5)]
    cases += [case(name, data(text, rules), True, output=leaves[3]) for name, text, rules in (
        ("no receipt asked for", proof(signatures=head), policy("quorum none\n")),
        ("one receipt asked for", proof(signatures=head + theirs), policy("quorum pyongyang.example\n")),
        ("a stranger's signature beside", proof(signatures=STRANGER + head + theirs + third), policy()),
        ("the author's own receipt beside", proof(signatures=head + mine + theirs + third), policy()))]
    few, path, form = "too few receipts", "not in the signed log", "well-formed"
    for name, text, rules, reason in (
            ("a receipt missing", proof(signatures=head + theirs), policy(), few),
            ("the author's receipt for another's", proof(signatures=head + mine + theirs), policy(), few),
            ("the author's receipt alone", proof(signatures=head + mine), policy("quorum washington.example\n"), few),
            ("a receipt twice", proof(signatures=head + theirs + theirs), policy(), few),
            ("a receipt of another time", proof(signatures=head + theirs + receipt_line(BEIJING, body, 1, 1)), policy(),
             "the receipt of beijing.example does not verify"),
            ("a receipt of another head", proof(signatures=head + theirs + receipt_line(
                BEIJING, body_of(WASHINGTON, 4, root_of(leaves[:4])), 1)), policy(),
             "the receipt of beijing.example does not verify"),
            ("not signed by the author", proof(signatures=theirs + third), policy(), "no log of the policy"),
            ("an unknown log", proof(), policy(parties=THREE[1:], quorum="quorum beijing.example\n"), "no log of the policy"),
            ("another entry", proof(extra=f"extra {text64(entries[2])}\n"), policy(), path),
            ("another index", proof().replace("index 3\n", "index 2\n"), policy(), path),
            ("an index beyond the log", proof().replace("index 3\n", "index 5\n"), policy(), path),
            ("a hash missing", proof(path=path_of(3, leaves)[:-1]), policy(), path),
            ("a hash more", proof(path=path_of(3, leaves) + [bytes(32)]), policy(), path),
            ("two hashes exchanged", proof(path=path_of(3, leaves)[::-1]), policy(), path),
            ("no entry", proof(extra=""), policy(), "does not hold the entry"),
            ("an entry that is not base64", proof(extra="extra !\n"), policy(), "not base64"),
            ("a hash of 31 bytes", proof(path=[bytes(31)]), policy(), "not 32 bytes"),
            ("65 hashes", proof(path=[bytes(32)] * 65), policy(), "more than 64"),
            ("an index with a leading zero", proof().replace("index 3", "index 03"), policy(), "\"index\""),
            ("another version", proof(first="c2sp.org/tlog-proof@v2"), policy(), "its first line"),
            ("no checkpoint", proof()[:proof().index("\n\n") + 2], policy(), "not origin, size and root"),
            ("no signatures", proof(signatures=""), policy(), form), ("cut short", proof()[:-1], policy(), form)):
        cases.append(case(name, data(text, rules), False, reason))
    return cases


def policy_cases():
    logs, witnesses = ([verifier_key(name(TEXT, party), kind, public(key(party))) for party in THREE]
                       for kind, name, key in ((1, origin, lambda party: party.log),
                                               (4, receipt_name, lambda party: party.receipt)))
    a, b, c = (f"witness {name} {key}\n" for name, key in zip("abc", witnesses))
    cases = [case(name, text, True, output=bytes(counts)) for name, text, counts in (
        ("a line's", policy(), (3, 3, 1)), ("nothing asked for", "quorum none\n", (0, 0, 0)),
        ("remarks, tabs and blank lines", b"\n \t\n  # \xff\nquorum\tnone \n", (0, 0, 0)),
        ("a log and a witness with URLs", f"log {logs[0]} https://example.org/\n{a[:-1]} https://example.org/\nquorum a\n",
         (1, 1, 0)),
        ("groups in groups", a + b + c + "group g 1 a b\ngroup h all g c\nquorum h\n", (0, 3, 2)),
        ("a name that is not ASCII", a.replace("witness a", "witness \uac00") + "quorum \uac00\n", (0, 1, 0)))]
    other = logs[0].replace(logs[0][75:77], "00" if logs[0][75:77] != "00" else "11", 1)
    for name, text, reason in (
            ("empty", "", "no quorum line"), ("without a quorum", a, "no quorum line"),
            ("two quorums", "quorum none\nquorum none\n", "line 2 of the policy: there is a second"),
            ("without the last line feed", "quorum none", "line 1 of the policy: it does not end"),
            ("CR LF", "quorum none\r\n", "line 1 of the policy: it holds a control character"),
            ("a delete character", "quorum none\x7f\n", "line 1 of the policy: it holds a control character"),
            ("an unknown word", "quorum none\nQuorum none\n", "line 2 of the policy: it starts with none"),
            ("a quorum that is not defined", a + "quorum b\n", "line 2 of the policy: the quorum is not defined"),
            ("a quorum before its witness", "quorum a\n" + a, "line 1 of the policy: the quorum is not defined"),
            ("a log's key for a witness", f"witness a {logs[0]}\nquorum a\n", "not a valid verifier key of type 4"),
            ("a witness's key for a log", f"log {witnesses[0]}\nquorum none\n", "not a valid verifier key of type 1"),
            ("a key id of another name", f"log x{logs[0]}\nquorum none\n", "not a valid verifier key"),
            ("a wrong key id", f"log {other}\nquorum none\n", "not a valid verifier key"),
            ("a log twice", f"log {logs[0]}\n" * 2 + "quorum none\n", "twice"),
            ("a key twice", a + a.replace("witness a", "witness b") + "quorum a\n", "twice"),
            ("a name twice", a + b.replace("witness b", "witness a") + "quorum a\n", "this name is taken"),
            ("a witness called none", a.replace("witness a", "witness none") + "quorum none\n", "this name is taken"),
            ("a group called as a witness", a + "group a all a\nquorum a\n", "this name is taken"),
            ("a member that is not defined", a + "group g all a b\nquorum g\n", "not defined above it"),
            ("a group in itself", a + "group g all a g\nquorum g\n", "not defined above it"),
            ("none in a group", a + "group g all a none\nquorum g\n", "not defined above it"),
            ("a member twice", a + "group g all a a\nquorum g\n", "twice"),
            ("a member of two groups", a + b + "group g all a\ngroup h all a b\nquorum h\n", "twice"),
            ("an empty group", "group g all\nquorum g\n", "a group line is"),
            ("a threshold of 0", a + "group g 0 a\nquorum g\n", "threshold"),
            ("a threshold above the members", a + "group g 2 a\nquorum g\n", "threshold"),
            ("a threshold with a leading zero", a + "group g 01 a\nquorum g\n", "threshold")):
        cases.append(case(name, text, False, reason))
    return cases


def subproof(size, leaves, whole=True):
    """RFC 6962 section 2.1.2."""
    if size == len(leaves):
        return [] if whole else [root_of(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= half:
        return subproof(size, leaves[:half], whole) + [root_of(leaves[half:])]
    return subproof(size - half, leaves[half:], False) + [root_of(leaves[:half])]


def evidence_cases():
    """A true log of 11 entries, and one that differs from its fourth on."""
    def leaves_of(word, count):
        return [sha256(b"\0", f"{word if number >= 3 else 'entry'} {number}".encode()) for number in range(count)]

    def head(size, leaves, party=WASHINGTON):
        return body_of(party, size, root_of(leaves[:size])), party

    def note(head, signature=None):
        body, party = head
        return body + "\n" + (signature or head_line(party, body))

    true, other = leaves_of("entry", 11), leaves_of("another", 11)
    closing = ("What follows is for liaison-verify, which checks all of the above: the path between the two heads, the heads "
               "as\ntheir author signed them, and the charter of the line.\n")

    def says(first, second, party=WASHINGTON, name="talks", line=line_id(TEXT)):
        def history(head):
            size, root = head[0].split("\n")[1:3]
            return f"of {size} {'entry' if size == '1' else 'entries'} with root {base64.b64decode(root).hex()}"
        return (f"{party.name} signed two histories of its log on the line {name}:\n{history(first)}, and\n"
                f"{history(second)}; both cannot be true.\nThe line is {line.hex()}.\n")

    def path_between(size, leaves, larger=11):
        return [root_of(leaves[:size])] + subproof(size, leaves[:larger])

    def file(first, second, path=(), words=None, notes=None, form="liaison-evidence/v1", charter=TEXT, end=closing):
        notes = notes or (note(first), note(second))
        return (f"{form}\n\n{words or says(first, second)}\n{end}\npath\n" + "".join(text64(one) + "\n" for one in path) +
                f"\n{notes[0]}\n{notes[1]}\n{charter}\n")

    low, high = sorted([head(7, true), head(7, other)], key=lambda one: base64.b64decode(one[0].split("\n")[2]))
    cases = []
    for name, first, second, path in (
            ("two heads of one size", low, high, []),
            ("7 entries beside 11", head(7, other), head(11, true), path_between(7, true)),
            ("8 entries beside 11", head(8, other), head(11, true), path_between(8, true)),
            ("4 entries beside 8", head(4, other), head(8, true), path_between(4, true, 8)),
            ("10 entries beside 11", head(10, other), head(11, true), path_between(10, true)),
            ("1 entry beside 2", (body_of(WASHINGTON, 1, bytes(32)), WASHINGTON), head(2, true), path_between(1, true, 2)),
            ("of the last member", head(5, other, BEIJING), head(9, true, BEIJING), path_between(5, true, 9))):
        words = says(first, second, first[1])
        cases.append(case(name, line_id(TEXT) + file(first, second, path, words).encode(), True, output=words.encode()))
    small, large, path = head(7, other), head(11, true), path_between(7, true)
    good = file(small, large, path)
    honest, leads, form = head(7, true), "does not lead to the second head", "is not well-formed"
    stranger = f"\u2014 {origin(TEXT, WASHINGTON)} {text64(key_id(origin(TEXT, WASHINGTON), 1, public(BEIJING.log)) + bytes(64))}\n"
    elsewhere = charter(THREE, name="elsewhere")
    for name, text, reason in (
            ("an older head", file(honest, large, path), "a beginning of the second: that is one history"),
            ("an older head of 8", file(head(8, true), large, path_between(8, true)), "that is one history"),
            ("one head twice", file(large, large), "both heads say the same"),
            ("the path of the first history", file(small, large, path_between(7, other)), leads),
            ("the path of another size", file(small, large, path_between(6, true)), leads),
            ("an older head and the root of another log",
             file(honest, large, path_between(7, other)), leads),
            ("an older head and another root", file(honest, large, [bytes(32)] + path[1:]), leads),
            ("a hash missing", file(small, large, path[:-1]), leads), ("a hash more", file(small, large, path + [bytes(32)]), leads),
            ("the root alone", file(small, large, path[:1]), leads),
            ("two hashes exchanged", file(small, large, path[:1] + path[2:0:-1] + path[3:]), leads),
            ("no path", file(small, large), "it has a path, and none is due, or none, and one is"),
            ("a path between equal sizes", file(low, high, path), "it has a path, and none is due, or none, and one is"),
            ("66 hashes", file(small, large, [bytes(32)] * 66), "more than 65"),
            ("a hash of 31 bytes", file(small, large, [bytes(31)]), "hash 1 of its path is not 32 bytes"),
            ("the larger head first", file(large, small, path), "do not stand in their order"),
            ("of one size the higher root first", file(high, low), "do not stand in their order"),
            ("heads of two members", file(small, head(11, true, BEIJING), path), "the two heads are of two logs"),
            ("heads of two incarnations", good.replace(origin(TEXT, WASHINGTON), origin(TEXT, WASHINGTON, 1)).replace(
                origin(TEXT, WASHINGTON, 1), origin(TEXT, WASHINGTON), 2), "the two heads are of two logs"),
            ("heads of another incarnation", good.replace(origin(TEXT, WASHINGTON), origin(TEXT, WASHINGTON, 1)),
             "of no log of the line"),
            ("another signature on the first", good.replace(head_line(*small[::-1]), head_line(*honest[::-1])),
             "the signature on the first head is not its author's"),
            ("another signature on the second", good.replace(head_line(*large[::-1]), head_line(*small[::-1])),
             "the signature on the second head is not its author's"),
            ("signed by another member", file(small, large, path, notes=(note(small), note(
                large, head_line(BEIJING, large[0], origin(TEXT, WASHINGTON))))), "the signature on the second head is by another key"),
            ("a receipt for a signature", file(small, large, path, notes=(note(small), note(
                large, receipt_line(WASHINGTON, large[0], 1795462028)))), "its second head " + form),
            ("two signatures", file(small, large, path, notes=(note(small), note(large) + stranger)), "its second head " + form),
            ("a head of nothing", file((body_of(WASHINGTON, 0, sha256(b"")), WASHINGTON), large, path), "its first head " + form),
            ("a head above 2^40", file(small, (body_of(WASHINGTON, 2**40 + 1, bytes(32)), WASHINGTON), path),
             "its second head " + form),
            ("a size with a leading zero", good.replace("\n7\n", "\n07\n"), "its first head " + form),
            ("another author for people", good.replace("washington.example signed", "beijing.example signed"), "what people read"),
            ("another number for people", good.replace("of 11 entries", "of 12 entries"), "what people read"),
            ("a remark for people", good.replace("\nThe line is", "\nIt was late.\nThe line is"), "what people read"),
            ("the charter of another line", file(small, large, path, charter=elsewhere), "of no log of the line"),
            ("of another line than asked for", None, "it is of another line than the one asked for"),
            ("other closing words", file(small, large, path, end=closing.replace("all", "some")), "the words that end"),
            ("another version", file(small, large, path, form="liaison-evidence/v2"), "of another version than 1"),
            ("no path line", good.replace("\npath\n", "\n"), "there is no line \"path\""),
            ("no blank line after the charter", good[:-1], ""),
            ("a line feed more", good + "\n", "goes on"),
            ("CR LF", good.replace("\n", "\r\n"), "of another version"),
            ("a proof", "c2sp.org/tlog-proof@v1\n", "this is no evidence")):
        trusted = line_id(TEXT) if text else line_id(elsewhere)
        cases.append(case(name, trusted + (text or good).encode(), False, reason or "without its end"))
    return cases


def main():
    write(HERE, "charter", charter_cases())
    write(HERE, "entry-header", header_cases())
    write(HERE, "entry-sealed", sealed_cases())
    write(HERE, "prekeys", prekeys_cases())
    write(HERE, "epoch", epoch_cases())
    write(HERE, "wrap", wrap_cases())
    write(HERE, "note", note_cases())
    write(HERE, "proof", proof_cases())
    write(HERE, "policy", policy_cases())
    write(HERE, "evidence", evidence_cases())


if __name__ == "__main__":
    main()
