#!/usr/bin/python3
"""A world is its seed, whatever compiled it: the programs say the same of every seed, to the digest of its events.

usage: digests.py SEED COUNT SIM SIM...
"""
import subprocess
import sys

seed, count, *programs = sys.argv[1:]
runs = [subprocess.Popen([program, seed, "--count", count], stdout=subprocess.PIPE, text=True) for program in programs]
said = [run.communicate()[0].splitlines() for run in runs]
failed = 0
for program, lines in list(zip(programs, said))[1:]:
    differ = [f"# {a}\n# {b}" for a, b in zip(said[0], lines) if a != b]
    good = len(said[0]) == len(lines) and sum("digest" in line for line in lines) == int(count) and not differ
    print("\n".join(differ[:4]) if differ else f"# {len(said[0])} and {len(lines)} lines" if not good else "#")
    print("ok" if good else "not ok", f"- sim/digests: {program} is like {programs[0]} in {count} seeds")
    failed += not good
sys.exit(failed > 0 or len(programs) < 2)
