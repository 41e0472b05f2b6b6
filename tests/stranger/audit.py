"""Checks a whole line as it is held: every entry's place in its tree, every head, every receipt."""

import note


def audit(logs, charter):
    """Sentences on what is wrong."""
    wrong = []
    for member, log in enumerate(logs):
        for size, (root, signature) in log.heads.items():
            if size > log.size() or log.root(size) != root:
                wrong.append(f'log {member}: the head of {size} is not that of its entries')
            elif not note.verify_head(log.key, log.origin, size, root, signature):
                wrong.append(f'log {member}: the head of {size} is not signed by its author')
        for (by, size), (time, signature) in log.receipts.items():
            if by == member or size not in log.heads or not note.verify_receipt(
                    charter.cards[by].receipt, log.origin, size, log.heads[size][0], time, signature):
                wrong.append(f'log {member}: the receipt of {size} by {by} does not hold')
        wrong += falling_times(member, log)
    return wrong


def falling_times(member, log):
    """A member's receipts never go down in time."""
    wrong = []
    for by in {by for by, _ in log.receipts}:
        times = [time for (who, _), (time, _) in sorted(log.receipts.items()) if who == by]
        if times != sorted(times):
            wrong.append(f'log {member}: the times of the receipts by {by} go down')
    return wrong


def changed(data, at, bit=1):
    """The bytes with one bit of the byte at `at` flipped."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]
