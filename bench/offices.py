"""What bench/run and bench/strangers share: offices with daemons as they are installed, and how they are asked."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE = "talks"
NAMES = ("washington.example", "pyongyang.example")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def measure(*command):
    return json.loads(run(*command))


def build(directory, *programs):
    """A release build of both programs and of those named of this folder."""
    targets = ["liaison", "liaisond"] + ["bench/bench-" + name for name in programs]
    if not (directory / "build.ninja").exists():
        subprocess.run(["meson", "setup", directory, ROOT, "--buildtype=release"], check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", directory] + targets, check=True, stdout=sys.stderr)


def ask(path, method, **params):
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(request.encode() + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    if "error" in answer:
        sys.exit(f"bench: {method}: {answer['error']['message']}")
    return answer["result"]


class Office:
    """One office and its daemon."""

    def __init__(self, programs, directory, name):
        self.programs = programs
        self.name = name
        self.directory = directory / name.split(".")[0]
        self.key = directory / (name.split(".")[0] + ".key")
        self.control = self.directory / "control.sock"
        self.daemon = None
        run(programs / "liaison", "init", name, "--key-file", self.key, "--office", self.directory)

    def start(self):
        """Starts the daemon; returns the seconds from its creation to its ready line."""
        begin = time.monotonic()
        self.daemon = subprocess.Popen(
            [self.programs / "liaisond", "--office", self.directory, "--key-file", self.key,
             "--listen", "tcp://127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        line = self.daemon.stdout.readline()
        seconds = time.monotonic() - begin
        if not line.startswith("ready "):
            sys.exit(f"bench: the daemon is not ready: {line}")
        self.address = dict(part.split("=", 1) for part in line.split()[2:])["listen"]
        return seconds

    def stop(self):
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait()
            self.daemon = None

    def facts(self):
        """Resident KiB, and how often its threads have gone to sleep of themselves."""
        process = pathlib.Path("/proc") / str(self.daemon.pid)
        def field(path, name):
            return int(next(line for line in path.read_text().splitlines() if line.startswith(name)).split()[1])
        sleeps = sum(field(task / "status", "voluntary_ctxt_switches:") for task in (process / "task").iterdir())
        return field(process / "status", "VmRSS:"), sleeps

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"bench: {what} did not come about in 30 s")
        time.sleep(0.02)


def all_receipted(office):
    lines = ask(office.control, "status")["lines"]
    return all(member["waiting"] == 0 for line in lines for member in line["members"])


def found_line(first, second, line=LINE):
    """The first founds it with the second, and dials it."""
    cards = [ask(second.control, "card")["card"]]
    founded = ask(first.control, "line.found", name=line, cards=cards, courier_key=True)
    ask(second.control, "line.join", charter=founded["charter"], key=founded["key"])
    for office in (first, second):
        digits = ask(office.control, "line.show", line=line)["fingerprint"]
        ask(office.control, "line.confirm", line=line, digits=digits)
    ask(first.control, "link.add", line=line, party=second.name, address=second.address)
    wait_until(lambda: all_receipted(first) and all_receipted(second), "the link")


def percentiles(samples):
    samples = sorted(samples)
    return {"p50": samples[len(samples) // 2], "p99": samples[len(samples) * 99 // 100]}
