#!/usr/bin/python3
"""The hotline, driven through tmux as people drive it: four languages at 80 x 24 and 60 x 20, hostile text, a flash that
rings, a gap, a daemon that is killed, keys in a flood."""
import fcntl
import hashlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import termios
import threading
import time

from offices import (LIAISON, LONG, Office, Wire, case, finish, found, note, path, read, same, skip, until)

LANGUAGES = [
    ("en", "Are you in the room?", "Yes. We listen, and the minister is here with us."),
    ("ko", "회의실에 계십니까? 지금 말씀드려도 되겠습니까?", "예, 방에 있습니다. 말씀하십시오."),
    ("zh", "请问你们在会议室里吗？现在可以讲话吗？", "在。我们都在听，请讲。"),
    ("ru", "Вы в комнате? Можно говорить сейчас?", "Да, мы здесь. Слушаем вас, говорите."),
]
BANNER = "All you release is signed as {} and cannot be taken back"
HOSTILE = ("\x1b]0;title\x07\x1b[2J\x1b[31mred \u202egnp\u202c zero\u200bwidth e" + "\u0301" * 40 + " \u11a8" + "\u11a8" * 40 +
           "\nwashington/99  FLASH  2026-11-27T20:06:57Z  acknowledged\r\x9b2J end")


class Terminal:
    """A terminal of tmux in which a hotline runs. What it writes is kept in `raw`."""

    count = 0

    def __init__(self, office, *options, directory=None):
        Terminal.count += 1
        self.name = f"t{Terminal.count}"
        self.raw = path(f"{self.name}.raw")
        command = [LIAISON, "hotline", "talks", "--office", directory or office.directory, *options]
        self.tmux("new-session", "-d", "-s", self.name, "-x", "80", "-y", "24", "sh")
        self.tmux("set-option", "-g", "history-limit", "20000")
        self.tmux("pipe-pane", "-t", self.name, f"cat > {self.raw}")
        self.type(" ".join(command) + "; echo ended with $?", "Enter")
        case(f"{office.name} sees the banner", until(lambda: BANNER.format(office.name)[:40] in self.screen()
                                                     and " up " in self.screen()), self.screen())

    @staticmethod
    def tmux(*arguments):
        """Runs a command of a tmux of our own. It does not know the user's settings, or another tmux around it."""
        done = subprocess.run(["tmux", "-u", "-S", path("tmux"), "-f", "/dev/null", *arguments], capture_output=True, text=True,
                              check=False, env={**os.environ, "TMUX": "", "TERM": "xterm-256color"})
        return done.stdout

    def type(self, text, *keys):
        self.tmux("send-keys", "-t", self.name, "-l", text)
        if keys:
            self.press(*keys)

    def press(self, *keys):
        self.tmux("send-keys", "-t", self.name, *keys)

    def paste(self, text):
        self.tmux("set-buffer", "-b", "pasted", text)
        self.tmux("paste-buffer", "-p", "-b", "pasted", "-t", self.name)

    def rows(self):
        return self.tmux("capture-pane", "-p", "-t", self.name).rstrip("\n").split("\n")

    def screen(self):
        return "\n".join(self.rows())

    def shows(self, text, seconds=10.0):
        """Whether a text stands on the screen, maybe broken over rows."""
        def joined():
            return "".join(row.strip() for row in self.rows()).replace(" ", "")
        return until(lambda: text.replace(" ", "") in joined(), seconds)

    def bells(self):
        # In what sets a title, the same byte is an end: none is ever written.
        return read(self.raw).count(b"\a")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", self.name, "-x", str(columns), "-y", str(rows))

    def look(self, title):
        """Prints the screen for a person to look at, if asked to."""
        if os.environ.get("LIAISON_TEST_LOOK"):
            note(f"--- {title}")
            note("\n".join(row + "|" for row in self.rows()))


class SlowWire(Wire):
    """Carries `rate` bytes a second away from the dialler, if that is not None."""

    rate = None

    def carry(self, pair, source, sink):
        if source is not pair["near"]:
            super().carry(pair, source, sink)
            return
        source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what waits, waits at the sender
        try:
            while data := source.recv(2048):
                sink.sendall(data)
                if self.rate is not None:
                    time.sleep(len(data) / self.rate)
        except OSError:
            pass
        self.close(pair)


def send(terminal, text):
    """Writes a text as a person does, reviews it, releases it."""
    for line in text.split("\n"):
        terminal.type(line, "Enter")
    terminal.press(".", "Enter")
    until(lambda: "Type send to release it" in terminal.screen())
    terminal.press("s", "e", "n", "d", "Enter")


def entries_of(office, text):
    return [entry for entry in office.messages() if entry["text"] == text]


def languages(w, p, left, right):
    for language, question, answer in LANGUAGES:
        text = question + "\n" + answer
        left.type(f"/language {language}", "Enter")
        left.type(question, "Enter")
        left.type(answer, "Enter")
        left.press(".", "Enter")
        digest = hashlib.sha256(text.encode()).hexdigest()
        case(f"{language}: the review shows bytes, precedence and language",
             left.shows(f"{len(text.encode())} bytes, precedence ROUTINE, language {language}"), left.screen())
        case(f"{language}: and the hash", left.shows(digest), left.screen())
        case(f"{language}: and the draft", left.shows("| " + question) and left.shows("| " + answer), left.screen())
        left.look(f"review, {language}")
        same(f"{language}: nothing is sent yet", entries_of(w, text), [])
        left.press("s", "e", "n", "d", "Enter")
        case(f"{language}: the other side reads it", right.shows(question) and right.shows(answer), right.screen())
        number = entries_of(w, text)[0]["number"]
        case(f"{language}: its state changes in place",
             until(lambda: any(row.startswith(f"washington/{number}  ROUTINE") and "stored" in row for row in left.rows())),
             left.screen())
        send(right, answer)
        case(f"{language}: the answer is read", until(lambda: [row for row in left.rows() if row.startswith("pyongyang/")]
                                                      and left.shows(answer)), left.screen())
        right.type(f"/ack washington/{number}", "Enter")
        case(f"{language}: acknowledged in place",
             until(lambda: any(row.startswith(f"washington/{number}  ROUTINE") and "acknowledged" in row
                               for row in left.rows())), left.screen())
        entry = entries_of(p, text)[0]
        same(f"{language}: the record has it as it was written", (entry["language"], entry["precedence"], entry["exercise"]),
             (language, "routine", False))
        left.look(f"80 x 24, {language}")
    for terminal in (left, right):
        terminal.resize(60, 20)
    case("after a resize the last answer is whole", left.shows(LANGUAGES[-1][2]) and right.shows(LANGUAGES[-1][1]),
         left.screen())
    case("and so is the banner", left.shows(BANNER.format(w.name)) and right.shows(BANNER.format(p.name)), left.screen())
    same("the prompt stands above the state", [until(lambda t=t: t.rows()[18:19] == [">"]) for t in (left, right)],
         [True, True])
    left.look("60 x 20, left")
    right.look("60 x 20, right")
    left.type("한국어를 입력하는 중입니다")
    case("Korean is typed at 60 columns", left.shows("> 한국어를 입력하는 중입니다"), left.screen())
    left.press("Left", "Left")
    left.type("あ")
    case("and edited", left.shows("> 한국어를 입력하는 중입あ니다"), left.screen())
    left.press("C-u")
    for terminal in (left, right):
        terminal.resize(80, 24)
    case("back at 80 x 24", until(lambda: len(left.rows()) == 24 and left.rows()[22] == ">"), left.screen())


def hostile(p, left):
    p.run("send", "talks", "-", stdin=HOSTILE.encode())
    case("hostile text is shown harmless",
         left.shows("<U+001B>]0;title<U+0007><U+001B>[2J<U+001B>[31mred <U+202E>gnp<U+202C> zero<U+200B>width"), left.screen())
    case("and marked", "MARKED" in left.screen(), left.screen())
    case("marks that pile up are cut", left.shows("<U+0301 36 times>") and left.shows("<U+11A8 37 times>"), left.screen())
    case("no text looks like a message", not any(row.startswith("washington/99") for row in left.rows())
         and any(row.startswith("    washington/99") for row in left.rows()), left.screen())
    raw = read(left.raw)
    case("none of it reached the terminal", b"\x1b]" not in raw and "\u202e".encode() not in raw
         and b"\xc2\x9b" not in raw and "\u200b".encode() not in raw)
    left.look("hostile")


def editing(p, left):
    left.type("half a li")
    for i in range(3):
        p.run("send", "talks", "-m", f"meanwhile {i}")
    case("entries come while a line is typed", left.shows("meanwhile 2") and left.shows("> half a li"), left.screen())
    left.type("ne")
    left.press("Home")
    left.type("This is ")
    case("and the line is edited below them", left.shows("> This is half a line"), left.screen())
    left.press("C-c")
    case("Ctrl-C asks", left.shows("Throw away the line you are typing? [y/N]"), left.screen())
    left.press("n")
    case("and keeps the line", left.shows("> This is half a line") and left.shows("/help"), left.screen())
    left.press("C-c", "y")
    case("or not", until(lambda: left.rows()[22] == ">"), left.screen())
    left.paste("first\n.\nsend\n/quit\nlast")
    case("what is pasted is text", left.shows("| first| .| send| /quit> last"), left.screen())
    left.press("Enter")
    left.look("pasted")
    left.type("/discard", "Enter")
    case("a draft is thrown away only after asking", left.shows("Throw away the whole draft? [y/N]"), left.screen())
    left.press("y")
    case("then it is gone", until(lambda: "| last" not in left.screen()), left.screen())
    left.press("C-l")
    left.type("/who", "Enter")
    case("/who says what is known", left.shows("pyongyang: link up since") and left.shows("/who ask puts the question"),
         left.screen())
    left.type("/exercise", "Enter")
    send(left, "This is a test of the line.")
    case("/exercise marks what is sent", until(lambda: any("EXERCISE" in row and row.startswith("washington/")
                                                         for row in left.rows())), left.screen())
    left.type("/exercise", "Enter")


def lost_daemon(w, p, wire, left):
    left.type("The first line is written.", "Enter")
    left.type("the second is")
    w.kill()
    case("a lost daemon is said in a sentence", left.shows("The daemon is gone. Your draft is kept here"), left.screen())
    left.type(" being written", "Enter")
    left.press(".", "Enter")
    until(lambda: "Type send to release it" in left.screen())
    left.press("s", "e", "n", "d", "Enter")
    case("nothing is sent without one", left.shows("Not sent: there is no daemon."), left.screen())
    case("and the draft is kept", left.shows("| The first line is written.| the second is being written"), left.screen())
    left.look("no daemon")
    w.start()
    case("it finds the daemon again", left.shows("The daemon is back."), left.screen())
    case("with the draft", left.shows("| The first line is written.| the second is being written"), left.screen())
    # Released while the daemon stands still, which is then killed: nobody can know, and it is asked for again.
    w.process.send_signal(signal.SIGSTOP)
    left.press(".", "Enter")
    until(lambda: "Type send to release it" in left.screen())
    left.press("s", "e", "n", "d", "Enter")
    case("it is being sent", left.shows("being sent"), left.screen())
    w.kill()
    case("that nobody knows is said", left.shows("It is not known whether your message was recorded"), left.screen())
    w.start()
    case("then it is known", left.shows("Your message is recorded as"), left.screen())
    text = "The first line is written.\nthe second is being written"
    same("it is recorded once", len(entries_of(w, text)), 1)
    wire.target = p.port()
    case("and arrives", until(lambda: len(entries_of(p, text)) == 1))


class Thief:
    """A control socket in a folder of its own that hands everything on, until it takes the answer to an `append` away
    and closes."""

    def __init__(self, office):
        self.office = office
        self.directory = path("thief")
        self.armed = True
        self.stolen = 0
        os.mkdir(self.directory)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.directory, "control.sock"))
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(os.path.join(self.office.directory, "control.sock"))
            appends = set()
            threading.Thread(target=self.carry, args=(near, far, appends, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, appends, False), daemon=True).start()

    def carry(self, source, sink, appends, asking):
        try:
            for line in source.makefile("rb"):
                message = json.loads(line)
                if asking and message["method"] == "append":
                    appends.add(message["id"])
                if not asking and self.armed and message.get("id") in appends:
                    self.armed = False
                    self.stolen += "result" in message
                    break
                sink.sendall(line)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def stolen_answer(w):
    """Recorded, but nobody said so: the same token gives the same number."""
    thief = Thief(w)
    terminal = Terminal(w, directory=thief.directory)
    send(terminal, "Only once, whatever happens.")
    case("an answer that was lost is asked for again", terminal.shows("Your message is recorded as"), terminal.screen())
    same("the message had been recorded", thief.stolen, 1)
    same("and is there once", len(entries_of(w, "Only once, whatever happens.")), 1)
    terminal.press("C-d")
    case("Ctrl-D in an empty line ends", terminal.shows("ended with 0"), terminal.screen())
    terminal.type("stty -a | grep -c ' -echo '; echo done", "Enter")
    case("the terminal is as it was", terminal.shows("0done"), terminal.screen())
    terminal.look("ended")


def ended_by_signal(w):
    terminal = Terminal(w)
    terminal.type("Not lost ‮ either.", "Enter")
    until(lambda: "| Not lost" in terminal.screen())
    shell = terminal.tmux("display-message", "-p", "-t", terminal.name, "#{pane_pid}").strip()
    with open(f"/proc/{shell}/task/{shell}/children", encoding="utf-8") as children:
        os.kill(int(children.read().split()[0]), signal.SIGTERM)
    case("a signal leaves the draft on the terminal",
         terminal.shows("This draft was not sent:Not lost <U+202E> either.ended with 0"), terminal.screen())


def gap(w, wire, right):
    wire.rate = 100000
    control = w.control()
    for _ in range(3):
        control.ask("append", line="talks", entries=[{"text": "x" * 10000} for _ in range(12)])
    control.close()
    time.sleep(0.5)
    flash = w.run("send", "talks", "-m", "Overtaking", "--precedence", "flash", "--yes").out.strip().rsplit("/", 1)[-1]
    case("a flash that overtook is shown below its gap",
         until(lambda: [row for row in right.rows() if row.startswith("... washington/") and "to come" in row]
               and right.shows("Overtaking")), right.screen())
    right.look("gap")
    wire.rate = None
    case("the gap closes in place", until(w.is_settled, 20) and right.shows("x" * 50), right.screen())
    history = right.tmux("capture-pane", "-p", "-S", "-5000", "-t", right.name)
    same("the flash is shown once", sum(row.startswith(f"washington/{flash}  FLASH") for row in history.split("\n")), 1)
    case("what came is counted, or shown", "x" * 70 in history)
    right.type(f"/ack washington/{flash}", "Enter")
    until(lambda: "waits for /ack" not in right.screen())


def flood(w, p):
    """Keys are echoed while more comes than anybody can read."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(LIAISON, [LIAISON, "hotline", "talks", "--office", w.directory])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown, written, counted = b"", 0, False

    def drain(seconds, wanted=None):
        nonlocal shown, written, counted
        shown = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and (wanted is None or wanted not in shown):
            if select.select([terminal], [], [], left)[0]:
                more = os.read(terminal, 1 << 16)
                shown, written = shown + more, written + len(more)
                counted |= b" more; liaison read talks shows them" in shown

    drain(10, b" up")
    sent, flooding = 0, True

    def send_many():
        nonlocal sent
        control = p.control()
        while flooding:
            control.ask("append", line="talks", entries=[{"text": f"flood {sent + i}"} for i in range(1000)])
            sent += 1000
            time.sleep(max(0.0, begun + sent / 15000 - time.monotonic()))
        control.close()

    begun = time.monotonic()
    thread = threading.Thread(target=send_many)
    thread.start()
    delays, typed = [], ""
    while time.monotonic() - begun < (20 if LONG else 3):
        drain(0.02)
        typed += "abcdefghij"[len(typed) % 10]
        pressed = time.monotonic()
        os.write(terminal, typed[-1].encode())
        drain(5, b"> " + typed.encode())
        delays.append((time.monotonic() - pressed) * 1000)
        if len(typed) == 40:
            os.write(terminal, b"\x15")
            typed = ""
    flooding = False
    thread.join()
    delays.sort()
    note(f"{sent / (time.monotonic() - begun):.0f} messages a second; a key's echo after {statistics.median(delays):.1f} ms, "
         f"of a hundred the slowest after {delays[len(delays) * 99 // 100]:.1f} ms, of {len(delays)} after {delays[-1]:.1f} ms")
    case("a key is echoed within 20 ms in a flood", statistics.median(delays) < 20, delays)
    os.write(terminal, b"\x15")
    last = f"    flood {sent - 1}".encode()
    drain(30, last)
    case("the last of it is shown", last in shown, shown[-2000:])
    case("what nobody can read is counted, and not shown", counted and written < sent * 40, written)
    os.write(terminal, b"\x04")
    same("and it ends", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
    os.close(terminal)


def refused(w):
    none = w.run("hotline", "talks")
    same("without a terminal it is refused", (none.code, none.out), (2, ""))
    terminal = path("odd.out")
    done = subprocess.run(["script", "-qec", f"{LIAISON} hotline tallks --office {w.directory}", terminal],
                          capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm"})
    case("a line that is not there is refused before the screen is taken",
         done.returncode == 1 and "there is no line tallks here" in done.stdout and "\x1b" not in done.stdout, done)


if not shutil.which("tmux"):
    skip("the hotline", "tmux is not installed")
    finish()
washington = Office("washington.example", "w", "--keepalive", "5s").start()
pyongyang = Office("pyongyang.example", "p", "--keepalive", "5s").start()
found(washington, pyongyang)
line = SlowWire(pyongyang.port())
washington.run("link", "add", "talks", "pyongyang", line.address)
washington.run("send", "talks", "-m", "first", "--wait", "stored", "--timeout", "20s")
try:
    mine, theirs = Terminal(washington), Terminal(pyongyang)
    languages(washington, pyongyang, mine, theirs)
    pyongyang.run("send", "talks", "-m", "Come to the line now.", "--precedence", "flash", "--yes")
    case("a flash is not overlooked", mine.shows("Come to the line now.") and mine.shows("waits for /ack"), mine.screen())
    flash_at, rung = time.monotonic(), until(mine.bells)
    mine.look("flash")
    same("it rings", rung, 1)
    hostile(pyongyang, mine)
    editing(pyongyang, mine)
    case("it rings until it is acknowledged", until(lambda: mine.bells() > rung, 8), mine.bells())
    note(f"{mine.bells()} bells in {time.monotonic() - flash_at:.1f} s")
    mine.type("/ack", "Enter")
    case("/ack acknowledges the flash", until(lambda: "waits for /ack" not in mine.screen()), mine.screen())
    acknowledged_at, rung = time.monotonic(), mine.bells()
    lost_daemon(washington, pyongyang, line, mine)
    stolen_answer(washington)
    ended_by_signal(washington)
    gap(washington, line, theirs)
    time.sleep(max(0.0, acknowledged_at + 5.5 - time.monotonic()))
    same("then it is silent", mine.bells(), rung)
    refused(washington)
    Terminal.tmux("kill-server")
    flood(washington, pyongyang)
finally:
    Terminal.tmux("kill-server")
finish()
