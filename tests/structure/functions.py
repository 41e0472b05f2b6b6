#!/usr/bin/env python3
"""Every function that a header of src/ declares is defined in that header's room. usage: as purity.py."""
import re
import subprocess
import sys
from rooms import ROOT, case, end, uncommented


def declared(path):
    """The functions declared in a header. What stands in braces, and what is static or a type, is left out."""
    text = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", uncommented(path), flags=re.M)
    while "{" in text:
        text, count = re.subn(r"\{[^{}]*\}", ";", text)
        if count == 0:
            break
    for statement in text.split(";"):
        match = re.match(r"(?!static|typedef)[\w\s*]*?\b(\w+)\s*\(", statement.strip())
        if match and match.group(1) != "__attribute__":
            yield match.group(1)


archives = dict(argument.split("=", 1) for argument in sys.argv[2:])
for room, archive in archives.items():
    text = subprocess.run(["nm", "--defined-only", archive], check=True, capture_output=True, text=True).stdout
    defined = set(re.findall(r" [TW] (\w+)", text))
    functions = {(path.name, name) for path in (ROOT / "src" / room).glob("*.h") for name in declared(path)}
    missing = sorted(f"src/{room}/{header}: {name} is defined nowhere" for header, name in functions if name not in defined)
    case(functions and not missing, f"what {room} declares, it defines", missing or ["no header declares a function"])
end()
