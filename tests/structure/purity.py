#!/usr/bin/env python3
"""The pure rooms reach no clock, file, socket or entropy, and have no writable globals.

usage: purity.py SOURCE_ROOT ROOM=ARCHIVE... Asks nm what the objects of each room need that neither the room itself
nor a room below it defines. office reaches the disk through the store that is handed to it, and in no other way.
"""
import re
import subprocess
import sys
from rooms import MAY_INCLUDE, PURE, ROOT, case, end

C = """memchr memcmp bcmp memcpy memmem memmove memrchr memset strchr strcmp strlen strncmp strnlen strrchr strspn
       calloc free malloc realloc reallocarray snprintf vsnprintf __assert_fail __stack_chk_fail __popcountdi2 _GLOBAL_OFFSET_TABLE_""".split()
# What fortification makes of the same.
C += [f"__{name}_chk" for name in ("memcpy", "memmove", "memset", "snprintf", "vsnprintf")]
ALLOWED = {
    "base": ["gmtime_r", "strftime"],
    # sodium_init seeds libsodium; entropy is handed in.
    "seal": ["SHA256_Init", "SHA256_Update", "SHA256_Final", "sodium_init", "sodium_malloc", "sodium_free", "sodium_memcmp",
             "sodium_memzero"],
}
# Computation that others wrote.
PREFIXES = {"seal": r"crypto_(?!.*random)", "control": r"json_(?!.*(file|fd|fp))"}

archives = dict(argument.split("=", 1) for argument in sys.argv[2:])


def symbols(room):
    """What the room's objects define and need, and their writable data."""
    defined, needed, writable = set(), set(), set()
    text = subprocess.run(["nm", "-f", "sysv", archives[room]], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != 7 or columns[0] == "Name":
            continue
        name, kind, section = columns[0], columns[2], columns[6]
        if kind == "U":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
        # .data.rel.ro holds constants with pointers, written by the loader and sealed before main.
        if kind in "CGS" or (re.match(r"\.(data|bss|tdata|tbss|sdata|sbss)|\*COM\*", section) and
                             not section.startswith(".data.rel.ro")):
            writable.add(f"{name} in {section}")
    return defined, needed - defined, writable


tables = {room: symbols(room) for room in archives}
for room in PURE:
    defined, needed, writable = tables[room]
    for below in MAY_INCLUDE[room].split():
        needed = needed - tables[below][0]
    allowed = set(C + ALLOWED.get(room, []))
    foreign = sorted(name for name in needed - allowed if not re.match(PREFIXES.get(room, "$"), name))
    case(defined and not foreign, f"{room} reaches nothing outside", [f"{room} uses {name}" for name in foreign])
    case(not writable, f"{room} has no writable globals", sorted(writable))

# What the simulator answers is all that the store asks of the system: nothing of it escapes to a real disk.
answered = set(re.findall(r"\b__wrap_(\w+)", (ROOT / "sim" / "system.c").read_text(encoding="utf-8")))
needed = tables["store"][1]
for below in MAY_INCLUDE["store"].split():
    needed = needed - tables[below][0]
harmless = {"__errno_location", "reallocarray", "strdup", "strndup", "strerror"} | set(C)
escaping = sorted(name for name in needed - harmless - answered if not name.startswith("sqlite3_"))
case(answered and not escaping, "what the store asks of the system, the simulator answers",
     [f"store uses {name}" for name in escaping])
end()
