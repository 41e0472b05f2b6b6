#!/bin/sh
# liaisond: start, lock, stop, second daemon, stale sockets, bad options, bad neighbours, and strangers at its doors.
# Prints TAP lines.
#
# usage: daemon.sh LIAISON LIAISOND
liaison=$(realpath "$1")
liaisond=$(realpath "$2")
scratch=$(mktemp -d) || exit 1
unset LIAISON_OFFICE NOTIFY_SOCKET
umask 022
failed=0
pid=

end() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
    rm -rf "$scratch"
}
trap end EXIT
cd "$scratch" || exit 1

# check NAME COMMAND...: the command must succeed.
check() {
    name=$1
    shift
    if "$@"; then
        echo "ok - end/daemon: $name"
    else
        echo "not ok - end/daemon: $name"
        sed 's/^/# /' out err 2>/dev/null
        failed=1
    fi
}
same() { [ "$1" = "$2" ]; }
says() { grep -q -- "$1" "$2"; }
mode_is() { [ "$(stat -c %a "$2")" = "$1" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# start OPTION...: starts the daemon and waits for a line in out, or its end.
start() {
    rm -f out err
    "$liaisond" "$@" >out 2>err &
    pid=$!
    for _ in $(seq 100); do
        [ -s out ] && return 0
        is_gone "$pid" && return 1
        sleep 0.05
    done
    return 1
}
# wait_for WORD: until out has a line that starts with it.
wait_for() {
    for _ in $(seq 100); do
        grep -q "^$1 " out && return 0
        sleep 0.05
    done
    return 1
}
# stop: ends it with SIGTERM; sets status and took.
stop() {
    before=$(milliseconds)
    kill -TERM "$pid"
    wait "$pid"
    status=$?
    took=$(($(milliseconds) - before))
    pid=
}
# refused STATUS OPTION...: runs it to its end; it must end so, print nothing, and say one sentence.
refused() {
    expected=$1
    shift
    timeout 5 "$liaisond" "$@" >out 2>err
    [ "$?" = "$expected" ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q '^liaisond: .' err
}
ask() { # PATH LINE
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n"); s.shutdown(socket.SHUT_WR)
while True:
    b = s.recv(65536)
    if not b: break
    sys.stdout.write(b.decode())' "$1" "$2"
}

# --- the command line
check 'an unknown option is refused' refused 2 --nonsense
check 'a missing value is refused' refused 2 --office
check 'an operand is refused' refused 2 --office w more
check 'a bad address is refused' refused 2 --office w --listen udp://127.0.0.1:1
check 'a command is not listened on' refused 2 --office w --listen exec:cat
check 'a time without a unit is refused' refused 2 --office w --keepalive 5
check 'a time of nothing is refused' refused 2 --office w --redial-max 0s
check 'the version is told' same "$("$liaisond" --version | cut -d' ' -f1)" liaisond
check 'help is given' says '^usage: liaisond' "$("$liaisond" --help >help; echo help)"

# --- what must be there
check 'no office is refused' refused 1 --office nothing
check 'and where was looked is said' says 'from --office' err
check 'LIAISON_OFFICE is looked at' env LIAISON_OFFICE=elsewhere sh -c \
    '"$1" >out 2>err; grep -q "elsewhere (from LIAISON_OFFICE" err' sh "$liaisond"
"$liaison" --office w init washington.example --key-file w.key >/dev/null
check 'an office without its key file is refused' refused 1 --office w
check 'a key file that is not there is refused' refused 1 --office w --key-file none.key
"$liaison" --office s init seoul.example --key-file s.key >/dev/null
check 'the key of another office is refused' refused 1 --office w --key-file s.key
head -c 60 w.key >cut.key
chmod 600 cut.key
check 'a key file that was cut is refused' refused 1 --office w --key-file cut.key
cp w.key open.key
chmod 644 open.key
check 'a key file that others can read is refused' refused 1 --office w --key-file open.key
chmod 750 w
check 'an office that is open to others is refused' refused 1 --office w --key-file w.key
chmod 700 w
check 'a port that is taken is refused' python3 -c '
import socket, subprocess, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
p = subprocess.run([sys.argv[1], "--office", "w", "--key-file", "w.key", "--listen",
                    "tcp://127.0.0.1:%d" % s.getsockname()[1]], capture_output=True, timeout=5)
sys.exit(p.returncode != 1 or p.stdout != b"" or b"cannot be listened on" not in p.stderr)' "$liaisond"

# --- start and stop
start --office w --key-file w.key --listen tcp://127.0.0.1:0 --listen unix:extra.sock
check 'it becomes ready' same "$(sed 's/:[0-9]* listen=unix/:N listen=unix/' out)" \
    "ready washington.example control=w/control.sock listen=tcp://127.0.0.1:N listen=unix:extra.sock"
check 'the control socket is private' mode_is 600 w/control.sock
check 'the link socket is private' mode_is 600 w/link.sock
check 'a unix socket listened on is private' mode_is 600 extra.sock
check 'it answers' same "$("$liaison" --office w status | head -1)" 'washington.example: ready'
check 'it cannot be attached to' same "$(stat -c %u /proc/$pid/mem 2>/dev/null || echo 0)" 0
check 'it leaves no core' same "$(awk '/core file/ { print $5 }' /proc/$pid/limits)" 0
check 'it says the card' same "$("$liaison" --office w card)" "$(cat w/card)"

# --- a second one
before=$(milliseconds)
check 'a second daemon is refused' sh -c 'timeout 5 "$1" --office w --key-file w.key >out2 2>err2; [ $? = 1 ] && [ ! -s out2 ]' \
    sh "$liaisond"
check 'within a second' [ $(($(milliseconds) - before)) -lt 1000 ]
check 'and the first one still answers' same "$("$liaison" --office w status | head -1)" 'washington.example: ready'
mkdir copy && chmod 700 copy && cp w/liaison.db copy/
check 'a copy on the same mark is refused' sh -c 'timeout 5 "$1" --office copy --mark w.mark --key-file w.key >out2 2>err2
    [ $? = 1 ] && grep -q "in use" err2' sh "$liaisond"

# --- strangers
port=$(sed 's/.*tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/' out)
check 'noise, silence and many connections do not end it' python3 -c '
import os, socket, sys
port = int(sys.argv[1]); kept = []
for i in range(400):
    s = socket.socket(); s.settimeout(1)
    try:
        s.connect(("127.0.0.1", port)); s.sendall(os.urandom(1 + i * 7 % 3000)); kept.append(s)
    except OSError: pass
s = socket.socket(); s.connect(("127.0.0.1", port)); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
s.close()
answered = 0
for s in kept:
    s.setblocking(False)
    try: answered += len(s.recv(10))
    except OSError: pass
sys.exit(answered != 0)' "$port"
check 'it still answers' same "$("$liaison" --office w status | head -1)" 'washington.example: ready'
check 'what is not JSON is answered once, and the end' same \
    "$(ask w/control.sock nonsense | sed 's/"message":"[^"]*"/M/')" \
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,M,"data":{"code":"usage"}}}'
check 'an unknown method is told' same \
    "$(ask w/control.sock '{"jsonrpc":"2.0","id":7,"method":"nothing"}' | sed 's/"message":"[^"]*"/M/')" \
    '{"jsonrpc":"2.0","id":7,"error":{"code":-32601,M,"data":{"code":"usage"}}}'
check 'a misspelt parameter is told' says 'entries: limti is not a parameter' "$(
    ask w/control.sock '{"jsonrpc":"2.0","id":"x","method":"entries","params":{"line":"talks","limti":3}}' >answer
    echo answer)"
check 'a line too long ends the connection, with a word' python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("w/control.sock")
try:
    for _ in range(20): s.sendall(b"x" * 65536)
except OSError: pass
answer = b""
try:
    while True:
        more = s.recv(65536)
        if not more: break
        answer += more
except ConnectionResetError: pass
sys.exit(b"longer than 1048576" not in answer)'
check 'the 65th connection is told so, and the others stay' python3 -c '
import socket, sys
def connect():
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect("w/control.sock"); return s
kept = [connect() for _ in range(64)]
last = connect(); answer = last.recv(1000)
kept[63].sendall(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"card\"}\n")
sys.exit(b"too many" not in answer or b"liaison-card" not in kept[63].recv(65536))'
check 'who does not read is closed, and the others served' python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect("w/control.sock")
line = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"card\"}\n" * 500
sent = 0
try:
    while sent < 64 << 20: sent += s.send(line)
    sys.exit("never closed, never slowed")
except socket.timeout: sys.exit(0)  # it reads no more until its answers are taken
except OSError: sys.exit(0)'
check 'it still answers' same "$("$liaison" --office w status | head -1)" 'washington.example: ready'

# --- the end
stop
check 'SIGTERM ends it with 0' same "$status" 0
check 'within 5 seconds' [ "$took" -lt 5000 ]
check 'its sockets are gone' same "$(ls w/*.sock 2>/dev/null)" ''

# --- stale sockets
start --office w --key-file w.key --listen unix:extra.sock
kill -9 "$pid"
wait "$pid" 2>/dev/null
check 'SIGKILL leaves sockets' [ -S w/control.sock -a -S w/link.sock -a -S extra.sock ]
start --office w --key-file w.key --listen unix:extra.sock
check 'which the next one replaces' says '^ready ' out
check 'and answers on' same "$("$liaison" --office w status | head -1)" 'washington.example: ready'
check 'a unix socket that is served is not taken' sh -c 'timeout 5 "$1" --office s --key-file s.key --listen unix:extra.sock \
    >out2 2>err2; [ $? = 1 ] && grep -q "cannot be listened on" err2' sh "$liaisond"
check 'nor is a file' sh -c 'timeout 5 "$1" --office s --key-file s.key --listen unix:s.key >out2 2>err2
    [ $? = 1 ] && [ -s s.key ]' sh "$liaisond"
stop

# --- systemd
check 'systemd is told' python3 -c '
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("notify"); s.settimeout(5)
p = subprocess.Popen([sys.argv[1], "--office", "w", "--key-file", "w.key"], env=dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify")),
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
first = s.recv(1000); p.send_signal(signal.SIGINT); second = s.recv(1000)
sys.exit(not first.startswith(b"READY=1") or not second.startswith(b"STOPPING=1") or p.wait(5) != 0)' "$liaisond"
check 'closed standard files do not matter' sh -c '"$1" --office w --key-file w.key <&- >&- 2>&- & pid=$!
    sleep 0.5; "$2" --office w status | head -1 >answer; kill $pid; wait $pid && grep -q ": ready" answer' \
    sh "$liaisond" "$liaison"

# --- a passphrase
echo 'correct horse battery staple' >pass && chmod 600 pass
echo 'wrong horse battery staple' >wrong && chmod 600 wrong
"$liaison" --office p init pyongyang.example --passphrase-file pass >/dev/null
check 'a key file for an office with a passphrase is refused' refused 1 --office p --key-file w.key
start --office p --listen tcp://127.0.0.1:0
check 'an office with a passphrase waits locked' same "$(cat out)" 'locked pyongyang.example control=p/control.sock'
check 'and says so' same "$("$liaison" --office p status | head -1 | cut -d: -f1,2 | cut -c1-25)" 'pyongyang.example: locked'
check 'it gives its card' same "$("$liaison" --office p card)" "$(cat p/card)"
check 'a wrong passphrase is refused' sh -c '"$1" --office p unlock --passphrase-file wrong >out2 2>err2; [ $? = 1 ]' \
    sh "$liaison"
check 'and leaves it locked' same "$(cat out)" 'locked pyongyang.example control=p/control.sock'
check 'status is answered while the passphrase is stretched' python3 -c '
import json, socket, sys
def connect():
    s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect("p/control.sock"); return s, s.makefile()
a, af = connect(); b, bf = connect()
a.sendall(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"unlock\",\"params\":{\"passphrase\":\"correct horse battery staple\"}}\n")
a.sendall(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"status\"}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"inbox\",\"params\":{\"line\":\"x\"}}\n")
answers = [json.loads(af.readline()) for _ in range(3)]
sys.exit([x["id"] for x in answers] != [2, 3, 1] or answers[0]["result"]["state"] != "locked"
         or answers[1]["error"]["data"]["code"] != "locked" or answers[2]["result"] != {})'
wait_for ready
check 'the right one makes it ready' says \
    '^ready pyongyang.example control=p/control.sock listen=tcp://127.0.0.1:[1-9]' out
check 'and the links are answered' python3 -c '
import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' "$(sed -n 's/^ready.*127.0.0.1:\([0-9]*\)$/\1/p' out)"
check 'twice is refused' sh -c '"$1" --office p unlock --passphrase-file pass >out2 2>err2; [ $? = 1 ]' sh "$liaison"
check 'the passphrase is not in what it said' sh -c '! grep -q horse out err'
stop
check 'it ends as it should' same "$status" 0

# --- an office that must not sign
mv w.mark kept.mark
start --office w --key-file w.key --listen tcp://127.0.0.1:0
check 'without its mark it stops, and runs on' same "$(cat out)" 'stopped washington.example control=w/control.sock'
check 'and says why' says 'mark' err
check 'and in its status' says 'mark' "$("$liaison" --office w status >answer; echo answer)"
stop
check 'and ends as it should' same "$status" 0
mv kept.mark w.mark
start --office w --key-file w.key
check 'with its mark it is ready again' says '^ready .* listen=none$' out
stop

# --- a database that is none
cp w/liaison.db kept.db
: >w/liaison.db
check 'an empty database is refused' refused 1 --office w --key-file w.key
head -c 5000 kept.db >w/liaison.db
check 'a cut one is refused' refused 1 --office w --key-file w.key
rm w/liaison.db
check 'a missing one is refused' refused 1 --office w --key-file w.key
exit $failed
