#!/usr/bin/python3
"""What befalls a world can be left out until only what matters is left, and that is enough to see it again.

usage: shrink.py SIM. Leaves a protection out, so that something is wrong.
"""
import re
import subprocess
import sys

sim = sys.argv[1]
failed = 0


def case(good, name, why):
    global failed
    for line in [] if good else why.splitlines():
        print("#", line)
    print("ok" if good else "not ok", "- sim/shrink:", name, flush=True)
    failed += not good


def run(*arguments):
    return subprocess.run([sim, *arguments], capture_output=True, text=True, timeout=500).stdout


found = run("1", "--count", "100", "--without", "mark", "--shrink")
wrong = re.findall(r"WRONG: (.*?) \(seed (\d+), commit \S+, after (\d+) befell\)", found)
again = re.search(r"again: sim (.*)", found)
listed = re.findall(r"^    (\d+) [a-z-]+ at ", found, re.M)
case(len(wrong) == 2 and again, "what is wrong is found, and still wrong with less", found)
if len(wrong) == 2 and again:
    before, after = int(wrong[0][2]), int(wrong[1][2])
    case(0 < after < before and after == len(listed), "few of the many are left", found)
    case(again[1].endswith(",".join(listed)), "they are named", found)
    seen = run(*again[1].split())
    case(wrong[1][0] in seen, "they show it again", seen)
    words = again[1].split()
    missing = [number for number in listed
               if wrong[1][0].translate({ord(digit): None for digit in "0123456789"}) in
               run(*words[:-1], ",".join(other for other in listed if other != number) or "0")
               .translate({ord(digit): None for digit in "0123456789"})]
    case(not missing, "none of them can be left out", "without these the same is wrong: " + " ".join(missing))
sys.exit(failed > 0)
