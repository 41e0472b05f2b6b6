#!/usr/bin/python3
"""The catalogue in all: its programs' cases added up. Names and inputs must differ between programs too, and what is
only cut short may be no more than a third. usage: count.py PROGRAM... -- TABLE LIAISON LIAISOND LIAISON_VERIFY [--list]
"""
import subprocess
import sys

LEAST = 5000
PROGRAMS = 15


def listed(command):
    done = subprocess.run([*command, "--list"], capture_output=True, timeout=60, check=True)
    return [tuple(line.split(" ", 2)) for line in done.stdout.decode("utf-8", "surrogateescape").splitlines()]


def main():
    words = [word for word in sys.argv[1:] if word != "--list"]
    programs = [[word] for word in words[: words.index("--")]]
    tables = words[words.index("--") + 1 :]
    programs += [[sys.executable, "-B", table, *tables[-3:]] for table in tables[:-3]]
    cases = [case for command in programs for case in listed(command)]
    if "--list" in sys.argv:
        for _, _, name in cases:
            print(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
        return 0
    names = {name for _, _, name in cases}
    inputs = {digest for _, digest, _ in cases}
    cut = sum(kind == "cut" for kind, _, _ in cases)
    checks = (
        (f"{len(cases)} bad inputs, {LEAST} at least", len(cases) >= LEAST),
        (f"{len(names)} names, all different", len(names) == len(cases)),
        (f"{len(inputs)} inputs, all different", len(inputs) == len(cases)),
        (f"{cut} are only cut short, not more than a third", 3 * cut <= len(cases)),
        (
            f"{len(programs)} programs have each some",
            len(programs) == PROGRAMS and all(listed(command) for command in programs),
        ),
    )
    for name, passed in checks:
        print(f"{'ok' if passed else 'not ok'} - badinput/count: {name}")
    return 0 if all(passed for _, passed in checks) else 1


sys.exit(main())
