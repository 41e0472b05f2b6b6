#!/usr/bin/env python3
"""Prints src/base/marks.h: the combining marks of the Unicode version that this Python knows."""
import unicodedata


def category(code):
    return unicodedata.category(chr(code))


ranges = []
for code in range(0x300, 0xE0000):
    if category(code) not in ("Mn", "Me"):
        continue
    # What lies between two marks and is not assigned yet is counted as one.
    if ranges and all(category(c) in ("Cn", "Mn", "Me") for c in range(ranges[-1][1] + 1, code)):
        ranges[-1][1] = code
    else:
        ranges.append([code, code])

print("/*")
print(f" * Combining marks, general categories Mn and Me of Unicode {unicodedata.unidata_version}: printed by tools/marks.py.")
print(" */")
print("#ifndef LIAISON_BASE_MARKS_H\n#define LIAISON_BASE_MARKS_H\n\n#include <stdint.h>\n")
print("static const struct {\n    uint32_t first, last;\n} combining_marks[] = {")
for start in range(0, len(ranges), 5):
    print("    " + " ".join(f"{{0x{a:04x}, 0x{b:04x}}}," for a, b in ranges[start:start + 5]))
print("};\n\n#endif")
