"""The Merkle tree of RFC 6962 section 2.1 and its proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2). spec/record.md,
"Tree, heads, receipts"."""

from crypto import sha256

EMPTY = sha256(b'')


def leaf_hash(entry):
    return sha256(b'\x00' + entry)


def node_hash(left, right):
    return sha256(b'\x01' + left + right)


def split_at(count):
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    half = split_at(len(leaves))
    return node_hash(root(leaves[:half]), root(leaves[half:]))


def inclusion_proof(leaves, index):
    if len(leaves) == 1:
        return []
    half = split_at(len(leaves))
    if index < half:
        return inclusion_proof(leaves[:half], index) + [root(leaves[half:])]
    return inclusion_proof(leaves[half:], index - half) + [root(leaves[:half])]


def consistency_proof(leaves, size, complete=True):
    if size == len(leaves):
        return [] if complete else [root(leaves)]
    half = split_at(len(leaves))
    if size <= half:
        return consistency_proof(leaves[:half], size, complete) + [root(leaves[half:])]
    return consistency_proof(leaves[half:], size - half, False) + [root(leaves[:half])]


def is_included(leaf, index, size, path, whole):
    if index >= size:
        return False
    place, last, hash_ = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            hash_ = node_hash(other, hash_)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, other)
        place, last = place >> 1, last >> 1
    return last == 0 and hash_ == whole


def is_consistent(size, part, whole_size, whole, path):
    """Whether the tree of `size` leaves with root `part` begins the one of `whole_size` with root `whole`."""
    if not 0 < size <= whole_size:
        return False
    if size == whole_size:
        return not path and part == whole
    path = list(path) if size & (size - 1) else [part, *path]
    if not path:
        return False
    place, last = size - 1, whole_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, other)
        place, last = place >> 1, last >> 1
    return last == 0 and old == part and new == whole
