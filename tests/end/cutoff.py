#!/usr/bin/python3
"""Cuts the power of either office at random moments of a two-way exchange: nothing is lost, doubled or moved.

Real daemons, sockets and a real kernel, on a disk that forgets: a library is preloaded (cutoff.c) that keeps what every
sector held at the last sync of its file. After a cut any of the sectors that were not synced are put back, and lengths
and names likewise. What the exchange is, and must be in the end, is in exchange.py. Besides, after each cut the office
still has what it had receipted, and of its own log what the other one holds.

With the syncs of the WAL left out, or those of the mark, the same test must find that something is wrong.

usage: cutoff.py LIAISON LIAISOND LIAISON_VERIFY CUTOFF_LIBRARY
"""
import mmap
import os
import random
import re
import struct
import subprocess
import sys
import time

from exchange import Writer, check
from offices import LONG, SEED, Office, Wire, case, finish, found, note, path, same, until

LIBRARY = os.path.abspath(sys.argv[4])
CUTS = 300 if LONG else 60
CUTS_TO_BE_FOUND = 20
SYNCS_MAX = 40

# struct slot of cutoff.c
SECTOR, SECTORS, SLOTS = 512, 524288, 6
HEAD = 4096
SLOT = HEAD + SECTORS + SECTORS * SECTOR
DIRTY, CUT = 1, 2
DIRTY_SECTOR = re.compile(rb"[^\0]")


class Disk:
    """What an office's files forget when the power is cut."""

    def __init__(self, office, dice):
        self.office = office
        self.dice = dice
        self.arena = path(os.path.basename(office.directory) + ".arena")
        self.put_back = 0  # sectors, of how many that were not synced
        self.loose = 0
        self.names = 0
        self.lengths = 0
        self.skip = None
        self.clear()

    def clear(self):
        if os.path.exists(self.arena):
            os.unlink(self.arena)
        with open(self.arena, "wb") as file:
            file.truncate(SLOT * SLOTS)

    def environment(self, cut_at=0):
        more = {"CUTOFF_SKIP": self.skip} if self.skip else {}
        return {**os.environ, "LD_PRELOAD": LIBRARY, "CUTOFF_ARENA": self.arena, "CUTOFF_BELOW": self.office.directory,
                "CUTOFF_AT": str(cut_at), **more}

    def cut(self):
        """The power is gone and comes back: the daemon is dead."""
        with open(self.arena, "r+b") as file, mmap.mmap(file.fileno(), 0) as arena:
            for slot in range(SLOTS):
                self.cut_slot(arena, slot * SLOT)
        self.clear()

    def cut_slot(self, arena, at):
        name = arena[at:at + 512].split(b"\0", 1)[0].decode()
        size, named, removed, shortened = struct.unpack_from("<QBBB", arena, at + 512)
        if not name:
            return
        if not named and self.dice.random() < 0.5:
            self.names += 1
            if not removed:
                os.unlink(name)
            return
        if removed and (os.path.exists(name) or not named or self.dice.random() < 0.5):
            return  # it is gone; or a new one of that name has come, which may have taken its place
        if removed:
            self.names += 1
            with open(name, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
                file.truncate(max(size, 0))
        self.cut_file(arena, at, name, size, shortened, removed)

    def cut_file(self, arena, at, name, size, shortened, whole):
        states = arena[at + HEAD:at + HEAD + SECTORS]
        loose = [(match.start(), states[match.start()]) for match in DIRTY_SECTOR.finditer(states)]
        long_again = shortened and self.dice.random() < 0.5
        share = self.dice.choice((0.1, 0.5, 0.5, 0.9, 1.0))
        with open(name, "r+b") as file:
            now = os.fstat(file.fileno()).st_size
            if size != now and (long_again or (not shortened and self.dice.random() < 0.5)):
                self.lengths += 1
                file.truncate(size)
                now = size
            for sector, state in loose:
                self.loose += 1
                before = at + HEAD + SECTORS + sector * SECTOR
                old = arena[before:before + SECTOR]
                if state & CUT and not long_again:
                    old = bytes(SECTOR)  # what was cut off does not come back within what was written after it
                if sector * SECTOR >= now or not (whole or long_again or self.dice.random() < share):
                    continue
                self.put_back += 1
                file.seek(sector * SECTOR)
                file.write(old[:now - sector * SECTOR])


# --- offices whose power is cut ------------------------------------------------------------------------------------


def sizes(office, member):
    """Of the member's log, at an office: how much it holds, and how much of its own is receipted by that member."""
    found_here = office.member(member)
    return found_here["size"], found_here["receipted"]


def bring_up(office, disk, dice):
    """Starts an office again; often its power is cut before or just after it is ready. Returns the cuts."""
    cuts = 0
    while True:
        again = dice.random()
        office.launch(env=disk.environment(dice.randrange(1, 12) if again < 0.25 else 0))
        if again < 0.25:
            wait(office, 5)
        elif again < 0.35:
            time.sleep(dice.random() * 0.06)
        else:
            break
        office.kill()
        disk.cut()
        cuts += 1
    return cuts


def wait(office, seconds):
    try:
        office.process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def cut(office, other, disk, dice):
    """One cut and what follows. Returns the cuts, and what was wrong."""
    how = dice.random()
    if how < 0.4:
        office.kill()
        disk.cut()
        office.launch(env=disk.environment(dice.randrange(1, SYNCS_MAX)))
        if office.await_state() == "ready":
            wait(office, 2)
    elif how < 0.5:
        office.process.terminate()
        time.sleep(0.05 * dice.random())
    office.kill()
    disk.cut()
    cuts = 1 + (how < 0.4)
    holds, receipted = sizes(other, office.name)
    cuts += bring_up(office, disk, dice)
    if office.await_state() != "ready":
        return cuts, f"{office.name} is {office.state}: {office.said()[-500:]}"
    own, _ = sizes(office, office.name)
    theirs, _ = sizes(office, other.name)
    if own < holds:
        return cuts, f"{office.name} has {own} of its own entries, and {other.name} {holds}"
    if theirs < receipted:
        return cuts, f"{office.name} has {theirs} entries of {other.name}, and has receipted {receipted}"
    return cuts, None


def exchange(names, dice, most, skip=None):
    """Two offices talk while their power is cut. Returns them, the writers, and what was wrong."""
    pair = [Office(f"{name}.example", name) for name in names]
    disks = [Disk(office, random.Random(dice.getrandbits(64))) for office in pair]
    for office, disk in zip(pair, disks):
        office.start(env=disk.environment())
    wires = [Wire(office.port()) for office in pair]
    found(*pair)
    pair[0].run("link", "add", "talks", names[1], wires[1].address)
    until(lambda: all(office.is_settled() for office in pair))
    disks[0].skip = skip
    writers = [Writer(office, random.Random(dice.getrandbits(64))) for office in pair]
    for writer in writers:
        writer.start()
    cuts, wrong = 0, None
    while cuts < most and not wrong and not any(writer.failure for writer in writers):
        time.sleep(dice.choice((0.02, 0.1, 0.3)) * dice.random())
        which = 0 if skip else dice.randrange(2)
        more, wrong = cut(pair[which], pair[1 - which], disks[which], dice)
        cuts += more
        if not wrong:
            wires[which].target = pair[which].port()
    for writer in writers:
        writer.stop = True
    wrong = wrong or next((writer.failure for writer in writers if writer.failure), None)
    for file in ("talks.charter", "talks.key"):
        os.unlink(path(file))
    note(f"{cuts} cuts put back {sum(disk.put_back for disk in disks)} of {sum(disk.loose for disk in disks)} sectors, "
         f"{sum(disk.lengths for disk in disks)} lengths, {sum(disk.names for disk in disks)} names; "
         + ", ".join(f"{writer.office.name} {len(writer.recorded)} recorded, asked again {writer.again} times"
                     for writer in writers))
    case("the disk forgot something", any(disk.put_back for disk in disks))
    return pair, writers, wrong


def is_caught(names, dice, part):
    """The same test where the syncs of some files are left out: it must find something."""
    pair, _, wrong = exchange(names, dice, CUTS_TO_BE_FOUND, part)
    note(f"without the sync of {part}: {wrong}")
    for office in pair:
        office.kill()
    case(f"without the sync of {part} something is found wrong", wrong)


def main():
    note(f"seed {SEED}, {CUTS} cuts")
    dice = random.Random(SEED)
    pair, writers, wrong = exchange(("washington", "pyongyang"), dice, CUTS)
    case("after each cut an office is ready, and has what it receipted and what the other has of it", not wrong, wrong)
    if wrong:
        finish()
    for writer in writers:
        writer.join(60)
    case("every request was answered, the same token with the same number",
         not any(writer.is_alive() or writer.failure for writer in writers), [writer.failure for writer in writers])
    check(pair, writers)
    same("told to end, both end with 0", [office.stop() for office in pair], [0, 0])
    is_caught(("athens", "berne"), dice, "-wal")
    is_caught(("cairo", "dakar"), dice, ".mark")
    finish()


main()
