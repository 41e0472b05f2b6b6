"""Reads the files of an office that has ended, as an auditor would: the database and the mark. spec/store.md."""

import sqlite3

import cbor
import note
import record
import tree
from crypto import sha256

PLACE = 2 ** 40
SLOT = 2097152
MAGIC = b'liaison-mark/1\n\x00'


class Store:
    def __init__(self, path):
        self.database = sqlite3.connect(f'file:{path}?mode=ro', uri=True)

    def all(self, words, *values):
        return self.database.execute(words, values).fetchall()

    def one(self, words, *values):
        return self.all(words, *values)[0][0]

    def close(self):
        self.database.close()


def frontier(leaves):
    """The count of leaves, then the roots of the complete subtrees that their tree is made of, the smallest first."""
    count, peaks = len(leaves), []
    while leaves:
        size = 1 << len(leaves).bit_length() - 1
        peaks.insert(0, tree.root(leaves[:size]))
        leaves = leaves[size:]
    return count.to_bytes(8, 'big') + b''.join(peaks)


def audit(path, charter):
    """Rebuilds every tree and checks every head and receipt. The logs, and the sentences on what is wrong."""
    store, wrong, logs = Store(path), [], []
    try:
        if store.one('PRAGMA application_id') != 0x4c494149 or store.one('PRAGMA user_version') != 3:
            wrong.append('not a database of this version')
        for number, member, size in store.all('SELECT log, member, size FROM logs ORDER BY member'):
            logs.append(read_log(store, number, member, charter, wrong))
            if logs[-1].size() != size:
                wrong.append(f'log {member} says that it has {size} entries')
    finally:
        store.close()
    return logs, wrong


def read_log(store, number, member, charter, wrong):
    log = record.Log(charter.origins[member], charter.cards[member].log)
    rows = store.all('SELECT place, leaf, bytes FROM entries WHERE place BETWEEN ? AND ? ORDER BY place',
                     number * PLACE, (number + 1) * PLACE - 1)
    for index, (place, leaf, data) in enumerate(rows):
        log.append(record.read_entry(data, member, len(charter.cards)))
        if place != number * PLACE + index or log.leaves[-1] != leaf:
            wrong.append(f'log {member}: entry {index} is not where or what it should be')
    if store.one('SELECT frontier FROM logs WHERE log = ?', number) != frontier(log.leaves):
        wrong.append(f'log {member}: another frontier')
    for size, root, signature in store.all('SELECT size, root, signature FROM heads WHERE log = ?', number):
        if root != log.root(size) or not note.verify_head(log.key, log.origin, size, root, signature):
            wrong.append(f'log {member}: the head of {size} does not hold')
        log.heads[size] = (root, signature)
    for by, size, time, signature in store.all('SELECT by, size, time, signature FROM receipts WHERE log = ?', number):
        if not note.verify_receipt(charter.cards[by].receipt, log.origin, size, log.root(size), time, signature):
            wrong.append(f'log {member}: the receipt of {size} by {by} does not hold')
        log.receipts[by, size] = (time, signature)
    return log


def read_mark(path):
    """The content of the newest slot that is there."""
    with open(path, 'rb') as file:
        data = file.read()
    slots = [read_slot(data[at:at + SLOT], at // SLOT) for at in (0, SLOT)]
    return cbor.decode(max(slot for slot in slots if slot)[1])


def read_slot(data, number):
    generation, length = int.from_bytes(data[16:24], 'big'), int.from_bytes(data[24:32], 'big')
    content = data[64:64 + length]
    if data[:16] != MAGIC or generation % 2 != number or data[32:64] != sha256(data[:32] + content):
        return None
    return generation, content
