#!/usr/bin/env python3
"""What the compiler and the linker made of the hardening options. usage: hardening.py SOURCE_ROOT PROGRAM... ROOM=ARCHIVE..."""
import pathlib
import platform
import re
import subprocess
import sys
from rooms import case, end

# Functions that write as much as they find.
UNBOUNDED = {"gets", "sprintf", "strcat", "strcpy", "vsprintf"}


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], check=True, capture_output=True, text=True).stdout


archives = dict(argument.split("=", 1) for argument in sys.argv[2:] if "=" in argument)
for program in (argument for argument in sys.argv[2:] if "=" not in argument):
    name = pathlib.Path(program).name
    header, segments = readelf(program, "-h"), readelf(program, "-l")
    dynamic = readelf(program, "-d")
    needed = set(re.findall(r"UND (\w+)", readelf(program, "--dyn-syms")))
    fortified = {symbol for symbol in needed if re.fullmatch(r"__\w+_chk", symbol)}
    flags = " ".join(re.findall(r"^.*\(FLAGS(?:_1)?\).*$", dynamic, re.M))
    loads = re.findall(r"^  LOAD .* ([R ][W ][E ]) 0x\w+$", segments, re.M)
    case(re.search(r"Type:\s+DYN", header) and " PIE" in flags, f"{name} lies at a random address", [header])
    case("GNU_RELRO" in segments and "BIND_NOW" in flags and " NOW" in flags, f"{name}: its tables are read-only before main",
         [flags])
    case(re.search(r"GNU_STACK .* RW  0x", segments), f"{name}: its stack is not executable", [segments])
    case(len(loads) > 2 and not any("W" in each and "E" in each for each in loads), f"{name}: no page is written and executed",
         loads)
    case("RPATH" not in dynamic and "RUNPATH" not in dynamic and "TEXTREL" not in dynamic,
         f"{name}: libraries are the system's, code is never changed", [dynamic])
    case("__stack_chk_fail" in needed, f"{name}: the stack is guarded")
    case("__snprintf_chk" in needed and len(fortified) >= 3, f"{name}: calls of the C library are fortified", sorted(needed))
    case(needed and not needed & UNBOUNDED, f"{name}: nothing is written without a bound", sorted(needed & UNBOUNDED))

# A program is marked only if all of it is, and Debian 12's startup files are not: so the objects are looked at.
if platform.machine() == "x86_64":
    for room, archive in archives.items():
        objects = re.split(r"^File: ", readelf(archive, "-n"), flags=re.M)[1:]
        wrong = [each.splitlines()[0] for each in objects if not re.search(r"x86 feature: IBT, SHSTK", each)]
        case(objects and not wrong, f"{room}: jumps and returns are checked where the processor can", wrong)
end()
