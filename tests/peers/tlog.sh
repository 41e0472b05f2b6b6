#!/bin/sh
# Our tree, heads, receipts and proofs against Go's golang.org/x/mod/sumdb, each side judging what the other writes.
# Our side is tlog.c, built as $1; theirs is tlog.go. Prints TAP lines; exits 1 if one is "not ok".
set -u

ours=$1
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

if ! command -v go >/dev/null || [ ! -d /usr/share/gocode/src/golang.org/x/mod/sumdb ]; then
    echo "ok - peers/tlog: sumdb # SKIP golang-go or golang-golang-x-mod-dev is not installed"
    exit 0
fi
if ! GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/cache" \
    go build -o "$work/theirs" "$here/tlog.go" 2>"$work/go.log"; then
    sed 's/^/# /' "$work/go.log"
    echo "not ok - peers/tlog: Go's side does not build"
    exit 1
fi
judge() { # writer judge
    "$1" emit >"$work/lines" || { echo "not ok - peers/tlog: a side does not write to its end"; failed=1; }
    "$2" check <"$work/lines" || failed=1
}
judge "$ours" "$work/theirs"
judge "$work/theirs" "$ours"
exit $failed
