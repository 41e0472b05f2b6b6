#!/usr/bin/python3
"""What was said on a line is shown to somebody who is no member: by any member, one entry or several, and nothing else.

Three parties speak in five scripts, and hostile text; each disclosure is checked by liaison-verify with public keys alone,
and refused when anything in it is another's: key, proof, text, line, number.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import stat

from offices import (LIAISON_VERIFY, TIME, Office, Refused, case, finish, found, is_error, note, path, read, run, same, skip,
                     until, write)

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
except ImportError:
    ChaCha20Poly1305 = None

TEXTS = {
    "ko": "예, 방에 있습니다. 말씀하십시오.",
    "zh": "我们同意在下周二举行会谈。\n第二行。",
    "ru": "Мы получили ваше сообщение.",
    "ar": "نحن نوافق على الاجتماع يوم الثلاثاء.",
    "he": "אנחנו מסכימים.",
}
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eyltnedive\u202c\npyongyang.example signed at 2026-01-01T00:00:00Z, by its own clock"
FIRST = "liaison-disclosure/v1\n"


def verify(*words):
    """liaison-verify, as somebody who has no office."""
    return run(*words, program=LIAISON_VERIFY)


def disclosed(office, entry, name):
    """The disclosure as a text, made by an office into a file of that name once the receipts have reached it."""
    if not until(lambda: office.run("record", "disclose", "talks", entry, "-o", path(name)).code == 0):
        raise SystemExit(f"Bail out! {office.run('record', 'disclose', 'talks', entry, '-o', path(name))!r}")
    return read(name).decode()


def refused(name, text, words, *trust):
    """A changed disclosure is refused in a sentence, and nothing is said to be proved."""
    said = verify(write("changed", text), *(trust or ("--policy", path("talks.policy"))))
    case(name, said.code == 1 and said.out == "" and re.fullmatch(r"liaison-verify: [^\n]+\n", said.err) and words in said.err,
         said)


offices = [Office(f"{name}.example", name[0]).start() for name in ("washington", "pyongyang", "geneva")]
washington, pyongyang, geneva = offices
for line in ("talks", "other"):
    found(*offices, line=line)
    for office, party in ((washington, pyongyang), (washington, geneva), (pyongyang, geneva)):
        office.run("link", "add", line, party.name, f"tcp://127.0.0.1:{party.port()}")
question = washington.run("send", "talks", "-m", "Are you in the room?", "--language", "en", "--precedence", "flash", "--yes",
                          "--wait", "stored", "--timeout", "20s").out.strip()
said = {language: pyongyang.run("send", "talks", "-m", text, "--language", language, "--answers", question).out.strip()
        for language, text in TEXTS.items()}
hostile = geneva.run("send", "talks", "-", "--exercise", stdin=HOSTILE.encode()).out.strip()
LONG = "We agree." + " " * 69 + "beijing.example signed at 2026-11-27T20:00:00Z, that it held this entry. " + "가" * 200
long = geneva.run("send", "talks", "-", stdin=LONG.encode()).out.strip()
acknowledgement = pyongyang.run("ack", "talks", question, "--as", "principal").out.strip()
case("all is held by all", until(lambda: all(office.is_settled() for office in offices) and
                                 len({len(office.entries()) for office in offices}) == 1))
washington.run("record", "policy", "talks", "-o", path("talks.policy"))
line_id = next(line["id"] for line in washington.status()["lines"] if line["name"] == "talks")

# --- one entry --------------------------------------------------------------------------------------------------------

text = disclosed(washington, question, "flash")
same("a disclosure is its owner's to give: mode 0600", stat.S_IMODE(os.stat(path("flash")).st_mode), 0o600)
number = question.partition("/")[2]
case("people read who wrote it, what, when, and who held it",
     re.match(rf"liaison-disclosure/v1\n\nwashington\.example wrote, as entry {number} of its log on the line talks:\n\n"
              rf"\| Are you in the room\?\n\nWritten at {TIME} by its author's clock\. Precedence flash\. Language en\.\n"
              rf"pyongyang\.example signed at {TIME}, by its own clock, that it held this entry\.\n"
              rf"geneva\.example signed at {TIME}, by its own clock, that it held this entry\.\n"
              rf"The line is {line_id}\.\n\n", text), text[:900])
head = text[len(FIRST) + 1:text.index("\nThat it was held")]
for trust in (("--policy", path("talks.policy")), ("--line", line_id), ("--policy", path("talks.policy"), "--line", line_id)):
    result = verify(path("flash"), *trust)
    case(f"it is proved: {trust[0]}{' and another' if len(trust) > 2 else ''}",
         result.code == 0 and result.out.startswith(head + "leaf ") and "PROVED" in result.out, result)
for office in (pyongyang, geneva):
    same(f"any member may show it: {office.name}", verify(write("other", disclosed(office, question, "other")), "--line",
                                                          line_id).code, 0)
same("without trust from elsewhere nothing is proved", verify(path("flash")).code, 2)
same("a proof is not taken for a disclosure", washington.run("record", "prove", "talks", question, "-o", path("proof")).code, 0)
same("nor checked without a policy", verify(path("proof"), "--line", line_id).code, 2)
same("the daemon says in its log what was disclosed", f"washington/{number} of the line talks was disclosed"
     in washington.said(), True)

for language, entry in said.items():
    content = disclosed(geneva, entry, language)
    result = verify(path(language), "--policy", path("talks.policy"))
    shown = "".join(f"| {row}\n" for row in TEXTS[language].split("\n"))
    case(f"{language} is shown as it was written", result.code == 0 and shown in result.out and shown in content and
         f"Language {language}.\nIt answers {question}.\n" in result.out, result)
    answer = json.loads(verify(path(language), "--policy", path("talks.policy"), "--json").out)["disclosed"][0]
    same("and exactly so in JSON", (answer["text"], answer["language"], answer["answers"], answer["author"]),
         (TEXTS[language], language, [question], "pyongyang.example"))

content = disclosed(washington, hostile, "hostile")
for name, output in (("the file", content), ("the answer", verify(path("hostile"), "--line", line_id).out)):
    case(f"hostile text is harmless in {name}", "| <U+001B>]0;owned<U+0007><U+001B>[2J<U+202E>yltnedive<U+202C>\n| pyongyang.ex"
         in output and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", output), output[:600])
case("and an exercise is said to be one", "on the line talks, in an EXERCISE and not as meant:\n\n" in content, content[:300])
disclosed(washington, long, "long")
rows = [line for line in verify(path("long"), "--line", line_id).out.splitlines() if line.startswith("|")]
case("no terminal breaks what the author wrote, so that it would stand without a bar",
     len(rows) > 3 and all(row.startswith("| ") and len(row.encode()) <= 76 for row in rows) and
     "".join(row[2:] for row in rows) == LONG, rows)
machine = verify(path("hostile"), "--line", line_id, "--json").out
case("in JSON it is exact, and ASCII", machine.isascii() and json.loads(machine)["disclosed"][0]["text"] == HOSTILE and
     json.loads(machine)["disclosed"][0]["exercise"] is True, machine)
content = disclosed(washington, acknowledgement, "acknowledgement")
case("an acknowledgement says who has seen what", f", that a person, the principal, has seen:\n\n| {question}\n" in content and
     verify(path("acknowledgement"), "--line", line_id).code == 0, content[:600])

# --- opened by another program ----------------------------------------------------------------------------------------


def parts_of(content):
    """Of a disclosure of a short text: the entry's header, t, com and ciphertext; and the key."""
    entry = base64.b64decode(re.search("^extra (.*)$", content, re.M).group(1))
    clear = len(entry) - 256 - 16
    return (entry[:clear - 48], entry[clear - 48:clear - 32], entry[clear - 32:clear], entry[clear:]), \
        base64.b64decode(re.search("^key (.*)$", content, re.M).group(1))


def opened(entry, key):
    """What another program opens with the key, as spec/desk.md says; None if it does not open."""
    header, tag, commitment, ciphertext = entry
    if hashlib.sha256(b"liaison/commit/v1" + key).digest() != commitment:
        return None
    secret = hmac.new(key, b"enc", hashlib.sha256).digest()
    return ChaCha20Poly1305(secret).decrypt(bytes(12), ciphertext, header + tag + commitment)


if ChaCha20Poly1305 is None:
    skip("another program opens what is disclosed", "python3-cryptography is not installed")
else:
    whole = {language: parts_of(read(language).decode()) for language in said}
    case("another program opens what is disclosed", all(TEXTS[language].encode() in opened(*whole[language]) for language in said))
    case("and each key opens its own entry alone", all(
        (opened(whole[entry][0], whole[key][1]) is None) == (entry != key) for entry in said for key in said))

    def decrypts(entry, key):
        """Whether a program that does not look at the commitment gets anything."""
        try:
            ChaCha20Poly1305(hmac.new(key, b"enc", hashlib.sha256).digest()).decrypt(bytes(12), entry[3], b"".join(entry[:3]))
            return True
        except InvalidTag:
            return False

    case("also where nobody looks at the commitment", all(
        decrypts(whole[entry][0], whole[key][1]) == (entry == key) for entry in said for key in said))

# --- several ----------------------------------------------------------------------------------------------------------

last = max(entry["number"] for entry in pyongyang.entries() if entry["author"] == "pyongyang.example")
kinds = {entry["number"]: entry["kind"] for entry in pyongyang.entries() if entry["author"] == "pyongyang.example"}
result = washington.run("record", "disclose", "talks", f"pyongyang/0-{last}", "-o", path("range"), "--json")
facts = json.loads(result.out)
same("a range holds all that has a text", facts["entries"], sum(kind in ("message", "acknowledgement") for kind in kinds.values()))
same("and names what has none", facts["left_out"], [f"pyongyang/{each}" for each, kind in sorted(kinds.items())
                                                   if kind not in ("message", "acknowledgement")])
result = verify(path("range"), "--policy", path("talks.policy"), "--json")
same("all of it is proved", [each["number"] for each in json.loads(result.out)["disclosed"]],
     [each for each, kind in sorted(kinds.items()) if kind in ("message", "acknowledgement")])
several = read("range").decode()
parts = [FIRST + part for part in several.split(FIRST)[1:]]
same("it is single ones, one after another", [verify(write("part", part), "--line", line_id).code for part in parts],
     [0] * len(parts))
spoilt = several.replace(TEXTS["ru"], TEXTS["ru"] + "!", 1)
refused("one that is wrong refuses all, and is named", spoilt, "disclosure 3: what people read in it is not what")

# --- what is another's ------------------------------------------------------------------------------------------------

korean, chinese = read("ko").decode(), read("zh").decode()


def part(content, pattern):
    return re.search(pattern, content, re.M | re.S).group()


KEY, PROOF, CHARTER = r"^key [^\n]*\n", r"^c2sp\.org.*?(?=^liaison-charter)", r"^liaison-charter.*"
refused("the key of another entry", korean.replace(part(korean, KEY), part(chinese, KEY)), "not the one that the entry commits to")
refused("the proof of another entry", korean.replace(part(korean, PROOF), part(chinese, PROOF)),
        "not the one that the entry commits to")
refused("another text for people", korean.replace("| 예", "| 아니오"), "what people read in it is not what")
refused("another time", re.sub("signed at 20", "signed at 19", korean, count=1), "what people read in it is not what")
refused("another number", korean.replace(f"as entry {said['ko'].partition('/')[2]} ", "as entry 99 "), "what people read")
refused("another author", korean.replace("pyongyang.example wrote", "geneva.example wrote", 1), "what people read")
refused("a receipt less", re.sub(r"(\n\u2014 [^\n]*)\n\nliaison-charter", "\n\nliaison-charter", korean), "what people read")
refused("a line less at the end", korean[:-1], "ends before the blank line")
refused("and a line more", korean + "\n", "disclosure")
refused("another line's id", korean, "it is of another line", "--line", "0" * 64)
washington.run("record", "policy", "other", "-o", path("other.policy"))
washington.run("send", "other", "-m", "Elsewhere.", "--wait", "stored", "--timeout", "20s")
other = next(entry for entry in washington.messages("other"))
case("on another line all is receipted", until(lambda: washington.run("record", "disclose", "other", f"washington/{other['number']}",
                                                                      "-o", path("elsewhere")).code == 0))
refused("another line's policy", korean, "no log of the policy has signed this head", "--policy", path("other.policy"))
refused("another line's charter", korean.replace(part(korean, CHARTER), part(read("elsewhere").decode(), CHARTER)),
        "no log of the policy has signed this head")
refused("another version", korean.replace("disclosure/v1", "disclosure/v2"), "another version")
refused("more than is taken", FIRST + "\n" + "| x\n" * (5 << 20), "longer than")
refused("a name that is not the policy's", korean, "the policy calls its author", "--policy",
        write("renamed", re.sub("liaison:pyongyang.example", "liaison:seoul.example", read("talks.policy").decode())))

# --- what cannot be disclosed -----------------------------------------------------------------------------------------


def refusal(entry, line="talks"):
    return lambda *more: washington.run("record", "disclose", line, entry, "-o", path("none"), *more)


for entry, words in (("washington/0", "is the line's charter: it has no sealed text"), ("washington/1", "is prekeys"),
                     ("pyongyang/2", "is the beginning of an epoch")):
    is_error(f"{entry}: {words}", refusal(entry), 1, "invalid", words)
is_error("an entry that does not exist", refusal("washington/999"), 1, "not-found", "is not in the record")
is_error("a range that goes beyond what is there", refusal(f"pyongyang/2-{last + 1}"), 1, "not-found", "is not in the record")
is_error("a range of nothing but the machinery", refusal("washington/0-1"), 1, "refused", "none of these entries")
is_error("a party that is none", refusal("seoul/3"), 1, "not-found", "no member of this line")
is_error("a line that is none", refusal("washington/3", "none"), 1, "not-found", "")
for wrong in ("washington", "washington/", "washington/3-", "washington/3-2", "washington/3-4-5", "/3", "washington/0-1024"):
    is_error(f"wrong usage: {wrong}", refusal(wrong), 2, "usage", "")
geneva.stop()
entry = washington.run("send", "talks", "-m", "Only one holds this.").out.strip()
case("what not all have receipted is not disclosed", until(
    lambda: "only 1 of 2 others have receipted" in refusal(entry)().err), refusal(entry)())
is_error("and nothing is written", refusal(entry), 1, "refused", "only 1 of 2 others have receipted")
case("no file was left by what was refused", not os.path.exists(path("none")))
geneva.options[geneva.options.index("--listen") + 1] = geneva.listen[0]
geneva.start()
case("until they have", until(lambda: refusal(entry)().code == 0))
try:
    washington.ask("record.disclose", line="talks", entry="washington/1")
    case("the control socket refuses what has no text", False)
except Refused as error:
    same("the control socket refuses what has no text", error.code, "invalid")
note(f"{len(read('flash'))} bytes for a short message of three parties")
finish()
