#!/usr/bin/python3
"""The contract for messages: send, ack, inbox, read, status, the record and its proofs, the control socket."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from offices import (LIAISON, LIAISON_VERIFY, LONG, TIME, Control, Lost, Office, Refused, Wire, case, finish, found, is_error,
                     number_of, path, read, run, same, skip, until, write)

FIELDS = ["author", "number", "kind", "text", "language", "precedence", "exercise", "written", "received", "answers",
          "state", "stored", "acknowledged", "readable", "leaf"]


def at_terminal(arguments, answer):
    """Runs a command on a terminal, and types an answer once it asks. Returns exit code and what the terminal shows."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(LIAISON, [LIAISON, *arguments])
    shown = b""
    answered = False
    while True:
        if not select.select([terminal], [], [], 20)[0]:
            os.kill(child, signal.SIGKILL)
            break
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
        if not answered and b"[y/N]" in shown:
            os.write(terminal, answer + b"\n")
            answered = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


def sending(w, p):
    sent = w.run("send", "talks", "-m", "one")
    case("send prints the entry's name", re.fullmatch(r"washington\.example/\d+\n", sent.out) and sent.code == 0, sent)
    again = w.run("send", "talks", "-m", "two")
    same("the numbers rise by one", number_of(again), number_of(sent) + 1)
    shown = w.run("send", "talks", "-m", "three", "--json")
    same("send --json", json.loads(shown.out), {"author": "washington.example", "number": number_of(again) + 1})
    write("text", "four\n")
    case("send a FILE", number_of(w.run("send", "talks", path("text"))) > 0)
    case("send -", number_of(w.run("send", "talks", "-", stdin=b"five")) > 0)
    case("send stdin", number_of(w.run("send", "talks", stdin=b"six\r\n\n")) > 0)
    case("send 1 byte", number_of(w.run("send", "talks", "-m", "7")) > 0)
    long = "가" * 20000
    case("send 60,000 bytes", number_of(w.run("send", "talks", stdin=long.encode())) > 0)
    odd = "tab\there, nul? no; \u202eright to left, \x1b[31mred, e\u0301, 🜁 \n\n"
    case("send odd characters", number_of(w.run("send", "talks", stdin=odd.encode())) > 0)
    until(w.is_settled)
    texts = [entry["text"] for entry in p.messages()]
    same("texts are kept exactly", texts, ["one", "two", "three", "four\n", "five", "six\r\n\n", "7", long, odd])
    case("read shows control characters as marks", "\x1b" not in p.run("read", "talks").out
         and "<U+202E>" in p.run("read", "talks").out)
    last = w.run("send", "talks", "-m", "With everything", "--precedence", "immediate", "--language", "en-GB",
                 "--answers", f"washington/{number_of(sent)}", "--exercise", "--wait", "stored", "--timeout", "10s",
                 "--token", "0123456789abcdef0123456789ABCDEF", "--yes")
    entry = w.messages()[-1]
    same("send with every option", [entry[name] for name in ("number", "text", "precedence", "language", "answers",
                                                             "exercise", "state")],
         [number_of(last), "With everything", "immediate", "en-GB", f"washington.example/{number_of(sent)}", True,
          "stored"])
    for precedence in ("flash", "immediate", "priority", "routine"):
        number = number_of(w.run("send", "talks", "-m", precedence, "--precedence", precedence, "--wait", "stored"))
        there = [entry["precedence"] for entry in p.messages() if entry["number"] == number]
        same(f"--precedence {precedence}", there, [precedence])


def tokens(w):
    token = ("--token", "00112233445566778899aabbccddeeff")
    first = w.run("send", "talks", "-m", "Once.", *token)
    before = len(w.messages())
    same("the same token and bytes: the same number", w.run("send", "talks", "-m", "Once.", *token).out, first.out)
    is_error("the same token and other bytes are refused",
             lambda *more: w.run("send", "talks", "-m", "Twice.", *token, *more), 1, "refused", "token")
    is_error("the same token and another precedence are refused",
             lambda *more: w.run("send", "talks", "-m", "Once.", *token, "--precedence", "priority", *more), 1,
             "refused", "token")
    same("nothing was recorded twice", len(w.messages()), before)
    w.kill()
    w.start()
    same("a token outlives the daemon", w.run("send", "talks", "-m", "Once.", *token).out, first.out)


def waiting(w, p, wire):
    until(w.is_settled)
    case("--wait stored", w.run("send", "talks", "-m", "Is it there?", "--wait", "stored").code == 0)
    short = w.run("send", "talks", "-m", "Has anybody seen it?", "--wait", "acknowledged", "--timeout", "2s")
    number = short.out.strip().rsplit("/", 1)[-1]
    same("--wait acknowledged ends with 3 and says so", (short.code, short.err),
         (3, f"liaison: Recorded as washington/{number}. Not acknowledged at pyongyang yet; it is stored there. "
          "Do not send it again.\n"))
    full = run("-c", '"$0" "$@" >/dev/full', LIAISON, "send", "talks", "-m", "Full", "--office", w.directory,
               program="sh")
    number = w.messages()[-1]["number"]
    same("what was recorded and could not be printed is 5, and said", (full.code, full.err),
         (5, f"liaison: recorded as washington/{number}, but that could not be written to standard output. "
          "Do not send it again\n"))
    # A person acknowledges while the command waits.
    done = []
    thread = threading.Thread(target=lambda: done.append(
        w.run("send", "talks", "-m", "Now?", "--wait", "acknowledged", "--timeout", "20s")))
    thread.start()
    until(lambda: p.messages() and p.messages()[-1]["text"] == "Now?")
    p.run("ack", "talks", f"washington/{p.messages()[-1]['number']}")
    thread.join()
    case("--wait acknowledged ends when it is", done[0].code == 0, done[0])
    wire.cut()
    wire.dead = True
    begun = time.monotonic()
    late = w.run("send", "talks", "-m", "While the link is down", "--wait", "stored", "--timeout", "500ms")
    number = late.out.strip().rsplit("/", 1)[-1]
    same("--wait stored ends with 3 and says so", (late.code, late.out, late.err),
         (3, f"washington.example/{number}\n", f"liaison: Recorded as washington/{number}. Not stored at "
          "pyongyang yet; it goes by itself. Do not send it again.\n"))
    case("after the time given", 0.4 < time.monotonic() - begun < 3)
    late = w.run("send", "talks", "-m", "More", "--wait", "stored", "--timeout", "200ms", "--json")
    same("with --json", (late.code, json.loads(late.err)["error"]["code"]), (3, "waiting"))
    status = w.status()["lines"][0]["members"]
    same("status counts what waits", [member["waiting"] for member in status], [2, 2])
    case("and since when", re.fullmatch(TIME, status[1]["oldest"] or ""), status)
    same("a link that is silent is down after three keep-alives",
         until(lambda: w.member("pyongyang.example")["links"][0]["observed"] == "down"), True)
    same("what is not stored is waiting or carried", [entry["state"] in ("waiting", "carried")
                                                      for entry in w.messages()[-2:]], [True, True])
    wire.dead = False
    case("it goes by itself", until(w.is_settled), w.status())
    same("once", [entry["text"] for entry in p.messages()][-2:], ["While the link is down", "More"])


def inbox(office):
    return [json.loads(line)["number"] for line in office.run("inbox", "talks", "--json").out.splitlines()]


def acknowledged_once(w, p):
    """The same entry in the same role: once, however often and however fast it is said."""
    def made():
        return [each for each in p.entries() if each["kind"] == "acknowledgement"]

    first, second, third = (number_of(w.run("send", "talks", "-m", text, "--wait", "stored")) for text in "def")
    ack = p.run("ack", "talks", f"washington/{first}")
    again = p.run("ack", "talks", f"washington.example/{first}", f"washington/{first}")
    case("an ack again gives the first one", ack.code == 0 and again.code == 0 and again.out == ack.out, again)
    case("and says by whom and when", re.fullmatch(
        rf"liaison: washington.example/{first} and the others were acknowledged before by pyongyang as duty-officer, "
        rf"at {TIME}, in its entry {number_of(ack)}; nothing was recorded\n", again.err), again)
    machine = p.run("ack", "talks", f"washington/{first}", "--json")
    same("in JSON", json.loads(machine.out),
         {"author": "pyongyang.example", "number": number_of(ack), "recorded": False})
    same("in JSON, the note", json.loads(machine.err)["note"]["code"], "acknowledged")
    before = made()
    other = p.run("ack", "talks", f"washington/{first}", "--as", "principal")
    case("another role may", other.code == 0 and other.err == "" and other.out != ack.out, other)
    some = p.run("ack", "talks", f"washington/{first}", f"washington/{second}", f"washington/{second}")
    case("of several only those that were not, each once", some.code == 0 and some.err == "", some)
    same("and the entries name those", [(each["as"], each["acknowledges"]) for each in made()[len(before):]],
         [("principal", [f"washington.example/{first}"]), ("duty-officer", [f"washington.example/{second}"])])
    # All at once, on one connection: nothing is folded, and not even recorded, when the next one comes.
    control = p.control()
    for i in range(20):
        control.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": 1000 + i, "method": "acknowledge", "params": {
            "line": "talks", "entries": [f"washington/{third}"], "as": "duty-officer"}}).encode() + b"\n")
    answers = [control.line()["result"] for _ in range(20)]
    control.close()
    same("twenty at once: one is recorded", [len({each["number"] for each in answers}),
                                             sum(each["recorded"] for each in answers)], [1, 1])
    token = "0123456789abcdef" * 2
    control = p.control()
    for i in range(20):
        control.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": 1000 + i, "method": "append", "params": {
            "line": "talks", "entries": [{"text": "Once", "token": token}]}}).encode() + b"\n")
    same("a token sent twenty times at once: one number", len({control.line()["result"]["entries"][0]["number"]
                                                               for _ in range(20)}), 1)
    control.close()
    same("twenty at once: one entry", [each["acknowledges"] for each in made()].count(
        [f"washington.example/{third}"]), 1)


def people(w, p):
    asked = number_of(w.run("send", "talks", "-m", "Question", "--wait", "stored"))
    case("inbox shows what waits for a person, the oldest first", until(lambda: inbox(p)[-1:] == [asked]), inbox(p))
    case("inbox in words", f"washington/{asked}  ROUTINE" in p.run("inbox", "talks").out)
    ack = p.run("ack", "talks", f"washington/{asked}", "--as", "principal")
    case("ack prints its own name", re.fullmatch(r"pyongyang\.example/\d+\n", ack.out), ack)
    case("and empties the inbox", until(lambda: asked not in inbox(p)))
    entry = until(lambda: next((each for each in w.messages() if each["number"] == asked and each["acknowledged"]),
                               None))
    case("the other side sees who acknowledged, as what and when", entry and entry["state"] == "acknowledged"
         and entry["acknowledged"][0]["by"] == "pyongyang.example" and entry["acknowledged"][0]["as"] == "principal"
         and re.fullmatch(TIME, entry["acknowledged"][0]["at"]), entry)
    case("in words", "acknowledged by pyongyang (principal)" in w.run("read", "talks").out)
    two = [number_of(w.run("send", "talks", "-m", text, "--wait", "stored")) for text in "ab"]
    case("ack takes several", p.run("ack", "talks", *(f"washington.example/{each}" for each in two)).code == 0)
    case("as duty officer, unless said", until(lambda: [each["acknowledged"][0]["as"] for each in w.messages()
                                                        if each["number"] in two and each["acknowledged"]]
                                               == ["duty-officer"] * 2))
    acknowledged_once(w, p)
    asked = number_of(w.run("send", "talks", "-m", "예?", "--language", "ko", "--wait", "stored"))
    p.run("send", "talks", "-m", "예.", "--language", "ko", "--answers", f"washington/{asked}", "--wait", "stored")
    entry = until(lambda: next((each for each in w.messages() if each["number"] == asked
                                and each["state"] == "answered"), None))
    case("an answered message is answered", entry)
    case("an answer empties the inbox, too", until(lambda: asked not in inbox(p)), inbox(p))
    is_error("nobody acknowledges his own", lambda *more: w.run("ack", "talks", f"washington/{asked}", *more), 1,
             "refused")
    is_error("nor what is not there", lambda *more: p.run("ack", "talks", "washington/99999", *more), 1, "not-found")
    is_error("nor as something else", lambda *more: p.run("ack", "talks", f"washington/{asked}", "--as", "king", *more),
             2, "usage")


def flash(w):
    before = len(w.messages())
    code, shown = at_terminal(["send", "talks", "-m", "No.", "--precedence", "flash", "--office", w.directory], b"n")
    case("flash asks on a terminal, and no means no", code == 1 and "FLASH" in shown and len(w.messages()) == before,
         f"{code} {shown}")
    code, shown = at_terminal(["send", "talks", "-m", "Yes.", "--precedence", "flash", "--office", w.directory], b"y")
    case("yes means yes", code == 0 and w.messages()[-1]["text"] == "Yes.", f"{code} {shown}")
    code, shown = at_terminal(["send", "talks", "-m", "Sure.", "--precedence", "flash", "--yes", "--office",
                               w.directory], b"")
    case("--yes does not ask", code == 0 and "[y/N]" not in shown, f"{code} {shown}")


def reading(w, p):
    until(lambda: w.is_settled() and p.is_settled())
    lines = w.run("read", "talks", "--json").out.splitlines()
    entries = [json.loads(line) for line in lines]
    same("read --json: the members of an object, in this order",
         sorted({tuple(name for name in entry if name in FIELDS) for entry in entries}), [tuple(FIELDS)])
    case("read --json: messages only", {entry["kind"] for entry in entries} == {"message"})
    case("read --json: the values' forms", all(
        isinstance(entry["number"], int) and isinstance(entry["exercise"], bool) and entry["readable"] is True
        and re.fullmatch(TIME, entry["written"]) and re.fullmatch(TIME, entry["received"])
        and re.fullmatch(r"[0-9a-f]{64}", entry["leaf"]) and all(list(each) == ["by", "at"] for each in entry["stored"])
        and all(list(each) == ["by", "as", "at"] for each in entry["acknowledged"]) for entry in entries))
    other = [json.loads(line) for line in p.run("read", "talks", "--json").out.splitlines()]
    same("read: the same order at both", [(entry["author"], entry["number"], entry["leaf"]) for entry in entries],
         [(entry["author"], entry["number"], entry["leaf"]) for entry in other])
    every = [json.loads(line) for line in w.run("read", "talks", "--all", "--json").out.splitlines()]
    for author in ("washington.example", "pyongyang.example"):
        numbers = [entry["number"] for entry in every if entry["author"] == author]
        same(f"read --all: {author} from 0 without gaps", numbers, list(range(len(numbers))))
    case("read --all: what the machinery wrote", {"charter", "prekeys", "epoch", "acknowledgement"}
         < {entry["kind"] for entry in every})
    text = w.run("read", "talks").out
    case("read folds the machinery's entries", re.search(r"(?m)^washington/\d+(-\d+)?  service \(keys\)$", text), text)
    case("read --all does not", "service (charter)\n" in w.run("read", "talks", "--all").out)
    first = entries[3]["number"]
    some = [json.loads(line) for line in w.run("read", "talks", "--from", f"washington/{first}", "--json")
            .out.splitlines()]
    same("read --from", [entry["leaf"] for entry in some], [entry["leaf"] for entry in entries[3:]])
    is_error("read --from what is not there", lambda *more: w.run("read", "talks", "--from", "washington/99999", *more),
             1, "not-found")
    is_error("read a line that is not there", lambda *more: w.run("read", "nothing", *more), 1, "not-found")


def following(w, p):
    command = subprocess.Popen([LIAISON, "read", "talks", "--follow", "--json", "--office", p.directory],
                               stdout=subprocess.PIPE)
    before = len(p.messages())
    pages = [json.loads(command.stdout.readline()) for _ in range(before)]
    number = number_of(w.run("send", "talks", "-m", "Follow me"))
    answer = number_of(p.run("send", "talks", "-m", "I do"))
    arrived = [json.loads(command.stdout.readline()) for _ in range(2)]
    case("read --follow goes on with what arrives", len(pages) == before and
         {(entry["author"], entry["number"]) for entry in arrived}
         == {("washington.example", number), ("pyongyang.example", answer)}, arrived)
    command.send_signal(signal.SIGINT)
    same("read --follow, interrupted", command.wait(5), 0)


def statuses(w):
    status = json.loads(w.run("status", "--json").out)
    case("status --json: the office", {"office", "state", "lines", "alarms"} <= set(status)
         and (status["office"], status["state"], status["alarms"]) == ("washington.example", "ready", []), status)
    line = status["lines"][0]
    case("status --json: a line", {"name", "id", "confirmed", "courier_key", "members"} <= set(line)
         and line["confirmed"] is True and line["courier_key"] is True, line)
    mine, other = line["members"]
    names = {"party", "size", "receipted", "waiting", "oldest", "links"}
    case("status --json: members, in the charter's order", names <= set(mine) and names <= set(other)
         and (mine["party"], other["party"]) == ("washington.example", "pyongyang.example"), line)
    case("status --json: nothing waits", (mine["size"], other["receipted"], other["waiting"], other["oldest"])
         == (mine["size"], mine["size"], 0, None), line)
    link = other["links"][0]
    case("status --json: links", list(link) == ["address", "stated", "observed", "since"]
         and (link["stated"], link["observed"]) == ("open", "up") and re.fullmatch(TIME, link["since"]), link)
    text = w.run("status").out
    case("status in words", text.startswith("washington.example: ready\n")
         and re.search(r"(?m)^line talks(  |$)", text), text)


def record(w, p):
    until(lambda: w.is_settled() and p.is_settled())
    verified = [office.verify() for office in (w, p)]
    case("record verify", verified[0].code == 0 and re.fullmatch(
        r"washington\.example \d+ [0-9a-f]{64}\npyongyang\.example \d+ [0-9a-f]{64}\n"
        r"verified \d+ entries, \d+ receipts\n", verified[0].out), verified[0])
    same("the same at both, once settled", verified[0].out.splitlines()[:2], verified[1].out.splitlines()[:2])
    machine = json.loads(w.run("record", "verify", "talks", "--json").out)
    same("record verify --json", [f"{each['party']} {each['size']} {each['root']}" for each in machine["members"]],
         verified[0].out.splitlines()[:2])
    for office, name in ((w, "w"), (p, "p")):
        office.run("record", "export", "talks", "--format", "json", "-o", path(name + ".json"))
        same(f"record export --format json at {office.name}", read(name + ".json").decode(),
             office.run("read", "talks", "--all", "--json").out)
    w.run("record", "export", "talks", "--format", "text", "-o", path("w.text"))
    same("record export --format text", read("w.text").decode(), w.run("read", "talks").out)
    same("record export -o -", w.run("record", "export", "talks", "--format", "text", "-o", "-").out,
         read("w.text").decode())


def proofs(w, p):
    number = number_of(w.run("send", "talks", "-m", "To be proved", "--wait", "stored"))
    until(lambda: w.is_settled() and p.is_settled())
    for office, name in ((w, "w"), (p, "p")):
        case(f"record policy at {office.name}",
             office.run("record", "policy", "talks", "-o", path(name + ".policy")).code == 0)
        proved = office.run("record", "prove", "talks", f"washington/{number}", "-o", path(name + ".proof"))
        case(f"record prove at {office.name}", proved.code == 0, proved)
    same("both write the same policy", read("w.policy"), read("p.policy"))
    for prover in "wp":
        for truster in "wp":
            said = run(path(prover + ".proof"), "--policy", path(truster + ".policy"), program=LIAISON_VERIFY)
            case(f"liaison-verify: {prover}'s proof under {truster}'s policy", said.code == 0 and re.match(
                rf"washington\.example wrote this as number {number} of its log, "
                 rf"and pyongyang\.example held it at {TIME}",
                said.out), said)
    answer = json.loads(run(path("w.proof"), "--policy", path("w.policy"), "--json", program=LIAISON_VERIFY).out)
    leaf = next(entry["leaf"] for entry in w.messages() if entry["number"] == number)
    case("liaison-verify --json", (answer["author"], answer["number"], answer["leaf"], answer["held"][0]["by"])
         == ("washington.example", number, leaf, "pyongyang.example"), answer)
    # A policy that a stranger wrote down by hand, from the two keys that he was given.
    words = {line.split()[0]: line.split()[1:] for line in read("w.policy").decode().splitlines() if line.strip()}
    log = [line.split() for line in read("w.policy").decode().splitlines() if line.startswith("log ")]
    witness = [line.split() for line in read("w.policy").decode().splitlines() if line.startswith("witness ")]
    case("a policy names logs, witnesses and a quorum", log and witness and "quorum" in words, read("w.policy"))
    theirs = next(line for line in witness if "pyongyang" in " ".join(line)) if any(
        "pyongyang" in " ".join(line) for line in witness) else witness[1]
    write("hand.policy", "\n".join([" ".join(line) for line in log]) + f"\nwitness them {theirs[2]}\nquorum them\n")
    said = run(path("w.proof"), "--policy", path("hand.policy"), program=LIAISON_VERIFY)
    case("a policy written by hand", said.code == 0 and "them held it at" in said.out, said)
    flipped(number)
    is_error("no proof of what is not there",
             lambda *more: w.run("record", "prove", "talks", "washington/99999", "-o", path("no.proof"), *more), 1,
             "not-found")
    case("and no file", not os.path.exists(path("no.proof")))


def flipped(number):
    """Bits of a proof, one at a time: it is refused, or proves the very same thing. All of them where there is time; else
    one of each byte, another one in each than in the last."""
    proof = read("p.proof")
    accepted, other = [], []
    bits = range(len(proof) * 8) if LONG else [at * 8 + at % 8 for at in range(len(proof))]
    for bit in bits:
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        write("changed.proof", bytes(changed))
        done = subprocess.run([LIAISON_VERIFY, path("changed.proof"), "--policy", path("p.policy")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode == 0:
            accepted.append(bit)
        elif done.returncode != 1 or done.stdout or not done.stderr.startswith(b"liaison-verify: "):
            other.append((bit, done.returncode))
    case(f"liaison-verify: each of {len(bits)} bits changed is refused", not accepted and number > 0,
         f"accepted: {[(bit // 8, bit % 8, proof[max(0, bit // 8 - 20):bit // 8 + 4]) for bit in accepted[:5]]}")
    case("with exit code 1 and a sentence", not other, other[:5])


def control(w, p):
    line = Control(os.path.join(w.directory, "control.sock"))
    try:
        line.ask("append", line="talks", entries=[{"text": "x"}] * 1025)
        case("append takes at most 1,024", False)
    except Refused as error:
        same("append takes at most 1,024", error.code, "usage")
    many = line.ask("append", line="talks", entries=[{"text": f"{i}"} for i in range(1024)])["entries"]
    numbers = [each["number"] for each in many]
    same("append takes 1,024", numbers, list(range(numbers[0], numbers[0] + 1024)))
    try:
        line.ask("append", line="talks", entries=[{"text": "fine"}, {"text": ""}])
        case("all of an append, or none", False)
    except Refused as error:
        same("all of an append, or none", (error.code, w.messages()[-1]["text"]), ("usage", "1023"))
    same("a request of 1 MiB", len(line.ask("append", line="talks", entries=[{"text": "y" * 59000}] * 17)["entries"]),
         17)
    line.socket.sendall(b" " * ((1 << 20) + 1))
    try:
        answer = line.line()
        same("a request of more is refused, and the connection closed", (answer["id"], answer["error"]["code"]),
             (None, -32700))
        line.line()
        case("closed", False)
    except Lost:
        pass
    subscribed = p.control()
    subscribed.ask("subscribe", line="talks")
    until(lambda: w.is_settled() and p.is_settled(), 30)
    number = number_of(w.run("send", "talks", "-m", "Event"))
    kinds = set()
    while "entry" not in kinds:
        event = subscribed.line()["params"]
        if event["event"] == "entry" and event["entry"]["text"] == "Event":
            kinds.add("entry")
            same("subscribe: an entry comes as it arrives", event["entry"]["number"], number)
    if shutil.which("socat"):
        said = run("-t5", "-", f"UNIX:{w.directory}/control.sock", program="socat",
                   stdin=b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
        case("socat can ask", json.loads(said.out)["result"]["office"] == "washington.example", said)
    else:
        skip("socat can ask", "socat is not installed")


def unknown(w):
    """Exit code 5: the daemon goes away with the question."""
    directory = path("between")
    os.mkdir(directory, 0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(directory, "control.sock"))
    listener.listen(8)

    def serve():
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(os.path.join(w.directory, "control.sock"))
        while True:
            for ready in select.select([near, far], [], [], 10)[0]:
                data = ready.recv(1 << 16)
                (far if ready is near else near).sendall(data)
                if b'"append"' in data:
                    os.unlink(os.path.join(directory, "control.sock"))
                    listener.close()
                    near.close()
                    time.sleep(1)
                    far.close()
                    return

    threading.Thread(target=serve, daemon=True).start()
    lost = run("send", "talks", "-m", "Perhaps", "--office", directory)
    case("a daemon that goes away with the question: exit 5, and the token to ask again with",
         lost.code == 5 and lost.out == "" and re.search(r"not known.*--token [0-9a-f]{32}", lost.err), lost)
    token = re.search(r"--token ([0-9a-f]{32})", lost.err)
    if token:
        number = w.messages()[-1]["number"]
        same("asked again with it, it is there once",
             number_of(w.run("send", "talks", "-m", "Perhaps", "--token", token.group(1))), number)


def broken(p):
    """Exit code 6: an entry on the disk is not what was recorded."""
    p.stop()
    database = sqlite3.connect(os.path.join(p.directory, "liaison.db"))
    place, entry = database.execute("SELECT place, bytes FROM entries ORDER BY place LIMIT 1 OFFSET 9").fetchone()
    database.execute("UPDATE entries SET bytes = ? WHERE place = ?", (entry[:-1] + bytes([entry[-1] ^ 1]), place))
    database.commit()
    database.close()
    p.start()
    is_error("record verify: a flipped bit on the disk", lambda *more: p.run("record", "verify", "talks", *more), 6,
             "mismatch")


def main():
    w, p = Office("washington.example", "w"), Office("pyongyang.example", "p")
    w.start()
    p.start()
    found(w, p)
    wire = Wire(p.port())
    w.run("link", "add", "talks", "pyongyang.example", wire.address)
    case("the line is up", until(lambda: w.is_settled() and p.is_settled()))
    sending(w, p)
    tokens(w)
    waiting(w, p, wire)
    people(w, p)
    flash(w)
    reading(w, p)
    following(w, p)
    statuses(w)
    record(w, p)
    proofs(w, p)
    control(w, p)
    unknown(w)
    broken(p)
    p.stop()
    is_error("no daemon: exit 4", lambda *more: p.run("send", "talks", "-m", "Hello?", *more), 4, "no-daemon")
    finish()


main()
