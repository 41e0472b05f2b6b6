#!/usr/bin/python3
"""Two offices in two network namespaces, and a bad network between them: nothing is lost, and a flash need not wait.

usage: network.py LIAISON LIAISOND LIAISON_VERIFY FORWARDER [PROFILE...]

Each profile has two namespaces, a forwarder (forwarder.c) between them, two daemons that know nothing of it, and a
mixed exchange with a backlog. They run side by side, since they mostly wait. Needs root, `ip` and /dev/net/tun: where
they are not, all is skipped. LIAISON_TEST_LONG=1 goes on with each for some minutes.
"""
import atexit
import ctypes
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "end"))
from offices import LONG, SEED, Control, Lost, Office, case, finish, found, note, same, skip, until

FORWARDER = os.path.abspath(sys.argv[4])
FATES = ("cut", "lost", "dropped", "duplicated", "reordered", "corrupted", "forged")
PRECEDENCES = ("routine", "priority", "immediate", "flash")
KEEPALIVE = 2  # seconds; a link is dead after three
REDIAL = 2  # seconds, the longest pause
SECONDS = 180 if LONG else 0  # that the exchange goes on at least; once through, if 0
TEXT = 4000  # bytes of a message of the backlog
GIVEN_AWAY = 32768 + 16384  # bytes that nothing overtakes any more: host/wires.h, and what the kernel keeps unsent
DISK = 3.0  # seconds that a busy machine may take for what two offices do

# Why links go down here: the seal of a frame is broken, or the other end is gone.
DOWNS = ("a frame is not authentic", "the other side ended", "connection reset", "no sign of life",
         "connection timed out", "it opened a newer link", "you opened a newer link")

# No retry storm: what a run may put on the network in all.
PER_BYTE = 2  # bytes for a byte that is said: frames, heads, receipts, TCP's headers, what is lost and sent again
PER_LINK = 1 << 18  # bytes for a link that broke: what was on its way is sent again, and the handshake
PER_SECOND = 2000  # bytes for keep-alives and for dialling in vain


class Profile:
    """What the network does. `rate` is what it carries in bytes a second, be it that it lets no more pass or that TCP
    finds no more, and `queue` the bytes that wait in it. `breaks` links may break. `deed` is done while a backlog
    waits."""

    def __init__(self, name, options, backlog=150, delay=0.1, rate=125000, queue=32768, breaks=0, deed=None):
        self.name, self.options, self.backlog, self.delay = name, options, backlog, delay
        self.rate, self.queue, self.breaks, self.deed = rate, queue, breaks, deed
        self.small = 12  # messages of each side besides

    def round_trips(self, count):
        """Seconds; of a short way TCP's least pause counts."""
        return count * max(2 * self.delay, 0.2)

    def flash_bound(self):
        """Seconds: what is before it in any case, its way, and four round trips for what of that is lost. Where links
        break of what is forged, one of them may do so under the flash."""
        again = self.recovery_bound() if "--forge" in self.options else 0
        return (GIVEN_AWAY + self.queue) / self.rate + self.delay + self.round_trips(4) + DISK + again

    def given_away(self):
        """Messages of the backlog that a flash cannot overtake, generously: those on the way are not shown yet."""
        return 40 + (GIVEN_AWAY + self.queue + 2 * self.delay * 125000) / TEXT

    def settle_bound(self, said):
        """Seconds for `said` bytes: thrice what they take, and a link that breaks before the end."""
        return 3 * said / self.rate + self.recovery_bound()

    def recovery_bound(self):
        """Seconds until a link is back: the attempt that was in vain ends after 10 s, there is a pause, then TCP's and
        the link's handshake and what both state, with some loss."""
        return 10 + REDIAL + self.round_trips(7) + DISK


class Network:
    """Two namespaces and the forwarder between them."""

    def __init__(self, name, options, seed=SEED):
        self.spaces = [f"liaison-{os.getpid()}-{name}-{end}" for end in "wp"]
        self.addresses = ["10.77.0.1", "10.77.0.101"]
        self.process = None
        atexit.register(self.remove)
        for space in self.spaces:
            ip("netns", "add", space)
        self.process = subprocess.Popen([FORWARDER, *self.spaces, "--seed", str(seed), *options.split()],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise OSError("the forwarder is not ready")
        for space, address in zip(self.spaces, self.addresses):
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "address", "add", address + "/24", "dev", "wire")
            ip("-n", space, "link", "set", "wire", "up")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def figures(self):
        """Of both directions together."""
        self.tell("figures")
        both = json.loads(self.process.stdout.readline())
        return {name: both[0][name] + both[1][name] for name in both[0]}

    def remove(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
        for space in self.spaces:
            subprocess.run(["ip", "netns", "delete", space], stderr=subprocess.DEVNULL, check=False)
        self.spaces = []


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def enter(space):
    """This thread goes to a namespace, and stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{space}", encoding="ascii") as file:
        if libc.setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"the namespace {space} cannot be entered")


def sweep():
    """Namespaces of a run that was killed."""
    for space in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        words = space.split("-")
        if len(words) == 4 and words[0] == "liaison" and words[1].isdigit() and not os.path.exists(f"/proc/{words[1]}"):
            subprocess.run(["ip", "netns", "delete", space], stderr=subprocess.DEVNULL, check=False)


class Watcher(threading.Thread):
    """Listens to what an office tells: when each entry was shown, and when links came up."""

    def __init__(self, office, former=None):
        super().__init__(daemon=True)
        self.shown = former.shown if former else {}  # (author, number): when
        self.ups = former.ups if former else []
        self.downs = former.downs if former else []  # why
        self.control = Control(os.path.join(office.directory, "control.sock"), timeout=None)
        self.control.ask("subscribe")
        self.start()

    def run(self):
        try:
            while True:
                event = self.control.line().get("params", {})
                entry = event.get("entry")
                if event.get("event") == "entry":
                    self.shown.setdefault((entry["author"], entry["number"]), time.monotonic())
                elif event.get("event") == "link" and event["observed"] == "up":
                    self.ups.append(time.monotonic())
                elif event.get("event") == "link":
                    self.downs.append(event["reason"])
        except (Lost, OSError):
            pass


class Run(threading.Thread):
    """One profile from beginning to end. Cases are printed by the main thread, in order."""

    def __init__(self, profile):
        super().__init__(daemon=True)
        self.profile = profile
        self.network = None
        self.address = 0
        self.cases = []
        self.notes = []
        self.recorded = {}  # (author, number): (text, precedence)

    def case(self, name, passed, detail=""):
        self.cases.append((f"{self.profile.name}: {name}", bool(passed), detail))
        return passed

    def note(self, text):
        self.notes.append(f"{self.profile.name}: {text}")

    def run(self):
        begun = time.monotonic()
        try:
            self.exchange()
        except (Exception, SystemExit):
            self.case("runs to its end", False, traceback.format_exc())
        self.note(f"{time.monotonic() - begun:.1f} s in all")

    def append(self, office, entries):
        answer = office.ask("append", line=self.profile.name, entries=entries)["entries"]
        for each, entry in zip(answer, entries):
            self.recorded[each["author"], each["number"]] = entry["text"], entry["precedence"]
        return answer[-1]["author"], answer[-1]["number"]

    def small(self, office, number):
        """Messages of all precedences, one request each."""
        for i in range(number):
            self.append(office, [{"text": f"{office.name} {i}", "precedence": PRECEDENCES[i % 4]}])

    def open(self):
        """Offices, daemons and the line; the network lets nothing pass yet."""
        name = self.profile.name
        self.network = Network(name, self.profile.options)
        self.network.tell("cut")
        self.offices = []
        for end, address, space in zip("wp", self.network.addresses, self.network.spaces):
            office = Office(f"{name}-{end}.example", f"{name}-{end}")
            office.options = ["--keepalive", f"{KEEPALIVE}s", "--redial-max", f"{REDIAL}s",
                              "--listen", f"tcp://{address}:7000"]
            office.start(before=("ip", "netns", "exec", space))
            self.offices.append(office)
        found(*self.offices, line=name)
        self.watchers = [Watcher(office) for office in self.offices]
        self.offices[0].run("link", "add", name, self.offices[1].name, f"tcp://{self.network.addresses[1]}:7000")

    def exchange(self):
        """Once through, or as long as SECONDS says."""
        self.begin()
        w, p = self.offices
        while True:
            self.small(w, self.profile.small)
            self.small(p, self.profile.small)
            self.backlog(w)
            time.sleep(self.profile.round_trips(1))
            self.flash(w)
            if self.profile.deed:
                self.backlog(w)
                self.profile.deed(self, w, p)
            self.settle()
            if time.monotonic() - self.started > SECONDS:
                break
        self.check()

    def settle(self):
        begun, bound = time.monotonic(), self.profile.settle_bound(self.profile.backlog * TEXT * 2)
        self.case(f"all is receipted within {bound:.0f} s", until(self.settled, bound),
                  [office.status() for office in self.offices])
        self.note(f"all is receipted after {time.monotonic() - begun:.1f} s")

    def backlog(self, w):
        for _ in range(self.profile.backlog // 50):
            self.append(w, [{"text": "x" * TEXT, "precedence": "routine"}] * 50)

    def settled(self):
        return all(office.is_settled(self.profile.name) for office in self.offices)

    def begin(self):
        """Where the network loses all, there is no link; where it does not, there is one, by itself."""
        self.open()
        self.started = time.monotonic()
        time.sleep(1.5)
        self.case("without a network there is no link", not any(watcher.ups for watcher in self.watchers))
        self.come_back()
        self.case("and both know what the other has", until(self.settled, self.profile.round_trips(7) + DISK))

    def come_back(self):
        ups = len(self.watchers[1].ups)
        self.network.tell("mend")
        begun, bound = time.monotonic(), self.profile.recovery_bound()
        self.case(f"with one the link comes up within {bound:.0f} s",
                  until(lambda: len(self.watchers[1].ups) > ups, bound))
        self.note(f"the link came up after {time.monotonic() - begun:.1f} s")

    def flash(self, w):
        """It overtakes, in round trips and not in lengths of the backlog."""
        author, number = self.append(w, [{"text": "Are you there?", "precedence": "flash"}])
        begun, bound, shown = time.monotonic(), self.profile.flash_bound(), self.watchers[1].shown
        waiting = number - sum(1 for each in list(shown) if each[0] == author and each[1] < number)
        until(lambda: (author, number) in shown, 2 * bound)
        before = sum(1 for each in list(shown) if each[0] == author and each[1] < number)
        took = shown.get((author, number), float("inf")) - begun
        self.case(f"a flash is shown within {bound:.1f} s", took <= bound, f"{took:.1f} s")
        if waiting > self.profile.given_away():
            self.case("before what was sent ahead of it", before < number, f"{before} of {number} were there")
        else:
            self.note(f"this machine was too slow: only {waiting} entries were waiting")
        self.note(f"the flash took {took:.2f} s; {number - before} of {number} entries before it were still to come")

    def check(self):
        """Both hold everything that was recorded, once, in order, and the network was not filled in vain."""
        name = self.profile.name
        views = [office.entries(name) for office in self.offices]
        for office, view in zip(self.offices, views):
            there = [(entry["author"], entry["number"]) for entry in view]
            self.case(f"{office.name} has every number once, in its author's order",
                      all(numbers == list(range(len(numbers))) for numbers in
                          ([n for a, n in there if a == author.name] for author in self.offices)))
            messages = {(entry["author"], entry["number"]): (entry["text"], entry["precedence"])
                        for entry in view if entry["kind"] == "message"}
            self.case(f"{office.name} has what was recorded, and nothing else", messages == self.recorded,
                      f"{len(messages)} messages, {len(self.recorded)} recorded")
        self.case("both show the same order", until(lambda: len({json.dumps(
            [entry["leaf"] for entry in office.entries(name)]) for office in self.offices}) == 1, 10))
        for office in self.offices:
            self.case(f"{office.name} verifies", office.verify(name).code == 0, office.verify(name))
        self.storm(time.monotonic() - self.started)
        self.case("both end with 0", [office.stop() for office in self.offices] == [0, 0])

    def storm(self, seconds):
        """The network was given a few times what was said, and links broke where there was a reason."""
        figures = self.network.figures()
        said = sum(len(text.encode()) for text, _ in self.recorded.values())
        links, breaks = len(self.watchers[1].ups), self.profile.breaks + figures["forged"]
        if LONG and self.profile.deed:
            breaks *= 100
        bound = int(PER_BYTE * said + PER_LINK * links + PER_SECOND * seconds)
        self.note(f"{len(self.recorded)} messages of {said:,} bytes over {links} links in {seconds:.0f} s: "
                  f"{figures['bytes']:,} bytes in {figures['packets']:,} packets, "
                  f"{figures['bytes'] / said:.2f} for one")
        self.note(f"of the packets {', '.join(f'{figures[name]} {name}' for name in FATES if figures[name])}")
        self.case(f"no retry storm: at most {bound:,} bytes", figures["bytes"] <= bound, figures["bytes"])
        self.case(f"at most {breaks} links broke", links <= 1 + breaks, links)
        downs = {reason for watcher in self.watchers for reason in watcher.downs}
        if downs:
            self.note(f"links went down: {'; '.join(sorted(downs))}")
        self.case("what is forged is found by the seal of the link, and by nothing behind it", all(
            any(reason.startswith(one) for one in DOWNS) for reason in downs), downs)


# --- what is done while a backlog waits ------------------------------------------------------------------------------


def hole(run, w, p):
    """Twenty seconds without a packet, and what is said meanwhile."""
    run.network.tell("cut")
    time.sleep(1)
    before = [sum(author != office.name for author, _ in list(watcher.shown))
              for office, watcher in zip(run.offices, run.watchers)]
    run.small(w, run.profile.small)
    run.small(p, run.profile.small)
    time.sleep(19)
    after = [sum(author != office.name for author, _ in list(watcher.shown))
             for office, watcher in zip(run.offices, run.watchers)]
    run.case("nothing passes a hole", before == after, f"{before} {after}")
    run.come_back()


def flap(run, w, p):
    """Away and back, sometimes too short for a link to notice or to come up."""
    for away, back in ((0.3, 1.0), (1.0, 0.2), (2.5, 2.0), (7.0, 0.5), (0.1, 0.1), (7.0, 4.0)):
        run.network.tell("cut")
        run.small(w, 1)
        run.small(p, 1)
        time.sleep(away)
        run.network.tell("mend")
        time.sleep(back)


def move(run, w, p):
    """A NAT that lost its table: the dialler's packets come from elsewhere, where its link is unknown."""
    for _ in range(3):
        run.address = run.address % 90 + 1
        ups = len(run.watchers[1].ups)
        run.network.tell(f"--address {run.address}")
        run.small(w, 2)
        run.small(p, 2)
        bound = run.profile.recovery_bound()
        run.case(f"from another address it comes back within {bound:.0f} s",
                 until(lambda: len(run.watchers[1].ups) > ups, bound))


def crowd(run, w, p):
    """Hundreds of strangers a second at the port, from near by; meanwhile the member, who is far away, comes back."""
    over = threading.Event()
    came = []

    def come():
        enter(run.network.spaces[1])
        while not over.is_set():
            stream = socket.socket()
            stream.setblocking(False)
            stream.connect_ex((run.network.addresses[1], 7000))
            came.append(stream)
            if len(came) >= 300:  # the office keeps fewer
                came[len(came) - 300].close()
            time.sleep(0.001)

    thread = threading.Thread(target=come, daemon=True)
    thread.start()
    begun = time.monotonic()
    time.sleep(1)
    move(run, w, p)
    over.set()
    thread.join()
    run.note(f"{len(came) / (time.monotonic() - begun):.0f} strangers a second")
    for stream in came:
        stream.close()


def refuse(run, w, p):
    """Nobody listens for a while: every call is refused at once, and there are few."""
    p.stop()
    run.small(w, run.profile.small)
    time.sleep(1)
    before, seconds = run.network.figures()["packets"], 6
    time.sleep(seconds)
    packets = run.network.figures()["packets"] - before
    dials = 3 + seconds / (REDIAL / 2)  # doubling from a quarter of a second, then every one or two seconds
    run.case(f"at most {dials:.0f} calls in {seconds} s are refused", packets <= 2 * dials, f"{packets} packets")
    run.note(f"{packets} packets in {seconds} s with nobody there")
    p.start(before=("ip", "netns", "exec", run.network.spaces[1]))
    run.watchers[1] = Watcher(p, run.watchers[1])
    run.come_back()


LINE = "--delay 100ms --rate 1mbit --queue 32768"
PROFILES = [
    Profile("far", "--delay 600ms --jitter 20ms --loss 1% --rate 1mbit --queue 65536", delay=0.6, rate=10000,
            queue=0),
    Profile("lossy", LINE + " --jitter 20ms --loss 10%", rate=10000, queue=0, breaks=2),
    Profile("narrow", "--delay 300ms --rate 1mbit --queue 16384", delay=0.3, rate=60000, queue=16384),
    Profile("disorder", LINE + " --jitter 20ms --reorder 5% --duplicate 2% --corrupt 2%", rate=20000),
    Profile("forged", LINE + " --forge 0.5%", rate=60000),
    Profile("hole", LINE, breaks=1, deed=hole),
    Profile("flapping", LINE, breaks=6, deed=flap),
    Profile("moved", LINE, breaks=3, deed=move),
    Profile("crowded", LINE + " --delay 300ms", delay=0.3, breaks=3, deed=crowd),
    Profile("refused", LINE, breaks=1, deed=refuse),
]


# --- the forwarder itself ---------------------------------------------------------------------------------------------


def socket_in(space, address):
    """A UDP socket in a namespace: the thread that makes it goes there, and ends."""
    made = []

    def make():
        enter(space)
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made[0].bind((address, 7000))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def datagrams(options, seed):
    """Which of 200 numbered datagrams arrive, in which order."""
    network = Network("try", options, seed)
    near, far = (socket_in(*end) for end in zip(network.spaces, network.addresses))
    far.settimeout(0.5)
    for number in range(200):
        near.sendto(number.to_bytes(2, "big"), (network.addresses[1], 7000))
    arrived = []
    try:
        while True:
            arrived.append(int.from_bytes(far.recv(100), "big"))
    except TimeoutError:
        pass
    figures = network.figures()
    near.close()
    far.close()
    network.remove()
    return arrived, figures


def check_forwarder():
    """It does what it was told, and the same again."""
    whole, _ = datagrams("--delay 20ms --jitter 10ms", 1)
    same("the forwarder: all in order where nothing is asked for", whole, list(range(200)))
    bad = "--delay 20ms --loss 20% --duplicate 10% --reorder 10% --corrupt 5%"
    (first, figures), (again, _), (other, _) = datagrams(bad, 1), datagrams(bad, 1), datagrams(bad, 2)
    same("the forwarder: a seed loses and doubles the same", sorted(again), sorted(first))
    case("the forwarder: another seed does not", sorted(other) != sorted(first))
    case("the forwarder: some came late", first != sorted(first))
    case("the forwarder: what was corrupted did not arrive", figures["corrupted"] > 0 and
         len(first) <= 200 - figures["lost"] - figures["corrupted"] + 2 * figures["duplicated"], figures)
    same("the forwarder: where all is lost nothing arrives", datagrams("--loss 100%", 1)[0], [])


def main():
    note(f"seed {SEED}")
    try:
        sweep()
        Network("try", "").remove()
    except OSError as error:
        skip("two offices over a bad network", error)
        finish()
    check_forwarder()
    runs = [Run(profile) for profile in PROFILES if not sys.argv[5:] or profile.name in sys.argv[5:]]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
        for line in each.notes:
            note(line)
        for one in each.cases:
            case(*one)
        if each.network is not None:
            each.network.remove()
    finish()


main()
