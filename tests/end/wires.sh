#!/bin/sh
# The ways between two daemons: tcp, unix, and a command's stdin and stdout; and what becomes of the commands.
# Prints TAP lines.
#
# usage: wires.sh LIAISON LIAISOND
liaison=$(realpath "$1")
liaisond=$(realpath "$2")
scratch=$(mktemp -d) || exit 1
unset LIAISON_OFFICE NOTIFY_SOCKET
failed=0
pids=

end() {
    for one in $pids; do kill -9 "$one" 2>/dev/null; done
    rm -rf "$scratch"
}
trap end EXIT
cd "$scratch" || exit 1

check() {
    name=$1
    shift
    if "$@"; then
        echo "ok - end/wires: $name"
    else
        echo "not ok - end/wires: $name"
        sed 's/^/# /' answer a.err b.err 2>/dev/null | tail -20
        failed=1
    fi
}
says() { grep -q -- "$1" "$2"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
# within TENTHS COMMAND...: the command succeeds before that time has passed.
within() {
    tenths=$1
    shift
    while ! "$@"; do
        tenths=$((tenths - 1))
        [ "$tenths" -gt 0 ] || return 1
        sleep 0.1
    done
}
a() { "$liaison" --office a "$@"; }
b() { "$liaison" --office b "$@"; }
is_up() { a link list talks 2>/dev/null | grep -qF "$1 up"; }
# carries ADDRESS: a link to b at that address comes up and carries a message.
carries() {
    a link add talks pyongyang "$1" >answer 2>&1 && within 50 is_up "$1" &&
        a send talks -m "over $1" --wait stored --timeout 5s >answer 2>&1
    status=$?
    a link remove talks pyongyang "$1" >>answer 2>&1
    return $status
}
link_test() { a link test talks pyongyang "$1" >answer 2>&1; }

a init washington.example --key-file a.key >/dev/null
b init pyongyang.example --key-file b.key >/dev/null
"$liaisond" --office a --key-file a.key --redial-max 1s >a.out 2>a.err &
pids="$pids $!"
daemon=$!
"$liaisond" --office b --key-file b.key --listen tcp://127.0.0.1:0 --listen unix:b.sock >b.out 2>b.err &
pids="$pids $!"
check 'one is ready' within 50 grep -qs '^ready' a.out
check 'the other is ready' within 50 grep -qs '^ready' b.out
a card >a.card && b card >b.card
a line found talks --with b.card --charter talks.charter --key talks.key >answer 2>&1
b line join talks.charter --key talks.key >answer 2>&1
port=$(sed 's/.*127.0.0.1:\([0-9]*\).*/\1/' b.out)

# --- what carries
check 'tcp carries' carries "tcp://127.0.0.1:$port"
messages=6
if getent hosts localhost >/dev/null; then
    check 'a name is looked up, and its next address tried' carries "tcp://localhost:$port"
else
    echo 'ok - end/wires: a name is looked up, and its next address tried # SKIP localhost is not known here'
    messages=5
fi
check 'a unix socket carries' carries "unix:$scratch/b.sock"
check "a command's stdin and stdout carry" carries "exec:\"$liaison\" --office b link stdio"
check 'small frames carry' carries "tcp://127.0.0.1:$port?frame=256"
check 'large frames carry' carries "tcp://127.0.0.1:$port?frame=16384"
check 'all messages are there, once each' [ "$(b read talks --json 2>/dev/null | grep -c '"text":"over ')" = "$messages" ]

# --- what does not
check 'a test says ok' link_test "tcp://127.0.0.1:$port"
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
link_test "tcp://127.0.0.1:$closed"
check 'a closed port cannot be connected to' says 'cannot-connect: connection refused' answer
link_test "tcp://no-such-host.invalid:1"
check 'nor a name that is none' says 'cannot-connect: ' answer
link_test "unix:$scratch/nothing.sock"
check 'nor a socket that is not there' says 'cannot-connect: no such file' answer
link_test "exec:exit 3"
check 'a command that ends gives no answer' says 'no-answer: ' answer
a link add talks pyongyang "exec:printf '\\033[31mred\\n' >&2; sleep 300" >answer 2>&1
check "a command's stderr is in the log" within 30 says "a link's command says: .*red" a.err
check 'harmless' [ "$(grep -c "$(printf '\033')" a.err)" = 0 ]
a link remove talks pyongyang "exec:printf '\\033[31mred\\n' >&2; sleep 300" >answer 2>&1

# --- what becomes of commands
command="exec:echo \$\$ >$scratch/pid; sleep 300 & echo \$! >$scratch/child; wait"
a link add talks pyongyang "$command" >answer 2>&1
check 'a command runs' within 30 test -s child
check 'and goes on running' sh -c 'kill -0 "$(cat pid)" && kill -0 "$(cat child)"'
a link remove talks pyongyang "$command" >answer 2>&1
check 'it ends when its link is removed' within 90 is_gone "$(cat pid)"
check 'with what it started' within 30 is_gone "$(cat child)"
command="exec:trap '' TERM; echo \$\$ >$scratch/stubborn; while :; do sleep 1; done"
a link add talks pyongyang "$command" >answer 2>&1
check 'a command that does not listen runs' within 30 test -s stubborn
a link remove talks pyongyang "$command" >answer 2>&1
check 'it ends too' within 90 is_gone "$(cat stubborn)"
command="exec:echo \$\$ >$scratch/last; exec sleep 300"
a link add talks pyongyang "$command" >answer 2>&1
within 30 test -s last
kill -TERM "$daemon"
wait "$daemon"
check 'the daemon ends with 0' [ $? = 0 ]
check 'and its commands with it' within 30 is_gone "$(cat last)"

# --- no descriptors left
rm -f a.out
(
    ulimit -n 40
    exec "$liaisond" --office a --key-file a.key --listen tcp://127.0.0.1:0 >a.out 2>a.err
) &
pids="$pids $!"
daemon=$!
check 'it starts with few descriptors' within 50 grep -qs '^ready' a.out
check 'and outlives their end, without spinning' python3 -c '
import os, socket, sys, time
port, pid = int(sys.argv[1]), sys.argv[2]
def used():
    f = open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")
kept = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(100)]
time.sleep(0.5); before = used(); time.sleep(2); spent = used() - before
for s in kept: s.close()
sys.exit(spent > 0.5 and "spent %.1f s" % spent or 0)' "$(sed 's/.*127.0.0.1:\([0-9]*\).*/\1/' a.out)" "$daemon"
check 'which it says' says 'no more connections' a.err
check 'it answers when they are back' within 50 sh -c '"$1" --office a status >answer 2>&1' sh "$liaison"
kill -TERM "$daemon"
wait "$daemon"
check 'it ends with 0' [ $? = 0 ]
exit $failed
