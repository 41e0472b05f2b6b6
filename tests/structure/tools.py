#!/usr/bin/env python3
"""With --help every tool says how it is used, and does nothing else. usage: tools.py SOURCE_ROOT PROGRAM..."""
import subprocess
import sys
from rooms import ROOT, case, end

SCRIPTS = ["check", "demo", "bench/run", "bench/strangers", *(
    f"tools/{path.name}" for path in sorted((ROOT / "tools").iterdir()) if path.suffix == "" and path.is_file())]


def help_of(program):
    try:
        return subprocess.run([program, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                              check=False)
    except subprocess.TimeoutExpired:
        return None


for name in SCRIPTS:
    done = help_of(ROOT / name)
    case(done is not None and done.returncode == 0 and "usage: " in done.stdout and not done.stderr,
         f"{name} --help", [str(done)])
for program in sys.argv[2:]:
    done = help_of(program)
    case(done is not None and done.returncode in (0, 2) and "usage: " in done.stdout + done.stderr,
         f"{program.rsplit('/', 1)[-1]} --help", [str(done)])
    if program.endswith("/crash-points"):  # two operations, but only workloads of one are tried
        done = subprocess.run([program, "--only", "line:say+hear", "--point", "1048576"], capture_output=True, check=False)
        case(done.returncode == 1, "who cut the power nowhere has shown nothing", [str(done)])
end()
