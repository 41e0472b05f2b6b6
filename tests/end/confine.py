"""What a running daemon has given up, where its keys lie in memory, and that it says when it is not confined."""
import base64
import os
import re
import signal

from offices import Office, case, finish, found, note, path, run, same, skip, until

PAGE_LIMIT = 1 << 26


def threads(pid):
    """The status files of all threads, as one table each."""
    for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
            yield dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)


def children(pid):
    found_ = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/status", encoding="utf-8") as file:
                text = file.read()
        except OSError:
            continue
        if re.search(rf"^PPid:\t{pid}$", text, re.M):
            found_.append(int(name))
    return found_


def places(pid, secret):
    """The VmFlags of the mappings in which the secret lies, by their addresses."""
    holding, flags, span = {}, {}, None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ rw", line):
                span = line.split()[0]
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                span = None
            elif line.startswith("VmFlags:") and span:
                flags[span] = line.split()[1:]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for span, words in flags.items():
            start, end = (int(each, 16) for each in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(min(end - start, PAGE_LIMIT))
            except OSError:
                continue
            if secret in content:
                holding[span] = words
    return holding


def same_in_all_threads(name, pid, key, wanted):
    values = [each.get(key, "").strip() for each in threads(pid)]
    same(name, (len(values) > 2, set(values)), (True, {wanted}))


# A folder of its own, which is not the office's.
os.mkdir(path("sockets"))
w = Office("washington.example", "w", "--listen", "unix:" + path("sockets/link")).start()
p = Office("pyongyang.example", "p").start()
found(w, p)
w.run("link", "add", "talks", "pyongyang", p.listen[0])
until(w.is_settled)
pid = w.process.pid
lacking = w.status()["unprotected"]
instrumented = any("instrumented" in each for each in lacking)

if instrumented:
    skip("all of it", lacking[0])
    finish()

# --- what it gave up
note(f"lacking on this machine: {lacking}")
same_in_all_threads("no thread could gain rights", pid, "NoNewPrivs", "1")
same_in_all_threads("every thread is under the filter of system calls", pid, "Seccomp", "2")
same_in_all_threads("no thread has a capability", pid, "CapPrm", "0" * 16)
told = 1 << (signal.SIGTERM - 1) | 1 << (signal.SIGINT - 1)
same("signals are for the main thread alone, so that none ends it otherwise than it would",
     [int(each["SigBlk"], 16) & told for each in threads(pid)], [0] + [told] * (len(list(threads(pid))) - 1))
with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
    case("no core is dumped", re.search(r"^Max core file size +0 +0 ", limits.read(), re.M))
same("the log says what is lacking, and only that", "LESS PROTECTED" in w.said(), bool(lacking))
same("so does status", w.run("status").out.count("LESS PROTECTED: "), len(lacking))

# --- where the keys are
if os.geteuid() == 0:
    with open(w.sheet, encoding="ascii") as file:
        keys = {name: base64.b64decode(key) for name, key in re.findall(r"^(\S+-(?:seed|secret)) (\S+)$", file.read(), re.M)}
    held = {name: places(pid, key) for name, key in keys.items()}
    case("all long-lived keys are in memory", len(keys) == 4 and all(held.values()), held)
    case("in locked memory alone, which no dump would hold",
         all({"lo", "dd"} <= set(flags) for each in held.values() for flags in each.values()), held)
    with open(w.secret, encoding="ascii") as file:
        key = base64.b64decode(re.search(r"^key (\S+)$", file.read(), re.M).group(1))
    same("the key of the key file is wiped", places(pid, key), {})
    spawners = children(pid)
    same("one process runs its commands", len(spawners), 1)
    same("and knows no key", [places(each, key) for each in spawners for key in keys.values()], [{}] * 4)
else:
    skip("where the keys are", "only root may look")
    spawners = children(pid)

# --- how it ends
w.kill()
case("the process for commands ends with a daemon that was killed",
     until(lambda: not any(os.path.exists(f"/proc/{each}/exe") for each in spawners), 5))

# --- without commands
w.options.append("--no-commands")
w.start()
same("without commands there is no process for them", children(w.process.pid), [])
tried = run("link", "test", "talks", "pyongyang", "exec:true", "--office", w.directory)
case("and a link of that kind says why it is down", "runs no commands (--no-commands)" in tried.out + tried.err, tried)
same("it ends as told", w.stop(), 0)
same("and takes the office's sockets away", [each for each in os.listdir(w.directory) if each.endswith(".sock")], [])
kernel_has_landlock = not any("no Landlock" in each for each in lacking)
same("what lies elsewhere it may not remove", os.listdir(path("sockets")), ["link"] if kernel_has_landlock else [])

# --- unconfined
w.options.append("--no-confinement")
w.start()
case("an unconfined daemon says so in its log", "LESS PROTECTED: NOT CONFINED (--no-confinement)" in w.said(), w.said())
case("and in status", "LESS PROTECTED: NOT CONFINED (--no-confinement)" in w.run("status").out, w.run("status"))
same_in_all_threads("its calls are not filtered", w.process.pid, "Seccomp", "0")
same("it ends as told", w.stop(), 0)
same("and takes all its sockets away", os.listdir(path("sockets")), [])
finish()
