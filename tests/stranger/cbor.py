"""The deterministic CBOR of spec/record.md, "CBOR": unsigned integers, byte and text strings, arrays, and maps whose
keys are unsigned integers in rising order, at most 8 deep. Whatever else comes is refused."""

DEPTH = 8


class Malformed(ValueError):
    """The bytes are not the one encoding of a value."""


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for code, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * width:
            return bytes([major << 5 | code]) + number.to_bytes(width, 'big')
    raise ValueError('number too large')


def encode(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b''.join(map(encode, value))
    if isinstance(value, dict):
        return head(5, len(value)) + b''.join(encode(key) + encode(value[key]) for key in sorted(value))
    raise TypeError(type(value))


def decode(data):
    """The one item that data is."""
    value, end = decode_first(data)
    if end != len(data):
        raise Malformed('bytes are left over')
    return value


def decode_first(data, at=0, depth=0):
    """The item that begins at `at`, and where it ends."""
    major, number, at = decode_head(data, at)
    if major == 0:
        return number, at
    if major in (2, 3):
        if number > len(data) - at:
            raise Malformed('a string is cut off')
        piece = bytes(data[at:at + number])
        return (piece if major == 2 else decode_text(piece)), at + number
    if depth == DEPTH:
        raise Malformed('too deep')
    return decode_array(data, number, at, depth) if major == 4 else decode_map(data, number, at, depth)


def decode_head(data, at):
    if at >= len(data):
        raise Malformed('cut off')
    major, low = data[at] >> 5, data[at] & 31
    if major not in (0, 2, 3, 4, 5) or low > 27:
        raise Malformed('not one of the types in use')
    if low < 24:
        return major, low, at + 1
    width = 1 << low - 24
    number = int.from_bytes(data[at + 1:at + 1 + width], 'big')
    if at + 1 + width > len(data) or number < (24 if width == 1 else 1 << 4 * width):
        raise Malformed('cut off, or not the shortest form')
    return major, number, at + 1 + width


def decode_text(piece):
    try:
        return piece.decode()
    except UnicodeDecodeError as error:
        raise Malformed('not UTF-8') from error


def decode_array(data, count, at, depth):
    items = []
    while len(items) < count:
        item, at = decode_first(data, at, depth + 1)
        items.append(item)
    return items, at


def decode_map(data, count, at, depth):
    pairs, last = {}, -1
    while len(pairs) < count:
        major, last_now, at = decode_head(data, at)
        if major != 0 or last_now <= last:
            raise Malformed('keys are not rising numbers')
        last = last_now
        pairs[last], at = decode_first(data, at, depth + 1)
    return pairs, at
