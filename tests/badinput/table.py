"""The driver of the tables that are handed to real programs: catalogue.h says what a case is, and this is the same with
processes, files and sockets. A program is run as PROGRAM LIAISON LIAISOND LIAISON_VERIFY [--list].
"""
import hashlib
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "end"))
LIST = "--list" in sys.argv
import offices  # pylint: disable=wrong-import-position

SHOWN = 5  # cases that went wrong, of a family

names = set()
inputs = set()
current = {"family": "", "tried": 0, "wrong": []}


def state(*paths):
    """What may not change: the names, kinds, modes, sizes and times of all files, and what they hold."""
    found = []
    for top in paths:
        walked = [(top, [], [])] if not os.path.isdir(top) or os.path.islink(top) else os.walk(top)
        for folder, folders, files in walked:
            for each in [folder, *(os.path.join(folder, name) for name in sorted(folders + files))]:
                try:
                    status = os.lstat(each)
                except FileNotFoundError:
                    found.append((each, None))
                    continue
                found.append(
                    (each, status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                )
    return sorted(found, key=repr)


def bytes_of(*paths):
    """What the files hold: slower than state(), and asked once a family."""
    digest = hashlib.sha256()
    for entry in state(*paths):
        if os.path.isfile(entry[0]):
            with open(entry[0], "rb") as file:
                digest.update(repr(entry[0]).encode() + file.read())
    return digest.digest()


def sentence_fault(text, start, fragment):
    """What is wrong with one line on standard error, or with a message where `start` is empty; None if nothing."""
    sentence = text[len(start) :].removesuffix("\n")
    if not text.startswith(start) or "\n" in sentence or len(sentence) < 12 or " " not in sentence:
        return "is no sentence"
    if re.search("[\x00-\x1f\x7f\ud800-\udfff]", sentence):
        return "holds what is no text"
    if sentence[0].isupper() or sentence[0] == " " or sentence[-1] in " :,":
        return "begins or ends like no sentence of the house"
    if not any(part in sentence for part in fragment.split("|")):
        return f"does not say what is wrong ({fragment})"
    return None


def family(name):
    """Ends the family before, and begins one."""
    if current["family"] and not LIST:
        wrong = current["wrong"]
        if not current["tried"]:
            wrong.append("no case of this family was tried")
        for each in wrong[:SHOWN]:
            offices.note(each)
        offices.case(f"{current['tried']} of {current['family']}", not wrong)
    current.update(family=name, tried=0, wrong=[])


def bad(interface, name, given, attempt, unchanged=()):
    """One case. `attempt` gives what is wrong with how it was refused, None if nothing; `unchanged` are files."""
    full = f"{interface}: {name}"
    digest = hashlib.sha256(interface.encode() + b"\0" + given).hexdigest()
    if digest in inputs:
        return
    inputs.add(digest)
    if full in names:
        current["wrong"].append(f"{full}: another case has this name")
    names.add(full)
    if LIST:
        print(f"case {digest} {full}".encode("utf-8", "backslashreplace").decode())
        return
    current["tried"] += 1
    before = state(*unchanged)
    wrong = attempt()
    if wrong is None and state(*unchanged) != before:
        after = state(*unchanged)
        wrong = f"something changed: {[each for each in after + before if each not in after or each not in before][:3]}"
    if wrong is not None:
        current["wrong"].append(f"{full}: {wrong}")


def command_fault(result, start, code, fragment):
    """What is wrong with how a program refused; None if nothing."""
    fault = sentence_fault(result.err, start, fragment)
    if result.code != code:
        return f"exit {result.code}, not {code}: {result.out[:300]}{result.err[:300]}"
    if result.out:
        return f"it wrote to standard output: {result.out[:300]}"
    return None if fault is None else f"its sentence {fault}: {result.err[:300]}"


def shown(words):
    return " ".join(
        each.decode("utf-8", "backslashreplace")
        if isinstance(each, bytes)
        else repr(each)
        if not each or re.search(r"[\s\x00-\x1f]", each)
        else each
        for each in words
    )[:180]


def end():
    family("")
    if not LIST:
        offices.case(f"{len(inputs)} bad inputs, all different", len(inputs) > 0)
        offices.finish()
    offices.finished = True  # nothing was made that is worth keeping
    sys.exit(0)
