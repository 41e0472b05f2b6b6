"""Real offices put back from backups: they ask the others for their own log, and go on where they were.

A copy of a running office's folder is put back while its mark goes on, as an administrator would do it; with members
away, with a line that the backup does not have, and with a mark that was restored, too.
"""
import shutil

from offices import Office, case, finish, found, path, same, until


def back_up(office, name):
    """Of an office that has ended."""
    shutil.copytree(office.directory, path(name))


def put_back(office, name):
    shutil.rmtree(office.directory)
    shutil.copytree(path(name), office.directory)


def restart(office):
    office.launch()
    return office.await_state()


def say(office, text, line="talks"):
    sent = office.run("send", line, "-m", text)
    if sent.code != 0:
        case(f"{office.name} says {text!r}", False, sent)


def texts(office, line="talks"):
    return [entry["text"] for entry in office.messages(line)]


def link(a, b, line="talks"):
    a.run("link", "add", line, b.name, f"unix:{b.directory}/link.sock")


def same_record(name, *offices, line="talks"):
    roots = [office.verify(line) for office in offices]
    case(name, all(each.code == 0 for each in roots) and
         len({tuple(each.out.splitlines()[:-1]) for each in roots}) == 1, roots)


def main():
    w, p, b = (Office(f"{name}.example", name[0]).start() for name in ("washington", "pyongyang", "beijing"))
    found(w, p, b)
    link(w, p)
    link(w, b)
    link(p, b)
    say(w, "before")
    case("all is receipted", until(lambda: all(each.is_settled() for each in (w, p, b))))
    w.stop()
    back_up(w, "yesterday")
    shutil.copy(w.mark, path("yesterday.mark"))
    restart(w)
    for number in range(30):
        say(w, f"after {number}")
    say(p, "theirs")
    case("all is receipted again", until(lambda: all(each.is_settled() for each in (w, p, b))))
    w.stop()

    # --- nobody is there to ask
    put_back(w, "yesterday")
    p.stop()
    b.stop()
    same("an office put back from a backup asks", restart(w), "asking")
    status = w.status()
    case("status says what for", status["state"] == "asking" and "entries are here" in status["reason"], status)
    refused = w.run("send", "talks", "-m", "now", "--json")
    case("nothing is recorded meanwhile", refused.code == 1 and '"asking"' in refused.err, refused)
    case("what is here can be read", texts(w) == ["before"], texts(w))
    case("and it is verified", w.verify().code == 0, w.verify())

    # --- one of the others, who is not the one it talked to last
    restart(b)
    case("it goes on when one of the others is there", until(lambda: w.status()["state"] == "ready"), w.status())
    restart(p)
    case("all is receipted", until(lambda: all(each.is_settled() for each in (w, p, b))), w.status())
    same("and it holds what all hold", texts(w).count("theirs"), 1)
    say(w, "it goes on")
    case("what it says is received", until(lambda: "it goes on" in texts(p) and "it goes on" in texts(b)))
    same_record("the roots are identical", w, p, b)
    same("nobody has raised an alarm", [each.status()["alarms"] for each in (w, p, b)], [[], [], []])
    same("what was lost is in their record", [text for text in texts(p) if text.startswith("after")],
         [f"after {number}" for number in range(30)])

    # --- a line that the backup does not have
    found(w, p, line="later")
    link(w, p, "later")
    say(w, "on the later line", "later")
    case("a second line", until(lambda: w.is_settled("later") and "on the later line" in texts(p, "later")))
    w.stop()
    put_back(w, "yesterday")
    same("the backup lacks a line: it asks", restart(w), "asking")
    case("one line comes back", until(lambda: w.is_settled("talks") and w.member(w.name)["size"] > 38), w.status())
    case("and status tells of the other", "line join" in (w.status()["reason"] or ""), w.status())
    joined = w.run("line", "join", path("later.charter"), "--key", path("later.key"))
    case("it is joined again", joined.code == 0, joined)
    link(w, p, "later")
    case("and comes back", until(lambda: w.status()["state"] == "ready"), w.status())
    case("with its log", until(lambda: w.is_settled("later")), w.status())
    say(w, "again", "later")
    case("on which it goes on", until(lambda: "again" in texts(p, "later")), texts(p, "later"))
    same_record("the roots are identical", w, p, line="later")
    same("nobody has raised an alarm", [each.status()["alarms"] for each in (w, p, b)], [[], [], []])

    # --- the mark was restored, too
    w.stop()
    put_back(w, "yesterday")
    shutil.copy(path("yesterday.mark"), w.mark)
    restart(w)
    case("with an old mark it stops as soon as another shows more", until(lambda: w.status()["state"] == "stopped"),
         w.status())
    w.kill()
    finish()


main()
