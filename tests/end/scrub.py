#!/usr/bin/python3
"""What breaks on the disk is found when it is read again, fetched from the other member, and proved before it is taken."""
from offices import SEED, Office, case, finish, found, note, same, spoil, until

note(f"seed {SEED}")
washington, pyongyang = Office("washington.example", "w").start(), Office("pyongyang.example", "p").start()
pyongyang.options[pyongyang.options.index("--listen") + 1] = pyongyang.listen[0]  # the same after a restart
found(washington, pyongyang)
washington.run("link", "add", "talks", "pyongyang", pyongyang.listen[0])
sent = [washington.run("send", "talks", "-m", f"message {i}", "--wait", "stored").out.strip() for i in range(5)]
until(washington.is_settled)
before = pyongyang.verify().out


for office, member, what in ((pyongyang, 0, "another's entry"), (washington, 0, "one's own entry")):
    number = int(sent[2].rsplit("/", 1)[1])
    same(f"{what}: the daemon ends", office.stop(), 0)
    spoil(office, member, number)
    office.start()
    same(f"{what}: record verify finds it", office.verify().code, 6)
    if not case(f"{what}: it is mended from the other's copy", until(lambda: office.verify().code == 0, 40)):
        note(office.said())
    same(f"{what}: the record is as before", office.verify().out.splitlines()[:2], before.splitlines()[:2])
    case(f"{what}: it was told", "was mended from another member's copy" in office.said())
    same(f"{what}: the alarm is over", office.status()["alarms"], [])
same("every text can be read", [entry["text"] for entry in pyongyang.messages()], [f"message {i}" for i in range(5)])
finish()
