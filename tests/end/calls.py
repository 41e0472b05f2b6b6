#!/usr/bin/python3
"""The n-th system call fails, for every n: of a daemon that starts, talks and ends, and of the command.

strace makes the n-th call of a name fail, in each thread of the process, without the call being made. A daemon lives and
works on, says why it has stopped, or ends with a sentence and another code than 0; it never crashes. What was answered is
recorded, what was refused is not, and where nobody knows the same token tells. Then it starts without failures, and both
offices hold everything once, in one order. A command's exit code tells the truth: 0 recorded, 5 unknown, else not.

With LIAISON_TEST_LONG=1 all errors of the tables are tried, and also where all calls from the n-th on fail.

usage: calls.py LIAISON LIAISOND LIAISON_VERIFY
"""
import os
import queue
import re
import shutil
import subprocess
import threading
import time

from offices import LIAISON, LONG, Lost, Office, Refused, Result, case, finish, found, note, path, run, same, skip, until

# The calls and their errors; the first alone in a short run.
DAEMON = {
    "openat": "EMFILE EACCES EIO ENOMEM", "read": "EIO EINTR", "pread64": "EIO EINTR", "write": "EIO ENOSPC EINTR EPIPE",
    "pwrite64": "ENOSPC EIO EINTR EDQUOT", "fdatasync": "EIO ENOSPC EINTR", "fsync": "EIO", "ftruncate": "EIO",
    "flock": "EAGAIN ENOLCK", "fcntl": "EAGAIN ENOLCK", "newfstatat": "EIO EACCES", "access": "EACCES", "unlink": "EIO",
    "close": "EIO", "socket": "EMFILE EACCES", "bind": "EADDRINUSE EACCES", "listen": "EADDRINUSE", "chmod": "EPERM",
    "connect": "ENETUNREACH ECONNREFUSED", "accept4": "EMFILE ECONNABORTED", "setsockopt": "ENOBUFS",
    "getsockname": "ENOBUFS", "getsockopt": "ENOBUFS", "epoll_create1": "EMFILE", "epoll_wait": "EINTR", "epoll_pwait": "EINTR",
    "eventfd2": "EMFILE", "pipe2": "EMFILE", "ioctl": "EIO", "getrandom": "EINTR", "mmap": "ENOMEM",
    "brk": "ENOMEM", "mprotect": "ENOMEM", "mlock": "ENOMEM", "madvise": "ENOMEM", "clone3": "EAGAIN", "prlimit64": "EPERM",
    "prctl": "EPERM", "fstatfs": "EIO", "sendmsg": "EPIPE", "writev": "EPIPE", "getcwd": "ENOENT",
}
COMMAND = {
    "openat": "EMFILE EIO", "read": "EIO EINTR", "write": "EIO ENOSPC EINTR", "pread64": "EIO", "newfstatat": "EIO",
    "socket": "EMFILE", "connect": "ECONNREFUSED EAGAIN", "sendto": "EINTR EPIPE", "recvfrom": "ECONNRESET",
    "poll": "EINTR ENOMEM", "mmap": "ENOMEM", "brk": "ENOMEM", "mprotect": "ENOMEM", "mlock": "ENOMEM",
    "getrandom": "EINTR", "pwrite64": "ENOSPC EIO", "fdatasync": "EIO", "fsync": "EIO", "ftruncate": "EIO",
    "flock": "EAGAIN", "fcntl": "EAGAIN", "close": "EIO", "mkdir": "EACCES", "unlink": "EIO", "linkat": "EIO",
    "renameat2": "EIO", "rename": "EIO", "prctl": "EPERM", "prlimit64": "EPERM", "ioctl": "EIO", "lseek": "EIO",
}
# Where these fail, libuv ends the process itself (no thread for looking up names, no descriptor for its signals, an eventfd
# that cannot be written), and the loader may crash, before the program has begun: neither says why.
ABORTED_BY_LIBUV = {"clone3", "pipe2", "read", "write", "eventfd2", "epoll_create1", "epoll_ctl", "close", "mmap", "brk", "mprotect"}
CRASHED_BY_LOADER = {"mmap"}
LOADER = "error while loading shared libraries|cannot allocate TLS|cannot (apply|create|change|map|enable|read)"
SENTENCE = re.compile(rf"^(liaison|liaisond): \S.*|{LOADER}", re.M)
WORKERS = 3
CALLS_MAX = 2000  # more than any

ONLY = os.environ.get("LIAISON_TEST_CALL")  # the name of one call, to try it alone
BEGUN = time.monotonic()
counts = {}
problems = []
lock = threading.Lock()


def wrong(what):
    with lock:
        problems.append(what)
        note(what[:1500])


def injection(trace, call, error, number):
    sticky = "+" if number < 0 else ""
    # The kernel says that there is no memory by leaving the break where it is.
    how = "retval=0" if call == "brk" else f"error={error}"
    return ["strace", "-f", "--seccomp-bpf", "-q", "-o", trace, "-e", f"trace={call}", "-e", "signal=none",
            "-e", f"inject={call}:{how}:when={abs(number)}{sticky}"]


def is_excused(call, code, said):
    """Whether a library, and not liaison, has crashed. An assertion of liaison's names its own source."""
    return (code == -6 and call in ABORTED_BY_LIBUV and not re.search(r"src/(?!unix/)\w+/\w+\.c:\d+: .*Assertion", said)) or \
        (code == -11 and call in CRASHED_BY_LOADER and said == "")


def was_injected(trace):
    """Whether the call was made so often. Waits until the tracer has written all."""
    def text():
        with open(trace, encoding="utf-8", errors="replace") as file:
            return file.read()

    until(lambda: text().rstrip().endswith("+++"), 3)
    return "(INJECTED)" in text()


def jobs(table):
    """(call, error, sticky) in the order of the table."""
    for call, errors in table.items():
        if ONLY not in (None, call):
            continue
        for error in errors.split() if LONG else errors.split()[:1]:
            yield call, error, False
            if LONG and not error == "EINTR":
                yield call, error, True


def number_of_injections(what, call, count):
    with lock:
        counts.setdefault(what, {})
        counts[what][call] = counts[what].get(call, 0) + count


# --- the daemon --------------------------------------------------------------------------------------------------------


class Pair:
    """A daemon whose calls fail, and a healthy one. Each dials the other."""

    def __init__(self, name):
        self.victim = Office(f"victim{name}.example", f"v{name}").start()
        self.peer = Office(f"peer{name}.example", f"p{name}").start()
        self.line = f"talks{name}"
        found(self.victim, self.peer, line=self.line)
        self.victim.run("link", "add", self.line, self.peer.name, f"tcp://127.0.0.1:{self.peer.port()}")
        self.peer.run("link", "add", self.line, self.victim.name, f"unix:{self.victim.directory}/link.sock")
        self.trace = path(f"trace{name}")
        self.process = None
        self.recorded = {}  # text: (author, number)
        self.refused = set()
        self.sent = 0
        self.settle("at the start")
        self.victim.stop()

    def is_alive(self):
        return self.victim.process.poll() is None

    def is_settled(self):
        """Both hold all of both, and know it of each other. One link is enough for that."""
        try:
            views = [[(each["size"], each["waiting"]) for each in office.status()["lines"][0]["members"]]
                     for office in (self.victim, self.peer)]
        except (Lost, Refused, OSError):
            return False
        return views[0] == views[1] and all(waiting == 0 for _, waiting in views[0])

    def settle(self, when):
        if not until(self.is_settled, 30):
            wrong(f"{when}: not everything is receipted: {self.victim.said()[-500:]}")

    def append(self, office, text, token):
        """The number, or None and why: an error's code, or "lost"."""
        try:
            entries = [{"text": text, "token": token, "precedence": "flash" if self.sent % 2 else "routine"}]
            control = office.control(timeout=5.0)
            try:
                return control.ask("append", line=self.line, entries=entries)["entries"][0]["number"], None
            finally:
                control.close()
        except Lost:
            return None, "lost"
        except Refused as error:
            return None, error.code

    def once(self, call, error, number):
        """One run in which a call fails. False if there is no call of that number."""
        what = f"{call} {error} {number}"
        victim = self.victim
        open(self.trace, "w", encoding="ascii").close()
        open(victim.errors, "w", encoding="ascii").close()
        victim.launch([*injection(self.trace, call, error, number), "-D"])
        self.sent += 1
        text, token = f"{what} {self.sent}", f"{self.sent:032x}"
        state = victim.await_state(5)
        place, why = self.append(victim, text, token) if state == "ready" else (None, "lost")
        heard, _ = self.append(self.peer, f"heard {text}", f"{self.sent:030x}ff")
        self.recorded[f"heard {text}"] = (self.peer.name, heard)
        if place is not None:
            self.recorded[text] = (victim.name, place)
            until(lambda: not self.is_alive() or self.is_settled(), 2)
        code = self.end(what, call)
        if not was_injected(self.trace):
            if state != "ready" or code != 0:
                wrong(f"{what}: without a failure it is {state}, and ends with {code}: {victim.said()[-500:]}")
            return False
        if state == "stopped" and not SENTENCE.search(victim.said()):
            wrong(f"{what}: it has stopped and says nothing")
        if state == "ready" and code == 0 and place is not None:
            return True
        self.recover(what, text, token, why if place is None else None)
        return True

    def end(self, what, call):
        """Ends the daemon, or sees how it ended."""
        self.process = self.victim.process
        try:
            try:
                code = self.victim.stop()
            except subprocess.TimeoutExpired:
                if call != "read":
                    raise
                self.victim.process = self.process  # libuv drops a signal where the read of its lock fails: once more
                code = self.victim.stop()
        except subprocess.TimeoutExpired:
            wrong(f"{what}: it does not end: {self.victim.said()[-500:]}")
            self.process.kill()
            self.process.wait(10)
            return None
        if code < 0 and not is_excused(call, code, self.victim.said()):
            wrong(f"{what}: it was ended by signal {-code}: {self.victim.said()[-500:]}")
        if code > 0 and not SENTENCE.search(self.victim.said()):
            wrong(f"{what}: it ended with {code} and says nothing: {self.victim.said()[-500:]}")
        return code

    def recover(self, what, text, token, why):
        """Without failures: it starts, and whatever was not known is found out."""
        self.victim.launch()
        if self.victim.await_state(20) != "ready":
            wrong(f"{what}: then it is {self.victim.state}: {self.victim.said()[-800:]}")
            self.victim.end(9)
            return
        if why in ("lost", "storage"):
            place, why = self.append(self.victim, text, token)
            self.recorded[text] = (self.victim.name, place)
            if place is None:
                wrong(f"{what}: the same token again: {why}")
        elif why:
            self.refused.add(text)
        self.settle(what)
        same_code = self.victim.stop()
        if same_code != 0:
            wrong(f"{what}: then it ends with {same_code}")

    def check(self):
        self.victim.start()
        self.settle("in the end")
        views = [office.entries(self.line) for office in (self.victim, self.peer)]
        if [(each["author"], each["number"]) for each in views[0]] != [(each["author"], each["number"]) for each in views[1]]:
            wrong("the offices show different entries, or another order")
        there = {}
        for entry in views[0]:
            if entry["kind"] == "message":
                there.setdefault(entry["text"], []).append((entry["author"], entry["number"]))
        for text, place in self.recorded.items():
            if there.get(text) != [place]:
                wrong(f"{text} was recorded as {place}, and is {there.get(text)}")
        for text in set(there) - set(self.recorded):
            wrong(f"{text} is there, and was {'refused' if text in self.refused else 'never asked for'}")
        for office in (self.victim, self.peer):
            if office.verify(self.line).code != 0 or office.status()["alarms"]:
                wrong(f"{office.name}: {office.verify(self.line)!r} {office.status()['alarms']}")
            office.stop()


def torture_daemon(pair, waiting):
    while True:
        try:
            call, error, sticky = waiting.get_nowait()
        except queue.Empty:
            return
        number = 1
        try:
            while number < CALLS_MAX and pair.once(call, error, -number if sticky else number):
                number += 1
        except Exception as exception:  # pylint: disable=broad-except
            wrong(f"{call} {error} {number}: {exception!r}")
        number_of_injections("the daemon", call, number - 1)


def torture_daemons():
    waiting = queue.Queue()
    for job in jobs(DAEMON):
        waiting.put(job)
    pairs = [Pair(name) for name in "abc"[:WORKERS]]
    threads = [threading.Thread(target=torture_daemon, args=(pair, waiting)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pair in pairs:
        pair.check()


# --- the command -------------------------------------------------------------------------------------------------------


def command(trace, call, error, number, *arguments):
    line = [*injection(trace, call, error, number), LIAISON, *arguments]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False)
    return Result(line, done)


def judge(what, call, result):
    if result.code < 0 and not is_excused(call, result.code, result.err):
        wrong(f"{what}: ended by signal {-result.code}")
    if result.code > 0 and not SENTENCE.search(result.err) and call != "write":
        wrong(f"{what}: it ended with {result.code} and says nothing: {result!r}")


def torture_send(office, line):
    """`send`: the exit code tells whether it was recorded."""
    trace = path("trace-send")
    outcome = {}  # text: exit code
    for call, error, sticky in jobs(COMMAND):
        number = 1
        while number < CALLS_MAX:
            text = f"{call} {error} {number} {sticky}"
            result = command(trace, call, error, -number if sticky else number, "send", line, "-m", text, "--office",
                             office.directory)
            outcome[text] = result.code
            if not was_injected(trace):
                if result.code != 0:
                    wrong(f"send without a failure: {result!r}")
                break
            judge(f"send, {text}", call, result)
            number += 1
        number_of_injections("liaison send", call, number - 1)
    texts = [entry["text"] for entry in office.messages(line)]
    for text, code in outcome.items():
        if texts.count(text) > 1 or (code == 0 and text not in texts) or (code not in (0, 5) and text in texts):
            wrong(f"send, {text}: exit {code}, and it is there {texts.count(text)} times")
    note(f"send: {len(outcome)} commands, exit codes "
         f"{dict((code, list(outcome.values()).count(code)) for code in sorted(set(outcome.values())))}")


def torture_init():
    """`init`: it makes an office or it makes none, and can be asked again."""
    trace = path("trace-init")
    for call, error, sticky in jobs(COMMAND):
        number = 1
        while number < CALLS_MAX:
            what = f"init, {call} {error} {number} {sticky}"
            arguments = ["init", "new.example", "--key-file", path("n.key"), "--office", path("n"), "--recovery-sheet",
                         path("n.sheet")]
            result = command(trace, call, error, -number if sticky else number, *arguments)
            injected = was_injected(trace)
            judge(what, call, result)
            again = result if result.code in (0, 5) else run(*arguments)  # 5: it is made, and could not say so
            if again.code not in (0, result.code) or (again.code != 0 and not os.path.exists(path("n"))):
                wrong(f"{what}: {result!r}\nand again: {again!r}")
            if result.code == 0:
                shown = run("card", "--office", path("n"))
                if shown.code != 0 and "daemon" not in shown.err:
                    wrong(f"{what}: {shown!r}")
            for file in ("n.key", "n.sheet", "n.mark"):
                if os.path.exists(path(file)):
                    os.unlink(path(file))
            shutil.rmtree(path("n"), ignore_errors=True)
            if not injected:
                break
            number += 1
        number_of_injections("liaison init", call, number - 1)


def main():
    torture_daemons()
    same("whatever call of the daemon fails, nothing is lost, and it says what is wrong", len(problems), 0)
    problems.clear()
    office = Office("sender.example", "s").start()
    found(office, Office("other.example", "o").start(), line="sent")
    note(f"{time.monotonic() - BEGUN:.0f} s: the daemon")
    torture_send(office, "sent")
    same("the exit code of `send` tells the truth", len(problems), 0)
    problems.clear()
    note(f"{time.monotonic() - BEGUN:.0f} s: send")
    torture_init()
    same("`init` makes a whole office or none", len(problems), 0)
    for what, calls in counts.items():
        note(f"{what}: {sum(calls.values())} failures: " + ", ".join(f"{call} {count}" for call, count in calls.items() if count))
        case(f"{what}: calls failed", sum(calls.values()) > (50 if ONLY is None else 0))
    note(f"{time.monotonic() - BEGUN:.0f} s in all")
    finish()


if shutil.which("strace") and subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL).returncode == 0:
    main()
else:
    skip("the n-th system call fails", "strace cannot be used")
    finish()
