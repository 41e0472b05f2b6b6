#!/bin/sh
# Whole links, with the handshake within the first message, between our channel (link.c, built as $1) and two ends made of
# what others wrote: flynn/noise in Go and dissononce in Python. Prints TAP lines; exits 1 if one is "not ok".
set -u

ours=$1
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

report() { # status what
    if [ "$1" -eq 0 ]; then
        echo "ok - peers/link: $2"
    else
        echo "not ok - peers/link: $2"
        failed=1
    fi
}

# Joins two ends by a pair of pipes and compares their exit statuses with those wanted.
meets() { # initiator secret responder initiator-status responder-status
    rm -f "$work"/to "$work"/from
    mkfifo "$work/to" "$work/from"
    # Each opens `to` first: two that open in opposite order would wait for each other.
    timeout 60 $3 responder 0 <"$work/to" >"$work/from" 2>/dev/null &
    responder_id=$!
    timeout 60 $1 initiator "$2" >"$work/to" <"$work/from" 2>/dev/null
    initiator_status=$?
    wait "$responder_id"
    responder_status=$?
    [ "$initiator_status" -eq "$4" ] && [ "$responder_status" -eq "$5" ]
}

try() { # name command
    meets "$ours" 17 "$2" 0 0
    report $? "we begin, $1 answers"
    meets "$2" 17 "$ours" 0 0
    report $? "$1 begins, we answer"
    # Who holds the courier key, and not the link secret of the member that it names, gets no answer.
    meets "$ours" 18 "$2" 3 3
    report $? "$1 refuses another member than is named"
    meets "$2" 18 "$ours" 3 3
    report $? "we refuse another member than is named from $1"
}

if GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/cache" \
    go build -o "$work/link-go" "$here/link.go" 2>"$work/go.log"; then
    try flynn/noise "$work/link-go"
elif command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/flynn/noise ]; then
    sed 's/^/# /' "$work/go.log"
    report 1 "flynn/noise does not build"
else
    echo "ok - peers/link: flynn/noise # SKIP golang-go or golang-github-flynn-noise-dev is not installed"
fi

# Debian's Python, which sees Debian's packages, whatever stands first on the path.
if /usr/bin/python3 -c 'import dissononce' 2>/dev/null; then
    try dissononce "/usr/bin/python3 -B $here/link.py"
else
    echo "ok - peers/link: dissononce # SKIP python3-dissononce is not installed"
fi

exit $failed
