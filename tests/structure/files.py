#!/usr/bin/env python3
"""Files stand where they are looked for: tests beside sources, pages beside rooms; none knows the machine it was made on."""
import os
import pathlib
import re
from rooms import ROOT, case, end

# Sources that are tested by another program than the one of their name, and by which.
ELSEWHERE = {
    name: test for test, names in {
        "cli/commands.c": "cli/acknowledge cli/card cli/inbox cli/line cli/link cli/record cli/status",
        "cli/usage.sh": "cli/dispatch cli/main cli/output",
        "cli/read.c": "cli/entries",
        "cli/transcript.c": "cli/transcript_item",
        "cli/conversation.c": "cli/conversation_screen cli/conversation_typed",
        "end/hotline.py": "cli/hotline cli/keyboard",
        "cli/init.c": "cli/passphrase",
        "end/daemon.sh": "cli/unlock host/host host/main host/methods host/serve host/unlock",
        "end/wires.sh": "cli/link_stdio host/dial host/listen host/wires",
        "office/order.c": "office/lookup",
        "office/links.c": "office/route",
        "sync/sync.c": "sync/chunk sync/receipts sync/want",
        "sync/input.c": "sync/heads",
        "verify/main.c": "verify/answer",
    }.items() for name in names.split()
}


def project_files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith((".git", "build", "__pycache__"))]
        yield from (pathlib.Path(folder) / name for name in names if name != ".git")  # a worktree has a file of that name


def registered(path):
    """Whether the meson.build beside a file names it."""
    build = path.parent / "meson.build"
    return build.exists() and re.search(rf"'{re.escape(path.stem)}(\{path.suffix})?'", build.read_text(encoding="utf-8"))


sources = sorted((ROOT / "src").glob("*/*.c"))
case(len(sources) > 50, "the sources are found")
wrong = [f"{path.relative_to(ROOT)} is not built" for path in sources if not registered(path)]
case(not wrong, "every source is built", wrong)

wrong = []
for path in sources:
    name = f"{path.parent.name}/{path.stem}"
    test = ROOT / "tests" / ELSEWHERE.get(name, f"{name}.c")
    if not test.exists() or not registered(test):
        wrong.append(f"src/{name}.c: no test {test.relative_to(ROOT)}")
case(not wrong, "every source has a test", wrong)

tests = [path for path in (ROOT / "tests").glob("*/*") if path.suffix in (".c", ".sh")]
wrong = [f"{path.relative_to(ROOT)} is never run" for path in sorted(tests) if not registered(path)]
case(not wrong, "every test is run", wrong)
wrong = [f"{name}: there is no such source" for name in ELSEWHERE if not (ROOT / "src" / f"{name}.c").exists()]
case(not wrong, "no source is excused that is not there", wrong)

for room in ("record", "seal", "link", "sync", "store", "control"):
    page = ROOT / "spec" / f"{room}.md"
    case(page.exists() and page.stat().st_size > 2000, f"spec/{room}.md is there")
for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGES.md", "LICENSE"):
    case((ROOT / name).exists(), f"{name} is there")

# Written so that this file is not found itself.
machine = re.compile(r"(?<![\w.}$*-])/(?:wor[k]|roo[t]|hom[e]|User[s]|tmp/buil[d][\w-]*)/\w")
wrong = []
count = 0
for path in project_files():
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        continue
    count += 1
    wrong += [f"{path.relative_to(ROOT)}: {match.group()}" for match in machine.finditer(text)]
case(count > 100 and not wrong, "no file holds a path of the machine it was made on", wrong)
end()
