"""The systemd unit: well formed, hardly exposed, and it allows every system call that the daemon makes.

usage: unit.py LIAISON LIAISOND LIAISON_VERIFY UNIT
"""
import os
import re
import shutil
import subprocess
import sys

from offices import LIAISOND, LONG, ROOT, Office, case, finish, found, note, path, read, same, skip, until, write

EXPOSURE_MAX = 1.5
NOBODY = 65534


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False)


def calls_in(names):
    """The system calls of a SystemCallFilter= value, groups resolved."""
    for name in names:
        if name.startswith("@"):
            lines = analyze("syscall-filter", name).stdout.splitlines()[1:]
            yield from calls_in(word for line in lines for word in line.split() if line.startswith("    ") and "#" not in line)
        else:
            yield name


def allowed_by(unit):
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        calls = set(calls_in(value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def traced(office, program):
    """Starts the daemon under strace, as a user without rights if that can be done, with the unit's options."""
    trace = path(office.name + ".trace")
    options = {}
    if os.geteuid() == 0:
        os.chmod(ROOT, 0o755)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        write(office.name + ".trace", "")
        for name in (trace, office.directory, office.mark, office.secret, *(os.path.join(office.directory, each)
                                                                           for each in os.listdir(office.directory))):
            os.chown(name, NOBODY, NOBODY)
    office.command = lambda before=(): ["strace", "-D", "-f", "-q", "-o", trace, program, "--office", office.directory,
                                        *office.unlocks, *office.options]
    office.start(**options)
    return trace


def made(trace):
    """strace ends a moment after what it traces."""
    until(lambda: "+++ exited" in read(trace).decode(errors="replace").splitlines()[-1])
    return set(re.findall(r"^\d+ +(\w+)\(", read(trace).decode(errors="replace"), re.M))


with open(sys.argv[4], encoding="utf-8") as file:
    text = file.read()
if shutil.which("systemd-analyze") is None:
    skip("the unit", "systemd is not installed")
    finish()

unit = write("liaisond.service", re.sub(r"^ExecStart=\S+", f"ExecStart={LIAISOND}", text, flags=re.M))
verified = analyze("verify", "--man=no", unit)
same("it is well formed", (verified.returncode, verified.stdout + verified.stderr), (0, ""))
security = analyze("security", "--offline=true", unit)
score = re.search(r"Overall exposure level.*: ([\d.]+) ", security.stdout)
note(f"exposure: {score.group(1) if score else security.stdout + security.stderr}")
case(f"its exposure is at most {EXPOSURE_MAX}", score and float(score.group(1)) <= EXPOSURE_MAX, security.stdout)
limit = re.search(r"^LimitMEMLOCK=(\d+)M$", text, re.M)
case("memory for keys can be locked", limit and int(limit.group(1)) >= 4, limit)

# --- what the daemon asks of the kernel, from its start to its end
if shutil.which("strace") is None:
    skip("it allows all that the daemon does", "strace is not installed")
    finish()
allowed = allowed_by(text)
case("its list of system calls is read", len(allowed) > 150 and {"read", "socket", "prlimit64"} <= allowed, sorted(allowed))
options = [word for word in re.search(r"^ExecStart=.*$", text, re.M).group().split() if word == "--no-commands"]
program = shutil.copy(LIAISOND, path("liaisond"))
w = Office("washington.example", "w", *options)
p = Office("pyongyang.example", "p", "--listen", "unix:" + path("p/own.sock"), *options, passphrase=True)
traces = [traced(w, program), traced(p, program)]
unlocked = p.run("unlock", "--passphrase-file", p.secret)
case("an office is unlocked", unlocked.code == 0 and p.await_state() == "ready", unlocked)
found(w, p)
for address in (p.listen[0].replace("127.0.0.1", "localhost"), "unix:" + path("p/own.sock")):
    w.run("link", "add", "talks", "pyongyang", address)
    case(f"a link is opened: {address.split(':')[0]}", until(w.is_settled), w.run("status"))
for number in range(200 if LONG else 20):
    w.run("send", "talks", "-m", f"message {number}", "--precedence", "flash" if number % 2 else "routine", "--yes")
case("messages are sent", until(lambda: len(p.messages()) > 0 and w.is_settled()), p.run("status"))
case("and no rights are lacking", w.status()["unprotected"] == [] or "kernel" in str(w.status()["unprotected"]) or
     "instrumented" in str(w.status()["unprotected"]), w.status()["unprotected"])
for office in (w, p):
    same("it ends as told", office.stop(), 0)
calls = set().union(*map(made, traces))
case("its system calls are seen", {"execve", "openat", "fdatasync", "accept4", "connect", "unlink"} <= calls, sorted(calls))
same("the unit allows all of them", sorted(calls - allowed), [])
finish()
