#!/usr/bin/env python3
"""Counts the TAP lines of a meson test run: tally.py LABEL TESTLOG COUNTS

Prints a program that passed as one line, and of one that failed all but its passed cases. Appends "passed failed skipped"
to the file COUNTS. A program that crashes, ends in time out or with a failure it did not name, or prints nothing, is one
failure.
"""
import json
import sys


def count(run):
    """Returns how many of a program's cases passed, failed and were skipped, and what else is wrong with it."""
    lines = (run.get("stdout") or "").splitlines()
    failed = sum(line.startswith("not ok") for line in lines)
    skipped = sum(line.startswith("ok ") and "# SKIP" in line for line in lines)
    passed = sum(line.startswith("ok ") for line in lines) - skipped
    wrong = None
    if run["result"] == "TIMEOUT":
        wrong = "it did not end in time"
    elif run["returncode"] < 0 or run["returncode"] > 128:
        wrong = f"it crashed: status {run['returncode']}"
    elif run["returncode"] != 0 and failed == 0:
        wrong = f"it ended with status {run['returncode']}"
    elif passed + failed + skipped == 0:
        wrong = "it printed no result"
    return passed, failed + (wrong is not None), skipped, wrong


def main():
    label, log, counts = sys.argv[1:]
    total = [0, 0, 0]
    with open(log, encoding="utf-8") as lines:
        runs = [json.loads(line) for line in lines]
    for run in sorted(runs, key=lambda run: run["name"]):
        name = run["name"].split(" / ")[-1]
        passed, failed, skipped, wrong = count(run)
        total = [sum(pair) for pair in zip(total, (passed, failed, skipped))]
        if failed:
            print(f"FAILED {label} {name}" + (f": {wrong}" if wrong else ""))
            output = ((run.get("stdout") or "") + (run.get("stderr") or "")).splitlines()
            print("".join(f"    {line}\n" for line in output if not line.startswith("ok ")), end="")
            continue
        print(f"ok     {label} {name}: {passed} passed" + (f", {skipped} skipped" if skipped else "") +
              f", {run['duration']:.1f} s")
        for line in (run.get("stdout") or "").splitlines():
            if "# SKIP" in line:
                print(f"       {line[5:]}")
    with open(counts, "a", encoding="utf-8") as out:
        print(*total, file=out)


main()
