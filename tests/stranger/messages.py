"""The messages between members. spec/sync.md, "Messages"."""

import cbor
from crypto import Refused
from record import MOST, is_array, is_bytes, is_number

HELLO, ENTRIES, SETTLE, RECEIPT, HAVE, WANT, OVERTAKE, FETCH = range(8)
ITEMS = (3, 8, 4, 8, 4, 4, 9, 4)
NO_MORE = MOST


def is_head(value):
    return is_array(value, 3, 3) and is_number(value[0], MOST) and value[0] > 0 and is_bytes(value[1], 32) \
        and is_bytes(value[2], 64)


def are_hashes(value):
    return is_array(value, 0, 64) and all(is_bytes(item, 32) for item in value)


def is_entry(value):
    return isinstance(value, bytes) and 1 <= len(value) <= 65535


def is_greeting(items, members):
    return items[1] == 1 and is_array(items[2], members, members) and all(
        is_array(log, 4, 4) and log[:2] == [member, 0] and is_number(log[2], MOST) and (log[3] == [] or is_head(log[3]))
        for member, log in enumerate(items[2]))


def are_entries(items):
    return is_number(items[3], MOST) and is_array(items[4], 1, 4096) and all(map(is_entry, items[4])) \
        and sum(map(len, items[4])) <= 1048576 and is_head(items[5]) and is_number(items[6], 1) and are_hashes(items[7])


def is_receipt(items, members):
    return is_number(items[3], MOST) and items[3] > 0 and is_bytes(items[4], 32) and is_number(items[5], members - 1) \
        and items[5] != items[1] and is_number(items[6]) and is_bytes(items[7], 64)


def is_overtaking(items):
    return is_number(items[3], MOST - 1) and is_entry(items[4]) and is_head(items[5]) and items[3] < items[5][0] \
        and are_hashes(items[6]) and is_number(items[7], MOST) and are_hashes(items[8])


def read(data, members):
    """The items of a well-formed message."""
    items = cbor.decode(data)
    if not is_array(items, 1, 9) or not is_number(items[0], FETCH):
        raise Refused('a message of no known type')
    if len(items) != ITEMS[items[0]]:
        raise Refused('another number of items')
    well_formed = is_greeting(items, members) if items[0] == HELLO else is_number(items[1], members - 1) \
        and items[2] == 0 and is_about_a_log(items, members)
    if not well_formed:
        raise Refused('not well-formed')
    return items


def is_about_a_log(items, members):
    if items[0] == ENTRIES:
        return are_entries(items)
    if items[0] == SETTLE:
        return is_head(items[3])
    if items[0] == RECEIPT:
        return is_receipt(items, members)
    if items[0] == OVERTAKE:
        return is_overtaking(items)
    return is_number(items[3], MOST - (items[0] == FETCH))
