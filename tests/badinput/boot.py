#!/usr/bin/python3
"""What a daemon finds when it starts: each of its files missing, cut, changed, older, newer, another party's, or of
another kind or mode; and surroundings that are too small. It does not run, says why in one line and exits with 1, or it
is stopped, signs nothing and says why in its status. Its database, mark and key are then what they were.
"""
import hashlib
import os
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import time

from table import LIST, bad, end, family, sentence_fault

from offices import LIAISOND, Control, Lost, Office, case, path, run, same, write  # after table: it says where they are

COPY, MARK, KEY = path("copy"), path("copy.mark"), path("copy.key")
DATABASE = path("copy/liaison.db")


def fresh(source="w"):
    """The copy is what the original was when it was stopped."""
    for place in (COPY, MARK, KEY):
        if os.path.isdir(place) and not os.path.islink(place):
            os.chmod(place, 0o700)
            shutil.rmtree(place)
        elif os.path.lexists(place):
            os.unlink(place)
    shutil.copytree(path(source), COPY)
    for mine, theirs in ((MARK, source + ".mark"), (KEY, source + ".key")):
        shutil.copyfile(path(theirs), mine)
        os.chmod(mine, 0o600)


def kept():
    """What a start may not change: kinds, modes and bytes of what it depends on."""
    found = []
    for place in (COPY, DATABASE, MARK, KEY):
        try:
            status = os.lstat(place)
        except OSError as error:
            found.append((place, error.errno))
            continue
        digest = None
        if stat.S_ISREG(status.st_mode):
            with open(place, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        found.append((place, status.st_mode, status.st_uid, status.st_ino, digest))
    return found


def outcome(options, **process):
    """The state that the daemon says or None, its exit code, what it said, and the reason in its status."""
    said, reason = b"", None
    with subprocess.Popen(
        [LIAISOND, "--office", COPY, "--key-file", KEY, "--mark", MARK, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **process,
    ) as daemon:
        try:
            line = daemon.stdout.readline().decode().split()
            if line:
                try:
                    control = Control(path("copy/control.sock"))
                    reason = control.ask("status")["reason"]
                    control.close()
                except Lost as error:
                    reason = f"no status came: {error}"
                daemon.send_signal(signal.SIGTERM)
            said = daemon.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            daemon.kill()
            return "stuck", None, said.decode("utf-8", "replace"), reason
    return line[0] if line else None, daemon.returncode, said.decode("utf-8", "replace"), reason


def start_fault(wanted, fragment, options, process):
    """What is wrong with how a start ended. `wanted` is refused or stopped."""
    before = kept()
    state, code, said, reason = outcome(options, **process)
    if kept() != before:
        return f"something changed: {[each for each in kept() if each not in before]}"
    if wanted == "stopped":
        if state != "stopped" or code != 0:
            return f"its state is {state}, exit {code}: {said[:300]}"
        fault = sentence_fault(reason or "", "", fragment)
        return None if fault is None else f"its reason {fault}: {reason}"
    if state is not None or code != 1:
        return f"it was not refused: {state}, exit {code}: {said[:300]}{reason}"
    fault = sentence_fault(said, "liaisond: ", fragment)
    return None if fault is None else f"its sentence {fault}: {said[:300]}"


def start(name, wanted, fragment, change=lambda: None, options=(), source="w", **process):
    def attempt():
        fresh(source)
        change()
        return start_fault(wanted, fragment, options, process)

    bad("state at boot", name, f"{name}\0{options}".encode(), attempt)


def cut(file, size):
    with open(file, "r+b") as opened:
        opened.truncate(size)


def put(file, at, data):
    with open(file, "r+b") as opened:
        opened.seek(at)
        opened.write(data)


def flip(file, at):
    with open(file, "r+b") as opened:
        opened.seek(at)
        byte = opened.read(1)[0]
        opened.seek(at)
        opened.write(bytes([byte ^ 1 << at % 8]))


def replaced(place, make):
    """What stands at `place` becomes what `make` makes."""

    def change():
        if os.path.isdir(place) and not os.path.islink(place):
            shutil.rmtree(place)
        else:
            os.unlink(place)
        make(place)

    return change


def to(file, mode):
    return lambda: os.chmod(file, mode)


KINDS = (
    ("a directory", os.mkdir),
    ("a fifo", os.mkfifo),
    ("a link to itself", lambda place: os.symlink(place, place)),
    ("a link to nowhere", lambda place: os.symlink("/nonexistent/x", place)),
)


def statement(text, *values):
    def change():
        database = sqlite3.connect(DATABASE)
        database.execute(text, values)
        database.commit()
        database.close()
        for behind in ("-wal", "-shm"):
            if os.path.exists(DATABASE + behind):
                os.unlink(DATABASE + behind)

    return change


def databases():
    family("databases that are none, or another's")
    start("no database", "refused", "copy", lambda: os.unlink(DATABASE))
    for size in (0, 1, 15, 16, 99, 100, 511, 512, 1023, 2048, 4095):
        start(f"a database cut to {size} bytes", "refused", DATABASE, lambda size=size: cut(DATABASE, size))
    for name, data in (
        ("zeros", bytes(8192)),
        ("noise", hashlib.sha512(b"noise").digest() * 128),
        ("text", b"not a database\n" * 600),
        ("a page of HTML", b"<html></html>\n" * 600),
        ("a card", b"liaison-card/v1\n" * 600),
        ("ones", b"\xff" * 8192),
        ("SQLite's first line and zeros", b"SQLite format 3\0" + bytes(8176)),
    ):
        start(f"{name} for a database", "refused", DATABASE, lambda data=data: write("copy/liaison.db", data))
    for at in range(0, 24, 1):
        if at not in (18, 19, 20, 21, 22, 23):
            start(
                f"bit {at % 8} of byte {at} of the database changed",
                "refused",
                DATABASE,
                lambda at=at: flip(DATABASE, at),
            )
    for name, make in KINDS:
        start(f"{name} for a database", "refused", "copy", replaced(DATABASE, make))
    start("another party's database", "refused", "copy.key", lambda: shutil.copyfile(path("s/liaison.db"), DATABASE))
    start(
        "SQLite's own empty database",
        "refused",
        DATABASE,
        replaced(DATABASE, lambda place: sqlite3.connect(place).execute("CREATE TABLE x (y)").connection.close()),
    )
    for version in (4, 5, 99, 2**31 - 1):
        start(f"a database of version {version}", "refused", "newer", statement(f"PRAGMA user_version = {version}"))
    for table in (
        "meta",
        "logs",
        "entries",
        "heads",
        "lines",
        "receipts",
        "epochs",
        "prekeys",
        "offered",
        "tokens",
        "counters",
    ):
        start(f"a database without its table {table}", "refused", "copy", statement(f"DROP TABLE {table}"))
    for key in ("office", "card", "key-kind", "master", "identity", "batch"):
        start(
            f"a database without its fact {key}",
            "refused",
            "copy|damaged|newer",
            statement("DELETE FROM meta WHERE key = ?", key),
        )
        for name, value in (("empty", b""), ("one byte", b"x"), ("zeros", bytes(72)), ("of 1 MiB", b"x" * (1 << 20))):
            start(
                f"a database whose fact {key} is {name}",
                "refused",
                "copy|damaged|newer|unlocked",
                statement("UPDATE meta SET value = ? WHERE key = ?", value, key),
            )


def marks():
    size = 4 << 20
    family("marks that are none, or another's")
    start("no mark", "stopped", "there is no mark", lambda: os.unlink(MARK))
    for cut_to in (0, 1, 16, 64, 4096, size // 2, size - 4096, size - 1):
        start(
            f"a mark cut to {cut_to} bytes",
            "stopped",
            "is not a file of 4194304 bytes",
            lambda cut_to=cut_to: cut(MARK, cut_to),
        )
    for grown in (size + 1, size + 4096, 2 * size):
        start(
            f"a mark grown to {grown} bytes",
            "stopped",
            "is not a file of 4194304 bytes",
            lambda grown=grown: cut(MARK, grown),
        )
    for name, data in (
        ("zeros", bytes(size)),
        ("noise", hashlib.sha512(b"noise").digest() * (size // 64)),
        ("text", b"mark\n" * (size // 5) + b"mark"),
    ):
        start(
            f"{name} for a mark",
            "stopped",
            "neither of its two slots is whole",
            lambda data=data: write("copy.mark", data),
        )
    for at in (0, 7, 12, 14, 16, 23, 24, 31, 32, 63, 64, 80):
        start(
            f"byte {at} of both slots of the mark changed",
            "stopped",
            "neither of its two slots is whole",
            lambda at=at: (flip(MARK, at), flip(MARK, size // 2 + at)),
        )
    for version in b"0259":
        start(
            f"a mark of version {version - 48}",
            "stopped",
            "was written by another version of liaison",
            lambda version=version: (put(MARK, 13, bytes([version])), put(MARK, size // 2 + 13, bytes([version]))),
        )
    for name, make in KINDS:
        start(f"{name} for a mark", "stopped", "mark", replaced(MARK, make))
    start("another party's mark", "stopped", "mark", lambda: shutil.copyfile(path("s.mark"), MARK))
    start("an older mark", "stopped", "mark", lambda: shutil.copyfile(path("old.mark"), MARK))


def keys():
    family("key files that are none, or another's")
    secret = b"" if LIST else open(path("w.key"), "rb").read()
    start("no key file", "refused", "copy.key", lambda: os.unlink(KEY))
    for size in (0, 1, 10, 21, 22, 23, 26, 40, 69, 70, 71, 80, 90, 95):
        start(f"a key file cut to {size} bytes", "refused", "copy.key", lambda size=size: cut(KEY, size))
    for name, data in (
        ("zeros", bytes(96)),
        ("noise", hashlib.sha512(b"noise").digest()),
        ("of a newer version", secret.replace(b"key/v1", b"key/v2")),
        ("with DOS lines", secret.replace(b"\n", b"\r\n")),
        ("twice", secret * 2),
        ("with a line more", secret + b"x\n"),
        ("a bare key", secret[26:70]),
        ("of 1 MiB", b"liaison-office-key/v1\n" * 50000),
        ("in UTF-16", secret.decode().encode("utf-16")),
    ):
        start(f"a key file: {name}", "refused", "copy.key", lambda data=data: write("copy.key", data))
    for at in range(0, 96, 5):
        start(
            f"a key file with byte {at} changed",
            "refused",
            "copy.key",
            lambda at=at: flip(KEY, at) if at < len(secret) else cut(KEY, 1),
        )
    start("another party's key file", "refused", "copy.key", lambda: shutil.copyfile(path("s.key"), KEY))
    start("a card for a key file", "refused", "copy.key", lambda: shutil.copyfile(path("w/card"), KEY))
    start("a mark for a key file", "refused", "copy.key", lambda: shutil.copyfile(path("w.mark"), KEY))
    for name, make in KINDS:
        start(f"{name} for a key file", "refused", "copy.key", replaced(KEY, make))
    for mode in (0o601, 0o602, 0o604, 0o610, 0o620, 0o640, 0o644, 0o660, 0o664, 0o666, 0o777, 0o604):
        start(f"a key file of mode {mode:o}", "refused", "copy.key", to(KEY, mode))
    if LIST or os.geteuid() == 0:
        start("a key file of another owner", "refused", "copy.key", lambda: os.chown(KEY, 65534, 65534))
        start("an office of another owner", "refused", "copy", lambda: os.chown(COPY, 65534, 65534))


def surroundings():
    family("directories and places that an office cannot be run in")
    for mode in (0o701, 0o704, 0o705, 0o710, 0o740, 0o750, 0o755, 0o770, 0o777):
        start(f"an office of mode {mode:o}", "refused", COPY, to(COPY, mode))
    start("no office", "refused", COPY, lambda: shutil.rmtree(COPY))
    start("a file for an office", "refused", COPY, replaced(COPY, lambda place: open(place, "wb").close()))
    start("an empty office", "refused", COPY, replaced(COPY, lambda place: os.mkdir(place, 0o700)))
    for name, address, says in (
        ("a host that cannot be", "tcp://nowhere.invalid:0", "nowhere.invalid"),
        ("another machine's address", "tcp://192.0.2.1:0", "192.0.2.1"),
        ("a path in no directory", "unix:/nonexistent/x", "/nonexistent/x"),
        ("a path that is a file", f"unix:{path('w.key')}", "w.key"),
        ("a path that is a directory", f"unix:{path('s')}", path("s")),
    ):
        start(f"listening on {name}", "refused", says, options=("--listen", address))

    def twice():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return start_fault(
                "refused", "tcp://127.0.0.1", ("--listen", f"tcp://127.0.0.1:{taken.getsockname()[1]}"), {}
            )

    bad("state at boot", "listening on a port that is taken", b"port", lambda: (fresh(), twice())[1])

    def running():
        with subprocess.Popen(
            [LIAISOND, "--office", COPY, "--key-file", KEY, "--mark", MARK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as first:
            first.stdout.readline()
            fault = start_fault("refused", "another|already|in use", (), {})
            first.send_signal(signal.SIGTERM)
        return fault

    bad("state at boot", "an office that runs already", b"running", lambda: (fresh(), running())[1])
    family("surroundings that are too small")
    for files in (*range(4, 16), 20, 24, 28, 31):  # with three the loader itself fails, in words of its own
        start(
            f"room for {files} open files",
            "refused",
            f"only {files} files may be open here",
            preexec_fn=lambda files=files: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
        )
    for size in (0, 1, 512, 4096):
        start(
            f"room for files of {size} bytes",
            "stopped",
            "cannot be written: File too large",
            preexec_fn=lambda size=size: (
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
            ),
        )


def odd():
    """What is odd and no reason not to run: it starts, and what it makes nobody else may read."""
    for name, process in (
        ("an unknown locale", {"env": {**os.environ, "LC_ALL": "xx_YY.nothing", "LANG": "\udcff"}}),
        ("no environment", {"env": {}}),
        ("no mask for new files", {"preexec_fn": lambda: os.umask(0)}),
        ("a mask that takes all", {"preexec_fn": lambda: os.umask(0o777)}),
        ("standard input closed", {"preexec_fn": lambda: os.close(0)}),
        ("standard error closed", {"preexec_fn": lambda: os.close(2)}),
        ("room for 32 open files", {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))}),
        ("no core files", {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))}),
    ):
        fresh()
        result = outcome((), **process)
        modes = {each: oct(os.lstat(os.path.join(COPY, each)).st_mode & 0o077) for each in os.listdir(COPY)}
        case(
            f"it runs with {name}",
            result[0] == "ready" and result[1] == 0 and set(modes.values()) == {"0o0"},
            (result, modes),
        )


def main():
    if not LIST:
        w, s = Office("washington.example", "w"), Office("stranger.example", "s")
        w.start()
        write("s.card", s.run("card").out)
        w.run("line", "found", "talks", "--with", "s.card")
        time.sleep(1.2)
        w.stop()
        shutil.copyfile(path("w.mark"), path("old.mark"))
        w.start()
        for text in ("One.", "Two.", "Three."):
            w.run("send", "talks", "-m", text)
        same("the office is stopped in order", w.stop(), 0)
        fresh()
        result = outcome(())
        case("a copy as it is runs", result[:2] == ("ready", 0), result)
    databases()
    marks()
    keys()
    surroundings()
    family("")
    if not LIST:
        odd()
        w.start()
        case("the original goes on", w.run("send", "talks", "-m", "Four.").code == 0)
        same("told to end, it ends with 0", w.stop(), 0)
        same("no daemon is left", run("status", "--office", COPY).code, 4)
    end()


main()
