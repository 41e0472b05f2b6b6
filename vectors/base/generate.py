"""Writes the vectors of this folder from RFC 8949 and base/text.h, without a line of src/.

Each file is one case, FORMAT.SLUG.json. What input and output are, by format:
cbor   bytes that should be one item; the same bytes
shown  text from outside; what a terminal may be shown, in one line
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cases import case, write  # the folder above


def head(major, argument, width=None):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if width == size or (width is None and 24 <= argument < 256 ** size):
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
        if width is None and argument < 24:
            return bytes([major << 5 | argument])
    raise ValueError(argument)


def item(value):
    """Deterministic CBOR of the types that liaison has."""
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(item, value))
    return head(5, len(value)) + b"".join(item(key) + item(value[key]) for key in sorted(value))


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def cbor_cases():
    cases = []
    for name, value in (
            ("0", 0), ("23", 23), ("24", 24), ("255", 255), ("256", 256), ("65535", 65535), ("65536", 65536),
            ("the last of 32 bits", 2**32 - 1), ("the first of 64 bits", 2**32), ("the last of 64 bits", 2**64 - 1),
            ("no bytes", b""), ("23 bytes", bytes(23)), ("24 bytes", bytes(24)), ("256 bytes", bytes(256)),
            ("no text", ""), ("text in Korean", "\uc548\ub155\ud558\uc2ed\ub2c8\uae4c"), ("text with a zero byte", "a\0b"),
            ("an empty array", []), ("an array of arrays", [1, [2, 3], [4, 5]]), ("24 items", [0] * 24),
            ("an empty map", {}), ("a map", {1: 2, 3: 4}), ("keys of two widths", {23: 0, 24: 0, 256: 0, 65536: 0}),
            ("all of it", {0: 1, 1: b"\1", 2: "a", 3: [{}, {0: []}]}), ("eight deep", nested(8))):
        data = item(value)
        cases.append(case(name, data, True, output=data))
    for name, data, reason in (
            ("nothing", b"", "no item"),
            ("a number in one byte too many", head(0, 23, 1), "not the shortest form"),
            ("a number in two bytes for one", head(0, 255, 2), "not the shortest form"),
            ("a number in four bytes for two", head(0, 65535, 4), "not the shortest form"),
            ("a number in eight bytes for four", head(0, 2**32 - 1, 8), "not the shortest form"),
            ("a length of bytes not shortest", head(2, 1, 1) + b"a", "not the shortest form"),
            ("a length of text not shortest", head(3, 1, 2) + b"a", "not the shortest form"),
            ("a length of an array not shortest", head(4, 0, 1), "not the shortest form"),
            ("a length of a map not shortest", head(5, 0, 1), "not the shortest form"),
            ("reserved information 28", b"\x1c", "reserved"),
            ("reserved information 29", b"\x5d", "reserved"),
            ("reserved information 30", b"\x9e", "reserved"),
            ("bytes of indefinite length", b"\x5f\x41\x01\xff", "indefinite length"),
            ("text of indefinite length", b"\x7f\x61\x61\xff", "indefinite length"),
            ("an array of indefinite length", b"\x9f\x01\xff", "indefinite length"),
            ("a map of indefinite length", b"\xbf\x01\x02\xff", "indefinite length"),
            ("a break alone", b"\xff", "indefinite length"),
            ("a negative number", b"\x20", "a type that is not used"),
            ("false", b"\xf4", "a type that is not used"),
            ("null", b"\xf6", "a type that is not used"),
            ("undefined", b"\xf7", "a type that is not used"),
            ("a float of 16 bits", b"\xf9\x3c\x00", "a type that is not used"),
            ("a float of 64 bits", b"\xfb" + bytes(8), "a type that is not used"),
            ("a tag", b"\xc1\x00", "a type that is not used"),
            ("a tag inside", b"\x81\xc1\x00", "a type that is not used"),
            ("a key twice", b"\xa2\x01\x02\x01\x02", "keys do not rise"),
            ("keys falling", b"\xa2\x02\x01\x01\x02", "keys do not rise"),
            ("keys falling from two bytes to one", b"\xa2\x18\x18\x00\x17\x00", "keys do not rise"),
            ("a text as a key", b"\xa1\x61\x61\x00", "a key that is no number"),
            ("bytes as a key", b"\xa1\x40\x00", "a key that is no number"),
            ("an array as a key", b"\xa1\x80\x00", "a key that is no number"),
            ("text with a lone continuation", b"\x61\x80", "not UTF-8"),
            ("text with an overlong form", b"\x62\xc0\xaf", "not UTF-8"),
            ("text with a surrogate", b"\x63\xed\xa0\x80", "not UTF-8"),
            ("text above U+10FFFF", b"\x64\xf4\x90\x80\x80", "not UTF-8"),
            ("text cut inside a character", b"\x62\xe2\x82", "not UTF-8"),
            ("a number cut off", b"\x1a\x00\x01", "cut off"),
            ("bytes cut off", b"\x42\x01", "cut off"),
            ("an array cut off", b"\x82\x01", "cut off"),
            ("a map without its last value", b"\xa1\x01", "cut off"),
            ("bytes of 2^64-1", b"\x5b" + b"\xff" * 8, "cut off"),
            ("an array of 2^64-1 items", b"\x9b" + b"\xff" * 8, "cut off"),
            ("a map of 2^63 pairs", b"\xbb\x80" + bytes(7), "cut off"),
            ("nine deep", item(nested(9)), "too deep"),
            ("a second item", b"\x01\x01", "bytes left"),
            ("a zero after an array", b"\x80\x00", "bytes left")):
        cases.append(case(name, data, False, reason))
    return cases


def shown_cases():
    return [case(name, text.encode() if isinstance(text, str) else text, True, output=shown.encode())
            for name, text, shown in (
                ("English", "Are you in the room?", "Are you in the room?"),
                ("Korean", "\ud68c\uc758\uc2e4", "\ud68c\uc758\uc2e4"),
                ("Chinese", "\u60a8\u5728\u5417\uff1f", "\u60a8\u5728\u5417\uff1f"),
                ("Russian", "\u0412\u044b \u0437\u0434\u0435\u0441\u044c?", "\u0412\u044b \u0437\u0434\u0435\u0441\u044c?"),
                ("Arabic with marks", "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",
                 "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f"),
                ("a line feed", "a\nb", "a<U+000A>b"),
                ("an escape sequence", "\x1b[31mred", "<U+001B>[31mred"),
                ("a C1 control", "\u009b31m", "<U+009B>31m"),
                ("a carriage return", "over\rwritten", "over<U+000D>written"),
                ("right-to-left override", "abc\u202egpj.exe", "abc<U+202E>gpj.exe"),
                ("isolates", "\u2066a\u2069", "<U+2066>a<U+2069>"),
                ("zero-width space", "pay\u200bpal", "pay<U+200B>pal"),
                ("tag characters", "\U000e0041", "<U+E0041>"),
                ("five marks on a letter", "a" + "\u0301" * 5, "a" + "\u0301" * 4 + "<U+0301>"),
                ("bytes that are no UTF-8", b"a\xff\xc0\x80", "a<0xFF><0xC0><0x80>"))]


def main():
    write(HERE, "cbor", cbor_cases())
    write(HERE, "shown", shown_cases())


if __name__ == "__main__":
    main()
