#!/usr/bin/env python3
"""The manual pages name every subcommand and option that --help names. usage: manual.py SOURCE_ROOT PROGRAM..."""
import pathlib
import re
import shutil
import subprocess
import sys
from rooms import ROOT, case, end


def help_of(*command):
    result = subprocess.run([*command, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return result.stdout if result.returncode == 0 else ""


def helps(command):
    """The text of --help of a command and all its subcommands, by their titles."""
    text = help_of(*command)
    yield command[1:], text
    if "SUBCOMMAND" in text:
        for name in re.findall(r"^  (\w[\w-]*) ", text, re.M):
            yield from helps([*command, name])


for program in sys.argv[2:]:
    name = pathlib.Path(program).name
    page = next((ROOT / "man").glob(f"{name}.[18]"), None)
    case(page is not None, f"{name} has a page")
    if page is None:
        continue
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bFl -([a-z][a-z-]*)", text))
    missing, count = [], 0
    for words, usage in helps([program]):
        missing += [f"{name} {' '.join(words)}: no help"] if not usage else []
        # What is said about another program's options is not meant.
        options = set(re.findall(r"--([a-z][a-z-]*)", re.sub(r"\bliaison-verify --\S+", "", usage)))
        count += len(options)
        missing += [f"{page.name}: --{option} of {name} {' '.join(words)}" for option in sorted(options - named)]
        if words and not re.search(rf"^\.?.*\bCm {' '.join(words)}\b", text, re.M):
            missing.append(f"{page.name}: {name} {' '.join(words)}")
    case(count and not missing, f"{page.name} names every option", missing)
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
        case(lint.returncode == 0, f"{page.name} is well formed", lint.stdout.splitlines())
    else:
        print(f"ok - structure/manual: {page.name} is well formed # SKIP mandoc is not installed")
end()
