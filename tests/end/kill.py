#!/usr/bin/python3
"""SIGKILLs either daemon and cuts the link at random moments of a two-way exchange: nothing is lost, doubled or moved.

What the two persons do and what must be true in the end is in exchange.py.
"""
import random
import signal
import time

from exchange import Writer, check
from offices import LONG, SEED, Office, Wire, case, finish, found, note, same, until

COUNT = 200 if LONG else 40
CUTS = ("reset", "half-open", "byte by byte", "black hole", "stopped peer")


def restart(office, dice):
    """Starts a killed daemon; sometimes kills it again before or just after it is ready. Returns the kills."""
    kills = 0
    office.launch()
    while dice.random() < 0.3:
        time.sleep(dice.random() * 0.05)
        office.kill()
        kills += 1
        office.launch()
    if office.await_state() != "ready":
        raise SystemExit(f"Bail out! {office.name} is {office.state}: {office.said()}")
    return kills


def disturb(offices, wires, writers, dice):
    """Kills and cuts until each was done COUNT times or a writer failed."""
    kills = cuts = 0
    deeds = {}
    while (kills < COUNT or cuts < COUNT) and not any(writer.failure for writer in writers):
        time.sleep(dice.choice((0.001, 0.02, 0.1, 0.3)) * dice.random())
        if kills < COUNT and (cuts >= COUNT or dice.random() < 0.5):
            office = dice.choice(offices)
            office.kill()
            kills += 1 + restart(office, dice)
            for wire, served in zip(wires, offices):
                wire.target = served.port()
            continue
        wire = dice.choice(wires)
        cut = dice.choice(CUTS)
        deeds[cut] = deeds.get(cut, 0) + 1
        cuts += 1
        if cut == "reset":
            wire.cut()
        elif cut == "half-open":
            wire.half_open()
        elif cut == "byte by byte":
            wire.slow = True
            time.sleep(0.2 * dice.random())
            wire.slow = False
        elif cut == "black hole":
            wire.dead = True
            time.sleep(1.2 * dice.random())
            wire.dead = False
        else:
            process = dice.choice(offices).process
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.2 * dice.random())
            process.send_signal(signal.SIGCONT)
    note(f"{kills} kills, {cuts} cuts: {deeds}")


def main():
    note(f"seed {SEED}, {COUNT} kills and {COUNT} cuts")
    dice = random.Random(SEED)
    offices = [Office("washington.example", "w"), Office("pyongyang.example", "p")]
    for office in offices:
        office.start()
    wires = [Wire(office.port()) for office in offices]
    found(*offices)
    offices[0].run("link", "add", "talks", "pyongyang", wires[1].address)
    # In every second run both dial, so that there are two links at once.
    if SEED % 2:
        offices[1].run("link", "add", "talks", "washington", wires[0].address)
    case("the line is up", until(lambda: all(office.is_settled() for office in offices)))
    writers = [Writer(office, random.Random(dice.getrandbits(64))) for office in offices]
    for writer in writers:
        writer.start()
    disturb(offices, wires, writers, dice)
    for writer in writers:
        writer.stop = True
    for writer in writers:
        writer.join(60)
    note(", ".join(f"{writer.office.name} {len(writer.recorded)} recorded, asked again {writer.again} times"
                   for writer in writers))
    case("every request was answered, the same token with the same number",
         not any(writer.is_alive() or writer.failure for writer in writers), [writer.failure for writer in writers])
    check(offices, writers)
    same("told to end, both end with 0", [office.stop() for office in offices], [0, 0])
    finish()


main()
