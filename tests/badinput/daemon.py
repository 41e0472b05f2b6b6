#!/usr/bin/python3
"""Requests that a daemon refuses on its control socket: parameters of the wrong type, missing, misspelt or out of
bounds, and what no office can do. After each the office's files are what they were.
"""
import json
import socket
import time

from table import LIST, bad, bytes_of, end, family, sentence_fault

from offices import Control, Lost, Office, case, path, read, run, same, write  # after table: it says where they are

WATCHED = [path("w"), path("w.mark")]
STRING, TEXT, FLAG, NUMBER, LIST_OF_STRINGS, ENTRIES = "string", "text", "flag", "number", "strings", "entries"
QUOTA_ENTRIES, QUOTA_BYTES = "entries a day", "bytes a day"
NO_QUOTA = [-1, 1.5, 1e9, "100", "", True, [], {}, 2**53 + 1, 2**62, 2**63 - 1, -(2**63)]
#: method: parameter: (type, whether it must be there, a value that is right by itself)
METHODS = {
    "card": {},
    "status": {},
    "subscribe": {"line": (STRING, False, "talks")},
    "inbox": {"line": (STRING, True, "talks")},
    "line.found": {
        "name": (STRING, True, "new"),
        "cards": (LIST_OF_STRINGS, True, ["card"]),
        "courier_key": (FLAG, False, True),
        "quota_entries": (QUOTA_ENTRIES, False, 16),
        "quota_bytes": (QUOTA_BYTES, False, 131072),
    },
    "line.join": {"charter": (STRING, True, "charter"), "key": (STRING, False, "key"), "name": (STRING, False, "new")},
    "line.show": {"line": (STRING, True, "talks")},
    "line.confirm": {"line": (STRING, True, "talks"), "digits": (STRING, True, "1")},
    "line.leave": {"line": (STRING, True, "talks")},
    "link.add": {
        "line": (STRING, True, "talks"),
        "party": (STRING, True, "pyongyang"),
        "address": (STRING, True, "unix:/x"),
    },
    "link.remove": {
        "line": (STRING, True, "talks"),
        "party": (STRING, True, "pyongyang"),
        "address": (STRING, True, "unix:/x"),
    },
    "link.test": {
        "line": (STRING, True, "talks"),
        "party": (STRING, True, "pyongyang"),
        "address": (STRING, True, "unix:/x"),
    },
    "append": {"line": (STRING, True, "talks"), "entries": (ENTRIES, True, [{"text": "Text."}])},
    "acknowledge": {
        "line": (STRING, True, "talks"),
        "entries": (LIST_OF_STRINGS, True, ["pyongyang/0"]),
        "as": (STRING, True, "principal"),
    },
    "entries": {
        "line": (STRING, True, "talks"),
        "after": (STRING, False, ""),
        "from": (STRING, False, ""),
        "limit": (NUMBER, False, 1),
        "order": (STRING, False, "rising"),
    },
    "record.verify": {"line": (STRING, True, "talks")},
    "record.policy": {"line": (STRING, True, "talks")},
    "record.disclose": {"line": (STRING, True, "talks"), "entry": (STRING, True, "washington/2")},
    "record.evidence": {"line": (STRING, True, "talks"), "party": (STRING, False, "washington")},
    "record.prove": {"line": (STRING, True, "talks"), "entry": (STRING, True, "washington/2")},
}
ENTRY = {"text": TEXT, "language": STRING, "answers": STRING, "exercise": FLAG, "precedence": STRING, "token": STRING}
#: What is no value of a type, and what the sentence says.
WRONG = {
    STRING: (
        ("is not a string", [0, 1, -1, 1.5, True, False, [], {}, ["x"], {"x": 1}]),
        ("holds a zero byte", ["\0", "a\0b", "talks\0"]),
    ),
    TEXT: (("is not a string", [0, 1, 1.5, True, [], {}, ["x"]]), ("bytes", ["", "x" * 60001, "\u00e4" * 30001])),
    FLAG: (("is neither true nor false", [0, 1, "", "true", "yes", [], {}, 1.5]),),
    NUMBER: (
        (
            "is not a whole number from 1 to 256",
            [0, -1, 257, 1.5, 1.0, 1e3, "1", True, [], {}, 2**31, 2**32, 2**62, -(2**63)],
        ),
    ),
    QUOTA_ENTRIES: (("is not a whole number from 16 to 9007199254740992", [0, 1, 15, *NO_QUOTA]),),
    QUOTA_BYTES: (("is not a whole number from 131072 to 9007199254740992", [0, 1, 16, 131071, *NO_QUOTA]),),
    LIST_OF_STRINGS: (
        ("is not an array", [0, "x", True, {}, 1.5]),
        ("items", [[]]),
        ("is not a string", [[1], [None], [True], [[]], [{}], ["x", 1]]),
        ("holds a zero byte", [["\0"], ["x", "a\0b"]]),
    ),
    ENTRIES: (
        ("is not an array", [0, "x", True, {}, 1.5]),
        ("items", [[], [{"text": "x"}] * 1025]),
        ("is not an object", [[1], [None], [True], [[]], ["x"], [{"text": "x"}, 1]]),
    ),
}
connection = []


def control():
    if not connection:
        connection.append(Control(path("w/control.sock")))
    return connection[0]


def answer_fault(line, codes, number, fragment):
    """What is wrong with how the daemon refuses a line, given as bytes."""
    try:
        ours = control()
        ours.socket.sendall(line + b"\n")
        answer = ours.line()
    except (Lost, OSError) as error:
        connection.clear()
        return f"no answer came: {error}"
    error = answer.get("error")
    if error is None:
        return f"it was done: {str(answer)[:300]}"
    if error["data"]["code"] not in codes or error["code"] != number:
        return f"its code is {error['code']}, {error['data']['code']}: {error['message']}"
    fault = sentence_fault(error["message"], "", fragment)
    return None if fault is None else f"its sentence {fault}: {error['message']}"


def refuse(method, params, fragment, code="usage", number=None, name=None):
    number = number or (-32602 if code == "usage" else -32000)
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    shown = name or json.dumps(params)
    bad(
        "control",
        f"{method} {shown[:120]}{'' if len(shown) <= 120 else f'... of {len(shown)}'}",
        line,
        lambda: answer_fault(line, (code,), number, fragment),
        WATCHED,
    )


def types():
    family("requests with parameters of another type")
    for method, params in METHODS.items():
        right = {name: value for name, (_, needed, value) in params.items() if needed}
        for name, (kind, needed, _) in params.items():
            if needed:
                refuse(
                    method, {key: value for key, value in right.items() if key != name}, f"{method}: {name} is missing"
                )
                refuse(method, {**right, name: None}, f"{method}: {name} is missing")
            for says, values in WRONG[kind]:
                for value in values:
                    refuse(
                        method,
                        {**right, name: value},
                        f"{method}: {name} {says}|{method}: {name}[|{method}: {name} has",
                    )
    family("requests with parameters that there are not")
    for method, params in METHODS.items():
        right = {name: value for name, (_, needed, value) in params.items() if needed}
        for name in ("bogus", "Line", "lines", "line ", "", "id", "jsonrpc", "params", "\u202eline", "%s"):
            refuse(method, {**right, name: 1}, f"{method}: {name} is not a parameter of this method")
    family("entries to append whose members are none")
    for name, kind in ENTRY.items():
        for says, values in WRONG[kind]:
            for value in values:
                for before in ([], [{"text": "Text."}]):
                    refuse(
                        "append",
                        {"line": "talks", "entries": [*before, {"text": "Text.", name: value}]},
                        f"append: entries[{len(before)}].{name} {says}|append: entries[{len(before)}].{name} has",
                    )
    for entry in ({}, {"text": None}, {"language": "en"}):
        refuse("append", {"line": "talks", "entries": [entry]}, "append: entries[0].text is missing")
    for name in ("txet", "Text", "", "line", "id", "number", "time", "author", "salt", "epoch"):
        refuse(
            "append",
            {"line": "talks", "entries": [{"text": "Text.", name: 1}]},
            f"append: entries[0].{name} is not a parameter of this method",
        )


def values():
    family("appends whose values are none")

    def append(fragment, code="usage", **members):
        refuse("append", {"line": "talks", "entries": [{"text": "Text.", **members}]}, fragment, code)
        refuse(
            "append", {"line": "talks", "entries": [{"text": "Before."}, {"text": "Text.", **members}]}, fragment, code
        )

    for precedence in ("", "urgent", "Flash", "flash ", "0", "none", "\u202eflash"):
        append("precedence is none of flash, immediate, priority and routine", precedence=precedence)
    for token in ("", "0" * 31, "0" * 33, "g" * 32, " " * 32, "0x" + "0" * 30, "0" * 31 + "\n"):
        append("token is not 32 hexadecimal digits", token=token)
    for language in ("e-", "-", "en_US", "en US", "1en", "en--us", "englishes", "en,ko", "*", "x" * 36, "en\x1b"):
        append("the language is not a tag", "invalid", language=language)
    for answers in (
        "17",
        "washington",
        "washington/",
        "washington/-1",
        "washington/017",
        "washington/x",
        "washington/0x1",
        "washington/1099511627776",
        "washington/18446744073709551616",
        "washington/1 ",
    ):
        append("an entry is named like washington.example/17", answers=answers)
    for answers in ("bonn/1", "/17", "washington/1/2", "Washington/1", "w/1", "washington.exampl/1", "\u202e/1"):
        append("member|party|named", "not-found", answers=answers)
    for number in (99, 99999, 2**39):
        append("is not in the record", "not-found", answers=f"washington/{number}")
    family("other requests whose values are none")
    for line in (
        "",
        "nothing",
        "Talks",
        "talks.example",
        "talk",
        "..",
        "*",
        "%s%n",
        "\u202etalks",
        "\x1b[2J",
        "x" * 200,
        "t\u00e4lks",
    ):
        for method, params in METHODS.items():
            if "line" in params and not (method == "subscribe" and line == ""):  # that is all lines
                refuse(
                    method,
                    {**{name: value for name, (_, needed, value) in params.items() if needed}, "line": line},
                    "there is no line",
                    "not-found",
                )
    for order in ("", "up", "Rising", "falling ", "1"):
        refuse("entries", {"line": "talks", "order": order}, "order is neither rising nor falling")
    for after in ("x", "0", "talks", "washington/1", "-1", "////", "0" * 300, "\u202e", "AAAA", "%s"):
        refuse("entries", {"line": "talks", "after": after}, "`after` is not a position that an earlier answer gave")
    for entry in ("", "17", "washington", "washington/", "washington/-1", "washington/x", "washington/1099511627776"):
        refuse("record.prove", {"line": "talks", "entry": entry}, "an entry is named like washington.example/17")
        refuse("record.disclose", {"line": "talks", "entry": entry}, "an entry is named like washington.example/17")
        refuse(
            "acknowledge",
            {"line": "talks", "entries": [entry], "as": "principal"},
            "an entry is named like washington.example/17",
        )
        refuse(
            "acknowledge",
            {"line": "talks", "entries": ["washington/1", entry], "as": "principal"},
            "oneself",
            "refused",
        )
        if entry:
            refuse("entries", {"line": "talks", "from": entry}, "an entry is named like washington.example/17")
    for role in ("", "king", "Principal", "duty officer", "1", "none"):
        refuse(
            "acknowledge",
            {"line": "talks", "entries": ["pyongyang/0"], "as": role},
            "as is neither duty-officer nor principal",
        )
    refuse(
        "acknowledge",
        {"line": "talks", "entries": ["pyongyang/0"] * 65, "as": "principal"},
        "has 65 items; 1 to 64 are allowed",
    )
    for number in range(3):
        refuse(
            "acknowledge",
            {"line": "talks", "entries": [f"washington/{number}"], "as": "principal"},
            "one's own entries are not acknowledged by oneself",
            "refused",
        )
    for digits in (
        "",
        "1",
        "12345",
        "x",
        "00000 " * 8,
        "1" * 40,
        "1" * 41,
        "99999 99999 99999 99999 99999 99999 99999 9999",
        "\u0661" * 40,
    ):
        refuse("line.confirm", {"line": "talks", "digits": digits}, "number|digits", "mismatch")
    for party in (
        "",
        "bonn",
        "washington",
        "washington.example",
        "Pyongyang",
        "p",
        "pyongyang.exampl",
        ".example",
        "*",
    ):
        for method in ("link.add", "link.test", "link.remove"):
            refuse(
                method,
                {"line": "talks", "party": party, "address": "unix:/x"},
                "the line has no other member of that name",
                "not-found",
            )
    for address in (
        "",
        "x",
        "tcp://",
        "tcp://h",
        "tcp://h:",
        "tcp://h:x",
        "tcp://h:65536",
        "tcp://::1:1",
        "udp://h:1",
        "unix:",
        "unix:" + "p" * 108,
        "exec:",
        "tcp://h:1?frame=3",
        "tcp://a b:1",
        "TCP://h:1",
        "exec:" + "x" * 600,
        "tcp://h\u00f6:1",
        "tcp://h:0",
    ):
        for method in ("link.add", "link.test", "link.remove"):
            refuse(method, {"line": "talks", "party": "pyongyang", "address": address}, "address|port 0")
    for address in ("unix:/x", "tcp://h:1", "exec:cat", "unix:/x?frame=256"):
        refuse(
            "link.remove",
            {"line": "talks", "party": "pyongyang", "address": address},
            "there is no such link",
            "not-found",
        )


def founding(card):
    family("lines that cannot be founded or joined")
    for name in ("", "Talks", "a.b", "-a", "a-", "a b", "x" * 33, "\u00e4", "..", "%s", "a_b", "a\n", "\x1b"):
        refuse("line.found", {"name": name, "cards": [card]}, "a line's name is 1 to 32", "invalid")
    refuse("line.found", {"name": "talks", "cards": [card]}, "a line of that name exists here", "exists")
    for count in (16, 17, 40):
        refuse("line.found", {"name": "new", "cards": [card] * count}, "1 to 15 are allowed")
    lines = card.splitlines(True)
    for title, text in (
        ("nothing", ""),
        ("noise", "noise"),
        ("half a card", card[: len(card) // 2]),
        ("a card and more", card + "x"),
        ("DOS lines", card.replace("\n", "\r\n")),
        ("a newer card", card.replace("card/v1", "card/v2")),
        ("a charter", "liaison-charter/v1\nname x\n"),
        ("a zero byte", "liaison-card/v1\n\u0001"),
        *((f"a card without line {i + 1}", "".join(lines[:i] + lines[i + 1 :])) for i in range(len(lines))),
        *(
            (
                f"a card with a letter of line {i + 1} changed",
                "".join(
                    [*lines[:i], lines[i][:-4] + ("A" if lines[i][-4] != "A" else "B") + lines[i][-3:], *lines[i + 1 :]]
                ),
            )
            for i in range(1, len(lines))
        ),
    ):
        newer = "version" if "newer" in title else "invalid"
        refuse("line.found", {"name": "new", "cards": [text]}, "card", newer, name=f"by {title}")
        if text != "":
            refuse("line.join", {"charter": text}, "charter", "invalid", name=f"by {title}, for a charter")
    refuse(
        "line.found", {"name": "new", "cards": [card, card]}, "twice|already|names", "invalid", name="by a card twice"
    )


def methods():
    family("methods that there are not")
    for method in (
        "",
        "Status",
        "STATUS",
        "status ",
        " status",
        "stat",
        "line",
        "line.",
        ".line",
        "line.find",
        "line/found",
        "append.all",
        "rpc.discover",
        "system.listMethods",
        "exit",
        "shutdown",
        "eval",
        "$(id)",
        "%s",
        "../card",
        "record.export",
        "unlock.key",
        "\u202estatus",
        "x" * 1000,
        "card\n",
    ):
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
        bad(
            "control",
            f"the method {method[:40]!r} of {len(method)}",
            line,
            lambda line=line: answer_fault(line, ("usage",), -32601, "there is no method"),
            WATCHED,
        )
    family("lines that are no requests")
    for line in (
        b"",
        b"x",
        b"{",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"id":1}',
        b'{"id":1.5}',
        b'{"jsonrpc":"2.0","method":"status"}',
        b'{"jsonrpc":"1.0","id":1,"method":"status"}',
        b'{"jsonrpc":"2.0\\u0000","id":1,"method":"status"}',
        b'{"jsonrpc":"2.0","id":1,"method":7}',
        b'{"jsonrpc":"2.0","id":1,"method":"status","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"status"}',
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"GET / HTTP/1.1",
        b"[" * 3000,
        b'{"a":' * 3000,
        b'"' + b"x" * 1000000 + b'"',
        b"[" + b"1," * 300000 + b"1]",
    ):

        def attempt(line=line):
            ours = Control(path("w/control.sock"))
            try:
                ours.socket.sendall(line + b"\n")
                error = ours.line()["error"]
                return sentence_fault(error["message"], "", "JSON|request|params|jsonrpc|method|batches")
            except (Lost, KeyError) as error:
                return f"no error came: {error}"
            finally:
                ours.close()

        bad(
            "control",
            f"the line {line[:60].decode('utf-8', 'backslashreplace')!r} of {len(line)} bytes",
            line,
            attempt,
            WATCHED,
        )


def main():
    w = None
    card = "card"
    if not LIST:
        w, p = Office("washington.example", "w"), Office("pyongyang.example", "p")
        w.start()
        card = p.run("card").out
        write("p.card", card)
        for words in (
            ["line", "found", "talks", "--with", "p.card"],
            ["send", "talks", "-m", "One."],
            ["send", "talks", "-m", "Two."],
        ):
            result = w.run(*words)
            case(f"the office is there: {' '.join(words[:2])}", result.code == 0, result)
        time.sleep(2.5)  # a settle head a second, and the last one too
        whole = bytes_of(*WATCHED)
    types()
    values()
    founding(card)
    methods()
    family("")
    if w is not None:
        same("what the files hold is what it was", bytes_of(*WATCHED), whole)
        case("the office goes on", w.run("send", "talks", "-m", "Three.").code == 0)
        same("told to end, it ends with 0", w.stop(), 0)
    end()


main()
