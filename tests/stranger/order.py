"""The line's order, from the set of entries alone. spec/record.md, "Order"."""


def order(logs):
    """(member, index) of all entries, in the order that every member shows. `logs` are lists of entries with `seen` and
    `re`, `leaves` and `root(size)` as record.Log has them."""
    depths = [[] for _ in logs]
    seen = [valid_seen(logs, member) for member in range(len(logs))]
    while any(len(done) < log.size() for done, log in zip(depths, logs)):
        if not any([advance(logs, depths, seen, member) for member in range(len(logs))]):
            break_ring(logs, depths, seen)
    return sorted(((member, index) for member, log in enumerate(logs) for index in range(log.size())),
                  key=lambda place: (depths[place[0]][place[1]], *place))


def valid_seen(logs, member):
    """Of each entry of the log the valid claims in `seen`."""
    last, claims = {}, []
    for entry in logs[member].entries:
        valid = [(other, size) for other, size, root in entry.seen
                 if last.get(other, 0) <= size <= logs[other].size() and logs[other].root(size) == root]
        last.update(valid)
        claims.append(valid)
    return claims


def valid_references(logs, member, entry):
    """An entry of one's own log adds nothing."""
    return [(other, index) for other, index, leaf in entry.re
            if other != member and index < logs[other].size() and logs[other].leaves[index] == leaf]


def depth(logs, depths, seen, member, with_references=True):
    """The depth of the log's next entry, or None while it waits for another."""
    index = len(depths[member])
    if index == 0:
        return 0
    places = [(member, index - 1), *((other, size - 1) for other, size in seen[member][index])]
    if with_references:
        places += valid_references(logs, member, logs[member].entries[index])
    if any(at >= len(depths[other]) for other, at in places):
        return None
    return 1 + max(depths[other][at] for other, at in places)


def advance(logs, depths, seen, member):
    """Whether anything of this log got its depth."""
    before = len(depths[member])
    while len(depths[member]) < logs[member].size():
        next_depth = depth(logs, depths, seen, member)
        if next_depth is None:
            break
        depths[member].append(next_depth)
    return len(depths[member]) > before


def break_ring(logs, depths, seen):
    """Of the logs of a ring the lowest that waits because of a `re` goes on as if its next entry named nothing."""
    waits = {member: waits_for(logs, depths, seen, member) for member, log in enumerate(logs)
             if len(depths[member]) < log.size()}
    for member in sorted(waits):
        if waits[member][1] and member in followed(waits, member):
            depths[member].append(depth(logs, depths, seen, member, with_references=False))
            return
    raise AssertionError('roots cannot hang on each other in a ring')


def waits_for(logs, depths, seen, member):
    """The one log that this log's next entry waits for: that of the first place that has no depth yet, in `seen` and
    then in `re`; and whether that place is in `re`."""
    index = len(depths[member])
    places = [(other, size - 1, False) for other, size in seen[member][index]]
    places += [(*place, True) for place in valid_references(logs, member, logs[member].entries[index])]
    return next((other, is_reference) for other, at, is_reference in places if at >= len(depths[other]))


def followed(waits, member):
    """The logs that one comes to who goes from this one to the one it waits for, and on."""
    found = []
    while waits[member][0] not in found:
        member = waits[member][0]
        found.append(member)
    return found
