"""Who may include whom (ARCHITECTURE.md), and what the structure tests share. SOURCE_ROOT is their first argument."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

MAY_INCLUDE = {
    "base": "",
    "seal": "base",
    "record": "base seal",
    "link": "base seal",
    "sync": "base record",
    "desk": "base record",
    "store": "base seal record",
    "office": "base seal record link sync desk store",
    "control": "base",
    "host": "base seal store office control",
    "cli": "base seal record control store",
    "verify": "base seal record desk",
}
PURE = ["base", "seal", "record", "link", "sync", "desk", "office", "control"]

failures = 0


def case(passed, name, details=()):
    global failures
    test = pathlib.Path(sys.argv[0]).stem
    for detail in () if passed else details:
        print(f"# {detail}")
    print(f"{'ok' if passed else 'not ok'} - structure/{test}: {name}")
    failures += not passed


def end():
    sys.exit(1 if failures else 0)


def uncommented(path):
    """The C source without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(encoding="utf-8"), flags=re.S)
