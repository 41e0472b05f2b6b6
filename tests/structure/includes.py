#!/usr/bin/env python3
"""The include table: rooms include only the rooms below them, and a library is seen by the rooms that it belongs to."""
import re
from rooms import MAY_INCLUDE, PURE, ROOT, case, end, uncommented

# Headers of others, by their first part, and who may see them. The pure rooms may include only these of C's own.
LIBRARIES = {
    "sodium.h": "seal", "openssl": "seal", "sqlite3.h": "store", "uv.h": "host", "jansson.h": "control host cli verify",
    "pthread.h": "host", "seccomp.h": "host", "histedit.h": "cli",
}
PURE_HEADERS = {"assert.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
                "time.h"}

rooms = sorted(path.name for path in (ROOT / "src").iterdir() if path.is_dir())
case(rooms == sorted(MAY_INCLUDE), "the rooms are those of the table", [" ".join(rooms)])
for room in rooms:
    wrong = []
    allowed = MAY_INCLUDE.get(room, "").split() + [room]
    for path in sorted((ROOT / "src" / room).glob("*.[ch]")):
        for mark, header in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)', uncommented(path), re.M):
            top = header.split("/")[0]
            if mark == '"':
                good = "/" in header and top in allowed and (ROOT / "src" / header).exists()
            elif top in LIBRARIES:
                good = room in LIBRARIES[top].split()
            else:
                good = room not in PURE or header in PURE_HEADERS
            if not good:
                wrong.append(f"src/{room}/{path.name} includes {header}")
    case(not wrong, f"{room} includes only what it may", wrong)
end()
