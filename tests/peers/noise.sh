#!/bin/sh
# Noise handshakes between our side (noise.c, built as $1) and two that others wrote: flynn/noise in Go and
# dissononce in Python. Prints TAP lines; exits 1 if one is "not ok".
set -u

ours=$1
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

report() { # status what
    if [ "$1" -eq 0 ]; then
        echo "ok - peers/noise: $2"
    else
        echo "not ok - peers/noise: $2"
        failed=1
    fi
}

# Joins two sides by a pair of pipes. Leaves their exit statuses in $initiator_status and $responder_status.
join() { # pattern initiator initiator-psk responder responder-psk
    rm -f "$work"/to "$work"/from "$work"/*.hash
    mkfifo "$work/to" "$work/from"
    # Each opens `to` first: two that open in opposite order would wait for each other.
    timeout 60 $4 "$1" responder "$5" "$work/responder.hash" <"$work/to" >"$work/from" 2>/dev/null &
    responder_id=$!
    timeout 60 $2 "$1" initiator "$3" "$work/initiator.hash" >"$work/to" <"$work/from" 2>/dev/null
    initiator_status=$?
    wait "$responder_id"
    responder_status=$?
}

meets() { # pattern initiator responder
    join "$1" "$2" 51 "$3" 51
    [ "$initiator_status" -eq 0 ] && [ "$responder_status" -eq 0 ] && [ -s "$work/initiator.hash" ] &&
        cmp -s "$work/initiator.hash" "$work/responder.hash"
}

# With another psk the responder refuses the first message (3), and the initiator of XKpsk0 gets no answer.
refuses() { # pattern initiator responder
    join "$1" "$2" 51 "$3" 52
    [ "$responder_status" -eq 3 ] && { [ "$1" = Kpsk0 ] || [ "$initiator_status" -ne 0 ]; }
}

try() { # name command
    for pattern in XKpsk0 Kpsk0; do
        meets "$pattern" "$ours" "$2"
        report $? "$pattern, we begin, $1 answers"
        meets "$pattern" "$2" "$ours"
        report $? "$pattern, $1 begins, we answer"
        refuses "$pattern" "$ours" "$2"
        report $? "$pattern, $1 refuses another psk"
        refuses "$pattern" "$2" "$ours"
        report $? "$pattern, we refuse another psk from $1"
    done
}

if GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/cache" \
    go build -o "$work/noise-go" "$here/noise.go" 2>"$work/go.log"; then
    try flynn/noise "$work/noise-go"
elif command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/flynn/noise ]; then
    sed 's/^/# /' "$work/go.log"
    report 1 "flynn/noise does not build"
else
    echo "ok - peers/noise: flynn/noise # SKIP golang-go or golang-github-flynn-noise-dev is not installed"
fi

# Debian's Python, which sees Debian's packages, whatever stands first on the path.
if /usr/bin/python3 -c 'import dissononce' 2>/dev/null; then
    try dissononce "/usr/bin/python3 $here/noise.py"
else
    echo "ok - peers/noise: dissononce # SKIP python3-dissononce is not installed"
fi

exit $failed
