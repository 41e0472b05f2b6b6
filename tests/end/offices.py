"""What the end-to-end tests share: offices with real daemons, a control connection, a wire that can be cut, TAP.

A test is run as TEST LIAISON LIAISOND LIAISON_VERIFY. Everything lies in one temporary folder, which is kept if a case
failed. LIAISON_TEST_SEED repeats what was random; LIAISON_TEST_LONG=1 asks for more of it.
"""
import atexit
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

LIAISON, LIAISOND, LIAISON_VERIFY = (os.path.abspath(path) for path in sys.argv[1:4])
LONG = os.environ.get("LIAISON_TEST_LONG") == "1"
SEED = int(os.environ.get("LIAISON_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
ROOT = tempfile.mkdtemp(prefix="liaison-end-")

# The tests' own surroundings: no office of the user who runs them.
for name in ("LIAISON_OFFICE", "NOTIFY_SOCKET"):
    os.environ.pop(name, None)
os.environ.update(HOME=ROOT, LC_ALL="C.UTF-8")

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

cases = 0
failures = 0
finished = False
daemons = []


# --- TAP ---------------------------------------------------------------------------------------------------------


def case(name, passed, detail=""):
    """Prints one case. `detail` says what was there instead."""
    global cases, failures
    cases += 1
    failures += not passed
    print(f"{'ok' if passed else 'not ok'} {cases} - {name}", flush=True)
    if not passed and detail != "":
        note(detail)
    return passed


def same(name, found, wanted):
    return case(name, found == wanted, f"found:  {found!r}\nwanted: {wanted!r}")


def skip(name, why):
    global cases
    cases += 1
    print(f"ok {cases} - {name} # SKIP {why}", flush=True)


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def finish():
    """The plan, and the end of the program."""
    global finished
    finished = True
    print(f"1..{cases}", flush=True)
    sys.exit(1 if failures else 0)


@atexit.register
def clean():
    for office in daemons:
        office.kill()
    if finished and failures == 0:
        shutil.rmtree(ROOT, ignore_errors=True)
    else:
        note(f"kept: {ROOT}")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def until(condition, seconds=20.0):
    """Waits until `condition` is true, and returns it; what it was last if the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


# --- commands ----------------------------------------------------------------------------------------------------


class Result:
    """How a command ended."""

    def __init__(self, arguments, done):
        self.arguments = arguments
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "surrogateescape")
        self.err = done.stderr.decode("utf-8", "surrogateescape")

    def __repr__(self):
        return f"{' '.join(map(str, self.arguments[:12]))[:300]}\nexit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def run(*arguments, stdin=b"", timeout=60, program=None, **options):
    """Runs `liaison` (or another program) to its end."""
    line = [program or LIAISON, *(each if isinstance(each, bytes) else str(each) for each in arguments)]
    done = subprocess.run(line, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                          check=False, cwd=ROOT, **options)
    return Result(line, done)


def path(name):
    return os.path.join(ROOT, name)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def write(name, content):
    with open(path(name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path(name)


def is_error(name, result, code, words, sentence=""):
    """Refused in plain words and in JSON, and nothing on stdout. `result` is a function of more arguments; `words` is
    the error's code, or a tuple of those allowed; `sentence` a part of it, or a pattern."""
    if isinstance(sentence, str):
        sentence = re.compile(re.escape(sentence))
    words = (words,) if isinstance(words, str) else words
    plain, machine = result(), result("--json")
    case(name, plain.code == code and plain.out == "" and re.fullmatch(r"liaison: [^\n]+\n", plain.err)
         and sentence.search(plain.err), plain)
    try:
        error = json.loads(machine.err)["error"]
        right = error["code"] in words and sentence.search(error["message"]) and list(error) == ["code", "message"]
    except (ValueError, KeyError, TypeError):
        right = False
    case(f"{name}, with --json", machine.code == code and machine.out == "" and right, machine)


def number_of(result):
    match = re.fullmatch(r"([a-z.]+)/(\d+)\n", result.out)
    return int(match.group(2)) if match and result.code == 0 else -1


# --- offices -----------------------------------------------------------------------------------------------------


class Lost(Exception):
    """The connection to the daemon ended before the answer."""


class Refused(Exception):
    """The daemon answered with an error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["data"]["code"]


class Control:
    """A connection to a control socket. One thread asks at a time."""

    def __init__(self, address, timeout=20.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.bytes = b""
        self.last = 0
        self.events = []
        try:
            self.socket.connect(address)
        except OSError as error:
            self.socket.close()
            raise Lost(str(error)) from error

    def close(self):
        self.socket.close()

    def line(self):
        while b"\n" not in self.bytes:
            try:
                more = self.socket.recv(1 << 20)
            except OSError as error:
                raise Lost(str(error)) from error
            if not more:
                raise Lost("the daemon closed the connection")
            self.bytes += more
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line)

    def ask(self, method, **params):
        self.last += 1
        request = {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}
        try:
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise Lost(str(error)) from error
        while True:
            answer = self.line()
            if answer.get("method") == "event":
                self.events.append(answer["params"])
            elif answer["id"] == self.last:
                break
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]


class Office:
    """An office in ROOT/short, with its daemon. `options` are the daemon's. The secret that opens it is in `secret`."""

    def __init__(self, name, short, *options, passphrase=False):
        self.name = name
        self.directory = path(short)
        self.mark = path(short + ".mark")
        self.secret = path(short + ".key")
        self.sheet = path(short + ".sheet")
        self.errors = path(short + ".err")
        self.options = ["--keepalive", "300ms", "--redial-max", "300ms", "--listen", "tcp://127.0.0.1:0", *options]
        self.unlocks = [] if passphrase else ["--key-file", self.secret]
        self.process = None
        self.state = None
        self.listen = []
        made = run("init", name, "--passphrase-file" if passphrase else "--key-file", self.secret, "--office",
                   self.directory, "--recovery-sheet", self.sheet)
        if made.code != 0:
            raise SystemExit(f"Bail out! {made!r}")
        daemons.append(self)

    def run(self, *arguments, **options):
        return run(*arguments, "--office", self.directory, **options)

    def command(self, before=()):
        return [*before, LIAISOND, "--office", self.directory, *self.unlocks, *self.options]

    def launch(self, before=(), **options):
        """Starts the daemon, and returns at once."""
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(self.command(before), stdout=subprocess.PIPE, stderr=errors,
                                            stdin=subprocess.DEVNULL, **options)
        self.state = None

    def await_state(self, seconds=20.0):
        """Reads the line that says the daemon's state; None if it ended without one."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        words = self.process.stdout.readline().decode().split()
        self.state = words[0] if words else None
        self.listen = [word[7:] for word in words if word.startswith("listen=")]
        return self.state

    def start(self, before=(), **options):
        self.launch(before, **options)
        if self.await_state() is None:
            raise SystemExit(f"Bail out! the daemon of {self.name} did not start: {self.said()}")
        return self

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            return errors.read()[-2000:]

    def port(self):
        return int(self.listen[0].rsplit(":", 1)[1])

    def kill(self):
        self.end(signal.SIGKILL)

    def stop(self):
        """SIGTERM; returns the exit code."""
        return self.end(signal.SIGTERM)

    def end(self, how):
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(how)
        process.wait(10)
        process.stdout.close()
        return process.returncode

    def control(self, **options):
        return Control(os.path.join(self.directory, "control.sock"), **options)

    def ask(self, method, **params):
        control = self.control()
        try:
            return control.ask(method, **params)
        finally:
            control.close()

    def status(self):
        return self.ask("status")

    def member(self, party, line="talks"):
        """What status says of one member of a line."""
        found = next(each for each in self.status()["lines"] if each["name"] == line)
        return next(each for each in found["members"] if each["party"] == party)

    def is_settled(self, line="talks"):
        """Everything of this office is receipted by every other member."""
        found = next(each for each in self.status()["lines"] if each["name"] == line)
        return all(member["waiting"] == 0 and all(link["stated"] == "open" for link in member["links"])
                   for member in found["members"])

    def entries(self, line="talks"):
        """All entries of a line, in its order."""
        control = self.control()
        found, after = [], None
        while True:
            answer = control.ask("entries", line=line, after=after)
            found += answer["entries"]
            if answer["next"] is None:
                control.close()
                return found
            after = answer["next"]

    def messages(self, line="talks"):
        return [entry for entry in self.entries(line) if entry["kind"] == "message"]

    def verify(self, line="talks"):
        return self.run("record", "verify", line)


def found(founder, *others, line="talks", key=True):
    """Founds a line; every member compares the number."""
    cards = [word for other in others
             for word in ("--with", write(f"{other.name}.card", other.run("card").out))]
    charter, courier = path(line + ".charter"), path(line + ".key")
    with_key = ["--key", courier] if key else ["--no-courier-key"]
    for result in [founder.run("line", "found", line, *cards, "--charter", charter, *with_key),
                   *(other.run("line", "join", charter, *with_key) for other in others)]:
        if result.code != 0:
            raise SystemExit(f"Bail out! {result!r}")
    for office in (founder, *others):
        digits = office.run("line", "fingerprint", line).out
        office.run("line", "confirm", line, digits)


def spoil(office, member, number):
    """Flips a bit of an entry in an office's database; the office is stopped."""
    place = (member + 1) << 40 | number
    database = sqlite3.connect(os.path.join(office.directory, "liaison.db"))
    (data,) = database.execute("SELECT bytes FROM entries WHERE place = ?", (place,)).fetchone()
    data = bytearray(data)
    data[-1] ^= 1
    database.execute("UPDATE entries SET bytes = ? WHERE place = ?", (bytes(data), place))
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


# --- the wire between them ------------------------------------------------------------------------------------------


class Wire:
    """Carries TCP connections to `target`, a port, and does to them what networks do.

    A thread per direction of a connection. `slow` delivers byte by byte, `dead` takes nothing more and says nothing.
    """

    def __init__(self, target, record=None):
        self.target = target
        self.record = record  # a list of (connection number, is from the dialler, bytes), or None
        self.slow = False
        self.dead = False
        self.pairs = []
        self.count = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.socket()
            try:
                far.connect(("127.0.0.1", self.target))
            except OSError:
                self.reset_socket(near)
                far.close()
                continue
            pair = {"near": near, "far": far, "half_open": False, "number": self.count}
            self.count += 1
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.append(pair)
            threading.Thread(target=self.carry, args=(pair, near, far), daemon=True).start()
            threading.Thread(target=self.carry, args=(pair, far, near), daemon=True).start()

    def carry(self, pair, source, sink):
        try:
            while True:
                # What is not read fills the window, as when a cable is cut: no end, no reset.
                if pair["half_open"] or self.dead:
                    time.sleep(0.01)
                    if source.fileno() < 0:
                        return
                    continue
                if not select.select([source], [], [], 0.05)[0]:
                    continue
                if pair["half_open"] or self.dead:
                    continue
                data = source.recv(65536)
                if self.record is not None:
                    self.record.append((pair["number"], source is pair["near"], data))
                if not data:
                    break
                if not self.slow:
                    sink.sendall(data)
                    continue
                for i in range(len(data)):
                    if not self.slow:
                        sink.sendall(data[i:])
                        break
                    sink.send(data[i:i + 1])
        except (OSError, ValueError):
            pass
        self.close(pair)

    def close(self, pair, reset=False):
        with self.lock:
            if pair in self.pairs:
                self.pairs.remove(pair)
        for each in (pair["near"], pair["far"]):
            if reset:
                self.reset_socket(each)
                continue
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    @staticmethod
    def reset_socket(each):
        try:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        except OSError:
            pass
        each.close()

    def open_pairs(self):
        with self.lock:
            return list(self.pairs)

    def cut(self):
        """A reset in both directions."""
        for pair in self.open_pairs():
            self.close(pair, reset=True)

    def half_open(self):
        """The connections that are there stay open, and carry nothing more. New ones work."""
        for pair in self.open_pairs():
            pair["half_open"] = True
