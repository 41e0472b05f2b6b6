#!/usr/bin/python3
"""Command lines of the three programs, each refused with its exit code and one line, and no file touched."""
import os
import time

from table import LIST, bad, bytes_of, command_fault, end, family, shown

from offices import LIAISOND, LIAISON_VERIFY, Office, case, path, run, same, write  # after table: it says where

OFFICE = path("w")
WATCHED = [path("w"), path("w.mark"), path("w.key"), path("out")]
#: Every subcommand with the operands that it needs.
SUBCOMMANDS = {
    "init": ["new.example", "--key-file", "new.key"],
    "unlock": ["--passphrase-file", "w.key"],
    "card": [],
    "status": [],
    "inbox": ["talks"],
    "read": ["talks"],
    "hotline": ["talks"],
    "send": ["talks", "-m", "Text."],
    "ack": ["talks", "washington/0"],
    "line found": ["new", "--with", "p.card"],
    "line join": ["talks.charter", "--key", "talks.key"],
    "line fingerprint": ["talks"],
    "line confirm": ["talks", "12345"],
    "line list": [],
    "line show": ["talks"],
    "line leave": ["talks", "--yes"],
    "link add": ["talks", "pyongyang", "unix:/x"],
    "link remove": ["talks", "pyongyang", "unix:/x"],
    "link test": ["talks", "pyongyang", "unix:/x"],
    "link list": [],
    "link stdio": [],
    "record verify": ["talks"],
    "record policy": ["talks", "-o", "out"],
    "record prove": ["talks", "washington/0", "-o", "out"],
    "record disclose": ["talks", "washington/0", "-o", "out"],
    "record evidence": ["talks", "-o", "out"],
    "record export": ["talks", "-o", "out", "--format", "json"],
}


def refuse(code, fragment, *words, office=True, stdin=b""):
    """`words` follow the program's name."""
    words = [*words, "--office", OFFICE] if office else list(words)
    given = [each if isinstance(each, str) else each.decode("utf-8", "backslashreplace") for each in words]
    named = [each for each in words[:-2]] if office else words
    bad(
        "liaison",
        shown(named),
        "\0".join(given).replace(path(""), "").encode("utf-8", "surrogateescape") + stdin[:64],
        lambda: command_fault(run(*words, stdin=stdin), "liaison: ", code, fragment),
        WATCHED + [path("new.key"), path("n")],
    )


def usage():
    family("command lines with options that there are not")
    for name, operands in SUBCOMMANDS.items():
        words = name.split()
        for option, says in (
            ("--bogus", "--bogus"),
            ("--bogus=1", "--bogus"),
            ("-q", "-q"),
            ("--json=yes", "--json"),
            ("---json", "---json"),
            ("--Office", "--Office"),
            ("-hx", "-"),
        ):
            refuse(2, says, *words, *operands, option)
        refuse(2, "--office", *words, *operands, "--office", office=False)
        refuse(2, "--office", *words, *operands, "--office", "", office=False)
        refuse(2, "--office", *words, *operands, "--office=", office=False)
    family("command lines with too many words")
    for name, operands in SUBCOMMANDS.items():
        words = name.split()
        if name not in ("ack", "line found", "line confirm"):
            refuse(2, "|".join((words[-1], "see:", "takes")), *words, *operands, "more", "and", "more")
        refuse(2, "|".join((words[-1], "see:", "most")), *words, *operands, *(["washington/1"] * 80))
    family("command lines with too few words")
    for name, operands in SUBCOMMANDS.items():
        for count in range(sum(not each.startswith("-") for each in operands)):
            if name not in ("init", "unlock") and operands[:count] != operands and "-m" not in operands[: count + 1]:
                refuse(2, "|".join((name.split()[-1], "needs", "see:")), *name.split(), *operands[:count])
    family("command lines without a subcommand, or with none that there is")
    for words in (
        [],
        ["frobnicate"],
        ["Status"],
        ["STATUS"],
        ["stat"],
        ["statuss"],
        ["help"],
        ["version"],
        ["-"],
        ["--"],
        ["-v"],
        ["line", "frobnicate"],
        ["line", "List"],
        ["link", "frobnicate"],
        ["record", "frobnicate"],
        ["line"],
        ["link"],
        ["record"],
        ["line", "--bogus"],
        ["--bogus", "status"],
        ["-q", "status"],
        ["/bin/sh"],
        ["$(id)"],
        ["%s%n"],
        ["status;id"],
        ["line", "found;"],
        [""],
        ["line", ""],
        [" status"],
        ["status "],
        ["st\tatus"],
        ["\x1b[2J"],
        ["\u202estatus"],
        [b"\xff"],
        [b"\xc0\xaf"],
        ["line", b"\xff"],
        ["x" * 5000],
    ):
        refuse(2, "liaison|subcommand|option", *words, office=False)


def values():
    family("send with values that are none")
    for precedence in (
        "",
        "urgent",
        "FLASHY",
        "FLASH ",
        "flash ",
        " flash",
        "0",
        "3",
        "flash,routine",
        "none",
        "routin",
        "\u202eflash",
    ):
        refuse(2, "--precedence|flash", "send", "talks", "-m", "Text.", "--precedence", precedence)
    for wait in ("", "forever", "Stored", "sent", "stored ", "1", "delivered", "read"):
        refuse(2, "--wait|recorded", "send", "talks", "-m", "Text.", "--wait", wait)
    for timeout in (
        "",
        "30",
        "s",
        "-1s",
        "+1s",
        "1.5s",
        "1e3s",
        "0x1s",
        " 1s",
        "1s ",
        "1 s",
        "1S",
        "1sec",
        "1d",
        "1y",
        "99999999999s",
        "18446744073709551616ms",
        "forever",
        "1s1s",
        "\u0661s",
    ):
        refuse(2, "--timeout|time", "send", "talks", "-m", "Text.", "--timeout", timeout)
    for language in (
        "e-",
        "-en",
        "en_US",
        "en US",
        "1en",
        "en--us",
        "englishes",
        "en,ko",
        "<en>",
        "*",
        "en.UTF-8",
        "\u00e4",
        "x" * 36,
        "en\x1b",
        "%s",
    ):
        refuse(2, "--language|language", "send", "talks", "-m", "Text.", "--language", language)
        refuse(2, "--language|language", "hotline", "talks", "--language", language)
    for answers in (
        "",
        "17",
        "washington",
        "washington/",
        "/17",
        "washington/-1",
        "washington/+1",
        "washington/017",
        "washington/x",
        "washington/1/2",
        "washington/1 ",
        " washington/1",
        "Washington/1",
        "wash ington/1",
        "washington/0x1",
        "washington/18446744073709551616",
        "washington/1e3",
        "../1",
        "\u202e/1",
    ):
        refuse(2, "--answers|entry|washington/17", "send", "talks", "-m", "Text.", "--answers", answers)
    for token in (
        "",
        "0",
        "0" * 31,
        "0" * 33,
        "g" * 32,
        "0x" + "0" * 30,
        " " * 32,
        "0" * 31 + " ",
        "-" * 32,
        "\u0660" * 16,
    ):
        refuse(2, "--token|32 hexadecimal digits", "send", "talks", "-m", "Text.", "--token", token)
    family("other subcommands with values that are none")
    for entry in (
        "17",
        "washington",
        "washington/",
        "/17",
        "washington/-1",
        "washington/017",
        "washington/x",
        "washington/1/2",
        "Washington/1",
        "wash ington/1",
        "washington/18446744073709551616",
        "",
        "-",
        "\u202e/1",
    ):
        if entry != "-":
            refuse(2, "washington/17|entry|named", "ack", "talks", entry)
            refuse(2, "washington/17|entry|named", "read", "talks", "--from", entry)
            refuse(2, "washington/17|entry|named", "record", "prove", "talks", entry, "-o", "out")
            refuse(2, "washington/17-21", "record", "disclose", "talks", entry, "-o", "out")
    for entries in ("washington/1-", "washington/-1", "washington/2-1", "washington/1-2-3", "washington/1-02", "washington/1 -2",
                    "washington/1-x", "washington/1--2", "1-2", "washington/1-18446744073709551616", "w/1-w/2"):
        refuse(2, "washington/17-21", "record", "disclose", "talks", entries, "-o", "out")
    for last in ("1024", "9223372036854775807"):
        refuse(2, "at most 1024", "record", "disclose", "talks", f"washington/0-{last}", "-o", "out")
    for number in ("", "0", "-1", "10001", "1e3", "03", "x", " 5", "99999999999999999999"):
        refuse(2, "--last", "read", "talks", "--last", number)
    for role in ("", "king", "Principal", "duty_officer", "duty officer", "1", "principal ", "none"):
        refuse(2, "--as|duty-officer", "ack", "talks", "washington/0", "--as", role)
    for form in ("", "xml", "JSON", "csv", "text ", "pdf", "..", "1"):
        refuse(2, "--format|text", "record", "export", "talks", "-o", "out", "--format", form)


def daemons_word():
    """What only the daemon can know."""
    family("lines that there are not")
    for name in (
        "nothing",
        "Talks",
        "talks.example",
        "talk",
        "talkss",
        "t\u00e4lks",
        "..",
        "*",
        "%s%n",
        "$(id)",
        "a b",
        "x" * 300,
        "talks/",
        "\u202etalks",
        "\x1b[2J",
        "",
    ):
        for words in (
            ["inbox", name],
            ["read", name],
            ["hotline", name],
            ["send", name, "-m", "Text."],
            ["ack", name, "washington/0"],
            ["line", "fingerprint", name],
            ["line", "show", name],
            ["line", "leave", name, "--yes"],
            ["link", "add", name, "pyongyang", "unix:/x"],
            ["link", "remove", name, "pyongyang", "unix:/x"],
            ["link", "test", name, "pyongyang", "unix:/x"],
            ["record", "verify", name],
            ["record", "policy", name, "-o", "out"],
            ["record", "prove", name, "washington/0", "-o", "out"],
            ["record", "disclose", name, "washington/0", "-o", "out"],
            ["record", "export", name, "-o", "out", "--format", "json"],
        ):
            refuse(1, "there is no line", *words)
    family("entries that cannot be disclosed")
    for entries, fragment in (
        ("washington/0", "is the line's charter: it has no sealed text"),
        ("washington/1", "is prekeys: it has no sealed text"),
        ("washington.example/0", "is the line's charter: it has no sealed text"),
        ("washington/0-1", "none of these entries has a sealed text"),
        ("washington/0-99", "others have receipted|is not in the record"),
        ("washington/99", "is not in the record"),
        ("bonn/1", "no member of this line"),
        ("pyongyang/0", "is not in the record"),
    ):
        refuse(1, fragment, "record", "disclose", "talks", entries, "-o", "out")
    family("parties, entries and links that there are not")
    for party in (
        "bonn",
        "washington",
        "washington.example",
        "Pyongyang",
        "pyongyang.exampl",
        "p",
        "",
        "*",
        "pyongyang.",
        ".example",
        "%n",
    ):
        refuse(1, "the line has no other member of that name", "link", "add", "talks", party, "unix:/x")
        refuse(1, "no other member|no such link", "link", "remove", "talks", party, "unix:/x")
        refuse(1, "the line has no other member of that name", "link", "test", "talks", party, "unix:/x")
    for address in ("unix:/y", "tcp://host:1", "exec:cat"):
        refuse(1, "there is no such link", "link", "remove", "talks", "pyongyang", address)
    for entry in ("washington.example/9223372036854775807", "washington/1099511627776", "washington/99999999999999999"):
        for words in (
            ["send", "talks", "-m", "Text.", "--answers", entry],
            ["ack", "talks", entry],
            ["record", "prove", "talks", entry, "-o", "out"],
            ["record", "disclose", "talks", entry, "-o", "out"],
            ["read", "talks", "--from", entry],
        ):
            refuse(2, "an entry is named like washington.example/17", *words)
    for entry in ("washington/99999", "washington.example/1099511627775", "bonn/1", "pyongyang/7", "w/1"):
        refuse(
            1,
            "no entry|not in the record|no member|no party|no other|not recorded|there is no",
            "send",
            "talks",
            "-m",
            "Text.",
            "--answers",
            entry,
        )
        refuse(
            1, "no entry|not in the record|no member|no party|oneself|not recorded|there is no", "ack", "talks", entry
        )
        refuse(
            1,
            "no entry|not in the record|no member|no party|not recorded|there is no",
            "record",
            "prove",
            "talks",
            entry,
            "-o",
            "out",
        )
        refuse(
            1,
            "no entry|not in the record|no member|no party|not recorded|there is no",
            "read",
            "talks",
            "--from",
            entry,
        )
    refuse(1, "one's own entries are not acknowledged by oneself", "ack", "talks", "washington/2")
    family("addresses that are none")
    for address in (
        "",
        "tcp://",
        "tcp://h",
        "tcp://h:",
        "tcp://h:0",
        "tcp://h:65536",
        "tcp://h:x",
        "tcp://::1:1",
        "udp://h:1",
        "h:1",
        "unix:",
        "unix:" + "p" * 108,
        "exec:",
        "exec:" + "x" * 600,
        "tcp://h:1?frame=3",
        "tcp://a b:1",
        "http://h",
        "TCP://h:1",
        "%s",
        "\x1b[2J",
    ):
        for verb in ("add", "test"):
            refuse(2, "address|port 0", "link", verb, "talks", "pyongyang", address)


def files():
    for name, content in (
        ("empty", b""),
        ("latin", "d\u00e9j\u00e0".encode("latin-1")),
        ("long", b"x" * 60001),
        ("huge", b"x" * 1000000),
        ("half", "\uc608".encode()[:2]),
        ("overlong", b"\xc0\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("beyond", b"\xf4\x90\x80\x80"),
        ("noise", bytes(range(256))),
        ("zeros", bytes(100)),
        ("page", b"<html></html>\n"),
        ("crlf", b"liaison-card/v1\r\nname x\r\n"),
        ("newer", b"liaison-card/v2\nname x\n"),
        ("headless", b"liaison-disclosure/v1\nx\n"),
        ("endless", b"liaison-disclosure/v1\n\n" + bytes(16 << 20)),
        ("later", b"liaison-disclosure/v2\n\n"),
        ("accusation", b"liaison-evidence/v1\n\nwashington.example signed two histories.\n"),
        ("accusations", b"liaison-evidence/v1\n\n" + bytes(1 << 20)),
    ):
        if not LIST:
            write(name, content)
    family("texts in files that cannot be sent")
    for name, says in (
        ("empty", "empty|no text"),
        ("latin", "UTF-8"),
        ("long", "60000 bytes"),
        ("huge", "bytes|60000"),
        ("half", "UTF-8"),
        ("overlong", "UTF-8"),
        ("surrogate", "UTF-8"),
        ("beyond", "UTF-8"),
        ("noise", "UTF-8"),
        ("missing", "missing"),
        (".", "."),
        ("/", "/"),
        ("missing/text", "missing/text"),
        ("empty/text", "empty/text"),
        ("x" * 300, "xxx"),
        ("", ""),
    ):
        refuse(1, says + "|no text|cannot be|No such", "send", "talks", name)
    for name, content in (
        ("nothing", b""),
        ("Latin-1", "d\u00e9j\u00e0".encode("latin-1")),
        ("60001 bytes", b"x" * 60001),
        ("a megabyte", b"x" * 1000000),
        ("half a character", b"\xec\x98"),
        ("an overlong slash", b"\xc0\xaf"),
    ):
        bad(
            "liaison",
            f"send talks, with {name} on standard input",
            name.encode(),
            lambda content=content: command_fault(
                run("send", "talks", "--office", OFFICE, stdin=content), "liaison: ", 1, "standard input"
            ),
            WATCHED,
        )
    family("files that are no cards, charters or keys")
    for name in (
        "empty",
        "latin",
        "long",
        "noise",
        "zeros",
        "page",
        "crlf",
        "newer",
        "missing",
        ".",
        "w.key",
        "talks.charter",
        "talks.key",
        "w.mark",
    ):
        refuse(1, name, "line", "found", "new", "--with", name)
        refuse(1, name, "line", "found", "new", "--with", "p.card", "--with", name)
        if name != "talks.charter":
            refuse(1, name, "line", "join", name, "--key", "talks.key")
        if name != "talks.key":
            refuse(1, name + "|joined that line already", "line", "join", "talks.charter", "--key", name)
    refuse(1, "joined that line already", "line", "join", "talks.charter", "--key", "talks.key")
    family("quotas that are none")
    for option, least in (("--quota-entries", 16), ("--quota-bytes", 131072)):
        for value in ("", "0", str(least - 1), f"0{least}", f"+{least}", f" {least}", f"{least} ", "-1", "1e9", "1G", "many",
                      f"{least}.0", "0x1000000", str(2**53 + 1), str(2**63), str(2**64 + least), "9" * 40, "\u0663" * 6):
            refuse(2, f"{option} takes a number from {least} to", "line", "found", "new", "--with", "p.card", option, value)
    family("names that are none")
    for name in (
        "Geneva.example",
        "geneva..example",
        ".geneva",
        "geneva.",
        "geneva-.example",
        "ge neva",
        "gen\u00e8ve",
        "a/b",
        "../x",
        "g" * 64,
        "none",
        "geneva\n",
        "\x1b[1m",
        "%s%n",
        "$(id)",
        "",
        "a_b",
        "*",
    ):
        refuse(
            1, "is no party's name", "init", name, "--key-file", path("new.key"), "--office", path("n"), office=False
        )
        if name != "none":  # a word of policies, where no line is named
            refuse(1, "is no line's name", "line", "found", name, "--with", "p.card")
    for languages in ("", "en,", ",en", "e-", "en_US", "en ko", "englishes", "*"):
        refuse(
            2,
            "languages|--languages",
            "init",
            "geneva.example",
            "--languages",
            languages,
            "--key-file",
            path("new.key"),
            "--office",
            path("n"),
            office=False,
        )


def nobody():
    family("commands to an office that there is not")
    for name, operands in SUBCOMMANDS.items():
        if name in ("init", "card", "link stdio"):
            continue
        for place in (path("nowhere"), "/proc/self/nothing"):
            refuse(4, "office|nowhere|nothing", *name.split(), *operands, "--office", place, office=False)


def others():
    family("command lines of liaison-verify")
    for code, says, words in (
        (2, "", []),
        (2, "", ["p.card"]),
        (2, "", ["a", "b", "--policy", "c"]),
        (2, "--bogus", ["p.card", "--bogus"]),
        (2, "--policy", ["p.card", "--policy"]),
        (2, "missing", ["missing", "--policy", "p.card"]),
        (2, "missing", ["p.card", "--policy", "missing"]),
        (2, ".", [".", "--policy", "p.card"]),
        (2, "", ["--policy", "p.card"]),
        (2, "-q", ["-q"]),
        (2, "", [""]),
        (2, "", ["", "--policy", ""]),
        (2, "--json", ["p.card", "--policy", "p.card", "--json=1"]),
        (1, "p.card", ["p.card", "--policy", "p.card"]),
        (1, "empty", ["empty", "--policy", "empty"]),
        (1, "noise", ["noise", "--policy", "noise"]),
        (1, "zeros", ["zeros", "--policy", "zeros"]),
        (1, "huge", ["huge", "--policy", "huge"]),
        (1, "page", ["page", "--policy", "page"]),
        (1, "w.mark", ["w.mark", "--policy", "w.mark"]),
        (1, "talks.charter", ["talks.charter", "--policy", "talks.charter"]),
        (1, "empty", ["talks.proof", "--policy", "empty"]),
        (1, "talks.policy", ["talks.policy", "--policy", "talks.policy"]),
        (1, "talks.proof", ["talks.proof", "--policy", "talks.proof"]),
        (1, "proof", ["talks.proof", "--policy", "talks.policy"]),
        (2, "64 hexadecimal", ["p.card", "--line", ""]),
        (2, "64 hexadecimal", ["p.card", "--line", "0" * 63]),
        (2, "64 hexadecimal", ["p.card", "--line", "0" * 65]),
        (2, "64 hexadecimal", ["p.card", "--line", "g" * 64]),
        (2, "--line", ["p.card", "--line"]),
        (2, "is neither: it needs --policy", ["talks.proof", "--line", "0" * 64]),
        (2, "is neither: it needs --policy", ["p.card", "--policy", "talks.policy", "--line", "0" * 64]),
        (2, "is neither: it needs --policy", ["empty", "--line", "0" * 64]),
        (2, "is neither: it needs --policy", ["huge", "--line", "0" * 64]),
        (1, "no blank line", ["headless", "--line", "0" * 64]),
        (1, "longer than", ["endless", "--line", "0" * 64]),
        (1, "another version", ["later", "--policy", "talks.policy"]),
        (1, "this is evidence against nobody", ["accusation", "--line", "0" * 64]),
        (1, "longer than", ["accusations", "--policy", "talks.policy"]),
    ):
        bad(
            "liaison-verify",
            shown(words),
            "\0".join(words).encode(),
            lambda code=code, says=says, words=words: command_fault(
                run(*words, program=LIAISON_VERIFY), "liaison-verify: ", code, says
            ),
            WATCHED,
        )
    family("command lines of liaisond")
    for code, says, words in (
        (2, "--bogus", ["--bogus"]),
        (2, "-q", ["-q"]),
        (2, "--office", ["--office"]),
        (2, "--office", ["--office", ""]),
        (2, "word", ["word"]),
        (2, "--listen", ["--office", OFFICE, "--listen", "nowhere"]),
        (2, "--keepalive", ["--office", OFFICE, "--keepalive", "5"]),
        (2, "--redial-max", ["--office", OFFICE, "--redial-max", "0s"]),
        (2, "--mark", ["--office", OFFICE, "--mark"]),
        (2, "--key-file", ["--office", OFFICE, "--key-file"]),
        (2, "exec", ["--office", OFFICE, "--listen", "exec:cat"]),
        (1, "nowhere", ["--office", path("nowhere")]),
        (1, "p.card", ["--office", path("p.card")]),
        (1, "null", ["--office", "/dev/null"]),
        (1, OFFICE, ["--office", OFFICE, "--key-file", path("w.key")]),
        (1, "proc", ["--office", "/proc/self"]),
    ):
        bad(
            "liaisond",
            shown(words).replace(path(""), ""),
            "\0".join(words).replace(path(""), "").encode(),
            lambda code=code, says=says, words=words: command_fault(
                run(*words, program=LIAISOND), "liaisond: ", code, says
            ),
            WATCHED,
        )


def main():
    w = None
    if not LIST:
        w, p = Office("washington.example", "w"), Office("pyongyang.example", "p")
        w.start()
        write("p.card", p.run("card").out)
        for words in (
            ["line", "found", "talks", "--with", "p.card"],
            ["send", "talks", "-m", "One."],
            ["send", "talks", "-m", "Two."],
            ["record", "policy", "talks", "-o", "talks.policy"],
            ["record", "prove", "talks", "washington/2", "-o", "talks.proof"],
        ):
            result = w.run(*words)
            case(f"the office is there: {' '.join(words[:2])}", result.code == 0, result)
        w.run("line", "confirm", "talks", w.run("line", "fingerprint", "talks").out)
        time.sleep(2.5)  # a settle head a second, and the last one too
        whole = bytes_of(*WATCHED)
    usage()
    values()
    daemons_word()
    files()
    nobody()
    others()
    family("")
    if w is not None:
        same("what the files hold is what it was", bytes_of(*WATCHED), whole)
        case("the office goes on", w.run("send", "talks", "-m", "Three.").code == 0)
        same("told to end, it ends with 0", w.stop(), 0)
        os.sync()
    end()


main()
